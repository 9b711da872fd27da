"""Blocks to the parts of a claim file, in order; notes the faults of the envelope, judges nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

from edi_checker.claims.claim import (
    REISSUE,
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Patient,
    Segment,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.guide.table import Guide, is_segment_id
from edi_checker.guide.walker import Walked, Walker
from edi_checker.x12.blocks import ISA_WIDTHS, Block, Delimiters, Fault, NotClaims, TooBroken
from edi_checker.x12.dates import day, is_date, is_time
from edi_checker.x12.fault_codes import (
    BETWEEN_SEGMENTS,
    ELEMENT_MISSING,
    END_OF_FILE,
    GROUP_COUNT,
    GROUP_KIND,
    GROUP_NUMBER,
    GROUP_NUMBER_TWICE,
    GROUP_NUMBERS_DIFFER,
    GROUP_TRAILER,
    GROUP_VERSION,
    INTERCHANGE_COUNT,
    INTERCHANGE_NUMBERS_DIFFER,
    INTERCHANGE_TWICE,
    INTERCHANGE_VERSION,
    SEGMENT_HAS_ERRORS,
    SET_COUNT,
    SET_KIND,
    SET_NUMBER_TWICE,
    SET_NUMBERS_DIFFER,
    SET_SEGMENTS,
    SET_TRAILER,
    SET_VERSION,
)
from edi_checker.x12.kinds import TA1, Kind, name_group, name_version, say_others

VERSION = "005010X222A1"
MOST_CLAIMS = 5_000  # of a transaction set, which the guide recommends
MOST_BROKEN = 100  # parts of the envelope without their begin or end, after which nothing more is read
READ_AS_VERSION = frozenset(("005010X222", "005010X222A2"))
_UNREADABLE = frozenset((SET_KIND, SET_VERSION))  # answers to a set of another kind or version


class Walks(Protocol):
    """Holds the blocks of one transaction set to the guide, in order: a guide.walker.Walker."""

    def walk(self, block: Block, following: Block | None) -> Walked: ...


def read_parts(blocks: Iterable[Block], guide: Guide, *, fast: bool = True) -> Iterator[Part]:
    """Put blocks together to interchanges, groups, transactions, levels and claims, each with its faults.

    Every opening part is closed by its End part, also where the file forgets to. Holds no more than the
    levels above the current claim. `fast` as of the walker: the parts are the same without.
    Raises TooBroken in place of what follows MOST_BROKEN broken parts of the envelope, NotClaims at the end
    where nothing but groups of another kind was there.
    """
    reader = Reader(lambda delimiters: Walker(guide, delimiters, fast=fast))
    for block, following in pairwise(_then_none(blocks)):
        if block is not None:
            yield from reader.read(block, following)
    yield from reader.end()


_INSIDE = frozenset(("HL", "CLM"))
_BROKEN = frozenset(("envelope", "truncated"))


def _then_none(blocks: Iterable[Block]) -> Iterator[Block | None]:
    yield from blocks
    yield None


class Reader:
    """What is open at this place of the file, while its blocks come one by one; see read_parts.

    `walks` makes a walker for each transaction set, given the delimiters.
    """

    def __init__(self, walks: Callable[[Delimiters], Walks]) -> None:
        self._walks = walks
        self._seen_interchanges: set[tuple[str, ...]] = set()
        self._seen_groups: set[str] = set()
        self._seen_transactions: set[str] = set()
        self._seen_batches: set[tuple[str, ...]] = set()
        self._interchange: Interchange | None = None
        self._group: Group | None = None
        self._transaction: Transaction | None = None
        self._walker: Walks | None = None
        self._provider: BillingProvider | None = None
        self._subscriber: Subscriber | None = None
        self._patient: Patient | None = None
        self._own_claims = False  # whether the subscriber has claims without a level of a patient
        self._groups = 0
        self._transactions = 0
        self._claims = 0
        self._position = 0
        # The kinds of what holds no claims, in order, and the names of those that no part has named yet.
        self._others: dict[Kind, None] = {}
        self._unnamed: dict[str, None] = {}
        # Whether a group was for claims, in the input and in this interchange, and whether one here was not.
        self._for_claims = self._for_claims_here = self._other_here = False
        # Faults found between two parts, and whether one of them explains a wrong count or a missing trailer.
        self._between: list[Fault] = []
        self._lost = False
        self._broken = 0

    def read(self, block: Block, following: Block | None) -> Iterable[Part]:
        """The parts that a block closes and opens. `following` is the next block, None at the end."""
        if block.kind not in _INSIDE:
            return self._count_broken(self._take(block, following))
        part = self._take_inside(block, following)
        return () if part is None else (part,)

    def open_headers(self) -> tuple[Interchange | None, Group | None, Transaction | None]:
        """The envelope and the transaction that are open."""
        return self._interchange, self._group, self._transaction

    @property
    def provider(self) -> BillingProvider | None:
        """The billing provider of the next subscriber."""
        return self._provider

    def _count_broken(self, parts: Iterator[Part]) -> Iterator[Part]:
        """The parts as they come; raises TooBroken before them where too much was broken already."""
        if self._broken >= MOST_BROKEN:
            raise TooBroken(
                f"{MOST_BROKEN} times an ISA, GS, ST, SE, GE or IEA segment is missing or out of place; "
                "what follows is not checked"
            )
        for part in parts:
            yield part
            if part.faults:
                self._broken += any(fault.kind in _BROKEN and not fault.element for fault in part.faults)

    def _take(self, block: Block, following: Block | None) -> Iterator[Part]:
        """The parts that a block of the envelope or the header of a transaction closes and opens."""
        if block.kind == "ISA":
            yield from self._close_interchange(None, ())
            yield self._open_interchange(block, following)
        elif block.kind == "GS":
            yield from self._close_group(None, ())
            yield self._open_group(block, following)
        elif block.kind == "GE":
            if self._group is None:
                self._stray("GE", "a GS segment before GE")
            else:
                yield from self._close_group(block.segments(), block.faults, block.ordinal)
        elif block.kind == "IEA":
            # Stray text behind the trailer has no other part that could tell of it.
            after = following.faults if following is not None and following.kind == "?" else ()
            yield from self._close_interchange(block.segments(), (*block.faults, *after), block.ordinal)
        elif block.kind in ("TA1", "?"):
            if self._interchange is not None:
                self._between += block.faults
                self._lost = self._lost or bool(block.faults)
            if block.kind == "TA1" and self._group is None:
                self._others[TA1] = None
                self._other_here = True
        elif self._group is not None and not self._group.readable:
            pass
        elif block.kind == "ST":
            yield from self._open_transaction(block, following)
        elif block.kind == "SE":
            if self._transaction is None:
                self._stray("ST", "an ST segment before SE")
            else:
                self._position = block.position
                yield self._close_transaction(block.segments(), block.faults, block.ordinal)

    def _take_inside(self, block: Block, following: Block | None) -> Part | None:
        """The level or claim of an HL or CLM block; None where none can be made of it."""
        if self._group is not None and not self._group.readable:
            return None
        transaction, walker = self._transaction, self._walker
        if transaction is None:
            self._stray("ST", "an ST segment before the first HL")
            return None
        is_claim = block.kind == "CLM"
        self._position = block.position + block.text.count(block.delimiters.terminator) + 1
        if is_claim:
            self._claims += 1
        if walker is None:
            return None
        level, faults = walker.walk(block, following)
        if faults or block.faults or self._between:
            faults = (*self._take_between(), *block.faults, *faults)
        cut = following is None
        if cut:
            faults = _before_the_cut(faults, block)
        if is_claim:
            claim = Claim(block, transaction, self._provider, self._subscriber, self._patient, faults, cut)
            self._own_claims = self._own_claims or self._patient is None
            if faults and any(_is_lost_subscriber(fault) for fault in faults):
                # Whose level began within the block is not known; what comes next is not of the one before.
                self._subscriber = self._patient = None
            return claim
        if level == "2000A":
            self._provider = BillingProvider(block, transaction, faults)
            self._subscriber = self._patient = None
            return self._provider
        if level == "2000C":
            self._patient = Patient(
                block, transaction, faults, self._subscriber, after_own_claims=self._own_claims
            )
            return self._patient
        self._subscriber = Subscriber(block, transaction, faults, self._provider)
        self._patient = None
        self._own_claims = False
        return self._subscriber

    def end(self) -> Iterator[Part]:
        """What closes at the end of the input; raises NotClaims where nothing of it is for claims."""
        yield from self._close_interchange(None, ())
        if self._others and not self._for_claims:
            raise NotClaims(say_others(list(self._others)[:_NAMED]))

    def _name_others(self) -> Iterator[Fault]:
        """One fault for each kind of group beside claims that holds none."""
        if self._for_claims:
            for name in list(self._unnamed)[:_NAMED]:
                yield Fault("other-group", 0, "GS", "GS", expected="claims", found=name)
            self._unnamed.clear()

    # Interchange

    def _open_interchange(self, block: Block, following: Block | None) -> Interchange:
        head, *rest = block.segments()
        faults = [*self._take_between(), *block.faults, *_isa_faults(head)]
        if rest:
            faults.append(_envelope("GS", BETWEEN_SEGMENTS, f"a GS segment after ISA, not {_ids(rest)}"))
            self._lost = True
        interchange = Interchange(head, block.delimiters, block.ordinal)
        self._for_claims_here = self._other_here = False
        key = tuple(interchange.value(i) for i in (5, 6, 7, 8, 13))
        if key in self._seen_interchanges:
            faults.append(
                Fault(
                    "interchange-repeated",
                    0,
                    "ISA",
                    "ISA",
                    "ISA13",
                    "I12",
                    (INTERCHANGE_TWICE,),
                    "interchange control number",
                    "a number not used before in this file",
                )
            )
        self._seen_interchanges.add(key)
        self._seen_groups.clear()
        self._groups = 0
        if following is not None and (following.kind == "TA1" or _kind_of_group(following, None) is not None):
            # They matter only where claims come in it too.
            self._between, faults = faults, []
        self._interchange = replace(interchange, faults=tuple(faults))
        return self._interchange

    def _close_interchange(
        self, segments: list[Segment] | None, noted: tuple[Fault, ...], ordinal: int = 0
    ) -> Iterator[Part]:
        interchange = self._interchange
        if interchange is None:
            if segments is not None:
                self._between.append(_envelope("ISA", BETWEEN_SEGMENTS, "an ISA segment before IEA"))
            return
        truncated = segments is None
        if truncated:
            yield from self._abandon_group()
        else:
            yield from self._close_group(None, ())
        faults = [*self._take_between(), *noted]
        if segments is not None:
            faults += self._iea_faults(interchange, segments)
        elif not self._lost:
            at, name = ("IEA", "IEA"), "interchange trailer"
            faults.append(
                Fault("truncated", 0, *at, answers=(END_OF_FILE,), name=name, expected="an IEA segment")
            )
        self._interchange = None
        self._lost = False
        answerable = self._for_claims_here or not self._other_here
        faults = [*(faults if answerable else ()), *self._name_others()]
        trailer = segments[0] if segments else None
        yield InterchangeEnd(interchange, trailer, self._groups, tuple(faults), answerable, ordinal)

    def _iea_faults(self, interchange: Interchange, segments: list[Segment]) -> Iterator[Fault]:
        """What does not agree in the trailer, and what stands behind it."""
        iea, *rest = segments
        # Of a number that is not written right, the one fault says all.
        if _is_right(interchange.segment, 13) and element(iea, 2).strip() != interchange.control_number:
            number = "the control number of ISA13"
            yield _numbers("IEA", "IEA02", "I12", INTERCHANGE_NUMBERS_DIFFER, number)
        said = element(iea, 1)
        if not self._lost and not _counts(said, self._groups):
            what = "functional groups"
            yield _count("IEA", "IEA01", "I16", INTERCHANGE_COUNT, self._groups, what, said)
        if rest:
            expected = f"nothing but an ISA segment after IEA, not {_ids(rest)}"
            yield _envelope("IEA", BETWEEN_SEGMENTS, expected)

    # Functional group

    def _open_group(self, block: Block, following: Block | None) -> Group:
        interchange = self._here()
        head, *rest = block.segments()
        group = Group(head, interchange, ordinal=block.ordinal)
        self._groups += 1
        self._seen_transactions.clear()
        self._transactions = 0
        kind = _kind_of_group(block, following)
        if kind is not None:
            return self._pass_over(group, kind)
        self._for_claims = self._for_claims_here = True
        faults = [*self._take_between(), *block.faults]
        readable = group.version == VERSION or group.version in READ_AS_VERSION
        if group.version != VERSION:
            faults.append(
                Fault(
                    "version",
                    0,
                    "GS",
                    "GS",
                    "GS08",
                    "480",
                    () if readable else (GROUP_VERSION,),
                    "version of the group",
                    VERSION,
                    name_version(_version_text(group.version)),
                )
            )
        if readable:
            faults += _gs_faults(head)
            if _is_right(interchange.segment, 12) and interchange.value(12) != "00501":
                faults.append(_envelope("ISA", INTERCHANGE_VERSION, "00501 above a 005010 group", "ISA12"))
            if rest:
                faults.append(_envelope("ST", BETWEEN_SEGMENTS, f"an ST segment after GS, not {_ids(rest)}"))
                self._lost = True
        if group.control_number in self._seen_groups:
            faults.append(
                _numbers(
                    "GS",
                    "GS06",
                    "28",
                    GROUP_NUMBER_TWICE,
                    "a number not used before in this interchange",
                )
            )
        self._seen_groups.add(group.control_number)
        self._group = replace(group, faults=tuple(faults), readable=readable)
        return self._group

    def _pass_over(self, group: Group, kind: Kind) -> Group:
        """A group that holds no claims: nothing of it is read."""
        self._others[kind] = None
        self._unnamed[kind.name] = None
        self._other_here = True
        self._group = replace(group, readable=False, other=kind.name)
        return self._group

    def _close_group(
        self, segments: list[Segment] | None, noted: tuple[Fault, ...], ordinal: int = 0
    ) -> Iterator[Part]:
        group = self._group
        if group is None:
            return
        if self._transaction is not None:
            yield self._close_transaction(None, ())
        faults = [] if group.other else [*self._take_between(), *noted]
        if not group.segment or group.other:
            pass  # The missing GS was noted; its trailer has nothing to agree with.
        elif segments is None:
            faults.append(_envelope("GE", GROUP_TRAILER, "a GE segment"))
        else:
            trailer, *rest = segments
            is_number = _GS_CHECKS[6][1]
            if is_number(group.control_number) and element(trailer, 2) != group.control_number:
                faults.append(
                    _numbers(
                        "GE",
                        "GE02",
                        "28",
                        GROUP_NUMBERS_DIFFER,
                        "the control number of GS06",
                    )
                )
            if group.readable and not self._lost and not _counts(element(trailer, 1), self._transactions):
                faults.append(
                    _count(
                        "GE",
                        "GE01",
                        "97",
                        GROUP_COUNT,
                        self._transactions,
                        "transaction sets",
                        element(trailer, 1),
                    )
                )
            if rest:
                faults.append(
                    _envelope("GE", BETWEEN_SEGMENTS, f"a GS or IEA segment after GE, not {_ids(rest)}")
                )
        self._group = None
        last = segments[0] if segments else None
        yield GroupEnd(group, last, self._transactions, tuple(faults), ordinal)

    def _abandon_group(self) -> Iterator[Part]:
        """The input ended: close what is open without a word, for one fault says it all."""
        if self._transaction is not None:
            yield TransactionEnd(self._transaction, None, self._position, self._claims, ())
            self._transaction = None
        if self._group is not None:
            yield GroupEnd(self._group, None, self._transactions, ())
            self._group = None

    # Transaction set

    def _open_transaction(self, block: Block, following: Block | None) -> Iterator[Part]:
        if self._transaction is not None:
            yield self._close_transaction(None, ())
        if self._group is None:
            kind = name_group("", "", *_set_of(block))
            if kind is not None:
                yield self._pass_over(Group([], self._here()), kind)
                return
            self._for_claims = self._for_claims_here = True
            faults = self._take_between()
            if self._groups or not any(fault.segment == "GS" for fault in self._here().faults):
                faults.append(_envelope("GS", BETWEEN_SEGMENTS, "a GS segment before ST"))
            self._lost = True
            self._group = Group([], self._here(), tuple(faults))
            yield self._group
        self._transactions += 1
        self._claims = 0
        self._provider = self._subscriber = self._patient = None
        head = block.segments()[0]
        faults = [*self._take_between(), *block.faults]
        wrong = _version_fault(head, self._group.version)
        if wrong is not None:
            faults.append(wrong)
        number = element(head, 2)
        if number in self._seen_transactions:
            unused = "a number not used before in this group"
            faults.append(replace(_numbers("ST", "ST02", "329", SET_NUMBER_TWICE, unused), position=1))
        self._seen_transactions.add(number)
        self._walker = None
        if wrong is None or not _UNREADABLE.intersection(wrong.answers):
            self._walker = self._walks(block.delimiters)
            walked = self._walker.walk(block, following).faults
            if following is None:
                walked = _before_the_cut(walked, block)
            # A version that differs from the guide's was answered above.
            faults += [f for f in walked if not (f.element == "ST03" and element(head, 3) in READ_AS_VERSION)]
        self._transaction = Transaction(block, self._group, tuple(faults))
        yield self._transaction

    def _repeats_a_batch(self, transaction: Transaction) -> bool:
        """Whether the sender's number (BHT03) stood in the file before, and nothing else says so already."""
        interchange, group = transaction.interchange, transaction.group
        if not transaction.batch or transaction.purpose == REISSUE:
            return False
        noted = (*interchange.faults, *group.faults, *transaction.faults)
        if any(fault.kind == "interchange-repeated" or _TWICE.intersection(fault.answers) for fault in noted):
            return False
        key = (interchange.value(5), interchange.value(6), transaction.batch)
        repeats = key in self._seen_batches
        self._seen_batches.add(key)
        return repeats

    def _close_transaction(
        self, segments: list[Segment] | None, noted: tuple[Fault, ...], ordinal: int = 0
    ) -> TransactionEnd:
        transaction = self._transaction
        assert transaction is not None
        faults = [*self._take_between(), *noted]
        position = self._position
        if segments is None:
            faults.append(
                Fault(
                    "envelope",
                    position,
                    "SE",
                    "SE",
                    answers=(SET_TRAILER,),
                    name="transaction set trailer",
                    expected="an SE segment",
                )
            )
        elif self._walker is not None:
            faults += _se_faults(transaction, segments, position)
        self._transaction = None
        if self._repeats_a_batch(transaction):
            # Noted at the end of the set, for what is below it does not rest on it.
            at = ("header", "BHT", "BHT03", "127")
            faults.append(Fault("batch-repeated", 2, *at, name="batch", expected="a new number"))
        if self._claims > MOST_CLAIMS:
            few = f"at most {MOST_CLAIMS:,}"
            faults.append(
                Fault(
                    "too-many-claims",
                    position,
                    "SE",
                    "SE",
                    name="claims",
                    expected=few,
                    found=f"{self._claims:,}",
                )
            )
        self._walker = None
        last = segments[0] if segments else None
        return TransactionEnd(transaction, last, position, self._claims, tuple(faults), ordinal)

    # Between the parts

    def _here(self) -> Interchange:
        assert self._interchange is not None  # read_blocks begins every input with an ISA
        return self._interchange

    def _stray(self, missing: str, expected: str) -> None:
        """Segments that belong to nothing because an opening segment is missing: noted once."""
        if not self._lost:
            self._between.append(_envelope(missing, BETWEEN_SEGMENTS, expected))
        self._lost = True

    def _take_between(self) -> list[Fault]:
        faults, self._between = self._between, []
        return faults


