"""What goes into the ledger and comes out of it, as frozen values that other processes can be given.

Times are seconds since the epoch (UTC), durations seconds, hashes hexadecimal digits of SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class State(StrEnum):
    """How far a file is.

    SEEN       waits for someone to take it
    CLAIMED    is being checked, by its owner, until the lease ends
    ANSWERED   its answer stands and cannot be taken back; it is being published
    DONE       published, or settled by hand
    FAILED     cannot be checked; the reason says why
    DUPLICATE  of a file that was answered before
    VANISHED   was gone when it was to be moved
    """

    SEEN = "seen"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    DONE = "done"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the ledger, as it was when it was read.

    token          rises whenever the file changes hands: what an earlier owner writes is refused
    tries          how often its check failed
    not_before     it is not taken before this time
    duplicate_by   "content" or "control number"
    replay_of      the file whose content is answered again
    setting        digest of the setting with which it was checked
    history        its number in the order of commits, where it left lines in the history
    settled_by     who settled it by hand
    """

    id: int
    partner: str
    name: str
    size: int
    mtime_ns: int
    state: State
    token: int
    owner: str | None
    lease_until: float | None
    tries: int
    not_before: float | None
    reason: str | None
    sha256: str | None
    duplicate_of: int | None
    duplicate_by: str | None
    replay_of: int | None
    setting: str | None
    history: int | None
    settled_by: str | None
    seen_at: float
    answered_at: float | None
    finished_at: float | None


class InterchangeKey(NamedTuple):
    """What tells an interchange from others: ISA05 to ISA08 without their blanks, and ISA13."""

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    control: str


@dataclass(frozen=True, slots=True)
class Group:
    """A functional group: GS02, GS03, GS06, how many of its transactions are accepted, and its verdict."""

    sender: str
    receiver: str
    control: str
    transactions: int
    accepted: int
    verdict: str


@dataclass(frozen=True, slots=True)
class Interchange:
    """An interchange and its verdict, a TA1 code or word of the caller's."""

    key: InterchangeKey
    verdict: str
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A file of the answer."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The file that was answered first, and what makes this one its duplicate: "content" or "control number".

    same_content  whether the two are the same bytes, True wherever `by` is "content"
    """

    of: int
    by: str
    same_content: bool
    answered_at: float


class Draw(NamedTuple):
    """A control number that is wanted: the `ordinal`th of its kind for these two in the answer to a file.

    `sender` and `receiver` are those of the answer, qualifier and id in one text; `kind` is ISA, GS or so.
    """

    sender: str
    receiver: str
    kind: str
    ordinal: int


class Entry(NamedTuple):
    """A line of history, in bytes that only the caller reads.

    key     16 bytes (Secret.key)
    place   orders the entries of a file under one key
    claim   8 bytes that stand for the claim, for voids; NO_CLAIM where there is nothing to say
    packed  what is found again; at most 2 GB
    void    takes back: what came before under this key for the claim, or under this key at all with NO_CLAIM
    """

    key: bytes
    place: int
    claim: bytes
    packed: bytes
    void: bool = False


NO_CLAIM = bytes(8)
MOST_SKIPPED = 999_999_998  # control numbers at once; a whole round of them would move none


@dataclass(frozen=True, slots=True)
class HistoryRun:
    """What a file leaves in the history, and what its check rested on.

    fingerprint  of the secret that made the keys
    snapshot     Past.snapshot of the check
    asked        all keys that the check looked up
    """

    fingerprint: str
    snapshot: int
    asked: frozenset[bytes]
    entries: Iterable[Entry]


@dataclass(frozen=True, slots=True)
class Past:
    """The history as it was at one moment; it can be given to other processes.

    snapshot   number of the last file in it
    left_out   numbers of files whose lines are not looked at: those of the same content
    """

    snapshot: int
    left_out: frozenset[int]


class Found(NamedTuple):
    """A line of an earlier file; `number` is File.history of that file, the rest as in its Entry.

    `doubtful` where a void without a claim stands behind it: that may have meant it.
    """

    number: int
    place: int
    claim: bytes
    packed: bytes
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is committed when a file is answered.

    window        how long ago a control number may have come for it to be a duplicate
    record        JSON of the caller's, without anything that could identify a person
    duplicate_of  where the answer only says that the file is a duplicate
    """

    sha256: str
    outputs: tuple[Output, ...]
    interchanges: tuple[Interchange, ...]
    setting: str
    record: str
    window: float = 0.0
    history: HistoryRun | None = None
    duplicate_of: Duplicate | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """All that the ledger knows of a file; `numbers` are the control numbers of its answer."""

    file: File
    outputs: tuple[Output, ...]
    interchanges: tuple[Interchange, ...]
    numbers: tuple[tuple[Draw, int], ...]
    record: str | None

    def as_json(self) -> dict[str, Any]:
        """As JSON has it, with the names of the fields."""
        said = asdict(self.file)
        said["outputs"] = [asdict(one) for one in self.outputs]
        said["interchanges"] = [
            {**one.key._asdict(), "verdict": one.verdict, "groups": [asdict(group) for group in one.groups]}
            for one in self.interchanges
        ]
        said["numbers"] = [{**wanted._asdict(), "number": number} for wanted, number in self.numbers]
        said["record"] = self.record
        return said


class Purged(NamedTuple):
    """How many files were deleted from the ledger, and how many from its history."""

    files: int
    history: int


class PartnerAnswers(NamedTuple):
    """What a partner was answered since some time: files, duplicates among them, transactions."""

    partner: str
    files: int
    duplicates: int
    transactions: int
    accepted: int
    last: float


@dataclass(frozen=True, slots=True)
class Counts:
    """The state of things at `now`.

    states         files in each state
    oldest_seen    when the file was seen that waits longest, None where none waits
    expired        files whose owner let the lease end
    unsettled      failed files that nobody has settled
    other_content  duplicates by control number alone, with other content, that nobody has settled
    last_answered  None where nothing was
    unpublished    when the answer was made that waits longest to appear, None where none waits
    ahead          seconds by which the newest time in the ledger is ahead of the clock; 0 below an hour
    """

    now: float
    states: dict[State, int]
    oldest_seen: float | None
    expired: int
    unsettled: int
    other_content: int
    last_answered: float | None
    unpublished: float | None
    ahead: float = 0.0
