"""The rules that the options name, with a refusal for what cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import refusing

if TYPE_CHECKING:
    from edi_checker.rules import Rulebook
    from edi_checker.rules.plugins import Plugins


def load_rules(folders: tuple[Path, ...], profile: str = "auto", *, packaged: bool = True) -> Rulebook:
    from edi_checker.setting import load_rules

    with refusing():
        return load_rules(folders, profile=profile, packaged=packaged)


def gather_plugins() -> Plugins | None:
    from edi_checker.setting import gather_plugins

    with refusing():
        return gather_plugins()


def find_near(book: Rulebook, name: str) -> list[str]:
    """At most three ids that are like the name, those first that begin with it."""
    from difflib import get_close_matches

    ids = [rule.id for rule in book.rules]
    begun = [id for id in ids if id.startswith(name)]
    return (begun or get_close_matches(name, ids))[:3]
