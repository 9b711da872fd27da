"""The formats for CI servers: GitHub's workflow commands, SARIF and JUnit XML."""

import io
import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from book import BOOK
from edi_checker.cli import commands
from edi_checker.reports.file_lines import FileLines
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.github_report import GithubReport
from edi_checker.reports.junit_report import JunitReport
from edi_checker.reports.sarif_report import SarifReport
from edi_checker.x12.finding import Place
from test_reports import bundled, check, close_journals, count_fault, interchange, journal_of, transaction  # noqa: F401  # a fixture

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
PTP = SAMPLES / "faulty/ncci.ptp.97530-97750.837"
RECEIVED = ("--received", "2026-09-30")
TWO = interchange(transaction(("A-1", "100"), ("A-2", "50.5")))
COMMAND = re.compile(r"::(error|warning|notice) file=([^:,]*),line=(\d+),title=([^:,]*)::(.*)")


def made(report, *journals):
    for journal, summary in journals:
        report.add(journal, summary)
    report.finish()


def github(*journals):
    out = io.StringIO()
    made(GithubReport(out), *journals)
    return out.getvalue()


def sarif(*journals):
    out = io.StringIO()
    made(SarifReport(out, version="0.1.0", rules=BOOK.rules), *journals)
    log = json.loads(out.getvalue())
    jsonschema.Draft202012Validator(SARIF).validate(log)
    return log["runs"][0]


def junit(*journals):
    out = io.StringIO()
    made(JunitReport(out), *journals)
    return etree.fromstring(out.getvalue().encode())


def run(form, *arguments):
    return CliRunner().invoke(commands, ["check", *RECEIVED, "--format", form, *map(str, arguments)])


# -- GitHub --------------------------------------------------------------------------------------------------


def test_github_shows_each_finding_on_its_line():
    done = run("github", PTP)
    (found,) = map(COMMAND.fullmatch, done.stdout.splitlines())
    assert done.exit_code == 1
    level, path, line, title, message = found.groups()
    assert (level, path, title) == ("error", str(PTP), "ncci.ptp in claim SOL-1101")
    assert PTP.read_text().splitlines()[int(line) - 1].startswith("SV1*HC:97750")
    assert message.startswith("97750 is not paid with 97530")


def test_github_escapes_what_would_end_a_command():
    path = "a%b,c:d\r\n::error::x.837"
    text = interchange(transaction(("C:1,2%", "1")))
    shout = "100%\n::stop-commands::x\r"
    lines = github(
        journal_of(check(text, {"C:1,2%": [lambda c: bundled(c, message=shout, fix="")]}), path=path)
    )
    (found,) = map(COMMAND.fullmatch, lines.splitlines())
    _, file, line, title, message = found.groups()
    assert (unquote(file), line, unquote(title)) == (path, "1", "ncci.ptp in claim C:1,2%")
    assert message == "100%25%0A::stop-commands::x"


def test_github_has_levels_and_says_what_was_not_checked_and_not_listed():
    def told(severity):
        return lambda claim: bundled(claim, severity=severity)

    with FindingsLog("x.837", most=2) as journal:
        for checked in check(TWO, {"A-1": [told("warning"), told("info"), told("info")]}):
            journal.add(checked)
        lines = github((journal, journal.end(failure="the archive ends too early")))
    assert [line.partition(" ")[0] for line in lines.splitlines()] == [
        "::error", "::warning", "::notice", "::warning",
    ]  # fmt: skip
    assert "title=not checked::the archive ends too early" in lines
    assert lines.endswith("::and 1 more of ncci.ptp\n")


# -- Lines ---------------------------------------------------------------------------------------------------


LINED = PTP.read_text()
FLAT = LINED.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LINED, 7),
        (LINED.replace("\n", "\r\n"), 7),
        ("\ufeff" + LINED, 7),
        (LINED + "\n\n", 7),
        (LINED.removesuffix("\n"), 7),
        (LINED.replace("~\n", "\n"), 7),
        (FLAT, 1),
        (FLAT.replace("~ST", "~\nST"), 1),
        (LINED.replace("~\n", "~\n\n"), 1),
        ("\n" + LINED, 1),
        ("\n".join(re.findall(".{1,80}", FLAT)), 1),
        (LINED.replace("*ZZ*", "*ZZ*\n", 1), 1),
        ("", 1),
        ("ISA", 1),
        ("no claims", 1),
    ],
    ids=range(15),
)
def test_a_line_is_named_only_where_each_has_a_segment(tmp_path, text, line):
    file = tmp_path / "x.837"
    file.write_text(text, newline="", encoding="utf-8")
    assert FileLines(str(file)).line(7) == line
    assert FileLines(str(file)).line(None) == 1


