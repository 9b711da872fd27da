"""The command line: arguments and exit codes; all else is done below."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn, TextIO

import click

# Everything else is imported where it is used: `--help` must answer at once.
if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.checker import Checker, Isolation
    from edi_checker.engine import Kind
    from edi_checker.minutes import Minutes
    from edi_checker.reports.json_report import JsonReport
    from edi_checker.reports.ndjson import NdjsonReport
    from edi_checker.reports.text import TextReport
    from edi_checker.rules import Rule, Rulebook
    from edi_checker.run import Files, Result, Watcher
    from edi_checker.source import Input

CHECKED, FOUND, COULD_NOT, INTERRUPTED = 0, 1, 2, 130
BIG = 1 << 22  # bytes from which a progress bar is worth showing
PIPE_WIDTH = 100  # columns of a text that goes to no terminal


class Refusal(click.ClickException):
    """The run cannot begin or go on: one message, exit code 2."""

    exit_code = COULD_NOT

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"edi-checker: {self.format_message()}", file=file or sys.stderr)


class Commands(click.Group):
    """Takes a command's result for the exit code; ends quietly where output or patience are gone."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _silence()
            code = COULD_NOT
        except KeyboardInterrupt:
            _silence()
            click.echo("edi-checker: interrupted", err=True)
            code = INTERRUPTED
        except OSError as error:
            _silence()
            raise Refusal(f"the output cannot be written: {error.strerror}") from None
        ctx.exit(code or CHECKED)


def _silence() -> None:
    """Send what standard output still holds nowhere, so that the interpreter's last flush does not fail."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def main() -> NoReturn:
    """Run the command and leave the process with its exit code, 130 after Ctrl-C."""
    # As on Ctrl-C, half-written files are taken away.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(commands.main(prog_name="edi-checker"))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("edi-checker")
    except PackageNotFoundError:
        return "0"


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"edi-checker {_version()}")
        ctx.exit()


def _configure(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    """Let the configuration file give the defaults of this command's options."""
    from edi_checker.config import ConfigError, find_config, read_config, take_defaults

    if ctx.resilient_parsing:
        return
    try:
        file = value or find_config(Path.cwd())
        if file is not None:
            table = read_config(file, commands.commands.keys()).get(ctx.info_name or "", {})
            ctx.default_map = take_defaults(ctx, file, table)
    except ConfigError as error:
        raise Refusal(str(error)) from None


_config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_configure,
    metavar="PATH",
    help="Read options from this file instead of the next edi-checker.toml, from this folder upward.",
)
_rules_option = click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A folder of rule files or one rule file, besides those that come with the checker.",
)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": PIPE_WIDTH},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def commands() -> None:
    """Check X12 837P professional claims before they are sent."""


