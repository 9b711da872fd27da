"""Rules for those who do not program: new, lint, test, docs, explain, units, and packages of others."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import show_example, try_examples
from edi_checker.claims.reader import read_parts
from edi_checker.cli import commands
from edi_checker.facts import VOCABULARY, FactType, Field, Setting, facts_of
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.rule_docs import write_facts_page, write_rules_page
from edi_checker.rules.lint import _MADE_OF, _PARTS, lint_twins
from edi_checker.rules.new_rule import draft
from edi_checker.rules.plugins import PluginError, gather
from edi_checker.x12.blocks import read_blocks

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 21)

RULE = """\
title: A title
fault: A fault
why: A reason.
severity: warning
snip: 7
match:
  line: {fact: line}
at: line SV101-2
message: "{line.code} is wrong."
fix: Fix it.
sources:
  - {cite: "A book", seen: 2026-11-21}
examples:
  pass: [{lines: ["97110:GP x1"]}]
  fail: [{lines: ["97530:GP x1"]}]
"""


def run(*arguments):
    return CliRunner().invoke(commands, list(map(str, arguments)), prog_name="edi-checker")


def write(folder, name, *changes, text=RULE):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder.joinpath(*name.split(".")).with_suffix(".yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def lint(folder):
    """What lint says of a folder, without the paths."""
    found = run("rules", "lint", "--rules", folder)
    assert "Traceback" not in found.output
    return found.exit_code, [line.partition(".yaml:")[2] for line in found.output.splitlines()[:-1]]


# -- the page that tells how ---------------------------------------------------------------------------------


def blocks(page: str):
    """The fenced blocks of the page: kind, text, and the file that the paragraph before them names."""
    for found in re.finditer(r"([^\n]*)\n\n```(\w+)\n(.*?)```", page, re.DOTALL):
        named = re.findall(r"`([\w./-]+\.yaml)`", found[1])
        yield found[2], found[3], named[-1] if named else None


def transcripts(text: str):
    """The commands of a block, each with the lines that it must print; `...` stands for any."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def test_a_rule_in_ten_minutes_is_written_by_doing_what_the_page_says(tmp_path):
    page = (ROOT / "CONTRIBUTING.md").read_text()
    section = page.partition("## A rule in ten minutes")[2].partition("\n## ")[0]
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "80"}
    done = []
    for kind, text, file in blocks(section):
        if kind == "yaml":
            assert (tmp_path / file).is_file(), "`rules new` has made it"
            (tmp_path / file).write_text(text)
        for command, output in transcripts(text) if kind == "console" else ():
            program, *arguments = shlex.split(command)
            assert program == "edi-checker"
            ended = subprocess.run(
                [sys.executable, "-m", "edi_checker", *arguments],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            pattern = ".*".join(map(re.escape, re.split(r"^\.\.\.$", output, flags=re.MULTILINE)))
            assert re.fullmatch(pattern, ended.stdout, re.DOTALL), ended.stdout + ended.stderr
            done.append((arguments[0], *(arguments[1:2] if arguments[0] == "rules" else ())))
    assert done == [("rules", "new"), ("rules", "lint"), ("rules", "test"), ("check",), ("explain",)]


# -- new -----------------------------------------------------------------------------------------------------


def test_a_new_rule_runs_as_it_is_and_lint_says_what_to_write(tmp_path):
    made = run("rules", "new", "acme.big-day", "--rules", tmp_path)
    assert made.exit_code == 0
    assert (tmp_path / "acme" / "big-day.yaml").is_file()
    assert run("rules", "test", "--rules", tmp_path).output == "1 rule, nothing to fix\n"
    code, said = lint(tmp_path)
    assert code == 1
    assert [re.search(r"TODO \((\w+)\)", line)[1] for line in said] == [
        "title",
        "fault",
        "why",
        "message",
        "fix",
        "sources",
    ]


@pytest.mark.parametrize(
    "rule_id", ["acme", "Acme.kx", "acme..kx", "../acme.kx", "acme.k_x", "a." * 9 + "b", "", "a.b/c"]
)
def test_what_is_no_id(tmp_path, rule_id):
    assert run("rules", "new", rule_id, "--rules", tmp_path / "own").exit_code == 2
    assert not (tmp_path / "own").exists()


def test_a_rule_is_never_written_over(tmp_path):
    draft("acme.kx", tmp_path, TODAY)
    (tmp_path / "acme" / "kx.yaml").write_text("mine")
    found = run("rules", "new", "acme.kx", "--rules", tmp_path)
    assert (found.exit_code, "already exists" in found.output) == (2, True)
    assert (tmp_path / "acme" / "kx.yaml").read_text() == "mine"
    assert run("rules", "new", "therapy.kx", "--rules", tmp_path).exit_code == 2


def test_new_needs_a_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("rules", "new", "acme.kx").exit_code == 2
    (tmp_path / "rulesets").mkdir()
    assert run("rules", "new", "acme.kx").exit_code == 0
    (tmp_path / "file").write_text("")
    found = run("rules", "new", "acme.kx", "--rules", "file")
    assert (found.exit_code, "cannot be written" in found.output) == (2, True)
    assert run("rules", "new", "--rules", "own").exit_code == 2


# -- lint ----------------------------------------------------------------------------------------------------


def test_a_rule_without_fault_is_left_alone(tmp_path):
    write(tmp_path, "a.b")
    assert lint(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ("{fact: line, code: {equal: A, not: A}}", "line.code has no value that is allowed"),
        (
            "{fact: line, code: {one_of: [A, B], none_of: [B, A, C]}}",
            "line.code has no value that is allowed",
        ),
        ("{fact: line, code: {absent: true, not: A}}", "line.code is both absent and present"),
        ("{fact: line, ordinal: {at_least: 3, at_most: 2}}", "line.ordinal has no value that is allowed"),
        ("{fact: line, ordinal: {more_than: 2, less_than: 3}}", "line.ordinal has no value that is allowed"),
        (
            "{fact: line, ordinal: {one_of: [1, 2], more_than: 2}}",
            "line.ordinal has no value that is allowed",
        ),
        ("{fact: line, timed: {equal: true, not: true}}", "line.timed has no value that is allowed"),
        ("{fact: line, modifiers: {has: GP, has_none: [GP, GO]}}", "line.modifiers both has and lacks GP"),
        ("{fact: line, modifiers: {has_any: [GP], has_none: [GP]}}", "has only values that it must not have"),
        ("{fact: line, modifiers: {has_all: [GP, KX], at_most: 1}}", "has more entries than are allowed"),
        ("{fact: line, modifiers: {absent: true, has: GP}}", "has more entries than are allowed"),
        ("{fact: line, modifiers: {at_least: 2, less_than: 2}}", "has more entries than are allowed"),
        (
            "{fact: line, therapy: sometime}",
            "line.therapy is never 'sometime': it is one of always, sometimes",
        ),
        ("{fact: line, disciplines: {has: GX}}", "line.disciplines is never 'GX': it is one of GP, GO, GN"),
    ],
)
def test_a_rule_that_can_never_fire(tmp_path, match, reason):
    write(tmp_path, "a.b", ("{fact: line}", match))
    code, [said] = lint(tmp_path)
    assert code == 1
    assert reason in said
    assert said.startswith("7:")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([("{fact: line}", "{fact: line}\n  file: {fact: file}")], "line and file are never in one part"),
        (
            [("{fact: line}", "{fact: line}\n  a: {fact: claim}\n  b: {fact: claim}")],
            "there is one claim at a time",
        ),
        (
            [("{fact: line}", "{fact: line, code: A}\nrequire:\n  line: {code: [A, B]}")],
            "follows from what it matches",
        ),
        (
            [("{fact: line}", "{fact: line, timed: true}\nrequire:\n  line: {timed: true}")],
            "follows from what it",
        ),
        ([("severity: warning", "severity: {medicare: off, default: off}")], "off for every profile"),
        (
            [
                (
                    "severity: warning",
                    "severity: {medicare: off, default: error}\nprofiles: [medicare]\nstatus: {TA1: '021'}",
                )
            ],
            "off for every profile",
        ),
        (
            [("{fact: line}", "{fact: line, date: {before: 2020-01-01}}\nin_force: {from: 2020-01-01}")],
            "line.date has no value",
        ),
        (
            [
                (
                    "{fact: line}",
                    "{fact: line, code: A}\n  day: {fact: mue_day, code: {equal: $line.code, not: A}}",
                )
            ],
            "day.code = line.code has no value",
        ),
    ],
)
def test_other_rules_that_can_never_fire(tmp_path, changes, reason):
    write(tmp_path, "a.b", *changes)
    code, said = lint(tmp_path)
    assert code == 1
    assert any("can never fire" in line and reason in line for line in said), said


