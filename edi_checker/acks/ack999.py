"""999: which transaction sets are accepted, and where each one departs from the guide."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from edi_checker.acks.interchange import (
    COMPONENT,
    ControlNumber,
    Day,
    Room,
    Spool,
    clean,
    digits,
    write_group_header,
)
from edi_checker.claims.claim import (
    Claim,
    Group,
    GroupEnd,
    Part,
    Segment,
    SegmentRun,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.x12.fault_codes import CONDITIONS, MISSING
from edi_checker.x12.finding import Finding, Place

VERSION = "005010X231A1"

ElementNumber = Callable[[str, str], str]
Verdict = Literal["A", "E", "R"]

_LONGEST_LOOP = 4  # element 447: a 999 says 2010 for 2010AA
_LONGEST_VALUE = 99  # IK404
_MOST_SEGMENTS = 99_999  # IK3 in one AK2
_MOST_ELEMENTS = 99  # IK4 in one IK3
_MOST_CODES = 5  # IK502 to IK506, AK905 to AK909
_OUTSIDE_OF_LOOPS = frozenset(("header",))


@dataclass(slots=True)
class _Set:
    """What the 999 has to say at the end of a transaction set."""

    control_number: str
    codes: list[str]
    segments: int = 0
    errors: bool = False


class Group999:
    """The answer to one functional group, written to `out` as the group passes.

    `element_number(loop, element)` gives the X12 number of a data element (`NM109`: 67), "" where unknown.
    Each IK3 and each IK4 takes a place of the `room`; where there is none, IK5 and AK9 alone speak.
    """

    def __init__(
        self,
        group: Group,
        out: Spool,
        number: ControlNumber,
        day: Day,
        element_number: ElementNumber,
        room: Room,
    ) -> None:
        self._group = group
        self._out = out
        self._number = number
        self._element_number = element_number
        self._room = room
        self._begin = out.mark()
        self._codes: list[str] = []
        self._set: _Set | None = None
        self._accepted = 0
        self._received = 0
        self._clean = True
        write_group_header(out, "FA", addresses(group), number, day, VERSION)
        self._first = out.segments
        out.write("ST", "999", "0001", VERSION)
        kind = clean(group.value(1), 2, 2) or "HC"
        control_number = digits(group.control_number, 9) or clean(group.control_number, 9) or "0"
        out.write("AK1", kind, control_number, clean(group.version, 12))
        self._sets_begin = out.mark()

    def open_set(self, transaction: Transaction) -> None:
        """AK2. Zeros stand in for a missing ST02, and 837 for an ST01 that names no set at all."""
        header = transaction.first("ST")
        number = clean(transaction.control_number, 9) or "0000"
        self._received += 1
        self._set = _Set(number, [])
        kind = clean(element(header, 1), 3, 3) or "837"
        self._out.write("AK2", kind, number, clean(element(header, 3), 35))

    def note(self, part: Part, findings: Iterable[Finding]) -> None:
        """IK3 to IK4 for the errors of one part. Those without a code of a 999 are answered elsewhere."""
        places: dict[tuple[int, str, str, str], list[tuple[Finding, str]]] = {}
        for finding in findings:
            if finding.severity != "error":
                continue
            at, element_code = "", ""
            for code in finding.status.ack999:
                name, _, value = code.partition("=")
                if name == "IK304":
                    at = value
                elif name == "IK403":
                    element_code = value
                elif name == "AK905":
                    _add(self._codes, value)
                elif name == "IK502" and self._set is not None:
                    _add(self._set.codes, value)
                    self._set.errors = True
            if self._set is None or not (at or element_code):
                continue
            where = finding.where
            key = (where.position, where.segment, where.loop, at or "8")
            places.setdefault(key, []).append((finding, element_code))
        for (position, segment, loop, code), here in sorted(places.items(), key=lambda item: item[0][0]):
            self._write_place(part, (position, segment, loop, code), here)

    def _write_place(
        self, part: Part, place: tuple[int, str, str, str], here: list[tuple[Finding, str]]
    ) -> None:
        position, segment, loop, code = place
        assert self._set is not None
        self._set.errors = True
        self._set.segments += 1
        if self._set.segments > _MOST_SEGMENTS or not self._room.take():
            return
        out = self._out
        loop = "" if loop in _OUTSIDE_OF_LOOPS else clean(loop, _LONGEST_LOOP)
        out.write("IK3", segment_id(segment), str(max(position, 1)), loop, code)
        if f"IK304={code}" in CONDITIONS:
            self._write_trigger(
                next((t for finding, _ in here if (t := _trigger(finding)) is not None), None)
            )
        if isinstance(part, Claim) and (claim := clean(part.id, 35)):
            out.write("CTX", f"CLM01{COMPONENT}{claim}")
        written: set[tuple[str, str]] = set()
        for finding, element_code in here:
            where = finding.where
            at = element_position(where.segment, where.element)
            if not element_code or not at or (at, element_code) in written or len(written) >= _MOST_ELEMENTS:
                continue
            if not self._room.take():
                return
            written.add((at, element_code))
            number = digits(self._element_number(where.loop, where.element or ""), 4)
            value = "" if f"IK403={element_code}" in MISSING else bad_value(part, where)
            out.write("IK4", at, number, element_code, value)
            if f"IK403={element_code}" in CONDITIONS:
                self._write_trigger(_trigger(finding))

    def _write_trigger(self, place: Place | None) -> None:
        """CTX for what made an item required, or excludes it."""
        if place is None:
            return
        at = element_position(place.segment, place.element)
        # the number of a component would need that of its composite beside it
        number = "" if COMPONENT in at else digits(self._element_number(place.loop, place.element or ""), 4)
        loop = "" if place.loop in _OUTSIDE_OF_LOOPS else clean(place.loop, _LONGEST_LOOP)
        kind = segment_id(place.segment)
        self._out.write("CTX", "SITUATIONAL TRIGGER", kind, str(place.position), loop, at, number)

    def close_set(self, rejected: bool) -> Verdict:
        """IK5; says how the set was answered. `rejected` says that every claim of the set is.

        A set that is rejected for reasons that no 999 can name stays accepted here: the 277CA rejects it.
        """
        noted = self._set
        self._set = None
        if noted is None:
            return "A"
        verdict: Verdict = "A"
        if noted.errors:
            verdict = "R" if rejected else "E"
        codes = list(noted.codes)
        if noted.segments:
            _add(codes, "5")
        self._out.write("IK5", verdict, *codes[:_MOST_CODES])
        self._clean = self._clean and verdict == "A"
        self._accepted += verdict != "R"
        return verdict

    def close(self, end: GroupEnd, rejected: bool) -> None:
        """AK9 to GE. A group rejected as a whole says so alone: its sets' own answers would contradict it."""
        out = self._out
        received = max(end.transactions, self._received)
        if rejected:
            out.cut_back(self._sets_begin)
            self._accepted = 0
        if rejected or not self._accepted:
            verdict = "R"
        elif self._accepted < received:
            verdict = "P"
        else:
            verdict = "A" if self._clean and not self._codes else "E"
        included = digits(element(end.segment, 1), 6) or str(received)
        out.write("AK9", verdict, included, str(received), str(self._accepted), *self._codes[:_MOST_CODES])
        out.write("SE", str(out.segments - self._first + 1), "0001")
        out.write("GE", "1", self._number.plain)

    def withdraw(self) -> None:
        """Take back all that was written of this group."""
        self._out.cut_back(self._begin)


