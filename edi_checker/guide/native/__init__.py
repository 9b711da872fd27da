"""The native module where it was built; without it Python does all of its work, with the same results."""

from __future__ import annotations

FORM = 4  # of what passes between Python and the module; raise it here and in module.c when that changes

try:
    from edi_checker.guide.native._native import FORM as _BUILT
    from edi_checker.guide.native._native import Cutter, Digests, Scanner
except ImportError:  # no compiler where the package was built, or another platform
    _BUILT = 0

__all__ = ["IN_USE", "Cutter", "Digests", "Scanner"]

# A checkout may hold a module that was built from earlier sources.
IN_USE = _BUILT == FORM
