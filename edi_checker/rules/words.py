"""The words of a rule file: its title, why, message and fix in plain current English."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_WORDS = 40

# What a biller stumbles over, and what to write instead.
_INSTEAD = {
    "afresh": "again",
    "anew": "again",
    "as per": "by",
    "be it": "even if it is",
    "beside": "with",
    "for ever": "always",
    "in order to": "to",
    "is told": "is reported",
    "lies after": "is after",
    "lies before": "is before",
    "mend": "fix",
    "mended": "fixed",
    "mends": "fixes",
    "prior to": "before",
    "reckoned": "calculated",
    "shall": "must",
    "shall be": "must be",
    "slip of the pen": "typing error",
    "somebody": "another provider, or who it is",
    "somebody else": "another provider, or who it is",
    "stand on": "are on",
    "stands beside": "is with",
    "stands in": "is in",
    "stands on": "is on",
    "stands twice": "is there twice",
    "the begin": "the start",
    "told of": "reported",
    "upon": "on",
    "utilize": "use",
    "whilst": "while",
}
# Longer ones first: `stands on line 2` is one thing to change.
_STALE = re.compile(
    rf"\b(?:{'|'.join(sorted(_INSTEAD, key=len, reverse=True))})\b"
    r"|(?<!there )\bis no (?!longer\b|more\b)"
    r"|\w+\(s\)",
    re.IGNORECASE,
)
_END_OF_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def objections(text: str) -> Iterator[str]:
    """What to change in a text: words that are not plain and current, and sentences that are too long."""
    for found in dict.fromkeys(match[0].strip().lower() for match in _STALE.finditer(text)):
        if found.endswith("(s)"):
            yield f'says "{found}": write a number that needs no plural, such as "number of lines: 2"'
        else:
            yield f'says "{found}": write "{_INSTEAD.get(found, "is not")}"'
    for sentence in _END_OF_SENTENCE.split(text):
        length = len(sentence.split())
        if length > MAX_WORDS:
            yield f"has a sentence of {length} words: {MAX_WORDS} at most"
