"""Where the sources that rule files cite can be read: the address of the document, not of the paragraph."""

from __future__ import annotations

import re

_CMS = "https://www.cms.gov"
_NCCI = f"{_CMS}/medicare/coding-billing/national-correct-coding-initiative-ncci-edits"
_MANUALS = f"{_CMS}/regulations-and-guidance/guidance/manuals/downloads"

# The first pattern that is found in a citation; groups fill the address.
_ADDRESSES = [
    # Chapter 26 alone has another name.
    (r"Medicare Claims Processing Manual, ch\. 26\b", f"{_MANUALS}/clm104c26pdf.pdf"),
    (r"Medicare Claims Processing Manual, ch\. (\d+)", _MANUALS + "/clm104c{:0>2}.pdf"),
    (r"NCCI Policy Manual for Medicare", f"{_NCCI}/medicare-ncci-policy-manual"),
    (r"NCCI .*MUE", f"{_NCCI}/medicare-ncci-medically-unlikely-edits"),
    (r"NCCI .*PTP", f"{_NCCI}/medicare-ncci-procedure-procedure-ptp-edits"),
    (r"\bNCCI\b", _NCCI),
    (r"\b(\d+) CFR (?:part )?(\d+)\.(\d+)", "https://www.ecfr.gov/current/title-{}/section-{}.{}"),
    (r"claim adjustment reason codes", "https://x12.org/codes/claim-adjustment-reason-codes"),
    (r"remittance advice remark codes", "https://x12.org/codes/remittance-advice-remark-codes"),
    (r"X12 RFI \d+", "https://x12.org/resources/requests-for-interpretation"),
    (r"ASC X12", "https://x12.org/products/transaction-sets"),
    (r"NUCC", "https://taxonomy.nucc.org/"),
    (r"USPS Publication 28", "https://pe.usps.com/text/pub28/welcome.htm"),
]


def address_of(cite: str) -> str | None:
    """The address of the document that a citation names first; None if it is not known."""
    for pattern, address in _ADDRESSES:
        if found := re.search(pattern, cite):
            return address.format(*found.groups())
    return None
