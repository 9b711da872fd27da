"""Rule files to checked, dated, compiled rules."""

from edi_checker.rules.explain import Section, explain
from edi_checker.rules.lint import lint, lint_twins
from edi_checker.rules.model import Rule, RuleError, RuleFault
from edi_checker.rules.rulebook import Rulebook, load

__all__ = ["Rule", "RuleError", "RuleFault", "Rulebook", "Section", "explain", "lint", "lint_twins", "load"]