@pytest.mark.parametrize(
    "match",
    [
        "{fact: line, code: {not: A, none_of: [B]}}",
        "{fact: line, code: {absent: true}, ordinal: {at_least: 2, at_most: 2}}",
        "{fact: line, modifiers: {has_any: [GP, GO], has_none: [GP]}}",
        "{fact: line, modifiers: {has_all: [GP, KX], at_most: 2}}",
        "{fact: line, units: {more_than: 2, less_than: 2.5}}",
        "{fact: line, date: {before: 2020-01-02}}\nin_force: {from: 2020-01-01}",
        "{fact: line, date: {before: 2020-01-01}}\nin_force: {from: 2020-01-01, by: received}",
        "{fact: line, timed: false, eight_minute: true}",
        "{fact: line}\n  other: {fact: line, code: $line.code}",
        "{fact: line, code: A}\n  fault: {fact: fault}",
        "{fact: line, code: [A, B]}\nrequire:\n  line: {code: A}",
    ],
)
def test_a_rule_that_may_fire_is_left_alone(tmp_path, match):
    write(tmp_path, "a.b", ("{fact: line}", match))
    assert lint(tmp_path) == (0, [])


def test_rules_with_the_same_match(tmp_path):
    write(tmp_path, "a.b", ("{fact: line}", "{fact: line, code: [A, B], timed: true}"))
    write(
        tmp_path,
        "a.c",
        ("line: {fact: line}", "x: {fact: line, timed: true, code: [B, A]}"),
        ("line SV", "x SV"),
        ("{line.", "{x."),
    )
    write(tmp_path, "a.d", ("{fact: line}", "{fact: line, code: [A, B]}"))
    code, said = lint(tmp_path)
    assert code == 1
    assert len(said) == 2
    assert "matches and requires the same as a.c" in said[0]
    assert "matches and requires the same as a.b" in said[1]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("in_force: {until: 2025-12-31}", "in_force: {from: 2026-01-01}"),
        ("profiles: [medicare]", "profiles: [commercial]"),
    ],
)
def test_the_same_match_at_other_times_or_for_others_is_no_twin(tmp_path, one, two):
    write(tmp_path, "a.b", ("snip: 7", f"snip: 7\n{one}"))
    write(tmp_path, "a.c", ("snip: 7", f"snip: 7\n{two}"))
    assert lint(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("fact: line", "fact: lines"), 7, "there is no fact 'lines'"),
        (("fact: line", "fact: line, kode: A"), 7, "no field 'kode'"),
        (("fact: line", "fact: line, code: {is: A}"), 7, "no operator 'is'"),
        (("fix: Fix it.", "fix: Fix it.\nstatus: {277CA: [A7]}"), 11, "'A7' is not a 277CA status"),
        (("snip: 7", "snip: 7\nin_force: {from: 2026-01-02, until: 2026-01-01}"), 6, "ends before it begins"),
        (("line: {fact: line}", "line: {fact: provider}"), 9, "no field 'code'"),
    ],
)
def test_what_makes_a_file_no_rule_is_refused_with_its_line(tmp_path, change, line, reason):
    write(tmp_path, "a.b", change)
    for action in ("lint", "test", "list"):
        found = run("rules", action, "--rules", tmp_path)
        assert found.exit_code == 2
        assert f"b.yaml:{line}: " in found.output
        assert reason in found.output


