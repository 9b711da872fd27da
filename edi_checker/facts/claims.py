"""A claim's own facts: of its head, its parties and other payers, and of the claim as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from edi_checker.claims.claim import DIAGNOSIS_LISTS, Claim, SegmentRun, element
from edi_checker.claims.loops import LOOPS_2310
from edi_checker.claims.profile import Profile
from edi_checker.facts.code_errors import (
    MOST_CODE_ERRORS,
    MOST_DIAGNOSES,
    Judging,
    find_payer_code_errors,
    make_address_code_errors,
    make_charge_code_errors,
    make_control_code_error,
    make_diagnosis_code_errors,
    make_head_code_errors,
    make_line_diagnosis_code_errors,
    make_number_code_errors,
    make_pointer_code_errors,
    make_segment_code_errors,
    without_refused,
)
from edi_checker.facts.coding import add_coding, is_timed
from edi_checker.facts.columns import ADDRESS
from edi_checker.facts.context import InputMemory, Setting
from edi_checker.facts.duplicates import find_earlier_claim, find_earlier_lines
from edi_checker.facts.earlier import hold_against_others
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.lines import (
    CODE_ERROR_OF_LINE,
    OfLine,
    make_claim_date,
    make_line,
    make_provider,
    read_lines,
)
from edi_checker.facts.payers import add_other_payers
from edi_checker.facts.pieces import (
    At,
    Open,
    OpenFact,
    OpenValue,
    Site,
    View,
    Within,
    at_segment,
    columns_of,
    fill,
    look_at,
    look_at_address,
    place_segments,
    text,
)
from edi_checker.facts.places import Diagnosis
from edi_checker.facts.situations import (
    MOST_SITUATIONS,
    hides_something,
    make_around,
    make_situations,
)
from edi_checker.facts.triggers import NOTHING_AROUND, Around
from edi_checker.facts.whole_claim import Line, WholeClaim, pointers_in
from edi_checker.reference.codesets import therapist
from edi_checker.reference.codesets.imported import releases_in
from edi_checker.x12.finding import Place


class Part:
    """A piece of a claim that was met beside CLM and the lines: a segment, provider, payer, N4."""

    __slots__ = ("_columns", "position", "run", "whole")

    def __init__(
        self,
        whole: WholeClaim,
        run: SegmentRun | None,
        position: int = 0,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.whole = whole
        self.run = run
        self.position = run.position if run is not None else position
        self._columns = columns

    @property
    def columns(self) -> Sequence[str]:
        if self._columns is None:
            assert self.run is not None
            self._columns = columns_of(self.run.segments, self.run.component)
        return self._columns

    def place_at(self, site: Site) -> Place:
        claim = self.whole.claim
        position = self.position + site.offset
        return claim.place(site.segment, site.element, loop=site.loop, position=position)

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        return self.place_at(Site("2300", name, 0, at))


def judging_of(setting: Setting, profile: Profile, first: int | None) -> Judging:
    """By what the codes of a claim are judged, whose first day of service this is."""
    received = setting.received
    imported = releases_in(setting.tables)
    return Judging(
        profile, received, imported, min(first or received, received) if imported is not None else 0
    )


def add_claim(
    facts: list[Fact], claim: Claim, setting: Setting, memory: InputMemory, profile: Profile
) -> None:
    """Add the facts of a claim whose lines can be trusted, each made by the maker of its piece."""
    whole = WholeClaim(claim, setting, memory, profile)
    views = read_lines(whole)
    note_span(whole)
    find_earlier_lines(whole.lines)
    whole.earlier = find_earlier_claim(whole)
    whole.find_same_number()
    first, received = whole.first, setting.received
    judging = judging_of(setting, profile, first)
    code_errors: list[Fact] = []
    situations: list[Fact] = []
    sorted_out = {"code_error": code_errors, "situation": situations}

    def add(made: Iterator[Fact]) -> None:
        for fact in made:
            sorted_out.get(fact.kind, facts).append(fact)

    head, *others = claim.header.segments
    add(fill(make_head(look_at([head], claim.component), first or received, judging), whole))
    add(fill(make_around_claim(whole.around, judging), whole))
    for position, segment in enumerate(others, claim.position + 1):
        part = Part(whole, SegmentRun([segment], position, claim.component))
        add(fill(make_segment(look_at([segment], claim.component), judging), part))
    facts += make_diagnoses(whole)
    add(
        fill(
            make_diagnosis_code_errors(
                claim, claim.diagnoses, first, whole.last, judging, CODE_ERROR_OF_CLAIM
            ),
            whole,
        )
    )
    for run in [provider.run for provider in claim.providers]:
        view = look_at(run.segments, claim.component)
        add(fill(make_party(view, judging), Part(whole, run)))
        add(addresses_in(whole, run, view, "2300", judging))
    for other in claim.other_payers:
        view = look_at(other.segments, claim.component)
        add(fill(make_other_payer(view, judging), Part(whole, other)))
        add(addresses_in(whole, other, view, "2320", judging))
    for line, view in zip(whole.lines, views, strict=True):
        given = OfLine(
            judging, line.first or received, therapist(whole.rendered_by[1]), memory.minutes is not None
        )
        add(fill(make_line(view, line.service, given), line))
        add(find_line_code_errors(line, view, judging))
    add(find_line_diagnosis_code_errors(whole, judging))
    add(find_number_code_errors(whole, judging))
    facts += find_payer_code_errors(claim, first, whole.last, judging)
    # The guide requires HI: without a fault that says so, it stands at another place.
    displaced = claim.header.first("HI") is None
    facts += without_refused(code_errors, claim.faults, displaced=displaced)[:MOST_CODE_ERRORS]
    if not (claim.faults and hides_something(claim.faults)):
        facts += situations[:MOST_SITUATIONS]
    add_coding(facts, whole)
    hold_against_others(facts, whole)
    add_other_payers(facts, whole)


def find_line_diagnosis_code_errors(whole: WholeClaim, judging: Judging) -> Iterator[Fact]:
    """The diagnoses of lines that hold on a day of the claim and on none of the line."""
    first, last = whole.first, whole.last
    if first is None or last is None or first == last:
        return
    known = whole.claim.diagnoses[:MOST_DIAGNOSES]
    for line in whole.lines:
        if line.first is None:
            continue
        pointed = [
            (place, *known[number - 1])
            for place, number in pointers_in(line.pointers, whole.claim.component)
            if 1 <= number <= len(known)
        ]
        number = next((at for at, segment in enumerate(line.segments) if segment[0] == "SV1"), 0)
        days = line.first, line.last if line.last is not None else line.first
        made = make_line_diagnosis_code_errors(
            pointed, (first, last), days, number, judging, CODE_ERROR_OF_LINE
        )
        yield from fill(made, line)


def addresses_in(
    whole: WholeClaim, run: SegmentRun, view: View, begin: str, judging: Judging
) -> Iterator[Fact]:
    """The facts of the addresses of a piece, whose first segment is of this loop."""
    loops, roles = place_segments(view, begin)
    for number, segment in enumerate(run.segments):
        if segment[0] == ADDRESS:
            made = make_claim_address(look_at_address(segment), loops[number], roles[number], judging)
            yield from fill(made, Part(whole, SegmentRun([segment], run.position + number, run.component)))


def find_number_code_errors(whole: WholeClaim, judging: Judging) -> Iterator[Fact]:
    """The code errors of a claim's charge, and of the numbers (REF*6R) of its lines."""
    yield from fill(make_charge_code_errors(whole.charge, judging, CODE_ERROR_OF_CLAIM), whole)
    seen: set[str] = set()
    for line in whole.lines:
        control = line.view.control
        if control in seen:
            yield from fill([make_control_code_error(line.segments, judging, CODE_ERROR_OF_LINE)], line)
        elif control:
            seen.add(control)


