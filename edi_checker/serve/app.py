"""The addresses of the server: each reads what was sent, has a worker answer it, and sends the answer."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from edi_checker.serve import pages
from edi_checker.serve.crew import MOST_FILES
from edi_checker.serve.endpoints import (
    ENDPOINTS,
    ISOLATION,
    METHOD,
    PROFILE,
    RECEIVED,
    Endpoint,
    read_all,
)
from edi_checker.serve.guard import ROUTE, Access, Guard
from edi_checker.serve.media import EDI, HTML, JSON, TEXT, XLSX, ZIP, choose
from edi_checker.serve.metrics import write_metrics
from edi_checker.serve.openapi import describe
from edi_checker.serve.pool import Busy, Died, ForemanGone, Pool, TookTooLong
from edi_checker.serve.problem import Problem
from edi_checker.serve.reading import Form, read_content, read_form, spool
from edi_checker.watch.log import Log

_CHUNK = 1 << 18
_LATER = {"retry-after": "5"}
# By the button of a form: what a worker does, and what it gives.
_BUTTONS = {
    "page": ("check-page", HTML),
    "zip": ("check-archive", ZIP),
    "xlsx": ("check", XLSX),
    "fix": ("fix", EDI),
}
_FORM_PARAMETERS = (RECEIVED, PROFILE, ISOLATION)


@dataclass(frozen=True, slots=True)
class Server:
    """What the addresses need.

    most_body  bytes of a request
    seconds    that a worker may take
    profile    the name or path of the profile that applies where a request names none
    """

    pool: Pool
    most_body: int
    seconds: float
    version: str
    profile: str

    async def ask(
        self, duty: str, said: Mapping[str, Any], contents: list[tuple[str, str, IO[bytes]]]
    ) -> tuple[dict[str, Any], IO[bytes]]:
        """Have a worker do it: its reply, and the file with the answer. Raises Problem."""
        request = {"do": duty, "said": dict(said), "files": [(role, name) for role, name, _ in contents]}
        try:
            reply, answer = await self.pool.do(request, [file for _, _, file in contents])
        except Busy:
            raise Problem(503, "all workers are busy; try again later", _LATER) from None
        except ForemanGone:
            raise Problem(503, "the server ends; try again later", _LATER) from None
        except TookTooLong:
            raise Problem(504, f"it takes longer than {self.seconds:g} seconds (--max-seconds)") from None
        except Died:
            raise Problem(500, "the process that worked on it ended; others are not affected") from None
        if "refused" in reply:
            answer.close()
            raise Problem(reply["status"], reply["refused"], _LATER if reply["status"] == 503 else None)
        return reply, answer

    def refuse_when_full(self) -> None:
        """Before a body is read for nothing. Raises Problem."""
        if self.pool.full:
            raise Problem(503, "all workers are busy; try again later", _LATER)

    # -- programs

    async def answer(self, endpoint: Endpoint, request: Request) -> Response:
        """What an address of the interface for programs gives."""
        said = endpoint.read(request.query_params.multi_items(), dict(request.path_params))
        form = choose(request.headers.get("accept", ""), endpoint.forms)
        if form is None:
            raise Problem(406, f"the answer is one of {', '.join(endpoint.forms)}")
        said["form"] = form
        contents = []
        if endpoint.body:
            self.refuse_when_full()
            contents = [("file", said["name"], await read_content(request, self.most_body))]
        duty = "check-archive" if form == ZIP else endpoint.duty
        try:
            return _send(*await self.ask(duty, said, contents))
        finally:
            for _, _, file in contents:
                file.close()

    # -- pages

    async def check(self, request: Request) -> Response:
        """The start page, and what its form gives."""
        if request.method != "POST":
            return _page(pages.write_check(self.profile, self.most_body))
        self.refuse_when_full()
        form = await read_form(request, self.most_body)
        try:
            given = {name: [value] for name in ("received", "profile") if (value := form.said.get(name))}
            duty, media = _button(form)
            said = {**read_all(_FORM_PARAMETERS, given), "form": media}
            contents = _contents(form)
            if len(contents) > 1:
                raise Problem(422, "one file at a time, or a zip archive of them")
            contents += [each for each in form.files if each[0] == "minutes"][:1]
            reply, answer = await self.ask(duty, said, contents)
            if reply["status"] == 422 and duty != "check-page":
                # A browser would save it, and say nothing.
                answer.close()
                reply, answer = await self.ask("check-page", {**said, "form": HTML}, contents)
            return _send(reply, answer)
        finally:
            form.close()

    async def explain(self, request: Request) -> Response:
        """The page for answers of payers, and what its form gives."""
        if request.method != "POST":
            return _page(pages.write_ack(self.most_body))
        self.refuse_when_full()
        form = await read_form(request, self.most_body)
        try:
            media = XLSX if _button(form)[1] == XLSX else HTML
            return _send(*await self.ask("explain-ack", {"form": media, "page": True}, _contents(form)))
        finally:
            form.close()

    async def units(self, request: Request) -> Response:
        """The page for minutes."""
        minutes = request.query_params.get("minutes", "")[:2000]
        method = request.query_params.get("method", "cms")
        if method not in METHOD.choices:
            raise Problem(422, f"method is one of {', '.join(METHOD.choices)}")
        if not minutes.strip():
            return _page(pages.write_units(method=method))
        said = {"form": TEXT, "minutes": re.split(r"[\s,;]+", minutes.strip()), "method": method}
        try:
            _, answer = await self.ask("units", said, [])
        except Problem as problem:
            if problem.status != 422:
                raise
            trouble = problem.detail[:1].upper() + problem.detail[1:] + "."
            return _page(pages.write_units(minutes, method, trouble=trouble), 422)
        with answer:
            answer.seek(0)
            working = answer.read().decode()
        return _page(pages.write_units(minutes, method, working))

    async def rules(self, request: Request) -> Response:
        """The page with the rules."""
        words = request.query_params.get("q", "")[:200]
        return _send(*await self.ask("rules", {"form": HTML, "q": words}, []), policy=pages.page_policy())

    async def rule(self, request: Request) -> Response:
        """The page of one rule."""
        said = {"form": HTML, "id": request.path_params["id"][:200]}
        return _send(*await self.ask("rule", said, []), policy=pages.page_policy())

    async def health(self, request: Request) -> Response:
        """Whether there is a process to work."""
        well = not self.pool.lost.is_set()
        said = {"status": "ok" if well else "ends", "version": self.version}
        return Response(json.dumps(said) + "\n", 200 if well else 503, media_type=JSON)


def _button(form: Form) -> tuple[str, str]:
    found = _BUTTONS.get(form.said.get("as", "page"))
    if found is None:
        raise Problem(422, "the form has no such button")
    return found


def _contents(form: Form) -> list[tuple[str, str, IO[bytes]]]:
    """The files that were chosen, or the text that was pasted. Raises Problem."""
    chosen = [each for each in form.files if each[0] == "file"]
    text = form.said.get("text", "")
    if not chosen and text.strip():
        form.files.append(("file", "pasted text", spool(text)))
        return form.files[-1:]
    if not chosen:
        raise Problem(422, "choose a file first, or paste the text of one")
    return chosen[: MOST_FILES - 2]


def _page(text: str, status: int = 200) -> Response:
    return Response(text, status, {"content-security-policy": pages.page_policy()}, HTML)


def _send(reply: Mapping[str, Any], answer: IO[bytes], policy: str = "") -> Response:
    """The answer of a worker, piece by piece; the file is closed at its end."""
    headers = {"content-length": str(os.fstat(answer.fileno()).st_size)}
    if reply["media"] == HTML:
        headers["content-security-policy"] = policy or pages.report_policy()
    if reply["name"]:
        # Names of answers are of letters, digits, dots, hyphens and underscores (files.inputs).
        headers["content-disposition"] = f'attachment; filename="{reply["name"]}"'
    answer.seek(0)
    return StreamingResponse(_pieces(answer), reply["status"], headers, _with_charset(reply["media"]))


def _with_charset(media: str) -> str:
    return f"{media}; charset=utf-8" if media.startswith("text/") else media


async def _pieces(answer: IO[bytes]) -> AsyncIterator[bytes]:
    with answer:
        while piece := answer.read(_CHUNK):
            yield piece
            await asyncio.sleep(0)


def make_app(server: Server, access: Access, log: Log, *, most: int, metrics: bool) -> Guard:
    """The application: all addresses behind the guard."""
    described = json.dumps(describe(server.version, with_token=access.token is not None), indent=1) + "\n"

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type=JSON)

    async def counts(_request: Request) -> Response:
        text = write_metrics(guard.counts, server.pool)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [
        _route("/", server.check, "GET", "POST"),
        _route("/ack", server.explain, "GET", "POST"),
        _route("/units", server.units, "GET"),
        _route("/rules", server.rules, "GET"),
        _route("/rules/{id}", server.rule, "GET"),
        _route("/healthz", server.health, "GET"),
        _route("/openapi.json", openapi, "GET"),
        *(_route(each.path, _bind(server, each), each.method) for each in ENDPOINTS),
    ]
    if metrics:
        routes.append(_route("/metrics", counts, "GET"))
    guard = Guard(Router(routes, redirect_slashes=False), access, log, most)
    return guard


Handler = Callable[[Request], Awaitable[Response]]


def _bind(server: Server, endpoint: Endpoint) -> Handler:
    async def answer(request: Request) -> Response:
        return await server.answer(endpoint, request)

    return answer


def _route(path: str, handler: Handler, *methods: str) -> Route:
    async def handle(request: Request) -> Response:
        request.scope[ROUTE] = path
        return await handler(request)

    return Route(path, handle, methods=list(methods))
