"""What makes a claim say more than a plain one: one row for each circumstance, and nothing anywhere else.

A row names the segment and element that make the circumstance, and what is looked for there. The makers of
facts read this table, `rules docs` shows it in words, and a test puts each row's example into a plain claim.
A row and a rule of its kind are all that is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

from edi_checker.claims.claim import element
from edi_checker.facts.fact import Value
from edi_checker.facts.pieces import Cells, Open, OpenValue, View, cell, present, read, text
from edi_checker.facts.service_kinds import MONITORING, surely_no_drug
from edi_checker.x12.money import cents, quantity

Piece = Literal["head", "around", "line", "party", "billing", "patient"]


class Above(NamedTuple):
    """What the levels above a claim say that a circumstance of it can rest on.

    order, relationship, filing_indicator   SBR01, SBR02, SBR09
    announced   HL04 of the subscriber announces a level of a patient
    detailed    address, day of birth and sex of the subscriber are sent
    patient     there is a level of a patient
    identified  the patient's level (or the subscriber's) has a REF*Y4
    whole       the subscriber's level hides nothing
    dead        the patient's level (or the subscriber's) has a day of death
    """

    order: str = ""
    relationship: str = ""
    filing_indicator: str = ""
    announced: bool = False
    detailed: bool = False
    patient: bool = False
    identified: bool = False
    whole: bool = False
    dead: bool = False


PAYER_ORDER = "PSTABCDEFGH"  # SBR01: primary, secondary, tertiary, payers four to eleven
SELF = "18"  # SBR02: the subscriber is the patient
DETAILS = frozenset(("N3", "N4", "DMG"))  # of 2010BA, sent where the subscriber is the patient


class Around(NamedTuple):
    """What stands around a piece: the levels above, the order of each other payer (SBR01), the roles of the
    claim's providers and those that several have, whether the billing provider is an organization.
    """

    above: Above
    others: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    organization: bool = False


NOTHING_AROUND = Around(Above())


class Test(NamedTuple):
    """What is looked for: `words` behind the name of the element; `holds` of its text."""

    words: str
    holds: Callable[[str], bool]


def one_of(*codes: str) -> Test:
    return Test(
        codes[0] if len(codes) == 1 else f"{', '.join(codes[:-1])} or {codes[-1]}", codes.__contains__
    )


SENT = Test("sent", bool)


def numbers(*ranges: tuple[int, int], without: tuple[int, ...] = (), letter: str = "") -> Test:
    """Codes of five digits, or of a letter and four, from one number to another."""
    width = 5 - len(letter)
    shown = [
        f"{letter}{low:0{width}}" + (f"-{letter}{high:0{width}}" if high > low else "")
        for low, high in ranges
    ]
    but = f" but {', '.join(f'{each:0{width}}' for each in without)}" if without else ""

    def holds(code: str) -> bool:
        number = code[len(letter) :]
        if len(code) != 5 or not code.startswith(letter) or not (number.isascii() and number.isdigit()):
            return False
        return int(number) not in without and any(low <= int(number) <= high for low, high in ranges)

    return Test(f"{', '.join(shown)}{but}", holds)


def any_of(*tests: Test) -> Test:
    return Test(", ".join(test.words for test in tests), lambda said: any(test.holds(said) for test in tests))


Reads = Callable[[View, Cells, Around], OpenValue]


@dataclass(frozen=True, slots=True, eq=False)  # known again as the object that it is
class Trigger:
    """One circumstance: the kind of `situation` that it makes.

    piece      in which it is written: a segment of the claim's head (2300), what stands around that, a line
               (2400), a provider of either (2310, 2420), the billing provider's level, the patient's
    address    the element that is looked at, CLM05-3
    test       what is looked for
    qualifier  first element of the segment, where only that one counts
    modifiers  of a line, those of which it has one; `without` those of which it has none
    says       what else the fact says, by field
    also       what must hold besides, of what stands around the piece; `told` says both in words
    when       Open, what must hold of columns besides
    stands_on  Open, where the fact stands if not at the segment
    example    how a plain claim comes to it: edits of examples.edit_segments
    """

    kind: str
    piece: Piece
    address: str
    test: Test
    example: Mapping[str, object] | tuple[Mapping[str, object], ...]
    qualifier: str = ""
    modifiers: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    says: Mapping[str, Reads] = field(default_factory=dict)
    also: Callable[[View, Cells, Around], bool] | None = None
    told: str = ""
    when: Open | None = None
    stands_on: Open | None = None

    @property
    def segment(self) -> str:
        return _parse(self.address)[0]

    @property
    def looks_at_procedure(self) -> bool:
        """Whether SV101 alone decides whether it holds."""
        return self.address.startswith("SV101") and self.also is None and not self.qualifier

    def holds(self, view: View, cells: Cells, around: Around) -> bool:
        """Whether a segment of the piece, which has this id, makes it, as far as the key tells."""
        if self.also is not None and not self.also(view, cells, around):
            return False
        if self.qualifier and cell(cells, 1) != self.qualifier:
            return False
        if self.modifiers or self.without:
            own = text(cells, 1).split(view.component)[2:6]
            if self.modifiers and not any(each in own for each in self.modifiers):
                return False
            if any(each in own for each in self.without):
                return False
        segment, number, part = _parse(self.address)
        if self.test is SENT and not part:
            return present(cell(cells, number))
        said = text(cells, number)
        if part:
            said = element(["", *said.split(view.component)], part)
        if segment == "SV1" and part == 2 and not text(cells, 1).startswith(f"HC{view.component}"):
            return False
        return self.test.holds(said)

    def words(self) -> str:
        """The circumstance in words: `CLM05-3 is 6, 7 or 8`."""
        if self.told:
            return self.told
        named = f"{self.segment}*{self.qualifier} with {self.address}" if self.qualifier else self.address
        said = f"{named} is {self.test.words}"
        if self.modifiers:
            said += f" with modifier {' or '.join(self.modifiers)}"
        if self.without:
            said += f" without modifier {' or '.join(self.without)}"
        return said


@cache
def _parse(address: str) -> tuple[str, int, int]:
    """Segment id, element, part (0 for the whole element) of CLM05-3."""
    whole, _, part = address.partition("-")
    return whole[:-2], int(whole[-2:]), int(part or 0)


def said_in(number: int, part: int = 0) -> Reads:
    """The text of an element, or of a part of it."""

    def take(view: View, cells: Cells, _around: Around) -> Value:
        said = text(cells, number)
        return element(["", *said.split(view.component)], part) if part else said

    return take


def is_there(number: int) -> Reads:
    return lambda _view, cells, _around: present(cell(cells, number))


def form_of(number: int, form: str) -> Reads:
    """Whether an element has the form that its kind of number has."""
    pattern = re.compile(form)
    return lambda _view, cells, _around: pattern.fullmatch(text(cells, number)) is not None


def column(name: str, take: Callable[[Any], Value]) -> Reads:
    """What only the claim that is met can say."""
    value = Open(name, take)
    return lambda _view, _cells, _around: value


def _causes(view: View, cells: Cells, _around: Around) -> Value:
    return tuple([cause for cause in text(cells, 11).split(view.component)[:3] if cause])


def _conditions(_view: View, cells: Cells, _around: Around) -> Value:
    return tuple([code for number in (3, 4, 5) if (code := text(cells, number))])


def _patient_paid(_view: View, cells: Cells, _around: Around) -> OpenValue:
    return read(cell(cells, 2), "amount", cents)


def _is_positive(_view: View, cells: Cells, _around: Around) -> Value:
    return (quantity(text(cells, 4)) or 0) > 0


def _filing_indicator(_view: View, _cells: Cells, around: Around) -> Value:
    return around.above.filing_indicator


def _other_payers(_view: View, _cells: Cells, around: Around) -> Value:
    return len(around.others)


def _repeated(around: Around) -> tuple[str, ...]:
    """Places in the order of payers that more than one payer has."""
    places = [around.above.order, *around.others]
    return tuple(dict.fromkeys(p for p in places if p and p != "U" and places.count(p) > 1))


def _has_holes(_view: View, _cells: Cells, around: Around) -> bool:
    """Whether a place before the last one in the order of payers is nobody's."""
    places = {around.above.order, *around.others}
    if not (around.above.whole and around.others and places <= set(PAYER_ORDER)) or _repeated(around):
        return False
    return len(places) <= max(map(PAYER_ORDER.index, places))


