"""Text whose parts have styles, wrapped as rich wraps it, and written without rich where no colour is wanted.

Most reports go into a pipe or a file, and rich takes as long to load as a claim to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_WORD = re.compile(r"\S+\s*")
# What takes one cell whatever stands around it: letters of Europe, and the signs of the text report.
_NARROW = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff✓✗…─▔]*")


class Text:
    """One line: parts with the style of each, as rich names it, "" for none. It has no line feed."""

    __slots__ = ("parts",)

    def __init__(self, text: str = "", style: str = "") -> None:
        self.parts = [(text, style)]

    @classmethod
    def assemble(cls, *parts: str | tuple[str, str] | Text) -> Self:
        line = cls()
        for part in parts:
            if isinstance(part, Text):
                line.parts += part.parts
            else:
                line.parts.append((part, "") if isinstance(part, str) else part)
        return line

    @property
    def plain(self) -> str:
        return "".join([text for text, _ in self.parts])

    def append(self, text: str, style: str = "") -> None:
        self.parts.append((text, style))

    def wrap(self, width: int) -> list[Text]:
        """Lines of at most so many cells, without spaces at their ends."""
        text = self.plain
        starts = [0, *_breaks(text, width), len(text)]
        return [self._cut(start, start + len(text[start:end].rstrip())) for start, end in pairwise(starts)]

    def rstrip(self) -> Text:
        return self._cut(0, len(self.plain.rstrip()))

    def _cut(self, start: int, end: int) -> Text:
        cut, at = Text(), 0
        for text, style in self.parts:
            kept = text[max(start - at, 0) : max(end - at, 0)]
            if kept:
                cut.parts.append((kept, style))
            at += len(text)
        return cut


class Writer:
    """Writes lines to `out`, with `colour` as a terminal of this width shows them."""

    def __init__(self, out: TextIO, *, width: int, colour: bool) -> None:
        self._out = out
        self._console = _open_console(out, width) if colour else None

    def write(self, line: Text) -> None:
        if self._console is None:
            self._out.write(line.plain + "\n")
            return
        from rich.text import Text as Coloured

        self._console.print(Coloured.assemble(*line.parts), soft_wrap=True)

    def flush(self) -> None:
        """Let what was written so far be read: the next file may take long."""
        self._out.flush()


def _open_console(out: TextIO, width: int) -> Console:
    from rich.console import Console

    return Console(
        file=out,
        width=width,
        height=25,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        markup=False,
        emoji=False,
    )


def cell_len(text: str) -> int:
    """The columns that a terminal needs for a text."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _chop(word: str, width: int) -> list[str]:
    """A word without spaces in pieces that fit."""
    if _NARROW.fullmatch(word):
        return [word[at : at + width] for at in range(0, len(word), width)]
    from rich.cells import chop_cells

    return chop_cells(word, width)


def _breaks(text: str, width: int) -> Iterator[int]:
    """Where the lines after the first begin."""
    if len(text) <= width and _NARROW.fullmatch(text):
        return
    used = end = 0
    for found in _WORD.finditer(text):
        start, end = end, found.end()  # spaces before the first word belong to it
        word = text[start:end]
        needed = cell_len(word.rstrip())
        if needed <= width - used:
            used += cell_len(word)
        elif needed > width:
            *before, last = _chop(word, width)
            for piece in before:
                if start:
                    yield start
                start += len(piece)
            if start:
                yield start
            used = cell_len(last)
        elif used and start:
            yield start
            used = cell_len(word)
