"""What each rule found in one input costs: its claims, their charges, and what it alone rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from edi_checker.claims.checked import Checked, Outcome
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.x12.finding import SEVERITIES, Finding, Severity

_LONGEST_EXAMPLE = 300  # characters
# What a part closes when it begins: itself and all behind it.
_LEVELS = (Interchange, Group, Transaction, BillingProvider, Subscriber, Patient)
_OPENED = {TransactionEnd: Transaction, GroupEnd: Group, InterchangeEnd: Interchange}


class Stake(NamedTuple):
    """What one rule found with one severity, over one input or many.

    `claims` and `cents` are of the claims that are rejected and have such an error, in themselves or above;
    of a warning or info `claims` are those that have one, and no money is at stake. `alone` and `alone_cents`
    are of the claims that have no error of another rule: they would be accepted if this rule were a warning.
    `example` is the message of the first finding.
    """

    severity: Severity
    rule: str
    findings: int
    claims: int
    cents: int
    alone: int
    alone_cents: int
    example: str


def add_up(stakes: Iterable[Stake]) -> list[Stake]:
    """The stakes of several inputs by severity and rule: errors first, the most money on top."""
    sums: dict[tuple[Severity, str], Stake] = {}
    for stake in stakes:
        known = sums.get(stake[:2])
        sums[stake[:2]] = stake if known is None else _join(known, stake)
    return sorted(sums.values(), key=lambda s: (SEVERITIES.index(s.severity), -s.cents, -s.findings, s.rule))


def _join(one: Stake, other: Stake) -> Stake:
    return one._replace(
        findings=one.findings + other.findings,
        claims=one.claims + other.claims,
        cents=one.cents + other.cents,
        alone=one.alone + other.alone,
        alone_cents=one.alone_cents + other.alone_cents,
    )


@dataclass(slots=True)
class _Sum:
    claims: int = 0
    cents: int = 0

    def add(self, other: _Sum) -> None:
        self.claims += other.claims
        self.cents += other.cents


@dataclass(slots=True)
class _Scope:
    """The claims of a transaction, a group, an interchange or all: `by` those with an error of a rule,
    `alone` those with errors of this rule only, `free` those without any, `other` those rejected for no
    rule's error that is known here.
    """

    total: _Sum = field(default_factory=_Sum)
    free: _Sum = field(default_factory=_Sum)
    other: _Sum = field(default_factory=_Sum)
    by: dict[str, _Sum] = field(default_factory=dict)
    alone: dict[str, _Sum] = field(default_factory=dict)

    def count(self, claim: _Sum, rules: Collection[str], outcome: Outcome) -> None:
        self.total.add(claim)
        if outcome == "accepted":
            self.free.add(claim)
        elif outcome == "rejected" and not rules:
            self.other.add(claim)
        elif outcome == "rejected":
            for rule in rules:
                self.by.setdefault(rule, _Sum()).add(claim)
            if len(rules) == 1:
                self.alone.setdefault(next(iter(rules)), _Sum()).add(claim)

    def reject(self, rules: Collection[str]) -> None:
        """Every claim is rejected by errors of these rules, beside its own."""
        alone, free = self.alone, self.free
        self.alone, self.free = {}, _Sum()
        for rule in rules:
            self.by[rule] = _Sum(self.total.claims, self.total.cents)
        if len(rules) == 1:
            (rule,) = rules
            free.add(alone.get(rule, _Sum()))
            self.alone[rule] = free

    def forget(self) -> None:
        """Nothing is known of the claims."""
        self.free, self.other = _Sum(), _Sum()
        self.by.clear()
        self.alone.clear()

    def take(self, inner: _Scope) -> None:
        """Move everything from `inner` into this scope."""
        for mine, its in ((self.total, inner.total), (self.free, inner.free), (self.other, inner.other)):
            mine.add(its)
        for sums, more in ((self.by, inner.by), (self.alone, inner.alone)):
            for rule, its in more.items():
                sums.setdefault(rule, _Sum()).add(its)
        inner.forget()
        inner.total = _Sum()


class Stakes:
    """Takes the parts of one input as they are checked; gives the stakes at the end. Memory grows with the
    rules alone.
    """

    def __init__(self) -> None:
        self._findings: Counter[tuple[Severity, str]] = Counter()
        self._claims: Counter[tuple[Severity, str]] = Counter()
        self._examples: dict[tuple[Severity, str], str] = {}
        self._open: dict[type, frozenset[str]] = {}  # errors above the claim that reject it
        self._structural: set[str] = set()  # rules whose errors reject a transaction if isolation says so
        self._all = _Scope()
        self._scopes = {TransactionEnd: _Scope(), GroupEnd: _Scope(), InterchangeEnd: _Scope()}

    def add(self, checked: Checked) -> None:
        """Take one part, in document order."""
        part, findings, outcome, _ = checked
        errors = self._note(findings, within=isinstance(part, Claim)) if findings else frozenset()
        if isinstance(part, Claim):
            rules = errors.union(*self._open.values()) if self._open else errors
            claim = _Sum(1, part.charge or 0)
            self._scopes[TransactionEnd].count(claim, rules, outcome)
        elif isinstance(part, TransactionEnd | GroupEnd | InterchangeEnd):
            self._close(type(part), errors, outcome)
        else:
            self._begin(type(part), errors if outcome == "rejected" else frozenset())

    def end(self, *, failed: bool) -> tuple[Stake, ...]:
        """What is at stake; nothing where the input was not checked to its end (`failed`)."""
        for scope in self._scopes.values():
            self._all.take(scope)
        if failed:
            self._all.forget()
        stakes = []
        none = _Sum()
        for (severity, rule), findings in self._findings.items():
            by, alone = (none, none)
            if severity == "error":
                by, alone = self._all.by.get(rule, none), self._all.alone.get(rule, none)
            claims = by.claims if severity == "error" else self._claims[severity, rule]
            example = self._examples[severity, rule]
            stakes.append(
                Stake(severity, rule, findings, claims, by.cents, alone.claims, alone.cents, example)
            )
        return tuple(add_up(stakes))

    def _note(self, findings: tuple[Finding, ...], *, within: bool) -> frozenset[str]:
        """Count findings; the rules of the errors among them."""
        for finding in findings:
            key = finding.severity, finding.rule
            self._findings[key] += 1
            if key not in self._examples:
                self._examples[key] = finding.message[:_LONGEST_EXAMPLE]
            if finding.severity == "error" and finding.status.ack999:
                self._structural.add(finding.rule)
        if within:
            self._claims.update({(finding.severity, finding.rule) for finding in findings})
        return frozenset(finding.rule for finding in findings if finding.severity == "error")

    def _begin(self, kind: type, errors: frozenset[str]) -> None:
        self._drop(kind)
        if kind is Transaction:
            self._structural.clear()
        if errors:
            self._open[kind] = errors

    def _drop(self, kind: type) -> None:
        if self._open and kind in _LEVELS:
            for each in _LEVELS[_LEVELS.index(kind) :]:
                self._open.pop(each, None)

    def _close(self, kind: type, errors: frozenset[str], outcome: Outcome) -> None:
        order = list(self._scopes)
        at = order.index(kind)
        scope = self._scopes[kind]
        # What was left open within it ends with it.
        for inner in order[:at]:
            scope.take(self._scopes[inner])
        header = self._open.get(_OPENED[kind])
        if outcome == "rejected":
            if not errors and not header and kind is TransactionEnd:
                # Isolation by transaction: those without an error of their own wait for the others.
                errors = frozenset(self._structural)
                scope.free.add(scope.other)
                scope.other = _Sum()
            if errors or not header:
                scope.reject(errors)
        elif outcome == "not_checked":
            scope.forget()
        self._drop(_OPENED[kind])
        outer = self._all if at + 1 == len(order) else self._scopes[order[at + 1]]
        outer.take(scope)
