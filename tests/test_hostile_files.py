"""What is no claim file: named, with what to do; not checked, never answered, skipped in a folder."""

import gzip
import io
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from paths import ROOT
from report_schema import validate
from test_cli import CLEAN, FAULTY

ISA, *_, LAST, _ = CLEAN.split("\n")
CLAIMS = CLEAN[len(ISA) + 1 : CLEAN.index(LAST)]
RECEIVED = ("--received", "2026-03-02", "--no-progress")


def group(gs01, version, st01, number="7", set_version=None):
    """A functional group of another kind, with levels as a 277 has them."""
    return (
        f"GS*{gs01}*ALDER*BROOK*20260302*1200*{number}*X*{version}~\n"
        f"ST*{st01}*0001*{version if set_version is None else set_version}~\n"
        f"BHT*0085*08*1*20260302*1200*TH~\nHL*1**20*1~\nCLM*1*1~\nSE*5*0001~\nGE*1*{number}~\n"
    )


def interchange(*groups, number="000000905"):
    isa = ISA.replace("000000905", number)
    return f"{isa}\n{''.join(groups)}IEA*{len(groups)}*{number}~\n"


ACK = group("FA", "005010X231A1", "999")
# What GS01, GS08 and ST01 are, and what the reason says.
OTHERS = {
    "835": (("HP", "005010X221A1", "835"), "an 835"),
    "277CA": (("HN", "005010X214", "277"), "a 277CA .*explain-ack"),
    "277": (("HN", "005010X212", "277"), "a 277 "),
    "277 of another guide": (("HN", "005010X999", "277"), "a 277 "),
    "276": (("HR", "005010X212", "276"), "a 276"),
    "999": (("FA", "005010X231A1", "999"), "a 999 .*explain-ack"),
    "997": (("FA", "004010", "997"), "a 997 .*explain-ack"),
    "FA of no known set": (("FA", "005010", "998"), "a 999 or 997 .*explain-ack"),
    "999 that says HC": (("HC", "005010X231A1", "999"), "a 999 .*explain-ack"),
    "270": (("HS", "005010X279A1", "270"), "a 270"),
    "271": (("HB", "005010X279A1", "271"), "a 271"),
    "278": (("HI", "005010X217", "278"), "a 278"),
    "275": (("PI", "006020X314", "275"), "a 275"),
    "834": (("BE", "005010X220A1", "834"), "an 834"),
    "820": (("RA", "005010X218", "820"), "an 820"),
    "850": (("PO", "004010", "850"), "an 850"),
}


def packed(*members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


XLSX = packed(("[Content_Types].xml", "<a/>"), ("xl/workbook.xml", "<a/>"))
DOCX = packed(("[Content_Types].xml", "<a/>"), ("word/document.xml", "<a/>"))
ODS = packed(("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", "<a/>"))
# What the file is called and holds, what the reason says, and whether a folder skips it.
FILES = {
    "PDF": ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF", True),
    "xlsx": ("a.xlsx", XLSX, r"spreadsheet \(xlsx\)", True),
    "ods": ("a.ods", ODS, r"spreadsheet \(ods\)", True),
    "xls": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "xls", True),
    "csv": ("a.csv", b"claim,charge\nA-1,100\nA-2,90\n", r"table \(csv\)", True),
    "docx": ("a.docx", DOCX, "Word", True),
    "rtf": ("a.rtf", b"{\\rtf1\\ansi Dear sir}", "RTF", True),
    "eml": (
        "a.eml",
        b"Received: from x\nFrom: a@b\nTo: c@d\n\nHere",
        "mail; save its",
        True,
    ),
    "mbox": ("a.mbox", b"From a@b Mon Mar  2 12:00:00 2026\nSubject: x\n\nHere", "mail; save its", True),
    "HTML": ("a.html", b"\n<!DOCTYPE html>\n<html><body>", "HTML", True),
    "XML": ("a.xml", b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "XML", True),
    "JSON": ("a.json", b'{"schema": "edi-checker/report/1"}', "JSON", True),
    "PNG": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "image", True),
    "JPEG": ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(99), "image", True),
    "EDIFACT": ("a.edi", b"UNB+UNOA:1+A+B'", "EDIFACT", True),
    "HL7": ("a.hl7", b"MSH|^~\\&|A|B\r", "HL7", True),
    "text": ("a.txt", "Dear sir or madam,\nplease find \u00e9\n".encode(), "plain text", True),
    "text named as claims": ("a.837", b"Dear sir", "plain text", False),
    "gzip in gzip": ("a.gz", gzip.compress(gzip.compress(CLEAN.encode())), "gzip in gzip", False),
    "bzip2": ("a.bz2", b"BZh91AY&SY", "bzip2", False),
    "7z": ("a.7z", b"7z\xbc\xaf\x27\x1c\x00", "7-Zip", False),
    "tar": ("a.tar", b"a.837".ljust(257, b"\x00") + b"ustar\x0000", "tar", False),
    "UTF-16": ("a.837", CLEAN.encode("utf-16"), "UTF-16", False),
    "EBCDIC": ("a.837", CLEAN.encode("cp037"), "EBCDIC", False),
    "binary": ("a.bin", bytes(500), "binary|empty", False),
    "X12 without ISA": ("a.txt", CLAIMS.encode(), "does not begin with an ISA segment$", False),
    "claims behind a heading": ("a.txt", f"Claims\n{CLEAN}".encode(), "an ISA segment$", False),
    "empty": ("a.txt", b"", "empty", False),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    return tmp_path


