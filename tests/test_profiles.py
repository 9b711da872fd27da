"""Profiles: which claims get one, what it changes and inherits, what is refused with file and line."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from edi_checker.acks.ack277ca import statuses
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example
from edi_checker.claims.minutes import minutes_in_note, note_pattern
from edi_checker.claims.payer_profiles import AUTO, BUILT_IN, BY_PAYER, COMMERCIAL, MEDICARE, Choice
from edi_checker.claims.profile import PRESETS, Profile, nearest
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.rules import load
from edi_checker.rules.profile_file import ProfileError, read_profiles

DISCIPLINE = {"medicare": "error", "default": "warning"}


@cache
def rulebook():
    return load()


@pytest.fixture
def write(tmp_path):
    def write_files(**files):
        for name, text in files.items():
            (tmp_path / f"{name.replace('_', '-')}.yaml").write_text(text)
        return tmp_path

    return write_files


def one(folder, name):
    return {profile.name: profile for profile in read_profiles(folder).profiles}[name]


def findings(example, profile, isolation=None):
    setting = Setting(20260302, built_in(), profile=profile)
    checker = Checker(load_guide(), Engine(rulebook(), "python"), setting, isolation)
    return {finding.rule: finding for finding in run_example(checker, example)}


# -- what a profile makes of a rule --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "level"),
    [
        (Profile("x"), "warning"),
        (Profile("medicare"), "error"),
        (Profile("x", inherits=("medicare",)), "error"),
        (Profile("x", inherits=("y", "commercial")), "warning"),
        (Profile("x", severities={"therapy.discipline": "info"}), "info"),
        (Profile("x", severities={"therapy": "info"}), "info"),
        (Profile("x", severities={"therapy": "info", "therapy.discipline": "error"}), "error"),
        (Profile("x", severities={"therapy.disc": "info"}), "warning"),
        (Profile("x", snip_severities={6: "error"}), "error"),
        (Profile("x", snip_severities={7: "error"}), "warning"),
        (Profile("x", snip_severities={6: "off"}), "off"),
        (Profile("x", snip_severities={6: "error"}, severities={"therapy": "info"}), "info"),
        (Profile("x", switches={"therapy": False}), "off"),
        (Profile("x", switches={"therapy": False, "therapy.discipline": True}), "warning"),
        (Profile("x", switches={"therapy": True, "therapy.discipline": False}), "off"),
        (Profile("x", switches={"therapy": False}, severities={"therapy.discipline": "error"}), "off"),
    ],
)
def test_level_of_a_rule(profile, level):
    assert profile.level("therapy.discipline", 6, DISCIPLINE) == level


def test_an_info_is_no_fault_that_its_snip_type_could_raise():
    raised = Profile("x", snip_severities={6: "error"})
    assert raised.level("a.b", 6, {"default": "info"}) == "info"
    assert Profile("x", snip_severities={6: "off"}).level("a.b", 6, {"default": "info"}) == "off"
    assert Profile("x", severities={"a.b": "error"}).level("a.b", 6, {"default": "info"}) == "error"


def test_a_rule_for_some_profiles_is_for_those_that_inherit_from_them():
    only = ("medicare",)
    assert MEDICARE.level("a.b", 6, DISCIPLINE, only) == "error"
    assert COMMERCIAL.level("a.b", 6, DISCIPLINE, only) == "off"
    assert Profile("x", inherits=("medicare",)).level("a.b", 6, DISCIPLINE, only) == "error"
    assert (
        Profile("x", inherits=("commercial",), switches={"a": True}).level("a.b", 6, DISCIPLINE, only)
        == "warning"
    )


def test_on_takes_up_a_rule_that_is_off():
    written = {"medicare": "error", "default": "off"}
    assert COMMERCIAL.level("a.b", 6, written) == "off"
    assert replace(COMMERCIAL, switches={"a.b": True}).level("a.b", 6, written) == "error"
    assert replace(COMMERCIAL, switches={"a.b": True}).level("a.b", 6, {"default": "off"}) == "off"


@pytest.mark.parametrize(
    ("rule", "said"), [("a", 1), ("a.b", 2), ("a.c", 1), ("a.b.c", 2), ("ab", None), ("b", None)]
)
def test_the_longest_name_counts(rule, said):
    assert nearest({"a": 1, "a.b": 2}, rule) == said


# -- files ---------------------------------------------------------------------------------------------------


def test_everything_that_a_profile_says(write):
    folder = write(
        willow="""\
