"""The workers as the server sees them: who waits for one, how long it may take, what becomes of a death."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import tempfile
from dataclasses import dataclass
from typing import IO, Any

from edi_checker.serve.crew import BEGUN, LEAVES, LONGEST, Foreman, take_worker


class Busy(Exception):
    """All workers are at work, and as many requests wait as may."""


class TookTooLong(Exception):
    """A worker was killed because a request took longer than it may."""


class Died(Exception):
    """The process that worked on a request is gone."""


class _NotBegun(Exception):
    """The process was gone before it had the request."""


class ForemanGone(Exception):
    """There will be no more workers."""


@dataclass(frozen=True, slots=True)
class _Worker:
    pid: int
    socket: socket.socket


class Pool:
    """Gives each request to a worker that is idle, first come, first served.

    At most `waiting` requests wait. One that takes longer than `seconds` is given up and its worker killed.
    """

    def __init__(self, foreman: Foreman, seconds: float, waiting: int) -> None:
        self._foreman = foreman
        self._seconds = seconds
        self._most_waiting = waiting
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._known: dict[int, _Worker] = {}
        self.waiting = self.busy = self.deaths = self.renewals = 0
        self.lost = asyncio.Event()

    def open(self) -> None:
        """Take the workers as they come; called in the event loop."""
        asyncio.get_running_loop().add_reader(self._foreman.socket, self._take)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._foreman.socket)
        for worker in self._known.values():
            worker.socket.close()

    @property
    def full(self) -> bool:
        """Whether a request that came now would be sent away."""
        return self._idle.empty() and self.waiting >= self._most_waiting

    async def do(self, request: dict[str, Any], files: list[IO[bytes]]) -> tuple[dict[str, Any], IO[bytes]]:
        """What the worker replies, and the file with its answer, which the caller closes.

        Raises Busy, TookTooLong, Died, ForemanGone.
        """
        answer = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
        try:
            return await self._do(request, [*files, answer]), answer
        except BaseException:
            answer.close()
            raise

    async def _do(self, request: dict[str, Any], files: list[IO[bytes]]) -> dict[str, Any]:
        text = json.dumps(request).encode() + b"\n"
        if len(text) > LONGEST:
            raise ValueError("the request is too long")
        while True:
            worker = await self._wait()
            self.busy += 1
            try:
                async with asyncio.timeout(self._seconds):
                    reply = await _ask(worker.socket, text, files)
            except BaseException as error:
                self.deaths += 1
                self._part_from(worker)
                if isinstance(error, _NotBegun):
                    continue
                if isinstance(error, TimeoutError):
                    raise TookTooLong from None
                raise
            finally:
                self.busy -= 1
            if reply.pop(LEAVES):
                self.renewals += 1
                self._part_from(worker)
            else:
                self._idle.put_nowait(worker)
            return reply

    async def _wait(self) -> _Worker:
        if self.full:
            raise Busy
        if self.lost.is_set():
            raise ForemanGone
        self.waiting += 1
        try:
            # Whoever waits behind others may wait as long as these may take.
            async with asyncio.timeout(self._seconds):
                return await self._idle.get()
        except TimeoutError:
            raise Busy from None
        finally:
            self.waiting -= 1

    def _take(self) -> None:
        try:
            taken = take_worker(self._foreman.socket)
        except BlockingIOError:
            return
        except OSError:
            taken = None
        if taken is None:
            asyncio.get_running_loop().remove_reader(self._foreman.socket)
            self.lost.set()
            return
        worker = _Worker(*taken)
        self._known[worker.pid] = worker
        self._idle.put_nowait(worker)

    def _part_from(self, worker: _Worker) -> None:
        self._known.pop(worker.pid, None)
        with contextlib.suppress(OSError):
            worker.socket.close()
        self._foreman.replace(worker.pid)


async def _ask(channel: socket.socket, text: bytes, files: list[IO[bytes]]) -> dict[str, Any]:
    """Send a request and wait for its reply. Raises _NotBegun, Died."""
    told = b""
    try:
        sent = socket.send_fds(channel, [text], [each.fileno() for each in files])
        assert sent == len(text)  # the buffer of a socket without a request takes a whole one
        while told.count(b"\n") < 2:
            data = await asyncio.get_running_loop().sock_recv(channel, LONGEST)
            if not data:
                break
            told += data
    except OSError:
        pass
    if not told.startswith(BEGUN):
        raise _NotBegun
    if told.count(b"\n") < 2:
        raise Died
    reply: dict[str, Any] = json.loads(told.removeprefix(BEGUN))
    return reply
