"""Ledgers for tests: SQLite in a temporary folder, and PostgreSQL in a private cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_BINARIES = [Path("/usr/lib/postgresql"), Path("/usr/local/lib/postgresql")]


MORNING = 1_795_680_000.0  # 2026-11-26 08:00:00 UTC


class Clock:
    """A clock that a test sets."""

    def __init__(self, now=1_800_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


class Cluster:
    """A PostgreSQL that listens on a socket in its own folder alone, as a user who is not root."""

    def __init__(self, binaries):
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="edi-pg-"))  # a socket's path is at most 107 bytes
        self._made = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale")
        self._control("start")

    def make(self):
        """The URL of an empty database."""
        self._made += 1
        name = f"ledger{self._made}"
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def restart(self):
        """As after a crash: nothing is written that was not on the disk."""
        self._control("restart", "-m", "immediate")

    def close(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *words):
        options = f"-c listen_addresses='' -k {self.folder}"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, *words)

    def _run(self, program, *words):
        command = [str(self._binaries / program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(
            command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def find_postgresql():
    """The folder of the newest PostgreSQL's programs, None where it is not installed."""
    found = [file.parent for folder in _BINARIES for file in folder.glob("*/bin/initdb")]
    if (program := shutil.which("initdb")) is not None:
        found.append(Path(program).parent)
    return max(found, default=None, key=lambda folder: (folder.parent.name.isdigit(), folder.parent.name))
