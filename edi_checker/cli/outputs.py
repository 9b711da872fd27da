"""Where a run writes: the report to the terminal or into a file, and the folder of its files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edi_checker.cli.refusal import Refusal

if TYPE_CHECKING:
    from edi_checker.files.inputs import Input
    from edi_checker.run import Files


def prepare_outputs(inputs: list[Input], names: list[str], files: Files | None, output: Path | None) -> None:
    """Make the folder, and refuse before anything is written where a file to check would be written over."""
    targets = [output] if output is not None else []
    if files is not None:
        try:
            files.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(f"{files.folder}: the folder cannot be made: {error.strerror}") from None
        for name in names:
            targets += files.paths(name)
    # Path.resolve raises on links that lead to themselves.
    sources = {os.path.realpath(source.file) for source in inputs if source.file is not None}
    for target in targets:
        if os.path.realpath(target) in sources:
            raise Refusal(f"{target}: this file to check would be written over")


@contextlib.contextmanager
def open_report(output: Path | None, form: str) -> Iterator[TextIO]:
    if output is None:
        # What the terminal cannot show must not end the run; a spreadsheet takes UTF-8 and its own line ends.
        how = {"encoding": "utf-8", "newline": ""} if form == "csv" else {}
        sys.stdout.reconfigure(errors="replace", **how)  # type: ignore[union-attr]  # a TextIOWrapper in every process
        yield sys.stdout
        return
    from edi_checker.files.output import open_text, write_whole

    try:
        with write_whole(output) as stream, open_text(stream) as text:
            yield text
    except BrokenPipeError:
        raise
    except FileNotFoundError:
        raise Refusal(f"{output}: cannot be written: there is no folder {output.parent}") from None
    except OSError as error:
        raise Refusal(f"{output}: cannot be written: {error.strerror}") from None
