"""What earlier files billed: one sorted run a file, looked up by many keys at once, merged in the background.

A run never changes. Numbers give the order in which files were answered, whatever run their lines are in, so
a snapshot is one number, and a merge changes no answer. A line is not seen any more once its file is dropped;
it is gone from the disk once its run is written again.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from edi_checker.state import knowledge
from edi_checker.state.errors import Overtaken, StateError
from edi_checker.state.keys import CLAIM_BYTES, KEY_BYTES
from edi_checker.state.numbers import raise_number
from edi_checker.state.pages import (
    Filter,
    Line,
    Probe,
    bits_for,
    count,
    find_in_page,
    order,
    pages_of,
    probes_of,
    read_page,
    write_pages,
)
from edi_checker.state.records import NO_CLAIM, Entry, File, Found, HistoryRun, Past
from edi_checker.state.schema import file, history_file, history_page, history_run, rising
from edi_checker.state.store import Store, among, in_parts

_BUILDING, _LIVE, _GONE = "building", "live", "gone"
_FAN = 4  # so many runs of about one size become one
_PERIOD = 91 * 86400  # runs of two periods stay apart, so that what is kept so long leaves as a whole
_GIVEN_UP = 600  # seconds after which a merge that writes nothing is taken for dead
_CHUNK = 1000  # pages of a transaction
_IN = 500  # values of one IN
_SHIFT = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that only lacks its number."""

    entries: int
    bits: int
    keys: Filter
    pages: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class _Run:
    id: int
    base: int
    bits: int
    entries: int
    period: int


# -- writing


def prepare(said: HistoryRun) -> Prepared:
    """The pages of a run, made before the transaction that writes them. Raises StateError."""
    lines = [_line_of(entry) for entry in said.entries]
    lines.sort(key=order)
    bits, keys = bits_for(len(lines)), Filter.empty(len(lines))
    return Prepared(len(lines), bits, keys, list(write_pages(lines, bits, keys)))


