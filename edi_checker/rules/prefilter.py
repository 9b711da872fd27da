"""A rule's conditions as generated Python that lets only those facts through on which a rule can fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from edi_checker.facts import Fact, Value
from edi_checker.rules.model import Case, InForce, Reference, Term

_MAX_INDENT = 40  # Python reads 100 at most

_COMPARE = {
    "equal": "==",
    "not": "!=",
    "at_least": ">=",
    "at_most": "<=",
    "more_than": ">",
    "less_than": "<",
}


class Candidates(NamedTuple):
    """The cases that may fire, and the ordinals of the facts that take part; both ascending."""

    cases: list[int]
    facts: list[int]


NOTHING = Candidates([], [])


class _Link(NamedTuple):
    """Two places of a match that equalities join, and the fields that must be equal."""

    earlier: int
    later: int
    earlier_fields: tuple[str, ...]
    later_fields: tuple[str, ...]


class _Asked(NamedTuple):
    """A term as Python, and the fields that it looks at; `constant` where it compares one with nothing that a
    claim says: with what the rule says, or with the day of receipt.
    """

    text: str
    fields: frozenset[str]
    constant: bool = False


class Question(NamedTuple):
    """What the rules still ask of a fact of which some values are known.

    bits    the tests that the known values leave open
    fields  whose values `holds` looks at
    holds   from the values of these fields and the day of receipt the tests that hold, 0 for none of them
    """

    bits: int
    fields: frozenset[str]
    holds: Callable[[Mapping[str, Any], int], int]


class Answer(NamedTuple):
    """The tests that hold on a fact of which some values are known, whatever the others are; what is still
    asked of it, None where nothing is.
    """

    bits: int
    question: Question | None


NO_ANSWER = Answer(0, None)
_ANY_DAY = 20000101


class _Test(NamedTuple):
    """What is asked of one fact: terms that must all hold, those on dates apart, and the bit that says so.

    What the terms take for granted, that both sides of a comparison are there, stands in `sides` again: one
    side may be known before the other.
    """

    bit: int
    terms: list[_Asked]
    in_force: list[_Asked]
    sides: list[_Asked]


class _Patterned(NamedTuple):
    """A pattern of a case, by its place in the match, and the bit of its test."""

    bit: int
    case: Case
    place: int


class _Join(NamedTuple):
    """A case with several patterns: the bit of each, and the equalities between them."""

    case: int
    bits: tuple[int, ...]
    links: tuple[_Link, ...]


class _Constants:
    """The constants of rules, by the names that stand for them in compiled tests, which share `values`."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._names: dict[object, str] = {}

    def name(self, value: object) -> str:
        held = frozenset(value) if isinstance(value, tuple) else value
        found = self._names.get(held)
        if found is None:
            found = self._names[held] = f"C{len(self._names)}"
            self.values[found] = held
        return found


