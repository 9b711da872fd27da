"""Makes 837P files of any size from a seed: clean ones, or with a part of the claims faulty in a known way.

By hand: python tests/generate_claims.py 10000 --invalid 0.05 > claims.837
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

FIRST_DAY = date(2026, 2, 2)
RECEIVED = date(2026, 11, 21)
CLAIMS_PER_TRANSACTION = 1000
CLAIMS_PER_THERAPIST = 6
THERAPISTS_PER_CLINIC = 8
CLINICS = 200
CLAIMS_PER_CLINIC = CLAIMS_PER_THERAPIST * THERAPISTS_PER_CLINIC

LAST_NAMES = ("ASPEN", "HAZEL", "LINDEN", "LARCH", "ROWAN", "MYRTLE", "SORREL", "TANSY", "POPLAR", "MALLOW")
FIRST_NAMES = ("IRIS", "TOM", "MAE", "JO", "KIT", "VAL", "PAT", "RAE", "EVE", "ADA", "GIL")
STREETS = ("CANAL STREET", "ORCHARD LANE", "MILL ROAD", "WHARF ROW", "CHAPEL HILL")

MBI_LETTERS = "ACDEFGHJKMNPQRTUVWXY"


@dataclass(frozen=True, slots=True)
class Service:
    """A procedure as the generator bills it: cents a unit and the most units that it puts on a line."""

    code: str
    price: int
    most: int


@dataclass(frozen=True, slots=True)
class Discipline:
    """What one kind of therapist bills. No two of the services are an NCCI pair."""

    modifier: str
    taxonomy: str
    evaluation: Service | None
    services: tuple[Service, ...]
    diagnoses: tuple[str, ...]


DISCIPLINES = (
    Discipline(
        "GP",
        "225100000X",
        Service("97161", 9800, 1),
        (
            Service("97530", 4200, 2),
            Service("97110", 3225, 2),
            Service("97112", 3625, 2),
            Service("97140", 2800, 1),
            Service("97116", 3100, 1),
        ),
        ("M6281", "R262", "R2681", "M5450", "M1711", "M1612"),
    ),
    Discipline(
        "GO",
        "225X00000X",
        Service("97165", 9900, 1),
        (
            Service("97530", 4200, 3),
            Service("97535", 3800, 2),
            Service("97112", 3625, 1),
            Service("97140", 2800, 1),
        ),
        ("I69351", "R278", "M6281", "R270"),
    ),
    Discipline("GN", "235Z00000X", None, (Service("92507", 11000, 1),), ("I69320", "R4701", "R1312")),
)
OFFICE_VISITS = (Service("99212", 6100, 1), Service("99213", 9200, 1), Service("99214", 13000, 1))
OFFICE_DIAGNOSES = ("J069", "I10", "E119", "M5450")

# What other claims are made of: procedures of one line each, with modifiers, and the diagnoses they go with.
LABORATORY = (Service("80053", 1800, 1), Service("85025", 1100, 1), Service("81003", 600, 1))
DRUGS = (
    ("J1885", "00409379601", 900, "ML"),
    ("J3301", "00003029305", 1200, "ML"),
    ("J0696", "00409733201", 700, "UN"),
)
EQUIPMENT = (("E0143", "NU", 11000), ("E0114", "NU", 4500), ("L1833", "RT", 48000), ("E0601", "RR", 9500))
RIDES = (("A0428", 50000), ("A0429", 62000))
SLEEPS = (("01402", "M1711"), ("00142", "H2510"), ("00830", "K4090"))
IMAGES = (
    ("71046", "", "R059"),
    ("73560", ":LT", "M25562"),
    ("73030", ":RT", "M25511"),
    ("77067", "", "Z1231"),
)
TALKS = (("90837", 16000, "F411"), ("90834", 12000, "F329"), ("90791", 19000, "F4310"))
KINDS = (
    "laboratory",
    "drug",
    "equipment",
    "ambulance",
    "anaesthesia",
    "imaging",
    "hospital",
    "talk",
    "accident",
    "replacement",
    "vaccination",
)

FAULTS = {
    "wrong-qualifier": "guide.element-code",
    "missing-n3": "guide.segment-missing",
    "missing-date": "guide.segment-missing",
    "too-many-units": "ncci.mue",
    "charge": "balance.claim-charge",
    "npi": "code.npi",
    "future-date": "date.future",
    "no-discipline": "therapy.discipline",
}


@dataclass(frozen=True, slots=True)
class Seeded:
    """A fault that was put in: the claim's CLM01, the kind of fault, and the rule that answers it."""

    claim: str
    kind: str
    rule: str


