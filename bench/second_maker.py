"""Makes 837P files as another house would write them: a second maker, that shares nothing with the first.

python bench/second_maker.py SHAPE CLAIMS PATH [--seed 0] [--per-transaction 1000] [--ordinary 0.12]

The claims are of an invented practice with many sites (`second_practice`): therapy, and by `--ordinary` a
part of other work, from office visits to braces. SHAPE is one of SHAPES. Claims are made one by one, and each
says what was put into it, so that whoever measures knows the verdict. The same arguments give the same bytes.

Of 100 claims of `noisy` 20 have one of second_faults.WARNINGS: a pointer or diagnosis twice, 97530 not told
apart from exercise or evaluation, a discipline unsaid or of somebody else, modifiers that do not belong, ids
that Medicare does not give, events in the future, and more. 5 are rejected: two thirds of them for one of
ERRORS (units, pairs, add-ons, modifiers, sums, NPI, diagnoses, days, the certifying provider, ...), one third
for one of GUIDE_FAULTS (elements and segments that are missing, wrong, too long, twice or out of place).
Into every claim of `found` one of WARNINGS or, one in five, of ERRORS is put, as far as any goes with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import second_practice as practice
from second_claims import Transaction
from second_desk import WORKING_DAYS, Case, House, take_case, workday, write_bill
from second_faults import must_be_rejected, put_content_into, put_something_into

SHAPES = {
    "clean": "every claim is right",
    "noisy": "20 % of the claims have a warning, 5 % an error",
    "found": "every claim has a warning or an error of content",
    "returning": "every claim is right, and the patients of 1,000 claims are 300, who come again",
}
ORDINARY = 0.12
_BLOCK, _PATIENTS = 1000, 300
_RETURN = 74  # days after which a patient comes again
_SENDER, _RECEIVER = "743311209", "OPENRANGE837"

# Who comes for a claim of this number, and the first day of service.
_Coming = Callable[[int], tuple[Case, date]]


class Piece(NamedTuple):
    """A part of the file: a claim with its levels, CLM01 and what was put into it, or what stands around."""

    text: str
    claim: str = ""
    put_in: str = ""

    @property
    def is_rejected(self) -> bool:
        return must_be_rejected(self.put_in)


def make(
    shape: str, claims: int, *, seed: int = 0, per_transaction: int = 1000, ordinary: float = ORDINARY
) -> Iterator[Piece]:
    """One interchange with so many claims, in pieces; of `ordinary` (0..1) of them no therapist treats.

    Raises ValueError for no claims, and for a shape that is none.
    """
    if claims < 1:
        raise ValueError("at least one claim")
    if shape not in SHAPES:
        raise ValueError(f"no such shape: {shape}")
    house = House(seed)
    control, group = f"{431_000 + seed:09}", 7100 + seed
    parties = f"30*{_SENDER:15}*ZZ*{_RECEIVER:15}"
    written = f"{practice.WRITTEN:%Y%m%d}"
    yield Piece(
        f"ISA*00*{'':10}*00*{'':10}*{parties}*{written[2:]}*2215*^*00501*{control}*1*P*:~\n"
        f"GS*HC*{_SENDER}*{_RECEIVER}*{written}*2215*{group}*X*005010X222A1~\n"
    )
    sets = -(-claims // per_transaction)
    for number in range(sets):
        first = number * per_transaction
        numbers = range(first, min(first + per_transaction, claims))
        yield from _set(shape, house, Transaction(number + 1), numbers, ordinary)
    yield Piece(f"GE*{sets}*{group}~\nIEA*1*{control}~\n")


def _set(
    shape: str, house: House, transaction: Transaction, claims: range, ordinary: float
) -> Iterator[Piece]:
    """A transaction set with the claims of these numbers."""
    chance = Random(f"{shape} {house.seed} {claims.start}")
    come: _Coming = _Returning(house, ordinary) if shape == "returning" else _New(house, chance, ordinary)
    site = -1
    levels: tuple[object, ...] = ()
    yield Piece(transaction.head())
    for claim in claims:
        case, day = come(claim)
        if case.site != site:
            site, levels = case.site, ()
            yield Piece(transaction.site(practice.SITES[site], house.site_npis[site]))
        account = f"{site + 11}{(7_654_321 + 7_919 * claim) % 10**8:08}"
        bill = write_bill(chance, house, case, day, account)
        kind, fault = "", None
        if shape == "noisy":
            kind, fault = put_something_into(bill, chance)
        elif shape == "found":
            kind = put_content_into(bill, chance)
        segments = bill.segments()
        if fault is not None:
            fault.put(segments, chance)
        yield Piece(transaction.claim(bill, segments, again=bill.levels == levels), bill.number, kind)
        levels = bill.levels
    yield Piece(transaction.tail())


class _New:
    """Patients who come for the first time, in stretches of one site; some get two claims."""

    def __init__(self, house: House, chance: Random, ordinary: float) -> None:
        self.house = house
        self.chance = chance
        self.ordinary = ordinary
        self.site = -1
        self.left = 0
        self.case: Case | None = None
        self.day = practice.FIRST_DAY

    def __call__(self, claim: int) -> tuple[Case, date]:
        chance = self.chance
        later = workday(self.day + timedelta(chance.randrange(30, 60)))
        if self.case is not None and self.left and later <= practice.LAST_DAY and chance.random() < 0.07:
            self.day = later
            return self.case, later
        if not self.left:
            self.site = chance.choice(
                [number for number in range(len(practice.SITES)) if number != self.site]
            )
            self.left = chance.randrange(12, 110)
        self.left -= 1
        self.case = take_case(chance, self.house, claim, self.site, self.ordinary)
        self.day = chance.choice(WORKING_DAYS)
        return self.case, self.day


class _Returning:
    """The patients of a block of claims, who come one after the other, and then all of them again."""

    def __init__(self, house: House, ordinary: float) -> None:
        self.house = house
        self.ordinary = ordinary

    def __call__(self, claim: int) -> tuple[Case, date]:
        block, number = divmod(claim, _BLOCK)
        times, patient = divmod(number, _PATIENTS)
        chance = Random(f"patient {self.house.seed} {block} {patient}")
        site = patient * len(practice.SITES) // _PATIENTS
        case = take_case(chance, self.house, claim, site, self.ordinary)
        first = practice.FIRST_DAY + timedelta(chance.randrange(58) + _RETURN * times)
        return case, workday(first)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("claims", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-transaction", type=int, default=1000)
    parser.add_argument("--ordinary", type=float, default=ORDINARY, help="part without therapy, 0..1")
    parser.add_argument("--list", type=Path, help="a file for CLM01 and what was put in")
    given = parser.parse_args()
    pieces = make(
        given.shape,
        given.claims,
        seed=given.seed,
        per_transaction=given.per_transaction,
        ordinary=given.ordinary,
    )
    rejected = 0
    put_in = []
    with given.path.open("w") as out:
        for piece in pieces:
            out.write(piece.text)
            rejected += piece.is_rejected
            if piece.put_in and given.list:
                put_in.append(f"{piece.claim} {piece.put_in}\n")
    if given.list:
        given.list.write_text("".join(put_in))
    print(f"{rejected} claims must be rejected")


if __name__ == "__main__":
    main()
