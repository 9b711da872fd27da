"""Repairs of the envelope: counts, control numbers, the header's widths and forms, the names of the guide."""

from __future__ import annotations

from edi_checker.check.fixes.form import write_date, write_time
from edi_checker.check.fixes.spot import Repaired, Spot, repairs
from edi_checker.claims.claim import (
    GroupEnd,
    InterchangeEnd,
    Part,
    Segment,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.reader import READ_AS_VERSION, VERSION
from edi_checker.x12.blocks import BLANKS, ISA_WIDTHS

_TRAILERS = ("SE", "GE", "IEA")


@repairs("x12.count", "safe")
def count(spot: Spot) -> Repaired | None:
    """SE01, GE01 or IEA01, counted."""
    match spot.part:
        case (
            TransactionEnd(position=counted) | GroupEnd(transactions=counted) | InterchangeEnd(groups=counted)
        ):
            return spot.put(str(counted)) if spot.element in ("SE01", "GE01", "IEA01") else None
    return None


def number_of(spot_part: Part, numbers: tuple[str, str, str]) -> str:
    """The control number, of interchange, group and transaction, that closes with a trailer."""
    match spot_part:
        case InterchangeEnd():
            return numbers[0]
        case GroupEnd():
            return numbers[1]
        case TransactionEnd():
            return numbers[2]
    return ""


@repairs("x12.control-number", "safe", "unsafe")
def control_number(spot: Spot) -> Repaired | None:
    """The number of the header in its trailer; a new one for a transaction set whose number came before."""
    if spot.segment[0] in _TRAILERS:
        standing = spot.standing
        number = number_of(spot.part, (standing.interchange, standing.group, standing.transaction))
        return spot.put(number) if number.strip() and spot.element.endswith("02") else None
    if isinstance(spot.part, Transaction) and spot.element == "ST02":
        # The place in the file is a number that no other set gets.
        return spot.put(f"9{spot.ordinal % 10**8:08d}", safe=False)
    return None


_ISA_CODES = frozenset(("ISA01", "ISA03", "ISA05", "ISA07", "ISA14", "ISA15"))
_GS_CODES = frozenset(("GS01", "GS07"))
_ISA_TEXTS = frozenset(("ISA02", "ISA04", "ISA06", "ISA08"))


@repairs("x12.envelope", "safe")
def header(spot: Spot) -> Repaired | None:
    """The elements of ISA in their widths, those of GS in their forms."""
    if not spot.element:
        return None
    text = spot.value.strip(BLANKS)
    if spot.segment[0] == "ISA" and _is_whole(spot.segment):
        number = int(spot.element[3:])
        return spot.put(_isa_text(spot.element, text, ISA_WIDTHS[number - 1]) or spot.value)
    if spot.segment[0] == "GS":
        forms = {"GS04": write_date(text)[0], "GS05": write_time(text)}
        return spot.put(forms.get(spot.element) or (text.upper() if spot.element in _GS_CODES else text))
    return None


def _is_whole(isa: Segment) -> bool:
    """Whether each element of an ISA is surely the one that belongs there: a lost one shifts the others."""
    said = [text.strip(BLANKS) for text in isa]
    return (
        len(isa) == len(ISA_WIDTHS) + 1
        and said[12] == "00501"
        and said[13].isascii()
        and said[13].isdigit()
        and said[15].upper() in ("P", "T")
        and len(said[16]) == 1
    )


def _isa_text(at: str, text: str, width: int) -> str:
    """The text in the form and width that element `at` of ISA has, "" where that is not sure."""
    if at in _ISA_TEXTS:
        # Blanks that are an element of their own stand for nothing.
        return text.ljust(width) if text or at in ("ISA02", "ISA04") else ""
    if at == "ISA13":
        return text.rjust(width, "0") if text.isascii() and text.isdigit() else ""
    if at == "ISA09":
        return write_date(text)[0][2:] if len(text) > width else ""
    if at == "ISA10":
        return write_time(text)[:width]
    return text.upper() if at in _ISA_CODES else ""


@repairs("x12.delimiter", "safe")
def component_separator(spot: Spot) -> Repaired | None:
    """ISA16 names the separator that the claims use, as the reader found it."""
    if spot.element != "ISA16" or not _is_whole(spot.segment) or spot.delimiters.component.isalnum():
        return None
    return spot.put(spot.delimiters.component)


@repairs("x12.version", "safe", "unsafe")
def version(spot: Spot) -> Repaired | None:
    """The name of the guide in capitals; the name that HIPAA adopts in place of others."""
    if spot.element not in ("GS08", "ST03"):
        return None
    text = spot.value.strip(BLANKS).upper()
    if text in READ_AS_VERSION:
        return spot.put(VERSION, safe=False)
    return spot.put(text) if text == VERSION else None