class Prefilter:
    """A filter for some cases of a rulebook. It may let too much through, never too little.

    A case of one pattern it decides outright; of several patterns it looks at constants and equalities.
    """

    def __init__(self, cases: Sequence[tuple[int, Case]]) -> None:
        self._single: dict[int, int] = {}  # bit -> case
        self._joins: list[_Join] = []
        self.joined_bits = 0
        self._patterns: dict[str, list[_Patterned]] = {}  # by the kind of their facts
        bit = 1
        for number, case in cases:
            bits = []
            for place, pattern in enumerate(case.match):
                self._patterns.setdefault(pattern.kind, []).append(_Patterned(bit, case, place))
                bits.append(bit)
                bit <<= 1
            if len(bits) == 1:
                self._single[bits[0]] = number
            else:
                self._joins.append(_Join(number, tuple(bits), tuple(_links(case))))
                self.joined_bits |= sum(bits)
        # What is asked of a kind of fact is put into words when the first comes: most inputs have few kinds.
        self._tests: dict[str, list[_Test]] = {}
        self._holding: dict[str, _Holds] = {}
        self._constants = _Constants()
        self._cases = dict(cases)
        self._possible: dict[tuple[str, _Told], _Holds] = {}
        self._answers: dict[tuple[str, _Told, int], Answer] = {}
        self.kinds = frozenset(self._patterns)
        # Joins of mue_days of one day are decided day by day; `others` by the whole claim.
        self.day_joins = [join for join in self._joins if _is_of_a_day(self._cases[join.case])]
        self._others = [join for join in self._joins if join not in self.day_joins]
        # Facts of these kinds stand on several pieces: whether there are any is not known of one piece.
        self._assumed = sum(each.bit for kind in _ON_SEVERAL for each in self._patterns.get(kind, ()))

    def _tests_of(self, kind: str) -> list[_Test]:
        tests = self._tests.get(kind)
        if tests is None:
            tests = self._tests[kind] = [
                _test(each, self._constants) for each in self._patterns.get(kind, ())
            ]
        return tests

    def _sift(self, facts: Sequence[Fact], received: int) -> list[tuple[int, int]]:
        """Ordinal and bits of each fact on which the constants of some pattern hold."""
        hits = []
        for ordinal, fact in enumerate(facts):
            holds = self._holding.get(fact.kind)
            if holds is None:
                holds = _compile(self._tests_of(fact.kind), self._constants)
                self._holding[fact.kind] = holds
            bits = holds(fact.values, received)
            if bits:
                hits.append((ordinal, bits))
        return hits

    def ask(
        self,
        kind: str,
        values: Mapping[str, object],
        opened: frozenset[str],
        near: dict[str, Value],
        received: int,
        same: frozenset[str] = frozenset(),
    ) -> Answer:
        """What the tests say of a fact with these values on a day of receipt; the fields `opened` are
        not known, and not looked at.

        `near` stand for some of them: whatever constant these are compared with, the answer is
        that for the ones given. Those named by `same` are the same value, whatever it is.
        """
        tests = self._tests_of(kind)
        if not tests:
            return NO_ANSWER
        told = _Told(opened, frozenset(near), same)
        possible = self._possible.get((kind, told))
        if possible is None:
            possible = self._possible[kind, told] = _compile_possible(tests, told, self._constants)
        if same or near:
            # Which value the same ones are does not matter.
            values = {**values, **dict.fromkeys(same, _ANY_DAY), **near}
        bits = possible(values, received)
        if not bits:
            return NO_ANSWER
        answer = self._answers.get((kind, told, bits))
        if answer is None:
            left = [test for test in tests if test.bit & bits]
            answer = self._answers[kind, told, bits] = _compile_answer(left, told, self._constants)
        return answer

    def single(self, bits: int) -> list[int]:
        """The cases of one pattern whose tests these are."""
        found = []
        bits &= ~self.joined_bits
        while bits:
            low = bits & -bits
            found.append(self._single[low])
            bits ^= low
        return found

    def joins_in(self, facts: Sequence[Fact], received: int) -> int:
        """The tests of joins that hold on one of these facts."""
        found = 0
        for _, bits in self._sift(facts, received):
            found |= bits
        return found & self.joined_bits

    def may_join(self, bits: int) -> bool:
        """Whether a rule may join facts on which these tests hold, one of another kind than mue_day."""
        bits |= self._assumed
        return any(all(bits & bit for bit in join.bits) for join in self._others)

    def turns(self) -> set[int]:
        """The days from which on a comparison of a date with a constant comes out otherwise."""
        found: set[int] = set()
        for case in self._cases.values():
            if case.in_force.by == "service":
                found.update(day for day in (case.in_force.first,) if day is not None)
                found.update(day + 1 for day in (case.in_force.last,) if day is not None)
            for term in (*(term for pattern in case.match for term in pattern.terms), *case.require):
                if term.field.type != "date" or isinstance(term.value, Reference):
                    continue
                for day in term.value if isinstance(term.value, tuple) else (term.value,):
                    if isinstance(day, int) and not isinstance(day, bool):
                        found.update((day, day + 1))
        return found

    def candidates(self, facts: Sequence[Fact], received: int) -> Candidates:
        """The cases that can fire on the facts of one part of the input, and the facts they need."""
        hits = self._sift(facts, received)
        if not hits:
            return NOTHING
        cases: set[int] = set()
        kept: set[int] = set()
        mask = 0
        for ordinal, bits in hits:
            mask |= bits
            single = bits & ~self.joined_bits
            if single:
                kept.add(ordinal)
                while single:
                    low = single & -single
                    cases.add(self._single[low])
                    single ^= low
        if mask & self.joined_bits:
            for join in self._joins:
                if all(mask & bit for bit in join.bits) and (taking_part := _joined(join, hits, facts)):
                    cases.add(join.case)
                    kept |= taking_part
        if not cases:
            return NOTHING
        return Candidates(sorted(cases), sorted(kept))


# Kinds of facts that stand on several pieces of a claim.
_ON_SEVERAL = ("addon", "adjudication", "mue_day", "other_payer", "ptp_pair", "therapy_day")


def _is_of_a_day(case: Case) -> bool:
    """Whether a case joins two mue_days of one day, by what is known of them without their units."""
    linked = {case.match[0].alias}
    if len(case.match) != 2:
        return False
    for pattern in case.match:
        if pattern.kind != "mue_day":
            return False
        for term in pattern.terms:
            names = {term.field.field} | ({term.value.field} if isinstance(term.value, Reference) else set())
            if names - {"code", "modifiers", "date", "provider", "limit", "mai", "lines", "profile"}:
                return False
            other = term.other
            if other is not None and other.field == term.field.field == "date" and term.operator == "equal":
                linked |= {pattern.alias} if other.alias in linked else set()
    return len(linked) == len(case.match) and not case.require


