"""Facts: what a claim says, told in the vocabulary; what is damaged says nothing."""

import io
import random
import time

import pytest

from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes
from edi_checker.claims.profile import Profile
from edi_checker.claims.reader import read_parts
from edi_checker.facts import (
    VOCABULARY,
    InputMemory,
    Setting,
    facts_of,
    lines_can_be_trusted,
)
from edi_checker.facts.context import ProviderDays, provider_day
from edi_checker.guide.table import load
from edi_checker.reference.tables import BUILT_IN, built_in
from edi_checker.x12.blocks import NotX12, read_blocks
from parts_of import claim_of, facts, only, parts_of

AMA = Profile("commercial", unit_method="ama")
TYPES = {
    "text": str,
    "int": (int, type(None)),
    "quantity": (int, type(None)),
    "money": (int, type(None)),
    "date": (int, type(None)),
    "bool": bool,
    "codes": tuple,
}
EVERYTHING = {
    "lines": [
        "97530:GP x2 min 30",
        "97750:GP x1 by 1679576722 note ABOUT IT",
        "0770T:GP x1",
        "99213:25 x1",
        "97537:GP x1",
        "97597 x1 on 2026-02-01..2026-02-03",
        "XXXXX",
    ],
    "edit": [
        {"find": "HI*", "insert": "DTP*431*D8*20260101~REF*G1*AUTH~NTE*ADD*NOTE"},
        {"find": "NM1*85", "replace": "NM1*85*2*ALDER THERAPY*****XX*1234567890"},
        {"find": "BHT*", "set": {"4": "2026XX01"}},
        {"find": "SBR*", "set": {"1": "S", "5": "12"}},
        {
            "find": "LX*",
            "insert": "SBR*P*18*******CI~AMT*D*100~OI***Y***Y~"
            "NM1*IL*1*MAPLE*MARTA****MI*W1~NM1*PR*2*OTHER PAYER*****PI*PAYER2",
        },
        {"find": "LX*2", "insert": "SVD*PAYER2*100*HC:97530:GP**2~DTP*573*D8*20260210"},
    ],
}


TWICE = {
    "lines": ["97530:GP x2 $2000.00"],
    "more": [{"lines": ["97530:GP x2 $2000.00", "97750:GP x1"], "claim": {"diagnoses": ["M25561"]}}],
}


def test_every_fact_holds_every_field_of_its_type_and_no_other():
    found = facts(EVERYTHING) + facts(TWICE)
    assert {fact.kind for fact in found} == set(VOCABULARY)
    for fact in found:
        kind = VOCABULARY[fact.kind]
        assert set(fact.values) == set(kind.fields)
        assert set(fact.stands_on) == {"", *kind.stands_on}
        for name, value in fact.values.items():
            assert isinstance(value, TYPES[kind.fields[name].type]), (fact.kind, name)
            assert kind.fields[name].type == "bool" or not isinstance(value, bool)


def test_every_fact_knows_its_place():
    for fact in facts(EVERYTHING):
        for placed in fact.stands_on[""]:
            place = placed.place("SV1", "SV101-3")
            assert place.interchange == "000000001"
            above = ("ISA", "header", "2010AA", "2000B")
            assert (place.claim is None) is (place.loop in above)


def test_every_type_has_a_date_and_says_what_it_is_about():
    for kind in VOCABULARY.values():
        assert kind.fields["date"].type == "date"
        assert kind.fields["profile"].type == "text"
        assert kind.about
        assert all(field.about and field.address for field in kind.fields.values())


def test_names_and_numbers_of_persons_are_no_facts_or_marked():
    texts = [
        str(value)
        for fact in facts(EVERYTHING)
        for name, value in fact.values.items()
        if not VOCABULARY[fact.kind].fields[name].phi
    ]
    said = " ".join(texts)
    for secret in (
        "MAPLE",
        "MARTA",
        "1EG4TE5MK73",
        "19500101",
        "EXAMPLE1",
        "ALDER",
        "1234567890",
        "1679576722",
    ):
        assert secret not in said


