"""The page over the files of a batch: one work list, whose rows lead to the page of each file."""

import io
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from edi_checker.reports.html.index_page import CheckedFile, write_index
from test_html import of_class, read, words

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
NAMES = (
    "faulty/ncci.mue.97530-x7.837",
    "faulty/guide.element-code.gender.837",
    "faulty/ncci.addon.0770T.837",
    "clean/pt-clinic.837",
)


def run_batch(*arguments, cwd):
    command = [sys.executable, "-m", "edi_checker", "batch", *map(str, arguments), "--no-progress"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("batch")
    (root / "in").mkdir()
    for number, name in enumerate(NAMES):
        # A name that a link must not take as it stands.
        shutil.copy(SAMPLES / name, root / "in" / f"{number} #50% & more.837")
    done = run_batch("in", "--out-dir", "out", "--html", cwd=root)
    assert done.returncode == 1, done.stderr
    return root / "out"


def index_of(folder):
    return read((folder / "index.html").read_text())


def test_the_first_sentence_counts_the_claims_of_all_files(folder):
    page = index_of(folder)
    assert words(page.find(".//h1")) == "\u27173 of 10 claims need work before you send"
    assert "4 files" in words(of_class(page, "source")[0])


def test_each_row_leads_to_its_card_on_the_page_of_its_file(folder):
    page = index_of(folder)
    rows = of_class(page, "work")[0].xpath(".//tbody/tr")
    assert [words(row[0]) for row in rows] == ["Fix", "Fix", "Check"]
    assert [words(row[1]) for row in rows][:2] == ["MALLOW, ADA", "ASPEN, IRIS"]
    for row in rows:
        (target,) = row.xpath(".//a/@href")
        name, _, anchor = target.partition("#")
        card = read((folder / unquote(name)).read_text()).get_element_by_id(anchor)
        assert card.get("class").startswith("card")


def test_every_file_has_its_verdict_and_its_page(folder):
    rows = index_of(folder).xpath("//section[h2='Files']//tbody/tr")
    verdicts = [words(row[1]) for row in rows]
    assert verdicts == [
        "1 of 2 claims need work",
        "2 of 3 claims need work",
        "Ready to send",
        "Ready to send",
    ]
    for row in rows:
        assert (folder / unquote(row.xpath(".//a/@href")[0])).exists()


def test_a_run_without_pages_takes_the_old_index_away(folder, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(folder, out)
    run_batch(folder.parent / "in", "--out-dir", out, cwd=tmp_path)
    assert not (out / "index.html").exists()


def test_an_input_named_index_keeps_its_page(tmp_path):
    shutil.copy(SAMPLES / NAMES[0], tmp_path / "index.837")
    run_batch("index.837", "--out-dir", "out", "--html", cwd=tmp_path)
    pages = sorted(page.name for page in (tmp_path / "out").glob("*.html"))
    assert len(pages) == 2
    assert "need work before you send" in (tmp_path / "out" / "index.html").read_text()


def test_a_page_that_is_gone_or_damaged_costs_its_rows_alone(tmp_path):
    (tmp_path / "b.html").write_bytes(b"\xff\xfe<section")
    files = [
        CheckedFile("a", "a.html", "rejected", None, 1, 1, 100),
        CheckedFile("b", "b.html", "rejected", None, 2, 2, 250),
        CheckedFile("<c>", None, "not_checked", "empty", 0, 0, 0),
    ]
    out = io.StringIO()
    write_index(out, files, tmp_path, ["Tables are old."], "2026-02-01")
    page = read(out.getvalue())
    assert words(page.find(".//h1")).endswith(
        "All 3 claims need work before you send; 1 of 3 files could not be checked"
    )
    assert not of_class(page, "work")
    assert [words(row[0]) for row in page.xpath("//section[h2='Files']//tbody/tr")] == ["a", "b", "<c>"]
