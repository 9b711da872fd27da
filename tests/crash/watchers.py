"""The watchers of one blow, and their ledger."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import time
from pathlib import Path

from edi_checker.state import Details, State, open_ledger
from fuse_mount import Mount
from judge import Places, Verdict
from ledgers import Cluster, find_postgresql
from run_watch import Blow, Counts, start

PATIENCE = 60.0  # seconds that a watcher may take for five files
_LEASE = 2  # seconds


def watch_words(places: Places, url: str, *, once: bool, workers: int = 1) -> list[str]:
    """The command line of a watcher."""
    return [
        *("watch", str(places.inbox), "--out-dir", str(places.out), "--archive", str(places.archive)),
        *("--state", url, "--workers", str(workers), "--settle", "0s", "--every", "0.1s"),
        *("--lease", f"{_LEASE}s", "--profile", "medicare", *(["--once"] if once else [])),
    ]


class Run:
    """One blow: a folder, its ledger, watchers that come and go, and the partner."""

    def __init__(self, base: Path, url: str, log: Path, wrong: str | None) -> None:
        self._wrong = wrong
        self.places = Places(base)
        self._url = url
        self.log = log
        self._running: dict[int, Counts] = {}

    def start(self, *, once: bool, workers: int = 2, blow: Blow | None = None) -> Counts:
        counts = Counts()
        words = watch_words(self.places, self._url, once=once, workers=workers)
        self._running[start(words, self.log, counts, blow, self._wrong)] = counts
        return counts

    def is_running(self, counts: Counts) -> bool:
        """Whether the watcher whose calls are counted so has not ended."""
        return counts in self._running.values()

    def wait(self, seconds: float, mount: Mount | None = None) -> list[int]:
        """Until all watchers have ended or so long; the exit codes of those that have, -9 for a kill.

        Ends all at once where the power fails.
        """
        codes = []
        end = time.monotonic() + seconds
        while self._running and time.monotonic() < end:
            if mount is not None and mount.is_over():
                self.kill()
                break
            for pid in list(self._running):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del self._running[pid]
                    codes.append(os.waitstatus_to_exitcode(status))
            time.sleep(0.005)
        return codes

    def kill(self) -> None:
        """All watchers and their workers die at once."""
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._running.clear()

    def tell(self, number: int) -> None:
        for pid in self._running:
            os.kill(pid, number)

    def rows(self) -> list[Details]:
        with open_ledger(self._url, time.time) as ledger:
            found = [ledger.show(file.id) for file in ledger.list_files(limit=1000)]
        return [row for row in found if row is not None]

    def is_idle(self) -> bool:
        """Whether nothing lies in the inbox or is at work."""
        folders = (self.places.inbox, self.places.archive / ".work", self.places.archive / ".stage")
        return not any(path for folder in folders for path in folder.rglob("*") if not path.is_dir())

    def finish(self, verdict: Verdict) -> None:
        """Watchers without a blow, until all is answered.

        Workers whose watcher was killed alone finish what they have in hand; the next watcher waits for that.
        """
        if self._url.startswith("postgresql"):
            time.sleep(_LEASE)  # nobody knows that those who have the files are dead
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.start(once=True)
            codes = self.wait(PATIENCE)
            if self._running:
                verdict.add("lost", f"watch --once did not end in {PATIENCE:.0f} seconds")
                self.kill()
                return
            if codes != [0] and "another watcher is at work" not in self.last_words():
                verdict.add("lost", f"watch --once ended with {codes}: {self.last_words()}")
                return
            if codes == [0] and self.is_idle() and not self._waiting():
                return
            time.sleep(0.2)
        verdict.add("lost", "files wait, and watch --once takes none of them")

    def _waiting(self) -> bool:
        return any(row.file.state in (State.SEEN, State.CLAIMED, State.ANSWERED) for row in self.rows())

    def last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-3:])


class Stores:
    """A fresh ledger for each run, most of them copies of one that is empty."""

    def __init__(self, store: str, base: Path) -> None:
        self._base = base
        self._made = itertools.count()
        self.cluster: Cluster | None = None
        if store == "postgresql":
            binaries = find_postgresql()
            if binaries is None:
                raise SystemExit("PostgreSQL is not installed")
            self.cluster = Cluster(binaries)
            self._empty = self.cluster.make()
        else:
            (base / "empty").mkdir()
            self._empty = str(base / "empty" / "ledger.db")
        with open_ledger(self._empty, time.time):
            pass

    def close(self) -> None:
        if self.cluster is not None:
            self.cluster.close()

    def make(self, places: Places, *, empty: bool) -> str:
        """The URL of a ledger; without `empty`, of one that is not there yet."""
        if self.cluster is not None:
            return self._make_database()
        if empty:
            shutil.copy(self._empty, places.ledger)
        return f"sqlite:///{places.ledger}"

    def content(self) -> bytes:
        """An empty ledger in SQLite."""
        return Path(self._empty).read_bytes()

    def _make_database(self) -> str:
        import psycopg

        name = f"run{next(self._made)}"
        with psycopg.connect(self._empty.replace("/ledger1?", "/postgres?"), autocommit=True) as connection:
            if name != "run0":
                connection.execute(f"DROP DATABASE IF EXISTS run{int(name[3:]) - 1} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE ledger1")
        return self._empty.replace("/ledger1?", f"/{name}?")
