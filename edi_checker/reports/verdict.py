"""The verdict on a file in words, and so many of something, the same in every report."""

from __future__ import annotations


def say_file(outcome: str, rejected: int, claims: int) -> str:
    """What is to be done with a file of this outcome that has so many claims, so many of them rejected."""
    if outcome == "not_checked":
        return "not checked"
    if outcome == "accepted":
        return "ready to send"
    return say_claims(rejected, claims) or "errors outside the claims"


def say_claims(rejected: int, claims: int) -> str:
    """How many of the claims need work, "" if none does."""
    if not rejected:
        return ""
    if rejected < claims:
        return f"{rejected:,} of {claims:,} claims need work"
    return "the claim needs work" if claims == 1 else f"all {claims:,} claims need work"


def capitalize(words: str) -> str:
    """The words as they begin a sentence."""
    return words[:1].upper() + words[1:]


def first_sentence(text: str) -> str:
    """The first sentence of a message without its period, which says the fault by itself."""
    end = 0
    while (end := text.find(". ", end)) > 0:
        # "ch. 11" and "no. 5" go on.
        if text[end + 2].isupper() and not text[:end].endswith((" no", " St", " ch")):
            return text[:end]
        end += 2
    return text.rstrip().removesuffix(".")


def count_of(number: int, noun: str) -> str:
    """So many of them: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def words_of(outcome: str) -> str:
    """An outcome as people read it: `not checked`."""
    return outcome.replace("_", " ")
