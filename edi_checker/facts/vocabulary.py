"""The closed vocabulary in which every rule is written: fact types and their fields."""

from __future__ import annotations

from edi_checker.claims.claim import DIAGNOSIS_LISTS
from edi_checker.facts.fact import FactType, Field
from edi_checker.facts.triggers import SITUATIONS
from edi_checker.x12.fault_codes import ANSWERS

_LEVELS = ("interchange", "group", "transaction", "provider", "subscriber", "patient", "claim")
_DISCIPLINES = ("GP", "GO", "GN")

FAULT = FactType(
    about="something in the file that could not be placed in the guide or the envelope",
    fields={
        "kind": Field("text", "computed", "what happened", values=tuple(ANSWERS)),
        "level": Field(
            "text",
            "computed",
            "interchange, group, transaction, provider, subscriber, patient or claim",
            values=_LEVELS,
        ),
        "date": Field("date", "computed", "date of receipt"),
        "profile": Field("text", "SBR09", "profile of the claim, or of the run outside of claims"),
        "loop": Field("text", "computed", "loop as the guide names it, 2010AA"),
        "segment": Field("text", "segment id", "segment id"),
        "position": Field("int", "computed", "segment count in ST..SE, ST = 1; 0 in the envelope"),
        "element": Field(
            "text", "computed", "element as the guide names it, SV101-3; absent for a whole segment"
        ),
        "name": Field("text", "computed", "short name of the loop, segment or element"),
        "expected": Field("text", "computed", "what the guide requires"),
        "found": Field("text", "computed", "the value there, only if it cannot be PHI"),
        "answers": Field(
            "codes", "computed", "codes for the acknowledgement: IK304=3, IK403=7, IK502=4, AK905=5, TA1=021"
        ),
        "status": Field("codes", "computed", "codes for the 277CA, A7:562:85; none if no 277CA reports it"),
    },
    stands_on=("trigger",),
    knows_its_place=True,
)


# Every type has these two.
_DATE = Field("date", "DTP03 472", "first day of service")
_RECEIVED = Field("date", "computed", "date of receipt")
_PAYER = Field("text", "NM109 PR", "id of the payer to which the claim goes (2010BB)")
_PROFILE = Field("text", "SBR09", "profile of the claim, or of the run outside of claims")
_BORROWED = Field(
    "bool", "computed", "whether a Medicaid program is held to Medicare's table, for want of its own"
)

FILE = FactType(
    about="an interchange",
    fields={
        "date": _RECEIVED,
        "profile": _PROFILE,
        "usage": Field("text", "ISA15", "P production, T test"),
        "version": Field("text", "ISA12", "version of the interchange"),
        "created": Field("date", "ISA09", "date of creation"),
    },
)

TRANSACTION = FactType(
    about="a transaction set",
    fields={
        "date": _RECEIVED,
        "profile": _PROFILE,
        "version": Field("text", "GS08", "implementation guide"),
        "purpose": Field("text", "BHT02", "00 original, 18 reissue"),
        "type": Field("text", "BHT06", "CH chargeable, RP reporting, 31 subrogation"),
        "created": Field("date", "BHT04", "date of creation"),
    },
)

