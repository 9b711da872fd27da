"""The command `units`: how many units the minutes of a day make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.help import Explained
from edi_checker.cli.options import config_option, tables_option
from edi_checker.cli.rulebook import load_rules
from edi_checker.cli.stored_tables import open_tables
from edi_checker.cli.terminal import PIPE_WIDTH, width_of_terminal
from edi_checker.x12.dates import from_date

if TYPE_CHECKING:
    from edi_checker.reference.units import UnitMethod


@click.command(cls=Explained)
@click.argument("given", nargs=-1, required=True, metavar="CODE=MINUTES...")
@click.option(
    "--method",
    type=click.Choice(["cms", "ama"]),
    default="cms",
    show_default=True,
    help="The unit method: CMS's 8-minute rule, or the AMA's midpoint rule.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@tables_option
@config_option
def units(given: tuple[str, ...], method: UnitMethod, form: str, store: Path | None) -> None:
    """Show how many units the minutes of a day make.

    CODE=MINUTES is a code with its minutes, such as 97530=25 97140=20: all those of one patient, day and
    discipline. The working is shown.
    """
    from datetime import date

    from edi_checker.reports.unit_page import read_minutes, units_as_json, write_units

    try:
        minutes = read_minutes(given)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    today = date.today()  # noqa: DTZ011  # the day at the user's desk
    if form == "json":
        click.echo(units_as_json(minutes, method, open_tables(store), from_date(today)), nl=False)
        return
    record = load_rules(())["therapy.minutes"].documentation
    width = min(width_of_terminal(), PIPE_WIDTH)
    click.echo(write_units(minutes, method, open_tables(store), from_date(today), record, width), nl=False)
