"""The command `facts`: claims and findings as tables, for analysts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.assembly import assemble, make_limits, setting_of
from edi_checker.cli.exit_codes import CHECKED, COULD_NOT
from edi_checker.cli.help import Explained
from edi_checker.cli.options import (
    Checking,
    all_findings_options,
    config_option,
    debug_option,
    deciding_options,
    minutes_option,
    received_option,
)
from edi_checker.cli.outputs import keep_apart, open_folder
from edi_checker.cli.progress import watch
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.version import version
from edi_checker.files.names import escape

if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.check.checker import Checker
    from edi_checker.files.folder import Stage
    from edi_checker.files.inputs import Input
    from edi_checker.reports.parquet_tables import ParquetTables
    from edi_checker.run.one_input import Limits, Watcher


@click.command(cls=Explained)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--to", type=click.Choice(["parquet"]), default="parquet", show_default=True, help="Form of the tables."
)
@click.option(
    "--out-dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for files.parquet, claims.parquet, lines.parquet, diagnoses.parquet, payers.parquet and "
    "findings.parquet.",
)
@click.option(
    "--with-phi",
    is_flag=True,
    help="Also write what identifies patients: names, birth dates, member ids, numbers of claims.",
)
@deciding_options
@minutes_option
@received_option
@all_findings_options
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@debug_option
@config_option
def facts(
    paths: tuple[str, ...],
    to: str,
    out_dir: Path,
    with_phi: bool,
    minutes: Path | None,
    received: datetime | None,
    no_progress: bool,
    debug: bool,
    checking: Checking,
) -> int:
    """Write claims, lines, diagnoses, payers and findings as tables.

    FILE is an 837P file, a folder of them, a .gz or .zip archive, or - for standard input. The tables appear
    together, when all files are read; docs/fact-tables.md lists their columns.

    Exit code: 0 all files are in the tables, 2 one of them could not be checked: the table files says why.
    """
    from edi_checker.files.inputs import find_inputs
    from edi_checker.reports.fact_tables import TABLES
    from edi_checker.x12.dates import from_date

    day = from_date(received) if received is not None else None
    checker, _ = assemble(replace(setting_of(checking), minutes=minutes, received=day))
    inputs = list(find_inputs(paths, checking.max_unpacked))
    _refuse_twice(inputs)
    names = [f"{name}.{to}" for name in TABLES]
    with contextlib.ExitStack() as stack:
        folder = open_folder(out_dir, inputs, stack)
        keep_apart(inputs, [], None, [out_dir / name for name in names], None)
        try:
            stage = stack.enter_context(folder.stage())
            with _opened(stage, to, checker.setting.received, with_phi=with_phi) as tables:
                with_bar = not no_progress and sys.stderr.isatty()
                watching = partial(watch, with_bar=with_bar, debug=debug)
                limits = make_limits(checking)
                code = _read(checker, limits, tables, inputs, watching, with_phi=with_phi)
        except OSError as error:
            raise Refusal(f"{out_dir}: the tables cannot be written: {error.strerror or error}") from None
        troubles = folder.publish(stage, "", names, ()).troubles
    for trouble in troubles:
        click.echo(f"edi-checker: {trouble}", err=True)
    if troubles:
        return COULD_NOT
    for name, rows in tables.rows.items():
        click.echo(f"{escape(str(out_dir / name))}.{to}  {rows:,} rows")
    return code


def _refuse_twice(inputs: Sequence[Input]) -> None:
    """The path is the key of a file: rows of two that have the same could not be told apart."""
    seen = set()
    for source in inputs:
        if source.path in seen:
            raise Refusal(f"{source.path}: it is there twice; each file can be in the tables once")
        seen.add(source.path)


@contextlib.contextmanager
def _opened(stage: Stage, to: str, received: int, *, with_phi: bool) -> Iterator[ParquetTables]:
    from edi_checker.reports.fact_tables import TABLES, columns_of
    from edi_checker.reports.parquet_tables import ParquetTables

    with contextlib.ExitStack() as stack:
        streams = {
            name: (columns_of(name, with_phi=with_phi), stack.enter_context(stage.write(f"{name}.{to}")))
            for name in TABLES
        }
        try:
            tables = ParquetTables(streams, version=version(), received=received)
        except ModuleNotFoundError:
            raise Refusal("facts --to parquet needs pyarrow: pip install 'edi-checker[parquet]'") from None
        with tables:
            yield tables


def _read(
    checker: Checker,
    limits: Limits,
    tables: ParquetTables,
    inputs: Sequence[Input],
    watcher: Callable[[Input], Watcher],
    *,
    with_phi: bool,
) -> int:
    """Check the inputs and fill the tables; gives the exit code. Raises OSError."""
    from edi_checker.reports.fact_tables import FactTables
    from edi_checker.run.one_input import check_input

    report = FactTables(tables.add, checker.setting.profile_of, with_phi=with_phi)
    code, skipped = CHECKED, 0
    for source in inputs:
        report.begin(source.path)
        summary = check_input(
            checker,
            source,
            source.name,
            report=report,
            files=None,
            watcher=watcher(source),
            limits=limits,
            listener=report.listen,
        ).summary
        skipped += summary.skipped
        if summary.reason is not None:
            click.echo(f"edi-checker: {source.path}: {escape(summary.reason)}", err=True)
        if summary.outcome == "not_checked" and not summary.skipped:
            code = COULD_NOT
    report.finish()
    if skipped == len(inputs):
        click.echo("edi-checker: none of the files is a claim file", err=True)
        code = COULD_NOT
    return code
