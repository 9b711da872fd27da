"""The page held to WCAG 2.2 AA by axe-core in a real browser, light and dark, wide and narrow."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from generate_claims import generate
from test_screenshots import BROWSER, FAULTY, PAIR, SAMPLES, browse, checker, write_page  # noqa: F401  # fixtures

_SPEC = importlib.util.find_spec("axe_playwright_python")
AXE = Path(_SPEC.submodule_search_locations[0]) / "axe.min.js" if _SPEC else None

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here"),
    pytest.mark.skipif(
        AXE is None, reason="axe-core is not installed: pip install --no-deps axe-playwright-python"
    ),
]

RUN = """<script>%s</script><script>addEventListener("load", async () => {
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const found = await axe.run(document, {runOnly: tags});
const told = found.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html).join(" | "));
document.title = "TOLD " + JSON.stringify([found.passes.length, told]); });</script>"""
LIGHT, DARK = (), ("--blink-settings=preferredColorScheme=0",)


def audit(browse, page, *options):  # noqa: F811
    """How many checks passed, and what axe-core has against a copy of the page without its policy."""
    text = page.read_text()
    script = RUN % AXE.read_text(encoding="utf-8")
    copy = page.with_suffix(".audited.html")
    copy.write_text(re.sub(r"<meta http-equiv=[^>]*>", lambda _: script, text), encoding="utf-8")
    told = re.search(
        r"<title>TOLD (.*?)</title>",
        browse(copy, "--virtual-time-budget=20000", "--dump-dom", *options),
        re.DOTALL,
    )
    return json.loads(told[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


@pytest.fixture(scope="module")
def many():
    return "".join(generate(40, invalid=0.4, seed=8)).encode()


@pytest.mark.long
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("kind", ["faults", "ready", "several"])
def test_axe_core_has_nothing_to_say(checker, browse, tmp_path, many, kind, width, theme):  # noqa: F811
    inputs = {
        "faults": [many],
        "ready": [SAMPLES / "clean" / "pt-clinic.837"],
        "several": [FAULTY, PAIR, SAMPLES / "faulty" / "guide.element-code.gender.837"],
    }[kind]
    page = write_page(checker, tmp_path / f"{kind}.html", *inputs)
    # A window is never narrower than 500 pixels; with two to a pixel of the page it is half as wide.
    options = (f"--window-size={2 * width},1800", "--force-device-scale-factor=2", *theme)
    passed, told = audit(browse, page, *options)
    assert told == []
    assert passed > 15


@pytest.mark.long
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_index_of_a_batch(browse, tmp_path, many, theme):  # noqa: F811
    (tmp_path / "a.837").write_bytes(many)
    command = [sys.executable, "-m", "edi_checker", "batch", "a.837", "--out-dir", "out", "--html"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    passed, told = audit(browse, tmp_path / "out" / "index.html", *theme)
    assert told == []
    assert passed > 15
