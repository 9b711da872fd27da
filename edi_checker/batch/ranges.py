"""A large input in ranges of its blocks, each checked by itself: by whole sets, or by subscribers of one.

Where a range begins within a transaction set, the blocks that stand above it are walked before it, as if
nothing had stood between. Whether that was right is seen when the ranges are joined: see joining.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from edi_checker.batch.memory import Noted, RangeMemory
from edi_checker.check.ahead import cut_ahead, glance_over
from edi_checker.check.checker import MANY, MANY_KEYS, Checker, role_of, take_handfuls, with_following
from edi_checker.check.engine import Met
from edi_checker.claims.claim import BlockView, Claim, GroupEnd, InterchangeEnd, Part, TransactionEnd
from edi_checker.claims.reader import Reader
from edi_checker.facts import Coverage, Gap
from edi_checker.guide.hierarchy import LevelsSoFar
from edi_checker.guide.walker import Walked, Walker
from edi_checker.run.history import Asked, InputHistory
from edi_checker.x12.blocks import Block, Delimiters, Fault
from edi_checker.x12.finding import Finding

RANGE = 1 << 19  # characters from which a range ends with the next transaction set
LARGE = 1 << 21  # the same where to give a task takes long
_MEMBER = 7  # NM109, from NM102 on
_WITHIN = 2  # times as long it ends with the next subscriber, where no set ends before
End = (TransactionEnd, GroupEnd, InterchangeEnd)
LONGEST = 1 << 25  # characters of one range; an input with a longer set that cannot be cut is left whole


class Irregular(Exception):
    """The input cannot be cut, or not without a risk to its findings: it must be checked in one piece."""


class _Inside(NamedTuple):
    """HL segments of the open set: before its last billing provider, and before the range."""

    above: int
    levels: int


@dataclass(frozen=True, slots=True)
class Range:
    """Blocks of one input that follow each other, and what they stand in.

    number     of the range in its input, from 0
    above      the blocks that are open where it begins: ISA and GS, within a set also ST and billing provider
    inside     None where it does not begin within a set
    following  the block after it, None at the end of the input
    """

    number: int
    above: tuple[Block, ...]
    inside: _Inside | None
    blocks: tuple[Block, ...]
    following: Block | None

    def with_following(self) -> Iterator[tuple[Block, Block | None]]:
        """Each block and the one after it."""
        return pairwise((*self.blocks, self.following))  # type: ignore[arg-type]  # only the last one is None


class Judged(NamedTuple):
    """What was found out of a part that has these faults."""

    faults: tuple[Fault, ...]
    findings: tuple[Finding, ...]
    failed: str
    noted: Noted


class Answer(NamedTuple):
    """What became of one block: what the walker said of it, where it was asked, and the parts it opened."""

    walked: Walked | None
    opened: tuple[Judged, ...]


# The parts that are open above a range: each as it is written, with its faults.
Standing = tuple[tuple[object, tuple[Fault, ...]] | None, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of a range, block by block.

    `above` is what it was read under, `begin` and `end` the hierarchy before and after it, `past` what it was
    held against of the history.
    """

    blocks: list[Answer]
    above: Standing
    begin: LevelsSoFar | None
    end: LevelsSoFar | None
    met: Met
    gaps: tuple[Gap, ...]
    past: Asked | None = None


def cut_ranges(blocks: Iterable[Block], size: int = RANGE) -> Iterator[Range]:
    """The blocks of an input in ranges. Holds one range; raises Irregular where that would be too long."""
    isa = gs = st = provider = person = None
    above = levels = number = length = 0
    head: tuple[Block | None, ...] = ()
    inside: _Inside | None = None
    held: list[Block] = []
    for block in blocks:
        at_set = block.kind == "ST" and gs is not None and length >= size
        opens = block.kind == "HL" and _level_code(block) == "22"
        within = (
            length >= _WITHIN * size and provider is not None and opens and _is_another(block, person, held)
        )
        if at_set or within:
            yield Range(number, tuple(filter(None, head)), inside, tuple(held), block)
            number, length, held = number + 1, 0, []
            head = (isa, gs, st, provider) if within else (isa, gs)
            inside = _Inside(above, levels) if within else None
        match block.kind:
            case "ISA" | "IEA":
                isa, gs, st, provider = block, None, None, None
            case "GS":
                gs = block
            case "GE":
                gs = st = provider = None
            case "ST" | "SE":
                st, provider, levels = block, None, 0
            case "HL":
                if _level_code(block) == "20":
                    provider, above = block, levels
                person = block if opens else person
                levels += 1
        held.append(block)
        length += len(block.text) + 1
        if length > LONGEST:
            raise Irregular
    yield Range(number, tuple(filter(None, head)), inside, tuple(held), None)


