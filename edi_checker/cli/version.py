"""Which release of the checker this is, and which engine decides the rules."""

from __future__ import annotations

import edi_checker


def version() -> str:
    return edi_checker.__version__


def engine() -> str:
    """The sentence that says what decides the rules here, unless an option or a failure says otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Rules are decided by durable-rules {version('durable-rules')}."
    except PackageNotFoundError:
        return "Rules are decided by the checker's own engine: durable-rules is not installed."
