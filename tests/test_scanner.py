"""The native scanner: what it proves the walker finds nothing in, and all is written the same without it."""

from __future__ import annotations

import contextlib
import gc
import io
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import astuple
from datetime import date

import pytest

import block_changes
import edi_checker
from block_changes import CLAIM, GUIDE, OTHERS, USUAL
from edi_checker.claims.reader import read_parts
from edi_checker.guide import native, scanner, walker
from edi_checker.guide.scanner import MAX_TEXT, PROVED, Scanners, compile_tables, scanners_for
from edi_checker.x12.blocks import Delimiters, NotX12, read_blocks
from generate_claims import generate
from paths import CLEAN, CORPUS, ROOT
from pyx12_oracle import mutate
from second_maker import make
from test_walker import RICH, differ, usual_texts

SAMPLES = sorted(CLEAN.parent.glob("*/*.837"))
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
    assert proves("2300", CLAIM.replace("20260901", "20240229"))


@needs_it
@pytest.mark.parametrize(("old", "new"), WRONG_OR_RARE)
def test_what_is_wrong_or_rare_is_not_proved(old, new):
    assert proves("2300", CLAIM)
    assert not proves("2300", CLAIM.replace(old, new, 1))


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
    text = CLAIM.replace(old, new, 1)
    assert block_changes.is_clean("2300", text, USUAL) is proves("2300", text)


@needs_it
def test_lines_are_numbered_from_one():
    head, line = CLAIM.split("~LX*1", 1)
    assert proves("2300", head + "".join(f"~LX*{n}{line}" for n in range(1, 51)))
    for numbers in ((2,), (1, 3), (1, 1), (0,), (1, "02"), range(1, 52), ("",), (1, "+2"), ("1" * 30,)):
        assert not proves("2300", head + "".join(f"~LX*{n}{line}" for n in numbers))


@needs_it
def test_a_block_begins_with_the_segment_that_opens_its_level():
    assert not proves("2300", CLAIM.partition("~")[2])
    assert not proves("2000A", CLAIM)
    assert not proves("2300", CLAIM + "~" + CLAIM)
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
@pytest.mark.parametrize("path", sorted(CLEAN.glob("*.837")), ids=lambda path: path.stem)
def test_clean_samples_are_proved(path):
    for level, text in block_changes.blocks_in(path.read_text("utf-8")):
        assert proves(level, text), block_changes.shape(text)


@needs_it
def test_every_segment_of_the_guide_can_be_proved():
    # two nodes share this one: which of them is meant is the walker's to say
    for level, text in block_changes.blocks_in(RICH.replace("PWK*CT*AA~\n", "")):
        assert proves(level, text), block_changes.shape(text)


@needs_it
@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.long)])
def test_most_of_what_the_walker_finds_clean_is_proved(count):
    """Left over are rare forms: blanks at the end of a value, zeros before a number."""
    proved = clean = 0
    for level, text, delimiters in block_changes.changes(count, seed=count):
        if block_changes.is_clean(level, text, delimiters):
            clean += 1
            proved += proves(level, text, delimiters)
    assert clean > count // 20
    assert proved > 0.9 * clean


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

    def made_at_once(_, delimiters):
        proved.append(delimiters)
        return scanners.get(delimiters) or scanners.setdefault(delimiters, Scanners(GUIDE, delimiters, 0))

    monkeypatch.setattr(walker, "scanners_for", made_at_once)
    native_ = [written(data) for data in inputs]
    assert proved or not inputs
    monkeypatch.setattr(native, "IN_USE", False)  # claims are cut by Python
    monkeypatch.setattr(walker, "scanners_for", lambda guide, delimiters: None)
    assert native_ == [written(data) for data in inputs]


@pytest.fixture
def at_once(monkeypatch):
    """Scanners work from the first block on, not only where they are worth their making."""
    monkeypatch.setattr(
        walker, "scanners_for", lambda of, given: _KEPT.setdefault(given, Scanners(of, given, 0))
    )


