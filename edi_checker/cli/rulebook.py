"""The rules that the options name, with a refusal for what cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import refusing

if TYPE_CHECKING:
    from edi_checker.rules import Rulebook
    from edi_checker.rules.plugins import Plugins


def load_rules(folders: tuple[Path, ...], profile: str = "auto", *, packaged: bool = True) -> Rulebook:
    from edi_checker.run.setting import load_rules

    with refusing():
        return load_rules(folders, profile=profile, packaged=packaged)


def gather_plugins() -> Plugins | None:
    from edi_checker.run.setting import gather_plugins

    with refusing():
        return gather_plugins()
