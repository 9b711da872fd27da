"""What a caller gives: refused at once if it cannot be meant, with what was probably meant."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias, get_args

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Kind
from edi_checker.claims.payer_profiles import BUILT_IN, Choice
from edi_checker.claims.profile import Isolation, Profile
from edi_checker.rules import RuleError
from edi_checker.rules.near import ask_near
from edi_checker.run.setting import AUTO, CheckSetting, SettingError, user_tables
from edi_checker.x12.dates import from_date

AnyPath: TypeAlias = str | os.PathLike[str]

BUILT_IN_TABLES = "built-in"


def name_setting(
    profile: AnyPath | Profile | Choice | None,
    rules: Iterable[AnyPath],
    tables: AnyPath | None,
    received: date | None,
    minutes: AnyPath | None,
    select: Iterable[str],
    ignore: Iterable[str],
    isolation: Isolation | None,
    *,
    plugins: bool,
    engine: Kind,
) -> CheckSetting:
    """The setting that is asked for. Raises TypeError, ValueError and, for a path, FileNotFoundError."""
    given = tables if tables is None or tables == BUILT_IN_TABLES else _there("tables", tables)
    return CheckSetting(
        profile=_profile(profile),
        rules=tuple(_there("rules", path) for path in _several("rules", rules, "['our-rules']")),
        select=_ids("select", select),
        ignore=_ids("ignore", ignore),
        tables=None if given == BUILT_IN_TABLES else Path(given or user_tables()),
        tables_named=given not in (None, BUILT_IN_TABLES),
        minutes=None if minutes is None else _there("minutes", minutes),
        received=_day(received),
        isolation=None if isolation is None else _word("isolation", isolation, get_args(Isolation)),
        plugins=flag("plugins", plugins),
        engine=_word("engine", engine, get_args(Kind)),
    )


def make(setting: CheckSetting) -> Checker:
    """The checker of a setting. Raises RuleError for rule files, ValueError for all else that is unusable."""
    try:
        return setting.make().checker
    except SettingError as error:
        if isinstance(error.__cause__, RuleError):
            raise error.__cause__ from None
        raise ValueError(str(error)) from None


def check_limits(max_findings: int, max_seconds: float | None) -> None:
    """Raises TypeError, ValueError."""
    if isinstance(max_findings, bool) or not isinstance(max_findings, int):
        raise TypeError(f"max_findings is a number, not {_kind(max_findings)}")
    if max_findings < 1:
        raise ValueError(f"max_findings is 1 or more, not {max_findings}")
    if max_seconds is None:
        return
    if isinstance(max_seconds, bool) or not isinstance(max_seconds, int | float):
        raise TypeError(f"max_seconds is a number or None, not {_kind(max_seconds)}")
    if not max_seconds > 0:
        raise ValueError(f"max_seconds is more than 0, not {max_seconds}")


def _profile(given: object) -> str | Profile | Choice:
    if given is None:
        return AUTO
    if isinstance(given, Profile | Choice):
        return given
    if isinstance(given, os.PathLike):
        return str(_there("profile", given))
    if not isinstance(given, str):
        raise TypeError(f"profile is a name, a path or a Profile, not {_kind(given)}")
    names = (AUTO, *BUILT_IN)
    if given in names:
        return given
    if given and os.path.exists(given):  # noqa: PTH110  # a name with a NUL is no path
        return given
    raise ValueError(
        f"profile {given!r} is none of {', '.join(names)}, and no file or folder.{ask_near(given, names)}"
    )


def _several(name: str, given: object, example: str) -> list[object]:
    if isinstance(given, str | bytes | os.PathLike) or not isinstance(given, Iterable):
        raise TypeError(f"{name} is a list, such as {name}={example}, not {_kind(given)}")
    return list(given)


def _ids(name: str, given: object) -> tuple[str, ...]:
    ids = _several(name, given, "['therapy.kx']")
    for each in ids:
        if not isinstance(each, str):
            raise TypeError(f"{name} is a list of rule ids, with no {_kind(each)} in it")
    return tuple(map(str, ids))


def _there(name: str, given: object) -> Path:
    """A path that leads somewhere."""
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{name}: a path is expected, not {_kind(given)}")
    text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"{name}: a path is text, not {_kind(text)}")
    if not text:
        raise ValueError(f"{name}: the path is empty")
    if not os.path.exists(text):  # noqa: PTH110  # a name with a NUL is no path
        raise FileNotFoundError(errno.ENOENT, f"{name}: no such file or folder", text)
    return Path(text)


def _day(given: object) -> int | None:
    if given is None:
        return None
    if isinstance(given, datetime):
        raise TypeError("received is a date, not a datetime: give its .date()")
    if not isinstance(given, date):
        raise TypeError(f"received is a date, such as date(2026, 3, 31), not {_kind(given)}")
    return from_date(given)


def _word(name: str, given: object, known: tuple[str, ...]) -> Any:
    if not isinstance(given, str):
        raise TypeError(f"{name} is {' or '.join(known)}, not {_kind(given)}")
    if given not in known:
        raise ValueError(f"{name} is {' or '.join(known)}, not {given!r}.{ask_near(given, known)}")
    return given


def flag(name: str, given: object) -> bool:
    if not isinstance(given, bool):
        raise TypeError(f"{name} is True or False, not {_kind(given)}")
    return given


def _kind(given: object) -> str:
    return type(given).__name__
