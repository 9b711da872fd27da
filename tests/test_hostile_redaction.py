"""Redaction under attack: nobody's data survive, whichever element slipped and wherever its segment went."""

import io
import os
import random
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from book import BOOK
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.redact import Redactor
from edi_checker.cli import commands
from edi_checker.cli.formats import FORMATS
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.csv_report import CsvReport
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.html import ClaimViews, HtmlReport
from edi_checker.reports.html.page import Answer
from edi_checker.reports.json_report import JsonReport
from edi_checker.reports.ndjson import NdjsonReport
from edi_checker.reports.text import ASCII, TextReport
from paths import DATA
from written import text_of

RECEIVED = 20261121
GUIDE = load_guide()
CHECKER = Checker(GUIDE, Engine(BOOK, "python"), Setting(RECEIVED, built_in()))

# Every value that is a person's or a firm's is written once more nowhere, so that it can be looked for.
FULL = """
ISA*00*          *00*          *ZZ*QXSENDER       *ZZ*QXRECEIVER     *260915*0930*^*00501*000000001*0*P*:
GS*HC*QXSENDER*QXRECEIVER*20260915*0930*1*X*005010X222A1
ST*837*0001*005010X222A1
BHT*0019*00*QXBATCH7*20260915*0930*CH
NM1*41*2*QXSUBMIT*****46*QXSUB1
PER*IC*QXDESK*TE*6145550171*EM*QX@DESK.EXAMPLE*FX*6145550172
NM1*40*2*QXRECEIVE*****46*99881
HL*1**20*1
PRV*BI*PXC*261QP2000X
NM1*85*2*QXCLINIC*****XX*1200001117
N3*100 QXCANAL STREET*SUITE QX4
N4*QXCOLUMBUS*OH*432150771
REF*EI*990771001
PER*IC*QXBILLER*TE*6145550173*EX*77012
NM1*87*2
N3*PO BOX 77034
N4*QXDAYTON*OH*454010772
HL*2*1*22*1
SBR*S**77123*QXPLAN*12****CI
NM1*IL*1*QXMALLOW*ZOE*QIN**JR*MI*771234567
N3*12 QXORCHARD LANE
N4*QXTROY*OH*453730773
DMG*D8*19420225*F
REF*SY*281774455
NM1*PR*2*QXMAPLE*****PI*99882
N3*9 QXPAYER ROAD
N4*QXAKRON*OH*44309
REF*FY*QXOFFICE
HL*3*2*23*0
PAT*19****D8*20260905*01*150
NM1*QC*1*QXLINDEN*UMA
N3*14 QXELM STREET
N4*QXXENIA*OH*453850775
DMG*D8*20190311*M
REF*Y4*QXACCIDENT9
PER*IC*QXPARENT*TE*6145550174
CLM*7798001*184***11:B:1*Y*A*Y*Y
DTP*431*D8*20260803
PWK*OZ*BM***AC*QXATTACH
CN1*02*100**QXCONTRACT
AMT*F5*10
REF*G1*7712345
REF*EA*55071
K3*QXFIXED FORMAT
NTE*ADD*QXNOTE ABOUT HER SON
CRC*75*Y*IH
HI*ABK:M6281*ABF:R262
NM1*DN*1*QXFIR*QXMORGAN****XX*1000006068
REF*G2*QXCOMM33
NM1*82*1*QXALDER*QXANN****XX*1000001010
PRV*PE*PXC*225100000X
NM1*77*2*QXHOSPITAL*****XX*1000005599
N3*7 QXWING
N4*QXLIMA*OH*458010776
PER*IC*QXNURSE*TE*6145550175
SBR*P*18*QXOTHER88*QXPLANB*****CI
AMT*D*60
OI***Y***Y
NM1*IL*1*QXJUNIPER*QXALEX****MI*A1239
N3*3 QXWHARF
N4*QXPIQUA*OH*453560777
REF*SY*281774466
NM1*PR*2*QXWILLOW*****PI*99883
N3*5 QXMILL
N4*QXTIFFIN*OH*448830778
REF*F8*QXPRIOR66
LX*1
SV1*HC:97530:GP::::QXSAID*84*UN*2***1
PWK*OZ*EL***AC*QXLINEDOC
DTP*472*D8*20260901
REF*6R*771009
K3*QXLINE K3
NTE*ADD*QXLINE NOTE
LIN**N4*00002143380
CTP****2*ML
REF*XZ*QXRX4411
NM1*82*1*QXBIRCH*QXOLE****XX*1000002026
REF*0B*3310.55
SVD*99883*60*HC:97530:GP::::QXALSO**2
CAS*CO*45*24
DTP*573*D8*20260910
LX*2
SV1*HC:97110:GP*100*UN*2***1
DTP*472*D8*20260901
REF*6R*QXLINE2
SVD*99883*0*HC:97110:GP**2
CAS*CO*45*100
DTP*573*D8*20260910
SE*87*0001
GE*1*1
IEA*1*000000001
"""
MARKS = frozenset(re.findall(r"QX[A-Z0-9@.]+", FULL)) | {
    *("6145550171", "6145550172", "6145550173", "6145550174", "6145550175", "77012", "77034"),
    *("432150771", "454010772", "453730773", "44309", "453850775", "458010776", "453560777", "448830778"),
    *("990771001", "281774455", "281774466", "771234567", "19420225", "20190311", "20260905"),
    *("ZOE", "QIN", "UMA", "A1239", "55071", "7712345", "7798001", "77123", "771009", "3310.55"),
    *("1942-02-25", "2019-03-11", "2026-09-05", "99881", "99882", "99883"),
    *("1200001117", "1000006068", "1000001010", "1000005599", "1000002026"),
}
_FIND = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    + "|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True))
    + r")(?![0-9A-Za-z])"
)
SEGMENTS = FULL.strip().splitlines()
PERSONAL = [number for number, text in enumerate(SEGMENTS) if number > 2 and _FIND.search(text)]
NAMES = sorted(
    {node.id for node in GUIDE.segments} | {"ST", "SE", "GS", "GE", "IEA", "N2", "MIA", "ZZZ", "QD"}
)


