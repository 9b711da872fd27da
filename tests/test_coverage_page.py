"""docs/coverage.md is what the guide and the rules make it."""

from __future__ import annotations

import re

import pytest

import write_coverage
from edi_checker import rules
from probe import make_checker


@pytest.fixture(scope="module")
def page():
    return write_coverage.write_page(make_checker(), rules.load())


def test_the_page_is_current(page):
    assert write_coverage.PAGE.read_text("utf-8") == page


def test_every_rule_beyond_the_guide_stands_at_some_place(page):
    ids = {rule.id for rule in rules.load().rules if rule.id.split(".")[0] not in write_coverage.STRUCTURE}
    assert ids - set(re.findall(r"[a-z]+\.[a-z-]+", page)) == set()


def test_elements_stand_with_what_watches_them(page):
    assert re.search(r"\| SV104 \| .* \| R \| element-missing, .*element-type.* \| .*ncci.mue", page)
    assert re.search(r"\| CLM02 \| .*balance.claim-charge", page)
    assert re.search(r"\| CLM03 \| .* \| N \| element-not-used \|", page)
