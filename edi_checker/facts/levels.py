"""Faults of every part, and the facts of what stands above claims."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from operator import attrgetter

from edi_checker.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Patient,
    Segment,
    Subscriber,
    Transaction,
    TransactionEnd,
    day,
    element,
    place_in,
)
from edi_checker.codesets import npi_valid
from edi_checker.facts.circumstances import Circumstances
from edi_checker.facts.needs import Needs
from edi_checker.facts.places import Header, Known, Spot
from edi_checker.facts.statuses import answer_fault
from edi_checker.facts.vocabulary import Fact, Placed, Value
from edi_checker.finding import Place
from edi_checker.x12 import Fault

_LEVELS: dict[type, str] = {
    Interchange: "interchange",
    InterchangeEnd: "interchange",
    Group: "group",
    GroupEnd: "group",
    Transaction: "transaction",
    TransactionEnd: "transaction",
    BillingProvider: "provider",
    Subscriber: "subscriber",
    Patient: "patient",
}


def level_of(part: Part) -> str:
    """The name of a part's level, as a fault fact gives it."""
    return _LEVELS[type(part)]


def faults_of(part: Part, level: str, circumstances: Circumstances, profile: str) -> list[Fact]:
    return [
        Fact(
            "fault",
            {
                "kind": fault.kind,
                "level": level,
                "date": circumstances.received,
                "profile": profile,
                "loop": fault.loop,
                "segment": fault.segment,
                "position": fault.position,
                "element": fault.element,
                "name": fault.name,
                "expected": fault.expected,
                "found": fault.found,
                "answers": fault.answers,
                "status": answer_fault(fault, level),
            },
            _stands_on(fault, part),
        )
        for fault in part.faults
    ]


def _stands_on(fault: Fault, part: Part) -> dict[str, tuple[Placed, ...]]:
    place = _place_of(fault, part)
    trigger = (Known(replace(place, element=fault.trigger)),) if fault.trigger else ()
    return {"": (Known(place),), "trigger": trigger}


def _place_of(fault: Fault, part: Part) -> Place:
    at = fault.element or None
    match part:
        case Claim():
            # The last line that begins at or before the fault.
            before = bisect_right(part.lines, fault.position, key=attrgetter("position"))
            line = before if before and fault.loop[:2] == "24" else None
            return place_in(
                part.transaction, fault.loop, fault.segment, fault.position, at, claim=part.id, line=line
            )
        case Transaction():
            return place_in(part, fault.loop, fault.segment, fault.position, at)
        case BillingProvider() | Subscriber() | Patient() | TransactionEnd():
            return place_in(part.transaction, fault.loop, fault.segment, fault.position, at)
        case Group():
            return _outside(part.interchange, part, fault)
        case GroupEnd():
            return _outside(part.group.interchange, part.group, fault)
        case Interchange():
            return _outside(part, None, fault)
        case InterchangeEnd():
            return _outside(part.interchange, None, fault)


def _outside(interchange: Interchange, group: Group | None, fault: Fault) -> Place:
    """A place in the envelope, outside of any transaction."""
    return Place(
        interchange.control_number,
        group.control_number if group is not None else None,
        None,
        None,
        None,
        fault.loop,
        fault.segment,
        fault.position,
        fault.element or None,
    )


def file_fact(interchange: Interchange, circumstances: Circumstances, profile: str) -> Fact:
    return Fact(
        "file",
        {
            "date": circumstances.received,
            "profile": profile,
            "usage": interchange.value(15),
            "version": interchange.value(12),
        },
        {"": (Header(interchange, None, "ISA"),)},
    )


def transaction_fact(transaction: Transaction, circumstances: Circumstances, profile: str) -> Fact:
    head = transaction.first("BHT")
    group = transaction.group
    return Fact(
        "transaction",
        {
            "date": circumstances.received,
            "profile": profile,
            "version": group.version if group is not None else "",
            "purpose": element(head, 2),
            "type": element(head, 6),
            "created": day(element(head, 4)),
        },
        {"": (Spot(transaction, transaction, "header"),)},
    )


def add_billing_provider(
    facts: list[Fact],
    level: BillingProvider,
    circumstances: Circumstances,
    profile: str,
    needs: Needs | None,
) -> None:
    provider = level.provider
    named = provider.name_segment
    if named is None or provider.id_qualifier != "XX":
        return
    if needs is None or needs_provider(needs, named, "2010AA", level.taxonomy, profile):
        spot = Spot(level.transaction, provider.run, "2010AA")
        facts.append(provider_fact(named, "2010AA", level.taxonomy, circumstances.received, profile, spot))


def needs_provider(needs: Needs, named: Segment, loop: str, taxonomy: str, profile: str) -> bool:
    """Whether a rule could need the fact of a provider with an NPI, on some day."""
    key = ("provider", loop, *named[1:3], element(named, 9), taxonomy)
    try:
        return needs.known[key] is not None
    except KeyError:
        return needs.learn(key, "provider", _of_provider(named, loop, taxonomy, profile)) is not None


def _of_provider(named: Segment, loop: str, taxonomy: str, profile: str) -> dict[str, Value]:
    npi = element(named, 9)
    return {
        "profile": profile,
        "role": element(named, 1),
        "loop": loop,
        "entity_type": element(named, 2),
        "npi": npi,
        "npi_valid": npi_valid(npi),
        "taxonomy": taxonomy,
    }


def provider_fact(named: Segment, loop: str, taxonomy: str, on: int | None, profile: str, spot: Spot) -> Fact:
    """The fact of a provider with an NPI; `named` is its NM1."""
    return Fact("provider", {"date": on, **_of_provider(named, loop, taxonomy, profile)}, {"": (spot,)})
