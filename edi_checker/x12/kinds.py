"""What a file or a functional group is that holds no claims, and what to do with it.

A new kind is a row here. Names are the trade's; which code stands for what is fact (X12's elements 143, 479
and 480, and what the publisher of a format says of its first bytes).
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of transaction set other than an 837, with what to do with it."""

    name: str
    advice: str


_ANSWER = "`edi-checker explain-ack` explains it"
_NOT_OURS = "no command of edi-checker reads it"


def _answer(name: str) -> Kind:
    return Kind(name, _ANSWER)


def _other(name: str, what: str) -> Kind:
    return Kind(f"{name} ({what})", _NOT_OURS)


TA1 = _answer("TA1 (acknowledgement of an interchange)")
_CLAIMS = Kind("837 (claims)", "`edi-checker check` checks it, and `explain-ack` takes it with --claims")
_ACK_999 = _answer("999 (acknowledgement)")
_ACK_997 = _answer("997 (acknowledgement)")
_277 = _other("277", "claim status, or a request for information")
_820 = _other("820", "premium payment")
_834 = _other("834", "enrollment")
_835 = _other("835", "remittance advice")
_270 = _other("270", "question about eligibility")
_271 = _other("271", "answer about eligibility")
_276 = _other("276", "question about claim status")
_278 = _other("278", "authorization")
_275 = _other("275", "attachment")

# By the begin of GS08 or ST03.
_BY_GUIDE = {
    "005010X214": _answer("277CA (acknowledgement of claims)"),
    "005010X212": _other("277", "claim status"),
    "005010X213": _other("277", "request for information"),
    "005010X228": _other("277", "pending claims"),
    "005010X231": _ACK_999,
    "005010X230": _ACK_997,
    "004040X167": _answer("277CA (acknowledgement of claims)"),
    "005010X221": _835,
}

# By ST01.
_BY_SET = {
    "999": _ACK_999,
    "997": _ACK_997,
    "277": _277,
    "835": _835,
    "270": _270,
    "271": _271,
    "276": _276,
    "278": _278,
    "275": _275,
    "834": _834,
    "820": _820,
    "824": _other("824", "application advice"),
}

# By GS01.
_BY_GROUP = {
    "FA": _answer("999 or 997 (acknowledgement)"),
    "HN": _277,
    "HP": _835,
    "HS": _270,
    "HB": _271,
    "HR": _276,
    "HI": _278,
    "PI": _275,
    "BE": _834,
    "RA": _820,
    "AG": _other("824", "application advice"),
}

# The guides for claims, by the begin of GS08 or ST03.
_CLAIM_GUIDES = {
    "005010X223": "837I, institutional claims",
    "005010X224": "837D, dental claims",
    "005010X225": "837R, reporting of services",
    "005010X298": "837 of paid claims, professional",
    "005010X299": "837 of paid claims, institutional",
    "005010X300": "837 of paid claims, dental",
    "004010X096": "837I of 4010, institutional claims",
    "004010X097": "837D of 4010, dental claims",
    "004010X098": "837P of 4010, professional claims",
    "008020X323": "837P of 8020, professional claims",
    "008020X324": "837I of 8020, institutional claims",
    "008020X325": "837D of 8020, dental claims",
}
_GUIDE = 10  # characters of a version that name the guide


def name_group(group: str, version: str, first_set: str, set_version: str) -> Kind | None:
    """What a functional group holds that holds no claims, by GS01, GS08, and ST01 and ST03 of its first set.

    None where it holds claims, or claims to: GS01 is HC, or its sets are 837. The set is `""` where none
    follows.
    """
    guide = _BY_GUIDE.get(set_version[:_GUIDE]) or _BY_GUIDE.get(version[:_GUIDE])
    if first_set == "837" or (group == "HC" and guide is None):
        return None
    if first_set == "277" or not first_set:
        return guide or _BY_SET.get(first_set) or _BY_GROUP.get(group)
    if first_set in _BY_SET:
        return _BY_SET[first_set]
    if group in _BY_GROUP:
        return guide or _BY_GROUP[group]
    # A kind of X12 that has nothing to do with claims, such as 850.
    return _other(first_set, "another transaction set") if re.fullmatch(r"[0-9]{3}", first_set) else None


def name_guide(version: str) -> Kind | None:
    """What the guide of a version (GS08, ST03) is for, None where it is not known or for claims."""
    return _BY_GUIDE.get(version[:_GUIDE])