def _kind_of_group(block: Block, following: Block | None) -> Kind | None:
    """What a group holds that holds no claims, by its GS and the set behind it."""
    head = block.segments()[0]
    if head[0] != "GS":
        return None
    first = _set_of(following) if following is not None and following.kind == "ST" else ("", "")
    return name_group(element(head, 1), element(head, 8), *first)


def _se_faults(transaction: Transaction, segments: list[Segment], position: int) -> Iterator[Fault]:
    """What does not agree in a trailer at this position of its set, and what stands behind it."""
    trailer, *rest = segments
    if element(trailer, 2) != transaction.control_number:
        fault = _numbers("SE", "SE02", "329", SET_NUMBERS_DIFFER, "the control number of ST02")
        yield replace(fault, position=position)
    said = element(trailer, 1)
    if not any(_counts(said, position + extra) for extra in (0, len(rest))):
        yield replace(_count("SE", "SE01", "96", SET_COUNT, position, "segments", said), position=position)
    if rest:
        at, expected = ("", _ids(rest[:1])), "an ST or GE segment after SE"
        yield Fault("segment-unexpected", position + 1, *at, answers=(SET_SEGMENTS,), expected=expected)


def _set_of(block: Block) -> tuple[str, str]:
    """ST01 and ST03"""
    head = block.segments()[0]
    return element(head, 1), element(head, 3)


