"""The Python API: the same bytes as the command's, typed results, wrong arguments refused, no leaks."""

from __future__ import annotations

import gc
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import edi_checker
from edi_checker.check.checker import Checker
from edi_checker.cli import commands
from edi_checker.reports.csv_report import MARK
from generate_claims import generate
from paths import ROOT
from report_schema import validate

DAY = date(2026, 11, 21)
FAULTY = ROOT / "samples/837p/faulty/ncci.mue.97530-x7.837"
SAMPLES = sorted(path.relative_to(ROOT) for path in (ROOT / "samples").rglob("*.837"))


@pytest.fixture(scope="module")
def checker() -> Checker:
    return edi_checker.make_checker(received=DAY)


def command(*arguments: object) -> Any:
    return CliRunner().invoke(commands, ["check", "--received", str(DAY), *map(str, arguments)])


# -- the command and the API cannot differ ------------------------------------------------------------------


def hold(paths: list[Path], checker: Checker, out: Path) -> None:
    """The files that the command writes for these inputs, and its reports, are those of the API."""
    shown = {form: command("--format", form, *paths).stdout_bytes for form in ("csv", "ndjson")}
    command("--acks", "--split", "--out-dir", out, "--output", os.devnull, *paths)
    rows, lines = [], []
    for path in paths:
        with edi_checker.check(path, checker=checker) as result:
            made = {
                ".json": result.json(),
                ".html": result.html(),
                ".999": result.ack_999(),
                ".277ca": result.ack_277ca(),
                ".ta1": result.ta1(),
                ".clean.837": result.split().clean,
                ".rejected.837": result.split().rejected,
            }
            for ending, data in made.items():
                file = out / f"{path.stem}{ending}"
                assert data == (file.read_bytes() if file.exists() else None), file.name
            rows.append(result.csv().removeprefix(MARK.encode()).partition(b"\r\n"))
            lines.append(result.ndjson())
    assert b"".join(lines) == shown["ndjson"]
    assert MARK.encode() + rows[0][0] + b"\r\n" + b"".join(row[2] for row in rows) == shown["csv"]


