"""What is asked once of plain claims, of all that say the same, and remembered.

What follows from an SV1, from the services of a day, from the head of a claim, from its diagnoses, is the
same for many claims: the rules are asked about it when it is first met. What is not plain is remembered as
False.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from edi_checker.claim import BillingProvider, Claim, Insured, Run, Segment, ServiceLine, cents, days, element
from edi_checker.claim import day as day_of
from edi_checker.codesets import npi_valid, therapist
from edi_checker.codesets.imported import releases_in
from edi_checker.facts.circumstances import Circumstances
from edi_checker.facts.claims import MOST_DIAGNOSES, a_year_after, pointed_to, read_line
from edi_checker.facts.coding import (
    by_discipline,
    edits_between,
    needs_pair,
    of_one_line,
    of_therapy_without_minutes,
    sum_least_minutes,
)
from edi_checker.facts.lines import Service
from edi_checker.facts.misfits import (
    are_usual_diagnoses,
    era_of_diagnoses,
    is_usual_address,
    is_usual_adjustment,
    is_usual_billing_provider,
    is_usual_head,
    is_usual_procedure,
    is_usual_taxonomy,
)
from edi_checker.facts.needs import Needs, Question
from edi_checker.facts.repeats import say_diagnoses
from edi_checker.facts.services import is_visit_of_a_person, kinds_of
from edi_checker.facts.shapes import Written, write_decision, write_head, write_line
from edi_checker.facts.vocabulary import Value
from edi_checker.profile import Profile
from edi_checker.x12 import Delimiters

_LONGEST_CLM = 10  # elements with the id: CLM10 and what follows tells of the unusual
_INPATIENT = frozenset(("21", "51", "61"))
_REFERENCES = frozenset(("6R", "9F", "D9", "EA", "G1"))
_OF_ACCIDENTS = frozenset(("WC", "AM", "LM"))
_MOST_REMEMBERED = 50_000
_MOST_WAYS = 8  # sets of delimiters for which something is remembered at a time
# What is known of the one other payer of a claim, where it decided on all lines.
BALANCED: dict[str, Value] = {
    "ordinal": 1,
    "adjustments": 0,
    "adjusted": False,
    "difference": 0,
    "line_difference": 0,
    "complete": True,
    "dated": True,
    "liability": None,
    "non_covered": None,
}
DECIDED = "\n"  # behind the SV1 of a line on which another payer decided; no segment has one


@dataclass(slots=True, eq=False)  # known again as the object that it is
class Said:
    """A plain line, read once for all with the same SV1 in an era of the tables: what each claim is asked.

    service  what its SV1 says
    charge   cents
    plain    as of the service
    always   whether it is always a therapy service
    visit    whether only a person can make it
    asked    what is left to ask of its day and diagnoses, None where nothing is; `known` is what is known of
             that
    of_day   the tests that may hold on the units of its day
    timed    whether the 8-minute rule counts it
    """

    service: Service
    charge: int
    plain: int
    always: bool
    visit: bool
    asked: Question | None
    known: dict[str, Value]
    of_day: int
    timed: bool


class Day(NamedTuple):
    """A day of service: text of SV1 -> what it says, on this day, and on all days of its era."""

    on: int
    lines: dict[str, Said | Literal[False]]
    of_era: dict[str, Said | Literal[False]]


@dataclass(slots=True)
class Diagnosed:
    """Diagnoses of a claim.

    said   as claims are compared
    usual  eras of the first and last day of service -> whether nothing is odd about them then
    fits   line and day -> whether no rule asks more of it with the diagnoses that it points to
    """

    pairs: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    said: str
    usual: dict[tuple[int, int], bool] = field(default_factory=dict)
    fits: dict[tuple[Said, int], bool] = field(default_factory=dict)


@dataclass(slots=True)
class Head:
    """What is known of a plain claim beside its charge, lines, diagnoses and days, and what is left to ask.

    location  CLM05
    paid      what is still to be asked of the one other payer, None where nothing is
    days      first and last day of service -> whether all is well with them
    """

    known: dict[str, Value]
    asked: Question | None
    location: str
    place_of_service: str
    paid: Question | None
    days: dict[tuple[int, int], bool] = field(default_factory=dict)


class Decision(NamedTuple):
    """What another payer decided on a line: its id, cents paid, cents adjusted, day as written."""

    payer: str
    paid: int
    adjusted: int
    on: str


class Treating(NamedTuple):
    """Who treated, as far as a claim names nobody else: NPI, taxonomy, whether it is an organisation."""

    npi: str
    taxonomy: str
    is_organisation: bool


class Memory:
    """What was learnt of the claims of one profile with the same delimiters, tables and day of receipt.

    shape  how a plain claim is written before its lines, `line` one of these
    lines  rendering taxonomy -> day of service as written -> the day; `said_on` learns what is not there
    rest   what is asked of how long a provider works on a day, False where it is more than that
    """

    def __init__(
        self, delimiters: Delimiters, circumstances: Circumstances, profile: Profile, needs: Needs
    ) -> None:
        self.delimiters = delimiters
        # What one input alone has is not kept beyond it.
        self.circumstances = Circumstances(circumstances.received, circumstances.tables)
        self.profile = profile
        self.needs = needs
        self.shape = write_head(delimiters)
        self.line = write_line(delimiters)
        self.lines: dict[str, dict[str, Day]] = {}
        rest = of_therapy_without_minutes(needs, profile)
        is_asked = rest is not None and not rest.fields <= {"provider_minutes", "date"}
        self.rest: Question | Literal[False] | None = False if is_asked else rest
        self._decision = write_decision(delimiters)
        balances: dict[str, Value] = {
            "profile": profile.name,
            "known": True,
            "difference": 0,
            "bundled": False,
        }
        # Whether no rule asks for the fact of a decision that balances.
        self._settled = needs.ask("adjudication", balances) is None
        # The billing provider last met, and None where it is not usual.
        self._billing: tuple[BillingProvider | None, Treating | None] = (None, None)
        # Rendering taxonomy and era -> text of SV1 -> what it says.
        self._eras: dict[tuple[str, int], dict[str, Said | Literal[False]]] = {}
        # First and last day of service -> their eras in the lists of diagnoses.
        self._spans: dict[tuple[int, int], tuple[int, int]] = {}
        # Loop and taxonomy -> whether no rule asks for such a provider with a right NPI.
        self._providers: dict[tuple[str, str], bool] = {}
        # Texts of HI segments; what CLM says behind the charge, with SBR, roles and references.
        self._diagnoses: dict[str, Diagnosed | Literal[False]] = {}
        self._heads: dict[tuple[object, ...], Head | Literal[False]] = {}
        # Level and qualifier of a date -> what is asked of it.
        self._events: dict[tuple[str, str], Question | None] = {}
        # Services of a day -> least minutes of each discipline.
        self._days: dict[tuple[Service, ...], tuple[int, ...] | Literal[False]] = {}
        # Tests on the units of days -> whether a rule that joins them may need one.
        self._together: dict[int, bool] = {}
        # Day and minutes that a provider works on it -> whether no rule asks for that.
        self._rested: dict[tuple[int, int], bool] = {}
        self._decisions: dict[str, Decision | Literal[False]] = {}
        self._learnt = 0

    def _note(self) -> None:
        """Something is about to be remembered: make room for it where there is too much."""
        self._learnt += 1
        if self._learnt > _MOST_REMEMBERED:
            self._learnt = 0
            for known in (
                *(self.lines, self._eras, self._spans, self._providers, self._diagnoses, self._heads),
                *(self._events, self._days, self._together, self._rested, self._decisions),
            ):
                known.clear()

    # -- parties

    def treating(self, billing: BillingProvider) -> Treating | None:
        """The billing provider as the one who treats; None where it is not plain."""
        known, treating = self._billing
        if known is not billing:
            treating = None
            if is_usual_billing_provider(billing, self.profile):
                own = billing.provider
                treating = Treating(own.npi, own.taxonomy or billing.taxonomy, own.entity_type == "2")
            self._billing = (billing, treating)
        return treating

    def is_plain_provider(self, loop: str, npi: str, taxonomy: str = "") -> bool:
        """Whether no rule asks for a provider of 2310A, 2310B or 2310C."""
        key = (loop, taxonomy)
        plain = self._providers.get(key)
        if plain is None:
            self._note()
            plain = self._providers[key] = _learn_provider(loop, taxonomy, self)
        return plain and npi_valid(npi)

    # -- lines

    def days(self, taxonomy: str) -> dict[str, Day]:
        """The days of service that are known of a rendering taxonomy."""
        known = self.lines.get(taxonomy)
        if known is None:
            self._note()
            known = self.lines[taxonomy] = {}
        return known

    def learn_day(self, days: dict[str, Day], date: str, taxonomy: str) -> Day | None:
        """A day that is not known yet; None where it is no date."""
        on = day_of(date)
        if on is None:
            return None
        self._note()
        tables = self.circumstances.tables
        era = tables.era(on) if releases_in(tables) is None else on
        day = days[date] = Day(on, {}, self._eras.setdefault((taxonomy, era), {}))
        return day

    def learn_line(
        self, claim: Claim, service: str, date: str, day: Day, taxonomy: str
    ) -> Said | Literal[False]:
        """What all lines with this text of SV1 say on a day, where it is not known yet."""
        self._note()
        said = day.of_era.get(service)
        if said is None:
            said = day.of_era[service] = _learn_service(claim, service, date, taxonomy, self)
        if said and said.asked is not None and "diagnoses" not in said.asked.fields:
            values = {**said.known, "date": day.on, "last_date": day.on}
            said = not said.asked.holds(values, self.circumstances.received) and replace(said, asked=None)
        day.lines[service] = said
        return said

    def fits(self, said: Said, on: int, diagnosed: Diagnosed) -> bool:
        """Whether no rule asks more of a line on its day with the diagnoses to which it points."""
        if said.asked is None:
            return True
        fits = diagnosed.fits.get((said, on))
        if fits is None:
            self._note()
            pointed = pointed_to(said.service.pointers, self.delimiters.component, diagnosed.codes)
            values = {**said.known, "date": on, "last_date": on, "diagnoses": pointed}
            fits = diagnosed.fits[said, on] = not said.asked.holds(values, self.circumstances.received)
        return fits

    def decision(self, text: str) -> Decision | None:
        """What another payer decided on a line; None where it is not plain."""
        decision = self._decisions.get(text)
        if decision is None:
            self._note()
            decision = self._decisions[text] = _learn_decision(self._decision.fullmatch(text), self)
        return decision or None

    def is_settled(
        self, decisions: list[tuple[Said, int, Decision]], payer: str, paid: str, first: int, head: Head
    ) -> bool:
        """Whether the other payer's decisions on every line explain the charge, and no rule asks more."""
        total = cents(paid)
        if not self._settled or total is None or total != sum([decision.paid for *_, decision in decisions]):
            return False
        charge = 0
        for said, on, decision in decisions:
            if decision.payer != payer or decision.paid + decision.adjusted != said.charge:
                return False
            if self.needs_event(["DTP", "573", "D8", decision.on], "line", on, on):
                return False
            charge += said.charge
        if head.paid is None:
            return True
        values: dict[str, Value] = {
            **BALANCED,
            "profile": self.profile.name,
            "date": first,
            "charge": charge,
            "paid": total,
            "line_payments": total,
            "expected": total,
            "lines": len(decisions),
            "left": charge - total,
            "total_paid": total,
        }
        return not head.paid.holds(values, self.circumstances.received)

    # -- the claim as a whole

    def diagnosed(self, texts: str) -> Diagnosed | Literal[False]:
        """The diagnoses of these HI segments."""
        diagnosed = self._diagnoses.get(texts)
        if diagnosed is None:
            self._note()
            diagnosed = self._diagnoses[texts] = _learn_diagnoses(texts, self.delimiters)
        return diagnosed

    def head(self, written: Written, insured: Insured, claim: Claim) -> Head | Literal[False]:
        """What is known of a claim as a whole."""
        qualifiers = _qualifiers(written.references, self.delimiters) if written.references else ()
        key = (
            *(written.terms, insured.order, insured.relationship, insured.filing_indicator, qualifiers),
            *(written.other, claim.patient is None, written.referring is None, written.rendering is None),
            written.facility is None,
        )
        head = self._heads.get(key)
        if head is None:
            self._note()
            head = self._heads[key] = _learn_head(written, insured, qualifiers, claim, self)
        return head

    def suits(self, head: Head, diagnosed: Diagnosed, span: tuple[int, int]) -> bool:
        """Whether no rule asks more of a claim with these first and last days of service."""
        well = head.days.get(span)
        if well is None:
            self._note()
            well = head.days[span] = _are_well(head, span, self)
        eras = self._spans.get(span)
        tables = self.circumstances.tables
        if eras is None:
            self._note()
            first, last = span
            eras = self._spans[span] = (era_of_diagnoses(first, tables), era_of_diagnoses(last, tables))
        usual = diagnosed.usual.get(eras)
        if usual is None:
            self._note()
            usual = diagnosed.usual[eras] = are_usual_diagnoses(diagnosed.pairs, *eras, tables)
        return well and usual

    def needs_event(self, segment: Segment, level: str, first: int, last: int) -> bool:
        """Whether a rule needs the fact of a DTP of a claim, or of a line, that was served on these days."""
        qualifier = element(segment, 1)
        profile, received = self.profile.name, self.circumstances.received
        key = (level, qualifier)
        if key not in self._events:
            self._note()
            known: dict[str, Value] = {"profile": profile, "level": level, "qualifier": qualifier}
            self._events[key] = self.needs.ask("event", known)
        question = self._events[key]
        if question is None:
            return False
        begin, end = days(segment)
        values: dict[str, Value] = {
            "date": first,
            "received": received,
            "profile": profile,
            "level": level,
            "qualifier": qualifier,
            "first": begin,
            "last": end,
            "last_service": last,
        }
        return not question.fields <= values.keys() or bool(question.holds(values, received))

    # -- what stands on several lines

    def are_joined(self, of_day: int) -> bool:
        """Whether a rule may need the units of the days on which these tests hold."""
        joined = self._together.get(of_day)
        if joined is None:
            self._note()
            joined = self._together[of_day] = bool(self.needs.together("code_day", of_day))
        return joined

    def least_minutes(self, on: int, group: list[Said]) -> tuple[int, ...] | Literal[False]:
        """Least minutes of each discipline of a day; False where its services do not go together."""
        services = tuple([said.service for said in group])
        leasts = self._days.get(services)
        if leasts is None:
            self._note()
            leasts = self._days[services] = _work(on, group, self)
        return leasts

    def is_rested(self, on: int, minutes: int) -> bool:
        """Whether no rule needs to know that a provider works so long on a day."""
        if not self.rest:
            return self.rest is None
        rested = self._rested.get((on, minutes))
        if rested is None:
            self._note()
            values: dict[str, Value] = {"provider_minutes": minutes, "date": on}
            rested = self._rested[on, minutes] = not self.rest.holds(values, self.circumstances.received)
        return rested


