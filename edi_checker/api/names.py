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

# The module that has each name.
HOME = {
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
