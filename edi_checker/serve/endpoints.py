"""The interface for programs as one table: what each address takes, says and gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from edi_checker.rules.near import ask_near
from edi_checker.run.setting import PROFILES
from edi_checker.serve.media import CSV, EDI, HTML, JSON, NDJSON, TEXT, XLSX, ZIP
from edi_checker.serve.problem import Problem

_LONGEST = 200  # characters of a value
_MOST_VALUES = 40  # of a parameter that may be repeated


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a request may say: of the query, or of the path."""

    name: str
    about: str
    kind: Literal["text", "day", "flag", "list"] = "text"
    choices: tuple[str, ...] = ()
    pattern: str = ""
    example: Any = None
    default: Any = None
    required: bool = False

    def read(self, values: list[str]) -> Any:
        """What the values say. Raises Problem, which quotes none of them but a known name that is near."""
        if self.kind == "list":
            return [self._one(value) for value in values]
        if len(values) > 1:
            raise Problem(422, f"{self.name} is given more than once")
        return self._one(values[0])

    def _one(self, value: str) -> Any:
        if self.kind == "flag":
            if value not in ("true", "false"):
                raise Problem(422, f"{self.name} is true or false")
            return value == "true"
        if self.kind == "day":
            return self._day(value)
        if self.choices and value not in self.choices:
            near = ask_near(value[:_LONGEST], self.choices)
            raise Problem(422, f"{self.name} is one of {', '.join(self.choices)}.{near}")
        if len(value) > _LONGEST or (self.pattern and not re.fullmatch(self.pattern, value)):
            raise Problem(422, f"{self.name} is not {self.about[:1].lower()}{self.about[1:]}")
        return value

    def _day(self, value: str) -> str:
        wrong = Problem(422, f"{self.name} is a date such as 2026-03-31")
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise wrong
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise wrong from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: `duty` is what a worker does, `forms` are the media types of its answers, the usual first.

    body    what its body is, "" where it has none
    schema  the name of the JSON Schema of its JSON
    """

    path: str
    duty: str
    about: str
    forms: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()
    path_parameter: Parameter | None = None
    body: str = ""
    schema: str = ""
    not_found: bool = False

    @property
    def method(self) -> Literal["GET", "POST"]:
        return "POST" if self.body else "GET"

    def read(self, query: Iterable[tuple[str, str]], path: dict[str, str]) -> dict[str, Any]:
        """What a request says. Raises Problem."""
        given: dict[str, list[str]] = {}
        for name, value in query:
            given.setdefault(name, []).append(value)
        said = read_all(self.parameters, given)
        if self.path_parameter is not None:
            said[self.path_parameter.name] = self.path_parameter.read([path[self.path_parameter.name]])
        return said


def read_all(parameters: Iterable[Parameter], given: dict[str, list[str]]) -> dict[str, Any]:
    """The values by name, with the usual ones for those that are not given. Raises Problem."""
    known = {each.name: each for each in parameters}
    said: dict[str, Any] = {name: each.default for name, each in known.items()}
    for name, values in given.items():
        if name not in known:
            told = (
                f"known are {', '.join(known)}.{ask_near(name[:_LONGEST], known)}"
                if known
                else "there are none"
            )
            raise Problem(422, f"a parameter is not known; {told}")
        if len(values) > _MOST_VALUES:
            raise Problem(422, f"{name} is given more than {_MOST_VALUES} times")
        said[name] = known[name].read(values)
    for name, each in known.items():
        if each.required and name not in given:
            raise Problem(422, f"{name} is missing")
    return said


PROFILE = Parameter(
    "profile",
    "The payer profile for the claims; without it the one with which the server was started",
    choices=PROFILES,
    example="medicare",
)
RECEIVED = Parameter("received", "Date of receipt; without it today", "day", example="2026-09-30")
ISOLATION = Parameter(
    "isolation", "What an error of structure within a claim rejects", choices=("claim", "transaction")
)
REDACT = Parameter(
    "redact", "Whether tokens stand in place of names, ids, addresses, birth dates and notes", "flag",
    default=False,
)  # fmt: skip
UNSAFE = Parameter(
    "unsafe", "Whether repairs are made that are probable, but not sure", "flag", default=False
)
METHOD = Parameter("method", "The unit method", choices=("cms", "ama"), default="cms", example="cms")


def _name(default: str) -> Parameter:
    return Parameter(
        "name",
        "The name of the file, which stands in the answer; no file on the server gets it",
        pattern=r"[^\x00-\x1f\x7f]+",
        default=default,
        example=default,
    )


_ON = Parameter("on", "Date of service; without it today", "day", example="2026-03-02")

ENDPOINTS = (
    Endpoint(
        "/v1/check",
        "check",
        "Check a claim file, or a gzip or zip archive of them. What could not be checked at all is 422,"
        " with the report that says why. application/zip is the archive of all that `edi-checker check --acks"
        " --split --out-dir` writes.",
        (JSON, NDJSON, CSV, HTML, XLSX, ZIP),
        (RECEIVED, PROFILE, ISOLATION, REDACT, _name("claims.837")),
        body="An 837P file",
        schema="report",
    ),
    Endpoint(
        "/v1/fix",
        "fix",
        "Repair what is a matter of form in a claim file; text/plain says what would be changed.",
        (EDI, TEXT),
        (RECEIVED, PROFILE, ISOLATION, UNSAFE, _name("claims.837")),
        body="An 837P file",
    ),
    Endpoint(
        "/v1/explain-ack",
        "explain-ack",
        "Say what a TA1, 999 or 277CA means. In a zip archive the claim files may stand beside them.",
        (JSON, HTML, TEXT, XLSX),
        (_name("answer"),),
        body="A TA1, 999 or 277CA",
        schema="explain-ack",
    ),
    Endpoint(
        "/v1/rules",
        "rules",
        "List the rules, or those that have all the words of q.",
        (JSON,),
        (Parameter("q", "Words to look for", example="modifier"),),
    ),
    Endpoint(
        "/v1/rules/{id}",
        "rule",
        "Everything about one rule, with an example.",
        (JSON,),
        path_parameter=Parameter("id", "The id of a rule", pattern=r"[A-Za-z0-9._-]+", example="ncci.mue"),
        not_found=True,
    ),
    Endpoint(
        "/v1/units",
        "units",
        "The billable units of the minutes of one patient, day and discipline; text/plain shows the working.",
        (JSON, TEXT),
        (
            Parameter(
                "minutes",
                "A code with its minutes, such as 97530=25",
                "list",
                pattern=r"[A-Za-z0-9]{5}=[0-9]{1,4}",
                example=["97530=25", "97140=20"],
                required=True,
            ),
            METHOD,
            _ON,
        ),
        schema="units",
    ),
    Endpoint("/v1/tables", "tables", "The tables that decide, with their releases.", (JSON,)),
    Endpoint(
        "/v1/codes/{code}",
        "codes",
        "What is known of a code of a claim, or what a code of an answer means (A7:562:85, IK403=1, CO-97).",
        (JSON,),
        (
            Parameter(
                "with", "Another code, for the pair of both", pattern=r"[A-Za-z0-9]{1,7}", example="97140"
            ),
            _ON,
        ),
        path_parameter=Parameter("code", "A code", pattern=r"[A-Za-z0-9.:=-]{1,30}", example="97530"),
        not_found=True,
    ),
)
