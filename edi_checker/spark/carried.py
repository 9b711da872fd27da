"""What the executors of Spark need to check claims, carried there once and made to a checker."""

from __future__ import annotations

import gc
import secrets
import shutil
import tempfile
import weakref
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.run.setting import CheckSetting, Made, choose_profile

# pyspark comes with the extra `spark`.
if TYPE_CHECKING:
    from pyspark import SparkContext

_TABLES, _MINUTES = "tables", "minutes.csv"


@dataclass(frozen=True, slots=True)
class Carried:
    """A setting whose rules and profile are read; its files lie in the archive of this name, "" for none."""

    setting: CheckSetting
    archive: str

    def make(self) -> Made:
        """The checker, in a process of an executor. Raises SettingError."""
        setting = self.setting
        if self.archive:
            from pyspark import SparkFiles

            folder = Path(SparkFiles.get(self.archive))
            setting = replace(
                setting,
                tables=folder / _TABLES if setting.tables is not None else None,
                minutes=folder / _MINUTES if setting.minutes is not None else None,
            )
        made = setting.make()
        # As in the command: what a claim leaves behind is seldom more than counting references frees.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        return made


def carry(spark: SparkContext, setting: CheckSetting, made: Made) -> Carried:
    """Send tables and minutes to the executors as files; the rest goes with the tasks.

    All of them check for the day of receipt of `made`, whatever their clocks say.
    """
    received = made.checker.setting.received
    profile = choose_profile(setting.profile) or setting.profile
    setting = replace(
        setting, rules=(), select=(), ignore=(), rulebook=made.rulebook, profile=profile, received=received
    )
    if setting.tables is not None and not setting.tables.is_dir():
        setting = replace(setting, tables=None)
    archive = ""
    if setting.tables is not None or setting.minutes is not None:
        archive = _send(spark, setting.tables, setting.minutes)
    return Carried(setting, archive)


def _send(spark: SparkContext, tables: Path | None, minutes: Path | None) -> str:
    """The name of the archive. A folder alone could be sent to local executors only."""
    name = f"edi-checker-{secrets.token_hex(8)}.zip"
    # Executors that start later take it from here too.
    work = tempfile.mkdtemp(prefix="edi-checker-")
    weakref.finalize(spark, shutil.rmtree, work, ignore_errors=True)
    with zipfile.ZipFile(Path(work) / name, "w") as archive:
        if tables is not None:
            for file in filter(Path.is_file, tables.rglob("*")):
                archive.write(file, Path(_TABLES) / file.relative_to(tables))
        if minutes is not None:
            archive.write(minutes, _MINUTES)
    spark.addArchive(str(Path(work) / name))
    return name