def find_line_code_errors(line: Line, view: View, judging: Judging) -> Iterator[Fact]:
    """The code errors of a line that its key does not tell: of its pointers, numbers and addresses."""
    whole = line.whole
    number = view.find("SV1") or 0
    count = len(whole.diagnoses)
    made = make_pointer_code_errors(line.pointers, view.component, count, number, judging, CODE_ERROR_OF_LINE)
    yield from fill(made, line)
    made = make_number_code_errors(
        line.segments, timed=is_timed(line), judging=judging, shared=CODE_ERROR_OF_LINE
    )
    yield from fill(made, line)
    if any(cells[0] == ADDRESS for cells in view.segments):
        loops, roles = place_segments(view, "2400")
        for at, segment in enumerate(line.view.segments):
            if segment[0] == ADDRESS:
                address = look_at_address(segment)
                for fact in make_address_code_errors(
                    address, loops[at], roles[at], judging, CODE_ERROR_OF_LINE
                ):
                    yield from fill([at_segment(fact, at)], line)


def note_span(whole: WholeClaim) -> None:
    """Note the first and last day of service of a claim whose lines are read."""
    firsts = [line.first for line in whole.lines if line.first is not None]
    lasts = [line.last for line in whole.lines if line.last is not None]
    whole.first = min(firsts, default=None)
    whole.last = max(lasts, default=None)
    whole.memory.note_days(whole.setting, whole.profile, whole.first, whole.last)


