"""The JSON Schemas of everything that the commands print or write as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

NAMES = {
    "report": "the report: check --format json, NAME.json",
    "finding": "a line of check --format ndjson, and of findings.ndjson",
    "batch-summary": "summary.json of batch",
    "code": "tables lookup CODE --format json",
    "pair": "tables lookup CODE CODE --format json",
    "units": "units --format json",
    "status": "status --json",
    "ledger-list": "ledger list --json",
    "explain-ack": "explain-ack --format json",
}
"""Each schema and what it describes."""


def schema_of(name: str) -> dict[str, Any]:
    """The schema of this name, whole in itself. Raises KeyError."""
    if name not in NAMES:
        raise KeyError(name)
    if name == "finding":
        return _finding()
    schema = _read(name)
    return schema if name == "report" else _with_shared(schema, _read("shared")["$defs"])


def _read(name: str) -> dict[str, Any]:
    text = (files("edi_checker.reports") / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _finding() -> dict[str, Any]:
    """A finding as the report has it, with the path of its file; or how many more a rule has."""
    shared = _read("report")["$defs"]
    path = {"type": "string", "description": "The file, as named"}
    finding = shared.pop("finding")
    finding["required"] = ["path", *finding["required"]]
    finding["properties"] = {"path": path, **finding["properties"]}
    unlisted = {
        "type": "object",
        "description": "Behind the findings of a file: a rule that has more than are listed",
        "required": ["path", "rule", "message", "unlisted"],
        "additionalProperties": False,
        "properties": {
            "path": path,
            "rule": {"type": "string"},
            "message": {"type": "string"},
            "unlisted": {"$ref": "#/$defs/count"},
        },
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "edi-checker/finding/1",
        "title": "A line of edi-checker check --format ndjson",
        "oneOf": [finding, unlisted],
    }
    return _with_shared(schema, shared)


def _with_shared(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """The schema with the definitions that it refers to."""
    kept: dict[str, Any] = dict(schema.get("$defs", {}))
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = shared[name]
            waiting += _references(shared[name])
    return {**schema, "$defs": dict(sorted(kept.items()))}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].removeprefix("#/$defs/")
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
