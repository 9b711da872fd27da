"""The report for spreadsheets: one finding a row, and nothing in it that runs."""

import csv
import io
from pathlib import Path

import pytest

from edi_checker.reports.csv_report import COLUMNS, MARK, CsvReport
from test_reports import bundled, check, close_journals, count_fault, interchange, journal_of, transaction  # noqa: F401  # a fixture


def report(*journals):
    out = io.StringIO(newline="")
    written = CsvReport(out)
    for journal, summary in journals:
        written.add(journal, summary)
    written.finish()
    return out.getvalue()


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK), newline="")))


TWO = interchange(transaction(("C1", "100"), ("C2", "50.5")))


def test_one_row_a_finding_with_everything_that_the_json_report_says():
    text = report(journal_of(check(TWO, {"C2": [bundled]})))
    (row,) = rows(text)
    assert tuple(row) == tuple(COLUMNS)
    assert row == {
        "claim": "C2",
        "patient": "ASPEN",
        "message": "97750 is bundled into 97530 on 2026-01-15; no modifier on either line releases it.",
        "fix": "Where the services were separate, add 59 or the more specific XE, XP, XS or XU to 97750.",
        "severity": "error",
        "rule": "ncci.ptp",
        "code": "97750",
        "line": "2",
        "service_dates": "2026-01-15",
        "payer": "",
        "claim_outcome": "rejected",
        "claim_charge": "50.50",
        "path": "claims.837",
        "interchange": "'000000905",
        "group": "1",
        "transaction": "'0001",
        "snip": "6",
        "loop": "2400",
        "segment": "SV1",
        "position": row["position"],
        "element": "SV101-2",
        "source": "NCCI Policy Manual, ch. 11",
        "table": "ncci_ptp builtin-therapy-2024Q3",
        "see_also": "claim C2 line 1 2400 SV101-2",
        "status_277ca": "A8:453:454",
        "status_999": "",
        "status_ta1": "",
    }
    assert row["position"].isdigit()


def test_it_opens_in_a_spreadsheet_as_utf_8_with_lines_that_end_as_the_standard_says():
    text = report(journal_of(check(TWO, {"C1": [bundled]})))
    assert text.startswith(MARK + "claim,patient,message,fix,severity,rule,code,")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 2


def test_outside_of_a_claim_its_columns_are_empty():
    def wrong(part):
        return count_fault(part)

    (row,) = rows(report(journal_of(check(TWO, {"Interchange": [wrong]}))))
    assert (row["claim"], row["claim_outcome"], row["claim_charge"], row["line"]) == ("", "", "", "")
    assert (row["position"], row["status_ta1"]) == ("0", "'021")


def test_a_file_without_findings_leaves_no_row_and_the_header_stands_once():
    clean = journal_of(check(TWO))
    faulty = journal_of(check(TWO, {"C1": [bundled]}), path="other.837")
    assert [row["path"] for row in rows(report(clean, faulty, faulty))] == ["other.837", "other.837"]


@pytest.mark.parametrize(
    "start", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1+1", "\uff1d1+1", "\t=1+1", "\ufe63 1", "-"]
)
def test_what_a_spreadsheet_would_run_is_text(start):
    text = interchange(transaction((start, "100")))
    (row,) = rows(report(journal_of(check(text, {start: [bundled]}))))
    assert row["claim"].startswith("'")
    assert row["claim"][1:] == start.replace("\t", " ")


# What Excel would show in another way: leading zeros and digits beyond the eleventh, powers of
# ten, days, times, truth values, fractions, and an apostrophe of the value's own.
@pytest.mark.parametrize(
    "number",
    [
        "00123", "12345678901234567", "123456789012", "1E5", "1.5e-3", "MAR-12", "12-MAR", "SEPT1", "may 5",
        "1-2", "3/4", "2026-01-15", "1.50", "1,234", "(5)", "$5", "50%", "10:30", "5 PM", "10:30 a", "TRUE",
        "false", "-0", "'00123", "\uff11\uff25\uff15", "1 2/3", ".5", "5.", "0x", "007 ",
    ],
)  # fmt: skip
def test_an_id_that_excel_would_change_is_text(number):
    text = interchange(transaction((number, "100")))
    (row,) = rows(report(journal_of(check(text, {number: [bundled]}))))
    guarded = "'" + number if number != "0x" else number
    assert row["claim"] == guarded


@pytest.mark.parametrize(
    "number", ["-5", "-5.25", "17", "0", "99999999999", "C-1", "a=b", "MARY-12", "101A", "A1E5", "PT 00123"]
)
def test_plain_values_stay_as_they_are(number):
    text = interchange(transaction((number, "100")))
    (row,) = rows(report(journal_of(check(text, {number: [bundled]}))))
    assert row["claim"] == number


def test_a_negative_charge_stays_a_number():
    (row,) = rows(report(journal_of(check(interchange(transaction(("C1", "-5"))), {"C1": [bundled]}))))
    assert row["claim_charge"] == "-5.00"


def test_quotes_commas_and_control_characters_stay_inside_their_cell():
    number = 'a,"b"\x07\u202ec'
    text = interchange(transaction((number, "100")))
    (row,) = rows(report(journal_of(check(text, {number: [bundled]}))))
    assert row["claim"] == 'a,"b"  c'


def test_the_columns_are_documented():
    page = (Path(__file__).parents[1] / "docs" / "reports.md").read_text(encoding="utf-8")
    lines = page.split("## CSV")[1].split("\n## ")[0].splitlines()
    listed = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    assert {name.strip(): text.strip() for name, text in listed[2:]} == COLUMNS