# Lines


def test_a_line():
    (line,) = facts({"lines": ["97530:GP:59 x1.5 $120.50 dx 2"]}, "line")
    values = line.values
    assert values["code"] == "97530"
    assert values["modifiers"] == ("GP", "59")
    assert values["releasing_modifiers"] == ("59",)
    assert values["disciplines"] == ("GP",)
    assert (values["units"], values["charge"]) == (1500, 12050)
    assert (values["date"], values["last_date"], values["days"], values["received"]) == (
        20260203,
        20260203,
        1,
        20260302,
    )
    assert values["diagnoses"] == ("R262",)
    assert values["therapy"] == "always"
    assert values["therapist"] == "GP"
    assert values["place_of_service"] == "11"
    assert values["profile"] == "medicare"
    assert "DN" in values["providers"]
    place = line.stands_on[""][0].place("SV1", "SV101-3")
    assert (place.claim, place.line, place.loop, place.segment, place.element) == (
        "EXAMPLE1",
        1,
        "2400",
        "SV1",
        "SV101-3",
    )


@pytest.mark.parametrize(
    ("procedure", "expected"),
    [
        ("97530:GP:GP", ("GP",)),
        ("97530:59:GP:59:GP", ("59", "GP")),
        ("97530:GP:GO", ()),
    ],
)
def test_repeated_modifiers(procedure, expected):
    assert only({"lines": [procedure]}, "line")["repeated_modifiers"] == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"4": "X"}, "units"),
        ({"4": "-1"}, "units"),
        ({"4": ""}, "units"),
        ({"4": "1E3X"}, "units"),
        ({"3": "MJ"}, "units"),
        ({"2": "A"}, "charge"),
    ],
)
def test_what_cannot_be_read_is_absent(change, field):
    example = {"lines": ["97530:GP x2"], "edit": [{"find": "SV1*", "set": change}]}
    assert only(example, "line")[field] is None


@pytest.mark.parametrize("date", ["DTP*472*D8*20260231", "DTP*472*RD8*20260203", "DTP*472*D8*"])
def test_a_date_that_is_none_is_absent(date):
    example = {"lines": ["97530:GP x9"], "edit": [{"find": "DTP*472", "replace": date}]}
    values = only(example, "line")
    assert values["days"] is None
    assert not [day for day in facts(example, "mue_day") if day.values["date"] is None]


def test_a_line_of_several_days():
    values = only({"lines": ["97530:GP x9 on 2026-02-27..2026-03-01"]}, "line")
    assert (values["date"], values["last_date"], values["days"]) == (20260227, 20260301, 3)
    backwards = {"lines": ["97530:GP x9 on 2026-03-01..2026-02-27"]}
    assert only(backwards, "line")["days"] is None


@pytest.mark.parametrize(
    ("taxonomy", "discipline"),
    [
        ("225100000X", "GP"),
        ("2251X0800X", "GP"),
        ("225200000X", "GP"),
        ("225X00000X", "GO"),
        ("224Z00000X", "GO"),
        ("235Z00000X", "GN"),
        ("207Q00000X", ""),
    ],
)
def test_who_is_a_therapist(taxonomy, discipline):
    assert only({"claim": {"taxonomy": taxonomy}}, "line")["therapist"] == discipline


def test_a_rendering_provider_without_taxonomy_is_no_therapist_because_the_group_is():
    assert only({"claim": {"rendering": "1234567893"}}, "line")["taxonomy"] == ""


def test_lines_of_other_code_sets_have_no_code():
    example = {"edit": [{"find": "SV1*", "set": {"1-1": "ER"}}]}
    assert only(example, "line")["code"] == ""
    assert facts(example, "mue_day", "therapy_day") == []


# Claims