def npi(number: int) -> str:
    """A ten digit NPI made from a number below 10**8, with its check digit (ISO Luhn, prefix 80840)."""
    digits = f"1{number:08d}"
    total = 24  # what the prefix 80840 adds
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def generate(
    claims: int,
    *,
    seed: int = 0,
    invalid: float = 0.0,
    per_transaction: int = CLAIMS_PER_TRANSACTION,
    seeded: list[Seeded] | None = None,
    every_kind: bool = False,
) -> Iterator[str]:
    """The text of one interchange with so many claims, in pieces of one claim or a header each.

    `invalid` is the part of the claims (0..1) that get one fault each; what was put where goes to `seeded`.
    With `every_kind` half of the claims are of other kinds than therapy and office visits (KINDS), and clean.
    The same arguments give the same text. Every name, number and address is invented.

    Raises ValueError for no claims at all: the guide has no such file.
    """
    if claims < 1:
        raise ValueError("at least one claim")
    parties = f"ZZ*{'BROOKBILLING':15}*ZZ*{'MAPLEHEALTH':15}"
    yield f"ISA*00*{'':10}*00*{'':10}*{parties}*261015*0930*^*00501*000000001*0*P*:~\n"
    yield "GS*HC*BROOKBILLING*MAPLEHEALTH*20261015*0930*1*X*005010X222A1~\n"
    transactions = 0
    for first in range(0, claims, per_transaction):
        transactions += 1
        transaction = _Transaction(transactions, Random(f"{seed}/{first}"), invalid, seeded, every_kind)
        yield from transaction.write(first, min(first + per_transaction, claims))
    yield f"GE*{transactions}*1~\nIEA*1*000000001~\n"


