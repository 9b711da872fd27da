"""`edi-checker facts`: tables that agree with the report, whole or not at all, without PHI."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_checker.cli import commands
from edi_checker.reports import parquet_tables
from edi_checker.reports.fact_tables import TABLES
from generate_claims import generate
from paths import ROOT
from transcripts import as_pattern, blocks, follow

pytest.importorskip("pyarrow")
from pyarrow import parquet

CLEAN = ROOT / "samples/837p/clean/dependent-patients.837"
FAULTY = ROOT / "samples/837p/faulty"
PAGE = (ROOT / "docs" / "fact-tables.md").read_text("utf-8")
TYPES = {
    "text": "text",
    "texts": "list of text",
    "number": "int64",
    "money": "decimal(18, 2)",
    "units": "decimal(18, 3)",
    "day": "date",
}
ARROW = {"text": "string", "texts": "list<element: string>", "money": "decimal128(18, 2)"} | {
    "number": "int64",
    "units": "decimal128(18, 3)",
    "day": "date32[day]",
}


def facts(out, *arguments):
    words = ["facts", *arguments, "--out-dir", out, "--received", "2026-09-30"]
    return CliRunner().invoke(commands, [str(word) for word in words])


def read(out: Path) -> dict[str, list[dict]]:
    return {name: parquet.read_table(out / f"{name}.parquet").to_pylist() for name in TABLES}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Claims of every tenth of which something is wrong, in two sets and more."""
    path = tmp_path_factory.mktemp("generated") / "claims.837"
    path.write_text("".join(generate(1200, seed=7, invalid=0.1)))
    return path


@pytest.mark.long
def test_the_tables_are_those_of_the_report(tmp_path, generated):
    inputs = [FAULTY, CLEAN, generated]
    assert facts(tmp_path, *inputs, "--with-phi").exit_code == 0
    words = ["check", *inputs, "--format", "json", "--received", "2026-09-30", "--max-findings", 10**6]
    report = json.loads(CliRunner().invoke(commands, [str(word) for word in words]).stdout)
    tables = read(tmp_path)
    of_file: dict[str, dict[str, list[dict]]] = {}
    for name, rows in tables.items():
        for row in rows:
            of_file.setdefault(row["file"], {}).setdefault(name, []).append(row)
    assert len(report["files"]) > 100
    for file in report["files"]:
        own = of_file.pop(file["path"])
        (said,) = own["files"]
        assert (said["sha256"], said["outcome"], said["reason"]) == (
            file["sha256"], file["outcome"], file["reason"]
        )  # fmt: skip
        assert said["charge"] == Decimal(file["charges"]["total"])
        assert said["charge_rejected"] == Decimal(file["charges"]["rejected"])
        claims, counts = own.get("claims", []), file["counts"]
        assert [(row["claim_number"] or "", row["outcome"]) for row in claims] == [
            (claim["claim"], claim["outcome"]) for claim in file["claims"]
        ]
        assert [row["claim"] for row in claims] == list(range(1, counts["claims"] + 1))
        assert sum(row["lines"] for row in claims) == len(own.get("lines", [])) == counts["lines"]
        assert [(row["rule"], row["message"], row["position"]) for row in own.get("findings", [])] == [
            (each["rule"], each["message"], each["where"]["position"]) for each in file["findings"]
        ]
    assert {len(own) for own in of_file.values()} <= {1}  # files of the folder that are no claim files
    assert all(own["files"][0]["reason"] for own in of_file.values())


@pytest.mark.long
def test_every_row_joins_its_claim(tmp_path, generated):
    facts(tmp_path, FAULTY, generated)
    tables = read(tmp_path)
    claims = {(row["file"], row["claim"]): row for row in tables["claims"]}
    assert len(claims) == len(tables["claims"])
    for name in ("lines", "diagnoses", "payers"):
        assert {(row["file"], row["claim"]) for row in tables[name]} <= set(claims)
    for row in tables["findings"]:
        if row["first_claim"] is not None:
            assert row["first_claim"] <= row["last_claim"]
            assert (row["file"], row["last_claim"]) in claims
    assert {row["transaction_set"] for row in tables["claims"] if row["file"] == str(generated)} == {1, 2}


