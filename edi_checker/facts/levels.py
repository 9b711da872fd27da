"""Faults of every part, and the facts of what stands above claims."""

from __future__ import annotations

from bisect import bisect_right
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
from edi_checker.facts.places import Header, Known, Spot
from edi_checker.facts.vocabulary import Fact
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
            },
            {"": (Known(_place_of(fault, part)),)},
        )
        for fault in part.faults
    ]


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
    facts: list[Fact], level: BillingProvider, circumstances: Circumstances, profile: str
) -> None:
    provider = level.provider
    named = provider.name_segment
    if named is not None and provider.id_qualifier == "XX":
        spot = Spot(level.transaction, provider.run, "2010AA")
        facts.append(provider_fact(named, "2010AA", level.taxonomy, circumstances.received, profile, spot))


def provider_fact(named: Segment, loop: str, taxonomy: str, on: int | None, profile: str, spot: Spot) -> Fact:
    """The fact of a provider with an NPI; `named` is its NM1."""
    npi = element(named, 9)
    return Fact(
        "provider",
        {
            "date": on,
            "profile": profile,
            "role": element(named, 1),
            "loop": loop,
            "entity_type": element(named, 2),
            "npi": npi,
            "npi_valid": npi_valid(npi),
            "taxonomy": taxonomy,
        },
        {"": (spot,)},
    )
