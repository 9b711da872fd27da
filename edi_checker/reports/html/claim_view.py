"""The parts of a file that have findings, kept as a biller knows them until the page is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Patient,
    Provider,
    Segment,
    SegmentRun,
    ServiceLine,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.claims.loops import LOOPS_1000, LOOPS_2010, LOOPS_2310, walk_loops
from edi_checker.claims.minutes import Minutes, minutes_of
from edi_checker.reports.html.markup import shorten
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.dates import hyphenate, show_days
from edi_checker.x12.finding import Finding, Place
from edi_checker.x12.money import dollars

MOST_REJECTED = 100  # parts with an error that are laid out in full; the rest stands in the list of findings
MOST_OTHERS = 25  # parts with warnings and infos only
MOST_LINES = 60  # service lines shown of a claim, besides those with a finding
MOST_SEGMENTS = 150  # segments shown of a part, besides those around a finding
AROUND = 2  # segments before and after a finding that are shown in any case
MOST_MARKED = 60  # places for whose surroundings room is made
LONGEST = 160  # characters shown of an element
MOST_ELEMENTS = 60  # elements shown of a segment

_PARTIES = {
    "03": "Dependent",
    "1P": "Provider",
    "40": "Receiver",
    "41": "Submitter",
    "45": "Drop-off",
    "77": "Service facility",
    "82": "Rendering provider",
    "85": "Billing provider",
    "87": "Pay-to address",
    "DK": "Ordering provider",
    "DN": "Referring provider",
    "DQ": "Supervising provider",
    "IL": "Subscriber",
    "P3": "Primary care provider",
    "PE": "Pay-to plan",
    "PR": "Payer",
    "PW": "Pick-up",
    "QB": "Purchased service provider",
    "QC": "Patient",
    "TT": "Transfer to",
}
_LEVELS = {
    "20": ("2000A", "Billing provider level"),
    "22": ("2000B", "Subscriber level"),
    "23": ("2000C", "Patient level"),
}
_PAYERS = {
    "12": "PPO",
    "16": "Medicare Advantage (HMO)",
    "AM": "automobile medical",
    "BL": "Blue Cross or Blue Shield",
    "CH": "TRICARE",
    "CI": "commercial insurance",
    "HM": "HMO",
    "MA": "Medicare Part A",
    "MB": "Medicare Part B",
    "MC": "Medicaid",
    "OF": "other federal program",
    "VA": "Veterans Affairs plan",
    "WC": "workers' compensation",
}
_RANKS = {"P": "primary", "S": "secondary", "T": "tertiary"}
_FREQUENCIES = {"1": "original", "7": "replacement of an earlier claim", "8": "void of an earlier claim"}
_REFERENCES = {"G1": "Prior authorization", "F8": "Payer's claim number", "D9": "Clearinghouse number"}
_SEXES = {"F": "female", "M": "male", "U": "not known"}


@dataclass(frozen=True, slots=True)
class Detail:
    """A label, what stands there, a text a line, and the loop that it stands in."""

    label: str
    texts: tuple[str, ...]
    loop: str = ""


@dataclass(frozen=True, slots=True)
class LineRow:
    """A service line as text, column by column; empty where the file says nothing."""

    ordinal: int
    dates: str
    code: str
    modifiers: str
    diagnoses: str
    place: str
    units: str
    minutes: str
    charge: str


@dataclass(frozen=True, slots=True)
class RawSegment:
    """One segment with its position in ST..SE (0 in the envelope); `heading` where a loop begins with it.

    `skipped` counts segments left out before it. Long elements are cut.
    """

    position: int
    elements: tuple[str, ...]
    heading: str = ""
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One part of the file with findings: `count` findings of the journal from number `first` on.

    `first` counts from 0. `number` is that of the claim in the file, from 1, and 0 for other parts.
    `lines_left_out` and `segments_left_out` count what is not shown.
    """

    first: int
    count: int
    number: int
    title: str
    details: tuple[Detail, ...]
    lines: tuple[LineRow, ...]
    segments: tuple[RawSegment, ...]
    delimiters: Delimiters
    lines_left_out: int = 0
    segments_left_out: int = 0


