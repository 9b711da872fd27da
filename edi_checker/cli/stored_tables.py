"""Where the imported tables are, and what is used if there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import Refusal

if TYPE_CHECKING:
    from edi_checker.reference.tables import Tables


def store_folder(given: Path | None) -> Path:
    if given is not None:
        return given
    from platformdirs import user_data_path

    return user_data_path("edi-checker", appauthor=False) / "tables"


def find_store(given: Path | None) -> Path:
    """As `store_folder`; one that was named must hold tables: a wrong name would pass for an empty store."""
    from edi_checker.reference.store.release import MANIFEST

    folder = store_folder(given)
    if given is not None and not (folder / MANIFEST).exists():
        raise Refusal(f"{folder}: no tables are imported there; `edi-checker tables import` does it")
    return folder


def open_tables(given: Path | None) -> Tables:
    """The imported tables before the built-in ones; these alone where nothing is imported."""
    from edi_checker.reference.store.release import MANIFEST
    from edi_checker.reference.tables import built_in

    folder = find_store(given)
    if not (folder / MANIFEST).exists():
        return built_in()
    from edi_checker.reference.store import StoreError, open_tables

    try:
        return open_tables(folder, built_in())
    except StoreError as error:
        raise Refusal(str(error)) from None
