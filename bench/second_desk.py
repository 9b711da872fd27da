"""The desk of the second maker's practice: who comes, what is done and how it is billed, all rightly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import NamedTuple

import second_practice as practice
from second_claims import Adjustment, Bill, Clinician, Decision, OtherPayer, Person, Work, joined
from second_practice import Drug, Kind, Payer, Site

MOST_LINES, MOST_DIAGNOSES = 12, 12
# The therapists are those of so many claims: with more claims the practice grows, for nobody works all day.
_CLAIMS_OF_A_STAFF = 20_000
_THERAPISTS = 26  # of a site
_DOCTORS = ("208100000X", "207R00000X", "363LP2300X", "111N00000X")
_SENDING = ("207Q00000X", "207X00000X", "363LF0000X", "2084N0400X")
_USUAL = (
    practice.PHYSICAL,
    practice.PHYSICAL,
    practice.OCCUPATIONAL,
    practice.PHYSICAL,
    practice.SPEECH,
    practice.PHYSICAL,
    practice.OCCUPATIONAL,
    practice.PHYSICAL,
)
_KINDS = {
    "225XH1200X": (practice.OCCUPATIONAL, practice.OCCUPATIONAL, practice.PHYSICAL),
    "235Z00000X": (practice.SPEECH,),
}
WORKING_DAYS = tuple(
    day
    for number in range((practice.LAST_DAY - practice.FIRST_DAY).days + 1)
    if (day := practice.FIRST_DAY + timedelta(number)).weekday() < 5
)

# -- people ------------------------------------------------------------------------------------------------


class Staff(NamedTuple):
    """Who treats at a site."""

    therapists: list[Clinician]
    doctors: list[Clinician]


class House:
    """The people of the practice and those who send patients, as far as the claims have come."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        chance = Random(f"house {seed}")
        self.site_npis = [_npi(chance) for _ in practice.SITES]
        self.place_npis = [_npi(chance) for _ in practice.SITES]
        self.sending = [_clinician(chance, chance.choice(_SENDING)) for _ in range(640)]
        self._number = -1
        self._staff: list[Staff] = []

    def staff(self, claim: int, site: int) -> Staff:
        """Who treats at a site when so many claims are written."""
        number = claim // _CLAIMS_OF_A_STAFF
        if number != self._number:
            chance = Random(f"staff {self.seed} {number}")
            self._staff = [_hire(chance, each) for each in practice.SITES]
            self._number = number
        return self._staff[site]


def _hire(chance: Random, site: Site) -> Staff:
    kinds = _KINDS.get(site.taxonomy, _USUAL)
    of_each = [kinds[number % len(kinds)] for number in range(_THERAPISTS)]
    therapists = [_clinician(chance, chance.choice(kind.taxonomies), kind) for kind in of_each]
    return Staff(therapists, [_clinician(chance, taxonomy) for taxonomy in _DOCTORS])


def _clinician(chance: Random, taxonomy: str, kind: Kind | None = None) -> Clinician:
    first = chance.choice(practice.FIRST_NAMES[chance.choice("FM")])
    return Clinician(chance.choice(practice.FAMILY_NAMES), first, _npi(chance), taxonomy, kind)


def _npi(chance: Random) -> str:
    """Nine digits and the tenth with which those of 80840 and all of them, every second doubled, end on 0."""
    nine = f"1{chance.randrange(10**8):08}"
    row = f"80840{nine}"
    doubled = row[::-2].translate(str.maketrans("0123456789", "0246813579"))
    return f"{nine}{-sum(map(int, row[-2::-2] + doubled)) % 10}"


def _person(chance: Random, least_age: int, most_age: int) -> Person:
    sex = chance.choice("FM")
    town, state, beginning = chance.choice(practice.TOWNS)
    last_four = f"{chance.randrange(1, 9999):04}" if chance.random() < 0.55 else ""
    street = f"{chance.choice('NSEW')} {chance.choice(practice.STREETS)} {chance.choice(practice.WAYS)}"
    return Person(
        last=chance.choice(practice.FAMILY_NAMES),
        first=chance.choice(practice.FIRST_NAMES[sex]),
        middle=chance.choice("ABCDEFGHJKLMNPRSTW") if chance.random() < 0.4 else "",
        sex=sex,
        born=practice.FIRST_DAY - timedelta(chance.randint(least_age * 366, most_age * 365)),
        street=f"{chance.randrange(101, 9900)} {street}",
        suite=f"APT {chance.randrange(1, 340)}" if chance.random() < 0.17 else "",
        town=town,
        state=state,
        zip=f"{beginning}{chance.randrange(1, 99):02}{last_four}",
    )


