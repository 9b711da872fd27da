"""Many inputs, or very large ones, checked by several processes; what comes out is that of one process."""

from __future__ import annotations

import re
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from edi_checker.acks import Acknowledger
from edi_checker.batch.ledger import Ledger, Record, record_of
from edi_checker.batch.memory import JoinedMemory, Past, minutes_that_matter
from edi_checker.batch.range_check import RangeResult, check_range, put_together
from edi_checker.batch.ranges import RANGE, Irregular, Range, cut_ranges
from edi_checker.batch.workers import Died, Done, Said, Workers
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Kind, Met
from edi_checker.check.redact import Redactor
from edi_checker.facts import Coverage
from edi_checker.files.inputs import Input, Reading, Unreadable
from edi_checker.reports.findings_log import FindingsLog, Summary, Tally
from edi_checker.rules import Rulebook
from edi_checker.run import (
    Files,
    Watcher,
    check_input,
    make_acknowledger,
    make_exhibits,
    with_minutes,
    write_files,
)

__all__ = ["Batch", "clear_away"]

_ON_PYTHON = 2  # deaths over one task after which the Python engine takes it
# Deaths over one task after which its input is given up: over a range, and over an input in one piece.
_MOST_DEATHS = (100, 10)
_AHEAD = 4  # ranges for each worker that are cut and not yet put together
_OFTEN = 1 << 20  # bytes between two words of a worker about its progress
_PATIENCE = 0.5  # seconds between two looks at the progress


@dataclass(slots=True)
class _Task:
    """An input, or a range of it, to be checked.

    `past` is what the range must know of the claims before it, where that matters; `deaths` counts the
    workers that did not survive the task.
    """

    index: int
    range: Range | None
    past: Past | None = None
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a worker says of an input that it checked and whose files it wrote."""

    summary: Summary
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A task's result; None where a range cannot be checked by itself. `note` is that of the engine."""

    result: _Whole | RangeResult | None
    note: str


