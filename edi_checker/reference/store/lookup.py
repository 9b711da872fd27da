"""Look-ups by date of service in the imported releases, with the built-in tables behind them.

Which release answers for a day:

- PTP edits, add-on codes, single-dose drugs, adjustment reasons and remarks, classes of services keep their
  history in the rows, so the newest release imported answers for every day from the first one on which any of
  its rows holds.
- MUE, fee schedule, ICD-10-CM, HCPCS, addendum B and the taxonomy give the values of their own quarter, half
  year or year: the release in force on the day answers, that is the newest that began by then. After its end,
  as long as nothing newer is imported, it goes on answering, and `outside` says that the day is past it.
- A day before the first release of a table is answered by the built-in tables, or not at all.

Where a release answers, it alone does: a code or pair that it lacks has no row, whatever the built-in
tables say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from edi_checker.reference.store.packed import Damaged, Packed, Record
from edi_checker.reference.store.release import (
    EARLIER,
    HISTORY,
    INFORMATIVE,
    SHAPES,
    Release,
    StoreError,
    list_releases,
)
from edi_checker.reference.tables import (
    AddOn,
    MueLimit,
    Procedure,
    PtpEdit,
    Side,
    Tables,
    sort_partners,
)
from edi_checker.x12.dates import NO_END
from edi_checker.x12.finding import TableVersion

_CODE = 5
_CONTRACTOR = "CCCCC"  # stands for the primaries that a Medicare contractor names itself
_CACHED = 1 << 15


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An ICD-10-CM code, without its dot. `billable` is False for a header, which a claim must not carry."""

    code: str
    billable: bool
    table: TableVersion


@dataclass(frozen=True, slots=True)
class Level2:
    """A HCPCS level II code that holds from `first` to `last` (CCYYMMDD), None for an open end."""

    code: str
    first: int
    last: int | None
    table: TableVersion


@dataclass(frozen=True, slots=True)
class ValueUnits:
    """Relative value units of the fee schedule, in thousandths, None where the release has none.

    rare_outside, rare_inside   rarely or never given outside, or in, a facility
    supervision                 level of supervision of a diagnostic test, "" where the release has none
    """

    work: int | None
    practice_outside: int | None
    practice_inside: int | None
    malpractice: int | None
    total_outside: int | None
    total_inside: int | None
    rare_outside: bool
    rare_inside: bool
    supervision: str
    table: TableVersion


@dataclass(frozen=True, slots=True)
class ServiceClass:
    """How a code is classified: a class, its words where the table has some, and types of service."""

    name: str
    words: str
    types: str
    table: TableVersion


