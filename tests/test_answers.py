"""The whole path to the answers: goldens of every faulty sample, and all outputs of an input saying the same.

After a change of what is answered: pytest tests/test_answers.py --update-golden, and read the difference.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyx12.x12file import X12Reader

from ack_grammar import complaints, parse, split
from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.facts import Setting
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load
from edi_checker.reference.tables import built_in
from edi_checker.run.one_input import Files, Watcher, check_input
from generate_claims import generate

SAMPLES = Path(__file__).parent.parent / "samples" / "837p"
FAULTY = sorted((SAMPLES / "faulty").glob("*.837"))
ANSWERS = ("ta1", "999", "277ca")

Report = dict[str, Any]


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(
        guide=load(),
        engine=Engine(BOOK),
        setting=Setting(received=20261121, tables=built_in()),
    )


class Outputs:
    """All that is written for one input."""

    def __init__(self, checker: Checker, path: Path, folder: Path) -> None:
        files = Files(OutputFolder(folder), True, "1.0", split=True)
        (source,) = find_inputs((path,))
        name = path.stem
        watcher = Watcher(lambda _: None, lambda: None, _fail)
        self.result = check_input(checker, source, name, report=None, files=files, watcher=watcher)
        assert self.result.troubles == ()
        self.report: Report = json.loads((folder / f"{name}.json").read_text())["files"][0]
        self.page = (folder / f"{name}.html").read_text()
        answers = {kind: folder / f"{name}.{kind}" for kind in ANSWERS}
        self.answers = {kind: file.read_text() for kind, file in answers.items() if file.exists()}
        sides = {side: folder / f"{name}.{side}.837" for side in ("clean", "rejected")}
        self.sides = {side: file.read_text() for side, file in sides.items() if file.exists()}
        for text in self.answers.values():
            assert complaints(text) == []
            for piece in split(text):
                assert read_back(piece) == []

    def rows(self, kind: str, *names: str) -> list[str]:
        """The segments of an answer with these ids."""
        text = self.answers.get(kind, "").replace("\n", "")
        return [row for row in text.split("~")[:-1] if not names or row.split("*")[0] in names]


def _fail(error: Exception) -> None:
    raise error


def read_back(text: str) -> list[Any]:
    """What an independent reader complains of: syntax, counts and control numbers."""
    reader = X12Reader(io.StringIO(text))
    errors = [error for _ in reader for error in reader.pop_errors()]
    reader.cleanup()
    return [*errors, *reader.pop_errors()]


@pytest.fixture(scope="module")
def faulty(checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outputs]:
    folder = tmp_path_factory.mktemp("answers")
    return {path.stem: Outputs(checker, path, folder) for path in FAULTY}


# Goldens


def shown(outputs: Outputs) -> str:
    """The answers, a segment a line, and what the JSON report says of outcome, places and statuses."""
    text = "".join(f"== {kind}\n{outputs.answers[kind]}" for kind in ANSWERS if kind in outputs.answers)
    report = outputs.report
    kept = {name: report[name] for name in ("outcome", "counts", "charges", "claims")}
    text += f"== json\n{json.dumps(kept, indent=1)}\n"
    for finding in report["findings"]:
        told = {name: finding[name] for name in ("rule", "severity", "where", "related", "status")}
        text += f"{json.dumps(told)}\n"
    return text


@pytest.mark.parametrize("name", [path.stem for path in FAULTY])
def test_faulty_samples_are_answered_as_agreed(
    name: str, faulty: dict[str, Outputs], golden: Callable[[str, str], None]
) -> None:
    golden(f"acks/{name}.txt", shown(faulty[name]))


def test_no_golden_is_left_over() -> None:
    kept = {file.stem for file in (Path(__file__).parent / "golden" / "acks").glob("*.txt")}
    assert kept == {path.stem for path in FAULTY}


# The outputs agree


def errors_of(report: Report) -> list[Report]:
    return [finding for finding in report["findings"] if finding["severity"] == "error"]


def statuses_in(row: str) -> tuple[str, ...]:
    at = [*row.split("*"), *[""] * 12]
    return tuple(code for code in (at[1], at[10], at[11]) if code)


_RECEIPT = re.compile(r"A1:19:..|A2:20")
_SEE_LINE = ("A3:247",)


def test_the_statuses_of_the_json_report_are_those_of_the_277ca(faulty: dict[str, Outputs]) -> None:
    """Each rejection has its finding, and each finding of what a 277CA lists is told there."""
    compared = 0
    for name, outputs in faulty.items():
        written = [statuses_in(row) for row in outputs.rows("277ca", "STC")]
        rejecting = {codes for codes in written if not _RECEIPT.fullmatch(codes[0])} - {_SEE_LINE}
        promised = {tuple(f["status"]["277CA"]) for f in errors_of(outputs.report) if "277CA" in f["status"]}
        if "277ca" in outputs.answers:
            assert rejecting == promised, name
            compared += bool(promised)
    assert compared > 60


def test_the_notes_of_the_json_report_are_those_of_999_and_ta1(faulty: dict[str, Outputs]) -> None:
    names = {"IK304": ("IK3", 4), "IK403": ("IK4", 3), "IK502": ("IK5", 2), "AK905": ("AK9", 5)}
    for name, outputs in faulty.items():
        for finding in errors_of(outputs.report):
            status = finding["status"]
            for code in status.get("999", ()):
                segment, at = names[code.partition("=")[0]]
                told = [row.split("*") for row in outputs.rows("999", segment)]
                assert any(code.partition("=")[2] in row[at : at + 5] for row in told), (name, code)
            if "TA1" in status:
                told_ta1 = outputs.rows("ta1", "TA1") + outputs.rows("999", "TA1")
                assert any(row.endswith(f"*{status['TA1']}") for row in told_ta1), name


def test_the_page_says_what_the_json_report_says(faulty: dict[str, Outputs]) -> None:
    for name, outputs in faulty.items():
        page = lxml.html.document_fromstring(outputs.page.encode())
        answered = [" ".join(dt.getnext().text_content().split())
                    for dt in page.xpath("//article//dt") if dt.text_content() == "Answered by"]  # fmt: skip
        for finding in errors_of(outputs.report):
            codes = finding["status"].get("277CA")
            assert not codes or any(f"277CA {' '.join(codes)}" in words for words in answered), name


# Ledgers


def ledger_of_277ca(outputs: Outputs) -> Counter[str]:
    found: Counter[str] = Counter()
    for piece in split(outputs.answers.get("277ca", "")):
        for _, node in parse(piece).sets:
            (receiver,) = node.inside("2000A", "2000B")
            for row in (*receiver.all("QTY"), *receiver.all("AMT")):
                found[row[1]] += Decimal(row[2]) * (100 if row[0] == "AMT" else 1)
    return found


def ledger_of_claims(text: str) -> tuple[int, int]:
    charges = re.findall(r"~\s*CLM\*[^*]*\*([^*]*)\*", text)
    return len(charges), sum(int(Decimal(charge) * 100) for charge in charges)


def figures_of(page: str) -> Iterator[tuple[str, int, int]]:
    root = lxml.html.document_fromstring(page.encode())
    for row in root.xpath("//dl[@class='figures']/div"):
        label, count, *amount = [cell.text_content().replace(",", "") for cell in row]
        if amount and amount[0].startswith("$"):
            yield label, int(count), int(Decimal(amount[0][1:]) * 100)


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 40),
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.2, 0.6, 1.0]),
    st.integers(1, 15),
    st.sampled_from(["claim", "transaction"]),
)
def test_claims_in_are_claims_accepted_and_rejected_in_every_output(
    checker: Checker,
    tmp_path: Path,
    claims: int,
    seed: int,
    invalid: float,
    per_transaction: int,
    isolation: Any,
) -> None:
    """To the cent, in 277CA and 999, JSON, split files and HTML alike."""
    from dataclasses import replace

    text = "".join(generate(claims, seed=seed, invalid=invalid, per_transaction=per_transaction))
    path = tmp_path / "batch.837"
    path.write_text(text)
    outputs = Outputs(replace(checker, isolation=isolation), path, tmp_path)
    count, cents = ledger_of_claims(text)
    assert count == claims

    # JSON
    report = outputs.report
    said = {side: (report["counts"][f"claims_{side}"], int(Decimal(report["charges"][side]) * 100))
            for side in ("accepted", "rejected")}  # fmt: skip
    assert said["accepted"][0] + said["rejected"][0] == count
    assert said["accepted"][1] + said["rejected"][1] == cents
    listed = Counter(claim["outcome"] for claim in report["claims"])
    assert (listed["accepted"], listed["rejected"]) == (said["accepted"][0], said["rejected"][0])

    # Split files
    for side, file in (("accepted", "clean"), ("rejected", "rejected")):
        assert ledger_of_claims(outputs.sides.get(file, "")) == said[side]

    # HTML
    figures = {label: (number, amount) for label, number, amount in figures_of(outputs.page)}
    assert figures == {"Claims": (count, cents), "Accepted": said["accepted"], "Rejected": said["rejected"]}

    # 277CA, and 999 for the sets that have none
    verdicts = zip(outputs.rows("999", "AK2"), outputs.rows("999", "IK5"), strict=True)
    refused = {ak2.split("*")[2] for ak2, ik5 in verdicts if ik5.startswith("IK5*R")}
    unlisted = [claim for claim in report["claims"] if claim["transaction"] in refused]
    assert all(claim["outcome"] == "rejected" for claim in unlisted)
    told = ledger_of_277ca(outputs)
    assert (told["90"], told["YU"]) == said["accepted"]
    charges = sum(int(Decimal(claim["charge"]) * 100) for claim in unlisted)
    assert (told["AA"] + len(unlisted), told["YY"] + charges) == said["rejected"]


# Envelopes, as a clearinghouse answers them


def envelope(number: str, *groups: str, ask: str = "0", version: str = "", iea: bool = True) -> str:
    text = (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'ALDER':15}*ZZ*{'BROOK':15}*261120*0930*^*00501*{number}*{ask}*T*:~\n"
    )
    text += "".join(groups)
    return text + (f"IEA*{len(groups)}*{number}~\n" if iea else "")


def group(number: int, *sets: str, version: str = "005010X222A1") -> str:
    return (
        f"GS*HC*ALDER*BROOK*20261120*0930*{number}*X*{version}~\n"
        + "".join(sets)
        + f"GE*{len(sets)}*{number}~\n"
    )


def claims_of(st02: str, seed: int, invalid: float = 0.0) -> str:
    """One set of two claims."""
    text = "".join(generate(2, seed=seed, invalid=invalid))
    body = text[text.index("ST*837") : text.index("GE*")]
    return body.replace("ST*837*0001", f"ST*837*{st02}").replace("*0001~\n", f"*{st02}~\n")


def answer(checker: Checker, folder: Path, text: str) -> Outputs:
    path = folder / "day.837"
    path.write_text(text)
    return Outputs(checker, path, folder)


def test_two_interchanges_of_three_groups_with_equal_set_numbers(checker: Checker, tmp_path: Path) -> None:
    """ST02 is unique within its group only. Each interchange gets its answer, each group its 999."""
    text = envelope("000000011", group(1, claims_of("0001", 1)), group(2, claims_of("0001", 2)), ask="1")
    text += envelope("000000012", group(1, claims_of("0001", 3)), ask="0")
    outputs = answer(checker, tmp_path, text)
    assert outputs.report["outcome"] == "accepted"
    assert outputs.rows("999", "ISA", "TA1", "AK1", "IK5", "AK9", "IEA")[1:] == [
        "TA1*000000011*261120*0930*A*000",
        *("AK1*HC*1*005010X222A1", "IK5*A", "AK9*A*1*1*1"),
        *("AK1*HC*2*005010X222A1", "IK5*A", "AK9*A*1*1*1"),
        outputs.rows("999", "IEA")[0],
        outputs.rows("999", "ISA")[1],
        *("AK1*HC*1*005010X222A1", "IK5*A", "AK9*A*1*1*1"),
        outputs.rows("999", "IEA")[1],
    ]
    assert [row.split("*")[1] for row in outputs.rows("999", "IEA")] == ["2", "1"]
    assert [row.split("*")[1] for row in outputs.rows("277ca", "IEA")] == ["2", "1"]
    assert len(outputs.rows("277ca", "ST")) == 3
    numbers = [row.split("*")[13] for kind in ("999", "277ca") for row in outputs.rows(kind, "ISA")]
    assert len(set(numbers)) == 4
    assert "ta1" not in outputs.answers


def test_equal_set_numbers_in_one_group_reject_the_second_set(checker: Checker, tmp_path: Path) -> None:
    sets = (claims_of("0007", 1), claims_of("0007", 2), claims_of("0008", 3))
    outputs = answer(checker, tmp_path, envelope("000000011", group(1, *sets)))
    assert outputs.rows("999", "IK5", "AK9") == ["IK5*A", "IK5*R*23", "IK5*A", "AK9*P*3*3*2"]
    assert [row.split("*")[2] for row in outputs.rows("277ca", "QTY") if "*90*" in row] == ["2", "2"]


def test_a_rejected_interchange_beside_a_good_one(checker: Checker, tmp_path: Path) -> None:
    """Even where no TA1 was asked for, and whatever its claims are worth."""
    bad = envelope("000000011", group(1, claims_of("0001", 1))).replace("IEA*1*000000011", "IEA*1*000000099")
    good = envelope("000000012", group(1, claims_of("0001", 2)))
    outputs = answer(checker, tmp_path, bad + good)
    assert outputs.rows("ta1", "TA1", "GS", "IEA")[0] == "TA1*000000011*261120*0930*R*001"
    assert len(outputs.rows("ta1", "ISA")) == len(outputs.rows("999", "ISA")) == 1
    assert outputs.rows("999", "IK5") == ["IK5*A"]
    assert outputs.report["counts"]["claims_accepted"] == outputs.report["counts"]["claims_rejected"] == 2
    assert ledger_of_claims(outputs.sides["clean"])[0] == 2


def test_an_unknown_version_rejects_its_group_and_no_other(checker: Checker, tmp_path: Path) -> None:
    groups = (group(1, claims_of("0001", 1), version="005010X223A2"), group(2, claims_of("0001", 2)))
    outputs = answer(checker, tmp_path, envelope("000000011", *groups))
    assert outputs.rows("999", "AK1", "AK2", "IK5", "AK9") == [
        *("AK1*HC*1*005010X223A2", "AK9*R*1*0*0*2"),
        *("AK1*HC*2*005010X222A1", "AK2*837*0001*005010X222A1", "IK5*A", "AK9*A*1*1*1"),
    ]
    assert len(outputs.rows("277ca", "ST")) == 1


def test_a_missing_iea_takes_back_everything(checker: Checker, tmp_path: Path) -> None:
    outputs = answer(checker, tmp_path, envelope("000000011", group(1, claims_of("0001", 1)), iea=False))
    assert outputs.rows("ta1", "TA1") == ["TA1*000000011*261120*0930*R*023"]
    assert set(outputs.answers) == {"ta1"}
    assert outputs.report["counts"]["claims_accepted"] == 0


def test_a_number_that_the_payer_would_give_is_never_invented(faulty: dict[str, Outputs]) -> None:
    assert not [row for outputs in faulty.values() for row in outputs.rows("277ca", "REF") if "*1K*" in row]
