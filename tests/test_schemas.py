"""The JSON Schemas: real outputs are held to them, and a field that changes is noticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from edi_checker.reports.schemas import NAMES, schema_of
from generate_claims import generate
from paths import ROOT

SAMPLES = sorted((ROOT / "samples").rglob("*.837"))
DAY = "2026-11-21"


def run(*words: object) -> str:
    done = CliRunner().invoke(commands, [str(word) for word in words])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def hold(name: str, documents: list[Any]) -> None:
    """Each document fits its schema, and does no longer with a field added, lost or of another kind."""
    assert documents
    known = validator(name)
    for document in documents:
        known.validate(document)
    for changed in changes(documents[0]):
        assert not known.is_valid(changed)


def changes(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**document, "new": 1}
    for key in document:
        yield {name: value for name, value in document.items() if name != key}
        other = copy.deepcopy(document)
        other[key] = object
        yield other


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_reports_and_their_lines_fit(tmp_path):
    many = tmp_path / "many.837"
    many.write_text("".join(generate(40, invalid=0.5)))
    few = [many, *SAMPLES[::15]]
    hold("report", [json.loads(run("check", "--received", DAY, "--format", "json", *few))])
    found = lines(run("check", "--received", DAY, "--format", "ndjson", "--max-findings", 1, *few))
    assert any("unlisted" in each for each in found)
    hold("finding", found)


@pytest.mark.long
def test_reports_and_lines_of_all_samples_fit():
    hold("report", [json.loads(run("check", "--received", DAY, "--format", "json", *SAMPLES))])
    hold("finding", lines(run("check", "--received", DAY, "--format", "ndjson", *SAMPLES)))


@pytest.mark.long
def test_a_summary_fits(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no claims")
    run("batch", *SAMPLES, tmp_path / "in", "--out-dir", tmp_path / "out", "--received", DAY, "--workers", 2)
    made = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert len(made["inputs"]) == len(SAMPLES)
    assert made["skipped"]
    hold("batch-summary", [made])


def test_looked_up_codes_fit():
    codes = ("97530", "99999", "GP", "M62.81", "11", "225100000X", "J1885", "A6:252", "ZZZ")
    said = [
        run("tables", "lookup", code, "--format", "json") for code in codes if code.isalnum() or "." in code
    ]
    hold("code", [json.loads(each) for each in said])


def test_pairs_fit():
    said = [
        run("tables", "lookup", *pair, "--on", "2024-07-02", "--format", "json")
        for pair in (("97530", "97140"), ("97530", "97750"), ("97530", "97530"))
    ]
    assert any(json.loads(each)["edit"] for each in said)
    hold("pair", [json.loads(each) for each in said])


def test_units_fit():
    given = (["97530=25", "97140=20"], ["97161=30"], ["97530=7", "97110=7"], ["97129=20", "97130=14"])
    made = [json.loads(run("units", *words, "--format", "json")) for words in given]
    hold("units", made)
    assert made[0]["methods"]["cms"] == {"units": 3, "bill": [{"97530": 2, "97140": 1}]}
    assert made[1]["not_timed"] == ["97161"]


def test_status_fits():
    hold("status", [json.loads((ROOT / "tests/golden/status.json").read_text())])


@pytest.mark.long
def test_the_ledger_fits(tmp_path):
    pytest.importorskip("sqlalchemy")
    (tmp_path / "in" / "acme").mkdir(parents=True)
    for sample in SAMPLES[:3]:
        (tmp_path / "in" / "acme" / sample.name).write_bytes(sample.read_bytes())
    (tmp_path / "in" / "again.837").write_bytes(SAMPLES[0].read_bytes())
    state = ("--state", tmp_path / "ledger.db")
    run(
        *("watch", tmp_path / "in", "--out-dir", tmp_path / "out", "--archive", tmp_path / "archive"),
        *(*state, "--once", "--settle", "0s", "--workers", 1),
    )
    listed = json.loads(run("ledger", "list", *state, "--json"))
    assert len(listed["files"]) == 4
    hold("ledger-list", [listed, json.loads(run("ledger", "list", *state, "--json", "--hide-names"))])
    hold("status", [json.loads(run("status", *state, "--json"))])


def test_every_schema_has_a_name_and_a_number():
    for name in NAMES:
        schema = schema_of(name)
        assert schema["$id"] == f"edi-checker/{name}/1"
        assert schema["title"]
        assert json.loads(run("schema", name)) == schema
    assert [line.split()[0] for line in run("schema").splitlines()] == list(NAMES)
    done = CliRunner().invoke(commands, ["schema", "reprot"])
    assert (done.exit_code, "Did you mean report?" in done.output) == (2, True)
    with pytest.raises(KeyError):
        schema_of("shared")


def test_the_page_of_reports_names_each():
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    for name, does in NAMES.items():
        assert f"| `{name}` | {does} |" in page
