"""The page as a whole: verdict and totals, findings by rule, faulty claims, answers, and what was applied."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple, TextIO

from edi_checker.reports.findings_log import (
    Entry,
    FileOutcome,
    FindingsLog,
    RunTotals,
    Summary,
    say_profiles,
    say_unlisted,
)
from edi_checker.reports.gaps import say_gaps
from edi_checker.reports.html.answers import key_of, unite
from edi_checker.reports.html.answers import lay_out as lay_out_answer
from edi_checker.reports.html.claim_card import (
    OUTCOMES,
    Advice,
    lay_out,
    name_place,
    outcome_tag,
    severity_tag,
)
from edi_checker.reports.html.claim_view import ClaimView, ClaimViews
from edi_checker.reports.html.markup import Content, Element, append, head_of, shorten, tag, write
from edi_checker.reports.html.rule_filter import draw_chart, write_switches
from edi_checker.reports.html.skeleton import write_end, write_head
from edi_checker.reports.html.work_list import Card, WorkList
from edi_checker.reports.verdict import capitalize, count_of, say_claims, say_file
from edi_checker.rules import Rule
from edi_checker.x12.dates import iso
from edi_checker.x12.money import show_dollars

MOST_CARD_TEXT = 9_000_000  # characters of parts laid out in full on one page
MOST_LIST_TEXT = 7_000_000  # characters of the list of findings
MOST_FINDINGS = 50  # findings told within one part that is laid out
MOST_LISTED = 12_000  # findings in the list
MOST_CLAIMS = 1_000  # rejected or unchecked claims of a file that are listed
MOST_ACCEPTED = 200  # accepted ones
MOST_MARKS = 400  # rules whose findings can be shown alone
MOST_FILES = 400  # files with a part of their own on the page; the rest is summed up
_IN_MEMORY = 1 << 20

_SIGNS: dict[FileOutcome, str] = {
    "accepted": "\u2713",
    "accepted_with_errors": "\u2717",
    "rejected": "\u2717",
    "not_checked": "?",
}


class Answer(NamedTuple):
    """An acknowledgement as it was written, one segment a line, and its name (`999`)."""

    name: str
    stream: IO[bytes]


class HtmlReport:
    """Writes one page to `out` when all files are known; until then their parts wait in temporary files.

    `received` is CCYYMMDD; `tables` are name, version and rows of each table that decides; `rules` those that
    were applied, for their titles and what the record must show. The page is ASCII, needs no other file, no
    network and no script (its own only sorts and filters), and stays below 20 MB whatever was found.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        version: str,
        received: int,
        tables: list[tuple[str, str, int]],
        rules: Iterable[Rule] = (),
    ) -> None:
        self._out = out
        self._version = version
        self._received = iso(received)
        self._tables = tables
        self._titles: dict[str, str] = {}
        self._documentation: dict[str, tuple[str, ...]] = {}
        for rule in rules:
            self._titles[rule.id] = rule.fault
            self._documentation[rule.id] = rule.documentation
        self._marks: dict[str, str] = {}
        self._body = _spool()
        self._list = _spool()
        self._work = WorkList(_spool, lambda rule: self._advise(rule).mark)
        self._listed = self._unlisted = 0
        self._card_text = self._list_text = 0
        self._summaries: list[tuple[str, FileOutcome]] = []
        self._all = RunTotals()
        self._skipped: list[Summary] = []

    def add(
        self,
        journal: FindingsLog,
        summary: Summary,
        exhibits: ClaimViews | None = None,
        answers: Sequence[Answer] = (),
    ) -> None:
        """Take one file: its journal, the parts to lay out, and the answers to it that there are.

        The streams of the answers are read from where they stand to their end.
        """
        self._all.add(summary)
        number = self._all.outcomes.total()
        if number <= MOST_FILES:
            self._summaries.append((summary.path, summary.outcome))
            self._file(journal, summary, exhibits or ClaimViews(), answers, f"f{number}")
        else:
            self._unlisted += sum(summary.severities.values())

    def skip(self, summary: Summary) -> None:
        """Note a file of a folder that is no claim file."""
        self._skipped.append(summary)

    def finish(self, below_top: Element | None = None) -> None:
        """Write the page, with one more element below its top."""
        out = self._out
        with self._body as body, self._list as rows:
            write_head(out, self._verdict()[1], write_switches(self._marks), is_long=self._work.is_long)
            target = "work-list" if any(self._work.counts.values()) else "main"
            out.write(write(tag("a", "Skip to the claims that need work", href=f"#{target}", class_="skip")))
            out.write(write(self._top()))
            if below_top is not None:
                out.write(write(below_top))
            out.write('<main id="main">\n')
            self._work.write(out, _pour)
            chart = draw_chart(self._all.rules, self._marks, self._titles)
            if chart is not None:
                out.write(write(chart))
            _pour(body, out)
            if self._listed or self._unlisted:
                out.write(self._open_list())
                _pour(rows, out)
                out.write("</tbody></table></div>\n")
                if self._unlisted:
                    told = f"{self._unlisted:,} more findings are not shown here."
                    out.write(write(tag("p", told, class_="quiet")))
                out.write("</section>\n")
            if self._skipped:
                rows_of = [tag("li", f"{each.path}: {each.reason}") for each in self._skipped[:MOST_FILES]]
                title = f"{count_of(len(self._skipped), 'file')} skipped, no claim files"
                out.write(write(tag("section", tag("h2", title), tag("ul", *rows_of))))
            out.write("</main>\n")
            out.write(write(self._foot()))
            write_end(out)

    # One file

    def _file(
        self,
        journal: FindingsLog,
        summary: Summary,
        exhibits: ClaimViews,
        answers: Sequence[Answer],
        anchor: str,
    ) -> None:
        self._body.write(f'<section class="file" id="{anchor}">\n')
        self._write(_heading_of(summary))
        claims: dict[str, str] = {}
        numbers: dict[int, str] = {}
        cards: dict[int, Card] = {}
        for exhibit, entries, left_out in self._pair(journal, exhibits):
            name = f"{anchor}-c{exhibit.number}" if exhibit.number else f"{anchor}-e{exhibit.first + 1}"
            self._write(lay_out(exhibit, entries, name, self._advise, left_out))
            if exhibit.number:
                numbers[exhibit.number] = name
                claims.setdefault(key_of(exhibit.title), name)
            cards[exhibit.first] = Card(name, _person_of(exhibit))
            for number, claim in zip(entries[0].below, entries[0].finding.get("affects", ()), strict=False):
                numbers.setdefault(number, name)
                claims.setdefault(key_of(claim), name)
        self._work.add(journal, cards)
        for rule, count in sorted(summary.unlisted.items()):
            self._write(tag("p", say_unlisted(rule, count), class_="quiet"))
        table = _claims(journal, summary, numbers)
        if table is not None:
            self._write(table)
        shown = [
            lay_out_answer(f"{answer.name}", answer.stream, claims, f"{anchor}-{answer.name}")
            for answer in answers
            if self._card_text < MOST_CARD_TEXT
        ]
        together = unite(shown)
        if together is not None:
            self._write(together)
        self._body.write("</section>\n")

    def _write(self, element: Element) -> None:
        text = write(element)
        self._card_text += len(text)
        self._body.write(text)

    def _pair(
        self, journal: FindingsLog, exhibits: ClaimViews
    ) -> Iterator[tuple[ClaimView, list[Entry], int]]:
        """Each part that is laid out with its findings; all other findings go to the list.

        The findings of a part stand together in the journal, in the order in which the exhibits count them.
        """
        waiting = iter(exhibits)
        now = next(waiting, None)
        entries: list[Entry] = []
        more = 0
        for index, entry in enumerate(journal.entries()):
            if now is not None and index >= now.first + now.count:
                if entries:
                    yield now, entries, more
                entries, more, now = [], 0, next(waiting, None)
            within = now is not None and index >= now.first
            if within and len(entries) < MOST_FINDINGS and (entries or self._card_text < MOST_CARD_TEXT):
                entries.append(entry)
            else:
                more += within and bool(entries)
                self._list_finding(entry)
        if now is not None and entries:
            yield now, entries, more

    def _advise(self, rule: str) -> Advice:
        if rule not in self._marks and len(self._marks) < MOST_MARKS:
            self._marks[rule] = f"r{len(self._marks) + 1}"
        return Advice(self._marks.get(rule, "r0"), self._documentation.get(rule, ()))

    def _list_finding(self, entry: Entry) -> None:
        if self._listed >= MOST_LISTED or self._list_text >= MOST_LIST_TEXT:
            self._unlisted += 1
            return
        finding = entry.finding
        where = finding["where"]
        mark = self._advise(finding["rule"]).mark
        row = tag(
            "tr",
            tag("td", severity_tag(finding["severity"])),
            tag("td", tag("code", finding["rule"])),
            tag("td", _title_of(entry)),
            tag("td", name_place(where)),
            tag("td", shorten(finding["message"], 600)),
            class_=f"finding {finding['severity']} {mark}",
        )
        text = write(row)
        self._listed += 1
        self._list_text += len(text)
        self._list.write(text)

    # The whole

    def _verdict(self) -> tuple[str, str, str]:
        """Sign, sentence and class of the verdict on all files."""
        outcomes, unread = self._all.outcomes, self._all.outcomes["not_checked"]
        missing = f"{count_of(unread, 'file')} could not be checked" if unread else ""
        claims = self._all.sums.claims
        if words := say_claims(claims["rejected"], sum(claims.values())):
            words = f"{capitalize(words)} before you send"
            return "\u2717", f"{words}; {missing}" if missing else words, "rejected"
        if outcomes["rejected"] or outcomes["accepted_with_errors"]:
            return "\u2717", "Errors outside the claims need work before you send", "rejected"
        if unread:
            return "?", "Could not be checked" if outcomes.total() == 1 else missing, "not_checked"
        if not sum(claims.values()):
            return "\u2713", "No claims, nothing wrong" if outcomes.total() else "No files", "accepted"
        return "\u2713", "Ready to send", "accepted"

    def _top(self) -> Element:
        sign, words, outcome = self._verdict()
        files_ = self._all.outcomes.total()
        path = self._summaries[0][0] if files_ == 1 and self._summaries else count_of(files_, "file")
        top = tag(
            "header",
            tag("p", "edi-checker \u00b7 837P claims report", class_="brand"),
            tag("h1", tag("span", sign, class_="sign", aria_hidden="true"), words),
            tag("p", tag("strong", path), f" \u00b7 received {self._received}", class_="source"),
            *(
                tag("p", notice, class_="notice", role="note")
                for notice in say_gaps(self._all.coverage.gaps())
            ),
            self._figures(),
            class_=f"top {outcome}",
        )
        if files_ > 1:
            links = tag("ul", class_="files")
            for number, (name, own) in enumerate(self._summaries, 1):
                links.append(tag("li", _SIGNS[own], " ", tag("a", name, href=f"#f{number}")))
            if files_ > len(self._summaries):
                links.append(tag("li", f"and {files_ - len(self._summaries):,} more"))
            append(top, tag("details", tag("summary", count_of(files_, "file")), links))
        return top

    def _figures(self) -> Element:
        sums = self._all.sums
        figures = tag("dl", class_="figures")
        total, cents = sum(sums.claims.values()), sum(sums.cents.values())
        rows: list[tuple[str | None, str, int, str]] = [
            ("" if total else None, "Claims", total, show_dollars(cents)),
            *(
                (outcome if count else None, OUTCOMES[outcome], count, show_dollars(sums.cents[outcome]))
                for outcome, count in sums.claims.items()
                if count or outcome != "not_checked"
            ),
            (None, "Service lines", self._all.lines, "\u00a0"),
        ]
        for name, label, count, amount in rows:
            values = tag("dd", f"{count:,}"), tag("dd", amount, class_="amount")
            figures.append(tag("div", tag("dt", label), *values, class_=name))
        return figures

    def _open_list(self) -> str:
        heading = write(tag("h2", "More findings" if self._card_text else "Findings"))
        note = write(
            tag("p", "One line for each finding of a part that is not laid out above.", class_="quiet")
        )
        head = head_of(("Severity", "Rule", "Claim", "Place", "What is wrong"))
        return (
            f'<section class="more">\n{heading}{note}<div class="scroll" tabindex="0" role="group" '
            f'aria-label="More findings"><table class="list">{write(head)}<tbody>\n'
        )

    def _foot(self) -> Element:
        tally = self._all.tally
        foot = tag(
            "footer",
            tag("h2", "With what it was checked"),
            tag(
                "p",
                f"edi-checker {self._version} \u00b7 {count_of(tally.rules, 'rule')}, "
                f"{tally.applied:,} applied, {tally.not_in_force:,} not in force on the dates met. "
                f"{say_profiles(self._all.profiles)}",
            ),
        )
        if self._tables:
            table = tag("table", class_="tables")
            append(table, head_of(("Table", "Release", "Rows"), ("Rows",)))
            for name, release, rows in self._tables:
                row = tag("tr", tag("td", name), tag("td", release), tag("td", f"{rows:,}", class_="number"))
                table.append(row)
            append(foot, tag("div", table, class_="scroll"))
            append(
                foot,
                tag("p", "\u201cReady to send\u201d means: nothing found in these releases.", class_="quiet"),
            )
        privacy = "This page may identify patients: treat it as you treat the claims."
        append(foot, tag("p", privacy, class_="quiet"))
        return foot