def test_phi_in_a_message_is_refused(tmp_path):
    write(
        tmp_path,
        "a.b",
        ("line: {fact: line}", "line: {fact: provider}"),
        ("{line.code}", "{line.npi}"),
        ("SV101-2", "NM109"),
    )
    found = run("rules", "lint", "--rules", tmp_path)
    assert (found.exit_code, "b.yaml:9: line.npi can identify a person" in found.output) == (2, True)


def test_lint_asks_for_examples_and_known_statuses(tmp_path):
    write(
        tmp_path,
        "a.b",
        ("fix: Fix it.", 'fix: Fix it.\nstatus: {277CA: ["A7:9999"]}'),
        text=RULE.partition("examples:")[0],
    )
    assert [line.split("(")[-1] for line in lint(tmp_path)[1]] == ["examples)", "examples)", "status)"]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ([("A title", "A title that stands on line 2")], ['says "stands on": write "is on" (title)']),
        (
            [("A reason.", "Shall be sent anew.")],
            ['says "shall": write "must"', 'says "anew": write "again"'],
        ),
        ([("is wrong.", "stands on 2 line(s).")], ['says "stands on"', 'says "line(s)": write a number']),
        ([("Fix it.", "Mend it.")], ['says "mend": write "fix" (fix)']),
        ([("is wrong.", "is no code.")], ['says "is no": write "is not" (message)']),
        ([("is wrong.", "is wrong")], ["does not end with a full stop (message)"]),
        ([("Fix it.", "Fix it")], ["does not end with a full stop (fix)"]),
        (
            [("is wrong.", "is wrong. It is " + "very " * 33 + "wrong.")],
            ["has a sentence of 36 words: 35 at most (message)"],
        ),
        (
            [("A reason.", "Wrong. " + "Why? " + "so " * 36)],
            ["3: has a sentence of 36 words: 35 at most (why)"],
        ),
        ([("A title", "Nothing stands behind it")], ['1: says "stands behind": write "follows" (title)']),
        ([("A fault", "Hence it is wrong")], ['2: says "hence": write "so" (fault)']),
        ([("fault: A fault\n", "")], ["1: has no heading for what is wrong, beside the title (fault)"]),
        (
            [("sources:", "documentation: [The goal thereof]\nsources:")],
            ['11: says "thereof": write "of it" (documentation)'],
        ),
        (
            [("is wrong.", "is wrong, " + "very " * 21 + "wrong.")],
            ["7: has a first sentence of 129 characters: 120 at most, it is shown alone (message)"],
        ),
        ([("{line.code} is wrong.", "{line.charge} is wrong.")], ["begins with line.charge: say first what"]),
        ([("Fix it.", "The code is to be fixed.")], ['begins with "The": begin with what to do']),
        ([("Fix it.", '"{line.code} is to be fixed."')], ['begins with "{line.code}": begin with what to']),
        (
            [("is wrong.", "is not 97140 (manual work of some sort, each unit).")],
            ["describes a code: CPT's descriptors are the AMA's"],
        ),
    ],
)
def test_lint_holds_the_words_of_a_rule(tmp_path, changes, reasons):
    write(tmp_path, "a.b", *changes)
    code, said = lint(tmp_path)
    assert code == 1
    assert len(said) == len(reasons)
    for reason in reasons:
        assert any(reason in line for line in said), said


