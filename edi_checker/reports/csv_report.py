"""The report for spreadsheets: one finding a row."""

from __future__ import annotations

import csv
import re
import unicodedata
from typing import Any, TextIO

from edi_checker.reports.findings_log import Entry, FindingsLog, Summary, say_unlisted
from edi_checker.x12.money import dollars

# Excel takes a file without it for the local code page; every other reader of UTF-8 passes over it.
MARK = "\ufeff"

COLUMNS = {
    "path": "the file, as named",
    "interchange": "ISA13",
    "group": "GS06",
    "transaction": "ST02",
    "claim": "CLM01",
    "claim_outcome": "accepted, rejected or not_checked; empty outside of a claim",
    "claim_charge": "CLM02 in dollars; empty outside of a claim",
    "line": "ordinal of the service line in the claim, from 1",
    "severity": "error, warning or info",
    "rule": "id of the rule",
    "snip": "SNIP type, 1 to 7",
    "loop": "its place, as the guide writes it",
    "segment": "id of the segment",
    "position": "count of the segment in ST..SE, ST = 1; 0 in the envelope",
    "element": "NM109, or SV101-3 for a component",
    "message": "what is wrong",
    "fix": "what to do",
    "source": "what says so",
    "table": "name and release of the table that decided",
    "see_also": "other places that it speaks of, by semicolons",
    "status_277ca": "codes of the 277CA, by blanks",
    "status_999": "codes of the 999, by blanks",
    "status_ta1": "note of the TA1",
}
"""The columns in order, and their contents; docs/reports.md lists them too."""

_FORMULA = ("=", "+", "-", "@")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class CsvReport:
    """Writes a header and a row for each finding of each file to `out`; nothing is kept.

    RFC 4180, with lines that end in CRLF, UTF-8 with a byte order mark; `out` must take any character and
    leave line ends as they are. What a spreadsheet would run as a formula gets an apostrophe in front of it,
    and control characters become blanks.
    """

    def __init__(self, out: TextIO) -> None:
        out.write(MARK)
        self._rows = csv.writer(out, lineterminator="\r\n")
        self._rows.writerow(COLUMNS)

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        """Write one file's rows; a file without findings leaves none."""
        for entry in journal.entries():
            self._rows.writerow([_safe(value) for value in _values(summary.path, entry)])
        for rule, count in sorted(summary.unlisted.items()):
            told = {"path": summary.path, "rule": rule, "message": say_unlisted(rule, count)}
            self._rows.writerow([_safe(told.get(column, "")) for column in COLUMNS])

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Nothing is left to write."""


def _values(path: str, entry: Entry) -> list[str]:
    finding = entry.finding
    where, status, table = finding["where"], finding["status"], finding["table"]
    inside = entry.number > 0
    return [
        path,
        *(_text(where[key]) for key in ("interchange", "group", "transaction", "claim")),
        entry.outcome if inside else "",
        dollars(entry.cents) if inside and entry.cents is not None else "",
        _text(where["line"]),
        finding["severity"],
        finding["rule"],
        str(finding["snip"]),
        *(_text(where[key]) for key in ("loop", "segment", "position", "element")),
        finding["message"],
        finding["fix"],
        finding["citation"],
        f"{table['name']} {table['version']}" if table else "",
        "; ".join(_place(place) for place in finding["related"]),
        " ".join(status.get("277CA", ())),
        " ".join(status.get("999", ())),
        status.get("TA1", ""),
    ]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _place(place: dict[str, Any]) -> str:
    words = []
    if "received" in place:
        words.append(f"file received {place['received']} interchange {place['interchange']}")
    if place["claim"] is not None:
        words.append(f"claim {place['claim']}")
    if place["line"] is not None:
        words.append(f"line {place['line']}")
    words.append(f"{place['loop']} {place['element'] or place['segment']}".strip())
    return " ".join(words)


def _safe(text: str) -> str:
    """The text as a cell that holds nothing but text."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    # Spreadsheets take the full width forms for the plain ones, and look past blanks.
    start = unicodedata.normalize("NFKC", text[:64]).lstrip()[:1]
    return f"'{text}" if start in _FORMULA and start and not _PLAIN_NUMBER.fullmatch(text) else text


_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
