"""Dates and times: what is read, what is refused, and that counting agrees with `datetime`."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.x12.dates import (
    NO_END,
    a_year_after,
    day,
    day_before,
    days_between,
    days_of,
    from_date,
    hyphenate,
    is_date,
    is_period,
    is_time,
    iso,
    read_iso,
    to_date,
    years_between,
)

DAYS = st.dates()
# Most of these are no days, by a little.
NEARLY = st.builds(
    "{:04}{:02}{:02}".format,
    st.one_of(st.integers(0, 9999), st.sampled_from([0, 1799, 1800, 1900, 2000, 2024, 2100])),
    st.integers(0, 13),
    st.integers(0, 32),
)


def in_calendar(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20260131", 20260131),
        ("20240229", 20240229),
        ("20000229", 20000229),
        ("19000229", None),
        ("21000229", None),
        ("20260229", None),
        ("20261301", None),
        ("20260100", None),
        ("00010101", 10101),
        ("99991231", NO_END),
        ("00000101", None),
        ("00000000", None),
        ("2026013", None),
        ("202601311", None),
        ("260131", None),
        ("", None),
        ("2026013A", None),
        ("-2026013", None),
        ("2026 131", None),
        ("\u00b20260131", None),
        ("\u0662\u0660\u0662\u0666\u0660\u0661\u0663\u0661", None),
        ("\uff120260131", None),
    ],
)
def test_a_day_is_one_of_the_calendar(text: str, value: int | None) -> None:
    assert day(text) == value


@given(NEARLY)
def test_days_are_those_of_the_calendar(text: str) -> None:
    known = in_calendar(text)
    assert day(text) == (int(text) if known is not None else None)
    assert is_date(text) is (known is not None and known.year >= 1800)
    assert read_iso(hyphenate(text)) == day(text)


@given(st.text(max_size=12))
def test_any_text_can_be_asked(text: str) -> None:
    assert day(text) is None or (len(text) == 8 and in_calendar(text) is not None)
    assert not is_date(text) or len(text) in (6, 8)
    assert is_time(text) in (True, False)
    for form in ("D8", "D6", "RD8", "DT", "TM"):
        assert is_period(text, form) in (True, False)
        days_of(form, text)


@given(DAYS)
def test_a_day_is_written_and_read_again(on: date) -> None:
    number = from_date(on)
    assert to_date(number) == on
    assert iso(number) == on.isoformat()
    assert read_iso(on.isoformat()) == number == day(f"{number:08}")


@given(DAYS, DAYS)
def test_days_and_years_are_counted_as_the_calendar_does(one: date, two: date) -> None:
    first, last = from_date(min(one, two)), from_date(max(one, two))
    assert days_between(first, last) == abs(two - one).days == -days_between(last, first)
    birth, on = min(one, two), max(one, two)
    had_birthday = (on.month, on.day) >= (birth.month, birth.day)
    assert years_between(first, last) == on.year - birth.year - (not had_birthday)


@given(DAYS.filter(lambda on: date.min < on and on.year < 9999))
def test_the_day_before_and_a_year_after(on: date) -> None:
    number = from_date(on)
    assert day_before(number) == from_date(on - timedelta(days=1))
    leap = (on.month, on.day) == (2, 29)
    assert to_date(a_year_after(number)) == on.replace(year=on.year + 1, day=28 if leap else on.day)


@given(DAYS, DAYS)
def test_a_range_has_two_ends_and_is_counted_in_order(one: date, two: date) -> None:
    first, last = from_date(one), from_date(two)
    count = (two - one).days + 1 if one <= two else None
    assert days_of("RD8", f"{first:08}-{last:08}") == (first, last, count)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("D8", "20260101", (20260101, 20260101, 1)),
        ("DT", "202601011200", (20260101, 20260101, 1)),
        ("RD8", "20240228-20240301", (20240228, 20240301, 3)),
        ("RD8", "20260101-20260101", (20260101, 20260101, 1)),
        ("RD8", "20260105-20260101", (20260105, 20260101, None)),
        ("RD8", "20260101", (20260101, None, None)),
        ("RD8", "-20260101", (None, 20260101, None)),
        ("RD8", "20260101-20260102-20260103", (20260101, None, None)),
        ("D8", "20260101-20260102", (20260101, 20260101, 1)),
        ("D8", "00000000", (None, None, None)),
        ("D6", "260101", (None, None, None)),
        ("", "", (None, None, None)),
    ],
)
def test_a_date_is_read_as_its_form_says(
    form: str, text: str, expected: tuple[int | None, int | None, int | None]
) -> None:
    assert days_of(form, text) == expected


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("20240229", True),
        ("20230229", False),
        ("19000229", False),
        ("17991231", False),
        ("18000101", True),
        ("00240229", False),
        ("99991231", True),
        ("240229", True),
        ("230229", False),
        ("000229", True),
        ("490101", True),
        ("500101", True),
        ("991301", False),
        ("2024022", False),
        ("\uff120240229", False),
        ("\uff1240229", False),
        ("", False),
    ],
)
def test_an_element_holds_a_date_from_1800_on(text: str, good: bool) -> None:
    assert is_date(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("0000", True),
        ("2359", True),
        ("2400", False),
        ("1260", False),
        ("120060", False),
        ("120059", True),
        ("1200599", True),
        ("12005999", True),
        ("12005", False),
        ("120059999", False),
        ("12:0", False),
        ("\uff11200", False),
    ],
)
def test_an_element_holds_a_time(text: str, good: bool) -> None:
    assert is_time(text) is good


@pytest.mark.parametrize(
    ("text", "form", "good"),
    [
        ("20260131", "D8", True),
        ("260131", "D8", False),
        ("260131", "D6", True),
        ("20260131", "D6", False),
        ("202601312359", "DT", True),
        ("202601312400", "DT", False),
        ("20260131", "DT", False),
        ("2359", "TM", True),
        ("20260101-20260131", "RD8", True),
        ("20260131-20260101", "RD8", True),  # a rule reports the order
        ("20260131", "RD8", False),
        ("20260131-", "RD8", False),
        ("260101-260131", "RD8", False),
    ],
)
def test_a_period_is_written_as_its_form_says(text: str, form: str, good: bool) -> None:
    assert is_period(text, form) is good


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", 20260131),
        ("2026-02-29", None),
        ("20260131", None),
        ("2026-1-31", None),
        ("2026-W05-6", None),  # a week date is ISO 8601 too
        ("26-01-31", None),
        ("2026-01-31T00", None),
        ("2026/01/31", None),
        ("202-6-0131", None),
        ("", None),
    ],
)
def test_an_iso_date_has_its_hyphens(text: str, expected: int | None) -> None:
    assert read_iso(text) == expected


def test_texts_of_eight_digits_get_hyphens_and_others_none() -> None:
    assert [hyphenate(text) for text in ("20260131", "20261399", "2026013", "UNKNOWN1", "")] == [
        "2026-01-31",
        "2026-13-99",
        "2026013",
        "UNKNOWN1",
        "",
    ]
