"""The configuration file: its contents, as defaults for the options of a command."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from edi_checker.rules.near import ask_near

FILE = "edi-checker.toml"
MAX_BYTES = 1 << 20
_MOST_OPEN = 100  # brackets that are open at a time; an option is a list at most
_OWN = ("config", "debug", "help")  # options that a file cannot give


class ConfigError(Exception):
    """The file cannot be used; the message names the file and the place in it."""


def find_config(folder: Path) -> Path | None:
    """The next configuration file from this folder upward."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            if (place / FILE).is_file():
                return place / FILE
    return None


def read_config(file: Path, known: Collection[str]) -> dict[str, Any]:
    """The tables of a file by command; `known` are the commands there are. Raises ConfigError."""
    import tomllib

    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{file}: larger than {MAX_BYTES >> 20} MB")
        text = data.decode("utf-8-sig")
        if _is_deep(text):
            raise ConfigError(f"{file}: nested more than {_MOST_OPEN} deep")
        config = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8 text") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    for name, table in config.items():
        if name not in known:
            near = ask_near(name, known)
            raise ConfigError(
                f"{file}: [{name}]: no such command; options are in a section such as [check].{near}"
            )
        if not isinstance(table, dict):
            raise ConfigError(f"{file}: {name}: must be a table, [{name}]")
    return config


def _is_deep(text: str) -> bool:
    """Whether so many brackets are left open that they cannot be a list of texts, or what a text holds."""
    depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            if depth > _MOST_OPEN:
                return True
        elif character in "]}":
            depth = max(0, depth - 1)
    return False


def take_defaults(ctx: click.Context, file: Path, table: dict[str, Any]) -> dict[str, Any]:
    """The values of one command's table by parameter, each as its option takes it. Raises ConfigError.

    Those of a group are for all its commands that have the option, as click hands them down.
    """
    below = ctx.command.commands if isinstance(ctx.command, click.Group) else {}
    own = _options(ctx.command)
    parts = {name: _options(command) for name, command in below.items()}
    defaults: dict[str, Any] = {}
    for key, given in table.items():
        place = f"{file}: [{ctx.info_name}] {key}"
        if not any(key in options for options in (own, *parts.values())):
            near = ask_near(key, (name for options in (own, *parts.values()) for name in options))
            raise ConfigError(f"{place}: no such option.{near}")
        if key in own:
            defaults[str(own[key].name)] = _value(ctx, own[key], given, file, place)
        for name, options in parts.items():
            if key in options:
                handed = defaults.setdefault(name, {})
                handed[str(options[key].name)] = _value(ctx, options[key], given, file, place)
    return defaults


def _options(command: click.Command) -> dict[str, click.Option]:
    """The options that a file can give, by the name without dashes."""
    return {
        name.removeprefix("--"): option
        for option in command.params
        if isinstance(option, click.Option) and option.name not in _OWN
        for name in option.opts
        if name.startswith("--")
    }


def _value(ctx: click.Context, option: click.Option, given: Any, file: Path, place: str) -> Any:
    if option.is_flag:
        if not isinstance(given, bool):
            raise ConfigError(f"{place}: true or false is expected")
        return given
    values = given if isinstance(given, list) else [given]
    if isinstance(given, list) and not option.multiple:
        raise ConfigError(f"{place}: one value is expected, not a list")
    counts = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
    others = (bool, dict, list) if counts else (bool, int, float, dict, list)
    if any(isinstance(value, others) for value in values):
        raise ConfigError(f"{place}: a {'number' if counts else 'text'} is expected")
    convert: Callable[[str], str] = str
    if isinstance(option.type, click.Path):
        # As the author of the file sees it, wherever the command is run.
        folder = file.resolve().parent
        names_no_file = getattr(option.type, "names_no_file", lambda _text: False)
        convert = lambda text: text if names_no_file(text) else str(folder / text)  # noqa: E731  # no clearer as a def
    texts = [convert(str(value)) for value in values]
    try:
        for text in texts:
            option.type.convert(text, option, ctx)
    except click.BadParameter as error:
        raise ConfigError(f"{place}: {error.message}") from None
    return texts if option.multiple else texts[0]
