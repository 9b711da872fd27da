"""The command line: arguments and exit codes; all else is done below."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, NoReturn, TextIO, cast

import click

# Everything else is imported where it is used: `--help` must answer at once.
if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.checker import Checker
    from edi_checker.engine import Kind
    from edi_checker.minutes import Minutes
    from edi_checker.plugins import Plugins
    from edi_checker.profile import Choice, Isolation, Profile
    from edi_checker.profile_file import Profiles
    from edi_checker.redact import Redactor
    from edi_checker.reports.csv_report import CsvReport
    from edi_checker.reports.html import HtmlReport
    from edi_checker.reports.json_report import JsonReport
    from edi_checker.reports.ndjson import NdjsonReport
    from edi_checker.reports.rule_page import Shown
    from edi_checker.reports.text import TextReport
    from edi_checker.rules import Rule, Rulebook
    from edi_checker.run import Files, Result, Watcher
    from edi_checker.source import Input
    from edi_checker.tables import Tables
    from edi_checker.units import UnitMethod
    from edi_checker.x12 import Bounds

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


class _ProfileType(click.Path):
    """The name of a built-in profile, or a file or folder of one's own."""

    words = ("auto", "medicare", "medicaid", "commercial")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in self.words:
            return value
        if isinstance(value, str) and not os.path.exists(value):  # noqa: PTH110  # a name with a NUL is no path
            self.fail(f"{value!r} is none of {', '.join(self.words)}, and no file or folder.", param, ctx)
        return super().convert(value, param, ctx)


