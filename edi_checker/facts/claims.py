"""A claim's own facts: of its head, its parties and other payers, and of the claim as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

from edi_checker.claims.claim import Claim, Level, Segment, SegmentRun, element, once
from edi_checker.claims.profile import Profile
from edi_checker.facts.code_errors import (
    MOST_CODE_ERRORS,
    Judging,
    find_payer_code_errors,
    make_address_code_errors,
    make_diagnosis_code_errors,
    make_head_code_errors,
    make_pointer_code_errors,
    make_segment_code_errors,
    without_refused,
)
from edi_checker.facts.coding import add_coding
from edi_checker.facts.columns import ADDRESS, DIAGNOSIS_QUALIFIERS
from edi_checker.facts.context import Circumstances, note_days
from edi_checker.facts.duplicates import find_earlier_claim, find_earlier_lines
from edi_checker.facts.fact import Fact, Placed, Value
from edi_checker.facts.lines import (
    CODE_ERROR_OF_LINE,
    Line,
    OfLine,
    make_claim_date,
    make_line,
    make_provider,
    read_line,
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
from edi_checker.facts.places import LOOPS_2310, LOOPS_2330, LOOPS_2420, Diagnosis, LoopLocation
from edi_checker.facts.situations import (
    MOST_SITUATIONS,
    hides_something,
    make_around,
    make_situations,
    name_segments,
)
from edi_checker.facts.triggers import NOTHING_AROUND, VISITS, Above, Around, is_attended
from edi_checker.finding import Place
from edi_checker.reference.codesets import therapist
from edi_checker.reference.codesets.imported import releases_in
from edi_checker.x12.dates import a_year_after, day


class WholeClaim:
    """A claim that was met: what its pieces say together. Its own columns are those of CLM.

    first, last  its days of service, None where not known
    earlier      where the same claim stood before
    """

    def __init__(self, claim: Claim, circumstances: Circumstances, profile: Profile) -> None:
        self.claim = claim
        self.circumstances = circumstances
        self.profile = profile
        self.first: int | None = None
        self.last: int | None = None
        self.earlier: Placed | None = None
        self.lines: list[Line] = []

    @once
    def id(self) -> str:
        """CLM01"""
        return self.claim.id

    @once
    def numbers(self) -> tuple[str, str | None, str]:
        """Control numbers of interchange, group (None where it has none) and transaction"""
        interchange, group, number = self.claim.transaction.numbers
        return interchange, group or None, number

    @once
    def charge(self) -> int | None:
        return self.claim.charge

    @once
    def columns(self) -> Sequence[str]:
        return columns_of([self.claim.segment], self.claim.component)

    @once
    def diagnoses(self) -> tuple[str, ...]:
        return tuple([code for _, code in self.claim.diagnoses])

    @once
    def roles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([provider.role for provider in self.claim.providers]))

    @once
    def around(self) -> Around:
        billing = self.claim.billing
        return Around(
            above_of(self.claim),
            tuple([element(other.segments[0], 1) for other in self.claim.other_payers]),
            self.roles,
            billing is not None and billing.provider.entity_type == "2",
        )

    @once
    def stated(self) -> tuple[str, ...]:
        """The segments of the claim outside of its lines and other payers, as a rule names them."""
        runs = [self.claim.header.segments, *(provider.run.segments for provider in self.claim.providers)]
        return name_segments([segment for run in runs for segment in run])

    def qualifiers(self, name: str) -> tuple[str, ...]:
        """The first element of every segment of the head with this id."""
        return tuple([s[1] for s in self.claim.header.segments if s[0] == name and len(s) > 1])

    @property
    def related_causes(self) -> tuple[str, ...]:
        causes = element(self.claim.segment, 11).split(self.claim.component)
        return tuple([cause for cause in causes[:3] if cause])

    @property
    def whole(self) -> WholeClaim:
        return self

    @property
    def payer(self) -> str:
        subscriber = self.claim.subscriber
        return subscriber.payer.id if subscriber is not None else ""

    @property
    def nature(self) -> str:
        """CR208, the nature of the patient's condition"""
        return element(self.claim.header.first("CR2"), 8)

    @once
    def line_charges(self) -> int | None:
        charges = [line.charge for line in self.lines]
        return None if None in charges or not charges else sum(filter(None, charges))

    @once
    def charge_difference(self) -> int | None:
        charge, total = self.charge, self.line_charges
        return charge - total if charge is not None and total is not None else None

    @once
    def modifiers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([m for line in self.lines for m in line.service.modifiers]))

    @once
    def uncertified(self) -> tuple[Placed, ...]:
        """The always-therapy lines without a referring provider, neither of their own nor of the claim."""
        # A provider whose role cannot be read may be the one.
        if "DN" in self.roles or any(fault.element == "NM101" for fault in self.claim.faults):
            return ()
        return tuple(
            [
                line
                for line in self.lines
                if line.service.procedure is not None
                and line.service.procedure.therapy == "always"
                and not (line.names_providers and line.view.provider("DN"))
            ]
        )

    @once
    def uncertified_lines(self) -> int:
        return len(self.uncertified)

    @once
    def born_after_service(self) -> bool:
        person = self.claim.patient or self.claim.subscriber
        birth = person.birth if person is not None else None
        return birth is not None and self.first is not None and birth > self.first

    @once
    def died_before(self) -> bool:
        person = self.claim.patient or self.claim.subscriber
        died = day(element(person.first("PAT"), 6)) if person is not None else None
        return died is not None and self.first is not None and died < self.first

    @once
    def attended(self) -> bool:
        """Whether a service at the claim's place is more than a test or the reading of an image."""
        place = self.claim.place_of_service
        return any(is_attended(line.service.code) for line in self.lines if line.place_of_service == place)

    @once
    def first_visit(self) -> Line | None:
        """The first visit that only a person can make, where an organization bills and names nobody."""
        if not self.around.organization or "82" in self.roles:
            return None
        for line in self.lines:
            if VISITS.holds(line.service.code) and not (line.names_providers and line.view.provider("82")):
                return line
        return None

    @property
    def supervises_itself(self) -> bool:
        supervising = self.claim.provider("DQ")
        return bool(supervising.npi) and supervising.npi == self.claim.rendering.npi

    def provider_at(self, role: str, loop: str) -> tuple[Placed, ...]:
        claim = self.claim
        return (LoopLocation(claim.transaction, claim.provider(role).run, loop, claim.id),)

    @property
    def first_other_payer(self) -> tuple[Placed, ...]:
        claim = self.claim
        return (LoopLocation(claim.transaction, claim.other_payers[0], "2320", claim.id),)

    def segments_of_line(self, line: Line) -> list[Segment]:
        return line.view.segments

    def columns_of_line(self, line: Line) -> Sequence[str]:
        return columns_of(line.segments, self.claim.component)

    def last_or(self, on: int | None) -> int | None:
        return self.last if self.last is not None else on

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        return self.claim.place(name, at, qualifier=qualifier)

    def place_at(self, site: Site) -> Place:
        position = self.claim.position + site.offset
        return self.claim.place(site.segment, site.element, loop=site.loop, position=position)

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        return self.claim.place(name, at, qualifier=qualifier)


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


