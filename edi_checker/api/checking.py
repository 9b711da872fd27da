"""The calls of a program that embeds the checker: make a checker, check one input."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from datetime import date

from edi_checker.api.arguments import AnyPath, check_limits, flag, make, name_setting
from edi_checker.api.result import Result, make_result
from edi_checker.api.source import Source, find_source
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Kind
from edi_checker.check.redact import Redactor
from edi_checker.claims.payer_profiles import Choice
from edi_checker.claims.profile import Isolation, Profile
from edi_checker.files.version import __version__
from edi_checker.reports.findings_log import MOST_FINDINGS
from edi_checker.run.one_input import Files, Limits, Output, Watcher, check_into
from edi_checker.run.setting import AUTO


def make_checker(
    *,
    profile: AnyPath | Profile | Choice | None = AUTO,
    rules: Iterable[AnyPath] = (),
    tables: AnyPath | None = None,
    received: date | None = None,
    minutes: AnyPath | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    isolation: Isolation | None = None,
    plugins: bool = True,
    engine: Kind = "durable",
) -> Checker:
    """A checker for any number of inputs, one after the other: to read rules and tables takes longer than to
    check a small file.

    profile    how the payer's claims are checked: `auto` (by each claim's payer), the name of a built-in
               profile, a profile file or a folder of them, or a Profile
    rules      folders of your own rules, or single rule files, in addition to the built-in ones
    tables     the folder of imported tables; None for the user's own, where `edi-checker tables import` puts
               them, or else the built-in ones; `"built-in"` for these alone
    received   the date of receipt; None for today
    minutes    a CSV file with minutes of treatment: claim, line, minutes
    select     ids of the only rules to apply, or their start: `["therapy", "ncci.mue"]`
    ignore     ids of rules to leave out
    isolation  what an error of structure in a claim rejects, `claim` or `transaction`; None as the profile
               says, else `claim`
    plugins    whether installed packages add their rules and facts
    engine     what decides the rules, `durable` or `python`; the findings are the same

    The arguments are those of `edi-checker check`, and mean the same. One checker is for one thread at a
    time. Raises TypeError or ValueError for an argument that cannot be meant, FileNotFoundError for a path
    that leads nowhere, RuleError for rule files with faults.
    """
    setting = name_setting(
        profile, rules, tables, received, minutes, select, ignore, isolation, plugins=plugins, engine=engine
    )
    return make(setting)


def check(
    source: Source,
    *,
    checker: Checker | None = None,
    profile: AnyPath | Profile | Choice | None = AUTO,
    rules: Iterable[AnyPath] = (),
    tables: AnyPath | None = None,
    received: date | None = None,
    minutes: AnyPath | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    isolation: Isolation | None = None,
    plugins: bool = True,
    redact: bool = False,
    max_findings: int = MOST_FINDINGS,
    max_seconds: float | None = None,
) -> Result:
    """Check one input: what `edi-checker check` does with a file.

    source        the path of an 837P file (`.gz`, or `.zip` with one file), its content as bytes, or a binary
                  stream, which is read to its end and not closed
    checker       one that make_checker made; it brings all arguments from `profile` to `plugins`, which are
                  as of make_checker
    redact        put tokens in place of names, ids, addresses, birth dates and notes in all that is written
    max_findings  most findings that are listed and answered; further ones are counted by rule
    max_seconds   the longest time that the check may take; then the input is not checked

    What an input holds never raises: what is no claim file, or damaged, has outcome `not_checked` and a
    reason. Memory does not grow with the input. Raises as make_checker; also OSError for a path that cannot
    be opened, and what a stream of the caller raises.
    """
    check_limits(max_findings, max_seconds)
    given = (profile, rules, tables, received, minutes, select, ignore, isolation, plugins)
    if checker is None:
        checker = make_checker(
            profile=profile,
            rules=rules,
            tables=tables,
            received=received,
            minutes=minutes,
            select=select,
            ignore=ignore,
            isolation=isolation,
            plugins=plugins,
        )
    elif not isinstance(checker, Checker):
        raise TypeError(f"checker is what make_checker makes, not {type(checker).__name__}")
    elif given != (AUTO, (), None, None, None, (), (), None, True):
        raise TypeError("checker brings profile, rules and all that: give these to make_checker")
    redactor = Redactor(secrets.token_bytes(32)) if flag("redact", redact) else None
    inside, stream = find_source(source)
    files = Files(None, acks=True, version=__version__, rules=checker.engine.rules, split=not redact)
    limits = Limits(max_findings, max_seconds, time.monotonic)
    watcher = Watcher()
    output = Output(
        checker, inside, inside.name, files=files, watcher=watcher, redactor=redactor, limits=limits
    )
    try:
        run = check_into(output, checker, inside, watcher=watcher, limits=limits)
        if stream is not None:
            stream.raise_error()
        return make_result(checker, run, output, __version__)
    except BaseException:
        output.close()
        raise
