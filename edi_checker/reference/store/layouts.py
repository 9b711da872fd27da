"""The layouts in which CMS, NUCC and X12 publish their tables: which one a file has, and its rows.

Layouts as published in 2026; columns of tables with captions are found by them, never by number.
Descriptors are left where they are: none is taken over. A row that does not fit is Malformed, with the line
that holds it: of a table with a hole nobody could say afterwards what "no such row" means.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain, dropwhile

from edi_checker.reference.codesets.lists import LEVEL_1, TAXONOMY
from edi_checker.x12.dates import NO_END, day, from_date, read_iso

# Number of the line or row, and its cells.
Row = tuple[int, list[str]]
# Key, first day, last day, payload, text: what a packer takes.
Entry = tuple[bytes, int, int, bytes, str]

# Tables that some of their captions tell, wherever these stand.
_CAPTIONS = {
    "taxonomy": {"code", "classification", "specialization"},
    "opps": {"hcpcscode", "si", "apc"},
    "rbcs": {"hcpcscd", "rbcsid"},
}
HEAD = 40  # rows within which the captions of a table stand

_CODE = re.compile(r"[0-9A-Z]{5}")
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z]{2,6}")
# The BETOS file: 17 characters of code, class and, if the code has ended, its last day.
_BETOS_RECORD = re.compile(r"([0-9A-Z]{5}) ([A-Z]\d[0-9A-Z ]?)(\d{8})?", re.ASCII)
_GLOBAL_DAYS = frozenset(("000", "010", "090", "MMM", "XXX", "YYY", "ZZZ"))


class Malformed(Exception):
    """A file does not have the layout that it seems to have. `line` counts from 1; 0 for no line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Unwanted(Exception):
    """A table that is not for professional claims; the message says which one is."""


# -- which table --------------------------------------------------------------------------------------------


def find_table(head: Sequence[Row]) -> str | None:
    """The table whose captions stand among the first rows of a file with columns, None for no known one.

    Medicaid's tables, which lack a column that Medicare's have, come with `_medicaid`. Raises Unwanted.
    """
    for index, (_, cells) in enumerate(head[:HEAD]):
        captions = [_plain(cell) for cell in cells]
        if captions[:2] == ["column1", "column2"]:
            return (
                "ncci_ptp" if any("inexistence" in caption for caption in captions) else "ncci_ptp_medicaid"
            )
        if any("muevalue" in caption for caption in captions):
            for unwanted in ("outpatienthospital", "dmesupplier"):
                if any(unwanted in caption for caption in captions):
                    raise Unwanted("the MUE table of another setting; claims of practitioners need theirs")
            judged = any("adjudicationindicator" in caption for caption in captions)
            return "ncci_mue" if judged else "ncci_mue_medicaid"
        if "addoncode" in captions and "primarycode" in captions:
            return "ncci_addon"
        if captions[:2] == ["hcpcs", "mod"] and _indicators_at(captions) is not None:
            return "mpfs"
        if captions[:1] == ["hcpc"] and "recid" in captions:
            return "hcpcs"
        if captions[1:] == ["from", "until"] and captions[0] in ("code", "cpt"):
            return "single_dose" if captions[0] == "code" else "cpt"
        for table, wanted in _CAPTIONS.items():
            if wanted <= set(captions):
                return table
        if _columns_of_reasons(captions) is not None:
            return _tell_reasons(head[index + 1 : HEAD])
        if index == 0 and len(cells) >= 5 and _is_code(cells[0]) and _is_code(cells[1]):
            # Without captions the column for edits older than 1996 tells which of the two it is.
            older = cells[2].strip() in ("", "*")
            return "ncci_ptp" if older else "ncci_ptp_medicaid"
    return None


def find_fixed(lines: Sequence[str]) -> str | None:
    """The table that has lines of fixed columns like the first ones of a file, None for no known one."""
    for line in lines[:HEAD]:
        if re.match(r"\d{5} [A-Z][0-9A-Z]{2,6} {1,5}[01] ", line):
            return "icd10cm"
        if re.match(r"[0-9A-Z]{5}\d{5}[3478]", line) and len(line.rstrip("\r\n")) >= 276:
            return "hcpcs"
        if re.match(r"[123][0-9A-Z]{5} +[0-9A-Z]{5} +\d{7}", line):
            return "ncci_addon"
        if _BETOS_RECORD.fullmatch(line.rstrip()) is not None:
            return "betos"
    return None