def above_of(claim: Claim) -> Above:
    """What the levels above a claim say of its circumstances."""
    subscriber = claim.subscriber
    if subscriber is None:
        return Above()
    responsible = subscriber.responsible
    person: Level = claim.patient or subscriber
    return Above(
        element(responsible, 1),
        element(responsible, 2),
        element(responsible, 9),
        element(subscriber.first("HL"), 4) == "0",
        claim.patient is not None,
        person.first("REF", "Y4") is not None,
        not (subscriber.faults and hides_something(subscriber.faults)),
        bool(element(person.first("PAT"), 6)),
    )


def judging_of(circumstances: Circumstances, profile: Profile, first: int | None) -> Judging:
    """By what the codes of a claim are judged, whose first day of service this is."""
    received = circumstances.received
    imported = releases_in(circumstances.tables)
    return Judging(
        profile, received, imported, min(first or received, received) if imported is not None else 0
    )


def add_claim(facts: list[Fact], claim: Claim, circumstances: Circumstances, profile: Profile) -> None:
    """Add the facts of a claim whose lines can be trusted, each made by the maker of its piece."""
    whole = WholeClaim(claim, circumstances, profile)
    rendering = claim.rendering
    taxonomy = rendering.taxonomy
    billing = claim.billing
    if not taxonomy and billing is not None and rendering.run is billing.provider.run:
        taxonomy = billing.taxonomy
    views: list[View] = []
    for each in claim.lines:
        line, view = read_line(whole, each, rendering.npi, taxonomy, profile.minutes_note)
        whole.lines.append(line)
        views.append(view)
    note_span(whole)
    find_earlier_lines(whole.lines)
    seen = circumstances.claims_seen
    whole.earlier = find_earlier_claim(seen, whole) if seen is not None else None
    first, received = whole.first, circumstances.received
    judging = judging_of(circumstances, profile, first)
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
        add(addresses_in(whole, run, view, ("2300", LOOPS_2310), judging))
    for other in claim.other_payers:
        view = look_at(other.segments, claim.component)
        add(fill(make_other_payer(view, judging), Part(whole, other)))
        add(addresses_in(whole, other, view, ("2320", LOOPS_2330), judging))
    for line, view in zip(whole.lines, views, strict=True):
        given = OfLine(
            judging, line.first or received, therapist(taxonomy), circumstances.minutes is not None
        )
        add(fill(make_line(view, line.service, given), line))
        add(find_line_code_errors(line, view, judging))
    facts += find_payer_code_errors(claim, first, whole.last, judging)
    facts += without_refused(code_errors, claim.faults)[:MOST_CODE_ERRORS]
    if not (claim.faults and hides_something(claim.faults)):
        facts += situations[:MOST_SITUATIONS]
    add_coding(facts, whole)
    add_other_payers(facts, whole)


