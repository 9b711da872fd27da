"""The files that are sent into the inbox: samples, with control numbers of their own."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from partner import Sent

_SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "837p"
POOL = (
    *("clean/office-visit", "clean/two-interchanges", "clean/no-line-breaks", "clean/pt-clinic"),
    *("clean/several-groups", "clean/dependent-patients", "clean/windows-line-ends"),
    *("faulty/guide.element-missing.clm02", "faulty/ncci.ptp.97530-97750", "faulty/code.npi.billing"),
    *("faulty/x12.envelope.ge-missing", "faulty/x12.truncated.in-claim", "faulty/guide.segment-missing.hi"),
)


def make_inputs(chance: random.Random, seconds: float) -> list[Sent]:
    """Five files with control numbers of their own, one of them a duplicate; some come late."""
    numbers = itertools.count(chance.randrange(1, 900_000_000))
    made = []
    for place, name in enumerate(chance.sample(POOL, 4)):
        content = read_sample(name, numbers)
        partner = chance.choice(["", "acme"])
        made.append(Sent(partner, f"{place}-{Path(name).name}.837", content, _wait(chance, seconds)))
    twin = chance.choice(made)
    made.append(Sent(chance.choice(["", "acme"]), "twin.837", twin.content, _wait(chance, seconds)))
    chance.shuffle(made)
    return made


def _wait(chance: random.Random, seconds: float) -> float:
    return chance.uniform(0, seconds) if chance.random() < 0.3 else 0.0


def read_sample(name: str, numbers: Iterator[int]) -> bytes:
    """A sample with other interchange control numbers, ISA13 and IEA02, as the samples have few."""
    content = (_SAMPLES / f"{name}.837").read_bytes()
    separator, end = content[3:4], content[105:106]
    segments = content.split(end)
    number = b""
    for place, segment in enumerate(segments):
        words = segment.split(separator)
        if words[0].strip() == b"ISA":
            words[13] = number = b"%09d" % next(numbers)
        elif words[0].strip() == b"IEA" and len(words) > 2:
            words[2] = number
        segments[place] = separator.join(words)
    return end.join(segments)
