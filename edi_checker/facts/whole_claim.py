"""A claim and its lines as they were met, whole: what fills the open fields of facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from edi_checker.claims.claim import Claim, Level, Segment, ServiceLine, element, once
from edi_checker.claims.minutes import LineMinutes
from edi_checker.claims.profile import Profile
from edi_checker.facts.code_errors import MOST_DIAGNOSES
from edi_checker.facts.context import InputMemory, Setting
from edi_checker.facts.evaluation_codes import surely_visit
from edi_checker.facts.fact import Placed
from edi_checker.facts.pieces import OpenValue, Site, columns_of
from edi_checker.facts.places import FixedLocation, LoopLocation
from edi_checker.facts.service_kinds import MONITORING, in_one_period
from edi_checker.facts.situations import hides_something, name_segments
from edi_checker.facts.triggers import DETAILS, INPATIENT_VISITS, Above, Around, is_attended
from edi_checker.reference.tables import MueLimit, Procedure
from edi_checker.reference.units import QUARTER, ROUNDS_UP
from edi_checker.x12.dates import a_year_after, day, days_of
from edi_checker.x12.finding import Place


@dataclass(frozen=True, slots=True, eq=False)  # known again as the object that it is
class Service:
    """What the key of a line says of its service, with the rows of the tables.

    values    those fields of a line fact that follow from it
    """

    code: str
    modifiers: tuple[str, ...]
    disciplines: tuple[str, ...]
    releasing: tuple[str, ...]
    unit: str
    place_of_service: str
    procedure: Procedure | None
    mue: MueLimit | None
    addon: bool
    values: dict[str, OpenValue]


_OLDEST = 120_0000  # years that a patient may be old, as CCYYMMDD counts them


class Coded(Protocol):
    """What a service of any claim says of itself."""

    @property
    def disciplines(self) -> tuple[str, ...]: ...

    @property
    def releasing(self) -> tuple[str, ...]: ...


class Served(Protocol):
    """A line of any claim: who rendered it, and what."""

    @property
    def npi(self) -> str: ...

    @property
    def taxonomy(self) -> str: ...

    @property
    def service(self) -> Coded: ...


class Line:
    """A service line that was met, with what stands in its columns.

    first, last      days of service, None where unreadable; `days` counts them, None where they make no range
    charge           cents, None where it cannot be read
    units            thousandths, None where the line does not count units or the number cannot be read
    npi              of the rendering provider, "" where there is none; `taxonomy` likewise
    said             SV1 as it stands; `pointers` SV107 of it
    names_providers  whether the line has providers of its own (2420)
    repeated         the earlier line that it repeats
    """

    __slots__ = (
        *("_columns", "charge", "days", "first", "last", "minutes", "names_providers", "npi", "ordinal"),
        *("pointers", "position", "repeated", "said", "service", "taxonomy", "units", "whole"),
    )

    def __init__(
        self,
        whole: WholeClaim,
        ordinal: int,
        position: int,
        service: Service,
        said: str,
        pointers: str,
        dates: tuple[int | None, int | None, int | None],
        charge: int | None,
        units: int | None,
        npi: str,
        taxonomy: str,
        *,
        names_providers: bool = False,
        minutes: LineMinutes | None = None,
    ) -> None:
        self.whole = whole
        self.ordinal = ordinal
        self.position = position
        self.service = service
        self.said = said
        self.pointers = pointers
        self.first, self.last, self.days = dates
        self.charge = charge
        self.units = units
        self.npi = npi
        self.taxonomy = taxonomy
        self._columns: Sequence[str] | None = None
        self.names_providers = names_providers
        self.minutes = minutes
        self.repeated: Line | None = None

    @property
    def repeats_exactly(self) -> bool:
        """Whether it has the number (REF*6R) of the line that it repeats too, or neither has one"""
        return self.repeated is not None and self.repeated.view.control == self.view.control

    @property
    def view(self) -> ServiceLine:
        return self.whole.claim.lines[self.ordinal - 1]

    @property
    def segments(self) -> list[Segment]:
        return self.whole.segments_of_line(self)

    @property
    def columns(self) -> Sequence[str]:
        if self._columns is None:
            self._columns = self.whole.columns_of_line(self)
        return self._columns

    @property
    def names_of_segments(self) -> tuple[str, ...]:
        """Its segments, as a rule names them."""
        return name_segments(self.segments)

    def qualifiers(self, name: str) -> tuple[str, ...]:
        """The first element of every segment with this id."""
        return tuple([segment[1] for segment in self.segments if segment[0] == name and len(segment) > 1])

    @property
    def units_a_day(self) -> int:
        """Thousandths of units on each day.

        CMS divides the units of a line over several days and rounds to a whole number.
        """
        units = self.units or 0
        if self.days is None or self.days < 2:
            return units
        return (2 * units + 1000 * self.days) // (2000 * self.days) * 1000

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """The diagnoses to which it points."""
        return pointed_to(self.pointers, self.whole.claim.component, self.whole.diagnoses[:MOST_DIAGNOSES])

    @property
    def diagnosis_families(self) -> tuple[str, ...]:
        """Those diagnoses, and the categories above them, which have three characters or more."""
        above = [code[:length] for code in self.diagnoses for length in range(3, len(code) + 1)]
        return tuple(dict.fromkeys(above))

    @property
    def place_of_service(self) -> str:
        return self.service.place_of_service or self.whole.claim.place_of_service

    @property
    def providers(self) -> tuple[str, ...]:
        roles = self.whole.roles
        if not self.names_providers:
            return roles
        return tuple(dict.fromkeys((*roles, *(provider.role for provider in self.view.providers))))

    @property
    def assistant_units(self) -> int | None:
        return _assistant_units(self) if self.minutes is not None else None

    def names(self, role: str) -> bool:
        """Whether the line has a provider of its own in this role."""
        return self.names_providers and bool(self.view.provider(role))

    def given(self) -> Iterator[Line]:
        """The lines of the same drug and day, of what was not discarded."""
        for other in self.whole.lines:
            same = (other.service.code, other.first) == (self.service.code, self.first)
            if same and "JW" not in other.service.modifiers:
                yield other

    def monitored(self) -> tuple[str, ...]:
        """The codes of remote monitoring on other lines in the period of its code; that code itself where an
        earlier line of another day has it.
        """
        code = self.service.code
        period = MONITORING[code]
        found = []
        for other in self.whole.lines:
            if MONITORING.get(other.service.code) != period:
                continue
            if other.service.code == code and (other.ordinal >= self.ordinal or other.first == self.first):
                continue
            if in_one_period(period, self.first, other.first):
                found.append(other.service.code)
        return tuple(dict.fromkeys(found))

    @property
    def given_by(self) -> str:
        """What stands for who gave the line."""
        return self.giver_of(self)

    def giver_of(self, other: Served) -> str:
        """What stands for who gave a line of the same billing provider: its NPI, with the discipline where
        that NPI is the group's, which may have several therapists and names none.
        """
        npi = other.npi
        return npi + "".join(other.service.disciplines) if npi and npi == self.whole.group else npi

    def surely_with(self, other: Served) -> bool:
        """Whether both lines are certainly of one provider: one rendering NPI, or one rendering taxonomy that
        both give, under one billing provider. Two without an NPI may be anybody.
        """
        if self.npi and self.npi == other.npi:
            return self.given_by == self.giver_of(other) or self._shares_plan_with(other)
        return self.taxonomy != "" and self.taxonomy == other.taxonomy and self._shares_plan_with(other)

    def maybe_with(self, other: Served) -> bool:
        """Whether both lines may be of one provider: not so where two NPIs give two taxonomies, or work under
        the plans of care of two disciplines, which one group without a rendering provider may do too.
        """
        if self.npi and self.npi == other.npi:
            return self.surely_with(other)
        if self.taxonomy and other.taxonomy and self.taxonomy != other.taxonomy:
            return False
        return self._shares_plan_with(other)

    def _shares_plan_with(self, other: Served) -> bool:
        ours, theirs = self.service.disciplines, other.service.disciplines
        return not ours or not theirs or not set(ours).isdisjoint(theirs)

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        return self.view.place(name, at, qualifier=qualifier)

    def place_at(self, site: Site) -> Place:
        loop, segment, offset, at, _ = site
        interchange, group, number = self.whole.numbers
        position = self.position + offset
        return Place(interchange, group, number, self.whole.id, self.ordinal, loop, segment, position, at)

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        return self.place(name, at, qualifier=qualifier)


class WholeClaim:
    """A claim that was met: what its pieces say together. Its own columns are those of CLM.

    first, last  its days of service, None where not known
    earlier      where the same claim stood before; `same_number` where another of its set has its number
    """

    def __init__(self, claim: Claim, setting: Setting, memory: InputMemory, profile: Profile) -> None:
        self.claim = claim
        self.setting = setting
        self.memory = memory
        self.profile = profile
        self.first: int | None = None
        self.last: int | None = None
        self.earlier: FixedLocation | None = None
        self.same_number: Placed | None = None
        self.lines: list[Line] = []

    @once
    def id(self) -> str:
        """CLM01"""
        return self.claim.id

    def find_same_number(self) -> None:
        """Note where another claim of the set has its number (CLM01)."""
        where = self.memory.claim_numbers.meet(self.claim)
        self.same_number = FixedLocation(where) if where is not None else None

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
    def rendered_by(self) -> tuple[str, str]:
        """NPI and taxonomy of who gave the services, where a line does not say"""
        rendering, billing = self.claim.rendering, self.claim.billing
        taxonomy = rendering.taxonomy
        if not taxonomy and billing is not None and rendering.run is billing.provider.run:
            taxonomy = billing.taxonomy
        return rendering.npi, taxonomy

    @once
    def group(self) -> str:
        """NPI of the organization that bills, "" where that is a person"""
        billing = self.claim.billing
        return billing.provider.npi if billing is not None and billing.provider.entity_type == "2" else ""

    @once
    def around(self) -> Around:
        billing = self.claim.billing
        return Around(
            above_of(self.claim),
            tuple([element(other.segments[0], 1) for other in self.claim.other_payers]),
            self.roles,
            repeated([provider.role for provider in self.claim.providers]),
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
        return subscriber.payer_id if subscriber is not None else ""

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
    def uncertified(self) -> tuple[Line, ...]:
        """The always-therapy lines without a referring provider, neither of their own nor of the claim."""
        # A provider whose role cannot be read may be the one.
        if "DN" in self.roles or any(fault.element == "NM101" for fault in self.claim.faults):
            return ()
        if self._is_displaced("DN"):
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
    def uncertified_excluded(self) -> bool:
        """Whether the law excludes each of the uncertified lines from Medicare, as the provider says (GY)"""
        lines = self.uncertified
        return bool(lines) and all("GY" in line.service.modifiers for line in lines)

    @once
    def birth(self) -> int | None:
        person = self.claim.patient or self.claim.subscriber
        return person.birth if person is not None else None

    @property
    def a_year_later(self) -> int | None:
        return a_year_after(self.first) if self.first is not None else None

    @property
    def number_came_before(self) -> bool:
        return self.same_number is not None

    @property
    def came_before(self) -> bool:
        """Whether the same claim stood before in this input"""
        return self.earlier is not None and not self.sent_before

    @property
    def sent_before(self) -> int | None:
        """The day on which an earlier file was received that has the claim"""
        return self.earlier.where.received if self.earlier is not None else None

    @property
    def born_after_service(self) -> bool:
        return self.birth is not None and self.first is not None and self.birth > self.first

    @property
    def born_long_before(self) -> bool:
        return self.birth is not None and self.first is not None and self.birth < self.first - _OLDEST

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
    def visited(self) -> bool:
        """Whether a service is a visit to an inpatient"""
        return any(INPATIENT_VISITS.holds(line.service.code) for line in self.lines)

    @property
    def is_referral_the_authorization(self) -> bool:
        """Whether the numbers of prior authorization (REF*G1) and referral (REF*9F) are the same"""
        authorization = self.reference("G1")
        return bool(authorization) and authorization == self.reference("9F")

    @once
    def admitted(self) -> int | None:
        """The day of admission (DTP*435)"""
        written = self.claim.header.first("DTP", "435")
        return days_of(element(written, 2), element(written, 3))[0]

    def reference(self, qualifier: str) -> str:
        """REF02 of the head by its qualifier, "" where there is none"""
        return self.claim.header.reference(qualifier)

    @once
    def unrendered(self) -> Line | None:
        """The first line of a visit or of therapy for which nobody is named who gave it."""
        if "82" in self.roles or self._is_displaced("82"):
            return None
        needy = (line for line in self.lines if _is_by_a_person(line.service) and not line.names("82"))
        return next(needy, None)

    def _is_displaced(self, role: str) -> bool:
        """Whether a provider of the role stands where it does not belong, in the claim or above it."""
        claim = self.claim
        return any(
            part is not None
            and bool(part.faults)
            and hides_something(part.faults)
            and part.first("NM1", role) is not None
            for part in (claim, claim.subscriber, claim.patient)
        )

    @once
    def first_referred(self) -> Line | None:
        """The first line with a referring provider of its own, of a claim that names none."""
        if "DN" in self.roles:
            return None
        return next((line for line in self.lines if line.names("DN")), None)

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

    def is_decided(self, line: Line) -> bool:
        """Whether another payer may have decided on a line (2430)."""
        return line.view.first("SVD") is not None

    def last_or(self, on: int | None) -> int | None:
        return self.last if self.last is not None else on

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        return self.claim.place(name, at, qualifier=qualifier)

    def place_at(self, site: Site) -> Place:
        position = self.claim.position + site.offset
        return self.claim.place(site.segment, site.element, loop=site.loop, position=position)

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        return self.claim.place(name, at, qualifier=qualifier)


def repeated(codes: Sequence[str]) -> tuple[str, ...]:
    """The codes that stand more than once, each once."""
    return tuple([code for code in dict.fromkeys(codes) if codes.count(code) > 1])


def above_of(claim: Claim) -> Above:
    """What the levels above a claim say of it."""
    subscriber = claim.subscriber
    if subscriber is None:
        return Above()
    responsible = subscriber.responsible
    person: Level = claim.patient or subscriber
    return Above(
        element(responsible, 1),
        element(responsible, 2),
        element(responsible, 9),
        element(subscriber.first("HL"), 4) == "1",
        {segment[0] for segment in subscriber.name.run.segments} >= DETAILS,
        claim.patient is not None,
        person.first("REF", "Y4") is not None,
        not (subscriber.faults and hides_something(subscriber.faults)),
        bool(element(person.first("PAT"), 6)),
    )


def _is_by_a_person(service: Service) -> bool:
    """Whether Medicare pays a service only with the person who gave it: visits and therapy."""
    procedure = service.procedure
    if procedure is not None and procedure.therapy:
        return procedure.therapy == "always" or bool(service.disciplines)
    return surely_visit(service.code)


def _assistant_units(line: Line) -> int | None:
    """Units that an assistant's modifier belongs to; None where that is not known.

    42 CFR 410.60: it does not where the assistant gave a tenth of the minutes or less, nor, of a timed code,
    to units that the therapist's own minutes make (the last of them by the midpoint, 8 minutes).
    """
    procedure, units, minutes = line.service.procedure, line.units, line.minutes
    if minutes is None or minutes.assistant is None or units is None or units % 1000 or procedure is None:
        return None
    if 10 * minutes.assistant <= minutes.minutes:
        return 0
    if not procedure.eight_minute:
        return units // 1000 if not procedure.timed else None
    own = max(0, minutes.minutes - minutes.assistant)
    return max(0, units // 1000 - (own + ROUNDS_UP) // QUARTER)


def pointed_to(pointers: str, component: str, diagnoses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([diagnoses[n - 1] for _, n in pointers_in(pointers, component) if 1 <= n <= len(diagnoses)])


def pointers_in(pointers: str, component: str) -> list[tuple[int, int]]:
    """The pointers that are numbers, each with its place in SV107."""
    return [
        (place, int(said))
        for place, said in enumerate(pointers.split(component), 1)
        if said.isascii() and said.isdigit() and len(said) <= 2
    ]
