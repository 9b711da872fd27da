"""The levels of a transaction set: which one a block is, how HL numbers them, and which must follow."""

from __future__ import annotations

import re
from copy import copy
from functools import lru_cache

from edi_checker.guide.elements import CONTROL, DIGITS
from edi_checker.guide.faults import loop_fault, number_fault
from edi_checker.guide.placement import Chart
from edi_checker.guide.table import LEVELS, Level
from edi_checker.x12.blocks import Block, Delimiters, Fault

_SURE = 9_999  # a larger number than that, and than there are levels, may be a person's that slipped there
CLAIMS = 100  # claims that one patient may have in a transaction set
LEVEL_OF_CODE: dict[str, Level] = {"20": "2000A", "22": "2000B", "23": "2000C"}

_HEAD = 12  # segments within which a level shows what it is
_BELOW: dict[Level, Level] = {"header": "2000A", "2000A": "2000B", "2000B": "2000C"}
_ABOVE = {below: above for above, below in _BELOW.items()}
# What is in the head of one level and of no other.
_MARKS: dict[Level, frozenset[str]] = {
    "2000A": frozenset(("NM1*85", "NM1*87", "NM1*PE", "PRV*BI", "CUR*85")),
    "2000B": frozenset(("NM1*IL", "NM1*PR", *(f"SBR*{code}" for code in "ABCDEFGHPSTU"))),
    "2000C": frozenset(
        ("NM1*QC", *(f"PAT*{code}" for code in ("01", "19", "20", "21", "39", "40", "53", "G8")))
    ),
}


# HL segments so far, the number of the last one, and the numbers by which the billing provider is known.
LevelsSoFar = tuple[int, int, tuple[str, ...]]


