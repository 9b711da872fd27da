"""serve under attack and under load: bounded, answered or refused, and nothing of a claim stays."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from generate_claims import generate
from serving import RECEIVED, SAMPLE, children, serving

BODY = SAMPLE.read_bytes()
AT = f"/v1/check?received={RECEIVED}"
MOST = 1 << 20


@pytest.fixture(scope="module")
def served():
    patch = (
        "from edi_checker.serve import guard, reading, server;"
        "reading._PATIENCE = server._HEAD_PATIENCE = guard._DRAIN_PATIENCE = 1.0; reading._SLOWEST = 1000;"
        # One duty takes long enough for a worker to be killed at it.
        "import time; from edi_checker.serve.work import _DUTIES as duties; tables = duties['tables'];"
        "duties['tables'] = lambda *given: (time.sleep(1), tables(*given))[1]"
    )
    options = ("--max-body", str(MOST), "--max-unpacked", "2000000", "--max-seconds", "2")
    with serving(*options, patch=patch) as server:
        yield server


def connect(served):
    return socket.create_connection(("127.0.0.1", served.port), timeout=15)


def head(served, *lines, path=AT, method="POST"):
    told = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{served.port}", "Content-Type: text/plain", *lines]
    return "\r\n".join([*told, "", ""]).encode()


def read_all(channel):
    told = b""
    try:
        while piece := channel.recv(1 << 16):
            told += piece
    except ConnectionResetError:
        pass
    return told


def well(served):
    """The server answers as if nothing had been."""
    answer = served.post(AT, BODY)
    assert answer.status == 200
    assert json.loads(answer.body)["files"][0]["outcome"] == "accepted_with_errors"


# -- bodies


def test_a_body_that_comes_too_slowly_is_given_up(served):
    with connect(served) as channel:
        channel.sendall(head(served, "Content-Length: 100000"))
        began = time.monotonic()
        channel.settimeout(0.2)
        told = b""
        while time.monotonic() - began < 10 and b"408" not in told:
            try:
                channel.sendall(b"x")
                told += channel.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    assert told.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 5
    well(served)


def test_a_head_that_does_not_come_is_given_up(served):
    for begun in (b"", b"POST /v1/check HT", head(served)[:-2]):
        with connect(served) as channel:
            began = time.monotonic()
            channel.sendall(begun)
            assert b"200" not in read_all(channel)
            assert time.monotonic() - began < 5
    with connect(served) as channel:  # the second request of a connection
        channel.sendall(head(served, path="/healthz", method="GET"))
        assert b"200 OK" in channel.recv(4096)
        channel.sendall(b"GET /he")
        began = time.monotonic()
        read_all(channel)
        assert time.monotonic() - began < 5
    well(served)


def test_lying_lengths(served):
    for length in (MOST + 1, 10**15, "9" * 30):
        with connect(served) as channel:
            channel.sendall(head(served, f"Content-Length: {length}"))
            assert read_all(channel).startswith(b"HTTP/1.1 4")
    with connect(served) as channel:  # less comes than is said
        channel.sendall(head(served, "Content-Length: 5000") + BODY[:100])
    with connect(served) as channel:  # more comes than is said
        channel.sendall(head(served, "Content-Length: 10") + BODY)
        told = read_all(channel)
        assert told.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 400" in told
    for lines in (
        ("Content-Length: -1",),
        ("Content-Length: 1", "Content-Length: 2"),
        ("Content-Length: x",),
    ):
        with connect(served) as channel:
            channel.sendall(head(served, *lines) + b"abc")
            channel.shutdown(socket.SHUT_WR)
            assert read_all(channel).startswith(b"HTTP/1.1 400")
    well(served)


def test_a_body_without_a_length_is_bounded_too(served):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with connect(served) as channel:
        channel.sendall(head(served, "Transfer-Encoding: chunked"))
        for _ in range(40):
            try:
                channel.sendall(piece)
            except OSError:
                break
        assert read_all(channel).startswith(b"HTTP/1.1 413")
    well(served)


def test_who_sends_too_much_hears_why(served):
    """Also a client that sends all of it before it reads."""
    answer = served.post(AT, b"x" * (3 * MOST))
    assert answer.status == 413
    assert "more than 1,048,576 bytes" in json.loads(answer.body)["detail"]
    page = served.send_form("/", [("file", ("a.837", b"x" * (3 * MOST)))])
    assert page.status == 413


def bomb_zip(size):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.837", bytes(size))
    return out.getvalue()


@pytest.mark.parametrize("body", [gzip.compress(bytes(40 << 20)), bomb_zip(40 << 20)], ids=["gzip", "zip"])
@pytest.mark.parametrize("path", [AT, "/v1/fix", "/v1/explain-ack"])
def test_bombs(served, body, path):
    answer = served.post(path, body)
    assert answer.status == 422
    assert re.search(rb"unpacks to more than 2,000,000 bytes|is empty", answer.body)


def test_many_files_in_an_archive(served):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(60):
            archive.writestr(f"{number}.837", BODY)
    report = json.loads(served.post(AT, out.getvalue()).body)
    assert len(report["files"]) == 60


def test_forms_that_are_none(served):
    kind = "multipart/form-data; boundary=b"
    for body in (b"", b"--b", b"--b\r\n\r\n", b"--b\r\nX: " + b"y" * 20_000, b"--c\r\n\r\nx\r\n--c--\r\n"):
        assert served.post("/", body, Content_Type=kind).status in (400, 422)
    assert served.post("/", b"x", Content_Type="multipart/form-data").status == 400
    assert served.post("/", b"file=x", Content_Type="application/x-www-form-urlencoded").status == 415
    many = [("file", (f"{number}.837", b"ISA")) for number in range(40)]
    assert served.send_form("/ack", many).status == 400
    well(served)


# -- workers


def freeze(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def in_background(work):
    told = []
    thread = threading.Thread(target=lambda: told.append(work()))
    thread.start()
    return thread, told


def wait_for_workers(served, count, but=()):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        here = [pid for pid in served.workers() if pid not in but]
        if len(here) == count:
            return here
        time.sleep(0.05)
    raise AssertionError("no workers")


def test_a_worker_that_is_killed_costs_one_request(served):
    before = wait_for_workers(served, 2)
    first, told = in_background(lambda: served.get("/v1/tables"))
    second, others = in_background(lambda: served.get("/v1/tables"))
    time.sleep(0.5)
    os.kill(before[0], signal.SIGKILL)
    first.join(20)
    second.join(20)
    answers = told + others
    assert sorted(answer.status for answer in answers) == [200, 500]
    [lost] = [answer for answer in answers if answer.status == 500]
    assert "the process that worked on it ended" in json.loads(lost.body)["detail"]
    wait_for_workers(served, 2, but=before[:1])
    for _ in range(4):
        well(served)


def test_workers_that_die_idle_cost_nothing(served):
    for pid in wait_for_workers(served, 2):
        os.kill(pid, signal.SIGKILL)
    for _ in range(4):
        well(served)


def test_what_takes_too_long_is_504_and_its_worker_is_replaced(served):
    before = wait_for_workers(served, 2)
    freeze(before)
    told = [in_background(lambda: served.post(AT, BODY)) for _ in range(2)]
    for thread, _ in told:
        thread.join(20)
    assert [answers[0].status for _, answers in told] == [504, 504]
    wait_for_workers(served, 2, but=before)
    well(served)


def test_a_hundred_at_once_are_answered_or_sent_away(served):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(served.post(AT, BODY))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counts = Counter(answer.status for answer in answers)
    assert set(counts) <= {200, 503}
    assert counts.total() == 100
    assert counts[200] >= 6  # two at work, four wait
    for answer in answers:
        if answer.status == 503:
            assert answer.headers["retry-after"] == "5"
        else:
            assert json.loads(answer.body)["files"][0]["outcome"] == "accepted_with_errors"
    well(served)


# -- nothing stays


def memory(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


def test_memory_does_not_grow_with_requests(served):
    bodies = ["".join(generate(20, invalid=0.3, seed=seed)).encode() for seed in range(6)]

    def ask(times):
        for number in range(times):
            assert served.post(AT, bodies[number % len(bodies)]).status == 200
            served.send_form("/", [("file", ("a.837", bodies[number % len(bodies)]))])

    ask(36)  # so that each of the workers has met all of them
    pids = [served.process.pid, *served.workers()]
    before = {pid: memory(pid) for pid in pids}
    ask(24)
    grown = {pid: memory(pid) - before[pid] for pid in pids}
    assert max(grown.values()) < 8_000  # kilobytes


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_file_with_a_name_is_written(tmp_path):
    """Strace sees every file that is made: what is sent lies in files without a name. Only the spreadsheet's
    writer needs names; they are in a folder of the worker, and gone with the answer.
    """
    calls = tmp_path / "calls"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    traced = "trace=open,openat,creat,mknod,link,linkat,rename,renameat2"
    before = ("strace", "-D", "-f", "-qq", "-s", "300", "-e", traced)
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    with serving(before=(*before, "-o", str(calls)), env=env) as served:
        begun = calls.stat().st_size
        fields = [("file", ("MALLOW.837", BODY)), ("received", RECEIVED)]
        for name in ("page", "zip", "xlsx", "fix"):
            assert served.send_form("/", [*fields, ("as", name)]).status == 200
        for accept in ("application/json", "text/html", "text/csv", "application/zip"):
            assert served.post(f"{AT}&name=MALLOW.837", gzip.compress(BODY), Accept=accept).status == 200
        assert served.post(AT, bomb_zip(1000)).status == 422
        assert served.post("/v1/explain-ack", BODY).status == 422
        served.send_form("/", [("text", BODY.decode())])
        assert [file for file in temporary.rglob("*") if file.is_file()] == []
        with calls.open() as stream:
            stream.seek(begun)
            made = [line for line in stream if re.search(r"O_CREAT|creat\(|link|rename|mknod", line)]
    named = [line for line in made if " = -1 " not in line]
    assert [line for line in named if "MALLOW" in line] == []
    assert [line for line in named if not re.search(r"/edi-checker-serve-[^/]+/\d+/", line)] == []
    assert list(temporary.iterdir()) == []


def test_an_archive_that_is_sent_is_not_kept_open(served):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.837", BODY)
    served.post(AT, out.getvalue())

    pids = [served.process.pid, *children(served.process.pid), *served.workers()]
    # Who has read the whole answer is a little before the server, which closes its file.
    for _ in range(50):
        held = [link for pid in pids for link in held_files(pid) if "deleted" in link]
        if not held:
            break
        time.sleep(0.1)
    assert held == []


def held_files(pid):

    found = []
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(handle.readlink()))
        except OSError:
            continue
    return found


def test_the_log_says_nothing_of_what_went_wrong_but_its_kind(served):
    served.post("/v1/check?name=MALLOW", b"x" * (2 * MOST))
    served.post(f"{AT}&name=MALLOW", b"ISA*MALLOW")
    log = "".join(served.log)
    assert "MALLOW" not in log
    assert "Traceback" not in log


def test_a_worker_that_has_grown_is_replaced_and_nobody_notices():
    patch = "from edi_checker.serve import crew; crew._MOST_GROWN = 3 << 20;"
    with serving("--metrics", patch=patch) as served:
        first = set(served.workers())
        for seed in range(120):
            if seed >= 30 and not first & set(served.workers()):
                break
            body = "".join(generate(20, seed=seed)).encode()
            answer = served.post(AT, body, Content_Type="text/plain")
            assert answer.status == 200
            assert json.loads(answer.body)["files"][0]["counts"]["claims"] == 20
        counted = served.get("/metrics").body.decode()
        assert "edi_checker_worker_deaths_total 0\n" in counted
        assert int(re.search(r"worker_renewals_total (\d+)", counted)[1]) >= 2
        end = time.monotonic() + 10
        while len(served.workers()) != 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(served.workers()) == 2
        assert not first & set(served.workers())


def test_no_process_leaves_its_memory_on_the_disk(served):
    for pid in (served.process.pid, served.foreman, *served.workers()):
        assert re.search(r"^Max core file size +0 +0 ", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
