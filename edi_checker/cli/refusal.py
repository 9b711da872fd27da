"""Reports that a run cannot start or go on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from edi_checker.cli.exit_codes import COULD_NOT
from edi_checker.files.names import escape

DEBUG = "edi_checker.debug"  # key in click's notes on a run: whether tracebacks are asked for


class Refusal(click.ClickException):
    """The run cannot begin or go on: one message, exit code 2."""

    exit_code = COULD_NOT

    def show(self, file: IO[Any] | None = None) -> None:
        # A message may name a file, and a file's name may hold what moves the cursor.
        said = "\n".join(map(escape, self.format_message().split("\n")))
        click.echo(f"edi-checker: {said}", file=file or sys.stderr)


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse the command where what its options name cannot be used."""
    from edi_checker.run.setting import SettingError, UnknownRule

    try:
        yield
    except UnknownRule as error:
        raise click.UsageError(f"{error} `edi-checker rules` lists all.") from None
    except SettingError as error:
        raise Refusal(str(error)) from None
