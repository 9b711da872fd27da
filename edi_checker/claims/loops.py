"""The loops of a transaction: which one a segment stands in, after the segments before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

# The loop that an NM1 opens, by the loop around it and NM101. A test holds these against the guide.
LOOPS_2310 = {
    "DN": "2310A", "P3": "2310A", "82": "2310B", "77": "2310C", "DQ": "2310D", "PW": "2310E", "45": "2310F",
}  # fmt: skip
LOOPS_2330 = {
    "IL": "2330A", "PR": "2330B", "DN": "2330C", "P3": "2330C", "82": "2330D", "77": "2330E", "DQ": "2330F",
    "85": "2330G",
}  # fmt: skip
LOOPS_2420 = {
    "82": "2420A", "QB": "2420B", "77": "2420C", "DQ": "2420D", "DK": "2420E", "DN": "2420F", "P3": "2420F",
    "PW": "2420G", "45": "2420H",
}  # fmt: skip
LOOPS_2010 = {
    "85": "2010AA", "87": "2010AB", "PE": "2010AC", "IL": "2010BA", "PR": "2010BB", "QC": "2010CA",
}  # fmt: skip
LOOPS_1000 = {"41": "1000A", "40": "1000B"}
PARTIES = {
    "header": LOOPS_1000,
    **dict.fromkeys(("2000A", "2000B", "2000C"), LOOPS_2010),
    "2300": LOOPS_2310,
    "2320": LOOPS_2330,
    "2400": LOOPS_2420,
}
# Loops by the segment that opens them, whoever it names. SBR does so within a claim alone.
OPENED = {"SBR": "2320", "LX": "2400", "LIN": "2410", "SVD": "2430", "LQ": "2440"}


class Stands(NamedTuple):
    """Where a segment stands: its loop, the NM101 of the party whose loop it is ("" for nobody's), and
    whether it opens the loop.
    """

    loop: str
    role: str
    opens: bool


def walk_loops(segments: Iterable[Sequence[object]], loop: str, role: str = "") -> Iterator[Stands]:
    """Where each of the segments stands; `loop` and `role` are those of the first, which opens a loop or
    is the first of a part: of a level (`2000A`), a claim (`2300`), another payer (`2320`), a line (`2400`).
    """
    parties = PARTIES.get(loop, {})
    for segment in segments:
        name = str(segment[0])
        opens = False
        if name == "NM1":
            role = str(segment[1]) if len(segment) > 1 else ""
            opens = role in parties
            loop = parties.get(role, loop)
        elif name in OPENED and not (name == "SBR" and parties is LOOPS_2010):
            loop, role, opens = OPENED[name], "", True
            parties = PARTIES.get(loop, parties)
        yield Stands(loop, role, opens)
