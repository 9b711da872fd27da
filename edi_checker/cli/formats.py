"""The formats of `check --format`, each registered here and nowhere else, and what makes their reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TextIO

from edi_checker.cli.refusal import Refusal
from edi_checker.cli.terminal import PIPE_WIDTH, wants_colour, width_of_terminal

if TYPE_CHECKING:
    from edi_checker.rules import Rule
    from edi_checker.run.one_input import Report


class About(NamedTuple):
    """What a report can say of its run: `received` is CCYYMMDD, `tables` are name, version and rows of each
    table that decides, `rules` those that apply. `verbose` asks for the tables in the text report.
    """

    version: str
    received: int
    tables: list[tuple[str, str, int]]
    rules: tuple[Rule, ...]
    verbose: bool = False


class Format(NamedTuple):
    """How a report of this format is made for a stream; `binary` if the stream takes bytes."""

    make: Callable[[Any, About], Report]
    binary: bool = False


def _text(out: TextIO, about: About) -> Report:
    from edi_checker.reports.text import TextReport, marks_for

    return TextReport(
        out,
        width=width_of_terminal() if out.isatty() else PIPE_WIDTH,
        colour=wants_colour(out),
        marks=marks_for(out.encoding),
        tables=about.tables,
        verbose=about.verbose,
    )


def _verdicts(out: TextIO, _about: About) -> Report:
    from edi_checker.reports.verdicts import VerdictsReport

    return VerdictsReport(out)


def _json(out: TextIO, about: About) -> Report:
    from edi_checker.reports.json_report import JsonReport

    return JsonReport(out, version=about.version, received=about.received, tables=about.tables)


def _ndjson(out: TextIO, _about: About) -> Report:
    from edi_checker.reports.ndjson import NdjsonReport

    return NdjsonReport(out)


def _csv(out: TextIO, _about: About) -> Report:
    from edi_checker.reports.csv_report import CsvReport

    return CsvReport(out)


def _html(out: TextIO, about: About) -> Report:
    from edi_checker.reports.html import HtmlReport

    return HtmlReport(
        out, version=about.version, received=about.received, tables=about.tables, rules=about.rules
    )


def _xlsx(out: BinaryIO, about: About) -> Report:
    from edi_checker.reports.xlsx_report import XlsxReport

    try:
        return XlsxReport(out, version=about.version, received=about.received, tables=about.tables)
    except ModuleNotFoundError:
        raise Refusal("--format xlsx needs XlsxWriter: pip install 'edi-checker[xlsx]'") from None


def _github(out: TextIO, _about: About) -> Report:
    from edi_checker.reports.github_report import GithubReport

    return GithubReport(out)


def _sarif(out: TextIO, about: About) -> Report:
    from edi_checker.reports.sarif_report import SarifReport

    return SarifReport(out, version=about.version, rules=about.rules)


def _junit(out: TextIO, _about: About) -> Report:
    from edi_checker.reports.junit_report import JunitReport

    return JunitReport(out)


def _statistics(out: TextIO, about: About) -> Report:
    from edi_checker.reports.statistics import StatisticsReport

    width = width_of_terminal() if out.isatty() else PIPE_WIDTH
    return StatisticsReport(out, width=width, faults={rule.id: rule.fault for rule in about.rules})


def _statistics_json(out: TextIO, about: About) -> Report:
    from edi_checker.reports.statistics import StatisticsReport
    from edi_checker.x12.dates import iso

    head = {"version": about.version, "received": iso(about.received)}
    return StatisticsReport(out, head=head)


# `html` is shown the claims and their answers too; see edi_checker.run.Output.
FORMATS: dict[str, Format] = {
    "text": Format(_text),
    "json": Format(_json),
    "ndjson": Format(_ndjson),
    "csv": Format(_csv),
    "html": Format(_html),
    "xlsx": Format(_xlsx, binary=True),
    "github": Format(_github),
    "sarif": Format(_sarif),
    "junit": Format(_junit),
}
# In place of the text report with `--quiet`.
QUIET = Format(_verdicts)
# The same of `--statistics`.
STATISTICS = {"text": Format(_statistics), "json": Format(_statistics_json)}
