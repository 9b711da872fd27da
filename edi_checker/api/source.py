"""What a caller gives to be checked, as an input: a path, bytes, or a stream that stays the caller's own."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from edi_checker.api.arguments import AnyPath
from edi_checker.files.inputs import STDIN, Input, find_inputs, take_stream

_FIRST = 1 << 16


class Readable(Protocol):
    """A binary stream: a file, a request's body, a member of an archive."""

    def read(self, size: int, /) -> bytes: ...


Source: TypeAlias = AnyPath | bytes | bytearray | memoryview | Readable


class CallersStream(io.RawIOBase):
    """Reads from a stream of the caller, never closes it, and keeps what it raises.

    The first bytes are read at once, so that what is no binary stream fails where it is given.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._error: Exception | None = None
        self._left = _bytes_of(stream.read(_FIRST))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._left:
            try:
                self._left = _bytes_of(self._stream.read(len(buffer)))
            except Exception as error:
                self._error = error
                raise OSError(errno.EIO, "the stream cannot be read") from error
        now = self._left[: len(buffer)]
        self._left = self._left[len(now) :]
        buffer[: len(now)] = now
        return len(now)

    def raise_error(self) -> None:
        """Raise what the stream raised, where it did."""
        if self._error is not None:
            raise self._error


def _bytes_of(data: object) -> bytes:
    if isinstance(data, str):
        raise TypeError("a binary stream is expected, not one of text: open the file with mode 'rb'")
    if data is None:
        raise BlockingIOError(errno.EAGAIN, "a stream that waits for its data is expected")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"a binary stream is expected, not one that gives {type(data).__name__}")
    return bytes(data)


def find_source(source: Source) -> tuple[Input, CallersStream | None]:
    """The input, and the stream of the caller behind it.

    Raises TypeError for what is none of these, FileNotFoundError and other OSErrors for a path that cannot be
    opened, ValueError for an archive of several files.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return take_stream(io.BytesIO(data), len(data)), None  # type: ignore[arg-type]  # raw enough to buffer
    if isinstance(source, str | os.PathLike):
        return _find_file(source), None
    if isinstance(source, io.TextIOBase):
        raise TypeError("a binary stream is expected, not one of text: open the file with mode 'rb'")
    if not callable(getattr(source, "read", None)):
        raise TypeError(f"a path, bytes or a binary stream is expected, not {type(source).__name__}")
    stream = CallersStream(source)
    return take_stream(stream, None), stream


def _find_file(path: AnyPath) -> Input:
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError("a path is text, not bytes; claims as bytes are given without a path")
    if not text:
        raise ValueError("the path is empty")
    if text.lstrip("\ufeff \r\n\t")[:4].upper() == "ISA*" or "\n" in text:
        raise ValueError("a text is taken for a path; give the content of a file as bytes: text.encode()")
    mode = os.stat(text).st_mode  # noqa: PTH116  # Path makes `./-` the name of standard input again
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder; check each of its files", text)
    if stat.S_ISREG(mode):
        Path(text).open("rb").close()  # whoever may not read it hears so at once
    inputs = list(find_inputs(["./-" if text == STDIN else text]))
    if len(inputs) > 1:
        raise ValueError(f"{text} holds {len(inputs)} files; open it with zipfile and check each member")
    return inputs[0]