def read_table(table: str, rows: Iterable[Row]) -> Iterator[Entry]:
    """The rows of a table with columns. Raises Malformed."""
    return _READERS[table.removesuffix("_medicaid")](rows)


def read_fixed(table: str, lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    """The rows of a table of fixed columns, from its numbered lines. Raises Malformed."""
    return _FIXED[table.removesuffix("_medicaid")](lines)


def title_of(head: Sequence[Row]) -> str:
    """What stands above the captions, in which some tables name their release."""
    return " ".join(cell for _, cells in head[:HEAD] for cell in cells[:4])[:4000]


# -- cells --------------------------------------------------------------------------------------------------


def _plain(caption: str) -> str:
    """A caption without what differs between the forms of a file: `addoncode` of `Add-On_Code`."""
    return re.sub(r"[^a-z0-9]", "", caption.lower())


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text.strip()) is not None


def _shown(text: str) -> str:
    """A value for a message: short, and without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text[:24]) or "nothing"


class _Codes(dict[str, bytes]):
    """Procedure codes as keys; each is looked at once."""

    def __missing__(self, text: str) -> bytes:
        code = text.strip()
        if not _CODE.fullmatch(code):
            raise ValueError(f"a code of five characters is expected, not {_shown(text)}")
        self[text] = key = code.encode("ascii")
        return key


class _Days(dict[str, int]):
    """Dates as CCYYMMDD; each is looked at once."""

    def __init__(self, empty: Mapping[str, int], parse: Callable[[str], int]) -> None:
        super().__init__(empty)
        self._parse = parse

    def __missing__(self, text: str) -> int:
        day = self[text] = self._parse(text.strip())
        return day


def parse_day(text: str) -> int:
    """CCYYMMDD of `20260701`, `2026-07-01`, `7/1/2026` or a workbook's count of days. Raises ValueError."""
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        on = day(text)
    elif found := re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:[ T]00:00:00)?", text, re.ASCII):
        on = read_iso(found[1])
    elif found := re.fullmatch(r"(\d\d?)/(\d\d?)/(\d{4})", text, re.ASCII):
        on = day(f"{found[3]}{found[1]:0>2}{found[2]:0>2}")
    elif re.fullmatch(r"[2-5]\d{4}", text, re.ASCII):
        # Days since 1899-12-30, from 1954 to 2064.
        on = from_date(date(1899, 12, 30) + timedelta(days=int(text)))
    else:
        raise ValueError(f"a date is expected, not {_shown(text)}")
    if on is None or on < ALWAYS:
        raise ValueError(f"{_shown(text)} is not a date")
    return on


def _parse_julian(text: str) -> int:
    """CCYYMMDD of YYYYDDD. Raises ValueError."""
    if not re.fullmatch(r"\d{7}", text, re.ASCII):
        raise ValueError(f"a date YYYYDDD is expected, not {_shown(text)}")
    if text == "9999999":
        return NO_END
    year, number = int(text[:4]), int(text[4:])
    if year < 1900 or not 1 <= number <= 365 + isleap(year):
        raise ValueError(f"{text} is not a date YYYYDDD")
    return from_date(date(year, 1, 1) + timedelta(days=number - 1))


def _open_end(parse: Callable[[str], int]) -> Callable[[str], int]:
    """A date, or the ways in which CMS says that there is none."""
    return lambda text: NO_END if text in ("", "*") else parse(text)


def _blank(cells: Iterable[str]) -> bool:
    return not any(cell.strip() for cell in cells)


def _body(
    rows: Iterable[Row], find: Callable[[list[str]], dict[str, int] | None]
) -> Iterator[Row | dict[str, int]]:
    """The columns by caption, once they are found, then the rows below that are not blank."""
    captions = None
    for count, (number, cells) in enumerate(rows):
        if captions is not None:
            if not _blank(cells):
                yield number, cells
            continue
        if count > HEAD:
            break
        captions = find([_plain(cell) for cell in cells])
        if captions is not None:
            yield captions
    if captions is None:
        raise Malformed(0, "a column of the table is missing, or its caption")


