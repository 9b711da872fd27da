"""A list of answered claims as a spreadsheet: the sheets "Work list" and "Answers". Needs XlsxWriter."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from edi_checker.acks.answered import Row, WorkList
from edi_checker.acks.heaps import HEAPS
from edi_checker.reports.answered_json import rows_of, say_before, say_top
from edi_checker.reports.xlsx_report import print_across

_MOST_ROWS = 1_048_000  # of a sheet
_MOST_CHARACTERS = 32_000  # of a cell
_WORK = (
    ("To do", 18),
    ("Claim", 20),
    ("Patient", 24),
    ("Service from", 12),
    ("Service to", 12),
    ("Charge", 12),
    ("What the answer says", 60),
    ("What to do", 50),
    ("Codes", 24),
    ("Answer", 8),
    ("Said by", 30),
    ("Claim file", 30),
    ("Other answers", 40),
)
_ANSWERS = (
    ("File", 30),
    ("Answer", 8),
    ("About", 12),
    ("Id", 20),
    ("Outcome", 12),
    ("What it says", 70),
    ("What to do", 50),
    ("Codes", 24),
    ("Transaction", 12),
    ("Claim", 20),
    ("Segment", 9),
    ("Element", 10),
)


def write_workbook(work: WorkList, out: BinaryIO) -> None:
    """Rows go to the disk as they come. All is text but money and dates; nothing is a formula or a link."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        # The same list gives the same bytes.
        book.set_properties({"title": "Answers to claims", "created": datetime(2000, 1, 1)})  # noqa: DTZ001  # a constant
        _write_work(book, work)
        _write_answers(book, work)


def _open_sheet(
    book: Workbook, name: str, columns: tuple[tuple[str, int], ...], top: str = ""
) -> tuple[Worksheet, int]:
    """The sheet and the number of its first row of data."""
    sheet: Worksheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "valign": "top"})
    for at, (_, width) in enumerate(columns):
        sheet.set_column(at, at, width)
    head = 0
    if top:
        sheet.write_string(0, 0, top, bold)
        head = 2
    for at, (title, _) in enumerate(columns):
        sheet.write_string(head, at, title, bold)
    sheet.freeze_panes(head + 1, 2)
    print_across(sheet, head)
    return sheet, head + 1


def _write_work(book: Workbook, work: WorkList) -> None:
    sheet, first = _open_sheet(book, "Work list", _WORK, " ".join(say_top(work)))
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    money = book.add_format({"num_format": "#,##0.00", "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"})
    at = first
    for at, row in enumerate(rows_of(work), first):
        if at >= _MOST_ROWS:
            _text(sheet, at, 0, "More claims than a sheet takes: the JSON form has all of them.", wrap)
            break
        _text(sheet, at, 0, HEAPS[row.heap], wrap)
        _text(sheet, at, 1, row.claim, wrap)
        _text(sheet, at, 2, row.patient, wrap)
        for column, on in zip((3, 4), row.dates, strict=True):
            _day(sheet, at, column, on, day)
        if row.charge is not None:
            sheet.write_number(at, 5, row.charge / 100, money)
        for column, text in enumerate(_rest(row), 6):
            _text(sheet, at, column, text, wrap)
    sheet.autofilter(first - 1, 0, max(at, first), len(_WORK) - 1)


def _rest(row: Row) -> tuple[str, ...]:
    return (
        "\n".join(row.says),
        "\n".join(row.advice),
        " ".join(row.codes),
        row.kind,
        row.source,
        row.file,
        say_before(row),
    )


def _write_answers(book: Workbook, work: WorkList) -> None:
    sheet, first = _open_sheet(book, "Answers", _ANSWERS)
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    at = first
    for at, (_, path, said) in enumerate(work.statements(), first):
        if at >= _MOST_ROWS:
            _text(sheet, at, 0, "More than a sheet takes: the JSON form has all of it.", wrap)
            break
        position = "" if said.position is None else str(said.position)
        texts = (
            path, said.answer, said.about, said.id, said.outcome, said.text, said.advice,
            " ".join(said.codes), said.transaction or "", said.claim or "", position, said.element or "",
        )  # fmt: skip
        for column, text in enumerate(texts):
            _text(sheet, at, column, text, wrap)
    sheet.autofilter(first - 1, 0, max(at, first), len(_ANSWERS) - 1)


def _text(sheet: Worksheet, row: int, column: int, text: str, form: Format) -> None:
    if text:
        sheet.write_string(row, column, text[:_MOST_CHARACTERS], form)


def _day(sheet: Worksheet, row: int, column: int, on: str, form: Format) -> None:
    """A date; one that spreadsheets do not know, before 1900, as text."""
    if on >= "1900-01-01":
        sheet.write_datetime(row, column, datetime.fromisoformat(on), form)
    else:
        _text(sheet, row, column, on, form)
