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

if TYPE_CHECKING:
    from edi_checker.api.checking import check, make_checker
    from edi_checker.api.result import Charges, ClaimResult, Claims, Counts, Result, Split, TableUsed
    from edi_checker.check.checker import Checked, Checker
    from edi_checker.claims.claim import (
        BillingProvider,
        Claim,
        Group,
        GroupEnd,
        Interchange,
        InterchangeEnd,
        Patient,
        ServiceLine,
        Subscriber,
        Transaction,
        TransactionEnd,
    )
    from edi_checker.claims.profile import Profile
    from edi_checker.rules.model import RuleError
    from edi_checker.x12.blocks import NotX12
    from edi_checker.x12.finding import Finding, Place, Severity, Status, TableVersion

__version__ = "0.1.0"

__all__ = [
    "BillingProvider",
    "Charges",
    "Checked",
    "Checker",
    "Claim",
    "ClaimResult",
    "Claims",
    "Counts",
    "Finding",
    "Group",
    "GroupEnd",
    "Interchange",
    "InterchangeEnd",
    "NotX12",
    "Patient",
    "Place",
    "Profile",
    "Result",
    "RuleError",
    "ServiceLine",
    "Severity",
    "Split",
    "Status",
    "Subscriber",
    "TableUsed",
    "TableVersion",
    "Transaction",
    "TransactionEnd",
    "__version__",
    "check",
    "make_checker",
]

# The module that has each name.
_HOME = {
    "check": "api.checking",
    "make_checker": "api.checking",
    "Result": "api.result",
    "ClaimResult": "api.result",
    "Claims": "api.result",
    "Counts": "api.result",
    "Charges": "api.result",
    "Split": "api.result",
    "TableUsed": "api.result",
    "Finding": "x12.finding",
    "Place": "x12.finding",
    "Severity": "x12.finding",
    "Status": "x12.finding",
    "TableVersion": "x12.finding",
    "Checker": "check.checker",
    "Checked": "check.checker",
    "Interchange": "claims.claim",
    "InterchangeEnd": "claims.claim",
    "Group": "claims.claim",
    "GroupEnd": "claims.claim",
    "Transaction": "claims.claim",
    "TransactionEnd": "claims.claim",
    "BillingProvider": "claims.claim",
    "Subscriber": "claims.claim",
    "Patient": "claims.claim",
    "Claim": "claims.claim",
    "ServiceLine": "claims.claim",
    "Profile": "claims.profile",
    "NotX12": "x12.blocks",
    "RuleError": "rules.model",
}


class _Package(ModuleType):
    """This package: `check` stays the function, though the room of that name is a part of it too."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "check" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
