"""The repairs of the findings on one part after the other, as they change its segments."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from edi_checker.check.fixes import envelope, form, order  # noqa: F401  # each registers its repairs
from edi_checker.check.fixes.spot import REPAIRS, Above, Spot, Standing
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    BlockView,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Patient,
    Segment,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
    place_in,
)
from edi_checker.guide.table import Guide
from edi_checker.x12.finding import Place

# HL03 of the levels, and that of the level above each.
_CODES: dict[type, str] = {BillingProvider: "20", Subscriber: "22", Patient: "23"}
_ABOVE = {"22": "20", "23": "22"}


class Repair(NamedTuple):
    """One segment with one repair.

    ordinal     of the segment in the input, as in Block
    asked       whether a finding names this place; else it follows from another repair
    first, last ordinals of the first and last segment of its part; `of_claim` whether that is a claim
    before, after   the text of the segment
    """

    ordinal: int
    rule: str
    asked: bool
    safe: bool
    first: int
    last: int
    of_claim: bool
    where: Place
    separator: str
    before: str
    after: str

    @property
    def name(self) -> Name:
        return self.ordinal, self.rule, self.where.element or ""


# A repair: ordinal of its segment, rule, element.
Name = tuple[int, str, str]


class Planner:
    """Takes the checked parts of one input in document order, and says for each what can be repaired.

    `left` names repairs that are not to be made.
    """

    def __init__(self, guide: Guide, *, unsafe: bool, left: AbstractSet[Name] = frozenset()) -> None:
        self._guide = guide
        self._unsafe = unsafe
        self._left = left
        self._standing = Standing()
        self._subscriber: _Draft | None = None
        self.left_unsafe = 0  # repairs that are not made, because they are not safe

    def plan(self, checked: Checked) -> list[Repair]:
        """The repairs of a part, and maybe one of the level above it, by segment."""
        part = checked.part
        draft = _Draft(part)
        self._enter(part)
        repairs: list[Repair] = []
        for rule, where, asked in self._wanted(checked):
            repair = self._repair(rule, where, draft, asked=asked)
            if repair is not None:
                repairs.append(repair)
        self._leave(part, draft)
        return sorted(repairs, key=lambda repair: repair.ordinal)

    def _wanted(self, checked: Checked) -> Iterator[tuple[str, Place, bool]]:
        """By rule and place what is to be repaired: what a finding says, and what follows from it."""
        seen = set()
        for rule, where, asked in self._listed(checked):
            if (rule, where.position, where.element) not in seen:
                seen.add((rule, where.position, where.element))
                yield rule, where, asked

    def _listed(self, checked: Checked) -> Iterator[tuple[str, Place, bool]]:
        part, named = checked.part, set()
        for finding in checked.findings:
            if finding.rule in REPAIRS:
                named.add(finding.rule)
                yield finding.rule, finding.where, True
        if isinstance(part, Transaction):
            if self._standing.renamed:
                yield "x12.version", place_in(part, "ST", "ST", 1, "ST03"), False
        elif isinstance(part, Claim):
            if "guide.line-number" in named:
                for at, segment in enumerate(part.segments):
                    if segment[0] == "LX":
                        yield "guide.line-number", _place(part, "2400", "LX", "LX01", at), False
        elif isinstance(part, Level):
            if self._standing.shifted or "guide.hierarchy" in named:
                for name in ("HL01", "HL02"):
                    loop = {"20": "2000A", "22": "2000B"}.get(_CODES[type(part)], "2000C")
                    yield "guide.hierarchy", _place(part, loop, "HL", name, 0), False
        elif isinstance(part, TransactionEnd):
            header = part.transaction
            yield "x12.control-number", place_in(header, "SE", "SE", part.position, "SE02"), False
        elif isinstance(part, GroupEnd):
            of = part.group.interchange.control_number
            where = Place(of, part.group.control_number, None, None, None, "GE", "GE", 0, "GE02")
            yield "x12.control-number", where, False
        elif isinstance(part, InterchangeEnd):
            of = part.interchange.control_number
            yield (
                "x12.control-number",
                Place(of, None, None, None, None, "IEA", "IEA", 0, "IEA02"),
                False,
            )

    def _repair(self, rule: str, where: Place, draft: _Draft, *, asked: bool) -> Repair | None:
        at = draft.index_of(where)
        if at is None and self._subscriber is not None:
            # What a claim says of its subscriber: HL04, the member id.
            draft = self._subscriber
            at = draft.index_of(where)
        if at is None:
            return None
        segment = draft.segments[at]
        spot = Spot(
            where.element or "",
            where.loop,
            segment,
            draft.segments[:at],
            draft.first + at,
            draft.part,
            draft.delimiters,
            self._guide,
            self._standing,
        )
        repaired = REPAIRS[rule].repair(spot)
        if repaired is None or (draft.first + at, rule, where.element or "") in self._left:
            return None
        if not repaired.safe and not self._unsafe:
            self.left_unsafe += 1
            return None
        draft.segments[at] = repaired.segment
        separator = draft.delimiters.element
        return Repair(
            draft.first + at,
            rule,
            asked,
            repaired.safe,
            draft.first,
            draft.first + len(draft.segments) - 1,
            isinstance(draft.part, Claim),
            where,
            separator,
            separator.join(segment),
            separator.join(repaired.segment),
        )

    # What stands above

    def _enter(self, part: Part) -> None:
        if isinstance(part, Transaction):
            above = self._standing
            self._standing = Standing(above.interchange, above.group, renamed=above.renamed)
            self._subscriber = None
        if isinstance(part, Level):
            code = _CODES[type(part)]
            self._standing.levels += 1
            self._standing.above = self._standing.open.get(_ABOVE.get(code, ""))

    def _leave(self, part: Part, draft: _Draft) -> None:
        standing = self._standing
        if isinstance(part, Claim):
            return
        head = draft.head
        match part:
            case Interchange():
                standing.interchange = element(head, 13).strip()
            case Group():
                standing.group = element(head, 6)
                standing.renamed = element(part.segment, 8) != element(head, 8)
            case Transaction():
                standing.transaction = element(head, 2)
            case Level():
                came, written = element(_Draft(part).head, 1), element(head, 1)
                standing.open[_CODES[type(part)]] = Above(came.strip(), written.strip())
                standing.shifted = standing.shifted or came != written
                if isinstance(part, Subscriber):
                    self._subscriber = draft


class _Draft:
    """The segments of a part as they stand after the repairs so far; `first` is the ordinal of the first."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._segments: list[Segment] | None = None
        if isinstance(part, BlockView):
            self.first, self.position = part.block.ordinal, part.position
            self.delimiters = part.block.delimiters
        else:
            self.first, self.position = (part.ordinal if part.segment else 0), 0
            self.delimiters = _interchange_of(part).delimiters

    @property
    def segments(self) -> list[Segment]:
        if self._segments is None:
            if isinstance(self.part, BlockView):
                self._segments = self.part.block.segments()
            else:
                self._segments = [self.part.segment] if self.part.segment else []
        return self._segments

    @property
    def head(self) -> Segment:
        """The first segment; the others are split where one of them is repaired."""
        if self._segments is None and isinstance(self.part, BlockView):
            text = self.part.block.text.partition(self.delimiters.terminator)[0]
            return text.split(self.delimiters.element)
        return next(iter(self.segments), [])

    def index_of(self, where: Place) -> int | None:
        """Which segment a place names; None where it is none of the part."""
        at = where.position - self.position if isinstance(self.part, BlockView) else 0
        if not self.first or not 0 <= at < len(self.segments):
            return None
        # Of a segment that is none, the finding does not quote the id.
        return at if where.segment in ("", self.segments[at][0], self.segments[at][0].strip()) else None


def _interchange_of(part: Interchange | Group | TransactionEnd | GroupEnd | InterchangeEnd) -> Interchange:
    match part:
        case Interchange():
            return part
        case TransactionEnd():
            return part.transaction.interchange
        case GroupEnd():
            return part.group.interchange
        case Group() | InterchangeEnd():
            return part.interchange


def _place(part: Claim | Level, loop: str, segment: str, name: str, at: int) -> Place:
    claim = part.id if isinstance(part, Claim) else None
    return place_in(part.transaction, loop, segment, part.position + at, name, claim=claim)