def addresses(group: Group) -> tuple[str, str]:
    """GS02 and GS03 of an answer: the group's own, the other way round; ISA08 and ISA06 where it has none."""
    receiver = clean(group.value(3), 15, 2) or clean(group.interchange.value(8), 15, 2)
    sender = clean(group.value(2), 15, 2) or clean(group.interchange.value(6), 15, 2)
    return receiver or "UNKNOWN", sender or "UNKNOWN"


def segment_id(text: str) -> str:
    """A segment id as IK301 and CTX02 can hold it: 2 or 3 letters and digits, ZZZ where none can be made."""
    kept = re.sub(r"[^A-Z0-9]", "", text.upper())[:3]
    return kept if len(kept) >= 2 else "ZZZ"


def element_position(segment: str, at: str | None) -> str:
    """`SV101-3` of SV1 as position in the segment, `1:3`; "" where it names no element."""
    if at is None:
        return ""
    found = re.fullmatch(r"([0-9]{2})(?:-([0-9]{1,2}))?", at.removeprefix(segment)) or re.search(
        r"([0-9]{2})(?:-([0-9]{1,2}))?\Z", at
    )
    if found is None or not int(found[1]):
        return ""
    return f"{int(found[1])}{COMPONENT}{int(found[2])}" if found[2] else str(int(found[1]))


def bad_value(part: Part, where: Place) -> str:
    """What stands at a place of this part, for IK404; "" where the value is not fit to be repeated.

    A value that holds a delimiter (ours or the sender's) or a control character is left out, not fixed: what
    is repeated must be what was sent. It is cut at 99 characters.
    """
    position = element_position(where.segment, where.element)
    segment, component = _segment_at(part, where)
    if segment is None or not position:
        return ""
    index, _, inner = position.partition(COMPONENT)
    value = element(segment, int(index))
    if inner:
        parts = value.split(component) if component else [value]
        value = parts[int(inner) - 1] if 0 < int(inner) <= len(parts) else ""
    if clean(value, len(value)) != value.strip() or (component and component in value):
        return ""
    return value[:_LONGEST_VALUE].strip()


def _segment_at(part: Part, where: Place) -> tuple[Segment | None, str]:
    if isinstance(part, SegmentRun):
        index = where.position - part.position
        found = part.segments[index] if 0 <= index < len(part.segments) else None
        return (found if found is not None and found[0] == where.segment else None), part.component
    if isinstance(part, TransactionEnd) and part.segment is not None and part.segment[0] == where.segment:
        return part.segment, part.transaction.component
    return None, ""


def _trigger(finding: Finding) -> Place | None:
    """The place in the same set that made an item required, None where the finding names none."""
    transaction = finding.where.transaction
    return next(
        (place for place in finding.related if place.position and place.transaction == transaction), None
    )


def _add(codes: list[str], code: str) -> None:
    if code and code not in codes:
        codes.append(code)
