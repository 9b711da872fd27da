"""What the checks of one claim remember of earlier ones, across ranges that are checked by themselves.

A range is checked at first as if nothing had been before it, and what it would have remembered is noted. Put
together in order, the notes show whether anything earlier could have changed its findings; only then is it
checked once more, with that much of the past as it needs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes
from edi_checker.facts import ClaimsSeen, Coverage, InputMemory, ProviderDay, ProviderDays, provider_day
from edi_checker.finding import Place
from edi_checker.rules import Rule

_END = b"\x1e"  # of the text of each claim that ClaimsSeen holds
_MINUTES = "provider_minutes"  # the field of a therapy_day that adds up over claims


@dataclass(frozen=True, slots=True)
class Past:
    """What a range must know of the claims before it.

    days    minutes of provider-days that the range has too
    claims  digests that the range has too, with the texts of their places
    rooms   how many more provider-days and claims can be held
    """

    days: dict[ProviderDay, int]
    claims: dict[int, bytes]
    rooms: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Noted:
    """What a range adds to the memory: minutes by provider-day, and its claims, in the order of their first.

    `repeats` says whether a claim of the range is the same as an earlier one of it.
    """

    days: dict[ProviderDay, int]
    digests: array[int]
    texts: bytes
    repeats: bool


class RangeMemory:
    """The memory of one range while it is checked, with its past where that is known to matter."""

    def __init__(self, past: Past | None) -> None:
        self._days = _Days(past)
        self._claims = _Claims(past)

    def of_input(self, minutes: Minutes | None, coverage: Coverage) -> InputMemory:
        """The memory with which the range is checked."""
        return InputMemory(minutes, coverage, provider_days=self._days, claims_seen=self._claims)

    def noted(self) -> Noted:
        return Noted(
            self._days.noted, self._claims.digests, self._claims.texts_of_range(), self._claims.repeats
        )


class _Days(ProviderDays):
    def __init__(self, past: Past | None) -> None:
        super().__init__()
        self.noted: dict[ProviderDay, int] = {}
        self._earlier = past.days if past is not None else None
        self._room = past.rooms[0] if past is not None else self.LIMIT
        self._new = 0

    def so_far(self, npi: str, on: int) -> int:
        key = provider_day(npi, on)
        if key not in self.noted and self._earlier is not None and key in self._earlier:
            return self._earlier[key]
        return super().so_far(npi, on)

    def add(self, npi: str, on: int, minutes: int) -> int:
        key = provider_day(npi, on)
        if key not in self.noted:
            # As if all before had been added here.
            if self._earlier is not None and key in self._earlier:
                self._minutes[key] = self._earlier[key]
            elif self._new < self._room:
                self._minutes[key] = 0
                self._new += 1
        self.noted[key] = self.noted.get(key, 0) + minutes
        if key not in self._minutes:
            return minutes
        self._minutes[key] += minutes
        return self._minutes[key]


class _Claims(ClaimsSeen):
    def __init__(self, past: Past | None) -> None:
        super().__init__()
        self.digests = array("Q")
        self.repeats = False
        self._own: set[int] = set()
        for digest, text in past.claims.items() if past is not None else ():
            self.hold(digest, text)
        self._from = len(self._texts)
        self.LIMIT = self._count + past.rooms[1] if past is not None else ClaimsSeen.LIMIT

    def meet(self, digest: int, claim: Claim) -> Place | None:
        held = self._count
        place = super().meet(digest, claim)
        if self._count > held:
            self.digests.append(digest)
        elif place is not None:
            self.repeats = True
        return place

    def texts_of_range(self) -> bytes:
        return bytes(self._texts[self._from :])


@dataclass(slots=True)
class JoinedMemory:
    """What the ranges of one input noted, put together in their order.

    `matters` is the number of minutes of a provider-day from which some rule looks at it.
    """

    matters: int | None
    _days: dict[ProviderDay, int] = field(default_factory=dict)
    # Digest to the ordinal of its claim among those held; texts of places by range, and where ranges begin.
    _claims: dict[int, int] = field(default_factory=dict)
    _texts: list[bytes] = field(default_factory=list)
    _begins: list[int] = field(default_factory=list)

    def add(self, noted: Noted) -> Past | None:
        """Add what the next range noted; its past, where that could change the range's findings."""
        rooms = ProviderDays.LIMIT - len(self._days), ClaimsSeen.LIMIT - len(self._claims)
        known = [digest for digest in noted.digests if digest in self._claims]
        full = len(noted.digests) - len(known) > rooms[1]
        past = None
        if known or (full and noted.repeats) or self._changes(noted, rooms[0]):
            days = {key: self._days[key] for key in noted.days if key in self._days}
            past = Past(days, {digest: self._text(digest) for digest in known}, rooms)
        self._hold(noted, rooms[1])
        for key, minutes in noted.days.items():
            if key in self._days or len(self._days) < ProviderDays.LIMIT:
                self._days[key] = self._days.get(key, 0) + minutes
        return past

    def _changes(self, noted: Noted, room: int) -> bool:
        """Whether a provider-day comes to as much as a rule looks at, with or without what was before."""
        matters = self.matters
        if matters is None:
            return False
        crowded = len(noted.days) > room
        return any(
            minutes + self._days.get(key, 0) >= matters
            for key, minutes in noted.days.items()
            if crowded or key in self._days
        )

    def _hold(self, noted: Noted, room: int) -> None:
        before = len(self._claims)
        new = [digest for digest in noted.digests if digest not in self._claims]
        if not new or room <= 0:
            return
        texts = noted.texts
        if len(new) < len(noted.digests):
            split = texts.split(_END)
            kept = [
                text for digest, text in zip(noted.digests, split, strict=False) if digest not in self._claims
            ]
            texts = _END.join([*kept, b""])
        self._texts.append(texts)
        self._begins.append(before)
        self._claims.update(zip(new[:room], range(before, before + room), strict=False))

    def _text(self, digest: int) -> bytes:
        ordinal = self._claims[digest]
        of = bisect_right(self._begins, ordinal) - 1
        return self._split(of)[ordinal - self._begins[of]] + _END

    def _split(self, of: int) -> list[bytes]:
        return self._texts[of].split(_END)


def minutes_that_matter(rules: Iterable[Rule]) -> int | None:
    """The least sum of a provider-day at which a rule can fire because of it; None where no rule asks."""
    least: int | None = None
    for rule in rules:
        for case in rule.cases:
            if f"field={_MINUTES!r}" not in repr(case):
                continue
            bounds = [
                term.value
                for pattern in case.match
                for term in pattern.terms
                if term.field.field == _MINUTES
                and term.operator in ("at_least", "more_than")
                and isinstance(term.value, int)
            ]
            bound = max(bounds, default=0)
            least = bound if least is None else min(least, bound)
    return least