def _joined(join: _Join, hits: list[tuple[int, int]], facts: Sequence[Fact]) -> set[int]:
    """The facts that can take part in a match of several; empty where the equalities leave none."""
    members = [[ordinal for ordinal, bits in hits if bits & bit] for bit in join.bits]
    for link in join.links:
        earlier = _keyed(members[link.earlier], link.earlier_fields, facts)
        later = _keyed(members[link.later], link.later_fields, facts)
        members[link.earlier] = list(_with_partner(earlier, later))
        members[link.later] = list(_with_partner(later, earlier))
    taking_part = {ordinal for place in members for ordinal in place}
    if not all(members) or len(taking_part) < len(members):
        return set()
    return taking_part


def _keyed(
    members: list[int], fields: tuple[str, ...], facts: Sequence[Fact]
) -> dict[tuple[Value, ...], list[int]]:
    keyed: dict[tuple[Value, ...], list[int]] = {}
    for ordinal in members:
        values = facts[ordinal].values
        key = tuple([values[name] for name in fields])
        if None not in key and "" not in key:
            keyed.setdefault(key, []).append(ordinal)
    return keyed


def _with_partner(
    here: dict[tuple[Value, ...], list[int]], there: dict[tuple[Value, ...], list[int]]
) -> Iterable[int]:
    for key, ordinals in here.items():
        others = there.get(key, ())
        # A fact is no partner of its own.
        for ordinal in ordinals:
            if len(others) > 1 or (others and others[0] != ordinal):
                yield ordinal


def _links(case: Case) -> Iterable[_Link]:
    order = {pattern.alias: place for place, pattern in enumerate(case.match)}
    fields: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for pattern in case.match:
        for term in pattern.terms:
            other = term.other
            if other is not None and term.operator == "equal":
                pair = (order[other.alias], order[pattern.alias])
                fields.setdefault(pair, []).append((other.field, term.field.field))
    for (earlier, later), names in fields.items():
        yield _Link(earlier, later, tuple(name for name, _ in names), tuple(name for _, name in names))


def _test(patterned: _Patterned, constants: _Constants) -> _Test:
    """What is asked of one fact of a pattern by itself."""
    bit, case, place = patterned
    pattern = case.match[place]
    terms = [_ask([term], constants) for term in pattern.terms if term.other is None]
    if len(case.match) == 1 and case.require:
        required = _ask(case.require, constants)
        terms.append(_Asked(f"not ({required.text})", required.fields))
    in_force = _in_force(case.in_force) if place == 0 else []
    sides = [side for term in pattern.terms for side in _sides(term)]
    return _Test(bit, terms, in_force, sides)


def _in_force(in_force: InForce) -> list[_Asked]:
    by_service = in_force.by == "service"
    on = "(v['date'] or received)" if by_service else "received"
    fields = frozenset(("date",) if by_service else ())
    terms = []
    if in_force.first is not None:
        terms.append(_Asked(f"{on} >= {in_force.first:d}", fields, constant=True))
    if in_force.last is not None:
        terms.append(_Asked(f"{on} <= {in_force.last:d}", fields, constant=True))
    return terms


def _sides(term: Term) -> Iterable[_Asked]:
    """That the sides of a comparison with another field are there; it is false where one is not."""
    if isinstance(term.value, Reference) and term.field.type not in ("bool", "codes"):
        sides = (term.field,) if term.other is not None else (term.field, term.value)
        for side in sides:
            left = f"v[{side.field!r}]"
            present = left if side.type == "text" else f"{left} is not None"
            yield _Asked(present, frozenset((side.field,)), constant=True)


def _ask(terms: Iterable[Term], constants: _Constants) -> _Asked:
    terms = list(terms)
    fields = {term.field.field for term in terms}
    fields |= {term.value.field for term in terms if isinstance(term.value, Reference)}
    constant = all(not isinstance(term.value, Reference) or term.value.field == "received" for term in terms)
    return _Asked(" and ".join(_expression(term, constants) for term in terms), frozenset(fields), constant)


def _expression(term: Term, constants: _Constants) -> str:
    """One term on one fact whose values are `v`. Constants come in by name, never as source text."""
    left = f"v[{term.field.field!r}]"
    kind, operator = term.field.type, term.operator
    if operator in ("present", "absent"):
        present = f"{left} is not None" if kind not in ("text", "codes") else left
        return (
            present
            if operator == "present"
            else f"not {present}"
            if kind in ("text", "codes")
            else f"{left} is None"
        )
    reference = isinstance(term.value, Reference)
    if kind == "bool" and not reference:
        return left if term.value == (operator == "equal") else f"not {left}"
    right = f"v[{cast('Reference', term.value).field!r}]" if reference else _constant(term.value, constants)
    if kind == "codes":
        return _expression_of_codes(left, term, right)
    guards = []
    # `==` with a constant and `in` constants are false of what is absent, as they should be.
    if kind != "bool" and (reference or operator not in ("equal", "one_of")):
        for side in (left, right) if reference else (left,):
            guards.append(side if kind == "text" else f"{side} is not None")
    if operator == "one_of":
        guards.append(f"{left} in {right}")
    elif operator == "none_of":
        guards.append(f"{left} not in {right}")
    else:
        guards.append(f"{left} {_COMPARE[operator]} {right}")
    return " and ".join(guards)