_profile_option = click.option(
    "--profile",
    type=_ProfileType(exists=True),
    default="auto",
    show_default=True,
    metavar="NAME|PATH",
    help="Whose expectations the claims are held to: medicare, medicaid, commercial, auto (by the payer of "
    "each claim), or a profile file or a folder of them.",
)
_rules_option = click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A folder of rule files or one rule file, besides those that come with the checker.",
)
_tables_option = click.option(
    "--tables",
    "store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="PATH",
    help="Folder of imported tables.  [default: in the user's data folder]",
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
    type=click.Choice(["text", "json", "ndjson", "csv", "html"]),
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
    "--split",
    is_flag=True,
    help="Write the claims into --out-dir anew: NAME.clean.837 to send, NAME.rejected.837 to mend.",
)
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the files of each input: NAME.json, NAME.html; with --acks also .999, .277ca and .ta1.",
)
@_profile_option
@_rules_option
@_tables_option
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
    help="What an error of structure within a claim rejects.  [default: as the profile says, else claim]",
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
@click.option(
    "--max-segment",
    type=click.IntRange(min=1 << 20),
    metavar="N",
    help="Most characters that are read as one segment.  [default: 1048576]",
)
@click.option(
    "--max-claim",
    type=click.IntRange(min=1 << 20),
    metavar="N",
    help="Most characters that are read as one claim with its lines.  [default: 8388608]",
)
@click.option(
    "--max-unpacked",
    type=click.IntRange(min=1),
    metavar="BYTES",
    help="Most bytes to which an archive may unpack.  [default: 500 times its size, at least 268435456]",
)
@click.option("--no-fast-path", is_flag=True, help="Walk every claim segment by segment; finds the same.")
@click.option("--stats", is_flag=True, help="Tell on standard error what each rule did and how long it took.")
@click.option(
    "--redact",
    is_flag=True,
    help="Put tokens in place of names, ids, addresses, birth dates and notes, in all that is written.",
)
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@_config_option
def check(
    paths: tuple[str, ...],
    form: str,
    output: Path | None,
    acks: bool,
    split: bool,
    out_dir: Path | None,
    profile: str,
    folders: tuple[Path, ...],
    store: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    minutes: Path | None,
    received: datetime | None,
    isolation: Isolation | None,
    fail_on: str,
    engine: Kind,
    redact: bool,
    max_segment: int | None,
    max_claim: int | None,
    max_unpacked: int | None,
    no_fast_path: bool,
    stats: bool,
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
    if split and out_dir is None:
        raise click.UsageError("--split needs --out-dir, the folder for the two files.")
    if split and redact:
        raise click.UsageError("--split writes the claims as they are: it cannot go with --redact.")
    book = _load_rules(folders, select, ignore, profile)
    checker = _make_checker(
        rulebook=book,
        kind=engine,
        tables=_open_tables(store),
        minutes=_read_minutes(minutes) if minutes is not None else None,
        profile=profile,
        received=received,
        isolation=isolation,
        fast=not no_fast_path,
        timed=stats,
        bounds=_bounds(max_segment, max_claim),
    )

    from edi_checker.run import Files, check_input
    from edi_checker.source import find_inputs, name_outputs

    inputs = list(find_inputs(paths, max_unpacked))
    names = name_outputs(inputs)
    files = Files(out_dir, acks, _version(), book.rules, split=split) if out_dir is not None else None
    if minutes is None:
        for source in inputs:
            # A malformed one stops the run before anything is written.
            _ = source.minutes and _read_minutes(source.minutes)
    _prepare_outputs(inputs, names, files, output)
    with_bar = not no_progress and sys.stderr.isatty()
    code = CHECKED
    redactor = _make_redactor() if redact else None
    with _open_report(output, form) as out:
        page = _make_page(out, checker, book) if form == "html" else None
        report = _make_report(form, out, checker) if page is None else None
        for source, name in zip(inputs, names, strict=True):
            watcher = _watch(source, with_bar, debug)
            result = check_input(
                checker,
                source,
                name,
                report=report,
                page=page,
                files=files,
                watcher=watcher,
                redactor=redactor,
            )
            for trouble in result.troubles:
                click.echo(f"edi-checker: {source.path}: {trouble}", err=True)
            code = max(code, _exit_code(result, fail_on))
        if report is not None:
            report.finish()
        if page is not None:
            page.finish()
        out.flush()
    if checker.engine.note:
        click.echo(f"edi-checker: {checker.engine.note}", err=True)
    if stats:
        click.echo(f"{'rule':36}{'applied':>10}{'fired':>10}{'seconds':>10}", err=True)
        for run in checker.engine.runs():
            click.echo(f"{run.rule:36}{run.applied:>10}{run.fired:>10}{run.seconds:>10.4f}", err=True)
    return code


def _make_checker(
    *,
    rulebook: Rulebook,
    kind: Kind,
    tables: Tables,
    minutes: Minutes | None,
    profile: str,
    received: datetime | None,
    isolation: Isolation | None,
    fast: bool = True,
    timed: bool = False,
    bounds: Bounds | None = None,
) -> Checker:
    import time
    from datetime import date

    from edi_checker.checker import Checker
    from edi_checker.engine import Engine
    from edi_checker.facts import Circumstances
    from edi_checker.guide import load

    plugins = _gather_plugins()
    day = received.date() if received is not None else date.today()  # noqa: DTZ011  # the day at the user's desk
    # What a claim leaves behind is seldom more than counting references frees: look for it less often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return Checker(
        guide=load(),
        engine=Engine(rulebook, kind, time.perf_counter if timed else None),
        circumstances=Circumstances(
            received=day.year * 10000 + day.month * 100 + day.day,
            tables=tables,
            minutes=minutes,
            profile=_choose_profile(profile),
            more_facts=plugins.make_facts if plugins is not None else None,
        ),
        isolation=isolation,
        fast=fast,
        bounds=bounds,
    )


def _bounds(segment: int | None, claim: int | None) -> Bounds:
    from edi_checker.x12 import MAX_BLOCK, MAX_SEGMENT, Bounds

    return Bounds(segment or MAX_SEGMENT, claim or MAX_BLOCK)


def _load_rules(
    folders: tuple[Path, ...],
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    profile: str = "auto",
    *,
    packaged: bool = True,
) -> Rulebook:
    from edi_checker.facts import VOCABULARY
    from edi_checker.profile import BUILT_IN
    from edi_checker.profile_file import ProfileError
    from edi_checker.rules import RuleError, load

    profiles, plugins = _read_profiles(profile), _gather_plugins()
    names = [each.name for each in profiles.profiles] if profiles is not None else []
    try:
        book = load(
            (*(plugins.rule_folders if plugins is not None and packaged else ()), *folders),
            packaged=packaged,
            vocabulary={**VOCABULARY, **(plugins.fact_types if plugins is not None else {})},
            profiles=(*BUILT_IN, *names),
        )
        if profiles is not None and packaged:
            profiles.check_rules([rule.id for rule in book.rules])
        return book.keep(_split(select), _split(ignore))
    except (RuleError, ProfileError) as error:
        raise Refusal(str(error)) from None
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


