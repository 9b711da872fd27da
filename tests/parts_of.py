"""Examples in the notation of rule files to the parts of a claim file and their facts."""

import io

from edi_checker.check.examples import write_example
from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes
from edi_checker.claims.reader import read_parts
from edi_checker.facts import InputMemory, Setting, facts_of
from edi_checker.guide.table import load
from edi_checker.reference.tables import built_in
from edi_checker.x12.blocks import read_blocks


def parts_of(example):
    return list(read_parts(read_blocks(io.BytesIO(write_example(example).text.encode())), load()))


def claim_of(example):
    return next(part for part in parts_of(example) if isinstance(part, Claim))


def facts(example, *kinds, memory=None, provider_days=None, **setting):
    """The facts of an example's parts, of some kinds or all, with its minutes and date of receipt."""
    written = write_example(example)
    minutes = Minutes.parse(written.minutes, "example") if written.minutes else None
    given = Setting(**{"received": written.received, "tables": built_in(), "minutes": minutes} | setting)
    memory = memory or InputMemory(given.minutes, provider_days=provider_days)
    found = []
    for part in parts_of(example):
        found += facts_of(part, given, memory)
        memory.settle(part, accepted=True)
    return [fact for fact in found if not kinds or fact.kind in kinds]


def only(example, kind, **setting):
    """The values of the one fact of a kind."""
    (fact,) = facts(example, kind, **setting)
    return fact.values
