"""The pages of the site that are made from the program: rules, commands, configuration, codes, coverage.

By hand: python docs/site/pages.py DIR writes them as Markdown; `mkdocs build` takes them from here by itself.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from codes_page import write_codes_page
from command_pages import write_commands_page, write_configuration_page
from edi_checker.check.checker import Checker
from edi_checker.reports.coverage_page import write_coverage_page
from edi_checker.rules import Rule, load
from edi_checker.run.setting import CheckSetting
from rule_pages import (
    Tried,
    relate,
    try_rule,
    write_family_index,
    write_rule_page,
    write_severity_index,
)

ROOT = Path(__file__).resolve().parents[2]


def make_pages() -> dict[str, str]:
    """The text of each page by its place in the site."""
    book = load()
    checker = CheckSetting(isolation="claim", engine="python", rulebook=book).make().checker
    return make_quick_pages(checker, book.rules) | {
        "reference/coverage.md": "---\ntitle: Coverage\n---\n\n" + write_coverage_page(checker, book.rules)
    }


def make_quick_pages(checker: Checker, rules: Sequence[Rule]) -> dict[str, str]:
    """All but the coverage of the guide."""
    tried = [try_rule(checker, rule) for rule in rules]
    related = relate(rules)
    pages = {f"rules/{each.rule.id}.md": write_rule_page(each, related[each.rule.id]) for each in tried}
    return pages | {
        "rules/index.md": write_family_index(rules),
        "rules/by-severity.md": write_severity_index(rules),
        "reference/commands.md": write_commands_page(),
        "reference/configuration.md": write_configuration_page(),
        "reference/codes.md": write_codes_page(_used(tried)),
        "decisions/index.md": _decisions(),
    }


def _used(tried: list[Tried]) -> dict[str, list[str]]:
    """The rules that answer with a code of a TA1 or 999, with a category or a status."""
    used: dict[str, set[str]] = defaultdict(set)
    for each in tried:
        for _, finding in each.failing:
            status = finding.status
            codes = [*status.ack999, *([f"TA1={status.ta1}"] if status.ta1 else [])]
            codes += [code.split(":")[1] for code in status.ack277ca]
            for code in codes:
                used[code].add(each.rule.id)
    return {code: sorted(rules) for code, rules in used.items()}


def _decisions() -> str:
    out = ["---\ntitle: Decisions\n---", "# Decisions", "Why things are as they are, in order."]
    rows = []
    for file in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        heading = re.search(r"^# (.+)$", file.read_text("utf-8"), re.MULTILINE)
        assert heading is not None
        rows.append(f"- [{heading[1]}]({file.name})")
    return "\n\n".join([*out, "\n".join(rows)]) + "\n"


def main() -> None:
    folder = Path(sys.argv[1])
    for name, text in make_pages().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