def test_the_command_writes_the_same(checker, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    hold(SAMPLES[::12], checker, tmp_path)


@pytest.mark.long
def test_the_command_writes_the_same_of_all_samples(checker, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    hold(SAMPLES, checker, tmp_path)


def test_the_report_of_one_file_is_that_of_the_command(checker, monkeypatch):
    monkeypatch.chdir(ROOT)
    path = FAULTY.relative_to(ROOT)
    assert edi_checker.check(path, checker=checker).json() == command("--format", "json", path).stdout_bytes


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (("--profile", "commercial"), {"profile": "commercial"}),
        (("--select", "ncci,guide"), {"select": ["ncci", "guide"]}),
        (("--ignore", "ncci.mue"), {"ignore": ("ncci.mue",)}),
        (("--isolation", "transaction"), {"isolation": "transaction"}),
        (("--engine", "python"), {"engine": "python"}),
    ],
    ids=str,
)
def test_an_argument_means_what_the_option_means(options, arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    path = FAULTY.relative_to(ROOT)
    made = edi_checker.make_checker(received=DAY, **arguments)
    result = edi_checker.check(path, checker=made)
    assert result.json() == command("--format", "json", *options, path).stdout_bytes


# -- results ------------------------------------------------------------------------------------------------


def test_a_result_has_claims_with_their_findings(checker):
    result = edi_checker.check(FAULTY, checker=checker)
    assert (result.outcome, result.reason, result.received) == ("accepted_with_errors", None, DAY)
    assert (result.counts.claims, result.counts.claims_rejected, result.counts.error) == (2, 1, 1)
    assert result.charges.total == Decimal("199.00")
    assert result.charges.accepted + result.charges.rejected + result.charges.not_checked == Decimal(199)
    bad, good = result.claims
    assert (bad.claim, bad.transaction, bad.outcome, bad.charge) == (
        "SOL-1101",
        "0001",
        "rejected",
        Decimal("115.00"),
    )
    assert bad.findings == result.findings
    assert (good.outcome, good.findings) == ("accepted", ())
    (finding,) = bad.findings
    assert isinstance(finding, edi_checker.Finding)
    assert (finding.rule, finding.where.element, finding.status.ack277ca) == (
        "ncci.mue",
        "SV104",
        ("A8:476", "A8:187"),
    )
    assert finding.table == edi_checker.TableVersion("ncci_mue", "builtin-therapy-2024Q3")
    assert ("ncci_mue", "builtin-therapy-2024Q3") in {(each.name, each.version) for each in result.tables}
    assert result.notices
    assert result.notices[0].startswith("NCCI add-on codes")
    assert result.troubles == ()
    assert dict(result.profiles) == {"medicare": 2}


def test_a_result_says_what_its_report_says(checker):
    for path in SAMPLES[::9]:
        result = edi_checker.check(ROOT / path, checker=checker)
        report = json.loads(result.json())
        validate(report)
        (file,) = report["files"]
        assert [result.outcome, result.reason, result.sha256, list(result.notices)] == [
            file["outcome"],
            file["reason"],
            file["sha256"],
            file["notices"],
        ]
        assert {name: getattr(result.counts, name) for name in file["counts"]} == file["counts"]
        assert {name: str(getattr(result.charges, name)) for name in file["charges"]} == file["charges"]
        assert [
            {"claim": c.claim, "transaction": c.transaction, "outcome": c.outcome, "charge": str(c.charge)}
            for c in result.claims
        ] == file["claims"]
        assert [f.message for f in result.findings] == [f["message"] for f in file["findings"]]
        assert [f.where.position for f in result.findings] == [
            f["where"]["position"] for f in file["findings"]
        ]


def test_a_finding_above_claims_names_them(checker):
    result = edi_checker.check(ROOT / "samples/837p/faulty/code.npi.billing.837", checker=checker)
    (finding,) = (each for each in result.findings if each.severity == "error")
    assert finding.where.claim is None
    assert result.affected(finding) == tuple(claim.claim for claim in result.claims)
    assert {(claim.outcome, claim.findings) for claim in result.claims} == {("rejected", ())}
    (own,) = edi_checker.check(FAULTY, checker=checker).findings
    assert result.affected(own) == ()


def test_claims_of_one_number_keep_their_findings_apart(checker):
    text = FAULTY.read_text().replace("SOL-1102", "SOL-1101")
    bad, good = edi_checker.check(text.encode(), checker=checker).claims
    assert "ncci.mue" in {finding.rule for finding in bad.findings}
    assert "ncci.mue" not in {finding.rule for finding in good.findings}


def test_a_result_is_frozen(checker):
    result = edi_checker.check(FAULTY, checker=checker)
    with pytest.raises(FrozenInstanceError):
        result.outcome = "accepted"
    with pytest.raises(TypeError):
        result.profiles["medicare"] = 3


def test_claims_are_read_while_others_are(checker):
    """Each reading has a place of its own in the temporary file."""
    result = edi_checker.check("".join(generate(400)).encode(), checker=checker)
    pairs = [(one.claim, other.claim) for one, other in zip(result.claims, result.claims, strict=True)]
    assert len(pairs) == len(result.claims) == 400
    assert all(one == other for one, other in pairs)
    seen = []
    for claim in result.claims:
        seen.append(claim.claim)
        assert json.loads(result.json())["files"][0]["counts"]["claims"] == 400
        if len(seen) == 3:
            break
    assert [claim.claim for claim in result.claims][:3] == seen


@pytest.mark.parametrize(
    "make",
    [
        lambda data: data,
        bytearray,
        memoryview,
        io.BytesIO,
        gzip.compress,
        lambda data: io.BytesIO(gzip.compress(data, mtime=0)),
        lambda data: _Slow(data),  # noqa: PLW0108  # the class stands below
    ],
)
def test_bytes_and_streams_are_checked_as_files_are(checker, make):
    source = make(FAULTY.read_bytes())
    result = edi_checker.check(source, checker=checker)
    known = edi_checker.check(FAULTY, checker=checker)
    assert (result.path, result.sha256, result.findings) == ("-", known.sha256, known.findings)
    assert not getattr(source, "closed", False), "it is the caller's"


class _Slow:
    """A stream that only reads, a little at a time."""

    def __init__(self, data: bytes) -> None:
        self._inside = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._inside.read(min(size, 100))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the input is empty"),
        (b"no claims", "does not begin with an ISA segment"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04rest", "zip"),
        (gzip.compress(b"ISA", mtime=0)[:-9], "ends too early"),
    ],
)
def test_what_is_no_claim_file_is_an_outcome(checker, data, reason):
    result = edi_checker.check(data, checker=checker)
    assert result.outcome == "not_checked"
    assert reason in result.reason
    assert result.ack_999() is result.ack_277ca() is result.ta1() is None
    assert result.split() == edi_checker.Split(None, None)
    validate(json.loads(result.json()))


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda data: FAULTY.read_bytes()[:700] + data))
def test_no_bytes_raise(data):
    with edi_checker.check(data, checker=_MADE) as result:
        assert result.outcome in {"accepted", "accepted_with_errors", "rejected", "not_checked"}
        assert len(result.claims) == len(list(result.claims)) == result.counts.claims
        assert result.json()


