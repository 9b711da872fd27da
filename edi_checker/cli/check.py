"""The command `check`: claim files, what is wrong with them, and their answers."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from edi_checker.cli.assembly import assemble, make_limits, make_redactor, setting_of_run
from edi_checker.cli.exit_codes import CHECKED, COULD_NOT, code_of
from edi_checker.cli.help import Explained
from edi_checker.cli.history import find_history
from edi_checker.cli.options import (
    Shared,
    bounding_options,
    choosing_options,
    history_options,
    running_options,
)
from edi_checker.cli.outputs import keep_apart, open_folder, open_report
from edi_checker.cli.progress import watch
from edi_checker.cli.terminal import PIPE_WIDTH, wants_colour, width_of_terminal
from edi_checker.cli.version import engine as installed_engine
from edi_checker.cli.version import version
from edi_checker.files.names import escape

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.check.engine import Kind
    from edi_checker.reports.html import HtmlReport
    from edi_checker.rules import Rulebook
    from edi_checker.run import Report, Result

# Of --format; _make_page makes html, _make_report the others.
FORMS = ("text", "json", "ndjson", "csv", "html")


@click.command(cls=Explained)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    show_default=True,
    help="Form of the report.",
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
    output: Path | None,
    acks: bool,
    split: bool,
    out_dir: Path | None,
    engine: Kind,
    history: str | None,
    history_key: Path | None,
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
    if quiet and (form != "text" or verbose or tables_used):
        raise click.UsageError("--quiet is for the text report, without --verbose and --tables-used.")
    checker, book = assemble(setting_of_run(shared, engine, timed=stats))
    earlier = find_history(history, history_key, paths)

    from edi_checker.files.inputs import find_inputs, name_outputs
    from edi_checker.history import Opener
    from edi_checker.run import Files, check_input

    inputs = list(find_inputs(paths, shared.max_unpacked))
    names = name_outputs(inputs)
    with_bar = not shared.no_progress and not quiet and sys.stderr.isatty()
    code, skipped = CHECKED, 0
    redactor = make_redactor() if shared.redact else None
    limits = make_limits(shared)
    with contextlib.ExitStack() as stack:
        files = None
        if out_dir is not None:
            folder = open_folder(out_dir, inputs, stack)
            files = Files(folder, acks, version(), book.rules, split=split)
        keep_apart(inputs, names, files, output)
        out = stack.enter_context(open_report(output, form))
        page = _make_page(out, checker, book) if form == "html" else None
        shown = "quiet" if quiet else form
        report = _make_report(shown, out, checker, verbose or tables_used) if page is None else None
        ledger = stack.enter_context(Opener(earlier)) if earlier is not None else None
        for source, name in zip(inputs, names, strict=True):
            result = check_input(
                checker,
                source,
                name,
                report=report,
                page=page,
                files=files,
                watcher=watch(source, with_bar, shared.debug),
                redactor=redactor,
                limits=limits,
                history=earlier.begin(ledger, checker.setting.received) if earlier and ledger else None,
            )
            for said in (*result.troubles, *result.notes):
                click.echo(f"edi-checker: {source.path}: {escape(said)}", err=True)
            code = max(code, _exit_code(result, shared.fail_on))
            skipped += result.summary.skipped
        if report is not None:
            report.finish()
        if page is not None:
            page.finish()
        out.flush()
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


def _make_page(out: TextIO, checker: Checker, book: Rulebook) -> HtmlReport:
    from edi_checker.reports.html import HtmlReport

    received, tables = checker.setting.received, list(checker.setting.versions())
    return HtmlReport(out, version=version(), received=received, tables=tables, rules=book.rules)


def _make_report(form: str, out: TextIO, checker: Checker, verbose: bool) -> Report:
    if form == "quiet":
        from edi_checker.reports.verdicts import VerdictsReport

        return VerdictsReport(out)
    if form == "csv":
        from edi_checker.reports.csv_report import CsvReport

        return CsvReport(out)
    received, tables = checker.setting.received, list(checker.setting.versions())
    if form == "json":
        from edi_checker.reports.json_report import JsonReport

        return JsonReport(out, version=version(), received=received, tables=tables)
    if form == "ndjson":
        from edi_checker.reports.ndjson import NdjsonReport

        return NdjsonReport(out)
    from edi_checker.reports.text import TextReport, marks_for

    return TextReport(
        out,
        width=width_of_terminal() if out.isatty() else PIPE_WIDTH,
        colour=wants_colour(out),
        marks=marks_for(out.encoding),
        tables=tables,
        verbose=verbose,
    )


def _exit_code(result: Result, fail_on: str) -> int:
    summary = result.summary
    if result.troubles or (summary.outcome == "not_checked" and not summary.skipped):
        return COULD_NOT
    return code_of(summary.severities["error"], summary.severities["warning"], fail_on)
