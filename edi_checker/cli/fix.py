"""The command `fix`: repairs of form in a claim file, written to another file."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import click

from edi_checker.cli.assembly import assemble, make_limits, make_redactor, setting_of_run
from edi_checker.cli.exit_codes import code_of
from edi_checker.cli.help import Explained
from edi_checker.cli.options import Shared, bounding_options, choosing_options, running_options
from edi_checker.cli.refusal import Refusal
from edi_checker.files.names import escape

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.check.fixes import Fixed
    from edi_checker.files.inputs import Input

STDOUT = Path("-")


@click.command(cls=Explained)
@click.argument("path", metavar="FILE")
@click.option("--unsafe", is_flag=True, help="Make also repairs that are probable, but not sure.")
@click.option("--diff", is_flag=True, help="Show what would change, a segment in a line; write nothing.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="PATH",
    help="Write the repaired file here, - for standard output.  [default: NAME.fixed.EXT beside FILE]",
)
@choosing_options
@bounding_options
@running_options
def fix(path: str, unsafe: bool, diff: bool, output: Path | None, shared: Shared) -> int:
    """Repair what is a matter of form alone, and nothing else.

    That is: counts, padding, capitals, the form of dates, hyphens in numbers and the like. No amount, unit,
    modifier, name or meaning of a code is changed. What is repaired is checked again, and a repair that
    brings up another finding is not made. FILE is an 837P file, or - for standard input, which is written to
    standard output.

    Exit code: 0 nothing is left at or above --fail-on, 1 something is left, 2 FILE could not be repaired.
    """
    if diff and output is not None:
        raise click.UsageError("--diff writes nothing: it cannot go with --output.")
    checker, _ = assemble(setting_of_run(shared))

    from edi_checker.reports.repair_list import list_repairs, say_outcome, write_diff

    source = _find_input(path, shared)
    target = _name_output(source, output) if not diff else None
    token = make_redactor().token if shared.redact else None
    said = sys.stderr if target == STDOUT or diff else sys.stdout
    for stream in (sys.stdout, sys.stderr):
        cast(io.TextIOWrapper, stream).reconfigure(
            errors="replace"
        )  # what a terminal cannot show ends no run
    with TemporaryFile() as copy, _fix(checker, source, copy, shared, unsafe=unsafe) as fixed:
        if target is not None:
            _write(fixed, target, named=output is not None)
        if diff:
            write_diff(sys.stdout, source.path, f"{source.path} (fixed)", fixed, token=token)
        else:
            list_repairs(said, fixed, most=shared.max_findings, token=token)
        said.write(f"{source.path}: {say_outcome(fixed, unsafe=unsafe)}\n")
        severities = fixed.severities
    if target is not None and target != STDOUT:
        said.write(f"{escape(str(target))} is written\n")
    if checker.engine.note:
        click.echo(f"edi-checker: {checker.engine.note}", err=True)
    return code_of(severities["error"], severities["warning"], shared.fail_on)


def _find_input(path: str, shared: Shared) -> Input:
    """The file, which must be one and no archive."""
    from edi_checker.files.inputs import STDIN, find_inputs, readable

    inputs = list(find_inputs((path,), shared.max_unpacked))
    source = inputs[0]
    if source.found:
        raise Refusal(f"{readable(path)} is a folder: fix takes one file")
    if path != STDIN and source.path != readable(path):
        raise Refusal(f"{readable(path)} is an archive: unpack it, fix takes one file as it is sent")
    return source


def _name_output(source: Input, output: Path | None) -> Path:
    if output is not None:
        return output
    if source.file is None:
        return STDOUT
    return source.file.with_name(f"{source.file.stem}.fixed{source.file.suffix}")


def _fix(checker: Checker, source: Input, copy: IO[bytes], shared: Shared, *, unsafe: bool) -> Fixed:
    """The file with its repairs, by way of a copy, which does not change while it is read more than once.

    Raises Refusal, with the reason why it cannot be repaired.
    """
    from edi_checker.check.fixes import CannotFix
    from edi_checker.files.inputs import Unreadable
    from edi_checker.run.one_input import TookTooLong, with_minutes
    from edi_checker.run.repairing import repair_input

    look = make_limits(shared).timer()
    try:
        checker = with_minutes(checker, source)
        return repair_input(checker, source, copy, look, unsafe=unsafe)
    except (CannotFix, TookTooLong, Unreadable) as error:
        raise Refusal(f"{source.path}: nothing is repaired: {error}") from None


def _write(fixed: Fixed, target: Path, *, named: bool) -> None:
    fixed.content.seek(0)
    try:
        with _opened(target, named=named) as out:
            shutil.copyfileobj(fixed.content, out)
    except BrokenPipeError:
        raise
    except FileNotFoundError:
        raise Refusal(f"{target}: cannot be written: there is no folder {target.parent}") from None
    except OSError as error:
        raise Refusal(f"{target}: cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _opened(target: Path, *, named: bool) -> Iterator[BinaryIO]:
    from edi_checker.files.output import write_named, write_whole

    if target == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # A link at a name that the user did not give is replaced, not followed.
    with write_named(target) if named else write_whole(target) as out:
        yield out
