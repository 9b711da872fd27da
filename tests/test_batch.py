"""A batch: what comes out is what one process makes of each input, whatever happens to the workers."""

import gzip
import io
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import edi_checker.batch.dispatch
import edi_checker.batch.joining
import edi_checker.batch.ranges
import edi_checker.batch.tasks
import edi_checker.reports.json_report
import kills
from edi_checker.batch.dispatch import Batch
from edi_checker.batch.memory import agree
from edi_checker.batch.ranges import Irregular, cut_ranges
from edi_checker.batch.resume import FILE, read_header
from edi_checker.batch.session import Settings, find_paths, name_all, run_session
from edi_checker.batch.summary import print_summary
from edi_checker.batch.workers import Died, Done, Said, Workers
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.redact import Redactor
from edi_checker.facts import Setting
from edi_checker.facts.context import ClaimsSeen, ProviderDays
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.json_report import read_findings
from edi_checker.rules import Rulebook
from edi_checker.rules import load as load_rules
from edi_checker.rules.model import Reference
from edi_checker.run.one_input import Files, Limits, Watcher, check_input
from edi_checker.run.setting import Made
from edi_checker.x12.blocks import MAX_BLOCK, MAX_SEGMENT, Bounds, read_blocks
from generate_claims import generate

SIZE = 30_000  # characters of a range in these tests: some forty claims
ENDINGS = ("json", "999", "277ca", "ta1", "html")
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def rulebook():
    return load_rules(())


@pytest.fixture(scope="module")
def checker(rulebook):
    return Checker(load_guide(), Engine(rulebook, "python"), Setting(20261121, built_in()))


@pytest.fixture(scope="module")
def claims():
    """Some 140 KB of claims, three a set, a tenth of them faulty."""
    return "".join(generate(198, seed=3, invalid=0.1, per_transaction=3))


@pytest.fixture(scope="module")
def one_set():
    """Some 210 KB of claims in one set, a tenth of them faulty."""
    return "".join(generate(300, seed=4, invalid=0.1, per_transaction=300))


class Inline:
    """A crew without processes: does its tasks in a random order, and loses some of them."""

    def __init__(self, size, make_work, *, seed=0, deaths=0.0):
        self._size, self._work = size, make_work()
        self._random, self._deaths = random.Random(seed), deaths
        self._tasks = []
        self.done = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    idle = property(lambda self: len(self._tasks) < self._size)
    busy = property(lambda self: bool(self._tasks))

    def give(self, task):
        self._tasks.append(task)

    def events(self, _seconds):
        task = self._tasks.pop(self._random.randrange(len(self._tasks)))
        if self._random.random() < self._deaths:
            yield Died(task)
            return
        said = []
        result = self._work(task, said.append)
        self.done.append(task)
        yield from (Said(task, what) for what in said)
        yield Done(task, result)


@pytest.fixture
def inline(monkeypatch):
    """Put a crew without processes in place of the real one; the function gives it its ways."""

    def put(**ways):
        crews = []

        def hire(size, make_work):
            crews.append(Inline(size, make_work, **ways))
            return crews[-1]

        monkeypatch.setattr(
            edi_checker.batch.dispatch,
            "Workers",
            type("", (), {"__class_getitem__": classmethod(lambda *_: hire)}),
        )
        return crews

    return put


def one_process(checker, rulebook, source, folder, *, page=False, redactor=None, limits=None):
    """What a single process writes of each input, by name of the file."""
    inputs = list(find_inputs([str(source)]))
    folder.mkdir(parents=True, exist_ok=True)
    fresh = replace(checker, engine=Engine(rulebook, "python"))
    files = Files(OutputFolder(folder), acks=True, version="1", rules=rulebook.rules, page=page)
    watcher = Watcher(lambda _: None, lambda: None, lambda _: None)
    for each, name in zip(inputs, name_all(inputs), strict=True):
        check_input(
            fresh,
            each,
            name,
            report=None,
            files=files,
            watcher=watcher,
            redactor=redactor,
            limits=limits or Limits(),
        )
    return written(folder)


def session(
    checker,
    rulebook,
    sources,
    folder,
    *,
    workers=2,
    size=SIZE,
    resume=False,
    look=None,
    page=False,
    key=b"",
    limits=None,
    **options,
):
    inputs = list(find_inputs([str(source) for source in sources]))
    folder.mkdir(parents=True, exist_ok=True)
    redactor = Redactor(key) if key else None
    settings = Settings(
        workers,
        "ndjson",
        resume,
        options,
        redactor=redactor,
        range_size=size,
        limits=limits or Limits(),
    )
    files = Files(OutputFolder(folder), acks=True, version="1", rules=rulebook.rules, page=page)
    return run_session(
        Made(checker, rulebook),
        inputs,
        name_all(inputs),
        files,
        settings,
        look=look or (lambda *_: None),
        clock=time.monotonic,
    )


def written(folder):
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.iterdir())
        if file.suffix[1:] in ENDINGS and file.name != "summary.json"
    }


