"""Where a file lies in each state, and how it moves so that a loss of power loses nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, pairwise
from pathlib import Path
from urllib.parse import unquote_to_bytes

from edi_checker.files.output import flush_folder, sync_folder

ACCEPTED, REJECTED, FAILED, DUPLICATE = "accepted", "rejected", "failed", "duplicate"
ENDINGS = ("json", "html", "999", "277ca", "ta1", "clean.837", "rejected.837", "duplicate.txt")  # of answers
WORK, STAGE = ".work", ".stage"
MARK = ".ledger"  # says to which ledger the archive belongs
_LONGEST = 180  # bytes of a name in the archive, so that ID and ending have room before and behind it
_DIGEST = 12  # of them, where it is cut, of the digest of the whole name


class PlacesError(Exception):
    """The folders cannot be used as they are; the message says why."""


# -- names as the ledger keeps them


def to_text(name: str) -> str:
    """A file name as text: bytes that are no UTF-8, controls and the percent sign as %XX."""
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    return "".join(each if each.isprintable() and each != "%" else _quoted(each) for each in text)


def _quoted(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


def from_text(text: str) -> str:
    """The file name of such a text."""
    return os.fsdecode(unquote_to_bytes(text))


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a watcher, all on one file system: a move is a rename."""

    inbox: Path
    out: Path
    archive: Path

    def prepare(self) -> None:
        """Make what is missing. Raises PlacesError where the folders cannot be used."""
        named = self._named()
        if not self.inbox.is_dir():
            raise PlacesError(f"{self.inbox}: there is no such folder")
        real = {name: Path(os.path.realpath(path)) for name, path in named.items()}
        for one, path in real.items():
            for other, around in real.items():
                if one != other and path.is_relative_to(around):
                    raise PlacesError(f"{named[one]}: the {one} must not lie in the {other}")
        folders = [self.inbox, self.out, self.archive, self.archive / WORK, self.archive / STAGE]
        try:
            for folder in folders[:3]:
                make_folder(folder)
                sync_folder(folder.parent)
            for folder in folders[3:]:
                make_folder(folder, self.archive)
            apart = _are_apart(folders)
        except OSError as error:
            raise PlacesError(f"{error.filename}: the folder cannot be made: {error.strerror}") from None
        if apart:
            raise PlacesError(
                f"{self.inbox}, {self.out} and {self.archive} lie on different file systems or mounts; "
                "files could not move between them in one step"
            )

    def mark(self) -> str:
        """What says to which ledger the archive belongs, "" where it belongs to none. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            return (self.archive / MARK).read_text("ascii", "replace").strip()
        return ""

    def write_mark(self, mark: str) -> None:
        """Raises OSError."""
        # One name, so that the next start takes away what a process left that was killed.
        beside = self.archive / f"{MARK}.part"
        with beside.open("wb") as out:
            out.write(f"{mark}\n".encode())
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileNotFoundError):  # another node has written the same
            beside.rename(self.archive / MARK)
        flush_folder(self.archive)

    def is_used(self) -> bool:
        """Whether anything was put into the archive."""
        kinds = (ACCEPTED, REJECTED, FAILED, DUPLICATE)
        return any(path.is_file() for kind in kinds for path in (self.archive / kind).rglob("*"))

    def refuse_within(self, file: Path, what: str) -> None:
        """Raises PlacesError where a file that the watcher keeps for itself lies in one of the folders."""
        for name, folder in self._named().items():
            if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
                raise PlacesError(f"{file}: the {what} must not lie in the {name}")

    def find_gone(self) -> str:
        """Which folder has gone since the start: unmounted, renamed; "" where all are there."""
        gone = (name for name, path in self._named().items() if not os.path.isdir(path))  # noqa: PTH112  # never raises
        return next((f"the {name} is gone" for name in gone), "")

    def _named(self) -> dict[str, Path]:
        return {"inbox": self.inbox, "folder of answers": self.out, "archive": self.archive}

    def why_apart(self, partner: str) -> str:
        """Why files cannot move from or to the folders of a partner in one step, "" where they can."""
        own = [self._of(self.inbox, partner), self._of(self.out, partner)]
        with contextlib.suppress(OSError):  # one that is gone is found to be so elsewhere
            if _are_apart([self.archive / WORK, *(folder for folder in own if folder.is_dir())]):
                return "its folders lie on another file system or mount than the archive"
        return ""

    def incoming(self, partner: str, name: str) -> Path:
        return self._of(self.inbox, partner) / from_text(name)

    def outgoing(self, partner: str) -> Path:
        """The folder of a partner's answers."""
        return self._of(self.out, partner)

    def work(self, file_id: int, partner: str) -> Path:
        """The folder that holds an input while it is at work, with what belongs to it."""
        return self.archive / WORK / f"{file_id}.{_short(partner)}"

    def find_partner(self, named: str) -> str | None:
        """The partner for which a work folder is named, None where its name is cut and the inbox has no
        folder that it was cut from.
        """
        if len(os.fsencode(named)) < _LONGEST - 3:  # a cut name lacks no more than a part of one character
            return named
        partners = (to_text(folder.name) for folder in self.inbox.iterdir())
        return next((partner for partner in partners if _short(partner) == named), None)

    def works(self) -> list[Path]:
        """All of them."""
        return _numbered(self.archive / WORK)

    def stage(self, file_id: int, token: int) -> Path:
        """The folder of the answers that the owner with this token makes."""
        return self.archive / STAGE / f"{file_id}.{token}"

    def stages(self, file_id: int | None = None) -> list[Path]:
        """Those of all owners so far, of this file or of all."""
        found = _numbered(self.archive / STAGE)
        return [path for path in found if file_id is None or owner_of(path)[0] == file_id]

    def archived(self, kind: str, on: datetime, partner: str) -> Path:
        """The folder in which what was finished on a day is kept."""
        return self._of(self.archive / kind / f"{on:%Y}" / f"{on:%m}" / f"{on:%d}", partner)

    def find_archived(self, file_id: int, partner: str, name: str, sha256: str | None = None) -> Path | None:
        """Where an input that was finished lies, None where it is not in the archive. Of several, which
        files of different ledgers may be, it is the one with this content.
        """
        found = list(self._find_archived(file_id, partner, name))
        if len(found) > 1:
            found = [path for path in found if _digest_of(path) == sha256]
        return found[0] if found else None

    def _find_archived(self, file_id: int, partner: str, name: str) -> Iterator[Path]:
        for kind in (ACCEPTED, REJECTED, FAILED, DUPLICATE):
            for day in sorted((self.archive / kind).glob("*/*/*")):
                for path in _names_in(self._of(day, partner), file_id, from_text(name)):
                    if not path.is_file():
                        break
                    yield path

    @staticmethod
    def _of(folder: Path, partner: str) -> Path:
        return folder / from_text(partner) if partner else folder