def memory_of(delimiters: Delimiters, circumstances: Circumstances, profile: Profile, needs: Needs) -> Memory:
    """What was learnt of such claims so far; `circumstances` are held to the profile."""
    memory = needs.memory.get(delimiters)
    if (
        not isinstance(memory, Memory)
        or memory.circumstances.tables is not circumstances.tables
        or memory.circumstances.received != circumstances.received
    ):
        if len(needs.memory) >= _MOST_WAYS:
            needs.memory.clear()
        memory = needs.memory[delimiters] = Memory(delimiters, circumstances, profile, needs)
    return memory


@lru_cache(maxsize=16384)
def is_usual_text(text: str, e: str) -> bool:
    """Whether nothing is odd about an N4, whose elements are parted by `e`."""
    return is_usual_address(text.split(e))


def _qualifiers(references: str, delimiters: Delimiters) -> tuple[str, ...]:
    texts = references.split(delimiters.terminator)[:-1]
    return tuple([text.split(delimiters.element, 2)[1] for text in texts])


def _learn_provider(loop: str, taxonomy: str, memory: Memory) -> bool:
    """Whether no rule asks for such a provider, whatever its NPI, if that is right."""
    circumstances = memory.circumstances
    known: dict[str, Value] = {
        "profile": memory.profile.name,
        "role": _ROLES[loop],
        "loop": loop,
        "entity_type": "2" if loop == "2310C" else "1",
        "npi_valid": True,
        "taxonomy": taxonomy,
    }
    return memory.needs.ask("provider", known) is None and (
        not taxonomy
        or is_usual_taxonomy(["PRV", "PE", "PXC", taxonomy], circumstances.tables, circumstances.received)
    )


