"""The whole path in one short function: bytes to blocks, parts, facts, findings, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

from edi_checker.check.ahead import cut_ahead, glance_over
from edi_checker.check.allowed import PERSONAL, hide_numbers, names_day, numbers_in, personal_in
from edi_checker.check.by_pieces import judge_by_pieces
from edi_checker.check.cutting import Cut
from edi_checker.check.engine import Engine
from edi_checker.check.memo import Memo
from edi_checker.claims.checked import Checked, Outcome, length_of
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Patient,
    SegmentRun,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.payer_profiles import Choice, choose, choose_for_run
from edi_checker.claims.profile import Isolation, Profile
from edi_checker.claims.reader import read_parts
from edi_checker.facts import AnyLevel, Fact, HistoryUnreadable, InputMemory, Setting, facts_of
from edi_checker.guide.table import Guide
from edi_checker.x12.blocks import Bounds, Delimiters, Fault, read_blocks
from edi_checker.x12.fault_codes import NOTED_ONLY
from edi_checker.x12.finding import Finding


@dataclass(frozen=True, slots=True)
class Checker:
    """Everything that a check needs, made once and used for any number of inputs, one after the other.

    `isolation` says what a fault of structure within a claim rejects, None leaves it to the claim's profile;
    `bounds` are the most that is read as one segment or claim, None for the usual ones;
    `fast` passes the blocks that are proved clean as a whole, and gives back what was worked out of pieces
    that say the same; the findings are the same without.
    """

    guide: Guide
    engine: Engine
    setting: Setting
    isolation: Isolation | None = None
    fast: bool = True
    bounds: Bounds | None = None

    def check(self, stream: BinaryIO, memory: InputMemory | None = None) -> Iterator[Checked]:
        """Check one input; yields its parts in document order, each as soon as it has been read.

        `memory` is a fresh one for each input; None makes one.
        Raises x12.NotX12 where the input cannot be read at all. Memory does not grow with the input.
        """
        outcomes = Outcomes(self.isolation, profile=self.setting.profile)
        memory = memory or InputMemory(self.setting.minutes)
        memory.report_days(self.engine.meet)
        parts = read_parts(read_blocks(stream, self.bounds), self.guide, fast=self.fast)
        history = memory.history
        many = MANY if history is None else MANY_KEYS
        for handful in with_following(take_handfuls(parts, length_of, many), role_of):
            if history is not None:
                self._read_levels([part for part, _ in handful])
                claims = [part for part, _ in handful if isinstance(part, Claim)]
                if self.fast:
                    cut_ahead(claims)
                history.fetch(glance_over(claims), self.setting)
            judged = [(part, *self.judge(part, memory, following)) for part, following in handful]
            for part, findings, failed in judged:
                checked = Checked(part, findings, outcomes.of(part, findings, failed), failed)
                if history is not None:
                    history.take(part, accepted=checked.outcome == "accepted")
                yield checked

    def _read_levels(self, parts: Sequence[Part]) -> None:
        """Read the levels among these parts, which are judged next: a history asks for their persons."""
        levels = [part for part in parts if isinstance(part, _LEVELS) and not part.faults]
        for delimiters in dict.fromkeys([level.block.delimiters for level in levels]) if self.fast else ():
            of_these = [level for level in levels if level.block.delimiters == delimiters]
            with suppress(Exception):  # each is read again when it is judged, and what happens is told
                self._memo_of_levels(delimiters).read_levels(of_these)

    def _memo_of_levels(self, delimiters: Delimiters) -> Memo:
        return self.engine.memo(delimiters, self.setting, choose_for_run(self.setting.profile))

    def judge(
        self, part: Part, memory: InputMemory, following: Iterable[Claim] = ()
    ) -> tuple[tuple[Finding, ...], str]:
        """What is wrong with the next part, and why it could not be checked, "" where it was. `following` are
        the claims behind it, as of with_following.
        """
        memory.begin(following, part if isinstance(part, Claim) else None)
        findings, failed = self._judge(part, memory)
        if findings and isinstance(part, Claim):
            findings = _without_birth_dates(findings, part)
        if isinstance(part, Interchange):
            memory.withdrawn.begin(part)
        elif isinstance(part, _ENDS) and any(finding.severity == "error" for finding in findings):
            memory.withdrawn.refuse(part)
        if isinstance(part, Claim) and (memory.billed or memory.charged or memory.replaced):
            refused = failed or any(finding.severity == "error" for finding in findings)
            memory.settle(part, accepted=not refused)
        return findings, failed

    def _judge(self, part: Part, memory: InputMemory) -> tuple[tuple[Finding, ...], str]:
        if isinstance(part, Claim) and not part.faults and not is_sent(part):
            return _NOTHING  # what is wrong with a CLM sent twice is noted of the second
        try:
            if self.fast and isinstance(part, _IN_PIECES) and not part.faults:
                found = self._remember(part, memory)
                if found is not None:
                    if isinstance(part, Claim):
                        self.engine.ways["pieces"] += 1
                    if found:
                        self.engine.note_remembered(found)
                    return tuple(found), ""
            if isinstance(part, Claim):
                self.engine.ways["whole"] += 1
            facts = facts_of(part, self.setting, memory)
            if not facts:
                return _NOTHING
            if self.fast and isinstance(part, Claim) and len(facts) == len(part.faults):
                findings = self._judge_faults(facts, part)
            else:
                option = self.setting.profile
                profile = self.setting.profile_of(part) if isinstance(part, Claim) else choose_for_run(option)
                findings = tuple(self.engine.judge(facts, profile, self.setting.received))
            if part.faults:
                findings = _without_slipped(_without_echoes(findings, part.faults), part)
            return findings, ""
        except HistoryUnreadable:
            raise  # of the whole input: nobody knows which claims would have met an earlier one
        except Exception as crash:  # noqa: BLE001  # a crash of ours must cost one part, neither pass nor reject it
            # The type alone: a message of an unexpected error may quote the claim.
            return (), f"internal error ({type(crash).__name__})"

    def _judge_faults(self, facts: list[Fact], claim: Claim) -> tuple[Finding, ...]:
        """The findings on a claim of which there are no facts but its faults, as the rules give them."""
        received, profile = self.setting.received, self.setting.profile_of(claim)
        faulty = self.engine.faulty
        key = faulty.key_of(claim, profile, received)
        findings = faulty.recall(key, claim) if key is not None else None
        if findings is not None:
            self.engine.note_remembered(findings)
            return findings
        findings = tuple(self.engine.judge(facts, profile, received))
        if key is not None:
            faulty.note(key, claim, findings)
        return findings

    def _remember(self, part: Claim | AnyLevel, memory: InputMemory) -> list[Finding] | None:
        """The findings by what was worked out of such pieces before; None where that is not enough."""
        setting = self.setting
        delimiters = part.block.delimiters
        of_levels = self._memo_of_levels(delimiters)
        if not isinstance(part, Claim):
            found = of_levels.judge_level(part)
            if found is not None:
                memory.note_days(setting, of_levels.profile, None, None)
            return found
        cut = part.pieces or of_levels.cutter.cut(part.block.text)
        if not isinstance(cut, Cut):
            return None
        part.pieces = None
        part.know_head(cut.id, cut.cents, of_levels.cutter.location_in(cut.terms))
        profile = setting.profile_of(part)
        setting = setting.held_to(profile)
        memo = self.engine.memo(delimiters, setting, profile)
        return judge_by_pieces(memo, part, cut, setting, memory, of_levels.above)


_LEVELS = (BillingProvider, Subscriber, Patient)
_IN_PIECES = (Claim, *_LEVELS)
_ENDS = (TransactionEnd, GroupEnd, InterchangeEnd)
_NOTHING: tuple[tuple[Finding, ...], str] = ((), "")


_T = TypeVar("_T")
MANY = 100  # parts at once
MANY_KEYS = 200  # of them, where keys are looked up in the history: more would leave the processor's cache
_LONG = 1 << 16  # characters, of MANY parts


def take_handfuls(items: Iterable[_T], length: Callable[[_T], int], many: int = MANY) -> Iterator[list[_T]]:
    """The items some at a time, not more than make a fair length: many in a row go through the same code
    faster than each goes through all of it.

    What comes before an error of the items is given before it is raised.
    """
    handful: list[_T] = []
    most = left = _LONG * many // MANY
    try:
        for item in items:
            handful.append(item)
            left -= length(item)
            if left < 0 or len(handful) == many:
                yield handful
                handful = []
                left = most
    except Exception:
        yield handful
        raise
    yield handful


_LOOK_AHEAD = 20  # claims that are looked at behind the one that is judged


class Behind:
    """The claims, at most _LOOK_AHEAD, that come behind an item with nothing but levels between them."""

    __slots__ = ("_begin", "_roles")

    def __init__(self, roles: Sequence[Claim | bool], begin: int) -> None:
        self._roles = roles
        self._begin = begin

    def __iter__(self) -> Iterator[Claim]:
        left = _LOOK_AHEAD
        for number in range(self._begin, len(self._roles)):
            role = self._roles[number]
            if not role or not left:
                return
            if role is not True:
                left -= 1
                yield role


def with_following(
    handfuls: Iterable[list[_T]], role_of: Callable[[_T], Claim | bool]
) -> Iterator[list[tuple[_T, Behind]]]:
    """The items of each handful with the claims behind each; the end of a handful, if it is of claims and
    levels, waits for the next handful. The role of an item is its claim, True for a level, else False.

    What is held back when the handfuls end in an error is given before it is raised.
    """
    held: list[tuple[_T, Claim | bool]] = []
    try:
        for handful in handfuls:
            held += [(item, role_of(item)) for item in handful]
            ready = len(held) - _waiting(held)
            yield _followed(held, ready)
            del held[:ready]
    except Exception:
        yield _followed(held, len(held))
        raise
    yield _followed(held, len(held))


def _waiting(held: Sequence[tuple[object, Claim | bool]]) -> int:
    """How many items at the end may have further claims behind them."""
    claims = waiting = 0
    while waiting < len(held) and claims < _LOOK_AHEAD and (role := held[-1 - waiting][1]):
        claims += role is not True
        waiting += 1
    return waiting


def _followed(held: Sequence[tuple[_T, Claim | bool]], ready: int) -> list[tuple[_T, Behind]]:
    roles = [role for _, role in held]
    return [(item, Behind(roles, number)) for number, (item, _) in enumerate(held[:ready], 1)]


def role_of(part: Part) -> Claim | bool:
    """As of with_following."""
    return part if isinstance(part, Claim) else isinstance(part, Level)


def _without_echoes(findings: tuple[Finding, ...], faults: tuple[Fault, ...]) -> tuple[Finding, ...]:
    """The findings, with one finding for one cause: nothing is said of what an element means where the
    guide refuses how it is written, and nothing of the modifiers of a procedure that it refuses.
    """
    refused = {(fault.position, fault.element) for fault in faults if fault.answers}
    for position, element in tuple(refused):
        if element in _PROCEDURE:
            # Rules look at the four modifiers together.
            refused.update((position, modifier) for modifier in _PROCEDURE[1:])
    return tuple(
        finding
        for finding in findings
        if finding.snip <= 2 or (finding.where.position, finding.where.element) not in refused
    )


def _without_birth_dates(findings: tuple[Finding, ...], claim: Claim) -> tuple[Finding, ...]:
    """The findings, whose messages name no day on which a person of the claim was born or died."""
    if not any(names_day(finding.message) for finding in findings):
        return findings
    parts = [part for part in (claim, claim.subscriber, claim.patient) if part is not None]
    written = [segments for part in parts for segments in _personal_segments(part)]
    return _without(findings, numbers_in(personal_in(written)))


def _personal_segments(part: Claim | AnyLevel) -> Iterable[list[str]]:
    """Those segments of a part in which days of birth and death may stand."""
    if part.faults:
        return part.segments
    # Without a fault no other segment need be split; few claims have any.
    text, delimiters = part.block.text, part.block.delimiters
    if not any(f"{delimiters.terminator}{name}" in text for name in PERSONAL):
        return ()
    texts = text.split(delimiters.terminator)
    return [each.split(delimiters.element) for each in texts if each.startswith(PERSONAL)]


def _without(findings: tuple[Finding, ...], numbers: frozenset[str]) -> tuple[Finding, ...]:
    if not numbers:
        return findings
    return tuple([_without_numbers(finding, numbers) for finding in findings])


def _without_numbers(finding: Finding, numbers: frozenset[str]) -> Finding:
    message, fix = hide_numbers(finding.message, numbers), hide_numbers(finding.fix, numbers)
    if message == finding.message and fix == finding.fix:
        return finding
    return finding._replace(message=message, fix=fix)


def _without_slipped(findings: tuple[Finding, ...], part: Part) -> tuple[Finding, ...]:
    """The findings, without the numbers of segments with a fault, whose elements may have slipped."""
    if not isinstance(part, SegmentRun) or not findings:
        return findings
    at = {fault.position - part.position for fault in part.faults}
    numbers = numbers_in(
        value.strip() for index, segment in enumerate(part.segments) if index in at for value in segment[1:]
    )
    return _without(findings, numbers)


_PROCEDURE = ("SV101-2", "SV101-3", "SV101-4", "SV101-5", "SV101-6")


@dataclass(slots=True)
class Outcomes:
    """What stands above the current part, and which of it is rejected already."""

    isolation: Isolation | None
    interchange: Outcome = "accepted"
    group: Outcome = "accepted"
    transaction: Outcome = "accepted"
    levels: dict[type, Outcome] = field(default_factory=dict)
    profile: Profile | Choice | None = None
    # An HL is missing: until the next one nobody knows whose the claims are.
    adrift: Outcome = "accepted"
    # The last segment of a claim belongs to the level that comes next, which is not whole without it.
    torn: Outcome = "accepted"

    def _isolation(self, part: Part) -> Isolation:
        if self.isolation is not None:
            return self.isolation
        profile = choose(part, self.profile) if isinstance(part, Claim) else choose_for_run(self.profile)
        return profile.isolation or "claim"

    def of(self, part: Part, findings: tuple[Finding, ...], failed: str) -> Outcome:
        if not findings and not failed and isinstance(part, Claim) and is_sent(part):
            return self._above_claim()
        own: Outcome = "accepted"
        if not isinstance(part, Claim):
            self.adrift = "accepted"
        elif not is_sent(part):
            # The first of a CLM sent twice in a row; the finding stands at the second, this one is empty.
            own = "rejected"
        for finding in findings:
            if finding.severity == "error" and self._is_rejected(part, finding):
                own = "rejected"
        if isinstance(part, Level):
            own, self.torn = _worst(own, self.torn), "accepted"
        return self._enter(part, "not_checked" if failed else own)

    def _is_rejected(self, part: Part, error: Finding) -> bool:
        """Whether an error rejects the part; what else it rejects is noted."""
        self._doubt_levels(part, error)
        if error.status.ta1 is not None:
            if error.status.ta1 == NOTED_ONLY:
                return False
            self.interchange = "rejected"
        elif error.status.ack999 and self._isolation(part) == "transaction":
            self.transaction = "rejected"
        return True

    def _enter(self, part: Part, own: Outcome) -> Outcome:
        """Note the outcome of a part, for those that stand below it; the outcome to be reported."""
        match part:
            case Interchange():
                self.interchange = own
                return own
            case Group():
                self.group = "rejected" if not part.readable else own
                return self.group
            case Transaction():
                self.levels.clear()
                self.transaction = own
                return own
            case BillingProvider():
                self.levels = {BillingProvider: own}
                return own
            case Subscriber():
                self.levels.pop(Patient, None)
                self.levels[Subscriber] = own
                return own
            case Patient():
                self.levels[Patient] = own
                return own
            case Claim():
                return _worst(own, self._above_claim())
            case TransactionEnd():
                self.transaction = _worst(self.transaction, own)
                return self.transaction
            case GroupEnd():
                self.group = _worst(self.group, own)
                return self.group
            case InterchangeEnd():
                self.interchange = _worst(self.interchange, own)
                return self.interchange

    def _above_claim(self) -> Outcome:
        return _worst(self.interchange, self.group, self.transaction, self.adrift, *self.levels.values())

    def _doubt_levels(self, part: Part, finding: Finding) -> None:
        """A segment of a level that stands in a part below it: the level is not whole, whoever it is of."""
        where = finding.where
        if where.element is not None or not finding.rule.startswith("guide."):
            return
        level = _LEVEL_OF_LOOP.get(where.loop[:5])
        if where.segment == "HL":
            self.adrift = "rejected"
            if level is not None and type(part) is not level:
                # The levels below the lost one come with an HL of their own, and are nobody's all the same.
                self.levels[level] = "rejected"
            return
        if level is None or type(part) is level or not isinstance(part, (Level, Claim)):
            return
        last = part.position + part.block.text.count(part.block.delimiters.terminator)
        if isinstance(part, Claim) and where.position == last:
            self.torn = "rejected"
        else:
            self.levels[level] = "rejected"


def is_sent(claim: Claim) -> bool:
    """Whether there is more of a claim than its CLM. A CLM alone is the first of one sent twice."""
    return claim.block.delimiters.terminator in claim.block.text


_LEVEL_OF_LOOP: dict[str, type] = {
    "2000A": BillingProvider,
    "2010A": BillingProvider,
    "2000B": Subscriber,
    "2010B": Subscriber,
    "2000C": Patient,
    "2010C": Patient,
}


def _worst(*outcomes: Outcome) -> Outcome:
    if "not_checked" in outcomes:
        return "not_checked"
    return "rejected" if "rejected" in outcomes else "accepted"