def _choose_profile(option: str) -> Profile | Choice | None:
    from edi_checker.profile import BUILT_IN

    profiles = _read_profiles(option)
    return profiles.choice if profiles is not None else BUILT_IN.get(option)


def _read_profiles(option: str) -> Profiles | None:
    """The profiles of a file or folder; None where the option is the name of a built-in one."""
    if option in _ProfileType.words:
        return None
    from edi_checker.profile_file import ProfileError, read_profiles

    try:
        return read_profiles(Path(option))
    except ProfileError as error:
        raise Refusal(str(error)) from None


@cache
def _gather_plugins() -> Plugins | None:
    """What packages of others add; None, and nothing loaded, where there are none."""
    from importlib.metadata import entry_points

    if not entry_points(group="edi_checker"):
        return None
    from edi_checker.plugins import PluginError, gather, installed

    try:
        return gather(installed())
    except PluginError as error:
        raise Refusal(str(error)) from None


def _store_folder(given: Path | None) -> Path:
    if given is not None:
        return given
    from platformdirs import user_data_path

    return user_data_path("edi-checker", appauthor=False) / "tables"


def _open_tables(given: Path | None) -> Tables:
    """The imported tables before the built-in ones; these alone where nothing is imported."""
    from edi_checker.store.release import MANIFEST
    from edi_checker.tables import built_in

    folder = _store_folder(given)
    if not (folder / MANIFEST).exists():
        if given is not None:
            raise Refusal(f"{folder}: no tables are imported there")
        return built_in()
    from edi_checker.store import StoreError, open_tables

    try:
        return open_tables(folder, built_in())
    except StoreError as error:
        raise Refusal(str(error)) from None


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
def _open_report(output: Path | None, form: str) -> Iterator[TextIO]:
    if output is None:
        # What the terminal cannot show must not end the run; a spreadsheet takes UTF-8 and its own line ends.
        how = {"encoding": "utf-8", "newline": ""} if form == "csv" else {}
        sys.stdout.reconfigure(errors="replace", **how)  # type: ignore[union-attr]  # a TextIOWrapper in every process
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


def _make_page(out: TextIO, checker: Checker, book: Rulebook) -> HtmlReport:
    from edi_checker.reports.html import HtmlReport

    received, tables = checker.circumstances.received, list(checker.circumstances.versions())
    return HtmlReport(out, version=_version(), received=received, tables=tables, rules=book.rules)


def _make_redactor() -> Redactor:
    import secrets

    from edi_checker.redact import Redactor

    return Redactor(secrets.token_bytes(32))


def _make_report(
    form: str, out: TextIO, checker: Checker
) -> CsvReport | JsonReport | NdjsonReport | TextReport:
    if form == "csv":
        from edi_checker.reports.csv_report import CsvReport

        return CsvReport(out)
    received, tables = checker.circumstances.received, list(checker.circumstances.versions())
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
    return _code_of(summary.severities["error"], summary.severities["warning"], fail_on)


def _code_of(errors: int, warnings: int, fail_on: str) -> int:
    found = {"error": errors, "warning": errors + warnings}.get(fail_on, 0)
    return FOUND if found else CHECKED


# Options that a batch has in common with a check.
_SHARED = (
    "profile",
    "folders",
    "store",
    "select",
    "ignore",
    "minutes",
    "received",
    "isolation",
    "fail_on",
    "no_fast_path",
    "no_progress",
    "debug",
)


