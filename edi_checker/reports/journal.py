"""What was found in one input, kept on disk until the last verdict on its claims is known."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from types import TracebackType
from typing import IO, Any, Literal, NamedTuple, Self

from edi_checker.checker import Checked, Outcome
from edi_checker.claim import (
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Part,
    Run,
    Transaction,
    TransactionEnd,
)
from edi_checker.facts import Gap
from edi_checker.finding import Finding, Place, Severity
from edi_checker.x12 import Delimiters

FileOutcome = Literal["accepted", "accepted_with_errors", "rejected", "not_checked"]

IN_MEMORY = 1 << 20  # characters of a journal beyond which it goes to a temporary file
SHOWN = 240  # characters of a segment that are kept around the faulty element
_WAITING = 200  # rows
_VERDICTS: tuple[Outcome, ...] = ("accepted", "rejected", "not_checked")
_INDEX = {outcome: index for index, outcome in enumerate(_VERDICTS)}


class Tally(NamedTuple):
    """How many rules there are, how many of them applied, and how many were not in force on the dates met."""

    rules: int = 0
    applied: int = 0
    not_in_force: int = 0


@dataclass(slots=True)
class Sums:
    """Claims and their charges (cents; an unreadable charge counts 0) by outcome."""

    claims: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(_VERDICTS, 0))
    cents: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(_VERDICTS, 0))

    def count(self, outcome: Outcome, cents: int) -> None:
        self.claims[outcome] += 1
        self.cents[outcome] += cents

    def take(self, other: Sums) -> None:
        """Move everything from `other` into these sums."""
        for outcome in self.claims:
            self.claims[outcome] += other.claims[outcome]
            self.cents[outcome] += other.cents[outcome]
            other.claims[outcome] = other.cents[outcome] = 0

    def turn(self, outcome: Outcome) -> None:
        """Give every claim this outcome."""
        claims, cents = sum(self.claims.values()), sum(self.cents.values())
        for each in self.claims:
            self.claims[each] = self.cents[each] = 0
        self.claims[outcome], self.cents[outcome] = claims, cents


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A segment, or the part of it around the faulty element, which goes from `start` to `end`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as it stands in the JSON report, with what a report for people shows beside it.

    `number` tells the claims of one file apart (0 outside of any claim): several may have the same CLM01.
    """

    finding: dict[str, Any]
    number: int
    outcome: Outcome
    cents: int | None
    excerpt: Excerpt | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of one input at its end.

    `sums` counts claims, `severities` and `rules` findings; `gaps` are days of service outside the tables.
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


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a journal noted of a run of whole transactions of one group: see Journal.take_out.

    With `within` it is of claims of one transaction that is open, and `verdicts` is empty.
    """

    claims_text: str
    findings_text: str
    verdicts: bytes
    sums: Sums
    claims: int
    lines: int
    severities: Counter[Severity]
    rules: Counter[tuple[Severity, str]]
    failures: int
    failure: str
    within: bool = False


class _Rows:
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
            self._flush()

    def put(self, rows: str) -> None:
        """Rows that `take` of others gave."""
        self._flush()
        self._file.write(rows)

    def take(self) -> str:
        """All rows; none are left after."""
        self._flush()
        self._file.seek(0)
        rows = self._file.read()
        self._file.seek(0)
        self._file.truncate()
        return rows

    def read(self) -> Iterator[str]:
        """Each row with its line feed, from the first."""
        self._flush()
        self._file.seek(0)
        yield from self._file

    def close(self) -> None:
        self._file.close()

    def _flush(self) -> None:
        self._file.write("".join(self._waiting))
        self._waiting.clear()


class Journal:
    """Takes the parts of one input as they are checked; after `end`, gives them with their final outcomes.

    A rejected transaction, group or interchange turns all its claims rejected, and that is known only behind
    them. So claims and findings go to temporary files, which only their owner can read and which vanish with
    the process; memory does not grow with the number of claims.

    `excerpts` False leaves the raw segments out: they are the only place where a report may hold what
    identifies a patient.

    An input can be noted by several journals, each a stretch of it: those begin where `passed` transactions
    and claims lie before them.
    """

    def __init__(self, path: str, *, excerpts: bool = True, passed: tuple[int, int] = (0, 0)) -> None:
        self._path = path
        self._excerpts = excerpts
        self._claim_rows, self._finding_rows = _Rows(), _Rows()
        # one for each transaction of the input: index into _VERDICTS
        self._verdicts = bytearray(passed[0])
        self._group_from = 0
        self._interchange_from = 0
        self._in_transaction, self._in_group, self._in_interchange = Sums(), Sums(), Sums()
        self._sums = Sums()
        self._transaction: Transaction | None = None  # that of the last claim, and its number as JSON text
        self._number = ""
        self._open = False  # whether an interchange is open whose verdict is not known
        self._delimiters = Delimiters("*", ":", "^", "~")
        self._interchanges = self._groups = self._transactions = self._lines = 0
        self._claims = passed[1]
        self._passed = passed
        self._severities: Counter[Severity] = Counter()
        self._rules: Counter[tuple[Severity, str]] = Counter()
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
        part = checked.part
        cents = None
        if isinstance(part, Claim):
            cents = self._note_claim(part, checked.outcome)
        elif not isinstance(part, Level):
            self._note_begin(part)
        if checked.failed:
            self._failures += 1
            self._failure = self._failure or checked.failed
        for finding in checked.findings:
            self._note_finding(finding, part, checked.outcome, cents)
        if isinstance(part, (TransactionEnd, GroupEnd, InterchangeEnd)):
            self._note_end(part, checked.outcome)

    def end(
        self,
        *,
        sha256: str | None = None,
        tally: Tally | None = None,
        failure: str = "",
        gaps: tuple[Gap, ...] = (),
    ) -> Summary:
        """End the journal. `failure` says why the input could not be read to its end, "" where it was.

        A file that breaks off or is damaged has no verdict: all its claims are not checked, also those of an
        interchange that seemed whole.
        """
        if self._open and not failure:
            failure = "the end of the interchange was not reached"
        self._in_group.take(self._in_transaction)
        self._in_interchange.take(self._in_group)
        self._sums.take(self._in_interchange)
        if failure:
            self._sums.turn("not_checked")
            self._set_verdicts("not_checked", 0)
        return Summary(
            path=self._path,
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
        )

    def take_out(self, *, within: bool = False) -> Stretch:
        """What was noted since the last time, where whole transactions of one group were; forgets it.

        `within` says that it was claims of the open transaction instead.
        """
        claims_text, findings_text = self._claim_rows.take(), self._finding_rows.take()
        transactions, claims = self._passed
        stretch = Stretch(
            claims_text,
            findings_text,
            b"" if within else bytes(self._verdicts[transactions:]),
            self._in_transaction if within else self._in_group,
            self._claims - claims,
            self._lines,
            self._severities,
            self._rules,
            self._failures,
            self._failure,
            within,
        )
        self._passed = (len(self._verdicts), self._claims)
        self._in_transaction, self._in_group = Sums(), Sums()
        self._lines, self._failures, self._failure = 0, 0, ""
        self._severities, self._rules = Counter(), Counter()
        return stretch

    def put_in(self, stretch: Stretch) -> None:
        """Note what another journal of the same input noted, which was made for this place of it."""
        self._claim_rows.put(stretch.claims_text)
        self._finding_rows.put(stretch.findings_text)
        self._verdicts += stretch.verdicts
        self._transactions += len(stretch.verdicts)
        self._claims += stretch.claims
        self._lines += stretch.lines
        (self._in_transaction if stretch.within else self._in_group).take(stretch.sums)
        self._severities += stretch.severities
        self._rules += stretch.rules
        self._failures += stretch.failures
        self._failure = self._failure or stretch.failure

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
        for row in self._finding_rows.read():
            yield row.partition("\t")[0].rstrip("\n")

    def entries(self) -> Iterator[Entry]:
        """Each finding with what a report for people shows beside it, in document order."""
        for row in self._finding_rows.read():
            finding, _, beside = row.partition("\t")
            transaction, number, outcome, cents, excerpt = json.loads(beside)
            yield Entry(
                json.loads(finding),
                number,
                self._final(transaction, _VERDICTS[outcome]),
                cents,
                Excerpt(*excerpt) if excerpt else None,
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
            self._number = _quote(claim.transaction.control_number)
        said = f"{len(self._verdicts) - 1} {_INDEX[outcome]}"
        self._claim_rows.add(f"{said}\t{_quote(claim.id)}\t{self._number}\t{dollars(cents)}\n")
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
        self._severities[finding.severity] += 1
        self._rules[finding.severity, finding.rule] += 1
        excerpt = _excerpt(part, finding.where, self._delimiters) if self._excerpts else None
        beside = (
            len(self._verdicts) - 1,
            self._claims if isinstance(part, Claim) else 0,
            _INDEX[outcome],
            cents,
            (excerpt.text, excerpt.start, excerpt.end) if excerpt is not None else None,
        )
        self._finding_rows.add(f"{json.dumps(finding_record(finding))}\t{json.dumps(beside)}\n")

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
        if self._severities["error"] == 0 and self._sums.claims["rejected"] == 0:
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


@lru_cache(maxsize=4096)
def dollars(cents: int) -> str:
    """Money as reports write it: "200.00"."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def finding_record(finding: Finding) -> dict[str, Any]:
    """The finding as the JSON report holds it."""
    status: dict[str, Any] = {}
    if finding.status.ack999:
        status["999"] = list(finding.status.ack999)
    if finding.status.ack277ca:
        status["277CA"] = list(finding.status.ack277ca)
    if finding.status.ta1 is not None:
        status["TA1"] = finding.status.ta1
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "snip": finding.snip,
        "message": finding.message,
        "fix": finding.fix,
        "citation": finding.citation,
        "where": _place_record(finding.where),
        "related": [_place_record(place) for place in finding.related],
        "status": status,
        "table": {"name": finding.table.name, "version": finding.table.version} if finding.table else None,
    }


