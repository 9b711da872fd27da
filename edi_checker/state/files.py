"""The life of a file in the ledger, each step on a connection whose transaction the caller ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, update

from edi_checker.state.errors import AlreadyAnswered, Fenced
from edi_checker.state.numbers import raise_number
from edi_checker.state.records import Answer, Duplicate, File, Interchange, InterchangeKey, State
from edi_checker.state.schema import OPEN, file, functional_group, interchange, output

COLUMNS = [file.c[field.name] for field in fields(File)]
_OWNED = (State.CLAIMED, State.ANSWERED)


def latest_time(connection: Connection) -> float:
    """The latest time that the ledger has seen; 0 where it has no file."""
    return float(connection.execute(select(func.max(file.c.touched_at))).scalar() or 0.0)


def read(connection: Connection, file_id: int) -> File | None:
    row = connection.execute(select(*COLUMNS).where(file.c.id == file_id)).one_or_none()
    return None if row is None else as_file(row)


def as_file(row: Row[Any]) -> File:
    values = {column.name: getattr(row, column.name) for column in COLUMNS}
    return File(**{**values, "state": State(row.state)})


def note(
    connection: Connection,
    where: tuple[str, str],
    size: int,
    mtime_ns: int,
    now: float,
    replay_of: int | None = None,
    not_before: float | None = None,
) -> File:
    """The open file with this partner and name, made where there is none."""
    # Takes the lock: two that note one file must not both find it missing.
    file_id = raise_number(connection, "file")
    partner, name = where
    mine = and_(file.c.partner == partner, file.c.name == name, file.c.state.in_(OPEN))
    row = connection.execute(select(*COLUMNS).where(mine)).one_or_none()
    if row is not None:
        found = as_file(row)
        if found.state != State.SEEN:
            return found
        return change(connection, found, (State.SEEN,), now, size=size, mtime_ns=mtime_ns)
    values = {
        "partner": partner,
        "name": name,
        "size": size,
        "mtime_ns": mtime_ns,
        "replay_of": replay_of,
        "not_before": not_before,
    }
    connection.execute(
        insert(file).values(
            id=file_id, state=State.SEEN, token=0, tries=0, seen_at=now, touched_at=now, **values
        )
    )
    return _must_read(connection, file_id)


def change(connection: Connection, mine: File, states: Iterable[State], now: float, **values: Any) -> File:
    """Write to a file that still is its owner's and in one of these states. Raises Fenced."""
    still = and_(file.c.id == mine.id, file.c.token == mine.token, file.c.state.in_(list(states)))
    written = connection.execute(update(file).where(still).values(touched_at=now, **values)).rowcount
    if written != 1:
        raise Fenced(_why_fenced(connection, mine))
    return _must_read(connection, mine.id)


def hold(connection: Connection, mine: File, states: Iterable[State]) -> None:
    """Make sure of the same, and that it stays so to the end of the transaction. Raises Fenced."""
    still = and_(file.c.id == mine.id, file.c.token == mine.token, file.c.state.in_(list(states)))
    if connection.execute(select(file.c.id).where(still).with_for_update()).one_or_none() is None:
        raise Fenced(_why_fenced(connection, mine))


def _waiting(now: float) -> ColumnElement[bool]:
    """What can be taken."""
    lapsed = and_(file.c.state.in_(_OWNED), file.c.lease_until < now)
    due = or_(file.c.not_before.is_(None), file.c.not_before <= now)
    return or_(and_(file.c.state == State.SEEN, due), lapsed)


def list_waiting(connection: Connection, now: float, limit: int) -> list[int]:
    found = select(file.c.id).where(_waiting(now)).order_by(file.c.id).limit(limit)
    return list(connection.scalars(found))


def list_pending(connection: Connection, partner: str) -> list[str]:
    answered = and_(file.c.partner == partner, file.c.state == State.ANSWERED)
    found = select(output.c.name).join_from(output, file, output.c.file_id == file.c.id).where(answered)
    return list(connection.scalars(found))


def give_up(
    connection: Connection, owner: str, reason: str, when: tuple[float, float], most: int
) -> list[File]:
    """As Ledger.give_up; `when` is now, and the seconds to the next try."""
    now, again_in = when
    failed = []
    theirs = select(*COLUMNS).where(file.c.owner == owner, file.c.state.in_(_OWNED)).with_for_update()
    for row in connection.execute(theirs).all():
        mine = as_file(row)
        free: dict[str, Any] = {"owner": None, "lease_until": None}
        if mine.state == State.ANSWERED:
            change(connection, mine, (mine.state,), now, lease_until=-1.0)
        elif mine.tries + 1 < most:
            again = {"tries": mine.tries + 1, "reason": reason, "not_before": now + again_in}
            change(connection, mine, (mine.state,), now, state=State.SEEN, **free, **again)
        else:
            ended = {"tries": mine.tries + 1, "reason": reason, "finished_at": now, "settled_by": None}
            failed.append(change(connection, mine, (mine.state,), now, state=State.FAILED, **free, **ended))
    return failed


