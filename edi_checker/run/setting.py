"""How claims are to be checked, by the names of rules, tables and profile, and the checker that does it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Kind
from edi_checker.claims.minutes import Minutes, MinutesError, read_minutes
from edi_checker.claims.payer_profiles import BUILT_IN, Choice
from edi_checker.claims.profile import Isolation as Isolation  # noqa: PLC0414  # a type of the options too
from edi_checker.claims.profile import Profile
from edi_checker.facts import VOCABULARY, FactType, Setting
from edi_checker.files.installed import may_have_entry_points
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import Tables, built_in
from edi_checker.rules import Rulebook, RuleError, load
from edi_checker.x12.blocks import Bounds
from edi_checker.x12.dates import from_date

# What is read only where it is asked for keeps the start of a check short.
if TYPE_CHECKING:
    from edi_checker.rules.plugins import Plugins
    from edi_checker.rules.profile_file import Profiles

AUTO = "auto"  # the profile of each claim's payer
PROFILES = (AUTO, *BUILT_IN)  # what a profile may be called without a file


class SettingError(Exception):
    """What is named cannot be used; the message says why, for the user."""


class UnknownRule(SettingError):
    """A rule that is to be applied or left out does not exist."""


class Made(NamedTuple):
    """A checker and the rules that it applies."""

    checker: Checker
    rulebook: Rulebook


@dataclass(frozen=True, slots=True)
class CheckSetting:
    """How claims are checked, in names and numbers, so that any process can make the same checker of it.

    profile   the name of a built-in profile, a profile file or a folder of them, or a profile itself
    rules     folders of rule files and single ones, beside those that come with the program
    select    the rules that are applied, by id or its start, all where none is named
    ignore    those that are left out
    tables    the folder of imported tables; None for the built-in ones alone
    tables_named  whether a person named it: a wrong name would pass for an empty folder
    minutes   a file with minutes of treatment
    received  the day of receipt, CCYYMMDD; None for today
    plugins   whether installed packages add their rules and facts
    clock     where given, it is noted how long each rule takes
    rulebook  the rules themselves, where they are read already
    The rest as of Checker.
    """

    profile: str | Profile | Choice = AUTO
    rules: tuple[Path, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tables: Path | None = None
    tables_named: bool = False
    minutes: Path | None = None
    received: int | None = None
    isolation: Isolation | None = None
    plugins: bool = True
    engine: Kind = "durable"
    fast: bool = True
    bounds: Bounds | None = None
    clock: Callable[[], float] | None = None
    rulebook: Rulebook | None = None

    def day_of(self, seen: datetime) -> int:
        """The day of receipt (CCYYMMDD) of what was seen then."""
        return self.received or from_date(seen)

    def make(self) -> Made:
        """Read all that is named. Raises SettingError."""
        rulebook = self.rulebook or load_rules(
            self.rules, self.select, self.ignore, self.profile, plugins=self.plugins
        )
        plugins = gather_plugins() if self.plugins else None
        checker = Checker(
            guide=load_guide(),
            engine=Engine(rulebook, self.engine, self.clock),
            setting=Setting(
                received=self.received or day_at_desk(),
                tables=open_tables(self.tables, named=self.tables_named),
                minutes=_read_minutes(self.minutes),
                profile=choose_profile(self.profile),
                more_facts=plugins.make_facts if plugins is not None else None,
            ),
            isolation=self.isolation,
            fast=self.fast,
            bounds=self.bounds,
        )
        return Made(checker, rulebook)


def day_at_desk(said: str | None = None) -> int:
    """The day that is meant, CCYYMMDD: an ISO date, or today where none is said."""
    return from_date(date.fromisoformat(said) if said else date.today())  # noqa: DTZ011  # the user's own day


def digest_of(made: Made, more: Mapping[str, Any]) -> str:
    """A digest of all that decides what is found, beside the inputs and the day of receipt; `more` is what
    else is to change it.
    """
    checker, rulebook = made
    decides = [
        checker.setting.versions(),
        [repr(checker.setting.profile), repr(checker.isolation), repr(checker.bounds)],
        [(rule.id, _digest_of_file(rule.path)) for rule in rulebook.rules],
        dict(more),
    ]
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=repr).encode()).hexdigest()


def _digest_of_file(path: str) -> str:
    try:
        text = Path(path).read_bytes()
    except OSError:
        text = b""
    return hashlib.sha256(text).hexdigest()


def load_rules(
    folders: tuple[Path, ...],
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    profile: str | Profile | Choice = AUTO,
    *,
    packaged: bool = True,
    plugins: bool = True,
) -> Rulebook:
    """The rules of the program, of plugins and of the folders; without `packaged` those of the folders alone.

    Raises SettingError; where rule files are at fault, its cause is their RuleError.
    """
    profiles, found = _read_profiles(profile), gather_plugins() if plugins else None
    names = [each.name for each in profiles.profiles] if profiles is not None else []
    names += [profile.name] if isinstance(profile, Profile) else []
    try:
        book = load(
            (*(found.rule_folders if found is not None and packaged else ()), *folders),
            packaged=packaged,
            vocabulary=known_facts(found),
            profiles=(*BUILT_IN, *names),
        )
        if profiles is not None and packaged:
            from edi_checker.rules.profile_file import ProfileError

            try:
                profiles.check_rules([rule.id for rule in book.rules])
            except ProfileError as error:
                raise SettingError(str(error)) from None
        return book.keep(_split(select), _split(ignore))
    except RuleError as error:
        raise SettingError(str(error)) from error
    except ValueError as error:
        raise UnknownRule(str(error)) from None


def _split(lists: tuple[str, ...]) -> list[str]:
    return [name.strip() for names in lists for name in names.split(",") if name.strip()]


def choose_profile(option: str | Profile | Choice) -> Profile | Choice | None:
    """Raises SettingError."""
    if isinstance(option, Profile | Choice):
        return option
    profiles = _read_profiles(option)
    return profiles.choice if profiles is not None else BUILT_IN.get(option)


def _read_profiles(option: str | Profile | Choice) -> Profiles | None:
    """The profiles of a file or folder; None for a built-in one and one that is given itself."""
    if isinstance(option, Profile | Choice) or option == AUTO or option in BUILT_IN:
        return None
    from edi_checker.rules.profile_file import ProfileError, read_profiles

    try:
        return read_profiles(Path(option))
    except ProfileError as error:
        raise SettingError(str(error)) from None


def user_tables() -> Path:
    """The folder of the user's data to which tables are imported, unless another is named."""
    from platformdirs import user_data_path

    return user_data_path("edi-checker", appauthor=False) / "tables"


