"""The store of tables: files as they are published become releases on disk, looked up by date of service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edi_checker.reference.store.importing import ImportRefused, Plan, plan_import, run_import
    from edi_checker.reference.store.layouts import ALWAYS
    from edi_checker.reference.store.lookup import Diagnosis, Found, Level2, StoredTables, open_tables
    from edi_checker.reference.store.release import Release, StoreError, list_releases
    from edi_checker.reference.store.whole import Change, say_change

__all__ = [
    "ALWAYS",
    "MANIFEST",
    "Change",
    "Diagnosis",
    "Found",
    "ImportRefused",
    "Level2",
    "Plan",
    "Release",
    "StoreError",
    "StoredTables",
    "list_releases",
    "open_tables",
    "plan_import",
    "run_import",
    "say_change",
]

MANIFEST = "manifest.json"  # of a folder to which tables were imported

# The module that has each name, which is loaded when it is asked for: a check seldom needs what imports.
_HOME = {
    "ImportRefused": "importing",
    "Plan": "importing",
    "plan_import": "importing",
    "run_import": "importing",
    "ALWAYS": "layouts",
    "Diagnosis": "lookup",
    "Found": "lookup",
    "Level2": "lookup",
    "StoredTables": "lookup",
    "open_tables": "lookup",
    "Release": "release",
    "StoreError": "release",
    "list_releases": "release",
    "Change": "whole",
    "say_change": "whole",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
