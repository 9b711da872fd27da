"""What a watcher says of its work, for people or for programs; nothing that stands in a file."""

from __future__ import annotations

import sys
from typing import Any, Literal

import structlog

from edi_checker.files.names import escape

Form = Literal["console", "json"]


class Log:
    """Events with their values; with `hide_names` a file is its id alone: a name may say who a patient is."""

    def __init__(self, form: Form, *, hide_names: bool) -> None:
        self._hide_names = hide_names
        last: Any = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=12)
        )
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=False),
                last,
            ],
        )

    def say(self, event: str, *, name: str = "", trouble: bool = False, **values: Any) -> None:
        """One event; `name` is that of a file."""
        if name and not self._hide_names:
            values["name"] = escape(name)
        said = {key: value for key, value in values.items() if value not in ("", None)}
        (self._logger.warning if trouble else self._logger.info)(event, **said)
