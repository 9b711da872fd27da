"""What an 837P says, as light views over its segments; fields are read when they are used.

A view keeps the split segments of its block and the position of the first one. Nothing is copied or converted
before it is used. Money is integer cents, dates are integers CCYYMMDD, codes are text; what is absent or
cannot be read is None (or "" for text): the guide's findings say so, a view never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from edi_checker.x12.blocks import Block, Delimiters, Fault
from edi_checker.x12.dates import day, days_of
from edi_checker.x12.finding import Place
from edi_checker.x12.money import cents, quantity

REISSUE = "18"  # BHT02: the whole transaction is sent a second time, on purpose
Segment = list[str]
Value = TypeVar("Value")

# CLM05-3: a claim that is sent for the first time, and one that takes an earlier one back.
ORIGINAL, VOID = "1", "8"

# The qualifiers of a diagnosis (HI), and the list in which its code stands.
DIAGNOSIS_LISTS: dict[str, Literal["icd10cm", "icd9cm"]] = {
    "ABK": "icd10cm",
    "ABF": "icd10cm",
    "BK": "icd9cm",
    "BF": "icd9cm",
}


def element(segment: Segment | None, index: int) -> str:
    """Element `index` (1 for the first after the id) of a segment, "" where it or the segment is absent."""
    if segment is None or index >= len(segment):
        return ""
    return segment[index]


class once(Generic[Value]):  # noqa: N801  # it is used as property is
    """A property that is worked out when first asked for and then stands in the object itself.

    functools.cached_property with its lock costs three times as much in Python 3.11; views are not shared
    between threads.
    """

    def __init__(self, work: Callable[[Any], Value]) -> None:
        self._work = work
        self._name = work.__name__
        self.__doc__ = work.__doc__

    @overload
    def __get__(self, view: None, owner: type) -> Self: ...
    @overload
    def __get__(self, view: object, owner: type) -> Value: ...
    def __get__(self, view: object | None, owner: type) -> Self | Value:
        if view is None:
            return self
        value = view.__dict__[self._name] = self._work(view)
        return value

    if TYPE_CHECKING:
        # Who knows the value puts it in; it stands in the object then, as one that was worked out does.
        def __set__(self, view: object, value: Value) -> None: ...


class SegmentRun:
    """A run of segments of one block: where each stands, and the first or all with an id and qualifier."""

    __slots__ = ("__dict__", "component", "position")
    segments: list[Segment]

    def __init__(self, segments: list[Segment], position: int, component: str) -> None:
        self.segments = segments
        self.position = position
        self.component = component

    def all(self, name: str, *qualifiers: str) -> list[Segment]:
        """The segments with this id and, where qualifiers are given, one of them in the first element."""
        return [s for s in self.segments if s[0] == name and (not qualifiers or element(s, 1) in qualifiers)]

    def first(self, name: str, *qualifiers: str) -> Segment | None:
        for s in self.segments:
            if s[0] == name and (not qualifiers or (len(s) > 1 and s[1] in qualifiers)):
                return s
        return None

    def position_of(self, segment: Segment | None) -> int:
        """The position in ST..SE of a segment of this run; that of the run itself for an absent segment."""
        for offset, s in enumerate(self.segments):
            if s is segment:
                return self.position + offset
        return self.position

    def reference(self, *qualifiers: str) -> str:
        """REF02 of the first REF with one of these qualifiers, "" where there is none."""
        return element(self.first("REF", *qualifiers), 2)

    @once
    def notes(self) -> list[Segment]:
        return self.all("NTE")


@dataclass(frozen=True, slots=True)
class Interchange:
    """ISA: who sends to whom, and the delimiters (the ISA alone is padded; values here are stripped)."""

    segment: Segment
    delimiters: Delimiters
    ordinal: int
    faults: tuple[Fault, ...] = ()

    def value(self, index: int) -> str:
        return element(self.segment, index).strip()

    @property
    def control_number(self) -> str:
        return self.value(13)

    @property
    def acknowledgment_requested(self) -> bool:
        return self.value(14) == "1"


@dataclass(frozen=True, slots=True)
class Group:
    """GS: one functional group; `segment` is empty where the GS is missing.

    `readable` is False where its version is not one that can be checked; `other` names what holds no claims
    at all, such as acknowledgements, which is never answered. `ordinal` counts the GS in the input, as in
    Block; 0 where it does not stand there.
    """

    segment: Segment
    interchange: Interchange
    faults: tuple[Fault, ...] = ()
    readable: bool = True
    other: str = ""
    ordinal: int = 0

    def value(self, index: int) -> str:
        return element(self.segment, index)

    @property
    def control_number(self) -> str:
        return self.value(6)

    @property
    def version(self) -> str:
        return self.value(8)


class BlockView(SegmentRun):
    """A run that is a whole block: its segments are split when one of them is used."""

    __slots__ = ("block",)

    def __init__(self, block: Block) -> None:
        self.block = block
        self.position = block.position
        self.component = block.delimiters.component

    @property
    def _end(self) -> str:
        return self.block.delimiters.terminator

    def mark(self, name: str, qualifier: str) -> str:
        """What the text has where a segment with this id and qualifier begins, unless it is the first."""
        delimiters = self.block.delimiters
        element = delimiters.element
        return f"{delimiters.terminator}{name}{element}{qualifier}{element}"

    def __getattr__(self, name: str) -> list[Segment]:
        if name != "segments":
            raise AttributeError(name)
        segments = self.block.segments()
        head = self.__dict__.get("segment")
        if head is not None:
            segments[0] = head
        for fault in self.__dict__.get("faults", ()):
            if fault.kind == "element-padding":
                segment = segments[fault.position - self.position]
                number = int(fault.element[len(segment[0]) :][:2])
                segment[number] = self._without_padding(segment[number])
        self.segments = segments
        return segments

    def _without_padding(self, text: str) -> str:
        """An element without the blanks around it or its components: they are told once, and mean nothing."""
        return self.component.join([part.strip(" ") for part in text.split(self.component)])


class Transaction(BlockView):
    """ST to 1000B: one transaction set's header."""

    def __init__(self, block: Block, group: Group, faults: tuple[Fault, ...]) -> None:
        super().__init__(block)
        self.group = group
        self.interchange = group.interchange
        self.faults = faults

    @property
    def control_number(self) -> str:
        """ST02"""
        return element(self.first("ST"), 2)

    @property
    def version(self) -> str:
        """ST03"""
        return element(self.first("ST"), 3)

    @once
    def numbers(self) -> tuple[str, str, str]:
        """Control numbers of interchange, group and transaction"""
        return self.interchange.control_number, self.group.control_number, self.control_number

    @once
    def purpose(self) -> str:
        """BHT02: 00 original, 18 reissue"""
        return element(self.first("BHT"), 2)

    @once
    def kind(self) -> str:
        """BHT06: CH chargeable, RP reporting, 31 subrogation"""
        return element(self.first("BHT"), 6)

    @property
    def batch(self) -> str:
        """BHT03, the submitter's number of the batch"""
        return element(self.first("BHT"), 3)

    @once
    def submitter(self) -> Provider:
        return self._party("41")

    @once
    def receiver(self) -> Provider:
        return self._party("40")

    def _party(self, role: str) -> Provider:
        for run in _split_at(self, ("NM1",)):
            if element(run.segments[0], 1) == role and run.segments[0][0] == "NM1":
                return Provider(run)
        return Provider(SegmentRun([], self.position, self.component))


