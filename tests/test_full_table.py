"""The whole practitioner PTP set: what its import costs, and that checks find just what is in it."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.claims.payer_profiles import MEDICARE
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.store import open_tables
from edi_checker.reference.tables import built_in
from edi_checker.rules.rulebook import load
from make_cms_files import WHOLE_PTP, write_whole_ptp

ROOT = Path(__file__).resolve().parents[1]
ROWS = 2_546_017
CLAIMS = 10_000
A_SET = 5_000

# Peak memory as the kernel counts it for this program alone: what getrusage says of a process that was just
# started can be the memory of the one that started it.
IMPORT = """
import sys, time
from pathlib import Path
from edi_checker.reference.store import plan_import, run_import
start = time.process_time()
(release,) = run_import(Path(sys.argv[1]), plan_import(sys.argv[2:]))
seconds = time.process_time() - start
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(release.rows, seconds, int(peak.split()[1]) // 1024)
"""


@dataclass(frozen=True)
class Imported:
    store: Path
    texts: list[Path]
    rows: int
    seconds: float
    megabytes: int


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    if not WHOLE_PTP.exists():
        pytest.skip("the reference data is not at hand")
    folder = tmp_path_factory.mktemp("whole")
    store, texts = folder / "store", write_whole_ptp(folder)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(store), *map(str, texts)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    rows, seconds, megabytes = done.stdout.split()
    return Imported(store, texts, int(rows), float(seconds), int(megabytes))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_what_an_import_costs(imported: Imported) -> None:
    assert imported.rows == ROWS
    # Seconds of the processor, so that other work on the machine does not count. A tenth is usual.
    assert imported.seconds < 60
    assert imported.megabytes < 300


def test_every_row_is_there(imported: Imported) -> None:
    tables = open_tables(imported.store, built_in())
    for index, (one, two, _, first, last, indicator, rationale) in enumerate(rows_of(imported.texts)):
        if index % 997 == 0:
            found = {
                (each.record.first, each.record.last, each.record.payload, each.record.text)
                for each in tables.rows(two, one)
                if each.record.key == one + two
            }
            assert (int(first), 99991231 if last == "*" else int(last), indicator, rationale) in found


# -- random claims, and what a plain search through the rows finds in them ----------------------------------


class Row(NamedTuple):
    first: int
    indicator: str
    last: int


@dataclass(frozen=True)
class Line:
    code: str
    modifiers: tuple[str, ...]
    on: int
    # Of the line's own rendering provider, None where it has none.
    provider: tuple[str, str] | None


@dataclass(frozen=True)
class RandomClaim:
    provider: tuple[str, str] | None
    lines: tuple[Line, ...]


RELEASING = {
    *("E1", "E2", "E3", "E4", "FA", "F1", "F5", "F9", "TA", "T1", "T5", "T9"),
    *("LT", "RT", "LC", "LD", "RC", "LM", "RI"),
    *("58", "78", "79", "27", "59", "91", "XE", "XS", "XP", "XU"),
}
ON_VISITS = {"24", "25", "57"}  # release only beside an office visit; and stand beside surgery, where not
VISITS = ["99212", "99213", "99214", "99215"]
OTHERS = ["50", "51", "76", "77", "GP", "KX", "52", "80", "GA", "Q6"]
# Billing provider of the base claim: NPI and taxonomy.
BILLING = ("1234567893", "225100000X")
PROVIDERS = [
    (npi, taxonomy)
    for npi in ("1679576722", "1245319599", "1003000126")
    for taxonomy in ("", "208600000X", "207X00000X")
]


def rows_of(texts: list[Path]) -> Iterator[list[str]]:
    for text in texts:
        with text.open() as file:
            for line in file:
                cells = line.rstrip("\n").split("\t")
                if len(cells) == 7 and cells[3].isdigit():
                    yield cells


def sample_rows(texts: list[Path], chance: random.Random, count: int) -> list[list[str]]:
    """Some rows of the whole, each with the same chance."""
    wanted = set(chance.sample(range(ROWS), count))
    return [cells for index, cells in enumerate(rows_of(texts)) if index in wanted]


def shift(on: str, by: int) -> int:
    moved = date(int(on[:4]), int(on[4:6]), int(on[6:])) + timedelta(by)
    return int(f"{moved:%Y%m%d}")


def random_claim(chance: random.Random, rows: list[list[str]]) -> RandomClaim:
    """Three to six lines; most claims hold the two codes of a row, on a day near one of its edges."""
    row = chance.choice(rows)
    end = row[4] if row[4] != "*" else "20240930"
    day = chance.choice((shift(row[3], -1), int(row[3]), shift(row[3], 40), int(end), shift(end, 1)))
    day = max(day, 19960101)
    days = [day] * 6 + [day + 1 if day % 100 < 28 else day - 1]
    codes = [row[0], row[1]] if chance.random() < 0.8 else []
    codes += [chance.choice(chance.choice(rows)[:2]) for _ in range(chance.randint(3, 6) - len(codes))]
    if chance.random() < 0.3:
        codes[-1] = chance.choice(VISITS)
    if chance.random() < 0.2:
        codes[-1] = codes[0]
    chance.shuffle(codes)
    providers = [None] * 6 + [chance.choice(PROVIDERS) for _ in range(4)]
    lines = []
    for code in codes:
        pools = (sorted(RELEASING), OTHERS)
        modifiers = [chance.choice(pool) for pool in pools if chance.random() < 0.2]
        if (code in VISITS or "10004" <= code <= "69990") and chance.random() < 0.2:
            modifiers.append(chance.choice(sorted(ON_VISITS)))
        chance.shuffle(modifiers)
        lines.append(Line(code, tuple(modifiers), chance.choice(days), chance.choice(providers)))
    return RandomClaim(chance.choice([None, *PROVIDERS[:4]]), tuple(lines))


def write_claims(claims: list[RandomClaim]) -> str:
    """One group, with as many claims in each ST as the guide recommends at most."""
    text = write_example({}).text
    head, _, rest = text.replace("\n", "").partition("CLM*")
    trailer = rest[rest.index("SE*") :].partition("~")[2]
    head, _, patient = head.rstrip("~").partition("~HL*2*1*22*0~")
    envelope, _, header = head.partition("ST*837*0001")
    named = [(f"R{number}", claim) for number, claim in enumerate(claims)]
    sets = [named[at : at + A_SET] for at in range(0, len(named), A_SET)]
    texts = [write_set(header, patient, each, number) for number, each in enumerate(sets, 1)]
    return envelope + "~\n".join(texts) + "~" + trailer.replace("GE*1*", f"GE*{len(sets)}*")


def write_set(header: str, patient: str, claims: list[tuple[str, RandomClaim]], ordinal: int) -> str:
    segments = f"ST*837*{ordinal:04}{header}".replace("BHT*0019*00*", f"BHT*0019*00*{ordinal}").split("~")
    for number, (name, claim) in enumerate(claims):
        # Each claim is another patient's, so that none is held against another.
        own = re.sub(r"\*MI\*\w+", f"*MI*{name}", patient)
        segments += [f"HL*{2 + number}*1*22*0", *own.split("~")]
        segments += [f"CLM*{name}*{50 * len(claim.lines)}***11:B:1*Y*A*Y*Y", "HI*ABK:M6281"]
        segments += provider_segments(claim.provider)
        for place, line in enumerate(claim.lines, 1):
            procedure = ":".join(("HC", line.code, *line.modifiers))
            segments += [f"LX*{place}", f"SV1*{procedure}*50*UN*1***1", f"DTP*472*D8*{line.on}"]
            segments += provider_segments(line.provider)
    return "~\n".join([*segments, f"SE*{len(segments) + 1}*{ordinal:04}"])


def provider_segments(provider: tuple[str, str] | None) -> list[str]:
    if provider is None:
        return []
    npi, taxonomy = provider
    named = [f"NM1*82*1*BROOK*LINNEA****XX*{npi}"]
    return [*named, f"PRV*PE*PXC*{taxonomy}"] if taxonomy else named


# Claim, column 2 line, column 1 line, rule, statuses, modifiers that release.
Found = tuple[str, int, int, str, tuple[str, ...]]


def search(claims: list[RandomClaim], rows: dict[tuple[str, str], list[Row]]) -> Iterator[Found]:
    """What the rows say of the claims: every two lines, every row, one after the other."""
    for number, claim in enumerate(claims):
        # By column 1 code, column 2 code, day and column 2 line: the column 1 lines, and whether surely so.
        pairs: dict[tuple[str, str, int, int], list[tuple[int, bool]]] = {}
        for i, early in enumerate(claim.lines):
            for j, late in enumerate(claim.lines[i + 1 :], i + 1):
                sure, perhaps = same_provider(claim, early, late)
                if early.on != late.on or not (sure or perhaps):
                    continue
                # Where each is column 1 to the other, the code that stands first on the claim's day is.
                codes = [line.code for line in claim.lines if line.on == early.on]
                ahead = codes.index(early.code) <= codes.index(late.code)
                for one, two in ((i, j), (j, i)) if ahead else ((j, i), (i, j)):
                    key = claim.lines[one].code, claim.lines[two].code
                    if any(row.first <= early.on <= row.last for row in rows.get(key, ())):
                        pairs.setdefault((*key, early.on, two), []).append((one, sure))
                        break
        for (code_1, code_2, on, two), found in pairs.items():
            row = max(row for row in rows[code_1, code_2] if row.first <= on <= row.last)
            surely = any(sure for _, sure in found)
            ones = sorted(one for one, sure in found if sure == surely)
            bare = [one for one in ones if not released(claim.lines[one]) and not released(claim.lines[two])]
            claim_id = f"R{number}"
            cited = (bare or ones)[0]
            if row.indicator == "0":
                yield claim_id, two + 1, cited + 1, "ncci.ptp", ("A8:454", "A8:735") if surely else ()
            elif bare:
                yield claim_id, two + 1, cited + 1, "ncci.ptp", ("A8:453", "A8:454") if surely else ()
            elif surely:
                yield claim_id, two + 1, cited + 1, "ncci.ptp-modifier", ()


def same_provider(claim: RandomClaim, one: Line, other: Line) -> tuple[bool, bool]:
    """Whether two lines are surely of one provider (one NPI or one taxonomy), and whether they may be (two
    NPIs, of which one has no taxonomy).
    """
    npi, taxonomy = one.provider or claim.provider or BILLING
    other_npi, other_taxonomy = other.provider or claim.provider or BILLING
    sure = npi == other_npi or ("" != taxonomy == other_taxonomy)
    return sure, not (taxonomy and other_taxonomy)


def released(line: Line) -> bool:
    return any(m in RELEASING or (m in ON_VISITS and line.code in VISITS) for m in line.modifiers)


def wanted_rows(texts: list[Path], claims: list[RandomClaim]) -> dict[tuple[str, str], list[Row]]:
    """All rows, but those with indicator 9, of pairs that stand on some claim."""
    wanted = {(one.code, two.code) for claim in claims for one in claim.lines for two in claim.lines}
    rows: dict[tuple[str, str], list[Row]] = {}
    for one, two, _, first, last, indicator, _ in rows_of(texts):
        if (one, two) in wanted and indicator != "9":
            row = Row(int(first), indicator, 99991231 if last == "*" else int(last))
            rows.setdefault((one, two), []).append(row)
    return rows


def test_random_claims_get_what_a_plain_search_through_the_rows_finds(imported: Imported) -> None:
    chance = random.Random(20240701)
    sampled = sample_rows(imported.texts, chance, 3000)
    claims = [random_claim(chance, sampled) for _ in range(CLAIMS)]
    rows = wanted_rows(imported.texts, claims)
    expected = sorted(search(claims, rows))
    # That the claims are worth the search: every kind of finding, often.
    kinds = [(rule, codes) for *_, rule, codes in expected]
    assert min(kinds.count(kind) for kind in set(kinds)) > 300
    assert len(set(kinds)) == 4

    engine = Engine(load().keep(select=["ncci.ptp", "ncci.ptp-modifier"]))
    tables = open_tables(imported.store, built_in())
    checker = Checker(load_guide(), engine, Setting(20261121, tables, profile=MEDICARE))
    found: list[Found] = []
    for checked in checker.check(io.BytesIO(write_claims(claims).encode())):
        assert not checked.failed
        assert not checked.part.faults
        for finding in checked.findings:
            (other,) = finding.related
            assert finding.where.claim is not None
            assert finding.where.line is not None
            assert other.line is not None
            assert finding.table is not None
            assert (finding.table.name, finding.table.version) == ("ncci_ptp", "2024Q3")
            found.append(
                (finding.where.claim, finding.where.line, other.line, finding.rule, finding.status.ack277ca)
            )
    assert sorted(found) == expected