CLAIM = FactType(
    about="a claim whose lines can be trusted",
    fields={
        "date": _DATE,
        "last_date": Field("date", "DTP03 472", "last day of service of all lines"),
        "received": _RECEIVED,
        "profile": _PROFILE,
        "charge": Field("money", "CLM02", "total charge"),
        "line_charges": Field("money", "SV102", "sum of the lines' charges; absent where one cannot be read"),
        "charge_difference": Field("money", "computed", "charge less line_charges"),
        "lines": Field("int", "computed", "number of service lines"),
        "place_of_service": Field("text", "CLM05-1", "place of service"),
        "frequency": Field("text", "CLM05-3", "1 original, 7 replacement, 8 void"),
        "assignment": Field("text", "CLM07", "whether the provider accepts assignment"),
        "related_causes": Field("codes", "CLM11", "AA automobile, EM employment, OA other accident"),
        "accident_state": Field("text", "CLM11-4", "state of an automobile accident"),
        "delay_reason": Field("text", "CLM20", "why the claim is late"),
        "filing_indicator": Field("text", "SBR09", "kind of payer"),
        "payer": _PAYER,
        "payer_responsibility": Field("text", "SBR01", "P primary, S secondary, ..."),
        "patient_level": Field("bool", "HL03", "whether the patient has a level of his or her own (2000C)"),
        "diagnoses": Field("codes", "HI", "ICD diagnoses in order, without the dot"),
        "diagnosis_qualifiers": Field("codes", "HI", "ABK, ABF, BK or BF of each diagnosis"),
        "providers": Field(
            "codes", "NM101", "roles of the claim's own providers (2310): DN, P3, 82, 77, ..."
        ),
        "references": Field("codes", "REF01", "qualifiers of the claim's own references (2300)"),
        "dates": Field("codes", "DTP01", "qualifiers of the claim's own dates (2300)"),
        "notes": Field("codes", "NTE01", "kinds of the claim's own notes (2300)"),
        "other_payers": Field("int", "computed", "number of other payers (2320)"),
        "modifiers": Field("codes", "SV101-3", "modifiers of all lines, each once"),
        "uncertified_lines": Field(
            "int", "computed", "always-therapy lines without a referring provider (DN) in 2310A or 2420F"
        ),
        "uncertified_excluded": Field("bool", "computed", "whether each of these lines has GY"),
        "a_year_later": Field("date", "computed", "one calendar year after the first day of service"),
        "born_after_service": Field(
            "bool", "DMG02", "whether the patient's birth date is after the first day"
        ),
        "born_long_before": Field(
            "bool", "DMG02", "whether the patient would be over 120 years old on the first day"
        ),
        "number_came_before": Field(
            "bool", "CLM01", "whether an earlier claim of the transaction set has the same number"
        ),
        "came_before": Field("bool", "computed", "whether the same claim came before in the input"),
        "sent_before": Field(
            "date", "computed", "day on which an earlier file with the same claim was received; absent else"
        ),
    },
    stands_on=("uncertified", "earlier", "same_number"),
)

PROVIDER = FactType(
    about="a provider named with an NPI (NM108 = XX): 2010AA, 2310, 2420",
    fields={
        "date": Field("date", "DTP03 472", "first day of service; date of receipt for the billing provider"),
        "profile": _PROFILE,
        "role": Field(
            "text", "NM101", "85 billing, 82 rendering, DN referring, 77 facility, DQ supervising, ..."
        ),
        "loop": Field("text", "computed", "loop as the guide names it, 2310B"),
        "entity_type": Field("text", "NM102", "1 person, 2 organisation"),
        "npi": Field("text", "NM109", "National Provider Identifier", phi=True),
        "npi_valid": Field("bool", "NM109", "ten digits with the right check digit"),
        "taxonomy": Field("text", "PRV03", "provider taxonomy"),
    },
)

DIAGNOSIS = FactType(
    about="a diagnosis of a claim",
    fields={
        "date": _DATE,
        "last_date": Field("date", "DTP03 472", "last day of service of all lines"),
        "profile": _PROFILE,
        "code": Field("text", "HI", "ICD code, without the dot"),
        "qualifier": Field("text", "HI", "ABK, ABF, BK or BF", values=tuple(DIAGNOSIS_LISTS)),
        "ordinal": Field("int", "computed", "number by which SV107 points to it"),
    },
)

CLAIM_DATE = FactType(
    about="a date of a claim or line other than the date of service",
    fields={
        "date": Field("date", "DTP03 472", "first day of service of the claim or line"),
        "received": _RECEIVED,
        "profile": _PROFILE,
        "level": Field("text", "computed", "claim or line", values=("claim", "line")),
        "qualifier": Field(
            "text", "DTP01", "431 onset, 439 accident, 435 admission, 454 first treatment, ..."
        ),
        "first": Field("date", "DTP03", "the day, or the first of a range"),
        "last": Field("date", "DTP03", "the day, or the last of a range"),
        "last_service": Field("date", "DTP03 472", "last day of service of the claim or line"),
        "admitted": Field("date", "DTP03 435", "day of admission of the claim"),
    },
)

