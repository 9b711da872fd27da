"""Which inputs of a batch are done, noted next to their outputs, so that a run can go on where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from edi_checker.facts.coverage import Beyond
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.reports.findings_log import Summary
from edi_checker.x12.money import dollars

FILE = ".edi-checker-batch.jsonl"
_SCHEMA = "edi-checker/batch/1"
_LONGEST = 1 << 26  # bytes of one line that are read back


class Busy(Exception):
    """Another run works in this folder."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an input that is done.

    Money in cents; `rules` are severity, rule id, findings; `gaps` the values of each facts.Gap; `skipped` as
    of findings_log.Summary.
    """

    path: str
    name: str
    size: int | None
    sha256: str | None
    outcome: str
    reason: str | None
    counts: dict[str, int]
    cents: dict[str, int]
    rules: list[tuple[str, str, int]]
    gaps: list[tuple[str, str, Beyond, int, int, int]]
    outputs: dict[str, int]
    minutes: str | None
    troubles: list[str]
    skipped: bool = False

    def as_json(self) -> dict[str, Any]:
        """As the summary of a batch holds it."""
        return {
            "path": self.path,
            "name": self.name,
            "sha256": self.sha256,
            "outcome": self.outcome,
            "reason": self.reason,
            "counts": self.counts,
            "charges": {
                "total": dollars(sum(self.cents.values())),
                **{outcome: dollars(cents) for outcome, cents in self.cents.items()},
            },
            "troubles": self.troubles,
        }


def record_of(
    source: Input, name: str, summary: Summary, troubles: Iterable[str], outputs: Iterable[Path]
) -> Record:
    """The record of an input whose outputs have been written."""
    sums = summary.sums
    return Record(
        path=source.path,
        name=name,
        size=source.size,
        sha256=summary.sha256,
        outcome=summary.outcome,
        reason=summary.reason,
        counts={
            "interchanges": summary.interchanges,
            "groups": summary.groups,
            "transactions": summary.transactions,
            "claims": summary.claims,
            "lines": summary.lines,
            **{f"claims_{outcome}": count for outcome, count in sums.claims.items()},
            **{severity: summary.severities[severity] for severity in ("error", "warning", "info")},
        },
        cents={str(outcome): cents for outcome, cents in sums.cents.items()},
        rules=[(severity, rule, count) for (severity, rule), count in sorted(summary.rules.items())],
        gaps=[astuple(gap) for gap in summary.gaps],
        outputs=_sizes(outputs),
        minutes=_digest_of(source.minutes),
        troubles=list(troubles),
        skipped=summary.skipped,
    )


class Ledger:
    """The notes of one run, in a file of its output folder; held against other runs while it is open.

    `digest` stands for all options that decide what is found: what was noted under another one is forgotten,
    and so is everything where `resume` is False. Raises Busy, OSError.
    """

    def __init__(self, folder: Path, digest: str, header: dict[str, Any], *, resume: bool) -> None:
        handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        self._file: IO[bytes] = os.fdopen(handle, "r+b")
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Busy from None
            rows, end = _read_rows(self._file) if resume else ([], 0)
            kept = bool(rows) and rows[0].get("schema") == _SCHEMA and rows[0].get("digest") == digest
            self.forgotten = bool(rows) and not kept
            self._folder = folder
            self._records: dict[tuple[str, str], Record] = {}
            for row in rows[1:] if kept else []:
                with contextlib.suppress(TypeError):
                    record = Record(**row)
                    self._records[record.path, record.name] = record
            # A line that was cut off must not spoil those behind it.
            self._file.seek(end if kept else 0)
            self._file.truncate()
            if not kept:
                self._write({"schema": _SCHEMA, "digest": digest, **header})
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def note(self, record: Record) -> None:
        """Note that an input is done."""
        self._write(asdict(record))

    def find(self, source: Input, name: str) -> Record | None:
        """The record of an input that need not be checked again.

        It is the same to the last byte, and so are its minutes; its outputs are still there.
        """
        record = self._records.get((source.path, name))
        if record is None or record.sha256 is None or record.troubles or record.size != source.size:
            return None
        if record.outputs != _sizes(self._folder / output for output in record.outputs):
            return None
        if record.minutes != _digest_of(source.minutes):
            return None
        return record if _content_digest(source) == record.sha256 else None

    def _write(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row).encode() + b"\n")
        self._file.flush()


def read_header(folder: Path) -> dict[str, Any]:
    """What the run noted at its begin whose notes are in this folder; {} where there are none."""
    with contextlib.suppress(OSError), (folder / FILE).open("rb") as file:
        rows, _ = _read_rows(file, most=1)
        if rows and rows[0].get("schema") == _SCHEMA:
            return rows[0]
    return {}


def _read_rows(file: IO[bytes], most: int | None = None) -> tuple[list[dict[str, Any]], int]:
    """The lines up to the first that cannot be read, and where that one begins."""
    rows: list[dict[str, Any]] = []
    end = 0
    with contextlib.suppress(ValueError):
        while most is None or len(rows) < most:
            line = file.readline(_LONGEST)
            row = json.loads(line) if line.endswith(b"\n") else None
            if not isinstance(row, dict):
                break
            rows.append(row)
            end += len(line)
    return rows, end


def _sizes(files: Iterable[Path]) -> dict[str, int]:
    """Name and size of those files that are there."""
    found = {}
    for file in files:
        with contextlib.suppress(OSError):
            found[file.name] = file.stat().st_size
    return found


def _digest_of(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _content_digest(source: Input) -> str | None:
    try:
        with source.open() as reading:
            while reading.read():
                pass
            return reading.digest()
    except Unreadable:
        return None
