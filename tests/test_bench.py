"""The bench: its files are what they should be, and its page says what was measured. Nothing is timed."""

import json
import re
import sys
from dataclasses import asdict, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from xml.etree.ElementTree import fromstring

import pytest

import chart
import claims
import edi_checker
import figures
import kills
import measures
import page
import run
import second_maker
import stages
from claims import SHAPES, size_of, write_claims
from edi_checker.claims.claim import Claim
from edi_checker.rules import load as load_rules
from figures import Figures, Measured, Run
from measures import BESIDE, OURS, ROOT, WITHOUT_PAGE, Sizes, Wrong
from peers import PEERS
from pyx12_oracle import ask
from second_claims import Transaction
from second_desk import House, take_case, write_bill
from second_faults import ERRORS, GUIDE_FAULTS, WARNINGS, must_be_rejected
from second_maker import make as make_second

FAULTY = ("faulty-5", "faulty-20", "second-noisy", "second-found")
CLEAN = [shape for shape in SHAPES if shape not in FAULTY]
CLAIMS = 25


@pytest.fixture(scope="module")
def checker():
    return edi_checker.make_checker(received=date.fromisoformat(measures.RECEIVED))


def check(checker, file):
    """What is said of each part of a file."""
    with file.open("rb") as stream:
        checker.engine.begin()
        return list(checker.check(stream))


def outcomes_of(checked):
    return [one.outcome for one in checked if isinstance(one.part, Claim)]


def graver_than_info(checked):
    return [(each.rule, each.severity) for one in checked for each in one.findings if each.severity != "info"]


@pytest.mark.parametrize("shape", CLEAN)
def test_a_clean_shape_is_accepted_whole(checker, tmp_path, shape):
    path = tmp_path / "made.837"
    assert write_claims(shape, CLAIMS, path) == 0
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    checked = [one for file in files for one in check(checker, file)]
    assert outcomes_of(checked) == ["accepted"] * CLAIMS
    assert graver_than_info(checked) == []
    assert all(not ask(file.read_text()) for file in files)


@pytest.mark.parametrize("shape", FAULTY)
def test_a_faulty_shape_loses_as_many_claims_as_it_says(checker, tmp_path, shape):
    rejected = write_claims(shape, 150, tmp_path / "made.837")
    outcomes = outcomes_of(check(checker, tmp_path / "made.837"))
    assert len(outcomes) == 150
    assert outcomes.count("rejected") == rejected
    assert 0 < rejected < 60


def test_the_second_maker_shares_nothing_with_the_first():
    own = [file.read_text() for file in (ROOT / "bench").glob("second_*.py")]
    assert len(own) > 3
    assert not any(
        re.search(r"generate_claims|\bclaims import|import claims|edi_checker", text) for text in own
    )


def second(shape, count_of_claims, **how):
    return "".join(piece.text for piece in make_second(shape, count_of_claims, **how))


def test_the_second_maker_makes_the_same_again_and_other_claims_by_another_seed():
    for shape in second_maker.SHAPES:
        assert second(shape, 40) == second(shape, 40)
    names = [set(re.findall(r"\nNM1\*IL.*", second("clean", 40, seed=seed))) for seed in (0, 1)]
    assert len(names[0]) > 30
    assert not names[0] & names[1]


def test_claims_of_the_second_maker_stand_in_sets_as_large_as_asked_for():
    text = second("clean", 25, per_transaction=10)
    sets = [part.count("\nCLM*") for part in text.split("\nST*")[1:]]
    assert sets == [10, 10, 5]
    assert len(set(re.findall(r"\nCLM\*([^*]*)", text))) == 25


def test_the_second_maker_makes_as_much_other_work_as_asked_for():
    therapy = re.compile(r":(?:GP|GO|GN)\b")
    for part in (0.0, 1.0):
        claims_of = second("clean", 60, ordinary=part).split("\nCLM*")[1:]
        assert {bool(therapy.search(claim)) for claim in claims_of} == {part == 0.0}