@commands.command(params=[option for option in check.params if option.name in _SHARED])
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out-dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for NAME.json and the answers of each input, summary.json, and the findings of all.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N", help="Processes.  [default: one for each core]"
)
@click.option("--resume", is_flag=True, help="Leave out what an earlier run into the same folder has done.")
@click.option(
    "--findings",
    type=click.Choice(["ndjson", "parquet"]),
    default="ndjson",
    show_default=True,
    help="Form of the file with the findings of all inputs.",
)
@click.option(
    "--engine",
    type=click.Choice(["local"]),
    default="local",
    show_default=True,
    expose_value=False,
    help="Where the work is done: by processes of this machine.",
)
@click.option("--acks/--no-acks", default=True, show_default=True, help="Write TA1, 999 and 277CA.")
@_config_option
def batch(
    paths: tuple[str, ...],
    out_dir: Path,
    workers: int | None,
    resume: bool,
    findings: Literal["ndjson", "parquet"],
    acks: bool,
    **shared: Any,
) -> int:
    """Check many files, or very large ones, with several processes.

    PATH is an 837P file, a folder of them, a .gz or .zip archive, or a pattern such as "in/*.837". What is
    written of an input is what `check` writes of it alone. After Ctrl-C, --resume goes on where it stopped.

    Exit code: as of `check`.
    """
    import time

    from edi_checker.batch.findings import NoParquet
    from edi_checker.batch.session import Busy, Settings, find_paths, name_all, run_session
    from edi_checker.batch.summing import print_summary
    from edi_checker.run import Files
    from edi_checker.source import STDIN, find_inputs

    if STDIN in paths:
        raise click.UsageError("A batch reads files; standard input is for `check`.")
    rulebook = _load_rules(shared["folders"], shared["select"], shared["ignore"], shared["profile"])
    minutes: Path | None = shared["minutes"]
    checker = _make_checker(
        rulebook=rulebook,
        kind="durable",
        tables=_open_tables(shared["store"]),
        minutes=_read_minutes(minutes) if minutes is not None else None,
        profile=shared["profile"],
        # The inputs that are left are held to the same day as those that are done.
        received=shared["received"] or (_day_of_run(out_dir) if resume else None),
        isolation=shared["isolation"],
        fast=not shared["no_fast_path"],
    )
    inputs = list(find_inputs(find_paths(paths)))
    names = name_all(inputs)
    files = Files(out_dir, acks, _version(), rulebook.rules, page=False)
    if minutes is None:
        for source in inputs:
            _ = source.minutes and _read_minutes(source.minutes)
    _prepare_outputs(inputs, names, files, out_dir / "summary.json")
    settings = Settings(
        workers=workers or _cores(),
        findings=findings,
        resume=resume,
        options={"profile": repr(checker.circumstances.profile), "minutes": _said(minutes)},
        debug=shared["debug"],
    )
    try:
        with _watch_batch(inputs, with_bar=not shared["no_progress"] and sys.stderr.isatty()) as look:
            outcome = run_session(
                checker, rulebook, inputs, names, files, settings, look=look, clock=time.monotonic
            )
    except Busy:
        raise Refusal(f"{out_dir}: another batch is at work in this folder") from None
    except NoParquet:
        raise Refusal("--findings parquet needs pyarrow: pip install 'edi-checker[parquet]'") from None
    except KeyboardInterrupt:
        click.echo("edi-checker: stopped; the same command with --resume goes on from here", err=True)
        raise
    if outcome.forgotten:
        click.echo("edi-checker: the earlier run had other options: everything was checked anew", err=True)
    for note in outcome.notes:
        click.echo(f"edi-checker: {note}", err=True)
    code = CHECKED
    for record in outcome.records:
        for trouble in record.troubles:
            click.echo(f"edi-checker: {record.path}: {trouble}", err=True)
        failed = record.outcome == "not_checked" or bool(record.troubles)
        errors, warnings = record.counts["error"], record.counts["warning"]
        code = max(code, COULD_NOT if failed else _code_of(errors, warnings, shared["fail_on"]))
    width = _width() if sys.stdout.isatty() else PIPE_WIDTH
    print_summary(sys.stdout, outcome.records, outcome.totals, outcome.work, width)
    return code


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _day_of_run(folder: Path) -> datetime | None:
    """The date of receipt of the run whose notes are in the folder, None where there are none."""
    from datetime import datetime

    from edi_checker.batch.ledger import read_header

    with contextlib.suppress(KeyError, TypeError, ValueError):
        return datetime.fromisoformat(read_header(folder)["received"])
    return None


