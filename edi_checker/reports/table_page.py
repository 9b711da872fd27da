"""Imported tables as text: which releases there are, and what they say of a code or a pair on a day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from edi_checker.reference.store import Found, Release, StoredTables
from edi_checker.reference.tables import BUILT_IN, Tables
from edi_checker.x12.dates import NO_END, iso
from edi_checker.x12.finding import TableVersion

_INDICATORS = {
    "0": "no modifier releases it",
    "1": "an NCCI-associated modifier releases it",
    "9": "never applied",
}
_PROGRAMS = {"medicare": "", "medicaid": "Medicaid: "}
_EDITS = ("ncci_ptp", "ncci_mue", "ncci_addon")


def list_tables(releases: Iterable[Release], built_in: Tables) -> str:
    """One line for each release: table, release, days of which it speaks, rows, file it came from."""
    rows = [
        (
            release.table,
            release.name,
            f"{iso(release.since)} to {iso(release.until)}",
            f"{release.rows:,}",
            _sources(release) + ("" if release.whole else " (an excerpt)"),
        )
        for release in releases
    ]
    rows += [
        (name, release, "where nothing is imported", f"{count:,}", "")
        for name, release, count in built_in.versions()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "".join(
        "  ".join(
            (
                *(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)),
                row[3].rjust(widths[3]),
                row[4],
            )
        ).rstrip()
        + "\n"
        for row in rows
    )


def _sources(release: Release) -> str:
    first = release.sources[0][0] if release.sources else ""
    return first + (f" and {len(release.sources) - 1} more" if len(release.sources) > 1 else "")


def describe(tables: StoredTables, codes: tuple[str, ...], on: int) -> str:
    """What the tables say of a pair, or of a code that no list has (`code_page` has the others), on a day
    (CCYYMMDD): rows, dates and release.

    A code or pair that a release lacks is said to be not in that release, and nothing more.
    """
    title = f"{' with '.join(codes)} on {iso(on)}"
    return "\n".join([title, *_lines(tables, codes, on)]) + "\n"


def _lines(tables: StoredTables, codes: tuple[str, ...], on: int) -> Iterator[str]:
    for program, label in _PROGRAMS.items():
        own = tables.of(program)
        if label and not any(own.release(name, on) != tables.release(name, on) for name in _EDITS):
            continue
        if len(codes) == 2:
            said = list(_pair(own, codes[0], codes[1], on))
        else:
            said = [_none(own, name, on) for name in ("ncci_mue", "ncci_addon")]
        yield from (label + line for line in said)
    if len(codes) == 2:
        rows = [found for found in tables.rows(*codes) if found.release.table.startswith("ncci_ptp")]
        yield from (f"  row of {_row(found)}" for found in rows)
    else:
        yield _none(tables, "mpfs", on)
        yield from _listed(tables, on)


def _pair(tables: StoredTables, one: str, two: str, on: int) -> Iterator[str]:
    edit = tables.ptp(one, two, on)
    if edit is None:
        yield _none(tables, "ncci_ptp", on)
        return
    yield (
        f"{_named(edit.table)}: {edit.column_1} (column 1) and {edit.column_2} (column 2), indicator"
        f" {edit.indicator}: {_INDICATORS[edit.indicator]}; in force {_period(edit.effective, edit.deletion)}"
    )
    if edit.rationale:
        yield f"  {edit.rationale}"


def pair_as_json(tables: StoredTables, codes: tuple[str, ...], on: int) -> str:
    """The edit between two codes on a day, null where none is in force."""
    one, two = codes
    edit = tables.ptp(one, two, on)
    table = edit.table if edit is not None else tables.release("ncci_ptp", on)
    found = None
    if edit is not None:
        found = {
            "column_1": edit.column_1,
            "column_2": edit.column_2,
            "indicator": edit.indicator,
            "means": _INDICATORS[edit.indicator],
            "since": iso(edit.effective),
            "until": iso(edit.deletion) if edit.deletion is not None else None,
            "rationale": edit.rationale or None,
        }
    document = {
        "schema": "edi-checker/pair/1",
        "codes": codes,
        "on": iso(on),
        "table": table.name if table is not None else None,
        "release": table.version if table is not None else None,
        "edit": found,
    }
    return json.dumps(document, indent=2) + "\n"


def _listed(tables: StoredTables, on: int) -> Iterator[str]:
    """The imported lists of diagnoses and of level II codes, of which none has the code."""
    for name in ("icd10cm", "hcpcs"):
        if tables.release(name, on) is not None:
            yield _none(tables, name, on)


def _none(tables: StoredTables, name: str, on: int) -> str:
    release = tables.release(name, on)
    if release is not None:
        return f"{_named(release)}: none in this release"
    built_in = any(table == name and version == BUILT_IN for table, version, _ in tables.versions())
    return f"{name}: no release covers this day" + (f"; none in {BUILT_IN} either" if built_in else "")


def _row(found: Found) -> str:
    record = found.record
    return (
        f"{found.release.table} {found.release.name}: {record.key[:5]} / {record.key[5:]}, indicator"
        f" {record.payload}, {_period(record.first, record.last)}"
    )


def _named(version: TableVersion) -> str:
    return f"{version.name} {version.version}"


def _period(first: int, last: int | None) -> str:
    end = f"to {iso(last)}" if last is not None and last != NO_END else "with no end"
    return f"from {iso(first)} {end}"