def test_what_is_no_plain_file_has_one_line(tmp_path):
    for path in ("-", str(tmp_path), str(tmp_path / "gone"), "a.zip!x.837", "a\0b", "/dev/zero"):
        assert FileLines(path).line(7) == 1


@pytest.mark.long
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.sampled_from(["\n", "\r\n", "", " ", "\n\n"]), min_size=1, max_size=4))
def test_a_line_that_is_named_is_that_of_the_segment(tmp_path, cuts):
    """Whatever stands between the segments."""
    segments = FLAT.rstrip("~").split("~")
    text = "".join(segment + "~" + cuts[number % len(cuts)] for number, segment in enumerate(segments))
    file = tmp_path / "x.837"
    file.write_text(text, newline="", encoding="utf-8")
    done = run("github", file)
    for found in map(COMMAND.fullmatch, done.stdout.splitlines()):
        line = int(found[3])
        if found[4].startswith("ncci.ptp ") and line > 1:
            assert text.splitlines()[line - 1].startswith("SV1*HC:97750")


# -- SARIF ---------------------------------------------------------------------------------------------------


def closed(properties, *required):
    """An object with these properties and no others, as nearly all of SARIF are."""
    return {
        "type": "object", "additionalProperties": False, "properties": properties, "required": list(required),
    }  # fmt: skip


def listed(items):
    return {"type": "array", "items": items}


STRING = {"type": "string"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = closed({"text": STRING}, "text")
PHYSICAL = closed(
    {
        "artifactLocation": closed(
            {"uri": {"type": "string", "format": "uri-reference", "pattern": "^[!-~]+$"}}
        ),
        "region": closed({"startLine": {"type": "integer", "minimum": 1}}),
    }
)
LOCATION = closed(
    {
        "physicalLocation": PHYSICAL,
        "logicalLocations": listed(closed({"fullyQualifiedName": STRING, "kind": STRING})),
    }
)
# The part of SARIF 2.1.0 that a report uses, as sections 3.13 to 3.58 of the standard say it.
SARIF = closed(
    {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": listed(
            closed(
                {
                    "tool": closed(
                        {
                            "driver": closed(
                                {
                                    "name": STRING,
                                    "version": STRING,
                                    "rules": listed(
                                        closed(
                                            {
                                                "id": STRING,
                                                "shortDescription": MESSAGE,
                                                "fullDescription": MESSAGE,
                                                "help": MESSAGE,
                                                "defaultConfiguration": closed({"level": LEVEL}),
                                            },
                                            "id",
                                        )
                                    ),
                                },
                                "name",
                            )
                        },
                        "driver",
                    ),
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": listed(
                        closed(
                            {
                                "ruleId": STRING,
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": LEVEL,
                                "message": MESSAGE,
                                "locations": listed(LOCATION),
                                "partialFingerprints": {"type": "object", "additionalProperties": STRING},
                            },
                            "message",
                        )
                    ),
                    "invocations": listed(
                        closed(
                            {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": listed(
                                    closed(
                                        {"level": LEVEL, "message": MESSAGE, "locations": listed(LOCATION)},
                                        "message",
                                    )
                                ),
                            },
                            "executionSuccessful",
                        )
                    ),
                },
                "tool",
            )
        ),
    },
    "version",
    "runs",
)


