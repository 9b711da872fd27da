"""A big input to ranges of whole sets, or of claims of a large one, cut without reading what they say."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from edi_checker.claims.reader import Passed, PassedInSet
from edi_checker.x12.blocks import NotX12, read_blocks

RANGE = 1 << 19  # bytes from which a range ends with the next transaction set
_WITHIN = 2  # times as long it ends with the next subscriber, where no set ends before
LONGEST = 1 << 25  # bytes of one range; an input with a set beyond it that cannot be cut is left whole
_CHUNK = 1 << 20
# Bytes between two marks. Where the reader gives up on a segment or claim depends on how its text is read,
# so on where it begins; a claim of that length is always read.
_READABLE = 1 << 20
# The reader looks this far behind an ISA for the separators that the claims use; with a margin.
_REACH = 1 << 16
_BLANK = b" \t\r\n\f\v\x00\x1a"


class Irregular(Exception):
    """The input cannot be cut without a risk to its findings: it must be checked in one piece."""


class Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Range:
    """BlockView transaction sets or claims of one input, and where they stand in it.

    number        of the range in its input, from 0
    head          what is open where the range begins: ISA and GS, within a set also its header and the
                  billing provider; b"" for the first, which has its own
    text          the range itself; it begins with an ST, within a set with the HL of a subscriber
    after         where the range ends within a set, the block that follows; else b""
    passed        what lies before the range in what is open
    transactions  of the input before the range, without one that is open
    claims        of the input before the range
    sets          that begin in the range
    holds         claims in the range
    last          whether the input ends with it
    """

    number: int
    head: bytes
    text: bytes
    after: bytes
    passed: Passed
    transactions: int
    claims: int
    sets: int
    holds: int
    last: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    """A segment at which something opens or ends; offsets from the begin of the input."""

    kind: bytes
    before: int  # of the terminator before it
    begin: int
    segment: bytes


@dataclass(frozen=True, slots=True)
class _Opener:
    """An HL with its number and level code, or a CLM; `at` is an offset in _data."""

    kind: bytes
    number: bytes
    code: bytes
    at: int


@dataclass(frozen=True, slots=True)
class _OpenSet:
    """What of an open set lies before a place of the input: its header and last provider as text."""

    header: bytes
    provider: bytes
    passed: PassedInSet


def cut_ranges(source: Source, size: int = RANGE) -> Iterator[Range]:
    """The ranges of an input in order, which together are all its bytes.

    Only what is laid out plainly is cut, so that each range, read after its `head`, gives the same parts as
    in the whole. Raises Irregular, also after some ranges, for everything else: odd blanks, delimiters that
    change, control numbers that stand twice, sets outside of a group. Holds one range and one chunk in
    memory.
    """
    return _Cutter(source, size).ranges()


class _Cutter:
    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._data = b""
        self._base = 0  # offset in the input at which _data begins
        self._ended = False
        self._claims = self._transactions = 0
        # The open interchange and group, b"" where none is, and what was in them so far.
        self._isa = self._gs = b""
        self._isa_at = 0
        self._iea_end = -1
        self._groups = self._sets = 0
        self._seen_interchanges: set[tuple[bytes, ...]] = set()
        self._seen_groups: set[bytes] = set()
        self._seen_sets: set[bytes] = set()
        # The open set: where it begins, the claims before it, and what of it lies before _data.
        self._set_at = self._claims_before = 0
        self._open: _OpenSet | None = None

    def ranges(self) -> Iterator[Range]:
        while len(self._data) < _REACH and self._more():
            pass
        isa = self._read_header()
        self._open_interchange(isa, 0)
        number, head, passed, transactions, claims, begun = 0, b"", Passed(0, 0), 0, 0, 0
        for mark in self._marks():
            within = mark.kind == b"CLM"
            at, after = mark.begin, b""
            reach = _REACH + within * self._size  # a set that ends soon is not cut
            long_enough = at - self._base >= self._size and at - self._isa_at >= reach
            if within and long_enough:
                at, after = self._find_subscriber(mark)
            if self._gs and long_enough and (after or mark.kind == b"ST"):
                # The claim at the mark is not of this range.
                counted = self._claims - within
                text = self._data[: at - self._base]
                sets = self._transactions - begun
                yield Range(
                    number, head, text, after, passed, transactions, claims, sets, counted - claims, False
                )
                number += 1
                head = self._isa + self._terminator + self._gs + self._terminator
                passed = Passed(self._groups, self._sets)
                transactions, claims, begun = self._transactions, counted, self._transactions
                if within:
                    self._open = self._look_back(at)
                    head += self._open.header + self._open.provider
                    passed = Passed(self._groups, self._sets - 1, self._open.passed)
                    transactions -= 1
                self._data = self._data[at - self._base :]
                self._base = at
            if not within:
                self._pass(mark)
        sets, holds = self._transactions - begun, self._claims - claims
        yield Range(number, head, self._data, b"", passed, transactions, claims, sets, holds, True)

    def _find_subscriber(self, mark: _Mark) -> tuple[int, bytes]:
        """Where the level of this claim's subscriber begins (offset in the input), and its block.

        b"" where no other claim stands before it: the range cannot end there.
        """
        end = mark.begin - self._base
        found = self._find_openers(max(0, end - _REACH), end)
        at = len(found) - (2 if found and found[-1].code == b"23" else 1)
        if at < 1 or found[at].code != b"22" or found[at - 1].kind != b"CLM":
            return 0, b""
        stop = found[at + 1].at if at + 1 < len(found) else end
        return self._base + found[at].at, self._data[found[at].at : stop]

    def _look_back(self, place: int) -> _OpenSet:
        """What of the open set lies before this place, where a subscriber begins."""
        data, before = self._data, self._open
        begin, end = max(self._set_at, self._base) - self._base, place - self._base
        openers = self._find_openers(begin, end)
        if before is None and openers:
            header = data[begin : openers[0].at]
            before = _OpenSet(header, b"", PassedInSet(0, 0, 0, 1, 0))
        if before is None:
            raise Irregular
        provider, passed = before.provider, before.passed
        above, levels, provider_at = passed.above, passed.levels, passed.provider
        for opener, stop in zip(openers, [*(each.at for each in openers[1:]), end], strict=True):
            if opener.kind != b"HL":
                continue
            if opener.number != str(levels + 1).encode():
                raise Irregular
            levels += 1
            if opener.code == b"20":
                provider = data[opener.at : stop]
                provider_at = passed.position + data.count(self._terminator, begin, opener.at)
                above = levels - 1
        if not provider:
            raise Irregular
        position = passed.position + data.count(self._terminator, begin, end)
        claims = self._claims - 1 - self._claims_before
        return _OpenSet(before.header, provider, PassedInSet(above, levels, provider_at, position, claims))

    def _find_openers(self, begin: int, end: int) -> list[_Opener]:
        """The HL and CLM segments between two offsets in _data."""
        term, element = re.escape(self._terminator), re.escape(self._element)
        other = b"[^%b%b]*" % (term, element)
        pattern = re.compile(
            b"(?:(?<=%b)|\\A)[\r\n]*+(?:(HL)%b(%b)%b%b%b(%b)|(CLM)%b)"
            % (term, element, other, element, other, element, other, element)
        )
        return [
            _Opener(found[1] or found[4], found[2] or b"", found[3] or b"", found.start(1 if found[1] else 4))
            for found in pattern.finditer(self._data, begin, end)
        ]

    def _more(self) -> bool:
        if not self._ended:
            chunk = self._source.read(_CHUNK)
            self._ended = not chunk
            self._data += chunk
            if len(self._data) > LONGEST + _CHUNK:
                raise Irregular
        return not self._ended

    def _read_header(self) -> bytes:
        """The ISA segment at the begin of the input, without terminator; sets the delimiters."""
        try:
            block = next(read_blocks(io.BytesIO(self._data[:_REACH])))
        except NotX12:
            raise Irregular from None
        isa = block.text.encode("utf-8", "replace")
        d = block.delimiters
        self._element, self._terminator = d.element.encode(), d.terminator.encode()
        self._component, self._repetition = d.component.encode(), d.repetition.encode()
        plain = (d.element + d.terminator + d.component + d.repetition).isascii()
        if block.faults or not plain or d.terminator in "\r\n" or not self._data.startswith(isa):
            raise Irregular
        if b"\r" in isa or b"\n" in isa or self._data[len(isa) : len(isa) + 1] != self._terminator:
            raise Irregular
        return isa

    def _marks(self) -> Iterator[_Mark]:
        """Every mark of the input in order, its first ISA aside; counts claims on the way."""
        term, element = re.escape(self._terminator), re.escape(self._element)
        # What follows a terminator in the third group is read by what else stands near it: not cut.
        marks = re.compile(
            b"%b[\r\n]*+(?=[CSGI \t\f\v\x00\x1a]|%b)"
            b"(?:(CLM|ST|GS|GE|IEA)%b|(ISA)[^A-Za-z0-9\\s]|([ \t\f\v\x00\x1a]|%b))"
            % (term, term, element, term)
        )
        at = last = 0
        while True:
            data, base = self._data, self._base
            waits = False
            for found in marks.finditer(data, at - base):
                at = base + found.end()
                if at - last > _READABLE:
                    raise Irregular
                last = at
                if found[1] == b"CLM":
                    self._claims += 1
                    if base + found.start() - self._base >= _WITHIN * self._size:
                        yield _Mark(b"CLM", base + found.start(), base + found.start(1), b"")
                    continue
                kind = found[1] or found[2]
                if kind is None and data[found.start(3) :].strip(_BLANK):
                    raise Irregular
                begin = found.start(1) if found[1] else found.start(2)
                end = data.find(self._terminator, begin) if kind else -1
                if end < 0 and not self._ended:
                    at, waits = base + found.start(), True
                    break
                if kind is None:
                    return
                segment = data[begin : end if end >= 0 else len(data)]
                yield _Mark(kind, base + found.start(), base + begin, segment)
            if base + len(data) - last > _READABLE:
                raise Irregular
            if self._ended:
                return
            if not waits:
                # What follows the last terminator is not known yet.
                at = max(at, base + data.rfind(self._terminator))
            self._more()

    def _pass(self, mark: _Mark) -> None:
        elements = mark.segment.split(self._element)
        if mark.kind == b"ISA":
            if mark.before != self._iea_end:
                raise Irregular
            self._open_interchange(mark.segment, mark.begin)
        elif not self._isa:
            raise Irregular
        elif mark.kind == b"GS":
            _take(self._seen_groups, elements[6:7])
            self._seen_sets.clear()
            self._gs = mark.segment
            self._groups += 1
            self._sets = 0
        elif mark.kind == b"IEA":
            self._isa = self._gs = b""
            self._iea_end = mark.begin + len(mark.segment)
        elif not self._gs:
            raise Irregular
        elif mark.kind == b"GE":
            self._gs = b""
        else:
            _take(self._seen_sets, elements[2:3])
            self._sets += 1
            self._transactions += 1
            self._set_at = mark.begin
            self._claims_before = self._claims
            self._open = None

    def _open_interchange(self, isa: bytes, at: int) -> None:
        elements = isa.split(self._element)
        repetition = elements[11:12]
        if len(elements) != 17 or elements[16] != self._component or repetition != [self._repetition]:
            raise Irregular
        key = tuple(elements[i].strip() for i in (5, 6, 7, 8, 13))
        _take(self._seen_interchanges, [key])
        self._seen_groups.clear()
        self._isa, self._gs = isa, b""
        self._isa_at = at
        self._groups = 0


def _take(seen: set[Any], found: list[Any]) -> None:
    """Add a number that must be there and not have been there before."""
    if not found or found[0] in seen:
        raise Irregular
    seen.add(found[0])
