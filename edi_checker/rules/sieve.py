"""A rule's conditions as generated Python that lets only those facts through on which a rule can fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

from edi_checker.facts import Fact, Needs, Question, Value
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
    """A term as Python, and the fields that it looks at."""

    text: str
    fields: frozenset[str]


class _Test(NamedTuple):
    """What is asked of one fact: terms that must all hold, those on dates apart, and the bit that says so.

    What the terms take for granted, that both sides of a comparison are there, stands in `sides` again: one
    side may be known before the other.
    """

    bit: int
    terms: list[_Asked]
    in_force: list[_Asked]
    sides: list[_Asked]


class _Join(NamedTuple):
    """A case with several patterns: the bit of each, and the equalities between them."""

    case: int
    bits: tuple[int, ...]
    links: tuple[_Link, ...]


class Sieve:
    """A filter for some cases of a rulebook. It may let too much through, never too little.

    A case of one pattern it decides outright; of several patterns it looks at constants and equalities.
    """

    def __init__(self, cases: Sequence[tuple[int, Case]]) -> None:
        self._single: dict[int, int] = {}  # bit -> case
        self._joins: list[_Join] = []
        self._joined_bits = 0
        by_kind: dict[str, list[_Test]] = {}
        constants: dict[str, object] = {}
        bit = 1
        for number, case in cases:
            bits = []
            for place, pattern in enumerate(case.match):
                terms = [_ask([term], constants) for term in pattern.terms if term.other is None]
                if len(case.match) == 1 and case.require:
                    required = _ask(case.require, constants)
                    terms.append(_Asked(f"not ({required.text})", required.fields))
                in_force = _in_force(case.in_force) if place == 0 else []
                sides = [side for term in pattern.terms for side in _sides(term)]
                by_kind.setdefault(pattern.kind, []).append(_Test(bit, terms, in_force, sides))
                bits.append(bit)
                bit <<= 1
            if len(bits) == 1:
                self._single[bits[0]] = number
            else:
                self._joins.append(_Join(number, tuple(bits), tuple(_links(case))))
                self._joined_bits |= sum(bits)
        self._by_kind = by_kind
        self._constants = constants
        self._sift = _compile(by_kind, constants, self._test_part)
        self._possible: dict[tuple[str, tuple[str, ...]], _Possible] = {}
        self._questions: dict[tuple[str, tuple[str, ...], int], Question] = {}

    def needs(self) -> Needs:
        """What these cases need of facts that are yet to be made."""
        return Needs(frozenset(self._by_kind), self._ask, self._together)

    def _ask(self, kind: str, known: dict[str, Value]) -> Question | None:
        if kind not in self._by_kind:
            return None
        question = self._question(kind, known)
        return question if question.bits else None

    def _question(self, kind: str, known: dict[str, Value]) -> Question:
        """The tests that can hold on facts with these values, without what they answer already."""
        fields = tuple(known)
        possible = self._possible.get((kind, fields))
        if possible is None:
            possible = _compile_possible(self._by_kind[kind], frozenset(fields), self._constants)
            self._possible[kind, fields] = possible
        bits = possible(known)
        question = self._questions.get((kind, fields, bits))
        if question is None:
            tests = [test for test in self._by_kind[kind] if test.bit & bits]
            question = _compile_question(tests, frozenset(fields), self._constants)
            self._questions[kind, fields, bits] = question
        return question

    def _test_part(self, kind: str, part: dict[str, Value]) -> _Rest:
        return self._question(kind, part).holds

    def _together(self, kind: str, bits: int) -> int:
        own = sum(test.bit for test in self._by_kind.get(kind, ()))
        kept = bits & ~self._joined_bits
        for join in self._joins:
            wanted = sum(join.bits)
            if wanted & bits and not wanted & own & ~bits:
                kept |= wanted & bits
        return kept

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
            single = bits & ~self._joined_bits
            if single:
                kept.add(ordinal)
                while single:
                    low = single & -single
                    cases.add(self._single[low])
                    single ^= low
        if mask & self._joined_bits:
            for join in self._joins:
                if all(mask & bit for bit in join.bits) and (taking_part := _joined(join, hits, facts)):
                    cases.add(join.case)
                    kept |= taking_part
        if not cases:
            return NOTHING
        return Candidates(sorted(cases), sorted(kept))


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


def _in_force(in_force: InForce) -> list[_Asked]:
    by_service = in_force.by == "service"
    on = "(v['date'] or received)" if by_service else "received"
    fields = frozenset(("date",) if by_service else ())
    terms = []
    if in_force.first is not None:
        terms.append(_Asked(f"{on} >= {in_force.first}", fields))
    if in_force.last is not None:
        terms.append(_Asked(f"{on} <= {in_force.last}", fields))
    return terms


def _sides(term: Term) -> Iterable[_Asked]:
    """That the sides of a comparison with another field are there; it is false where one is not."""
    if isinstance(term.value, Reference) and term.field.type not in ("bool", "codes"):
        sides = (term.field,) if term.other is not None else (term.field, term.value)
        for side in sides:
            left = f"v[{side.field!r}]"
            present = left if side.type == "text" else f"{left} is not None"
            yield _Asked(present, frozenset((side.field,)))


def _ask(terms: Iterable[Term], constants: dict[str, object]) -> _Asked:
    terms = list(terms)
    fields = {term.field.field for term in terms}
    fields |= {term.value.field for term in terms if isinstance(term.value, Reference)}
    return _Asked(" and ".join(_expression(term, constants) for term in terms), frozenset(fields))


def _expression(term: Term, constants: dict[str, object]) -> str:
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


def _constant(value: object, constants: dict[str, object]) -> str:
    if isinstance(value, int):
        return repr(value)
    held = frozenset(value) if isinstance(value, tuple) else value
    for name, known in constants.items():
        if known == held:
            return name
    name = f"C{len(constants)}"
    constants[name] = held
    return name


_Sift = Callable[[Sequence[Fact], int], list[tuple[int, int]]]
_Possible = Callable[[dict[str, Value]], int]
_Rest = Callable[[dict[str, Value], int], int]

_MOST_PARTS = 20_000  # parts of facts that a filter knows again before it starts afresh


def _compile(
    by_kind: dict[str, list[_Test]],
    constants: dict[str, object],
    test_part: Callable[[str, dict[str, Value]], _Rest],
) -> _Sift:
    """The function that gives (ordinal, bits) for each fact on which some pattern's constants hold."""
    rests: dict[int, _Rest] = {}
    kept: list[dict[str, Value]] = []  # alive, so that no other part gets its identity

    def learn(kind: str, part: dict[str, Value]) -> _Rest:
        if len(kept) >= _MOST_PARTS:
            rests.clear()
            kept.clear()
        kept.append(part)
        rest = rests[id(part)] = test_part(kind, part)
        return rest

    lines = [
        "def sift(facts, received):",
        " hits = []",
        " for ordinal, fact in enumerate(facts):",
        "  kind = fact.kind",
    ]
    word = "if"
    for kind, tests in by_kind.items():
        lines += [
            f"  {word} kind == {kind!r}:",
            "   v = fact.values",
            "   part = fact.part",
            "   if part is not None:",
            f"    bits = (rests.get(id(part)) or learn({kind!r}, part))(v, received)",
            "   else:",
            "    bits = 0",
        ]
        lines += _nested(tests, "    ")
        lines.append("   if bits: hits.append((ordinal, bits))")
        word = "elif"
    lines.append(" return hits")
    return cast("_Sift", _define("sift", lines, {**constants, "rests": rests, "learn": learn}))


