"""Makes files in the layouts of CMS, whole or as small as a test needs; by hand: make_cms_files.py FOLDER.

The whole practitioner PTP set is laid out from `ptp_prac_2024.csv.gz` of the reference data, which has no
effective dates: each row gets one of the first days of a quarter from 1996 on, chosen by its codes. The
rows of a day on which the edit ended are therefore true, the day on which it began is not.
"""

import csv
import gzip
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from paths import REFERENCE

WHOLE_PTP = REFERENCE / "ptp_prac_2024.csv.gz"

PTP_HEAD = (
    "CPT only copyright\t\t\t\t\t\t\r\n"
    "Column1/Column2 Edits\t\t\t\t\t\t\r\n"
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\r\n"
    "\t\tprior to 1996\tDate\tDate\t0=not allowed\t\r\n"
    "\t\t\t\t*=no data\t1=allowed\t\r\n"
    "\t\t\t\t\t9=not applicable\t\r\n"
)
MEDICAID_HEAD = (
    "Column 1\tColumn 2\tEffective Date\tDeletion Date\tModifier Indicator\tPTP Edit Rationale\r\n"
)
MUE_HEAD = (
    '"A notice of copyright. \n\nIt has several paragraphs, ""quoted"",\nin one cell.",,,\n'
    '"HCPCS/\nCPT Code",Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n'
)
MPFS_HEAD = (
    ",,2026 National Physician Fee Schedule Relative Value File July Release,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
    ",,A notice of copyright,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
    + "," * 31
    + "\n"
    + ",,,,,,,,,,,,,PCTC,GLOB,PRE,INTRA,POST,MULT,BILAT,ASST,CO-,TEAM,ENDO,CONV,,,,,,\n"
    "HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,"
    "OP,OP,OP,PROC,SURG,SURG,SURG,SURG,IND,BASE,FACTOR,PROCEDURES,FLAG,INDICATOR,AMOUNT,AMOUNT,AMOUNT\n"
)
MAI = {"1": "1 Line Edit", "2": "2 Date of Service Edit: Policy", "3": "3 Date of Service Edit: Clinical"}
ADDON_CAPTIONS = [
    "AOC_Edit_Type",
    "Add-On_Code",
    "AOC_DelDT",
    "Primary_Code",
    "Primary_Code_DelDT",
    "AOC_Edit_EffDT",
    "AOC_Edit_DelDT",
    "Special_Instruction_Notes",
]


def ptp_text(rows: Iterable[Sequence[str]], head: str = PTP_HEAD) -> str:
    """Rows of column 1, column 2, ["*" or "",] effective, deletion or "*", indicator, rationale."""
    return head + "".join("\t".join(row) + "\r\n" for row in rows)


def mue_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of code, value, adjudication indicator (a digit), rationale."""
    return MUE_HEAD + "".join(f"{code},{value},{MAI[mai]},{why}\n" for code, value, mai, why in rows)


def addon_line(
    kind: str,
    addon: str,
    primary: str,
    first: str,
    last: str = "",
    *,
    addon_end: str = "",
    primary_end: str = "",
    note: str = "",
) -> str:
    """A line of 97 characters; dates YYYYDDD."""
    fields = (
        (kind, 1),
        (addon, 5),
        (addon_end, 7),
        (primary, 5),
        (primary_end, 7),
        (first, 7),
        (last, 7),
        (note, 58),
    )
    return "".join(text.ljust(width) for text, width in fields) + "\r\n"


NO_UNITS = "0.00,0.00,,0.00,,0.00,0.00,0.00"


def mpfs_line(
    code: str,
    modifier: str,
    status: str,
    indicators: Sequence[str],
    *,
    units: str = NO_UNITS,
    supervision: str = "09",
) -> str:
    """`indicators`: PC/TC, global days, multiple procedures, bilateral, assistant, co-surgeon, team.

    `units`: the cells of work, practice expense with its mark outside and in a facility, malpractice, totals.
    """
    pctc, days, multiple, bilateral, assistant, co, team = indicators
    return (
        f'{code},{modifier},"(text, left out)",{status},,{units},{pctc},{days},'
        f"0.00,0.00,0.00,{multiple},{bilateral},{assistant},{co},{team},9,,33.4009,{supervision},0,99,"
        "0.00,0.00,0.00\n"
    )


def hcpcs_line(code: str, kind: str, first: str, last: str = "", *, betos: str = "", types: str = "") -> str:
    """A record of 320 characters; dates CCYYMMDD; `types` are up to five types of service."""
    text = f"{code:<5}00100{kind}".ljust(256) + f"{betos:<3} {types:<5}".ljust(12)
    return f"{text}{first:<8}{first:<8}{last:<8}N".ljust(320) + "\r\n"


def betos_line(code: str, betos: str, last: str = "") -> str:
    """A record of 17 characters, or of 9 where the code goes on."""
    return f"{code} {betos:<3}{last}\r\n"


RBCS_HEAD = (
    "HCPCS_Cd,RBCS_Id,RBCS_Cat,RBCS_Cat_Desc,RBCS_Cat_Subcat,RBCS_Subcat_Desc,RBCS_FamNumb,RBCS_Family_Desc,"
    "RBCS_Major_Ind,HCPCS_Cd_Add_Dt,HCPCS_Cd_End_Dt,RBCS_Latest_Assignment,First_RBCS_Release_Year,"
    "RBCS_Analysis_Start_Dt,RBCS_Analysis_End_Dt,Alt_Assignment_Method,RBCS_Id_Ever_Reassigned\n"
)


def rbcs_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of code, class, its category and subcategory in words, first and last day (MM/DD/YYYY), 1 for the
    latest class of a code and 0 for an earlier one.
    """
    return RBCS_HEAD + "".join(
        f'{code},{name},{name[0]},{category},{name[:2]},"{subcategory}",{name[2:5]},(a family),{name[5]},'
        f"{first},{last},{latest},2020,01/01/2014,12/31/9999,0,0\n"
        for code, name, category, subcategory, first, last, latest in rows
    )


