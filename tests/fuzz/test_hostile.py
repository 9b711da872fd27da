"""Inputs made to hurt: the command answers in words, in time and in little memory, whatever they hold."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections import deque
from pathlib import Path

import pytest

import probe
from edi_checker.files.inputs import Unreadable, find_inputs
from edi_checker.reference.store.spreadsheet import BadWorkbook, read_sheets
from edi_checker.rules import RuleError
from edi_checker.rules import load as load_rules
from edi_checker.rules.profile_file import ProfileError, read_profiles
from edi_checker.x12.blocks import NotX12, read_blocks

ROOT = Path(__file__).resolve().parent.parent.parent
# A claim file of ten times the size takes ten times as long; EDI_CHECKER_FUZZ_SIZE=10 for a longer test.
SIZE = int(os.environ.get("EDI_CHECKER_FUZZ_SIZE", "1"))
SECONDS = 60 * SIZE
MEGABYTES = 300

TEXT = probe.base_text()
HEAD, TAIL = TEXT[: TEXT.index("HL*1")], "SE*9*0001~GE*1*1~IEA*1*000000001~"
TO_CLAIM = TEXT[: TEXT.index("CLM*THERAPY1")]
TO_LINE = TEXT[: TEXT.index("LX*1")]
LINE = "SV1*HC:97530:GP*1*UN*1***1~DTP*472*D8*20260603~"


# A process begins with the peak of the one that it is split from: a small one stands between.
MEASURED = """
import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code if code >= 0 else 128 - code)
"""


def check(path: Path, *options: str) -> tuple[int, dict]:
    """Exit code and report of the command in a process that may take so much time and memory."""
    command = [sys.executable, "-m", "edi_checker", "check", str(path), "--format", "json", "--no-progress"]
    command += ["--received", "2026-11-21", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out, err, used = (path.with_suffix(ending) for ending in (".out", ".err", ".used"))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", MEASURED, str(used), *command],
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            pytest.fail(f"more than {SECONDS} seconds")
    assert "Traceback" not in err.read_text("utf-8", "replace")
    peak = int(used.read_text())
    assert peak < MEGABYTES * 1024, f"{peak // 1024} MB"
    return code, json.loads(out.read_bytes())


def lines(count: int) -> str:
    return TO_LINE + "".join(f"LX*{n}~{LINE}" for n in range(1, count + 1)) + TAIL


def levels(count: int) -> str:
    return HEAD + "HL*1**20*1~" + "".join(f"HL*{n}*{n - 1}*22*1~" for n in range(2, count)) + TAIL


N = 6_000 * SIZE

TEXTS = {
    "nothing": "",
    "blanks": " \n" * N,
    "only an ISA": TEXT[:105],
    "ISA without end": "ISA*" + "A" * 10 * N,
    "a segment without end": TO_CLAIM + "NTE*ADD*" + "A" * 400 * N,
    "a million elements": TO_CLAIM + "CLM" + "*A" * 170 * N + "~" + TAIL,
    "a million components": TO_CLAIM + "CLM*A*1***11" + ":B" * 170 * N + "~" + TAIL,
    "a million repetitions": TO_CLAIM + "HI*" + "ABK:M6281^" * 20 * N + "~" + TAIL,
    "empty segments": TO_CLAIM + "~" * 200 * N + TAIL,
    "segments of blanks": TO_CLAIM + " ~\n" * 20 * N + TAIL,
    "unknown segments": TO_CLAIM + "ZZ9*1~" * (N // 4) + TAIL,
    "unknown segments in claims": TO_CLAIM + "CLM*1*1***11:B:1*Y*A*Y*Y~ZZ9*1~" * (N // 12) + TAIL,
    "many levels, each below the last": levels(N // 4),
    "patients below patients": HEAD + "HL*1**20*1~" + "HL*2*1*23*1~NM1*QC*1*A~" * (N // 4) + TAIL,
    "lines without end": lines(N // 4),
    "the same line number": TO_LINE + f"LX*1~{LINE}" * (N // 4) + TAIL,
    "claims of nothing": TO_CLAIM + "CLM~" * (N // 4) + TAIL,
    "claims without lines": TO_CLAIM + "CLM*A*1***11:B:1*Y*A*Y*Y~HI*ABK:M6281~" * (N // 4) + TAIL,
    "diagnoses without end": TO_CLAIM + "CLM*A*1***11:B:1*Y*A*Y*Y~" + "HI*ABK:M6281*ABF:R262~" * N + TAIL,
    "other payers without end": TO_LINE + "SBR*P*18*******CI~AMT*D*1~OI***Y***Y~" * (N // 4) + TAIL,
    "adjustments without end": TO_LINE
    + "SBR*P*18*******CI~"
    + "CAS*CO*45*1*1*45*1*1*45*1*1~" * (N // 2)
    + TAIL,
    "groups without end": TEXT[:107]
    + "GS*HC*A*B*20261015*0930*1*X*005010X222A1~GE*0*1~" * (N // 4)
    + "IEA*1*1~",
    "transactions without end": HEAD[: HEAD.index("ST*")]
    + "ST*837*0001*005010X222A1~SE*2*0001~" * (N // 4)
    + TAIL,
    "interchanges without end": TEXT[:107].replace("\n", "") * (N // 8),
    "trailers without end": HEAD + "SE*1*1~GE*1*1~IEA*1*1~" * N,
    "numbers without end": TEXT.replace("*184*", "*" + "9" * 10 * N + "*").replace(
        "HL*2*1", "HL*" + "9" * N + "*1"
    ),
    "a count without end": TEXT.replace("GE*1*", "GE*" + "1" * 10 * N + "*"),
    "digits of another script": TEXT.replace("*84*UN*2", "*\u0668\u0664*UN*\u00b2"),
    "a mark that turns the writing": TEXT.replace("ALDER", "\u202eALDER").replace(
        "THERAPY1", "\u202eT\u2066"
    ),
    "control characters": TEXT.replace("CANAL", "\x1b[2J\x07\x00\x08").replace("RIDE1", "\x1b]0;x\x07"),
    "formulas and markup": TEXT.replace("THERAPY1", "=1+1").replace("RIDE1", "<script>alert(1)</script>"),
    "every delimiter the same": TEXT.replace("*", "~").replace(":", "~"),
    "letters as delimiters": TEXT.replace("~\n", "X").replace("~", "X"),
    "a stray tail": TEXT + "X" * 50 * N,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_made_to_hurt(name, tmp_path):
    path = tmp_path / "hostile.837"
    path.write_bytes(TEXTS[name].encode())
    code, report = check(path)
    (file,) = report["files"]
    assert code in (0, 1, 2)
    assert (code == 2) == (file["outcome"] == "not_checked")
    assert "internal" not in (file["reason"] or "")
    assert not any(claim["outcome"] == "not_checked" for claim in file["claims"]) or code == 2


BYTES = {
    "noise": bytes(range(256)) * 100,
    "halves of surrogate pairs": TEXT.encode().replace(b"ALDER", b"\xed\xa0\x80\xed\xb0\x80"),
    "bytes of no encoding": TEXT.encode().replace(b"ALDER", b"\xff\xfe\x80\xc0\xaf"),
    "NULs between": TEXT.encode().replace(b"~\n", b"~\x00\x00"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-32": TEXT.encode("utf-32"),
    "EBCDIC": TEXT.encode("cp500", "replace"),
    "a mark before": b"\xef\xbb\xbf" + TEXT.encode(),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_made_to_hurt(name, tmp_path):
    path = tmp_path / "hostile.837"
    path.write_bytes(BYTES[name])
    assert check(path)[0] in (0, 1, 2)


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_bomb_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.837", "w") as member:
        for _ in range(700):
            member.write(b"ZZ~" * (1 << 18))
    (given,) = find_inputs([str(path)])
    with pytest.raises(Unreadable, match="unpacks to more than"), given.open():
        pass


@pytest.mark.parametrize(
    ("head", "filling", "reason"),
    [(TO_CLAIM, "NTE*ADD*BOMB~\n", "unpacks to more than"), ("", " \n", "blanks")],
    ids=["segments", "blanks"],
)
def test_a_bomb_in_gzip_is_refused(tmp_path, head, filling, reason):
    path = tmp_path / "bomb.837.gz"
    with gzip.open(path, "wb") as stream:
        stream.write(head.encode())
        for _ in range(40):
            stream.write(filling.encode() * ((1 << 20) // len(filling)))
    code, report = check(path, "--max-unpacked", str(1 << 24))
    assert code == 2
    assert reason in report["files"][0]["reason"]


def test_a_zip_that_names_places_outside_writes_nowhere_else(tmp_path):
    path = tmp_path / "in" / "slip.zip"
    path.parent.mkdir()
    _zip(
        path, {"../../evil.837": TEXT.encode(), "/etc/evil.837": TEXT.encode(), "C:\\evil.837": TEXT.encode()}
    )
    out = tmp_path / "in" / "out"
    code, report = check(path, "--out-dir", str(out), "--acks")
    assert code in (0, 1)
    assert len(report["files"]) == 3
    assert {each.parent for each in tmp_path.rglob("*evil*")} == {out}


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_damaged_archive_is_said_to_be_one(at, tmp_path):
    path = tmp_path / "damaged.zip"
    _zip(path, {"a.837": TEXT.encode()})
    data = bytearray(path.read_bytes())
    for index in range(int(len(data) * at), int(len(data) * at) + 12):
        data[index] ^= 0xA5
    path.write_bytes(data)
    assert check(path)[0] in (1, 2)


def test_a_directory_of_an_archive_that_lies_about_its_size(tmp_path):
    path = tmp_path / "lie.zip"
    _zip(path, {"a.837": TEXT.encode()})
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    path.write_bytes(data)
    assert check(path)[0] == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_without_a_bound_is_not_read(method, tmp_path):
    path = tmp_path / "claims.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("claims.837", TEXT)
        archive.writestr("xl/worksheets/sheet1.xml", "<row/>")
    for given in find_inputs([str(path)]):
        with pytest.raises(Unreadable, match="deflate"):
            given.open()
    with pytest.raises(BadWorkbook, match="method"), path.open("rb") as stream:
        deque(row for _, rows in read_sheets(stream) for row in rows)


def test_the_list_of_an_archive_is_not_read_for_each_of_its_files(tmp_path, monkeypatch):
    path = tmp_path / "many.zip"
    _zip(path, {f"{number}.837": TEXT.encode() for number in range(20)})
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, *given, **named):
            opened.append(given)
            super().__init__(*given, **named)

    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    for given in find_inputs([str(path)]):
        with given.open() as reading:
            assert reading.read() == TEXT.encode()
    assert len(opened) == 2
    _zip(path, {"0.837": b"anew"})
    (given,) = find_inputs([str(path)])
    with given.open() as reading:
        assert reading.read() == b"anew"


def test_a_name_with_no_room_for_that_of_a_minutes_file_is_a_name(tmp_path):
    path = tmp_path / ("x" * 250 + ".837")
    path.write_text(TEXT)
    (given,) = find_inputs([str(path)])
    assert (given.reason, given.minutes) == ("", None)
    with given.open() as reading:
        assert reading.read() == TEXT.encode()


def test_no_name_is_not_the_folder_that_one_stands_in():
    (given,) = find_inputs([""])
    with pytest.raises(Unreadable, match="empty"):
        given.open()


class _Endless(io.RawIOBase):
    """A device that gives the same for ever."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return (self.piece * (size // len(self.piece) + 1))[:size]


