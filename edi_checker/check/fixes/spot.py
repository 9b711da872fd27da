"""What a repair gets to see: a segment, the element that a finding names, and what the guide says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from edi_checker.claims.claim import Part, Segment
from edi_checker.guide.table import Composite, Element, Guide, Item
from edi_checker.guide.table import Segment as Node
from edi_checker.x12.blocks import Delimiters

Safety = Literal["safe", "unsafe"]


class Repaired(NamedTuple):
    """A segment as it should be; `safe` where it surely means what it meant before."""

    segment: Segment
    safe: bool = True


class Above(NamedTuple):
    """A level above: its HL01 as it came, and as it will be written."""

    came: str
    written: str


@dataclass(slots=True)
class Standing:
    """What the segments before this one decide of the numbers in it.

    interchange, group, transaction   control numbers of the open headers, as they will be written
    renamed     whether the version that the open group names was changed
    levels      HL segments of the open transaction so far
    above       of a level its parent, None for a billing provider
    open        by HL03, the level that is open
    shifted     whether an HL01 of this transaction was changed, so that those after it change too
    """

    interchange: str = ""
    group: str = ""
    transaction: str = ""
    renamed: bool = False
    levels: int = 0
    above: Above | None = None
    open: dict[str, Above] = field(default_factory=dict)
    shifted: bool = False


class Spot(NamedTuple):
    """Where a finding stands.

    element    as the finding names it (`NM109`, `SV101-3`), "" for the whole segment
    segment    the segment as it stands now, maybe repaired already
    earlier    the segments of the part before it
    """

    element: str
    loop: str
    segment: Segment
    earlier: list[Segment]
    ordinal: int
    part: Part
    delimiters: Delimiters
    guide: Guide
    standing: Standing

    @property
    def _at(self) -> tuple[int, int]:
        """Number of the element, and of the component from 1, 0 for the whole element."""
        ref, _, component = self.element.partition("-")
        number = ref[len(self.segment[0]) :] if ref.startswith(self.segment[0]) else ""
        return (int(number) if number.isdigit() else 0), (int(component) if component.isdigit() else 0)

    @property
    def value(self) -> str:
        """What stands in the element or component, "" where there is none."""
        number, component = self._at
        if not 0 < number < len(self.segment):
            return ""
        whole = self.segment[number]
        if not component:
            return whole
        parts = whole.split(self.delimiters.component)
        return parts[component - 1] if component <= len(parts) else ""

    @property
    def item(self) -> Item | None:
        """What the guide says of the element at this place; the first where it has several such segments."""
        return next(iter(self.items()), None)

    def items(self) -> list[Item]:
        """What the guide says of the element in each segment of this id at this place."""
        number, component = self._at
        found: list[Item] = []
        for node in nodes_at(self.guide, self.loop, self.segment[0]):
            item = node.elements[number - 1] if 0 < number <= len(node.elements) else None
            if component and isinstance(item, Composite):
                item = item.components[component - 1] if component <= len(item.components) else None
            if item is not None:
                found.append(item)
        return found

    def codes(self) -> frozenset[str]:
        """The codes that the guide lists for the element at this place."""
        return frozenset().union(*(item.codes for item in self.items() if isinstance(item, Element)))

    def put(self, text: str, *, safe: bool = True) -> Repaired | None:
        """The segment with this text in the element or component; None where it stands there already."""
        number, component = self._at
        if not number or text == self.value:
            return None
        segment = [*self.segment, *[""] * (number + 1 - len(self.segment))]
        if component:
            parts = segment[number].split(self.delimiters.component)
            parts += [""] * (component - len(parts))
            parts[component - 1] = text
            segment[number] = self.delimiters.component.join(parts)
        else:
            segment[number] = text
        return Repaired(segment, safe)


Repairer = Callable[[Spot], Repaired | None]


@lru_cache(maxsize=1024)
def nodes_at(guide: Guide, loop: str, name: str) -> tuple[Node, ...]:
    """The segments of this id in the loop; those of any loop where the guide has none in it."""
    named = [node for node in guide.segments if node.id == name]
    return tuple([node for node in named if node.loop == loop] or named)


class Registered(NamedTuple):
    """A repair, and how sure what it does can be."""

    repair: Repairer
    may: tuple[Safety, ...]


# By rule id; the rule's file says the same in `fixable`.
REPAIRS: dict[str, Registered] = {}


def repairs(rule: str, *may: Safety) -> Callable[[Repairer], Repairer]:
    """Register a repair of what a rule finds."""

    def register(repair: Repairer) -> Repairer:
        assert rule not in REPAIRS, rule
        REPAIRS[rule] = Registered(repair, may)
        return repair

    return register
