"""Small code lists with the days in which each value holds: places of service, modifiers, states and others.

The lists are facts that anybody may state; where they came from stands beside each. A value that a list
lacks is not wrong for that alone: the rules say for which lists it is, and a list says with `until` how far
it reaches.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache, lru_cache
from importlib import resources
from typing import Literal, NamedTuple

from edi_checker.x12.dates import NO_END

Problem = Literal["shape", "unknown", "not-in-force", "uncovered"]


class DatedList(NamedTuple):
    """Codes with first and last day (CCYYMMDD). What begins after `until` the list does not know."""

    name: str
    release: str
    until: int
    periods: dict[str, tuple[int, int]]

    def judge(self, code: str, on: int) -> Problem | None:
        """Why a code does not hold on a day, None where it does."""
        period = self.periods.get(code)
        if period is None:
            return "uncovered" if on > self.until else "unknown"
        return None if period[0] <= on <= period[1] else "not-in-force"


@cache
def places_of_service() -> DatedList:
    """CMS, Place of Service Codes for Professional Claims (code source 237).

    Begin and end where CMS names them and a claim of today can still meet them; what is older than 2016 has
    none.
    """
    return DatedList("place_of_service", "2024-08", 20260930, _read("codesets/place_of_service.csv"))


@cache
def modifiers() -> DatedList:
    """CPT level I modifiers of professional services and HCPCS level II modifiers, codes alone.

    Dates only where they are beyond doubt. Payers have modifiers of their own, too: what is not here may be
    one.
    """
    return DatedList("modifiers", "2025", 20251231, _read("codesets/modifiers.csv"))


@cache
def therapy_procedures() -> DatedList:
    """Codes of therapists that have begun or ended (CMS, annual therapy code updates), and no others.

    Codes of today have their first day in the therapy code list. Where the first day of an ended code is not
    certain it has none.
    """
    begun = {code: days for code, days in _read("therapy_codes.csv").items() if days[0]}
    periods = begun | _read("codesets/therapy_lifespans.csv")
    return DatedList("therapy_procedures", "2026", NO_END, periods)


def _read(name: str) -> dict[str, tuple[int, int]]:
    """Code, first and last day: the first three columns of a table of ours."""
    text = (resources.files("edi_checker.reference") / "data" / name).read_text("ascii")
    rows = [row.split(",", 3)[:3] for row in text.splitlines()[1:]]
    return {code: (int(first or 0), int(last or NO_END)) for code, first, last in rows}


# -- modifiers ---------------------------------------------------------------------------------------------

# Origin and destination of an ambulance's way, a letter each (Medicare Claims Processing Manual, ch. 15,
# section 30).
# X is a stop on the way, and no origin.
_ORIGINS = frozenset("DEGHIJNPRS")
_DESTINATIONS = _ORIGINS | {"X"}


@lru_cache(maxsize=16384)
def judge_modifier(code: str, on: int) -> Problem | None:
    """Why a modifier does not hold on a day, None where it does."""
    if not (len(code) == 2 and code.isascii() and code.isalnum()):
        return "shape"
    if code[0] in _ORIGINS and code[1] in _DESTINATIONS:
        return None
    problem = modifiers().judge(code, on)
    return "uncovered" if problem == "unknown" else problem


@lru_cache(maxsize=16384)
def turn_of(on: int) -> int:
    """The first of the days around this one on which these lists say the very same."""
    turns = _turns()
    return turns[bisect_right(turns, on) - 1]


@cache
def _turns() -> list[int]:
    turns = {0}
    for known in (places_of_service(), modifiers(), therapy_procedures()):
        turns.add(known.until + 1)
        for first, last in known.periods.values():
            turns.update((first, last + 1))
    return sorted(turns)


# -- procedures --------------------------------------------------------------------------------------------

# CPT: five digits, or four and a letter; HCPCS level II and states' own codes: a letter and four digits.
_PROCEDURE = re.compile(r"[0-9]{5}|[0-9]{4}[A-Z]|[A-Z][0-9]{4}")
LEVEL_1 = re.compile(r"[0-9]{4}[0-9A-Z]")
# Letters under which CMS publishes level II codes. D is the dentists' own; W to Z were the states'.
_LEVEL_2 = re.compile(r"[A-CE-V][0-9]{4}")


def is_procedure(code: str) -> bool:
    """Whether a text has the shape of a CPT or HCPCS code."""
    return _PROCEDURE.fullmatch(code) is not None


def is_level_1(code: str) -> bool:
    """Whether a text has the shape of a CPT code."""
    return LEVEL_1.fullmatch(code) is not None


def is_level_2(code: str) -> bool:
    """Whether a text has the shape of a code that CMS's HCPCS file lists."""
    return _LEVEL_2.fullmatch(code) is not None


# -- provider taxonomy -------------------------------------------------------------------------------------

# All end with X; those of the first edition, which old claims and samples still have, with another letter.
TAXONOMY = re.compile(r"[0-9]{3}[0-9A-Z]{6}[A-Z]")
# The groupings of the NUCC Health Care Provider Taxonomy (code source 682), by their first two digits.
_TAXONOMY_GROUPS = frozenset(
    "10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 36 37 38 39 40".split()  # noqa: SIM905
)