@pytest.mark.parametrize(
    "changes",
    [
        [("A title", "There is no full stop after a title")],
        [("A reason.", "The id is no longer in use. There is no other. An amendment is upcoming.")],
        [("is wrong.", "is wrong. It is " + "very " * 32 + "wrong.")],
        [("Fix it.", "Fix it. " + "Send it. " * 30)],
        [('"A book"', '"A book of somebody, anew"')],
    ],
)
def test_plain_words_are_left_alone(tmp_path, changes):
    write(tmp_path, "a.b", *changes)
    assert lint(tmp_path) == (0, [])


def test_a_text_that_cases_share_is_objected_to_once(tmp_path):
    cases = "cases:\n  - match: {line: {fact: line, code: A}}\n  - severity: warning\nsources:"
    write(tmp_path, "a.b", ("Fix it.", "Mend it."), ("sources:", cases))
    assert len(lint(tmp_path)[1]) == 1


def test_the_rules_that_come_with_the_checker_are_no_twins():
    book = rules.load()
    assert [str(fault) for fault in lint_twins(book.rules, book.rules)] == []


# -- test, list, explain -------------------------------------------------------------------------------------


def test_examples_that_do_not_do_as_they_say(tmp_path):
    write(tmp_path, "a.b", ("{fact: line}", '{fact: line, code: "97110"}'))
    found = run("rules", "test", "--rules", tmp_path)
    assert found.exit_code == 1
    assert "passing example 1 gives the finding: 97110" in found.output
    assert "failing example 1 gives no finding of this rule" in found.output
    assert "1 rule, 2 to fix" in found.output


