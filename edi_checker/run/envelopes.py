"""What a ledger keeps of the envelopes of an input, and what those are answered with that it met before."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO, cast

from edi_checker import state
from edi_checker.acks import Draw, Wanted, reject_interchanges
from edi_checker.check.checker import Checker
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Group, GroupEnd, Interchange, InterchangeEnd, TransactionEnd
from edi_checker.claims.reader import read_parts
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.files.names import escape
from edi_checker.x12.blocks import NotX12, read_blocks
from edi_checker.x12.dates import from_date

__all__ = ["Envelopes", "Wanted", "interchanges_in", "reject_repeats"]

_DUPLICATE = "025"  # TA105


class Envelopes:
    """What the ledger keeps of the interchanges of a file."""

    def __init__(self) -> None:
        self.found: list[state.Interchange] = []
        self._groups: list[state.Group] = []
        self._sets = [0, 0]  # of the open group: all, and those that are accepted

    def add(self, checked: Checked) -> None:
        part, outcome = checked.part, checked.outcome
        match part:
            case Interchange():
                self._groups = []
            case Group():
                self._sets = [0, 0]
            case TransactionEnd():
                self._sets[0] += 1
                self._sets[1] += outcome == "accepted"
            case GroupEnd():
                group = part.group
                sender, receiver, control = (_short(group.value(at)) for at in (2, 3, 6))
                self._groups.append(
                    state.Group(sender, receiver, control, self._sets[0], self._sets[1], outcome)
                )
            case InterchangeEnd():
                key = state.InterchangeKey(*(_short(part.interchange.value(at)) for at in (5, 6, 7, 8, 13)))
                self.found.append(state.Interchange(key, outcome, tuple(self._groups)))
            case _:
                pass


def _short(value: str) -> str:
    """A value of an envelope as the ledger can keep it."""
    return escape(value.strip())[:40]


def interchanges_in(source: Input, checker: Checker) -> list[Interchange]:
    """The interchanges of an input; none where it cannot be read to its end."""
    with contextlib.suppress(Unreadable, NotX12), source.open() as reading:
        parts = read_parts(read_blocks(cast(BinaryIO, reading)), checker.guide)
        return [part for part in parts if isinstance(part, Interchange)]
    return []


def reject_repeats(interchanges: Sequence[Interchange], seen: datetime, draw: Draw, out: BinaryIO) -> None:
    """Write the TA1 that says of each that it was received before; `seen` is when it came this time."""
    reject_interchanges(interchanges, _DUPLICATE, (from_date(seen), f"{seen:%H%M}"), draw, out)
