"""Answers and the claims that they answer, side by side: for each claim what has to be done, and who says so.

All of it lies in a database of SQLite that is deleted with the list and goes to the disk where it grows, so
that memory does not.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from edi_checker.acks.explain import Statement, whole_outcome
from edi_checker.acks.heaps import UNANSWERED_ADVICE, Heap, advise, choose_heap, gravest, gravity
from edi_checker.acks.matching import match
from edi_checker.acks.narrator import About
from edi_checker.acks.sent import SentClaim, SentSet
from edi_checker.acks.words import Outcome
from edi_checker.x12.dates import iso

MOST_STATEMENTS = 2_000_000  # of one file
_MOST_ERRORS = 10  # that are said of one claim
_MOST_LINES = 10
_CACHE = 16 * 1024  # kilobytes of the database that are held in memory
_TIERS = {"TA1": 1, "997": 2, "999": 2, "277CA": 3}
_DEPTHS: dict[About, int] = {"batch": 0, "interchange": 0, "group": 0, "transaction": 0, "provider": 1}

_TABLES = """
CREATE TABLE file (id INTEGER PRIMARY KEY, path TEXT, role TEXT, reason TEXT, claims INTEGER);
CREATE TABLE sent (
  id INTEGER PRIMARY KEY, file INTEGER, sender TEXT, receiver TEXT, isa13 TEXT, gs06 TEXT, ordinal INTEGER,
  st02 TEXT, batch TEXT, made TEXT
);
CREATE TABLE claim (
  id INTEGER PRIMARY KEY, sent INTEGER, number TEXT, key TEXT, patient TEXT, charge INTEGER, first INTEGER,
  last INTEGER, providers TEXT, position INTEGER, ends INTEGER
);
CREATE TABLE statement (id INTEGER PRIMARY KEY, file INTEGER, about TEXT, outcome TEXT, json TEXT);
CREATE TABLE said (
  id INTEGER PRIMARY KEY, file INTEGER, answer INTEGER, kind TEXT, about TEXT, tier INTEGER, depth INTEGER,
  made TEXT, outcome TEXT, own TEXT, heap TEXT, gravity INTEGER, text TEXT, advice TEXT, codes TEXT,
  sender TEXT, receiver TEXT, isa13 TEXT, gs06 TEXT, st02 TEXT, batch TEXT, provider TEXT,
  number TEXT, key TEXT, patient TEXT, charge INTEGER, first INTEGER, last INTEGER,
  accepted INTEGER, rejected INTEGER, position INTEGER, trouble TEXT
);
CREATE TABLE link (claim INTEGER, said INTEGER, exact INTEGER);
CREATE TABLE whole (sent INTEGER, provider TEXT, said INTEGER);
CREATE TABLE error (claim INTEGER, said INTEGER);
CREATE TABLE decision (
  id INTEGER PRIMARY KEY, known INTEGER, claim INTEGER, said INTEGER, heap TEXT, outcome TEXT, number TEXT,
  patient TEXT, first INTEGER, last INTEGER, charge INTEGER, file TEXT, st02 TEXT
);
"""
_INDEXES = """
CREATE INDEX claim_by_key ON claim (key);
CREATE INDEX claim_by_sent ON claim (sent, position);
CREATE INDEX sent_by_batch ON sent (batch);
CREATE INDEX sent_by_group ON sent (gs06);
CREATE INDEX said_by_answer ON said (file, answer, about);
CREATE INDEX said_by_key ON said (key, about);
CREATE INDEX link_by_claim ON link (claim);
CREATE INDEX link_by_said ON link (said);
CREATE INDEX whole_by_sent ON whole (sent, provider);
CREATE INDEX error_by_claim ON error (claim);
CREATE INDEX error_by_said ON error (said);
CREATE INDEX decision_by_heap ON decision (known, heap);
"""
_ANSWERED = """
SELECT 1 FROM sent JOIN said ON (said.about = 'batch' AND said.batch = sent.batch)
  OR (said.about = 'group' AND said.gs06 = sent.gs06)
  OR (said.about = 'interchange' AND ltrim(said.isa13, '0') = ltrim(sent.isa13, '0'))