def test_a_claim():
    (claim,) = facts(
        {"lines": ["97530:GP x2 $100.10", "97110:GP x1 $0.20"], "claim": {"charge": "100.3"}}, "claim"
    )
    values = claim.values
    assert (values["charge"], values["line_charges"], values["charge_difference"]) == (10030, 10030, 0)
    assert (values["lines"], values["frequency"], values["place_of_service"]) == (2, "1", "11")
    assert values["diagnoses"] == ("M6281", "R262")
    assert values["diagnosis_qualifiers"] == ("ABK", "ABF")
    assert values["providers"] == ("DN",)
    assert claim.stands_on[""][0].place("CLM", "CLM02").element == "CLM02"


def test_a_charge_that_cannot_be_read_gives_no_difference():
    assert only({"claim": {"charge": "1.005"}}, "claim")["charge_difference"] is None
    example = {"lines": ["97530:GP x2", "97110:GP x1"], "edit": [{"find": "SV1*", "set": {"2": "X"}}]}
    assert only(example, "claim")["charge_difference"] is None


def test_diagnoses_stand_in_order_at_their_composite():
    found = facts({"claim": {"diagnoses": ["M6281", "R262", "R2681"]}}, "diagnosis")
    assert [(f.values["code"], f.values["ordinal"]) for f in found] == [
        ("M6281", 1),
        ("R262", 2),
        ("R2681", 3),
    ]
    assert [f.stands_on[""][0].place("HI", "HI01-2").element for f in found] == ["HI01-2", "HI02-2", "HI03-2"]


def test_providers_with_an_npi():
    found = facts({"lines": ["97530:GP x2 by 1679576722"], "claim": {"rendering": "1234567890"}}, "provider")
    assert [(f.values["loop"], f.values["role"], f.values["npi_valid"]) for f in found] == [
        ("2010AA", "85", True),
        ("2310A", "DN", True),
        ("2310B", "82", False),
        ("2420A", "82", True),
    ]
    places = [f.stands_on[""][0].place("NM1", "NM109") for f in found]
    assert [p.line for p in places] == [None, None, None, 1]
    assert [p.claim for p in places] == [None, "EXAMPLE1", "EXAMPLE1", "EXAMPLE1"]
    assert len({p.position for p in places}) == 4


def test_a_provider_without_an_npi_is_left_alone():
    example = {"edit": [{"find": "NM1*DN", "replace": "NM1*DN*1*CEDAR*CLARA"}]}
    assert [f.values["loop"] for f in facts(example, "provider")] == ["2010AA"]


def test_dates_other_than_the_service():
    example = {
        "lines": ["97530:GP x2", "97110:GP x1"],
        "edit": [
            {"find": "HI*", "insert": "DTP*431*D8*20260101~DTP*434*RD8*20260101-20260201"},
            {"find": "REF*6R*L2", "insert": "DTP*455*D8*20260102"},
        ],
    }
    found = facts(example, "claim_date")
    assert [
        (f.values["level"], f.values["qualifier"], f.values["first"], f.values["last"]) for f in found
    ] == [
        ("claim", "431", 20260101, 20260101),
        ("claim", "434", 20260101, 20260201),
        ("line", "455", 20260102, 20260102),
    ]
    assert [f.stands_on[""][0].place("DTP", "DTP03").line for f in found] == [None, None, 2]
    assert len({f.stands_on[""][0].place("DTP").position for f in found}) == 3


# Faults


def test_a_fault_stands_at_its_place():
    example = {"lines": ["97530:GP x2", "97110:GP x1"], "edit": [{"find": "SV1*HC:97110", "set": {"2": "X"}}]}
    (fault,) = facts(example, "fault")
    assert (fault.values["kind"], fault.values["level"], fault.values["element"]) == (
        "element-type",
        "claim",
        "SV102",
    )
    place = fault.stands_on[""][0].place("ANY", "ANY01")
    assert (place.claim, place.line, place.segment, place.element) == ("EXAMPLE1", 2, "SV1", "SV102")


