"""Dates and times as X12 writes them: read, counted with, and written as people read them.

Inside, a day is the integer CCYYMMDD (20260131): it compares as the day does, and costs nothing to make.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

NO_END = 99991231  # the last of all days: what holds until then holds until further notice
_FIRST_DAY = 18000101  # nobody in a claim lived or was treated before; a year 0026 is a typing error


@lru_cache(maxsize=16384)
def day(text: str) -> int | None:
    """CCYYMMDD as an integer; None where the text is no day of the calendar."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return None
    try:
        to_date(int(text))
    except ValueError:
        return None
    return int(text)


@lru_cache(maxsize=4096)
def days_of(form: str, text: str) -> tuple[int | None, int | None, int | None]:
    """First and last day of a date in the form D8, RD8 or DT (DTP02), and how many days these are.

    None for what cannot be read; days in the wrong order are not counted.
    """
    if form == "RD8":
        begin, _, end = text.partition("-")
        first, last = day(begin), day(end)
    else:
        first = last = day(text[:8]) if form in ("D8", "DT") else None
    if first is None or last is None or last < first:
        return first, last, None
    return first, last, days_between(first, last) + 1


# Whether a text may stand in an element is another question than which day it names: `day` reads a year 0026
# too, which the guide's findings report, so that the other rules can still say what they know.


def is_date(text: str) -> bool:
    """Whether the text is a day from 1800 on, as CCYYMMDD or YYMMDD (of the years 1950 to 2049)."""
    if len(text) == 6:
        text = ("20" if text < "5" else "19") + text
    return len(text) == 8 and (day(text) or 0) >= _FIRST_DAY


def is_time(text: str) -> bool:
    """Whether the text is a time of day, as HHMM, HHMMSS, HHMMSSD or HHMMSSDD."""
    if len(text) not in (4, 6, 7, 8) or not text.isascii() or not text.isdigit():
        return False
    return text[:2] < "24" and text[2:4] < "60" and text[4:6] < "60"


def is_period(text: str, form: str) -> bool:
    """Whether the text is written as its format qualifier (D8, D6, DT, TM, RD8) says."""
    if form == "RD8":
        first, _, last = text.partition("-")
        return is_period(first, "D8") and is_period(last, "D8")
    if form == "DT":
        return len(text) == 12 and is_date(text[:8]) and is_time(text[8:])
    if form == "TM":
        return is_time(text)
    return len(text) == (8 if form == "D8" else 6) and is_date(text)


def days_between(first: int, last: int) -> int:
    """How many days later `last` is."""
    return (to_date(last) - to_date(first)).days


def days_through(first: int, last: int, most: int) -> list[int]:
    """The days from the first to the last, at most so many."""
    begin = to_date(first)
    count = min(days_between(first, last) + 1, most)
    return [from_date(begin + timedelta(days=number)) for number in range(count)]


def years_between(first: int, last: int) -> int:
    """Whole years, as an age is counted."""
    return (last - first) // 10000


def day_before(on: int) -> int:
    return from_date(to_date(on) - timedelta(days=1))


def a_year_after(on: int) -> int:
    """The same day of the next year, February 28 for 29."""
    return on + 10000 - (on % 10000 == 229)


def to_date(on: int) -> date:
    """Raises ValueError where the calendar has no such day."""
    return date(on // 10000, on // 100 % 100, on % 100)


def from_date(on: date) -> int:
    return on.year * 10000 + on.month * 100 + on.day


@lru_cache(maxsize=4096)
def iso(on: int) -> str:
    """20260131 as `2026-01-31`."""
    return hyphenate(f"{on:08}")


def show_days(days: tuple[int | None, int | None]) -> str:
    """A first and last day as `2026-01-31` or `2026-01-30 to 2026-01-31`, "" where one is unknown."""
    first, last = days
    if first is None or last is None:
        return ""
    return iso(first) if first == last else f"{iso(first)} to {iso(last)}"


def hyphenate(text: str) -> str:
    """`20260131` as `2026-01-31`, be it a day of the calendar or not; other texts as they are."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def read_iso(text: str) -> int | None:
    """`2026-01-31` as 20260131; None for anything else."""
    return day(text.replace("-", "")) if len(text) == 10 and text[4] == text[7] == "-" else None
