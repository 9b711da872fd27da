"""Claims held against those of earlier files, out of a ledger, on every path of the checker."""

from __future__ import annotations

import hashlib
import random
from io import BytesIO

import pytest

from edi_checker import rules
from edi_checker.batch.joining import JoinedInput
from edi_checker.batch.ranges import check_range, cut_ranges
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.facts import HistoryUnreadable, InputMemory, Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.run.history import InputHistory, Leaving, remember
from edi_checker.state import Overtaken, Secret, StateError, open_ledger
from edi_checker.x12.blocks import read_blocks
from ledgers import Clock

BOOK = rules.load()
ENGINE = Engine(BOOK, "python")
LEAST = BOOK.least_asked("provider_minutes")
SECRET = Secret(bytes(range(32)))
GUIDE = load_guide()
DAY = 20260302


class Unforeseen(InputHistory):
    """Looks nothing up before it is asked."""

    def fetch(self, glances, setting):
        super().fetch((), setting)


class Sender:
    """Files that are checked and remembered one after the other."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.sent = 0

    def history(self, text, **how):
        past = self.ledger.past(digest(text))
        return InputHistory(SECRET, lambda: self.ledger, DAY, past=past, **how)

    def check(self, text, *, history=None, fast=True):
        checker = Checker(GUIDE, ENGINE, Setting(DAY, built_in()), fast=fast)
        memory = InputMemory(None, history=history or self.history(text))
        return [part[1:] for part in checker.check(BytesIO(text.encode()), memory)]

    def in_ranges(self, text, size=1):
        """The same of an input that is cut as small as can be, and what it leaves."""
        checker = Checker(GUIDE, ENGINE, Setting(DAY, built_in()))
        whole = self.history(text, keeps=True)
        joined = JoinedInput(checker, LEAST, whole)
        found = []
        for given in cut_ranges(read_blocks(BytesIO(text.encode())), size):
            answers = check_range(checker, given, LEAST, self.history(text, notes=True))
            found += [part[1:] for part in joined.join(given, answers)]
        return found, whole

    def find(self, text):
        """The findings, the same on every path."""
        said = self.check(text)
        assert said == self.check(text, fast=False)
        kept = self.history(text, keeps=True)
        assert said == self.check(text, history=kept)
        alone = Unforeseen(SECRET, lambda: self.ledger, DAY, past=kept.past, keeps=True)
        assert said == self.check(text, history=alone)
        assert list(alone.rows()) == list(kept.rows())
        assert alone.asked <= kept.asked
        in_ranges, whole = self.in_ranges(text)
        assert said == in_ranges
        assert sorted(kept.rows()) == sorted(whole.rows())
        assert {row.key for row in kept.rows()} <= whole.asked | {row.key for row in whole.rows()}
        self.kept = kept
        return [finding for findings, *_ in said for finding in findings]

    def send(self, *texts):
        """The findings of the last one, each remembered."""
        found = []
        for text in texts:
            found = self.find(text)
            self.remember(text, self.kept)
        return found

    def remember(self, text, history):
        self.sent += 1
        name = f"{self.sent}.837"
        remember(self.ledger, "test", Leaving(name, len(text), digest(text), "set", history.run()))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def sender(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db"), Clock()) as ledger:
        ledger.adopt_secret(SECRET)
        yield Sender(ledger)


_numbers = iter(range(1, 10**9))


def claims(*said, payer="medicare", edit=(), **claim):
    """A file of one patient's claims: each is lines, or lines and what differs; numbers are all different."""
    each = [dict(one) if isinstance(one, dict) else {"lines": one} for one in said]
    for one in each:
        own = {"CLM01": f"C{next(_numbers)}", **one.get("claim", {}).get("set", {})}
        one["claim"] = {**one.get("claim", {}), "set": own}
    first, *more = each
    example = {"lines": first["lines"], "claim": {"payer": payer, **claim, **first["claim"]}, "more": more}
    text = write_example({**example, "edit": edit}).text
    return text.replace("000000001", f"{next(_numbers):09}")


def replacing(lines, frequency, number):
    """A claim that replaces (7) or takes back (8) another; the payer's number stands behind its head."""
    return {"lines": lines, "claim": {"set": {"CLM05-3": frequency, "CLM01": number}}}


def named(lines, number, **claim):
    return {"lines": lines, "claim": {**claim, "set": {"CLM01": number}}}


def of_history(findings):
    return sorted((f.rule, f.severity) for f in findings if f.rule.startswith("history"))


