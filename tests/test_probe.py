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
