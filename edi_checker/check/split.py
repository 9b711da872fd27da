"""The claims of one input in two files: those to send as they are, and those to fix first."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from edi_checker.check.checker import is_sent
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Patient,
    Segment,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.facts.triggers import SELF
from edi_checker.x12.blocks import ISA_WIDTHS, Block, Delimiters

_BUFFER = 1 << 18  # bytes of an unfinished file held in memory; what is more goes to a temporary file

# How deep a header stands.
_INTERCHANGE, _GROUP, _TRANSACTION, _PROVIDER, _SUBSCRIBER, _PATIENT, _CLAIM = range(7)
_LEVELS: dict[type, int] = {BillingProvider: _PROVIDER, Subscriber: _SUBSCRIBER, Patient: _PATIENT}

# By the first five characters of a loop's name, the depth of the level that it belongs to.
_LEVEL_LOOPS = {
    "header"[:5]: _TRANSACTION,
    "1000A": _TRANSACTION,
    "1000B": _TRANSACTION,
    "2000A": _PROVIDER,
    "2010A": _PROVIDER,
    "2000B": _SUBSCRIBER,
    "2010B": _SUBSCRIBER,
    "2000C": _PATIENT,
    "2010C": _PATIENT,
}

# The trailer of each, the element of the header that holds its control number, and whether it counts itself.
_TRAILERS = {_INTERCHANGE: ("IEA", 13, 0), _GROUP: ("GE", 6, 0), _TRANSACTION: ("SE", 2, 1)}

_FIRST_MADE = 999_999_999  # control number of the first GS that is made; the next one is one less


class Split(NamedTuple):
    """The two files, as UTF-8 bytes to be read from the start; None for the one without a claim."""

    clean: IO[bytes] | None
    rejected: IO[bytes] | None

    def close(self) -> None:
        """Give back the temporary files."""
        for stream in (self.clean, self.rejected):
            if stream is not None:
                stream.close()


class Splitter:
    """Takes the checked parts of one input in document order, and has the two files at the end.

    Every claim that the checker was given is in one of them, once, under its own interchange, group, set and
    levels; these are written only where a claim below them is. A claim is in the clean file where it, its
    set, its group and its interchange are accepted, and what it stands below is whole: a segment sent too
    early or too late, or a missing HL, spoils also the accepted claims that are not complete without it. One
    that could not be checked is in the other file: nobody knows that it is clean.

    Written as they came, but each on a line of its own: the segments of claims and levels, ISA, GS and ST,
    with the delimiters of the input. Made again: HL01 and HL02, counted; HL04 of a subscriber whose patients
    are all in the other file, and SBR02 of one whose own claims are; SE, GE and IEA, counted, with the number
    of the header that they close; the elements and blanks that an ISA has lost, and ISA16 where the claims
    use another separator; a GS that is missing. Text is written as UTF-8. Left out: what stands outside of
    the headers that it needs, TA1 segments, and what follows a trailer.

    So a check of the clean file finds no error, and a check of the rejected one finds of each claim what was
    found before, but for what compares it with others (a control number used twice, more claims than a
    patient may have, a duplicate) when the other one is in the clean file. Faults of HL01, HL02, ISA and
    trailers are fixed. Where the input breaks off within a claim, that claim is now checked as if it were
    whole.

    Groups and sets of another kind or version hold no claims that are read, and are in neither file.
    Memory does not grow with the input.
    """

    def __init__(self) -> None:
        self._clean, self._rejected = _Side(fixes=True), _Side(fixes=False)
        self._journal = _Journal()
        self._interchange: Interchange | None = None
        # Where in the journal the group, set and subscriber stand that are open.
        self._group: int | None = None
        self._transaction: int | None = None
        self._subscriber: int | None = None
        self._last_claim: tuple[int, Claim] | None = None  # where the part before this one is a claim
        # The depth of a level that is not whole or is missing, and whether its HL is still to come.
        self._doubt: int | None = None
        self._doubt_next = False
        self._made = _FIRST_MADE

    def add(self, checked: Checked) -> None:
        """Take the next part."""
        part, accepted = checked.part, checked.outcome == "accepted"
        last, self._last_claim = self._last_claim, None
        if (
            last is not None
            and isinstance(part, (Claim, Level))
            and part.faults
            and _holds_segment_of(last[1], part)
        ):
            self._journal.say(last[0], False)
        match part:
            case Claim():
                clean = accepted and is_sent(part) and self._doubt is None
                self._last_claim = self._write(_CLAIM, part.block, clean), part
                self._doubt_levels(part, _CLAIM)
            case BillingProvider() | Subscriber() | Patient():
                self._write_level(part)
            case Interchange():
                self._close(accepted=False)
                self._interchange = part
            case Transaction():
                self._open_transaction(part)
            case TransactionEnd():
                if self._transaction is not None:
                    self._journal.say(self._transaction, accepted)
                self._transaction = self._subscriber = None
            case GroupEnd():
                if self._group is not None:
                    self._journal.say(self._group, accepted)
                self._group = None
            case InterchangeEnd():
                self._close(accepted=accepted)
            case _:
                pass  # A group is written with its first set.

    def finish(self) -> Split:
        """The files. What the parts left open is in the rejected one. Call it once."""
        self._close(accepted=False)
        self._journal.close()
        return Split(self._clean.end(), self._rejected.end())

    def close(self) -> None:
        """Give back the temporary files, also those that finish() gave; for a splitter that is let go."""
        self._journal.close()
        self._clean.close_file()
        self._rejected.close_file()

    def _open_transaction(self, part: Transaction) -> None:
        if self._group is None:
            head = part.group.segment
            if not head:
                head = _make_group_header(part, self._made)
                self._made -= 1
            delimiters = part.block.delimiters
            text = delimiters.element.join(head)
            self._group = self._write(_GROUP, Block("GS", text, 0, 0, delimiters))
        self._transaction = self._write(_TRANSACTION, part.block)
        self._doubt = None

    def _doubt_levels(self, part: Claim | Level, depth: int) -> None:
        """Segments of a level above within this part: what follows does not stand below what it should."""
        for fault in part.faults:
            of = _LEVEL_LOOPS.get(fault.loop[:5], depth)
            if of < depth and not fault.element:
                self._doubt = min(of, _PATIENT if self._doubt is None else self._doubt)
                # What stands at the end of a claim belongs to the level of which the HL comes next.
                late = fault.segment == "HL" or 2 * (fault.position - part.position) < len(part.segments)
                self._doubt_next = depth == _CLAIM and not late

    def _write_level(self, part: BillingProvider | Subscriber | Patient) -> None:
        depth = _LEVELS[type(part)]
        if self._doubt is not None and depth <= self._doubt and not self._doubt_next:
            self._doubt = None
        self._doubt_next = False
        self._doubt_levels(part, depth)
        place = self._write(depth, part.block)
        if not isinstance(part, Patient):
            self._subscriber = place if isinstance(part, Subscriber) else None
        elif self._subscriber is not None:
            self._journal.say(self._subscriber, True)

    def _write(self, depth: int, block: Block, accepted: bool = False) -> int:
        """Note the segments of one part as they came; nothing is called accepted before it is known to be."""
        terminator, ending = block.delimiters.terminator, _ending(block.delimiters)
        segments = block.text.count(terminator) + 1
        text = block.text.replace(terminator, ending) + ending
        return self._journal.write(depth, accepted, segments, text.encode())

    def _close(self, *, accepted: bool) -> None:
        """The interchange is over, and with it everything is known: give each claim to its side."""
        interchange, self._interchange = self._interchange, None
        self._group = self._transaction = self._subscriber = None
        if interchange is None:
            return
        sides = (self._clean, self._rejected)
        for side in sides:
            side.open_interchange(interchange)
        verdicts = [accepted, False, False]
        for entry in self._journal.read():
            if entry.depth == _CLAIM:
                for side in sides:
                    side.note_claim()
                (self._clean if entry.said and all(verdicts) else self._rejected).add_claim(entry)
                continue
            if entry.depth in (_GROUP, _TRANSACTION):
                verdicts[entry.depth] = entry.said
            for side in sides:
                side.open(entry)
        for side in sides:
            side.close(_INTERCHANGE)
        self._journal.clear()


def _holds_segment_of(claim: Claim, part: Claim | Level) -> bool:
    """Whether the claim's last loop lacks a segment that was sent as the second of the part after it.

    The fault is noted at that part alone, and without it the claim is not whole.
    """
    own = set()
    for segment in reversed(claim.segments):
        own.add(segment[0])
        if segment[0] in ("LX", "NM1", "SVD", "LIN", "LQ"):
            break
    return any(
        fault.kind == "segment-order"
        and fault.position == part.position + 1
        and fault.loop.startswith(("23", "24"))
        and fault.segment not in own
        for fault in part.faults
    )


def _make_group_header(transaction: Transaction, number: int) -> Segment:
    """A GS with what the ISA and the ST say."""
    isa = transaction.interchange
    day = isa.value(9)
    return [
        "GS",
        "HC",
        isa.value(6),
        isa.value(8),
        f"20{day}",
        isa.value(10),
        str(number),
        "X",
        transaction.version,
    ]


def _without_own_claims(level: str, separator: str, ending: str) -> str:
    """A subscriber's level behind its HL whose own claims are all in the other file: SBR02 says so."""
    responsible, end, rest = level.partition(ending)
    cells = responsible.split(separator)
    if cells[0] == "SBR" and element(cells, 2) == SELF:
        cells[2] = ""
    return separator.join(cells) + end + rest


