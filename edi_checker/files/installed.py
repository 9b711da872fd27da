"""Whether an installed package may name a group of entry points: importlib.metadata takes longer to load."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder


def may_have_entry_points(group: str) -> bool:
    """False where surely none has; True also where a package lies elsewhere than in a folder of sys.path."""
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return True
    return any(_may_name(folder or ".", f"[{group}]".encode()) for folder in dict.fromkeys(sys.path))


def _may_name(folder: str, heading: bytes) -> bool:
    try:
        names = os.listdir(folder)  # noqa: PTH208  # as below
    except FileNotFoundError:
        return False
    except OSError:  # an archive, perhaps
        return True
    for name in names:
        low = name.lower()
        if low.endswith(".egg"):
            return True
        if low.endswith((".dist-info", ".egg-info")) and heading in _read(
            os.path.join(folder, name, "entry_points.txt")  # noqa: PTH118  # a Path takes as long as the rest
        ):
            return True
    return False


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:
        return b""