_NAMED = 5  # kinds of other groups that are named

_TWICE = frozenset((GROUP_NUMBER_TWICE, SET_NUMBER_TWICE))


def _is_lost_subscriber(fault: Fault) -> bool:
    return fault.kind == "segment-missing" and fault.segment == "HL" and fault.loop in ("2000A", "2000B")


def _before_the_cut(faults: tuple[Fault, ...], block: Block) -> tuple[Fault, ...]:
    """The faults of the last block of a truncated input that the cut itself cannot have caused."""
    last = block.position + block.text.count(block.delimiters.terminator)
    return tuple(f for f in faults if f.position < last and "missing" not in f.kind)


def _envelope(segment: str, answer: str, expected: str, at: str = "") -> Fault:
    return Fault("envelope", 0, segment, segment, element=at, answers=(answer,), expected=expected)


def _numbers(segment: str, at: str, number: str, answer: str, expected: str) -> Fault:
    # What stands there is not said: nine digits may be a tax number that slipped.
    return Fault("control-number", 0, segment, segment, at, number, (answer,), "control number", expected)


_SURE_COUNT = 4  # digits of a number that no ZIP code has


def _count(segment: str, at: str, number: str, answer: str, counted: int, what: str, found: str) -> Fault:
    # A longer number than that may be one of a person that slipped there.
    length = max(_SURE_COUNT, len(str(counted)))
    is_count = not found or (found.isascii() and found.isdigit() and len(found) <= length)
    safe = (found or "empty") if is_count else "another number"
    return Fault("count", 0, segment, segment, at, number, (answer,), f"number of {what}", str(counted), safe)


