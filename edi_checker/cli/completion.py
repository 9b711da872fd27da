"""What the shell proposes for a word: ids of rules and names of profiles, without loading either."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

# Those of claims/payer_profiles.py, which takes long to load; a test holds them together.
PROFILES = (
    "auto",
    "medicare",
    "medicaid",
    "commercial",
    "uhc",
    "va",
    "tricare",
    "property-casualty",
    "medicare-advantage",
    "medicaid-without-tables",
)


def complete_rule(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the rules that come with the program; in a list with commas, for its last word."""
    from edi_checker.files.shipped import packaged_ids

    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(before + comma + id) for id in packaged_ids() if id.startswith(last)]


def complete_profile(incomplete: str) -> list[CompletionItem]:
    """Names of the built-in profiles, and files."""
    names = [CompletionItem(name) for name in PROFILES if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]