def _person_of(exhibit: ClaimView) -> str:
    """The patient or subscriber whom a level above the claims names."""
    people = (detail.texts[0] for detail in exhibit.details if detail.label in ("Patient", "Subscriber"))
    return "" if exhibit.number else next(people, "")


def _heading_of(summary: Summary) -> Element:
    sign = _SIGNS[summary.outcome]
    words = say_file(summary.outcome, summary.sums.claims["rejected"], summary.claims)
    counted = [
        count_of(summary.interchanges, "interchange"),
        count_of(summary.groups, "group"),
        count_of(summary.transactions, "transaction"),
        count_of(summary.claims, "claim"),
        count_of(summary.lines, "line"),
        show_dollars(sum(summary.sums.cents.values())),
    ]
    head = tag(
        "header",
        tag("h2", summary.path),
        tag(
            "p",
            tag("span", f"{sign} {capitalize(words)}", class_=f"tag {summary.outcome}"),
            tag("span", " \u00b7 ".join(counted), class_="quiet"),
        ),
    )
    if summary.reason is not None:
        append(head, tag("p", f"Not checked: {summary.reason}.", class_="reason"))
    if not summary.severities.total() and summary.reason is None:
        append(head, tag("p", "Nothing was found in this file.", class_="nothing"))
    if summary.sha256:
        append(head, tag("p", "SHA-256 ", tag("code", summary.sha256), class_="digest"))
    return head


