"""One segment against its node in the guide: what is missing, too long, of the wrong type, code or date."""

from __future__ import annotations

import re

from edi_checker.guide.table import Composite, Element, Item, Segment
from edi_checker.x12.blocks import Delimiters, Fault
from edi_checker.x12.dates import is_date, is_period, is_time
from edi_checker.x12.fault_codes import (
    ELEMENT_CHARACTER,
    ELEMENT_CODE,
    ELEMENT_COMPONENTS,
    ELEMENT_DATE,
    ELEMENT_EXCLUDED,
    ELEMENT_MISSING,
    ELEMENT_MISSING_BESIDE,
    ELEMENT_NOT_USED,
    ELEMENT_PATTERN,
    ELEMENT_REPEATED,
    ELEMENT_TIME,
    ELEMENT_TOO_LONG,
    ELEMENT_TOO_MANY,
    ELEMENT_TOO_SHORT,
    SEGMENT_HAS_ERRORS,
)

LISTED = 12  # codes named in a message
SLIP = 2  # places by which the elements of a segment are shifted by one mistake
DIGITS = re.compile(r"[0-9]+", re.ASCII)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)

_PRIVATE = frozenset(("1068", "116", "156", "26"))  # gender, ZIP, state, country: coded, yet of a person


def check_elements(node: Segment, segment: list[str], position: int, delimiters: Delimiters) -> list[Fault]:
    """The faults of one segment against its node, in order of element; [] where there is none.

    `segment` holds the elements, the segment id at 0. Where leaving out at most SLIP empty elements, or
    filling some in, would make the segment right, its elements slipped: only the first fault is noted.
    """
    faults = list_faults(node, segment, position, delimiters)
    if len(faults) < 2:
        return faults
    hard = [fault for fault in faults if fault.answers]
    if len(hard) > 1 and _is_one_slip(node, segment, delimiters):
        faults = [fault for fault in faults if fault is hard[0] or not fault.answers]
    return faults


def _is_one_slip(node: Segment, segment: list[str], delimiters: Delimiters) -> bool:
    if len(segment) > 40:
        return False
    joined = _join_parts(node, segment, delimiters)
    if joined != segment and not any(fault.answers for fault in list_faults(node, joined, 0, delimiters)):
        return True
    for at in range(1, len(segment) + 1):
        if at < len(segment) and delimiters.component * 2 in segment[at]:
            merged = segment[at].replace(delimiters.component * 2, delimiters.component, 1)
            closed = [*segment[:at], merged, *segment[at + 1 :]]
            if not any(fault.answers for fault in list_faults(node, closed, 0, delimiters)):
                return True
        for count in range(1, SLIP + 1):
            if at + count <= len(segment) and not any(segment[at : at + count]):
                without = segment[:at] + segment[at + count :]
                if not any(fault.answers for fault in list_faults(node, without, 0, delimiters)):
                    return True
            skipped = node.elements[at - 1 : at - 1 + count]
            if len(skipped) == count and all(item.usage != "R" for item in skipped):
                filled = [*segment[:at], *[""] * count, *segment[at:]]
                if not any(fault.answers for fault in list_faults(node, filled, 0, delimiters)):
                    return True
    return False


def _join_parts(node: Segment, segment: list[str], delimiters: Delimiters) -> list[str]:
    """The segment as it reads if element separators were sent where component separators belong."""
    joined = segment[:1]
    at = 1
    while at < len(segment):
        here = len(joined) - 1
        composite = here < len(node.elements) and isinstance(node.elements[here], Composite)
        pair = segment[at : at + 2]
        if (
            composite
            and len(pair) == 2
            and all(pair)
            and not any(delimiters.component in part for part in pair)
        ):
            joined.append(delimiters.component.join(pair))
            at += 2
        else:
            joined.append(segment[at])
            at += 1
    return joined


def list_faults(node: Segment, segment: list[str], position: int, delimiters: Delimiters) -> list[Fault]:
    """As `check_elements`, each element for itself: a slip is not looked for."""
    out = _Notes(node, position)
    count = len(segment)
    for number, item in enumerate(node.elements, 1):
        value = segment[number] if number < count else ""
        if not value:
            if item.usage == "R":
                out.note("element-missing", item, ELEMENT_MISSING)
            continue
        if item.usage == "N":
            out.note("element-not-used", item, ELEMENT_NOT_USED)
            continue
        if isinstance(item, Composite):
            _check_composite(item, value, out, delimiters)
        elif delimiters.component in value:
            _note_components(item, value.count(delimiters.component) + 1, out)
        elif delimiters.repetition and delimiters.repetition in value:
            _note_repetitions(item, value.count(delimiters.repetition) + 1, out)
        else:
            format = _date_format(node, segment, number) if item.number == "1251" else ""
            _check_value(item, value, out, format)
    if node.notes:
        _check_notes(node, segment, out)
    known = len(node.elements)
    if count - 1 > known and any(segment[known + 1 :]):
        extra = next(at for at in range(known + 1, count) if segment[at])
        out.note_at(
            "element-extra",
            f"{node.id}{extra:02d}",
            "",
            ELEMENT_TOO_MANY,
            expected=f"at most {known} elements",
            found=f"{count - 1} elements",
        )
    if count > 1 and not segment[-1]:
        out.pad(f"{node.id}{count - 1:02d}", "no separators after the last element")
    return out.faults


