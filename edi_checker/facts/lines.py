"""Service lines: what the key of a line says, the columns of one that was met, and the facts of both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from edi_checker.claims.claim import Segment, ServiceLine, element
from edi_checker.claims.loops import LOOPS_2420
from edi_checker.claims.minutes import minutes_of
from edi_checker.facts.code_errors import Judging, make_segment_code_errors, make_service_code_errors
from edi_checker.facts.evaluation_codes import surely_no_visit, surely_visit
from edi_checker.facts.pieces import (
    At,
    Cells,
    Open,
    OpenFact,
    OpenValue,
    View,
    Within,
    cell,
    end_of_loop,
    look_at,
    loop_at,
    place_segments,
    present,
    read,
    text,
)
from edi_checker.facts.service_kinds import is_hands_on, surely_no_drug
from edi_checker.facts.situations import make_situations
from edi_checker.facts.triggers import NOTHING_AROUND, is_supply
from edi_checker.facts.whole_claim import Line, Service, WholeClaim
from edi_checker.reference.codesets import DISCIPLINES, is_visit, npi_valid, releasing, therapist
from edi_checker.reference.tables import Tables
from edi_checker.x12.dates import days_of
from edi_checker.x12.money import cents, thousandths


class OfLine(NamedTuple):
    """What decides of a line beside its key.

    on         any day of the era in which its service was given
    therapist  what the claim's rendering provider is: GP, GO, GN, or "" for anybody else
    timed      whether minutes may be given beside the claim
    """

    judging: Judging
    on: int
    therapist: str
    timed: bool


def make_line(view: View, service: Service, given: OfLine) -> list[OpenFact]:
    """The facts of a line that need no other piece."""
    own = _own_provider(view)
    if own is not None:
        given = given._replace(therapist=therapist(_taxonomy_of(view, own)))
    timed = given.timed or view.first("NTE") is not None
    single = _is_single(view.first("DTP", "472"))
    given = given._replace(timed=timed)
    return [*make_service(view, service, given, single=single), *make_following(view, given.judging)]


def make_service(view: View, service: Service, given: OfLine, *, single: bool) -> list[OpenFact]:
    """Those facts that LX and SV1 tell; `single` says whether the line is dated with one day (D8)."""
    judging = given.judging
    values: dict[str, OpenValue] = {
        **_OF_LINE,
        **service.values,
        "received": judging.received,
        "profile": judging.profile.name,
        "therapist": given.therapist,
    }
    if single:
        values["last_date"] = _FIRST
    if not given.timed and service.unit != "MJ":
        values.update(minutes=None, assistant_minutes=None, assistant_units=None)
    if service.place_of_service:
        values["place_of_service"] = service.place_of_service
    here = Within(view, "2400")
    facts = [OpenFact("line", values, {"": (here,), "repeated": _REPEATED})]
    shared: dict[str, OpenValue] = {
        **_shared(judging),
        "code": service.code,
        "modifiers": service.modifiers,
        "unit": service.unit,
        "described": service.values["described"],
    }
    facts += _make_situations(view, shared, of_service=True)
    facts += make_service_code_errors(
        view, (service.code, service.modifiers), given.on, judging, CODE_ERROR_OF_LINE
    )
    return facts


def make_following(view: View, judging: Judging) -> list[OpenFact]:
    """Those facts that the segments behind SV1 tell."""
    loops, roles = place_segments(view, "2400")
    facts = list(_make_situations(view, {**_shared(judging), **_OF_SERVICE}, of_service=False))
    facts += make_segment_code_errors(view, loops, roles, judging, CODE_ERROR_OF_LINE)
    for number, cells in enumerate(view.segments):
        if cells[0] == "DTP" and text(cells, 1) != "472":
            facts.append(_event(view, number, judging))
    for begin, cells in enumerate(view.segments):
        if cells[0] == "NM1" and text(cells, 8) == "XX":
            loop = LOOPS_2420.get(text(cells, 1), "2420")
            facts.append(make_provider(view, begin, loop, _taxonomy_of(view, begin), _FIRST, judging))
    return facts


def is_of_service(name: str) -> bool:
    """Whether a segment of a line tells its service; others follow."""
    return name in ("LX", "SV1")


def is_following(name: str) -> bool:
    """Whether a segment of a line follows its service."""
    return not is_of_service(name)


def _make_situations(view: View, shared: dict[str, OpenValue], *, of_service: bool) -> Iterator[OpenFact]:
    loops, _ = place_segments(view, "2400")
    numbers = [at for at, cells in enumerate(view.segments) if is_of_service(str(cells[0])) == of_service]
    return make_situations(view, loops, NOTHING_AROUND, shared, "line", numbers)


def _shared(judging: Judging) -> dict[str, OpenValue]:
    return {
        "date": _FIRST,
        "received": judging.received,
        "profile": judging.profile.name,
        "line": _ORDINAL,
        "stated": Open("stated", lambda line: (*line.whole.stated, *line.names_of_segments)),
        "stated_by_claim": Open("stated_by_claim", lambda line: line.whole.stated),
    }


def _is_single(cells: Cells | None) -> bool:
    """Whether a date is written as one day."""
    return text(cells, 2) == "D8"


def make_provider(
    view: View, begin: int, loop: str, taxonomy: str, on: OpenValue, judging: Judging
) -> OpenFact:
    """The fact of a provider with an NPI, whose NM1 is segment `begin`."""
    cells = view.segments[begin]
    npi = cell(cells, 9)
    values: dict[str, OpenValue] = {
        "date": on,
        "profile": judging.profile.name,
        "role": text(cells, 1),
        "loop": loop,
        "entity_type": text(cells, 2),
        "npi": read(npi, "npi", str),
        "npi_valid": read(npi, "npi_valid", npi_valid),
        "taxonomy": taxonomy,
    }
    return OpenFact("provider", values, {"": (loop_at(view, loop, begin),)})


def _own_provider(view: View) -> int | None:
    """Where the NM1 of the line's own rendering provider stands."""
    return view.find("NM1", "82")


