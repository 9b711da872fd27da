"""Worker processes that are watched: one that dies costs nothing, its task comes back."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Generic, NoReturn, TypeVar

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 3.0  # seconds that a worker is given to put its files away when the run is stopped

Task = TypeVar("Task")

# Takes a task and a function that says something of it on the way, and gives its result.
Work = Callable[[Any, Callable[[object], None]], object]


@dataclass(frozen=True, slots=True)
class Said(Generic[Task]):
    """What a worker says of its task while it works on it."""

    task: Task
    what: Any


@dataclass(frozen=True, slots=True)
class Done(Generic[Task]):
    """A task's result."""

    task: Task
    result: Any


@dataclass(frozen=True, slots=True)
class Died(Generic[Task]):
    """The process that had this task is gone, and with it all it had done of it. Another one stands in."""

    task: Task


@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class Workers(Generic[Task]):
    """So many processes, each of which works on one task at a time.

    They are forked from this one, which must not have threads: `make_work` is called in each of them, so that
    what must not be shared between processes is made there, and all that is loaded already is shared.
    Where the process that made the crew ends, however that be, they end too. Ctrl-C is for that process.
    """

    def __init__(self, size: int, make_work: Callable[[], Work]) -> None:
        self._make_work = make_work
        self._context = get_context("fork")
        self._workers: list[_Worker[Task]] = []
        gc.collect()
        gc.freeze()  # a collection in a worker would copy every page that it shares
        try:
            for _ in range(size):
                self._workers.append(self._hire())
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Workers[Task]:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a task."""
        return any(worker.task is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        return any(worker.task is not None for worker in self._workers)

    def give(self, task: Task) -> None:
        """Give a task to a worker that waits. `events` reports a death."""
        worker = next(worker for worker in self._workers if worker.task is None)
        worker.task = task
        with contextlib.suppress(OSError):
            worker.pipe.send(task)

    def events(self, seconds: float) -> Iterator[Said[Task] | Done[Task] | Died[Task]]:
        """What has happened, after waiting for it at most so long."""
        places = {worker.pipe: place for place, worker in enumerate(self._workers)}
        for pipe in wait(list(places), seconds):
            assert isinstance(pipe, Connection)
            place = places[pipe]
            worker = self._workers[place]
            task = worker.task
            try:
                ended, what = pipe.recv()
            except (EOFError, OSError):
                self._bury(worker)
                self._workers[place] = self._hire()
                if task is not None:
                    yield Died(task)
                continue
            if task is None:
                continue
            if ended:
                worker.task = None
                yield Done(task, what)
            else:
                yield Said(task, what)

    def stop(self) -> None:
        """End all processes, also in the middle of a task."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            self._bury(worker)
        self._workers.clear()

    def _hire(self) -> _Worker[Task]:
        here, there = self._context.Pipe()
        # A worker that holds the pipe of another would keep it open beyond the end of this process.
        foreign = [worker.pipe for worker in self._workers] + [here]
        process = self._context.Process(
            target=_work, args=(there, foreign, self._make_work), daemon=True, name="edi-checker worker"
        )
        # A signal must not meet the new process before it knows what to do about it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        there.close()
        return _Worker(process, here)

    @staticmethod
    def _bury(worker: _Worker[Task]) -> None:
        worker.pipe.close()
        if worker.process.is_alive():
            worker.process.kill()
        worker.process.join()
        worker.process.close()


def _work(pipe: Connection, foreign: list[Connection], make_work: Callable[[], Work]) -> None:
    """The life of a worker: one task after the other, until there is nobody any more to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    for other in foreign:
        other.close()
    work = make_work()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        result = work(task, lambda what: _tell(pipe, (False, what)))
        _tell(pipe, (True, result))


def _tell(pipe: Connection, what: tuple[bool, object]) -> None:
    try:
        pipe.send(what)
    except OSError:
        sys.exit(1)  # nobody is there any more


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    # As an exception, so that files that are half written are taken away.
    sys.exit(1)
