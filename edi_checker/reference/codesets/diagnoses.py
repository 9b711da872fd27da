"""ICD-10-CM and ICD-9-CM: which codes can be billed on which day.

The lists ship packed (data/codesets, made by bench/make_code_lists.py) and are read when first asked for.
They hold the codes that can be billed; a code with which billable ones begin is a header. Their days fall
into eras, of which a list knows more or less:

    full   the list of that time is at hand: what it lacks does not exist
    gap    the lists before and after are: what either holds may have been in force, what both lack is not
           known
    none   only later lists are: what they hold is right, of the rest nothing is known
    after  the newest list has ended: what it says still holds, what it lacks may be new
"""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Literal, NamedTuple

from edi_checker.x12.dates import day_before

# The day on which ICD-10-CM took the place of ICD-9-CM (45 CFR 162.1002(c)).
TURN = 20151001

System = Literal["icd10cm", "icd9cm"]
Problem = Literal["shape", "unknown", "subdivided", "not-in-force", "uncovered"]

_SHAPES: dict[System, re.Pattern[str]] = {
    # The second character is a letter in some codes (QA0.xxxx).
    "icd10cm": re.compile(r"[A-Z][0-9A-Z]{2,6}"),
    "icd9cm": re.compile(r"[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3,4}"),
}
_MOST_BETTER = 8


class Unfit(NamedTuple):
    """Why a diagnosis code cannot be billed on a day.

    problem       shape: no code looks so. unknown: it does not exist. subdivided: a header. not-in-force: it
                  exists on other days. uncovered: the list does not reach the day, and lacks the code.
    since, until  first and last day of the days next to this one on which it can be billed, None where not
                  known
    better        codes to bill instead, at most eight
    """

    problem: Problem
    since: int | None = None
    until: int | None = None
    better: tuple[str, ...] = ()


class DiagnosisList:
    """A packed list. `release` names its newest part, which ends with `until` (CCYYMMDD)."""

    def __init__(self, text: bytes) -> None:
        end = text.index(b"\n")
        head = json.loads(text[:end])
        self.release: str = head["release"]
        self.until: int = head["until"]
        self.rows: int = head["rows"]
        self._first_days: list[int] = [first for first, _ in head["eras"]]
        self._known: list[str] = [known for _, known in head["eras"]]
        self._lives: list[str] = head["lives"]
        self._text = text
        self._start = end + 1
        # Each row: the code, padded to seven characters, the number of its life from "!" on, a line feed.
        self._step = 9

    def era(self, on: int) -> int:
        """The number of the era in which a day lies, -1 before the first."""
        return bisect_right(self._first_days, on) - 1

    def first_day(self, era: int) -> int:
        """The first day of an era."""
        return self._first_days[max(era, 0)]

    def judge(self, code: str, era: int) -> Unfit | None:
        """Why a code of the right shape cannot be billed in an era, None where it can."""
        if era < 0:
            return Unfit("uncovered")
        at = self._find(code)
        life = self._life(at) if self._code(at) == code else ""
        if life and life[era] == "1":
            return None
        known = self._known[era]
        if known == "none":
            return Unfit("uncovered")
        better = tuple(self._below(code, at, era))
        if better:
            return Unfit("subdivided", *self._around(life, era), better)
        if life:
            return Unfit("not-in-force", *self._around(life, era))
        if known == "full":
            shorter = (code[:length] for length in range(len(code) - 1, 2, -1))
            return Unfit("unknown", better=tuple(c for c in shorter if self.holds(c, era)))
        return Unfit("uncovered")

    def holds(self, code: str, era: int) -> bool:
        """Whether a code can be billed in an era."""
        at = self._find(code)
        return self._code(at) == code and era >= 0 and self._life(at)[era] == "1"

    def _find(self, code: str) -> int:
        """The number of the first row that is not before a code."""
        low, high = 0, self.rows
        while low < high:
            middle = (low + high) // 2
            if self._code(middle) < code:
                low = middle + 1
            else:
                high = middle
        return low

    def _code(self, row: int) -> str:
        start = self._start + row * self._step
        return self._text[start : start + 7].rstrip().decode("ascii") if row < self.rows else ""

    def _life(self, row: int) -> str:
        return self._lives[self._text[self._start + row * self._step + 7] - 33]

    def _below(self, code: str, row: int, era: int) -> Iterator[str]:
        """The first billable codes that go on from a code."""
        found = 0
        while found < _MOST_BETTER and (below := self._code(row)).startswith(code):
            if below != code and self._life(row)[era] == "1":
                found += 1
                yield below
            row += 1

    def _around(self, life: str, era: int) -> tuple[int | None, int | None]:
        """First day of the next days on which a code holds, or last day of those before."""
        if not life:
            return None, None
        before = life.rfind("1", 0, era)
        if before >= 0:
            return None, day_before(self._first_days[before + 1])
        return self._first_days[life.index("1", era)], None


