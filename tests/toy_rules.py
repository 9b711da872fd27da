"""A small vocabulary and facts for the tests of rules and engines."""

from edi_checker.facts import VOCABULARY as REAL
from edi_checker.facts import Fact, FactType, Field
from edi_checker.x12.finding import Place

VISIT = FactType(
    about="something done on a day",
    fields={
        "date": Field("date", "computed", "day"),
        "code": Field("text", "computed", "what was done"),
        "by": Field("text", "computed", "by whom"),
        "name": Field("text", "computed", "of whom", phi=True),
        "count": Field("int", "computed", "how often"),
        "limit": Field("int", "computed", "how often at most"),
        "units": Field("quantity", "computed", "how much"),
        "charge": Field("money", "computed", "for how much"),
        "until": Field("date", "computed", "last day"),
        "timed": Field("bool", "computed", "by the clock"),
        "assisted": Field("bool", "computed", "with help"),
        "modifiers": Field("codes", "computed", "how"),
        "allowed": Field("codes", "computed", "how it may be"),
    },
    stands_on=("others",),
)
SPAN = FactType(
    about="a span of days",
    fields={
        "date": Field("date", "computed", "first day"),
        "until": Field("date", "computed", "last day"),
        "code": Field("text", "computed", "for what"),
        "count": Field("int", "computed", "how often"),
    },
)
VOCABULARY = {"visit": VISIT, "span": SPAN, "fault": REAL["fault"]}

_ABSENT = {"text": "", "bool": False, "codes": ()}


class Spot:
    """A thing at one position."""

    def __init__(self, position, line=None):
        self.position = position
        self.line = line

    def place(self, name, at=None, *, qualifier=""):
        return Place("1", "2", "3", "C", self.line, "2400", name + qualifier, self.position, at)


def fact(fact_type="visit", /, *, position=1, line=None, table=None, others=(), **values):
    """A fact with what is given, absent in all the rest."""
    fields = VOCABULARY[fact_type].fields
    assert set(values) <= set(fields), values
    whole = {name: values.get(name, _ABSENT.get(field.type)) for name, field in fields.items()}
    stands_on = {"": (Spot(position, line),)}
    if others:
        stands_on["others"] = tuple(others)
    return Fact(fact_type, whole, stands_on, table)
