"""Places every segment in the guide and notes faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from edi_checker.guide.displaced import BESIDE, FARTHEST, Move, list_moves
from edi_checker.guide.elements import DIGITS, check_elements, list_faults
from edi_checker.guide.faults import loop_fault, number_fault, segment_fault
from edi_checker.guide.hierarchy import LEVEL_OF_CODE, Hierarchy, LevelsSoFar
from edi_checker.guide.open_loops import Instance, OpenLoops
from edi_checker.guide.placement import Placement, Step, chart_for, fits
from edi_checker.guide.recovery import AHEAD, MEMBERS, Remedy, Stray, find_remedy
from edi_checker.guide.scanner import scanners_for
from edi_checker.guide.table import LEVELS, Guide, Level, Loop, Segment
from edi_checker.x12.blocks import Block, Delimiters, Fault
from edi_checker.x12.fault_codes import SEGMENT_UNEXPECTED

MEMO = 50_000  # segments known to be without fault that a walker remembers before it starts again
FAULTY = 500  # claims with faults that a walker remembers before it starts again
FAULTY_LENGTH = 2_000  # characters of such a claim
MOVED = 3  # segments of a block that are put back into their place
TRIED = 3  # moves of a segment that are tried, the nearest first
SEARCHES = 5  # segments without a place of a block for which such moves are looked for
LATER = 400  # segments of a block that are looked through for one that still comes
BLOCK_SEGMENTS = 50_000  # segments walked in one block; the longest legal claim has some thousands
BLOCK_LOOPS = 20_000  # loops opened in one block; a claim with all its lines has some hundreds
BLOCK_FAULTS = 500  # faults noted in one block; what follows them says nothing new


class Walked(NamedTuple):
    """What a block is, and what is wrong with it.

    level   the level at which the block starts: `header`, `2000A`, `2000B`, `2000C`, `2300`, `trailer`;
            "" for a block that is no part of a transaction set
    faults  in order of position
    """

    level: str
    faults: tuple[Fault, ...]


_CLEAN: dict[Level, Walked] = {level: Walked(level, ()) for level in LEVELS}


@dataclass(slots=True)
class _Late:
    """A required segment (`raw`, of `node`) that comes after the opener of the loop that follows its own."""

    instance: Instance
    raw: str
    node: Segment
    noted: bool = False


# What passes from one block to the next: the levels, and the segments that belong to another block.
_Carried: TypeAlias = tuple[Hierarchy, list[Segment], "tuple[str, Segment] | None"]


@dataclass(slots=True)
class _Opening:
    """How the walker was when a block began; the hierarchy from the first segment without a place on."""

    faults: list[Fault]
    early: list[Segment]
    belated: tuple[str, Segment] | None
    hierarchy: Hierarchy | None = None


class _Ahead:
    """The tokens of a block's segments, each worked out once, for whoever looks about in it."""

    def __init__(self, raws: list[str], token_of: Callable[[str], str], element: str) -> None:
        self._raws = raws
        self._token_of = token_of
        self._begins = (f"LX{element}", f"SBR{element}")
        self._tokens: list[str] = []
        self._near_from = self._near_to = 0  # between them neither a line nor another payer begins

    def tokens(self, low: int, high: int) -> list[str]:
        """The tokens of the segments from `low` up to and without `high`."""
        self._tokens += map(self._token_of, self._raws[len(self._tokens) : high])
        return self._tokens[low:high]

    def tokens_near(self, at: int) -> set[str]:
        """The tokens behind a segment up to the next line or other payer, of at most LATER segments."""
        high = min(at + LATER, len(self._raws))
        if not self._near_from <= at < self._near_to:
            self._near_to = at + 1
        self._near_from = at
        while self._near_to < high and not self._raws[self._near_to].startswith(self._begins):
            self._near_to += 1
        return set(self.tokens(at + 1, min(self._near_to, high)))


