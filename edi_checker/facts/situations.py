"""Circumstances in which the guide or a payer asks a claim for more: what they are, and what stands there.

Facts of what is there to be asked about, nothing of a plain claim. Where a segment of the claim is missing,
misplaced or cannot be told by its qualifier, there are none: what a fault hides must not be missed twice.
"""

from __future__ import annotations

import re
from functools import lru_cache

from edi_checker.claim import (
    BillingProvider,
    Claim,
    Level,
    Segment,
    Subscriber,
    cents,
    day,
    element,
    quantity,
)
from edi_checker.facts.lines import Line
from edi_checker.facts.needs import Needs
from edi_checker.facts.places import LOOPS_2310, LOOPS_2420, Segmented, Spot
from edi_checker.facts.services import is_attended, is_visit_of_a_person, kinds_of
from edi_checker.facts.vocabulary import SITUATION, Fact, Placed, Value
from edi_checker.x12 import Fault

MOST_SITUATIONS = 200  # of one claim: more of them say nothing new

_ABSENT: dict[str, Value] = {"codes": (), "bool": False, "text": ""}
_EMPTY: dict[str, Value] = {name: _ABSENT.get(field.type) for name, field in SITUATION.fields.items()}

# Segments that are named with the element that says which of their kind they are; others by their id alone.
_QUALIFIER = {
    "REF": 1,
    "DTP": 1,
    "NTE": 1,
    "CRC": 1,
    "NM1": 1,
    "QTY": 1,
    "MEA": 2,
    "LQ": 1,
    "LIN": 2,
}
# Segments whose presence makes a circumstance.
_TELLING = frozenset(("AMT", "CR3", "CRC", "CTP", "LIN", "LQ", "NM1", "PS1", "PWK", "REF"))
_SENT_APART = frozenset(("BM", "EL", "EM", "FT", "FX"))
_OF_A_PATIENT = frozenset(("N3", "N4", "DMG"))
# Parties of a claim that are providers with an identifier of their own.
_PROVIDERS = frozenset(("DN", "P3", "82", "DQ", "DK", "QB"))
_CLIA = re.compile(r"[0-9]{2}[A-Z][0-9A-Z]{7}")
_NDC = re.compile(r"[0-9]{11}")
_POST_OFFICE_BOX = re.compile(r"(?:P ?O ?B(?:OX)?|POST OFFICE BOX|LOCK ?(?:BOX|BIN)) ?[0-9A-Z#-]{0,12}")


class _Scene:
    """A claim whose circumstances are being written down: what is the same in all of them."""

    __slots__ = ("claim", "facts", "lines", "shared", "whole")

    def __init__(self, facts: list[Fact], claim: Claim, lines: list[Line], shared: dict[str, Value]) -> None:
        self.facts = facts
        self.claim = claim
        self.lines = lines
        self.shared = shared
        self.whole: tuple[str, ...] | None = None

    def stated(self) -> tuple[str, ...]:
        """The segments of the claim outside of its lines and other payers, as a rule names them."""
        if self.whole is None:
            self.whole = _named([s for run in _runs(self.claim) for s in run])
        return self.whole

    def tell(self, kind: str, place: Placed | None = None, **said: Value) -> None:
        """A circumstance of the claim as a whole."""
        values = {**_EMPTY, **self.shared, "kind": kind, "stated": self.stated(), **said}
        self.facts.append(Fact("situation", values, {"": (place or self.claim,)}))

    def tell_of(self, line: Line, kind: str, place: Placed | None = None, **said: Value) -> None:
        """A circumstance of a line."""
        service, view = line.service, line.view
        values = {
            **_EMPTY,
            **self.shared,
            "date": line.first,
            "kind": kind,
            "line": view.ordinal,
            "code": service.code,
            "modifiers": service.modifiers,
            "unit": service.unit,
            "described": service.values["described"],
            "stated": (*self.stated(), *_named(view.segments)),
            **said,
        }
        self.facts.append(Fact("situation", values, {"": (place or view,)}))