def addresses_in(
    whole: WholeClaim, run: SegmentRun, view: View, begin: tuple[str, Mapping[str, str]], judging: Judging
) -> Iterator[Fact]:
    """The facts of the addresses of a piece, whose first segment is of this loop and has these parties."""
    loops, roles = place_segments(view, *begin)
    for number, segment in enumerate(run.segments):
        if segment[0] == ADDRESS:
            made = make_claim_address(look_at_address(segment), loops[number], roles[number], judging)
            yield from fill(made, Part(whole, SegmentRun([segment], run.position + number, run.component)))


def find_line_code_errors(line: Line, view: View, judging: Judging) -> Iterator[Fact]:
    """The code errors of a line that its key does not tell: of its pointers and of its addresses."""
    whole = line.whole
    number = view.find("SV1") or 0
    count = len(whole.diagnoses)
    made = make_pointer_code_errors(line.pointers, view.component, count, number, judging, CODE_ERROR_OF_LINE)
    yield from fill(made, line)
    if any(cells[0] == ADDRESS for cells in view.segments):
        loops, roles = place_segments(view, "2400", LOOPS_2420)
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
    note_days(whole.circumstances, whole.profile, whole.first, whole.last)


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
    facts = [OpenFact("claim", values, {"": (here,), "uncertified": _UNCERTIFIED, "earlier": _EARLIER})]
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
    loops, roles = place_segments(view, "2300", LOOPS_2310)
    named = view.segments[0]
    facts = list(make_segment_code_errors(view, loops, roles, judging, _OF_PART))
    if text(named, 8) == "XX":
        loop = LOOPS_2310.get(text(named, 1), "2310")
        facts.append(make_provider(view, 0, loop, text(view.first("PRV"), 3), _FIRST, judging))
    facts += make_situations(view, loops, NOTHING_AROUND, _shared(judging), "party")
    return facts


def make_other_payer(view: View, judging: Judging) -> list[OpenFact]:
    """The facts of another payer (2320) that need no sum."""
    loops, roles = place_segments(view, "2320", LOOPS_2330)
    return list(make_segment_code_errors(view, loops, roles, judging, _OF_PART))


def make_claim_address(view: View, loop: str, role: str, judging: Judging) -> list[OpenFact]:
    """The facts of an N4 within a claim."""
    return make_address_code_errors(view, loop, role, judging, _OF_PART)


# What was met is the claim as a whole, or a part of it.
_FIRST, _LAST = Open("date", attrgetter("whole.first")), Open("last_date", attrgetter("whole.last"))
_STATED = Open("stated", attrgetter("whole.stated"))
_UNCERTIFIED = Open("uncertified", attrgetter("uncertified"))
_EARLIER = Open("earlier", lambda whole: (whole.earlier,) if whole.earlier is not None else ())
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
    "a_year_later": Open(
        "a_year_later", lambda whole: a_year_after(whole.first) if whole.first is not None else None
    ),
    "born_after_service": Open("born_after_service", attrgetter("born_after_service")),
    "came_before": Open("came_before", lambda whole: whole.earlier is not None),
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
            if qualifier not in DIAGNOSIS_QUALIFIERS:
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