def test_a_folder_may_be_called_as_that_of_the_packaged_rules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rulesets", "acme.b")
    assert run("rules", "lint", "--rules", "rulesets/").output == "1 rule, nothing to fix\n"
    monkeypatch.chdir(ROOT)
    everything = run("rules", "lint").output
    assert run("rules", "lint", "--rules", "rulesets").output == everything


def test_list_takes_names():
    assert {line.split()[0] for line in run("rules", "list", "ncci").output.splitlines()} >= {
        "ncci.ptp",
        "ncci.mue",
    }
    assert run("rules", "list", "ncci.ptp").output.count("\n") == 1
    assert run("rules", "list", "nc").exit_code == 2


def test_rules_may_speak_of_profiles_of_one_s_own(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "acme.yaml").write_text("inherits: commercial\npayers: [AC1]\n")
    write(
        tmp_path / "own",
        "a.b",
        ("severity: warning", "severity: {acme: info, default: off}"),
        ('[{lines: ["97530:GP x1"]}]', "[{claim: {payer_id: AC1}, severity: info}]"),
    )
    own = ["--rules", tmp_path / "own"]
    assert run("rules", "lint", *own).exit_code == 2
    own += ["--profile", tmp_path / "profiles"]
    for action in ("lint", "test"):
        assert run("rules", action, *own).output == "1 rule, nothing to fix\n"
    assert "acme info" in run("explain", "a.b", *own).output


def test_explain_shows_an_example_in_and_out_with_the_table():
    page = run("explain", "ncci.ptp").output
    assert "Example in      SV1*HC:97750:GP*50.00*UN*1***1~" in page
    assert "Example out     error at line 2, 2400 SV101-2: 97750 is not paid with 97530" in page
    assert "Table           ncci_ptp, builtin-therapy-2024Q3" in page
    assert "What made the two services separate" in page


def test_a_rule_whose_example_cannot_be_read_is_explained_without(tmp_path):
    write(tmp_path, "a.b", ('{lines: ["97530:GP x1"]}', "{lines: [x y z]}"))
    found = run("explain", "a.b", "--rules", tmp_path)
    assert found.exit_code == 0
    assert "Example" not in found.output
    assert run("rules", "test", "--rules", tmp_path).exit_code == 1


def test_every_rule_shows_an_example():
    book = rules.load()
    checker = Checker(load_guide(), Engine(book, "python"), Setting(20260302, built_in()))
    for rule in book.rules:
        shown = show_example(checker, rule)
        assert shown is not None, rule.id
        assert shown.finding.rule == rule.id
        assert shown.given


# -- docs ----------------------------------------------------------------------------------------------------


def test_the_page_of_facts_is_current_and_the_others_stand_beside_it(tmp_path):
    assert run("rules", "docs", "--out-dir", tmp_path).exit_code == 0
    current = (tmp_path / "facts.md").read_text() == (ROOT / "docs" / "facts.md").read_text()
    assert current, "docs/facts.md is not what `edi-checker rules docs --out-dir docs` writes"
    book = rules.load()
    page = (tmp_path / "rules.md").read_text()
    for rule in book.rules:
        section = page.partition(f"\n### {rule.id}\n")[2].partition("\n### ")[0]
        assert "- **Example in**: `" in section, rule.id
    assert (tmp_path / "coverage.md").read_text().startswith("# Coverage: ")


