"""The HTML page: what it shows of a faulty claim, and that it stays whole, small and harmless."""

import io
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import lxml.html
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes, read_minutes
from edi_checker.cli import commands
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.html import ClaimViews, HtmlReport, claim_view
from edi_checker.reports.html.markup import visible
from edi_checker.reports.html.page import Answer
from edi_checker.x12.blocks import NotX12
from edi_checker.x12.finding import SEVERITIES, Finding, Place
from paths import CORPUS
from test_reports import bundled, close_journals, count_fault, interchange, journal_of, parts, transaction  # noqa: F401  # a fixture
from test_reports import check as stream

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
RECEIVED = 20261121
TABLES = [("ncci_ptp", "builtin-therapy-2024Q3", 386)]


@pytest.fixture(scope="module")
def checker():
    return Checker(load_guide(), Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


def page_of(*files_):
    """The page made of files, each given as its checked parts, or as those and the answers to it."""
    out = io.StringIO(newline="")
    report = HtmlReport(out, version="1.2.3", received=RECEIVED, tables=TABLES, rules=BOOK.rules)
    for number, file in enumerate(files_):
        checked, answers, minutes = file if isinstance(file, tuple) else (file, (), None)
        exhibits = ClaimViews(minutes)
        with FindingsLog(f"claims-{number}.837") as journal:
            for part in checked:
                journal.add(part)
                exhibits.add(part)
            report.add(journal, journal.end(), exhibits, answers)
    report.finish()
    return out.getvalue()


def page_of_sample(checker, name):
    file = SAMPLES / name
    minutes = file.with_suffix(".minutes.csv")
    given = read_minutes(minutes) if minutes.exists() else None
    checker = replace(checker, setting=replace(checker.setting, minutes=given))
    acknowledger = Acknowledger(RECEIVED, number_elements(checker.guide))
    checked = list(checker.check(io.BytesIO(file.read_bytes())))
    for part in checked:
        acknowledger.add(part)
    answers = acknowledger.finish()
    shown = [
        Answer(kind, stream_)
        for kind, stream_ in (("TA1", answers.ta1), ("999", answers.ack999), ("277CA", answers.ack277ca))
        if stream_
    ]
    text = page_of((checked, shown, given))
    answers.close()
    return text


def read(text):
    return lxml.html.document_fromstring(text.encode())


def words(element):
    return " ".join(element.text_content().split())


def of_class(element, name):
    return element.xpath(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]")


# What it shows


def test_a_rejected_claim_is_laid_out_as_a_biller_knows_it(checker):
    page = read(page_of_sample(checker, "faulty/therapy.minutes.four-units-of-47.837"))
    assert words(page.find(".//h1")).endswith("1 of 2 claims need work before you send")
    (card,) = of_class(page, "card")
    details = {words(dl.find("dt")): words(dl.find("dd")) for dl in of_class(card, "details")[0]}
    assert details["Patient 2010BA"] == "ASPEN, IRIS member id 1AA0AA0AA01 born 1948-04-12, female"
    assert details["Payer 2010BB"] == "MAPLE MEDICARE payer id 99001 primary, Medicare Part B"
    assert details["Diagnoses 2300"] == "1 M62.81"
    table = of_class(card, "lines")[0]
    assert [words(th) for th in table.xpath(".//thead//th")] == [
        *("Line", "Date", "Code", "Modifiers", "Dx", "Place", "Units", "Minutes", "Charge")
    ]
    assert [[words(cell) for cell in row] for row in table.xpath(".//tbody/tr")] == [
        ["1", "2026-09-08", "97530", "59 GP", "1", "11", "21", "24", "84.00"],
        ["2", "2026-09-08", "97110", "GP", "1", "11", "21", "23", "64.50"],
    ]
    # The 2 units bear the number of the finding, 1.
    assert [mark.text for mark in table.iter("mark")] == ["2", "2"]
    assert [mark.get("class") for mark in table.iter("mark")] == ["related", "error"]


def test_the_finding_tells_what_to_do_what_says_so_and_what_the_record_must_show(checker):
    page = read(page_of_sample(checker, "faulty/therapy.minutes.four-units-of-47.837"))
    (finding,) = page.xpath("//article")
    assert "Timed units on 2026-09-08: 4 billed, but 47 minutes support only 3 by CMS." in words(
        of_class(finding, "message")[0]
    )
    told = {words(div.find("dt")): words(div.find("dd")) for div in finding.find("dl")}
    assert told["Fix in box 24G"].startswith("Bill no more than the minutes support")
    assert "section 20.2" in told["Source"]
    assert "Total timed minutes and total treatment minutes" in told["The record must show"]
    assert told["Answered by"] == "277CA A8:476 A8:263"
    assert told["See also"] == "line 1 \u00b7 2400 SV104 \u00b7 segment 25"


def test_the_faulty_element_is_marked_in_the_raw_segments(checker):
    page = read(page_of_sample(checker, "faulty/ncci.ptp.97530-97750.837"))
    raw = of_class(page, "raw")[0]
    assert [mark.text for mark in raw.iter("mark")] == ["97530", "97750"]
    hit = of_class(raw, "hit")[1]
    assert words(hit) == "27SV1*HC:977501:GP*31*UN*1***1"
    (reference,) = hit.xpath(".//a")
    assert page.get_element_by_id(reference.get("href")[1:]).tag == "article"


def test_a_missing_segment_is_shown_where_it_is_missing(checker):
    page = read(page_of_sample(checker, "faulty/guide.segment-missing.n3-billing.837"))
    (mark,) = of_class(page, "missing")
    assert mark.text.startswith("N3")
    line = mark.xpath("ancestor::p")[0]
    assert words(line.getprevious()).endswith("1200000002") or "NM1*85" in words(line.getprevious())
    assert "N4*" in words(line.getnext())


def test_a_missing_element_is_shown_where_it_is_missing():
    def without(part):
        where = part.place()._replace(element="CLM07")
        beyond = part.place()._replace(element="CLM30")
        inner = part.place()._replace(element="CLM05-5")
        return bundled(part, where=where, related=(beyond, inner), table=None)

    page = read(page_of(stream(interchange(transaction(("C1", "100"))), {"C1": [without]})))
    clm = next(p for p in of_class(page, "raw")[0].iter("p") if "CLM*" in p.text_content())
    box = "\u25af"
    # CLM07 holds A.
    assert words(clm).endswith(f"CLM*C1*100***11:B:1::{box}1*Y*A1*Y*Y{box}1")


def test_who_is_below_a_rejected_provider(checker):
    page = read(page_of_sample(checker, "faulty/guide.segment-missing.n3-billing.837"))
    (below,) = of_class(page, "below")
    number = re.search(r"This costs all (\d+) claims below it: (.+)", words(below))
    assert int(number[1]) == len(number[2].split(", ")) == 3
    linked = page.xpath("//table[@class='claims']//a/@href")
    assert len(linked) == 3
    assert set(linked) == {"#" + of_class(page, "card")[0].get("id")}


def test_a_finding_of_the_envelope_has_its_segment(checker):
    page = read(page_of_sample(checker, "faulty/x12.count.se.837"))
    (card,) = of_class(page, "card")
    assert words(card.find(".//h3")) == "Transaction 0001, trailer"
    assert [mark.text for mark in of_class(card, "raw")[0].iter("mark")]


def test_findings_by_rule_have_bars_and_switches(checker):
    page = read(page_of_sample(checker, "faulty/ncci.ptp.97530-97750.837"))
    (bar,) = page.iter("svg")
    assert bar.getparent().tag == "label"
    assert "ncci.ptp" in words(bar.getparent())
    switch = page.get_element_by_id(bar.getparent().get("for"))
    mark = switch.get("id").removeprefix("rule-")
    (finding,) = page.xpath("//article")
    assert mark in finding.get("class").split()
    style = page.find(".//style").text
    assert f"body:has(#rule-{mark}:checked) .finding:not(.{mark})" in style
    assert "body:has(#show-warning:not(:checked)) .finding.warning{display:none}" in style


def test_a_card_goes_when_all_its_severities_are_hidden():
    style = (
        read(page_of(stream(interchange(transaction(("C1", "1"))), {"C1": [bundled]}))).find(".//style").text
    )
    hidden = re.findall(
        r"body((?::has\(#show-\w+:not\(:checked\)\))+) \.card((?::not\(\.has-\w+\))*)\{", style
    )
    sets = {
        (frozenset(re.findall(r"show-(\w+)", when)), frozenset(re.findall(r"has-(\w+)", kept)))
        for when, kept in hidden
    }
    assert len(sets) == 7
    assert all(when | kept == set(SEVERITIES) and not when & kept for when, kept in sets)


def test_the_answers_are_told_segment_by_segment_with_links_to_the_claims(checker):
    page = read(page_of_sample(checker, "faulty/ncci.ptp.97530-97750.837"))
    sections = of_class(page, "answers")
    assert [words(section.find(".//h3")) for section in sections] == ["999", "277CA"]
    for section in sections:
        rows = section.xpath(".//tbody/tr")
        assert all(words(row[1]) for row in rows)
        assert words(rows[0][0]).startswith("ISA*00*")
        assert words(rows[-1][0]).startswith("IEA*")
    (card,) = of_class(page, "card")
    (link,) = sections[1].xpath(".//a")
    assert link.get("href") == "#" + card.get("id")
    assert words(link.getparent()) == "Claim SOL-1101. see claim SOL-1101"
    verdicts = [
        row.get("class") for row in sections[1].xpath(".//tbody/tr") if words(row[0]).startswith("STC")
    ]
    assert verdicts == ["good", "good", "bad", "bad", "good"]


def test_the_999_links_the_claim_of_a_fault(checker):
    page = read(page_of_sample(checker, "faulty/guide.element-code.clm06.837"))
    link = page.xpath("//*[@class='answers'][1]//a")[0]
    assert words(link.getparent().getparent()[0]).startswith("CTX*CLM01:")
    assert page.get_element_by_id(link.get("href")[1:]).get("class").startswith("card")


def test_answers_are_never_without_words(checker):
    for name in (
        "faulty/guide.element-code.clm06.837",
        "faulty/x12.version.4010.837",
        "faulty/x12.envelope.isa-date.837",
    ):
        page = read(page_of_sample(checker, name))
        rows = page.xpath("//table[@class='answer']/tbody/tr")
        assert rows
        assert all(words(row[1]) for row in rows), name


def test_a_clean_file(checker):
    page = read(page_of_sample(checker, "clean/pt-clinic.837"))
    assert words(page.find(".//h1")) == "\u2713Ready to send"
    assert not of_class(page, "card")
    assert not list(page.iter("svg"))
    assert "Nothing was found in this file." in words(page)
    assert "builtin-therapy-2024Q3" in words(page.find(".//footer"))


def test_a_file_that_could_not_be_checked_says_why():
    out = io.StringIO()
    report = HtmlReport(out, version="1", received=RECEIVED, tables=[])
    report.add(*journal_of([], failure="the input is empty"))
    report.finish()
    page = read(out.getvalue())
    assert words(page.find(".//h1")) == "?Could not be checked"
    assert "Not checked: the input is empty." in words(page)


def test_no_files():
    out = io.StringIO()
    HtmlReport(out, version="1", received=RECEIVED, tables=[]).finish()
    assert words(read(out.getvalue()).find(".//h1")).endswith("No files")


def test_several_files_have_their_parts_and_a_list():
    text = interchange(transaction(("C1", "100"), ("C2", "50")))
    page = read(page_of(stream(text, {"C1": [bundled]}), stream(text), stream(text, {"C2": [bundled]})))
    assert words(page.find(".//h1")).endswith("2 of 6 claims need work before you send")
    assert [a.get("href") for a in of_class(page, "files")[0].iter("a")] == ["#f1", "#f2", "#f3"]
    assert len(of_class(page, "file")) == 3
    assert len(of_class(page, "card")) == 2


def test_related_places_in_other_claims_are_named_and_mark_nothing_here():
    text = interchange(transaction(("C1", "100"), ("C2", "50")))
    claims = [part for part in parts(text) if isinstance(part, Claim)]

    def twice(part):
        return bundled(part, related=(claims[0].lines[0].place("SV1", "SV101-2"),))

    page = read(page_of(stream(text, {"C2": [twice]})))
    (finding,) = page.xpath("//article")
    assert "claim C1 \u00b7 line 1" in words(finding)
    assert [mark.get("class") for mark in of_class(page, "lines")[0].iter("mark")] == ["error"]


# That it holds together and harms nobody


SCRIPT = (files("edi_checker.reports.html") / "work_list.js").read_text(encoding="utf-8")
NASTY = "</style><script>alert(1)</script>\x07\x1b[2J\u202e\u200b\ud800&amp;'\""


def nasty(part):
    return bundled(part, rule="a.b", message=NASTY, fix=NASTY, citation=NASTY)


def test_nothing_of_the_file_becomes_markup_and_all_of_it_is_seen():
    number = "<img src=x onerror=alert(1)>\u202e\x07"
    out = page_of(stream(interchange(transaction((number, "100"))), {number: [nasty]}))
    page = read(out)
    assert not list(page.iter("img", "iframe", "object", "form", "link"))
    assert [script.text for script in page.iter("script")] == [SCRIPT]
    assert not page.xpath("//@onerror")
    (card,) = of_class(page, "card")
    assert "<img src=x onerror=alert(1)>[U+202E]\u2407" in words(card.find(".//h3"))
    assert "[U+D800]" in words(of_class(card, "message")[0])


def test_visible():
    assert visible("plain") == "plain"
    assert visible("M\u00fcller \u2013 \u4e2d") == "M\u00fcller \u2013 \u4e2d"
    assert visible("\x00\t\n\x7f\u202e\u2066\ufeff\u2028\udfff\ufffe") == (
        "\u2400\u2409\u240a\u2421[U+202E][U+2066][U+FEFF][U+2028][U+DFFF][U+FFFE]"
    )


EVERY = ["faulty/ncci.ptp.97530-97750.837", "faulty/x12.version.4010.837", "clean/two-interchanges.837"]


@pytest.mark.parametrize("name", EVERY)
def test_the_page_stands_alone(checker, name):
    text = page_of_sample(checker, name)
    assert text.isascii()
    page = read(text)
    assert not list(page.iter("link", "img", "iframe"))
    assert [script.text for script in page.iter("script")] == [SCRIPT]
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    for target in page.xpath("//@href"):
        assert target[0] == "#"
        assert target[1:] in ids
    for target in page.xpath("//@for"):
        assert target in ids
    assert not page.xpath("//@src | //@style | //@*[starts-with(name(), 'on')]")
    assert not re.search(r"https?:|url\(|@import", page.find(".//style").text)
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    digest = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    assert policy == [f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"]
    assert page.get("lang") == "en"
    # Each header of a column says so, and nothing is nested in a way that a parser would mend.
    assert all(th.get("scope") for th in page.iter("th"))
    assert not page.xpath("//p//p | //p//dl | //a//a")


def contrast(one, other):
    def light(colour):
        parts_ = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts_]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(theme):
    css = (files("edi_checker.reports.html") / "base.css").read_text()
    colours = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in css.split(":root {")[1:3]
    ]
    own = colours[theme]
    for name in ("ink", "soft", "error", "warning", "info", "good", "unknown"):
        for ground in ("paper", "sheet", "faint"):
            assert contrast(own[name], own[ground]) >= 4.5, (name, ground)
    for name in ("error", "warning", "info", "good", "unknown"):
        assert contrast(own[name], own[f"{name}-wash"]) >= 4.5, name
        assert contrast(own["ink"], own[f"{name}-wash"]) >= 4.5, name