def _said(value: object) -> object:
    """What stands in an option, and for a file the digest of what it holds."""
    import hashlib

    with contextlib.suppress(OSError, TypeError, ValueError):
        file = Path(value)  # type: ignore[arg-type]  # whatever is no path is caught
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()
    return str(value)


@contextlib.contextmanager
def _watch_batch(inputs: list[Input], *, with_bar: bool) -> Iterator[Callable[[int, int, int], None]]:
    """Shows the progress of a batch on standard error; see batch.session.Look."""
    if not with_bar:
        yield lambda *_: None
        return
    import time

    from edi_checker.batch.progress import ProgressBar

    total = sum(source.size or 0 for source in inputs)
    with ProgressBar(sys.stderr, total, time.monotonic) as bar:
        yield lambda files, done, claims: bar.look(f"{files:,} of {len(inputs):,} files", done, claims)


@commands.command("explain-ack")
@click.argument("path", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of what is told.",
)
@_config_option
def explain_ack(path: str, form: str) -> int:
    """Tell in plain words what an answer says: a TA1, 999 or 277CA, ours or another's.

    FILE is the answer, a .gz archive of it, or - for standard input.

    Exit code: 0 all is accepted, 1 something is rejected, 2 the answer cannot be read or not be told in full.
    """
    from edi_checker.acks.explain import explain, write_json, write_text
    from edi_checker.guide import load
    from edi_checker.source import Unreadable, find_inputs
    from edi_checker.x12 import NotX12

    inputs = list(find_inputs((path,)))
    if len(inputs) != 1:
        raise Refusal(f"{path}: one answer at a time, not {len(inputs)} files")
    with _open_report(None, form) as out:
        terminal = out.isatty()
        try:
            with inputs[0].open() as reading:
                told = explain(cast(BinaryIO, reading), load())
                if form == "json":
                    outcome = write_json(told, out)
                else:
                    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
                    width = min(_width(), 120) if terminal else PIPE_WIDTH
                    outcome = write_text(told, out, width=width, colour=colour)
        except (Unreadable, NotX12) as error:
            raise Refusal(f"{path}: {error}") from None
    return {"rejected": FOUND, "unclear": COULD_NOT}.get(outcome, CHECKED)


@commands.command()
@click.argument("rule_id", metavar="RULE_ID")
@_rules_option
@_profile_option
@_config_option
def explain(rule_id: str, folders: tuple[Path, ...], profile: str) -> None:
    """Say why a rule exists, what it asks for, since when, and how it is answered, with an example."""
    from edi_checker.reports.rule_page import write_page

    book = _load_rules(folders, profile=profile)
    try:
        rule = book[rule_id]
    except KeyError:
        raise click.UsageError(f"No rule is called {rule_id}; `edi-checker rules` lists them.") from None
    shown = _show_example(_example_checker(book, profile), rule)
    click.echo(write_page(rule, min(_width(), PIPE_WIDTH), shown), nl=False)


@commands.command()
@click.argument("action", type=click.Choice(["list", "lint", "test", "new", "docs"]), default="list")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of rule files or one rule file, besides those that come with the checker.",
)
@_profile_option
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for rules.md and facts.md, the pages of `docs`.",
)
@_config_option
def rules(
    action: str, names: tuple[str, ...], folders: tuple[Path, ...], profile: str, out_dir: Path | None
) -> int:
    """List the rules, say what their files lack, try their examples, begin a new one, write their pages.

    ID is a rule id or its beginning up to a dot (of `new` the id to be). With --rules, lint, test and docs
    look at the rules given there alone, and new writes there, else into rulesets/.

    Exit code: 0 all is well, 1 something is wanting, 2 a file is no rule.
    """
    if action == "new":
        return _begin_rules(names, folders)
    book = _load_rules(folders, profile=profile)
    own = book.rules
    if folders:
        ids = {rule.id for rule in _load_rules(folders, profile=profile, packaged=False).rules}
        own = tuple(rule for rule in book.rules if rule.id in ids)
    try:
        kept = book.keep(names).rules
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    if action == "list":
        from edi_checker.reports.rule_page import list_rules

        click.echo(list_rules(kept), nl=False)
        return CHECKED
    chosen = [rule for rule in own if rule in kept]
    if action == "docs":
        return _write_docs(book, chosen, profile, out_dir)
    if action == "lint":
        complaints = _lint(book, chosen)
    else:
        complaints = _try_examples(_example_checker(book, profile), chosen)
    for complaint in complaints:
        click.echo(complaint)
    rules_said = f"{len(chosen)} rule{'' if len(chosen) == 1 else 's'}"
    click.echo(f"{rules_said}, {len(complaints) or 'nothing'} to complain of")
    return FOUND if complaints else CHECKED