_LETTERS = "ACDEFGHJKMNPQRTUVWXY"


def _member(chance: Random, payer: Payer) -> str:
    if payer.form != "B":
        return _filled(chance, payer.form)
    form = f"A{chance.choice('A9')}9A{chance.choice('A9')}9AA99"
    return f"{chance.randrange(1, 10)}{_filled(chance, form)}"


def _filled(chance: Random, form: str) -> str:
    """`A` and `9` made letters and digits; all else as it is."""
    return "".join(
        chance.choice(_LETTERS) if sign == "A" else str(chance.randrange(10)) if sign == "9" else sign
        for sign in form
    )


# -- cases -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Case:
    """A patient's case, of which claims are written: who is treated by whom for what, and who pays.

    plan        codes of the plan of care, none for whoever is no patient of a therapist
    threshold   whether the year's threshold is passed: KX
    behind      a payer behind the first one, and the member id there
    """

    site: int
    staff: Staff
    payer: Payer
    member: str
    group: str
    subscriber: Person
    patient: Person | None
    relation: str
    treating: Clinician
    diagnoses: list[str]
    plan: list[str]
    referring: Clinician
    record: str
    threshold: bool
    begun: date
    behind: tuple[Payer, str] | None

    def bill(self, account: str) -> Bill:
        site = practice.SITES[self.site]
        return Bill(
            account,
            site,
            self.payer,
            self.member,
            self.subscriber,
            self.patient,
            self.relation,
            self.group,
            self.treating,
            site.place,
            list(self.diagnoses),
        )


_ALL_PAYERS = [payer for payer in practice.PAYERS for _ in range(payer.share)]
_OF_CHILDREN = [payer for payer in _ALL_PAYERS if payer.kind not in ("MB", "16", "AM", "WC")]
_FAMILY_PLANS = ("BL", "CI", "HM", "12", "13", "14", "15", "CH")
_FOR_THE_OLD = ("MB", "16")


def take_case(chance: Random, house: House, claim: int, site: int, ordinary: float) -> Case:
    """A new patient of a site; of `ordinary` (0..1) of them it is no therapist who treats."""
    staff = house.staff(claim, site)
    treating = chance.choice(staff.doctors if chance.random() < ordinary else staff.therapists)
    kind = treating.kind
    payer = chance.choice(_OF_CHILDREN if kind is practice.SPEECH and chance.random() < 0.5 else _ALL_PAYERS)
    subscriber = _person(chance, *((65, 93) if payer.kind in _FOR_THE_OLD else (19, 64)))
    patient, relation = None, "18"
    if payer.kind in _FAMILY_PLANS and chance.random() < 0.36:
        patient, relation = _dependent(chance, subscriber)
    diagnoses = _diagnoses(chance, chance.choice(kind.treats) if kind else practice.MEDICINE, payer)
    plan: list[str] = []
    if kind is not None:
        plan = [code for code, often in kind.does.items() if chance.randrange(100) < often]
        plan = plan or [next(iter(kind.does))]
    return Case(
        site=site,
        staff=staff,
        payer=payer,
        member=_member(chance, payer),
        group=_group(chance, payer),
        subscriber=subscriber,
        patient=patient,
        relation=relation,
        treating=treating,
        diagnoses=diagnoses,
        plan=plan,
        referring=chance.choice(house.sending),
        record=f"{site}{chance.randrange(10**6):06}",
        threshold=payer.kind in _FOR_THE_OLD and chance.random() < 0.18,
        begun=chance.choice(WORKING_DAYS),
        behind=_behind(chance, payer),
    )