class Walker:
    """Walks one transaction set, block by block, in order. Any number of walkers may share the guide.

    `fast` passes the blocks that are proved clean as a whole; the faults are the same without.
    """

    def __init__(self, guide: Guide, delimiters: Delimiters, *, fast: bool = True) -> None:
        self._chart = chart_for(guide)
        self._fast = fast
        self._scanners = scanners_for(guide, delimiters) if fast else None
        self._delimiters = delimiters
        self._clean: set[tuple[int, str]] = set()
        # claims with faults, by their text and what matters of the claim behind: position, faults
        self._faulty: dict[tuple[str, ...], tuple[int, tuple[Fault, ...]]] = {}
        self._hierarchy = Hierarchy(self._chart, delimiters)
        self._start("header")
        # an HL or CLM that is sent twice: its first block is passed over
        self._doubled = False
        # nodes whose segment was sent just before the segment that opens its loop
        self._early: list[Segment] = []
        # a segment that was sent just after the HL or CLM that follows its place
        self._belated: tuple[str, Segment] | None = None
        self._faults: list[Fault] = []
        self._trail: list[Placement] = []  # where reading stood before each segment of the block
        self._opening = _Opening([], [], None)
        self._moves: list[Move] = []  # of one segment, each of which may explain another without a place
        self._ahead = _Ahead([], self._token_of, delimiters.element)
        self._searches = 0  # for such moves that are still made in this block
        self._displaced: frozenset[int] = frozenset()  # positions of segments that are read where they belong

    def _start(self, level: Level) -> None:
        self._loops = OpenLoops(self._chart, level)
        self._line_count = 0
        self._line_last = 0
        self._swallowing = False  # what an NM1 that is passed over carries with it

    def pass_over(self, levels: int) -> None:
        """Go on as if so many HL segments had been walked in all, numbered from 1."""
        self._hierarchy.pass_over(levels)

    @property
    def levels_so_far(self) -> LevelsSoFar | None:
        """What of all that was walked bears on how the next subscriber is walked; None if more does."""
        if self._doubled or self._early or self._belated is not None:
            return None
        return self._hierarchy.so_far

    def walk(self, block: Block, following: Block | None) -> Walked:
        """Place the segments of one block. `following` is the next block of the input, None at its end."""
        if block.kind not in ("ST", "HL", "CLM", "SE"):
            return Walked("", ())
        if self._fast:
            proved = self._prove(block)
            if proved:
                return self._pass(proved, block, following)
            key = self._key_of_claim(block, following)
            if key:
                return self._walk_claim(key, block, following)
        return self._walk(block, following)

    def _key_of_claim(self, block: Block, following: Block | None) -> tuple[str, ...]:
        """What alone decides about the faults of a claim: its text and the begin of the next claim; () where
        more does.
        """
        if following is None or not block.kind == following.kind == "CLM" or len(block.text) > FAULTY_LENGTH:
            return ()
        if self._doubled or self._early or self._belated is not None or self._hierarchy.is_told_of_next():
            return ()
        return block.text, *following.text.split(self._delimiters.terminator, 2)[:2]

    def _walk_claim(self, key: tuple[str, ...], block: Block, following: Block | None) -> Walked:
        """Walk a claim, or give again what was noted of one with the same key."""
        known = self._faulty.get(key)
        if known is not None:
            self._hierarchy.start_claim(block.position)
            begin, faults = known
            by = block.position - begin
            return Walked("2300", tuple([replace(fault, position=fault.position + by) for fault in faults]))
        levels, claims = self._hierarchy.state
        walked = self._walk(block, following)
        if self._hierarchy.state == (levels, claims + 1) and not (
            self._doubled or self._early or self._belated
        ):
            if len(self._faulty) >= FAULTY:
                self._faulty.clear()
            self._faulty[key] = block.position, walked.faults
        return walked

    def _walk(self, block: Block, following: Block | None) -> Walked:
        """Walk a block segment by segment."""
        raws = block.text.split(self._delimiters.terminator, BLOCK_SEGMENTS)
        level = self._hierarchy.level_of(block.kind, raws)
        self._faults = []
        if self._is_doubled(block, raws, following):
            self._doubled = True
            return _CLEAN[level]
        if self._doubled:
            self._doubled = False
            opener = self._chart.guide.levels[level].opener
            self._faults.append(segment_fault("segment-repeat", block.position, opener, "once"))
        if block.kind == "HL":
            first = raws[0].split(self._delimiters.element)
            self._faults += self._hierarchy.start(level, first, block.position)
        elif block.kind == "CLM":
            self._faults += self._hierarchy.start_claim(block.position)
        if len(raws) > BLOCK_SEGMENTS:
            raws.pop()
            at, expected = block.position + BLOCK_SEGMENTS, f"at most {BLOCK_SEGMENTS:,} segments in a claim"
            self._faults.append(
                Fault("segment-unexpected", at, level, "", answers=(SEGMENT_UNEXPECTED,), expected=expected)
            )
        order = range(block.position, block.position + len(raws))
        self._displaced = frozenset()
        faults = self._read(level, raws, order, following)
        faults.sort(key=lambda fault: fault.position)
        return Walked(level, tuple(faults[:BLOCK_FAULTS]))

    def _read(
        self, level: Level, raws: list[str], order: Sequence[int], following: Block | None
    ) -> list[Fault]:
        """Place all segments of a block, given in the order of these positions; all faults of the block.

        Where one segment out of order explains a segment without a place, it is read where it belongs.
        """
        displaced, opening = self._displaced, _Opening([*self._faults], self._early, self._belated)
        self._opening = opening
        self._searches = SEARCHES if len(displaced) < MOVED else 0
        if self._read_through(level, raws, order, following):
            return self._faults
        moves = self._moves
        least = _count_errors(self._faults) + 1  # what is found so far, and the segment without a place
        found: list[tuple[int, list[Fault], _Carried]] = []
        for move in moves[:TRIED]:
            self._open_again(opening)
            self._displaced = displaced | {order[move.source]}
            faults = self._read(level, move.apply(raws), move.apply(order), following)
            errors = _count_errors(faults)
            if errors <= least:
                return faults
            found.append((errors, faults, self._carried()))
        self._open_again(opening)
        self._displaced, self._searches = displaced, 0
        self._read_through(level, raws, order, following)
        found.append((_count_errors(self._faults), self._faults, self._carried()))
        _, faults, (self._hierarchy, self._early, self._belated) = min(found, key=lambda each: each[0])
        return faults

    def _read_through(
        self, level: Level, raws: list[str], order: Sequence[int], following: Block | None
    ) -> bool:
        """Place all segments of a block; False where that stops, since a move of one may explain more."""
        self._moves = []
        self._trail = []
        self._start(level)
        self._credit_early(self._loops.root)
        self._walk_segments(raws, order, following)
        if self._moves:
            return False
        self._close(order[0] + len(raws), following)
        return True

    def _open_again(self, opening: _Opening) -> None:
        """Go back to where the block began."""
        assert opening.hierarchy is not None
        self._hierarchy = opening.hierarchy.copy()
        self._faults, self._early, self._belated = [*opening.faults], opening.early, opening.belated

    def _carried(self) -> _Carried:
        return self._hierarchy, self._early, self._belated

    def _prove(self, block: Block) -> Level | None:
        """The level of a block that is certainly without fault, its numbers counted; None: it is walked."""
        scanners, hierarchy = self._scanners, self._hierarchy
        if scanners is None or self._doubled or self._early or self._belated is not None:
            return None
        if block.kind == "CLM":
            if not hierarchy.has_room() or not scanners.prove("2300", block.text):
                return None
            hierarchy.start_claim(block.position)
            return "2300"
        if block.kind != "HL":
            level: Level = "header" if block.kind == "ST" else "trailer"
            return level if scanners.prove(level, block.text) else None
        head = block.text.partition(self._delimiters.terminator)[0].split(self._delimiters.element)
        of_code = LEVEL_OF_CODE.get(head[3]) if len(head) == 5 else None
        if of_code is None or not hierarchy.is_next(of_code, head) or not scanners.prove(of_code, block.text):
            return None
        hierarchy.take(of_code, head, block.position)
        return of_code

    def _pass(self, level: Level, block: Block, following: Block | None) -> Walked:
        """A block that is clean in itself: what must follow it may still be missing."""
        if following is None or (following.kind == "CLM" and level != "2000A"):
            return _CLEAN[level]
        end = block.position + block.text.count(self._delimiters.terminator) + 1
        faults = self._hierarchy.check_next(level, end, following)
        return Walked(level, tuple(faults)) if faults else _CLEAN[level]

    def _is_doubled(self, block: Block, raws: list[str], following: Block | None) -> bool:
        """An HL or CLM sent twice makes an empty block: not what that lacks is the fault, but the second."""
        return (
            len(raws) == 1
            and following is not None
            and following.kind == block.kind
            and block.kind in ("HL", "CLM")
            and following.text.split(self._delimiters.terminator, 1)[0] == raws[0]
        )

    # -- segment by segment

    def _walk_segments(self, raws: list[str], order: Sequence[int], following: Block | None) -> None:
        late: _Late | None = None
        self._ahead = _Ahead(raws, self._token_of, self._delimiters.element)
        for at, raw in enumerate(raws):
            position = order[at]
            self._trail.append(self._loops.spot)
            segment = raw.split(self._delimiters.element)
            token = self._chart.token(segment, self._delimiters.component)
            step = self._find_step(segment, token, first=at == 0)
            if step is None:
                if late is not None and self._credit_late(late, segment, token, position):
                    continue
                late = None
                if self._opening.hierarchy is None:
                    self._opening.hierarchy = self._hierarchy.copy()
                if token and self._searches and self._find_moves(raws, at):
                    return
                self._recover(raws, at, position, segment, token, following)
                if len(self._faults) > BLOCK_FAULTS:
                    return
                continue
            if step.opened or len(self._loops.stack) > step.keep:
                if step.opened and at and raws[at - 1] == raw and self._is_sent_twice(step):
                    self._faults.append(segment_fault("segment-repeat", position, step.node, "once"))
                    continue
                late = self._find_late(step, raws, at)
                self._change_loops(step, position)
                if len(self._loops.instances) > BLOCK_LOOPS or len(self._faults) > BLOCK_FAULTS:
                    return
            elif late is not None:
                missed, late = late, None
                if self._give_back(missed, segment, raw, position):
                    continue
            known = self._place(step, segment, raw, position)
            if not known and len(self._faults) > BLOCK_FAULTS:
                return

    def _find_step(self, segment: list[str], token: str, *, first: bool) -> Step | None:
        """How the segment is placed by the guide alone, None where it has no place."""
        if not token:
            return None
        step = self._chart.move(self._loops.spot, token)
        if step is None and first:
            # the opener of a level is what it is, whatever its qualifier says
            loop = self._loops.root.loop
            if loop.opener.id == segment[0]:
                step = self._chart.step((), (loop, loop.opener.position), (), loop.opener)
        return step

    def _place(self, step: Step, segment: list[str], raw: str, position: int) -> bool:
        """Count a segment at its place and check it; whether it was known to be without fault."""
        self._loops.spot = step.spot
        node = step.node
        instance = self._loops.stack[-1]
        if node.index in self._chart.twins:
            node = self._choose_twin(instance, node, segment)
        count = instance.count(node, position)
        if node.maximum and count > node.maximum:
            expected = "once" if node.maximum == 1 else f"at most {node.maximum}"
            self._faults.append(segment_fault("segment-repeat", position, node, expected))
        if self._displaced and position in self._displaced:
            self._faults.append(segment_fault("segment-order", position, node))
        known = (node.index, raw) in self._clean
        if not known:
            self._check_segment(node, segment, raw, position)
        if node.id == "LX":
            self._check_line_number(segment, position, node)
        return known

    def _choose_twin(self, instance: Instance, node: Segment, segment: list[str]) -> Segment:
        """Of the nodes that share a qualifier, the first that has room and that the elements fit."""
        twins = [
            child
            for child in instance.loop.children
            if isinstance(child, Segment) and child.id == node.id and child.codes & node.codes
        ]
        token = self._chart.token(segment, self._delimiters.component)
        for twin in [twin for twin in twins if instance.has_room(twin)] or twins:
            if fits(twin, token) and not list_faults(twin, segment, 0, self._delimiters):
                return twin
        return node

    def _check_segment(self, node: Segment, segment: list[str], raw: str, position: int) -> None:
        faults = check_elements(node, segment, position, self._delimiters)
        if faults:
            self._faults += faults
            return
        if len(self._clean) >= MEMO:
            self._clean.clear()
        self._clean.add((node.index, raw))

    def _check_line_number(self, segment: list[str], position: int, node: Segment) -> None:
        self._line_count += 1
        text = segment[1].strip() if len(segment) > 1 else ""
        if not DIGITS.fullmatch(text) or len(text) > 6:
            return
        value = int(text)
        if value not in (self._line_count, self._line_last + 1):
            expected = str(self._line_last + 1)
            self._faults.append(number_fault("line-number", position, node, 1, expected, str(value)))
        self._line_last = value

    # -- loops open and close

    def _change_loops(self, step: Step, position: int) -> None:
        self._loops.shut(step.keep, position)
        self._swallowing = False
        for loop in step.opened:
            self._open(loop, position)

    def _open(self, loop: Loop, position: int) -> None:
        count = self._loops.stack[-1].count(loop, position)
        # one fault for the first loop too many: a hundred more would say the same
        if loop.maximum and count == loop.maximum + 1:
            expected = "once" if loop.maximum == 1 else f"at most {loop.maximum}"
            self._faults.append(loop_fault("loop-repeat", position, loop, expected, str(count)))
        self._credit_early(self._loops.open(loop))

    def _credit_early(self, instance: Instance) -> None:
        for node in self._early:
            if node in instance.loop.children:
                instance.counts[node.index] = instance.counts.get(node.index, 0) + 1
        self._early = []

    def _is_sent_twice(self, step: Step) -> bool:
        """Whether the opener of a loop comes again at once, and the loop must hold more or cannot repeat."""
        loop = step.opened[-1]
        before = self._loops.stack[-1]
        if before.loop is not loop or len(before.marks) > 1:
            return False
        if not self._loops.stack[step.keep - 1].has_room(loop):
            return True
        # of two names that are alike, each may open a loop
        return loop.opener.id != "NM1" and bool(self._chart.required[loop.index])

    # -- a segment that comes after the opener of the next loop

    def _find_late(self, step: Step, raws: list[str], at: int) -> _Late | None:
        """A segment that the loops now closing require and lack, and that comes right after their end."""
        if not step.opened or at + 1 >= len(raws):
            return None
        raw = raws[at + 1]
        for instance in self._loops.stack[step.keep :]:
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
        for child in late.instance.loop.children[1:]:
            if not isinstance(child, Segment) or not fits(child, token) or not late.instance.has_room(child):
                continue
            if not late.noted:
                late.noted = True
                self._faults.append(segment_fault("segment-order", position, child))
            late.instance.count(child, position)
            self._faults += check_elements(child, segment, position, self._delimiters)
            return True
        return False

    def _give_back(self, late: _Late, segment: list[str], raw: str, position: int) -> bool:
        """Count a segment that was swapped with the one that opened this loop for the loop before."""
        if late.raw != raw or late.node.index in late.instance.counts:
            return False
        self._faults.append(segment_fault("segment-order", position, late.node))
        late.instance.count(late.node, position)
        self._check_segment(late.node, segment, raw, position)
        return True

    # -- a segment without a place

    def _recover(
        self, raws: list[str], at: int, position: int, segment: list[str], token: str, following: Block | None
    ) -> None:
        belated, self._belated = self._belated, None
        if belated is not None and at == 1 and belated[0] == token:
            node = belated[1]
            self._faults.append(segment_fault("segment-order", position, node))
            self._faults += check_elements(node, segment, position, self._delimiters)
            return
        if self._swallowing and segment[0] in MEMBERS:
            return
        ahead = self._ahead.tokens(at + 1, at + 1 + AHEAD)
        stray = Stray(
            segment,
            token,
            position,
            self._token_of(raws[at - 1]),
            ahead,
            self._ahead.tokens_near(at),
            *self._look_past(ahead, following),
        )
        self._apply(find_remedy(self._loops, stray, self._delimiters), segment, position)

    def _find_moves(self, raws: list[str], at: int) -> bool:
        """Whether a move of one near by explains that the segment of this index has no place."""
        self._searches -= 1
        low, high = max(0, at - FARTHEST - 1), at + FARTHEST + BESIDE
        tokens = self._ahead.tokens(low, high)
        moves = list_moves(self._chart, self._trail[low:], tokens, at - low)
        self._moves = [Move(move.source + low, move.target + low) for move in moves]
        return bool(moves)

    def _look_past(self, ahead: list[str], following: Block | None) -> tuple[str, Level | None, bool]:
        """What a Stray says of the next block: its kind, its level, and whether its parent was lost."""
        if following is None or len(ahead) == AHEAD:
            return "", None, False
        starts = not ahead and following.kind in ("HL", "CLM")
        level = self._hierarchy.level_ahead(following) if starts else None
        return following.kind, level, self._hierarchy.is_child_of_lost(following)

    def _token_of(self, raw: str) -> str:
        return self._chart.token(raw.split(self._delimiters.element, 4), self._delimiters.component)

    def _apply(self, remedy: Remedy, segment: list[str], position: int) -> None:
        self._faults.append(remedy.fault)
        node: Segment | None = None
        if remedy.moved is not None:
            instance, moved = remedy.moved
            instance.counts[moved.index] -= 1
        if remedy.level is not None:
            self._change_level(remedy.level, position)
        loops = self._loops
        if remedy.step is not None:
            node = remedy.step.node
            loops.spot = remedy.step.spot
            loops.shut(remedy.step.keep, position)
            if remedy.reopened is not None:
                loops.stack.append(remedy.reopened)
            for loop in remedy.step.opened:
                self._open(loop, position)
                # a line whose LX is missing is counted all the same
                self._line_count += loop.id == "2400" and remedy.implied
            loops.stack[-1].count(node, position)
        elif remedy.credit is not None:
            instance, node = remedy.credit
            instance.count(node, position)
        elif remedy.ahead is not None:
            node = remedy.ahead
            self._early.append(node)
        self._swallowing = remedy.swallow
        if remedy.swallow:
            loops.spot = loops.outside()
            loops.shut(len(loops.spot.path), position)
        if remedy.check and node is not None:
            self._faults += check_elements(node, segment, position, self._delimiters)
        if node is not None and node.id == "LX" and remedy.step is not None:
            self._check_line_number(segment if remedy.check else ["LX"], position, node)

    def _change_level(self, level: Level, position: int) -> None:
        """A level starts in the middle of a block: the segment that opens it is missing or misspelt."""
        faults, self._faults = self._faults, []
        self._close(position, None)
        self._faults = faults + self._faults
        if level == "2300":
            self._faults += self._hierarchy.start_claim(position)
        else:
            self._hierarchy.imply(level)
        self._start(level)
        root = self._loops.root
        root.count(root.loop.opener, position)

    # -- the end of a block

    def _close(self, end: int, following: Block | None) -> None:
        """Note what is missing in the block, which ends before position `end`, and behind it."""
        for instance in self._loops.instances:
            if len(self._faults) > 2 * BLOCK_FAULTS:
                return
            for child in self._chart.required[instance.loop.index]:
                if child.index in instance.counts:
                    continue
                closed = instance.end or end
                position = min((at for place, at in instance.marks if place > child.position), default=closed)
                if position == end and following is not None and self._comes_belated(child, following):
                    continue
                if isinstance(child, Loop):
                    self._faults.append(loop_fault("loop-missing", position, child))
                else:
                    self._faults.append(segment_fault("segment-missing", position, child))
        if following is not None:
            self._faults += self._hierarchy.check_next(self._loops.level, end, following)

    def _comes_belated(self, child: Segment | Loop, following: Block) -> bool:
        """Whether what is missing at the end of this block comes right after the header of the next."""
        if self._belated is not None or following.kind not in ("HL", "CLM"):
            return False
        raws = following.text.split(self._delimiters.terminator, 2)
        node = child if isinstance(child, Segment) else child.opener
        if len(raws) < 2 or not fits(node, token := self._token_of(raws[1])):
            return False
        if self._chart.move(self._chart.roots[self._hierarchy.level_ahead(following)], token) is not None:
            return False
        self._belated = token, node
        return True


def _count_errors(faults: list[Fault]) -> int:
    return sum(bool(fault.answers) for fault in faults)
