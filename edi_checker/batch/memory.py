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
from edi_checker.facts import Coverage, InputMemory
from edi_checker.facts.context import (
    Charged,
    ClaimNumbers,
    ClaimsSeen,
    EarlierFiles,
    ProviderDays,
    Services,
    ServicesSeen,
    Withdrawn,
)
from edi_checker.x12.finding import Place


class Noted(NamedTuple):
    """What a claim asked of the memory of its range.

    digest    under which it was looked for among earlier claims, 0 where it was not
    worked    NPI, day and minutes of what it added to provider-days
    certain   whether it met nothing that depends on where the range begins
    asked     the keys under which earlier services were looked for
    billed    what it bills, by person and day; `charged` by year
    accepted  whether what it bills was remembered
    """

    digest: int
    worked: tuple[tuple[str, int, int], ...]
    certain: bool
    asked: tuple[int, ...] = ()
    billed: tuple[Services, ...] = ()
    charged: tuple[Charged, ...] = ()
    accepted: bool = False


NOTHING = Noted(0, (), True)


class RangeMemory:
    """The memory of one range while it is checked, which notes what is asked of it.

    `least` is the least sum of minutes of a provider-day at which a rule looks at it.
    """

    def __init__(
        self, minutes: Minutes | None, coverage: Coverage, least: int, history: EarlierFiles | None = None
    ) -> None:
        self._days = _Days(least)
        self._claims = _Claims()
        self._services = _Services()
        self._numbers = _Numbers()
        self._withdrawn = _Withdrawn()
        self.memory = self._memory = _Memory(
            minutes,
            coverage,
            provider_days=self._days,
            claims_seen=self._claims,
            services_seen=self._services,
            claim_numbers=self._numbers,
            withdrawn=self._withdrawn,
            history=history,
        )

    def take_noted(self) -> Noted:
        """What was asked since the last time."""
        days, claims, services, memory = self._days, self._claims, self._services, self._memory
        numbers, withdrawn = self._numbers, self._withdrawn
        asked = claims.digest or days.added or services.asked or numbers.repeats or withdrawn.changed
        if not asked and memory.settled is None:
            return NOTHING
        billed, charged, accepted = memory.settled or ((), (), False)
        noted = Noted(
            claims.digest,
            tuple(days.added),
            not any(
                (
                    *(days.reached, claims.repeats, numbers.repeats, services.met),
                    *(memory.reached, memory.sent_before, withdrawn.changed),
                )
            ),
            tuple(services.asked),
            billed,
            charged,
            accepted,
        )
        numbers.repeats = withdrawn.changed = False
        claims.digest, claims.repeats = 0, False
        days.forget_added()
        days.reached = False
        services.asked, services.met = [], False
        memory.settled, memory.reached, memory.sent_before = None, False, False
        return noted


class _Memory(InputMemory):
    """Notes what a claim bills, whether its year passes a threshold, and whether it replaces a claim of an
    earlier file or is one of those.
    """

    settled: tuple[tuple[Services, ...], tuple[Charged, ...], bool] | None = None
    reached = False
    sent_before = False

    def meet(self, digest: int, claim: Claim, on: int) -> Place | None:
        place = super().meet(digest, claim, on)
        self.sent_before = place is not None and place.received is not None
        return place

    def settle(self, claim: Claim, *, accepted: bool) -> None:
        self.settled = tuple(self.billed), tuple(self.charged), accepted
        self.reached = bool(self.replaced) or any(
            self.years_seen.find(key) + cents > most for key, cents, most in self.charged
        )
        super().settle(claim, accepted=accepted)


class _Services(ServicesSeen):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []
        self.met = False

    def find(self, key: int) -> list[bytes]:
        found = super().find(key)
        self.asked.append(key)
        self.met = self.met or bool(found)
        return found


class _Days(ProviderDays):
    def __init__(self, least: int) -> None:
        super().__init__()
        self._least = least
        self._note = True
        self.reached = False

    def ask(self, history: EarlierFiles, *, note: bool) -> None:
        super().ask(history, note=True)

    def add(self, npi: str, on: int, minutes: int, claim: Claim | None = None) -> int:
        total = super().add(npi, on, minutes, claim)
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


class _Withdrawn(Withdrawn):
    """What a claim changes is noted in the order of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = False

    def change(self, claim: Claim, days: Iterable[int]) -> None:
        super().change(claim, days)
        self.changed = True


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
    digest, worked, certain, asked, billed, charged, accepted = noted
    services, years = memory.services_seen, memory.years_seen
    memory.begin(())
    if memory.claim_numbers.meet(claim) is not None or not certain:
        return False
    if any(services.find(key) for key in asked):
        return False
    history = memory.history
    if history is not None and any(history.is_changed(key, claim) for key in asked):
        return False
    if any(years.find(key) + cents > most for key, cents, most in charged):
        return False
    days = memory.provider_days
    for count, (npi, on, minutes) in enumerate(worked, 1):
        if days.add(npi, on, minutes, claim) >= least:
            _take_back(days, worked[:count])
            return False
    if digest and memory.claims_seen.meet(digest, claim) is not None:
        _take_back(days, worked)
        return False
    memory.billed, memory.charged, memory.digest = list(billed), list(charged), digest
    memory.settle(claim, accepted=accepted)
    return True


def _take_back(days: ProviderDays, worked: tuple[tuple[str, int, int], ...]) -> None:
    for npi, on, minutes in worked:
        days.add(npi, on, -minutes)