def written(data, redactor):
    """All that is written of an input, as text, and its findings."""
    out = io.StringIO(newline="")
    acknowledger = Acknowledger(RECEIVED, number_elements(GUIDE))
    views = ClaimViews()
    findings = []
    with FindingsLog("claims.837") as journal:
        for checked in CHECKER.check(io.BytesIO(data)):
            findings += checked.findings
            seen = redactor.redact(checked)
            for taker in (journal, acknowledger, views):
                taker.add(seen)
        summary = journal.end()
        answers = acknowledger.finish()
        given = [Answer("a", stream) for stream in (answers.ack999, answers.ack277ca, answers.ta1) if stream]
        for answer in given:
            out.write(answer.stream.read().decode())
            answer.stream.seek(0)
        page = HtmlReport(out, version="1", received=RECEIVED, tables=[], rules=BOOK.rules)
        page.add(journal, summary, views, given)
        page.finish()
        answers.close()
        for report in (
            JsonReport(out, version="1", received=RECEIVED, tables=[]),
            NdjsonReport(out),
            TextReport(out, width=100, colour=False, marks=ASCII, tables=[]),
            CsvReport(out),
        ):
            report.add(journal, summary)
            report.finish()
    return out.getvalue(), findings


def survivors(segments):
    """The marks left in what is written with redaction, and those in messages without it."""
    data = "~\n".join([*segments, ""]).encode()
    text, findings = written(data, Redactor(b"key"))
    left = set(_FIND.findall(text))
    said = " ".join(f"{finding.message} {finding.fix}" for finding in findings)
    # What stands where the charge of the claim belongs is its charge: nobody could tell.
    charges = {line.split("*")[2] for line in segments if line.startswith("CLM*") and line.count("*") > 1}
    return left, set(_FIND.findall(said)) - charges


