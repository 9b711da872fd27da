"""A claim's own facts: the claim, its lines, diagnoses, providers and dates."""

from __future__ import annotations

from functools import lru_cache

from edi_checker.claim import Claim, Segment, ServiceLine, days, element
from edi_checker.codesets import therapist
from edi_checker.facts.circumstances import Circumstances
from edi_checker.facts.coding import add_coding
from edi_checker.facts.levels import provider_fact
from edi_checker.facts.lines import Line, days_of, read_service
from edi_checker.facts.places import Diagnosis, Segmented, Spot
from edi_checker.facts.vocabulary import Fact, Value
from edi_checker.minutes import minutes_of
from edi_checker.profile import Profile

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
    """Add the facts of a claim whose lines can be trusted."""
    diagnoses = tuple([code for _, code in claim.diagnoses])
    rendering = claim.rendering
    taxonomy = rendering.taxonomy
    billing = claim.billing
    if not taxonomy and billing is not None and rendering.run is billing.provider.run:
        taxonomy = billing.taxonomy
    npi = rendering.npi
    roles = tuple(dict.fromkeys([provider.role for provider in claim.providers]))
    shared: dict[str, Value] = {
        "received": circumstances.received,
        "profile": profile.name,
        "place_of_service": claim.place_of_service,
        "minutes": None,
        "assistant_minutes": None,
        "taxonomy": taxonomy,
        "therapist": therapist(taxonomy),
    }
    lines: list[Line] = []
    first = last = None
    for view in claim.lines:
        line, fact = _line(view, circumstances, shared, diagnoses, npi, taxonomy, roles)
        lines.append(line)
        facts.append(fact)
        if line.first is not None and (first is None or line.first < first):
            first = line.first
        if line.last is not None and (last is None or line.last > last):
            last = line.last
    facts.append(_claim(claim, first, last, circumstances, profile.name, diagnoses, roles, lines))
    _add_diagnoses(facts, claim, first, last, profile.name)
    _add_providers(facts, claim, lines, first, profile.name)
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
    ids = [s[0] for s in header]
    charge = claim.charge
    charges = [line.service.charge for line in lines]
    total = None if None in charges or not charges else sum(filter(None, charges))
    causes = element(segment, 11).split(claim.component) if len(segment) > 11 else []
    place_of_service, _, frequency = claim.location[:3]
    subscriber = claim.subscriber
    responsible = subscriber.first("SBR") if subscriber is not None else None
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
            "related_causes": tuple([cause for cause in causes[:3] if cause]),
            "accident_state": causes[3] if len(causes) > 3 else "",
            "delay_reason": element(segment, 20),
            "filing_indicator": element(responsible, 9),
            "payer_responsibility": element(responsible, 1),
            "patient_level": claim.patient is not None,
            "diagnoses": diagnoses,
            "diagnosis_qualifiers": tuple([qualifier for qualifier, _ in claim.diagnoses]),
            "providers": roles,
            "references": _qualifiers(header, "REF") if "REF" in ids else (),
            "dates": _qualifiers(header, "DTP") if "DTP" in ids else (),
            "notes": _qualifiers(header, "NTE") if "NTE" in ids else (),
            "other_payers": len(claim.other_payers),
        },
        {"": (claim,)},
    )


def _qualifiers(segments: list[Segment], name: str) -> tuple[str, ...]:
    """The first element of every segment with this id."""
    return tuple([s[1] for s in segments if s[0] == name and len(s) > 1])


MOST_DIAGNOSES = 24  # to which a line can point; the guide allows 12 on a claim
_NO_SERVICE: Segment = ["SV1"]