def _complete(isa: Segment, component: str) -> Segment:
    """The ISA with what it needs to be read, by columns too: its elements, its blanks, the right ISA16."""
    values = [*isa[1:16], *[""] * (16 - len(isa)), component]
    return ["ISA", *(value.ljust(width) for value, width in zip(values, ISA_WIDTHS, strict=True))]


@lru_cache(maxsize=16)
def _ending(delimiters: Delimiters) -> str:
    """What ends a segment: the terminator and a line break, but where a line break is a delimiter itself."""
    lines = "\n" in (delimiters.terminator, delimiters.element) or delimiters.terminator == "\r"
    return delimiters.terminator + ("" if lines else "\n")


def _text(segments: list[Segment], delimiters: Delimiters) -> bytes:
    ending = _ending(delimiters)
    return (ending.join(map(delimiters.element.join, segments)) + ending).encode()


class _Entry(NamedTuple):
    """A part on its way to its side: `text` of so many `segments`.

    `said` is of a claim, set or group whether it is accepted, of a subscriber whether a patient follows.
    """

    depth: int
    said: bool
    segments: int
    text: bytes


class _Journal:
    """The parts of an interchange, kept until its end says what becomes of them; on disk when many."""

    _HEAD = struct.Struct("<B?II")

    def __init__(self) -> None:
        # No SpooledTemporaryFile: its methods are Python, and they are called for each part.
        self._file: IO[bytes] = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by close()
        self._end = 0

    def write(self, depth: int, said: bool, segments: int, text: bytes) -> int:
        """Add an entry; gives its place."""
        place = self._end
        self._end += self._file.write(self._HEAD.pack(depth, said, segments, len(text)) + text)
        return place

    def say(self, place: int, said: bool) -> None:
        """Say of the entry at this place what was not known when it was written."""
        self._file.seek(place + 1)
        self._file.write(bytes([said]))
        self._file.seek(self._end)

    def read(self) -> Iterator[_Entry]:
        read, unpack, size_of_head = self._file.read, self._HEAD.unpack, self._HEAD.size
        self._file.seek(0)
        while head := read(size_of_head):
            depth, said, segments, size = unpack(head)
            yield _Entry(depth, said, segments, read(size))

    def clear(self) -> None:
        self._end = 0
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class _Opened:
    """A header whose end has not come: what to write, and once it is written what was counted below it.

    below     groups of an interchange, sets of a group, segments of a set
    levels    HL segments of a set
    number    HL01 of a level
    own_claims  whether a subscriber has claims of his or her own, on whichever side
    child_code, child_code_at   HL04 of a subscriber with a patient level below, and its place in the file
    """

    entry: _Entry
    written: bool = False
    below: int = 0
    levels: int = 0
    number: str = ""
    own_claims: bool = False
    child_code: str = ""
    child_code_at: int = 0


