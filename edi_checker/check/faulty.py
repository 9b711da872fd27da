"""The findings on claims of which nothing but the faults can be judged, remembered by those faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from edi_checker.claims.claim import Claim
from edi_checker.claims.profile import Profile
from edi_checker.rules import Rule
from edi_checker.x12.blocks import Fault
from edi_checker.x12.finding import Finding, Place

_MOST = 2_000  # sets of faults that are remembered
_LONGEST = 50  # faults of one claim
_POSITION = "position"

# Profile, day of receipt, and the faults and lines by their distance from the begin of the claim.
Key: TypeAlias = tuple[Profile, int, tuple[Fault, ...], tuple[int, ...]]


class FaultyClaims:
    """What was found of such claims. Not used with rules that look at the position of a fault."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._usable = not any(_looks_at_positions(rule) for rule in rules)
        self._known: dict[Key, tuple[int, tuple[Finding, ...]]] = {}

    def key_of(self, claim: Claim, profile: Profile, received: int) -> Key | None:
        """By what the findings of a claim are remembered, None where they are not."""
        faults, begin = claim.faults, claim.position
        if not self._usable or len(faults) > _LONGEST or any(fault.position < begin for fault in faults):
            return None
        shifted = tuple([replace(fault, position=fault.position - begin) for fault in faults])
        return profile, received, shifted, tuple([line.position - begin for line in claim.lines])

    def recall(self, key: Key, claim: Claim) -> tuple[Finding, ...] | None:
        """The findings on a claim with this key, None where there was none before."""
        known = self._known.get(key)
        if known is None:
            return None
        begin, findings = known
        return tuple([_move(finding, claim, claim.position - begin) for finding in findings])

    def note(self, key: Key, claim: Claim, findings: tuple[Finding, ...]) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = claim.position, findings


def _looks_at_positions(rule: Rule) -> bool:
    return any(
        reference.field == _POSITION
        for case in rule.cases
        if any(pattern.kind == "fault" for pattern in case.match)
        for reference in case.references()
    )


def _move(finding: Finding, claim: Claim, by: int) -> Finding:
    related = finding.related
    return finding._replace(
        where=_place(finding.where, claim, by),
        related=tuple([_place(place, claim, by) for place in related]) if related else related,
    )


def _place(place: Place, claim: Claim, by: int) -> Place:
    interchange, group, number = claim.transaction.numbers
    _, _, _, _, line, loop, segment, position, at, _ = place
    return Place(interchange, group or None, number, claim.id, line, loop, segment, position + by, at)