class _Transaction:
    """One ST..SE in the making: it counts what it has written."""

    def __init__(
        self, number: int, random: Random, invalid: float, seeded: list[Seeded] | None, every_kind: bool
    ) -> None:
        self.number = number
        self.random = random
        self.invalid = invalid
        self.seeded = seeded
        self.every_kind = every_kind
        self.written = 0
        self.hl = 0
        self.provider_hl = 0

    def write(self, first: int, end: int) -> Iterator[str]:
        control = f"{self.number:04d}"
        yield self.text(
            f"ST*837*{control}*005010X222A1",
            f"BHT*0019*00*BATCH{self.number:06d}*20261015*0930*CH",
            "NM1*41*2*BROOK BILLING*****46*BRK001",
            "PER*IC*CONTACT DESK*TE*6145550100",
            "NM1*40*2*MAPLE HEALTH*****46*99001",
        )
        clinic = -1
        for index in range(first, end):
            if index // CLAIMS_PER_CLINIC != clinic or not self.provider_hl:
                clinic = index // CLAIMS_PER_CLINIC
                yield self.text(*self.clinic(clinic % CLINICS))
            yield self.text(*self.claim(index, clinic))
        yield f"SE*{self.written + 1}*{control}~\n"

    def text(self, *segments: str) -> str:
        self.written += len(segments)
        return "~\n".join(segments) + "~\n"

    def clinic(self, clinic: int) -> list[str]:
        self.hl += 1
        self.provider_hl = self.hl
        return [
            f"HL*{self.hl}**20*1",
            "PRV*BI*PXC*261QR0400X",
            f"NM1*85*2*CLINIC {clinic:03d}*****XX*{npi(20_000_000 + clinic)}",
            f"N3*{clinic + 1} {STREETS[clinic % len(STREETS)]}",
            "N4*COLUMBUS*OH*432150001",
            f"REF*EI*{990_000_000 + clinic}",
        ]

    def claim(self, index: int, clinic: int) -> list[str]:
        """One subscriber, a dependent in some cases, and one claim of lines."""
        random = self.random
        if self.every_kind and random.random() < 0.5:
            return self.other_claim(index)
        fault = self.choose_fault()
        office = fault in ("", "charge", "npi") and random.random() < 0.15
        dependent = fault == "missing-n3" or (fault != "no-discipline" and random.random() < 0.12)
        medicare = not dependent and not office and (fault == "no-discipline" or random.random() < 0.6)
        secondary = not dependent and not office and fault == "" and random.random() < 0.1
        cycle, place = divmod(index, CLAIMS_PER_CLINIC * CLINICS)
        therapist = (
            clinic % CLINICS * THERAPISTS_PER_CLINIC + place % CLAIMS_PER_CLINIC // CLAIMS_PER_THERAPIST
        )
        visit = FIRST_DAY + timedelta(
            days=(cycle * CLAIMS_PER_THERAPIST + place % CLAIMS_PER_THERAPIST) % 230
        )
        claim = f"C{self.number:04d}-{index:07d}"

        if office:
            lines = [(visit, random.choice(OFFICE_VISITS), "", 1)]
            taxonomy, diagnoses = "207Q00000X", random.sample(OFFICE_DIAGNOSES, 2)
        else:
            discipline = DISCIPLINES[(0, 0, 0, 0, 1, 1, 2)[therapist % 7] if fault != "too-many-units" else 0]
            taxonomy, diagnoses = (
                discipline.taxonomy,
                random.sample(discipline.diagnoses, random.randint(1, 3)),
            )
            lines = self.visits(discipline, visit, fault)
        total = sum(service.price * units for _, service, _, units in lines)

        segments = self.subscriber(index, dependent=dependent, medicare=medicare, secondary=secondary)
        if dependent:
            segments += self.patient(without_address=fault == "missing-n3")
        qualifier = "C" if fault == "wrong-qualifier" else "B"
        charge = _money(total + (100 if fault == "charge" else 0))
        segments.append(f"CLM*{claim}*{charge}***11:{qualifier}:1*Y*A*Y*Y")
        segments.append("HI*ABK:" + "*ABF:".join(diagnoses))
        if not office:
            segments.append(f"NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_000 + therapist)}")
        rendering = npi(10_000_000 + therapist)
        if fault == "npi":
            rendering = rendering[:9] + str((int(rendering[9]) + 1) % 10)
        segments.append(
            f"NM1*82*1*{LAST_NAMES[therapist % 10]}*{FIRST_NAMES[therapist % 11]}****XX*{rendering}"
        )
        segments.append(f"PRV*PE*PXC*{taxonomy}")
        if secondary:
            segments += [
                f"SBR*P*18*G{clinic:05d}******CI",
                f"AMT*D*{_money(total // 2)}",
                "OI***Y***Y",
                f"NM1*IL*1*{LAST_NAMES[index % 10]}*{FIRST_NAMES[index % 11]}****MI*W{index:08d}",
                "NM1*PR*2*WILLOW HEALTH PLAN*****PI*99002",
            ]
        paid_before = total // 2
        for number, (day, service, modifiers, units) in enumerate(lines, 1):
            charge_of_line = service.price * units
            procedure = f"HC:{service.code}{modifiers}"
            if fault == "no-discipline" and number == 1:
                procedure = f"HC:{service.code}"
            if fault == "future-date" and number == 1:
                day = RECEIVED + timedelta(days=30)  # noqa: PLW2901 the fault replaces the day
            pointers = ":".join(str(n) for n in range(1, len(diagnoses) + 1))
            segments.append(f"LX*{number}")
            segments.append(f"SV1*{procedure}*{_money(charge_of_line)}*UN*{units}***{pointers}")
            if fault != "missing-date" or number > 1:
                segments.append(f"DTP*472*D8*{day:%Y%m%d}")
            segments.append(f"REF*6R*{claim}-{number}")
            if secondary:
                paid = min(paid_before, charge_of_line)
                paid_before -= paid
                segments.append(f"SVD*99002*{_money(paid)}*{procedure}**{units}")
                if paid < charge_of_line:
                    segments.append(f"CAS*PR*2*{_money(charge_of_line - paid)}")
                segments.append(f"DTP*573*D8*{day + timedelta(days=14):%Y%m%d}")
        if fault and self.seeded is not None:
            self.seeded.append(Seeded(claim, fault, FAULTS[fault]))
        return segments

    def other_claim(self, index: int) -> list[str]:
        """A claim of another kind, for a commercial payer; a dependent's in some cases."""
        random = self.random
        dependent = random.random() < 0.2
        day = FIRST_DAY + timedelta(days=random.randrange(230))
        kind = KINDS[random.randrange(len(KINDS))]
        segments = self.subscriber(index, dependent=dependent, medicare=False, secondary=False)
        if dependent:
            segments += self.patient(without_address=False)
        written = _Written(f"K{self.number:04d}-{index:07d}", day, random)
        getattr(written, kind)()
        return segments + written.segments()

    def choose_fault(self) -> str:
        if self.random.random() >= self.invalid:
            return ""
        return self.random.choice(tuple(FAULTS))

    def visits(self, discipline: Discipline, day: date, fault: str) -> list[tuple[date, Service, str, int]]:
        """The lines of one or two visits: day, service, modifiers with their colons, units."""
        random = self.random
        if fault == "too-many-units":
            return [(day, discipline.services[0], f":{discipline.modifier}", 7)]
        lines = []
        for visit in (day, day + timedelta(days=2))[: random.choice((1, 2, 2))]:
            services = random.sample(discipline.services, min(random.randint(2, 4), len(discipline.services)))
            if discipline.evaluation is not None and len(services) < 4 and random.random() < 0.1:
                services.append(discipline.evaluation)
            for service in services:
                # 97530 beside exercise or an evaluation is a separate service only where 59 says so.
                separate = ":59" if service.code == "97530" and len(services) > 1 else ""
                units = random.randint(1, service.most)
                lines.append((visit, service, f"{separate}:{discipline.modifier}", units))
        return lines

    def subscriber(self, index: int, *, dependent: bool, medicare: bool, secondary: bool) -> list[str]:
        self.hl += 1
        relationship = "" if dependent else "18"
        responsibility = "S" if secondary else "P"
        insurance = "12" if secondary and medicare else ""
        filing = "MB" if medicare else "CI"
        member = _mbi(index) if medicare else f"M{index:08d}"
        segments = [
            f"HL*{self.hl}*{self.provider_hl}*22*{int(dependent)}",
            f"SBR*{responsibility}*{relationship}***{insurance}****{filing}",
            f"NM1*IL*1*{LAST_NAMES[index % 10]}*{FIRST_NAMES[index % 11]}****MI*{member}",
        ]
        if not dependent:
            segments += _person(index, self.random)
        payer = "NM1*PR*2*MAPLE MEDICARE*****PI*99001" if medicare else "NM1*PR*2*YEW MUTUAL*****PI*99003"
        segments.append(payer)
        return segments

    def patient(self, *, without_address: bool) -> list[str]:
        self.hl += 1
        number = self.random.randrange(10_000)
        address, city, birth = _person(number, self.random)
        return [
            f"HL*{self.hl}*{self.hl - 1}*23*0",
            "PAT*19",
            f"NM1*QC*1*{LAST_NAMES[number % 10]}*{FIRST_NAMES[number % 11]}",
            *([] if without_address else [address]),
            city,
            birth,
        ]


