"""Reports: the journal's verdicts and sums, the promise of the JSON report, and what people see."""

import io
import json
import re

import pytest

from edi_checker.check.engine import Tally
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.json_report import JsonReport
from edi_checker.reports.ndjson import NdjsonReport
from edi_checker.reports.text import ASCII, UNICODE, TextReport
from edi_checker.x12.blocks import read_blocks
from edi_checker.x12.finding import Finding, Place, Status, TableVersion
from report_schema import validate

TABLES = [("ncci_ptp", "builtin-therapy-2024Q3", 386)]

HEAD = (
    "ISA*00*          *00*          *ZZ*ALDER          *ZZ*BROOK          *260201*1200*^*00501*000000905*0*T*"
    ":~"
    "GS*HC*ALDER*BROOK*20260201*1200*1*X*005010X222A1~"
)
OPEN = (
    "ST*837*{st}*005010X222A1~BHT*0019*00*1*20260201*1200*CH~"
    "NM1*41*2*ALDER*****46*A1~NM1*40*2*BROOK*****46*B1~"
    "HL*1**20*1~NM1*85*2*ALDER*****XX*1234567893~HL*2*1*22*0~SBR*P*18*******MB~NM1*IL*1*ASPEN****MI*M1~"
)
CLAIM = (
    "CLM*{id}*{charge}***11:B:1*Y*A*Y*Y~HI*ABK:M6281~"
    "LX*1~SV1*HC:97530:GP*{charge}*UN*2***1~DTP*472*D8*20260115~"
    "LX*2~SV1*HC:97750:GP*0*UN*1***1~DTP*472*D8*20260115~"
)


def transaction(*claims: tuple[str, str], st: str = "0001") -> str:
    body = "".join(CLAIM.format(id=number, charge=charge) for number, charge in claims)
    return OPEN.format(st=st) + body + f"SE*1*{st}~"


def interchange(*transactions: str) -> str:
    return HEAD + "".join(transactions) + "GE*1*1~IEA*1*000000905~"


def parts(text: str):
    """The parts of a text whose structure is sound, as the reader hands them on, without faults."""
    whole = group = header = provider = subscriber = None
    for block in read_blocks(io.BytesIO(text.encode())):
        segment = block.segments()[0]
        match block.kind:
            case "ISA":
                whole = Interchange(segment, block.delimiters, block.ordinal)
                yield whole
            case "GS":
                group = Group(segment, whole)
                yield group
            case "ST":
                header = Transaction(block, group, ())
                yield header
            case "HL" if segment[3] == "20":
                provider = BillingProvider(block, header, ())
                yield provider
            case "HL":
                subscriber = Subscriber(block, header, (), provider)
                yield subscriber
            case "CLM":
                yield Claim(block, header, provider, subscriber, None, ())
            case "SE":
                yield TransactionEnd(header, segment, block.position, 0, ())
            case "GE":
                yield GroupEnd(group, segment, 1, ())
            case "IEA":
                yield InterchangeEnd(whole, segment, 1, ())


def bundled(claim: Claim, **changes) -> Finding:
    line = claim.lines[1]
    values = {
        "rule": "ncci.ptp",
        "severity": "error",
        "snip": 6,
        "message": "97750 is bundled into 97530 on 2026-01-15; no modifier on either line releases it.",
        "fix": "Where the services were separate, add 59 or the more specific XE, XP, XS or XU to 97750.",
        "citation": "NCCI Policy Manual, ch. 11",
        "where": line.place("SV1", "SV101-2"),
        "related": (claim.lines[0].place("SV1", "SV101-2"),),
        "status": Status(ack277ca=("A8:453:454",)),
        "table": TableVersion("ncci_ptp", "builtin-therapy-2024Q3"),
    }
    return Finding(**values | changes)


def count_fault(whole: Interchange) -> Finding:
    return Finding(
        rule="x12.count",
        severity="error",
        snip=1,
        message="IEA01 says 2 groups; there is 1.",
        fix="Count the groups anew.",
        citation="X12.5",
        where=Place(whole.control_number, None, None, None, None, "IEA", "IEA", 0, "IEA01"),
        status=Status(ta1="021"),
    )


def check(text: str, findings=None, outcomes=None, failed=None):
    """A checked stream: findings and outcomes by CLM01, or by the type's name for other parts."""
    for part in parts(text):
        key = part.id if isinstance(part, Claim) else type(part).__name__
        found = (findings or {}).get(key, ())
        found = tuple(make(part) for make in found)
        rejected = isinstance(part, Claim) and any(f.severity == "error" for f in found)
        outcome = (outcomes or {}).get(key, "rejected" if rejected else "accepted")
        reason = (failed or {}).get(key, "")
        yield Checked(part, found, "not_checked" if reason else outcome, reason)