_ROLES = {"2310A": "DN", "2310B": "82", "2310C": "77"}


def _learn_diagnoses(hi: str, delimiters: Delimiters) -> Diagnosed | Literal[False]:
    pairs: list[tuple[str, str]] = []
    for text in hi.split(delimiters.terminator):
        for composite in text.split(delimiters.element)[1:]:
            parts = composite.split(delimiters.component)
            if parts[0] not in ("ABK", "ABF", "BK", "BF"):
                return False
            pairs.append((parts[0], element(parts, 1)))
    if len(pairs) > MOST_DIAGNOSES:
        return False
    return Diagnosed(tuple(pairs), tuple([code for _, code in pairs]), say_diagnoses(pairs))


def _learn_service(
    claim: Claim, service_text: str, date: str, taxonomy: str, memory: Memory
) -> Said | Literal[False]:
    """What all lines with this SV1 say, on the given day and all others of its era."""
    delimiters, circumstances, profile = memory.delimiters, memory.circumstances, memory.profile
    decided = service_text.endswith(DECIDED)
    texts = service_text.removesuffix(DECIDED).split(delimiters.terminator)
    written = [each.split(delimiters.element) for each in texts]
    if len(written) != 1 or written[0][0] != "SV1":
        return False
    segments = [["LX", "1"], *written, ["DTP", "472", "D8", date]]
    line = read_line(
        ServiceLine(Run(segments, 0, delimiters.component), claim, 1),
        circumstances,
        "",
        taxonomy,
        profile.minutes_note,
    )
    service = line.service
    if (
        line.first is None
        or line.minutes is not None
        or service.unit != "UN"
        or service.units is None
        or service.charge is None
        or not service.code
        or service.addon
        or kinds_of(service.code, service.modifiers)
        or (service.place_of_service and service.place_of_service in _INPATIENT)
        or not is_usual_procedure(service.code, line.first, circumstances.tables)
    ):
        return False
    received = circumstances.received
    known: dict[str, Value] = {
        **service.values,
        "profile": profile.name,
        "received": received,
        "taxonomy": taxonomy,
        "therapist": therapist(taxonomy),
        "minutes": None,
        "assistant_minutes": None,
        "assistant_units": None,
        "repeats": None,
        "days": 1,
        "dates": ("472", "573") if decided else ("472",),
        "notes": (),
    }
    question = memory.needs.ask("line", known)
    if question is not None and question.fields <= known.keys():
        if question.holds(known, received):
            return False
        question = None
    if question is not None and not question.fields <= {*known, "date", "last_date", "diagnoses"}:
        return False
    day = memory.needs.ask("code_day", of_one_line(line, profile.name))
    return Said(
        service,
        service.charge,
        service.plain,
        service.procedure is not None and service.procedure.therapy == "always",
        is_visit_of_a_person(service.code),
        question,
        {name: known[name] for name in question.fields if name in known} if question is not None else {},
        day.bits if day is not None else 0,
        service.procedure is not None and service.procedure.eight_minute,
    )


