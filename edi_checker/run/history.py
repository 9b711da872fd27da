"""The history of one input out of a ledger: what earlier files billed, and what this file is to leave in it.

    past = ledger.past(sha256)
    history = InputHistory(secret, lambda: ledger, received, past=past, keeps=True, exact=False)
    check_input(..., history=history)
    ledger.answer(mine, Answer(..., history=history.run()))

`answer` raises Overtaken where a file was answered meanwhile that has to do with this one: the whole input is
then checked again with a new InputHistory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from edi_checker.facts import HistoryUnreadable
from edi_checker.facts.history import ClaimHistory, Row
from edi_checker.files.inputs import Input
from edi_checker.state import (
    NO_CLAIM,
    AlreadyAnswered,
    Answer,
    Entry,
    Found,
    HistoryRun,
    Overtaken,
    Past,
    Secret,
    StateError,
    open_ledger,
)

if TYPE_CHECKING:
    from edi_checker.state.ledger import Ledger

T = TypeVar("T")

MOST_TRIES = 5  # checks of an input that others overtake, after which it is given up
_LEASE = 60.0


class Asked(NamedTuple):
    """The keys that were asked for a range of an input, and the lines under those that have any."""

    keys: frozenset[bytes]
    found: dict[bytes, Sequence[Found]]


class Opener:
    """The ledger of this process, opened when it is first used. Raises StateError."""

    def __init__(self, source: HistorySource) -> None:
        self._source = source
        self._ledger: Ledger | None = None

    def __call__(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._source.open()
        return self._ledger

    def let_go(self) -> None:
        """Close all connections; the next use opens new ones."""
        if self._ledger is not None:
            self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()


class InputHistory(ClaimHistory):
    """The history as one input meets it: a snapshot, without files of the same content.

    `ledger` gives the one of this process. `received` is the day of the input, CCYYMMDD. `past` is what it
    is held against; None takes that when the input is begun. `keeps`, `notes` and `exact` as of ClaimHistory.
    `failed` says why it could not be read, "" where it could.
    """

    def __init__(
        self,
        secret: Secret,
        ledger: Callable[[], Ledger],
        received: int,
        *,
        past: Past | None = None,
        keeps: bool = False,
        notes: bool = False,
        exact: bool = True,
    ) -> None:
        super().__init__(secret, self._find, received, keeps=keeps, notes=notes, exact=exact)
        self._fingerprint = secret.fingerprint
        self._ledger = ledger
        self.past = past
        self.failed = ""
        self._learnt = Asked(frozenset(), {})
        self._found: dict[bytes, Sequence[Found]] = {}
        self._of_file: dict[bytes, list[Row]] = {}  # what the inputs before leave, of the same file

    def begin(self, source: Input) -> None:
        """Take the history as it is now, for this input, the first of its file or a further one. Raises
        Unreadable and HistoryUnreadable.
        """
        for row in self.turn() if self.keeps else ():
            self._of_file.setdefault(row.key, []).append(row)
        if self.past is None:
            with source.open() as reading:
                while reading.read():
                    pass
                sha256 = reading.digest()
            self.past = self._reading(lambda: self._ledger().past(sha256 or ""))

    def run(self) -> HistoryRun:
        """What the input leaves and what its check rests on, once all of it was checked."""
        assert self.past is not None
        assert self.asked is not None
        entries = [Entry(*row) for row in self.rows()]
        return HistoryRun(self._fingerprint, self.past.snapshot, frozenset(self.asked), entries)

    def asked_so_far(self) -> Asked:
        """What was asked, for `learn` in another process."""
        return Asked(frozenset(self.asked or ()), self._found)

    def learn(self, asked: Asked) -> None:
        """The next range was asked for these keys: they need not be looked up again."""
        self._learnt = asked
        self.forget_days()
        if self.asked is not None:
            self.asked.update(asked.keys)

    def _find(self, keys: Collection[bytes]) -> Mapping[bytes, Sequence[Found]]:
        known: dict[bytes, Sequence[Found]] = {}
        new = keys
        if self._learnt.keys:
            known = {key: self._learnt.found.get(key, ()) for key in keys if key in self._learnt.keys}
            new = [key for key in keys if key not in known]
        if not new:
            return known
        past = self.past
        assert past is not None
        found = self._reading(lambda: self._ledger().find_history(past, new))
        if self.asked is not None:
            self._found.update(found)
        if self._of_file:
            of_file = {key: self._of_file[key] for key in new if key in self._of_file}
            found = {**found, **{key: _behind(found.get(key, ()), rows) for key, rows in of_file.items()}}
        return {**known, **found}

    def _reading(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except StateError as error:
            self.failed = f"the history cannot be read: {error}"
            raise HistoryUnreadable(self.failed) from error
        except Exception as error:
            # What a page holds was read by nobody before: any error may come of damage.
            self.failed = f"the history is damaged ({type(error).__name__})"
            raise HistoryUnreadable(self.failed) from error


def _behind(found: Sequence[Found], rows: Iterable[Row]) -> list[Found]:
    """The lines of a key with those that stand behind them."""
    lines = list(found)
    for row in rows:
        if not row.void:
            lines.append(Found(0, row.place, row.claim, row.packed))
        elif row.claim == NO_CLAIM:
            lines = [line._replace(doubtful=True) for line in lines]
        else:
            lines = [line for line in lines if line.claim != row.claim]
    return lines


@dataclass(frozen=True, slots=True)
class HistorySource:
    """Where the history is, for any process: each opens it for itself.

    keeps  whether the claims of the inputs are remembered for later files
    clock  seconds since the epoch
    """

    url: str
    secret: Secret
    keeps: bool
    clock: Callable[[], float]

    def open(self) -> Ledger:
        """Raises StateError."""
        return open_ledger(self.url, self.clock)

    def begin(self, ledger: Callable[[], Ledger], received: int) -> InputHistory:
        """The history for the next input, a whole one."""
        return InputHistory(self.secret, ledger, received, keeps=self.keeps)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A file whose claims are to be remembered; `size` and `mtime_ns` as of the ledger."""

    name: str
    size: int
    sha256: str
    setting: str
    run: HistoryRun


def remember(ledger: Ledger, owner: str, leaving: Leaving) -> None:
    """Put a file that was checked without the ledger into it, as answered and done.

    A file of the same content that was remembered before gives way to it. Raises Overtaken, StateError.
    """
    first = _first_of(ledger, leaving.sha256)
    if first is None and not list(leaving.run.entries):
        # Perhaps just because what it was held against is no longer so.
        ledger.hold_history(leaving.sha256, leaving.run)
        return
    noted = ledger.note("", leaving.name, leaving.size, 0, replay_of=first)
    mine = ledger.take(owner, _LEASE, noted.id)
    if mine is None:
        raise StateError(f"another run is at work on a file named {leaving.name}")
    said = Answer(leaving.sha256, (), (), leaving.setting, "{}", history=leaving.run)
    try:
        mine = ledger.answer(mine, said)
    except (AlreadyAnswered, Overtaken):
        ledger.vanish(mine)
        raise
    ledger.finish(mine)


def _first_of(ledger: Ledger, sha256: str) -> int | None:
    """The file that was answered first with this content."""
    same = [file for file in ledger.list_files(sha256=sha256, limit=1_000) if file.answered_at is not None]
    origins = [file.replay_of or file.id for file in same]
    return min(origins, default=None)
