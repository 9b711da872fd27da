"""The probe: every seeded defect is found once, at its place, and nothing else is said."""

from __future__ import annotations

import io
from collections import Counter

import pytest

import probe
import pyx12_oracle


@pytest.fixture(scope="module")
def checker():
    return probe.make_checker()


@pytest.fixture(scope="module")
def measured(checker):
    return probe.measure(checker)


def test_the_base_file_is_clean(checker):
    text = probe.base_text()
    findings = [f for c in checker.check(io.BytesIO(text.encode())) for f in c.findings]
    assert [f.rule for f in findings if f.severity != "info"] == []
    assert pyx12_oracle.ask(text) == []


def test_there_are_defects_of_every_snip_type():
    defects = probe.defects()
    assert len(defects) >= 150
    assert set(Counter(defect.snip for defect in defects)) == set(range(1, 8))
    assert len({defect.name for defect in defects}) == len(defects)
    assert len({defect.text for defect in defects} - {probe.base_text()}) == len(defects)


@pytest.mark.parametrize("defect", probe.defects(), ids=lambda defect: defect.name.replace(" ", "-"))
def test_a_defect_is_found_at_its_place_and_nothing_else_is(checker, defect):
    result = probe.run(checker, defect)
    assert (result.found, result.placed, result.others) == (True, True, ())


def test_a_file_without_its_defect_is_not_said_to_have_it(checker):
    defect = probe.defects()[0]
    clean = probe.Defect(
        **{name: getattr(defect, name) for name in defect.__slots__} | {"text": probe.base_text()}
    )
    assert not probe.run(checker, clean).found


def test_the_page_is_current(measured):
    assert probe.PAGE.read_text("utf-8") == probe.write_page(measured)


def loud(checker, segments):
    """Errors and warnings on the file of these segments, as `rule at element`."""
    text = "".join(segment + "~\n" for segment in probe.recount(segments))
    checker.engine.begin()
    return [
        f"{f.rule} at {f.where.loop} {f.where.element or f.where.segment}"
        for checked in checker.check(io.BytesIO(text.encode()))
        for f in checked.findings
        if f.severity != "info"
    ]


INNER = range(probe.SEGMENTS.index("SE*0*0001"))[3:]

# Without its HL the level below the payer's reads as part of the claim before it, and what follows with it.
OPENERS = ("HL*3", "HL*4")


@pytest.mark.parametrize("at", INNER, ids=lambda at: f"{at}-{probe.SEGMENTS[at].split('*')[0]}")
def test_a_segment_that_is_taken_away_is_at_most_one_finding(checker, at):
    segments = list(probe.SEGMENTS)
    if not segments.pop(at).startswith(OPENERS):
        assert len(loud(checker, segments)) <= 1


@pytest.mark.parametrize("at", INNER, ids=lambda at: f"{at}-{probe.SEGMENTS[at].split('*')[0]}")
def test_a_control_character_in_an_element_is_one_finding(checker, at):
    elements = probe.SEGMENTS[at].split("*")
    for number in range(1, len(elements)):
        if elements[number]:
            parts = elements[number].split(":")
            for part in range(len(parts)):
                value = ":".join("\x01" if n == part else each for n, each in enumerate(parts))
                hurt = "*".join([*elements[:number], value, *elements[number + 1 :]])
                segments = [hurt if n == at else each for n, each in enumerate(probe.SEGMENTS)]
                assert len(loud(checker, segments)) == 1, hurt
