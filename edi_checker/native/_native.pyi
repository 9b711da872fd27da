# What module.c and the files beside it make.

from typing import Self

class Scanner:
    def __new__(cls, sections: tuple[bytes, ...], delimiters: bytes, tokens: int, slots: int) -> Self: ...
    def prove(self, text: str, /) -> bool: ...
