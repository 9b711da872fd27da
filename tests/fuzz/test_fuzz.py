"""Fuzzing without a guide: damaged good inputs and plain noise go through every target.

EDI_CHECKER_FUZZ=1000 tries so many inputs for each target, for a longer search than the suite's.
"""

from __future__ import annotations

import io
import os

import pytest
import seeds
import targets
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edi_checker.check import checker

EXAMPLES = int(os.environ.get("EDI_CHECKER_FUZZ", "40"))
QUIET = settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))

# What no sender means to send: controls, delimiters, marks that turn the writing round, halves of surrogate
# pairs, a byte order mark, digits that are not ASCII's, an id that opens a level.
ODD = (
    *(
        b"\x00",
        b"\x1a",
        b"\x7f",
        b"\r\n",
        b"\x1b[31m",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc3",
    ),
    *(
        b"*",
        b"~",
        b":",
        b"^",
        b"**********",
        b"~~~",
        b":::::::",
        b"*ZZ",
        b"\xe2\x80\xae",
        b"\xd9\xa3",
        b"\xc2\xb2",
    ),
    *(b"ISA*00*", b"~HL*1**20*1~", b"~CLM*", b"~SE*1*1~", b"~LX*1~", b"~IEA*0*0~", b"~GS*HC~", b"~ST*837~"),
    *(
        b"-",
        b"9" * 400,
        b"0.",
        b"1e9",
        b"NaN",
        b"-0",
        b"20260230",
        b"99999999",
        b"00000000",
        b"=1+1",
        b"<b>",
        b"\"'",
    ),
    *(b"&a ", b"*a", b"!!python/object:x", b"{[" * 60, b"{{", b"{line.", b"$line.", b"\n- ", b"\t", b"? "),
)


@st.composite
def damaged(draw, name):
    """One of the target's seeds, hurt in up to four places; or nothing but noise."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    data = draw(st.sampled_from(seeds.seeds_of(name)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from((0, 0, 1, 1, 2, 8, 40, 200))))
        kind = draw(st.integers(0, 3))
        put = (
            draw(st.sampled_from(ODD))
            if kind < 2
            else draw(st.binary(max_size=3))
            if kind == 2
            else data[at:end] * 2
        )
        data = data[:at] + put + data[end:]
    return data


def _test_of(name):
    @settings(QUIET, max_examples=EXAMPLES // 4 if name == "files" else EXAMPLES)
    @example(b"")
    @given(damaged(name))
    def test(data):
        targets.TARGETS[name](data)

    return test


@pytest.mark.parametrize("name", targets.TARGETS)
def test_nothing_breaks(name):
    _test_of(name)()


# A target that refuses everything would find nothing.
def test_the_seeds_are_taken(tmp_path):
    assert not isinstance(targets._verdict(targets.checker(), seeds.seeds_of("claims")[0]), str)
    for name, data in (
        ("odd/one.yaml", seeds.RULE),
        ("one.yaml", seeds.PROFILE),
        ("edi-checker.toml", seeds.CONFIG),
        ("one.minutes.csv", seeds.MINUTES),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert targets.rules.load((tmp_path / "odd",), packaged=False).rules
    assert targets.read_profiles(tmp_path / "one.yaml").profiles
    assert targets.read_config(tmp_path / "edi-checker.toml", ("check",))
    assert len(targets.read_minutes(tmp_path / "one.minutes.csv")) == 2
    assert len(list(targets.explain(io.BytesIO(seeds.ACK), targets.load_guide()))) > 3


@pytest.mark.parametrize("data", seeds.TABLES, ids=lambda data: targets.TABLE_NAMES[data[0]])
def test_the_seeds_of_tables_are_taken(data, tmp_path):
    path = tmp_path / targets.TABLE_NAMES[data[0]]
    path.write_bytes(data[1:])
    assert targets.run_import(
        tmp_path / "store", targets.plan_import([str(path)], 20240701), accept_shrinkage=True
    )


def test_a_target_raises_where_a_part_cannot_be_checked(monkeypatch):
    def fail(*_):
        raise KeyError("of ours")

    monkeypatch.setattr(checker, "facts_of", fail)
    with pytest.raises(AssertionError):
        targets.claims(seeds.seeds_of("claims")[0])
