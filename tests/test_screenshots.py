"""The HTML page in a browser: it is drawn, light and dark, it fits narrow windows, and its switches work."""

import io
import re
import shutil
import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from browser import SWITCHES
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Tally
from edi_checker.claims.minutes import read_minutes
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.html import ClaimViews, HtmlReport
from edi_checker.reports.html.page import Answer
from edi_checker.rules import load as load_rules
from generate_claims import generate

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples" / "837p"
PICTURE = ROOT / "docs" / "report.png"
RECEIVED = 20261121

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")


@pytest.fixture(scope="module")
def checker():
    return Checker(load_guide(), Engine(load_rules(), "python"), Setting(RECEIVED, built_in()))


@pytest.fixture
def browse(tmp_path):
    """Run the browser on a file, with its own profile, without a network."""

    def run(page, *options):
        return subprocess.run(
            [
                BROWSER,
                *SWITCHES,
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={tmp_path / 'profile'}",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    return run


@pytest.fixture
def shoot(browse, tmp_path):
    """A picture of a page as rows of (red, green, blue)."""

    def take(page, width, height, *options, to=None):
        picture = to or tmp_path / f"{page.stem}-{width}.png"
        browse(page, f"--window-size={width},{height}", f"--screenshot={picture}", *options)
        return read_png(picture.read_bytes())

    return take


def read_png(data):
    """The pixels of a PNG of 8 bits a channel, without interlacing, row by row."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    assert (depth, interlaced) == (8, 0)
    size = {2: 3, 6: 4}[colour]
    raw, stride = zlib.decompress(packed), width * size
    rows, before = [], bytes(stride)
    for number in range(height):
        start = number * (stride + 1)
        rows.append(before := undo(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, size))
    return [[tuple(row[x : x + 3]) for x in range(0, stride, size)] for row in rows]


def undo(kind, row, above, size):
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        up, corner = above[i], above[i - size] if i >= size else 0
        if kind == 1:
            row[i] = row[i] + left & 255
        elif kind == 2:
            row[i] = row[i] + up & 255
        elif kind == 3:
            row[i] = row[i] + (left + up) // 2 & 255
        elif kind == 4:
            guess = left + up - corner
            distances = [(abs(guess - value), order, value) for order, value in enumerate((left, up, corner))]
            row[i] = row[i] + min(distances)[2] & 255
    return bytes(row)


def brightness(pixels):
    """The middle brightness of a picture, 0 to 255."""
    values = sorted(sum(pixel) / 3 for row in pixels[::7] for pixel in row[::7])
    return values[len(values) // 2]


def colours(pixels):
    return {pixel for row in pixels[::3] for pixel in row[::3]}


def has_colour(pixels, colour, least=30):
    """Whether some pixels come close to a colour."""
    found = 0
    for row in pixels:
        for pixel in row:
            found += all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=True))
            if found >= least:
                return True
    return False


def write_page(checker, file, *inputs):
    """The page of some inputs, each a path or a text."""
    with file.open("w", encoding="ascii", newline="\n") as out:
        report = HtmlReport(
            out,
            version="0.1.0",
            received=RECEIVED,
            tables=list(built_in().versions()),
            rules=load_rules().rules,
        )
        for given in inputs:
            add(checker, report, given)
        report.finish()
    return file


def add(checker, report, given):
    name, data, minutes = "batch.837", given, None
    if isinstance(given, Path):
        name, data = given.name, given.read_bytes()
        beside = given.with_suffix(".minutes.csv")
        minutes = read_minutes(beside) if beside.exists() else None
    own = replace(checker, setting=replace(checker.setting, minutes=minutes))
    acknowledger = Acknowledger(RECEIVED, number_elements(checker.guide))
    exhibits = ClaimViews(minutes)
    with FindingsLog(name) as journal:
        for checked in own.check(io.BytesIO(data)):
            journal.add(checked)
            acknowledger.add(checked)
            exhibits.add(checked)
        tally = checker.engine.tally()
        summary = journal.end(tally=Tally(tally.rules, tally.applied, tally.not_in_force))
        answers = acknowledger.finish()
        shown = [
            Answer(kind, stream)
            for kind, stream in (("TA1", answers.ta1), ("999", answers.ack999), ("277CA", answers.ack277ca))
            if stream
        ]
        report.add(journal, summary, exhibits, shown)
        answers.close()


CLEAN = SAMPLES / "clean" / "pt-clinic.837"
FAULTY = SAMPLES / "faulty" / "therapy.minutes.four-units-of-47.837"
PAIR = SAMPLES / "faulty" / "ncci.ptp.97530-97750.837"


def test_a_clean_file(checker, shoot, tmp_path):
    pixels = shoot(write_page(checker, tmp_path / "clean.html", CLEAN), 1280, 900)
    assert (len(pixels[0]), len(pixels)) == (1280, 900)
    assert brightness(pixels) > 230
    assert has_colour(pixels, (0x1F, 0x6B, 0x3A))
    assert not has_colour(pixels, (0xA3, 0x21, 0x1B))


def test_a_faulty_file(checker, shoot, tmp_path):
    pixels = shoot(write_page(checker, tmp_path / "faulty.html", FAULTY), 1280, 1700)
    assert brightness(pixels) > 230
    assert has_colour(pixels, (0xA3, 0x21, 0x1B))
    assert len(colours(pixels)) > 50


def test_dark_mode(checker, shoot, tmp_path):
    page = write_page(checker, tmp_path / "dark.html", FAULTY)
    pixels = shoot(page, 1280, 1700, "--blink-settings=preferredColorScheme=0")
    assert brightness(pixels) < 60
    assert has_colour(pixels, (0xFF, 0x9D, 0x94))


def test_a_batch_of_a_thousand_claims(checker, shoot, tmp_path):
    text = "".join(generate(1000, invalid=0.05))
    page = write_page(checker, tmp_path / "batch.html", text.encode())
    assert page.stat().st_size < 3_000_000
    pixels = shoot(page, 1280, 2400)
    assert has_colour(pixels, (0xA3, 0x21, 0x1B))


MEASURE = """<script>addEventListener("load", () => { %s; document.title = "TOLD " + told; });</script>"""
SEEN = '[...document.querySelectorAll("%s")].filter(e => e.offsetParent !== null).length'


def measure(browse, page, script, *options):
    """What a script says of the page, which must be allowed to run in a copy of it."""
    text = re.sub(r"<meta http-equiv=[^>]*>", MEASURE % script, page.read_text())
    copy = page.with_suffix(".measured.html")
    copy.write_text(text)
    return re.search(r"<title>TOLD (.*?)</title>", browse(copy, "--dump-dom", *options))[1]


@pytest.mark.parametrize("width", [500, 800, 1280])
def test_nothing_runs_over_the_side(checker, browse, tmp_path, width):
    page = write_page(checker, tmp_path / "wide.html", FAULTY, PAIR)
    told = measure(
        browse,
        page,
        "let told = document.documentElement.scrollWidth + ' of ' + innerWidth",
        f"--window-size={width},900",
    )
    needed, given = map(int, told.split(" of "))
    assert needed <= given
    assert given == width


def test_the_switches_show_one_rule_or_severity(checker, browse, tmp_path):
    page = write_page(checker, tmp_path / "switches.html", FAULTY, PAIR)
    cards, findings = SEEN % ".card", SEEN % "article.finding"
    count = f"told += {cards} + '/' + {findings} + ' '"
    script = (
        f"let told = ''; {count};"
        f"document.querySelector('#rule-r1').click(); {count};"
        f"document.querySelector('#rule-all').click(); {count};"
        f"document.querySelector('#show-error').click(); {count}"
    )
    assert measure(browse, page, script).split() == ["2/2", "1/1", "2/2", "0/0"]


def test_the_work_list_is_sorted_and_filtered_by_its_own_script(checker, browse, tmp_path):
    text = "".join(generate(40, invalid=0.5, seed=3))
    page = write_page(checker, tmp_path / "work.html", text.encode())
    # Under the policy of the page itself: no other script may run, and this one does.
    assert browse(page, "--dump-dom").count('<button type="button">') == 7
    rows = "[...document.querySelectorAll('.work tbody tr')].filter(row => !row.hidden)"
    script = (
        f"const charges = () => {rows}.map(row => Number(row.cells[5].dataset.key));"
        "const sorted = sign => charges().every((c, i, all) => !i || sign * (c - all[i - 1]) >= 0);"
        "const [charge] = [...document.querySelectorAll('.work th button')].slice(5);"
        "const count = charges().length;"
        "charge.click(); let told = sorted(1); charge.click(); told += ' ' + sorted(-1);"
        "const field = document.querySelector('.seek input');"
        "field.value = document.querySelector('.work tbody a').textContent.toLowerCase();"
        "field.dispatchEvent(new Event('input'));"
        "told += ' ' + charges().length + ' ' + (count > 5)"
    )
    assert measure(browse, page, script).split() == ["true", "true", "1", "true"]


def test_the_picture_in_the_readme(checker, shoot, tmp_path, request):
    """With --update-golden it is taken anew; else it must be there and be no burden."""
    if request.config.getoption("--update-golden"):
        page = write_page(checker, tmp_path / "picture.html", FAULTY)
        shoot(page, 1200, 1500, to=PICTURE)
    assert 20_000 < PICTURE.stat().st_size < 400_000
    assert len(read_png(PICTURE.read_bytes())[0]) == 1200
