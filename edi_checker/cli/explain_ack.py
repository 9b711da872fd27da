"""The command `explain-ack`: an answer in plain words."""

from __future__ import annotations

from typing import BinaryIO, cast

import click

from edi_checker.cli.exit_codes import CHECKED, COULD_NOT, FOUND
from edi_checker.cli.help import Explained
from edi_checker.cli.options import config_option
from edi_checker.cli.outputs import open_report
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.terminal import PIPE_WIDTH, wants_colour, width_of_terminal


@click.command("explain-ack", cls=Explained)
@click.argument("path", metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the explanation.",
)
@config_option
def explain_ack(path: str, form: str) -> int:
    """Explain in plain words what a TA1, 999 or 277CA says.

    FILE is the answer, ours or another's, a .gz archive of it, or - for standard input.

    Exit code: 0 nothing is rejected, 1 something is rejected, 2 the answer cannot be read, or its meaning is
    not clear: it has a category that is not known, or contradicts itself.
    """
    from edi_checker.acks.explain import explain, write_json, write_text
    from edi_checker.files.inputs import Unreadable, find_inputs
    from edi_checker.guide.table import load
    from edi_checker.x12.blocks import NotX12

    inputs = list(find_inputs((path,)))
    if len(inputs) != 1:
        raise Refusal(f"{path}: one answer at a time, not {len(inputs)} files")
    with open_report(None, form) as out:
        try:
            with inputs[0].open() as reading:
                told = explain(cast(BinaryIO, reading), load())
                if form == "json":
                    outcome = write_json(told, out)
                else:
                    width = min(width_of_terminal(), 120) if out.isatty() else PIPE_WIDTH
                    outcome = write_text(told, out, width=width, colour=wants_colour(out))
        except (Unreadable, NotX12) as error:
            raise Refusal(f"{path}: {error}") from None
    return {"rejected": FOUND, "unclear": COULD_NOT}.get(outcome, CHECKED)
