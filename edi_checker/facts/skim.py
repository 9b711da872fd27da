"""Shows of a plain claim or level, by its text, that no rule can need a fact of it.

Most claims of a batch say the usual things in the usual way. What is known of all such claims is asked of
the rules once and remembered (`learnt`); of each claim only its text is looked at. Whatever is not usual,
and whatever a rule asks beyond what is looked at here, is left to the makers of facts: they are the
authority. Only parts in which the guide found no fault are looked at, so that every segment is one that the
guide knows, and all stand in the guide's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edi_checker.claim import Claim, Patient, Subscriber, cents
from edi_checker.facts.circumstances import Circumstances, note_days
from edi_checker.facts.learnt import (
    DECIDED,
    Decision,
    Diagnosed,
    Head,
    Memory,
    Said,
    Treating,
    is_usual_text,
    memory_of,
)
from edi_checker.facts.misfits import is_usual_member_id
from edi_checker.facts.needs import Needs
from edi_checker.facts.repeats import digest_claim, is_first_issue
from edi_checker.facts.shapes import Written
from edi_checker.facts.situations import values_of_subscriber
from edi_checker.profile import Profile

# Kinds of facts of which a claim that passes here has none that a rule needs; of others nothing is known.
_KINDS = frozenset(
    "addon adjudication claim code_day event fault file line misfit other_payer pair provider "  # noqa: SIM905
    "situation subscriber therapy_day transaction".split()
)
_MOST_LINES = 50  # as the guide allows


def skim(claim: Claim, circumstances: Circumstances, profile: Profile, needs: Needs) -> bool:
    """Whether no rule can need a fact of this claim. If so it has been remembered as claims are, else not.

    `circumstances` are held to the profile. The claim has no faults and is not cut.
    """
    if circumstances.minutes is not None or circumstances.more_facts is not None or not needs.kinds <= _KINDS:
        return False
    billing, subscriber, patient = claim.billing, claim.subscriber, claim.patient
    if billing is None or subscriber is None or billing.faults or subscriber.faults:
        return False
    if patient is not None and patient.faults:
        return False
    memory = memory_of(claim.block.delimiters, circumstances, profile, needs)
    plain = _read(claim, memory)
    return plain is not None and _pass_over(claim, plain, circumstances, memory)


@dataclass(slots=True)
class _Lines:
    """The lines of a claim by day of service; the tests that may hold on the units of a day; what the lines
    say, as claims are compared; what another payer decided on each.
    """

    by_day: dict[int, list[Said]]
    of_day: int
    served: list[str]
    decisions: list[tuple[Said, int, Decision]]


@dataclass(slots=True)
class _Plain:
    """A claim whose text holds nothing unusual."""

    lines: _Lines
    npi: str
    diagnosed: Diagnosed
    head: Head
    first: int
    last: int


def _read(claim: Claim, memory: Memory) -> _Plain | None:
    text, delimiters = claim.block.text, memory.delimiters
    subscriber = claim.subscriber
    shape = memory.shape.match(text)
    insured = subscriber.usual if subscriber is not None else None
    if shape is None or insured is None or not is_usual_member_id(insured.id, memory.profile):
        return None
    written = Written._make(shape.groups())
    treating = _who_treats(claim, written, memory)
    diagnosed = memory.diagnosed(written.diagnoses)
    if treating is None or not diagnosed:
        return None
    found = memory.line.findall(text, shape.end())
    if not len(found) == text.count(f"{delimiters.terminator}LX{delimiters.element}") <= _MOST_LINES:
        return None
    lines = _read_lines(claim, found, written, treating, diagnosed, memory)
    head = memory.head(written, insured, claim)
    if lines is None or not head:
        return None
    first, last = span = min(lines.by_day), max(lines.by_day)
    if not _is_born(claim, first) or not memory.suits(head, diagnosed, span):
        return None
    if written.dates and any(
        memory.needs_event(each.split(delimiters.element), "claim", first, last)
        for each in written.dates.split(delimiters.terminator)[:-1]
    ):
        return None
    if written.other is not None and not (
        len(lines.decisions) == len(found)
        and (written.other_address is None or is_usual_text(written.other_address, delimiters.element))
        and memory.is_settled(lines.decisions, written.payer, written.paid, first, head)
    ):
        return None
    # Answers and reports ask for them too, and would have to look for them in the text.
    claim.__dict__.update(dates=span, line_count=len(found))
    return _Plain(lines, treating.npi, diagnosed, head, first, last)


def _who_treats(claim: Claim, written: Written, memory: Memory) -> Treating | None:
    """The rendering provider; None where it or another provider of the claim is not plain."""
    billing = claim.billing
    treating = memory.treating(billing) if billing is not None else None
    if treating is None:
        return None
    if written.referring is not None and not memory.is_plain_provider("2310A", written.referring):
        return None
    if written.facility is not None and not (
        memory.is_plain_provider("2310C", written.facility)
        and is_usual_text(written.facility_address, memory.delimiters.element)
    ):
        return None
    if written.rendering is None:
        return treating
    taxonomy = written.taxonomy or ""
    if not memory.is_plain_provider("2310B", written.rendering, taxonomy):
        return None
    return Treating(written.rendering, taxonomy, False)


def _is_born(claim: Claim, first: int) -> bool:
    """Whether the patient's level is usual, with a birth no later than the first day of service."""
    if claim.patient is not None:
        usual = claim.patient.usual
        return usual is not None and int(usual[1]) <= first
    insured = claim.subscriber.usual if claim.subscriber is not None else None
    return insured is not None and (insured.birth is None or int(insured.birth) <= first)