def _place_record(place: Place) -> dict[str, Any]:
    return {
        "interchange": place.interchange,
        "group": place.group,
        "transaction": place.transaction,
        "claim": place.claim,
        "line": place.line,
        "loop": place.loop,
        "segment": place.segment,
        "position": place.position,
        "element": place.element,
    }


def _excerpt(part: Part, place: Place, delimiters: Delimiters) -> Excerpt | None:
    """What stands at a place, None where nothing does (a missing segment)."""
    segment = None
    if isinstance(part, Run):
        if 0 <= place.position - part.position < len(part.segments):
            segment = part.segments[place.position - part.position]
    else:
        segment = part.segment
    if not segment or segment[0] != place.segment:
        return None
    text = delimiters.element.join(segment)
    start, end = _span(segment, place, delimiters)
    first = 0
    if len(text) > SHOWN:
        first = max(0, min(start - SHOWN // 3, len(text) - SHOWN))
        text = text[first : first + SHOWN]
    return Excerpt(text, start - first, min(end - first, len(text)))


def _span(segment: list[str], place: Place, delimiters: Delimiters) -> tuple[int, int]:
    """Begin and end of the element within the joined segment; (0, 0) where the place names none."""
    named = re.fullmatch(r"(\d\d)(?:-(\d+))?", (place.element or "").removeprefix(place.segment))
    if named is None:
        return 0, 0
    index = int(named[1])
    if index >= len(segment):
        end = sum(map(len, segment)) + len(segment) - 1
        return end, end
    start = sum(map(len, segment[:index])) + index
    end = start + len(segment[index])
    if named[2] is None or not delimiters.component:
        return start, end
    components = segment[index].split(delimiters.component)
    before = components[: int(named[2]) - 1]
    if len(before) == len(components):
        return end, end
    start += sum(map(len, before)) + len(before)
    return start, start + len(components[len(before)])
