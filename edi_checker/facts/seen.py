"""Holds what earlier claims of an input were: numbers by digest, and texts, most of them on disk."""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

from edi_checker.guide import native

_SPREAD = 20  # bits of the product that say least
_FIRST = 1 << 9  # places
_IN_MEMORY = 1 << 20  # bytes of texts
_PIECE = 1 << 10


class DigestsInPython:
    """As native.Digests: numbers by digests of 8 bytes (never 0), in tables that grow with their count, 24 to
    48 bytes each. Nobody can choose digests that stand in each other's way: the places follow from `secret`.
    """

    def __init__(self, secret: int) -> None:
        self._odd = secret | 1
        self._count = 0
        # Open addressing: 0 is a free place.
        self._digests = array("Q", bytes(8 * _FIRST))
        self._numbers = array("q", bytes(8 * _FIRST))

    def __len__(self) -> int:
        return self._count

    def get(self, digest: int) -> int | None:
        """The number under a digest; None where there is none."""
        place = self._find(digest)
        return self._numbers[place] if self._digests[place] else None

    def put(self, digest: int, number: int) -> int | None:
        """Put a number under a digest; the one that stood there."""
        place = self._find(digest)
        there, before = self._digests[place], self._numbers[place]
        self._numbers[place] = number
        if there:
            return before
        self._digests[place] = digest
        self._count += 1
        if 3 * self._count > 2 * len(self._digests):
            self._grow()
        return None

    def _find(self, digest: int) -> int:
        digests = self._digests
        last = len(digests) - 1
        place = digest * self._odd >> _SPREAD & last
        while (there := digests[place]) and there != digest:
            place = place + 1 & last
        return place

    def _grow(self) -> None:
        digests, numbers = self._digests, self._numbers
        self._digests = array("Q", bytes(16 * len(digests)))
        self._numbers = array("q", bytes(16 * len(digests)))
        for digest, number in zip(digests, numbers, strict=True):
            if digest:
                place = self._find(digest)
                self._digests[place], self._numbers[place] = digest, number


Digests = native.Digests if native.IN_USE else DigestsInPython


def make_digests() -> native.Digests | DigestsInPython:
    """An empty table."""
    return Digests(int.from_bytes(os.urandom(8)))


class Texts:
    """Texts one behind the other, each with an end of its own; but for the last ones they lie in a temporary
    file. Where that cannot be written they stay in memory.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._in_file = 0
        self._last = bytearray()
        self._most = _IN_MEMORY

    def __len__(self) -> int:
        """Bytes of all texts."""
        return self._in_file + len(self._last)

    def add(self, text: bytes) -> None:
        """Add a text, as a whole: where it begins is the length before."""
        self._last += text
        if len(self._last) >= self._most:
            self._move()

    def read(self, begin: int, end: bytes, head: int = 0) -> bytes:
        """What stands from there up to the next `end`, which is not looked for in the first `head` bytes.
        Raises OSError.
        """
        if begin >= self._in_file:
            begin -= self._in_file
            return bytes(self._last[begin : self._last.index(end, begin + head)])
        assert self._file is not None
        self._file.seek(begin)
        text = b""
        while (at := text.find(end, head)) < 0:
            piece = self._file.read(_PIECE)
            if not piece:
                raise OSError("a temporary file is shorter than it was")
            text += piece
        return text[:at]

    def change(self, place: int, byte: int) -> None:
        """Put a byte in the place of another. Raises OSError."""
        if place >= self._in_file:
            self._last[place - self._in_file] = byte
            return
        assert self._file is not None
        self._file.seek(place)
        self._file.write(bytes([byte]))

    def _move(self) -> None:
        """Move what is in memory into the file; where the disk does not take it, more stays in memory."""
        try:
            if self._file is None:
                self._file = TemporaryFile(buffering=0)  # noqa: SIM115  # goes with this object
            self._file.seek(self._in_file)
            written = self._file.write(self._last)
        except OSError:
            written = 0
        if written == len(self._last):
            self._in_file += written
            self._last.clear()
            self._most = _IN_MEMORY
        else:
            self._most = 2 * len(self._last)

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            if self._file is not None:
                self._file.close()
