"""A claim held against the others of its patient in the input, before it and directly behind it."""

from __future__ import annotations

from io import BytesIO

import pytest

from edi_checker import rules
from edi_checker.batch.joining import JoinedInput
from edi_checker.batch.ranges import check_range, cut_ranges
from edi_checker.check.checker import Checker, with_following
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.claims.minutes import Minutes
from edi_checker.facts import Coverage, InputMemory, Setting
from edi_checker.facts.context import ServicesSeen
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.x12.blocks import read_blocks

BOOK = rules.load()
ENGINE = Engine(BOOK, "python")
LEAST = BOOK.least_asked("provider_minutes")


def text_of(*claims, payer="medicare", edit=()):
    """One patient's claims; each is lines, or lines and what differs."""
    first, *more = [claim if isinstance(claim, dict) else {"lines": claim} for claim in claims]
    example = {
        "lines": first["lines"],
        "claim": {"payer": payer, **first.get("claim", {})},
        "more": more,
        "edit": edit,
    }
    return with_references(write_example(example).text)


def with_references(text):
    """Replacements and voids name the payer's number of the claim that they are about."""
    out, about = [], False
    for segment in text.split("~\n"):
        if segment.startswith("CLM*"):
            about = segment.split("*")[5].endswith((":7", ":8"))
        if segment.startswith("HI*") and about:
            out.append("REF*F8*A1")
        if segment.startswith("SE*"):
            count = len(out) - next(at for at, each in enumerate(out) if each.startswith("ST*")) + 1
            segment = f"SE*{count}*0001"  # noqa: PLW2901  # the same segment, counted anew
        out.append(segment)
    return "~\n".join(out)


def patients(*texts):
    """Claims of several texts in one set: those of the second patient under a level of their own."""
    head, *others = texts
    body, end = head[: head.index("SE*")], head[head.index("SE*") :]
    for number, other in enumerate(others, 3):
        level = other[other.index("HL*2*") : other.index("SE*")].replace("HL*2*1", f"HL*{number}*1", 1)
        body += level
    segments = body[body.index("ST*") :].count("~") + 1
    return body + f"SE*{segments}" + end[end.index("*", 3) :]


def check(text, *, fast=True, minutes=None, memory=None):
    setting = Setting(20260302, built_in(), minutes)
    parts = Checker(load_guide(), ENGINE, setting, fast=fast).check(BytesIO(text.encode()), memory)
    return [finding for part in parts for finding in part.findings]


def in_ranges(text, size=1):
    """The findings of an input that is cut as small as can be."""
    checker = Checker(load_guide(), ENGINE, Setting(20260302, built_in()))
    joined = JoinedInput(checker, LEAST)
    found = []
    for given in cut_ranges(read_blocks(BytesIO(text.encode())), size):
        for part in joined.join(given, check_range(checker, given, LEAST)):
            found += part.findings
    return found


def said(text, **options):
    findings = check(text, **options)
    assert findings == check(text, fast=False, **options)
    if "minutes" not in options:
        assert findings == in_ranges(text)
    return [(f.rule, f.severity) for f in findings if f.severity != "info"]


PAIR = (["97530:GP x2"], ["97750:GP x1"])
OVER = (["97530:GP x4"], ["97530:GP:76 x3"])


def test_the_later_claim_gets_the_finding_and_cites_the_earlier_one():
    [finding] = check(text_of(*PAIR))
    assert (finding.rule, finding.severity, finding.where.claim, finding.where.line) == (
        *("history.ptp", "error"),
        *("EXAMPLE2", 1),
    )
    [earlier] = finding.related
    assert (earlier.claim, earlier.line, earlier.segment, earlier.element) == (
        "EXAMPLE1",
        1,
        "SV1",
        "SV101-2",
    )
    assert earlier.transaction == finding.where.transaction
    segments = text_of(*PAIR).split("~\n")
    start = next(at for at, segment in enumerate(segments) if segment.startswith("ST*"))
    assert segments[start + earlier.position - 1].startswith("SV1*HC:97530")


@pytest.mark.parametrize(
    ("claims", "rules"),
    [
        (PAIR, ["history.ptp"]),
        (PAIR[::-1], ["history.ptp"]),
        (OVER, ["history.mue"]),
        ((["97530:GP x3"], ["97530:GP:76 x3"]), []),
        ((["97530:GP x2"], ["97110:GP:59 x1", "97530:GP x2"]), ["history.duplicate"]),
        ((["97530:GP x2"], ["97530:GP x2 on 2026-02-04"]), []),
        ((["97530:GP x7"], ["97530:GP:76 x1"]), ["ncci.mue"]),
        ((["97161:GP x1"], ["97530:GP:XE x2", "97161:GP x1"]), ["history.duplicate", "history.mue"]),
    ],
)
def test_claims_of_one_day(claims, rules):
    assert sorted(rule for rule, _ in said(text_of(*claims))) == rules