class ClaimViews:
    """Takes the checked parts of one input in document order and keeps what will be shown of them.

    Holds at most MOST_REJECTED + MOST_OTHERS parts, each cut to a bounded size. `minutes` is the minutes file
    that belongs to the input, None where there is none.
    """

    def __init__(self, minutes: Minutes | None = None) -> None:
        self.minutes = minutes
        self._kept: list[ClaimView] = []
        self._claims = 0
        self._findings = 0
        self._rejected = 0
        self._others = 0

    def add(self, checked: Checked) -> None:
        """Look at one part."""
        part, findings = checked.part, checked.findings
        if isinstance(part, Claim):
            self._claims += 1
        if not findings:
            return
        first = self._findings
        self._findings += len(findings)
        if any(finding.severity == "error" for finding in findings):
            if self._rejected >= MOST_REJECTED:
                return
            self._rejected += 1
        else:
            if self._others >= MOST_OTHERS:
                return
            self._others += 1
        self._kept.append(self._lay_out(part, findings, first))

    def __iter__(self) -> Iterator[ClaimView]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _lay_out(self, part: Part, findings: tuple[Finding, ...], first: int) -> ClaimView:
        places = [
            place
            for finding in findings
            for place in (finding.where, *finding.related)
            if place.received is None
        ]
        lines: list[LineRow] = []
        lines_left_out = 0
        if isinstance(part, Claim):
            lines, lines_left_out = self._lines(part, places)
        segments, left_out = _segments(part, places)
        return ClaimView(
            first=first,
            count=len(findings),
            number=self._claims if isinstance(part, Claim) else 0,
            title=shorten(_title(part), LONGEST),
            details=tuple(_cut(detail) for detail in _details(part)),
            lines=tuple(lines),
            segments=tuple(segments),
            delimiters=_interchange_of(part).delimiters,
            lines_left_out=lines_left_out,
            segments_left_out=left_out,
        )

    def _lines(self, claim: Claim, places: list[Place]) -> tuple[list[LineRow], int]:
        named = {place.line for place in places if place.claim == claim.id}
        shown = [line for line in claim.lines if line.ordinal <= MOST_LINES or line.ordinal in named]
        shown = shown[: 2 * MOST_LINES]
        return [self._line(line) for line in shown], len(claim.lines) - len(shown)

    def _line(self, line: ServiceLine) -> LineRow:
        minutes = minutes_of(line, self.minutes)
        told = ""
        if minutes is not None:
            told = str(minutes.minutes)
            if minutes.assistant is not None:
                told += f" ({minutes.assistant} assistant)"
        unit = line.unit if line.unit != "UN" else ""
        charge = line.charge
        texts = {
            "dates": show_days(line.dates) or element(line.first("DTP", "472"), 3),
            "code": line.procedure[1] or element(line.service, 1),
            "modifiers": " ".join(line.modifiers),
            "diagnoses": " ".join(element(line.service, 7).split(line.component)),
            "place": line.place_of_service,
            "units": f"{_number(line.quantity) or element(line.service, 4)} {unit}".strip(),
            "minutes": told,
            "charge": dollars(charge) if charge is not None else element(line.service, 2),
        }
        return LineRow(line.ordinal, **{name: shorten(text, 40) for name, text in texts.items()})


def _number(quantity: Decimal | None) -> str:
    return "" if quantity is None else f"{quantity.normalize():f}"


def _cut(detail: Detail) -> Detail:
    return replace(detail, texts=tuple(shorten(text, LONGEST) for text in detail.texts[:14]))


def _interchange_of(part: Part) -> Interchange:
    match part:
        case Interchange():
            return part
        case Group() | Transaction() | InterchangeEnd():
            return part.interchange
        case GroupEnd():
            return part.group.interchange
        case _:
            return part.transaction.interchange


def _title(part: Part) -> str:
    match part:
        case Claim():
            return part.id or "without a number"
        case BillingProvider():
            return f"Billing provider, HL {part.number}"
        case Subscriber():
            return f"Subscriber, HL {part.number}"
        case Patient():
            return f"Patient, HL {part.number}"
        case Transaction():
            return f"Transaction {part.control_number}, header"
        case TransactionEnd():
            return f"Transaction {part.transaction.control_number}, trailer"
        case Group():
            return f"Group {part.control_number}, header"
        case Interchange():
            return f"Interchange {part.control_number}, header"
        case InterchangeEnd():
            return f"Interchange {part.interchange.control_number}, trailer"
        case _:
            return f"Group {part.group.control_number}, trailer"


# What a biller knows


def _details(part: Part) -> list[Detail]:
    match part:
        case Claim():
            return [detail for detail in _of_claim(part) if any(detail.texts)]
        case Level():
            parties = [_party(party, LOOPS_2010) for party in part.parties]
            return [detail for detail in parties if any(detail.texts)]
        case Transaction():
            return [
                detail
                for detail in (
                    Detail("Batch", (part.batch,)),
                    _party(part.submitter, LOOPS_1000),
                    _party(part.receiver, LOOPS_1000),
                )
                if any(detail.texts)
            ]
        case Interchange():
            return [
                Detail("From", (f"{part.value(5)} {part.value(6)}",)),
                Detail("To", (f"{part.value(7)} {part.value(8)}",)),
            ]
        case Group():
            return [Detail("Version", (part.version,))]
        case _:
            return []


