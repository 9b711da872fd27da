"""The claims of one input in two files: those to send as they are, and those to mend first."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from edi_checker.checker import Checked
from edi_checker.claim import (
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
from edi_checker.x12 import ISA_WIDTHS, Delimiters

_IN_MEMORY = 1 << 20  # bytes of an unfinished file held in memory; what is more goes to a temporary file

# How deep a header stands.
_INTERCHANGE, _GROUP, _TRANSACTION, _PROVIDER, _SUBSCRIBER, _PATIENT, _CLAIM = range(7)
_LEVELS: dict[type, int] = {BillingProvider: _PROVIDER, Subscriber: _SUBSCRIBER, Patient: _PATIENT}

# The trailer of each, the element of the header that holds its control number, and whether it counts itself.
_TRAILERS = {_INTERCHANGE: ("IEA", 13, 0), _GROUP: ("GE", 6, 0), _TRANSACTION: ("SE", 2, 1)}

_PADDED = (2, 4, 6, 8)  # elements of the ISA that are filled with blanks to their width
_FIRST_MADE = 999_999_999  # control number of the first GS that is made; the next one is one less


@dataclass(frozen=True, slots=True)
class Split:
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
    levels; these are written only where a claim below them is. A claim is in the clean file where it, its set, its group and
    its interchange are accepted. One that could not be checked is in the other: nobody knows that it is clean.

    Written as they came, but each on a line of its own: the segments of claims and levels, ISA, GS and ST,
    with the delimiters of the input. Made anew: HL01 and HL02, counted; HL04 of a subscriber whose patients are
    all in the other file; SE, GE and IEA, with the number of the
    header that they close; the blanks that an ISA has lost; a GS that is missing. Text is written as UTF-8.
    Left out: what stands outside of the headers that it needs, TA1 segments, and what follows a trailer.

    So a check of the clean file finds no error, and a check of the rejected one finds of each claim what was
    found before, but for what compares it with others (a control number used twice, more claims than a
    patient may have, a duplicate) when the other one is in the clean file. Faults of HL numbers and trailers
    are mended. Where the input breaks off within a claim, that claim is now checked as if it were whole.

    Groups and sets of another kind or version hold no claims that are read, and are in neither file.
    Memory does not grow with the input.
    """

    def __init__(self) -> None:
        self._clean, self._rejected = _Side(mends=True), _Side(mends=False)
        self._journal = _Journal()
        self._interchange: Interchange | None = None
        # Where in the journal the group, set and subscriber stand that are open.
        self._group: int | None = None
        self._transaction: int | None = None
        self._subscriber: int | None = None
        self._last_claim: tuple[int, Claim] | None = None  # where the part before this one is a claim
        self._made = _FIRST_MADE

    def add(self, checked: Checked) -> None:
        """Take the next part."""
        part, accepted = checked.part, checked.outcome == "accepted"
        last, self._last_claim = self._last_claim, None
        if last is not None and isinstance(part, (Claim, Level)) and _holds_segment_of(last[1], part):
            self._journal.say(last[0], False)
        match part:
            case Claim():
                self._last_claim = self._write(_CLAIM, part.segments, accepted and _has_content(part)), part
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

    def _open_transaction(self, part: Transaction) -> None:
        if self._group is None:
            head = part.group.segment
            if not head:
                head = _make_group_header(part, self._made)
                self._made -= 1
            self._group = self._write(_GROUP, [head])
        self._transaction = self._write(_TRANSACTION, part.segments)

    def _write_level(self, part: BillingProvider | Subscriber | Patient) -> None:
        place = self._write(_LEVELS[type(part)], part.segments)
        if not isinstance(part, Patient):
            self._subscriber = place if isinstance(part, Subscriber) else None
        elif self._subscriber is not None:
            self._journal.say(self._subscriber, True)

    def _write(self, depth: int, segments: list[Segment], accepted: bool = False) -> int:
        """Note the segments of one part; nothing is called accepted before it is known to be."""
        assert self._interchange is not None  # every input begins with an ISA
        return self._journal.write(depth, accepted, len(segments), _text(segments, self._interchange.delimiters))

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
                (self._clean if entry.said and all(verdicts) else self._rejected).add_claim(entry)
                continue
            if entry.depth in (_GROUP, _TRANSACTION):
                verdicts[entry.depth] = entry.said
            for side in sides:
                side.open(entry)
        for side in sides:
            side.close(_INTERCHANGE)
        self._journal.clear()