def make_head(view: View, on: int, judging: Judging) -> list[OpenFact]:
    """The facts of a CLM; `on` is any day of the era of the claim's first service."""
    cells = view.segments[0]
    location = text(cells, 5).split(view.component)
    causes = text(cells, 11).split(view.component)
    values: dict[str, OpenValue] = {
        **_OF_CLAIM,
        "received": judging.received,
        "profile": judging.profile.name,
        "place_of_service": location[0],
        "frequency": element(location, 2),
        "assignment": text(cells, 7),
        "related_causes": tuple([cause for cause in causes[:3] if cause]),
        "accident_state": element(causes, 3),
        "delay_reason": text(cells, 20),
    }
    here = Within(view, "2300", part=True)
    facts = [
        OpenFact(
            "claim",
            values,
            {"": (here,), "uncertified": _UNCERTIFIED, "earlier": _EARLIER, "same_number": _SAME_NUMBER},
        )
    ]
    facts += make_head_code_errors(view, on, judging, _OF_PART)
    facts += make_situations(view, ("2300",), NOTHING_AROUND, _shared(judging), "head")
    return facts


def make_around_claim(around: Around, judging: Judging) -> list[OpenFact]:
    """The facts of what stands around a claim."""
    return list(make_around(around, _shared(judging)))


def make_segment(view: View, judging: Judging) -> list[OpenFact]:
    """The facts of a segment of the head (2300) behind CLM."""
    facts = list(make_situations(view, ("2300",), NOTHING_AROUND, _shared(judging), "head"))
    if view.segments[0][0] == "DTP":
        facts.append(make_claim_date(view.segments[0], "claim", At("2300", 0), judging, (_FIRST, _LAST)))
    return facts


def _shared(judging: Judging) -> dict[str, OpenValue]:
    return {
        "date": _FIRST,
        "received": judging.received,
        "profile": judging.profile.name,
        "stated": _STATED,
    }


def make_party(view: View, judging: Judging) -> list[OpenFact]:
    """The facts of a provider of the claim (2310)."""
    loops, roles = place_segments(view, "2300")
    named = view.segments[0]
    facts = list(make_segment_code_errors(view, loops, roles, judging, _OF_PART))
    if text(named, 8) == "XX":
        loop = LOOPS_2310.get(text(named, 1), "2310")
        facts.append(make_provider(view, 0, loop, text(view.first("PRV"), 3), _FIRST, judging))
    facts += make_situations(view, loops, NOTHING_AROUND, _shared(judging), "party")
    return facts


def make_other_payer(view: View, judging: Judging) -> list[OpenFact]:
    """The facts of another payer (2320) that need no sum."""
    loops, roles = place_segments(view, "2320")
    return list(make_segment_code_errors(view, loops, roles, judging, _OF_PART))