def test_the_pages_say_everything():
    book = rules.load()
    page = write_rules_page(book.rules, lambda _: None)
    for rule in book.rules:
        assert f"### {rule.id}\n" in page
    facts = write_facts_page(VOCABULARY)
    for name, kind in VOCABULARY.items():
        section = facts.partition(f"## {name}\n")[2].partition("\n## ")[0]
        for field in kind.fields:
            assert f"\n| {field} | " in section, f"{name}.{field}"
    assert "| npi | text | NM109 | National Provider Identifier **can identify a person" in facts


def test_pages_of_one_s_own_rules(tmp_path):
    write(tmp_path, "acme.b", ("A fault", "A *bold* | fault"))
    page = run("rules", "docs", "--rules", tmp_path).output
    assert page.count("### ") == 1
    assert "A \\*bold\\* \\| fault" in page
    assert "- **Example in**: `SV1*HC:97530:GP*50.00*UN*1***1~`" in page


def parts_of_samples():
    """The facts of each part of every sample."""
    for sample in sorted((ROOT / "samples" / "837p").rglob("*.837")):
        with sample.open("rb") as stream:
            setting = Setting(20261121, built_in())
            for part in read_parts(read_blocks(stream), load_guide()):
                yield facts_of(part, setting)


def test_what_lint_says_of_facts_is_true_of_every_sample():
    """Values of fields that hold few, and which facts never meet."""
    for facts in parts_of_samples():
        kinds = {fact.kind for fact in facts}
        assert not kinds or set(_PARTS).intersection(*(_MADE_OF.get(kind, _PARTS) for kind in kinds)), kinds
        for fact in facts:
            for name, field in VOCABULARY[fact.kind].fields.items():
                value = fact.values[name]
                held = value if isinstance(value, tuple) else (value,) if value else ()
                assert not field.values or set(held) <= set(field.values), f"{fact.kind}.{name}"


# -- packages of others --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example package, installed for real; the environment in which it is found."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(ROOT / "tests" / "plugin_example", folder / "source")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "--target", folder / "site", folder / "source"], check=True)
    return os.environ | {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "PYTHONUTF8": "1"}


def ask(environment, *arguments, folder=ROOT):
    return subprocess.run(
        [sys.executable, "-m", "edi_checker", *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_brings_its_rules_and_facts(installed):
    assert "acme.busy-day" in ask(installed, "rules").stdout
    assert "nothing to fix" in ask(installed, "rules", "lint", "acme").stdout
    assert ask(installed, "rules", "test", "acme").stdout == "1 rule, nothing to fix\n"
    assert "whose lines is more than 3" in ask(installed, "explain", "acme.busy-day").stdout

    assert "acme.busy-day" not in run("rules").output, "only where it is installed"


def test_a_package_s_rule_fires_on_a_file(installed, tmp_path):
    text = (ROOT / "samples" / "837p" / "clean" / "solo-therapist.837").read_text()
    claim = tmp_path / "claim.837"
    claim.write_text(text)
    found = ask(installed, "check", "--received", "2026-09-30", claim)
    assert found.returncode == 0
    assert "acme.busy-day" not in found.stdout
    write(
        tmp_path / "own",
        "acme.day",
        ("{fact: line}", "{fact: busy_day, lines: {at_least: 1}}"),
        ("{line.code}", "{line.lines} lines"),
    )
    found = ask(
        installed,
        "check",
        "--received",
        "2026-09-30",
        "--rules",
        tmp_path / "own",
        "--format",
        "ndjson",
        claim,
    )
    assert '"rule": "acme.day"' in found.stdout
    assert run("check", "--rules", tmp_path / "own", claim).exit_code == 2, (
        "without the package there is no such fact"
    )


class Point:
    """An entry point of a package that is there already."""

    def __init__(self, **given):
        self.name = self.value = "bad"
        self._module = type("Module", (), {})
        for name, value in given.items():
            setattr(self._module, name, staticmethod(value))

    def load(self):
        return self._module


def hook(function):
    from edi_checker.rules.plugins import hookimpl

    return hookimpl(function)


def rule_folders_of(result):
    @hook
    def rule_folders():
        return result

    return rule_folders


def fact_types_of(result):
    @hook
    def fact_types():
        if isinstance(result, Exception):
            raise result
        return result

    return fact_types


@hook
def surprise():
    return 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"rule_folders": rule_folders_of(["/nowhere"])}, "/nowhere is not a folder of rules"),
        ({"rule_folders": rule_folders_of(7)}, "not iterable"),
        (
            {"fact_types": fact_types_of({"line": FactType("a line", {})})},
            "there is already a fact type 'line'",
        ),
        ({"fact_types": fact_types_of({"mine": FactType("mine", {})})}, "has no field date"),
        ({"fact_types": fact_types_of({"mine": 5})}, "has no field date"),
        ({"fact_types": fact_types_of(KeyError("x"))}, "'x'"),
        ({"surprise": surprise}, "unknown hook 'surprise'"),
    ],
)
def test_a_package_that_cannot_be_used_is_named(given, reason):
    with pytest.raises(PluginError, match=r"plugin 'bad' \(bad\) cannot be used: ") as caught:
        gather([Point(**given)])
    assert reason in str(caught.value)