class _Notes:
    """Collects the faults of one segment."""

    __slots__ = ("faults", "node", "position", "refs")

    def __init__(self, node: Segment, position: int) -> None:
        self.node = node
        self.position = position
        self.faults: list[Fault] = []
        self.refs: set[str] = set()

    def note(
        self,
        kind: str,
        item: Element | Composite,
        code: str,
        expected: str = "",
        found: str = "",
        trigger: str = "",
    ) -> None:
        self.note_at(kind, item.ref, item.number, code, item.name, expected, found, trigger)

    def note_at(
        self,
        kind: str,
        ref: str,
        number: str,
        code: str,
        name: str = "",
        expected: str = "",
        found: str = "",
        trigger: str = "",
    ) -> None:
        node = self.node
        answers = (SEGMENT_HAS_ERRORS, code)
        self.refs.add(ref.partition("-")[0])
        self.faults.append(
            Fault(
                kind,
                self.position,
                node.loop,
                node.id,
                ref,
                number,
                answers,
                name or node.name,
                expected,
                found,
                trigger,
            )
        )

    def pad(self, ref: str, expected: str) -> None:
        node = self.node
        self.faults.append(
            Fault("element-padding", self.position, node.loop, node.id, ref, "", (), node.name, expected)
        )


def _check_composite(item: Composite, value: str, out: _Notes, delimiters: Delimiters) -> None:
    if delimiters.repetition and delimiters.repetition in value:
        if value.count(delimiters.repetition) + 1 > item.repeat:
            _note_repetitions(item, value.count(delimiters.repetition) + 1, out)
            return
        for repeated in value.split(delimiters.repetition):
            _check_composite(item._replace(repeat=1), repeated, out, delimiters)
        return
    parts = value.split(delimiters.component)
    if not any(parts):
        if item.usage == "R":
            out.note("element-missing", item, ELEMENT_MISSING)
        else:
            out.pad(item.ref, "nothing where no component is sent")
        return
    known = item.used
    whole = all(
        part for part, component in zip(parts, item.components, strict=False) if component.usage == "R"
    )
    if whole and any(parts[known:]):
        _note_components(item, len(parts), out)
        return
    before = len(out.faults)
    for number, component in enumerate(item.components):
        part = parts[number] if number < len(parts) else ""
        if not part:
            # a part that is wrong has most often been cut or shifted: what lacks after it is the same fault
            if component.usage == "R" and len(out.faults) == before:
                out.note("element-missing", component, ELEMENT_MISSING)
        elif component.usage == "N":
            out.note("element-not-used", component, ELEMENT_NOT_USED)
        else:
            _check_value(component, part, out, "")
    if not parts[-1]:
        out.pad(item.ref, "no separators after the last component")


def _note_components(item: Item, count: int, out: _Notes) -> None:
    """A component separator that is not the element's own, or more components than it has."""
    expected = f"at most {item.used} components" if isinstance(item, Composite) else "one value"
    out.note("element-components", item, ELEMENT_COMPONENTS, expected, f"{count} components")


def _note_repetitions(item: Item, count: int, out: _Notes) -> None:
    most = item.repeat if isinstance(item, Composite) else 1
    expected = f"at most {most}" if most > 1 else "no repetition"
    out.note("element-components", item, ELEMENT_REPEATED, expected, f"{count} repetitions")


def _check_value(item: Element, value: str, out: _Notes, format: str) -> None:
    if not value.isascii() or not value.isprintable():
        if CONTROL.search(value):
            out.note("element-type", item, ELEMENT_CHARACTER, "no control characters")
            return
        out.note("element-character", item, ELEMENT_CHARACTER, "characters of the basic or extended set")
    if item.type in ("R", "N0"):
        _check_number(item, value, out)
    elif item.type == "DT":
        if not item.minimum <= len(value) <= item.maximum or not is_date(value):
            out.note("element-date", item, ELEMENT_DATE, "CCYYMMDD")
    elif item.type == "TM":
        if not item.minimum <= len(value) <= item.maximum or not is_time(value):
            out.note("element-date", item, ELEMENT_TIME, "HHMM[SS[DD]]")
    else:
        _check_text(item, value, out, format)


_MONEY = "782"


