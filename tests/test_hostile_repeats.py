"""A file that repeats a few segments, whichever, wherever: its report is small, its work grows as it does."""

import cProfile
import io
import os
import random
import time
from dataclasses import replace
from itertools import islice

import pytest

import probe
from book import BOOK
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.findings_log import MOST_FINDINGS, FindingsLog
from edi_checker.reports.json_report import JsonReport
from edi_checker.x12.blocks import NotX12

RECEIVED = 20261121
GUIDE = load_guide()
BASE = probe.base_text()
BEGINS = {
    name: BASE[: BASE.index(before)]
    for name, before in {
        "group": "GS*",
        "set": "ST*837",
        "levels": "HL*1",
        "subscriber": "CLM*THERAPY1",
        "head": "NM1*DN",
        "line": "LX*2",
        "other payer": "SVD*",
    }.items()
}
TAIL = "SE*9*0001~GE*1*1~IEA*1*000000001~"
NAMES = sorted({node.id for node in GUIDE.segments} | set(GUIDE.envelope) - {"ISA"} | {"ZZ9"})
SIZE = 100_000  # characters
MEGABYTES, SECONDS = 8, 10
PATIENCE = 4  # times as long on a machine that does other work
# More of the sample: EDI_CHECKER_FUZZ=1000.
SAMPLE = int(os.environ.get("EDI_CHECKER_FUZZ", "24"))


def fresh():
    """A checker that remembers nothing."""
    return Checker(GUIDE, Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


def check(begin, unit, size, checker=None):
    """Characters of the JSON report of such a file, and of the longer of its answers."""
    data = f"{begin}{unit * (size // len(unit))}{TAIL}".encode()
    acknowledger, out = Acknowledger(RECEIVED, number_elements(GUIDE)), io.StringIO()
    with FindingsLog("claims.837") as journal:
        try:
            for checked in (checker or fresh()).check(io.BytesIO(data)):
                journal.add(checked)
                acknowledger.add(checked)
        except NotX12:
            acknowledger.finish().close()
            return 0, 0
        summary = journal.end()
        report = JsonReport(out, version="1", received=RECEIVED, tables=[])
        report.add(journal, summary)
        report.finish()
        assert sum(summary.severities.values()) - sum(summary.unlisted.values()) <= MOST_FINDINGS
        answers = acknowledger.finish()
        lengths = [len(each.read()) for each in (answers.ack999, answers.ack277ca) if each]
        answers.close()
    return len(out.getvalue()), max(lengths, default=0)


def segments_of(chance, name):
    """A segment with none, some or many elements, most of them as the guide knows them."""
    nodes = [node for node in (*GUIDE.segments, *GUIDE.envelope.values()) if node.id == name]
    values = []
    for number in range(chance.choice((0, 0, 1, 2, 4))):
        item = nodes[0].elements[number] if nodes and number < len(nodes[0].elements) else None
        codes = sorted(getattr(item, "codes", ()))
        values.append(chance.choice([*codes[:3], "1", "A", "", "1:1", "X" * 50]))
    return "*".join([name, *values]) + "~"


def repeats():
    """Begin of a file and what is repeated: each segment alone, then those that begin a block with others."""
    chance = random.Random(13)
    for name in NAMES:
        yield chance.choice(list(BEGINS)), segments_of(chance, name)
    while True:
        first = chance.choice(("CLM", "CLM", "HL", "LX", "SBR", "NM1", "ST", chance.choice(NAMES)))
        names = [first, *chance.choices(NAMES, k=chance.choice((1, 2)))]
        yield chance.choice(list(BEGINS)), "".join(segments_of(chance, name) for name in names)


def assert_small(place, unit):
    began = time.process_time()
    report, answer = check(BEGINS[place], unit, max(SIZE, len(unit)))
    seconds = time.process_time() - began
    assert report < MEGABYTES * 1_000_000, (place, unit)
    assert answer < MEGABYTES * 1_000_000, (place, unit)
    assert seconds < SECONDS * PATIENCE, (place, unit)


def calls(work):
    """How many functions are called, which is the same on every machine."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


def assert_grows_as_the_file(place, unit, size=3_000):
    counts = [calls(lambda size=size: check(BEGINS[place], unit, size)) for size in (size, 4 * size)]
    assert counts[1] < 5 * counts[0], (place, unit, counts)


@pytest.mark.long
def test_hostile_repeats_take_work_as_they_are_long():
    check("", BASE, len(BASE))
    assert_grows_as_the_file("head", "DTP~", 1_500)


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_hostile_repeats_of_every_segment(part):
    for place, unit in islice(repeats(), part, len(NAMES) + SAMPLE, 4):
        assert_small(place, unit)


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_hostile_repeats_of_every_segment_take_work_as_they_are_long(part):
    check("", BASE, len(BASE))
    for place, unit in islice(repeats(), part, len(NAMES), 4):
        assert_grows_as_the_file(place, unit, 1_500)


def numbered(unit, size):
    """The unit again and again, each time with another number, so that nothing is remembered."""
    return "".join(unit.replace("@", str(number)) for number in range(size // len(unit)))


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "unit"),
    [
        ("subscriber", "CLM*@~DTP~"),
        ("subscriber", "CLM*@~N3~"),
        ("subscriber", "CLM*@*1***11:B:1*Y*A*Y*Y~HI*ABK:@~LX*1~SV1*HC:@*1*UN*1***1~"),
        ("levels", "HL*@**20*1~NM1*@~"),
        ("line", "LX*@~SV1*HC:97530:@*1*UN*1***1~DTP*472*D8*20260603~"),
    ],
)
def test_hostile_repeats_with_a_number_of_their_own(place, unit):
    assert_small(place, numbered(unit, SIZE // 2))


@pytest.mark.long
def test_hostile_claims_of_one_patient_on_one_day():
    """Each is held against those before it; four times as many take four times the work."""
    begin = BASE[: BASE.index("CLM*THERAPY1")]
    claim = BASE[BASE.index("CLM*THERAPY1") : BASE.index("CLM*THERAPY2")]

    def work(count):
        text = numbered(claim.replace("THERAPY1", "A@"), count * len(claim.replace("THERAPY1", "A@")))
        return calls(lambda: check(begin, text.replace("\n", ""), len(text)))

    fewer, more = work(400), work(1_600)
    assert more < 5 * fewer


@pytest.mark.long
def test_hostile_one_long_element():
    for place, unit in (("subscriber", "CLM*@*1~"), ("line", "NTE*ADD*@~"), ("line", "SV1*HC:@*1~")):
        assert_small(place, unit.replace("@", "9" * SIZE))
        assert_small(place, unit.replace("@", "9" * 200))


def test_a_hostile_head_longer_than_the_guide_allows_is_checked_by_its_structure():
    slow = replace(fresh(), fast=False)
    head = "REF*EA*1~" * 600
    text = BASE.replace("NTE*ADD*SEEN AT HOME BEFORE~\n", head).replace("REF*EA*CHART77~\n", "")
    assert head in text
    ways = [[each.findings for each in of.check(io.BytesIO(text.encode()))] for of in (fresh(), slow)]
    assert ways[0] == ways[1]
    assert "guide.segment-repeat" in {finding.rule for findings in ways[0] for finding in findings}
