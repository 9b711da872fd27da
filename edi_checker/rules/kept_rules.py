"""The rules that come with the checker as they were read, kept in the user's cache: YAML takes longer."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.facts import VOCABULARY
from edi_checker.files.kept import cache_folder, keep, read_kept
from edi_checker.rules.model import (
    Case,
    Examples,
    InForce,
    Pattern,
    Reference,
    Rule,
    Source,
    StatusForm,
    Term,
    Text,
    Where,
)
from edi_checker.rules.rule_files import RuleFile

_OLD_ONES = 3  # other versions of the checker may be in use beside this


@lru_cache(maxsize=2)
def kept_rules(files: tuple[RuleFile, ...]) -> Mapping[RuleFile, Rule]:
    """The rules of these files of the package; nothing where one of them is at fault."""
    folder = cache_folder()
    path = folder / f"rules-{_digest(files)}.json" if folder is not None else None
    rules = read_rules(path) if path is not None else None
    if rules is None:
        from edi_checker.rules.language import read_rule

        profiles = tuple(BUILT_IN)
        found = [read_rule(file.data, file.rule_id, file.path, VOCABULARY, profiles) for file in files]
        rules = [read.rule for read in found if read.rule is not None]
        if path is not None and len(rules) == len(files):
            keep_rules(rules, path)
    return dict(zip(files, rules, strict=True)) if len(rules) == len(files) else {}


def _digest(files: tuple[RuleFile, ...]) -> str:
    """Changes with the files, with what reads them, and with the facts that they may use."""
    digest = hashlib.sha256(repr(VOCABULARY).encode())
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    for text in (*texts, *(text for file in files for text in (file.rule_id.encode(), file.data))):
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()[:32]


def read_rules(path: Path) -> list[Rule] | None:
    """The rules that `keep_rules` wrote; None where there are none, or damaged ones."""
    text = read_kept(path)
    if text is None:
        return None
    try:
        plain = json.loads(text)
        references = [Reference(*each) for each in plain["references"]]
        return [_rule(each, references) for each in plain["rules"]]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def keep_rules(rules: list[Rule], path: Path) -> None:
    """Write the rules, and take away those of checkers that are long gone."""
    numbers: dict[Reference, int] = {}
    plain = [_plain_rule(rule, numbers) for rule in rules]
    references = [[each.alias, each.field, each.type, each.address] for each in numbers]
    keep(path, json.dumps({"references": references, "rules": plain}, separators=(",", ":")).encode())
    with contextlib.suppress(OSError):
        others = [other for other in path.parent.glob("rules-*.json") if other != path]
        for old in sorted(others, key=lambda other: other.stat().st_mtime)[:-_OLD_ONES]:
            old.unlink(missing_ok=True)


# ---- to plain lists; a reference is its number


def _number(reference: Reference, numbers: dict[Reference, int]) -> int:
    return numbers.setdefault(reference, len(numbers))


def _plain_rule(rule: Rule, numbers: dict[Reference, int]) -> list[Any]:
    return [
        rule.id,
        rule.path,
        rule.title,
        rule.fault,
        rule.why,
        rule.snip,
        rule.profiles,
        rule.binds,
        [_plain_case(case, numbers) for case in rule.cases],
        rule.documentation,
        [[source.cite, source.seen, source.note] for source in rule.sources],
        [rule.examples.passing, rule.examples.failing],
        rule.lines,
        rule.fixable,
    ]


def _plain_case(case: Case, numbers: dict[Reference, int]) -> list[Any]:
    def said(text: Any) -> Any:
        return _number(text, numbers) if isinstance(text, Reference) else text

    status = case.status
    return [
        case.severity,
        [case.in_force.first, case.in_force.last, case.in_force.by],
        [
            [pattern.alias, pattern.kind, [_plain_term(term, numbers) for term in pattern.terms]]
            for pattern in case.match
        ],
        [_plain_term(term, numbers) for term in case.require],
        _plain_where(case.at),
        [_plain_where(where) for where in case.related],
        [said(part) for part in case.message],
        [said(part) for part in case.fix],
        [said(status.ack999), said(status.ack277ca), said(status.ta1)],
        case.line,
    ]


def _plain_term(term: Term, numbers: dict[Reference, int]) -> list[Any]:
    field, value = _number(term.field, numbers), term.value
    if isinstance(value, Reference):
        return [field, term.operator, None, _number(value, numbers)]
    return [field, term.operator, value, None]


def _plain_where(where: Where) -> list[Any]:
    return [where.alias, where.key, where.segment, where.element, where.qualifier]


# ---- and back


def _rule(plain: list[Any], references: list[Reference]) -> Rule:
    id, path, title, fault, why, snip, profiles, binds, cases, documentation, sources, *rest = plain
    (passing, failing), lines, fixable = rest
    return Rule(
        id,
        path,
        title,
        fault,
        why,
        snip,
        tuple(profiles),
        binds,
        tuple([_case(case, references) for case in cases]),
        tuple(documentation),
        tuple([Source(*source) for source in sources]),
        Examples(tuple(passing), tuple(failing)),
        lines,
        tuple(fixable),
    )


def _case(plain: list[Any], references: list[Reference]) -> Case:
    severity, (first, last, by), match, require, at, related, message, fix, status, line = plain
    ack999, ack277ca, ta1 = status
    return Case(
        severity,
        InForce(first, last, by),
        tuple(
            [
                Pattern(alias, kind, tuple([_term(term, references) for term in terms]))
                for alias, kind, terms in match
            ]
        ),
        tuple([_term(term, references) for term in require]),
        Where(*at),
        tuple([Where(*where) for where in related]),
        _text(message, references),
        _text(fix, references),
        StatusForm(
            references[ack999] if isinstance(ack999, int) else tuple(ack999),
            references[ack277ca] if isinstance(ack277ca, int) else tuple(ack277ca),
            references[ta1] if isinstance(ta1, int) else ta1,
        ),
        line,
    )


def _text(parts: list[Any], references: list[Reference]) -> Text:
    return tuple([references[part] if isinstance(part, int) else part for part in parts])


def _term(plain: list[Any], references: list[Reference]) -> Term:
    field, operator, value, other = plain
    if other is not None:
        value = references[other]
    elif isinstance(value, list):
        value = tuple(value)
    return Term(references[field], operator, value)
