"""The patterns: what they pass the walker passes too, whatever the text; and no text makes them slow."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator

import pytest

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.claim import BillingProvider, Claim, Patient, Subscriber
from edi_checker.claims.reader import read_parts
from edi_checker.facts import Setting
from edi_checker.guide import patterns, walker
from edi_checker.guide.patterns import MAX_TEXT, PROVED, Patterns
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.rules import load as load_rules
from edi_checker.x12.blocks import Block, Delimiters, NotX12, read_blocks
from generate_claims import generate
from paths import CLEAN, CORPUS
from pyx12_oracle import mutate
from test_walker import RICH, differ, usual_texts

GUIDE = load_guide()
USUAL = Delimiters("*", ":", "^", "~")
FAULTY = CLEAN.parent / "faulty"
_LEVEL = {BillingProvider: "2000A", Subscriber: "2000B", Patient: "2000C", Claim: "2300"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Patterns work from the first block on, not only where they are worth their making."""
    made: dict[Delimiters, Patterns] = {}

    def patterns_for(of, delimiters):
        return made.setdefault(delimiters, _KEPT.setdefault(delimiters, Patterns(of, delimiters, 0)))

    monkeypatch.setattr(walker, "prover_for", patterns_for)


_KEPT: dict[Delimiters, Patterns] = {}  # making one costs more than a test


def parts(text: str, *, fast: bool) -> list[tuple[str, object, tuple[object, ...]]]:
    read = read_parts(read_blocks(io.BytesIO(text.encode())), GUIDE, fast=fast)
    return [(type(part).__name__, getattr(part, "position", 0), part.faults) for part in read]


def blocks(text: str) -> Iterator[tuple[str, Block, bool]]:
    """Level and cleanness of each block that a pattern may pass, as the walker alone finds them."""
    source = list(read_blocks(io.BytesIO(text.encode())))
    at = {(block.position, block.kind): block for block in source}
    for part in read_parts(iter(source), GUIDE, fast=False):
        level = _LEVEL.get(type(part))
        if level:
            block = at[part.position, "CLM" if level == "2300" else "HL"]
            yield level, block, not part.faults


def is_passed(level: str, block: Block) -> bool:
    return _pattern(block.delimiters).prove(level, block.text)


def clean_texts() -> list[str]:
    texts = [path.read_text() for path in sorted(CLEAN.glob("*.837"))]
    return [text for text in texts if text[3] == "*" and text[105] == "~"]  # as mutate reads them


def corpus() -> list[object]:
    found = sorted((CORPUS / "837p").glob("*")) if CORPUS.exists() else []
    return [pytest.param(path, id=path.name) for path in found] or [
        pytest.param(None, marks=pytest.mark.skip(reason="no corpus here"))
    ]


# -- what is passed


def test_every_block_of_generated_clean_claims_is_passed():
    text = "".join(generate(60, seed=3))
    seen = [(level, is_passed(level, block)) for level, block, _ in blocks(text)]
    # the generator's February has no 29th day, so nothing is left to the walker
    assert {level for level, _ in seen} == set(PROVED)
    assert all(proved for _, proved in seen)


@pytest.mark.parametrize("path", sorted(CLEAN.glob("*.837")), ids=lambda path: path.stem)
def test_clean_samples_are_passed(path):
    for level, block, clean in blocks(path.read_text()):
        assert clean
        assert is_passed(level, block), block


def test_every_segment_of_the_guide_can_be_passed():
    # two nodes share this one: which of them is meant is the walker's to say
    for level, block, clean in blocks(RICH.replace("PWK*CT*AA~\n", "")):
        assert clean
        assert is_passed(level, block), block


@pytest.mark.parametrize(
    "delimiters",
    [Delimiters("|", ">", "!", "\n"), Delimiters("^", "&", "", "'"), Delimiters("]", "\\", "*", "|")],
)
def test_other_delimiters_are_written_as_well(delimiters):
    text = "".join(generate(3, seed=1)).replace("~\n", "~")
    for level, block, _ in blocks(text):
        turned = block.text.translate(
            str.maketrans("*:~", delimiters.element + delimiters.component + delimiters.terminator)
        )
        assert _pattern(delimiters).prove(level, turned)
        assert not _pattern(USUAL).prove(level, turned)


