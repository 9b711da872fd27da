"""Files for a work list: answers of payers, the claims that they answer, and what a ledger knows of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from edi_checker.acks.answered import SentNumbers, TooMuch, WorkList
from edi_checker.acks.explain import explain
from edi_checker.acks.sent import read_sent
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.guide.table import load
from edi_checker.x12.blocks import NotClaims, NotX12

if TYPE_CHECKING:
    from edi_checker.state import Details

__all__ = ["CannotTake", "Role", "WorkList", "take_answers", "take_claims", "wants"]

Role = Literal["answer", "claims"]


class CannotTake(Exception):
    """An input cannot be read, or not as what it was taken for; `other_kind` if it is X12 of another kind."""

    def __init__(self, reason: str, *, other_kind: bool = False) -> None:
        super().__init__(reason)
        self.other_kind = other_kind


def take_answers(work: WorkList, source: Input) -> None:
    """Take a file with acknowledgements. Raises CannotTake."""
    _take(source, lambda stream: work.take_answers(source.path, explain(stream, load())))


def take_claims(work: WorkList, source: Input, *, only_answered: bool = False) -> None:
    """Take a file of claims, with `only_answered` if an answer belongs to it. Raises CannotTake."""
    _take(
        source,
        lambda stream: work.take_claims(source.path, read_sent(stream), only_answered=only_answered),
    )


def _take(source: Input, take: Callable[[BinaryIO], None]) -> None:
    try:
        with source.open() as reading:
            take(cast(BinaryIO, reading))
    except (Unreadable, NotX12, TooMuch) as error:
        raise CannotTake(str(error), other_kind=isinstance(error, NotClaims)) from None


def wants(work: WorkList, details: Details) -> bool:
    """Whether an answer may belong to a file of the ledger, by the numbers of its envelopes."""
    return work.wants(
        [
            SentNumbers(
                one.key.sender,
                one.key.receiver,
                one.key.control,
                frozenset(group.control for group in one.groups),
            )
            for one in details.interchanges
        ]
    )
