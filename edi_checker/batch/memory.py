"""What checks remember across claims, noted in a range and held against the whole input.

A range is checked as if nothing had been before it. Each claim notes what it asked of the memory and added to
it. In the order of the input the same is asked of the memory of the whole: where that could have said
something else to the claim, the claim is checked again with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes
from edi_checker.facts import ClaimNumbers, ClaimsSeen, Coverage, InputMemory, ProviderDays
from edi_checker.finding import Place
from edi_checker.rules import Rule

_MINUTES = "provider_minutes"  # the field of a therapy_day that adds up over claims
_NEVER = 1 << 62  # minutes


class Noted(NamedTuple):
    """What a claim asked of the memory of its range.

    digest   under which it was looked for among earlier claims, 0 where it was not
    worked   NPI, day and minutes of what it added to provider-days
    certain  whether it met nothing that depends on where the range begins
    """

    digest: int
    worked: tuple[tuple[str, int, int], ...]
    certain: bool


NOTHING = Noted(0, (), True)


class RangeMemory:
    """The memory of one range while it is checked, which notes what is asked of it.

    `least` is the least sum of minutes of a provider-day at which a rule looks at it.
    """

    def __init__(self, minutes: Minutes | None, coverage: Coverage, least: int) -> None:
        self._days = _Days(least)
        self._claims = _Claims()
        self._numbers = _Numbers()
        self.memory = InputMemory(
            minutes,
            coverage,
            provider_days=self._days,
            claims_seen=self._claims,
            claim_numbers=self._numbers,
        )

    def take_noted(self) -> Noted:
        """What was asked since the last time."""
        days, claims, numbers = self._days, self._claims, self._numbers
        if not claims.digest and not days.added and not numbers.repeats:
            return NOTHING
        certain = not (days.reached or claims.repeats or numbers.repeats)
        noted = Noted(claims.digest, tuple(days.added), certain)
        numbers.repeats = False
        claims.digest, claims.repeats = 0, False
        days.added, days.reached = [], False
        return noted


class _Days(ProviderDays):
    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least
        self.added: list[tuple[str, int, int]] = []
        self.reached = False

    def add(self, npi: str, on: int, minutes: int) -> int:
        total = super().add(npi, on, minutes)
        self.added.append((npi, on, minutes))
        self.reached = self.reached or total >= self._least
        return total


class _Numbers(ClaimNumbers):
    def __init__(self) -> None:
        super().__init__()
        self.repeats = False

    def meet(self, claim: Claim) -> Place | None:
        place = super().meet(claim)
        self.repeats = self.repeats or place is not None
        return place


class _Claims(ClaimsSeen):
    def __init__(self) -> None:
        super().__init__()
        self.digest = 0
        self.repeats = False

    def meet(self, digest: int, claim: Claim) -> Place | None:
        place = super().meet(digest, claim)
        self.digest, self.repeats = digest, place is not None
        return place


def agree(memory: InputMemory, noted: Noted, claim: Claim, least: int) -> bool:
    """Whether the memory of the input says to a claim what that of its range did; then it remembers it."""
    digest, worked, certain = noted
    if memory.claim_numbers.meet(claim) is not None or not certain:
        return False
    days = memory.provider_days
    for count, (npi, on, minutes) in enumerate(worked, 1):
        if days.add(npi, on, minutes) >= least:
            _take_back(days, worked[:count])
            return False
    if digest and memory.claims_seen.meet(digest, claim) is not None:
        _take_back(days, worked)
        return False
    return True


def _take_back(days: ProviderDays, worked: tuple[tuple[str, int, int], ...]) -> None:
    for npi, on, minutes in worked:
        days.add(npi, on, -minutes)


def least_that_matters(rules: Iterable[Rule]) -> int:
    """The least sum of a provider-day at which a rule can fire because of it."""
    least = _NEVER
    for rule in rules:
        for case in rule.cases:
            if all(reference.field != _MINUTES for reference in case.references()):
                continue
            bounds = [
                term.value
                for pattern in case.match
                for term in pattern.terms
                if term.field.field == _MINUTES
                and term.operator in ("at_least", "more_than")
                and isinstance(term.value, int)
            ]
            least = min(least, max(bounds, default=0))
    return least