def _begin_rules(names: tuple[str, ...], folders: tuple[Path, ...]) -> int:
    from datetime import date

    from edi_checker.rules.draft import draft

    if not names or len(folders) > 1:
        raise click.UsageError(
            "new takes the id of the rule, and one --rules DIR: rules new acme.kx --rules DIR"
        )
    folder = folders[0] if folders else Path("rulesets")
    if folders == () and not folder.is_dir():
        raise click.UsageError("new writes into a folder of rules of your own: --rules DIR")
    known = {rule.id for rule in _load_rules(()).rules}
    for name in names:
        if name in known:
            raise click.UsageError(f"there is a rule {name} already.")
        try:
            path = draft(name, folder, date.today())  # noqa: DTZ011  # the day at the user's desk
        except ValueError as error:
            raise click.UsageError(f"{error}.") from None
        except FileExistsError:
            raise Refusal(f"a file for rule {name} is there already, below {folder}") from None
        except OSError as error:
            raise Refusal(f"{folder}: the rule cannot be written: {error.strerror}") from None
        click.echo(f"{path}: write it where it says TODO, then `edi-checker rules lint` and `rules test`")
    return CHECKED


def _write_docs(book: Rulebook, chosen: list[Rule], profile: str, out_dir: Path | None) -> int:
    from edi_checker.facts import VOCABULARY
    from edi_checker.output import write_whole
    from edi_checker.reports.rule_docs import write_facts_page, write_rules_page

    checker, plugins = _example_checker(book, profile), _gather_plugins()
    page = write_rules_page(chosen, lambda rule: _show_example(checker, rule))
    if out_dir is None:
        click.echo(page, nl=False)
        return CHECKED
    vocabulary = {**VOCABULARY, **(plugins.fact_types if plugins is not None else {})}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, text in (("rules.md", page), ("facts.md", write_facts_page(vocabulary))):
            with write_whole(out_dir / name) as out:
                out.write(text.encode())
    except OSError as error:
        raise Refusal(f"{out_dir}: cannot be written: {error.strerror}") from None
    return CHECKED


def _lint(book: Rulebook, chosen: list[Rule]) -> list[str]:
    from edi_checker.facts import VOCABULARY
    from edi_checker.rules import lint, lint_twins

    plugins = _gather_plugins()
    vocabulary = {**VOCABULARY, **(plugins.fact_types if plugins is not None else {})}
    faults = [fault for rule in chosen for fault in lint(rule, vocabulary)] + lint_twins(book.rules, chosen)
    return [str(fault) for fault in sorted(faults, key=lambda fault: (fault.path, fault.line))]


def _example_checker(book: Rulebook, profile: str) -> Checker:
    from edi_checker.tables import built_in

    return _make_checker(
        rulebook=book,
        kind="durable",
        tables=built_in(),  # what an example shows does not hang on what is imported
        minutes=None,
        profile=profile,
        received=None,
        isolation="claim",
    )


def _show_example(checker: Checker, rule: Rule) -> Shown | None:
    """A failing example with its finding; None where there is none, or none that can be read."""
    from edi_checker.examples import show_example

    try:
        return show_example(checker, rule)
    except Exception:  # noqa: BLE001  # `rules test` says what is wrong with it
        return None


def _try_examples(checker: Checker, chosen: list[Rule]) -> list[str]:
    from edi_checker.examples import ExampleError, try_examples

    complaints = []
    for rule in chosen:
        try:
            complaints += try_examples(checker, rule)
        except ExampleError as error:
            complaints.append(f"{rule.path}: {error}")
        except Exception as error:  # noqa: BLE001  # notation can be wrong in more ways than anyone foresees
            complaints.append(f"{rule.path}: an example cannot be read ({type(error).__name__})")
    return complaints


