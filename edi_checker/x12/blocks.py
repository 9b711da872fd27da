"""Bytes to segments and back; the interchange says its own delimiters; positions kept."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

from edi_checker.x12 import fault_codes, kinds

CHUNK = 1 << 20
MAX_SEGMENT = 1 << 20  # characters in one segment; the guide's longest legal segment is far below 10,000
MAX_BLOCK = 1 << 23  # characters of one block (one claim with all its lines); 50 full lines are below 1 MB

BlockKind = Literal["ISA", "TA1", "GS", "ST", "HL", "CLM", "SE", "GE", "IEA", "?"]

ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)


class Bounds(NamedTuple):
    """The most characters that are read as one segment, and as one block (a claim with all its lines)."""

    segment: int = MAX_SEGMENT
    block: int = MAX_BLOCK


class NotX12(Exception):
    """The input holds no interchange that can be read; the message says why, without quoting the input."""


class TooBroken(NotX12):
    """The input begins as it should, but so much of its envelope is broken that it is not read to its end."""


class NotClaims(NotX12):
    """The input is known for something else than a claim file; the message says what, and what to do with it.

    `sure` is False where only the look of a text says so.
    """

    def __init__(self, reason: str, *, sure: bool = True) -> None:
        super().__init__(reason)
        self.sure = sure


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the reader or the walker could not place. A fact like any other: rules judge it.

    kind          what happened, the last part of the id of the rule that answers it (`segment-missing`,
    `count`)
    position      segment count in ST..SE (ST = 1), 0 in the envelope
    loop, segment where, as the guide writes it; `loop` is "" where no loop is known
    element       `NM109` or `SV101-3`, "" for a fault of the whole segment
    data_element  the X12 data element number of `element` (IK402), "" where none
    answers       the codes of the acknowledgement (fault_codes): `IK304=3`, `IK403=7`, `AK905=5`, `TA1=021`
    name          short name of the loop, segment or element
    expected      what the guide requires ("one of 20, 22"; "at most 50"; "CCYYMMDD")
    found         what stands there, only where it cannot be PHI (counts, qualifiers, lengths)
    trigger       the other element of the segment that makes this one required or excludes it, "" where none
    """

    kind: str
    position: int
    loop: str
    segment: str
    element: str = ""
    data_element: str = ""
    answers: tuple[str, ...] = ()
    name: str = ""
    expected: str = ""
    found: str = ""
    trigger: str = ""


class Delimiters(NamedTuple):
    """The four delimiters of an interchange; `repetition` is "" where ISA11 names none."""

    element: str
    component: str
    repetition: str
    terminator: str


class Block(NamedTuple):
    """A run of whole segments that starts with a segment that opens something (or is trailer).

    kind        id of the first segment where it is an envelope segment, HL or CLM; "?" for segments outside
    of
                any transaction that belong to nothing
    text        the segments joined by the terminator, without the last terminator
    position    count of the first segment in ST..SE (ST = 1); 0 outside of a transaction
    ordinal     count of the first segment in the input, from 1
    delimiters  of the interchange in which the block stands
    faults      what the reader noted about these segments
    """

    kind: BlockKind
    text: str
    position: int
    ordinal: int
    delimiters: Delimiters
    faults: tuple[Fault, ...] = ()

    def segments(self) -> list[list[str]]:
        """The segments, each split into its elements; element 0 is the segment id."""
        element = self.delimiters.element
        return [segment.split(element) for segment in self.text.split(self.delimiters.terminator)]


def read_blocks(stream: BinaryIO, bounds: Bounds | None = None) -> Iterator[Block]:
    """Cut a byte stream into blocks, in order, holding at most one block and one chunk in memory.

    Survives a byte order mark, blanks and line breaks around terminators, an ISA whose blanks were collapsed
    (its 16 elements are counted), a file wrapped at a fixed column, padding at the end and a missing last
    terminator. What it cannot make sense of it notes as a `Fault` of the block. Bytes that are not UTF-8 are
    read as Latin-1.

    Raises NotX12 where the input does not begin with an interchange.
    """
    reader = _Reader(_decode(stream), bounds or Bounds())
    return reader.blocks()


def _latin1_for_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("edi-checker-latin-1", _latin1_for_bad_bytes)


def _decode(stream: BinaryIO) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="edi-checker-latin-1")
    # A source may give a few bytes at a time.
    data = b""
    while len(data) < _ISA_REACH and (more := stream.read(CHUNK)):
        data += more
    _refuse_other_formats(data)
    yield decoder.decode(data.removeprefix(codecs.BOM_UTF8))
    while data := stream.read(CHUNK):
        yield decoder.decode(data)
    if rest := decoder.decode(b"", final=True):
        yield rest


