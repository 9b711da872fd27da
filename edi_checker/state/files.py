"""The life of a file in the ledger, each step on a connection whose transaction the caller ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from edi_checker.state.errors import AlreadyAnswered, Fenced, StateError
from edi_checker.state.numbers import raise_number
from edi_checker.state.records import Answer, Duplicate, File, Interchange, InterchangeKey, State
from edi_checker.state.schema import OPEN, file, functional_group, interchange, output

COLUMNS = [file.c[field.name] for field in fields(File)]
_OWNED = (State.CLAIMED, State.ANSWERED)

# The statements that each file needs are made once: to make one takes longer than to run it.
_LATEST = select(func.max(file.c.touched_at))
_BY_ID = select(*COLUMNS).where(file.c.id == bindparam("id"))
_STILL_MINE = and_(
    file.c.id == bindparam("mine"),
    file.c.token == bindparam("held"),
    file.c.state.in_(bindparam("states", expanding=True)),
)
_HOLD = select(file.c.id).where(_STILL_MINE).with_for_update()
_OPEN_OF = select(*COLUMNS).where(
    file.c.partner == bindparam("partner"), file.c.name == bindparam("name"), file.c.state.in_(OPEN)
)
_PENDING = (
    select(output.c.name)
    .join_from(output, file, output.c.file_id == file.c.id)
    .where(file.c.partner == bindparam("partner"), file.c.state == State.ANSWERED)
)


_LONGEST_WAIT = 7 * 86_400.0

# What can be taken.
_WAITING = or_(
    and_(
        file.c.state == State.SEEN,
        or_(
            file.c.not_before.is_(None),
            file.c.not_before <= bindparam("now"),
            # Nobody is told to wait so long: it was said by a clock that was wrong.
            file.c.not_before > bindparam("now") + _LONGEST_WAIT,
        ),
    ),
    and_(file.c.state.in_(_OWNED), file.c.lease_until < bindparam("now")),
)
_WAITING_IDS = select(file.c.id).where(_WAITING).order_by(file.c.id).limit(bindparam("limit", type_=Integer))
_TAKE = select(*COLUMNS).where(_WAITING).order_by(file.c.id).limit(1).with_for_update(skip_locked=True)
_TAKE_ONE = _TAKE.where(file.c.id == bindparam("id"))


@lru_cache(maxsize=4)
def _first_answered(*, replays: bool, by_key: bool) -> Select[Any]:
    """The first answered file with a content, or with a control number since some time."""
    others = [
        file.c.id != bindparam("mine"),
        file.c.state.in_((State.ANSWERED, State.DONE)),
        file.c.duplicate_of.is_(None),
        file.c.answered_at.is_not(None),
    ]
    if replays:
        origin = bindparam("origin", type_=Integer)
        others += [file.c.id != origin, or_(file.c.replay_of.is_(None), file.c.replay_of != origin)]
    found = select(file.c.id, file.c.sha256, file.c.answered_at).where(*others)
    found = found.order_by(file.c.answered_at, file.c.id).limit(1)
    if not by_key:
        return found.where(file.c.sha256 == bindparam("sha256"))
    same = (interchange.c[name] == bindparam(name) for name in InterchangeKey._fields)
    with_key = found.join_from(file, interchange, interchange.c.file_id == file.c.id)
    return with_key.where(*same, file.c.answered_at >= bindparam("since"))


@lru_cache(maxsize=64)
def _changing(columns: tuple[str, ...]) -> Update:
    """What writes these columns of a file that still is its owner's; the values are `new_COLUMN`."""
    return update(file).where(_STILL_MINE).values({name: bindparam(f"new_{name}") for name in columns})


def latest_time(connection: Connection, until: float | None = None) -> float:
    """The latest time that the ledger has seen, up to a time where one is given; 0 where it has no file."""
    found = _LATEST if until is None else _LATEST.where(file.c.touched_at <= until)
    return float(connection.execute(found).scalar() or 0.0)


def read(connection: Connection, file_id: int) -> File | None:
    row = connection.execute(_BY_ID, {"id": file_id}).one_or_none()
    return None if row is None else as_file(row)


