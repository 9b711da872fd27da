"""What the native module gives: the proof and the cutting of a claim, by it and by Python, in one process.

Without it a claim is walked.

python bench/native.py PATH [ROUNDS]: PATH is a file of clean claims (bench/second_maker.py clean 6000 PATH).
The two alternate, and the best round of each counts; processor time, in microseconds a claim.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from edi_checker.check.cutting import Cutter
from edi_checker.guide import native
from edi_checker.guide.scanner import Scanners
from edi_checker.guide.table import load
from edi_checker.guide.walker import Walker
from edi_checker.x12.blocks import read_blocks


def measure(ways: dict[str, Callable[[str], object]], texts: list[str], rounds: int) -> dict[str, float]:
    """The best round of each way, in microseconds a text; one round before is not counted."""
    best = dict.fromkeys(ways, float("inf"))
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.process_time()
            for text in texts:
                way(text)
            took = (time.process_time() - began) / len(texts) * 1e6
            if number:
                best[name] = min(best[name], took)
    return best


def main(path: str, rounds: int = 9) -> None:
    if not native.IN_USE:
        sys.exit("the native module was not built here")
    with Path(path).open("rb") as file:
        claims = [block for block in read_blocks(file) if block.kind == "CLM"]
    delimiters, texts = claims[0].delimiters, [block.text for block in claims]
    scanners, cutter = Scanners(load(), delimiters, 0), Cutter(delimiters)
    walker = Walker(load(), delimiters, fast=False)
    of_text = {block.text: block for block in claims}
    proof: dict[str, Callable[[str], object]] = {
        "native": lambda text: scanners.prove("2300", text),
        "Python": lambda text: walker.walk(of_text[text], None),
    }
    cutting: dict[str, Callable[[str], object]] = {"native": cutter.cut, "Python": cutter.cut_in_python}
    for what, ways in (("proof", proof), ("cutting", cutting)):
        best = measure(ways, texts, rounds)
        said = ", ".join(f"{name} {took:.1f}" for name, took in best.items())
        print(f"{what}: {said} ({best['Python'] / best['native']:.1f} times)")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
