"""The claims of a file that was sent, with what answers know them by; takes any 837, judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from edi_checker.acks.narrator import plain
from edi_checker.claims.claim import Segment, element
from edi_checker.x12.blocks import Block, NotClaims, read_blocks
from edi_checker.x12.dates import days_of
from edi_checker.x12.kinds import TA1, Kind, name_group, name_other_set, say_others
from edi_checker.x12.money import cents

_DAYS_OF_SERVICE = ("472", "434")  # DTP01: of a service, of the statement of an institution
_MOST_NAMED = 10  # kinds of other transaction sets


@dataclass(frozen=True, slots=True)
class SentSet:
    """A transaction set: its control numbers and those above it, and BHT03.

    group_ordinal  that of its group in the file, from 1: control numbers may repeat
    made           when the interchange was made: ISA09 and ISA10, `YYMMDDHHMM`
    """

    sender: str
    receiver: str
    interchange: str
    group: str
    group_ordinal: int
    transaction: str
    batch: str
    made: str


class SentClaim(NamedTuple):
    """A claim: CLM01, patient (last name, first), charge in cents, first and last day of service.

    providers  NM109 of 2010AA and the numbers of its REF segments
    positions  of its first and last segment in ST..SE (ST = 1)
    """

    set: SentSet
    number: str
    patient: str
    charge: int | None
    dates: tuple[int | None, int | None]
    providers: tuple[str, ...]
    positions: tuple[int, int]


def read_sent(stream: BinaryIO) -> Iterator[SentClaim]:
    """Each claim in order; holds one block (x12.read_blocks) in memory.

    Raises x12.NotX12 where the file cannot be read, NotClaims at its end where no set in it is an 837.
    """
    return _Levels().read(read_blocks(stream))


@dataclass(slots=True)
class _Levels:
    """What stands above the next claim."""

    interchange: Segment = field(default_factory=list)
    group: Segment = field(default_factory=list)
    groups: int = 0
    here: SentSet | None = None
    providers: tuple[str, ...] = ()
    subscriber: str = ""
    patient: str = ""
    others: dict[Kind, None] = field(default_factory=dict)
    sets: int = 0

    def read(self, blocks: Iterator[Block]) -> Iterator[SentClaim]:
        for block in blocks:
            if block.kind == "CLM" and self.here is not None:
                yield self._claim(block, self.here)
            elif block.kind == "HL" and self.here is not None:
                self._level(block.segments())
            elif block.kind in ("ISA", "GS", "ST", "SE", "TA1"):
                self._header(block)
        if self.others and not self.sets:
            raise NotClaims(say_others(list(self.others)))

    def _header(self, block: Block) -> None:
        segments = block.segments()
        head = segments[0]
        match block.kind:
            case "ISA":
                self.interchange, self.group, self.here = head, [], None
            case "GS":
                self.group, self.here = head, None
                self.groups += 1
            case "SE":
                self.here = None
            case "TA1":
                self.others[TA1] = None
            case _:
                self.providers, self.subscriber, self.patient = (), "", ""
                self.here = self._set(segments)

    def _set(self, segments: list[Segment]) -> SentSet | None:
        head = segments[0]
        if element(head, 1) != "837":
            if len(self.others) < _MOST_NAMED:
                group = element(self.group, 1), element(self.group, 8)
                kind = name_group(*group, element(head, 1), element(head, 3))
                self.others[kind or name_other_set(plain(element(head, 1), 6))] = None
            return None
        self.sets += 1
        batch = next((element(one, 3) for one in segments if one[0] == "BHT"), "")
        return SentSet(
            plain(element(self.interchange, 6)),
            plain(element(self.interchange, 8)),
            plain(element(self.interchange, 13)),
            plain(element(self.group, 6)),
            self.groups,
            plain(element(head, 2)),
            plain(batch),
            plain(element(self.interchange, 9) + element(self.interchange, 10), 12),
        )

    def _level(self, segments: list[Segment]) -> None:
        names = {element(one, 1): one for one in reversed(segments) if one[0] == "NM1"}
        match element(segments[0], 3):
            case "20":
                numbers = [plain(element(names.get("85"), 9))]
                numbers += [plain(element(one, 2)) for one in segments if one[0] == "REF"]
                self.providers = tuple(filter(None, numbers))
                self.subscriber = self.patient = ""
            case "22":
                self.subscriber, self.patient = _name(names.get("IL")), ""
            case "23":
                self.patient = _name(names.get("QC"))
            case _:
                pass

    def _claim(self, block: Block, here: SentSet) -> SentClaim:
        segments = block.segments()
        days = [
            days_of(element(one, 2), element(one, 3))[:2]
            for one in segments
            if one[0] == "DTP" and element(one, 1) in _DAYS_OF_SERVICE
        ]
        known = [on for pair in days for on in pair if on is not None]
        return SentClaim(
            here,
            plain(element(segments[0], 1)),
            self.patient or self.subscriber,
            cents(element(segments[0], 2)),
            (min(known), max(known)) if known else (None, None),
            self.providers,
            (block.position, block.position + len(segments) - 1),
        )


def _name(segment: Segment | None) -> str:
    return ", ".join(filter(None, (plain(element(segment, 3)), plain(element(segment, 4)))))