def _dependent(chance: Random, subscriber: Person) -> tuple[Person, str]:
    relation = chance.choice(("01", "19", "19", "19", "53", "G8"))
    patient = _person(chance, *((2, 18) if relation == "19" else (19, 64)))
    if relation != "G8":
        patient.last = subscriber.last
    if chance.random() < 0.8:
        patient.street, patient.suite = subscriber.street, subscriber.suite
        patient.town, patient.state, patient.zip = subscriber.town, subscriber.state, subscriber.zip
    return patient, relation


def _group(chance: Random, payer: Payer) -> str:
    """SBR03 and SBR04."""
    if not payer.groups:
        return "*"
    if chance.random() < 0.3:
        return f"*{chance.choice(practice.EMPLOYERS)}"
    return f"{chance.randrange(10**5, 10**6)}{chance.choice(('', '', '-001', 'A'))}*"


def _behind(chance: Random, payer: Payer) -> tuple[Payer, str] | None:
    if payer.kind == "MB" and chance.random() < 0.3:
        second = chance.choice(practice.SUPPLEMENTS)
    elif payer.kind in ("BL", "CI", "HM") and chance.random() < 0.12:
        second = chance.choice([each for each in practice.PAYERS if each.kind in ("BL", "CI", "12")])
    else:
        return None
    return None if second is payer else (second, _member(chance, second))


