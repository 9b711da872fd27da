"""Days of service that tables or memory do not cover: remembered for one input, reported once at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

from edi_checker.reference.tables import Side, Tables

Beyond = Side | Literal["full"]


class Gap(NamedTuple):
    """Days of service (CCYYMMDD) from the first to the last met that lie before or after a release, and how
    many claims have such days; with side `full` days of claims that were not remembered, for want of room.
    """

    table: str
    version: str
    side: Beyond
    first: int
    last: int
    claims: int = 0


_MOST_KNOWN = 10_000  # first and last days whose gaps are remembered, of each set of tables
_KNOWN: WeakKeyDictionary[Tables, dict[tuple[int, int], tuple[Gap, ...]]] = WeakKeyDictionary()


class Coverage:
    """The days of service of one input that lie outside the releases of the tables.

    Of each release the first and the last such day are kept, so memory does not grow with the input.
    """

    def __init__(self) -> None:
        self._met: dict[tuple[str, str, Beyond], tuple[int, int, int]] = {}

    def meet(self, first: int, last: int, tables: Tables) -> None:
        """Note the first and last day of service of a claim that is checked with these tables."""
        known = _KNOWN.get(tables)
        if known is None:
            known = _KNOWN[tables] = {}
        gaps = known.get((first, last))
        if gaps is None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            gaps = known[first, last] = _gaps_of(first, last, tables)
        if gaps:
            self.take(gaps)

    def forget(self, on: int) -> None:
        """Note a day of service of a claim with which later claims are not compared."""
        self._widen(("earlier_claims", "", "full"), on, on)

    def gaps(self) -> tuple[Gap, ...]:
        """What has been met so far, by table, release and side."""
        return tuple(Gap(*key, *days) for key, days in sorted(self._met.items()))

    def take(self, gaps: Iterable[Gap]) -> None:
        """Note what was met in another part of the same input."""
        for gap in gaps:
            self._widen((gap.table, gap.version, gap.side), gap.first, gap.last, gap.claims)

    def _widen(self, key: tuple[str, str, Beyond], first: int, last: int, claims: int = 0) -> None:
        before = self._met.get(key, (first, last, 0))
        self._met[key] = (min(before[0], first), max(before[1], last), before[2] + claims)


def _gaps_of(first: int, last: int, tables: Tables) -> tuple[Gap, ...]:
    """What one claim with these first and last days leaves uncovered."""
    days: dict[tuple[str, str, Side], list[int]] = {}
    for on in dict.fromkeys((first, last)):
        for key in tables.outside(on):
            days.setdefault(key, []).append(on)
    return tuple(Gap(*key, min(met), max(met), 1) for key, met in days.items())
