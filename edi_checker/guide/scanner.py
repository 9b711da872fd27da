"""Flat tables of one level of the guide, by which native code proves a block without fault.

They say what `placement` and `elements` say, in numbers: from which state which token of a segment leads
where, which values an element takes, what must be in a loop when it ends. They hold no delimiters. What the
tables cannot say has no move in them, so that the walker decides: codes that two nodes share, patterns that
the scanner does not know.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from edi_checker.guide import native
from edi_checker.guide.placement import Chart, Placement, Step, chart_for
from edi_checker.guide.table import LEVELS, Composite, Element, Guide, Item, Level, Segment, walk_loops
from edi_checker.x12.blocks import Delimiters

PROVED: tuple[Level, ...] = LEVELS
MAX_TEXT = 1 << 16  # characters of a block that is proved; what is longer is walked, whose bounds then hold
WORTH = 60  # blocks of a kind after which its tables are made: making them takes as long as walking so many

# As the enumerations of native/scanner.c.
_NEVER, _TEXT, _CODE, _NUMBER, _WHOLE, _DAY, _TIME, _PERIOD, _NINE_DIGITS, _COMPOSITE = range(10)
_MONEY, _THREE_DECIMALS = 1, 2
_NO_LOOP = 0xFFFF
_LONGEST_WORD = 5
_MOST_ELEMENTS = 32


class Tables(NamedTuple):
    """What `native.Scanner` takes beside delimiters: sections of records; how many tokens and counters."""

    sections: tuple[bytes, ...]
    tokens: int
    slots: int


class Scanners:
    """The scanners of one guide for one set of delimiters, each made when enough blocks of its kind came."""

    def __init__(self, guide: Guide, delimiters: Delimiters, worth: int = WORTH) -> None:
        self._guide = guide
        written = f"{delimiters.element}{delimiters.component}{delimiters.terminator}"
        self._delimiters = f"{written}{delimiters.repetition}".encode("ascii", "replace")
        usable = len(written) == 3
        self._left: dict[Level, int] = dict.fromkeys(PROVED, worth) if usable else {}
        self._made: dict[Level, native.Scanner] = {}

    def prove(self, level: Level, text: str) -> bool:
        """Whether the segments of a block (joined, without the last terminator) certainly have no fault.

        Says nothing of what a text alone does not tell: HL01, HL02, and what must follow the block.
        """
        made = self._made.get(level)
        return made.prove(text) if made is not None else self._prove_rarely(level, text)

    def _prove_rarely(self, level: Level, text: str) -> bool:
        left = self._left.get(level)
        if left is None:
            return False
        if left:
            self._left[level] = left - 1
            return False
        try:
            tables = compile_tables(self._guide, level)
            made = native.Scanner(tables.sections, self._delimiters, tables.tokens, tables.slots)
        except (ValueError, OverflowError):  # delimiters that stand in values too, a guide beyond the tables
            self._left = {}
            return False
        self._made[level] = made
        return made.prove(text)


@lru_cache(maxsize=8)
def scanners_for(guide: Guide, delimiters: Delimiters) -> Scanners | None:
    """The scanners that all walkers of these delimiters share; None where the native module is not there."""
    return Scanners(guide, delimiters) if native.IN_USE else None


@lru_cache(maxsize=2 * len(PROVED))
def compile_tables(guide: Guide, level: Level) -> Tables:
    """The tables of one level of a guide."""
    return _Compiler(chart_for(guide), level).compile()


class _Compiler:
    """Holds the numbering while the tables of one level are written."""

    def __init__(self, chart: Chart, level: Level) -> None:
        self.chart = chart
        self.root = chart.roots[level]
        self.loops = list(walk_loops(chart.guide.levels[level]))
        self.segments = [c for loop in self.loops for c in loop.children if isinstance(c, Segment)]
        # counters: one for the level, then one for each child of each loop
        self.slots: dict[int, int] = {self.loops[0].index: 0}
        self.bases: list[int] = []
        for loop in self.loops:
            self.bases.append(len(self.slots))
            for child in loop.children:
                self.slots[child.index] = len(self.slots)
        # codes that several segments of a loop have: which of these is meant is the walker's to say
        self.shared = {
            (node.index, code)
            for loop in self.loops
            for node in loop.children
            for other in loop.children
            if isinstance(node, Segment) and isinstance(other, Segment)
            if node is not other and node.id == other.id
            for code in node.codes & other.codes
        }
        self.words: dict[int, int] = {}
        self.tokens: dict[str, int] = {}  # as of `Chart.token`
        self.ids = array("H")
        self.id_lists: dict[str, int] = {}
        self.named: dict[str, list[str]] = {}  # tokens by id
        self.code_lists: dict[frozenset[str], int] = {}
        self.steps = array("H")
        self.nodes = array("H")
        self.items = array("H")
        self.notes = array("H")

    def compile(self) -> Tables:
        self.write_ids()
        for node in self.segments:
            self.write_node(node)
        moves = self.write_moves()
        loops, needed = self.write_loops()
        words, values = self.hash_words()
        records = (
            words,
            values,
            self.ids,
            moves,
            self.steps,
            self.nodes,
            self.items,
            self.notes,
            loops,
            needed,
        )
        return Tables(tuple(each.tobytes() for each in records), len(self.tokens), len(self.slots))

    # -- words

    def add_word(self, number: int, text: str, value: int) -> bool:
        """Put a word on a list; whether it can be one."""
        if not 0 < len(text) <= _LONGEST_WORD or not text.isascii() or not text.isalnum():
            return False
        self.words[number << 40 | int.from_bytes(text.encode())] = value
        return True

    def hash_words(self) -> tuple[array[int], array[int]]:
        size = 1 << (2 * len(self.words)).bit_length()
        words, values = array("Q", bytes(8 * size)), array("H", bytes(2 * size))
        for word, value in self.words.items():
            place = (word * 0x9E3779B97F4A7C15 >> 32) & 0xFFFFFFFF & (size - 1)
            while words[place]:
                place = (place + 1) & (size - 1)
            words[place], values[place] = word, value
        return words, values

    def write_ids(self) -> None:
        """Segment ids and the codes behind them; list 0 is of ids, list n of the codes of id n - 1."""
        for node in self.segments:
            if node.id not in self.id_lists:
                number = len(self.id_lists)
                self.id_lists[node.id] = number
                self.add_word(0, node.id, number)
        for id, number in self.id_lists.items():
            nodes = [node for node in self.segments if node.id == id]
            [at] = {node.key[0] for node in nodes if node.key} or {0}
            other = self.tokens.setdefault(f"{id}*", len(self.tokens))
            for code in sorted(frozenset[str]().union(*(node.codes for node in nodes))):
                self.add_word(number + 1, code, self.tokens.setdefault(f"{id}*{code}", len(self.tokens)))
            self.ids.extend((number + 1, at, other))
        for token in self.tokens:
            self.named.setdefault(token.partition("*")[0], []).append(token)

    def list_of(self, codes: frozenset[str]) -> int:
        if codes not in self.code_lists:
            number = self.code_lists[codes] = 1 + len(self.id_lists) + len(self.code_lists)
            for code in codes:
                self.add_word(number, code, 0)
        return self.code_lists[codes]

    # -- segments

    def write_node(self, node: Segment) -> None:
        used = [at for at, item in enumerate(node.elements, 1) if item.usage != "N"]
        count = max(used, default=0)
        if max(count, *(number for _, numbers in node.notes for number in numbers), 0) > _MOST_ELEMENTS:
            raise ValueError(f"{node.id} has more than {_MOST_ELEMENTS} elements")
        first = self.write_items(node.elements[:count])
        note = len(self.notes) // _NOTE
        for letter, numbers in node.notes:
            self.notes.extend((ord(letter), numbers[0] - 1, *_halves(numbers)))
        self.nodes.extend((self.slots[node.index], node.maximum, first, count, note, len(node.notes)))
        self.nodes.extend((*_halves(_required(node.elements)), node.id == "LX"))

    def write_items(self, items: Sequence[Item]) -> int:
        """Write items one behind the other; the number of the first one."""
        parts = {
            at: self.write_items(item.components[: item.used])
            for at, item in enumerate(items)
            if isinstance(item, Composite)
        }
        first = len(self.items) // _ITEM
        before: Item | None = None
        for at, item in enumerate(items):
            if isinstance(item, Composite):
                kind = _COMPOSITE if item.usage != "N" else _NEVER
                self.items.extend((kind, 0, 0, 0, 0, parts[at], item.used))
                self.items.extend(_halves(_required(item.components)))
            else:
                kind, flags = _kind(item, before)
                listed = self.list_of(item.codes) if kind == _CODE else 0
                self.items.extend((kind, flags, item.minimum, item.maximum, listed, 0, 0, 0, 0))
            before = item
        return first

    # -- places

    def write_moves(self) -> array[int]:
        """What each token does in each state. State 0 is before the segment that opens the level."""
        opener = self.loops[0].opener
        states: dict[int, int] = {}
        waiting: list[Placement] = []
        numbers: dict[tuple[int, ...], int] = {}
        nodes = {node.index: number for number, node in enumerate(self.segments)}
        loops = {loop.index: number for number, loop in enumerate(self.loops)}

        def state_of(spot: Placement) -> int:
            if id(spot) not in states:
                states[id(spot)] = len(states) + 1
                waiting.append(spot)
            return states[id(spot)]

        def number_of(step: Step) -> int:
            opened = loops[step.opened[0].index] if step.opened else _NO_LOOP
            record = (nodes[step.node.index], state_of(step.spot), step.keep, opened)
            return numbers.setdefault(record, len(numbers) + 1)

        moves = array("H")
        waiting.append(self.root)
        while waiting:
            spot = waiting.pop(0)
            row = array("H", bytes(2 * len(self.tokens)))
            for token, step in self.choose(spot).items():
                if spot is not self.root or step.node is opener:
                    row[token] = number_of(step)
            moves.extend(row)
        for record in numbers:
            self.steps.extend(record)
        return moves

    def choose(self, spot: Placement) -> dict[int, Step]:
        """The step of each token that has one: the nearest that it fits."""
        chosen: dict[str, Step] = {}
        for step in self.chart.reach(spot):
            node = step.node
            tokens = self.named[node.id] if not node.codes else [f"{node.id}*{code}" for code in node.codes]
            for token in tokens:
                chosen.setdefault(token, step)
        return {
            self.tokens[token]: step
            for token, step in chosen.items()
            if (step.node.index, token.partition("*")[2]) not in self.shared
        }

    def write_loops(self) -> tuple[array[int], array[int]]:
        loops, needed = array("H"), array("H")
        for loop, base in zip(self.loops, self.bases, strict=True):
            required = [self.slots[child.index] for child in self.chart.required[loop.index]]
            slot = self.slots[loop.index]
            single = loop.opener.id != "NM1"  # of two names that are alike, each may open a loop
            loops.extend((slot, loop.maximum, base, len(loop.children), len(needed), len(required), single))
            needed.extend(required)
        return loops, needed


_ITEM, _NOTE = 9, 4  # numbers of a record


def _kind(item: Element, before: Item | None) -> tuple[int, int]:
    """What the scanner looks for in a value, and the flags of that; NEVER leaves it to the walker."""
    if item.usage == "N":
        return _NEVER, 0
    match item.type:
        case "R" | "N0" if item.codes:
            return _NEVER, 0
        case "R" | "N0" if not item.pattern:
            return (_NUMBER if item.type == "R" else _WHOLE), _MONEY * (item.number == "782")
        case "R" if item.pattern == _FEW_DECIMALS and item.number != "782":
            return _NUMBER, _THREE_DECIMALS
        case "DT" if item.minimum <= 8 <= item.maximum:
            return _DAY, 0
        case "TM":
            return _TIME, 0
        case "ID" | "AN" if item.codes:
            return _CODE, 0
        case "ID" | "AN" if item.pattern == _NINE and item.minimum <= 9 <= item.maximum:
            return _NINE_DIGITS, 0
        case "ID" | "AN" if not item.pattern:
            # the walker reads a date only where the format before it is a plain element
            dated = item.number == "1251" and isinstance(before, Element) and before.number == "1250"
            if dated and not (item.minimum <= 8 and item.maximum >= 17):
                return _NEVER, 0
            return (_PERIOD if dated else _TEXT), 0
        case _:
            return _NEVER, 0


_NINE, _FEW_DECIMALS = "[0-9]{9}", r"[^.]*(\.[0-9]{0,3})?"


def _halves(numbers: Iterable[int]) -> tuple[int, int]:
    """The mask of these elements, counted from 1: its low and its high half."""
    mask = sum({1 << (number - 1) for number in numbers})
    return mask & 0xFFFF, mask >> 16


def _required(items: Sequence[Item]) -> list[int]:
    return [number for number, item in enumerate(items, 1) if item.usage == "R"]
