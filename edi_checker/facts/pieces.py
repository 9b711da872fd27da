"""Pieces of a claim file: what can be looked at is the key, all else stands in columns and is handed on.

A maker of facts gets a View: the segments of a piece, with an Open value for each element that is a column
(columns.COLUMNS). What it makes of it are OpenFacts, which are right for every piece with the same key;
`fill` makes a fact of one of them, with the columns of the piece that was met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from string import ascii_uppercase, digits
from sys import intern
from typing import Any, NamedTuple, NoReturn, Protocol

from edi_checker.claims.claim import DIAGNOSIS_LISTS, Segment, element
from edi_checker.claims.loops import OPENED, walk_loops
from edi_checker.facts.columns import (
    ADDRESS,
    COLUMNS,
    LOOKED_AT_REFERENCES,
    NAME_OF_A_PERSON,
)
from edi_checker.facts.fact import Fact, Placed, Value
from edi_checker.x12.finding import Place, TableVersion


class UsesColumn(Exception):
    """A maker of facts looked at what it can only hand on."""


def _refuse(open_value: Open, *_: object) -> NoReturn:
    raise UsesColumn(f"{open_value.name} is a column: it can be passed on, not tested")


class Open:
    """A value that is known when a piece is met, and not before: `take` reads it from what was met.

    `sent` says whether something stands there, None where that is not known either; `column` is the number of
    the column that it is read from, None where it takes more.
    """

    __slots__ = ("column", "name", "sent", "take")

    def __init__(
        self,
        name: str,
        take: Callable[[Any], Any],
        *,
        sent: bool | None = True,
        column: int | None = None,
    ) -> None:
        self.name = name
        self.take = take
        self.sent = sent
        self.column = column

    def __repr__(self) -> str:
        return f"Open({self.name})"

    __hash__ = object.__hash__
    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __str__ = __len__ = __iter__ = __contains__ = __getitem__ = __add__ = __int__ = _refuse
    __format__ = _refuse


Cell = str | Open
Cells = list[Cell]
OpenValue = Value | Open


def present(cell: Cell) -> bool:
    """Whether something stands in an element, column or not. Raises UsesColumn where that is a column too."""
    if not isinstance(cell, Open):
        return bool(cell)
    return cell.sent if cell.sent is not None else _refuse(cell)


def cell(segment: Sequence[Cell] | None, index: int) -> Cell:
    """Element `index` of a segment, "" where it or the segment is absent."""
    return segment[index] if segment is not None and index < len(segment) else ""


def text(segment: Sequence[Cell] | None, index: int) -> str:
    """The same, of an element that is no column. Raises UsesColumn where it is one."""
    found = cell(segment, index)
    if isinstance(found, Open):
        _refuse(found)
    return found


def read(found: Cell, name: str, convert: Callable[[str], Value]) -> OpenValue:
    """An element as a value of a fact: what it is as text, converted when the piece is met."""
    if not isinstance(found, Open):
        return convert(found)
    take = found.take
    return Open(name, lambda met: convert(take(met)), column=found.column)


def _nothing(_name: str) -> bool:
    return False


class View:
    """The segments of a piece as a maker of facts sees them; `key` is all of that as one text.

    `columns` counts the elements that stand open, in order. `hides` says of a segment id whether such
    segments belong to another part of the piece: whoever looks for one gets UsesColumn.
    """

    __slots__ = ("columns", "component", "hides", "key", "segments")

    def __init__(
        self,
        segments: list[Cells],
        component: str,
        columns: int,
        hides: Callable[[str], bool] = _nothing,
    ) -> None:
        self.segments = segments
        self.component = component
        self.columns = columns
        self.hides = hides
        self.key = "\n".join(
            ["\t".join(["\r" if isinstance(each, Open) else each for each in cells]) for cells in segments]
        )

    def part(self, begin: int, end: int | None, hides: Callable[[str], bool]) -> View:
        """The segments from `begin` to `end` as far as they can be looked at without the others. Those before
        them keep their places, with nothing in them to be looked at.
        """
        before: list[Cells] = [[cells[0], _HIDDEN] for cells in self.segments[:begin]]
        return View([*before, *self.segments[begin:end]], self.component, self.columns, hides)

    def all(self, name: str, *qualifiers: str) -> Iterator[Cells]:
        self._refuse_hidden(name)
        for cells in self.segments:
            if cells[0] is name or (cells[0] == name and (not qualifiers or text(cells, 1) in qualifiers)):
                yield cells

    def first(self, name: str, *qualifiers: str) -> Cells | None:
        at = self.find(name, *qualifiers)
        return self.segments[at] if at is not None else None

    def find(self, name: str, *qualifiers: str) -> int | None:
        """Number of the first segment with this id and, where qualifiers are given, one of them."""
        self._refuse_hidden(name)
        for at, cells in enumerate(self.segments):
            if cells[0] == name and (not qualifiers or text(cells, 1) in qualifiers):
                return at
        return None

    def _refuse_hidden(self, name: str) -> None:
        if self.hides(name):
            raise UsesColumn(f"{name} is in another part of the piece")


def _take_nothing(_met: object) -> NoReturn:
    raise UsesColumn("what stands in another part of the piece cannot be handed on")


_HIDDEN = Open("another part of the piece", _take_nothing, sent=None)


@lru_cache(maxsize=1024)
def _column(number: int, name: str, *, sent: bool | None = True) -> Open:
    return Open(name, lambda met: met.columns[number], sent=sent, column=number)


def look_at(segments: Iterable[Segment], component: str, hides: Callable[[str], bool] = _nothing) -> View:
    """The segments as a View; `hides` as there."""
    seen: list[Cells] = []
    count = 0
    for segment in segments:
        name = segment[0]
        cells: Cells = [intern(each) for each in segment]
        if name == ADDRESS:
            seen.append([name])
            continue
        if name == "HI" and _holds_diagnoses(segment, component):
            seen.append([name, "codes"])
            continue
        if name == "SV1" and len(segment) > 1:
            cells[1] = without_description(segment[1], component)
        maybe = _may_be_empty(segment)
        for index in _open_in(segment):
            if index < len(cells) and (cells[index] or index in maybe):
                cells[index] = _column(count, f"{name}{index:02}", sent=None if index in maybe else True)
                count += 1
            elif name == "SV1":
                count += 1  # has its columns in any case, so that those of what follows stand at one place
        seen.append(cells)
    return View(seen, component, count, hides)


def without_description(procedure: str, component: str) -> str:
    """SV101 with a mark in place of its description, which is free text unless it is as short as a code."""
    parts = procedure.split(component)
    if len(parts) <= _DESCRIPTION or len(parts[_DESCRIPTION]) in (0, _SHORT):
        return procedure
    parts[_DESCRIPTION] = "-"
    return component.join(parts)


def look_at_address(segment: Segment) -> View:
    """An N4 by itself: the city stands open, and of the postal code all but its shape."""
    cells: Cells = list(segment)
    if len(cells) > 3:
        cells[3] = shape_of_postal_code(segment[3])
    if len(cells) > 1 and cells[1]:
        cells[1] = _column(0, "N401")
    return View([cells], "", 1)


def columns_of(segments: Iterable[Segment], component: str) -> list[str]:
    """What stands in the columns of these segments, in the order in which a View counts them."""
    found: list[str] = []
    for segment in segments:
        if segment[0] != ADDRESS and not (segment[0] == "HI" and _holds_diagnoses(segment, component)):
            if segment[0] == "SV1":
                found += [element(segment, index) for index in _open_in(segment)]
                continue
            maybe = _may_be_empty(segment)
            found += [
                segment[index]
                for index in _open_in(segment)
                if index < len(segment) and (segment[index] or index in maybe)
            ]
    return found


def _holds_diagnoses(segment: Segment, component: str) -> bool:
    return len(segment) > 1 and segment[1].partition(component)[0] in DIAGNOSIS_LISTS


def _open_in(segment: Segment) -> tuple[int, ...]:
    if segment[0] == "REF" and len(segment) > 1 and segment[1] in LOOKED_AT_REFERENCES:
        return ()
    return COLUMNS.get(segment[0], ())


def _may_be_empty(segment: Segment) -> tuple[int, ...]:
    return NAME_OF_A_PERSON if segment[0] == "NM1" and segment[2:3] == ["1"] else ()


_ZIP_PLUS_4 = 9  # digits
_SHORT = 2  # characters of a modifier
_DESCRIPTION = 6  # of the parts of SV101, from 0
_DIGITS = str.maketrans(digits, "9" * len(digits))
_SHAPE = _DIGITS | str.maketrans(ascii_uppercase, "A" * len(ascii_uppercase))


def shape_of_postal_code(code: str) -> str:
    """A postal code with the same digit and the same letter throughout; one that begins with five zeros,
    which none is, still does, and one of nine digits that ends with four zeros still ends with them.
    """
    if code.startswith("00000"):
        return code
    if len(code) == _ZIP_PLUS_4 and code.endswith("0000"):
        return f"{code[:-4].translate(_DIGITS)}0000"
    return code.translate(_SHAPE)


# -- places ------------------------------------------------------------------------------------------------


class Site(NamedTuple):
    """A place within a piece: loop, segment id, how many segments from the piece's first, element; of several
    pieces the number of the one.
    """

    loop: str
    segment: str
    offset: int
    element: str | None
    member: int = 0


class Location(Protocol):
    """Where an open fact stands."""

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        """The site of a segment, or of an element of it; None where it is not within the piece."""
        ...


class Met(Protocol):
    """A piece that was met: its columns, and where it stands."""

    @property
    def columns(self) -> Sequence[str]: ...

    def place_at(self, site: Site) -> Place: ...

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        """The place of a segment that the piece itself does not have."""
        ...


class Within(NamedTuple):
    """A piece: its segments are found by name. One that it lacks stands at its first, unless it is `part` of
    a whole that may have it.
    """

    view: View
    loop: str
    part: bool = False

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        if self.view.hides(name):
            return None
        number = self.view.find(name, qualifier) if qualifier else self.view.find(name)
        if number is None and self.part:
            return None
        return Site(self.loop, name, number or 0, at)


class Loop(NamedTuple):
    """A loop within a piece, from segment `begin` up to and without `end`."""

    view: View
    loop: str
    begin: int
    end: int

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        for number in range(self.begin, self.end):
            cells = self.view.segments[number]
            if cells[0] == name and (not qualifier or text(cells, 1) == qualifier):
                return Site(self.loop, name, number, at)
        return Site(self.loop, name, self.begin, at)


def end_of_loop(view: View, begin: int) -> int:
    """The segment behind the loop of a party whose NM1 is segment `begin`."""
    for number in range(begin + 1, len(view.segments)):
        if view.segments[number][0] == "NM1" or view.segments[number][0] in OPENED:
            return number
    return len(view.segments)


def loop_at(view: View, loop: str, begin: int) -> Loop:
    """The loop of a party whose NM1 is segment `begin`."""
    return Loop(view, loop, begin, end_of_loop(view, begin))


class At(NamedTuple):
    """One segment of a piece."""

    loop: str
    offset: int

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        return Site(self.loop, name, self.offset, at)


class Exactly(NamedTuple):
    """One element of a piece, whatever a rule asks for."""

    site: Site

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        return self.site


class Standing(NamedTuple):
    """A spot of a piece that was met."""

    met: Met
    spot: Location

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        site = self.spot.find(name, at, qualifier)
        return self.met.place_at(site) if site is not None else self.met.place_beyond(name, at, qualifier)


def place_segments(view: View, loop: str, role: str = "") -> tuple[list[str], list[str]]:
    """The loop of each segment of a piece, and the NM101 of the party whose loop it is; `loop` and `role` are
    those of the first segment.
    """
    stands = list(walk_loops(view.segments, loop, role))
    return [each.loop for each in stands], [each.role for each in stands]


# -- facts -------------------------------------------------------------------------------------------------


class OpenFact(NamedTuple):
    """A fact of every piece with the same key.

    values     every field of its type, those that the key does not tell Open
    stands_on  as of Fact, Open where it takes more than the piece
    when       Open, true where the fact is one of the piece that was met; None where it always is
    """

    kind: str
    values: dict[str, OpenValue]
    stands_on: dict[str, tuple[Location, ...] | Open]
    table: TableVersion | None = None
    when: Open | None = None


def fill(facts: Iterable[OpenFact], met: Met) -> Iterator[Fact]:
    """The facts of a piece that was met."""
    for fact in facts:
        if fact.when is not None and not fact.when.take(met):
            continue
        values: dict[str, Value] = {
            name: value.take(met) if isinstance(value, Open) else value for name, value in fact.values.items()
        }
        stands_on: dict[str, tuple[Placed, ...]] = {
            key: spots.take(met)
            if isinstance(spots, Open)
            else tuple([Standing(met, spot) for spot in spots])
            for key, spots in fact.stands_on.items()
        }
        yield Fact(fact.kind, values, stands_on, fact.table)


def at_segment(fact: OpenFact, offset: int) -> OpenFact:
    """A fact of one segment as one of the piece in which that stands at this offset."""
    [spot] = fact.stands_on[""]
    assert isinstance(spot, Exactly)
    site = spot.site
    return fact._replace(stands_on={"": (Exactly(site._replace(offset=site.offset + offset)),)})