@pytest.mark.parametrize(
    "delimiters",
    [Delimiters("*", "*", "^", "~"), Delimiters("*", "-", "^", "~"), Delimiters("*", ".", "", "~")],
)
def test_delimiters_that_stand_in_values_leave_all_to_the_walker(delimiters):
    block = "HL*1**20*1~NM1*85*2*A*****XX*1000001010~N3*1 A~N4*TOLEDO*OH*432150001~REF*EI*990001001"
    assert _pattern(USUAL).prove("2000A", block)
    assert not Patterns(GUIDE, delimiters, 0).prove("2000A", block)
    with pytest.raises(ValueError, match="delimiters"):
        patterns.write(GUIDE, "2000A", delimiters)


def test_a_pattern_is_made_when_enough_blocks_have_come():
    block = "HL*1**20*1~NM1*85*2*A*****XX*1000001010~N3*1 A~N4*TOLEDO*OH*432150001~REF*EI*990001001"
    made = Patterns(GUIDE, USUAL, 2)
    assert [made.prove("2000A", block) for _ in range(4)] == [False, False, True, True]


# -- what is not passed

_CLAIM = (
    "CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:M6281~NM1*82*1*FIR*ANN****XX*1000001010~LX*1~"
    "SV1*HC:97530:GP*100*UN*2***1~DTP*472*D8*20260901~REF*6R*A1-1"
)


def test_the_claim_that_is_changed_below_is_passed():
    assert _pattern(USUAL).prove("2300", _CLAIM)


WRONG_OR_RARE = (
    ("20260901", "20260931"),
    ("20260901", "20260229"),
    ("20260901", "2026090"),
    ("D8*20260901", "RD8*20260901"),
    ("*472*", "*473*"),
    ("DTP*472*D8*20260901~", ""),
    ("DTP*472*D8*20260901~", "DTP*472*D8*20260901~DTP*472*D8*20260901~"),
    ("REF*6R*A1-1", "REF*6R*A1-1~REF*6R*A1-2"),
    ("REF*6R*A1-1", "REF*6R*A1-1~REF*EW*A~REF*6R*A1-2"),
    ("REF*6R*A1-1", "REF*6R*A1-1*"),
    ("REF*6R*A1-1", "REF*6R*A1-1 "),
    ("REF*6R*A1-1", "REF*6R*" + "A" * 51),
    ("REF*6R*A1-1", "REF*6R*A\u00c41"),
    ("REF*6R*A1-1", "REF*6R*A\t1"),
    ("REF*6R*A1-1", "REF*6R*A^1"),
    ("REF*6R*A1-1", "REF*6R*A:1"),
    ("REF*6R*A1-1", "REF*6R"),
    ("LX*1", "LX*2"),
    ("LX*1", "LX*01"),
    ("LX*1~", ""),
    ("*UN*", "*XX*"),
    ("*UN*", "**"),
    ("*100*UN", "*1OO*UN"),
    ("*100*UN", "*" + "1" * 19 + "*UN"),
    ("HC:97530:GP", "HC:97530:"),
    ("HC:97530:GP", "HC"),
    ("HC:97530:GP", ":97530:GP"),
    ("***1~", "***~"),
    ("***1~", "**X*1~"),
    ("XX*1000001010", "XX"),
    ("****XX*1000001010", "*****1000001010"),
    ("NM1*82*1*FIR*ANN****XX*1000001010~", "NM1*82*1*FIR*ANN****XX*1000001010~" * 2),
    ("HI*ABK:M6281", "HI*ABK:M6281~HI*ABK:M6281"),
    ("HI*ABK:M6281~", ""),
    ("11:B:1", "11:C:1"),
    ("11:B:1", "11:B"),
    ("CLM*", "clm*"),
)


@pytest.mark.parametrize(("old", "new"), WRONG_OR_RARE)
def test_what_is_wrong_or_rare_is_not_passed(old, new):
    assert not _pattern(USUAL).prove("2300", _CLAIM.replace(old, new, 1))


def test_a_fifty_first_line_is_not_passed():
    head, line = _CLAIM.split("~LX*1", 1)
    assert _pattern(USUAL).prove("2300", head + "".join(f"~LX*{n}{line}" for n in range(1, 51)))
    assert not _pattern(USUAL).prove("2300", head + "".join(f"~LX*{n}{line}" for n in range(1, 52)))


# -- the same with and without


@pytest.mark.parametrize(
    "path", [*sorted(CLEAN.glob("*.837")), *sorted(FAULTY.glob("*.837"))], ids=lambda path: path.stem
)
def test_samples_have_the_same_faults_with_and_without(path):
    text = path.read_text()
    assert parts(text, fast=True) == parts(text, fast=False)


