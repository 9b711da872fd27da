"""Folders of rule files to one rulebook."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.facts import VOCABULARY, FactType
from edi_checker.files.shipped import packaged_rules
from edi_checker.near import ask_near
from edi_checker.rules.language import read_rule
from edi_checker.rules.model import Rule, RuleError, RuleFault
from edi_checker.rules.yaml_tree import take

MAX_FILES = 5000
MAX_FOLDERS_DEEP = 8

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of a run by id, the order in which their findings at one place stand."""

    rules: tuple[Rule, ...]

    def keep(self, select: Collection[str] = (), ignore: Collection[str] = ()) -> Rulebook:
        """The rules named by `select` (all where it is empty) without those named by `ignore`.

        A name is a rule id or the id's beginning up to a dot: `therapy` stands for `therapy.kx` and the like.
        Who selects a rule by its id asks for it: it is on even if it is off until somebody does.
        Raises ValueError for a name that stands for no rule.
        """
        for name in (*select, *ignore):
            if not any(_stands_for(name, rule.id) for rule in self.rules):
                near = ask_near(name, (each.id for each in self.rules))
                raise ValueError(f"no rule is called {name!r}, and no id begins with it.{near}")
        return Rulebook(
            tuple(
                rule.asked() if rule.id in select else rule
                for rule in self.rules
                if (not select or any(_stands_for(name, rule.id) for name in select))
                and not any(_stands_for(name, rule.id) for name in ignore)
            )
        )

    def __getitem__(self, rule_id: str) -> Rule:
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def _stands_for(name: str, rule_id: str) -> bool:
    return rule_id == name or rule_id.startswith(name + ".")


def _is_packaged(path: Path) -> bool:
    """Whether this is the folder of the rules that come with the checker."""
    inside = packaged_rules()
    return isinstance(inside, Path) and path.is_dir() and path.resolve() == inside.resolve()


def load(
    folders: Sequence[str | Path] = (),
    *,
    packaged: bool = True,
    vocabulary: Mapping[str, FactType] = VOCABULARY,
    profiles: Collection[str] = tuple(BUILT_IN),
) -> Rulebook:
    """All rules of the package (unless `packaged` is False) and of the given folders or single files.

    The id of a rule is its path below the folder with dots: `therapy/kx.yaml` is `therapy.kx`. A single file
    is named by its folder and itself. `profiles` are the names that rules may use.

    Raises RuleError with everything that is wrong in all files.
    """
    faults: list[RuleFault] = []
    rules: dict[str, Rule] = {}
    for rule_id, path, data in _files(folders, packaged, faults):
        rule, wrong = read_rule(data, rule_id, path, vocabulary, profiles)
        faults.extend(wrong)
        if rule is None:
            continue
        if rule_id in rules:
            faults.append(RuleFault(path, 0, f"{rules[rule_id].path} already has a rule {rule_id!r}"))
        rules[rule_id] = rule
    if faults:
        raise RuleError(faults)
    return Rulebook(tuple(rules[rule_id] for rule_id in sorted(rules)))


def _files(
    folders: Sequence[str | Path], packaged: bool, faults: list[RuleFault]
) -> Iterator[tuple[str, str, bytes]]:
    """Id, shown path and content of each rule file."""
    found: list[tuple[str, str, Traversable]] = []
    if packaged:
        found.extend(_below(packaged_rules(), (), "rulesets", faults))
    for folder in folders:
        path = Path(folder)
        if packaged and _is_packaged(path):
            continue
        if path.is_dir():
            known = len(faults)
            below = list(_below(path, (), str(path), faults))
            if not below and len(faults) == known:
                faults.append(RuleFault(str(path), 0, "a folder without rules (*.yaml)"))
            found.extend(below)
        elif path.is_file():
            name = path.name.rsplit(".", 1)[0]
            found.extend(_named((path.resolve().parent.name, name), str(path), path, faults))
        else:
            faults.append(RuleFault(str(path), 0, "no such file or folder"))
    if len(found) > MAX_FILES:
        faults.append(RuleFault(found[-1][1], 0, f"more than {MAX_FILES} rule files"))
        return
    for rule_id, shown, item in found:
        try:
            yield rule_id, shown, take(item)
        except OSError as error:
            faults.append(RuleFault(shown, 0, f"cannot be read: {error.strerror}"))


def _below(
    folder: Traversable, names: tuple[str, ...], shown: str, faults: list[RuleFault]
) -> Iterator[tuple[str, str, Traversable]]:
    if len(names) > MAX_FOLDERS_DEEP:
        faults.append(RuleFault(shown, 0, f"folders nested more than {MAX_FOLDERS_DEEP} deep"))
        return
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.startswith((".", "_")):
            continue
        if item.is_dir():
            yield from _below(item, (*names, item.name), f"{shown}/{item.name}", faults)
        elif item.name.endswith((".yaml", ".yml")):
            stem = item.name.rsplit(".", 1)[0]
            yield from _named((*names, stem), f"{shown}/{item.name}", item, faults)


def _named(
    names: tuple[str, ...], shown: str, item: Traversable, faults: list[RuleFault]
) -> Iterator[tuple[str, str, Traversable]]:
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if not wrong:
        yield ".".join(names), shown, item
    else:
        reason = "a rule's folders and file are named with lower case letters, digits and single hyphens"
        faults.append(RuleFault(shown, 0, f"{reason}, not {', '.join(map(repr, wrong))}"))
