"""What other payers decided (2320, 2430), added up, so that rules can report what does not balance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edi_checker.claims.claim import Claim, OtherPayer, Segment, SegmentRun, adjustments_in, element
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.places import LoopLocation
from edi_checker.facts.triggers import PAYER_ORDER
from edi_checker.facts.whole_claim import Line, WholeClaim
from edi_checker.x12.finding import Place
from edi_checker.x12.money import cents, quantity

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
    on_lines: list[tuple[Line, Decision]] = []
    for line in lines:
        for decision in decisions_on(line.charge, line.segments) if whole.is_decided(line) else ():
            # Two policies of one carrier have one id: each of them decides on the whole charge.
            decision.policies = max(1, ids.count(decision.payer))
            decided.setdefault(decision.payer, []).append(decision)
            on_lines.append((line, decision))
    completed = {
        other.payer.id
        for other in others
        if other.adjustments and _unexplained(charge, decided.get(other.payer.id, []), other) == 0
    }
    facts += [
        _adjudication(claim, line, decision, ids, decision.payer in completed, profile)
        for line, decision in on_lines
    ]
    if not set(decided) <= set(ids) or len(set(ids)) < len(ids):
        # Who decided what cannot be told; of lines with a payer that is not named a rule speaks.
        return
    paid = [other.amount("D") or 0 for other in others]
    # What one payer paid above the charge its own adjustments explain, or its own balance tells.
    total = sum(paid) if max(paid) <= charge else None
    for ordinal, other in enumerate(others, 1):
        of_lines = decided.get(other.payer.id, [])
        facts.append(_other_payer(whole, other, ordinal, charge, of_lines, total))


class Decision:
    """All that one payer said of one line: its 2430 loops together. Amounts are None where unreadable.

    begin      the segment of the line at which the first of them begins
    policies   how many of the claim's other payers have its id
    units      the fewest of SVD05, thousandths; None where none can be read
    dated      whether the day of the decision is given; `liable` whether the patient's liability is
    """

    __slots__ = (
        *("adjustments", "begin", "bundled", "charge", "dated", "liable", "paid", "payer", "policies"),
        "units",
    )

    def __init__(self, charge: int | None, payer: str, begin: int) -> None:
        self.charge = charge
        self.payer = payer
        self.begin = begin
        self.paid: int | None = 0
        self.adjustments: int | None = 0
        self.bundled = False
        self.policies = 1
        self.units: int | None = None
        self.dated = self.liable = False

    @property
    def explained(self) -> int | None:
        return None if self.paid is None or self.adjustments is None else self.paid + self.adjustments

    @property
    def difference(self) -> int | None:
        explained, charge = self.explained, self.charge
        if explained is None or charge is None:
            return None
        if any(explained == count * charge for count in range(2, self.policies + 1)):
            return 0
        return charge - explained


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
            counted = quantity(element(segment, 5))
            if counted is not None:
                units = int(counted * 1000)
                current.units = units if current.units is None else min(units, current.units)
        elif segment[0] == "CAS" and current is not None:
            current.adjustments = _sum([current.adjustments, *adjustments_in(segment)])
        elif segment[0] == "DTP" and current is not None:
            current.dated = True
        elif segment[0] == "AMT" and current is not None:
            current.liable = True
        elif segment[0] in ("NM1", "LIN", "LQ"):
            current = None
    return list(by_payer.values())


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _unexplained(charge: int, of_lines: list[Decision], other: OtherPayer) -> int | None:
    """What of the charge neither payments nor adjustments of lines and claim explain; None without lines."""
    explained = _sum([*[decision.explained for decision in of_lines], *other.adjustments])
    return charge - explained if of_lines and explained is not None else None


def _is_before(place: str, other: str) -> bool:
    """Whether a place in the order of payers (SBR01) is before another; U is none."""
    return (
        place in PAYER_ORDER and other in PAYER_ORDER and PAYER_ORDER.index(place) < PAYER_ORDER.index(other)
    )


def _adjudication(
    claim: Claim, line: Line, decision: Decision, ids: list[str], completed: bool, profile: str
) -> Fact:
    values: dict[str, Value] = {
        "date": line.first,
        "profile": profile,
        "line": line.ordinal,
        "known": decision.payer in ids,
        "charge": decision.charge,
        "paid": decision.paid,
        "adjustments": decision.adjustments,
        "explained": decision.explained,
        "difference": decision.difference,
        "bundled": decision.bundled,
        "completed": completed,
        "units": decision.units,
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
    whole: WholeClaim,
    other: OtherPayer,
    ordinal: int,
    charge: int,
    of_lines: list[Decision],
    total_paid: int | None,
) -> Fact:
    claim, place = whole.claim, element(other.segments[0], 1)
    paid = other.amount("D")
    adjustments = _sum(other.adjustments)
    line_payments = _sum([decision.paid for decision in of_lines]) if of_lines else None
    line_difference = _sum([decision.difference for decision in of_lines])
    before = line_payments if of_lines else charge
    expected = None if before is None or adjustments is None else before - adjustments
    unexplained = _unexplained(charge, of_lines, other)
    if paid == line_payments and (unexplained == 0 or line_difference):
        # Adjustments of the claim that complete those of its lines take nothing from what was paid. Where
        # they do not, the lines say so.
        expected = paid
    values: dict[str, Value] = {
        "date": whole.first,
        "profile": whole.profile.name,
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
        "complete": len(of_lines) in (0, len(whole.lines)),
        "dated": other.first("DTP", "573") is not None or bool(of_lines),
        "dated_twice": other.first("DTP", "573") is not None and any(each.dated for each in of_lines),
        "unexplained": unexplained,
        "decided": bool(of_lines or other.adjustments)
        or any(other.first("AMT", qualifier) is not None for qualifier in ("D", "A8", "EAF")),
        "prior": _is_before(place, whole.around.above.order),
        "responsibility": place,
        "insurance_type": element(other.segments[0], 5),
        "filing_indicator": element(other.segments[0], 9),
        "left": None if paid is None else charge - paid,
        "liability": other.amount("EAF"),
        "liability_twice": other.first("AMT", "EAF") is not None and any(each.liable for each in of_lines),
        "non_covered": other.amount("A8"),
        "total_paid": total_paid,
    }
    own = LoopLocation(claim.transaction, other, "2320", claim.id)
    named = LoopLocation(claim.transaction, other.payer.run, "2330B", claim.id)
    return Fact("other_payer", values, {"": (own,), "named": (named,)})
