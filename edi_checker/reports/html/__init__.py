"""The report for those who mend claims: one HTML page, each faulty claim beside its raw segments."""

from edi_checker.reports.html.claim_view import ClaimViews
from edi_checker.reports.html.page import Answer, HtmlReport

__all__ = ["Answer", "ClaimViews", "HtmlReport"]
