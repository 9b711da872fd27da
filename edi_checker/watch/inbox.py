"""The inbox: which files lie there, and which of them have been written to their end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from edi_checker.files.inputs import MINUTES, minutes_name
from edi_checker.watch.places import Places, to_text

_UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload", ".swp")
_HIDDEN = (".", "~")
_ALONE = ("minutes without their file", "a marker without its file")  # why something waits for its file


class Arrival(NamedTuple):
    """A file that is ready: partner and name as the ledger has them, bytes, and time of the last change."""

    partner: str
    name: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Look:
    """What one look at the inbox found.

    ready    files that can be taken, the longest unchanged first
    waiting  how many are still written, or may be
    ignored  how many have a name that is not looked at
    left     what is not taken as it is: partner, name and why
    """

    ready: list[Arrival] = field(default_factory=list)
    waiting: int = 0
    ignored: int = 0
    left: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def is_hindered(self) -> bool:
        """Whether something is left that would be answered if it could be taken."""
        return any(why not in _ALONE for _, _, why in self.left)


class _Seen(NamedTuple):
    size: int
    mtime_ns: int
    inode: int
    since: float


class Inbox:
    """Looked at again and again. What is listed is the truth: events are not heard on every file system.

    A file is ready when its size, time and inode have not changed for `settle` seconds of `clock`, or when
    NAME with `done_suffix` is there and not older than it. Names that begin with `.` or `~`, or end as those
    of unfinished transfers do, are not looked at; minutes files belong to their input.
    """

    def __init__(self, places: Places, settle: float, done_suffix: str, clock: Callable[[], float]) -> None:
        self._places = places
        self._settle = settle
        self._done_suffix = done_suffix
        self._clock = clock
        self._seen: dict[tuple[str, str], _Seen] = {}

    def look(self) -> Look:
        """Raises OSError where the inbox cannot be read."""
        found, look = dict[tuple[str, str], _Seen](), Look()
        now = self._clock()
        ready: list[tuple[float, Arrival]] = []
        for partner, folder in self._folders(look):
            try:
                entries = list(os.scandir(folder))
            except FileNotFoundError:
                continue
            except OSError as error:
                look.left.append((partner, "", f"the folder cannot be read: {error.strerror}"))
                continue
            names = {entry.name for entry in entries}
            minutes = {minutes_name(name) for name in names if not self._belongs(name)}
            for entry in entries:
                if entry.name.startswith(_HIDDEN) or entry.name.lower().endswith(_UNFINISHED):
                    look.ignored += 1
                elif why := self._why_alone(entry.name, names, minutes):
                    look.left.append((partner, to_text(entry.name), why))
                elif not self._belongs(entry.name):
                    self._take(entry, partner, now, found, ready, look)
        self._seen = found
        look.ready = [arrival for _, arrival in sorted(ready)]
        return look

    def partners(self) -> set[str]:
        """The partners that have a folder, as the ledger names them; none where it cannot be read."""
        with contextlib.suppress(OSError):
            return {partner for partner, _ in self._folders(Look()) if partner}
        return set()

    def _folders(self, look: Look) -> Iterator[tuple[str, str]]:
        yield "", os.fspath(self._places.inbox)
        for entry in sorted(os.scandir(self._places.inbox), key=lambda entry: entry.name):
            if not entry.is_dir(follow_symlinks=False) or entry.name.startswith(_HIDDEN):
                continue
            partner = to_text(entry.name)
            if why := self._places.why_apart(partner):
                look.left.append((partner, "", why))
            else:
                yield partner, entry.path

    def _belongs(self, name: str) -> bool:
        """Whether it belongs to a file beside it: its minutes, or its marker."""
        suffix = self._done_suffix
        return name.endswith(MINUTES) or bool(suffix and name.endswith(suffix) and len(name) > len(suffix))

    def _why_alone(self, name: str, names: set[str], minutes: set[str]) -> str:
        """Why it waits for the file that it belongs to, "" where that is there or it belongs to none.

        `names` are those in its folder, `minutes` those that the minutes of its inputs have.
        """
        if not self._belongs(name):
            return ""
        if name.endswith(MINUTES):
            return "" if name in minutes else _ALONE[0]
        return "" if name.removesuffix(self._done_suffix) in names else _ALONE[1]

    def _take(
        self,
        entry: os.DirEntry[str],
        partner: str,
        now: float,
        found: dict[tuple[str, str], _Seen],
        ready: list[tuple[float, Arrival]],
        look: Look,
    ) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            return  # gone since it was listed
        name = to_text(entry.name)
        if stat.S_ISDIR(status.st_mode):
            if partner:
                look.left.append((partner, name, "a folder within a partner's folder"))
            return
        if not stat.S_ISREG(status.st_mode):
            look.left.append((partner, name, "not a regular file"))
            return
        key = partner, name
        before = self._seen.get(key)
        seen = _Seen(status.st_size, status.st_mtime_ns, status.st_ino, now)
        if before is not None and before[:3] == seen[:3]:
            seen = before
        found[key] = seen
        settled = now - seen.since >= self._settle
        if not settled and not self._is_marked(entry.path, status):
            look.waiting += 1
        elif why := _why_closed(entry.path):
            look.left.append((partner, name, why))
        else:
            ready.append((seen.since, Arrival(partner, name, status.st_size, status.st_mtime_ns)))

    def _is_marked(self, path: str, status: os.stat_result) -> bool:
        """Whether its sender has said that it is whole; a marker that came before it says nothing."""
        if not self._done_suffix:
            return False
        try:
            marker = os.lstat(path + self._done_suffix)
        except OSError:
            return False
        return stat.S_ISREG(marker.st_mode) and marker.st_mtime_ns >= status.st_mtime_ns


def _why_closed(path: str) -> str:
    """Why a file cannot be read now, "" where it can."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    try:
        for lock in (fcntl.flock, fcntl.lockf):
            lock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "another program has locked it"
    except OSError:
        return ""  # a file system without locks
    finally:
        os.close(handle)
    return ""


def companions(name: str, done_suffix: str) -> list[str]:
    """The names of what may lie beside an input and belongs to it: its minutes and its marker."""
    return [minutes_name(name), *([name + done_suffix] if done_suffix else [])]
