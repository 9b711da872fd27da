"""Files as they are published become releases in the store: what each is, and whether the whole is there."""

from __future__ import annotations

import csv
import hashlib
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import BinaryIO

from edi_checker.files.inputs import STDIN, Input, Reading, Unreadable, find_inputs
from edi_checker.reference.periods import (
    OTHERS,
    Period,
    first_of_version,
    fiscal_year,
    period_of_day,
    quarter,
    quarter_of,
)
from edi_checker.reference.store.layouts import (
    HEAD,
    Entry,
    Malformed,
    Row,
    Unwanted,
    find_fixed,
    find_table,
    read_fixed,
    read_table,
    title_of,
)
from edi_checker.reference.store.packed import Damaged, Overfull, Packed, Packer
from edi_checker.reference.store.release import (
    EARLIER,
    HISTORY,
    SHAPES,
    Draft,
    Release,
    add_releases,
    list_releases,
)
from edi_checker.reference.store.spreadsheet import BadWorkbook, read_sheets
from edi_checker.reference.store.whole import (
    MOST_GONE,
    Change,
    compare,
    say_change,
    say_unwhole,
    starts_in,
)

KINDS = (
    "practitioner PTP and MUE edits, add-on codes, the relative value file, the ICD-10-CM order file, HCPCS,"
    " single-dose drugs, CPT codes, provider taxonomy, adjustment reason and remark codes, BETOS and RBCS"
    " classes, addendum B of the outpatient payment system"
)
_SAMPLE = 1 << 17  # bytes of a text file by which its layout is told
_MAX_LINE = 1 << 20
_MOST_LINES = 200  # of one cell: notices of copyright have some dozens
_MAX_WORKBOOK = 1 << 29  # bytes of a workbook inside an archive
_ZIP = b"PK\x03\x04"


