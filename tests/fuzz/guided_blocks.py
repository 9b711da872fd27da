"""A search guided by the coverage of the native module: what it proves the walker finds nothing in,
and it cuts claims as Python does.

Run by `tests/fuzz/sanitize guided`, which builds the module for it; options are libFuzzer's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import block_changes  # noqa: E402
import test_cutting  # noqa: E402
from edi_checker.guide.scanner import PROVED, Scanners  # noqa: E402

SCANNERS = Scanners(block_changes.GUIDE, block_changes.USUAL, 0)


def search(data: bytes) -> None:
    """The first byte chooses the level; bytes from 128 on are characters that are not ASCII."""
    level, text = PROVED[data[0] % len(PROVED)] if data else "2300", data[1:].decode("latin-1")
    if SCANNERS.prove(level, text):
        assert block_changes.is_clean(level, text, block_changes.USUAL), block_changes.shape(text)
    if level == "2300" and text.isascii():
        test_cutting.assert_same(text)


def main() -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for number, (level, text) in enumerate(block_changes.blocks()):
            seed = bytes([PROVED.index(level)]) + text.encode("latin-1", "replace")
            (Path(corpus) / f"{number:05d}").write_bytes(seed)
        words = Path(corpus, "words.dict")
        codes = {code for node in block_changes.GUIDE.segments for code in (node.id, *node.codes)}
        words.write_text("".join(f'"{code}"\n' for code in sorted(codes) if code.isalnum()))
        options = ["-timeout=20", "-rss_limit_mb=3000", "-max_len=4096", f"-dict={words}"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], corpus], search)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
