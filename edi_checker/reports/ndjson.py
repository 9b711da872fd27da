"""The report for streams: one finding a line, as in the JSON report, with the path of its file."""

from __future__ import annotations

import json
from typing import TextIO

from edi_checker.reports.findings_log import FindingsLog, Summary


class NdjsonReport:
    """Writes each finding of each file as one line to `out`; a file without findings leaves no line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        start = f'{{"path": {json.dumps(summary.path)}, '
        for finding in journal.findings():
            self._out.write(start + finding[1:] + "\n")

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Nothing is left to write."""
