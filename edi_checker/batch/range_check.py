"""One range of an input checked by itself, and its results put back into the whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from edi_checker.acks import Acknowledger, AnsweredClaims, AnsweredSets
from edi_checker.batch.memory import Noted, Past, RangeMemory
from edi_checker.batch.ranges import Irregular, Range
from edi_checker.check.checker import Checked, Checker
from edi_checker.check.engine import Met
from edi_checker.check.redact import Redactor
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.profile import choose, choose_for_run
from edi_checker.claims.reader import Unsettled
from edi_checker.facts import Coverage, Gap, InputMemory
from edi_checker.reports.findings_log import FindingsLog, Stretch
from edi_checker.run import make_acknowledger


@dataclass(frozen=True, slots=True)
class Sets:
    """What is to be told of a run of sets of one group; `answers` is None where none are asked for."""

    stretch: Stretch
    answers: AnsweredSets | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What is to be told of claims of one billing provider, in a set that no range holds as a whole."""

    stretch: Stretch
    answers: AnsweredClaims | None


Piece = Checked | Sets | Claims


@dataclass(frozen=True, slots=True)
class RangeResult:
    """What became of a range, in order: its sets, or claims of a larger one, and the parts around them."""

    pieces: tuple[Piece, ...]
    met: Met
    noted: Noted
    gaps: tuple[Gap, ...]


def check_range(
    checker: Checker, given: Range, past: Past | None, *, acks: bool, redactor: Redactor | None = None
) -> RangeResult:
    """Check the range; with a `redactor` the result holds its tokens in place of what identifies.

    Raises Irregular where that could give other findings than reading the whole input.
    """
    memory = RangeMemory(past)
    coverage = Coverage()
    checker.engine.begin()
    of_input = memory.of_input(checker.setting.minutes, coverage)
    pieces = tuple(_Pass(checker, of_input, given, acks, redactor).pieces())
    return RangeResult(pieces, checker.engine.met(), memory.noted(), coverage.gaps())


def put_together(result: RangeResult, journal: FindingsLog, acknowledger: Acknowledger | None) -> None:
    """Let those who tell of the whole input go on with its next range.

    Raises OverflowError where an answer has no room for all of them; OSError.
    """
    for piece in result.pieces:
        if isinstance(piece, Checked):
            journal.add(piece)
            if acknowledger is not None:
                acknowledger.add(piece)
            continue
        journal.put_in(piece.stretch)
        if acknowledger is None or piece.answers is None:
            continue
        if isinstance(piece.answers, AnsweredSets):
            acknowledger.put_in(piece.answers)
        else:
            acknowledger.put_in_claims(piece.answers)


