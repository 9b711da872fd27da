"""The rules and profiles that the options name, with what plugins add."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.options import is_built_in
from edi_checker.cli.refusal import Refusal

if TYPE_CHECKING:
    from edi_checker.claims.payer_profiles import Choice
    from edi_checker.claims.profile import Profile
    from edi_checker.rules import Rulebook
    from edi_checker.rules.plugins import Plugins
    from edi_checker.rules.profile_file import Profiles


def load_rules(
    folders: tuple[Path, ...],
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    profile: str = "auto",
    *,
    packaged: bool = True,
) -> Rulebook:
    from edi_checker.claims.payer_profiles import BUILT_IN
    from edi_checker.facts import VOCABULARY
    from edi_checker.rules import RuleError, load
    from edi_checker.rules.profile_file import ProfileError

    profiles, plugins = _read_profiles(profile), gather_plugins()
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
        raise click.UsageError(f"{error}; `edi-checker rules` lists all.") from None


def find_near(book: Rulebook, name: str) -> list[str]:
    """At most three ids that are like the name, those first that begin with it."""
    from difflib import get_close_matches

    ids = [rule.id for rule in book.rules]
    begun = [id for id in ids if id.startswith(name)]
    return (begun or get_close_matches(name, ids))[:3]


def _split(lists: tuple[str, ...]) -> list[str]:
    return [name.strip() for names in lists for name in names.split(",") if name.strip()]


def choose_profile(option: str) -> Profile | Choice | None:
    from edi_checker.claims.payer_profiles import BUILT_IN

    profiles = _read_profiles(option)
    return profiles.choice if profiles is not None else BUILT_IN.get(option)


def _read_profiles(option: str) -> Profiles | None:
    """The profiles of a file or folder; None where the option is the name of a built-in one."""
    if is_built_in(option):
        return None
    from edi_checker.rules.profile_file import ProfileError, read_profiles

    try:
        return read_profiles(Path(option))
    except ProfileError as error:
        raise Refusal(str(error)) from None


@cache
def gather_plugins() -> Plugins | None:
    """What packages of others add; None, and nothing loaded, where there are none."""
    from importlib.metadata import entry_points

    if not entry_points(group="edi_checker"):
        return None
    from edi_checker.rules.plugins import PluginError, gather, installed

    try:
        return gather(installed())
    except PluginError as error:
        raise Refusal(str(error)) from None
