"""Draws the ladder: how many times as fast as pyx12's validator each program is, as an SVG of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from figures import Figures, compare, rates
from measures import OURS, WITHOUT_PAGE
from page import speed_up, times_pyx12
from peers import PEERS, PYX12

_WIDTH, _LABELS, _ROW, _TOP = 760, 330, 30, 30
_ROOM = 64  # for the number behind the longest bar
# These read on white as well as on a dark page: an image does not know on which of them it stands.
_TEXT, _OURS, _THEIRS, _READERS = "#757d86", "#2f81f7", "#8b949e", "#8b949e73"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_CHECK = "Claims checked in the time in which pyx12's validator checks one"
_READ = "Claims read in that time, by programs that do not check the guide"


@dataclass(frozen=True, slots=True)
class Bar:
    """A program, what it does, and its speed in that of pyx12."""

    name: str
    does: str
    times: float
    colour: str


def checkers(figures: Figures) -> list[Bar]:
    """The rungs of the programs that check the guide; those that were not measured are left out."""
    found = []
    most = max((row.count for row in figures.of("workers") if row.count > 1), default=0)
    clean, pair = times_pyx12(figures, "clean", way=WITHOUT_PAGE), speed_up(figures, "clean", most)
    if clean and pair:
        found.append(Bar(OURS, f"clean claims, {most} workers", clean.middle * pair.middle, _OURS))
    for shape, does in (
        ("clean", "clean claims, one core"),
        ("faulty-5", "5 % of the claims faulty, one core"),
        ("faulty-20", "20 % of the claims faulty, one core"),
        ("second-clean", "clean claims of a second maker, one core"),
        ("second-noisy", "of these 20 % warned, 5 % faulty, one core"),
    ):
        if ratio := times_pyx12(figures, shape, way=WITHOUT_PAGE):
            found.append(Bar(OURS, does, ratio.middle, _OURS))
    others = [*_peers(figures, guide=True), Bar(PYX12.name, PYX12.does, 1.0, _THEIRS)]
    return found + sorted(others, key=lambda bar: -bar.times)


def readers(figures: Figures) -> list[Bar]:
    """The rungs of those that only read."""
    return sorted(_peers(figures, guide=False), key=lambda bar: -bar.times)


def _peers(figures: Figures, *, guide: bool) -> list[Bar]:
    found = []
    reference, start = figures.one("peers", PYX12.name), figures.one("peers", PYX12.name, claims=1)
    for peer in PEERS:
        row, single = figures.one("peers", peer.name), figures.one("peers", peer.name, claims=1)
        if peer.guide == guide and row and single and reference and start:
            ratio = compare(rates(row, single), rates(reference, start))
            found.append(Bar(peer.name, peer.does, ratio.middle, _THEIRS if guide else _READERS))
    return found


def draw(figures: Figures) -> str:
    """The chart as SVG text."""
    above, below = checkers(figures), readers(figures)
    longest = max(bar.times for bar in (*above, *below))
    second = _TOP + _ROW * len(above) + 38
    height = second + _ROW * len(below) + 4 if below else second - 34
    told = "; ".join(f"{bar.name} ({bar.does}) {_times(bar.times)}" for bar in (*above, *below))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        f'  width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title" fill="{_TEXT}"',
        f'  font-family="{_FONT}" font-size="13">',
        f'<title id="title">{escape(_CHECK)}: {escape(told)}</title>',
        *_group(_CHECK, above, _TOP, longest),
        *(_group(_READ, below, second, longest) if below else ()),
    ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _group(heading: str, bars: Sequence[Bar], top: int, longest: float) -> list[str]:
    lines = [f'<text x="0" y="{top - 14}" font-size="14" font-weight="600">{escape(heading)}</text>']
    for number, bar in enumerate(bars):
        y = top + number * _ROW
        length = max(2.0, bar.times / longest * (_WIDTH - _LABELS - _ROOM))
        weight = ' font-weight="600"' if bar.colour == _OURS else ""
        lines += [
            f'<text x="0" y="{y + 14}"><tspan{weight}>{escape(bar.name)}</tspan>',
            f'  <tspan font-size="12">{escape(bar.does)}</tspan></text>',
            f'<rect x="{_LABELS}" y="{y}" width="{length:.1f}" height="19" rx="2" fill="{bar.colour}"/>',
            f'<text x="{_LABELS + length + 7:.1f}" y="{y + 14}"{weight}>{_times(bar.times)}</text>',
        ]
    return lines


def _times(value: float) -> str:
    digits = 0 if value >= 9.95 or value == 1 else 1
    return f"{value:.{digits}f} \N{MULTIPLICATION SIGN}"