def run(command, *args):
    return CliRunner().invoke(commands, [command, *args, *RECEIVED])


def check(*args, acks=True):
    """Exit code, JSON report, and the endings of the answers."""
    done = run(
        "check", *args, "--format", "json", *(("--acks", "--split", "--out-dir", "out") if acks else ())
    )
    report = json.loads(done.stdout)
    validate(report)
    answers = {path.suffix for path in Path("out").glob("*")} - {".json", ".html"} if acks else set()
    return done.exit_code, report, answers


@pytest.mark.parametrize("kind", OTHERS)
def test_another_kind_of_x12_is_named_and_never_answered(folder, kind):
    head, reason = OTHERS[kind]
    Path("a.x12").write_text(interchange(group(*head)))
    code, report, answers = check("a.x12")
    (file,) = report["files"]
    assert (code, file["outcome"], file["findings"], answers) == (2, "not_checked", [], set())
    assert re.search(reason, file["reason"])
    assert check("--no-fast-path", "a.x12") == (code, report, answers)


@pytest.mark.parametrize("spoil", ["", "ISA*00*", "GE*1*7", "IEA*1", "cut"])
def test_even_a_damaged_acknowledgement_is_not_answered(folder, spoil):
    text = interchange(ACK)
    damaged = {
        "ISA*00*": text.replace("ISA*00*", "ISA*99*"),
        "GE*1*7": text.replace("GE*1*7", "GE*9*8"),
        "IEA*1": text.replace("IEA*1", "IEA*4"),
        "cut": text[: text.index("CLM*")],
    }
    Path("a.x12").write_text(damaged.get(spoil, text))
    code, report, answers = check("a.x12")
    (file,) = report["files"]
    assert (code, file["outcome"], file["findings"], answers) == (2, "not_checked", [], set())
    assert "a 999" in file["reason"]


def test_a_ta1_alone_is_named_and_not_answered(folder):
    Path("a.ta1").write_text(f"{ISA}\nTA1*000000001*260302*1200*A*000~\nIEA*0*000000905~\n")
    code, report, answers = check("a.ta1")
    (file,) = report["files"]
    assert (code, file["outcome"], answers) == (2, "not_checked", set())
    assert "a TA1" in file["reason"] and "explain-ack" in file["reason"]


@pytest.mark.parametrize(
    "text",
    [
        interchange(CLAIMS, ACK),
        interchange(ACK, CLAIMS),
        interchange(ACK, number="000000901") + CLEAN,
        CLEAN + interchange(ACK, number="000000901"),
    ],
    ids=["behind", "before", "interchange before", "interchange behind"],
)
def test_claims_beside_acknowledgements_are_answered_alone(folder, text):
    Path("a.837").write_text(text)
    code, report, answers = check("a.837")
    (file,) = report["files"]
    assert (code, file["outcome"], answers) == (0, "accepted", {".999", ".277ca", ".837"})
    assert [(each["rule"], each["severity"]) for each in file["findings"]] == [("x12.other-group", "warning")]
    assert "999" in file["findings"][0]["message"]
    ack = Path("out/a.999").read_text()
    assert (ack.count("AK1*"), ack.count("AK1*HC"), ack.count("ISA*")) == (1, 1, 1)
    assert Path("out/a.277ca").read_text().count("ISA*") == 1
    assert check("--no-fast-path", "a.837") == (code, report, answers)


