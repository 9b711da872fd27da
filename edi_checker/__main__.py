"""`python -m edi_checker` is the command."""

from edi_checker.cli import main

main()
