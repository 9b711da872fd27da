"""The server from its start to its end: address, foreman, event loop, and a graceful stop."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edi_checker.serve.app import Server, make_app
from edi_checker.serve.crew import Foreman
from edi_checker.serve.guard import Access, is_loopback
from edi_checker.serve.pool import Pool
from edi_checker.serve.work import Desk
from edi_checker.watch.log import Log
from edi_checker.watch.notify import notify, watchdog_period

_MOST_OPEN = 200  # requests in hand at a time
_MOST_CONNECTIONS = 1000
_HEAD_PATIENCE = 20.0  # seconds in which the head of a request must come
_LONGEST_HEAD = 16 << 10
_GRACE = 10.0  # seconds beyond the time limit that requests in hand have at the end


class CannotServe(Exception):
    """The server cannot start or go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to serve: `tls` are the files of the certificate and its key, `profile` as in `app.Server`."""

    host: str
    port: int
    workers: int
    token: bytes | None
    tls: tuple[Path, Path] | None
    most_body: int
    seconds: float
    metrics: bool
    version: str
    profile: str


def listen(host: str, port: int) -> socket.socket:
    """A socket at the address. Raises CannotServe."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        channel = socket.socket(family, kind, proto)
    except OSError as error:
        raise CannotServe(f"{host}: not an address of this machine: {error.strerror}") from None
    try:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        channel.bind(address)
        channel.listen(512)
    except OSError as error:
        channel.close()
        raise CannotServe(f"{host} port {port}: {(error.strerror or 'cannot be used').lower()}") from None
    return channel


def serve(plan: Plan, channel: socket.socket, desk: Desk, log: Log, say: Callable[[str], None]) -> None:
    """Serve at the socket until a signal ends it; `say` is told the address when it is ready.

    SIGTERM, SIGINT and SIGHUP, unless it was told to ignore that, let requests in hand be finished. Raises
    CannotServe.
    """
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    logging.getLogger("uvicorn").propagate = False  # it would tell tracebacks and addresses with their values
    # Both are uvicorn's to hear; what it tells the process again at its end is no news.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _hear_no_more)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)
    # A dump of the memory would hold claims; all processes have this from here.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    foreman = Foreman(plan.workers, desk.work, [channel])
    try:
        asyncio.run(_run(plan, channel, foreman, log, say))
    finally:
        foreman.stop()


def _end(_number: int, _frame: object) -> None:
    """The terminal is gone: end as uvicorn does when it is asked to."""
    signal.raise_signal(signal.SIGTERM)


def _hear_no_more(_number: int, _frame: object) -> None:
    """Uvicorn raises the signal again when it has ended."""


async def _run(
    plan: Plan, channel: socket.socket, foreman: Foreman, log: Log, say: Callable[[str], None]
) -> None:
    pool = Pool(foreman, plan.seconds, 2 * plan.workers)
    pool.open()
    port = channel.getsockname()[1]
    server = _Stoppable(_configure(plan, pool, log, port))
    try:
        work = asyncio.create_task(server.serve(sockets=[channel]))
        lost = asyncio.create_task(pool.lost.wait())
        ready = asyncio.create_task(_tell(server, plan, port, log, say))
        await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            server.should_exit = True
        await work
        for task in (lost, ready):
            task.cancel()
        if pool.lost.is_set():
            raise CannotServe("the process that starts the workers is gone")
    finally:
        pool.close()


async def _tell(server: uvicorn.Server, plan: Plan, port: int, log: Log, say: Callable[[str], None]) -> None:
    """Tell the user and the service manager that the server is ready, and the latter that it lives."""
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.02)
    scheme = "https" if plan.tls is not None else "http"
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    say(f"{scheme}://{host}:{port}/")
    log.say("serving", host=plan.host, port=port, workers=plan.workers)
    notify("READY=1")
    period = watchdog_period()
    while period is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(period)


def _configure(plan: Plan, pool: Pool, log: Log, port: int) -> uvicorn.Config:
    hosts = None
    if is_loopback(plan.host):
        names = ("localhost", "127.0.0.1", "[::1]")
        hosts = frozenset(f"{name}:{port}" for name in names)
        hosts |= frozenset(names) if port == (443 if plan.tls else 80) else frozenset()
    server = Server(pool, plan.most_body, plan.seconds, plan.version, plan.profile)
    app = make_app(server, Access(plan.token, hosts), log, most=_MOST_OPEN, metrics=plan.metrics)
    config = uvicorn.Config(
        app,
        http=_Patient,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=int(plan.seconds + _GRACE),
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_certfile=plan.tls[0] if plan.tls else None,
        ssl_keyfile=plan.tls[1] if plan.tls else None,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        said = getattr(error, "reason", None) or error.strerror
        raise CannotServe(f"the certificate or its key cannot be used: {said}") from None
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return config


class _Stoppable(uvicorn.Server):
    """Tells the service manager when it begins to end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        notify("STOPPING=1")
        await super().shutdown(sockets)


class _Patient(H11Protocol):
    """Gives the head of each request a time in which it must come; uvicorn waits for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._rests and not self.transport.is_closing():
            self._wait_for_head()
        elif self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    @property
    def _rests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(_HEAD_PATIENCE, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if self._rests and not self.transport.is_closing():
            if self.conn.our_state is h11.IDLE:
                self.conn.send(h11.ConnectionClosed())
            self.transport.close()