def _read_lines(
    claim: Claim,
    found: list[tuple[str, str, str]],
    written: Written,
    treating: Treating,
    diagnosed: Diagnosed,
    memory: Memory,
) -> _Lines | None:
    """The lines, given by SV1, day and decision; None where they are not plain or do not make the charge."""
    npi, taxonomy, is_organisation = treating
    known_days = memory.days(taxonomy)
    count = len(diagnosed.pairs)
    by_day: dict[int, list[Said]] = {}
    served: list[str] = []
    decisions: list[tuple[Said, int, Decision]] = []
    charge = of_day = 0
    always = False
    for service, date, decided in found:
        day = known_days.get(date) or memory.learn_day(known_days, date, taxonomy)
        if day is None:
            return None
        key = f"{service}{DECIDED}" if decided else service
        said: Said | Literal[False] | None = day.lines.get(key)
        if said is None:
            said = memory.learn_line(claim, key, date, day, taxonomy)
        if not said or said.plain > count or (said.visit and is_organisation):
            return None
        on = day.on
        if said.asked is not None and not memory.fits(said, on, diagnosed):
            return None
        if decided:
            decision = memory.decision(decided) if written.other is not None else None
            if decision is None:
                return None
            decisions.append((said, on, decision))
        charge += said.charge
        of_day |= said.of_day
        always = always or said.always
        served.append(f"{said.service.said} {on} {on} {npi}")
        if on in by_day:
            by_day[on].append(said)
        else:
            by_day[on] = [said]
    if cents(written.charge) != charge or (always and written.referring is None):
        return None
    return _Lines(by_day, of_day, served, decisions)


def _pass_over(claim: Claim, plain: _Plain, circumstances: Circumstances, memory: Memory) -> bool:
    """Look at what stands on several lines or claims; then remember the claim, if all is well."""
    lines, npi = plain.lines, plain.npi
    if lines.of_day and memory.are_joined(lines.of_day):
        return False
    worked: list[tuple[int, int]] = []
    for on, group in lines.by_day.items():
        leasts = memory.least_minutes(on, group)
        if leasts is False:
            return False
        for least in leasts:
            worked.append((on, least))
    provider_days = circumstances.provider_days
    if worked and memory.rest is not None:
        added: dict[int, int] = {}
        for on, least in worked:
            total = 0
            if npi:
                added[on] = total = added.get(on, 0) + least
                if provider_days is not None:
                    total += provider_days.so_far(npi, on)
            if not memory.is_rested(on, total):
                return False
    seen = circumstances.claims_seen
    # A claim that is known stays as it is known, and is met again by the makers of facts.
    if seen is not None and is_first_issue(claim.transaction):
        digest = digest_claim(claim, plain.head.place_of_service, plain.diagnosed.said, lines.served)
        if seen.meet(digest, claim) is not None:
            return False
    if provider_days is not None and npi:
        for on, least in worked:
            provider_days.add(npi, on, least)
    note_days(circumstances, memory.profile, plain.first, plain.last)
    return True


# -- levels ------------------------------------------------------------------------------------------------


def skim_level(level: Subscriber | Patient, received: int, profile: str, needs: Needs) -> bool:
    """Whether no rule can need a fact of a subscriber or patient, in whose level there are no faults.

    `needs` are those of `profile`, that of the run.
    """
    e = level.block.delimiters.element
    if isinstance(level, Patient):
        return level.usual is not None and is_usual_text(level.usual[0], e)
    insured = level.usual
    if insured is None:
        return False
    for address in (insured.address, insured.payer_address):
        if address is not None and not is_usual_text(address, e):
            return False
    stated = insured.address is not None
    said = (*insured[:4], "1")
    key = ("subscriber", *said, bool(insured.id), stated, received)
    try:
        return needs.known[key] is None
    except KeyError:
        values = values_of_subscriber(
            said, received, profile, identified=bool(insured.id), address=stated, demographics=stated
        )
        return needs.learn(key, "subscriber", values) is None