def save(folder, text, name="claims.837"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def blocks_of(text):
    return list(read_blocks(io.BytesIO(text.encode())))


def cut(text, size=SIZE):
    return list(cut_ranges(blocks_of(text), size))


# -- ranges


def test_ranges_are_the_whole_input_in_order(claims):
    ranges = cut(claims)
    assert len(ranges) > 3
    assert [block for each in ranges for block in each.blocks] == blocks_of(claims)
    assert [each.number for each in ranges] == list(range(len(ranges)))
    assert [each.following for each in ranges] == [each.blocks[0] for each in ranges[1:]] + [None]
    assert ranges[0].above == ()
    for each in ranges[1:]:
        assert (each.blocks[0].kind, each.inside) == ("ST", None)
        assert [block.kind for block in each.above] == ["ISA", "GS"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_ranges_do_not_depend_on_line_ends(claims, end):
    assert cut(claims.replace("\n", end)) == cut(claims)


def test_a_set_without_end_is_not_held_in_memory(claims, monkeypatch):
    monkeypatch.setattr(edi_checker.batch.ranges, "LONGEST", 1 << 20)

    class Endless:
        """Claims of one subscriber, before which no range can end."""

        given = 0

        def read(self, size=-1):
            self.given += size
            return claims[:3000].encode() if self.given == size else (b"CLM*A*1~\n" * size)[:size]

    source = Endless()
    with pytest.raises(Irregular):
        list(cut_ranges(read_blocks(source), SIZE))
    assert source.given < 1 << 23


# -- the same as one process


def mutations():
    """Changes of a file, from a fault in one claim to an envelope that falls apart."""
    return {
        "none": lambda text: text,
        "no line ends": lambda text: text.replace("\n", ""),
        "padding at the end": lambda text: text + "\n \n\x1a",
        "set not ended": lambda text: re.sub(r"SE\*\d+\*0030~\n", "", text),
        "each set not ended": lambda text: re.sub(r"SE\*\d+\*\d+~\n", "", text),
        "wrong count of segments": lambda text: re.sub(r"SE\*\d+\*0031~", "SE*7*0031~", text),
        "wrong number of a set": lambda text: re.sub(r"(SE\*\d+\*)0032~", r"\g<1>9999~", text),
        "number of a set twice": lambda text: text.replace("ST*837*0040*", "ST*837*0004*"),
        "wrong count of sets": lambda text: text.replace("GE*66*1~", "GE*65*1~"),
        "wrong number of the group": lambda text: text.replace("GE*66*1~", "GE*66*2~"),
        "wrong count of groups": lambda text: text.replace("IEA*1*", "IEA*2*"),
        "wrong number of the interchange": lambda text: text.replace("IEA*1*000000001", "IEA*1*000000002"),
        "no group end": lambda text: text.replace("GE*66*1~\n", ""),
        "no end": lambda text: text.replace("IEA*1*000000001~\n", ""),
        "cut off in a claim": lambda text: text[: text.index("ST*837*0050*") + 3000],
        "other version of the group": lambda text: text.replace("*X*005010X222A1~", "*X*004010X098A1~", 1),
        "base version of the group": lambda text: text.replace("*X*005010X222A1~", "*X*005010X222~", 1),
        "other version of a set": lambda text: text.replace("ST*837*0033*005010X222A1", "ST*837*0033*X"),
        "another set": lambda text: text.replace("ST*837*0033*", "ST*835*0033*"),
        "interchange to be noted": lambda text: text.replace("*00501*000000001*0*", "*00501*000000001*1*"),
        "faulty interchange": lambda text: text.replace("ISA*00*", "ISA*77*"),
        "faulty group": lambda text: text.replace("GS*HC*BROOKBILLING", "GS*HC*"),
        "stray text in the envelope": lambda text: text.replace("GE*66*1~", "XX*1~\nGE*66*1~"),
        "stray text behind": lambda text: text + "NOTE*1~\n",
        "foreign letters": lambda text: text.replace("CANAL STREET", "CANAL STRE\u00cbT"),
        "two groups": two_groups,
        "two groups, first not ended": lambda text: two_groups(text).replace("GE*33*1~\n", ""),
        "two groups, second rejected": lambda text: two_groups(text).replace("GE*33*2~", "GE*33*7~"),
        "two interchanges": two_interchanges,
        "two interchanges, first rejected": lambda text: two_interchanges(text).replace(
            "IEA*1*000000001", "IEA*1*000000009"
        ),
        "claims sent twice": sent_twice,
        "few numbers for many claims": lambda text: re.sub(r"CLM\*[^*]*([0-9])\*", r"CLM*N\1*", text),
        "busy provider": lambda text: re.sub(
            r"DTP\*472\*D8\*\d{8}",
            "DTP*472*D8*20260304",
            re.sub(r"(NM1\*82\*1\*)[^~]*", r"\g<1>ROWAN*TOM****XX*1100000003", text),
        ),
        "claim too many": lambda text: text.replace("~\nLX*1~", "~\nLX*2~", 40),
        "a blank before": lambda text: " " + text,
        "a byte order mark": lambda text: "\ufeff" + text,
        "a blank before a segment": lambda text: text.replace("~\nHL*", "~ HL*"),
        "an empty segment": lambda text: text.replace("~\nHL*", "~~HL*", 1),
        "everything twice": lambda text: text + text,
        "a set behind the group": lambda text: text.replace("GE*66*1~", "GE*66*1~\nST*837*9*X~"),
        "an ISA for the trailer": lambda text: text.replace("IEA*1*", "ISA*1*"),
        "no repetition separator": lambda text: text.replace("*^*00501*", "***00501*"),
        "no component separator": lambda text: text.replace("*0*P*:~", "*0*P*~"),
        "other separators": lambda text: text.replace("*", "|").replace(":", ">").replace("~", "'"),
        "separators of blanks": lambda text: text.replace("*", "\x1d"),
        "no claims": lambda text: "no claims" * 10_000,
    }


def two_groups(text):
    middle = text.index("ST*837*0034*")
    return (
        text[:middle]
        + "GE*33*1~\nGS*HC*BROOKBILLING*MAPLEHEALTH*20261015*0930*2*X*005010X222A1~\n"
        + text[middle:].replace("GE*66*1~\nIEA*1*", "GE*33*2~\nIEA*2*")
    )


def two_interchanges(text):
    head = text[: text.index("ST*837*")]
    middle = text.index("ST*837*0034*")
    return (
        text[:middle]
        + "GE*33*1~\nIEA*1*000000001~\n"
        + head.replace("*000000001*", "*000000002*")
        + text[middle:].replace("GE*66*1~\nIEA*1*000000001", "GE*33*1~\nIEA*1*000000002")
    )


def sent_twice(text):
    """The sets of the file a second time, under new numbers."""
    begin, end = text.index("ST*837*"), text.index("GE*66*1~")
    again = re.sub(r"(ST\*837\*|SE\*\d+\*)0(\d{3})", r"\g<1>7\2", text[begin:end])
    return text[:end] + again + text[end:].replace("GE*66*", "GE*132*")


@pytest.mark.parametrize("change", mutations())
def test_a_cut_input_gives_what_one_process_gives(tmp_path, checker, rulebook, claims, inline, change):
    crews = inline(seed=hash(change) % 1000)
    source = save(tmp_path / "in", mutations()[change](claims))
    outcome = session(checker, rulebook, [source], tmp_path / "out")
    assert written(tmp_path / "out") == one_process(checker, rulebook, source, tmp_path / "one")
    assert [record.path for record in outcome.records] == [str(source)]
    whole = any(task.range is None for task in crews[0].done)
    assert whole == (change in {"number of a set twice", "everything twice", "no claims"})
    # With an ISA of one element too many the file is one block, and nothing to cut.
    assert whole or len(crews[0].done) > 1 or change == "no repetition separator"


def changes_of_one_set():
    return {
        "none": lambda text: text,
        "no line ends": lambda text: text.replace("\n", ""),
        "behind other sets": follow_up,
        "set not ended": lambda text: re.sub(r"SE\*\d+\*0001~\n", "", text),
        "wrong count of segments": lambda text: re.sub(r"SE\*\d+\*0001~", "SE*7*0001~", text),
        "wrong number of the set": lambda text: re.sub(r"(SE\*\d+\*)0001~", r"\g<1>9999~", text),
        "rejected provider": lambda text: text.replace("XX*1200000036~", "XX*1200000037~"),
        "rejected first provider": lambda text: text.replace("XX*1200000002~", "XX*1200000001~"),
        "faulty providers": lambda text: text.replace("N4*COLUMBUS*OH*432150001~", "N4*COLUMBUS*OH~"),
        "faulty header": lambda text: text.replace("PER*IC*CONTACT DESK*TE*6145550100~\n", ""),
        "other set": lambda text: text.replace("ST*837*", "ST*835*"),
        "hierarchy": lambda text: text.replace("~\nHL*200*", "~\nHL*201*"),
        "hierarchy from there": lambda text: re.sub(
            r"HL\*([2-9]\d\d)\*", lambda found: f"HL*{int(found[1]) + 1}*", text
        ),
        "faulty subscribers": lambda text: text.replace("~\nDMG*D8*19", "~\nDMG*D8*09"),
        "claims not at their place": lambda text: re.sub(r"(HL\*\d+\*\d+\*22\*)0", r"\g<1>1", text),
        "busy provider": mutations()["busy provider"],
        "a claim as often as can be": repeat_claim,
        "cut off": lambda text: text[: text.index("HL*310*") + 500],
        "an element that holds HL": lambda text: text.replace("FIR*MORGAN", "FIR\nHL*1*1*22*0"),
        "foreign letters": lambda text: text.replace("CANAL STREET", "CANAL STRE\u00cbT"),
    }


def follow_up(text):
    """Two small sets before the large one, and one behind it."""
    small = "".join(generate(3, per_transaction=1))
    one, two, three = re.findall(r"ST\*837.*?SE\*\d+\*\d+~\n", small, re.DOTALL)
    text = text.replace("*0001*005010X222A1~\n", "*0009*005010X222A1~\n", 1)
    text = re.sub(r"(SE\*\d+\*)0001~\n", r"\g<1>0009~\n" + three, text)
    return text.replace("ST*837*0009", one + two + "ST*837*0009", 1).replace("GE*1*", "GE*4*")


def repeat_claim(text):
    """A claim of many with its number anew under each of the subscribers behind it."""
    claim = re.search(r"CLM\*.*?(?=HL\*)", text, re.DOTALL)[0]
    return re.sub(r"CLM\*.*?(?=HL\*|SE\*)", lambda _: claim, text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("change", "isolation"),
    [
        *((change, "claim") for change in changes_of_one_set()),
        *((change, "transaction") for change in ("none", "behind other sets", "rejected provider")),
    ],
)
def test_a_large_set_is_cut_between_subscribers(
    tmp_path, checker, rulebook, one_set, inline, change, isolation
):
    crews = inline(seed=len(change))
    checker = replace(checker, isolation=isolation)
    source = save(tmp_path / "in", changes_of_one_set()[change](one_set))
    session(checker, rulebook, [source], tmp_path / "out")
    assert written(tmp_path / "out") == one_process(checker, rulebook, source, tmp_path / "one")
    assert any(task.range is None for task in crews[0].done) == (
        change in {"other set", "hierarchy from there"}
    )
    # The claim that is repeated is a short one.
    least = 1 if change == "a claim as often as can be" else 3
    assert sum(task.range is not None and task.range.inside is not None for task in crews[0].done) >= least


def test_what_cannot_be_joined_is_checked_in_one_piece(
    tmp_path, checker, rulebook, claims, inline, monkeypatch
):
    agreed = iter([True] * 100)
    monkeypatch.setattr(edi_checker.batch.joining, "agree", lambda *_: next(agreed))
    crews = inline()
    source = save(tmp_path / "in", claims)
    session(checker, rulebook, [source], tmp_path / "out")
    assert written(tmp_path / "out") == one_process(checker, rulebook, source, tmp_path / "one")
    assert crews[0].done[-1].range is None and len(crews[0].done) > 3


@pytest.mark.parametrize("change", ["claims sent twice", "busy provider"])
def test_what_is_remembered_is_bounded_over_all_ranges(
    tmp_path, checker, rulebook, claims, inline, monkeypatch, change
):
    monkeypatch.setattr(ClaimsSeen, "LIMIT", 60)
    monkeypatch.setattr(ProviderDays, "LIMIT", 20)
    inline()
    source = save(tmp_path / "in", mutations()[change](claims))
    session(checker, rulebook, [source], tmp_path / "out")
    assert written(tmp_path / "out") == one_process(checker, rulebook, source, tmp_path / "one")


@pytest.mark.parametrize("most", [1, 7, 15])
def test_a_hostile_number_of_findings_is_cut_alike_in_ranges(
    tmp_path, checker, rulebook, claims, inline, most
):
    inline()
    source = save(tmp_path / "in", claims)
    limits = Limits(findings=most)
    session(checker, rulebook, [source], tmp_path / "out", limits=limits)
    whole = one_process(checker, rulebook, source, tmp_path / "one", limits=limits)
    found = json.loads(next(data for name, data in whole.items() if name.endswith(".json")))["files"][0]
    assert len(found["findings"]) == most
    assert (
        sum(found["unlisted"].values())
        == sum(found["counts"][s] for s in ("error", "warning", "info")) - most
    )
    assert written(tmp_path / "out") == whole
    listed = (tmp_path / "out" / "findings.ndjson").read_text().splitlines()
    assert len(listed) == most + len(found["unlisted"])
    assert json.loads(listed[-1])["unlisted"] > 0


def test_a_hostile_envelope_is_given_up_alike_in_ranges(tmp_path, checker, rulebook, claims, inline):
    inline()
    head, _, rest = claims.partition("\nST*")
    source = save(tmp_path / "in", f"{head}\n" + "ST*837*0001~\n" * 150 + f"ST*{rest}")
    session(checker, rulebook, [source], tmp_path / "out")
    whole = one_process(checker, rulebook, source, tmp_path / "one")
    assert written(tmp_path / "out") == whole
    [made] = [json.loads(data) for name, data in whole.items() if name.endswith(".json")]
    assert made["files"][0]["outcome"] == "not_checked"
    assert not [name for name in whole if name.endswith(("999", "277ca", "ta1"))]


def test_a_hostile_input_that_takes_too_long_is_not_checked(tmp_path, checker, rulebook, claims, inline):
    inline()
    ticks = itertools.count()
    limits = Limits(seconds=2, clock=lambda: next(ticks))
    source = save(tmp_path / "in", claims)
    outcome = session(checker, rulebook, [source], tmp_path / "out", limits=limits)
    assert outcome.records[0].outcome == "not_checked"
    assert "--max-seconds" in outcome.records[0].reason
    [made] = [
        json.loads(data)
        for name, data in one_process(checker, rulebook, source, tmp_path / "one", limits=limits).items()
        if name.endswith(".json")
    ]
    assert "--max-seconds" in made["files"][0]["reason"]


def test_ranges_of_a_large_set_know_what_is_before(one_set):
    ranges = cut(one_set)
    blocks = blocks_of(one_set)
    assert [block for each in ranges for block in each.blocks] == blocks
    assert len(ranges) > 3
    for each in ranges[1:]:
        before = blocks[: blocks.index(each.blocks[0])]
        levels = [block for block in before if block.kind == "HL"]
        assert each.blocks[0].text.startswith(f"HL*{len(levels) + 1}*")
        assert "*22*" in each.blocks[0].text.partition("~")[0]
        assert [block.kind for block in each.above] == ["ISA", "GS", "ST", "HL"]
        providers = [block for block in levels if block.text.partition("~")[0].endswith("*20*1")]
        assert each.above[-1] == providers[-1]
        assert each.inside == (levels.index(providers[-1]), len(levels))


def test_random_changes_give_what_one_process_gives(tmp_path, checker, rulebook, claims, one_set, inline):
    chance = random.Random(11)
    for count in range(8):
        text = chance.choice((claims, one_set))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text))
            text = chance.choice(
                (
                    text[:at] + text[at + chance.randint(1, 200) :],
                    text[:at] + chance.choice("*~:^\n A1") + text[at:],
                    text[:at] + text[at : at + 300] + text[at:],
                )
            )
        inline(seed=count)
        source = save(tmp_path / f"in{count}", text)
        session(checker, rulebook, [source], tmp_path / f"out{count}")
        assert written(tmp_path / f"out{count}") == one_process(
            checker, rulebook, source, tmp_path / f"one{count}"
        )


