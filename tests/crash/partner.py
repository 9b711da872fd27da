"""The partner: sends files, looks into `out` all the time, and collects some answers at once."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import pickle
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Sent(NamedTuple):
    """A file for the inbox; `wait` seconds after the partner has begun."""

    partner: str
    name: str
    content: bytes
    wait: float = 0.0

    @property
    def place(self) -> str:
        return f"{self.partner}/{self.name}" if self.partner else self.name


@dataclass
class Collected:
    """What the partner saw and took of each file in `out`, by its path there, as SHA-256.

    seen      all contents that ever stood under this name, also for a moment
    taken     one for each time that it was collected
    contents  by SHA-256
    """

    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contents: dict[str, bytes] = field(default_factory=dict)


def drop(inbox: Path, sent: Sent) -> None:
    """Put a file into the inbox as a good sender does: written beside it, flushed and renamed."""
    place = inbox / sent.place
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{sent.name}.part")
    beside.write_bytes(sent.content)
    beside.rename(place)


class Partner:
    """A process of its own, as partners are."""

    def __init__(self, inbox: Path, out: Path, sends: Sequence[Sent], seed: int, pause: float) -> None:
        handle, log = tempfile.mkstemp()
        os.close(handle)
        self._log = Path(log)
        self._done = mmap.mmap(-1, 1)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _Eyes(inbox, out, sends, seed, pause, self._done).watch(self._log)
            finally:
                os._exit(0)

    def has_sent(self) -> bool:
        """Whether all files are in the inbox."""
        return self._done[0] == 1

    def stop(self) -> Collected:
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        collected = pickle.loads(self._log.read_bytes())
        self._log.unlink()
        assert isinstance(collected, Collected)
        return collected


class _Eyes:
    def __init__(
        self, inbox: Path, out: Path, sends: Sequence[Sent], seed: int, pause: float, done: mmap.mmap
    ) -> None:
        self._done = done
        self._inbox = inbox
        self._out = out
        self._sends = sorted(sends, key=lambda sent: sent.wait)
        self._seed = seed
        self._pause = pause
        self._known: dict[str, tuple[int, int, int]] = {}
        self._collected = Collected()
        self._stopped = False

    def watch(self, log: Path) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        begun = time.monotonic()
        while not self._stopped:
            while self._sends and time.monotonic() - begun >= self._sends[0].wait:
                drop(self._inbox, self._sends.pop(0))
            if not self._sends:
                self._done[0] = 1
            with contextlib.suppress(OSError):  # the power has failed
                self._look(self._out, "")
            time.sleep(self._pause)
        log.write_bytes(pickle.dumps(self._collected))

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _look(self, folder: Path, before: str) -> None:
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                self._look(folder / entry.name, f"{entry.name}/")
            else:
                with contextlib.suppress(FileNotFoundError):
                    self._look_at(Path(entry.path), before + entry.name)

    def _look_at(self, path: Path, name: str) -> None:
        found = path.stat()
        known = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._known.get(name) == known:
            return
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self._collected.contents[digest] = content
        self._collected.seen[name].add(digest)
        self._known[name] = known
        if hashlib.sha256(f"{self._seed}/{name}".encode()).digest()[0] % 2:
            path.unlink()
            self._collected.taken[name].append(digest)
            del self._known[name]