def _numbered(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.name.partition(".")[0].isdecimal()]


def owner_of(folder: Path) -> tuple[int, str]:
    """The id of the file to which a work folder or a stage belongs, and its partner (may be cut) or token."""
    file_id, _, rest = folder.name.partition(".")
    return int(file_id), rest


def archive_name(file_id: int, name: str, again: int = 0) -> str:
    """The name in the archive of an input, or of one of its answers; `name` is that on the disk. `again`
    where so many other files have it, of a ledger that gave the same ids.
    """
    return f"{file_id}{f'.{again + 1}' if again else ''}-{_short(name)}"


def _names_in(folder: Path, file_id: int, name: str) -> Iterator[Path]:
    """The names that an input may have in a folder of the archive, the first one first."""
    return (folder / archive_name(file_id, name, again) for again in count())


def name_in(folder: Path, file_id: int, path: Path) -> Path:
    """Where an input goes in a folder of the archive: no other file has this name. Raises OSError."""
    for target in _names_in(folder, file_id, path.name):
        if not os.path.lexists(target) or os.path.samestat(path.lstat(), target.lstat()):
            return target
    raise AssertionError


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _short(name: str) -> str:
    """A name that leaves room for more: a longer one is cut, and has its digest before its endings.

    A file system takes 255 bytes, and an input may have all of them.
    """
    raw = os.fsencode(name)
    if len(raw) <= _LONGEST:
        return name
    endings = re.search(rb"(?:\.[^.]{1,20}){0,3}\Z", raw)
    assert endings is not None  # it finds at least nothing
    tail = b"-" + hashlib.sha256(raw).hexdigest()[:_DIGEST].encode() + endings[0]
    return raw[: _LONGEST - len(tail)].decode(errors="ignore") + os.fsdecode(tail)


