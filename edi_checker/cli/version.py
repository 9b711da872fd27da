"""Which release of the checker this is."""

from __future__ import annotations

import edi_checker


def version() -> str:
    return edi_checker.__version__
