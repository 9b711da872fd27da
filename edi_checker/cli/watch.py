"""The command `watch`: a drop folder whose files are answered once, whatever happens meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edi_checker.cli.assembly import find_ways, make_limits
from edi_checker.cli.exit_codes import CHECKED, COULD_NOT
from edi_checker.cli.help import Explained
from edi_checker.cli.history import is_file, secret_of
from edi_checker.cli.options import (
    Checking,
    Duration,
    config_option,
    costing_options,
    deciding_options,
    log_format_option,
    partners_option,
    workers_option,
)
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.terminal import cores
from edi_checker.cli.version import version

if TYPE_CHECKING:
    from edi_checker.state import Secret
    from edi_checker.watch.job import Desk
    from edi_checker.watch.places import Places

_FOLDER = click.Path(file_okay=False, path_type=Path)
_DAY = 86_400.0
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Explained)
@click.argument("inbox", type=_FOLDER, metavar="INBOX")
@click.option("--out-dir", required=True, type=_FOLDER, metavar="DIR", help="Folder in which answers appear.")
@click.option(
    "--archive", required=True, type=_FOLDER, metavar="DIR", help="Folder to which inputs move in the end."
)
@click.option(
    "--state",
    "url",
    required=True,
    metavar="URL",
    help="The ledger: a file for one watcher, or postgresql://... for several.",
)
@click.option("--once", is_flag=True, help="End when everything that is there has been answered.")
@workers_option
@click.option(
    "--settle",
    type=Duration(),
    default="10s",
    show_default=True,
    metavar="TIME",
    help="A file that has not changed for so long is whole.",
)
@click.option(
    "--every",
    type=Duration(),
    default="5s",
    show_default=True,
    metavar="TIME",
    help="Time between two looks at the inbox.",
)
@click.option(
    "--done-suffix",
    default=".done",
    show_default=True,
    metavar="TEXT",
    help="NAME with this suffix says that NAME is whole; an empty text for no such sign.",
)
@partners_option
@click.option(
    "--history-key",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Hold claims against those of earlier files too, which the ledger keeps under this secret key.",
)
@click.option(
    "--keep",
    type=Duration(),
    default="400d",
    show_default=True,
    metavar="TIME",
    help="How long the ledger keeps what is finished.",
)
@click.option(
    "--lease",
    type=Duration(),
    default="60s",
    show_default=True,
    metavar="TIME",
    help="After so long without a sign of life another watcher takes a file over.",
)
@click.option("--status-file", type=_FILE, metavar="PATH", help="Say in this file how it goes (JSON).")
@click.option(
    "--metrics", type=_FILE, metavar="PATH", help="The same for Prometheus, to be read by node_exporter."
)
@log_format_option
@click.option("--hide-names", is_flag=True, help="Name files in the log by their number in the ledger.")
@click.option("--split", is_flag=True, help="Write the claims too: STEM.clean.837 and STEM.rejected.837.")
@click.option("--html", "page", is_flag=True, help="Write STEM.html too.")
@deciding_options
@costing_options
@config_option
def watch(
    inbox: Path,
    out_dir: Path,
    archive: Path,
    url: str,
    once: bool,
    workers: int | None,
    settle: float,
    every: float,
    done_suffix: str,
    partners_file: Path | None,
    history_key: Path | None,
    keep: float,
    lease: float,
    status_file: Path | None,
    metrics: Path | None,
    log_format: Literal["console", "json"],
    hide_names: bool,
    split: bool,
    page: bool,
    checking: Checking,
) -> int:
    """Watch a folder: answer each file that arrives, once.

    INBOX holds files, or a sub-folder for each partner. Answers appear in --out-dir in the same sub-folder;
    inputs move to accepted, rejected, duplicate or failed in --archive. Nothing is deleted, and a watcher
    that was killed goes on where it stopped. SIGTERM ends it after the files in hand; SIGHUP makes it read
    rules, tables, profiles and partners again.

    Exit code of --once: 0 all was answered, 2 something could not be.
    """
    if keep < _DAY:
        raise click.UsageError("--keep is a day at least, such as 400d.")
    from edi_checker.run.setting import SettingError
    from edi_checker.state import StateError, open_ledger
    from edi_checker.watch.places import Places, PlacesError

    places = Places(inbox, out_dir, archive)
    try:
        from edi_checker.watch.log import Log
        from edi_checker.watch.loop import AnotherWatcher, Plan
        from edi_checker.watch.loop import watch as begin_watch
    except ModuleNotFoundError as error:
        raise Refusal(f"watch needs {error.name}: pip install 'edi-checker[watch]'") from None
    from edi_checker.watch.inbox import Inbox

    try:
        if is_file(url):
            places.refuse_within(Path(url.removeprefix("sqlite:///")), "ledger")
        if history_key is not None:
            places.refuse_within(history_key, "history key")
        places.prepare()
        secret = secret_of(url, history_key) if history_key is not None else None
    except (PlacesError, StateError) as error:
        raise Refusal(str(error)) from None
    plan = Plan(
        places=places,
        inbox=Inbox(places, settle, done_suffix, time.monotonic),
        make_desk=lambda: _make_desk(
            places, partners_file, checking, (page, split), (lease, settle, done_suffix), secret
        ),
        open_ledger=lambda make: open_ledger(url, time.time, make=make),
        lock=Path(f"{url.removeprefix('sqlite:///')}.lock") if is_file(url) else None,
        workers=workers or cores(),
        every=every,
        settle=settle,
        once=once,
        keep=keep,
        status_file=status_file,
        metrics=metrics,
        version=version(),
    )
    try:
        health = begin_watch(plan, Log(log_format, hide_names=hide_names))
    except (SettingError, StateError) as error:
        raise Refusal(str(error)) from None
    except AnotherWatcher as error:
        raise Refusal(f"{archive}: {error}") from None
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}") from None
    bad = ("failed", "again", "crash", "trouble")
    all_answered = not health.hindered and not any(health.events[event] for event in bad)
    return COULD_NOT if once and not all_answered else CHECKED


def _make_desk(
    places: Places,
    partners_file: Path | None,
    checking: Checking,
    writes: tuple[bool, bool],
    waits: tuple[float, float, str],
    secret: Secret | None,
) -> Desk:
    """Read all that decides what is found. Raises SettingError."""
    from edi_checker.run.setting import digest_of
    from edi_checker.watch.job import Desk

    partners = find_ways(checking, partners_file, page=writes[0], split=writes[1])
    limits = make_limits(checking)
    costs = {"findings": limits.findings, "seconds": limits.seconds, "unpacked": checking.max_unpacked}
    made = {}
    for way in partners.ways():
        if way.setting not in made:
            whole = way.setting.make()
            made[way.setting] = whole, digest_of(whole, costs)
    lease, settle, done_suffix = waits
    return Desk(
        places,
        partners,
        made,
        limits,
        version(),
        lease,
        settle,
        done_suffix,
        checking.max_unpacked,
        secret,
    )
