"""A server of the suite: started as a user starts it, asked over HTTP, stopped at its end."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from paths import ROOT

SAMPLE = ROOT / "samples" / "837p" / "faulty" / "ncci.mue.97530-x7.837"
CLEAN = ROOT / "samples" / "837p" / "clean" / "pt-clinic.837"
RECEIVED = "2026-09-30"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Served:
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

    def get(self, path, **headers):
        return self.ask(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

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