def _is_later(_view: View, _cells: Cells, around: Around) -> bool:
    above = around.above
    return above.whole and above.order not in ("", "P", "U") and not around.others


def _has_no_patient(_view: View, _cells: Cells, around: Around) -> bool:
    above = around.above
    return above.whole and bool(above.order) and not above.relationship and not above.patient


def _lacks_details(_view: View, _cells: Cells, around: Around) -> bool:
    above = around.above
    return (
        above.whole
        and above.relationship == SELF
        and above.announced
        and not (above.patient or above.detailed)
    )


def _is_of_a_group(_view: View, _cells: Cells, around: Around) -> bool:
    return around.organization and "82" not in around.roles


def _is_in_loop_of(view: View, cells: Cells, role: str) -> bool:
    """Whether a segment stands behind the NM1 of this role and before the next."""
    inside = False
    for each in view.segments:
        if each[0] == "NM1":
            inside = text(each, 1) == role
        if each is cells:
            return inside
    return False


def _has_no_route(view: View, cells: Cells, _around: Around) -> bool:
    """Whether none of a line's modifiers says where an ambulance went from and to, or that it need not."""
    modifiers = text(cells, 1).split(view.component)[2:6]
    return not any(each == "QL" or _ROUTE.fullmatch(each) for each in modifiers)


