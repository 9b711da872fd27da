"""Forms of member ids that a payer's profile gives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edi_checker.claims.profile import LONGEST_MEMBER_ID

MAX_FORM = 60  # characters of one form
MAX_FORMS = 10
_MOST_VARYING = 3  # parts of one form that may be longer or shorter: each makes matching slower
_PART = re.compile(
    r"(?:[A-Za-z0-9 /_-]|\\d|\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?)+\])(\?|\{([0-9]{1,2})(?:,([0-9]{1,2}))?\})?"
)


def member_id_pattern(forms: Sequence[str]) -> re.Pattern[str]:
    r"""The pattern of ids that have one of these forms as a whole: `W[0-9]{8}`, `[A-Z]{3}\d{9,12}`.

    A form is a row of letters, digits, blanks, `-`, `/`, `_`, `\d` and sets in brackets, each with `{n}`,
    `{m,n}` or `?` behind it where it repeats; upper and lower case are the same. No more of a regular
    expression is taken: what repeats without an end can take without end. Raises ValueError.
    """
    if not 1 <= len(forms) <= MAX_FORMS:
        raise ValueError(f"one to {MAX_FORMS} forms of a member id")
    return re.compile("|".join(map(_checked, forms)), re.IGNORECASE | re.ASCII)


def _checked(form: str) -> str:
    """A form as it is. Raises ValueError."""
    try:
        sound = _is_bounded(form) and re.compile(form) is not None
    except re.error:  # a set from Z to A
        sound = False
    if not sound:
        raise ValueError(
            f"{form[:MAX_FORM]!r} is not a format of a member id: letters, digits, \\d and sets in"
            f" brackets, each with {{n}}, {{m,n}} or ? (up to {_MOST_VARYING} that vary), in at most"
            f" {MAX_FORM} characters: W[0-9]{{8}}"
        )
    return form


def _is_bounded(form: str) -> bool:
    """Whether a form has nothing but the parts that it may have, and few of them vary."""
    at = varying = 0
    while at < len(form) <= MAX_FORM:
        part = _PART.match(form, at)
        if part is None:
            return False
        least, most = int(part[2] or 0), int(part[3] or part[2] or 1)
        varying += part[1] is not None and least != most
        if least > most or most > LONGEST_MEMBER_ID or varying > _MOST_VARYING:
            return False
        at = part.end()
    return 0 < at == len(form)
