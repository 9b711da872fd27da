"""The ledger: what became of each file, one transaction a step.

Leases go by the ledger's time: the later of the clock and of the latest time that anything in the ledger was
written at. Where a clock is set back a little, this time stands still until the clock has caught up: no lease
ends early, and none is given that has ended. Where one is set forward, leases end early: their owners are
fenced out, and the files are checked again. A latest time that is far ahead of the clock is left out of it: a
clock that was wrong once must not hold up all that comes later.

When a file was seen and answered, what is within a window and what is old go by the clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection

from edi_checker.state import by_hand, files, history, knowledge, numbers
from edi_checker.state.keys import Secret
from edi_checker.state.records import (
    Answer,
    Counts,
    Details,
    Draw,
    Duplicate,
    File,
    Found,
    HistoryRun,
    InterchangeKey,
    PartnerAnswers,
    Past,
    Purged,
    State,
)
from edi_checker.state.store import Store

_APART = 3600.0  # seconds that clocks of several machines, or one that is set right, may lie apart
_OWNED = (State.CLAIMED, State.ANSWERED)
_WAITING: dict[str, Any] = {"state": State.SEEN, "owner": None, "lease_until": None}


class Ledger:
    """Not to be used by a process that was forked after it was opened: that one opens its own.

    A method that is given a `File` acts for its owner: it raises Fenced where the file has changed hands
    since, or is in a state in which the step makes no sense. All raise StateError where the database fails;
    whether the step was then taken is unknown until the file is read again.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._reader = history.Reader()

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def now(self) -> float:
        """The ledger's time."""
        with self._store.reading() as connection:
            return self._now(connection)

    def hold(self) -> None:
        """Raises StateError where its file was deleted or replaced since it was opened."""
        self._store.hold()

    # -- the life of a file

    def note(
        self, partner: str, name: str, size: int, mtime_ns: int, *, replay_of: int | None = None
    ) -> File:
        """Note a file; where one of this partner and name is not finished yet, that one is returned."""
        with self._store.writing() as connection:
            when = self._clock(), self._now(connection)
            return files.note(connection, (partner, name), size, mtime_ns, when, replay_of)

    def note_again(self, of: File, wait: float) -> File:
        """Note a file whose content is to be answered again, not taken before so many seconds are over;
        where it is noted for that and not finished yet, that one is returned.

        Raises StateError where another file of its partner and name is not finished.
        """
        with self._store.writing() as connection:
            now = self._now(connection)
            return files.note_again(connection, of, (self._clock(), now), now + wait)

    def begin(
        self, partner: str, name: str, size: int, mtime_ns: int, owner: str, lease: float
    ) -> File | None:
        """Note a file and claim it at once; None where one of this partner and name is another owner's."""
        with self._store.writing() as connection:
            now = self._now(connection)
            noted = files.note(connection, (partner, name), size, mtime_ns, (self._clock(), now))
            return files.take(connection, now, owner, lease, noted.id)

    def take(self, owner: str, lease: float, file_id: int | None = None) -> File | None:
        """Take a file that waits or whose lease is over, the oldest or the one that is named.

        Its state says where to go on: CLAIMED from the start, ANSWERED with publishing.
        """
        with self._store.writing() as connection:
            return files.take(connection, self._now(connection), owner, lease, file_id)

    def list_waiting(self, limit: int) -> list[int]:
        """Ids of files that can be taken, the oldest first."""
        with self._store.reading() as connection:
            return files.list_waiting(connection, self._now(connection), limit)

    def list_pending(self, partner: str) -> list[str]:
        """The names of answers to a partner's files that are committed and not all published."""
        with self._store.reading() as connection:
            return files.list_pending(connection, partner)

    def give_up(self, owner: str, reason: str, again_in: float, most: int) -> list[File]:
        """Take from an owner who is dead what it has; gives those that are FAILED, after `most` tries.

        What is answered can be taken at once, what is claimed after so many seconds.
        """
        with self._store.writing() as connection:
            return files.give_up(connection, owner, reason, (self._now(connection), again_in), most)

    def renew(self, mine: File, lease: float, reason: str | None = None) -> File:
        """Keep a file for so many seconds; `reason` says why it goes no further."""
        with self._store.writing() as connection:
            now = self._now(connection)
            return files.change(connection, mine, _OWNED, now, lease_until=now + lease, reason=reason)

    def end_leases(self, but: str = "", *, only: str | None = None) -> int:
        """End the leases of all other owners, or of `only` one that is known to be dead; how many.

        All others are for a watcher that knows that it is alone.
        """
        with self._store.writing() as connection:
            return by_hand.end_leases(connection, self._now(connection), but, only)

    def draw_numbers(self, mine: File, wanted: Sequence[Draw]) -> list[int]:
        """Control numbers, 1 to 999,999,999, that no other file gets; the same again where it asks again.

        They are on the disk before this returns. After 999,999,999 comes 1.
        """
        with self._store.writing() as connection:
            files.hold(connection, mine, (State.CLAIMED,))
            return numbers.draw(connection, mine.id, wanted)

    def find_duplicate(
        self, mine: File, sha256: str, keys: Sequence[InterchangeKey], window: float
    ) -> Duplicate | None:
        """The file that was answered first with this content, or within the window with one of these keys."""
        with self._store.reading() as connection:
            since = self._clock() - window
            return files.find_duplicate(connection, mine, sha256, keys, since)

    def answer(self, mine: File, said: Answer) -> File:
        """Commit the answer: the point of no return. What is staged is published after this, never before.

        Raises AlreadyAnswered and Overtaken, and has then changed nothing.
        """
        prepared = None if said.history is None else history.prepare(said.history)
        with self._store.writing() as connection:
            files.hold(connection, mine, (State.CLAIMED,))
            # One answer at a time: what the next two look at must not change under them.
            number = numbers.raise_number(connection, "history")
            when = self._clock(), self._now(connection)
            answered = files.answer(connection, mine, said, when, number if prepared else None)
            if prepared is not None and said.history is not None:
                history.commit(connection, answered, said.history, prepared, self._reader, number)
            return answered

    def finish(self, mine: File) -> File:
        """All of the answer is published: DONE, or DUPLICATE where the answer said so."""
        state = State.DONE if mine.duplicate_of is None else State.DUPLICATE
        return self._end(mine, (State.ANSWERED,), state, reason=None)

    def fail(self, mine: File, reason: str, again_in: float | None = None) -> File:
        """The check failed: FAILED, or SEEN where it is to be tried again after so many seconds."""
        if again_in is None:
            # What was settled when it failed before is not settled now.
            values = {"reason": reason, "tries": mine.tries + 1, "settled_by": None}
            return self._end(mine, (State.CLAIMED,), State.FAILED, **values)
        with self._store.writing() as connection:
            now = self._now(connection)
            values = {"reason": reason, "tries": mine.tries + 1, "not_before": now + again_in}
            return files.change(connection, mine, (State.CLAIMED,), now, **_WAITING, **values)

    def release(self, mine: File, reason: str | None = None, again_in: float | None = None) -> File:
        """Put a file back that was not checked after all, without counting it as a try; for the next owner
        now, or after so many seconds.
        """
        with self._store.writing() as connection:
            now = self._now(connection)
            values = {"reason": reason, "not_before": None if again_in is None else now + again_in}
            return files.change(connection, mine, (State.CLAIMED,), now, **_WAITING, **values)

    def vanish(self, mine: File) -> File:
        """The file was taken away before it could be moved."""
        return self._end(mine, (State.SEEN, State.CLAIMED), State.VANISHED)

    # -- history

    def adopt_secret(self, secret: Secret) -> None:
        """Keep the fingerprint of the first secret; refuse any other from then on. Raises StateError."""
        with self._store.writing() as connection:
            history.adopt(connection, secret.fingerprint)

    def fingerprint(self) -> str | None:
        """That of the secret with which the history was made; None where there is no history."""
        with self._store.reading() as connection:
            return knowledge.find(connection, "fingerprint")

    def past(self, sha256: str) -> Past:
        """The history as it is now, for a file with this content: all that is answered, without itself."""
        with self._store.reading() as connection:
            return self._reader.past(connection, sha256)

    def find_history(self, past: Past, keys: Collection[bytes]) -> dict[bytes, list[Found]]:
        """The lines under each key that has any, in the order of commits and places, without what is void.

        Ask for many keys at once: those of a range of claims.
        """
        return self._reader.find(self._store, past, keys)

    def hold_history(self, sha256: str, said: HistoryRun) -> None:
        """For a file that leaves nothing: raises Overtaken where others changed what its check rests on."""
        with self._store.reading() as connection:
            history.hold(connection, sha256, said, self._reader)

    def drop_history(self, file_id: int) -> bool:
        """Leave out what a file left in the history, from now on; False where it left nothing."""
        with self._store.writing() as connection:
            dropped = history.drop(connection, file_id=file_id)
        return bool(dropped)

    def merge_history(self) -> bool:
        """Merge some runs, so that look-ups stay fast; False where nothing is to be done.

        For idle time, in any process; others go on meanwhile.
        """
        return history.merge(self._store, self._now, dropped=True) or history.merge(
            self._store, self._now, dropped=False
        )

    # -- its archive

    def archive(self) -> str | None:
        """What marks the archive to which the ledger belongs; None where it has none yet."""
        with self._store.reading() as connection:
            return knowledge.find(connection, "archive")

    def adopt_archive(self, mark: str) -> str:
        """Belong to an archive, if to none yet; the mark of that to which it belongs."""
        with self._store.writing() as connection:
            return knowledge.adopt(connection, "archive", mark)

    # -- by hand

    def settle(self, file_id: int, state: State, reason: str, by: str) -> File:
        """Say that a file is done or failed, whoever owns it; one that is answered must be published first.

        A duplicate by control number alone, of which somebody must say what it was, can only be done. Raises
        StateError.
        """
        with self._store.writing() as connection:
            return by_hand.settle(connection, self._now(connection), file_id, state, (reason, by))

    def reopen(self, file_id: int, reason: str, by: str) -> File:
        """Let a failed or vanished file wait again. Raises StateError."""
        with self._store.writing() as connection:
            return by_hand.reopen(connection, self._now(connection), file_id, (reason, by))

    def list_files(
        self,
        *,
        states: Collection[State] = (),
        partner: str | None = None,
        name: str | None = None,
        sha256: str | None = None,
        seen_since: float | None = None,
        seen_until: float | None = None,
        stuck: bool = False,
        duplicate_of: int | None = None,
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[File]:
        """Files, the newest first; `name` may have `*` and `?`, `before_id` goes on where a list ended.

        stuck  only what needs somebody: failed, or a duplicate with other content, and not settled; or with a
               lease that is over, or an answer that cannot be published
        """
        with self._store.reading() as connection:
            wanted = by_hand.Wanted(
                frozenset(states),
                partner,
                name,
                sha256,
                seen_since,
                seen_until,
                stuck,
                duplicate_of,
                before_id,
            )
            return by_hand.list_files(connection, self._now(connection), wanted, limit)

    def show(self, file_id: int) -> Details | None:
        with self._store.reading() as connection:
            return by_hand.show(connection, file_id)

    def export(self) -> Iterator[dict[str, Any]]:
        """All files, the oldest first, as JSON has them; not the history."""
        after = 0
        while True:
            with self._store.reading() as connection:
                page = by_hand.export(connection, after)
            if not page:
                return
            yield from page
            after = page[-1]["id"]

    def counts(self) -> Counts:
        with self._store.reading() as connection:
            now = self._now(connection)
            return by_hand.counts(connection, now, max(0.0, files.latest_time(connection) - now))

    def latest_time(self, until: float | None = None) -> float:
        """When a file was written to last, by whatever clock, up to a time if one is given; 0 for never."""
        with self._store.reading() as connection:
            return files.latest_time(connection, until)

    def answered_since(self, since: float) -> list[PartnerAnswers]:
        """What each partner was answered since then, by the name of the partner."""
        with self._store.reading() as connection:
            return by_hand.answered_since(connection, since)

    def list_numbers(self) -> list[tuple[str, str, str, int]]:
        """Sender, receiver, kind and last number of each counter."""
        with self._store.reading() as connection:
            return numbers.list_counters(connection)

    def skip_numbers(self, by: int) -> int:
        """Move on all counters, also those of pairs without one yet, and the ids of files; how many counters.

        After a backup was restored, which does not know what was given out since. Raises StateError.
        """
        with self._store.writing() as connection:
            return numbers.skip(connection, by)

    def count_purged(self, older_than: float) -> int:
        """How many files `purge` would delete now."""
        with self._store.reading() as connection:
            return by_hand.count_finished(connection, self._clock() - older_than)

    def purge(
        self, older_than: float, history_older_than: float | None = None, *, now: float | None = None
    ) -> Purged:
        """Delete files that were finished so many seconds ago or longer, and their history.

        The history may be kept for another time. Failed files stay until they are settled; numbers stay.
        `now` is what the caller's clock said when it was trusted; None looks at the clock.
        """
        now = self._clock() if now is None else now
        kept = older_than if history_older_than is None else history_older_than
        with self._store.writing() as connection:
            dropped = history.drop(connection, until=now - kept)
        purged = 0
        while some := self._purge_some(now - older_than):
            purged += some
        while history.merge(self._store, self._now, dropped=True):
            pass
        self._store.forget()
        return Purged(purged, dropped)

    def _purge_some(self, until: float) -> int:
        with self._store.writing() as connection:
            return by_hand.purge(connection, until)

    def backup(self, target: Path) -> None:
        """Copy a ledger in SQLite to a file that is not there yet, while others go on. Raises StateError."""
        by_hand.backup(self._store, target)

    def check(self) -> None:
        """Raises StateError where the database is damaged."""
        by_hand.check(self._store)

    def _end(self, mine: File, states: Collection[State], state: State, **values: Any) -> File:
        with self._store.writing() as connection:
            now = self._now(connection)
            ended = {"state": state, "owner": None, "lease_until": None, "finished_at": now}
            return files.change(connection, mine, states, now, **ended, **values)

    def _now(self, connection: Connection) -> float:
        clock, latest = self._clock(), files.latest_time(connection)
        return clock if latest > clock + _APART else max(clock, latest)
