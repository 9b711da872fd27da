"""What a ledger knows of what belongs to it, once for ever: its secret by its fingerprint, its archive."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, insert, select

from edi_checker.state.numbers import raise_number
from edi_checker.state.schema import about

Name = Literal["fingerprint", "archive"]


def find(connection: Connection, name: Name) -> str | None:
    """What is known under a name; None where nothing is yet."""
    return connection.execute(select(about.c.value).where(about.c.name == name)).scalar()


def adopt(connection: Connection, name: Name, value: str) -> str:
    """Know this from now on, where nothing is known; what is known."""
    raise_number(connection, "history", 0)  # one at a time
    known = find(connection, name)
    if known is None:
        connection.execute(insert(about).values(name=name, value=value))
    return known or value
