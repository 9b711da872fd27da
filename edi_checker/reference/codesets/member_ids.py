"""Forms of Medicare's member ids, position by position."""

from __future__ import annotations

import re
from typing import Literal

# The letters are none that looks like a digit (CMS, Understanding the Medicare Beneficiary Identifier).
_MBI = re.compile(
    "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]"
    "[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
    re.ASCII,
)
# What the card said before, as CMS's front-end edit X222.121.2010BA.NM109.020 has it: a social security
# number and whose claim it is, or a number of the Railroad Retirement Board.
_FORMER = re.compile(r"[0-9]{9}[A-Z][0-9A-Z]?|[A-Z]{1,3}(?:[0-9]{6}|[0-9]{9})", re.IGNORECASE | re.ASCII)


def judge_medicare_id(text: str) -> Literal["", "lower-case", "former", "medicare"]:
    """Whether a text is none of the forms that Medicare's ids have (`medicare`), one of those that the
    Medicare Beneficiary Identifier took the place of (`former`), or an identifier in lower case; "" for an
    identifier as it is on the card.
    """
    if _MBI.fullmatch(text):
        return ""
    if _MBI.fullmatch(text.upper()):
        return "lower-case"
    return "former" if _FORMER.fullmatch(text) else "medicare"