@pytest.mark.parametrize("claims", [PAIR, OVER])
def test_claims_of_others_are_not_compared(claims):
    one, two = (text_of(claim) for claim in claims)
    other = text_of(claims[1], edit=[{"find": "DMG*", "set": {"2": "19300101"}}]).replace(
        "EXAMPLE1", "EXAMPLE9"
    )
    assert said(patients(one, other)) == []
    same = two.replace("EXAMPLE1", "EXAMPLE9")
    assert [rule for rule, _ in said(patients(one, same))] == [
        "history.ptp" if claims is PAIR else "history.mue"
    ]


@pytest.mark.parametrize(
    "edit",
    [
        [{"find": "NM1*IL", "set": {"9": "2EG4TE5MK73"}}],
        [{"find": "NM1*PR", "set": {"9": "OTHER"}}],
        [{"find": "SBR*", "set": {"1": "S"}}],
        [{"find": "DMG*", "set": {"2": "19300101"}}],
        [{"find": "NM1*IL", "set": {"4": "SOMEONE"}}],
    ],
)
def test_what_makes_another_patient_or_payer(edit):
    one, two = text_of(PAIR[0]), text_of(PAIR[1], edit=edit).replace("EXAMPLE1", "EXAMPLE9")
    assert "history.ptp" not in [rule for rule, _ in said(patients(one, two))]


def test_an_earlier_claim_that_is_rejected_does_not_count():
    rejected = ["97530:GP:59:XE x4"]
    assert [rule for rule, _ in said(text_of(rejected, ["97530:GP:76 x4"]))] == ["modifier.conflict"]


def replacing(lines, frequency, number="EXAMPLE1"):
    return {"lines": lines, "claim": {"set": {"CLM05-3": frequency, "CLM01": number}}}


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_a_replacement_and_a_void_take_the_earlier_claim_out(frequency):
    again = replacing(["97530:GP x4"], frequency)
    found = [rule for rule, _ in said(text_of(["97530:GP x4"], again)) if rule.startswith("history")]
    assert found == []
    after = [*(["97530:GP x4"], again), ["97530:GP:76 x4"]]
    found = [rule for rule, _ in said(text_of(*after)) if rule.startswith("history")]
    assert found == (["history.mue"] if frequency == "7" else [])


def test_a_replacement_of_one_claim_leaves_the_others():
    claims = (["97530:GP x3"], ["97750:GP:59 x1"], replacing(["97530:GP x1"], "7"), ["97530:GP:76 x5"])
    found = [rule for rule, _ in said(text_of(*claims)) if rule.startswith("history")]
    assert found == []
    claims = (["97530:GP x3"], ["97750:GP:59 x1"], replacing(["97530:GP x1"], "7"), ["97530:GP:76 x6"])
    found = [rule for rule, _ in said(text_of(*claims)) if rule.startswith("history")]
    assert found == ["history.mue"]


def test_a_replacement_of_a_claim_sent_long_ago_may_be_of_any_of_the_day():
    claims = (["97530:GP x4"], replacing(["97530:GP:76 x4"], "7", "OTHER"))
    assert "history.mue" not in [rule for rule, _ in said(text_of(*claims))]


def test_a_set_that_is_sent_again_accuses_nobody():
    edit = [{"find": "BHT*", "set": {"2": "18"}}]
    assert not [rule for rule, _ in said(text_of(*PAIR, edit=edit)) if rule.startswith("history")]


def test_a_claim_sent_twice_has_one_finding():
    assert [rule for rule, _ in said(text_of(["97530:GP x4"], ["97530:GP x4"]))] == ["duplicate.claim"]


# -- add-on codes


@pytest.mark.parametrize("claims", [(["97545:GP x1"], ["97546:GP x1"]), (["97546:GP x1"], ["97545:GP x1"])])
def test_the_primary_may_stand_on_another_claim_before_or_behind(claims):
    assert said(text_of(*claims)) == []


def levels_of_their_own(*claims):
    """Each claim with a level of its own, as many programs write them."""
    return patients(
        *[text_of(claim).replace("EXAMPLE1", f"EXAMPLE{at}") for at, claim in enumerate(claims, 1)]
    )


@pytest.mark.parametrize("claims", [(["97545:GP x1"], ["97546:GP x1"]), (["97546:GP x1"], ["97545:GP x1"])])
def test_the_primary_may_stand_on_a_claim_with_a_level_of_its_own(claims):
    assert said(levels_of_their_own(*claims)) == []


def test_the_claims_of_another_person_between_them_end_the_row():
    other = text_of(["97110:GP x1"], edit=[{"find": "NM1*IL", "set": {"4": "SOMEONE"}}])
    each = [text_of(["97546:GP x1"]), other.replace("EXAMPLE1", "EXAMPLE2")]
    each.append(text_of(["97545:GP x1"]).replace("EXAMPLE1", "EXAMPLE3"))
    assert [rule for rule, _ in said(patients(*each))] == ["ncci.addon"]


