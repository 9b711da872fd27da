"""How a plain claim is written: patterns that read at once what the guide has proved clean."""

from __future__ import annotations

import re
from typing import NamedTuple

from edi_checker.x12 import Delimiters


class Written(NamedTuple):
    """What a plain claim says before its first line.

    charge, terms      CLM02, and what CLM says behind it
    dates, references  the DTP and REF segments, each with its terminator; `diagnoses` the HI segments
    referring          NPI; None for this and others where there is none
    rendering          NPI of a person, with `taxonomy`
    facility           NPI, with its N4
    other              SBR01 of one other payer, with AMT02 (`paid`), N4 of its subscriber, NM109 (`payer`)
    """

    charge: str
    terms: str
    dates: str
    references: str
    diagnoses: str
    referring: str | None
    rendering: str | None
    taxonomy: str | None
    facility: str | None
    facility_address: str
    other: str | None
    paid: str
    other_address: str | None
    payer: str


def write_head(delimiters: Delimiters) -> re.Pattern[str]:
    """How a plain claim is written before its first line; the groups are those of Written."""
    e, t = re.escape(delimiters.element), re.escape(delimiters.terminator)
    text, rest = f"[^{e}{t}]*+", f"[^{t}]*+{t}"
    npi = f"(?:{e}{text}){{5}}{e}XX{e}([0-9]{{10}}){t}"
    return re.compile(
        f"CLM{e}{text}{e}({text}){e}([^{t}]*+){t}"
        f"((?:DTP{e}{rest})*+)((?:REF{e}{rest})*+)((?:HI{e}{rest})*+)"
        f"(?:NM1{e}DN{e}1{npi})?+"
        f"(?:NM1{e}82{e}1{npi}(?:PRV{e}PE{e}PXC{e}({text}){t})?+)?+"
        f"(?:NM1{e}77{e}2{e}{text}{e}{e}{e}{e}{e}XX{e}([0-9]{{10}}){t}N3{e}{rest}(N4{e}[^{t}]*+){t})?+"
        f"(?:SBR{e}({text}){e}{rest}AMT{e}D{e}({text}){t}OI{e}{rest}"
        f"NM1{e}IL{e}1{e}{rest}(?:N3{e}{rest}(N4{e}[^{t}]*+){t})?+"
        f"NM1{e}PR{e}2{e}{text}{e}{e}{e}{e}{e}{text}{e}({text}){t})?+"
        f"(?=LX{e})"
    )


def write_line(delimiters: Delimiters) -> re.Pattern[str]:
    """How a plain line is written. Groups: SV1, day of service, what another payer decided."""
    e, t = re.escape(delimiters.element), re.escape(delimiters.terminator)
    rest = f"[^{t}]*+"
    return re.compile(
        f"LX{e}[0-9]++{t}(SV1{e}{rest}){t}DTP{e}472{e}D8{e}([0-9]{{8}})(?:{t}REF{e}6R{e}{rest})?+"
        f"(?:{t}(SVD{e}{rest}(?:{t}CAS{e}{rest})*+{t}DTP{e}573{e}{rest}))?+(?={t}LX{e}|\\Z)"
    )


def write_decision(delimiters: Delimiters) -> re.Pattern[str]:
    """What another payer decided on a line, alone: SVD01, SVD02, adjustments, day."""
    e, t = re.escape(delimiters.element), re.escape(delimiters.terminator)
    text, rest = f"[^{e}{t}]*+", f"[^{t}]*+{t}"
    return re.compile(
        f"SVD{e}({text}){e}({text}){e}{text}{e}{e}{text}{t}((?:CAS{e}{rest})*+)DTP{e}573{e}D8{e}([0-9]{{8}})"
    )
