"""Imports of small tables that stand for whole ones; what those need is tried in test_whole_tables.py."""

from unittest import mock

from edi_checker.reference.store import plan_import, run_import
from edi_checker.reference.store.whole import WHOLE


def import_as_whole(folder, paths, on=None):
    """The releases, as if each were the whole table and nothing had gone since the one before."""
    with (
        mock.patch.dict(WHOLE, clear=True),
        mock.patch("edi_checker.reference.store.whole.MOST_GONE", 1.0),
    ):
        return run_import(folder, plan_import(paths, on))