@pytest.mark.parametrize("piece", [b"\x00", b"y\n", b"\n"])
def test_a_device_without_end_is_given_up(piece):
    device = _Endless(piece)
    with pytest.raises(NotX12):
        deque(read_blocks(device), maxlen=0)
    assert device.given < 1 << 25


@pytest.mark.parametrize("read", [lambda folder: load_rules([folder], packaged=False), read_profiles])
def test_no_pipe_and_no_device_in_a_folder_of_rules_is_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "large.yaml").write_bytes(b"# " + b"x" * (1 << 26))
    tracemalloc.start()
    with pytest.raises((RuleError, ProfileError)) as raised:
        read(tmp_path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(raised.value.faults) == 4
    assert str(raised.value).count("not a regular file") == 3
    assert most < 1 << 22


def test_what_a_file_holds_cannot_move_the_cursor(tmp_path):
    path = tmp_path / "cursor.837"
    path.write_bytes(TEXTS["control characters"].encode() + TEXTS["a mark that turns the writing"].encode())
    command = [sys.executable, "-m", "edi_checker", "check", str(path), "--received", "2026-11-21"]
    shown = subprocess.run(
        command,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        check=False,
    ).stdout.decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)


def test_what_a_file_holds_is_text_in_the_page_and_no_formula_in_the_table(tmp_path):
    path = tmp_path / "markup.837"
    path.write_bytes(
        TEXTS["formulas and markup"].replace("*184*", "*185*").replace("*620*", "*621*").encode()
    )
    for form in ("html", "csv"):
        out = tmp_path / f"report.{form}"
        command = [sys.executable, "-m", "edi_checker", "check", str(path), "--received", "2026-11-21"]
        command += ["--format", form, "--output", str(out)]
        subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        text = out.read_text("utf-8")
        assert "1+1" in text
        if form == "html":
            assert "<script>alert" not in text
        else:
            assert not re.search(r'(?m)(^|,)"?=1\+1', text)


def test_the_verdict_is_the_same_in_every_process(tmp_path, monkeypatch):
    path = tmp_path / "odd.837"
    path.write_bytes(b"".join(each.text.encode() for each in probe.defects()[::20]))
    said = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        said.append(check(path))
    assert said[0] == said[1]
