"""Repairs of form: what is repaired, that nothing else changes, and that nothing new is found."""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import cache
from random import Random
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.fixes import REPAIRS, CannotFix, Repair, Withheld, fix, rewriting
from edi_checker.check.fixes.form import write_date, write_time
from edi_checker.check.fixes.rewriting import find_edits, rewrite
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.x12 import blocks
from edi_checker.x12.blocks import NotX12
from generate_claims import generate
from paths import CLEAN, CORPUS, DATA, ROOT
from second_maker import make
from test_cli import CLEAN as CLAIM

RECEIVED = 20261201


@cache
def checker() -> Checker:
    return Checker(load_guide(), Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


class Done(NamedTuple):
    """What is left of a Fixed when its files are given back."""

    repairs: list[Repair]
    withheld: list[Withheld]
    left_unsafe: int

    @property
    def count(self) -> int:
        return len(self.repairs)


def repaired(data: bytes, *, unsafe: bool = False) -> tuple[bytes, Done]:
    with TemporaryFile() as source:
        source.write(data)
        with fix(checker(), source, unsafe=unsafe, look=lambda: None) as fixed:
            fixed.content.seek(0)
            done = Done(list(fixed.repairs()), fixed.withheld, fixed.left_unsafe)
            assert done.count == fixed.count
            return fixed.content.read(), done


def found(data: bytes) -> Counter[tuple[str, int, str | None]]:
    """The findings by rule, position and element."""
    checked = checker().check(io.BytesIO(data))
    return Counter((f.rule, f.where.position, f.where.element) for each in checked for f in each.findings)


# -- each repair -------------------------------------------------------------------------------------------

PATIENTS = (CLEAN / "dependent-patients.837").read_text()

# What a file says wrongly, and what is right; in PATIENTS the right text stands.
SAFE = [
    ("SE*99*0001", "SE*104*0001"),
    ("SE* 104*0001", "SE*104*0001"),
    ("SE*104*1", "SE*104*0001"),
    ("SE*104", "SE*104*0001"),
    ("se*104*0001", "SE*104*0001"),
    ("GE*4*9", "GE*1*1"),
    ("IEA*2*1", "IEA*1*000000001"),
    ("00501*1*0", "00501*000000001*0"),
    ("ZZ*BROOKBILLING*ZZ", "ZZ*BROOKBILLING   *ZZ"),
    ("*0*p*:", "*0*P*:"),
    ("*0*P*>", "*0*P*:"),
    ("GS*hc*", "GS*HC*"),
    ("WILLOWHEALTH*2026-09-15*09:30*1", "WILLOWHEALTH*20260915*0930*1"),
    ("*2026-09-15*09:30*ch", "*20260915*0930*CH"),
    ("HL*2*1*22*0", "HL*2*1*22*1"),
    ("HL*4*2*23*0~\nPAT*19~\nNM1*QC*1*ROWAN*LEE", "HL*3*2*23*0~\nPAT*19~\nNM1*QC*1*ROWAN*LEE"),
    ("HL*3*2*23~", "HL*3*2*23*0~"),
    ("HL*5*1*22*1", "HL*5*1*22*0"),
    ("HL*1**20*0", "HL*1**20*1"),
    ("PRV*bi*PXC*261qp2000x", "PRV*BI*PXC*261QP2000X"),
    ("THERAPY*****xx*1200-001 117", "THERAPY*****XX*1200001117"),
    ("N4*COLUMBUS*oh*43215-0001", "N4*COLUMBUS*OH*432150001"),
    ("N4*COLUMBUS*OH*43215 0012", "N4*COLUMBUS*OH*432150012"),
    ("REF*ei*99-0001001", "REF*EI*990001001"),
    ("PER*IC*CONTACT DESK*te*(614) 555-0100", "PER*IC*CONTACT DESK*TE*6145550100"),
    ("NM1*il*1*ROWAN*KIT", "NM1*IL*1*ROWAN*KIT"),
    ("nm1*QC*1*ROWAN*LEE", "NM1*QC*1*ROWAN*LEE"),
    ("NM1*QC*1* ROWAN *LEE****", "NM1*QC*1*ROWAN*LEE"),
    ("N3*12 ORCHARD LANE *", "N3*12 ORCHARD LANE"),
    ("DMG*D8*2015-03-02*m", "DMG*D8*20150302*M"),
    ("DMG*D8*03/02/2015*F", "DMG*D8*03/02/2015*F"),
    ("clm*DEP-4001", "CLM*DEP-4001"),
    ("CLM*DEP-4001*84***11:b:1*y*a*Y*Y", "CLM*DEP-4001*84***11:B:1*Y*A*Y*Y"),
    ("HI*abk:r26.81", "HI*ABK:R2681"),
    ("LX*7~\nSV1*HC:97535", "LX*2~\nSV1*HC:97535"),
    ("SV1*hc: 97530:GP::*84*un*2***1:**", "SV1*HC:97530:GP*84*UN*2***1"),
    ("DTP*472*d8*2026/07/06", "DTP*472*D8*20260706"),
    ("DTP*472*D8*07/06/2026", "DTP*472*D8*07/06/2026"),
]


@pytest.mark.parametrize(("wrong", "right"), SAFE)
def test_a_matter_of_form_is_written_as_the_guide_has_it(wrong: str, right: str) -> None:
    assert right in PATIENTS or right == wrong
    text = PATIENTS.replace(right, wrong, 1)
    out, fixed = repaired(text.encode())
    assert out.decode() == (PATIENTS if right != wrong else text)
    assert not fixed.withheld


def test_what_follows_a_changed_level_is_numbered_with_it() -> None:
    wrong = PATIENTS
    for old, new in (("HL*5*1", "HL*8*1"), ("HL*6*1", "HL*9*1"), ("HL*7*6", "HL*10*9")):
        wrong = wrong.replace(old, new)
    out, fixed = repaired(wrong.encode())
    assert out.decode() == PATIENTS
    assert fixed.count == 4


def test_the_level_above_is_a_matter_of_form_only_if_the_number_says_the_same() -> None:
    wrong = PATIENTS.replace("HL*7*6*23", "HL*7*2*23")
    out, fixed = repaired(wrong.encode())
    assert (out.decode(), fixed.count, fixed.left_unsafe) == (wrong, 0, 1)
    out, _ = repaired(wrong.encode(), unsafe=True)
    assert out.decode() == PATIENTS


UNSAFE = [
    ("DTP*472*D8*07/06/2026", "DTP*472*D8*20260706"),
    ("TE*1-614-555-0100", "TE*6145550100"),
]


@pytest.mark.parametrize(("wrong", "right"), UNSAFE)
def test_what_is_probable_is_repaired_only_if_asked_for(wrong: str, right: str) -> None:
    text = PATIENTS.replace(right, wrong, 1)
    out, fixed = repaired(text.encode())
    assert (out.decode(), fixed.left_unsafe) == (text, 1)
    out, fixed = repaired(text.encode(), unsafe=True)
    assert (out.decode(), fixed.left_unsafe) == (PATIENTS, 0)


def test_the_name_of_the_guide_changes_in_group_and_set_together() -> None:
    text = PATIENTS.replace("005010X222A1", "005010X222")
    assert repaired(text.encode())[0].decode() == text
    assert repaired(text.encode(), unsafe=True)[0].decode() == PATIENTS


def test_a_set_whose_number_came_before_gets_one_of_its_own_if_asked_for() -> None:
    body = PATIENTS[PATIENTS.index("ST*") : PATIENTS.index("GE*")]
    second = body.replace("DEP-", "DUP-").replace("BATCH0004", "BATCH0005").replace("*202607", "*202608")
    twice = PATIENTS.replace("GE*1*1", second + "GE*2*1")
    assert repaired(twice.encode())[0].decode() == twice
    out, fixed = repaired(twice.encode(), unsafe=True)
    numbers = re.findall(r"ST\*837\*(\d+)\*", out.decode())
    assert len(numbers) == len(set(numbers)) == 2
    assert re.findall(r"SE\*\d+\*(\d+)", out.decode()) == numbers
    assert [repair.rule for repair in fixed.repairs] == ["x12.control-number"] * 2


# Amounts, units, modifiers, meanings, names: whatever is wrong with them.
NEVER = [
    ("*84*UN*2***1", "* 84*UN*2***1"),
    ("*84*UN*2***1", "*84*UN* 2***1"),
    ("*84*UN*2***1", "*$84*UN*2***1"),
    ("*84*UN*2***1", "*84*UN*2,0***1"),
    ("97530:GP*84", "97530:gp*84"),
    ("97530:GP*84", "9753:GP*84"),
    ("HI*ABK:R2681", "HI*ABK:Q99999"),
    ("CLM*DEP-4001*84", "CLM*DEP-4001*85"),
    ("11:B:1", "1:B:1"),
    ("ROWAN*LEE", "R0WAN:X*LEE"),
    ("DTP*472*D8*20260706", "DTP*472*D8*20260231"),
    ("DTP*472*D8*20260706", "DTP*472*D8*2026-02-31"),
    ("XX*1200001117", "XX*120-000-1118"),
]


@pytest.mark.parametrize(("right", "wrong"), NEVER)
@pytest.mark.parametrize("unsafe", [False, True])
def test_what_is_more_than_form_is_left_as_it_is(right: str, wrong: str, unsafe: bool) -> None:
    assert right in PATIENTS
    text = PATIENTS.replace(right, wrong, 1)
    out, fixed = repaired(text.encode(), unsafe=unsafe)
    assert (out.decode(), fixed.count) == (text, 0)
    assert found(text.encode()) != found(PATIENTS.encode())


def test_a_repair_with_which_something_else_is_found_is_not_made() -> None:
    wrong = PATIENTS.replace("97530:GP*84", "g0283:GP*84", 1).replace("11:B:1*Y", "11:b:1*Y", 1)
    out, fixed = repaired(wrong.encode())
    assert out.decode() == wrong.replace("11:b:1", "11:B:1", 1)
    (withheld,) = fixed.withheld
    assert (withheld.repair.rule, withheld.rule, withheld.element) == ("code.procedure", "ncci.mue", "SV104")


def test_a_repair_after_which_its_finding_stays_is_not_made() -> None:
    # Nine digits are required there, and five are sent.
    wrong = PATIENTS.replace("N4*COLUMBUS*OH*432150001", "N4*COLUMBUS*OH*43215-", 1)
    out, fixed = repaired(wrong.encode())
    assert out.decode() == wrong
    (withheld,) = fixed.withheld
    assert (withheld.repair.rule, withheld.stays) == ("code.zip", True)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-01-31", ("20260131", True)),
        ("2026/01/31", ("20260131", True)),
        (" 20260131 ", ("20260131", True)),
        ("01/31/2026", ("20260131", True)),
        ("31.01.2026", ("20260131", True)),
        ("1/31/2026", ("20260131", True)),
        ("05/05/2026", ("20260505", True)),
        ("05/06/2026", ("20260506", False)),
        ("13/13/2026", ("", True)),
        ("2026-02-30", ("", True)),
        ("2026-01/31", ("", True)),
        ("01/31/26", ("", True)),
        ("260131", ("", True)),
        ("", ("", True)),
    ],
)
def test_a_date_is_read_where_its_month_is_sure(text: str, date: tuple[str, bool]) -> None:
    assert write_date(text) == date


