"""A server of the suite: started as a user starts it, asked over HTTP, stopped at its end."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from edi_checker.reference.store import open_tables
from edi_checker.reference.tables import built_in
from edi_checker.run.one_input import Limits
from edi_checker.run.setting import CheckSetting
from edi_checker.serve.app import Server, make_app
from edi_checker.serve.guard import Access
from edi_checker.serve.work import Desk
from paths import ROOT

SAMPLE = ROOT / "samples" / "837p" / "faulty" / "ncci.mue.97530-x7.837"
CLEAN = ROOT / "samples" / "837p" / "clean" / "pt-clinic.837"
RECEIVED = "2026-09-30"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Asked:
    """The usual ways to ask; `ask` is that of a server."""

    def get(self, path, **headers):
        return self.ask("GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body, **headers):
        return self.ask(
            "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )

    def send_form(self, path, fields, headers=None):
        """Fields are texts, or (file name, content)."""
        boundary = uuid.uuid4().hex
        parts = []
        for name, value in fields:
            told = f'Content-Disposition: form-data; name="{name}"'
            content = value.encode() if isinstance(value, str) else value[1]
            if not isinstance(value, str):
                told += f'; filename="{value[0]}"\r\nContent-Type: application/octet-stream'
            parts.append(f"--{boundary}\r\n{told}\r\n\r\n".encode() + content + b"\r\n")
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return self.ask("POST", path, body, {"Content-Type": kind, **(headers or {})})


class Served(Asked):
    def __init__(self, process, host, port):
        self.process, self.host, self.port = process, host, port
        self.log = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)

    def ask(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    @property
    def foreman(self):
        [pid] = children(self.process.pid)
        return pid

    def workers(self):
        return children(self.foreman)

    def wait_for_log(self, words, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(words in line for line in list(self.log)):
                return True
            time.sleep(0.05)
        return False


def children(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def start(*options, env=None, patch="", before=()):
    """`patch` is run before the command, such as to make a time limit shorter; `before` stands before all."""
    words = ["serve", "--port", "0", *options]
    code = f"import sys; {patch}\nfrom edi_checker.cli import main; sys.argv[1:] = {words!r}; main()"
    command = [*before, sys.executable, "-c", code]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env
    )
    line = process.stdout.readline()
    found = re.match(r"https?://(\S+):(\d+)/", line)
    assert found, process.stderr.read()
    return Served(process, found[1].strip("[]"), int(found[2]))


def stop(served):
    if served.process.poll() is None:
        served.process.send_signal(signal.SIGTERM)
    try:
        return served.process.wait(30)
    finally:
        served.process.stdout.close()
        served._reader.join(10)
        served.process.stderr.close()


@contextmanager
def serving(*options, **how):
    served = start("--workers", "2", *options, **how)
    try:
        yield served
    finally:
        stop(served)


class InlinePool:
    """Has this process do what a worker would."""

    full = False
    waiting = busy = deaths = renewals = 0

    def __init__(self, desk):
        self.desk = desk
        self.lost = asyncio.Event()

    async def do(self, request, files):
        answer = tempfile.TemporaryFile()  # noqa: SIM115  # the server closes it
        handles = [os.fdopen(os.dup(file.fileno()), "r+b") for file in [*files, answer]]
        reply = self.desk.work(json.loads(json.dumps(request)), handles)
        for handle in handles:
            handle.close()
        return reply, answer


class Inline(Asked):
    """The application without a server and without workers: quick, and seen by coverage."""

    def __init__(self, most_body=1 << 24):
        checker, book = CheckSetting(tables=None).make()
        tables = Path("/nonexistent")
        limits = Limits()
        desk = Desk(checker, book, "auto", limits, 1 << 28, "0.1.0", lambda: open_tables(tables, built_in()))
        self.log = []
        self.pool = InlinePool(desk)
        server = Server(self.pool, most_body, 60, "0.1.0", "auto")
        self.app = make_app(server, Access(None, None), self, most=9, metrics=True)

    def say(self, event, *, trouble=False, **values):
        self.log.append(" ".join([event, *(f"{name}={value}" for name, value in values.items())]))

    def ask(self, method, path, body=None, headers=None):
        return asyncio.run(self._ask(method, path, body or b"", headers or {}))

    async def _ask(self, method, path, body, headers):
        path, _, query = path.partition("?")
        told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        told.append((b"host", b"localhost"))
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": unquote(path), "root_path": "",
            "raw_path": path.encode(), "query_string": query.encode(), "headers": told, "scheme": "http",
            "server": ("localhost", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"}, "state": {},
        }  # fmt: skip
        pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]
        sent = []

        async def receive():
            if not pieces:
                await asyncio.sleep(3600)
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]))