@cache
def load(system: System) -> DiagnosisList:
    packed = (
        resources.files("edi_checker.reference") / "data" / "codesets" / f"{system}.txt.gz"
    ).read_bytes()
    return DiagnosisList(gzip.decompress(packed))


@lru_cache(maxsize=65536)
def judge(system: System, code: str, era: int) -> Unfit | None:
    """Why a diagnosis code, written without its dot, cannot be billed in an era; None where it can."""
    if not _SHAPES[system].fullmatch(code):
        return Unfit("shape")
    return load(system).judge(code, era)


def is_external_cause(system: System, code: str) -> bool:
    """Whether a code is an external cause of injury: V00-Y99, E000-E999 of ICD-9-CM.

    It stands behind the code for the harm (ICD-10-CM, note at chapter 20; Official Guidelines, section
    I.C.20).
    """
    if system == "icd9cm":
        return code[:1] == "E"
    return code[:1] in ("V", "W", "X", "Y")


# ICD-10-CM's own words for whose diagnosis it is: chapter 15 is for maternal records only, and these blocks,
# categories and titles name female or male organs.
_FEMALE = re.compile(
    r"O|Z3[3479A]|C5[1-8]|D06|D2[5-8]|D39|N7[0-7]|N8|N9[0-8]|Q5[0-2]|R87|C50[0-689]1|N35[0189]2|N9912"
)
_MALE = re.compile(r"C6[0-3]|D29|D40|N4[0-9]|N5[0-3]|Q5[3-5]|R86|C50[0-689]2|N35[0189]1|N9911")


@lru_cache(maxsize=16384)
def sex_of(code: str) -> Literal["F", "M", ""]:
    """The sex that ICD-10-CM itself names for a code, "" for none."""
    if _FEMALE.match(code):
        return "F"
    return "M" if _MALE.match(code) else ""


class Ages(NamedTuple):
    """The ages at which a code can be given: in days from birth up to and with `most_days`, and in years.

    None where there is no bound.
    """

    least_days: int | None = None
    most_days: int | None = None
    least_years: int | None = None
    most_years: int | None = None


# ICD-10-CM's titles and notes, each with a margin where its words leave one or have changed.
_AGES: tuple[tuple[str, Ages], ...] = (
    ("Z0011", Ages(most_days=28)),  # newborn, up to 28 days old
    ("Z0012", Ages(least_days=28, most_years=21)),  # child, over 28 days old
    ("Z000", Ages(least_years=15)),  # general adult medical examination
    ("Z685", Ages(least_years=2, most_years=20)),  # note: persons 2-19 (until 2018: 2-20) years of age
    ("Z681", Ages(least_years=20)),  # note: persons 20 years of age or older
    ("Z682", Ages(least_years=20)),
    ("Z683", Ages(least_years=20)),
    ("Z684", Ages(least_years=20)),
)


def ages_of(code: str) -> Ages | None:
    """The ages at which ICD-10-CM itself says that a code can be given, None where it says nothing."""
    if code[:1] != "Z":
        return None
    return next((ages for start, ages in _AGES if code.startswith(start)), None)