class Provider:
    """Any party named by an NM1 loop: a provider, submitter, receiver, payer, subscriber or patient."""

    __slots__ = ("run",)

    def __init__(self, run: SegmentRun) -> None:
        self.run = run

    def __bool__(self) -> bool:
        return bool(self.run.segments)

    @property
    def name_segment(self) -> Segment | None:
        return self.run.first("NM1")

    @property
    def role(self) -> str:
        """NM101"""
        return element(self.name_segment, 1)

    @property
    def entity_type(self) -> str:
        """NM102: 1 person, 2 organisation"""
        return element(self.name_segment, 2)

    @property
    def last_name(self) -> str:
        return element(self.name_segment, 3)

    @property
    def first_name(self) -> str:
        return element(self.name_segment, 4)

    @property
    def id_qualifier(self) -> str:
        """NM108"""
        return element(self.name_segment, 8)

    @property
    def id(self) -> str:
        """NM109"""
        return element(self.name_segment, 9)

    @property
    def npi(self) -> str:
        """NM109 where NM108 is XX, else "" """
        return self.id if self.id_qualifier == "XX" else ""

    @property
    def taxonomy(self) -> str:
        """PRV03 of this loop"""
        return element(self.run.first("PRV"), 3)


class Level(BlockView):
    """One HL block: what its HL segment says and the NM1 loops below it."""

    def __init__(self, block: Block, transaction: Transaction, faults: tuple[Fault, ...]) -> None:
        super().__init__(block)
        self.transaction = transaction
        self.faults = faults

    @property
    def number(self) -> str:
        """HL01"""
        return element(self.first("HL"), 1)

    @once
    def content(self) -> str:
        """All that is said below the HL segment, as it stands: equal where two levels say the same"""
        return self.block.text.partition(self.block.delimiters.terminator)[2]

    @once
    def birth(self) -> int | None:
        """DMG02, the day of birth"""
        # In the text: a claim is held against it where nobody asks for anything else of its levels.
        _, _, said = self.block.text.partition(self.mark("DMG", "D8"))
        return day(said.partition(self._end)[0].partition(self.block.delimiters.element)[0])

    @once
    def parties(self) -> list[Provider]:
        return _providers_in(_split_at(self, ("NM1",)))

    def party(self, role: str) -> Provider:
        """The first party with this NM101; falsy where there is none."""
        if self.faults:
            return _first_in(self, self.parties, (role,))
        # Every NM1 goes on behind its role: no other part of the level need be split.
        text, element, end = self.block.text, self.block.delimiters.element, self._end
        before, mark, behind = text.partition(self.mark("NM1", role))
        if not mark:
            return _nobody(self)
        own = (mark[len(end) :] + behind).partition(f"{end}NM1{element}")[0]
        position = self.position + before.count(end) + 1
        return Provider(
            SegmentRun([said.split(element) for said in own.split(end)], position, self.component)
        )

    def named(self, role: str) -> Segment | None:
        """The NM1 of the first party with this NM101, None where there is none."""
        if self.faults:
            return self.party(role).name_segment
        delimiters = self.block.delimiters
        _, mark, behind = self.block.text.partition(self.mark("NM1", role))
        said = behind.partition(delimiters.terminator)[0]
        return ["NM1", role, *said.split(delimiters.element)] if mark else None


