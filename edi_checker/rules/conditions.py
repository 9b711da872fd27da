"""The match and require of a rule file to typed terms, each checked against the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from functools import partial
from typing import cast

from edi_checker.facts import FactType, FieldType
from edi_checker.rules.fault_list import Notes, Wrong, listed, mapping_of, meant, word_of
from edi_checker.rules.model import Constant, Operator, Pattern, Reference, Term
from edi_checker.rules.yaml_tree import Mapping, Node, Scalar, Sequence
from edi_checker.x12.dates import read_iso

MAX_ALIASES = 6

REFERENCE = re.compile(r"\$([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")
_ALIAS = re.compile(r"[a-z][a-z0-9_]{0,30}")
_NUMBER = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]+))?")

_COMPARED: tuple[Operator, ...] = ("equal", "not", "one_of", "none_of")
_ORDERED: tuple[Operator, ...] = ("at_least", "at_most", "more_than", "less_than")
_EXISTS: tuple[Operator, ...] = ("present", "absent")
_SETS: tuple[Operator, ...] = ("has", "has_any", "has_all", "has_none")
_LISTS: tuple[Operator, ...] = ("one_of", "none_of", "has_any", "has_all", "has_none")
_OF_NUMBERS: dict[str, Operator] = {word: word for word in (*_COMPARED, *_ORDERED, *_EXISTS)}
OPERATORS: dict[FieldType, dict[str, Operator]] = {
    "text": {word: word for word in (*_COMPARED, *_EXISTS)},
    "int": _OF_NUMBERS,
    "quantity": _OF_NUMBERS,
    "money": _OF_NUMBERS,
    "date": {**_OF_NUMBERS, "before": "less_than", "after": "more_than"},
    "bool": {"equal": "equal", "not": "not"},
    "codes": {word: word for word in (*_SETS, *_ORDERED, *_EXISTS)},
}
_MIRRORED: dict[Operator, Operator] = {
    "equal": "equal",
    "not": "not",
    "at_least": "at_most",
    "at_most": "at_least",
    "more_than": "less_than",
    "less_than": "more_than",
}


class Conditions:
    """The conditions of one case being read. `kinds` is its facts: alias -> fact type, in their order."""

    def __init__(self, notes: Notes, vocabulary: Map[str, FactType]) -> None:
        self.kinds: dict[str, str] = {}
        self._notes = notes
        self._vocabulary = vocabulary

    def fact_type(self, alias: str, line: int) -> FactType:
        if alias not in self.kinds:
            raise Wrong(line, f"match names no {alias!r}; it names {listed(self.kinds)}")
        return self._vocabulary[self.kinds[alias]]

    def field(self, alias: str, name: str, line: int) -> Reference:
        fields = self.fact_type(alias, line).fields
        if name not in fields:
            near = meant(name, fields)
            raise Wrong(
                line, f"fact {self.kinds[alias]!r} has no field {name!r}; it has {listed(fields)}{near}"
            )
        # The name of a profile is ours, wherever it was read.
        address = "" if name == "profile" else fields[name].address
        return Reference(alias, name, fields[name].type, address)

    def match(self, node: Node) -> tuple[Pattern, ...]:
        mapping = mapping_of(node, "match names facts: {line: {fact: line, ...}}")
        if not 1 <= len(mapping.entries) <= MAX_ALIASES:
            raise Wrong(node.line, f"match names one to {MAX_ALIASES} facts")
        # All kinds first: a condition may refer to a fact that is named after it.
        for alias, pattern in mapping.entries.items():
            kind: str | None = self._notes.attempt(pattern, partial(self._kind, alias), None)
            if kind is not None:
                self.kinds[alias] = kind
        terms: dict[str, list[Term]] = {alias: [] for alias in self.kinds}
        for alias in self.kinds:
            for _, term in self._terms(alias, mapping_of(mapping.entries[alias], ""), skip="fact"):
                terms[term.field.alias].append(term)
        return tuple(
            Pattern(alias, kind, tuple(sorted(terms[alias], key=lambda term: term.other is not None)))
            for alias, kind in self.kinds.items()
        )

    def require(self, patterns: tuple[Pattern, ...], node: Node) -> tuple[Term, ...]:
        mapping = mapping_of(node, "require names matched facts: {line: {...}}")
        if not mapping.entries:
            raise Wrong(node.line, "require is empty; leave it out where the match alone is the finding")
        terms: list[tuple[int, Term]] = []
        for alias, conditions in mapping.entries.items():
            found: list[tuple[int, Term]] = self._notes.attempt(
                conditions, partial(self._required, alias), []
            )
            terms.extend(found)
        self._check_absent(patterns, terms)
        return tuple(term for _, term in terms)

    def _kind(self, alias: str, node: Node) -> str:
        if not _ALIAS.fullmatch(alias):
            raise Wrong(node.line, f"{alias!r} cannot name a fact: lower case letters, digits and _ can")
        mapping = mapping_of(node, "a fact is a mapping: {fact: line, ...}")
        if "fact" not in mapping.entries:
            raise Wrong(node.line, f"{alias!r} lacks the key 'fact'")
        kind = word_of(mapping.entries["fact"])
        if kind not in self._vocabulary:
            known = listed(self._vocabulary) + meant(kind, self._vocabulary)
            raise Wrong(mapping.lines["fact"], f"there is no fact {kind!r}; there are {known}")
        return kind

    def _required(self, alias: str, node: Node) -> list[tuple[int, Term]]:
        self.fact_type(alias, node.line)
        mapping = mapping_of(node, "what is required is a mapping of fields")
        if not mapping.entries:
            raise Wrong(node.line, f"require has no condition on {alias!r}")
        return self._terms(alias, mapping)

    def _terms(self, alias: str, mapping: Mapping, skip: str = "") -> list[tuple[int, Term]]:
        """The terms on one fact, each with its line; those that name a later fact are turned around."""
        terms: list[tuple[int, Term]] = []
        for name, node in mapping.entries.items():
            if name != skip:
                read = partial(self._conditions, alias, name, mapping.lines[name])
                found: list[Term] = self._notes.attempt(node, read, [])
                terms.extend((node.line, self._turned(term)) for term in found)
        return terms

    def _turned(self, term: Term) -> Term:
        other = term.other
        order = list(self.kinds)
        if other is None or order.index(other.alias) < order.index(term.field.alias):
            return term
        return Term(other, _MIRRORED[term.operator], term.field)

    def _conditions(self, alias: str, name: str, line: int, node: Node) -> list[Term]:
        field = self.field(alias, name, line)
        if isinstance(node, Mapping):
            if not node.entries:
                raise Wrong(node.line, f"{name} has no condition")
            return [self._term(field, word, value) for word, value in node.entries.items()]
        if isinstance(node, Scalar) and node.text in _EXISTS:
            raise Wrong(node.line, f"write {name}: {{{node.text}: true}}")
        if field.type == "codes":
            raise Wrong(
                node.line,
                f"{name} has several codes: write has, has_any, has_all or has_none",
            )
        return [self._term(field, "one_of" if isinstance(node, Sequence) else "equal", node)]

    def _term(self, field: Reference, word: str, node: Node) -> Term:
        allowed = OPERATORS[field.type]
        if word not in allowed:
            known = listed(allowed)
            raise Wrong(node.line, f"{field.field} ({field.type}) has no operator {word!r}; it has {known}")
        return Term(field, allowed[word], self._value(field, allowed[word], node))

    def _value(self, field: Reference, operator: Operator, node: Node) -> Constant | Reference:
        if operator in _EXISTS:
            if word_of(node) != "true":
                raise Wrong(node.line, f"{operator} is followed by true")
            return True
        if isinstance(node, Scalar) and node.text.startswith("$"):
            return self._other(field, operator, node)
        if operator in _LISTS:
            if not isinstance(node, Sequence) or not node.items:
                raise Wrong(node.line, f"{operator} is followed by a list")
            kind = "text" if field.type == "codes" else field.type
            values = tuple(_constant(kind, item) for item in node.items)
            if len(set(values)) < len(values):
                raise Wrong(node.line, f"{operator} lists a value twice")
            return cast("tuple[str, ...] | tuple[int, ...]", values)
        if field.type == "codes":
            return _constant("text" if operator == "has" else "int", node)
        return _constant(field.type, node)

    def _other(self, field: Reference, operator: Operator, node: Scalar) -> Reference:
        found = REFERENCE.fullmatch(node.text)
        if not found:
            raise Wrong(node.line, f"{node.text!r} is not a reference such as $line.date")
        other = self.field(found[1], found[2], node.line)
        if operator in ("one_of", "none_of"):
            raise Wrong(node.line, f"{operator} is followed by a list of constants")
        wanted = field.type
        if field.type == "codes":
            if other.alias != field.alias:
                raise Wrong(node.line, "codes are compared only within one fact")
            wanted = "text" if operator == "has" else "codes" if operator in _SETS else "int"
        if other.type != wanted:
            raise Wrong(node.line, f"{node.text} is {other.type}; {field.field} is compared with {wanted}")
        if other == field:
            raise Wrong(node.line, f"{field.field} is compared with itself")
        return other

    def _check_absent(self, patterns: tuple[Pattern, ...], require: list[tuple[int, Term]]) -> None:
        """Refuse a require that an absent value would make a finding, unless the rule says so.

        A number or date that could not be read is absent; without this a claim would be rejected because of
        what nobody could compare.
        """
        known: set[tuple[str, str]] = set()
        for term in (term for pattern in patterns for term in pattern.terms):
            if term.operator != "absent":
                known.update((ref.alias, ref.field) for ref in _references(term))
        known.update(
            (term.field.alias, term.field.field) for _, term in require if term.operator == "present"
        )
        for line, term in require:
            if term.operator in _EXISTS:
                continue
            demanded = term.operator in ("equal", "one_of") and not isinstance(term.value, Reference)
            for ref in _references(term):
                if (ref.alias, ref.field) in known or ref.type in ("bool", "codes"):
                    continue
                if ref.type == "text" and demanded:
                    continue  # an absent text is not the one demanded: the rule says so plainly
                self._notes.add(
                    line,
                    f"an absent {ref.alias}.{ref.field} would be a finding: write present: true for it "
                    "under match (then it is not) or under require (then it is)",
                )


def _references(term: Term) -> tuple[Reference, ...]:
    return (term.field, term.value) if isinstance(term.value, Reference) else (term.field,)


def _constant(kind: FieldType, node: Node) -> str | int | bool:
    """A constant in the units of its type: cents, thousandths, CCYYMMDD."""
    text = word_of(node)
    if text.startswith("$"):
        raise Wrong(node.line, "a reference cannot stand here")
    if kind == "text":
        if not text:
            raise Wrong(node.line, "nothing is equal to an empty text; write absent: true")
        return text
    if kind == "bool":
        if text not in ("true", "false"):
            raise Wrong(node.line, f"true or false is expected here, not {text!r}")
        return text == "true"
    if kind == "date":
        return day_of(node)
    places = 2 if kind == "money" else 3 if kind == "quantity" else 0
    found = _NUMBER.fullmatch(text)
    if not found or len(found[3] or "") > places:
        wanted = f"a number with at most {places} decimals" if places else "a whole number"
        raise Wrong(node.line, f"{wanted} is expected here, not {text!r}")
    amount = int(found[2] + (found[3] or "").ljust(places, "0"))
    return -amount if found[1] else amount


def day_of(node: Node) -> int:
    """A date written 2026-01-31, as CCYYMMDD."""
    text = word_of(node)
    day = read_iso(text)
    if day is None:
        raise Wrong(node.line, f"{text!r} is not a date such as 2026-01-31")
    return day
