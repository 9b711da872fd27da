"""Minutes of treatment, which an 837P does not carry: from a file next to it, SV103 = MJ, or a line note."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edi_checker.claims.claim import ServiceLine, element

MAX_BYTES = 1 << 26  # of a minutes file; some three million rows
MAX_FIELD = 200  # characters of one field; CLM01 and REF02 have at most 50
MAX_MINUTES = 24 * 60  # of one line: a day

_REQUIRED = ("claim", "line", "minutes")
_OPTIONAL = ("line_control", "assistant_minutes")

# A note gives minutes only if it is nothing else: "ARRIVED 5 MIN LATE" and "APPT TIME 10" give none.
_NOTE = re.compile(
    r"(?:(?:TOTAL |TREATMENT |TX )?(?:MINUTES|TIME)|TREATMENT)[ :=]{0,3}([0-9]{1,3})(?: ?MIN(?:S|UTES?)?)?"
    r"|([0-9]{1,3}) ?MIN(?:S|UTES?)?",
    re.IGNORECASE,
)


class MinutesError(ValueError):
    """A minutes file that cannot be used; the message names file and row, and quotes no claim."""


class LineMinutes(NamedTuple):
    """Minutes of treatment of one line; `assistant` are those of them that a therapist assistant gave."""

    minutes: int
    assistant: int | None = None


class Minutes:
    """A minutes file: minutes by claim and line ordinal, or by claim and line control number (REF*6R)."""

    def __init__(
        self, by_line: dict[tuple[str, int], LineMinutes], by_control: dict[tuple[str, str], LineMinutes]
    ) -> None:
        self._by_line = by_line
        self._by_control = by_control

    @classmethod
    def parse(cls, text: str, name: str) -> Minutes:
        """Read the text of a minutes file; `name` stands for it in messages.

        Columns `claim,line,minutes` in any order, optional `line_control,assistant_minutes`; where a row
        leaves `line` empty, `line_control` says which line is meant. Raises MinutesError.
        """
        return _parse(text, name)

    def __len__(self) -> int:
        return len(self._by_line) + len(self._by_control)

    def find(self, claim: str, line: int, control: str) -> LineMinutes | None:
        """Minutes of a line by CLM01 and ordinal from 1, else by CLM01 and REF*6R ("" for none)."""
        found = self._by_line.get((claim, line))
        if found is None and control:
            found = self._by_control.get((claim, control))
        return found


def read_minutes(path: str | Path, name: str = "") -> Minutes:
    """Read a minutes file (CSV in UTF-8, with or without byte order mark). Raises MinutesError.

    `name` stands for it in messages, without one its path.
    """
    name = name or str(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MinutesError(f"{name}: cannot be read ({error.strerror or type(error).__name__})") from None
    if len(data) > MAX_BYTES:
        raise MinutesError(f"{name}: larger than {MAX_BYTES // (1 << 20)} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise MinutesError(f"{name}, row {row}: not UTF-8 text") from None
    return Minutes.parse(text, name)


def minutes_of(
    line: ServiceLine, given: Minutes | None, pattern: re.Pattern[str] | None = None
) -> LineMinutes | None:
    """Minutes of a line, first found: the minutes file, SV104 where SV103 is MJ, a line note NTE*ADD (read by
    `pattern`, where one is given).
    """
    if given is not None:
        found = given.find(line.claim.id, line.ordinal, line.control)
        if found is not None:
            return found
    if line.unit == "MJ":
        quantity = line.quantity
        if quantity is None or quantity != int(quantity) or not 0 <= quantity <= MAX_MINUTES:
            return None
        return LineMinutes(int(quantity))
    return minutes_in_notes([element(note, 2) for note in line.all("NTE", "ADD")], pattern)


def minutes_in_notes(notes: Sequence[str], pattern: re.Pattern[str] | None = None) -> LineMinutes | None:
    """The minutes in the first of a line's notes (NTE*ADD) that gives any, as of minutes_in_note."""
    for note in notes:
        minutes = minutes_in_note(note, pattern)
        if minutes is not None:
            return LineMinutes(minutes)
    return None


def minutes_in_note(text: str, pattern: re.Pattern[str] | None = None) -> int | None:
    """Minutes in a note that is as a whole one of the phrases for it: `MINUTES nn`, `nn MIN`, `TIME nn`,
    `TREATMENT TIME nn MIN`, or as `pattern` (made by `note_pattern`) has it; None for any other note.
    """
    found = (pattern or _NOTE).fullmatch(text.strip())
    minutes = int(found[found.lastindex or 0]) if found is not None else None
    return minutes if minutes is not None and minutes <= MAX_MINUTES else None


