"""What identifies people and firms replaced by tokens, in checked parts, before anything is made of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeVar, cast

from edi_checker.check.allowed import (
    AMOUNT,
    COUNT,
    SMALL,
    Allowed,
    Form,
    forms,
    hide_numbers,
    numbers_in,
    personal_in,
)
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    BlockView,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Patient,
    Segment,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.guide.table import is_segment_id
from edi_checker.x12.blocks import Block, Delimiters
from edi_checker.x12.dates import day
from edi_checker.x12.finding import Finding, Place
from edi_checker.x12.money import cents

_P = TypeVar("_P", bound=Part)

_LENGTH = 8  # characters of a token after its kind: 40 bits, so that a million values hardly ever share one

_DAYS = frozenset((("DTP", 3), ("FRM", 4), ("BHT", 4), ("GS", 4)))  # of what happened, or was made
_CONTROL_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_MOST_PLAIN = 16_384
_LEAST_REPLACED = 3  # characters of a value that is replaced where a message quotes it
_SHORT = 5  # a claim number no longer than that may be a procedure code that a message speaks of

_KINDS_OF_ID = {
    "XX": "NPI",
    "MI": "MEMBER",
    "II": "MEMBER",
    "46": "SENDER",
    "PI": "PAYER",
    "XV": "PAYER",
    "FI": "TAX",
    "24": "TAX",
    "34": "TAX",
    "SY": "TAX",
    "EI": "TAX",
}
_KINDS: dict[tuple[str, int], str] = {
    ("CLM", 1): "CLAIM",
    ("ISA", 6): "SENDER",
    ("ISA", 8): "SENDER",
    ("GS", 2): "SENDER",
    ("GS", 3): "SENDER",
    ("BHT", 3): "BATCH",
    ("SBR", 3): "PLAN",
    ("SBR", 4): "PLAN",
    ("SVD", 1): "PAYER",
    ("DMG", 2): "BIRTH",
    ("PAT", 6): "DEATH",
    ("N3", 1): "ADDRESS",
    ("N3", 2): "ADDRESS",
    ("N4", 1): "CITY",
    ("N4", 2): "STATE",
    ("N4", 3): "ZIP",
    ("PER", 2): "NAME",
    ("PER", 4): "CONTACT",
    ("PER", 6): "CONTACT",
    ("PER", 8): "CONTACT",
    ("NTE", 2): "NOTE",
}


class Days(NamedTuple):
    """The days that may be seen: from `first` to `last`, but none on which a person was born or died."""

    first: int
    last: int
    personal: frozenset[int] = frozenset()

    def allow(self, text: str) -> bool:
        """Whether a day (CCYYMMDD), or both of a period, may be seen."""
        begin, hyphen, end = text.strip().partition("-")
        return self._allow(begin) and (not hyphen or self._allow(end))

    def _allow(self, text: str) -> bool:
        on = day(text)
        return on is not None and self.first <= on <= self.last and on not in self.personal


class Scope(NamedTuple):
    """What of a part decides which of its days and amounts may be seen.

    most    cents up to which an amount may be: a larger one may be an identifier that slipped. None: any
    payers  ids of the other payers of a claim: what one of them paid stands behind its id
    """

    days: Days
    most: int | None = None
    payers: frozenset[str] = frozenset()

    def allow(self, name: str, index: int, text: str) -> bool:
        """Whether a day or an amount may be seen; it stands in this element of a segment of that name."""
        return self.days.allow(text) if (name, index) in _DAYS else self._allow_amount(text)

    def _allow_amount(self, text: str) -> bool:
        if self.most is None:
            return True
        amount = cents(text.strip())
        return amount is not None and abs(amount) <= self.most


class Redactor:
    """Replaces names, identifiers, addresses, birth dates, contacts and free text by tokens.

    A token (`MEMBER-3F2AQ7XK`) stands for one value of one kind: the same value gives the same token under
    the same `key`, so that claims of one run can still be told apart, and without the key nothing leads back
    to the value. What remains is codes, amounts, units, counts, dates other than of birth and death, and
    control numbers of the envelope and the transaction, each only where the guide allows just that value
    (see `edi_checker.check.allowed`).

    Takes the parts of any number of inputs, each in document order.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._forms = forms()
        self._token = lru_cache(maxsize=65536)(self._make_token)
        # The last part of each type and its redacted form: what later parts point up to.
        self._last: dict[type, tuple[Part, Part]] = {}
        # What stands in the part at hand where only a value that may be seen belongs, and may not be.
        self._refused: set[str] = set()
        # Segments, behind the component separator, in which all may be seen in any claim.
        self._plain: set[tuple[str, ...]] = set()
        # Control numbers of headers that may not be seen: places name them too.
        self._hidden: set[str] = set()

    def __reduce__(self) -> tuple[type[Redactor], tuple[bytes]]:
        """For another process of the same run: the same tokens, nothing of the parts seen so far."""
        return Redactor, (self._key,)

    def redact(self, checked: Checked) -> Checked:
        """The part and its findings without what identifies; outcome and reason stay."""
        self._refused.clear()
        part = self._claim(checked.part) if isinstance(checked.part, Claim) else self._above(checked.part)
        findings = tuple(self._finding(finding) for finding in checked.findings)
        return checked._replace(part=part, findings=findings)

    def token(self, kind: str, value: str) -> str:
        """The token for a value; "" and blanks stay as they are."""
        return self._token(kind, value.strip()) if value.strip() else value

    def _make_token(self, kind: str, value: str) -> str:
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, message, hashlib.sha256)
        return f"{kind}-{base64.b32encode(digest)[:_LENGTH].decode()}"

    # Findings

    def _finding(self, finding: Finding) -> Finding:
        message, fix = finding.message, finding.fix
        if self._refused:
            numbers = numbers_in(self._refused)
            message, fix = hide_numbers(message, numbers), hide_numbers(fix, numbers)
        for value in self._refused:
            if len(value) >= _LEAST_REPLACED:
                token = self.token("TEXT", value)
                message, fix = _put(message, value, token), _put(fix, value, token)
        for place in (finding.where, *finding.related):
            # Messages name no person, but that of a duplicate may name the other claim.
            if place.claim and len(place.claim) > _SHORT:
                token = self.token("CLAIM", place.claim)
                message, fix = _put(message, place.claim, token), _put(fix, place.claim, token)
        return finding._replace(
            message=message,
            fix=fix,
            where=self._place(finding.where),
            related=tuple(self._place(place) for place in finding.related),
        )

    def _place(self, place: Place) -> Place:
        return place._replace(
            interchange=self._number(place.interchange),
            group=None if place.group is None else self._number(place.group),
            transaction=None if place.transaction is None else self._number(place.transaction),
            claim=None if place.claim is None else self.token("CLAIM", place.claim),
            segment=self._name(place.segment),
        )

    def _number(self, text: str) -> str:
        """A control number as its header shows it."""
        seen = _CONTROL_NUMBER.fullmatch(text) and text not in self._hidden
        return text if seen else self.token("NUMBER", text)

    # Parts

    def _part(self, part: Part) -> Part:
        match part:
            case Claim():
                return self._claim(part)
            case Interchange():
                segment = self._header(part.segment, part.delimiters, _ANYWHERE, 13)
                return replace(part, segment=segment)
            case Group():
                segment = self._header(part.segment, part.interchange.delimiters, _ANYWHERE, 6)
                return replace(part, segment=segment, interchange=self._above(part.interchange))
            case Transaction():
                return Transaction(self._block(part), self._above(part.group), part.faults)
            case BillingProvider():
                return BillingProvider(self._block(part), self._above(part.transaction), part.faults)
            case Subscriber():
                provider = None if part.provider is None else self._above(part.provider)
                return Subscriber(self._block(part), self._above(part.transaction), part.faults, provider)
            case Patient():
                subscriber = None if part.subscriber is None else self._above(part.subscriber)
                return Patient(self._block(part), self._above(part.transaction), part.faults, subscriber)
            case TransactionEnd():
                header = part.transaction
                trailer = self._trailer(part.segment, header.control_number, header.interchange.delimiters)
                return replace(part, segment=trailer, transaction=self._above(header))
            case GroupEnd():
                group = part.group
                trailer = self._trailer(part.segment, group.control_number, group.interchange.delimiters)
                return replace(part, segment=trailer, group=self._above(group))
            case InterchangeEnd():
                opened = part.interchange
                trailer = self._trailer(part.segment, opened.control_number, opened.delimiters)
                return replace(part, segment=trailer, interchange=self._above(opened))

    def _claim(self, claim: Claim) -> Claim:
        return Claim(
            self._block(claim),
            self._above(claim.transaction),
            None if claim.billing is None else self._above(claim.billing),
            None if claim.subscriber is None else self._above(claim.subscriber),
            None if claim.patient is None else self._above(claim.patient),
            claim.faults,
            claim.cut,
        )

    def _above(self, part: _P) -> _P:
        """The redacted form of a part that another one points up to: the same object for the same part."""
        known = self._last.get(type(part))
        if known is None or known[0] is not part:
            known = self._last[type(part)] = (part, self._part(part))
        return cast(_P, known[1])

    def _block(self, part: BlockView) -> Block:
        """The block of a part with its segments redacted; views read its text as well as its segments."""
        delimiters = _delimiters_of(part)
        scope = _scope_of(part)
        segments = []
        for segment in part.segments:
            if segment and segment[0] == "ST":
                segments.append(self._header(segment, delimiters, scope, 2))
            else:
                segments.append(self._segment(segment, delimiters, scope))
        text = delimiters.terminator.join(delimiters.element.join(segment) for segment in segments)
        return part.block._replace(text=text)

    # Segments

    def _header(self, segment: Segment, delimiters: Delimiters, scope: Scope, number: int) -> Segment:
        """An envelope's opening segment, whose control number is element `number`."""
        out = self._segment(segment, delimiters, scope)
        value = element(segment, number)
        if value.strip() and element(out, number) != value:
            self._hidden.add(value)
            out[number] = self.token("NUMBER", value)
        return out

    def _trailer(self, segment: Segment | None, number: str, delimiters: Delimiters) -> Segment | None:
        """A closing segment: its control number may be seen if it is that of the header, `number`."""
        if segment is None:
            return None
        out = self._segment(segment, delimiters, _ANYWHERE)
        value = element(segment, 2)
        if value.strip():
            out[2] = self._number(value) if value == number else self.token("NUMBER", value)
            if out[2] == value and COUNT(segment[1]):
                out[1] = segment[1]
        return out

    def _segment(self, segment: Segment, delimiters: Delimiters, scope: Scope) -> Segment:
        """The segment with a token in place of each element that may not be seen.

        Where one of those that may be seen is not as the guide allows it, or one that it requires is missing,
        the others may have slipped: then only what is in a list of the guide may be seen, and small numbers
        if the first element with a list is right.
        """
        if not segment:
            return segment
        key = (delimiters.component, *segment)
        if key in self._plain:
            return segment
        name = segment[0]
        form = self._forms.get(name)
        if form is None:
            return [
                self._name(name),
                *[self.token(_kind_of(segment, at), segment[at]) for at in range(1, len(segment))],
            ]
        out, open_ones, slipped = self._look(segment, form, delimiters.component)
        count = len(segment)
        if not slipped:
            for at in form.required:
                if at >= count or not segment[at]:
                    slipped = True
        anchored = 0 < form.anchor < count and self._is_kept(segment, out, form.anchor, delimiters.component)
        if name == "SVD" and element(segment, 1).strip() not in scope.payers:
            slipped, anchored = True, False
        here = False  # whether what may be seen depends on the part
        for index in open_ones:
            value = segment[index]
            seen = True
            if slipped or not anchored:
                seen = (anchored or not slipped) and SMALL(value.strip()) is not None
                asks = seen and not anchored and _holds_amount(form, index)
            else:
                asks = (name, index) in _DAYS or _holds_large(form, index, value)
            if asks:
                here, seen = True, scope.allow(name, index, value)
            if not seen:
                out[index] = self._refuse(value)
        if out == segment and not here and name != "SVD":
            if len(self._plain) >= _MOST_PLAIN:
                self._plain.clear()
            self._plain.add(key)
        return out

    @staticmethod
    def _is_kept(segment: Segment, out: Segment, number: int, separator: str) -> bool:
        """Whether an element, or the first component of a composite, is there and is seen as it is."""
        before, after = segment[number], out[number]
        if before != after and separator:
            before, after = before.partition(separator)[0], after.partition(separator)[0]
        return before == after and before not in ("", separator)

    def _look(self, segment: Segment, form: Form, separator: str) -> tuple[Segment, list[int], bool]:
        """The segment with tokens, element by element; the numbers of the elements that are seen and in no
        list of the guide; whether one was not as the guide allows it.
        """
        out = segment[:1]
        open_ones: list[int] = []
        elements, known = form.elements, len(form.elements)
        slipped = len(segment) > known
        for index in range(1, len(segment)):
            value = segment[index]
            if not value or value.isspace():
                out.append(value)
                continue
            allowed = elements[index] if index < known else None
            if allowed is None:
                slipped = slipped or index in form.unused
                out.append(self._token(_kind_of(segment, index), value.strip()))
            elif not isinstance(allowed, Allowed):
                shown = self._composite(value, allowed, separator)
                slipped = slipped or (index == form.anchor and shown[0] != value[0])
                out.append(shown)
            elif allowed.holds(value if value[-1] != " " else value.strip()):
                if not allowed.coded:
                    open_ones.append(index)
                out.append(value)
            else:
                slipped = True
                out.append(self._refuse(value))
        return out, open_ones, slipped

    def _composite(self, value: str, allowed: tuple[Allowed | None, ...], separator: str) -> str:
        """A composite with a token in place of each component that may not be seen.

        Behind one that is not as the guide allows it, only what is in a list of the guide may be.
        """
        out: list[str] = []
        slipped = False
        for at, part in enumerate(value.split(separator) if separator else [value]):
            test = allowed[at] if at < len(allowed) else None
            if not part or part.isspace():
                slipped = slipped or at == 0
                out.append(part)
            elif test is None:
                out.append(self.token("TEXT", part))
            elif test.holds(part.strip()) and (test.coded or not slipped):
                out.append(part)
            else:
                slipped = True
                out.append(self._refuse(part))
        return separator.join(out)

    def _refuse(self, value: str) -> str:
        """The token of a value that stands where one that may be seen belongs."""
        self._refused.add(value.strip())
        return self.token("TEXT", value)

    def _name(self, segment: str) -> str:
        return segment if not segment or is_segment_id(segment) else self.token("SEGMENT", segment)


