"""A part of the input with what was found in it and what becomes of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from edi_checker.claims.claim import BlockView, Part
from edi_checker.x12.finding import Finding

Outcome = Literal["accepted", "rejected", "not_checked"]


class Checked(NamedTuple):
    """One part of the input in document order, what is wrong with it, and what becomes of it.

    `outcome` says, with all that is known when the part has passed: of a Claim, whether it is accepted,
    counting findings on the levels above it; of a level or header, whether its own findings reject all below
    it; of a TransactionEnd, GroupEnd or InterchangeEnd, whether the whole is rejected (then every claim in it
    is, whatever was said of it before). `failed` is the reason why a part could not be checked (our fault),
    else "".
    """

    part: Part
    findings: tuple[Finding, ...]
    outcome: Outcome
    failed: str = ""

    def length(self) -> int:
        """Characters of the part that it holds."""
        return length_of(self.part)


def length_of(part: Part) -> int:
    """Characters of a part that it holds."""
    return len(part.block.text) if isinstance(part, BlockView) else 0
