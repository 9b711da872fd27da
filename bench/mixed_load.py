"""Whether `serve` stays well under mixed load: statuses, times, and memory that does not grow.

python bench/mixed_load.py [--minutes 30] [--clients 3] [--pause 0.15] [--json FILE]

Starts a server with two workers as a user would, and asks it what can be asked of it (KINDS), of
samples, of claims of both makers (never the same twice) and of what is no claim. Every ten seconds the memory
of the server, of the foreman and of the workers is noted. Workers come and go, so of them the largest counts.
Exit code 1 where an answer has a status that its kind must not have, which all 5xx are other than 503 with
Retry-After, where a worker died, or where one of the three had more than 5 % more memory (the peak of RSS) in
the last third of the time than in the second.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any, NamedTuple

from second_maker import make as make_second  # found beside this file

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from generate_claims import generate  # noqa: E402  # found by the line above

WORKERS = 2
MOST_GROWTH = 0.05
_CLAIMS = 20  # of a made file
_MOST_BODY, _MOST_UNPACKED = 2 << 20, 8 << 20  # small, so that what is too large costs little
_OPTIONS = ("--max-body", str(_MOST_BODY), "--max-unpacked", str(_MOST_UNPACKED), "--metrics")
_CHECK = "/v1/check?received=2026-11-21"
_X12 = {"Content-Type": "application/edi-x12"}


class Asked(NamedTuple):
    """A request, and the statuses that it may be answered with."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed
    may: tuple[int, ...] = (200,)


@dataclass(slots=True)
class Seen:
    """What the clients saw: answers by kind and status, seconds by kind, and what must not be."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    troubles: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, asked: Asked, status: int, seconds: float, retry: str | None) -> None:
        with self.lock:
            self.answers[kind, status] += 1
            self.seconds[kind].append(seconds)
            if status not in asked.may and not (status == 503 and retry):
                self.troubles[f"{kind}: {status}"] += 1


class Sample(NamedTuple):
    """Memory in MB, of several processes the largest, open files, and when, in seconds from the start."""

    at: float
    rss: float
    pss: float
    files: int


# -- what is asked


class Bodies:
    """Claim files: samples, and of both makers, each with a seed that no other has."""

    def __init__(self, client: int) -> None:
        self.chance = Random(client)
        self._samples = [file.read_bytes() for file in sorted(ROOT.glob("samples/837p/*/*.837"))]
        self._seed = client << 32

    def any(self) -> bytes:
        """A claim file."""
        self._seed += 1
        match self.chance.randrange(3):
            case 0:
                return self.chance.choice(self._samples)
            case 1:
                made = generate(_CLAIMS, seed=self._seed, invalid=0.2, every_kind=True)
                return "".join(made).encode()
        return "".join(piece.text for piece in make_second("noisy", _CLAIMS, seed=self._seed)).encode()

    def hostile(self) -> bytes:
        """What somebody might send to hurt."""
        body, chance = self.any(), self.chance
        match chance.randrange(8):
            case 0:
                return body[: chance.randrange(len(body))]
            case 1:
                damaged = bytearray(body)
                for _ in range(20):
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                return bytes(damaged)
            case 2:
                return chance.randbytes(chance.randrange(1 << 16))
            case 3:
                return body[:106] + b"*" * 100_000
            case 4:
                return body[:106] + b"ST*837*1~" * 5_000
            case 5:
                return gzip.compress(bytes(_MOST_UNPACKED * 2), 1)
            case 6:
                return gzip.compress(body)[:-9]
        return archive({f"{number}.837": b"ISA" for number in range(500)})


def archive(members: dict[str, bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return out.getvalue()


def form(path: str, files: dict[str, bytes], **said: str) -> Asked:
    """What the form of a page sends."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in said.items()
    ]
    for name, data in files.items():
        told = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts.append(told.encode() + data + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Asked("POST", path, body, headers, (200, 422))


def check_as(accept: str) -> Callable[[Bodies], Asked]:
    return lambda bodies: Asked("POST", _CHECK, bodies.any(), {**_X12, "Accept": accept})


def _explain(bodies: Bodies) -> Asked:
    claims = bodies.any()
    separator = claims[3:4]
    group = claims.partition(b"GS" + separator)[2].split(separator)
    control = group[5].decode("ascii", "replace") if len(group) > 5 else "1"
    answer = (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'MAPLEHEALTH':15}*ZZ*{'BROOKBILLING':15}*261021*0930*^*00501*000000007*0*P*:~"
        f"GS*FA*MAPLEHEALTH*BROOKBILLING*20261021*0930*7*X*005010X231A1~ST*999*0001*005010X231A1~"
        f"AK1*HC*{control}*005010X222A1~AK2*837*0001*005010X222A1~IK3*CLM*22*2300*8~IK4*2*782*1~IK5*R*I5~"
        "AK9*P*1*1*0~SE*8*0001~GE*1*7~IEA*1*000000007~"
    ).encode()
    accept = bodies.chance.choice(("application/json", "text/html", "text/plain"))
    body = archive({"answer.999": answer, "claims.837": claims})
    return Asked("POST", "/v1/explain-ack", body, {"Content-Type": "application/zip", "Accept": accept})


