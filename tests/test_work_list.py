"""The work list of the page, the boxes of the paper form, and the first sentence of a message."""

import io

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.claim import Claim
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.boxes import box_of, box_of_fix
from edi_checker.reports.verdict import first_sentence, say_file
from generate_claims import generate
from test_html import of_class, page_of, page_of_sample, read, words

RECEIVED = 20261121
COLUMNS = ["To do", "Patient", "Date of service", "Payer", "Claim", "Charge", "What is wrong"]


@pytest.fixture(scope="module")
def checker():
    return Checker(load_guide(), Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


def rows_of(page):
    (table,) = of_class(page, "work")
    assert [words(head) for head in table.xpath(".//thead//th")] == COLUMNS
    return table.xpath(".//tbody/tr")


def test_a_row_says_who_when_what_is_wrong_and_where_to_change_it(checker):
    page = read(page_of_sample(checker, "faulty/ncci.mue.97530-x7.837"))
    (row,) = rows_of(page)
    cells = [words(cell) for cell in row]
    assert cells[:6] == ["Fix", "MALLOW, ADA", "2026-04-21", "MAPLE MEDICARE", "SOL-1101", "$115.00"]
    assert "97530" in cells[6]
    assert "Box 24G: " in cells[6]
    (link,) = row.xpath(".//a/@href")
    assert words(page.get_element_by_id(link[1:]).find(".//h3")) == "Claim SOL-1101"


def test_a_fault_above_the_claims_names_those_that_it_costs(checker):
    page = read(page_of_sample(checker, "faulty/guide.element-code.gender.837"))
    (row,) = rows_of(page)
    cells = [words(cell) for cell in row]
    assert cells[1] == "ASPEN, IRIS"
    assert cells[4] == "2 claims: PT-1001, PT-1002"
    (link,) = row.xpath(".//a/@href")
    assert words(page.get_element_by_id(link[1:]).find(".//h3")).startswith("Subscriber, HL ")
    (below,) = of_class(page, "below")
    assert words(below) == "This costs all 2 claims below it: PT-1001, PT-1002"


def test_errors_come_first_and_a_file_without_a_fault_has_no_list(checker):
    text = "".join(generate(60, invalid=0.3, seed=5)).encode()
    page = read(page_of(list(checker.check(io.BytesIO(text)))))
    todo = [words(row[0]) for row in rows_of(page)]
    assert "Fix" in todo
    assert todo == sorted(todo, reverse=True)
    clean = page_of_sample(checker, "clean/pt-clinic.837")
    assert 'class="work"' not in clean
    assert "Ready to send" in clean


def test_every_rejected_claim_with_a_finding_of_its_own_has_one_row(checker):
    text = "".join(generate(80, invalid=0.5, seed=9)).encode()
    checked = list(checker.check(io.BytesIO(text)))
    faulty = [part for part, findings, *_ in checked if any(found.severity == "error" for found in findings)]
    claims = sorted(part.id for part in faulty if isinstance(part, Claim))
    rows = [row for row in rows_of(read(page_of(checked))) if words(row[0]) == "Fix" and words(row[2])]
    assert sorted(words(row[4]) for row in rows) == claims


def where(loop, segment, element=None):
    return {"loop": loop, "segment": segment, "element": element}


@pytest.mark.parametrize(
    ("place", "segment", "box"),
    [
        (where("2400", "SV1", "SV104"), "SV1*HC:97530:GP*84*UN*7***1", "24G"),
        (where("2400", "SV1", "SV101-3"), "", "24D"),
        (where("2400", "DTP", "DTP03"), "DTP*472*D8*20260421", "24A"),
        (where("2400", "DTP", "DTP03"), "DTP*607*D8*20260421", ""),
        (where("2400", "DTP", "DTP03"), "", ""),
        (where("2300", "DTP", "DTP03"), "DTP|439|D8|20260421", "15"),
        (where("2300", "DTP", "DTP03"), "DTP*435*D8*20260421", "18"),
        (where("2300", "CLM", "CLM05-3"), "CLM*1*9***11:B:7", "22"),
        (where("2300", "CLM", "CLM05-1"), "", "24B"),
        (where("2300", "CLM", "CLM05-2"), "", ""),
        (where("2300", "HI", "HI01-2"), "HI*ABK:M6281", "21"),
        (where("2300", "REF", "REF02"), "REF*G1*A", "23"),
        (where("2300", "REF", None), "REF*F8*A", "22"),
        (where("2010AA", "REF", "REF02"), "REF*EI*9", "25"),
        (where("2010AA", "NM1", "NM109"), "NM1*85", "33a"),
        (where("2310B", "NM1", "NM109"), "", "24J"),
        (where("2010BA", "NM1", "NM109"), "", "1a"),
        (where("2010CA", "DMG", "DMG02"), "", "3"),
        (where("ISA", "ISA", "ISA06"), "", ""),
    ],
)
def test_the_box_of_the_paper_form(place, segment, box):
    assert box_of(place, segment) == box


@pytest.mark.parametrize(
    ("place", "fix", "box"),
    [
        (where("2400", "SV1", "SV104"), "Change the units of 97530 to 6 or fewer.", "24G"),
        (where("2400", "SV1", "SV101-2"), "Send REF*G1 with the number, for the claim or the line.", "23"),
        (where("2400", "SV1", "SV101-2"), "Correct CLM05-3, and add REF*F8.", "22"),
        (where("2300", "CLM", "CLM02"), "Change CLM02 to 100.00, or correct SV102.", "28"),
        (where("2300", "CLM", None), "Add DTP*439 to the claim.", "15"),
        (where("2400", "SV1", "SV101-3"), "Add GP to line 2.", "24D"),
        (where("2300", "CLM", "CLM01"), "Send NM109 of the provider.", ""),
    ],
)
def test_the_box_of_a_fix_is_that_of_the_place_that_it_names(place, fix, box):
    assert box_of_fix({"where": place, "fix": fix}) == box


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing. Another.", "One thing"),
        ("One thing.", "One thing"),
        ("See ch. 11, and no. 5. Then go.", "See ch. 11, and no. 5"),
        ("Send 6.5 units. Or less.", "Send 6.5 units"),
        ("", ""),
    ],
)
def test_the_first_sentence(text, first):
    assert first_sentence(text) == first


@pytest.mark.parametrize(
    ("outcome", "rejected", "claims", "words_"),
    [
        ("accepted", 0, 3, "ready to send"),
        ("accepted_with_errors", 1, 3, "1 of 3 claims need work"),
        ("accepted_with_errors", 0, 3, "errors outside the claims"),
        ("rejected", 3, 3, "all 3 claims need work"),
        ("rejected", 1, 1, "the claim needs work"),
        ("rejected", 0, 0, "errors outside the claims"),
        ("not_checked", 0, 3, "not checked"),
    ],
)
def test_the_verdict_on_a_file(outcome, rejected, claims, words_):
    assert say_file(outcome, rejected, claims) == words_