def test_style_sheets_and_script_that_ascii_can_carry():
    texts = [
        file for file in files("edi_checker.reports.html").iterdir() if file.name.endswith((".css", ".js"))
    ]
    assert len(texts) > 5
    assert all(file.read_text(encoding="utf-8").isascii() for file in texts)


# That it stays small


def many(part):
    return tuple(bundled(part, message=f"number {number} " + "x" * 300) for number in range(25))


def unlisted(page):
    """How many findings a page counts behind those that it lists."""
    (count,) = re.findall(r"and ([0-9,]+) more of ncci\.ptp", words(page))
    return int(count.replace(",", ""))


@pytest.mark.long
def test_ten_thousand_findings_make_a_page_that_opens():
    claims = [(f"C{number}", "100") for number in range(400)]
    text = interchange(transaction(*claims))
    checked = []
    for part in parts(text):
        found = many(part) if isinstance(part, Claim) else ()
        checked.append(Checked(part, found, "rejected" if found else "accepted"))
    out = page_of(checked)
    assert len(out) < 20_000_000
    page = read(out)
    shown = of_class(page, "card")
    assert len(shown) == claim_view.MOST_REJECTED
    listed = page.xpath("//table[@class='list']/tbody/tr")
    # What is too long to be listed is counted: each finding stands in one of the three.
    assert len(page.xpath("//article")) + len(listed) + unlisted(page) == 10_000
    assert [words(cell) for cell in listed[0]][:3] == ["Error", "ncci.ptp", "C100"]
    assert words(of_class(page, "value")[0]) == "10,000"


