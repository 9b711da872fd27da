"""The command `serve`: the page for the office and the HTTP interface for programs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edi_checker.cli.assembly import assemble, make_limits, setting_of
from edi_checker.cli.help import Explained
from edi_checker.cli.options import (
    Checking,
    config_option,
    deciding_options,
    log_format_option,
    serving_options,
    workers_option,
)
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.stored_tables import store_folder
from edi_checker.cli.terminal import cores
from edi_checker.cli.version import version

if TYPE_CHECKING:
    from edi_checker.serve.work import Desk

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_UNPACKED = 1 << 28  # bytes to which an archive may unpack, unless an option says otherwise


@click.command(cls=Explained)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to serve at."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8837, show_default=True, help="Port; 0 for any."
)
@workers_option
@click.option(
    "--token-file", type=_FILE, metavar="PATH", help="Answer only who knows the token in this file."
)
@click.option("--tls-cert", type=_FILE, metavar="PATH", help="Serve with TLS, by this certificate (PEM).")
@click.option("--tls-key", type=_FILE, metavar="PATH", help="The key of the certificate (PEM).")
@click.option(
    "--max-body",
    type=click.IntRange(min=1),
    default=100 << 20,
    show_default=True,
    metavar="BYTES",
    help="Most bytes that a request may send.",
)
@click.option("--metrics", is_flag=True, help="Give figures for Prometheus at /metrics.")
@log_format_option
@deciding_options
@serving_options
@config_option
def serve(
    host: str,
    port: int,
    workers: int | None,
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    max_body: int,
    metrics: bool,
    log_format: Literal["console", "json"],
    checking: Checking,
) -> None:
    """Serve a page that checks files, and HTTP for programs.

    The page is at http://127.0.0.1:8837/, the interface for programs under /v1, described by /openapi.json.
    What is sent is answered and kept nowhere. Other machines are served only with --token-file or TLS.

    Ctrl-C or SIGTERM ends it after the requests in hand.
    """
    if sys.platform != "linux":
        raise Refusal("serve needs Linux; elsewhere it runs in a container (docs/install.md)")
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    try:
        from edi_checker.serve.guard import TokenError, is_loopback, read_token
        from edi_checker.serve.server import CannotServe, Plan, listen
        from edi_checker.serve.server import serve as begin
        from edi_checker.watch.log import Log
    except ModuleNotFoundError as error:
        raise Refusal(f"serve needs {error.name}: pip install 'edi-checker[serve]'") from None
    if not is_loopback(host) and token_file is None and tls_cert is None:
        raise Refusal(
            f"other machines reach {host}: serve it with --token-file, or with --tls-cert and --tls-key"
        )
    try:
        token = read_token(token_file) if token_file is not None else None
        with listen(host, port) as channel:
            plan = Plan(
                host=host,
                port=port,
                workers=workers or cores(),
                token=token,
                tls=(tls_cert, tls_key) if tls_cert is not None and tls_key is not None else None,
                most_body=max_body,
                seconds=checking.max_seconds or 60.0,
                metrics=metrics,
                version=version(),
                profile=checking.profile,
            )
            log = Log(log_format, hide_names=True)
            begin(plan, channel, _make_desk(checking), log, _say)
    except (TokenError, CannotServe) as error:
        raise Refusal(str(error)) from None


def _say(address: str) -> None:
    click.echo(f"{address} is ready; Ctrl-C ends it")
    sys.stdout.flush()


def _make_desk(checking: Checking) -> Desk:
    """Read all that decides what is found."""
    from edi_checker.reference.store import open_tables
    from edi_checker.reference.tables import built_in
    from edi_checker.serve.work import Desk

    checker, book = assemble(setting_of(checking))
    folder = store_folder(checking.store)
    return Desk(
        checker,
        book,
        checking.profile,
        replace(make_limits(checking), seconds=None),  # whoever takes longer is killed
        checking.max_unpacked or _UNPACKED,
        version(),
        lambda: open_tables(folder, built_in()),
    )
