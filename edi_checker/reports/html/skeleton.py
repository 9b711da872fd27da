"""What every page has around its content: the policy, the style and the script of the work list."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TextIO

from edi_checker.reports.html.markup import tag, write

# In this order: what comes later may refine what was said before.
_STYLES = ("base", "top", "work_list", "rule_filter", "claim_card", "answers", "small", "print")
# Nothing may be fetched or sent from here, and nothing run but the page's own script, whatever a claim holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="us-ascii">
<meta http-equiv="Content-Security-Policy" content="POLICY">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
"""


def write_head(out: TextIO, title: str, style: str = "", *, is_long: bool = False) -> None:
    """Write what comes before the content, with more `style`; a long page prints its list alone."""
    out.write(_HEAD.replace("POLICY", f"{_POLICY}; script-src '{script_digest()}'"))
    out.write(write(tag("title", f"{title} \u2014 edi-checker")))
    css = "".join(_resource(f"{name}.css") for name in _STYLES)
    body = '<body class="long">' if is_long else "<body>"
    out.write(f"<style>\n{css}{style}\n</style>\n</head>\n{body}\n")


def script_digest() -> str:
    """The page's own script, as a policy names it."""
    digest = hashlib.sha256(_resource("work_list.js").encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def write_end(out: TextIO) -> None:
    """Write the script and what closes the page."""
    out.write(f"<script>{_resource('work_list.js')}</script>\n</body>\n</html>\n")


@cache
def _resource(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
