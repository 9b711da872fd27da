"""Worker processes and the foreman who forks them: a worker that dies or takes too long costs one request.

A worker remembers what it worked out of claims, to be quick. One that has grown by it says so with its reply
and leaves, and a new one, that knows nothing, takes its place.

The foreman is forked before the server has threads, and has none himself: he can fork a worker at any time. A
worker speaks with the server over a socket of its own, which the foreman hands over; contents pass as open
files without a name.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

MOST_FILES = 22  # that pass with one request: what was sent, and where the answer goes
LONGEST = 1 << 16  # bytes of a request or reply, without contents
LEAVES = "leaves"  # in a reply: the worker takes no other request
BEGUN = b"+\n"  # what a worker says first of a request: without it another one can take it
_MOST_GROWN = 96 << 20  # bytes of memory beyond those of its start with which a worker still goes on
_EVERY = 0.5  # seconds between two looks at which workers are gone

# Takes a request and its open files, of which the last one takes the answer, and says what the answer is.
Work = Callable[[dict[str, Any], list[IO[bytes]]], dict[str, Any]]


class Foreman:
    """The server's end of the foreman: asks him for workers, and ends him."""

    def __init__(self, size: int, work: Work, foreign: list[socket.socket]) -> None:
        """Fork him, with so many workers to come. `foreign` are sockets that are not for them."""
        self.size = size
        here, there = socket.socketpair()
        self._folder = Path(tempfile.mkdtemp(prefix="edi-checker-serve-"))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        gc.collect()
        gc.freeze()  # a collection in a worker would copy every page that it shares
        self._pid = os.fork()
        if self._pid == 0:
            _leave_after(lambda: _lead(there, [here, *foreign], self._folder, size, work))
        there.close()
        here.setblocking(False)
        self.socket = here

    def replace(self, pid: int) -> None:
        """Ask him to kill this worker, if it is still there, and to fork another one."""
        with contextlib.suppress(OSError):
            self.socket.send(f"{pid}\n".encode())

    def stop(self) -> None:
        """End him and all workers, also in the middle of a request."""
        self.socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        # He does it, unless he was killed.
        shutil.rmtree(self._folder, ignore_errors=True)


def take_worker(channel: socket.socket) -> tuple[int, socket.socket] | None:
    """The next worker that the foreman hands over: process id and socket; None where he is gone.

    Raises BlockingIOError where there is none now.
    """
    said, handles, _, _ = socket.recv_fds(channel, 4, 1)
    if not said or not handles:
        return None
    worker = socket.socket(fileno=handles[0])
    worker.setblocking(False)
    return int.from_bytes(said, "big"), worker


def _leave_after(duty: Callable[[], None]) -> NoReturn:
    """The life of a forked process: its duty, and no way back into what its parent was doing."""
    code = 1
    try:
        duty()
        code = 0
    finally:
        os._exit(code)


# -- the foreman


def _lead(channel: socket.socket, foreign: list[socket.socket], folder: Path, size: int, work: Work) -> None:
    """Keep up the number of workers until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the server says when it is over
    for each in foreign:
        each.close()
    workers: dict[int, Path] = {}
    count = asked = 0
    text = b""
    try:
        while True:
            while len(workers) < size:
                count += 1
                own = folder / str(count)
                own.mkdir(0o700)
                workers[_fork(channel, own, work)] = own
            if select.select([channel], [], [], _EVERY)[0]:
                data = channel.recv(4096)
                if not data:
                    return
                *lines, text = (text + data).split(b"\n")
                for line in lines:
                    asked = int(line)
                    if asked in workers:
                        os.kill(asked, signal.SIGKILL)
                        os.waitpid(asked, 0)
                        shutil.rmtree(workers.pop(asked), ignore_errors=True)
            _bury(workers)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(folder, ignore_errors=True)


def _bury(workers: dict[int, Path]) -> None:
    """Forget the workers that are gone, and what they left in their folders."""
    for pid in list(workers):
        if os.waitpid(pid, os.WNOHANG)[0]:
            shutil.rmtree(workers.pop(pid), ignore_errors=True)


def _fork(channel: socket.socket, folder: Path, work: Work) -> int:
    """Fork a worker and hand its socket to the server."""
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        here.close()
        channel.close()
        _leave_after(lambda: _serve(there, folder, work))
    there.close()
    with here:
        socket.send_fds(channel, [pid.to_bytes(4, "big")], [here.fileno()])
    return pid


# -- a worker


def _serve(channel: socket.socket, folder: Path, work: Work) -> None:
    """One request after the other, until the server is gone."""
    tempfile.tempdir = str(folder)
    os.environ["SQLITE_TMPDIR"] = str(folder)
    most = _resident() + _MOST_GROWN
    leaves = False
    while not leaves:
        text, handles = b"", array.array("i")
        while not text.endswith(b"\n"):
            data, some, _, _ = socket.recv_fds(channel, LONGEST, MOST_FILES)
            if not data:
                return
            text += data
            handles.extend(some)
        files: list[IO[bytes]] = [os.fdopen(handle, "r+b") for handle in handles]
        channel.sendall(BEGUN)
        try:
            reply = work(json.loads(text), files)
        finally:
            for file in files:
                file.close()
        leaves = _resident() > most
        channel.sendall(json.dumps({**reply, LEAVES: leaves}).encode() + b"\n")


def _resident() -> int:
    """Bytes of memory of this process that are not on the disk as well."""
    resident, on_disk = Path("/proc/self/statm").read_text().split()[1:3]
    return (int(resident) - int(on_disk)) * resource.getpagesize()
