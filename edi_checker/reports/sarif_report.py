"""The report for code scanning and other collectors of results: SARIF 2.1.0."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TextIO
from urllib.parse import quote

from edi_checker.reports.file_lines import FileLines
from edi_checker.reports.findings_log import Entry, FindingsLog, Summary, say_unlisted
from edi_checker.rules import Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PRINT = "ediChecker/v1"
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


class SarifReport:
    """Writes one run with the rules and a result for each finding to `out`; only what could not be checked is
    kept until the end. The text is ASCII.
    """

    def __init__(self, out: TextIO, *, version: str, rules: Iterable[Rule]) -> None:
        self._out = out
        described = [_describe(rule) for rule in rules]
        self._places = {rule["id"]: index for index, rule in enumerate(described)}
        driver = {"name": "edi-checker", "version": version, "rules": described}
        out.write(
            f'{{"$schema": {json.dumps(_SCHEMA)}, "version": "2.1.0", "runs": [{{'
            f'"tool": {{"driver": {json.dumps(driver)}}}, "columnKind": "unicodeCodePoints", "results": ['
        )
        self._between = "\n"
        self._notes: list[dict[str, Any]] = []
        self._failed = False

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        lines = FileLines(summary.path)
        if summary.reason is not None:
            self._failed = True
            self._note("error", summary.path, f"not checked: {summary.reason}")
        prints = _Fingerprints()
        for entry in journal.entries():
            result = self._result(entry, summary.path, lines.line(entry.ordinal), prints.next(entry))
            self._out.write(self._between + json.dumps(result))
            self._between = ",\n"
        for rule, count in sorted(summary.unlisted.items()):
            self._note("warning", summary.path, say_unlisted(rule, count))

    def skip(self, summary: Summary) -> None:
        """Nothing is said of a file without claims."""

    def finish(self) -> None:
        invocation = {"executionSuccessful": not self._failed, "toolExecutionNotifications": self._notes}
        self._out.write(f'\n], "invocations": [{json.dumps(invocation)}]}}]}}\n')

    def _result(self, entry: Entry, path: str, line: int, fingerprint: str) -> dict[str, Any]:
        finding = entry.finding
        result = {
            "ruleId": finding["rule"],
            "level": _LEVELS[finding["severity"]],
            "message": {"text": f"{finding['message']} {finding['fix']}".strip()},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": _artifact(path), "region": {"startLine": line}},
                    "logicalLocations": [
                        {"fullyQualifiedName": _name_place(finding["where"], entry), "kind": "element"}
                    ],
                }
            ],
            "partialFingerprints": {_PRINT: fingerprint},
        }
        if finding["rule"] in self._places:
            result["ruleIndex"] = self._places[finding["rule"]]
        return result

    def _note(self, level: str, path: str, text: str) -> None:
        location = {"physicalLocation": {"artifactLocation": _artifact(path)}}
        self._notes.append({"level": level, "message": {"text": text}, "locations": [location]})


def _describe(rule: Rule) -> dict[str, Any]:
    """A rule with its reason and sources as help."""
    sources = "; ".join(source.cite for source in rule.sources)
    severities = {severity for case in rule.cases for severity in case.severity.values()}
    level = next((_LEVELS[each] for each in ("error", "warning", "info") if each in severities), "none")
    text = f"{rule.why}\n\nSource: {sources}" if sources else rule.why
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": text},
        "defaultConfiguration": {"level": level},
    }


def _artifact(path: str) -> dict[str, str]:
    """The file as a URI; one relative to the folder of the run is relative there too."""
    plain = path.replace("\\", "/") if _DRIVE.match(path) else path
    try:
        name = plain.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Windows allows half of a pair in a name
        name = plain.encode("utf-8", "surrogatepass")
    encoded = quote(name, safe="/!")
    if plain.startswith("/"):
        return {"uri": f"file://{encoded}"}
    return {"uri": f"file:///{encoded}"} if _DRIVE.match(path) else {"uri": encoded}


def _name_place(where: dict[str, Any], entry: Entry) -> str:
    parts = [f"claim {where['claim']}"] if entry.number else []
    if not entry.number and where["transaction"] is not None:
        parts.append(f"transaction {where['transaction']}")
    if where["line"] is not None:
        parts.append(f"line {where['line']}")
    parts.append(f"{where['loop']} {where['element'] or where['segment']}".strip())
    return "/".join(parts)


class _Fingerprints:
    """Tells the findings of one file apart in a way that stays the same while other claims come and go:
    neither by position nor by words, which may have counts of other claims.
    """

    def __init__(self) -> None:
        self._alike: Counter[str] = Counter()
        self._of: tuple[int, str] | None = None

    def next(self, entry: Entry) -> str:
        """The fingerprint of the next finding."""
        finding = entry.finding
        where = finding["where"]
        # Of a part above the claims the first claim below it is the most lasting name.
        anchor = where["claim"] if entry.number else next(iter(finding.get("affects", ())), None)
        within = [
            (each["line"], each["loop"], each["element"] or each["segment"])
            for each in finding["related"]
            if each["claim"] == where["claim"] and "received" not in each
        ]
        place = (where["line"], where["loop"], where["segment"], where["element"])
        said = json.dumps([finding["rule"], anchor, place, within])
        if self._of != (entry.number, str(anchor)):
            self._of = (entry.number, str(anchor))
            self._alike.clear()
        self._alike[said] += 1
        return sha256(f"{said} {self._alike[said]}".encode("utf-8", "backslashreplace")).hexdigest()[:32]
