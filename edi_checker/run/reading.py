"""What goes through the segments here: the native module, or Python where that was not built."""

from __future__ import annotations

from edi_checker.guide import native


def reader() -> str:
    return "native" if native.IN_USE else "Python"