@pytest.mark.parametrize("path", corpus())
def test_published_files_have_the_same_faults_with_and_without(path):
    text = path.read_bytes().decode("utf-8", "replace")
    try:
        slow = parts(text, fast=False)
    except NotX12:
        return
    assert parts(text, fast=True) == slow


def test_changed_texts_have_the_same_faults_with_and_without():
    texts = [*clean_texts(), RICH, "".join(generate(3, seed=5)), "".join(generate(3, seed=6, invalid=1))]
    passed = 0
    for mutation in mutate(texts, 600, seed=11):
        fast = parts(mutation.text, fast=True)
        assert fast == parts(mutation.text, fast=False), mutation
        passed += not any(faults for *_, faults in fast)
    assert passed > 30  # some changes leave a text right: the fast way was taken to its end


def test_pyx12_refuses_no_text_that_is_passed_but_for_the_differences_listed():
    agreed, unexplained = differ(mutate(usual_texts(), 150, seed=23))
    assert unexplained == []
    assert agreed > 120


@pytest.mark.parametrize("invalid", [0.0, 0.3])
def test_findings_are_the_same_with_and_without(invalid):
    text = "".join(generate(80, seed=9, invalid=invalid)).encode()
    told = []
    for fast in (True, False):
        checker = Checker(GUIDE, Engine(load_rules(), "python"), Setting(20261121, built_in()), fast=fast)
        told.append([(c.findings, c.outcome, c.failed) for c in checker.check(io.BytesIO(text))])
    assert told[0] == told[1]
    assert any(outcome == "rejected" for _, outcome, _ in told[0]) is bool(invalid)


# -- time


def _hostile() -> Iterator[tuple[str, str]]:
    head, line = _CLAIM.split("~LX*1", 1)
    yield "many references", head + "~LX*1" + line + "~REF*G1*A" * 6000
    yield "many kinds of references", head + "~REF*D9*A~REF*EA*A~REF*9A*A" * 2000
    yield "many dates", head.replace("~HI", "~DTP*431*D8*20260101~DTP*454*D8*20260101" * 1000 + "~HI")
    yield "a date missing behind many", head + "~LX*1~SV1*HC:97530*1*UN*1***1" + "~DTP*738*D8*20260101" * 2500
    yield "a long element", head.replace("A1", "A" * 60_000, 1)
    yield "blanks", head.replace("A1", " " * 60_000, 1)
    yield "many separators", head + "~LX*1~SV1" + "*" * 60_000
    yield "many components", head + "~LX*1~SV1*HC" + ":" * 60_000
    yield "adjustments", head + "~SBR*P*18*******CI" + "~CAS*CO" + "*1*1*1" * 9000
    yield "forms", head + "~LX*1" + line + "~LQ*UT*1" + "~FRM*1*Y" * 7000
    yield "loops of forms", head + "~LX*1" + line + "~LQ*UT*1~FRM*1*Y" * 3800 + "~LQ*UT*1"
    yield "lines", head + line.join(f"~LX*{n}" for n in range(1, 900))
    yield "measurements", head + "~LX*1" + line.partition("~REF")[0] + "~MEA*OG*HT" + "*1" * 25_000


@pytest.mark.parametrize(("what", "text"), list(_hostile()), ids=[what for what, _ in _hostile()])
def test_no_text_makes_a_pattern_slow(what, text):
    text = text[:MAX_TEXT]
    pattern = _pattern(USUAL)
    pattern.prove("2300", _CLAIM)  # made before the clock runs
    began = time.process_time()
    for _ in range(3):
        pattern.prove("2300", text)
    half = time.process_time() - began
    # a clean claim of this length takes some milliseconds; what grows with its square would take minutes
    assert half < 3


def test_a_text_too_long_to_be_matched_is_left_to_the_walker():
    head, line = _CLAIM.split("~LX*1", 1)
    forms = "~LQ*UT*1~FRM*1*Y"
    fitting = head + "~LX*1" + line + forms * ((MAX_TEXT - len(_CLAIM)) // len(forms))
    assert _pattern(USUAL).prove("2300", fitting)
    assert not _pattern(USUAL).prove("2300", fitting + forms * 2)


def _pattern(delimiters: Delimiters) -> Patterns:
    return _KEPT.setdefault(delimiters, Patterns(GUIDE, delimiters, 0))


def test_patterns_use_possessive_repeats_alone_for_runs_of_characters():
    for level in PROVED:
        written = patterns.write(GUIDE, level, USUAL)
        assert not re.search(r"\](?:[*+](?![+])|\{\d+,?\d*\}(?![+]))(?!\})", written.replace("[0-9]{9}", ""))
