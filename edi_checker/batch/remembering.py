"""The history in a batch: each process has its ledger, and one remembers the inputs in their order."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edi_checker.files.inputs import Input
from edi_checker.run.history import MOST_TRIES, HistorySource, InputHistory, Leaving, Opener, remember
from edi_checker.run.one_input import Result
from edi_checker.state import AlreadyAnswered, HistoryRun, Overtaken, Past, StateError

T = TypeVar("T")


class HistoryOfWorker:
    """Makes the history of each input or range that falls to this process; None where none is asked for."""

    def __init__(self, source: HistorySource | None, received: int) -> None:
        self._source = source
        self._received = received
        self._ledger = Opener(source) if source is not None else None

    def of_input(self) -> InputHistory | None:
        if self._source is None or self._ledger is None:
            return None
        return self._source.begin(self._ledger, self._received)

    def of_range(self, past: Past | None) -> InputHistory | None:
        if self._source is None or self._ledger is None or past is None:
            return None
        return InputHistory(self._source.secret, self._ledger, self._received, past=past, notes=True)


def run_of(history: InputHistory | None) -> HistoryRun | None:
    """What an input leaves that was checked to its end."""
    return history.run() if history is not None and history.keeps and history.past is not None else None


@dataclass(frozen=True, slots=True)
class _Waiting:
    result: Result
    run: HistoryRun | None


class Remembering:
    """The history in the process that puts inputs on record: the claims of each are remembered when those of
    all before it are, so that what is found does not depend on who was faster.

    No connection stays open here from one step to the next: workers are forked from this process.
    """

    def __init__(self, source: HistorySource, received: int, setting: str) -> None:
        self.keeps = source.keeps
        self._source = source
        self._received = received
        self._setting = setting
        self._ledger = Opener(source)
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._waiting: dict[int, _Waiting] = {}
        self._finished: set[int] = set()
        self._turn = 0
        self._tries: dict[int, int] = {}

    def begin(self, source: Input) -> InputHistory:
        """The history of an input that is cut. Raises Unreadable and HistoryUnreadable."""
        history = _BetweenForks(self._source.secret, self._ledger, self._received, keeps=self.keeps)
        history.begin(source)
        return history

    def wait(self, index: int, result: Result, run: HistoryRun | None) -> None:
        """An input was checked; its turn comes when all before it are on record."""
        self._waiting[index] = _Waiting(result, run)

    def finish(self, index: int) -> None:
        """An input is on record."""
        self._finished.add(index)
        while self._turn in self._finished:
            self._finished.remove(self._turn)
            self._turn += 1

    def take_turn(self) -> int | None:
        """The input whose turn it is, where it has been checked."""
        return self._turn if self._turn in self._waiting else None

    def remember(self, index: int, source: Input) -> Result | None:
        """The result of an input that is remembered, None where it must be checked again: another one was
        remembered meanwhile that has to do with it.
        """
        result, run = self._waiting[index].result, self._waiting.pop(index).run
        summary = result.summary
        if run is None or result.troubles or summary.outcome == "not_checked" or summary.sha256 is None:
            return result
        name = Path(source.path).name
        leaving = Leaving(name, source.size or 0, summary.sha256, self._setting, run)
        try:
            remember(self._ledger(), self._owner, leaving)
        except (AlreadyAnswered, Overtaken):
            self._tries[index] = self._tries.get(index, 0) + 1
            if self._tries[index] < MOST_TRIES:
                return None
            return _not_remembered(result, "others changed the history each time while it was checked")
        except StateError as error:
            return _not_remembered(result, str(error))
        finally:
            self._ledger.let_go()
        return result


def _not_remembered(result: Result, why: str) -> Result:
    return replace(result, troubles=(*result.troubles, f"its claims are not remembered: {why}"))


class _BetweenForks(InputHistory):
    """Lets go of the database behind each reading."""

    def _reading(self, read: Callable[[], T]) -> T:
        try:
            return super()._reading(read)
        finally:
            if isinstance(self._ledger, Opener):
                self._ledger.let_go()
