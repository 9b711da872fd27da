"""One compiled pattern for each kind of block, made from the guide: a block that matches is without fault.

A pattern only ever says "certainly nothing wrong". Whatever it does not accept goes to the walker, which
alone says what is wrong: rare but legal forms (a leap day, loops in another order than the guide's, a blank
at the end of an element) are left to it too. Every repeat is possessive and every run of characters ends
before a separator, so that matching takes time in proportion to the text, whatever that text is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby

from edi_checker.guide.table import (
    Composite,
    Element,
    Guide,
    Item,
    Level,
    Loop,
    Segment,
    Usage,
    list_segments,
)
from edi_checker.x12.blocks import Delimiters

PROVED: tuple[Level, ...] = ("2000A", "2000B", "2000C", "2300")
MAX_TEXT = 1 << 16  # characters of a block that is matched; what is longer is walked, whose bounds then hold
WORTH = 400  # blocks of a kind after which its pattern is made: making it takes as long as walking so many

_NEVER = "(?!)"
# gh-106052: before 3.11.5 a possessive repeat of a group that backtracks does not match what it should.
_SOUND = sys.version_info >= (3, 11, 5)

_LONG = "(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])"
_SHORT = "(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02(?:0[1-9]|1[0-9]|2[0-8])"  # the 29th is the walker's
_DATE = f"(?:19|20)[0-9][0-9](?>{_LONG}|{_SHORT}|{_FEBRUARY})"
_TIME = "(?>[01][0-9]|2[0-3])[0-5][0-9]"
_FORMATS = {"D8": _DATE, "RD8": f"{_DATE}-{_DATE}"}

_ORDINALS = [str(number) for number in range(1, 100)]

Note = tuple[str, tuple[int, ...]]


class Patterns:
    """The patterns of one guide for one set of delimiters, each made when enough blocks of its kind came."""

    def __init__(self, guide: Guide, delimiters: Delimiters, worth: int = WORTH) -> None:
        self._guide = guide
        self._delimiters = delimiters
        usable = _SOUND and _can_be_written(delimiters)
        self._left: dict[Level, int] = dict.fromkeys(PROVED, worth) if usable else {}
        self._compiled: dict[Level, re.Pattern[str]] = {}
        start = re.escape(delimiters.terminator) + "LX" + re.escape(delimiters.element)
        self._line_numbers = re.compile(f"{start}([0-9]+)")

    def prove(self, level: Level, text: str) -> bool:
        """Whether the segments of a block (joined, without the last terminator) certainly have no fault.

        Says nothing of what a text alone does not tell: HL01, HL02, and what must follow the block.
        """
        pattern = self._compiled.get(level)
        if pattern is None:
            left = self._left.get(level)
            if left is None:
                return False
            if left:
                self._left[level] = left - 1
                return False
            pattern = self._compiled[level] = re.compile(write(self._guide, level, self._delimiters))
        if len(text) > MAX_TEXT or pattern.fullmatch(text + self._delimiters.terminator) is None:
            return False
        if level != "2300":
            return True
        numbers = self._line_numbers.findall(text)
        return numbers == _ORDINALS[: len(numbers)]


@lru_cache(maxsize=8)
def patterns_for(guide: Guide, delimiters: Delimiters) -> Patterns:
    """The patterns that all walkers of these delimiters share."""
    return Patterns(guide, delimiters)


def write(guide: Guide, level: Level, delimiters: Delimiters) -> str:
    """The pattern of a level's block, each of its segments ended by the terminator.

    Raises ValueError for delimiters that stand in codes, numbers or dates.
    """
    if not _can_be_written(delimiters):
        raise ValueError("no pattern can be written with these delimiters")
    return _Writer(delimiters, list(list_segments([guide.levels[level]]))).loop(guide.levels[level])


def _can_be_written(delimiters: Delimiters) -> bool:
    used = [delimiters.element, delimiters.component, delimiters.terminator]
    if delimiters.repetition:
        used.append(delimiters.repetition)
    return len(set(used)) == len(used) and all(
        len(each) == 1 and each.isascii() and not each.isalnum() and each not in " -." for each in used
    )


class _Writer:
    """Writes patterns with one set of delimiters; `nodes` are all segments of the level."""

    def __init__(self, delimiters: Delimiters, nodes: Sequence[Segment]) -> None:
        self.nodes = nodes
        self.e = re.escape(delimiters.element)
        self.c = re.escape(delimiters.component)
        self.t = re.escape(delimiters.terminator)
        apart = {delimiters.element, delimiters.component, delimiters.repetition, delimiters.terminator}
        inner = [chr(code) for code in range(33, 127) if chr(code) not in apart]
        self.last = _class(inner)
        self.any = _class([" ", *inner])
        self.skip = f"[^{self.t}]*+{self.t}"  # the rest of a segment
        self.filled = f"[^{self.e}{self.t}]"
        self.element = f"{self.e}[^{self.e}{self.t}]*+"
        self.ended = f"(?=[{self.e}{self.c}{self.t}])"

    # -- loops

    def loop(self, loop: Loop) -> str:
        """The loop once: its opener, then its children in order of position."""
        out = [self.segment(loop.opener)]
        for _, group in groupby(loop.children[1:], key=lambda child: child.position):
            children = list(group)
            inner = [child for child in children if isinstance(child, Loop)]
            segments = [child for child in children if isinstance(child, Segment)]
            for _, alike in groupby(segments, key=lambda node: node.id):
                out.append(self.siblings(list(alike)))
            for child in inner:
                guard = f"(?!{self.start(child.opener)})" if child.maximum else ""
                out.append(_times(self.loop(child), child.usage, child.maximum) + guard)
        return "".join(out)

    def siblings(self, nodes: list[Segment]) -> str:
        """Nodes of one id and position, in any order, none of them too often."""
        if len(nodes) == 1:
            [node] = nodes
            text = _times(self.segment(node), node.usage, node.maximum)
            rivalled = any(other is not node and _rival(node, other) for other in self.nodes)
            return text + (f"(?!{self.start(node)})" if node.maximum and rivalled else "")
        id = nodes[0].id
        out = []
        for node in nodes:
            if node.usage == "R":
                out.append(f"(?=(?:{id}{self.skip})*?{self.start(node)})")
        ways = []
        for node in nodes:
            # a code that two nodes share leaves the choice to the walker
            shared = frozenset().union(*(other.codes for other in nodes if other is not node))
            codes = node.codes - shared
            if not codes or node.key is None:
                continue
            more = self.more(node)
            guard = f"(?!(?:{more}){{{node.maximum}}})" if node.maximum else ""
            ways.append(self.body(node, codes) + guard)
        if ways:
            out.append(f"(?:{id}{self.e}(?>{'|'.join(ways)}))*+")
        rivals = [n for n in nodes if any(o not in nodes and _rival(n, o) for o in self.nodes)]
        out += [f"(?!{self.start(node)})" for node in rivals]
        return "".join(out)

    def start(self, node: Segment) -> str:
        """How a segment of this node begins, and no other of its level."""
        if node.key is None or node.key[0] != 1:
            return f"{node.id}{self.e}"
        return f"{node.id}{self.e}{_codes(node.codes)}{self.ended}"

    def more(self, node: Segment) -> str:
        """Up to and with the next segment of this node in a run of segments with its id."""
        start = self.start(node)
        return f"(?:(?!{start}){node.id}{self.e}{self.skip})*+{start}{self.skip}"

    # -- segments

    def segment(self, node: Segment) -> str:
        return f"{node.id}{self.e}{self.body(node, node.codes)}"

    def body(self, node: Segment, codes: frozenset[str]) -> str:
        """The segment behind its id and first separator, with the terminator; `codes` those of its key."""
        items = list(node.elements)
        usages = {number: item.usage for number, item in enumerate(items, 1)}
        if _is_chain(node.notes):
            return self.elements(node, usages, [], codes)
        usages, open_notes = _settle(usages, node.notes)
        if not open_notes:
            return self.elements(node, usages, open_notes, codes)
        # most segments stop before the elements of which a note speaks
        for last in range(len(items), 0, -1):
            if any(usages[number] == "R" for number in usages if number > last):
                break
            short, left = _settle(
                {number: "N" if number > last else usage for number, usage in usages.items()}, open_notes
            )
            if all(_is_pair(note) for note in left):
                if last == len(items):
                    break
                brief = self.elements(node, short, left, codes)
                return f"(?>{brief}|{self.elements(node, usages, open_notes, codes)})"
        return self.elements(node, usages, open_notes, codes)

    def elements(
        self, node: Segment, usages: dict[int, Usage], notes: list[Note], codes: frozenset[str]
    ) -> str:
        items = node.elements
        last = max((number for number, usage in usages.items() if usage != "N"), default=0)
        pairs = {note[1][0] for note in notes if _is_pair(note)}
        chained = _is_chain(node.notes)
        held = [note for note in notes if not _is_pair(note)]
        rest = ""
        number = last
        needed = False
        while number >= 1:
            item = items[number - 1]
            before = items[number - 2] if number > 1 else item
            said = usages[number], usages.get(number - 1, "N")
            step = 1
            if (item.number, before.number) == ("1251", "1250") and "N" not in said:
                step = 2
                value = self.period(before)
                required = "R" in said
                if not required:
                    value = f"(?>{value}|{self.e})"
            elif number - 1 in pairs:
                step = 2
                value = f"(?>{self.item(before, None)}{self.e}{self.item(item, None)}|{self.e})"
                required = False
            else:
                usage = usages[number]
                required = usage == "R"
                value = "" if usage == "N" else self.item(item, codes if self.is_key(node, number) else None)
                if usage == "S" and not chained:
                    value = f"(?:{value})?+"
            needed = needed or required
            number -= step
            opened = f"{value}{rest}"
            if number >= 1:
                opened = f"{self.e}{opened}" if needed else f"(?:{self.e}{opened})?+"
            rest = opened
        looks = "".join(self.note(*note) for note in held)
        return f"{looks}{rest}(?<![{self.e}{self.c}]){self.t}"

    def period(self, qualifier: Item) -> str:
        """A format qualifier and the date that is written as it says."""
        codes = qualifier.codes if isinstance(qualifier, Element) else frozenset()
        ways = [f"{code}{self.e}{_FORMATS[code]}" for code in sorted(codes & _FORMATS.keys())]
        return f"(?>{'|'.join(ways)})" if ways else _NEVER

    def is_key(self, node: Segment, number: int) -> bool:
        return node.key is not None and node.key[0] == number

    def item(self, item: Item, codes: frozenset[str] | None) -> str:
        """One element that is sent; `codes` are its own where the node is told from others by them."""
        if isinstance(item, Composite):
            return self.composite(item, codes)
        return self.value(item, codes)

    def composite(self, item: Composite, codes: frozenset[str] | None) -> str:
        parts = item.components
        last = max((at for at, part in enumerate(parts) if part.usage != "N"), default=-1)
        rest = ""
        needed = False
        for at in range(last, -1, -1):
            part = parts[at]
            value = "" if part.usage == "N" else self.value(part, codes if at == 0 else None)
            needed = needed or part.usage == "R"
            if part.usage == "S":
                value = f"(?:{value})?+"
            if at == 0:
                rest = f"{value}{rest}"
            else:
                rest = f"{self.c}{value}{rest}" if needed else f"(?:{self.c}{value}{rest})?+"
        return f"{rest}(?<![{self.e}{self.c}])"

    def value(self, item: Element, codes: frozenset[str] | None) -> str:
        low, high = item.minimum, item.maximum
        listed = codes or item.codes
        match item.type:
            case "ID" | "AN" if listed:
                return _codes(listed)
            case "R" | "N0" if listed:
                return _codes(frozenset(code for code in listed if code.isdigit() and code[0] != "0"))
            case "R" if low == 1 and high > 3:
                decimals = min(3, high // 2) if item.pattern else high // 2
                whole, rest = f"[0-9]{{1,{high - decimals}}}+", f"\\.[0-9]{{1,{decimals}}}+"
                return f"-?+(?>{whole}(?:{rest})?+|{rest})"
            case "R" | "N0":
                return f"[0-9]{{{low},{high}}}+"
            case "DT":
                return _DATE if low <= 8 <= high else _NEVER
            case "TM":
                return _TIME if low <= 4 <= high else _NEVER
            case "ID" | "AN" if item.pattern == "[0-9]{9}":
                return "[0-9]{9}" if low <= 9 <= high else _NEVER
            case "ID" | "AN" if not item.pattern:
                return self.last if high == 1 else f"(?! ){self.any}{{{low},{high}}}+(?<! )"
            case _:
                return _NEVER

    # -- notes

    def note(self, letter: str, numbers: tuple[int, ...]) -> str:
        """A look ahead, from the first element, that holds a relational note."""
        there = [self.is_sent(number) for number in numbers]
        match letter:
            case "P":
                return f"(?:{''.join(f'(?={t})' for t in there)}|{''.join(f'(?!{t})' for t in there)})"
            case "R":
                return f"(?={'|'.join(there)})"
            case "E":
                return "".join(
                    f"(?!(?={one}){two})" for at, one in enumerate(there) for two in there[at + 1 :]
                )
            case "C":
                return f"(?:(?!{there[0]})|{''.join(f'(?={t})' for t in there[1:])})"
            case "L":
                return f"(?:(?!{there[0]})|(?={'|'.join(there[1:])}))"
            case _:
                return _NEVER

    def is_sent(self, number: int) -> str:
        if number == 1:
            return self.filled
        return f"[^{self.e}{self.t}]*+(?:{self.element}){{{number - 2}}}{self.e}{self.filled}"


def _rival(node: Segment, other: Segment) -> bool:
    """Whether a segment may be of either node."""
    return node.id == other.id and (not node.codes or not other.codes or bool(node.codes & other.codes))


def _is_pair(note: Note) -> bool:
    """Whether the note is of two neighbours that are sent together or not at all."""
    letter, numbers = note
    return letter == "P" and len(numbers) == 2 and numbers[0] > 1 and numbers[1] == numbers[0] + 1


def _is_chain(notes: Sequence[Note]) -> bool:
    """Whether each element needs the one before it, so that none is left out."""
    return bool(notes) and all(letter == "C" and rest == [first - 1] for letter, (first, *rest) in notes)


def _settle(usages: dict[int, Usage], notes: Iterable[Note]) -> tuple[dict[int, Usage], list[Note]]:
    """The usages that the notes leave, and the notes that these do not settle."""
    usages = dict(usages)
    waiting = list(notes)
    changed = True
    while changed:
        changed = False
        left: list[Note] = []
        for letter, numbers in waiting:
            said = [usages.get(number, "N") for number in numbers]
            first, rest = said[0], said[1:]
            force: dict[int, Usage] = {}
            settled = False
            if letter == "P":
                settled = "R" in said or "N" in said
                force = dict.fromkeys(numbers, "R" if "R" in said else "N") if settled else {}
            elif letter == "R":
                settled = "R" in said
            elif letter == "E":
                settled = said.count("S") + said.count("R") <= 1
            elif letter == "C":
                settled = first == "N" or all(each == "R" for each in rest) or "N" in rest
                force = {numbers[0]: "N"} if "N" in rest else {}
            elif letter == "L":
                settled = first == "N" or "R" in rest or all(each == "N" for each in rest)
                force = {numbers[0]: "N"} if all(each == "N" for each in rest) else {}
            if not settled:
                left.append((letter, numbers))
                continue
            changed = True
            for number, usage in force.items():
                if number in usages and usages[number] == "S":
                    usages[number] = usage
        waiting = left
    return usages, waiting


def _times(text: str, usage: Usage, maximum: int) -> str:
    if maximum == 1:
        return text if usage == "R" else f"(?:{text})?+"
    low = 1 if usage == "R" else 0
    return f"(?:{text}){{{low},{maximum or ''}}}+"


def _class(characters: Iterable[str]) -> str:
    return f"[{''.join(re.escape(each) for each in characters)}]"


def _codes(codes: frozenset[str]) -> str:
    """The codes as one pattern, what several of them begin with written once; longer ones first."""
    written = sorted(code for code in codes if code.isascii() and code.isalnum())
    return _branch(written) if written else _NEVER


def _branch(codes: list[str]) -> str:
    ends = "" in codes
    longer = [code for code in codes if code]
    heads = {head: [code[1:] for code in group] for head, group in groupby(longer, lambda code: code[0])}
    singles = [head for head, rests in heads.items() if rests == [""]]
    ways = [head + _branch(rests) for head, rests in heads.items() if rests != [""]]
    if singles:
        ways.append(singles[0] if len(singles) == 1 else f"[{''.join(singles)}]")
    if not ways:
        return ""
    text = ways[0] if len(ways) == 1 and not ends else f"(?>{'|'.join(ways)})"
    return f"{text}?+" if ends else text
