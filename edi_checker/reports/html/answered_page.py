"""A list of answered claims as one HTML page: each claim with what its answer says and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TextIO

from edi_checker.acks.answered import Loose, Row, Sums, WorkList
from edi_checker.acks.heaps import HEAPS, UNANSWERED_ADVICE, Heap
from edi_checker.reports.answered_json import say_before, say_days, say_heap, say_top
from edi_checker.reports.html.markup import Element, append, head_of, scroll, shorten, tag, write
from edi_checker.reports.html.skeleton import write_end, write_head
from edi_checker.x12.money import show_dollars

MOST_TEXT = 15_000_000  # characters of rows on a page
MOST_ROWS: dict[Heap, int] = {"fix": 5_000, "wait": 3_000, "unanswered": 3_000, "leave": 2_000}
_MOST_LOOSE = 500
_MOST_SOURCES = 400
_CLASSES: dict[Heap, str] = {
    "fix": "rejected",
    "wait": "warning",
    "unanswered": "not_checked",
    "leave": "accepted",
}
_LABELS: dict[Heap, str] = {"fix": "fix", "wait": "wait", "unanswered": "not answered", "leave": "accepted"}
_STYLE = """
.answered { min-width: 60rem; }
.answered.short { min-width: 0; max-width: 46rem; }
.answered .tight { white-space: nowrap; overflow-wrap: normal; }
.answered td:not(:last-child) { overflow-wrap: break-word; }
.answered td p + p { margin-top: 0.35rem; }
"""
_SHORT = ("Claim", "Patient", "Service", "Charge")
_COLUMNS = ("Claim", "Patient", "Service", "Charge", "To do", "What the answer says", "What to do", "Said by")


def write_page(work: WorkList, out: TextIO, version: str, below_top: Element | None = None) -> None:
    """The page in ASCII, with one more element below its top; needs no script, no other file and no network,
    and stays below 20 MB.
    """
    known, unknown = work.sums(known=True), work.sums(known=False)
    top = say_top(work) or ["The answers name no claims."]
    write_head(out, top[0], _STYLE)
    out.write(write(_head(work, top, known if work.has_claims else unknown)))
    if below_top is not None:
        out.write(write(below_top))
    out.write("<main>\n")
    left = MOST_TEXT
    for of_files in (True, False):
        sums = known if of_files else unknown
        for heap in HEAPS:
            if sums.claims[heap]:
                title = (
                    HEAPS[heap]
                    if of_files or not work.has_claims
                    else f"Not found in the claim files: {HEAPS[heap].lower()}"
                )
                left -= _write_heap(out, title, heap, sums, work.rows(heap, known=of_files), left)
    _write_loose(out, work)
    out.write("</main>\n")
    out.write(write(_foot(work, version)))
    write_end(out)


def _head(work: WorkList, top: list[str], sums: Sums) -> Element:
    verdicts = work.verdicts()
    sign, outcome = (
        ("\u2717", "rejected") if sums.claims["fix"] or "rejected" in verdicts else ("\u2713", "accepted")
    )
    if outcome == "accepted" and "unclear" in verdicts:
        sign, outcome = "?", "not_checked"
    figures = tag("dl", class_="figures")
    for heap, title in HEAPS.items():
        append(
            figures,
            tag(
                "div",
                tag("dt", title),
                tag("dd", f"{sums.claims[heap]:,}"),
                tag("dd", show_dollars(sums.cents[heap]), class_="amount"),
                class_={"fix": "rejected", "leave": "accepted"}.get(heap),
            ),
        )
    return tag(
        "header",
        tag("p", "edi-checker \u00b7 answers to claims", class_="brand"),
        tag("h1", tag("span", sign, class_="sign", aria_hidden="true"), top[0]),
        *(tag("p", sentence, class_="source") for sentence in top[1:]),
        *_unread(work),
        figures,
        class_=f"top {outcome}",
    )


def _unread(work: WorkList) -> list[Element]:
    unread = (source for source in work.sources() if source.reason)
    return [
        tag(
            "p",
            f"Could not be read: {shorten(source.path, 300)}: {source.reason}",
            class_="notice",
            role="note",
        )
        for source in islice(unread, _MOST_SOURCES)
    ]


def _write_heap(out: TextIO, title: str, heap: Heap, sums: Sums, rows: Iterable[Row], left: int) -> int:
    """The claims of a heap as a section; gives the characters written."""
    written = shown = 0
    out.write('<section class="more">\n')
    out.write(write(tag("h2", title)))
    out.write(write(tag("p", say_heap(heap, sums), class_="quiet")))
    short = heap == "unanswered"
    if short:
        out.write(write(tag("p", UNANSWERED_ADVICE)))
    head = head_of(_SHORT if short else _COLUMNS, ("Charge",))
    table = tag("table", head, tag("tbody"), class_=f"answered cards sortable{' short' * short}")
    opened = write(scroll(title, table))
    begin, _, end = opened.partition("</tbody>")
    out.write(begin)
    for row in islice(rows, MOST_ROWS[heap]):
        if written > left:
            break
        text = write(_row(row))
        written += len(text)
        shown += 1
        out.write(text)
    out.write(f"</tbody>{end}")
    if shown < sums.claims[heap]:
        more = f"{sums.claims[heap] - shown:,} more are not shown here; JSON and xlsx have all."
        out.write(write(tag("p", more, class_="quiet")))
    out.write("</section>\n")
    return written


def _row(row: Row) -> Element:
    charge = "not known" if row.charge is None else show_dollars(row.charge)
    cells = (
        tag("th", shorten(row.claim, 60) or "(not named)", scope="row", class_="tight"),
        tag("td", row.patient, data_label="Patient"),
        tag("td", say_days(row), class_="tight", data_label="Service"),
        tag("td", charge, class_="number tight", data_label="Charge"),
    )
    if row.heap == "unanswered":
        return tag("tr", *cells)
    label = "not again" if row.heap == "leave" and row.outcome == "rejected" else _LABELS[row.heap]
    says = tag("td", *_paragraphs(row.says), data_label="What the answer says")
    if row.codes:
        append(says, tag("code", " ".join(row.codes), class_="quiet"))
    source = tag("td", f"{row.kind} ", shorten(row.source, 200))
    if row.before:
        append(source, tag("p", shorten(say_before(row), 600), class_="quiet"))
    return tag(
        "tr",
        *cells,
        tag("td", tag("span", label, class_=f"tag {_CLASSES[row.heap]}")),
        says,
        tag("td", *_paragraphs(row.advice), data_label="What to do"),
        source,
    )


def _paragraphs(sentences: Iterable[str]) -> list[Element]:
    return [tag("p", shorten(sentence, 2_000)) for sentence in sentences]


def _write_loose(out: TextIO, work: WorkList) -> None:
    """What is said of no claim of the list."""
    loose: list[Loose] = list(islice(work.loose(), _MOST_LOOSE))
    if not loose:
        return
    body = tag("tbody")
    for said in loose:
        text = tag("td", shorten(said.text, 2_000), " ")
        if said.codes:
            append(text, tag("code", " ".join(said.codes), class_="quiet"))
        append(
            body,
            tag(
                "tr",
                tag("td", said.outcome),
                text,
                tag("td", said.advice),
                tag("td", shorten(said.source, 200)),
            ),
        )
    head = head_of(("Outcome", "What the answer says", "What to do", "Said by"))
    table = scroll("Also said", tag("table", head, body, class_="list"))
    out.write(write(tag("section", tag("h2", "Also said"), table, class_="more")))


def _foot(work: WorkList, version: str) -> Element:
    read = [source for source in work.sources() if not source.reason]
    names = tag("ul")
    for source in read[:_MOST_SOURCES]:
        claims = f", {source.claims:,} claims" if source.role == "claims" else ""
        append(names, tag("li", f"{shorten(source.path, 300)}{claims}"))
    more = len(read) - _MOST_SOURCES
    return tag(
        "footer",
        tag("h2", "Files"),
        names,
        tag("p", f"and {more:,} more", class_="quiet") if more > 0 else None,
        tag("p", f"edi-checker {version}", class_="quiet"),
    )