@pytest.fixture
def agreed(monkeypatch):
    """Whether claims were left as their range found them, one after the other."""
    said = []

    def note(*arguments):
        said.append(agree(*arguments))
        return said[-1]

    monkeypatch.setattr(edi_checker.batch.joining, "agree", note)
    return said


def test_claims_sent_twice_are_found_across_ranges(tmp_path, checker, rulebook, claims, inline, agreed):
    crews = inline()
    source = save(tmp_path / "in", sent_twice(claims))
    session(checker, rulebook, [source], tmp_path / "out")
    found = json.loads((tmp_path / "out" / "claims.json").read_text())["files"][0]["findings"]
    repeated = sum(finding["rule"] == "duplicate.claim" for finding in found)
    assert repeated > 120
    assert agreed.count(False) == repeated
    assert not any(task.range is None for task in crews[0].done)


def test_a_claim_is_judged_again_only_where_the_past_matters(
    tmp_path, checker, rulebook, claims, inline, agreed
):
    inline()
    session(checker, rulebook, [save(tmp_path / "in", claims)], tmp_path / "out")
    assert agreed == [True] * 198


def test_minutes_matter_from_where_a_rule_looks_at_them(rulebook):
    asked = "provider_minutes"
    assert rulebook.least_asked(asked) == 720
    rest = [rule for rule in rulebook.rules if rule.id != "therapy.minutes-implied"]
    assert Rulebook(tuple(rest)).least_asked(asked) > 10**9
    said = Reference("day", "provider_minutes", "int")
    case = replace(rest[0].cases[0], message=("Worked: ", said))
    assert Rulebook((*rest, replace(rest[0], cases=(case,)))).least_asked(asked) == 0


