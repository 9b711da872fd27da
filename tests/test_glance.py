"""What a claim tells at a glance, of its pieces and of its segments."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from edi_checker.check.ahead import cut_ahead, glance_over
from edi_checker.check.cutting import Cut
from edi_checker.check.examples import write_example
from edi_checker.claims.claim import Claim
from edi_checker.claims.reader import read_parts
from edi_checker.facts.glance import glance_at
from edi_checker.guide.table import load
from edi_checker.x12.blocks import read_blocks
from second_maker import make

pytestmark = pytest.mark.quick

GUIDE = load()
SAMPLES = sorted((Path(__file__).parent.parent / "samples" / "837p").rglob("*.837"))
KINDS = ("clean", "noisy", "returning")


def claims_in(data):
    parts = list(read_parts(read_blocks(BytesIO(data)), GUIDE))
    return [part for part in parts if isinstance(part, Claim) and not part.faults]


def glances_of(data):
    """How often pieces told all, each time the same as the segments."""
    cut, whole = claims_in(data), claims_in(data)
    cut_ahead(cut)
    told = 0
    for (claim, glance), other in zip(glance_over(cut), whole, strict=True):
        told += isinstance(claim.pieces, Cut)
        expected = glance_at(other)
        assert (set(glance.days), set(glance.npis)) == (set(expected.days), set(expected.npis))
        assert glance[2:] == expected[2:]
    return told, len(whole)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_pieces_of_samples_tell_what_segments_do(path):
    glances_of(path.read_bytes())


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_another_maker_tell_what_segments_do(kind):
    told, all_of_them = glances_of("".join(piece.text for piece in make(kind, 1000)).encode())
    assert told > 0.9 * all_of_them > 800


@pytest.mark.parametrize(
    ("claim", "edit", "expected"),
    [
        ({"lines": ["97530:GP x1"]}, (), ({20260203}, set(), False, False, True)),
        (
            {"lines": ["99490 x1", "99213 x1 on 2026-02-04"]},
            (),
            ({20260203, 20260204}, set(), False, True, False),
        ),
        ({"lines": ["97530:59:GO x1 by 1679576722"]}, (), ({20260203}, {"1679576722"}, False, False, True)),
        (
            {"lines": ["97530:GN x1"], "claim": {"set": {"CLM05-3": "7"}}},
            (),
            ({20260203}, set(), True, False, True),
        ),
        (
            {"lines": ["99213 x1"], "claim": {"set": {"CLM05-3": "8"}}},
            (),
            ({20260203}, set(), True, False, False),
        ),
        (
            {"lines": ["97530:GP x1"]},
            [{"find": "DTP*472", "replace": "DTP*472*RD8*20260201-20260203"}],
            ({20260201, 20260202, 20260203}, set(), False, False, True),
        ),
        (  # another day stands between the service and its own
            {"lines": ["97530:GP x1"]},
            [{"find": "DTP*472", "insert": "DTP*463*D8*20260105"}],
            ({20260203}, set(), False, False, True),
        ),
    ],
)
def test_a_glance(claim, edit, expected):
    data = write_example({**claim, "edit": edit}).text.encode()
    assert glances_of(data)[1] == 1
    [claim] = claims_in(data)
    glance = glance_at(claim)
    days, npis, *rest = expected
    assert (set(glance.days), *glance[2:]) == (days, *rest)
    assert npis <= set(glance.npis)