LINE = FactType(
    about="a service line of a claim whose lines can be trusted",
    fields={
        "date": _DATE,
        "last_date": Field("date", "DTP03 472", "last day of service"),
        "days": Field("int", "computed", "number of days from first to last"),
        "received": _RECEIVED,
        "profile": _PROFILE,
        "payer": _PAYER,
        "ordinal": Field("int", "computed", "count of the line within its claim, from 1"),
        "code": Field("text", "SV101-2", "HCPCS code"),
        "modifiers": Field("codes", "SV101-3", "modifiers in order"),
        "repeated_modifiers": Field("codes", "SV101-3", "modifiers that are repeated"),
        "releasing_modifiers": Field("codes", "SV101-3", "modifiers that bypass a PTP edit with indicator 1"),
        "disciplines": Field(
            "codes", "SV101-3", "those of GP, GO, GN that the line names", values=_DISCIPLINES
        ),
        "described": Field("bool", "SV101-7", "whether the code has a description"),
        "supply": Field(
            "bool", "computed", "whether the code is of supplies, equipment or drugs, billed for days ahead"
        ),
        "visit": Field(
            "bool", "computed", "whether the code counts as evaluation and management, widely read"
        ),
        "surely_visit": Field(
            "bool", "computed", "whether the code is evaluation and management without doubt"
        ),
        "surely_no_visit": Field(
            "bool", "computed", "whether the code is without doubt not evaluation and management"
        ),
        "charge": Field("money", "SV102", "charge"),
        "unit": Field("text", "SV103", "UN units, MJ minutes"),
        "units": Field("quantity", "SV104", "units; absent where SV103 is not UN"),
        "place_of_service": Field("text", "SV105", "the line's own, else the claim's (CLM05-1)"),
        "diagnoses": Field("codes", "SV107", "diagnoses to which the line points"),
        "diagnosis_families": Field(
            "codes", "SV107", "those diagnoses and the categories above them: M17, M171, M1711"
        ),
        "pointers": Field("int", "SV107", "number of diagnosis pointers"),
        "emergency": Field("text", "SV109", "Y for an emergency"),
        "minutes": Field("int", "computed", "minutes of treatment, where known"),
        "assistant_minutes": Field(
            "int", "computed", "those of them that a therapist assistant gave, where known"
        ),
        "assistant_units": Field(
            "int",
            "computed",
            "units beyond those that the therapist's own minutes make, where an assistant gave over a tenth",
        ),
        "taxonomy": Field("text", "PRV03", "taxonomy of the rendering provider (2420A, 2310B or 2000A)"),
        "therapist": Field(
            "text", "computed", "GP, GO or GN where that taxonomy is a therapist's", values=_DISCIPLINES
        ),
        "providers": Field("codes", "NM101", "roles of the providers of the line and of its claim"),
        "references": Field("codes", "REF01", "qualifiers of the line's references"),
        "dates": Field("codes", "DTP01", "qualifiers of the line's dates"),
        "notes": Field("codes", "NTE01", "kinds of the line's notes"),
        "therapy": Field(
            "text",
            "computed",
            "always or sometimes a therapy service (CMS therapy code list)",
            values=("always", "sometimes"),
        ),
        "code_disciplines": Field(
            "codes", "computed", "of GP, GO, GN those under which the code can be given", values=_DISCIPLINES
        ),
        "timed": Field(
            "bool", "computed", "whether a unit of the code is a length of time, of a visit or a month"
        ),
        "eight_minute": Field(
            "bool", "computed", "timed one-on-one in units of 15 minutes: the 8-minute rule counts it"
        ),
        "minutes_per_unit": Field("int", "computed", "length of a unit, where it is one number"),
        "fee_status": Field(
            "text", "computed", "status of the code in the Medicare physician fee schedule (MPFS)"
        ),
        "pctc": Field("text", "computed", "MPFS professional and technical component indicator"),
        "multiple_procedure": Field("text", "computed", "MPFS multiple procedure indicator"),
        "global_days": Field("text", "computed", "MPFS global period: 000, 010, 090, XXX, ZZZ, ..."),
        "bilateral": Field("text", "computed", "MPFS bilateral surgery indicator"),
        "assistant_surgeon": Field("text", "computed", "MPFS assistant at surgery indicator"),
        "co_surgeon": Field("text", "computed", "MPFS co-surgeon indicator"),
        "team_surgeon": Field("text", "computed", "MPFS team surgery indicator"),
        "single_dose": Field(
            "bool", "computed", "whether the code is a drug in single-dose containers, where a list says so"
        ),
        "surely_no_drug": Field("bool", "computed", "whether the code is without doubt no drug"),
        "hands_on": Field(
            "bool",
            "computed",
            "whether the provider must be at the patient's side: modalities, manual therapy",
        ),
        "add_on": Field(
            "bool", "computed", "whether the code is only billed beside another (NCCI list, global days ZZZ)"
        ),
        "repeats": Field(
            "int", "computed", "ordinal of the earlier line that is the same in all but number; absent else"
        ),
        "repeats_exactly": Field(
            "bool", "computed", "whether it also has the number (REF*6R) of that line, or neither has one"
        ),
        "frequency": Field("text", "CLM05-3", "1 original, 7 replacement, 8 void"),
    },
    stands_on=("repeated",),
)