def as_file(row: Row[Any]) -> File:
    values = {column.name: getattr(row, column.name) for column in COLUMNS}
    return File(**{**values, "state": State(row.state)})


def note(
    connection: Connection,
    where: tuple[str, str],
    size: int,
    mtime_ns: int,
    when: tuple[float, float],
    replay_of: int | None = None,
    not_before: float | None = None,
) -> File:
    """The open file with this partner and name, made where there is none; `when` is the time of the clock and
    that of the ledger.
    """
    seen_at, now = when
    # Takes the lock: two that note one file must not both find it missing.
    file_id = raise_number(connection, "file")
    partner, name = where
    row = connection.execute(_OPEN_OF, {"partner": partner, "name": name}).one_or_none()
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
            id=file_id, state=State.SEEN, token=0, tries=0, seen_at=seen_at, touched_at=now, **values
        )
    )
    return _must_read(connection, file_id)


def note_again(connection: Connection, of: File, when: tuple[float, float], not_before: float) -> File:
    """As Ledger.note_again; `when` as of `note`."""
    raise_number(connection, "file", 0)  # takes the lock
    origin = of.replay_of or of.id
    row = connection.execute(_OPEN_OF, {"partner": of.partner, "name": of.name}).one_or_none()
    if row is not None and row.replay_of != origin:
        raise StateError(
            f"file {row.id} of the same partner and name is not finished: replay this one after it"
        )
    return note(connection, (of.partner, of.name), of.size, of.mtime_ns, when, origin, not_before)


def change(connection: Connection, mine: File, states: Iterable[State], now: float, **values: Any) -> File:
    """Write to a file that still is its owner's and in one of these states. Raises Fenced."""
    values["touched_at"] = now
    new = {f"new_{name}": value for name, value in values.items()}
    written = connection.execute(_changing(tuple(sorted(values))), {**_mine(mine, states), **new}).rowcount
    if written != 1:
        raise Fenced(_why_fenced(connection, mine))
    return _must_read(connection, mine.id)


def hold(connection: Connection, mine: File, states: Iterable[State]) -> None:
    """Make sure of the same, and that it stays so to the end of the transaction. Raises Fenced."""
    if connection.execute(_HOLD, _mine(mine, states)).one_or_none() is None:
        raise Fenced(_why_fenced(connection, mine))


def _mine(mine: File, states: Iterable[State]) -> dict[str, Any]:
    return {"mine": mine.id, "held": mine.token, "states": list(states)}


def list_waiting(connection: Connection, now: float, limit: int) -> list[int]:
    return list(connection.scalars(_WAITING_IDS, {"now": now, "limit": limit}))


def list_pending(connection: Connection, partner: str) -> list[str]:
    return list(connection.scalars(_PENDING, {"partner": partner}))


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
    if file_id is None:
        row = connection.execute(_TAKE, {"now": now}).one_or_none()
    else:
        row = connection.execute(_TAKE_ONE, {"now": now, "id": file_id}).one_or_none()
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
    replays = mine.replay_of is not None
    of: dict[str, Any] = {"mine": mine.id, **({"origin": mine.replay_of} if replays else {})}
    by_content = _first_answered(replays=replays, by_key=False)
    row = connection.execute(by_content, {**of, "sha256": sha256}).one_or_none()
    if row is not None:
        return Duplicate(row.id, "content", True, row.answered_at)
    by_key = _first_answered(replays=replays, by_key=True)
    for key in dict.fromkeys(keys):
        row = connection.execute(by_key, {**of, **key._asdict(), "since": since}).first()
        if row is not None:
            return Duplicate(row.id, "control number", row.sha256 == sha256, row.answered_at)
    return None


def answer(
    connection: Connection, mine: File, said: Answer, when: tuple[float, float], number: int | None
) -> File:
    """Write all of an answer but its history, whose number in the order of commits is given; `when` as of
    `note`.
    """
    answered_at, now = when
    if said.duplicate_of is None:
        keys = [each.key for each in said.interchanges]
        first = find_duplicate(connection, mine, said.sha256, keys, answered_at - said.window)
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
        answered_at=answered_at,
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
