"""The command `tables`: published tables imported, listed, looked up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.help import ExplainedGroup
from edi_checker.cli.options import Day, config_option, tables_option
from edi_checker.cli.progress import show_bar
from edi_checker.cli.refusal import Refusal, refusing
from edi_checker.cli.stored_tables import find_store, store_folder
from edi_checker.cli.terminal import width_of_terminal
from edi_checker.x12.dates import from_date

if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.reference.store import StoredTables


@click.group(cls=ExplainedGroup, invoke_without_command=True)
@tables_option
@config_option
@click.pass_context
def tables(ctx: click.Context, store: Path | None) -> None:
    """Import the CMS tables, list them, look up a code.

    Without a command they are listed. What is imported is what the other commands go by.
    """
    ctx.obj = store
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_tables, store=None)


@tables.command("list")
@tables_option
@click.pass_obj
def list_tables(given: Path | None, store: Path | None) -> None:
    """List the releases, with their days, rows and files."""
    from edi_checker.reference.store import StoreError, list_releases
    from edi_checker.reference.tables import built_in
    from edi_checker.reports import table_page

    try:
        releases = list_releases(store_folder(store or given))
    except StoreError as error:
        raise Refusal(str(error)) from None
    click.echo(table_page.list_tables(releases, built_in()), nl=False)


@tables.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@tables_option
@click.option(
    "--effective",
    type=Day(),
    metavar="YYYY-MM-DD",
    help="A day of the quarter or year of the release, if the name of the file does not show it.",
)
@click.option(
    "--accept-shrinkage",
    is_flag=True,
    help="Take a table that is not whole, or lost many rows, as an excerpt: a code that it lacks is not"
    " an error.",
)
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.pass_obj
def import_tables(
    given: Path | None,
    paths: tuple[str, ...],
    store: Path | None,
    effective: datetime | None,
    accept_shrinkage: bool,
    no_progress: bool,
) -> None:
    """Import files as they are published: all of them or none.

    FILE is a .txt, .csv, .xlsx or .zip, or a folder of them: practitioner PTP or MUE edits, add-on codes, the
    relative value file of the physician fee schedule, the ICD-10-CM order file, HCPCS, single-dose drugs,
    provider taxonomy, adjustment reason and remark codes, BETOS and RBCS classes, addendum B of the
    outpatient payment system. The parts of a PTP release are imported together.

    A file that is damaged, cut off, or much smaller than the release before is refused, and nothing changes.
    """
    from edi_checker.reference.store import (
        Change,
        ImportRefused,
        StoreError,
        plan_import,
        run_import,
        say_change,
    )

    folder = store_folder(store or given)
    on = from_date(effective) if effective is not None else None
    changes: list[Change] = []
    try:
        plan = plan_import(paths, on)
        with show_bar("tables", plan.size, not no_progress and sys.stderr.isatty()) as watch:
            releases = run_import(folder, plan, watch, accept_shrinkage=accept_shrinkage, tell=changes.append)
    except (ImportRefused, StoreError) as error:
        raise Refusal(str(error)) from None
    for release in releases:
        excerpt = "" if release.whole else ", an excerpt: a code that it lacks is not an error"
        click.echo(f"{release.table} {release.name}: {release.rows:,} rows{excerpt}")
        for change in changes:
            if (change.table, change.release) == (release.table, release.name):
                click.echo(f"  {say_change(change)}")


@tables.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE [CODE]")
@tables_option
@click.option(
    "--on",
    type=Day(),
    metavar="YYYY-MM-DD",
    help="Date of service.  [default: today]",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def lookup(
    given: Path | None, codes: tuple[str, ...], store: Path | None, on: datetime | None, form: str
) -> None:
    """Say what is known of a code of any list, or of a pair of codes.

    Of a procedure: its days, therapy, limits, add-ons and pairs, fee schedule, classes, modifiers, usual
    diagnoses and record. All for one date of service, with the release that says so; what an import would
    bring names its file. Of a modifier, diagnosis, place of service, taxonomy, adjustment reason, remark or
    claim status: the list that has it, and its days. A code that no list has gets the codes near it.
    """
    from datetime import date

    from edi_checker.reference.store import StoreError, open_tables
    from edi_checker.reference.tables import built_in

    if len(codes) > 2:
        raise click.UsageError("One code or two are looked up.")
    for code in codes:
        if not code.strip().replace(".", "").isalnum():
            raise click.UsageError(f"{code!r} is not a code; put a space between two codes.")
    today = date.today()  # noqa: DTZ011  # the day at the user's desk
    folder = find_store(store or given)
    names = tuple(code.strip().upper() for code in codes)
    try:
        found = open_tables(folder, built_in())
        said = _look_up(found, names, from_date(on or today), as_json=form == "json")
    except StoreError as error:
        raise Refusal(str(error)) from None
    click.echo(said, nl=False)


def _look_up(found: StoredTables, codes: tuple[str, ...], on: int, *, as_json: bool) -> str:
    from edi_checker.reports.table_page import describe, pair_as_json

    if len(codes) == 2:
        return pair_as_json(found, codes, on) if as_json else describe(found, codes, on)
    from edi_checker.reports.code_page import code_as_json, write_code
    from edi_checker.reports.shipped_lists import near_codes
    from edi_checker.run.lookup import is_known, look_up

    (code,) = codes
    with refusing():
        facts = look_up(found, code, on)
    if as_json:
        return code_as_json(code, on, facts)
    if is_known(facts):
        return write_code(code, on, facts, width_of_terminal())
    near = near_codes(found, code, on)
    asked = f"{code}? Did you mean {' or '.join(near)}?\n" if near else ""
    return describe(found, codes, on) + asked