@pytest.mark.parametrize(
    "edit",
    [
        {"find": "HI*", "delete": True},
        {"find": "LX*2", "delete": True},
        {"find": "SV1*", "delete": True},
        {"find": "DTP*472", "delete": True},
        {"find": "SV1*", "repeat": 2},
        {"find": "LX*2", "replace": "LZ*2"},
        {"find": "SV1*", "replace": "SVX*HC:97530:GP*100*UN*2***1"},
        {"find": "LX*1", "swap": True},
    ],
)
def test_a_damaged_claim_gives_its_faults_alone(edit):
    example = {"lines": ["97530 x7", "97750 x1"], "claim": {"charge": "1"}, "edit": [edit]}
    claim = claim_of(example)
    assert not lines_can_be_trusted(claim)
    assert {fact.kind for fact in facts_of(claim, Setting(20260302, built_in()))} == {"fault"}


def test_a_fault_beside_the_lines_leaves_them_alone():
    claim = claim_of({"lines": ["97530:GP x7"], "edit": [{"find": "REF*6R", "repeat": 2}]})
    assert claim.faults
    assert {"fault", "line", "mue_day"} <= {f.kind for f in facts_of(claim, Setting(20260302, built_in()))}


# Pairs


def test_a_pair():
    (pair,) = facts({"lines": ["97750:GP x1", "97530:GP x2"]}, "ptp_pair")
    values = pair.values
    assert (values["column_1"], values["line_1"], values["column_2"], values["line_2"]) == (
        "97530",
        2,
        "97750",
        1,
    )
    assert (values["indicator"], values["released_by"]) == ("1", ())
    assert (values["effective"], values["deletion"]) == (20201001, None)
    assert pair.table.version == BUILT_IN
    assert pair.stands_on[""][0].place("SV1").line == 1
    assert pair.stands_on["column_1"][0].place("SV1").line == 2
    assert pair.stands_on["column_2"][0].place("SV1").line == 1


PRV = {"find": "NM1*82", "append": "PRV*PE*PXC*225100000X"}
OTHER_PRV = {"find": "NM1*82", "append": "PRV*PE*PXC*225X00000X"}


@pytest.mark.parametrize(
    ("lines", "edits", "joined"),
    [
        # The line's provider has no taxonomy, the claim's (the billing provider) has one: nobody can say.
        (["97530:GP x2", "97750:GP x1 by 1679576722"], [], [False]),
        (["97530:GP x2", "97750:GP x1 by 1679576722"], [PRV], [True]),
        (["97530:GP x2", "97750:GO x1 by 1679576722"], [PRV], []),
        (["97530:GP x2", "97750 x1 by 1679576722"], [PRV], [True]),
        (["97530:GP x2", "97750:GP x1 by 1679576722"], [OTHER_PRV], []),
        (["97530:GP x2 by 1679576722", "97750:GP x1 by 1679576722"], [OTHER_PRV], [True]),
        (["97530:GP x2 by 1679576722", "97750:GO x1 by 1679576722"], [OTHER_PRV], [True]),
        (["97530:GP x2 by 1679576722", "97750:GP x1 by 1234567893"], [], [False]),
        (["97530:GP x2 by 1679576722", "97750:GO x1 by 1234567893"], [], []),
        (["97530:GP x2", "97750:GP x1 by 1234567893"], [OTHER_PRV], [True]),
        (["97530:GP x2", "97750:GP x1 on 2026-02-04"], [], []),
        (["97530:GP x2 on 2026-02-03..2026-02-05", "97750:GP x1 on 2026-02-04"], [], []),
    ],
)
def test_a_pair_needs_one_provider_and_one_day(lines, edits, joined):
    pairs = facts({"lines": lines, "edit": edits}, "ptp_pair")
    assert [pair.values["one_provider"] for pair in pairs] == joined


def test_one_pair_for_a_column_2_line_and_the_unreleased_column_1_line_counts():
    (pair,) = facts({"lines": ["97530:GP:59 x1", "97530:GP x1", "97750:GP x1"]}, "ptp_pair")
    assert (pair.values["line_1"], pair.values["line_2"], pair.values["released_by"]) == (2, 3, ())
    both = facts({"lines": ["97530:GP x1", "97750:GP x1", "97750:GP:76 x1"]}, "ptp_pair")
    assert [p.values["line_2"] for p in both] == [2, 3]


# Units of a day