def _is_of_another_code(view: View, cells: Cells, _around: Around) -> bool:
    """Whether the code of SV5 is not that of the line."""
    service = view.first("SV1")
    ordered, billed = (text(each, 1).split(view.component) for each in (cells, service))
    return len(ordered) > 1 and len(billed) > 1 and ordered[:2] != billed[:2]


def _is_second(view: View, cells: Cells, _around: Around) -> bool:
    """Whether an NM1 with the same role stands before."""
    return view.first("NM1", text(cells, 1)) is not cells


def _has_identifier(view: View, cells: Cells, _around: Around) -> Value:
    """Whether the loop that an NM1 opens gives a secondary number of its provider."""
    at = next(number for number, each in enumerate(view.segments) if each is cells)
    for segment in view.segments[at + 1 : at + 5]:
        if segment[0] == "REF":
            return True
        if segment[0] not in ("N3", "N4", "PRV", "PER"):
            return False
    return False


_ROUTE = re.compile("[DEGHIJNPRSX]{2}")  # origin and destination of an ambulance
_TWO_CHARACTERS = Test("two letters or digits", lambda said: len(said) == 2 and said.isalnum())


def _given_modifiers(met: Any) -> Value:
    return tuple(dict.fromkeys(modifier for line in met.given() for modifier in line.service.modifiers))


_A_NUMBER = Test("a number", lambda said: quantity(said) is not None)


def _procedure(code: str) -> dict[str, object]:
    return {"find": "SV1*", "set": {"1-2": code.partition(":")[0], "1-3": code.partition(":")[2] or "GP"}}


def _insert(segment: str, before: str = "HI*") -> dict[str, object]:
    return {"find": before, "insert": segment}