@dataclass(frozen=True, slots=True)
class Outpatient:
    """How hospitals are paid for a code (addendum B): status indicator, and APC, "" for none."""

    status: str
    group: str
    table: TableVersion


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it stands in a release, whether it bites or not."""

    release: Release
    record: Record


class StoredTables:
    """The tables of a store; stands wherever `Tables` do.

    `program` chooses between the tables of Medicare and those of Medicaid; a table that Medicaid has none of
    imported is Medicare's. Packed files are opened at the first look-up, and stay open. Look-ups raise
    StoreError where one is damaged.
    """

    def __init__(self, folder: Path, releases: list[Release], fallback: Tables, program: str = "") -> None:
        self._folder = folder
        self._fallback = fallback
        self._program = program
        self._releases: dict[str, list[Release]] = {}
        for release in sorted(releases, key=lambda each: (each.until, each.name)):
            self._releases.setdefault(release.table, []).append(release)
        self._open: dict[str, Packed] = {}
        self._turns: list[int] | None = None
        self._eras: dict[int, int] = {}
        self._medicaid: StoredTables | None = None
        self._pairs = lru_cache(_CACHED)(self._read_pair)
        self._limits = lru_cache(_CACHED)(self._read_limit)
        self._addons = lru_cache(_CACHED)(self._read_addon)
        self._procedures = lru_cache(_CACHED)(self._read_procedure)
        self._drugs = lru_cache(_CACHED)(self._read_drug)
        self._diagnoses = lru_cache(_CACHED)(self._read_diagnosis)
        self._level2 = lru_cache(_CACHED)(self._read_level2)
        self._spans = lru_cache(_CACHED)(self._read_spans)

    def of(self, profile: str) -> StoredTables:
        """The tables for claims of a profile: `medicaid` has some of its own."""
        if profile != "medicaid" or self._program:
            return self
        if self._medicaid is None:
            releases = [release for each in self._releases.values() for release in each]
            self._medicaid = StoredTables(self._folder, releases, self._fallback, "_medicaid")
        return self._medicaid

    @property
    def of_program(self) -> bool:
        return bool(self._program) and any(table.endswith(self._program) for table in self._releases)

    # -- which release ------------------------------------------------------------------------------------

    def _table(self, name: str) -> str:
        own = name + self._program
        return own if own in self._releases else name

    def _release(self, name: str, on: int) -> Release | None:
        """The release that answers for a day, None where none does."""
        table = self._table(name)
        releases = self._releases.get(table, ())
        if table in HISTORY:
            return releases[-1] if releases and releases[-1].since <= on else None
        for release in reversed(releases):
            if release.since <= on:
                return release
        return None

    def release(self, name: str, on: int) -> TableVersion | None:
        """The imported release that answers for a day, None where none does.

        With it a look-up that finds nothing means "not in that release"; without it nothing is known.
        `name` is ncci_ptp, ncci_mue, ncci_addon, mpfs, icd10cm, hcpcs, taxonomy, carc, rarc or cpt.
        """
        release = self._release(name, on)
        return _version(release) if release is not None else None

    def whole(self, name: str, on: int) -> bool:
        """Whether the release that answers for a day is the whole table: what an excerpt lacks may hold."""
        release = self._release(name, on)
        return release is not None and release.whole

    def outside(self, on: int) -> tuple[tuple[str, str, Side], ...]:
        """The releases before or after which this day lies: imported ones, else the built-in."""
        behind = {name: (name, version, side) for name, version, side in self._fallback.outside(on)}
        found: list[tuple[str, str, Side]] = []
        for name in ("ncci_ptp", "ncci_mue", "ncci_addon", "mpfs"):
            release = self._release(name, on)
            releases = self._releases.get(self._table(name))
            if release is not None and on > release.until:
                found.append((release.table, release.name, "after"))
            elif release is None and releases:
                earliest = min(releases, key=lambda each: each.since)
                found.append((earliest.table, earliest.name, "before"))
            elif release is None and name in behind:
                found.append(behind[name])
        return tuple(found)

    def era(self, on: int) -> int:
        """The first of the days around this one on which the very same rows hold: one key for all of them."""
        first = self._eras.get(on)
        if first is None:
            if len(self._eras) > 10_000:
                self._eras.clear()
            if self._turns is None:
                self._turns = self._read_turns()
            own = self._turns[bisect_right(self._turns, on) - 1]
            first = self._eras[on] = max(own, self._fallback.era(on))
        return first

    def _read_turns(self) -> list[int]:
        turns = {0}
        for table in {
            self._table(name) for name in ("ncci_ptp", "ncci_mue", "ncci_addon", "mpfs", "single_dose")
        }:
            releases = self._releases.get(table, [])
            turns.update(release.since for release in releases)
            if table in HISTORY and releases:
                turns.update(self._packed(releases[-1]).turns)
        return sorted(turns)

    def versions(self) -> tuple[tuple[str, str, int], ...]:
        """Name, release and rows of each table that may decide: imported ones first, then the built-in."""
        imported = [
            (table, release.name, release.rows)
            for table, releases in sorted(self._releases.items())
            if table not in INFORMATIVE
            for release in (releases[-1:] if table in HISTORY else releases)
        ]
        return (*imported, *self._fallback.versions())

    def rows(self, *codes: str) -> Iterator[Found]:
        """All rows of a code, or of a pair in either order, in every release, bite they or not."""
        for table, releases in sorted(self._releases.items()):
            paired = SHAPES[table].key == 2 * _CODE
            for release in releases:
                keys: list[str] = []
                if len(codes) == 2 and paired:
                    keys = [codes[0] + codes[1], codes[1] + codes[0]]
                elif len(codes) == 1 and not table.startswith("ncci_ptp"):
                    keys = [codes[0].ljust(SHAPES[table].key if not paired else _CODE)]
                for key in dict.fromkeys(keys):
                    for record in self._find(release, key):
                        yield Found(release, record)

    def _packed(self, release: Release) -> Packed:
        packed = self._open.get(release.file)
        if packed is None:
            try:
                table = release.table
                packed = Packed(self._folder / release.file, SHAPES[table], EARLIER.get(table))
            except Damaged as error:
                raise StoreError(f"{error}; import {release.table} {release.name} again") from None
            self._open[release.file] = packed
        return packed

    def _find(self, release: Release, key: str) -> list[Record]:
        try:
            return self._packed(release).find(key)
        except Damaged as error:
            raise StoreError(f"{error}; import {release.table} {release.name} again") from None

    # -- look-ups -----------------------------------------------------------------------------------------

    def ptp(self, code_a: str, code_b: str, on: int) -> PtpEdit | None:
        """The edit that joins two codes on a day, whichever of them is column 1."""
        release = self._release("ncci_ptp", on)
        if release is None:
            return self._fallback.ptp(code_a, code_b, on)
        for one, two in ((code_a, code_b), (code_b, code_a)):
            for edit in self._pairs(release, one, two):
                if edit.effective <= on and (edit.deletion is None or on <= edit.deletion):
                    return edit
        return None

    def _read_pair(self, release: Release, one: str, two: str) -> tuple[PtpEdit, ...]:
        """The edits of an ordered pair that bite, those that began last first.

        Where two are in force at once, the one that a modifier releases comes first: it asks for less.
        """
        if len(one) != _CODE or len(two) != _CODE:
            return ()
        version = _version(release)
        edits = [
            PtpEdit(
                column_1=one,
                column_2=two,
                effective=record.first,
                deletion=record.last if record.last != NO_END else None,
                indicator=record.payload,
                rationale=record.text,
                table=version,
            )
            for record in self._find(release, one + two)
            if record.payload != "9"
        ]
        return tuple(sorted(edits, key=lambda edit: (edit.effective, edit.indicator), reverse=True))

    def mue(self, code: str, on: int) -> MueLimit | None:
        release = self._release("ncci_mue", on)
        return self._limits(release, code) if release is not None else self._fallback.mue(code, on)

    def _read_limit(self, release: Release, code: str) -> MueLimit | None:
        for record in self._find(release, code) if len(code) == _CODE else ():
            return MueLimit(code, int(record.payload[1:]), record.payload[0], record.text, _version(release))
        return None

    def addon(self, code: str, on: int) -> AddOn | None:
        release = self._release("ncci_addon", on)
        if release is None or not release.whole:
            # Of an add-on code every primary must be known: an excerpt may lack the one that is billed.
            return self._fallback.addon(code, on)
        records = [each for each in self._addons(release, code) if each.first <= on <= each.last]
        if not records:
            return None
        primaries = tuple(key for each in records if (key := each.key[_CODE:]) != _CONTRACTOR)
        # Where rows of several types hold at once, the type that lets more primaries count.
        kinds = {each.payload for each in records}
        kind = next(kind for kind in ("2", "3", "1") if kind in kinds)
        return AddOn(code, kind, primaries, _version(release))

    def _read_addon(self, release: Release, code: str) -> tuple[Record, ...]:
        return tuple(self._find(release, code)) if len(code) == _CODE else ()

    def procedure(self, code: str, on: int) -> Procedure | None:
        """What the therapy code list says, with the indicators of the fee schedule in force on the day.

        And whether the list of single-dose drugs, where one is imported, has the code on the day.
        """
        known = self._listed(code, on)
        release = self._release("single_dose", on)
        if release is None:
            return known
        if not any(drug.first <= on <= drug.last for drug in self._drugs(release, code)):
            return known
        return replace(known or _unlisted(code, release), single_dose=True)

    def _listed(self, code: str, on: int) -> Procedure | None:
        known = self._fallback.procedure(code, on)
        release = self._release("mpfs", on)
        if release is None:
            return known
        listed = self._procedures(release, code)
        if listed is None or known is None:
            return listed or known
        return replace(
            known,
            status=listed.status,
            pctc=listed.pctc,
            multiple_procedure=listed.multiple_procedure,
            global_days=listed.global_days,
            bilateral=listed.bilateral,
            assistant_surgeon=listed.assistant_surgeon,
            co_surgeon=listed.co_surgeon,
            team_surgeon=listed.team_surgeon,
        )

    def _read_procedure(self, release: Release, code: str) -> Procedure | None:
        for record in self._find(release, code) if len(code) == _CODE else ():
            return _unlisted(code, release, record.payload)
        return None

    def _read_drug(self, release: Release, code: str) -> tuple[Record, ...]:
        return tuple(self._find(release, code)) if len(code) == _CODE else ()

    def diagnosis(self, code: str, on: int) -> Diagnosis | None:
        """An ICD-10-CM code without its dot; None: not in the release, or none answers (`release`)."""
        release = self._release("icd10cm", on)
        return self._diagnoses(release, code) if release is not None else None

    def _read_diagnosis(self, release: Release, code: str) -> Diagnosis | None:
        size = SHAPES["icd10cm"].key
        for record in self._find(release, code.ljust(size)) if 0 < len(code) <= size else ():
            return Diagnosis(code, record.payload == "1", _version(release))
        return None

    def hcpcs(self, code: str, on: int) -> Level2 | None:
        """A HCPCS level II code in force on a day; None: not in the release, or none answers (`release`)."""
        release = self._release("hcpcs", on)
        if release is None or code[:1].isdigit():
            return None  # the file of contractors has level I too
        return next((row for row in self._level2(release, code) if row.first <= on <= (row.last or on)), None)

    def _read_level2(self, release: Release, code: str) -> tuple[Level2, ...]:
        return tuple(
            Level2(code, record.first, record.last if record.last != NO_END else None, _version(release))
            for record in (self._find(release, code) if len(code) == _CODE else ())
        )

    # -- what people look up, and no rule -------------------------------------------------------------------

    def partners(self, code: str, on: int) -> tuple[PtpEdit, ...]:
        """The edits in force on a day that have the code in either column, by their other code."""
        release = self._release("ncci_ptp", on)
        if release is None:
            return self._fallback.partners(code, on)
        if len(code) != _CODE:
            return ()
        keys = {record.key for record in (*self._find(release, code), *self._find_end(release, code))}
        edits = [self.ptp(key[:_CODE], key[_CODE:], on) for key in keys]
        return sort_partners((edit for edit in set(edits) if edit is not None), code)

    def addons_with(self, code: str, on: int) -> tuple[str, ...]:
        """The add-on codes that name a code as one of their primaries on a day."""
        release = self._release("ncci_addon", on)
        if release is None:
            return self._fallback.addons_with(code, on)
        records = self._find_end(release, code) if len(code) == _CODE else ()
        return tuple(dict.fromkeys(each.key[:_CODE] for each in records if each.first <= on <= each.last))

    def known_since(self, name: str, code: str, on: int) -> int:
        """The first day (CCYYMMDD) from which what holds for a code on a day is known to hold; 0 where the
        start is not known. `name` is ncci_mue, ncci_addon, mpfs, hcpcs, opps, betos, rbcs or therapy_codes.
        """
        release = self._release(name, on)
        if release is None:
            return self._fallback.known_since(name, code, on)
        table = self._table(name)
        if table in HISTORY:
            held = [each.first for each in self._find(release, code) if each.first <= on <= each.last]
            return min(held, default=0)
        since, rows = release.since, self._find(release, code)
        for earlier in reversed(self._releases[table]):
            if earlier.since < since:
                if self._find(earlier, code) != rows:
                    break
                since = earlier.since
        return since

    def is_outdated(self, name: str, on: int) -> bool:
        """Whether the release that answers for a day was imported when fewer fields were taken over."""
        release = self._release(name, on)
        return release is not None and self._packed(release).shape != SHAPES[release.table]

    def value_units(self, code: str, on: int) -> ValueUnits | None:
        """None: not in the release, none answers (`release`), or it is outdated."""
        record = self._row("mpfs", code, on)
        if record is None or len(record.payload) < SHAPES["mpfs"].payload:
            return None
        units = record.payload[12:]
        values = [units[at : at + 7].strip() for at in range(0, 42, 7)]
        work, outside, inside, malpractice, total_outside, total_inside = (
            int(value) if value else None for value in values
        )
        return ValueUnits(
            work=work,
            practice_outside=outside,
            practice_inside=inside,
            malpractice=malpractice,
            total_outside=total_outside,
            total_inside=total_inside,
            rare_outside=units[42] == "N",
            rare_inside=units[43] == "N",
            supervision=record.payload[10:12].strip(),
            table=self._answering("mpfs", on),
        )

    def service_class(self, name: str, code: str, on: int) -> ServiceClass | None:
        """The class of a code by `name`: hcpcs (with types of service), betos or rbcs; None: not in the
        release, or none answers (`release`).
        """
        record = self._row(name, code, on)
        if record is None or not record.payload.strip():
            return None
        length = 6 if name == "rbcs" else 3
        return ServiceClass(
            name=record.payload[:length].strip(),
            words=record.text,
            types=record.payload[length:].strip(),
            table=self._answering(name, on),
        )

    def outpatient(self, code: str, on: int) -> Outpatient | None:
        """None: not in addendum B of the day, or none is imported (`release`)."""
        record = self._row("opps", code, on)
        if record is None:
            return None
        table = self._answering("opps", on)
        return Outpatient(record.payload[:2].strip(), record.payload[2:].strip(), table)

    def _row(self, name: str, code: str, on: int) -> Record | None:
        """The row of a code in force on a day, the one that began last."""
        release = self._release(name, on)
        if release is None or len(code) != _CODE:
            return None
        rows = [each for each in self._find(release, code) if each.first <= on <= each.last]
        return rows[-1] if rows else None

    def _answering(self, name: str, on: int) -> TableVersion:
        version = self.release(name, on)
        assert version is not None
        return version

    def _find_end(self, release: Release, code: str) -> list[Record]:
        try:
            return self._packed(release).find_end(code)
        except Damaged as error:
            raise StoreError(f"{error}; import {release.table} {release.name} again") from None

    def spans(self, name: str, code: str, on: int) -> tuple[tuple[int, int], ...]:
        """First and last days (CCYYMMDD) of a code of `name`: taxonomy, carc, rarc or cpt; none where the
        release that answers for a day lacks it, or none answers (`release`).
        """
        release = self._release(name, on)
        return self._spans(release, code) if release is not None else ()

    def _read_spans(self, release: Release, code: str) -> tuple[tuple[int, int], ...]:
        size = SHAPES[release.table].key
        if not (0 < len(code) <= size and code.isascii()):
            return ()
        return tuple((record.first, record.last) for record in self._find(release, code.ljust(size)))


def _unlisted(code: str, release: Release, indicators: str = "") -> Procedure:
    """A code that the list of therapy codes lacks, with its indicators as the fee schedule is packed."""
    return Procedure(
        code=code,
        therapy="",
        disciplines=(),
        timed=False,
        minutes_per_unit=None,
        eight_minute=False,
        counts_with=code,
        status=indicators[0:1],
        pctc=indicators[1:2],
        global_days=indicators[2:5],
        multiple_procedure=indicators[5:6],
        bilateral=indicators[6:7],
        assistant_surgeon=indicators[7:8],
        co_surgeon=indicators[8:9],
        team_surgeon=indicators[9:10],
        table=_version(release),
    )


def _version(release: Release) -> TableVersion:
    return TableVersion(release.table, release.name)


def open_tables(folder: Path, fallback: Tables) -> StoredTables:
    """The tables of a store, opened for look-up: an empty folder, or none, has none. Raises StoreError."""
    tables = StoredTables(folder, list_releases(folder), fallback)
    for releases in tables._releases.values():  # noqa: SLF001  # the same module
        for release in releases:
            tables._packed(release)  # noqa: SLF001  # a damaged store must be said before anything is checked
    return tables