RULES = [
    ((["97530:GP x2"], ["97750:GP x1"]), [("history.ptp", "error")]),
    ((["97750:GP x1"], ["97530:GP x2"]), [("history.ptp", "error")]),
    ((["97530:GP x2"], ["97750:GP:59 x1"]), []),
    ((["97530:GP x2"], ["97750:GP x1 on 2026-02-04"]), []),
    ((["97530:GP x4"], ["97530:GP:76 x3"]), [("history.mue", "error")]),
    ((["97530:GP x3"], ["97530:GP:76 x3"]), []),
    ((["97530:GP x2"], ["97116:GP x1", "97530:GP x2"]), [("history.duplicate", "warning")]),
    ((["97530:GP x2"], ["97116:GP x1", "97530:GP x1"]), []),
    ((["97530:GP x2"], ["97530:GP x2"]), [("history.claim", "warning")]),
    (
        (["97530:GP x2 $1300.00"], ["97530:GP x2 on 2026-02-05 $1180.01"]),
        [("history.therapy-threshold", "info")],
    ),
    ((["97530:GP x2 $1300.00"], ["97530:GP x2 on 2026-02-05 $1180.00"]), []),
    ((["97530:GP x2 $1300.00"], ["97530:GO x2 on 2026-02-05 $1300.00"]), []),
]


@pytest.mark.parametrize(("files", "expected"), RULES)
def test_each_rule_across_two_files(sender, files, expected):
    assert of_history(sender.send(*map(claims, files))) == expected


def test_a_finding_names_the_file_and_the_claim(sender):
    sender.send(claims(named(["97530:GP x2"], "FIRST")))
    [finding] = sender.find(claims(["97750:GP x1"]))
    [place] = finding.related
    assert (place.claim, place.line, place.received) == ("FIRST", 1, DAY)
    assert "in the file of 2026-03-02" in finding.message
    assert finding.where.received is None


def test_the_primary_of_an_add_on_stands_on_a_claim_of_an_earlier_file(sender):
    add_on = claims(["97546:GP x1"])
    assert "ncci.addon" in {f.rule for f in sender.find(add_on)}
    sender.send(claims(["97545:GP x1"]))
    assert "ncci.addon" not in {f.rule for f in sender.find(add_on)}
    assert "ncci.addon" in {f.rule for f in sender.find(claims(["97546:GP x1 on 2026-02-04"]))}


def test_care_that_is_counted_by_the_month_finds_its_primary_in_an_earlier_file(sender):
    sender.send(claims(["98980:GP x1"]))
    assert "ncci.addon" not in {f.rule for f in sender.find(claims(["98981:GP x1 on 2026-02-20"]))}
    assert "ncci.addon" in {f.rule for f in sender.find(claims(["98981:GP x1 on 2026-03-01"]))}


def patient(number):
    return [{"find": "NM1*IL", "set": {"4": f"P{number}", "9": "1EG4TE5MK73"}}]


def test_the_minutes_of_a_provider_add_up_over_files(sender):
    def day(number, units):
        return claims([f"97530:GP x{units} by 1679576722"], payer="commercial", edit=patient(number))

    rule = "therapy.minutes-implied"
    each = [day(number, 4) for number in range(13)]  # 53 minutes each
    found = [rule in {f.rule for f in sender.send(text)} for text in each]
    assert found == [False] * 13
    assert rule in {f.rule for f in sender.find(day(20, 4))}
    assert rule not in {f.rule for f in sender.find(day(20, 1))}


def test_a_claim_that_is_sent_again_is_no_further_work(sender):
    each = [
        claims(["97530:GP x4 by 1679576722"], payer="commercial", edit=patient(number)) for number in range(9)
    ]
    again = [text.replace(text.split("*")[13], f"{next(_numbers):09}") for text in each]
    sender.send(*each)
    for text in again:
        assert "therapy.minutes-implied" not in {f.rule for f in sender.send(text)}


@pytest.mark.parametrize(
    ("before", "here", "severity"),
    [
        # 38 minutes are three units.
        ("97110:GP x1 note MINUTES 30", "97530:GP x2 note MINUTES 8", None),
        ("97110:GP x1 note MINUTES 29", "97530:GP x2 note MINUTES 8", "warning"),
        ("97110:GP x1", "97530:GP x2 note MINUTES 8", "warning"),
        ("97110:GO x1 note MINUTES 30", "97530:GP x2 note MINUTES 8", "error"),
        ("97110:GP x1 on 2026-02-04 note MINUTES 30", "97530:GP x2 note MINUTES 8", "error"),
    ],
)
def test_the_minutes_of_a_day_are_judged_with_those_of_earlier_files(sender, before, here, severity):
    sender.send(claims([before]))
    found = {f.rule: f.severity for f in sender.find(claims([here]))}
    assert found.get("therapy.minutes") == severity


def test_the_minutes_of_a_day_add_up_over_files_as_the_payer_adds_them(sender):
    sender.send(claims(["97110:GP x1 note MINUTES 8"], payer="commercial"))
    # By the AMA each code has a unit, by CMS 16 minutes are one: nobody has said which counts.
    found = sender.find(claims(["97530:GP x1 note MINUTES 8"], payer="commercial"))
    assert "therapy.minutes" not in {f.rule for f in found}
    found = sender.find(claims(["97530:GP x2 note MINUTES 8"], payer="commercial"))
    assert ("therapy.minutes", "warning") in {(f.rule, f.severity) for f in found}


