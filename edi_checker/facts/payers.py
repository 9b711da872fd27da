"""What other payers decided (2320, 2430), added up, so that rules can say where it does not balance."""

from __future__ import annotations

from edi_checker.claim import Adjudication, Claim, OtherPayer, Run, ServiceLine, element
from edi_checker.facts.lines import Line
from edi_checker.facts.places import Spot
from edi_checker.facts.vocabulary import Fact, Value

# Where one of these cannot be read, nobody can say what balances.
_OF_BALANCE = frozenset(("AMT", "CAS", "CLM", "LX", "NM1", "SBR", "SV1", "SVD"))


def add_other_payers(
    facts: list[Fact], claim: Claim, lines: list[Line], first: int | None, profile: str
) -> None:
    """Add the facts of a claim's other payers.

    There are none where a segment that counts is damaged, and none where the claim's own charges do not
    balance: one wrong charge must not be found twice.
    """
    others = claim.other_payers
    if not others or any(not fault.element or fault.segment in _OF_BALANCE for fault in claim.faults):
        return
    charge = claim.charge
    charges = [line.service.charge for line in lines]
    if charge is None or None in charges or sum(filter(None, charges)) != charge:
        return
    ids = [other.payer.id for other in others]
    decided: dict[str, list[_Decision]] = {}
    for line in lines:
        decisions = _decisions(line.view)
        for decision in decisions:
            decided.setdefault(decision.payer, []).append(decision)
            facts.append(_adjudication(claim, line, decision, decision.payer in ids, profile))
    if not set(decided) <= set(ids) or len(set(ids)) < len(ids):
        # Who decided what cannot be told; of lines with a payer that is not named a rule speaks.
        return
    paid = [other.amount("D") for other in others]
    total = sum(filter(None, paid))
    for ordinal, other in enumerate(others, 1):
        of_lines = decided.get(other.payer.id, [])
        facts.append(_other_payer(claim, other, ordinal, charge, of_lines, len(lines), total, first, profile))


class _Decision:
    """All that one payer said of one line: its 2430 loops together. Amounts are None where unreadable."""

    __slots__ = ("adjustments", "bundled", "charge", "line", "paid", "payer", "run")

    def __init__(self, line: ServiceLine, payer: str, loops: list[Adjudication]) -> None:
        self.line = line
        self.payer = payer
        self.run: Run = loops[0]
        self.charge = line.charge
        self.paid = _sum([loop.paid for loop in loops])
        self.adjustments = _sum([amount for loop in loops for _, _, amount in loop.adjustments])
        self.bundled = any(element(loop.first("SVD"), 6) for loop in loops)

    @property
    def explained(self) -> int | None:
        return None if self.paid is None or self.adjustments is None else self.paid + self.adjustments

    @property
    def difference(self) -> int | None:
        explained = self.explained
        return None if explained is None or self.charge is None else self.charge - explained


def _decisions(line: ServiceLine) -> list[_Decision]:
    by_payer: dict[str, list[Adjudication]] = {}
    for loop in line.adjudications:
        by_payer.setdefault(loop.payer_id, []).append(loop)
    return [_Decision(line, payer, loops) for payer, loops in by_payer.items()]


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _adjudication(claim: Claim, line: Line, decision: _Decision, known: bool, profile: str) -> Fact:
    values: dict[str, Value] = {
        "date": line.first,
        "profile": profile,
        "line": line.view.ordinal,
        "known": known,
        "charge": decision.charge,
        "paid": decision.paid,
        "adjustments": decision.adjustments,
        "explained": decision.explained,
        "difference": decision.difference,
        "bundled": decision.bundled,
    }
    spot = Spot(claim.transaction, decision.run, "2430", claim.id, line.view.ordinal)
    return Fact("adjudication", values, {"": (spot,)})


def _other_payer(
    claim: Claim,
    other: OtherPayer,
    ordinal: int,
    charge: int,
    of_lines: list[_Decision],
    lines: int,
    total_paid: int,
    first: int | None,
    profile: str,
) -> Fact:
    paid = other.amount("D")
    adjustments = _sum([amount for _, _, amount in other.adjustments])
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
    return Fact("other_payer", values, {"": (Spot(claim.transaction, other, "2320", claim.id),)})
