"""Money and units: X12's decimal numbers (type R) read into integers, and cents written for each reader."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

# X12's decimal: digits and one point, a leading minus, no exponent. The guide bounds it element by element;
# here it is bounded so that no text makes a huge number.
_NUMBER = re.compile(r"-?(?:[0-9]{1,18}(?:\.[0-9]{0,8})?|\.[0-9]{1,8})")


_TOO_MUCH = 10**10  # cents


@lru_cache(maxsize=16384)
def cents(text: str) -> int | None:
    """Money in cents; None where the text is empty, no number, holds a fraction of a cent, or has more than
    the ten digits that the guide allows.
    """
    amount = _read(text, 2)
    return amount if amount is not None and abs(amount) < _TOO_MUCH else None


@lru_cache(maxsize=4096)
def thousandths(text: str) -> int | None:
    """Units in thousandths; None where they cannot be read, are below zero or finer than thousandths."""
    units = _read(text, 3)
    return units if units is not None and units >= 0 else None


@lru_cache(maxsize=4096)
def quantity(text: str) -> Decimal | None:
    """A count such as SV104, which may have decimals; None where the text is no number."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _read(text: str, decimals: int) -> int | None:
    """A number with its point moved by so many decimals; None where it is none, or has more of them."""
    if _NUMBER.fullmatch(text) is None:
        return None
    whole, _, part = text.partition(".")
    if part[decimals:].strip("0"):
        return None
    return int(whole + part[:decimals].ljust(decimals, "0"))


def dollars(cents: int) -> str:
    """For files and messages: `1234.50`."""
    return f"{cents // 100}.{cents % 100:02}" if cents >= 0 else f"-{dollars(-cents)}"


@lru_cache(maxsize=65536)
def exact_dollars(cents: int) -> Decimal:
    """For reckoning: 123450 is 1234.50, exactly."""
    return Decimal(cents).scaleb(-2)


def x12_amount(cents: int) -> str:
    """For X12 (type R), without needless zeros: 12500 is `125`, 19910 is `199.1`."""
    return dollars(cents).rstrip("0").rstrip(".")


def show_dollars(cents: int, symbol: str = "$") -> str:
    """For people: `$1,234.50`, `-$0.05`."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{symbol}{whole:,}.{rest:02}"


def show_units(thousandths: int) -> str:
    """For people: 1500 is `1.5`, 2000 is `2`."""
    whole, rest = divmod(abs(thousandths), 1000)
    return f"{'-' if thousandths < 0 else ''}{whole}.{rest:03}".rstrip("0").rstrip(".")
