"""What was found in one input, kept on disk until the last verdict on its claims is known."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Self

from edi_checker.check.engine import Tally
from edi_checker.claims.checked import Checked, Outcome
from edi_checker.claims.claim import (
    BlockView,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Transaction,
    TransactionEnd,
)
from edi_checker.facts import Gap
from edi_checker.facts.coverage import Coverage
from edi_checker.reports.affected import Affected, Reaches
from edi_checker.reports.stakes import Stake
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.dates import iso, show_days
from edi_checker.x12.finding import Finding, Place, Severity, Status, TableVersion
from edi_checker.x12.money import dollars

FileOutcome = Literal["accepted", "accepted_with_errors", "rejected", "not_checked"]

MOST_FINDINGS = 10_000  # of one input that are listed; further ones are counted by rule
_AVERAGE = 600  # characters that they may take on average, so that long values do not make a long report
_LONGEST_NUMBER = 80  # characters of a control number, which stands beside each claim and finding
IN_MEMORY = 1 << 20  # characters of a journal beyond which it goes to a temporary file
SHOWN = 240  # characters of a segment that are kept around the faulty element
_LONGEST_LABEL = 60  # characters of a patient's or payer's name
_WAITING = 200  # rows
_READ = 1 << 18  # characters of rows that are read at once
_VERDICTS: tuple[Outcome, ...] = ("accepted", "rejected", "not_checked")
_INDEX = {outcome: index for index, outcome in enumerate(_VERDICTS)}


@dataclass(slots=True)
class Sums:
    """Claims and their charges (cents; an unreadable charge counts 0) by outcome."""

    claims: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(_VERDICTS, 0))
    cents: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(_VERDICTS, 0))

    def count(self, outcome: Outcome, cents: int) -> None:
        self.claims[outcome] += 1
        self.cents[outcome] += cents

    def add(self, other: Sums) -> None:
        for outcome in self.claims:
            self.claims[outcome] += other.claims[outcome]
            self.cents[outcome] += other.cents[outcome]

    def take(self, other: Sums) -> None:
        """Move everything from `other` into these sums."""
        self.add(other)
        for outcome in other.claims:
            other.claims[outcome] = other.cents[outcome] = 0

    def turn(self, outcome: Outcome) -> None:
        """Give every claim this outcome."""
        claims, cents = sum(self.claims.values()), sum(self.cents.values())
        for each in self.claims:
            self.claims[each] = self.cents[each] = 0
        self.claims[outcome], self.cents[outcome] = claims, cents


class Excerpt(NamedTuple):
    """A segment, or the part of it around the faulty element, which goes from `start` to `end`."""

    text: str
    start: int
    end: int


class ClaimLabel(NamedTuple):
    """By what people know a claim: the patient's and the payer's name, and the days of service as text
    (`2026-01-30 to 2026-01-31`); "" where the file says nothing.
    """

    patient: str
    payer: str
    dates: str


class Entry(NamedTuple):
    """A finding as it stands in the JSON report, with what a report for people shows beside it.

    `number` tells the claims of one file apart (0 outside of any claim): several may have the same CLM01.
    `below` has the numbers of the claims below a finding above them. `claim` and `code`, the procedure code
    of the line, are those of the claim in which the finding is. `ordinal` counts the segments of the input up
    to that of the finding, None where that is not known. `own` is the outcome of the claim as it was known
    when the claim had been read; a fault behind it may have changed it.
    """

    finding: dict[str, Any]
    number: int
    outcome: Outcome
    cents: int | None
    excerpt: Excerpt | None
    below: range = range(0)
    claim: ClaimLabel | None = None
    code: str = ""
    ordinal: int | None = None
    own: Outcome = "accepted"


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of one input at its end.

    `sums` counts claims, `severities` and `rules` findings, `profiles` the claims checked with each; `gaps`
    are days of service outside the tables; `unlisted` counts by rule the findings that are not listed,
    `stakes` say what the findings of each rule cost. `hidden` findings are known from a baseline: they
    decided the outcomes, and are neither listed nor counted. `fixable` counts the findings that
    `edi-checker fix` can repair, if that was asked.
    `skipped` says that it was found in a folder and is no claim file: it counts nowhere, and is only named
    with its reason.
    """

    path: str
    sha256: str | None
    outcome: FileOutcome
    reason: str | None
    interchanges: int
    groups: int
    transactions: int
    claims: int
    lines: int
    sums: Sums
    severities: Counter[Severity]
    rules: Counter[tuple[Severity, str]]
    tally: Tally
    gaps: tuple[Gap, ...] = ()
    profiles: Mapping[str, int] = field(default_factory=dict)
    unlisted: Mapping[str, int] = field(default_factory=dict)
    stakes: tuple[Stake, ...] = ()
    hidden: int = 0
    skipped: bool = False
    fixable: int = 0


