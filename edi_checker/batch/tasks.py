"""The tasks of a batch, an input as a whole or a range of one, and how a process does them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from edi_checker.batch.findings import Form
from edi_checker.batch.ranges import RANGE, Answers, Range, check_range
from edi_checker.batch.remembering import HistoryOfWorker, run_of
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Kind
from edi_checker.check.redact import Redactor
from edi_checker.files.inputs import Input
from edi_checker.reports.baseline import Baseline, Known
from edi_checker.run.history import HistorySource, InputHistory
from edi_checker.run.one_input import Files, Limits, Result, Watcher, check_input, with_minutes
from edi_checker.run.setting import Made
from edi_checker.state import HistoryRun, Past

_ON_PYTHON = 2  # deaths over one task after which the Python engine takes it
_OFTEN = 1 << 20  # bytes between two words of a worker about its progress


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
class Task:
    """An input, or a range of it, to be checked; `index` counts the inputs, `name` is that of its files.

    `deaths` counts the workers that did not survive it; `past` is the history that a range is held against.
    """

    index: int
    source: Input
    name: str
    range: Range | None = None
    deaths: int = 0
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A task's result, None where a worker came to none; `note` is that of the engine, `run` what an input
    leaves in the history.
    """

    result: Result | Answers | None
    note: str
    run: HistoryRun | None = None


# Takes a task and a function that says something of it on the way, and gives its reply.
Work = Callable[[Task, Callable[[object], None]], Reply]

_MINUTES = "provider_minutes"  # the field of a therapy_day that adds up over claims


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a process needs for the tasks of a batch.

    `made.checker` is used for everything but deciding: each process makes engines of its own.
    """

    made: Made
    files: Files
    settings: Settings

    @property
    def least(self) -> int:
        """As of memory.RangeMemory."""
        return self.made.rulebook.least_asked(_MINUTES)

    def make_work(self) -> Work:
        """What does the tasks of this process, one after the other."""
        # The minutes beside an input are read once for its ranges that fall to this process.
        last: list[tuple[int, Checker]] = []
        checkers: dict[Kind, Checker] = {}
        past = HistoryOfWorker(self.settings.history, self.made.checker.setting.received)
        least = self.least

        def work(task: Task, say: Callable[[object], None]) -> Reply:
            kind: Kind = "python" if task.deaths >= _ON_PYTHON else self.made.checker.engine.kind
            if kind not in checkers:
                checkers[kind] = self.with_engine(kind)
            checker = checkers[kind]
            result: Result | Answers | None = None
            history: InputHistory | None = None
            # Whatever happens to a range: the whole input is tried then, and that reports it.
            with suppress(Exception):
                if task.range is None:
                    history = past.of_input()
                    result = self._check_whole(checker, task, say, history)
                else:
                    if not last or last[0][0] != task.index or last[0][1].engine is not checker.engine:
                        last[:] = [(task.index, with_minutes(checker, task.source))]
                    result = check_range(last[0][1], task.range, least, past.of_range(task.past))
            return Reply(result, checker.engine.note, run_of(history))

        return work

    def with_engine(self, kind: Kind) -> Checker:
        return replace(self.made.checker, engine=Engine(self.made.rulebook, kind))

    def known(self, source: Input) -> Known | None:
        """The findings of the baseline for this input."""
        baseline = self.settings.baseline
        return baseline.of(source.path) if baseline is not None else None

    def crash(self, error: Exception) -> None:
        if self.settings.debug:
            traceback.print_exception(error)

    def _check_whole(
        self, checker: Checker, task: Task, say: Callable[[object], None], history: InputHistory | None
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
                task.source,
                task.name,
                report=None,
                files=self.files,
                watcher=Watcher(tell, crash=self.crash),
                redactor=self.settings.redactor,
                limits=self.settings.limits,
                history=history,
                known=self.known(task.source),
            )
        except Exception as error:  # noqa: BLE001  # no input may end the run of the others
            self.crash(error)
            return None