def test_claims_with_a_fault_of_the_envelope_are_answered_behind_an_acknowledgement(folder):
    Path("a.837").write_text(interchange(ACK, CLAIMS).replace("ISA*00*", "ISA*99*"))
    _, report, answers = check("a.837")
    assert ("x12.envelope", "ISA01") in {
        (each["rule"], each["where"]["element"]) for each in report["files"][0]["findings"]
    }
    assert answers == {".ta1", ".837"}


@pytest.mark.parametrize(
    ("version", "name"), [("005010X223A2", "837I"), ("005010X224A2", "837D"), ("004010X098A1", "4010")]
)
def test_claims_of_another_guide_are_named_and_answered_by_ak905(folder, version, name):
    Path("a.837").write_text(CLEAN.replace("005010X222A1", version))
    code, report, answers = check("a.837")
    (finding,) = report["files"][0]["findings"]
    assert (code, finding["rule"], answers) == (1, "x12.version", {".999"})
    assert name in finding["message"]
    assert re.search(r"AK9\*R\*1\*[01]\*0\*2~", Path("out/a.999").read_text())


def test_claims_with_a_wrong_gs01_are_answered(folder):
    Path("a.837").write_text(CLEAN.replace("GS*HC", "GS*FA"))
    code, _, answers = check("a.837")
    assert (code, ".999" in answers) == (1, True)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_x12_is_named(folder, kind):
    name, data, reason, skipped = FILES[kind]
    Path("in", name).write_bytes(data)
    Path("in", "z.837").write_text(CLEAN)
    code, report, answers = check(f"in/{name}")
    (file,) = report["files"]
    assert (code, file["outcome"], answers) == (2, "not_checked", set())
    assert re.search(reason, file["reason"])
    code, report, _ = check("in", acks=False)
    assert (code, len(report["files"]), len(report.get("skipped", ()))) == (
        (0, 1, 1) if skipped else (2, 2, 0)
    )


def test_a_folder_lists_at_the_end_what_it_skipped(folder):
    Path("in/b.999").write_text(interchange(ACK))
    Path("in/c.pdf").write_bytes(b"%PDF-1.4")
    Path("in/d.837").write_text(FAULTY)
    Path("out").mkdir()
    Path("out/b.277ca").write_text("of an earlier run")
    code, report, _ = check("in")
    assert (code, [file["path"] for file in report["files"]]) == (1, ["in/d.837"])
    assert [each["path"] for each in report["skipped"]] == ["in/b.999", "in/c.pdf"]
    assert {path.stem for path in Path("out").iterdir()} == {"d", "d.rejected"}
    text = run("check", "in").stdout
    assert "2 files skipped, no claim files\n  in/b.999: a 999" in text.partition("Claims by profile")[2]
    page = run("check", "in", "--format", "html").stdout
    assert "2 files skipped" in page and "in/c.pdf" in page
    for form in ("csv", "ndjson"):
        assert "b.999" not in run("check", "in", "--format", form).stdout


def test_a_folder_without_a_claim_file_was_not_checked(folder):
    Path("in/b.999").write_text(interchange(ACK))
    for done in (run("check", "in"), run("batch", "in", "--out-dir", "out", "--workers", "1")):
        assert done.exit_code == 2
        assert "none of the files is a claim file" in done.stderr
        assert "b.999" in done.stdout


def test_a_batch_skips_and_answers_as_a_check_does(folder):
    Path("in/b.999").write_text(interchange(ACK))
    Path("in/c.xlsx").write_bytes(XLSX)
    Path("in/d.837").write_text(interchange(CLAIMS, ACK))
    done = run("batch", "in", "--out-dir", "out", "--workers", "1")
    assert done.exit_code == 0, done.output
    assert "Skipped: no claim files" in done.stdout
    summary = json.loads(Path("out/summary.json").read_text())
    assert [each["path"] for each in summary["skipped"]] == ["in/b.999", "in/c.xlsx"]
    assert (summary["files"]["total"], summary["files"]["not_checked"]) == (1, 0)
    names = {path.name for path in Path("out").iterdir() if not path.name.startswith(".")}
    assert names == {"d.json", "d.999", "d.277ca", "summary.json", "findings.ndjson"}
    run("check", "in", "--out-dir", "one", "--acks")
    for name in ("d.json", "d.999", "d.277ca"):
        assert Path("out", name).read_bytes() == Path("one", name).read_bytes()
    again = run("batch", "in", "--out-dir", "out", "--workers", "1", "--resume")
    assert json.loads(Path("out/summary.json").read_text())["skipped"] == summary["skipped"]
    assert again.exit_code == 0
    named = run("batch", "in/b.999", "--out-dir", "out2", "--workers", "1")
    assert named.exit_code == 2
    assert {path.name for path in Path("out2").glob("b.*")} == {"b.json"}


