"""The codes of TA1, 999 and 277CA with their meaning, and the rules that answer with them."""

from __future__ import annotations

from collections.abc import Mapping

from edi_checker.acks.narrator import say_statuses
from edi_checker.acks.words import CATEGORIES, ENTITIES, STATUSES
from edi_checker.x12.fault_codes import CODES

_ABOUT = {
    "IK304": ("The segment", "999, IK304: a segment"),
    "IK403": ("The element", "999, IK403: an element"),
    "IK502": ("", "999, IK502: a transaction set"),
    "AK905": ("", "999, AK905: a functional group"),
    "TA1": ("", "TA1, TA105: an interchange"),
}


_HEAD = """\
The words are our own. `edi-checker explain-ack FILE` explains a whole answer. A 277CA status such as `A8:453`
is a category, a status code and sometimes an entity. The last column has the rules that answer with the code;
a [profile](../profiles.md) can give them other statuses."""


def say_code(answer: str, code: str) -> str:
    """What a code of a finding says: `IK304=3` of a 999, `A8:453` of a 277CA, `001` of a TA1."""
    if answer == "277CA":
        return "; ".join(said.text for said in say_statuses([["STC", code]], ":"))
    key = f"TA1={code}" if answer == "TA1" else code
    subject = _ABOUT[key.partition("=")[0]][0]
    return f"{subject} {CODES[key].words}".strip()


def write_codes_page(used: Mapping[str, list[str]]) -> str:
    """All codes by answer; `used` names the rules that answer with a code."""
    out = ["---\ntitle: Codes of the answers\n---", "# Codes of TA1, 999 and 277CA", _HEAD]
    for name, (_, heading) in _ABOUT.items():
        rows = [
            (code.partition("=")[2], found.words, found.advice, used.get(code, []))
            for code, found in CODES.items()
            if code.startswith(f"{name}=")
        ]
        out += [f"## {heading}", _table(("code", "meaning", "what to do", "rules"), rows)]
    categories = [(code, found.words, "", used.get(code, [])) for code, found in CATEGORIES.items()]
    out += ["## 277CA, STC01-1: category", _table(("code", "meaning", "", "rules"), categories)]
    statuses = [
        (code, words.format(who="the party in STC01-3"), "", used.get(code, []))
        for code, words in STATUSES.items()
    ]
    out += ["## 277CA, STC01-2: status", _table(("code", "meaning", "", "rules"), statuses)]
    entities: list[_Row] = [(code, words, "", []) for code, words in ENTITIES.items()]
    out += ["## 277CA, STC01-3: entity", _table(("code", "meaning", "", ""), entities)]
    return "\n\n".join(out) + "\n"


_Row = tuple[str, str, str, list[str]]


def _table(heading: tuple[str, ...], rows: list[_Row]) -> str:
    """A table without the columns that are empty in all rows."""
    cells = [(*row[:3], ", ".join(f"[{rule}](../rules/{rule}.md)" for rule in row[3])) for row in rows]
    kept = [at for at in range(4) if any(row[at] for row in cells)]
    lines = [heading, ("---",) * 4, *cells]
    return "\n".join("| " + " | ".join(row[at].replace("|", "\\|") for at in kept) + " |" for row in lines)
