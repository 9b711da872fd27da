"""Repairs of form: what is surely or probably meant, written as the guide has it; nothing else changes."""

from __future__ import annotations

from edi_checker.check.fixes.fixing import CannotFix, Fixed, Withheld, fix
from edi_checker.check.fixes.planning import Planner, Repair
from edi_checker.check.fixes.spot import REPAIRS

__all__ = ["REPAIRS", "CannotFix", "Fixed", "Planner", "Repair", "Withheld", "fix"]
