"""Control numbers that never come twice: a counter for each pair of partners and kind."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from edi_checker.state.errors import StateError
from edi_checker.state.records import MOST_SKIPPED, Draw
from edi_checker.state.schema import counter, drawn, rising

LARGEST = 999_999_999  # nine digits of ISA13

# Made once, as those of `files`.
_RAISE = update(rising).where(rising.c.name == bindparam("of")).values(value=rising.c.value + bindparam("by"))
_RAISED = select(rising.c.value).where(rising.c.name == bindparam("of"))
_DRAWN = select(drawn).where(drawn.c.file_id == bindparam("file_id"))
_PAIR = and_(*(counter.c[name] == bindparam(f"of_{name}") for name in ("sender", "receiver", "kind")))
_LAST = select(counter.c.last).where(_PAIR)
_SET_LAST = update(counter).where(_PAIR).values(last=bindparam("new"))


def raise_number(connection: Connection, name: str, by: int = 1) -> int:
    """The next number of `rising`; other transactions that want one wait for the end of this one."""
    connection.execute(_RAISE, {"of": name, "by": by})
    return int(connection.execute(_RAISED, {"of": name}).scalar_one())


def draw(connection: Connection, file_id: int, wanted: Sequence[Draw]) -> list[int]:
    """As Ledger.draw_numbers."""
    # Also takes the lock without which two first draws of a pair could meet.
    floor = raise_number(connection, "floor", 0)
    rows = connection.execute(_DRAWN, {"file_id": file_id})
    known = {Draw(row.sender, row.receiver, row.kind, row.ordinal): int(row.number) for row in rows}
    new = [each for each in dict.fromkeys(wanted) if each not in known]
    for each in new:
        known[each] = _next(connection, each, floor)
    if new:
        connection.execute(
            insert(drawn), [{"file_id": file_id, **each._asdict(), "number": known[each]} for each in new]
        )
    return [known[each] for each in wanted]


def skip(connection: Connection, by: int) -> int:
    """As Ledger.skip_numbers."""
    if not 1 <= by <= MOST_SKIPPED:
        raise StateError(f"numbers are skipped forward, by 1 to {MOST_SKIPPED:,} at once")
    raise_number(connection, "file", by)
    raise_number(connection, "floor", by)
    return connection.execute(update(counter).values(last=counter.c.last + by)).rowcount


def list_counters(connection: Connection) -> list[tuple[str, str, str, int]]:
    """As Ledger.list_numbers."""
    rows = connection.execute(select(counter).order_by(counter.c.sender, counter.c.receiver, counter.c.kind))
    return [(row.sender, row.receiver, row.kind, _shown(row.last)) for row in rows]


def _next(connection: Connection, each: Draw, floor: int) -> int:
    pair = {"sender": each.sender, "receiver": each.receiver, "kind": each.kind}
    of = {f"of_{name}": value for name, value in pair.items()}
    last = connection.execute(_LAST, of).scalar()
    if last is None:
        connection.execute(insert(counter).values(**pair, last=floor + 1))
        return _shown(floor + 1)
    connection.execute(_SET_LAST, {**of, "new": last + 1})
    return _shown(last + 1)


def _shown(count: int) -> int:
    """Nine digits: after the largest number comes 1 again."""
    return (count - 1) % LARGEST + 1