def _fix(bodies: Bodies) -> Asked:
    accept = bodies.chance.choice(("application/edi-x12", "text/plain"))
    return Asked("POST", "/v1/fix", bodies.any(), {**_X12, "Accept": accept}, (200, 422))


def _page(bodies: Bodies) -> Asked:
    button = bodies.chance.choice(("page", "page", "zip", "fix"))
    return form("/", {"claims.837": bodies.any()}, received="2026-11-21", profile="auto", **{"as": button})


def _looked_up(*paths: str) -> Callable[[Bodies], Asked]:
    return lambda bodies: Asked("GET", bodies.chance.choice(paths))


def _refused(bodies: Bodies) -> Asked:
    wrong = (
        Asked("POST", _CHECK, bytes(_MOST_BODY + 1), _X12, (413,)),
        Asked("POST", _CHECK, b"{}", {"Content-Type": "application/json"}, (415,)),
        Asked("POST", "/v1/check?received=tomorrow", bodies.any(), _X12, (422,)),
        Asked("POST", _CHECK, b"no claims", _X12, (422,)),
        Asked("GET", "/v1/units?minutes=97530", may=(422,)),
        Asked("GET", "/nothing", may=(404,)),
        Asked("POST", _CHECK, bodies.any(), {**_X12, "Accept": "image/png"}, (406,)),
        Asked("POST", _CHECK, bodies.any(), {**_X12, "Origin": "http://elsewhere.example"}, (403,)),
    )
    return bodies.chance.choice(wrong)


# How often, and what.
KINDS: dict[str, tuple[int, Callable[[Bodies], Asked]]] = {
    "check, JSON": (6, check_as("application/json")),
    "check, NDJSON": (3, check_as("application/x-ndjson")),
    "check, HTML": (3, check_as("text/html")),
    "check, zip of answers": (3, check_as("application/zip")),
    "check, a gzip body": (2, lambda bodies: Asked("POST", _CHECK, gzip.compress(bodies.any(), 1), _X12)),
    "check, a zip body": (
        2,
        lambda bodies: Asked("POST", _CHECK, archive({f"{n}.837": bodies.any() for n in range(3)}), _X12),
    ),
    "the page": (3, _page),
    "explain-ack": (3, _explain),
    "fix": (3, _fix),
    "units": (2, _looked_up("/v1/units?minutes=97530=25&minutes=97140=20", "/units?minutes=97530%3D40")),
    "rules": (2, _looked_up("/v1/rules", "/v1/rules?q=modifier", "/v1/rules/ncci.mue", "/rules?q=units")),
    "codes": (2, _looked_up("/v1/codes/97530?with=97140", "/v1/codes/A7:562:85", "/v1/codes/CO-97")),
    "the rest": (1, _looked_up("/", "/ack", "/v1/tables", "/healthz", "/metrics", "/openapi.json")),
    "refused": (3, _refused),
    "hostile": (3, lambda bodies: Asked("POST", _CHECK, bodies.hostile(), _X12, (200, 422))),
}


# -- the clients, the server and its memory


