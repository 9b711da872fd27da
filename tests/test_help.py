"""How the command explains itself: groups, headings, examples that can be typed, near names, completion."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.cli import COMMANDS, commands
from edi_checker.cli.completion import PROFILES
from edi_checker.cli.help import _HEADINGS, EXAMPLES, FIRST, in_groups
from edi_checker.files.shipped import packaged_ids
from edi_checker.guide import native
from edi_checker.rules import load
from edi_checker.rules.near import ask_near, find_near
from paths import ROOT

FAULTY = ROOT / "samples/837p/faulty/ncci.mue.97530-x7.837"
CLEAN = ROOT / "samples/837p/clean/pt-clinic.837"


def invoke(*arguments):
    return CliRunner().invoke(commands, [str(each) for each in arguments])


def test_the_first_screen_says_what_to_type():
    for arguments in ((), ("--help",), ("-h",)):
        done = invoke(*arguments)
        assert "Begin with:" in done.output, (done.exit_code, done.exception, done.output)
        begin = done.output.index("Begin with:")
        assert begin < done.output.index("edi-checker check claims.837") < done.output.index("Check claims:")
        for name, does in COMMANDS.items():
            assert done.output.count(f"  {name:<11}  {does}") == 1


def test_every_command_is_in_a_group_of_its_own():
    grouped = [name for _, names in in_groups(COMMANDS) for name in names]
    assert sorted(grouped) == sorted(COMMANDS)
    assert dict(in_groups(["check", "new-one"]))["Other"] == ["new-one"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_examples_that_can_be_typed(name):
    said = invoke(name, "--help").output
    examples = EXAMPLES[name]
    assert examples
    tail = said[said.index("Examples:") :]
    for typed, does in examples:
        assert f"  edi-checker {typed}\n      {does}\n" in tail


@pytest.mark.parametrize(
    "typed", [typed for each in (FIRST, *map(EXAMPLES.get, COMMANDS)) for typed, _ in each]
)
def test_an_example_is_right_use(typed, tmp_path, monkeypatch):
    """Each is parsed as it stands; only the files that it names are not there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "our-rules").mkdir()
    args = shlex.split(typed)
    ctx = click.Context(commands, info_name="edi-checker")
    while isinstance(command := ctx.command, click.Group):
        name, below, args = command.resolve_command(ctx, args)
        ctx = below.make_context(name, list(args), parent=ctx)
        args = [*ctx._protected_args, *ctx.args] if isinstance(below, click.Group) else []
        if not args:
            break


def test_the_options_of_check_stand_under_headings():
    said = invoke("check", "--help").output
    places = [said.index(f"\n{heading}:") for heading in _HEADINGS]
    assert places == sorted(places)
    what = said[said.index("What is checked:") : said.index("Earlier files:")]
    assert all(f"--{name}" in what for name in ("profile", "rules", "received", "select"))


def test_every_name_under_a_heading_is_an_option():
    ctx = click.Context(commands)
    known = {
        name.lstrip("-")
        for each in map(lambda name: commands.get_command(ctx, name), COMMANDS)  # noqa: C417  # reads in order
        for option in each.get_params(click.Context(each, info_name=each.name, **commands.context_settings))
        for name in option.opts
    }
    assert {name for names in _HEADINGS.values() for name in names} <= known


def test_quiet_prints_one_line_for_each_file(tmp_path):
    (tmp_path / "x.txt").write_text("no claims")
    done = invoke("check", "-q", "--received", "2026-11-21", FAULTY, CLEAN, tmp_path / "x.txt")
    lines = done.stdout.splitlines()
    assert (done.exit_code, len(lines), done.stderr) == (2, 3, "")
    assert lines[0] == f"{FAULTY}: 1 of 2 claims need work"
    assert lines[1] == f"{CLEAN}: ready to send"
    assert lines[2].startswith(f"{tmp_path / 'x.txt'}: not checked: the input does not begin with an ISA")
    assert invoke("check", "-q", FAULTY).exit_code == 1
    for others in (("--format", "json"), ("-v",), ("--tables-used",)):
        assert invoke("check", "-q", *others, FAULTY).exit_code == 2


def test_verbose_names_tables_and_engine():
    plain = invoke("check", CLEAN)
    told = invoke("check", "-v", CLEAN)
    tables = invoke("check", "--tables-used", CLEAN)
    assert "Tables used: -v" in plain.stdout
    assert plain.stderr == tables.stderr == ""
    for done in (told, tables):
        assert "builtin-therapy-2024Q3" in done.stdout[done.stdout.index(" rules") :]
    assert told.stderr.startswith("Rules are decided by ")
    python = invoke("check", "-v", "--engine", "python", CLEAN)
    assert python.stderr == "Rules are decided by the checker's own engine.\n"


