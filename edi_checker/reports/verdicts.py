"""The shortest report: one line for each file, what becomes of it."""

from __future__ import annotations

from typing import TextIO

from edi_checker.files.names import escape
from edi_checker.reports.findings_log import FindingsLog, Summary
from edi_checker.reports.verdict import say_file


class VerdictsReport:
    """Writes a line for each file to `out`; nothing is kept, and findings are not listed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        words = say_file(summary.outcome, summary.sums.claims["rejected"], summary.claims)
        reason = f": {escape(summary.reason)}" if summary.reason is not None else ""
        self._out.write(f"{escape(summary.path)}: {words}{reason}\n")

    def skip(self, summary: Summary) -> None:
        """Write the line of a file of a folder that is no claim file."""
        self._out.write(f"{escape(summary.path)}: skipped: {escape(summary.reason or '')}\n")

    def finish(self) -> None:
        """Nothing is left to write."""
