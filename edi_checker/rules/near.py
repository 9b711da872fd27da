"""Which of the known names somebody meant who wrote one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 3
_LEAST = 0.6  # of what difflib calls the ratio
_LESS = 0.08


def find_near(name: str, known: Iterable[str]) -> list[str]:
    """At most three of the known names that are like this one, those first that begin with it."""
    from difflib import SequenceMatcher, get_close_matches

    names = list(dict.fromkeys(known))
    begun = [each for each in names if name and each.startswith(name)]
    best = begun or get_close_matches(name, names, 1)
    if begun or not best:
        return begun[:_MOST]
    # What is much less like it than the best was not meant.
    least = max(_LEAST, SequenceMatcher(None, best[0], name).ratio() - _LESS)
    return get_close_matches(name, names, _MOST, least)


def ask_near(name: str, known: Iterable[str]) -> str:
    """The question for the end of a message, ` Did you mean a or b?`; "" if nothing is near."""
    near = find_near(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""
