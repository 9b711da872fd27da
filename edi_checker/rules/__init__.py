"""Rule files to checked, dated, compiled rules."""

from edi_checker.rules.model import Rule, RuleError, RuleFault
from edi_checker.rules.rulebook import Rulebook, load

__all__ = ["Rule", "RuleError", "RuleFault", "Rulebook", "load"]
