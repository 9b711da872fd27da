"""The command `tables`: published tables imported, listed, looked up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.options import Day, config_option, tables_option
from edi_checker.cli.progress import show_bar
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.stored_tables import find_store, store_folder
from edi_checker.x12.dates import from_date

if TYPE_CHECKING:
    from datetime import datetime


@click.group(invoke_without_command=True)
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
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.pass_obj
def import_tables(
    given: Path | None,
    paths: tuple[str, ...],
    store: Path | None,
    effective: datetime | None,
    no_progress: bool,
) -> None:
    """Import files as they are published: all of them or none.

    FILE is a .txt, .csv, .xlsx or .zip, or a folder of them: practitioner PTP or MUE edits, add-on codes, the
    relative value file of the physician fee schedule, the ICD-10-CM order file, HCPCS, single-dose drugs,
    provider taxonomy, adjustment reason and remark codes. The parts of a PTP release are imported together.
    """
    from edi_checker.reference.store import ImportRefused, StoreError, plan_import, run_import

    folder = store_folder(store or given)
    on = from_date(effective) if effective is not None else None
    try:
        plan = plan_import(paths, on)
        with show_bar("tables", plan.size, not no_progress and sys.stderr.isatty()) as watch:
            releases = run_import(folder, plan, watch)
    except (ImportRefused, StoreError) as error:
        raise Refusal(str(error)) from None
    for release in releases:
        click.echo(f"{release.table} {release.name}: {release.rows:,} rows")


@tables.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE [CODE]")
@tables_option
@click.option(
    "--on",
    type=Day(),
    metavar="YYYY-MM-DD",
    help="Date of service.  [default: today]",
)
@click.pass_obj
def lookup(given: Path | None, codes: tuple[str, ...], store: Path | None, on: datetime | None) -> None:
    """Say what the tables hold of a code, or of a pair of codes.

    They are asked for one date of service; each line names the release that says so.
    """
    from datetime import date

    from edi_checker.reference.store import StoreError, open_tables
    from edi_checker.reference.tables import built_in
    from edi_checker.reports.table_page import describe

    if len(codes) > 2:
        raise click.UsageError("One code or two are looked up.")
    for code in codes:
        if not code.strip().replace(".", "").isalnum():
            raise click.UsageError(f"{code!r} is not a code; put a space between two codes.")
    today = date.today()  # noqa: DTZ011  # the day at the user's desk
    folder = find_store(store or given)
    try:
        found = open_tables(folder, built_in())
        names = tuple(code.strip().upper() for code in codes)
        click.echo(describe(found, names, from_date(on or today)), nl=False)
    except StoreError as error:
        raise Refusal(str(error)) from None