@pytest.mark.long
def test_one_claim_with_ten_thousand_findings():
    text = interchange(transaction(("C1", "100"), ("C2", "100")))
    checked = []
    for part in parts(text):
        found = ()
        if isinstance(part, Claim):
            found = tuple(bundled(part, message=f"m{n}") for n in range(20_000 if part.id == "C1" else 1))
        checked.append(Checked(part, found, "rejected" if found else "accepted"))
    out = page_of(checked)
    assert len(out) < 20_000_000
    page = read(out)
    (first,) = of_class(page, "card")
    listed = len(page.xpath("//table[@class='list']/tbody/tr"))
    assert f"{listed:,} more findings of it are in the list below." in words(first)
    assert len(page.xpath("//article")) + listed + unlisted(page) == 20_001


def test_a_claim_of_any_size_is_cut():
    lines = "".join(
        f"LX*{n}~SV1*HC:97530:GP*1*UN*1***1~DTP*472*D8*20260115~NTE*ADD*{'y' * 5000}~" for n in range(1, 400)
    )
    text = interchange(transaction(("C1", "399"))).replace("SE*1", f"{lines}SE*1")

    def last(part):
        return bundled(part, where=part.lines[-1].place("SV1", "SV101-2"))

    out = page_of(stream(text, {"C1": [last]}))
    assert len(out) < 200_000
    page = read(out)
    assert len(of_class(page, "lines")[0].xpath(".//tbody/tr")) == claim_view.MOST_LINES + 1
    # The faulty one is shown although it stands behind the bound.
    assert of_class(page, "hit")[-1].xpath(".//mark/text()") == ["97530"]
    assert "more lines are not shown" in words(page)
    assert any("segments not shown" in words(p) for p in of_class(page, "skipped"))


