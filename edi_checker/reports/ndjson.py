"""The report for streams: one finding a line, as in the JSON report, with the path of its file.

Behind the findings of a file, one line for each rule that has more than are listed.
"""

from __future__ import annotations

import json
from typing import TextIO

from edi_checker.reports.findings_log import FindingsLog, Summary, say_unlisted


class NdjsonReport:
    """Writes each finding of each file as one line to `out`; a file without findings leaves no line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def follow(self, journal: FindingsLog) -> None:
        """Write what was found since the last call, while the file is still read."""
        lines = [write_line(journal.path, finding) for finding in journal.new_findings()]
        if lines:
            self._out.writelines(lines)
            self._out.flush()

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        self.follow(journal)
        for each in sorted(summary.unlisted.items()):
            self._out.write(write_line(summary.path, each))

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Nothing is left to write."""


def write_line(path: str, found: str | tuple[str, int]) -> str:
    """The line of a finding (its JSON text), or of a rule and the number of its unlisted findings."""
    if not isinstance(found, str):
        rule, count = found
        found = json.dumps({"rule": rule, "message": say_unlisted(rule, count), "unlisted": count})
    return f'{{"path": {json.dumps(path)}, {found[1:]}\n'
