"""Runs `edi-checker watch` so that it dies at a chosen call, or in a wrong order; knows no steps of it."""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import signal
import stat
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

# The calls that make a step, by kind.
_CALLS = {
    "rename": ("rename", "replace"),
    "link": ("link",),
    "unlink": ("unlink", "remove", "rmdir"),
    "mkdir": ("mkdir",),
    "fsync": ("fsync", "fdatasync"),
}
KINDS = (*_CALLS, "commit")

WRONG_ORDERS = ("publish", "normal", "nosync")


class Blow(NamedTuple):
    """kill -9 at the `number`th call of this kind, counted over all processes of the watcher.

    after  once the call has been made, not before it
    whole  the watcher with all its workers dies, not only the process that makes the call
    """

    kind: str
    number: int
    after: bool
    whole: bool


class Counts:
    """How many calls of each kind there were, seen by all processes that are forked; for one watcher."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8 * (len(KINDS) + 1))

    def add(self, kind: str) -> int:
        # Two processes at the very same moment may count as one: it moves a blow, no more.
        place = 8 * KINDS.index(kind)
        [number] = struct.unpack_from("<q", self._shared, place)
        struct.pack_into("<q", self._shared, place, number + 1)
        return number + 1

    @property
    def struck(self) -> bool:
        return struct.unpack_from("<q", self._shared, 8 * len(KINDS)) != (0,)

    def strike(self) -> bool:
        """Whether this is the first blow."""
        first = not self.struck
        struct.pack_into("<q", self._shared, 8 * len(KINDS), 1)
        return first

    def read(self) -> dict[str, int]:
        numbers = struct.unpack_from(f"<{len(KINDS)}q", self._shared)
        return {kind: number for kind, number in zip(KINDS, numbers, strict=True) if number}


def start(words: Sequence[str], log: Path, counts: Counts, blow: Blow | None, wrong: str | None) -> int:
    """Fork a watcher, with a process group of its own; its id. All that is imported here is there at once."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _run(words, log, counts, blow, wrong)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def _run(words: Sequence[str], log: Path, counts: Counts, blow: Blow | None, wrong: str | None) -> NoReturn:
    code = 70
    try:
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.argv = ["edi-checker", *words]
        if wrong is not None:
            _WRONG[wrong](words)
        _count_calls(counts, blow)
        from edi_checker.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # what a watcher ends with is not this process's
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


def _count_calls(counts: Counts, blow: Blow | None) -> None:
    from sqlalchemy.engine.default import DefaultDialect

    for kind, names in _CALLS.items():
        for name in names:
            setattr(os, name, _with_blow(getattr(os, name), kind, counts, blow))
    DefaultDialect.do_commit = _with_blow(DefaultDialect.do_commit, "commit", counts, blow)


def _with_blow(call: Callable[..., Any], kind: str, counts: Counts, blow: Blow | None) -> Callable[..., Any]:
    @functools.wraps(call)
    def counted(*args: Any, **options: Any) -> Any:
        number = counts.add(kind)
        if blow is None or kind != blow.kind or number < blow.number or not counts.strike():
            return call(*args, **options)
        if blow.after:
            call(*args, **options)
        if blow.whole:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("this process is dead")

    return counted


# -- wrong orders: what the harness must find


def _publish_first(words: Sequence[str]) -> None:
    """What is staged goes out before the answer is committed, not after."""
    from edi_checker.state.ledger import Ledger
    from edi_checker.watch import job

    stages = Path(words[words.index("--archive") + 1]) / ".stage"
    out = Path(words[words.index("--out-dir") + 1])
    answer = Ledger.answer

    def publish_and_answer(ledger: Ledger, mine: Any, said: Any) -> Any:
        for output in said.outputs:
            os.link(stages / f"{mine.id}.{mine.token}" / output.name, out / mine.partner / output.name)
        return answer(ledger, mine, said)

    Ledger.answer = publish_and_answer  # type: ignore[method-assign]
    job.put_out = lambda staged, *_: staged.unlink(missing_ok=True)


def _synchronous_normal(words: Sequence[str]) -> None:
    """SQLite does not flush what it commits."""
    from edi_checker.state import store

    prepare = store._prepare_sqlite

    def prepare_normal(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous = NORMAL")

    store._prepare_sqlite = prepare_normal


def _no_sync_of_folders(words: Sequence[str]) -> None:
    """Folders are never flushed."""
    fsync = os.fsync

    def sync_files(handle: int) -> None:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            fsync(handle)

    os.fsync = sync_files


_WRONG = {"publish": _publish_first, "normal": _synchronous_normal, "nosync": _no_sync_of_folders}
assert set(_WRONG) == set(WRONG_ORDERS)