class _Pass:
    """One pass over a range.

    Those who tell of it here, a FindingsLog and an Acknowledger, see what is open before it in silence: that
    has been told. A set that this range does not hold as a whole is told of by those of the whole input; from
    here they get its header, providers and end as they are, and claims in pieces.
    """

    def __init__(
        self, checker: Checker, memory: InputMemory, given: Range, acks: bool, redactor: Redactor | None
    ) -> None:
        self._checker = checker
        self._memory = memory
        self._redactor = redactor
        self._given = given
        self._acks = acks
        self._journal = FindingsLog("", passed=(given.transactions, given.claims))
        self._acknowledger: Acknowledger | None = None
        self._interchange: Checked | None = None
        self._group: Checked | None = None
        self._sets = 0
        self._within = False  # a set that is not here as a whole
        self._holds = False  # whether there are parts that no piece holds yet

    def pieces(self) -> Iterator[Piece]:
        try:
            with self._journal:
                yield from self._pieces()
        except Unsettled:
            raise Irregular from None
        finally:
            self._close_acknowledger()

    def _pieces(self) -> Iterator[Piece]:
        given = self._given
        stream = io.BytesIO(given.head + given.text + given.after)
        passed = given.passed if given.head else None
        known = 0 if passed is None else 2 if passed.inside is None else 4
        last: Part | None = None
        held: Checked | None = None
        parts = self._checker.check(stream, self._memory, passed, followed=bool(given.after))
        for count, checked in enumerate(parts):
            part = checked.part
            _refuse(part)
            if count < known:
                self._know(checked)
                continue
            if count == 4 == known and not isinstance(part, Subscriber):
                raise Irregular
            if not given.last and _is_break(part):
                # What follows ends the range and not the input.
                break
            if held is not None:
                last = held.part
                yield from self._take(held)
            held = checked
        if given.after:
            following = held.part if held is not None else None
            if not isinstance(following, Subscriber) or not isinstance(last, Claim):
                raise Irregular
        elif held is not None:
            if not given.last and not (
                isinstance(held.part, TransactionEnd) and held.part.segment is not None
            ):
                raise Irregular
            yield from self._take(held)
        yield from self._told()

    def _know(self, checked: Checked) -> None:
        """Take in a part that is open before the range."""
        part = checked.part
        if isinstance(part, (Transaction, BillingProvider)):
            if part.faults:
                raise Irregular
            self._enter(self._redacted(checked))
        else:
            self._open(self._redacted(checked))

    def _take(self, checked: Checked) -> Iterator[Piece]:
        part = checked.part
        given = self._given
        seen = self._redacted(checked)
        if isinstance(part, (Interchange, Group, GroupEnd, InterchangeEnd)):
            yield from self._told()
            self._open(seen)
            yield seen
            return
        if isinstance(part, Transaction):
            self._sets += 1
            if given.after and self._sets == given.sets:
                yield from self._told()
                self._enter(seen)
                yield seen
                return
        if self._within:
            if isinstance(part, BillingProvider):
                yield from self._told()
                self._enter(seen)
                yield seen
                return
            if isinstance(part, TransactionEnd):
                yield from self._told()
                self._within = False
                self._open_acknowledger()
                yield seen
                return
            if isinstance(part, Claim) and part.billing is None:
                raise Irregular
            if self._rejects_set(checked):
                raise Irregular
        self._journal.add(seen)
        if self._acknowledger is not None:
            self._acknowledger.add(seen)
        self._holds = True

    def _redacted(self, checked: Checked) -> Checked:
        """As it is told of: what rules and profiles go by is the part as it is."""
        return checked if self._redactor is None else self._redactor.redact(checked)

    def _told(self) -> Iterator[Piece]:
        """What is to be told of the parts since the last piece."""
        if not self._holds:
            return
        self._holds = False
        acknowledger = self._acknowledger
        if self._within:
            claims = acknowledger.take_out_claims() if acknowledger is not None else None
            yield Claims(self._journal.take_out(within=True), claims)
        else:
            sets = acknowledger.take_out() if acknowledger is not None else None
            yield Sets(self._journal.take_out(), sets)

    def _open(self, checked: Checked) -> None:
        silent = checked._replace(findings=(), failed="")
        if isinstance(checked.part, Interchange):
            self._interchange = silent
            self._journal.add(silent)
        elif isinstance(checked.part, Group):
            self._group = silent
            self._open_acknowledger()

    def _enter(self, checked: Checked) -> None:
        """A header or a provider of a set that is not here as a whole."""
        if isinstance(checked.part, Transaction):
            self._within = True
            checked = checked._replace(findings=(), failed="")
            self._journal.add(checked)
        if self._acknowledger is not None:
            self._acknowledger.add(checked)
            self._acknowledger.take_out_claims()

    def _open_acknowledger(self) -> None:
        self._close_acknowledger()
        if self._acks and self._interchange is not None and self._group is not None:
            self._acknowledger = make_acknowledger(self._checker)
            self._acknowledger.add(self._interchange)
            self._acknowledger.add(self._group)
            self._acknowledger.keep_answers()

    def _close_acknowledger(self) -> None:
        if self._acknowledger is not None:
            self._acknowledger.finish().close()

    def _rejects_set(self, checked: Checked) -> bool:
        """Whether an error of this part rejects the whole set, also claims of it that are elsewhere."""
        if not any(each.severity == "error" and each.status.ack999 for each in checked.findings):
            return False
        isolation, part = self._checker.isolation, checked.part
        if isolation is None:
            option = self._checker.setting.profile
            profile = choose(part, option) if isinstance(part, Claim) else choose_for_run(option)
            isolation = profile.isolation
        return isolation == "transaction"


def _is_break(part: Part) -> bool:
    """Whether the part ends something only because the stream ends."""
    return isinstance(part, (TransactionEnd, GroupEnd)) and part.segment is None and not part.faults


def _refuse(part: Part) -> None:
    """Raise Irregular for what changes how the rest of an interchange is read or judged.

    What is wrong with its end changes nothing any more.
    """
    if isinstance(part, Group) and not part.readable:
        raise Irregular
    if isinstance(part, InterchangeEnd):
        return
    if any(answer.startswith("TA1=") for fault in part.faults for answer in fault.answers):
        raise Irregular
