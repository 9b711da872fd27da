"""What earlier files billed: one sorted run a file, looked up by many keys at once."""

from __future__ import annotations

from sqlalchemy import Connection

from edi_checker.state.errors import StateError
from edi_checker.state.records import File, HistoryRun


def prepare(_said: HistoryRun) -> object:
    raise StateError("the history is not built yet")


def commit(connection: Connection, answered: File, said: HistoryRun, prepared: object, number: int) -> None:
    raise StateError("the history is not built yet")