@pytest.mark.long
def test_many_files_are_summed_up():
    text = interchange(transaction(("C1", "100")))
    checked = list(stream(text, {"C1": [bundled]}))
    page = read(page_of(*[checked] * 403))
    assert words(page.find(".//h1")).endswith("All 403 claims need work before you send")
    assert len(of_class(page, "file")) == 400
    assert "and 3 more" in words(of_class(page, "files")[0])
    assert "3 more findings are not shown" in words(page)


def test_findings_and_parts_are_paired_behind_what_is_not_laid_out(monkeypatch):
    monkeypatch.setattr(claim_view, "MOST_REJECTED", 2)
    monkeypatch.setattr(claim_view, "MOST_OTHERS", 1)

    def warn(part):
        return bundled(part, severity="warning", message=f"warning of {part.id}")

    def error(part):
        return bundled(part, message=f"error of {part.id}")

    text = interchange(transaction(*((f"C{n}", "1") for n in range(8))))
    found = {f"C{n}": [error, warn] for n in (0, 2, 4)} | {f"C{n}": [warn] for n in (1, 3, 5)}
    page = read(page_of(stream(text, found | {"Interchange": [count_fault]})))
    cards = {
        words(card.find(".//h3")): [words(m) for m in of_class(card, "message")]
        for card in of_class(page, "card")
    }
    assert cards == {
        "Interchange 000000905, header": ["IEA01 says 2 groups; there is 1."],
        "Claim C0": ["error of C0", "warning of C0"],
        "Claim C1": ["warning of C1"],
    }
    listed = [words(row[4]) for row in page.xpath("//table[@class='list']/tbody/tr")]
    assert listed == [
        "error of C2",
        "warning of C2",
        "warning of C3",
        "error of C4",
        "warning of C4",
        "warning of C5",
    ]