def test_a_package_that_cannot_be_loaded_is_named(tmp_path):
    site = tmp_path / "broken-1.0.dist-info"
    site.mkdir()
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (site / "entry_points.txt").write_text("[edi_checker]\nbroken = no_such_module\n")
    found = ask(os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, "rules")
    assert found.returncode == 2
    assert found.stderr.startswith(
        "edi-checker: plugin 'broken' (no_such_module) cannot be used: No module named"
    )


def test_a_fact_maker_that_fails_leaves_the_claim_unchecked():
    def fail(claim, received, profile):
        raise KeyError(claim.id)

    setting = Setting(20261121, built_in(), more_facts=fail)
    checker = Checker(load_guide(), Engine(rules.load(), "python"), setting)
    with (ROOT / "samples" / "837p" / "clean" / "pt-clinic.837").open("rb") as stream:
        seen = [checked for checked in checker.check(stream) if checked.failed]
    assert len(seen) == 3
    assert {(checked.outcome, checked.failed) for checked in seen} == {
        ("not_checked", "internal error (KeyError)")
    }


def test_the_example_fact_has_its_fields_checked():
    date_alone = FactType("a day", {"date": Field("date", "computed", "the day")})
    given = gather([Point(fact_types=fact_types_of({"day": date_alone}))])
    assert given.fact_types == {"day": date_alone}


def test_one_s_own_examples_run_with_the_facts_of_packages(tmp_path):
    write(tmp_path, "a.b")
    book = rules.load([tmp_path], packaged=False)
    checker = Checker(load_guide(), Engine(book, "python"), Setting(20261121, built_in()))
    [complaint] = try_examples(checker, book.rules[0])
    assert "passing example 1" in complaint


# -- units ---------------------------------------------------------------------------------------------------


def test_units_with_the_working_shown():
    page = run("units", "97530=25", "97110=20", "--method", "cms").output
    for line in (
        "97530 25 min, 97110 20 min: 3 units by the CMS 8-minute rule",
        "  97530  ||||||||||||||| ||||||||||",
        "  97110  ||||||||||||||| |||||",
        "            minutes     CMS*      AMA",
        "  97530          25        2        2",
        "  together       45        3        3",
        "  25 + 20 = 45 timed minutes",
        "  45 = 3 x 15: 3 units",
        "  1 unit for the largest rest: 97530 (10 min)",
        "  bill 97530 x2, 97110 x1",
        "  97110: 20 = 1 x 15 + 5; 5 is under 8 and makes none: 1 unit",
        "   1 unit      8 to 22 minutes",
        "   2 units    23 to 37 minutes",
        "  - Total timed minutes and total treatment minutes of the day.",
    ):
        assert line in page.splitlines(), line


def test_units_where_the_methods_differ():
    page = run("units", "97110=10", "97530=9", "97140=8", "--method", "ama").output
    assert page.startswith("97110 10 min, 97530 9 min, 97140 8 min: 3 units by the AMA midpoint rule\n")
    assert "  together       27        2        3\n" in page
    assert page.index("AMA midpoint rule\n  97110") < page.index("CMS 8-minute rule\n  10 + 9")
    assert "            minutes      CMS     AMA*\n" in page


