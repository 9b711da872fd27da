"""The command `batch`: many files, or very large ones, with several processes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
from edi_checker.cli.outputs import keep_apart, open_folder
from edi_checker.cli.progress import watch_batch
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.terminal import PIPE_WIDTH, cores, width_of_terminal
from edi_checker.cli.version import version
from edi_checker.files.names import escape

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark import SparkContext

    from edi_checker.batch.dispatch import Hire
    from edi_checker.batch.session import Outcome
    from edi_checker.run.setting import CheckSetting, Made


@click.command(cls=Explained)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out-dir",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for NAME.json and the answers of each input, summary.json, and the findings of all.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Number of processes, or of tasks of Spark at a time.  [default: one for each core]",
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
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where the work is done: by processes of this machine, or by the executors of Spark.",
)
@click.option(
    "--master",
    metavar="URL",
    help="The master of Spark, as spark://HOST:7077.  [default: that of Spark's configuration]",
)
@click.option("--acks/--no-acks", default=True, show_default=True, help="Write TA1, 999 and 277CA.")
@click.option(
    "--split", is_flag=True, help="Write the claims too: NAME.clean.837 to send, NAME.rejected.837 to fix."
)
@click.option(
    "--html", is_flag=True, help="Write NAME.html too; each file is then checked by one process as a whole."
)
@click.option(
    "--statistics",
    "with_statistics",
    is_flag=True,
    help="Show also what each rule costs: findings, claims, and the charges of those that it rejects.",
)
@choosing_options
@baseline_option
@history_options
@click.option(
    "--remember",
    is_flag=True,
    help="Put the accepted claims into the history: for the run whose files go to the payer.",
)
@bounding_options
@running_options
def batch(
    paths: tuple[str, ...],
    out_dir: Path,
    workers: int | None,
    resume: bool,
    findings: Literal["ndjson", "parquet"],
    engine: Literal["local", "spark"],
    master: str | None,
    acks: bool,
    split: bool,
    html: bool,
    with_statistics: bool,
    history: str | None,
    history_key: Path | None,
    baseline_file: Path | None,
    remember: bool,
    shared: Shared,
) -> int:
    """Check many files, or very large ones, with several processes.

    PATH is an 837P file, a folder of them, a .gz or .zip archive, or a pattern such as "in/*.837". What is
    written of an input is what `check` writes of it alone. After Ctrl-C, --resume goes on where it stopped.

    Exit code, the highest of all files: 0 nothing found at or above --fail-on, 1 something found, 2 something
    could not be checked.
    """
    import time

    from edi_checker.batch.findings import FORMS, NoParquet
    from edi_checker.batch.ranges import LARGE
    from edi_checker.batch.session import Settings, find_paths, name_all, run_session
    from edi_checker.files.inputs import STDIN, find_inputs
    from edi_checker.run.one_input import Files

    if master is not None and engine != "spark":
        raise click.UsageError("--master goes with --engine spark.")
    if STDIN in paths:
        raise click.UsageError("A batch reads files; standard input is for `check`.")
    if split and shared.redact:
        raise click.UsageError("--split writes the claims as they are: it cannot go with --redact.")
    if resume and shared.redact:
        raise click.UsageError("--redact makes other tokens in each run: --resume cannot go on with them.")
    if resume and shared.received is None:
        # The inputs that are left are checked for the same day as those that are done.
        shared = replace(shared, received=_day_of_run(out_dir))
    setting = setting_of_run(shared)
    made = assemble(setting)
    earlier = find_history(history, history_key, paths, keeps=remember)
    inputs = list(find_inputs(find_paths(paths), shared.max_unpacked))
    names = name_all(inputs)
    settings = Settings(
        workers=workers or cores(),
        findings=findings,
        resume=resume,
        options={
            "minutes": _said(shared.minutes),
            "max_unpacked": shared.max_unpacked,
            "max_findings": shared.max_findings,
            "max_seconds": shared.max_seconds,
            "history": [history, remember],
            "baseline": _said(baseline_file),
        },
        limits=make_limits(shared),
        redactor=make_redactor() if shared.redact else None,
        debug=shared.debug,
        history=earlier,
        baseline=find_baseline(baseline_file),
    )
    with_bar = not shared.no_progress and sys.stderr.isatty()
    try:
        with contextlib.ExitStack() as stack:
            folder = open_folder(out_dir, inputs, stack, alone=True)
            files = Files(folder, acks, version(), made.rulebook.rules, page=html, split=split)
            written = ("summary.json", "index.html", *(f"findings.{each}" for each in FORMS))
            own = [out_dir / name for name in written]
            keep_apart(inputs, names, files, own, baseline_file)
            hire = None
            if engine == "spark":
                spark = stack.enter_context(_open_spark(master))
                # Of more than one machine only Spark knows the cores.
                settings = replace(settings, workers=workers or spark.defaultParallelism, range_size=LARGE)
                hire = _hire_of(spark, setting, made)
            look = stack.enter_context(watch_batch(inputs, with_bar=with_bar))
            outcome = run_session(
                made, inputs, names, files, settings, look=look, clock=time.monotonic, hire=hire
            )
    except NoParquet:
        raise Refusal("--findings parquet needs pyarrow: pip install 'edi-checker[parquet]'") from None
    except KeyboardInterrupt:
        if not shared.redact:
            click.echo("edi-checker: stopped; the same command with --resume goes on from here", err=True)
        raise
    code = _tell(outcome, shared.fail_on)
    if with_statistics:
        from edi_checker.reports.statistics import print_stakes

        faults = {rule.id: rule.fault for rule in made.rulebook.rules}
        print_stakes(sys.stdout, outcome.totals.stakes, _width(), faults)
    return code


@contextlib.contextmanager
def _open_spark(master: str | None) -> Iterator[SparkContext]:
    from edi_checker.spark.session import SparkUnusable, open_session

    try:
        with open_session(master) as spark:
            yield spark
    except SparkUnusable as error:
        raise Refusal(f"--engine spark: {error}") from None


def _hire_of(spark: SparkContext, setting: CheckSetting, made: Made) -> Hire:
    from edi_checker.spark.carried import carry
    from edi_checker.spark.crew import SparkCrew

    return partial(SparkCrew, spark, carry(spark, setting, made))


def _tell(outcome: Outcome, fail_on: str) -> int:
    """Print what became of the inputs; gives the exit code."""
    from edi_checker.batch.summary import print_summary

    if outcome.forgotten:
        click.echo("edi-checker: the earlier run had other options: everything was checked again", err=True)
    for note in outcome.notes:
        click.echo(f"edi-checker: {note}", err=True)
    code = CHECKED
    if outcome.records and all(record.skipped for record in outcome.records):
        click.echo("edi-checker: none of the files is a claim file", err=True)
        code = COULD_NOT
    for trouble in outcome.troubles:
        click.echo(f"edi-checker: {trouble}", err=True)
        code = COULD_NOT
    for record in outcome.records:
        for trouble in record.troubles:
            click.echo(f"edi-checker: {record.path}: {escape(trouble)}", err=True)
        failed = bool(record.troubles) or (record.outcome == "not_checked" and not record.skipped)
        errors, warnings = record.counts["error"], record.counts["warning"]
        code = max(code, COULD_NOT if failed else code_of(errors, warnings, fail_on))
    say_hidden(sum(record.hidden for record in outcome.records))
    print_summary(sys.stdout, outcome.records, outcome.totals, outcome.work, _width())
    return code


def _width() -> int:
    return width_of_terminal() if sys.stdout.isatty() else PIPE_WIDTH


def _day_of_run(folder: Path) -> datetime | None:
    """The date of receipt of the run whose notes are in the folder, None where there are none."""
    from datetime import datetime

    from edi_checker.batch.resume import read_header

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
