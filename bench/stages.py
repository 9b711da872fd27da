"""Where the time of a check goes, stage by stage: by samples for the page, by cProfile on request.

python bench/stages.py sample OUT ARGUMENT...
python bench/stages.py profile OUT ARGUMENT...

ARGUMENT... is what follows `edi-checker`. OUT gets JSON: of `sample` the part of the processor time (0..1)
by stage, undisturbed; of `profile` lines of text, where every call costs more than it does otherwise.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = f"{ROOT / 'edi_checker'}/"

# The first that a file of the package begins with.
STAGES = (
    ("check/memo.py", "what is remembered of pieces"),
    ("check/judgement.py", "what is remembered of pieces"),
    ("x12/finding.py", "outcomes"),
    ("claims/checked.py", "outcomes"),
    ("x12/", "reading: bytes to blocks"),
    ("files/inputs.py", "reading: bytes to blocks"),
    ("guide/", "the guide: scanner and walker"),
    ("claims/minutes.py", "facts, with tables and code sets"),
    ("claims/profile.py", "facts, with tables and code sets"),
    ("claims/", "parts: claims as objects"),
    ("facts/", "facts, with tables and code sets"),
    ("reference/", "facts, with tables and code sets"),
    ("check/engine.py", "rules"),
    ("rules/", "rules"),
    ("check/checker.py", "outcomes"),
    ("acks/", "answers: TA1, 999, 277CA"),
    ("reports/html/", "the HTML page"),
    ("reports/", "reports and files"),
    ("run/", "reports and files"),
    ("files/output.py", "reports and files"),
    ("check/", "reports and files"),
)
START = "start and end of the command"
LIBRARIES = "libraries"
# While one of these is at work the command has started.
_AT_WORK = ("run/one_input.py", "check/checker.py")
_EVERY = 0.001  # seconds of processor time


def stage_of(path: str) -> str:
    """The stage that a file of the package belongs to."""
    inside = path.removeprefix(PACKAGE)
    return next((stage for beginning, stage in STAGES if inside.startswith(beginning)), START)


def sample(arguments: list[str]) -> dict[str, float]:
    """Run the command; the part of the processor time that each stage took."""
    seen: Counter[str] = Counter()
    known: dict[CodeType, tuple[str, bool] | None] = {}

    def look(_number: int, frame: FrameType | None) -> None:
        stage, at_work = "", False
        while frame is not None and not at_work:
            code = frame.f_code
            if code not in known:
                path = code.co_filename
                known[code] = (
                    (stage_of(path), path.removeprefix(PACKAGE) in _AT_WORK)
                    if path.startswith(PACKAGE)
                    else None
                )
            entry = known[code]
            if entry is not None:
                stage, at_work = stage or entry[0], entry[1]
            frame = frame.f_back
        seen[stage if at_work else START] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    _run(arguments)
    signal.setitimer(signal.ITIMER_PROF, 0)
    total = sum(seen.values()) or 1
    return {stage: count / total for stage, count in seen.most_common()}


def profile(arguments: list[str], most: int = 8) -> list[str]:
    """Run the command under cProfile; the stages, the dearest functions of each below it.

    Time in what is built in, or in a library, counts for the function of the package that called it.
    """
    profiler = cProfile.Profile()
    profiler.enable()
    _run(arguments)
    profiler.disable()
    own: dict[tuple[str, int, str], float] = {}
    calls: Counter[tuple[str, int, str]] = Counter()
    rest = 0.0
    # pstats keeps what it read in an attribute that its stubs do not name.
    entries = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for function, (_, count, seconds, _, callers) in entries.items():
        if function[0].startswith(PACKAGE):
            own[function] = own.get(function, 0.0) + seconds
            calls[function] += count
            continue
        left = seconds
        for caller, (_, _, share, _) in callers.items():
            if caller[0].startswith(PACKAGE):
                own[caller] = own.get(caller, 0.0) + share
                left -= share
        rest += left
    return _lay_out(own, calls, rest, most)


def _lay_out(
    own: dict[tuple[str, int, str], float], calls: Counter[tuple[str, int, str]], rest: float, most: int
) -> list[str]:
    total = sum(own.values()) + rest
    sums = {LIBRARIES: rest}
    for (path, _, _), seconds in own.items():
        sums[stage_of(path)] = sums.get(stage_of(path), 0.0) + seconds
    lines = []
    for stage, seconds in sorted(sums.items(), key=lambda item: -item[1]):
        lines.append(f"{seconds:8.2f} s {seconds / total:6.1%}  {stage}")
        inside = [function for function in own if stage_of(function[0]) == stage]
        for function in sorted(inside, key=lambda function: -own[function])[:most]:
            path, line, name = function
            where = f"{path.removeprefix(PACKAGE)}:{line} {name}"
            lines.append(f"{own[function]:12.2f} s {calls[function]:>10,} calls  {where}")
    return lines


def _run(arguments: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    from edi_checker.cli import main

    sys.argv = ["edi-checker", *arguments]
    with suppress(SystemExit):
        main()


_WAYS: dict[str, Callable[[list[str]], object]] = {"sample": sample, "profile": profile}


if __name__ == "__main__":
    way, out, *given = sys.argv[1:]
    Path(out).write_text(json.dumps(_WAYS[way](given)))