def name_other_set(name: str) -> Kind:
    """What a transaction set is that is no acknowledgement: claims, or of a kind that is not known."""
    if not name:
        return _other("transaction set", "without a number in ST01")
    return _CLAIMS if name == "837" else _other(name, "another transaction set")


def is_answer(kind: Kind) -> bool:
    """Whether it is an acknowledgement."""
    return kind.advice == _ANSWER


def say_others(kinds: list[Kind], wanted: str = "no claim file") -> str:
    """What an input is that holds nothing but these, and what to do with it."""
    names = " and ".join(f"{'an' if kind.name.startswith('8') else 'a'} {kind.name}" for kind in kinds)
    return f"{names}, {wanted}; {kinds[0].advice}"


def name_version(version: str) -> str:
    """The version with the guide for other claims that it stands for."""
    guide = _CLAIM_GUIDES.get(version[:_GUIDE])
    return f"{version} ({guide})" if guide else version


# By the first bytes of the file: what it is.
_BY_BYTES = (
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\xd0\xcf\x11\xe0", "an Office document or mail of the old format (xls, doc, msg)"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\x00", "an image (TIFF)"),
    (b"MM\x00*", "an image (TIFF)"),
    (b"SQLite format 3\x00", "a database (SQLite)"),
    (b"PAR1", "a table (Parquet)"),
)
# By the first bytes: what must be undone first. Claims may be inside.
_PACKED = (
    (b"\x1f\x8b", "the input is gzip in gzip; unpack it once"),
    (b"PK\x03\x04", "the input is a zip archive in gzip; unpack it once"),
    (b"BZh", "the input is packed with bzip2; pack it again with gzip or zip"),
    (b"\xfd7zXZ\x00", "the input is packed with xz; pack it again with gzip or zip"),
    (b"\x28\xb5\x2f\xfd", "the input is packed with zstd; pack it again with gzip or zip"),
    (b"7z\xbc\xaf\x27\x1c", "the input is packed with 7-Zip; pack it again with gzip or zip"),
    (b"Rar!", "the input is packed with RAR; pack it again with gzip or zip"),
    (b"-----BEGIN PGP", "the input is encrypted with PGP; decrypt it first"),
)
_TAR = (257, b"ustar", "the input is a tar archive; pack the files again with zip")


def find_packing(head: bytes) -> str:
    """What must be undone before a file that begins so can be read, "" where nothing is known."""
    at, mark, reason = _TAR
    if head[at:].startswith(mark):
        return reason
    return next((reason for start, reason in _PACKED if head.startswith(start)), "")


def name_bytes(head: bytes) -> str:
    """What a file is that begins so, by the mark of its format; "" where it has none that is known."""
    return next((name for start, name in _BY_BYTES if head.startswith(start)), "")


_REACH = 4096  # characters by which a text is named
_SEGMENT = re.compile(r"(?:GS|ST|SE|BHT|HL|CLM|NM1|TA1|IEA)[^A-Za-z0-9\s]")
_ISA = re.compile(r"\bISA([^A-Za-z0-9\s])[0-9]{2}\1")
_HEADER = re.compile(
    r"(?:From|To|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type"
    r"|X-[\w-]+): ",
    re.IGNORECASE,
)
_LINES = 5  # that are compared, for a table


def name_text(text: str) -> str:
    """What a text is that does not begin with an ISA, "" where it may be a damaged claim file."""
    text = text[:_REACH]
    start = text[:1000].lower()
    lines = text.splitlines()[:_LINES]
    if _SEGMENT.match(text) or _ISA.search(text) or not all(c.isprintable() or c.isspace() for c in text):
        return ""
    if start.startswith("<"):
        return "a web page (HTML)" if "<html" in start or "<!doctype html" in start else "an XML document"
    if re.match(r'[\[{]\s*["\[{\]}0-9]', text):
        return "a JSON document"
    if re.match(r"From \S+ ", text) or sum(_HEADER.match(line) is not None for line in lines) > 1:
        return "a mail"
    if re.match(r"UN[AB][^A-Za-z0-9]", text):
        return "an EDIFACT message"
    if text.startswith("MSH|"):
        return "an HL7 message"
    if len(lines) > 1 and any(mark in lines[0] and _same(lines, mark) for mark in ",;\t|"):
        return "a table (csv)"
    return "plain text"


def _same(lines: list[str], mark: str) -> bool:
    return len({line.count(mark) for line in lines if line}) == 1
