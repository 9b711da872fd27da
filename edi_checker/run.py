"""One input from its first byte to its place in the report and the last of its files, whatever it holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from edi_checker.acks import Acknowledger, Answers
from edi_checker.checker import Checker
from edi_checker.guide import Composite, Guide
from edi_checker.minutes import MinutesError, read_minutes
from edi_checker.output import open_text, write_whole
from edi_checker.reports.journal import Journal, Summary, Tally
from edi_checker.reports.json_report import JsonReport
from edi_checker.source import Input, Unreadable
from edi_checker.x12 import NotX12

_OFTEN = 256  # parts between two calls of `tick`


class Report(Protocol):
    """Takes one file after the other; see edi_checker.reports."""

    def add(self, journal: Journal, summary: Summary) -> None: ...


@dataclass(frozen=True, slots=True)
class Files:
    """What is written into `folder` for each input: NAME.json, and the answers where `acks` is True."""

    folder: Path
    acks: bool
    version: str

    def paths(self, name: str) -> list[Path]:
        """Every file that may be written for the input of this name."""
        return [self.folder / f"{name}.{ending}" for ending in ("json", "999", "277ca", "ta1")]


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told of the work on an input: `position` of the reading now and then, `ended` when it is over
    and nothing has been written yet, `crash` of an error of ours.
    """

    position: Callable[[int], None]
    ended: Callable[[], None]
    crash: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an input. `troubles` says, a sentence each, what could not be written and why."""

    summary: Summary
    troubles: tuple[str, ...]


def check_input(
    checker: Checker, source: Input, name: str, *, report: Report, files: Files | None, watcher: Watcher
) -> Result:
    """Check one input and write all that is to be written of it; `name` is that of its files.

    Never raises for what the input holds: then it is not checked, and the reason stands in the summary.
    Raises OSError, BrokenPipeError among them, where the report itself cannot be written.
    """
    acknowledger = None
    if files is not None and files.acks:
        acknowledger = Acknowledger(checker.circumstances.received, _element_numbers(checker.guide))
    with Journal(source.path) as journal:
        try:
            sha256, failure = _read(checker, source, journal, acknowledger, watcher)
        finally:
            watcher.ended()
        summary = journal.end(sha256=sha256, tally=_tally(checker), failure=failure)
        troubles: list[str] = []
        if files is not None:
            # An input that breaks off is not answered: an answer to a part would pass for one to the whole.
            troubles += _write(
                files.folder / f"{name}.json", watcher, _json_of(checker, files, journal, summary)
            )
            if acknowledger is not None:
                troubles += _answer(acknowledger, bool(failure), files, name, watcher)
        report.add(journal, summary)
    return Result(summary, tuple(troubles))


def _read(
    checker: Checker, source: Input, journal: Journal, acknowledger: Acknowledger | None, watcher: Watcher
) -> tuple[str | None, str]:
    """Pass the input through; its SHA-256, and why it could not be checked to its end, "" where it was."""
    failure = ""
    try:
        checker = _with_minutes(checker, source)
        with source.open() as reading:
            try:
                for count, checked in enumerate(checker.check(cast(BinaryIO, reading))):
                    journal.add(checked)
                    if acknowledger is not None:
                        acknowledger.add(checked)
                    if count % _OFTEN == 0:
                        watcher.position(reading.position())
            except (Unreadable, NotX12) as error:
                failure = str(error)
            return reading.digest(), failure
    except (Unreadable, MinutesError) as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001  # no input may end the run of the others
        return None, _name_crash(error, watcher)


def _name_crash(error: Exception, watcher: Watcher) -> str:
    watcher.crash(error)
    # The type alone: the message of an unexpected error may quote the input.
    return f"internal error ({type(error).__name__})"


def _with_minutes(checker: Checker, source: Input) -> Checker:
    """The checker with the minutes file beside the input, where none was given for the whole run."""
    if checker.circumstances.minutes is not None or source.minutes is None:
        return checker
    return replace(
        checker, circumstances=replace(checker.circumstances, minutes=read_minutes(source.minutes))
    )


def _answer(
    acknowledger: Acknowledger, withhold: bool, files: Files, name: str, watcher: Watcher
) -> list[str]:
    """Write the answers that there are, and take away those of an earlier run that no longer hold."""
    troubles: list[str] = []
    answers = Answers(None, None, None)
    try:
        answers = acknowledger.finish()
        troubles += () if withhold else answers.withheld
    except Exception as error:  # noqa: BLE001  # as above
        troubles.append(f"no answers: {_name_crash(error, watcher)}")
    try:
        for ending, answer in (("999", answers.ack999), ("277ca", answers.ack277ca), ("ta1", answers.ta1)):
            writer = None if withhold else _copy_of(answer)
            troubles += _write(files.folder / f"{name}.{ending}", watcher, writer)
    finally:
        answers.close()
    return troubles


Writer = Callable[[BinaryIO], None]


def _copy_of(answer: IO[bytes] | None) -> Writer | None:
    if answer is None:
        return None
    return lambda out: shutil.copyfileobj(answer, out)


def _json_of(checker: Checker, files: Files, journal: Journal, summary: Summary) -> Writer:
    def write(out: BinaryIO) -> None:
        with open_text(out) as text:
            report = JsonReport(
                text,
                version=files.version,
                received=checker.circumstances.received,
                tables=list(checker.circumstances.tables.versions()),
            )
            report.add(journal, summary)
            report.finish()

    return write


def _write(path: Path, watcher: Watcher, writer: Writer | None) -> list[str]:
    """Write the file, or take it away where there is no writer; the sentence of what went wrong."""
    try:
        if writer is None:
            path.unlink(missing_ok=True)
        else:
            with write_whole(path) as out:
                writer(out)
    except OSError as error:
        return [f"{path} cannot be written: {error.strerror}"]
    except Exception as error:  # noqa: BLE001  # as above
        return [f"{path} is not written: {_name_crash(error, watcher)}"]
    return []


def _tally(checker: Checker) -> Tally:
    tally = checker.engine.tally()
    return Tally(tally.rules, tally.applied, tally.not_in_force)


@cache
def _element_numbers(guide: Guide) -> Callable[[str, str], str]:
    """Loop and element (`2010AA`, `NM109`) to the X12 number of the data element, "" where unknown."""
    numbers: dict[str, str] = {}
    here: dict[tuple[str, str], str] = {}
    for segment in (*guide.segments, *guide.envelope.values()):
        for item in segment.elements:
            inside = item.components if isinstance(item, Composite) else ()
            for ref, number in ((item.ref, item.number), *((each.ref, each.number) for each in inside)):
                here[segment.loop, ref] = number
                numbers.setdefault(ref, number)
    return lambda loop, ref: here.get((loop, ref)) or numbers.get(ref, "")
