"""The report for GitHub Actions: a workflow command a finding, which GitHub shows beside the file."""

from __future__ import annotations

from typing import TextIO

from edi_checker.files.names import escape
from edi_checker.reports.file_lines import FileLines
from edi_checker.reports.findings_log import FindingsLog, Summary, say_unlisted

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


class GithubReport:
    """Writes a line for each finding of each file to `out`; nothing is kept."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        lines = FileLines(summary.path)
        if summary.reason is not None:
            self._say("error", summary.path, 1, "not checked", summary.reason)
        for entry in journal.entries():
            finding = entry.finding
            claim = f" in claim {finding['where']['claim']}" if entry.number else ""
            said = f"{finding['message']} {finding['fix']}".strip()
            level, title = _LEVELS[finding["severity"]], f"{finding['rule']}{claim}"
            self._say(level, summary.path, lines.line(entry.ordinal), title, said)
        for rule, count in sorted(summary.unlisted.items()):
            self._say("warning", summary.path, 1, rule, say_unlisted(rule, count))

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        """Nothing is left to write."""

    def _say(self, level: str, path: str, line: int, title: str, message: str) -> None:
        place = f"file={_property(path)},line={line},title={_property(title)}"
        self._out.write(f"::{level} {place}::{_data(message)}\n")


def _data(text: str) -> str:
    # Line breaks are escaped to GitHub's own form; what else a terminal would obey is shown as its escape.
    broken = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escape(broken)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
