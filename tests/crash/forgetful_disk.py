"""A disk that forgets in a power cut: data without fsync of the file, names without fsync of the folder."""

from __future__ import annotations

import errno
import itertools
import os
import random
import stat
import time
from dataclasses import dataclass, field

ROOT = 1


@dataclass(eq=False)
class Change:
    """A change to a folder: names and what they then are, None where they are gone.

    after  what it must not be kept without: where a file was moved, its new name before the old one is gone
    """

    names: dict[str, int | None]
    after: Change | None = None


@dataclass(eq=False)
class Node:
    """A file or a folder: as it is, as it was last flushed, and what was done since."""

    mode: int
    links: int = 0
    changed_ns: int = field(default_factory=time.time_ns)

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


@dataclass(eq=False)
class File(Node):
    """pending  writes as (offset, bytes), cuts to a size as (size, None)"""

    live: bytearray = field(default_factory=bytearray)
    kept: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


@dataclass(eq=False)
class Folder(Node):
    live: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)


class Disk:
    """Nodes by number; a number is never used again. All raise OSError as the system's own calls do."""

    def __init__(self) -> None:
        self.nodes: dict[int, File | Folder] = {ROOT: Folder(stat.S_IFDIR | 0o700, links=1)}
        self._numbers = itertools.count(ROOT + 1)

    # -- what programs do

    def find(self, folder: int, name: str) -> int:
        found = self.folder(folder).live.get(name)
        if found is None:
            raise OSError(errno.ENOENT, name)
        return found

    def make(self, folder: int, name: str, mode: int) -> int:
        """A new file or folder, as its mode says."""
        if name in self.folder(folder).live:
            raise OSError(errno.EEXIST, name)
        number = next(self._numbers)
        self.nodes[number] = Folder(mode) if stat.S_ISDIR(mode) else File(mode)
        self._change(folder, Change({name: number}))
        return number

    def link(self, folder: int, name: str, number: int) -> None:
        if name in self.folder(folder).live:
            raise OSError(errno.EEXIST, name)
        self._change(folder, Change({name: number}))

    def remove(self, folder: int, name: str) -> None:
        node = self.nodes[self.find(folder, name)]
        if isinstance(node, Folder) and node.live:
            raise OSError(errno.ENOTEMPTY, name)
        self._change(folder, Change({name: None}))

    def rename(self, old_folder: int, old: str, new_folder: int, new: str) -> None:
        number = self.find(old_folder, old)
        there = self.folder(new_folder).live.get(new)
        if there == number:
            return  # as POSIX has it: two names of one file stay
        if there is not None:
            target = self.nodes[there]
            if isinstance(target, Folder) and target.live:
                raise OSError(errno.ENOTEMPTY, new)
        if old_folder == new_folder:
            self._change(old_folder, Change({old: None, new: number}))
            return
        arrival = Change({new: number})
        self._change(new_folder, arrival)
        self._change(old_folder, Change({old: None}, after=arrival))

    def write(self, number: int, offset: int, data: bytes) -> None:
        file = self.file(number)
        _apply(file.live, offset, data)
        file.pending.append((offset, data))
        file.changed_ns = time.time_ns()

    def resize(self, number: int, size: int) -> None:
        file = self.file(number)
        _apply(file.live, size, None)
        file.pending.append((size, None))
        file.changed_ns = time.time_ns()

    def flush(self, number: int) -> None:
        """As fsync, of a file or of a folder."""
        node = self.nodes[number]
        if isinstance(node, File):
            for place, data in node.pending:
                _apply(node.kept, place, data)
        else:
            for change in node.pending:
                _rename(node.kept, change)
        node.pending.clear()

    def folder(self, number: int) -> Folder:
        node = self.nodes[number]
        if not isinstance(node, Folder):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return node

    def file(self, number: int) -> File:
        node = self.nodes[number]
        if not isinstance(node, File):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        return node

    def _change(self, number: int, change: Change) -> None:
        folder = self.folder(number)
        for name, new in change.names.items():
            if (gone := folder.live.get(name)) is not None:
                self.nodes[gone].links -= 1
            if new is not None:
                self.nodes[new].links += 1
        _rename(folder.live, change)
        folder.pending.append(change)
        folder.changed_ns = time.time_ns()

    # -- what a cut does

    def settle(self) -> None:
        """Flush everything, as a system does that is shut down."""
        for number in self.nodes:
            self.flush(number)

    def cut(self, chance: random.Random) -> None:
        """Forget what was not flushed; which part of it stays all the same is left to chance.

        Of the changes to a folder the first ones stay, of the writes to a file any. What was moved and
        flushed at neither end is at one end or at both.
        """
        how = chance.choice(["nothing", "names without data", "some", "some"])
        whole = {"nothing": 0.0, "names without data": 1.0}.get(how)
        stay: dict[Change, bool] = {}
        for node in self.nodes.values():
            if isinstance(node, Folder):
                share = chance.choice([0, 1, chance.random()]) if whole is None else whole
                count = round(share * len(node.pending))
                stay.update((change, place < count) for place, change in enumerate(node.pending))
        while self._keep_pairs(stay):
            pass
        for node in self.nodes.values():
            if isinstance(node, Folder):
                for change in node.pending:
                    if stay[change]:
                        _rename(node.kept, change)
                node.live = dict(node.kept)
            else:
                share = chance.choice([0, 1, 0.5]) if how == "some" else 0
                for place, data in node.pending:
                    if chance.random() < share:
                        _apply(node.kept, place, data)
                node.live = bytearray(node.kept)
            node.pending.clear()
        self._drop_unnamed()

    def _keep_pairs(self, stay: dict[Change, bool]) -> bool:
        """Whether a change had to be given up because the one that it needs is."""
        for node in self.nodes.values():
            if isinstance(node, Folder):
                for place, change in enumerate(node.pending):
                    if stay[change] and change.after is not None and not stay.get(change.after, True):
                        stay.update(dict.fromkeys(node.pending[place:], False))
                        return True
        return False

    def _drop_unnamed(self) -> None:
        for node in self.nodes.values():
            node.links = 0
        self.nodes[ROOT].links = 1
        seen, rest = {ROOT}, [ROOT]
        while rest:
            node = self.nodes[rest.pop()]
            if isinstance(node, Folder):
                for number in node.live.values():
                    self.nodes[number].links += 1
                    if number not in seen:
                        seen.add(number)
                        rest.append(number)
        self.nodes = {number: node for number, node in self.nodes.items() if number in seen}


def _apply(data: bytearray, place: int, written: bytes | None) -> None:
    """One write, or a cut to a size."""
    end = place if written is None else place + len(written)
    if written is None:
        del data[place:]
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    if written is not None:
        data[place:end] = written


def _rename(names: dict[str, int], change: Change) -> None:
    for name, number in change.names.items():
        if number is None:
            names.pop(name, None)
        else:
            names[name] = number
