"""277CA: which claims are accepted, and why each of the others is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from edi_checker.acks.ack999 import addresses
from edi_checker.acks.interchange import (
    BEGIN,
    COMPONENT,
    ELEMENT,
    ControlNumber,
    Day,
    Room,
    Spool,
    clean,
    write_group_header,
)
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    Patient,
    Provider,
    SegmentRun,
    ServiceLine,
    Subscriber,
    Transaction,
    element,
)
from edi_checker.x12.finding import NEED_A_SECOND, RETURNED, Finding
from edi_checker.x12.money import x12_amount

VERSION = "005010X214"

_LONGEST_TEXT = 264  # STC12
_MOST_STATUSES = 9  # STC segments under one claim or line
_MOST_CENTS = 10**17  # STC04 holds 18 characters; what is more is no charge

_REJECTS = re.compile(r"(A[3678]):([0-9]{1,4})(?::([A-Z0-9]{2,3}))?")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,3})?")
_FORMAT = "481"  # the submission's format is invalid: partner and last resort for what no code names
_LINE = ("A3:247",)  # the claim fails because of a line, see 2220D
_RECEIPT = "A1:19"
_UNREAD = "CLM02 cannot be read and counts as 0."
_ACCEPTED = "A2:20"

# Who may be named in STC01-3, by the level at which the STC stands.
_OF_RECEIVER = frozenset(("36", "40", "41", "AY", "PR"))
_OF_PROVIDER = _OF_RECEIVER | {"77", "82", "85", "87"}
_OF_CLAIM = frozenset((
    "03", "1P", "1Z", "40", "41", "71", "72", "73", "77", "82", "85", "87", "DK", "DN", "DQ", "FA",
    "GB", "HK", "IL", "LI", "MSC", "PR", "PRP", "QB", "QC", "QD", "SEP", "TL", "TTP", "TU",
))  # fmt: skip

_NOBODY = [""] * 8  # NM102 to NM109
_LINE_QUALIFIERS = frozenset(("AD", "ER", "HC", "HP", "IV", "NU", "WK"))


@dataclass(slots=True)
class _Sums:
    """Claims and cents, accepted and rejected."""

    accepted: int = 0
    rejected: int = 0
    accepted_cents: int = 0
    rejected_cents: int = 0

    @property
    def claims(self) -> int:
        return self.accepted + self.rejected

    @property
    def cents(self) -> int:
        return self.accepted_cents + self.rejected_cents

    def count(self, rejected: bool, cents: int) -> None:
        if rejected:
            self.rejected += 1
            self.rejected_cents += cents
        else:
            self.accepted += 1
            self.accepted_cents += cents

    def add(self, other: _Sums) -> None:
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.accepted_cents += other.accepted_cents
        self.rejected_cents += other.rejected_cents


@dataclass(slots=True)
class _ProviderLevel:
    """One 2000C while its claims pass."""

    provider: BillingProvider | None
    number: int
    sums: _Sums = field(default_factory=_Sums)
    # Where the provider is rejected as a whole: why. Its claims are counted and not listed.
    rejected: list[Finding] | None = None
    listed: bool = False


@dataclass(slots=True)
class _Set:
    """One 837 transaction set while it passes."""

    transaction: Transaction
    sums: _Sums = field(default_factory=_Sums)
    levels: int = 2
    findings: list[Finding] = field(default_factory=list)
    payer: str = ""
    provider: _ProviderLevel | None = None
    # The level (2000C or 2000B of the 837) whose patient the last listed claim belonged to.
    patient: Patient | Subscriber | None = None
    above: dict[type, list[Finding]] = field(default_factory=dict)


class Group277:
    """The answers to the sets of one functional group, one 277 for each, written to `out` as they pass.

    Totals stand before the claims they count, so the claims wait in a spool until provider and set are over.
    Each status of a rejected claim takes a place of the `room`; where there is none, the first one stands.
    """

    def __init__(self, group: Group, out: Spool, number: ControlNumber, day: Day, room: Room) -> None:
        self._group = group
        self._out = out
        self._number = number
        self._day = day
        self._reference = number.padded
        self._room = room
        delimiters = group.interchange.delimiters
        self._element, self._end = delimiters.element, delimiters.terminator
        # How the segments begin that are looked for in the text of each claim and its levels.
        self._d9 = self._end + self._element.join(("REF", "D9", ""))
        self._insured, self._dependent = (
            self._end + self._element.join(("NM1", role, "")) for role in ("IL", "QC")
        )
        self._begin = out.mark()
        self._claims = Spool()
        self._levels = Spool()
        self._set: _Set | None = None
        self._answered = 0

    def open_set(self, transaction: Transaction, errors: list[Finding]) -> None:
        self.discard_set()
        self._set = _Set(transaction, findings=list(errors))

    def open_provider(self, provider: BillingProvider, errors: list[Finding], rejected: bool) -> None:
        """2000C. `rejected` says that the provider's own errors reject every claim below it."""
        now = self._set
        if now is None:
            return
        self._start_provider(now, provider, list(errors) if rejected else None)
        now.above = {BillingProvider: errors}

    def open_patient(self, level: Subscriber | Patient, errors: list[Finding]) -> None:
        now = self._set
        if now is None:
            return
        if isinstance(level, Subscriber):
            now.above.pop(Patient, None)
            now.payer = now.payer or level.payer.id
        now.above[type(level)] = errors

    def add_claim(self, claim: Claim, errors: list[Finding], rejected: bool) -> None:
        now = self._set
        if now is None:
            return
        level = now.provider
        if level is None or level.provider is not claim.billing:
            # The file does not name a billing provider at its place; what stands above the claim still holds.
            level = self._start_provider(now, claim.billing, None)
        cents = claim.charge
        amount = cents if cents is not None and abs(cents) < _MOST_CENTS else 0
        level.sums.count(rejected or level.rejected is not None, amount)
        if level.rejected is not None:
            return
        lines: list[str] = []
        patient = claim.subscriber if claim.patient is None else claim.patient
        if patient is not now.patient or not level.listed:
            level.listed = True
            now.patient = patient
            now.levels += 1
            lines += (f"HL*{now.levels}*{level.number}*PT", self._patient_name(claim))
        lines.append(f"TRN*2*{clean(claim.id, 50) or '0'}")
        date, unread = self._day.date, "" if amount == cents else _UNREAD
        failing: list[tuple[ServiceLine, list[Finding]]] = []
        if rejected:
            of_claim, failing = _sort_out(claim, errors)
            for kind in (Patient, Subscriber, BillingProvider):
                of_claim += now.above.get(kind, ())
            told = _rejections(of_claim, failing, date, x12_amount(amount), unread)
            if not self._room.take(len(told)):
                told, failing = told[:1], []
            lines += told
        elif unread:
            lines.append(_status((_ACCEPTED,), date, "WQ", x12_amount(amount), unread))
        else:
            lines.append(f"STC*{_ACCEPTED}*{date}*WQ*{x12_amount(amount)}")
        if self._d9 in claim.block.text and (reference := _intermediary(claim)):
            lines.append(f"REF*D9*{reference}")
        lines += _dates(claim.dates)
        for line, found in failing:
            if self._room.take(len(found)):
                lines += _line_lines(line, found)
        self._claims.write_all(lines)

    def _patient_name(self, claim: Claim) -> str:
        """NM1 of 2000D, with the insured's number where the patient has none."""
        subscriber, patient = claim.subscriber, claim.patient
        named = member = self._named(subscriber, self._insured, "IL") if subscriber is not None else _NOBODY
        if patient is not None:
            named = self._named(patient, self._dependent, "QC")
            member = member if subscriber is not None else named
        identifier = clean(named[7], 80, 2) or clean(member[7], 80, 2)
        return _name("QC", named[1:], "1", member[6] if member[6] in ("MI", "II") else "MI", identifier)

    def _named(self, level: Subscriber | Patient, mark: str, role: str) -> list[str]:
        """NM102 to NM109 of the first party with this role, "" for what is not there."""
        if level.faults:
            found = (level.named(role) or [])[2:]
        else:
            found = level.block.text.partition(mark)[2].partition(self._end)[0].split(self._element)
        return found if len(found) >= len(_NOBODY) else found + _NOBODY

    def close_set(self, errors: list[Finding], rejected: bool) -> None:
        """ST to SE of the answer. `rejected` says that the whole set is: then nothing stands below 2000B."""
        now = self._set
        if now is None:
            return
        self._close_provider(now)
        day = self._day
        receiver = now.transaction.receiver
        identifier = clean(receiver.id, 80, 2) or addresses(self._group)[0]
        entity = "PR" if now.payer and now.payer == receiver.id else "AY"
        name = clean(receiver.last_name, 60) or identifier
        head = ["HL*1**20*1", f"NM1*{entity}*2*{name}*****46*{identifier}"]
        rest = [f"DTP*050*D8*{day.date}", f"DTP*009*D8*{day.date}"]
        sums = now.sums
        if rejected:
            sums = _Sums(0, sums.claims, 0, sums.cents)
            self._levels.cut_back(BEGIN)
        rest.append(f"HL*2*1*21*{1 if self._levels.segments else 0}")
        submitter = now.transaction.submitter
        identifier = clean(submitter.id, 80, 2) or addresses(self._group)[1]
        named = submitter.name_segment or []
        rest.append(_name("41", named[3:], submitter.entity_type, "46", identifier))
        rest.append(f"TRN*2*{clean(now.transaction.batch, 50) or '0'}")
        total = x12_amount(sums.cents)
        if rejected:
            reasons = _reasons([*now.findings, *errors], _OF_RECEIVER) or [(RETURNED, "")]
            rest += [_status(codes, day.date, "U", total) for codes, _ in reasons]
        else:
            rest.append(_status((f"{_RECEIPT}:{entity}",), day.date, "WQ", total))
        rest += _totals(sums, "90", "AA")
        self._set = None
        self._write_set(head, rest)

    def _write_set(self, head: list[str], rest: list[str]) -> None:
        """One answer with the next number and what waits in the spool of its levels."""
        out, day = self._out, self._day
        if not self._answered:
            write_group_header(out, "HN", addresses(self._group), self._number, day, VERSION)
        self._answered += 1
        number = f"{self._answered:04d}"
        reference = f"{self._reference}{number}"
        first = out.segments
        out.write("ST", "277", number, VERSION)
        out.write("BHT", "0085", "08", reference, day.date, day.time, "TH")
        out.write_all(head)
        out.write("TRN", "1", reference)
        out.write_all(rest)
        self._levels.pour(out)
        out.write("SE", str(out.segments - first + 1), number)

    def discard_set(self) -> None:
        """Forget the set that is passing: the 999 rejected it, or it could not be checked."""
        self._claims.cut_back(BEGIN)
        self._levels.cut_back(BEGIN)
        self._set = None

    def close(self, keep: bool) -> bool:
        """GE; says whether the group has any answer. `keep` False takes back what was written of it."""
        self.discard_set()
        self._claims.close()
        self._levels.close()
        if not keep:
            self._out.cut_back(self._begin)
            return False
        if self._answered:
            self._out.write("GE", str(self._answered), self._number.plain)
        return bool(self._answered)

    def _start_provider(
        self, now: _Set, provider: BillingProvider | None, rejected: list[Finding] | None
    ) -> _ProviderLevel:
        self._close_provider(now)
        now.levels += 1
        now.provider = _ProviderLevel(provider, now.levels, rejected=rejected)
        return now.provider

    def _close_provider(self, now: _Set) -> None:
        level = now.provider
        if level is None:
            return
        out, sums = self._levels, level.sums
        out.write("HL", str(level.number), "2", "19", "1" if level.listed else "0")
        billing = level.provider.provider if level.provider is not None else Provider(SegmentRun([], 0, ""))
        qualifier, identifier = billing.id_qualifier, clean(billing.id, 80, 2)
        if qualifier not in ("XX", "FI", "SV"):
            qualifier = "FI"
        if not identifier and level.provider is not None:
            qualifier, identifier = "FI", clean(level.provider.tax_id, 80, 2)
        named = billing.name_segment or []
        out.write_all([_name("85", named[3:], billing.entity_type, qualifier, identifier)])
        out.write("TRN", "1", "0")
        total = x12_amount(sums.cents)
        if level.rejected is not None:
            reasons = _reasons(level.rejected, _OF_PROVIDER) or [(RETURNED, "")]
            out.write_all([_status(codes, "", "U", total) for codes, _ in reasons])
        else:
            entity = "PR" if now.payer and now.payer == now.transaction.receiver.id else "AY"
            out.write_all([_status((f"{_RECEIPT}:{entity}",), "", "WQ", total)])
        out.write_all(_totals(sums, "QA", "QC"))
        self._claims.pour(out)
        now.sums.add(sums)
        now.provider = None