@commands.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "ndjson"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write the report to this file instead of standard output.",
)
@click.option("--acks", is_flag=True, help="Write the answers TA1, 999 and 277CA into --out-dir.")
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the files of each input: NAME.json; with --acks NAME.999, NAME.277ca and NAME.ta1.",
)
@click.option(
    "--profile",
    type=click.Choice(["auto", "medicare", "medicaid", "commercial"]),
    default="auto",
    show_default=True,
    help="Whose expectations the claims are held to; auto goes by the payer of each claim.",
)
@_rules_option
@click.option(
    "--select", multiple=True, metavar="ID,..", help="Apply these rules only; therapy is all therapy.*."
)
@click.option("--ignore", multiple=True, metavar="ID,..", help="Leave these rules out.")
@click.option(
    "--minutes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Minutes of treatment (CSV: claim,line,minutes); else NAME.minutes.csv beside each input.",
)
@click.option(
    "--received",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Date of receipt.  [default: today]",
)
@click.option(
    "--isolation",
    type=click.Choice(["claim", "transaction"]),
    default="claim",
    show_default=True,
    help="What an error of structure within a claim rejects.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="The severity from which on the exit code is 1.",
)
@click.option(
    "--engine",
    type=click.Choice(["durable", "python"]),
    default="durable",
    show_default=True,
    help="What decides the rules; the findings are the same.",
)
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@_config_option
def check(
    paths: tuple[str, ...],
    form: str,
    output: Path | None,
    acks: bool,
    out_dir: Path | None,
    profile: str,
    folders: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    minutes: Path | None,
    received: datetime | None,
    isolation: Isolation,
    fail_on: str,
    engine: Kind,
    no_progress: bool,
    debug: bool,
) -> int:
    """Check claim files: what is wrong, where, and how to mend it.

    FILE is an 837P file, a folder of them, a .gz or .zip archive, or - for standard input.

    Exit code: 0 nothing found at or above --fail-on, 1 something found, 2 something could not be checked.
    With several files the highest counts.
    """
    if acks and out_dir is None:
        raise click.UsageError("--acks needs --out-dir, the folder for the answers.")
    checker = _make_checker(
        rulebook=_load_rules(folders, select, ignore),
        kind=engine,
        minutes=_read_minutes(minutes) if minutes is not None else None,
        profile=profile,
        received=received,
        isolation=isolation,
    )

    from edi_checker.run import Files, check_input
    from edi_checker.source import find_inputs, name_outputs

    inputs = list(find_inputs(paths))
    names = name_outputs(inputs)
    files = Files(out_dir, acks, _version()) if out_dir is not None else None
    if minutes is None:
        for source in inputs:
            # A malformed one stops the run before anything is written.
            _ = source.minutes and _read_minutes(source.minutes)
    _prepare_outputs(inputs, names, files, output)
    with_bar = not no_progress and sys.stderr.isatty()
    code = CHECKED
    with _open_report(output) as out:
        report = _make_report(form, out, checker)
        for source, name in zip(inputs, names, strict=True):
            watcher = _watch(source, with_bar, debug)
            result = check_input(checker, source, name, report=report, files=files, watcher=watcher)
            for trouble in result.troubles:
                click.echo(f"edi-checker: {source.path}: {trouble}", err=True)
            code = max(code, _exit_code(result, fail_on))
        report.finish()
        out.flush()
    if checker.engine.note:
        click.echo(f"edi-checker: {checker.engine.note}", err=True)
    return code


def _make_checker(
    *,
    rulebook: Rulebook,
    kind: Kind,
    minutes: Minutes | None,
    profile: str,
    received: datetime | None,
    isolation: Isolation,
) -> Checker:
    from datetime import date

    from edi_checker.checker import Checker
    from edi_checker.engine import Engine
    from edi_checker.facts import Circumstances
    from edi_checker.guide import load
    from edi_checker.profile import BUILT_IN
    from edi_checker.tables import built_in

    day = received.date() if received is not None else date.today()  # noqa: DTZ011  # the day at the user's desk
    return Checker(
        guide=load(),
        engine=Engine(rulebook, kind),
        circumstances=Circumstances(
            received=day.year * 10000 + day.month * 100 + day.day,
            tables=built_in(),
            minutes=minutes,
            profile=BUILT_IN.get(profile),
        ),
        isolation=isolation,
    )


