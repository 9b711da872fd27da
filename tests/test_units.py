"""Minutes to units: the published examples, the edges, and what must hold for any minutes."""

from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.reference.units import least_minutes, work
from paths import facts_table

EXAMPLES = facts_table("eight_minute_examples.csv")


def counts(text):
    return {code: int(count) for code, count in (part.split("=") for part in text.split(";"))}


def allows(working, billed):
    """Whether units billed are one of the right ways."""
    return working.misplaced(billed) == () and sum(billed.values()) == working.total


def test_there_are_47_worked_examples():
    assert len(EXAMPLES) == 47


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["example_id"])
def test_worked_example(row):
    minutes = counts(row["minutes"])
    cms = work(minutes, "cms")
    assert cms.total == int(row["cms_total_units"])
    assert allows(cms, counts(row["cms_units"]))
    assert counts(row["cms_units"]) in list(cms.allocations())
    assert (len(list(cms.allocations())) > 1) is (row["cms_tie"] == "Y")
    ama = work(minutes, "ama")
    assert ama.total == int(row["ama_total"])
    assert list(ama.allocations()) == [counts(row["ama_units"])]


@pytest.mark.parametrize(
    ("minutes", "units"),
    [(0, 0), (7, 0), (8, 1), (22, 1), (23, 2), (37, 2), (38, 3), (52, 3), (53, 4), (127, 8), (128, 9)],
)
def test_one_service_at_the_edges(minutes, units):
    assert work({"97530": minutes}).total == units
    assert work({"97530": minutes}, "ama").total == units


def test_the_larger_rest_takes_the_unit_that_is_left():
    working = work({"97112": 24, "97110": 23})
    assert allows(working, {"97112": 2, "97110": 1})
    assert not allows(working, {"97112": 1, "97110": 2})
    assert working.misplaced({"97112": 1, "97110": 2}) == ("97110",)


def test_less_than_eight_minutes_can_earn_a_unit():
    assert allows(work({"97110": 33, "97140": 7}), {"97110": 2, "97140": 1})


def test_any_of_equal_rests_is_right():
    working = work({"97112": 7, "97110": 7, "97140": 7})
    assert working.total == 1
    for billed in ({"97112": 1}, {"97110": 1}, {"97140": 1}):
        assert allows(working, {"97112": 0, "97110": 0, "97140": 0} | billed)
    assert not allows(working, {"97112": 1, "97110": 1, "97140": 0})
    assert working.misplaced({"97112": 1, "97110": 1, "97140": 0}) == ("97110",)


def test_a_service_without_minutes_earns_nothing():
    assert work({"97530": 40, "97110": 0}).misplaced({"97530": 2, "97110": 1}) == ("97110",)
    assert work({"97530": 40}).misplaced({"97530": 2, "97110": 1}) == ("97110",)


def test_the_methods_differ():
    minutes = {"97530": 8, "97110": 8, "97140": 8}
    assert (work(minutes, "cms").total, work(minutes, "ama").total) == (2, 3)


def test_minutes_below_zero_are_refused():
    with pytest.raises(ValueError, match="below zero"):
        work({"97530": -1})


@pytest.mark.parametrize(("units", "minutes"), [(0, 0), (1, 8), (2, 23), (4, 53)])
def test_units_need_at_least_so_many_minutes(units, minutes):
    assert least_minutes(units) == minutes
    assert work({"97530": minutes}).total == units
    assert minutes == 0 or work({"97530": minutes - 1}).total == units - 1


services = st.dictionaries(st.sampled_from(["A", "B", "C", "D", "E"]), st.integers(0, 70), min_size=1)


@given(services, st.sampled_from(["cms", "ama"]))
def test_every_right_way_adds_up_and_is_allowed(minutes, method):
    working = work(minutes, method)
    for split in islice(working.allocations(), 50):
        assert sum(split.values()) == working.total
        assert allows(working, split)
        assert working.misplaced(split) == ()
        for service, units in split.items():
            assert minutes[service] // 15 <= units <= minutes[service] // 15 + 1


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(0, 50), min_size=1),
    st.sampled_from(["cms", "ama"]),
)
def test_allowed_is_the_same_as_being_one_of_the_right_ways(minutes, method):
    working = work(minutes, method)
    right = list(working.allocations())
    for units in product(range(5), repeat=len(minutes)):
        billed = dict(zip(minutes, units, strict=True))
        assert allows(working, billed) is (billed in right)
        within = any(all(billed[s] <= split[s] for s in billed) for split in right)
        assert (working.misplaced(billed) == ()) is within


@given(services)
def test_rests_never_earn_more_than_one_unit_each(minutes):
    working = work(minutes)
    assert len(working.certain) + working.spare <= sum(1 for m in minutes.values() if m % 15)
