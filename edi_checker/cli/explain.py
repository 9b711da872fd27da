"""The command `explain`: why a rule exists and what it requires, or what a code of an answer means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.completion import complete_rule
from edi_checker.cli.help import Explained
from edi_checker.cli.options import config_option, profile_option, rules_option, tables_option
from edi_checker.cli.refusal import Refusal, refusing
from edi_checker.cli.rulebook import load_rules
from edi_checker.cli.stored_tables import find_store
from edi_checker.cli.terminal import PIPE_WIDTH, width_of_terminal
from edi_checker.rules.near import find_near
from edi_checker.run.lookup import example_checker, looks_like_a_code, page_of_rule, pages_of_code

if TYPE_CHECKING:
    from edi_checker.reports.answer_codes import Page
    from edi_checker.rules import Rulebook

# Procedures, modifiers, diagnoses: codes of a claim.
_OF_A_TABLE = re.compile(r"(?i)[A-Z]?[0-9]{4}[0-9A-Z]|[A-Z][A-Z0-9]|[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


@click.command(cls=Explained)
@click.argument("asked", metavar="RULE_ID|CODE", shell_complete=complete_rule)
@rules_option
@profile_option
@tables_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def explain(asked: str, folders: tuple[Path, ...], profile: str, store: Path | None, form: str) -> None:
    """Say what a rule requires and why, or what a code means.

    RULE_ID is an id as it stands in a report, such as balance.claim-charge; `edi-checker rules` lists all.
    The page says since when the rule holds, where it is written down, and how it is answered, with an
    example.

    CODE is one of an acknowledgement (A7:562:85, A7, IK304=7, IK403=1, AK905=5, TA1=025) or of a remittance
    (CO-97, N362), and the page says what the sender usually does.
    """
    if looks_like_a_code(asked):
        # Without the rules, which take a while to read.
        pages = _find_code(asked, store)
        if pages:
            _print(pages, form)
            return
    book = load_rules(folders, profile=profile)
    by_name = {rule.id.lower(): rule for rule in book.rules}
    rule = by_name.get(asked.strip().lower())
    if rule is None:
        raise click.UsageError(_say_unknown(asked, book)) from None
    with refusing():
        page = page_of_rule(rule, example_checker(book, profile))
    _print([page], form)


def _find_code(asked: str, store: Path | None) -> list[Page]:
    from datetime import date

    from edi_checker.reference.store import StoreError, open_tables
    from edi_checker.reference.tables import built_in
    from edi_checker.x12.dates import from_date

    on = from_date(date.today())  # noqa: DTZ011  # the day at the user's desk
    try:
        return pages_of_code(asked, open_tables(find_store(store), built_in()), on)
    except StoreError as error:
        raise Refusal(str(error)) from None


def _print(pages: list[Page], form: str) -> None:
    if form == "json":
        from edi_checker.reports.answer_codes import pages_as_json

        click.echo(pages_as_json(pages), nl=False)
        return
    from edi_checker.reports.rule_page import write_page

    width = min(width_of_terminal(), PIPE_WIDTH)
    click.echo("\n".join(write_page(page.sections, width) for page in pages), nl=False)


def _say_unknown(asked: str, book: Rulebook) -> str:
    from edi_checker.reports.answer_codes import near_codes

    near = find_near(asked, (rule.id for rule in book.rules)) or ([] if "." in asked else near_codes(asked))
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    if _OF_A_TABLE.fullmatch(asked):
        said = f"{asked} is no code of an answer or remittance that is known here."
        return f"{said} {meant}`edi-checker tables lookup {asked}` has the codes of claims."
    kind = "No code or rule" if any(map(str.isdigit, asked)) and "." not in asked else "No rule"
    return f"{kind} is called {asked}. {meant}`edi-checker rules` lists all."
