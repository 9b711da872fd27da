"""Repairs of form: padding, capitals, dates, and the punctuation of numbers and codes."""

from __future__ import annotations

import re
from collections.abc import Callable

from edi_checker.check.fixes.spot import Repaired, Spot, repairs
from edi_checker.claims.claim import DIAGNOSIS_LISTS, element
from edi_checker.guide.table import Element, is_segment_id
from edi_checker.reference.codesets import lists, npi_valid
from edi_checker.reference.codesets.member_ids import judge_medicare_id
from edi_checker.x12.blocks import BLANKS
from edi_checker.x12.dates import is_date, is_period, is_time

# Data elements whose digits are money or services: their text is never changed, but for blanks around it
# that mean nothing.
_AMOUNTS = frozenset(("782", "380"))

# -- padding and capitals


@repairs("guide.element-padding", "safe")
def padding(spot: Spot) -> Repaired | None:
    """The element without blanks around it and separators behind it; the segment without empty ends."""
    if spot.segment[0] == "ISA":
        return None
    d = spot.delimiters
    number = int(spot.element[len(spot.segment[0]) :][:2] or 0)
    if not 0 < number < len(spot.segment):
        return None
    segment = list(spot.segment)
    repeated = segment[number].split(d.repetition) if d.repetition else [segment[number]]
    trimmed = [
        d.component.join([part.strip(" ") for part in each.split(d.component)]).rstrip(d.component)
        for each in repeated
    ]
    segment[number] = d.repetition.join(trimmed)
    while len(segment) > 1 and not segment[-1]:
        segment.pop()
    return Repaired(segment) if segment != spot.segment else None


@repairs("guide.element-code", "safe")
def code(spot: Spot) -> Repaired | None:
    """A code in capitals, where the guide lists it so; HL04, where it lists one code."""
    codes = spot.codes()
    if spot.element == "HL04" and len(codes) == 1:
        return spot.put(min(codes))
    text = spot.value.strip(BLANKS).upper()
    return spot.put(text) if text in codes else None


@repairs("x12.segment", "safe")
def segment_id(spot: Spot) -> Repaired | None:
    """A segment id in capitals."""
    name = spot.segment[0].strip(BLANKS).upper()
    known = is_segment_id(name) and any(node.id == name for node in spot.guide.segments)
    return Repaired([name, *spot.segment[1:]]) if known and name != spot.segment[0] else None


# -- dates and times

_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{2})\2([0-9]{2})", re.ASCII)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})", re.ASCII)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII)
_LAST_MONTH = 12


def write_date(text: str) -> tuple[str, bool]:
    """A date as CCYYMMDD, and whether it is sure which number is the month; "" where it is no date."""
    text = text.strip(BLANKS)
    safe = True
    if found := _YEAR_FIRST.fullmatch(text):
        text = found[1] + found[3] + found[4]
    elif found := _YEAR_LAST.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        month, day = (second, first) if first > _LAST_MONTH else (first, second)
        safe = day > _LAST_MONTH or day == month
        text = f"{found[4]}{month:02}{day:02}"
    return (text, safe) if len(text) == len("CCYYMMDD") and is_date(text) else ("", True)


def write_time(text: str) -> str:
    """A time of day as HHMM or HHMMSS, "" where it is none."""
    found = _TIME.fullmatch(text.strip(BLANKS))
    written = "".join(part for part in found.groups() if part) if found else ""
    return written if is_time(written) else ""


_BETWEEN_DAYS = re.compile(r"\s{0,20}-\s{0,20}", re.ASCII)


def _write_period(text: str) -> tuple[str, bool]:
    """A period as CCYYMMDD-CCYYMMDD, and whether it is sure, "" where it is none."""
    for hyphen in _BETWEEN_DAYS.finditer(text):
        first, sure = write_date(text[: hyphen.start()])
        last, sure_too = write_date(text[hyphen.end() :])
        if first and last:
            return f"{first}-{last}", sure and sure_too
    return "", True


@repairs("guide.element-date", "safe", "unsafe")
def date(spot: Spot) -> Repaired | None:
    """A date or time without what stands between its numbers."""
    item = spot.item
    if not isinstance(item, Element):
        return None
    if item.type == "TM":
        return spot.put(write_time(spot.value) or spot.value)
    format = element(spot.segment, int(spot.element[-2:]) - 1) if item.type != "DT" else "D8"
    text, safe = _write_period(spot.value) if format == "RD8" else write_date(spot.value)
    return spot.put(text, safe=safe) if is_period(text, format) else None


@repairs("guide.element-components", "safe")
def time(spot: Spot) -> Repaired | None:
    """A time with colons, where the colon is the component separator."""
    item = spot.item
    if not isinstance(item, Element) or item.type != "TM" or spot.delimiters.component != ":":
        return None
    return spot.put(write_time(spot.value) or spot.value)


# -- numbers and codes with punctuation

