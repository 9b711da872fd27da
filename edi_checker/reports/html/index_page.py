"""The page over many files: what became of each, and one work list, whose rows open the page of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO
from urllib.parse import quote

from lxml import html

from edi_checker.reports.html.markup import Element, head_of, scroll, tag, write
from edi_checker.reports.html.skeleton import write_end, write_head
from edi_checker.reports.html.work_list import MOST_ROWS, MOST_TEXT, SECTION, write_section
from edi_checker.reports.verdict import capitalize, say_claims, say_file
from edi_checker.x12.money import show_dollars

MOST_FILES = 5_000
_MOST_HEAD = 1 << 17  # characters of a page before its work list


class CheckedFile(NamedTuple):
    """A file, the name of its page (None if it has none), its outcome with the reason, and what it holds."""

    path: str
    page: str | None
    outcome: str
    reason: str | None
    claims: int
    rejected: int
    cents: int


def write_index(
    out: TextIO, files: Sequence[CheckedFile], folder: Path, notices: Sequence[str], day: str
) -> None:
    """Write the page over files whose pages lie in `folder`, with `notices` on top; `day` is that of receipt.

    At most MOST_ROWS rows of work and MOST_FILES files are listed, the rest is counted. A page that cannot be
    read adds no rows: its file is listed all the same.
    """
    rows: dict[str, list[str]] = {"error": [], "warning": []}
    left_out = text = 0
    for file in files:
        for severity, row in _rows_of(file, folder):
            if sum(map(len, rows.values())) >= MOST_ROWS or text > MOST_TEXT:
                left_out += 1
                continue
            rows[severity].append(row)
            text += len(row)
    counts = {severity: len(found) for severity, found in rows.items()}
    write_head(out, _verdict(files)[1], is_long=True)
    target = "work-list" if any(counts.values()) else "main"
    out.write(write(tag("a", "Skip to the claims that need work", href=f"#{target}", class_="skip")))
    out.write(write(_top(files, notices, day)))
    out.write('<main id="main">\n')
    if any(counts.values()):
        write_section(out, (partial(_write_all, found) for found in rows.values()), counts, left_out)
    out.write(write(_table(files)))
    out.write("</main>\n")
    privacy = "This page may identify patients: treat it as you treat the claims."
    out.write(write(tag("footer", tag("p", privacy, class_="quiet"))))
    write_end(out)


def _write_all(rows: list[str], out: TextIO) -> None:
    out.writelines(rows)


def _rows_of(file: CheckedFile, folder: Path) -> Iterator[tuple[str, str]]:
    """Severity and text of each row of the work list of a file's page, its links leading there."""
    if file.page is None:
        return
    try:
        with (folder / file.page).open(encoding="ascii") as page:
            text = page.read(_MOST_HEAD + 2 * MOST_TEXT)
    except (OSError, UnicodeError):
        return
    start = text.find(SECTION)
    end = text.find("</section>", start)
    if start < 0 or end < 0:
        return
    for row in html.fragment_fromstring(text[start:end]).iterfind(".//tbody/tr"):
        for link in row.iter("a"):
            link.set("href", f"{quote(file.page)}{link.get('href', '')}")
        severity = "error" if "error" in row.get("class", "").split() else "warning"
        # The rules of a page have classes of their own there.
        row.set("class", severity)
        yield severity, write(row)


def _verdict(files: Sequence[CheckedFile]) -> tuple[str, str, str]:
    """Sign, sentence and class of the verdict on all files."""
    unread = sum(file.outcome == "not_checked" for file in files)
    missing = f"{unread:,} of {len(files):,} files could not be checked" if unread else ""
    words = say_claims(sum(file.rejected for file in files), sum(file.claims for file in files))
    if not words and any(file.outcome in ("rejected", "accepted_with_errors") for file in files):
        words = "errors outside the claims need work"
    if words:
        words = f"{capitalize(words)} before you send"
        return "\u2717", f"{words}; {missing}" if missing else words, "rejected"
    return ("?", missing, "not_checked") if unread else ("\u2713", "Ready to send", "accepted")


def _top(files: Sequence[CheckedFile], notices: Sequence[str], day: str) -> Element:
    sign, words, outcome = _verdict(files)
    claims, cents = sum(file.claims for file in files), sum(file.cents for file in files)
    said = f"{len(files):,} files \u00b7 {claims:,} claims \u00b7 {show_dollars(cents)} \u00b7 received {day}"
    return tag(
        "header",
        tag("p", "edi-checker \u00b7 837P claims report", class_="brand"),
        tag("h1", tag("span", sign, class_="sign", aria_hidden="true"), words),
        tag("p", said, class_="source"),
        *(tag("p", notice, class_="notice", role="note") for notice in notices),
        class_=f"top {outcome}",
    )


def _table(files: Sequence[CheckedFile]) -> Element:
    body = tag("tbody")
    for file in files[:MOST_FILES]:
        verdict = capitalize(say_file(file.outcome, file.rejected, file.claims))
        name = tag("a", file.path, href=quote(file.page)) if file.page else file.path
        said = tag("td", tag("span", verdict, class_=f"tag {file.outcome}"))
        if file.reason:
            said.append(tag("span", f" {file.reason}", class_="quiet"))
        numbers = f"{file.claims:,}", f"{file.rejected:,}", show_dollars(file.cents)
        body.append(tag("tr", tag("td", name), said, *(tag("td", each, class_="number") for each in numbers)))
    numeric = ("Claims", "Need work", "Charges")
    table = tag("table", head_of(("File", "Verdict", *numeric), numeric), body)
    section = tag("section", tag("h2", "Files"), scroll("Files", table))
    if len(files) > MOST_FILES:
        section.append(tag("p", f"{len(files) - MOST_FILES:,} more files: see summary.json", class_="quiet"))
    return section