@pytest.mark.parametrize(
    ("text", "time"), [("09:30", "0930"), ("09:30:15", "093015"), ("24:00", ""), ("9:30", ""), ("0930", "")]
)
def test_a_time_is_read_with_colons(text: str, time: str) -> None:
    assert write_time(text) == time


# -- rules and repairs -------------------------------------------------------------------------------------


def test_each_rule_that_says_fixable_has_a_repair_and_each_repair_its_rule() -> None:
    assert {rule.id: rule.fixable for rule in BOOK.rules if rule.fixable} == {
        rule: registered.may for rule, registered in REPAIRS.items()
    }


def test_each_repair_is_as_sure_as_its_rule_says() -> None:
    made = Counter()
    for wrong, right in (*SAFE, *UNSAFE):
        _, fixed = repaired(PATIENTS.replace(right, wrong, 1).encode(), unsafe=True)
        made.update((repair.rule, "safe" if repair.safe else "unsafe") for repair in fixed.repairs)
    assert all(safety in REPAIRS[rule].may for rule, safety in made)
    tried = {rule for rule, _ in made}
    # The others have no place in a plain file of claims, or tests of their own.
    assert set(REPAIRS) - tried <= {
        "code.country",
        "code.currency",
        "code.member-id",
        "code.procedure",
        "guide.element-type",
        "x12.version",
    }


