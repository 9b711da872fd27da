"""What the service manager is told of this process: ready, alive, reading its rules again, at its end.

The protocol of sd_notify(3): lines of text in one datagram to the socket that $NOTIFY_SOCKET names.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

_PATIENCE = 1.0  # a manager that does not read must not hold up the files


def notify(state: str) -> None:
    """Tell the service manager: "READY=1", "WATCHDOG=1", "STOPPING=1", "RELOADING=1" or "STATUS=...".

    Without a service manager nothing is done, and one that cannot be reached is no reason to stop.
    RELOADING=1 is followed by READY=1 when it is over; the time that it needs is added here.
    """
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where[:1] not in ("/", "@"):
        return
    if "RELOADING=1" in state.splitlines():
        state = f"{state}\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
    # A name in the abstract name space begins with a NUL, which no variable can hold.
    address = "\0" + where[1:] if where[0] == "@" else where
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(_PATIENCE)
        channel.sendto(state.encode(), address)


def watchdog_period() -> float | None:
    """Seconds between two WATCHDOG=1: half of what the manager waits. None where it does not wait for this
    process (sd_watchdog_enabled(3)).
    """
    process = os.environ.get("WATCHDOG_PID", "")
    if process and process != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not (microseconds.isascii() and microseconds.isdigit() and int(microseconds)):
        return None
    return int(microseconds) / 2_000_000
