"""What claims are looked at with: the same for a whole run."""

from __future__ import annotations

from dataclasses import dataclass

from edi_checker.minutes import Minutes
from edi_checker.profile import Profile
from edi_checker.tables import Tables


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a claim is looked at with, the same for a whole run.

    received       day of receipt, CCYYMMDD
    tables         NCCI and therapy tables
    minutes        minutes of treatment given beside the input, None where none are
    profile        the payer's way for all claims, None to choose it by each claim's payer
    provider_days  where given, adds up what each rendering provider must have worked over all claims
    """

    received: int
    tables: Tables
    minutes: Minutes | None = None
    profile: Profile | None = None
    provider_days: ProviderDays | None = None


class ProviderDays:
    """Least minutes of one-on-one treatment by rendering provider and day, added up over claims."""

    LIMIT = (
        200_000  # provider-days held at once; what comes beyond is not added up, so that memory stays bounded
    )

    def __init__(self) -> None:
        self._minutes: dict[tuple[str, int], int] = {}

    def add(self, npi: str, on: int, minutes: int) -> int:
        """Add minutes to a provider's day (CCYYMMDD) and return the sum so far."""
        key = (npi, on)
        total = self._minutes.get(key, 0) + minutes
        if key in self._minutes or len(self._minutes) < self.LIMIT:
            self._minutes[key] = total
        return total
