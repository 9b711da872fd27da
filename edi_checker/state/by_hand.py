"""What an operator does with the ledger: look, settle, purge, back up."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text, update

from edi_checker.files.output import flush_folder
from edi_checker.state import files
from edi_checker.state.errors import StateError
from edi_checker.state.records import (
    Counts,
    Details,
    Draw,
    File,
    Group,
    Interchange,
    InterchangeKey,
    Output,
    PartnerAnswers,
    State,
)
from edi_checker.state.schema import OPEN, drawn, file, functional_group, interchange, output
from edi_checker.state.store import Store

_OWNED = (State.CLAIMED, State.ANSWERED)
_FINISHED = (State.DONE, State.DUPLICATE, State.VANISHED)
_PAGE = 200  # files that are read in one transaction of an export


@dataclass(frozen=True, slots=True)
class Wanted:
    """As the arguments of Ledger.list_files."""

    states: frozenset[State]
    partner: str | None
    name: str | None
    sha256: str | None
    seen_since: float | None
    seen_until: float | None
    stuck: bool
    duplicate_of: int | None
    before_id: int | None

    def conditions(self, now: float) -> Iterator[ColumnElement[bool]]:
        if self.states:
            yield file.c.state.in_(sorted(self.states))
        if self.partner is not None:
            yield file.c.partner == self.partner
        if self.name is not None:
            pattern = "".join(_LIKE.get(character, character) for character in self.name)
            yield file.c.name.like(pattern, escape="\\")
        if self.sha256 is not None:
            yield file.c.sha256 == self.sha256
        if self.seen_since is not None:
            yield file.c.seen_at >= self.seen_since
        if self.seen_until is not None:
            yield file.c.seen_at < self.seen_until
        if self.stuck:
            unpublished = and_(file.c.state == State.ANSWERED, file.c.reason.is_not(None))
            yield or_(_unsettled(), _other_content(), _lapsed(now), unpublished)
        if self.duplicate_of is not None:
            yield file.c.duplicate_of == self.duplicate_of
        if self.before_id is not None:
            yield file.c.id < self.before_id


_LIKE = {"*": "%", "?": "_", "%": "\\%", "_": "\\_", "\\": "\\\\"}


def list_files(connection: Connection, now: float, wanted: Wanted, limit: int) -> list[File]:
    found = select(*files.COLUMNS).where(*wanted.conditions(now)).order_by(file.c.id.desc()).limit(limit)
    return [files.as_file(row) for row in connection.execute(found)]


def show(connection: Connection, file_id: int) -> Details | None:
    found = list(_read_details(connection, file.c.id == file_id))
    return found[0] if found else None


def export(connection: Connection, after: int) -> list[dict[str, Any]]:
    """The next files behind this id."""
    ids = connection.scalars(
        select(file.c.id).where(file.c.id > after).order_by(file.c.id).limit(_PAGE)
    ).all()
    return [each.as_json() for each in _read_details(connection, file.c.id.in_(ids))] if ids else []


def counts(connection: Connection, now: float, ahead: float) -> Counts:
    by_state = dict.fromkeys(State, 0)
    for state, number in connection.execute(select(file.c.state, func.count()).group_by(file.c.state)):
        by_state[State(state)] = number
    return Counts(
        now,
        by_state,
        connection.execute(select(func.min(file.c.seen_at)).where(file.c.state == State.SEEN)).scalar(),
        _count(connection, _lapsed(now)),
        _count(connection, _unsettled()),
        _count(connection, _other_content()),
        connection.execute(select(func.max(file.c.answered_at))).scalar(),
        connection.execute(
            select(func.min(file.c.answered_at)).where(file.c.state == State.ANSWERED)
        ).scalar(),
        ahead,
    )


def answered_since(connection: Connection, since: float) -> list[PartnerAnswers]:
    table = functional_group
    mine = file.c.answered_at >= since
    of_groups = select(file.c.partner, func.sum(table.c.transactions), func.sum(table.c.accepted))
    joined = of_groups.join_from(file, table, table.c.file_id == file.c.id)
    sums = {
        partner: (int(transactions), int(accepted))
        for partner, transactions, accepted in connection.execute(joined.where(mine).group_by(file.c.partner))
    }
    found = select(
        file.c.partner, func.count(), func.count(file.c.duplicate_of), func.max(file.c.answered_at)
    )
    return [
        PartnerAnswers(partner, number, duplicates, *sums.get(partner, (0, 0)), last)
        for partner, number, duplicates, last in connection.execute(
            found.where(mine).group_by(file.c.partner).order_by(file.c.partner)
        )
    ]


def end_leases(connection: Connection, now: float, but: str, only: str | None) -> int:
    """As Ledger.end_leases; the clock may stand still, so the lease ends before any time."""
    whose = file.c.owner != but if only is None else file.c.owner == only
    others = and_(file.c.state.in_(_OWNED), whose)
    return connection.execute(update(file).where(others).values(lease_until=-1.0, touched_at=now)).rowcount


def settle(connection: Connection, now: float, file_id: int, state: State, said: tuple[str, str]) -> File:
    if state not in (State.DONE, State.FAILED):
        raise StateError("a file is settled as done or as failed")
    mine = _must_read(connection, file_id)
    looked_at = mine.state == State.DUPLICATE and mine.duplicate_by == "control number"
    if looked_at and state == State.FAILED:
        raise StateError(f"file {file_id} is a duplicate; settle it as done")
    if not looked_at and mine.state not in (*OPEN, State.FAILED):
        raise StateError(f"file {file_id} is {mine.state} already")
    if mine.state == State.ANSWERED:
        # The stage has the only copy of the answer, and is taken away once a file is done.
        raise StateError(
            f"file {file_id} is answered, its answer is not published yet and is not taken back: "
            "a watcher publishes it, start one"
        )
    return _change_by_hand(connection, now, mine, state, said, finished_at=now)


def reopen(connection: Connection, now: float, file_id: int, said: tuple[str, str]) -> File:
    mine = _must_read(connection, file_id)
    if mine.state not in (State.FAILED, State.VANISHED) or mine.answered_at is not None:
        again = "" if mine.duplicate_of is not None else "; replay makes a new answer"
        raise StateError(f"file {file_id} is {mine.state} and cannot wait again{again}")
    same = and_(file.c.partner == mine.partner, file.c.name == mine.name, file.c.state.in_(OPEN))
    if _count(connection, same):
        raise StateError(f"another file of {mine.partner} with the name of file {file_id} is not finished")
    values = {"finished_at": None, "not_before": None}
    return _change_by_hand(connection, now, mine, State.SEEN, said, **values)


def count_finished(connection: Connection, until: float) -> int:
    return _count(connection, _finished(until))


def purge(connection: Connection, until: float) -> int:
    """Delete some of the files that were finished before this time; how many."""
    ids = connection.scalars(select(file.c.id).where(_finished(until)).limit(_PAGE)).all()
    files.delete_files(connection, ids)
    return len(ids)


def backup(store: Store, target: Path) -> None:
    if not store.is_sqlite:
        raise StateError("a ledger in PostgreSQL is backed up with pg_dump")
    beside = target.with_name(f".{target.name}.part")
    try:
        if target.exists():
            raise StateError(f"{target}: is there already")
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            contextlib.closing(sqlite3.connect(store.engine.url.database or "", timeout=10)) as source,
            contextlib.closing(sqlite3.connect(beside)) as copy,
        ):
            source.backup(copy)
            # One file, whole by itself: the copy leaves the mode with a log of its own.
            copy.execute("PRAGMA journal_mode = DELETE")
            [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StateError(f"{store.shown}: the ledger is damaged, so is its copy; restore an older backup")
        with beside.open("rb") as stream:
            os.fsync(stream.fileno())
        beside.replace(target)
        flush_folder(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"{target}: the backup cannot be written: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def check(store: Store) -> None:
    with store.reading() as connection:
        if not store.is_sqlite:
            connection.execute(text("SELECT 1"))
            return
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StateError(
            f"{store.shown}: the ledger is damaged; restore the backup ({found.splitlines()[-1]})"
        )


def _lapsed(now: float) -> ColumnElement[bool]:
    return and_(file.c.state.in_(_OWNED), file.c.lease_until < now)


def _finished(until: float) -> ColumnElement[bool]:
    settled = and_(file.c.state == State.FAILED, file.c.settled_by.is_not(None))
    return and_(or_(file.c.state.in_(_FINISHED), settled), file.c.finished_at <= until)


def _other_content() -> ColumnElement[bool]:
    return and_(file.c.state.in_((State.ANSWERED, State.DUPLICATE)), file.c.duplicate_by == "control number")


def _unsettled() -> ColumnElement[bool]:
    return and_(file.c.state == State.FAILED, file.c.settled_by.is_(None))


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(file).where(which)).scalar_one())


def _must_read(connection: Connection, file_id: int) -> File:
    row = connection.execute(
        select(*files.COLUMNS).where(file.c.id == file_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise StateError(f"there is no file {file_id}")
    return files.as_file(row)


def _change_by_hand(
    connection: Connection, now: float, mine: File, state: State, said: tuple[str, str], **values: Any
) -> File:
    """The token rises too, so that an owner who still works on the file is fenced out."""
    reason, by = said
    ended = {"owner": None, "lease_until": None, "token": mine.token + 1}
    return files.change(
        connection, mine, (mine.state,), now, state=state, reason=reason, settled_by=by, **ended, **values
    )


def _read_details(connection: Connection, which: ColumnElement[bool]) -> Iterator[Details]:
    rows = connection.execute(select(*files.COLUMNS, file.c.record).where(which).order_by(file.c.id)).all()
    ids = [row.id for row in rows]
    outputs: dict[int, list[Output]] = {each: [] for each in ids}
    for row in connection.execute(select(output).where(output.c.file_id.in_(ids)).order_by(output.c.ordinal)):
        outputs[row.file_id].append(Output(row.name, row.sha256, row.size))
    interchanges = _read_interchanges(connection, ids)
    numbers: dict[int, list[tuple[Draw, int]]] = {each: [] for each in ids}
    for row in connection.execute(select(drawn).where(drawn.c.file_id.in_(ids)).order_by(*drawn.primary_key)):
        numbers[row.file_id].append((Draw(row.sender, row.receiver, row.kind, row.ordinal), row.number))
    for row in rows:
        yield Details(
            files.as_file(row),
            tuple(outputs[row.id]),
            tuple(interchanges[row.id]),
            tuple(numbers[row.id]),
            row.record,
        )


def _read_interchanges(connection: Connection, ids: Iterable[int]) -> dict[int, list[Interchange]]:
    ids = list(ids)
    groups: dict[tuple[int, int], list[Group]] = {}
    table = functional_group
    for row in connection.execute(select(table).where(table.c.file_id.in_(ids)).order_by(table.c.ordinal)):
        group = Group(row.sender, row.receiver, row.control, row.transactions, row.accepted, row.verdict)
        groups.setdefault((row.file_id, row.interchange), []).append(group)
    found: dict[int, list[Interchange]] = {each: [] for each in ids}
    table = interchange
    for row in connection.execute(select(table).where(table.c.file_id.in_(ids)).order_by(table.c.ordinal)):
        key = InterchangeKey(
            row.sender_qualifier, row.sender, row.receiver_qualifier, row.receiver, row.control
        )
        within = tuple(groups.get((row.file_id, row.ordinal), ()))
        found[row.file_id].append(Interchange(key, row.verdict, within))
    return found
