"""Which release of the checker this is, what reads, and which engine decides the rules."""

from __future__ import annotations

from edi_checker.files.version import __version__
from edi_checker.run.reading import reader


def version() -> str:
    return __version__


def reading() -> str:
    """What goes through the segments: the native module, or Python where that was not built."""
    return f"reading: {reader()}"


def engine() -> str:
    """The sentence that says what decides the rules here, unless an option or a failure says otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Rules are decided by durable-rules {version('durable-rules')}."
    except PackageNotFoundError:
        return "Rules are decided by the checker's own engine: durable-rules is not installed."
