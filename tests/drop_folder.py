"""A morning at a drop folder for tests: a ledger with files in each state, and an archive."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner

from edi_checker.cli import commands
from edi_checker.state import Answer, Draw, Group, Interchange, InterchangeKey, Output
from edi_checker.watch.places import Places, archive_name, make_folder
from ledgers import MORNING

SAMPLE = Path(__file__).parent.parent / "samples" / "837p" / "97530"
NOW = MORNING
HOUR = 3600.0


def run(*arguments):
    return CliRunner().invoke(commands, list(map(str, arguments)), prog_name="edi-checker")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def output(name, data=b""):
    return Output(name, digest(data or name.encode()), len(data) or 300)


def key(number):
    return InterchangeKey("ZZ", "ACME", "ZZ", "PAYER", f"{number:09d}")


def say(number, name, accepted=3, **changes):
    """The answer to a file of three transactions."""
    stem = name.partition(".")[0]
    groups = (Group("ACME", "PAYER", str(number), 3, accepted, "accepted" if accepted == 3 else "partly"),)
    return Answer(
        changes.pop("sha256", digest(name.encode())),
        changes.pop("outputs", (output(f"{stem}.json"), output(f"{stem}.999"), output(f"{stem}.277ca"))),
        (Interchange(key(number), "accepted", groups),),
        "5d3b8a",
        '{"kind": "rejected", "token": 1, "claims": 12, "rejected": 1, "findings": 3}',
        window=90 * 24 * HOUR,
        **changes,
    )


def repeat(ledger, mine, found, sha256):
    """The file is answered as one that came before."""
    return ledger.finish(ledger.answer(mine, Answer(sha256, (), (), "5d3b8a", "{}", duplicate_of=found)))


def fill(ledger, clock):
    """Files 1 to 7 of a night; at its end it is NOW."""
    clock.now = NOW - 14 * HOUR
    first = ledger.begin("acme", "monday.837", 48_213, 0, "edi1:812:7f3a", 60)
    ledger.draw_numbers(first, [Draw("ZZ*PAYER", "ZZ*ACME", kind, 0) for kind in ("ISA", "GS", "TA1")])
    clock.now += 4
    first = ledger.finish(ledger.answer(first, say(1, "monday.837", accepted=2)))
    clock.now = NOW - 10 * HOUR
    again = ledger.begin("acme", "monday-2.837", 48_377, 0, "edi1:812:7f3a", 60)
    found = ledger.find_duplicate(again, digest(b"other"), [key(1)], 90 * 24 * HOUR)
    repeat(ledger, again, found, digest(b"other"))
    bad = ledger.begin("acme", "notes.837", 310, 0, "edi1:812:7f3a", 60)
    ledger.fail(bad, "the input is a text without X12 in it")
    clock.now = NOW - 2 * HOUR
    ledger.begin("beta", "left.837", 9_120, 0, "edi2:77:c001", 60)
    clock.now = NOW - 30 * 60
    second = ledger.begin("beta", "day.837", 20_118, 0, "edi1:812:7f3a", 60)
    ledger.finish(ledger.answer(second, say(2, "day.837")))
    clock.now = NOW - 40
    ledger.begin("beta", "large.837", 91_000_412, 0, "edi1:812:7f3a", 60)
    clock.now = NOW - 15
    ledger.note("acme", "tuesday.837", 50_002, 0)
    clock.now = NOW
    return first


def archive(ledger, folder, *options, name="discipline.fail.837", partner="acme"):
    """Check a sample as a watcher does, and leave it in the archive; the file as it is in the ledger."""
    source = SAMPLE / name
    made = folder / "made"
    run("check", source, "--acks", "--out-dir", made, "--received", "2026-11-25", *options)
    (folder / "archive").mkdir(exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    kept = Places(folder / "in", folder / "out", folder / "archive").archived(
        "rejected", datetime.fromtimestamp(NOW).astimezone(), partner
    )
    make_folder(kept)
    mine = ledger.begin(partner, name, source.stat().st_size, 0, "edi1:812:7f3a", 60)
    outputs = []
    for ending in ("json", "999", "277ca"):
        (answer,) = made.glob(f"*.{ending}")
        shutil.copy(answer, kept / archive_name(mine.id, answer.name))
        outputs.append(output(answer.name, answer.read_bytes()))
    shutil.rmtree(made)
    shutil.copy(source, kept / archive_name(mine.id, name))
    said = say(9, name, outputs=tuple(outputs), sha256=digest(source.read_bytes()))
    return ledger.finish(ledger.answer(mine, said)), kept
