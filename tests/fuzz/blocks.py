"""Changed blocks, by hand and many: what the scanner proves, the walker must find nothing in.

python tests/fuzz/blocks.py [COUNT [SEED]]: a million take some minutes. Ends with 1 where one is wrong.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import block_changes  # noqa: E402
from edi_checker.guide.scanner import Scanners  # noqa: E402


def main(count: int = 1_000_000, seed: int = 1) -> int:
    scanners, told, wrong = {}, Counter(), 0
    for level, text, delimiters in block_changes.changes(count, seed):
        scanner = scanners.setdefault(delimiters, Scanners(block_changes.GUIDE, delimiters, 0))
        proved = scanner.prove(level, text)
        told["proved" if proved else "not proved"] += 1
        if proved and not block_changes.is_clean(level, text, delimiters):
            wrong += 1
            print("PROVED WRONGLY:", level, block_changes.shape(text))
    print(f"{count:,} blocks:", dict(told), f"{wrong} proved wrongly")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
