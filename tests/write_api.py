"""Writes docs/api.md from the docstrings of the package: python tests/write_api.py"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import edi_checker
from edi_checker.claims.claim import once

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"

HEAD = """\
# Python API

<!-- written by tests/write_api.py -->

A program needs one import, and nothing is loaded before it is used. The package has type hints (`py.typed`).

```python
import edi_checker

result = edi_checker.check("claims.837", profile="medicare")
print(result.outcome, result.charges.rejected)
for claim in result.claims:
    for finding in claim.findings:
        print(claim.claim, finding.severity, finding.rule, finding.where.element)
```

```text
accepted_with_errors 115.00
SOL-1101 error ncci.mue SV104
```

The arguments are the options of `edi-checker check`, and mean the same; what is written are the same bytes.
What an input holds never raises: a file that is no claim file has the outcome `not_checked` and a reason.

```python
result = edi_checker.check(b"not a claim file")
print(result.outcome, "-", result.reason.partition(":")[0])
```

```text
not_checked - the input does not begin with an ISA segment
```

Answers and reports are bytes, or go to a file or stream without being held in memory. `with` deletes the
temporary files of a large result at once; without it they go when the result is no longer used.

```python
with edi_checker.check("claims.837") as result:
    answer = result.ack_277ca()
    clean = result.split().clean
    result.write("csv", "findings.csv")
    result.write("html", "claims.html")
print(answer[:3].decode(), len(answer.split(b"~")) - 1, "segments")
```

```text
ISA 40 segments
```

A program that checks many files makes the checker once. A web service gives the body of the request:

```python
import io
from datetime import date
from pathlib import Path

checker = edi_checker.make_checker(received=date(2026, 11, 21), ignore=["code.npi"])
for number in range(3):
    body = io.BytesIO(Path("claims.837").read_bytes())
    result = edi_checker.check(body, checker=checker, redact=True, max_seconds=60)
    print(result.counts.claims, result.counts.error)
```

```text
2 1
2 1
2 1
```

Wrong arguments fail at once:

```python
try:
    edi_checker.check("claims.837", profile="medicaire")
except ValueError as error:
    print(str(error).rpartition(". ")[2])
```

```text
Did you mean medicare?
```

A checker also gives the parts of an input one by one, as they are read, each with its findings:

```python
with open("claims.837", "rb") as stream:
    for checked in checker.check(stream):
        if isinstance(checked.part, edi_checker.Claim):
            print(checked.part.id, checked.outcome)
```

```text
SOL-1101 rejected
SOL-1102 accepted
```

In this form a stream that is no X12 raises `NotX12`, and the outcome of a claim is what is known when it has
passed: a later `TransactionEnd`, `GroupEnd` or `InterchangeEnd` that is rejected rejects every claim in it.
`check` has the final outcomes.

A checker is for one thread at a time. `redact` gives other tokens at each call.
"""

_GROUPS = {
    "Calls": ("check", "make_checker"),
    "Results": ("Result", "Counts", "Charges", "Claims", "ClaimResult", "Split", "TableUsed"),
    "Findings": ("Finding", "Place", "Status", "TableVersion", "Severity"),
    "Checkers and what they give": ("Checker", "Checked", "Profile"),
    "Parts of an input": (
        "Interchange",
        "InterchangeEnd",
        "Group",
        "GroupEnd",
        "Transaction",
        "TransactionEnd",
        "BillingProvider",
        "Subscriber",
        "Patient",
        "Claim",
        "ServiceLine",
    ),
    "Errors": ("RuleError", "NotX12"),
}


def write_page() -> str:
    out = [HEAD]
    for title, names in _GROUPS.items():
        out.append(f"## {title}\n")
        for name in names:
            out += _entry(name, getattr(edi_checker, name))
    return "\n".join(out)


def _entry(name: str, thing: Any) -> Iterator[str]:
    yield f"### {name}\n"
    if inspect.isfunction(thing):
        yield f"```text\n{_signature(name, thing)}\n```\n"
    elif not isinstance(thing, type):
        yield f"`{', '.join(thing.__args__)}`\n"
        return
    if doc := inspect.getdoc(thing):
        yield f"```text\n{doc}\n```\n"
    if isinstance(thing, type):
        fields = _fields(thing)
        if fields:
            yield "| field | type |\n|---|---|"
            yield "".join(f"| `{field}` | `{_cell(kind)}` |\n" for field, kind in fields)
        members = list(_members(thing))
        if members:
            yield "| | |\n|---|---|"
            yield "".join(f"| `{_cell(shown)}` | {_cell(doc)} |\n" for shown, doc in members)


def _fields(thing: type) -> list[tuple[str, str]]:
    if dataclasses.is_dataclass(thing):
        return [(f.name, str(f.type)) for f in dataclasses.fields(thing) if not f.name.startswith("_")]
    if hasattr(thing, "_fields"):
        return [(name, thing.__annotations__[name].__forward_arg__) for name in thing._fields]
    return []


def _members(thing: type) -> Iterator[tuple[str, str]]:
    """Methods and properties that have a docstring, of the class and those that it comes from; those that are
    worked out once too.
    """
    seen = set()
    for home in (each for each in thing.__mro__ if each.__module__.startswith("edi_checker.")):
        for name, member in vars(home).items():
            if name.startswith("_") or name in seen:
                continue
            seen.add(name)
            if isinstance(member, property) and member.fget is not None and member.fget.__doc__:
                yield name, inspect.cleandoc(member.fget.__doc__)
            elif isinstance(member, once) and member.__doc__:
                yield name, inspect.cleandoc(member.__doc__)
            elif inspect.isfunction(member) and member.__doc__:
                yield _signature(name, member), inspect.cleandoc(member.__doc__)


def _signature(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    kept = [each for each in signature.parameters.values() if each.name != "self"]
    said = [_parameter(each) for each in kept]
    first = next((at for at, each in enumerate(kept) if each.kind is each.KEYWORD_ONLY), None)
    if first is not None:
        said.insert(first, "*")
    end = f") -> {signature.return_annotation}"
    line = f"{name}({', '.join(said)}{end}"
    return line if len(line) < 100 else f"{name}(\n" + "".join(f"    {each},\n" for each in said) + end


def _parameter(each: inspect.Parameter) -> str:
    default = "" if each.default is each.empty else f" = {each.default!r}"
    return f"{each.name}: {each.annotation}{default}"


def _cell(doc: str) -> str:
    return " ".join(doc.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(write_page(), "utf-8")