def _claims(journal: FindingsLog, summary: Summary, anchors: dict[int, str]) -> Element | None:
    """Every claim of a file that is not accepted, and the first accepted ones."""
    if not summary.claims:
        return None
    body = tag("tbody")
    left_out = accepted = others = 0
    for number, (claim, transaction, outcome, charge) in enumerate(journal.claims(), 1):
        if outcome == "accepted":
            accepted += 1
            shown = accepted <= MOST_ACCEPTED or number in anchors
        else:
            others += 1
            shown = others <= MOST_CLAIMS
        if not shown:
            left_out += 1
            continue
        name = shorten(json.loads(claim), 60) or "without a number"
        first: Content = tag("a", name, href=f"#{anchors[number]}") if number in anchors else name
        body.append(
            tag(
                "tr",
                tag("td", f"{number:,}", class_="number"),
                tag("td", first),
                tag("td", shorten(json.loads(transaction), 20)),
                tag("td", f"${_thousands(charge)}", class_="number"),
                tag("td", outcome_tag(outcome)),
            )
        )
    head = head_of(("No.", "Claim", "Transaction", "Charge", "Outcome"), ("No.", "Charge"))
    details = tag(
        "details",
        tag(
            "summary", tag("h3", "All claims"), tag("span", count_of(summary.claims, "claim"), class_="quiet")
        ),
        tag("div", tag("table", head, body, class_="claims"), class_="scroll"),
    )
    if left_out:
        append(details, tag("p", f"{count_of(left_out, 'more claim')} not listed.", class_="quiet"))
    return details


def _thousands(charge: str) -> str:
    whole, _, rest = charge.partition(".")
    return f"{int(whole):,}.{rest}"


def _title_of(entry: Entry) -> str:
    where = entry.finding["where"]
    if entry.number:
        return shorten(where["claim"] or "without a number", 60)
    if where["transaction"]:
        return f"transaction {shorten(where['transaction'], 20)}"
    return (
        f"group {shorten(where['group'], 20)}"
        if where["group"]
        else f"interchange {shorten(where['interchange'], 20)}"
    )


def _spool() -> IO[str]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="ascii", newline="\n")


def _pour(spool: IO[str], out: TextIO) -> None:
    spool.seek(0)
    while piece := spool.read(_IN_MEMORY):
        out.write(piece)