def test_units_of_a_day_are_added_up():
    first, second = facts(
        {"lines": ["97530:GP x4", "97110:GP x1", "97530:GP:76 x3", "97530:GP x1 on 2026-02-04"]}, "mue_day"
    )[:2]
    assert (first.values["code"], first.values["units"], first.values["lines"]) == ("97530", 7000, 3 - 1)
    assert (first.values["limit"], first.values["mai"]) == (6000, "3")
    assert first.stands_on[""][0].place("SV1").line == 3
    assert [p.place("SV1").line for p in first.stands_on["others"]] == [1]
    assert second.values["date"] == 20260204


def test_units_count_for_each_rendering_provider():
    days = facts({"lines": ["97530:GP x4", "97530:GP x4 by 1679576722"]}, "mue_day")
    assert [d.values["units"] for d in days] == [4000, 4000]


@pytest.mark.parametrize(
    ("units", "last", "a_day"),
    [
        ("12", "2026-02-04", 6000),
        ("14", "2026-02-04", 7000),
        ("13", "2026-02-04", 7000),
        ("25", "2026-02-06", 6000),
    ],
)
def test_units_of_several_days_are_divided(units, last, a_day):
    assert only({"lines": [f"97530:GP x{units} on 2026-02-03..{last}"]}, "mue_day")["units"] == a_day


def test_lines_that_overlap_meet_on_the_day_on_which_one_begins():
    days = facts(
        {"lines": ["97530:GP x12 on 2026-02-03..2026-02-05", "97530:GP x3 on 2026-02-04"]}, "mue_day"
    )
    assert [(d.values["date"], d.values["units"]) for d in days] == [(20260203, 4000), (20260204, 7000)]


def test_the_line_with_which_the_units_pass_the_limit_is_the_one_named():
    lines = ["97530:GP x3", "97530:GP:76 x3", "97530:GP:77 x3", "97530:GP:76:77 x3"]
    (day,) = facts({"lines": lines}, "mue_day")
    assert day.values["limit"] == 6000
    assert day.stands_on[""][0].place("SV1").line == 3
    assert [place.place("SV1").line for place in day.stands_on["others"]] == [1, 2, 4]


class Limits:
    """The built-in tables with other limits of units."""

    def __init__(self, mue):
        self.mue = mue

    def __getattr__(self, name):
        return getattr(built_in(), name)


def limit_of(code, on, mai="3"):
    """Six units a day, from 2026-02-04 on seven."""
    found = built_in().mue("97530", on)
    return found._replace(limit=6 + (on >= 20260204), mai=mai) if code == "97530" else None


def test_a_limit_of_a_line_keeps_lines_apart():
    example = {"lines": ["97530:GP x4", "97530:GP:76 x3"]}
    for mai, units in (("1", [4000, 3000]), ("2", [7000]), ("3", [7000])):
        tables = Limits(lambda code, on, mai=mai: limit_of(code, on, mai))
        assert [day.values["units"] for day in facts(example, "mue_day", tables=tables)] == units


def test_the_limit_is_that_of_the_day_and_not_of_the_line():
    example = {"lines": ["97530:GP x12 on 2026-02-03..2026-02-05", "97530:GP x3 on 2026-02-04"]}
    days = facts(example, "mue_day", tables=Limits(limit_of))
    assert [(day.values["date"], day.values["limit"]) for day in days] == [(20260203, 6000), (20260204, 7000)]


def test_codes_without_a_limit_are_counted_too():
    values = only({"lines": ["99213 x3"]}, "mue_day")
    assert (values["units"], values["limit"], values["mai"]) == (3000, None, "")


# Add-on codes


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["0770T:GP x1"], ()),
        (["97530:GP x1", "0770T:GP x1"], ("97530",)),
        (["97530:GP x1 on 2026-02-04", "0770T:GP x1"], ()),
        (["97530:GP x1 on 2026-02-01..2026-02-05", "0770T:GP x1"], ("97530",)),
        (["97530:GP x1 by 1679576722", "0770T:GP x1"], ("97530",)),
        (["97010:GP x1", "0770T:GP x1"], ()),
    ],
)
def test_primaries_of_an_add_on(lines, found):
    values = only({"lines": lines}, "addon")
    assert (values["found"], values["complete"]) == (found, True)


