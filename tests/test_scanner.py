"""The native scanner: what it proves the walker finds nothing in, and it proves what the patterns pass."""

from __future__ import annotations

import contextlib
import gc
import random
import re
import sys
from dataclasses import astuple
from datetime import date

import pytest

import block_changes
import edi_checker
from block_changes import GUIDE, OTHERS, USUAL
from edi_checker import native
from edi_checker.guide import scanner, walker
from edi_checker.guide.patterns import MAX_TEXT, PROVED, Patterns, patterns_for
from edi_checker.guide.scanner import Scanners, compile_tables, prover_for
from edi_checker.x12.blocks import Delimiters
from generate_claims import generate
from paths import CLEAN, CORPUS, ROOT
from second_maker import make
from test_patterns import _CLAIM, WRONG_OR_RARE

needs_it = pytest.mark.skipif(not native.IN_USE, reason="the native module was not built here")
_KEPT: dict[Delimiters, Scanners] = {}


def proves(level: str, text: str, delimiters: Delimiters = USUAL) -> bool:
    return _KEPT.setdefault(delimiters, Scanners(GUIDE, delimiters, 0)).prove(level, text)


# -- what is proved


@needs_it
@pytest.mark.parametrize("delimiters", [USUAL, *OTHERS], ids=repr)
def test_every_block_of_clean_claims_is_proved(delimiters):
    text = "".join(generate(30, seed=3)) + "".join(piece.text for piece in make("clean", 60, seed=3))
    found = [block for half in text.split("ISA*")[1:] for block in block_changes.blocks_in("ISA*" + half)]
    assert {level for level, _ in found} == set(PROVED)
    assert all(
        proves(level, block_changes.turn(each, USUAL, delimiters), delimiters) for level, each in found
    )


@needs_it
def test_leap_days_are_proved():
    assert proves("2300", _CLAIM.replace("20260901", "20240229"))


@needs_it
@pytest.mark.parametrize(("old", "new"), WRONG_OR_RARE)
def test_what_is_wrong_or_rare_is_not_proved(old, new):
    assert proves("2300", _CLAIM)
    assert not proves("2300", _CLAIM.replace(old, new, 1))


@needs_it
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*100*UN", "*-.5*UN"),
        ("*100*UN", "*1.*UN"),
        ("*100*UN", "*00012345678.1*UN"),
        ("UN*2*", "UN*1.125*"),
    ],
)
def test_numbers_as_the_guide_takes_them(old, new):
    text = _CLAIM.replace(old, new, 1)
    assert block_changes.is_clean("2300", text, USUAL) is proves("2300", text)


@needs_it
def test_lines_are_numbered_from_one():
    head, line = _CLAIM.split("~LX*1", 1)
    assert proves("2300", head + "".join(f"~LX*{n}{line}" for n in range(1, 51)))
    for numbers in ((2,), (1, 3), (1, 1), (0,), (1, "02"), range(1, 52), ("",), (1, "+2"), ("1" * 30,)):
        assert not proves("2300", head + "".join(f"~LX*{n}{line}" for n in numbers))


@needs_it
def test_a_block_begins_with_the_segment_that_opens_its_level():
    assert not proves("2300", _CLAIM.partition("~")[2])
    assert not proves("2000A", _CLAIM)
    assert not proves("2300", _CLAIM + "~" + _CLAIM)
    assert not proves("header", "ST*837*0001*005010X222A1")


@needs_it
@pytest.mark.parametrize("count", [3000, pytest.param(50_000, marks=pytest.mark.long)])
def test_what_is_proved_of_changed_blocks_is_clean_to_the_walker(count):
    proved = 0
    for level, text, delimiters in block_changes.changes(count, seed=count):
        if proves(level, text, delimiters):
            proved += 1
            assert block_changes.is_clean(level, text, delimiters), (level, block_changes.shape(text))
    assert proved > count // 20  # some changes leave a block right


@needs_it
@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.long)])
def test_what_a_pattern_passes_is_proved(count):
    patterns = {each: Patterns(GUIDE, each, 0) for each in (USUAL, *OTHERS)}
    texts = [(level, text, USUAL) for level, text in block_changes.blocks()]
    passed = 0
    for level, text, delimiters in [*texts, *block_changes.changes(count, seed=count)]:
        # the patterns of all delimiters take seconds to make
        if (count > 300 or delimiters == USUAL) and patterns[delimiters].prove(level, text):
            passed += 1
            assert proves(level, text, delimiters), (level, block_changes.shape(text))
    assert passed > 200


# -- the same with and without


def written(data: bytes) -> list[bytes | None]:
    """All that is written of an input."""
    with edi_checker.check(data, received=date(2026, 11, 21)) as result:
        answers = [result.ack_999(), result.ack_277ca(), result.ta1(), *astuple(result.split())]
        return [result.json(), result.ndjson(), result.csv(), *answers]


