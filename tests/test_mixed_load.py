"""The bench of the server: what it asks is what it says, and its verdict falls where it should."""

from __future__ import annotations

import json

import pytest

import mixed_load
from mixed_load import KINDS, Asked, Bodies, Sample, Seen, judge, peaks, percentiles
from serving import Inline

CALM = [Sample(float(at), 100.0, 50.0, 9) for at in range(30)]
NO_DEATHS = {"deaths": 0, "renewals": 3}


@pytest.fixture(scope="module")
def served():
    return Inline(most_body=2 << 20)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered_as_it_may_be(served, kind):
    bodies = Bodies(1)
    for _ in range(6):
        asked = KINDS[kind][1](bodies)
        assert served.ask(asked.method, asked.path, asked.body, asked.headers).status in asked.may


def test_no_two_made_files_are_the_same():
    made = {Bodies(client).any() for client in range(50)}
    assert len(made) > 25  # samples come again


def test_what_must_not_be_is_told():
    seen = Seen()
    for status, retry in ((200, None), (503, "5"), (503, None), (500, None)):
        seen.note("units", Asked("GET", "/"), status, 0.1, retry)
    grown = [each._replace(rss=100.0 + (at >= 20) * 6) for at, each in enumerate(CALM)]
    assert judge(seen, {"server": CALM, "workers": grown}, {"deaths": 1, "renewals": 0}) == [
        "units: 503, 1 times",
        "units: 500, 1 times",
        "1 workers died",
        "workers grew from 100.0 to 106.0 MB",
    ]
    assert judge(Seen(), {"server": CALM}, NO_DEATHS) == []


def test_memory_is_compared_by_its_peaks():
    jagged = [each._replace(rss=80.0 + at % 10) for at, each in enumerate(CALM)]
    assert peaks(jagged) == (89.0, 89.0)
    assert percentiles([0.001 * number for number in range(1, 102)])["p95"] == 96.0
    assert percentiles([0.5])["p99"] == 500.0


@pytest.mark.long
def test_it_asks_a_server(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    mixed_load.main(["--minutes", "0.1", "--every", "1", "--pause", "0.05", "--json", str(figures)])
    done = json.loads(figures.read_text())
    # In so short a time memory may grow; nothing else may be wrong.
    assert [said for said in done["wrong"] if " grew from " not in said] == []
    assert done["answers"] > 10
    assert set(done["memory"]) == {"server", "foreman", "workers"}
    assert "workers that died: 0" in capsys.readouterr().out