PTP_PAIR = FactType(
    about="two lines of one day and one provider that a procedure-to-procedure edit in force joins",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "column_1": Field("text", "SV101-2", "code that is paid"),
        "column_2": Field("text", "SV101-2", "code that is not paid with it"),
        "line_1": Field("int", "computed", "ordinal of the column 1 line"),
        "line_2": Field("int", "computed", "ordinal of the column 2 line"),
        "modifiers_1": Field("codes", "SV101-3", "modifiers of the column 1 line"),
        "modifiers_2": Field("codes", "SV101-3", "modifiers of the column 2 line"),
        "indicator": Field(
            "text",
            "computed",
            "0: no modifier releases the edit; 1: an NCCI-associated one does",
            values=("0", "1"),
        ),
        "released_by": Field("codes", "computed", "the NCCI-associated modifiers on either line"),
        "one_provider": Field(
            "bool",
            "computed",
            "whether the rendering provider is certainly the same one; else there are two NPIs, and a "
            "taxonomy is not given",
        ),
        "borrowed": _BORROWED,
        "rationale": Field("text", "computed", "why the edit exists, in CMS's words"),
        "effective": Field("date", "computed", "first day on which the table applies the edit"),
        "deletion": Field("date", "computed", "last day of the edit; absent for an open end"),
    },
    stands_on=("column_1", "column_2"),
)

MUE_DAY = FactType(
    about="the units of a code on a day by one rendering provider; of a code with MAI 1, of one line",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "code": Field("text", "SV101-2", "HCPCS code"),
        "units": Field(
            "quantity", "SV104", "units of the day; a line of several days counts its units by their number"
        ),
        "lines": Field("int", "computed", "number of lines that the units come from"),
        "modifiers": Field("codes", "SV101-3", "modifiers of these lines, each once"),
        "provider": Field("int", "computed", "equal where the rendering provider is certainly the same one"),
        "limit": Field(
            "quantity", "computed", "medically unlikely edit: the most units; absent where there is none"
        ),
        "mai": Field(
            "text",
            "computed",
            "1 line, 2 day by policy, 3 day by clinical data; absent without a limit",
            values=("1", "2", "3"),
        ),
        "rationale": Field("text", "computed", "why the limit is what it is, in CMS's words"),
        "borrowed": _BORROWED,
    },
    stands_on=("others",),
)

ADDON = FactType(
    about="an add-on code and its primary codes on its day by its provider",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "code": Field("text", "SV101-2", "add-on code"),
        "type": Field(
            "text",
            "computed",
            "1 one of the primaries is needed, 2 payers name them, 3 both",
            values=("1", "2", "3"),
        ),
        "primaries": Field("codes", "computed", "the primaries that the table names"),
        "borrowed": _BORROWED,
        "by_month": Field("bool", "computed", "whether the primary may stand on any day of the month"),
        "found": Field(
            "codes",
            "computed",
            "those for the day, on the claim or on another claim of the person in the input",
        ),
        "complete": Field(
            "bool", "computed", "whether every code of the day could be read, so that none is overlooked"
        ),
    },
)

