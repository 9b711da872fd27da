"""The report for CI servers: JUnit XML, one test case a claim."""

from __future__ import annotations

import json
import re
import tempfile
from typing import IO, TextIO
from xml.sax.saxutils import escape, quoteattr  # nosec B406  # writes, and reads nothing

from edi_checker.reports.findings_log import (
    IN_MEMORY,
    Entry,
    FindingsLog,
    Summary,
    say_unlisted,
)

# What XML 1.0 cannot hold.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIECE = 1 << 16  # characters


class JunitReport:
    """Writes a suite for each file to `out` at the end; until then they wait in a temporary file, because the
    numbers of all stand in front.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._suites: IO[str] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed by finish
            IN_MEMORY, "w+", encoding="utf-8", newline="\n"
        )
        self._tests = self._failures = self._errors = 0

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        above = [entry for entry in journal.entries() if not entry.number]
        cases = summary.claims + bool(above) + (summary.reason is not None)
        rejected = any(entry.finding["severity"] == "error" for entry in above)
        failures = summary.sums.claims["rejected"] + rejected
        errors = summary.sums.claims["not_checked"] + (summary.reason is not None)
        self._tests += cases
        self._failures += failures
        self._errors += errors
        write = self._suites.write
        name = _attribute(summary.path)
        write(
            f'<testsuite name={name} tests="{cases}" failures="{failures}" errors="{errors}" skipped="0">\n'
        )
        if summary.reason is not None:
            write(_case(summary.path, "the file", _failing("error", "not checked", summary.reason)))
        if above:
            write(_case(summary.path, "outside of the claims", _result(above, rejected=rejected)))
        self._claims(journal, summary.path)
        more = "\n".join(say_unlisted(rule, count) for rule, count in sorted(summary.unlisted.items()))
        if more:
            write(f"<system-out>{_text(more)}</system-out>\n")
        write("</testsuite>\n")

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        out = self._out
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        numbers = f'tests="{self._tests}" failures="{self._failures}" errors="{self._errors}"'
        out.write(f'<testsuites name="edi-checker" {numbers}>\n')
        with self._suites as suites:
            suites.seek(0)
            while piece := suites.read(_PIECE):
                out.write(piece)
        out.write("</testsuites>\n")

    def _claims(self, journal: FindingsLog, path: str) -> None:
        """A case for each claim, with the findings that stand with it in the journal."""
        entries = (entry for entry in journal.entries() if entry.number)
        waiting = next(entries, None)
        for number, (claim, _, outcome, _) in enumerate(journal.claims(), 1):
            found = []
            while waiting is not None and waiting.number == number:
                found.append(waiting)
                waiting = next(entries, None)
            name = json.loads(claim) or f"claim {number:,} of the file, without a number"
            if outcome == "not_checked":
                result = _failing("error", "not checked", "") + _notes(found)
            else:
                result = _result(found, rejected=outcome == "rejected")
            self._suites.write(_case(path, name, result))


def _case(path: str, name: str, result: str) -> str:
    start = f"<testcase classname={_attribute(path)} name={_attribute(name)}"
    return f"{start}>{result}</testcase>\n" if result else f"{start}/>\n"


def _result(found: list[Entry], *, rejected: bool) -> str:
    """The failure of what is rejected, with its errors; other findings as a note."""
    errors = [entry for entry in found if entry.finding["severity"] == "error"]
    others = [entry for entry in found if entry.finding["severity"] != "error"]
    if not rejected:
        return _notes(found)
    if not errors:
        # What is above a claim may reject it; its own findings may be in the baseline or too many to list.
        return _failing("failure", "rejected", "See the findings outside of the claims.") + _notes(others)
    first = errors[0].finding
    details = "\n".join(_say(entry) for entry in errors)
    return _failing("failure", first["rule"], details, first["message"]) + _notes(others)


def _failing(tag: str, kind: str, details: str, message: str = "") -> str:
    return f"<{tag} type={_attribute(kind)} message={_attribute(message or kind)}>{_text(details)}</{tag}>"


def _notes(found: list[Entry]) -> str:
    return f"<system-out>{_text(chr(10).join(map(_say, found)))}</system-out>" if found else ""


def _say(entry: Entry) -> str:
    finding = entry.finding
    where = finding["where"]
    place = f"{where['loop']} {where['element'] or where['segment']}".strip()
    line = f"line {where['line']} " if where["line"] is not None else ""
    return f"{finding['severity']} {finding['rule']}, {line}{place}: {finding['message']} {finding['fix']}"


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("\ufffd", text))


def _text(text: str) -> str:
    return escape(_NO_XML.sub("\ufffd", text))
