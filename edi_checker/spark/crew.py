"""Spark as the crew of a batch: its executors do the tasks that processes of one machine would do."""

from __future__ import annotations

import os
import pickle  # nosec B403  # what this program made itself, in this run
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Self

from edi_checker.batch.tasks import Equipment, Settings, Task, Work
from edi_checker.batch.workers import Died, Done, Said
from edi_checker.run.one_input import Files
from edi_checker.spark.carried import Carried
from edi_checker.spark.session import SparkUnusable, say_error

if TYPE_CHECKING:
    from pyspark import Broadcast, SparkContext

_OF_JOB = 2  # tasks of a job for each that runs at a time: to start a job takes longer than to start a task
_JOBS = 4  # jobs at a time, so that nobody waits for the last task of one


@dataclass(frozen=True, slots=True)
class _Ours:
    """What each process of the executors gets once, for the tasks of a run; `folder` is where paths begin."""

    folder: str
    carried: Carried
    files: Files
    settings: Settings


class SparkCrew:
    """Does tasks in jobs of Spark, `size` at a time. Spark itself does again what a lost executor had.

    Where a job fails all the same, each of its tasks has died, and is then tried in a job of its own.
    `events` raises SparkUnusable where Spark has ended.
    """

    def __init__(self, spark: SparkContext, carried: Carried, size: int, equipment: Equipment) -> None:
        ours = _Ours(str(Path.cwd()), carried, equipment.files, replace(equipment.settings, options={}))
        self._spark = spark
        self._name = secrets.token_hex(8)
        self._ours: Broadcast[bytes] = spark.broadcast(pickle.dumps(ours))
        self._ask(size, equipment.files)
        self._of_job = _OF_JOB * size
        self._waiting: list[Task] = []
        self._given = 0
        self._threads = ThreadPoolExecutor(_JOBS, thread_name_prefix="edi-checker job")
        self._ended: Queue[tuple[list[Task], list[bytes] | None]] = Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # Spark may have ended
            self._spark.cancelAllJobs()
        self._threads.shutdown(cancel_futures=True)

    def _ask(self, size: int, files: Files) -> None:
        """Raises SparkUnusable where an executor has another version of the program or lacks something."""
        assert files.folder is not None  # a batch writes
        folder = str(files.folder.path.resolve())
        look = partial(_look, self._name, self._ours, folder)
        try:
            said = self._spark.parallelize(range(size), size).map(look).collect()
        except Exception as error:  # noqa: BLE001  # whatever Python or Java raised there
            raise SparkUnusable(f"its executors cannot run the program: {say_error(error)}") from None
        own = version("edi-checker")
        for other, sees in said:
            if other != own:
                raise SparkUnusable(f"its executors have version {other} of the program, and this is {own}")
            if not sees:
                raise SparkUnusable(
                    f"its executors do not see {folder}: it must lie where all machines see it"
                )

    @property
    def idle(self) -> bool:
        """Whether more tasks are taken."""
        return self._given < _JOBS * self._of_job

    @property
    def busy(self) -> bool:
        return self._given > 0

    def give(self, task: Task) -> None:
        self._given += 1
        if task.deaths:
            self._start([task])
            return
        self._waiting.append(task)
        if len(self._waiting) >= self._of_job:
            self._start_waiting()

    def events(self, seconds: float) -> Iterator[Said[Task] | Done[Task] | Died[Task]]:
        """What has happened, after waiting for it at most so long. Raises SparkUnusable."""
        if seconds:  # there is nothing to be done here meanwhile
            self._start_waiting()
        try:
            tasks, replies = self._ended.get(timeout=seconds) if seconds else self._ended.get_nowait()
        except Empty:
            return
        self._given -= len(tasks)
        if replies is None:
            if _is_stopped(self._spark):
                raise SparkUnusable("Spark has ended before the batch")
            yield from map(Died, tasks)
            return
        for task, reply in zip(tasks, replies, strict=True):
            yield Done(task, pickle.loads(reply))  # noqa: S301  # nosec B301  # made by this program in this run

    def _start_waiting(self) -> None:
        if self._waiting:
            self._start(self._waiting)
            self._waiting = []

    def _start(self, tasks: list[Task]) -> None:
        self._threads.submit(self._run, tasks)

    def _run(self, tasks: list[Task]) -> None:
        """One job, in a thread of its own, which waits for it."""
        try:
            sent = [pickle.dumps(task) for task in tasks]
            job = self._spark.parallelize(sent, len(sent)).map(partial(_do, self._name, self._ours))
            self._ended.put((tasks, job.collect()))
        except Exception:  # noqa: BLE001  # whatever it is, the tasks are not done; Spark's log says why
            self._ended.put((tasks, None))


def _is_stopped(spark: SparkContext) -> bool:
    try:
        return bool(spark._jsc.sc().isStopped())  # noqa: SLF001  # pyspark has no other way to ask
    except Exception:  # noqa: BLE001  # Java is gone
        return True


# In the processes of the executors.

# What does the tasks of the run at hand.
_works: dict[str, Work] = {}


def _work_of(run: str, ours: Broadcast[bytes]) -> Work:
    if run not in _works:
        given = pickle.loads(ours.value)  # noqa: S301  # nosec B301  # as above
        made = given.carried.make()
        with suppress(OSError):  # where it is not there, _look tells of it
            os.chdir(given.folder)
        _works.clear()
        _works[run] = Equipment(made, given.files, given.settings).make_work()
    return _works[run]


def _do(run: str, ours: Broadcast[bytes], task: bytes) -> bytes:
    given = pickle.loads(task)  # noqa: S301  # nosec B301  # as above
    return pickle.dumps(_work_of(run, ours)(given, _ignore))


def _look(run: str, ours: Broadcast[bytes], folder: str, _: object) -> tuple[str, bool]:
    """The version of the program here, and whether it sees the folder; it is ready for tasks then."""
    _work_of(run, ours)
    return version("edi-checker"), Path(folder).is_dir()


def _ignore(_said: object) -> None:
    """Progress within a task is not told."""
