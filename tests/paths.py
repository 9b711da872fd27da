"""Where the tests find files: their own data, the samples, and what may lie beside the checkout."""

from __future__ import annotations

import csv
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLEAN = ROOT / "samples" / "837p" / "clean"
DATA = ROOT / "tests" / "data"

# Not ours to copy, so not in the repository: tests that read these are skipped where they are not at hand.
SHARED = Path(os.environ.get("EDI_CHECKER_SHARED", ROOT.parent / "shared"))
CORPUS = SHARED / "corpus"
REFERENCE = SHARED / "reference"


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def facts_table(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables of what is known of the codes, gathered from what CMS publishes."""
    return read_rows(DATA / "facts" / name)
