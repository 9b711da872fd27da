"""Which release of the checker this is."""

from __future__ import annotations


def version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("edi-checker")
    except PackageNotFoundError:
        return "0"
