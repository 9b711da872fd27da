"""The description of the interface for programs (OpenAPI 3.1), made of the table of its addresses."""

from __future__ import annotations

from typing import Any

from edi_checker.reports.schemas import schema_of
from edi_checker.serve.endpoints import ENDPOINTS, Endpoint, Parameter
from edi_checker.serve.media import CONTENT, JSON, NDJSON, PROBLEM

_TEXT: dict[str, Any] = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_WRONG = {
    400: "The request cannot be read",
    403: "The request comes from a page of another site",
    406: "No form of the answer is accepted",
    408: "The body came too slowly",
    413: "The body is too large",
    415: "The body is of another type",
    422: "A parameter is wrong, or what was sent cannot be used",
    500: "Something went wrong in the server, or a worker ended",
    503: "All workers are busy",
    504: "It took too long",
}
_OF_BODIES = (400, 403, 408, 413, 415)
# What the examples send: a claim of somebody who does not exist, with more units than a day may have.
_CLAIM = (
    f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BROOKBILLING':15}*ZZ*{'MAPLEMEDICARE':15}*260915*0930*^*00501*000000001*0*P*:~"
    "GS*HC*BROOKBILLING*MAPLEMEDICARE*20260915*0930*1*X*005010X222A1~ST*837*0001*005010X222A1~"
    "BHT*0019*00*BATCH0010*20260915*0930*CH~NM1*41*2*BROOK BILLING*****46*BRK001~"
    "PER*IC*CONTACT DESK*TE*6145550100~NM1*40*2*MAPLE MEDICARE*****46*99001~HL*1**20*1~"
    "PRV*BI*PXC*225100000X~NM1*85*1*FERN*GIL****XX*1000007074~N3*3 WHARF ROW~N4*COLUMBUS*OH*432150001~"
    "REF*EI*990001006~HL*2*1*22*0~SBR*P*18*******MB~NM1*IL*1*MALLOW*ADA****MI*1AA0AA0AA08~"
    "N3*12 ORCHARD LANE~N4*COLUMBUS*OH*432150012~DMG*D8*19420225*F~NM1*PR*2*MAPLE MEDICARE*****PI*99001~"
    "CLM*SOL-1101*84***11:B:1*Y*A*Y*Y~HI*ABK:R262~NM1*DN*1*FIR*MORGAN****XX*1000006068~LX*1~"
    "SV1*HC:97530:GP*84*UN*7***1~DTP*472*D8*20260421~REF*6R*SOL-1101-1~SE*26*0001~GE*1*1~IEA*1*000000001~"
)
# An answer to it: an element is missing.
_ANSWER = (
    f"ISA*00*{'':10}*00*{'':10}*ZZ*{'MAPLEMEDICARE':15}*ZZ*{'BROOKBILLING':15}*260916*0930*^*00501*000000007*0*P*:~"
    "GS*FA*MAPLEMEDICARE*BROOKBILLING*20260916*0930*7*X*005010X231A1~ST*999*0001*005010X231A1~"
    "AK1*HC*1*005010X222A1~AK2*837*0001*005010X222A1~IK3*NM1*21*2310A*8~IK4*9*67*1~IK5*R*I5~AK9*R*1*1*0~"
    "SE*8*0001~GE*1*7~IEA*1*000000007~"
)


