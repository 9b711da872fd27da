"""What a claim of the second maker is made of, and how it is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import second_practice as practice
from second_practice import Drug, Kind, Payer, Site


def joined(*elements: str) -> str:
    """A segment, without the empty elements at its end."""
    return "*".join(elements).rstrip("*")


def money(cents: int) -> str:
    """An amount as this house writes it: 47.36, 112.5, 200."""
    return f"{cents / 100:.2f}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class Person:
    """A subscriber or patient."""

    last: str
    first: str
    middle: str
    sex: str
    born: date
    street: str
    suite: str
    town: str
    state: str
    zip: str

    def named(self, role: str, *number: str) -> str:
        return joined("NM1", role, "1", self.last, self.first, self.middle, "", "", *number)

    def address(self) -> list[str]:
        return [joined("N3", self.street, self.suite), joined("N4", self.town, self.state, self.zip)]

    def described(self) -> str:
        return f"DMG*D8*{self.born:%Y%m%d}*{self.sex}"


class Clinician(NamedTuple):
    """Somebody who treats or refers; `kind` is None for whoever is no therapist."""

    last: str
    first: str
    npi: str
    taxonomy: str
    kind: Kind | None = None

    def named(self, role: str) -> str:
        return joined("NM1", role, "1", self.last, self.first, "", "", "", "XX", self.npi)


@dataclass(slots=True)
class Work:
    """A service line. `until` is its last day where that is another; `ranged` writes a day as a period."""

    code: str
    modifiers: list[str]
    cents: int
    units: int
    day: date
    until: date | None = None
    ranged: bool = False
    pointers: list[int] = field(default_factory=list)
    place: str = ""
    note: str = ""
    drug: Drug | None = None
    references: list[str] = field(default_factory=list)
    treated_by: Clinician | None = None
    ordered_by: Clinician | None = None

    def segments(self, number: int) -> list[str]:
        """LX and what follows, but for what another payer decided."""
        pointers = ":".join(map(str, self.pointers))
        found = [
            f"LX*{number}",
            joined("SV1", self.procedure, money(self.cents), "UN", str(self.units), self.place, "", pointers),
            f"DTP*472*{self.days()}",
            *self.references,
        ]
        if self.note:
            found.append(f"NTE*ADD*{self.note}")
        if self.drug is not None:
            found += [f"LIN**N4*{self.drug.number}", f"CTP****{self.drug.quantity}*{self.drug.unit}"]
        if self.treated_by is not None:
            found += [self.treated_by.named("82"), f"PRV*PE*PXC*{self.treated_by.taxonomy}"]
        if self.ordered_by is not None:
            found.append(self.ordered_by.named("DK"))
        return found

    @property
    def procedure(self) -> str:
        return ":".join(("HC", self.code, *self.modifiers))

    def days(self) -> str:
        if self.ranged or self.until is not None:
            return f"RD8*{self.day:%Y%m%d}-{self.until or self.day:%Y%m%d}"
        return f"D8*{self.day:%Y%m%d}"


class Adjustment(NamedTuple):
    """A part of a charge that a payer did not pay: group, reason, cents."""

    group: str
    reason: str
    cents: int


class Decision(NamedTuple):
    """What a payer paid of a line, in cents, and how it explains the rest."""

    paid: int
    adjusted: list[Adjustment]


@dataclass(slots=True)
class OtherPayer:
    """Another payer of the claim; `decisions` are there by line, or none where it has not decided.

    on       the day of its decision
    by_line  whether the claim tells each decision, or their sums alone
    """

    payer: Payer
    order: str
    relation: str
    member: str
    person: Person
    decisions: list[Decision]
    on: date | None
    by_line: bool

    def segments(self, signature: str) -> list[str]:
        """Loop 2320 with 2330A and 2330B."""
        found = [joined("SBR", self.order, self.relation, *[""] * 6, self.payer.kind)]
        adjusted = [each for decision in self.decisions for each in decision.adjusted]
        if self.decisions:
            found += [] if self.by_line else _summed(adjusted)
            found.append(f"AMT*D*{money(sum(decision.paid for decision in self.decisions))}")
            owed = sum(each.cents for each in adjusted if each.group == "PR")
            found += [f"AMT*EAF*{money(owed)}"] if owed else []
        found += [
            f"OI***Y*{signature}**Y",
            self.person.named("IL", "MI", self.member),
            *self.person.address(),
            f"NM1*PR*2*{self.payer.name}*****PI*{self.payer.id}",
        ]
        if self.decisions and not self.by_line:
            found += self.dated()
        return found

    def of_line(self, number: int, work: Work) -> list[str]:
        """Loop 2430 of the line of this number, counted from 0."""
        if not (self.decisions and self.by_line):
            return []
        decision = self.decisions[number]
        paid = f"SVD*{self.payer.id}*{money(decision.paid)}*{work.procedure}**{work.units}"
        return [paid, *_summed(decision.adjusted), *self.dated()]

    def dated(self) -> list[str]:
        return [f"DTP*573*D8*{self.on:%Y%m%d}"] if self.on is not None else []


def _summed(adjusted: list[Adjustment]) -> list[str]:
    """A CAS for each group, with the sums of its reasons."""
    sums: dict[str, dict[str, int]] = {}
    for group, reason, cents in adjusted:
        of_group = sums.setdefault(group, {})
        of_group[reason] = of_group.get(reason, 0) + cents
    return [
        joined("CAS", group, "**".join(f"{reason}*{money(cents)}" for reason, cents in reasons.items()))
        for group, reasons in sums.items()
    ]


@dataclass(slots=True)
class Bill:
    """A claim, with those whom it is about and those whom it goes to.

    reason      SBR05
    says_kind   whether SBR09 is there
    off         cents by which CLM02 is wrong
    dates       qualifier and day
    references  REF of the claim, as they are written; so `referring` and `facility`, NM1 and what follows
    condition   CR2
    """

    number: str
    site: Site
    payer: Payer
    member: str
    subscriber: Person
    patient: Person | None
    relation: str
    group: str
    treating: Clinician
    place: str
    diagnoses: list[str]
    work: list[Work] = field(default_factory=list)
    order: str = "P"
    reason: str = ""
    says_kind: bool = True
    off: int = 0
    frequency: str = "1"
    signature: str = ""
    causes: str = ""
    accident: str = ""
    dates: list[tuple[str, date]] = field(default_factory=list)
    paper: str = ""
    patient_paid: int = 0
    references: list[str] = field(default_factory=list)
    note: str = ""
    condition: str = ""
    referring: list[str] = field(default_factory=list)
    facility: list[str] = field(default_factory=list)
    supervising: Clinician | None = None
    other: OtherPayer | None = None

    @property
    def charge(self) -> int:
        return sum(work.cents for work in self.work)

    @property
    def last_day(self) -> date:
        return max(work.day for work in self.work)

    @property
    def levels(self) -> tuple[object, ...]:
        """What the levels above the claim say: a claim of the same stands under the same levels."""
        return (self.subscriber, self.member, self.group, self.order, self.accident, self.says_kind)

    def segments(self) -> list[str]:
        """The claim from CLM on, in the order of the guide."""
        place = f"{self.place}:B:{self.frequency}"
        total = money(self.charge + self.off)
        found = [
            joined("CLM", self.number, total, "", "", place, "Y", "A", "Y", "Y", self.signature, self.causes),
            *(f"DTP*{what}*D8*{day:%Y%m%d}" for what, day in self.dates),
        ]
        found += [self.paper] if self.paper else []
        found += [f"AMT*F5*{money(self.patient_paid)}"] if self.patient_paid else []
        found += self.references
        found += [f"NTE*ADD*{self.note}"] if self.note else []
        found += [self.condition] if self.condition else []
        found.append("HI*ABK:" + "*ABF:".join(self.diagnoses))
        found += [*self.referring, self.treating.named("82"), f"PRV*PE*PXC*{self.treating.taxonomy}"]
        found += self.facility
        found += [self.supervising.named("DQ")] if self.supervising else []
        found += self.other.segments(self.signature) if self.other else []
        for number, work in enumerate(self.work):
            found += work.segments(number + 1)
            found += self.other.of_line(number, work) if self.other else []
        return found


class Transaction:
    """One ST..SE as it is written: it counts segments and levels."""

    def __init__(self, number: int) -> None:
        self.control = f"{number:06}"
        self.count = 0
        self.levels = 0
        self.provider = 0

    def text(self, segments: list[str]) -> str:
        self.count += len(segments)
        return "~\n".join(segments) + "~\n"

    def head(self) -> str:
        segments = [
            f"ST*837*{self.control}*005010X222A1",
            f"BHT*0019*00*PMS{self.control}26320*{practice.WRITTEN:%Y%m%d}*221507*CH",
            "NM1*41*2*SAGEBRUSH PRACTICE SYSTEMS*****46*SBPS4471",
            "PER*IC*EDI SUPPORT*TE*8005550166*EX*4*FX*8005550167",
            "NM1*40*2*OPEN RANGE CLEARINGHOUSE*****46*ORCH01",
        ]
        return self.text(segments)

    def site(self, site: Site, npi: str) -> str:
        """The level of a billing provider."""
        self.levels += 1
        self.provider = self.levels
        segments = [
            f"HL*{self.levels}**20*1",
            f"PRV*BI*PXC*{site.taxonomy}",
            f"NM1*85*2*{site.name}*****XX*{npi}",
            joined("N3", site.street, site.suite),
            f"N4*{site.city}*{site.state}*{site.zip}",
            f"REF*EI*{site.tax_id}",
        ]
        segments += [f"REF*0B*{site.license}"] if site.license else []
        segments.append(f"PER*IC*BILLING OFFICE*TE*{site.phone}*EX*200*FX*{site.phone[:-2]}99")
        segments += ["NM1*87*2", *address(*site.pay_to)] if site.pay_to else []
        return self.text(segments)

    def claim(self, bill: Bill, segments: list[str], *, again: bool) -> str:
        """A claim, under levels of its own unless it comes `again` for whom the one before was."""
        return self.text([*([] if again else self._levels(bill)), *segments])

    def _levels(self, bill: Bill) -> list[str]:
        self.levels += 1
        payer, patient = bill.payer, bill.patient
        kind = payer.kind if bill.says_kind else ""
        relation = "" if patient else "18"
        segments = [
            f"HL*{self.levels}*{self.provider}*22*{1 if patient else 0}",
            joined("SBR", bill.order, relation, bill.group, bill.reason, "", "", "", kind),
            bill.subscriber.named("IL", "MI", bill.member),
            *bill.subscriber.address(),
            bill.subscriber.described(),
        ]
        segments += [f"REF*Y4*{bill.accident}"] if bill.accident else []
        segments.append(f"NM1*PR*2*{payer.name}*****PI*{payer.id}")
        segments += address(*payer.street) if payer.street else []
        segments += [f"REF*G2*{bill.site.tax_id[-6:]}"] if payer.kind == "HM" else []
        if patient is not None:
            self.levels += 1
            segments += [
                f"HL*{self.levels}*{self.levels - 1}*23*0",
                f"PAT*{bill.relation}",
                patient.named("QC"),
                *patient.address(),
                patient.described(),
            ]
        return segments

    def tail(self) -> str:
        return f"SE*{self.count + 1}*{self.control}~\n"


def address(street: str, city: str, state: str, zip_code: str) -> list[str]:
    return [f"N3*{street}", f"N4*{city}*{state}*{zip_code}"]
