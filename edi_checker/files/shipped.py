"""Where the rule files that come with the program lie, and the ids of their rules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def packaged_rules() -> Traversable:
    """The folder of the rules that come with the checker: inside the installed package, or next to it."""
    inside = files("edi_checker") / "rulesets"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "rulesets"


def packaged_ids() -> list[str]:
    """The ids of those rules, by the names of their files; none is read."""
    return sorted(_ids(packaged_rules(), ()))


def _ids(folder: Traversable, above: tuple[str, ...]) -> Iterator[str]:
    for item in folder.iterdir():
        if item.name.startswith((".", "_")):
            continue
        if item.is_dir():
            yield from _ids(item, (*above, item.name))
        elif item.name.endswith((".yaml", ".yml")):
            yield ".".join((*above, item.name.rsplit(".", 1)[0]))
