"""Faults of every part, and the facts of what stands above claims."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter

from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
    place_in,
)
from edi_checker.claims.profile import Profile
from edi_checker.facts.code_errors import (
    Judging,
    make_address_code_errors,
    make_segment_code_errors,
    without_refused,
)
from edi_checker.facts.columns import ADDRESS
from edi_checker.facts.context import Setting
from edi_checker.facts.fact import Fact, Placed
from edi_checker.facts.lines import make_provider
from edi_checker.facts.pieces import (
    At,
    Location,
    Open,
    OpenFact,
    OpenValue,
    Site,
    View,
    Within,
    at_segment,
    cell,
    columns_of,
    end_of_loop,
    fill,
    look_at,
    look_at_address,
    loop_at,
    place_segments,
    present,
    text,
)
from edi_checker.facts.places import FixedLocation, Header, LoopLocation
from edi_checker.facts.situations import hides_something, is_box, make_situations
from edi_checker.facts.statuses import answer_fault
from edi_checker.facts.triggers import DETAILS, NOTHING_AROUND, SELF
from edi_checker.reference.codesets.imported import releases_in
from edi_checker.x12.blocks import Fault
from edi_checker.x12.dates import day
from edi_checker.x12.finding import Place

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


def faults_of(part: Part, level: str, setting: Setting, profile: str) -> list[Fact]:
    """The facts of a part's faults."""
    return [
        Fact(
            "fault",
            {
                "kind": fault.kind,
                "level": level,
                "date": setting.received,
                "profile": profile,
                "loop": fault.loop,
                "segment": fault.segment,
                "position": fault.position,
                "element": fault.element,
                "name": fault.name,
                "expected": fault.expected,
                "found": fault.found,
                "answers": fault.answers,
                "status": answer_fault(fault, level),
            },
            _stands_on(fault, part),
        )
        for fault in part.faults
        if not _comes_of_a_patient(fault, part)
    ]


def _comes_of_a_patient(fault: Fault, part: Part) -> bool:
    """Whether HL04 announces no patient's level since SBR02 says that the subscriber is the patient: if one
    follows all the same, that contradicts both, and is said of SBR02.
    """
    return (
        isinstance(part, Subscriber)
        and part.relationship == SELF
        and _says_no_patient(fault)
        and not hides_something(part.faults)
    )


def _says_no_patient(fault: Fault) -> bool:
    """Whether a patient's level follows that HL04 does not announce."""
    return fault.kind == "hierarchy" and fault.element == "HL04" and fault.found == "0"


def _stands_on(fault: Fault, part: Part) -> dict[str, tuple[Placed, ...]]:
    place = _place_of(fault, part)
    trigger = (FixedLocation(place._replace(element=fault.trigger)),) if fault.trigger else ()
    return {"": (FixedLocation(place),), "trigger": trigger}


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


def file_fact(interchange: Interchange, setting: Setting, profile: str) -> Fact:
    return Fact(
        "file",
        {
            "date": setting.received,
            "profile": profile,
            "usage": interchange.value(15),
            "version": interchange.value(12),
            "created": day(f"20{interchange.value(9)}"),
        },
        {"": (Header(interchange, None, "ISA"),)},
    )


def transaction_fact(transaction: Transaction, setting: Setting, profile: str) -> Fact:
    head = transaction.first("BHT")
    group = transaction.group
    return Fact(
        "transaction",
        {
            "date": setting.received,
            "profile": profile,
            "version": group.version if group is not None else "",
            "purpose": element(head, 2),
            "type": element(head, 6),
            "created": day(element(head, 4)),
        },
        {"": (LoopLocation(transaction, transaction, "header"),)},
    )


AnyLevel = BillingProvider | Subscriber | Patient


class LevelMet:
    """A level above claims that was met, or the segment of it with this number."""

    __slots__ = ("columns", "level", "number")

    def __init__(
        self,
        level: AnyLevel,
        columns: Sequence[str] | None = None,
        number: int = 0,
    ) -> None:
        self.level = level
        self.number = number
        self.columns = columns if columns is not None else columns_of(level.segments, level.component)

    @property
    def is_box(self) -> bool:
        """Whether the billing provider's street is a post office box"""
        street = self._billing.provider.run.first("N3")
        return street is not None and any(is_box(text) for text in street[1:3])

    @property
    def is_paid_at_the_same_address(self) -> bool:
        """Whether the address to pay to (2010AB) is the billing provider's own"""
        own, other = self._billing.provider.run, self._billing.party("87").run
        return all(other.first(name) == own.first(name) for name in ("N3", "N4"))

    @property
    def purpose(self) -> str:
        """BHT06"""
        return self.level.transaction.kind

    @property
    def is_of_a_patient_subscriber(self) -> bool:
        """Whether this is a patient's level below a subscriber who is said to be the patient"""
        patient = self._patient
        subscriber = patient.subscriber
        if subscriber is None or (subscriber.faults and hides_something(subscriber.faults)):
            return False
        # One who has claims of his or her own may have them beside those of a dependent.
        return subscriber.relationship == SELF and not patient.after_own_claims

    @property
    def subscriber_above(self) -> tuple[Placed, ...]:
        subscriber = self._patient.subscriber
        assert subscriber is not None
        return (LoopLocation(self.level.transaction, subscriber, "2000B"),)

    @property
    def _patient(self) -> Patient:
        assert isinstance(self.level, Patient)
        return self.level

    @property
    def _billing(self) -> BillingProvider:
        assert isinstance(self.level, BillingProvider)
        return self.level

    def place_at(self, site: Site) -> Place:
        level = self.level
        return place_in(
            level.transaction,
            site.loop,
            site.segment,
            level.position + self.number + site.offset,
            site.element,
        )

    def place_beyond(self, name: str, at: str | None, qualifier: str) -> Place:
        return self.place_at(Site("", name, 0, at))