def ask_until(end: float, port: int, client: int, pause: float, seen: Seen) -> None:
    """What one client does."""
    bodies = Bodies(client)
    names, weights = list(KINDS), [weight for weight, _ in KINDS.values()]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    while time.monotonic() < end:
        [kind] = bodies.chance.choices(names, weights)
        asked = KINDS[kind][1](bodies)
        began = time.monotonic()
        try:
            connection.request(asked.method, asked.path, asked.body or None, asked.headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            with seen.lock:
                seen.troubles[f"{kind}: no answer ({type(error).__name__})"] += 1
        else:
            taken = time.monotonic() - began
            seen.note(kind, asked, answer.status, taken, answer.getheader("retry-after"))
        time.sleep(pause * bodies.chance.uniform(0.5, 1.5))
    connection.close()


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """A server with its process id and port."""
    command = [
        sys.executable,
        "-m",
        "edi_checker",
        "serve",
        "--port",
        "0",
        "--workers",
        str(WORKERS),
        *_OPTIONS,
    ]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        found = re.match(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        if found is None:
            log.seek(0)
            sys.exit(f"the server does not start: {log.read()[-500:]}")
        try:
            yield process.pid, int(found[1])
        finally:
            process.send_signal(signal.SIGTERM)


def processes_of(server: int) -> dict[str, list[int]]:
    """The process ids of the server, of the foreman and of the workers that there are now."""
    [foreman] = _children(server)
    return {"server": [server], "foreman": [foreman], "workers": _children(foreman)}


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def watch(end: float, every: float, server: int) -> dict[str, list[Sample]]:
    """The memory until the end of the time, or of the server."""
    began = time.monotonic()
    samples: dict[str, list[Sample]] = defaultdict(list)
    while (now := time.monotonic()) < end:
        for name, processes in processes_of(server).items():
            looked = [found for pid in processes if (found := _look_at(pid, now - began)) is not None]
            if looked:
                samples[name].append(max(looked, key=lambda each: each.rss))
        time.sleep(max(0.0, min(now + every, end) - time.monotonic()))
    return dict(samples)


def _look_at(pid: int, at: float) -> Sample | None:
    with suppress(OSError):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        sizes = dict(re.findall(r"^(Rss|Pss):\s+(\d+)", rollup, re.MULTILINE))
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        rss, pss = (round(int(sizes[each]) / 1024, 1) for each in ("Rss", "Pss"))
        return Sample(round(at, 1), rss, pss, files)
    return None


def counts_of(port: int) -> dict[str, int]:
    """How many workers died, and how many left because they had grown."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {
        name: int(n) for name, n in re.findall(r"^edi_checker_worker_(\w+)_total (\d+)", text, re.MULTILINE)
    }


# -- the verdict


def peaks(samples: Sequence[Sample]) -> tuple[float, float]:
    """The most memory (RSS, MB) of the second and of the last third."""
    third = len(samples) // 3
    parts = (samples[third : 2 * third], samples[2 * third :])
    second, last = (max((each.rss for each in part), default=0.0) for part in parts)
    return second, last


def judge(seen: Seen, samples: dict[str, list[Sample]], counts: dict[str, int]) -> list[str]:
    """What is not as it should be."""
    wrong = [f"{said}, {count} times" for said, count in seen.troubles.items()]
    if counts["deaths"]:
        wrong.append(f"{counts['deaths']} workers died")
    for name, own in samples.items():
        before, after = peaks(own)
        if after > before * (1 + MOST_GROWTH):
            wrong.append(f"{name} grew from {before:.1f} to {after:.1f} MB")
    return wrong


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds within which half, 95 and 99 of 100 were answered, and all."""
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    picked = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "most": max(seconds)}
    return {name: round(each * 1000, 1) for name, each in picked.items()}


def run(minutes: float, clients: int, pause: float, every: float) -> dict[str, Any]:
    """The load, and all that was seen."""
    seen = Seen()
    with served() as (server, port):
        end = time.monotonic() + minutes * 60
        with ThreadPoolExecutor(clients) as threads:
            asking = [
                threads.submit(ask_until, end, port, number, pause, seen) for number in range(1, clients + 1)
            ]
            samples = watch(end, every, server)
        for each in asking:
            if error := each.exception():
                seen.troubles[f"a client ended: {error!r}"] += 1
        counts = counts_of(port)
    kinds = {
        kind: {
            "statuses": {
                str(status): n for (each, status), n in sorted(seen.answers.items()) if each == kind
            },
            **percentiles(seen.seconds[kind]),
        }
        for kind in KINDS
        if seen.seconds[kind]
    }
    return {
        "minutes": minutes,
        "load": round(os.getloadavg()[2], 1),
        "answers": sum(seen.answers.values()),
        "kinds": kinds,
        "workers": counts,
        "memory": samples,
        "peaks": {name: peaks(own) for name, own in samples.items()},
        "wrong": judge(seen, samples, counts),
    }


def show(done: dict[str, Any]) -> None:
    """Print what was seen."""
    print(f"{done['answers']:,} answers in {done['minutes']:g} minutes; load of the machine {done['load']}")
    print(f"{'':<24}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8} ms  statuses")
    for kind, said in done["kinds"].items():
        times = "".join(f"{said[name]:>8.0f}" for name in ("p50", "p95", "p99", "most"))
        print(f"{kind:<24}{times}     {', '.join(f'{s}: {n:,}' for s, n in said['statuses'].items())}")
    print(f"{'MB of memory (RSS)':<24}{'start':>8}{'2nd 1/3':>8}{'3rd 1/3':>8}  open files at the end")
    for name, own in done["memory"].items():
        second, last = done["peaks"][name]
        print(f"{name:<24}{own[0].rss:>8}{second:>8}{last:>8}  {own[-1].files}")
    print(f"workers that died: {done['workers']['deaths']}, that were renewed: {done['workers']['renewals']}")
    print("\n".join(done["wrong"]) or "nothing is wrong")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.15, help="seconds between two requests of a client")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks at the memory")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args(arguments)
    done = run(given.minutes, given.clients, given.pause, given.every)
    show(done)
    if given.json is not None:
        given.json.write_text(json.dumps(done, indent=1) + "\n")
    return 1 if done["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