@pytest.mark.parametrize(
    ("old", "wrong", "right"),
    [
        ("N4*COLUMBUS*OH*432150012", "N4*TORONTO*ON*M5V 3L9*ca", "N4*TORONTO*ON*M5V 3L9*CA"),
        ("PRV*BI*PXC*261QP2000X", "PRV*BI*PXC*261QP2000X~\nCUR*85*usd", "PRV*BI*PXC*261QP2000X~\nCUR*85*USD"),
        ("SV1*HC:97530:GP", "SV1*HC:g0151:GP", "SV1*HC:G0151:GP"),
        ("LX*1~", "LX* 1~", "LX*1~"),
    ],
)
def test_other_codes_are_written_in_capitals(old: str, wrong: str, right: str) -> None:
    out, _ = repaired(PATIENTS.replace(old, wrong, 1).encode())
    expected, _ = repaired(PATIENTS.replace(old, right, 1).encode())
    assert out == expected


def test_a_medicare_id_is_written_as_on_the_card_but_without_its_dashes() -> None:
    text = (CLEAN / "pt-clinic.837").read_text()
    number = re.search(r"\*MI\*([1-9][A-Z][0-9A-Z]\d[A-Z][0-9A-Z]\d[A-Z]{2}\d\d)~", text)
    assert number is not None
    mbi = number[1]
    wrong = text.replace(mbi, f"{mbi[:4]}-{mbi[4:7]}-{mbi[7:]}".lower())
    assert repaired(wrong.encode())[0].decode() == text


