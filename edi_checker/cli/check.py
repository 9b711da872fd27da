"""The command `check`: claim files, what is wrong with them, and their answers."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import click

from edi_checker.cli.assembly import (
    assemble,
    find_baseline,
    make_limits,
    make_redactor,
    say_hidden,
    setting_of_run,
)
from edi_checker.cli.exit_codes import CHECKED, COULD_NOT, code_of
from edi_checker.cli.formats import FORMATS, QUIET, STATISTICS, About
from edi_checker.cli.help import Explained
from edi_checker.cli.history import find_history
from edi_checker.cli.options import (
    Shared,
    baseline_option,
    bounding_options,
    choosing_options,
    history_options,
    running_options,
)
from edi_checker.cli.outputs import keep_apart, open_binary, open_folder, open_report
from edi_checker.cli.progress import watch
from edi_checker.cli.version import engine as installed_engine
from edi_checker.cli.version import version
from edi_checker.files.names import escape

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.check.engine import Kind
    from edi_checker.reports.html import HtmlReport
    from edi_checker.run.one_input import Result


@click.command(cls=Explained)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="Format of the report.",
)
@click.option(
    "--statistics",
    "with_statistics",
    is_flag=True,
    help="Show instead what each rule costs: findings, claims, and the charges of those that it rejects.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write the report to this file instead of standard output.",
)
@click.option("--acks", is_flag=True, help="Write the answers TA1, 999 and 277CA into --out-dir.")
@click.option(
    "--split",
    is_flag=True,
    help="Write the claims to --out-dir: NAME.clean.837 to send, NAME.rejected.837 to fix.",
)
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the files of each input: NAME.json, NAME.html; with --acks also .999, .277ca and .ta1.",
)
@choosing_options
@baseline_option
@click.option(
    "--engine",
    type=click.Choice(["durable", "python"]),
    default="durable",
    show_default=True,
    help="What decides the rules; the findings are the same.",
)
@history_options
@bounding_options
@click.option("--quiet", "-q", is_flag=True, help="Print one line for each file; no progress bar.")
@click.option("--verbose", "-v", is_flag=True, help="Also show the tables used, and the engine that decided.")
@click.option("--tables-used", is_flag=True, help="Show the tables used, with their releases.")
@click.option("--stats", is_flag=True, help="Show on standard error what each rule did and how long it took.")
@running_options
def check(
    paths: tuple[str, ...],
    form: str,
    with_statistics: bool,
    output: Path | None,
    acks: bool,
    split: bool,
    out_dir: Path | None,
    engine: Kind,
    history: str | None,
    history_key: Path | None,
    baseline_file: Path | None,
    quiet: bool,
    verbose: bool,
    tables_used: bool,
    stats: bool,
    shared: Shared,
) -> int:
    """Check claim files: what is wrong, where, and how to fix it.

    FILE is an 837P file, a folder of them, a .gz or .zip archive, or - for standard input.

    Exit code: 0 nothing found at or above --fail-on, 1 something found, 2 something could not be checked.
    With several files the highest counts.
    """
    if acks and out_dir is None:
        raise click.UsageError("--acks needs --out-dir, the folder for the answers.")
    if split and out_dir is None:
        raise click.UsageError("--split needs --out-dir, the folder for the two files.")
    if split and shared.redact:
        raise click.UsageError("--split writes the claims as they are: it cannot go with --redact.")
    if quiet and (form != "text" or verbose or tables_used or with_statistics):
        raise click.UsageError("--quiet is for the text report alone, without --verbose or --statistics.")
    making = QUIET if quiet else (STATISTICS if with_statistics else FORMATS).get(form)
    if making is None:
        raise click.UsageError(f"--statistics goes with --format {' or '.join(STATISTICS)}.")
    checker, book = assemble(setting_of_run(shared, engine, timed=stats))
    earlier, baseline = find_history(history, history_key, paths), find_baseline(baseline_file)

    from edi_checker.files.inputs import find_inputs, name_outputs
    from edi_checker.run.one_input import Files, check_input

    inputs = list(find_inputs(paths, shared.max_unpacked))
    names = name_outputs(inputs)
    with_bar = not shared.no_progress and not quiet and sys.stderr.isatty()
    code, skipped, hidden = CHECKED, 0, 0
    redactor = make_redactor() if shared.redact else None
    limits = make_limits(shared)
    with contextlib.ExitStack() as stack:
        files = None
        if out_dir is not None:
            folder = open_folder(out_dir, inputs, stack)
            files = Files(folder, acks, version(), book.rules, split=split)
        keep_apart(inputs, names, files, [output] if output is not None else [], baseline_file)
        out: TextIO | BinaryIO
        if making.binary:
            out = stack.enter_context(open_binary(output))
        else:
            out = stack.enter_context(open_report(output, form))
        received, tables = checker.setting.received, list(checker.setting.versions())
        about = About(version(), received, tables, book.rules, verbose=verbose or tables_used)
        report = making.make(out, about)
        page = cast("HtmlReport", report) if form == "html" else None
        ledger = None
        if earlier is not None:
            from edi_checker.run.history import Opener

            ledger = stack.enter_context(Opener(earlier))
        for source, name in zip(inputs, names, strict=True):
            result = check_input(
                checker,
                source,
                name,
                report=report if page is None else None,
                page=page,
                files=files,
                watcher=watch(source, with_bar, shared.debug),
                redactor=redactor,
                limits=limits,
                history=earlier.begin(ledger, checker.setting.received) if earlier and ledger else None,
                known=baseline.of(source.path) if baseline is not None else None,
            )
            for said in (*result.troubles, *result.notes):
                click.echo(f"edi-checker: {source.path}: {escape(said)}", err=True)
            code = max(code, _exit_code(result, shared.fail_on))
            skipped += result.summary.skipped
            hidden += result.summary.hidden
        report.finish()
        out.flush()
    say_hidden(hidden)
    if skipped == len(inputs):
        click.echo("edi-checker: none of the files is a claim file", err=True)
        code = COULD_NOT
    if checker.engine.note and (checker.engine.fallbacks or _is_asked_for("engine")):
        click.echo(f"edi-checker: {checker.engine.note}", err=True)
    if stats:
        _print_stats(checker)
    if verbose or stats:
        click.echo(_say_engine(checker), err=True)
    return code


def _is_asked_for(option: str) -> bool:
    """Whether the option was given, on the command line or in the configuration file."""
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


def _say_engine(checker: Checker) -> str:
    """Which engine decided in this run."""
    return (
        installed_engine()
        if checker.engine.kind == "durable"
        else "Rules are decided by the checker's own engine."
    )


def _print_stats(checker: Checker) -> None:
    ways = checker.engine.ways
    click.echo(f"claims judged by their pieces: {ways['pieces']}, as a whole: {ways['whole']}", err=True)
    click.echo(f"{'rule':36}{'applied':>10}{'fired':>10}{'seconds':>10}", err=True)
    for run in checker.engine.runs():
        click.echo(f"{run.rule:36}{run.applied:>10}{run.fired:>10}{run.seconds:>10.4f}", err=True)


def _exit_code(result: Result, fail_on: str) -> int:
    summary = result.summary
    if result.troubles or (summary.outcome == "not_checked" and not summary.skipped):
        return COULD_NOT
    return code_of(summary.severities["error"], summary.severities["warning"], fail_on)
