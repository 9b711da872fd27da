"""Rule files to checked, dated, compiled rules."""

from edi_checker.rules.book import Rulebook, load
from edi_checker.rules.explain import Section, explain, lint
from edi_checker.rules.model import Rule, RuleError, RuleFault

__all__ = ["Rule", "RuleError", "RuleFault", "Rulebook", "Section", "explain", "lint", "load"]
