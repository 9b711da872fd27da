"""Which values of which elements may be seen: codes that the guide lists, and what surely is no person's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple, TypeAlias

from edi_checker.guide.table import Composite, Guide, Item, is_segment_id
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.codesets import lists
from edi_checker.x12.dates import is_date, is_time

Test: TypeAlias = Callable[[str], object]


class Allowed(NamedTuple):
    """What an element or component may be to be seen.

    holds   whether it may be
    coded   whether `holds` is a list of codes: such a code may be seen in a segment that is wrong
    """

    holds: Test
    coded: bool = False


# What may be seen of an element: of a composite by component, from 0; None is never seen.
Seen: TypeAlias = Allowed | tuple[Allowed | None, ...] | None


class Form(NamedTuple):
    """What of a segment may be seen.

    elements  by number; number 0 is the segment id
    required  numbers of the elements that the guide requires wherever the segment stands
    unused    numbers of those that it uses nowhere
    anchor    number of the first element with codes, by which a segment is known as what it is named
    """

    elements: tuple[Seen, ...]
    required: tuple[int, ...]
    unused: frozenset[int]
    anchor: int


def _like(pattern: str) -> Test:
    return re.compile(pattern, re.ASCII).fullmatch


# A number of seven digits may be one of a telephone, of eight a birth date, of nine a tax number.
AMOUNT = _like(r"-?(?:[0-9]{1,6}(?:\.[0-9]{0,4})?|\.[0-9]{1,4})")
_PERCENT = _like(r"[0-9]{1,3}(?:\.[0-9]{0,3})?")
COUNT = _like(r"[0-9]{1,6}")
_CONTROL_NUMBER = _like(r"[0-9]{1,9}")
_TWO_DIGITS = _like(r"[0-9]{1,2}")
_THREE_DIGITS = _like(r"[0-9]{1,3}")
_MODIFIER = _like(r"[0-9A-Z]{2}")
_SEPARATOR = _like(r"[^A-Za-z0-9\s]|U")
_VERSION = _like(r"00[0-9]{4}X[0-9]{3}(?:A[0-9])?")
DIAGNOSIS = _like(r"[A-Z][0-9][0-9A-Z](?:[0-9A-Z]{1,4})?|[0-9]{3,5}|[EV][0-9]{2,4}")
_GROUPS = frozenset(("BE", "FA", "HB", "HC", "HI", "HN", "HP", "HR", "HS", "RA"))
_STATES = lists.US_STATES | lists.CANADIAN_PROVINCES | lists.MEXICAN_STATES
# What an element that is open may be in a segment that is wrong: too short for a ZIP code.
SMALL = _like(r"-?[0-9]{1,4}(?:\.[0-9]{1,2})?")


def _is_taxonomy(text: str) -> bool:
    # Nine digits and another letter were Medicare's member ids.
    return text[-1:] == "X" and lists.judge_taxonomy(text) is None


def _is_day(text: str) -> bool:
    """A day as CCYYMMDD, or two with a hyphen. Which days may be seen is another question."""
    return all(len(part) == 8 and is_date(part) for part in text.split("-", 1))


def _is_short_day(text: str) -> bool:
    return len(text) == 6 and is_date(text)


# The elements that may be seen though the guide lists no codes for them: (segment, element, component).
_OPEN: dict[tuple[str, int, int], Test] = {
    ("ISA", 9, 0): _is_short_day,
    ("ISA", 10, 0): is_time,
    ("ISA", 11, 0): _SEPARATOR,
    ("ISA", 12, 0): _like("00[0-9]{3}"),
    ("ISA", 13, 0): _like("[0-9]{9}"),
    ("ISA", 16, 0): _SEPARATOR,
    ("IEA", 1, 0): COUNT,
    ("GS", 1, 0): _GROUPS.__contains__,
    ("GS", 4, 0): _is_day,
    ("GS", 5, 0): is_time,
    ("GS", 6, 0): _CONTROL_NUMBER,
    ("GS", 8, 0): _VERSION,
    ("GE", 1, 0): COUNT,
    ("ST", 2, 0): _CONTROL_NUMBER,
    ("ST", 3, 0): _VERSION,
    ("SE", 1, 0): COUNT,
    ("BHT", 4, 0): _is_day,
    ("BHT", 5, 0): is_time,
    ("HL", 1, 0): COUNT,
    ("HL", 2, 0): COUNT,
    ("PRV", 3, 0): _is_taxonomy,
    ("CUR", 2, 0): lists.CURRENCIES.__contains__,
    ("PAT", 8, 0): AMOUNT,
    ("N4", 4, 0): lists.COUNTRIES.__contains__,
    ("CLM", 2, 0): AMOUNT,
    ("CLM", 5, 1): _TWO_DIGITS,
    ("CLM", 5, 3): _like("[0-9A-Z]"),
    ("CLM", 11, 4): _STATES.__contains__,
    ("CLM", 11, 5): lists.COUNTRIES.__contains__,
    ("DTP", 3, 0): _is_day,
    ("CN1", 2, 0): AMOUNT,
    ("CN1", 3, 0): _PERCENT,
    ("CN1", 5, 0): _PERCENT,
    ("AMT", 2, 0): AMOUNT,
    ("CR1", 2, 0): _THREE_DIGITS,
    ("CR1", 6, 0): _like(r"[0-9]{1,4}(?:\.[0-9]{0,2})?"),
    ("CR3", 3, 0): _TWO_DIGITS,
    **{("HI", number, 2): DIAGNOSIS for number in range(1, 13)},
    **{("HCP", number, 0): AMOUNT for number in (2, 3, 5, 7, 12)},
    ("HCP", 10, 0): lists.is_procedure,
    **{("CAS", number, 0): lists.is_adjustment_reason for number in range(2, 20, 3)},
    **{("CAS", number, 0): AMOUNT for number in range(3, 20, 3)},
    **{("CAS", number, 0): AMOUNT for number in range(4, 20, 3)},
    **{("MOA", number, 0): AMOUNT for number in (1, 2, 8, 9)},
    **{("MOA", number, 0): lists.is_remark for number in range(3, 8)},
    ("LX", 1, 0): _THREE_DIGITS,
    ("SV1", 1, 2): lists.is_procedure,
    **{("SV1", 1, number): _MODIFIER for number in range(3, 7)},
    ("SV1", 2, 0): AMOUNT,
    ("SV1", 4, 0): AMOUNT,
    ("SV1", 5, 0): _TWO_DIGITS,
    **{("SV1", 7, number): _TWO_DIGITS for number in range(1, 5)},
    ("SV5", 1, 2): lists.is_procedure,
    **{("SV5", number, 0): AMOUNT for number in (3, 4, 5)},
    ("QTY", 2, 0): AMOUNT,
    ("MEA", 3, 0): AMOUNT,
    ("PS1", 2, 0): AMOUNT,
    ("LIN", 3, 0): _like("[0-9]{11}"),
    ("CTP", 4, 0): AMOUNT,
    ("SVD", 2, 0): AMOUNT,
    ("SVD", 3, 2): lists.is_procedure,
    **{("SVD", 3, number): _MODIFIER for number in range(3, 7)},
    ("SVD", 5, 0): AMOUNT,
    ("SVD", 6, 0): _THREE_DIGITS,
    ("LQ", 2, 0): _like(r"[0-9]{2,3}(?:\.[0-9]{1,2})?[A-Z]?"),
    ("FRM", 1, 0): _like("[0-9]{1,2}[A-Z]?"),
    ("FRM", 4, 0): _is_day,
    ("FRM", 5, 0): _PERCENT,
}


@cache
def forms() -> dict[str, Form]:
    """What of each segment of the guide may be seen, wherever it stands."""
    return _read_forms(load_guide())


def _read_forms(guide: Guide) -> dict[str, Form]:
    nodes: dict[str, list[tuple[Item, ...]]] = {}
    for node in (*guide.segments, *guide.envelope.values()):
        nodes.setdefault(node.id, []).append(node.elements)
    read: dict[str, Form] = {}
    for name, alike in nodes.items():
        if name == "TA1":
            continue
        columns = list(enumerate([list(items) for items in zip(*alike, strict=False)], 1))
        elements: tuple[Seen, ...] = (None, *(_allow(name, number, items) for number, items in columns))
        read[name] = Form(
            elements,
            tuple(number for number, items in columns if all(item.usage == "R" for item in items)),
            frozenset(number for number, items in columns if all(item.usage == "N" for item in items)),
            next((number for number, seen in enumerate(elements) if _has_codes(seen)), 0),
        )
    return read


def _allow(name: str, number: int, items: list[Item]) -> Seen:
    composites = [item for item in items if isinstance(item, Composite)]
    if composites:
        longest = max(len(item.components) for item in composites)
        return tuple(
            _allow_one(
                name,
                number,
                at,
                [item.components[at - 1].codes for item in composites if at <= len(item.components)],
            )
            for at in range(1, longest + 1)
        )
    return _allow_one(name, number, 0, [item.codes for item in items if not isinstance(item, Composite)])


def _has_codes(seen: Seen) -> bool:
    if isinstance(seen, Allowed) or seen is None:
        return seen is not None and seen.coded
    return any(part is not None and part.coded for part in seen)


# Lists of others than the guide, and of codes that nothing else looks like.
_LISTS = (
    _GROUPS.__contains__,
    _STATES.__contains__,
    lists.COUNTRIES.__contains__,
    lists.CURRENCIES.__contains__,
    lists.is_remark,
)


def _allow_one(name: str, number: int, component: int, listed: list[frozenset[str]]) -> Allowed | None:
    test = _OPEN.get((name, number, component))
    if test is not None:
        return Allowed(test, test in _LISTS)
    codes = frozenset().union(*listed)
    return Allowed(codes.__contains__, True) if codes else None


# -- messages ----------------------------------------------------------------------------------------------

_NOTHING: frozenset[str] = frozenset()
NOT_SHOWN = "(not shown)"
_ADDRESS = re.compile(r"([A-Z][A-Z0-9]{1,2})([0-9]{2})(?:-([0-9]{1,2}))?")
# A payer's number is quoted only where it is none that could be a person's.
_PAYER = _like(r"(?=[0-9A-Z]{0,4}[0-9])[0-9A-Z]{1,5}")


_QUOTED_NUMBER = re.compile(r"(?<![0-9A-Za-z.])[0-9]{5,}(?:\.[0-9]+)?(?![0-9A-Za-z])", re.ASCII)
_QUOTED_DAY = re.compile(r"(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])", re.ASCII)
_NUMBER_OR_DAY = _like(r"-?[0-9]{5,}(?:\.[0-9]*)?|[0-9]{8}-[0-9]{8}")


def numbers_in(values: Iterable[str]) -> frozenset[str]:
    """The numbers and days among these values that could be a person's, as `hide_numbers` compares them."""
    found: set[str] = set()
    for value in values:
        if _NUMBER_OR_DAY(value):
            found.update(_bare(part) for part in value.strip("-").split("-"))
    return frozenset(found)


