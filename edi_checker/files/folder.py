"""The folder that takes the files of a run: those of one input appear together, none beside an old one."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from edi_checker.files.output import open_own, sync_folder

OWN = ".edi-checker"  # folder within it for what the program keeps for itself
_MOST_NOTES = 1 << 25  # bytes of the list of files that are read back
_MOST_WRITINGS = 4  # of one file that are remembered


class Busy(Exception):
    """Another run works in this folder."""


class Stage:
    """The files of one input while they are made, by ending, in a folder of their own.

    digests  SHA-256 of each file that is whole
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}

    @contextlib.contextmanager
    def write(self, ending: str) -> Iterator[BinaryIO]:
        """A stream whose content is the file with this ending when the block ends well. Raises OSError."""
        path = self.folder / ending
        handle = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with os.fdopen(handle, "wb") as file:
                hashed = _Hashed(file)
                yield cast(BinaryIO, hashed)
                file.flush()
                os.fsync(handle)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self.digests[ending] = hashed.digest()

    def clear(self) -> None:
        """Let none of the files be published."""
        self.digests.clear()


class _Hashed(io.BufferedIOBase):
    """Writes on into a file, and hashes what it writes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._sha256.update(data)
        return self._file.write(data)

    def digest(self) -> str:
        return self._sha256.hexdigest()


@dataclass(frozen=True, slots=True)
class Published:
    """What went wrong when files took their places, and which others lie beside them, a sentence each."""

    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class OutputFolder:
    """A folder of outputs. `alone` keeps all other runs out; without it, runs share the folder and swap the
    files of an input one after the other.

    `inputs` are files to check, by their real paths: they are never taken away. Raises Busy, OSError.
    """

    def __init__(self, path: Path, *, alone: bool = False, inputs: Iterable[str] = ()) -> None:
        self.path = path
        self._alone = alone
        self._inputs = frozenset(inputs)
        self._own = path / OWN
        self._written: dict[tuple[str, str], list[str]] | None = None
        path.mkdir(parents=True, exist_ok=True)
        self._own.mkdir(mode=0o700, exist_ok=True)
        if not stat.S_ISDIR(self._own.lstat().st_mode):
            raise OSError(f"{self._own}: not a folder")
        self._lock = open_own(self._own / "lock", os.O_RDWR | os.O_CREAT)
        try:
            self._enter()
        except BaseException:
            os.close(self._lock)
            raise

    def _enter(self) -> None:
        try:
            # Nobody else is there: what killed runs left goes.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sweep()
        except BlockingIOError:
            if self._alone:
                raise Busy from None
        if not self._alone:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._alone:
            self._sweep()  # what workers left that were killed
        os.close(self._lock)

    @contextlib.contextmanager
    def stage(self) -> Iterator[Stage]:
        """A stage for the files of one input; it goes when the block ends. Raises OSError."""
        folder = Path(tempfile.mkdtemp(prefix="stage-", dir=self._own))
        try:
            yield Stage(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, stage: Stage, name: str, asked: Sequence[str], others: Sequence[str]) -> Published:
        """Put the files of a stage in their places, NAME.ENDING, and take away what an earlier run left.

        `asked` are the endings that this run writes: whatever else lies at such a name goes. `others` are
        those that another run may have written: such a file goes if it is as one was written here, and is
        named otherwise. Where something goes wrong, none of the files stays, old or new.
        """
        done = Published()
        places = {ending: self.path / f"{name}.{ending}" for ending in (*asked, *others)}
        try:
            with self._swapping():
                self._note(name, stage.digests)
                for ending, place in places.items():
                    if ending not in stage.digests and os.path.lexists(place):
                        self._take_away(name, ending, place, done, is_asked=ending in asked)
                for ending in stage.digests:
                    (stage.folder / ending).replace(places[ending])
                sync_folder(self.path)
        except OSError as error:
            done.troubles.append(say_unwritten(places[asked[0]], error))
            for ending in asked:
                with contextlib.suppress(OSError):
                    places[ending].unlink(missing_ok=True)
                if os.path.lexists(places[ending]):
                    done.troubles.append(f"{places[ending]} is not of this run, and cannot be taken away")
        return done

    def _take_away(self, name: str, ending: str, place: Path, done: Published, *, is_asked: bool) -> None:
        if os.path.realpath(place) in self._inputs:
            return
        if is_asked or self._is_ours(name, ending, place):
            place.unlink()
        else:
            done.notes.append(f"{place} lay there before and is not of this run")

    @contextlib.contextmanager
    def _swapping(self) -> Iterator[None]:
        """While no other run swaps files."""
        handle = open_own(self._own / "swap", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    # -- which files were written here

    def _note(self, name: str, digests: Mapping[str, str]) -> None:
        """Noted before they take their places, so that they are known whenever the process ends."""
        if digests:
            line = json.dumps({"name": name, "files": digests}).encode() + b"\n"
            handle = open_own(self._notes(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

    def _is_ours(self, name: str, ending: str, place: Path) -> bool:
        if self._written is None:
            self._written = {}
            for row in self._read_notes():
                with contextlib.suppress(KeyError, TypeError, AttributeError):
                    for each, digest in row["files"].items():
                        known = self._written.setdefault((row["name"], each), [])
                        known.append(digest)
                        del known[:-_MOST_WRITINGS]
        known = self._written.get((name, ending), [])
        return bool(known) and digest_of(place) in known

    def _read_notes(self) -> Iterator[Any]:
        with contextlib.suppress(OSError):
            handle = open_own(self._notes(), os.O_RDONLY)
            with os.fdopen(handle, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_NOTES))
                for line in file:
                    with contextlib.suppress(ValueError):
                        yield json.loads(line)

    def _notes(self) -> Path:
        return self._own / "files.jsonl"

    def _sweep(self) -> None:
        for left in self._own.glob("stage-*"):
            shutil.rmtree(left, ignore_errors=True)
        with contextlib.suppress(OSError):
            if self._notes().lstat().st_size > 2 * _MOST_NOTES:
                kept = [json.dumps(row) for row in self._read_notes()]
                self._notes().unlink()
                handle = open_own(self._notes(), os.O_WRONLY | os.O_CREAT)
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write("\n".join(kept) + "\n")


def say_unwritten(place: Path, error: OSError) -> str:
    """That the files of an input could not be made; `place` is the first of them."""
    said = f"{place} and the other files of this input cannot be written: {error.strerror}"
    return f"{said}; none of them is there"


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a regular file, None where it cannot be read or lies there no more."""
    with contextlib.suppress(OSError):
        handle = open_own(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return None
