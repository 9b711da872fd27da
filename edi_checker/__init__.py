"""Checks X12 837P professional claims before they are sent: the names that a program needs.

    import edi_checker

    result = edi_checker.check("claims.837", profile="medicare")
    print(result.outcome, result.charges.rejected)
    for claim in result.claims:
        for finding in claim.findings:
            print(claim.claim, finding.rule, finding.message)

A program needs no other import. Nothing is loaded before it is used. docs/api.md has all of it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from edi_checker.api import names

if TYPE_CHECKING:
    from edi_checker.api.names import *  # noqa: F403  # its __all__ is the list of what is public

__version__ = names.__version__
__all__ = names.__all__  # it is a list, there


class _Package(ModuleType):
    """This package: `check` stays the function, though the room of that name is a part of it too."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "check" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in names.HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{names.HOME[name]}"), name)