def _refuse_other_formats(data: bytes) -> None:
    if (
        data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        or data[:6:2] == b"ISA"
        or data[1:6:2] == b"ISA"
    ):
        raise NotX12("the text is UTF-16; save it as plain ASCII or UTF-8")
    if data.lstrip(b"\x15\x25\x40\x0d\x0a").startswith(b"\xc9\xe2\xc1"):
        raise NotX12("the text is EBCDIC; transfer it in text mode, so that it arrives as ASCII")
    if packing := kinds.find_packing(data):
        raise NotX12(packing)
    if name := kinds.name_bytes(data):
        raise NotClaims(f"the input is {name}, not X12 text; export the claims as an 837P file")


BLANKS = " \t\r\n\f\v\x00\x1a"
# The separators of mainframes (1C to 1F) are blanks to Python, if not told to think in ASCII.
_ISA = re.compile(r"(?a)ISA[^A-Za-z0-9\s]")
# A blank beside the component separator, where the terminator is sure: the next segment follows it.
_BLANK_IN_ISA16 = re.compile(
    r"(?a)(?: (?=\S)|(?=\S ))(\S) ?([^A-Za-z0-9\s])(?=(?>(?:\2|[\r\n])*)(?:GS|TA1|IEA)[^A-Za-z0-9\s])"
)
_ISA_REACH = 1000  # characters within which the 16 elements of an ISA must end; the legal width is 106
HEAD_REACH = 1 << 15  # characters that are looked at for the component separator that the claims really use