def test_patients_who_return_come_later():
    patients = {}
    for level in re.split(r"\nHL\*\d+\*\d+\*22\*", second("returning", 1000))[1:]:
        address = re.search(r"\nN3\*.*", level)[0]
        patients.setdefault(address, []).append(re.findall(r"\nDTP\*472\*\w+\*(\d{8})", level))
    assert len(patients) == 300
    for claims_of in patients.values():
        assert len(claims_of) in (3, 4)
        assert all(max(one) < min(two) for one, two in pairwise(claims_of))


def with_fault(kind):
    """A file of one claim of the second maker into which this was put."""
    house = House(0)
    for number in range(5000):
        chance = Random(number)
        case = take_case(chance, house, 0, number % 12, 0.2)
        bill = write_bill(chance, house, case, date(2026, 3, 2), "1")
        fault = GUIDE_FAULTS.get(kind)
        if fault or ({**WARNINGS, **ERRORS})[kind].put(bill, chance):
            break
    segments = bill.segments()
    if fault:
        fault.put(segments, chance)
    one = Transaction(1)
    body = [one.head(), one.site(bill.site, house.site_npis[case.site])]
    body += [one.claim(bill, segments, again=False), one.tail()]
    whole = second("clean", 1)
    return whole[: whole.index("ST*")] + "".join(body) + whole[whole.index("GE*") :]


@pytest.mark.parametrize("kind", [*WARNINGS, *ERRORS, *GUIDE_FAULTS])
def test_what_the_second_maker_puts_in_is_answered(checker, tmp_path, kind):
    text = with_fault(kind)
    (tmp_path / "made.837").write_text(text)
    checked = check(checker, tmp_path / "made.837")
    fault = {**WARNINGS, **ERRORS, **GUIDE_FAULTS}[kind]
    severity = "warning" if kind in WARNINGS else "error"
    assert (fault.rule, severity) in graver_than_info(checked)
    assert outcomes_of(checked) == ["accepted" if kind in WARNINGS else "rejected"]
    assert must_be_rejected(kind) == (kind not in WARNINGS)
    assert bool(ask(text)) == (kind in GUIDE_FAULTS)


def test_a_noisy_file_has_as_many_warnings_and_errors_as_it_should():
    put_in = [piece.put_in for piece in make_second("noisy", 3000) if piece.claim]
    assert len(put_in) == 3000
    assert sum(kind in WARNINGS for kind in put_in) == pytest.approx(600, rel=0.1)
    assert sum(must_be_rejected(kind) for kind in put_in) == pytest.approx(150, rel=0.2)
    assert sum(kind in GUIDE_FAULTS for kind in put_in) == pytest.approx(50, rel=0.4)
    assert len({kind for kind in put_in if kind in WARNINGS}) > 12
    assert len({kind for kind in put_in if kind in ERRORS}) > 12


def test_a_found_file_has_something_of_content_in_every_claim(checker, tmp_path):
    pieces = list(make_second("found", 300))
    put_in = [piece.put_in for piece in pieces if piece.claim]
    assert sum(kind in {**WARNINGS, **ERRORS} for kind in put_in) > 290
    assert sum(map(must_be_rejected, put_in)) == pytest.approx(60, rel=0.4)
    (tmp_path / "made.837").write_text("".join(piece.text for piece in pieces))
    checked = check(checker, tmp_path / "made.837")
    answered = {rule for rule, _ in graver_than_info(checked)}
    assert answered >= {{**WARNINGS, **ERRORS}[kind].rule for kind in put_in if kind}
    assert outcomes_of(checked).count("rejected") == sum(map(must_be_rejected, put_in))


def test_what_tells_the_shapes_apart(tmp_path):
    for shape in ("clean", "one-set", "fifty-lines", "small-files"):
        write_claims(shape, 1100, tmp_path / shape)
    assert (tmp_path / "clean").read_text().count("\nST*") == 2
    assert (tmp_path / "one-set").read_text().count("\nST*") == 1
    assert len(list((tmp_path / "small-files").iterdir())) == 110
    parts = (tmp_path / "fifty-lines").read_text().split("\nCLM*")[1:]
    lines = [part.count("\nLX*") for part in parts if "\nSVD*" not in part]
    assert len(lines) > 900
    assert set(lines) == {claims.LINES}


