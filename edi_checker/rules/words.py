"""The words of a rule file: what a biller reads of it, in plain current English (docs/style.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_WORDS = 35  # of a sentence
MAX_FIRST = 120  # characters of the first sentence of a message, which a work list shows alone

# What a biller stumbles over, and what to write instead.
_INSTEAD = {
    "afresh": "again",
    "anew": "again",
    "as per": "by",
    "be it": "even if it is",
    "beside": "with",
    "commence": "begin",
    "for ever": "always",
    "forthwith": "now",
    "hence": "so",
    "hereby": "by this",
    "herein": "here",
    "in lieu of": "instead of",
    "in order to": "to",
    "is told": "is reported",
    "lies after": "is after",
    "lies before": "is before",
    "mend": "fix",
    "mended": "fixed",
    "mends": "fixes",
    "nothing is to be done": "no change is needed",
    "prior to": "before",
    "pursuant to": "by",
    "reckoned": "calculated",
    "shall": "must",
    "slip of the pen": "typing error",
    "somebody": "another provider, or who it is",
    "stand on": "are on",
    "stands behind": "follows",
    "stands in": "is in",
    "stands on": "is on",
    "stands twice": "is there twice",
    "such as may be": "that is",
    "take out": "remove",
    "the begin": "the start",
    "the one of": "whichever of these is true",
    "thereby": "so",
    "therein": "in it",
    "thereof": "of it",
    "told of": "reported",
    "upon": "on",
    "utilize": "use",
    "whereas": "but",
    "wherein": "in which",
    "whilst": "while",
}
# Words with which a fix that names what to do does not begin.
NO_VERBS = frozenset(("a", "an", "it", "please", "that", "the", "there", "these", "this", "those", "you"))
_WORDS = re.compile(r"[a-z]+")
_IS_NO = re.compile(r"(?<!there )\bis no (?!longer\b|more\b)")
_PLURAL = re.compile(r"\b[a-z]{1,30}\(s\)")
# A code and several words in brackets or behind a colon: the AMA owns the descriptors of CPT.
_DESCRIPTOR = re.compile(r"\b[0-9]{4}[0-9A-Z] ?(?:\(|: |= |- )[A-Za-z]{1,40}(?:,? [a-z]{1,40}){3}")
END_OF_SENTENCE = re.compile(r"[.!?]\s")


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
    if _DESCRIPTOR.search(text):
        yield "describes a code: CPT's descriptors are the AMA's, so give the code alone"
    for sentence in END_OF_SENTENCE.split(text):
        if (length := len(sentence.split())) > MAX_WORDS:
            yield f"has a sentence of {length} words: {MAX_WORDS} at most"