# -- moves


_lasting: set[Path] = set()  # folders whose names this process has flushed


def make_folder(folder: Path, within: Path | None = None) -> None:
    """Make a folder and those above it, to last; its group may do what it may around it. Raises OSError.

    Those in `within` may have been made by a process that was killed before their names would last. It is
    not made itself: where it is gone, the volume that belongs there may come back.
    """
    there = folder.is_dir()
    if there and (folder in _lasting or within is None or folder == within):
        return
    if folder == within:
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", os.fspath(folder))
    make_folder(folder.parent, within)
    if not there:
        folder.mkdir(mode=0o700 | folder.parent.stat().st_mode & 0o070, exist_ok=True)
    flush_folder(folder.parent)
    _lasting.add(folder)


def _are_apart(folders: Sequence[Path]) -> bool:
    """Whether files cannot be renamed from one of these folders to the next. Raises OSError.

    Folders that are mounted one by one look like one file system and are not, so a rename is tried, of a
    file that is not there: nothing changes in folders that others watch.
    """
    name = f".{secrets.token_hex(8)}"
    for one, other in pairwise(folders):
        try:
            (one / name).rename(other / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno == errno.EXDEV:
                return True
            raise
    return len({folder.stat().st_dev for folder in folders}) > 1


def move(source: Path, target: Path) -> None:
    """Rename a file, to last. Where it was moved before and only the old name came back, that goes.

    Raises OSError, also where another file has the name.
    """
    if os.path.lexists(target):
        with contextlib.suppress(FileNotFoundError):
            if not os.path.samestat(source.lstat(), target.lstat()):
                raise FileExistsError(errno.EEXIST, "another file has its name", os.fspath(target))
            source.unlink()  # rename(2) of two names of one file does nothing
    else:
        source.rename(target)
    # Also where it was moved before: who moved it may have been killed before it would last.
    flush_folder(target.parent)
    flush_folder(source.parent)


def share(answer: Path, folder: Path) -> None:
    """Let those read an answer who may take it away: the group, where that may write in the folder.

    A group that is not ours cannot be given; the answer stays with us then. Raises OSError.
    """
    there = folder.stat()
    if not there.st_mode & stat.S_IWGRP:
        return
    with contextlib.suppress(OSError):
        os.chown(answer, -1, there.st_gid)
        answer.chmod(0o640)


def link(source: Path, target: Path) -> None:
    """A second name for a file, where it has none yet. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.link(source, target)


def remove_folder(folder: Path) -> None:
    """Take away a folder of our own with what was left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    _lasting.discard(folder)


def remove_empty(folder: Path) -> None:
    """Take away a folder of our own from which all was moved. Raises OSError where something is left."""
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()
    _lasting.discard(folder)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While no other process is in this block for the folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # where the file system has no locks, runs are not kept apart
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def free_stem(folder: Path, stem: str, taken: Iterable[str], file_id: int) -> str:
    """The stem for the names of a file's answers: its own, or with its id where a file has such a name."""
    names = {name.casefold() for name in (*taken, *(path.name for path in folder.iterdir()))}
    own = {f"{stem}.{ending}".casefold() for ending in ENDINGS}
    return f"{stem}.{file_id}" if own & names else stem