JOURNALS = []


@pytest.fixture(autouse=True)
def close_journals():
    yield
    while JOURNALS:
        JOURNALS.pop().close()


def journal_of(stream, path="claims.837", failure="", excerpts=True):
    journal = FindingsLog(path, excerpts=excerpts)
    JOURNALS.append(journal)
    for checked in stream:
        journal.add(checked)
    return journal, journal.end(sha256="0" * 64, tally=Tally(62, 60, 2), failure=failure)


def json_of(*journals) -> dict:
    out = io.StringIO()
    report = JsonReport(out, version="0.1.0", received=20260201, tables=TABLES)
    for journal, summary in journals:
        report.add(journal, summary)
    report.finish()
    made = json.loads(out.getvalue())
    validate(made)
    return made


def text_of(*journals, width=100, colour=False, marks=UNICODE, verbose=False) -> str:
    out = io.StringIO()
    report = TextReport(out, width=width, colour=colour, marks=marks, tables=TABLES, verbose=verbose)
    for journal, summary in journals:
        report.add(journal, summary)
    report.finish()
    return out.getvalue()


TWO = interchange(transaction(("A-1", "150"), ("A-2", "200")))


def outcomes_of(file: dict) -> list[tuple[str, str]]:
    return [(claim["claim"], claim["outcome"]) for claim in file["claims"]]


THREE = interchange(transaction(("A-1", "150"), ("A-2", "200")), transaction(("B-1", "90"), st="0002"))


def above(part):
    place = Place("000000905", "1", None, None, None, "", "SE", 0, "SE01")
    return Finding("x12.count", "error", 1, "The count is wrong.", "Correct it.", "X12.6", place)


@pytest.mark.parametrize(
    ("part", "claims"),
    [
        ("Interchange", [["A-1", "A-2", "B-1"]]),
        ("Group", [["A-1", "A-2", "B-1"]]),
        ("Transaction", [["A-1", "A-2"], ["B-1"]]),
        ("BillingProvider", [["A-1", "A-2"], ["B-1"]]),
        ("TransactionEnd", [["A-1", "A-2"], ["B-1"]]),
        ("GroupEnd", [["A-1", "A-2", "B-1"]]),
        ("InterchangeEnd", [["A-1", "A-2", "B-1"]]),
    ],
)
def test_a_finding_above_the_claims_names_them(part, claims):
    journal, summary = journal_of(check(THREE, {part: [above]}))
    file = json_of((journal, summary))["files"][0]
    assert [finding["affects"] for finding in file["findings"]] == claims
    assert [finding["affects_count"] for finding in file["findings"]] == [len(each) for each in claims]
    numbers = {"A-1": 1, "A-2": 2, "B-1": 3}
    assert [list(entry.below) for entry in journal.entries()] == [
        [numbers[c] for c in each] for each in claims
    ]


def test_a_finding_of_a_claim_affects_it_alone():
    assert "affects" not in json_of(journal_of(check(TWO, {"A-2": [bundled]})))["files"][0]["findings"][0]


def test_claims_named_below_findings_are_bounded():
    """Many findings above many claims name no more than a bounded number in all, and count the rest."""
    claims = [(f"C-{number}", "10") for number in range(1_500)]
    stream = check(interchange(transaction(*claims)), {"Transaction": [above] * 30})
    found = json_of(journal_of(stream))["files"][0]["findings"]
    assert {finding["affects_count"] for finding in found} == {1_500}
    assert found[0]["affects"] == [f"C-{number}" for number in range(1_000)]
    assert sum(len(finding["affects"]) for finding in found) == 20_000


