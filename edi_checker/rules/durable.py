"""A rule's conditions as durable-rules' own definition, inside the part of that engine that is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from edi_checker.facts import Fact, Value
from edi_checker.rules.model import Case, InForce, Operator, Pattern, Reference, Term
from edi_checker.rules.reference_engine import holds

MAX_RULES = 60  # in one network, the priming rule among them
MAX_FACTS = 16  # bound by one rule
MAX_JOINS = 28  # terms between facts in one rule
MAX_COLUMNS = 240  # of one kind of fact
MAX_INTEGER = 1 << 62

_OPERATORS: dict[Operator, str] = {
    "not": "$neq",
    "at_least": "$gte",
    "at_most": "$lte",
    "more_than": "$gt",
    "less_than": "$lt",
}
_OPPOSITE: dict[Operator, Operator] = {
    "equal": "not",
    "not": "equal",
    "at_least": "less_than",
    "less_than": "at_least",
    "at_most": "more_than",
    "more_than": "at_most",
}
ALIASES = "abcdefghijklmnop"
_FIRST_UNKNOWN_TEXT = 1 << 20

Condition = dict[str, object]


class Unsafe(Exception):
    """A definition that durable-rules must not be given, or a value that it cannot hold."""


@dataclass(frozen=True, slots=True)
class Network:
    """One ruleset of durable-rules and how facts are put into it.

    Every value is an integer: texts by number, yes and no as 1 and 0, what is absent as 0 with a column of
    its own that says so. The engine's own ideas of text, null and float thus never matter.

    definition  rule name -> durable's definition, without `run`
    fires       rule name -> case number, and how many facts it binds
    kinds       fact type -> its number (0 is the fact that primes a session) and its columns
    texts       constants of the rules -> their numbers
    """

    definition: dict[str, Condition]
    fires: dict[str, tuple[int, int]]
    kinds: dict[str, tuple[int, dict[str, _Column]]]
    texts: dict[str, int] = field(default_factory=dict)

    def encode(
        self, ordinal: int, fact: Fact, received: int, texts: dict[str, int]
    ) -> dict[str, str | int] | None:
        """A fact as durable takes it, None where this network has no rule for its kind.

        `texts` numbers the texts that no rule names; give the same one for all facts of one part.
        Raises Unsafe for a number that durable cannot hold.
        """
        known = self.kinds.get(fact.kind)
        if known is None:
            return None
        number, columns = known
        row: dict[str, str | int] = {"id": f"f{ordinal}", "k": number, "i": ordinal, "s": 1}
        for name, column in columns.items():
            value = column(fact.values, received)
            if isinstance(value, str):
                if value not in self.texts and value not in texts:
                    texts[value] = _FIRST_UNKNOWN_TEXT + len(texts)
                row[name] = self.texts.get(value) or texts[value]
            else:
                if not -MAX_INTEGER < value < MAX_INTEGER:
                    raise Unsafe("a number is too large")
                row[name] = int(value)
        return row


_Values = dict[str, Value]
_Column = Callable[[_Values, int], int | str]


def networks(cases: Sequence[tuple[int, Case]]) -> list[Network]:
    """The cases, each with its number, as few networks. Raises Unsafe for a fault of this module."""
    made: list[Network] = []
    builder = _Builder()
    for number, case in cases:
        branches = _branches(case)
        if len(builder.fires) + len(branches) >= MAX_RULES:
            made.append(builder.network())
            builder = _Builder()
        for branch in branches:
            builder.add(number, case, branch)
    if builder.fires:
        made.append(builder.network())
    for network in made:
        hold_safe(network)
    return made


class _Branch(NamedTuple):
    """One way in which a requirement fails: one of these terms on one fact, or this one between two."""

    alias: str = ""
    failing: tuple[Term, ...] = ()
    joined: Term | None = None


def _branches(case: Case) -> list[_Branch]:
    """`match and not (r1 and r2)` as rules without `or`: one for each thing that can fail."""
    if not case.require:
        return [_Branch()]
    branches = []
    alone: dict[str, list[Term]] = {}
    for term in case.require:
        other = term.other
        if other is None:
            alone.setdefault(term.field.alias, []).append(term)
            continue
        # That either side is absent needs no branch: the reader lets a requirement compare only what the
        # match or another requirement says is there (conditions._check_absent).
        branches.append(_Branch(joined=Term(term.field, _OPPOSITE[term.operator], other)))
    for alias, terms in alone.items():
        branches.append(_Branch(alias, tuple(terms)))
    return branches


class _Builder:
    """One network in the making."""

    def __init__(self) -> None:
        self.definition: dict[str, Condition] = {"prime": {"all": [{"a": {"$and": [{"k": 0}]}}]}}
        self.fires: dict[str, tuple[int, int]] = {}
        self.numbers: dict[str, int] = {}
        self.columns: dict[str, dict[tuple[object, ...], str]] = {}
        self.texts: dict[str, int] = {}
        self._count = 0

    def network(self) -> Network:
        kinds = {
            kind: (number, {name: _column(key) for key, name in self.columns[kind].items()})
            for kind, number in self.numbers.items()
        }
        return Network(self.definition, self.fires, kinds, self.texts)

    def add(self, number: int, case: Case, branch: _Branch) -> None:
        places = {pattern.alias: place for place, pattern in enumerate(case.match)}
        kinds = {pattern.alias: pattern.kind for pattern in case.match}
        joined: list[list[Term]] = [[term for term in pattern.terms if term.other] for pattern in case.match]
        if branch.joined is not None:
            joined[places[branch.joined.field.alias]].append(branch.joined)
        alone: list[list[Condition]] = [self._alone(pattern) for pattern in case.match]
        alone[0] += self._in_force(case.match[0].kind, case.in_force)
        if branch.failing:
            column = self._name(kinds[branch.alias], ("holds", *branch.failing))
            alone[places[branch.alias]].append({column: 0})
        compared: list[list[Condition]] = [[] for _ in case.match]
        equal: list[list[Condition]] = [[] for _ in case.match]
        for place, terms in enumerate(joined):
            for term in terms:
                other = term.other
                assert other is not None
                for side in (term.field, other):
                    if side.type != "bool":
                        alone[places[side.alias]].append(
                            {self._name(kinds[side.alias], ("present", side.field)): 1}
                        )
                mine = self._name(kinds[term.field.alias], ("value", term.field.field))
                theirs = {
                    ALIASES[places[other.alias]]: self._name(kinds[other.alias], ("value", other.field))
                }
                if term.operator == "equal":
                    equal[place].append({mine: theirs})
                else:
                    compared[place].append({_OPERATORS[term.operator]: {mine: theirs}})
        whole: list[Condition] = []
        for place, pattern in enumerate(case.match):
            for earlier in range(place):
                if case.match[earlier].kind == pattern.kind:
                    compared[place].append({"$neq": {"i": {ALIASES[earlier]: "i"}}})
            if place and not equal[place]:
                equal[place].append({"s": {"a": "s"}})
            conditions = [
                {"k": self._number(pattern.kind)},
                *_once(alone[place]),
                *compared[place],
                *equal[place],
            ]
            whole.append({ALIASES[place]: {"$and": conditions}})
        name = f"r{len(self.fires)}"
        self.definition[name] = {"all": whole}
        self.fires[name] = (number, len(case.match))

    def _number(self, kind: str) -> int:
        self.columns.setdefault(kind, {})
        return self.numbers.setdefault(kind, len(self.numbers) + 1)

    def _name(self, kind: str, key: tuple[object, ...]) -> str:
        self._number(kind)
        columns = self.columns[kind]
        if key not in columns:
            columns[key] = f"c{self._count}"
            self._count += 1
        return columns[key]

    def _alone(self, pattern: Pattern) -> list[Condition]:
        conditions: list[Condition] = []
        derived: list[Term] = []
        for term in pattern.terms:
            if term.other is None:
                own = self._own(pattern.kind, term)
                conditions += own
                if not own:
                    derived.append(term)
        if derived:
            conditions.append({self._name(pattern.kind, ("holds", *derived)): 1})
        return conditions

    def _own(self, kind: str, term: Term) -> list[Condition]:
        """A term with a constant as durable's own conditions; empty where a column of ours must answer it."""
        name, operator, value = term.field.field, term.operator, term.value
        codes = term.field.type == "codes"
        if operator in ("present", "absent"):
            return [{self._name(kind, ("present", name)): int(operator == "present")}]
        if isinstance(value, (Reference, tuple)) or operator == "has":
            return []
        if isinstance(value, str):
            value = self.texts.setdefault(value, len(self.texts) + 1)
        column = self._name(kind, ("count" if codes else "value", name))
        conditions: list[Condition] = []
        if not codes and term.field.type != "bool":
            conditions.append({self._name(kind, ("present", name)): 1})
        if operator == "equal":
            conditions.append({column: int(value)})
        else:
            conditions.append({_OPERATORS[operator]: {column: int(value)}})
        return conditions

    def _in_force(self, kind: str, in_force: InForce) -> list[Condition]:
        conditions: list[Condition] = []
        if in_force.first is not None:
            conditions.append({"$gte": {self._name(kind, (in_force.by,)): in_force.first}})
        if in_force.last is not None:
            conditions.append({"$lte": {self._name(kind, (in_force.by,)): in_force.last}})
        return conditions