def started(*args, without=()):
    """The command in a process that is started without these standard streams; exit code and what it said."""
    closing = " ".join(f"{number}>&-" if number else "<&-" for number in without)
    line = shlex.join([sys.executable, "-m", "edi_checker", *args])
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} {closing}"], capture_output=True, text=True, check=False, env=path
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="streams are closed by a shell")
@pytest.mark.long
@pytest.mark.parametrize("without", [(1,), (2,), (1, 2), (0, 1, 2), (0,)])
def test_closed_standard_streams_hinder_nothing(folder, without):
    Path("a.837").write_text(FAULTY)
    told = ("check", "a.837", *RECEIVED)
    wanted = started(*told, "--format", "json")
    code, out, err = started(*told, "--format", "json", without=without)
    assert (code, err) == (1, "")
    assert out == ("" if 1 in without else wanted[1])
    files = ("--out-dir", "out", "--acks", "--output", "report.txt")
    assert started(*told, *files, without=without)[0] == 1
    assert "balance.claim-charge" in Path("report.txt").read_text()
    assert {"a.json", "a.html", "a.999", "a.277ca"} <= {path.name for path in Path("out").iterdir()}
    many = ("batch", "a.837", *RECEIVED, "--out-dir", "all", "--workers", "1")
    assert started(*many, without=without)[0] == 1
    assert json.loads(Path("all/a.json").read_text())["files"][0]["outcome"] == "rejected"
    assert started("check", "gone.837", without=without)[0] == 2
    assert started("explain", "ncci.ptp", without=without)[0] == 0


@pytest.mark.skipif(os.name != "posix", reason="streams are closed by a shell")
def test_closed_standard_input_is_no_empty_file(folder):
    code, out, _ = started("check", "-", without=(0,))
    assert code == 2 and "there is no standard input" in out


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200f", "\x1b", "\x07", "\u2028", "\ufeff", "\x85"])
def test_a_name_with_unseen_signs_shows_escapes(folder, sign):
    escaped = sign.encode("unicode_escape").decode()
    name = f"a{sign}738.837"
    Path("in", name).write_text(FAULTY)
    Path("in", f"b{sign}.pdf").write_bytes(b"%PDF-1.4")
    for done in (
        run("check", f"in/{name}"),
        run("check", "in"),
        run("check", f"in/{sign}gone"),
        run("check", f"in/{name}", "--format", "html"),
        run("check", f"in/{name}", "--format", "csv"),
        run("batch", "in", "--out-dir", "out", "--workers", "1"),
        CliRunner().invoke(commands, ["explain-ack", f"in/{sign}gone"]),
        run("check", f"in/{name}", "--output", f"no{sign}folder/x.txt"),
    ):
        said = done.stdout + done.stderr
        # A page and a table of a spreadsheet begin with a mark of their own.
        assert sign not in said.removeprefix("\ufeff")
        assert escaped in said.replace("\n", "")


def test_long_names_keep_their_answers_apart(folder):
    stems = ["x" * 120 + end for end in ("a", "b")]
    for number, stem in enumerate(stems):
        Path(f"{stem}.837").write_text(FAULTY.replace("A-2", f"C-{number}"))
        assert run("check", f"{stem}.837", "--out-dir", "out", "--acks").exit_code == 1
    reports = sorted(Path("out").glob("*.json"))
    assert len(reports) == 2 and all(len(path.stem) == 100 for path in reports)
    claims = {json.loads(path.read_text())["files"][0]["claims"][0]["claim"] for path in reports}
    assert claims == {"C-0", "C-1"}
    name = "y" * 100
    Path(f"{name}.837").write_text(CLEAN)
    run("check", f"{name}.837", "--out-dir", "out")
    assert Path("out", f"{name}.json").exists()
