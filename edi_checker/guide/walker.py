"""Places every segment in the guide and notes faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from edi_checker.guide.elements import CONTROL, DIGITS, check_elements, list_codes, list_faults, show_value
from edi_checker.guide.patterns import Patterns, patterns_for
from edi_checker.guide.placement import Placement, Step, chart_for, fits, list_chains
from edi_checker.guide.table import LEVELS, Composite, Guide, Level, Loop, Segment, list_segments
from edi_checker.x12.blocks import Block, Delimiters, Fault

MEMO = 50_000  # segments known to be without fault that a walker remembers before it starts afresh
CLAIMS = 100  # claims that one patient may have in a transaction set
REACH = 12  # segments looked ahead when a segment has no place
BLOCK_SEGMENTS = 50_000  # segments walked in one block; the longest legal claim has some thousands
BLOCK_LOOPS = 20_000  # loops opened in one block; a claim with all its lines has some hundreds
BLOCK_FAULTS = 500  # faults noted in one block; what follows them says nothing new

# Segments of the 837 of the base standard that this guide does not use (IK304 = I4).
_STANDARD = re.compile("CL1|CR4|CR5|CR6|CR7|CR8|DN1|DN2|DSB|HSD|IMM|MIA|N2|SV2|SV3|SV4|SV6|SV7|TOO|UR")
# Segments of the other sets that are used in health care (IK304 = 6).
_OTHERS = re.compile(
    "AAA|ADX|AK1|AK2|AK9|BEG|BGN|BPR|CLP|COB|CTX|DED|EB|ENT|EQ|HD|ICM|IDC|IK3|IK4|IK5|III|"
    "IND|INS|LE|LS|LUI|MPI|MSG|ORG|PLA|PLB|RDM|RMR|RMT|RRA|SLN|STC|SVC|TRN|TS2|TS3|UM|VEH"
)
_MEMBERS = frozenset(("N2", "N3", "N4", "PER", "PRV", "REF", "DMG"))  # what an NM1 may carry with it
_OPENERS = frozenset(("NM1", "LX", "SBR", "SVD", "LIN", "LQ", "CLM", "HL"))
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")


# HL segments so far, the number of the last one, and the numbers by which the billing provider is known.
Hierarchy = tuple[int, int, tuple[str, ...]]


class Walked(NamedTuple):
    """What a block is, and what is wrong with it.

    level   the level at which the block starts: `header`, `2000A`, `2000B`, `2000C`, `2300`, `trailer`;
            "" for a block that is no part of a transaction set
    faults  in order of position
    """

    level: str
    faults: tuple[Fault, ...]


class _Instance:
    """One instance of a loop: how often each child stands in it, and in which order."""

    __slots__ = ("counts", "end", "loop", "marks", "parent")

    def __init__(self, loop: Loop, parent: _Instance | None = None) -> None:
        self.loop = loop
        self.parent = parent
        self.counts: dict[int, int] = {}
        self.marks: list[tuple[int, int]] = []
        self.end = 0  # position of the segment that closed it, 0 while it is open

    def count(self, child: Segment | Loop, position: int) -> int:
        count = self.counts[child.index] = self.counts.get(child.index, 0) + 1
        self.marks.append((child.position, position))
        return count


@dataclass(frozen=True, slots=True)
class _Remedy:
    """A guess at what happened where a segment has no place: the fault, and where the reading goes on.

    cost     what the guess asks one to believe, less is better
    fault    to be noted; None for what is said elsewhere
    step     how the segment is placed; None where it is passed over
    level    the level that starts here, "" where none does
    credit   (instance, node) that the segment counts for without moving the place of reading
    implied  whether the loops of the step lack their opener
    ahead    the node of a loop that the next segment opens
    moved    (instance, node) counted before, and now known to be of the instance before
    reopened the instance at whose end reading goes on, as if it had not been closed
    swallow  whether what an NM1 carries with it is passed over in silence
    check    whether the elements of the segment are to be checked against the node
    """

    cost: float
    fault: Fault | None
    step: Step | None = None
    level: Level | None = None
    credit: tuple[_Instance, Segment] | None = None
    check: bool = True
    implied: bool = False
    ahead: Segment | None = None
    moved: tuple[_Instance, Segment] | None = None
    reopened: _Instance | None = None
    swallow: bool = False


@dataclass(frozen=True, slots=True)
class _Late:
    """A required segment (`raw`, of `node`) that stands after the opener of the loop that follows its own."""

    instance: _Instance
    raw: str
    node: Segment
    noted: bool = False


class Walker:
    """Walks one transaction set, block by block, in order. Any number of walkers may share the guide.

    `fast` lets patterns pass the blocks that they prove clean; the faults are the same without.
    """

    def __init__(self, guide: Guide, delimiters: Delimiters, *, fast: bool = True) -> None:
        self._chart = chart_for(guide)
        self._patterns = patterns_for(guide, delimiters) if fast else None
        self._delimiters = delimiters
        self._subscriber_ahead = _write_subscriber(delimiters)
        self._clean: set[tuple[int, str]] = set()
        self._level: Level = "header"
        self._spot: Placement = self._chart.roots["header"]
        self._stack: list[_Instance] = []
        self._instances: list[_Instance] = []
        # hierarchy
        self._hl_count = 0
        self._hl_last = 0
        self._parents: dict[Level, tuple[str, ...]] = {}
        self._above: Level = "header"
        self._claims = 0
        self._subscriber: tuple[str, int] | None = None  # HL04 and position, until it is known what follows
        self._excused = False  # a fault already noted explains what the next HL lacks
        # a header segment that stands twice: its first block is passed over
        self._doubled = ""
        # nodes whose segment was sent just before the segment that opens its loop
        self._early: list[Segment] = []
        # a segment that was sent just after the HL or CLM that follows its place
        self._belated: tuple[str, Segment] | None = None
        self._faults: list[Fault] = []
        self._reset("header")

    def pass_over(self, levels: int) -> None:
        """Go on as if so many HL segments had been walked in all, numbered from 1."""
        self._hl_count = self._hl_last = levels

    @property
    def hierarchy(self) -> Hierarchy | None:
        """What of all that was walked bears on how the next subscriber is walked; None where more does."""
        if self._doubled or self._early or self._excused or self._belated is not None:
            return None
        return self._hl_count, self._hl_last, self._parents.get("2000A", ())

    def walk(self, block: Block, following: Block | None) -> Walked:
        """Place the segments of one block. `following` is the next block of the input, None at its end."""
        if block.kind not in ("ST", "HL", "CLM", "SE"):
            return Walked("", ())
        if self._patterns is not None:
            level = self._prove(self._patterns, block)
            if level:
                return self._pass(level, block, following)
        separator = self._delimiters.element
        raws = block.text.split(self._delimiters.terminator, BLOCK_SEGMENTS)
        self._faults = []
        if self._is_doubled(block, raws, following):
            return Walked(self._level_of(block.kind, [raw.split(separator) for raw in raws]), ())
        first = raws[0].split(separator)
        level = self._level_of(
            block.kind, [raw.split(separator) for raw in raws] if block.kind == "HL" else [first]
        )
        self._reset(level)
        if self._doubled:
            self._doubled = ""
            self._note_segment(
                "segment-repeat", block.position, self._instances[0].loop.opener, "IK304=5", "once"
            )
        self._credit_early(self._instances[0])
        if block.kind == "HL":
            self._start_level(level, first, block.position)
        elif block.kind == "CLM":
            self._start_claim(block.position)
        if len(raws) > BLOCK_SEGMENTS:
            raws.pop()
            at, expected = block.position + BLOCK_SEGMENTS, f"at most {BLOCK_SEGMENTS:,} segments in a claim"
            self._faults.append(
                Fault("segment-unexpected", at, level, "", answers=("IK304=2",), expected=expected)
            )
        self._walk_segments(raws, block.position, following)
        self._close(block.position + len(raws), following)
        self._faults.sort(key=lambda fault: fault.position)
        return Walked(level, tuple(self._faults[:BLOCK_FAULTS]))

    def _prove(self, patterns: Patterns, block: Block) -> Level | None:
        """The level of a block that is certainly without fault, its numbers counted; None: it is walked."""
        if self._doubled or self._early or self._belated is not None:
            return None
        if block.kind == "CLM":
            if self._claims >= CLAIMS or not patterns.prove("2300", block.text):
                return None
            self._claims += 1
            return "2300"
        if block.kind != "HL":
            return None
        head = block.text.partition(self._delimiters.terminator)[0].split(self._delimiters.element)
        level = _LEVEL_OF_CODE.get(head[3]) if len(head) == 5 else None
        if level is None or head[1] != str(self._hl_count + 1):
            return None
        if level != "2000A" and head[2] not in self._parents.get(_ABOVE[level], ()):
            return None
        if not patterns.prove(level, block.text):
            return None
        self._hl_count += 1
        self._hl_last = self._hl_count
        self._excused = False
        self._enter(level, (head[1],))
        self._subscriber = (head[4], block.position) if level == "2000B" else None
        return level

    def _pass(self, level: Level, block: Block, following: Block | None) -> Walked:
        """A block that is clean in itself: what must follow it may still be missing."""
        self._level = level
        if following is None or (following.kind == "CLM" and level != "2000A"):
            return _CLEAN[level]
        self._faults = []
        self._check_next(block.position + block.text.count(self._delimiters.terminator) + 1, following)
        return Walked(level, tuple(self._faults)) if self._faults else _CLEAN[level]

    # -- the hot loop

    def _walk_segments(self, raws: list[str], position: int, following: Block | None) -> None:
        chart = self._chart
        clean = self._clean
        separator, component = self._delimiters.element, self._delimiters.component
        keyed, ids, tokens = chart.keyed, chart.ids, chart.tokens
        late: _Late | None = None
        for at, raw in enumerate(raws):
            segment = raw.split(separator)
            id = segment[0]
            if id in keyed:
                where = 3 if id == "HL" else 1
                code = segment[where] if len(segment) > where else ""
                token = f"{id}*{code}"
                if token not in tokens:
                    token = chart.token(segment, component)
            elif id in ids:
                token = f"{id}*"
            else:
                token = ""
            spot = self._spot
            step = spot.moves.get(token)
            if step is None and token:
                step = chart.move(spot, token)
                if step is None and not self._stack[1:] and at == 0:
                    # the opener of a level is what it is, whatever its qualifier says
                    node = self._instances[0].loop.opener
                    if node.id == id:
                        step = chart.step((), (self._instances[0].loop, node.position), (), node)
            if step is None and late is not None and self._credit_late(late, segment, token, position + at):
                late = replace(late, noted=True)
                continue
            if step is None:
                late = None
                self._recover(raws, at, position + at, segment, token, following)
                if len(self._faults) > BLOCK_FAULTS:
                    return
                continue
            stack = self._stack
            if step.opened or len(stack) > step.keep:
                if step.opened and at and raws[at - 1] == raw and self._is_sent_twice(step):
                    self._note_segment("segment-repeat", position + at, step.node, "IK304=5", "once")
                    continue
                late = self._find_late(step, raws, at) if len(stack) > step.keep else None
                self._shut(step.keep, position + at)
                self._swallowing = False
                for loop in step.opened:
                    self._open(loop, position + at)
                if len(self._instances) > BLOCK_LOOPS or len(self._faults) > BLOCK_FAULTS:
                    return
            elif late is not None:
                missed, late = late, None
                if missed.raw == raw and missed.node.index not in missed.instance.counts:
                    # swapped with the segment that opened this loop: it is of the loop before
                    self._note_segment("segment-order", position + at, missed.node, "IK304=7")
                    missed.instance.count(missed.node, position + at)
                    self._check_segment(missed.node, segment, raw, position + at)
                    continue
            self._spot = step.spot
            node = step.node
            instance = stack[-1]
            if node.index in chart.twins:
                node = self._choose_twin(instance, node, segment)
            counts = instance.counts
            count = counts[node.index] = counts.get(node.index, 0) + 1
            instance.marks.append((node.position, position + at))
            if node.maximum and count > node.maximum:
                expected = "once" if node.maximum == 1 else f"at most {node.maximum}"
                self._note_segment("segment-repeat", position + at, node, "IK304=5", expected)
            if (node.index, raw) not in clean:
                self._check_segment(node, segment, raw, position + at)
                if len(self._faults) > BLOCK_FAULTS:
                    return
            if id == "LX":
                self._check_line_number(segment, position + at, node)

    def _is_sent_twice(self, step: Step) -> bool:
        """Whether the opener of a loop stands again at once, and the loop must hold more or cannot repeat."""
        loop = step.opened[-1]
        before = self._stack[-1]
        if before.loop is not loop or len(before.marks) > 1:
            return False
        count = self._stack[step.keep - 1].counts.get(loop.index, 0)
        return bool(self._chart.required[loop.index]) or bool(loop.maximum and count >= loop.maximum)

    def _find_late(self, step: Step, raws: list[str], at: int) -> _Late | None:
        """A segment that the loops now closing require and lack, and that comes right after their end."""
        if not step.opened or at + 1 >= len(raws):
            return None
        raw = raws[at + 1]
        for instance in self._stack[step.keep :]:
            for child in self._chart.required[instance.loop.index]:
                if (
                    child.index not in instance.counts
                    and isinstance(child, Segment)
                    and fits(child, token := self._token_of(raw))
                    and self._is_early(step, child, token, raws[at + 2] if at + 2 < len(raws) else "")
                ):
                    return _Late(instance, raw, child)
        return None

    def _is_early(self, step: Step, node: Segment, token: str, after: str) -> bool:
        """Whether the token, read into the loop that the step opens, would pass over what must come first."""
        chart = self._chart
        first = min((child.position for child in chart.required[step.opened[-1].index]), default=0)
        if first < node.position:
            return True
        placed = chart.move(step.spot, token)
        following = self._token_of(after) if after else ""
        if placed is None or not following:
            return placed is None
        return chart.move(placed.spot, following) is None and chart.move(step.spot, following) is not None

    def _credit_late(self, late: _Late, segment: list[str], token: str, position: int) -> bool:
        """Count a segment without a place in the loop just opened for the loop before; one fault for all."""
        counts = late.instance.counts
        for child in late.instance.loop.children[1:]:
            if not isinstance(child, Segment) or not fits(child, token):
                continue
            if child.maximum and counts.get(child.index, 0) >= child.maximum:
                continue
            if not late.noted:
                self._note_segment("segment-order", position, child, "IK304=7")
            late.instance.count(child, position)
            self._faults += check_elements(child, segment, position, self._delimiters)
            return True
        return False

    def _check_segment(self, node: Segment, segment: list[str], raw: str, position: int) -> None:
        faults = check_elements(node, segment, position, self._delimiters)
        if faults:
            self._faults += faults
            return
        if len(self._clean) >= MEMO:
            self._clean.clear()
        self._clean.add((node.index, raw))

    def _choose_twin(self, instance: _Instance, node: Segment, segment: list[str]) -> Segment:
        """Of the nodes that share a qualifier, the first that has room and that the elements fit."""
        twins = [
            child
            for child in instance.loop.children
            if isinstance(child, Segment) and child.id == node.id and child.codes & node.codes
        ]
        room = [
            twin for twin in twins if not twin.maximum or instance.counts.get(twin.index, 0) < twin.maximum
        ]
        token = self._chart.token(segment, self._delimiters.component)
        for twin in room or twins:
            if fits(twin, token) and not list_faults(twin, segment, 0, self._delimiters):
                return twin
        return node

    def _shut(self, keep: int, position: int) -> None:
        stack = self._stack
        for instance in stack[keep:]:
            instance.end = position
        del stack[keep:]

    def _open(self, loop: Loop, position: int, implied: bool = False) -> None:
        count = self._stack[-1].count(loop, position)
        if loop.maximum and count > loop.maximum:
            expected = "once" if loop.maximum == 1 else f"at most {loop.maximum}"
            # one fault for the first loop too many: a hundred more would say the same
            if count == loop.maximum + 1:
                self._note_loop("loop-repeat", position, loop, "IK304=4", expected, str(count))
        instance = _Instance(loop, self._stack[-1])
        self._instances.append(instance)
        self._stack.append(instance)
        if self._early:
            self._credit_early(instance)
        if loop.id == "2400" and implied:
            self._line_count += 1

    def _credit_early(self, instance: _Instance) -> None:
        for node in self._early:
            if node in instance.loop.children:
                instance.counts[node.index] = instance.counts.get(node.index, 0) + 1
        self._early = []

    def _reset(self, level: Level) -> None:
        root = self._chart.guide.levels[level]
        self._level = level
        self._spot = self._chart.roots[level]
        instance = _Instance(root)
        self._stack = [instance]
        self._instances = [instance]
        self._line_count = 0
        self._line_last = 0
        self._swallowing = False

    # -- faults

    def _note_segment(self, kind: str, position: int, node: Segment, answer: str, expected: str = "") -> None:
        self._faults.append(
            Fault(kind, position, node.loop, node.id, answers=(answer,), name=node.name, expected=expected)
        )

    def _note_loop(
        self, kind: str, position: int, loop: Loop, answer: str, expected: str = "", found: str = ""
    ) -> None:
        self._faults.append(
            Fault(
                kind,
                position,
                loop.id,
                loop.opener.id,
                answers=(answer,),
                name=loop.name,
                expected=expected,
                found=found,
            )
        )

    def _note_element(
        self,
        kind: str,
        position: int,
        node: Segment,
        number: int,
        code: str,
        expected: str = "",
        found: str = "",
    ) -> None:
        item = node.elements[number - 1]
        self._faults.append(
            Fault(
                kind,
                position,
                node.loop,
                node.id,
                item.ref,
                item.number,
                ("IK304=8", f"IK403={code}"),
                item.name,
                expected,
                found,
            )
        )  # fmt: skip

    # -- the hierarchy

    def _level_of(self, kind: str, segments: list[list[str]]) -> Level:
        if kind != "HL":
            return "header" if kind == "ST" else "2300" if kind == "CLM" else "trailer"
        code = segments[0][3].strip() if len(segments[0]) > 3 else ""
        said = _LEVEL_OF_CODE.get(code)
        votes: dict[Level, int] = {"2000A": 0, "2000B": 0, "2000C": 0}
        for segment in segments[1:REACH]:
            token = self._chart.token(segment, self._delimiters.component)
            if said and token in _MARKS[said]:
                return said
            for level, marks in _MARKS.items():
                votes[level] += token in marks
        best = max(votes, key=lambda level: votes[level])
        if said and not votes[best]:
            return said
        if votes[best]:
            return best
        return {"header": "2000A", "2000A": "2000B", "2000B": "2000C"}.get(self._above, "2000B")  # type: ignore[return-value]

    def _level_ahead(self, following: Block) -> Level:
        if self._subscriber_ahead.match(following.text):
            return "2000B"
        raws = following.text.split(self._delimiters.terminator, REACH)[:REACH]
        return self._level_of(following.kind, [raw.split(self._delimiters.element) for raw in raws])

    def _is_doubled(self, block: Block, raws: list[str], following: Block | None) -> bool:
        """An HL or CLM sent twice makes an empty block: not what that lacks is the fault, but the second."""
        if (
            len(raws) != 1
            or following is None
            or following.kind != block.kind
            or block.kind not in ("HL", "CLM")
        ):
            return False
        if following.text.split(self._delimiters.terminator, 1)[0] != raws[0]:
            return False
        self._doubled = raws[0]
        return True

    def _start_level(self, level: Level, segment: list[str], position: int) -> None:
        node = self._chart.guide.levels[level].opener
        self._subscriber = None
        excused, self._excused = self._excused, False
        number = segment[1].strip() if len(segment) > 1 else ""
        self._hl_count += 1
        value = int(number) if DIGITS.fullmatch(number) and len(number) <= 12 else -1
        if (
            0 < len(number) <= 12
            and self._delimiters.component not in number
            and not CONTROL.search(number)
            and value not in (self._hl_count, self._hl_last + 1)
            and not excused
        ):
            expected = str(self._hl_last + 1)
            self._note_element(
                "hierarchy", position, node, 1, "7", expected, str(value) if value >= 0 else ""
            )
        self._hl_last = value if value >= 0 else self._hl_count
        above = _ABOVE[level]
        parent = segment[2].strip() if len(segment) > 2 else ""
        parents = self._parents.get(above, ())
        known = not parents or parent in parents or CONTROL.search(parent)
        if level != "2000A" and 0 < len(parent) <= 12 and not known and not excused:
            self._note_element(
                "hierarchy", position, node, 2, "7", parents[0], parent if parent.isdigit() else ""
            )
        self._enter(level, (number, str(self._hl_count)))
        if level == "2000B" and len(segment) > 4 and segment[4].strip() in ("0", "1"):
            self._subscriber = (segment[4].strip(), position)

    def _enter(self, level: Level, numbers: tuple[str, ...]) -> None:
        self._parents[level] = numbers
        for below in LEVELS[LEVELS.index(level) + 1 : 4]:
            self._parents.pop(below, None)
        self._above = level
        self._claims = 0

    def _check_child_code(self, following: Level | None) -> None:
        """Hold HL04 of the subscriber against what follows: a patient level, or anything else."""
        if self._subscriber is None or (following == "2000C") == (self._subscriber[0] == "1"):
            return
        said, position = self._subscriber
        node = self._chart.guide.levels["2000B"].opener
        expected = "1 where a patient level follows" if said == "0" else "0 where no patient level follows"
        self._note_element("hierarchy", position, node, 4, "7", expected, said)

    def _start_claim(self, position: int) -> None:
        self._claims += 1
        if self._claims == CLAIMS + 1:
            loop = self._chart.guide.levels["2300"]
            self._note_loop("loop-repeat", position, loop, "IK304=4", f"at most {CLAIMS} for one patient")

    def _check_line_number(self, segment: list[str], position: int, node: Segment) -> None:
        self._line_count += 1
        text = segment[1].strip() if len(segment) > 1 else ""
        if not DIGITS.fullmatch(text) or len(text) > 6:
            return
        value = int(text)
        if value not in (self._line_count, self._line_last + 1):
            self._note_element("line-number", position, node, 1, "7", str(self._line_last + 1), str(value))
        self._line_last = value

    # -- the end of a block

    def _close(self, end: int, following: Block | None) -> None:
        for instance in self._instances:
            if len(self._faults) > 2 * BLOCK_FAULTS:
                return
            for child in self._chart.required[instance.loop.index]:
                if child.index in instance.counts:
                    continue
                closed = instance.end or end
                position = min((at for place, at in instance.marks if place > child.position), default=closed)
                if position == end and following is not None and self._comes_belated(child, following):
                    continue
                self._note_missing(child, position)
        if following is not None:
            self._check_next(end, following)

    def _comes_belated(self, child: Segment | Loop, following: Block) -> bool:
        """Whether what is missing at the end of this block comes right after the header of the next."""
        if self._belated is not None or following.kind not in ("HL", "CLM"):
            return False
        raws = following.text.split(self._delimiters.terminator, 2)
        node = child if isinstance(child, Segment) else child.opener
        if len(raws) < 2 or not fits(node, token := self._token_of(raws[1])):
            return False
        if self._chart.move(self._chart.roots[self._level_ahead(following)], token) is not None:
            return False
        self._belated = token, node
        return True

    def _note_missing(self, child: Segment | Loop, position: int) -> None:
        if isinstance(child, Loop):
            self._note_loop("loop-missing", position, child, "IK304=3")
        else:
            self._note_segment("segment-missing", position, child, "IK304=3")

    def _check_next(self, end: int, following: Block) -> None:
        """What must follow this block, and does not."""
        level, kind = self._level, following.kind
        if kind not in ("HL", "SE"):
            if kind == "CLM" and level in ("header", "2000A"):
                self._miss_level("2000A" if level == "header" else "2000B", end)
            return
        below = self._level_ahead(following) if kind == "HL" else None
        if level == "header":
            if below != "2000A":
                self._miss_level("2000A", end)
        elif level == "2000A":
            if below != "2000B":
                self._miss_level("2000B", end)
        elif level == "2000C" or (
            level == "2000B" and below != "2000C" and (self._subscriber is None or self._subscriber[0] == "0")
        ):
            self._miss_level("2300", end)
        elif not self._excused:
            self._check_child_code(below)
        self._subscriber = None

    def _miss_level(self, level: Level, position: int) -> None:
        self._note_loop("loop-missing", position, self._chart.guide.levels[level], "IK304=3")
        self._excused = True

    # -- a segment without a place

    def _recover(
        self, raws: list[str], at: int, position: int, segment: list[str], token: str, following: Block | None
    ) -> None:
        id = segment[0]
        belated, self._belated = self._belated, None
        if belated is not None and at == 1 and belated[0] == token:
            node = belated[1]
            self._note_segment("segment-order", position, node, "IK304=7")
            self._faults += check_elements(node, segment, position, self._delimiters)
            return
        if self._swallowing and (id in _MEMBERS):
            return
        ahead = [raw.split(self._delimiters.element) for raw in raws[at + 1 : at + 1 + REACH]]
        tokens = [self._chart.token(next, self._delimiters.component) for next in ahead]
        # what comes after the next line or the next other payer comes for another loop
        later = {self._token_of(raw) for raw in takewhile(self._is_near, raws[at + 1 : at + 400])}
        if not token:
            remedies = list(self._remedies_for_unknown(segment, position, later))
        else:
            remedies = list(self._remedies(segment, position, token, tokens, later, raws, at, following))
        best = min(remedies, key=lambda remedy: remedy.cost + self._code_errors(remedy, tokens))
        self._apply(best, segment, position)

    def _is_near(self, raw: str) -> bool:
        return not raw.startswith(("LX" + self._delimiters.element, "SBR" + self._delimiters.element))

    def _token_of(self, raw: str) -> str:
        return self._chart.token(raw.split(self._delimiters.element, 4), self._delimiters.component)

    def _code_errors(self, remedy: _Remedy, tokens: list[str]) -> float:
        """How badly what follows fits if the remedy is believed: nearer code_errors weigh more."""
        spot = start = remedy.step.spot if remedy.step else self._outside() if remedy.swallow else self._spot
        total = 0.0
        weight = 1.0
        for token in tokens:
            step = self._chart.move(spot, token) if token else None
            if step is None:
                if not (remedy.swallow and token.split("*")[0] in _MEMBERS):
                    total += weight
            else:
                spot = step.spot
                if step.opened or step.keep < len(start.path):
                    weight *= 0.85
            weight *= 0.9
        return total

    def _outside(self) -> Placement:
        """The place outside of the NM1 loop that is open, so that nothing more is read into it."""
        path = self._spot.path
        return self._chart.spot(path[:-1]) if len(path) > 1 and path[-1][0].opener.id == "NM1" else self._spot

    def _remedies_for_unknown(self, segment: list[str], position: int, later: set[str]) -> Iterator[_Remedy]:
        """A segment whose id the guide does not know: it may stand in for a node that is expected here."""
        id = segment[0]
        instance = self._stack[-1]
        loop = instance.loop.id
        if not _SEGMENT_ID.fullmatch(id):
            fault = Fault(
                "segment",
                position,
                loop,
                "",
                answers=("IK304=1",),
                expected="a segment id of two or three characters",
            )
        else:
            answer = "I4" if _STANDARD.fullmatch(id) else "6" if _OTHERS.fullmatch(id) else "1"
            fault = Fault("segment-unexpected", position, loop, id, answers=(f"IK304={answer}",))
        yield _Remedy(1.0, fault, check=False)
        if fault.answers != ("IK304=1",):
            return
        for step in self._reachable():
            node = step.node
            as_node = [node.id, *segment[1:]]
            # a code that places it, or elements that fit, show what it was meant to be
            token = self._chart.token(as_node, self._delimiters.component)
            needed = self._is_needed(step, later)
            if node.codes and not fits(node, token):
                continue
            faults = [f for f in list_faults(node, as_node, 0, self._delimiters) if f.answers]
            if faults:
                continue
            alike = len(set(id) & set(node.id)) / (len(node.id) + 1)
            full = self._is_full(step)
            yield _Remedy(
                0.9 - 0.3 * alike - 0.5 * needed + 1.5 * full - 0.2 * bool(node.codes),
                fault,
                step,
                check=False,
            )
        for level in _BELOW.get(self._level, ()):
            root = self._chart.guide.levels[level]
            opener = [root.opener.id, *segment[1:]]
            if [f for f in list_faults(root.opener, opener, 0, self._delimiters) if f.answers]:
                continue
            step = self._chart.step((), (root, root.opener.position), (), root.opener)
            yield _Remedy(0.8, fault, step, level=level, check=False)

    def _reachable(self) -> Iterator[Step]:
        """Every node that may stand next, nearest first."""
        path = self._spot.path
        for depth in range(len(path) - 1, -1, -1):
            loop, reached = path[depth]
            for child in loop.children:
                if child.position < reached:
                    continue
                if isinstance(child, Loop):
                    yield self._chart.step(path[:depth], (loop, child.position), (child,), child.opener)
                elif not depth or child is not loop.children[0]:
                    yield self._chart.step(path[:depth], (loop, child.position), (), child)

    def _is_needed(self, step: Step, later: set[str]) -> bool:
        """Whether the step gives what the guide requires here, what lacks as yet and does not come later."""
        holder = self._stack[step.keep - 1]
        child: Segment | Loop = step.opened[0] if step.opened else step.node
        if child.usage != "R" or child.index in holder.counts:
            return False
        node = step.node
        return not any(fits(node, token) for token in later if token)

    def _is_full(self, step: Step) -> bool:
        holder = self._stack[step.keep - 1]
        child: Segment | Loop = step.opened[0] if step.opened else step.node
        return bool(child.maximum) and holder.counts.get(child.index, 0) >= child.maximum

    def _remedies(
        self,
        segment: list[str],
        position: int,
        token: str,
        tokens: list[str],
        later: set[str],
        raws: list[str],
        at: int,
        following: Block | None,
    ) -> Iterator[_Remedy]:
        chart = self._chart
        id = segment[0]
        loop = self._stack[-1].loop
        nodes = [n for n in list_segments([chart.guide.levels[self._level]]) if n.id == id]
        fitting = [node for node in nodes if fits(node, token)]

        # it belongs nowhere here: passed over
        name = next((node.name for node in fitting), "")
        unexpected = Fault("segment-unexpected", position, loop.id, id, answers=("IK304=2",), name=name)
        yield _Remedy(1.6, unexpected, check=False)

        # its qualifier is wrong
        if nodes and not fitting:
            yield from self._remedies_for_qualifier(segment, position, id, later)

        # it stands too late: it belongs to a loop that is or was open
        wanted = False
        for instance in reversed(self._instances):
            for child in instance.loop.children:
                if not isinstance(child, Segment) or not fits(child, token):
                    continue
                if child is instance.loop.children[0] and instance is not self._instances[0]:
                    continue
                room = not child.maximum or instance.counts.get(child.index, 0) < child.maximum
                kind, answer = ("segment-order", "IK304=7") if room else ("segment-repeat", "IK304=5")
                fault = Fault(kind, position, child.loop, id, answers=(answer,), name=child.name)
                open_now = instance in self._stack
                needed = child.usage == "R" and room
                wanted = wanted or (needed and open_now)
                if needed and open_now and instance.marks and instance.marks[-1][1] == position - 1:
                    yield self._rewind(instance, child, fault, self._token_of(raws[at - 1]))
                cost = 0.9 + 0.6 * (not room) + 0.25 * (not open_now) - 0.3 * needed
                yield _Remedy(cost, fault, credit=(instance, child))
                if room and not open_now and instance.parent in self._stack:
                    depth = self._stack.index(instance.parent)
                    path = (*self._spot.path[: depth + 1], (instance.loop, child.position))
                    step = Step(chart.spot(path), child, depth + 1, ())
                    yield _Remedy(cost + 0.1, fault, step, reopened=instance)

        # it opens a loop that should have come earlier
        for depth, (outer, reached) in enumerate(self._spot.path):
            for inner in outer.children:
                if isinstance(inner, Loop) and fits(inner.opener, token):
                    fault = Fault(
                        "segment-order", position, inner.id, id, answers=("IK304=7",), name=inner.opener.name
                    )
                    step = chart.step(self._spot.path[:depth], (outer, reached), (inner,), inner.opener)
                    # a loop of which nothing follows is no loop but a stray segment
                    lacking = sum(
                        not any(
                            fits(child if isinstance(child, Segment) else child.opener, next)
                            for next in tokens
                        )
                        for child in chart.required[inner.index]
                    )
                    yield _Remedy(1.0 + 0.5 * self._is_full(step) + 0.4 * lacking, fault, step)

        # it stands too early: what opens its loop comes next
        if tokens and tokens[0]:
            next_step = chart.move(self._spot, tokens[0])
            if next_step is not None and next_step.opened:
                inner = next_step.opened[-1]
                node = next(
                    (c for c in inner.children[1:] if isinstance(c, Segment) and fits(c, token)), None
                )
                if node is not None:
                    fault = Fault(
                        "segment-order", position, inner.id, id, answers=("IK304=7",), name=node.name
                    )
                    # a second one of its kind there is more likely the one that belongs there
                    cost = (1.2 if wanted else 0.5) + 0.8 * (token in takewhile(_opens_nothing, tokens[1:]))
                    yield _Remedy(cost, fault, ahead=node)
        elif not tokens and following is not None and following.kind in ("HL", "CLM"):
            root = chart.guide.levels[self._level_ahead(following)]
            node = next((c for c in root.children[1:] if isinstance(c, Segment) and fits(c, token)), None)
            if node is not None:
                fault = Fault("segment-order", position, root.id, id, answers=("IK304=7",), name=node.name)
                yield _Remedy(1.2 if wanted else 0.5, fault, ahead=node)

        # the segment that opens its loop is missing
        for depth, (outer, reached) in enumerate(self._spot.path):
            for chain, node in list_chains(outer, token):
                if chain[0].position < reached:
                    continue
                step = chart.step(self._spot.path[:depth], (outer, chain[0].position), chain, node)
                holder = self._stack[depth]
                full = bool(chain[0].maximum) and holder.counts.get(chain[0].index, 0) >= chain[0].maximum
                opener = chain[0].opener
                comes = chain[0].maximum == 1 and any(fits(opener, token) for token in later if token)
                needed = chain[0].usage == "R" and chain[0].index not in holder.counts
                if chain[0].maximum != 1 and opener.id == "LX":
                    needed = needed or id == "SV1"
                fault = Fault(
                    "segment-missing",
                    position,
                    chain[0].id,
                    opener.id,
                    answers=("IK304=3",),
                    name=opener.name,
                    expected=f"{opener.id} before {id}",
                )
                skipped = sum(
                    child.usage == "R" and child.position < place
                    for above, place in zip(
                        chain, [*(c.position for c in chain[1:]), node.position], strict=True
                    )
                    for child in above.children[1:]
                )
                cost = (
                    1.0
                    + 1.0 * full
                    + 0.6 * comes
                    - 0.35 * needed
                    + 0.2 * (len(chain) - 1)
                    + 0.5 * skipped
                    + 0.4 * wanted
                )
                yield _Remedy(cost, fault, step, implied=True)

        # the segment that opens a level is missing
        for level in _BELOW.get(self._level, ()):
            root = chart.guide.levels[level]
            start = chart.spot(((root, root.opener.position),))
            found = chart.move(start, token)
            if found is None:
                continue
            fault = Fault(
                "segment-missing",
                position,
                level,
                root.opener.id,
                answers=("IK304=3",),
                name=root.opener.name,
                expected=f"{root.opener.id} before {id}",
            )
            place = (found.opened[0] if found.opened else found.node).position
            skipped = sum(child.usage == "R" and child.position < place for child in root.children[1:])
            cost = 1.05 + 0.8 * skipped
            if level == "2300" and following is not None and following.kind == "CLM" and len(tokens) < REACH:
                cost += 0.4
            ends = following is not None and following.kind != "CLM" and len(tokens) < REACH
            # but where the next level hangs on one that was not sent, that is the one
            ends = ends and not (following is not None and self._is_child_of_lost(following))
            if self._level == "2300" and level != "2300" and ends:
                # a lost HL leaves its claim's CLM to come
                cost += 1.0
            if id == "SBR" and "OI*" in tokens:
                cost += 1.0
            yield _Remedy(cost, fault, found, level=level, implied=True)

    def _is_child_of_lost(self, following: Block) -> bool:
        """Whether the next level names as its parent the level that should have come here."""
        head = following.text.split(self._delimiters.terminator, 1)[0].split(self._delimiters.element, 3)
        return following.kind == "HL" and len(head) > 2 and head[2].strip() == str(self._hl_last + 1)

    def _rewind(self, instance: _Instance, node: Segment, fault: Fault, before: str) -> _Remedy:
        """Not this segment stands too late but the one before it too early: reading goes on from this one."""
        depth = self._stack.index(instance)
        step = self._chart.step(self._spot.path[:depth], (instance.loop, node.position), (), node)
        early = next((c for c in instance.loop.children if isinstance(c, Segment) and fits(c, before)), None)
        earlier = next(
            (i for i in reversed(self._instances) if i.loop is instance.loop and i is not instance), None
        )
        moved = None
        if early is not None and earlier is not None:
            room = not early.maximum or earlier.counts.get(early.index, 0) < early.maximum
            moved = (instance, early) if room else None
        return _Remedy(0.75, fault, step, moved=moved)

    def _remedies_for_qualifier(
        self, segment: list[str], position: int, id: str, later: set[str]
    ) -> Iterator[_Remedy]:
        """The id is at home here; the code that tells which node it is, is not one of theirs."""
        options = [step for step in self._reachable() if step.node.id == id and step.node.key]
        if not options:
            level = self._chart.guide.levels[self._level]
            node = next(node for node in list_segments([level]) if node.id == id)
            if node.key is not None:
                fault = self._fault_qualifier(segment, position, node, self._stack[-1].loop.id, frozenset())
                yield _Remedy(1.2, fault, check=False, swallow=id == "NM1")
            return
        for seen, step in enumerate(options):
            node = step.node
            codes = frozenset().union(*(other.node.codes for other in options if other.keep == step.keep))
            fault = self._fault_qualifier(segment, position, node, node.loop, codes)
            cost = 0.75 - 0.4 * self._is_needed(step, later) + 0.5 * self._is_full(step) + 0.02 * seen
            # the elements of another node than the one meant would say nothing
            yield _Remedy(cost, fault, step, check=False)
            if not seen and id == "NM1":
                yield _Remedy(1.0, fault, check=False, swallow=True)

    def _fault_qualifier(
        self, segment: list[str], position: int, node: Segment, loop: str, codes: frozenset[str]
    ) -> Fault:
        assert node.key is not None
        number = node.key[0]
        item = node.elements[number - 1]
        carrier = item.components[0] if isinstance(item, Composite) else item
        value = segment[number].split(self._delimiters.component, 1)[0] if len(segment) > number else ""
        return Fault(
            "element-code" if value else "element-missing",
            position,
            loop,
            node.id,
            carrier.ref,
            carrier.number,
            ("IK304=8", "IK403=7" if value else "IK403=1"),
            carrier.name,
            list_codes(codes) if codes else "",
            show_value(carrier, value),
        )

    def _apply(self, remedy: _Remedy, segment: list[str], position: int) -> None:
        if remedy.fault is not None:
            self._faults.append(remedy.fault)
        node: Segment | None = None
        if remedy.moved is not None:
            remedy.moved[0].counts[remedy.moved[1].index] -= 1
        if remedy.level is not None:
            self._change_level(remedy.level, position)
            assert remedy.step is not None
        if remedy.step is not None:
            step = remedy.step
            node = step.node
            self._spot = step.spot
            self._shut(step.keep, position)
            if remedy.reopened is not None:
                self._stack.append(remedy.reopened)
            for loop in step.opened:
                self._open(loop, position, remedy.implied)
            self._stack[-1].count(node, position)
        elif remedy.credit is not None:
            instance, node = remedy.credit
            instance.count(node, position)
        elif remedy.ahead is not None:
            node = remedy.ahead
            self._early.append(node)
        self._swallowing = remedy.swallow
        if remedy.swallow:
            self._spot = self._outside()
            self._shut(len(self._spot.path), position)
        if remedy.check and node is not None:
            self._faults += check_elements(node, segment, position, self._delimiters)
        if node is not None and node.id == "LX" and remedy.step is not None:
            self._check_line_number(segment if remedy.check else ["LX"], position, node)

    def _change_level(self, level: Level, position: int) -> None:
        """A level starts in the middle of a block: the segment that opens it is missing or misspelt."""
        # what the level before lacks stands before this segment
        faults, self._faults = self._faults, []
        self._close(position, None)
        self._faults = faults + self._faults
        if level == "2300":
            self._start_claim(position)
        else:
            self._hl_count += 1
            self._enter(level, (str(self._hl_last + 1), str(self._hl_count)))
            self._hl_last += 1
            self._subscriber = None
        self._reset(level)
        root = self._instances[0]
        root.count(root.loop.opener, position)


_BELOW: dict[str, tuple[Level, ...]] = {
    "header": ("2000A", "2000B"),
    "2000A": ("2000B", "2000A"),
    "2000B": ("2300", "2000C", "2000B"),
    "2000C": ("2300", "2000C", "2000B"),
    "2300": ("2000A", "2000B", "2000C", "2300"),
}

_ABOVE: dict[Level, Level] = {"2000A": "header", "2000B": "2000A", "2000C": "2000B"}
_LEVEL_OF_CODE: dict[str, Level] = {"20": "2000A", "22": "2000B", "23": "2000C"}
_CLEAN: dict[Level, Walked] = {level: Walked(level, ()) for level in LEVELS}

_MARKS: dict[Level, frozenset[str]] = {
    "2000A": frozenset(("NM1*85", "NM1*87", "NM1*PE", "PRV*BI", "CUR*85")),
    "2000B": frozenset(
        (
            "NM1*IL",
            "NM1*PR",
            *(f"SBR*{code}" for code in ("A", "B", "C", "D", "E", "F", "G", "H", "P", "S", "T", "U")),
        )
    ),
    "2000C": frozenset(
        ("NM1*QC", *(f"PAT*{code}" for code in ("01", "19", "20", "21", "39", "40", "53", "G8")))
    ),
}


@lru_cache(maxsize=16)
def _write_subscriber(delimiters: Delimiters) -> re.Pattern[str]:
    """How the level of a subscriber begins that is one beyond doubt."""
    e, t = re.escape(delimiters.element), re.escape(delimiters.terminator)
    text = f"[^{e}{t}]*+"
    return re.compile(f"HL{e}{text}{e}{text}{e}22(?:{e}{text})*+{t}SBR{e}[ABCDEFGHPSTU][{e}{t}]")


def _opens_nothing(token: str) -> bool:
    return token.partition("*")[0] not in _OPENERS
