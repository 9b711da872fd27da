"""A rule's conditions as plain Python: complete and slow, the reference for the other two forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edi_checker.facts import Fact, Value
from edi_checker.rules.model import Case, Reference, Term

# Facts tried for one case on one part of the input; a claim of 50 lines stays below some thousand.
MAX_STEPS = 500_000

Binding = tuple[int, ...]
"""The ordinals (in the list of facts) of the facts that one match binds, in the order of its aliases."""


class TooMuch(Exception):
    """One part of the input binds more facts than can be tried in reasonable time; it cannot be checked."""


def bindings(case: Case, facts: Sequence[Fact], received: int) -> Iterator[Binding]:
    """Every way in which facts match a case and do not hold what it requires, each once, in ascending order.

    `received` (CCYYMMDD) is the date of receipt. Raises TooMuch after MAX_STEPS.
    """
    candidates = []
    for place, pattern in enumerate(case.match):
        alone = [term for term in pattern.terms if term.other is None]
        here = [
            ordinal
            for ordinal, fact in enumerate(facts)
            if fact.kind == pattern.kind
            and all(_holds(term, {pattern.alias: fact}) for term in alone)
            and (place > 0 or _in_force(case, fact, received))
        ]
        if not here:
            return
        candidates.append(here)
    yield from _Search(case, facts, candidates).extend({}, ())


def _in_force(case: Case, fact: Fact, received: int) -> bool:
    """Whether the case is in force where this is the first fact; without a date it goes by receipt."""
    on = fact.values.get("date") if case.in_force.by == "service" else received
    return case.in_force.holds(on if isinstance(on, int) else received)


class _Search:
    """One case tried on the facts of one part; `candidates` are those that each pattern allows by itself."""

    def __init__(self, case: Case, facts: Sequence[Fact], candidates: list[list[int]]) -> None:
        self._case = case
        self._facts = facts
        self._steps = 0
        self._joined = [[term for term in pattern.terms if term.other] for pattern in case.match]
        self._candidates = candidates
        self._by_value = [
            self._group(here, joined) for here, joined in zip(candidates, self._joined, strict=True)
        ]

    def extend(self, bound: dict[str, Fact], ordinals: Binding) -> Iterator[Binding]:
        """The ways to bind the patterns that are still open."""
        place = len(ordinals)
        alias = self._case.match[place].alias
        for ordinal in self._to_try(place, bound):
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise TooMuch
            if ordinal in ordinals:
                continue
            trial = {**bound, alias: self._facts[ordinal]}
            if not all(_holds(term, trial) for term in self._joined[place]):
                continue
            if place + 1 < len(self._case.match):
                yield from self.extend(trial, (*ordinals, ordinal))
            elif not self._case.require or not all(_holds(term, trial) for term in self._case.require):
                yield (*ordinals, ordinal)

    def _group(self, here: list[int], joined: list[Term]) -> tuple[Reference, dict[Value, list[int]]] | None:
        """The candidates of one place by the value that an equality asks of them, where there is one."""
        for term in joined:
            if term.operator == "equal" and isinstance(term.value, Reference):
                by_value: dict[Value, list[int]] = {}
                for ordinal in here:
                    value = self._facts[ordinal].values[term.field.field]
                    by_value.setdefault(value, []).append(ordinal)
                return term.value, by_value
        return None

    def _to_try(self, place: int, bound: dict[str, Fact]) -> Sequence[int]:
        grouped = self._by_value[place]
        if grouped is None:
            return self._candidates[place]
        other, by_value = grouped
        return by_value.get(bound[other.alias].values[other.field], ())


def _holds(term: Term, bound: dict[str, Fact]) -> bool:
    left = bound[term.field.alias].values[term.field.field]
    value = term.value
    right = bound[value.alias].values[value.field] if isinstance(value, Reference) else value
    return holds(term, left, right)


def holds(term: Term, left: Value, right: object) -> bool:
    """Whether one term holds of a value; `right` is the constant, or the value of the field referred to."""
    operator = term.operator
    if operator == "present":
        return _is_present(left)
    if operator == "absent":
        return not _is_present(left)
    if term.field.type == "codes":
        assert isinstance(left, tuple)
        return _holds_of_codes(operator, left, right)
    if not _is_present(left) or (isinstance(term.value, Reference) and not _is_present(right)):
        return False
    return _COMPARE[operator](left, right)


def _is_present(value: object) -> bool:
    return value not in (None, "", ())


def _holds_of_codes(operator: str, codes: tuple[str, ...], right: object) -> bool:
    if operator == "has":
        return right != "" and right in codes
    if isinstance(right, tuple):
        wanted = set(right)
        if operator == "has_all":
            return wanted <= set(codes)
        return bool(wanted & set(codes)) == (operator == "has_any")
    return right is not None and _COMPARE[operator](len(codes), right)


_COMPARE: dict[str, Callable[..., bool]] = {
    "equal": lambda left, right: left == right,
    "not": lambda left, right: left != right,
    "one_of": lambda left, right: left in right,
    "none_of": lambda left, right: left not in right,
    "at_least": lambda left, right: left >= right,
    "at_most": lambda left, right: left <= right,
    "more_than": lambda left, right: left > right,
    "less_than": lambda left, right: left < right,
}
