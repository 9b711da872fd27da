"""The command `explain`: why a rule exists and what it requires."""

from __future__ import annotations

from pathlib import Path

import click

from edi_checker.cli.completion import complete_rule
from edi_checker.cli.example import example_checker, show_example
from edi_checker.cli.help import Explained
from edi_checker.cli.options import config_option, profile_option, rules_option
from edi_checker.cli.rulebook import load_rules
from edi_checker.cli.terminal import PIPE_WIDTH, width_of_terminal
from edi_checker.near import ask_near


@click.command(cls=Explained)
@click.argument("rule_id", metavar="RULE_ID", shell_complete=complete_rule)
@rules_option
@profile_option
@config_option
def explain(rule_id: str, folders: tuple[Path, ...], profile: str) -> None:
    """Say why a rule exists and what it requires.

    Also since when, where it is written down, and how it is answered, with an example. RULE_ID is an id as it
    stands in a report, such as balance.claim-charge; `edi-checker rules` lists all.
    """
    from edi_checker.reports.rule_page import write_page

    book = load_rules(folders, profile=profile)
    try:
        rule = book[rule_id]
    except KeyError:
        near = ask_near(rule_id, (each.id for each in book.rules))
        raise click.UsageError(f"No rule is called {rule_id}.{near} `edi-checker rules` lists all.") from None
    shown = show_example(example_checker(book, profile), rule)
    click.echo(write_page(rule, min(width_of_terminal(), PIPE_WIDTH), shown), nl=False)