def _once(conditions: list[Condition]) -> list[Condition]:
    kept: list[Condition] = []
    for condition in conditions:
        if condition not in kept:
            kept.append(condition)
    return kept


def _column(key: tuple[object, ...]) -> _Column:
    what, *rest = key
    if what == "received":
        return _received
    if what == "service":
        return _on
    if what == "holds":
        return partial(_hold, tuple(term for term in rest if isinstance(term, Term)))
    reads = {"present": _present, "count": _count, "value": _value}
    return partial(reads[str(what)], str(rest[0]))


def _received(_values: _Values, received: int) -> int:
    return received


def _on(values: _Values, received: int) -> int:
    on = values.get("date")
    return on if isinstance(on, int) else received


def _present(name: str, values: _Values, _received: int) -> int:
    return int(values[name] not in (None, "", ()))


def _count(name: str, values: _Values, _received: int) -> int:
    codes = values[name]
    assert isinstance(codes, tuple)
    return len(codes)


def _value(name: str, values: _Values, _received: int) -> int | str:
    value = values[name]
    assert not isinstance(value, tuple)
    return value or 0


def _hold(terms: tuple[Term, ...], values: _Values, _received: int) -> int:
    return int(all(_holds(term, values) for term in terms))


def _holds(term: Term, values: _Values) -> bool:
    right = values[term.value.field] if isinstance(term.value, Reference) else term.value
    return holds(term, values[term.field.field], right)


