"""Folders of rule files to one rulebook."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.facts import VOCABULARY, FactType
from edi_checker.rules.kept_rules import kept_rules
from edi_checker.rules.model import Rule, RuleError, RuleFault
from edi_checker.rules.near import ask_near
from edi_checker.rules.rule_files import RuleFile, find_files

NEVER = 1 << 62  # more than a field of a number holds


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

    def least_asked(self, field: str) -> int:
        """The least value of this field at which a rule can fire because of it; NEVER where no rule asks."""
        least = NEVER
        for rule in self.rules:
            for case in rule.cases:
                if all(reference.field != field for reference in case.references()):
                    continue
                bounds = [
                    term.value
                    for pattern in case.match
                    for term in pattern.terms
                    if term.field.field == field
                    and term.operator in ("at_least", "more_than")
                    and isinstance(term.value, int)
                ]
                least = min(least, max(bounds, default=0))
        return least

    def __getitem__(self, rule_id: str) -> Rule:
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


def _stands_for(name: str, rule_id: str) -> bool:
    return rule_id == name or rule_id.startswith(name + ".")


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

    Where the vocabulary is the checker's own, the rules of the package come from the cache, if it has them.

    Raises RuleError with everything that is wrong in all files.
    """
    faults: list[RuleFault] = []
    files = list(find_files(folders, packaged, faults))
    known: Mapping[RuleFile, Rule] = {}
    if vocabulary == VOCABULARY and BUILT_IN.keys() <= set(profiles):
        known = kept_rules(tuple(file for file in files if file.packaged))
    rules: dict[str, Rule] = {}
    for file in files:
        rule = known.get(file)
        if rule is None:
            from edi_checker.rules.language import read_rule

            rule, wrong = read_rule(file.data, file.rule_id, file.path, vocabulary, profiles)
            faults.extend(wrong)
        if rule is None:
            continue
        if rule.id in rules:
            faults.append(RuleFault(file.path, 0, f"{rules[rule.id].path} already has a rule {rule.id!r}"))
        rules[rule.id] = rule
    if faults:
        raise RuleError(faults)
    return Rulebook(tuple(rules[rule_id] for rule_id in sorted(rules)))
