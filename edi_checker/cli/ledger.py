"""The command `ledger`: what became of each file, and what an operator does by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edi_checker.cli.exit_codes import CHECKED, FOUND
from edi_checker.cli.help import ExplainedGroup
from edi_checker.cli.ledger_pages import (
    details_as_json,
    exported_as_json,
    file_as_json,
    say_age,
    say_count,
    say_name,
    write_details,
    write_list,
    write_numbers,
)
from edi_checker.cli.opening import opened
from edi_checker.cli.options import (
    Checking,
    Day,
    Duration,
    config_option,
    costing_options,
    deciding_options,
    hide_names_option,
    json_option,
    partners_option,
    state_option,
)
from edi_checker.cli.refusal import Refusal
from edi_checker.files.names import escape
from edi_checker.state import MOST_SKIPPED, State

if TYPE_CHECKING:
    from edi_checker.state import Details

_DAY = 86_400.0
_LARGEST = 2**63 - 1  # that a database takes
_MOST = 1_000_000  # files of a list
_reason_option = click.option(
    "--reason", required=True, metavar="TEXT", help="Why, for those who read the ledger; no names of persons."
)
_archive_option = click.option(
    "--archive",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="The archive of the drop folder.",
)
_NOT_ASKED = (
    "History      not asked: claims of earlier files count for nothing, and no finding of history.* is held "
    "against it; --history-key asks it"
)
_id_argument = click.argument("file_id", type=click.IntRange(1, _LARGEST), metavar="ID")


@click.group(cls=ExplainedGroup)
@config_option
def ledger() -> None:
    """Look into the ledger of a drop folder, and act by hand.

    ID is the number of a file, as `list` shows it. No command makes a ledger; `upgrade` alone upgrades one.
    """


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _print_json(kind: str, said: dict[str, Any]) -> None:
    click.echo(json.dumps({"schema": f"edi-checker/ledger-{kind}/1", **said}, indent=1))


# -- looking


class _States(click.ParamType):  # type: ignore[type-arg]  # not generic in older releases of click
    name = "states"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[State]:
        words = [word.strip() for word in str(value).split(",")]
        for word in words:
            if word not in set(State):
                self.fail(f"{word!r} is none of {', '.join(State)}.", param, ctx)
        return frozenset(map(State, words))


@ledger.command("list")
@state_option
@click.option(
    "--state-of",
    "states",
    type=_States(),
    metavar="STATE,..",
    help=f"Only files that are {', '.join(State)}.",
)
@click.option("--partner", metavar="NAME", help="Only files of this partner.")
@click.option(
    "--name", metavar="GLOB", help="Only files of this name; * and ? stand for what they do in a shell."
)
@click.option("--stuck", is_flag=True, help="Only what needs attention.")
@click.option(
    "--since", type=Day(), metavar="YYYY-MM-DD", help="Only files that were seen on this day or later."
)
@click.option(
    "--limit", type=click.IntRange(1, _MOST), default=100, show_default=True, metavar="N", help="Most files."
)
@hide_names_option
@json_option
def list_files(
    state: str,
    states: frozenset[State] | None,
    partner: str | None,
    name: str | None,
    stuck: bool,
    since: datetime | None,
    limit: int,
    hide_names: bool,
    as_json: bool,
) -> None:
    """List files, the newest first."""
    with opened(state) as held:
        found = held.list_files(
            states=states or (),
            partner=partner,
            name=name,
            stuck=stuck,
            seen_since=_beginning_of(since) if since is not None else None,
            limit=limit + 1,
        )
    listed, more = found[:limit], len(found) > limit
    if as_json:
        _print_json("list", {"files": [file_as_json(file, hide=hide_names) for file in listed], "more": more})
        return
    _print(write_list(listed, hide=hide_names))
    if more or not listed:
        click.echo("there are more: --limit" if more else "no such file", err=True)


def _beginning_of(day: datetime) -> float:
    try:
        return day.timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{day.date()} is too far away: no file was seen then.", param_hint="'--since'"
        ) from None


@ledger.command()
@_id_argument
@state_option
@hide_names_option
@json_option
def show(file_id: int, state: str, hide_names: bool, as_json: bool) -> None:
    """Show everything of one file."""
    details = _must_show(state, file_id)
    with opened(state) as held:
        duplicates = held.list_files(duplicate_of=file_id)
    if as_json:
        said = details_as_json(details, hide=hide_names)
        _print_json("file", {**said, "duplicates": [each.id for each in duplicates]})
    else:
        _print(write_details(details, duplicates, hide=hide_names))


@ledger.command()
@state_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write to this file instead of standard output.",
)
@hide_names_option
def export(state: str, output: Path | None, hide_names: bool) -> None:
    """Print all files as NDJSON, the oldest first."""
    from edi_checker.cli.outputs import open_report

    with opened(state) as held, open_report(output, "ndjson") as out:
        for each in held.export():
            out.write(json.dumps(exported_as_json(each, hide=hide_names)) + "\n")


# -- acting on a file


@ledger.command()
@_id_argument
@state_option
@click.option(
    "--as", "outcome", type=click.Choice(["done", "failed"]), required=True, help="What became of the file."
)
@_reason_option
@hide_names_option
@json_option
def settle(file_id: int, state: str, outcome: str, reason: str, hide_names: bool, as_json: bool) -> None:
    """Say by hand that a file is done or failed.

    It needs nobody any more, and whoever works on it is stopped. An answer that is not published yet is not
    taken back: a watcher publishes it. A duplicate with other content can only be done.
    """
    with opened(state) as held:
        settled = held.settle(file_id, State(outcome), _not_empty(reason), _login())
    if as_json:
        _print_json("file", file_as_json(settled, hide=hide_names))
    else:
        click.echo(f"file {file_id} is {settled.state}")


@ledger.command()
@_id_argument
@state_option
@_reason_option
@hide_names_option
@json_option
def reopen(file_id: int, state: str, reason: str, hide_names: bool, as_json: bool) -> None:
    """Let a failed or vanished file wait again.

    It goes on under its id. The watcher takes one that had failed from the archive; another must lie in the
    inbox.
    """
    with opened(state) as held:
        waiting = held.reopen(file_id, _not_empty(reason), _login())
    if as_json:
        _print_json("file", file_as_json(waiting, hide=hide_names))
    else:
        name = say_name(waiting, hide=hide_names)
        where = "" if waiting.tries else f": it must lie in the inbox as {name}"
        click.echo(f"file {file_id} waits again{where}")


def _not_empty(reason: str) -> str:
    if not reason.strip():
        raise click.UsageError("--reason needs words.")
    return reason.strip()


def _login() -> str:
    import getpass
    import os

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


# -- answers again


@ledger.command()
@_id_argument
@state_option
@click.option(
    "--out-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder of answers.",
)
@_archive_option
@click.option("--with-id", is_flag=True, help="Send under the names in the archive, which begin with the id.")
@json_option
def resend(file_id: int, state: str, out_dir: Path, archive: Path, with_id: bool, as_json: bool) -> None:
    """Send the answer to a file again, byte by byte.

    It has the same numbers. The copies in the archive are sent, each held to the SHA-256 in the ledger, and
    none over a file that lies in the folder of answers.
    """
    from edi_checker.cli.archived import resend

    details = _must_show(state, file_id)
    file = details.file
    if file.state not in (State.DONE, State.DUPLICATE) or not details.outputs:
        why = "its answer is not published yet" if file.state == State.ANSWERED else "it has no answer"
        raise Refusal(f"file {file_id} is {file.state}: {why}")
    sent = resend(details, archive, out_dir, with_id=with_id)
    if as_json:
        _print_json("resend", {"id": file_id, "sent": [str(path) for path in sent]})
    else:
        _print(str(path) for path in sent)


@ledger.command()
@_id_argument
@state_option
@_archive_option
@click.option(
    "--day",
    type=click.Choice(["answered", "today"]),
    default="answered",
    show_default=True,
    help="Date of receipt: that of the answer, or today.",
)
@json_option
@click.option(
    "--publish",
    is_flag=True,
    help="Let the watcher answer the file again, with new numbers, as received today.",
)
@click.option(
    "--history-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Hold claims against those of earlier files too, as the watcher with this secret key does.",
)
@partners_option
@deciding_options
@costing_options
def replay(
    file_id: int,
    state: str,
    archive: Path,
    day: str,
    as_json: bool,
    publish: bool,
    history_key: Path | None,
    partners_file: Path | None,
    checking: Checking,
) -> int:
    """Check an archived file again and show what differs.

    Findings, outcomes of claims and the outcome of the file are held against the JSON report in the archive.
    Give the options that the watcher has.

    Exit code: 0 the answer would be the same, 1 it would be another, 2 the file could not be checked again.
    """
    from edi_checker.cli.history import known_secret
    from edi_checker.cli.replay import check_again, publish_again
    from edi_checker.reports.comparison import comparison_as_json, without_history, write_comparison

    details = _must_show(state, file_id)
    with opened(state) as held:
        secret = known_secret(held, history_key) if history_key is not None else None
        not_asked = secret is None and held.fingerprint() is not None
        found = check_again(
            held, details, archive, partners_file, checking, secret=secret, today=day == "today"
        )
        if not_asked:
            found = [(name, without_history(each)) for name, each in found]
        lost = [each.after["reason"] for _, each in found if each.lost]
        new = publish_again(held, details.file, archive) if publish and not lost else None
    if as_json:
        reports = [{"name": name, **comparison_as_json(each)} for name, each in found]
        said = {"id": file_id, "new": new and new.id, "history": secret is not None, "reports": reports}
        _print_json("replay", said)
    else:
        _print([_NOT_ASKED] if not_asked else [])
        for name, each in found:
            _print([escape(name)] if found[1:] else [])
            _print(write_comparison(each))
        _print([f"file {new.id} waits to be answered"] if new else [])
    if lost:
        raise Refusal(f"file {file_id} cannot be checked now: {lost[0]}")
    return FOUND if any(each.differs for _, each in found) else CHECKED


def _must_show(state: str, file_id: int) -> Details:
    with opened(state) as held:
        details = held.show(file_id)
    if details is None:
        raise Refusal(f"there is no file {file_id}")
    return details


# -- the whole ledger


@ledger.command()
@click.argument("action", type=click.Choice(["list", "skip"]), default="list")
@click.argument("by", type=click.IntRange(1, MOST_SKIPPED), required=False, metavar="[N]")
@state_option
@json_option
def numbers(action: str, by: int | None, state: str, as_json: bool) -> None:
    """List the control numbers that were given out last, or skip some.

    \b
    list    the last number of each sender, receiver and kind (the default)
    skip N  move all numbers on by N, also the ids of files

    Skip after a backup was restored: it does not know what was given out since, and no number may come twice.
    """  # noqa: D301  # the sign by which click leaves the lines as they are
    if (action == "skip") != (by is not None):
        raise click.UsageError("skip takes how many: edi-checker ledger numbers skip 1000")
    with opened(state) as held:
        moved = held.skip_numbers(by) if by is not None else 0
        counters = held.list_numbers()
    if as_json:
        names = ("sender", "receiver", "kind", "last")
        rows = [dict(zip(names, counter, strict=True)) for counter in counters]
        _print_json("numbers", {"skipped": by, "numbers": rows})
    elif by is not None:
        click.echo(f"{say_count(moved, 'counter')} and the ids of files moved on by {by:,}")
    else:
        _print(write_numbers(counters))


@ledger.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@state_option
@json_option
def backup(target: Path, state: str, as_json: bool) -> None:
    """Copy a ledger in SQLite to a new file, while others go on.

    A ledger in PostgreSQL is backed up with pg_dump.
    """
    with opened(state) as held:
        held.backup(target)
    if as_json:
        _print_json("backup", {"file": str(target), "size": target.stat().st_size})
    else:
        click.echo(f"{target}: {target.stat().st_size:,} bytes")


@ledger.command()
@state_option
@json_option
def check(state: str, as_json: bool) -> None:
    """Say whether the ledger is damaged.

    It is read as a whole: about a second a gigabyte.
    """
    with opened(state) as held:
        held.check()
        number = sum(held.counts().states.values())
    if as_json:
        _print_json("check", {"whole": True, "files": number})
    else:
        click.echo(f"the ledger is whole: {say_count(number, 'file')}")


@ledger.command()
@state_option
@json_option
def upgrade(state: str, as_json: bool) -> None:
    """Bring the ledger of an older edi-checker up to this one.

    Make a backup before.
    """
    with opened(state, upgrade=True) as held:
        number = sum(held.counts().states.values())
    if as_json:
        _print_json("upgrade", {"files": number})
    else:
        click.echo(f"the ledger has the tables of this edi-checker: {say_count(number, 'file')}")


@ledger.command()
@state_option
@click.option(
    "--older-than",
    type=Duration(),
    required=True,
    metavar="TIME",
    help="Delete files that were finished so long ago or longer, such as 400d.",
)
@click.option(
    "--history-older-than",
    type=Duration(),
    metavar="TIME",
    help="Keep what earlier claims billed for this time.  [default: as --older-than]",
)
@click.option("--yes", is_flag=True, help="Ask nothing.")
@json_option
def purge(state: str, older_than: float, history_older_than: float | None, yes: bool, as_json: bool) -> None:
    """Delete what is finished and old from the ledger.

    Files in folders stay. What is not finished, or failed and not settled, stays too. Numbers are never given
    out again.
    """
    if older_than < _DAY:
        raise click.UsageError("--older-than is a day at least, such as 400d.")
    with opened(state) as held:
        if not yes:
            number = held.count_purged(older_than)
            _ask(
                f"Delete {say_count(number, 'file')} that were finished {say_age(older_than)} ago or longer?"
            )
        purged = held.purge(older_than, history_older_than)
    if as_json:
        _print_json("purge", {"purged": purged.files})
    else:
        click.echo(f"{say_count(purged.files, 'file')} deleted from the ledger")


def _is_asked() -> bool:
    return sys.stdin.isatty()


def _ask(question: str) -> None:
    if not _is_asked():
        raise click.UsageError("--yes is needed where nobody can be asked.")
    if not click.confirm(question, err=True):
        raise Refusal("nothing is deleted")
