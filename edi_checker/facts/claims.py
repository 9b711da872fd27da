"""A claim's own facts: the claim, its lines, diagnoses, providers and dates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from edi_checker.claim import Claim, Segment, ServiceLine, days, element
from edi_checker.codesets import therapist
from edi_checker.facts.circumstances import Circumstances, note_days
from edi_checker.facts.coding import add_coding
from edi_checker.facts.levels import needs_provider, provider_fact
from edi_checker.facts.lines import Line, Service, days_of, read_service
from edi_checker.facts.misfits import add_claim_misfits
from edi_checker.facts.needs import Needs
from edi_checker.facts.payers import add_other_payers
from edi_checker.facts.places import LOOPS_2310, LOOPS_2420, Diagnosis, Segmented, Spot
from edi_checker.facts.repeats import earlier_claim, earlier_lines
from edi_checker.facts.situations import add_situations
from edi_checker.facts.vocabulary import Fact, Placed, Value
from edi_checker.minutes import LineMinutes, minutes_of
from edi_checker.profile import Profile
from edi_checker.units import QUARTER, ROUNDS_UP


def add_claim(
    facts: list[Fact], claim: Claim, circumstances: Circumstances, profile: Profile, needs: Needs | None
) -> None:
    """Add the facts of a claim whose lines can be trusted; with `needs` those that a rule can need."""
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
        "payer": claim.subscriber.payer.id if claim.subscriber is not None else "",
        "place_of_service": claim.place_of_service,
        "minutes": None,
        "assistant_minutes": None,
        "assistant_units": None,
        "repeats": None,
        "taxonomy": taxonomy,
        "therapist": therapist(taxonomy),
    }
    lines: list[Line] = []
    first = last = None
    for view in claim.lines:
        line = read_line(view, circumstances, npi, taxonomy, profile.minutes_note)
        lines.append(line)
        if line.first is not None and (first is None or line.first < first):
            first = line.first
        if line.last is not None and (last is None or line.last > last):
            last = line.last
    note_days(circumstances, profile, first, last)
    received = circumstances.received
    _add_lines(facts, lines, diagnoses, roles, shared, needs)
    seen = circumstances.claims_seen
    earlier = earlier_claim(seen, claim, lines) if seen is not None else None
    whole = Whole(claim, first, last, received, profile.name, diagnoses, roles, lines, earlier)
    _add_whole(facts, whole, needs)
    if needs is None or "diagnosis" in needs.kinds:
        _add_diagnoses(facts, claim, first, last, profile.name)
    _add_providers(facts, claim, lines, first, profile.name, needs)
    if needs is None or "event" in needs.kinds:
        _add_events(facts, claim, lines, first, last, received, profile.name)
    if needs is None or "misfit" in needs.kinds:
        add_claim_misfits(facts, claim, lines, first, last, circumstances, profile)
    add_coding(facts, claim, lines, circumstances, profile, needs)
    if needs is None or "situation" in needs.kinds:
        add_situations(facts, claim, lines, first, received, profile.name)
    if needs is None or "other_payer" in needs.kinds or "adjudication" in needs.kinds:
        add_other_payers(facts, claim, lines, first, profile.name)


# -- the claim as a whole ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Whole:
    """A claim while the fact of the whole is made; `earlier` is where it came before."""

    claim: Claim
    first: int | None
    last: int | None
    received: int
    profile: str
    diagnoses: tuple[str, ...]
    roles: tuple[str, ...]
    lines: list[Line]
    earlier: Placed | None


def _add_whole(facts: list[Fact], whole: Whole, needs: Needs | None) -> None:
    if needs is not None:
        known: dict[str, Value] = {"profile": whole.profile, "came_before": whole.earlier is not None}
        key = ("claim", whole.earlier is not None)
        question = needs.known[key] if key in needs.known else needs.learn(key, "claim", known)
        if question is None or not question.holds(
            {name: known[name] if name in known else _OF_CLAIM[name](whole) for name in question.fields},
            whole.received,
        ):
            return
    stands_on: dict[str, tuple[Placed, ...]] = {
        "": (whole.claim,),
        "uncertified": _uncertified(whole),
        "earlier": (whole.earlier,) if whole.earlier is not None else (),
    }
    facts.append(Fact("claim", {name: read(whole) for name, read in _OF_CLAIM.items()}, stands_on))


def _line_charges(whole: Whole) -> int | None:
    charges = [line.service.charge for line in whole.lines]
    return None if None in charges or not charges else sum(filter(None, charges))


def _charge_difference(whole: Whole) -> int | None:
    charge, total = whole.claim.charge, _line_charges(whole)
    return charge - total if charge is not None and total is not None else None


def _causes(whole: Whole) -> list[str]:
    segment = whole.claim.segment
    return segment[11].split(whole.claim.component) if len(segment) > 11 else []


def _responsible(whole: Whole) -> Segment | None:
    subscriber = whole.claim.subscriber
    return subscriber.first("SBR") if subscriber is not None else None


def _payer(whole: Whole) -> str:
    subscriber = whole.claim.subscriber
    return subscriber.payer.id if subscriber is not None else ""


def _born_after_service(whole: Whole) -> bool:
    person = whole.claim.patient or whole.claim.subscriber
    birth = person.birth if person is not None else None
    return birth is not None and whole.first is not None and birth > whole.first


def _a_year_later(whole: Whole) -> int | None:
    return a_year_after(whole.first) if whole.first is not None else None


# Every field of a claim fact: a rule that asks for some of them makes these alone be read.
_OF_CLAIM: dict[str, Callable[[Whole], Value]] = {
    "date": lambda whole: whole.first,
    "last_date": lambda whole: whole.last,
    "received": lambda whole: whole.received,
    "profile": lambda whole: whole.profile,
    "charge": lambda whole: whole.claim.charge,
    "line_charges": _line_charges,
    "charge_difference": _charge_difference,
    "lines": lambda whole: len(whole.lines),
    "place_of_service": lambda whole: whole.claim.place_of_service,
    "frequency": lambda whole: whole.claim.frequency,
    "assignment": lambda whole: element(whole.claim.segment, 7),
    "related_causes": lambda whole: tuple([cause for cause in _causes(whole)[:3] if cause]),
    "accident_state": lambda whole: element(_causes(whole), 3),
    "delay_reason": lambda whole: element(whole.claim.segment, 20),
    "filing_indicator": lambda whole: element(_responsible(whole), 9),
    "payer": _payer,
    "payer_responsibility": lambda whole: element(_responsible(whole), 1),
    "patient_level": lambda whole: whole.claim.patient is not None,
    "diagnoses": lambda whole: whole.diagnoses,
    "diagnosis_qualifiers": lambda whole: tuple([qualifier for qualifier, _ in whole.claim.diagnoses]),
    "providers": lambda whole: whole.roles,
    "references": lambda whole: _qualifiers(whole.claim.header.segments, "REF"),
    "dates": lambda whole: _qualifiers(whole.claim.header.segments, "DTP"),
    "notes": lambda whole: _qualifiers(whole.claim.header.segments, "NTE"),
    "other_payers": lambda whole: len(whole.claim.other_payers),
    "modifiers": lambda whole: tuple(
        dict.fromkeys([m for line in whole.lines for m in line.service.modifiers])
    ),
    "uncertified_lines": lambda whole: len(_uncertified(whole)),
    "a_year_later": _a_year_later,
    "born_after_service": _born_after_service,
    "came_before": lambda whole: whole.earlier is not None,
}


def _uncertified(whole: Whole) -> tuple[ServiceLine, ...]:
    """The always-therapy lines without a referring provider, neither of their own nor of the claim."""
    # A provider whose role cannot be read may be the one.
    if "DN" in whole.roles or any(fault.element == "NM101" for fault in whole.claim.faults):
        return ()
    return tuple(
        [
            line.view
            for line in whole.lines
            if line.service.procedure is not None
            and line.service.procedure.therapy == "always"
            and not (line.names_providers and line.view.provider("DN"))
        ]
    )


def a_year_after(on: int) -> int:
    """The same day of the next year, February 28 for 29."""
    return on + 10000 - (on % 10000 == 229)


def _qualifiers(segments: list[Segment], name: str) -> tuple[str, ...]:
    """The first element of every segment with this id."""
    return tuple([s[1] for s in segments if s[0] == name and len(s) > 1])


MOST_DIAGNOSES = 24  # to which a line can point; the guide allows 12 on a claim
_NO_SERVICE: Segment = ["SV1"]


def read_line(
    view: ServiceLine,
    circumstances: Circumstances,
    npi: str,
    taxonomy: str,
    note: re.Pattern[str] | None,
) -> Line:
    """A line; rendering provider and taxonomy are those of the claim where the line names none."""
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
    if names_providers:
        own = view.provider("82")
        if own:
            npi, taxonomy = own.npi, own.taxonomy
    minutes = None
    if circumstances.minutes is not None or service.unit == "MJ" or notes:
        minutes = minutes_of(view, circumstances.minutes, note)
    return Line(
        view, service, first, last, count, npi, taxonomy, minutes, names_providers, references, dates, notes
    )


def _add_lines(
    facts: list[Fact],
    lines: list[Line],
    diagnoses: tuple[str, ...],
    roles: tuple[str, ...],
    shared: dict[str, Value],
    needs: Needs | None,
) -> None:
    """Add the facts of the lines; `shared` are the values of a line that says nothing more than its claim."""
    again = earlier_lines(lines)
    of_claim = shared["taxonomy"]
    for line in lines:
        service = line.service
        if needs is not None and line.minutes is None and line.view.ordinal not in again:
            key = ("line", service, line.taxonomy)
            try:
                question = needs.known[key]
            except KeyError:
                question = needs.learn(key, "line", {**service.values, **_plain_line(line, shared)})
            if question is None:
                continue
            if question.fields <= _CHEAP:
                asked: dict[str, Value] = {"date": line.first, "last_date": line.last, "days": line.days}
                asked["received"] = shared["received"]
                if "diagnoses" in question.fields:
                    asked["diagnoses"] = _diagnoses_of(line, diagnoses)
                if not question.holds(asked, cast("int", shared["received"])):
                    continue
        values: dict[str, Value] = {
            **shared,
            **service.values,
            "date": line.first,
            "last_date": line.last,
            "days": line.days,
            "ordinal": line.view.ordinal,
            "diagnoses": _diagnoses_of(line, diagnoses),
            "references": tuple(line.references),
            "dates": tuple(line.dates),
            "notes": tuple(line.notes),
            "providers": roles,
        }
        if service.place_of_service:
            values["place_of_service"] = service.place_of_service
        if line.names_providers:
            own = [provider.role for provider in line.view.providers]
            values["providers"] = tuple(dict.fromkeys((*roles, *own)))
        if line.taxonomy != of_claim:
            values["taxonomy"] = line.taxonomy
            values["therapist"] = therapist(line.taxonomy)
        if line.minutes is not None:
            values["minutes"] = line.minutes.minutes
            values["assistant_minutes"] = line.minutes.assistant
            values["assistant_units"] = _assistant_units(service, line.minutes)
        earlier = again.get(line.view.ordinal)
        values["repeats"] = earlier.ordinal if earlier is not None else None
        repeated = (earlier,) if earlier is not None else ()
        facts.append(Fact("line", values, {"": (line.view,), "repeated": repeated}, part=service.values))


_CHEAP = frozenset(("date", "last_date", "days", "received", "diagnoses"))


def _diagnoses_of(line: Line, diagnoses: tuple[str, ...]) -> tuple[str, ...]:
    return pointed_to(line.service.pointers, line.view.component, diagnoses[:MOST_DIAGNOSES])


def _plain_line(line: Line, shared: dict[str, Value]) -> dict[str, Value]:
    """What besides its SV1 is the same for all lines of this rendering taxonomy without minutes."""
    return {
        "profile": shared["profile"],
        "taxonomy": line.taxonomy,
        "therapist": therapist(line.taxonomy),
        "minutes": None,
        "assistant_minutes": None,
        "assistant_units": None,
        "repeats": None,
    }


def _assistant_units(service: Service, minutes: LineMinutes) -> int | None:
    """Units that an assistant's modifier belongs to; None where that is not known.

    42 CFR 410.60: it does not where the assistant gave a tenth of the minutes or less, nor, of a timed code,
    to units that the therapist's own minutes make (the last of them by the midpoint, 8 minutes).
    """
    procedure, units = service.procedure, service.units
    if minutes.assistant is None or units is None or units % 1000 or procedure is None:
        return None
    if 10 * minutes.assistant <= minutes.minutes:
        return 0
    if not procedure.eight_minute:
        return units // 1000 if not procedure.timed else None
    own = max(0, minutes.minutes - minutes.assistant)
    return max(0, units // 1000 - (own + ROUNDS_UP) // QUARTER)


@lru_cache(maxsize=16384)
def pointed_to(pointers: str, component: str, diagnoses: tuple[str, ...]) -> tuple[str, ...]:
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
    facts: list[Fact],
    claim: Claim,
    lines: list[Line],
    first: int | None,
    profile: str,
    needs: Needs | None,
) -> None:
    for provider in claim.providers:
        named = provider.run.segments[0]
        if element(named, 8) == "XX":
            loop = LOOPS_2310.get(named[1], "2310")
            if needs is not None and not needs_provider(needs, named, loop, provider.taxonomy, profile):
                continue
            spot = Spot(claim.transaction, provider.run, loop, claim.id)
            facts.append(provider_fact(named, loop, provider.taxonomy, first, profile, spot))
    for line in lines:
        if not line.names_providers:
            continue
        for provider in line.view.providers:
            named = provider.run.segments[0]
            if element(named, 8) == "XX":
                loop = LOOPS_2420.get(named[1], "2420")
                if needs is not None and not needs_provider(needs, named, loop, provider.taxonomy, profile):
                    continue
                spot = Spot(claim.transaction, provider.run, loop, claim.id, line.view.ordinal)
                facts.append(provider_fact(named, loop, provider.taxonomy, line.first, profile, spot))


def _add_events(
    facts: list[Fact],
    claim: Claim,
    lines: list[Line],
    first: int | None,
    last: int | None,
    received: int,
    profile: str,
) -> None:
    for index, segment in enumerate(claim.header.segments):
        if segment[0] == "DTP":
            place = Segmented(claim, "2300", claim.position + index)
            facts.append(_event(segment, "claim", first, last, received, profile, place))
    for line in lines:
        view = line.view
        if not line.more_dates:
            continue
        for index, segment in enumerate(view.segments):
            if segment[0] == "DTP" and element(segment, 1) != "472":
                loop = "2430" if element(segment, 1) == "573" else "2400"
                place = Segmented(claim, loop, view.position + index, view.ordinal)
                facts.append(_event(segment, "line", line.first, line.last, received, profile, place))


def _event(
    segment: Segment,
    level: str,
    on: int | None,
    last_service: int | None,
    received: int,
    profile: str,
    place: Segmented,
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
            "last_service": last_service,
        },
        {"": (place,)},
    )
