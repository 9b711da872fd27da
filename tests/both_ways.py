"""Claims checked with what is remembered of others, and without any memory: both must say the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from book import BOOK
from edi_checker.check import checker as checker_module
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.claim import Claim, Part
from edi_checker.claims.reader import read_parts
from edi_checker.facts import InputMemory, Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.rules.rulebook import Rulebook
from edi_checker.x12.blocks import NotX12, read_blocks

GUIDE = load_guide()
RECEIVED = 20261121


class Pair(NamedTuple):
    """A checker with memory and one without."""

    fast: Checker
    slow: Checker


def make_pair(book: Rulebook = BOOK, received: int = RECEIVED, **setting: Any) -> Pair:
    given = Setting(**{"received": received, "tables": built_in()} | setting)
    return Pair(*[Checker(GUIDE, Engine(book), given, fast=fast) for fast in (True, False)])


@cache
def usual(received: int = RECEIVED) -> Pair:
    """The packaged rules; what is remembered stays from one test to the next."""
    return make_pair(received=received)


def said(of: Checker, text: str, memory: InputMemory | None = None) -> object:
    """All that is said of a text: parts, findings, outcomes, days of claims, which rules were in force."""
    of.engine.begin()
    try:
        parts = [
            (
                type(each.part).__name__,
                each.findings,
                each.outcome,
                each.failed,
                (each.part.id, each.part.dates, each.part.line_count) if isinstance(each.part, Claim) else (),
            )
            for each in of.check(io.BytesIO(text.encode("utf-8", "surrogateescape")), memory)
        ]
    except NotX12 as error:
        return str(error)
    return parts, of.engine.tally()


def assert_same(text: str, pair: Pair | None = None) -> Any:
    """What both say of the text."""
    fast, slow = pair or usual()
    found = said(fast, text)
    assert found == said(slow, text)
    return found


def with_setting(pair: Pair, **changes: Any) -> Pair:
    """The same engines, and what they remember, in other setting."""
    return Pair(*[replace(each, setting=replace(each.setting, **changes)) for each in pair])


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def parts_in(text: str) -> Iterator[Part]:
    yield from read_parts(read_blocks(io.BytesIO(text.encode("utf-8", "surrogateescape"))), GUIDE)


def claims_in(text: str) -> Iterator[Claim]:
    return (part for part in parts_in(text) if isinstance(part, Claim))


def findings_in(found: Any) -> list[Any]:
    return [finding for part in found[0] for finding in part[1]]


def count(found: Any, rule: str) -> int:
    return sum(finding.rule == rule for finding in findings_in(found))


def watch_memory(pair: Pair, monkeypatch: Any) -> Callable[[], tuple[int, int]]:
    """How many claims the memory decided, and how many it left to be looked at as a whole."""
    decided = [0, 0]
    judge = checker_module.judge_by_pieces

    def counted(*given: Any) -> Any:
        found = judge(*given)
        decided[found is None] += 1
        return found

    monkeypatch.setattr(checker_module, "judge_by_pieces", counted)
    return lambda: (decided[0], decided[1])
