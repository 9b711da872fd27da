"""What the service manager is told: to the socket that it names, and never in the way of the work."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edi_checker.watch.notify import notify, watchdog_period
from paths import ROOT


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    """The manager's end of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        if request.param == "path":
            name = str(tmp_path / "notify")
            listening.bind(name)
        elif sys.platform == "linux":
            name = f"@edi-checker-{os.getpid()}"
            listening.bind(f"\0{name[1:]}")
        else:
            pytest.skip("names without a file are Linux's own")
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listening


@pytest.mark.parametrize("state", ["READY=1", "WATCHDOG=1", "STOPPING=1", "READY=1\nSTATUS=3 files wait"])
def test_the_manager_gets_what_is_said(manager, state):
    notify(state)
    assert manager.recv(1000).decode() == state


def test_reading_again_comes_with_its_time(manager):
    before = time.monotonic_ns() // 1000
    notify("RELOADING=1")
    state, _, stamp = manager.recv(1000).decode().partition("\n")
    assert state == "RELOADING=1"
    name, _, microseconds = stamp.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) <= time.monotonic_ns() // 1000


@pytest.mark.parametrize("name", [None, "", "notify", "vsock:2:1234", "/nowhere/at/all", "@nobody-listens"])
def test_without_a_manager_nothing_happens(name, monkeypatch):
    if name is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", name)
    notify("READY=1")


def test_a_manager_that_does_not_read_holds_nothing_up(tmp_path, monkeypatch):
    monkeypatch.setattr("edi_checker.watch.notify._PATIENCE", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "deaf"))
        before = time.monotonic()
        for _ in range(1000):
            notify("WATCHDOG=1")
            if time.monotonic() - before > 0.1:
                break
        assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("microseconds", "process", "seconds"),
    [
        ("120000000", None, 60.0),
        ("120000000", "", 60.0),
        ("1000000", "mine", 0.5),
        ("1000000", "another", None),
        ("1000000", "no number", None),
        ("0", None, None),
        ("", None, None),
        ("-5", None, None),
        ("²", None, None),
        (None, None, None),
        (None, "mine", None),
    ],
)
def test_how_often_the_manager_wants_a_sign_of_life(microseconds, process, seconds, monkeypatch):
    process = {"mine": str(os.getpid()), "another": str(os.getppid())}.get(process, process)
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", process)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert watchdog_period() == seconds


def test_saying_needs_no_thread_and_leaves_no_socket_open(tmp_path, monkeypatch):
    """A process with threads cannot be forked safely, and a watcher runs for months."""
    program = """
import os, threading
from edi_checker.watch.notify import notify
before = len(os.listdir("/proc/self/fd"))
notify("READY=1")
assert len(os.listdir("/proc/self/fd")) == before
assert threading.active_count() == 1
"""
    if sys.platform != "linux":
        pytest.skip("looks into /proc")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        assert listening.recv(100) == b"READY=1"


@pytest.mark.long
def test_a_watcher_tells_its_manager_how_it_goes(tmp_path, manager):
    """Ready when it looks, alive while it waits, reading again on SIGHUP, at its end on SIGTERM."""
    (tmp_path / "in").mkdir()
    places = ["in", "--out-dir", "out", "--archive", "archive", "--state", "ledger.db", "--every", "1s"]
    watcher = subprocess.Popen(
        [sys.executable, "-m", "edi_checker", "watch", *places, "--workers", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WATCHDOG_USEC": "400000"},
        stderr=subprocess.PIPE,
        text=True,
    )
    manager.settimeout(60)

    def hear():
        return manager.recv(1000).decode().partition("\n")[0]

    try:
        assert hear() == "READY=1"
        assert [hear(), hear()] == ["WATCHDOG=1", "WATCHDOG=1"]
        watcher.send_signal(signal.SIGHUP)
        heard = []
        while "READY=1" not in heard:
            heard.append(hear())
        assert heard[-2:] == ["RELOADING=1", "READY=1"]
        watcher.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in heard:
            heard.append(hear())
        assert watcher.wait(60) == 0
    finally:
        watcher.kill()
        watcher.communicate()
