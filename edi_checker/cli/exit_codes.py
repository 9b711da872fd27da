"""The exit codes of the command."""

from __future__ import annotations

CHECKED, FOUND, COULD_NOT, INTERRUPTED = 0, 1, 2, 130


def code_of(errors: int, warnings: int, fail_on: str) -> int:
    found = {"error": errors, "warning": errors + warnings}.get(fail_on, 0)
    return FOUND if found else CHECKED