class BillingProvider(Level):
    """2000A and its 2010A loops"""

    @once
    def provider(self) -> Provider:
        return self.party("85")

    @property
    def npi(self) -> str:
        return self.provider.npi

    @property
    def taxonomy(self) -> str:
        """2000A PRV03"""
        return element(self.first("PRV"), 3)

    @property
    def tax_id(self) -> str:
        return self.provider.run.reference("EI", "SY")

    @once
    def known_by(self) -> str:
        """The NPI, else the tax id"""
        return self.npi or self.tax_id


class Subscriber(Level):
    """2000B and its 2010B loops. `provider` is the billing provider above, None where there is none."""

    def __init__(
        self,
        block: Block,
        transaction: Transaction,
        faults: tuple[Fault, ...],
        provider: BillingProvider | None,
    ) -> None:
        super().__init__(block, transaction, faults)
        self.provider = provider

    @once
    def responsible(self) -> Segment | None:
        """SBR"""
        if "segments" not in self.__dict__:
            texts = self.block.text.split(self.block.delimiters.terminator, 2)
            if len(texts) > 1 and texts[1].startswith("SBR" + self.block.delimiters.element):
                return texts[1].split(self.block.delimiters.element)
        return self.first("SBR")

    @once
    def payer_responsibility(self) -> str:
        """SBR01"""
        return element(self.responsible, 1)

    @once
    def relationship(self) -> str:
        """SBR02: 18 where the subscriber is the patient"""
        return element(self.responsible, 2)

    @once
    def filing_indicator(self) -> str:
        """SBR09"""
        return element(self.responsible, 9)

    @once
    def name(self) -> Provider:
        return self.party("IL")

    @once
    def payer(self) -> Provider:
        return self.party("PR")

    @once
    def payer_id(self) -> str:
        """NM109 of 2010BB"""
        return element(self.named("PR"), 9)

    @once
    def member_id(self) -> str:
        """NM109 of 2010BA"""
        return element(self.named("IL"), 9)

    @once
    def first_name(self) -> str:
        """NM104 of 2010BA"""
        return element(self.named("IL"), 4)

    @once
    def who(self) -> tuple[str, ...]:
        """What tells the subscriber as a patient of a payer in its place among payers; () without id"""
        return _who(self, self.birth, self.first_name)

    @once
    def person(self) -> int:
        """What stands for `who`, 0 without id"""
        return _person(self.who)


