# What module.c and the files beside it make.

from typing import Generic, Self, TypeVar

FORM: int

_Made = TypeVar("_Made")

class Digests:
    def __new__(cls, secret: int) -> Self: ...
    def __len__(self) -> int: ...
    def get(self, digest: int, /) -> int | None: ...
    def put(self, digest: int, number: int, /) -> int | None: ...

class Scanner:
    def __new__(cls, sections: tuple[bytes, ...], delimiters: bytes, tokens: int, slots: int) -> Self: ...
    def prove(self, text: str, /) -> bool: ...

class Cutter(Generic[_Made]):
    def __new__(
        cls,
        made: type[_Made],
        delimiters: bytes,
        plans: tuple[tuple[str, int, int, int], ...],
        qualifiers: tuple[str, ...],
        looked_at: str,
        person: int,
        secret: bytes,
    ) -> Self: ...
    def cut(self, text: str, /) -> _Made | None: ...
    def cut_level(self, text: str, /) -> tuple[str, list[str], list[tuple[int, str]]]: ...
