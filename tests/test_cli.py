"""The command: options, configuration, exit codes, files written, and what it does when things go wrong."""

import gzip
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands, explain
from edi_checker.run import one_input as run
from report_schema import validate

# A patient with a claim of one line, clean for the guide; {balance} spoils the sum of its lines when not 100.
CLAIM = """\
ISA*00*          *00*          *ZZ*ALDER          *ZZ*BROOK          *260302*1200*^*00501*000000905*1*T*:~
GS*HC*ALDER*BROOK*20260302*1200*1*X*005010X222A1~
ST*837*0001*005010X222A1~
BHT*0019*00*B1*20260302*1200*CH~
NM1*41*2*ALDER THERAPY*****46*ALDER~
PER*IC*DESK*TE*5550100100~
NM1*40*2*BROOK HEALTH*****46*BROOK~
HL*1**20*1~
PRV*BI*PXC*225100000X~
NM1*85*2*ALDER THERAPY*****XX*1234567893~
N3*1 ELM STREET~
N4*ASHTON*OH*430010001~
REF*EI*123456789~
HL*2*1*22*0~
SBR*P*18*******CI~
NM1*IL*1*ASPEN*ANN****MI*M100~
N3*2 OAK STREET~
N4*ASHTON*OH*430010001~
DMG*D8*19700101*F~
NM1*PR*2*BROOK HEALTH*****PI*BROOK~
CLM*{claim}*{charge}***11:B:1*Y*A*Y*Y~
HI*ABK:M6281~
LX*1~
SV1*HC:97530:GP*100*UN*2***1~
DTP*472*D8*20260202~
REF*6R*1~
SE*25*0001~
GE*1*1~
IEA*1*000000905~
"""
CLEAN = CLAIM.format(claim="A-1", charge="100")
FAULTY = CLAIM.format(claim="A-2", charge="90")
ERASE_LINE = "\x1b[2K"
RECEIVED = ("--received", "2026-03-02")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in with a clean and a faulty file."""
    monkeypatch.chdir(tmp_path)
    Path("clean.837").write_text(CLEAN)
    Path("faulty.837").write_text(FAULTY)
    return tmp_path


def invoke(*arguments, **options):
    return CliRunner().invoke(commands, [str(a) for a in arguments], **options)


def check(*arguments, **options):
    return invoke("check", *RECEIVED, *arguments, **options)


def report(*arguments, **options) -> dict:
    done = check("--format", "json", *arguments, **options)
    assert done.exit_code in (0, 1, 2)
    made = json.loads(done.stdout)
    validate(made)
    return made


def process(*arguments, **options):
    command = [sys.executable, "-m", "edi_checker", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUTF8": "1"}
    return subprocess.run(
        command, capture_output=True, timeout=60, check=False, **{"env": environment} | options
    )


def test_clean_file_leaves_0(folder):
    done = check("clean.837")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Nothing found" in done.stdout


def test_stats_tell_how_claims_were_judged(folder):
    remembered = check("--stats", "clean.837").stderr.splitlines()
    whole = check("--stats", "--no-fast-path", "clean.837").stderr.splitlines()
    assert remembered[0] == "claims judged by their pieces: 1, as a whole: 0"
    assert whole[0] == "claims judged by their pieces: 0, as a whole: 1"


def test_faulty_file_leaves_1_and_names_rule_and_claim(folder):
    done = check("faulty.837")
    assert (done.exit_code, done.stderr) == (1, "")
    assert "balance.claim-charge" in done.stdout
    assert "A-2" in done.stdout


def test_json_holds_every_file_in_the_order_named(folder):
    Path("notes.txt").write_text("no claims here")
    made = report("faulty.837", "notes.txt", "gone.837", "clean.837")
    assert [(file["path"], file["outcome"]) for file in made["files"]] == [
        ("faulty.837", "rejected"),
        ("notes.txt", "not_checked"),
        ("gone.837", "not_checked"),
        ("clean.837", "accepted"),
    ]
    assert [bool(file["reason"]) for file in made["files"]] == [False, True, True, False]
    assert [file["sha256"] is None for file in made["files"]] == [False, False, True, False]
    assert made["received"] == "2026-03-02"
    assert made["tables"]
    assert made["files"][0]["tally"]["rules"] > made["files"][0]["tally"]["not_in_force"]


def test_highest_code_wins_and_no_file_stops_the_others(folder):
    assert check("clean.837", "faulty.837").exit_code == 1
    done = check("gone.837", "faulty.837", "clean.837")
    assert done.exit_code == 2
    assert "balance.claim-charge" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
def test_fail_on(folder, fail_on, code):
    assert check("--fail-on", fail_on, "faulty.837").exit_code == code
    assert check("--fail-on", fail_on, "gone.837").exit_code == 2


def test_ndjson(folder):
    rows = [
        json.loads(line)
        for line in check("--format", "ndjson", "faulty.837", "clean.837").stdout.splitlines()
    ]
    assert {(row["path"], row["rule"]) for row in rows} == {("faulty.837", "balance.claim-charge")}


@pytest.mark.long
def test_standard_input(folder):
    done = process("check", *RECEIVED, "-", input=b"")
    assert done.returncode == 2
    assert b"the input is empty" in done.stdout
    done = process("check", "--format", "json", *RECEIVED, "-", input=gzip.compress(FAULTY.encode()))
    (file,) = json.loads(done.stdout)["files"]
    assert (done.returncode, file["path"], file["outcome"]) == (1, "-", "rejected")


def test_folders_and_archives(folder):
    (folder / "in").mkdir()
    (folder / "in" / "a.837.gz").write_bytes(gzip.compress(CLEAN.encode()))
    with zipfile.ZipFile(folder / "in" / "b.zip", "w") as archive:
        archive.writestr("../c.837", FAULTY)
    made = report("in")
    assert [(file["path"], file["outcome"]) for file in made["files"]] == [
        (str(Path("in/a.837.gz")), "accepted"),
        (str(Path("in/b.zip")) + "!../c.837", "rejected"),
    ]


def test_archive_that_breaks_off_is_not_checked_and_not_answered(folder):
    Path("a.837.gz").write_bytes(gzip.compress(CLEAN.encode())[:-10])
    made = report("a.837.gz", "--acks", "--out-dir", "out")
    (file,) = made["files"]
    assert (file["outcome"], file["reason"]) == ("not_checked", "the archive ends too early")
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.html", "a.json"]


def test_answers_are_written_for_their_owner_alone(folder):
    done = check("--acks", "--out-dir", "out/deep", "clean.837", "faulty.837")
    assert (done.exit_code, done.stderr) == (1, "")
    out = folder / "out" / "deep"
    assert sorted(path.name for path in out.iterdir()) == [
        "clean.277ca", "clean.999", "clean.html", "clean.json",
        "faulty.277ca", "faulty.999", "faulty.html", "faulty.json",
    ]  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert "AK9*A*1*1*1" in (out / "faulty.999").read_text()
    made = json.loads((out / "faulty.json").read_text())
    validate(made)
    assert made["files"][0]["outcome"] == "rejected"


def test_inputs_of_one_name_get_files_of_their_own(folder):
    (folder / "other").mkdir()
    (folder / "other" / "clean.837").write_text(FAULTY)
    check("--acks", "--out-dir", "out", "clean.837", "other/clean.837")
    outcomes = [
        json.loads(Path(f"out/{name}.json").read_text())["files"][0]["outcome"]
        for name in ("clean", "clean-2")
    ]
    assert outcomes == ["accepted", "rejected"]


def test_answers_of_an_earlier_run_do_not_outlive_it(folder):
    check("--acks", "--out-dir", "out", "clean.837")
    Path("clean.837").write_text("no claims here any more")
    check("--acks", "--out-dir", "out", "clean.837")
    assert sorted(path.name for path in Path("out").iterdir()) == ["clean.html", "clean.json"]


def test_no_input_is_written_over(folder):
    Path("x.json").write_text(CLEAN)
    for arguments in (["--out-dir", ".", "x.json"], ["--output", "x.json", "x.json"]):
        done = check(*arguments)
        assert done.exit_code == 2
        assert "written over" in done.stderr
    assert Path("x.json").read_text() == CLEAN


def test_acks_need_a_folder(folder):
    done = check("--acks", "clean.837")
    assert done.exit_code == 2
    assert "--out-dir" in done.stderr


def test_output_takes_the_report(folder):
    done = check("--format", "json", "--output", "report.json", "faulty.837")
    assert (done.exit_code, done.stdout) == (1, "")
    assert json.loads(Path("report.json").read_text())["files"][0]["outcome"] == "rejected"
    assert stat.S_IMODE(Path("report.json").stat().st_mode) == 0o600


def test_output_that_cannot_be_written_leaves_2(folder):
    done = check("--output", "no/such/folder/report", "clean.837")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_file_of_an_answer_that_cannot_be_written_leaves_2(folder):
    Path("out").mkdir()
    (folder / "out" / "clean.999").mkdir()
    done = check("--acks", "--out-dir", "out", "clean.837", "faulty.837")
    assert done.exit_code == 2
    assert "clean.999" in done.stderr
    assert (folder / "out" / "faulty.999").exists()


def test_select_and_ignore(folder):
    assert check("--ignore", "balance.claim-charge", "faulty.837").exit_code == 0
    assert check("--select", "guide, x12", "faulty.837").exit_code == 0
    assert check("--select", "balance", "faulty.837").exit_code == 1


RULE = """\
title: No therapeutic activities
fault: Therapeutic activities
severity: error
snip: 7
match:
  line: {fact: line, code: "97530"}
