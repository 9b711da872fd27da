"""The pages of serve in a real browser: a file goes up, the answer is seen and saved."""

from __future__ import annotations

import io
import zipfile

import pytest

from browser import browsing
from serving import RECEIVED, SAMPLE, serving
from test_accessibility import AXE
from test_screenshots import BROWSER

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")


@pytest.fixture(scope="module")
def served():
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def at(served):
    return f"http://127.0.0.1:{served.port}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with browsing(BROWSER, tmp_path_factory.mktemp("browser") / "saved") as browser:
        yield browser


@pytest.fixture
def browser(whole):
    whole.shape(1200, 900)
    whole.troubles.clear()
    for file in whole.folder.iterdir():
        file.unlink()
    return whole


VERDICT = "document.querySelector('h1')?.innerText.includes('1 of 2 claims need work')"


def check(browser, at, file=SAMPLE):
    browser.open(f"{at}/")
    browser.choose("#file", file)
    browser.evaluate("document.querySelector('button.main').click()")
    browser.until(f"document.readyState === 'complete' && {VERDICT}")


def test_a_file_goes_up_and_the_answer_is_seen_and_saved(browser, at):
    check(browser, at)
    assert "97530 is billed with 7 units" in browser.evaluate("document.body.innerText")
    browser.evaluate("document.querySelector('a[download$=\".clean.837\"]').click()")
    assert browser.saved("ncci.mue.97530-x7.clean.837").startswith(b"ISA*")
    browser.evaluate("document.querySelector('a[download$=\".xlsx\"]').click()")
    assert browser.saved("ncci.mue.97530-x7.xlsx").startswith(b"PK")
    # The script of the report runs: it sorts the work list.
    assert browser.evaluate("document.querySelectorAll('.sortable thead button').length > 3")
    assert browser.troubles == []


def test_the_form_saves_what_is_asked_for_and_keeps_the_file(browser, at):
    browser.open(f"{at}/")
    browser.choose("#file", SAMPLE)
    assert browser.evaluate("document.querySelector('.drop output').textContent") == SAMPLE.name
    for name, start in (("zip", b"PK"), ("xlsx", b"PK"), ("fix", b"ISA*")):
        browser.evaluate(f"document.querySelector('button[value={name}]').click()")
        assert browser.evaluate("!document.querySelector('.busy').hidden")
        ending = "fixed.837" if name == "fix" else name
        assert browser.saved(f"ncci.mue.97530-x7.{ending}").startswith(start)
        assert browser.evaluate("document.querySelector('#file').files.length") == 1
    assert browser.troubles == []


def test_a_file_is_dropped(browser, at):
    browser.open(f"{at}/")
    browser.evaluate(
        "(() => { const data = new DataTransfer();"
        f" data.items.add(new File([{SAMPLE.read_text()!r}], 'dropped.837'));"
        " document.body.dispatchEvent(new DragEvent('drop',"
        " {dataTransfer: data, bubbles: true, cancelable: true})); })()"
    )
    assert browser.evaluate("document.querySelector('.drop output').textContent") == "dropped.837"
    browser.evaluate("document.querySelector('button.main').click()")
    browser.until(VERDICT)
    assert "dropped.837" in browser.evaluate("document.body.innerText")


def test_with_the_keyboard_alone(browser, at):
    browser.open(f"{at}/")
    browser.tab_to("INPUT file")
    browser.choose("#file", SAMPLE)  # the dialog is the browser's own
    browser.tab_to("BUTTON Check")
    browser.press("Enter")
    browser.until(VERDICT)
    browser.tab_to("A Claims to send")
    browser.press("Enter")
    assert browser.saved("ncci.mue.97530-x7.clean.837")
    browser.tab_to("A SOL-1101")
    browser.press("Enter")
    assert browser.evaluate("location.hash").startswith("#f1")


def test_a_text_is_pasted_and_nothing_chosen_is_said(browser, at):
    browser.open(f"{at}/")
    browser.evaluate("document.querySelector('button.main').click()")
    browser.until("document.body.innerText.includes('Choose a file first')")
    browser.open(f"{at}/")
    browser.evaluate(f"document.querySelector('#text').value = {SAMPLE.read_text()!r}")
    browser.evaluate(f"document.querySelector('#received').value = '{RECEIVED}'")
    browser.evaluate("document.querySelector('button.main').click()")
    browser.until(VERDICT)


SAID = "document.querySelector('[role=status]').textContent"


