"""The rules of the checker: from the cache they are what their files say, or they are read again."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.facts import VOCABULARY
from edi_checker.files import kept
from edi_checker.rules import RuleError, kept_rules, load
from edi_checker.rules.language import read_rule
from edi_checker.rules.rule_files import find_files

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither these links nor these modes")


@pytest.fixture(scope="module")
def files():
    return tuple(find_files((), packaged=True, faults=[]))


@pytest.fixture(scope="module")
def fresh(files):
    return [read_rule(each.data, each.rule_id, each.path, VOCABULARY, tuple(BUILT_IN)).rule for each in files]


@pytest.fixture
def path(fresh, tmp_path):
    place = tmp_path / "deep" / "rules-1.json"
    kept_rules.keep_rules(fresh, place)
    return place


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The cache of a user of whom nothing is known yet."""
    monkeypatch.setattr(kept_rules, "cache_folder", lambda: tmp_path)
    kept_rules.kept_rules.cache_clear()
    yield tmp_path
    kept_rules.kept_rules.cache_clear()


def test_the_cache_gives_the_same_rules(files, fresh, path):
    again = kept_rules.read_rules(path)
    assert again == fresh
    # What does not count for equality too: lines of the files, types of values.
    assert repr(again) == repr(fresh)
    assert [entry.name for entry in path.parent.iterdir()] == ["rules-1.json"]
    assert len(files) == len(fresh) > 150


def test_the_rulebook_is_the_same_with_and_without_the_cache(cached, monkeypatch):
    first = load()
    assert [each.name[:6] for each in cached.iterdir()] == ["rules-"]
    kept_rules.kept_rules.cache_clear()
    monkeypatch.setattr("edi_checker.rules.language.read_rule", None)  # nobody reads
    again = load()
    assert repr(again) == repr(first)
    assert again.rules[0] is not first.rules[0]
    assert load().rules[0] is again.rules[0]


@pytest.mark.parametrize(
    ("pattern", "to"),
    [
        (r"(?s).*", ""),
        (r"(?s)(.{1000}).*", r"\1"),
        (r"(?s).*", "[]"),
        (r"(?s).*", '{"references":[]}'),
        (r"(?s).*", "[" * 100_000),
        ('"references":\\[\\[', '"references":[["x",'),
        ('"rules":\\[', '"rules":[3,'),
        ('"rules":\\[\\[', '"rules":[["",'),
        ('"service"\\],\\[\\[', '"service"],[["",'),
        ('"equal",', '"equal",0,0,'),
    ],
)
def test_damaged_rules_are_none(pattern, to, path):
    _, _, text = path.read_text("utf-8").partition("\n")
    damaged, count = re.subn(pattern, to, text, count=1)
    assert count == 1
    path.write_text(f"{hashlib.sha256(damaged.encode()).hexdigest()}\n{damaged}", "utf-8")
    assert kept_rules.read_rules(path) is None


def test_what_does_not_fit_its_digest_is_none(path):
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"error"', b'"info"', 1))
    assert kept_rules.read_rules(path) is None
    path.write_bytes(b"\xff" * 1000)
    assert kept_rules.read_rules(path) is None
    path.unlink()
    assert kept_rules.read_rules(path) is None


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_what_others_could_have_written_is_none(mode, path):
    path.chmod(mode)
    assert kept_rules.read_rules(path) is None
    path.chmod(0o600)
    assert kept_rules.read_rules(path) is not None


@posix
def test_what_another_user_wrote_is_none(path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert kept_rules.read_rules(path) is None


@posix
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_only_a_regular_file_is_read_and_replaced(kind, path, fresh):
    place = path.parent / "rules-2.json"
    if kind == "link":
        place.symlink_to(path)
    else:
        os.mkfifo(place)
    assert kept_rules.read_rules(place) is None
    kept_rules.keep_rules(fresh, place)
    assert kept_rules.read_rules(place) == fresh
    assert not place.is_symlink()


def test_an_endless_file_takes_no_more_memory_than_rules_may(path, monkeypatch):
    monkeypatch.setattr(kept, "_MAX_BYTES", 1000)
    assert kept_rules.read_rules(path) is None


def test_a_place_that_cannot_be_written_is_no_fault(cached, fresh, monkeypatch):
    (cached / "file").write_text("x")
    monkeypatch.setattr(kept_rules, "cache_folder", lambda: cached / "file")
    assert list(load().rules) == sorted(fresh, key=lambda rule: rule.id)
    kept_rules.kept_rules.cache_clear()
    monkeypatch.setattr(kept_rules, "cache_folder", lambda: None)
    assert list(load().rules) == sorted(fresh, key=lambda rule: rule.id)


def test_another_file_or_id_has_another_place(files, fresh, cached):
    one, other = files[:2]
    sets = [(one, other), (other, one), (one,), (one, other._replace(data=other.data + b"# more\n"))]
    for each in sets:
        assert [rule.id for rule in kept_rules.kept_rules(each).values()] == [file.rule_id for file in each]
    assert len(list(cached.glob("rules-*.json"))) == len(sets)


def test_the_rules_of_old_checkers_go(cached, files):
    for number in range(6):
        old = cached / f"rules-{number}.json"
        old.write_text("")
        os.utime(old, (number, number))
    (cached / "guide-1-1.json").write_text("")
    kept_rules.kept_rules(files[:1])
    names = sorted(each.name for each in cached.iterdir())
    assert names[0] == "guide-1-1.json"
    assert [name for name in names if len(name) == 12] == ["rules-3.json", "rules-4.json", "rules-5.json"]
    assert len(names) == 5


def test_a_file_of_the_package_with_a_fault_is_reported_and_not_kept(cached, files, monkeypatch):
    broken = files[0]._replace(data=b"title: x\n")
    monkeypatch.setattr("edi_checker.rules.rulebook.find_files", lambda *_: [broken, files[1]])
    with pytest.raises(RuleError, match="lacks the key 'snip'"):
        load()
    assert list(cached.iterdir()) == []


def test_rules_with_other_words_than_the_checkers_own_are_read(cached):
    load(vocabulary={**VOCABULARY, "more": VOCABULARY["file"]})
    assert list(cached.iterdir()) == []
    load(profiles=(*BUILT_IN, "acme"))
    assert len(list(cached.iterdir())) == 1


def test_a_check_of_one_claim_loads_little(tmp_path):
    """The second time: neither what reads rules nor what only other options need."""
    script = (
        "import sys\n"
        "from edi_checker.cli import commands\n"
        "commands(sys.argv[1:], standalone_mode=False)\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    sample = ROOT / "samples" / "837p" / "clean" / "pt-clinic.837"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script, "check", sample],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    loaded = set(done.stderr.split())
    assert "edi_checker.check.checker" in loaded
    needless = {
        "durable",
        "importlib.metadata",
        "lxml",
        "rich",
        "sqlalchemy",
        "yaml",
        "edi_checker.run.history",
        "edi_checker.reference.store.importing",
        "edi_checker.reports.html",
        "edi_checker.rules.language",
        "edi_checker.rules.lint",
        "edi_checker.state",
    }
    assert sorted(loaded & needless) == []
