"""The store of tables: files as they are published become releases on disk, looked up by date of service."""

from edi_checker.reference.store.importing import ImportRefused, Plan, plan_import, run_import
from edi_checker.reference.store.layouts import ALWAYS
from edi_checker.reference.store.lookup import Diagnosis, Found, Level2, StoredTables, open_tables
from edi_checker.reference.store.release import Release, StoreError, list_releases
from edi_checker.reference.store.whole import Change, say_change

__all__ = [
    "ALWAYS",
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