def parts(text: str, *, fast: bool) -> list[tuple[str, object, tuple[object, ...]]]:
    read = read_parts(read_blocks(io.BytesIO(text.encode())), GUIDE, fast=fast)
    return [(type(part).__name__, getattr(part, "position", 0), part.faults) for part in read]


@needs_it
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_have_the_same_faults_with_and_without(path, at_once):
    text = path.read_text("utf-8")
    assert parts(text, fast=True) == parts(text, fast=False)


@needs_it
@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus here")
def test_published_files_have_the_same_faults_with_and_without(at_once):
    for path in sorted((CORPUS / "837p").glob("*")):
        text = path.read_bytes().decode("utf-8", "replace")
        try:
            walked = parts(text, fast=False)
        except NotX12:
            continue
        assert parts(text, fast=True) == walked, path.name


@needs_it
@pytest.mark.long
def test_changed_texts_have_the_same_faults_with_and_without(at_once):
    usual = [text for text in (path.read_text("utf-8") for path in SAMPLES) if text[3] + text[105] == "*~"]
    texts = [*usual, RICH, "".join(generate(3, seed=5)), "".join(generate(3, seed=6, invalid=1))]
    passed = 0
    for mutation in mutate(texts, 600, seed=11):
        fast = parts(mutation.text, fast=True)
        assert fast == parts(mutation.text, fast=False), mutation
        passed += not any(faults for *_, faults in fast)
    assert passed > 30  # some changes leave a text right: the fast way was taken to its end


@needs_it
@pytest.mark.long
def test_pyx12_refuses_no_text_that_is_proved_but_for_the_differences_listed(at_once):
    agreed, unexplained = differ(mutate(usual_texts(), 150, seed=23))
    assert unexplained == []
    assert agreed > 120


# -- hostile texts


def repeats() -> Iterator[str]:
    """Texts of which a part comes again and again."""
    head, line = CLAIM.split("~LX*1", 1)
    yield head + "~LX*1" + line + "~REF*G1*A" * 6000
    yield head + "~REF*D9*A~REF*EA*A~REF*9A*A" * 2000
    yield head.replace("~HI", "~DTP*431*D8*20260101~DTP*454*D8*20260101" * 1000 + "~HI")
    yield head + "~LX*1~SV1*HC:97530*1*UN*1***1" + "~DTP*738*D8*20260101" * 2500
    yield head.replace("A1", "A" * 60_000, 1)
    yield head.replace("A1", " " * 60_000, 1)
    yield head + "~LX*1~SV1" + "*" * 60_000
    yield head + "~LX*1~SV1*HC" + ":" * 60_000
    yield head + "~SBR*P*18*******CI" + "~CAS*CO" + "*1*1*1" * 9000
    yield head + "~LX*1" + line + "~LQ*UT*1" + "~FRM*1*Y" * 7000
    yield head + "~LX*1" + line + "~LQ*UT*1~FRM*1*Y" * 3800 + "~LQ*UT*1"
    yield head + line.join(f"~LX*{n}" for n in range(1, 900))
    yield head + "~LX*1" + line.partition("~REF")[0] + "~MEA*OG*HT" + "*1" * 25_000


