"""The pages with forms: a file to check, answers of payers, minutes; and why something went wrong."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TextIO

from edi_checker.reports.html.markup import Content, Element, append, tag, visible, write
from edi_checker.serve.endpoints import METHOD, PROFILE

_PLACES = {"/": "Check claims", "/ack": "Answers of payers", "/units": "Units", "/rules": "Rules"}
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="us-ascii">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
"""
_CLAIMS = ".837,.837p,.x12,.edi,.txt,.clm"
_PROFILES = {
    "auto": "The payer of each claim",
    "medicare": "Medicare",
    "medicaid": "Medicaid",
    "commercial": "Commercial",
    "medicare-advantage": "Medicare Advantage",
    "medicaid-without-tables": "Medicaid, with NCCI tables of its own",
    "uhc": "UnitedHealthcare",
    "va": "Veterans Affairs (VA)",
    "tricare": "TRICARE",
    "property-casualty": "Workers' compensation, auto, liability",
}
_KEPT = "What you send is answered and forgotten: nothing of it stays on the server."


def page_policy() -> str:
    """The policy of these pages: their own style and script by digest, and forms that lead back here."""
    style, script = _digest(_style()), _digest(_script())
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:;"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def report_policy() -> str:
    """The policy of a report: it names its own script itself, and has style in many places."""
    from edi_checker.reports.html.skeleton import script_digest

    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src '{script_digest()}';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def write_check(profile: str, most: int) -> str:
    """The start page; `profile` applies where none is chosen, and `most` bytes may be sent."""
    form = tag("form", method="post", action="/", enctype="multipart/form-data", data_most=str(most))
    append(
        form,
        _drop(
            "Drop an 837P file here, or choose one (also .zip or .gz)",
            f"{_CLAIMS},.zip,.gz",
        ),
        tag(
            "details",
            tag("summary", "Or paste the text of a file"),
            _field("Text", _pasted(), "text"),
        ),
        tag(
            "div",
            _field("Payer", _profiles(profile), "profile", "Whose rules apply."),
            _field(
                "Date of receipt",
                tag("input", type="date", name="received", id="received"),
                "received",
                "When the payer gets the file. Empty: today.",
            ),
            class_="row",
        ),
        tag(
            "details",
            tag("summary", "Minutes of treatment"),
            _field(
                "A CSV file with the columns claim, line and minutes",
                tag("input", type="file", name="minutes", id="minutes", accept=".csv,text/csv"),
                "minutes",
            ),
        ),
        tag("div", _button("page", "Check", main=True), class_="buttons"),
        _busy(),
        tag(
            "div",
            tag("p", "Or save something at once:", id="at-once"),
            _button("zip", "Claims and answers (zip)"),
            _button("xlsx", "Spreadsheet"),
            _button("fix", "Repaired file"),
            class_="buttons",
            role="group",
            aria_labelledby="at-once",
        ),
        tag("p", _KEPT, class_="hint"),
    )
    lead = "Which claims would come back, why, and what to change in them."
    return _page("/", "Check claims before you send them", lead, form)


def write_ack(most: int) -> str:
    """The page for answers of payers, where `most` bytes may be sent."""
    form = tag("form", method="post", action="/ack", enctype="multipart/form-data", data_most=str(most))
    append(
        form,
        _drop(
            "Drop answers (TA1, 999, 277CA) here, or choose them; the claim files too, if you have them",
            f".999,.277,.277ca,.ta1,{_CLAIMS},.zip,.gz",
            multiple="",
        ),
        tag(
            "details",
            tag("summary", "Or paste the text of an answer"),
            _field("Text", _pasted(), "text"),
        ),
        tag(
            "div",
            _button("page", "Explain", main=True),
            _button("xlsx", "Save spreadsheet"),
            class_="buttons",
        ),
        _busy(),
        tag("p", _KEPT, class_="hint"),
    )
    lead = "A payer's answer in plain words, and what to do about each claim."
    return _page("/ack", "What does the answer say?", lead, form)


