"""What setup.cfg ships is what there is."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_is_shipped() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    shipped = set(setup["options"]["packages"].split())
    folders = {file.parent.relative_to(ROOT) for file in (ROOT / "edi_checker").rglob("*.py")}
    assert shipped == {".".join(folder.parts) for folder in folders} | {"edi_checker.rulesets"}
