"""Which release of the checker this is, what reads, and which engine decides the rules."""

from __future__ import annotations

import edi_checker
from edi_checker.guide import native


def version() -> str:
    return edi_checker.__version__


def reading() -> str:
    """What goes through the segments: the native module, or Python where that was not built."""
    return f"reading: {'native' if native.IN_USE else 'Python'}"


def engine() -> str:
    """The sentence that says what decides the rules here, unless an option or a failure says otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Rules are decided by durable-rules {version('durable-rules')}."
    except PackageNotFoundError:
        return "Rules are decided by the checker's own engine: durable-rules is not installed."