def _expression_of_codes(left: str, term: Term, right: str) -> str:
    reference = isinstance(term.value, Reference)
    if (term.operator, term.value) == ("at_least", 1):
        return left
    if term.operator in _COMPARE:
        counted = f"len({left}) {_COMPARE[term.operator]} {right}"
        return f"{right} is not None and {counted}" if reference else counted
    if term.operator == "has":
        return f"{right} and {right} in {left}" if reference else f"{right} in {left}"
    if reference:
        right = f"set({right})"
    if term.operator == "has_all":
        return f"{right}.issubset({left})"
    disjoint = f"{right}.isdisjoint({left})"
    return disjoint if term.operator == "has_none" else f"not {disjoint}"


def _constant(value: object, constants: _Constants) -> str:
    return repr(value) if isinstance(value, int) else constants.name(value)


_Holds = Callable[[Mapping[str, Any], int], int]


def _compile(tests: list[_Test], constants: _Constants) -> _Holds:
    """The function that gives the bits of the tests that hold on the values of a fact."""
    lines = ["def holds(v, received):", " bits = 0", *_nested(tests, " "), " return bits"]
    return cast("_Holds", _define("holds", lines, constants))


class _Told(NamedTuple):
    """The fields whose values are not known, those of which one near is, those that have one value."""

    opened: frozenset[str]
    near: frozenset[str]
    same: frozenset[str]

    def answers(self, term: _Asked) -> bool:
        fields = term.fields
        return (
            fields.isdisjoint(self.opened)
            or (term.constant and fields.isdisjoint(self.opened - self.near))
            or (len(fields) > 1 and fields <= self.same)
        )


def _compile_possible(tests: list[_Test], told: _Told, constants: _Constants) -> _Holds:
    """The function that gives the bits of the tests that what is known does not rule out."""
    known = [
        test._replace(
            terms=[term for term in (*test.terms, *test.sides) if told.answers(term)],
            in_force=[term for term in test.in_force if told.answers(term)],
        )
        for test in tests
    ]
    lines = ["def possible(v, received):", " bits = 0", *_nested(known, " "), " return bits"]
    return cast("_Holds", _define("possible", lines, constants))


def _compile_answer(tests: list[_Test], told: _Told, constants: _Constants) -> Answer:
    """What is left to ask of these tests, which what is known does not rule out."""
    bits = 0
    asked = []
    for test in tests:
        left = test._replace(
            terms=[term for term in test.terms if not told.answers(term)],
            in_force=[term for term in test.in_force if not told.answers(term)],
        )
        if left.terms or left.in_force:
            asked.append(left)
        else:
            bits |= test.bit
    if not asked:
        return Answer(bits, None)
    lines = ["def rest(v, received):", " bits = 0", *_nested(asked, " "), " return bits"]
    fields = frozenset(
        field for test in asked for term in (*test.terms, *test.in_force) for field in term.fields
    )
    question = Question(
        sum(test.bit for test in asked), fields, cast("_Holds", _define("rest", lines, constants))
    )
    return Answer(bits, question)


def _define(name: str, lines: list[str], constants: _Constants) -> object:
    code = compile("\n".join(lines), "<sieve>", "exec")
    exec(code, constants.values)  # noqa: S102  # nosec B102  # made of checked names and numbers
    return constants.values.pop(name)


def _nested(tests: list[_Test], indent: str) -> list[str]:
    """The tests as statements; what several of them ask is asked once."""
    lines: list[str] = []
    while tests:
        counts = Counter(term for test in tests for term in dict.fromkeys(test.terms))
        [(shared, count)] = counts.most_common(1) or [(_Asked("", frozenset()), 0)]
        if count < 2 or len(indent) > _MAX_INDENT:
            for test in tests:
                asked = " and ".join([term.text for term in (*test.terms, *test.in_force)]) or "True"
                lines.append(f"{indent}if {asked}: bits |= {test.bit}")
            break
        inside = [
            test._replace(terms=[term for term in test.terms if term != shared])
            for test in tests
            if shared in test.terms
        ]
        lines.append(f"{indent}if {shared.text}:")
        lines += _nested(inside, indent + " ")
        tests = [test for test in tests if shared not in test.terms]
    return lines
