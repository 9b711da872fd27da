"""The history that the options name: its ledger and its secret key, made where there are none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edi_checker.run.history import HistorySource
    from edi_checker.state import Secret
    from edi_checker.state.ledger import Ledger


def find_history(
    url: str | None, key: Path | None, paths: Sequence[str], *, keeps: bool = False
) -> HistorySource | None:
    """The history for a run over these paths, None where none is asked for.

    It says on standard error what it makes. Raises Refusal.
    """
    if url is None:
        if key is not None or keeps:
            raise click.UsageError(f"{'--remember' if keeps else '--history-key'} needs --history.")
        return None
    import time

    from edi_checker.files.inputs import STDIN
    from edi_checker.run.history import HistorySource
    from edi_checker.state import StateError

    if STDIN in paths:
        raise click.UsageError("--history reads an input twice: name a file, not standard input.")
    try:
        return HistorySource(url, secret_of(url, key), keeps, time.time)
    except StateError as error:
        raise Refusal(f"the history cannot be used: {error}") from None


def secret_of(url: str, key: Path | None) -> Secret:
    """The secret of a ledger, agreed with it. Raises StateError."""
    import time

    from edi_checker.state import Secret, StateError, open_ledger

    path = key or _beside(url)
    file = Path(url.removeprefix("sqlite:///")) if is_file(url) else None
    new_ledger = file is not None and not file.exists()
    with open_ledger(url, time.time) as ledger:
        made = not path.exists()
        secret = Secret.create(path) if made else Secret.read(path)
        try:
            ledger.adopt_secret(secret)
        except StateError:
            if made:
                path.unlink()
                raise StateError(f"{path}: its secret key is not there") from None
            raise
    if new_ledger:
        click.echo(f"edi-checker: the history {file} is made: it knows no earlier file yet", err=True)
    if made:
        click.echo(
            f"edi-checker: the secret key {path} is made: without it nothing in the history is found again",
            err=True,
        )
    return secret


def known_secret(ledger: Ledger, key: Path) -> Secret:
    """The secret with which the history of a ledger was made; nothing is made. Raises StateError."""
    from edi_checker.state import Secret, StateError

    known, secret = ledger.fingerprint(), Secret.read(key)
    if known is None:
        raise StateError("the ledger has no history: leave --history-key out")
    if known != secret.fingerprint:
        raise StateError(f"{key}: not the secret key with which the history of the ledger was made")
    return secret


def _beside(url: str) -> Path:
    if not is_file(url):
        raise click.UsageError("A history in PostgreSQL needs --history-key, the file of its secret key.")
    return Path(url.removeprefix("sqlite:///") + ".key")


def is_file(url: str) -> bool:
    """Whether a ledger is an SQLite file."""
    return "://" not in url or url.startswith("sqlite:///")
