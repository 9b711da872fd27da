"""Watchers that start at once: all that each of them needs is made before they are forked."""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from claim_files import POOL, read_sample
from edi_checker import cli
from edi_checker.batch.workers import Done
from edi_checker.run.setting import CheckSetting
from edi_checker.watch import job, loop
from judge import Places
from partner import Sent, drop
from watchers import watch_words

_T = TypeVar("_T")


class _Here(Generic[_T]):
    """Workers that are this process itself."""

    def __init__(self, size: int, make_work: Callable[[], Callable[[object, None], object]]) -> None:
        self._work = make_work()
        self._done: list[Done[object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def idle(self) -> bool:
        return not self._done

    @property
    def busy(self) -> bool:
        return bool(self._done)

    def give(self, task: object) -> None:
        self._done.append(Done(task, self._work(task, None)))

    def events(self, seconds: float) -> list[Done[object]]:
        done, self._done = self._done, []
        return done


def _remember(where: Any, name: str, key: Callable[..., object]) -> None:
    """Let a function or class of the program give again what it made before."""
    make = getattr(where, name)
    made: dict[object, Any] = {}

    def once(*words: Any) -> Any:
        asked = key(*words)
        if asked not in made:
            made[asked] = make(*words)
        return made[asked]

    setattr(where, name, once)


def prepare(base: Path) -> None:
    """Import, read and compile what every watcher needs, so that those that are forked have it at once.

    All inputs are answered once, in this process, to see that they can be.
    """
    _remember(CheckSetting, "make", lambda setting: setting)
    _remember(job, "Engine", lambda rulebook, kind: (id(rulebook), kind))
    loop._TRY_AGAIN = loop._PAUSE = 0.2  # seconds that are only waited
    places = Places(base / "prepared")
    for folder in (places.inbox, places.out, places.archive, places.ledger.parent):
        folder.mkdir(parents=True)
    numbers = itertools.count(1)
    for name in POOL:
        drop(places.inbox, Sent("", f"{Path(name).name}.837", read_sample(name, numbers)))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    workers = loop.Workers
    loop.Workers = _Here  # type: ignore[misc, assignment]
    sys.argv = ["edi-checker", *watch_words(places, str(places.ledger), once=True)]
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    if code != 0:
        raise SystemExit(f"the inputs cannot be answered at all: {said.getvalue()}")
    loop.Workers = workers  # type: ignore[misc]
    for number, handler in handlers.items():
        signal.signal(number, handler)
    gc.collect()
    gc.freeze()