def open_tables(folder: Path | None, *, named: bool = False) -> Tables:
    """The imported tables before the built-in ones; these alone where none are imported.

    Raises SettingError, also where the folder was named and holds none.
    """
    if folder is None or not holds_tables(folder, named=named):
        return built_in()
    from edi_checker.reference.store import StoreError, open_tables

    try:
        return open_tables(folder, built_in())
    except StoreError as error:
        raise SettingError(str(error)) from None


def holds_tables(folder: Path, *, named: bool) -> bool:
    """Whether tables are imported there. Raises SettingError where the folder was named and holds none."""
    from edi_checker.reference.store import MANIFEST

    there = (folder / MANIFEST).exists()
    if named and not there:
        raise SettingError(f"{folder}: no tables are imported there; `edi-checker tables import` does it")
    return there


def _read_minutes(path: Path | None) -> Minutes | None:
    if path is None:
        return None
    try:
        return read_minutes(path)
    except MinutesError as error:
        raise SettingError(str(error)) from None


def known_facts(plugins: Plugins | None) -> dict[str, FactType]:
    """The types of facts by name: those of the program, and those that packages of others add."""
    return {**VOCABULARY, **(plugins.fact_types if plugins is not None else {})}


@cache
def gather_plugins() -> Plugins | None:
    """What packages of others add; None, and nothing loaded, where there are none. Raises SettingError."""
    if not may_have_entry_points("edi_checker"):
        return None
    from importlib.metadata import entry_points

    if not entry_points(group="edi_checker"):
        return None
    from edi_checker.rules.plugins import PluginError, gather, installed

    try:
        return gather(installed())
    except PluginError as error:
        raise SettingError(str(error)) from None
