"""Where a segment may stand after another, by the guide alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from edi_checker.guide.table import LEVELS, Guide, Level, Loop, Segment, list_segments, walk_loops

# A node, and the loops that lead to it, each inside the one before.
Chain: TypeAlias = tuple[tuple[Loop, ...], Segment]


class Step(NamedTuple):
    """A way to place a segment: keep so many of the open loops, open these, and it is this node."""

    spot: Placement
    node: Segment
    keep: int
    opened: tuple[Loop, ...]


class Placement:
    """A place in the guide: the open loops, each with the position reached in it; no counts."""

    __slots__ = ("moves", "path", "reach")

    def __init__(self, path: tuple[tuple[Loop, int], ...]) -> None:
        self.path = path
        self.moves: dict[str, Step | None] = {}
        self.reach: tuple[Step, ...] | None = None


class Chart:
    """What follows from the guide alone, worked out once and shared by all walkers."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.spots: dict[tuple[tuple[int, int], ...], Placement] = {}
        self._homes: dict[tuple[int, str], tuple[Segment, ...]] = {}
        self._chains: dict[tuple[int, str], tuple[Chain, ...]] = {}
        self.roots: dict[Level, Placement] = {
            level: self.spot(((guide.levels[level], 0),)) for level in LEVELS
        }
        nodes = list(list_segments(guide.levels.values()))
        self.ids = frozenset(node.id for node in nodes)
        # The token of a segment is its id, and its qualifier where the guide knows that; `?` stands for all
        # others, so that the tables stay small whatever a file holds.
        self.tokens = frozenset(f"{node.id}*{code}" for node in nodes for code in node.codes or ("",))
        self.keyed = frozenset(node.id for node in nodes if node.key)
        roots = [guide.levels[level] for level in LEVELS]
        # the nodes of one level by the segment's id
        self.named: dict[Level, dict[str, list[Segment]]] = {level: {} for level in LEVELS}
        for level in LEVELS:
            for node in list_segments([guide.levels[level]]):
                self.named[level].setdefault(node.id, []).append(node)
        loops = [loop for root in roots for loop in walk_loops(root)]
        # where a loop is open, the segment that opens it is there
        self.required = {
            loop.index: tuple(child for child in loop.children[loop not in roots :] if child.usage == "R")
            for loop in loops
        }
        self.twins = frozenset(
            node.index
            for loop in loops
            for node in loop.children
            if isinstance(node, Segment)
            and any(
                other is not node
                and isinstance(other, Segment)
                and other.id == node.id
                and other.codes & node.codes
                for other in loop.children
            )
        )

    def spot(self, path: tuple[tuple[Loop, int], ...]) -> Placement:
        """The one spot of this path, so that the moves found from it are kept."""
        key = tuple((loop.index, position) for loop, position in path)
        found = self.spots.get(key)
        if found is None:
            found = self.spots[key] = Placement(path)
        return found

    def token(self, segment: Sequence[str], component: str) -> str:
        """The token of a segment (its elements, the id at 0); "" where the guide does not know the id."""
        id = segment[0]
        if id not in self.keyed:
            return f"{id}*" if id in self.ids else ""
        at = 3 if id == "HL" else 1
        code = segment[at] if len(segment) > at else ""
        token = f"{id}*{code}"
        if token not in self.tokens:
            token = f"{id}*{code.split(component, 1)[0].rstrip(' ')}"
        return token if token in self.tokens else f"{id}*?"

    def homes(self, loop: Loop, token: str) -> tuple[Segment, ...]:
        """The segments of a loop that the token fits; its opener only where the loop is a level."""
        key = (loop.index, token)
        found = self._homes.get(key)
        if found is None:
            children = loop.children[loop not in self.guide.levels.values() :]
            found = tuple(child for child in children if isinstance(child, Segment) and fits(child, token))
            self._homes[key] = found
        return found

    def chains(self, outer: Loop, token: str) -> tuple[Chain, ...]:
        """Every node below `outer` that the token fits and that opens no loop, with the loops down to it."""
        key = (outer.index, token)
        found = self._chains.get(key)
        if found is None:
            found = self._chains[key] = tuple(_list_chains(outer, token))
        return found

    def move(self, spot: Placement, token: str) -> Step | None:
        """The step to the first node from here on that the token fits; None where there is none."""
        try:
            return spot.moves[token]
        except KeyError:
            step = spot.moves[token] = self._search(spot, token)
            return step

    def reach(self, spot: Placement) -> tuple[Step, ...]:
        """The steps to every node that may come next, the nearest first."""
        if spot.reach is None:
            spot.reach = tuple(self._list_reach(spot.path))
        return spot.reach

    def _list_reach(self, path: tuple[tuple[Loop, int], ...]) -> Iterator[Step]:
        for depth in range(len(path) - 1, -1, -1):
            loop, reached = path[depth]
            for child in loop.children:
                if child.position < reached:
                    continue
                if isinstance(child, Loop):
                    yield self.step(path[:depth], (loop, child.position), (child,), child.opener)
                elif not depth or child is not loop.children[0]:
                    yield self.step(path[:depth], (loop, child.position), (), child)

    def _search(self, spot: Placement, token: str) -> Step | None:
        path = spot.path
        for depth in range(len(path) - 1, -1, -1):
            loop, reached = path[depth]
            for child in loop.children:
                if child.position < reached:
                    continue
                if isinstance(child, Segment):
                    # the opener of an inner loop stands once; again, it opens the loop again
                    if depth and child is loop.children[0]:
                        continue
                    if fits(child, token):
                        return self.step(path[:depth], (loop, child.position), (), child)
                elif fits(child.opener, token):
                    return self.step(path[:depth], (loop, child.position), (child,), child.opener)
        return None

    def step(
        self,
        above: tuple[tuple[Loop, int], ...],
        here: tuple[Loop, int],
        opened: tuple[Loop, ...],
        node: Segment,
    ) -> Step:
        """The step that keeps `above` and `here`, opens `opened` one inside the other, and ends at `node`."""
        path = [*above, here]
        for at, loop in enumerate(opened):
            inner = opened[at + 1].position if at + 1 < len(opened) else node.position
            path.append((loop, inner))
        return Step(self.spot(tuple(path)), node, len(above) + 1, opened)


def fits(node: Segment, token: str) -> bool:
    """Whether the token (`NM1*85`, `N3*`, `REF*?`) is one of the node."""
    id, _, code = token.partition("*")
    return id == node.id and (not node.codes or code in node.codes)


@lru_cache(maxsize=4)
def chart_for(guide: Guide) -> Chart:
    """The chart of the guide, the same one for each who asks."""
    return Chart(guide)


def _list_chains(outer: Loop, token: str) -> Iterator[Chain]:
    for inner in outer.children:
        if not isinstance(inner, Loop):
            continue
        for child in inner.children[1:]:
            if isinstance(child, Segment):
                if fits(child, token):
                    yield (inner,), child
            elif fits(child.opener, token):
                yield (inner, child), child.opener
        for chain, node in _list_chains(inner, token):
            yield (inner, *chain), node
