"""Redaction: nothing that identifies is left in any report or answer, and claims can still be told apart."""

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.redact import Redactor
from edi_checker.claims.claim import Claim, Interchange, SegmentRun
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
from edi_checker.reports.text import ASCII, TextReport
from written import text_of

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
RECEIVED = 20261121
TOKEN = re.compile(r"[A-Z0-9]+-[A-Z2-7]{8}")


@pytest.fixture(scope="module")
def checker():
    return Checker(load_guide(), Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


def check(checker, data, key=b"key"):
    redactor = Redactor(key)
    return [redactor.redact(checked) for checked in checker.check(io.BytesIO(data))]


def everything(checker, data, key=b"key"):
    """Every report and answer that is made of an input, one after the other, as text."""
    out = io.StringIO(newline="")
    acknowledger = Acknowledger(RECEIVED, number_elements(checker.guide))
    exhibits = ClaimViews()
    with FindingsLog("claims.837") as journal:
        for checked in check(checker, data, key):
            journal.add(checked)
            acknowledger.add(checked)
            exhibits.add(checked)
        summary = journal.end()
        answers = acknowledger.finish()
        given = [Answer("a", stream) for stream in (answers.ack999, answers.ack277ca, answers.ta1) if stream]
        for answer in given:
            out.write(answer.stream.read().decode())
            answer.stream.seek(0)
        page = HtmlReport(out, version="1", received=RECEIVED, tables=[], rules=BOOK.rules)
        page.add(journal, summary, exhibits, given)
        page.finish()
        answers.close()
        for report in (
            JsonReport(out, version="1", received=RECEIVED, tables=[]),
            TextReport(out, width=100, colour=False, marks=ASCII, tables=[]),
            CsvReport(out),
        ):
            report.add(journal, summary)
            report.finish()
    return out.getvalue()


def identifying(text):
    """Names, identifiers, addresses, birth dates, contacts and free text of a sample, as they stand in it."""
    found = set()
    for segment in re.split(r"~\s*", text):
        elements = segment.split("*")
        match elements[0]:
            case "NM1":
                found.update(elements[3:8], elements[9:10])
            case "N3" | "N4":
                found.update(elements[1:4])
            case "REF":
                found.update(elements[2:3])
            case "PER":
                found.update(elements[2:3], elements[4:9:2])
            case "DMG":
                found.update(elements[2:3])
            case "CLM":
                found.update(elements[1:2])
            case "NTE":
                found.update(elements[2:3])
            case "SBR":
                found.update(elements[3:5])
            case "ISA":
                found.update((elements[6].strip(), elements[8].strip()))
    # Two letters of a state are no longer to be told from a code.
    return {value for value in found if len(value) > 3}


FAULTY = sorted(
    file
    for file in (SAMPLES / "faulty").glob("*.837")
    if not file.name.startswith(("x12.version", "x12.segment", "x12.delimiter"))
)


@pytest.mark.long
@pytest.mark.parametrize(
    "file", [*FAULTY[::3], *sorted((SAMPLES / "clean").glob("*.837"))[::4]], ids=lambda f: f.name
)
def test_nothing_that_identifies_is_left(checker, file):
    data = file.read_bytes()
    secrets = identifying(data.decode())
    assert len(secrets) > 10
    written = everything(checker, data)
    # A name such as "FIR" may be part of a word of ours; a value must not stand by itself.
    left = {
        value
        for value in secrets
        if re.search(rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])", written)
    }
    assert not left


def test_without_it_they_are_there(checker):
    data = (SAMPLES / "faulty" / "ncci.ptp.97530-97750.837").read_bytes()

    class Nothing:
        def redact(self, checked):
            return checked

    written = []
    with FindingsLog("x") as journal:
        for checked in checker.check(io.BytesIO(data)):
            journal.add(Nothing().redact(checked))
        journal.end()
        written = [json.loads(row) for row in journal.findings()]
    assert written[0]["where"]["claim"] in identifying(data.decode())


def test_findings_outcomes_and_places_stay_as_they_were(checker):
    for file in FAULTY[::4]:
        data = file.read_bytes()
        plain = list(checker.check(io.BytesIO(data)))
        masked = check(checker, data)
        assert [type(c.part) for c in masked] == [type(c.part) for c in plain]
        for before, after in zip(plain, masked, strict=True):
            assert (after.outcome, after.failed) == (before.outcome, before.failed)
            for a, b in zip(before.findings, after.findings, strict=True):
                assert (a.rule, a.severity, a.status, a.table) == (b.rule, b.severity, b.status, b.table)
                assert (a.where.position, a.where.element, a.where.line) == (
                    b.where.position,
                    b.where.element,
                    b.where.line,
                )
            if isinstance(before.part, SegmentRun):
                assert len(before.part.segments) == len(after.part.segments)
                assert before.part.position == after.part.position
            if isinstance(before.part, Claim):
                assert before.part.charge == after.part.charge
                assert [line.code for line in before.part.lines] == [line.code for line in after.part.lines]
                assert before.part.dates == after.part.dates
                assert before.part.diagnoses == after.part.diagnoses


def test_the_same_value_has_the_same_token_and_others_have_others(checker):
    data = (SAMPLES / "clean" / "pt-clinic.837").read_bytes()
    plain = [c.part for c in checker.check(io.BytesIO(data)) if isinstance(c.part, Claim)]
    masked = [c.part for c in check(checker, data) if isinstance(c.part, Claim)]
    assert len({part.id for part in plain}) == len({part.id for part in masked}) == len(plain) > 1
    for field in (lambda p: p.patient_name.id, lambda p: p.patient_name.last_name, lambda p: p.billing.npi):
        tokens = {}
        for before, after in zip(plain, masked, strict=True):
            assert tokens.setdefault(field(before), field(after)) == field(after)
        assert len(set(tokens.values())) == len(tokens)