class RunTotals:
    """What the summaries of all files of a run come to."""

    def __init__(self) -> None:
        self.outcomes: Counter[FileOutcome] = Counter()
        self.sums = Sums()
        self.lines = 0
        self.tally = Tally()
        self.profiles: Counter[str] = Counter()
        self.coverage = Coverage()
        self.rules: Counter[tuple[Severity, str]] = Counter()

    def add(self, summary: Summary) -> None:
        self.outcomes[summary.outcome] += 1
        self.sums.add(summary.sums)
        self.lines += summary.lines
        self.tally = Tally(*map(max, self.tally, summary.tally))
        self.profiles.update(summary.profiles)
        self.coverage.take(summary.gaps)
        self.rules += summary.rules


def say_unlisted(rule: str, count: int) -> str:
    """What stands behind the findings of an input in place of those that are not listed."""
    return f"and {count:,} more of {rule}"


def say_profiles(profiles: Mapping[str, int]) -> str:
    """With which payer profiles the claims were checked, and how many with each; "" where none was."""
    if not profiles:
        return ""
    counted = ", ".join(f"{name} {count:,}" for name, count in sorted(profiles.items()))
    return f"Claims by profile: {counted}."


class Rows:
    """Lines of ASCII text; in memory while few, on disk when many."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # closed by close()
            IN_MEMORY, "w+", encoding="ascii", newline="\n"
        )
        # What is not in the file yet: to write each row there would take longer than to make it.
        self._waiting: list[str] = []

    def add(self, row: str) -> None:
        """One row with its line feed."""
        self._waiting.append(row)
        if len(self._waiting) >= _WAITING:
            self.flush()

    def read(self) -> Iterator[str]:
        """Each row with its line feed, from the first; several may be read at a time, in turn."""
        self.flush()
        at = 0
        while True:
            self._file.seek(at)
            text = self._file.read(_READ) + self._file.readline()
            if not text:
                return
            at = self._file.tell()
            yield from text.splitlines(keepends=True)

    def close(self) -> None:
        self._file.close()

    def flush(self) -> None:
        """Give what is not there yet to the file. Raises OSError."""
        waiting = "".join(self._waiting)
        self._waiting.clear()
        self._file.write(waiting)
        self._file.flush()


class FindingsLog:
    """Takes the parts of one input as they are checked; after `end`, gives them with their final outcomes.

    A rejected transaction, group or interchange turns all its claims rejected, and that is known only behind
    them. So claims and findings go to temporary files, which only their owner can read and which vanish with
    the process; memory does not grow with the number of claims.

    `excerpts` False leaves the raw segments out: they are the only place where a report may hold what
    identifies a patient. The first `most` findings are listed, and all are counted. With `follow` those that
    are new can be asked for while the input is still read.
    """

    def __init__(
        self, path: str, *, excerpts: bool = True, most: int = MOST_FINDINGS, follow: bool = False
    ) -> None:
        self.path = path
        self._excerpts = excerpts
        self._claim_rows, self._finding_rows = Rows(), Rows()
        # one for each transaction of the input: index into _VERDICTS
        self._verdicts = bytearray()
        self._group_from = 0
        self._interchange_from = 0
        self._in_transaction, self._in_group, self._in_interchange = Sums(), Sums(), Sums()
        self._sums = Sums()
        self._transaction: Transaction | None = None  # that of the last claim, and its number as JSON text
        self._number = ""
        self._label = "null"  # of the last claim with a finding, as JSON text
        self._labelled: Claim | None = None
        self._reaches = Reaches()
        self._new: deque[str] | None = deque() if follow else None
        self._told = Affected(self._reaches)
        self._part: Part | None = None  # the last one that a finding showed a segment of, and its segments
        self._texts: list[str] = []
        self._open = False  # whether an interchange is open whose verdict is not known
        self._delimiters = Delimiters("*", ":", "^", "~")
        self._interchanges = self._groups = self._transactions = self._claims = self._lines = 0
        self._severities: Counter[Severity] = Counter()
        self._rules: Counter[tuple[Severity, str]] = Counter()
        # findings and characters of them that may still be listed
        self._left, self._room = most, most * _AVERAGE
        self._unlisted: Counter[str] = Counter()
        self._hidden: Counter[Severity] = Counter()
        self._failures = 0
        self._failure = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def noted(self) -> int:
        """Claims so far."""
        return self._claims

    def add(self, checked: Checked) -> None:
        """Note one part, in document order."""
        part, findings, outcome, failed = checked
        cents = None
        if isinstance(part, Claim):
            cents = self._note_claim(part, outcome)
        else:
            self._reaches.pass_by(part, self._claims)
            if not isinstance(part, Level):
                self._note_begin(part)
        if failed:
            self._failures += 1
            self._failure = self._failure or failed
        for finding in findings:
            self._note_finding(finding, part, outcome, cents)
        if isinstance(part, (TransactionEnd, GroupEnd, InterchangeEnd)):
            self._note_end(part, outcome)

    def leave_out(self, finding: Finding) -> None:
        """Count a finding that is neither listed nor counted with the others."""
        self._hidden[finding.severity] += 1

    def end(
        self,
        *,
        sha256: str | None = None,
        tally: Tally | None = None,
        failure: str = "",
        gaps: tuple[Gap, ...] = (),
        profiles: Mapping[str, int] | None = None,
    ) -> Summary:
        """End the journal. `failure` says why the input could not be read to its end, "" where it was.

        A file that breaks off or is damaged has no verdict: all its claims are not checked, also those of an
        interchange that seemed whole. Raises OSError where what was found cannot be kept.
        """
        self._claim_rows.flush()
        self._finding_rows.flush()
        self._reaches.end(self._claims)
        if self._open and not failure:
            failure = "the end of the interchange was not reached"
        self._in_group.take(self._in_transaction)
        self._in_interchange.take(self._in_group)
        self._sums.take(self._in_interchange)
        if failure:
            self._sums.turn("not_checked")
            self._set_verdicts("not_checked", 0)
        return Summary(
            path=self.path,
            sha256=sha256,
            outcome=self._outcome(failure),
            reason=self._reason(failure),
            interchanges=self._interchanges,
            groups=self._groups,
            transactions=self._transactions,
            claims=self._claims,
            lines=self._lines,
            sums=self._sums,
            severities=self._severities,
            rules=self._rules,
            tally=tally or Tally(),
            gaps=gaps,
            profiles=profiles or {},
            unlisted=self._unlisted,
            hidden=self._hidden.total(),
        )

    def claims(self) -> Iterator[tuple[str, str, Outcome, str]]:
        """CLM01 and ST02 (both as JSON text), outcome and charge of each claim, in document order."""
        known = ""
        final: Outcome = "accepted"
        for row in self._claim_rows.read():
            said, claim, number, charge = row[:-1].split("\t")
            # that of the claim before, most times
            if said != known:
                transaction, _, outcome = said.partition(" ")
                known, final = said, self._final(int(transaction), _VERDICTS[int(outcome)])
            yield claim, number, final, charge

    def findings(self) -> Iterator[str]:
        """Each finding as JSON text, in document order."""
        affected = Affected(self._reaches)
        return (self._text_of(row, affected) for row in self._finding_rows.read())

    def entries(self) -> Iterator[Entry]:
        """Each finding with what a report for people shows beside it, in document order."""
        affected = Affected(self._reaches)
        return (self._entry_of(row, affected) for row in self._finding_rows.read())

    def new_findings(self) -> Iterator[str]:
        """As `findings`, but only those since the last call, also while the input is still read.

        The claims below a finding are known when all of them have passed; it waits for them, and so does what
        stands behind it.
        """
        return (self._text_of(row, self._told) for row in self._new_rows())

    def new_entries(self) -> Iterator[Entry]:
        """As `entries`, in the way of `new_findings`; their final outcome is not known yet."""
        return (self._entry_of(row, self._told) for row in self._new_rows())

    def _new_rows(self) -> Iterator[str]:
        if self._new is None:
            yield from self._finding_rows.read()
            return
        while self._new:
            reach = _reach_of(self._new[0].partition("\t")[2])
            if reach is not None and self._reaches.is_open(reach):
                return
            yield self._new.popleft()

    def _text_of(self, row: str, affected: Affected) -> str:
        finding, _, beside = row.partition("\t")
        reach = _reach_of(beside)
        return finding if reach is None else affected.add(finding, reach)

    def _entry_of(self, row: str, affected: Affected) -> Entry:
        finding, _, beside = row.partition("\t")
        reach, transaction, number, outcome, cents, excerpt, label, code, ordinal = json.loads(beside)
        return Entry(
            json.loads(finding if reach is None else affected.add(finding, reach)),
            number,
            self._final(transaction, _VERDICTS[outcome]),
            cents,
            Excerpt(*excerpt) if excerpt else None,
            range(0) if reach is None else self._reaches.range(reach),
            ClaimLabel(*label) if label else None,
            code,
            ordinal,
            _VERDICTS[outcome],
        )

    def close(self) -> None:
        """Let go of the temporary files."""
        self._claim_rows.close()
        self._finding_rows.close()

    def _note_claim(self, claim: Claim, outcome: Outcome) -> int:
        if not self._verdicts:
            self._verdicts.append(0)
        self._claims += 1
        self._lines += claim.line_count
        cents = claim.charge or 0
        self._in_transaction.count(outcome, cents)
        if claim.transaction is not self._transaction:
            self._transaction = claim.transaction
            self._number = _quote(_cut(claim.transaction.control_number))
        name = _quote(claim.id)
        self._reaches.note(name if len(name) <= _LONGEST_NUMBER else _quote(_cut(claim.id)))
        said = f"{len(self._verdicts) - 1} {_INDEX[outcome]}\t{name}\t{self._number}"
        self._claim_rows.add(f"{said}\t{dollars(cents)}\n")
        return cents

    def _note_begin(self, part: Part) -> None:
        if isinstance(part, Interchange):
            self._interchanges += 1
            self._open = True
            self._interchange_from = self._group_from = len(self._verdicts)
            self._delimiters = part.delimiters
        elif isinstance(part, Group):
            self._groups += 1
            self._group_from = len(self._verdicts)
        elif isinstance(part, Transaction):
            self._transactions += 1
            self._verdicts.append(0)

    def _note_end(self, part: TransactionEnd | GroupEnd | InterchangeEnd, outcome: Outcome) -> None:
        if isinstance(part, TransactionEnd):
            self._close(self._in_transaction, self._in_group, outcome, len(self._verdicts) - 1)
        elif isinstance(part, GroupEnd):
            self._close(self._in_group, self._in_interchange, outcome, self._group_from)
        else:
            self._in_interchange.take(self._in_group)
            self._close(self._in_interchange, self._sums, outcome, self._interchange_from)
            self._open = False

    def _note_finding(self, finding: Finding, part: Part, outcome: Outcome, cents: int | None) -> None:
        rule, severity, snip, message, fix, citation, where, related, status, table = finding
        self._severities[severity] += 1
        self._rules[severity, rule] += 1
        if self._left <= 0 or self._room <= 0:
            self._unlisted[rule] += 1
            return
        begin, middle, end = _frame(rule, severity, snip, citation, status, table)
        others = ", ".join(map(_write_place, related)) if related else ""
        number, known = (0, "null") if cents is None else (self._claims, cents)
        excerpt = self._excerpt(part, where) if self._excerpts else "null"
        said = f'{begin}{_quote(message)}, "fix": {_quote(fix)}{middle}{_write_place(where)}'
        reach, label, code = "null", "null", '""'
        if isinstance(part, Claim):
            label, code = self._label_of(part), _code_of(part, where.line)
        else:
            reach = str(self._reaches.take())
        known_of = f"{reach}, {len(self._verdicts) - 1}, {number}, {_INDEX[outcome]}, {known}"
        beside = f"[{known_of}, {excerpt}, {label}, {code}, {_ordinal_of(part, where.position) or 'null'}]"
        row = f'{said}, "related": [{others}{end}'
        self._left -= 1
        self._room -= len(row)
        self._finding_rows.add(f"{row}\t{beside}\n")
        if self._new is not None:
            self._new.append(f"{row}\t{beside}\n")

    def _excerpt(self, part: Part, place: Place) -> str:
        """What stands at a place, as JSON text; `null` where nothing does (a missing segment)."""
        delimiters = self._delimiters
        if isinstance(part, BlockView):
            if part is not self._part:
                self._part, self._texts = part, part.block.text.split(delimiters.terminator)
            index = place.position - part.position
            text = self._texts[index] if 0 <= index < len(self._texts) else None
        else:
            text = delimiters.element.join(part.segment) if part.segment else None
        if text is None or text.partition(delimiters.element)[0] != place.segment:
            return "null"
        at = _read_position(place.element.removeprefix(place.segment)) if place.element else None
        start, end = _span(text, at, delimiters) if at is not None else (0, 0)
        first = 0
        if len(text) > SHOWN:
            first = max(0, min(start - SHOWN // 3, len(text) - SHOWN))
            text = text[first : first + SHOWN]
        return f"[{_quote(text)}, {start - first}, {min(end - first, len(text))}]"

    def _label_of(self, claim: Claim) -> str:
        """The ClaimLabel as JSON text; `null` where nothing that identifies is kept."""
        if not self._excerpts:
            return "null"
        if claim is not self._labelled:
            subscriber, party = claim.subscriber, claim.patient_name
            patient = ", ".join(filter(None, (party.last_name, party.first_name)))
            payer = subscriber.payer.last_name if subscriber is not None else ""
            label = (patient[:_LONGEST_LABEL], payer[:_LONGEST_LABEL], show_days(claim.dates))
            self._labelled, self._label = claim, json.dumps(label)
        return self._label

    def _close(self, inner: Sums, outer: Sums, outcome: Outcome, first: int) -> None:
        if outcome != "accepted":
            inner.turn(outcome)
            self._set_verdicts(outcome, first)
        outer.take(inner)

    def _set_verdicts(self, outcome: Outcome, first: int) -> None:
        first = max(first, 0)
        self._verdicts[first:] = bytes((_INDEX[outcome],)) * (len(self._verdicts) - first)

    def _final(self, transaction: int, outcome: Outcome) -> Outcome:
        """The outcome of a claim with the verdict on the transaction in which it stands."""
        verdict = _VERDICTS[self._verdicts[transaction]] if transaction >= 0 else "accepted"
        return outcome if verdict == "accepted" else verdict

    def _outcome(self, failure: str) -> FileOutcome:
        if failure or self._failures:
            return "not_checked"
        if self._severities["error"] + self._hidden["error"] == 0 and self._sums.claims["rejected"] == 0:
            return "accepted"
        return "accepted_with_errors" if self._sums.claims["accepted"] else "rejected"

    def _reason(self, failure: str) -> str | None:
        if failure:
            return failure
        if not self._failures:
            return None
        unchecked = self._sums.claims["not_checked"]
        what = f"{unchecked} of {self._claims} claims" if unchecked else f"{self._failures} parts of the file"
        return f"{what} could not be checked: {self._failure}"


def _reach_of(beside: str) -> int | None:
    """The number of the reach with which what stands beside a finding begins."""
    return None if beside.startswith("[null") else int(beside[1 : beside.index(",")])


def _code_of(claim: Claim, line: int | None) -> str:
    """The procedure code of a line as JSON text."""
    if line is None or not 0 < line <= len(claim.lines):
        return '""'
    return _quote(claim.lines[line - 1].procedure[1][:_LONGEST_NUMBER])


def _ordinal_of(part: Part, position: int) -> int | None:
    """The count in the input, from 1, of the segment at this position of ST..SE, or of the ISA."""
    if isinstance(part, Interchange):
        return part.ordinal
    begin = part.transaction if isinstance(part, Claim | Level | TransactionEnd) else part
    if not isinstance(begin, Transaction) or not position:
        return None
    return begin.block.ordinal + position - begin.position


# A finding as the JSON report holds it. It is not made of a dict: that would take four times as long.


@lru_cache(maxsize=4096)
def _frame(
    rule: str, severity: Severity, snip: int, citation: str, status: Status, table: TableVersion | None
) -> tuple[str, str, str]:
    """What most findings of a rule have in common: before the message, behind the fix, behind the places."""
    answers: dict[str, Any] = {}
    if status.ack999:
        answers["999"] = status.ack999
    if status.ack277ca:
        answers["277CA"] = status.ack277ca
    if status.ta1 is not None:
        answers["TA1"] = status.ta1
    begin = json.dumps({"rule": rule, "severity": severity, "snip": snip, "message": ""})[:-3]
    end = json.dumps({"status": answers, "table": table._asdict() if table else None})[1:]
    return begin, f', "citation": {_quote(citation)}, "where": ', f"], {end}"


def _write_place(place: Place) -> str:
    interchange, group, transaction, claim, line, loop, segment, position, element, received = place
    of_file = "" if received is None else f', "received": "{iso(received)}"'
    return (
        f"{_write_address(interchange, group, transaction)}, "
        f'"claim": {"null" if claim is None else _quote(claim)}, "line": {"null" if line is None else line}, '
        f'"loop": {_quote(loop)}, "segment": {_quote(segment)}, "position": {position}, '
        f'"element": {"null" if element is None else _quote(element)}{of_file}}}'
    )


@lru_cache(maxsize=64)
def _write_address(interchange: str, group: str | None, transaction: str | None) -> str:
    """The part of a place that is the same throughout a transaction."""
    numbers = {"interchange": interchange, "group": group, "transaction": transaction}
    return json.dumps({name: number and _cut(number) for name, number in numbers.items()})[:-1]


def _cut(number: str) -> str:
    """A control number, which has at most nine characters, cut where it is far longer."""
    return number if len(number) <= _LONGEST_NUMBER else number[: _LONGEST_NUMBER - 3] + "..."


def _span(text: str, at: tuple[int, int | None], delimiters: Delimiters) -> tuple[int, int]:
    """Begin and end of an element, or of a component of it, within the segment."""
    index, component = at
    # what comes before it in pieces, and it with all that follows
    pieces = text.split(delimiters.element, index)
    if len(pieces) <= index:
        return len(text), len(text)
    start, value = len(text) - len(pieces[-1]), pieces[-1].partition(delimiters.element)[0]
    end = start + len(value)
    if component is None or not delimiters.component:
        return start, end
    pieces = value.split(delimiters.component, component - 1)
    if len(pieces) < component:
        return end, end
    start = end - len(pieces[-1])
    return start, start + len(pieces[-1].partition(delimiters.component)[0])


@lru_cache(maxsize=256)
def _read_position(name: str) -> tuple[int, int | None] | None:
    """Element and component that the end of a name tells, `01-3`; None where it tells none."""
    named = re.fullmatch(r"(\d\d)(?:-(\d+))?", name)
    return (int(named[1]), int(named[2]) if named[2] is not None else None) if named is not None else None