_SPACING = re.compile(r"[-\s]", re.ASCII)
_PHONE = re.compile(r"(?:\+?1[-. ]?)?\(?[0-9]{3}\)?[-./ ]{0,3}[0-9]{3}[-. ]?[0-9]{4}", re.ASCII)
_PHONE_DIGITS = 10
_ZIP = re.compile(r"[0-9]{5}[-\s]+(?:[0-9]{4})?", re.ASCII)
_TAX_NUMBER = re.compile(r"[0-9]{9}", re.ASCII)
_ICD10 = re.compile(r"[A-TV-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.ASCII)
_ICD9 = re.compile(r"(?:[0-9]{3}|V[0-9]{2})(?:\.?[0-9]{1,2})?|E[0-9]{3}(?:\.?[0-9])?", re.ASCII)


def _squeezed(text: str) -> str:
    return _SPACING.sub("", text)


def _plain_if(spot: Spot, text: str, holds: Callable[[str], object]) -> Repaired | None:
    return spot.put(text) if holds(text) else None


@repairs("code.npi", "safe")
def npi(spot: Spot) -> Repaired | None:
    """An NPI without blanks and hyphens, where its check digit says that it is one."""
    return _plain_if(spot, _squeezed(spot.value), npi_valid)


@repairs("code.phone", "safe", "unsafe")
def phone(spot: Spot) -> Repaired | None:
    """The ten digits of a telephone number; a 1 before them is left out where that is asked for."""
    if not _PHONE.fullmatch(spot.value.strip(BLANKS)):
        return None
    digits = re.sub(r"[^0-9]", "", spot.value)
    return spot.put(digits[-_PHONE_DIGITS:], safe=len(digits) == _PHONE_DIGITS)


@repairs("code.zip", "safe")
def zip_code(spot: Spot) -> Repaired | None:
    """A ZIP code without hyphen and blanks."""
    text = spot.value.strip(BLANKS)
    at_home = element(spot.segment, 4) in ("", "US")
    return spot.put(_squeezed(text)) if at_home and _ZIP.fullmatch(text) else None


@repairs("code.tax-number", "safe")
def tax_number(spot: Spot) -> Repaired | None:
    """A tax number without hyphens and blanks."""
    return _plain_if(spot, _squeezed(spot.value), _TAX_NUMBER.fullmatch)


@repairs("guide.element-type", "safe")
def digits(spot: Spot) -> Repaired | None:
    """A whole number, or a number of nine digits, without blanks and hyphens; never an amount or units."""
    item = spot.item
    if not isinstance(item, Element) or item.number in _AMOUNTS:
        return None
    if item.type == "N0":
        return _plain_if(spot, spot.value.strip(BLANKS), lambda text: text.isascii() and text.isdigit())
    if item.pattern == _TAX_NUMBER.pattern:
        return _plain_if(spot, _squeezed(spot.value), _TAX_NUMBER.fullmatch)
    return None


@repairs("code.diagnosis", "safe")
def diagnosis(spot: Spot) -> Repaired | None:
    """A diagnosis code in capitals and without its point."""
    if spot.segment[0] != "HI" or not spot.element.endswith("-2"):
        return None
    qualifier = spot.segment[int(spot.element[2:4])].partition(spot.delimiters.component)[0].strip().upper()
    system = DIAGNOSIS_LISTS.get(qualifier)
    text = spot.value.strip(BLANKS).upper()
    form = _ICD10 if system == "icd10cm" else _ICD9
    return spot.put(text.replace(".", "")) if system and form.fullmatch(text) else None


@repairs("code.procedure", "safe")
def procedure(spot: Spot) -> Repaired | None:
    """A procedure code in capitals and without blanks."""
    if element(spot.segment, 1).partition(spot.delimiters.component)[0].strip().upper() != "HC":
        return None
    return _plain_if(spot, spot.value.strip(BLANKS).upper(), lists.is_procedure)


@repairs("code.taxonomy", "safe")
def taxonomy(spot: Spot) -> Repaired | None:
    """A taxonomy code in capitals."""
    return _plain_if(spot, spot.value.strip(BLANKS).upper(), lambda text: lists.judge_taxonomy(text) is None)


@repairs("code.state", "safe")
def state(spot: Spot) -> Repaired | None:
    """The abbreviation of a state or province in capitals."""
    known = {"US": lists.US_STATES, "CA": lists.CANADIAN_PROVINCES}
    country = element(spot.segment, 4) if spot.segment[0] == "N4" else ""
    return _plain_if(
        spot, spot.value.strip(BLANKS).upper(), known.get(country or "US", frozenset()).__contains__
    )


@repairs("code.country", "safe")
def country(spot: Spot) -> Repaired | None:
    """The code of a country in capitals."""
    return _plain_if(spot, spot.value.strip(BLANKS).upper(), lists.COUNTRIES.__contains__)


@repairs("code.currency", "safe")
def currency(spot: Spot) -> Repaired | None:
    """The code of a currency in capitals."""
    return _plain_if(spot, spot.value.strip(BLANKS).upper(), lists.CURRENCIES.__contains__)


@repairs("code.member-id", "safe")
def member_id(spot: Spot) -> Repaired | None:
    """A Medicare Beneficiary Identifier in capitals and without the dashes that its card shows."""
    return _plain_if(spot, _squeezed(spot.value).upper(), lambda text: judge_medicare_id(text) == "")