def hostile() -> list[str]:
    every = "".join(map(chr, range(256)))
    long = "A" * (MAX_TEXT * 4)
    return [
        *("", "~", "*", ":", "~~", "CLM", "CLM*", "CLM~", "CLM*:*:", "\x00", "\ud800", "CLM*\udfff*1"),
        *(
            CLAIM + "~",
            CLAIM + "\x00",
            "\x00" + CLAIM,
            CLAIM.replace("~", "\x00"),
            CLAIM.replace("~", ""),
        ),
        *(every, every * 300, long, "CLM*" + long, "CLM" + "*" * 60_000, "CLM*" + ":" * 60_000, "~" * 65_536),
        *(
            CLAIM + "~NTE*ADD*" + "A" * MAX_TEXT,
            CLAIM.replace("A1", "\U0001f600"),
            CLAIM[: len(CLAIM) // 2],
        ),
        *(CLAIM.partition("~LX")[0] + "~SBR*P*18*******CI" + "~CAS*CO" + "*1*1*1" * 9000,),
        *(
            CLAIM + "~LQ*UT*1~FRM*1*Y" * 4000 + "~LQ",
            CLAIM + "~REF*6R*" * 8000,
            "CLM*A" * 10_000,
            "LX*1~" * 13_000,
        ),
    ]


@needs_it
def test_hostile_texts_are_not_proved():
    for text in hostile():
        for level in PROVED:
            assert not proves(level, text)
    for text in repeats():
        assert not proves("2300", text[:MAX_TEXT]) or block_changes.is_clean("2300", text[:MAX_TEXT], USUAL)
    # so many forms are right: the guide has no limit for them
    forms = CLAIM + "~LQ*UT*1~FRM*1*Y" * 4000
    assert proves("2300", forms) and block_changes.is_clean("2300", forms, USUAL)


@needs_it
def test_every_character_in_every_place_is_taken_as_the_walker_takes_it():
    for at in range(0, len(CLAIM), 3):
        for character in map(chr, range(at % 4, 256, 4)):
            text = CLAIM[:at] + character + CLAIM[at + 1 :]
            assert not proves("2300", text) or block_changes.is_clean("2300", text, USUAL), (at, character)


@needs_it
def test_a_text_may_end_anywhere():
    for end in range(len(CLAIM)):
        text = CLAIM[:end]
        assert not proves("2300", text) or block_changes.is_clean("2300", text, USUAL)


@needs_it
def test_a_text_too_long_is_left_to_the_walker():
    head, line = CLAIM.split("~LX*1", 1)
    forms = "~LQ*UT*1~FRM*1*Y"
    fitting = head + "~LX*1" + line + forms * ((MAX_TEXT - len(CLAIM)) // len(forms))
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
    text = CLAIM.replace("*", delimiters.element).replace(":", delimiters.component)
    made = Scanners(GUIDE, delimiters, 0)
    assert not made.prove("2300", text.replace("~", delimiters.terminator))
    assert not made.prove("2000A", text)


@needs_it
def test_a_scanner_is_made_when_enough_blocks_have_come():
    made = Scanners(GUIDE, USUAL, 2)
    assert [made.prove("2300", CLAIM) for _ in range(4)] == [False, False, True, True]


def test_without_the_native_module_all_is_walked(monkeypatch):
    monkeypatch.setattr(native, "IN_USE", False)
    scanners_for.cache_clear()
    assert scanners_for(GUIDE, USUAL) is None
    scanners_for.cache_clear()


@pytest.mark.parametrize("level", PROVED)
def test_tables_hold_no_delimiters_and_are_the_same_each_time(level):
    tables = compile_tables(GUIDE, level)
    assert tables == compile_tables.__wrapped__(GUIDE, level)
    assert sum(map(len, tables.sections)) < 100_000


def test_the_kinds_are_those_of_the_scanner():
    """The numbers of scanner.py are the places in the enumeration of scanner.c."""
    source = (ROOT / "edi_checker" / "guide" / "native" / "scanner.c").read_text("utf-8")
    kinds = re.search(r"enum \{ (NEVER.*?), KINDS \}", source)
    assert kinds is not None
    assert [getattr(scanner, f"_{name}") for name in kinds[1].split(", ")] == list(range(10))
    assert f"MAX_TEXT {MAX_TEXT} " in source
    module = (ROOT / "edi_checker" / "guide" / "native" / "module.c").read_text("utf-8")
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
            native.Scanner(*given).prove(CLAIM)
            with contextlib.suppress(ValueError):
                native.Scanner(given[0], b"**~", *given[2:])
        gc.collect()
        return sys.getallocatedblocks(), sys.getrefcount(native.Scanner)

    make_some()
    (blocks, references), (blocks_then, references_then) = make_some(), make_some()
    assert blocks_then - blocks < 100
    assert references_then == references
