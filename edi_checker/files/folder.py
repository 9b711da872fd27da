"""The folder that takes the files of a run: those of one input appear together, none beside an old one."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from edi_checker.files.output import open_own, sync_folder

try:
    import fcntl
except ImportError:  # on Windows, where runs are not kept apart
    fcntl = None  # type: ignore[assignment]

_STAGE = ".edi-checker-stage-"
_PATIENCE = 5.0  # seconds to wait for another run that swaps the files of an input
_PAUSE = 0.01
_BUFFER = 1 << 16  # bytes


class Busy(Exception):
    """Another run works in this folder."""


class Stage:
    """The files of one input while they are made, by ending, in a folder of their own; without one, no files.

    digests  SHA-256 of each file that is whole
    """

    def __init__(self, folder: Path = Path()) -> None:
        self.folder = folder
        self.digests: dict[str, str] = {}
        self.lying: set[str] = set()  # what has not gone to its place

    @contextlib.contextmanager
    def write(self, ending: str) -> Iterator[BinaryIO]:
        """A stream whose content is the file with this ending when the block ends well. Raises OSError."""
        path = self.folder / ending
        handle = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self.lying.add(ending)
        try:
            with os.fdopen(handle, "wb", _BUFFER) as file:
                hashed = _Hashed(file)
                yield cast(BinaryIO, hashed)
                file.flush()
                os.fsync(handle)
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self.digests[ending] = hashed.digest()


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
        self._kept: _KeptStage | None = None
        self._keeps = True  # not in a process that nobody tells of the end of the run
        path.mkdir(parents=True, exist_ok=True)
        self._handle = _open_folder(path)
        try:
            _lock(self._handle, _PATIENCE)
            self._sweep()
            if not alone:
                _unlock(self._handle)
        except BaseException:
            _close(self._handle)
            raise

    def __enter__(self) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """For another process of the same run, which has no lock of its own on the folder."""
        return {**self.__dict__, "_handle": _NONE, "_kept": None, "_keeps": False}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept is not None:
            self._kept.remove()
        if self._alone:
            self._sweep()  # what workers left
        _close(self._handle)

    @contextlib.contextmanager
    def stage(self) -> Iterator[Stage]:
        """A stage for the files of one input; what is left in it goes when the block ends. Raises OSError."""
        kept, self._kept = self._kept, None
        if kept is None or not kept.is_ours():
            kept = _KeptStage.make(self.path)
        stage = Stage(kept.folder)
        try:
            yield stage
        finally:
            # To make one for each of many small files would take longer than to write some of them.
            if stage.lying or not self._keeps:
                kept.remove()
            else:
                self._kept = kept

    def publish(self, stage: Stage, name: str, asked: Sequence[str], others: Sequence[str]) -> Published:
        """Put the files of a stage in their places, NAME.ENDING, and take away what an earlier run left.
        Without a name they are files of the whole run, and ENDING is all of theirs.

        `asked` are the endings that this run writes: whatever else lies at such a name goes. `others` are
        those that another run may have written: as nobody knows whose they are, they stay and are named.
        Where something goes wrong, none of the files stays, old or new.
        """
        done = Published()
        begin = str(self.path / f"{name}.")
        places = {ending: f"{begin}{ending}" if name else str(self.path / ending) for ending in asked}
        try:
            with self._swapping():
                for ending, place in places.items():
                    if ending not in stage.digests:
                        self._take_away(place)
                for ending in stage.digests:
                    (stage.folder / ending).replace(places[ending])
                    stage.lying.discard(ending)
                sync_folder(self.path)
        except (OSError, Busy) as error:
            why = "another run is at work in this folder" if isinstance(error, Busy) else error.strerror
            done.troubles.append(say_unwritten(places[asked[0]], why, of="input" if name else "run"))
            for ending in asked if not isinstance(error, Busy) else ():
                with contextlib.suppress(OSError):
                    self._take_away(places[ending])
            left = [places[ending] for ending in asked if os.path.lexists(places[ending])]
            done.troubles.extend(f"{place} is not of this run" for place in left)
        beside = [f"{name}.{ending}" for ending in others if os.path.lexists(f"{begin}{ending}")]
        if beside:
            done.notes.append(f"not of this run, and left in {self.path}: {', '.join(beside)}")
        return done

    def _take_away(self, place: str) -> None:
        if os.path.lexists(place) and os.path.realpath(place) not in self._inputs:
            Path(place).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _swapping(self) -> Iterator[None]:
        """While no other run swaps files. Raises Busy where one keeps the folder for itself."""
        if self._alone:
            yield
            return
        _lock(self._handle, _PATIENCE)
        try:
            yield
        finally:
            _unlock(self._handle)

    def _sweep(self) -> None:
        """Take away the stages of runs that were killed."""
        for left in self.path.glob(f"{_STAGE}*"):
            with contextlib.suppress(OSError, Busy):
                if left.is_symlink():
                    continue
                handle = _open_folder(left)
                try:
                    _lock(handle, 0)
                    shutil.rmtree(left, ignore_errors=True)
                finally:
                    _close(handle)


@dataclass(frozen=True, slots=True)
class _KeptStage:
    """A folder for stages, locked so that nobody takes it for one that was left."""

    folder: Path
    handle: int
    process: int

    @classmethod
    def make(cls, within: Path) -> Self:
        """Raises OSError."""
        folder = Path(tempfile.mkdtemp(prefix=_STAGE, dir=within))
        handle = _NONE
        try:
            handle = _open_folder(folder)
            _lock(handle, 0)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            _close(handle)
            raise
        return cls(folder, handle, os.getpid())

    def is_ours(self) -> bool:
        """Whether this process made it, and it still lies there."""
        if self.process != os.getpid():
            return False  # known from the process that this one was forked from
        try:
            there = self.folder.lstat()
            return stat.S_ISDIR(there.st_mode) and (
                self.handle == _NONE or os.path.samestat(there, os.fstat(self.handle))
            )
        except OSError:
            return False

    def remove(self) -> None:
        if self.process == os.getpid():
            shutil.rmtree(self.folder, ignore_errors=True)
            _close(self.handle)


# A lock on a folder. Where the system or the file system has none, runs are not kept apart.

_NONE = -1


def _open_folder(path: Path) -> int:
    """A handle to lock the folder by. Raises OSError."""
    if fcntl is None:
        return _NONE
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _lock(handle: int, seconds: float) -> None:
    """Lock it, waiting so long at most. Raises Busy."""
    end = time.monotonic() + seconds
    while handle != _NONE:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Busy from None
            time.sleep(_PAUSE)
        except OSError:
            return
        else:
            return


def _unlock(handle: int) -> None:
    with contextlib.suppress(OSError):
        if handle != _NONE:
            fcntl.flock(handle, fcntl.LOCK_UN)


def _close(handle: int) -> None:
    if handle != _NONE:
        os.close(handle)


def say_unwritten(place: Path | str, why: str | None, of: str = "input") -> str:
    """That the files of an input, or of a run, could not be made; `place` is the first of them."""
    said = f"{place} and the other files of this {of} cannot be written: {why}"
    return f"{said}; none of them is there"


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a regular file, None where it cannot be read or lies there no more."""
    with contextlib.suppress(OSError):
        handle = open_own(path, os.O_RDONLY)
        with os.fdopen(handle, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return None