def _learn_decision(written: re.Match[str] | None, memory: Memory) -> Decision | Literal[False]:
    if written is None:
        return False
    payer, paid, adjustments, on = written.groups()
    amounts = [cents(paid)]
    for each in adjustments.split(memory.delimiters.terminator)[:-1]:
        segment = each.split(memory.delimiters.element)
        if not is_usual_adjustment(segment, memory.circumstances.tables):
            return False
        amounts += [cents(element(segment, at + 1)) for at in range(2, len(segment), 3) if segment[at]]
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return False
    return Decision(payer, known[0], sum(known[1:]), on)


def _learn_head(
    written: Written, insured: Insured, qualifiers: tuple[str, ...], claim: Claim, memory: Memory
) -> Head | Literal[False]:
    sent = (("DN", written.referring), ("82", written.rendering), ("77", written.facility))
    roles = tuple([role for role, npi in sent if npi is not None])
    clm = ["CLM", "", "", *written.terms.split(memory.delimiters.element)]
    location = element(clm, 5).split(claim.component)
    location += [""] * (3 - len(location))
    order = insured.order
    if (
        len(clm) > _LONGEST_CLM
        or location[2] != "1"
        or location[0] in _INPATIENT
        or not set(qualifiers) <= _REFERENCES
        or (order not in ("P", "U") and not written.other)
        or order == written.other
        or (not insured.relationship and claim.patient is None)
        or insured.filing_indicator in _OF_ACCIDENTS
    ):
        return False
    known: dict[str, Value] = {
        "profile": memory.profile.name,
        "charge_difference": 0,
        "place_of_service": location[0],
        "frequency": location[2],
        "assignment": element(clm, 7),
        "related_causes": (),
        "accident_state": "",
        "delay_reason": "",
        "filing_indicator": insured.filing_indicator,
        "payer_responsibility": order,
        "patient_level": claim.patient is not None,
        "providers": roles,
        "references": qualifiers,
        "notes": (),
        "other_payers": 0 if written.other is None else 1,
        "uncertified_lines": 0,
        "born_after_service": False,
        "came_before": False,
    }
    asked = memory.needs.ask("claim", known)
    fields = asked.fields if asked is not None else frozenset()
    paid = None
    if written.other is not None:
        paid = memory.needs.ask("other_payer", {**BALANCED, "profile": memory.profile.name})
    return Head({name: known[name] for name in fields if name in known}, asked, clm[5], location[0], paid)


def _are_well(head: Head, span: tuple[int, int], memory: Memory) -> bool:
    """Whether no rule asks more of a claim with these days of service, and CLM05 is usual on them."""
    first, last = span
    received = memory.circumstances.received
    if head.asked is not None:
        values: dict[str, Value] = {
            **head.known,
            "date": first,
            "last_date": last,
            "received": received,
            "a_year_later": a_year_after(first),
        }
        if not head.asked.fields <= values.keys() or head.asked.holds(values, received):
            return False
    return is_usual_head(head.location, memory.delimiters.component, first)


def _work(on: int, group: list[Said], memory: Memory) -> tuple[int, ...] | Literal[False]:
    tables, profile = memory.circumstances.tables, memory.profile
    codes = tuple([said.service.code for said in group])
    if len(set(codes)) < len(codes):
        return False
    for edit in edits_between(codes, tables.era(on), tables):
        one, two = codes.index(edit.column_1), codes.index(edit.column_2)
        if needs_pair(memory.needs, edit, group[one].service, group[two].service, profile.name):
            return False
    timed = [said for said in group if said.timed]
    if not timed:
        return ()
    return tuple([sum_least_minutes(lines, profile.unit_method) for lines in by_discipline(timed).values()])
