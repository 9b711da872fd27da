"""The command `schema`: the JSON Schemas of what other commands print and write."""

from __future__ import annotations

import json

import click

from edi_checker.cli.help import Explained
from edi_checker.reports.schemas import NAMES, schema_of
from edi_checker.rules.near import ask_near


@click.command(cls=Explained)
@click.argument("name", required=False, metavar="[NAME]")
def schema(name: str | None) -> None:
    """Print the JSON Schema of an output.

    Without NAME the schemas are listed. A schema changes its number, such as edi-checker/report/1, only if an
    output loses a field or a field changes its meaning.
    """
    if name is None:
        for each, does in NAMES.items():
            click.echo(f"{each:<15}{does}")
        return
    if name not in NAMES:
        raise click.UsageError(f"No schema is called {name!r}.{ask_near(name, NAMES)}")
    click.echo(json.dumps(schema_of(name), indent=2))
