"""What the lists that ship with the checker say of a code, and which codes are near a mistyped one."""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cache

from edi_checker.acks.words import CATEGORIES, ENTITIES, STATUSES
from edi_checker.guide.table import Element, load
from edi_checker.reference.codesets import diagnoses, lists
from edi_checker.reference.meanings import MODIFIERS
from edi_checker.reference.store import StoredTables
from edi_checker.reports.code_facts import CodeFact, is_procedure_here, show_days
from edi_checker.x12.dates import NO_END, iso
from edi_checker.x12.finding import TableVersion

GROUP = "Other lists"
_MOST_NEAR = 5


def facts_that_ship(code: str, on: int) -> Iterator[CodeFact]:
    """The facts of a code in each list that ships and has it, on a day (CCYYMMDD)."""
    for name, label, known in (
        ("modifier", "Modifier", lists.modifiers()),
        ("place_of_service", "Place of service", lists.places_of_service()),
    ):
        if code in known.periods:
            first, last = known.periods[code]
            means = MODIFIERS.get(code, "") if name == "modifier" else ""
            state = "" if first <= on <= last else "; not in force on this day"
            days = {"first": iso(first) if first else None, "last": iso(last) if last != NO_END else None}
            lines = (f"{show_days(first, last)}{state}", *([means] if means else []))
            table = TableVersion(known.name, known.release)
            yield CodeFact(GROUP, name, label, days, means, lines, table)
    if code in _filing_indicators():
        yield CodeFact(GROUP, "filing_indicator", "Filing indicator", code, lines=("SBR09 of the guide",))
    for name, label, meanings in (
        ("status_category", "Status category", CATEGORIES),
        ("status", "Claim status", STATUSES),
        ("entity", "Entity (277CA)", ENTITIES),
    ):
        said = meanings.get(code)
        if said is not None:
            means = (said if isinstance(said, str) else said.words).format(who="the entity of STC01-3")
            yield CodeFact(GROUP, name, label, code, means, (means,))


@cache
def _filing_indicators() -> frozenset[str]:
    """What the guide lists for SBR09."""
    filed = [segment.elements[8] for segment in load().segments if segment.id == "SBR"]
    return frozenset(code for item in filed if isinstance(item, Element) for code in item.codes)


def shipped_diagnosis(code: str, on: int) -> CodeFact | None:
    """What the list that ships says of an ICD-10-CM code, with or without its dot; None if it lacks it."""
    plain = code.replace(".", "")
    known = diagnoses.load("icd10cm")
    unfit = diagnoses.judge("icd10cm", plain, known.era(on))
    if unfit is None:
        use = "can be billed"
    elif unfit.problem == "subdivided":
        use = "a header, which cannot be billed"
    elif unfit.problem == "not-in-force":
        use = "not in force on this day"
    else:
        return None
    table = TableVersion("icd10cm", known.release)
    return CodeFact(GROUP, "diagnosis", "Diagnosis", {"billable": unfit is None}, use, (use,), table)


def near_codes(tables: StoredTables, code: str, on: int) -> tuple[str, ...]:
    """Codes of any list, imported or not, that one slip of the finger makes of this one: two neighbors
    changed places, a character is another, is missing, or is too many. At most five, the likeliest first.
    """
    found = (each for each in dict.fromkeys(_slips(code)) if each != code and _is_known(tables, each, on))
    return tuple(each for each, _ in zip(found, range(_MOST_NEAR), strict=False))


def _is_known(tables: StoredTables, code: str, on: int) -> bool:
    return (
        is_procedure_here(tables, code, on)
        or shipped_diagnosis(code, on) is not None
        or tables.diagnosis(code.replace(".", ""), on) is not None
        or any(tables.spans(name, code, on) for name in ("taxonomy", "carc", "rarc"))
        or any(True for _ in facts_that_ship(code, on))
    )


def _slips(code: str) -> Iterator[str]:
    if len(code) > 10:
        return
    places = range(len(code))
    for at in places[:-1]:
        yield code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    # A digit for a digit and a letter for a letter before the other.
    for same in (True, False):
        for at in reversed(places):
            for sign in string.digits + string.ascii_uppercase:
                if (sign.isdigit() == code[at].isdigit()) is same:
                    yield code[:at] + sign + code[at + 1 :]
    for at in places:
        yield code[:at] + code[at + 1 :]
    for at in range(len(code) + 1):
        for sign in string.digits + string.ascii_uppercase:
            yield code[:at] + sign + code[at:]