def take(
    connection: Connection, now: float, owner: str, lease: float, file_id: int | None = None
) -> File | None:
    """The first file that waits or whose lease is over, made the owner's."""
    found = select(*COLUMNS).where(_waiting(now))
    if file_id is not None:
        found = found.where(file.c.id == file_id)
    found = found.order_by(file.c.id).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    mine = as_file(row)
    return change(
        connection,
        mine,
        (mine.state,),
        now,
        state=State.CLAIMED if mine.state == State.SEEN else mine.state,
        owner=owner,
        token=mine.token + 1,
        lease_until=now + lease,
        not_before=None,
    )


def find_duplicate(
    connection: Connection,
    mine: File,
    sha256: str,
    keys: Sequence[InterchangeKey],
    since: float,
) -> Duplicate | None:
    """As Ledger.find_duplicate; control numbers count from the time `since` on."""
    others = and_(
        file.c.id != mine.id,
        file.c.state.in_((State.ANSWERED, State.DONE)),
        file.c.duplicate_of.is_(None),
        file.c.answered_at.is_not(None),
    )
    origin = mine.replay_of
    if origin is not None:
        others = and_(
            others, file.c.id != origin, or_(file.c.replay_of.is_(None), file.c.replay_of != origin)
        )
    found = (
        select(file.c.id, file.c.sha256, file.c.answered_at).order_by(file.c.answered_at, file.c.id).limit(1)
    )
    row = connection.execute(found.where(others, file.c.sha256 == sha256)).one_or_none()
    if row is not None:
        return Duplicate(row.id, "content", True, row.answered_at)
    for key in dict.fromkeys(keys):
        same = and_(*(interchange.c[name] == value for name, value in key._asdict().items()))
        with_key = found.join_from(file, interchange, interchange.c.file_id == file.c.id)
        row = connection.execute(with_key.where(same, others, file.c.answered_at >= since)).first()
        if row is not None:
            return Duplicate(row.id, "control number", row.sha256 == sha256, row.answered_at)
    return None


def answer(connection: Connection, mine: File, said: Answer, now: float, number: int | None) -> File:
    """Write all of an answer but its history, whose number in the order of commits is given."""
    if said.duplicate_of is None:
        keys = [each.key for each in said.interchanges]
        first = find_duplicate(connection, mine, said.sha256, keys, now - said.window)
        if first is not None:
            raise AlreadyAnswered(first)
    of = said.duplicate_of
    changed = change(
        connection,
        mine,
        (State.CLAIMED,),
        now,
        state=State.ANSWERED,
        sha256=said.sha256,
        setting=said.setting,
        record=said.record,
        history=number,
        answered_at=now,
        reason=None,
        duplicate_of=of.of if of else None,
        duplicate_by=of.by if of else None,
    )
    if said.outputs:
        connection.execute(
            insert(output),
            [
                {
                    "file_id": mine.id,
                    "ordinal": at,
                    "name": each.name,
                    "sha256": each.sha256,
                    "size": each.size,
                }
                for at, each in enumerate(said.outputs)
            ],
        )
    _write_interchanges(connection, mine.id, said.interchanges)
    return changed


def delete_files(connection: Connection, ids: Sequence[int]) -> None:
    """Take files out of the ledger with all that hangs on them but their numbers."""
    for table in (output, interchange, functional_group):
        connection.execute(delete(table).where(table.c.file_id.in_(ids)))
    connection.execute(delete(file).where(file.c.id.in_(ids)))


def _write_interchanges(connection: Connection, file_id: int, said: Sequence[Interchange]) -> None:
    rows = [
        {"file_id": file_id, "ordinal": at, "verdict": each.verdict, **each.key._asdict()}
        for at, each in enumerate(said)
    ]
    groups = [
        {
            "file_id": file_id,
            "interchange": at,
            "ordinal": ordinal,
            "sender": group.sender,
            "receiver": group.receiver,
            "control": group.control,
            "transactions": group.transactions,
            "accepted": group.accepted,
            "verdict": group.verdict,
        }
        for at, each in enumerate(said)
        for ordinal, group in enumerate(each.groups)
    ]
    if rows:
        connection.execute(insert(interchange), rows)
    if groups:
        connection.execute(insert(functional_group), groups)


def _must_read(connection: Connection, file_id: int) -> File:
    found = read(connection, file_id)
    assert found is not None
    return found


def _why_fenced(connection: Connection, mine: File) -> str:
    now = read(connection, mine.id)
    if now is None:
        return f"file {mine.id} is not in the ledger any more"
    if now.token != mine.token:
        return f"file {mine.id} has changed hands"
    return f"file {mine.id} is {now.state}; this cannot be done to it"
