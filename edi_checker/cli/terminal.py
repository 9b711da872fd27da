"""What the terminal can show."""

from __future__ import annotations

import os
from typing import TextIO

PIPE_WIDTH = 100  # columns of a text that goes to no terminal


def wants_colour(out: TextIO) -> bool:
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of_terminal() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
