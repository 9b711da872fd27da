"""A release of a table as one file of sorted records of equal size, looked up where it lies on disk.

Layout: the magic line, the length of the head (4 bytes, big end first), the head (JSON), the records, the
index. A record is key, first and last day (CCYYMMDD, 4 bytes each), payload, and the number of its text
among the texts of the head (2 bytes). Keys are ASCII and padded with blanks, so that the order of the bytes
is the order of the codes. An entry of the index is the first five bytes of a key, and the number of the
first record that begins so (4 bytes).
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

from edi_checker.files.output import open_own
from edi_checker.x12.dates import NO_END

MAGIC = b"edi-checker table 1\n"
MAX_ROWS = 20_000_000
MAX_TEXTS = 4096
_MAX_HEAD = 1 << 22
_LENGTH = struct.Struct(">I")
_ENTRY = struct.Struct(">5sI")
_GROUP = 5  # leading bytes of the key that the index has


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


def _identities(records: bytes | bytearray, shape: Shape) -> set[bytes]:
    """Key and first day of each of these records: what tells one row from another."""
    size, length = shape.record().size, shape.key + 4
    return {bytes(records[at : at + length]) for at in range(0, len(records), size)}


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

    def groups(self) -> set[bytes]:
        """The first five bytes of the keys, padded with blanks."""
        return set(self._groups)

    def rows_of(self, group: bytes) -> set[bytes]:
        """Key and first day of each row of a group."""
        return _identities(self._groups.get(group, b""), self._shape)

    def has(self, start: bytes) -> bool:
        """Whether some key begins with these bytes, five at most."""
        return any(group.startswith(start) for group in self._groups)

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
        key = key.ljust(self._shape.key)
        group = self._groups.get(key[:_GROUP])
        if group is None:
            group = self._groups[key[:_GROUP]] = bytearray()
        group += self._pack(key, first, last, payload, number)
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
            "groups": len(self._groups),
            "texts": list(self._texts),
            "turns": turns,
        }
        written = json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        stream.write(MAGIC + _LENGTH.pack(len(written)) + written)
        index = []
        at = 0
        for name in sorted(self._groups):
            group = self._groups.pop(name)
            stream.write(group)
            index.append(_ENTRY.pack(name, at))
            at += len(group) // size
        stream.write(b"".join(index))
        return rows


class Packed:
    """A packed file, open for look-up. The system shares its pages among the processes that have it open.

    `earlier` is a shape that such files had before. Raises Damaged where the file is none, or is cut.
    """

    def __init__(self, path: Path, shape: Shape, earlier: Shape | None = None) -> None:
        try:
            with os.fdopen(open_own(path, os.O_RDONLY), "rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                start = stream.read(len(MAGIC) + _LENGTH.size)
                if size == 0 or start[: len(MAGIC)] != MAGIC or len(start) != len(MAGIC) + _LENGTH.size:
                    raise Damaged(f"{path}: not a table of this program")
                (length,) = _LENGTH.unpack(start[len(MAGIC) :])
                head = json.loads(stream.read(min(length, _MAX_HEAD)))
                self._start = len(start) + length
                self.rows: int = int(head["rows"])
                groups = int(head["groups"])
                self.turns: tuple[int, ...] = tuple(map(int, head["turns"]))
                self._texts: list[str] = list(map(str, head["texts"]))
                self.shape = Shape(int(head["key"]), int(head["payload"]))
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise Damaged(f"{path}: cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Damaged(f"{path}: damaged") from None
        self._record = self.shape.record()
        self._index_at = self._start + self.rows * self._record.size
        if self.shape not in (shape, earlier) or size != self._index_at + groups * _ENTRY.size:
            raise Damaged(f"{path}: damaged")
        self._path = path
        self._index: dict[bytes, tuple[int, int]] | None = None

    def find(self, prefix: str) -> list[Record]:
        """The rows whose keys begin so, in order; at least five characters, padded with blanks.

        Raises Damaged.
        """
        if not prefix.isascii():
            return []
        wanted = prefix.encode("ascii")
        if self._index is None:
            self._index = self._read_index()
        group = self._index.get(wanted[:_GROUP])
        return list(self._within(wanted, *group)) if group is not None else []

    def groups(self) -> set[bytes]:
        """As of Packer."""
        if self._index is None:
            self._index = self._read_index()
        return set(self._index)

    def rows_of(self, group: bytes) -> set[bytes]:
        """As of Packer."""
        if self._index is None:
            self._index = self._read_index()
        begin, end = self._index.get(group, (0, 0))
        size = self._record.size
        return _identities(self._map[self._start + begin * size : self._start + end * size], self.shape)

    def _read_index(self) -> dict[bytes, tuple[int, int]]:
        entries = list(_ENTRY.iter_unpack(self._map[self._index_at :]))
        ends = [at for _, at in entries[1:]] + [self.rows]
        return {name: (at, end) for (name, at), end in zip(entries, ends, strict=False)}

    def _within(self, wanted: bytes, index: int, end: int) -> Iterator[Record]:
        size, start, view = self._record.size, self._start, self._map
        if end > self.rows:
            raise Damaged(f"{self._path}: damaged")

        def key(index: int) -> bytes:
            at = start + index * size
            return view[at : at + len(wanted)]

        index = bisect_left(range(end), wanted, index, end, key=key)
        while index < end and key(index) == wanted:
            yield self._read(index)
            index += 1

    def find_end(self, suffix: str) -> list[Record]:
        """The rows whose keys end so, in order, from a search through the whole file. Raises Damaged."""
        if not suffix.isascii():
            return []
        wanted = suffix.encode("ascii")
        size, shift = self._record.size, self.shape.key - len(wanted)
        found = []
        at = self._map.find(wanted, self._start, self._index_at)
        while at != -1:
            index, offset = divmod(at - self._start, size)
            if offset == shift:
                found.append(self._read(index))
            at = self._map.find(wanted, at + 1, self._index_at)
        return found

    def _read(self, index: int) -> Record:
        row = self._record.unpack_from(self._map, self._start + index * self._record.size)
        key, first, last, payload, text = row
        try:
            return Record(
                key.decode("ascii").rstrip(" "), first, last, payload.decode("ascii"), self._texts[text]
            )
        except (UnicodeDecodeError, IndexError):
            raise Damaged(f"{self._path}: damaged") from None