@lru_cache(maxsize=4096)
def judge_taxonomy(code: str) -> Problem | None:
    """Why a text is no taxonomy code, by its shape and grouping; None where it may be one."""
    if not TAXONOMY.fullmatch(code):
        return "shape"
    return None if code[:2] in _TAXONOMY_GROUPS else "unknown"


# -- addresses ---------------------------------------------------------------------------------------------

# USPS abbreviations (code source 22): states, the district, territories, associated states, armed forces.
US_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT "  # noqa: SIM905
    "NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP "
    "PR VI UM FM MH PW AA AE AP".split()
)
# Canada Post's, with the names that Newfoundland and Quebec had before.
CANADIAN_PROVINCES = frozenset("AB BC MB NB NL NF NS NT NU ON PE QC PQ SK YT".split())  # noqa: SIM905
MEXICAN_STATES = frozenset(
    "AG BC BS CH CI CL CM CO CS CX DF DG EM GJ GR HG JA MH MI MO MX NA NL OA PB PU QA "  # noqa: SIM905
    "QE QR QT SI SL SO TA TB TL TM VE VL YC YU ZA ZT".split()
)

# ISO 3166-1 alpha-2 (code source 5), with codes that were withdrawn and may stand in old addresses.
COUNTRIES = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM "  # noqa: SIM905
    "BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX "
    "CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG "
    "GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV "
    "LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE "
    "NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO "
    "RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF "
    "WS XK YE YT ZA ZM ZW AN CS TP YU ZR".split()
)

# ISO 4217, with the money that countries had before the euro or an exchange of their own.
CURRENCIES = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL "  # noqa: SIM905
    "BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD "
    "EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS "
    "INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
    "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK "
    "SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ATS "
    "BEF CSK CYP DDM DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MRO MTL MXP NLG "
    "PTE SIT SKK STD VEF ZMK ZWL".split()
)

_ZIP = re.compile(r"(?!00000)[0-9]{5}(?:[0-9]{4})?")
_CANADIAN_POSTAL_CODE = re.compile(r"[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]")


@lru_cache(maxsize=16384)
def judge_address(state: str, postal_code: str, country: str) -> tuple[tuple[str, str], ...]:
    """What does not fit in N402, N403 and N404 of an address: (element, problem), none where all do.

    problem  unknown, shape, country-missing; zip-5: a ZIP code of five digits, which some addresses may
             have; plus-4: one that ends with four zeros, which none does. Without a country an address is
             one of the United States.
    """
    found: list[tuple[str, str]] = []
    if country and country not in COUNTRIES:
        found.append(("N404", "unknown"))
    elif country in ("", "US"):
        if state and state not in US_STATES:
            # A Canadian or Mexican address whose country was left out needs its country, not another state.
            abroad = state in CANADIAN_PROVINCES or state in MEXICAN_STATES
            found.append(("N402", "country-missing" if abroad else "unknown"))
            if abroad:
                return tuple(found)
        if postal_code and not _ZIP.fullmatch(postal_code):
            found.append(("N403", "shape"))
        elif len(postal_code) == 5:
            found.append(("N403", "zip-5"))
        elif len(postal_code) == 9 and postal_code.endswith("0000"):
            found.append(("N403", "plus-4"))
    elif country == "CA":
        if state and state not in CANADIAN_PROVINCES:
            found.append(("N402", "unknown"))
        if postal_code and not _CANADIAN_POSTAL_CODE.fullmatch(postal_code):
            found.append(("N403", "shape"))
    return tuple(found)


def find_missing(state: str, postal_code: str, country: str) -> tuple[tuple[str, str], ...]:
    """What an address in the United States or Canada lacks: (N402 or N403, missing), none where it is whole.

    country-missing  neither state nor postal code nor country: it may be abroad
    """
    if country not in ("", "US", "CA"):
        return ()
    if not state and not postal_code:
        return (("N402", "country-missing" if not country else "missing"),)
    if not state:
        # Without a country a postal code of another shape may be one of another country.
        at_home = country != "" or _ZIP.fullmatch(postal_code) is not None
        return (("N402", "missing"),) if at_home else ()
    if not postal_code and (country or state in US_STATES):
        return (("N403", "missing"),)
    return ()


# -- adjustments of other payers ---------------------------------------------------------------------------

# Shapes alone: both lists change three times a year (code sources 139 and 411).
_ADJUSTMENT_REASON = re.compile(r"[1-9][0-9]{0,2}|[ABDPWY][0-9]{1,2}")
_REMARK = re.compile(r"M[0-9]{1,3}|MA[0-9]{1,3}|N[0-9]{1,4}")


def is_adjustment_reason(code: str) -> bool:
    """Whether a text has the shape of a claim adjustment reason code (CARC)."""
    return _ADJUSTMENT_REASON.fullmatch(code) is not None


def is_remark(code: str) -> bool:
    """Whether a text has the shape of a remittance advice remark code (RARC)."""
    return _REMARK.fullmatch(code) is not None
