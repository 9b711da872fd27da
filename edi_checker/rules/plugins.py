"""What other packages add: rules, and facts for them.

A package names a module under the entry point group `edi_checker`, and marks in it what it gives:

    # setup.cfg of the package
    [options.entry_points]
    edi_checker =
        acme = acme_edi_rules

    # acme_edi_rules/__init__.py
    from pathlib import Path
    from edi_checker.rules.plugins import hookimpl

    @hookimpl
    def rule_folders():
        return [Path(__file__).parent / "rules"]

Its rules are then in every run and in `edi-checker rules`. The other hooks are those below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from edi_checker.claims.claim import Claim
from edi_checker.claims.profile import Profile
from edi_checker.facts import VOCABULARY, Fact, FactType
from edi_checker.facts.context import FactMaker

GROUP = "edi_checker"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def rule_folders() -> Iterable[Path]:  # type: ignore[empty-body]  # a specification
    """Folders of rule files; the id of a rule is its path below its folder, with dots."""


@hookspec
def fact_types() -> Mapping[str, FactType]:  # type: ignore[empty-body]  # a specification
    """New fact types by name. Each has a field `date` of type date."""


@hookspec
def make_facts(claim: Claim, received: int, profile: Profile) -> Iterable[Fact]:  # type: ignore[empty-body]  # a specification
    """Facts of these types for a claim whose lines can be trusted, every field filled; `received` is the
    date of receipt, CCYYMMDD. What it raises leaves the claim unchecked: neither passed nor rejected.
    """


class PluginError(Exception):
    """A package that cannot be used; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Plugins:
    """What the installed packages give. `names` are their entry points, `fact_types` what they add."""

    names: tuple[str, ...] = ()
    rule_folders: tuple[Path, ...] = ()
    fact_types: Mapping[str, FactType] = field(default_factory=dict)

    @property
    def make_facts(self) -> FactMaker | None:
        """What makes the facts of these types; None if there are none."""
        return facts_of_plugins if self.fact_types else None


def installed() -> tuple[EntryPoint, ...]:
    """The entry points of packages that add something, by name; nothing of theirs is loaded."""
    return tuple(sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)))


def gather(points: Iterable[EntryPoint]) -> Plugins:
    """Load the packages and ask each what it gives. Raises PluginError."""
    names: list[str] = []
    folders: list[Path] = []
    types: dict[str, FactType] = {}
    for point in points:
        names.append(point.name)
        try:
            hook = _load(point).hook
            folders += [_folder(each) for several in hook.rule_folders() for each in several]
            for several in hook.fact_types():
                for name, kind in several.items():
                    types[name] = _fact_type(name, kind, types)
        except (Exception, SystemExit) as error:
            reason = str(error) or type(error).__name__
            raise PluginError(f"plugin {point.name!r} ({point.value}) cannot be used: {reason}") from error
    return Plugins(tuple(names), tuple(folders), types)


def _folder(given: Any) -> Path:
    folder = Path(given)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of rules")
    return folder


def _fact_type(name: str, kind: Any, earlier: Mapping[str, FactType]) -> FactType:
    if name in VOCABULARY or name in earlier:
        raise ValueError(f"there is already a fact type {name!r}")
    date = kind.fields.get("date") if isinstance(kind, FactType) else None
    if not isinstance(kind, FactType) or date is None or date.type != "date":
        raise ValueError(f"fact type {name!r} has no field date of type date")
    return kind


def facts_of_plugins(claim: Claim, received: int, profile: Profile) -> list[Fact]:
    """The facts that the installed packages make of a claim.

    A function of the module, so that a worker process can be given it by name. Raises whatever a package
    raises, and ValueError for a fact that is not of its types or lacks a field.
    """
    facts: list[Fact] = []
    for hook, types in _makers():
        for several in hook.make_facts(claim=claim, received=received, profile=profile):
            for fact in several:
                kind = types.get(fact.kind)
                if kind is None or fact.values.keys() != kind.fields.keys() or not fact.stands_on.get(""):
                    raise ValueError(f"a fact {fact.kind!r} that does not match its type")
                facts.append(fact)
    return facts


@cache
def _makers() -> tuple[tuple[Any, Mapping[str, FactType]], ...]:
    makers = []
    for point in installed():
        hook = _load(point).hook
        if hook.make_facts.get_hookimpls():
            types = {name: kind for several in hook.fact_types() for name, kind in several.items()}
            makers.append((hook, types))
    return tuple(makers)


@cache
def _load(point: EntryPoint) -> pluggy.PluginManager:
    """A manager for each package, so that packages never mix."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(sys.modules[__name__])
    manager.register(point.load(), point.name)
    manager.check_pending()
    return manager
