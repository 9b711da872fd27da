"""The life of a watcher: it looks at the inbox, gives files to its processes, and tells how it goes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edi_checker.batch.workers import Died, Done, Said, Workers
from edi_checker.run.setting import SettingError
from edi_checker.state import Purged, StateError
from edi_checker.state.ledger import Ledger
from edi_checker.watch.filing import belong_together, file_away, tidy
from edi_checker.watch.forgetting import DAY, Trust
from edi_checker.watch.health import Health, as_json, as_metrics, write_metrics, write_status
from edi_checker.watch.inbox import Arrival, Inbox, Look
from edi_checker.watch.job import MOST_TRIES, Clerk, Desk, Report
from edi_checker.watch.log import Log
from edi_checker.watch.notify import notify, watchdog_period
from edi_checker.watch.places import FAILED, WORK, Places

_OFTEN = 0.5  # seconds that the watcher waits for its processes at once
_HEALTH = 5.0  # seconds between two status files
_PAUSE = 5.0  # seconds until the ledger is asked again that could not be asked
_TRY_AGAIN = 10.0  # seconds until a file is tried again whose process has died
_WAITING = 100  # ids that are read from the ledger at once
_TIDY = 60.0  # seconds between two times at which the ledger is tidied, if there is nothing else to do


class AnotherWatcher(Exception):
    """Another watcher is at work with this archive or with this ledger; the message says which."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a watcher works.

    make_desk    reads rules, tables, profiles and partners; raises SettingError
    open_ledger  opens the ledger, in any process, and makes one where that is asked; raises StateError
    lock         a file beside the ledger by which a second watcher is kept out; None where others may use it
    every        seconds between two looks at the inbox
    settle       seconds after which a file that does not change is ready
    once         whether to end when everything that was ready is done
    keep         seconds for which what is finished stays in the ledger
    """

    places: Places
    inbox: Inbox
    make_desk: Callable[[], Desk]
    open_ledger: Callable[[bool], Ledger]
    lock: Path | None
    workers: int
    every: float
    settle: float
    once: bool
    keep: float
    status_file: Path | None
    metrics: Path | None
    version: str


@dataclass(frozen=True, slots=True)
class Tidy:
    """Tidy the ledger; `now` is what the clock says, None where nothing may be deleted by it."""

    now: float | None


class _Task(NamedTuple):
    """A file that has arrived, the id of one in the ledger, or what is done where there is none."""

    what: Arrival | int | Tidy
    owner: str


@dataclass(slots=True)
class _Asked:
    """What signals ask of the watcher."""

    stop: bool = False
    again: bool = False

    def listen(self) -> None:
        def stop(*_: object) -> None:
            self.stop = True

        def again(*_: object) -> None:
            self.again = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, again)


def watch(plan: Plan, log: Log) -> Health:
    """Watch until a signal says stop, or once; gives what happened.

    Raises SettingError, StateError and AnotherWatcher where it cannot begin.
    """
    asked = _Asked()
    asked.listen()
    desk = plan.make_desk()
    with contextlib.ExitStack() as stack:
        locks = [] if plan.lock is None else _be_alone(plan.places, plan.lock, stack)
        ledger = stack.enter_context(plan.open_ledger(True))
        # A process that is forked opens connections of its own.
        os.register_at_fork(before=ledger.close)
        watcher = _Watcher(plan, log, ledger, asked, locks)
        watcher.begin()
        while True:
            asked.again = False
            watcher.work(desk)
            if not asked.again or asked.stop:
                break
            notify("RELOADING=1")
            try:
                desk = plan.make_desk()
            except SettingError as error:
                log.say("not read again", trouble=True, reason=str(error))
        return watcher.end()


def _be_alone(places: Places, lock: Path, stack: contextlib.ExitStack) -> list[int]:
    """The handles of the locks that keep other watchers out. Raises AnotherWatcher and OSError."""
    handles = []
    for path, what in ((places.archive / WORK, "archive"), (lock, "ledger")):
        flags = os.O_RDONLY | os.O_DIRECTORY if what == "archive" else os.O_RDWR | os.O_CREAT
        handles.append(os.open(path, flags | os.O_CLOEXEC, 0o600))
        stack.callback(os.close, handles[-1])
        try:
            fcntl.flock(handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherWatcher(f"another watcher is at work with this {what}") from None
        except OSError:
            pass  # a file system without locks
    return handles


class _Watcher:
    def __init__(self, plan: Plan, log: Log, ledger: Ledger, asked: _Asked, locks: list[int]) -> None:
        self._plan = plan
        self._locks = locks
        self._log = log
        self._ledger = ledger
        self._asked = asked
        self._health = Health(plan.version, time.time())
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._tasks = 0
        self._desk: Desk | None = None
        # What is to be done, and what processes have in hand.
        self._queue: deque[Arrival | int] = deque()
        self._in_hand: set[Arrival | int | Tidy] = set()
        self._look, self._ready = Look(), set[Arrival]()
        self._said_left: set[tuple[str, str, str]] = set()
        begin = time.monotonic()
        self._settled_at = begin + plan.settle
        self._look_at = self._health_at = begin
        self._tidy_at = begin + _TIDY
        clock = time.time()
        newest, before = ledger.latest_time(), ledger.latest_time(clock - DAY)
        self._trust = Trust(plan.keep, newest, before, clock, begin)
        self._pause_until = 0.0
        self._alive_every = watchdog_period() or float("inf")
        self._alive_at, self._is_stopping = begin + self._alive_every, False

    # -- the whole

    def begin(self) -> None:
        belong_together(self._plan.places, self._ledger)
        if self._plan.lock is not None:
            self._ledger.end_leases()
        self._doubt(self._trust.doubt)
        for said in tidy(self._plan.places, self._ledger):
            self._log.say("left in the archive", trouble=True, reason=said)

    def work(self, desk: Desk) -> None:
        """Do what there is to do with this desk, until something else is asked or everything is done."""
        self._desk = desk
        digests = sorted({digest for _, digest in desk.made.values()})
        self._log.say("watching", settings=[digest[:12] for digest in digests], workers=self._plan.workers)
        for name in sorted(desk.partners.named.keys() - self._plan.inbox.partners()):
            reason = "the file of partners has an entry, and the inbox no folder of this name"
            self._log.say("partner without a folder", trouble=True, partner=name, reason=reason)

        def make_work() -> Callable[[_Task, Callable[[object], None]], Report | Purged | None]:
            # What outlives a watcher that was killed must not keep the next one out.
            for lock in self._locks:
                os.close(lock)
            ledger = self._plan.open_ledger(False)
            clerk = Clerk(desk, ledger)
            return lambda task, _: _do(clerk, ledger, task, self._plan.keep)

        with Workers[_Task](self._plan.workers, make_work) as workers:
            notify("READY=1")
            while not self._is_over(workers):
                self._step(workers)

    def end(self) -> Health:
        self._tell_stopping()
        self._show_health(0)
        self._log.say("stopped", events=dict(sorted(self._health.events.items())))
        return self._health

    def _is_over(self, workers: Workers[_Task]) -> bool:
        if workers.busy:
            return False
        if self._asked.stop or self._asked.again:
            return True
        looked = self._look_at > self._settled_at and not self._ready
        return self._plan.once and looked and not self._queue

    def _tell_manager(self, now: float) -> None:
        if now >= self._alive_at:
            self._alive_at = now + self._alive_every
            notify("WATCHDOG=1")
        if self._asked.stop:
            self._tell_stopping()

    def _tell_stopping(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            notify("STOPPING=1")

    def _step(self, workers: Workers[_Task]) -> None:
        now = time.monotonic()
        self._tell_manager(now)
        wanted = not (self._asked.stop or self._asked.again)
        if wanted and now >= self._pause_until:
            if now >= self._look_at or (not self._queue and self._ready):
                self._find_work(now)
            while workers.idle and (what := self._next(workers, now)) is not None:
                self._give(workers, what)
        if now >= self._health_at:
            self._health_at = now + _HEALTH
            self._show_health(len(self._in_hand))
        wait = _OFTEN if workers.busy else max(0.01, min(self._look_at - now, _OFTEN))
        for event in workers.events(wait):
            if not isinstance(event, Said):
                self._take(event)

    # -- what there is to do

    def _find_work(self, now: float) -> None:
        self._ledger.hold()  # without it nothing can be done
        self._look_at = now + self._plan.every
        if self._plan.once and now < self._settled_at:
            self._look_at = min(self._look_at, self._settled_at)
        self._health.hindered = True  # until it is known better
        try:
            self._look = self._plan.inbox.look()
            waiting = self._ledger.list_waiting(_WAITING)
        except OSError as error:
            self._trouble(f"the inbox cannot be read: {error.strerror}")
            return
        except StateError as error:
            self._trouble(str(error))
            return
        self._health.hindered = self._look.is_hindered
        found: list[Arrival | int] = [*waiting, *self._look.ready]
        self._queue = deque(what for what in found if what not in self._in_hand)
        self._ready = set(self._look.ready) - self._in_hand
        left = set(self._look.left)
        for partner, name, why in sorted(left - self._said_left):
            self._log.say("left in the inbox", name=name, trouble=True, partner=partner, reason=why)
        self._said_left = left

    def _next(self, workers: Workers[_Task], now: float) -> Arrival | int | Tidy | None:
        if self._queue:
            return self._queue.popleft()
        if now < self._tidy_at or workers.busy or self._plan.once:
            return None
        self._tidy_at = now + _TIDY
        clock = time.time()
        self._doubt(self._trust.look(clock, now))
        return Tidy(clock if self._trust.allows(now) else None)

    def _doubt(self, reason: str) -> None:
        if reason:
            self._log.say("clock in doubt", trouble=True, reason=reason)

    def _give(self, workers: Workers[_Task], what: Arrival | int | Tidy) -> None:
        self._tasks += 1
        self._in_hand.add(what)
        workers.give(_Task(what, f"{self._name}/{self._tasks}"))

    # -- what has been done

    def _take(self, event: Done[_Task] | Died[_Task]) -> None:
        task = event.task
        self._in_hand.discard(task.what)
        self._ready.discard(task.what)
        if isinstance(event, Died):
            self._health.deaths += 1
            self._give_up(task, "the process that checked it ended")
            return
        report = event.result
        if isinstance(report, Purged) and any(report):
            self._log.say("deleted from the ledger", files=report.files, history=report.history)
        if not isinstance(report, Report):
            return
        self._health.note(report)
        if not isinstance(task.what, Arrival):
            self._drop(report.partner, report.name)
        if report.event == "trouble":
            self._trouble(report.reason)
            return
        if report.event == "crash":
            self._give_up(task, report.reason)
            return
        self._tell(report)

    def _drop(self, partner: str, name: str) -> None:
        """What waited in the ledger lay in the inbox too when that was looked at, where it could not be moved
        the time before: taken as a new file now, it would have vanished.
        """
        self._queue = deque(
            what
            for what in self._queue
            if not isinstance(what, Arrival) or (what.partner, what.name) != (partner, name)
        )

    def _tell(self, report: Report) -> None:
        self._log.say(
            report.event,
            name=report.name,
            trouble=report.event in ("failed", "again", "vanished", "lost"),
            id=report.file_id,
            partner=report.partner,
            outcome=report.kind,
            reason=report.reason,
            claims=report.claims or None,
            rejected=report.rejected or None,
            seconds=round(report.seconds, 3),
        )

    def _give_up(self, task: _Task, reason: str) -> None:
        """What a process that died had in hand is tried again, and fails after some tries."""
        try:
            failed = self._ledger.give_up(task.owner, reason, _TRY_AGAIN, MOST_TRIES)
            self._health.events["again"] += not failed
        except StateError as error:
            self._trouble(str(error))
            return
        self._log.say("worker ended", trouble=True, reason=reason)
        for each in failed:
            self._health.events["failed"] += 1
            self._tell(Report("failed", each.id, each.partner, each.name, FAILED, reason))
            with contextlib.suppress(OSError):  # `tidy` does it at the next start
                file_away(self._plan.places, each, FAILED, reason)

    def _trouble(self, reason: str) -> None:
        self._health.trouble = reason
        self._pause_until = time.monotonic() + _PAUSE
        self._log.say("trouble", trouble=True, reason=reason)

    def _show_health(self, busy: int) -> None:
        if self._plan.status_file is None and self._plan.metrics is None:
            return
        counts = None
        with contextlib.suppress(StateError):
            counts = self._ledger.counts()
        now = time.time()
        try:
            if self._plan.status_file is not None:
                settings = self._desk.digests() if self._desk is not None else {}
                status = as_json(self._health, now, settings, self._look, (len(self._ready), busy), counts)
                write_status(self._plan.status_file, status)
            if self._plan.metrics is not None:
                text = as_metrics(self._health, now, self._look, len(self._ready), counts)
                write_metrics(self._plan.metrics, text)
        except OSError as error:
            self._log.say("status not written", trouble=True, reason=error.strerror)


def _do(clerk: Clerk, ledger: Ledger, task: _Task, keep: float) -> Report | Purged | None:
    """The work of one process."""
    try:
        if isinstance(task.what, Tidy):
            return _tidy_ledger(ledger, keep, task.what.now)
        return clerk.do(task.what, task.owner)
    except Exception as error:  # noqa: BLE001  # no file may end the work on the others
        # The type alone: the message of an unexpected error may quote the input.
        return Report("crash", reason=f"internal error ({type(error).__name__})")


def _tidy_ledger(ledger: Ledger, keep: float, now: float | None) -> Purged | None:
    """Merge what the history has in pieces, and forget what is older than is kept."""
    with contextlib.suppress(StateError):
        while ledger.merge_history():
            pass
        if now is not None:
            return ledger.purge(keep, now=now)
    return None
