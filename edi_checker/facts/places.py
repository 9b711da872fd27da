"""Where facts are: things that make a place when a finding needs one."""

from __future__ import annotations

from typing import NamedTuple

from edi_checker.claims.claim import Claim, Group, Interchange, SegmentRun, Transaction, place_in
from edi_checker.x12.finding import Place


class FixedLocation(NamedTuple):
    """A place that is known to the element already, whatever the rule asks for."""

    where: Place

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        return self.where


class LoopLocation(NamedTuple):
    """A loop within a transaction, whose segments are found by name."""

    transaction: Transaction
    run: SegmentRun
    loop: str
    claim: str | None = None
    line: int | None = None

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        segment = self.run.first(name, qualifier) if qualifier else self.run.first(name)
        position = self.run.position_of(segment)
        return place_in(self.transaction, self.loop, name, position, at, claim=self.claim, line=self.line)


class Header(NamedTuple):
    """ISA or GS and their trailers: outside of any transaction."""

    interchange: Interchange
    group: Group | None
    loop: str

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        group = self.group.control_number if self.group is not None else None
        return Place(self.interchange.control_number, group, None, None, None, self.loop, name, 0, at)


class Diagnosis(NamedTuple):
    """A composite of an HI segment: `at` HI01-2 stands for the same component of this composite."""

    claim: Claim
    position: int
    number: int

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        if at is not None:
            _, _, part = at.partition("-")
            at = f"HI{self.number:02}-{part}" if part else f"HI{self.number:02}"
        return self.claim.place("HI", at, position=self.position)