MAX_PHRASE = 40  # characters of one way to say minutes in a note
_PHRASE = re.compile(r"[A-Za-z0-9 :=/#.,+()-]+")
_PLACE = re.compile(r"(?<![A-Za-z0-9])nn(?![a-z0-9])")


def note_pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """The pattern of notes that say minutes in one of these ways: `TX TIME nn`, with nn for the minutes.

    The whole note must be one of them. Case counts for nothing, and blanks may be left out or be up to three.
    Raises ValueError for a phrase without nn, with nn twice, or with anything but letters, digits, blanks and
    plain punctuation.
    """
    return re.compile("|".join(_phrase_pattern(phrase.strip()) for phrase in phrases), re.IGNORECASE)


def _phrase_pattern(phrase: str) -> str:
    parts = _PLACE.split(re.sub(" +", " ", phrase))
    if len(phrase) > MAX_PHRASE or not _PHRASE.fullmatch(phrase) or len(parts) != 2:
        raise ValueError(
            f"{phrase!r} is not a form for minutes: letters, digits, blanks and one nn for the "
            f"minutes, in at most {MAX_PHRASE} characters: TX TIME nn"
        )
    before, after = (" {0,3}".join(map(re.escape, part.split(" "))) for part in parts)
    return f"{before}([0-9]{{1,3}}){after}"


def _parse(text: str, name: str) -> Minutes:
    by_line: dict[tuple[str, int], LineMinutes] = {}
    by_control: dict[tuple[str, str], LineMinutes] = {}
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    columns: list[str] = []
    number = 1
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                if columns:
                    _add(row, columns, by_line, by_control)
                else:
                    columns = _columns(row)
            number = rows.line_num + 1
    except (csv.Error, _BadRow) as error:
        raise MinutesError(f"{name}, row {number}: {error}") from None
    if not columns:
        raise MinutesError(f"{name}, row 1: the header claim,line,minutes is missing")
    return Minutes(by_line, by_control)


class _BadRow(Exception):
    pass


def _columns(row: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in row]
    unknown = [c for c in columns if c not in _REQUIRED + _OPTIONAL]
    # The text of a header cell is not quoted: a file without a header has its first claim there.
    if unknown:
        at = columns.index(unknown[0]) + 1
        allowed = ", ".join(_REQUIRED + _OPTIONAL)
        raise _BadRow(f"column {at} of the header is none of {allowed}")
    if len(set(columns)) < len(columns):
        raise _BadRow("a column is in the header twice")
    if missing := [c for c in _REQUIRED if c not in columns]:
        raise _BadRow(f"the header has no column {missing[0]}")
    return columns


def _add(
    row: list[str],
    columns: list[str],
    by_line: dict[tuple[str, int], LineMinutes],
    by_control: dict[tuple[str, str], LineMinutes],
) -> None:
    if len(row) != len(columns):
        raise _BadRow(f"{len(row)} fields where the header has {len(columns)}")
    if any(len(cell) > MAX_FIELD for cell in row):
        raise _BadRow(f"a field of more than {MAX_FIELD} characters")
    values = dict(zip(columns, (cell.strip() for cell in row), strict=True))
    claim, control = values["claim"], values.get("line_control", "")
    if not claim:
        raise _BadRow("claim is empty")
    minutes = _count(values["minutes"], "minutes", 0, MAX_MINUTES)
    assistant = None
    if values.get("assistant_minutes"):
        assistant = _count(values["assistant_minutes"], "assistant_minutes", 0, MAX_MINUTES)
        if assistant > minutes:
            raise _BadRow("assistant_minutes are more than minutes")
    line = _count(values["line"], "line", 1, 9999) if values["line"] or not control else None
    found = LineMinutes(minutes, assistant)
    if line is not None:
        if by_line.setdefault((claim, line), found) is not found:
            raise _BadRow("the same claim and line are in an earlier row")
    elif by_control.setdefault((claim, control), found) is not found:
        raise _BadRow("the same claim and line_control are in an earlier row")


def _count(text: str, column: str, least: int, most: int) -> int:
    if not text:
        raise _BadRow(f"{column} is empty")
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 6 or "-" in text[1:]:
        raise _BadRow(f"{column} is not a whole number")
    value = int(text)
    if not least <= value <= most:
        raise _BadRow(f"{column} is not between {least} and {most}")
    return value
