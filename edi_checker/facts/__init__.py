"""Claims to facts: the closed vocabulary in which every rule is written."""

from __future__ import annotations

from edi_checker.claim import BillingProvider, Claim, Interchange, Part, Patient, Subscriber, Transaction
from edi_checker.facts.circumstances import (
    Circumstances,
    ProviderDay,
    ProviderDays,
    note_days,
    provider_day,
)
from edi_checker.facts.claims import add_claim
from edi_checker.facts.coverage import Coverage, Gap
from edi_checker.facts.levels import add_billing_provider, faults_of, file_fact, level_of, transaction_fact
from edi_checker.facts.misfits import add_level_misfits
from edi_checker.facts.needs import Needs, Question
from edi_checker.facts.repeats import ClaimsSeen
from edi_checker.facts.situations import add_billing_situations, add_subscriber
from edi_checker.facts.skim import skim, skim_level
from edi_checker.facts.vocabulary import VOCABULARY, Fact, FactType, Field, FieldType, Placed, Value
from edi_checker.profile import Profile, choose, choose_for_run

__all__ = [
    "VOCABULARY",
    "Circumstances",
    "ClaimsSeen",
    "Coverage",
    "Fact",
    "FactType",
    "Field",
    "FieldType",
    "Gap",
    "Needs",
    "Placed",
    "ProviderDay",
    "ProviderDays",
    "Question",
    "Value",
    "facts_of",
    "lines_can_be_trusted",
    "provider_day",
]


def facts_of(part: Part, circumstances: Circumstances) -> list[Fact]:
    """The facts of one part of a claim file.

    Every part gives its faults. A claim gives more where its segments let its lines be trusted: one damaged
    segment must not become a second finding of a coding rule. Of a part without faults, whose elements are
    bounded in length, no more is made than a rule can need, where the circumstances say what that is.
    """
    received = circumstances.received
    if isinstance(part, Claim):
        profile = choose(part, circumstances.profile)
        needs = _needs(circumstances, profile) if not part.faults and not part.cut else None
        if needs is not None and skim(part, circumstances.held_to(profile), profile, needs):
            return []
        facts = faults_of(part, "claim", circumstances, profile.name) if part.faults else []
        if lines_can_be_trusted(part):
            circumstances = circumstances.held_to(profile)
            add_claim(facts, part, circumstances, profile, needs)
            if circumstances.more_facts is not None:
                facts.extend(circumstances.more_facts(part, received, profile))
        else:
            note_days(circumstances, profile, None, None)
        return facts
    profile = choose_for_run(circumstances.profile)
    name = profile.name
    note_days(circumstances, profile, None, None)
    facts = faults_of(part, level_of(part), circumstances, name) if part.faults else []
    if isinstance(part, BillingProvider):
        needs = _needs(circumstances, profile) if not part.faults else None
        add_billing_provider(facts, part, circumstances, name, needs)
        add_level_misfits(facts, part, circumstances, name)
        add_billing_situations(facts, part, circumstances.received, name)
    elif isinstance(part, Subscriber | Patient):
        needs = _needs(circumstances, profile) if not part.faults else None
        if needs is not None and skim_level(part, received, name, needs):
            return facts
        add_level_misfits(facts, part, circumstances, name)
        if isinstance(part, Subscriber):
            add_subscriber(facts, part, received, name, needs)
    elif isinstance(part, Transaction):
        facts.append(transaction_fact(part, circumstances, name))
    elif isinstance(part, Interchange):
        facts.append(file_fact(part, circumstances, name))
    return facts


def _needs(circumstances: Circumstances, profile: Profile) -> Needs | None:
    return circumstances.needs(profile) if circumstances.needs is not None else None


MOST_LINES = 500  # the guide allows 50
# Segments of a claim that do not decide which lines there are and what they say.
_BESIDE_THE_LINES = frozenset(
    "AMT CAS CN1 CR1 CR2 CR3 CRC CTP DMG DTP FRM HCP K3 LIN LQ MEA MIA MOA N3 N4 NM1 NTE OI PER PRV PS1 PWK "  # noqa: SIM905
    "QTY REF SBR SV5 SVD".split()
)


def lines_can_be_trusted(claim: Claim) -> bool:
    """Whether nothing is wrong with the segments that make a claim's lines what they are.

    None of them is missing, misplaced or unreadable as a whole, the input does not end within the claim, and
    the lines are not so many that comparing them with each other would take for ever.
    """
    if claim.cut or len(claim.lines) > MOST_LINES:
        return False
    return not any(
        not fault.element
        and (fault.segment not in _BESIDE_THE_LINES or (fault.segment == "DTP" and fault.loop == "2400"))
        for fault in claim.faults
    )