def _totals(sums: _Sums, accepted: str, rejected: str) -> list[str]:
    """QTY and AMT, each only where there is something to count."""
    out = []
    if sums.accepted:
        out.append(f"QTY*{accepted}*{sums.accepted}")
    if sums.rejected:
        out.append(f"QTY*{rejected}*{sums.rejected}")
    if sums.accepted:
        out.append(f"AMT*YU*{x12_amount(sums.accepted_cents)}")
    if sums.rejected:
        out.append(f"AMT*YY*{x12_amount(sums.rejected_cents)}")
    return out


def _intermediary(claim: Claim) -> str:
    """REF*D9 of the claim, "" where there is none."""
    _, mark, behind = claim.block.text.partition(claim.mark("REF", "D9"))
    if not mark:
        return ""
    if claim.faults:
        return clean(claim.header.reference("D9"), 50)
    # Without a fault it stands in the header: the claim need not be split to find that out.
    delimiters = claim.block.delimiters
    return clean(behind.partition(delimiters.terminator)[0].partition(delimiters.element)[0], 50)


def _name(role: str, names: list[str], person: str, qualifier: str, identifier: str) -> str:
    """NM1 of a party, its `names` from NM103 on. What has no name is called UNKNOWN; without an identifier
    NM108 and NM109 both stay empty.
    """
    last, first, middle, *_ = (*names, "", "", "")
    named = clean(last, 60) or "UNKNOWN"
    named = f"1*{named}*{clean(first, 35)}*{clean(middle, 25)}" if person == "1" else f"2*{named}**"
    return f"NM1*{role}*{named}***{qualifier if identifier else ''}*{identifier}".rstrip(ELEMENT)