class _Reader:
    """The state of one pass over one input; see read_blocks."""

    def __init__(self, chunks: Iterator[str], bounds: Bounds) -> None:
        self._chunks = chunks
        self._bounds = bounds
        self._least = min(bounds.segment, bounds.block)
        self._oversized = False  # whether the head of the block that is read went out already
        self._text = ""
        self._ended = False
        self._ordinal = 1
        self._position = 0
        self._last: Delimiters | None = None
        # Whether blanks before segments and line breaks within segments were met, and what of it is noted.
        self._indented = self._broken = False
        self._noted: set[str] = set()

    def blocks(self) -> Iterator[Block]:
        while self._skip_blanks():
            if not self._at_interchange():
                if self._last is None:
                    raise _why_not_x12(self._text)
                yield self._stray(self._last)
                continue
            delimiters, wrapped, faults = self._header()
            self._last = delimiters
            yield from self._interchange(delimiters, wrapped, faults)
        if self._last is None:
            raise NotX12("the input is empty")

    def _more(self) -> bool:
        if not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
            else:
                self._text += chunk
        return not self._ended

    def _skip_blanks(self) -> bool:
        # Empty segments behind an interchange are blanks too.
        blank = BLANKS if self._last is None else BLANKS + self._last.terminator
        skipped = len(self._text)
        self._text = self._text.lstrip(blank)
        while not self._text and self._more():
            skipped += len(self._text)
            # A device can give blanks without end.
            if self._last is None and skipped > self._bounds.block:
                raise NotX12(f"the input begins with more than {self._bounds.block:,} blanks")
            self._text = self._text.lstrip(blank)
        return bool(self._text)

    def _at_interchange(self) -> bool:
        while len(self._text) < HEAD_REACH and self._more():
            pass
        return _ISA.match(self._text) is not None

    def _header(self) -> tuple[Delimiters, bool, tuple[Fault, ...]]:
        """Find the delimiters by counting the elements of the ISA; say whether the file is wrapped."""
        head = self._text[:_ISA_REACH]
        element = head[3]
        # A line break inside the fixed 106 characters means that lines were wrapped at some column.
        wrapped = bool(re.search(r"[\r\n]", head[:105])) and head.count(element, 0, 300) >= 16
        if wrapped:
            head = head.replace("\r", "").replace("\n", "")
        at = -1
        for _ in range(16):
            at = head.find(element, at + 1)
            if at < 0:
                break
        if at < 0 or at + 2 >= len(head):
            if self._last is None:
                raise NotX12("the ISA segment does not have 16 elements and a terminator")
            fault = _isa_fault("ISA16", fault_codes.ENVELOPE, "16 elements and a terminator")
            return Delimiters(element, ":", "^", "~"), wrapped, (fault,)
        component, terminator = head[at + 1], head[at + 2]
        faults: list[Fault] = []
        if blank := _BLANK_IN_ISA16.match(head, at + 1):
            faults.append(
                _isa_fault(
                    "ISA16", fault_codes.COMPONENT_SEPARATOR, "the component separator without a blank"
                )
            )
            component, terminator = blank.groups()
        elif terminator == "\r" and head[at + 3 : at + 4] == "\n":
            terminator = "\n"
        elif component != terminator and terminator in "\r\n" and component in "~'":
            # ISA16 was left out: what stands there is the terminator.
            faults.append(_isa_fault("ISA16", fault_codes.COMPONENT_SEPARATOR, "a component separator"))
            component, terminator = ":", component
        elements = head[:at].split(element)
        repetition = elements[11] if len(elements[11]) == 1 and not elements[11].isalnum() else ""
        used = _component_in_use(self._text[:HEAD_REACH], element, component, terminator)
        if used:
            faults.append(
                _isa_fault(
                    "ISA16",
                    fault_codes.COMPONENT_SEPARATOR,
                    "the component separator that the claims use",
                )
            )
        wrapped = wrapped or is_wrapped(self._text[:HEAD_REACH], terminator)
        delimiters = Delimiters(
            element, used or component, repetition if repetition != " " else "", terminator
        )
        faults += _delimiter_faults(delimiters)
        if delimiters.repetition in (element, component, terminator):
            delimiters = Delimiters(element, component, "", terminator)
        return delimiters, wrapped, tuple(faults)

    def _interchange(self, d: Delimiters, wrapped: bool, faults: tuple[Fault, ...]) -> Iterator[Block]:
        term = re.escape(d.terminator)
        starts = re.compile(
            rf"(?a){term}(?=(?:CLM|HL|SE|ST|GS|GE|IEA|TA1){re.escape(d.element)}|ISA[^A-Za-z0-9\s])"
        )
        next_interchange = re.compile(rf"(?a){term}[{BLANKS}]*(?=ISA[^A-Za-z0-9\s])")
        trailer = "IEA" + d.element
        first = True
        self._oversized = False
        raw_from = 0  # where text not yet cleaned begins
        while True:
            found = next_interchange.search(self._text, 1 if first else 0)
            complete = bool(found) or self._ended
            here = self._take(found.end() if found else None, d, wrapped, raw_from)
            pieces = starts.split(here)
            last = pieces.pop()
            if complete:
                pieces.append(last.rstrip(BLANKS).removesuffix(d.terminator))
            else:
                self._text = last + self._text
                raw_from = len(last)
            for index, piece in enumerate(pieces):
                if not piece:
                    continue
                if piece.startswith(trailer):
                    faults = (*faults, *self._layout_faults())
                    # The interchange ends here: what follows must start again with an ISA.
                    last, _, after = piece.partition(d.terminator)
                    yield self._block(last, d, faults)
                    left = d.terminator.join([*([after] if after else []), *pieces[index + 1 :]])
                    self._text = left + (d.terminator if left and not complete else "") + self._text
                    return
                if len(piece) > self._least:
                    if (yield from self._bounded(piece, d, faults)):
                        return
                elif self._oversized:
                    self._count(piece, d)
                else:
                    yield self._block(piece, d, faults)
                self._oversized = False
                faults = ()
                first = False
            if complete:
                return
            endless = self._is_endless(raw_from)
            if endless or raw_from - 1 > self._bounds.block:
                text, self._text = self._text[: max(raw_from - 1, 0)], self._text[raw_from:]
                if text:
                    endless = (yield from self._bounded(text, d, faults, endless=endless)) or endless
                    faults = ()
                    self._oversized = True
                    raw_from = 0
                elif endless:
                    yield from self._endless(d, faults)
                if endless:
                    return
            self._more()

    def _is_endless(self, raw_from: int) -> bool:
        """Whether the unfinished segment, which begins there, is longer than any can be."""
        if len(self._text) - raw_from <= self._bounds.segment:
            return False
        # Blanks before a segment are none of it.
        self._text = self._text[:raw_from] + self._text[raw_from:].lstrip(BLANKS)
        return len(self._text) - raw_from > self._bounds.segment

    def _bounded(
        self, text: str, d: Delimiters, faults: tuple[Fault, ...], *, endless: bool = False
    ) -> Generator[Block, None, bool]:
        """The block of these segments as far as it is read; what exceeds the bounds is noted, and counted.

        Gives whether an endless segment ends the reading, which may follow the text or stand within it.
        Where that is so depends on the text alone, not on how it came.
        """
        terminator, most = d.terminator, self._bounds
        at = 0
        for segment in text.split(terminator) if len(text) > most.segment else ():
            if len(segment) > most.segment:
                text, endless = text[: max(at - 1, 0)], True
                break
            at += len(segment) + 1
        cut = len(text)
        if cut > most.block:
            cut = text.rfind(terminator, 0, most.block + 1)
            cut = cut if cut > 0 else len(text.partition(terminator)[0])
        if self._oversized and text:
            # The head of this block went out already; only its count matters now.
            self._count(text, d)
        elif text:
            left = text[cut + 1 :]
            if left:
                too_long = f"at most {most.block} characters between two headers"
                faults = (*faults, _unread(0, too_long))
            yield self._block(text[:cut], d, faults)
            faults = ()
            if left:
                self._count(left, d)
        if endless:
            yield from self._endless(d, faults)
        return endless

    def _take(self, end: int | None, d: Delimiters, wrapped: bool, raw_from: int) -> str:
        """The whole segments of the text up to `end`, cleaned from `raw_from` on; the rest is left."""
        terminator = d.terminator
        if end is None:
            # Keep the unfinished segment back: blanks at a chunk's end are seen with what follows.
            end = len(self._text) if self._ended else self._text.rfind(terminator) + 1
        here, self._text = self._text[:end], self._text[end:]
        new = here[raw_from:]
        self._note_layout(new, d, wrapped)
        return here[:raw_from] + _clean(new, terminator, wrapped)

    def _note_layout(self, new: str, d: Delimiters, wrapped: bool) -> None:
        if wrapped and not self._broken:
            self._broken = re.search(f"(?a)[^{re.escape(d.terminator)}\\s][\\r\\n]++\\S", new) is not None
        if not self._indented:
            # The text begins behind a terminator, or with an ISA, of which nothing is noted.
            new = d.terminator + new
            if any(each in new for each in (f"{d.terminator} ", "\t", "\n ", "\r ")):
                self._indented = _is_indented(new, d)

    def _layout_faults(self) -> Iterator[Fault]:
        """What the layout has that some receivers do not read: said of the first interchange that has it."""
        found = []
        if self._broken:
            found.append("no line breaks within segments")
        if self._indented:
            found.append("no blanks or tabs before a segment")
        for expected in found:
            if expected not in self._noted:
                self._noted.add(expected)
                yield Fault("layout", 0, "IEA", "IEA", expected=expected)

    def _block(self, text: str, d: Delimiters, faults: tuple[Fault, ...]) -> Block:
        head = text[:4].partition(d.element)[0][:3]
        kind: BlockKind = head if head in _KINDS else "?"  # type: ignore[assignment]  # membership proves it
        if kind == "ST":
            self._position = 1
        elif kind in ("ISA", "GS", "GE", "IEA", "TA1"):
            self._position = 0
        position, ordinal = self._position, self._ordinal
        self._count(text, d)
        if kind == "SE":
            self._position = 0
        return Block(kind, text, position, ordinal, d, faults)

    def _count(self, text: str, d: Delimiters) -> None:
        segments = text.count(d.terminator) + 1
        self._ordinal += segments
        if self._position:
            self._position += segments

    def _endless(self, d: Delimiters, faults: tuple[Fault, ...]) -> Iterator[Block]:
        """No terminator for longer than any segment can be: what follows cannot be read as segments."""
        expected = f"at most {self._bounds.segment} characters in a segment"
        noted = (*faults, _unread(self._position, expected))
        yield Block("?", "", self._position, self._ordinal, d, noted)
        self._text = ""
        self._ended = True

    def _stray(self, d: Delimiters) -> Block:
        """Text after an interchange that is not the next one: pass over it, up to an ISA or the end."""
        opening = re.compile(rf"(?:GS|ST|HL|CLM){re.escape(d.element)}")
        opens = False
        while not (found := _ISA.search(self._text)):
            opens = opens or opening.search(self._text) is not None
            self._text = self._text[-4:]
            if not self._more():
                self._text = ""
                break
        if found:
            opens = opens or opening.search(self._text, 0, found.start()) is not None
            self._text = self._text[found.start() :]
        expected = "an ISA segment or the end of the file after IEA"
        if opens:
            # Claims that nobody reads must not go unnoticed.
            fault = Fault("envelope", 0, "", "", answers=(fault_codes.BETWEEN_SEGMENTS,), expected=expected)
        else:
            fault = Fault("stray-text", 0, "IEA", "IEA", expected=expected)
        return Block("?", "", 0, self._ordinal, d, (fault,))