# -- with the options of a check


@pytest.mark.parametrize("change", ["none", "busy provider", "claims sent twice", "faulty group"])
def test_redacted_ranges_give_what_one_process_redacts(tmp_path, checker, rulebook, claims, inline, change):
    crews = inline(seed=len(change))
    source = save(tmp_path / "in", mutations()[change](claims))
    session(checker, rulebook, [source], tmp_path / "out", key=KEY)
    whole = one_process(checker, rulebook, source, tmp_path / "one", redactor=Redactor(KEY))
    assert written(tmp_path / "out") == whole
    assert b"CLAIM-" in whole["claims.json"] and b"C0001-0000001" not in whole["claims.json"]
    assert any(task.range is not None for task in crews[0].done)


@pytest.mark.parametrize("isolation", ["claim", "transaction"])
def test_a_redacted_set_is_cut_as_any_other(tmp_path, checker, rulebook, one_set, inline, isolation):
    crews = inline()
    checker = replace(checker, isolation=isolation)
    source = save(tmp_path / "in", changes_of_one_set()["behind other sets"](one_set))
    session(checker, rulebook, [source], tmp_path / "out", key=KEY)
    whole = one_process(checker, rulebook, source, tmp_path / "one", redactor=Redactor(KEY))
    assert written(tmp_path / "out") == whole
    assert any(task.range.inside for task in crews[0].done if task.range is not None)


def test_tokens_of_another_run_are_not_gone_on_with(tmp_path, checker, rulebook, inline):
    inline()
    save(tmp_path / "in", "".join(generate(2)), "a.837")
    session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", key=KEY)
    assert resumed(checker, rulebook, tmp_path) == 0
    assert resumed(checker, rulebook, tmp_path) == 1
    assert resumed(checker, rulebook, tmp_path, key=KEY) == 0
    assert resumed(checker, rulebook, tmp_path, key=KEY) == 0


def test_pages_are_those_of_one_process(tmp_path, checker, rulebook, claims, inline):
    crews = inline()
    save(tmp_path / "in", claims, "a.837")
    save(tmp_path / "in", "".join(generate(9, invalid=0.5)), "b.837")
    save(tmp_path / "in", "nothing", "c.837")
    session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", page=True, workers=3)
    whole = one_process(checker, rulebook, tmp_path / "in", tmp_path / "one", page=True)
    made = written(tmp_path / "out")
    assert made.pop("index.html")
    assert made == whole
    assert {"a.html", "b.html", "c.html"} <= set(whole)
    assert all(task.range is None for task in crews[0].done)