def _has_content(claim: Claim) -> bool:
    # A CLM alone is the first of a CLM sent twice: the fault is noted at the second.
    return len(claim.segments) > 1


def _holds_segment_of(claim: Claim, part: Claim | Level) -> bool:
    """Whether the claim's last line lacks a segment that was sent as the second of the part after it.

    The fault is noted at that part alone, and without it the claim is not whole.
    """
    own = {segment[0] for segment in (claim.lines[-1].segments if claim.lines else claim.segments)}
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
    return ["GS", "HC", isa.value(6), isa.value(8), f"20{day}", isa.value(10), str(number), "X", transaction.version]


def _pad(isa: Segment) -> Segment:
    """The ISA with the blanks without which it cannot be read by columns."""
    return [text.ljust(ISA_WIDTHS[at - 1]) if at in _PADDED else text for at, text in enumerate(isa)]


def _ending(delimiters: Delimiters) -> str:
    """What ends a segment: the terminator and a line break, but where a line break is a delimiter itself."""
    lines = "\n" in (delimiters.terminator, delimiters.element) or delimiters.terminator == "\r"
    return delimiters.terminator + ("" if lines else "\n")


def _text(segments: list[Segment], delimiters: Delimiters) -> bytes:
    ending = _ending(delimiters)
    return (ending.join(map(delimiters.element.join, segments)) + ending).encode()


class _Entry(NamedTuple):
    """A part on its way to its side: `text` of so many `segments`.

    `said` is of a claim, set or group whether it is accepted, of a subscriber whether a patient level follows.
    """

    depth: int
    said: bool
    segments: int
    text: bytes


class _Journal:
    """The parts of an interchange, kept until its end says what becomes of them; on disk when there are many."""

    _HEAD = struct.Struct("<B?II")

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()

    def write(self, depth: int, said: bool, segments: int, text: bytes) -> int:
        """Add an entry; gives its place."""
        place = self._file.tell()
        self._file.write(self._HEAD.pack(depth, said, segments, len(text)))
        self._file.write(text)
        return place

    def say(self, place: int, said: bool) -> None:
        """Say of the entry at this place what was not known when it was written."""
        self._file.seek(place + 1)
        self._file.write(bytes([said]))
        self._file.seek(0, 2)

    def read(self) -> Iterator[_Entry]:
        self._file.seek(0)
        while head := self._file.read(self._HEAD.size):
            depth, said, segments, size = self._HEAD.unpack(head)
            yield _Entry(depth, said, segments, self._file.read(size))

    def clear(self) -> None:
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
    child_code, child_code_at   HL04 of a subscriber with a patient level below, and its place in the file
    """

    entry: _Entry
    written: bool = False
    below: int = 0
    levels: int = 0
    number: str = ""
    child_code: str = ""
    child_code_at: int = 0


class _Side:
    """One of the two files in the making. A header is held back until a claim below it comes."""

    def __init__(self, *, mends: bool) -> None:
        self._mends = mends  # whether a wrong HL04 is put right
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by its reader
        self._open: dict[int, _Opened] = {}
        self._delimiters = Delimiters("*", ":", "^", "~")

    def open_interchange(self, part: Interchange) -> None:
        self._delimiters = part.delimiters
        self.open(_Entry(_INTERCHANGE, False, 1, _text([_pad(part.segment)], part.delimiters)))

    def open(self, entry: _Entry) -> None:
        self.close(entry.depth)
        self._open[entry.depth] = _Opened(entry)

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
        for at in sorted((at for at in self._open if at >= depth), reverse=True):
            opened = self._open.pop(at)
            if opened.written and at < _PROVIDER:
                self._write_trailer(opened)

    def end(self) -> IO[bytes] | None:
        """The bytes from the start, None where nothing was written."""
        if not self._file.tell():
            self._file.close()
            return None
        self._file.seek(0)
        return self._file

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
        start = separator.join(("HL", opened.number, above.number if above else "", element(hl, 3), "")).encode()
        flag = opened.child_code = element(hl, 4)
        if opened.entry.depth == _SUBSCRIBER and flag in ("0", "1"):
            if self._mends:
                opened.child_code = "1"
            if self._mends or opened.entry.said:
                flag = "0"  # until a patient is written
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