@needs_it
@pytest.mark.parametrize("shape", ["noisy", "samples", pytest.param("corpus", marks=pytest.mark.long)])
def test_the_same_is_written_with_and_without(shape, monkeypatch):
    if shape == "noisy":
        inputs = ["".join(piece.text for piece in make("noisy", 150, seed=5)).encode()]
    elif shape == "samples":
        inputs = [path.read_bytes() for path in sorted(CLEAN.parent.glob("*/*.837"))[::30]]
    else:
        inputs = (
            [path.read_bytes() for path in sorted((CORPUS / "837p").glob("*"))[::4]]
            if CORPUS.exists()
            else []
        )
    proved = []
    scanners = {each: Scanners(GUIDE, each, 0) for each in (USUAL, *OTHERS)}

    def prover(_, delimiters):
        proved.append(delimiters)
        return scanners.get(delimiters) or scanners.setdefault(delimiters, Scanners(GUIDE, delimiters, 0))

    monkeypatch.setattr(walker, "prover_for", prover)
    native_ = [written(data) for data in inputs]
    assert proved or not inputs
    monkeypatch.setattr(native, "IN_USE", False)  # claims are cut by Python
    monkeypatch.setattr(walker, "prover_for", lambda guide, delimiters: Patterns(guide, delimiters, 10**9))
    assert native_ == [written(data) for data in inputs]


# -- hostile texts


