"""How far a batch is, drawn on a terminal: files, bytes, claims a second, time left."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

_PAUSE = 0.2  # seconds between two drawings


class ProgressBar:
    """Drawn on `out` when `look` is called, without a thread: a process with threads must not fork.

    `total` in bytes; `clock` gives seconds.
    """

    def __init__(self, out: TextIO, total: int, clock: Callable[[], float]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._clock = clock
        self._begin = self._last = clock()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}", markup=False),
            TimeRemainingColumn(),
            console=Console(file=out),
            transient=True,
            auto_refresh=False,
            get_time=clock,
        )
        self._task = self._bar.add_task("", total=total, speed="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def look(self, files: str, done: int, claims: int) -> None:
        """Draw: `files` as text, bytes done, claims checked so far."""
        now = self._clock()
        if now - self._last < _PAUSE:
            return
        self._last = now
        speed = f"{claims / (now - self._begin):,.0f} claims/s" if claims else ""
        self._bar.update(self._task, completed=done, description=files, speed=speed)
        self._bar.refresh()