def hold_safe(network: Network) -> None:
    """Raise Unsafe for anything in a network on which durable-rules 2.0.28 is known to fail.

    What it must keep, and why: constants before comparisons before equalities (a comparison as the last term
    of a join reads past an array); one key in a condition (a second is ignored); no `|`, `none`, arithmetic,
    regular expressions or nesting; integers below 2**62; few rules and columns (513 constants under one node
    hang it).
    """
    if len(network.definition) > MAX_RULES:
        raise Unsafe(f"more than {MAX_RULES} rules in one network")
    for _, columns in network.kinds.values():
        if len(columns) > MAX_COLUMNS:
            raise Unsafe(f"more than {MAX_COLUMNS} columns of one kind of fact")
    for rule in network.definition.values():
        patterns = rule.get("all")
        if list(rule) != ["all"] or not isinstance(patterns, list) or not 1 <= len(patterns) <= MAX_FACTS:
            raise Unsafe("a rule is not a plain list of patterns")
        earlier: set[str] = set()
        joins = 0
        for pattern in patterns:
            [(alias, body)] = pattern.items()
            if list(body) != ["$and"] or not body["$and"]:
                raise Unsafe("a pattern is not a plain conjunction")
            ranks = [_rank(condition, earlier) for condition in body["$and"]]
            if ranks != sorted(ranks) or (earlier and ranks[-1] != _EQUALITY) or ranks[0] != _CONSTANT:
                raise Unsafe("conditions are in an unsafe order")
            joins += sum(rank != _CONSTANT for rank in ranks)
            earlier.add(alias)
        if joins > MAX_JOINS:
            raise Unsafe(f"more than {MAX_JOINS} terms join facts")


_CONSTANT, _COMPARISON, _EQUALITY = range(3)


def _rank(condition: Condition, earlier: set[str]) -> int:
    """Which of the three sorts a condition is of; Unsafe where it is of none."""
    if len(condition) != 1:
        raise Unsafe("a condition with more than one key")
    [(name, value)] = condition.items()
    compared = name.startswith("$")
    if compared:
        if name not in _OPERATORS.values() or not isinstance(value, dict) or len(value) != 1:
            raise Unsafe(f"{name} is not among the safe operators")
        [(name, value)] = value.items()
    if type(value) is int and name.isalnum():
        if not -MAX_INTEGER < value < MAX_INTEGER:
            raise Unsafe("a constant is too large")
        return _CONSTANT
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= earlier or not name.isalnum():
        raise Unsafe("a value is neither a small integer nor a field of an earlier fact")
    return _COMPARISON if compared else _EQUALITY