class _Written:
    """A claim of another kind in the making: its head, what stands before its lines, and its lines."""

    def __init__(self, claim: str, day: date, random: Random) -> None:
        self.claim = claim
        self.day = day
        self.random = random
        self.place = "11"
        self.frequency = "1"
        self.causes = ""
        self.before: list[str] = []
        self.diagnoses: tuple[str, ...] = ("I10",)
        self.parties: list[str] = []
        self.lines: list[str] = []
        self.count = 0
        self.total = 0

    def segments(self) -> list[str]:
        causes = f"**{self.causes}" if self.causes else ""
        head = f"CLM*{self.claim}*{_money(self.total)}***{self.place}:B:{self.frequency}*Y*A*Y*Y{causes}"
        hi = "HI*ABK:" + "*ABF:".join(self.diagnoses)
        return [head, *self.before, hi, *self.parties, *self.lines]

    def line(
        self, procedure: str, cents: int, units: int = 1, more: tuple[str, ...] = (), unit: str = "UN"
    ) -> None:
        self.count += 1
        self.total += cents
        pointers = ":".join(str(n) for n in range(1, min(len(self.diagnoses), 4) + 1))
        self.lines += [
            f"LX*{self.count}",
            f"SV1*HC:{procedure}*{_money(cents)}*{unit}*{units}***{pointers}",
            f"DTP*472*D8*{self.day:%Y%m%d}",
            f"REF*6R*{self.claim}-{self.count}",
            *more,
        ]

    def rendering(self, taxonomy: str) -> None:
        number = self.random.randrange(500)
        self.parties += [
            f"NM1*82*1*{LAST_NAMES[number % 10]}*{FIRST_NAMES[number % 11]}****XX*{npi(40_000_000 + number)}",
            f"PRV*PE*PXC*{taxonomy}",
        ]

    def referring(self) -> None:
        self.parties.append(f"NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_000 + self.random.randrange(300))}")

    def facility(self) -> None:
        number = self.random.randrange(40)
        self.parties += [
            f"NM1*77*2*OAK HOSPITAL {number}*****XX*{npi(50_000_000 + number)}",
            f"N3*{number + 1} WHARF ROW",
            f"N4*COLUMBUS*OH*4321500{number + 10}",
        ]

    def laboratory(self) -> None:
        self.place = "81"
        self.before = [f"REF*X4*36D{self.random.randrange(10**7):07d}"]
        self.diagnoses = ("E119", "I10")
        self.referring()
        self.rendering("207ZP0102X")
        for service in self.random.sample(LABORATORY, self.random.randint(1, 3)):
            self.line(service.code, service.price)

    def drug(self) -> None:
        self.diagnoses = ("M1711",)
        self.rendering("207X00000X")
        code, number, price, unit = self.random.choice(DRUGS)
        units = self.random.randint(1, 2)
        self.line(code, price * units, units, (f"LIN**N4*{number}", f"CTP****{units}*{unit}"))
        self.line("96372", 3000)

    def equipment(self) -> None:
        self.place = "12"
        self.diagnoses = ("M6281", "R2681")
        code, modifier, price = self.random.choice(EQUIPMENT)
        ordering = f"NM1*DK*1*FIR*MORGAN****XX*{npi(30_000_000 + self.random.randrange(300))}"
        self.line(f"{code}:{modifier}", price, 1, (ordering,))

    def ambulance(self) -> None:
        self.place = "41"
        miles = self.random.randint(2, 60)
        self.before = [f"CR1*LB*{self.random.randint(90, 260)}**A*DH*{miles}", "CRC*07*Y*01*06"]
        self.diagnoses = ("R531",)
        self.parties = [
            "NM1*PW*2",
            "N3*11 MILL ROAD",
            "N4*COLUMBUS*OH*432150015",
            "NM1*45*2*OAK HOSPITAL",
            "N3*12 WHARF ROW",
            "N4*COLUMBUS*OH*432150016",
        ]
        code, price = self.random.choice(RIDES)
        self.line(f"{code}:RH", price)
        self.line("A0425:RH", 1000 * miles, miles)

    def anaesthesia(self) -> None:
        self.place = "22"
        code, diagnosis = self.random.choice(SLEEPS)
        self.diagnoses = (diagnosis,)
        self.rendering("207L00000X")
        self.facility()
        minutes = self.random.randint(20, 240)
        self.line(f"{code}:AA", 1000 * minutes, minutes, unit="MJ")

    def imaging(self) -> None:
        code, modifier, diagnosis = self.random.choice(IMAGES)
        self.diagnoses = (diagnosis,)
        if code == "77067":
            self.before = ["REF*EW*123456"]
        self.referring()
        self.rendering("2085R0202X")
        self.line(f"{code}{modifier}", 7000)

    def hospital(self) -> None:
        self.place = "21"
        self.before = [f"DTP*435*D8*{self.day - timedelta(days=2):%Y%m%d}"]
        self.diagnoses = ("J189", "I10", "E119")
        self.rendering("208M00000X")
        self.facility()
        self.line(self.random.choice(("99231", "99232", "99233")), 12000)

    def talk(self) -> None:
        code, price, diagnosis = self.random.choice(TALKS)
        self.diagnoses = (diagnosis,)
        self.rendering("103T00000X")
        if self.random.random() < 0.5:
            self.place = "10"
            code += ":95"
        self.line(code, price)

    def accident(self) -> None:
        self.causes, self.diagnoses = self.random.choice(
            (("AA:::OH", ("S8001XA", "V4352XA")), ("OA", ("S8001XA", "W010XXA")), ("EM", ("S8001XA",)))
        )
        self.before = [f"DTP*439*D8*{self.day - timedelta(days=1):%Y%m%d}"]
        self.rendering("207Q00000X")
        self.line("99213", 9200)

    def replacement(self) -> None:
        self.frequency = self.random.choice("78")
        self.before = [f"REF*F8*{self.random.randrange(10**10):010d}"]
        self.rendering("207Q00000X")
        self.line("99214", 13000)
        self.line("93000", 4000)

    def vaccination(self) -> None:
        self.diagnoses = ("Z23",)
        self.rendering("207Q00000X")
        self.line("90686", 2500)
        self.line("90471", 3000)