def test_the_kinds_of_tokens(checker):
    data = (SAMPLES / "clean" / "pt-clinic.837").read_bytes()
    claim = next(c.part for c in check(checker, data) if isinstance(c.part, Claim))
    subscriber = claim.subscriber.name
    assert re.fullmatch(r"CLAIM-[A-Z2-7]{8}", claim.id)
    assert re.fullmatch(r"MEMBER-[A-Z2-7]{8}", subscriber.id)
    assert re.fullmatch(r"NAME-[A-Z2-7]{8}", subscriber.last_name)
    assert re.fullmatch(r"NPI-[A-Z2-7]{8}", claim.billing.npi)
    assert re.fullmatch(r"BIRTH-[A-Z2-7]{8}", subscriber.run.first("DMG")[2])
    assert subscriber.run.first("DMG")[3] in "FMU"
    assert re.fullmatch(r"ADDRESS-[A-Z2-7]{8}", subscriber.run.first("N3")[1])


def test_another_key_gives_other_tokens(checker):
    data = (SAMPLES / "clean" / "pt-clinic.837").read_bytes()
    one, other = (
        {c.part.id for c in check(checker, data, key) if isinstance(c.part, Claim)}
        for key in (b"one", b"other")
    )
    assert not one & other
    assert one == {c.part.id for c in check(checker, data, b"one") if isinstance(c.part, Claim)}


def test_levels_are_shared_as_they_were(checker):
    data = (SAMPLES / "clean" / "dependent-patients.837").read_bytes()
    parts = [c.part for c in check(checker, data)]
    claims = [part for part in parts if isinstance(part, Claim)]
    for claim in claims:
        assert any(claim.billing is part for part in parts)
        assert any(claim.subscriber is part for part in parts)
        assert claim.patient is None or any(claim.patient is part for part in parts)
        assert any(claim.transaction is part for part in parts)
        assert claim.transaction.interchange is next(part for part in parts if isinstance(part, Interchange))


@pytest.mark.long
@pytest.mark.parametrize(
    ("segment", "seen"),
    [
        (
            "NM1*IL*SMITH*JOHN*Q***MI*M12345",
            "SMITH",
        ),  # an element too few: the name stands where a code belongs
        ("SMITH*JOHN", "SMITH"),  # no segment id at all
        ("ZZ9*SMITH", "SMITH"),  # a segment that the guide does not know
        ("DTP*472*D8*SMITH JOHN", "SMITH"),
        ("SV1*HC:97530:GP:::::SMITH CAME LATE*84*UN*2***1", "SMITH"),
        ("NM1*IL*1*X*****MI*M1***SMITH", "SMITH"),
        ("K3*SMITH", "SMITH"),
        ("PWK*OZ*BM***AC*SMITH", "SMITH"),
    ],
)
def test_what_stands_at_a_wrong_place_is_masked_too(checker, segment, seen):
    text = (SAMPLES / "clean" / "pt-clinic.837").read_text().replace("LX*1~", f"{segment}~\nLX*1~", 1)
    assert segment in text
    assert seen not in everything(checker, text.encode())


def test_other_delimiters_and_a_hyphen_among_them(checker):
    text = (SAMPLES / "clean" / "pt-clinic.837").read_text().replace("*", "-").replace("2026-", "2026")
    check(checker, text.encode())
    data = (SAMPLES / "clean" / "other-delimiters.837").read_bytes()
    claims = [c.part for c in check(checker, data) if isinstance(c.part, Claim)]
    assert claims
    assert all(line.code for claim in claims for line in claim.lines)


def test_a_message_that_names_a_claim_names_its_token():
    from test_reports import bundled, interchange, transaction
    from test_reports import check as stream

    text = interchange(transaction(("SMITH-0042", "100")))
    findings = {"SMITH-0042": [lambda part: bundled(part, message="Claim SMITH-0042 came before.", fix="")]}
    redactor = Redactor(b"key")
    found = [f for c in stream(text, findings) for f in redactor.redact(c).findings]
    assert found[0].message == f"Claim {found[0].where.claim} came before."
    assert found[0].where.claim == redactor.token("CLAIM", "SMITH-0042")
    assert found[0].related[0].claim == found[0].where.claim


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_goes_through(checker, data):
    text = (SAMPLES / "clean" / "dependent-patients.837").read_text()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(106, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "*", "~", ":", "~NM1*", "\x00", "é", "-"]))
            + text[at + 1 :]
        )
    redactor = Redactor(b"k")
    for checked in checker.check(io.BytesIO(text.encode())):
        masked = redactor.redact(checked)
        assert type(masked.part) is type(checked.part)
        assert set(masked._fields) == {"part", "findings", "outcome", "failed"}


@pytest.mark.long
def test_the_command_masks_every_file_that_it_writes(tmp_path):
    file = SAMPLES / "faulty" / "ncci.ptp.97530-97750.837"
    secrets = identifying(file.read_text())
    for form in FORMATS:
        done = CliRunner().invoke(
            commands,
            ["check", "--redact", "--acks", "--out-dir", str(tmp_path), "--format", form, str(file)],
        )
        assert done.exit_code == 1, done.output
        said = text_of(done)
        assert TOKEN.search(said)
        assert not [value for value in secrets if re.search(rf"\b{re.escape(value)}\b", said)]
    written = {path.suffix: path.read_text() for path in tmp_path.iterdir()}
    assert set(written) == {".json", ".html", ".999", ".277ca"}
    for text in written.values():
        assert not [value for value in secrets if re.search(rf"\b{re.escape(value)}\b", text)]
