"""Checks X12 837P professional claims before they are sent: the names that a program needs.

    from datetime import date
    import edi_checker

    checker = edi_checker.make_checker(received=date(2026, 3, 2))
    with open("claims.837", "rb") as stream:
        for checked in checker.check(stream):
            for finding in checked.findings:
                print(finding.rule, finding.where.claim, finding.message)

A program needs no other import. Nothing is loaded before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from edi_checker.check.checker import Checked, Checker
    from edi_checker.check.engine import Kind
    from edi_checker.claims.payer_profiles import Choice
    from edi_checker.claims.profile import Isolation, Profile
    from edi_checker.finding import Finding, Place, Severity, Status, TableVersion
    from edi_checker.x12.blocks import NotX12

__all__ = [
    "Checked",
    "Checker",
    "Finding",
    "NotX12",
    "Place",
    "Profile",
    "Severity",
    "Status",
    "TableVersion",
    "make_checker",
]

_HOME = {
    "Checked": "check.checker",
    "Checker": "check.checker",
    "Finding": "finding",
    "NotX12": "x12.blocks",
    "Place": "finding",
    "Profile": "claims.profile",
    "Severity": "finding",
    "Status": "finding",
    "TableVersion": "finding",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def make_checker(
    *,
    received: date,
    profile: Profile | Choice | None = None,
    rules: Iterable[Path] = (),
    tables: Path | None = None,
    isolation: Isolation | None = None,
    engine: Kind = "durable",
) -> Checker:
    """A checker with the packaged rules and those of the folders `rules`; with the built-in tables, or those
    that were imported into the folder `tables`. Installed plugins are left out: they are the command line's.

    `received` is the date of receipt, `profile` one payer's way for all claims, or a choice by the payer
    (None: by each claim's SBR09). Make it once and use it for any number of inputs, one after the other.
    Raises rules.RuleError where a rule file cannot be used.
    """
    from edi_checker.check.checker import Checker
    from edi_checker.check.engine import Engine
    from edi_checker.facts import Setting
    from edi_checker.guide.table import load as load_guide
    from edi_checker.reference.store import open_tables
    from edi_checker.reference.tables import built_in
    from edi_checker.rules import load as load_rules
    from edi_checker.x12.dates import from_date

    return Checker(
        guide=load_guide(),
        engine=Engine(load_rules(tuple(rules)), engine),
        setting=Setting(
            received=from_date(received),
            tables=built_in() if tables is None else open_tables(tables, built_in()),
            profile=profile,
        ),
        isolation=isolation,
    )
