"""What most likely happened where a segment has no place: guesses, what each costs, and the cheapest one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from edi_checker.guide.elements import list_codes, list_faults, show_value
from edi_checker.guide.faults import segment_fault
from edi_checker.guide.open_loops import Instance, OpenLoops
from edi_checker.guide.placement import Step, fits
from edi_checker.guide.table import Composite, Level, Loop, Segment
from edi_checker.x12.blocks import Delimiters, Fault
from edi_checker.x12.fault_codes import (
    ELEMENT_CODE,
    ELEMENT_MISSING,
    SEGMENT_HAS_ERRORS,
    SEGMENT_NOT_USED,
    SEGMENT_OF_OTHER_SETS,
    SEGMENT_UNEXPECTED,
    SET_SEGMENTS,
)

AHEAD = 12  # segments that are looked at after the one that has no place
MEMBERS = frozenset(("N2", "N3", "N4", "PER", "PRV", "REF", "DMG"))  # what an NM1 may carry with it

# The cost of a guess is the sum of what it asks one to believe and of a MISFIT for each segment ahead that
# has no place where the guess leads; the cheapest guess is believed. tests/test_recovery.py has for each of
# these numbers a claim that is read otherwise with another one.
MISFIT = 1.0  # as much as a missing opener: dearer, and openers would be made up so that all ahead fits
FARTHER = 0.9  # of each segment on the way: what is farther away may have a fault of its own
NEXT_LOOP = 0.85  # of each loop on the way: what is in another one says less about this place

# passed over
STRAY = 1.6  # dearer than every plain reading, cheaper than one that makes up a loop too many
ADDRESS = (
    0.9  # right behind an NM1 whose loop takes none: cheaper than OPENER, for an address follows its name
)
UNKNOWN = 1.0  # of an unknown id this is the plain reading

# an unknown id is read as a node whose elements it has
MISSPELT = 0.9  # cheaper than UNKNOWN, or what it is meant to be would be missing as well
MISSPELT_ALIKE = -0.3  # times the share of common letters: of two nodes that fit, the one that looks like it
MISSPELT_NEEDED = -0.5  # the guide requires the node, and it comes nowhere else
MISSPELT_FULL = 1.5  # there is one already, and a second would be a fault of its own: no such reading
MISSPELT_LACKING = (
    0.45  # for each segment required of the loops it opens and closes that does not come: no opener
)
MISSPELT_CODE = -0.2  # the code that places the node is right, too
MISSPELT_LEVEL = 0.8  # so is the HL or CLM of a level

# the id is known here, its qualifier is not
QUALIFIER = 0.75  # one wrong code is likelier than any segment out of place
QUALIFIER_NEEDED = -0.4  # the guide requires the node, and it comes nowhere else
QUALIFIER_FULL = 0.5  # not a second loop of a kind that may be there once
QUALIFIER_FARTHER = 0.02  # for each node that is nearer: the first of those that fit alike, or nearly so
QUALIFIER_STRAY_NAME = 1.0  # or a name of no loop: dearer than a loop with room, cheaper than a full one
QUALIFIER_BEHIND = 1.2  # all its places are passed: cheaper than STRAY, for a wrong code says more

# it comes after its place
LATE = 0.9  # cheaper than a missing opener: nothing has to be made up
LATE_FULL = 0.6  # it repeats what came: still a little cheaper than STRAY
LATE_CLOSED = 0.25  # in a loop that is closed: with LATE_FULL dearer than STRAY, for that is no repeat
LATE_NEEDED = -0.3  # its loop requires it and lacks it
LATE_TWIN = 0.2  # its elements are those of another node with the same code
LATE_REOPENED = 0.1  # reading goes on in the closed loop: only where that spares a misfit
REWIND = 0.75  # the one before came too early: dearer than LATE with LATE_NEEDED, so only to spare a misfit

# it opens a loop, after the place of that loop
LOOP_LATE = 1.0  # as a missing opener
LOOP_LATE_FULL = 0.5  # not a second loop of a kind that may be there once: with LOOP_LATE_LACKING a stray
LOOP_LATE_LACKING = 0.4  # for each segment that the loop requires and that does not follow: a stray opener

# it comes just before the segment that opens its loop or level
EARLY = 0.5  # two neighbours in the wrong order, which the next one confirms: the cheapest reading
EARLY_TWICE = 0.8  # but the next loop has one of its own: then it is of another loop

# what opens its loop is missing
OPENER = 1.0  # as much as one misfit: believed where that spares more than one
OPENER_FULL = 1.0  # and it makes one loop too many
OPENER_COMES = 0.6  # the opener comes later: this segment is too early, and no opener is missing
OPENER_NEEDED = -0.35  # the guide requires the loop, or a line begins: each has an SV1
OPENER_INNER = 0.2  # for each loop more whose opener is missing too
OPENER_SKIPPED = 0.5  # for each segment that the loop requires before this one: missing as well
OPENER_WANTED = 0.4  # an open loop requires such a segment: it is that one

# what opens its level is missing
LEVEL = 1.05  # a little dearer than OPENER: first within the level
LEVEL_SKIPPED = 0.8  # as OPENER_SKIPPED, for more follows from it
LEVEL_CLAIM_COMES = 0.4  # a claim begins soon: its CLM is not missing, this segment is too early
LEVEL_OTHER_PAYER = 1.0  # an SBR with an OI after it is of another payer and opens no level
LEVEL_WITHOUT_CLAIM = 1.0  # a lost HL of a subscriber would leave its CLM to come, and none does

# Segments of the 837 of the base standard that this guide does not use.
_STANDARD = re.compile("CL1|CR4|CR5|CR6|CR7|CR8|DN1|DN2|DSB|HSD|IMM|MIA|N2|SV2|SV3|SV4|SV6|SV7|TOO|UR")
# Segments of the other sets that are used in health care.
_OTHERS = re.compile(
    "AAA|ADX|AK1|AK2|AK9|BEG|BGN|BPR|CLP|COB|CTX|DED|EB|ENT|EQ|HD|ICM|IDC|IK3|IK4|IK5|III|"
    "IND|INS|LE|LS|LUI|MPI|MSG|ORG|PLA|PLB|RDM|RMR|RMT|RRA|SLN|STC|SVC|TRN|TS2|TS3|UM|VEH"
)
_ADDRESS = frozenset(("N2", "N3", "N4", "PER"))
_OPENERS = frozenset(("NM1", "LX", "SBR", "SVD", "LIN", "LQ", "CLM", "HL"))
_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
# Levels that may start after one level, the likelier first.
_NEXT_LEVELS: dict[Level, tuple[Level, ...]] = {
    "header": ("2000A", "2000B"),
    "2000A": ("2000B", "2000A"),
    "2000B": ("2300", "2000C", "2000B"),
    "2000C": ("2300", "2000C", "2000B"),
    "2300": ("2000A", "2000B", "2000C", "2300"),
}


class Stray(NamedTuple):
    """A segment without a place, and what is around it; segments are given by their tokens (placement).

    segment     its elements, the id at 0
    before      the segment before it
    ahead       the segments after it in its block, at most AHEAD
    later       all that come before the next line or other payer: what comes after those is for another loop
    follows     kind of the next block, "" where none begins within reach
    next_level  level of the next block where the segment is the last of its own, None where it is not
    orphan      whether the next block names as its parent a level that was not sent
    """

    segment: list[str]
    token: str
    position: int
    before: str
    ahead: list[str]
    later: set[str]
    follows: str
    next_level: Level | None
    orphan: bool

    @property
    def id(self) -> str:
        """The segment id."""
        return self.segment[0]


class Remedy(NamedTuple):
    """A guess at what happened where a segment has no place: the fault, and where the reading goes on.

    cost     what the guess asks one to believe, less is better
    fault    to be noted
    step     how the segment is placed; None where it is passed over
    level    the level that starts here, None where none does
    credit   (instance, node) that the segment counts for without moving the place of reading
    check    whether the elements of the segment are to be checked against the node
    implied  whether the loops of the step lack their opener
    ahead    the node of a loop that the next segment opens
    moved    (instance, node) counted before, and now known to be of the instance before
    reopened the instance at whose end reading goes on, as if it had not been closed
    swallow  whether what an NM1 carries with it is passed over in silence
    members  whether what an NM1 carries with it may follow without a place: it is told one by one
    """

    cost: float
    fault: Fault
    step: Step | None = None
    level: Level | None = None
    credit: tuple[Instance, Segment] | None = None
    check: bool = True
    implied: bool = False
    ahead: Segment | None = None
    moved: tuple[Instance, Segment] | None = None
    reopened: Instance | None = None
    swallow: bool = False
    members: bool = False


def find_remedy(loops: OpenLoops, stray: Stray, delimiters: Delimiters) -> Remedy:
    """The guess that costs the least, the first of several."""
    remedies = _guess(loops, stray, delimiters)
    return min(remedies, key=lambda remedy: remedy.cost + _count_misfits(loops, remedy, stray.ahead))


def _count_misfits(loops: OpenLoops, remedy: Remedy, ahead: list[str]) -> float:
    """How badly what follows fits if the remedy is believed: nearer misfits weigh more."""
    spot = start = remedy.step.spot if remedy.step else loops.outside() if remedy.swallow else loops.spot
    total = 0.0
    weight = MISFIT
    for token in ahead:
        step = loops.chart.move(spot, token) if token else None
        if step is None:
            if not ((remedy.swallow or remedy.members) and token.split("*")[0] in MEMBERS):
                total += weight
        else:
            spot = step.spot
            if step.opened or step.keep < len(start.path):
                weight *= NEXT_LOOP
        weight *= FARTHER
    return total


def _guess(loops: OpenLoops, stray: Stray, delimiters: Delimiters) -> Iterator[Remedy]:
    """Every guess; of two that cost the same the earlier one is believed."""
    if not stray.token:
        yield from _guess_at_unknown(loops, stray, delimiters)
        return
    nodes = loops.chart.named[loops.level].get(stray.id, [])
    fitting = [node for node in nodes if fits(node, stray.token)]
    yield _pass_over(loops, stray, fitting)
    if nodes and not fitting:
        yield from _correct_qualifier(loops, stray, nodes[0], delimiters)
    yield from _read_as_late(loops, stray, delimiters)
    yield from _read_as_late_loop(loops, stray)
    wanted = _is_wanted(loops, stray)
    if not wanted:
        yield from _read_as_early(loops, stray)
    yield from _imply_opener(loops, stray, wanted)
    yield from _imply_level(loops, stray)


# -- a segment whose id the guide does not know


def _guess_at_unknown(loops: OpenLoops, stray: Stray, delimiters: Delimiters) -> Iterator[Remedy]:
    """It is passed over, or read as a node that is expected here or as the opener of a level."""
    fault = _fault_unknown(loops, stray)
    yield Remedy(UNKNOWN, fault, check=False)
    if fault.answers != (SET_SEGMENTS,):
        return
    for step in loops.chart.reach(loops.spot):
        node = step.node
        as_node = [node.id, *stray.segment[1:]]
        # a code that places it, or elements that fit, show what it was meant to be
        if not fits(node, loops.chart.token(as_node, delimiters.component)):
            continue
        if _has_hard_faults(node, as_node, delimiters):
            continue
        alike = len(set(stray.id) & set(node.id)) / (len(node.id) + 1)
        cost = (
            MISSPELT
            + MISSPELT_ALIKE * alike
            + MISSPELT_NEEDED * _is_needed(loops, step, stray.later)
            + MISSPELT_FULL * (_is_full(loops, step) or _comes_again(loops, step, stray.ahead))
            + MISSPELT_LACKING * _count_lacking(loops, step, stray.later)
            + MISSPELT_CODE * bool(node.codes)
        )
        yield Remedy(cost, fault, step, check=False)
    for level in _NEXT_LEVELS.get(loops.level, ()):
        root = loops.chart.guide.levels[level]
        if not _has_hard_faults(root.opener, [root.opener.id, *stray.segment[1:]], delimiters):
            step = loops.chart.step((), (root, root.opener.position), (), root.opener)
            yield Remedy(MISSPELT_LEVEL, fault, step, level=level, check=False)


def _comes_again(loops: OpenLoops, step: Step, ahead: list[str]) -> bool:
    """Whether a node that may be there once comes within its loop after the step that gives it."""
    spot, node = step.spot, step.node
    for token in ahead if node.maximum == 1 and not step.opened else ():
        after = loops.chart.move(spot, token) if token else None
        if after is None or after.opened or after.keep < len(spot.path):
            return False
        if after.node is node:
            return True
        spot = after.spot
    return False


def _count_lacking(loops: OpenLoops, step: Step, later: set[str]) -> int:
    """How much the loops that the step closes lack if it opens another, and what that one requires and does
    not come.
    """
    if not step.opened:
        return 0
    required = loops.chart.required
    closed = sum(
        child.index not in instance.counts
        for instance in loops.stack[step.keep :]
        for child in required[instance.loop.index]
    )
    openers = [
        child if isinstance(child, Segment) else child.opener for child in required[step.opened[-1].index]
    ]
    return closed + sum(not any(fits(node, token) for token in later if token) for node in openers)


def _fault_unknown(loops: OpenLoops, stray: Stray) -> Fault:
    loop, id, position = loops.stack[-1].loop.id, stray.id, stray.position
    if not _SEGMENT_ID.fullmatch(id):
        expected = "a segment id of two or three characters"
        return Fault("segment", position, loop, "", answers=(SET_SEGMENTS,), expected=expected)
    answer = SET_SEGMENTS  # an id that X12 does not have cannot stand in IK301
    if _STANDARD.fullmatch(id):
        answer = SEGMENT_NOT_USED
    elif _OTHERS.fullmatch(id):
        answer = SEGMENT_OF_OTHER_SETS
    return Fault("segment-unexpected", position, loop, id, answers=(answer,))


def _has_hard_faults(node: Segment, segment: list[str], delimiters: Delimiters) -> bool:
    return any(fault.answers for fault in list_faults(node, segment, 0, delimiters))


# -- it belongs nowhere here


def _pass_over(loops: OpenLoops, stray: Stray, fitting: list[Segment]) -> Remedy:
    loop, name = loops.stack[-1].loop.id, fitting[0].name if fitting else ""
    answers = (SEGMENT_UNEXPECTED,)
    fault = Fault("segment-unexpected", stray.position, loop, stray.id, answers=answers, name=name)
    innermost = loops.stack[-1]
    foreign = (
        stray.id in _ADDRESS
        and innermost.loop.opener.id == "NM1"
        and all(child.id != stray.id for child in innermost.loop.children)
    )
    # right behind the name, or behind another address that was passed over
    before = stray.before.partition("*")[0]
    passed = before in _ADDRESS and innermost.marks[-1][1] < stray.position - 1
    behind_name = foreign and (before == "NM1" or passed)
    return Remedy(ADDRESS if behind_name else STRAY, fault, check=False, members=foreign)


# -- its qualifier is wrong


def _correct_qualifier(
    loops: OpenLoops, stray: Stray, known: Segment, delimiters: Delimiters
) -> Iterator[Remedy]:
    """The id is at home here; the code that tells which node it is, is not one of theirs."""
    options = [step for step in loops.chart.reach(loops.spot) if step.node.id == stray.id and step.node.key]
    if not options:
        if known.key is not None:
            fault = _fault_qualifier(stray, known, loops.stack[-1].loop.id, frozenset(), delimiters)
            yield Remedy(QUALIFIER_BEHIND, fault, check=False, swallow=stray.id == "NM1")
        return
    codes: dict[int, frozenset[str]] = {}  # of all nodes at one depth
    for step in options:
        codes[step.keep] = codes.get(step.keep, frozenset()) | step.node.codes
    for seen, step in enumerate(options):
        node = step.node
        fault = _fault_qualifier(stray, node, node.loop, codes[step.keep], delimiters)
        cost = (
            QUALIFIER
            + QUALIFIER_NEEDED * _is_needed(loops, step, stray.later)
            + QUALIFIER_FULL * _is_full(loops, step)
            + QUALIFIER_FARTHER * seen
        )
        # the elements of another node than the one meant would say nothing
        yield Remedy(cost, fault, step, check=False)
        if not seen and stray.id == "NM1":
            yield Remedy(QUALIFIER_STRAY_NAME, fault, check=False, swallow=True)


def _fault_qualifier(
    stray: Stray, node: Segment, loop: str, codes: frozenset[str], delimiters: Delimiters
) -> Fault:
    assert node.key is not None
    number = node.key[0]
    item = node.elements[number - 1]
    carrier = item.components[0] if isinstance(item, Composite) else item
    value = stray.segment[number].split(delimiters.component, 1)[0] if len(stray.segment) > number else ""
    return Fault(
        "element-code" if value else "element-missing",
        stray.position,
        loop,
        node.id,
        carrier.ref,
        carrier.number,
        (SEGMENT_HAS_ERRORS, ELEMENT_CODE if value else ELEMENT_MISSING),
        carrier.name,
        list_codes(codes) if codes else "",
        show_value(carrier, value),
    )


# -- it comes too late


def _read_as_late(loops: OpenLoops, stray: Stray, delimiters: Delimiters) -> Iterator[Remedy]:
    """It belongs to a loop that is or was open."""
    for instance in reversed(loops.instances):
        open_now = instance in loops.stack
        for child in loops.chart.homes(instance.loop, stray.token):
            room = instance.has_room(child)
            needed = child.usage == "R" and room
            fault = segment_fault("segment-order" if room else "segment-repeat", stray.position, child)
            if needed and open_now and instance.marks and instance.marks[-1][1] == stray.position - 1:
                yield _rewind(loops, stray, instance, child, fault)
            cost = LATE + LATE_FULL * (not room) + LATE_CLOSED * (not open_now) + LATE_NEEDED * needed
            if child.index in loops.chart.twins and _has_hard_faults(child, stray.segment, delimiters):
                cost += LATE_TWIN
            yield Remedy(cost, fault, credit=(instance, child))
            if room and not open_now and instance.parent in loops.stack:
                depth = loops.stack.index(instance.parent)
                path = (*loops.spot.path[: depth + 1], (instance.loop, child.position))
                step = Step(loops.chart.spot(path), child, depth + 1, ())
                yield Remedy(cost + LATE_REOPENED, fault, step, reopened=instance)


def _is_wanted(loops: OpenLoops, stray: Stray) -> bool:
    """Whether a loop that is open requires the segment and has room for it."""
    return any(
        child.usage == "R" and instance.has_room(child)
        for instance in loops.stack
        for child in loops.chart.homes(instance.loop, stray.token)
    )


def _rewind(loops: OpenLoops, stray: Stray, instance: Instance, node: Segment, fault: Fault) -> Remedy:
    """Not this segment is too late but the one before it too early: reading goes on from this one."""
    depth = loops.stack.index(instance)
    step = loops.chart.step(loops.spot.path[:depth], (instance.loop, node.position), (), node)
    early = next(
        (c for c in instance.loop.children if isinstance(c, Segment) and fits(c, stray.before)), None
    )
    alike = (i for i in reversed(loops.instances) if i.loop is instance.loop and i is not instance)
    earlier = next(alike, None)
    moved = None
    if early is not None and earlier is not None and earlier.has_room(early):
        moved = (instance, early)
    return Remedy(REWIND, fault, step, moved=moved)


def _read_as_late_loop(loops: OpenLoops, stray: Stray) -> Iterator[Remedy]:
    """It opens a loop that should have come earlier."""
    for depth, (outer, reached) in enumerate(loops.spot.path):
        for inner in outer.children:
            if isinstance(inner, Segment) or not fits(inner.opener, stray.token):
                continue
            step = loops.chart.step(loops.spot.path[:depth], (outer, reached), (inner,), inner.opener)
            required = [
                child if isinstance(child, Segment) else child.opener
                for child in loops.chart.required[inner.index]
            ]
            lacking = sum(not any(fits(node, token) for token in stray.ahead) for node in required)
            cost = LOOP_LATE + LOOP_LATE_FULL * _is_full(loops, step) + LOOP_LATE_LACKING * lacking
            yield Remedy(cost, segment_fault("segment-order", stray.position, inner.opener), step)


# -- it comes too early


def _read_as_early(loops: OpenLoops, stray: Stray) -> Iterator[Remedy]:
    """What opens its loop or level comes next."""
    cost = EARLY
    if stray.ahead:
        step = loops.chart.move(loops.spot, stray.ahead[0]) if stray.ahead[0] else None
        if step is None or not step.opened:
            return
        home = step.opened[-1]
        cost += EARLY_TWICE * (stray.token in takewhile(_opens_nothing, stray.ahead[1:]))
    elif stray.next_level is not None:
        home = loops.chart.guide.levels[stray.next_level]
    else:
        return
    for child in home.children[1:]:
        if isinstance(child, Segment) and fits(child, stray.token):
            yield Remedy(cost, segment_fault("segment-order", stray.position, child), ahead=child)
            return


def _opens_nothing(token: str) -> bool:
    return token.partition("*")[0] not in _OPENERS


# -- what opens its loop or level is missing


def _imply_opener(loops: OpenLoops, stray: Stray, wanted: bool) -> Iterator[Remedy]:
    """The segment that opens its loop is missing."""
    for depth, (outer, reached) in enumerate(loops.spot.path):
        holder = loops.stack[depth]
        for chain, node in loops.chart.chains(outer, stray.token):
            first = chain[0]
            if first.position < reached:
                continue
            needed = first.usage == "R" and first.index not in holder.counts
            if first.maximum != 1 and first.opener.id == "LX":
                needed = needed or stray.id == "SV1"
            comes = first.maximum == 1 and any(fits(first.opener, token) for token in stray.later if token)
            cost = (
                OPENER
                + OPENER_FULL * (not holder.has_room(first))
                + OPENER_COMES * comes
                + OPENER_NEEDED * needed
                + OPENER_INNER * (len(chain) - 1)
                + OPENER_SKIPPED * _count_skipped(chain, node)
                + OPENER_WANTED * wanted
            )
            expected = f"{first.opener.id} before {stray.id}"
            fault = segment_fault("segment-missing", stray.position, first.opener, expected)
            step = loops.chart.step(loops.spot.path[:depth], (outer, first.position), chain, node)
            yield Remedy(cost, fault, step, implied=True)


def _count_skipped(chain: tuple[Loop, ...], node: Segment | Loop) -> int:
    """How many required children of these loops, each inside the one before, come before the node."""
    inner: tuple[Segment | Loop, ...] = (*chain[1:], node)
    return sum(
        child.usage == "R" and child.position < next.position
        for loop, next in zip(chain, inner, strict=True)
        for child in loop.children[1:]
    )


def _imply_level(loops: OpenLoops, stray: Stray) -> Iterator[Remedy]:
    """The segment that opens a level is missing."""
    for level in _NEXT_LEVELS.get(loops.level, ()):
        root = loops.chart.guide.levels[level]
        found = loops.chart.move(loops.chart.spot(((root, root.opener.position),)), stray.token)
        if found is None:
            continue
        place = found.opened[0] if found.opened else found.node
        cost = LEVEL + LEVEL_SKIPPED * _count_skipped((root,), place)
        if level == "2300" and stray.follows == "CLM":
            cost += LEVEL_CLAIM_COMES
        without = stray.follows not in ("", "CLM") and not stray.orphan
        if without and loops.level == "2300" and level != "2300":
            cost += LEVEL_WITHOUT_CLAIM
        if stray.id == "SBR" and "OI*" in stray.ahead:
            cost += LEVEL_OTHER_PAYER
        expected = f"{root.opener.id} before {stray.id}"
        fault = segment_fault("segment-missing", stray.position, root.opener, expected)
        yield Remedy(cost, fault, found, level=level, implied=True)


# -- nodes that may come next


def _is_needed(loops: OpenLoops, step: Step, later: set[str]) -> bool:
    """Whether the step gives what the guide requires here, what lacks as yet and does not come later."""
    child: Segment | Loop = step.opened[0] if step.opened else step.node
    if child.usage != "R" or child.index in loops.stack[step.keep - 1].counts:
        return False
    return not any(fits(step.node, token) for token in later if token)


def _is_full(loops: OpenLoops, step: Step) -> bool:
    """Whether the loop into which the step leads has no room for one more."""
    return not loops.stack[step.keep - 1].has_room(step.opened[0] if step.opened else step.node)
