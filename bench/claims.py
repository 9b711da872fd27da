"""Makes the files that are measured: claims of two makers in every shape that could be slow.

python bench/claims.py SHAPE CLAIMS PATH

SHAPE is one of SHAPES; those that begin with `second-` are of `second_maker`. PATH is a file; for
SMALL_FILES a folder, which is made. Whatever the size, no more than a claim is held. Printed is how many
claims must be rejected.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from generate_claims import FIRST_DAY, Seeded, generate  # noqa: E402  # found by the line above
from second_maker import make as make_second  # noqa: E402

SHAPES = {
    "clean": "clean: therapy and office visits, 1,000 claims a transaction set",
    "faulty-5": "5 % of the claims with one fault each, else as clean",
    "faulty-20": "20 % of the claims with one fault each, else as clean",
    "every-kind": "half of the claims of eleven other kinds, laboratory to ambulance",
    "one-set": "all claims in one transaction set",
    "fifty-lines": "50 lines on each claim that goes to one payer",
    "small-files": "ten claims a file",
    "second-clean": "of the second maker: clean",
    "second-noisy": "of the second maker: 20 % of the claims with a warning and 5 % with an error",
    "second-found": "of the second maker: every claim with a warning or an error of content",
    "second-small-files": "of the second maker: clean, ten claims a file",
    "second-returning": "of the second maker: clean, 300 patients a thousand claims, who come again",
}
# Files of ten claims, and the shape of the large file whose claims they have.
SMALL_FILES = {"small-files": "clean", "second-small-files": "second-clean"}
CLAIMS_PER_SMALL_FILE = 10
LINES = 50
# The lines of a long claim go on _STEP days later each time, and round after _DAYS: no two visits meet on a
# day (52 steps would bring the first to the second, two days later), and none is in the future.
_STEP, _DAYS = 11, 285

_CONTROL_OF_ISA = slice(90, 99)
_LINE_CHARGE = re.compile(r"\*HC:[^*]*\*([0-9.]+)\*")
_REFERENCE = re.compile(r"(?<=REF\*6R\*)[^~]*")
_DAY_OF_SERVICE = re.compile(r"(?<=DTP\*472\*D8\*)\d{8}")


def write_claims(shape: str, claims: int, path: Path) -> int:
    """Write so many claims of one of SHAPES, and return how many of them must be rejected.

    The same arguments give the same bytes. Raises ValueError for no claims, and for a shape that is none.
    """
    if shape in SMALL_FILES:
        path.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(_small_files(SMALL_FILES[shape], claims), 1):
            (path / f"{number:07d}.837").write_text(text)
        return 0
    rejected = 0
    with path.open("w") as out:
        for text, faulty in _pieces(shape, claims):
            out.write(text)
            rejected += faulty
    return rejected


def size_of(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    return sum(file.stat().st_size for file in path.iterdir()) if path.is_dir() else path.stat().st_size


def _pieces(shape: str, claims: int) -> Iterator[tuple[str, int]]:
    """The text in pieces, each with the number of its claims that must be rejected."""
    match shape:
        case "clean":
            return _all_right(generate(claims))
        case "faulty-5" | "faulty-20":
            return _faulty(claims, 0.05 if shape == "faulty-5" else 0.2)
        case "every-kind":
            return _all_right(generate(claims, every_kind=True))
        case "one-set":
            return _all_right(generate(claims, per_transaction=claims))
        case "fifty-lines":
            return _all_right(_lengthen(generate(claims)))
        case "second-clean" | "second-noisy" | "second-found" | "second-returning":
            made = make_second(shape.removeprefix("second-"), claims)
            return ((piece.text, int(piece.is_rejected)) for piece in made)
    raise ValueError(f"no such shape: {shape}")


def _all_right(texts: Iterator[str]) -> Iterator[tuple[str, int]]:
    return ((text, 0) for text in texts)


def _faulty(claims: int, part: float) -> Iterator[tuple[str, int]]:
    """Every fault of the first maker is one for which a claim is rejected."""
    seeded: list[Seeded] = []
    for text in generate(claims, invalid=part, seeded=seeded):
        yield text, len(seeded)
        seeded.clear()


def _small_files(shape: str, claims: int) -> Iterator[str]:
    """Each transaction set of a larger file of that shape in an envelope of its own."""
    if shape == "clean":
        pieces = generate(claims, per_transaction=CLAIMS_PER_SMALL_FILE)
        header, group = next(pieces), next(pieces)
    else:
        made = make_second(shape.removeprefix("second-"), claims, per_transaction=CLAIMS_PER_SMALL_FILE)
        pieces = (piece.text for piece in made)
        header, begins, rest = next(pieces).partition("GS*")
        group = begins + rest
    trailer = f"GE*1*{group.split('*')[6]}~\n"
    body: list[str] = []
    number = 0
    for piece in pieces:
        body.append(piece)
        if piece.startswith("SE*"):
            number += 1
            control = f"{number:09d}"
            own = header[: _CONTROL_OF_ISA.start] + control + header[_CONTROL_OF_ISA.stop :]
            yield "".join((own, group, *body, f"{trailer}IEA*1*{control}~\n"))
            body.clear()


def _lengthen(pieces: Iterator[str]) -> Iterator[str]:
    """The claims with LINES lines each, their charges and the counts of the sets made right."""
    count = 0
    for piece in pieces:
        text = piece
        if piece.startswith("ST*"):
            count = 0
        elif "~\nCLM*" in piece and "~\nSVD*" not in piece:
            text = _long_claim(piece)
        elif piece.startswith("SE*"):
            text = f"SE*{count + 1}*{piece.split('*')[2]}"
        count += text.count("~")
        yield text


def _long_claim(claim: str) -> str:
    """One claim with its lines said again, each time on later days, until there are LINES."""
    head, *lines = claim.split("LX*")
    made = []
    cents = 0
    for number in range(LINES):
        again, at = divmod(number, len(lines))
        _, _, line = lines[at].partition("~\n")
        day = _DAY_OF_SERVICE.search(line)
        assert day is not None
        line = line[: day.start()] + _later(day[0], again) + line[day.end() :]
        line = _REFERENCE.sub(rf"\g<0>-{number}", line)
        made.append(f"{number + 1}~\n{line}")
        charge = _LINE_CHARGE.search(line)
        assert charge is not None
        cents += round(float(charge[1]) * 100)
    total = f"{cents // 100}.{cents % 100:02d}".rstrip("0").rstrip(".") if cents % 100 else str(cents // 100)
    head = re.sub(r"(?<=~\nCLM\*)([^*]*)\*[^*]*", lambda found: f"{found[1]}*{total}", head)
    return "LX*".join((head, *made))


def _later(day: str, times: int) -> str:
    from_start = (date(int(day[:4]), int(day[4:6]), int(day[6:])) - FIRST_DAY).days
    return f"{FIRST_DAY + timedelta(days=(from_start + _STEP * times) % _DAYS):%Y%m%d}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("claims", type=int)
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    print(write_claims(given.shape, given.claims, given.path))


if __name__ == "__main__":
    main()