def _counts(text: str, counted: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) == counted


def _ids(segments: list[Segment]) -> str:
    """The id of the first of these segments, where it is one."""
    name = segments[0][0] if segments else ""
    return name if is_segment_id(name) else "other text"


_VERSION = re.compile(r"00[0-9]{4}(?:X[0-9]{3}(?:A[0-9])?)?", re.ASCII)


def _version_text(text: str) -> str:
    """The version for a message: "" where there is none, and no quote of what is written as none is."""
    return text if not text or _VERSION.fullmatch(text) else "another one"


def _version_fault(head: Segment, group_version: str) -> Fault | None:
    """What is wrong with ST01 and ST03: another kind of set, another version than the guide's, or none."""
    version = element(head, 3)
    if element(head, 1) != "837":
        found = element(head, 1) if re.fullmatch(r"[0-9]{3}", element(head, 1)) else ""
        kind = (SET_KIND,)
        return Fault("version", 1, "ST", "ST", "ST01", "143", kind, "transaction set", "837", found)
    at, name = ("ST", "ST", "ST03", "1705"), "version of the transaction set"
    if not version:
        return Fault("element-missing", 1, *at, (SEGMENT_HAS_ERRORS, ELEMENT_MISSING), name)
    if version == VERSION or (version in READ_AS_VERSION and version == group_version):
        return None
    answers = () if version in READ_AS_VERSION else (SET_VERSION,)
    return Fault("version", 1, *at, answers, name, VERSION, name_version(_version_text(version)))


