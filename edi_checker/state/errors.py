"""What can go wrong with the ledger, in words for the one who runs it."""

from __future__ import annotations

from collections.abc import Collection

from edi_checker.state.records import Duplicate


class StateError(Exception):
    """The ledger cannot be opened, read or written; the text says why and holds no password."""


class Fenced(StateError):
    """The file is not this owner's any more, or not in a state in which this can be done to it.

    Whoever gets it stops working on the file and publishes nothing.
    """


class AlreadyAnswered(StateError):
    """Another file with the same content or control number was answered while this one was checked."""

    def __init__(self, duplicate: Duplicate) -> None:
        super().__init__(f"file {duplicate.of} with the same {duplicate.by} was answered first")
        self.duplicate = duplicate


class Overtaken(StateError):
    """Files that were answered since the snapshot have lines under `keys`, which this file was held against.

    Check the claims that asked for these keys again, with a new snapshot, and answer then.
    """

    def __init__(self, keys: Collection[bytes]) -> None:
        super().__init__(f"{len(keys)} keys of the history have changed since it was read")
        self.keys = frozenset(keys)
