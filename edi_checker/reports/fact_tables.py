"""Claims, service lines, diagnoses, payers and findings as rows of tables, for analysts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from typing import Any, Literal, NamedTuple

from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    DIAGNOSIS_LISTS,
    Claim,
    Provider,
    Segment,
    ServiceLine,
    Transaction,
    element,
)
from edi_checker.claims.profile import Profile
from edi_checker.reports.findings_log import Entry, FindingsLog, Rows, Summary, say_unlisted
from edi_checker.x12.dates import to_date
from edi_checker.x12.money import exact_dollars

Kind = Literal["text", "texts", "number", "money", "units", "day"]
"""Money is cents, units are thousandths, a day is CCYYMMDD; all three are whole numbers here."""

Row = Sequence[Any]

SCHEMA = "edi-checker/facts/1"
_LONGEST = 255  # characters of a value; the guide allows 80 at most
_MOST = 10**18  # thousandths that a column of units can hold


@dataclass(frozen=True, slots=True)
class Column:
    """A column, what stands in it, and how it is read from what makes the row; None where it is filled in.

    `phi` marks what identifies a person, alone or with what a payer or provider knows.
    """

    name: str
    kind: Kind
    says: str
    read: Callable[[Any], Any] | None
    phi: bool = False


class _Sent(NamedTuple):
    """A claim, its transaction set counted in the file, and the name of its profile."""

    claim: Claim
    transaction_set: int
    profile: str


class _Payer(NamedTuple):
    """A payer of a claim, its SBR, the party and its subscriber; `paid` in cents."""

    place: int
    responsible: Segment | None
    payer: Provider
    subscriber: Provider
    paid: int | None


class _Diagnosis(NamedTuple):
    place: int
    qualifier: str
    code: str


def _patient_birth(sent: _Sent) -> int | None:
    level = sent.claim.patient or sent.claim.subscriber
    return level.birth if level is not None else None


def _patient_sex(sent: _Sent) -> str:
    level = sent.claim.patient or sent.claim.subscriber
    return element(level.first("DMG"), 3) if level is not None else ""


def _relationship(sent: _Sent) -> str:
    claim = sent.claim
    if claim.patient is not None:
        return claim.patient.relationship
    return claim.subscriber.relationship if claim.subscriber is not None else ""


def _units(line: ServiceLine) -> int | None:
    quantity = line.quantity
    thousandths = quantity * 1000 if quantity is not None else None
    if thousandths is None or thousandths % 1 or abs(thousandths) >= _MOST:
        return None
    return int(thousandths)


def _pointers(line: ServiceLine) -> str:
    return ":".join(element(line.service, 7).split(line.component))


def _of_subscriber(name: str) -> Callable[[_Sent], Any]:
    return lambda sent: getattr(sent.claim.subscriber, name) if sent.claim.subscriber is not None else None


def _of_place(name: str) -> Callable[[Entry], Any]:
    return lambda entry: entry.finding["where"][name]


def _of_finding(name: str) -> Callable[[Entry], Any]:
    return lambda entry: entry.finding[name]


def _of_status(name: str) -> Callable[[Entry], Any]:
    return lambda entry: entry.finding["status"].get(name, ())


def _of_table(name: str) -> Callable[[Entry], Any]:
    return lambda entry: entry.finding["table"] and entry.finding["table"][name]


def _modifier(number: int) -> Callable[[ServiceLine], str]:
    return lambda line: line.procedure[1 + number]


_FILE = Column("file", "text", "the file, as it was named; joins all tables", None)
_CLAIM = Column(
    "claim", "number", "count of the claim in the file, from 1; joins the tables with `file`", None
)
_OUTCOME = Column("outcome", "text", "accepted, rejected or not_checked", None)

_FILES = (
    Column("sha256", "text", "digest of the content; empty if its end was not reached", lambda s: s.sha256),
    Column("outcome", "text", "accepted, accepted_with_errors, rejected or not_checked", lambda s: s.outcome),
    Column("reason", "text", "why it was not checked", lambda s: s.reason),
    Column("transaction_sets", "number", "ST segments", lambda s: s.transactions),
    Column("claims", "number", "claims", lambda s: s.claims),
    Column("lines", "number", "service lines", lambda s: s.lines),
    Column("charge", "money", "charges of all claims", lambda s: sum(s.sums.cents.values())),
    Column("charge_rejected", "money", "charges of the rejected claims", lambda s: s.sums.cents["rejected"]),
)
_CLAIMS = (
    Column("transaction_set", "number", "count of the ST in the file, from 1", lambda s: s.transaction_set),
    Column("interchange", "text", "ISA13", lambda s: s.claim.transaction.numbers[0]),
    Column("group", "text", "GS06", lambda s: s.claim.transaction.numbers[1]),
    Column("transaction", "text", "ST02", lambda s: s.claim.transaction.numbers[2]),
    Column("claim_number", "text", "CLM01", lambda s: s.claim.id, phi=True),
    Column(
        "patient_last_name", "text", "NM103 of the patient", lambda s: s.claim.patient_name.last_name, True
    ),
    Column(
        "patient_first_name", "text", "NM104 of the patient", lambda s: s.claim.patient_name.first_name, True
    ),
    Column("patient_birth", "day", "DMG02 of the patient", _patient_birth, phi=True),
    Column("patient_sex", "text", "DMG03 of the patient", _patient_sex, phi=True),
    Column("member_id", "text", "NM109 of the subscriber", _of_subscriber("member_id"), phi=True),
    Column("relationship", "text", "SBR02, or PAT01 of a patient with a level", _relationship),
    Column("payer_id", "text", "NM109 of the payer that gets the claim", _of_subscriber("payer_id")),
    Column(
        "payer_name",
        "text",
        "NM103 of that payer",
        lambda s: s.claim.subscriber and s.claim.subscriber.payer.last_name,
    ),
    Column("payer_responsibility", "text", "SBR01", _of_subscriber("payer_responsibility")),
    Column("filing_indicator", "text", "SBR09", _of_subscriber("filing_indicator")),
    Column("profile", "text", "payer profile with which the claim was checked", lambda s: s.profile),
    Column(
        "billing_npi",
        "text",
        "NPI of the billing provider",
        lambda s: s.claim.billing and s.claim.billing.npi,
    ),
    Column(
        "billing_taxonomy",
        "text",
        "PRV03 of the billing provider",
        lambda s: s.claim.billing and s.claim.billing.taxonomy,
    ),
    Column(
        "rendering_npi",
        "text",
        "NPI of the rendering, else billing provider",
        lambda s: s.claim.rendering.npi,
    ),
    Column("place_of_service", "text", "CLM05-1", lambda s: s.claim.place_of_service),
    Column("frequency", "text", "CLM05-3", lambda s: s.claim.frequency),
    Column("service_from", "day", "first day of service of all lines", lambda s: s.claim.dates[0]),
    Column("service_to", "day", "last day of service of all lines", lambda s: s.claim.dates[1]),
    Column("lines", "number", "service lines", lambda s: s.claim.line_count),
    Column("charge", "money", "CLM02; empty if it cannot be read", lambda s: s.claim.charge),
)
_LINES = (
    Column("line", "number", "count of the line in the claim, from 1", lambda line: line.ordinal),
    Column("qualifier", "text", "SV101-1", lambda line: line.procedure[0]),
    Column("code", "text", "SV101-2", lambda line: line.procedure[1]),
    *(Column(f"modifier_{n}", "text", f"SV101-{n + 2}", _modifier(n)) for n in (1, 2, 3, 4)),
    Column("charge", "money", "SV102", lambda line: line.charge),
    Column("unit", "text", "SV103: UN units, MJ minutes", lambda line: line.unit),
    Column("quantity", "units", "SV104", _units),
    Column("place_of_service", "text", "SV105, else CLM05-1", lambda line: line.place_of_service),
    Column("pointers", "text", "SV107, by colons", _pointers),
    Column("service_from", "day", "first day of service", lambda line: line.dates[0]),
    Column("service_to", "day", "last day of service", lambda line: line.dates[1]),
    Column(
        "rendering_npi",
        "text",
        "NPI of the provider of the line, else of the claim",
        lambda line: line.rendering.npi,
    ),
    Column("line_number", "text", "REF*6R", lambda line: line.control, phi=True),
)
_DIAGNOSES = (
    Column("place", "number", "place in the claim, from 1, to which pointers point", lambda d: d.place),
    Column("list", "text", "icd10cm or icd9cm", lambda d: DIAGNOSIS_LISTS[d.qualifier]),
    Column("qualifier", "text", "HI01-1", lambda d: d.qualifier),
    Column("code", "text", "HI01-2", lambda d: d.code),
)
_PAYERS = (
    Column("place", "number", "1 for the payer that gets the claim, then the others", lambda p: p.place),
    Column("responsibility", "text", "SBR01", lambda p: element(p.responsible, 1)),
    Column("relationship", "text", "SBR02", lambda p: element(p.responsible, 2)),
    Column("filing_indicator", "text", "SBR09", lambda p: element(p.responsible, 9)),
    Column("payer_id", "text", "NM109 of the payer", lambda p: p.payer.id),
    Column("payer_name", "text", "NM103 of the payer", lambda p: p.payer.last_name),
    Column("paid", "money", "AMT*D; empty for the payer that gets the claim", lambda p: p.paid),
    Column("group_number", "text", "SBR03", lambda p: element(p.responsible, 3), phi=True),
    Column("member_id", "text", "NM109 of its subscriber", lambda p: p.subscriber.id, phi=True),
)
_FINDINGS = (
    Column("first_claim", "number", "the first claim that it concerns", lambda e: _concerned(e)[0]),
    Column("last_claim", "number", "the last claim that it concerns", lambda e: _concerned(e)[1]),
    Column("rule", "text", "id of the rule", _of_finding("rule")),
    Column("severity", "text", "error, warning or info", _of_finding("severity")),
    Column("snip", "number", "SNIP type, 1 to 7", _of_finding("snip")),
    Column("message", "text", "what is wrong", _of_finding("message")),
    Column("fix", "text", "what to do", _of_finding("fix")),
    Column("citation", "text", "what says so", _of_finding("citation")),
    Column("interchange", "text", "ISA13", _of_place("interchange")),
    Column("group", "text", "GS06", _of_place("group")),
    Column("transaction", "text", "ST02", _of_place("transaction")),
    Column("claim_number", "text", "CLM01", _of_place("claim"), phi=True),
    Column("line", "number", "count of the service line in the claim, from 1", _of_place("line")),
    Column("code", "text", "procedure code of that line", lambda e: e.code),
    Column("loop", "text", "its place, as the guide writes it", _of_place("loop")),
    Column("segment", "text", "id of the segment", _of_place("segment")),
    Column("position", "number", "count of the segment in ST..SE; 0 in the envelope", _of_place("position")),
    Column("element", "text", "NM109, or SV101-3 for a component", _of_place("element")),
    Column("status_277ca", "texts", "codes of the 277CA", _of_status("277CA")),
    Column("status_999", "texts", "codes of the 999", _of_status("999")),
    Column("status_ta1", "text", "note of the TA1", lambda e: e.finding["status"].get("TA1")),
    Column("table_name", "text", "the table that decided", _of_table("name")),
    Column("table_version", "text", "its release", _of_table("version")),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "files": (_FILE, *_FILES),
    "claims": (_FILE, _CLAIM, _OUTCOME, *_CLAIMS),
    "lines": (_FILE, _CLAIM, *_LINES),
    "diagnoses": (_FILE, _CLAIM, *_DIAGNOSES),
    "payers": (_FILE, _CLAIM, *_PAYERS),
    "findings": (_FILE, *_FINDINGS),
}
"""The columns of each table in order; docs/fact-tables.md lists them too."""


def columns_of(table: str, *, with_phi: bool) -> tuple[Column, ...]:
    """The columns that are written."""
    return tuple(column for column in TABLES[table] if with_phi or not column.phi)


def value_of(kind: Kind, value: Any) -> Any:
    """As a column of this kind takes it: a Decimal for money and units, a date for a day."""
    convert = _CONVERT.get(kind)
    return convert(value) if convert is not None and value is not None else value


@lru_cache(maxsize=4096)
def _whole_units(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


_CONVERT: dict[Kind, Callable[[int], Any]] = {"money": exact_dollars, "units": _whole_units, "day": to_date}


class FactTables:
    """Makes the rows of one file after the other, and gives each to `add` with the name of its table.

    It is a report (edi_checker.run.Report) that also takes the parts as they are checked: `begin` before each
    file, `listen` for each part. The rows of claims wait for their final outcome in a temporary file; memory
    does not grow with the file. What `add` raises as OSError is raised by `FactTables.add` and `skip`.
    """

    def __init__(
        self,
        add: Callable[[str, Row], None],
        profile_of: Callable[[Claim], Profile],
        *,
        with_phi: bool = False,
    ) -> None:
        self._add = add
        self._profile_of = profile_of
        self._columns = {name: columns_of(name, with_phi=with_phi) for name in TABLES}
        self._read = {
            name: [column.read for column in columns if column.read is not None]
            for name, columns in self._columns.items()
        }
        self._waiting = Rows()
        self._path = ""
        self._claims = self._transaction_sets = 0
        self._trouble: OSError | None = None

    def begin(self, path: str) -> None:
        """The next file."""
        self._waiting.close()
        self._waiting = Rows()
        self._path = path
        self._claims = self._transaction_sets = 0

    def listen(self, checked: Checked) -> None:
        """The next part of the file."""
        part = checked.part
        if isinstance(part, Transaction):
            self._transaction_sets += 1
        if not isinstance(part, Claim) or self._trouble is not None:
            return
        self._claims += 1
        try:
            # Whoever reads the file takes an OSError for one of its own.
            self._take(part)
        except OSError as error:
            self._trouble = error

    def _take(self, claim: Claim) -> None:
        sent = _Sent(claim, self._transaction_sets, self._profile_of(claim).name)
        self._waiting.add(json.dumps(self._short("claims", sent)) + "\n")
        self._put("lines", claim.lines)
        self._put("diagnoses", _diagnoses_of(claim))
        self._put("payers", _payers_of(claim))

    def _put(self, table: str, items: Iterable[Any]) -> None:
        for item in items:
            self._add(table, (self._path, self._claims, *self._short(table, item)))

    def _values(self, table: str, item: Any) -> list[Any]:
        return [read(item) for read in self._read[table]]

    def _short(self, table: str, item: Any) -> list[Any]:
        """The values of a row that the file itself gives, which may be of any length."""
        return [
            (value[:_LONGEST] or None) if isinstance(value, str) else value
            for value in self._values(table, item)
        ]

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        if self._trouble is not None:
            raise self._trouble
        claims = enumerate(self._waiting.read(), 1)
        for (number, row), outcome in zip(claims, self._outcomes(journal, summary), strict=False):
            self._add("claims", (self._path, number, outcome, *json.loads(row)))
        for entry in journal.entries():
            self._add("findings", (self._path, *self._values("findings", entry)))
        for rule, count in sorted(summary.unlisted.items()):
            said = {"file": self._path, "rule": rule, "message": say_unlisted(rule, count)}
            self._add("findings", [said.get(column.name) for column in self._columns["findings"]])
        self.skip(summary)

    def _outcomes(self, journal: FindingsLog, summary: Summary) -> Iterator[str]:
        if summary.claims != self._claims:
            # The journal could not be kept: nothing is known of the claims but what they say.
            return repeat("not_checked")
        return (outcome for _, _, outcome, _ in journal.claims())

    def skip(self, summary: Summary) -> None:
        """A file of a folder that is no claim file has its row too, with the reason."""
        self._add("files", (self._path, *self._values("files", summary)))

    def finish(self) -> None:
        self._waiting.close()


def _diagnoses_of(claim: Claim) -> Iterator[_Diagnosis]:
    for place, (qualifier, code) in enumerate(claim.diagnoses, 1):
        yield _Diagnosis(place, qualifier, code)


def _payers_of(claim: Claim) -> Iterator[_Payer]:
    place = 0
    if (subscriber := claim.subscriber) is not None:
        place += 1
        yield _Payer(place, subscriber.responsible, subscriber.payer, subscriber.name, None)
    for other in claim.other_payers:
        place += 1
        yield _Payer(place, other.first("SBR"), other.payer, other.subscriber, other.amount("D"))


def _concerned(entry: Entry) -> tuple[int | None, int | None]:
    """The first and last claim that a finding concerns: its own, or those below it."""
    if entry.number:
        return entry.number, entry.number
    return (entry.below[0], entry.below[-1]) if entry.below else (None, None)