def test_a_primary_that_may_be_overlooked():
    example = {"lines": ["97530:GP x1", "0770T:GP x1"], "edit": [{"find": "SV1*", "set": {"1-1": "ZZ"}}]}
    assert only(example, "addon")["complete"] is False


# Therapy of a day


def test_a_therapy_day_without_minutes():
    values = only({"lines": ["97530:GP x2", "97110:GP x1", "97012:GP x1"]}, "therapy_day")
    assert (values["discipline"], values["method"], values["codes"]) == ("GP", "cms", ("97530", "97110"))
    assert (values["units"], values["least_minutes"]) == (3, 38)
    assert (values["minutes"], values["allowed"], values["minutes_expected"]) == (None, None, False)
    assert values["misplaced"] == ()
    assert values["provider_minutes"] == 38


def test_a_therapy_day_with_minutes():
    (day,) = facts({"lines": ["97530:GP x1 min 24", "97110:GP x2 min 23"]}, "therapy_day")
    values = day.values
    assert (values["units"], values["minutes"], values["allowed"]) == (3, 47, 3)
    assert values["misplaced"] == ("97110",)
    assert values["minutes_by_code"] == "97530 24 min, 97110 23 min"
    assert values["units_by_code"] == "97530 x1, 97110 x2"
    assert values["right_split"] == "97530 x2, 97110 x1"
    assert values["provider_minutes"] == 47
    assert day.stands_on[""][0].place("SV1", "SV104").line == 2
    assert [p.place("SV1").line for p in day.stands_on["others"]] == [1]


def test_the_profile_says_how_minutes_become_units():
    example = {"lines": ["97530:GP x1 min 8", "97110:GP x1 min 8", "97140:GP x1 min 8"]}
    assert only(example, "therapy_day")["allowed"] == 2
    assert only(example, "therapy_day", profile=AMA)["allowed"] == 3
    assert only({"lines": ["97530:GP x2", "97110:GP x1"]}, "therapy_day", profile=AMA)["least_minutes"] == 31


def test_disciplines_and_days_are_counted_apart():
    example = {"lines": ["97530:GP x1", "97110:GO x1", "97110:GP x1 on 2026-02-04"]}
    found = [
        (d.values["date"], d.values["discipline"], d.values["units"]) for d in facts(example, "therapy_day")
    ]
    assert found == [(20260203, "GP", 1), (20260203, "GO", 1), (20260204, "GP", 1)]


def test_a_line_without_discipline_belongs_to_the_only_one():
    values = only({"lines": ["97530:GP x2 min 20", "97110 x1 min 20"]}, "therapy_day")
    assert (values["discipline"], values["units"], values["allowed"]) == ("GP", 3, 3)
    assert facts({"lines": ["97530:GP x1", "97110 x1", "97140:GO x1"]}, "therapy_day") == []
    assert only({"lines": ["97530 x1"]}, "therapy_day")["discipline"] == ""


def test_the_assistants_part_of_a_code_is_counted_with_the_therapists():
    example = {"lines": ["97530:GP x1 min 23", "97530:GP:CQ x1 min 7 assistant 7"]}
    values = only(example, "therapy_day")
    assert (values["units"], values["allowed"], values["misplaced"]) == (2, 2, ())
    assert facts(example, "line")[1].values["assistant_minutes"] == 7


def test_an_add_on_for_further_minutes_is_counted_with_its_primary():
    values = only({"lines": ["97129:GN x1 min 23", "97130:GN x1 min 7"]}, "therapy_day")
    assert (values["allowed"], values["misplaced"]) == (2, ())


@pytest.mark.parametrize("lines", [["97530:GP x1.5 min 20"], ["97530:GP x20 MJ"]])
def test_units_that_are_not_whole_are_not_judged(lines):
    values = only({"lines": lines}, "therapy_day")
    assert (values["units"], values["allowed"], values["least_minutes"]) == (None, None, None)
    assert values["minutes"] == 20


