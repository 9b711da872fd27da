"""Imported releases of ICD-10-CM and HCPCS as far as the code sets need them, and which lists decide."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol, runtime_checkable

from edi_checker.codesets import diagnoses, lists
from edi_checker.finding import TableVersion

_LAST = 99991231  # the last of all days: any release has begun by then


class Billable(Protocol):
    """A diagnosis of a release; False for a header."""

    @property
    def billable(self) -> bool: ...


@runtime_checkable
class Releases(Protocol):
    """What a store of imported releases answers; days are CCYYMMDD."""

    def release(self, name: str, on: int) -> TableVersion | None: ...

    def diagnosis(self, code: str, on: int) -> Billable | None: ...

    def hcpcs(self, code: str, on: int) -> object | None: ...

    def __hash__(self) -> int: ...


@lru_cache(maxsize=8)
def releases_in(tables: object) -> Releases | None:
    """The imported releases that stand behind some tables, None where there are none of code sets."""
    if not isinstance(tables, Releases):
        return None
    known = any(tables.release(name, _LAST) is not None for name in ("icd10cm", "hcpcs"))
    return tables if known else None


@lru_cache(maxsize=64)
def last_day(release: str) -> int:
    """The last day of a release by its name (FY2026, FY2026-April, 2026Q3r1), 0 where it does not say."""
    if found := re.fullmatch(r"FY(2\d\d\d)(-\w+)?", release):
        return int(found[1]) * 10000 + 930
    if found := re.match(r"(2\d\d\d)Q([1-4])", release):
        return int(found[1]) * 10000 + (331, 630, 930, 1231)[int(found[2]) - 1]
    return 0


def list_versions(tables: object) -> tuple[tuple[str, str, int], ...]:
    """Name, release and number of codes of each list that ships, and what is known by its shape alone.

    Imported releases are among the versions of `tables` themselves.
    """
    icd10, icd9 = diagnoses.load("icd10cm"), diagnoses.load("icd9cm")
    places, modifiers = lists.places_of_service(), lists.modifiers()
    known = [
        ("icd10cm", icd10.release, icd10.rows),
        ("icd9cm", icd9.release, icd9.rows),
        (places.name, places.release, len(places.periods)),
        (modifiers.name, modifiers.release, len(modifiers.periods)),
        ("taxonomy", "shape and group only", 0),
    ]
    releases = releases_in(tables)
    if releases is None or releases.release("hcpcs", _LAST) is None:
        known.append(("hcpcs", "shape only: no release imported", 0))
    return tuple(known)
