"""The report for programs: one JSON object, as report.schema.json describes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from edi_checker.reports.findings_log import FindingsLog, Summary
from edi_checker.reports.gaps import gaps_as_json, say_gaps
from edi_checker.x12.dates import iso
from edi_checker.x12.money import dollars

SCHEMA = "edi-checker/report/1"
_PIECE = 1 << 16  # characters read at once
_AT_ONCE = 100  # rows: to write each by itself would take longer than to make it


class JsonReport:
    """Writes one object to `out`, file by file; nothing is kept. The text is ASCII.

    `received` is CCYYMMDD; `tables` are name, version and rows of each table that decides.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        version: str,
        received: int,
        tables: list[tuple[str, str, int]],
    ) -> None:
        self._out = out
        self._files = 0
        self._skipped: list[dict[str, str | None]] = []
        head = {
            "schema": SCHEMA,
            "version": version,
            "received": iso(received),
            "tables": [{"name": name, "version": release, "rows": rows} for name, release, rows in tables],
        }
        out.write(json.dumps(head)[:-1] + ', "files": [')

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        """Write one file's part."""
        out = self._out
        out.write(",\n" if self._files else "\n")
        self._files += 1
        sums = summary.sums
        head = {
            "path": summary.path,
            "sha256": summary.sha256,
            "outcome": summary.outcome,
            "reason": summary.reason,
            "notices": say_gaps(summary.gaps),
            "counts": {
                "interchanges": summary.interchanges,
                "groups": summary.groups,
                "transactions": summary.transactions,
                "claims": summary.claims,
                "lines": summary.lines,
                "claims_accepted": sums.claims["accepted"],
                "claims_rejected": sums.claims["rejected"],
                "claims_not_checked": sums.claims["not_checked"],
                "error": summary.severities["error"],
                "warning": summary.severities["warning"],
                "info": summary.severities["info"],
            },
            "charges": {
                "total": dollars(sum(sums.cents.values())),
                "accepted": dollars(sums.cents["accepted"]),
                "rejected": dollars(sums.cents["rejected"]),
            },
            "tally": summary.tally._asdict(),
            "profiles": dict(sorted(summary.profiles.items())),
            "not_covered": gaps_as_json(summary.gaps),
        }
        out.write(json.dumps(head)[:-1] + ',\n "claims": [')
        self._write_rows(
            f'{{"claim": {claim}, "transaction": {set_number}, "outcome": "{outcome}", "charge": "{charge}"}}'
            for claim, set_number, outcome, charge in journal.claims()
        )
        out.write('],\n "findings": [')
        self._write_rows(journal.findings())
        out.write('],\n "unlisted": ' + json.dumps(dict(sorted(summary.unlisted.items()))))
        # Only where there is a baseline.
        out.write(f', "hidden": {summary.hidden}}}' if summary.hidden else "}")

    def _write_rows(self, rows: Iterator[str]) -> None:
        between = "\n  "
        while piece := list(islice(rows, _AT_ONCE)):
            self._out.write(between + ",\n  ".join(piece))
            between = ",\n  "

    def skip(self, summary: Summary) -> None:
        """Note a file of a folder that is no claim file."""
        self._skipped.append({"path": summary.path, "reason": summary.reason})

    def finish(self) -> None:
        skipped = f',\n"skipped": {json.dumps(self._skipped)}' if self._skipped else ""
        self._out.write(f"]{skipped}}}\n")


def read_findings(file: TextIO) -> Iterator[str | tuple[str, int]]:
    """The text of each finding in such a report, of which no more than one is held, and behind those of a
    file the rules and numbers of the unlisted ones. Raises ValueError.
    """
    for name, value in read_parts(file):
        if name == "findings":
            yield value
        elif name == "unlisted":
            yield from json.loads(value).items()


def read_parts(file: TextIO, *, longest: int = sys.maxsize) -> Iterator[tuple[str, str]]:
    """Name and text of each value of such a report and of its files: of `claims` and `findings` each row by
    itself, of which no more than one is held. Raises ValueError, also where a value has far more than the
    `longest` characters.
    """
    text = _JsonText(file, longest)
    for name in text.members():
        if name != "files":
            yield name, text.value()
            continue
        for _ in text.items():
            for part in text.members():
                if part not in ("claims", "findings"):
                    yield part, text.value()
                    continue
                for _ in text.items():
                    yield part, text.value()


class _JsonText:
    """JSON read value by value from a file that may be larger than memory."""

    def __init__(self, file: TextIO, longest: int) -> None:
        self._file = file
        self._longest = longest
        self._text = ""
        self._at = 0
        self._scan = json.JSONDecoder().raw_decode

    def members(self) -> Iterator[str]:
        """The names in an object; the value of each must be read before the next."""
        for _ in self._entries("{", "}"):
            name = json.loads(self.value())
            self._expect(":")
            yield name

    def items(self) -> Iterator[None]:
        """Once for each item of a list; it must be read before the next."""
        return self._entries("[", "]")

    def value(self) -> str:
        """The text of the next value, whatever it is."""
        self._peek()
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except ValueError:
                if len(self._text) - self._at > self._longest or not self._more():
                    raise
                continue
            # A number may go on.
            if end < len(self._text) or not self._more():
                break
        value, self._at = self._text[self._at : end], end
        return value

    def _entries(self, opening: str, closing: str) -> Iterator[None]:
        self._expect(opening)
        if self._peek() != closing:
            yield
            while self._peek() == ",":
                self._at += 1
                yield
        self._expect(closing)

    def _expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise ValueError(f"{mark} expected in a report")
        self._at += 1

    def _peek(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at].isspace():
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _more(self) -> bool:
        piece = self._file.read(_PIECE)
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)
