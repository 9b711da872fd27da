"""Forms of member ids: Medicare's by position, those of a payer's profile, and what is refused as a form."""

import json
import time

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.check.examples import write_example
from edi_checker.claims.profile import LONGEST_MEMBER_ID
from edi_checker.cli import commands
from edi_checker.reference.codesets.member_ids import judge_medicare_id
from edi_checker.rules.member_id_forms import member_id_pattern
from edi_checker.rules.profile_file import ProfileError, read_profiles

DIGITS, FIRST, LETTERS = "0123456789", "123456789", "ACDEFGHJKMNPQRTUVWXY"
POSITIONS = [
    *(FIRST, LETTERS, LETTERS + DIGITS, DIGITS, LETTERS, LETTERS + DIGITS, DIGITS),
    *(LETTERS, LETTERS, DIGITS, DIGITS),
]


@given(st.tuples(*(st.sampled_from(each) for each in POSITIONS)).map("".join), st.booleans())
def test_an_identifier_of_medicare(text, lower):
    said = text.lower() if lower else text
    assert judge_medicare_id(said) == ("" if said == said.upper() else "lower-case")


@given(
    st.tuples(*(st.sampled_from(each) for each in POSITIONS)),
    st.integers(0, 10),
    st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ- \u0130\u0661"),
)
def test_each_position_has_its_kind(characters, position, other):
    text = "".join((*characters[:position], other, *characters[position + 1 :]))
    assert (judge_medicare_id(text) == "") == (other in POSITIONS[position])


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("1EG4TE5MK73", ""),
        ("1EG4-TE5-MK73", "medicare"),
        ("1EG4TE5MK7", "medicare"),
        ("1EG4TE5MK733", "medicare"),
        ("0EG4TE5MK73", "medicare"),
        ("123456789A", "former"),
        ("123456789C1", "former"),
        ("123456789WA", "former"),
        ("123456789", "medicare"),
        ("A123456", "former"),
        ("WCD123456789", "former"),
        ("WCD1234567", "medicare"),
        ("W123456789", "former"),
        ("W00000001", "medicare"),
        ("", "medicare"),
    ],
)
def test_what_medicare_had_before_is_told_apart(text, judged):
    assert judge_medicare_id(text) == judged


# -- forms of payers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forms", "right", "wrong"),
    [
        (["W[0-9]{9}"], ["W123456789", "w123456789"], ["W12345678", "XW123456789", "W12345678\u0661"]),
        ([r"[A-Z]{3}\d{9,12}"], ["ABC123456789", "ABC123456789012"], ["AB1234567890", "ABC1234567890123"]),
        (["[0-9]{8}", "H[0-9]{8}-?0[12]"], ["12345678", "H12345678-01", "H1234567802"], ["H12345678"]),
    ],
)  # fmt: skip
def test_a_form_is_matched_as_a_whole(forms, right, wrong):
    pattern = member_id_pattern(forms)
    assert all(map(pattern.fullmatch, right))
    assert not any(map(pattern.fullmatch, wrong))


@pytest.mark.parametrize(
    "form",
    [
        *("(a+)+", "(a|a)", "W[0-9]*", "W[0-9]+", "W.{3}", "[^A]", "[A-Z", "[Z-A]", "[]", "W{3,2}", "W{99}"),
        *("W{", "W\\d{8", "\\w{4}", "^W", "W$", "W??", "W{2}+", "", "A" * 61, "W\n", "W\u0661"),
        "[A-Z]{1,20}[A-Z]{1,20}[A-Z]{1,20}[A-Z]{1,20}1",
    ],
)
def test_what_is_no_form_or_could_take_for_ever_is_refused(form):
    with pytest.raises(ValueError, match="not a format of a member id"):
        member_id_pattern([form])
    with pytest.raises(ValueError, match="one to 10 forms"):
        member_id_pattern(["W"] * 11)


def test_the_worst_form_is_quick():
    pattern = member_id_pattern(["[A-Z]{0,80}[A-Z]{0,80}[A-Z]{0,80}1"] * 10)
    begin = time.process_time()
    assert not pattern.fullmatch("A" * LONGEST_MEMBER_ID)
    assert time.process_time() - begin < 2  # 50 ms on an idle machine


@given(st.text(alphabet="W0129AZ[]{},-?\\d(+*. ", max_size=20), st.text(max_size=80))
def test_no_form_makes_matching_fail(form, text):
    try:
        pattern = member_id_pattern([form])
    except ValueError:
        return
    pattern.fullmatch(text)


# -- profiles and claims ------------------------------------------------------------------------------------

