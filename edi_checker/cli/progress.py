"""Progress bars on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edi_checker.files.inputs import Input
    from edi_checker.run.one_input import Watcher

BIG = 1 << 22  # bytes from which a progress bar is worth showing


@contextlib.contextmanager
def show_bar(title: str, size: int, shown: bool) -> Iterator[Callable[[int], None]]:
    if not shown or size < BIG:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=size)
        yield lambda position: progress.update(task, completed=position)


def watch(source: Input, with_bar: bool, debug: bool) -> Watcher:
    """Shows the progress of a long reading on standard error, and tracebacks with --debug."""
    from edi_checker.run.one_input import Watcher

    crash = _show_crash if debug else _keep_crash
    if not with_bar or (source.size is not None and source.size < BIG):
        return Watcher(crash=crash)
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(source.path, total=source.size)
    bar.start()
    return Watcher(lambda position: bar.update(task, completed=position), bar.stop, crash)


def _show_crash(error: Exception) -> None:
    import traceback

    traceback.print_exception(error)


def _keep_crash(error: Exception) -> None:
    """Say no more than the report does."""


@contextlib.contextmanager
def watch_batch(inputs: list[Input], *, with_bar: bool) -> Iterator[Callable[[int, int, int], None]]:
    """Shows the progress of a batch on standard error; see batch.session.Look."""
    if not with_bar:
        yield lambda *_: None
        return
    import time

    from edi_checker.batch.progress import ProgressBar

    total = sum(source.size or 0 for source in inputs)
    with ProgressBar(sys.stderr, total, time.monotonic) as bar:
        yield lambda files, done, claims: bar.look(f"{files:,} of {len(inputs):,} files", done, claims)
