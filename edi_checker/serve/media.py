"""The media types of what is sent and answered, and which one somebody accepts."""

from __future__ import annotations

from collections.abc import Sequence

JSON = "application/json"
PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
HTML = "text/html"
TEXT = "text/plain"
ZIP = "application/zip"
EDI = "application/edi-x12"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORM = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"

# What a body may be called; what it is, its first bytes say.
CONTENT = (
    EDI,
    "application/octet-stream",
    "application/x-x12",
    "application/edi",
    TEXT,
    "application/gzip",
    "application/x-gzip",
    ZIP,
    "application/x-zip-compressed",
)

# How what can be checked begins: X12, gzip, zip.
_BEGINNINGS = (b"ISA", b"\x1f\x8b", b"PK\x03\x04")
LONGEST_BEGINNING = 64  # bytes


def is_file(beginning: bytes) -> bool:
    """Whether what begins so is a file, whatever it is called."""
    return beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_BEGINNINGS)


def name_of(header: str) -> str:
    """The media type without its parameters."""
    return header.partition(";")[0].strip().lower()


def choose(accept: str, offered: Sequence[str]) -> str | None:
    """The offered type that an Accept header likes best, the first of several; None where it takes none.

    RFC 9110, section 12.5.1: a more exact range decides over a less exact one.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:100]]
    best, most = None, 0.0
    for each in offered:
        matching = [found for found in ranges if _matches(found[0], each)]
        if matching:
            liked = max(matching, key=lambda found: _exactness(found[0]))[1]
            if liked > most:
                best, most = each, liked
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = part.split(";")
    liked = 1.0
    for parameter in parameters:
        key, _, value = parameter.strip().partition("=")
        if key.strip().lower() == "q":
            try:
                liked = min(max(float(value), 0.0), 1.0)
            except ValueError:
                liked = 0.0
    return name.strip().lower(), liked


def _matches(range_: str, name: str) -> bool:
    return range_ in ("*/*", name) or (range_.endswith("/*") and name.startswith(range_[:-1]))


def _exactness(range_: str) -> int:
    return 0 if range_ == "*/*" else 1 if range_.endswith("/*") else 2