def _is_another(subscriber: Block, before: Block | None, held: list[Block]) -> bool:
    """Whether this subscriber comes behind a claim, and is another than the one before: claims of a person
    that follow each other are held against each other.
    """
    return held[-1].kind == "CLM" and before is not None and _member_of(before) != _member_of(subscriber)


def _member_of(subscriber: Block) -> str:
    """NM109 of the subscriber"""
    e, t = subscriber.delimiters.element, subscriber.delimiters.terminator
    named = subscriber.text.partition(f"{t}NM1{e}IL{e}")[2].partition(t)[0].split(e)
    return named[_MEMBER] if len(named) > _MEMBER else ""


def _level_code(block: Block) -> str:
    """HL03"""
    elements = block.text.partition(block.delimiters.terminator)[0].split(block.delimiters.element, 4)
    return elements[3] if len(elements) > 3 else ""


def check_range(checker: Checker, given: Range, least: int, history: InputHistory | None = None) -> Answers:
    """Check a range by itself; `least` as of memory.RangeMemory."""
    checker.engine.begin()
    coverage = Coverage()
    noting = RangeMemory(checker.setting.minutes, coverage, least, history)
    noting.memory.report_days(checker.engine.meet)
    walks = _Walks(checker)
    reader = Reader(walks.open)
    for block, behind in pairwise((*given.above, given.blocks[0])):
        list(reader.read(block, behind))
        if given.inside is not None and walks.walker is not None:
            walks.walker.pass_over(given.inside.above if block.kind == "ST" else given.inside.levels)
    above, begin = standing(reader, inside=given.inside is not None), walks.hierarchy
    answers: list[Answer] = []
    many = MANY if history is None else MANY_KEYS
    handfuls = take_handfuls(given.with_following(), lambda pair: len(pair[0].text), many)
    for handful in with_following((_read(reader, walks, each) for each in handfuls), _role_of):
        if history is not None:
            claims = [part for (_, opened, _), _ in handful for part in opened if isinstance(part, Claim)]
            cut_ahead(claims)
            history.fetch(glance_over(claims), checker.setting)
        for (walked, opened, _), following in handful:
            judged = tuple(_judge(checker, part, noting, following) for part in opened)
            answers.append(Answer(walked, judged))
    past = history.asked_so_far() if history is not None else None
    return Answers(answers, above, begin, walks.hierarchy, checker.engine.met(), coverage.gaps(), past)


# What the walker said of a block, the parts that it opens, and whether it ends any.
_Opened = tuple[Walked | None, list[Part], bool]


def _read(reader: Reader, walks: _Walks, pairs: Iterable[tuple[Block, Block | None]]) -> list[_Opened]:
    found: list[_Opened] = []
    for block, following in pairs:
        walks.walked = None
        parts = list(reader.read(block, following))
        opened: list[Part] = [part for part in parts if not isinstance(part, End)]
        found.append((walks.walked, opened, len(opened) < len(parts)))
    return found


def _role_of(read: _Opened) -> Claim | bool:
    """As of check.checker.with_following."""
    _, opened, ends = read
    roles = [role_of(part) for part in opened]
    return False if ends or not all(roles) else next((role for role in roles if role is not True), True)


def _judge(checker: Checker, part: Part, noting: RangeMemory, following: Iterable[Claim]) -> Judged:
    findings, failed = checker.judge(part, noting.memory, following)
    return Judged(part.faults, findings, failed, noting.take_noted())


class _Walks:
    """Real walkers, one for each set, and what the last one said."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self.walker: Walker | None = None
        self.walked: Walked | None = None

    def open(self, delimiters: Delimiters) -> _Walks:
        self.walker = Walker(self._checker.guide, delimiters, fast=self._checker.fast)
        return self

    def walk(self, block: Block, following: Block | None) -> Walked:
        assert self.walker is not None
        self.walked = self.walker.walk(block, following)
        return self.walked

    @property
    def hierarchy(self) -> LevelsSoFar | None:
        return self.walker.levels_so_far if self.walker is not None else None


def standing(reader: Reader, *, inside: bool) -> Standing:
    """What is open above the next block."""
    parts = (*reader.open_headers(), reader.provider) if inside else reader.open_headers()[:2]
    return tuple(
        None if part is None else (part.block if isinstance(part, BlockView) else part, part.faults)
        for part in parts
    )
