"""What a watcher says of its work, for people or for programs; nothing that stands in a file."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Literal

import structlog

from edi_checker.files.names import escape

Form = Literal["console", "json"]


class Log:
    """Events with their values; with `hide_names` a file is its id alone: a name may say who a patient is."""

    def __init__(self, form: Form, *, hide_names: bool) -> None:
        self._hide_names = hide_names
        self._lost = 0
        last: Any = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=12)
        )
        self._logger = structlog.wrap_logger(
            _Stream(),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=False),
                last,
            ],
        )

    def say(self, event: str, *, name: str = "", trouble: bool = False, **values: Any) -> None:
        """One event; `name` is that of a file. It says how many before it could not be written."""
        if name and not self._hide_names:
            values["name"] = escape(name)
        values["lines_lost"] = self._lost or None
        said = {key: value for key, value in values.items() if value not in ("", None)}
        is_written = (self._logger.warning if trouble else self._logger.info)(event, **said)
        self._lost = 0 if is_written else self._lost + 1


class _Stream:
    """Standard error, for structlog; a log that cannot be written does not end the work that it tells of.

    Nothing is kept in a buffer: what could not be written would come again with each line that follows, and
    fail the process when it ends.
    """

    def __init__(self) -> None:
        buffer: Any = getattr(sys.stderr, "buffer", None)  # none where a caller has put text in its place
        self._raw = getattr(buffer, "raw", buffer)
        self._is_cut = False  # whether the last that was written is a part of a line

    def write(self, line: str) -> bool:
        """Whether the line was written as a whole."""
        if self._raw is None:
            return bool(sys.stderr.write(f"{line}\n"))
        data = f"{line}\n".encode(errors="backslashreplace")
        if self._is_cut:
            data = b"\n" + data
        done = 0
        with contextlib.suppress(OSError):
            while done < len(data) and (count := self._raw.write(data[done:])):
                done += count
        if done:
            self._is_cut = done < len(data)
        return done == len(data)

    info = warning = write  # as structlog calls it
