"""Where a run writes: the report to the terminal or into a file, and the folder of its files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from edi_checker.cli.refusal import Refusal

if TYPE_CHECKING:
    from edi_checker.files.folder import OutputFolder
    from edi_checker.files.inputs import Input
    from edi_checker.run.one_input import Files


def open_folder(
    folder: Path, inputs: list[Input], stack: contextlib.ExitStack, *, alone: bool = False
) -> OutputFolder:
    """The folder of a run's files, made where there is none, until the stack is closed."""
    from edi_checker.files.folder import Busy, OutputFolder

    try:
        return stack.enter_context(OutputFolder(folder, alone=alone, inputs=_files_of(inputs)))
    except Busy:
        raise Refusal(f"{folder}: another run is at work in this folder") from None
    except OSError as error:
        raise Refusal(f"{folder}: the folder cannot be made: {error.strerror or error}") from None


def keep_apart(
    inputs: list[Input],
    names: list[str],
    files: Files | None,
    outputs: Sequence[Path],
    baseline: Path | None,
) -> None:
    """Refuse, before anything is written, where one file would be written over another, an input or the
    baseline.
    """
    written = [path for name in names for path in files.paths(name)] if files is not None else []
    sources = _files_of(inputs)
    held = os.path.realpath(baseline) if baseline is not None else None
    targets = [*outputs, *written]
    real = _real_paths(targets)
    for target, path in zip(targets, real, strict=True):
        if path in sources:
            raise Refusal(f"{target}: this file to check would be written over")
        if path == held:
            raise Refusal(f"{target}: the baseline would be written over")
    in_folder = set(real[len(outputs) :])
    for output, path in zip(outputs, real, strict=False):
        if path in in_folder:
            raise Refusal(f"{output}: a file of --out-dir has this name too")


def _real_paths(paths: Sequence[Path]) -> list[str]:
    """Where each path leads: a batch writes many files into few folders, and looks each folder up once."""
    folders: dict[Path, Path] = {}
    found = []
    for path in paths:
        folder = folders.get(path.parent)
        if folder is None:
            folder = folders[path.parent] = Path(os.path.realpath(path.parent))
        leads_on = path.is_symlink() or path.name in ("", "..")
        found.append(os.path.realpath(path) if leads_on else str(folder / path.name))
    return found


def _files_of(inputs: list[Input]) -> set[str]:
    # Path.resolve raises on links that lead to themselves.
    return {os.path.realpath(source.file) for source in inputs if source.file is not None}


@contextlib.contextmanager
def open_report(output: Path | None, form: str) -> Iterator[TextIO]:
    if output is None:
        # What the terminal cannot show must not end the run; a spreadsheet takes UTF-8 and its own line ends.
        how = {"encoding": "utf-8", "newline": ""} if form == "csv" else {}
        sys.stdout.reconfigure(errors="replace", **how)  # type: ignore[union-attr]  # a TextIOWrapper in every process
        yield sys.stdout
        return
    from edi_checker.files.output import open_text

    with _write_output(output) as stream, open_text(stream) as text:
        yield text


@contextlib.contextmanager
def open_binary(output: Path | None) -> Iterator[BinaryIO]:
    """As open_report, for a format that is no text."""
    if output is None:
        if sys.stdout.isatty():
            raise Refusal("this format is no text: name a file with --output, or send it into a pipe")
        yield sys.stdout.buffer
        return
    with _write_output(output) as stream:
        yield stream


@contextlib.contextmanager
def _write_output(output: Path) -> Iterator[BinaryIO]:
    from edi_checker.files.output import write_named

    try:
        with write_named(output) as stream:
            yield stream
    except BrokenPipeError:
        raise
    except FileNotFoundError:
        raise Refusal(f"{output}: cannot be written: there is no folder {output.parent}") from None
    except OSError as error:
        raise Refusal(f"{output}: cannot be written: {error.strerror}") from None
