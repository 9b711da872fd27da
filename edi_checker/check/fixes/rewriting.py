"""An input written again byte by byte, but for the segments that are repaired."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import IO, BinaryIO, cast

from edi_checker.check.fixes.planning import Repair
from edi_checker.x12.blocks import BLANKS, CHUNK, HEAD_REACH, Block, Bounds, is_wrapped, read_blocks

# A byte that is not UTF-8 is kept as a surrogate, and read as the reader of blocks reads it: as Latin-1.
_READ_AS = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_BREAKS = str.maketrans("", "", "\r\n")


class NotFollowed(Exception):
    """The blocks of an input do not say where in its bytes each segment stands; the message says why."""


class Window:
    """One reading of a file that several read in turn, from its start."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(size)
        self._at += len(data)
        return data


def rewrite(source: IO[bytes], out: IO[bytes], repairs: Iterator[Repair], bounds: Bounds | None) -> None:
    """Copy an input with its repairs, which come in the order of their segments.

    Every other byte stays as it is: delimiters, line ends, blanks between segments, text between
    interchanges, bytes that are no UTF-8. Where lines are wrapped at a column, they are wrapped there again
    behind a repair that changes a length. Raises NotFollowed.
    """
    blocks = read_blocks(cast(BinaryIO, Window(source)), bounds)
    copy = _Copy(cast(BinaryIO, Window(source)), out)
    due = _next_change(repairs)
    change = next(due, None)
    for block in blocks:
        if not block.text:
            continue
        if block.kind == "ISA":
            copy.start(block)
        end = block.ordinal + block.text.count(block.delimiters.terminator)
        if (change is None or change[0].ordinal > end) and copy.pass_block(block):
            continue
        for at, text in enumerate(block.text.split(block.delimiters.terminator)):
            if change is not None and change[0].ordinal == block.ordinal + at:
                copy.change(text, change[0], change[-1], block)
                change = next(due, None)
            else:
                copy.pass_segment(text, block)
        if block.kind == "IEA":
            copy.end()
    copy.rest()
    if change is not None:
        raise NotFollowed("a segment to be repaired is not found again")


def _next_change(repairs: Iterator[Repair]) -> Iterator[list[Repair]]:
    """The repairs of each segment, in order."""
    for _, several in groupby(repairs, lambda repair: repair.ordinal):
        yield list(several)


