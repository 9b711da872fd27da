"""Reports that a run cannot start or go on."""

from __future__ import annotations

import sys
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
