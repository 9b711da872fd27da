"""The profiles that come with the program, which claims get them, and what of a claim changes its profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from edi_checker.claims.claim import Claim
from edi_checker.claims.profile import Profile
from edi_checker.x12.finding import Severity

_NCCI: dict[str, Severity] = {"ncci": "warning", "history": "warning"}
_MINUTES: dict[str, Severity] = dict.fromkeys(("therapy.minutes", "therapy.minutes-allocation"), "warning")

MEDICARE = Profile(
    "medicare",
    unit_method="cms",
    sources=("Medicare Claims Processing Manual, ch. 5, section 20.2",),
)
MEDICAID = Profile("medicaid", sources=("CMS State Medicaid Director Letter 10-017 (NCCI in Medicaid)",))
COMMERCIAL = Profile("commercial")
# By SBR09 a claim may also be for a Medicare Advantage plan; by name it goes to a contractor of Medicare.
NAMED_MEDICARE = replace(MEDICARE, severities={"code.member-id": "error"})
MEDICAID_WITHOUT_TABLES = Profile(
    "medicaid-without-tables",
    at_most=_NCCI,
    inherits=MEDICAID.names,
    sources=("CMS State Medicaid Director Letter 10-017, enclosure B: Medicaid's NCCI tables are its own",),
)
MEDICARE_ADVANTAGE = Profile(
    "medicare-advantage",
    unit_method="cms",
    inherits=COMMERCIAL.names,
    sources=("42 CFR 422.101(b): a plan follows Medicare's coverage, and edits claims in its own way",),
)
UHC = Profile(
    "uhc",
    unit_method="cms",
    inherits=COMMERCIAL.names,
    sources=(
        "UnitedHealthcare network bulletin of June 2019: GN, GO or GP on always-therapy codes",
        "UnitedHealthcare Commercial, Outpatient Physical and Occupational Therapy Policy (CMS time rule)",
    ),
)
VA = Profile(
    "va",
    inherits=COMMERCIAL.names,
    sources=(
        "VA Community Care Network provider manuals (Optum, TriWest): Medicare's billing rules, GP, GO, GN",
    ),
)
TRICARE = Profile(
    "tricare",
    unit_method="cms",
    inherits=COMMERCIAL.names,
    sources=(
        "TRICARE Policy Manual 6010.60-M, ch. 7, section 18.2 (physical medicine, evaluation and management)",
        "TRICARE Q&A of the APTA Private Practice Section: the 8-minute rule of Medicare",
    ),
)
PROPERTY_CASUALTY = Profile(
    "property-casualty",
    at_most={
        **_NCCI,
        **_MINUTES,
        "duplicate.line": "warning",
        "modifier.not-applicable": "warning",
        "situation.note-for-unlisted": "warning",
        "code.diagnosis": "warning",
        "code.diagnosis-version": "warning",
        "code.procedure": "warning",
        # Few of their fee schedules ask for GP, GO or GN.
        "therapy.discipline": "info",
    },
    inherits=COMMERCIAL.names,
    sources=(
        "28 TAC 134.210 and 134.225 (Texas workers' compensation, functional capacity evaluations)",
        "Washington L&I fee schedule (work hardening)",
        "45 CFR 160.103: property and casualty insurers are no health plans",
    ),
)
BUILT_IN = {
    profile.name: profile
    for profile in (
        NAMED_MEDICARE,
        MEDICAID,
        COMMERCIAL,
        MEDICARE_ADVANTAGE,
        MEDICAID_WITHOUT_TABLES,
        UHC,
        VA,
        TRICARE,
        PROPERTY_CASUALTY,
    )
}

BY_PAYER: Mapping[str, Profile] = {"87726": UHC}
BY_FILING_INDICATOR: Mapping[str, Profile] = {
    "MA": MEDICARE,
    "MB": MEDICARE,
    "MC": MEDICAID,
    "16": MEDICARE_ADVANTAGE,
    "CH": TRICARE,
    "VA": VA,
    "WC": PROPERTY_CASUALTY,
    "AM": PROPERTY_CASUALTY,
    "LM": PROPERTY_CASUALTY,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which profile a claim gets: by its payer's id (2010BB NM109), else by SBR09, else `others`."""

    by_payer: Mapping[str, Profile] = field(default_factory=lambda: BY_PAYER)
    by_filing_indicator: Mapping[str, Profile] = field(default_factory=lambda: BY_FILING_INDICATOR)
    others: Profile = COMMERCIAL

    def of(self, claim: Claim) -> Profile:
        """The profile of a claim; always one of the few objects that this choice holds."""
        subscriber = claim.subscriber
        if subscriber is None:
            return self.others
        if self.by_payer:
            profile = self.by_payer.get(subscriber.payer_id.strip().upper())
            # The id of UnitedHealthcare stands for its Medicaid plans too, which have Medicaid's own rules.
            if profile is not None and (profile is not UHC or subscriber.filing_indicator != "MC"):
                return profile
        return self.by_filing_indicator.get(subscriber.filing_indicator, self.others)


AUTO = Choice()


def choose(claim: Claim, option: Profile | Choice | None) -> Profile:
    """The profile of a claim: the one given for the whole run, else by the claim's payer."""
    return option if isinstance(option, Profile) else (option or AUTO).of(claim)


def choose_for_run(option: Profile | Choice | None) -> Profile:
    """The profile of what is no claim: headers, levels, trailers."""
    return option if isinstance(option, Profile) else (option or AUTO).others


# -- what is open about a claim ----------------------------------------------------------------------------

# A claim with MA or MB whose member id is none of Medicare's may be for a plan of Medicare Advantage, which
# Medicare's rules do not bind.
PERHAPS_MEDICARE = replace(MEDICARE, sure=False)


# What the payer needs to find the claim that a void takes back: whose it was, and its number.
_OF_A_VOID = (
    "claim-frequency",
    "member-id",
    "order-of-payers",
    "original-reference",
    "patient-details",
    "subscriber-or-patient",
)
_REPEATED: dict[str, Severity] = {
    "code": "warning",
    "date": "warning",
    "situation": "warning",
    **{f"situation.{name}": "error" for name in _OF_A_VOID},
}


@lru_cache(maxsize=256)
def of_void(profile: Profile) -> Profile:
    """A profile for claims that take an earlier one back: a void repeats it with all that was wrong."""
    off = dict.fromkeys(("ncci", "therapy", "modifier", "duplicate", "history"), False)
    return replace(
        profile,
        switches={**profile.switches, **off},
        at_most={**profile.at_most, **_REPEATED},
    )


@lru_cache(maxsize=256)
def of_encounter(profile: Profile) -> Profile:
    """A profile for encounters that are reported and not billed: edits of payment do not hold."""
    return replace(profile, at_most={**profile.at_most, **_NCCI, **_MINUTES})