@dataclass(slots=True)
class _Cut:
    """An input that is checked in ranges, while its results are put together."""

    reading: Reading
    ranges: Iterator[Range]
    journal: FindingsLog
    acknowledger: Acknowledger | None
    memory: JoinedMemory
    # Results that are not put together yet, and the place of the reading behind each range.
    ready: dict[int, tuple[RangeResult, Range]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    # Ranges given out; those whose notes are in the memory; those that are put together.
    given: int = 0
    remembered: int = 0
    joined: int = 0
    met: Met = field(default_factory=Met)
    coverage: Coverage = field(default_factory=Coverage)

    def close(self) -> None:
        self.reading.close()
        self.journal.close()
        if self.acknowledger is not None:
            self.acknowledger.finish().close()


class Batch:
    """One run over many inputs.

    deaths    workers that died at work and were replaced
    resumed   inputs that needed no checking, by the ledger
    claims    claims checked so far, those of inputs still at work included
    notes     what engines had to say, each once

    `checker` is used here for everything but deciding; each worker makes an engine of its own. With a
    `redactor`, all that is written holds its tokens in place of what identifies.
    """

    def __init__(
        self,
        checker: Checker,
        rulebook: Rulebook,
        files: Files,
        ledger: Ledger,
        *,
        workers: int,
        redactor: Redactor | None = None,
        debug: bool = False,
        range_bytes: int = RANGE,
    ) -> None:
        self._checker = checker
        self._rulebook = rulebook
        self._files = files
        self._ledger = ledger
        self._workers = workers
        self._redactor = redactor
        self._debug = debug
        self._range_bytes = range_bytes
        self._matters = minutes_that_matter(rulebook.rules)
        self._inputs: Sequence[Input] = ()
        self._names: Sequence[str] = ()
        self._records: dict[int, Record] = {}
        self._again: deque[_Task] = deque()
        self._cuts: dict[int, _Cut] = {}
        self._cutting: int | None = None
        self._next = 0
        self._positions: dict[int, int] = {}
        self._bytes = 0
        self._going = 0  # claims of inputs that are put together at the moment
        self._done_claims = 0
        self.deaths = 0
        self.resumed = 0
        self.notes: set[str] = set()

    @property
    def claims(self) -> int:
        return self._done_claims + self._going

    @property
    def bytes(self) -> int:
        """Bytes done, in the measure of Input.size."""
        return self._bytes + sum(self._positions.values())

    def run(
        self, inputs: Sequence[Input], names: Sequence[str], look: Callable[[], None]
    ) -> Generator[Record, None, None]:
        """Check the inputs and write the files of each; gives their records in order, each once it is done.

        `look` is called now and then, to show the progress.
        """
        self._inputs, self._names = inputs, names
        given = 0
        try:
            with Workers[_Task](min(self._workers, max(1, self._most_tasks())), self._make_work) as crew:
                while True:
                    while crew.idle and (task := self._next_task()) is not None:
                        crew.give(task)
                    while (record := self._records.pop(given, None)) is not None:
                        given += 1
                        yield record
                    look()
                    if not crew.busy:
                        break
                    for event in crew.events(_PATIENCE):
                        self._take(event)
        finally:
            for cut in self._cuts.values():
                cut.close()
            self._cuts.clear()

    # -- in the workers

    def _make_work(self) -> Callable[[_Task, Callable[[object], None]], _Answer]:
        checkers: dict[Kind, Checker] = {}
        # The minutes beside an input are read once for its ranges that fall to this worker.
        last: list[tuple[int, Checker]] = []

        def checker_for(deaths: int) -> Checker:
            kind: Kind = "python" if deaths >= _ON_PYTHON else self._checker.engine.kind
            if kind not in checkers:
                checkers[kind] = replace(self._checker, engine=Engine(self._rulebook, kind))
            return checkers[kind]

        def work(task: _Task, say: Callable[[object], None]) -> _Answer:
            checker = checker_for(task.deaths)
            source = self._inputs[task.index]
            result: _Whole | RangeResult | None
            if task.range is None:
                result = self._check_whole(checker, source, self._names[task.index], say)
                return _Answer(result, checker.engine.note)
            try:
                if not last or last[0][0] != task.index or last[0][1].engine is not checker.engine:
                    last[:] = [(task.index, with_minutes(checker, source))]
                result = check_range(
                    last[0][1], task.range, task.past, acks=self._files.acks, redactor=self._redactor
                )
            except Exception:  # noqa: BLE001  # whatever it is: the whole input is tried, and that reports it
                result = None
            return _Answer(result, checker.engine.note)

        return work

    def _check_whole(
        self, checker: Checker, source: Input, name: str, say: Callable[[object], None]
    ) -> _Whole | None:
        said = 0

        def tell(position: int) -> None:
            nonlocal said
            if position - said >= _OFTEN:
                said = position
                say(position)

        watcher = Watcher(tell, _do_nothing, self._crash)
        try:
            result = check_input(
                checker,
                source,
                name,
                report=None,
                files=self._files,
                watcher=watcher,
                redactor=self._redactor,
            )
        except Exception as error:  # noqa: BLE001  # no input may end the run of the others
            self._crash(error)
            return None
        return _Whole(result.summary, result.troubles)

    def _crash(self, error: Exception) -> None:
        if self._debug:
            traceback.print_exception(error)

    # -- what is to be done

    def _most_tasks(self) -> int:
        return sum(1 + (source.size or 0) // self._range_bytes for source in self._inputs)

    def _next_task(self) -> _Task | None:
        if self._again:
            return self._again.popleft()
        while True:
            if self._cutting is not None:
                if sum(cut.given - cut.joined for cut in self._cuts.values()) >= _AHEAD * self._workers:
                    return None
                return self._cut_on(self._cutting)
            if self._next >= len(self._inputs):
                return None
            index = self._next
            self._next += 1
            source = self._inputs[index]
            record = self._ledger.find(source, self._names[index])
            if record is not None:
                self.resumed += 1
                self._finish(index, record)
            elif not self._open(index):
                return _Task(index, None)

    def _open(self, index: int) -> bool:
        """Begin to cut an input, where it is large enough to be worth it."""
        source = self._inputs[index]
        # A page shows claims side by side with those above and below: it is made in one piece.
        if self._files.page or source.size is None or source.size < 2 * self._range_bytes:
            return False
        try:
            reading = source.open()
        except Unreadable:
            return False
        acknowledger = make_acknowledger(self._checker) if self._files.acks else None
        ranges = cut_ranges(reading, self._range_bytes)
        memory = JoinedMemory(self._matters)
        self._cuts[index] = _Cut(reading, ranges, FindingsLog(source.path), acknowledger, memory)
        self._cutting = index
        return True

    def _cut_on(self, index: int) -> _Task:
        """The next range; the input in one piece where it cannot be cut."""
        cut = self._cuts[index]
        try:
            given = next(cut.ranges)
        except (Irregular, Unreadable):
            return self._whole(index)
        if given.last:
            self._cutting = None
        cut.given += 1
        cut.places[given.number] = cut.reading.position()
        return _Task(index, given)

    def _whole(self, index: int) -> _Task:
        """The input in one piece, whatever was done of it already."""
        self._cuts.pop(index).close()
        if self._cutting == index:
            self._cutting = None
        self._positions.pop(index, None)
        self._count_going()
        return _Task(index, None)

    # -- what has been done

    def _take(self, event: Said[_Task] | Done[_Task] | Died[_Task]) -> None:
        task = event.task
        if task.range is not None and task.index not in self._cuts:
            return  # of an input that is checked in one piece by now
        if isinstance(event, Said):
            self._positions[task.index] = event.what
        elif isinstance(event, Died):
            self.deaths += 1
            task.deaths += 1
            if task.deaths < _MOST_DEATHS[task.range is None]:
                self._again.append(task)
            else:
                self._give_up(task.index, f"the process that checked it ended {task.deaths} times")
        else:
            self._take_answer(task, cast(_Answer, event.result))

    def _take_answer(self, task: _Task, answer: _Answer) -> None:
        if answer.note:
            self.notes.add(answer.note)
        if task.range is None:
            if isinstance(answer.result, _Whole):
                self._note(task.index, answer.result.summary, answer.result.troubles)
            else:
                self._give_up(task.index, "internal error")
        elif isinstance(answer.result, RangeResult):
            cut = self._cuts[task.index]
            cut.ready[task.range.number] = (answer.result, task.range)
            self._remember(task.index, cut)
            self._join(task.index, cut)
        else:
            self._again.append(self._whole(task.index))

    def _remember(self, index: int, cut: _Cut) -> None:
        """Take the notes of ranges into the memory, in order; what they could change is checked again."""
        while cut.remembered in cut.ready:
            result, given = cut.ready[cut.remembered]
            past = cut.memory.add(result.noted)
            if past is None:
                cut.ready[given.number] = (result, replace(given, text=b""))
            else:
                del cut.ready[given.number]
                self._again.append(_Task(index, given, past))
            cut.remembered += 1

    def _join(self, index: int, cut: _Cut) -> None:
        """Put results together, in order, as far as they are there for good."""
        last = False
        while not last and cut.joined < cut.remembered and cut.joined in cut.ready:
            result, given = cut.ready.pop(cut.joined)
            try:
                put_together(result, cut.journal, cut.acknowledger)
            except (OSError, OverflowError):
                self._again.append(self._whole(index))
                return
            cut.met = cut.met.join(result.met)
            cut.coverage.take(result.gaps)
            self._positions[index] = cut.places.pop(cut.joined)
            cut.joined += 1
            last = given.last
        self._count_going()
        if last:
            self._end(index, cut)

    def _end(self, index: int, cut: _Cut) -> None:
        counted = cut.met.tally(self._checker.engine.tally().rules)
        tally = Tally(counted.rules, counted.applied, counted.not_in_force)
        summary = cut.journal.end(sha256=cut.reading.digest(), tally=tally, gaps=cut.coverage.gaps())
        acknowledger, cut.acknowledger = cut.acknowledger, None
        troubles = write_files(
            self._checker,
            cut.journal,
            summary,
            acknowledger,
            self._files,
            self._names[index],
            Watcher(_ignore, _do_nothing, self._crash),
            failed=False,
        )
        self._cuts.pop(index).close()
        self._note(index, summary, troubles)

    def _give_up(self, index: int, reason: str) -> None:
        """Report an input that cannot be checked."""
        if index in self._cuts:
            self._whole(index)
        source = self._inputs[index]
        with FindingsLog(source.path) as journal:
            summary = journal.end(failure=reason)
            troubles = write_files(
                self._checker,
                journal,
                summary,
                make_acknowledger(self._checker) if self._files.acks else None,
                self._files,
                self._names[index],
                Watcher(_ignore, _do_nothing, self._crash),
                failed=True,
                exhibits=make_exhibits() if self._files.page else None,
            )
        self._note(index, summary, troubles)

    def _note(self, index: int, summary: Summary, troubles: Sequence[str]) -> None:
        name = self._names[index]
        record = record_of(self._inputs[index], name, summary, troubles, self._files.paths(name))
        self._ledger.note(record)
        self._done_claims += summary.claims
        self._finish(index, record)

    def _finish(self, index: int, record: Record) -> None:
        self._positions.pop(index, None)
        self._bytes += self._inputs[index].size or 0
        self._records[index] = record
        self._count_going()

    def _count_going(self) -> None:
        self._going = sum(cut.journal.noted for cut in self._cuts.values())


def _do_nothing() -> None:
    pass


def _ignore(_position: int) -> None:
    pass


def clear_away(targets: Iterable[Path]) -> None:
    """Take away what writers of these files left half written when they were killed."""
    by_folder: dict[Path, set[str]] = {}
    for target in targets:
        by_folder.setdefault(target.parent, set()).add(target.name[:60])
    for folder, starts in by_folder.items():
        for file in folder.glob(".*.part"):
            found = re.fullmatch(r"\.(.+)\.[^.]+\.part", file.name)
            if found is not None and found[1] in starts:
                with suppress(OSError):
                    file.unlink()