@pytest.mark.long
def test_a_rejected_claim_has_an_error_that_concerns_it(tmp_path, generated):
    facts(tmp_path, FAULTY, generated)
    tables = read(tmp_path)
    errors: dict[str, list[range]] = {}
    for row in tables["findings"]:
        if row["severity"] == "error" and row["first_claim"] is not None:
            concerned = range(row["first_claim"], row["last_claim"] + 1)
            errors.setdefault(row["file"], []).append(concerned)
    rejected = [row for row in tables["claims"] if row["outcome"] == "rejected"]
    without = {
        row["file"] for row in rejected if not any(row["claim"] in each for each in errors[row["file"]])
    }
    assert len(rejected) > 100
    assert without == set()


def test_what_a_claim_says_stands_in_its_columns(tmp_path):
    facts(tmp_path, CLEAN, "--with-phi")
    tables = read(tmp_path)
    claim = tables["claims"][0]
    assert (claim["patient_last_name"], claim["payer_name"]) == ("ROWAN", "WILLOW HEALTH PLAN")
    assert (claim["service_from"], claim["charge"]) == (date(2026, 7, 6), Decimal("84.00"))
    assert isinstance(claim["patient_birth"], date)
    line = tables["lines"][0]
    assert (line["code"], line["modifier_1"], line["modifier_2"]) == ("97530", "GP", None)
    assert (line["quantity"], line["charge"], line["pointers"]) == (Decimal("2.000"), Decimal("84.00"), "1")
    assert tables["diagnoses"][0]["list"] == "icd10cm"
    assert tables["payers"][0]["member_id"] == claim["member_id"]


def test_the_types_and_the_metadata_are_those_of_the_columns(tmp_path):
    facts(tmp_path, CLEAN, "--with-phi")
    for name, columns in TABLES.items():
        schema = parquet.read_schema(tmp_path / f"{name}.parquet")
        assert schema.names == [column.name for column in columns]
        for column in columns:
            field = schema.field(column.name)
            assert str(field.type) == ARROW[column.kind]
            assert field.metadata[b"phi"] == (b"yes" if column.phi else b"no")
            assert field.metadata[b"comment"].decode() == column.says
        assert schema.metadata[b"schema"] == b"edi-checker/facts/1"
        assert schema.metadata[b"received"] == b"2026-09-30"


@pytest.mark.long
def test_without_asking_nothing_identifies(tmp_path, generated):
    inputs = (generated, ROOT / "samples/837p/clean")
    facts(tmp_path / "all", *inputs, "--with-phi")
    facts(tmp_path / "safe", *inputs)
    everything, safe = read(tmp_path / "all"), read(tmp_path / "safe")
    phi = {name: [column.name for column in columns if column.phi] for name, columns in TABLES.items()}
    assert phi["claims"]
    hidden = {
        str(row[name]) for table, names in phi.items() for row in everything[table] for name in names
    } - {"None"}
    assert len(hidden) > 1000
    shown = {
        str(value)
        for table in safe
        for row in safe[table]
        for name, value in row.items()
        if name not in ("sha256", "citation", "file")
    }
    words = {word for text in shown for word in re.findall(r"[\w-]+", text)}
    assert {value for value in hidden if len(value) > 2 and (value in shown or value in words)} == set()
    for table, rows in safe.items():
        assert {name for row in rows for name in row} & set(phi[table]) == set()
        assert rows == [
            {name: value for name, value in row.items() if name not in phi[table]}
            for row in everything[table]
        ]


@pytest.mark.long
def test_rows_are_written_while_the_input_passes(tmp_path, generated, monkeypatch):
    facts(tmp_path / "few", generated)
    monkeypatch.setattr(parquet_tables, "_ROWS", 50)
    monkeypatch.setattr(parquet_tables, "_GROUP_ROWS", 100)
    facts(tmp_path / "many", generated)
    assert read(tmp_path / "few") == read(tmp_path / "many")
    file = parquet.ParquetFile(tmp_path / "many" / "claims.parquet")
    assert [file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)] == [100] * 12