def test_answers_are_cut(monkeypatch):
    long = Answer("277CA", io.BytesIO(b"STC*A2:20~\n" * 5000 + b"x" * 200_000))
    page = read(page_of((stream(interchange(transaction(("C1", "1")))), [long], None)))
    (section,) = of_class(page, "answers")
    assert len(section.xpath(".//tbody/tr")) == 600
    assert "more are not shown here" in words(section)
    assert section.get("open") is None


# That nothing breaks it


def test_places_that_do_not_exist_mark_nothing():
    def lost(part):
        where = part.place()
        places = [
            where._replace(position=99_999, element="SV101-99"),
            where._replace(position=0, element=""),
            where._replace(element="CLM00"),
            where._replace(element="CLM99-99"),
            where._replace(element="\u0663\u0663"),
            where._replace(line=77, segment="SV1", element="SV109"),
            Place("", None, None, None, None, "", "", 0),
        ]
        return bundled(part, where=places[0], related=tuple(places[1:]), table=None)

    out = page_of(stream(interchange(transaction(("C1", "100"))), {"C1": [lost]}))
    assert len(of_class(read(out), "card")) == 1


SAMPLED = sorted((SAMPLES / "faulty").glob("*.837"))


@pytest.mark.long
def test_every_sample_makes_a_page(checker):
    checked = []
    for file in SAMPLED:
        checked.append(list(checker.check(io.BytesIO(file.read_bytes()))))
    page = read(page_of(*checked))
    # A part that is laid out bears a mark wherever it has a segment at the place of a finding.
    assert len(of_class(page, "card")) >= len(SAMPLED) - 3
    unmarked = [words(card.find(".//h3")) for card in of_class(page, "card") if not list(card.iter("mark"))]
    assert len(unmarked) <= len(SAMPLED) * 0.1, unmarked


