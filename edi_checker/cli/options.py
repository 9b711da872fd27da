"""Options that several commands have, and the configuration file that gives their defaults."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from edi_checker.cli.completion import PROFILES, complete_profile, complete_rule
from edi_checker.cli.refusal import DEBUG, Refusal
from edi_checker.rules.near import ask_near

if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.run.setting import Isolation


def _configure(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    """Let the configuration file give the defaults of this command's options."""
    from edi_checker.cli.config import ConfigError, find_config, read_config, take_defaults

    if ctx.resilient_parsing:
        return
    root = ctx.find_root().command
    assert isinstance(root, click.Group)
    try:
        file = value or find_config(Path.cwd())
        if file is not None:
            table = read_config(file, root.list_commands(ctx)).get(ctx.info_name or "", {})
            ctx.default_map = take_defaults(ctx, file, table)
    except ConfigError as error:
        raise Refusal(str(error)) from None


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_configure,
    metavar="PATH",
    help="Read options from this file instead of the next edi-checker.toml, from this folder upward.",
)


def _note_debug(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    ctx.meta[DEBUG] = value
    return value


class ProfileType(click.Path):
    """The name of a built-in profile, or a file or folder of one's own."""

    @staticmethod
    def names_no_file(text: str) -> bool:
        return is_built_in(text)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if is_built_in(value):
            return value
        if isinstance(value, str) and not os.path.exists(value):  # noqa: PTH110  # a name with a NUL is no path
            near = ask_near(value, PROFILES)
            self.fail(f"{value!r} is none of {', '.join(PROFILES)}, and no file or folder.{near}", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return complete_profile(incomplete)


AUTO = "auto"
ALL_FINDINGS = 1 << 62  # more than an input can have


def is_built_in(profile: object) -> bool:
    """Whether it is `auto` or the name of a profile that comes with the program."""
    return profile in PROFILES


class Day(click.DateTime):
    """A date, written as in 2026-03-31."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a date such as 2026-03-31.", param, ctx)


class Duration(click.ParamType):  # type: ignore[type-arg]  # older releases of click have none
    """A time as 10s, 5m, 2h or 400d; gives seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from edi_checker.watch.partners import seconds_of

        try:
            return value if isinstance(value, float) else seconds_of(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class LedgerPlace(click.Path):
    """The path of a ledger in SQLite, or a URL."""

    @staticmethod
    def names_no_file(text: str) -> bool:
        return "://" in text


state_option = click.option(
    "--state",
    "state",
    type=LedgerPlace(),
    required=True,
    metavar="PATH|URL",
    help="The ledger: the path of one in SQLite, or postgresql://HOST/DATABASE.",
)
hide_names_option = click.option(
    "--hide-names", is_flag=True, help="Show the ids of files in place of their names."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

profile_option = click.option(
    "--profile",
    type=ProfileType(exists=True),
    default="auto",
    show_default=True,
    metavar="NAME|PATH",
    help=f"The payer profile for the claims: auto (by the payer of each claim), {', '.join(PROFILES[1:])}, "
    "or a profile file or a folder of them.",
)
rules_option = click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="A folder of rule files or one rule file, in addition to the built-in ones.",
)
tables_option = click.option(
    "--tables",
    "store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="PATH",
    help="Folder of imported tables.  [default: in the user's data folder]",
)


@dataclass(frozen=True, slots=True)
class Checking:
    """What is said by the options of each command that checks: what decides, and what an input may cost."""

    profile: str
    folders: tuple[Path, ...]
    store: Path | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    isolation: Isolation | None
    max_segment: int | None
    max_claim: int | None
    max_unpacked: int | None
    max_findings: int
    max_seconds: float | None


@dataclass(frozen=True, slots=True)
class Shared(Checking):
    """What is said by the options that `check` and `batch` share."""

    minutes: Path | None
    received: datetime | None
    fail_on: str
    no_fast_path: bool
    redact: bool
    no_progress: bool
    debug: bool


_Function = Callable[..., Any]
_Decorator = Callable[[_Function], _Function]


def _pass_as(name: str, form: type[Checking]) -> _Decorator:
    """Hand the options that the form has to a command as one argument."""

    def decorate(function: _Function) -> _Function:
        @wraps(function)
        def command(**values: Any) -> Any:
            said = form(**{field.name: values.pop(field.name) for field in fields(form)})
            return function(**{name: said}, **values)

        return command

    return decorate


def _join(*decorators: _Decorator) -> _Decorator:
    """Several options as one decorator, shown by --help in this order."""

    def decorate(function: _Function) -> _Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


select_option = click.option(
    "--select",
    multiple=True,
    shell_complete=complete_rule,
    metavar="ID,..",
    help="Apply these rules only; therapy means all whose ids start with it.",
)
ignore_option = click.option(
    "--ignore",
    multiple=True,
    shell_complete=complete_rule,
    metavar="ID,..",
    help="Leave these rules out: code.npi, say, where NPIs are made up.",
)
isolation_option = click.option(
    "--isolation",
    type=click.Choice(["claim", "transaction"]),
    help="What an error of structure within a claim rejects.  [default: as the profile says, else claim]",
)
debug_option = click.option(
    "--debug", is_flag=True, callback=_note_debug, help="Show the traceback of an internal error."
)
_size_options = _join(
    click.option(
        "--max-segment",
        type=click.IntRange(min=1 << 20),
        metavar="N",
        help="Most characters that are read as one segment.  [default: 1048576]",
    ),
    click.option(
        "--max-claim",
        type=click.IntRange(min=1 << 20),
        metavar="N",
        help="Most characters that are read as one claim with its lines.  [default: 8388608]",
    ),
    click.option(
        "--max-unpacked",
        type=click.IntRange(min=1),
        metavar="BYTES",
        help="Most bytes to which an archive may unpack.  [default: 500 times its size, at least 268435456]",
    ),
)
_reading_options = _join(
    _size_options,
    click.option(
        "--max-findings",
        type=click.IntRange(min=1),
        default=10_000,
        show_default=True,
        metavar="N",
        help="Most findings of an input that are listed and answered; further ones are counted by rule.",
    ),
)


def seconds_option(default: float | None) -> _Decorator:
    return click.option(
        "--max-seconds",
        type=click.FloatRange(min=0, min_open=True),
        default=default,
        metavar="S",
        help="Longest time that the check of an input may take; then it is not checked.  "
        f"[default: {'any' if default is None else f'{default:g}'}]",
    )


# What decides the findings in any command that checks, and what an input may cost.
deciding_options = _join(
    profile_option, rules_option, tables_option, select_option, ignore_option, isolation_option
)
minutes_option = click.option(
    "--minutes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Minutes of treatment (CSV: claim,line,minutes); else NAME.minutes.csv next to each input.",
)
received_option = click.option(
    "--received", type=Day(), metavar="YYYY-MM-DD", help="Date of receipt.  [default: today]"
)
costing_options = _join(_reading_options, seconds_option(600), _pass_as("checking", Checking))
serving_options = _join(_reading_options, seconds_option(60), _pass_as("checking", Checking))
# The same where every finding is listed, unless somebody asks for less.
all_findings_options = _join(
    _size_options,
    click.option(
        "--max-findings",
        type=click.IntRange(min=1),
        default=ALL_FINDINGS,
        metavar="N",
        help="Most findings of an input that are listed; further ones are counted by rule.  [default: all]",
    ),
    seconds_option(None),
    _pass_as("checking", Checking),
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Number of processes.  [default: one for each core]",
)
log_format_option = click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    default="console",
    show_default=True,
    help="Form of the log on standard error.",
)
partners_option = click.option(
    "--partners",
    "partners_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="How the files of each sub-folder are checked (partners.yaml).",
)
# The options that `check` and `batch` share, in three parts: a command shows its own between them.
choosing_options = _join(
    profile_option,
    rules_option,
    tables_option,
    select_option,
    ignore_option,
    minutes_option,
    received_option,
    isolation_option,
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "never"]),
        default="error",
        show_default=True,
        help="The lowest severity that gives exit code 1.",
    ),
)
baseline_option = click.option(
    "--baseline",
    "baseline_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="REPORT",
    help="Report, and count for the exit code, only what is new since this JSON or NDJSON report.",
)
bounding_options = _join(
    _reading_options,
    seconds_option(None),
    click.option(
        "--no-fast-path",
        is_flag=True,
        help="Walk and check every claim again, segment by segment; the findings are the same.",
    ),
)
history_options = _join(
    click.option(
        "--history",
        metavar="URL",
        help="Hold claims against those of earlier files in this ledger: a path, or postgresql://...",
    ),
    click.option(
        "--history-key",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The secret key of the history.  [default: the ledger's path and .key]",
    ),
)
running_options = _join(
    click.option(
        "--redact",
        is_flag=True,
        help="Put tokens in place of names, ids, addresses, birth dates and notes, in all that is written.",
    ),
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    debug_option,
    config_option,
    _pass_as("shared", Shared),
)
