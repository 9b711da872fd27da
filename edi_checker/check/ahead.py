"""What is done for a handful of claims before they are judged: each is cut, and glanced at.

Many in a row go through the same code faster than each goes through all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from edi_checker.check.cutting import DATE, KEY, MORE, SAID, Cut, Cutter, LineText, cutter_for
from edi_checker.claims.claim import Claim
from edi_checker.facts.glance import Glance, alone, glance_at, is_change, is_monthly, is_therapy
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.dates import days_of

_MOST = 10_000  # texts of days and of services that are remembered
_MONTHLY, _THERAPY = 1, 2
_QUALIFIER = 6  # NM108, from NM102 on


def cut_ahead(claims: Iterable[Claim]) -> None:
    """Cut those without faults."""
    for claim in claims:
        if not claim.faults:
            claim.pieces = _cut(claim)


def _cut(claim: Claim) -> Cut | None:
    try:
        return cutter_for(claim.block.delimiters).cut(claim.block.text)
    except Exception:  # noqa: BLE001  # it is cut again when it is judged, and what happens is told
        return None


def glance_over(claims: Iterable[Claim]) -> Iterator[tuple[Claim, Glance]]:
    """Those of the claims of which a glance tells something, with that."""
    for claim in claims:
        if not claim.faults and (glance := _glance(claim)) is not None:
            yield claim, glance


def _glance(claim: Claim) -> Glance | None:
    try:
        return _glancer_for(claim.block.delimiters).glance(claim)
    except Exception:  # noqa: BLE001  # what such a claim asks is looked up when it is judged
        return None


@lru_cache(maxsize=8)
def _glancer_for(delimiters: Delimiters) -> _Glancer:
    return _Glancer(cutter_for(delimiters))


class _Glancer:
    """Glances at claims with the delimiters of a cutter."""

    def __init__(self, cutter: Cutter) -> None:
        self._cutter = cutter
        self._rendering = f"82{cutter.element}"  # how the key of such a provider begins
        self._of_line = f"{cutter.terminator}NM1{cutter.element}82{cutter.element}"
        self._days: dict[str, int] = {}
        self._kinds: dict[str, int] = {}

    def glance(self, claim: Claim) -> Glance:
        """What a claim without faults tells at a glance, of its pieces where they tell it all."""
        cut = claim.pieces
        if not isinstance(cut, Cut):
            return glance_at(claim)
        days, kinds = self._days, self._kinds
        found, kind, more = set(), 0, ""
        for line in cut.lines:
            day, of_service = days.get(line[DATE]), kinds.get(line[KEY])
            if day is None:
                day = self._read_day(line)
            if of_service is None:
                of_service = self._read_kind(line)
            found.add(day)
            kind |= of_service
            if line[MORE]:
                more += line[MORE]
        if 0 in found:
            return glance_at(claim)
        npis = [npi for key, _, npi, _ in cut.parties if npi and key.startswith(self._rendering)]
        if self._of_line in more:
            npis += self._npis_in(more)
        changes = is_change(self._cutter.location_in(cut.terms)[2])
        return Glance(
            found, npis or alone(claim.billing), changes, bool(kind & _MONTHLY), bool(kind & _THERAPY)
        )

    def _npis_in(self, more: str) -> Iterator[str]:
        """Who gave the services of lines, of what follows these."""
        for loop in more.split(self._of_line)[1:]:
            cells = loop.partition(self._cutter.terminator)[0].split(self._cutter.element)
            if cells[_QUALIFIER : _QUALIFIER + 1] == ["XX"]:
                yield from cells[_QUALIFIER + 1 :][:1]

    def _read_day(self, line: LineText) -> int:
        """The day of a line; 0 where none stands directly behind its service, or several do."""
        if len(self._days) >= _MOST:
            self._days.clear()
        form, _, written = line[DATE].partition(self._cutter.element)
        first, _, count = days_of(form, written)
        found = self._days[line[DATE]] = first or 0 if count == 1 else 0
        return found

    def _read_kind(self, line: LineText) -> int:
        if len(self._kinds) >= _MOST:
            self._kinds.clear()
        procedure = line[SAID].split(self._cutter.element)[1].split(self._cutter.component)
        monthly = procedure[0] == "HC" and any(map(is_monthly, procedure[1:2]))
        kind = self._kinds[line[KEY]] = _MONTHLY * monthly | _THERAPY * is_therapy(procedure[2:6])
        return kind
