"""Writes docs/performance.md and the paragraph on speed of README.md from figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from claims import CLAIMS_PER_SMALL_FILE, SHAPES, SMALL_FILES
from figures import Figures, Measured, Ratio, compare, rates
from measures import BESIDE, OURS, STEPS, WITHOUT_PAGE
from peers import PEERS, PYX12

README_BEGINS = "<!-- written by bench/run.py -->"
README_ENDS = "<!-- until here -->"
_MEMORY_GOAL = 150  # MB
_NONE = "not measured"

# Wrapped anew when it is written.
HEAD = """
This page is written by `python bench/run.py --full --peers --write`, all but its last part.

Measured on {machine}. Every run is a process of its own from start to end, and what a table compares ran
in turn: figures of one machine drift by the hour, the ratio of two programs that take turns does not drift
much. A ratio is the median of the rounds, with the least and the most of them behind it. *Claims a second*
leaves out what starting and ending takes, of each program; it is of processor time where nothing else is
said. *Everything on* means the guide, every rule, JSON, and by `--acks --out-dir` the answers TA1, 999 and
277CA, a report and an HTML page. The claims are made up by two makers that share no code and no lists,
`tests/generate_claims.py` and `bench/second_maker.py`. A run of ours counts only where as many claims are
rejected as must be.
"""


def write_page(figures: Figures, account: str) -> str:
    """The text of docs/performance.md; `account` is the part that people write."""
    head = HEAD.format(machine=figures.machine or "no machine yet").strip().split("\n\n")
    parts = ["# Speed and memory\n", *(_wrap(paragraph) + "\n" for paragraph in head), tell_goals(figures)]
    parts += [told for tell in SECTIONS.values() if (told := tell(figures))]
    return "\n".join(parts) + "\n" + account


def write_readme(readme: str, figures: Figures) -> str:
    """README.md with its paragraph on speed made new. Raises ValueError where its marks are missing."""
    before, begins, rest = readme.partition(README_BEGINS)
    _, ends, after = rest.partition(README_ENDS)
    if not (begins and ends):
        raise ValueError("README.md lacks the marks between which its paragraph on speed stands")
    return before + begins + "\n" + _paragraph(figures) + ends + after


def _paragraph(figures: Figures) -> str:
    said = []
    clean, faulty, second, noisy = (
        times_pyx12(figures, shape, way=WITHOUT_PAGE)
        for shape in ("clean", "faulty-5", "second-clean", "second-noisy")
    )
    ours = figures.pair("pyx12", f"{WITHOUT_PAGE} second-clean")
    if clean and faulty and second and noisy and ours:
        speed = _round(_middle(rates(*ours)))
        said.append(
            f"With everything on (guide, rules, answers, JSON) one core checks {speed} clean claims a second "
            "of a generator that shares nothing with our tests, "
            f"{_times(second.middle)} as many as pyx12's validator, and {_times(noisy.middle)} as many "
            "where 20 % have a warning and 5 % an error. On the claims of our tests it is "
            f"{_times(clean.middle)}, and {_times(faulty.middle)} where 5 % have a fault."
        )
    if largest := max(figures.of("size"), key=lambda one: one.claims, default=None):
        said.append(
            f"Over {largest.claims:,} claims of our tests memory stays under {_ceiling(largest.peak)} MB; "
            "claims of more forms need more."
        )
    if cold := figures.one("start", "`check` of one claim"):
        said.append(f"A single claim is checked {cold.wall:.2f} s after the command is typed.")
    said.append(
        "[docs/performance.md](docs/performance.md) has all figures, and `python bench/run.py` repeats them."
    )
    return _wrap(" ".join(said)) + "\n"


def times_pyx12(figures: Figures, shape: str, clock: str = "cpu", way: str = OURS) -> Ratio | None:
    """How many times as fast as pyx12 on claims of that shape; None where it was not measured."""
    ours, theirs = (figures.pair("pyx12", f"{who} {shape}") for who in (way, "pyx12"))
    if ours is None or theirs is None:
        return None
    return compare(rates(*ours, clock), rates(*theirs, clock))


def speed_up(figures: Figures, shape: str, workers: int) -> Ratio | None:
    """How many times as fast so many workers are as one, by the clock; None where it was not measured."""
    found = {one.count: one for one in figures.of("workers") if one.name == shape}
    if 1 not in found or workers not in found:
        return None
    many, one = ([run.wall for run in found[number].runs] for number in (workers, 1))
    return compare([1 / wall for wall in many], [1 / wall for wall in one])


def cost_of_small_files(figures: Figures, shape: str) -> Ratio | None:
    """How many times the processor time a claim that the same claims take in one file; None as above."""
    large, small = (figures.pair("files", name) for name in (SMALL_FILES[shape], shape))
    return compare(rates(*large), rates(*small)) if large and small else None


def growth(figures: Figures) -> tuple[Measured, Measured, float] | None:
    """The file nearest to 10,000 claims, the largest, and time a claim of this by that."""
    rows = sorted(figures.of("size"), key=lambda row: row.claims)
    if len(rows) < 3:
        return None
    single, *rows = rows
    small = min(rows[:-1], key=lambda row: abs(row.claims - 10_000))
    middle = [sorted(rates(row, single))[len(row.runs) // 2] for row in (small, rows[-1])]
    return small, rows[-1], middle[0] / middle[1]


def tell_goals(figures: Figures) -> str:
    rows = []
    for shape, what, goal in (
        ("clean", "clean claims", 100),
        ("faulty-5", "claims of which 5 % are faulty", 60),
        ("second-clean", "clean claims of the second maker", 100),
        ("second-noisy", "claims of the second maker, 20 % with a warning and 5 % with an error", 50),
        ("second-found", "claims of the second maker, each with a warning or an error of content", 15),
    ):
        ratio, whole = (times_pyx12(figures, shape, way=way) for way in (WITHOUT_PAGE, OURS))
        row = figures.one("pyx12", f"{OURS} {shape}")
        said = _NONE
        if ratio and whole and row:
            said = (
                f"{_times(ratio.middle)} at {row.claims:,} claims; {_times(whole.middle)} with the HTML page"
            )
        rows.append((f"{goal} times pyx12's validator, {what}", said, _met(ratio and ratio.middle >= goal)))
    for shape in SMALL_FILES:
        cost = cost_of_small_files(figures, shape)
        said = f"{cost.middle:.2f} times" if cost else _NONE
        of = "of the second maker" if shape.startswith("second") else "of the first maker"
        few = f"{CLAIMS_PER_SMALL_FILE} claims a file at most twice the time a claim of one file, {of}"
        rows.append((few, said, _met(cost and cost.middle <= 2)))
    pair = speed_up(figures, "clean", 2)
    rows.append(
        (
            "two workers 1.8 times as fast as one",
            f"{pair.middle:.2f} times" if pair else _NONE,
            _met(pair and pair.middle >= 1.8),
        )
    )
    for claims in (100_000, 1_000_000):
        row = figures.one("size", "clean", claims=claims)
        said = f"{row.peak:.0f} MB" if row else _NONE
        rows.append(
            (
                f"at most {_MEMORY_GOAL} MB at {claims:,} claims of the first maker",
                said,
                _met(row and row.peak < _MEMORY_GOAL),
            )
        )
    grown = growth(figures)
    said = f"{grown[2]:.2f} times, {grown[1].claims:,} by {grown[0].claims:,}" if grown else _NONE
    far = grown and (grown[0].claims, grown[1].claims) == (10_000, 1_000_000)
    met = _met(grown[2] <= 1.1) if grown and far else _met(None)
    rows.append(("time a claim at 1,000,000 claims at most 1.1 times that at 10,000", said, met))
    for name, seconds in (("`check` of one claim", 0.35), ("`--help`", 0.1)):
        row = figures.one("start", name)
        said = f"{row.wall:.2f} s" if row else _NONE
        rows.append((f"{name} within {seconds} s", said, _met(row and row.wall < seconds)))
    return "## Goals\n\n" + _table(("goal", "measured", ""), rows)


def tell_pyx12(figures: Figures) -> str:
    rows = []
    for shape in BESIDE:
        theirs = figures.pair("pyx12", f"pyx12 {shape}")
        for way, does in ((OURS, "everything on"), (WITHOUT_PAGE, "the same without the page")):
            ours = figures.pair("pyx12", f"{way} {shape}")
            times, clock = (times_pyx12(figures, shape, which, way) for which in ("cpu", "wall"))
            if not (ours and theirs and times and clock):
                return ""
            cells = (SHAPES[shape].partition(",")[0], does, _speed(*ours), _speed(*theirs))
            megabytes = (f"{ours[0].peak:.0f}", f"{theirs[0].peak:.0f}")
            rows.append((*cells, _ratio(times), _ratio(clock), *megabytes))
    heads = ("claims", "", "a second", "pyx12 a second", "times, processor", "times, clock", "MB", "pyx12 MB")
    ours, theirs = figures.pair("pyx12", f"{OURS} clean"), figures.pair("pyx12", "pyx12 clean")
    if not (ours and theirs):
        return ""
    about = (
        "Beside pyx12's validator, which judges the guide alone and writes nothing. *Without the page* is "
        "`batch` with one worker. Each runs on two sizes of a file, and the time a claim is what the larger "
        f"takes more, by the claims that it has more. Ours get {ours[1].claims:,} and {ours[0].claims:,} "
        f"claims, and pyx12 {theirs[1].claims:,} and {theirs[0].claims:,} of the same making, since its time "
        "grows with them evenly."
    )
    weight = _weight_of_a_fault(figures)
    after = f"\nA faulty claim takes the time of {weight:.0f} clean ones.\n" if weight >= 1.5 else ""
    return _title("Beside pyx12", about, figures, "pyx12") + _table(heads, rows) + after


def _weight_of_a_fault(figures: Figures) -> float:
    """How many clean claims take the time of one with a fault, by the file of which a fifth is faulty."""
    clean, mixed = (figures.pair("pyx12", f"{WITHOUT_PAGE} {which}") for which in ("clean", "faulty-20"))
    if clean is None or mixed is None:
        return 0.0
    slower = compare(rates(*clean), rates(*mixed)).middle
    return (slower - 0.8) / 0.2


def tell_peers(figures: Figures) -> str:
    reference = figures.one("peers", PYX12.name)
    start = figures.one("peers", PYX12.name, claims=1)
    if reference is None or start is None:
        return ""
    base = rates(reference, start)
    rows = []
    does = {peer.name: peer.does for peer in (PYX12, *PEERS)}
    does[OURS] = "the guide, content, answers, reports"
    for name, what in does.items():
        row, single = figures.one("peers", name), figures.one("peers", name, claims=1)
        if row is None or single is None:
            why = figures.skipped.get(name)
            rows += [(name, what, why, "", "", "")] if why else []
            continue
        times = compare(rates(row, single), base)
        rows.append(
            (
                name,
                what,
                f"{row.claims:,}",
                _speed(row, single),
                _times(times.middle),
                f"{row.peak:.0f}",
            )
        )
    about = (
        "On the same clean claims. Programs that read and do not check are here to show what "
        "reading costs in Python; they hold the whole file in memory."
    )
    heads = ("program", "what it does", "claims", "a second", "of pyx12's speed", "MB")
    return _title("Other programs of the package index", about, figures, "peers") + _table(heads, rows)


def tell_start(figures: Figures) -> str:
    rows = [
        (row.name, f"{row.wall:.3f}", f"{min(run.wall for run in row.runs):.3f}", f"{row.peak:.0f}")
        for row in figures.of("start")
    ]
    if not rows:
        return ""
    about = (
        "Seconds by the clock from the start of the command to its end. *The very first* compiles "
        "the guide, reads the rules and keeps both in the user's cache folder."
    )
    heads = ("command", "median", "least", "MB")
    return _title("Start", about, figures, "start") + _table(heads, rows)


def tell_size(figures: Figures) -> str:
    rows = sorted(figures.of("size"), key=lambda row: row.claims)
    grown = growth(figures)
    if not grown:
        return ""
    single, *rows = rows
    told = [
        (
            f"{row.claims:,}",
            f"{row.size / 1e6:.1f}",
            f"{row.wall:.1f}",
            _speed(row, single),
            f"{1e6 / _middle(rates(row, single)):.0f}",
            f"{row.peak:.0f}",
        )
        for row in rows
    ]
    after = (
        f"\nTime a claim at {grown[1].claims:,} claims is {grown[2]:.2f} times that at {grown[0].claims:,}.\n"
    )
    heads = ("claims", "MB of file", "seconds", "claims a second", "µs a claim", "MB of memory")
    return (
        _title("Growth with size", "Clean claims, everything on.", figures, "size")
        + _table(heads, told)
        + after
    )


def tell_files(figures: Figures) -> str:
    rows = []
    for small, large in SMALL_FILES.items():
        cost, pairs = (
            cost_of_small_files(figures, small),
            [figures.pair("files", each) for each in (large, small)],
        )
        for shape, pair in zip((large, small), pairs, strict=True):
            if pair is None or cost is None:
                return ""
            times = _ratio(cost) if shape == small else ""
            rows.append((SHAPES[shape], f"{pair[0].claims:,}", f"{pair[0].count:,}", _speed(*pair), times))
    about = (
        "JSON and answers of each file by `batch` with one worker. Processor time, as beside pyx12 by two "
        "sizes; the folder of outputs is new each time."
    )
    heads = ("claims", "claims", "files", "claims a second", "times the cost a claim")
    return _title("Many small files", about, figures, "files") + _table(heads, rows)


def tell_shapes(figures: Figures) -> str:
    single = figures.one("shapes", "one")
    if single is None:
        return ""
    rows = [
        (
            SHAPES[row.name],
            f"{row.claims:,}",
            f"{row.count:,}",
            _speed(row, single),
            f"{_middle(rates(row, single)) * row.size / row.claims / 1e6:.1f}",
            f"{row.peak:.0f}",
        )
        for row in figures.of("shapes")
        if row.name in SHAPES
    ]
    heads = ("file", "claims", "files", "claims a second", "MB a second", "MB of memory")
    return _title("Files of other shapes", "Everything on.", figures, "shapes") + _table(heads, rows)


def tell_steps(figures: Figures) -> str:
    rows = []
    for name in (*STEPS, OURS):
        row, single = figures.one("steps", name), figures.one("steps", name, claims=1)
        if row is None or single is None:
            return ""
        speed = _middle(rates(row, single))
        megabytes = speed * row.size / row.claims / 1e6
        shown = "ours: everything on" if name == OURS else name
        rows.append((shown, f"{speed:,.0f}", f"{1e6 / speed:.1f}", f"{megabytes:.1f}"))
    about = (
        "What a check is made of, each row with what the row above it does: first plain Python, then our own "
        "path. Clean claims."
    )
    heads = ("step", "claims a second", "µs a claim", "MB a second")
    return _title("Step by step", about, figures, "steps") + _table(heads, rows)


def tell_outputs(figures: Figures) -> str:
    rows = figures.of("outputs")
    if not rows:
        return ""
    first = rows[0]
    told = []
    for row in rows:
        times = compare([run.cpu for run in row.runs], [run.cpu for run in first.runs])
        cells = (row.name, f"{row.cpu:.2f}", f"{row.wall:.2f}", f"{times.middle:.2f}", f"{row.peak:.0f}")
        told.append(cells)
    about = f"The same {first.claims:,} claims, 5 % of them faulty, from the start of the command to its end."
    heads = ("what is written", "processor s", "clock s", "times the first", "MB")
    return _title("What each output costs", about, figures, "outputs") + _table(heads, told)


def tell_workers(figures: Figures) -> str:
    rows = []
    for row in figures.of("workers"):
        times = speed_up(figures, row.name, row.count)
        assert times is not None
        rows.append(
            (
                SHAPES[row.name],
                f"{row.claims:,}",
                str(row.count),
                f"{row.wall:.2f}",
                f"{row.claims / row.wall:,.0f}",
                _ratio(times) if row.count > 1 else "",
                f"{row.peak:.0f}",
            )
        )
    if not rows:
        return ""
    about = "`batch` with answers and JSON, by the clock. Memory is that of the largest process."
    heads = ("file", "claims", "workers", "seconds", "claims a second", "times one worker", "MB")
    return _title("Workers", about, figures, "workers") + _table(heads, rows)


def tell_rules(figures: Figures) -> str:
    singles = {row.count: row for row in figures.of("rules") if row.name == "one"}
    many = sorted((row for row in figures.of("rules") if row.name == "rules"), key=lambda row: row.count)
    if not many:
        return ""
    rows = []
    for row in many:
        single = singles[row.count]
        slower = compare(rates(many[0], singles[many[0].count]), rates(row, single))
        cells = (f"{row.count}", f"{single.cpu:.2f}", _speed(row, single), f"{slower.middle:.2f}")
        rows.append((*cells, f"{row.peak:.0f}"))
    about = (
        "The rules that come with the checker, then with copies of them under other ids and of other codes."
    )
    heads = ("rules", "one claim, processor s", "claims a second", "time a claim", "MB")
    return _title("Number of rules", about, figures, "rules") + _table(heads, rows)


def tell_stages(figures: Figures) -> str:
    if not figures.stages:
        return ""
    rows = [
        (stage, f"{part:.0%}") for stage, part in sorted(figures.stages.items(), key=lambda item: -item[1])
    ]
    about = "Processor time of a check of clean claims with everything on, by samples taken each millisecond."
    return _title("Where the time goes", about, figures, "stages") + _table(("stage", "part"), rows)


def tell_kills(figures: Figures) -> str:
    if not figures.kills:
        return ""
    rows = []
    for row in figures.kills:
        seen = [row[name]["seen"] for name in ("quiet", "killed")]
        rows.append(
            (
                f"{row['claims']:,}",
                {"one": "in one transaction set", "files": "in files of 250"}.get(
                    row["shape"], "1,000 a transaction set"
                ),
                f"{row['quiet']['claims_per_second']:,}",
                f"{row['killed']['claims_per_second']:,}",
                f"{seen[1]['kills']:,}",
                f"{max(one['together'] for one in seen):.0f}",
                "differs" if row["different"] else "the same",
            )
        )
    about = (
        "`bench/kills.py`: the same batch undisturbed, and while its workers are killed (SIGKILL) "
        "all the time. Memory is that of all processes together, what they share counted once."
    )
    heads = ("claims", "", "a second", "a second, killed", "kills", "MB together", "what was written")
    return _title("Workers that are killed", about, figures, "kills") + _table(heads, rows)


SECTIONS: dict[str, Callable[[Figures], str]] = {
    "pyx12": tell_pyx12,
    "peers": tell_peers,
    "start": tell_start,
    "size": tell_size,
    "files": tell_files,
    "shapes": tell_shapes,
    "steps": tell_steps,
    "outputs": tell_outputs,
    "workers": tell_workers,
    "kills": tell_kills,
    "rules": tell_rules,
    "stages": tell_stages,
}


def _title(title: str, about: str, figures: Figures, section: str) -> str:
    day = figures.days.get(section, "a day not noted")
    return f"## {title}\n\n" + _wrap(f"{about} Measured on {day}.") + "\n\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _speed(many: Measured, few: Measured) -> str:
    return f"{_middle(rates(many, few)):,.0f}"


def _times(value: float) -> str:
    return f"{value:.0f} times" if value >= 10 else f"{value:.1f} times"


def _ratio(ratio: Ratio) -> str:
    digits = 0 if ratio.middle >= 10 else 2
    return f"**{ratio.middle:.{digits}f}** ({ratio.least:.{digits}f} to {ratio.most:.{digits}f})"


def _round(value: float) -> str:
    """Two digits that count: more would not be the same tomorrow."""
    return f"{float(f'{value:.2g}'):,.0f}"


def _ceiling(megabytes: float) -> int:
    return (int(megabytes) // 10 + 1) * 10


def _met(held: object) -> str:
    return "" if held is None else "met" if held else "not met"


def _wrap(text: str, width: int = 120) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def read_account(path: Path) -> str:
    """The part that people write; nothing where there is none."""
    return path.read_text() if path.exists() else ""
