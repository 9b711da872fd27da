"""Answers joined with the claims that they answer: each claim in one heap, by the answer that decides."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from drop_folder import digest, say
from edi_checker.acks.heaps import HEAPS
from edi_checker.cli import commands
from edi_checker.state import Group, Interchange, InterchangeKey, open_ledger
from edi_checker.watch.places import Places, archive_name, make_folder
from generate_claims import generate
from paths import CLEAN, CORPUS, ROOT

BATCHES = ("B1", "B2")


def isa(sender: str, receiver: str, number: int, day: str = "261121") -> str:
    who = f"ZZ*{sender:15}*ZZ*{receiver:15}"
    return f"ISA*00*{'':10}*00*{'':10}*{who}*{day}*1200*^*00501*{number:09d}*0*T*:~"


def claim(number: str, charge: str = "100", day: str = "20261101", patient: str = "ASPEN*IRIS") -> str:
    head = f"HL*2*1*22*0~SBR*P*18*******MB~NM1*IL*1*{patient}****MI*M1~"
    line = f"LX*1~SV1*HC:97530:GP*{charge}*UN*1***1~DTP*472*D8*{day}~"
    return f"{head}CLM*{number}*{charge}***11:B:1*Y*A*Y*Y~{line}"


def set_837(st02: str, batch: str, *claims: str, npi: str = "1234567893") -> str:
    head = f"ST*837*{st02}*005010X222A1~BHT*0019*00*{batch}*20261121*1200*CH~"
    return f"{head}HL*1**20*1~NM1*85*2*CLINIC*****XX*{npi}~{''.join(claims)}SE*9*{st02}~"


def file_837(*sets: str, isa13: int = 7, gs06: str = "17", day: str = "261121") -> str:
    group = f"GS*HC*ALDER*BROOK*20261121*1200*{gs06}*X*005010X222A1~"
    return (
        f"{isa('ALDER', 'BROOK', isa13, day)}{group}{''.join(sets)}GE*{len(sets)}*{gs06}~IEA*1*{isa13:09d}~"
    )


def file_999(*sets: str, ak9: str, gs06: str = "17", ta1: str = "", day: str = "261121") -> str:
    body = f"ST*999*0001*005010X231A1~AK1*HC*{gs06}*005010X222A1~{''.join(sets)}AK9*{ak9}~SE*5*0001~"
    group = f"GS*FA*BROOK*ALDER*20261121*1200*1*X*005010X231A1~{body}GE*1*1~"
    return f"{isa('BROOK', 'ALDER', 1, day)}{ta1}{group}IEA*1*000000001~"


def set_277(batch: str, *body: str, stc: str = "A1:19:PR*20261121*WQ*1", more: str = "") -> str:
    head = "ST*277*0001*005010X214~BHT*0085*08*R1*20261121*1200*TH~HL*1**20*1~NM1*PR*2*BROOK*****PI*B1~"
    return (
        f"{head}HL*2*1*21*1~NM1*41*2*ALDER*****46*A1~TRN*2*{batch}~STC*{stc}~{more}{''.join(body)}SE*9*0001~"
    )


def provider(*claims: str, npi: str = "1234567893", stc: str = "A1:19:PR**WQ*1") -> str:
    return f"HL*3*2*19*1~NM1*85*2*CLINIC*****XX*{npi}~TRN*1*0~STC*{stc}~{''.join(claims)}"


def said(number: str, stc: str, charge: str = "100", more: str = "", day: str = "20261101") -> str:
    name = "HL*4*3*PT~NM1*QC*1*ASPEN*IRIS****MI*M1~"
    action = "WQ" if stc[1] in "12" else "U"
    return f"{name}TRN*2*{number}~STC*{stc}*20261121*{action}*{charge}~DTP*472*D8*{day}~{more}"


def file_277(*sets: str, day: str = "261121") -> str:
    group = "GS*HN*BROOK*ALDER*20261121*1200*1*X*005010X214~"
    return f"{isa('BROOK', 'ALDER', 2, day)}{group}{''.join(sets)}GE*1*1~IEA*1*000000002~"


TWO = file_837(
    set_837("0001", "B1", claim("C1"), claim("C2", "50.25")), set_837("0002", "B2", claim("C3", "7"))
)


class Workspace:
    """A folder with answers and claim files, and the command on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.named: dict[str, list[str]] = {"claims": [], "answers": []}

    def put(self, role: str, *texts: str) -> None:
        for text in texts:
            path = self.folder / f"{role}{len(self.named[role])}.x12"
            path.write_text(text)
            self.named[role].append(str(path))

    def run(self, *more: str) -> Result:
        claims = [word for path in self.named["claims"] for word in ("--claims", path)]
        return CliRunner().invoke(commands, ["explain-ack", *self.named["answers"], *claims, *more])

    def json(self, code: int | None = None) -> dict[str, Any]:
        done = self.run("--format", "json")
        made: dict[str, Any] = json.loads(done.stdout)
        schema = json.loads((files("edi_checker.reports") / "explain-ack.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(made)
        assert code is None or done.exit_code == code
        return made


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def heaps(made: dict[str, Any]) -> dict[str, str]:
    return {one["claim"]: one["heap"] for one in made["claims"]}


def join(here: Workspace, sent: str, *answers: str, code: int | None = None) -> dict[str, Any]:
    here.put("claims", sent)
    here.put("answers", *answers)
    return here.json(code)


# Which answer decides


def test_each_claim_is_in_one_heap_and_the_charges_add_up(here: Workspace) -> None:
    answer = file_277(set_277("B1", provider(said("C1", "A7:562:85"), said("C2", "A2:20", "50.25"))))
    made = join(here, TWO, answer, code=1)
    assert heaps(made) == {"C1": "fix", "C2": "leave", "C3": "unanswered"}
    assert made["says"] == ["1 of 3 claims must be fixed, 1 is not answered yet, 1 was accepted."]
    assert made["in_claim_files"]["charges"] == {
        "total": "157.25", "fix": "100.00", "wait": "0.00", "unanswered": "7.00", "leave": "50.25",
    }  # fmt: skip
    first = made["claims"][0]
    assert (first["patient"], first["from"], first["charge"]) == ("ASPEN, IRIS", "2026-11-01", "100.00")
    assert first["says"] == ["Rejected, something is not valid: NPI of the billing provider."]
    assert first["said_by"].endswith("answers0.x12")
    assert first["claim_file"].endswith("claims0.x12")


@pytest.mark.parametrize(
    ("verdict", "ak9", "heap"),
    [("A", "A*2*2*2", "wait"), ("E*5", "E*2*2*2", "wait"), ("R*5", "P*2*2*1", "fix")],
)
def test_a_999_decides_until_the_277ca_comes(here: Workspace, verdict: str, ak9: str, heap: str) -> None:
    sets = f"AK2*837*0001~IK5*{verdict}~"
    made = join(here, TWO, file_999(sets, ak9=ak9))
    assert heaps(made) == {"C1": heap, "C2": heap, "C3": "wait"}  # 0002 is counted as accepted
    here.put("answers", file_277(set_277("B1", provider(said("C1", "A2:20")))))
    assert heaps(here.json())["C1"] == "leave"


def test_a_277ca_rejects_what_the_999_accepted_and_both_are_named(here: Workspace) -> None:
    accepted = file_999("AK2*837*0001~IK5*A~", ak9="A*2*2*2")
    made = join(here, TWO, file_277(set_277("B1", provider(said("C1", "A3:116")))), accepted, code=1)
    (row,) = [one for one in made["claims"] if one["claim"] == "C1"]
    assert (row["heap"], row["answer"], row["advice"]) == (
        "fix",
        "277CA",
        ["Find the right payer and send it there."],
    )
    assert [(one["answer"], one["outcome"]) for one in row["also"]] == [("999", "accepted")]


def test_a_rejected_set_costs_all_its_claims_and_names_the_error_of_its_own(here: Workspace) -> None:
    sent = set_837("0001", "B1", claim("C1"), claim("C2", "50.25"), claim("C4"))
    by_name, by_place = "IK3*CLM*8*2300*8~CTX*CLM01:C1~IK4*2*782*1~", "IK3*SV1*17*2400*8~IK4*2*782*6~"
    answer = file_999(f"AK2*837*0001~{by_name}{by_place}IK5*R*5~", ak9="R*1*1*0")
    made = join(here, file_837(sent), answer, code=1)
    assert heaps(made) == dict.fromkeys(("C1", "C2", "C4"), "fix")
    says = {one["claim"]: one["says"][-1] for one in made["claims"]}
    assert says["C1"].startswith("CLM02 (")
    assert says["C2"].startswith("SV102 (")  # found by its position in ST..SE
    assert says["C4"] == "It names no error of this claim."
    assert all("send the whole set again" in " ".join(one["advice"]) for one in made["claims"])


def test_a_ta1_costs_the_whole_interchange(here: Workspace) -> None:
    ta1 = f"{isa('BROOK', 'ALDER', 1)}TA1*000000007*261121*1200*R*022~IEA*0*000000001~"
    made = join(here, TWO, ta1, code=1)
    assert set(heaps(made).values()) == {"fix"}


@pytest.mark.parametrize(("note", "heap"), [("022", "fix"), ("025", "leave")])
def test_an_interchange_that_came_twice_is_not_to_be_sent_again(
    here: Workspace, note: str, heap: str
) -> None:
    ta1 = f"{isa('BROOK', 'ALDER', 1)}TA1*7*261121*1200*R*{note}~IEA*0*000000001~"
    made = join(here, TWO, ta1, code=1)
    assert set(heaps(made).values()) == {heap}
    assert (
        "is not to be sent again" in made["says"][0] or "are not to be sent again" in made["says"][0]
    ) is (note == "025")
    here.put("answers", file_277(set_277("B2", provider(said("C3", "A2:20", "7")))))
    assert heaps(here.json())["C3"] == "leave"


def test_a_whole_batch_and_a_whole_provider_are_rejected(here: Workspace) -> None:
    other = set_837("0002", "B2", claim("C3"), npi="1111111112") + ""
    sent = file_837(set_837("0001", "B1", claim("C1"), claim("C2")), other)
    batch = set_277("B1", stc="A8:562:41*20261121*U*200")
    whole = set_277("B2", provider(npi="1111111112", stc="A3:496:85**U*100"), more="QTY*AA*1~AMT*YY*100~")
    made = join(here, sent, file_277(batch, whole), code=1)
    assert heaps(made) == {"C1": "fix", "C2": "fix", "C3": "fix"}
    assert made["other"] == []


def test_claims_that_are_counted_and_not_listed(here: Workspace) -> None:
    rejected = provider(said("C1", "A7:453"))
    counts = "QTY*90*1~QTY*AA*1~AMT*YU*50.25~AMT*YY*100~"
    made = join(here, TWO, file_277(set_277("B1", rejected, more=counts)), code=1)
    assert heaps(made) == {"C1": "fix", "C2": "leave", "C3": "unanswered"}
    (row,) = [one for one in made["claims"] if one["claim"] == "C2"]
    assert "counts it as accepted" in row["says"][0]


def test_counts_that_leave_a_choice_decide_nothing(here: Workspace) -> None:
    sent = file_837(set_837("0001", "B1", claim("C1"), claim("C2"), claim("C3")))
    made = join(
        here, sent, file_277(set_277("B1", provider(said("C1", "A7:453")), more="QTY*90*1~QTY*AA*1~"))
    )
    assert heaps(made) == {"C1": "fix", "C2": "wait", "C3": "wait"}  # the batch was received


def test_a_line_says_why(here: Workspace) -> None:
    line = "SVC*HC:97530:GP*100*****1~STC*A8:453**U~REF*FJ*2~"
    made = join(here, TWO, file_277(set_277("B1", provider(said("C1", "A3:247", more=line)))))
    row = made["claims"][0]
    assert row["says"][1].startswith("Line 2, 97530: ")
    assert row["codes"] == ["A3:247", "A8:453"]
    assert row["advice"][0].startswith("See its lines.") or "Correct whichever" in row["advice"][0]


@pytest.mark.parametrize(
    ("stc", "heap"),
    [
        ("A0:16:PR", "wait"), ("A1:19:PR", "wait"), ("A2:20", "leave"), ("A3:54", "leave"),
        ("A3:718", "leave"), ("A6:178", "fix"), ("A7:562:85", "fix"), ("A8:562:85", "fix"),
        ("A3:78", "wait"), ("A3:685", "wait"), ("P3:59", "wait"), ("Z1:20", "wait"),
    ],
)  # fmt: skip
def test_the_heap_of_a_status(here: Workspace, stc: str, heap: str) -> None:
    name = "HL*4*3*PT~NM1*QC*1*ASPEN*IRIS****MI*M1~"
    made = join(here, TWO, file_277(set_277("B1", provider(f"{name}TRN*2*C1~STC*{stc}*20261121**100~"))))
    assert heaps(made)["C1"] == heap
    row = next(one for one in made["claims"] if one["claim"] == "C1")
    assert row["advice"] or row["outcome"] == "accepted"


def test_the_later_of_two_answers_decides(here: Workspace) -> None:
    first = file_277(set_277("B1", provider(said("C1", "A7:562:85"))), day="261121")
    second = file_277(set_277("B1", provider(said("C1", "A2:20"))), day="261122")
    assert heaps(join(here, TWO, second, first))["C1"] == "leave"


def test_of_two_answers_at_one_time_the_gravest_decides(here: Workspace) -> None:
    answers = (file_277(set_277("B1", provider(said("C1", stc)))) for stc in ("A7:562:85", "A2:20"))
    assert heaps(join(here, TWO, *answers))["C1"] == "fix"


# Numbers that repeat


def test_a_claim_that_was_sent_again_on_another_day_has_its_own_answer(here: Workspace) -> None:
    for number, day in ((7, "261121"), (8, "261123")):
        here.put(
            "claims", file_837(set_837("0001", "B1", claim("C1")), isa13=number, gs06=str(number), day=day)
        )
    here.put("answers", file_277(set_277("B1", provider(said("C1", "A7:562:85"))), day="261122"))
    made = here.json(1)
    assert [(one["heap"], Path(one["claim_file"]).name) for one in made["claims"]] == [
        ("fix", "claims0.x12"),
        ("unanswered", "claims1.x12"),
    ]
    here.put("answers", file_277(set_277("B1", provider(said("C1", "A2:20"))), day="261124"))
    assert {Path(one["claim_file"]).name: one["heap"] for one in here.json()["claims"]} == {
        "claims0.x12": "fix",
        "claims1.x12": "leave",
    }


def test_what_cannot_be_told_apart_decides_nothing_and_is_said(here: Workspace) -> None:
    here.put("claims", TWO, TWO)
    here.put("answers", file_277(set_277("B1", provider(said("C1", "A7:562:85")))), file_999(ak9="R*2*2*0*5"))
    made = here.json(1)
    assert {one["heap"] for one in made["claims"] if one["claim_file"]} == {"unanswered"}
    (row,) = [one for one in made["claims"] if not one["claim_file"]]
    assert "which is meant is not known" in row["says"][-1]
    assert any("which is meant is not known" in one["text"] for one in made["other"])


def test_the_sets_tell_groups_of_one_number_apart(here: Workspace) -> None:
    other = file_837(set_837("0009", "B9", claim("C9")), isa13=9)
    here.put("claims", TWO, other)
    here.put("answers", file_999("AK2*837*0009~IK5*R*5~", ak9="R*1*1*0"))
    assert heaps(here.json()) == {"C9": "fix", "C1": "unanswered", "C2": "unanswered", "C3": "unanswered"}


def test_a_number_that_one_answer_lists_twice_is_two_claims(here: Workspace) -> None:
    sent = file_837(set_837("0001", "B1", claim("C1"), claim("C1")))
    answer = file_277(set_277("B1", provider(said("C1", "A7:562:85"), said("C1", "A2:20"))))
    assert [one["heap"] for one in join(here, sent, answer)["claims"]] == ["fix", "leave"]


def test_a_number_is_found_that_an_answer_has_cut_and_cleaned(here: Workspace) -> None:
    long = "C/1-" + "X" * 40
    sent = file_837(set_837("0001", "B1", claim(long)))
    made = join(here, sent, file_277(set_277("B1", provider(said(long.replace("/", "-")[:35], "A2:20")))))
    assert [one["heap"] for one in made["claims"]] == ["leave"]


def test_an_answer_of_a_clearinghouse_with_a_batch_of_its_own(here: Workspace) -> None:
    made = join(here, TWO, file_277(set_277("OTHER", provider(said("C1", "A7:562:85")))))
    assert heaps(made)["C1"] == "fix"


def test_an_answer_about_a_claim_that_is_not_there(here: Workspace) -> None:
    made = join(here, TWO, file_277(set_277("B1", provider(said("GONE", "A7:562:85", "12.5")))), code=1)
    (row,) = [one for one in made["claims"] if one["claim"] == "GONE"]
    assert (row["patient"], row["from"], row["charge"]) == ("ASPEN, IRIS", "2026-11-01", "12.50")
    assert row["claim_file"] is None
    assert made["says"][1].startswith(
        "Answered, but not found in the claim files: 1 of 1 claim must be fixed"
    )


# Forms


@pytest.fixture
def full(here: Workspace) -> Workspace:
    here.put("claims", TWO)
    rejected = said("C1", "A7:562:85")
    here.put(
        "answers", file_277(set_277("B1", provider(rejected, said("GONE", "A3:54")))), file_999(ak9="A*2*2*2")
    )
    return here


def test_text(full: Workspace) -> None:
    shown = full.run().stdout
    assert shown.startswith("1 of 3 claims must be fixed, 2 wait for the payer.")
    assert "C1   ASPEN, IRIS   2026-11-01   $100.00" in shown
    assert "> Correct the value and send the claim again as a new one" in shown
    assert max(map(len, shown.splitlines())) < 160
    assert "\n\n\n" not in shown


def test_html_needs_nothing_and_shows_each_claim(full: Workspace) -> None:
    text = full.run("--format", "html").stdout
    assert "src=" not in text
    assert "http" not in text.replace("http-equiv", "")
    page = html.fromstring(text)
    assert [row.text_content() for row in page.xpath("//tbody/tr/th")] == ["C1", "C2", "C3", "GONE"]
    assert "must be fixed" in page.xpath("string(//h1)")


def test_spreadsheet_has_ids_as_text_money_and_dates(full: Workspace) -> None:
    import openpyxl

    target = full.folder / "list.xlsx"
    assert full.run("--format", "xlsx", "--output", str(target)).exit_code == 1
    first = target.read_bytes()
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Work list", "Answers"]
    rows = list(book["Work list"].iter_rows(values_only=True))
    assert rows[0][0].startswith("1 of 3 claims must be fixed")
    claim_row = next(row for row in rows if row[1] == "C1")
    assert claim_row[0] == HEAPS["fix"]
    assert (f"{claim_row[3]:%Y-%m-%d}", claim_row[5]) == ("2026-11-01", 100)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    full.run("--format", "xlsx", "--output", str(target))
    assert target.read_bytes() == first


def test_what_looks_like_a_formula_stays_text(here: Workspace) -> None:
    import openpyxl

    here.put("claims", file_837(set_837("0001", "B1", claim("=1+1", patient="=HYPERLINK(1)*X"))))
    here.put("answers", file_999(ak9="A*1*1*1"))
    target = here.folder / "list.xlsx"
    here.run("--format", "xlsx", "--output", str(target))
    cells = [cell for row in openpyxl.load_workbook(target)["Work list"].iter_rows() for cell in row]
    assert "=1+1" in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells if str(cell.value).startswith("=")} <= {"s"}


def test_a_spreadsheet_needs_a_place(full: Workspace) -> None:
    assert "needs --output" in full.run("--format", "xlsx").stderr


# Files


def test_without_claim_files_many_answers_are_told_one_by_one(here: Workspace) -> None:
    here.put("answers", file_277(set_277("B1", provider(said("C1", "A7:562:85")))), file_999(ak9="A*2*2*2"))
    done = here.run()
    assert done.exit_code == 1
    assert done.stdout.startswith("1 of 1 claim must be fixed.\n")
    assert all(f"\n{path}\n" in done.stdout for path in here.named["answers"])
    assert done.stdout.endswith("Something was rejected. Claims rejected: 1.\n")


def test_what_is_no_answer_names_its_command_and_the_others_go_on(here: Workspace) -> None:
    x12_277 = file_277("ST*277*0001*005010X212~BHT*0010*08~SE*3*0001~").replace("005010X214", "005010X212")
    x12_835 = file_277("ST*835*0001~SE*2*0001~").replace("*HN*", "*HP*").replace("005010X214", "005010X221A1")
    here.put("answers", TWO, x12_277, x12_835, "\x00\x01", "%PDF-1.7", file_999(ak9="A*2*2*2"))
    done = here.run()
    assert done.exit_code == 2
    reasons = done.stderr.splitlines()
    assert len(reasons) == 5
    assert "an 837 (claims), no acknowledgement; `edi-checker check` checks it" in reasons[0]
    assert "a 277 (claim status), no acknowledgement" in reasons[1]
    assert "an 835 (remittance advice), no acknowledgement" in reasons[2]
    assert "Group 17" in done.stdout


def test_in_a_folder_what_is_no_answer_is_passed_over(here: Workspace) -> None:
    (here.folder / "in").mkdir()
    for name, text in (
        ("a.999", file_999(ak9="A*2*2*2")),
        ("a.837", TWO),
        ("a.html", "<html>"),
        ("a.json", "{}\n"),
    ):
        (here.folder / "in" / name).write_text(text)
    here.named = {"answers": [str(here.folder / "in")], "claims": [str(here.folder / "in")]}
    done = here.run()
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("None of 3 claims must be fixed, 3 wait for the payer.")


def test_an_unreadable_claim_file_is_said_without_what_is_in_it(here: Workspace) -> None:
    here.put("claims", TWO, "SMITH JOHN")
    here.put("answers", file_999(ak9="A*2*2*2"))
    done = here.run()
    assert done.exit_code == 2
    assert "claims1.x12: " in done.stderr
    assert "SMITH" not in done.stderr
    assert here.json(2)["sources"][-1]["reason"]


def test_nothing_readable_leaves_2(here: Workspace) -> None:
    here.put("answers", "")
    done = here.run("--format", "json")
    assert (done.exit_code, done.stdout) == (2, "")


def test_no_file_is_written_over(full: Workspace) -> None:
    done = full.run("--output", full.named["claims"][0])
    assert done.exit_code == 2
    assert "would be written over" in done.stderr


# Ours, and those of others


@pytest.mark.parametrize("name", ["dependent-patients", "mixed"])
def test_every_claim_of_ours_is_in_the_heap_of_its_outcome(tmp_path: Path, name: str) -> None:
    source = CLEAN / f"{name}.837"
    if not source.exists():
        source = tmp_path / "mixed.837"
        source.write_text("".join(generate(40)).replace("*HC:97530:GP*", "*HC:97530*", 9))
    out = tmp_path / "out"
    run = CliRunner().invoke
    run(commands, ["check", str(source), "--acks", "--out-dir", str(out), "--received", "2026-09-30"])
    report = json.loads(next(out.glob("*.json")).read_text())["files"][0]
    done = run(commands, ["explain-ack", str(out), "--claims", str(source), "--format", "json"])
    made = json.loads(done.stdout)
    expected = {"accepted": "leave", "rejected": "fix"}
    assert [one["claim"] for one in made["claims"] if not one["claim_file"]] == []
    assert heaps(made) == {one["claim"]: expected[one["outcome"]] for one in report["claims"]}
    assert made["in_claim_files"]["charges"]["total"] == report["charges"]["total"]
    assert made["in_claim_files"]["charges"]["fix"] == report["charges"]["rejected"]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not there")
@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_published_answers_and_claims_together(form: str) -> None:
    folders = [str(CORPUS / kind) for kind in ("277ca", "999", "ta1")]
    claims = ["--claims", str(CORPUS / "837p")]
    done = CliRunner().invoke(commands, ["explain-ack", *folders, *claims, "--format", form])
    assert done.exit_code in (1, 2)
    assert "internal error" not in done.stderr
    assert done.stdout


# Any input

PIECES = [
    r"ST*837*1",
    r"BHT*1*1*B1",
    r"HL*1**20",
    r"HL*1**22",
    r"HL*1**23",
    r"NM1*85*2*X*****XX*1",
    r"NM1*IL*1*A*B",
    r"CLM*C1*1",
    r"CLM*C1*x",
    r"CLM",
    r"DTP*472*D8*20261101",
    r"DTP*472*RD8*2",
    r"SE",
    r"GS*HC*A*B*1*1*17",
    r"GS",
    r"ISA",
    r"IEA*1*1",
    r"ST*277*1",
    r"TRN*2*C1",
    r"TRN*2*B1",
    r"STC*A7:562:85",
    r"STC*A2:20**WQ*1",
    r"QTY*90*1",
    r"HL*1**21",
    r"HL*1**19",
    r"HL*1**PT",
    r"NM1*QC*1*\x1b",
    r"SVC*HC:1",
    r"ST*999*1",
    r"AK1*HC*17",
    r"AK2*837*1",
    r"IK5*R",
    r"IK3*CLM*2*2300*8",
    r"CTX*CLM01:C1",
    r"IK4*2*782*1",
    r"AK9*R*1*1*0",
    r"AK9*P*1*1",
    r"TA1*7*1*1*R*025",
]
ANY = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("~".join)


@settings(max_examples=40, deadline=None)
@given(ANY, ANY)
def test_any_answers_and_claims_can_be_joined(answer: str, sent: str) -> None:
    from edi_checker.acks.answered import WorkList
    from edi_checker.acks.explain import explain
    from edi_checker.acks.sent import read_sent
    from edi_checker.guide.table import load
    from edi_checker.reports.answered_json import write_json
    from edi_checker.reports.answered_text import write_text
    from edi_checker.reports.html.answered_page import write_page
    from edi_checker.x12.blocks import NotX12

    def stream(text: str, *who: str) -> io.BytesIO:
        return io.BytesIO((isa(*who, 7) + text).encode("utf-8", "replace"))

    with WorkList() as work:
        try:
            work.take_claims("c", read_sent(stream(sent, "ALDER", "BROOK")))
            work.take_answers("a", explain(stream(answer, "BROOK", "ALDER"), load()))
        except NotX12:
            pass
        work.join()
        out = io.StringIO()
        write_json(work, out, "1")
        made = json.loads(out.getvalue())
        write_page(work, io.StringIO(), "1")
        write_text(work, io.StringIO(), width=80, colour=False)
    known = made["in_claim_files"]["claims"]
    assert (
        known["total"]
        == sum(known[heap] for heap in HEAPS)
        == sum(one["claim_file"] is not None for one in made["claims"])
    )


# The ledger of a drop folder


def test_the_ledger_finds_the_claim_files_that_are_answered(tmp_path: Path, office) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    day = datetime(2026, 11, 21)  # noqa: DTZ001  # of a folder's name
    kept = Places(tmp_path / "in", tmp_path / "out", folder).archived("accepted", day, "acme")
    make_folder(kept)
    others = file_837(set_837("0001", "B9", claim("C9")), isa13=9, gs06="9")
    with open_ledger(str(tmp_path / "ledger.db"), office) as ledger:
        for number, text in ((7, TWO), (9, others)):
            name = f"day{number}.837"
            mine = ledger.begin("acme", name, len(text), 0, "edi1:1:a", 60)
            (kept / archive_name(mine.id, name)).write_text(text)
            key = InterchangeKey("ZZ", "ALDER", "ZZ", "BROOK", f"{number:09d}")
            group = Group("ALDER", "BROOK", "17" if number == 7 else "9", 2, 2, "A")
            answered = say(number, name, outputs=(), sha256=digest(text.encode()))
            said_of = replace(answered, interchanges=(Interchange(key, "A", (group,)),))
            ledger.finish(ledger.answer(mine, said_of))
    here = Workspace(tmp_path)
    where = ["--state", str(tmp_path / "ledger.db"), "--archive", str(folder)]
    by_set = file_999("AK2*837*0001~IK5*R*5~", ak9="P*2*2*1")
    by_claim = file_277(set_277("B1", provider(said("C1", "A3:116"))))
    for answer in (by_set, by_claim):
        here.named["answers"].clear()
        here.put("answers", answer)
        done = here.run("--format", "json", *where)
        assert (done.exit_code, done.stderr) == (1, "")
        made = json.loads(done.stdout)
        assert heaps(made)["C1"] == "fix"
        assert set(heaps(made)) == {"C1", "C2", "C3"}  # no claim of the other file
    next(kept.iterdir()).unlink()
    gone = here.run(*where)
    assert gone.exit_code == 2
    assert "is not in the archive" in gone.stderr


def test_the_ledger_needs_its_archive(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["explain-ack", "a.999", "--state", str(tmp_path / "ledger.db")])
    assert done.exit_code == 2
    assert "--state and --archive go together" in done.stderr


# The page


def test_the_samples_of_the_page_are_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    shutil.copy(CLEAN.parent / "faulty" / "balance.claim-charge.too-high.837", tmp_path / "monday.837")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    run(commands, ["check", "monday.837", "--acks", "--out-dir", "answers", "--received", "2026-09-15"])
    page = ROOT / "docs" / "answers.md"

    def do(block: re.Match[str]) -> str:
        lines = []
        for line in block[1].splitlines():
            if line.startswith("$ "):
                lines += [line, *run(commands, shlex.split(line)[2:]).output.splitlines()]
        return "".join(f"{line}\n" for line in lines)

    shown = re.sub(r"(?<=```console\n)(.*?)(?=```)", do, page.read_text(), flags=re.DOTALL)
    if request.config.getoption("--update-golden"):
        page.write_text(shown)
    assert shown == page.read_text()
