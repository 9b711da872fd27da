"""A setting: it travels to other processes, makes the same checker there, and its digest says what counts."""

import io
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from edi_checker.run.setting import CheckSetting, SettingError, UnknownRule, digest_of
from edi_checker.x12.blocks import Bounds
from paths import ROOT

SETTING = CheckSetting(profile="medicare", ignore=("code.npi",), received=20261121, engine="python")
RULE = (ROOT / "rulesets" / "ncci" / "mue.yaml").read_text()
CLAIMS = (ROOT / "samples" / "837p" / "clean" / "pt-clinic.837").read_bytes()


def findings(setting):
    checker, _ = setting.make()
    return [finding for checked in checker.check(io.BytesIO(CLAIMS)) for finding in checked.findings]


def test_a_setting_comes_through_a_pickle():
    again = pickle.loads(pickle.dumps(replace(SETTING, bounds=Bounds())))
    assert again == replace(SETTING, bounds=Bounds())
    assert hash(again) == hash(replace(SETTING, bounds=Bounds()))
    assert findings(again) == findings(SETTING)


def test_another_process_gets_the_same_digest():
    script = (
        "import pickle, sys; from edi_checker.run.setting import digest_of;"
        "print(digest_of(pickle.load(sys.stdin.buffer).make(), {'a': 1}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(SETTING), capture_output=True, check=True, cwd=ROOT
    )
    assert done.stdout.decode().strip() == digest_of(SETTING.make(), {"a": 1})


@pytest.mark.parametrize(
    "other",
    [{"profile": "commercial"}, {"ignore": ()}, {"isolation": "transaction"}, {"bounds": Bounds(1 << 21)}],
)
def test_what_decides_changes_the_digest(other):
    assert digest_of(replace(SETTING, **other).make(), {}) != digest_of(SETTING.make(), {})


def test_a_change_in_a_rule_file_changes_the_digest(tmp_path):
    file = tmp_path / "own-mue.yaml"
    file.write_text(RULE)
    setting = replace(SETTING, rules=(tmp_path,))
    before = digest_of(setting.make(), {})
    file.write_text(RULE + "\n# another word\n")
    assert digest_of(setting.make(), {}) != before


def test_the_day_of_receipt_changes_no_digest():
    assert digest_of(replace(SETTING, received=20260101).make(), {}) == digest_of(SETTING.make(), {})


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"select": ("no.such.rule",)}, UnknownRule),
        ({"rules": (ROOT / "no such folder",)}, SettingError),
        ({"profile": str(ROOT / "README.md")}, SettingError),
        ({"minutes": ROOT / "README.md"}, SettingError),
    ],
)
def test_what_cannot_be_used_is_one_kind_of_error(other, error):
    with pytest.raises(error):
        replace(SETTING, **other).make()