@pytest.mark.parametrize(
    ("days", "judged"),
    [
        ("2026-02-02..2026-02-04", False),
        ("2026-02-02..2026-02-03", False),
        ("2026-02-03..2026-02-04", False),
        ("2026-02-01..2026-02-02", True),
        ("2026-02-04..2026-02-05", True),
    ],
)
def test_a_day_within_a_line_of_several_days_is_not_judged(days, judged):
    values = only({"lines": ["97530:GP x2 min 8", f"97110:GP x6 on {days}"]}, "therapy_day")
    expected = (2, 8, 1) if judged else (None, None, None)
    assert (values["units"], values["minutes"], values["allowed"]) == expected


def test_of_a_service_with_too_many_units_the_last_line_is_the_one_named():
    example = {"lines": ["97110:GP x1 min 12", "97110:GP:76 x1 min 11", "97530:GP x1 min 24"]}
    (day,) = facts(example, "therapy_day")
    assert day.values["misplaced"] == ("97110",)
    assert day.stands_on[""][0].place("SV1").line == 2


def test_minutes_are_expected_where_a_file_of_minutes_is_given():
    minutes = Minutes.parse("claim,line,minutes\nANOTHER,1,30\n", "minutes.csv")
    example = {"lines": ["97530:GP x1"]}
    assert only(example, "therapy_day", minutes=minutes)["minutes_expected"] is True
    assert only(example, "therapy_day")["minutes_expected"] is False


def test_what_a_provider_worked_is_added_up_over_claims():
    memory = InputMemory()
    each = [{"lines": [f"97530:GP x24 ${charge}.00"]} for charge in (100, 200, 300, 300)]
    worked = [only(example, "therapy_day", memory=memory)["provider_minutes"] for example in each]
    assert worked == [353, 706, 1059, 0]  # the last one is sent again
    example = each[0]
    replacement = example | {"claim": {"set": {"CLM05-3": "7"}}}
    assert only(replacement, "therapy_day", memory=memory)["provider_minutes"] == 0


ANN, BEN = "1234567893", "1679576722"


