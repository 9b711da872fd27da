"""What claims are looked at with: the same for a whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes
from edi_checker.claims.profile import Choice, Profile
from edi_checker.facts.coverage import Coverage
from edi_checker.facts.duplicates import ClaimsSeen
from edi_checker.facts.fact import Fact
from edi_checker.reference.codesets.imported import list_versions
from edi_checker.reference.tables import Tables


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a claim is looked at with, the same for a whole run.

    received       day of receipt, CCYYMMDD
    tables         NCCI and therapy tables
    minutes        minutes of treatment given beside the input, None where none are
    profile        the payer's way for all claims, or the choice by each claim's payer; None for SBR09 alone
    provider_days  where given, adds up what each rendering provider must have worked over all claims
    claims_seen    where given, remembers claims, so that one that comes again is known
    coverage       where given, remembers days of service of which the tables do not speak
    more_facts     where given, makes further facts of a claim whose lines can be trusted
    meet           where given, is told of days of receipt and service: profile, day, received
    days_noted     profiles with first and last days of which these have been told already
    """

    received: int
    tables: Tables
    minutes: Minutes | None = None
    profile: Profile | Choice | None = None
    provider_days: ProviderDays | None = None
    claims_seen: ClaimsSeen | None = None
    coverage: Coverage | None = None
    more_facts: FactMaker | None = None
    meet: Callable[[Profile, int, int], None] | None = None
    days_noted: set[tuple[int, int | None, int | None]] | None = None

    def versions(self) -> tuple[tuple[str, str, int], ...]:
        """Name, release and number of rows of every table and code list that decides."""
        return (*self.tables.versions(), *list_versions(self.tables))

    def held_to(self, profile: Profile) -> Circumstances:
        """These circumstances with the tables of a profile: Medicaid may have some of its own."""
        tables = self.tables
        if profile.name == "medicaid" or "medicaid" in profile.inherits:
            tables = tables.of("medicaid")
        return self if tables is self.tables else replace(self, tables=tables)

    def for_one_input(self) -> Circumstances:
        """These circumstances with a fresh memory of the claims of one input, where none was given."""
        return replace(
            self,
            provider_days=self.provider_days or ProviderDays(),
            claims_seen=self.claims_seen or ClaimsSeen(),
            days_noted=set(),
        )


_MOST_SPANS = 10_000


def note_days(circumstances: Circumstances, profile: Profile, first: int | None, last: int | None) -> None:
    """Tell whoever wants to know of a claim's days of service, None where they cannot be read."""
    noted = circumstances.days_noted
    if noted is not None:
        span = (id(profile), first, last)  # profiles live as long as the engine
        if span in noted:
            return
        if len(noted) < _MOST_SPANS:
            noted.add(span)
    if circumstances.coverage is not None and first is not None:
        circumstances.coverage.meet(first, circumstances.tables)
        if last is not None and last != first:
            circumstances.coverage.meet(last, circumstances.tables)
    if circumstances.meet is not None:
        received = circumstances.received
        circumstances.meet(profile, first or received, received)
        if last != first:
            circumstances.meet(profile, last or received, received)


# Claim, date of receipt and profile to facts.
FactMaker = Callable[[Claim, int, Profile], Iterable[Fact]]


ProviderDay = int | tuple[str, int]


def provider_day(npi: str, on: int) -> ProviderDay:
    """What stands for a provider's day (CCYYMMDD): of ten digits one number, which takes the least room."""
    if len(npi) == 10 and npi.isascii() and npi.isdigit():
        return int(npi) * 100_000_000 + on
    return npi, on


class ProviderDays:
    """Least minutes of one-on-one treatment by rendering provider and day, added up over claims."""

    LIMIT = (
        200_000  # provider-days held at once; what comes beyond is not added up, so that memory stays bounded
    )

    def __init__(self) -> None:
        self._minutes: dict[ProviderDay, int] = {}

    def so_far(self, npi: str, on: int) -> int:
        """The sum of a provider's day (CCYYMMDD) as it stands."""
        return self._minutes.get(provider_day(npi, on), 0)

    def add(self, npi: str, on: int, minutes: int) -> int:
        """Add minutes to a provider's day (CCYYMMDD) and return the sum so far."""
        key = provider_day(npi, on)
        total = self._minutes.get(key, 0) + minutes
        if key in self._minutes or len(self._minutes) < self.LIMIT:
            self._minutes[key] = total
        return total