_MADE = edi_checker.make_checker(received=DAY, engine="python")


def test_a_redacted_result_shows_nobody(checker):
    result = edi_checker.check(FAULTY, checker=checker, redact=True)
    name = b"SOL-1101"
    assert name in edi_checker.check(FAULTY, checker=checker).json()
    for data in (result.json(), result.html(), result.csv(), result.ack_277ca(), repr(result).encode()):
        assert name not in data
    assert all(claim.claim.startswith("CLAIM-") for claim in result.claims)
    with pytest.raises(ValueError, match="not split"):
        result.split()


def test_limits_hold(checker):
    data = "".join(generate(300, invalid=0.5)).encode()
    result = edi_checker.check(data, checker=checker, max_findings=5)
    assert len(result.findings) == 5
    assert sum(result.unlisted.values()) + 5 == sum(
        (result.counts.error, result.counts.warning, result.counts.info)
    )
    late = edi_checker.check(data, checker=checker, max_seconds=1e-9)
    assert (late.outcome, late.reason.partition(" than ")[0]) == ("not_checked", "it takes longer")


# -- what is written ----------------------------------------------------------------------------------------


def test_forms_are_written_to_files_and_streams(checker, tmp_path):
    result = edi_checker.check(FAULTY, checker=checker)
    for form, data in (("json", result.json()), ("999", result.ack_999()), ("csv", result.csv())):
        assert result.write(form, tmp_path / form)
        assert (tmp_path / form).read_bytes() == data
        stream = io.BytesIO()
        assert result.write(form, stream)
        assert stream.getvalue() == data
    assert not result.write("ta1", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(ValueError, match="Did you mean json"):
        result.write("jsn", tmp_path / "x")
    with pytest.raises(TypeError, match="binary stream"):
        result.write("json", io.StringIO())
    with pytest.raises(FileNotFoundError):
        result.write("json", tmp_path / "no" / "folder")


def open_files() -> set[str]:
    return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", ["closed", "with", "let go"])
def test_nothing_stays_open(checker, how, monkeypatch):
    for name in ("reports.findings_log.IN_MEMORY", "acks.interchange._IN_MEMORY"):
        monkeypatch.setattr(f"edi_checker.{name}", 1 << 13)
    data = "".join(generate(300, invalid=0.05)).encode()
    before = open_files()
    result = edi_checker.check(data, checker=checker)
    assert open_files() > before, "so much is in temporary files"
    claims = list(result.claims)
    assert len(claims) == 300
    if how == "closed":
        result.close()
        result.close()
    elif how == "with":
        with result:
            pass
    if how != "let go":
        assert result.outcome
        for gone in (result.json, result.html, result.claims.__iter__().__next__):
            with pytest.raises(ValueError, match="the result is closed"):
                gone()
    del result
    gc.collect()
    assert open_files() <= before


def test_nothing_is_left_to_the_collector(tmp_path):
    """Neither a result that nobody closes nor arguments that are refused leave a warning behind."""
    script = (
        "import edi_checker, gc\n"
        "checker = edi_checker.make_checker()\n"
        f"for _ in range(3): edi_checker.check({str(FAULTY)!r}, checker=checker)\n"
        "kept = edi_checker.check(b'', checker=checker)\ngc.collect()\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


# -- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"profile": "medicaire"}, ValueError, "Did you mean medicare"),
        ({"profile": ""}, ValueError, "is none of auto"),
        ({"profile": 3}, TypeError, "a name, a path or a Profile, not int"),
        ({"profile": Path("no-such.yaml")}, FileNotFoundError, "no-such.yaml"),
        ({"profile": str(ROOT / "README.md")}, ValueError, "README.md"),
        ({"rules": "our-rules"}, TypeError, r"rules is a list, such as rules=\['our-rules'\], not str"),
        ({"rules": ROOT}, TypeError, "rules is a list"),
        ({"rules": ["no-such-rules"]}, FileNotFoundError, "no-such-rules"),
        ({"rules": [3]}, TypeError, "a path is expected, not int"),
        ({"rules": [b"x"]}, TypeError, "a path is expected, not bytes"),
        ({"rules": [""]}, ValueError, "the path is empty"),
        ({"tables": "no-such-tables"}, FileNotFoundError, "no-such-tables"),
        ({"tables": ROOT / "docs"}, ValueError, "no tables are imported there"),
        ({"received": datetime(2026, 3, 2, tzinfo=UTC)}, TypeError, "not a datetime"),
        ({"received": "2026-03-02"}, TypeError, "received is a date"),
        ({"received": 20260302}, TypeError, "received is a date"),
        ({"minutes": "no-such.csv"}, FileNotFoundError, "no-such.csv"),
        ({"minutes": ROOT / "README.md"}, ValueError, "README.md"),
        ({"select": "therapy"}, TypeError, "select is a list"),
        ({"select": [1]}, TypeError, "a list of rule ids, with no int in it"),
        ({"select": ["therapy.kxx"]}, ValueError, "Did you mean therapy.kx"),
        ({"ignore": ["ncci.meu"]}, ValueError, "Did you mean ncci.mue"),
        ({"isolation": "claims"}, ValueError, "Did you mean claim"),
        ({"isolation": 1}, TypeError, "isolation is claim or transaction, not int"),
        ({"plugins": "no"}, TypeError, "plugins is True or False"),
        ({"engine": "rust"}, ValueError, "engine is durable or python"),
    ],
    ids=str,
)
def test_a_checker_of_wrong_arguments_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        edi_checker.make_checker(**arguments)