@pytest.mark.parametrize(
    "edit",
    [
        [{"find": "NM1*IL", "set": {"9": "2EG4TE5MK73"}}],
        [{"find": "NM1*PR", "set": {"9": "OTHER"}}],
        [{"find": "DMG*", "set": {"2": "19300101"}}],
        [{"find": "NM1*85", "set": {"9": "1679576722"}}],
        [{"find": "ISA*", "set": {"15": "P"}}],
    ],
)
def test_other_patients_payers_providers_and_test_claims_do_not_meet(sender, edit):
    sender.send(claims(["97530:GP x2"]))
    assert of_history(sender.find(claims(["97750:GP x1"], edit=edit))) == []


def rendered_by(name, taxonomy):
    """A rendering provider without an NPI, as a payer of its own kind may allow."""
    return [
        {"find": "LX*1", "insert": f"NM1*82*1*{name}*ANN"},
        {"find": "LX*1", "insert": f"PRV*PE*PXC*{taxonomy}"},
        {"find": "LX*1", "insert": f"REF*G2*{name}1"},
    ]


@pytest.mark.parametrize(
    ("here", "line", "severity"),
    [
        (("CEDAR", "225X00000X"), "97750:GO x1", None),  # another specialty
        (("BIRCH", "225100000X"), "97750:GP x1", "error"),  # the payer takes one specialty of a group for one
        (("CEDAR", "225X00000X"), "97750:GP x1", None),
    ],
)
def test_providers_without_an_npi_are_told_apart_by_what_they_are(sender, here, line, severity):
    sender.send(claims(["97530:GP x2"], payer="commercial", edit=rendered_by("BIRCH", "225100000X")))
    found = {
        f.rule: f.severity for f in sender.find(claims([line], payer="commercial", edit=rendered_by(*here)))
    }
    assert found.get("history.ptp") == severity


def test_units_of_providers_without_an_npi_are_not_summed(sender):
    each = [rendered_by(name, "225100000X") for name in ("BIRCH", "CEDAR")]
    sender.send(claims(["97530:GP x4"], payer="commercial", edit=each[0]))
    found = sender.find(claims(["97530:GP:76 x4"], payer="commercial", edit=each[1]))
    assert "history.mue" not in {f.rule for f in found}


def test_a_person_without_an_id_is_nobody(sender):
    edit = [{"find": "NM1*IL", "replace": "NM1*IL*1*MAPLE*MARTA"}]
    assert (
        of_history(sender.send(*[claims(each, edit=edit) for each in (["97530:GP x2"], ["97750:GP x1"])]))
        == []
    )


def test_a_rejected_claim_leaves_nothing(sender):
    assert any(f.severity == "error" for f in sender.send(claims(["97530:GP:59:XE x4"])))
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == []


def test_what_stands_above_rejects_a_claim_too(sender):
    text = claims(["97530:GP x4"]).replace("SE*27", "SE*99").replace("GE*1*1~", "GE*1*2~")
    sender.send(text)
    assert list(sender.kept.rows()) == []
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == []


def test_a_file_is_not_held_against_itself(sender):
    text = claims(["97530:GP x4"])
    assert of_history(sender.send(text)) == []
    assert of_history(sender.find(text)) == []
    assert of_history(sender.send(text)) == []
    assert of_history(sender.find(claims(["97530:GP:76 x2"]))) == []  # it is there once
    assert of_history(sender.find(claims(["97530:GP:76 x3"]))) == [("history.mue", "error")]


def test_a_file_that_is_looked_at_again_is_held_against_what_came_before_it(sender):
    first = claims(named(["97530:GP x2"], "A"))
    void, partner = claims(replacing(["97530:GP x2"], "8", "A"), edit=F8), claims(["97750:GP x1"])
    for text in (first, void, partner, claims(["97110:GP x1"])):
        assert of_history(sender.send(text)) == []
    for _ in range(2):
        for text in (first, void, partner):
            assert of_history(sender.find(text)) == []
        for text in (first, void, partner):  # remembered again, in the same order
            assert of_history(sender.send(text)) == []
    assert of_history(sender.find(claims(["97530:GP x2"]))) == [("history.ptp", "error")]


def test_a_file_that_was_remembered_again_is_still_earlier(sender):
    first, add_on = claims(named(PRIMARY, "A"), **SPEECH), claims(named(ADD_ON, "B"), **SPEECH)
    sender.send(first, add_on)
    sender.send(first)
    assert rules_of(sender.find(add_on), "ncci.addon") == []


