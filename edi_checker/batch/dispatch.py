"""The inputs of a batch given to workers, whole or in ranges, and what becomes of each put on record."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, BinaryIO, cast

from edi_checker.batch.findings import Form
from edi_checker.batch.joining import JoinedInput
from edi_checker.batch.memory import least_that_matters
from edi_checker.batch.ranges import RANGE, Answers, Irregular, Range, check_range, cut_ranges
from edi_checker.batch.remembering import HistoryOfWorker, Remembering, run_of
from edi_checker.batch.resume import DoneInputs, Record, record_of
from edi_checker.batch.workers import Died, Done, Said, Workers
from edi_checker.check.checker import Checked, Checker, take_handfuls
from edi_checker.check.engine import Engine, Kind
from edi_checker.check.redact import Redactor
from edi_checker.claims.minutes import MinutesError
from edi_checker.facts import HistoryUnreadable
from edi_checker.files.inputs import Input, Reading, Unreadable
from edi_checker.history import HistorySource, InputHistory
from edi_checker.reports.baseline import Baseline, Known
from edi_checker.rules import Rulebook
from edi_checker.run import Files, Limits, Output, Result, TookTooLong, Watcher, check_input, with_minutes
from edi_checker.state import HistoryRun, Past
from edi_checker.x12.blocks import read_blocks

_ON_PYTHON = 2  # deaths over one task after which the Python engine takes it
# Deaths over one task after which its input is given up: over a range, and over an input in one piece.
_MOST_DEATHS = (100, 10)
_AHEAD = 4  # ranges for each worker that are cut and not yet joined
_OFTEN = 1 << 20  # bytes between two words of a worker about its progress
_PATIENCE = 0.5  # seconds between two looks at the progress


@dataclass(frozen=True, slots=True)
class Settings:
    """How a batch is run.

    `options` is whatever else than checker, rules and inputs decides what is found. With a `redactor` all
    that is written holds its tokens in place of what identifies; what another one wrote cannot be gone on
    with. `history` is what earlier files billed; what stood in the `baseline` is not reported again.
    """

    workers: int
    findings: Form
    resume: bool
    options: Mapping[str, Any]
    redactor: Redactor | None = None
    debug: bool = False
    range_size: int = RANGE
    limits: Limits = field(default_factory=Limits)
    baseline: Baseline | None = None
    history: HistorySource | None = None


@dataclass(slots=True)
class _Task:
    """An input, or a range of it, to be checked.

    `deaths` counts the workers that did not survive it; `past` is the history that a range is held against.
    """

    index: int
    range: Range | None = None
    deaths: int = 0
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class _Reply:
    """A task's result, None where a worker came to none; `note` is that of the engine, `run` what an input
    leaves in the history.
    """

    result: Result | Answers | None
    note: str
    run: HistoryRun | None = None


@dataclass(slots=True)
class _Cut:
    """An input that is checked in ranges."""

    reading: Reading
    ranges: Iterator[Range]
    joined: JoinedInput
    output: Output
    look: Callable[[], None]  # at the time that is left, as of Limits.timer
    history: InputHistory | None = None
    # Ranges that are not joined yet, with their answers where these have come, and the place of the reading
    # behind each.
    answered: dict[int, tuple[Range, Answers]] = field(default_factory=dict)
    places: deque[int] = field(default_factory=deque)
    next: int = 0

    def close(self) -> None:
        self.reading.close()
        self.output.close()


class Batch:
    """One run over many inputs.

    deaths    workers that died at work and were replaced
    resumed   inputs that needed no checking, as it was noted
    notes     what engines had to say, each once

    `checker` is used here for everything but deciding; each worker makes an engine of its own.
    """

    def __init__(
        self,
        checker: Checker,
        rulebook: Rulebook,
        files: Files,
        done_inputs: DoneInputs,
        settings: Settings,
    ) -> None:
        self._checker = checker
        self._rulebook = rulebook
        self._files = files
        self._done_inputs = done_inputs
        self._settings = settings
        self._least = least_that_matters(rulebook.rules)
        self._inputs: Sequence[Input] = ()
        self._names: Sequence[str] = ()
        self._records: dict[int, Record] = {}
        self._history: Remembering | None = None
        if settings.history is not None:
            self._history = Remembering(settings.history, checker.setting.received, files.version)
        # What is judged in this process must not end it: durable is C.
        self._own = cache(lambda: self._with_engine("python"))
        # What is to be done: tasks that were lost, the input that is being cut, the first one not begun.
        self._again: deque[_Task] = deque()
        self._cutting: int | None = None
        self._next = 0
        self._cuts: dict[int, _Cut] = {}
        # Bytes of inputs at work, and bytes and claims of those that are done.
        self._positions: dict[int, int] = {}
        self._bytes = 0
        self._claims = 0
        self.deaths = 0
        self.resumed = 0
        self.notes: set[str] = set()

    @property
    def claims(self) -> int:
        """Claims checked so far, those of inputs still at work included."""
        return self._claims + sum(cut.output.journal.noted for cut in self._cuts.values())

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
            with Workers[_Task](
                min(self._settings.workers, max(1, self._most_tasks())), self._make_work
            ) as workers:
                while True:
                    while workers.idle and (task := self._next_task()) is not None:
                        workers.give(task)
                    # While they are at work.
                    joined = self._join_next()
                    while (record := self._records.pop(given, None)) is not None:
                        given += 1
                        yield record
                    look()
                    if workers.busy:
                        for event in workers.events(0 if joined else _PATIENCE):
                            self._take(event)
                    elif not joined and not self._again:
                        break
        finally:
            for cut in self._cuts.values():
                cut.close()
            self._cuts.clear()

    # -- in the workers

    def _make_work(self) -> Callable[[_Task, Callable[[object], None]], _Reply]:
        # The minutes beside an input are read once for its ranges that fall to this worker.
        last: list[tuple[int, Checker]] = []
        checkers: dict[Kind, Checker] = {}
        past = HistoryOfWorker(self._settings.history, self._checker.setting.received)

        def work(task: _Task, say: Callable[[object], None]) -> _Reply:
            kind: Kind = "python" if task.deaths >= _ON_PYTHON else self._checker.engine.kind
            if kind not in checkers:
                checkers[kind] = self._with_engine(kind)
            checker = checkers[kind]
            result: Result | Answers | None = None
            history: InputHistory | None = None
            # Whatever happens to a range: the whole input is tried then, and that reports it.
            with suppress(Exception):
                if task.range is None:
                    history = past.of_input()
                    result = self._check_whole(checker, task.index, say, history)
                else:
                    if not last or last[0][0] != task.index or last[0][1].engine is not checker.engine:
                        last[:] = [(task.index, with_minutes(checker, self._inputs[task.index]))]
                    result = check_range(last[0][1], task.range, self._least, past.of_range(task.past))
            return _Reply(result, checker.engine.note, run_of(history))

        return work

    def _with_engine(self, kind: Kind) -> Checker:
        return replace(self._checker, engine=Engine(self._rulebook, kind))

    def _check_whole(
        self, checker: Checker, index: int, say: Callable[[object], None], history: InputHistory | None
    ) -> Result | None:
        said = 0

        def tell(position: int) -> None:
            nonlocal said
            if position - said >= _OFTEN:
                said = position
                say(position)

        try:
            return check_input(
                checker,
                self._inputs[index],
                self._names[index],
                report=None,
                files=self._files,
                watcher=Watcher(tell, _do_nothing, self._crash),
                redactor=self._settings.redactor,
                limits=self._settings.limits,
                history=history,
                known=self._known(index),
            )
        except Exception as error:  # noqa: BLE001  # no input may end the run of the others
            self._crash(error)
            return None

    def _crash(self, error: Exception) -> None:
        if self._settings.debug:
            traceback.print_exception(error)

    # -- what is to be done

    def _most_tasks(self) -> int:
        return sum(1 + (source.size or 0) // self._settings.range_size for source in self._inputs)

    def _next_task(self) -> _Task | None:
        if self._again:
            return self._again.popleft()
        while True:
            if self._cutting is not None:
                if sum(len(cut.places) for cut in self._cuts.values()) >= _AHEAD * self._settings.workers:
                    return None
                return self._cut_on(self._cutting)
            if self._next >= len(self._inputs):
                return None
            index = self._next
            self._next += 1
            source = self._inputs[index]
            record = self._done_inputs.find(source, self._names[index])
            if record is not None:
                self.resumed += 1
                self._finish(index, record)
                self._remember_next()
            elif not self._open(index):
                return _Task(index)

    def _open(self, index: int) -> bool:
        """Begin to cut an input, where it is large enough to be worth it."""
        source = self._inputs[index]
        # A page shows claims side by side with those above and below: it is made in one piece.
        if self._files.page or source.size is None or source.size < 2 * self._settings.range_size:
            return False
        try:
            checker = with_minutes(self._own(), source)
            history = self._history.begin(source) if self._history is not None else None
            reading = source.open()
        except (Unreadable, MinutesError, HistoryUnreadable):
            return False
        ranges = cut_ranges(read_blocks(cast(BinaryIO, reading), checker.bounds), self._settings.range_size)
        joined, look = JoinedInput(checker, self._least, history), self._settings.limits.timer()
        self._cuts[index] = _Cut(reading, ranges, joined, self._output(index), look, history)
        self._cutting = index
        return True

    def _output(self, index: int) -> Output:
        return Output(
            self._checker,
            self._inputs[index],
            self._names[index],
            files=self._files,
            watcher=Watcher(_ignore, _do_nothing, self._crash),
            redactor=self._settings.redactor,
            limits=self._settings.limits,
            known=self._known(index),
        )

    def _known(self, index: int) -> Known | None:
        """The findings of the baseline for this input."""
        baseline = self._settings.baseline
        return baseline.of(self._inputs[index].path) if baseline is not None else None

    def _cut_on(self, index: int) -> _Task:
        """The next range; the input in one piece where it cannot be cut."""
        cut = self._cuts[index]
        try:
            given = next(cut.ranges)
        except Exception as error:  # noqa: BLE001  # whatever it is: the whole input is tried, and that reports it
            return self._whole(index, error)
        if given.following is None:
            self._cutting = None
        cut.places.append(cut.reading.position())
        return _Task(index, given, past=cut.history.past if cut.history is not None else None)

    def _whole(self, index: int, error: Exception | None = None) -> _Task:
        """The input in one piece, whatever was done of it already."""
        if error is not None and not isinstance(error, Irregular):
            self._crash(error)
        self._cuts.pop(index).close()
        if self._cutting == index:
            self._cutting = None
        self._positions.pop(index, None)
        return _Task(index)

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
            self._take_reply(task, cast(_Reply, event.result))

    def _take_reply(self, task: _Task, reply: _Reply) -> None:
        if reply.note:
            self.notes.add(reply.note)
        if task.range is None:
            if isinstance(reply.result, Result):
                self._note(task.index, reply.result, reply.run)
            else:
                self._give_up(task.index, "internal error")
        elif isinstance(reply.result, Answers):
            self._cuts[task.index].answered[task.range.number] = (task.range, reply.result)
        else:
            self._again.append(self._whole(task.index))

    def _join_next(self) -> bool:
        """Join one range, the next of an input; whether there was one."""
        for index, cut in self._cuts.items():
            if cut.next in cut.answered:
                self._join(index, cut, *cut.answered.pop(cut.next))
                return True
        return False

    def _join(self, index: int, cut: _Cut, given: Range, answers: Answers) -> None:
        try:
            for handful in take_handfuls(cut.joined.join(given, answers), Checked.length):
                cut.output.add(handful)
                cut.look()
        except TookTooLong as error:
            self._give_up(index, str(error))
            return
        except Exception as error:  # noqa: BLE001  # as above
            self._again.append(self._whole(index, error))
            return
        cut.next += 1
        self._positions[index] = cut.places.popleft()
        if given.following is None:
            result = cut.output.finish(
                "", sha256=cut.reading.digest(), tally=cut.joined.tally(), gaps=cut.joined.gaps()
            )
            self._cuts.pop(index).close()
            self._note(index, result, run_of(cut.history))

    def _give_up(self, index: int, reason: str) -> None:
        """Report an input that cannot be checked."""
        if index in self._cuts:
            self._whole(index)
        with self._output(index) as output:
            self._note(index, output.finish(reason))

    def _note(self, index: int, result: Result, run: HistoryRun | None = None) -> None:
        """Put an input on record, where its claims are remembered behind those before it."""
        if self._history is None or not self._history.keeps:
            self._note_now(index, result)
            return
        self._history.wait(index, result, run)
        self._remember_next()

    def _remember_next(self) -> None:
        """Put inputs on record as far as all before them are."""
        history = self._history
        while history is not None and (ready := history.take_turn()) is not None:
            result = history.remember(ready, self._inputs[ready])
            if result is None:
                self._again.append(_Task(ready))
                return
            self._note_now(ready, result)

    def _note_now(self, index: int, result: Result) -> None:
        name = self._names[index]
        record = record_of(self._inputs[index], name, result)
        self._done_inputs.note(record)
        self.notes.update(f"{record.path}: {note}" for note in result.notes)
        self._claims += result.summary.claims
        self._finish(index, record)

    def _finish(self, index: int, record: Record) -> None:
        self._positions.pop(index, None)
        self._bytes += self._inputs[index].size or 0
        self._records[index] = record
        if self._history is not None:
            self._history.finish(index)


def _do_nothing() -> None:
    pass


def _ignore(_position: int) -> None:
    pass
