"""The clean and the rejected file: every claim once, counts and levels right, and checked again as before."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.split import Splitter
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Claim, GroupEnd, InterchangeEnd, Subscriber, TransactionEnd
from edi_checker.cli import commands
from edi_checker.facts import Setting
from edi_checker.guide.table import load
from edi_checker.reference.tables import built_in
from edi_checker.x12.blocks import NotX12, read_blocks
from generate_claims import FAULTS, generate
from paths import CORPUS

SAMPLES = Path(__file__).parent.parent / "samples" / "837p"
PUBLISHED = sorted((CORPUS / "837p").glob("*"))

CHECKER = Checker(
    guide=load(),
    engine=Engine(BOOK, "python"),
    setting=Setting(received=20261121, tables=built_in()),
)
BY_TRANSACTION = replace(CHECKER, isolation="transaction")
# What is put right in the files that are written, or leaves nothing to write.
MENDED = {
    "x12.count",
    "x12.control-number",
    "x12.envelope",
    "x12.truncated",
    "x12.version",
    "guide.hierarchy",
}


class Both(NamedTuple):
    checked: list[Checked]
    clean: str
    rejected: str


def split(text: str | bytes, checker: Checker = CHECKER) -> Both:
    """What is found in the input, and the two files; "" for the one that is not written."""
    splitter, checked = Splitter(), []
    try:
        for one in checker.check(io.BytesIO(text.encode() if isinstance(text, str) else text)):
            splitter.add(one)
            checked.append(one)
    except NotX12:
        splitter.close()
        raise
    made = splitter.finish()
    sides = [side.read().decode() if side is not None else "" for side in (made.clean, made.rejected)]
    made.close()
    return Both(checked, *sides)


def check(text: str, checker: Checker = CHECKER) -> list[Checked]:
    return list(checker.check(io.BytesIO(text.encode()))) if text else []


def claims(checked: list[Checked]) -> Counter:
    """Each claim by number, charge, and the text of all its segments."""
    return Counter(
        (one.part.id, one.part.charge, str(one.part.segments))
        for one in checked
        if isinstance(one.part, Claim)
    )


def errors(checked: list[Checked]) -> list[str]:
    return [finding.rule for one in checked for finding in one.findings if finding.severity == "error"]


def findings_by_claim(checked: list[Checked]) -> dict[str, list[tuple]]:
    """What is found of each claim, without the position, which the split changes."""
    return {
        one.part.id: [
            (f.rule, f.severity, f.message, f.where.line, f.where.loop, f.where.segment, f.where.element)
            for f in one.findings
        ]
        for one in checked
        if isinstance(one.part, Claim)
    }


def segments(text: str) -> list[list[str]]:
    if not text:
        return []
    return [segment for block in read_blocks(io.BytesIO(text.encode())) for segment in block.segments()]


def complaints(text: str) -> list[str]:
    """What is wrong with the counts, control numbers and levels of a file."""
    wrong = []
    counts = {"ISA": 0, "GS": 0, "ST": 0, "CLM": 0}
    numbers: dict[str, str] = {}
    levels: dict[str, list[str]] = {}  # HL01: HL02, HL03, HL04
    held: set[str] = set()  # levels with a level or claim below them
    size, level = 0, ""
    ends = {"IEA": ("ISA", 13, "GS"), "GE": ("GS", 6, "ST"), "SE": ("ST", 2, "")}
    for segment in segments(text):
        name = segment[0]
        size += 1
        if name in ("ISA", "GS", "ST"):
            counts |= {"ISA": {"GS": 0}, "GS": {"ST": 0}, "ST": {"CLM": 0}}[name]
            counts[name] += 1
            numbers[name] = segment[{"ISA": 13, "GS": 6, "ST": 2}[name]]
            if name == "ST":
                size, levels, held = 1, {}, set()
        elif name == "HL":
            level = segment[1]
            if level != str(len(levels) + 1):
                wrong.append(f"HL01 {level} after {len(levels)} levels")
            levels[level] = segment[2:5]
            parent = segment[2]
            held.add(parent)
            above = {"20": "", "22": "20", "23": "22"}[segment[3]]
            if (levels[parent][1] if parent else "") != above:
                wrong.append(f"HL {level} below {parent!r}")
        elif name == "CLM":
            counts["CLM"] += 1
            held.add(level)
        elif name in ends:
            opener, _, below = ends[name]
            if segment[1] != str(counts[below] if below else size):
                wrong.append(f"{name}01 {segment[1]}")
            if segment[2] != numbers[opener]:
                wrong.append(f"{name}02 {segment[2]}")
            if name == "SE":
                wrong += [f"nothing below HL {number}" for number in levels if number not in held]
                for number, (_, kind, child) in levels.items():
                    has = any(parent == number for parent, _, _ in levels.values())
                    if child != str(int(has)):
                        wrong.append(f"HL04 of {kind} {number} is {child}")
                if not counts["CLM"]:
                    wrong.append("a set without a claim")
            elif not counts[below]:
                wrong.append(f"{name} without {below}")
    return wrong


def assert_split(both: Both, checker: Checker = CHECKER) -> None:
    """The promise, for any input."""
    clean, rejected = check(both.clean, checker), check(both.rejected, checker)
    assert claims(clean) + claims(rejected) == claims(both.checked)
    assert errors(clean) == []
    before, after = findings_by_claim(both.checked), findings_by_claim(rejected)
    assert after == {claim: before[claim] for claim in after}
    for text in (both.clean, both.rejected):
        assert complaints(text) == []


def sides(both: Both) -> tuple[list[str], list[str]]:
    """The claims of each file, by number."""
    found = [[one.part.id for one in check(text) if isinstance(one.part, Claim)] for text in both[1:]]
    return found[0], found[1]


def batch(count: int, seed: int, invalid: float, per_transaction: int = 5, *, interchange: int = 1) -> str:
    text = "".join(generate(count, seed=seed, invalid=invalid, per_transaction=per_transaction))
    return text.replace("*000000001", f"*{interchange:09d}")


def recount(text: str) -> str:
    """The text with right SE01."""
    done, size = [], 0
    for line in text.splitlines():
        size = 1 if line.startswith("ST*") else size + 1
        done.append(f"SE*{size}*{line.split('*')[2]}" if line.startswith("SE*") else line)
    return "\n".join(done) + "\n"


def change(text: str, old: str, new: str, nth: int = 0) -> str:
    """The text with the nth occurrence of `old` replaced."""
    pieces = text.split(old)
    assert len(pieces) > nth + 1
    return old.join(pieces[: nth + 1]) + new + old.join(pieces[nth + 1 :])


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, 12),
    seed=st.integers(0, 10_000),
    invalid=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    per_transaction=st.integers(1, 6),
    by_transaction=st.booleans(),
)
def test_generated_batches(
    count: int, seed: int, invalid: float, per_transaction: int, by_transaction: bool
) -> None:
    checker = BY_TRANSACTION if by_transaction else CHECKER
    text = batch(count, seed, invalid, per_transaction)
    both = split(text, checker)
    assert_split(both, checker)
    # The verdicts are those of the checker: nothing is rejected for the sake of others.
    ends = [one.outcome for one in both.checked if isinstance(one.part, TransactionEnd)]
    accepted = []
    for one in both.checked:
        if isinstance(one.part, TransactionEnd):
            ends.pop(0)
        elif isinstance(one.part, Claim) and (one.outcome, ends[0]) == ("accepted", "accepted"):
            accepted.append(one.part.id)
    assert sides(both)[0] == accepted
    if not invalid:
        assert both.clean == text
        assert both.rejected == ""


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_segments_dropped_doubled_and_moved(data: st.DataObject) -> None:
    """Whatever the walker makes of it: nothing is lost, and what is called clean is clean."""
    lines = batch(data.draw(st.integers(1, 6)), data.draw(st.integers(0, 50)), 0.2, 3).splitlines()
    for _ in range(data.draw(st.integers(1, 2))):
        borders = [n for n, line in enumerate(lines) if line.startswith(("HL", "CLM", "NM1", "SE", "ST"))]
        at = max(1, data.draw(st.sampled_from(borders)) - data.draw(st.integers(0, 1)))
        match data.draw(st.sampled_from(["drop", "double", "swap"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case _ if at + 1 < len(lines):
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
    text = "\n".join(lines) + "\n"
    both = split(recount(text) if data.draw(st.booleans()) else text)
    clean, rejected = check(both.clean), check(both.rejected)
    assert claims(clean) + claims(rejected) == claims(both.checked)
    assert errors(clean) == []
    assert complaints(both.clean) == []


@pytest.mark.long
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.837")), ids=lambda path: path.stem)
def test_samples(path: Path) -> None:
    both = split(path.read_bytes())
    clean, rejected = check(both.clean), check(both.rejected)
    assert claims(clean) + claims(rejected) == claims(both.checked)
    assert errors(clean) == []
    before, after = findings_by_claim(both.checked), findings_by_claim(rejected)
    if path.stem != "x12.truncated.in-claim":
        assert after == {claim: before[claim] for claim in after}
        assert set(errors(both.checked)) - set(errors(rejected)) <= MENDED
    if path.parent.name == "clean":
        assert both.rejected == ""


@pytest.mark.long
@pytest.mark.skipif(not PUBLISHED, reason="the public corpus is not there")
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem[:60])
def test_corpus(path: Path) -> None:
    try:
        both = split(path.read_bytes())
    except NotX12:
        return
    clean, rejected = check(both.clean), check(both.rejected)
    assert claims(clean) + claims(rejected) == claims(both.checked)
    assert errors(clean) == []
    before, after = findings_by_claim(both.checked), findings_by_claim(rejected)
    assert after == {claim: before[claim] for claim in after}


def test_an_isolated_error_rejects_its_transaction_only() -> None:
    text = change(batch(6, 1, 0.0, 3), "*11:B:1", "*11:C:1", nth=1)
    assert [len(side) for side in sides(split(text))] == [5, 1]
    both = split(text, BY_TRANSACTION)
    assert_split(both, BY_TRANSACTION)
    assert [len(side) for side in sides(both)] == [3, 3]
    assert "ST*837*0001" not in both.clean


def test_a_fault_at_the_end_of_a_set_takes_back_what_was_said_of_its_claims() -> None:
    text = batch(4, 2, 0.0, 2)
    se = next(line for line in text.splitlines() if line.startswith("SE*"))
    both = split(text.replace(se, "SE*7*0001~"))
    assert_split(both)
    assert [len(side) for side in sides(both)] == [2, 2]
    assert se in both.rejected


def test_a_fault_at_the_end_of_the_interchange_takes_back_everything() -> None:
    both = split(batch(4, 2, 0.0, 2).replace("IEA*1*000000001", "IEA*1*000000002"))
    assert_split(both)
    assert both.clean == ""
    assert "IEA*1*000000001~" in both.rejected


def test_two_interchanges_stay_apart_each_with_its_delimiters() -> None:
    other = change(batch(3, 4, 0.0, interchange=2), "*11:B:1", "*11:C:1").translate(
        str.maketrans({"*": "|", "~": "\n", ":": ">", "\n": None})
    )
    both = split(batch(3, 3, 0.0) + other)
    assert_split(both)
    assert [len(side) for side in sides(both)] == [5, 1]
    assert both.clean.count("ISA") == 2
    assert "IEA*1*000000001~\nISA|" in both.clean
    assert both.clean.endswith("IEA|1|000000002\n")
    assert both.rejected.startswith("ISA|")


def test_a_billing_provider_rejected_as_a_whole() -> None:
    text = batch(3, 5, 0.0)
    both = split(recount(text.replace("REF*EI*990000000~\n", "")))
    assert_split(both)
    assert [len(side) for side in sides(both)] == [0, 3]
    assert both.clean == ""


DEPENDENTS = """\
ISA*00*          *00*          *ZZ*ALDER          *ZZ*BROOK          *260302*1200*^*00501*000000905*1*T*:~
GS*HC*ALDER*BROOK*20260302*1200*1*X*005010X222A1~
ST*837*0001*005010X222A1~
BHT*0019*00*B1*20260302*1200*CH~
NM1*41*2*ALDER THERAPY*****46*ALDER~
PER*IC*DESK*TE*5550100100~
NM1*40*2*BROOK HEALTH*****46*BROOK~
HL*1**20*1~
NM1*85*2*ALDER THERAPY*****XX*1234567893~
N3*1 ELM STREET~
N4*ASHTON*OH*430010001~
REF*EI*123456789~
HL*2*1*22*1~
SBR*P*18*******CI~
NM1*IL*1*ASPEN*ANN****MI*M100~
N3*2 OAK STREET~
N4*ASHTON*OH*430010001~
DMG*D8*19700101*F~
NM1*PR*2*BROOK HEALTH*****PI*BROOK~
{own}\
HL*3*2*23*0~
PAT*19~
NM1*QC*1*ASPEN*BEA~
N3*2 OAK STREET~
N4*ASHTON*OH*430010001~
DMG*D8*20100101*F~
{bea}\
HL*4*2*23*0~
PAT*19~
NM1*QC*1*ASPEN*CAL~
N3*2 OAK STREET~
N4*ASHTON*OH*430010001~
DMG*D8*20120101*M~
{cal}\
SE*0*0001~
GE*1*1~
IEA*1*000000905~
"""


def one_claim(name: str, charge: str = "100") -> str:
    return (
        f"CLM*{name}*{charge}***11:B:1*Y*A*Y*Y~\nHI*ABK:M6281~\nLX*1~\n"
        "SV1*HC:97530:GP*100*UN*2***1~\nDTP*472*D8*20260202~\nREF*6R*1~\n"
    )


def family(**charges: str) -> str:
    named = {name: one_claim(name, charges.get(name, "100")) for name in ("own", "bea", "cal")}
    return recount(DEPENDENTS.format(**named))


PROVIDER, ALONE, WITH_PATIENTS = "HL*1**20*1", "HL*2*1*22*0", "HL*2*1*22*1"
FIRST, SECOND = "HL*3*2*23*0", "HL*4*2*23*0"
ALL = [PROVIDER, WITH_PATIENTS, FIRST, SECOND]


@pytest.mark.parametrize(
    ("bad", "clean", "rejected"),
    [
        ((), ALL, []),
        (("own",), ALL, [PROVIDER, ALONE]),
        (("bea",), ALL[:3], ALL[:3]),
        (("bea", "cal"), [PROVIDER, ALONE], ALL),
    ],
    ids=["none", "subscriber", "one dependent", "both dependents"],
)
def test_levels_are_written_where_a_claim_is_below_them(bad, clean, rejected) -> None:
    both = split(family(**dict.fromkeys(bad, "90")))
    assert_split(both)
    for text, levels in ((both.clean, clean), (both.rejected, rejected)):
        assert [line.rstrip("~") for line in text.splitlines() if line.startswith("HL*")] == levels


@pytest.mark.parametrize(
    ("bad", "clean", "rejected"),
    [((), "18", None), (("own",), "", "18"), (("bea",), "18", ""), (("own", "bea"), "", "18")],
)
def test_a_subscriber_whose_own_claims_are_in_the_other_file_is_not_the_patient(bad, clean, rejected) -> None:
    both = split(family(**dict.fromkeys(bad, "90")))
    for text, relationship in ((both.clean, clean), (both.rejected, rejected)):
        found = [line.split("*")[2] for line in text.splitlines() if line.startswith("SBR*")]
        assert found == ([] if relationship is None else [relationship])


def test_a_wrong_child_code_is_put_right_in_the_clean_file_alone() -> None:
    text = family(own="90", cal="90").replace("HL*2*1*22*1", "HL*2*1*22*0")
    both = split(text)
    assert "HL*2*1*22*1~" in both.clean or both.clean == ""
    assert "HL*2*1*22*0~" in both.rejected
    assert errors(check(both.clean)) == []


def test_accepted_claims_below_a_level_without_its_hl_are_not_clean() -> None:
    """Without the HL they would be sent as claims of the patient before."""
    lines = batch(3, 3, 0.0).splitlines()
    del lines[[n for n, line in enumerate(lines) if line.startswith("HL") and "*22*" in line][1]]
    both = split(recount("\n".join(lines)))
    last = [one for one in both.checked if isinstance(one.part, Claim)]
    assert last[1].part.id not in sides(both)[0]
    assert errors(check(both.clean)) == []


def test_what_could_not_be_checked_is_not_clean() -> None:
    splitter = Splitter()
    for one in CHECKER.check(io.BytesIO(batch(2, 6, 0.0).encode())):
        is_first = isinstance(one.part, Claim) and "0000000" in one.part.id
        splitter.add(one._replace(outcome="not_checked", failed="internal error") if is_first else one)
    made = splitter.finish()
    assert made.clean is not None
    assert made.rejected is not None
    assert "-0000000*" in made.rejected.read().decode()
    assert "-0000000*" not in made.clean.read().decode()
    made.close()


def test_an_interchange_that_never_ends_is_not_clean() -> None:
    splitter = Splitter()
    for one in CHECKER.check(io.BytesIO(batch(2, 6, 0.0).encode())):
        if not isinstance(one.part, (TransactionEnd, GroupEnd, InterchangeEnd)):
            splitter.add(one)
    made = splitter.finish()
    assert made.clean is None
    assert made.rejected is not None
    assert complaints(made.rejected.read().decode()) == []
    made.close()


def test_trailers_and_a_group_header_that_are_missing_are_made() -> None:
    lines = batch(2, 7, 0.0).splitlines(keepends=True)
    text = "".join(line for line in lines if line[:3] not in ("SE*", "GE*", "IEA", "GS*"))
    both = split(text)
    assert both.clean == ""
    assert complaints(both.rejected) == []
    gs = segments(both.rejected)[1]
    assert gs == [
        "GS",
        "HC",
        "BROOKBILLING",
        "MAPLEHEALTH",
        "20261015",
        "0930",
        "999999999",
        "X",
        "005010X222A1",
    ]
    assert len(claims(check(both.rejected))) == 2


def test_an_isa_that_lost_its_blanks_has_them_again() -> None:
    text = batch(1, 8, 0.0)
    header, _, rest = text.partition("\n")
    both = split("*".join(part.rstrip() for part in header.split("*")) + "\n" + rest)
    assert (both.clean + both.rejected).startswith(header)


def test_an_isa_that_is_cut_is_completed() -> None:
    """So that its claims can be read at all; what was lost stays blank."""
    both = split(batch(2, 8, 0.0).replace("MAPLEHEALTH    *261015", "MAPLE~HEALTH*261015", 1))
    assert both.clean == ""
    assert len(both.rejected.partition("~")[0]) == 105
    assert len(claims(check(both.rejected))) == 2


def test_isa16_names_the_separator_that_the_claims_use() -> None:
    both = split(batch(2, 8, 0.0).replace("*P*:~", "*P*>~"))
    assert "*P*:~\n" in both.rejected
    assert claims(check(both.rejected)) == claims(both.checked)


@pytest.mark.parametrize("version", ["004010X098A1", "005010X223A2"])
def test_other_versions_are_not_split(version: str) -> None:
    both = split(batch(2, 9, 0.0).replace("005010X222A1", version))
    assert (both.clean, both.rejected) == ("", "")


def test_text_outside_of_ascii_is_kept() -> None:
    both = split(batch(1, 10, 0.0).replace("CLINIC 000", "CLÍNICA Ñ").encode("latin-1"))
    assert "CLÍNICA Ñ" in both.clean + both.rejected


@pytest.mark.long
def test_memory_does_not_grow_with_the_input() -> None:
    """Ten times the claims in one set, and hardly more memory; the text alone would be 4 MB."""

    def peak(copies: int) -> int:
        parts = [
            one
            for one in CHECKER.check(io.BytesIO(batch(20, 11, 0.3, 20).encode()))
            if not isinstance(one.part, Subscriber)
        ]
        splitter = Splitter()
        tracemalloc.start()
        for one in parts:
            for _ in range(copies if isinstance(one.part, Claim) else 1):
                splitter.add(one)
        splitter.finish().close()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(1000) < peak(100) + (1 << 22)


def test_every_kind_of_fault_is_among_the_generated() -> None:
    """The property test means what it says only where the batches hold faults of each kind."""
    found = {rule for seed in range(8) for rule in errors(split(batch(12, seed, 1.0)).checked)}
    assert found >= set(FAULTS.values()) - {"therapy.discipline"}


# The command


@pytest.fixture
def claims_file(tmp_path: Path) -> Path:
    path = tmp_path / "day.837"
    path.write_text(change(batch(4, 1, 0.0), "*11:B:1", "*11:C:1", nth=1))
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(commands, [*map(str, arguments), "--received", "2026-11-21"])


def test_command_writes_both_files_for_their_owner_alone(claims_file: Path) -> None:
    folder = claims_file.parent / "out"
    done = invoke("check", claims_file, "--split", "--out-dir", folder)
    assert (done.exit_code, done.stderr) == (1, "")
    clean, rejected = folder / "day.clean.837", folder / "day.rejected.837"
    assert [path.stat().st_mode & 0o777 for path in (clean, rejected)] == [0o600] * 2
    assert invoke("check", clean).exit_code == 0
    assert invoke("check", rejected).exit_code == 1
    assert len(claims(check(clean.read_text()))) == 3


def test_command_takes_away_a_side_that_has_no_claim_any_more(claims_file: Path) -> None:
    folder = claims_file.parent / "out"
    invoke("check", claims_file, "--split", "--out-dir", folder)
    claims_file.write_text(batch(4, 1, 0.0))
    assert invoke("check", claims_file, "--split", "--out-dir", folder).exit_code == 0
    assert (folder / "day.clean.837").exists()
    assert not (folder / "day.rejected.837").exists()


def test_command_does_not_split_what_breaks_off(claims_file: Path) -> None:
    folder = claims_file.parent / "out"
    packed = claims_file.with_suffix(".837.gz")
    packed.write_bytes(gzip.compress(claims_file.read_bytes())[:-20])
    assert invoke("check", packed, "--split", "--out-dir", folder).exit_code == 2
    assert list(folder.glob("*.837")) == []


def test_command_needs_a_folder_and_writes_over_no_input(claims_file: Path) -> None:
    assert "--split needs --out-dir" in invoke("check", claims_file, "--split").stderr
    other = claims_file.with_name("day.clean.837")
    other.write_text("kept")
    done = invoke("check", claims_file, other, "--split", "--out-dir", claims_file.parent)
    assert done.exit_code == 2
    assert other.read_text() == "kept"


def test_command_does_not_mask_what_is_to_be_sent(claims_file: Path) -> None:
    """A clean file of tokens would pass for one to send."""
    folder = claims_file.parent / "out"
    done = invoke("check", claims_file, "--split", "--redact", "--out-dir", folder)
    assert done.exit_code == 2
    assert "cannot go with --redact" in done.stderr
    assert not folder.exists()