class Patient(Level):
    """2000C and 2010CA: the patient where he or she is not the subscriber.

    `after_own_claims` says whether the subscriber has claims of his or her own before.
    """

    def __init__(
        self,
        block: Block,
        transaction: Transaction,
        faults: tuple[Fault, ...],
        subscriber: Subscriber | None,
        *,
        after_own_claims: bool = False,
    ) -> None:
        super().__init__(block, transaction, faults)
        self.subscriber = subscriber
        self.after_own_claims = after_own_claims

    @property
    def relationship(self) -> str:
        """PAT01"""
        return element(self.first("PAT"), 1)

    @once
    def name(self) -> Provider:
        return self.party("QC")

    @once
    def first_name(self) -> str:
        """NM104 of 2010CA"""
        return element(self.named("QC"), 4)

    @once
    def who(self) -> tuple[str, ...]:
        """What tells the patient as a payer's in its place among the payers; () without an id"""
        subscriber = self.subscriber
        if subscriber is None:
            return ()
        return _who(subscriber, self.birth, self.first_name)

    @once
    def person(self) -> int:
        """What stands for `who`, 0 without an id"""
        return _person(self.who)


def _who(subscriber: Subscriber, birth: int | None, first_name: str) -> tuple[str, ...]:
    member = subscriber.member_id.strip().upper()
    if not member:
        return ()
    return (
        subscriber.payer_id,
        subscriber.payer_responsibility,
        member,
        str(birth),
        first_name.strip().upper(),
    )


