"""Names and other text of others, as a terminal may show them."""

from __future__ import annotations

import unicodedata

# Controls, marks of direction and other signs without a shape, halves of pairs, separators of lines, and what
# Unicode leaves open: a terminal may obey them, and a reader does not see them.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def escape(text: str) -> str:
    """The text with everything that a terminal could obey as the escape that Python has for it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