_KINDS = frozenset(("ISA", "TA1", "GS", "ST", "HL", "CLM", "SE", "GE", "IEA"))


def _clean(text: str, terminator: str, wrapped: bool) -> str:
    """Take the blanks and line breaks that surround terminators out of the text, and empty segments."""
    if not _needs_cleaning(text, terminator):
        return text
    if not wrapped:
        # one line break behind each terminator is how most files come; the text may begin between the two
        plain = text.replace(terminator + "\r\n", terminator).replace(terminator + "\n", terminator)
        plain = plain.removeprefix("\r").removeprefix("\n")
        if not _needs_cleaning(plain, terminator):
            return plain
    if wrapped:
        text = text.replace("\r", "").replace("\n", "")
    pieces = text.split(terminator)
    # A blank before the terminator is data (a padded element); a line break is not.
    kept = [piece.lstrip(BLANKS).rstrip("\r\n") for piece in pieces]
    tail = kept.pop()
    return terminator.join([piece for piece in kept if piece] + [tail])


def _needs_cleaning(text: str, terminator: str) -> bool:
    """Whether something else than data stands in the text: the same wherever it was cut between segments."""
    if "\n" in text or "\r" in text or text.startswith((terminator, *BLANKS)):
        return True
    # Most blanks stand in no text at all, which is seen sooner.
    return any(each in text and terminator + each in text for each in (*BLANKS, terminator))