def test_the_primary_of_another_day_is_none():
    claims = (["97545:GP x1"], ["97546:GP x1 on 2026-02-05"])
    assert [rule for rule, _ in said(text_of(*claims))] == ["ncci.addon"]


# -- minutes of a day


def minutes(*rows):
    return Minutes.parse("claim,line,minutes\n" + "".join(f"{row}\n" for row in rows), "m.csv")


@pytest.mark.parametrize("claims", [(["97530:GP x2"], ["97112:GP x1"]), (["97112:GP x1"], ["97530:GP x2"])])
def test_minutes_of_a_day_that_two_claims_share_are_not_judged_on_one(claims):
    at = 1 + [lines[0].startswith("97530") for lines in claims].index(True)
    given = minutes(f"EXAMPLE{at},1,20", f"EXAMPLE{3 - at},1,25")
    assert said(text_of(*claims), minutes=given) == [("therapy.minutes", "warning")]
    apart = text_of(claims[0], [f"{claims[1][0]} on 2026-02-05"])
    assert said(apart, minutes=given) == [("therapy.minutes", "error")]
    assert said(text_of(claims[at - 1]), minutes=minutes("EXAMPLE1,1,20")) == [("therapy.minutes", "error")]


def test_another_discipline_shares_no_minutes():
    given = minutes("EXAMPLE1,1,20", "EXAMPLE2,1,25")
    found = said(text_of(["97530:GP x2"], ["97112:GO x1"]), minutes=given)
    assert ("therapy.minutes", "error") in found


# -- bounds


def test_what_there_is_no_room_for_is_said(monkeypatch):
    monkeypatch.setattr(ServicesSeen, "LIMIT", 100)
    coverage = Coverage()
    text = text_of(
        ["97530:GP x1 on 2026-02-03"], ["97530:GP x4 on 2026-02-05"], ["97530:GP:76 x4 on 2026-02-05"]
    )
    assert check(text, memory=InputMemory(None, coverage)) == []
    [gap] = [gap for gap in coverage.gaps() if gap.side == "full"]
    assert (gap.table, gap.first, gap.last) == ("earlier_claims", 20260205, 20260205)


def test_services_are_found_in_order_and_taken_out_one_by_one():
    seen = ServicesSeen()
    for number in range(5_000):
        assert seen.remember([(number % 7 + 1, 0, f"text {number}".encode())])
    found = seen.find(3)
    assert found[:2] == [b"text 2", b"text 9"]
    assert len(found) == len(range(2, 5_000, 7))
    seen.take_out(3, lambda text: text == b"text 9")
    assert seen.find(3) == [text for text in found if text != b"text 9"]
    assert seen.find(8) == []


def test_what_a_day_of_one_person_holds_is_bounded():
    # Else each of 5,000 claims of one person would be held against all before it.
    seen = ServicesSeen()
    lines = b"l" * 100
    took = [seen.remember([(3, 20260203, lines)]) for _ in range(1_000)]
    assert took.count(True) == ServicesSeen.A_DAY // len(lines) == len(seen.find(3))
    assert seen.remember([(4, 20260204, lines)])
    assert not seen.remember([(4, 20260204, lines), (3, 20260203, lines)])
    assert seen.find(4) == [lines]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30, 1000])
def test_what_follows_does_not_depend_on_how_the_parts_come(size):
    items = list("aCCbCLCCLLCdC" + "LC" * 50 + "CLLL" + "C" * 30 + "e")
    expected = [(item, item == "C" and "".join(_row(items[at + 1 :]))[:20]) for at, item in enumerate(items)]
    handfuls = (items[at : at + size] for at in range(0, len(items), size))
    role_of = lambda item: item if item == "C" else item == "L"  # noqa: E731
    found = [pair for handful in with_following(handfuls, role_of) for pair in handful]
    # Only of claims it matters what follows.
    assert [(item, item == "C" and "".join(following)) for item, following in found] == expected


def _row(items):
    for item in items:
        if item not in "CL":
            return
        if item == "C":
            yield item


def test_what_came_before_an_error_is_given():
    def broken():
        yield ["C", "C"]
        raise ValueError("broken")

    given = with_following(broken(), lambda item: item)
    assert next(given) == []
    assert [item for item, _ in next(given)] == ["C", "C"]
    with pytest.raises(ValueError, match="broken"):
        next(given)


@pytest.mark.parametrize(
    "claims",
    [(["98980:GP x1"], ["98981:GP x1 on 2026-02-20"]), (["98981:GP x1"], ["98980:GP x1 on 2026-02-20"])],
)
def test_care_that_is_counted_by_the_month_finds_its_primary_in_it(claims):
    found = [rule for rule, _ in said(text_of(*claims))]
    assert "ncci.addon" not in found


def test_a_primary_of_another_month_is_none():
    found = [rule for rule, _ in said(text_of(["98980:GP x1"], ["98981:GP x1 on 2026-03-01"]))]
    assert "ncci.addon" in found