THERAPY_DAY = FactType(
    about="the timed therapy of a discipline on a day, as the 8-minute rule counts it",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "discipline": Field(
            "text", "SV101-3", "GP, GO or GN; absent where no line of the day names one", values=_DISCIPLINES
        ),
        "method": Field(
            "text",
            "computed",
            "cms or ama, by the profile; absent where the payer has not said",
            values=("cms", "ama"),
        ),
        "codes": Field("codes", "SV101-2", "the timed codes, each once"),
        "lines": Field("int", "computed", "number of timed lines"),
        "units": Field(
            "int", "SV104", "timed units billed; absent where they are not whole or not counted in units"
        ),
        "minutes": Field(
            "int", "computed", "timed minutes; absent unless those of every timed line are known"
        ),
        "lines_without_minutes": Field("int", "computed", "timed lines whose minutes are not known"),
        "minutes_expected": Field("bool", "computed", "whether minutes were given for the claim at all"),
        "least_minutes": Field("int", "computed", "fewest minutes for which the units can be billed"),
        "allowed": Field(
            "int",
            "computed",
            "units that the minutes make, without a method by the one that makes more; absent where minutes "
            "or units are",
        ),
        "allowed_at_least": Field(
            "int", "computed", "the same, without a method by the one that makes fewer"
        ),
        "allowed_by_method": Field("text", "computed", "the same by each method: 1 by CMS, 3 by AMA"),
        "misplaced": Field(
            "codes", "computed", "codes billed with more units than any right split gives them"
        ),
        "minutes_by_code": Field("text", "computed", "97530 24 min, 97110 23 min"),
        "units_by_code": Field("text", "computed", "units billed: 97530 x2, 97110 x2"),
        "right_split": Field("text", "computed", "one right way to bill: 97530 x2, 97110 x1"),
        "provider_minutes": Field(
            "int",
            "computed",
            "fewest one-on-one minutes of the day's busiest rendering provider, on all claims so far",
        ),
        "shared": Field(
            "bool",
            "computed",
            "whether another claim of the person has timed therapy of the discipline on the day",
        ),
        "right_together": Field(
            "bool",
            "computed",
            "whether such claims are all of earlier files, and the minutes of all together support the units",
        ),
    },
    stands_on=("others",),
)

EARLIER_PAIR = FactType(
    about="a line and one of an earlier claim of the person, the billing provider and the day, joined by a "
    "procedure-to-procedure edit",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "column_1": Field("text", "SV101-2", "code that is paid"),
        "column_2": Field("text", "SV101-2", "code that is not paid with it"),
        "code": Field("text", "SV101-2", "the code of them that stands on this claim"),
        "earlier_code": Field("text", "SV101-2", "the code of them that stands on the earlier claim"),
        "line": Field("int", "computed", "ordinal of the line"),
        "earlier_line": Field("int", "computed", "ordinal of the earlier line in its claim"),
        "indicator": Field("text", "computed", "as of ptp_pair", values=("0", "1")),
        "released_by": Field("codes", "computed", "the NCCI-associated modifiers on either line"),
        "one_provider": Field("bool", "computed", "as of ptp_pair"),
        "borrowed": _BORROWED,
        "rationale": Field("text", "computed", "why the edit exists, in CMS's words"),
        "earlier_claim": Field(
            "text", "computed", "the earlier claim as a message calls it, with its file's day"
        ),
        "sent_again": Field(
            "bool",
            "computed",
            "whether an earlier file's claim has this one's number or a line: it may be this one",
        ),
    },
    stands_on=("earlier",),
)

