"""The command `status`: what waits, what is at work, what needs attention."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from edi_checker.cli.exit_codes import CHECKED, FOUND
from edi_checker.cli.help import Explained
from edi_checker.cli.ledger_pages import Overview, status_as_json, write_status
from edi_checker.cli.opening import opened
from edi_checker.cli.options import Duration, config_option, hide_names_option, json_option, state_option
from edi_checker.state import State

if TYPE_CHECKING:
    from edi_checker.state.ledger import Ledger

_LISTED = 20  # files of each list


@click.command(cls=Explained)
@state_option
@click.option(
    "--late",
    type=Duration(),
    default="1h",
    show_default=True,
    metavar="TIME",
    help="How long a file may wait before it needs attention.",
)
@hide_names_option
@json_option
@config_option
def status(state: str, late: float, hide_names: bool, as_json: bool) -> int:
    """Show what waits, what is at work and what needs attention.

    Names of files may be those of persons: --hide-names shows ids.

    Exit code: 0 nothing needs attention, 1 something does, 2 the ledger cannot be read.
    """
    with opened(state) as ledger:
        view = _look(ledger, late)
    if as_json:
        click.echo(json.dumps(status_as_json(view, hide=hide_names), indent=1))
    else:
        for line in write_status(view, hide=hide_names):
            click.echo(line)
    return FOUND if view.needs() else CHECKED


def _look(ledger: Ledger, late: float) -> Overview:
    counts = ledger.counts()
    today = datetime.combine(datetime.fromtimestamp(counts.now).astimezone().date(), time.min)
    since = (today - timedelta(days=1)).timestamp()
    return Overview(
        counts,
        tuple(ledger.list_files(states=(State.CLAIMED, State.ANSWERED), limit=_LISTED)),
        tuple(ledger.list_files(states=(State.FAILED,), stuck=True, limit=_LISTED)),
        tuple(ledger.list_files(states=(State.DUPLICATE,), stuck=True, limit=_LISTED)),
        tuple(ledger.answered_since(since)),
        since,
        late,
    )
