"""The report as a workbook: a work list for the biller, all findings, all claims, and the tables."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

from edi_checker.facts import Coverage
from edi_checker.reports.boxes import box_of_fix
from edi_checker.reports.findings_log import Entry, FindingsLog, Summary, say_profiles, say_unlisted
from edi_checker.reports.gaps import say_gaps
from edi_checker.reports.verdict import first_sentence, words_of
from edi_checker.x12.dates import iso

# XlsxWriter comes with the extra `xlsx`.
if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_576  # of a sheet, the header among them
MOST_LINKS = 65_530  # of a sheet
MOST_UNITS = 32_767  # UTF-16 units of a cell

_WORK = {
    "patient": 22, "first day": 11, "last day": 11, "payer": 20, "claim": 18, "charge": 12, "verdict": 13,
    "what is wrong": 60, "what to do": 60, "findings": 9, "file": 28,
}  # fmt: skip
_FINDINGS = {
    "claim": 18, "patient": 22, "severity": 9, "what is wrong": 60, "what to do": 60, "line": 6, "code": 9,
    "rule": 28, "place": 17, "segment number": 9, "source": 44, "table": 28, "file": 28,
}  # fmt: skip
_CLAIMS = {"claim": 18, "verdict": 13, "charge": 12, "transaction": 12, "file": 28}
_TABLES = {"table": 26, "release": 60, "rows": 12}

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


class Money(NamedTuple):
    """A cell with an amount."""

    cents: int


class Link(NamedTuple):
    """A cell that leads to a row of another sheet, counted from 1; 0 leads nowhere."""

    value: str | int
    sheet: str
    row: int


Cell = str | int | Money | date | Link | None


class XlsxReport:
    """Writes a workbook to `out` at its end; until then its sheets wait in temporary files, so memory does
    not grow with the input.

    Nothing in it is a formula or leads out of it, and what stands in a claim is a text, an amount or a day.
    `received` is CCYYMMDD; `tables` are name, version and rows of each table that decides. `add` and
    `finish` raise OSError.
    """

    def __init__(
        self, out: BinaryIO, *, version: str, received: int, tables: list[tuple[str, str, int]]
    ) -> None:
        from xlsxwriter import Workbook

        # Goes with the report, or with the process.
        self._folder = tempfile.TemporaryDirectory(prefix="edi-checker-")
        options = {"constant_memory": True, "tmpdir": self._folder.name, "use_zip64": True}
        texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = Workbook(out, options | texts)
        day = datetime.fromisoformat(iso(received))
        self._book.set_properties({"title": "Claims to work on", "created": day})
        self._work = _Sheet(self._book, "Work list", _WORK)
        self._findings = _Sheet(self._book, "Findings", _FINDINGS)
        self._claims = _Sheet(self._book, "Claims", _CLAIMS)
        self._tables = _Sheet(self._book, "Tables", _TABLES)
        self._about = [("edi-checker", version, None), ("date of receipt", iso(received), None), *tables]
        # Errors come first, and all of them are known at the end: rows as JSON, a file for each severity.
        self._waiting: dict[str, IO[str]] = {
            severity: (Path(self._folder.name) / severity).open("w+", encoding="ascii")
            for severity in ("error", "warning")
        }
        self._coverage = Coverage()
        self._profiles: Counter[str] = Counter()

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        """Write one file's claims and findings."""
        before = self._claims.rows
        for claim, transaction, outcome, charge in journal.claims():
            money = Money(round(float(charge) * 100))
            self._claims.write(
                (json.loads(claim), words_of(outcome), money, json.loads(transaction), summary.path)
            )
        if summary.reason is not None:
            self._wait(
                "error", {"verdict": "not checked", "what is wrong": summary.reason, "file": summary.path}
            )
        for _, group in groupby(journal.entries(), _group_of):
            self._add_group(list(group), before, summary.path)
        for rule, number in sorted(summary.unlisted.items()):
            told = {"what is wrong": say_unlisted(rule, number), "rule": rule, "file": summary.path}
            self._findings.write([told.get(name) for name in _FINDINGS])
        self._coverage.take(summary.gaps)
        self._profiles.update(summary.profiles)

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Write the workbook."""
        from xlsxwriter.exceptions import FileCreateError, FileSizeError

        for waiting in self._waiting.values():
            with waiting:
                waiting.seek(0)
                for row in waiting:
                    self._work.write(_work_cells(json.loads(row)))
        for about in self._about:
            self._tables.write(about)
        for sentence in (*say_gaps(self._coverage.gaps()), say_profiles(self._profiles)):
            self._tables.write((None, sentence, None))
        for sheet in (self._work, self._findings, self._claims, self._tables):
            sheet.finish()
        try:
            self._book.close()
        except FileSizeError:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG)) from None
        except FileCreateError as error:
            (why,) = error.args
            raise why from None
        finally:
            self._folder.cleanup()

    def _add_group(self, entries: Sequence[Entry], before: int, path: str) -> None:
        """The findings of one claim, or of one part above the claims; the worst goes to the work list."""
        first = self._findings.rows + 1
        for entry in entries:
            self._findings.write(_finding_cells(entry, before + entry.number, path))
        for severity in self._waiting:
            for entry in entries:
                if entry.finding["severity"] == severity:
                    self._wait(severity, _work_row(entry, len(entries), first, path))
                    return

    def _wait(self, severity: str, row: dict[str, Any]) -> None:
        self._waiting[severity].write(json.dumps(row) + "\n")


def _group_of(entry: Entry) -> tuple[int, str, str]:
    where = entry.finding["where"]
    return (entry.number, "", "") if entry.number else (0, str(where["transaction"]), where["loop"][:5])


def _work_row(entry: Entry, findings: int, first: int, path: str) -> dict[str, Any]:
    finding, label = entry.finding, entry.claim
    box = box_of_fix(finding, entry.excerpt.text if entry.excerpt is not None else "")
    days = _DAY.findall(label.dates) if label is not None else []
    return {
        "patient": label.patient if label is not None else "",
        "first day": days[0] if days else "",
        "last day": days[-1] if days else "",
        "payer": label.payer if label is not None else "",
        "claim": finding["where"]["claim"] if entry.number else _say_affected(finding),
        "charge": entry.cents if entry.number else None,
        "verdict": words_of(entry.outcome),
        "what is wrong": first_sentence(finding["message"]),
        "what to do": f"Box {box}: {finding['fix']}" if box else finding["fix"],
        "findings": [findings, first],
        "file": path,
    }


def _work_cells(row: dict[str, Any]) -> list[Cell]:
    cells: list[Cell] = []
    for name in _WORK:
        value = row.get(name)
        if name == "charge" and value is not None:
            value = Money(value)
        elif name == "findings" and value is not None:
            value = Link(value[0], "Findings", value[1])
        elif name in ("first day", "last day"):
            value = _day_of(value)
        cells.append(value)
    return cells


def _finding_cells(entry: Entry, claim_row: int, path: str) -> list[Cell]:
    finding, label = entry.finding, entry.claim
    where, table = finding["where"], finding["table"]
    claim = where["claim"] if entry.number else _say_affected(finding)
    return [
        Link(claim, "Claims", claim_row if entry.number else 0),
        label.patient if label is not None else None,
        finding["severity"],
        finding["message"],
        finding["fix"],
        where["line"],
        entry.code,
        finding["rule"],
        f"{where['loop']} {where['element'] or where['segment']}".strip(),
        where["position"],
        finding["citation"],
        f"{table['name']} {table['version']}" if table else None,
        path,
    ]


def _say_affected(finding: dict[str, Any]) -> str:
    count = finding.get("affects_count", 0)
    return f"{count:,} claim{'' if count == 1 else 's'}"


def _day_of(text: str | None) -> date | str | None:
    """A day as Excel counts them, from 1900-03-01 on; an earlier one as text."""
    return date.fromisoformat(text) if text and text >= "1900-03-01" else text


class _Sheet:
    """A sheet whose rows are written once, in order; `rows` counts them with the header."""

    def __init__(self, book: Workbook, name: str, columns: dict[str, int]) -> None:
        self._sheet = book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        print_across(self._sheet, 0)
        top = {"valign": "top", "text_wrap": True}
        # As text to Excel too, whoever edits the cell.
        self._text = book.add_format(top | {"num_format": "@"})
        self._number = book.add_format(top)
        self._money = book.add_format(top | {"num_format": "$#,##0.00"})
        self._day = book.add_format(top | {"num_format": "yyyy-mm-dd", "align": "left"})
        self._link = book.add_format(top | {"num_format": "@", "font_color": "#0563C1", "underline": 1})
        self._count_link = book.add_format(top | {"font_color": "#0563C1", "underline": 1})
        head = book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1})
        for at, (column, width) in enumerate(columns.items()):
            self._sheet.set_column(at, at, width)
            self._sheet.write_string(0, at, column.capitalize(), head)
        self._columns = len(columns)
        self._links = self._beyond = 0
        self.rows = 1

    def write(self, cells: Sequence[Cell]) -> None:
        """The next row; one that does not fit is counted."""
        if self.rows >= MOST_ROWS - 1:
            self._beyond += 1
        else:
            for at, cell in enumerate(cells):
                self._cell(at, cell)
        self.rows += 1

    def finish(self) -> None:
        """Say what did not fit, and let the rows be filtered."""
        last = min(self.rows, MOST_ROWS - 1)
        if self._beyond:
            self._sheet.write_string(last, 0, f"and {self._beyond:,} more rows", self._text)
        self._sheet.autofilter(0, 0, last - 1, self._columns - 1)

    def _cell(self, at: int, cell: Cell) -> None:
        sheet, row = self._sheet, self.rows
        if isinstance(cell, Link):
            text, count = (self._text, self._number)
            if 0 < cell.row < MOST_ROWS and self._links < MOST_LINKS:
                self._links += 1
                sheet.write_url(row, at, f"internal:'{cell.sheet}'!A{cell.row}", self._link, "there")
                text, count = self._link, self._count_link
            # In place of the text that a link brings along.
            if isinstance(cell.value, int):
                sheet.write_number(row, at, cell.value, count)
            else:
                sheet.write_string(row, at, _plain(cell.value), text)
        elif isinstance(cell, Money):
            sheet.write_number(row, at, cell.cents / 100, self._money)
        elif isinstance(cell, date):
            sheet.write_datetime(row, at, cell, self._day)
        elif isinstance(cell, int):
            sheet.write_number(row, at, cell, self._number)
        elif cell:
            sheet.write_string(row, at, _plain(cell), self._text)


def _plain(text: str) -> str:
    """The text as one cell can hold it: without what is not seen, cut where it is too long."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    if len(text) * 2 <= MOST_UNITS:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MOST_UNITS:
        return text
    return units[: 2 * (MOST_UNITS - 3)].decode("utf-16-le", "ignore") + "..."


def print_across(sheet: Worksheet, head: int) -> None:
    """Print it across the page, all columns on one, the row of headings on each."""
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.set_footer("&L&A&R&P / &N")