_ID_QUALIFIERS = frozenset(("01", "14", "20", "27", "28", "29", "30", "33", "ZZ"))

# ISA element: answer of the TA1, what is expected, the test (beside its fixed width)
_ISA_CHECKS: dict[int, tuple[str, str, Callable[[str], bool]]] = {
    1: ("010", "00 or 03", lambda v: v in ("00", "03")),
    2: ("011", "10 characters", lambda v: True),
    3: ("012", "00 or 01", lambda v: v in ("00", "01")),
    4: ("013", "10 characters", lambda v: True),
    5: ("005", "an interchange id qualifier", lambda v: v in _ID_QUALIFIERS),
    6: ("006", "15 characters, not all blank", lambda v: bool(v.strip())),
    7: ("007", "an interchange id qualifier", lambda v: v in _ID_QUALIFIERS),
    8: ("008", "15 characters, not all blank", lambda v: bool(v.strip())),
    9: ("014", "a date YYMMDD", is_date),
    10: ("015", "a time HHMM", is_time),
    11: ("016", "one character", lambda v: True),
    12: ("017", "five digits", lambda v: v.isascii() and v.isdigit()),
    13: ("018", "nine digits", lambda v: v.isascii() and v.isdigit()),
    14: ("019", "0 or 1", lambda v: v in ("0", "1")),
    15: ("020", "P or T", lambda v: v in ("P", "T")),
}