def _load_rules(
    folders: tuple[Path, ...], select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> Rulebook:
    from edi_checker.rules import RuleError, load

    try:
        return load(folders).keep(_split(select), _split(ignore))
    except RuleError as error:
        raise Refusal(str(error)) from None
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _split(lists: tuple[str, ...]) -> list[str]:
    return [name.strip() for names in lists for name in names.split(",") if name.strip()]


def _read_minutes(path: Path) -> Minutes:
    from edi_checker.minutes import MinutesError, read_minutes

    try:
        return read_minutes(path)
    except MinutesError as error:
        raise Refusal(str(error)) from None


def _prepare_outputs(inputs: list[Input], names: list[str], files: Files | None, output: Path | None) -> None:
    """Make the folder, and refuse before anything is written where a file to check would be written over."""
    targets = [output] if output is not None else []
    if files is not None:
        try:
            files.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(f"{files.folder}: the folder cannot be made: {error.strerror}") from None
        for name in names:
            targets += files.paths(name)
    sources = {source.file.resolve() for source in inputs if source.file is not None}
    for target in targets:
        if target.resolve() in sources:
            raise Refusal(f"{target}: this file to check would be written over")


@contextlib.contextmanager
def _open_report(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        # What the terminal cannot show must not end the run.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper in every process
        yield sys.stdout
        return
    from edi_checker.output import open_text, write_whole

    try:
        with write_whole(output) as stream, open_text(stream) as text:
            yield text
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refusal(f"{output}: cannot be written: {error.strerror}") from None


def _make_report(form: str, out: TextIO, checker: Checker) -> JsonReport | NdjsonReport | TextReport:
    received, tables = checker.circumstances.received, list(checker.circumstances.tables.versions())
    if form == "json":
        from edi_checker.reports.json_report import JsonReport

        return JsonReport(out, version=_version(), received=received, tables=tables)
    if form == "ndjson":
        from edi_checker.reports.ndjson import NdjsonReport

        return NdjsonReport(out)
    from edi_checker.reports.text import TextReport, marks_for

    terminal = out.isatty()
    return TextReport(
        out,
        width=_width() if terminal else PIPE_WIDTH,
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        marks=marks_for(out.encoding),
        tables=tables,
    )


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _watch(source: Input, with_bar: bool, debug: bool) -> Watcher:
    """Shows the progress of a long reading on standard error, and tracebacks to those who ask for them."""
    from edi_checker.run import Watcher

    crash = _show_crash if debug else _keep_crash
    if not with_bar or (source.size is not None and source.size < BIG):
        return Watcher(lambda _: None, lambda: None, crash)
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


def _exit_code(result: Result, fail_on: str) -> int:
    summary = result.summary
    if summary.outcome == "not_checked" or result.troubles:
        return COULD_NOT
    errors, warnings = summary.severities["error"], summary.severities["warning"]
    found = {"error": errors, "warning": errors + warnings}.get(fail_on, 0)
    return FOUND if found else CHECKED


@commands.command()
@click.argument("rule_id", metavar="RULE_ID")
@_rules_option
@_config_option
def explain(rule_id: str, folders: tuple[Path, ...]) -> None:
    """Say why a rule exists, what it asks for, since when, and how it is answered."""
    from edi_checker.reports.rule_page import write_page

    try:
        rule = _load_rules(folders)[rule_id]
    except KeyError:
        raise click.UsageError(f"No rule is called {rule_id}; `edi-checker rules` lists them.") from None
    click.echo(write_page(rule, min(_width(), PIPE_WIDTH)), nl=False)


@commands.command()
@click.argument("action", type=click.Choice(["list", "lint", "test"]), default="list")
@_rules_option
@_config_option
def rules(action: str, folders: tuple[Path, ...]) -> int:
    """List the rules, say what their files lack, or try their examples.

    With --rules, lint and test look at the rules given there alone. Exit code: 0 all is well, 1 something is
    wanting, 2 a file is no rule.
    """
    book = _load_rules(folders)
    own = [rule for rule in book.rules if not folders or rule.path.startswith(tuple(map(str, folders)))]
    if action == "list":
        from edi_checker.reports.rule_page import list_rules

        click.echo(list_rules(book.rules), nl=False)
        return CHECKED
    complaints = _lint(own) if action == "lint" else _try_examples(book, own)
    for complaint in complaints:
        click.echo(complaint)
    click.echo(f"{len(own)} rules, {len(complaints) or 'nothing'} to complain of")
    return FOUND if complaints else CHECKED


def _lint(chosen: list[Rule]) -> list[str]:
    from edi_checker.rules import lint

    return [str(fault) for rule in chosen for fault in lint(rule)]


def _try_examples(book: Rulebook, chosen: list[Rule]) -> list[str]:
    from edi_checker.examples import ExampleError, try_examples

    checker = _make_checker(
        rulebook=book, kind="durable", minutes=None, profile="auto", received=None, isolation="claim"
    )
    complaints = []
    for rule in chosen:
        try:
            complaints += [f"{rule.path}: {complaint}" for complaint in try_examples(checker, rule)]
        except ExampleError as error:
            complaints.append(f"{rule.path}: {error}")
        except Exception as error:  # noqa: BLE001  # notation can be wrong in more ways than anyone foresees
            complaints.append(f"{rule.path}: an example cannot be read ({type(error).__name__})")
    return complaints
