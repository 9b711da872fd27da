"""Published acknowledgements hold to our grammar, and published claim files are answered within it.

The corpus lies outside of the project; without it these tests are skipped.
"""

import io

import pytest
from pyx12.x12file import X12Reader

from ack_grammar import complaints, split
from edi_checker.x12.blocks import NotX12
from paths import CORPUS
from test_acks import Written, check

PUBLISHED = [path for kind in ("999", "277ca", "ta1") for path in sorted((CORPUS / kind).glob("*"))]
CLAIM_FILES = sorted((CORPUS / "837p").glob("*"))

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="no corpus of published files beside the checkout"
)

_NARROW = [
    f"ISA: ISA{at} is not {width} characters long"
    for at, width in (("02", 10), ("04", 10), ("06", 15), ("08", 15))
]
_FRAGMENT = [
    "GS: GS01 is HB",
    "GS: GS08 is 005010X279",
    "2220D: stands under an accepted claim",
    "2000B: totals do not agree with the levels below",
]

# What the grammar says of published files, and why the file is at fault and not the grammar.
DIFFERENCES = {
    "imsweb__x12-parser__837_5010_x12_999_accepted.txt": (
        "the sample's IEA was taken from another file",
        ["IEA: IEA02 is not ISA13"],
    ),
    "imsweb__x12-parser__837_5010_x12_999_accepted_ta1.txt": (
        "TA101 repeats ISA13 without its zeros",
        ["TA101: 3 characters, not 9 to 9"],
    ),
    "kputnam__stupidedi__005010_X231A1-FA999_pass_1.edi": ("the blanks of its ISA collapsed", _NARROW),
    "kputnam__stupidedi__X231-FA999_1-bad.txt": ("the blanks of its ISA collapsed", _NARROW),
    "kputnam__stupidedi__X231-FA999_1-good.txt": ("the blanks of its ISA collapsed", _NARROW),
    "mjkubba__edi__demo_edi999-demo-005010X231.edi": (
        "ISA16 names | and the composites are written with :",
        ["IK5: missing in 2000", "AK9: missing in ST", "SE: missing in ST", "CTX: stands out of place at 7"],
    ),
    "xlate__staedi__x12_invalid999.edi": (
        "made to be invalid",
        ["AK1: missing in ST", "AK9: missing in ST", "SE: missing in ST", "IK5: stands out of place at 2"],
    ),
    "xlate__staedi__x12_simple999.edi": (
        "repeats CTX01, which the guide does not, to exercise its parser",
        ["IK5: missing in 2000", "AK9: missing in ST", "SE: missing in ST", "CTX: stands out of place at 12"],
    ),
    "imsweb__x12-parser__277_5010_x12_277CA_rejected.txt": (
        "rejects the claim in STC01 and accepts it in STC03",
        ["2200D: category A7 with WQ"],
    ),
    "phatboyg__Machete__Layout277Tests_1.txt": (
        "cut from the guide's example to test a parser",
        [*_FRAGMENT, "SE: counts 37 segments, not 29"],
    ),
    "phatboyg__Machete__Layout277Tests_2.txt": (
        "cut from the guide's example to test a parser",
        [*_FRAGMENT, "SE: counts 37 segments, not 28"],
    ),
    "phatboyg__Machete__Layout277Tests_3.txt": (
        "cut from the guide's example to test a parser",
        [*_FRAGMENT, "SE: counts 37 segments, not 28"],
    ),
    "UHIN__x12-parser-library__tests_test-files_TA1.edi": (
        "4010, blanks collapsed, and counts the TA1 as a group",
        [*_NARROW, "IEA: counts 1 groups, not 0"],
    ),
    "xlate__staedi__wiki_x12_interchange_ack.txt": (
        "counts the TA1 as a group",
        ["IEA: counts 1 groups, not 0"],
    ),
}


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_answers_hold_to_the_grammar(path):
    _, expected = DIFFERENCES.get(path.name, ("", []))
    assert sorted(complaints(path.read_text(encoding="utf-8"))) == sorted(expected)


def test_every_difference_is_of_a_published_file():
    assert set(DIFFERENCES) <= {path.name for path in PUBLISHED}


@pytest.mark.parametrize("path", CLAIM_FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("isolation", ["claim", "transaction"])
def test_published_claim_files_are_answered_in_good_form(path, isolation):
    try:
        stream = list(check(path.read_bytes(), isolation=isolation))
    except NotX12:
        return
    written = Written(stream)
    assert written.withheld == ()
    assert written.ack999 or written.ta1
    for text in (written.ack999, written.ack277ca, written.ta1):
        for piece in split(text or ""):
            reader = X12Reader(io.StringIO(piece))
            errors = [error for _ in reader for error in reader.pop_errors()]
            reader.cleanup()
            assert errors + reader.pop_errors() == []
