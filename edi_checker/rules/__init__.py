"""Rule files to checked, dated, compiled rules."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edi_checker.rules.model import Rule, RuleError, RuleFault
    from edi_checker.rules.rulebook import Rulebook, load

__all__ = ["Rule", "RuleError", "RuleFault", "Rulebook", "load"]

_HOME = dict.fromkeys(__all__[:3], "model") | dict.fromkeys(__all__[3:], "rulebook")


def __getattr__(name: str) -> Any:
    """These come with most of the package, which a command that only helps does not need."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
