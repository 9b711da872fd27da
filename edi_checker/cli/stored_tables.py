"""Where the imported tables are, and what is used if there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import refusing

if TYPE_CHECKING:
    from edi_checker.reference.tables import Tables


def store_folder(given: Path | None) -> Path:
    if given is not None:
        return given
    from edi_checker.run.setting import user_tables

    return user_tables()


def find_store(given: Path | None) -> Path:
    """As `store_folder`; one that was named must hold tables."""
    from edi_checker.run.setting import holds_tables

    folder = store_folder(given)
    with refusing():
        holds_tables(folder, named=given is not None)
    return folder


def open_tables(given: Path | None) -> Tables:
    """The imported tables before the built-in ones; these alone where nothing is imported."""
    from edi_checker.run.setting import open_tables

    with refusing():
        return open_tables(store_folder(given), named=given is not None)