def test_one_claim_of_two_is_rejected():
    file = json_of(journal_of(check(TWO, {"A-2": [bundled]})))["files"][0]
    assert file["outcome"] == "accepted_with_errors"
    assert file["counts"] == {
        "interchanges": 1, "groups": 1, "transactions": 1, "claims": 2, "lines": 4, "claims_accepted": 1,
        "claims_rejected": 1, "claims_not_checked": 0, "error": 1, "warning": 0, "info": 0,
    }  # fmt: skip
    assert file["charges"] == {"total": "350.00", "accepted": "150.00", "rejected": "200.00"}
    assert file["tally"] == {"rules": 62, "applied": 60, "not_in_force": 2}
    assert file["claims"] == [
        {"claim": "A-1", "transaction": "0001", "outcome": "accepted", "charge": "150.00"},
        {"claim": "A-2", "transaction": "0001", "outcome": "rejected", "charge": "200.00"},
    ]
    (finding,) = file["findings"]
    assert finding["where"] == {
        "interchange": "000000905", "group": "1", "transaction": "0001", "claim": "A-2", "line": 2,
        "loop": "2400", "segment": "SV1", "position": 24, "element": "SV101-2",
    }  # fmt: skip
    assert finding["related"][0]["line"] == 1
    assert finding["status"] == {"277CA": ["A8:453:454"]}
    assert finding["table"] == {"name": "ncci_ptp", "version": "builtin-therapy-2024Q3"}


def test_keys_of_the_report_stand_as_promised():
    made = json_of(journal_of(check(TWO, {"A-2": [bundled]})))
    assert list(made) == ["schema", "version", "received", "tables", "files"]
    assert made["schema"] == "edi-checker/report/1"
    assert made["received"] == "2026-02-01"
    assert made["tables"] == [{"name": "ncci_ptp", "version": "builtin-therapy-2024Q3", "rows": 386}]
    assert list(made["files"][0]) == [
        "path", "sha256", "outcome", "reason", "notices", "counts", "charges", "tally", "profiles",
        "not_covered", "claims", "findings", "unlisted",
    ]  # fmt: skip
    assert list(made["files"][0]["findings"][0]) == [
        "rule", "severity", "snip", "message", "fix", "citation", "where", "related", "status", "table",
    ]  # fmt: skip


def test_clean_file_has_no_findings():
    file = json_of(journal_of(check(TWO)))["files"][0]
    assert (file["outcome"], file["reason"], file["findings"]) == ("accepted", None, [])


def test_warnings_do_not_spoil_acceptance():
    file = json_of(journal_of(check(TWO, {"A-1": [lambda c: bundled(c, severity="warning")]})))["files"][0]
    assert file["outcome"] == "accepted"
    assert file["counts"]["warning"] == 1


@pytest.mark.parametrize("end", ["TransactionEnd", "GroupEnd", "InterchangeEnd"])
def test_rejected_envelope_turns_its_claims_and_no_others(end):
    first, second = interchange(transaction(("A-1", "10"))), interchange(transaction(("B-1", "5")))
    stream = [*check(first, outcomes={end: "rejected"}), *check(second)]
    file = json_of(journal_of(stream))["files"][0]
    assert outcomes_of(file) == [("A-1", "rejected"), ("B-1", "accepted")]
    assert file["charges"] == {"total": "15.00", "accepted": "5.00", "rejected": "10.00"}


def test_rejected_transaction_leaves_its_neighbour_accepted():
    text = interchange(
        transaction(("A-1", "10")),
        transaction(("A-2", "20"), st="0002"),
        transaction(("A-3", "40"), st="0003"),
    )
    stream = list(check(text))
    ends = [n for n, checked in enumerate(stream) if isinstance(checked.part, TransactionEnd)]
    stream[ends[1]] = Checked(stream[ends[1]].part, (), "rejected")
    file = json_of(journal_of(stream))["files"][0]
    assert outcomes_of(file) == [("A-1", "accepted"), ("A-2", "rejected"), ("A-3", "accepted")]
    assert file["charges"]["accepted"] == "50.00"


def test_nothing_accepted_is_rejected():
    file = json_of(journal_of(check(TWO, {"A-1": [bundled], "A-2": [bundled]})))["files"][0]
    assert file["outcome"] == "rejected"


def test_error_that_rejects_nothing_is_accepted_with_errors():
    stream = check(TWO, {"InterchangeEnd": [lambda end: count_fault(end.interchange)]})
    file = json_of(journal_of(stream))["files"][0]
    assert file["outcome"] == "accepted_with_errors"
    assert file["findings"][0]["where"]["claim"] is None
    assert file["findings"][0]["status"] == {"TA1": "021"}


def test_claim_that_could_not_be_checked_is_neither_accepted_nor_rejected():
    file = json_of(journal_of(check(TWO, failed={"A-2": "internal error (KeyError)"})))["files"][0]
    assert file["outcome"] == "not_checked"
    assert file["reason"] == "1 of 2 claims could not be checked: internal error (KeyError)"
    assert outcomes_of(file) == [("A-1", "accepted"), ("A-2", "not_checked")]
    assert file["counts"]["claims_not_checked"] == 1
    assert file["charges"] == {"total": "350.00", "accepted": "150.00", "rejected": "0.00"}