def _table(
    rows: Iterable[Row], find: Callable[[list[str]], dict[str, int] | None]
) -> tuple[dict[str, int], Iterator[Row]]:
    body = _body(rows, find)
    captions = next(body)
    assert isinstance(captions, dict)
    return captions, (row for row in body if not isinstance(row, dict))


def _columns(captions: list[str], wanted: Mapping[str, str | tuple[str, ...]]) -> dict[str, int] | None:
    """The index of the first caption that begins with each wanted text, or one of several; None where one is
    missing.
    """
    found = {}
    for name, start in wanted.items():
        index = next((i for i, caption in enumerate(captions) if caption.startswith(start)), None)
        if index is None:
            return None
        found[name] = index
    return found


def _cell(cells: list[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


# -- procedure-to-procedure edits ---------------------------------------------------------------------------

_INDICATORS = {"0": b"0", "1": b"1", "9": b"9"}


def _read_ptp(rows: Iterable[Row]) -> Iterator[Entry]:
    """Column 1, column 2, [* if older than 1996,] effective, deletion (* for none), indicator, rationale."""
    codes = _Codes()
    firsts = _Days({}, parse_day)
    lasts = _Days({"*": NO_END, "": NO_END}, parse_day)
    older, body = _find_ptp(rows)
    shift = 1 if older else 0
    for number, cells in body:
        try:
            rationale = cells[5 + shift].strip() if len(cells) > 5 + shift else ""
            if len(cells) > 6 + shift and not _blank(cells[6 + shift :]):
                raise Malformed(number, "more columns than the table has")
            if older and cells[2] not in ("", "*"):
                raise Malformed(number, f"* or nothing is expected in column 3, not {_shown(cells[2])}")
            if older and not cells[4]:
                raise Malformed(number, "a deletion date or * is expected")
            yield (
                codes[cells[0]] + codes[cells[1]],
                firsts[cells[2 + shift]],
                lasts[cells[3 + shift]],
                _INDICATORS[cells[4 + shift].strip()],
                rationale,
            )
        except IndexError:
            if _blank(cells):
                continue
            raise Malformed(number, f"{len(cells)} columns, where {5 + shift} are needed") from None
        except KeyError:
            raise Malformed(
                number, f"a modifier indicator of 0, 1 or 9 is expected, not {_shown(cells[4 + shift])}"
            ) from None
        except ValueError as error:
            if _blank(cells):
                continue
            raise Malformed(number, str(error)) from None


def _find_ptp(rows: Iterable[Row]) -> tuple[bool, Iterator[Row]]:
    """Whether the table has Medicare's column for edits older than 1996, and its rows below the captions."""
    left = iter(rows)
    for number, cells in left:
        captions = [_plain(cell) for cell in cells]
        if captions[:2] == ["column1", "column2"]:
            # the captions take several lines
            body = dropwhile(lambda row: row[0] <= HEAD and not _cell(row[1], 0), left)
            return any("inexistence" in caption for caption in captions), body
        if len(cells) >= 5 and _is_code(cells[0]) and _is_code(cells[1]):
            return cells[2].strip() in ("", "*"), chain([(number, cells)], left)
        if number > HEAD:
            break
    return False, iter(())


# -- medically unlikely edits -------------------------------------------------------------------------------


def _read_mue(rows: Iterable[Row]) -> Iterator[Entry]:
    """Code, value, adjudication indicator (a digit and its words), rationale.

    Medicaid's table has no indicator: its limits are those of a line.
    """

    def find(captions: list[str]) -> dict[str, int] | None:
        found = _columns(captions, {"code": "hcpcscptcode"})
        value = next((i for i, caption in enumerate(captions) if "muevalue" in caption), None)
        if found is None or value is None:
            return None
        found["value"] = value
        for name, part in (("mai", "adjudicationindicator"), ("rationale", "rationale")):
            index = next((i for i, caption in enumerate(captions) if part in caption), None)
            if index is not None:
                found[name] = index
        return found

    columns, body = _table(rows, find)
    codes = _Codes()
    seen: dict[bytes, tuple[str, bytes]] = {}
    for number, cells in body:
        code, value = _code(codes, cells, columns["code"], number), _cell(cells, columns["value"])
        if not re.fullmatch(r"\d{1,6}", value, re.ASCII):
            raise Malformed(number, f"a number of units is expected, not {_shown(value)}")
        mai = _cell(cells, columns["mai"])[:1] if "mai" in columns else "1"
        if mai not in ("1", "2", "3"):
            raise Malformed(number, f"an adjudication indicator of 1, 2 or 3 is expected, not {_shown(mai)}")
        payload = f"{mai}{int(value):06}".encode("ascii")
        if seen.setdefault(code, (value, payload))[1] != payload:
            raise Malformed(number, f"{code.decode()} is there twice, with different limits")
        yield code, 0, NO_END, payload, _cell(cells, columns["rationale"]) if "rationale" in columns else ""


def _code(codes: _Codes, cells: list[str], index: int, number: int) -> bytes:
    try:
        return codes[_cell(cells, index)]
    except ValueError as error:
        raise Malformed(number, str(error)) from None


# -- add-on codes -------------------------------------------------------------------------------------------

_ADDON = {
    "type": "aocedittype",
    "addon": "addoncode",
    "addon_end": "aocdeldt",
    "primary": "primarycode",
    "primary_end": "primarycodedeldt",
    "first": "aocediteffdt",
    "last": "aoceditdeldt",
}


def _read_addon(rows: Iterable[Row]) -> Iterator[Entry]:
    """Type, add-on, its deletion, primary, its deletion, effective, deletion, notes; dates YYYYDDD."""
    columns, body = _table(rows, lambda captions: _columns(captions, _ADDON))
    for number, cells in body:
        yield _addon(number, *(_cell(cells, columns[name]) for name in _ADDON))


def _addon(
    number: int, kind: str, addon: str, addon_end: str, primary: str, primary_end: str, first: str, last: str
) -> Entry:
    if kind not in ("1", "2", "3"):
        raise Malformed(number, f"an add-on type of 1, 2 or 3 is expected, not {_shown(kind)}")
    for code in (addon, primary):
        if not _CODE.fullmatch(code):
            raise Malformed(number, f"a code of five characters is expected, not {_shown(code)}")
    end = _open_end(_parse_julian)
    try:
        # The pair holds no longer than either of its codes.
        until = min(end(addon_end), end(primary_end), end(last))
        return (addon + primary).encode("ascii"), _parse_julian(first), until, kind.encode("ascii"), ""
    except ValueError as error:
        raise Malformed(number, str(error)) from None


def _read_fixed_addon(lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    """Type in column 0, add-on, [its deletion,] primary, [its deletion,] effective, [deletion,] notes.

    Fields of fixed columns without any mark between them; of the four dates three are mostly blank. The
    columns of the primary and of the effective date are those at which most of the rows with no other date
    have them.
    """
    simple = re.compile(r"[123][0-9A-Z]{5} +([0-9A-Z]{5}) +(\d{7})(?!\d)", re.ASCII)
    taken: list[tuple[int, str]] = []
    columns: Counter[tuple[int, int]] = Counter()
    for number, line in lines:
        found = simple.match(line)
        if found is not None:
            columns[found.start(1), found.start(2)] += 1
        if found is None and not re.match(r"[123][0-9A-Z]{5}[ \d]", line, re.ASCII):
            if not line.strip() or (not taken and number <= HEAD):
                continue  # a notice above the rows
            raise Malformed(number, "not a row of add-on codes: type, add-on, primary and dates are expected")
        taken.append((number, line))
    if not columns:
        raise Malformed(0, "the columns of the table cannot be recognized")
    primary, first = columns.most_common(1)[0][0]
    for number, line in taken:
        last = re.match(r" {0,2}(\d{7})(?!\d)", line[first + 7 :], re.ASCII)
        yield _addon(
            number,
            line[0],
            line[1:6],
            line[6:primary].strip(),
            line[primary : primary + 5],
            line[primary + 5 : first].strip(),
            line[first : first + 7],
            last[1] if last else "",
        )


# -- physician fee schedule ---------------------------------------------------------------------------------

# The lowest line of captions over PC/TC, global days, three shares of the fee, multiple procedures,
# bilateral, assistant, co-surgeon and team: the one run of columns in which these words follow each other.
_RUN = ["ind", "days", "op", "op", "op", "proc", "surg", "surg", "surg", "surg"]


# The captions before that run: work, practice expense outside and in a facility, each with a mark where the
# service is rarely given there, malpractice, and the totals of both places.
_RVUS = ["rvu", "pervu", "indicator", "pervu", "indicator", "rvu", "total", "total"]
_NO_RVU = " " * 7


def _indicators_at(captions: list[str]) -> int | None:
    for index in range(len(captions) - len(_RUN) + 1):
        if captions[index : index + len(_RUN)] == _RUN:
            return index
    return None


def _read_mpfs(rows: Iterable[Row]) -> Iterator[Entry]:
    """Code, modifier, status, indicators, relative value units, supervision of diagnostic tests.

    Rows of a modifier (26, TC, 53) repeat the indicators: left out.
    """

    def find(captions: list[str]) -> dict[str, int] | None:
        start = _indicators_at(captions)
        if captions[:2] != ["hcpcs", "mod"] or start is None or "code" not in captions:
            return None
        found = {"status": captions.index("code"), "run": start}
        units = start - len(_RVUS)
        if captions[max(units, 0) : start] == _RVUS:
            found["rvus"] = units
        if "procedures" in captions:
            found["supervision"] = captions.index("procedures")
        return found

    columns, body = _table(rows, find)
    codes = _Codes()
    seen: dict[bytes, bytes] = {}
    for number, cells in body:
        code = _code(codes, cells, 0, number)
        start = columns["run"]
        if len(cells) < start + len(_RUN):
            raise Malformed(number, f"{len(cells)} columns, where {start + len(_RUN)} are needed")
        status, days = _cell(cells, columns["status"]), _cell(cells, start + 1)
        if days.isdigit():
            days = days.zfill(3)
        digits = [_cell(cells, start + offset) for offset in (0, 5, 6, 7, 8, 9)]
        if not re.fullmatch(r"[A-Z]", status):
            raise Malformed(number, f"a status code of one letter is expected, not {_shown(status)}")
        if days not in _GLOBAL_DAYS:
            raise Malformed(number, f"global days are expected, not {_shown(days)}")
        for digit in digits:
            if not re.fullmatch(r"\d", digit, re.ASCII):
                raise Malformed(number, f"an indicator of one digit is expected, not {_shown(digit)}")
        if _cell(cells, 1):
            continue
        indicators = status + digits[0] + days + "".join(digits[1:])
        units = _value_units(cells, columns.get("rvus"), number)
        payload = (indicators + _supervision(cells, columns.get("supervision"), number) + units).encode(
            "ascii"
        )
        if seen.setdefault(code, payload) != payload:
            raise Malformed(number, f"{code.decode()} is there twice, with different indicators")
        yield code, 0, NO_END, payload, ""


def _supervision(cells: list[str], index: int | None, number: int) -> str:
    """The level of supervision in two characters, blank where the table has none."""
    level = _cell(cells, index) if index is not None else ""
    if level and not re.fullmatch(r"\d[\dA]?", level, re.ASCII):
        raise Malformed(number, f"a level of supervision is expected, not {_shown(level)}")
    return level.zfill(2) if level else "  "


def _value_units(cells: list[str], start: int | None, number: int) -> str:
    """Six values in thousandths, of seven characters each, and the marks of both places: N where the service
    is rarely given there. Blank where the table has none.
    """
    if start is None:
        return _NO_RVU * 6 + "  "
    values = [_thousandths(_cell(cells, start + offset), number) for offset in (0, 1, 3, 5, 6, 7)]
    marks = ["N" if _cell(cells, start + offset).upper() == "NA" else " " for offset in (2, 4)]
    return "".join(values + marks)


def _thousandths(text: str, number: int) -> str:
    if not text or text.upper() == "NA":
        return _NO_RVU
    found = re.fullmatch(r"(\d{0,4})(?:\.(\d{0,3})0*)?", text, re.ASCII)
    if found is None:
        raise Malformed(number, f"relative value units are expected, not {_shown(text)}")
    return f"{found[1] or '0':0>4}{found[2] or '':0<3}"


# -- diagnoses ----------------------------------------------------------------------------------------------


def _read_icd10cm(lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    """The order file: order number, code at 7-13, at 15 whether it can be billed (1) or is a header (0)."""
    order = 0
    for number, line in lines:
        if not line.strip():
            continue
        found = re.match(r"(\d{5}) ([0-9A-Z ]{7}) ([01]) ", line, re.ASCII)
        code = found[2].rstrip() if found else ""
        if found is None or not _DIAGNOSIS.fullmatch(code):
            raise Malformed(number, "not a row of the order file: number, code and 0 or 1 are expected")
        if int(found[1]) <= order:
            raise Malformed(number, f"the order numbers do not rise at {found[1]}")
        order = int(found[1])
        yield code.encode("ascii"), 0, NO_END, found[3].encode("ascii"), ""


# -- HCPCS --------------------------------------------------------------------------------------------------


def _read_fixed_hcpcs(lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    """Code at 1-5, kind of record at 11 (3: first of a procedure), BETOS class at 257-259, types of service
    at 261-265, added at 269-276, ended at 285-292.
    """
    for number, line in lines:
        if not line.strip():
            continue
        if not re.match(r"[0-9A-Z ]{5}\d{5}[3478]", line, re.ASCII):
            raise Malformed(number, "not a record of HCPCS: code, sequence number and kind are expected")
        if line[10] == "3":
            yield _hcpcs(number, line[:5], line[268:276], line[284:292], line[256:259], line[260:265])


def _read_hcpcs(rows: Iterable[Row]) -> Iterator[Entry]:
    def find(captions: list[str]) -> dict[str, int] | None:
        found = _columns(captions, {"code": "hcpc", "kind": "recid", "first": "adddt", "last": "termdt"})
        if found is not None:
            names = ("betos", *(f"tos{number}" for number in range(1, 6)))
            found.update((name, captions.index(name)) for name in names if name in captions)
        return found

    columns, body = _table(rows, find)
    types = [index for name, index in columns.items() if name.startswith("tos")]
    for number, cells in body:
        code, kind, first, last = (_cell(cells, columns[name]) for name in ("code", "kind", "first", "last"))
        if kind not in ("3", "4", "7", "8"):
            raise Malformed(number, f"a kind of record of 3, 4, 7 or 8 is expected, not {_shown(kind)}")
        if kind == "3":
            betos = _cell(cells, columns["betos"]) if "betos" in columns else ""
            yield _hcpcs(number, code, first, last, betos, "".join(_cell(cells, index) for index in types))


def _hcpcs(number: int, code: str, first: str, last: str, betos: str, types: str) -> Entry:
    if not _CODE.fullmatch(code):
        raise Malformed(number, f"a code of five characters is expected, not {_shown(code)}")
    classes = f"{betos.strip():<3}{types.strip():<5}"
    if not re.fullmatch(r"[0-9A-Z ]{8}", classes, re.ASCII):
        raise Malformed(number, f"BETOS class and types of service are expected, not {_shown(classes)}")
    try:
        days = parse_day(first.strip()), _open_end(parse_day)(last.strip())
    except ValueError as error:
        raise Malformed(number, str(error)) from None
    return code.encode("ascii"), *days, classes.encode("ascii"), ""


# -- classes of services ------------------------------------------------------------------------------------


def _read_betos(lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    """Code at 1-5, BETOS class at 7-9, at 10-17 the day on which the code ended."""
    for number, line in lines:
        if not line.strip():
            continue
        found = _BETOS_RECORD.fullmatch(line.rstrip())
        if found is None:
            raise Malformed(number, "not a record of the BETOS file: code, class and last day are expected")
        last = _days_in_force(number, "", found[3] or "")[1]
        yield found[1].encode("ascii"), ALWAYS, last, f"{found[2].strip():<3}".encode("ascii"), ""


_RBCS = {
    "code": "hcpcscd",
    "class": "rbcsid",
    "category": "rbcscatdesc",
    "subcategory": "rbcssubcatdesc",
    "first": "hcpcscdadddt",
    "last": "hcpcscdenddt",
}


def _read_rbcs(rows: Iterable[Row]) -> Iterator[Entry]:
    """Code, class and its words, the code's days; of a code that was classified again the latest class."""

    def find(captions: list[str]) -> dict[str, int] | None:
        found = _columns(captions, _RBCS)
        if found is not None and "rbcslatestassignment" in captions:
            found["latest"] = captions.index("rbcslatestassignment")
        return found

    columns, body = _table(rows, find)
    codes = _Codes()
    for number, cells in body:
        code = _code(codes, cells, columns["code"], number)
        if "latest" in columns and _cell(cells, columns["latest"]) != "1":
            continue
        name, category, subcategory, first, last = (_cell(cells, columns[key]) for key in list(_RBCS)[1:])
        if not re.fullmatch(r"[A-Z]{2}[0-9A-Z]{4}", name, re.ASCII):
            raise Malformed(number, f"a class of six characters is expected, not {_shown(name)}")
        words = ": ".join(filter(None, (_words(category), _words(subcategory))))
        yield code, *_days_in_force(number, first, last), name.encode("ascii"), words


def _words(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:80]


# -- outpatient hospital payment ----------------------------------------------------------------------------


def _read_opps(rows: Iterable[Row]) -> Iterator[Entry]:
    """Addendum B: code, status indicator, APC. Notes stand below the rows, in the first column."""

    def find(captions: list[str]) -> dict[str, int] | None:
        if not {"hcpcscode", "si", "apc"} <= set(captions):
            return None
        return {name: captions.index(caption) for name, caption in _OPPS.items()}

    columns, body = _table(rows, find)
    codes = _Codes()
    seen: dict[bytes, bytes] = {}
    for number, cells in body:
        if len(_cell(cells, columns["code"])) > _LONGEST_CODE and _blank(cells[columns["code"] + 1 :]):
            continue
        code = _code(codes, cells, columns["code"], number)
        status, group = _cell(cells, columns["status"]), _cell(cells, columns["group"])
        if not re.fullmatch(r"[A-Z]\d?", status, re.ASCII):
            raise Malformed(number, f"a status indicator is expected, not {_shown(status)}")
        if not re.fullmatch(r"\d{0,5}", group, re.ASCII):
            raise Malformed(number, f"the number of an APC is expected, not {_shown(group)}")
        payload = f"{status:<2}{group.zfill(4) if group else '':<5}".encode("ascii")
        if seen.setdefault(code, payload) != payload:
            raise Malformed(number, f"{code.decode()} is there twice, with different status")
        yield code, 0, NO_END, payload, ""


_OPPS = {"code": "hcpcscode", "status": "si", "group": "apc"}
_LONGEST_CODE = 5


# -- lists of one's own -------------------------------------------------------------------------------------


def _read_own(caption: str, form: re.Pattern[str], what: str) -> Callable[[Iterable[Row]], Iterator[Entry]]:
    """The reader of a layout of ours: code, first and last day (2026-07-01 or 20260701; nothing for an open
    end). CMS names single-dose drugs in its payment files, not in a list, and CPT is the AMA's to hand out.
    """

    def read(rows: Iterable[Row]) -> Iterator[Entry]:
        wanted = {"code": caption, "first": "from", "last": "until"}
        columns, body = _table(rows, lambda captions: _columns(captions, wanted))
        for number, cells in body:
            code, first, last = (_cell(cells, columns[name]) for name in wanted)
            if not form.fullmatch(code):
                raise Malformed(number, f"a {what} is expected, not {_shown(code)}")
            try:
                since = parse_day(first)
            except ValueError as error:
                raise Malformed(number, str(error)) from None
            yield code.encode("ascii"), since, _days_in_force(number, first, last)[1], b"", ""

    return read


_read_single_dose = _read_own("code", re.compile(r"[A-Z][0-9]{4}"), "HCPCS code of level II")
_read_cpt = _read_own("cpt", LEVEL_1, "CPT code")


# -- provider taxonomy --------------------------------------------------------------------------------------


def _read_taxonomy(rows: Iterable[Row]) -> Iterator[Entry]:
    """Code, and what it means; in some forms the day on which it began, and the one on which it ended."""

    def find(captions: list[str]) -> dict[str, int] | None:
        if not {"code", "classification", "specialization"} <= set(captions):
            return None
        found = {"code": captions.index("code")}
        for name, starts in (("first", ("effective",)), ("last", ("deactivation", "termination"))):
            index = next((i for i, caption in enumerate(captions) if caption.startswith(starts)), None)
            if index is not None:
                found[name] = index
        return found

    columns, body = _table(rows, find)
    for number, cells in body:
        code = _cell(cells, columns["code"])
        if not TAXONOMY.fullmatch(code):
            raise Malformed(number, f"a taxonomy code of ten characters is expected, not {_shown(code)}")
        first, last = (_cell(cells, columns[name]) if name in columns else "" for name in ("first", "last"))
        yield code.encode("ascii"), *_days_in_force(number, first, last), b"", ""


# -- adjustment reasons and remarks -------------------------------------------------------------------------

ALWAYS = 19000101  # where a list does not say when a code began
_REASON = re.compile(r"[1-9][0-9]{0,2}|[A-LO-Z][0-9]{1,2}")
_REMARK = re.compile(r"(?:M|MA|N)[0-9]{1,4}")


def _columns_of_reasons(captions: list[str]) -> dict[str, int] | None:
    """Code, start and stop of a list of reason or remark codes, by its captions."""
    if not re.fullmatch(r"(?:carc|rarc|(?:adjustment)?reason|remark)?code|carc|rarc", (captions or [""])[0]):
        return None
    ends = ("stop", "deactivat", "terminat", "end")
    return _columns(captions, {"code": captions[0], "first": ("start", "effective"), "last": ends})


def _tell_reasons(below: Sequence[Row]) -> str | None:
    """Whether the codes below the captions are adjustment reasons or remarks, None for neither."""
    codes = [code for _, cells in below if (code := _cell(cells, 0))]
    for table, form in (("carc", _REASON), ("rarc", _REMARK)):
        if codes and all(form.fullmatch(code) for code in codes):
            return table
    return None


def _read_reasons(form: re.Pattern[str]) -> Callable[[Iterable[Row]], Iterator[Entry]]:
    def read(rows: Iterable[Row]) -> Iterator[Entry]:
        """Code, description, first and last day, and when it was last changed, in whatever order."""
        columns, body = _table(rows, _columns_of_reasons)
        for number, cells in body:
            code = _cell(cells, 0)
            if not form.fullmatch(code):
                raise Malformed(number, f"a code of its list is expected, not {_shown(code)}")
            first, last = (_cell(cells, columns[name]) for name in ("first", "last"))
            yield code.encode("ascii"), *_days_in_force(number, first, last), b"", ""

    return read


def _days_in_force(number: int, first: str, last: str) -> tuple[int, int]:
    """First and last day; nothing stands for no bound."""
    try:
        since = parse_day(first) if first else ALWAYS
        until = parse_day(last) if last else NO_END
    except ValueError as error:
        raise Malformed(number, str(error)) from None
    if until < since:
        raise Malformed(number, f"the last day, {_shown(last)}, is before the first")
    return since, until


_READERS: dict[str, Callable[[Iterable[Row]], Iterator[Entry]]] = {
    "ncci_ptp": _read_ptp,
    "ncci_mue": _read_mue,
    "ncci_addon": _read_addon,
    "mpfs": _read_mpfs,
    "hcpcs": _read_hcpcs,
    "single_dose": _read_single_dose,
    "taxonomy": _read_taxonomy,
    "cpt": _read_cpt,
    "carc": _read_reasons(_REASON),
    "rarc": _read_reasons(_REMARK),
    "rbcs": _read_rbcs,
    "opps": _read_opps,
}
_FIXED: dict[str, Callable[[Iterable[tuple[int, str]]], Iterator[Entry]]] = {
    "ncci_addon": _read_fixed_addon,
    "icd10cm": _read_icd10cm,
    "hcpcs": _read_fixed_hcpcs,
    "betos": _read_betos,
}
