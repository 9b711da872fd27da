"""Rule files to checked, dated, compiled rules."""

from edi_checker.rules.book import Rulebook, load
from edi_checker.rules.explain import Section, explain
from edi_checker.rules.model import Rule, RuleError, RuleFault
from edi_checker.rules.review import lint, lint_twins

__all__ = ["Rule", "RuleError", "RuleFault", "Rulebook", "Section", "explain", "lint", "lint_twins", "load"]
