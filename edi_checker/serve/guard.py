"""What stands before every request: who may ask, what answers tell a browser, the log and the counts."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import os
import secrets
import stat
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edi_checker.serve.problem import Problem
from edi_checker.serve.problem_answer import respond
from edi_checker.watch.log import Log

ROUTE = "edi_checker.route"  # key in the scope: the address as the table has it, without values
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With no-referrer a browser would not say where a form of ours comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_SCHEMES = 'Bearer realm="edi-checker", Basic realm="edi-checker", charset="UTF-8"'
_SHORTEST_TOKEN, _LONGEST_TOKEN = 16, 4096
_SEND_PATIENCE = 60.0  # seconds that somebody may take to receive a piece of the answer
_DRAIN = 8 << 20  # bytes that are read on of a body that is refused: who still sends would not hear why
_DRAIN_PATIENCE = 5.0


class TokenError(Exception):
    """The token file cannot be used; the message says why."""


def read_token(path: Path) -> bytes:
    """The token of the file, without the white space around it. Raises TokenError."""
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            token = stream.read(_LONGEST_TOKEN + 1).strip()
    except OSError as error:
        raise TokenError(f"{path}: the token cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise TokenError(f"{path}: not a regular file")
    # What systemd hands over is root's, with an access list that looks like reading by the group.
    others = 0o037 if status.st_uid == 0 and os.geteuid() != 0 else 0o077
    if stat.S_IMODE(status.st_mode) & others:
        raise TokenError(f"{path}: others can read or change the token; run chmod 600 on it")
    if not _SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN or not token.isascii() or len(token.split()) != 1:
        raise TokenError(f"{path}: a token is one word of at least {_SHORTEST_TOKEN} ASCII characters")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: with a `token`, who knows it; without one, whoever names the server by one of `hosts`, and
    anybody where these are None.
    """

    token: bytes | None
    hosts: frozenset[str] | None

    def refuse(self, scope: Scope) -> Problem | None:
        """Why the request is not answered, None where it is."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "").lower()
        if self.token is None and self.hosts is not None and host not in self.hosts:
            # A page of another site whose name was made to lead here.
            return Problem(
                421, "the server is asked by another name or port than its own: see what it said at its start"
            )
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not _is_from_here(headers, host):
            return Problem(403, "the request comes from a page of another site")
        if self.token is not None and scope["path"] != "/healthz":
            given = _token_in(headers.get("authorization", ""))
            if not hmac.compare_digest(given, self.token):
                return Problem(401, "the token is missing or wrong", {"www-authenticate": _SCHEMES})
        return None


def _is_from_here(headers: dict[str, str], host: str) -> bool:
    """Whether the request comes from a page of ours or from no page at all."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host != ""
    except ValueError:
        return False


def _token_in(header: str) -> bytes:
    """The token of a program (Bearer), or of a browser, where it is the password of any name (Basic)."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("latin-1")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            pass
    return b""


@dataclass(slots=True)
class Counts:
    """What was asked since the start, for the metrics."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    bodies: int = 0
    now: int = 0


class Guard:
    """Answers what is not let through, tells browsers what they may do with an answer, and keeps the log.

    The log and the counts have the address as the table has it, status, time and size: nothing that was sent.
    At most `most` requests are in hand at a time.
    """

    def __init__(self, app: ASGIApp, access: Access, log: Log, most: int) -> None:
        self._app = app
        self._access = access
        self._log = log
        self._most = most
        self.counts = Counts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = _Exchange(scope, receive, send)
        self.counts.now += 1
        try:
            problem = self._access.refuse(scope)
            if problem is None and self.counts.now > self._most:
                problem = Problem(503, "too many requests at once; try again later", {"retry-after": "5"})
            if problem is not None:
                await exchange.refuse(problem)
            else:
                await self._answer(exchange)
        finally:
            self.counts.now -= 1
            self._note(exchange)

    async def _answer(self, exchange: _Exchange) -> None:
        exchange.scope["app"] = self._app  # with it the router says by an exception what it has not
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.trouble = "the client is gone"
        except TimeoutError:
            exchange.trouble = "the client takes nothing"
            raise
        except Problem as problem:
            await exchange.refuse(problem)
        except HTTPException as error:
            await exchange.refuse(_problem_of(error))
        except Exception as error:  # noqa: BLE001  # no request may end the server
            # The type alone: the message of an unexpected error may quote what was sent.
            exchange.trouble = f"internal error ({type(error).__name__})"
            await exchange.refuse(Problem(500, exchange.trouble))

    def _note(self, exchange: _Exchange) -> None:
        seconds = time.monotonic() - exchange.began
        route = exchange.scope.get(ROUTE, "other")
        self.counts.answers[route, exchange.status] += 1
        self.counts.seconds[route] += seconds  # type: ignore[assignment]  # a Counter adds up seconds as well
        self.counts.bodies += exchange.taken
        self._log.say(
            "answered",
            trouble=exchange.status >= 500 or bool(exchange.trouble),
            request=exchange.id,
            method=exchange.scope["method"] if exchange.scope["method"] in _METHODS else "other",
            address=route,
            status=exchange.status or None,
            seconds=round(seconds, 3),
            bytes=exchange.taken or None,
            why=exchange.trouble,
        )


def _problem_of(error: HTTPException) -> Problem:
    """What the router has against an address."""
    headers = error.headers or {}
    if error.status_code == 405:
        methods = [each for each in headers.get("Allow", "").split(", ") if each not in ("", "HEAD")]
        said = f"this address takes {' and '.join(sorted(methods))}"
    else:
        said = {404: "there is nothing at this address"}.get(error.status_code, "the request cannot be read")
    return Problem(error.status_code, said, headers)


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


class _Exchange:
    """One request with its answer: counts what comes, and sends what every answer says."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = secrets.token_hex(8)
        self.scope = scope
        self.began = time.monotonic()
        self.status = self.taken = 0
        self.trouble = ""
        self._receive, self._send = receive, send
        self._more = True

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.taken += len(message.get("body", b""))
            self._more = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message.get("headers", ()))
            for name, value in {**_HEADERS, "x-request-id": self.id}.items():
                headers.setdefault(name.encode(), value.encode())
            message = {**message, "headers": list(headers.items())}
        async with asyncio.timeout(_SEND_PATIENCE):
            await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem, where no answer has begun, and read a little on of what still comes."""
        if self.status:
            raise RuntimeError("an answer breaks off")
        answer = respond(problem, self.id, self.scope["path"])
        unread = self._more and self.scope["method"] not in ("GET", "HEAD")
        if not unread:
            await answer(self.scope, self.receive, self.send)
            return
        answer.headers["connection"] = "close"
        await self.send(
            {"type": "http.response.start", "status": problem.status, "headers": answer.raw_headers}
        )
        await self.send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await self._drain()
        await self.send({"type": "http.response.body", "body": b""})

    async def _drain(self) -> None:
        count = 0
        try:
            async with asyncio.timeout(_DRAIN_PATIENCE):
                while self._more and count < _DRAIN:
                    message = await self._receive()
                    if message["type"] != "http.request":
                        return
                    count += len(message.get("body", b""))
                    self._more = message.get("more_body", False)
        except TimeoutError:
            return
