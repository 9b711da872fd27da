"""What a fact is, and what a type of facts says of its fields."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from edi_checker.x12.finding import Place, TableVersion

FieldType = Literal["text", "int", "quantity", "money", "date", "bool", "codes"]

# text      a code or short text; absent is ""
# int       a count; absent is None
# quantity  units in thousandths (1500 is 1.5); absent is None
# money     cents; absent is None
# date      CCYYMMDD as an integer; absent is None
# bool      never absent
# codes     a tuple of texts, in document order, possibly empty
Value = str | int | bool | tuple[str, ...] | None


class Field(NamedTuple):
    """A field of a fact type: its type, its X12 address ("SV101-2" or "computed"), whether it holds PHI, and
    all its values where they are few and never others (empty where they are many).
    """

    type: FieldType
    address: str
    about: str
    phi: bool = False
    values: tuple[str, ...] = ()


class FactType(NamedTuple):
    """One kind of fact. Every type has a `date` field: the date of service by which a rule is in force."""

    about: str
    fields: dict[str, Field]
    # Named things a fact stands on besides itself, for `at:` and `related:` (pair: column_1, column_2).
    stands_on: tuple[str, ...] = ()
    # Whether a fact knows its segment and element itself, so that `at:` names the fact alone.
    knows_its_place: bool = False


class Placed(Protocol):
    """Something that knows where its segments stand; `at` is an element such as SV101-3 or None."""

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place: ...


class Fact(NamedTuple):
    """One fact. `values` holds every field of its type; `stands_on[""]` is the main place."""

    kind: str
    values: dict[str, Value]
    stands_on: dict[str, tuple[Placed, ...]]
    table: TableVersion | None = None