def test_inputs_of_one_file_meet_each_other(sender):
    """As the members of an archive do, each with what those before it leave."""
    members = [
        claims(named(PRIMARY, "A"), **SPEECH),
        claims(["97129:GN x1"], edit=patient(4), **SPEECH),
        claims(ADD_ON, **SPEECH),
        claims(ADD_ON, edit=patient(4), **SPEECH),
        claims(replacing(PRIMARY, "8", "A"), **SPEECH, edit=F8),
        claims(["97129:GN:76 x1"], **SPEECH),
        claims(["92526:GN x1"], edit=patient(4), **SPEECH),
    ]
    across = [rules_of(sender.send(text), "ncci.addon", "history.ptp", "history.mue") for text in members]
    for file in sender.ledger.list_files():
        sender.ledger.drop_history(file.id)
    history = sender.history("".join(members), keeps=True)
    found = []
    for text in members:
        history.begin(None)
        said = sender.check(text, history=history)
        found.append([finding for findings, *_ in said for finding in findings])
    assert [rules_of(each, "ncci.addon", "history.ptp", "history.mue") for each in found] == across
    sender.remember("".join(members), history)
    more = [of_history(sender.find(claims(["97129:GN:76 x1"], edit=patient(n), **SPEECH))) for n in (4, 5)]
    assert more == [[("history.mue", "error")], []]


# -- replacements and voids

F8 = [{"find": "HI*", "insert": "REF*F8*A1"}]


@pytest.mark.parametrize(("frequency", "left"), [("7", [("history.mue", "error")]), ("8", [])])
def test_a_replacement_and_a_void_take_back_a_claim_of_an_earlier_file(sender, frequency, left):
    again = claims(replacing(["97530:GP x4"], frequency, "FIRST"), edit=F8)
    assert of_history(sender.send(claims(named(["97530:GP x4"], "FIRST")), again)) == []
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == left
    assert of_history(sender.find(claims(["97530:GP:76 x2"]))) == []


def test_a_replacement_on_another_day_takes_back_the_first_day(sender):
    again = claims(replacing(["97530:GP x4 on 2026-02-05"], "7", "FIRST"), edit=F8)
    sender.send(claims(named(["97530:GP x4"], "FIRST")), again)
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == []
    assert of_history(sender.find(claims(["97530:GP:76 x4 on 2026-02-05"]))) == [("history.mue", "error")]


def test_a_replacement_leaves_the_others_of_the_day(sender):
    first = claims(named(["97530:GP x3"], "FIRST"), named(["97530:GP:76 x2"], "OTHER"))
    sender.send(first, claims(replacing(["97530:GP x1"], "7", "FIRST"), edit=F8))
    assert of_history(sender.find(claims(["97530:GP:76:KX x3"]))) == []
    assert of_history(sender.find(claims(["97530:GP:76:KX x4"]))) == [("history.mue", "error")]


def test_a_replacement_of_an_unknown_claim_may_be_of_any_of_the_day(sender):
    sender.send(claims(["97530:GP x4"]))
    again = claims(replacing(["97530:GP:76 x4"], "7", "UNKNOWN"), edit=F8)
    assert of_history(sender.send(again)) == []
    assert of_history(sender.find(claims(["97530:GP:76:KX x2"]))) == []


def test_a_replacement_that_is_rejected_takes_nothing_back(sender):
    sender.send(claims(named(["97530:GP x4"], "FIRST")))
    found = sender.send(claims(replacing(["97530:GP:59:XE x1"], "7", "FIRST"), edit=F8))
    assert any(f.severity == "error" for f in found)
    assert of_history(sender.find(claims(["97530:GP:76 x3"]))) == [("history.mue", "error")]


def test_what_one_claim_replaces_no_later_one_of_the_input_meets(sender):
    sender.send(claims(named(["97530:GP x4"], "FIRST")))
    both = claims(replacing(["97530:GP x1"], "7", "FIRST"), ["97530:GP:76 x5"], edit=F8)
    assert of_history(sender.find(both)) == []
    again = claims(replacing(["97530:GP x2"], "7", "FIRST"), ["97530:GP x4"], edit=F8)
    assert "history.claim" not in {f.rule for f in sender.find(again)}


@pytest.mark.parametrize("lines", [["97750:GP x1"], ["97530:GP:76 x5"]])
def test_a_claim_under_the_same_number_is_warned_of(sender, lines):
    """It may be the earlier one, which the payer returned, corrected and sent again."""
    sender.send(claims(named(["97530:GP x2"], "SAME")))
    assert [severity for _, severity in of_history(sender.find(claims(named(lines, "SAME"))))] == ["warning"]
    assert [severity for _, severity in of_history(sender.find(claims(lines)))] == ["error"]


# -- what speaks for a claim

PRIMARY, ADD_ON = ["97129:GN x1"], ["97130:GN x1"]
SPEECH = {"taxonomy": "235Z00000X"}


def rules_of(findings, *rules):
    return sorted((f.rule, f.severity) for f in findings if f.rule in rules)


def test_an_add_on_that_is_sent_again_still_has_its_primary(sender):
    first, again = [claims(named(PRIMARY, "A"), named(ADD_ON, "B"), **SPEECH) for _ in range(2)]
    found = rules_of(sender.send(first, again), "history.claim", "ncci.addon")
    assert found == [("history.claim", "warning")] * 2