def test_units_where_any_choice_is_right():
    page = run("units", "97530=7", "97110=7", "97140=7").output
    assert "  1 unit for equal rests (7 min): 97530 or 97110 or 97140, whichever you choose\n" in page
    assert "  right: 97530 x1 or 97110 x1 or 97140 x1\n" in page
    assert "  97530           7      0-1        0\n" in page


def test_units_of_codes_that_are_not_timed():
    page = run("units", "97530=8", "97161=30", "99213=15").output
    assert page.startswith("97530 8 min, 99213 15 min: 2 units by")
    assert "97161 is not counted by minutes: one unit, however long it takes.\n" in page
    assert "Not in the therapy table, and taken as timed: 99213.\n" in page


def test_units_of_a_code_that_goes_on_where_another_ends():
    for order in (["97129=15", "97130=23"], ["97130=23", "97129=15"]):
        page = run("units", *order).output
        assert page.startswith("97129+97130 38 min: 3 units by")
        assert "Of 97129+97130 the first unit is 97129, further ones are 97130.\n" in page


def test_units_beyond_what_an_edit_allows():
    assert "97530: the medically unlikely edit allows 6 a day" in run("units", "97530=120").output
    assert "medically unlikely" not in run("units", "97530=97").output


@pytest.mark.parametrize(
    "given", ["97530", "97530=", "97530=x", "97530=-5", "9753=5", "97530=1.5", "97530=1441", "=5", "\u0661=1"]
)
def test_what_is_no_code_with_minutes(given):
    found = run("units", given)
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_a_code_twice_is_refused():
    assert run("units", "97530=5", "97530=6").exit_code == 2
    assert run("units").exit_code == 2


def test_units_of_no_minutes():
    assert run("units", "97530=0").output.startswith("97530 0 min: 0 units by")
    assert run("units", "97530=0", "--method", "ama").exit_code == 0


# -- profiles on the command line ----------------------------------------------------------------------------


def test_a_profile_file_on_the_command_line(tmp_path):
    claim = ROOT / "samples" / "837p" / "faulty" / "ncci.mue.97530-x7.837"
    given = ["check", "--received", "2026-09-30", "--format", "ndjson", claim, "--profile"]
    assert '"severity": "error"' in run(*given, "auto").output
    file = tmp_path / "ours.yaml"
    file.write_text("inherits: medicare\nseverity: {rules: {ncci.mue: warning}}\n")
    found = run(*given, file)
    assert found.exit_code == 0
    assert '"rule": "ncci.mue", "severity": "warning"' in found.output
    file.write_text("inherits: medicare\nrules: {off: [ncci]}\n")
    assert run(*given, file).output == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("inherits: moon\n", "ours.yaml:1: there is no profile 'moon'"),
        ("inherits: medicare\nrules: {off: [nc]}\n", ":2: no rule is called 'nc'"),
    ],
)
def test_a_malformed_profile_stops_the_run(tmp_path, text, says):
    file = tmp_path / "ours.yaml"
    file.write_text(text)
    found = run("check", ROOT / "samples" / "837p" / "clean" / "pt-clinic.837", "--profile", file)
    assert (found.exit_code, says in found.output) == (2, True)


@pytest.mark.parametrize("name", ["medicar", "no/such.yaml", "a\0b", ""])
def test_a_profile_that_is_not_there(name):
    found = run("check", "--profile", name, ROOT / "samples" / "837p" / "clean" / "pt-clinic.837")
    assert found.exit_code == 2
    assert "Traceback" not in found.output


def test_a_profile_in_the_configuration_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    claim = ROOT / "samples" / "837p" / "faulty" / "ncci.mue.97530-x7.837"
    (tmp_path / "edi-checker.toml").write_text('[check]\nprofile = "ours.yaml"\n')
    (tmp_path / "ours.yaml").write_text("inherits: medicare\nrules: {off: [ncci]}\n")
    assert run("check", "--received", "2026-09-30", claim).exit_code == 0
    (tmp_path / "edi-checker.toml").write_text('[check]\nprofile = "commercial"\n')
    assert run("check", "--received", "2026-09-30", claim).exit_code == 1