def _rejections(
    of_claim: list[Finding],
    failing: list[tuple[ServiceLine, list[Finding]]],
    date: str,
    amount: str,
    unread: str,
) -> list[str]:
    """STC of a rejected claim, one for each reason"""
    reasons = _reasons(of_claim, _OF_CLAIM)
    if not reasons:
        text = " ".join(f"Line {line.ordinal} - {found[0].message}" for line, found in failing)
        reasons = [(_LINE if failing else RETURNED, text)]
    out: list[str] = []
    for codes, text in reasons:
        said = f"{unread} {text}" if unread and not out else text
        out.append(_status(codes, date, "U", amount, clean(said, _LONGEST_TEXT)))
    return out


def _status(codes: tuple[str, ...], date: str, action: str, amount: str, text: str = "") -> str:
    """STC with its up to three codes in STC01, STC10 and STC11."""
    first, second, third = (*codes, "", "")[:3]
    return f"STC*{first}*{date}*{action}*{amount}******{second}*{third}*{text}".rstrip(ELEMENT)


@lru_cache(maxsize=4096)
def _dates(period: tuple[int | None, int | None]) -> tuple[str, ...]:
    """DTP*472, where the dates of service can be read."""
    first, last = period
    if first is None or last is None:
        return ()
    if first == last:
        return (f"DTP*472*D8*{first:08d}",)
    return (f"DTP*472*RD8*{first:08d}-{last:08d}",)


