"""A checker for the examples of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edi_checker.cli.assembly import assemble

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.check.examples import Shown
    from edi_checker.rules import Rule, Rulebook


def example_checker(book: Rulebook, profile: str) -> Checker:
    from edi_checker.setting import CheckSetting

    # What an example shows does not hang on what is imported.
    return assemble(CheckSetting(profile=profile, isolation="claim"), book).checker


def show_example(checker: Checker, rule: Rule) -> Shown | None:
    """A failing example with its finding; None where there is none, or none that can be read."""
    from edi_checker.check.examples import show_example

    try:
        return show_example(checker, rule)
    except Exception:  # noqa: BLE001  # `rules test` says what is wrong with it
        return None
