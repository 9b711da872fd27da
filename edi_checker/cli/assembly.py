"""The checker that the options ask for, and what goes with it: minutes and tokens."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import Refusal
from edi_checker.cli.rulebook import choose_profile, gather_plugins
from edi_checker.cli.stored_tables import open_tables
from edi_checker.x12.dates import from_date

if TYPE_CHECKING:
    from datetime import datetime

    from edi_checker.check.checker import Checker
    from edi_checker.check.engine import Kind
    from edi_checker.check.redact import Redactor
    from edi_checker.claims.minutes import Minutes
    from edi_checker.claims.profile import Isolation
    from edi_checker.cli.options import Shared
    from edi_checker.reference.tables import Tables
    from edi_checker.rules import Rulebook
    from edi_checker.run import Limits
    from edi_checker.x12.blocks import Bounds


def make_checker(
    *,
    rulebook: Rulebook,
    kind: Kind,
    tables: Tables,
    minutes: Minutes | None,
    profile: str,
    received: datetime | None,
    isolation: Isolation | None,
    fast: bool = True,
    timed: bool = False,
    bounds: Bounds | None = None,
) -> Checker:
    import time
    from datetime import date

    from edi_checker.check.checker import Checker
    from edi_checker.check.engine import Engine
    from edi_checker.facts import Setting
    from edi_checker.guide.table import load

    plugins = gather_plugins()
    today = date.today()  # noqa: DTZ011  # the day at the user's desk
    # What a claim leaves behind is seldom more than counting references frees: look for it less often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return Checker(
        guide=load(),
        engine=Engine(rulebook, kind, time.perf_counter if timed else None),
        setting=Setting(
            received=from_date(received or today),
            tables=tables,
            minutes=minutes,
            profile=choose_profile(profile),
            more_facts=plugins.make_facts if plugins is not None else None,
        ),
        isolation=isolation,
        fast=fast,
        bounds=bounds,
    )


def assemble(shared: Shared, rulebook: Rulebook, kind: Kind = "durable", *, timed: bool = False) -> Checker:
    """The checker of `check` and `batch`."""
    from edi_checker.x12.blocks import MAX_BLOCK, MAX_SEGMENT, Bounds

    return make_checker(
        rulebook=rulebook,
        kind=kind,
        tables=open_tables(shared.store),
        minutes=load_minutes(shared.minutes) if shared.minutes is not None else None,
        profile=shared.profile,
        received=shared.received,
        isolation=shared.isolation,
        fast=not shared.no_fast_path,
        timed=timed,
        bounds=Bounds(shared.max_segment or MAX_SEGMENT, shared.max_claim or MAX_BLOCK),
    )


def load_minutes(path: Path) -> Minutes:
    from edi_checker.claims.minutes import MinutesError, read_minutes

    try:
        return read_minutes(path)
    except MinutesError as error:
        raise Refusal(str(error)) from None


def make_limits(shared: Shared) -> Limits:
    import time

    from edi_checker.run import Limits

    return Limits(shared.max_findings, shared.max_seconds, time.monotonic)


def make_redactor() -> Redactor:
    import secrets

    from edi_checker.check.redact import Redactor

    return Redactor(secrets.token_bytes(32))