def test_an_add_on_whose_transaction_is_sent_again_still_has_its_primary(sender):
    edit = [{"find": "BHT*", "set": {"2": "18"}}]
    first, again = [
        claims(named(PRIMARY, "A"), named(ADD_ON, "B"), **SPEECH, edit=each) for each in ((), edit)
    ]
    assert rules_of(sender.send(first, again), "ncci.addon") == []


def test_minutes_that_are_sent_again_still_count_with_those_of_the_other_claim(sender):
    lines = [["97530:GP x1 note MINUTES 22"], ["97110:GP x1 note MINUTES 7"]]
    sender.send(*[claims(each) for each in lines])
    assert rules_of(sender.find(claims(lines[1])), "therapy.minutes") == []
    # Its own earlier sending is no other claim.
    sender.send(claims(["97110:GP x1 note MINUTES 8 on 2026-02-05"]))
    again = claims(["97110:GP x1 note MINUTES 8 on 2026-02-05"])
    assert rules_of(sender.find(again), "therapy.minutes") == []


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_what_may_have_been_taken_back_speaks_for_a_claim_and_not_against_it(sender, frequency):
    """Nobody knows which claim of the day it was: the payer goes by a number of its own."""
    sender.send(claims(named(PRIMARY, "A"), named(["92526:GN x1"], "C"), **SPEECH))
    sender.send(claims(replacing(["92526:GN x1"], frequency, "C2"), **SPEECH, edit=F8))
    assert rules_of(sender.find(claims(ADD_ON, **SPEECH)), "ncci.addon") == []
    assert of_history(sender.find(claims(["97129:GN:76 x1"], **SPEECH))) == []


def test_what_may_have_been_taken_back_in_one_input_speaks_for_a_claim_too(sender):
    each = [named(PRIMARY, "A"), replacing(["92526:GN x1"], "8", "C2"), ADD_ON]
    text = "".join(claims(one, **SPEECH, edit=F8 if number == 1 else ()) for number, one in enumerate(each))
    assert rules_of(sender.find(text), "ncci.addon") == []


def test_an_add_on_that_is_replaced_under_another_number_has_its_primary(sender):
    sender.send(claims(named(PRIMARY, "A"), named(ADD_ON, "B"), **SPEECH))
    for frequency in "78":
        found = sender.find(claims(replacing(ADD_ON, frequency, "B2"), **SPEECH, edit=F8))
        assert rules_of(found, "ncci.addon") == []


def test_minutes_that_may_have_been_taken_back_count_where_that_suits_the_claim(sender):
    sender.send(
        claims(named(["97530:GP x1 note MINUTES 22"], "A"), named(["97110:GP x1 note MINUTES 7"], "B"))
    )
    for frequency in "78":
        again = claims(replacing(["97110:GP x1 note MINUTES 7"], frequency, "B9"), edit=F8)
        assert rules_of(sender.find(again), "therapy.minutes") == []


def test_a_claim_that_was_sent_twice_is_counted_once(sender):
    sender.send(claims(named(["97530:GP x4"], "A")), claims(named(["97530:GP:KX x4"], "A")))
    assert of_history(sender.find(claims(named(["97530:GP:76 x2"], "C")))) == []
    assert of_history(sender.find(claims(named(["97530:GP:76 x3"], "C")))) == [("history.mue", "error")]


def test_of_a_claim_that_was_sent_twice_that_counts_which_is_on_both(sender):
    sender.send(claims(named(["97530:GP x2"], "A")), claims(named(["97110:GP x2"], "A")))
    assert "history.ptp" not in dict(of_history(sender.find(claims(["97750:GP x1"]))))
    sender.send(claims(named(["97530:GP x1", "97110:GP x1"], "A")))
    assert "history.ptp" not in dict(of_history(sender.find(claims(["97750:GP x1"]))))


@pytest.mark.parametrize(
    ("primary", "add_on", "found"),
    [
        ("98980:GP x1 on 2026-01-01..2026-01-31", "98981:GP x1 on 2026-01-31", []),
        ("98980:GP x1 on 2026-01-01..2026-01-31", "98981:GP x1 on 2026-02-02", ["ncci.addon"]),
        ("97129:GN x3 on 2026-02-01..2026-02-03", "97130:GN x1 on 2026-02-02", []),
        ("97129:GN x3 on 2026-02-01..2026-02-03", "97130:GN x1 on 2026-02-04", ["ncci.addon"]),
        ("97129:GN x1 on 2026-02-02", "97130:GN x3 on 2026-02-01..2026-02-03", []),
        ("97129:GN x1 on 2026-02-04", "97130:GN x3 on 2026-02-01..2026-02-03", ["ncci.addon"]),
    ],
)
@pytest.mark.parametrize("payer", ["medicare", "commercial"])
def test_a_primary_may_stand_on_several_days(sender, primary, add_on, found, payer):
    each = [claims(over_days(line), payer=payer, edit=span_of(line), **SPEECH) for line in (primary, add_on)]
    together = sender.find("".join(each))
    assert [f.rule for f in together if f.rule == "ncci.addon"] == found
    assert [f.rule for f in sender.send(*each) if f.rule == "ncci.addon"] == found