def test_a_rule_file_with_faults_is_named(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "rule.yaml").write_text("title: [\n")
    with pytest.raises(edi_checker.RuleError, match=r"rule\.yaml:"):
        edi_checker.make_checker(rules=[tmp_path])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"redact": 1}, TypeError, "redact is True or False"),
        ({"max_findings": 0}, ValueError, "1 or more"),
        ({"max_findings": "5"}, TypeError, "a number"),
        ({"max_findings": True}, TypeError, "a number"),
        ({"max_seconds": 0}, ValueError, "more than 0"),
        ({"max_seconds": float("nan")}, ValueError, "more than 0"),
        ({"max_seconds": "1"}, TypeError, "a number or None"),
        ({"profile": "medicare"}, TypeError, "give these to make_checker"),
        ({"checker": "medicare"}, TypeError, "what make_checker makes"),
    ],
    ids=str,
)
def test_a_check_with_wrong_arguments_is_refused(checker, arguments, error, says):
    with pytest.raises(error, match=says):
        edi_checker.check(FAULTY, **{"checker": checker} | arguments)


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        ("no-such.837", FileNotFoundError, "no-such.837"),
        ("-", FileNotFoundError, "-"),
        ("", ValueError, "the path is empty"),
        ("a\0b", ValueError, "null"),
        (ROOT / "samples", IsADirectoryError, "check each of its files"),
        (FAULTY.read_text(), ValueError, "give the content of a file as bytes"),
        (io.StringIO("ISA*"), TypeError, "not one of text"),
        (None, TypeError, "a path, bytes or a binary stream is expected, not NoneType"),
        (3, TypeError, "not int"),
        ([FAULTY], TypeError, "not list"),
        (os.fsencode(FAULTY).split(), TypeError, "not list"),
    ],
    ids=["gone", "dash", "empty", "nul", "folder", "content", "text", "nothing", "number", "list", "bytes"],
)
def test_a_wrong_source_is_refused(checker, source, error, says):
    with pytest.raises(error, match=says):
        edi_checker.check(source, checker=checker)


def test_a_text_file_is_refused(checker):
    with FAULTY.open() as stream, pytest.raises(TypeError, match="mode 'rb'"):
        edi_checker.check(stream, checker=checker)


def test_a_closed_stream_and_one_that_waits_are_refused(checker):
    stream = io.BytesIO(b"ISA")
    stream.close()
    with pytest.raises(ValueError, match="closed file"):
        edi_checker.check(stream, checker=checker)

    class Waiting:
        def read(self, size: int, /) -> Any:
            return None

    with pytest.raises(BlockingIOError):
        edi_checker.check(Waiting(), checker=checker)


