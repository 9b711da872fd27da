"""The commands and the configuration file, from click's own help."""

from __future__ import annotations

from collections.abc import Iterator

import click

from edi_checker.cli import COMMANDS, commands

_WIDTH = 96
_CONFIGURATION = """\
---
title: Configuration
---

# Configuration

Options can also be set in a file `edi-checker.toml`. The one in the current folder is used, else the next one
above it; `--config FILE` names another. A section has the name of a command, and an option its long name
without the dashes. An option on the command line wins over the file. Relative paths start at the file's own
folder.

```toml
[check]
profile = "medicare"
ignore = ["code.npi"]
fail-on = "warning"
tables = "tables"

[batch]
workers = 4
```

A section or option that does not exist is refused, with the name of the file: a mistyped one never counts as
said. The section of a command with subcommands gives the options of these too.

"""
# Given on the command line alone.
_NOT_IN_A_FILE = ("config", "debug", "help")


def write_commands_page() -> str:
    """The help of each command and its subcommands, as `--help` prints it."""
    out = [
        "---\ntitle: Commands\n---",
        "# Commands",
        "What `edi-checker COMMAND --help` prints.",
        _help(commands, "edi-checker"),
    ]
    for name, command in _all_commands():
        out += [f"{'#' * (name.count(' ') + 1)} {name.removeprefix('edi-checker ')}", _help(command, name)]
    return "\n\n".join(out) + "\n"


def _all_commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        yield f"edi-checker {name}", command
        if isinstance(command, click.Group):
            for below, each in command.commands.items():
                yield f"edi-checker {name} {below}", each


def _help(command: click.Command, name: str) -> str:
    # A command keeps its option for help as it was first asked for.
    named = commands.context_settings["help_option_names"]
    with click.Context(
        command, info_name=name, max_content_width=_WIDTH, terminal_width=_WIDTH, help_option_names=named
    ) as context:
        return f"```text\n{command.get_help(context)}\n```"


def write_configuration_page() -> str:
    """What the file is, and the names of the options in it by command."""
    rows = ["| section | options |", "|---|---|"]
    for name, command in _all_commands():
        words = name.split()[1:]
        options = [
            max(option.opts, key=len).lstrip("-")
            for option in command.params
            if isinstance(option, click.Option) and option.name not in _NOT_IN_A_FILE and not option.hidden
        ]
        if options:
            rows.append(f"| `[{words[0]}]`{' for ' + words[1] if words[1:] else ''} | {', '.join(options)} |")
    return _CONFIGURATION + "\n".join(rows) + "\n"
