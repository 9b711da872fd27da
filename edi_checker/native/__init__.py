"""The native module where it was built; without it Python does all of its work, with the same results."""

from __future__ import annotations

try:
    from edi_checker.native._native import Cutter, Scanner
except ImportError:  # no compiler where the package was built, or another platform
    Cutter = Scanner = None  # type: ignore[assignment,misc]  # each use of it asks first

__all__ = ["IN_USE", "Cutter", "Scanner"]

IN_USE = Scanner is not None