def _check_number(item: Element, value: str, out: _Notes) -> None:
    form, expected = (_WHOLE, "a whole number") if item.type == "N0" else (_DECIMAL, "a decimal number")
    digits = len(value) - value.count("-") - value.count(".")
    if item.number == _MONEY:
        # The cents count where they are not written, too.
        digits = max(digits, len(value.partition(".")[0].lstrip("-0")) + 2)
    if not form.fullmatch(value):
        out.note("element-type", item, ELEMENT_CHARACTER, expected)
    elif not item.minimum <= digits <= item.maximum:
        _note_length(item, digits, out)
    elif item.codes and value.lstrip("0") not in item.codes:
        out.note("element-code", item, ELEMENT_CODE, list_codes(item.codes), show_value(item, value))
    elif item.pattern and not re.fullmatch(item.pattern, value):
        out.note("element-type", item, ELEMENT_PATTERN, "at most three decimals")


def _check_text(item: Element, value: str, out: _Notes, format: str) -> None:
    """A code or words; `format` as `_date_format` says it."""
    bare = value.rstrip(" ")
    if not bare:
        out.note("element-type", item, ELEMENT_CHARACTER, "a character that is not a blank")
        return
    if len(bare) != len(value) and len(bare) >= item.minimum:
        out.pad(item.ref, "no trailing blanks")
        value = bare
    elif value[0] == " ":
        out.pad(item.ref, "no leading blanks")
    if item.codes:
        # a code that is not of the list says it all; its length says nothing more
        if value not in item.codes:
            out.note("element-code", item, ELEMENT_CODE, list_codes(item.codes), show_value(item, value))
    elif not item.minimum <= len(value) <= item.maximum:
        _note_length(item, len(value), out)
    elif format and not is_period(value, format):
        out.note("element-date", item, ELEMENT_DATE, _FORMATS[format])
    elif item.pattern and not re.fullmatch(item.pattern, value, re.ASCII):
        expected = "nine digits" if item.pattern == "[0-9]{9}" else "the pattern of the guide"
        out.note("element-type", item, ELEMENT_PATTERN, expected)


def _note_length(item: Element, length: int, out: _Notes) -> None:
    if length < item.minimum:
        out.note("element-length", item, ELEMENT_TOO_SHORT, f"at least {item.minimum}", str(length))
    else:
        out.note("element-length", item, ELEMENT_TOO_LONG, f"at most {item.maximum}", str(length))


_FORMATS = {"D8": "CCYYMMDD", "RD8": "CCYYMMDD-CCYYMMDD"}


def _date_format(node: Segment, segment: list[str], number: int) -> str:
    """The format of the date in element `number`, where the one before it says so and says it right."""
    before = node.elements[number - 2] if number > 1 else None
    if not isinstance(before, Element) or before.number != "1250":
        return ""
    format = segment[number - 1].rstrip(" ")
    return format if format in before.codes and format in _FORMATS else ""


def _check_notes(node: Segment, segment: list[str], out: _Notes) -> None:
    for letter, numbers in node.notes:
        present = [number for number in numbers if number < len(segment) and segment[number]]
        wrong = 0
        if letter == "P" and present and len(present) < len(numbers):
            wrong = next(number for number in numbers if number not in present)
        elif letter == "R" and not present:
            wrong = numbers[0]
        elif letter == "E" and len(present) > 1:
            wrong = present[-1]
        elif letter in "CL" and numbers[0] in present:
            rest = present[1:]
            if (letter == "C" and len(rest) < len(numbers) - 1) or not rest:
                wrong = next(number for number in numbers[1:] if number not in rest)
        # what is said of an element already says why the note does not hold
        if (
            not wrong
            or wrong > len(node.elements)
            or out.refs & {f"{node.id}{number:02d}" for number in numbers}
        ):
            continue
        refs = ", ".join(f"{node.id}{number:02d}" for number in numbers)
        expected = {
            "P": f"all of {refs} or none",
            "R": f"at least one of {refs}",
            "E": f"at most one of {refs}",
            "C": f"all of {refs} if {node.id}{numbers[0]:02d} is sent",
            "L": f"at least one more of {refs} if {node.id}{numbers[0]:02d} is sent",
        }[letter]
        trigger = f"{node.id}{present[0]:02d}" if present else ""
        code = ELEMENT_EXCLUDED if letter == "E" else ELEMENT_MISSING_BESIDE
        out.note("relational", node.elements[wrong - 1], code, expected, "", trigger)


def list_codes(codes: frozenset[str]) -> str:
    """The codes as a message names them, in order: at most LISTED of them."""
    named = sorted(codes)
    if len(named) == 1:
        return named[0]
    return "one of " + ", ".join(named[:LISTED]) + (", ..." if len(named) > LISTED else "")


def show_value(item: Element, value: str) -> str:
    """The value where it cannot be of a person: three letters may be a name that slipped there."""
    if item.number in _PRIVATE or len(value) > 3:
        return ""
    return value if len(value) <= 2 or any(character.isdigit() for character in value) else ""