EARLIER_DAY = FactType(
    about="the units of a code on a day by one rendering provider, on a claim and earlier ones of the person",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "code": Field("text", "SV101-2", "HCPCS code"),
        "units": Field("quantity", "SV104", "units of all these claims"),
        "units_here": Field("quantity", "SV104", "units of this claim"),
        "claims": Field("int", "computed", "number of earlier claims"),
        "limit": Field("quantity", "computed", "medically unlikely edit: the most units"),
        "mai": Field("text", "computed", "2 day by policy, 3 day by clinical data", values=("2", "3")),
        "rationale": Field("text", "computed", "why the limit is what it is, in CMS's words"),
        "borrowed": _BORROWED,
        "earlier_claim": Field(
            "text", "computed", "the earlier claim as a message calls it, with its file's day"
        ),
        "sent_again": Field(
            "bool",
            "computed",
            "whether an earlier file's claim has this one's number or a line: it may be this one",
        ),
    },
    stands_on=("earlier",),
)

EARLIER_LINE = FactType(
    about="a line that an earlier claim of the person has too: code, modifiers, units, charge, day, provider",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "code": Field("text", "SV101-2", "HCPCS code"),
        "modifiers": Field("codes", "SV101-3", "modifiers of the line"),
        "line": Field("int", "computed", "ordinal of the line"),
        "earlier_line": Field("int", "computed", "ordinal of the earlier line in its claim"),
        "earlier_claim": Field(
            "text", "computed", "the earlier claim as a message calls it, with its file's day"
        ),
        "earlier_file": Field("bool", "computed", "whether the earlier claim is of an earlier file"),
    },
    stands_on=("earlier",),
)

THERAPY_YEAR = FactType(
    about="charges of a person's therapy of a year that pass the KX threshold of Medicare, without KX",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "year": Field("text", "computed", "calendar year of the services"),
        "occupational": Field(
            "bool", "computed", "occupational therapy, else physical therapy and speech-language together"
        ),
        "charges": Field("money", "SV102", "charges of the year so far, on the accepted claims of the input"),
        "threshold": Field("money", "computed", "allowed amount above which Medicare wants KX"),
    },
)

CODE_ERROR = FactType(
    about="a code, name or id that does not fit its code set on its day, or its place; of what fits, none",
    fields={
        "date": Field("date", "DTP03 472", "first day of service; date of receipt above claims"),
        "last_date": Field("date", "DTP03 472", "last day of service of the claim"),
        "received": _RECEIVED,
        "profile": _PROFILE,
        "set": Field(
            "text",
            "computed",
            "diagnosis, line-diagnosis, pointer, procedure, modifier, place-of-service, taxonomy, state, "
            "zip, country, currency, adjustment-reason, remark, name, npi, member-id, amount, units, "
            "line-control (REF*6R), tax-number, phone, purpose (BHT02) or submission (BHT06)",
        ),
        "problem": Field(
            "text",
            "computed",
            "shape, unknown, not-in-force, subdivided, uncovered (the list does not reach the day); "
            "icd-9-late, icd-10-early, icd-mixed, repeated, external-cause-first, sex, age; beyond; zip-5, "
            "plus-4, missing, country-missing; of a member id form (not the payer's), medicare (none of "
            "Medicare's), lower-case, "
            "former (one that Medicare had before); of a name first, middle, title; not-taken; punctuation, "
            "negative, zero, fraction (of a unit of 15 minutes)",
        ),
        "code": Field("text", "computed", "the code; absent where it has no shape or is part of an address"),
        "codes": Field("codes", "HI", "where uncovered, all diagnoses that the list does not know"),
        "first": Field("bool", "HI", "whether it is the principal diagnosis"),
        "loop": Field("text", "computed", "loop as the guide names it, 2310C"),
        "element": Field("text", "computed", "element as the guide names it, SV101-3"),
        "role": Field("text", "NM101", "role of the party in its loop"),
        "line": Field("int", "computed", "ordinal of the line; absent above lines"),
        "since": Field("date", "computed", "first day of the next days on which the code holds"),
        "until": Field("date", "computed", "last day on which the code held"),
        "better": Field("codes", "computed", "codes to use instead, at most eight"),
        "release": Field("text", "computed", "release of the list that says so"),
    },
    knows_its_place=True,
)