def test_without_durable_rules_only_who_asks_hears_of_it(monkeypatch):
    for name in ("durable", "durable.engine", "durable_rules_engine"):
        monkeypatch.setitem(sys.modules, name, None)
    joined = FAULTY
    assert invoke("check", "--no-fast-path", joined).stderr == ""
    said = invoke("check", "--no-fast-path", "--engine", "durable", joined).stderr
    assert said.startswith("edi-checker: durable-rules cannot be used here")
    told = invoke("check", "-v", "--no-fast-path", joined).stderr
    assert told == "Rules are decided by the checker's own engine.\n"


def test_the_version_names_the_engine():
    done = invoke("-V")
    first, second, third = done.stdout.splitlines()
    assert first.startswith("edi-checker ")
    assert second.startswith("Rules are decided by ")
    assert invoke("--version").stdout == done.stdout
    assert third == f"reading: {'native' if native.IN_USE else 'Python'}"


def test_the_version_says_what_reads_without_the_native_module(monkeypatch):
    monkeypatch.setattr(native, "IN_USE", False)
    assert invoke("-V").stdout.splitlines()[2] == "reading: Python"


def test_output_has_a_short_form(tmp_path):
    assert invoke("check", "-o", tmp_path / "report", CLEAN).stdout == ""
    assert "ready to send" in (tmp_path / "report").read_text()


# -- what was meant -----------------------------------------------------------------------------------------


def test_what_is_near_is_asked():
    assert find_near("chek", COMMANDS) == ["check"]
    assert ask_near("therapy.k", ["therapy.kx", "x"]) == " Did you mean therapy.kx?"
    assert ask_near("", COMMANDS) == ""
    assert ask_near("zzz", COMMANDS) == ""
    assert len(find_near("a", [f"a{number}" for number in range(9)])) == 3


PROFILE = "inherits: medicare\n{}\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("chek", "x"), "check"),
        (("check", "--formt", "json", "x"), "--format"),
        (("check", "--profile", "medicaire", "x"), "medicare"),
        (("check", "--select", "ncci.meu", "x"), "ncci.mue"),
        (("check", "--ignore", "therapy.kxx", "x"), "therapy.kx"),
        (("explain", "ncci.meu"), "ncci.mue"),
        (("rules", "list", "ncci.meu"), "ncci.mue"),
        (("check", "--config", "wrong-option.toml", "x"), "format"),
        (("check", "--config", "wrong-command.toml", "x"), "check"),
        (("check", "--profile", "key.yaml", "x"), "severity"),
        (("check", "--profile", "parent.yaml", "x"), "medicare"),
        (("check", "--profile", "rule.yaml", "x"), "therapy.kx"),
        (("check", "--rules", "house", "x"), "severity"),
        (
            (
                "watch",
                "in",
                "--out-dir",
                "o",
                "--archive",
                "a",
                "--state",
                "s.db",
                "--partners",
                "partners.yaml",
            ),
            "profile",
        ),
    ],
    ids=lambda each: " ".join(each)[:40] if isinstance(each, tuple) else "",
)
def test_what_is_written_wrong_is_answered_with_what_was_meant(arguments, meant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "x": "",
        "wrong-option.toml": "[check]\nformt = 'json'\n",
        "wrong-command.toml": "[chek]\nformat = 'json'\n",
        "key.yaml": PROFILE.format("severty: {}"),
        "parent.yaml": "inherits: medicaire\n",
        "rule.yaml": PROFILE.format("rules: {off: [therapy.kxx]}"),
        "house/one.yaml": "title: One\nseverty: error\n",
        "partners.yaml": "acme: {profle: medicare}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "in").mkdir()
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert f"Did you mean {meant}" in done.output.replace("'", "")


# -- completion ---------------------------------------------------------------------------------------------


def complete(*words: str) -> list[str]:
    """What is proposed for the last of the words."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "edi_checker"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ
        | {
            "_EDI_CHECKER_COMPLETE": "bash_complete",
            "COMP_WORDS": shlex.join(["edi-checker", *words]),
            "COMP_CWORD": str(len(words)),
        },
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"yaml", "lxml", "rich", "durable", "sqlalchemy", "pyx12", "edi_checker.check.checker"}
    assert not loaded & heavy
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_the_shell_is_told_commands_options_rules_and_profiles():
    assert complete("") == list(COMMANDS)
    assert complete("ch") == ["check"]
    assert complete("check", "--rec") == ["--received"]
    assert complete("explain", "ncci.mu") == ["ncci.mue", "ncci.mue-zero"]
    assert complete("check", "--ignore", "code.npi,ncci.pt") == [
        "code.npi,ncci.ptp",
        "code.npi,ncci.ptp-modifier",
    ]
    assert complete("check", "--profile", "tri") == ["tricare"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_printed(shell):
    done = subprocess.run(
        [sys.executable, "-m", "edi_checker"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"_EDI_CHECKER_COMPLETE": f"{shell}_source"},
    )
    assert f"_EDI_CHECKER_COMPLETE={shell}_complete" in done.stdout
    assert shell in (ROOT / "docs" / "completion.md").read_text()


def test_what_is_proposed_is_what_there_is():
    assert packaged_ids() == [rule.id for rule in load().rules]
    assert {"auto", *BUILT_IN} == set(PROFILES)
