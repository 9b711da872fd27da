"""Claims to facts: the closed vocabulary in which every rule is written."""

from __future__ import annotations

from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Interchange,
    Part,
    Patient,
    Subscriber,
    Transaction,
)
from edi_checker.claims.payer_profiles import choose_for_run
from edi_checker.facts.claims import add_claim
from edi_checker.facts.code_errors import find_header_code_errors
from edi_checker.facts.context import (
    HistoryUnreadable,
    InputMemory,
    Setting,
)
from edi_checker.facts.coverage import Coverage, Gap
from edi_checker.facts.fact import Fact, FactType, Field, FieldType, Placed, Value
from edi_checker.facts.levels import (
    AnyLevel,
    add_level,
    faults_of,
    file_fact,
    judging_of,
    level_of,
    transaction_fact,
)
from edi_checker.facts.vocabulary import VOCABULARY

__all__ = [
    "VOCABULARY",
    "AnyLevel",
    "Coverage",
    "Fact",
    "FactType",
    "Field",
    "FieldType",
    "Gap",
    "HistoryUnreadable",
    "InputMemory",
    "Placed",
    "Setting",
    "Value",
    "facts_of",
    "lines_can_be_trusted",
]


def facts_of(part: Part, setting: Setting, memory: InputMemory | None = None) -> list[Fact]:
    """The facts of one part of a claim file.

    Every part gives its faults. A claim gives more where its segments let its lines be trusted: one damaged
    segment must not become a second finding of a coding rule.
    """
    memory = memory or InputMemory(setting.minutes)
    if isinstance(part, Claim):
        profile = setting.profile_of(part)
        facts = faults_of(part, "claim", setting, profile.name) if part.faults else []
        if lines_can_be_trusted(part):
            setting = setting.held_to(profile)
            add_claim(facts, part, setting, memory, profile)
            if setting.more_facts is not None:
                facts.extend(setting.more_facts(part, setting.received, profile))
        else:
            memory.note_days(setting, profile, None, None)
            memory.claim_numbers.meet(part)
        return facts
    profile = choose_for_run(setting.profile)
    memory.note_days(setting, profile, None, None)
    facts = faults_of(part, level_of(part), setting, profile.name) if part.faults else []
    if isinstance(part, BillingProvider | Subscriber | Patient):
        add_level(facts, part, setting, profile)
    elif isinstance(part, Transaction):
        facts.append(transaction_fact(part, setting, profile.name))
        facts += find_header_code_errors(part, judging_of(setting, profile))
    elif isinstance(part, Interchange):
        facts.append(file_fact(part, setting, profile.name))
    return facts


MOST_LINES = 500  # the guide allows 50
MOST_OF_HEAD = 500  # segments from CLM to HCP; the guide allows 70
# Segments of a claim that do not decide which lines there are and what they say.
_BESIDE_THE_LINES = frozenset(
    "AMT CAS CN1 CR1 CR2 CR3 CRC CTP DMG DTP FRM HCP K3 LIN LQ MEA MIA MOA N3 N4 NM1 NTE OI PER PRV PS1 PWK "  # noqa: SIM905
    "QTY REF SBR SV5 SVD".split()
)


def lines_can_be_trusted(claim: Claim) -> bool:
    """Whether nothing is wrong with the segments that make a claim's lines what they are.

    None of them is missing, misplaced or unreadable as a whole, the input does not end within the claim, and
    neither the lines nor the segments before them are so many that comparing them would take too long.
    """
    if claim.cut or len(claim.lines) > MOST_LINES or len(claim.header.segments) > MOST_OF_HEAD:
        return False
    return not any(
        not fault.element
        and (fault.segment not in _BESIDE_THE_LINES or (fault.segment == "DTP" and fault.loop == "2400"))
        for fault in claim.faults
    )