@commands.command()
@click.argument("given", nargs=-1, required=True, metavar="CODE=MINUTES...")
@click.option(
    "--method",
    type=click.Choice(["cms", "ama"]),
    default="cms",
    show_default=True,
    help="The way of counting that is asked for: CMS's 8-minute rule, or the AMA's midpoint rule.",
)
@_tables_option
@_config_option
def units(given: tuple[str, ...], method: UnitMethod, store: Path | None) -> None:
    """Say how many units the minutes of one discipline on one day make, with the working shown."""
    from datetime import date

    from edi_checker.reports.unit_page import read_minutes, write_units

    try:
        minutes = read_minutes(given)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    today = date.today()  # noqa: DTZ011  # the day at the user's desk
    day = today.year * 10000 + today.month * 100 + today.day
    record = _load_rules(())["therapy.minutes"].documentation
    width = min(_width(), PIPE_WIDTH)
    click.echo(write_units(minutes, method, _open_tables(store), day, record, width), nl=False)


@commands.group(invoke_without_command=True)
@_tables_option
@_config_option
@click.pass_context
def tables(ctx: click.Context, store: Path | None) -> None:
    """Import the tables that CMS publishes, list them, look a code or a pair up."""
    ctx.obj = store
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_tables, store=None)


@tables.command("list")
@_tables_option
@click.pass_obj
def list_tables(given: Path | None, store: Path | None) -> None:
    """One line for each release: the days of which it speaks, its rows, the files it came from."""
    from edi_checker.reports import table_page
    from edi_checker.store import StoreError, list_releases
    from edi_checker.tables import built_in

    try:
        releases = list_releases(_store_folder(store or given))
    except StoreError as error:
        raise Refusal(str(error)) from None
    click.echo(table_page.list_tables(releases, built_in()), nl=False)


@tables.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@_tables_option
@click.option(
    "--effective",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="A day of the quarter or year of the release, where the name of the file does not tell it.",
)
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.pass_obj
def import_tables(
    given: Path | None,
    paths: tuple[str, ...],
    store: Path | None,
    effective: datetime | None,
    no_progress: bool,
) -> None:
    """Take files of CMS, as they are published, into the store: all of them or none.

    FILE is a .txt, .csv, .xlsx or .zip with practitioner PTP or MUE edits, add-on codes, the relative value
    file of the physician fee schedule, the ICD-10-CM order file or HCPCS; or a folder of them. The parts of a
    PTP release are imported together.
    """
    from edi_checker.store import ImportRefused, StoreError, plan_import, run_import

    folder = _store_folder(store or given)
    on = effective.year * 10000 + effective.month * 100 + effective.day if effective is not None else None
    try:
        plan = plan_import(paths, on)
        with _bar("tables", plan.size, not no_progress and sys.stderr.isatty()) as watch:
            releases = run_import(folder, plan, watch)
    except (ImportRefused, StoreError) as error:
        raise Refusal(str(error)) from None
    for release in releases:
        click.echo(f"{release.table} {release.name}: {release.rows:,} rows")


@contextlib.contextmanager
def _bar(title: str, size: int, shown: bool) -> Iterator[Callable[[int], None]]:
    if not shown or size < BIG:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=size)
        yield lambda position: progress.update(task, completed=position)


@tables.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE [CODE]")
@_tables_option
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Date of service.  [default: today]",
)
@click.pass_obj
def lookup(given: Path | None, codes: tuple[str, ...], store: Path | None, on: datetime | None) -> None:
    """Say what the tables hold of a code, or of a pair, on a date of service, and which release says so."""
    from datetime import date

    from edi_checker.reports.table_page import describe
    from edi_checker.store import StoreError, open_tables
    from edi_checker.tables import built_in

    if len(codes) > 2:
        raise click.UsageError("One code or two are looked up.")
    day = on.date() if on is not None else date.today()  # noqa: DTZ011  # the day at the user's desk
    try:
        found = open_tables(_store_folder(store or given), built_in())
        names = tuple(code.strip().upper() for code in codes)
        click.echo(describe(found, names, day.year * 10000 + day.month * 100 + day.day), nl=False)
    except StoreError as error:
        raise Refusal(str(error)) from None