@pytest.mark.long
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of public files is not here")
def test_every_public_file_makes_a_page(checker):
    for file in sorted(CORPUS.rglob("*")):
        if not file.is_file():
            continue
        checked = []
        try:
            checked.extend(checker.check(io.BytesIO(file.read_bytes())))
        except NotX12:
            continue
        page = read(page_of(checked))
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), file


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_makes_a_page(checker, data):
    text = (SAMPLES / "clean" / "secondary-payer.837").read_text()
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(106, len(text) - 1))
        put = data.draw(st.sampled_from(["", "*", "~", ":", "~LX*1~", "~SBR*S~", "\x00", "\u202e", "~NM1*"]))
        text = text[:at] + put + text[at + data.draw(st.integers(0, 3)) :]
    checked = list(checker.check(io.BytesIO(text.encode())))
    assert any(isinstance(c.part, Claim) for c in checked) or checked
    page = read(page_of((checked, (), Minutes.parse("claim,line,minutes\nX,1,10\n", "m"))))
    assert page.find(".//h1") is not None


def test_the_type_of_a_finding_is_not_changed():
    """The page reads findings from the journal, whose records these are."""
    finding = bundled(
        next(part for part in parts(interchange(transaction(("C1", "1")))) if isinstance(part, Claim))
    )
    assert isinstance(finding, Finding)


def test_the_command_writes_the_page(tmp_path):
    file = SAMPLES / "faulty" / "ncci.ptp.97530-97750.837"
    done = CliRunner().invoke(commands, ["check", "--format", "html", "--out-dir", str(tmp_path), str(file)])
    assert done.exit_code == 1, done.output
    beside = (tmp_path / "ncci.ptp.97530-97750.html").read_text()
    for text in (done.stdout, beside):
        page = read(text)
        assert words(page.find(".//h1")).endswith("1 of 2 claims need work before you send")
        assert [words(h3) for h3 in page.xpath("//*[@class='answers']//h3")] == ["999", "277CA"]
        assert "Minutes of each service, without overlap." in words(page)
    assert {path.suffix for path in tmp_path.iterdir()} == {".html", ".json"}


@pytest.mark.long
def test_the_command_writes_the_csv(tmp_path):
    file = SAMPLES / "faulty" / "ncci.ptp.97530-97750.837"
    to = tmp_path / "out.csv"
    done = CliRunner().invoke(commands, ["check", "--format", "csv", "--output", str(to), str(file)])
    assert done.exit_code == 1, done.output
    data = to.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfclaim,patient,")
    assert data.count(b"\r\n") == data.count(b"\n") == 2
    python = [sys.executable, "-m", "edi_checker", "check", "--format", "csv", str(file)]
    out = subprocess.run(python, capture_output=True, check=False, cwd=SAMPLES.parents[1]).stdout
    assert out == data
