"""What a claim tells at a glance of what its judgement may ask of earlier files, before it is judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from edi_checker.claims.claim import VOID, BillingProvider, Claim
from edi_checker.reference.codesets import DISCIPLINES
from edi_checker.reference.tables import OF_A_MONTH
from edi_checker.x12.dates import days_through

REPLACING = ("6", "7")  # CLM05-3
MOST_DAYS = 31  # of a line over several: what is counted by the month goes from the first to the last


class Glance(NamedTuple):
    """May say more than a claim asks, never less.

    days      the days of its lines (CCYYMMDD)
    npis      who gave the services
    changes   whether it replaces or takes back another claim
    monthly   whether it has care that is counted by the month; `therapy` whether a line has a modifier of a
              discipline
    """

    days: Collection[int]
    npis: Sequence[str]
    changes: bool
    monthly: bool
    therapy: bool


def glance_at(claim: Claim) -> Glance:
    """The same of the segments of a claim without faults."""
    lines = claim.lines
    named = [claim.provider("82"), *[line.provider("82") for line in lines]]
    return Glance(
        {day for line in lines for day in days_of_line(*line.dates)},
        [provider.npi for provider in named if provider and provider.npi] or alone(claim.billing),
        is_change(claim.frequency),
        any(is_monthly(line.code) for line in lines),
        any(is_therapy(line.modifiers) for line in lines),
    )


def days_of_line(first: int | None, last: int | None) -> list[int]:
    """The days on which a line may stand, as far as they are compared with others."""
    if first is None:
        return []
    return [first] if last is None or last <= first else days_through(first, last, MOST_DAYS)


def alone(billing: BillingProvider | None) -> Sequence[str]:
    """Who gave the services where nobody is named: the billing provider, where that is a person."""
    if billing is None or billing.provider.entity_type == "2":
        return ()
    return (billing.provider.npi,)


def is_change(frequency: str) -> bool:
    return frequency == VOID or frequency in REPLACING


def is_monthly(code: str) -> bool:
    return code in OF_A_MONTH


def is_therapy(modifiers: Collection[str]) -> bool:
    return any(discipline in modifiers for discipline in DISCIPLINES)