_FIRST_OF_ALL, _LAST_OF_ALL = 20030101, 20991231  # HIPAA's first claims, and what is surely no birth date
_YEAR = 10_000
_LATE, _BEFORE, _AFTER = 10 * _YEAR, 3 * _YEAR, _YEAR
_ANY_DAY = Days(_FIRST_OF_ALL, _LAST_OF_ALL)
_ANYWHERE = Scope(_ANY_DAY)
_OVER = 2  # times the charge of a claim that an amount in it may be


def _scope_of(part: BlockView) -> Scope:
    """What may be seen in a part: of a claim, amounts up to twice what both CLM02 and its lines charge."""
    days = _days_of(part)
    if not isinstance(part, Claim):
        return Scope(days)
    charges = [cents(element(segment, 2).strip()) or 0 for segment in part.all("SV1")]
    least = min(cents(element(part.segment, 2).strip()) or 0, sum(charges))
    payers = {element(segment, 9).strip() for segment in part.all("NM1", "PR")} - {""}
    return Scope(days, _OVER * max(least, 0), frozenset(payers))


def _holds_large(form: Form, index: int, value: str) -> bool:
    """Whether an element is an amount with so many digits that it could be a person's number."""
    return _holds_amount(form, index) and not SMALL(value.strip())


def _holds_amount(form: Form, index: int) -> bool:
    allowed = form.elements[index]
    return isinstance(allowed, Allowed) and allowed.holds is AMOUNT