def is_wrapped(text: str, terminator: str) -> bool:
    """Whether all lines have the same width, wherever segments end; the last may be shorter."""
    if terminator in "\r\n":
        return False
    # What most files show at once: two lines that differ.
    one, two, *_ = [*text.split("\n", 2), "", ""]
    if len(one.removesuffix("\r")) != len(two.removesuffix("\r")):
        return False
    *lines, last = re.split(r"\r?\n", text.rstrip("\r\n"))
    if len(lines) < _FEW_LINES or {len(line) for line in lines} != {max(map(len, (*lines, last)))}:
        return False
    return any(line[-1:] != terminator for line in lines)


_FEW_LINES = 3


def _is_indented(text: str, d: Delimiters) -> bool:
    """Whether blanks or tabs stand between a terminator and the segment behind it."""
    element, terminator = re.escape(d.element), re.escape(d.terminator)
    blanks = r"[\r\n]*[ \t][ \t\r\n]*+"
    return re.search(f"{terminator}{blanks}[A-Z][A-Z0-9]{{1,2}}{element}", text) is not None


def _component_in_use(text: str, element: str, component: str, terminator: str) -> str:
    """The separator inside CLM05 of the first claim where it is not the one that ISA16 names, else ""."""
    start = text.find(f"CLM{element}")
    if start < 0:
        return ""
    elements = text[start:].partition(terminator)[0].split(element, 6)
    if len(elements) < 6 or component in elements[5]:
        return ""
    found = re.fullmatch(r"(?a)[0-9]{2}([^A-Za-z0-9\s])[AB]\1[0-9A-Z]", elements[5])
    return found.group(1) if found else ""


def _unread(position: int, expected: str) -> Fault:
    return Fault("segment", position, "", "", answers=(fault_codes.ENVELOPE,), expected=expected)


def _isa_fault(element: str, answer: str, expected: str) -> Fault:
    return Fault("delimiter", 0, "ISA", "ISA", element=element, answers=(answer,), expected=expected)


def _delimiter_faults(d: Delimiters) -> list[Fault]:
    faults = []
    for value, element, answer, name in (
        (d.element, "ISA01", fault_codes.ELEMENT_SEPARATOR, "element separator"),
        (d.component, "ISA16", fault_codes.COMPONENT_SEPARATOR, "component separator"),
        (d.terminator, "ISA16", fault_codes.TERMINATOR, "segment terminator"),
    ):
        if value.isalnum() or value == " ":
            faults.append(_isa_fault(element, answer, f"a {name} that is not a letter, digit or blank"))
    if len({d.element, d.component, d.terminator}) < 3:
        faults.append(_isa_fault("ISA16", fault_codes.COMPONENT_SEPARATOR, "three different delimiters"))
    elif d.repetition in (d.element, d.component, d.terminator):
        faults.append(_isa_fault("ISA11", fault_codes.ENVELOPE, "a repetition separator of its own"))
    return faults


def _why_not_x12(text: str) -> NotX12:
    if "\x00" in text[:_ISA_REACH]:
        return NotX12("the input is binary, not X12 text")
    name, reason = kinds.name_text(text), "the input does not begin with an ISA segment"
    if not name:
        return NotX12(reason)
    what = "save its attachment and check that" if name == "a mail" else "export the claims as an 837P file"
    return NotClaims(f"{reason}: it is {name}; {what}", sure=name not in ("plain text", "a table (csv)"))
