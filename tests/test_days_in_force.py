"""Every dated rule on both sides of its dates: its failing example, moved to the edge and a day beyond it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import AddOn, MueLimit, Procedure, PtpEdit, built_in
from edi_checker.rules import Rule
from edi_checker.rules.model import Case
from edi_checker.x12.finding import Finding

DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
SET_DAY = re.compile(r"\b(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b")
EDGES = [
    pytest.param(rule, number, edge, id=f"{rule.id}-{number}-{edge}")
    for rule in BOOK.rules
    for number, case in enumerate(rule.cases)
    for edge in (case.in_force.first, case.in_force.last)
    if edge is not None
]

# What fires only where a list is imported can have no example in its rule.
DRUG = "J9271"
NEEDS_A_LIST = {("modifier.missing", 1): [{"lines": [f"{DRUG} x1"]}]}


class OfToday:
    """The built-in tables as they are today, for every day; with one drug of single doses."""

    def __init__(self) -> None:
        self._tables = built_in()
        self._on = 20260203

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tables, name)

    def of(self, _profile: str) -> OfToday:
        return self

    def era(self, _on: int) -> int:
        return self._on

    def ptp(self, one: str, other: str, _on: int) -> PtpEdit | None:
        return self._tables.ptp(one, other, self._on)

    def mue(self, code: str, _on: int) -> MueLimit | None:
        return self._tables.mue(code, self._on)

    def addon(self, code: str, _on: int) -> AddOn | None:
        return self._tables.addon(code, self._on)

    def procedure(self, code: str, _on: int) -> Procedure | None:
        found = self._tables.procedure("97530" if code == DRUG else code, self._on)
        return replace(found, code=code, single_dose=True) if found and code == DRUG else found


TABLES = OfToday()


def as_date(on: int) -> date:
    return date(on // 10000, on // 100 % 100, on % 100)


def as_number(on: date) -> int:
    return int(f"{on:%Y%m%d}")


def move(value: Any, by: timedelta) -> Any:
    """Every day that an example writes, moved."""
    if isinstance(value, Mapping):
        return {key: move(each, by) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [move(each, by) for each in value]
    if not isinstance(value, str):
        return value
    value = DAY.sub(lambda found: str(date.fromisoformat(found[0]) + by), value)
    return SET_DAY.sub(lambda found: str(as_number(as_date(int(found[0])) + by)), value)


def move_to(example: Mapping[str, Any], case: Case, day: date) -> Mapping[str, Any]:
    """The example as if its first day of service, or of receipt, were that day."""
    claim = {"date": "2026-02-03", "received": "2026-03-02", **(example.get("claim") or {})}
    if case.in_force.by == "received":
        return {**example, "claim": {**claim, "received": str(day)}}
    days = DAY.findall(" ".join(example.get("lines") or ()))
    first = date.fromisoformat(min(days, default=claim["date"]))
    moved: Mapping[str, Any] = move({**example, "claim": claim}, day - first)
    return moved


@cache
def checker_of(rule_id: str, number: int) -> Checker:
    """A checker with that case of the rule, and nothing else."""
    rule = next(each for each in BOOK.rules if each.id == rule_id).asked()
    book = replace(BOOK, rules=(replace(rule, cases=(rule.cases[number],)),))
    return Checker(load_guide(), Engine(book, "python"), Setting(20260302, TABLES))


def fires(rule: Rule, number: int, day: date) -> bool:
    found: list[Finding] = []
    for example in (*rule.examples.failing, *NEEDS_A_LIST.get((rule.id, number), ())):
        found += run_example(checker_of(rule.id, number), move_to(example, rule.cases[number], day))
    return bool(found)


@pytest.mark.parametrize(("rule", "number", "edge"), EDGES)
def test_a_rule_holds_on_its_edge_and_not_beyond(rule: Rule, number: int, edge: int) -> None:
    case = rule.cases[number]
    beyond = as_date(edge) + timedelta(-1 if edge == case.in_force.first else 1)
    assert fires(rule, number, as_date(edge))
    assert not fires(rule, number, beyond)


def test_there_are_dated_rules() -> None:
    assert len(EDGES) >= 12
