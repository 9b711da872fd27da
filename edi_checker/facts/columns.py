"""Which elements stand open where a piece of a claim file is looked at; all others are its key."""

from __future__ import annotations

# Elements that stand open where a piece of a claim is looked at: amounts, units, numbers, dates, names,
# addresses and free text. They can be handed on and compared by a rule; what a maker of facts may look at is
# all the rest, and by all the rest it is known whether the same was said before. An element that is missing
# here costs speed and never a finding.
COLUMNS: dict[str, tuple[int, ...]] = {
    name: tuple(int(number) for number in numbers.split())
    for name, numbers in {
        "AMT": "2",
        "CAS": "3 4 6 7 9 10 12 13 15 16 18 19",
        "CLM": "1 2",
        "CN1": "2 3 4",
        "CR1": "2 6 9 10",
        "CR2": "10 11",
        "CR3": "3",
        "DMG": "2 3",
        "DTP": "3",
        "FRM": "3",
        "HCP": "2 3 7 8 12",
        "HL": "1 2",
        "K3": "1",
        "LX": "1",
        "MEA": "3",
        "MOA": "1 2 8 9",
        "N3": "1 2",
        "N4": "1",
        "NM1": "3 4 5 6 7 9",
        "NTE": "2",
        "PAT": "6 8",
        "PER": "2 4 6 8",
        "PS1": "1 2",
        "PWK": "6",
        "QTY": "2",
        "REF": "2",
        "SBR": "3 4",
        "SV1": "2 4 7",
        "SV5": "3 4 5",
        "SVD": "1 2 3 5",
    }.items()
}
# References that a maker of facts looks at: their number is no secret and of few forms.
LOOKED_AT_REFERENCES = frozenset(("X4",))
# The name of a person (NM102 = 1): which parts of it there are is nobody's business either.
NAME_OF_A_PERSON = (3, 4, 5, 6, 7)
# Addresses are pieces of their own: of the piece around them it is known that there is one.
ADDRESS = "N4"