WHERE sent.file = ? AND said.sender = sent.receiver AND said.receiver = sent.sender LIMIT 1
"""
# Of a statement: its subject, which may name a person, is kept in `said` alone.
_FIELDS = [each.name for each in fields(Statement) if each.name != "subject"]
_SAID = [
    "file",
    "answer",
    "kind",
    "about",
    "tier",
    "depth",
    "made",
    "outcome",
    "own",
    "heap",
    "gravity",
    "text",
    "advice",
    "codes",
    "sender",
    "receiver",
    "isa13",
    "gs06",
    "st02",
    "batch",
    "provider",
    "number",
    "key",
    "patient",
    "charge",
    "first",
    "last",
    "accepted",
    "rejected",
    "position",
    "trouble",
]


class Row(NamedTuple):
    """A claim in the list.

    known    whether it is in a file of claims; otherwise an answer alone tells of it
    patient  last and first name, "" where not known
    dates    first and last day of service, `2026-03-31`, "" where not known
    charge   cents, None where not known
    outcome  as of a Statement; None where nothing answers it
    says     sentences: what the answer says of it that decides, and the errors that it names
    advice   what to do
    codes    the codes behind it
    kind     TA1, 999 or 277CA, "" where nothing answers it
    source   path of the file that says so
    file     path of the file of claims, "" where not known
    before   what other answers say: kind, outcome and path
    """

    known: bool
    heap: Heap
    claim: str
    patient: str
    dates: tuple[str, str]
    charge: int | None
    outcome: Outcome | None
    says: tuple[str, ...]
    advice: tuple[str, ...]
    codes: tuple[str, ...]
    kind: str
    source: str
    file: str
    transaction: str
    before: tuple[tuple[str, Outcome, str], ...]


class Loose(NamedTuple):
    """What an answer says of no claim of the list: its path and kind, and as of a Statement."""

    source: str
    kind: str
    outcome: Outcome
    text: str
    advice: str
    codes: tuple[str, ...]


class SentNumbers(NamedTuple):
    """ISA06, ISA08 and ISA13 of an interchange of claims, and GS06 of its groups."""

    sender: str
    receiver: str
    interchange: str
    groups: frozenset[str]


class _NotAnswered(Exception):
    """No answer is about the file."""


class TooMuch(Exception):
    """A file says more than is taken; the message says so."""


@dataclass(slots=True)
class Sums:
    """How many claims there are in each heap, and their charges in cents.

    accepted  those of `leave` that are not rejected; the others are not to be sent again
    unpriced  claims whose charge is not known
    """

    claims: Counter[Heap] = field(default_factory=Counter)
    cents: Counter[Heap] = field(default_factory=Counter)
    accepted: int = 0
    unpriced: int = 0


Role = Literal["answer", "claims"]


class Source(NamedTuple):
    """A file that was read, or could not be: `role` says for what it was named."""

    path: str
    role: Role
    reason: str
    claims: int


def key_of(number: str) -> str:
    """A CLM01 by which answers name a claim: they cut it at 35 characters and fix what they cannot hold."""
    return re.sub(r"[^0-9A-Za-z]", "-", number.strip())[:35]


class WorkList:
    """Take all files first, then `join` once, then read rows, statements and sums as often as you like."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("")
        self._base.executescript(
            f"PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE;"
            f"PRAGMA cache_size=-{_CACHE}; {_TABLES}"
        )
        self._sent: tuple[SentSet | None, int] = None, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    # -- taking files

    def refuse(self, path: str, role: Role, reason: str) -> None:
        """Note a file that could not be read."""
        self._base.execute("INSERT INTO file VALUES (NULL, ?, ?, ?, 0)", (path, role, reason))

    def take_answers(self, path: str, statements: Iterable[Statement]) -> None:
        """All statements of a file. What they raise is raised, and nothing of the file is kept."""
        with self._whole("answer", path) as file:
            last: tuple[int, Statement, list[Statement]] | None = None
            for count, statement in enumerate(statements):
                if count >= MOST_STATEMENTS:
                    raise TooMuch(f"it says more than {MOST_STATEMENTS:,} things")
                self._base.execute(
                    "INSERT INTO statement VALUES (NULL, ?, ?, ?, ?)",
                    (file, statement.about, statement.outcome, _as_json(statement)),
                )
                if statement.about == "line" and last is not None:
                    last[2].append(statement)
                    continue
                last = self._put_off(last, file, statement)
            self._put_off(last, file, None)

    def _put_off(
        self, last: tuple[int, Statement, list[Statement]] | None, file: int, now: Statement | None
    ) -> tuple[int, Statement, list[Statement]] | None:
        """A claim is noted with its lines, when the next statement begins."""
        if last is not None:
            self._note(*last)
        return None if now is None else (file, now, [])

    def _note(self, file: int, said: Statement, lines: list[Statement]) -> None:
        subject = said.subject
        outcome = subject.own if said.about in ("batch", "provider") else said.outcome
        heap = choose_heap(said, outcome)
        advice = [advise(said, heap)]
        if said.about in ("batch", "provider") and subject.rejected and outcome != "rejected":
            advice = ["Ask who sent the answer which claims are rejected: it does not list them."]
        text = _sentence(said.text.removeprefix(f"Claim {said.id}: "))
        codes = list(said.codes)
        if lines:
            heaps = [choose_heap(line, line.outcome) for line in lines if line.outcome == "rejected"]
            if heaps and (outcome != "rejected" or all(":247" in code for code in said.codes)):
                outcome, heap, advice = "rejected", gravest(heaps), []
            lines = lines[:_MOST_LINES]
            advice += [line.advice for line in lines]
            text = "\n".join([text, *(_of_line(line, said.id) for line in lines)])
            codes += [code for line in lines for code in line.codes]
        number = said.claim or ""
        values = (
            file, subject.answer, said.answer, said.about, _TIERS.get(said.answer, 0),
            _DEPTHS.get(said.about, 2), subject.made, said.outcome, outcome, heap, gravity(heap), text,
            "\n".join(dict.fromkeys(filter(None, advice))), " ".join(dict.fromkeys(codes)), subject.sender,
            subject.receiver, subject.interchange, subject.group, said.transaction or "", subject.batch,
            subject.provider, number, key_of(number), subject.patient, subject.charge, *subject.dates,
            subject.accepted, subject.rejected, said.position, "",
        )  # fmt: skip
        marks = ", ".join("?" * len(values))
        self._base.execute(f"INSERT INTO said ({', '.join(_SAID)}) VALUES ({marks})", values)  # noqa: S608  # nosec B608  # names of columns

    def take_claims(self, path: str, claims: Iterable[SentClaim], *, only_answered: bool = False) -> None:
        """All claims of a file, or none where no answer that was taken names its numbers.

        What they raise is raised, and nothing of the file is kept.
        """
        with contextlib.suppress(_NotAnswered), self._whole("claims", path) as file:
            count = 0
            for claim in claims:
                count += 1
                self._base.execute(
                    "INSERT INTO claim VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        self._set_of(file, claim.set),
                        claim.number,
                        key_of(claim.number),
                        claim.patient,
                        claim.charge,
                        *claim.dates,
                        f"|{'|'.join(claim.providers)}|",
                        *claim.positions,
                    ),
                )
            self._base.execute("UPDATE file SET claims = ? WHERE id = ?", (count, file))
            if only_answered and self._base.execute(_ANSWERED, (file,)).fetchone() is None:
                raise _NotAnswered

    def _set_of(self, file: int, sent: SentSet) -> int:
        if self._sent[0] is not sent:
            cursor = self._base.execute(
                "INSERT INTO sent VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file,
                    sent.sender,
                    sent.receiver,
                    sent.interchange,
                    sent.group,
                    sent.group_ordinal,
                    sent.transaction,
                    sent.batch,
                    sent.made,
                ),
            )
            self._sent = sent, cursor.lastrowid or 0
        return self._sent[1]

    def _whole(self, role: Role, path: str) -> _Whole:
        return _Whole(self._base, role, path)

    def wants(self, interchanges: Iterable[SentNumbers]) -> bool:
        """Whether an answer may be about one of these interchanges, whose file may then be taken.

        A 277CA names only the batch, which is not known before the file is read: there, sender and
        receiver decide.
        """
        return any(self._wants(one) for one in interchanges)

    def _wants(self, one: SentNumbers) -> bool:
        query = """
            SELECT DISTINCT about, ltrim(isa13, '0'), gs06 FROM said
            WHERE (about IN ('interchange', 'group', 'batch')) AND sender = ? AND receiver = ?
        """
        for about, isa13, gs06 in self._base.execute(query, (one.receiver, one.sender)):
            if (
                about == "batch"
                or isa13 == one.interchange.lstrip("0")
                or (about == "group" and gs06 in one.groups)
            ):
                return True
        return False

    def join(self) -> None:
        """Find the claims that each statement is about."""
        self._base.executescript(_INDEXES)
        match(self._base)

    # -- reading

    def sources(self) -> Iterator[Source]:
        """The files, in the order in which they were taken."""
        for row in self._base.execute("SELECT path, role, reason, claims FROM file ORDER BY id"):
            yield Source(*row)

    @property
    def has_claims(self) -> bool:
        """Whether files of claims were taken."""
        return self._base.execute("SELECT 1 FROM sent LIMIT 1").fetchone() is not None

    def statements(self) -> Iterator[tuple[int, str, Statement]]:
        """Number and path of the answer, and each statement without its subject, in order."""
        query = """
            SELECT file.id, path, json FROM statement JOIN file ON file.id = statement.file
            ORDER BY statement.id
        """
        for file, path, text in self._base.execute(query):
            said = json.loads(text)
            yield file, path, Statement(**{**said, "codes": tuple(said["codes"])})

    def outcome(self) -> Outcome:
        """The outcome of all that the answers say, whether it was made good later or not."""
        return whole_outcome(self._base.execute("SELECT DISTINCT about, outcome FROM statement"))

    def sums(self, *, known: bool) -> Sums:
        """Of the claims that are in files of claims, or of those of which answers alone tell."""
        query = """
            SELECT heap, COUNT(*), SUM(COALESCE(charge, 0)), SUM(charge IS NULL),
              SUM(heap = 'leave' AND outcome <> 'rejected')
            FROM decision WHERE known = ? GROUP BY heap
        """
        sums = Sums()
        for heap, count, cents, unpriced, accepted in self._base.execute(query, (known,)):
            sums.claims[heap] = count
            sums.cents[heap] = cents
            sums.unpriced += unpriced
            sums.accepted += accepted
        return sums

    def verdicts(self) -> set[Outcome]:
        """The outcomes that decide on the claims, and those of what is said of no claim."""
        query = "SELECT DISTINCT outcome FROM decision WHERE outcome IS NOT NULL"
        return {outcome for (outcome,) in self._base.execute(query)} | {each.outcome for each in self.loose()}

    def loose(self) -> Iterator[Loose]:
        """What is said of no claim of the list and is not good: of a set that is not known, say."""
        query = """
            SELECT path, kind, outcome, text, trouble, advice, codes FROM said
            JOIN file ON file.id = said.file
            WHERE outcome IN ('rejected', 'unclear') AND about NOT IN ('claim', 'line', 'segment')
              AND NOT EXISTS (SELECT 1 FROM link WHERE link.said = said.id)
              AND NOT EXISTS (
                SELECT 1 FROM said AS below
                WHERE below.file = said.file AND below.answer = said.answer AND below.outcome = 'rejected'
                  AND ((below.about = 'claim' AND said.own <> 'rejected'
                      AND said.about IN ('batch', 'provider'))
                    OR (said.about = 'group' AND below.about = 'transaction')))
            ORDER BY said.id
        """
        for path, kind, outcome, text, trouble, advice, codes in self._base.execute(query):
            said = " ".join(filter(None, (text, trouble)))
            yield Loose(path, kind, outcome, said, advice.replace("\n", " "), tuple(codes.split()))

    def rows(self, heap: Heap, *, known: bool) -> Iterator[Row]:
        """The claims of a heap in the order of the files: of claims, or those of which answers alone tell."""
        query = """
            SELECT claim, said, number, patient, first, last, charge, file, st02 FROM decision
            WHERE heap = ? AND known = ? ORDER BY id
        """
        for found in self._base.execute(query, (heap, known)):
            yield self._row(heap, found, known=known)

    def _row(self, heap: Heap, found: tuple[Any, ...], *, known: bool) -> Row:
        claim, said, number, patient, first, last, charge, file, st02 = found
        dates = _day(first), _day(last)
        if said is None:
            advice = (UNANSWERED_ADVICE,)
            return Row(
                known, heap, number, patient, dates, charge, None, (), advice, (), "", "", file, st02, ()
            )
        query = """
            SELECT kind, about, own, text, trouble, advice, codes, path, said.file, answer, st02 FROM said
            JOIN file ON file.id = said.file WHERE said.id = ?
        """
        kind, about, outcome, text, trouble, advice, codes, path, *of = self._base.execute(
            query, (said,)
        ).fetchone()
        says, advices, all_codes = [*text.split("\n"), trouble], advice.split("\n"), codes.split()
        if kind in ("999", "997") or ":684" in codes:
            errors = self._errors(claim, number, of, kind if about == "segment" else "")
            if errors and about == "segment":
                says, advices, all_codes = [], [], []
            elif about == "transaction" and outcome == "rejected" and not errors:
                says.append("It names no error of this claim.")
            says += [error for error, _, _ in errors]
            advices = [*(each for _, each, _ in errors), *advices]
            all_codes += [code for _, _, each in errors for code in each.split()]
        before = () if claim is None else tuple(self._before(claim, said))
        return Row(
            known, heap, number, patient, dates, charge, outcome, tuple(filter(None, says)),
            tuple(dict.fromkeys(filter(None, advices))), tuple(dict.fromkeys(all_codes)), kind, path, file,
            st02, before,
        )  # fmt: skip

    def _errors(
        self, claim: int | None, number: str, of: list[Any], alone: str
    ) -> list[tuple[str, str, str]]:
        """Text, advice and codes of the errors that a 999 names in a claim."""
        if alone:
            where = "file = ? AND answer = ? AND about = 'segment' AND st02 = ? AND number = ?"
            query, values = f"SELECT text, advice, codes FROM said WHERE {where}", (*of, number)  # noqa: S608  # nosec B608  # no values in it
        else:
            query = """
                SELECT text, advice, codes FROM error JOIN said ON said.id = error.said WHERE error.claim = ?
            """
            values = (claim,)
        errors = self._base.execute(f"{query} LIMIT {_MOST_ERRORS}", values).fetchall()
        prefix = f"Claim {number}: "
        return [(_sentence(text.removeprefix(prefix)), advice, codes) for text, advice, codes in errors]

    def _before(self, claim: int, said: int) -> Iterator[tuple[str, Outcome, str]]:
        query = """
            SELECT DISTINCT kind, own, path FROM link JOIN said ON said.id = link.said
            JOIN file ON file.id = said.file
            WHERE link.claim = ? AND said.id <> ? AND said.own <> 'received'
            ORDER BY tier, made, said.id LIMIT 10
        """
        yield from self._base.execute(query, (claim, said))


class _Whole:
    """A file of which all is kept, or nothing."""

    def __init__(self, base: sqlite3.Connection, role: str, path: str) -> None:
        self._base, self._role, self._path = base, role, path

    def __enter__(self) -> int:
        self._base.execute("SAVEPOINT whole")
        cursor = self._base.execute("INSERT INTO file VALUES (NULL, ?, ?, '', 0)", (self._path, self._role))
        return cursor.lastrowid or 0

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._base.execute("ROLLBACK TO whole")
        self._base.execute("RELEASE whole")


def _as_json(statement: Statement) -> str:
    return json.dumps({name: getattr(statement, name) for name in _FIELDS})


def _of_line(line: Statement, claim: str) -> str:
    return line.text.replace(f" of claim {claim or '(not named)'}", "", 1)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day(on: int | None) -> str:
    return "" if on is None else iso(on)
