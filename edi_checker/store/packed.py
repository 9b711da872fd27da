"""A release of a table as one file of sorted records of equal size, looked up where it lies on disk.

Layout: the magic line, the length of the head (4 bytes, big end first), the head (JSON), then the records. A
record is key, first and last day (CCYYMMDD, 4 bytes each), payload, and the number of its text among the texts of
the head (2 bytes). Keys are ASCII and padded with blanks, so that the order of the bytes is the order of the codes.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"edi-checker table 1\n"
NO_END = 99991231
MAX_ROWS = 20_000_000
MAX_TEXTS = 4096
_MAX_HEAD = 1 << 22
_LENGTH = struct.Struct(">I")
_GROUP = 5  # leading bytes of the key by which rows are put together while they come in


class Damaged(Exception):
    """A packed file is not what was written."""


class Overfull(Exception):
    """More rows or texts than any of these tables has."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Bytes of a key and of a payload."""

    key: int
    payload: int

    def record(self) -> struct.Struct:
        return struct.Struct(f">{self.key}sII{self.payload}sH")


@dataclass(frozen=True, slots=True)
class Record:
    """A row: it holds from `first` to `last` (CCYYMMDD), both included; `last` is NO_END for an open end."""

    key: str
    first: int
    last: int
    payload: str
    text: str


class Packer:
    """Takes rows in any order, and writes them sorted, each once.

    Memory is that of the records themselves, about 21 bytes for a row of the largest table.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._pack = shape.record().pack
        self._groups: dict[bytes, bytearray] = {}
        self._texts: dict[str, int] = {}
        self._firsts: set[int] = set()
        self._lasts: set[int] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def earliest(self) -> int:
        """The first day on which some row holds; NO_END where there is no row."""
        return min(self._firsts, default=NO_END)

    def latest(self) -> int:
        """The last of the days on which some row begins; 0 where there is no row."""
        return max(self._firsts, default=0)

    def add(self, key: bytes, first: int, last: int, payload: bytes, text: str) -> None:
        """Raises Overfull."""
        number = self._texts.get(text)
        if number is None:
            if len(self._texts) == MAX_TEXTS:
                raise Overfull(f"more than {MAX_TEXTS:,} different texts")
            number = self._texts[text] = len(self._texts)
        self._firsts.add(first)
        self._lasts.add(last)
        group = self._groups.get(key[:_GROUP])
        if group is None:
            group = self._groups[key[:_GROUP]] = bytearray()
        group += self._pack(key.ljust(self._shape.key), first, last, payload, number)
        self._count += 1
        if self._count > MAX_ROWS:
            raise Overfull(f"more than {MAX_ROWS:,} rows")

    def write(self, stream: BinaryIO) -> int:
        """Write the file; return the number of rows in it. The packer is empty afterwards."""
        size = self._shape.record().size
        rows = 0
        for name, group in self._groups.items():
            records = {bytes(group[at : at + size]) for at in range(0, len(group), size)}
            rows += len(records)
            self._groups[name] = bytearray(b"".join(sorted(records)))
        # The day after a row's end need not be in the calendar: it only has to sort between two that are.
        turns = sorted(self._firsts | {last + 1 for last in self._lasts if last != NO_END})
        head = {
            "key": self._shape.key,
            "payload": self._shape.payload,
            "rows": rows,
            "texts": list(self._texts),
            "turns": turns,
        }
        written = json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        stream.write(MAGIC + _LENGTH.pack(len(written)) + written)
        for name in sorted(self._groups):
            stream.write(self._groups.pop(name))
        return rows


class Packed:
    """A packed file, open for look-up. The system shares its pages among the processes that have it open.

    Raises Damaged where the file is none, or is cut.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        try:
            with path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                start = stream.read(len(MAGIC) + _LENGTH.size)
                if size == 0 or start[: len(MAGIC)] != MAGIC or len(start) != len(MAGIC) + _LENGTH.size:
                    raise Damaged(f"{path}: not a table of this program")
                (length,) = _LENGTH.unpack(start[len(MAGIC) :])
                head = json.loads(stream.read(min(length, _MAX_HEAD)))
                self._start = len(start) + length
                self.rows: int = int(head["rows"])
                self.turns: tuple[int, ...] = tuple(map(int, head["turns"]))
                self._texts: list[str] = list(map(str, head["texts"]))
                found = Shape(int(head["key"]), int(head["payload"]))
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise Damaged(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError):
            raise Damaged(f"{path}: damaged") from None
        self._record = shape.record()
        if found != shape or size != self._start + self.rows * self._record.size:
            raise Damaged(f"{path}: damaged")
        self._path = path

    def find(self, prefix: str) -> Iterator[Record]:
        """The rows whose keys begin so, in order. A text that no key can hold finds none."""
        if not prefix.isascii():
            return
        wanted = prefix.encode("ascii")
        size, start, view = self._record.size, self._start, self._map

        def key(index: int) -> bytes:
            at = start + index * size
            return view[at : at + len(wanted)]

        index = bisect_left(range(self.rows), wanted, key=key)
        while index < self.rows and key(index) == wanted:
            found, first, last, payload, text = self._record.unpack_from(view, start + index * size)
            try:
                yield Record(
                    found.decode("ascii").rstrip(" "), first, last, payload.decode("ascii"), self._texts[text]
                )
            except (UnicodeDecodeError, IndexError):
                raise Damaged(f"{self._path}: damaged") from None
            index += 1