def over_days(line):
    return [line.partition("..")[0]]


def span_of(line):
    """What makes a line of its first day one that goes on to another."""
    _, _, written = line.partition(" on ")
    first, _, last = written.replace("-", "").partition("..")
    return [{"find": "DTP*472", "replace": f"DTP*472*RD8*{first}-{last}"}] if last else []


def test_a_line_over_several_days_is_no_reproach(sender):
    sender.send(claims(["97530:GP x6"], edit=span_of("x on 2026-02-02..2026-02-03")))
    for line in ("97750:GP x1", "97530:GP:76 x4", "97530:GP x6"):
        assert of_history(sender.find(claims([line]))) == []


@pytest.mark.parametrize(("most", "rows"), [(310, 28), (27, 1)])
def test_what_a_claim_over_many_days_leaves_is_bounded(sender, monkeypatch, most, rows):
    monkeypatch.setattr("edi_checker.facts.earlier._MOST_UNDER_DAYS", most)
    text = claims(["99213 x28"], payer="commercial", edit=span_of("x on 2026-02-01..2026-02-28"))
    history = sender.history(text, keeps=True)
    said = sender.check(text, history=history)
    assert all(finding.severity != "error" for findings, *_ in said for finding in findings)
    assert len({row.key for row in history.rows() if row.claim != bytes(8)}) == rows + 1  # and the year


def test_a_claim_over_several_days_is_known_again(sender):
    each = [claims(["97530:GP x6"], edit=span_of("x on 2026-02-02..2026-02-03")) for _ in range(2)]
    assert of_history(sender.send(*each)) == [("history.claim", "warning")]


# -- what does not stand any more


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_a_claim_that_is_changed_in_its_own_file_is_so_on_all_of_its_days(sender, frequency):
    both = claims(named(["97530:GP x2", "97530:GP x2 on 2026-02-04"], "A"))
    both += claims(replacing(["97530:GP x2"], frequency, "A"), edit=F8)
    later = claims(["97750:GP x1 on 2026-02-04"])
    assert "history.ptp" not in {f.rule for f in sender.find(both + later)}
    sender.send(both)
    assert of_history(sender.find(later)) == []
    left = [("history.ptp", "error")] if frequency == "7" else []
    assert of_history(sender.find(claims(["97750:GP x1"]))) == left


def test_a_claim_may_come_again_behind_its_void_in_one_file(sender):
    each = [claims(named(["97530:GP x2"], "A"))]
    each.append(claims(replacing(["97530:GP x2"], "8", "A"), edit=F8))
    each.append(claims(named(["97530:GP x2"], "A")))
    assert [f for f in sender.find("".join(each)) if f.rule.startswith(("duplicate.claim", "history"))] == []
    sender.send("".join(each))
    assert of_history(sender.find(claims(["97750:GP x1"]))) == [("history.ptp", "error")]


@pytest.mark.parametrize(
    "wrong", [("SE*26", "SE*99"), ("GE*1*1~", "GE*2*1~"), ("IEA*1*", "IEA*2*"), ("IEA*1*", "TA2*1*")]
)
def test_what_was_refused_in_a_file_is_no_reproach_to_what_follows(sender, wrong):
    refused, later = claims(["97530:GP x2"]).replace(*wrong), claims(["97750:GP x1"])
    assert "history.ptp" not in {f.rule for f in sender.find(refused + later)}
    again = claims(["97530:GP x2"])
    assert "duplicate.claim" not in {f.rule for f in sender.find(refused + again)}


def test_test_claims_in_a_file_are_no_reproach_to_others(sender):
    real = [{"find": "ISA*", "set": {"15": "P"}}]
    each = claims(["97530:GP x2"]) + claims(["97750:GP x1"], edit=real)
    assert "history.ptp" not in {f.rule for f in sender.find(each)}
    assert "history.ptp" in {f.rule for f in sender.find(claims(["97530:GP x2"]) + claims(["97750:GP x1"]))}


# -- the order of commits

_LINES = [
    *(["97530:GP x2"], ["97530:GP:76 x3"], ["97750:GP x1"], ["97750:GP:59 x1"], ["97116:GP x1"]),
    *(["97530:GP x2", "97116:GP x1"], ["97110:GP x2"], ["97110:GP:76 x2"]),
]


def _random_file(chance):
    said = []
    for _ in range(chance.randrange(1, 5)):
        # No charge comes twice: in one input a claim also meets those that were rejected.
        said.append(
            [
                f"{line} on 2026-02-0{chance.randrange(3, 6)} ${next(_numbers)}.00"
                for line in chance.choice(_LINES)
            ]
        )
    return claims(*said, payer=chance.choice(["commercial", "medicare"]))