def test_sarif_has_the_rule_with_its_help_and_the_result_with_its_line():
    done = run("sarif", PTP)
    assert done.exit_code == 1
    log = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SARIF).validate(log)
    driver = log["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in BOOK.rules]
    (result,) = log["runs"][0]["results"]
    rule = driver["rules"][result["ruleIndex"]]
    assert (rule["id"], result["ruleId"], result["level"]) == ("ncci.ptp", "ncci.ptp", "error")
    assert "CMS" in rule["help"]["text"]
    place = result["locations"][0]
    assert place["physicalLocation"]["region"]["startLine"] == 29
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "claim SOL-1101/line 2/2400 SV101-2"


def above(provider):
    place = Place("000000905", "1", "0001", None, None, "2010AA", "N3", 9, "N301")
    return count_fault(provider.transaction.group.interchange)._replace(where=place)


def prints(*claims, found=("A-1", "A-2")):
    text = interchange(transaction(*claims))
    faulty = {claim: [bundled, bundled] for claim in found} | {"BillingProvider": [above]}
    results = sarif(journal_of(check(text, faulty)))["results"]
    return [
        (
            result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            *result["partialFingerprints"].values(),
        )
        for result in results
    ]


def test_fingerprints_stay_when_other_claims_come():
    alone = prints(("A-1", "1"), ("A-2", "1"))
    more = prints(("A-1", "1"), ("B-7", "1"), ("B-8", "9"), ("A-2", "1"), found=("A-1", "B-7", "A-2"))
    assert len({fingerprint for _, fingerprint in more}) == len(more) == 7
    assert set(alone) < set(more)


def test_sarif_says_what_was_not_checked():
    whole = sarif(journal_of(check(TWO), path="in/x y:z.837", failure="the archive ends too early"))
    (invocation,) = whole["invocations"]
    (note,) = invocation["toolExecutionNotifications"]
    assert invocation["executionSuccessful"] is False
    assert note["message"]["text"] == "not checked: the archive ends too early"
    assert note["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "in/x%20y%3Az.837"
    assert whole["results"] == []


# -- JUnit ---------------------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_claim():
    def noted(claim):
        return bundled(claim, severity="warning")

    root = junit(journal_of(check(TWO, {"A-1": [noted], "A-2": [bundled]})))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("claims.837", "2", "1")
    fine, rejected = suite
    assert (fine.get("classname"), fine.get("name")) == ("claims.837", "A-1")
    assert [child.tag for child in fine] == ["system-out"]
    (failure,) = rejected
    assert (failure.tag, failure.get("type")) == ("failure", "ncci.ptp")
    assert failure.get("message").startswith("97750 is bundled into 97530")
    assert failure.text.startswith("error ncci.ptp, line 2 2400 SV101-2: 97750 is bundled")


def test_junit_numbers_are_those_of_its_elements():
    done = run("junit", SAMPLES / "faulty", SAMPLES / "clean")
    root = etree.fromstring(done.stdout.encode())
    for element in (root, *root):
        assert int(element.get("tests")) == len(element.findall(".//testcase"))
        assert int(element.get("failures")) == len(element.findall(".//failure"))
        assert int(element.get("errors")) == len(element.findall(".//error"))


def test_junit_names_what_is_above_the_claims_and_what_was_not_checked():
    above = journal_of(check(TWO, {"Interchange": [count_fault]}))
    lost = journal_of(check(TWO), path="lost.837", failure="the archive ends too early")
    crashed = journal_of(check(TWO, failed={"A-1": "internal error"}), path="crashed.837")
    root = junit(above, lost, crashed)
    first, second, third = root
    assert [case.get("name") for case in first] == ["outside of the claims", "A-1", "A-2"]
    assert [[child.tag for child in case] for case in second] == [["error"], ["error"], ["error"]]
    assert second[0][0].text == "the archive ends too early"
    assert [[child.tag for child in case] for case in third] == [["error"], ["error"], []]


@pytest.mark.long
@settings(max_examples=50)
@given(value=st.text(st.characters(), max_size=30))
def test_no_text_breaks_a_format(value):
    def hostile(claim):
        found = bundled(claim, message=value or "x", fix=value)
        return found._replace(where=found.where._replace(claim=value, loop=value))

    def journal():
        return journal_of(check(TWO, {"A-1": [hostile]}), path=value or "x")

    (root,) = junit(journal())
    assert len(root.findall(".//failure")) == 1
    assert len(sarif(journal())["results"]) == 1
    (line,) = github(journal()).splitlines()
    assert COMMAND.fullmatch(line)