# -- no other byte -----------------------------------------------------------------------------------------


def wrapped(text: str, width: int, end: str) -> str:
    return "".join(text[at : at + width] + end for at in range(0, len(text), width))


LAYOUTS = {
    "none": lambda segments, t: t.join(segments) + t,
    "LF": lambda segments, t: f"{t}\n".join(segments) + f"{t}\n",
    "CRLF": lambda segments, t: f"{t}\r\n".join(segments) + f"{t}\r\n",
    "no end": lambda segments, t: t.join(segments),
    "empty lines": lambda segments, t: f"{t}\n\n".join(segments) + f"{t}\n\n\n",
    "empty segments": lambda segments, t: f"{t}{t}".join(segments) + t,
    "blanks": lambda segments, t: f"{t}\n  ".join(segments) + f"{t}  \x1a",
    "tail": lambda segments, t: f"{t}\n".join(segments) + f"{t}\nEND OF FILE\n",
}
WRAPPED = {
    "wrapped at 80": lambda text: wrapped(text, 80, "\n"),
    "wrapped at 128 with CRLF": lambda text: wrapped(text, 128, "\r\n"),
}
# Element, component, repetition, terminator
DELIMITERS = ["*:^~", "|>^~", "*<!'", "\x1d\x1f\x1e\x1c", "*:^\n", "+>U\r"]


def delimited(text: str, delimiters: str) -> list[str]:
    element, component, repetition, _ = delimiters
    table = str.maketrans({"*": element, ":": component, "^": repetition})
    return [segment.strip().translate(table) for segment in text.split("~") if segment.strip()]