@pytest.mark.parametrize(
    ("lines", "ann", "ben"),
    [
        # Of several providers each is sure to have worked the edge of his own units alone.
        ([f"97530:GP x2 by {ANN}", f"97110:GP x1 by {BEN}"], 16, 1),
        ([f"97530:GP x1 by {ANN}", f"97110:GP x1 by {ANN}", f"97112:GP x3 by {BEN}"], 2, 31),
        # Minutes that are known count in place of what units tell, where those of all his lines are.
        ([f"97530:GP x2 by {ANN} min 31", f"97110:GP x1 by {BEN}"], 31, 1),
        ([f"97530:GP x1 by {ANN} min 23", f"97110:GP x2 by {ANN}", f"97112:GP x1 by {BEN}"], 17, 1),
        # One provider alone has worked for all the units of the day.
        ([f"97530:GP x2 by {ANN}", f"97110:GP x1 by {ANN}"], 38, 0),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_providers_of_one_day_have_each_their_own_minutes(lines, ann, ben, turned):
    worked = ProviderDays()
    example = {"lines": lines[::-1] if turned else lines}
    assert only(example, "therapy_day", provider_days=worked)["provider_minutes"] == max(ann, ben)
    assert [worked.add(npi, 20260203, 0) for npi in (ANN, BEN)] == [ann, ben]


def test_a_line_without_units_adds_no_minutes_and_takes_none():
    lines = [f"97530:GP x2 by {ANN}", f"97110:GP x1 by {ANN}", f"97112:GP x1 by {BEN}"]
    example = {"lines": lines, "edit": [{"find": "SV1*HC:97110", "set": {"4": "0"}}]}
    assert only(example, "therapy_day")["provider_minutes"] == 16


def test_a_day_of_nobody_is_added_to_nobody():
    worked = ProviderDays()
    example = {"lines": ["97530:GP x2"], "edit": [{"find": "NM1*85", "replace": "NM1*85*2*ALDER"}]}
    assert only(example, "therapy_day", provider_days=worked)["provider_minutes"] == 0
    assert worked.add("", 20260203, 0) == 0


def test_provider_days_stay_bounded(monkeypatch):
    monkeypatch.setattr(ProviderDays, "LIMIT", 2)
    worked = ProviderDays()
    assert [worked.add(npi, 20260203, 10) for npi in ("A", "B", "C", "A", "C")] == [10, 10, 10, 20, 10]


# Any input


@pytest.mark.long
def test_no_damage_makes_a_traceback():
    rng = random.Random(20261121)
    text = "~".join(s for s in example_text().split("~"))
    setting = Setting(20260302, built_in())
    for _ in range(300):
        characters = list(text)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(106, len(characters))
            characters[at] = rng.choice("*:~^A0- 9.\x00é")
            if rng.random() < 0.3:
                del characters[at : at + rng.randint(1, 40)]
        try:
            for part in read_parts(read_blocks(io.BytesIO("".join(characters).encode())), load()):
                for fact in facts_of(part, setting):
                    assert set(fact.values) == set(VOCABULARY[fact.kind].fields)
                    for placed in fact.stands_on.values():
                        for thing in placed:
                            thing.place("SV1", "SV101-3")
        except NotX12:
            pass


def example_text():
    from edi_checker.check.examples import write_example

    return write_example(EVERYTHING).text


def test_parts_above_claims_have_their_facts():
    found = {fact.kind: fact.values for fact in facts({}, "file", "transaction")}
    assert (found["file"]["usage"], found["file"]["date"]) == ("T", 20260302)
    assert (found["transaction"]["version"], found["transaction"]["created"]) == ("005010X222A1", 20260301)
    assert any(isinstance(part, Claim) for part in parts_of({}))


def test_a_claim_without_end_takes_no_time_without_end():
    setting = Setting(20260302, built_in())
    for lines, pairs in ((500, 250), (502, 0)):
        claim = claim_of({"lines": ["97530:GP x1", "97750:GP x1"] * (lines // 2)})
        claim.faults = ()
        start = time.process_time()
        found = [fact for fact in facts_of(claim, setting) if fact.kind == "ptp_pair"]
        assert time.process_time() - start < 3
        assert len(found) == pairs


def test_a_cut_claim_gives_no_more_than_its_faults():
    text = example_text()
    cut = text[: text.index("DTP*472") + 20]
    parts = list(read_parts(read_blocks(io.BytesIO(cut.encode())), load()))
    claim = next(part for part in parts if isinstance(part, Claim))
    assert not lines_can_be_trusted(claim)
    assert {fact.kind for fact in facts_of(claim, Setting(20260302, built_in()))} <= {"fault"}


def test_repeated_roles_are_named_once():
    example = {"edit": [{"find": "NM1*DN", "append": "NM1*P3*1*CEDAR*CLARA****XX*1679576722"}]}
    assert only(example, "claim")["providers"] == ("DN", "P3")
    assert only({"lines": ["97530:GP x1 by 1679576722"]}, "line")["providers"] == ("DN", "82")


def test_a_date_of_a_line_without_service_date_is_not_lost():
    example = {"lines": ["97530:GP x2"], "edit": [{"find": "DTP*472", "set": {"1": "455"}}]}
    claim = claim_of(example)
    claim.faults = ()
    found = [f for f in facts_of(claim, Setting(20260302, built_in())) if f.kind == "claim_date"]
    assert [f.values["qualifier"] for f in found] == ["455"]


def test_a_provider_day_stands_for_one_provider_and_one_day():
    said = [
        (npi, on)
        for npi in ("1234567893", "0234567893", "234567893", "", "123456789X", "١٢٣٤٥٦٧٨٩٣")
        for on in (20260101, 20260102)
    ]
    assert len({provider_day(npi, on) for npi, on in said}) == len(said)
    assert isinstance(provider_day("1234567893", 20260101), int)