def _person(who: tuple[str, ...]) -> int:
    if not who:
        return 0
    digest = blake2b("\x1f".join(who).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


class OtherPayer(SegmentRun):
    """2320 with its 2330 loops: another payer of the claim."""

    @property
    def adjustments(self) -> list[int | None]:
        """The amounts in cents of every CAS of the loop (claim level)"""
        return [amount for segment in self.all("CAS") for amount in adjustments_in(segment)]

    def amount(self, qualifier: str) -> int | None:
        """AMT02 in cents by AMT01: D paid, A8 non-covered, EAF remaining patient liability"""
        return cents(element(self.first("AMT", qualifier), 2))

    @once
    def parties(self) -> list[Provider]:
        return _providers_in(_split_at(self, ("NM1",)))

    @property
    def payer(self) -> Provider:
        return _first_in(self, self.parties, ("PR",))

    @property
    def subscriber(self) -> Provider:
        return _first_in(self, self.parties, ("IL",))


class ServiceLine(SegmentRun):
    """2400 with its 2410 to 2440 loops. `ordinal` counts the claim's lines from 1."""

    def __init__(self, run: SegmentRun, claim: Claim, ordinal: int) -> None:
        super().__init__(run.segments, run.position, run.component)
        self.claim = claim
        self.ordinal = ordinal

    @once
    def service(self) -> Segment | None:
        """SV1"""
        return self.first("SV1")

    @once
    def procedure(self) -> list[str]:
        """SV101: qualifier, code, up to four modifiers, description; always eight long"""
        parts = element(self.service, 1).split(self.component)
        return parts + [""] * (8 - len(parts))

    @property
    def code(self) -> str:
        """SV101-2 where SV101-1 says HCPCS (HC), else "" """
        return self.procedure[1] if self.procedure[0] == "HC" else ""

    @property
    def modifiers(self) -> tuple[str, ...]:
        """SV101-3 to -6, as they stand, without the empty ones"""
        return tuple(m for m in self.procedure[2:6] if m)

    @property
    def charge(self) -> int | None:
        """SV102, cents"""
        return cents(element(self.service, 2))

    @property
    def unit(self) -> str:
        """SV103: UN units, MJ minutes"""
        return element(self.service, 3)

    @property
    def quantity(self) -> Decimal | None:
        """SV104"""
        return quantity(element(self.service, 4))

    @property
    def place_of_service(self) -> str:
        """SV105, or CLM05-1 where the line names none"""
        return element(self.service, 5) or self.claim.place_of_service

    @once
    def dates(self) -> tuple[int | None, int | None]:
        """First and last day of service (DTP*472)"""
        written = self.first("DTP", "472")
        return days_of(element(written, 2), element(written, 3))[:2]

    @property
    def control(self) -> str:
        """REF*6R, the submitter's number of the line"""
        return self.reference("6R")

    @once
    def _loops(self) -> list[SegmentRun]:
        return list(_split_at(self, ("NM1", "LIN", "SVD", "LQ")))

    @once
    def providers(self) -> list[Provider]:
        """2420A to 2420H"""
        return _providers_in(self._loops)

    def provider(self, *roles: str) -> Provider:
        """The first 2420 provider with one of these NM101 roles; falsy where there is none"""
        return _first_in(self, self.providers, roles)

    @once
    def rendering(self) -> Provider:
        """2420A, else the claim's 2310B, else the billing provider"""
        return self.provider("82") or self.claim.rendering

    def place(
        self, name: str = "SV1", at: str | None = None, *, loop: str = "2400", qualifier: str = ""
    ) -> Place:
        """Where a segment (or an element of it, `SV101-3`) of this line stands."""
        segment = self.first(name, qualifier) if qualifier else self.first(name)
        return self.claim.place(name, at, loop=loop, position=self.position_of(segment), line=self.ordinal)


class Claim(BlockView):
    """2300 and everything below it: one claim, with the levels in which it stands.

    `provider`, `subscriber` and `patient` are None where the file does not name them at their place.
    """

    def __init__(
        self,
        block: Block,
        transaction: Transaction,
        provider: BillingProvider | None,
        subscriber: Subscriber | None,
        patient: Patient | None,
        faults: tuple[Fault, ...],
        cut: bool = False,
    ) -> None:
        super().__init__(block)
        self.transaction = transaction
        self.billing = provider
        self.subscriber = subscriber
        self.patient = patient
        self.faults = faults
        # The input ended within this claim: what it lacks says nothing about it.
        self.cut = cut
        # What check/cutting.py made of its text, where that was done ahead.
        self.pieces: object = None

    @once
    def segment(self) -> Segment:
        """CLM"""
        if "segments" in self.__dict__ or self.faults:
            return self.segments[0]
        text, delimiters = self.block.text, self.block.delimiters
        return text.partition(delimiters.terminator)[0].split(delimiters.element)

    @once
    def id(self) -> str:
        """CLM01, the submitter's number of the claim"""
        return element(self.segment, 1)

    @once
    def charge(self) -> int | None:
        """CLM02, cents"""
        return cents(element(self.segment, 2))

    @once
    def location(self) -> Sequence[str]:
        """CLM05: place of service, qualifier, frequency; at least three long"""
        return read_location(element(self.segment, 5), self.component)

    @property
    def place_of_service(self) -> str:
        return self.location[0]

    @property
    def frequency(self) -> str:
        """CLM05-3: 1 original, 7 replacement, 8 void"""
        return self.location[2]

    @once
    def _loops(self) -> list[SegmentRun]:
        """The claim cut at each loop's first segment: header, 2310s, 2320s (with their 2330s), 2400s."""
        return _split_claim(self)

    @property
    def header(self) -> SegmentRun:
        """CLM to HCP, before the first provider"""
        return self._loops[0]

    @once
    def providers(self) -> list[Provider]:
        """2310A to 2310F"""
        return _providers_in(self._loops)

    def provider(self, *roles: str) -> Provider:
        """The first 2310 provider with one of these NM101 roles; falsy where there is none"""
        return _first_in(self, self.providers, roles)

    @once
    def rendering(self) -> Provider:
        """2310B, else the billing provider"""
        found = self.provider("82")
        if found or self.billing is None:
            return found
        return self.billing.provider

    @once
    def other_payers(self) -> list[OtherPayer]:
        return [
            OtherPayer(run.segments, run.position, run.component)
            for run in self._loops
            if run.segments[0][0] == "SBR"
        ]

    def know_head(self, id: str, charge: int | None, location: Sequence[str]) -> None:
        """Spare others the work of finding these out, where they are known."""
        self.id, self.charge, self.location = id, charge, location

    def know_lines(self, dates: tuple[int, int], count: int) -> None:
        """The same of its lines."""
        self.dates, self.line_count = dates, count

    @once
    def line_count(self) -> int:
        """How many lines there are; without a fault the text alone shows it"""
        if self.faults:
            return len(self.lines)
        return self.block.text.count(f"{self._end}LX{self.block.delimiters.element}")

    @once
    def lines(self) -> list[ServiceLine]:
        runs = [run for run in self._loops if run.segments[0][0] == "LX"]
        return [ServiceLine(run, self, ordinal) for ordinal, run in enumerate(runs, 1)]

    @once
    def diagnoses(self) -> list[tuple[str, str]]:
        """Qualifier and code of each diagnosis, in the order to which SV107 points

        A place that is left empty between two counts: its code is "".
        """
        found: list[tuple[str, str]] = []
        for segment in self.header.all("HI"):
            first = element(segment, 1).partition(self.component)[0]
            last = max((at for at, composite in enumerate(segment) if composite), default=0)
            for composite in segment[1 : last + 1]:
                parts = composite.split(self.component) if composite else [first]
                if parts[0] in DIAGNOSIS_LISTS:
                    found.append((parts[0], parts[1] if len(parts) > 1 else ""))
        return found

    @once
    def dates(self) -> tuple[int | None, int | None]:
        """First and last day of service over all lines"""
        if self.faults:
            said = [line.dates for line in self.lines]
        else:
            # Every line has one such date, and nothing else does: the text alone shows them.
            mark, element, end = self.mark("DTP", "472"), self.block.delimiters.element, self._end
            texts = {text.partition(end)[0] for text in self.block.text.split(mark)[1:]}
            said = [days_of(*text.partition(element)[::2])[:2] for text in texts]
        known = [d for pair in said for d in pair if d is not None]
        return (min(known), max(known)) if known else (None, None)

    @property
    def patient_name(self) -> Provider:
        """2010CA where the patient has a level of his or her own, else 2010BA"""
        if self.patient is not None:
            return self.patient.name
        if self.subscriber is not None:
            return self.subscriber.name
        return Provider(SegmentRun([], self.position, self.component))

    def place(
        self,
        name: str = "CLM",
        at: str | None = None,
        *,
        loop: str = "2300",
        qualifier: str = "",
        position: int | None = None,
        line: int | None = None,
    ) -> Place:
        """Where a segment (or an element of it, `CLM05-1`) of this claim stands; the first with that id."""
        if position is None:
            position = self.position_of(self.first(name, qualifier) if qualifier else self.first(name))
        return place_in(self.transaction, loop, name, position, at, claim=self.id, line=line)


def read_location(text: str, component: str) -> Sequence[str]:
    """The parts of CLM05: at least three."""
    parts = text.split(component)
    return parts + [""] * (3 - len(parts))


def place_in(
    transaction: Transaction,
    loop: str,
    segment: str,
    position: int,
    at: str | None = None,
    *,
    claim: str | None = None,
    line: int | None = None,
) -> Place:
    """A place within a transaction."""
    interchange, group, number = transaction.numbers
    return Place(interchange, group or None, number, claim, line, loop, segment, position, at)


@dataclass(frozen=True, slots=True)
class TransactionEnd:
    """SE of a transaction, or the place where it should stand (`segment` None). `claims` counts the CLMs.

    `ordinal` counts the trailer in the input, as in Block; 0 where it does not stand there.
    """

    transaction: Transaction
    segment: Segment | None
    position: int
    claims: int
    faults: tuple[Fault, ...]
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class GroupEnd:
    """GE, or the place where it should stand. `transactions` counts the ST segments received; `ordinal` as of
    TransactionEnd.
    """

    group: Group
    segment: Segment | None
    transactions: int
    faults: tuple[Fault, ...]
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class InterchangeEnd:
    """IEA, or the place where it should stand. `groups` counts the GS segments received.

    `answerable` is False where it holds nothing but groups of another kind, or nothing but TA1 segments.
    `ordinal` as of TransactionEnd.
    """

    interchange: Interchange
    segment: Segment | None
    groups: int
    faults: tuple[Fault, ...]
    answerable: bool = True
    ordinal: int = 0


Part = (
    Interchange
    | Group
    | Transaction
    | BillingProvider
    | Subscriber
    | Patient
    | Claim
    | TransactionEnd
    | GroupEnd
    | InterchangeEnd
)


def _split_at(run: SegmentRun, starts: tuple[str, ...]) -> Iterator[SegmentRun]:
    """The run cut before each segment whose id is one of `starts`; the part before the first comes first."""
    segments, position, component = run.segments, run.position, run.component
    begin = 0
    for index, segment in enumerate(segments):
        if segment[0] in starts and index > begin:
            yield SegmentRun(segments[begin:index], position + begin, component)
            begin = index
    if segments:
        yield SegmentRun(segments[begin:], position + begin, component)


def _split_claim(claim: Claim) -> list[SegmentRun]:
    segments, position, component = claim.segments, claim.position, claim.component
    runs = []
    begin = 0
    inside = ""  # the loop kind that swallows NM1 and SBR: 2320 keeps its NM1s, 2400 keeps everything
    for index, segment in enumerate(segments):
        name = segment[0]
        if name not in _OPENERS or not index:
            continue
        if name == "LX" or (name == "SBR" and inside != "LX") or (name == "NM1" and inside in ("", "NM1")):
            runs.append(SegmentRun(segments[begin:index], position + begin, component))
            begin, inside = index, name
    runs.append(SegmentRun(segments[begin:], position + begin, component))
    return runs


_OPENERS = frozenset(("LX", "SBR", "NM1"))


def _providers_in(runs: Iterable[SegmentRun]) -> list[Provider]:
    return [Provider(run) for run in runs if run.segments[0][0] == "NM1"]


def _first_in(run: SegmentRun, providers: Iterable[Provider], roles: tuple[str, ...]) -> Provider:
    """The first provider of a run with one of these NM101 roles; falsy where there is none."""
    for provider in providers:
        if provider.role in roles:
            return provider
    return _nobody(run)


def _nobody(run: SegmentRun) -> Provider:
    return Provider(SegmentRun([], run.position, run.component))


def adjustments_in(segment: Segment) -> list[int | None]:
    """The amounts of a CAS in cents, one for each reason, None where unreadable."""
    return [cents(element(segment, at + 1)) for at in range(2, len(segment), 3) if segment[at]]
