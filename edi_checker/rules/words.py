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
    "slip of the pen": "typing error",
    "somebody": "another provider, or who it is",
    "stand on": "are on",
    "stands in": "is in",
    "stands on": "is on",
    "stands twice": "is there twice",
    "the begin": "the start",
    "told of": "reported",
    "upon": "on",
    "utilize": "use",
    "whilst": "while",
}
_WORDS = re.compile(r"[a-z]+")
_IS_NO = re.compile(r"(?<!there )\bis no (?!longer\b|more\b)")
_PLURAL = re.compile(r"\b[a-z]{1,30}\(s\)")
_END_OF_SENTENCE = re.compile(r"[.!?]\s")


def objections(text: str) -> Iterator[str]:
    """What to change in a text: words that are not plain and current, and sentences that are too long."""
    lower = " ".join(text.lower().split())
    words = f" {' '.join(_WORDS.findall(lower))} "
    for stale, plain in _INSTEAD.items():
        if f" {stale} " in words:
            yield f'says "{stale}": write "{plain}"'
    if _IS_NO.search(lower):
        yield 'says "is no": write "is not"'
    for found in dict.fromkeys(_PLURAL.findall(lower)):
        yield f'says "{found}": write a number that needs no plural, such as "number of lines: 2"'
    for sentence in _END_OF_SENTENCE.split(text):
        if (length := len(sentence.split())) > MAX_WORDS:
            yield f"has a sentence of {length} words: {MAX_WORDS} at most"