def add_situations(
    facts: list[Fact],
    claim: Claim,
    lines: list[Line],
    first: int | None,
    received: int,
    profile: str,
) -> None:
    """Add the circumstances of a claim whose lines can be trusted; `first` is its first day of service."""
    if claim.faults and hides_something(claim.faults):
        return
    shared: dict[str, Value] = {"date": first, "received": received, "profile": profile}
    scene = _Scene(facts, claim, lines, shared)
    begin = len(facts)
    _tell_of_head(scene, first)
    for line in lines:
        for kind in kinds_of(line.service.code, line.service.modifiers):
            nature = element(claim.header.first("CR2"), 8) if kind == "spinal-manipulation" else ""
            scene.tell_of(line, kind, nature=nature)
        if len(facts) - begin > MOST_SITUATIONS:
            break
    for segment in claim.segments:
        if segment[0] in _TELLING and _may_tell(segment):
            _tell_of_segments(scene, begin + MOST_SITUATIONS)
            break
    del facts[begin + MOST_SITUATIONS :]


def hides_something(faults: tuple[Fault, ...]) -> bool:
    """Whether a segment is missing, out of place, or not known by its qualifier."""
    return any(not fault.element or fault.element[-2:] == "01" for fault in faults)


def _runs(claim: Claim) -> list[list[Segment]]:
    """The segments of the claim's head and of its own providers (2300, 2310)."""
    return [claim.header.segments, *(provider.run.segments for provider in claim.providers)]


def _named(segments: list[Segment]) -> tuple[str, ...]:
    names = []
    for segment in segments:
        at = _QUALIFIER.get(segment[0])
        names.append(f"{segment[0]} {element(segment, at)}"[:12] if at is not None else segment[0])
    return tuple(dict.fromkeys(names))


# -- the claim as a whole ----------------------------------------------------------------------------------


def _tell_of_head(scene: _Scene, first: int | None) -> None:
    claim = scene.claim
    place_of_service, _, frequency = claim.location[:3]
    if frequency in ("6", "7", "8"):
        scene.tell("replacement", frequency=frequency)
    elif claim.header.first("REF", "F8") is not None:
        scene.tell("original", frequency=frequency)
    causes: tuple[str, ...] = ()
    if len(claim.segment) > 11 and claim.segment[11]:
        parts = element(claim.segment, 11).split(claim.component)
        causes = tuple([cause for cause in parts[:3] if cause])
        scene.tell("accident", related_causes=causes, state=element(parts, 3), country=element(parts, 4))
    if place_of_service in ("21", "51", "61"):
        attended = any(
            is_attended(line.service.code)
            for line in scene.lines
            if (line.service.place_of_service or place_of_service) == place_of_service
        )
        scene.tell("inpatient", place_of_service=place_of_service, attended=attended)
    _tell_of_payers(scene, causes)
    _tell_of_providers(scene)
    person = claim.patient or claim.subscriber
    died = day(element(person.first("PAT"), 6)) if person is not None else None
    if died is not None and first is not None and died < first:
        scene.tell("death")


def _tell_of_payers(scene: _Scene, causes: tuple[str, ...]) -> None:
    claim = scene.claim
    if claim.subscriber is None or (claim.subscriber.faults and hides_something(claim.subscriber.faults)):
        return
    responsible = claim.subscriber.responsible
    others = claim.other_payers
    order = element(responsible, 1)
    filing_indicator = element(responsible, 9)
    nobody = bool(order) and not element(responsible, 2) and claim.patient is None
    # Where a level of the patient's own is announced, its absence is a finding of the hierarchy.
    if nobody and element(claim.subscriber.first("HL"), 4) == "0":
        scene.tell("no-patient")
    if order and order not in ("P", "U") and not others:
        scene.tell("later-payer", filing_indicator=filing_indicator, other_payers=0)
    if others:
        places = [order, *(element(other.segments[0], 1) for other in others)]
        repeated = tuple(dict.fromkeys(p for p in places if p and p != "U" and places.count(p) > 1))
        if repeated:
            spot = Spot(claim.transaction, others[0], "2320", claim.id)
            scene.tell("order-of-payers", spot, other_payers=len(others), repeated_responsibilities=repeated)
    if filing_indicator in ("WC", "AM", "LM"):
        person: Level = claim.patient or claim.subscriber
        identified = person.first("REF", "Y4") is not None
        scene.tell(
            "property-casualty",
            filing_indicator=filing_indicator,
            related_causes=causes,
            identified=identified,
        )


