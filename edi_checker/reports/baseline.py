"""Findings of an earlier report, which are not reported again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import Any, TextIO

from edi_checker.reports.json_report import SCHEMA, read_parts
from edi_checker.x12.finding import Finding

_LONGEST = 1 << 24  # characters of one value of the report, or of one line
_MOST = 5_000_000  # findings: each takes about 100 bytes of memory


class NoBaseline(Exception):
    """The file cannot be read, or is no report of findings; the message says why."""


class Baseline:
    """The findings of an earlier report by file: claim, rule, line, element and message of each.

    A finding that stood there once is known once: a second one like it is new.
    """

    def __init__(self) -> None:
        self._known: dict[str, Counter[bytes]] = {}
        self._paths: dict[str, list[str]] = {}  # by the name of the file

    def note_file(self, path: str) -> None:
        """Add a file, whether it had findings or not."""
        if path not in self._known:
            self._known[path] = Counter()
            self._paths.setdefault(_name(path), []).append(path)

    def note(self, path: str, finding: dict[str, Any]) -> None:
        """Add a finding as the JSON report has it. Raises KeyError, TypeError, AttributeError."""
        where = finding["where"]
        key = _digest(finding["rule"], where["claim"], where["line"], where["element"], finding["message"])
        self.note_file(path)
        self._known[path][key] += 1

    def of(self, path: str) -> Known:
        """What is known of the file of this path, else of those of its name, wherever they lay."""
        paths = [path] if path in self._known else self._paths.get(_name(path), [])
        return Known(sum((self._known[each] for each in paths), Counter()))


class Known:
    """The findings of one input that are known."""

    def __init__(self, known: Counter[bytes]) -> None:
        self._left = known

    def is_new(self, finding: Finding) -> bool:
        """Whether a finding is none of those that are known; each of these is found once."""
        where = finding.where
        key = _digest(finding.rule, where.claim, where.line, where.element, finding.message)
        if self._left[key] <= 0:
            return True
        self._left[key] -= 1
        return False


def read_baseline(path: Path) -> Baseline:
    """Read a JSON or NDJSON report of ours, however large. Raises NoBaseline."""
    baseline = Baseline()
    try:
        with path.open(encoding="ascii") as file:
            for number, (name, finding) in enumerate(_findings(file)):
                if number >= _MOST:
                    raise NoBaseline(f"it has more than {_MOST:,} files and findings")
                if finding is None:
                    baseline.note_file(name)
                else:
                    baseline.note(name, finding)
    except OSError as error:
        raise NoBaseline(error.strerror or str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoBaseline("it is no JSON or NDJSON report of findings") from None
    return baseline


def _findings(file: TextIO) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each finding with the path of its file, and each file with None. Raises ValueError, and what a value of
    another form raises.
    """
    begin = file.read(64)
    file.seek(0)
    if not begin.lstrip().startswith('{"path"'):
        yield from _of_json(file)
        return
    while line := file.readline(_LONGEST):
        found = json.loads(line)
        if "unlisted" not in found:
            yield found["path"], found


def _of_json(file: TextIO) -> Iterator[tuple[str, dict[str, Any] | None]]:
    path, schema = "", None
    for name, text in read_parts(file, longest=_LONGEST):
        if name == "schema":
            schema = json.loads(text)
        elif schema != SCHEMA:
            raise ValueError("not a report of ours")
        elif name == "path":
            path = json.loads(text)
            yield path, None
        elif name == "findings":
            yield path, json.loads(text)
    if schema != SCHEMA:
        raise ValueError("not a report of ours")


def _name(path: str) -> str:
    """The last part of a path, of a member of an archive too."""
    return PurePath(path.rpartition("!")[2]).name


def _digest(*parts: str | int | None) -> bytes:
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()