def _of_code(
    kind: str, test: Test, example: str, *, modifiers: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> Trigger:
    return Trigger(kind, "line", "SV101-2", test, _procedure(example), modifiers=modifiers, without=without)


def _of_modifier(kind: str, *modifiers: str) -> Trigger:
    return Trigger(
        kind, "line", "SV101", SENT, {"find": "SV1*", "set": {"1-4": modifiers[0]}}, modifiers=modifiers
    )


# Anesthesia that is not counted in time: by area of a burn, by the day, labor (payers differ), unlisted.
_ANESTHESIA = numbers((100, 1999), without=(1953, 1967, 1968, 1969, 1996, 1999))
# Tests within 80047-89398 under CLIA; blood banking, skin tests and tests through the skin are left out.
_TESTS = numbers(
    (80047, 80439), (81000, 81599), (82009, 84832), (85002, 85998), (86000, 86484), (86590, 86849),
    (87003, 87899), (88104, 88299), (88302, 88309), (89049, 89200),
)  # fmt: skip
_PREVENTIVE = numbers((99381, 99385), (99391, 99395))
# Visits to a patient in a hospital, or in a nursing facility.
INPATIENT_VISITS = numbers(
    (99221, 99239), (99252, 99255), (99291, 99292), (99304, 99316), (99460, 99480)
)  # fmt: skip
_OXYGEN = one_of(
    *"E0424 E0431 E0433 E0434 E0439 E0441 E0442 E0443 E0444 E0447 E1390 E1391 E1392 E1405 E1406 K0738".split()  # noqa: SIM905
)
_MAYBE_A_DRUG = Test("a code that may be a drug", lambda code: not surely_no_drug(code))
_MONITORING = one_of(*sorted(MONITORING))
# Codes that say "unlisted", "not otherwise classified" or "miscellaneous".
_UNLISTED = frozenset(
    "A0999 A4335 A4421 A4641 A4649 A4913 A6262 A9150 A9698 A9699 A9900 A9999 B9998 B9999 C9399 E0769 E0770 "  # noqa: SIM905
    "E1399 E1699 J3490 J3590 J7199 J7599 J7699 J7799 J7999 J8499 J8597 J8999 J9999 K0108 K0812 K0898 L0999 "
    "L1499 L2999 L3649 L3999 L5999 L7499 L8039 L8499 L8699 Q4050 Q4051 Q4100 V2199 V2299 V2399 V2499 V2599 "
    "V2799 V5298 V5299 "
    "01999 15999 17999 19499 20999 21089 21299 21499 21899 22899 22999 23929 24999 25999 26989 27299 27599 "
    "27899 28899 29799 29999 30999 31299 31599 31899 32999 33999 36299 37501 37799 38129 38589 38999 39499 "
    "39599 40799 40899 41599 41899 42299 42699 42999 43289 43499 43659 43999 44238 44799 44899 44979 45399 "
    "45499 45999 46999 47379 47399 47579 47999 48999 49329 49659 49999 50549 50949 51999 53899 54699 55559 "
    "55899 58578 58579 58679 58999 59897 59898 59899 60659 60699 64999 66999 67299 67399 67599 67999 68399 "
    "68899 69399 69799 69949 69979 76496 76497 76498 76499 76999 77299 77399 77499 77799 78099 78199 78299 "
    "78399 78499 78599 78699 78799 78999 79999 81099 81479 81599 84999 85999 86486 86849 86999 87999 88099 "
    "88199 88299 88399 88749 89240 89398 90399 90749 90899 90999 91299 92499 92700 93799 93998 94799 95199 "
    "95999 96379 96549 96999 97039 97139 97799 99199 99429 99499 99600".split()
)

# Parties of a claim that are providers with an identifier of their own.
_PROVIDERS = ("DN", "P3", "82", "DQ", "DK", "QB")
_OTHER_PAYER = (
    "SBR*P*18*******CI~AMT*D*0~OI***Y***Y~NM1*IL*1*MAPLE*MARTA****MI*W1~NM1*PR*2*OTHER PAYER*****PI*PAYER2"
)
_PATIENT = "HL*3*2*23*0~PAT*19~NM1*QC*1*MAPLE*MAX~N3*2 MAPLE STREET~N4*ALBANY*NY*122070002~DMG*D8*20150101*M"
_DEPENDENT = _insert(
    f"{_PATIENT}~CLM*C2*100***11:B:1*Y*A*Y*Y~HI*ABK:M6281~LX*1~SV1*HC:97110:GP*100*UN*1***1~DTP*472*D8*20260205",
    "SE*",
)

TRIGGERS: tuple[Trigger, ...] = (
    # The claim as a whole
    Trigger(
        "replacement", "head", "CLM05-3", one_of("6", "7", "8"), {"find": "CLM*", "set": {"5-3": "7"}},
        says={"frequency": said_in(5, 3)},
    ),
    Trigger(
        "accident", "head", "CLM11", SENT, {"find": "CLM*", "set": {"11": "OA"}},
        says={"related_causes": _causes, "state": said_in(11, 4), "country": said_in(11, 5)},
    ),
    Trigger(
        "attachment", "head", "PWK02", one_of("BM", "EL", "EM", "FT", "FX"), _insert("PWK*OZ*FX***AC*A1"),
        says={"transmission": said_in(2), "identified": is_there(6)},
    ),
    Trigger(
        "attachment-on-request", "head", "PWK02", one_of("AA"), _insert("PWK*OZ*AA***AC*A1"),
        says={"identified": is_there(6)},
    ),
    Trigger(
        "patient-paid", "head", "AMT01", one_of("F5"), _insert("AMT*F5*10"),
        says={"amount": _patient_paid, "charge": column("charge", lambda met: met.whole.charge)},
    ),
    Trigger(
        "epsdt", "head", "CRC01", one_of("ZZ"), _insert("CRC*ZZ*Y*AV"),
        says={"answer": said_in(2), "conditions": _conditions},
    ),
    Trigger(
        "clia", "head", "REF01", one_of("X4"), _insert("REF*X4*11D2030122"),
        says={"well_formed": form_of(2, "[0-9]{2}[A-Z][0-9A-Z]{7}")},
    ),
    Trigger(
        "original", "head", "REF01", one_of("F8"), _insert("REF*F8*A1"),
        told="REF*F8 is sent and CLM05-3 is not 6, 7 or 8",
        when=Open("no replacement", lambda met: met.whole.claim.frequency not in ("6", "7", "8")),
        says={"frequency": column("frequency", lambda met: met.whole.claim.frequency)},
    ),
    Trigger(
        "authorization", "head", "REF01", one_of("G1"), _insert("REF*9F*A1~REF*G1*A1"),
        told="REF*G1 and REF*9F have the same number",
        when=Open("same number", lambda met: met.whole.is_referral_the_authorization),
    ),
    Trigger(
        "inpatient", "head", "CLM05-1", one_of("21", "51", "61"), {"find": "CLM*", "set": {"5-1": "21"}},
        says={
            "place_of_service": said_in(5, 1),
            "attended": column("attended", lambda met: met.whole.attended),
            "visited": column("visited", lambda met: met.whole.visited),
        },
    ),
    # The claim and the levels above it
    Trigger(
        "group", "around", "CLM01", SENT,
        {"find": "NM1*85", "replace": "NM1*85*2*ALDER THERAPY*****XX*1234567893"}, also=_is_of_a_group,
        told="a line is evaluation and management or therapy, the billing provider is an organization, "
        "and no NM1*82 is sent",
        when=Open("unrendered", lambda met: met.whole.unrendered is not None),
        says={
            "line": column("line", lambda met: met.whole.unrendered.ordinal),
            "code": column("code", lambda met: met.whole.unrendered.service.code),
        },
        stands_on=Open("unrendered", lambda met: (met.whole.unrendered,)),
    ),
    Trigger(
        "no-patient", "around", "CLM01", SENT, {"find": "SBR*", "set": {"2": ""}}, also=_has_no_patient,
        told="SBR02 is not sent, and there is no level of a patient",
    ),
    Trigger(
        "no-details", "around", "CLM01", SENT,
        ({"find": "HL*2", "set": {"4": "1"}}, {"find": "DMG*", "delete": "true"}, _DEPENDENT),
        also=_lacks_details,
        told="SBR02 is 18, HL04 is 1, there is no level of a patient, and 2010BA N3, N4 or DMG is not sent",
    ),
    Trigger(
        "later-payer", "around", "CLM01", SENT, {"find": "SBR*", "set": {"1": "S"}}, also=_is_later,
        told="SBR01 is not P or U, and there is no other payer (2320)",
        says={"filing_indicator": _filing_indicator, "other_payers": _other_payers},
    ),
    Trigger(
        "order-of-payers", "around", "CLM01", SENT, _insert(_OTHER_PAYER, "LX*"),
        also=lambda _view, _cells, around: around.above.whole and bool(around.others and _repeated(around)),
        told="two of SBR01 (2000B, 2320) are the same",
        says={
            "other_payers": _other_payers,
            "repeated_responsibilities": lambda _v,
            _c,
            around: _repeated(around),
        },
        stands_on=Open("other payer", lambda met: met.first_other_payer),
    ),
    Trigger(
        "payer-sequence", "around", "CLM01", SENT, _insert(_OTHER_PAYER.replace("SBR*P", "SBR*T"), "LX*"),
        also=_has_holes, told="between P and the last of SBR01 (2000B, 2320) one is nobody's",
        stands_on=Open("other payer", lambda met: met.first_other_payer),
    ),
    Trigger(
        "property-casualty", "around", "CLM01", SENT, {"find": "SBR*", "set": {"9": "WC"}},
        also=lambda _view, _cells, around: (
            around.above.whole and around.above.filing_indicator in ("WC", "AM", "LM")
        ),
        told="SBR09 is WC, AM or LM",
        says={
            "filing_indicator": _filing_indicator,
            "related_causes": column("related_causes", lambda met: met.related_causes),
            "identified": lambda _view, _cells, around: around.above.identified,
        },
    ),
    Trigger(
        "death", "around", "CLM01", SENT, {"find": "SBR*", "append": "PAT*****D8*20200101"},
        also=lambda _view, _cells, around: around.above.dead,
        told="PAT06 is before the first day of service", when=Open("death", lambda met: met.died_before),
    ),
    Trigger(
        "primary-care", "around", "CLM01", SENT, {"find": "NM1*DN", "set": {"1": "P3"}},
        also=lambda _view, _cells, around: "P3" in around.roles and "DN" not in around.roles,
        told="NM1*P3 is sent and NM1*DN is not", says={"role": lambda *_: "P3"},
        stands_on=Open("primary care", lambda met: met.provider_at("P3", "2310A")),
    ),
    Trigger(
        "two-referring", "around", "CLM01", SENT,
        {"find": "NM1*DN", "repeat": "2"},
        also=lambda _view, _cells, around: "DN" in around.repeated,
        told="NM1*DN is sent twice", says={"role": lambda *_: "DN"},
        stands_on=Open("referring", lambda met: met.provider_at("DN", "2310A")),
    ),
    Trigger(
        "supervision", "around", "CLM01", SENT, _insert("NM1*DQ*1*CEDAR*CARLA****XX*1679576722", "LX*"),
        also=lambda _view, _cells, around: "DQ" in around.roles, told="NM1*DQ is sent",
        says={"role": lambda *_: "DQ", "same": column("same", lambda met: met.supervises_itself)},
        stands_on=Open("supervision", lambda met: met.provider_at("DQ", "2310D")),
    ),
    # A provider without an identifier
    Trigger(
        "provider", "party", "NM101", one_of(*_PROVIDERS),
        {"find": "NM1*DN", "replace": "NM1*DN*1*CEDAR*CLARA"},
        also=lambda _view, cells, _around: not present(cell(cells, 9)),
        told=f"NM109 is not sent, and NM101 is {', '.join(_PROVIDERS[:-1])} or {_PROVIDERS[-1]}",
        says={"role": said_in(1), "identified": _has_identifier},
    ),
    # The billing provider
    Trigger(
        "billing-box", "billing", "N301", SENT, {"find": "N3*1 ALDER", "set": {"1": "PO BOX 12"}},
        also=lambda view, cells, _around: _is_in_loop_of(view, cells, "85"),
        told="N301 or N302 of 2010AA is a post office box or lock box",
        when=Open("box", lambda met: met.is_box),
    ),
    Trigger(
        "pay-to", "billing", "NM101", one_of("87"),
        {"find": "HL*2", "insert": "NM1*87*2~N3*1 ALDER ROAD~N4*ALBANY*NY*122070001"},
        told="NM1*87 is sent", says={"same": column("same", lambda met: met.is_paid_at_the_same_address)},
    ),
    Trigger(
        "pay-to-plan", "billing", "NM101", one_of("PE"),
        {
            "find": "HL*2",
            "insert": "NM1*PE*2*ALDER PLAN*****PI*P1~N3*1 ALDER ROAD~N4*ALBANY*NY*122070001~REF*EI*1",
        },
        told="NM1*PE is sent", says={"purpose": column("purpose", lambda met: met.purpose)},
    ),
    # The patient
    Trigger(
        "self-and-patient", "patient", "HL03", one_of("23"),
        (
            {"find": "HL*2", "set": {"4": "1"}},
            _insert(_PATIENT, "CLM*"),
        ),
        told="SBR02 is 18, there is a level of a patient, and the subscriber has no claims",
        when=Open("self", lambda met: met.is_of_a_patient_subscriber),
        stands_on=Open("subscriber", lambda met: met.subscriber_above),
    ),
    # The code of a line
    _of_code("unlisted", Test("an unlisted or miscellaneous code", _UNLISTED.__contains__), "97799"),
    _of_code("anesthesia", _ANESTHESIA, "00100:AA"),
    _of_code(
        "anesthesia-provider", numbers((100, 1999), without=(1996, 1999)), "00100",
        without=("AA", "AD", "QK", "QX", "QY", "QZ"),
    ),
    Trigger("fifth-modifier", "line", "SV101-7", _TWO_CHARACTERS, {"find": "SV1*", "set": {"1-7": "76"}}),
    _of_code("laboratory", _TESTS, "81001", without=("26",)),
    _of_code("referred-test", _TESTS, "81001:90", modifiers=("90",), without=("26",)),
    _of_code("imaging", numbers((70010, 76999)), "73560", without=("26",)),
    _of_code("mammography", numbers((77061, 77063), (77065, 77067)), "77067", without=("26",)),
    Trigger(
        "spinal-manipulation", "line", "SV101-2", numbers((98940, 98942)), _procedure("98940:AT"),
        says={"nature": column("nature", lambda met: met.whole.nature)},
    ),
    _of_code(
        "foot-care", any_of(numbers((11055, 11057), (11719, 11721)), numbers((127, 127), letter="G")), "11719"
    ),
    _of_code("screening", _PREVENTIVE, "99392:EP", modifiers=("EP",)),
    _of_code("post-operative", numbers((10004, 69990)), "27447:55", modifiers=("55",)),
    _of_code("ambulance", numbers((426, 434), letter="A"), "A0428"),
    Trigger(
        "ambulance-route", "line", "SV101-2", numbers((425, 436), letter="A"), _procedure("A0428:QN"),
        also=_has_no_route,
        told="SV101-2 is A0425-A0436, with no modifier for origin and destination, and not QL",
    ),
    _of_code("care-plan-oversight", numbers((181, 182), letter="G"), "G0181"),
    _of_code("oxygen", _OXYGEN, "E1390:RR"),
    _of_code(
        "equipment", any_of(numbers((100, 9999), letter="E"), numbers((0, 900), letter="K")), "E0100"
    ),
    _of_code("prescription", numbers((2020, 2799), (5030, 5267), letter="V"), "V2020"),
    _of_code("drug", numbers((120, 9999), letter="J"), "J1030"),
    _of_code("anemia-drug", one_of("J0881", "J0885", "J0888", "Q5106"), "J0885"),
    _of_modifier("shared-ambulance", "GM"),
    _of_modifier("hospice", "GV"),
    _of_modifier("clinical-trial", "Q0", "Q1"),
    # Other segments of a line
    Trigger(
        "attachment", "line", "PWK02", one_of("BM", "EL", "EM", "FT", "FX"),
        _insert("PWK*OZ*FX***AC*A1", "DTP*472"),
        says={"transmission": said_in(2), "identified": is_there(6)},
    ),
    Trigger(
        "attachment-on-request", "line", "PWK02", one_of("AA"), _insert("PWK*OZ*AA***AC*A1", "DTP*472"),
        says={"identified": is_there(6)},
    ),
    Trigger(
        "clia", "line", "REF01", one_of("X4"), _insert("REF*X4*11D2030122", "REF*6R"),
        says={"well_formed": form_of(2, "[0-9]{2}[A-Z][0-9A-Z]{7}")},
    ),
    Trigger(
        "drug-number", "line", "LIN02", one_of("N4"),
        {"find": "REF*6R", "append": "LIN**N4*00009028003~CTP****1*ML"},
        says={"well_formed": form_of(3, "[0-9]{11}")},
    ),
    Trigger(
        "drug-quantity", "line", "CTP04", _A_NUMBER,
        {"find": "REF*6R", "append": "LIN**N4*00009028003~CTP****1*ML"}, says={"positive": _is_positive},
    ),
    Trigger(
        "certified-equipment", "line", "CR301", SENT, _insert("CR3*I*MO*12", "DTP*472"),
        says={"certification": said_in(1)},
    ),
    Trigger(
        "certificate", "line", "LQ01", one_of("UT"), {"find": "REF*6R", "append": "LQ*UT*01.02~FRM*1A*Y"}
    ),
    Trigger(
        "other-equipment", "line", "SV501", SENT,
        (_procedure("E0601:RR"), {"find": "SV1*", "append": "SV5*HC:E0470*DA*30*90*1*4"}),
        also=_is_of_another_code, told="SV501-2 is not SV101-2",
    ),
    Trigger(
        "two-referring", "line", "NM101", one_of("DN"),
        {"find": "REF*6R", "append": "NM1*DN*1*CEDAR*CLARA~NM1*DN*1*CEDAR*CLARA"},
        also=_is_second, told="NM1*DN is sent twice for a line", says={"role": said_in(1)},
    ),
    Trigger(
        "discarded", "line", "SV101-2", _MAYBE_A_DRUG, {"find": "SV1*", "set": {"1-2": "J9035", "1-3": "JW"}},
        modifiers=("JW",),
        says={
            "given": column("given", lambda met: any(met.given())),
            "given_modifiers": column("given modifiers", _given_modifiers),
        },
    ),
    Trigger(
        "upgrade", "line", "SV101", SENT, {"find": "SV1*", "set": {"1-4": "GK"}}, modifiers=("GK",),
        says={"claim_modifiers": column("modifiers", lambda met: met.whole.modifiers)},
    ),
    Trigger(
        "remote-monitoring", "line", "SV101-2", _MONITORING, _procedure("98977:GP"),
        says={"same_period": column("same period", lambda met: met.monitored())},
    ),
    Trigger(
        "referral-of-line", "line", "NM101", one_of("DN"),
        (
            {"find": "NM1*DN", "delete": "true"},
            _insert("NM1*DN*1*CEDAR*CLARA****XX*1679576722", "SE*"),
        ),
        told="NM1*DN is sent for a line, and not for the claim",
        when=Open("first referral", lambda met: met.whole.first_referred is met),
        says={"lines": column("lines", lambda met: len(met.whole.lines))},
    ),
    Trigger("purchased", "line", "PS101", SENT, {"find": "REF*6R", "append": "PS1*A1*10"}),
)  # fmt: skip


# Kinds of `situation` facts.
SITUATIONS = tuple(sorted({row.kind for row in TRIGGERS}))


@cache
def triggers_of(*pieces: Piece) -> dict[str, tuple[Trigger, ...]]:
    """The rows of these pieces by segment."""
    found: dict[str, tuple[Trigger, ...]] = {}
    for row in TRIGGERS:
        if row.piece in pieces:
            found[row.segment] = (*found.get(row.segment, ()), row)
    return found


# Supplies, equipment and drugs, which are billed for days ahead.
_SUPPLIES = re.compile("A[4-9]|B[4-9]|[EKJQS]")


def is_supply(code: str) -> bool:
    """Whether a code is of supplies, equipment or drugs: A4-A9, B4-B9, E, K, J, Q, S."""
    return _SUPPLIES.match(code) is not None


def is_attended(code: str) -> bool:
    """Whether a service is more than a laboratory test or the reading of an image (70010 to 89398)."""
    return not (code.isascii() and code.isdigit() and len(code) == 5 and 70010 <= int(code) <= 89398)