def test_input_that_breaks_off_gives_no_verdict_on_what_came_before():
    file = json_of(journal_of(check(TWO), failure="the archive is damaged"))["files"][0]
    assert outcomes_of(file) == [("A-1", "not_checked"), ("A-2", "not_checked")]
    assert file["charges"] == {"total": "350.00", "accepted": "0.00", "rejected": "0.00"}


def test_stream_without_an_end_gives_no_verdict():
    stream = [c for c in check(TWO) if not isinstance(c.part, InterchangeEnd)]
    file = json_of(journal_of(stream))["files"][0]
    assert file["outcome"] == "not_checked"
    assert outcomes_of(file) == [("A-1", "not_checked"), ("A-2", "not_checked")]


def test_input_that_breaks_off_gives_no_verdict_on_its_claims():
    stream = [
        c
        for c in check(TWO, {"A-2": [bundled]})
        if not isinstance(c.part, TransactionEnd | GroupEnd | InterchangeEnd)
    ]
    file = json_of(journal_of(stream, failure="the archive ends too early"))["files"][0]
    assert (file["outcome"], file["reason"]) == ("not_checked", "the archive ends too early")
    assert outcomes_of(file) == [("A-1", "not_checked"), ("A-2", "not_checked")]
    assert len(file["findings"]) == 1


def test_unreadable_charge_counts_nothing():
    file = json_of(journal_of(check(interchange(transaction(("A-1", "1O0"), ("A-2", "20"))))))["files"][0]
    assert file["charges"]["total"] == "20.00"
    assert file["claims"][0]["charge"] == "0.00"


def test_journal_keeps_no_claims_in_memory(monkeypatch):
    monkeypatch.setattr("edi_checker.reports.findings_log.IN_MEMORY", 10)
    file = json_of(journal_of(check(TWO, {"A-2": [bundled]})))["files"][0]
    assert outcomes_of(file) == [("A-1", "accepted"), ("A-2", "rejected")]


def test_hostile_text_survives_json():
    text = interchange(transaction(('A"\t\\\x1b[31m', "10")))
    file = json_of(journal_of(check(text, {'A"\t\\\x1b[31m': [bundled]})))["files"][0]
    assert file["claims"][0]["claim"] == file["findings"][0]["where"]["claim"] == 'A"\t\\\x1b[31m'


def test_ndjson_is_one_finding_a_line_with_its_path():
    out = io.StringIO()
    report = NdjsonReport(out)
    for path in ("a.837", "b.837"):
        report.add(*journal_of(check(TWO, {"A-1": [bundled], "A-2": [bundled]}), path=path))
    report.finish()
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(row["path"], row["where"]["claim"]) for row in rows] == [
        ("a.837", "A-1"), ("a.837", "A-2"), ("b.837", "A-1"), ("b.837", "A-2"),
    ]  # fmt: skip
    single = json_of(journal_of(check(TWO, {"A-1": [bundled]})))["files"][0]["findings"][0]
    assert {key: rows[0][key] for key in rows[0] if key != "path"} == single


def test_text_marks_the_faulty_component():
    lines = text_of(journal_of(check(TWO, {"A-2": [bundled]}))).splitlines()
    at = next(n for n, line in enumerate(lines) if "SV1*HC:97750" in line)
    start = lines[at].index("97750")
    assert lines[at + 1].rstrip() == " " * start + "▔" * 5


def test_text_marks_the_place_of_a_missing_element():
    def missing(claim):
        return bundled(claim, where=claim.lines[1].place("SV1", "SV111"))

    lines = text_of(journal_of(check(TWO, {"A-2": [missing]}))).splitlines()
    at = next(n for n, line in enumerate(lines) if "SV1*HC:97750" in line)
    assert lines[at + 1].index("▔") == len(lines[at])


def test_text_shows_no_segment_where_none_stands():
    def missing(claim):
        return bundled(claim, where=claim.place("REF", None, position=claim.position))

    assert "CLM*" not in text_of(journal_of(check(TWO, {"A-2": [missing]})))


def test_part_without_a_segment_can_have_findings():
    (whole,) = (part for part in parts(HEAD) if isinstance(part, Interchange))
    place = Place(whole.control_number, None, None, None, None, "GS", "GS", 0)
    finding = Finding("x12.envelope", "error", 1, "There is no GS.", "Add it.", "X12.5", place)
    stream = [Checked(whole, (), "accepted"), Checked(Group([], whole), (finding,), "rejected")]
    assert "There is no GS." in text_of(journal_of(stream))


