"""The report for people: findings by claim, each with its place, the segment marked, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO

from edi_checker.facts import Gap
from edi_checker.files.names import escape
from edi_checker.reports.boxes import box_of_fix
from edi_checker.reports.findings_log import (
    Entry,
    Excerpt,
    FindingsLog,
    RunTotals,
    Summary,
    say_profiles,
    say_unlisted,
)
from edi_checker.reports.gaps import say_gaps
from edi_checker.reports.styled import Text, Writer, cell_len
from edi_checker.reports.verdict import count_of, say_file, words_of
from edi_checker.x12.finding import SEVERITIES
from edi_checker.x12.money import show_dollars

WIDTHS = (40, 120)  # narrower cannot be read, wider lines are hard to follow

_MOST_NAMED = 20  # claims named that a fault above them costs

_STYLES: dict[str, str] = {
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "accepted": "green",
    "accepted_with_errors": "red",
    "rejected": "red",
    "not_checked": "magenta",
}


class Marks(NamedTuple):
    """The few signs beyond ASCII, and what stands for them where the terminal cannot show them."""

    accepted: str
    rejected: str
    not_checked: str
    dot: str
    cut: str
    rule: str
    under: str


UNICODE = Marks("✓", "✗", "?", " · ", "…", "─", "▔")
ASCII = Marks("+", "x", "?", ", ", "...", "-", "^")


def marks_for(encoding: str | None) -> Marks:
    """The marks that a stream of this encoding can show."""
    try:
        "".join(UNICODE).encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return ASCII
    return UNICODE


class TextReport:
    """Writes to `out` in `width` columns, coloured where `colour` is True, with `marks` that `out` can show.

    Of what the file itself holds, control characters and whatever else could move the cursor are replaced.
    `tables` are name, version and rows of each table that decides; they are shown if `verbose`.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        width: int,
        colour: bool,
        marks: Marks,
        tables: list[tuple[str, str, int]],
        verbose: bool = False,
    ) -> None:
        self._width = min(max(width, WIDTHS[0]), WIDTHS[1])
        self._marks = marks
        self._tables = tables
        self._verbose = verbose
        self._writer = Writer(out, width=self._width, colour=colour)
        self._all = RunTotals()
        self._hidden = 0
        self._skipped: list[Summary] = []
        self._fixable = 0

    def skip(self, summary: Summary) -> None:
        """Note a file of a folder that is no claim file."""
        self._skipped.append(summary)

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        """Write one file's part."""
        self._file(summary)
        group = None
        told: set[tuple[str, str, str]] = set()  # what to do about it is said once for a claim
        for entry in journal.entries():
            self._print()
            if _group_of(entry) != group:
                group = _group_of(entry)
                self._group(entry)
                self._print()
                told.clear()
            advice = (entry.finding["rule"], entry.finding["fix"], entry.finding["citation"])
            self._finding(entry, advise=advice not in told)
            told.add(advice)
        self._print()
        for rule, count in sorted(summary.unlisted.items()):
            self._print(Text(_clean(say_unlisted(rule, count))), indent=2)
        if summary.unlisted:
            self._print()
        self._all.add(summary)
        self._hidden += summary.hidden
        self._fixable += summary.fixable
        self._writer.flush()

    def finish(self) -> None:
        """Write what holds for all files: totals, findings by rule, and with what was checked."""
        if self._all.outcomes:
            self._finish()
        if self._skipped:
            self._print()
            self._print(Text(f"{count_of(len(self._skipped), 'file')} skipped, no claim files", "bold"))
        for summary in self._skipped:
            self._print(Text(f"{escape(summary.path)}: {escape(summary.reason or '')}"), indent=2)

    def _finish(self) -> None:
        files, unread = self._all.outcomes.total(), self._all.outcomes["not_checked"]
        self._print(Text(self._marks.rule * self._width, "dim"))
        outcomes = [outcome for outcome, count in self._all.sums.claims.items() if count]
        if files > 1:
            words = [count_of(files, "file"), count_of(sum(self._all.sums.claims.values()), "claim")]
            words += [count_of(self._all.lines, "line"), show_dollars(sum(self._all.sums.cents.values()))]
            self._print(Text(self._join(*words), "bold"))
        if files > 1 or len(outcomes) > 1:
            for outcome in outcomes:
                claims, money = self._all.sums.claims[outcome], show_dollars(self._all.sums.cents[outcome])
                self._print(Text(f"{claims:>7,}  {words_of(outcome):<11}  {money:>16}", _STYLES[outcome]))
            if unread:
                self._print(Text(f"{count_of(unread, 'file')} could not be checked", _STYLES["not_checked"]))
            self._print()
        for severity in SEVERITIES:
            for (own, rule), count in sorted(self._all.rules.items()):
                if own == severity:
                    self._print(
                        Text.assemble(
                            f"{count:>7,}  ", (f"{severity:<7}", _STYLES[severity]), f"  {_clean(rule)}"
                        )
                    )
        if self._fixable:
            self._print()
            one = self._fixable == 1
            form = "is a matter of form: `edi-checker fix FILE` repairs it"
            said = form if one else "are a matter of form: `edi-checker fix FILE` repairs them"
            self._print(Text(f"{count_of(self._fixable, 'finding')} {said}"))
        if self._all.rules:
            self._print()
        elif unread < files:
            what = "Nothing found that is not in the baseline." if self._hidden else "Nothing found."
            self._print(Text(what))
            self._print()
        if unread < files:
            self._how()

    def _how(self) -> None:
        """With which rules, profiles and tables the files were checked."""
        tally = self._all.tally
        words = [count_of(tally.rules, "rule"), say_profiles(self._all.profiles).rstrip(".")]
        if not self._verbose:
            words.append("Tables used: -v")
        self._print(Text(self._join(*filter(None, words)), "dim"))
        if self._verbose:
            self._tables_used()
        if self._all.outcomes.total() > 1:
            self._notices(self._all.coverage.gaps())

    def _tables_used(self) -> None:
        tally = self._all.tally
        said = f"{tally.applied:,} of {count_of(tally.rules, 'rule')} applied"
        self._print(Text(f"{said}, {tally.not_in_force:,} not in force on the dates met", "dim"))
        names = max((len(name) for name, _, _ in self._tables), default=0)
        releases = max((len(release) for _, release, _ in self._tables), default=0)
        for name, release, rows in self._tables:
            self._print(Text(f"{name:<{names}}  {release:<{releases}}  {rows:>9,} rows", "dim"))
        if self._tables:
            self._print(Text('"Nothing found" means nothing in these releases.', "dim"))

    def _notices(self, gaps: Iterable[Gap]) -> None:
        for sentence in say_gaps(gaps):
            self._print(Text(sentence, "yellow"))

    def _file(self, summary: Summary) -> None:
        self._notices(summary.gaps)
        outcome = summary.outcome
        mark = self._marks.rejected
        if outcome in ("accepted", "not_checked"):
            mark = self._marks.accepted if outcome == "accepted" else self._marks.not_checked
        self._print(Text(escape(summary.path), "bold"))
        what = [
            count_of(summary.claims, "claim"),
            count_of(summary.lines, "line"),
            show_dollars(sum(summary.sums.cents.values())),
        ]
        words = say_file(outcome, summary.sums.claims["rejected"], summary.claims)
        verdict = Text.assemble((f"{mark} {words}", _STYLES[outcome]))
        if summary.reason is not None:
            verdict.append(f": {_clean(summary.reason)}")
        if summary.claims or summary.reason is None:
            verdict.append("   " + self._join(*what))
        self._print(verdict, indent=2)

    def _group(self, entry: Entry) -> None:
        """The heading above the findings of one claim, or of one part of the envelope."""
        where = entry.finding["where"]
        if entry.number:
            title = Text.assemble("Claim ", (_clean(where["claim"] or "without a number"), "bold"))
            if entry.claim is not None:
                known = self._join(*filter(None, (entry.claim.patient, entry.claim.dates, entry.claim.payer)))
                title.append(f"   {_clean(known)}")
            title.append("   " + (show_dollars(entry.cents or 0)))
            title.append(f"   {words_of(entry.outcome)}", _STYLES[entry.outcome])
        else:
            title = Text(_envelope(where))
        self._print(title, indent=2)

    def _finding(self, entry: Entry, *, advise: bool) -> None:
        finding = entry.finding
        severity = finding["severity"]
        head = Text.assemble((severity, _STYLES[severity]), "  ", (_clean(finding["rule"]), "bold"))
        head.append("   " + self._place(finding["where"]), "dim")
        self._print(head, indent=4)
        self._print(Text(_clean(finding["message"])), indent=4)
        if entry.excerpt is not None:
            self._excerpt(entry.excerpt, _STYLES[severity])
        if finding["fix"] and advise:
            box = box_of_fix(finding, entry.excerpt.text if entry.excerpt else "")
            self._labelled("fix", Text(f"{f'Box {box}: ' if box else ''}{_clean(finding['fix'])}"))
        if finding.get("affects_count") and severity == "error":
            self._labelled("costs", Text(_clean(_affected(finding))))
        for place in finding["related"]:
            self._labelled("see", Text(self._place(place, finding["where"]["claim"]), "dim"))
        source = finding["citation"]
        if finding["table"] is not None:
            table = f"table {finding['table']['name']} {finding['table']['version']}"
            source = self._join(source, table) if source else table
        if source and advise:
            self._labelled("source", Text(_clean(source), "dim"))

    def _place(self, where: dict[str, Any], within: str | None = "") -> str:
        """The place in words; the claim is named where it is not the one `within` which the reader is, and
        the file where it is another.
        """
        words = []
        if received := where.get("received"):
            words += [f"file received {received}", f"interchange {_clean(where['interchange'])}"]
        if received or within not in ("", where["claim"]):
            words.append(f"claim {_clean(where['claim'])}")
        if where["line"] is not None:
            words.append(f"line {where['line']}")
        at = where["element"] or where["segment"]
        words.append(_clean(at if where["loop"] == where["segment"] else f"{where['loop']} {at}".strip()))
        if where["position"]:
            words.append(f"segment {where['position']:,}")
        return self._join(*filter(None, words))

    def _excerpt(self, excerpt: Excerpt, style: str) -> None:
        """The segment, and below it a mark under the faulty element."""
        room = self._width - 6
        before, marked, after = (
            _clean(part)
            for part in (
                excerpt.text[: excerpt.start],
                excerpt.text[excerpt.start : excerpt.end],
                excerpt.text[excerpt.end :],
            )
        )
        cut = self._marks.cut
        if cell_len(before + marked + after) > room:
            # Keep the element in sight, and something of what stands before it.
            marked = _fit(marked, room // 2, cut)
            before = cut + _last_cells(before, room // 4) if cell_len(before) > room // 3 else before
            after = _fit(after, room - cell_len(before + marked), cut)
        line = Text.assemble(before, (marked, style), after)
        self._print(line, indent=6, wrap=False)
        if excerpt.start or excerpt.end:
            under = " " * cell_len(before) + self._marks.under * max(1, cell_len(marked))
            self._print(Text(under, style), indent=6, wrap=False)

    def _labelled(self, label: str, text: Text) -> None:
        for number, line in enumerate(text.wrap(self._width - 12)):
            start = (f"    {label if number == 0 else '':<8}", "dim")
            self._writer.write(Text.assemble(start, line))

    def _print(self, text: Text | None = None, *, indent: int = 0, wrap: bool = True) -> None:
        if text is None:
            self._writer.write(Text())
            return
        for line in text.wrap(self._width - indent) if wrap else [text.rstrip()]:
            self._writer.write(Text.assemble(" " * indent, line))

    def _join(self, *words: str) -> str:
        return self._marks.dot.join(words)


def _group_of(entry: Entry) -> tuple[int, str]:
    return entry.number, "" if entry.number else _envelope(entry.finding["where"])


def _envelope(where: dict[str, Any]) -> str:
    if where["transaction"] is not None:
        return f"Transaction {_clean(where['transaction'])}, outside its claims"
    if where["group"] is not None:
        return f"Group {_clean(where['group'])}"
    return f"Interchange {_clean(where['interchange'])}"


def _affected(finding: dict[str, Any]) -> str:
    """The claims that a fault above them costs, in words."""
    count, named = finding["affects_count"], finding["affects"][:_MOST_NAMED]
    names = ", ".join(name or "without a number" for name in named)
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return f"{count_of(count, 'claim')}: {names}{more}"


def _clean(text: str) -> str:
    """The text without anything that a terminal would obey: controls, escapes, marks of direction."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(c) in _OBEYED else c for c in text)


_OBEYED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def _fit(text: str, cells: int, cut: str) -> str:
    """The text, its end cut off where it takes more cells."""
    if cell_len(text) <= cells:
        return text
    room = cells - cell_len(cut)
    kept = ""
    for character in text:
        room -= cell_len(character)
        if room < 0:
            break
        kept += character
    return kept + cut


def _last_cells(text: str, cells: int) -> str:
    kept: list[str] = []
    for character in reversed(text):
        cells -= cell_len(character)
        if cells < 0:
            break
        kept.append(character)
    return "".join(reversed(kept))