def _taxonomy_of(view: View, begin: int) -> str:
    """PRV03 of the loop that begins with this NM1."""
    for number in range(begin + 1, end_of_loop(view, begin)):
        if view.segments[number][0] == "PRV":
            return text(view.segments[number], 3)
    return ""


def _event(view: View, number: int, judging: Judging) -> OpenFact:
    cells = view.segments[number]
    loop = "2430" if text(cells, 1) == "573" else "2400"
    return make_claim_date(cells, "line", At(loop, number), judging, (_FIRST, _LAST))


def make_claim_date(
    cells: Cells, level: str, spot: At, judging: Judging, service: tuple[OpenValue, OpenValue]
) -> OpenFact:
    """The fact of a DTP; `service` is the first and last day of service."""
    form, said = text(cells, 2), cell(cells, 3)
    first = read(said, "first", lambda written: days_of(form, written)[0])
    last = first if form == "D8" else read(said, "last", lambda written: days_of(form, written)[1])
    values: dict[str, OpenValue] = {
        "date": service[0],
        "received": judging.received,
        "profile": judging.profile.name,
        "level": level,
        "qualifier": text(cells, 1),
        "first": first,
        "last": last,
        "last_service": service[1],
        "admitted": _ADMITTED,
    }
    return OpenFact("claim_date", values, {"": (spot,)})


_ADMITTED = Open("admitted", lambda met: met.whole.admitted)
_FIRST, _LAST = Open("date", attrgetter("first")), Open("last_date", attrgetter("last"))
_ORDINAL = Open("ordinal", attrgetter("ordinal"))
_REPEATED = Open("repeated", lambda line: () if line.repeated is None else (line.repeated,))
_OF_SERVICE: dict[str, OpenValue] = {
    "code": Open("code", lambda line: line.service.code),
    "modifiers": Open("modifiers", lambda line: line.service.modifiers),
    "unit": Open("unit", lambda line: line.service.unit),
    "described": Open("described", lambda line: line.service.values["described"]),
}
_OF_LINE: dict[str, OpenValue] = {
    "date": _FIRST,
    "last_date": _LAST,
    "days": Open("days", attrgetter("days")),
    "payer": Open("payer", attrgetter("whole.payer")),
    "ordinal": _ORDINAL,
    "taxonomy": Open("taxonomy", attrgetter("taxonomy")),
    "place_of_service": Open("place_of_service", attrgetter("place_of_service")),
    "diagnoses": Open("diagnoses", attrgetter("diagnoses")),
    "diagnosis_families": Open("diagnosis families", attrgetter("diagnosis_families")),
    "providers": Open("providers", attrgetter("providers")),
    "references": Open("references", lambda line: line.qualifiers("REF")),
    "dates": Open("dates", lambda line: line.qualifiers("DTP")),
    "notes": Open("notes", lambda line: line.qualifiers("NTE")),
    "repeats": Open("repeats", lambda line: line.repeated.ordinal if line.repeated is not None else None),
    "repeats_exactly": Open("repeats_exactly", attrgetter("repeats_exactly")),
    "frequency": Open("frequency", attrgetter("whole.claim.frequency")),
    "minutes": Open("minutes", lambda line: line.minutes.minutes if line.minutes is not None else None),
    "assistant_minutes": Open(
        "assistant_minutes", lambda line: line.minutes.assistant if line.minutes is not None else None
    ),
    "assistant_units": Open("assistant_units", attrgetter("assistant_units")),
}
CODE_ERROR_OF_LINE: dict[str, OpenValue] = {
    "date": Open("date", lambda line: line.first or line.whole.first),
    "last_date": Open("last_date", lambda line: line.whole.last_or(line.first or line.whole.first)),
    "line": _ORDINAL,
}


