"""Files that appear whole or not at all, readable by their owner alone."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose content becomes the file `path` when the block ends well.

    Written beside `path` with mode 0600, flushed to the disk and renamed; when the block raises, whatever
    stood at `path` before stays as it was. A path that is no regular file (a pipe, `/dev/null`) is written
    directly.
    Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    path = Path(
        os.path.realpath(path)
    )  # a symbolic link stays a link; Path.resolve raises where it has no end
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
    with contextlib.suppress(OSError):  # there are systems where a folder cannot be flushed
        flush_folder(path.parent)


@contextlib.contextmanager
def open_text(stream: BinaryIO) -> Iterator[TextIO]:
    """The binary stream as UTF-8 text with plain line feeds; it stays open."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    try:
        yield text
    finally:
        text.detach()


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last through a loss of power. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
