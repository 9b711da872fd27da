"""The folder of imported releases: a packed file each, and a manifest, written last, of those that count."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edi_checker.files.output import open_own, write_whole
from edi_checker.reference.store import MANIFEST
from edi_checker.reference.store.packed import Packer, Shape
from edi_checker.reference.store.whole import WHOLE

SCHEMA = "edi-checker/tables/1"
_MAX_MANIFEST = 1 << 22
_LOCK = ".lock"
_SUFFIX = ".table"

# Table, and the shape of its records. Keys: column 1 and column 2, add-on and primary, or the code alone.
SHAPES: dict[str, Shape] = {
    "ncci_ptp": Shape(10, 1),
    "ncci_ptp_medicaid": Shape(10, 1),
    "ncci_mue": Shape(5, 7),
    "ncci_mue_medicaid": Shape(5, 7),
    "ncci_addon": Shape(10, 1),
    "ncci_addon_medicaid": Shape(10, 1),
    "mpfs": Shape(5, 56),
    "icd10cm": Shape(7, 1),
    "hcpcs": Shape(5, 8),
    "single_dose": Shape(5, 0),
    "taxonomy": Shape(10, 0),
    "carc": Shape(5, 0),
    "rarc": Shape(5, 0),
    "cpt": Shape(5, 0),
    "betos": Shape(5, 3),
    "rbcs": Shape(5, 6),
    "opps": Shape(5, 7),
}
# Tables whose rows keep the days on which they held: their newest release speaks of all days.
HISTORY = frozenset(
    "ncci_ptp ncci_ptp_medicaid ncci_addon ncci_addon_medicaid single_dose carc rarc cpt betos rbcs".split()  # noqa: SIM905
)
# Tables that are looked up by people, and decide nothing about a claim.
INFORMATIVE = frozenset(("betos", "rbcs", "opps"))
# What an earlier version of this program packed: the same without what stands at the end today.
EARLIER: dict[str, Shape] = {"mpfs": Shape(5, 10), "hcpcs": Shape(5, 0)}


class StoreError(Exception):
    """The store cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """An imported release of a table; equal to itself alone, so that it is a cheap key.

    name     as its publisher counts: `2026Q3`, `2026Q3r1`, `FY2026`; `26.1` of the taxonomy; `2026-11` of
             reason and remark codes
    since    first day of which the release speaks (CCYYMMDD): the first day on which a row of its holds where
             the rows keep their history, else the first day of its quarter or year
    until    last day of its quarter or year, until which nothing newer was published
    file     the packed file in the store's folder
    sources  name and SHA-256 of each file that it was read from
    whole    whether it is the whole table: a code that an excerpt lacks is not known to be wrong
    """

    table: str
    name: str
    since: int
    until: int
    rows: int
    file: str
    sources: tuple[tuple[str, str], ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """What an import makes of one release, before it is in the store."""

    table: str
    name: str
    since: int
    until: int
    packer: Packer
    sources: tuple[tuple[str, str], ...]
    whole: bool = True


def list_releases(folder: Path) -> list[Release]:
    """The releases of a store by table and day, none where there is no store. Raises StoreError."""
    path = folder / MANIFEST
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as stream:
            text = stream.read(_MAX_MANIFEST)
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise StoreError(f"{path}: written by another version of this program")
        releases = [_release(entry) for entry in data["releases"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise StoreError(f"{path}: damaged") from None
    return sorted(releases, key=lambda each: (each.table, each.until, each.name))


def _release(entry: dict[str, Any]) -> Release:
    table, rows = str(entry["table"]), int(entry["rows"])
    # An earlier version did not look: what it imported goes by its size.
    whole = entry.get("whole", table not in WHOLE or rows >= WHOLE[table].least)
    release = Release(
        table=table,
        name=str(entry["name"]),
        since=int(entry["since"]),
        until=int(entry["until"]),
        rows=rows,
        whole=whole is True,
        file=str(entry["file"]),
        sources=tuple((str(name), str(digest)) for name, digest in entry["sources"]),
    )
    if release.table not in SHAPES or not re.fullmatch(r"[\w-]+\.table", release.file):
        raise ValueError
    return release


def add_releases(folder: Path, drafts: Iterable[Draft]) -> list[Release]:
    """Put releases into the store: all of them or none. One of the same table and name is replaced.

    Drafts are taken one after the other, so that only one release at a time need be in memory; where taking
    the next one raises, the store stays as it was. Raises StoreError.
    """
    written: list[Release] = []
    try:
        with _alone(folder):
            releases = list_releases(folder)
            try:
                for draft in drafts:
                    written.append(_write(folder, draft))
                names = {(each.table, each.name) for each in written}
                kept = [each for each in releases if (each.table, each.name) not in names]
                _write_manifest(folder, kept + written)
            except BaseException:
                _drop(folder, {each.file for each in written} - {each.file for each in releases})
                raise
            # What the manifest no longer names: a process that has it open keeps it until it ends.
            files = {path.name for path in folder.glob(f"*{_SUFFIX}")}
            _drop(folder, files - {each.file for each in kept + written})
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from None
    return written


def _write(folder: Path, draft: Draft) -> Release:
    # The name says the content, so that an import never writes over a file that is in use.
    told = json.dumps([draft.table, draft.name, draft.sources, SHAPES[draft.table].payload])
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    file = f"{draft.table}-{draft.name.replace('.', '-')}-{digest}{_SUFFIX}"
    with write_whole(folder / file) as stream:
        rows = draft.packer.write(stream)
    return Release(draft.table, draft.name, draft.since, draft.until, rows, file, draft.sources, draft.whole)


def _write_manifest(folder: Path, releases: list[Release]) -> None:
    ordered = sorted(releases, key=lambda each: (each.table, each.until, each.name))
    data = {"schema": SCHEMA, "releases": [asdict(each) for each in ordered]}
    with write_whole(folder / MANIFEST) as stream:
        stream.write(json.dumps(data, indent=1).encode("ascii") + b"\n")


def _drop(folder: Path, files: Iterable[str]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            (folder / file).unlink()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other imports out until this one is done. Makes the folder where there is none."""
    import fcntl  # not on Windows, where all but imports works

    folder.mkdir(parents=True, exist_ok=True)
    handle = open_own(folder / _LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