def mutants():
    """Each segment with personal data damaged in each way: what was done, and the segments then."""
    for at in PERSONAL:
        cells = SEGMENTS[at].split("*")

        def put(*lines, at=at):
            return [*SEGMENTS[:at], *lines, *SEGMENTS[at + 1 :]]

        for cell in range(1, len(cells)):
            for count in (1, 2):
                yield f"{at}: {count} lost at {cell}", put("*".join(cells[:cell] + cells[cell + count :]))
                yield (
                    f"{at}: {count} more at {cell}",
                    put("*".join(cells[:cell] + [""] * count + cells[cell:])),
                )
            if cell + 1 < len(cells):
                turned = [*cells[:cell], cells[cell + 1], cells[cell], *cells[cell + 2 :]]
                yield f"{at}: {cell} and {cell + 1} changed", put("*".join(turned))
        for name in NAMES:
            for shift in (-2, -1, 0, 1, 2):
                kept = [""] * shift + cells[1:] if shift > 0 else cells[1 - shift :]
                yield f"{at}: as {name}, moved {shift}", put("*".join([name, *kept]))
        yield f"{at}: cut in two", put(*("*".join(part) for part in (cells[:2], cells[2:])))
        yield f"{at}: gone", put()
        rest = put()
        for other in range(3, len(rest) - 2):
            yield f"{at}: moved to {other}", [*rest[:other], SEGMENTS[at], *rest[other:]]
            yield f"{at}: repeated at {other}", [*SEGMENTS[:other], SEGMENTS[at], *SEGMENTS[other:]]


def check_all(chosen):
    wrong = []
    for done, segments in chosen:
        left, said = survivors(segments)
        if left or said:
            wrong.append(f"{done}: written {sorted(left)}, in messages {sorted(said)}")
    assert not wrong, "\n".join([f"{len(wrong)}", *wrong[:40]])


class Nothing:
    """A redactor that lets everything be seen."""

    def redact(self, checked):
        return checked


def test_the_claim_is_clean_and_shows_its_marks_without_redaction():
    text, findings = written("~\n".join([*SEGMENTS, ""]).encode(), Nothing())
    assert not findings
    faulty = [text.replace("SV1*HC:97110", "SV1*HC:9711Q") for text in SEGMENTS]
    faulty = [text for text in faulty if not text.startswith("N4*QXLIMA")]
    text, findings = written("~\n".join([*faulty, ""]).encode(), Nothing())
    assert len(set(_FIND.findall(text))) > 20
    assert not _FIND.search(" ".join(finding.message + finding.fix for finding in findings))


@pytest.mark.long
def test_hostile_a_sample_of_all_damage():
    chosen = list(mutants())
    check_all(random.Random(7).sample(chosen, 150))


@pytest.mark.long
def test_hostile_messages_are_the_same_by_every_way():
    """Claims that are remembered by their faults say no more than those that are judged one by one."""
    slow = replace(CHECKER, fast=False)
    for done, segments in random.Random(11).sample(list(mutants()), 120):
        # Without its first SV1 nobody trusts the lines of a claim: what is left of it are its faults.
        first = next(at for at, segment in enumerate(segments) if segment.startswith("SV1*"))
        data = "~\n".join([*segments[:first], *segments[first + 1 :], ""]).encode()
        ways = [
            [finding for each in checker.check(io.BytesIO(data)) for finding in each.findings]
            for checker in (CHECKER, slow)
        ]
        assert ways[0] == ways[1], done


@pytest.mark.long
@pytest.mark.parametrize("part", range(16))
def test_hostile_all_damage(part):
    """A part of it; all of it, which takes half an hour, with EDI_CHECKER_ALL_DAMAGE=1."""
    step = 1 if os.environ.get("EDI_CHECKER_ALL_DAMAGE") else 16
    check_all(list(mutants())[part::16][::step])


SHIFTED = DATA / "redact-shift.837"
SHIFTED_MARKS = re.compile(
    r"\b(MALLOW|ADA|FERN|GIL|771234567|432150012|432150001|19420225|1942-02-25|6145550100|990001006|SOL-110[12])\b"
)


def run(*arguments):
    """All that a command writes, on both standard streams."""
    done = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert "internal error" not in done.output
    return done, text_of(done) + done.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_commands_write_no_mark(tmp_path, form):
    done, said = run("check", "--redact", "--acks", "--out-dir", tmp_path, "--format", form, SHIFTED)
    assert done.exit_code == 1
    files = {path.suffix: path.read_text() for path in tmp_path.iterdir()}
    assert {".json", ".html", ".999"} <= set(files)
    for text in (said, *files.values()):
        assert not SHIFTED_MARKS.findall(text)


def test_hostile_split_does_not_go_with_redaction(tmp_path):
    done, said = run("check", "--redact", "--split", "--out-dir", tmp_path, SHIFTED)
    assert done.exit_code == 2
    assert not SHIFTED_MARKS.search(said)
    assert not list(tmp_path.iterdir())


