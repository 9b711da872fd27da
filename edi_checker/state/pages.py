"""How lines of history lie in a run: pages by the first bits of their keys, and a filter of the keys.

A page: how many entries it has (4 bytes, big end first), their keys, sorted; for each entry the number of
its file, its place, its claim, and where its text ends (the first bit: it is a void); then all texts.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from edi_checker.state.errors import StateError
from edi_checker.state.keys import KEY_BYTES

_COUNT = struct.Struct(">I")
_META = struct.Struct(">II8sI")
_VOID = 1 << 31
_PER_PAGE = 64
_MOST_BITS = 24
_HEAD = 32  # first bits of a key, of which some name its page
_FILTER_BITS = 12  # for an entry, at least: about one in a hundred keys that are not there seems to be


class Line(NamedTuple):
    """An entry in its run; `number` is that of its file, less the base of the run."""

    key: bytes
    number: int
    place: int
    claim: bytes
    void: bool
    packed: bytes


def order(line: Line) -> tuple[bytes, int, int]:
    """By key, and then as they were committed."""
    return line[:3]


class Filter:
    """Whether a key may be in a run: three bits for each key, in a bit field that is a power of two long."""

    def __init__(self, bits: bytearray | bytes) -> None:
        self.bits = bits
        self._mask = len(bits) * 8 - 1

    @classmethod
    def empty(cls, entries: int) -> Filter:
        return cls(bytearray(max(8, 1 << (entries * _FILTER_BITS - 1).bit_length() >> 3)))

    def add(self, key: bytes) -> None:
        assert isinstance(self.bits, bytearray)
        at, step = int.from_bytes(key[8:12]), int.from_bytes(key[12:]) | 1
        for bit in (at, at + step, at + 2 * step):
            bit &= self._mask  # noqa: PLW2901  # the same bit, within the field
            self.bits[bit >> 3] |= 1 << (bit & 7)

    def sift(self, probes: Iterable[Probe]) -> list[Probe]:
        """Those of the keys that may be in the run."""
        bits, mask = self.bits, self._mask
        return [
            probe
            for probe in probes
            if bits[((at := probe[2]) & mask) >> 3] >> (at & 7) & 1
            and bits[((at := at + probe[3]) & mask) >> 3] >> (at & 7) & 1
            and bits[((at := at + probe[3]) & mask) >> 3] >> (at & 7) & 1
        ]


# A key, its first bits, and where its bits in a filter begin and how far they are from each other; no
# NamedTuple, because a great many are made.
Probe = tuple[bytes, int, int, int]


def probes_of(keys: Collection[bytes]) -> list[Probe]:
    """What pages and filters are asked with, for keys that are all different."""
    words = struct.unpack(f">{len(keys) * KEY_BYTES // 4}I", b"".join(keys))
    return list(zip(keys, words[::4], words[2::4], [word | 1 for word in words[3::4]], strict=True))


def bits_for(entries: int) -> int:
    """How many first bits of a key name its page, for so many entries."""
    return min((entries // _PER_PAGE).bit_length(), _MOST_BITS)


def page_of(key: bytes, bits: int) -> int:
    return int.from_bytes(key[:4]) >> (_HEAD - bits)


def pages_of(probes: Iterable[Probe], bits: int, first: int) -> Iterator[tuple[int, bytes]]:
    """The page of each key, counted from `first`, and the key."""
    shift = _HEAD - bits
    return ((first + (probe[1] >> shift), probe[0]) for probe in probes)


def write_pages(lines: Iterable[Line], bits: int, keys: Filter) -> Iterator[tuple[int, bytes]]:
    """Sorted lines as pages, and their keys in the filter."""
    page, held = -1, list[Line]()
    for line in lines:
        at = page_of(line.key, bits)
        if at != page:
            if held:
                yield page, _write_page(held)
            page, held = at, []
        held.append(line)
        keys.add(line.key)
    if held:
        yield page, _write_page(held)


def count(data: bytes) -> int:
    """How many lines a page has."""
    return int(_COUNT.unpack_from(data)[0])


def read_page(data: bytes) -> Iterator[Line]:
    """All lines of a page."""
    lines = count(data)
    yield from _read_lines(data, lines, 0, lines, 0)


def find_in_page(data: bytes, key: bytes, base: int = 0) -> list[Line]:
    """The lines of a page with this key, with `base` added to their numbers."""
    lines = count(data)
    end = _COUNT.size + lines * KEY_BYTES
    at = data.find(key, _COUNT.size, end)
    while at >= 0 and (at - _COUNT.size) % KEY_BYTES:
        at = data.find(key, at + 1, end)
    if at < 0:
        return []
    first = (at - _COUNT.size) // KEY_BYTES
    last = first + 1
    while data.startswith(key, at + KEY_BYTES, end):
        last, at = last + 1, at + KEY_BYTES
    return list(_read_lines(data, lines, first, last, base))


def _write_page(lines: list[Line]) -> bytes:
    keys, metas, texts = [], [], []
    end = 0
    for line in lines:
        end += len(line.packed)
        if end >= _VOID:
            raise StateError("too much history under one key")
        keys.append(line.key)
        metas.append(_META.pack(line.number, line.place, line.claim, end | (_VOID if line.void else 0)))
        texts.append(line.packed)
    return b"".join((_COUNT.pack(len(lines)), *keys, *metas, *texts))


def _read_lines(data: bytes, lines: int, first: int, last: int, base: int) -> Iterator[Line]:
    metas = _COUNT.size + lines * KEY_BYTES
    texts = metas + lines * _META.size
    begin = 0
    if first:
        begin = _META.unpack_from(data, metas + (first - 1) * _META.size)[3] & ~_VOID
    for at in range(first, last):
        number, place, claim, end = _META.unpack_from(data, metas + at * _META.size)
        key = data[_COUNT.size + at * KEY_BYTES : _COUNT.size + (at + 1) * KEY_BYTES]
        void, end = bool(end & _VOID), end & ~_VOID
        yield Line(key, number + base, place, claim, void, data[texts + begin : texts + end])
        begin = end
