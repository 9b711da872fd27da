"""What the codes of a remittance advice (835) mean that matter for therapy claims, in short words of ours.

Group codes (CAS01), claim adjustment reason codes and remark codes. Which code stands for what is fact; the
lists' own texts belong to their maintainers and are not here. A code that is not here is one of which nothing
is said, and is never guessed at.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """What a code says, and what the sender usually does; "" where nothing is to be done."""

    words: str
    advice: str = ""


GROUPS: dict[str, Meaning] = {
    "CO": Meaning("contractual: the provider bears the amount", "Write it off; do not bill the patient."),
    "PR": Meaning("the patient bears the amount", "Bill the next payer, then the patient."),
    "OA": Meaning(
        "neither a contract nor the patient is the cause", "See the reason; do not bill the patient."
    ),
    "PI": Meaning(
        "the payer reduced it on its own account",
        "Do not bill the patient; appeal if the contract says otherwise.",
    ),
    "CR": Meaning("a correction or reversal of an earlier payment; not used in 5010"),
}

_REPLACE = "send a replacement (frequency 7, with the payer's number)"
_CORRECT = f"Correct it and {_REPLACE}."
_NEXT_PAYER = "Bill the next payer with this remittance, then the patient."
_APPEAL = "Appeal with the plan of care, the notes and the minutes, if they show it."
_ELIGIBILITY = "Check the coverage on the date of service; bill whoever covered it."
_NETWORK = "Check contract and referral; get the approval afterward if the payer allows it, otherwise appeal."

REASONS: dict[str, Meaning] = {
    "1": Meaning("counts toward the deductible", _NEXT_PAYER),
    "2": Meaning("the patient's coinsurance", _NEXT_PAYER),
    "3": Meaning("the patient's copayment", _NEXT_PAYER),
    "4": Meaning(
        "procedure and modifier do not fit, or a modifier is missing",
        f"Check GP, GO, GN, CQ, CO, KX, 59 and the X modifiers; correct the line and {_REPLACE}.",
    ),
    "5": Meaning("procedure and place of service do not fit", _CORRECT),
    "6": Meaning("procedure and age of the patient do not fit", _CORRECT),
    "7": Meaning("procedure and sex of the patient do not fit", _CORRECT),
    "8": Meaning("procedure and kind of provider (taxonomy) do not fit", _CORRECT),
    "11": Meaning(
        "diagnosis and procedure do not fit",
        f"Check the pointers and the payer's list of diagnoses; if the record supports another, {_REPLACE}.",
    ),
    "16": Meaning(
        "something is missing or wrong; a remark code says what",
        "Correct what the remark names. With MA130 it was not processed: send it as a new claim, "
        "otherwise as a replacement.",
    ),
    "18": Meaning(
        "the same claim or service was billed before",
        "Find the first one; do not send it again. A service that was given twice needs "
        "76, 77, 59 or an X modifier.",
    ),
    "19": Meaning(
        "an injury at work, for the workers' compensation carrier",
        "Bill that carrier, or show that it was no such injury.",
    ),
    "20": Meaning(
        "an injury that the liability carrier covers",
        "Bill that carrier, or show that it was no such injury.",
    ),
    "21": Meaning(
        "an injury that the no-fault carrier covers", "Bill that carrier, or show that it was no such injury."
    ),
    "22": Meaning(
        "another payer may come first",
        "Ask the patient who is primary. Bill that payer first and send its remittance along, or have "
        "the payer's record corrected.",
    ),
    "23": Meaning("what an earlier payer paid or adjusted is taken into account"),
    "24": Meaning(
        "covered by a flat rate or a managed care plan",
        "Bill the plan (Medicare Advantage, say), if it is another payer.",
    ),
    "26": Meaning("before the coverage began", _ELIGIBILITY),
    "27": Meaning("after the coverage ended", _ELIGIBILITY),
    "29": Meaning(
        "filed too late",
        "Do not send it again. If it was in time, appeal with the 277CA that accepted the first claim.",
    ),
    "31": Meaning(
        "the patient is not found as insured",
        "Check name, birth date and member id on the card; correct them and send the claim as a new one.",
    ),
    "32": Meaning("the patient is not covered as a dependent", _ELIGIBILITY),
    "33": Meaning("the insured has no coverage for dependents", _ELIGIBILITY),
    "35": Meaning("the lifetime maximum is reached", _NEXT_PAYER),
    "39": Meaning("authorization was asked for and refused", "Appeal the refusal of the authorization."),
    "45": Meaning(
        "the charge is above the payer's or the contract's fee",
        "Usual, nothing to send. Check the allowed amount against the contract.",
    ),
    "49": Meaning("routine or preventive care, not covered", _NEXT_PAYER),
    "50": Meaning("not medically necessary in the payer's view", _APPEAL),
    "54": Meaning("several practitioners or assistants are not covered here", _APPEAL),
    "55": Meaning("experimental in the payer's view", _APPEAL),
    "58": Meaning("given in a place that is not right for it", _CORRECT),
    "59": Meaning(
        "reduced because several procedures were given together (MPPR for therapy)", "Usual, nothing to send."
    ),
    "94": Meaning("paid more than was charged"),
    "95": Meaning("the plan's procedures were not followed", "See the payer's manual; appeal if they were."),
    "96": Meaning(
        "not covered; a remark code says why",
        "Read the remark. With PR, bill the patient if a notice was signed where one is needed.",
    ),
    "97": Meaning(
        "paid within another service of that day or time",
        f"Check the NCCI pair. If both were separate and the record shows it, add 59 or "
        f"an X modifier and {_REPLACE}.",
    ),
    "100": Meaning("the payment went to the patient", "Bill the patient."),
    "104": Meaning("withheld by the managed care contract"),
    "107": Meaning(
        "the service to which this one belongs is not on the claim",
        f"Add the primary service to the add-on code and {_REPLACE}.",
    ),
    "109": Meaning(
        "another payer or contractor is responsible", "Find out which one; send the claim there as a new one."
    ),
    "110": Meaning("billed before the date of service", "Correct the dates and send the claim again."),
    "112": Meaning("not given to the patient directly, or not documented", _APPEAL),
    "115": Meaning("the procedure was postponed, canceled or delayed", _CORRECT),
    "119": Meaning(
        "the maximum for the period is reached",
        f"If the payer is Medicare and the record shows the need above the therapy "
        f"threshold, add KX and {_REPLACE}. "
        "Otherwise ask for more visits, or bill the next payer.",
    ),
    "129": Meaning(
        "what an earlier payer did looks wrong",
        "Check the amounts of the other payer (2320, 2430) and correct them.",
    ),
    "131": Meaning("a discount that was agreed on for this claim"),
    "133": Meaning("the line is still under review", "Wait."),
    "136": Meaning("the rules of an earlier payer were not followed", "Settle it with that payer first."),
    "140": Meaning(
        "id and name of the patient do not belong together",
        "Correct them as on the card; send the claim as a new one.",
    ),
    "144": Meaning("an incentive, such as for quality"),
    "146": Meaning("the diagnosis was not valid on the date of service", _CORRECT),
    "147": Meaning(
        "the agreed rate has ended or is not on file", "Have the contract loaded; then ask for reprocessing."
    ),
    "148": Meaning("information from another provider is missing or not enough", "Get it and send it."),
    "149": Meaning("the lifetime maximum for this kind of service is reached", _NEXT_PAYER),
    "150": Meaning("what was sent does not support this level of service", _APPEAL),
    "151": Meaning(
        "what was sent does not support so many units or so often",
        f"Check units and minutes (MUE, 8-minute rule). If they are wrong, {_REPLACE}; if "
        "right, appeal with the minutes.",
    ),
    "152": Meaning("what was sent does not support so long a service", _APPEAL),
    "163": Meaning(
        "the attachment that the claim names did not come",
        "Send it with the number that the claim has in PWK06.",
    ),
    "164": Meaning("the attachment came too late", "Appeal with the attachment."),
    "167": Meaning(
        "the diagnosis is not covered",
        "Check the payer's list of diagnoses; correct it only if the record supports another.",
    ),
    "170": Meaning("not paid to this kind of provider", "Check taxonomy and enrollment."),
    "171": Meaning(
        "not paid to this kind of provider in this kind of facility", "Check taxonomy and place of service."
    ),
    "172": Meaning("adjusted for the provider's specialty", "Check taxonomy and enrollment."),
    "173": Meaning("no physician has ordered it", "Send the order or the certified plan of care."),
    "177": Meaning("the patient does not meet what the plan requires", _ELIGIBILITY),
    "181": Meaning("the procedure code was not valid on the date of service", _CORRECT),
    "182": Meaning("the modifier was not valid on the date of service", _CORRECT),
    "183": Meaning(
        "the referring provider may not refer for this",
        "Check the referring or certifying provider's NPI and enrollment.",
    ),
    "184": Meaning(
        "the ordering provider may not order this", "Check the ordering provider's NPI and enrollment."
    ),
    "185": Meaning(
        "the rendering provider may not give this service",
        "Check the rendering provider's NPI, enrollment and CQ or CO.",
    ),
    "187": Meaning("paid from a spending account of the patient"),
    "189": Meaning("an unlisted code was billed where a listed one exists", _CORRECT),
    "193": Meaning(
        "reviewed again: the first decision stands", "Go to the next level of appeal, if there is one."
    ),
    "197": Meaning(
        "authorization or notification is missing",
        f"If there was one, send it in REF*G1: {_REPLACE}. If not, ask whether it can be given afterward.",
    ),
    "198": Meaning("more than was authorized", "Ask for more visits, or appeal with the record."),
    "200": Meaning("while the coverage had lapsed", _ELIGIBILITY),
    "204": Meaning(
        "not covered by the patient's plan", "Bill the next payer, or the patient if the group is PR."
    ),
    "206": Meaning("an NPI is missing", _CORRECT),
    "207": Meaning("an NPI is not well formed", _CORRECT),
    "208": Meaning(
        "an NPI does not belong to who is named",
        "Check it in NPPES and with the payer's enrollment, and correct it.",
    ),
    "209": Meaning(
        "by law or agreement the provider may not collect it from the patient",
        "Refund the patient what was collected.",
    ),
    "210": Meaning("authorization was not asked for in time", "Appeal if it was."),
    "216": Meaning("a review organization found so", _APPEAL),
    "222": Meaning(
        "more hours, days or units than the contract lets this provider bill in the period",
        "Check the units and the contract; appeal if they are within it.",
    ),
    "223": Meaning("a law requires the adjustment"),
    "225": Meaning("a penalty or interest"),
    "226": Meaning(
        "what was asked of the provider did not come, too late, or was not enough",
        "Send what was asked for, by the payer's way for records; do not send the claim again.",
    ),
    "227": Meaning(
        "what was asked of the patient did not come or was not enough", "Ask the patient to answer the payer."
    ),
    "231": Meaning(
        "procedures that exclude each other on one day", f"Check the NCCI pair; correct it and {_REPLACE}."
    ),
    "234": Meaning("never paid separately", "Nothing to send; do not bill the patient."),
    "236": Meaning(
        "the pair does not go together that day by NCCI or a fee schedule",
        f"If the indicator allows it and the record shows separate services, add 59 or an "
        f"X modifier and {_REPLACE}; "
        "otherwise write it off.",
    ),
    "237": Meaning("a penalty by law, such as of a quality program"),
    "238": Meaning("the claim reaches into days without coverage; those are taken out", _ELIGIBILITY),
    "239": Meaning("the claim has days with and without coverage", "Bill them as separate claims."),
    "242": Meaning("not given by a provider of the network or the primary care provider", _NETWORK),
    "243": Meaning("not authorized by the network or the primary care provider", _NETWORK),
    "246": Meaning("a code for reporting alone, never paid"),
    "250": Meaning("the attachment was the wrong one", "Send the right one."),
    "251": Meaning("the attachment was not complete", "Send what is missing."),
    "252": Meaning(
        "an attachment is needed; a remark code says which", "Send it by the payer's way for records."
    ),
    "253": Meaning(
        "sequestration: a cut of federal payments by law", "Usual, nothing to send; do not bill the patient."
    ),
    "256": Meaning("not paid by the managed care contract", "Check the contract."),
    "257": Meaning("undecided while the patient's premium is late", "Wait."),
    "267": Meaning("the claim spans several months", "Bill each month as a claim of its own."),
    "268": Meaning("the claim spans two years", "Bill each year as a claim of its own."),
    "272": Meaning("the rules of the program are not met", _APPEAL),
    "273": Meaning("more than the rules of the program allow", _APPEAL),
    "275": Meaning("what an earlier payer left to the patient is not covered", "Bill the patient."),
    "276": Meaning("what an earlier payer denied is not covered", "Settle it with the earlier payer."),
    "279": Meaning("not given by a preferred provider of the network", _NETWORK),
    "286": Meaning("the appeal was too late"),
    "287": Meaning("more than was referred", "Get a further referral, or appeal."),
    "288": Meaning("the referral is missing", f"Get it, send its number in REF*9F and {_REPLACE}."),
    "A1": Meaning("denied; a remark code says why", "Read the remark."),
    "B1": Meaning("visits that are not covered", _NEXT_PAYER),
    "B7": Meaning(
        "the provider could not be paid for this on that day",
        "Check enrollment and its dates with the payer.",
    ),
    "B9": Meaning(
        "the patient is in hospice",
        "If the therapy is unrelated to the terminal illness, send GW; else bill the hospice.",
    ),
    "B10": Meaning("a part of the service was paid already"),
    "B11": Meaning("passed on to the right payer", "Wait for that payer's answer."),
    "B12": Meaning("not found in the record", "Appeal with the notes."),
    "B13": Meaning("paid before", "Find the earlier payment; do not send it again."),
    "B14": Meaning("one visit of a practitioner on a day is paid", _CORRECT),
    "B15": Meaning(
        "needs another service that was not received or paid",
        f"Bill that service too, or correct the code and {_REPLACE}.",
    ),
    "B16": Meaning("the patient is not a new one for this provider", _CORRECT),
    "B20": Meaning(
        "another provider gave it, in part or as a whole",
        "Settle it with that provider; appeal with the notes.",
    ),
    "B22": Meaning("adjusted because of the diagnosis", _APPEAL),
    "P12": Meaning(
        "the fee schedule of workers' compensation",
        "Usual, nothing to send. Check it against the state's schedule.",
    ),
}

_MISSING = "is missing or not valid"
_AS_NEW = (
    "Correct it and send the claim again: as a new one if MA130 stands beside it, otherwise as a replacement."
)

REMARKS: dict[str, Meaning] = {
    "M15": Meaning(
        "part of another service, not paid separately",
        "Check the NCCI pair; add 59 or an X modifier only if the record shows separate services.",
    ),
    "M20": Meaning(f"the HCPCS code {_MISSING}", _AS_NEW),
    "M25": Meaning("what was sent does not show the need for this level of service", _APPEAL),
    "M27": Meaning("the patient does not have to pay it", "Do not bill the patient."),
    "M38": Meaning("the patient has to pay it, as a notice before the service said", "Bill the patient."),
    "M51": Meaning(f"the procedure code {_MISSING}", _AS_NEW),
    "M52": Meaning(f"the first day of service {_MISSING}", _AS_NEW),
    "M53": Meaning(f"the number of days or units {_MISSING}", _AS_NEW),
    "M54": Meaning(f"the total charge {_MISSING}", _AS_NEW),
    "M56": Meaning(f"the payer's id {_MISSING}", _AS_NEW),
    "M59": Meaning(f"the last day of service {_MISSING}", _AS_NEW),
    "M62": Meaning(f"the authorization number {_MISSING}", "Send it in REF*G1."),
    "M64": Meaning(f"another diagnosis {_MISSING}", _AS_NEW),
    "M76": Meaning(f"a diagnosis {_MISSING}", _AS_NEW),
    "M77": Meaning(f"the place of service {_MISSING}", _AS_NEW),
    "M79": Meaning(f"the charge {_MISSING}", _AS_NEW),
    "M80": Meaning("not covered in the same session as another service", "Check the NCCI pair."),
    "M86": Meaning("the same or a like service was paid within a set time", "Find the earlier payment."),
    "M127": Meaning("the record for this service is missing", "Send it by the payer's way for records."),
    "M144": Meaning(
        "care before or after an operation is paid with the operation",
        "If it is therapy under a plan of care, check the GP, GO or GN modifier.",
    ),
    "MA01": Meaning("it can be appealed"),
    "MA04": Meaning(
        "as secondary payer it needs the primary's payment",
        "Send the primary's payment in loops 2320 and 2430.",
    ),
    "MA07": Meaning("passed on to Medicaid"),
    "MA13": Meaning("only what is marked PR may be billed to the patient"),
    "MA18": Meaning("passed on to the supplemental insurer"),
    "MA27": Meaning(f"the member id or name {_MISSING}", _AS_NEW),
    "MA36": Meaning(f"the patient's name {_MISSING}", _AS_NEW),
    "MA61": Meaning(f"the patient's Medicare or social security number {_MISSING}", _AS_NEW),
    "MA63": Meaning(f"the first diagnosis {_MISSING}", _AS_NEW),
    "MA83": Meaning(
        "it is not said whether the payer is primary or secondary",
        "Correct SBR01, and for Medicare as secondary payer SBR05.",
    ),
    "MA92": Meaning("the plan of the other insurance is missing", "Fill in loop 2320."),
    "MA112": Meaning(f"the group practice {_MISSING}", _AS_NEW),
    "MA114": Meaning(f"where the service was given {_MISSING}", "Fill in the service facility (2310C)."),
    "MA120": Meaning(f"the CLIA number {_MISSING}", _AS_NEW),
    "MA130": Meaning(
        "the claim was not processed because something is missing or wrong; it cannot be appealed",
        "Correct what the other remark names and send the claim as a new one, not as a replacement.",
    ),
    "N19": Meaning("incidental to the main procedure", "Check the NCCI pair."),
    "N20": Meaning("not paid with another service of that day", "Check the NCCI pair."),
    "N29": Meaning("notes, orders or reports are missing", "Send them by the payer's way for records."),
    "N30": Meaning("the patient is not eligible for this service", _ELIGIBILITY),
    "N56": Meaning("the procedure code is not right for the service or the day", _AS_NEW),
    "N59": Meaning("the payer's manual says more", "See the payer's manual."),
    "N95": Meaning("this kind of provider may not bill it", "Check taxonomy and enrollment."),
    "N104": Meaning(
        "another Medicare contractor is responsible", "Find out which one; send the claim there."
    ),
    "N105": Meaning(
        "the patient is with the Railroad Retirement Board", "Send the claim to the railroad contractor."
    ),
    "N115": Meaning(
        "decided by a local coverage determination (LCD)",
        "Check the LCD's diagnoses and limits; appeal with the record.",
    ),
    "N122": Meaning("an add-on code without its primary service", "Bill the primary service too."),
    "N130": Meaning("the plan's documents say more", "See the plan's benefits."),
    "N179": Meaning("information was asked of the member", "Ask the patient to answer the payer."),
    "N198": Meaning(
        "the rendering provider must belong to who is paid", "Have the provider linked to the group."
    ),
    "N210": Meaning("it can be appealed"),
    "N211": Meaning("it cannot be appealed"),
    "N216": Meaning("the plan or the patient's part of it does not cover this kind of service", _ELIGIBILITY),
    "N255": Meaning(f"the billing provider's taxonomy {_MISSING}", _AS_NEW),
    "N256": Meaning(f"the billing provider's name {_MISSING}", _AS_NEW),
    "N257": Meaning(f"the billing provider's NPI {_MISSING}", _AS_NEW),
    "N264": Meaning(f"the ordering provider's name {_MISSING}", _AS_NEW),
    "N265": Meaning(f"the ordering provider's NPI {_MISSING}", _AS_NEW),
    "N285": Meaning(f"the referring provider's name {_MISSING}", _AS_NEW),
    "N286": Meaning(f"the referring provider's NPI {_MISSING}", _AS_NEW),
    "N288": Meaning(f"the rendering provider's taxonomy {_MISSING}", _AS_NEW),
    "N290": Meaning(f"the rendering provider's NPI {_MISSING}", _AS_NEW),
    "N329": Meaning(f"the patient's birth date {_MISSING}", _AS_NEW),
    "N362": Meaning(
        "more days or units than the payer takes",
        "Check units and minutes against the MUE. If they are right, see whether the limit can be appealed.",
    ),
    "N382": Meaning(f"the patient's id {_MISSING}", _AS_NEW),
    "N386": Meaning(
        "decided by a national coverage determination (NCD)", "Check the NCD; appeal with the record."
    ),
    "N390": Meaning("cannot be billed separately", "Check the NCCI pair."),
    "N418": Meaning("sent to the wrong payer or address", "See the payer's instructions; send it there."),
    "N425": Meaning("excluded by law"),
    "N435": Meaning(
        "more or oftener than allowed in the time, without support", "Send the record that supports it."
    ),
    "N448": Meaning("not in the fee schedule or contract", "Check the contract."),
    "N479": Meaning(
        "the other payer's explanation of benefits is missing",
        "Send the primary's payment in loops 2320 and 2430.",
    ),
    "N517": Meaning(
        "to be sent as a new claim with what is asked for", "Send a new claim, not a replacement."
    ),
    "N519": Meaning("the modifiers do not go together", _AS_NEW),
    "N522": Meaning("the same claim came, or will come, from Medicare (crossover)", "Do not send it again."),
    "N570": Meaning(
        "the provider's credentials are missing or not valid", "Settle it with the payer's credentialing."
    ),
    "N640": Meaning("more or oftener than allowed in the time", "Check units and visits."),
    "N657": Meaning("another code is right for this service", _AS_NEW),
    "N702": Meaning("decided by other claims for the same or a like service", "Find those claims."),
    "N706": Meaning("documents are missing", "Send them by the payer's way for records."),
    "N822": Meaning("a modifier is missing", "Check GP, GO, GN, CQ, CO, KX, 59 and the X modifiers."),
    "N823": Meaning(
        "a modifier is not complete or not valid", "Check GP, GO, GN, CQ, CO, KX, 59 and the X modifiers."
    ),
}