def test_hostile_messages_name_nobody_without_redaction():
    _, findings = written(SHIFTED.read_bytes(), Nothing())
    assert len(findings) > 3
    assert not [f for f in findings if SHIFTED_MARKS.search(f.message + f.fix)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SE*87*0001", "SE*87*281774455"),
        ("SE*87*0001", "SE*281774455*0001"),
        ("SE*87*0001", "SE*43215*0001"),
        ("GE*1*1", "GE*1*281774455"),
        ("GE*1*1", "GE*281774455*1"),
        ("IEA*1*000000001", "IEA*1*281774455"),
        ("HL*2*1*22*1", "HL*281774455*6145550174*22*1"),
        ("LX*2", "LX*55071"),
        ("NM1*82*1*QXALDER", "NM1*QXALDER*1*"),
        ("SV1*HC:97110", "SV1*HC:QXALDER"),
        ("SV1*HC:97110", "SV1*QXALDER:97110"),
        ("11:B:1", "QXALDER:B:1"),
        ("11:B:1", "11:B:QXALDER"),
        ("ABK:M6281", "ABK:19420225"),
        ("ABK:M6281", "ABK:QXALDER"),
        ("PRV*PE*PXC*225100000X", "PRV*PE*PXC*281774455A"),
        ("SBR*P*18", "SBR*ZOE*18"),
        ("BHT*0019*00", "BHT*0019*ZOE"),
        ("DTP*472*D8*20260901", "DTP*472*D8*20190311"),
        ("DTP*472*D8*20260901", "DTP*472*RD8*20190311-20260901"),
        ("K3*QXFIXED FORMAT", "ZOE*1"),
        ("005010X222A1\nBHT", "281774455\nBHT"),
    ],
)
def test_hostile_values_where_codes_belong(before, after):
    """No value of a person is written with redaction or said without it, in a place where a code belongs."""
    text = "\n".join(SEGMENTS)
    assert before in text
    left, said = survivors(text.replace(before, after, 1).split("\n"))
    assert not left
    assert not said


def shown(before, after):
    text = "~\n".join([*SEGMENTS, ""])
    assert before in text
    return written(text.replace(before, after, 1).encode(), Redactor(b"key"))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SVD*99883*60", "SVD*60*99883"),
        ("SVD*99883*60", "SVD*99883*99883"),
        ("SVD*99883*0*HC:97110:GP**2", "SVD*0*99883*HC:97110:GP**99883"),
        ("CLM*7798001*184", "CLM*184*55071"),
        ("CAS*CO*45*24", "CAS*CO*45*55071"),
        ("SV1*HC:97110:GP*100", "SV1*HC:97110:GP*55071"),
        ("AMT*D*60", "AMT*D*99883"),
    ],
)
def test_hostile_numbers_where_amounts_belong(before, after):
    """A number that is no amount of this claim is not shown as one."""
    assert not _FIND.search(shown(before, after))


def test_hostile_amounts_behind_no_payer_of_the_claim_are_not_shown():
    """A payer's id may be as short as an amount; large amounts of a claim with large charges stay."""
    assert "61.07" in shown("SVD*99883*60*HC:97530", "SVD*99883*61.07*HC:97531")
    assert "6107" not in shown("SVD*99883*60*HC:97530", "SVD*60*6107*HC:97531")
    large = "\n".join(SEGMENTS).replace("CLM*7798001*184", "CLM*7798001*61184").replace("*84*UN", "*61084*UN")
    text, _ = written(
        large.replace("SVD*99883*60*HC:97530", "SVD*99883*61070*HC:97531").replace("\n", "~\n").encode()
        + b"~",
        Redactor(b"key"),
    )
    assert "61184" in text
    assert "61070" in text


def test_what_is_useful_stays():
    """Codes, amounts, units and days of service of a clean claim are seen; of a wrong line what is right."""
    text, _ = written(
        "~\n".join([*SEGMENTS, ""]).replace("UN*2***1", "XX*2***1", 1).encode(), Redactor(b"key")
    )
    for seen in ("97530", "GP", "84", "M6281", "R262", "20260901", "225100000X", "431"):
        assert seen in text
