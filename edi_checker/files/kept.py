"""What the program worked out once, kept in the cache of its user with a digest that says it is whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from edi_checker.files.output import open_own, write_whole

_MAX_BYTES = 1 << 25
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def cache_folder() -> Path | None:
    """Where it is kept; None where a user has no such place."""
    try:
        from platformdirs import user_cache_path

        return user_cache_path("edi-checker")
    except (ImportError, OSError, RuntimeError):
        return None


def read_kept(path: Path) -> bytes | None:
    """What `keep` wrote; None where there is none, a damaged one, or one that others could have written."""
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
            held = os.fstat(file.fileno())
            if not _is_own(held):
                return None
            # A read sets aside as much room as it may take.
            digest, text = file.readline(80).strip(), file.read(min(held.st_size, _MAX_BYTES))
    except (OSError, ValueError):
        return None
    return text if hashlib.sha256(text).hexdigest().encode() == digest else None


def keep(path: Path, text: bytes) -> None:
    """Write it beside `path` and rename it there; a folder that cannot be written is no fault."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as out:
            out.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def _is_own(file: os.stat_result) -> bool:
    """Whether this user alone can have written it. Windows keeps others out of the folder itself."""
    return os.name == "nt" or (file.st_uid == os.geteuid() and not file.st_mode & _OTHERS_WRITE)