@pytest.mark.parametrize("shape", claims.SMALL_FILES)
def test_small_files_are_different_interchanges(tmp_path, shape):
    write_claims(shape, 30, tmp_path / "many")
    texts = [file.read_text() for file in (tmp_path / "many").iterdir()]
    assert len({re.search(r"IEA\*1\*(\d+)", text)[1] for text in texts}) == 3
    assert len({name for text in texts for name in re.findall(r"\nCLM\*([^*]*)", text)}) == 30
    assert size_of(tmp_path / "many") == sum(len(text) for text in texts)


def test_a_wrong_verdict_ends_the_bench(tmp_path):
    def report(accepted, rejected):
        text = f'{{"files": [{{"counts": {{"claims_accepted": {accepted}, "claims_rejected": {rejected}}}'
        (tmp_path / "made.json").write_text(text)

    file = tmp_path / "made.837"
    file.write_text("")

    def must_be(rejected):
        file.with_suffix(".rejected").write_text(f"{rejected}\n")

    for rejected in (0, 1):
        must_be(rejected)
        report(10 - rejected, rejected)
        measures.judge(tmp_path, file, 10)
    for right, accepted, rejected in ((0, 9, 1), (0, 9, 0), (1, 10, 0), (2, 9, 1)):
        must_be(right)
        report(accepted, rejected)
        with pytest.raises(Wrong, match=f"{accepted} accepted, {rejected} rejected, not {right}"):
            measures.judge(tmp_path, file, 10)


def test_a_file_that_is_made_says_how_many_claims_must_be_rejected(tmp_path):
    file = measures.make(tmp_path, "second-noisy", 60)
    assert int(file.with_suffix(".rejected").read_text()) == write_claims(
        "second-noisy", 60, tmp_path / "again"
    )
    assert file.read_text() == (tmp_path / "again").read_text()


def test_a_command_that_fails_ends_the_bench(tmp_path):
    failing = measures.Job(measures.check(tmp_path, tmp_path / "none.837"), 1, 0)
    with pytest.raises(Wrong, match="exit 2"):
        measures.run(failing)
    crashing = measures.Job([sys.executable, "-c", "raise SystemError"], 1, 0)
    with pytest.raises(Wrong, match="SystemError"):
        measures.run(crashing)


@pytest.mark.parametrize("step", measures.STEPS)
def test_each_step_runs(tmp_path, step):
    write_claims("clean", 3, tmp_path / "made.837")
    command = [sys.executable, "-c", measures.STEPS[step], str(tmp_path / "made.837")]
    assert measures.run(measures.Job(command, 3, 0)).cpu > 0  # raises where the step fails


def test_copied_rules_are_as_many_rules_more(tmp_path):
    measures.copy_rules(tmp_path, 2)
    own = len(load_rules(()).rules)
    assert own > 100
    assert len(load_rules((tmp_path,)).rules) == 3 * own


def test_every_stage_names_files_that_are_there():
    for beginning, stage in stages.STAGES:
        assert list((ROOT / "edi_checker").glob(f"{beginning}*")), (beginning, stage)


def test_stages_of_a_check_are_the_whole_of_it(tmp_path):
    sizes = Sizes(claims=40, peer_claims=1, ladder=(), rounds=1, workers=())
    parts = measures.stages(tmp_path, sizes, "sample")
    assert sum(parts.values()) == pytest.approx(1)
    assert stages.START in parts
    assert any("answers" in stage or "guide" in stage for stage in parts)


def measured(section, name, count_of_claims, cpu, **more):
    runs = tuple(Run(cpu * drift, 2 * cpu * drift, 60.0) for drift in (1.0, 1.5))
    return Measured(section, name, count_of_claims, 800 * count_of_claims, runs, **more)