SITUATION = FactType(
    about="a situation in which the guide or a payer requires more, and what is sent; of no others",
    fields={
        "date": _DATE,
        "received": _RECEIVED,
        "profile": _PROFILE,
        "kind": Field("text", "computed", "what the circumstance is", values=SITUATIONS),
        "line": Field("int", "computed", "ordinal of the line; absent for the whole claim"),
        "code": Field("text", "SV101-2", "HCPCS code of the line"),
        "modifiers": Field("codes", "SV101-3", "modifiers of the line"),
        "unit": Field("text", "SV103", "UN units, MJ minutes"),
        "described": Field("bool", "SV101-7", "whether the code has a description"),
        "stated": Field(
            "codes",
            "computed",
            "segments of the line and its claim (2300, 2310), each with its qualifier where it has one: "
            "REF X4, DTP 439, NM1 DN, CR1",
        ),
        "stated_by_claim": Field("codes", "computed", "of a line: those of its claim alone"),
        "place_of_service": Field("text", "CLM05-1", "place of service"),
        "frequency": Field("text", "CLM05-3", "1 original, 7 replacement, 8 void"),
        "filing_indicator": Field("text", "SBR09", "kind of payer"),
        "related_causes": Field("codes", "CLM11", "AA automobile, EM employment, OA other accident"),
        "state": Field("text", "CLM11-4", "state of an automobile accident"),
        "country": Field("text", "CLM11-5", "country of an accident"),
        "attended": Field(
            "bool", "computed", "whether a service is more than a laboratory test or the reading of an image"
        ),
        "visited": Field("bool", "computed", "whether a service is a visit to an inpatient"),
        "other_payers": Field("int", "computed", "number of other payers (2320)"),
        "repeated_responsibilities": Field(
            "codes", "SBR01", "places in the order of payers that more than one payer has"
        ),
        "transmission": Field("text", "PWK02", "how an attachment comes"),
        "answer": Field("text", "CRC02", "Y or N"),
        "conditions": Field("codes", "CRC03", "condition codes of the same segment"),
        "nature": Field("text", "CR208", "nature of the patient's condition under spinal manipulation"),
        "certification": Field("text", "CR301", "I first, R renewed, S revised certification"),
        "well_formed": Field("bool", "computed", "whether a number has the form that its kind has"),
        "positive": Field("bool", "CTP04", "whether a quantity is above zero"),
        "role": Field("text", "NM101", "role of the provider"),
        "identified": Field("bool", "NM109", "whether a provider has an identifier of any kind"),
        "same": Field("bool", "computed", "whether two parties or addresses are the same"),
        "amount": Field("money", "AMT02", "what the patient paid"),
        "charge": Field("money", "CLM02", "total charge"),
        "purpose": Field("text", "BHT06", "CH chargeable, RP reporting, 31 subrogation"),
        "lines": Field("int", "computed", "number of service lines"),
        "given": Field("bool", "computed", "whether another line has the amount given of a discarded drug"),
        "given_modifiers": Field("codes", "computed", "modifiers of the lines of that amount"),
        "claim_modifiers": Field("codes", "SV101-3", "modifiers of all lines of the claim, each once"),
        "same_period": Field(
            "codes",
            "computed",
            "codes of remote monitoring on other lines in the period (30 days, month, episode) of the code",
        ),
    },
)

SUBSCRIBER = FactType(
    about="a subscriber's level that says less than a patient's with one payer does; of no others",
    fields={
        "date": _RECEIVED,
        "profile": _PROFILE,
        "responsibility": Field("text", "SBR01", "P primary, S secondary, ..."),
        "relationship": Field("text", "SBR02", "18 where the subscriber is the patient"),
        "insurance_type": Field("text", "SBR05", "why Medicare is not the first payer"),
        "filing_indicator": Field("text", "SBR09", "kind of payer"),
        "entity_type": Field("text", "NM102", "1 person, 2 organisation"),
        "identified": Field("bool", "NM109", "whether a member id is given"),
        "address": Field("bool", "N3", "whether street and city of the subscriber are given"),
        "demographics": Field("bool", "DMG", "whether the subscriber's day of birth and sex are given"),
        "patient_announced": Field("bool", "HL04", "whether a level of a patient follows or is to follow"),
    },
    stands_on=("name",),
)

