"""Which inputs of a batch are done, noted next to their outputs, so that a run can go on where it stopped."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from edi_checker.facts.coverage import Beyond
from edi_checker.files.folder import digest_of
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.files.output import open_own
from edi_checker.reports.stakes import Stake
from edi_checker.run.one_input import Result
from edi_checker.x12.money import dollars

FILE = ".edi-checker-batch.jsonl"
_SCHEMA = "edi-checker/batch/1"
_LONGEST = 1 << 26  # bytes of one line that are read back


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an input that is done.

    Money in cents; `rules` are severity, rule id, findings; `gaps` the values of each facts.Gap, as `stakes`
    are where they are read back; `hidden` and
    `skipped` as of findings_log.Summary.
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
    outputs: dict[str, str]
    minutes: str | None
    troubles: list[str]
    stakes: list[Stake] = field(default_factory=list)
    hidden: int = 0
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


def record_of(source: Input, name: str, result: Result) -> Record:
    """The record of an input whose outputs have been written."""
    summary = result.summary
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
        gaps=list(summary.gaps),
        outputs=dict(result.outputs),
        minutes=_digest_of(source.minutes),
        troubles=list(result.troubles),
        stakes=list(summary.stakes),
        hidden=summary.hidden,
        skipped=summary.skipped,
    )


class DoneInputs:
    """What one run notes of the inputs that are done, in a file of its output folder.

    `digest` stands for all options that decide what is found: what was noted under another one is forgotten,
    and so is everything where `resume` is False. `trouble` says why notes cannot be written. Raises OSError.
    """

    def __init__(self, folder: Path, digest: str, header: dict[str, Any], *, resume: bool) -> None:
        handle = open_own(folder / FILE, os.O_RDWR | os.O_CREAT)
        self._file: IO[bytes] = os.fdopen(handle, "r+b", buffering=0)
        self.trouble = ""
        try:
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
        self._write({each.name: getattr(record, each.name) for each in fields(record)})

    def find(self, source: Input, name: str) -> Record | None:
        """The record of an input that need not be checked again.

        It is the same to the last byte, and so are its minutes and its outputs.
        """
        record = self._records.get((source.path, name))
        if record is None or record.sha256 is None or record.troubles or record.size != source.size:
            return None
        if any(digest_of(self._folder / file) != digest for file, digest in record.outputs.items()):
            return None
        if record.minutes != _digest_of(source.minutes):
            return None
        return record if _content_digest(source) == record.sha256 else None

    def _write(self, row: Mapping[str, Any]) -> None:
        """Add a line. Where that fails no more are added, for half a line would hide those behind it, and no
        later run goes on from what is not noted.
        """
        line = json.dumps(row).encode() + b"\n"
        why: str | None = None
        try:
            if not self.trouble and self._file.write(line) != len(line):
                why = os.strerror(errno.ENOSPC)
        except OSError as error:
            why = error.strerror
        if why:
            self.trouble = f"{self._folder / FILE}: cannot be written: {why}"


def read_header(folder: Path) -> dict[str, Any]:
    """What the run noted at its begin whose notes are in this folder; {} where there are none."""
    with contextlib.suppress(OSError), os.fdopen(open_own(folder / FILE, os.O_RDONLY), "rb") as file:
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