_NO_SERVICE: Segment = ["SV1"]


def read_lines(whole: WholeClaim) -> list[View]:
    """Read the lines of a claim into it, and what of each can be looked at."""
    npi, taxonomy = whole.rendered_by
    views: list[View] = []
    for each in whole.claim.lines:
        line, view = _read_line(whole, each, npi, taxonomy, whole.profile.minutes_note)
        whole.lines.append(line)
        views.append(view)
    return views


def _read_line(
    whole: WholeClaim, view: ServiceLine, npi: str, taxonomy: str, note: re.Pattern[str] | None
) -> tuple[Line, View]:
    """A line and what of it can be looked at; rendering provider and taxonomy are those of the claim where
    the line names none.
    """
    setting, given = whole.setting, whole.memory.minutes
    written = view.service or _NO_SERVICE
    dates: tuple[int | None, int | None, int | None] = (None, None, None)
    served = view.first("DTP", "472")
    if served is not None and len(served) > 3:
        dates = days_of(served[2], served[3])
    seen = look_at(view.segments, view.component)
    service = service_in(seen, dates[0] or setting.received, setting.tables)
    names_providers = any(segment[0] == "NM1" for segment in view.segments)
    if names_providers:
        own = view.provider("82")
        if own:
            npi, taxonomy = own.npi, own.taxonomy
    minutes = None
    if given is not None or service.unit == "MJ" or view.first("NTE") is not None:
        minutes = minutes_of(view, given, note)
    line = Line(
        whole,
        view.ordinal,
        view.position,
        service,
        whole.claim.block.delimiters.element.join(written),
        element(written, 7),
        dates,
        cents(element(written, 2)),
        thousandths(element(written, 4)) if service.unit == "UN" else None,
        npi,
        taxonomy,
        names_providers=names_providers,
        minutes=minutes,
    )
    return line, seen


def service_in(view: View, on: int, tables: Tables) -> Service:
    """The service of a line; `on` is any day of the era of the tables in which it was given."""
    cells = view.first("SV1") or ["SV1"]
    said = tuple([text(cells, number) for number in (1, 3, 5, 9)])
    sent = tuple([present(cell(cells, number)) for number in (2, 4, 7)])
    return _read_service(said, sent, view.component, tables.era(on), tables)


# Most claims repeat the services of others: each is read once.
@lru_cache(maxsize=2048)
def _read_service(
    said: tuple[str, ...], sent: tuple[bool, ...], component: str, on: int, tables: Tables
) -> Service:
    procedure_text, unit, place_of_service, emergency = said
    charged, counted, pointing = sent
    parts = procedure_text.split(component)
    parts += [""] * (8 - len(parts))
    code = parts[1] if parts[0] == "HC" else ""
    modifiers = tuple(m for m in parts[2:6] if m)
    disciplines = tuple(d for d in DISCIPLINES if d in modifiers)
    procedure = tables.procedure(code, on)
    released = releasing(code, modifiers)
    addon = tables.addon(code, on) is not None
    values: dict[str, OpenValue] = {
        "code": code,
        "modifiers": modifiers,
        "repeated_modifiers": tuple(m for m in dict.fromkeys(modifiers) if modifiers.count(m) > 1),
        "releasing_modifiers": released,
        "disciplines": disciplines,
        "described": bool(parts[6]),
        "supply": is_supply(code),
        "visit": is_visit(code),
        "surely_visit": surely_visit(code),
        "surely_no_visit": surely_no_visit(code),
        "charge": _CHARGE if charged else None,
        "unit": unit,
        "units": _UNITS if counted and unit == "UN" else None,
        "pointers": _POINTERS if pointing else 0,
        "emergency": emergency,
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
        "single_dose": procedure is not None and procedure.single_dose,
        "surely_no_drug": surely_no_drug(code),
        "hands_on": is_hands_on(code),
        "add_on": addon or (procedure is not None and procedure.global_days == "ZZZ"),
    }
    return Service(
        code=code,
        modifiers=modifiers,
        disciplines=disciplines,
        releasing=released,
        unit=unit,
        place_of_service=place_of_service,
        procedure=procedure,
        mue=tables.mue(code, on),
        addon=addon,
        values=values,
    )


_CHARGE, _UNITS = Open("charge", attrgetter("charge")), Open("units", attrgetter("units"))
_POINTERS = Open("pointers", lambda line: line.pointers.count(line.whole.claim.component) + 1)