OPPS_HEAD = (
    "Addendum B.-Final OPPS Payment by HCPCS Code for CY 2026,,,,,,,,,\n"
    '"A notice of copyright, in one cell.",,,,,,,,,\n'
    ",,,,,,,,,\n"
    "HCPCS Code,Short Descriptor,SI,APC,Relative Weight,Payment Rate,National Unadjusted Copayment,"
    'Minimum Unadjusted Copayment,"Note: Actual copayments would be lower, if capped",* Indicates a Change\n'
)


def opps_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of code, status indicator, APC; a note stands below them, as CMS puts some."""
    lines = [
        f'{code},"(text, left out)",{status},{group},1.4879,$136.02 ,,,,\n' for code, status, group in rows
    ]
    return OPPS_HEAD + "".join(lines) + '"* This is a note, of several words.",,,,,,,,,\n'


def icd_line(order: int, code: str, billable: bool) -> str:
    return f"{order:05} {code:<7} {int(billable)} {'Short text':<60} Long text\r\n"


TAXONOMY_HEAD = "Code,Grouping,Classification,Specialization,Definition,Notes,Display Name,Section\r\n"
DATED_TAXONOMY_HEAD = (
    "Code,Grouping,Classification,Specialization,Definition,Effective Date,Deactivation Date,"
    "Last Modified Date,Notes\r\n"
)
REASON_HEAD = "Code,Description,Start Date,Last Modified,Stop Date,Notes\r\n"


def taxonomy_text(codes: Iterable[str]) -> str:
    """The list as it is published, which has no days."""
    body = '"A group, of some sort","Some class",,"Words on\r\nseveral lines.",,Shown,Individual'
    return TAXONOMY_HEAD + "".join(f"{code},{body}\r\n" for code in codes)


def dated_taxonomy_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of code, effective and deactivation date."""
    return DATED_TAXONOMY_HEAD + "".join(f"{code},G,C,,,{first},{last},,\r\n" for code, first, last in rows)


def reasons_text(rows: Iterable[Sequence[str]]) -> str:
    """Reason or remark codes: rows of code, start and stop."""
    return REASON_HEAD + "".join(f'{code},"Words, some",{first},,{last},\r\n' for code, first, last in rows)


def write_workbook(path: Path, rows: Iterable[Sequence[str | int]], *, strings: bool = True) -> None:
    """A workbook of one sheet, with its texts shared, or in the cells."""
    shared: dict[str, int] = {}
    start = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(start + b"<sheetData>")
            for number, row in enumerate(rows, 1):
                cells = []
                for index, value in enumerate(row):
                    place = f'r="{chr(65 + index)}{number}"'
                    if isinstance(value, int):
                        cells.append(f"<c {place}><v>{value}</v></c>")
                    elif value and strings:
                        text = shared.setdefault(value, len(shared))
                        cells.append(f'<c {place} t="s"><v>{text}</v></c>')
                    elif value:
                        cells.append(f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>')
                sheet.write(f'<row r="{number}">{"".join(cells)}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in shared)
        book.writestr("xl/sharedStrings.xml", f'<?xml version="1.0"?><sst xmlns="x">{texts}</sst>')
        book.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types/>')


def reference_rows() -> Iterable[tuple[str, str, str, str, str, str, str]]:
    """The rows of the whole PTP set, as the text file has them."""
    with gzip.open(WHOLE_PTP, "rt", newline="") as file:
        reader = csv.reader(file)
        assert next(reader) == ["column_1", "column_2", "deleted", "mod", "rationale"]
        for one, two, end, indicator, rationale in reader:
            deleted = end.replace("-", "") if end and end < "9999" else "*"
            seed = sum((one + two).encode())
            first = f"{1996 + seed % 28}{seed % 4 * 3 + 1:02}01"
            if deleted != "*" and deleted < first:
                first = "19960101"
            yield one, two, "*" if seed % 50 == 0 else "", first, deleted, indicator, rationale


def write_whole_ptp(folder: Path) -> list[Path]:
    """The whole set as four text files, cut as CMS cuts it; about 170 MB."""
    paths = [folder / f"ccipra-v302r0-f{part}.txt" for part in (1, 2, 3, 4)]
    files = [path.open("w", newline="") for path in paths]
    try:
        for file in files:
            file.write(PTP_HEAD)
        for row in reference_rows():
            part = 0 if row[0] < "26" else 1 if row[0] < "37" else 2 if row[0] < "61" else 3
            files[part].write("\t".join(row) + "\r\n")
    finally:
        for file in files:
            file.close()
    return paths


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for written in write_whole_ptp(target):
        print(written)