def describe(version: str, *, with_token: bool) -> dict[str, Any]:
    """The whole description."""
    schemas: dict[str, Any] = {
        "problem": _problem(),
        "rules": _rules(),
        "explain": _explain(),
        "tables": _tables(),
    }
    for name in ("report", "finding", "explain-ack", "units", "code", "pair"):
        schemas |= _parts_of(name)
    paths = {each.path: {each.method.lower(): _operation(each)} for each in ENDPOINTS}
    paths["/healthz"] = {"get": _health()}
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "edi-checker",
            "version": version,
            "description": "Checks X12 837P claim files. What is sent is answered and forgotten.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }
    if with_token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
        for each in ENDPOINTS:
            operation = paths[each.path][each.method.lower()]
            operation["responses"]["401"] = _wrong("The token is missing or wrong")
        paths["/healthz"]["get"]["security"] = []
    return described


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    contents = {form: _content(endpoint, form) for form in endpoint.forms}
    responses: dict[str, Any] = {"200": {"description": "The answer", "content": contents}}
    for status, about in _WRONG.items():
        if endpoint.body or status not in _OF_BODIES:
            responses[str(status)] = _wrong(about)
    if endpoint.not_found:
        responses["404"] = _wrong("There is no such rule or code")
        responses["404"]["content"].update(contents)
    if endpoint.duty == "check":
        responses["422"]["content"].update(contents)
    responses["503"]["headers"] = {
        "Retry-After": {"description": "Seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
    }
    parameters = [_parameter(each, "query") for each in endpoint.parameters]
    if endpoint.path_parameter is not None:
        parameters.append(_parameter(endpoint.path_parameter, "path"))
    said: dict[str, Any] = {
        "operationId": endpoint.duty,
        "summary": endpoint.about,
        "parameters": parameters,
        "responses": responses,
    }
    if endpoint.body:
        said["requestBody"] = {
            "required": True,
            "description": f"{endpoint.body}, as it is or packed (gzip, zip)",
            "content": {name: _body(endpoint, name) for name in CONTENT},
        }
    return said


def _body(endpoint: Endpoint, media: str) -> dict[str, Any]:
    if media.startswith(("text/", "application/edi")):
        return {"schema": _TEXT, "example": _ANSWER if endpoint.duty == "explain-ack" else _CLAIM}
    return {"schema": _TEXT | {"format": "binary"}}


def _content(endpoint: Endpoint, form: str) -> dict[str, Any]:
    if form == NDJSON:
        return {"schema": _TEXT, "x-line": {"$ref": "#/components/schemas/finding"}}
    if form != JSON:
        return {"schema": _TEXT if form.startswith("text/") else _TEXT | {"format": "binary"}}
    if endpoint.duty == "codes":
        return {"schema": {"oneOf": [_ref("code"), _ref("pair"), _ref("explain")]}}
    return {"schema": _ref(endpoint.schema or {"rule": "explain"}.get(endpoint.duty, endpoint.duty))}


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    one: dict[str, Any] = {"type": "string"}
    if parameter.kind == "flag":
        one = {"type": "boolean"}
    elif parameter.kind == "day":
        one |= {"format": "date"}
    elif parameter.choices:
        one |= {"enum": list(parameter.choices)}
    elif parameter.pattern:
        one |= {"pattern": f"^(?:{parameter.pattern})$", "maxLength": 200}
    else:
        one |= {"maxLength": 200}
    if parameter.kind == "list":
        one = {"type": "array", "items": one, "minItems": 1, "maxItems": 40}
    if parameter.default is not None:
        one["default"] = parameter.default
    said: dict[str, Any] = {
        "name": parameter.name,
        "in": place,
        "description": parameter.about,
        "required": parameter.required or place == "path",
        "schema": one,
    }
    if parameter.example is not None:
        said["example"] = parameter.example
    return said


def _health() -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status", "version"],
        "properties": {"status": {"enum": ["ok", "ends"]}, "version": _TEXT},
    }
    well = {"description": "The server has workers", "content": {JSON: {"schema": schema}}}
    ends = {"description": "The server ends", "content": {JSON: {"schema": schema}}}
    return {
        "operationId": "health",
        "summary": "Whether the server can work.",
        "responses": {"200": well, "503": ends},
    }


def _wrong(about: str) -> dict[str, Any]:
    return {"description": about, "content": {PROBLEM: {"schema": _ref("problem")}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parts_of(name: str) -> dict[str, Any]:
    """A schema and its definitions, each with a name of its own among all."""
    schema = schema_of(name)
    kept = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
    parts = {name: kept} | {f"{name}.{key}": value for key, value in schema.get("$defs", {}).items()}
    return {key: _renamed(value, name) for key, value in parts.items()}


def _renamed(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        return {
            key: value.replace("#/$defs/", f"#/components/schemas/{name}.")
            if key == "$ref" and isinstance(value, str)
            else _renamed(value, name)
            for key, value in part.items()
        }
    return [_renamed(each, name) for each in part] if isinstance(part, list) else part


def _problem() -> dict[str, Any]:
    return _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT, request=_TEXT)


def _rules() -> dict[str, Any]:
    levels = {"type": "array", "items": {"enum": ["error", "warning", "info", "off"]}}
    fixable = {"type": "array", "items": {"enum": ["safe", "unsafe"]}}
    rule = _object(id=_TEXT, title=_TEXT, fault=_TEXT, severities=levels, snip=_COUNT, fixable=fixable)
    return _object(rules={"type": "array", "items": rule})


def _explain() -> dict[str, Any]:
    section = _object(heading=_TEXT, lines={"type": "array", "items": _TEXT})
    page = _object(kind=_TEXT, code=_TEXT, sections={"type": "array", "items": section})
    return _object(schema={"const": "edi-checker/explain/1"}, meanings={"type": "array", "items": page})


def _tables() -> dict[str, Any]:
    table = _object(name=_TEXT, version=_TEXT, rows=_COUNT)
    return _object(version=_TEXT, tables={"type": "array", "items": table})


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