class ImportRefused(Exception):
    """A file cannot be imported; the message names file, line and reason. The store stays as it was."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file or member of an archive with rows of a table.

    shown   its name for messages: `tables.zip!ccipra-v322r0-f1.txt`
    input   how it is opened
    sheet   whether it is a workbook
    fixed   whether it has fixed columns
    title   what stands above the captions
    part    number among the files of one release, None where its name has none
    """

    shown: str
    input: Input
    table: str
    sheet: bool
    fixed: bool
    title: str
    part: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import will do: the sources of each release, and the number of bytes to read."""

    releases: tuple[tuple[str, Period | None, tuple[Source, ...]], ...]
    size: int


def plan_import(paths: Iterable[str], on: int | None = None) -> Plan:
    """Look at the files, archives and folders and see what they hold, without reading them through.

    `on` is a day (CCYYMMDD) of the release for files whose names do not tell which one they are.
    Raises ImportRefused.
    """
    grouped: dict[tuple[str, Period | None], list[Source]] = {}
    for path in paths:
        for source in _sources(path):
            period = period_of_day(source.table, on) if on is not None else _period(source)
            if period is None and not source.table.startswith("ncci_ptp"):
                raise ImportRefused(
                    f"{source.shown}: neither the name nor the title says which release it is;"
                    " give a day of it with --effective"
                )
            grouped.setdefault((source.table, period), []).append(source)
    releases = []
    for (table, period), sources in grouped.items():
        sources.sort(key=lambda each: (each.part or 0, each.shown))
        _check_parts(table, sources)
        releases.append((table, period, tuple(sources)))
    size = sum(source.input.size or 0 for _, _, sources in releases for source in sources)
    return Plan(tuple(releases), size)


def run_import(
    folder: Path,
    plan: Plan,
    watch: Callable[[int], None] = lambda _: None,
    *,
    accept_shrinkage: bool = False,
    tell: Callable[[Change], None] = lambda _: None,
) -> list[Release]:
    """Read what is planned into the store of that folder: all of it or nothing.

    `watch` is told the bytes read so far, of `Plan.size`; `tell` what changes where a release of the table is
    there to compare with. A table that is not whole, or lost more rows than a release does, is refused, or
    with `accept_shrinkage` taken as an excerpt. Raises ImportRefused, and StoreError where the store is to
    blame.
    """
    done = _Progress(watch)

    def drafts() -> Iterator[Draft]:
        for planned in plan.releases:
            draft = _draft(*planned, done)
            why = say_unwhole(draft.table, len(draft.packer), starts_in(draft.table, draft.packer))
            change = _compare(folder, draft)
            if change is not None:
                tell(change)
                if not why and change.shrinks():
                    why = f"{say_change(change)}, more than the {MOST_GONE:.0%} that a new release may lose"
            if why and not accept_shrinkage:
                raise ImportRefused(
                    f"{planned[2][-1].shown}: {why}: cut off or an excerpt;"
                    " get the file again, or import it as an excerpt with --accept-shrinkage"
                )
            yield replace(draft, whole=not why)

    return add_releases(folder, drafts())


def _compare(folder: Path, draft: Draft) -> Change | None:
    """A release beside the one that it replaces, else the newest whole one before it; None for none."""
    earlier = [
        each
        for each in list_releases(folder)
        if each.table == draft.table and each.whole and (each.name == draft.name or each.until < draft.until)
    ]
    if not earlier:
        return None
    before = max(earlier, key=lambda each: (each.name == draft.name, each.until, each.name))
    try:
        packed = Packed(folder / before.file, SHAPES[before.table], EARLIER.get(before.table))
    except Damaged:
        return None  # importing it again is the remedy
    return compare(draft.table, draft.name, before.name, packed, draft.packer)


class _Progress:
    def __init__(self, watch: Callable[[int], None]) -> None:
        self._watch = watch
        self._before = 0

    def at(self, position: int) -> None:
        self._watch(self._before + position)

    def end(self, size: int) -> None:
        self._before += size
        self._watch(self._before)


# -- what a file is -----------------------------------------------------------------------------------------


def _sources(path: str) -> Iterator[Source]:
    """The tables in a file, an archive or a folder. Raises ImportRefused."""
    if path == STDIN:
        raise ImportRefused("standard input: a table is read more than once, so it must be a file")
    if Path(path).is_dir():
        files = sorted(file for file in Path(path).iterdir() if not file.name.startswith("."))
        if not files:
            raise ImportRefused(f"{path}: the folder holds no files")
        for file in files:
            yield from _sources(str(file))
        return
    if path.lower().endswith(".xlsx"):
        yield _recognise(_workbook(path), path)
        return
    inputs = list(find_inputs([path]))
    members = len(inputs) > 1 or "!" in inputs[0].path
    if not members:
        yield _recognise(inputs[0], path)
        return
    found: dict[tuple[str, int | None, str], Source] = {}
    refusal = None
    for each in inputs:
        try:
            source = _recognise(each, each.path)
        except ImportRefused as error:
            # What else an archive holds, a letter or a list of changes, is passed over.
            refusal = refusal or error
            continue
        # The same table as text and as workbook is one table.
        stem = re.split(r"[!/\\]", each.path)[-1].rpartition(".")[0].lower()
        key = (source.table, source.part, stem if source.table.startswith("ncci_ptp") else "")
        kept = found.get(key)
        if kept is None or (kept.sheet and not source.sheet):
            found[key] = source
    if not found:
        raise refusal or ImportRefused(f"{path}: holds no table that is known here ({KINDS})")
    yield from found.values()


def _workbook(path: str) -> Input:
    file = Path(path)
    try:
        size = file.stat().st_size
    except (OSError, ValueError):
        raise ImportRefused(f"{path}: cannot be read") from None
    return Input(path, file.stem, file, size, None, lambda: Reading(file.open("rb")))


def _recognise(given: Input, shown: str) -> Source:
    """Raises ImportRefused."""
    name = re.split(r"[!/\\]", shown)[-1]
    if re.search(r"additions|deletions|revisions|changes|addenda", name, re.IGNORECASE):
        raise ImportRefused(f"{shown}: a list of changes, by its name; the whole table is needed")
    sheet = name.lower().endswith(".xlsx")
    fixed = False
    table = None
    title = ""
    try:
        if sheet:
            with ExitStack() as stack:
                for _, rows in read_sheets(_open_workbook(given, stack)):
                    head = list(islice(rows, HEAD))
                    table = find_table(head)
                    if table is not None:
                        title = title_of(head)
                        break
        else:
            text = _sample(given)
            if re.match(r"\s*<(?:!doctype|html|\?xml)", text, re.IGNORECASE):
                raise ImportRefused(f"{shown}: a web page, not a table; get the file again")
            lines = text.splitlines()
            table = find_fixed(lines)
            fixed = table is not None
            if not fixed:
                head = list(islice(_cells(enumerate(lines, 1), _tabbed(text)), HEAD))
                table, title = find_table(head), title_of(head)
    except (Unreadable, BadWorkbook, Unwanted) as error:
        raise ImportRefused(f"{shown}: {error}") from None
    except Malformed as error:
        raise _refused(shown, error) from None
    if table is None:
        raise ImportRefused(f"{shown}: not a table that is known here ({KINDS})")
    if table.startswith("ncci_ptp") and re.search(r"ccioph|hospital|dme", name, re.IGNORECASE):
        # Nothing inside tells these from the edits of practitioners.
        raise ImportRefused(
            f"{shown}: edits of another setting, by its name; those of practitioners are needed"
        )
    if re.search(r"medicaid|mcd", " ".join(_names(shown)), re.IGNORECASE) and f"{table}_medicaid" in SHAPES:
        table = f"{table}_medicaid"
    if table not in SHAPES:
        table = table.removesuffix("_medicaid")
    found = re.search(r"[-_]f(\d{1,2})\b", name, re.IGNORECASE)
    return Source(shown, given, table, sheet, fixed, title, int(found[1]) if found else None)


def _sample(given: Input) -> str:
    """The beginning of a text, to the end of its last whole line. Raises Unreadable."""
    taken = b""
    with given.open() as reading:
        while len(taken) < _SAMPLE and (piece := reading.read(_SAMPLE - len(taken))):
            taken += piece
    if len(taken) >= _SAMPLE:
        taken = taken[: taken.rfind(b"\n") + 1]
    return taken.decode("latin-1").removeprefix("\xef\xbb\xbf")


def _tabbed(text: str) -> bool:
    return text.count("\t") > text.count(",")


def _names(shown: str) -> list[str]:
    """The name of a file, and that of the archive that holds it: the folders around them say nothing."""
    return [re.split(r"[/\\]", name)[-1] for name in reversed(shown.split("!"))]


_QUARTERS = {"jan": 1, "apr": 2, "jul": 3, "oct": 4}


def _period(source: Source) -> Period | None:
    """The release that the names of a file and of its archive tell, or its title."""
    texts = [name.lower() for name in _names(source.shown)]
    if source.table == "icd10cm":
        return _fiscal_year(texts)
    if source.table in OTHERS:
        day = _DAYS.get(source.table, _day_in_name)(texts)
        return period_of_day(source.table, day) if day else None
    for text in [*texts, source.title.lower()]:
        # NCCI counts its years from 1994: version 32.2 is the third quarter of 2026.
        if found := re.search(r"v(\d\d)([0-3])r(\d)", text):
            period = quarter(1994 + int(found[1]), int(found[2]) + 1)
            again = found[3].lstrip("0")
            return Period(period.name + (f"r{again}" if again else ""), period.first, period.last)
        if found := re.search(r"(20\d\d)[ _-]?q([1-4])", text):
            return quarter(int(found[1]), int(found[2]))
        if found := re.search(r"q([1-4])[ _-]?(20\d\d)", text):
            return quarter(int(found[2]), int(found[1]))
        if found := re.search(r"eff(?:ective)?[ _-]?(\d\d)[ _-]?\d\d[ _-]?(20\d\d)", text):
            return quarter(int(found[2]), (int(found[1]) + 2) // 3)
        if found := re.search(r"rvu(\d\d)([a-d])", text):
            return quarter(2000 + int(found[1]), "abcd".index(found[2]) + 1)
        if found := re.search(r"(20\d\d)\D{0,80}?(jan|apr|jul|oct)", text):
            return quarter(int(found[1]), _QUARTERS[found[2]])
        if found := re.search(r"(jan|apr|jul|oct)[a-z]*[ _-]*(20\d\d)", text):
            return quarter(int(found[2]), _QUARTERS[found[1]])
    return None


def _day_of_version(texts: list[str]) -> int:
    """A day of the version that a name says: 261 and 26.1 are that of July 2026. 0 where none does."""
    for text in texts:
        if found := re.search(r"(?<!\d)(\d\d)[._]?([01])(?!\d)", text):
            return first_of_version(found[1], found[2])
    return 0


def _day_in_name(texts: list[str]) -> int:
    """A day of the month that a name says: 2026-11, 20261101, 11-01-2026. 0 where none does."""
    for text in texts:
        if found := re.search(r"(?<!\d)(20\d\d)[-_ .]?(0[1-9]|1[0-2])(?:[-_ .]?[0-3]\d)?(?!\d)", text):
            return int(found[1]) * 10000 + int(found[2]) * 100 + 1
        if found := re.search(r"(?<!\d)(0[1-9]|1[0-2])[-_ .][0-3]\d[-_ .](20\d\d)(?!\d)", text):
            return int(found[2]) * 10000 + int(found[1]) * 100 + 1
    return 0


def _day_of_year(texts: list[str]) -> int:
    """A day of the year that a name says: RBCS_RY_2025, betpuf20. 0 where none does."""
    for text in texts:
        if found := re.search(r"(?<!\d)20(\d\d)(?!\d)|betpuf(\d\d)(?!\d)", text):
            return 20000101 + int(found[1] or found[2]) * 10000
    return 0


# How names say the release of a table that has neither quarters nor months.
_DAYS = {"taxonomy": _day_of_version, "betos": _day_of_year, "rbcs": _day_of_year}


def _fiscal_year(texts: list[str]) -> Period | None:
    found = next((found for text in texts if (found := re.search(r"20\d\d", text))), None)
    april = any("april" in text for text in texts)
    return fiscal_year(int(found[0]), april=april) if found is not None else None


def _check_parts(table: str, sources: list[Source]) -> None:
    """Refuse a release of which a part is missing, or given twice."""
    if not table.startswith("ncci_ptp"):
        if len(sources) > 1:
            raise ImportRefused(f"{sources[1].shown}: the same release as {sources[0].shown}")
        return
    parts = [source.part for source in sources if source.part is not None]
    for before, after in pairwise(sources):
        if before.part == after.part and before.part is not None:
            raise ImportRefused(f"{after.shown}: the same part of a release as {before.shown}")
    missing = [f"f{part}" for part in range(1, max(parts, default=0)) if part not in parts]
    if missing:
        raise ImportRefused(
            f"{sources[0].shown}: {', '.join(missing)} of the same release must be imported with it"
        )


# -- reading ------------------------------------------------------------------------------------------------


def _draft(table: str, period: Period | None, sources: tuple[Source, ...], progress: _Progress) -> Draft:
    """Raises ImportRefused."""
    packer = Packer(SHAPES[table])
    digests: list[tuple[str, str]] = []
    highest = b""
    for source in sources:
        count = len(packer)
        with ExitStack() as stack:
            try:
                for key, first, last, payload, text in _entries(source, stack, progress, digests):
                    packer.add(key, first, last, payload, text)
                    highest = max(highest, key)
            except Malformed as error:
                raise _refused(source.shown, error) from None
            except (Unreadable, BadWorkbook, Overfull) as error:
                raise ImportRefused(f"{source.shown}: {error}") from None
        if len(packer) == count:
            raise ImportRefused(f"{source.shown}: holds no row")
        progress.end(source.input.size or 0)
    if sources[0].part is not None and highest[:1].isdigit():
        # The whole ends with codes that begin with a letter, whatever the number of its parts.
        raise ImportRefused(
            f"{sources[-1].shown}: the parts end at {highest[:5].decode()};"
            " those after it must be imported with it"
        )
    period = period or quarter_of(packer.latest())
    return Draft(
        table=table,
        name=period.name,
        since=min(packer.earliest(), period.first) if table in HISTORY else period.first,
        until=period.last,
        packer=packer,
        sources=tuple(digests),
    )


def _refused(shown: str, error: Malformed) -> ImportRefused:
    return ImportRefused(f"{shown}: line {error.line}: {error}" if error.line else f"{shown}: {error}")


def _entries(
    source: Source, stack: ExitStack, progress: _Progress, digests: list[tuple[str, str]]
) -> Iterator[Entry]:
    name = re.split(r"[/\\]", source.shown.rpartition("!")[0] or source.shown)[-1]
    name += "!" + source.shown.rpartition("!")[2] if "!" in source.shown else ""
    if source.sheet:
        stream = _open_workbook(source.input, stack)
        digest = hashlib.sha256()
        while piece := stream.read(1 << 20):
            digest.update(piece)
        stream.seek(0)
        for _, rows in read_sheets(stream, progress.at):
            head = list(islice(rows, HEAD))
            if find_table(head) is not None:
                yield from read_table(source.table, _chain(head, rows))
                break
        digests.append((name, digest.hexdigest()))
        return
    reading = stack.enter_context(source.input.open())
    lines = _Lines(reading, progress)
    if source.fixed:
        yield from read_fixed(source.table, _whole_lines(lines))
    else:
        rows = _cells(lines, _tabbed(_sample(source.input)))
        yield from read_table(source.table, _whole_rows(rows, lines))
    digests.append((name, reading.digest() or ""))


def _chain(head: list[Row], rest: Iterator[Row]) -> Iterator[Row]:
    yield from head
    yield from rest


class _Lines:
    """Numbered lines, without their ends; `ended` is false once the last one came and had none."""

    def __init__(self, reading: Reading, progress: _Progress) -> None:
        self.ended = True
        self._reading = reading
        self._progress = progress

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Raises Malformed where a line has no end."""
        number = 0
        rest = ""
        while piece := self._reading.read():
            text = piece.decode("latin-1")
            if not number and not rest:
                text = text.removeprefix("\xef\xbb\xbf")
            lines = (rest + text).split("\n")
            rest = lines.pop()
            for line in lines:
                number += 1
                yield number, line
            if len(rest) > _MAX_LINE:
                raise Malformed(number + 1, "the line does not end")
            self._progress.at(self._reading.position())
        if rest:
            self.ended = False
            yield number + 1, rest


