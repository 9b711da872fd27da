"""A fault of a segment, loop or element of the guide, with the guide's names and its answer."""

from __future__ import annotations

from edi_checker.guide.table import Loop, Segment
from edi_checker.x12.blocks import Fault
from edi_checker.x12.fault_codes import ANSWERS, ELEMENT_CODE, SEGMENT_HAS_ERRORS


def segment_fault(kind: str, position: int, node: Segment, expected: str = "") -> Fault:
    """A fault of a whole segment."""
    answers = (ANSWERS[kind][0],)
    return Fault(kind, position, node.loop, node.id, answers=answers, name=node.name, expected=expected)


def loop_fault(kind: str, position: int, loop: Loop, expected: str = "", found: str = "") -> Fault:
    """A fault of a loop, noted of the segment that opens it."""
    id, answers = loop.opener.id, (ANSWERS[kind][0],)
    return Fault(kind, position, loop.id, id, answers=answers, name=loop.name, expected=expected, found=found)


def number_fault(kind: str, position: int, node: Segment, number: int, expected: str, found: str) -> Fault:
    """A number or code of element `number` that does not go with the segments before or after it."""
    item, answers = node.elements[number - 1], (SEGMENT_HAS_ERRORS, ELEMENT_CODE)
    return Fault(
        kind, position, node.loop, node.id, item.ref, item.number, answers, item.name, expected, found
    )