def commit(
    connection: Connection,
    answered: File,
    said: HistoryRun,
    prepared: Prepared,
    reader: Reader,
    number: int,
) -> None:
    """Write a file's run within the transaction of its answer. Raises Overtaken, StateError."""
    adopt(connection, said.fingerprint)
    assert answered.sha256 is not None
    assert answered.answered_at is not None
    hold(connection, answered.sha256, said, reader)
    same = and_(history_file.c.sha256 == answered.sha256, history_file.c.dropped.is_(False))
    connection.execute(update(history_file).where(same).values(dropped=True))
    if not prepared.entries:
        return
    run = raise_number(connection, "history_run")
    connection.execute(
        insert(history_run).values(
            id=run,
            state=_LIVE,
            base=number,
            period=int(answered.answered_at // _PERIOD),
            entries=prepared.entries,
            bits=prepared.bits,
            filter=bytes(prepared.keys.bits),
            touched_at=answered.answered_at,
        )
    )
    _write(connection, run, prepared.pages)
    connection.execute(
        insert(history_file).values(
            number=number,
            file_id=answered.id,
            sha256=answered.sha256,
            answered_at=answered.answered_at,
            run_id=run,
            dropped=False,
        )
    )


def hold(connection: Connection, sha256: str, said: HistoryRun, reader: Reader) -> None:
    """Raises Overtaken where others changed what a check rests on."""
    own = _numbers_of(connection, sha256)
    overtaken = reader.changed_since(connection, said.snapshot, own, said.asked)
    if overtaken:
        raise Overtaken(overtaken)


def adopt(connection: Connection, fingerprint: str) -> None:
    """As Ledger.adopt_secret."""
    if knowledge.adopt(connection, "fingerprint", fingerprint) != fingerprint:
        raise StateError(
            "the secret key is not the one with which the history was made; "
            "with another key nothing earlier would be found"
        )


def drop(connection: Connection, *, file_id: int | None = None, until: float | None = None) -> int:
    """Leave out the lines of a file, or of all that were answered until then, from now on; how many files."""
    which = history_file.c.file_id == file_id if until is None else history_file.c.answered_at <= until
    dropped = update(history_file).where(which, history_file.c.dropped.is_(False)).values(dropped=True)
    return connection.execute(dropped).rowcount


def _line_of(entry: Entry) -> Line:
    if len(entry.key) != KEY_BYTES or len(entry.claim) != CLAIM_BYTES:
        raise StateError(f"a key of the history has {KEY_BYTES} bytes, a claim {CLAIM_BYTES}")
    return Line(entry.key, 0, entry.place, entry.claim, entry.void, entry.packed)


def _write(connection: Connection, run: int, pages: Sequence[tuple[int, bytes]]) -> None:
    rows = [{"id": run << _SHIFT | page, "data": data} for page, data in pages]
    if rows:
        connection.execute(insert(history_page), rows)


def _numbers_of(connection: Connection, sha256: str) -> frozenset[int]:
    return frozenset(connection.scalars(select(history_file.c.number).where(history_file.c.sha256 == sha256)))


def _numbers_from(connection: Connection, sha256: str) -> frozenset[int]:
    """The numbers of the files that are not earlier than the one with this content: its own, if it has been
    answered before, and those of all that came first behind it.
    """
    came = func.coalesce(file.c.replay_of, file.c.id)
    first = connection.scalar(
        select(func.min(came)).where(file.c.sha256 == sha256, file.c.answered_at.is_not(None))
    )
    if first is None:
        return frozenset()
    behind = (
        select(history_file.c.number).join(file, file.c.id == history_file.c.file_id).where(came >= first)
    )
    return frozenset(connection.scalars(behind))


# -- looking up


class Reader:
    """Looks keys up; it remembers the runs and their filters, about 16 to 32 MB for ten million lines.

    A run never changes, and none that is merged later has what those of a snapshot lack: what no filter knows
    is not in the store, and no database has to be asked.
    """

    def __init__(self) -> None:
        self._filters: dict[int, Filter] = {}
        self._runs: list[_Run] = []
        self._until = -1  # a snapshot of which all lines are in these runs, or in what became of them

    def past(self, connection: Connection, sha256: str) -> Past:
        """As Ledger.past."""
        snapshot = connection.execute(select(rising.c.value).where(rising.c.name == "history")).scalar_one()
        return Past(snapshot, _numbers_from(connection, sha256))

    def find(self, store: Store, past: Past, keys: Collection[bytes]) -> dict[bytes, list[Found]]:
        """As Ledger.find_history."""
        probes = probes_of(set(keys))
        found = None
        while found is None:
            self._catch_up(store, past)
            wanted = self._pages(self._runs, probes)
            found = self._find_in(store, past, wanted) if wanted else {}
            if found is None:
                self._until = -1
        return found

    def _catch_up(self, store: Store, past: Past) -> None:
        if past.snapshot > self._until:
            with store.reading() as connection:
                self._runs = self._read_runs(connection)
            self._until = past.snapshot

    def _find_in(
        self, store: Store, past: Past, wanted: Mapping[int, list[bytes]]
    ) -> dict[bytes, list[Found]] | None:
        """What these pages have; None where a run of them was merged into another."""
        bases = {run.id: run.base for run in self._runs}
        asked = {page >> _SHIFT for page in wanted}
        lines: list[Line] = []
        with store.looking() as look:
            for ids in in_parts(wanted, _IN):
                there: set[int] = set()
                for page, data in look(_LIVE_AND_PAGES, ids):
                    if data is None:
                        there.add(page)
                    else:
                        lines += _lines_in(data, wanted[page], bases[page >> _SHIFT])
                if not asked <= there:
                    return None
            lines = [
                line for line in lines if line.number <= past.snapshot and line.number not in past.left_out
            ]
            stay: set[int] = set()
            for numbers in in_parts({line.number for line in lines}, _IN):
                stay.update(number for (number,) in look(_NOT_DROPPED, numbers))
        by_key: dict[bytes, list[Line]] = defaultdict(list)
        for line in lines:
            if line.number in stay:
                by_key[line.key].append(line)
        found = {key: _without_voided(each) for key, each in by_key.items()}
        return {key: each for key, each in found.items() if each}

    def changed_since(
        self, connection: Connection, snapshot: int, own: frozenset[int], asked: Collection[bytes]
    ) -> set[bytes]:
        """Which of these keys have lines, or voids, of files that were answered since."""
        since = select(history_file.c.run_id).where(history_file.c.number > snapshot).distinct()
        runs = self._read_runs(connection, list(connection.scalars(since)))
        left_out = own | _dropped(connection)
        return {
            line.key
            for line in self._lines(connection, runs, asked)
            if line.number > snapshot and line.number not in left_out
        }

    def _read_runs(self, connection: Connection, only: Sequence[int] | None = None) -> list[_Run]:
        if only is not None:
            live = and_(history_run.c.state == _LIVE, history_run.c.id.in_(only))
            runs = _select_runs(connection, live) if only else []
        else:
            runs = [_Run(*row) for row in connection.exec_driver_sql(_LIVE_RUNS)]
            self._filters = {run.id: self._filters[run.id] for run in runs if run.id in self._filters}
        new = [run.id for run in runs if run.id not in self._filters]
        for ids in in_parts(new, _IN):
            rows = select(history_run.c.id, history_run.c.filter).where(history_run.c.id.in_(ids))
            for row in connection.execute(rows):
                self._filters[row.id] = Filter(row.filter)
        return runs

    def _lines(self, connection: Connection, runs: Sequence[_Run], keys: Collection[bytes]) -> Iterator[Line]:
        wanted = self._pages(runs, probes_of(set(keys)))
        bases = {run.id: run.base for run in runs}
        for ids in in_parts(wanted, _IN):
            pages = among(_PAGES, ids, sqlite=connection.dialect.name == "sqlite")
            for page, data in connection.exec_driver_sql(*pages):
                yield from _lines_in(data, wanted[page], bases[page >> _SHIFT])

    def _pages(self, runs: Sequence[_Run], probes: Sequence[Probe]) -> dict[int, list[bytes]]:
        """The keys that may be there, by the page where each would be."""
        wanted: dict[int, list[bytes]] = {}
        for run in runs:
            for page, key in pages_of(self._filters[run.id].sift(probes), run.bits, run.id << _SHIFT):
                wanted.setdefault(page, []).append(key)
        return wanted


# What is read at each look-up, as SQL: SQLAlchemy takes longer over a statement that it builds than the
# database over its rows.
_DROPPED = "SELECT number FROM history_file WHERE dropped"
_LIVE_RUNS = "SELECT id, base, bits, entries, period FROM history_run WHERE state = 'live' ORDER BY id"
_PAGES = "SELECT id, data FROM history_page WHERE id {among}"
# One statement sees the database at one moment: where a run is live, all of its pages are there.
_LIVE_AND_PAGES = (
    "SELECT id, NULL AS data FROM history_run WHERE state = 'live' "
    "UNION ALL SELECT id, data FROM history_page WHERE id {among}"
)
# A file is listed for as long as anything of it could be found: where it is not, it was dropped.
_NOT_DROPPED = "SELECT number FROM history_file WHERE NOT dropped AND number {among}"


def _lines_in(data: bytes, keys: Iterable[bytes], base: int) -> Iterator[Line]:
    for key in keys:
        yield from find_in_page(data, key, base)


def _without_voided(lines: list[Line]) -> list[Found]:
    """What is left of the lines of a key, in the order in which they were committed."""
    lines.sort(key=order)
    found: list[Found] = []
    for line in lines:
        if not line.void:
            found.append(Found(line.number, line.place, line.claim, line.packed))
        elif line.claim == NO_CLAIM:
            found = [each._replace(doubtful=True) for each in found]
        else:
            found = [each for each in found if each.claim != line.claim]
    return found


def _dropped(connection: Connection) -> frozenset[int]:
    return frozenset([number for (number,) in connection.exec_driver_sql(_DROPPED)])


def _select_runs(connection: Connection, wanted: Any) -> list[_Run]:
    table = history_run.c
    columns = (table.id, table.base, table.bits, table.entries, table.period)
    rows = connection.execute(select(*columns).where(wanted).order_by(table.id))
    return [_Run(*row) for row in rows]


# -- merging


@dataclass(frozen=True, slots=True)
class _Merge:
    """Runs that become one, without the lines of the files that were dropped when it began."""

    id: int
    runs: list[_Run]
    without: frozenset[int]


def merge(store: Store, now: Callable[[Connection], float], *, dropped: bool) -> bool:
    """Write a run with dropped lines again, or runs of about one size as one; False where none is due.

    Other transactions go on meanwhile. Raises StateError.
    """
    begun = _begin_merge(store, now, dropped=dropped)
    if begun is None:
        return False
    most, entries = sum(run.entries for run in begun.runs), 0
    bits, keys = bits_for(most), Filter.empty(most)
    streams = [_read_run(store, run, begun.without) for run in begun.runs]
    pages = write_pages(heapq.merge(*streams, key=order), bits, keys)
    for chunk in in_parts(pages, _CHUNK):
        with store.writing() as connection:
            _go_on(connection, begun, now(connection))
            _write(connection, begun.id, chunk)
        entries += sum(count(data) for _, data in chunk)
    with store.writing() as connection:
        raise_number(connection, "history", 0)  # no answer looks for changes meanwhile
        _go_on(connection, begun, now(connection))
        old = [run.id for run in begun.runs]
        _remove_dropped(connection, old, begun.without)
        connection.execute(update(history_run).where(history_run.c.id.in_(old)).values(state=_GONE))
        connection.execute(update(history_file).where(history_file.c.run_id.in_(old)).values(run_id=begun.id))
        done = {
            "state": _LIVE if entries else _GONE,
            "bits": bits,
            "entries": entries,
            "filter": bytes(keys.bits),
        }
        connection.execute(update(history_run).where(history_run.c.id == begun.id).values(**done))
    sweep(store)
    return True


def sweep(store: Store) -> None:
    """Delete the pages of runs that were merged into others."""
    with store.reading() as connection:
        gone = [run.id for run in _select_runs(connection, history_run.c.state == _GONE)]
    for run in gone:
        within = history_page.c.id.between(run << _SHIFT, (run + 1 << _SHIFT) - 1)
        some = select(history_page.c.id).where(within).order_by(history_page.c.id).limit(_CHUNK)
        more = True
        while more:
            with store.writing() as connection:
                ids = connection.scalars(some).all()
                more = bool(ids)
                if more:
                    deleted = and_(within, history_page.c.id <= ids[-1])
                    connection.execute(delete(history_page).where(deleted))
                else:
                    connection.execute(delete(history_run).where(history_run.c.id == run))


def _begin_merge(store: Store, now: Callable[[Connection], float], *, dropped: bool) -> _Merge | None:
    with store.writing() as connection:
        raise_number(connection, "history", 0)  # one at a time
        time = now(connection)
        built = history_run.c.state == _BUILDING
        dead = and_(built, history_run.c.touched_at < time - _GIVEN_UP)
        connection.execute(update(history_run).where(dead).values(state=_GONE))
        if _select_runs(connection, built):
            return None
        without = _dropped(connection)
        holding = set(
            connection.scalars(
                select(history_file.c.run_id).where(history_file.c.dropped.is_(True)).distinct()
            )
        )
        runs = _select_runs(connection, history_run.c.state == _LIVE)
        chosen = [run for run in runs if run.id in holding][:1] if dropped else _of_one_size(runs)
        if not chosen:
            return None
        run = raise_number(connection, "history_run")
        values = {"base": 0, "period": chosen[0].period, "entries": 0, "bits": 0, "filter": b""}
        connection.execute(insert(history_run).values(id=run, state=_BUILDING, touched_at=time, **values))
        return _Merge(run, chosen, without)


def _of_one_size(runs: Sequence[_Run]) -> list[_Run]:
    groups: dict[tuple[int, int], list[_Run]] = defaultdict(list)
    for run in runs:
        size = max(run.entries, 256)
        groups[run.period, (size.bit_length() + 1) // 2].append(run)
    return next((group for _, group in sorted(groups.items()) if len(group) >= _FAN), [])


def _read_run(store: Store, run: _Run, without: frozenset[int]) -> Iterator[Line]:
    after = (run.id << _SHIFT) - 1
    while True:
        within = history_page.c.id.between(after + 1, (run.id + 1 << _SHIFT) - 1)
        with store.reading() as connection:
            rows = connection.execute(
                select(history_page).where(within).order_by(history_page.c.id).limit(_IN)
            ).all()
        if not rows:
            return
        for row in rows:
            for line in read_page(row.data):
                number = line.number + run.base
                if number not in without:
                    yield line._replace(number=number)
        after = rows[-1].id


def _go_on(connection: Connection, begun: _Merge, now: float) -> None:
    mine = and_(history_run.c.id == begun.id, history_run.c.state == _BUILDING)
    if connection.execute(update(history_run).where(mine).values(touched_at=now)).rowcount != 1:
        raise StateError("the merge of the history took so long that another one began")


def _remove_dropped(connection: Connection, runs: Sequence[int], without: frozenset[int]) -> None:
    for numbers in in_parts(without, _IN):
        gone = and_(history_file.c.number.in_(numbers), history_file.c.run_id.in_(runs))
        connection.execute(delete(history_file).where(gone))