def _line(
    view: ServiceLine,
    circumstances: Circumstances,
    shared: dict[str, Value],
    diagnoses: tuple[str, ...],
    npi: str,
    taxonomy: str,
    roles: tuple[str, ...],
) -> tuple[Line, Fact]:
    """A line and its fact; `shared` are the values of a line that says nothing more than its claim."""
    written: Segment = _NO_SERVICE
    first = last = count = None
    dates: list[str] = []
    references: list[str] = []
    notes: list[str] = []
    names_providers = False
    # One pass over the segments: this runs for every line of every claim.
    for segment in view.segments:
        name = segment[0]
        if name == "SV1":
            if written is _NO_SERVICE:
                written = segment
        elif name == "NM1":
            names_providers = True
        elif len(segment) < 2:
            continue
        elif name == "REF":
            references.append(segment[1])
        elif name == "DTP":
            dates.append(segment[1])
            if segment[1] == "472" and len(segment) > 3 and dates.count("472") == 1:
                first, last, count = days_of(segment[2], segment[3])
        elif name == "NTE":
            notes.append(segment[1])
    # Without a day of service the tables are asked about the day of receipt, as the rules themselves are.
    era = circumstances.tables.era(first or circumstances.received)
    service = read_service(tuple(written), view.component, era, circumstances.tables)
    values: dict[str, Value] = {
        **shared,
        **service.values,
        "date": first,
        "last_date": last,
        "days": count,
        "ordinal": view.ordinal,
        "diagnoses": _pointed_to(service.pointers, view.component, diagnoses[:MOST_DIAGNOSES]),
        "references": tuple(references),
        "dates": tuple(dates),
        "notes": tuple(notes),
        "providers": roles,
    }
    if service.place_of_service:
        values["place_of_service"] = service.place_of_service
    if names_providers:
        values["providers"] = tuple(dict.fromkeys((*roles, *(provider.role for provider in view.providers))))
        own = view.provider("82")
        if own:
            npi, taxonomy = own.npi, own.taxonomy
            values["taxonomy"] = taxonomy
            values["therapist"] = therapist(taxonomy)
    minutes = None
    if circumstances.minutes is not None or service.unit == "MJ" or notes:
        minutes = minutes_of(view, circumstances.minutes)
        if minutes is not None:
            values["minutes"] = minutes.minutes
            values["assistant_minutes"] = minutes.assistant
    more_dates = bool(dates) and dates != ["472"]
    line = Line(
        view, service, first, last, count, npi, taxonomy, minutes, names_providers, more_dates, {"": (view,)}
    )
    return line, Fact("line", values, line.stands_on)


@lru_cache(maxsize=16384)
def _pointed_to(pointers: str, component: str, diagnoses: tuple[str, ...]) -> tuple[str, ...]:
    numbers = [int(p) for p in pointers.split(component) if p.isascii() and p.isdigit() and len(p) <= 2]
    return tuple(diagnoses[n - 1] for n in numbers if 1 <= n <= len(diagnoses))


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


def _add_providers(
    facts: list[Fact], claim: Claim, lines: list[Line], first: int | None, profile: str
) -> None:
    for provider in claim.providers:
        named = provider.run.segments[0]
        if element(named, 8) == "XX":
            loop = _LOOPS_2310.get(named[1], "2310")
            spot = Spot(claim.transaction, provider.run, loop, claim.id)
            facts.append(provider_fact(named, loop, provider.taxonomy, first, profile, spot))
    for line in lines:
        if not line.names_providers:
            continue
        for provider in line.view.providers:
            named = provider.run.segments[0]
            if element(named, 8) == "XX":
                loop = _LOOPS_2420.get(named[1], "2420")
                spot = Spot(claim.transaction, provider.run, loop, claim.id, line.view.ordinal)
                facts.append(provider_fact(named, loop, provider.taxonomy, line.first, profile, spot))


def _add_events(
    facts: list[Fact], claim: Claim, lines: list[Line], first: int | None, received: int, profile: str
) -> None:
    for index, segment in enumerate(claim.header.segments):
        if segment[0] == "DTP":
            place = Segmented(claim, "2300", claim.position + index)
            facts.append(_event(segment, "claim", first, received, profile, place))
    for line in lines:
        view = line.view
        if not line.more_dates:
            continue
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