@pytest.mark.parametrize("seed", range(6))
def test_files_say_together_what_one_input_says_of_all_claims(sender, seed):
    chance = random.Random(seed)
    texts = [_random_file(chance) for _ in range(6)]
    across = [_said(sender.send(text)) for text in texts]
    at_once = Checker(GUIDE, ENGINE, Setting(DAY, built_in()))
    whole = list(at_once.check(BytesIO("".join(texts).encode())))
    numbers = [text.split("*")[13] for text in texts]
    together = [
        _said(f for part in whole for f in part.findings if f.where.interchange == number)
        for number in numbers
    ]
    assert across == together


def _said(findings):
    found = [(f.rule, f.severity, f.where.claim, f.where.line) for f in findings]
    return [each for each in found if each[0].startswith(("history", "ncci", "therapy"))]


def test_all_that_is_asked_for_a_handful_of_claims_is_asked_at_once(sender, monkeypatch):
    """What was not foreseen is looked up all the same, but each by itself."""
    sender.send(claims(["97530:GP x2"], ["97110:GP x1 on 2026-02-04", "97530:GP x1"]))
    asked = []
    find = sender.ledger.find_history
    monkeypatch.setattr(
        sender.ledger, "find_history", lambda past, keys: asked.append(set(keys)) or find(past, keys)
    )
    sender.check(
        claims(
            ["97750:GP x1"],
            ["97110:GP x1 on 2026-02-05", "99490 x1 on 2026-02-05"],
            replacing(["97530:GP x1 on 2026-02-04"], "7", "C1"),
            payer="medicare",
        )
    )
    assert len(asked) == 1


def test_who_was_overtaken_is_checked_again(sender):
    first, second = claims(["97530:GP x2"]), claims(["97750:GP x1"])
    early = sender.history(second, keeps=True)
    sender.check(second, history=early)
    sender.send(first)
    with pytest.raises(Overtaken):
        sender.remember(second, early)
    assert of_history(sender.send(second)) == [("history.ptp", "error")]


def test_who_leaves_nothing_may_be_overtaken_too(sender):
    """All of its claims were rejected, for a claim that is taken back meanwhile."""
    sender.send(claims(named(["97530:GP x2"], "FIRST")))
    rejected, void = claims(["97750:GP x1"]), claims(replacing(["97530:GP x2"], "8", "FIRST"), edit=F8)
    early = sender.history(rejected, keeps=True)
    assert any(
        finding.severity == "error" for part in sender.check(rejected, history=early) for finding in part[0]
    )
    assert list(early.rows()) == []
    sender.send(void)
    with pytest.raises(Overtaken):
        sender.remember(rejected, early)
    assert of_history(sender.send(rejected)) == []


def test_who_has_nothing_to_do_with_it_is_not_overtaken(sender):
    second = claims(["97750:GP x1"], edit=patient(7))
    early = sender.history(second, keeps=True)
    sender.check(second, history=early)
    sender.send(claims(["97530:GP x2 on 2026-01-05"]))
    sender.remember(second, early)


def test_a_history_that_cannot_be_read_ends_the_check(sender, monkeypatch):
    def fail(*_):
        raise StateError("the disk is gone")

    text = claims(["97530:GP x2"])
    history = sender.history(text)
    monkeypatch.setattr(sender.ledger, "find_history", fail)
    with pytest.raises(HistoryUnreadable, match="the disk is gone"):
        sender.check(text, history=history)


def test_nothing_kept_tells_who_the_patient_is(sender):
    sender.send(claims(["97530:GP x2"]))
    packed = b"".join(row.packed for row in sender.kept.rows())
    assert packed
    for word in (b"MAPLE", b"MARTA", b"1EG4TE5MK73", b"19500101"):
        assert word not in packed


def severities(findings):
    return {finding.rule: finding.severity for finding in findings if finding.rule.startswith("history.")}


def test_a_claim_that_is_sent_again_under_another_number_is_not_stopped(sender):
    """The payer may have returned the first: what it billed is then not on the day."""
    lines = ["97530:GP x4", "97140:GP x1"]
    again = ["97530:GP x4", "97140:GP x2"]
    assert severities(sender.send(claims(lines), claims(again))) == {
        "history.duplicate": "warning",
        "history.mue": "warning",
    }


def test_more_of_another_claim_of_the_day_is_stopped(sender):
    found = sender.send(claims(["97530:GP x4"]), claims(["97530:GP:76 x3"]))
    assert severities(found) == {"history.mue": "error"}


# -- what is asked


class Asked:
    """What a check asks of what it has looked up, by the name of the question."""

    def __init__(self, sender, text):
        self.said = []
        history = sender.history(text)
        for name in ("services", "charges", "meet"):
            setattr(history, name, self.listening(name, getattr(history, name)))
        sender.check(text, history=history)

    def listening(self, name, ask):
        def listen(*given, **named):
            self.said.append(name)
            return ask(*given, **named)

        return listen


