"""The answers to one input: TA1, 999 and 277CA, written while its parts pass."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, NamedTuple

from edi_checker.acks.ack277ca import Group277
from edi_checker.acks.ack999 import ElementNumber, Group999, addresses
from edi_checker.acks.interchange import (
    BEGIN,
    ControlNumber,
    Day,
    Draw,
    Numbers,
    Room,
    Spool,
    Wanted,
    numbers_of,
    partners_of,
    write_header,
    write_trailer,
)
from edi_checker.acks.ta1 import write_ta1
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.guide.table import Composite, Guide
from edi_checker.x12.fault_codes import NOTED_ONLY
from edi_checker.x12.finding import Finding

__all__ = [
    "NOON",
    "Acknowledger",
    "Answers",
    "Draw",
    "ElementNumber",
    "Wanted",
    "number_elements",
    "numbers_of",
    "reject_interchanges",
]

_MOST_REASONS = 100
NOON = "1200"  # at which answers are dated whose time nobody asks for


class Answers(NamedTuple):
    """The finished answers, as UTF-8 bytes to be read from the start; None where there is none to give.

    `withheld` says, one sentence each, which answers are held back because a part could not be checked: an
    answer that says accepted or rejected would not be true of it.
    """

    ack999: IO[bytes] | None
    ack277ca: IO[bytes] | None
    ta1: IO[bytes] | None
    withheld: tuple[str, ...] = ()

    def close(self) -> None:
        """Give back the temporary files."""
        for stream in (self.ack999, self.ack277ca, self.ta1):
            if stream is not None:
                stream.close()


@dataclass(slots=True)
class _OpenInterchange:
    """An interchange whose end has not come yet."""

    part: Interchange
    number_999: ControlNumber
    number_277: ControlNumber
    mark_277: tuple[int, int]
    groups_999: int = 0
    groups_277: int = 0
    groups_accepted: bool = False
    notes: list[str] | None = None
    unchecked: bool = False


@dataclass(slots=True)
class _OpenGroup:
    part: Group
    ack999: Group999
    ack277ca: Group277
    rejected: bool
    unchecked: bool = False
    withheld: bool = False
    accepted: bool = False


@dataclass(slots=True)
class _OpenSet:
    part: Transaction
    rejected: bool
    unchecked: bool


class Acknowledger:
    """Takes the checked parts of one input in document order, and has the answers at the end.

    For each interchange one answer interchange in the 999 (with its TA1, where ISA14 asks for one or there is
    something to note) and one in the 277CA; an interchange that is rejected whole gets its TA1 and nothing
    else. `received` is the date of receipt CCYYMMDD and `time` an HHMM: they date the answers, so that the
    same input gives the same bytes again. Memory does not grow with the input. Of at most `most` errors of
    the input the 999 and the 277CA say what they are.

    Any order of parts is taken; what a missing part leaves open is withheld.
    """

    def __init__(
        self, received: int, element_number: ElementNumber, time: str = NOON, most: int = 10_000
    ) -> None:
        self._day = Day(f"{received:08d}", time)
        self._element_number = element_number
        self._numbers = Numbers()
        self._out_999, self._out_277, self._out_ta1 = Spool(), Spool(), Spool()
        self._groups_999 = Spool()
        self._interchange: _OpenInterchange | None = None
        self._group: _OpenGroup | None = None
        self._set: _OpenSet | None = None
        self._room_999, self._room_277 = Room(most), Room(most)
        self._withheld: list[str] = []
        self._more_withheld = 0

    def add(self, checked: Checked) -> None:
        """Take the next part."""
        part, findings, outcome, failed = checked
        errors = [each for each in findings if each.severity == "error"]
        unchecked = bool(failed) or outcome == "not_checked"
        rejected = outcome == "rejected"
        if isinstance(part, Interchange):
            self._open_interchange(part)
        if errors or unchecked:
            self._note(checked, errors, unchecked)
        match part:
            case Claim():
                if self._set is not None and self._group is not None:
                    self._group.ack277ca.add_claim(part, errors, rejected)
            case Subscriber() | Patient():
                if self._group is not None:
                    self._group.ack277ca.open_patient(part, errors)
            case BillingProvider():
                if self._group is not None:
                    self._group.ack277ca.open_provider(part, errors, rejected)
            case Group():
                self._open_group(part, checked, errors, unchecked)
            case Transaction():
                self._open_set(part, checked, errors, unchecked)
            case TransactionEnd():
                self._close_set(errors, rejected)
            case GroupEnd():
                self._close_group(part, errors, rejected)
            case InterchangeEnd():
                self._close_interchange(part, rejected)
            case _:
                pass

    def finish(self, draw: Draw | None = None) -> Answers:
        """The answers, with numbers that are drawn now; without a `draw` they are those of an input without
        content. An interchange whose end never came is withheld.
        """
        if self._interchange is not None:
            self._abandon_interchange("the input was not read to its end")
        self._groups_999.close()
        withheld = self._withheld
        if self._more_withheld:
            withheld.append(f"{self._more_withheld} more answers withheld")
        spools = (self._out_999, self._out_277, self._out_ta1)
        written = any(spool.segments for spool in spools)
        number = self._numbers.draw(draw or numbers_of("")) if written else bytes
        answers = [spool.read(number) for spool in spools]
        return Answers(answers[0], answers[1], answers[2], tuple(withheld))

    def _note(self, checked: Checked, errors: list[Finding], unchecked: bool) -> None:
        """What concerns the levels above this part: TA1 notes, codes of the 999, parts that failed."""
        now = self._interchange
        if now is None:
            return
        for finding in errors:
            if finding.status.ta1:
                now.notes = now.notes or []
                if finding.status.ta1 not in now.notes:
                    now.notes.append(finding.status.ta1)
        if isinstance(checked.part, (Interchange, Group, Transaction)):
            now.unchecked = now.unchecked or (unchecked and isinstance(checked.part, Interchange))
            return
        if self._group is not None:
            self._group.ack999.note(checked.part, errors)
        if not unchecked:
            return
        if self._set is not None:
            self._set.unchecked = True
        elif isinstance(checked.part, InterchangeEnd):
            now.unchecked = True
        elif self._group is not None:
            self._group.unchecked = True

    def _open_interchange(self, part: Interchange) -> None:
        if self._interchange is not None:
            self._abandon_interchange("it has no end")
        number_999, number_277 = (self._numbers.want(*partners_of(part), "ISA") for _ in range(2))
        now = _OpenInterchange(part, number_999, number_277, self._out_277.mark())
        write_header(self._out_277, part, now.number_277, self._day)
        self._interchange = now

    def _open_group(self, part: Group, checked: Checked, errors: list[Finding], unchecked: bool) -> None:
        now = self._interchange
        if now is None:
            return
        self._abandon_group("it has no end")
        if part.other:
            return  # Who answers an acknowledgement gets one for it, and so on without end.
        number_999, number_277 = (self._numbers.want(*addresses(part), kind) for kind in ("FA", "HN"))
        ack999 = Group999(part, self._groups_999, number_999, self._day, self._element_number, self._room_999)
        ack999.note(part, errors)
        ack277ca = Group277(part, self._out_277, number_277, self._day, self._room_277)
        rejected = checked.outcome == "rejected" or not part.readable
        self._group = _OpenGroup(part, ack999, ack277ca, rejected, unchecked)

    def _open_set(self, part: Transaction, checked: Checked, errors: list[Finding], unchecked: bool) -> None:
        group = self._group
        if group is None:
            return
        self._abandon_set("it has no end")
        group.ack999.open_set(part)
        group.ack999.note(part, errors)
        group.ack277ca.open_set(part, errors)
        self._set = _OpenSet(part, checked.outcome == "rejected", unchecked)

    def _close_set(self, errors: list[Finding], rejected: bool) -> None:
        group, now = self._group, self._set
        if group is None or now is None:
            return
        self._set = None
        rejected = rejected or now.rejected
        verdict = group.ack999.close_set(rejected)
        if verdict == "R":
            group.ack277ca.discard_set()
        elif now.unchecked:
            group.ack277ca.discard_set()
            group.withheld = True
            self._withhold(f"277CA for {_name_of_set(now.part)}: a part of it could not be checked")
        else:
            group.ack277ca.close_set(errors, rejected)
            group.accepted = group.accepted or not rejected

    def _close_group(self, part: GroupEnd, errors: list[Finding], rejected: bool) -> None:
        now, group = self._interchange, self._group
        if now is None or group is None:
            return
        self._abandon_set("it has no end")
        self._group = None
        # A group can be rejected because all of its sets are: then each of them says so itself.
        own = any(code.startswith("AK905=") for finding in errors for code in finding.status.ack999)
        whole = group.rejected or (rejected and (own or group.accepted))
        unchecked = not whole and (group.unchecked or group.withheld)
        if unchecked:
            group.ack999.withdraw()
            self._withhold(f"999 for {_name_of_group(group.part)}: a part of it could not be checked")
        else:
            group.ack999.close(part, whole)
            now.groups_999 += 1
        now.groups_277 += group.ack277ca.close(keep=not whole and not group.unchecked)
        now.groups_accepted = now.groups_accepted or (group.accepted and not whole)

    def _close_interchange(self, part: InterchangeEnd, rejected: bool) -> None:
        now = self._interchange
        if now is None:
            return
        self._abandon_group("it has no end")
        self._interchange = None
        if not part.answerable:
            self._drop(now)
            return
        notes = now.notes or []
        # Without a note the groups may all have been rejected, each with its own answer.
        if rejected and (notes or now.groups_accepted):
            worst = next((note for note in notes if note != NOTED_ONLY), notes[0] if notes else "024")
            self._reject_interchange(now, worst)
            return
        if now.unchecked:
            self._drop(now)
            self._withhold(f"all answers for {_name_of(now.part)}: it could not be checked")
            return
        owed = now.part.acknowledgment_requested or bool(notes)
        if owed or now.groups_999:
            out = self._out_999
            write_header(out, now.part, now.number_999, self._day)
            if owed:
                write_ta1(out, now.part, "E" if notes else "A", notes[0] if notes else "000", self._day)
            self._groups_999.pour(out)
            write_trailer(out, now.groups_999, now.number_999)
        if now.groups_277:
            write_trailer(self._out_277, now.groups_277, now.number_277)
        else:
            self._out_277.cut_back(now.mark_277)

    def _reject_interchange(self, now: _OpenInterchange, note: str) -> None:
        self._drop(now)
        write_header(self._out_ta1, now.part, now.number_999, self._day)
        write_ta1(self._out_ta1, now.part, "R", note, self._day)
        write_trailer(self._out_ta1, 0, now.number_999)

    def _drop(self, now: _OpenInterchange) -> None:
        self._groups_999.cut_back(BEGIN)
        self._out_277.cut_back(now.mark_277)

    def _abandon_interchange(self, why: str) -> None:
        self._abandon_group(why)
        if self._interchange is not None:
            self._drop(self._interchange)
            self._withhold(f"all answers for {_name_of(self._interchange.part)}: {why}")
        self._interchange = None

    def _abandon_group(self, why: str) -> None:
        self._abandon_set(why)
        group, self._group = self._group, None
        if group is not None:
            group.ack999.withdraw()
            group.ack277ca.close(keep=False)
            self._withhold(f"999 and 277CA for {_name_of_group(group.part)}: {why}")

    def _abandon_set(self, why: str) -> None:
        now, self._set = self._set, None
        if now is not None and self._group is not None:
            self._group.ack277ca.discard_set()
            self._group.withheld = True
            self._withhold(f"277CA for {_name_of_set(now.part)}: {why}")

    def _withhold(self, reason: str) -> None:
        if len(self._withheld) < _MOST_REASONS:
            self._withheld.append(reason)
        else:
            self._more_withheld += 1


def reject_interchanges(
    interchanges: Sequence[Interchange], note: str, at: tuple[int, str], draw: Draw, out: BinaryIO
) -> None:
    """Write a TA1 with this note (TA105) to each interchange; `at` is the day (CCYYMMDD) and time (HHMM)."""
    received, time = at
    day, numbers, spool = Day(f"{received:08d}", time), Numbers(), Spool()
    for each in interchanges:
        number = numbers.want(*partners_of(each), "ISA")
        write_header(spool, each, number, day)
        write_ta1(spool, each, "R", note, day)
        write_trailer(spool, 0, number)
    answer = spool.read(numbers.draw(draw))
    if answer is not None:
        with answer:
            shutil.copyfileobj(answer, out)


def number_elements(guide: Guide) -> ElementNumber:
    """The look-up of X12 element numbers that Acknowledger asks for: (`2010AA`, `NM109`) gives `67`."""
    numbers: dict[tuple[str, str], str] = {}
    for segment in (*guide.segments, *guide.envelope.values()):
        for item in segment.elements:
            parts = item.components if isinstance(item, Composite) else ()
            for one in (item, *parts):
                numbers[segment.loop, one.ref] = one.number
                numbers.setdefault(("", one.ref), one.number)

    def look_up(loop: str, element: str) -> str:
        return numbers.get((loop, element)) or numbers.get(("", element), "")

    return look_up


def _name_of(interchange: Interchange) -> str:
    return f"interchange {interchange.control_number[:9]}"


def _name_of_group(group: Group) -> str:
    return f"group {group.control_number[:9]} of {_name_of(group.interchange)}"


def _name_of_set(transaction: Transaction) -> str:
    where = f"transaction {transaction.control_number[:9]}"
    return f"{where} of {_name_of_group(transaction.group)}" if transaction.group is not None else where