class Hierarchy:
    """The levels of one transaction set, as far as it is read."""

    def __init__(self, chart: Chart, delimiters: Delimiters) -> None:
        self._chart = chart
        self._delimiters = delimiters
        self._certain_subscriber = write_subscriber(delimiters)
        self._count = 0  # HL segments so far
        self._last = 0  # the number of the last one
        self._numbers: dict[Level, tuple[str, ...]] = {}  # of the open levels, as sent and as counted
        self._innermost: Level = "header"
        self._claims = 0  # of the open patient
        self._subscriber: tuple[str, int] | None = None  # HL04 and position, until it is known what follows
        self._excused = False  # a fault already noted explains what the next HL lacks

    def copy(self) -> Hierarchy:
        """The same levels, read as far: going on from the one changes nothing in the other."""
        other = copy(self)
        other.__dict__["_numbers"] = {**self._numbers}
        return other

    def pass_over(self, levels: int) -> None:
        """Go on as if so many HL segments had been read in all, numbered from 1."""
        self._count = self._last = levels

    @property
    def so_far(self) -> LevelsSoFar | None:
        """What of all that was read bears on how the next subscriber is read; None if more does."""
        return None if self._excused else (self._count, self._last, self._numbers.get("2000A", ()))

    # -- which level

    def level_of(self, kind: str, raws: list[str]) -> Level:
        """The level that a block starts (its segments as text), whatever the code of a wrong HL says."""
        if kind != "HL":
            return "header" if kind == "ST" else "2300" if kind == "CLM" else "trailer"
        first, *segments = [raw.split(self._delimiters.element) for raw in raws[:_HEAD]]
        said = LEVEL_OF_CODE.get(first[3].strip() if len(first) > 3 else "")
        votes: dict[Level, int] = dict.fromkeys(_MARKS, 0)
        for segment in segments:
            token = self._chart.token(segment, self._delimiters.component)
            if said and token in _MARKS[said]:
                return said
            for level, marks in _MARKS.items():
                votes[level] += token in marks
        best = max(votes, key=lambda level: votes[level])
        if votes[best]:
            return best
        return said or _BELOW.get(self._innermost, "2000B")

    def level_ahead(self, following: Block) -> Level:
        """The level that the next block starts."""
        if self._certain_subscriber.match(following.text):
            return "2000B"
        return self.level_of(following.kind, following.text.split(self._delimiters.terminator, _HEAD))

    def is_child_of_lost(self, following: Block) -> bool:
        """Whether the next block is a level whose parent would have been the next number."""
        head = following.text.split(self._delimiters.terminator, 1)[0].split(self._delimiters.element, 3)
        return following.kind == "HL" and len(head) > 2 and head[2].strip() == str(self._last + 1)

    # -- a level starts

    def is_next(self, level: Level, head: list[str]) -> bool:
        """Whether HL01 and HL02 are what they must be."""
        return head[1] == str(self._count + 1) and (
            level == "2000A" or head[2] in self._numbers.get(_ABOVE[level], ())
        )

    def take(self, level: Level, head: list[str], position: int) -> None:
        """Start a level whose HL has no fault."""
        self._count += 1
        self._last = self._count
        self._excused = False
        self._enter(level, (head[1],))
        self._subscriber = (head[4], position) if level == "2000B" else None

    def imply(self, level: Level) -> None:
        """Start a level whose HL is missing or misspelt."""
        self._count += 1
        self._last += 1
        self._enter(level, (str(self._last), str(self._count)))
        self._subscriber = None

    def start(self, level: Level, segment: list[str], position: int) -> list[Fault]:
        """Start a level; what is wrong with the numbers of its HL."""
        faults: list[Fault] = []
        node = self._chart.guide.levels[level].opener
        self._subscriber = None
        excused, self._excused = self._excused, False
        number, parent = (segment[at].strip() if len(segment) > at else "" for at in (1, 2))
        self._count += 1
        value = int(number) if DIGITS.fullmatch(number) and len(number) <= 12 else -1
        if (
            0 < len(number) <= 12
            and self._delimiters.component not in number
            and not CONTROL.search(number)
            and value not in (self._count, self._last + 1)
            and not excused
        ):
            found = str(value) if value >= 0 else ""
            faults.append(number_fault("hierarchy", position, node, 1, self._say(self._last + 1), found))
        self._last = value if value >= 0 else self._count
        parents = self._numbers.get(_ABOVE[level], ())
        known = not parents or parent in parents or CONTROL.search(parent)
        if level != "2000A" and 0 < len(parent) <= 12 and not known and not excused:
            found = parent if parent.isdigit() else ""
            faults.append(number_fault("hierarchy", position, node, 2, self._say(parents[0]), found))
        self._enter(level, (number, str(self._count)))
        if level == "2000B" and len(segment) > 4 and segment[4].strip() in ("0", "1"):
            self._subscriber = (segment[4].strip(), position)
        return faults

    def _say(self, number: str | int) -> str:
        """The number of a level as a message names it."""
        said = str(number)
        sure = DIGITS.fullmatch(said) and int(said) <= max(_SURE, self._count)
        return said if sure else "the number after the last one, or that of the level above"

    def _enter(self, level: Level, numbers: tuple[str, ...]) -> None:
        self._numbers[level] = numbers
        for below in LEVELS[LEVELS.index(level) + 1 : 4]:
            self._numbers.pop(below, None)
        self._innermost = level
        self._claims = 0

    # -- a claim starts

    def has_room(self) -> bool:
        """Whether the patient may have one more claim."""
        return self._claims < CLAIMS

    def is_told_of_next(self) -> bool:
        """Whether a fault is noted of the next claim: the first of a patient that is too many."""
        return self._claims == CLAIMS

    @property
    def state(self) -> tuple[tuple[object, ...], int]:
        """All that is known of the levels, and the number of claims."""
        levels = (
            self._count,
            self._last,
            tuple(sorted(self._numbers.items())),
            self._innermost,
            self._subscriber,
            self._excused,
        )
        return levels, self._claims

    def start_claim(self, position: int) -> list[Fault]:
        """Count a claim; one fault for the first that is too many, as a hundred more would say the same."""
        self._claims += 1
        if self._claims != CLAIMS + 1:
            return []
        loop = self._chart.guide.levels["2300"]
        return [loop_fault("loop-repeat", position, loop, f"at most {CLAIMS} for one patient")]

    # -- a block ends

    def check_next(self, level: Level, end: int, following: Block) -> list[Fault]:
        """What must follow a block of this level, which ends before position `end`, and does not."""
        due = _BELOW[level] if level in ("header", "2000A") else None
        if following.kind == "CLM":
            return self._miss(due, end) if due else []
        if following.kind not in ("HL", "SE"):
            return []
        below = self.level_ahead(following) if following.kind == "HL" else None
        subscriber, self._subscriber = self._subscriber, None
        if due:
            return self._miss(due, end) if below != due else []
        said, position = subscriber or ("0", 0)
        if level == "2000C" or (level == "2000B" and below != "2000C" and said == "0"):
            return self._miss("2300", end)
        if self._excused or subscriber is None or (below == "2000C") == (said == "1"):
            return []
        expected = "1 if a patient level follows" if said == "0" else "0 if no patient level follows"
        node = self._chart.guide.levels["2000B"].opener
        return [number_fault("hierarchy", position, node, 4, expected, said)]

    def _miss(self, level: Level, position: int) -> list[Fault]:
        self._excused = True
        return [loop_fault("loop-missing", position, self._chart.guide.levels[level])]


@lru_cache(maxsize=16)
def write_subscriber(delimiters: Delimiters) -> re.Pattern[str]:
    """How the level of a subscriber begins that is one beyond doubt."""
    e, t = re.escape(delimiters.element), re.escape(delimiters.terminator)
    text = f"[^{e}{t}]*+"
    return re.compile(f"HL{e}{text}{e}{text}{e}22(?>(?:{e}{text})*){t}SBR{e}[ABCDEFGHPSTU][{e}{t}]")