class _Copy:
    """The bytes of an input on their way from the source to the copy.

    `_raw` is text of which each character gives back its bytes, `_shown` the same as blocks show it.
    """

    def __init__(self, source: BinaryIO, out: IO[bytes]) -> None:
        self._source = source
        self._out = out
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._raw = self._shown = ""
        self._at = 0
        self._ended = False
        # Of an interchange in lines of one width: that width, the line break, and the column that is reached.
        self._width = 0
        self._break = ""
        self._column = 0
        self._wrapping = False
        self._fill(1)
        if self._raw.startswith("\ufeff"):
            self._emit(1)

    def _fill(self, length: int) -> bool:
        """Have so many characters before us, where there are as many."""
        while len(self._raw) - self._at < length and not self._ended:
            data = self._source.read(CHUNK)
            self._ended = not data
            more = self._decoder.decode(data, final=self._ended)
            self._raw = self._raw[self._at :] + more
            shown = more if more.isascii() else more.translate(_READ_AS)
            self._shown = self._shown[self._at :] + shown
            self._at = 0
        return len(self._raw) - self._at >= length

    def _emit(self, length: int) -> None:
        self._write(self._raw[self._at : self._at + length])
        self._at += length

    def _write(self, text: str) -> None:
        if self._width:
            if self._wrapping:
                text = self._wrap(text)
            last = max(text.rfind("\n"), text.rfind("\r"))
            self._column = self._column + len(text) if last < 0 else len(text) - last - 1
        self._out.write(text.encode("utf-8", "surrogateescape"))

    def _wrap(self, text: str) -> str:
        """The text in lines of the width, behind what the line has already."""
        text, column, lines = text.translate(_BREAKS), self._column, []
        while text:
            if column == self._width:
                lines.append(self._break)
                column = 0
            room = self._width - column
            lines.append(text[:room])
            column += len(text[:room])
            text = text[room:]
        return "".join(lines)

    # Interchanges

    def start(self, block: Block) -> None:
        """Go to the interchange that begins with this block, past text that belongs to none."""
        self._skip(block)
        head = block.text
        while self._match(head) is None:
            found = self._shown.find("ISA", self._at + 1)
            if found < 0:
                self._emit(max(len(self._raw) - self._at - len("IS"), 0))
                if not self._fill(len("ISA") + 1):
                    raise NotFollowed("an interchange is not found again")
                continue
            self._emit(found - self._at)
        self._fill(HEAD_REACH)
        text = self._shown[self._at : self._at + HEAD_REACH]
        self._wrapping, self._column = False, 0
        broken = re.search(r"\r?\n", text)
        wrapped = broken is not None and is_wrapped(text, block.delimiters.terminator)
        self._width = broken.start() if broken and wrapped else 0
        self._break = broken[0] if broken and wrapped else ""

    def end(self) -> None:
        """The interchange is over: what follows is in no lines of its width."""
        if self._wrapping and self._fill(1) and not self._raw[self._at].isspace():
            self._emit(1)
        self._width, self._wrapping = 0, False

    # Segments

    def _skip(self, block: Block) -> None:
        """Copy what stands between segments: blanks, line breaks, terminators."""
        between = _between(block.delimiters.terminator)
        while self._fill(1):
            found = between.match(self._shown, self._at)
            length = found.end() - self._at if found else 0
            self._emit(length)
            if self._at < len(self._shown):
                return

    def _match(self, text: str) -> int | None:
        """How many characters of the source are this text, with line breaks in it; None where it is not."""
        self._fill(len(text))
        if self._shown.startswith(text, self._at):
            return len(text)
        length = len(text)
        while self._fill(length):
            here = self._shown[self._at : self._at + length]
            breaks = here.count("\r") + here.count("\n")
            if length == len(text) + breaks:
                return length if here.translate(_BREAKS) == text else None
            length = len(text) + breaks
        return None

    def pass_block(self, block: Block) -> bool:
        """Copy a block, where its segments follow each other as in most files."""
        self._skip(block)
        text, terminator = block.text, block.delimiters.terminator
        for ending in (terminator + "\n", terminator, terminator + "\r\n"):
            laid_out = text.replace(terminator, ending)
            self._fill(len(laid_out))
            if self._shown.startswith(laid_out, self._at):
                self._emit(len(laid_out))
                if block.kind == "IEA":
                    self.end()
                return True
        return False

    def pass_segment(self, text: str, block: Block) -> None:
        """Copy a segment."""
        self._emit(self._length_of(text, block))

    def _length_of(self, text: str, block: Block) -> int:
        self._skip(block)
        length = self._match(text)
        if length is None:
            raise NotFollowed("a segment is not found again in the bytes of the file")
        return length

    def change(self, text: str, first: Repair, last: Repair, block: Block) -> None:
        """Copy a segment with its repairs."""
        if text != first.before:
            raise NotFollowed("a segment to be repaired is not found again")
        length = self._length_of(text, block)
        raw = self._raw[self._at : self._at + length]
        shown = self._shown[self._at : self._at + length]
        # What stands here as one byte goes on as this byte, also at another place of the segment.
        kept = {ord(seen): each for seen, each in zip(shown, raw, strict=True) if seen != each}
        # Where in the source each character of the segment stands, which may have line breaks between them.
        broken = length != len(text)
        places = [at for at, each in enumerate(raw) if not broken or each not in "\r\n"] + [length]
        for start, end, new in reversed(list(find_edits(text, last.after, first.separator))):
            behind = places[end - 1] + 1 if end > start else places[start]
            raw = raw[: places[start]] + new.translate(kept) + raw[behind:]
        self._at += length
        self._wrapping = self._wrapping or (self._width > 0 and len(last.after) != len(text))
        self._write(raw)

    def rest(self) -> None:
        """Copy what follows the last interchange."""
        while self._fill(1):
            self._emit(len(self._raw) - self._at)


@lru_cache(maxsize=16)
def _between(terminator: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(BLANKS + terminator)}]*")


def find_edits(before: str, after: str, separator: str) -> Iterator[tuple[int, int, str]]:
    """What to put where in the text of a segment, so little as can be: start, end and new text, in order."""
    old, new = before.split(separator), after.split(separator)
    at = 0
    for number, text in enumerate(old):
        if number >= len(new):
            yield max(at - 1, 0), len(before), ""
            return
        if text != new[number]:
            yield _narrowed(text, new[number], at)
        at += len(text) + 1
    if len(new) > len(old):
        yield len(before), len(before), "".join(separator + text for text in new[len(old) :])


def _narrowed(old: str, new: str, at: int) -> tuple[int, int, str]:
    """The edit of one element without what both have at their start and end."""
    most = min(len(old), len(new))
    start = next((n for n in range(most) if old[n] != new[n]), most)
    left = most - start
    end = next((n for n in range(left) if old[-1 - n] != new[-1 - n]), left)
    return at + start, at + len(old) - end, new[start : len(new) - end]
