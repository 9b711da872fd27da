"""Situations in which the guide or a payer requires more of a claim, made from the rows of `triggers`.

Facts of what is there to be asked about, nothing of a plain claim. Where a segment of the claim is missing,
misplaced or cannot be told by its qualifier, there are none: what a fault hides must not be missed twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from edi_checker.claims.claim import Segment
from edi_checker.facts.fact import Value
from edi_checker.facts.pieces import (
    At,
    Cells,
    Location,
    Open,
    OpenFact,
    OpenValue,
    View,
    Within,
    loop_at,
    text,
)
from edi_checker.facts.triggers import NOTHING_AROUND, Around, Piece, Trigger, triggers_of
from edi_checker.facts.vocabulary import SITUATION
from edi_checker.x12.blocks import Fault

MOST_SITUATIONS = 200  # of one claim: more of them say nothing new

_ABSENT: dict[str, Value] = {"codes": (), "bool": False, "text": ""}
_EMPTY: dict[str, OpenValue] = {name: _ABSENT.get(field.type) for name, field in SITUATION.fields.items()}

# Segments that are named with the element that says which of their kind they are; others by their id alone.
_QUALIFIER = {"REF": 1, "DTP": 1, "NTE": 1, "CRC": 1, "NM1": 1, "QTY": 1, "MEA": 2, "LQ": 1, "LIN": 2}
_POST_OFFICE_BOX = re.compile(r"(?:P ?O ?B(?:OX)?|POST OFFICE BOX|LOCK ?(?:BOX|BIN)) ?[0-9A-Z#-]{0,12}")


def hides_something(faults: Iterable[Fault]) -> bool:
    """Whether a segment is missing, out of place, or not known by its qualifier."""
    return any(not fault.element or fault.element[-2:] == "01" for fault in faults)


def name_segments(segments: Iterable[Segment] | Iterable[Cells]) -> tuple[str, ...]:
    """The segments as a rule names them, each once: REF X4, CR1."""
    names = []
    for segment in segments:
        at = _QUALIFIER.get(str(segment[0]))
        qualifier = segment[at] if at is not None and at < len(segment) else ""
        names.append(f"{segment[0]} {qualifier}"[:12] if at is not None else str(segment[0]))
    return tuple(dict.fromkeys(names))


def make_situations(
    view: View,
    loops: Sequence[str],
    around: Around,
    shared: Mapping[str, OpenValue],
    piece: Piece,
    numbers: Iterable[int] | None = None,
) -> Iterator[OpenFact]:
    """What the triggers find in a piece; `loops` are those of its segments, `shared` is in all facts.
    `numbers` are the segments that are looked at, None for all.

    Loops of another payer (2320, 2430) say nothing of what this one asks for.
    """
    rows = triggers_of(*_ROWS[piece])
    for number in numbers if numbers is not None else range(len(view.segments)):
        cells = view.segments[number]
        if loops[number] in _OF_OTHER_PAYERS:
            continue
        name = str(cells[0])
        told = rows.get(name, ())
        if name == "SV1":
            told = _holding(told, text(cells, 1), view.component)
        for row in told:
            if not (row.looks_at_procedure or row.holds(view, cells, around)):
                continue
            values: dict[str, OpenValue] = {**_EMPTY, **shared, "kind": row.kind}
            for name, take in row.says.items():
                values[name] = take(view, cells, around)
            spots: tuple[Location, ...] | Open = (At(loops[number], number),)
            if row.stands_on is not None:
                spots = row.stands_on
            elif row.segment in ("CLM", "SV1"):
                spots = (Within(view, loops[number], part=piece in ("head", "around")),)
            elif piece == "billing":
                begin = max((at for at in range(number + 1) if view.segments[at][0] == "NM1"), default=0)
                spots = (loop_at(view, loops[number], begin),)
            yield OpenFact("situation", values, {"": spots}, when=row.when)


@lru_cache(maxsize=16384)
def _holding(rows: tuple[Trigger, ...], procedure: str, component: str) -> tuple[Trigger, ...]:
    """The rows of SV1 without those that look at SV101 alone and do not hold of this one."""
    view, cells = View([], component, 0), ["SV1", procedure]
    return tuple(
        [row for row in rows if not row.looks_at_procedure or row.holds(view, list(cells), NOTHING_AROUND)]
    )


def make_around(around: Around, shared: Mapping[str, OpenValue]) -> Iterator[OpenFact]:
    """What the triggers find in what stands around a claim."""
    return make_situations(_CLAIM, ("2300",), around, shared, "around")


# Of the claim itself nothing is looked at there: the fact stands at it.
_CLAIM = View([["CLM", "-"]], "", 0)
_OF_OTHER_PAYERS = frozenset(("2320", "2430"))
# A line has parties of its own.
_ROWS: dict[Piece, tuple[Piece, ...]] = {
    "head": ("head",),
    "around": ("around",),
    "party": ("party",),
    "billing": ("billing",),
    "patient": ("patient",),
    "line": ("line", "party"),
}


def is_box(street: str) -> bool:
    """Whether the line of an address is a post office box or a lock box."""
    plain = " ".join(street[:60].upper().replace(".", " ").split())
    return _POST_OFFICE_BOX.fullmatch(plain) is not None or plain.startswith(("PO BOX ", "P O BOX "))