def _whole_lines(lines: _Lines) -> Iterator[tuple[int, str]]:
    """The same lines. Raises Malformed where the last one is cut off: no end, and shorter than all others."""
    shortest = 0
    for number, line in lines:
        length = len(line.rstrip("\r"))
        if not lines.ended and length < shortest:
            raise Malformed(number, "the last line is cut off")
        shortest = min(shortest or length, length)
        yield number, line


def _whole_rows(rows: Iterable[Row], lines: _Lines) -> Iterator[Row]:
    """The same rows. Raises Malformed where the last one is cut off: no end, and fewer cells than others."""
    width = 0
    for number, cells in rows:
        if not lines.ended and len(cells) < width:
            raise Malformed(number, "the last row is cut off")
        width = len(cells)
        yield number, cells


def _cells(lines: Iterable[tuple[int, str]], tabbed: bool) -> Iterator[Row]:
    """The cells of each row. Raises Malformed."""
    if tabbed:
        for number, line in lines:
            yield number, line.rstrip("\r").split("\t")
        return
    # Strict: a quotation mark that is out of place must not swallow the rows behind it.
    reader = csv.reader((f"{line}\n" for _, line in lines), strict=True)
    number = 1
    try:
        for cells in reader:
            # A quoted cell may run over several lines: the row is where it begins.
            if reader.line_num - number > _MOST_LINES:
                raise Malformed(number, "a quoted cell does not end")
            yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise Malformed(number, f"not a row of cells and commas: {error}") from None


def _open_workbook(given: Input, stack: ExitStack) -> BinaryIO:
    """A workbook as a file that can be searched; one inside an archive is unpacked into a temporary file.

    Raises Unreadable.
    """
    assert given.file is not None
    if given.reason:
        raise Unreadable(given.reason)
    try:
        if "!" not in given.path:
            return stack.enter_context(given.file.open("rb"))
        unpacked = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # the stack closes it
        with zipfile.ZipFile(given.file) as archive:
            wanted = [m for m in archive.infolist() if given.path.endswith(f"!{m.filename}")]
            if not wanted or wanted[0].flag_bits & 1:
                raise Unreadable("cannot be read from the archive")
            with archive.open(wanted[0]) as stream:
                done = 0
                while piece := stream.read(1 << 20):
                    done += len(piece)
                    if done > _MAX_WORKBOOK:
                        raise Unreadable("the workbook is too large")
                    unpacked.write(piece)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise Unreadable("cannot be read") from None
    unpacked.seek(0)
    return unpacked
