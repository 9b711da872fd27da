"""What identifies people and firms replaced by tokens, in checked parts, before anything is made of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar, cast

from edi_checker.check.checker import Checked
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
from edi_checker.finding import Finding, Place
from edi_checker.x12.blocks import Block, Delimiters

_P = TypeVar("_P", bound=Part)

_LENGTH = 8  # characters of a token after its kind: 40 bits, so that a million values hardly ever share one

# What may be seen of each segment, by element; everything else is masked, and so is every segment that does
# not stand here. A value must also look like what belongs there: see _LOOKS.
_CLEAR: dict[str, frozenset[int]] = {
    name: frozenset(range(1, 40)) if shown == "*" else frozenset(int(number) for number in shown.split())
    for name, shown in {
        "ISA": "1 3 5 7 9 10 11 12 13 14 15 16",
        "GS": "1 4 5 6 7 8",
        "ST": "*",
        "SE": "*",
        "GE": "*",
        "IEA": "*",
        "BHT": "1 2 4 5 6",
        "HL": "*",
        "PRV": "1 2 3",
        "CUR": "*",
        "SBR": "1 2 5 6 7 8 9",
        "PAT": "1 2 3 4 5 7 8 9",
        "NM1": "1 2 8",
        "N4": "4",
        "REF": "1",
        "PER": "1 3 5 7",
        "DMG": "1 3",
        "CLM": "2 3 4 5 6 7 8 9 10 11 12 16 20",
        "DTP": "*",
        "PWK": "1 2 5",
        "CN1": "1 2 3 5 6",
        "AMT": "*",
        "NTE": "1",
        "CR1": "1 2 3 4 5 6",
        "CR2": "8 9 12",
        "CR3": "*",
        "CRC": "*",
        "HI": "*",
        "HCP": "1 2 3 5 6 7 9 10 11 12 13 14 15",
        "CAS": "*",
        "OI": "*",
        "MOA": "1 2 3 4 5 6 7 8 9",
        "LX": "*",
        "SV1": "*",
        "SV5": "*",
        "QTY": "*",
        "MEA": "*",
        "PS1": "2 3",
        "LIN": "2 3",
        "CTP": "*",
        "SVD": "2 3 4 5 6",
        "LQ": "1 2",
        "FRM": "1 2 4 5",
    }.items()
}
_LOOKS = re.compile(
    r"[A-Z0-9]{0,3}|[^A-Za-z0-9\s]"  # codes and qualifiers, separators
    r"|-?[0-9]{0,14}(?:\.[0-9]{0,8})?|[0-9]{8}-[0-9]{8}"  # counts, amounts, dates and times
    r"|[A-Z][0-9][A-Z0-9]{1,5}"  # diagnoses
    r"|[A-Z0-9][0-9]{3}[A-Z0-9]"  # procedures
    r"|[0-9A-Z]{9}X"  # taxonomies
    r"|00[0-9]{4}X[0-9]{3}(?:A[0-9])?|00[0-9]{3}[0-9]?"  # versions
)
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_CONTROL_NUMBERS = frozenset(
    (("ISA", 13), ("IEA", 2), ("GS", 6), ("GE", 2), ("ST", 2), ("SE", 2))
)  # places name them too
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


class Redactor:
    """Replaces names, identifiers, addresses, birth dates, contacts and free text by tokens.

    A token (`MEMBER-3F2AQ7XK`) stands for one value of one kind: the same value gives the same token under
    the same `key`, so that claims of one run can still be told apart, and without the key nothing leads back
    to the value. What remains is codes, amounts, units, counts, dates other than of birth and death, and
    control numbers of the envelope and the transaction. What the table of clear elements does not know is
    masked.

    Takes the parts of any number of inputs, each in document order.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._token = lru_cache(maxsize=65536)(self._make_token)
        # The last part of each type and its redacted form: what later parts point up to.
        self._last: dict[type, tuple[Part, Part]] = {}

    def redact(self, checked: Checked) -> Checked:
        """The part and its findings without what identifies; outcome and reason stay."""
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
            interchange=self._clear(place.interchange, "NUMBER"),
            group=None if place.group is None else self._clear(place.group, "NUMBER"),
            transaction=None if place.transaction is None else self._clear(place.transaction, "NUMBER"),
            claim=None if place.claim is None else self.token("CLAIM", place.claim),
            segment=self._name(place.segment),
        )

    # Parts

    def _part(self, part: Part) -> Part:
        match part:
            case Claim():
                return self._claim(part)
            case Interchange():
                return replace(part, segment=self._segment(part.segment, part.delimiters))
            case Group():
                segment = self._segment(part.segment, part.interchange.delimiters)
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
                trailer = self._optional(part.segment, part.transaction.interchange.delimiters)
                return replace(part, segment=trailer, transaction=self._above(part.transaction))
            case GroupEnd():
                trailer = self._optional(part.segment, part.group.interchange.delimiters)
                return replace(part, segment=trailer, group=self._above(part.group))
            case InterchangeEnd():
                trailer = self._optional(part.segment, part.interchange.delimiters)
                return replace(part, segment=trailer, interchange=self._above(part.interchange))

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
        segments = [self._segment(segment, delimiters) for segment in part.segments]
        text = delimiters.terminator.join(delimiters.element.join(segment) for segment in segments)
        return part.block._replace(text=text)

    # Segments

    def _optional(self, segment: Segment | None, delimiters: Delimiters) -> Segment | None:
        return None if segment is None else self._segment(segment, delimiters)

    def _segment(self, segment: Segment, delimiters: Delimiters) -> Segment:
        if not segment:
            return segment
        name = segment[0]
        clear = _CLEAR.get(name, frozenset())
        out = [self._name(name)]
        for index, value in enumerate(segment[1:], 1):
            if not value or value.isspace():
                out.append(value)
            elif index not in clear:
                out.append(self.token(_kind_of(segment, index), value))
            elif delimiters.component and delimiters.component in value:
                parts = value.split(delimiters.component)
                out.append(delimiters.component.join(self._clear(part, "TEXT") for part in parts))
            else:
                out.append(self._clear(value, "NUMBER" if (name, index) in _CONTROL_NUMBERS else "TEXT"))
        return out

    def _clear(self, text: str, kind: str) -> str:
        """The text where it looks like what may be seen, else its token."""
        return text if _LOOKS.fullmatch(text.strip()) else self.token(kind, text)

    def _name(self, segment: str) -> str:
        return segment if not segment or _SEGMENT_ID.fullmatch(segment) else self.token("SEGMENT", segment)


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