def _days_of(part: BlockView) -> Days:
    """The days that may be seen in a part: of a claim, three years before its services to one after them.

    Days of service count if they are no more than ten years older than the file, and nobody's birth or death.
    """
    if not isinstance(part, Claim):
        return _ANY_DAY._replace(personal=_personal(part))
    personal = _personal(part)
    for above in (part.subscriber, part.patient):
        if above is not None:
            personal |= _personal(above)
    group = part.transaction.group
    made = day(group.value(4)) or _FIRST_OF_ALL + _LATE
    services = [
        on
        for segment in part.segments
        if segment[0] == "DTP" and segment[1:2] == ["472"]
        for text in element(segment, 3).split("-", 1)
        if (on := day(text)) is not None and made - _LATE <= on <= _LAST_OF_ALL and on not in personal
    ]
    if not services:
        return Days(made - _LATE, _LAST_OF_ALL, personal)
    return Days(min(services) - _BEFORE, max(services) + _AFTER, personal)


def _personal(part: BlockView) -> frozenset[int]:
    """The days of birth and death in a part."""
    return frozenset(on for value in personal_in(part.segments) if (on := day(value)) is not None)


def _delimiters_of(part: BlockView) -> Delimiters:
    header = part if isinstance(part, Transaction) else cast(Level | Claim, part).transaction
    return header.interchange.delimiters


def _kind_of(segment: Segment, index: int) -> str:
    name = segment[0]
    if name == "NM1":
        return _KINDS_OF_ID.get(element(segment, 8), "ID") if index == 9 else "NAME"
    if name == "REF":
        return _KINDS_OF_ID.get(element(segment, 1), "ID")
    return _KINDS.get((name, index), "TEXT")


def _put(text: str, value: str, token: str) -> str:
    """The text with a value that stands in it by itself replaced."""
    if value not in text:
        return text
    return re.sub(rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])", token, text)
