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
    "claim": "CLM01; empty outside of a claim",
    "patient": "name of the patient",
    "message": "what is wrong",
    "fix": "what to do",
    "severity": "error, warning or info",
    "rule": "id of the rule",
    "code": "procedure code of the service line",
    "line": "ordinal of the service line in the claim, from 1",
    "service_dates": "first and last day of service of the claim",
    "payer": "name of the payer",
    "claim_outcome": "rejected or not_checked, if that was known when the claim was read",
    "claim_charge": "CLM02 in dollars; empty outside of a claim",
    "path": "the file, as named",
    "interchange": "ISA13",
    "group": "GS06",
    "transaction": "ST02",
    "snip": "SNIP type, 1 to 7",
    "loop": "its place, as the guide writes it",
    "segment": "id of the segment",
    "position": "count of the segment in ST..SE, ST = 1; 0 in the envelope",
    "element": "NM109, or SV101-3 for a component",
    "source": "what says so",
    "table": "name and release of the table that decided",
    "see_also": "other places that it speaks of, by semicolons",
    "status_277ca": "codes of the 277CA, by blanks",
    "status_999": "codes of the 999, by blanks",
    "status_ta1": "note of the TA1",
}
"""The columns in order, and their contents; docs/reports.md lists them too."""

_FORMULA = ("=", "+", "-", "@")
# What Excel shows as it stands: up to eleven digits, none of which it would leave out.
_PLAIN_NUMBER = re.compile(r"(?!-0\Z)-?(?=[0-9.]{1,11}\Z)(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
# What Excel takes for another value: numbers of another look, powers of ten, days, times and truth values.
_TAKEN = re.compile(
    r"[^A-Z0-9]*+[0-9][^A-Z]*+(E[-+]?[0-9]+)?"
    r"|[-/., 0-9]*+(JAN(UARY)?|FEB(RUARY)?|MAR(CH)?|APR(IL)?|MAY|JUNE?|JULY?|AUG(UST)?|SEPT?(EMBER)?"
    r"|OCT(OBER)?|NOV(EMBER)?|DEC(EMBER)?)[-/., 0-9]*"
    r"|[0-9]{1,2}[: ][0-9: .]*[AP]M?"
    r"|TRUE|FALSE"
)


class CsvReport:
    """Writes a header and a row for each finding of each file to `out`; nothing is kept.

    RFC 4180, with lines that end in CRLF, UTF-8 with a byte order mark; `out` must take any character and
    leave line ends as they are. What a spreadsheet would run as a formula, or would take for a number or day
    that it shows in another way, gets an apostrophe in front of it; so does what begins with one. Control
    characters become blanks.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        out.write(MARK)
        self._rows = csv.writer(out, lineterminator="\r\n")
        self._rows.writerow(COLUMNS)

    def follow(self, journal: FindingsLog) -> None:
        """Write the rows of what was found since the last call, while the file is still read."""
        for entry in journal.new_entries():
            self._rows.writerow(_values(journal.path, entry))
        self._out.flush()

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        """Write one file's last rows; a file without findings leaves none."""
        self.follow(journal)
        for rule, count in sorted(summary.unlisted.items()):
            told = {"path": summary.path, "rule": rule, "message": say_unlisted(rule, count)}
            self._rows.writerow([_safe(told.get(column, "")) for column in COLUMNS])

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Nothing is left to write."""


def _values(path: str, entry: Entry) -> list[str]:
    finding, label = entry.finding, entry.claim
    where, status, table = finding["where"], finding["status"], finding["table"]
    inside = entry.number > 0
    place = [_safe(_text(where[key])) for key in ("interchange", "group", "transaction")]
    return [
        _safe(_text(where["claim"])),
        _safe(label.patient if label is not None else ""),
        _safe(finding["message"]),
        _safe(finding["fix"]),
        finding["severity"],
        finding["rule"],
        _safe(entry.code),
        _text(where["line"]),
        label.dates if label is not None else "",
        _safe(label.payer if label is not None else ""),
        entry.own if inside and entry.own != "accepted" else "",
        dollars(entry.cents) if inside and entry.cents is not None else "",
        _safe(path),
        *place,
        str(finding["snip"]),
        _safe(where["loop"]),
        _safe(where["segment"]),
        str(where["position"]),
        _safe(_text(where["element"])),
        _safe(finding["citation"]),
        _safe(f"{table['name']} {table['version']}" if table else ""),
        _safe("; ".join(_place(place) for place in finding["related"])),
        _safe(" ".join(status.get("277CA", ()))),
        _safe(" ".join(status.get("999", ()))),
        _safe(status.get("TA1", "")),
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
    """The text as a cell that holds nothing but text, and shows it as it stands."""
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    # Spreadsheets take the full width forms for the plain ones, and look past blanks.
    start = unicodedata.normalize("NFKC", text[:64]).strip().upper()
    if not start or _PLAIN_NUMBER.fullmatch(text):
        return text
    guarded = start.startswith((*_FORMULA, "'")) or (len(text) <= 64 and _TAKEN.fullmatch(start))
    return f"'{text}" if guarded else text


_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