def damage(segments: list[str], chance: Random, delimiters: str) -> list[str]:
    """The segments with faults of form, of which each has one right form."""
    element, component = delimiters[:2]
    damaged, level = [], 0
    for segment in segments:
        cells = segment.split(element)
        name, hit = cells[0], chance.random() < 0.3
        if name in ("SE", "GE", "IEA") and hit:
            cells[chance.choice((1, 2))] = "77"
        elif name == "HL":
            level += 1
            if hit and level % 3 == 0:
                cells[4] = "1" if cells[3] == "23" else cells[4]
        elif name in ("ISA", "GS", "ST", "BHT") or not hit:
            pass
        elif name == "N4" and len(cells) > 3 and len(cells[3]) == 9:
            cells[3] = f"{cells[3][:5]}-{cells[3][5:]}"
            cells[2] = cells[2].lower()
        elif name == "HI":
            qualifier, code = cells[1].lower().split(component)
            cells[1] = f"{qualifier}{component}{code[:3]}{'.' if code[3:] else ''}{code[3:]}"
        elif name == "LX":
            cells[1] = str(int(cells[1]) + chance.choice((3, 17)))
        elif name == "DTP" and cells[2] == "D8":
            cells[2:] = ["d8", f"{cells[3][:4]}-{cells[3][4:6]}-{cells[3][6:]}"]
        elif name in ("N3", "PRV", "SBR", "REF", "NM1"):
            wrong = [name.lower(), *cells[1:]], [*cells, "", ""], [*cells[:-1], cells[-1] + "  "]
            cells = chance.choice(wrong)
        damaged.append(element.join(cells))
    return damaged


@cache
def books(maker: str) -> str:
    """Claims of two makers without a finding that a repair could touch."""
    if maker == "first":
        return "".join(generate(40, seed=5, per_transaction=15, every_kind=True))
    return "".join(piece.text for piece in make("clean", 40, seed=7, per_transaction=15))


def hold(text: str, lay: object, delimiters: str, seed: int) -> None:
    right = delimited(text, delimiters)
    # A byte that is no UTF-8, and a character of two bytes, in what is not repaired.
    right = [s.replace("OAK", "\udce9K").replace("MAPLE", "MÄPLE") for s in right]
    wrong = damage(right, Random(seed), delimiters)
    terminator = delimiters[3]
    encode = lambda segments: lay(segments, terminator).encode("utf-8", "surrogateescape")  # noqa: E731
    out, fixed = repaired(encode(wrong))
    assert fixed.count
    expected, left = encode(right), {repair.repair.ordinal for repair in fixed.withheld}
    if left:
        expected = encode([wrong[n] if n + 1 in left else segment for n, segment in enumerate(right)])
    assert out == expected
    again, second = repaired(out)
    assert (again, second.count) == (out, 0)


@pytest.mark.long
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("delimiters", DELIMITERS, ids=ascii)
def test_beside_the_repaired_elements_no_byte_changes(delimiters: str, layout: str) -> None:
    # Each maker meets each set of delimiters and each layout.
    second = (DELIMITERS.index(delimiters) + list(LAYOUTS).index(layout)) % 2
    if delimiters[3] in "\r\n" and layout in ("LF", "CRLF", "empty lines", "blanks", "tail"):
        layout = "none"
    hold(books("second" if second else "first"), LAYOUTS[layout], delimiters, seed=11)


@pytest.mark.long
@pytest.mark.parametrize("layout", WRAPPED)
@pytest.mark.parametrize("maker", ["first", "second"])
def test_lines_of_one_width_are_wrapped_again(maker: str, layout: str) -> None:
    def lay(segments: list[str], terminator: str) -> str:
        return WRAPPED[layout](terminator.join(segments) + terminator)

    hold(books(maker), lay, DELIMITERS[0], seed=3)


