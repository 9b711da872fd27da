"""The workbook: what its cells are, that nothing in it runs, and that it stays within Excel's bounds."""

import io
import os
import pty
import re
import subprocess
import sys
import unicodedata
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from edi_checker.cli import commands
from edi_checker.reports import xlsx_report
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.xlsx_report import XlsxReport
from test_reports import (  # noqa: F401  # a fixture
    TABLES,
    bundled,
    check,
    close_journals,
    count_fault,
    interchange,
    journal_of,
    transaction,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
RECEIVED = ("--received", "2026-09-30")


def made(*journals):
    out = io.BytesIO()
    report = XlsxReport(out, version="0.1.0", received=20260201, tables=TABLES)
    for journal, summary in journals:
        report.add(journal, summary)
    report.finish()
    return out.getvalue()


def read(data):
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(data))


def rows(sheet):
    """Each row below the header, by the names of the columns."""
    head, *body = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str.lower, head), row, strict=True)) for row in body]


def invoke(*arguments):
    return CliRunner().invoke(commands, ["check", *RECEIVED, *map(str, arguments)])


def sheets_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name).decode() for name in archive.namelist() if "sheets/sheet" in name]


def test_the_cells_of_a_sample(golden, tmp_path):
    import openpyxl

    done = invoke(
        "--format", "xlsx", "--output", tmp_path / "r.xlsx", SAMPLES / "faulty/ncci.ptp.97530-97750.837"
    )
    assert (done.exit_code, done.output) == (1, "")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    text = ""
    for sheet in book:
        text += f"== {sheet.title}\n"
        for row in sheet.iter_rows():
            for cell in row:
                value = cell.value
                if isinstance(value, str):
                    value = value.replace(str(SAMPLES), "samples/837p")
                link = f" -> {cell.hyperlink.location}" if cell.hyperlink else ""
                if value is not None:
                    text += f"{cell.coordinate} [{cell.data_type} {cell.number_format}] {value}{link}\n"
    text = re.sub(r"(A2 .*edi-checker\nB2 \[s @\]) \S+", r"\1 VERSION", text)
    golden("workbook.txt", text)


TWO = interchange(transaction(("00123", "100"), ("12345678901234567", "50.5")))


def test_work_list_has_errors_first_and_leads_to_the_finding_and_that_to_its_claim():
    def warned(claim):
        return bundled(claim, severity="warning")

    first = journal_of(check(TWO, {"00123": [warned]}), path="a.837")
    second = journal_of(check(TWO, {"12345678901234567": [bundled, bundled]}), path="b.837")
    book = read(made(first, second))
    assert book.sheetnames == ["Work list", "Findings", "Claims", "Tables"]
    work = rows(book["Work list"])
    assert [(row["claim"], row["verdict"], row["charge"], row["findings"]) for row in work] == [
        ("12345678901234567", "rejected", 50.5, 2),
        ("00123", "accepted", 100, 1),
    ]
    assert work[0]["patient"] == "ASPEN"
    assert work[0]["first day"] == work[0]["last day"] == datetime(2026, 1, 15)  # noqa: DTZ001  # Excel has no zones
    assert [book["Work list"][f"J{row}"].hyperlink.location for row in (2, 3)] == [
        "'Findings'!A3",
        "'Findings'!A2",
    ]
    assert [book["Findings"][f"A{row}"].hyperlink.location for row in (2, 3, 4)] == [
        "'Claims'!A2",
        "'Claims'!A5",
        "'Claims'!A5",
    ]
    assert book["Claims"]["A5"].value == "12345678901234567"
    assert [row["code"] for row in rows(book["Findings"])] == ["97750"] * 3
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")


def test_ids_are_text_money_a_number_and_days_are_days():
    book = read(made(journal_of(check(TWO, {"00123": [bundled]}))))
    claim, charge, day = (book["Work list"][cell] for cell in ("E2", "F2", "B2"))
    assert (claim.value, claim.data_type, claim.number_format) == ("00123", "s", "@")
    assert (charge.value, charge.data_type, charge.number_format) == (100, "n", "$#,##0.00")
    assert (day.is_date, day.number_format) == (True, "yyyy-mm-dd")