def _diagnoses(chance: Random, among: tuple[str, ...], payer: Payer) -> list[str]:
    """One to twelve, half of them of the case and half of the patient's other illnesses."""
    count = min(MOST_DIAGNOSES, 1 + int(chance.expovariate(0.42)))
    own = chance.sample(among, (count + 1) // 2)
    found = [*own, *(code for code in chance.sample(practice.MEDICINE, 12) if code not in own)][:count]
    # Body mass index is no reason for a visit, and goes with an adult.
    found = [code for code in found if not code.startswith("Z68") or payer.kind in _FOR_THE_OLD]
    if not found or found[0].startswith("Z68"):
        found = ["R531", *_without(found, "R531")]
    if found[0][0] == "S" and chance.random() < 0.3:
        found.append(chance.choice(practice.CAUSES))
    return found[:MOST_DIAGNOSES]


def _without(codes: list[str], *beginnings: str) -> list[str]:
    return [code for code in codes if not code.startswith(beginnings)]


# -- claims ------------------------------------------------------------------------------------------------


@cache
def fee(code: str, payer: Payer, site: Site) -> int:
    """Cents for a unit: the practice's list, as it was agreed with a payer, at a site."""
    cents = practice.LIST[code] * payer.factor * site.factor // 1_000_000
    return max(cents - cents % payer.rounding, payer.rounding)


def workday(day: date) -> date:
    """The day, or the Monday behind it."""
    return day + timedelta((7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def write_bill(chance: Random, house: House, case: Case, first: date, account: str) -> Bill:
    """A claim of a case with services from a day on."""
    bill = case.bill(account if case.plan else f"M{account}")
    if case.plan:
        _treat(chance, case, bill, first)
    elif case.treating.taxonomy.startswith("111N"):
        _adjust(chance, case, bill, first)
    else:
        way = chance.choices(list(_WAYS), list(_WAYS.values()))[0]
        way(chance, case, bill, first)
    bill.diagnoses = list(dict.fromkeys(bill.diagnoses))[:MOST_DIAGNOSES]
    _point(chance, bill)
    _tell_story(chance, case, bill)
    _number(chance, case, bill)
    _name_others(chance, house, case, bill)
    _describe_lines(chance, case, bill)
    if case.behind is not None:
        _coordinate(chance, case.behind, bill)
    return bill


def _treat(chance: Random, case: Case, bill: Bill, first: date) -> None:
    """Visits to a therapist: what was done, with the modifiers in the site's order."""
    kind = case.treating.kind
    assert kind is not None
    count = chance.choices((1, 2, 3, 4, 5, 6), (27, 27, 21, 12, 8, 5))[0]
    days = [first]
    while len(days) < count and days[-1] < practice.LAST_DAY:
        days.append(workday(days[-1] + timedelta(chance.choice((1, 2, 2, 2, 3, 5, 7)))))
    remote = kind is practice.SPEECH and chance.random() < 0.06
    bill.place = "10" if remote else bill.place
    for_all = ["95"] if remote else []
    for_all += ["96"] if case.relation == "19" and chance.random() < 0.1 else []
    for day in days:
        opens = day == first and chance.random() < 0.17
        again = not opens and chance.random() < 0.03
        helped = bool(kind.assistant) and not opens and chance.random() < 0.16
        for code, separate in _visit(chance, case.plan, kind, opens=opens, again=again):
            signs = {"s": separate, "d": kind.modifier, "k": "KX" if case.threshold else ""}
            signs["a"] = kind.assistant if helped and code not in kind.evaluations else ""
            modifiers = [signs[each] for each in bill.site.order if signs[each]]
            modifiers += for_all[: 4 - len(modifiers)]
            units = min(practice.MOST.get(code, 1), chance.choices((1, 2, 3, 4), (52, 36, 9, 3))[0])
            if units > 1 and signs["a"] and chance.random() < 0.2:
                # The therapist gave a part of it.
                alone = [each for each in modifiers if each != kind.assistant]
                _do(bill, day, code, alone, units=1)
                units -= 1
            _do(bill, day, code, modifiers, units=units)
    del bill.work[MOST_LINES:]


def _visit(chance: Random, plan: list[str], kind: Kind, *, opens: bool, again: bool) -> list[tuple[str, str]]:
    """What is done on a day, and the modifier that tells each from what it would else be paid with."""
    codes = [chance.choice(kind.evaluations[:-1])] if opens else kind.evaluations[-1:] if again else ()
    most = chance.choices((1, 2, 3, 4, 5, 6), (6, 18, 32, 28, 12, 4))[0]
    done: list[tuple[str, str]] = []
    for code in (*codes, *chance.sample(plan, min(len(plan), most))):
        others = [one for one, _ in done]
        if code in others or any(_any_way((code, one), practice.NEVER) for one in others):
            continue
        paid_first = any(_pair(one, code) in practice.RELEASED for one in others)
        paid_later = [at for at, one in enumerate(others) if _pair(code, one) in practice.RELEASED]
        asked = any((code, one) in practice.TOLD_APART for one in others)
        asking = [at for at, one in enumerate(others) if (one, code) in practice.TOLD_APART]
        if (paid_first or paid_later) and chance.random() < 0.6:
            continue
        if (asked or asking) and chance.random() < 0.2:
            continue
        sign = chance.choices(("59", "XU", "XE"), (80, 12, 8))[0]
        for at in (*paid_later, *asking):
            done[at] = done[at][0], done[at][1] or sign
        done.append((code, sign if paid_first or asked else ""))
        added = practice.ADDED.get(code)
        if added and chance.randrange(100) < added[1]:
            done.append((added[0], ""))
    return done


def _pair(first: str, second: str) -> tuple[str, str]:
    """As the edits have it: they know electrical stimulation by Medicare's code."""
    return "G0283" if first == "97014" else first, "G0283" if second == "97014" else second


def _any_way(pair: tuple[str, str], pairs: frozenset[tuple[str, str]]) -> bool:
    return _pair(*pair) in pairs or _pair(*pair[::-1]) in pairs


def _do(
    bill: Bill, day: date, code: str, modifiers: list[str], *, units: int = 1, drug: Drug | None = None
) -> Work:
    if code == "97014" and bill.payer.kind in ("MB", "16", "MC"):
        code = "G0283"
    cents = fee(code, bill.payer, bill.site) * units
    work = Work(code, modifiers, cents, units, day, drug=drug)
    bill.work.append(work)
    return work


# -- claims of other work ----------------------------------------------------------------------------------


def _see(chance: Random, _case: Case, bill: Bill, day: date) -> None:
    codes = ("99202", "99203", "99204", "99212", "99213", "99214", "99215")
    remote = chance.random() < 0.12
    bill.place = "10" if remote else bill.place
    _do(bill, day, chance.choices(codes, (5, 9, 5, 10, 42, 25, 4))[0], ["95"] if remote else [])


def _inject(chance: Random, case: Case, bill: Bill, day: date) -> None:
    side = chance.choice(("RT", "LT"))
    joint = f"M1{chance.choice(('71', '61'))}{'1' if side == 'RT' else '2'}"
    bill.diagnoses = [joint, *_without(bill.diagnoses, "M16", "M17")]
    _do(bill, day, chance.choice(("99213", "99214")), ["25"])
    drug = chance.choice(practice.DRUGS)
    if drug.code == "J1885":
        _do(bill, day, "96372", [])
    else:
        _do(bill, day, chance.choice(("20610", "20611")), [side])
    whole = ["JZ"] if case.payer.kind in _FOR_THE_OLD else []
    _do(bill, day, drug.code, whole, units=chance.choice(drug.units), drug=drug)


_TESTS = ("80053", "80048", "80061", "85025", "85652", "86140", "83036", "84443", "84550", "82306", "81001")
_IMAGES = ("72040", "72100", "73030", "73110", "73130", "73502", "73562", "73610", "71046")


def _test(chance: Random, case: Case, bill: Bill, day: date) -> None:
    for code in chance.sample(_TESTS, chance.randint(1, 5)):
        _do(bill, day, code, [])
    if chance.random() < 0.6:
        _do(bill, day, "36415", [])
    number = f"REF*X4*03D{chance.randrange(10**7):07}"
    if chance.random() < 0.75:
        bill.references.append(number)
    else:
        for work in bill.work:
            work.references.append(number)
    bill.referring = [case.referring.named("DN")]


def _image(chance: Random, case: Case, bill: Bill, day: date) -> None:
    if chance.random() < 0.5:
        _do(bill, day, "99213", [])
    code, side = chance.choice(_IMAGES), chance.choice(("RT", "LT"))
    sided = code.startswith("73")
    _do(bill, day, code, [side] if sided else [])
    if sided and chance.random() < 0.2:
        _do(bill, day, code, ["LT" if side == "RT" else "RT"])
    bill.diagnoses.insert(0, chance.choice(practice.ACHES))
    bill.referring = [case.referring.named("DN")]


_EQUIPMENT = (
    ("L1851", "KX", True, 1),
    ("L3908", "", True, 1),
    ("L1902", "", True, 1),
    ("L4361", "KX", True, 1),
    ("L0650", "", False, 1),
    ("E0730", "NU", False, 1),
    ("E0143", "NU", False, 1),
    ("A4556", "", False, 2),
)


def _equip(chance: Random, case: Case, bill: Bill, day: date) -> None:
    code, sign, sided, units = chance.choice(_EQUIPMENT)
    modifiers = [chance.choice(("RT", "LT"))] if sided else []
    modifiers += [sign] if sign else []
    _do(bill, day, code, modifiers, units=units).ordered_by = case.referring
    bill.place = "12"
    reason = "G5601" if code == "L3908" else chance.choice(("M1711", "S93401A", "R2681", "M6281", "M5416"))
    bill.diagnoses.insert(0, reason)


def _study_nerves(chance: Random, case: Case, bill: Bill, day: date) -> None:
    _do(bill, day, chance.choice(("95909", "95910")), [])
    _do(bill, day, "95886", [], units=chance.randint(1, 2))
    bill.referring = [case.referring.named("DN")]


def _talk(chance: Random, _case: Case, bill: Bill, day: date) -> None:
    reason = chance.choice(("F411", "F329", "F330", "F4323", "F4310"))
    bill.diagnoses = [reason, *_without(bill.diagnoses, "F")]
    _do(bill, day, chance.choice(("90834", "90837", "90834", "90791")), [])


def _advise(chance: Random, _case: Case, bill: Bill, day: date) -> None:
    bill.diagnoses = ["E1165", *_without(bill.diagnoses, "E11")]
    _do(bill, day, chance.choice(("97802", "97803")), [], units=chance.randint(1, 4))


def _needle(chance: Random, _case: Case, bill: Bill, day: date) -> None:
    bill.diagnoses.insert(0, chance.choice(("M5450", "M542", "G8929")))
    _do(bill, day, "97810", [])
    if chance.random() < 0.8:
        _do(bill, day, "97811", [], units=chance.randint(1, 2))


def _adjust(chance: Random, case: Case, bill: Bill, first: date) -> None:
    """A chiropractor's visits."""
    bill.diagnoses = [*chance.sample(("M9901", "M9902", "M9903", "M9904"), 2), *bill.diagnoses]
    days = [min(first + timedelta(3 * number), practice.LAST_DAY) for number in range(chance.randint(1, 3))]
    for day in dict.fromkeys(workday(day) for day in days):
        _do(bill, day, chance.choice(("98940", "98941")), ["AT"])
    begun = first - timedelta(chance.randrange(40))
    bill.dates += [("454", begun), ("453", begun)]
    if case.payer.kind != "MB" and chance.random() < 0.6:
        bill.condition = f"CR2********{chance.choice('ACM')}"


# Of 100 claims of other work.
_WAYS = {
    _see: 34,
    _inject: 14,
    _test: 12,
    _image: 12,
    _equip: 10,
    _talk: 6,
    _study_nerves: 4,
    _advise: 4,
    _needle: 4,
}

# -- what stands around the lines --------------------------------------------------------------------------


def _point(chance: Random, bill: Bill) -> None:
    """Say which diagnoses each line is for; what caused them is none."""
    count = sum(code not in practice.CAUSES for code in bill.diagnoses)
    most = chance.choices((1, 2, 3, 4), (34, 33, 17, 16))[0]
    usual = sorted(chance.sample(range(1, count + 1), min(count, most)))
    for work in bill.work:
        work.pointers = usual
        if chance.random() < 0.22:
            work.pointers = chance.sample(range(1, count + 1), chance.randint(1, min(count, 4)))


def _tell_story(chance: Random, case: Case, bill: Bill) -> None:
    """When it began, an accident, and what else is said of the claim as a whole."""
    first = bill.work[0].day
    if case.plan:
        begun = min(case.begun, first)
        if chance.random() < 0.62:
            bill.dates.append(("431", begun - timedelta(chance.randrange(3, 90))))
        if chance.random() < 0.31:
            bill.dates.append(("454", begun))
        if chance.random() < 0.22:
            bill.dates.append(("304", first - timedelta(chance.randrange(1, 60))))
    if case.payer.kind in ("AM", "WC"):
        bill.dates.append(("439", first - timedelta(chance.randrange(4, 90))))
        bill.causes = f"AA:::{case.subscriber.state}" if case.payer.kind == "AM" else "EM"
        # The insurer's number is the accident's, and every claim of the case gives it.
        bill.accident = f"{case.payer.kind}-26-{case.record}"
    if chance.random() < 0.13:
        bill.note = f"{chance.choice(practice.REMARKS)} {chance.randrange(1, 60)}"
    if chance.random() < 0.012:
        how = f"{chance.choice(('OZ', 'M1', 'NN'))}*{chance.choice(('EL', 'FX', 'BM'))}"
        bill.paper = f"PWK*{how}***AC*DOC{chance.randrange(10**7):07}"
    if chance.random() < 0.07:
        bill.patient_paid = min(bill.charge, chance.choice((1500, 2000, 2500, 3500, 4000, 1288)))
    bill.signature = "P" if bill.site.order != "dask" else ""


def _number(chance: Random, case: Case, bill: Bill) -> None:
    """The numbers of the claim: of one that it replaces, authorization, clearing house, record."""
    # Medicare Part B takes originals alone.
    if chance.random() < 0.012 and case.payer.kind != "MB":
        bill.frequency = chance.choice("778")
        bill.references.append(f"REF*F8*{chance.randrange(10**12):012}")
    if case.payer.kind not in ("MB", "WC") and chance.random() < 0.42:
        form = chance.choice(("A999999999", "9999999", "26999999A"))
        bill.references.append(f"REF*G1*{_filled(chance, form)}")
    if case.payer.kind == "HM" and chance.random() < 0.5:
        bill.references.append(f"REF*9F*R{chance.randrange(10**6):06}")
    bill.references.append(f"REF*D9*{chance.randrange(10**16):016}")
    if chance.random() < 0.83:
        bill.references.append(f"REF*EA*{case.record}")


def _name_others(chance: Random, house: House, case: Case, bill: Bill) -> None:
    """Who sent the patient, who supervised, and where it was."""
    site = bill.site
    certified = bool(case.plan) and case.payer.kind == "MB"
    if not bill.referring and (certified or chance.random() < 0.64):
        bill.referring = [case.referring.named("DN")]
        if chance.random() < 0.05:
            bill.referring.append(f"REF*G2*{chance.randrange(10**6):06}")
    if chance.random() < 0.02:
        bill.supervising = chance.choice([each for each in case.staff.doctors if each is not case.treating])
    npi = house.place_npis[case.site]
    if site.apart and bill.place == site.place:
        name, street, town, state, code = site.apart
        where = [f"N3*{street}", f"N4*{town}*{state}*{code}"]
    elif chance.random() < 0.16 and bill.place == "11":
        name = f"{site.name.partition(' ')[0]} SATELLITE CLINIC"
        street = f"{chance.randrange(2, 60) * 100} {site.street.partition(' ')[2]}"
        code = f"{site.zip[:5]}{chance.randrange(1000, 9999)}"
        where = [f"N3*{street}", f"N4*{site.city}*{site.state}*{code}"]
    else:
        return
    bill.facility = [joined("NM1", "77", "2", name, "", "", "", "", "XX", npi), *where]


def _describe_lines(chance: Random, case: Case, bill: Bill) -> None:
    """Numbers and notes of lines, and now and then a colleague on the last day."""
    timed = bool(case.plan) and chance.random() < 0.02
    ranged, placed = chance.random() < 0.06, chance.random() < 0.05
    colleagues: list[Clinician] = []
    if case.plan and chance.random() < 0.05:
        of_kind = [each for each in case.staff.therapists if each.kind is case.treating.kind]
        colleagues = [chance.choice([each for each in of_kind if each is not case.treating])]
    last = bill.last_day
    for number, work in enumerate(bill.work, 1):
        work.references.insert(0, f"REF*6R*{bill.number}{number:02}")
        work.ranged = ranged
        work.place = bill.place if placed else ""
        work.treated_by = colleagues[0] if colleagues and work.day == last else None
        if timed and work.code in practice.TIMED:
            work.note = f"MINUTES {work.units * 15}"
        elif chance.random() < 0.02:
            work.note = chance.choice(practice.LINE_REMARKS)


# -- another payer -----------------------------------------------------------------------------------------


def _coordinate(chance: Random, behind: tuple[Payer, str], bill: Bill) -> None:
    """Either the first payer has decided and this is the claim to the next, or that one stands behind."""
    second, member = behind
    relation, person = bill.relation, bill.subscriber
    if chance.random() < 0.14 or bill.patient_paid or bill.frequency != "1":
        bill.other = OtherPayer(second, "S", relation, member, person, [], None, by_line=False)
        return
    decisions = [_decide(chance, work.cents) for work in bill.work]
    decided = bill.last_day + timedelta(chance.randrange(3, 6))
    by_line = chance.random() < 0.85
    bill.other = OtherPayer(
        bill.payer, "P", relation, bill.member, person, decisions, decided, by_line=by_line
    )
    bill.payer, bill.member, bill.order, bill.group = second, member, "S", _group(chance, second)


def _decide(chance: Random, cents: int) -> Decision:
    allowed = cents * chance.randrange(41, 88) // 100
    adjusted = [Adjustment("CO", "45", cents - allowed)]
    how = chance.random()
    if how < 0.14:  # all of it is the patient's deductible
        return Decision(0, [*adjusted, Adjustment("PR", "1", allowed)])
    share = allowed * 20 // 100 if how < 0.8 else min(allowed, chance.choice((1000, 1500, 2500)))
    adjusted.append(Adjustment("PR", "2" if how < 0.8 else "3", share))
    held = (allowed - share) * 2 // 100 if how > 0.4 else 0
    adjusted.append(Adjustment("CO", "253", held))
    return Decision(allowed - share - held, [each for each in adjusted if each.cents])