def test_what_would_be_refused_is_said_before_it_is_sent(browser, tmp_path):
    (tmp_path / "large.837").write_bytes(bytes(5_000_000))
    with serving("--max-body", "4194304") as served:
        browser.open(f"http://127.0.0.1:{served.port}/")
        browser.evaluate("document.querySelector('button.main').click()")
        assert browser.evaluate(SAID) == "Choose a file first, or paste the text of one."
        browser.choose("#file", tmp_path / "large.837")
        browser.evaluate("document.querySelector('button.main').click()")
        assert browser.evaluate(SAID) == "The file has more than 4 MB, which this server does not take."
        assert browser.evaluate("document.querySelector('progress').hidden")
        browser.choose("#file", SAMPLE)
        assert browser.evaluate(SAID) == ""
        browser.evaluate("document.querySelector('button.main').click()")
        browser.until("document.querySelector('h1')?.innerText.includes('1 of 2 claims need work')")


def test_several_files_are_not_dropped_as_one(browser, at):
    browser.open(f"{at}/")
    browser.evaluate(
        "(() => { const data = new DataTransfer();"
        " for (const name of ['a.837', 'b.837']) data.items.add(new File(['ISA'], name));"
        " document.querySelector('.drop').dispatchEvent("
        "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})); })()"
    )
    assert browser.evaluate(SAID) == "One file at a time, or a zip archive of them."
    assert browser.evaluate("document.querySelector('#file').files.length") == 0


def test_without_a_script(browser, at):
    browser.shape(1200, 900, script=False)
    browser.send("Page.navigate", url=f"{at}/")
    browser.until("document.querySelector('#file') !== null")
    browser.choose("#file", SAMPLE)
    assert browser.evaluate("document.querySelector('.busy').hidden")
    browser.tab_to("BUTTON Check")
    browser.press("Enter")
    browser.until(VERDICT)


def test_the_way_there_and_back(browser, at):
    browser.open(f"{at}/units")
    browser.evaluate("document.querySelector('#minutes').value = '97530=25 97140=20'")
    browser.evaluate("document.querySelector('button.main').click()")
    browser.until("document.querySelector('pre')?.innerText.includes('3 units')")
    browser.open(f"{at}/rules?q=mue")
    browser.evaluate("[...document.links].find(a => a.textContent === 'ncci.mue').click()")
    browser.until("document.querySelector('h1').innerText === 'ncci.mue'")
    check(browser, at)
    browser.evaluate("document.querySelector('.save .back').click()")
    browser.until("document.querySelector('#file') !== null")
    assert browser.troubles == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_fit_and_axe_core_has_nothing_to_say(browser, at, tmp_path, width, dark):
    if AXE is None:
        pytest.skip("axe-core is not installed: pip install --no-deps axe-playwright-python")
    browser.shape(width, 900, phone=width < 500, dark=dark)
    axe = AXE.read_text(encoding="utf-8")
    for path in ("/", "/ack", "/units?minutes=97530%3D25", "/rules?q=therapy", "/rules/ncci.mue", "/nothing"):
        browser.open(f"{at}{path}")
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert browser.audit(axe) == [], path
        ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(20, 24, 27)") == dark
    check(browser, at)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.audit(axe) == []


@pytest.fixture
def rejection(served, tmp_path):
    """The 277CA of the sample, as a file."""
    headers = {"Content-Type": "application/edi-x12", "Accept": "application/zip"}
    answer = served.ask("POST", f"/v1/check?received={RECEIVED}", SAMPLE.read_bytes(), headers)
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        (tmp_path / "claims.277ca").write_bytes(archive.read("claims.277ca"))
    return tmp_path / "claims.277ca"


def test_on_a_phone_nothing_is_squeezed(browser, at, rejection):
    browser.shape(390, 844, phone=True)
    check(browser, at)
    # What is wrong, and the fix, have the width of their card.
    assert browser.evaluate(
        "(cell => cell.clientWidth > 0.9 * cell.parentElement.clientWidth)"
        "(document.querySelector('.work tbody td:last-child'))"
    )
    browser.open(f"{at}/ack")
    browser.choose("#file", SAMPLE, rejection)
    browser.evaluate("document.querySelector('button.main').click()")
    # What to do about a claim is on the screen.
    browser.until("document.querySelector('.answered [data-label=\"What to do\"]') !== null")
    assert browser.evaluate(
        "(cell => cell.getBoundingClientRect().right <= innerWidth && cell.clientWidth > 0.8 * innerWidth)"
        "(document.querySelector('[data-label=\"What to do\"]'))"
    )
    browser.open(f"{at}/rules?q=modifier")
    heights = browser.evaluate(
        "[...document.querySelectorAll('.rules tbody a, .rules tbody td')].map(each => each.offsetHeight)"
    )
    assert max(heights) < 80  # three lines