class _Side:
    """One of the two files in the making. A header is held back until a claim below it comes."""

    def __init__(self, *, fixes: bool) -> None:
        self._fixes = fixes  # whether a wrong HL04 is put right
        self._file: IO[bytes] = TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # closed by its reader
        self._open: dict[int, _Opened] = {}
        self._delimiters = Delimiters("*", ":", "^", "~")

    def open_interchange(self, part: Interchange) -> None:
        self._delimiters = part.delimiters
        head = _complete(part.segment, part.delimiters.component)
        self.open(_Entry(_INTERCHANGE, False, 1, _text([head], part.delimiters)))

    def open(self, entry: _Entry) -> None:
        self.close(entry.depth)
        self._open[entry.depth] = _Opened(entry)

    def note_claim(self) -> None:
        """Note that the next claim of the input, on whichever side, is one of the level that is open."""
        if _SUBSCRIBER in self._open and _PATIENT not in self._open:
            self._open[_SUBSCRIBER].own_claims = True

    def add_claim(self, entry: _Entry) -> None:
        above: _Opened | None = None
        for opened in self._open.values():
            if not opened.written:
                self._write_header(opened, above)
            above = opened
        self._open[_TRANSACTION].below += entry.segments
        self._file.write(entry.text)

    def close(self, depth: int) -> None:
        """End what is open at this depth and below it, and write its trailer where its header was written."""
        # They were opened from the top down.
        while self._open and next(reversed(self._open)) >= depth:
            at, opened = self._open.popitem()
            if opened.written and at < _PROVIDER:
                self._write_trailer(opened)

    def end(self) -> IO[bytes] | None:
        """The bytes from the start, None where nothing was written."""
        if not self._file.tell():
            self._file.close()
            return None
        self._file.seek(0)
        return self._file

    def close_file(self) -> None:
        self._file.close()

    def _write_header(self, opened: _Opened, above: _Opened | None) -> None:
        entry = opened.entry
        opened.written = True
        if entry.depth >= _PROVIDER:
            self._write_level(opened, above)
            return
        self._file.write(entry.text)
        if entry.depth == _TRANSACTION:
            opened.below = entry.segments
        if above is not None:
            above.below += 1

    def _write_level(self, opened: _Opened, above: _Opened | None) -> None:
        """A level with its own number and that of the level above it."""
        separator, ending = self._delimiters.element, _ending(self._delimiters)
        first, _, rest = opened.entry.text.decode().partition(ending)
        hl = first.split(separator)
        transaction = self._open[_TRANSACTION]
        transaction.levels += 1
        transaction.below += opened.entry.segments
        opened.number = str(transaction.levels)
        start = separator.join(
            ("HL", opened.number, above.number if above else "", element(hl, 3), "")
        ).encode()
        flag = opened.child_code = element(hl, 4)
        if opened.entry.depth == _SUBSCRIBER and flag in ("0", "1"):
            if self._fixes:
                opened.child_code = "1"
            if self._fixes or opened.entry.said:
                flag = "0"  # until a patient is written
        if opened.own_claims and _PATIENT in self._open:
            rest = _without_own_claims(rest, separator, ending)
        if opened.entry.depth == _PATIENT and above is not None and above.entry.depth == _SUBSCRIBER:
            self._announce_child(above)
        opened.child_code_at = self._file.tell() + len(start)
        self._file.write(start)
        self._file.write((separator.join((flag, *hl[5:])) + ending + rest).encode())

    def _announce_child(self, above: _Opened) -> None:
        if above.child_code in ("0", "1"):
            self._file.seek(above.child_code_at)
            self._file.write(above.child_code.encode())
            self._file.seek(0, 2)

    def _write_trailer(self, opened: _Opened) -> None:
        """SE, GE or IEA: what was written below the header, and the header's control number."""
        separator, ending = self._delimiters.element, _ending(self._delimiters)
        head = opened.entry.text.decode().partition(ending)[0].split(separator)
        name, at, extra = _TRAILERS[opened.entry.depth]
        trailer = (name, str(opened.below + extra), element(head, at))
        self._file.write((separator.join(trailer) + ending).encode())