def write_units(minutes: str = "", method: str = "cms", working: str = "", trouble: str = "") -> str:
    """The page for minutes, with the working where there is one."""
    form = tag("form", method="get", action="/units")
    field = tag(
        "input",
        type="text",
        name="minutes",
        id="minutes",
        value=minutes,
        required="",
        autocomplete="off",
        placeholder="97530=25 97140=20",
        aria_describedby="minutes-hint",
    )
    choices = tag("select", name="method", id="method")
    for name, label in zip(METHOD.choices, ("CMS 8-minute rule", "AMA midpoint rule"), strict=True):
        append(choices, tag("option", label, value=name, selected="" if name == method else None))
    append(
        form,
        _field(
            "Minutes of one patient, day and discipline",
            field,
            "minutes",
            "Each code with its minutes: 97530=25 97140=20",
        ),
        _field("Counted by", choices, "method"),
        tag("div", _submit("Count the units"), class_="buttons"),
    )
    shown: list[Content] = [tag("p", trouble, class_="reason", role="alert")] if trouble else []
    if working:
        frame = tag("pre", tabindex="0", role="group", aria_label="Units and working")
        frame.text = "\n".join(map(visible, working.splitlines()))
        shown += [tag("h2", "Units"), frame]
    return _page(
        "/units", "How many units do the minutes make?", "Billable units, with the working.", form, *shown
    )


def write_problem(title: str, detail: str, request_id: str, path: str) -> tuple[str, str]:
    """The page that says what is wrong with what `path` was sent, and its policy."""
    said = detail[:1].upper() + detail[1:].rstrip(".") + ("" if detail.endswith("?") else ".")
    place = path if path in _PLACES else "/"
    back = tag("p", tag("a", f"Back to: {_PLACES[place]}", href=place))
    number = tag("p", f"Request {request_id}", class_="hint")
    return _page("", title, said, back, number), page_policy()


def write_page(out: TextIO, place: str, title: str, lead: str, *content: Content) -> None:
    """A page of the server, with its links to the others."""
    out.write(_HEAD)
    out.write(write(tag("title", f"{title} \u2014 edi-checker")))
    out.write(f"<style>{_style()}</style>\n</head>\n<body>\n")
    links = tag("nav", tag("strong", "edi-checker"), aria_label="Pages", class_="places")
    for path, label in _PLACES.items():
        append(links, tag("a", label, href=path, aria_current="page" if path == place else None))
    main = tag("main", tag("h1", title), tag("p", lead, class_="lead"), *content)
    out.write(write(tag("header", links)))
    out.write(write(main))
    out.write(f"<script>{_script()}</script>\n</body>\n</html>\n")


def _page(place: str, title: str, lead: str, *content: Content) -> str:
    out = io.StringIO()
    write_page(out, place, title, lead, *content)
    return out.getvalue()


def _drop(label: str, accept: str, multiple: str | None = None) -> Element:
    field = tag("input", type="file", name="file", id="file", accept=accept, multiple=multiple)
    chosen = tag("output", for_="file", class_="hint")
    return tag("div", tag("label", label, for_="file"), field, chosen, class_="drop")


def _field(label: str, control: Element, name: str, hint: str = "") -> Element:
    told = tag("p", hint, class_="hint", id=f"{name}-hint") if hint else None
    if hint:
        control.set("aria-describedby", f"{name}-hint")
    return tag("div", tag("label", label, for_=name), control, told, class_="field")


def _pasted() -> Element:
    return tag("textarea", name="text", id="text", spellcheck="false", autocomplete="off")


def _profiles(usual: str) -> Element:
    """The profiles by names that an office knows, first what applies where none is chosen."""
    choices = tag("select", name="profile", id="profile")
    others = [each for each in PROFILE.choices if each != usual]
    first = _PROFILES.get(usual, "The profile of this server")
    append(choices, tag("option", first, value=""))
    for name in others:
        append(choices, tag("option", _PROFILES.get(name, name), value=name))
    return choices


def _button(value: str, label: str, *, main: bool = False) -> Element:
    return tag(
        "button",
        label,
        type="submit",
        name="as",
        value=value,
        class_="main" if main else None,
        data_saves=None if value == "page" else "",
    )


def _submit(label: str) -> Element:
    return tag("button", label, type="submit", class_="main")


def _busy() -> Element:
    """What shows that the file is sent and checked; the script shows it."""
    said = tag("span", role="status")
    return tag(
        "div",
        said,
        " ",
        tag("span", data_seconds="", class_="hint"),
        tag("progress", aria_label="Sent and checked"),
        class_="busy",
        hidden="",
    )


@cache
def _style() -> str:
    shared = files("edi_checker.reports.html")
    texts: Iterable[str] = (
        *((shared / f"{name}.css").read_text("utf-8") for name in ("base", "top")),
        (files(__package__) / "serve.css").read_text("utf-8"),
    )
    return "\n" + "".join(texts)


@cache
def _script() -> str:
    return "\n" + (files(__package__) / "serve.js").read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
