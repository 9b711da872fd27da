"""What a program that embeds the checker calls and gets; `edi_checker` itself has the names."""
