"""The command line: its commands, each loaded when it is named, and how the process ends."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from edi_checker.cli.exit_codes import CHECKED, COULD_NOT, FOUND, INTERRUPTED
from edi_checker.cli.help import FIRST, in_groups, write_examples
from edi_checker.cli.refusal import DEBUG, Refusal
from edi_checker.cli.terminal import PIPE_WIDTH
from edi_checker.cli.version import engine, reading, version
from edi_checker.rules.near import ask_near

# Each is a module of this package, with a command of the same name; they import the rest where it is used.
# Their first lines stand here too: the list is shown without loading them.
COMMANDS = {
    "check": "Check claim files: what is wrong, where, and how to fix it.",
    "batch": "Check many files, or very large ones, with several processes.",
    "facts": "Write claims, lines, diagnoses, payers and findings as tables.",
    "fix": "Repair what is a matter of form alone, and nothing else.",
    "explain": "Say what a rule requires and why, or what a code means.",
    "explain-ack": "Say what answers mean, and what to do about each claim.",
    "rules": "List the rules; check, test and start your own.",
    "tables": "Import the CMS tables, list them, look up a code.",
    "serve": "Serve a page that checks files, and HTTP for programs.",
    "watch": "Watch a folder: answer each file that arrives, once.",
    "status": "Show what waits, what is at work and what needs attention.",
    "ledger": "Look into the ledger of a drop folder, and act by hand.",
    "units": "Show how many units the minutes of a day make.",
    "schema": "Print the JSON Schema of an output.",
}


class Commands(click.Group):
    """Loads a command when it is named, and takes its result for the exit code.

    Ends quietly where output or patience are gone, and in one line where something is wrong inside.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        write_examples(formatter, FIRST, "Begin with")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in in_groups(COMMANDS):
            with formatter.section(title):
                formatter.write_dl([(f"{name:<11}", COMMANDS[name]) for name in names])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = cmd_name.replace("-", "_")
            self.add_command(getattr(import_module(f"edi_checker.cli.{module}"), module), cmd_name)
        return self.commands.get(cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        if not incomplete or not incomplete.startswith("-"):
            # From the list: click would load every command for its first line.
            return [
                CompletionItem(name, help=does)
                for name, does in COMMANDS.items()
                if name.startswith(incomplete)
            ]
        return click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in COMMANDS and os.path.exists(word):  # noqa: PTH110  # a name with a NUL is no path
            raise click.UsageError(f"{word!r} is not a command: `edi-checker check {word}` checks it.", ctx)
        if word not in COMMANDS and not word.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command {word!r}.{ask_near(word, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

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
            raise Refusal(f"{error.filename or 'the output cannot be written'}: {error.strerror}") from None
        except SystemExit as end:
            # With 1, rich says that the output is gone: no finding.
            code = COULD_NOT if end.code == FOUND else end.code
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001  # with a traceback the exit code is 1, as of a finding
            if ctx.meta.get(DEBUG):
                import traceback

                traceback.print_exception(error)
            # Its own words may hold what is in the file.
            raise Refusal(f"internal error ({type(error).__name__})") from None
        ctx.exit(code or CHECKED)


def _silence() -> None:
    """Send what standard output still holds nowhere, so that the interpreter's last flush does not fail."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _open_streams() -> None:
    """Give a process that was started without a standard stream, as a daemon may be, one that leads nowhere.

    Otherwise the next file that is opened would take its number, and get what is meant for the stream.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            os.set_inheritable(number, True)
        # Standard input that was not there is not an empty one.
        if number and getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    # What the terminal cannot show, as a name of a file, must not end the command.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper in every process


def main() -> NoReturn:
    """Run the command and leave the process with its exit code, 130 after Ctrl-C."""
    _open_streams()
    # As on Ctrl-C, half-written files are taken away.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    # What a claim leaves behind is seldom more than counting references frees: look for it less often.
    gc.set_threshold(50_000, 20, 100)
    try:
        sys.exit(commands.main(prog_name="edi-checker"))
    finally:
        gc.freeze()  # all that is left goes with the process: nobody needs to look through it


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"edi-checker {version()}\n{engine()}\n{reading()}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": PIPE_WIDTH},
    epilog="`edi-checker COMMAND --help` has the options of a command, and examples.",
)
@click.option(
    "--version",
    "-V",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version, which engine decides the rules, and what reads.",
)
def commands() -> None:
    """Check X12 837P professional claims before they are sent."""
