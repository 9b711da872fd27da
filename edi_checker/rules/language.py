"""The tree of a rule file to a checked rule, or everything that is wrong in it with its line."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping as Map
from functools import partial
from typing import NamedTuple, cast

from edi_checker.facts import FactType
from edi_checker.rules.conditions import REFERENCE, Conditions, day_of
from edi_checker.rules.fault_list import (
    Notes,
    Wrong,
    listed,
    mapping_of,
    mappings_of,
    meant,
    text_of,
    texts_of,
    word_of,
)
from edi_checker.rules.model import (
    ASKED,
    SAFETIES,
    Case,
    Examples,
    InForce,
    Notation,
    Pattern,
    Reference,
    Rule,
    RuleFault,
    RuleSeverity,
    Safety,
    Source,
    StatusForm,
    Text,
    Where,
)
from edi_checker.rules.yaml_tree import Mapping, Node, Scalar, Sequence, Unreadable, read
from edi_checker.x12.fault_codes import CODES
from edi_checker.x12.finding import NEED_A_SECOND, SEVERITIES

MAX_CODES_277CA = 3
MAX_FAULT = 70

_CASE_KEYS = ("severity", "in_force", "match", "require", "at", "related", "message", "fix", "status")
_RULE_KEYS = (
    "title",
    "fault",
    "why",
    "snip",
    "profiles",
    "binds",
    "fixable",
    *_CASE_KEYS,
    "cases",
    "documentation",
    "sources",
    "examples",
)

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\}")
_AT = re.compile(
    r"(?P<alias>[a-z][a-z0-9_]*)(?:\.(?P<key>[a-z][a-z0-9_]*))?"
    r"(?: (?P<segment>[A-Z][A-Z0-9]{1,2}?)(?P<element>[0-9]{2}(?:-[0-9]{1,2})?)?"
    r"(?: (?P<qualifier>[A-Z0-9]{1,4}))?)?"
)
_STATUS_277CA = re.compile(r"A[0-9]:([0-9]{1,4})(?::[A-Z0-9]{2,3})?")

_Notations = tuple[dict[str, Notation], ...]


class Read(NamedTuple):
    """A rule, or None and what is wrong with its file."""

    rule: Rule | None
    faults: list[RuleFault]


def read_rule(
    data: bytes, rule_id: str, path: str, vocabulary: Map[str, FactType], profiles: Collection[str]
) -> Read:
    """One rule from the bytes of its file; `path` is how messages name the file. Never raises."""
    try:
        root = read(data)
    except Unreadable as error:
        return Read(None, [RuleFault(path, error.line, error.reason)])
    reading = _Reading(Notes(path), vocabulary, profiles)
    rule = reading.rule(root, rule_id, path)
    return Read(None if reading.notes.faults else rule, reading.notes.faults)


class _Reading:
    """One file being read: the facts and profiles that it may use, and what has been found wrong so far."""

    def __init__(self, notes: Notes, vocabulary: Map[str, FactType], profiles: Collection[str]) -> None:
        self.notes = notes
        self._vocabulary = vocabulary
        self._profiles = profiles
        self._facts = Conditions(notes, vocabulary)

    def rule(self, root: Mapping, rule_id: str, path: str) -> Rule:
        take = self.notes.take
        self.notes.check_keys(root, "a rule", _RULE_KEYS, ("title", "snip", "sources"))
        title: str = take(root, "title", text_of, "")
        return Rule(
            id=rule_id,
            path=path,
            title=title,
            # Files from before there was this key have the title as their heading.
            fault=take(root, "fault", _fault, title),
            why=take(root, "why", text_of, ""),
            snip=take(root, "snip", _snip, 7),
            profiles=take(root, "profiles", self._profile_names, ()),
            binds=take(root, "binds", self._binds, {}),
            cases=tuple(self._cases(root)),
            documentation=take(root, "documentation", texts_of, ()),
            sources=take(root, "sources", self._sources, ()),
            examples=take(root, "examples", self._examples, Examples()),
            lines=root.lines,
            fixable=take(root, "fixable", _fixable, ()),
        )

    def _cases(self, root: Mapping) -> list[Case]:
        shared = {key: node for key, node in root.entries.items() if key in _CASE_KEYS}
        if "cases" not in root.entries:
            return [self._case(Mapping(root.line, shared))]
        cases = []
        written: list[Mapping] = self.notes.take(root, "cases", mappings_of, [])
        for case in written:
            self.notes.check_keys(case, "a case", _CASE_KEYS)
            cases.append(self._case(Mapping(case.line, {**shared, **case.entries})))
        for key in shared:
            if written and all(key in case.entries for case in written):
                self.notes.add(root.lines[key], f"{key} is used by no case: each has its own")
        return cases

    def _case(self, case: Mapping) -> Case:
        take = self.notes.take
        self.notes.check_keys(case, "a rule", case.entries, ("severity", "match", "at", "message", "fix"))
        self._facts = Conditions(self.notes, self._vocabulary)
        patterns: tuple[Pattern, ...] = take(case, "match", self._facts.match, ())
        return Case(
            severity=take(case, "severity", self._severity, {"default": "error"}),
            in_force=take(case, "in_force", self._in_force, InForce()),
            match=patterns,
            require=take(case, "require", partial(self._facts.require, patterns), ()),
            at=take(case, "at", self._where, Where("", "")),
            related=take(case, "related", self._related, ()),
            message=take(case, "message", self._text, ()),
            fix=take(case, "fix", self._text, ()),
            status=take(case, "status", self._status, StatusForm()),
            line=case.entries["match"].line if "match" in case.entries else case.line,
        )

    def _binds(self, node: Node) -> dict[str, str]:
        mapping = mapping_of(node, "binds says by profile, or under default, what binds a payer to the rule")
        for profile in mapping.entries:
            if profile != "default":
                self._check_profile(profile, mapping.lines[profile])
        return {profile: text_of(value) for profile, value in mapping.entries.items()}

    def _severity(self, node: Node) -> dict[str, RuleSeverity]:
        if isinstance(node, Scalar):
            return {"default": _severity_word(node, SEVERITIES)}
        mapping = mapping_of(node, "severity is error, warning, info, or a mapping of these by profile")
        if "default" not in mapping.entries:
            raise Wrong(node.line, "severity by profile needs a default")
        by_profile: dict[str, RuleSeverity] = {}
        for profile, value in mapping.entries.items():
            if profile not in ("default", ASKED):
                self._check_profile(profile, mapping.lines[profile])
            by_profile[profile] = _severity_word(value, (*SEVERITIES, "off"))
        return by_profile

    def _profile_names(self, node: Node) -> tuple[str, ...]:
        names = texts_of(node)
        for name in names:
            self._check_profile(name, node.line)
        return names

    def _check_profile(self, name: str, line: int) -> None:
        if name not in self._profiles:
            near = meant(name, self._profiles)
            raise Wrong(line, f"there is no profile {name!r}; there are {listed(self._profiles)}{near}")

    def _in_force(self, node: Node) -> InForce:
        mapping = mapping_of(node, "in_force is a mapping: {from: 2020-01-01, until: ..., by: service}")
        self.notes.check_keys(mapping, "in_force", ("from", "until", "by"))
        first: int | None = self.notes.take(mapping, "from", day_of, None)
        last: int | None = self.notes.take(mapping, "until", day_of, None)
        by = word_of(mapping.entries["by"]) if "by" in mapping.entries else "service"
        if first is not None and last is not None and first > last:
            raise Wrong(node.line, "in_force ends before it begins")
        if by not in ("service", "received"):
            raise Wrong(mapping.lines["by"], f"in_force goes by service or received, not {by!r}")
        if by == "received":
            return InForce(first, last, "received")
        for kind in list(self._facts.kinds.values())[:1]:
            field = self._vocabulary[kind].fields.get("date")
            if field is None or field.type != "date":
                raise Wrong(node.line, f"fact {kind!r} has no date; say by: received")
        return InForce(first, last)

    def _where(self, node: Node) -> Where:
        text = word_of(node)
        found = _AT.fullmatch(text)
        if not found:
            raise Wrong(
                node.line,
                f"{text!r} is not a place such as line SV101-3, line DTP03 472, pair.column_2 SV101-2",
            )
        alias, key = found["alias"], found["key"] or ""
        stands_on = self._facts.fact_type(alias, node.line).stands_on
        kind = self._facts.kinds[alias]
        if key and key not in stands_on:
            known = listed(stands_on)
            raise Wrong(node.line, f"fact {kind!r} has no place {key!r}; it has {known}")
        segment, part = found["segment"] or "", found["element"]
        if not segment and not self._vocabulary[kind].knows_its_place:
            raise Wrong(
                node.line, f"name the segment or element of {text!r}: fact {kind!r} does not know its own"
            )
        return Where(alias, key, segment, f"{segment}{part}" if part else None, found["qualifier"] or "")

    def _related(self, node: Node) -> tuple[Where, ...]:
        if not isinstance(node, Sequence):
            raise Wrong(node.line, "related is a list of places")
        return tuple(self._where(item) for item in node.items)

    def _text(self, node: Node) -> Text:
        text = text_of(node)
        parts: list[str | Reference] = []
        end = 0
        for slot in _SLOT.finditer(text):
            parts.append(_plain(text[end : slot.start()], node.line))
            parts.append(self._quoted(slot[1], slot[2], node.line))
            end = slot.end()
        parts.append(_plain(text[end:], node.line))
        return tuple(part for part in parts if part != "")

    def _quoted(self, alias: str, name: str, line: int) -> Reference:
        """A field that a finding may quote."""
        reference = self._facts.field(alias, name, line)
        if self._facts.fact_type(alias, line).fields[name].phi:
            raise Wrong(line, f"{alias}.{name} can identify a person: a finding must not quote it")
        return reference

    def _status(self, node: Node) -> StatusForm:
        mapping = mapping_of(node, 'status is a mapping: {277CA: ["A7:453"]}')
        self.notes.check_keys(mapping, "status", ("999", "277CA", "TA1"))
        none: tuple[str, ...] | Reference = ()
        return StatusForm(
            ack999=self.notes.take(mapping, "999", self._status_999, none),
            ack277ca=self.notes.take(mapping, "277CA", self._status_277ca, none),
            ta1=self.notes.take(mapping, "TA1", self._status_ta1, None),
        )

    def _status_999(self, node: Node) -> tuple[str, ...] | Reference:
        if isinstance(node, Scalar):
            return self._answers(node)
        codes = texts_of(node)
        for code in codes:
            if code not in CODES or code.startswith("TA1="):
                raise Wrong(node.line, f"{code!r} is not a 999 code such as IK304=3, IK403=7, AK905=5")
        return codes

    def _status_277ca(self, node: Node) -> tuple[str, ...] | Reference:
        return self._answers(node) if isinstance(node, Scalar) else _codes_277ca(node)

    def _status_ta1(self, node: Node) -> str | Reference:
        text = word_of(node)
        if text.startswith("$"):
            return self._answers(node)
        if f"TA1={text}" not in CODES:
            raise Wrong(node.line, f"{text!r} is not a TA1 note code; these have three digits, 000 to 031")
        return text

    def _answers(self, node: Node) -> Reference:
        text = word_of(node)
        found = REFERENCE.fullmatch(text)
        if not found:
            raise Wrong(node.line, f"{text!r} is not a list of codes, nor like $fault.answers")
        reference = self._quoted(found[1], found[2], node.line)
        if reference.type != "codes":
            raise Wrong(node.line, f"{text} holds no codes")
        return reference

    def _sources(self, node: Node) -> tuple[Source, ...]:
        sources = []
        for mapping in mappings_of(node):
            self.notes.check_keys(mapping, "a source", ("cite", "seen", "note"), ("cite", "seen"))
            sources.append(
                Source(
                    cite=self.notes.take(mapping, "cite", text_of, ""),
                    seen=self.notes.take(mapping, "seen", day_of, 0),
                    note=self.notes.take(mapping, "note", text_of, ""),
                )
            )
        return tuple(sources)

    def _examples(self, node: Node) -> Examples:
        mapping = mapping_of(node, "examples are {pass: [...], fail: [...]}")
        self.notes.check_keys(mapping, "examples", ("pass", "fail"), ("pass", "fail"))
        passing: _Notations = self.notes.take(mapping, "pass", _notations, ())
        failing: _Notations = self.notes.take(mapping, "fail", _notations, ())
        return Examples(passing, failing)


def _plain(text: str, line: int) -> str:
    if "{" in text or "}" in text:
        raise Wrong(line, "braces hold a field of a matched fact: {line.code}")
    return text


def _fault(node: Node) -> str:
    """The heading under which the findings are listed."""
    text = text_of(node)
    if len(text) > MAX_FAULT:
        raise Wrong(node.line, f"fault has {len(text)} characters: {MAX_FAULT} at most")
    if text.endswith("."):
        raise Wrong(node.line, "fault is a heading: without a full stop")
    if "{" in text or "}" in text:
        raise Wrong(node.line, "fault is the same for all findings: without braces")
    return text


def _snip(node: Node) -> int:
    text = word_of(node)
    if text not in ("1", "2", "3", "4", "5", "6", "7"):
        raise Wrong(node.line, f"snip is the SNIP type, 1 to 7, not {text!r}")
    return int(text)


def _fixable(node: Node) -> tuple[Safety, ...]:
    words = (node.text,) if isinstance(node, Scalar) else texts_of(node)
    if not words or any(word not in SAFETIES for word in words) or len(set(words)) < len(words):
        raise Wrong(node.line, "fixable is safe, unsafe, or both: [safe, unsafe]")
    return tuple(safety for safety in SAFETIES if safety in words)


def _severity_word(node: Node, allowed: tuple[str, ...]) -> RuleSeverity:
    word = word_of(node)
    if word not in allowed:
        raise Wrong(node.line, f"there is no severity {word!r} here; there are {listed(allowed)}")
    return cast("RuleSeverity", word)


def _codes_277ca(node: Node) -> tuple[str, ...]:
    statuses = texts_of(node)
    if len(statuses) > MAX_CODES_277CA:
        raise Wrong(node.line, f"an STC segment holds {MAX_CODES_277CA} statuses")
    if len(set(statuses)) < len(statuses):
        raise Wrong(node.line, "a status is listed twice")
    for status in statuses:
        found = _STATUS_277CA.fullmatch(status)
        if not found:
            raise Wrong(node.line, f"{status!r} is not a 277CA status such as A7:562:85")
        if found[1] in NEED_A_SECOND and len(statuses) == 1:
            raise Wrong(node.line, f"status code {found[1]} needs a second status with it")
    return statuses


def _notations(node: Node) -> _Notations:
    return tuple(
        {key: _notation(value) for key, value in mapping.entries.items()} for mapping in mappings_of(node)
    )


def _notation(node: Node) -> Notation:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_notation(item) for item in node.items]
    return {key: _notation(value) for key, value in node.entries.items()}
