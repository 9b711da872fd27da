"""Runs one fuzz target under atheris, guided by coverage; `pip install edi-checker[fuzz]`.

By hand: python tests/fuzz/fuzz.py claims -max_total_time=300 [other options of libFuzzer, corpus folders]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

with atheris.instrument_imports(include=["edi_checker"]):
    import targets

    from edi_checker import facts  # noqa: F401  # so that they are instrumented

from seeds import seeds_of  # noqa: E402


def main() -> None:
    name, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds_of(name)):
            (Path(corpus) / f"{number:04d}").write_bytes(seed)
        limits = ["-timeout=60", "-rss_limit_mb=2048", "-max_len=65536"]
        atheris.Setup([sys.argv[0], *limits, *options, corpus], targets.TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