def _compile_possible(tests: list[_Test], fields: frozenset[str], constants: dict[str, object]) -> _Possible:
    """The function that gives the bits of the tests that these fields alone do not rule out."""
    known = [
        test._replace(
            terms=[term for term in (*test.terms, *test.sides) if term.fields <= fields], in_force=[]
        )
        for test in tests
    ]
    lines = ["def possible(v):", " bits = 0", *_nested(known, " "), " return bits"]
    return cast("_Possible", _define("possible", lines, constants))


def _compile_question(tests: list[_Test], fields: frozenset[str], constants: dict[str, object]) -> Question:
    """What these tests ask beside these fields; dates in force are asked in any case."""
    asked = [
        test._replace(terms=[term for term in test.terms if not term.fields <= fields]) for test in tests
    ]
    lines = ["def rest(v, received):", " bits = 0", *_nested(asked, " "), " return bits"]
    return Question(
        sum(test.bit for test in tests),
        frozenset(field for test in asked for term in (*test.terms, *test.in_force) for field in term.fields),
        cast("_Rest", _define("rest", lines, constants)),
    )


def _define(name: str, lines: list[str], names: dict[str, object]) -> object:
    namespace = dict(names)
    exec(compile("\n".join(lines), "<sieve>", "exec"), namespace)  # noqa: S102  # made of checked names and numbers
    return namespace[name]


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