def add_level(
    facts: list[Fact],
    level: AnyLevel,
    setting: Setting,
    profile: Profile,
) -> None:
    """Add the facts of a level above claims."""
    view = look_at(level.segments, level.component)
    judging = judging_of(setting, profile)
    made = list(fill(make_level(view, type(level), judging), LevelMet(level)))
    loops, roles = loops_of(view, type(level))
    for number, segment in enumerate(level.segments):
        if segment[0] == ADDRESS:
            facts_of_address = make_level_address(
                look_at_address(segment), loops[number], roles[number], judging
            )
            made += fill([at_segment(fact, number) for fact in facts_of_address], LevelMet(level))
    hidden = bool(level.faults) and hides_something(level.faults)
    code_errors = [fact for fact in made if fact.kind == "code_error"]
    facts += without_refused(code_errors, level.faults)
    facts += [
        fact
        for fact in made
        if fact.kind == "provider" or (fact.kind in ("situation", "subscriber") and not hidden)
    ]


def judging_of(setting: Setting, profile: Profile) -> Judging:
    """By what the codes of a level are judged: as of the day of receipt."""
    received = setting.received
    return Judging(profile, received, releases_in(setting.tables), received)


# Loop and role of a level's own segments, and its loops by the NM101 that opens them.
_LOOPS: dict[type, tuple[str, str]] = {
    BillingProvider: ("2000A", "85"),
    Subscriber: ("2000B", "IL"),
    Patient: ("2000C", "QC"),
}


def loops_of(view: View, kind: type) -> tuple[list[str], list[str]]:
    """Loops and roles of the segments of a level of this kind."""
    return place_segments(view, *_LOOPS[kind])


def make_level_address(view: View, loop: str, role: str, judging: Judging) -> list[OpenFact]:
    """The facts of an N4 of a level."""
    return make_address_code_errors(view, loop, role, judging, _code_error_of(judging))


def _code_error_of(judging: Judging) -> dict[str, OpenValue]:
    return {"date": judging.received, "last_date": judging.received, "line": None}


def make_level(view: View, kind: type, judging: Judging) -> list[OpenFact]:
    """The facts of a level above claims, which is of this kind."""
    loops, roles = loops_of(view, kind)
    received, profile = judging.received, judging.profile.name
    facts = list(make_segment_code_errors(view, loops, roles, judging, _code_error_of(judging)))
    shared: dict[str, OpenValue] = {"date": received, "received": received, "profile": profile}
    if kind is BillingProvider:
        begin = view.find("NM1", "85")
        if begin is not None and text(view.segments[begin], 8) == "XX":
            taxonomy = next((text(c, 3) for c in view.segments if c[0] == "PRV"), "")
            facts.append(make_provider(view, begin, "2010AA", taxonomy, received, judging))
        facts += make_situations(view, loops, NOTHING_AROUND, shared, "billing")
    elif kind is Subscriber:
        facts += _make_subscriber(view, judging)
    else:
        facts += make_situations(view, loops, NOTHING_AROUND, shared, "patient")
    return facts


def _make_subscriber(view: View, judging: Judging) -> Iterator[OpenFact]:
    """The fact of a subscriber, unless nothing is left open: the subscriber is the patient, with address,
    day of birth and member id, and the payer is the first one.
    """
    begin = view.find("NM1", "IL")
    named = view.segments[begin] if begin is not None else None
    end = end_of_loop(view, begin) if begin is not None else 0
    ids = {cells[0] for cells in view.segments[begin or 0 : end]}
    responsible = view.first("SBR")
    order, relationship, insurance_type, filing = (text(responsible, at) for at in (1, 2, 5, 9))
    identified = present(cell(named, 9))
    if order == "P" and relationship == SELF and filing and identified and ids >= DETAILS:
        return
    values: dict[str, OpenValue] = {
        "date": judging.received,
        "profile": judging.profile.name,
        "responsibility": order,
        "relationship": relationship,
        "insurance_type": insurance_type,
        "filing_indicator": filing,
        "entity_type": text(named, 2),
        "identified": True if identified else Open("identified", _may_be_identified),
        "address": "N3" in ids and "N4" in ids,
        "demographics": "DMG" in ids,
        "patient_announced": True
        if text(view.first("HL"), 4) == "1"
        else Open("patient_announced", _has_patient_unannounced),
    }
    spots: tuple[Location, ...] = (
        (loop_at(view, "2010BA", begin),) if begin is not None else (At("2010BA", 0),)
    )
    yield OpenFact("subscriber", values, {"": (Within(view, "2000B"),), "name": spots})


def _has_patient_unannounced(met: LevelMet) -> bool:
    return any(_says_no_patient(fault) for fault in met.level.faults)


def _may_be_identified(met: LevelMet) -> bool:
    """Whether a fault may be why there is no member id."""
    return any(fault.segment == "NM1" for fault in met.level.faults)
