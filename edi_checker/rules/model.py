"""What a rule says, checked and typed: the one model from which every form of a rule is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from edi_checker.facts import FieldType

# Operators after reading: `before` and `after` of dates have become `less_than` and `more_than`.
#
#   equal not one_of none_of                    text, int, quantity, money, date (bool: equal, not)
#   at_least at_most more_than less_than        int, quantity, money, date; on codes: the number of entries
#   has has_any has_all has_none                codes
#   present absent                              text, int, quantity, money, date; codes: any entry, no entry
#
# An absent value (None, "" for text) makes every operator but `absent` false, on either side of a comparison.
# A bool is never absent, and neither are codes: an empty tuple has no entry and a count of 0.
Operator = Literal[
    "equal",
    "not",
    "one_of",
    "none_of",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "has",
    "has_any",
    "has_all",
    "has_none",
    "present",
    "absent",
]

Constant = str | int | bool | tuple[str, ...] | tuple[int, ...]
RuleSeverity = Literal["error", "warning", "info", "off"]
# Beside the profiles in a severity: that of a rule which is off until a profile or `--select` asks for it.
ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of a matched fact, `$line.date`; `address` says of which element it is, if it is of one."""

    alias: str
    field: str
    type: FieldType
    address: str = ""


class Term(NamedTuple):
    """One condition on one field; `value` is True for `present` and `absent`.

    Constants stand in the units of the field's type (cents, thousandths, CCYYMMDD). A reference to another
    alias always points to one that is earlier in the match.
    """

    field: Reference
    operator: Operator
    value: Constant | Reference

    @property
    def other(self) -> Reference | None:
        """The reference to another alias, None if the term is about one fact only."""
        value = self.value
        return value if isinstance(value, Reference) and value.alias != self.field.alias else None


class Pattern(NamedTuple):
    """One fact of a match: its kind, and the terms on it, those about it alone first."""

    alias: str
    kind: str
    terms: tuple[Term, ...]


class InForce(NamedTuple):
    """First and last day in force, CCYYMMDD, None if open; compared with the service or received date."""

    first: int | None = None
    last: int | None = None
    by: Literal["service", "received"] = "service"

    def holds(self, on: int) -> bool:
        return (self.first is None or on >= self.first) and (self.last is None or on <= self.last)


class Where(NamedTuple):
    """What a finding points at: one of the things a fact stands on (`key`, "" for itself), and where there.

    `segment` is "" where the fact is a fault, which knows its place.
    """

    alias: str
    key: str
    segment: str = ""
    element: str | None = None
    qualifier: str = ""


Text = tuple[str | Reference, ...]


class StatusForm(NamedTuple):
    """The statuses as written; a reference is for codes that the fact carries."""

    ack999: tuple[str, ...] | Reference = ()
    ack277ca: tuple[str, ...] | Reference = ()
    ta1: str | Reference | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One condition and what is said about it. A finding: every pattern matches, not all of require holds."""

    severity: dict[str, RuleSeverity]
    in_force: InForce
    match: tuple[Pattern, ...]
    require: tuple[Term, ...]
    at: Where
    related: tuple[Where, ...]
    message: Text
    fix: Text
    status: StatusForm
    line: int = field(default=0, compare=False)  # of the match in its file

    def references(self) -> Iterator[Reference]:
        """The fields that the case names, in its conditions and in what it says."""
        for term in (*(term for pattern in self.match for term in pattern.terms), *self.require):
            yield term.field
            if isinstance(term.value, Reference):
                yield term.value
        status = self.status
        for said in (*self.message, *self.fix, status.ack999, status.ack277ca, status.ta1):
            if isinstance(said, Reference):
                yield said


class Source(NamedTuple):
    """A source and the day (CCYYMMDD) on which it was seen to say so."""

    cite: str
    seen: int
    note: str = ""


# An example is what its notation says: texts in lists and mappings, read by whoever runs it.
Notation = str | list["Notation"] | dict[str, "Notation"]


class Examples(NamedTuple):
    """Examples that must pass, and that must give the rule's finding: mappings of texts, lists, mappings."""

    passing: tuple[dict[str, Notation], ...] = ()
    failing: tuple[dict[str, Notation], ...] = ()


Safety = Literal["safe", "unsafe"]
SAFETIES: tuple[Safety, ...] = ("safe", "unsafe")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file. `title` says what is so if all is well, `fault` what is wrong if it is not.

    `profiles` is empty if the rule is for all; `binds` names, by profile or `default`, what binds the payers;
    `fixable` says how sure `edi-checker fix` is of its repairs, empty without any.
    """

    id: str
    path: str
    title: str
    fault: str
    why: str
    snip: int
    profiles: tuple[str, ...]
    binds: dict[str, str]
    cases: tuple[Case, ...]
    documentation: tuple[str, ...]
    sources: tuple[Source, ...]
    examples: Examples
    lines: dict[str, int] = field(default_factory=dict, compare=False)  # of each key in its file
    fixable: tuple[Safety, ...] = ()

    def asked(self) -> Rule:
        """The rule as it is for who asks for it by name."""
        if not any(ASKED in case.severity for case in self.cases):
            return self
        cases = [
            replace(case, severity={"default": case.severity.get(ASKED, case.severity["default"])})
            for case in self.cases
        ]
        return replace(self, cases=tuple(cases))


class RuleFault(NamedTuple):
    """What is wrong in a rule file; `line` is 0 for the file as a whole."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}" if self.line else f"{self.path}: {self.reason}"


class RuleError(Exception):
    """Rule files that cannot be used; `faults` holds everything found wrong in all of them."""

    def __init__(self, faults: list[RuleFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