def _person(number: int, random: Random) -> list[str]:
    year, month, day = random.randint(1935, 2015), random.randint(1, 12), random.randint(1, 28)
    return [
        f"N3*{number % 900 + 1} {STREETS[number % len(STREETS)]}",
        f"N4*COLUMBUS*OH*4321500{number % 90 + 10}",
        f"DMG*D8*{year}{month:02d}{day:02d}*{'FM'[number % 2]}",
    ]


def _mbi(number: int) -> str:
    """A member id in the form of Medicare's, eleven characters."""
    letters = []
    rest = number
    for _ in range(4):
        rest, letter = divmod(rest, len(MBI_LETTERS))
        letters.append(MBI_LETTERS[letter])
    a, b, c, d = letters
    return f"1{a}00{b}00{c}{d}{rest % 100:02d}"


def _money(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return str(whole) if rest == 0 else f"{whole}.{rest:02d}".rstrip("0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("claims", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--invalid", type=float, default=0.0, help="part of the claims with a fault, 0..1")
    parser.add_argument("--every-kind", action="store_true", help="claims of all kinds, not of therapy alone")
    parser.add_argument("--per-transaction", type=int, default=CLAIMS_PER_TRANSACTION)
    given = parser.parse_args()
    sys.stdout.writelines(
        generate(
            given.claims,
            seed=given.seed,
            invalid=given.invalid,
            per_transaction=given.per_transaction,
            every_kind=given.every_kind,
        )
    )


if __name__ == "__main__":
    main()
