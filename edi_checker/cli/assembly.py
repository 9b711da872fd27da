"""The setting that the options ask for, and what goes with it: limits and tokens."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.refusal import Refusal, refusing
from edi_checker.cli.stored_tables import store_folder

if TYPE_CHECKING:
    from edi_checker.check.engine import Kind
    from edi_checker.check.redact import Redactor
    from edi_checker.cli.options import Checking, Shared
    from edi_checker.reports.baseline import Baseline
    from edi_checker.run.one_input import Limits
    from edi_checker.run.setting import CheckSetting, Made
    from edi_checker.watch.partners import Partners


def setting_of(checking: Checking) -> CheckSetting:
    """The setting that the options of any command that checks ask for."""
    from edi_checker.run.setting import CheckSetting
    from edi_checker.x12.blocks import MAX_BLOCK, MAX_SEGMENT, Bounds

    return CheckSetting(
        profile=checking.profile,
        rules=checking.folders,
        select=checking.select,
        ignore=checking.ignore,
        tables=store_folder(checking.store),
        tables_named=checking.store is not None,
        isolation=checking.isolation,
        bounds=Bounds(checking.max_segment or MAX_SEGMENT, checking.max_claim or MAX_BLOCK),
    )


def setting_of_run(shared: Shared, engine: Kind = "durable", *, timed: bool = False) -> CheckSetting:
    """The setting of a run of `check` or `batch`."""
    from edi_checker.x12.dates import from_date

    return replace(
        setting_of(shared),
        minutes=shared.minutes,
        received=from_date(shared.received) if shared.received is not None else None,
        engine=engine,
        fast=not shared.no_fast_path,
        clock=time.perf_counter if timed else None,
    )


def find_ways(
    checking: Checking, partners_file: Path | None, *, page: bool = False, split: bool = False
) -> Partners:
    """How the files of a drop folder are checked: as the options say, changed by the file of partners.

    Raises SettingError.
    """
    from edi_checker.watch.partners import Partners, Way, read_partners

    usual = Way(setting_of(checking), page=page, split=split)
    return Partners(usual, {}) if partners_file is None else read_partners(partners_file, usual)


def assemble(setting: CheckSetting) -> Made:
    """The checker of a command and its rules."""
    gc.freeze()  # what is loaded stays to the end
    with refusing():
        return setting.make()


def make_limits(checking: Checking) -> Limits:
    from edi_checker.run.one_input import Limits

    return Limits(checking.max_findings, checking.max_seconds, time.monotonic)


def find_baseline(path: Path | None) -> Baseline | None:
    """The findings of the earlier report that --baseline names."""
    from edi_checker.reports.baseline import NoBaseline, read_baseline

    try:
        return read_baseline(path) if path is not None else None
    except NoBaseline as error:
        raise Refusal(f"--baseline {path}: {error}") from None


def say_hidden(hidden: int) -> None:
    """Say how many findings the baseline hid."""
    if hidden:
        findings = "1 finding is" if hidden == 1 else f"{hidden:,} findings are"
        click.echo(f"edi-checker: {findings} in the baseline and not reported again", err=True)


def make_redactor() -> Redactor:
    import secrets

    from edi_checker.check.redact import Redactor

    return Redactor(secrets.token_bytes(32))
