"""Examples in the notation of rule files to the parts of a claim file and their facts."""

import io

from edi_checker.claim import Claim
from edi_checker.examples import write_example
from edi_checker.facts import Circumstances, facts_of
from edi_checker.guide import load
from edi_checker.minutes import Minutes
from edi_checker.reader import read_parts
from edi_checker.tables import built_in
from edi_checker.x12 import read_blocks


def parts_of(example):
    return list(read_parts(read_blocks(io.BytesIO(write_example(example).text.encode())), load()))


def claim_of(example):
    return next(part for part in parts_of(example) if isinstance(part, Claim))


def facts(example, *kinds, **circumstances):
    """The facts of an example's parts, of some kinds or all, with its minutes and date of receipt."""
    written = write_example(example)
    minutes = Minutes.parse(written.minutes, "example") if written.minutes else None
    given = Circumstances(
        **{"received": written.received, "tables": built_in(), "minutes": minutes} | circumstances
    )
    found = [fact for part in parts_of(example) for fact in facts_of(part, given)]
    return [fact for fact in found if not kinds or fact.kind in kinds]


def only(example, kind, **circumstances):
    """The values of the one fact of a kind."""
    (fact,) = facts(example, kind, **circumstances)
    return fact.values
