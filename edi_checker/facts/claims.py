"""A claim's own facts: the claim, its lines, diagnoses, providers and dates."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from edi_checker.claim import Claim, Segment, ServiceLine, days, element, quantity
from edi_checker.codesets import DISCIPLINES, is_visit, releasing, therapist
from edi_checker.facts.circumstances import Circumstances
from edi_checker.facts.coding import add_coding
from edi_checker.facts.levels import provider_fact
from edi_checker.facts.lines import Coding, Line
from edi_checker.facts.places import Diagnosis, Segmented, Spot
from edi_checker.facts.vocabulary import Fact, Value
from edi_checker.minutes import minutes_of
from edi_checker.profile import Profile
from edi_checker.tables import Tables

_LOOPS_2310 = {
    "DN": "2310A",
    "P3": "2310A",
    "82": "2310B",
    "77": "2310C",
    "DQ": "2310D",
    "PW": "2310E",
    "45": "2310F",
}
_LOOPS_2420 = {
    "82": "2420A",
    "QB": "2420B",
    "77": "2420C",
    "DQ": "2420D",
    "DK": "2420E",
    "DN": "2420F",
    "P3": "2420F",
    "PW": "2420G",
    "45": "2420H",
}


def add_claim(facts: list[Fact], claim: Claim, circumstances: Circumstances, profile: Profile) -> None:
    diagnoses = tuple(code for _, code in claim.diagnoses)
    rendering = claim.rendering
    taxonomy = rendering.taxonomy
    billing = claim.billing
    if not taxonomy and billing is not None and rendering.run is billing.provider.run:
        taxonomy = billing.taxonomy
    roles = tuple([provider.role for provider in claim.providers])
    lines: list[Line] = []
    for view in claim.lines:
        line, fact = _line(view, circumstances, profile.name, diagnoses, rendering.npi, taxonomy, roles)
        lines.append(line)
        facts.append(fact)
    first = min((line.first for line in lines if line.first is not None), default=None)
    last = max((line.last for line in lines if line.last is not None), default=None)
    facts.append(_claim(claim, first, last, circumstances, profile.name, diagnoses, roles, lines))
    _add_diagnoses(facts, claim, first, last, profile.name)
    _add_providers(facts, claim, first, profile.name)
    _add_events(facts, claim, lines, first, circumstances.received, profile.name)
    add_coding(facts, claim, lines, circumstances, profile)


def _claim(
    claim: Claim,
    first: int | None,
    last: int | None,
    circumstances: Circumstances,
    profile: str,
    diagnoses: tuple[str, ...],
    roles: tuple[str, ...],
    lines: list[Line],
) -> Fact:
    segment = claim.segment
    header = claim.header.segments
    charge = claim.charge
    charges = [line.view.charge for line in lines]
    total = None if None in charges or not charges else sum(filter(None, charges))
    causes = element(segment, 11).split(claim.component) if element(segment, 11) else []
    place_of_service, _, frequency = claim.location[:3]
    subscriber = claim.subscriber
    return Fact(
        "claim",
        {
            "date": first,
            "last_date": last,
            "received": circumstances.received,
            "profile": profile,
            "charge": charge,
            "line_charges": total,
            "charge_difference": charge - total if charge is not None and total is not None else None,
            "lines": len(lines),
            "place_of_service": place_of_service,
            "frequency": frequency,
            "assignment": element(segment, 7),
            "related_causes": tuple(cause for cause in causes[:3] if cause),
            "accident_state": causes[3] if len(causes) > 3 else "",
            "delay_reason": element(segment, 20),
            "filing_indicator": subscriber.filing_indicator if subscriber is not None else "",
            "payer_responsibility": subscriber.payer_responsibility if subscriber is not None else "",
            "patient_level": claim.patient is not None,
            "diagnoses": diagnoses,
            "diagnosis_qualifiers": tuple([qualifier for qualifier, _ in claim.diagnoses]),
            "providers": roles,
            "references": _qualifiers(header, "REF"),
            "dates": _qualifiers(header, "DTP"),
            "notes": _qualifiers(header, "NTE"),
            "other_payers": len(claim.other_payers),
        },
        {"": (claim,)},
    )


def _qualifiers(segments: list[Segment], name: str) -> tuple[str, ...]:
    """The first element of every segment with this id."""
    return tuple([s[1] for s in segments if s[0] == name and len(s) > 1])


def _line(
    view: ServiceLine,
    circumstances: Circumstances,
    profile: str,
    diagnoses: tuple[str, ...],
    npi: str,
    taxonomy: str,
    roles: tuple[str, ...],
) -> tuple[Line, Fact]:
    service = view.service
    first, last = view.dates
    # Without a day of service the tables are asked about the day of receipt, as the rules themselves are.
    on = first or circumstances.received
    coding = _coding(element(service, 1), view.component, on, circumstances.tables)
    ids = [s[0] for s in view.segments]
    if "NM1" in ids:
        roles = (*roles, *(provider.role for provider in view.providers))
        own = view.provider("82")
        if own:
            npi, taxonomy = own.npi, own.taxonomy
    unit = element(service, 3)
    minutes = None
    if circumstances.minutes is not None or unit == "MJ" or "NTE" in ids:
        minutes = minutes_of(view, circumstances.minutes)
    pointers = element(service, 7)
    line = Line(
        view,
        coding,
        first,
        last,
        _number_of_days(first, last),
        _thousandths(element(service, 4)) if unit == "UN" else None,
        npi,
        taxonomy,
        minutes,
        {"": (view,)},
    )
    values: dict[str, Value] = {
        **coding.values,
        "date": first,
        "last_date": last,
        "days": line.days,
        "received": circumstances.received,
        "profile": profile,
        "ordinal": view.ordinal,
        "charge": view.charge,
        "unit": unit,
        "units": line.units,
        "place_of_service": view.place_of_service,
        "diagnoses": _pointed_to(pointers, view.component, diagnoses),
        "pointers": pointers.count(view.component) + 1 if pointers else 0,
        "emergency": element(service, 9),
        "minutes": minutes.minutes if minutes is not None else None,
        "assistant_minutes": minutes.assistant if minutes is not None else None,
        "taxonomy": taxonomy,
        "therapist": therapist(taxonomy),
        "providers": roles,
        "references": _qualifiers(view.segments, "REF") if "REF" in ids else (),
        "dates": _qualifiers(view.segments, "DTP"),
        "notes": _qualifiers(view.segments, "NTE") if "NTE" in ids else (),
    }
    return line, Fact("line", values, line.stands_on)


@lru_cache(maxsize=16384)
def _coding(composite: str, component: str, on: int, tables: Tables) -> Coding:
    parts = composite.split(component)
    parts += [""] * (8 - len(parts))
    code = parts[1] if parts[0] == "HC" else ""
    modifiers = tuple(m for m in parts[2:6] if m)
    procedure = tables.procedure(code, on)
    disciplines = tuple(d for d in DISCIPLINES if d in modifiers)
    released = releasing(code, modifiers)
    values: dict[str, Value] = {
        "code": code,
        "modifiers": modifiers,
        "repeated_modifiers": tuple(m for m in dict.fromkeys(modifiers) if modifiers.count(m) > 1),
        "releasing_modifiers": released,
        "disciplines": disciplines,
        "described": bool(parts[6]),
        "visit": is_visit(code),
        "therapy": procedure.therapy if procedure is not None else "",
        "code_disciplines": procedure.disciplines if procedure is not None else (),
        "timed": procedure is not None and procedure.timed,
        "eight_minute": procedure is not None and procedure.eight_minute,
        "minutes_per_unit": procedure.minutes_per_unit if procedure is not None else None,
        "fee_status": procedure.status if procedure is not None else "",
        "pctc": procedure.pctc if procedure is not None else "",
        "multiple_procedure": procedure.multiple_procedure if procedure is not None else "",
        "global_days": procedure.global_days if procedure is not None else "",
        "bilateral": procedure.bilateral if procedure is not None else "",
        "assistant_surgeon": procedure.assistant_surgeon if procedure is not None else "",
        "co_surgeon": procedure.co_surgeon if procedure is not None else "",
        "team_surgeon": procedure.team_surgeon if procedure is not None else "",
    }
    return Coding(
        code,
        modifiers,
        disciplines,
        released,
        procedure,
        tables.mue(code, on),
        tables.addon(code, on),
        values,
    )


@lru_cache(maxsize=16384)
def _pointed_to(pointers: str, component: str, diagnoses: tuple[str, ...]) -> tuple[str, ...]:
    numbers = [int(p) for p in pointers.split(component) if p.isascii() and p.isdigit() and len(p) <= 2]
    return tuple(diagnoses[n - 1] for n in numbers if 1 <= n <= len(diagnoses))


@lru_cache(maxsize=4096)
def _thousandths(text: str) -> int | None:
    """A count of units in thousandths; None where it cannot be read, is below zero or finer than thousandths."""
    units = quantity(text)
    if units is None or units < 0 or units != round(units, 3):
        return None
    return int(units * 1000)


@lru_cache(maxsize=4096)
def _number_of_days(first: int | None, last: int | None) -> int | None:
    if first is None or last is None or last < first:
        return None
    return (_calendar(last) - _calendar(first)).days + 1


def _calendar(on: int) -> date:
    return date(on // 10000, on // 100 % 100, on % 100)


# -- diagnoses, providers, dates ---------------------------------------------------------------------------


def _add_diagnoses(
    facts: list[Fact], claim: Claim, first: int | None, last: int | None, profile: str
) -> None:
    ordinal = 0
    for index, segment in enumerate(claim.header.segments):
        if segment[0] != "HI":
            continue
        for number, composite in enumerate(segment[1:], 1):
            qualifier, _, code = composite.partition(claim.component)
            if qualifier not in _DIAGNOSIS_QUALIFIERS:
                continue
            ordinal += 1
            facts.append(
                Fact(
                    "diagnosis",
                    {
                        "date": first,
                        "last_date": last,
                        "profile": profile,
                        "code": code.partition(claim.component)[0],
                        "qualifier": qualifier,
                        "ordinal": ordinal,
                    },
                    {"": (Diagnosis(claim, claim.position + index, number),)},
                )
            )


_DIAGNOSIS_QUALIFIERS = frozenset(("ABK", "ABF", "BK", "BF"))


def _add_providers(facts: list[Fact], claim: Claim, first: int | None, profile: str) -> None:
    for provider in claim.providers:
        if provider.id_qualifier == "XX":
            loop = _LOOPS_2310.get(provider.role, "2310")
            spot = Spot(claim.transaction, provider.run, loop, claim.id)
            facts.append(provider_fact(provider, loop, provider.taxonomy, first, profile, spot))
    for line in claim.lines:
        # Few lines name a provider of their own; only those are cut into loops.
        if "NM1" not in [s[0] for s in line.segments]:
            continue
        for provider in line.providers:
            if provider.id_qualifier == "XX":
                loop = _LOOPS_2420.get(provider.role, "2420")
                spot = Spot(claim.transaction, provider.run, loop, claim.id, line.ordinal)
                on = line.dates[0]
                facts.append(provider_fact(provider, loop, provider.taxonomy, on, profile, spot))


def _add_events(
    facts: list[Fact], claim: Claim, lines: list[Line], first: int | None, received: int, profile: str
) -> None:
    for index, segment in enumerate(claim.header.segments):
        if segment[0] == "DTP":
            place = Segmented(claim, "2300", claim.position + index)
            facts.append(_event(segment, "claim", first, received, profile, place))
    for line in lines:
        view = line.view
        for index, segment in enumerate(view.segments):
            if segment[0] == "DTP" and element(segment, 1) != "472":
                loop = "2430" if element(segment, 1) == "573" else "2400"
                place = Segmented(claim, loop, view.position + index, view.ordinal)
                facts.append(_event(segment, "line", line.first, received, profile, place))


def _event(
    segment: Segment, level: str, on: int | None, received: int, profile: str, place: Segmented
) -> Fact:
    first, last = days(segment)
    return Fact(
        "event",
        {
            "date": on,
            "received": received,
            "profile": profile,
            "level": level,
            "qualifier": element(segment, 1),
            "first": first,
            "last": last,
        },
        {"": (place,)},
    )