def _tell_of_providers(scene: _Scene) -> None:
    claim = scene.claim
    providers = claim.providers
    roles = {provider.role for provider in providers}
    if "P3" in roles and "DN" not in roles:
        (provider, *_) = [each for each in providers if each.role == "P3"]
        scene.tell("primary-care", Spot(claim.transaction, provider.run, "2310A", claim.id), role="P3")
    if "DQ" in roles:
        supervising = claim.provider("DQ")
        same = bool(supervising.npi) and supervising.npi == claim.rendering.npi
        scene.tell(
            "supervision", Spot(claim.transaction, supervising.run, "2310D", claim.id), role="DQ", same=same
        )
    if claim.billing is None or claim.billing.provider.entity_type != "2" or "82" in roles:
        return
    for line in scene.lines:
        if is_visit_of_a_person(line.service.code) and not (
            line.names_providers and line.view.provider("82")
        ):
            scene.tell_of(line, "visit")
            return


# -- segments that tell by being there ---------------------------------------------------------------------


# Of these only segments with this qualifier tell.
_TELLING_QUALIFIER = {"REF": "X4", "AMT": "F5", "CRC": "ZZ"}


def _may_tell(segment: Segment) -> bool:
    name = segment[0]
    if name == "NM1":
        return (len(segment) < 10 or not segment[9]) and element(segment, 1) in _PROVIDERS
    qualifier = _TELLING_QUALIFIER.get(name)
    return qualifier is None or (len(segment) > 1 and segment[1] == qualifier)


_OPENING = {"LIN": "2410", "SVD": "2430", "LQ": "2440"}


def _tell_of_segments(scene: _Scene, most: int) -> None:
    """Tell of them until there are so many facts."""
    claim = scene.claim
    line: Line | None = None
    number = 0
    loop = "2300"
    providers = LOOPS_2310
    for index, segment in enumerate(claim.segments):
        if len(scene.facts) > most:
            return
        name = segment[0]
        if name == "LX":
            number += 1
            line, loop, providers = scene.lines[number - 1], "2400", LOOPS_2420
        elif name == "SBR":
            loop, providers = "2320", {}
        elif name == "NM1":
            loop = providers.get(element(segment, 1), loop)
        elif name in _OPENING:
            loop = _OPENING[name]
        if loop in ("2320", "2430") or name not in _TELLING or not _may_tell(segment):
            continue
        said = _said_by(segment)
        if said is None:
            continue
        if name == "NM1":
            behind = claim.segments[index + 1 : index + 5]
            said["identified"] = _has_number(behind)
        kind = str(said["kind"])
        place = Segmented(claim, loop, claim.position + index, number or None)
        del said["kind"]
        if line is None:
            charge = claim.charge if name == "AMT" else None
            scene.tell(kind, place, charge=charge, **said)
        else:
            scene.tell_of(line, kind, place, **said)


def _has_number(segments: list[Segment]) -> bool:
    """Whether the loop that goes on with these segments gives a secondary number of its provider."""
    for segment in segments:
        if segment[0] == "REF":
            return True
        if segment[0] not in ("N3", "N4", "PRV", "PER"):
            return False
    return False


def _said_by(segment: Segment) -> dict[str, Value] | None:
    """The kind of circumstance that a segment makes and what it says of it, None where it makes none."""
    match segment[0]:
        case "PWK" if element(segment, 2) in _SENT_APART:
            return {
                "kind": "attachment",
                "transmission": element(segment, 2),
                "identified": bool(element(segment, 6)),
            }
        case "CRC":
            return {
                "kind": "epsdt",
                "answer": element(segment, 2),
                "conditions": tuple([code for code in segment[3:6] if code]),
            }
        case "REF":
            return {"kind": "clia", "well_formed": _CLIA.fullmatch(element(segment, 2)) is not None}
        case "LIN" if element(segment, 2) == "N4":
            return {"kind": "drug-number", "well_formed": _NDC.fullmatch(element(segment, 3)) is not None}
        case "CTP" if quantity(element(segment, 4)) is not None:
            return {"kind": "drug-quantity", "positive": (quantity(element(segment, 4)) or 0) > 0}
        case "CR3":
            return {"kind": "certified-equipment", "certification": element(segment, 1)}
        case "LQ" if element(segment, 1) == "UT":
            return {"kind": "certificate"}
        case "PS1":
            return {"kind": "purchased"}
        case "NM1":
            return {"kind": "provider", "role": element(segment, 1)}
        case "AMT":
            return {"kind": "patient-paid", "amount": cents(element(segment, 2))}
    return None


