"""The page of what watches each element: the guide in its order, each rule beyond it where it finds."""

from __future__ import annotations

import re

import pytest

from book import BOOK
from edi_checker.check.examples import run_example
from edi_checker.reports import coverage_page
from edi_checker.reports.coverage_page import STRUCTURE, write_coverage_page
from probe import make_checker


@pytest.fixture(scope="module")
def page():
    return write_coverage_page(make_checker(), BOOK.rules)


@pytest.mark.long
def test_every_rule_beyond_the_guide_stands_at_a_place_of_the_guide(page):
    ids = {rule.id for rule in BOOK.rules if rule.id.split(".")[0] not in STRUCTURE}
    assert ids - set(re.findall(r"[a-z]+\.[a-z-]+", page)) == set()
    assert "## Elsewhere" not in page


def test_every_element_is_watched_by_the_table_of_the_guide(page):
    rows = re.findall(r"^\| ([A-Z0-9-]+) \| .* \| [RSN] \| (.*) \| .* \|$", page, re.MULTILINE)
    assert len(rows) > 1700
    # A composite that may be left out is watched in its components.
    assert [ref for ref, watched in rows if not watched and f"\n| {ref}-1 |" not in page] == []
    assert f"\n{page.count('### ')} segments, " in page


def test_elements_stand_with_what_watches_them(page):
    assert re.search(r"\| SV104 \| .* \| R \| element-missing, .*element-type.* \| .*ncci.mue", page)
    assert re.search(r"\| CLM02 \| .*balance.claim-charge", page)
    assert re.search(r"\| CLM03 \| .* \| N \| element-not-used \|", page)


def test_a_finding_elsewhere_is_not_lost(monkeypatch):
    checker, (rule,) = make_checker(), BOOK.keep(["ncci.mue"]).rules
    finding = next(found for found in run_example(checker, rule.examples.failing[0]) if found.rule == rule.id)
    odd = finding._replace(where=finding.where._replace(element="SV199"))
    monkeypatch.setattr(coverage_page, "run_example", lambda *_: [odd])
    assert "## Elsewhere\n\n- 2400 SV199: ncci.mue\n" in write_coverage_page(checker, [rule])
