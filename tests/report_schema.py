"""Holds a JSON report to its schema."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema


@cache
def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads((files("edi_checker.reports") / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def validate(report: Any) -> None:
    _validator().validate(report)
