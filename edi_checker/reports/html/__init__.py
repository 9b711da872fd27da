"""The report for people who mend claims: one HTML page, each faulty claim laid out beside its raw segments."""

from edi_checker.reports.html.exhibit import Exhibits
from edi_checker.reports.html.page import HtmlReport

__all__ = ["Exhibits", "HtmlReport"]