def hostile() -> list[str]:
    every = "".join(map(chr, range(256)))
    long = "A" * (MAX_TEXT * 4)
    return [
        *("", "~", "*", ":", "~~", "CLM", "CLM*", "CLM~", "CLM*:*:", "\x00", "\ud800", "CLM*\udfff*1"),
        *(
            _CLAIM + "~",
            _CLAIM + "\x00",
            "\x00" + _CLAIM,
            _CLAIM.replace("~", "\x00"),
            _CLAIM.replace("~", ""),
        ),
        *(every, every * 300, long, "CLM*" + long, "CLM" + "*" * 60_000, "CLM*" + ":" * 60_000, "~" * 65_536),
        *(
            _CLAIM + "~NTE*ADD*" + "A" * MAX_TEXT,
            _CLAIM.replace("A1", "\U0001f600"),
            _CLAIM[: len(_CLAIM) // 2],
        ),
        *(_CLAIM.partition("~LX")[0] + "~SBR*P*18*******CI" + "~CAS*CO" + "*1*1*1" * 9000,),
        *(
            _CLAIM + "~LQ*UT*1~FRM*1*Y" * 4000 + "~LQ",
            _CLAIM + "~REF*6R*" * 8000,
            "CLM*A" * 10_000,
            "LX*1~" * 13_000,
        ),
    ]


@needs_it
def test_hostile_texts_are_not_proved():
    for text in hostile():
        for level in PROVED:
            assert not proves(level, text)
    # so many forms are right: the guide has no limit for them
    forms = _CLAIM + "~LQ*UT*1~FRM*1*Y" * 4000
    assert proves("2300", forms) and block_changes.is_clean("2300", forms, USUAL)


@needs_it
def test_every_character_in_every_place_is_taken_as_the_walker_takes_it():
    for at in range(0, len(_CLAIM), 3):
        for character in map(chr, range(at % 4, 256, 4)):
            text = _CLAIM[:at] + character + _CLAIM[at + 1 :]
            assert not proves("2300", text) or block_changes.is_clean("2300", text, USUAL), (at, character)


@needs_it
def test_a_text_may_end_anywhere():
    for end in range(len(_CLAIM)):
        text = _CLAIM[:end]
        assert not proves("2300", text) or block_changes.is_clean("2300", text, USUAL)


@needs_it
def test_a_text_too_long_is_left_to_the_walker():
    head, line = _CLAIM.split("~LX*1", 1)
    forms = "~LQ*UT*1~FRM*1*Y"
    fitting = head + "~LX*1" + line + forms * ((MAX_TEXT - len(_CLAIM)) // len(forms))
    assert proves("2300", fitting)
    assert not proves("2300", fitting + forms * 2)


@needs_it
def test_only_a_text_is_taken():
    made = native.Scanner(*arguments())
    for wrong in (b"CLM", None, 1, ["CLM"]):
        with pytest.raises(TypeError):
            made.prove(wrong)  # type: ignore[arg-type]


# -- delimiters and tables


@needs_it
@pytest.mark.parametrize(
    "delimiters",
    [
        *(Delimiters("*", "*", "^", "~"), Delimiters("*", "-", "^", "~"), Delimiters("*", ".", "", "~")),
        *(Delimiters("A", ":", "", "~"), Delimiters("*", "1", "", "~"), Delimiters("*", ":", "z", "~")),
        *(
            Delimiters("*", ":", "^", " "),
            Delimiters("*", ":", "^", "\x00"),
            Delimiters("*", ":", "^", "\u00e9"),
        ),
        *(Delimiters("", ":", "^", "~"), Delimiters("**", ":", "^", "~"), Delimiters("*", ":", "~", "~")),
    ],
    ids=repr,
)
def test_delimiters_that_stand_in_values_leave_all_to_the_walker(delimiters):
    text = _CLAIM.replace("*", delimiters.element).replace(":", delimiters.component)
    made = Scanners(GUIDE, delimiters, 0)
    assert not made.prove("2300", text.replace("~", delimiters.terminator))
    assert not made.prove("2000A", text)


@needs_it
def test_a_scanner_is_made_when_enough_blocks_have_come():
    made = Scanners(GUIDE, USUAL, 2)
    assert [made.prove("2300", _CLAIM) for _ in range(4)] == [False, False, True, True]


def test_without_the_native_module_the_patterns_prove(monkeypatch):
    monkeypatch.setattr(native, "IN_USE", False)
    prover_for.cache_clear()
    assert prover_for(GUIDE, USUAL) is patterns_for(GUIDE, USUAL)
    prover_for.cache_clear()


@pytest.mark.parametrize("level", PROVED)
def test_tables_hold_no_delimiters_and_are_the_same_each_time(level):
    tables = compile_tables(GUIDE, level)
    assert tables == compile_tables.__wrapped__(GUIDE, level)
    assert sum(map(len, tables.sections)) < 100_000


def test_the_kinds_are_those_of_the_scanner():
    """The numbers of scanner.py are the places in the enumeration of scanner.c."""
    source = (ROOT / "edi_checker" / "native" / "scanner.c").read_text("utf-8")
    kinds = re.search(r"enum \{ (NEVER.*?), KINDS \}", source)
    assert kinds is not None
    assert [getattr(scanner, f"_{name}") for name in kinds[1].split(", ")] == list(range(10))
    assert f"MAX_TEXT {MAX_TEXT} " in source
    module = (ROOT / "edi_checker" / "native" / "module.c").read_text("utf-8")
    assert f'"FORM", {native.FORM})' in module


def arguments(level: str = "2300") -> tuple[tuple[bytes, ...], bytes, int, int]:
    tables = compile_tables(GUIDE, level)
    return tables.sections, b"*:~^", tables.tokens, tables.slots


@needs_it
@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.long)])
def test_damaged_tables_are_refused_or_do_no_harm(count):
    chance = random.Random(7)
    texts = [text for _, text in block_changes.blocks()[:40]]
    refused = 0
    for _ in range(count):
        sections, delimiters, tokens, slots = arguments(chance.choice(("2000A", "2300")))
        changed = [bytearray(each) for each in sections]
        for _ in range(chance.choice((1, 1, 5, 200))):
            section = chance.choice(changed)
            if section:
                section[chance.randrange(len(section))] = chance.choice((0, 1, 7, 127, 255))
        if chance.random() < 0.1:
            del chance.choice(changed)[chance.randrange(40) :]
        tokens, slots = chance.choice(
            ((tokens, slots),) * 4 + ((0, slots), (tokens, 0), (2**31, 2**31), (1, 1))
        )
        try:
            made = native.Scanner(tuple(map(bytes, changed)), delimiters, tokens, slots)
        except ValueError:
            refused += 1
            continue
        for text in texts:
            made.prove(text)
    assert 0 < refused < count


@needs_it
@pytest.mark.parametrize(
    "wrong",
    [
        (),
        (None, b"*:~", 1, 1),
        ((b"",) * 10, b"*:~", 0, 0),
        ((b"",) * 9, b"*:~", 1, 1),
        (("",) * 10, b"*:~", 1, 1),
        ([b""] * 10, b"*:~", 1, 1),
    ],
    ids=repr,
)
def test_what_is_no_table_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        native.Scanner(*wrong)


@needs_it
def test_a_scanner_leaves_no_memory_behind():
    given = arguments()

    def make_some() -> tuple[int, int]:
        for _ in range(200):
            native.Scanner(*given).prove(_CLAIM)
            with contextlib.suppress(ValueError):
                native.Scanner(given[0], b"**~", *given[2:])
        gc.collect()
        return sys.getallocatedblocks(), sys.getrefcount(native.Scanner)

    make_some()
    (blocks, references), (blocks_then, references_then) = make_some(), make_some()
    assert blocks_then - blocks < 100
    assert references_then == references