@pytest.mark.long
def test_memory_does_not_grow_with_the_input(tmp_path):
    peaks = []
    for count in (3_000, 12_000):
        path = tmp_path / f"{count}.837"
        path.write_text("".join(generate(count, seed=3, invalid=0.2)))
        program = (
            "import resource, sys; from edi_checker.cli import commands\n"
            "commands.main(sys.argv[1:], standalone_mode=False)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, "facts", path, "--out-dir", tmp_path / "out"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout.splitlines()[-1]))
    assert peaks[1] < peaks[0] * 1.4, peaks


def test_a_fault_above_the_claims_concerns_those_below_it(tmp_path):
    facts(tmp_path, FAULTY / "code.npi.billing.837")
    concerned = [(row["rule"], row["first_claim"], row["last_claim"]) for row in read(tmp_path)["findings"]]
    assert ("code.npi", 1, 3) in concerned


@pytest.mark.long
def test_findings_beyond_the_most_are_counted(tmp_path, generated):
    facts(tmp_path / "all", generated, "--with-phi")
    for more in ((), ("--with-phi",)):
        facts(tmp_path / "few", generated, "--max-findings", 3, *more)
        rows = read(tmp_path / "few")["findings"]
        counted = [
            int(re.search(r"and ([\d,]+) more", row["message"])[1].replace(",", "")) for row in rows[3:]
        ]
        assert sum(counted) + 3 == len(read(tmp_path / "all")["findings"])
        assert {row["file"] for row in rows} == {str(generated)}


@pytest.mark.parametrize(
    ("old", "new", "table", "column", "value"),
    [
        ("*UN*2*", "*UN*1.5*", "lines", "quantity", Decimal("1.500")),
        ("*UN*2*", "*UN*123456789012345678*", "lines", "quantity", None),
        ("*UN*2*", "*UN*0.0001*", "lines", "quantity", None),
        ("*UN*2*", "*UN*-2*", "lines", "quantity", Decimal("-2.000")),
        ("*84*UN", "*eighty*UN", "lines", "charge", None),
        ("*84*UN", "*99999999.99*UN", "lines", "charge", Decimal("99999999.99")),
        ("D8*20260706", "D8*20260231", "lines", "service_from", None),
        ("D8*20260706", "D8*00260706", "lines", "service_from", date(26, 7, 6)),
        ("WILLOW HEALTH PLAN", "W" * 300, "claims", "payer_name", "W" * 255),
        ("WILLOW HEALTH PLAN", "WÍLLOW", "claims", "payer_name", "WÍLLOW"),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_left_empty(tmp_path, old, new, table, column, value):
    text = CLEAN.read_text()
    assert old in text
    (tmp_path / "a.837").write_text(text.replace(old, new), "utf-8")
    assert facts(tmp_path / "out", tmp_path / "a.837").exit_code == 0
    assert read(tmp_path / "out")[table][0][column] == value


def test_what_is_no_claim_file_has_its_reason(tmp_path):
    (tmp_path / "claims.837").write_text("nothing of the kind")
    done = facts(tmp_path / "out", tmp_path / "claims.837", CLEAN)
    assert done.exit_code == 2
    assert "claims.837: " in done.stderr
    rows = read(tmp_path / "out")["files"]
    assert [row["outcome"] for row in rows] == ["not_checked", "accepted"]
    assert rows[0]["reason"]


def test_a_folder_without_claim_files_cannot_be_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "letter.txt").write_text("Dear payer")
    done = facts(tmp_path / "out", tmp_path / "in")
    assert done.exit_code == 2
    assert "none of the files is a claim file" in done.stderr


def test_claims_of_a_file_that_breaks_off_are_not_checked(tmp_path):
    text = CLEAN.read_text()
    (tmp_path / "a.837").write_text(text[: text.rindex("GE*")])
    facts(tmp_path / "out", tmp_path / "a.837")
    tables = read(tmp_path / "out")
    assert {row["outcome"] for row in tables["claims"]} == {tables["files"][0]["outcome"]} - {"accepted"}
    assert tables["lines"]


def test_a_file_can_be_in_the_tables_once(tmp_path):
    done = facts(tmp_path, CLEAN, CLEAN)
    assert done.exit_code == 2
    assert "it is there twice" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_table_does_not_replace_an_input(tmp_path):
    (tmp_path / "claims.parquet").write_bytes(CLEAN.read_bytes())
    done = facts(tmp_path, tmp_path / "claims.parquet")
    assert (done.exit_code, "would be written over" in done.stderr) == (2, True)
    assert (tmp_path / "claims.parquet").read_bytes() == CLEAN.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("when", [0, 3, 400])
def test_a_full_disk_leaves_the_tables_of_the_run_before(tmp_path, monkeypatch, when):
    facts(tmp_path, CLEAN)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    count = 0
    add = parquet_tables.ParquetTables.add

    def fail(self, table, row):
        nonlocal count
        count += 1
        if count > when:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, table, row)

    monkeypatch.setattr(parquet_tables.ParquetTables, "add", fail)
    done = facts(tmp_path, FAULTY)
    assert done.exit_code == 2
    assert "the tables cannot be written: No space left on device" in done.stderr
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_tables_take_their_places_together_or_not_at_all(tmp_path):
    (tmp_path / "findings.parquet").mkdir()
    done = facts(tmp_path, CLEAN)
    assert done.exit_code == 2
    assert "the other files of this run cannot be written" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["findings.parquet"]


def test_only_the_owner_can_read_the_tables(tmp_path):
    facts(tmp_path, CLEAN)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.parquet" for name in TABLES}


def test_without_pyarrow_it_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from edi_checker.cli import main\n"
        f"sys.argv = ['edi-checker', 'facts', {str(CLEAN)!r}, '--out-dir', {str(tmp_path / 'out')!r}]\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert (
        done.stderr == "edi-checker: facts --to parquet needs pyarrow: pip install 'edi-checker[parquet]'\n"
    )
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_input_ends_it(tmp_path, data):
    text = bytearray(CLEAN.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text) - 1))
        end = at + data.draw(st.integers(0, 60))
        text[at:end] = data.draw(
            st.sampled_from([b"", b"*", b"~", b":", b"\xff\xfe", b"-1", b"~CLM*", b"~HL*"])
        )
    (tmp_path / "a.837").write_bytes(text)
    done = facts(tmp_path / "out", tmp_path / "a.837")
    assert done.exit_code in (0, 2), done.output
    tables = read(tmp_path / "out")
    (file,) = tables["files"]
    assert "internal error" not in (file["reason"] or "")
    assert len(tables["claims"]) == file["claims"]
    assert (done.exit_code == 2) == (file["outcome"] == "not_checked")


def test_the_page_lists_the_columns():
    for name, columns in TABLES.items():
        rows = "".join(
            f"| `{each.name}` | {TYPES[each.kind]} | {each.says}{' (PHI)' if each.phi else ''} |\n"
            for each in columns
        )
        assert f"### {name}\n\n| column | type | what |\n|---|---|---|\n{rows}" in PAGE


@pytest.mark.long
def test_the_queries_of_the_page_answer(tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    for _command, output, ended in follow(PAGE, tmp_path):
        assert re.fullmatch(as_pattern(output), ended.stdout), ended.stdout
    monkeypatch.chdir(tmp_path)
    (result,) = blocks(PAGE, "text")
    names, *rows = [re.split(r"\s{2,}", row.strip()) for row in result.splitlines()]
    whose, codes = (duckdb.sql(query) for query in blocks(PAGE, "sql"))
    assert whose.columns == names
    assert [list(map(str, row)) for row in whose.fetchall()] == rows
    assert len(codes.fetchall()) == 5
