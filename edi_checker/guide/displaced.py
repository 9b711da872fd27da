"""Which segment came out of order, where another one has no place: put where it belongs, both fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from edi_checker.guide.placement import Chart, Placement

T = TypeVar("T")

# Places between where a segment is and where it belongs: with more, one without a place would be explained by
# a loop that it was never meant for.
FARTHEST = 5
BESIDE = 2  # segments behind the last one moved that must fit as well


class Move(NamedTuple):
    """The segment of one index in its block belongs where the segment of another is."""

    source: int
    target: int

    @property
    def distance(self) -> int:
        """How many places there are between."""
        return abs(self.target - self.source)

    def apply(self, items: Sequence[T]) -> list[T]:
        """The items of a block in the order in which they belong."""
        moved = [*items]
        moved.insert(self.target, moved.pop(self.source))
        return moved


def list_moves(chart: Chart, trail: Sequence[Placement], tokens: Sequence[str], at: int) -> list[Move]:
    """The moves of one segment after which that of index `at`, which has no place, and its neighbours fit.

    `trail` has where reading stood before each segment up to that one, `tokens` the tokens of all that are
    near, by their index. The nearest move comes first. There are none if two neighbours are swapped, or if
    the segment itself comes too late by fewer places than any other would be moved: recovery reads that
    without going back.
    """
    after = tokens[at + 1 : at + 1 + BESIDE]
    late = FARTHEST
    for target in range(at - 1, max(0, at - 1 - FARTHEST), -1):
        if _follow(chart, trail[target], (tokens[at], *tokens[target:at], *after)):
            late = at - target
            break
    if late == 1:
        return []
    moves = [*_move_earlier(chart, trail, tokens, at), *_move_later(chart, trail, tokens, at)]
    nearer = sorted((move for move in moves if move.distance < late), key=lambda move: move.distance)
    return nearer if nearer and nearer[0].distance > 1 else []


def _move_earlier(chart: Chart, trail: Sequence[Placement], tokens: Sequence[str], at: int) -> Iterator[Move]:
    """One before it came too early."""
    for source in range(at - 1, max(0, at - FARTHEST), -1):
        spot: Placement | None = trail[source]
        for target in range(source + 1, min(len(tokens), source + FARTHEST)):
            spot = _follow(chart, spot, tokens[target : target + 1])
            if spot is None:
                break
            rest = tokens[source], *tokens[target + 1 : target + 1 + BESIDE]
            if target >= at and _follow(chart, spot, rest):
                yield Move(source, target)


def _move_later(chart: Chart, trail: Sequence[Placement], tokens: Sequence[str], at: int) -> Iterator[Move]:
    """One after it comes too late."""
    for source in range(at + 1, min(len(tokens), at + FARTHEST)):
        after = tokens[source + 1 : source + 1 + BESIDE]
        for target in range(at, max(0, source - FARTHEST), -1):
            if _follow(chart, trail[target], (tokens[source], *tokens[target:source], *after)):
                yield Move(source, target)


def _follow(chart: Chart, spot: Placement | None, tokens: Sequence[str]) -> Placement | None:
    """Where reading stands after segments of these tokens; None if one of them has no place."""
    for token in tokens:
        step = chart.move(spot, token) if spot and token else None
        spot = step.spot if step else None
        if spot is None:
            break
    return spot