WILLOW = "inherits: commercial\npayers: [WILLOW]\nmember_id: ['W[0-9]{9}', 'H[0-9]{8}']\n"


def check(tmp_path, member, *, payer="commercial", payer_id="WILLOW", profile=WILLOW, engine="durable"):
    (tmp_path / "willow.yaml").write_text(profile)
    file = tmp_path / "claims.837"
    edit = [{"find": "NM1*IL", "set": {"9": member}}]
    file.write_text(write_example({"claim": {"payer": payer, "payer_id": payer_id}, "edit": edit}).text)
    words = ["check", str(file), "--format", "json", "--received", "2026-03-02", "--no-progress"]
    words += ["--profile", str(tmp_path / "willow.yaml"), "--engine", engine]
    (checked,) = json.loads(CliRunner().invoke(commands, words).stdout)["files"]
    return [each for each in checked["findings"] if each["rule"] == "code.member-id"]


@pytest.mark.long
@pytest.mark.parametrize("engine", ["durable", "python"])
def test_a_payers_own_form_is_asked_of_its_claims(tmp_path, engine):
    (finding,) = check(tmp_path, "X123456789", engine=engine)
    assert (finding["severity"], finding["snip"]) == ("error", 7)
    assert finding["status"] == {"277CA": ["A7:164:IL"]}
    where = finding["where"]
    assert (where["loop"], where["segment"], where["element"], where["claim"]) == (
        "2010BA",
        "NM1",
        "NM109",
        "EXAMPLE1",
    )
    assert "X123456789" not in json.dumps(finding)
    assert check(tmp_path, "W123456789", engine=engine) == []
    assert check(tmp_path, "H12345678", engine=engine) == []
    assert check(tmp_path, "X123456789", payer_id="OTHER", engine=engine) == []


@pytest.mark.long
def test_a_payers_form_takes_the_place_of_medicares(tmp_path):
    own = WILLOW.replace("commercial", "medicare")
    assert check(tmp_path, "W123456789", payer="medicare", profile=own) == []
    (finding,) = check(tmp_path, "1EG4TE5MK73", payer="medicare", profile=own)
    assert "profile willow" in finding["message"]
    none = "inherits: medicare\npayers: [WILLOW]\n"
    assert check(tmp_path, "1EG4TE5MK73", payer="medicare", profile=none) == []
    (finding,) = check(tmp_path, "W12345678", payer="medicare", profile=none)
    assert "Medicare Beneficiary Identifier" in finding["message"]


def test_a_severity_of_the_profile_holds(tmp_path):
    own = WILLOW + "severity:\n  rules: {code.member-id: warning}\n"
    assert [each["severity"] for each in check(tmp_path, "X1", profile=own)] == ["warning"]
    assert check(tmp_path, "X1", profile=WILLOW + "rules:\n  off: [code.member-id]\n") == []


def test_a_form_is_inherited(tmp_path):
    (tmp_path / "willow.yaml").write_text(WILLOW)
    (tmp_path / "oak.yaml").write_text("inherits: willow\npayers: [OAK]\n")
    profiles = {each.name: each for each in read_profiles(tmp_path).profiles}
    assert profiles["oak"].member_id is profiles["willow"].member_id


def test_a_form_that_is_refused_is_named_with_its_line(tmp_path):
    path = tmp_path / "willow.yaml"
    path.write_text(WILLOW.replace("W[0-9]{9}", "(W+)+"))
    with pytest.raises(ProfileError, match=r"willow\.yaml:3: '\(W\+\)\+' is not a format of a member id"):
        read_profiles(path)


def test_an_organization_or_a_missing_id_is_not_judged(tmp_path):
    assert check(tmp_path, "") == []
    (tmp_path / "claims.837").unlink()


@pytest.mark.long
def test_the_check_digit_of_npis_can_be_switched_off(tmp_path):
    """The switch stands in the profile, and on the command line."""
    file = tmp_path / "claims.837"
    file.write_text(write_example({"edit": [{"find": "NM1*85", "set": {"9": "1234567890"}}]}).text)
    (tmp_path / "lenient.yaml").write_text("inherits: medicare\nrules:\n  off: [code.npi]\n")

    def rules(*more):
        words = ["check", str(file), "--format", "ndjson", "--received", "2026-03-02", "--no-progress"]
        said = CliRunner().invoke(commands, [*words, *more]).stdout
        return [json.loads(line)["rule"] for line in said.splitlines()]

    assert "code.npi" in rules()
    assert "code.npi" not in rules("--profile", str(tmp_path / "lenient.yaml"))
    assert "code.npi" not in rules("--ignore", "code.npi")
