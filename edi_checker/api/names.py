"""The names that a program needs, and where each is; nothing is loaded before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edi_checker.files.version import __version__

if TYPE_CHECKING:
    from edi_checker.api.checking import check, make_checker
    from edi_checker.api.result import Charges, ClaimResult, Claims, Counts, Result, Split, TableUsed
    from edi_checker.check.checker import Checker
    from edi_checker.claims.checked import Checked
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

_BY_MODULE = {
    "api.checking": ("check", "make_checker"),
    "api.result": ("Charges", "ClaimResult", "Claims", "Counts", "Result", "Split", "TableUsed"),
    "check.checker": ("Checker",),
    "claims.checked": ("Checked",),
    "claims.claim": (
        *("Interchange", "InterchangeEnd", "Group", "GroupEnd", "Transaction", "TransactionEnd"),
        *("BillingProvider", "Subscriber", "Patient", "Claim", "ServiceLine"),
    ),
    "claims.profile": ("Profile",),
    "rules.model": ("RuleError",),
    "x12.blocks": ("NotX12",),
    "x12.finding": ("Finding", "Place", "Severity", "Status", "TableVersion"),
}
# The module that has each name.
HOME = {name: module for module, names in _BY_MODULE.items() for name in names}
