"""Opening the ledger for a command that looks or acts by hand: never made, never upgraded by the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from time import time as now
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import Refusal
from edi_checker.state import StateError, open_ledger

if TYPE_CHECKING:
    from edi_checker.state.ledger import Ledger


@contextlib.contextmanager
def opened(state: str, *, upgrade: bool = False) -> Iterator[Ledger]:
    """The ledger until the block ends; what goes wrong with it ends the command in one line."""
    try:
        with open_ledger(state, now, make=False, upgrade=upgrade) as ledger:
            yield ledger
    except StateError as error:
        raise Refusal(str(error)) from None
