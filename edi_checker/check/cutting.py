"""Claims cut into pieces by their text: keys, and the columns beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from edi_checker.claims.claim import (
    DIAGNOSIS_LISTS,
    Segment,
    element,
    read_location,
)
from edi_checker.facts.columns import (
    ADDRESS,
    COLUMNS,
    LOOKED_AT_REFERENCES,
    NAME_OF_A_PERSON,
)
from edi_checker.facts.pieces import without_description
from edi_checker.facts.triggers import triggers_of
from edi_checker.guide import native
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.money import cents, thousandths

# Columns of an NM1 whose id is taken off.
_OF_NAME = tuple(index - 1 for index in COLUMNS["NM1"])
_LAST_OF_NAME = max(NAME_OF_A_PERSON) - 1
# Segments of the head behind CLM that a maker of facts may use.
_TELLING = ("DTP", *[name for name in triggers_of("head") if name not in ("CLM", "DTP")])
_MOST_LOCATIONS = 1000  # that are remembered

# Of a line: LX01, SV1, the key of that, the key of what follows, SV107; form and text of the day of service,
# and REF*6R, where they stand directly behind SV1; what else follows, charge in cents, SV104 in thousandths.
LineText = tuple[str, str, str, str, str, str, str, str, int | None, int | None]
SAID: Final = 1
KEY: Final = 2
DATE: Final = 5
CONTROL: Final = 6
MORE: Final = 7
AMOUNT: Final = 8
# Of a level above claims: the key of its segments, what stands in their columns, number and text of each N4.
LevelText = tuple[str, list[str], list[tuple[int, str]]]


class Cut(NamedTuple):
    """A claim's text in pieces.

    id, charge  CLM01, CLM02, `cents` what that is; `terms` what CLM says behind it
    head        key, columns and number of each segment after CLM that a rule may use
    composites  the diagnoses with their qualifiers
    parties     key, columns, NPI and text of each provider; `parties_at` counts the segments before them
    payers      SBR01 of each other payer; `payers_text` all that they say
    lines       its lines
    before      segments before the first line
    """

    id: str
    charge: str
    cents: int | None
    terms: str
    head: list[tuple[str, list[str], int]]
    composites: list[str]
    parties: list[tuple[str, list[str], str, str]]
    parties_at: int
    payers: tuple[str, ...]
    payers_text: str
    lines: list[LineText]
    before: int


def _mask(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


class Cutter:
    """Cuts claims with one set of delimiters."""

    # The patterns are written for these columns.
    assert COLUMNS["SV1"] == (2, 4, 7)
    assert (COLUMNS["LX"], COLUMNS["CLM"], COLUMNS["DTP"], COLUMNS["REF"]) == ((1,), (1, 2), (3,), (2,))

    def __init__(self, delimiters: Delimiters) -> None:
        self.element, self.terminator = delimiters.element, delimiters.terminator
        self.component = delimiters.component
        e, t = re.escape(self.element), re.escape(self.terminator)
        one, rest = f"[^{e}{t}]*+", f"[^{t}]*+"
        # Segments whose one column is their last element, and what stands before it.
        ends = [
            f"{name}{e}" + ("(?!X4)" if name == "REF" else "") + f"{one}{e}" * (columns[0] - 1)
            for name, columns in COLUMNS.items()
            if len(columns) == 1 and name in _TELLING
        ]
        self._clm = re.compile(f"CLM{e}({one}){e}({one})({rest})")
        self._head = re.compile(f"{t}(?:({'|'.join(ends)})([^{e}{t}]++)(?={t}|\\Z)|({rest}))")
        self._line = re.compile(
            f"LX{e}({one}){t}"
            f"(SV1{e}({one}){e}({one}){e}({one}){e}({one})((?>(?:{e}{one}){{0,2}}))(?>(?:{e}({one}))?)({rest}))"
            f"(?>(?:{t}DTP{e}472{e}(D8{e}[0-9]{{8}}|RD8{e}[0-9]{{8}}-[0-9]{{8}}))?)(?>(?:{t}REF{e}6R{e}([^{e}{t}]++))?)"
            f"((?>(?:{t}(?!LX{e}){rest})*))"
        )
        self.address = f"{ADDRESS}{self.element}"
        self.number_mark = f"{self.terminator}REF{self.element}6R{self.element}"
        self._order = re.compile(f"{t}SBR{e}({one})")
        self._hi = tuple(f"HI{self.element}{qualifier}{self.component}" for qualifier in DIAGNOSIS_LISTS)
        self._qualifiers = tuple(f"{qualifier}{self.component}" for qualifier in DIAGNOSIS_LISTS)
        assert {"X4"} == LOOKED_AT_REFERENCES
        self._locations: dict[str, Sequence[str]] = {}
        self._native = self._make_native(delimiters) if native.IN_USE else None

    def cut(self, text: str) -> Cut | None:
        """A claim without faults in pieces; None where it is not written as the guide orders segments."""
        if self._native is None or not text.isascii():
            return self.cut_in_python(text)
        return self._native.cut(text)

    def location_in(self, terms: str) -> Sequence[str]:
        """The parts of CLM05, of what CLM says behind its charge."""
        found = self._locations.get(terms)
        if found is None:
            if len(self._locations) >= _MOST_LOCATIONS:
                self._locations.clear()
            written = element(terms.split(self.element), 3)
            found = self._locations[terms] = read_location(written, self.component)
        return found

    def cut_level(self, text: str) -> LevelText:
        """A level without faults in pieces."""
        if self._native is None or not text.isascii():
            return self.cut_level_in_python(text)
        return self._native.cut_level(text)

    def _make_native(self, delimiters: Delimiters) -> native.Cutter[Cut] | None:
        """What cuts as `cut_in_python` does, and mostly gives equal texts as one object; None for delimiters
        that stand in values too.
        """
        names = dict.fromkeys((*COLUMNS, *_TELLING))
        plans = []
        for name in names:
            columns = COLUMNS.get(name, ())
            flags = 1 * (name in _TELLING) | 2 * (name == ADDRESS) | 4 * (name == "REF") | 8 * (name == "NM1")
            alone = columns[0] if len(columns) == 1 and name in _TELLING else 0
            plans.append((name, _mask(columns), flags, alone))
        written = f"{self.element}{self.component}{self.terminator}".encode("ascii", "replace")
        [looked_at] = LOOKED_AT_REFERENCES
        person = _mask(NAME_OF_A_PERSON)
        try:
            return native.Cutter(
                Cut, written, tuple(plans), self._qualifiers, looked_at, person, os.urandom(16)
            )
        except ValueError:
            return None

    def cut_in_python(self, text: str) -> Cut | None:
        """As `cut`."""
        e, t = self.element, self.terminator
        lines_at = text.find(f"{t}LX{e}")
        written = self._clm.match(text)
        if lines_at < 0 or written is None:
            return None
        top = text[:lines_at]
        payers_at = top.find(f"{t}SBR{e}")
        own = top if payers_at < 0 else top[:payers_at]
        parties_at = own.find(f"{t}NM1{e}")
        id, charge, terms = written.groups()
        head: list[tuple[str, list[str], int]] = []
        composites: list[str] = []
        head_end = parties_at if parties_at >= 0 else len(own)
        number = 0
        for before, column, whole in self._head.findall(own[:head_end], written.end()):
            number += 1
            if before:
                head.append((before, [column], number))
            elif whole.startswith(self._hi):
                composites += [each for each in whole.split(e) if each.startswith(self._qualifiers)]
            elif whole[:3].rstrip(e) in _TELLING:
                held: list[str] = []
                head.append((self.cut_segment(whole, held), held, number))
        if not composites:
            # The guide requires HI: without a fault that says so, it stands elsewhere, in another block.
            return None
        parties = []
        if parties_at >= 0:
            for loop in own[parties_at + len(t) + 4 :].split(f"{t}NM1{e}"):
                held = []
                named, _, rest = loop.partition(t)
                cells = named.split(e)
                npi = cells[8] if len(cells) > 8 and cells[7] == "XX" else ""
                person = cells[1] == "1"
                for index in _OF_NAME:
                    if index < len(cells) and (cells[index] or (person and index <= _LAST_OF_NAME)):
                        held.append(cells[index])
                        cells[index] = "\r"
                said = e.join(cells)
                if rest:
                    said += t + t.join([self.cut_segment(segment, held) for segment in rest.split(t)])
                parties.append((said, held, npi, rest))
        of_payers = top[payers_at:] if payers_at >= 0 else ""
        payers = tuple(self._order.findall(of_payers)) if of_payers else ()
        lines = [self._read_line(parts) for parts in self._line.findall(text, lines_at + len(t))]
        before_lines = top.count(t) + 1
        return Cut(
            *(id, charge, cents(charge), terms, head, composites, parties, number + 1, payers, of_payers),
            lines=lines,
            before=before_lines,
        )

    def _read_line(self, parts: Sequence[str]) -> LineText:
        """A line of its parts, as the pattern has them."""
        e, t = self.element, self.terminator
        order, said, procedure, charge, unit, counted, place, pointers, rest, date, control, more = parts
        key = f"{without_description(procedure, self.component)}{e}{unit}{place}{t}"
        key += f"\r{rest}" if pointers else rest
        behind = date[:1] + ("C" if control else "")
        for segment in more.split(t)[1:]:
            behind += t + self.cut_segment(segment, [])
        return order, said, key, behind, pointers, date, control, more, cents(charge), thousandths(counted)

    def cut_level_in_python(self, text: str) -> LevelText:
        """As `cut_level`."""
        columns: list[str] = []
        segments = text.split(self.terminator)
        key = self.terminator.join([self.cut_segment(segment, columns) for segment in segments])
        addresses = [(at, each) for at, each in enumerate(segments) if each.startswith(self.address)]
        return key, columns, addresses

    def segments_of_line(self, line: LineText) -> list[Segment]:
        """The segments of a line."""
        order, said, _, _, _, date, control, more, *_ = line
        e = self.element
        found = [["LX", order], said.split(e)]
        if date:
            found.append(["DTP", "472", *date.split(e)])
        if control:
            found.append(["REF", "6R", control])
        return found + [each.split(e) for each in more.split(self.terminator)[1:]]

    def notes_of_line(self, line: LineText) -> list[str]:
        """The texts of the notes of a line that give additional information (NTE*ADD)."""
        begin = f"NTE{self.element}ADD{self.element}"
        return [
            segment[len(begin) :].partition(self.element)[0]
            for segment in line[MORE].split(self.terminator)
            if segment.startswith(begin)
        ]

    def columns_of_line(self, line: LineText) -> list[str]:
        """What stands in the columns of a line, in their order."""
        order, said, _, _, pointers, date, control, more, *_ = line
        cells = said.split(self.element)
        columns = [order, cells[2], cells[4], pointers]
        columns += [text for text in (date.partition(self.element)[2], control) if text]
        for segment in more.split(self.terminator)[1:] if more else ():
            self.cut_segment(segment, columns)
        return columns

    def cut_segment(self, text: str, columns: list[str]) -> str:
        """The key of a segment; what stands in its columns is added to `columns`."""
        cells = text.split(self.element)
        name = cells[0]
        plan = COLUMNS.get(name)
        if plan is None:
            return text
        if name == ADDRESS:
            return ADDRESS
        if name == "REF" and cells[1] in LOOKED_AT_REFERENCES:
            return text
        person = name == "NM1" and cells[2] == "1"
        count = len(cells)
        for index in plan:
            if index >= count:
                break
            value = cells[index]
            if value or (person and index in NAME_OF_A_PERSON):
                columns.append(value)
                cells[index] = "\r"
        return self.element.join(cells)


@lru_cache(maxsize=8)
def cutter_for(delimiters: Delimiters) -> Cutter:
    """The one that cuts all claims with these delimiters: it keeps the texts that it met last."""
    return Cutter(delimiters)
