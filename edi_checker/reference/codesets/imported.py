"""Imported releases of code sets as far as the checks need them, what they say, and which lists decide."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Protocol, runtime_checkable

from edi_checker.reference.codesets import diagnoses, lists
from edi_checker.reference.codesets.lists import Problem
from edi_checker.reference.periods import last_day
from edi_checker.x12.dates import NO_END
from edi_checker.x12.finding import TableVersion


class Billable(Protocol):
    """A diagnosis of a release; False for a header."""

    @property
    def billable(self) -> bool: ...


@runtime_checkable
class Releases(Protocol):
    """What a store of imported releases answers; days are CCYYMMDD."""

    def release(self, name: str, on: int) -> TableVersion | None: ...

    def whole(self, name: str, on: int) -> bool: ...

    def diagnosis(self, code: str, on: int) -> Billable | None: ...

    def hcpcs(self, code: str, on: int) -> object | None: ...

    def spans(self, name: str, code: str, on: int) -> tuple[tuple[int, int], ...]: ...

    def __hash__(self) -> int: ...


_CODE_SETS = ("icd10cm", "hcpcs", "cpt", "taxonomy", "carc", "rarc")


@lru_cache(maxsize=8)
def releases_in(tables: object) -> Releases | None:
    """The imported releases that stand behind some tables, None where there are none of code sets."""
    if not isinstance(tables, Releases):
        return None
    known = any(tables.release(name, NO_END) is not None for name in _CODE_SETS)
    return tables if known else None


class Unlisted(NamedTuple):
    """Why a code does not hold by an imported list.

    problem       unknown: the list lacks it. not-in-force: it holds on other days, `since` and `until` those
                  of its last period. uncovered: it is not in the list, which does not reach the day.
    """

    problem: Problem
    since: int | None
    until: int | None
    table: TableVersion


@lru_cache(maxsize=16384)
def judge_listed(name: str, code: str, first: int, last: int, imported: Releases) -> Unlisted | bool:
    """Why a code of `name` (cpt, taxonomy, carc, rarc) holds on no day from `first` to `last`; True where it
    does on one, False where no imported release answers: an excerpt does not for the codes that it lacks.

    Between the service and the receipt of a claim a code may begin or end, and who wrote it down when is not
    known: one day on which it holds is enough.
    """
    release = imported.release(name, last)
    if release is None:
        return False
    spans = imported.spans(name, code, last)
    for since, until in (*spans, *imported.spans(name, code, first)):
        if since <= last and first <= until:
            return True
    if not imported.whole(name, last):
        return False
    if spans:
        since, until = spans[-1]
        return Unlisted(
            "not-in-force", since if since > last else None, until if until < first else None, release
        )
    return Unlisted("unknown" if last <= last_day(release.version) else "uncovered", None, None, release)


def list_versions(tables: object) -> tuple[tuple[str, str, int], ...]:
    """Name, release and number of codes of each list that ships, and what is known by its shape alone.

    Imported releases are among the versions of `tables` themselves.
    """
    icd10, icd9 = diagnoses.load("icd10cm"), diagnoses.load("icd9cm")
    places, modifiers, procedures = lists.places_of_service(), lists.modifiers(), lists.therapy_procedures()
    known = [
        ("icd10cm", icd10.release, icd10.rows),
        ("icd9cm", icd9.release, icd9.rows),
        (places.name, places.release, len(places.periods)),
        (modifiers.name, modifiers.release, len(modifiers.periods)),
        (procedures.name, procedures.release, len(procedures.periods)),
    ]
    releases = releases_in(tables)
    known += [
        (name, by_shape, 0)
        for name, by_shape in _BY_SHAPE
        if releases is None or releases.release(name, NO_END) is None
    ]
    return tuple(known)


# What is looked at where no release of a code set is imported.
_BY_SHAPE = (
    ("taxonomy", "shape and group only"),
    ("hcpcs", "shape only: no release imported"),
    ("cpt", "shape only: no list imported"),
    ("carc", "shape only: no list imported"),
    ("rarc", "shape only: no list imported"),
)