def test_nothing_is_asked_for_a_claim_of_which_the_handful_found_nothing(sender):
    sender.send(*[claims(["97530:GP x2 on 2026-02-04"], payer=payer) for payer in ("commercial", "medicare")])

    def asked(line, payer="commercial", edit=()):
        return Asked(sender, claims([line], payer=payer, edit=edit)).said

    assert asked("97750:GP x1 on 2026-02-04", edit=patient(7)) == []
    assert asked("97750:GP x1 on 2026-02-04", edit=[{"find": "NM1*85", "set": {"9": "1679576722"}}]) == []
    assert asked("97750:GP x1 on 2026-02-05") == []
    assert "services" in asked("97750:GP x1 on 2026-02-04")
    # The year matters to Medicare alone, and only of therapy.
    assert "charges" in asked("97750:GP x1 on 2026-02-05", payer="medicare")
    assert asked("99213:25 x1 on 2026-02-05", payer="medicare") == []


@pytest.mark.parametrize("payer", ["commercial", "medicare"])
def test_claims_of_two_interchanges_meet_each_their_own(sender, payer):
    """Test claims and others never meet, also where both are judged in one handful."""
    days = ["2026-02-03", "2026-02-04"]
    sender.send(claims(*[[f"97530:GP x2 on {day}"] for day in days], payer=payer))
    real = [{"find": "ISA*", "set": {"15": "P"}}]
    each = [
        claims([f"97750:GP x{units} on {day}"], payer=payer, edit=edit)
        for day in days
        for units, edit in ((1, ()), (2, real))
    ]
    for texts in (each, each[::-1]):
        found = {f.where.interchange for f in sender.find("".join(texts)) if f.rule == "history.ptp"}
        assert found == {text.split("*")[13] for text in each[::2]}


def test_a_patient_may_be_known_in_one_year_and_new_in_another(sender):
    sender.send(claims(["97530:GP x2 on 2025-12-30"]))
    both = ["97750:GP x1", "97750:GP x1 on 2025-12-30"]
    [finding] = [f for f in sender.find(claims(both)) if f.rule == "history.ptp"]
    assert finding.where.line == 2


def test_what_was_replaced_or_voided_is_not_found_of_a_patient_who_is_known(sender):
    first = claims(named(["97530:GP x4"], "FIRST"))
    moved = claims(replacing(["97530:GP x4 on 2026-02-05"], "7", "FIRST"), edit=F8)
    sender.send(first, moved, claims(named(["97530:GP x1 on 2026-02-10"], "OTHER")))
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == []
    sender.send(claims(replacing(["97530:GP x4 on 2026-02-05"], "8", "FIRST"), edit=F8))
    assert of_history(sender.find(claims(["97530:GP:76 x4 on 2026-02-05"]))) == []


def test_a_void_beside_its_claim_takes_out_of_the_year_what_it_leaves_on_the_day(sender):
    """The void is of another day: the claim's day stays in the store, its year does not."""
    both = claims(
        named(["97530:GP x4"], "FIRST"), replacing(["97530:GP x4 on 2026-02-05"], "8", "FIRST"), edit=F8
    )
    sender.send(both)
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == [("history.mue", "error")]


def test_a_patient_whose_history_was_purged_is_new(sender):
    sender.send(claims(["97530:GP x4"]))
    [file] = sender.ledger.list_files()
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == [("history.mue", "error")]
    sender.ledger.drop_history(file.id)
    assert of_history(sender.find(claims(["97530:GP:76 x4"]))) == []
    while sender.ledger.merge_history():
        pass
    # A file later the runs are read again; none has the patient.
    sender.send(claims(["97110:GP x1 on 2026-01-05"], edit=patient(8)))
    assert Asked(sender, claims(["97530:GP:76 x4"], payer="commercial")).said == []


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_out_changes_nothing_for_patients_who_come_and_go(sender, seed):
    """`find` holds what a check says that only looks against one that asks for every day."""
    chance = random.Random(seed)
    found = []
    for _ in range(16):
        days = chance.sample(["2025-12-30", "2026-01-05", "2026-02-03"], 2)
        each = [
            [f"{line} on {day} ${chance.randrange(1, 9)}.00" for line in chance.choice(_LINES)]
            for day in days[: chance.randrange(1, 3)]
        ]
        number = f"K{chance.randrange(4)}"
        edit = patient(chance.randrange(2))
        if chance.random() < 0.3:
            first, edit = replacing(each[0], chance.choice("78"), number), edit + F8
        else:
            first = named(each[0], number)
        found += of_history(sender.send(claims(first, *each[1:], edit=edit)))
        if chance.random() < 0.2:
            sender.ledger.drop_history(chance.choice(sender.ledger.list_files()).id)
        if chance.random() < 0.3:
            sender.ledger.merge_history()
    assert found
