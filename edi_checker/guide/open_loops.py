"""The loops of a level that are open, what is in each so far, and where reading goes on."""

from __future__ import annotations

from edi_checker.guide.placement import Chart, Placement
from edi_checker.guide.table import Level, Loop, Segment


class Instance:
    """One instance of a loop: how often each child is in it, and in which order."""

    __slots__ = ("counts", "end", "loop", "marks", "parent")

    def __init__(self, loop: Loop, parent: Instance | None = None) -> None:
        self.loop = loop
        self.parent = parent
        self.counts: dict[int, int] = {}
        self.marks: list[tuple[int, int]] = []  # places of the children in the guide, and positions
        self.end = 0  # position of the segment that closed it, 0 while it is open

    def count(self, child: Segment | Loop, position: int) -> int:
        """Count a child; how often it is here by now."""
        count = self.counts[child.index] = self.counts.get(child.index, 0) + 1
        self.marks.append((child.position, position))
        return count

    def has_room(self, child: Segment | Loop) -> bool:
        """Whether the child may come here once more."""
        return not child.maximum or self.counts.get(child.index, 0) < child.maximum


class OpenLoops:
    """How far one level of the hierarchy is read.

    spot       the place in the guide at which reading goes on
    stack      the open loops, from the level itself inwards
    instances  every loop opened so far, the closed ones too
    """

    __slots__ = ("chart", "instances", "level", "spot", "stack")

    def __init__(self, chart: Chart, level: Level) -> None:
        self.chart = chart
        self.level = level
        self.spot: Placement = chart.roots[level]
        self.stack = [Instance(chart.guide.levels[level])]
        self.instances = list(self.stack)

    @property
    def root(self) -> Instance:
        """The level itself."""
        return self.instances[0]

    def open(self, loop: Loop) -> Instance:
        """Open a loop inside the innermost one."""
        instance = Instance(loop, self.stack[-1])
        self.instances.append(instance)
        self.stack.append(instance)
        return instance

    def shut(self, keep: int, position: int) -> None:
        """Close all but so many of the open loops, at the segment of this position."""
        for instance in self.stack[keep:]:
            instance.end = position
        del self.stack[keep:]

    def outside(self) -> Placement:
        """The place outside of the NM1 loop that is open, so that nothing more is read into it."""
        path = self.spot.path
        return self.chart.spot(path[:-1]) if len(path) > 1 and path[-1][0].opener.id == "NM1" else self.spot
