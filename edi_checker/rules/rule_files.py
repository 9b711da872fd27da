"""Folders of rule files to the names and contents of the files; nothing is understood yet."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from edi_checker.files.shipped import packaged_rules
from edi_checker.rules.model import RuleFault

MAX_FILES = 5000
MAX_FOLDERS_DEEP = 8
MAX_CHARACTERS = 1 << 16

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class RuleFile(NamedTuple):
    """A rule file as it was found: the id that its place gives it, how messages name it, what is in it."""

    rule_id: str
    path: str
    data: bytes
    packaged: bool  # whether it came with the checker


def take(item: Traversable) -> bytes:
    """The bytes of a file, at most one more than `read` takes. Raises OSError, also if it is not a file."""
    if not item.is_file():
        # A pipe or a device in a folder of rules could block its reader without end.
        raise OSError(errno.EINVAL, "not a regular file")
    with item.open("rb") as stream:
        return stream.read(MAX_CHARACTERS + 1)


def find_files(folders: Sequence[str | Path], packaged: bool, faults: list[RuleFault]) -> Iterator[RuleFile]:
    """The rule files of the package, where asked for, and of the folders; `faults` takes what is wrong."""
    found: list[tuple[str, str, Traversable]] = []
    if packaged:
        found.extend(_below(packaged_rules(), (), "rulesets", faults))
    ours = len(found)
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
    for number, (rule_id, shown, item) in enumerate(found):
        try:
            yield RuleFile(rule_id, shown, take(item), number < ours)
        except OSError as error:
            faults.append(RuleFault(shown, 0, f"cannot be read: {error.strerror}"))


def _is_packaged(path: Path) -> bool:
    """Whether this is the folder of the rules that come with the checker."""
    inside = packaged_rules()
    return isinstance(inside, Path) and path.is_dir() and path.resolve() == inside.resolve()


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