def _sort_out(
    claim: Claim, errors: list[Finding]
) -> tuple[list[Finding], list[tuple[ServiceLine, list[Finding]]]]:
    """A claim's errors: those of the claim, and those of each line that can be shown (SVC needs a code)."""
    of_claim: list[Finding] = []
    of_line: dict[int, list[Finding]] = {}
    for finding in errors:
        ordinal = finding.where.line
        if ordinal is not None and 0 < ordinal <= len(claim.lines) and _procedure(claim.lines[ordinal - 1]):
            of_line.setdefault(ordinal, []).append(finding)
        else:
            of_claim.append(finding)
    return of_claim, [(claim.lines[ordinal - 1], found) for ordinal, found in sorted(of_line.items())]


def _procedure(line: ServiceLine) -> str:
    """SVC01: qualifier, code, modifiers of two characters; "" where SV101 names no procedure."""
    qualifier, code = (clean(part, 48) for part in line.procedure[:2])
    if not code or qualifier not in _LINE_QUALIFIERS:
        return ""
    modifiers = (clean(modifier, 48) for modifier in line.modifiers)
    return COMPONENT.join((qualifier, code, *(modifier for modifier in modifiers if len(modifier) == 2)))


def _line_lines(line: ServiceLine, errors: list[Finding]) -> list[str]:
    charge = line.charge
    amount = x12_amount(charge) if charge is not None and abs(charge) < _MOST_CENTS else "0"
    units = element(line.service, 4)
    if not _NUMBER.fullmatch(units):
        units = ""
    out = [f"SVC*{_procedure(line)}*{amount}*****{units}".rstrip(ELEMENT)]
    for codes, _ in _reasons(errors, _OF_CLAIM):
        out.append(_status(codes, "", "U", ""))
    control = clean(line.control, 50) or clean(element(line.first("LX"), 1), 50)
    if control:
        out.append(f"REF*FJ*{control}")
    return [*out, *_dates(line.dates)]


