"""How the files of each partner are checked: the options of the command, changed by `partners.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edi_checker.rules.near import ask_near
from edi_checker.rules.rule_files import take
from edi_checker.rules.yaml_tree import Mapping as Tree
from edi_checker.rules.yaml_tree import Node, Scalar, Sequence, Unreadable, read
from edi_checker.run.setting import PROFILES, CheckSetting, SettingError
from edi_checker.watch.places import to_text

DEFAULT = "default"  # the entry for partners without one
_KEYS = ("profile", "duplicate-window", "isolation", "rules", "select", "ignore", "split", "page")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WINDOW = 30 * _UNITS["d"]  # what partners often agree on; one whose numbers come again needs a shorter one


@dataclass(frozen=True, slots=True)
class Way:
    """How the files of a partner are checked and answered.

    window  seconds in which an interchange with the same partners and control number is a duplicate
    page    whether NAME.html is written too; `split` whether the claims are, in two files
    """

    setting: CheckSetting
    window: float = WINDOW
    page: bool = False
    split: bool = False


@dataclass(frozen=True, slots=True)
class Partners:
    """The way of each partner, by the name of its folder as the ledger has it; `default` for all others."""

    default: Way
    named: Mapping[str, Way]

    def of(self, partner: str) -> Way:
        return self.named.get(partner, self.default)

    def ways(self) -> list[Way]:
        return [self.default, *self.named.values()]


def seconds_of(text: str) -> float:
    """The seconds of `10s`, `5m`, `2h`, `400d` or a plain number. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time such as 10s, 5m, 2h or 400d")
    return float(found[1]) * _UNITS[found[2] or "s"]


def read_partners(path: Path, usual: Way) -> Partners:
    """The partners of a file. Raises SettingError, which names file and line."""
    try:
        tree = read(take(path))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from None
    except Unreadable as error:
        raise SettingError(f"{path}:{error.line}: {error.reason}") from None
    ways: dict[str, Way] = {}
    try:
        default = tree.entries.pop(DEFAULT, None)
        usual = usual if default is None else _way(default, usual, path.parent)
        for name, node in tree.entries.items():
            ways[to_text(name)] = _way(node, usual, path.parent)
    except _Wrong as wrong:
        raise SettingError(f"{path}:{wrong.line}: {wrong.reason}") from None
    return Partners(usual, ways)


class _Wrong(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def _way(node: Node, usual: Way, folder: Path) -> Way:
    if not isinstance(node, Tree):
        raise _Wrong(node.line, f"a partner has entries: {', '.join(_KEYS)}")
    way, setting = usual, usual.setting
    for key, value in node.entries.items():
        line = node.lines.get(key, node.line)
        match key:
            case "profile":
                setting = replace(setting, profile=_profile(_word(value, line), folder))
            case "duplicate-window":
                try:
                    way = replace(way, window=seconds_of(_word(value, line)))
                except ValueError as error:
                    raise _Wrong(line, str(error)) from None
            case "isolation":
                word = _word(value, line)
                if word not in ("claim", "transaction"):
                    raise _Wrong(line, "isolation is claim or transaction")
                setting = replace(setting, isolation=word)  # type: ignore[arg-type]  # one of the two
            case "rules":
                paths = tuple(folder / word for word in _words(value, line))
                setting = replace(setting, rules=(*usual.setting.rules, *paths))
            case "select":
                setting = replace(setting, select=tuple(_words(value, line)))
            case "ignore":
                setting = replace(setting, ignore=tuple(_words(value, line)))
            case "split":
                way = replace(way, split=_is_true(value, line))
            case "page":
                way = replace(way, page=_is_true(value, line))
            case _:
                near = ask_near(key, _KEYS)
                raise _Wrong(line, f"{key!r} is none of {', '.join(_KEYS)}{f'.{near}' if near else ''}")
    return replace(way, setting=setting)


def _word(node: Node, line: int) -> str:
    if not isinstance(node, Scalar):
        raise _Wrong(line, "one word is expected here")
    return node.text


def _words(node: Node, line: int) -> list[str]:
    if isinstance(node, Sequence):
        return [_word(each, each.line) for each in node.items]
    return [_word(node, line)]


def _is_true(node: Node, line: int) -> bool:
    word = _word(node, line)
    if word not in ("true", "false"):
        raise _Wrong(line, "true or false is expected here")
    return word == "true"


def _profile(word: str, folder: Path) -> str:
    """The name of a built-in profile as it is, a path as seen from the file that names it."""
    return word if word in PROFILES else str(folder / word)
