"""The report for those who fix claims: one HTML page, each faulty claim next to its raw segments."""

from edi_checker.reports.html.claim_view import ClaimViews
from edi_checker.reports.html.page import Answer, HtmlReport

__all__ = ["Answer", "ClaimViews", "HtmlReport"]
