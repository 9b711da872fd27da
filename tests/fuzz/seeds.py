"""Inputs from which fuzzing starts: a few good ones and many damaged ones for each target."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import probe
from make_cms_files import MPFS_HEAD, addon_line, hcpcs_line, icd_line, mpfs_line, mue_text, ptp_text

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "samples" / "837p"

RULE = b"""\
title: One
why: Because.
severity: {medicare: error, default: warning}
snip: 6
match:
  line: {fact: line, code: "97530", modifiers: {has: KX}, units: {at_least: 3}}
require:
  line: {disciplines: {at_least: 1}}
at: line SV101-3
message: "{line.code} is odd."
fix: Mend it.
status: {277CA: ["A7:453"]}
sources:
  - {cite: "somewhere", seen: 2026-11-21}
examples:
  pass: [{lines: ["97530:GP x2"]}]
  fail: [{lines: ["97530:KX x2"], at: 1}]
"""
PROFILE = b"""\
inherits: medicare
payers: ["99001"]
rules: {off: [therapy.kx]}
severity: {rules: {code.npi: warning}, snip: {4: warning}}
unit_method: ama
isolation: transaction
"""
CONFIG = b'[check]\nformat = "json"\nprofile = "medicare"\nignore = ["code.npi"]\nno-progress = true\n'
MINUTES = b"claim,line,minutes,line_control,assistant_minutes\nT1,1,25,,\nT1,2,20,T1-2,5\n"
TABLES = tuple(
    bytes((number,)) + text.encode()
    for number, text in enumerate(
        (
            ptp_text([("97530", "97750", "", "20200101", "*", "1", "Misuse")]),
            mue_text([("97530", "6", "3", "CMS Policy")]),
            addon_line("1", "0770T", "97530", "2023001"),
            MPFS_HEAD + mpfs_line("97530", "", "A", ("7", "XXX", "5", "0", "0", "0", "0")),
            icd_line(1, "A00", billable=False) + icd_line(2, "A000", billable=True),
            hcpcs_line("A0425", "3", "20010101"),
        )
    )
)


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _claims() -> list[bytes]:
    samples = sorted(SAMPLES.glob("clean/*.837")) + sorted(SAMPLES.glob("faulty/*.837"))
    return [path.read_bytes() for path in samples] + [each.text.encode() for each in probe.defects()[::8]]


def seeds_of(name: str) -> list[bytes]:
    """The seeds of one target of targets.TARGETS."""
    if name in ("claims", "files"):
        return _claims()
    text = probe.base_text().encode()
    return {
        "answers": [ACK],
        "rule": [RULE, *(path.read_bytes() for path in sorted((ROOT / "rulesets").glob("*/*.yaml")))],
        "profile": [PROFILE],
        "config": [CONFIG],
        "minutes": [MINUTES],
        "table": [*TABLES, b"\x07" + _zip({"a.txt": TABLES[0][1:]})],
        "archive": [
            gzip.compress(text),
            _zip({"a.837": text, "b/c.837": b"ISA"}),
            _zip({"a.zip": _zip({"b.837": text}), "a.gz": gzip.compress(b"x")}),
            text,
        ],
    }[name]


ACK = (
    b"ISA*00*          *00*          *ZZ*MAPLEHEALTH    *ZZ*BROOKBILLING   "
    b"*261016*0930*^*00501*000000001*0*P*:~"
    b"TA1*000000001*261015*0930*A*000~GS*FA*MAPLEHEALTH*BROOKBILLING*20261016*0930*1*X*005010X231A1~"
    b"ST*999*0001*005010X231A1~AK1*HC*1*005010X222A1~AK2*837*0001*005010X222A1~IK3*CLM*22*2300*8~"
    b"CTX*CLM01:THERAPY1~IK4*2*782*6*X~IK5*R*5~AK9*R*1*1*0~SE*9*0001~GE*1*1~"
    b"GS*HN*MAPLEHEALTH*BROOKBILLING*20261016*0930*2*X*005010X214~ST*277*0001*005010X214~"
    b"BHT*0085*08*1*20261016*0930*TH~HL*1**20*1~NM1*PR*2*MAPLE*****PI*99001~TRN*1*1~DTP*050*D8*20261016~"
    b"DTP*009*D8*20261016~HL*2*1*21*1~NM1*41*2*BROOK*****46*BRK001~TRN*2*1~STC*A1:19:PR*20261016*WQ*184~"
    b"QTY*90*1~AMT*YU*184~HL*3*2*19*1~NM1*85*2*ALDER*****XX*1200000010~HL*4*3*PT~NM1*QC*1*ASPEN*IRIS****MI*1~"
    b"TRN*2*THERAPY1~STC*A7:562:85*20261016*U*184~SVC*HC:97530*84*****2~STC*A8:454*20261016*U~"
    b"REF*FJ*1~DTP*472*D8*20260603~SE*22*0001~GE*1*2~IEA*2*000000001~"
)