def test_what_a_stream_of_the_caller_raises_comes_out(checker):
    class Breaking(_Slow):
        def read(self, size: int, /) -> bytes:
            if self._inside.tell() > 500:
                raise ConnectionResetError("of the caller")
            return super().read(size)

    with pytest.raises(ConnectionResetError, match="of the caller"):
        edi_checker.check(Breaking(FAULTY.read_bytes()), checker=checker)


def test_an_archive_of_several_files_is_refused(checker, tmp_path):
    path = tmp_path / "claims.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(FAULTY, "one.837")
    assert edi_checker.check(path, checker=checker).outcome == "accepted_with_errors"
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(FAULTY, "two.837")
    with pytest.raises(ValueError, match="holds 2 files"):
        edi_checker.check(path, checker=checker)
    with zipfile.ZipFile(path) as archive, archive.open("two.837") as member:
        assert edi_checker.check(member, checker=checker).outcome == "accepted_with_errors"


def test_a_profile_of_ones_own_is_taken():
    profile = edi_checker.Profile("ours", severities={"ncci.mue": "warning"})
    result = edi_checker.check(FAULTY, profile=profile, received=DAY, tables="built-in", plugins=False)
    assert (result.outcome, dict(result.profiles)) == ("accepted", {"ours": 2})
    assert [(finding.rule, finding.severity) for finding in result.findings] == [("ncci.mue", "warning")]


def test_minutes_are_read(tmp_path):
    minutes = tmp_path / "minutes.csv"
    minutes.write_text("claim,line,minutes\nSOL-1101,1,9\n")
    made = edi_checker.make_checker(received=DAY, minutes=minutes)
    found = {finding.rule for finding in edi_checker.check(FAULTY, checker=made).findings}
    assert "therapy.minutes-implied" in found
    without = edi_checker.check(FAULTY, received=DAY)
    assert "therapy.minutes-implied" not in {finding.rule for finding in without.findings}


# -- types --------------------------------------------------------------------------------------------------

PROGRAM = """
from datetime import date
from decimal import Decimal

import edi_checker

checker: edi_checker.Checker = edi_checker.make_checker(profile="medicare", received=date(2026, 3, 2))
with edi_checker.check("claims.837", checker=checker, redact=True) as result:
    total: Decimal = result.charges.total
    if result.outcome == "rejected" and result.reason is None:
        print(total, edi_checker.__version__)
    for claim in result.claims:
        rejected: list[edi_checker.Finding] = [f for f in claim.findings if f.severity == "error"]
        print(claim.claim, claim.charge + total, [f.where.line for f in rejected])
    answer: bytes | None = result.ack_999()
    clean: bytes | None = result.split().clean
    result.write("csv", "findings.csv")
with open("claims.837", "rb") as stream:
    for checked in checker.check(stream):
        if isinstance(checked.part, edi_checker.Claim):
            print(checked.part.id, checked.outcome)
"""
WRONG = """
import edi_checker

edi_checker.check(3)
edi_checker.check("x", isolation="claims")
edi_checker.check("x", rules="one")  # a str is iterable too: this one only fails when it runs
edi_checker.check("x").outcome = "accepted"
edi_checker.check("x").ack_999().decode()
"""


@pytest.mark.long
def test_mypy_takes_a_program_and_sees_wrong_use(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "program.py", "wrong.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": "", "PYTHONPATH": str(ROOT)},
    )
    said = done.stdout.splitlines()
    assert [line.partition(": error: ")[0] for line in said if "wrong.py" in line] == [
        "wrong.py:4",
        "wrong.py:5",
        "wrong.py:7",
        "wrong.py:8",
    ]
    assert not [line for line in said if "program.py" in line], said


def test_the_workbook_is_that_of_the_command(tmp_path, checker):
    import openpyxl

    command = [
        "check",
        "--format",
        "xlsx",
        "--output",
        str(tmp_path / "a.xlsx"),
        "--received",
        str(DAY),
        str(FAULTY),
    ]
    CliRunner().invoke(commands, command)
    result = edi_checker.check(FAULTY, checker=checker)
    assert result.write("xlsx", tmp_path / "b.xlsx")
    books = [openpyxl.load_workbook(tmp_path / name) for name in ("a.xlsx", "b.xlsx")]
    command_cells, api_cells = ([list(sheet.values) for sheet in book] for book in books)
    assert command_cells == api_cells
    assert "SOL-1101" in command_cells[0][1]
