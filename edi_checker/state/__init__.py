"""What lasts from one run to the next: the ledger of files, control numbers, and what earlier claims billed.

The room knows nothing of claims: files are names and hashes, history is keys and packed lines.
`open_ledger` is the way in; it needs the packages of the extra `watch`, the names below do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edi_checker.state.errors import AlreadyAnswered, Fenced, Overtaken, StateError
from edi_checker.state.keys import Secret
from edi_checker.state.records import (
    MOST_SKIPPED,
    NO_CLAIM,
    Answer,
    Counts,
    Details,
    Draw,
    Duplicate,
    Entry,
    File,
    Found,
    Group,
    HistoryRun,
    Interchange,
    InterchangeKey,
    Output,
    PartnerAnswers,
    Past,
    Purged,
    State,
)

if TYPE_CHECKING:
    from edi_checker.state.ledger import Ledger

__all__ = [
    "MOST_SKIPPED",
    "NO_CLAIM",
    "AlreadyAnswered",
    "Answer",
    "Counts",
    "Details",
    "Draw",
    "Duplicate",
    "Entry",
    "Fenced",
    "File",
    "Found",
    "Group",
    "HistoryRun",
    "Interchange",
    "InterchangeKey",
    "Output",
    "Overtaken",
    "PartnerAnswers",
    "Past",
    "Purged",
    "Secret",
    "State",
    "StateError",
    "open_ledger",
]

_EXTRA = frozenset(("sqlalchemy", "alembic", "psycopg"))


def open_ledger(
    url: str,
    clock: Callable[[], float],
    *,
    make: bool = True,
    upgrade: bool = True,
    thorough: bool = False,
) -> Ledger:
    """The ledger at a path (SQLite) or a URL (`sqlite:///...`, `postgresql://...`).

    clock     seconds since the epoch (UTC), such as time.time
    make      make a ledger where there is none; otherwise that is refused
    upgrade   bring an older ledger up to this program's tables; otherwise it is refused
    thorough  read an SQLite file as a whole to see whether it is damaged: about a second a gigabyte
    Raises StateError for what cannot be opened, is no ledger, is damaged or newer than this program, or may
    lose what it said was written; and where the extra `watch` is not installed.
    """
    try:
        from edi_checker.state.ledger import Ledger
        from edi_checker.state.store import open_store
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise StateError(
            f"the ledger needs {error.name}, which is not installed: pip install 'edi-checker[watch]'"
        ) from None
    return Ledger(open_store(url, make=make, upgrade=upgrade, thorough=thorough), clock)
