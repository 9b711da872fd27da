"""The rules that come with the checker, read once for all tests of a process."""

from edi_checker import rules

BOOK = rules.load()
