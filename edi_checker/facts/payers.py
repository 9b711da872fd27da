"""What other payers decided (2320, 2430), added up, so that rules can report what does not balance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edi_checker.claims.claim import Claim, OtherPayer, Segment, SegmentRun, adjustments_in, element
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.places import LoopLocation
from edi_checker.facts.whole_claim import Line, WholeClaim
from edi_checker.finding import Place
from edi_checker.x12.money import cents

# Where one of these cannot be read, nobody can say what balances.
_OF_BALANCE = frozenset(("AMT", "CAS", "CLM", "LX", "NM1", "SBR", "SV1", "SVD"))


def add_other_payers(facts: list[Fact], whole: WholeClaim) -> None:
    """Add the facts of a claim's other payers.

    There are none where a segment that counts is damaged, and none where the claim's own charges do not
    balance: one wrong charge must not be found twice.
    """
    claim, lines, profile = whole.claim, whole.lines, whole.profile.name
    others = claim.other_payers
    if not others or any(not fault.element or fault.segment in _OF_BALANCE for fault in claim.faults):
        return
    charge = claim.charge
    charges = [line.charge for line in lines]
    if charge is None or None in charges or sum(filter(None, charges)) != charge:
        return
    ids = [other.payer.id for other in others]
    decided: dict[str, list[Decision]] = {}
    for line in lines:
        for decision in decisions_on(line.charge, line.segments):
            decided.setdefault(decision.payer, []).append(decision)
            facts.append(_adjudication(claim, line, decision, decision.payer in ids, profile))
    if not set(decided) <= set(ids) or len(set(ids)) < len(ids):
        # Who decided what cannot be told; of lines with a payer that is not named a rule speaks.
        return
    paid = [other.amount("D") for other in others]
    total = sum(filter(None, paid))
    for ordinal, other in enumerate(others, 1):
        of_lines = decided.get(other.payer.id, [])
        facts.append(
            _other_payer(claim, other, ordinal, charge, of_lines, len(lines), total, whole.first, profile)
        )


class Decision:
    """All that one payer said of one line: its 2430 loops together. Amounts are None where unreadable.

    `begin` is the segment of the line at which the first of them begins.
    """

    __slots__ = ("adjustments", "begin", "bundled", "charge", "paid", "payer")

    def __init__(self, charge: int | None, payer: str, begin: int) -> None:
        self.charge = charge
        self.payer = payer
        self.begin = begin
        self.paid: int | None = 0
        self.adjustments: int | None = 0
        self.bundled = False

    @property
    def explained(self) -> int | None:
        return None if self.paid is None or self.adjustments is None else self.paid + self.adjustments

    @property
    def difference(self) -> int | None:
        explained = self.explained
        return None if explained is None or self.charge is None else self.charge - explained


def decisions_on(charge: int | None, segments: Iterable[Segment]) -> list[Decision]:
    """What each other payer decided on a line of this charge."""
    by_payer: dict[str, Decision] = {}
    current: Decision | None = None
    for number, segment in enumerate(segments):
        if segment[0] == "SVD":
            payer = element(segment, 1)
            current = by_payer.setdefault(payer, Decision(charge, payer, number))
            current.paid = _sum([current.paid, cents(element(segment, 2))])
            current.bundled = current.bundled or bool(element(segment, 6))
        elif segment[0] == "CAS" and current is not None:
            current.adjustments = _sum([current.adjustments, *adjustments_in(segment)])
        elif segment[0] in ("NM1", "LIN", "LQ"):
            current = None
    return list(by_payer.values())


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _adjudication(claim: Claim, line: Line, decision: Decision, known: bool, profile: str) -> Fact:
    values: dict[str, Value] = {
        "date": line.first,
        "profile": profile,
        "line": line.ordinal,
        "known": known,
        "charge": decision.charge,
        "paid": decision.paid,
        "adjustments": decision.adjustments,
        "explained": decision.explained,
        "difference": decision.difference,
        "bundled": decision.bundled,
    }
    return Fact("adjudication", values, {"": (_Loop2430(claim, line, decision.begin),)})


class _Loop2430(NamedTuple):
    """The loop of a line in which another payer's decision stands, cut out when a finding asks for it."""

    claim: Claim
    line: Line
    begin: int

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        run = SegmentRun(
            self.line.segments[self.begin :], self.line.position + self.begin, self.claim.component
        )
        spot = LoopLocation(self.claim.transaction, run, "2430", self.claim.id, self.line.ordinal)
        return spot.place(name, at, qualifier=qualifier)


def _other_payer(
    claim: Claim,
    other: OtherPayer,
    ordinal: int,
    charge: int,
    of_lines: list[Decision],
    lines: int,
    total_paid: int,
    first: int | None,
    profile: str,
) -> Fact:
    paid = other.amount("D")
    adjustments = _sum(other.adjustments)
    line_payments = _sum([decision.paid for decision in of_lines]) if of_lines else None
    line_difference = _sum([decision.difference for decision in of_lines])
    before = line_payments if of_lines else charge
    expected = None if before is None or adjustments is None else before - adjustments
    values: dict[str, Value] = {
        "date": first,
        "profile": profile,
        "ordinal": ordinal,
        "charge": charge,
        "paid": paid,
        "line_payments": line_payments,
        "adjustments": adjustments,
        "adjusted": bool(other.adjustments),
        "expected": expected,
        "difference": None if paid is None or expected is None else paid - expected,
        "line_difference": line_difference,
        "lines": len(of_lines),
        "complete": len(of_lines) in (0, lines),
        "dated": other.first("DTP", "573") is not None or bool(of_lines),
        "left": None if paid is None else charge - paid,
        "liability": other.amount("EAF"),
        "non_covered": other.amount("A8"),
        "total_paid": total_paid,
    }
    return Fact("other_payer", values, {"": (LoopLocation(claim.transaction, other, "2320", claim.id),)})
