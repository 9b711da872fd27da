"""What an answer page carries with it to be saved, so that the server need not keep anything for it."""

from __future__ import annotations

import base64
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from edi_checker.reports.html.markup import Element, append, tag
from edi_checker.run.one_input import Writer
from edi_checker.serve.media import EDI, JSON, XLSX, ZIP

MOST = 6_000_000  # bytes of all files on one page

# In this order: what somebody saves first stands first.
_LABELS = {
    "clean.837": ("Claims to send", EDI),
    "rejected.837": ("Claims to fix", EDI),
    "fixed.837": ("File with repairs of form", EDI),
    "xlsx": ("Spreadsheet", XLSX),
    "zip": ("Claims and answers of all files", ZIP),
    "ta1": ("TA1", EDI),
    "999": ("999", EDI),
    "277ca": ("277CA", EDI),
    "json": ("Report for programs", JSON),
}


def way_back(label: str, path: str) -> Element:
    """The bar below the top of an answer, with the link to its form."""
    return tag("nav", tag("a", label, href=path, class_="back"), aria_label="Save or go back", class_="save")


class Carried:
    """Takes files by their ending; `bar` shows them."""

    def __init__(self) -> None:
        self._links: dict[str, Element] = {}
        self._left = MOST
        self._left_out: list[str] = []

    def add(self, ending: str, name: str, writer: Writer, repairs: int = 0) -> None:
        """Take a file, as long as there is room on the page; `repairs` is how many it has."""
        label, media = _LABELS[ending]
        with TemporaryFile() as file:
            writer(cast(BinaryIO, file))
            size = file.tell()
            if size > self._left:
                self._left_out.append(label)
                return
            self._left -= size
            file.seek(0)
            data = base64.b64encode(file.read()).decode("ascii")
        shown = f"{label} ({repairs} repair{'s' * (repairs != 1)})" if repairs else label
        self._links[ending] = tag("a", shown, href=f"data:{media};base64,{data}", download=name)

    def bar(self) -> Element:
        """The files as links that save them, and the way back."""
        bar = way_back("Check another file", "/")
        for ending in _LABELS:
            append(bar, self._links.get(ending))
        if self._left_out:
            said = f"Too large for this page: {', '.join(self._left_out)}. Go back and download them."
            append(bar, tag("span", said, class_="quiet"))
        return bar
