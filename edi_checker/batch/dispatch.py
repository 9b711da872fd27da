"""The inputs of a batch given to workers, whole or in ranges, and what becomes of each put on record."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, Protocol, Self, cast

from edi_checker.batch.joining import JoinedInput
from edi_checker.batch.ranges import Answers, Irregular, Range, cut_ranges
from edi_checker.batch.remembering import Remembering, run_of
from edi_checker.batch.resume import DoneInputs, Record, record_of
from edi_checker.batch.tasks import Equipment, Reply, Settings, Task
from edi_checker.batch.workers import Died, Done, Said, Workers
from edi_checker.check.checker import take_handfuls
from edi_checker.claims.checked import Checked
from edi_checker.facts import HistoryUnreadable
from edi_checker.files.inputs import Input, Reading, Unreadable
from edi_checker.run.history import InputHistory
from edi_checker.run.one_input import Files, Output, Result, TookTooLong, Watcher, with_minutes
from edi_checker.run.setting import Made
from edi_checker.state import HistoryRun, Past
from edi_checker.x12.blocks import read_blocks

# Deaths over one task after which its input is given up: over a range, and over an input in one piece.
_MOST_DEATHS = (100, 10)
_AHEAD = 4  # ranges for each worker that are cut and not yet joined
_PATIENCE = 0.5  # seconds between two looks at the progress


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


class Crew(Protocol):
    """Who does the tasks; see workers.Workers."""

    @property
    def idle(self) -> bool: ...

    @property
    def busy(self) -> bool: ...

    def give(self, task: Task) -> None: ...

    def events(self, seconds: float) -> Iterator[Said[Task] | Done[Task] | Died[Task]]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


# Gives a crew for so many tasks at a time.
Hire = Callable[[int, Equipment], Crew]


class Batch:
    """One run over many inputs.

    deaths    workers that died at work and were replaced
    resumed   inputs that needed no checking, as it was noted
    notes     what engines had to say, each once

    `checker` is used here for everything but deciding; each worker makes an engine of its own. `hire` gives
    the crew, without it processes of this machine.
    """

    def __init__(
        self,
        made: Made,
        files: Files,
        done_inputs: DoneInputs,
        settings: Settings,
        hire: Hire | None = None,
    ) -> None:
        self._equipment = Equipment(made, files, settings)
        self._checker = made.checker
        self._files = files
        self._done_inputs = done_inputs
        self._settings = settings
        self._hire = hire
        self._inputs: Sequence[Input] = ()
        self._names: Sequence[str] = ()
        self._records: dict[int, Record] = {}
        self._history: Remembering | None = None
        if settings.history is not None:
            self._history = Remembering(settings.history, made.checker.setting.received, files.version)
        # What is judged in this process must not end it: durable is C.
        self._own = cache(lambda: self._equipment.with_engine("python"))
        # What is to be done: tasks that were lost, the input that is being cut, the first one not begun.
        self._again: deque[Task] = deque()
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
            with self._hire_crew(min(self._settings.workers, max(1, self._most_tasks()))) as workers:
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

    def _hire_crew(self, size: int) -> Crew:
        if self._hire is not None:
            return self._hire(size, self._equipment)
        return Workers[Task](size, self._equipment.make_work)

    # -- what is to be done

    def _most_tasks(self) -> int:
        return sum(1 + (source.size or 0) // self._settings.range_size for source in self._inputs)

    def _next_task(self) -> Task | None:
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
                return self._task(index)

    def _task(self, index: int, given: Range | None = None, past: Past | None = None) -> Task:
        return Task(index, self._inputs[index], self._names[index], given, past=past)

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
        except (Unreadable, HistoryUnreadable):
            return False
        ranges = cut_ranges(read_blocks(cast(BinaryIO, reading), checker.bounds), self._settings.range_size)
        joined, look = JoinedInput(checker, self._equipment.least, history), self._settings.limits.timer()
        self._cuts[index] = _Cut(reading, ranges, joined, self._output(index), look, history)
        self._cutting = index
        return True

    def _output(self, index: int) -> Output:
        return Output(
            self._checker,
            self._inputs[index],
            self._names[index],
            files=self._files,
            watcher=Watcher(crash=self._equipment.crash),
            redactor=self._settings.redactor,
            limits=self._settings.limits,
            known=self._equipment.known(self._inputs[index]),
        )

    def _cut_on(self, index: int) -> Task:
        """The next range; the input in one piece where it cannot be cut."""
        cut = self._cuts[index]
        try:
            given = next(cut.ranges)
        except Exception as error:  # noqa: BLE001  # whatever it is: the whole input is tried, and that reports it
            return self._whole(index, error)
        if given.following is None:
            self._cutting = None
        cut.places.append(cut.reading.position())
        return self._task(index, given, cut.history.past if cut.history is not None else None)

    def _whole(self, index: int, error: Exception | None = None) -> Task:
        """The input in one piece, whatever was done of it already."""
        if error is not None and not isinstance(error, Irregular):
            self._equipment.crash(error)
        self._cuts.pop(index).close()
        if self._cutting == index:
            self._cutting = None
        self._positions.pop(index, None)
        return self._task(index)

    # -- what has been done

    def _take(self, event: Said[Task] | Done[Task] | Died[Task]) -> None:
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
            self._take_reply(task, cast(Reply, event.result))

    def _take_reply(self, task: Task, reply: Reply) -> None:
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
                self._again.append(self._task(ready))
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