def make_claim_address(view: View, loop: str, role: str, judging: Judging) -> list[OpenFact]:
    """The facts of an N4 within a claim."""
    return make_address_code_errors(view, loop, role, judging, _OF_PART)


# What was met is the claim as a whole, or a part of it.
_FIRST, _LAST = Open("date", attrgetter("whole.first")), Open("last_date", attrgetter("whole.last"))
_STATED = Open("stated", attrgetter("whole.stated"))
_UNCERTIFIED = Open("uncertified", attrgetter("uncertified"))
_EARLIER = Open("earlier", lambda whole: (whole.earlier,) if whole.earlier is not None else ())
_SAME_NUMBER = Open(
    "same_number", lambda whole: (whole.same_number,) if whole.same_number is not None else ()
)
_OF_CLAIM: dict[str, OpenValue] = {
    "date": _FIRST,
    "last_date": _LAST,
    "charge": Open("charge", attrgetter("charge")),
    "line_charges": Open("line_charges", attrgetter("line_charges")),
    "charge_difference": Open("charge_difference", attrgetter("charge_difference")),
    "lines": Open("lines", lambda whole: len(whole.lines)),
    "filing_indicator": Open("filing_indicator", attrgetter("around.above.filing_indicator")),
    "payer_responsibility": Open("payer_responsibility", attrgetter("around.above.order")),
    "patient_level": Open("patient_level", attrgetter("around.above.patient")),
    "providers": Open("providers", attrgetter("roles")),
    "other_payers": Open("other_payers", lambda whole: len(whole.around.others)),
    "references": Open("references", lambda whole: whole.qualifiers("REF")),
    "dates": Open("dates", lambda whole: whole.qualifiers("DTP")),
    "notes": Open("notes", lambda whole: whole.qualifiers("NTE")),
    "payer": Open("payer", attrgetter("payer")),
    "diagnoses": Open("diagnoses", attrgetter("diagnoses")),
    "diagnosis_qualifiers": Open(
        "diagnosis_qualifiers", lambda whole: tuple([qualifier for qualifier, _ in whole.claim.diagnoses])
    ),
    "modifiers": Open("modifiers", attrgetter("modifiers")),
    "uncertified_lines": Open("uncertified_lines", attrgetter("uncertified_lines")),
    "uncertified_excluded": Open("uncertified_excluded", attrgetter("uncertified_excluded")),
    "a_year_later": Open("a_year_later", attrgetter("a_year_later")),
    "born_after_service": Open("born_after_service", attrgetter("born_after_service")),
    "born_long_before": Open("born_long_before", attrgetter("born_long_before")),
    "number_came_before": Open("number_came_before", attrgetter("number_came_before")),
    "came_before": Open("came_before", attrgetter("came_before")),
    "sent_before": Open("sent_before", attrgetter("sent_before")),
}
_OF_PART: dict[str, OpenValue] = {
    "date": _FIRST,
    "last_date": Open("last_date", lambda part: part.whole.last_or(part.whole.first)),
    "line": None,
}


CODE_ERROR_OF_CLAIM = _OF_PART


def make_diagnoses(whole: WholeClaim) -> Iterator[Fact]:
    """The facts of a claim's diagnoses, each of which is a piece with nothing but a key."""
    claim = whole.claim
    ordinal = 0
    for index, segment in enumerate(claim.header.segments):
        if segment[0] != "HI":
            continue
        for number, composite in enumerate(segment[1:], 1):
            qualifier, _, code = composite.partition(claim.component)
            if qualifier not in DIAGNOSIS_LISTS:
                continue
            ordinal += 1
            values: dict[str, Value] = {
                "date": whole.first,
                "last_date": whole.last,
                "profile": whole.profile.name,
                "code": code.partition(claim.component)[0],
                "qualifier": qualifier,
                "ordinal": ordinal,
            }
            yield Fact("diagnosis", values, {"": (Diagnosis(claim, claim.position + index, number),)})