def some_figures():
    """Ours takes 1 ms a claim and 0.4 s to start; pyx12 takes 50 ms and 0.2 s."""
    found = Figures(machine="2 cores of some make")
    rows = []
    for shape in BESIDE:
        for count, theirs in ((1_000, 10), (10_000, 100)):
            ours = 0.4 + count / 1000
            rows += [measured("pyx12", f"{way} {shape}", count, ours) for way in (OURS, WITHOUT_PAGE)]
            rows.append(measured("pyx12", f"pyx12 {shape}", theirs, 0.2 + theirs / 20))
    found.put("pyx12", "2026-01-01", rows)
    found.put(
        "size",
        "2026-01-02",
        [measured("size", "clean", number, 0.4 + number / 1000) for number in (1, 10_000, 1_000_000)],
    )
    workers = [measured("workers", "clean", 1000, 8.0 / number, count=number) for number in (1, 2)]
    found.put("workers", "2026-01-03", workers)
    files = []
    for shape in (*claims.SMALL_FILES, *claims.SMALL_FILES.values()):
        for count in (100, 1_000):
            taken = count / (1_000 if shape.endswith("clean") else 625)
            files.append(measured("files", shape, count, 0.4 + taken, count=count // 10))
    found.put("files", "2026-01-04", files)
    found.put("start", "2026-01-04", [measured("start", "`check` of one claim", 1, 0.1)])
    peers = [measured("peers", "pyx12", 101, 5.2), measured("peers", "pyx12", 1, 0.2)]
    peers += [measured("peers", PEERS[0].name, 101, 1.1), measured("peers", PEERS[0].name, 1, 0.1)]
    found.put("peers", "2026-01-05", peers)
    found.skipped = {PEERS[1].name: "does not install"}
    return found


def test_a_ratio_leaves_out_what_starting_takes():
    found = some_figures()
    many, few = found.pair("pyx12", f"{OURS} clean")
    assert (many.claims, few.claims) == (10_000, 1_000)
    once = [replace(each, runs=each.runs[:1]) for each in (many, few)]
    assert figures.rates(*once) == [pytest.approx(1000)]
    assert found.pair("start", "`check` of one claim") is None
    ratio = page.times_pyx12(found, "clean")
    assert ratio.least <= ratio.middle <= ratio.most
    assert ratio.middle == pytest.approx(50, rel=0.05)


def test_a_fault_is_weighed_by_what_it_adds():
    found = some_figures()
    name = f"{WITHOUT_PAGE} faulty-20"
    rows = [row for row in found.of("pyx12") if row.name != name]
    slower = [measured("pyx12", name, count, 0.4 + count / 500) for count in (1_000, 10_000)]
    found.put("pyx12", "2026-01-01", [*rows, *slower])
    assert "A faulty claim takes the time of 6 clean ones." in page.tell_pyx12(found)


def test_the_page_says_what_was_measured():
    text = page.write_page(some_figures(), "## By hand\n\nA word.\n")
    goals = text.partition("## Goals")[2].partition("\n## ")[0]
    assert re.search(r"\| 100 times pyx12's.*\| 50 times at 10,000 claims.*\| not met \|", goals)
    assert re.search(r"\| 10 claims a file at most twice .* \| 1\.6\d times \| met \|", goals)
    assert re.search(r"\| two workers.*\| 2\.00 times \| met \|", goals)
    assert re.search(r"at 1,000,000 claims of the first maker \| 60 MB \| met \|", goals)
    assert re.search(r"\| 1\.0\d times, 1,000,000 by 10,000 \| met \|", goals)
    assert re.search(r"at 100,000 claims of the first maker \| not measured \|  \|", goals)
    assert "does not install" in text
    assert "## Start" in text
    assert "## Number of rules" not in text  # never measured
    assert text.endswith("A word.\n")


def test_what_kills_wrote_is_taken_in(tmp_path):
    runs = {
        name: asdict(kills.Outcome(4.0, kills.Seen(number, 40.0, 90.0, 120.0 + number)))
        for name, number in (("quiet", 0), ("killed", 7))
    }
    row = {"claims": 20_000, "shape": "one", "different": [], **runs}
    for name in ("quiet", "killed"):
        row[name]["claims_per_second"] = 5000
    (tmp_path / "kills.json").write_text(json.dumps({"runs": [row, {**row, "different": ["made.json"]}]}))
    found = some_figures()
    run.take_kills(found, tmp_path / "kills.json")
    told = page.tell_kills(found)
    assert "| 20,000 | in one transaction set | 5,000 | 5,000 | 7 | 127 | the same |" in told
    assert "| differs |" in told
    figures.save(found, tmp_path / "kept.json")
    assert page.tell_kills(figures.load(tmp_path / "kept.json")) == told


def test_growth_from_another_size_is_no_goal_met():
    found = some_figures()
    rows = [row for row in found.of("size") if row.claims != 10_000]
    found.put("size", "2026-01-02", [*rows, measured("size", "clean", 1_000, 1.4)])
    assert re.search(r"times, 1,000,000 by 1,000 \|  \|", page.tell_goals(found))


def test_every_row_of_the_page_has_a_cell_for_each_head():
    text = page.write_page(some_figures(), "")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({row.count("|") for row in table.splitlines()}) == 1, table


def test_nothing_measured_is_a_page_too():
    text = page.write_page(Figures(), "")
    assert "not measured" in text
    assert fromstring(chart.draw(Figures())).tag.endswith("svg")


def test_only_the_paragraph_of_the_readme_is_made_new():
    readme = f"before\n{page.README_BEGINS}\nold\n{page.README_ENDS}\nafter\n"
    text = page.write_readme(readme, some_figures())
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    flat = text.replace("\n", " ")
    assert "of a generator that shares nothing with our tests, 50 times as many as pyx12's" in flat
    assert "On the claims of our tests it is 50 times" in flat
    assert page.write_readme(text, some_figures()) == text
    with pytest.raises(ValueError, match="marks"):
        page.write_readme("nothing", some_figures())


def test_bars_are_as_long_as_programs_are_fast():
    picture = fromstring(chart.draw(some_figures()))
    lengths = [float(bar.get("width")) for bar in picture.iter("{http://www.w3.org/2000/svg}rect")]
    two_workers, one, *_, pyx12 = lengths
    assert two_workers / one == pytest.approx(2, rel=0.01)
    assert one / pyx12 == pytest.approx(50, rel=0.1)


def test_figures_come_back_as_they_were_kept(tmp_path):
    found = some_figures()
    figures.save(found, tmp_path / "kept.json")
    again = figures.load(tmp_path / "kept.json")
    assert page.write_page(again, "") == page.write_page(found, "")
    assert figures.load(tmp_path / "none.json") == Figures()


def test_figures_of_one_size_beside_pyx12_are_left_out(tmp_path):
    found = some_figures()
    single = [row for row in found.of("pyx12") if row.claims in (10, 10_000)]
    found.put("pyx12", "2026-01-01", single)
    figures.save(found, tmp_path / "kept.json")
    again = figures.load(tmp_path / "kept.json")
    assert again.of("pyx12") == []
    assert "pyx12" not in again.days
    assert len(again.of("size")) == len(found.of("size"))
    assert "| not measured |" in page.write_page(again, "")


def test_a_section_measured_again_takes_the_place_of_the_old_one():
    found = some_figures()
    found.put("start", "2026-02-01", [measured("start", "`--help`", 0, 0.05)])
    assert [row.name for row in found.of("start")] == ["`--help`"]
    assert len(found.of("size")) == 3


def test_what_is_kept_and_what_is_written_agree():
    """`python bench/run.py --page` writes all three anew."""
    kept = figures.load(ROOT / "bench" / "figures.json")
    docs, readme = ROOT / "docs", (ROOT / "README.md").read_text()
    account = page.read_account(ROOT / "bench" / "account.md")
    assert (docs / "performance.md").read_text() == page.write_page(kept, account)
    assert (docs / "performance.svg").read_text() == chart.draw(kept)
    assert page.write_readme(readme, kept) == readme
    assert Path(ROOT / "bench" / "account.md").exists()
