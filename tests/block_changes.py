"""Blocks of claim files, changed by chance, and what the walker alone says of them."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from functools import cache

from edi_checker.guide.hierarchy import LEVEL_OF_CODE, Hierarchy
from edi_checker.guide.placement import chart_for
from edi_checker.guide.scanner import PROVED
from edi_checker.guide.table import Composite, Level, list_segments
from edi_checker.guide.table import load as load_guide
from edi_checker.guide.walker import Walker
from edi_checker.x12.blocks import Delimiters, NotX12, read_blocks
from generate_claims import generate
from paths import CLEAN, CORPUS
from second_maker import make
from test_walker import RICH

GUIDE = load_guide()
USUAL = Delimiters("*", ":", "^", "~")
OTHERS = (
    Delimiters("|", ">", "!", "\n"),
    Delimiters("^", "&", "", "'"),
    Delimiters("]", "\\", "*", "|"),
    Delimiters("\x1d", "\x1f", "\x1e", "\x1c"),
)
CLAIM = (
    "CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:M6281~NM1*82*1*FIR*ANN****XX*1000001010~LX*1~"
    "SV1*HC:97530:GP*100*UN*2***1~DTP*472*D8*20260901~REF*6R*A1-1"
)
# What stands at the bounds of what a value may be, and what nobody means to send.
VALUES = (
    *"""A 0 - . -. -0 00 0.00 1. .5 -1.5 1.1234 1e5 +1 D8 RD8 DT TM D6 2400 2360 2359 0000 235959 20260229
    20240229 21000229 20000229 18000101 17991231 29991231 30000101 99991231 20260431 20261301 20260100 260101
    20260101-20260131 20260131-20260101 20260101- 20260101-20260230 123456789 12345678 1234567890 99999999.99
    9999999999 99999999 0.001 0000000000001""".split(),  # noqa: SIM905
    *(letter * count for letter in "1A" for count in (10, 18, 19, 20, 30, 35, 50, 60, 61, 80, 81)),
    *("", " ", " A", "A ", "\x00", "\x7f", "\t", "\u00c4", "\ud800", "\u0661", "\uff11", "A\x00", "\r", "\n"),
    *("~", "*", ":", "^", "\x1c"),
)


_LEVEL_OF_KIND: dict[str, Level | None] = {"ST": "header", "HL": None, "CLM": "2300", "SE": "trailer"}
_KIND_OF_LEVEL = {level: kind for kind, level in _LEVEL_OF_KIND.items()}


def blocks_in(text: str) -> Iterator[tuple[str, str]]:
    """Level and text of each block of a file that may be proved, with the usual delimiters."""
    try:
        found = [block for block in read_blocks(io.BytesIO(text.encode())) if block.kind in _LEVEL_OF_KIND]
    except NotX12:
        return
    for block in found:
        head = block.text.partition(block.delimiters.terminator)[0].split(block.delimiters.element)
        level = _LEVEL_OF_KIND[block.kind] or LEVEL_OF_CODE.get(head[3] if len(head) > 3 else "")
        if level in PROVED:
            yield level, turn(block.text, block.delimiters, USUAL)


@cache
def blocks() -> tuple[tuple[str, str], ...]:
    """Blocks of both makers, the samples and, where they are, the published files; each text once."""
    texts = ["".join(generate(40, seed=8)), "".join(generate(30, seed=9, invalid=0.3)), RICH]
    texts += ["".join(piece.text for piece in make(kind, 60, seed=4)) for kind in ("clean", "noisy")]
    texts += [path.read_text() for path in sorted(CLEAN.parent.glob("*/*.837"))]
    published = sorted((CORPUS / "837p").glob("*")) if CORPUS.exists() else []
    texts += [path.read_bytes().decode("latin-1") for path in published]
    return tuple(dict.fromkeys(found for text in texts for found in blocks_in(text)))


def turn(text: str, old: Delimiters, new: Delimiters) -> str:
    """The text with other delimiters."""
    pairs = str.maketrans(
        old.element + old.component + old.terminator, new.element + new.component + new.terminator
    )
    return text.translate(pairs)


@cache
def _codes_of(id: str, number: int) -> tuple[str, ...]:
    """Codes that the guide lists for an element of any segment of this id, and for its components."""
    found: set[str] = set()
    for level in PROVED:
        for node in list_segments([GUIDE.levels[level]]):
            if node.id == id and number <= len(node.elements):
                item = node.elements[number - 1]
                for each in item.components if isinstance(item, Composite) else (item,):
                    found |= each.codes
    return tuple(sorted(found)) or ("",)


def change(chance: random.Random, level: str, text: str) -> str:
    """A block with one to three changes; delimiters are the usual ones."""
    segments = text.split("~")
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(segments))
        what = chance.randrange(12)
        if what == 0 and len(segments) > 1:
            del segments[at]
        elif what == 1:
            segments.insert(at, segments[at])
        elif what == 2:
            segments.insert(at, segments.pop(chance.randrange(len(segments))))
        elif what == 3:
            other = chance.choice(blocks())[1].split("~")
            begin = chance.randrange(len(other))
            segments[at:at] = other[begin : begin + chance.choice((1, 1, 2, 4))]
        else:
            segments[at] = _change_segment(chance, what, segments[at])
        if not segments:
            return ""
    return "~".join(segments)


def _change_segment(chance: random.Random, what: int, segment: str) -> str:
    elements = segment.split("*")
    number = chance.randrange(len(elements))
    if what == 4:  # one character
        place = chance.randrange(len(segment) + 1)
        put = chance.choice(
            ("", "", "0", "9", "A", " ", ".", "-", "*", ":", "^", "~", "\x00", "\u00e9", "\t")
        )
        return segment[:place] + put + segment[place + chance.randrange(2) :]
    if what == 5:
        elements.insert(number + 1, chance.choice(("", "", *VALUES)))
    elif what == 6:
        elements += [""] * chance.randrange(3) + [chance.choice(VALUES)]
    elif what == 7 and len(elements) > 1:
        del elements[number]
    elif what == 8:
        elements[number] = elements[number] + elements[number][-1:] * chance.choice((1, 2, 3, 60))
    else:
        parts = elements[number].split(":")
        part = chance.randrange(len(parts))
        if what == 9:
            parts[part] = chance.choice(_codes_of(elements[0], number))
        elif what == 10:
            parts.insert(part + chance.randrange(2), chance.choice(VALUES))
        else:
            parts[part] = chance.choice(VALUES)
        elements[number] = ":".join(parts)
    return "*".join(elements)


def changes(count: int, seed: int) -> Iterator[tuple[str, str, Delimiters]]:
    """So many changed blocks: level, text, delimiters."""
    chance = random.Random(seed)
    good = blocks()
    for _ in range(count):
        level, text = chance.choice(good)
        delimiters = chance.choice((USUAL, USUAL, USUAL, *OTHERS))
        yield level, turn(change(chance, level, text), USUAL, delimiters), delimiters


_walkers: dict[Delimiters, Walker] = {}


def is_clean(level: str, text: str, delimiters: Delimiters) -> bool:
    """Whether the walker alone finds nothing in a block of this level, HL01 and HL02 aside.

    Blocks are cut where an ST, HL, CLM or SE begins: none begins with anything else.
    """
    if not text.startswith(f"{_KIND_OF_LEVEL.get(level, 'HL')}{delimiters.element}"):
        return False
    walker = _walkers.setdefault(delimiters, Walker(GUIDE, delimiters, fast=False))
    walker._hierarchy = Hierarchy(chart_for(GUIDE), delimiters)
    walker._faults, walker._early, walker._belated, walker._displaced = [], [], None, frozenset()
    raws = text.split(delimiters.terminator)
    return not walker._read(level, raws, range(1, len(raws) + 1), None)


def shape(text: str) -> str:
    """A text that can be shown: what is not ASCII is escaped."""
    return re.sub(r"[^ -~]", lambda found: ascii(found[0])[1:-1], text)
