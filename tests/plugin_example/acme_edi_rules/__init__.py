"""What Acme asks of its claims beyond the rules that come with the checker."""

from pathlib import Path

from edi_checker.facts import Fact, FactType, Field
from edi_checker.rules.plugins import hookimpl

BUSY_DAY = FactType(
    about="the lines of a claim on one day",
    fields={
        "date": Field("date", "DTP03 472", "the day"),
        "lines": Field("int", "computed", "number of lines"),
    },
)


@hookimpl
def rule_folders():
    return [Path(__file__).parent / "rules"]


@hookimpl
def fact_types():
    return {"busy_day": BUSY_DAY}


@hookimpl
def make_facts(claim, received, profile):
    by_day = {}
    for line in claim.lines:
        by_day.setdefault(line.dates[0], []).append(line)
    return [
        Fact("busy_day", {"date": day, "lines": len(lines)}, {"": (lines[0],)})
        for day, lines in by_day.items()
    ]