OTHER_PAYER = FactType(
    about="another payer of a claim (2320) whose own charges balance, with what it paid and adjusted",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "ordinal": Field("int", "computed", "count of the payer within its claim, from 1"),
        "charge": Field("money", "CLM02", "total charge"),
        "paid": Field("money", "AMT02", "what the payer paid for the claim; absent where it is not said"),
        "line_payments": Field("money", "SVD02", "sum of what it paid for the lines; absent without any"),
        "adjustments": Field("money", "CAS03", "sum of its adjustments of the claim as a whole"),
        "adjusted": Field("bool", "CAS", "whether it adjusted the claim as a whole"),
        "expected": Field("money", "computed", "what it must have paid by lines, or charge, and adjustments"),
        "difference": Field("money", "computed", "paid less expected"),
        "line_difference": Field("money", "computed", "sum of what is not explained on its lines"),
        "lines": Field("int", "computed", "number of lines that it decided on"),
        "complete": Field("bool", "computed", "whether it decided on every line or on none"),
        "dated": Field(
            "bool", "DTP01", "whether the day of its decision is given, for the claim or its lines"
        ),
        "dated_twice": Field(
            "bool", "DTP01", "whether it is given for the claim (2330B) and for a line (2430)"
        ),
        "unexplained": Field(
            "money",
            "computed",
            "charge less its payments and adjustments, of lines and claim; absent if it decided on no line",
        ),
        "decided": Field("bool", "computed", "whether it paid, adjusted or declined anything"),
        "prior": Field("bool", "SBR01", "whether it comes before the payer of the claim"),
        "responsibility": Field("text", "SBR01", "P primary, S secondary, ..."),
        "insurance_type": Field("text", "SBR05", "why Medicare is not the first payer"),
        "filing_indicator": Field("text", "SBR09", "kind of payer"),
        "left": Field("money", "computed", "charge less what it paid"),
        "liability": Field("money", "AMT02", "what the patient still owes, as the claim says (EAF)"),
        "liability_twice": Field("bool", "AMT01", "whether EAF is given for the claim and for a line"),
        "non_covered": Field("money", "AMT02", "what is not covered at all (A8)"),
        "total_paid": Field("money", "computed", "what all payers of the claim paid together"),
    },
    stands_on=("named",),
)

ADJUDICATION = FactType(
    about="what another payer did with a line (2430), of a claim whose own charges balance",
    fields={
        "date": _DATE,
        "profile": _PROFILE,
        "line": Field("int", "computed", "ordinal of the line"),
        "known": Field("bool", "SVD01", "whether the payer is one of the claim's other payers"),
        "charge": Field("money", "SV102", "charge of the line"),
        "paid": Field("money", "SVD02", "what the payer paid for the line, all its entries together"),
        "adjustments": Field("money", "CAS03", "sum of its adjustments of the line"),
        "explained": Field("money", "computed", "paid and adjustments together"),
        "difference": Field("money", "computed", "charge less explained"),
        "bundled": Field("bool", "SVD06", "whether the payer joined the line with others"),
        "completed": Field(
            "bool", "computed", "whether its adjustments of the claim explain what it left open on lines"
        ),
        "units": Field("quantity", "SVD05", "units that the payer paid, the fewest of its entries"),
    },
)

# The closed vocabulary, by the name that `fact:` gives in a rule.
VOCABULARY: dict[str, FactType] = {
    "fault": FAULT,
    "file": FILE,
    "transaction": TRANSACTION,
    "claim": CLAIM,
    "provider": PROVIDER,
    "diagnosis": DIAGNOSIS,
    "claim_date": CLAIM_DATE,
    "line": LINE,
    "ptp_pair": PTP_PAIR,
    "mue_day": MUE_DAY,
    "addon": ADDON,
    "therapy_day": THERAPY_DAY,
    "earlier_pair": EARLIER_PAIR,
    "earlier_day": EARLIER_DAY,
    "earlier_line": EARLIER_LINE,
    "therapy_year": THERAPY_YEAR,
    "code_error": CODE_ERROR,
    "situation": SITUATION,
    "subscriber": SUBSCRIBER,
    "other_payer": OTHER_PAYER,
    "adjudication": ADJUDICATION,
}