FILES = sorted(
    path
    for folder in (ROOT / "samples" / "837p", DATA / "field" / "cases", DATA / "hostile", CORPUS / "837p")
    for path in folder.rglob("*")
    if path.is_file() and path.stat().st_size < 100_000 and path.suffix not in (".csv", ".zip", ".gz")
)


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_of_any_file_only_the_repaired_segments_differ(path: object) -> None:
    data = path.read_bytes()
    for unsafe in (False, True):
        try:
            out, fixed = repaired(data, unsafe=unsafe)
        except (CannotFix, NotX12):
            return
        again, second = repaired(out, unsafe=unsafe)
        assert (again, second.count) == (out, 0)
        hold_to_repairs(data, out, fixed)
        assert not found(out) - found(data) or any(r.rule == "x12.segment" for r in fixed.repairs)


def hold_to_repairs(data: bytes, out: bytes, fixed: Done) -> None:
    """Undoing the repairs in the copy gives the input."""
    if not fixed.count:
        assert out == data
        return
    with TemporaryFile() as source, TemporaryFile() as copy:
        source.write(out)
        back = [r._replace(before=r.after, after=r.before) for r in reversed(fixed.repairs)]
        rewrite(source, copy, iter(sorted(back, key=lambda r: r.ordinal)), None)
        copy.seek(0)
        # A repair may take away a byte that was no UTF-8; what is put back is a letter.
        assert copy.read().replace("\u00e9".encode(), b"\xe9") == data


def test_a_file_without_repairs_is_written_as_it_is() -> None:
    for path in sorted(CLEAN.glob("*.837")):
        out, fixed = repaired(path.read_bytes())
        assert (out, fixed.count) == (path.read_bytes(), 0)


TEXT = st.text(alphabet="AB*: ", max_size=12)


@given(TEXT, TEXT)
def test_the_edits_of_a_segment_make_the_one_of_the_other(before: str, after: str) -> None:
    text, shift = before, 0
    for start, end, new in find_edits(before, after, "*"):
        text = text[: start + shift] + new + text[end + shift :]
        shift += len(new) - (end - start)
    assert text == after


# -- hostile input -----------------------------------------------------------------------------------------


@pytest.mark.long
@settings(max_examples=60)
@given(st.integers(0, 10**6))
def test_whatever_is_done_to_a_file_a_repair_makes_it_no_worse(seed: int) -> None:
    chance = Random(seed)
    data = bytearray(CLAIM.encode())
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        how = chance.randrange(4)
        if how == 0:
            data[at] = chance.choice(b"*:~^ \n-./09azAZ\xe9\x00")
        elif how == 1:
            del data[at : at + chance.randint(1, 20)]
        elif how == 2:
            data[at:at] = chance.choice((b"*", b"~", b" ", b"**", b"-", b"~~", b"\n", b"IEA*1*1~"))
        else:
            data[at : at + 8] = bytes(data[at : at + 8]).lower()
    try:
        out, fixed = repaired(bytes(data), unsafe=chance.random() < 0.5)
    except (CannotFix, NotX12):
        return
    hold_to_repairs(bytes(data), out, fixed)


@pytest.mark.long
def test_repairs_need_no_memory_beside_that_of_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that is many times as long as what is read at once, with a repair in most claims."""
    import tracemalloc

    for module in (rewriting, blocks):
        monkeypatch.setattr(module, "CHUNK", 1 << 14)
    asked, peaks = checker(), []
    text = "".join(generate(1500, seed=1)).replace("HI*ABK:M", "HI*ABK:m").encode()
    with TemporaryFile() as source:
        source.write(text)
        # The first two fill what is kept from one check to the next.
        for repairs in (False, True) * 2:
            source.seek(0)
            tracemalloc.start()
            if not repairs:
                for _ in asked.check(cast(BinaryIO, source)):
                    pass
            else:
                with fix(asked, source, unsafe=False, look=lambda: None) as fixed:
                    assert fixed.count > 500
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    _, _, check, repaired_too = peaks
    # A quarter of the file, were it held.
    assert repaired_too < check + len(text) // 4, peaks