def _is_right(head: Segment, index: int) -> bool:
    """Whether an element of the ISA is written as it must be."""
    value = element(head, index)
    return len(value) == ISA_WIDTHS[index - 1] and _ISA_CHECKS[index][2](value)


def _isa_faults(head: Segment) -> list[Fault]:
    faults = []
    for index, (note, expected, _) in _ISA_CHECKS.items():
        if not _is_right(head, index):
            faults.append(
                Fault(
                    "envelope",
                    0,
                    "ISA",
                    "ISA",
                    f"ISA{index:02d}",
                    "",
                    (f"TA1={note}",),
                    "interchange header",
                    expected,
                )
            )
    return faults


# GS element: what is expected, the test. GS08 is answered by x12.version.
_GS_CHECKS: dict[int, tuple[str, Callable[[str], bool]]] = {
    1: ("HC", lambda v: v == "HC"),
    2: ("2 to 15 characters", lambda v: 2 <= len(v) <= 15),
    3: ("2 to 15 characters", lambda v: 2 <= len(v) <= 15),
    4: ("a date CCYYMMDD", lambda v: day(v) is not None),
    5: ("a time HHMM", is_time),
    6: ("one to nine digits", lambda v: re.fullmatch(r"[0-9]{1,9}", v) is not None),
    7: ("X", lambda v: v == "X"),
}


def _gs_faults(head: Segment) -> list[Fault]:
    faults = []
    for index, (expected, holds) in _GS_CHECKS.items():
        if not holds(element(head, index)):
            answer = GROUP_NUMBER if index == 6 else GROUP_KIND if index == 1 else BETWEEN_SEGMENTS
            faults.append(_envelope("GS", answer, expected, f"GS{index:02d}"))
    if len(head) > 9:
        faults.append(_envelope("GS", BETWEEN_SEGMENTS, "8 elements"))
    return faults
