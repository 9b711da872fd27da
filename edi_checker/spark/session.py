"""A Spark session for one command, started without many words."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark import SparkContext


class SparkUnusable(Exception):
    """Spark is not there, or cannot do the work; the message says why, for the user."""


@contextmanager
def open_session(master: str | None) -> Iterator[SparkContext]:
    """A session at this master, that of Spark's own configuration where none is named, until the block ends.

    Raises SparkUnusable.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise SparkUnusable("it needs pyspark and Java 17: pip install 'edi-checker[spark]'") from None
    package = Path(__file__).resolve().parent
    quiet = f"-Dlog4j2.configurationFile={package / 'log4j2.properties'}"
    builder = SparkSession.builder.appName("edi-checker").config("spark.driver.extraJavaOptions", quiet)
    for name, value in _QUIET.items():
        builder = builder.config(name, value)
    if master is not None:
        builder = builder.master(master)
    if master is None or master.startswith("local"):
        # Executors of this machine: the same Python, and the same package.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.config("spark.executorEnv.PYTHONPATH", str(package.parents[1]))
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise SparkUnusable(f"Spark cannot be started ({error.getCondition()}); is Java 17 there?") from None
    except Exception as error:  # noqa: BLE001  # what Java raises has no type of its own here
        raise SparkUnusable(f"Spark cannot be started: {say_error(error)}") from None
    try:
        yield session.sparkContext
    finally:
        # After a signal in the middle of a call it may not end in good order; Java ends with this process.
        with suppress(Exception):
            session.stop()


_QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def say_error(error: Exception) -> str:
    """What an executor, else Spark, says in one line."""
    lines = str(error).strip().splitlines()
    # A name with the packages before it, a colon, and why.
    named = [line.removeprefix(": ") for line in lines if _NAMED.match(line)]
    of_python = [line for line in named if not line.startswith(_OF_JAVA)]
    found = (of_python or named or lines or [type(error).__name__])[0]
    name, colon, why = found.partition(":") if named else ("", "", found)
    return f"{name.rpartition('.')[2]}{colon}{why}"[:200]


_NAMED = re.compile(r"(?:: )?[\w$.]*(?:Error|Exception): ")
_OF_JAVA = ("java.", "org.", "scala.")