# -- above claims ------------------------------------------------------------------------------------------


def add_subscriber(
    facts: list[Fact], subscriber: Subscriber, received: int, profile: str, needs: Needs | None
) -> None:
    """Add the fact of a subscriber's level, unless a fault hides something of it or nothing is left open.

    Nothing is where the subscriber is the patient, with address, day of birth and member id, and the payer
    is the first one.
    """
    if subscriber.faults and hides_something(subscriber.faults):
        return
    named = subscriber.name
    ids = {segment[0] for segment in named.run.segments}
    responsible = subscriber.responsible
    if (
        element(responsible, 1) == "P"
        and element(responsible, 2) == "18"
        and element(responsible, 9)
        and named.id
        and ids.issuperset(_OF_A_PATIENT)
    ):
        return
    values = values_of_subscriber(
        (*(element(responsible, at) for at in (1, 2, 5, 9)), named.entity_type),
        received,
        profile,
        identified=bool(named.id) or any(fault.segment == "NM1" for fault in subscriber.faults),
        address="N3" in ids and "N4" in ids,
        demographics="DMG" in ids,
    )
    if needs is not None:
        key = ("subscriber", *values.values())
        asked = needs.known[key] if key in needs.known else needs.learn(key, "subscriber", values)
        if asked is None or not asked.holds(values, received):
            return
    stands_on: dict[str, tuple[Placed, ...]] = {
        "": (Spot(subscriber.transaction, subscriber, "2000B"),),
        "name": (_spot_of_name(subscriber),),
    }
    facts.append(Fact("subscriber", values, stands_on))


def values_of_subscriber(
    said: tuple[str, ...],
    received: int,
    profile: str,
    *,
    identified: bool,
    address: bool,
    demographics: bool,
) -> dict[str, Value]:
    """The values of a subscriber's fact; `said` are SBR01, SBR02, SBR05, SBR09 and NM102."""
    responsibility, relationship, insurance_type, filing_indicator, entity_type = said
    return {
        "date": received,
        "profile": profile,
        "responsibility": responsibility,
        "relationship": relationship,
        "insurance_type": insurance_type,
        "filing_indicator": filing_indicator,
        "entity_type": entity_type,
        "identified": identified,
        "address": address,
        "demographics": demographics,
    }


def _spot_of_name(subscriber: Subscriber) -> Spot:
    return Spot(subscriber.transaction, subscriber.name.run, "2010BA")


def add_billing_situations(facts: list[Fact], level: BillingProvider, received: int, profile: str) -> None:
    """Add what is to be asked about a billing provider's addresses."""
    if level.faults and hides_something(level.faults):
        return
    shared: dict[str, Value] = {**_EMPTY, "date": received, "received": received, "profile": profile}
    own = level.provider
    street = own.run.first("N3")
    if street is not None and any(_is_box(text) for text in street[1:3]):
        spot = Spot(level.transaction, own.run, "2010AA")
        facts.append(Fact("situation", {**shared, "kind": "billing-box"}, {"": (spot,)}))
    for party in level.parties:
        if party.role == "87":
            same = [party.run.first(name) for name in ("N3", "N4")] == [
                own.run.first("N3"),
                own.run.first("N4"),
            ]
            spot = Spot(level.transaction, party.run, "2010AB")
            facts.append(Fact("situation", {**shared, "kind": "pay-to", "same": same}, {"": (spot,)}))
        elif party.role == "PE":
            spot = Spot(level.transaction, party.run, "2010AC")
            purpose = element(level.transaction.first("BHT"), 6)
            facts.append(
                Fact("situation", {**shared, "kind": "pay-to-plan", "purpose": purpose}, {"": (spot,)})
            )


@lru_cache(maxsize=4096)
def _is_box(text: str) -> bool:
    plain = " ".join(text[:60].upper().replace(".", " ").split())
    return _POST_OFFICE_BOX.fullmatch(plain) is not None or plain.startswith(("PO BOX ", "P O BOX "))
