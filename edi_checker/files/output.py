"""Files that appear whole or not at all, readable by their owner alone; links and pipes are not followed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose content becomes the file `path` when the block ends well.

    Written beside `path` with mode 0600, flushed to the disk and renamed; when the block raises, whatever
    stood at `path` before stays as it was. A link or a pipe at `path` is replaced, not followed.
    Raises OSError.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def write_named(path: Path) -> Iterator[BinaryIO]:
    """As write_whole, for a path that a user names: its links are followed, and what is no regular file (a
    pipe, `/dev/stdout`) is written directly.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    # A link stays a link; Path.resolve raises where it has no end.
    with write_whole(Path(os.path.realpath(path))) as stream:
        yield stream


# Without O_NONBLOCK a pipe would wait for somebody who writes. Windows has neither these links nor pipes.
_OWN = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def open_own(path: Path, flags: int) -> int:
    """The handle of a regular file that the program keeps for itself, opened with `flags` of os.open.

    Raises OSError, also where a link, a pipe or a device lies there.
    """
    handle = os.open(path, flags | _OWN, 0o600)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return handle


@contextlib.contextmanager
def open_text(stream: BinaryIO) -> Iterator[TextIO]:
    """The binary stream as UTF-8 text with plain line feeds; it stays open."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    try:
        yield text
    finally:
        text.detach()


def sync_folder(folder: Path) -> None:
    """As flush_folder, where a folder can be flushed: there are systems where it cannot."""
    with contextlib.suppress(OSError):
        flush_folder(folder)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last through a loss of power. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
