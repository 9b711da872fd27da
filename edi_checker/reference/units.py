"""Minutes of timed therapy to billable units, by the rule of CMS and by that of the AMA: pure arithmetic.

CMS (Medicare Claims Processing Manual, ch. 5, section 20.2): the timed minutes of a discipline on a day are
added up and make T units, one for each 15 minutes and one more for a rest of 8 or more. Each service has the
full quarter hours it holds; what is left of T goes one each to the largest rests, of equal rests to any.

AMA (CPT midpoint rule, "rule of eights"): each service by itself; a unit is earned past its midpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal, NamedTuple

UnitMethod = Literal["cms", "ama"]

QUARTER = 15  # minutes of one unit
ROUNDS_UP = 7  # minutes that are added before whole units are counted: a rest of 8 earns one


class Working(NamedTuple):
    """How minutes became units.

    minutes  of each service; every mapping here has the same keys in the same order
    total    units of all services together
    whole    units that each service has in any case
    rest     minutes of each service beyond its whole units (CMS alone; empty for AMA)
    certain  services that have one unit more
    tied     services with equal rests, of which any `spare` have one unit more
    """

    method: UnitMethod
    minutes: dict[str, int]
    total: int
    whole: dict[str, int]
    rest: dict[str, int]
    certain: tuple[str, ...] = ()
    tied: tuple[str, ...] = ()
    spare: int = 0

    def allocations(self) -> Iterator[dict[str, int]]:
        """Every right way to bill, one after the other (their number can be large: take what you need)."""
        for chosen in combinations(self.tied, self.spare):
            more = {*self.certain, *chosen}
            yield {service: units + (service in more) for service, units in self.whole.items()}

    def misplaced(self, billed: Mapping[str, int]) -> tuple[str, ...]:
        """The services that were billed more units than any right way gives them beside the others.

        Where services are tied, those that took a unit first, in the order of `billed`, keep it.
        """
        wrong = []
        spare = self.spare
        for service, units in billed.items():
            over = units - self.whole.get(service, 0) - (service in self.certain)
            if over == 1 and service in self.tied and spare:
                spare -= 1
            elif over > 0:
                wrong.append(service)
        return tuple(wrong)


def work(minutes: Mapping[str, int], method: UnitMethod = "cms") -> Working:
    """Units for the timed minutes of one discipline on one day, by service.

    Raises ValueError for minutes below zero.
    """
    if any(m < 0 for m in minutes.values()):
        raise ValueError("minutes are below zero")
    return _cms(dict(minutes)) if method == "cms" else _ama(dict(minutes))


def least_minutes(units: int) -> int:
    """The fewest minutes for which CMS lets this many timed units be billed in one discipline on one day."""
    return max(0, QUARTER * units - ROUNDS_UP)


def _cms(minutes: dict[str, int]) -> Working:
    total = (sum(minutes.values()) + ROUNDS_UP) // QUARTER
    whole = {service: m // QUARTER for service, m in minutes.items()}
    rest = {service: m % QUARTER for service, m in minutes.items()}
    left = total - sum(whole.values())
    if left == 0:
        return Working("cms", minutes, total, whole, rest)
    # `left` never exceeds the number of services with a rest: p rests hold at most 14 p minutes.
    edge = sorted(rest.values(), reverse=True)[left - 1]
    certain = tuple(service for service, r in rest.items() if r > edge)
    tied = tuple(service for service, r in rest.items() if r == edge)
    spare = left - len(certain)
    if spare == len(tied):
        return Working("cms", minutes, total, whole, rest, certain=(*certain, *tied))
    return Working("cms", minutes, total, whole, rest, certain, tied, spare)


def _ama(minutes: dict[str, int]) -> Working:
    whole = {service: (m + ROUNDS_UP) // QUARTER for service, m in minutes.items()}
    return Working("ama", minutes, sum(whole.values()), whole, {})