def _of_claim(claim: Claim) -> Iterator[Detail]:
    subscriber = claim.subscriber
    yield _patient(claim)
    if subscriber is not None:
        if claim.patient is not None:
            yield _party(subscriber.name, LOOPS_2010)
        payer = _party(subscriber.payer, LOOPS_2010)
        kind = _PAYERS.get(subscriber.filing_indicator, subscriber.filing_indicator)
        rank = _RANKS.get(subscriber.payer_responsibility, subscriber.payer_responsibility)
        yield replace(payer, label="Payer", texts=(*payer.texts, ", ".join(filter(None, (rank, kind)))))
    for other in claim.other_payers:
        paid = other.amount("D")
        amount = (f"paid {dollars(paid)}",) if paid is not None else ()
        yield Detail("Other payer", (*_texts(other.payer), *amount), "2330B")
    if claim.billing is not None:
        billing = _party(claim.billing.provider, LOOPS_2010)
        taxonomy, tax = claim.billing.taxonomy, claim.billing.tax_id
        yield replace(
            billing,
            label="Billing provider",
            texts=(
                *billing.texts,
                f"taxonomy {taxonomy}" if taxonomy else "",
                f"tax id {tax}" if tax else "",
            ),
        )
    for provider in claim.providers[:8]:
        yield _party(provider, LOOPS_2310)
    yield Detail("Service", (show_days(claim.dates),), "2400")
    pointed = [f"{n} {_with_point(code)}" for n, (_, code) in enumerate(claim.diagnoses, 1)]
    yield Detail("Diagnoses", (" \u00b7 ".join(pointed),), "2300")
    yield Detail("Place of service", (claim.place_of_service,), "2300")
    frequency = claim.frequency
    told = _FREQUENCIES.get(frequency, f"frequency {frequency}" if frequency else "")
    yield Detail("Claim is", (told,), "2300")
    for qualifier, label in _REFERENCES.items():
        yield Detail(label, (claim.header.reference(qualifier),), "2300")


def _patient(claim: Claim) -> Detail:
    party = claim.patient_name
    birth = party.run.first("DMG")
    born = hyphenate(element(birth, 2))
    sex = _SEXES.get(element(birth, 3), element(birth, 3))
    told = ", ".join(filter(None, (f"born {born}" if born else "", sex)))
    loop = "2010CA" if claim.patient is not None else "2010BA"
    return Detail("Patient", (*_texts(party), told), loop)


def _party(party: Provider, loops: dict[str, str]) -> Detail:
    return Detail(_PARTIES.get(party.role, party.role), _texts(party), loops.get(party.role, ""))


def _texts(party: Provider) -> tuple[str, ...]:
    """Name and identifier."""
    name = ", ".join(filter(None, (party.last_name, party.first_name)))
    kinds = {"XX": "NPI", "MI": "member id", "II": "id", "46": "id", "PI": "payer id", "XV": "plan id"}
    number = f"{kinds.get(party.id_qualifier, party.id_qualifier)} {party.id}".strip() if party.id else ""
    return tuple(filter(None, (name, number)))


def _with_point(code: str) -> str:
    """`M6281` as people write it, `M62.81`."""
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and code.isalnum() else code


# Raw segments


def _segments(part: Part, places: list[Place]) -> tuple[list[RawSegment], int]:
    """The segments to be shown, and how many are left out at the end."""
    if not isinstance(part, SegmentRun):
        segment = part.segment
        position = part.position if isinstance(part, TransactionEnd) else 0
        return ([RawSegment(position, _elements(segment))] if segment else []), 0
    marked = list(dict.fromkeys(place.position for place in places))[:MOST_MARKED]
    runs: list[SegmentRun] = [part]
    if isinstance(part, Claim):
        runs[:0] = [level for level in (part.billing, part.subscriber, part.patient) if level is not None]
    shown: list[RawSegment] = []
    skipped = 0
    for run in runs:
        room = MOST_SEGMENTS
        for position, segment, heading in _walk(run):
            room -= 1
            if room < 0 and not any(abs(position - mark) <= AROUND for mark in marked):
                skipped += 1
                continue
            shown.append(RawSegment(position, _elements(segment), heading, skipped))
            skipped = 0
    return shown, skipped


def _walk(run: SegmentRun) -> Iterator[tuple[int, Segment, str]]:
    """Position, segment and the heading of the loop that begins with it."""
    line = 0
    begin = "header" if isinstance(run, Transaction) else "2300" if isinstance(run, Claim) else "2000A"
    stands = walk_loops(run.segments, begin)
    for position, (segment, (loop, role, opens)) in enumerate(
        zip(run.segments, stands, strict=True), run.position
    ):
        heading = ""
        match segment[0]:
            case "HL":
                heading = " ".join(_LEVELS.get(element(segment, 3), ("Level",)))
            case "CLM":
                heading = "2300 Claim"
            case "SBR" if opens:
                heading = "2320 Other payer of the claim"
            case "LX":
                line += 1
                heading = f"2400 Line {line}"
            case "SVD" if line:
                heading = f"2430 Line {line}, another payer's decision"
            case "NM1":
                heading = f"{loop if opens else ''} {_PARTIES.get(role, role)}".strip()
            case "ST":
                heading = "Transaction"
        yield position, segment, shorten(heading, LONGEST)


def _elements(segment: Segment) -> tuple[str, ...]:
    shown = [shorten(value, LONGEST) for value in segment[:MOST_ELEMENTS]]
    if len(segment) > MOST_ELEMENTS:
        shown.append("\u2026")
    return tuple(shown)