inherits: commercial
payers: [willow1, "99002"]
filing_indicators: [BL]
rules: {off: [duplicate], on: [duplicate.line]}
severity:
  rules: {therapy.discipline: error}
  snip: {7: off}
unit_method: ama
statuses: mac
isolation: transaction
minutes_note: [TX TIME nn]
"""
    )
    read = read_profiles(folder / "willow.yaml")
    profile = one(folder, "willow")
    assert (profile.name, profile.inherits, profile.unit_method) == ("willow", ("commercial",), "ama")
    assert profile.switches == {"duplicate": False, "duplicate.line": True}
    assert profile.severities == {"therapy.discipline": "error"}
    assert profile.snip_severities == {7: "off"}
    assert profile.statuses == PRESETS["mac"]
    assert profile.isolation == "transaction"
    assert minutes_in_note("TX TIME 25", profile.minutes_note) == 25
    assert read.choice.by_payer.keys() == {*BY_PAYER, "WILLOW1", "99002"}
    assert read.choice.by_filing_indicator["BL"].name == "willow"
    assert read.choice.by_filing_indicator["MB"] is MEDICARE
    assert read.choice.others is COMMERCIAL
    read.check_rules([rule.id for rule in rulebook().rules])


@pytest.mark.parametrize("name", ["../house", "a/b", "x" * 5000, "House", "a\\0b"])
def test_no_profile_is_sought_by_a_name_that_is_none(write, name):
    folder = write(acme=f'inherits: "{name}"\n')
    for path in (folder, folder / "acme.yaml"):
        with pytest.raises(ProfileError) as caught:
            read_profiles(path)
        [fault] = caught.value.faults
        assert fault.line == 1


def test_what_is_inherited(write):
    folder = write(
        house="inherits: medicare\nunit_method: ama\n"
        "severity: {rules: {therapy: info, ncci: info}, snip: {5: off}}\n"
        "statuses: mac\nisolation: transaction\nminutes_note: nn M\nrules: {off: [duplicate]}\n",
        acme="inherits: house\npayers: [A1]\nseverity: {rules: {ncci: error}}\nrules: {on: [duplicate]}\n"
        'statuses: {errors: {duplicate: ["A3:54"]}}\n',
    )
    acme = one(folder, "acme")
    assert acme.names == ("acme", "house", "medicare")
    assert (acme.unit_method, acme.isolation) == ("ama", "transaction")
    assert acme.severities == {**BUILT_IN["medicare"].severities, "therapy": "info", "ncci": "error"}
    assert acme.snip_severities == {5: "off"}
    assert acme.switches == {"duplicate": True}
    assert acme.statuses.errors["ncci"] == ("A3:23:41",)
    assert acme.statuses.errors["duplicate"] == ("A3:54",)
    assert minutes_in_note("20 M", acme.minutes_note) == 20
    # The one beside it is found where the file alone is named, and takes no claims then.
    read = read_profiles(folder / "acme.yaml")
    assert {profile.name for profile in read.profiles} == {"acme", "house"}
    assert read.choice.others is COMMERCIAL


def test_a_preset_begins_anew(write):
    folder = write(
        house='inherits: medicare\nstatuses: {errors: {duplicate: ["A3:54"]}}\n',
        acme="inherits: house\nstatuses: {preset: mac}\n",
    )
    assert "duplicate" not in one(folder, "acme").statuses.errors


def test_who_takes_the_claims_that_no_payer_names(write):
    folder = write(
        house="inherits: medicare\n",
        acme="inherits: house\npayers: [A1]\n",
        rest="inherits: commercial\n",
    )
    choice = read_profiles(folder).choice
    assert choice.others.name == "rest"
    assert choice.by_filing_indicator == {}
    alone = read_profiles(folder / "rest.yaml").choice
    assert (alone.by_payer, alone.others.name) == ({}, "rest")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("unit_method: ama\n", 1, "lacks the key 'inherits'"),
        ("inherits: medicare\nunits: ama\n", 2, "no key 'units'"),
        ("inherits: moon\n", 1, "there is no profile 'moon'"),
        ("inherits: acme\n", 1, "inherits from itself"),
        ("inherits: medicare\nunit_method: both\n", 2, "cms or ama"),
        ("inherits: medicare\nisolation: file\n", 2, "claim or transaction"),
        ("inherits: medicare\nstatuses: none\n", 2, "no preset 'none'"),
        ('inherits: medicare\nstatuses:\n  errors: {ncci: ["A2:20"]}\n', 3, "not a status for this place"),
        ('inherits: medicare\nstatuses:\n  errors: {ncci: ["A3:1", "A3:1"]}\n', 3, "each once"),
        ("inherits: medicare\nseverity:\n  rules: {therapy.kx: bad}\n", 3, "no severity 'bad'"),
        ("inherits: medicare\nseverity:\n  snip: {8: off}\n", 3, "1 to 7"),
        ("inherits: medicare\nseverity: error\n", 2, "severity is {rules"),
        ("inherits: medicare\nrules:\n  off: [Therapy!]\n", 3, "not a rule id"),
        ("inherits: medicare\nrules: {off: [ncci], on: [ncci]}\n", 2, "listed twice"),
        ("inherits: medicare\nrules: {off: ncci}\n", 2, "is a list of rules"),
        ("inherits: medicare\npayers: 99002\n", 2, "a list of payer ids"),
        ("inherits: medicare\npayers: [a1, A1]\n", 2, "listed twice"),
        ("inherits: medicare\nfiling_indicators: [M]\n", 2, "not a claim filing indicator"),
        ("inherits: medicare\nminutes_note: (a+)+$\n", 2, "not a form for minutes"),
        ("inherits: medicare\ninherits: medicaid\n", 2, "there twice"),
        ("inherits: [medicare\n", 2, "not YAML"),
        ("- a\n", 1, "not a mapping"),
    ],
)
def test_what_is_refused_with_its_line(write, text, line, reason):
    folder = write(acme=text)
    with pytest.raises(ProfileError) as caught:
        read_profiles(folder)
    [fault] = caught.value.faults
    assert reason in fault.reason
    assert (fault.path, fault.line) == (str(folder / "acme.yaml"), line)


def test_everything_wrong_is_said_at_once(write):
    folder = write(
        acme="inherits: medicare\nunit_method: x\nisolation: y\n", house="inherits: medicare\npayers: 1\n"
    )
    with pytest.raises(ProfileError) as caught:
        read_profiles(folder)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 2]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a": "inherits: b\n", "b": "inherits: a\n"}, "inherits from itself"),
        ({"a": "inherits: medicare\n", "b": "inherits: medicare\n"}, "also names no payers"),
        (
            {"a": "inherits: medicare\npayers: [X1]\n", "b": "inherits: medicare\npayers: [x1]\n"},
            "payer 'X1' already belongs to a",
        ),
        ({"medicare": "inherits: medicaid\n"}, "not medicare"),
        ({"auto": "inherits: medicaid\n"}, "auto"),
        ({"Acme": "inherits: medicaid\n"}, "lower case"),
        (
            {f"p{n}": f"inherits: p{n + 1}\n" for n in range(30)} | {"p30": "inherits: medicare\n"},
            "more than 20",
        ),
        ({}, "without profiles"),
    ],
)
def test_folders_that_are_refused(write, files, reason):
    with pytest.raises(ProfileError, match=reason):
        read_profiles(write(**files))


def test_a_rule_that_is_not_there_is_refused(write):
    read = read_profiles(
        write(acme="inherits: medicare\nrules: {off: [therapy]}\nseverity:\n  rules: {ncci.ptq: off}\n")
    )
    with pytest.raises(ProfileError, match=r"acme.yaml:4: no rule is called 'ncci.ptq'"):
        read.check_rules([rule.id for rule in rulebook().rules])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read"):
        read_profiles(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"inherits: \x00", b"{" * 5000, b"", b"inherits: &a medicare\n", b"a" * 70000]
)
def test_no_file_is_too_strange(tmp_path, data):
    (tmp_path / "acme.yaml").write_bytes(data)
    with pytest.raises(ProfileError):
        read_profiles(tmp_path / "acme.yaml")


# -- claims --------------------------------------------------------------------------------------------------

NO_DISCIPLINE = {"lines": ["97530 x2"], "claim": {"payer": "commercial", "payer_id": "W1"}}


def test_a_claim_is_held_to_the_profile_of_its_payer(write):
    read = read_profiles(
        write(willow="inherits: commercial\npayers: [w1]\nseverity: {rules: {therapy.discipline: error}}\n")
    )
    assert findings(NO_DISCIPLINE, read.choice)["therapy.discipline"].severity == "error"
    other = {**NO_DISCIPLINE, "claim": {"payer": "commercial", "payer_id": "W2"}}
    assert findings(other, read.choice)["therapy.discipline"].severity == "warning"
    medicare = {**NO_DISCIPLINE, "claim": {"payer": "medicare", "payer_id": "W2"}}
    assert findings(medicare, read.choice)["therapy.discipline"].severity == "error"


@pytest.mark.parametrize("kind", ["durable", "python"])
def test_what_comes_from_medicare_has_medicare_s_severities(write, kind):
    read = read_profiles(write(ours="inherits: medicare\n"))
    checker = Checker(
        load_guide(), Engine(rulebook(), kind), Setting(20260302, built_in(), profile=read.choice)
    )
    [finding] = [f for f in run_example(checker, NO_DISCIPLINE) if f.rule == "therapy.discipline"]
    assert finding.severity == "error"


def test_the_objects_are_few(write):
    choice = read_profiles(write(acme="inherits: medicare\npayers: [A1, A2]\n")).choice
    assert choice.by_payer["A1"] is choice.by_payer["A2"]
    assert AUTO.by_filing_indicator["MA"] is AUTO.by_filing_indicator["MB"]
    copy = pickle.loads(pickle.dumps(choice))
    assert repr(copy) == repr(choice)
    assert copy.by_payer["A1"] is copy.by_payer["A2"]


PAIR = {"lines": ["97530:GP x2", "97750:GP x1"]}
RELEASED = {"lines": ["97530:GP x2", "97750:GP:59 x1"]}


@pytest.mark.parametrize(
    ("preset", "example", "rule", "codes"),
    [
        ("default", PAIR, "ncci.ptp", ("A8:453", "A8:454")),
        ("mac", PAIR, "ncci.ptp", ("A3:23:41",)),
        ("mac", RELEASED, "ncci.ptp-modifier", ("A2:20:41",)),
        ("payer", PAIR, "ncci.ptp", ("A3:21", "A3:453")),
        ("payer", {"claim": {"charge": "1.00"}}, "balance.claim-charge", ("A7:21", "A7:178")),
        ("payer", RELEASED, "ncci.ptp-modifier", ("R1:294",)),
        ("mac", {"claim": {"charge": "1.00"}}, "balance.claim-charge", ("A8:178", "A8:400")),
    ],
)
def test_presets_of_statuses(preset, example, rule, codes):
    profile = replace(MEDICARE, statuses=PRESETS[preset])
    finding = findings(example, profile)[rule]
    assert finding.status.ack277ca == codes
    if finding.severity == "error":
        assert statuses(finding) == codes, "the 277CA says it as it stands"


def test_a_payer_says_that_a_claim_came_before():
    profile = replace(MEDICARE, statuses=PRESETS["payer"])
    assert profile.answers("duplicate.claim", "error", ("A8:54",)) == ("A3:54",)


def test_what_the_999_answers_is_left_alone():
    example = {"edit": [{"find": "SBR*", "set": {"9": "XX"}}]}
    plain, preset = (
        findings(example, replace(MEDICARE, statuses=PRESETS[name])) for name in ("default", "mac")
    )
    assert plain["guide.element-code"].status.ack999
    assert plain == preset


BAD_CLAIM = {"edit": [{"find": "SV1*", "set": {"3": "DA"}}]}


def outcomes(example, profile, isolation=None):
    from io import BytesIO

    from edi_checker.check.examples import write_example

    setting = Setting(20260302, built_in(), profile=profile)
    checker = Checker(load_guide(), Engine(rulebook(), "python"), setting, isolation)
    data = write_example(example).text.encode()
    return {type(checked.part).__name__: checked.outcome for checked in checker.check(BytesIO(data))}


@pytest.mark.parametrize(
    ("of_profile", "of_run", "rejects"),
    [
        (None, None, False),
        ("transaction", None, True),
        ("claim", None, False),
        ("transaction", "claim", False),
        (None, "transaction", True),
    ],
)
def test_isolation_goes_by_the_run_then_by_the_profile(of_profile, of_run, rejects):
    profile = replace(MEDICARE, isolation=of_profile)
    for option in (profile, Choice(others=profile, by_filing_indicator={})):
        seen = outcomes(BAD_CLAIM, option, of_run)
        assert seen["Claim"] == "rejected"
        assert (seen["TransactionEnd"] == "rejected") is rejects


def test_units_go_by_the_profile():
    example = {"lines": ["97530:GP x2 min 17", "97110:GP x1 min 7"]}
    assert findings(example, replace(COMMERCIAL, unit_method="ama"))["therapy.minutes"].message.count("AMA")


def test_minutes_are_read_from_notes_as_the_profile_says():
    example = {"lines": ["97530:GP x2 note TX 10"]}
    assert "therapy.minutes" not in findings(example, MEDICARE)
    assert "therapy.minutes" in findings(example, replace(MEDICARE, minutes_note=note_pattern(["TX nn"])))
    example = {"lines": ["97530:GP x2 note MINUTES 10"]}
    assert "therapy.minutes" in findings(example, MEDICARE)
    assert "therapy.minutes" not in findings(example, replace(MEDICARE, minutes_note=note_pattern(["TX nn"])))


@pytest.mark.parametrize(
    ("phrase", "text", "minutes"),
    [
        ("TX TIME nn", "97530 tx time 25 done", None),
        ("TX TIME nn", "tx time 25", 25),
        ("TX TIME nn", "TXTIME25", 25),
        ("TX TIME nn", "TX TIME 10:30", None),
        ("TX TIME nn", "CTX TIME 25", None),
        ("nn M", "25 M", 25),
        ("nn M", "25 MEALS", None),
        ("nn M", "10:25 M", None),
        ("T=nn.", "T=25.", 25),
        ("T=nn.", "T=25x", None),
        ("TIME nn", "TIME 25 AND TIME 30", None),
        ("TIME nn", "TIME 2500", None),
        ("RUNNING nn", "running 12", 12),
    ],
)
def test_ways_to_say_minutes(phrase, text, minutes):
    assert minutes_in_note(text, note_pattern([phrase])) == minutes


@pytest.mark.parametrize("phrase", ["", "nn", "TIME", "nn nn", "T" * 40 + "nn", "T[0]nn", "n n", "\u00e4 nn"])
def test_what_says_no_minutes(phrase):
    if phrase == "nn":
        assert minutes_in_note("25", note_pattern([phrase])) == 25
        return
    with pytest.raises(ValueError, match="not a form for minutes"):
        note_pattern([phrase])


def test_a_long_note_takes_no_time():
    pattern = note_pattern(["A A A A A A nn", "nn A A A A A A"])
    assert minutes_in_note("A " * 20000, pattern) is None


def test_the_page_shows_a_profile_that_can_be_used(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "profiles.md").read_text()
    first, second = (part.split("```")[0] for part in page.split("```yaml\n")[1:])
    (tmp_path / "willow.yaml").write_text(first)
    (tmp_path / "birch.yaml").write_text("inherits: willow\npayers: [B1]\n" + second)
    read_profiles(tmp_path).check_rules([rule.id for rule in rulebook().rules])
