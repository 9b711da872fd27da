"""The command `explain-ack`: answers in plain words, and what has to be done about each claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.exit_codes import CHECKED, COULD_NOT, FOUND
from edi_checker.cli.help import Explained
from edi_checker.cli.options import LedgerPlace, config_option
from edi_checker.cli.outputs import keep_apart, open_binary, open_report
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.terminal import PIPE_WIDTH, wants_colour, width_of_terminal
from edi_checker.cli.version import version
from edi_checker.files.names import escape
from edi_checker.state import State

if TYPE_CHECKING:
    from edi_checker.files.inputs import Input
    from edi_checker.run.answered import Role, WorkList

_PAGE = 200  # files of the ledger that are listed at a time
_MOST_ARCHIVED = 2_000  # files of the archive that are opened
FORMS = ("text", "json", "html", "xlsx")


@click.command("explain-ack", cls=Explained)
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--claims",
    multiple=True,
    metavar="FILE",
    help="A claim file that is answered, or a folder of them; may be given more than once.",
)
@click.option(
    "--state",
    type=LedgerPlace(),
    metavar="PATH|URL",
    help="The ledger of `watch`: finds the claim files that are answered, in --archive.",
)
@click.option(
    "--archive",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The archive of the drop folder, for --state.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    show_default=True,
    help="Form of the explanation.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write to this file instead of standard output; xlsx needs it.",
)
@config_option
def explain_ack(
    paths: tuple[str, ...],
    claims: tuple[str, ...],
    state: str | None,
    archive: Path | None,
    form: str,
    output: Path | None,
) -> int:
    """Say what answers mean, and what to do about each claim.

    FILE is a TA1, 999 or 277CA, ours or another's, a folder of them, a .gz or .zip archive, or - for standard
    input.

    With the claim files that they answer (--claims, or the ledger of `watch`), each claim is in one of these:
    fix and send again, wait, not answered yet, leave.

    Exit code: 0 nothing is rejected, 1 something must be fixed, 2 something cannot be read, or its meaning is
    not clear: it has a category that is not known, or contradicts itself.
    """
    if (state is None) != (archive is None):
        raise click.UsageError("--state and --archive go together: the ledger, and where the files are.")
    if form == "xlsx" and output is None:
        raise click.UsageError("--format xlsx needs --output PATH.")
    import sqlite3

    from edi_checker.files.inputs import find_inputs
    from edi_checker.run.answered import WorkList, take_answers

    answers, sent = list(find_inputs(paths)), list(find_inputs(claims))
    keep_apart([*answers, *sent], [], None, [output] if output is not None else [], None)
    try:
        with WorkList() as work:
            code = max(_read(work, answers, "answer", take_answers), _read_claims(work, sent))
            if state is not None and archive is not None:
                code = max(code, _read_ledger(work, state, archive))
            if all(source.role != "answer" or source.reason for source in work.sources()):
                return COULD_NOT
            work.join()
            _write(work, form, output)
            return max(code, _code_of(work))
    except sqlite3.Error as error:
        raise Refusal(f"the temporary files cannot be written ({type(error).__name__})") from None


def _read_claims(work: WorkList, sources: Iterable[Input], *, only_answered: bool = False) -> int:
    """Take each file of claims, or those to which an answer belongs; the exit code."""
    from edi_checker.run.answered import take_claims

    return _read(work, sources, "claims", partial(take_claims, only_answered=only_answered))


def _read(
    work: WorkList, sources: Iterable[Input], role: Role, take: Callable[[WorkList, Input], None]
) -> int:
    """Take each input; what cannot be read is said, and stops nothing."""
    from edi_checker.run.answered import CannotTake

    code, taken, passed_over = CHECKED, 0, 0
    for source in sources:
        try:
            take(work, source)
            taken += 1
        except CannotTake as error:
            if source.found and (source.other or error.other_kind):
                passed_over += 1
                continue
            code = COULD_NOT
            work.refuse(source.path, role, str(error))
            click.echo(f"edi-checker: {source.path}: {escape(str(error))}", err=True)
    if passed_over and not taken:
        wanted = "an acknowledgement" if role == "answer" else "a claim file"
        click.echo(f"edi-checker: none of the files is {wanted}", err=True)
        code = COULD_NOT
    return code


def _write(work: WorkList, form: str, output: Path | None) -> None:
    if form == "xlsx":
        assert output is not None
        _write_spreadsheet(work, output)
        return
    with open_report(output, form) as out:
        if form == "json":
            from edi_checker.reports.answered_json import write_json

            write_json(work, out, version())
        elif form == "html":
            from edi_checker.reports.html.answered_page import write_page

            write_page(work, out, version())
        else:
            from edi_checker.reports.answered_text import write_text

            width = min(width_of_terminal(), 120) if out.isatty() else PIPE_WIDTH
            write_text(work, out, width=width, colour=wants_colour(out))


def _write_spreadsheet(work: WorkList, output: Path) -> None:
    try:
        from edi_checker.reports.answered_xlsx import write_workbook
    except ModuleNotFoundError as error:
        if error.name != "xlsxwriter":
            raise
        raise Refusal(
            "--format xlsx needs XlsxWriter, which is not installed: pip install 'edi-checker[xlsx]'"
        ) from None
    with open_binary(output) as stream:
        write_workbook(work, stream)


def _code_of(work: WorkList) -> int:
    """By what decides on each claim; without files of claims by all that the answers say."""
    verdicts = work.verdicts() if work.has_claims else {work.outcome()}
    if "rejected" in verdicts:
        return FOUND
    return COULD_NOT if "unclear" in verdicts else CHECKED


def _read_ledger(work: WorkList, state: str, archive: Path) -> int:
    """Take the files of the archive to which an answer may belong, the newest first; the exit code."""
    from edi_checker.cli.archived import find_input
    from edi_checker.cli.opening import opened
    from edi_checker.files.inputs import find_inputs
    from edi_checker.run.answered import wants

    code, looked_at = CHECKED, 0
    with opened(state) as ledger:
        before = None
        while files := ledger.list_files(states=(State.DONE,), before_id=before, limit=_PAGE):
            before = files[-1].id
            for file in files:
                details = ledger.show(file.id)
                if details is None or not wants(work, details):
                    continue
                looked_at += 1
                if looked_at > _MOST_ARCHIVED:
                    click.echo(
                        f"edi-checker: only the newest {_MOST_ARCHIVED:,} claim files are looked at", err=True
                    )
                    return COULD_NOT
                try:
                    path = find_input(archive, file)
                except Refusal as error:
                    click.echo(f"edi-checker: {escape(error.format_message())}", err=True)
                    work.refuse(f"{file.partner}/{file.name}", "claims", error.format_message())
                    code = COULD_NOT
                    continue
                code = max(code, _read_claims(work, find_inputs((str(path),)), only_answered=True))
    return code
