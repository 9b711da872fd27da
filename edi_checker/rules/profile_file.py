"""Profile files to profiles, checked with file and line: see docs/profiles.md for what one may say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from edi_checker.claims.minutes import note_pattern
from edi_checker.claims.payer_profiles import BUILT_IN, BY_FILING_INDICATOR, BY_PAYER, Choice
from edi_checker.claims.profile import (
    PRESETS,
    Isolation,
    Level,
    Profile,
    Statuses,
    UnitMethod,
)
from edi_checker.rules.fault_list import Notes, Wrong, listed, mapping_of, texts_of, word_of
from edi_checker.rules.member_id_forms import member_id_pattern
from edi_checker.rules.model import RuleFault
from edi_checker.rules.near import ask_near
from edi_checker.rules.rule_files import take
from edi_checker.rules.yaml_tree import Mapping, Node, Scalar, Sequence, Unreadable, read
from edi_checker.x12.finding import SEVERITIES

MAX_FILES = 1000
MAX_ANCESTORS = 20
RESERVED = ("auto", "default")

_KEYS = (
    "inherits",
    "payers",
    "filing_indicators",
    "rules",
    "severity",
    "unit_method",
    "statuses",
    "isolation",
    "minutes_note",
    "member_id",
)
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_NAME = 100
_RULE_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_PAYER = re.compile(r"[!-~]{2,80}")
_INDICATOR = re.compile(r"[A-Z0-9]{2}")
_REJECTING = re.compile(r"A[3678]:[0-9]{1,4}(?::[A-Z0-9]{2,3})?")
_TELLING = re.compile(r"[A-Z][0-9]:[0-9]{1,4}(?::[A-Z0-9]{2,3})?")
_MOST_STATUSES = 3

_Mentioning = Callable[[str, int], str]  # name and line of a rule to the name, noted


class ProfileError(Exception):
    """Profile files that cannot be used; `faults` holds everything found wrong in all of them."""

    def __init__(self, faults: list[RuleFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Mention(NamedTuple):
    """A rule that a profile names, by id or the id's beginning, and where."""

    path: str
    line: int
    rule: str


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of some files, which claims get which, and the rules that they name."""

    profiles: tuple[Profile, ...]
    choice: Choice
    mentions: tuple[Mention, ...]

    def check_rules(self, ids: Collection[str]) -> None:
        """Raises ProfileError if a profile names a rule that is not among these ids."""
        known = {
            ".".join(parts[: end + 1]) for parts in (i.split(".") for i in ids) for end in range(len(parts))
        }
        faults = [
            RuleFault(
                path, line, f"no rule is called {rule!r}, and no id begins with it.{ask_near(rule, known)}"
            )
            for path, line, rule in self.mentions
            if rule not in known
        ]
        if faults:
            raise ProfileError(faults)


@dataclass(frozen=True, slots=True)
class _Own:
    """What one file says by itself; None and empty if it says nothing."""

    path: str
    inherits: str
    inherits_line: int
    payers: dict[str, int]
    indicators: dict[str, int]
    switches: dict[str, bool]
    severities: dict[str, Level]
    snip_severities: dict[int, Level]
    unit_method: UnitMethod | None
    statuses: Statuses | None
    preset: bool
    isolation: Isolation | None
    note: re.Pattern[str] | None
    member_id: re.Pattern[str] | None


def read_profiles(path: Path) -> Profiles:
    """The profiles of a file (and of those in its folder that it inherits from) or of all files of a folder.

    A profile has the name of its file. One that names no payers is for all claims that no other takes, unless
    others of the folder inherit from it. Raises ProfileError with everything that is wrong.
    """
    faults: list[RuleFault] = []
    wanted = _files(path, faults)
    files: dict[str, _Own] = {}
    mentions: list[Mention] = []
    queue = list(wanted)
    while queue:
        file = queue.pop(0)
        if file.stem in files:
            if Path(files[file.stem].path) != file:
                faults.append(
                    RuleFault(str(file), 0, f"{files[file.stem].path} is already called {file.stem!r}")
                )
            continue
        own = _read(file, mentions, faults)
        if own is None:
            continue
        files[file.stem] = own
        parent = _beside(file, own.inherits)
        if parent is not None:
            queue.append(parent)
    if faults:
        raise ProfileError(sorted(faults, key=lambda fault: (fault.path, fault.line)))
    made: dict[str, Profile] = {}
    for name in files:
        _make(name, files, made, (), faults)
    chosen = {file.stem for file in wanted}
    choice = _choice({name: own for name, own in files.items() if name in chosen}, files, made, faults)
    if faults:
        raise ProfileError(faults)
    return Profiles(tuple(made[name] for name in files), choice, tuple(mentions))


def _files(path: Path, faults: list[RuleFault]) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        files = sorted(
            file for file in path.iterdir() if file.suffix in (".yaml", ".yml") and file.name[0] not in "._"
        )
    except OSError as error:
        faults.append(RuleFault(str(path), 0, f"cannot be read: {error.strerror}"))
        return []
    if not files or len(files) > MAX_FILES:
        reason = f"more than {MAX_FILES} profiles" if files else "a folder without profiles (*.yaml)"
        faults.append(RuleFault(str(path), 0, reason))
        return []
    return files


def _beside(file: Path, name: str) -> Path | None:
    """The file of the profile that this one inherits from; None for a built-in one."""
    if name in BUILT_IN or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        return None
    for suffix in (file.suffix, ".yaml", ".yml"):
        if file.with_name(name + suffix).is_file():
            return file.with_name(name + suffix)
    return None


def _read(file: Path, mentions: list[Mention], faults: list[RuleFault]) -> _Own | None:
    path = str(file)
    notes = Notes(path)
    if not _NAME.fullmatch(file.stem) or file.stem in BUILT_IN or file.stem in RESERVED:
        taken = listed((*BUILT_IN, *RESERVED))
        reason = f"a profile's file is named with lower case letters, digits and single hyphens, not {taken}"
        faults.append(RuleFault(path, 0, reason))
        return None
    try:
        root = read(take(file))
    except OSError as error:
        faults.append(RuleFault(path, 0, f"cannot be read: {error.strerror}"))
        return None
    except Unreadable as error:
        faults.append(RuleFault(path, error.line, error.reason))
        return None
    own = _own(path, root, notes, mentions)
    faults.extend(notes.faults)
    return None if notes.faults else own


def _own(path: str, root: Mapping, notes: Notes, mentions: list[Mention]) -> _Own:
    take = notes.take
    notes.check_keys(root, "a profile", _KEYS, ("inherits",))
    mention = partial(_rule_name, mentions, path)
    nothing: tuple[dict[str, Level], dict[int, Level]] = ({}, {})
    severities, snip_severities = take(root, "severity", partial(_severity, notes, mention), nothing)
    statuses: tuple[Statuses, bool] | None = take(root, "statuses", partial(_statuses, notes, mention), None)
    return _Own(
        path=path,
        inherits=take(root, "inherits", word_of, ""),
        inherits_line=root.lines.get("inherits", 0),
        payers=take(root, "payers", _payers, {}),
        indicators=take(root, "filing_indicators", _indicators, {}),
        switches=take(root, "rules", partial(_switches, notes, mention), {}),
        severities=severities,
        snip_severities=snip_severities,
        unit_method=take(root, "unit_method", _unit_method, None),
        statuses=statuses[0] if statuses else None,
        preset=bool(statuses and statuses[1]),
        isolation=take(root, "isolation", _isolation, None),
        note=take(root, "minutes_note", _note, None),
        member_id=take(root, "member_id", _member_id, None),
    )


def _rule_name(mentions: list[Mention], path: str, name: str, line: int) -> str:
    if not _RULE_NAME.fullmatch(name):
        raise Wrong(line, f"{name!r} is not a rule id or the start of one, such as therapy.kx or therapy")
    mentions.append(Mention(path, line, name))
    return name


def _entries(node: Node, hint: str) -> list[Node]:
    if not isinstance(node, Sequence) or not node.items:
        raise Wrong(node.line, hint)
    return node.items


def _payers(node: Node) -> dict[str, int]:
    payers: dict[str, int] = {}
    for item in _entries(node, 'payers is a list of payer ids: ["60054"]'):
        text = word_of(item).strip().upper()
        if not _PAYER.fullmatch(text):
            raise Wrong(item.line, f"{text!r} is not a payer id (2010BB NM109)")
        if text in payers:
            raise Wrong(item.line, f"payer {text!r} is listed twice")
        payers[text] = item.line
    return payers


def _indicators(node: Node) -> dict[str, int]:
    indicators: dict[str, int] = {}
    for item in _entries(node, "filing_indicators is a list of SBR09 codes: [MA, MB]"):
        text = word_of(item)
        if not _INDICATOR.fullmatch(text):
            raise Wrong(item.line, f"{text!r} is not a claim filing indicator (SBR09)")
        if text in indicators:
            raise Wrong(item.line, f"filing indicator {text!r} is listed twice")
        indicators[text] = item.line
    return indicators


def _switches(notes: Notes, mention: _Mentioning, node: Node) -> dict[str, bool]:
    mapping = mapping_of(node, "rules are {on: [...], off: [...]}")
    notes.check_keys(mapping, "rules", ("on", "off"))
    switches: dict[str, bool] = {}
    for word, value in mapping.entries.items():
        for item in _entries(value, f"{word} is a list of rules: [therapy.kx, duplicate]"):
            name = mention(word_of(item), item.line)
            if name in switches:
                raise Wrong(item.line, f"rule {name!r} is listed twice")
            switches[name] = word == "on"
    return switches


def _severity(notes: Notes, mention: _Mentioning, node: Node) -> tuple[dict[str, Level], dict[int, Level]]:
    hint = "severity is {rules: {therapy.kx: warning}, snip: {7: off}}"
    mapping = mapping_of(node, hint)
    notes.check_keys(mapping, "severity", ("rules", "snip"))
    by_rule: dict[str, Level] = {}
    by_type: dict[int, Level] = {}
    if "rules" in mapping.entries:
        rules = mapping_of(mapping.entries["rules"], hint)
        for name, value in rules.entries.items():
            by_rule[mention(name, rules.lines[name])] = _level(value)
    if "snip" in mapping.entries:
        types = mapping_of(mapping.entries["snip"], hint)
        for number, value in types.entries.items():
            if number not in ("1", "2", "3", "4", "5", "6", "7"):
                raise Wrong(types.lines[number], f"a SNIP type is 1 to 7, not {number!r}")
            by_type[int(number)] = _level(value)
    return by_rule, by_type


def _level(node: Node) -> Level:
    word = word_of(node)
    levels = (*SEVERITIES, "off")
    if word not in levels:
        raise Wrong(node.line, f"there is no severity {word!r}; there are {listed(levels)}")
    return cast("Level", word)


def _unit_method(node: Node) -> UnitMethod:
    word = word_of(node)
    if word not in ("cms", "ama"):
        raise Wrong(node.line, f"unit_method is cms or ama, not {word!r}")
    return cast("UnitMethod", word)


def _isolation(node: Node) -> Isolation:
    word = word_of(node)
    if word not in ("claim", "transaction"):
        raise Wrong(node.line, f"isolation is claim or transaction, not {word!r}")
    return cast("Isolation", word)


def _note(node: Node) -> re.Pattern[str]:
    phrases = (word_of(node),) if isinstance(node, Scalar) else texts_of(node)
    try:
        return note_pattern(phrases)
    except ValueError as error:
        raise Wrong(node.line, str(error)) from None


def _member_id(node: Node) -> re.Pattern[str]:
    forms = (word_of(node),) if isinstance(node, Scalar) else texts_of(node)
    try:
        return member_id_pattern(forms)
    except ValueError as error:
        raise Wrong(node.line, str(error)) from None


def _statuses(notes: Notes, mention: _Mentioning, node: Node) -> tuple[Statuses, bool]:
    """The statuses, and whether they begin from a preset (else from what is inherited)."""
    if isinstance(node, Scalar):
        return _preset(node), True
    mapping = mapping_of(node, "statuses is a preset, or {preset: ..., errors: {...}, information: {...}}")
    notes.check_keys(mapping, "statuses", ("preset", "errors", "information"))
    start = _preset(mapping.entries["preset"]) if "preset" in mapping.entries else Statuses()
    none: dict[str, tuple[str, ...]] = {}
    errors = notes.take(mapping, "errors", partial(_codes_by_rule, mention, _REJECTING), none)
    information = notes.take(mapping, "information", partial(_codes_by_rule, mention, _TELLING), none)
    statuses = Statuses({**start.errors, **errors}, {**start.information, **information})
    return statuses, "preset" in mapping.entries


def _preset(node: Node) -> Statuses:
    word = word_of(node)
    if word not in PRESETS:
        raise Wrong(node.line, f"there is no preset {word!r}; there are {listed(PRESETS)}")
    return PRESETS[word]


def _codes_by_rule(mention: _Mentioning, form: re.Pattern[str], node: Node) -> dict[str, tuple[str, ...]]:
    mapping = mapping_of(node, 'statuses by rule are {ncci: ["A3:23:41"]}')
    found: dict[str, tuple[str, ...]] = {}
    for name, value in mapping.entries.items():
        codes = texts_of(value)
        if len(codes) > _MOST_STATUSES or len(set(codes)) < len(codes):
            raise Wrong(value.line, f"up to {_MOST_STATUSES} statuses, each once")
        for code in codes:
            if not form.fullmatch(code):
                wanted = "A3:23:41, with A3, A6, A7 or A8" if form is _REJECTING else "A2:20:41"
                raise Wrong(value.line, f"{code!r} is not a status for this place, such as {wanted}")
        found[mention(name, mapping.lines[name])] = codes
    return found


def _make(
    name: str,
    files: dict[str, _Own],
    made: dict[str, Profile],
    below: tuple[str, ...],
    faults: list[RuleFault],
) -> Profile | None:
    """The profile with what it inherits; None if it cannot be made, which is noted once."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name in made:
        return made[name]
    own = files[name]
    if own.inherits in (*below, name):
        faults.append(RuleFault(own.path, own.inherits_line, f"{own.inherits!r} inherits from itself"))
        return None
    if own.inherits not in BUILT_IN and own.inherits not in files:
        known = listed(BUILT_IN)
        near = ask_near(own.inherits, (*BUILT_IN, *files))
        reason = f"there is no profile {own.inherits!r}; there are {known}, and files in its folder.{near}"
        faults.append(RuleFault(own.path, own.inherits_line, reason))
        return None
    if len(below) == MAX_ANCESTORS:
        reason = f"inherits through more than {MAX_ANCESTORS} profiles"
        faults.append(RuleFault(own.path, own.inherits_line, reason))
        return None
    before = len(faults)
    parent = _make(own.inherits, files, made, (*below, name), faults)
    if parent is None or len(faults) > before:
        return None
    statuses = own.statuses or parent.statuses
    if own.statuses is not None and not own.preset:
        statuses = Statuses(
            {**parent.statuses.errors, **own.statuses.errors},
            {**parent.statuses.information, **own.statuses.information},
        )
    made[name] = replace(
        parent,
        name=name,
        inherits=parent.names,
        unit_method=own.unit_method or parent.unit_method,
        severities={**parent.severities, **own.severities},
        snip_severities={**parent.snip_severities, **own.snip_severities},
        switches={**parent.switches, **own.switches},
        statuses=statuses,
        isolation=own.isolation or parent.isolation,
        minutes_note=own.note or parent.minutes_note,
        member_id=own.member_id or parent.member_id,
    )
    return made[name]


def _choice(
    chosen: dict[str, _Own], files: dict[str, _Own], made: dict[str, Profile], faults: list[RuleFault]
) -> Choice:
    inherited = {own.inherits for own in files.values()}
    by_payer: dict[str, Profile] = {}
    by_indicator: dict[str, Profile] = {}
    others: list[Profile] = []
    for name, own in chosen.items():
        if name not in made:
            continue
        for table, keys, what in (
            (by_payer, own.payers, "payer"),
            (by_indicator, own.indicators, "filing indicator"),
        ):
            for key, line in keys.items():
                if key in table:
                    faults.append(
                        RuleFault(own.path, line, f"{what} {key!r} already belongs to {table[key].name}")
                    )
                table[key] = made[name]
        if not own.payers and not own.indicators and (name not in inherited or len(chosen) == 1):
            others.append(made[name])
            if len(others) > 1:
                reason = (
                    f"{others[0].name} also names no payers; only one profile can be for all other claims"
                )
                faults.append(RuleFault(own.path, 0, reason))
    if others:
        return Choice(by_payer, by_indicator, others[0])
    return Choice({**BY_PAYER, **by_payer}, {**BY_FILING_INDICATOR, **by_indicator})
