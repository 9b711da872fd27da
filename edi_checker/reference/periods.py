"""The periods in which tables are published, by day and release name: quarters, fiscal years and others."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from edi_checker.x12.dates import day_before


class Period(NamedTuple):
    """The name of a release, and the first and last day (CCYYMMDD) of its quarter or year."""

    name: str
    first: int
    last: int


def quarter(year: int, number: int) -> Period:
    number = min(max(number, 1), 4)
    last = (331, 630, 930, 1231)[number - 1]
    return Period(f"{year}Q{number}", year * 10000 + number * 300 - 199, year * 10000 + last)


def quarter_of(on: int) -> Period:
    return quarter(on // 10000, (on // 100 % 100 + 2) // 3)


def fiscal_year(year: int, *, april: bool = False) -> Period:
    """ICD-10-CM of a year holds from 1 October of the year before; an update may begin on 1 April."""
    last = year * 10000 + 930
    if april:
        return Period(f"FY{year}-April", year * 10000 + 401, last)
    return Period(f"FY{year}", (year - 1) * 10000 + 1001, last)


def _half_year(on: int) -> Period:
    """The taxonomy's version of January holds from 1 April on, that of July from 1 October."""
    year, month = on // 10000, on // 100 % 100
    if 4 <= month <= 9:
        return Period(f"{year % 100:02}.0", year * 10000 + 401, year * 10000 + 930)
    year -= month < 4
    return Period(f"{year % 100:02}.1", year * 10000 + 1001, (year + 1) * 10000 + 331)


def _third_of_year(on: int) -> Period:
    """Reason and remark codes are published for the first of March, July and November."""
    year, month = on // 10000, on // 100 % 100
    if 3 <= month < 7:
        return Period(f"{year}-03", year * 10000 + 301, year * 10000 + 630)
    if 7 <= month < 11:
        return Period(f"{year}-07", year * 10000 + 701, year * 10000 + 1031)
    year -= month < 3
    return Period(f"{year}-11", year * 10000 + 1101, day_before((year + 1) * 10000 + 301))


def _year(on: int) -> Period:
    """Classes of services are published once a year."""
    year = on // 10000
    return Period(str(year), year * 10000 + 101, year * 10000 + 1231)


# Tables whose releases are no quarters or fiscal years: their period on a day.
OTHERS: dict[str, Callable[[int], Period]] = {
    "taxonomy": _half_year,
    "carc": _third_of_year,
    "rarc": _third_of_year,
    "betos": _year,
    "rbcs": _year,
}


def period_of_day(table: str, on: int) -> Period:
    return OTHERS.get(table, quarter_of)(on)


def first_of_version(year: str, number: str) -> int:
    """The first day of a version of the taxonomy: 26 and 0 of January 2026, 26 and 1 of July."""
    return (2000 + int(year)) * 10000 + (401 if number == "0" else 1001)


@lru_cache(maxsize=64)
def last_day(release: str) -> int:
    """The last day of a release by its name, 0 where it does not say.

    FY2026, FY2026-April; 2026Q3r1 and builtin-therapy-2024Q3; 26.0 (from April 2026 on) and 26.1 (from
    October on) of the taxonomy;
    2026-03, 2026-07 and 2026-11 of reason and remark codes.
    """
    if found := re.fullmatch(r"FY(2\d\d\d)(-\w+)?", release):
        return fiscal_year(int(found[1])).last
    if found := re.search(r"(2\d\d\d)Q([1-4])", release):
        return quarter(int(found[1]), int(found[2])).last
    if found := re.fullmatch(r"(\d\d)\.([01])", release):
        return _half_year(first_of_version(found[1], found[2])).last
    if found := re.fullmatch(r"(2\d\d\d)-(03|07|11)", release):
        return _third_of_year(int(found[1] + found[2] + "01")).last
    return 0
