"""Money and units: what is read, what is refused, and that amounts are written as each reader wants them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.x12.money import cents, dollars, quantity, show_dollars, show_units, thousandths, x12_amount

AMOUNTS = st.integers(-(10**10) + 1, 10**10 - 1)  # cents
# Numbers as X12 writes them, with more digits and decimals than money has, and what only looks like one.
WRITTEN = st.one_of(
    st.from_regex(r"\A-?[0-9]{1,19}(\.[0-9]{0,9})?\Z"),
    st.from_regex(r"\A-?\.[0-9]{1,9}\Z"),
    st.text("0123456789.-+eE_, \u0661\uff11", max_size=8),
    st.text(max_size=6),
)
_NUMBER = re.compile(r"-?(\d{1,18}(\.\d{0,8})?|\.\d{1,8})", re.ASCII)


def number_in(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100", 10000),
        ("100.", 10000),
        ("100.5", 10050),
        ("0.01", 1),
        (".5", 50),
        ("-3.10", -310),
        ("-0", 0),
        ("28.750", 2875),
        ("28.75000000", 2875),
        ("28.755", None),
        ("28.750000000", None),
        ("99999999.99", 9_999_999_999),
        ("-99999999.99", -9_999_999_999),
        ("100000000", None),
        ("9" * 18, None),
        ("9" * 19, None),
        ("9" * 100_000, None),
        ("", None),
        (".", None),
        ("-", None),
        ("+1", None),
        ("--1", None),
        ("1-", None),
        ("1.2.3", None),
        ("1E5", None),
        ("1_000", None),
        (" 1", None),
        ("1\n", None),
        ("\u0661", None),
        ("NaN", None),
        ("Infinity", None),
        ("12,50", None),
    ],
)
def test_money_is_cents(text: str, value: int | None) -> None:
    assert cents(text) == value


@given(WRITTEN)
def test_numbers_are_read_exactly(text: str) -> None:
    number = number_in(text)
    assert quantity(text) == number
    for read, scale, most in ((cents, 100, 10**10), (thousandths, 1000, 10**30)):
        expected = number.scaleb(len(str(scale)) - 1) if number is not None else None
        if expected is not None and abs(expected) >= most:
            expected = None
        if expected is not None and expected == int(expected) and (read is cents or expected >= 0):
            assert read(text) == int(expected)
        else:
            assert read(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1000),
        ("1.5", 1500),
        ("0.001", 1),
        ("0.0001", None),
        ("-1", None),
        ("-0.0", 0),
        ("", None),
        ("x", None),
    ],
)
def test_units_are_thousandths(text: str, value: int | None) -> None:
    assert thousandths(text) == value


@given(AMOUNTS)
def test_an_amount_is_written_and_read_again(amount: int) -> None:
    assert Decimal(dollars(amount)) * 100 == amount
    assert re.fullmatch(r"-?[0-9]+\.[0-9]{2}", dollars(amount))
    assert cents(x12_amount(amount)) == cents(dollars(amount)) == amount
    assert not re.search(r"\.$|\.[0-9]*0$|E", x12_amount(amount))
    shown = show_dollars(amount)
    assert shown.replace("$", "").replace(",", "") == dollars(amount)
    assert show_dollars(amount, "") == shown.replace("$", "") == f"{Decimal(amount) / 100:,.2f}"
    assert Decimal(show_units(amount)) * 1000 == amount
    assert not re.search(r"\.$|\.[0-9]*0$|E", show_units(amount))


@pytest.mark.parametrize(
    ("amount", "plain", "sent", "shown", "units"),
    [
        (0, "0.00", "0", "$0.00", "0"),
        (5, "0.05", "0.05", "$0.05", "0.005"),
        (-5, "-0.05", "-0.05", "-$0.05", "-0.005"),
        (100, "1.00", "1", "$1.00", "0.1"),
        (110, "1.10", "1.1", "$1.10", "0.11"),
        (19914, "199.14", "199.14", "$199.14", "19.914"),
        (-250, "-2.50", "-2.5", "-$2.50", "-0.25"),
        (100_000, "1000.00", "1000", "$1,000.00", "100"),
        (-123_456_789, "-1234567.89", "-1234567.89", "-$1,234,567.89", "-123456.789"),
    ],
)
def test_each_reader_has_its_form(amount: int, plain: str, sent: str, shown: str, units: str) -> None:
    assert (dollars(amount), x12_amount(amount), show_dollars(amount), show_units(amount)) == (
        plain,
        sent,
        shown,
        units,
    )
