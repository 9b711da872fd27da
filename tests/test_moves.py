"""Segments that are moved within their loop: one finding each, of the segment that was moved."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from edi_checker.guide.placement import chart_for
from edi_checker.guide.table import load
from edi_checker.guide.walker import Walker
from edi_checker.x12.blocks import Block, Fault, read_blocks
from second_maker import make

CLEAN = sorted((Path(__file__).parent.parent / "samples" / "837p" / "clean").glob("*.837"))
GUIDE = load()


class Move(NamedTuple):
    """A segment of a block that stands so many places too late, or too early."""

    id: str
    segments: tuple[str, ...]
    to: int  # where the segment is now


def blocks_of(text: bytes) -> list[Block]:
    return list(read_blocks(io.BytesIO(text)))


@cache
def sources() -> tuple[tuple[Block, ...], ...]:
    """Files of two makers, block by block; of each shape of a block one."""
    texts = [path.read_bytes() for path in CLEAN]
    texts.append("".join(piece.text for piece in make("clean", 60, seed=11)).encode())
    return tuple(tuple(blocks_of(text)) for text in texts)


def find_loops(block: Block) -> list[tuple[str, int]]:
    """The loop of each segment: its id and where it was opened."""
    chart = chart_for(GUIDE)
    raws = block.text.split(block.delimiters.terminator)
    level = {"ST": "header", "CLM": "2300", "SE": "trailer"}.get(block.kind) or {
        "20": "2000A",
        "22": "2000B",
        "23": "2000C",
    }[raws[0].split(block.delimiters.element)[3]]
    spot = chart.roots[level]  # type: ignore[index]  # a level, as the table above says
    opened = [0]
    loops = []
    for at, raw in enumerate(raws):
        step = chart.move(spot, chart.token(raw.split(block.delimiters.element), block.delimiters.component))
        assert step is not None
        opened[step.keep :] = [at] * len(step.opened)
        spot = step.spot
        loops.append((spot.path[-1][0].id, opened[-1]))
    return loops


def list_moves(block: Block, distances: tuple[int, ...]) -> Iterator[Move]:
    """Every move of a segment within its loop that the guide does not allow."""
    raws = block.text.split(block.delimiters.terminator)
    loops = find_loops(block)
    for at, loop in enumerate(loops):
        for distance in distances:
            to = at + distance
            if loop[1] == at or not 0 <= to < len(raws) or loops[to] != loop or loop[1] == to:
                continue
            low, high = sorted((at, to))
            if any(other != loop for other in loops[low : high + 1]):
                continue
            moved = [*raws]
            moved.insert(to, moved.pop(at))
            yield Move(raws[at].split(block.delimiters.element)[0], tuple(moved), to)


def walk(blocks: tuple[Block, ...], number: int, block: Block) -> tuple[Fault, ...]:
    """What is said of the block in place of the one of this number."""
    walker = Walker(GUIDE, block.delimiters, fast=True)
    first = max(at for at in range(number + 1) if blocks[at].kind == "ST")
    for at in range(first, number):
        if blocks[at].kind == "HL" or at == first:
            walker.walk(blocks[at], blocks[at + 1])
    return walker.walk(block, blocks[number + 1]).faults


def shape_of(block: Block) -> tuple[tuple[str, int], ...]:
    return tuple(find_loops(block))


@cache
def count_moves(*distances: int) -> tuple[Counter[str], list[str]]:
    """How the moves are told: right, and otherwise what is said."""
    told: Counter[str] = Counter()
    wrong = []
    seen = set()
    for blocks in sources():
        for number, block in enumerate(blocks):
            if block.kind not in ("ST", "HL", "CLM") or block.delimiters.element != "*":
                continue
            tokens = tuple(raw.split("*", 2)[0] for raw in block.text.split(block.delimiters.terminator))
            if tokens in seen:
                continue
            seen.add(tokens)
            for move in list_moves(block, distances):
                faults = walk(blocks, number, block._replace(text=block.delimiters.terminator.join(move.segments)))
                if not faults:
                    continue  # the guide allows it
                at = block.position + move.to
                right = [(fault.kind, fault.position) for fault in faults] == [("segment-order", at)]
                said = "right" if right else " + ".join(f"{f.kind} {f.loop} {f.segment}{f.position - at:+d}" for f in faults)
                told["right" if right else "one" if len(faults)==1 and faults[0].kind == "segment-order" else "wrong"] += 1
                if not right:
                    low = max(0, move.to - 5)
                    wrong.append(f"{move.id}: {said}: " + " ".join(("!" if i==move.to else "")+s.split(":")[0][:7] for i,s in enumerate(move.segments) if low <= i <= move.to + 5))
    return told, wrong
