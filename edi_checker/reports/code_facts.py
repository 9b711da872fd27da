"""The facts of one procedure code on a day, each with its table, its release and since when it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edi_checker.check.code_advice import Advice, Against
from edi_checker.reference.codesets.lists import is_level_1, is_procedure, therapy_procedures
from edi_checker.reference.meanings import (
    BETOS,
    FAMILIES,
    FEE_SCHEDULE,
    FILES,
    MAI,
    OUTPATIENT_STATUS,
    TYPES_OF_SERVICE,
    File,
)
from edi_checker.reference.store import ALWAYS, StoredTables
from edi_checker.reference.tables import BUILT_IN, RELEASED, MueLimit, PtpEdit
from edi_checker.x12.dates import NO_END, iso
from edi_checker.x12.finding import TableVersion

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

_LABELS = {
    "status": "Status",
    "pctc": "PC/TC",
    "global_days": "Global days",
    "multiple_procedure": "Multiple procedure",
    "bilateral": "Bilateral",
    "assistant_surgeon": "Assistant surgeon",
    "co_surgeon": "Co-surgeon",
    "team_surgeon": "Team of surgeons",
}


_LISTS = {"taxonomy": "Taxonomy", "carc": "Adjustment reason", "rarc": "Remark code"}


@dataclass(frozen=True, slots=True)
class CodeFact:
    """One fact: its name and value for programs, and its lines for people, under a label of a group.

    table    the table and release that say so, None where rules do
    since    the first day (CCYYMMDD) from which it is known to hold, 0 where that is not known
    missing  why there is no value, and which file brings one; "" where there is a value
    """

    group: str
    name: str
    label: str
    value: Json = None
    means: str = ""
    lines: tuple[str, ...] = ()
    table: TableVersion | None = None
    since: int = 0
    missing: str = ""

    def as_json(self) -> dict[str, Json]:
        return {
            "value": self.value,
            "means": self.means or None,
            "table": self.table.name if self.table is not None else None,
            "release": self.table.version if self.table is not None else None,
            "since": iso(self.since) if self.since else None,
            "missing": self.missing or None,
        }


def is_procedure_here(tables: StoredTables, code: str, on: int) -> bool:
    """Whether some table knows a code as a procedure on a day."""
    return is_procedure(code) and (
        code in therapy_procedures().periods
        or any(each(code, on) for each in (tables.procedure, tables.mue, tables.addon, tables.hcpcs))
        or any(each(code, on) for each in (tables.of("medicaid").mue, tables.of("medicaid").addon))
        or any(tables.service_class(name, code, on) for name in ("hcpcs", "betos", "rbcs"))
        or tables.outpatient(code, on) is not None
        or bool(tables.spans("cpt", code, on))
        or bool(tables.partners(code, on))
    )


def facts_of_lists(tables: StoredTables, code: str, on: int) -> Iterator[CodeFact]:
    """The code lists other than those of procedures that have a code."""
    diagnosis = tables.diagnosis(code.replace(".", ""), on)
    if diagnosis is not None:
        use = "can be billed" if diagnosis.billable else "a header, which cannot be billed"
        yield CodeFact(
            "Other lists",
            "diagnosis",
            "Diagnosis",
            {"billable": diagnosis.billable},
            use,
            (use,),
            diagnosis.table,
        )
    for name, label in _LISTS.items():
        for first, last in tables.spans(name, code, on):
            days = {
                "first": iso(first) if first > ALWAYS else None,
                "last": iso(last) if last != NO_END else None,
            }
            yield CodeFact(
                "Other lists",
                name,
                label,
                days,
                lines=(show_days(first, last),),
                table=tables.release(name, on),
            )


def show_days(first: int, last: int) -> str:
    """A period of which either end may be open."""
    begin = f"from {iso(first)}" if first > ALWAYS else ""
    end = f"to {iso(last)}" if last != NO_END else ""
    return ", ".join(filter(None, (begin, end))) or "in the list"


def facts_of_code(tables: StoredTables, advice: Advice) -> tuple[CodeFact, ...]:
    """Every fact, whether its table is imported or not, in the order in which a biller asks for them."""
    return (
        _lifespan(tables, advice),
        *_therapy(tables, advice),
        *_limits(tables, advice),
        *_partners(tables, advice),
        *_fee_schedule(tables, advice),
        *_classes(tables, advice),
        *_modifiers(advice),
        *_record(advice),
    )


def _missing(tables: StoredTables, name: File, on: int) -> str:
    release = tables.release(name, on)
    if release is None:
        return f"{name}: no release covers this day; import {FILES[name]}"
    if tables.is_outdated(name, on):
        return f"{name} {release.version} was imported without it; import {FILES[name]} again"
    return f"not in {name} {release.version}"


# -- the code -----------------------------------------------------------------------------------------------


def _lifespan(tables: StoredTables, advice: Advice) -> CodeFact:
    """First and last day by an imported list, else by what is known of therapy codes."""
    code, on = advice.known.code, advice.known.on
    group, name, label = "Code", "lifespan", "In force"
    table: TableVersion | None = None
    first, last = 0, NO_END
    what = ""
    level2 = tables.hcpcs(code, on)
    spans = [span for span in tables.spans("cpt", code, on) if span[0] <= on <= span[1]]
    if level2 is not None:
        first, last, table, what = level2.first, level2.last or NO_END, level2.table, "a code of level II, "
    elif spans:
        first, last = spans[0]
        table, what = tables.release("cpt", on), "a CPT code, "
    elif code in (listed := therapy_procedures()).periods:
        first, last = listed.periods[code]
        table = TableVersion(listed.name, listed.release)
    elif advice.known.therapy and advice.known.procedure is not None:
        table = advice.known.procedure.table
    else:
        missing = "no imported list has its days: HCPCS for level II, a list of your own for CPT"
        return CodeFact(group, name, label, missing=missing)
    begin = f"from {iso(first)} " if first else ""
    end = (
        f"to {iso(last)}" if last != NO_END else "with no end" if first else "no first or last day known here"
    )
    state = "" if first <= on <= last else "; not in force on this day"
    value = {"first": iso(first) if first else None, "last": iso(last) if last != NO_END else None}
    return CodeFact(group, name, label, value, lines=(f"{what}{begin}{end}{state}",), table=table)


def _therapy(tables: StoredTables, advice: Advice) -> Iterator[CodeFact]:
    known = advice.known.procedure
    if known is None or not known.therapy:
        missing = f"not in the list of therapy codes ({BUILT_IN})"
        yield CodeFact("Therapy", "therapy", "Designation", missing=missing)
        yield CodeFact("Therapy", "timing", "Units", missing=missing)
        return
    table = TableVersion("therapy_codes", BUILT_IN)
    since = tables.known_since("therapy_codes", known.code, advice.known.on)
    words = {"always": "always therapy", "sometimes": "sometimes therapy: when a therapist gives it"}
    yield CodeFact(
        "Therapy",
        "therapy",
        "Designation",
        {"designation": known.therapy, "disciplines": known.disciplines},
        lines=(f"{words[known.therapy]}; under {', '.join(known.disciplines)}",),
        table=table,
        since=since,
    )
    minutes = known.minutes_per_unit
    timed = f"timed, {minutes} minutes a unit" if minutes else "timed" if known.timed else "not timed"
    yield CodeFact(
        "Therapy",
        "timing",
        "Units",
        {"timed": known.timed, "minutes_per_unit": minutes, "eight_minute_rule": known.eight_minute},
        lines=(timed + (", counted by the 8-minute rule" if known.eight_minute else ""),),
        table=table,
        since=since,
    )


# -- limits, add-ons and pairs ------------------------------------------------------------------------------


def _limits(tables: StoredTables, advice: Advice) -> Iterator[CodeFact]:
    code, on = advice.known.code, advice.known.on
    group, label = "Limits", "MUE"
    limit = tables.mue(code, on)
    yield _mue("mue", group, label, limit, tables, code, on)
    medicaid = tables.of("medicaid")
    if medicaid.release("ncci_mue", on) != tables.release("ncci_mue", on):
        yield _mue("mue_medicaid", group, "MUE, Medicaid", medicaid.mue(code, on), medicaid, code, on)
    known = advice.known.procedure
    drugs = tables.release("single_dose", on)
    if known is not None and known.single_dose and drugs is not None:
        words = "a drug in single-dose containers, billed with JZ or JW"
        yield CodeFact(group, "single_dose", "Single dose", True, lines=(words,), table=drugs)


def _mue(
    name: str, group: str, label: str, limit: MueLimit | None, tables: StoredTables, code: str, on: int
) -> CodeFact:
    if limit is None:
        return CodeFact(group, name, label, missing=_missing(tables, "ncci_mue", on))
    units = "unit" if limit.limit == 1 else "units"
    text = f"at most {limit.limit} {units} {MAI[limit.mai]} (MAI {limit.mai})"
    return CodeFact(
        group,
        name,
        label,
        {"limit": limit.limit, "mai": limit.mai, "rationale": limit.rationale},
        means=MAI[limit.mai],
        lines=(text, *([limit.rationale] if limit.rationale else [])),
        table=limit.table,
        since=tables.known_since("ncci_mue", code, on),
    )


_PAIRS = "Add-ons and pairs"
_TYPES = {
    "1": "only with one of these",
    "2": "with a primary that the contractor names",
    "3": "with one of these, or another that the contractor names",
}


def _partners(tables: StoredTables, advice: Advice) -> Iterator[CodeFact]:
    yield _add_ons(tables, advice)
    yield _primaries("primaries", "Primaries it needs", tables, advice)
    medicaid = tables.of("medicaid")
    if medicaid.release("ncci_addon", advice.known.on) != tables.release("ncci_addon", advice.known.on):
        yield _primaries("primaries_medicaid", "Medicaid", medicaid, advice)
    yield _pairs(tables, advice)
    yield _therapy_pairs(tables, advice)


def _unsure(tables: StoredTables, name: File, advice: Advice) -> str:
    """Why a row that is not there says nothing: those that ship are of therapy codes, from one day on."""
    if tables.release(name, advice.known.on) is not None:
        return ""
    shipped = advice.known.therapy and advice.known.on >= RELEASED
    return "" if shipped else _missing(tables, name, advice.known.on)


def _add_ons(tables: StoredTables, advice: Advice) -> CodeFact:
    carried = tables.addons_with(advice.known.code, advice.known.on)
    unsure = _unsure(tables, "ncci_addon", advice)
    name, label = "add_ons", "Add-ons it carries"
    if unsure and not carried:
        return CodeFact(_PAIRS, name, label, missing=unsure)
    lines = (" ".join(carried) or "none",)
    return CodeFact(_PAIRS, name, label, carried, lines=lines, table=_of(tables, "ncci_addon", advice))


def _of(tables: StoredTables, name: File, advice: Advice) -> TableVersion:
    return tables.release(name, advice.known.on) or TableVersion(name, BUILT_IN)


def _other(edit: PtpEdit, code: str) -> str:
    return edit.column_2 if edit.column_1 == code else edit.column_1


def _primaries(name: str, label: str, tables: StoredTables, advice: Advice) -> CodeFact:
    code, on = advice.known.code, advice.known.on
    addon = tables.addon(code, on)
    table = _of(tables, "ncci_addon", advice)
    if addon is None:
        if unsure := _unsure(tables, "ncci_addon", advice):
            return CodeFact(_PAIRS, name, label, missing=unsure)
        return CodeFact(_PAIRS, name, label, lines=("none, it is not an add-on code",), table=table)
    listed = f": {' '.join(addon.primaries)}" if addon.primaries else ""
    return CodeFact(
        _PAIRS,
        name,
        label,
        {"type": addon.type, "codes": addon.primaries},
        means=_TYPES[addon.type],
        lines=(f"an add-on code, type {addon.type}: {_TYPES[addon.type]}{listed}",),
        table=table,
        since=tables.known_since("ncci_addon", code, on),
    )


def _pairs(tables: StoredTables, advice: Advice) -> CodeFact:
    """How many codes are paired with this one, by column and indicator."""
    code = advice.known.code
    name, label = "ptp", "PTP pairs"
    if unsure := _unsure(tables, "ncci_ptp", advice):
        return CodeFact(_PAIRS, name, label, missing=unsure)
    complete = tables.release("ncci_ptp", advice.known.on) is not None
    counts: dict[str, dict[str, int]] = {}
    texts = []
    for column in ("1", "2"):
        edits = [edit for edit in advice.known.partners if (edit.column_1 == code) == (column == "1")]
        by = {each: sum(edit.indicator == each for edit in edits) for each in ("0", "1")}
        counts[f"column_{column}"] = by
        parts = [f"{number} with indicator {each}" for each, number in by.items() if number]
        codes = "1 code" if len(edits) == 1 else f"{len(edits)} codes"
        if edits:
            texts.append(f"as column {column} with {codes}: {', '.join(parts)}")
    if not complete:
        texts.append(f"of therapy codes alone; for all, import {FILES['ncci_ptp']}")
    return CodeFact(
        _PAIRS,
        name,
        label,
        {**counts, "complete": complete},
        lines=tuple(texts) or ("none",),
        table=_of(tables, "ncci_ptp", advice),
    )


def _therapy_pairs(tables: StoredTables, advice: Advice) -> CodeFact:
    """The pairs with therapy codes, each by name."""
    code, on = advice.known.code, advice.known.on
    name, label = "ptp_therapy", "of therapy codes"
    found = []
    codes: dict[str, list[str]] = {"1": [], "2": []}
    for edit in advice.known.partners:
        other = _other(edit, code)
        partner = tables.procedure(other, on)
        if partner is None or not partner.therapy:
            continue
        column = "1" if edit.column_1 == code else "2"
        codes[column].append(f"{other} ({edit.indicator})")
        found.append(
            {
                "code": other,
                "column_of_code": column,
                "indicator": edit.indicator,
                "since": iso(edit.effective),
                "rationale": edit.rationale or None,
            }
        )
    if not found and (unsure := _unsure(tables, "ncci_ptp", advice)):
        return CodeFact(_PAIRS, name, label, missing=unsure)
    texts = [f"as column {column} with {' '.join(each)}" for column, each in codes.items() if each]
    if texts:
        texts.append("(0): no modifier releases the pair; (1): one does")
    table = _of(tables, "ncci_ptp", advice)
    return CodeFact(_PAIRS, name, label, found, lines=tuple(texts) or ("none",), table=table)


# -- fee schedule and classes -------------------------------------------------------------------------------


def _fee_schedule(tables: StoredTables, advice: Advice) -> Iterator[CodeFact]:
    code, on = advice.known.code, advice.known.on
    group, known = "Fee schedule", advice.known.procedure
    release = tables.release("mpfs", on)
    table = release or (known.table if known is not None else None)
    since = tables.known_since("mpfs", code, on)
    for name, label in _LABELS.items():
        value = str(getattr(known, name)) if known is not None else ""
        if not value:
            yield CodeFact(group, name, label, missing=_missing(tables, "mpfs", on))
            continue
        means = FEE_SCHEDULE[name].get(value, "")
        yield CodeFact(group, name, label, value, means, (_said(value, means),), table, since)
    units = tables.value_units(code, on)
    missing = _missing(tables, "mpfs", on)
    if units is None or not units.supervision:
        yield CodeFact(group, "supervision", "Supervision", missing=missing)
    else:
        level = units.supervision
        means = FEE_SCHEDULE["supervision"].get(level, "")
        yield CodeFact(
            group, "supervision", "Supervision", level, means, (_said(level, means),), table, since
        )
    if units is None or units.work is None:
        yield CodeFact(group, "rvus", "RVUs", missing=missing)
        return
    outside, inside = _units(units.practice_outside), _units(units.practice_inside)
    totals = _units(units.total_outside), _units(units.total_inside)
    rare = [
        place
        for place, marked in (
            ("outside a facility", units.rare_outside),
            ("in a facility", units.rare_inside),
        )
        if marked
    ]
    yield CodeFact(
        group,
        "rvus",
        "RVUs",
        {
            "work": _units(units.work),
            "practice_expense_non_facility": outside,
            "practice_expense_facility": inside,
            "malpractice": _units(units.malpractice),
            "total_non_facility": totals[0],
            "total_facility": totals[1],
            "rare_in_non_facility": units.rare_outside,
            "rare_in_facility": units.rare_inside,
        },
        lines=(
            f"work {_units(units.work)}, malpractice {_units(units.malpractice)}",
            f"practice expense {outside}, in a facility {inside}",
            f"total {totals[0]}, in a facility {totals[1]}",
            *(f"rarely or never given {place}" for place in rare),
        ),
        table=table,
        since=since,
    )


def _units(thousandths: int | None) -> str:
    """`0.44`, `12.345`."""
    if thousandths is None:
        return "-"
    text = f"{thousandths // 1000}.{thousandths % 1000:03}"
    return text.removesuffix("0")


def _said(value: str, means: str) -> str:
    return f"{value}: {means}" if means else value


def _classes(tables: StoredTables, advice: Advice) -> Iterator[CodeFact]:
    code, on = advice.known.code, advice.known.on
    group = "Classes"
    listed = tables.service_class("hcpcs", code, on)
    missing = _missing(tables, "hcpcs", on)
    if is_level_1(code) and tables.release("hcpcs", on) is not None and not tables.is_outdated("hcpcs", on):
        missing += "; CMS's public file has level II alone"
    if listed is not None and listed.types:
        words = [_said(each, TYPES_OF_SERVICE.get(each, "")) for each in listed.types]
        since = tables.known_since("hcpcs", code, on)
        yield CodeFact(
            group, "type_of_service", "Type of service", list(listed.types), "; ".join(words),
            ("; ".join(words),), listed.table, since,
        )  # fmt: skip
    else:
        yield CodeFact(group, "type_of_service", "Type of service", missing=missing)
    betos = listed if listed is not None and listed.name else tables.service_class("betos", code, on)
    if betos is not None:
        means = BETOS.get(betos.name[0], "")
        yield CodeFact(group, "betos", "BETOS", betos.name, means, (_said(betos.name, means),), betos.table)
    else:
        yield CodeFact(group, "betos", "BETOS", missing=_missing(tables, "betos", on))
    rbcs = tables.service_class("rbcs", code, on)
    if rbcs is not None:
        yield CodeFact(
            group, "rbcs", "RBCS", rbcs.name, rbcs.words, (_said(rbcs.name, rbcs.words),), rbcs.table
        )
    else:
        yield CodeFact(group, "rbcs", "RBCS", missing=_missing(tables, "rbcs", on))
    hospital = tables.outpatient(code, on)
    if hospital is None:
        yield CodeFact(group, "opps", "APC status", missing=_missing(tables, "opps", on))
        return
    means = OUTPATIENT_STATUS.get(hospital.status, "")
    yield CodeFact(
        group,
        "opps",
        "APC status",
        {"status_indicator": hospital.status, "apc": hospital.group or None},
        means,
        (_said(hospital.status, means) + (f"; APC {hospital.group}" if hospital.group else "; no APC"),),
        hospital.table,
        tables.known_since("opps", code, on),
    )


# -- what the rules say -------------------------------------------------------------------------------------


def _modifiers(advice: Advice) -> Iterator[CodeFact]:
    if advice.asked:
        yield CodeFact(
            "Without a modifier (Medicare)",
            "modifiers_asked",
            "",
            [_against(each) for each in advice.asked],
            lines=tuple(each.why for each in advice.asked),
        )
    yield CodeFact(
        "Modifiers that make sense",
        "modifiers",
        "",
        [
            {"modifier": each.modifier, "means": each.words, "caution": each.caution or None}
            for each in advice.fitting
        ],
        lines=tuple(
            f"{each.modifier}  {each.words}{f' ({each.caution})' if each.caution else ''}"
            for each in advice.fitting
        ),
    )
    for severity, group in (
        ("error", "Modifiers that do not fit (Medicare rejects the line)"),
        ("warning", "Modifiers that seldom fit (a warning)"),
    ):
        found = [each for each in advice.against if each.severity == severity]
        yield CodeFact(
            group,
            f"modifiers_{severity}",
            "",
            [_against(each) for each in found],
            lines=tuple(f"{' '.join(each.modifiers)}  {each.why}" for each in found),
        )


def _against(each: Against) -> dict[str, Json]:
    return {"modifiers": each.modifiers, "rule": each.rule, "why": each.why}


def _record(advice: Advice) -> Iterator[CodeFact]:
    dotted = [f"{each[:3]}.{each[3:]}" if len(each) > 3 else each for each in advice.diagnoses]
    words = [FAMILIES.get(each, "") for each in advice.diagnoses]
    pairs = list(zip(dotted, words, strict=True))
    yield CodeFact(
        "Usual diagnoses (and all codes that begin so)",
        "diagnoses",
        "",
        [{"family": family, "means": text or None} for family, text in pairs],
        lines=tuple(f"{family}  {text}".rstrip() for family, text in pairs),
    )
    yield CodeFact(
        "The record should show",
        "record",
        "",
        [{"text": line, "rules": rules} for line, rules in advice.record],
        lines=tuple(f"- {line}" for line, _ in advice.record),
    )
