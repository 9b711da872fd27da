"""What is looked up by date of service: NCCI edits, procedures, codes; and the therapy rows that ship inside.

A look-up that finds nothing means "no such row in this version", and `versions` says which version that is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from edi_checker.x12.dates import NO_END
from edi_checker.x12.finding import TableVersion

# Practitioner tables of the third quarter of 2024, the rows of therapy codes alone.
BUILT_IN = "builtin-therapy-2024Q3"
# Where the start of a row is not known it holds from the first day of that release: of earlier dates nothing
# is said, because a false rejection is worse than a missed one.
RELEASED = 20240701

# Last day of the quarter of that release: what CMS changed since is not in it.
SUPERSEDED = 20240930

Therapy = Literal["always", "sometimes", ""]
Side = Literal["before", "after"]


class PtpEdit(NamedTuple):
    """A procedure-to-procedure edit: column 2 is not paid beside column 1 of the same provider and day.

    indicator  "0": no modifier releases it; "1": an NCCI-associated modifier does
    effective  first day in force, CCYYMMDD
    deletion   last day in force, None for an open end
    """

    column_1: str
    column_2: str
    effective: int
    deletion: int | None
    indicator: str
    rationale: str
    table: TableVersion


class MueLimit(NamedTuple):
    """Medically unlikely edit: the most units of a code. `mai` "1": on a line; "2", "3": on a day.

    A limit of 0 is no count of units: it says that Medicare pays practitioners nothing for the code.
    """

    code: str
    limit: int
    mai: str
    rationale: str
    table: TableVersion


class AddOn(NamedTuple):
    """An add-on code and the primaries of which one must be there. `type` "1", "2", "3" as CMS has it."""

    code: str
    type: str
    primaries: tuple[str, ...]
    table: TableVersion

    @property
    def by_month(self) -> bool:
        """Whether its primary may stand on any day of the calendar month: care is counted by the month."""
        return self.code in _ADDED_BY_MONTH


# Further time of a month in remote monitoring and care management, whose codes count by calendar month, and
# the code of its first time.
_ADDED_BY_MONTH = {
    "98981": "98980",
    "99425": "99424",
    "99427": "99426",
    "99437": "99491",
    "99439": "99490",
    "99458": "99457",
    "99489": "99487",
}
COUNTED_BY_MONTH = frozenset(_ADDED_BY_MONTH.values())
OF_A_MONTH = COUNTED_BY_MONTH.union(_ADDED_BY_MONTH)


@dataclass(frozen=True, slots=True)
class Procedure:
    """What the therapy code list and the physician fee schedule say of a code.

    therapy           always or sometimes a therapy service, "" for neither
    disciplines       the plans of care under which it can be given, of GP GO GN
    timed             its unit is a length of time, `minutes_per_unit` where that is one number
    eight_minute      counted in the 8-minute rule: one-on-one, 15 minutes a unit
    counts_with       code with which its minutes are counted (97130 goes on where 97129 ends), itself else
    status ... team_surgeon   indicators of the Medicare physician fee schedule, "" where not known
    single_dose       a drug that comes in single-dose containers, where a list says so
    """

    code: str
    therapy: Therapy
    disciplines: tuple[str, ...]
    timed: bool
    minutes_per_unit: int | None
    eight_minute: bool
    counts_with: str
    status: str
    pctc: str
    multiple_procedure: str
    global_days: str
    bilateral: str
    assistant_surgeon: str
    co_surgeon: str
    team_surgeon: str
    table: TableVersion
    single_dose: bool = False


class Tables(Protocol):
    """Look-ups by date of service (CCYYMMDD), in the built-in tables or in imported releases."""

    def of(self, profile: str) -> Tables:
        """The tables for claims of a profile: `medicaid` may have some of its own."""
        ...

    @property
    def of_program(self) -> bool:
        """Whether one of them is the own table of a Medicaid program."""
        ...

    def ptp(self, code_a: str, code_b: str, on: int) -> PtpEdit | None:
        """The edit that joins two codes on a day, whichever of them is column 1."""
        ...

    def mue(self, code: str, on: int) -> MueLimit | None: ...

    def addon(self, code: str, on: int) -> AddOn | None: ...

    def procedure(self, code: str, on: int) -> Procedure | None: ...

    def outside(self, on: int) -> tuple[tuple[str, str, Side], ...]:
        """The releases, by table and version, before or after which this day lies where they are the nearest.

        What is looked up for such a day is answered as well as can be; the report says once that it may be
        incomplete. None where every NCCI edit is known for the day.
        """
        ...

    def era(self, on: int) -> int:
        """The first of the days around this one on which the very same rows hold: one key for all of them."""
        ...

    def versions(self) -> tuple[tuple[str, str, int], ...]:
        """Name, version and number of rows of each table that may decide."""
        ...

    def partners(self, code: str, on: int) -> tuple[PtpEdit, ...]:
        """The edits in force on a day that have the code in either column, by their other code."""
        ...

    def addons_with(self, code: str, on: int) -> tuple[str, ...]:
        """The add-on codes that name a code as one of their primaries on a day."""
        ...

    def known_since(self, name: str, code: str, on: int) -> int:
        """The first day from which the row of table `name` for a code and day is known to hold; 0 where the
        start is not known.
        """
        ...

    # Look-ups are remembered by the tables they were made in.
    def __hash__(self) -> int: ...


Row = TypeVar("Row")
# First and last day on which a row holds, and the row.
Periods = list[tuple[int, int, Row]]


class TherapyTables:
    """The therapy rows that ship inside. A code or pair may have several with disjoint periods."""

    def __init__(
        self,
        ptp: dict[tuple[str, str], Periods[PtpEdit]],
        mue: dict[str, Periods[MueLimit]],
        addon: dict[str, Periods[AddOn]],
        procedures: dict[str, Periods[Procedure]],
        known: tuple[int, int],
        versions: tuple[tuple[str, str, int], ...],
    ) -> None:
        self._ptp = ptp
        self._mue = mue
        self._addon = addon
        self._procedures = procedures
        self._known = known
        self._versions = versions
        self._turns = _turns(ptp, mue, addon, procedures)
        self._eras: dict[int, int] = {}

    def of(self, profile: str) -> TherapyTables:  # the same for all
        return self

    @property
    def of_program(self) -> bool:
        return False

    def era(self, on: int) -> int:
        first = self._eras.get(on)
        if first is None:
            if len(self._eras) > 10_000:
                self._eras.clear()
            first = self._eras[on] = self._turns[bisect_right(self._turns, on) - 1]
        return first

    def ptp(self, code_a: str, code_b: str, on: int) -> PtpEdit | None:
        return _holding(self._ptp.get((code_a, code_b)), on) or _holding(self._ptp.get((code_b, code_a)), on)

    def mue(self, code: str, on: int) -> MueLimit | None:
        return _holding(self._mue.get(code), on)

    def addon(self, code: str, on: int) -> AddOn | None:
        return _holding(self._addon.get(code), on)

    def procedure(self, code: str, on: int) -> Procedure | None:
        return _holding(self._procedures.get(code), on)

    def outside(self, on: int) -> tuple[tuple[str, str, Side], ...]:
        """All three tables of edits, of which only some rows have a known start; none in their quarter."""
        first, last = self._known
        if first <= on <= last:
            return ()
        side: Side = "before" if on < first else "after"
        return tuple((name, version, side) for name, version, _ in self._versions if name.startswith("ncci_"))

    def versions(self) -> tuple[tuple[str, str, int], ...]:
        return self._versions

    def partners(self, code: str, on: int) -> tuple[PtpEdit, ...]:
        edits = [_holding(periods, on) for pair, periods in self._ptp.items() if code in pair]
        return sort_partners((edit for edit in edits if edit is not None), code)

    def addons_with(self, code: str, on: int) -> tuple[str, ...]:
        rows = [(name, _holding(periods, on)) for name, periods in self._addon.items()]
        return tuple(name for name, row in rows if row is not None and code in row.primaries)

    def known_since(self, name: str, code: str, on: int) -> int:
        tables: dict[str, Mapping[str, Periods[Any]]] = {
            "ncci_mue": self._mue,
            "ncci_addon": self._addon,
            "mpfs": self._procedures,
            "therapy_codes": self._procedures,
        }
        periods = tables[name].get(code, ()) if name in tables else ()
        return next((first for first, last, _ in periods if first <= on <= last), 0)


def sort_partners(edits: Iterable[PtpEdit], code: str) -> tuple[PtpEdit, ...]:
    """Edits of a code by their other code, those with the code in column 1 first."""
    return tuple(sorted(edits, key=lambda edit: (edit.column_2 == code, edit.column_1, edit.column_2)))


def _turns(*tables: Mapping[Any, Periods[Any]]) -> list[int]:
    """The days on which some row begins to hold or, the day before, has ended; in order, from 0 on."""
    turns = {0}
    for table in tables:
        for periods in table.values():
            for first, last, _ in periods:
                turns.update((first, last + 1))
    return sorted(turns)


def _holding(periods: Periods[Row] | None, on: int) -> Row | None:
    if periods is not None:
        for first, last, row in periods:
            if first <= on <= last:
                return row
    return None


@cache
def built_in() -> TherapyTables:
    """The therapy tables that ship with the package."""
    ptp: dict[tuple[str, str], Periods[PtpEdit]] = {}
    version = TableVersion("ncci_ptp", BUILT_IN)
    for row in _rows("therapy_ptp.csv"):
        first, last = _period(row, RELEASED)
        until = last if row["until"] else None
        edit = PtpEdit(
            row["column_1"], row["column_2"], first, until, row["indicator"], row["rationale"], version
        )
        ptp.setdefault((edit.column_1, edit.column_2), []).append((first, last, edit))

    mue: dict[str, Periods[MueLimit]] = {}
    version = TableVersion("ncci_mue", BUILT_IN)
    for row in _rows("therapy_mue.csv"):
        limit = MueLimit(row["code"], int(row["limit"]), row["mai"], row["rationale"], version)
        mue.setdefault(limit.code, []).append((*_period(row, RELEASED), limit))

    addon: dict[str, Periods[AddOn]] = {}
    version = TableVersion("ncci_addon", BUILT_IN)
    for row in _rows("therapy_addon.csv"):
        code = AddOn(row["code"], row["type"], tuple(row["primaries"].split("|")), version)
        addon.setdefault(code.code, []).append((*_period(row, RELEASED), code))

    procedures: dict[str, Periods[Procedure]] = {}
    version = TableVersion("therapy_codes", BUILT_IN)
    for row in _rows("therapy_codes.csv"):
        procedure = _procedure(row, version)
        # The class of a therapy code has not changed since the list began: its rows have a start only where
        # the code is younger.
        procedures.setdefault(procedure.code, []).append((*_period(row, 0), procedure))

    counted = (("ncci_ptp", ptp), ("ncci_mue", mue), ("ncci_addon", addon), ("therapy_codes", procedures))
    versions = tuple((name, BUILT_IN, sum(map(len, table.values()))) for name, table in counted)
    return TherapyTables(ptp, mue, addon, procedures, (RELEASED, SUPERSEDED), versions)


@cache
def kx_thresholds() -> dict[int, int]:
    """Cents of charges by year of service above which Medicare wants KX on therapy, for physical therapy and
    speech-language pathology together and for occupational therapy alone (CMS, annual update).
    """
    return {int(row["year"]): int(row["dollars"]) * 100 for row in _rows("kx_thresholds.csv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of ours, which quotes nothing: a comma always separates."""
    header, *rows = (resources.files("edi_checker.reference") / "data" / name).read_text("ascii").splitlines()
    columns = header.split(",")
    return (dict(zip(columns, row.split(","), strict=True)) for row in rows)


def _period(row: dict[str, str], start: int) -> tuple[int, int]:
    return int(row["from"] or start), int(row["until"] or NO_END)


def _procedure(row: dict[str, str], version: TableVersion) -> Procedure:
    therapy: Therapy = "always" if row["therapy"] == "always" else "sometimes" if row["therapy"] else ""
    return Procedure(
        code=row["code"],
        therapy=therapy,
        disciplines=tuple(row["disciplines"].split("|")),
        timed=row["timed"] == "Y",
        minutes_per_unit=int(row["minutes_per_unit"]) if row["minutes_per_unit"] else None,
        eight_minute=row["eight_minute"] == "Y",
        counts_with=row["counts_with"] or row["code"],
        status=row["status"],
        pctc=row["pctc"],
        multiple_procedure=row["multiple_procedure"],
        global_days=row["global_days"],
        bilateral=row["bilateral"],
        assistant_surgeon=row["assistant_surgeon"],
        co_surgeon=row["co_surgeon"],
        team_surgeon=row["team_surgeon"],
        table=version,
    )