PERSONAL = ("DMG", "PAT")


def personal_in(segments: Iterable[list[str]]) -> Iterator[str]:
    """What stands in the segments with the days of birth and death, at whichever element."""
    for segment in segments:
        if segment and segment[0] in PERSONAL:
            yield from (value.strip() for value in segment[1:])


def names_day(message: str) -> bool:
    """Whether a message names a day."""
    return _QUOTED_DAY.search(message) is not None


def hide_numbers(message: str, numbers: frozenset[str]) -> str:
    """The message without these numbers and days; with one of them go the amounts that were made of it."""
    shown = _QUOTED_DAY.sub(
        lambda on: NOT_SHOWN if _bare(on[1] + on[2] + on[3]) in numbers else on[0], message
    )
    if any(_bare(found) in numbers for found in _QUOTED_NUMBER.findall(shown)):
        shown = _QUOTED_NUMBER.sub(NOT_SHOWN, shown)
    return shown


def _bare(number: str) -> str:
    whole, _, rest = number.partition(".")
    return f"{whole.lstrip('0')}.{rest.rstrip('0')}"


@cache
def quotable(address: str) -> Test | None:
    """What a value that stands at this address (`SV101-2`, `HI`) may be to be quoted in a message; None where
    it is not of an element, but computed.
    """
    if address in ("HI", "SV107"):
        return DIAGNOSIS
    if address == "NM109 PR":
        return _PAYER
    if address == "segment id":
        return is_segment_id
    found = _ADDRESS.match(address)
    if found is None:
        return None
    form = forms().get(found[1])
    number, component = int(found[2]), int(found[3] or 0)
    seen = form.elements[number] if form is not None and number < len(form.elements) else None
    if seen is not None and not isinstance(seen, Allowed):
        # A composite as a whole stands for its first component.
        seen = seen[max(component, 1) - 1] if component <= len(seen) else None
    return seen.holds if seen is not None else _NOTHING.__contains__
