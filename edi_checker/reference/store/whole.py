"""Whether a table is the whole one: its least size, codes that no whole one lacks, and the release before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from edi_checker.reference.store.packed import Packed, Packer


@dataclass(frozen=True, slots=True)
class Whole:
    """What every whole release of a table has.

    least  number of rows, far below the smallest release that can still be needed, so that none is refused
    size   of which size releases are, and when: what `least` stands on, for the message
    has    the first characters of codes; a file that was cut off lacks those at its end. Some tables put
           letters before digits and others behind, so both ends are asked for
    """

    least: int
    size: str
    has: tuple[str, ...] = ()


# 99605 to 99607 end CPT and V5362 to V5364 end HCPCS, in each of these tables for over fifteen years.
_BOTH_ENDS = ("0", "9960", "V536")
WHOLE: dict[str, Whole] = {
    # Deleted edits stay in the table, so it only grows. Its letters end with Q, but for a few rows.
    "ncci_ptp": Whole(1_000_000, "2.5 million in 2024", ("0", "9", "Q")),
    "ncci_ptp_medicaid": Whole(500_000, "about 2 million in 2024", ("0", "9", "Q")),
    "ncci_mue": Whole(7_000, "14,677 in 2024", _BOTH_ENDS),
    "ncci_mue_medicaid": Whole(7_000, "over 14,000 in 2024", ("0", "9", "V")),
    # Some 500 add-on codes, each with one to a hundred primaries; deleted rows stay.
    "ncci_addon": Whole(1_000, "several thousand in 2024", ("0", "99", "G")),
    "ncci_addon_medicaid": Whole(1_000, "several thousand in 2024", ("0", "99", "G")),
    # Rows of a modifier are not counted.
    "mpfs": Whole(9_000, "16,470 in 2024", _BOTH_ENDS),
    # Headers and billable codes together, since its first year of use.
    "icd10cm": Whole(80_000, "over 90,000 in each year since 2016", ("A00", "Z99")),
    "hcpcs": Whole(4_500, "over 7,000 in 2024", ("A0", "V536")),
    "taxonomy": Whole(
        600,
        "over 850 since 2020",
        ("10", "11", "12", "16", "19", "20", "25", "26", "27", "28", "29", "30", "31", "33", "34", "39"),
    ),
    # Some lists leave out the codes that have ended.
    "carc": Whole(150, "over 250 in 2024", ("1", "2", "A", "B", "P")),
    # Numbers are given out in order, and N870 in 2022; older lists serve nobody.
    "rarc": Whole(500, "over 1,000 in 2024", ("M1", "MA", "N1", "N870")),
    # With some 11,000 codes; a list of fewer would make good codes unknown.
    "cpt": Whole(8_000, "over 10,000 in 2024", ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9960")),
    "betos": Whole(5_000, "over 15,000 in 2020", ("0", "9", "V")),
    "rbcs": Whole(5_000, "over 15,000 in 2025", ("0", "9", "V")),
    "opps": Whole(5_000, "over 15,000 in 2024", ("0", "9", "V")),
    # A list of one's own is as long as its owner wants.
    "single_dose": Whole(1, "as many as you bill"),
}
# Codes and pairs begin and end every quarter, but no update of these tables has ever taken out a tenth:
# even HCPCS and CPT replace fewer than one code in twenty a year.
MOST_GONE = 0.10


class Change(NamedTuple):
    """What an import changes: its table and release, the release before, and their numbers of rows."""

    table: str
    release: str
    previous: str
    before: int
    now: int
    added: int
    gone: int

    def shrinks(self) -> bool:
        return self.gone > self.before * MOST_GONE


def say_unwhole(table: str, rows: int, starts: Iterable[str]) -> str:
    """Why these rows are not the whole table, "" if they may be; `starts` are those of `Whole.has` that its
    codes begin with.
    """
    wanted = WHOLE.get(table)
    if wanted is None:
        return ""
    if rows < wanted.least:
        counted = "1 row" if rows == 1 else f"{rows:,} rows"
        return f"{counted}, where the whole table has at least {wanted.least:,} ({wanted.size})"
    met = set(starts)
    lacking = [start for start in wanted.has if start not in met]
    if lacking:
        return f"no code begins with {' or with '.join(lacking)}, as some do in every whole table"
    return ""


def starts_in(table: str, packer: Packer) -> list[str]:
    """Those of `Whole.has` with which some key begins."""
    wanted = WHOLE[table].has if table in WHOLE else ()
    return [start for start in wanted if packer.has(start.encode("ascii"))]


def compare(table: str, release: str, previous: str, before: Packed, now: Packer) -> Change:
    """The rows of a release beside those of the one before. A row is the same if code and first day are."""
    old = new = added = gone = 0
    for group in before.groups() | now.groups():
        was, stays = before.rows_of(group), now.rows_of(group)
        old, new = old + len(was), new + len(stays)
        added, gone = added + len(stays - was), gone + len(was - stays)
    return Change(table, release, previous, old, new, added, gone)


def say_change(change: Change) -> str:
    return (
        f"{change.before:,} rows in {change.previous}, {change.now:,} now:"
        f" {change.added:,} added, {change.gone:,} gone"
    )