def test_a_page_says_so_where_no_worker_came_to_the_end(tmp_path, checker, rulebook, inline):
    inline(deaths=1.0)
    session(checker, rulebook, [save(tmp_path / "in", "".join(generate(2)))], tmp_path / "out", page=True)
    assert "the process that checked it ended 10 times" in (tmp_path / "out" / "claims.html").read_text()


def test_bounds_hold_in_ranges_too(tmp_path, checker, rulebook, one_set, claims, inline):
    long = "NTE*ADD*" + "A" * (3 * MAX_SEGMENT) + "~\n"
    for name, text in (("sets", claims), ("one", one_set)):
        middle = text.index("~\nHI*", len(text) // 2) + 2
        source = save(tmp_path / "in", text[:middle] + long + text[middle:], f"{name}.837")
        found = []
        for bounds in (None, Bounds(4 * MAX_SEGMENT, MAX_BLOCK)):
            inline()
            bounded = replace(checker, bounds=bounds)
            session(bounded, rulebook, [source], tmp_path / "out")
            found.append(written(tmp_path / "out"))
            assert found[-1] == one_process(bounded, rulebook, source, tmp_path / "one")
        assert found[0] != found[1]


def test_a_segment_that_is_too_long_in_some_places_only_is_not_cut_off(tmp_path, checker, rulebook, inline):
    # Where it stands in what is read at once decides whether its length is seen before its end.
    text = "".join(generate(900, seed=3, per_transaction=3))
    inline()
    for name, end in (("early", 2), ("late", len(text) - 40_000)):
        at = text.index("~\nHI*", end) + 2
        long = "NTE*ADD*" + "A" * (MAX_SEGMENT * 3 // 2) + "~\n"
        source = save(tmp_path / "in", text[:at] + long + text[at:], f"{name}.837")
        session(checker, rulebook, [source], tmp_path / name)
        assert written(tmp_path / name) == one_process(checker, rulebook, source, tmp_path / f"one-{name}")


def test_an_earlier_run_with_other_bounds_is_not_gone_on_with(tmp_path, checker, rulebook, inline):
    inline()
    save(tmp_path / "in", "".join(generate(2)), "a.837")
    session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    assert resumed(replace(checker, bounds=Bounds(2 * MAX_SEGMENT)), rulebook, tmp_path) == 0


def test_the_summary_says_what_the_tables_do_not_cover(tmp_path, checker, rulebook, inline):
    inline()
    for name in "ab":
        save(tmp_path / "in", "".join(generate(4, seed=ord(name))), f"{name}.837")
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    said = json.loads((tmp_path / "out" / "summary.json").read_text())["not_covered"]
    each = [
        gap
        for name in "ab"
        for gap in json.loads((tmp_path / "out" / f"{name}.json").read_text())["files"][0]["not_covered"]
    ]
    assert each
    for gap in said:
        same = [one for one in each if (one["name"], one["side"]) == (gap["name"], gap["side"])]
        assert gap["from"] == min(one["from"] for one in same)
        assert gap["until"] == max(one["until"] for one in same)
    assert {(gap["name"], gap["side"]) for gap in said} == {(gap["name"], gap["side"]) for gap in each}
    out = io.StringIO()
    print_summary(out, outcome.records, outcome.totals, outcome.work, 120)
    assert "later changes are not known" in " ".join(out.getvalue().split())
    for gap in said:
        same = [one for one in each if (one["name"], one["side"]) == (gap["name"], gap["side"])]
        assert gap["claims"] == sum(one["claims"] for one in same) > 0
    again = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", resume=True)
    assert again.work.resumed == 2
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["not_covered"] == said


# -- workers that die


def test_lost_tasks_are_done_again(tmp_path, checker, rulebook, claims, inline):
    inline(seed=5, deaths=0.6)
    save(tmp_path / "in", claims)
    save(tmp_path / "in", "".join(generate(7)), "small.837")
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    assert outcome.work.deaths >= 2
    assert written(tmp_path / "out") == one_process(checker, rulebook, tmp_path / "in", tmp_path / "one")


def test_an_input_that_kills_every_worker_is_reported_and_the_rest_goes_on(
    tmp_path, checker, rulebook, claims, inline, monkeypatch
):
    inline()
    events = Inline.events

    def lose(crew, seconds):
        for event in events(crew, seconds):
            yield Died(event.task) if event.task.index == 0 else event

    monkeypatch.setattr(Inline, "events", lose)
    save(tmp_path / "in", claims, "a.837")
    save(tmp_path / "in", "".join(generate(3)), "b.837")
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    assert [record.outcome for record in outcome.records] == ["not_checked", "accepted"]
    assert outcome.records[0].reason == "the process that checked it ended 100 times"
    report = json.loads((tmp_path / "out" / "a.json").read_text())["files"][0]
    assert (report["outcome"], report["claims"]) == ("not_checked", [])
    assert not (tmp_path / "out" / "a.277ca").exists()


def test_the_third_try_is_made_by_the_other_engine(tmp_path, rulebook, checker, inline, monkeypatch):
    kinds = []

    class Noted(Engine):
        def __init__(self, book, kind):
            kinds.append(kind)
            super().__init__(book, "python")

    monkeypatch.setattr(edi_checker.batch.tasks, "Engine", Noted)
    durable = replace(checker, engine=Engine(rulebook, "durable"))
    lost = []
    events = Inline.events

    def lose(crew, seconds):
        for event in events(crew, seconds):
            if len(lost) < 2:
                lost.append(event)
                yield Died(event.task)
            else:
                yield event

    inline()
    monkeypatch.setattr(Inline, "events", lose)
    session(durable, rulebook, [save(tmp_path / "in", "".join(generate(3)))], tmp_path / "out")
    assert kinds == ["durable", "python"]


class Victim:
    """Work for a crew that obeys its tasks; a process for which everything is made anew."""

    def __call__(self, task, say):
        if isinstance(task, float):
            say("begun")
            time.sleep(task)
        elif task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()


def work_through(tasks, size=2):
    tasks, found = list(tasks), []
    with Workers(size, Victim) as crew:
        while tasks or crew.busy:
            while tasks and crew.idle:
                crew.give(tasks.pop(0))
            found += crew.events(5)
    return found


def test_a_dead_worker_is_told_of_and_replaced():
    found = work_through(["a", "die", "b", "die", "c", "d"])
    assert sorted(type(event).__name__ for event in found) == ["Died"] * 2 + ["Done"] * 4
    assert {event.task for event in found if isinstance(event, Died)} == {"die"}
    assert os.getpid() not in {event.result for event in found if isinstance(event, Done)}


def test_workers_speak_while_they_work():
    assert Said(0.01, "begun") in work_through([0.01])


def test_workers_go_when_they_are_stopped():
    with Workers(2, Victim) as crew:
        crew.give(60.0)
        [said] = crew.events(5)
        workers = [worker.process.pid for worker in crew._workers]
        assert said.what == "begun"
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_go_when_the_process_that_made_them_is_killed(tmp_path):
    program = (
        "import time\n"
        "from test_batch import Workers, Victim\n"
        "crew = Workers(3, Victim)\n"
        "print(*[w.process.pid for w in crew._workers], flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        cwd=root,
        env=environment(root / "tests", root / "bench"),
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 3
    process.kill()
    process.communicate()
    for _ in range(100):
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists() and is_running(pid)]
        if not alive:
            break
        time.sleep(0.05)
    assert not alive


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# -- many inputs, what is done, the summary


def test_inputs_come_in_their_order_and_one_bad_file_stops_nothing(tmp_path, checker, rulebook, inline):
    inline(seed=2)
    for number in range(6):
        save(tmp_path / "in", "".join(generate(3 + number, invalid=0.5)), f"c{number}.837")
    save(tmp_path / "in", "no claims here", "c3-notes.txt")
    (tmp_path / "in" / "c4-packed.837.gz").write_bytes(gzip.compress("".join(generate(4)).encode()))
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", workers=3)
    paths = [Path(record.path).name for record in outcome.records]
    assert paths == sorted(paths) and len(paths) == 8
    assert [record.path[-12:] for record in outcome.records if record.skipped] == ["c3-notes.txt"]
    assert written(tmp_path / "out") == one_process(checker, rulebook, tmp_path / "in", tmp_path / "one")
    rows = [json.loads(row) for row in (tmp_path / "out" / "findings.ndjson").read_text().splitlines()]
    expected = [
        {"path": record.path, **finding}
        for record in outcome.records
        if not record.skipped
        for finding in json.loads((tmp_path / "out" / f"{record.name}.json").read_text())["files"][0][
            "findings"
        ]
    ]
    assert rows == expected and rows
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["schema"] == "edi-checker/batch-summary/1"
    assert summary["files"]["total"] == len(summary["inputs"]) == 7
    assert summary["files"]["not_checked"] == 0
    assert [each["path"][-12:] for each in summary["skipped"]] == ["c3-notes.txt"]
    claims = sum(3 + number for number in range(6)) + 4
    assert summary["counts"]["claims"] == claims == summary["run"]["claims"]
    assert sum(each["count"] for each in summary["findings"]) == len(rows)
    cents = sum(int(each["charges"]["total"].replace(".", "")) for each in summary["inputs"])
    assert summary["charges"]["total"] == f"{cents // 100}.{cents % 100:02d}"


def test_a_second_run_goes_on_where_the_first_was_stopped(tmp_path, checker, rulebook, claims, inline):
    for number in range(4):
        save(tmp_path / "in", "".join(generate(4, seed=number, invalid=0.5)), f"a{number}.837")
    save(tmp_path / "in", claims, "b.837")
    whole = one_process(checker, rulebook, tmp_path / "in", tmp_path / "one")

    class Stop(Exception):
        pass

    def stop(files, _bytes, _claims):
        if files >= 2:
            raise Stop

    inline()
    with pytest.raises(Stop):
        session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", workers=1, look=stop)
    assert not (tmp_path / "out" / "summary.json").exists()
    assert 2 <= len(written(tmp_path / "out")) < len(whole)
    crews = inline()
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", resume=True)
    assert outcome.work.resumed >= 2
    assert {task.index for task in crews[0].done} == set(range(outcome.work.resumed, 5))
    assert written(tmp_path / "out") == whole
    assert len(outcome.records) == 5
    fresh = session(checker, rulebook, [tmp_path / "in"], tmp_path / "fresh")
    assert (tmp_path / "out" / "findings.ndjson").read_bytes() == (
        tmp_path / "fresh" / "findings.ndjson"
    ).read_bytes()
    assert outcome.totals == fresh.totals


@pytest.mark.parametrize("indent", [None, 1])
def test_findings_are_read_back_however_a_report_is_laid_out(monkeypatch, indent):
    monkeypatch.setattr(edi_checker.reports.json_report, "_PIECE", 7)
    rows = [{"rule": "a", "message": '"findings": [{}]\n', "n": [1.5, 12]}, {}, {"rule": "b"}]
    claims = [{"claim": "x", "findings": [{"rule": "no"}]}]
    files = [
        {"counts": {"findings": [9]}, "claims": claims, "findings": rows[:2]},
        {"findings": rows[2:], "claims": []},
    ]
    report = json.dumps({"version": 1, "files": files, "end": -12}, indent=indent)
    assert [json.loads(row) for row in read_findings(io.StringIO(report))] == rows
    assert list(read_findings(io.StringIO('{"files": []}'))) == []
    for end in (1, len(report) // 2):
        with pytest.raises(ValueError, match=r"(?i)expect|untermin|delimiter"):
            list(read_findings(io.StringIO(report[:-end])))


def resumed(checker, rulebook, tmp_path, **options):
    return session(
        checker, rulebook, [tmp_path / "in"], tmp_path / "out", resume=True, **options
    ).work.resumed


def test_what_is_done_is_verified_before_it_is_left_out(tmp_path, checker, rulebook, inline):
    inline()
    for name in "ab":
        save(tmp_path / "in", "".join(generate(2)), f"{name}.837")
    session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    assert resumed(checker, rulebook, tmp_path) == 2
    (tmp_path / "out" / "a.277ca").unlink()
    assert resumed(checker, rulebook, tmp_path) == 1
    text = "".join(generate(2))
    save(
        tmp_path / "in", text.replace("ELM", "OAK").replace("CLM*C0001-0000000", "CLM*C0001-0000009"), "b.837"
    )
    assert resumed(checker, rulebook, tmp_path) == 1
    save(tmp_path / "in", "claim,line,minutes\nC0001-0000000,1,30\n", "a.minutes.csv")
    assert resumed(checker, rulebook, tmp_path) == 1
    assert resumed(checker, rulebook, tmp_path) == 2
    assert resumed(checker, rulebook, tmp_path, profile="other") == 0
    assert (tmp_path / "out" / "a.277ca").exists()


def test_notes_that_were_cut_off_keep_what_is_whole(tmp_path, checker, rulebook, inline):
    inline()
    for name in "abc":
        save(tmp_path / "in", "".join(generate(2)), f"{name}.837")
    session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    notes = tmp_path / "out" / FILE
    assert read_header(tmp_path / "out")["received"] == "2026-11-21"
    assert notes.stat().st_mode & 0o777 == 0o600
    notes.write_bytes(notes.read_bytes()[:-40])
    assert resumed(checker, rulebook, tmp_path) == 2
    assert resumed(checker, rulebook, tmp_path) == 3
    notes.write_bytes(b"\x00\xff{[")
    assert resumed(checker, rulebook, tmp_path) == 0


def test_an_input_may_have_the_name_of_a_file_of_the_batch(tmp_path, checker, rulebook, inline):
    inline()
    save(tmp_path / "in", "".join(generate(2)), "summary.837")
    save(tmp_path / "in", "".join(generate(2)), "findings.837")
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out")
    assert [record.name for record in outcome.records] == ["findings-2", "summary-2"]
    assert "inputs" in json.loads((tmp_path / "out" / "summary.json").read_text())


def test_half_written_files_are_taken_away(tmp_path, checker, rulebook, inline):
    inline()
    out = tmp_path / "out"
    source = save(tmp_path / "in", "".join(generate(2)), "a.837")
    left = [save(out, "half", f".{name}.k3j_2x9a.part") for name in ("summary.json", "findings.ndjson")]
    left.append(save(out / ".edi-checker-stage-k3j_2x9a", "half", "json"))
    other = save(out, "half", ".somebody.txt.abcdefgh.part")
    session(checker, rulebook, [source], out)
    assert not any(file.exists() for file in left)
    assert other.exists()


def test_patterns_stand_for_the_files_they_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.837", "a.837", "c.txt", "x[1].837"):
        save(tmp_path, "", name)
    save(tmp_path / "deep" / "er", "", "d.837")
    assert list(find_paths(["*.837"])) == ["a.837", "b.837", "x[1].837"]
    assert list(find_paths(["x[1].837", "no*.837"])) == ["x[1].837", "no*.837"]
    assert list(find_paths(["**/d.837", str(tmp_path / "c.*")])) == ["deep/er/d.837", str(tmp_path / "c.txt")]


# -- the whole of it, with processes


def test_processes_give_what_one_process_gives(tmp_path, checker, rulebook, claims):
    save(tmp_path / "in", claims, "a.837")
    save(tmp_path / "in", claims[:5000], "b.837")
    save(tmp_path / "in", "".join(generate(20, invalid=0.3)), "c.837")
    outcome = session(checker, rulebook, [tmp_path / "in"], tmp_path / "out", workers=3)
    assert written(tmp_path / "out") == one_process(checker, rulebook, tmp_path / "in", tmp_path / "one")
    assert outcome.work.deaths == 0


def test_processes_that_are_killed_cost_nothing(tmp_path, checker, rulebook, claims, monkeypatch):
    source = save(tmp_path / "in", claims)
    chance = random.Random(4)
    killed = []
    take = Batch._take

    def kill_some(batch, event):
        # As long as workers are at work, one of them is killed now and then.
        if isinstance(event, Done) and len(killed) < 6:
            victim = chance.choice(crews[0]._workers)
            killed.append(victim.process.pid)
            os.kill(victim.process.pid, signal.SIGKILL)
        take(batch, event)

    crews = []
    start = Workers.__init__

    def note(crew, *arguments):
        crews.append(crew)
        start(crew, *arguments)

    monkeypatch.setattr(Workers, "__init__", note)
    monkeypatch.setattr(Batch, "_take", kill_some)
    session(checker, rulebook, [source], tmp_path / "out")
    assert len(killed) > 3
    assert written(tmp_path / "out") == one_process(checker, rulebook, source, tmp_path / "one")


# -- the command


def run_batch(*arguments, **options):
    command = [sys.executable, "-m", "edi_checker", "batch", *map(str, arguments), "--received", "2026-11-21"]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment(), **options
    )


def environment(*before):
    """That of these tests, with the package and `before` to be found first."""
    paths = [*map(str, before), str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def test_the_command_checks_and_sums_up(tmp_path):
    save(tmp_path / "in", "".join(generate(6)), "a.837")
    save(tmp_path / "in", "".join(generate(6, invalid=1)), "b.837")
    done = run_batch("in/*.837", "--out-dir", "out", "--workers", 2, "--html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "Findings by rule" in done.stdout and "12 claims in" in done.stdout
    assert "in/b.837" in done.stdout and "in/a.837" not in done.stdout
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        FILE,
        "summary.json",
        "findings.ndjson",
        "index.html",
        *(f"{name}.{ending}" for name in "ab" for ending in ENDINGS if ending != "ta1"),
    }
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "edi_checker", "check", "in", "--received", "2026-11-21"),
            *("--format", "ndjson", "--acks", "--out-dir", "one"),
        ],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=environment(),
    )
    assert (tmp_path / "out" / "findings.ndjson").read_bytes() == checked.stdout
    made = written(tmp_path / "out")
    assert made.pop("index.html")
    assert made == written(tmp_path / "one")
    again = run_batch("in", "--out-dir", "out", "--resume", "--html", "--fail-on", "never", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert "2 files were done before" in again.stdout
    one = run_batch("in/a.837", "--out-dir", "out", "--resume", "--html", "--fail-on", "never", cwd=tmp_path)
    assert "1 file was done before" in one.stdout


def test_the_command_redacts_and_draws_pages(tmp_path):
    save(tmp_path / "in", "".join(generate(6, invalid=1)), "a.837")
    done = run_batch("in", "--out-dir", "out", "--redact", "--html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    written_files = {file.name: file.read_text() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert {"a.html", "a.json", "a.277ca", "findings.ndjson"} <= set(written_files)
    for name, text in written_files.items():
        assert "C0001-" not in text, name
        assert "CANAL" not in text, name
    refused = run_batch("in", "--out-dir", "out", "--redact", "--resume", cwd=tmp_path)
    assert refused.returncode == 2 and "--resume cannot go on" in refused.stderr


def test_the_command_holds_inputs_to_the_bounds_that_are_given(tmp_path):
    text = "".join(generate(2))
    at = text.index("~\nHI*") + 2
    save(tmp_path / "in", text[:at] + "NTE*ADD*" + "A" * (3 * MAX_SEGMENT) + "~\n" + text[at:], "a.837")
    packed = gzip.compress(b"".join([text.encode(), b"\n" * 100_000]))
    save(tmp_path / "packed", packed, "b.837.gz")
    outcomes = []
    for options in ((), ("--max-segment", 1 << 22), ("--max-unpacked", 10_000)):
        run_batch("in", "packed", "--out-dir", "out", *options, cwd=tmp_path)
        summary = json.loads((tmp_path / "out" / "summary.json").read_text())
        outcomes.append([(each["outcome"], each["counts"]["claims"]) for each in summary["inputs"]])
    usual, longer, unpacked = outcomes
    assert usual[0] != longer[0] and longer[0][1] == 2
    assert usual[1] == longer[1] == ("accepted", 2)
    assert unpacked == [usual[0], ("not_checked", 0)]


def test_the_command_leaves_2_where_something_could_not_be_checked(tmp_path):
    save(tmp_path / "in", "nothing", "a.txt")
    done = run_batch("in", "gone.837", "--out-dir", "out", "--no-acks", cwd=tmp_path)
    assert done.returncode == 2
    assert "gone.837" in done.stdout and "Traceback" not in done.stderr


def test_the_command_refuses_what_it_cannot_do(tmp_path):
    save(tmp_path, "".join(generate(2)), "a.json")
    assert run_batch("-", "--out-dir", "out", cwd=tmp_path).returncode == 2
    done = run_batch("a.json", "--out-dir", ".", cwd=tmp_path)
    assert done.returncode == 2 and "would be written over" in done.stderr
    (tmp_path / "out").mkdir()
    with OutputFolder(tmp_path / "out", alone=True):
        done = run_batch("a.json", "--out-dir", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "edi-checker: out: another run is at work in this folder\n",
    )


def test_ctrl_c_stops_cleanly_and_resume_goes_on(tmp_path):
    for number in range(12):
        save(tmp_path / "in", "".join(generate(60, seed=number, invalid=0.2)), f"c{number:02}.837")
    command = [
        *(sys.executable, "-m", "edi_checker", "batch", "in", "--out-dir", "out", "--workers", "2"),
        *("--received", "2026-11-21"),
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, it is ignored from the start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads here
    )
    for _ in range(600):
        with suppress(OSError):
            if (tmp_path / "out" / FILE).read_bytes().count(b"\n") >= 3:
                break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said == (
        "",
        "edi-checker: stopped; the same command with --resume goes on from here\nedi-checker: interrupted\n",
    )
    out = tmp_path / "out"
    assert not (out / "summary.json").exists()
    assert not list(out.glob(".*.part"))
    for report in out.glob("*.json"):
        assert json.loads(report.read_text())["files"]
    done = run_batch("in", "--out-dir", "out", "--resume", cwd=tmp_path)
    assert "files were done before" in done.stdout
    fresh = run_batch("in", "--out-dir", "fresh", cwd=tmp_path)
    assert fresh.returncode == done.returncode == 1
    assert written(out) == written(tmp_path / "fresh")
    assert (out / "findings.ndjson").read_bytes() == (tmp_path / "fresh" / "findings.ndjson").read_bytes()


def test_parquet_holds_what_ndjson_holds(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    save(tmp_path / "in", "".join(generate(30, invalid=0.7)), "a.837")
    for form in ("ndjson", "parquet"):
        run_batch("in", "--out-dir", form, "--findings", form, cwd=tmp_path)
    rows = parquet.read_table(tmp_path / "parquet" / "findings.parquet").to_pylist()
    said = [json.loads(row) for row in (tmp_path / "ndjson" / "findings.ndjson").read_text().splitlines()]
    assert len(rows) == len(said) > 10
    for row, finding in zip(rows, said, strict=True):
        assert (row["path"], row["rule"], row["message"]) == (
            finding["path"],
            finding["rule"],
            finding["message"],
        )
        assert {name: row[name] for name in finding["where"]} == finding["where"]
        assert json.loads(row["related"]) == finding["related"]
        assert row["status_277ca"] == finding["status"].get("277CA", [])
    assert not (tmp_path / "parquet" / "findings.ndjson").exists()


def test_parquet_without_pyarrow_is_refused_before_anything_is_written(tmp_path):
    save(tmp_path, "".join(generate(2)), "a.837")
    save(tmp_path / "block" / "pyarrow", "raise ImportError", "__init__.py")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "edi_checker", "batch", "a.837", "--out-dir", "out"),
            *("--findings", "parquet"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path / "block"),
    )
    assert done.returncode == 2
    assert "pip install 'edi-checker[parquet]'" in done.stderr
    assert not list((tmp_path / "out").glob("*"))


# -- the bench of it


def test_the_bench_tells_folders_apart(tmp_path):
    for folder in ("one", "other"):
        save(tmp_path / folder, json.dumps({"run": {"seconds": len(folder)}, "counts": {}}), "summary.json")
        save(tmp_path / folder, "same", "a.999")
        lines = ["first", "second"] if folder == "one" else ["second", "first"]
        save(tmp_path / folder, "\n".join(lines), FILE)
    assert kills.compare_folders(tmp_path / "one", tmp_path / "other") == []
    save(tmp_path / "one", '{"run": {}, "counts": {"claims": 1}}', "summary.json")
    save(tmp_path / "one", "Same", "a.999")
    save(tmp_path / "one", "first", FILE)
    save(tmp_path / "other", "", ".a.json.abc.part")
    assert kills.compare_folders(tmp_path / "one", tmp_path / "other") == [
        ".a.json.abc.part",
        FILE,
        "a.999",
        "summary.json",
    ]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="workers are found in /proc")
def test_the_bench_runs_twice_and_compares(tmp_path, capsys):
    figures = tmp_path / "figures.json"
    # Nobody is killed in so short a time: how often an input is tried again depends on the machine.
    options = ["--claims", "300", "--shape", "files", "--every", "600", "--scratch", str(tmp_path)]
    assert kills.main([*options, "--json", str(figures)]) == 0
    [row] = json.loads(figures.read_text())["runs"]
    assert (row["claims"], row["shape"], row["different"]) == (300, "files", [])
    assert row["quiet"]["seen"]["kills"] == 0 < row["quiet"]["seen"]["together"]
    assert capsys.readouterr().out.rstrip().endswith("the same")
    assert [file.name for file in tmp_path.iterdir()] == ["figures.json"]