def _reasons(errors: Iterable[Finding], entities: frozenset[str]) -> list[tuple[tuple[str, ...], str]]:
    """The distinct statuses of these errors, in order, each with the message of the first that bears it."""
    found: dict[tuple[str, ...], str] = {}
    for finding in errors:
        if len(found) >= _MOST_STATUSES:
            break
        found.setdefault(_without_strangers(statuses(finding), entities), finding.message)
    return list(found.items())


@lru_cache(maxsize=1024)
def _without_strangers(codes: tuple[str, ...], entities: frozenset[str]) -> tuple[str, ...]:
    said = [code.split(COMPONENT) for code in codes]
    return tuple(COMPONENT.join(code if code[-1] in entities else code[:2]) for code in said)


def statuses(finding: Finding) -> tuple[str, ...]:
    """The codes (category:code[:entity]) by which a 277CA rejects for this error, one to three of them.

    Codes that reject nothing, or that are none, are passed over. An error that brings no other is returned to
    the submitter with its message in STC12.
    """
    return _choose_codes(finding.status.ack277ca)


@lru_cache(maxsize=1024)
def _choose_codes(said: tuple[str, ...]) -> tuple[str, ...]:
    codes = tuple(code for code in said if _REJECTS.fullmatch(code))[:3]
    if not codes:
        codes = RETURNED
    category, code, *_ = codes[0].split(COMPONENT)
    if len(codes) == 1 and code in NEED_A_SECOND:
        codes = (codes[0], f"{category}:{_FORMAT}")
    return codes