def test_a_fault_above_the_claims_and_a_file_that_could_not_be_checked_need_work_too():
    above = journal_of(check(TWO, {"Interchange": [count_fault]}))
    lost = journal_of(check(TWO), path="lost.837", failure="the archive ends too early")
    work = rows(read(made(above, lost))["Work list"])
    assert [(row["claim"], row["what is wrong"], row["file"]) for row in work] == [
        ("2 claims", "IEA01 says 2 groups; there is 1", "claims.837"),
        (None, "the archive ends too early", "lost.837"),
    ]


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "http://x.example/",
    "mailto:x@x.example",
    "a\x00b",
    "\ud800",
    "\u202egnp.exe",
    "x" * 40_000,
    "\U0001f600" * 20_000,
    "{=1}",
    "_x0041_",
    "internal:A1",
    "<a>&\"'",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_a_claim_runs_or_leads_anywhere(value):
    text = interchange(transaction(("C1", "100")))

    def hostile(claim):
        found = bundled(claim, message=value, fix=value, citation=value)
        return found._replace(where=found.where._replace(claim=value, loop=value))

    data = made(journal_of(check(text, {"C1": [hostile]}), path=value))
    for sheet in sheets_of(data):
        assert "<f>" not in sheet
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if "sheets/_rels" in name]  # what leads out of it
    book = read(data)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "d", "inlineStr")
                if isinstance(cell.value, str):
                    assert len(cell.value.encode("utf-16-le")) <= 2 * 32_767
                    assert cell.value.isprintable()
    (row,) = rows(book["Findings"])
    if value.isprintable() and len(value) < 20_000:
        # What looks like an escape of Excel is escaped, and openpyxl leaves that so.
        assert row["what is wrong"].replace("_x005F_", "_") == value
        assert row["claim"] == row["what is wrong"]


UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.long
@settings(max_examples=40)
@given(st.text(st.characters(), max_size=40))
def test_any_text_is_a_text_cell(value):
    assert not {unicodedata.category(character) for character in xlsx_report._plain(value)} & UNSEEN
    data = made(
        journal_of(check(interchange(transaction(("C1", "1"))), {"C1": [lambda c: bundled(c, fix=value)]}))
    )
    shown = rows(read(data)["Findings"])[0]["what to do"] or ""
    assert shown.replace("_x005F_", "_").strip() == xlsx_report._plain(value).strip()


def test_rows_beyond_the_bound_are_counted(monkeypatch):
    monkeypatch.setattr(xlsx_report, "MOST_ROWS", 5)
    many = interchange(transaction(*((f"C{n}", "1") for n in range(7))))
    book = read(made(journal_of(check(many, {f"C{n}": [bundled] for n in range(7)}))))
    assert [row["claim"] for row in rows(book["Claims"])] == ["C0", "C1", "C2", "and 4 more rows"]
    assert book["Findings"].max_row == book["Work list"].max_row == 5
    assert book["Findings"]["A2"].hyperlink.location == "'Claims'!A2"


def test_links_beyond_the_bound_are_left_out(monkeypatch):
    monkeypatch.setattr(xlsx_report, "MOST_LINKS", 1)
    book = read(made(journal_of(check(TWO, {"00123": [bundled, bundled]}))))
    assert book["Findings"]["A2"].hyperlink is not None
    assert book["Findings"]["A3"].hyperlink is None


def test_no_temporary_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made(journal_of(check(TWO, {"00123": [bundled]})))
    assert list(tmp_path.iterdir()) == []


def test_findings_that_are_not_listed_are_counted():
    with FindingsLog("claims.837", most=1) as journal:
        for checked in check(TWO, {"00123": [bundled, bundled, bundled]}):
            journal.add(checked)
        found = rows(read(made((journal, journal.end())))["Findings"])
    assert [(row["rule"], row["what is wrong"]) for row in found[1:]] == [
        ("ncci.ptp", "and 2 more of ncci.ptp")
    ]


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    file = SAMPLES / "clean/pt-clinic.837"
    done = invoke("--format", "xlsx", "--output", tmp_path / "r.xlsx", file)
    assert done.exit_code == 2
    assert done.stderr == "edi-checker: --format xlsx needs XlsxWriter: pip install 'edi-checker[xlsx]'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_pipe_takes_it_and_a_terminal_does_not(tmp_path):
    command = [sys.executable, "-m", "edi_checker", "check", *RECEIVED, "--format", "xlsx"]
    where = {
        "cwd": Path(__file__).parents[1],
        "timeout": 60,
    }
    file = SAMPLES / "clean/pt-clinic.837"
    done = subprocess.run([*command, str(file)], **where, check=False, capture_output=True)
    assert (done.returncode, done.stdout[:2], done.stderr) == (0, b"PK", b"")
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [*command, str(file)], **where, check=False, stdout=terminal, stderr=subprocess.PIPE
    )
    os.close(terminal)
    os.close(controller)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "edi-checker: this format is no text: name a file with --output, or send it into a pipe\n"
    )


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    store = Workbook._store_workbook

    def full(book):
        store(book)  # which closes the temporary files
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workbook, "_store_workbook", full)
    done = invoke("--format", "xlsx", "--output", tmp_path / "r.xlsx", SAMPLES / "clean/pt-clinic.837")
    assert done.exit_code == 2
    assert done.stderr.endswith("r.xlsx: cannot be written: No space left on device\n")
    assert list(tmp_path.iterdir()) == []
