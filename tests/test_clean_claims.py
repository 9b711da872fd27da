"""Clean claims of every kind give no error and no warning, twenty thousand of them."""

from __future__ import annotations

import io
from collections import Counter

import pyx12_oracle
from generate_claims import KINDS, generate
from probe import make_checker


def test_clean_claims_give_no_error_and_no_warning():
    text = "".join(generate(20_000, seed=7, every_kind=True))
    said: dict[str, str] = {}
    outcomes: Counter[str] = Counter()
    for checked in make_checker().check(io.BytesIO(text.encode())):
        if type(checked.part).__name__ == "Claim":
            outcomes[checked.outcome] += 1
        said |= {f.rule: f.message for f in checked.findings if f.severity != "info"}
    assert said == {}
    assert outcomes == {"accepted": 20_000}


def test_pyx12_accepts_claims_of_every_kind():
    text = "".join(generate(400, seed=8, every_kind=True))
    for sign in ("A0425", "01402", "E0143", "80053", "LIN**N4", "99232", "90686", "*23*0~", "SVD*"):
        assert sign in text, sign
    assert len(KINDS) >= 11
    assert pyx12_oracle.ask(text) == []


def test_other_kinds_leave_what_is_generated_without_them_alone():
    plain = "".join(generate(40, seed=5, invalid=0.3))
    assert "CLM*K" not in plain
    assert "CLM*K" in "".join(generate(40, seed=5, every_kind=True))