at: line SV101-2
message: The house does not bill {line.code}.
fix: Remove line {line.ordinal}.
status: {277CA: ["A3:187"]}
sources:
  - {cite: House rules, seen: 2026-11-21}
"""


def test_rules_of_ones_own(folder):
    (folder / "mine" / "house").mkdir(parents=True)
    (folder / "mine" / "house" / "none.yaml").write_text(RULE)
    made = report("--rules", "mine", "clean.837")
    assert [finding["rule"] for finding in made["files"][0]["findings"]] == ["house.none"]
    done = invoke("explain", "house.none", "--rules", "mine")
    assert done.exit_code == 0
    assert "The house does not bill" in done.stdout
    assert "house.none" in invoke("rules", "--rules", "mine").stdout
    assert "house.none" in invoke("rules", "list", "--rules", "mine").stdout
    linted = invoke("rules", "lint", "--rules", "mine")
    assert linted.exit_code == 1
    assert {line.partition(":")[0] for line in linted.stdout.splitlines()[:-1]} == {
        str(Path("mine/house/none.yaml"))
    }


EXAMPLES = """\
examples:
  pass:
    - {lines: ["%s:GP x1"]}
  fail:
    - {lines: ["%s:GP x1"]}
"""


@pytest.mark.long
def test_examples_of_rules_of_ones_own_are_tried(folder):
    (folder / "mine" / "house").mkdir(parents=True)
    for good, bad, code in (("97110", "97530", 0), ("97530", "97530", 1), ("97110", "97110", 1)):
        (folder / "mine" / "house" / "none.yaml").write_text(RULE + EXAMPLES % (good, bad))
        tried = invoke("rules", "test", "--rules", "mine")
        assert (tried.exit_code, tried.stderr) == (code, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "xml"], "xml"),
        (["--received", "2026-02-30"], "2026-02-30"),
        (["--select", "no.rule"], "no.rule"),
        (["--rules", "nowhere"], "nowhere"),
        (["--minutes", "nowhere.csv"], "nowhere.csv"),
        (["--minutes", "bad.csv"], "bad.csv, row 2"),
        (["--rules", "bad.yaml"], "bad.yaml:"),
        (["--config", "bad.toml"], "bad.toml"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_use_stops_before_anything_is_written(folder, arguments, said):
    Path("bad.csv").write_text("claim,line,minutes\nA-1,1,many\n")
    Path("bad.yaml").write_text("title: [\n")
    Path("bad.toml").write_text("[check\n")
    done = invoke("check", "--acks", "--out-dir", "out", "--output", "report", *arguments, "clean.837")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not Path("out").exists()
    assert not Path("report").exists()


def test_malformed_minutes_beside_an_input_cost_that_input_alone(folder):
    Path("clean.minutes.csv").write_text("claim,line,minutes\nA-1,1,-5\n")
    assert check("clean.837", "faulty.837").exit_code == 2
    bad, good = report("clean.837", "faulty.837")["files"]
    assert bad["outcome"] == "not_checked"
    assert bad["reason"] == "its minutes file, row 2: minutes is not between 0 and 1440"
    assert good["outcome"] != "not_checked"
    assert good["findings"]


def test_minutes_beside_an_input_count_for_it(folder):
    Path("clean.minutes.csv").write_text("claim,line,minutes\nA-1,1,9\n")
    rules = {finding["rule"] for finding in report("clean.837")["files"][0]["findings"]}
    assert "therapy.minutes" in rules
    Path("given.csv").write_text("claim,line,minutes\nA-1,1,30\n")
    assert report("--minutes", "given.csv", "clean.837")["files"][0]["findings"] == []


def test_configuration_gives_the_defaults(folder):
    (folder / "below").mkdir()
    Path("edi-checker.toml").write_text(
        '[check]\nformat = "json"\nreceived = 2026-03-02\nignore = ["balance"]\nout-dir = "out"\n'
    )
    os.chdir("below")
    done = invoke("check", "../faulty.837")
    assert json.loads(done.stdout)["received"] == "2026-03-02"
    assert done.exit_code == 0
    assert (folder / "out" / "faulty.json").exists()
    assert invoke("check", "--format", "text", "../faulty.837").stdout.splitlines()[2].startswith("..")


@pytest.mark.parametrize("line", ["max-claim = 20000000", "max-claim = '20000000'", "max-seconds = 0.5"])
def test_configuration_gives_numbers(folder, line):
    Path("edi-checker.toml").write_text(f"[check]\n{line}\n")
    assert check("clean.837").exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[check]\nfromat = 'json'", "[check] fromat"),
        ("[check]\nformat = 'xml'", "[check] format"),
        ("[check]\nacks = 'yes'", "[check] acks"),
        ("[check]\nformat = ['json', 'text']", "[check] format"),
        ("[check]\nselect = [1]", "[check] select"),
        ("[check]\ndebug = true", "[check] debug"),
        ("[check]\nmax-claim = true", "[check] max-claim: a number is expected"),
        ("[check]\nmax-claim = 5", "[check] max-claim: 5 is not in the range"),
        ("[check]\nmax-claim = 2.5e7", "[check] max-claim"),
        ("[chekc]\nacks = true", "[chekc]"),
        ("check = 1", "check"),
        ("format = 'json'", "format"),
        ("[check]\nformat = 'js", "edi-checker.toml: "),
        ("x = " + "[" * 5000, "nested more than"),
        ("x = [\n" * 5000, "nested more than"),
        ("x = " + "{a = " * 5000, "nested more than"),
        ('[check]\nprofile = "\\ud800"', "edi-checker.toml"),
    ],
)  # fmt: skip
def test_wrong_configuration_names_its_place(folder, text, said):
    Path("edi-checker.toml").write_text(text)
    done = check("clean.837")
    assert done.exit_code == 2
    assert "edi-checker.toml" in done.stderr
    assert said in done.stderr
    assert done.stdout == ""


def test_command_line_wins_over_configuration(folder):
    Path("edi-checker.toml").write_text('[check]\nformat = "json"\n')
    assert check("--format", "ndjson", "clean.837").stdout == ""


def test_crash_is_told_as_such_and_stops_nothing(folder, monkeypatch):
    real = run.Checker.check

    def broken(checker, stream, memory):
        for count, checked in enumerate(real(checker, stream, memory)):
            if count == 3:
                raise KeyError("ASPEN*ANN")
            yield checked

    monkeypatch.setattr(run.Checker, "check", broken)
    done = check("--acks", "--out-dir", "out", "clean.837", "faulty.837")
    assert done.exit_code == 2
    assert done.stdout.count("internal error (KeyError)") == 2
    assert "ASPEN" not in done.output
    assert "Traceback" not in done.output
    assert {path.suffix for path in Path("out").iterdir()} == {".html", ".json"}
    assert "Traceback" in check("--debug", "clean.837").stderr


def test_crash_of_the_answers_leaves_the_report(folder, monkeypatch):
    real = run.Acknowledger.finish

    def broken(acknowledger, draw):
        real(acknowledger, draw).close()
        raise ValueError

    monkeypatch.setattr(run.Acknowledger, "finish", broken)
    done = check("--acks", "--out-dir", "out", "clean.837")
    assert done.exit_code == 2
    assert "no answers" in done.stderr
    assert "ready to send" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"ISA",
        b"ISA*" * 1000,
        bytes(100_000),
        os.urandom(50_000),
        b"ISA*00*" + b"~" * 200,
        b"\xff\xfeI\x00S\x00A\x00",
    ],
)
def test_no_bytes_give_a_traceback(folder, data):
    Path("x.837").write_bytes(data)
    done = check("--acks", "--out-dir", "out", "x.837")
    assert done.exit_code in (1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_explain_unknown_rule_leaves_2():
    done = invoke("explain", "no.rule")
    assert done.exit_code == 2
    assert "no.rule" in done.stderr


@pytest.mark.long
def test_every_rule_listed_can_be_explained(monkeypatch):
    # Read once, not once a rule.
    book = explain.load_rules(())
    checker = explain.example_checker(book, "auto")
    monkeypatch.setattr(explain, "load_rules", lambda *_, **__: book)
    monkeypatch.setattr(explain, "example_checker", lambda *_: checker)
    ids = [line.split()[0] for line in invoke("rules").stdout.splitlines()]
    assert "balance.claim-charge" in ids
    for rule_id in ids:
        page = invoke("explain", rule_id)
        assert page.exit_code == 0
        assert rule_id in page.stdout
        assert max(map(len, page.stdout.splitlines())) <= 100


@pytest.mark.long
@pytest.mark.parametrize(("asked", "said"), [(["--help"], "Begin with"), (["check", "--help"], "--received")])
def test_help_imports_nothing_heavy(asked, said):
    script = (
        "import sys; from edi_checker.cli import commands\n"
        f"commands({asked}, standalone_mode=False)\n"
        "heavy = ('rich', 'yaml', 'lxml', 'durable', 'jsonschema', 'edi_checker.check.checker',\n"
        "    'edi_checker.facts.context', 'edi_checker.rules.rulebook', 'edi_checker.claims.claim')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert said in done.stdout


def test_module_is_the_command(folder):
    done = process("check", *RECEIVED, "faulty.837")
    assert done.returncode == 1
    assert b"balance.claim-charge" in done.stdout


@pytest.mark.long
def test_output_without_unicode_is_ascii(folder):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    done = process("check", *RECEIVED, "faulty.837", env=environment)
    assert done.returncode == 1
    assert "\nfaulty.837\n  x the claim needs work" in done.stdout.decode("ascii")


@pytest.mark.long
def test_pipe_that_closes_early_is_quiet(folder):
    script = f"{sys.executable} -m edi_checker check --received 2026-03-02 {'faulty.837 ' * 3000}| head -1"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(script, shell=True, capture_output=True, timeout=120, check=False, env=environment)
    assert done.stdout.startswith(b"NCCI ")
    assert done.stderr == b""


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_said_in_one_line(folder):
    with Path("/dev/full").open("wb") as full:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-m", "edi_checker", "check", *RECEIVED, "faulty.837"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt_is_clean(folder, number, code):
    os.mkfifo("slow")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "edi_checker", "check", *RECEIVED, "--output", "report", "slow"]
    with (
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            # Where the tests run in the background, it is ignored from the start.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509  # no threads here
        ) as child,
        Path("slow").open("wb") as pipe,  # opens once the command reads
    ):
        pipe.write(CLEAN.encode()[:500])
        pipe.flush()
        time.sleep(0.3)
        child.send_signal(number)
        out, error = child.communicate(timeout=30)
    assert child.returncode == code
    assert out == b""
    assert b"Traceback" not in error
    assert {path.name for path in folder.iterdir()} == {"clean.837", "faulty.837", "slow"}


def on_terminal(folder, *arguments, **environment) -> str:
    """What a person sees: the command on a terminal of its own."""
    master, slave = pty.openpty()
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "TERM": "xterm",
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-m", "edi_checker", "check", *RECEIVED, *arguments]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=variables | environment):
        os.close(slave)
        seen = b""
        try:
            while data := os.read(master, 65536):
                seen += data
        except OSError:  # the other end is gone
            pass
    os.close(master)
    return seen.decode()


@pytest.mark.long
def test_terminal_gets_colours_unless_told_not_to(folder):
    assert "\x1b[" in on_terminal(folder, "faulty.837")
    assert "\x1b[" not in on_terminal(folder, "faulty.837", NO_COLOR="1")


@pytest.mark.long
def test_long_reading_shows_a_bar_that_vanishes(folder):
    os.mkfifo("slow")
    for arguments, shown in (([], True), (["--no-progress"], False)):
        writer = threading.Thread(target=Path("slow").write_text, args=(CLEAN,))
        writer.start()
        seen = on_terminal(folder, "slow", "--output", "report", *arguments)
        writer.join()
        assert ("slow" in seen) is shown
        assert (ERASE_LINE in seen) is shown
    assert "\x1b[" not in on_terminal(folder, "clean.837", "--output", "report")