def test_text_without_excerpts_holds_no_segment():
    assert "SV1*" not in text_of(journal_of(check(TWO, {"A-2": [bundled]}), excerpts=False))


def test_text_obeys_no_escape_of_the_file():
    name = "A\x1b[2J\u202e\x9b"
    text = text_of(
        journal_of(check(interchange(transaction((name, "10"))), {name: [bundled]}), path="\x1b]0;x\x07.837")
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


@pytest.mark.parametrize("width", [1, 40, 60, 100, 500])
def test_text_keeps_its_width(width):
    def long(claim):
        return bundled(claim, message="x" * 300 + " 漢字" * 50)

    wide = "A" * 30 + "漢" * 8
    text = text_of(journal_of(check(interchange(transaction((wide, "10"))), {wide: [long]})), width=width)
    from rich.cells import cell_len

    assert max(map(cell_len, text.splitlines())) <= min(max(width, 40), 120)


def test_text_cuts_a_long_segment_around_the_fault():
    def noted(claim):
        return bundled(claim, where=claim.place("HI", "HI09-2"))

    codes = "*".join(f"ABF:M{n:04d}" for n in range(6281, 6293))
    text = TWO.replace("HI*ABK:M6281", "HI*ABK:M6281*" + codes)
    lines = text_of(journal_of(check(text, {"A-2": [noted]})), width=60).splitlines()
    at = next(n for n, line in enumerate(lines) if "ABF" in line)
    assert lines[at][lines[at + 1].index("▔") :].startswith("M6288")


def test_text_in_ascii_is_ascii():
    assert text_of(journal_of(check(TWO, {"A-2": [bundled]})), marks=ASCII).isascii()


def test_text_says_the_final_outcome_of_a_claim():
    text = text_of(
        journal_of(
            check(TWO, {"A-1": [lambda c: bundled(c, severity="info")]}, {"InterchangeEnd": "rejected"})
        )
    )
    assert re.search(r"Claim A-1 .*\$150\.00 +rejected", text)


def test_text_says_once_for_a_claim_what_to_do():
    text = text_of(journal_of(check(TWO, {"A-1": [bundled, bundled], "A-2": [bundled]})))
    assert text.count("is bundled into") == 3
    assert text.count("    fix ") == 2
    assert text.count("    source ") == 2


def test_text_of_a_clean_file_is_short_and_says_what_was_checked():
    text = text_of(journal_of(check(TWO)))
    assert len(text.splitlines()) < 8
    assert "Nothing found" in text
    assert "builtin-therapy-2024Q3" not in text
    verbose = text_of(journal_of(check(TWO)), verbose=True)
    assert "60 of 62 rules applied" in verbose
    assert "ncci_ptp  builtin-therapy-2024Q3        386 rows" in verbose


def mixed():
    """Two files: one with claim, level and envelope findings, one that could not be read."""
    stream = check(
        interchange(transaction(("A-1", "150"), ("A-2", "1200"), ("A-3", "80"))),
        {
            "BillingProvider": [
                lambda p: Finding(
                    "code.npi", "warning", 5, "NM109 fails the check digit.", "Correct it.", "45 CFR 162.406",
                    Place("000000905", "1", "0001", None, None, "2010AA", "NM1", p.position + 1, "NM109"),
                )
            ],
            "A-2": [bundled, lambda c: bundled(c, rule="a.hint", severity="info", related=(), table=None)],
            "InterchangeEnd": [lambda end: count_fault(end.interchange)],
        },
    )  # fmt: skip
    return journal_of(stream), journal_of(
        (), path="notes.txt", failure="the input does not begin with an ISA segment"
    )


def test_text_looks_as_agreed(golden):
    golden("mixed.txt", text_of(*mixed()))


def test_text_with_colours_looks_as_agreed(golden):
    golden("mixed-colour.txt", text_of(*mixed(), colour=True))


def test_clean_text_looks_as_agreed(golden):
    golden("clean.txt", text_of(journal_of(check(TWO))))


def test_json_looks_as_agreed(golden):
    out = io.StringIO()
    report = JsonReport(out, version="0.1.0", received=20260201, tables=TABLES)
    for journal, summary in mixed():
        report.add(journal, summary)
    report.finish()
    golden("mixed.json", out.getvalue())
