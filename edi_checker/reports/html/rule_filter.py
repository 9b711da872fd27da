"""Findings by rule as bars, and the switches that show those of one rule or severity; no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from edi_checker.reports.html.markup import Element, append, tag
from edi_checker.x12.finding import SEVERITIES, Severity

MOST_RULES = 40  # rules with a bar and a switch of their own
_WIDTH = 200
_HEIGHT = 12
_PLURALS = {"error": "errors", "warning": "warnings", "info": "infos"}


def draw_chart(
    counts: Counter[tuple[Severity, str]], marks: Mapping[str, str], faults: Mapping[str, str]
) -> Element | None:
    """The rules with findings, the most frequent first, each with a bar and a switch; None without findings.

    `marks` gives the class of a rule's findings, which its switch shows alone, `faults` their heading.
    """
    if not counts:
        return None
    by_rule: dict[str, Counter[Severity]] = {}
    for (severity, rule), count in counts.items():
        by_rule.setdefault(rule, Counter())[severity] += count
    order = sorted(by_rule, key=lambda rule: (-by_rule[rule].total(), rule))
    most = by_rule[order[0]].total()
    rows = tag("ul", class_="chart")
    rows.append(
        tag(
            "li",
            tag("input", type="radio", name="rule", id="rule-all", checked="checked"),
            tag("label", tag("span", "All rules", class_="name"), for_="rule-all"),
        )
    )
    for rule in order[:MOST_RULES]:
        rows.append(_row(rule, by_rule[rule], most, marks.get(rule), faults.get(rule, "")))
    rest = order[MOST_RULES:]
    if rest:
        findings = sum(by_rule[rule].total() for rule in rest)
        rows.append(tag("li", f"{len(rest):,} more rules with {findings:,} findings", class_="quiet"))
    return tag("fieldset", tag("legend", "Findings by rule"), _severities(counts), rows, class_="filters")


def _severities(counts: Counter[tuple[Severity, str]]) -> Element:
    row = tag("p", class_="severities")
    for severity in SEVERITIES:
        count = sum(n for (own, _), n in counts.items() if own == severity)
        if not count:
            continue
        word = severity if count == 1 else _PLURALS[severity]
        append(
            row,
            tag(
                "label",
                tag("input", type="checkbox", id=f"show-{severity}", checked="checked"),
                tag("span", f"{count:,} {word}", class_=f"tag {severity}"),
                for_=f"show-{severity}",
            ),
            " ",
        )
    return row


def _row(rule: str, counts: Counter[Severity], most: int, mark: str | None, fault: str) -> Element:
    total = counts.total()
    label = tag(
        "label",
        tag("span", rule, class_="name"),
        _bar(counts, most),
        tag("span", f"{total:,}", class_="value"),
        tag("span", fault, class_="title") if fault else None,
        for_=f"rule-{mark}" if mark else None,
    )
    switch = tag("input", type="radio", name="rule", id=f"rule-{mark}") if mark else None
    return tag("li", switch, label)


def _bar(counts: Counter[Severity], most: int) -> Element:
    svg = tag("svg", role="img", aria_hidden="true", class_="bar")
    # The case of this name matters and lxml keeps it.
    svg.set("viewBox", f"0 0 {_WIDTH} {_HEIGHT}")
    svg.set("preserveAspectRatio", "none")
    x = 0.0
    for severity in SEVERITIES:
        width = counts[severity] / most * _WIDTH
        if width:
            width = max(width, 2.0)
            svg.append(
                tag("rect", x=f"{x:.1f}", y="0", width=f"{width:.1f}", height=str(_HEIGHT), class_=severity)
            )
            x += width
    return svg


def write_switches(marks: Mapping[str, str]) -> str:
    """The style rules by which the switches hide what they do not show."""
    out = []
    for mark in marks.values():
        chosen = f"body:has(#rule-{mark}:checked)"
        out.append(f"{chosen} .finding:not(.{mark}),{chosen} .card:not(:has(.{mark})){{display:none}}")
    names: tuple[str, ...] = SEVERITIES
    for name in names:
        out.append(f"body:has(#show-{name}:not(:checked)) .finding.{name}{{display:none}}")
    # A part goes when every severity that it has is hidden.
    for shown in range(2 ** len(names) - 1):
        kept = [name for bit, name in enumerate(names) if shown >> bit & 1]
        hidden = [name for name in names if name not in kept]
        when = "body" + "".join(f":has(#show-{name}:not(:checked))" for name in hidden)
        out.append(f"{when} .card{''.join(f':not(.has-{name})' for name in kept)}{{display:none}}")
    return "\n".join(out)
