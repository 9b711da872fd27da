"""Which payer's expectations a claim is held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edi_checker.claim import Claim
from edi_checker.finding import Severity

UnitMethod = Literal["cms", "ama"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A payer's way: how minutes become units, and severities that differ from those of the rule files.

    `severities` goes by rule id; it wins over the rule's own severity for this profile.
    """

    name: str
    unit_method: UnitMethod = "cms"
    severities: dict[str, Severity] = field(default_factory=dict)


MEDICARE = Profile("medicare")
MEDICAID = Profile("medicaid")
COMMERCIAL = Profile("commercial")
BUILT_IN = {profile.name: profile for profile in (MEDICARE, MEDICAID, COMMERCIAL)}

_BY_FILING_INDICATOR = {"MA": MEDICARE, "MB": MEDICARE, "MC": MEDICAID}


def choose(claim: Claim, option: Profile | None) -> Profile:
    """The profile of a claim: the one given for the whole run, else by the payer's SBR09."""
    if option is not None:
        return option
    indicator = claim.subscriber.filing_indicator if claim.subscriber is not None else ""
    return _BY_FILING_INDICATOR.get(indicator, COMMERCIAL)
