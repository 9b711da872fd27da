"""The work list: a row for each claim that needs work or a look, which opens the claim's card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import IO, NamedTuple, TextIO

from edi_checker.reports.boxes import box_of_fix
from edi_checker.reports.findings_log import Entry, FindingsLog
from edi_checker.reports.html.markup import Content, Element, append, head_of, shorten, tag, write
from edi_checker.reports.verdict import first_sentence
from edi_checker.x12.finding import SEVERITIES
from edi_checker.x12.money import show_dollars

MOST_ROWS = 3_000
MOST_PRINTED = 200  # rows beside which the cards are printed too
MOST_TEXT = 4_000_000  # characters of all rows
_NAMED = 4  # claims below a fault that a row names
COLUMNS = ("To do", "Patient", "Date of service", "Payer", "Claim", "Charge", "What is wrong")
_NUMERIC = ("Charge",)
SECTION = '<section class="work-list" id="work-list">\n'  # with which the list begins
_TO_DO = {"error": "Fix", "warning": "Check"}


class Card(NamedTuple):
    """The id of a card on the page, and the patient or subscriber whom a part above the claims names."""

    anchor: str
    person: str


class _Row(NamedTuple):
    """One claim, or one part above the claims, with its findings; the gravest is said."""

    entries: list[Entry]
    first: int  # of its findings in the file, from 0
    gravest: Entry

    @property
    def severity(self) -> str:
        return str(self.gravest.finding["severity"])


class WorkList:
    """Takes the findings of one file after the other; `write` puts the rows with errors first.

    `make_spool` makes the temporary files in which the rows wait, `mark_of` gives the class of a rule's
    findings.
    """

    def __init__(self, make_spool: Callable[[], IO[str]], mark_of: Callable[[str], str]) -> None:
        self._rows = {severity: make_spool() for severity in _TO_DO}
        self._mark_of = mark_of
        self._text = 0
        self.counts = dict.fromkeys(_TO_DO, 0)
        self.left_out = 0

    def add(self, journal: FindingsLog, cards: Mapping[int, Card]) -> None:
        """Take a file; `cards` has the cards by the number of their first finding in it, from 0."""
        for row in _rows_of(journal):
            if row.severity not in _TO_DO:
                continue
            self.counts[row.severity] += 1
            if sum(self.counts.values()) > MOST_ROWS or self._text > MOST_TEXT:
                self.left_out += 1
                continue
            text = write(self._lay_out(row, cards.get(row.first)))
            self._text += len(text)
            self._rows[row.severity].write(text)

    def write(self, out: TextIO, pour: Callable[[IO[str], TextIO], None]) -> None:
        """Write the section, nothing without rows; the temporary files go."""
        if any(self.counts.values()):
            rows_of_all = (partial(pour, rows) for rows in self._rows.values())
            write_section(out, rows_of_all, self.counts, self.left_out)
        for rows in self._rows.values():
            rows.close()

    @property
    def is_long(self) -> bool:
        return is_long(self.counts)

    def _lay_out(self, row: _Row, card: Card | None) -> Element:
        entry = row.gravest
        finding, where = entry.finding, entry.finding["where"]
        marks = sorted({self._mark_of(each.finding["rule"]) for each in row.entries})
        label = entry.claim
        patient: Content = label.patient if label is not None else None
        name: Content = shorten(where["claim"] or "without a number", 60) if entry.number else None
        if not entry.number:
            patient = card.person if card else ""
            name = _affected(entry) or part_of(where)
        opens = tag("a", name, href=f"#{card.anchor}") if card else name
        cells = (
            ("", tag("span", _TO_DO[row.severity], class_=f"tag {row.severity}"), None),
            ("", patient, None),
            ("", label.dates if label is not None else None, None),
            ("", label.payer if label is not None else None, None),
            ("", opens, None),
            ("number", show_dollars(entry.cents) if entry.cents is not None else None, str(entry.cents or 0)),
        )
        element = tag("tr", class_=" ".join(("finding", row.severity, *marks)))
        for column, (kind, content, key) in zip(COLUMNS, cells, strict=False):
            element.append(tag("td", content, class_=kind or None, data_key=key, data_label=column))
        element.append(
            self._what(row, finding, box_of_fix(finding, entry.excerpt.text if entry.excerpt else ""))
        )
        return element

    @staticmethod
    def _what(row: _Row, finding: dict[str, str], box: str) -> Element:
        said = shorten(first_sentence(finding["message"]), 240)
        cell = tag("td", tag("span", f"{said}.", class_="fault"), data_label=COLUMNS[-1])
        if finding["fix"]:
            at = f"Box {box}: " if box else ""
            append(cell, tag("span", f"{at}{shorten(first_sentence(finding['fix']), 240)}.", class_="todo"))
        more = len(row.entries) - 1
        if more:
            append(cell, tag("span", f"and {more:,} more", class_="quiet"))
        return cell


def is_long(counts: Mapping[str, int]) -> bool:
    return sum(counts.values()) > MOST_PRINTED


def write_section(
    out: TextIO, rows: Iterable[Callable[[TextIO], object]], counts: Mapping[str, int], left_out: int
) -> None:
    """Write the work list with its rows; `counts` says how many there are by severity."""
    words = ["Each row opens its claim."]
    if counts["error"]:
        words.append("Fix: it comes back if you send it as it is.")
    if counts["warning"]:
        words.append("Check: it is accepted, but the payer may ask or deny.")
    out.write(SECTION)
    out.write(write(tag("h2", "Work list")))
    out.write(write(tag("p", " ".join(words), class_="quiet")))
    if is_long(counts):
        on_screen = "The cards of the claims are on the screen: this list is too long to print them."
        out.write(write(tag("p", on_screen, class_="on-paper")))
    out.write('<div class="scroll" tabindex="0" role="group" aria-label="Work list">')
    out.write(f'<table class="work cards sortable">{write(head_of(COLUMNS, _NUMERIC))}<tbody>\n')
    for write_rows in rows:
        write_rows(out)
    out.write("</tbody></table></div>\n")
    if left_out:
        out.write(write(tag("p", f"{left_out:,} more rows are not listed.", class_="quiet")))
    out.write("</section>\n")


def part_of(where: dict[str, str]) -> str:
    """The part of the file above the claims in which a finding stands, in words."""
    for name in ("transaction", "group"):
        if where[name]:
            return f"{name.capitalize()} {shorten(where[name], 20)}"
    return f"Interchange {shorten(where['interchange'], 20)}"


def _affected(entry: Entry) -> str:
    """The claims below a fault above them, in words."""
    count = entry.finding.get("affects_count", 0)
    if not count:
        return ""
    names = ", ".join(shorten(name or "without a number", 30) for name in entry.finding["affects"][:_NAMED])
    more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
    return names if count == 1 else f"{count:,} claims: {names}{more}"


def _rows_of(journal: FindingsLog) -> Iterator[_Row]:
    for _, group in groupby(enumerate(journal.entries()), lambda item: _part_key(item[1])):
        found = list(group)
        entries = [entry for _, entry in found]
        yield _Row(entries, found[0][0], min(entries, key=_gravity))


def _part_key(entry: Entry) -> tuple[object, ...]:
    if entry.number:
        return (entry.number,)
    where = entry.finding["where"]
    return where["interchange"], where["group"], where["transaction"], entry.below


def _gravity(entry: Entry) -> int:
    return SEVERITIES.index(entry.finding["severity"])
