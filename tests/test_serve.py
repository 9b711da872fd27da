"""serve: what the page and the interface for programs take and give."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile

import jsonschema
import pytest

from edi_checker.reports.schemas import schema_of
from edi_checker.serve import pages
from edi_checker.serve.endpoints import PROFILE
from generate_claims import generate
from paths import ROOT
from serving import CLEAN, RECEIVED, SAMPLE, Inline

X12 = "application/edi-x12"
AT = f"received={RECEIVED}"


@pytest.fixture(scope="module")
def served():
    return Inline()


def check(served, body, query=AT, accept="application/json", **headers):
    told = {"Content_Type": X12, "Accept": accept, **headers}
    return served.post(f"/v1/check?{query}", body, **told)


def command(*words, cwd=ROOT, data=None):
    return subprocess.run(
        [sys.executable, "-m", "edi_checker", *words], cwd=cwd, input=data, capture_output=True, check=False
    ).stdout


def zipped(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


# -- the same answers as the command


@pytest.mark.parametrize(
    ("form", "accept"),
    [
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
        ("csv", "text/csv"),
        ("html", "text/html"),
    ],
)
def test_a_report_is_that_of_the_command_byte_for_byte(served, form, accept):
    body = SAMPLE.read_bytes()
    path = "samples/837p/faulty/ncci.mue.97530-x7.837"
    answer = check(served, body, f"{AT}&name={path}", accept)
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == accept
    assert answer.body == command("check", "--format", form, "--received", RECEIVED, path)


def test_the_archive_has_what_the_command_writes(served, tmp_path):
    (tmp_path / "a.837").write_bytes(SAMPLE.read_bytes())
    words = ("check", "a.837", "--acks", "--split", "--out-dir", "out", "--received", RECEIVED)
    command(*words, cwd=tmp_path)
    written = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir() if file.name[0] != "."}
    answer = check(served, SAMPLE.read_bytes(), f"{AT}&name=a.837", "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == written
    assert answer.headers["content-disposition"] == 'attachment; filename="a.zip"'
    assert len(written) == 6


@pytest.mark.long
def test_many_files_get_the_answers_of_batch(served, tmp_path):
    """Claims of another maker; 1,000 of them were tried by hand (docs/serve.md)."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):
        text = "".join(generate(3, invalid=0.3, seed=number))
        (folder / f"{number:04}.837").write_text(text)
    command("batch", "in", "--out-dir", "out", "--split", "--html", "--received", RECEIVED, cwd=tmp_path)
    for file in sorted(folder.iterdir()):
        answer = check(served, file.read_bytes(), f"{AT}&name=in/{file.name}", "application/zip")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            assert archive.namelist()
            for name in archive.namelist():
                assert archive.read(name) == (tmp_path / "out" / name).read_bytes(), name


# -- what is sent


def test_what_is_packed_is_unpacked(served):
    body = SAMPLE.read_bytes()
    plain = json.loads(check(served, body).body)
    assert json.loads(check(served, gzip.compress(body)).body) == plain
    assert json.loads(check(served, gzip.compress(body), Content_Encoding="gzip").body) == plain
    assert check(served, body, Content_Encoding="gzip").status == 400
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.837", body)
        archive.writestr("two.837", CLEAN.read_bytes())
    report = json.loads(check(served, out.getvalue(), f"{AT}&name=both.zip").body)
    assert [file["path"] for file in report["files"]] == ["both.zip!one.837", "both.zip!two.837"]
    assert report["files"][0]["findings"] == plain["files"][0]["findings"]
    answer = check(served, out.getvalue(), AT, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert {"one.999", "two.999", "one.rejected.837", "two.clean.837"} <= set(archive.namelist())


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"%PDF-1.4", b"\x1f\x8b\x08broken", b"PK\x03\x04broken", b"ISA*"]
)
def test_what_is_no_claim_file_is_422_with_the_reason(served, body):
    answer = check(served, body)
    assert answer.status == 422
    report = json.loads(answer.body)
    jsonschema.validate(report, schema_of("report"))
    assert report["files"][0]["outcome"] == "not_checked"
    assert report["files"][0]["reason"]


def test_the_profile_and_the_isolation_of_a_request_count(served):
    body = SAMPLE.read_bytes()
    words = ("check", "--format", "json", "--received", RECEIVED, "--profile", "commercial", "-")
    outcome = {}
    for profile in ("medicare", "commercial"):
        outcome[profile] = severities_of(check(served, body, f"{AT}&profile={profile}").body)
    assert outcome == {"medicare": ["error"], "commercial": severities_of(command(*words, data=body))}
    assert check(served, body, f"{AT}&isolation=transaction").status == 200


def severities_of(report):
    findings = json.loads(report)["files"][0]["findings"]
    return [each["severity"] for each in findings if each["rule"] == "ncci.mue"]


def test_a_redacted_answer_names_nobody_and_is_not_split(served):
    answer = check(served, SAMPLE.read_bytes(), f"{AT}&redact=true", "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".837")]
        assert not any(b"MALLOW" in archive.read(name) for name in archive.namelist())


# -- what is asked wrongly


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("received=tomorrow", "date"),
        ("received=2026-02-30", "date"),
        ("received=", "date"),
        ("profile=medicair", "Did you mean medicare"),
        ("profile=/etc/passwd", "profile is one of"),
        ("isolation=x", "isolation"),
        ("redact=yes", "true or false"),
        ("colour=red", "not known"),
        ("received=2026-01-01&received=2026-01-02", "more than once"),
        ("name=a%00b", "name"),
        ("name=" + "a" * 300, "name"),
    ],
)
def test_a_wrong_parameter_is_422_and_says_which(served, query, word):
    answer = check(served, SAMPLE.read_bytes(), query)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = json.loads(answer.body)
    assert word in told["detail"]
    assert told["status"] == 422
    assert told["request"] == answer.headers["x-request-id"]


def test_types_that_are_not_taken_or_given(served):
    body = SAMPLE.read_bytes()
    assert check(served, body, accept="image/png").status == 406
    assert (
        check(served, body, accept="text/*;q=0.5, application/x-ndjson;q=0.1")
        .headers["content-type"]
        .startswith("text/csv")
    )
    assert check(served, body, accept="").status == 200
    assert check(served, body, Content_Type="image/png").status == 415
    assert check(served, body, Content_Encoding="br").status == 415
    assert served.get("/v1/check").status == 405
    assert served.get("/v1/check").headers["allow"] == "POST"
    assert served.get("/v1/nothing").status == 404
    assert served.post("/v1/units", b"").status == 405
    assert b"takes POST" in served.get("/v1/check").body
    assert b"takes GET" in served.post("/v1/units", b"").body  # HEAD goes without saying


@pytest.mark.parametrize(
    "body",
    [
        SAMPLE.read_bytes(),
        b"\xef\xbb\xbf\r\n" + SAMPLE.read_bytes(),
        gzip.compress(SAMPLE.read_bytes()),
        zipped({"a.837": SAMPLE.read_bytes()}),
    ],
)
def test_what_curl_calls_a_form_is_a_file_if_it_begins_like_one(served, body):
    """`curl --data-binary @FILE` names no other type unless it is told to."""
    answer = check(served, body, Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 200
    assert b"ncci.mue" in answer.body


@pytest.mark.parametrize("body", [b"", b"file=ISA*00*", b"IS", b"\x1f", b"{}", b" " * 5000 + b"ISA*00"])
def test_a_form_is_no_file(served, body):
    answer = check(served, body, Content_Type="application/x-www-form-urlencoded; charset=utf-8")
    assert answer.status == 415
    assert "the body must be the file itself" in json.loads(answer.body)["detail"]
    assert SAMPLE.read_bytes()[:20] not in answer.body


def test_a_file_in_a_form_is_told_how_to_be_sent(served):
    answer = served.send_form("/v1/check", [("file", ("a.837", SAMPLE.read_bytes()))])
    assert answer.status == 415
    assert "curl --data-binary @FILE" in json.loads(answer.body)["detail"]


def test_a_parameter_that_there_is_not_is_asked_after(served):
    answer = check(served, SAMPLE.read_bytes(), "recieved=2026-09-30")
    assert json.loads(answer.body)["detail"] == (
        "a parameter is not known; known are received, profile, isolation, redact, name."
        " Did you mean received?"
    )
    assert b"ABCD" not in check(served, b"ISA", "ABCD=1").body
    assert b"is not known; there are none" in served.get("/v1/tables?x=1").body


def test_every_answer_says_that_nothing_is_kept_or_run(served):
    for path in ("/", "/rules", "/healthz", "/v1/tables", "/nothing", "/v1/nothing"):
        headers = served.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


# -- fix, answers, rules, units, codes, tables


def test_fix_gives_the_repaired_file(served):
    broken = CLEAN.read_bytes().replace(b"SE*", b"SE*9")
    answer = served.post(f"/v1/fix?{AT}&name=my.837", broken, Content_Type=X12)
    assert answer.status == 200
    assert answer.body == CLEAN.read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="my.fixed.837"'
    said = served.post(f"/v1/fix?{AT}", broken, Content_Type=X12, Accept="text/plain").body.decode()
    assert "-SE*9" in said
    assert "no error and no warning left" in said
    refused = served.post("/v1/fix", b"hello", Content_Type=X12)
    assert refused.status == 422
    assert "nothing is repaired" in json.loads(refused.body)["detail"]


def test_answers_are_explained_with_their_claims(served):
    answer = check(served, SAMPLE.read_bytes(), f"{AT}&name=a.837", "application/zip")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive, zipfile.ZipFile(out, "w") as both:
        for name in ("a.999", "a.277ca"):
            both.writestr(name, archive.read(name))
        both.writestr("a.837", SAMPLE.read_bytes())
        one = archive.read("a.277ca")
    explained = served.post("/v1/explain-ack", out.getvalue(), Content_Type="application/zip")
    report = json.loads(explained.body)
    jsonschema.validate(report, schema_of("explain-ack"))
    assert report["summary"]["claims"]["fix"] == 1 if "summary" in report else True
    alone = served.post("/v1/explain-ack?name=a.277ca", one, Accept="text/plain")
    assert b"SOL-1101" in alone.body
    refused = served.post("/v1/explain-ack", SAMPLE.read_bytes())
    assert refused.status == 422
    for form in ("text/html", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"):
        assert served.post("/v1/explain-ack", one, Accept=form).status == 200


def test_rules_units_codes_and_tables(served):
    rules = json.loads(served.get("/v1/rules?q=units+limit").body)["rules"]
    assert "ncci.mue" in {rule["id"] for rule in rules}
    rule = served.get("/v1/rules/NCCI.MUE")
    assert rule.body == command("explain", "ncci.mue", "--format", "json")
    wrong = served.get("/v1/rules/ncci.muf")
    assert wrong.status == 404
    assert "Did you mean ncci.mue?" in json.loads(wrong.body)["detail"]
    units = json.loads(served.get("/v1/units?minutes=97530=25&minutes=97140=20").body)
    jsonschema.validate(units, schema_of("units"))
    assert units["methods"]["cms"]["units"] == 3
    working = served.get("/v1/units?minutes=97530=25", Accept="text/plain").body.decode()
    assert "2 units by the CMS 8-minute rule" in working
    assert served.get("/v1/units?minutes=97530=2000").status == 422
    code = json.loads(served.get("/v1/codes/97530?on=2026-03-02").body)
    jsonschema.validate(code, schema_of("code"))
    pair = json.loads(served.get("/v1/codes/97530?with=97140&on=2026-03-02").body)
    jsonschema.validate(pair, schema_of("pair"))
    meaning = json.loads(served.get("/v1/codes/A7:562:85").body)
    assert meaning["schema"] == "edi-checker/explain/1"
    assert served.get("/v1/codes/XXXXX").status == 404
    assert served.get("/v1/codes/x-y=z").status == 404
    tables = json.loads(served.get("/v1/tables").body)["tables"]
    assert {"ncci_ptp", "ncci_mue"} <= {table["name"] for table in tables}


def test_health_and_metrics(served):
    check(served, SAMPLE.read_bytes())
    health = json.loads(served.get("/healthz").body)
    assert health["status"] == "ok"
    text = served.get("/metrics").body.decode()
    assert 'edi_checker_requests_total{address="/v1/check",status="200"}' in text
    assert "edi_checker_requests_in_hand 1" in text
    assert "SOL-1101" not in text


# -- the pages without a script


def test_the_form_gives_the_page_with_everything_to_save(served):
    fields = [("file", ("my claims.837", SAMPLE.read_bytes())), ("received", RECEIVED), ("profile", "")]
    answer = served.send_form("/", [*fields, ("as", "page")])
    text = answer.body.decode("ascii")
    assert answer.status == 200
    assert "my claims.837" in text
    assert "1 of 2 claims need work" in text
    names = {name.partition('"')[0] for name in text.split('download="')[1:]}
    endings = ("clean.837", "rejected.837", "xlsx", "999", "277ca", "json")
    assert names == {f"my_claims.{ending}" for ending in endings}
    for name, start in (("zip", b"PK"), ("xlsx", b"PK"), ("fix", b"ISA")):
        saved = served.send_form("/", [*fields, ("as", name)])
        assert saved.body.startswith(start)
        assert saved.headers["content-disposition"].startswith('attachment; filename="my_claims.')


def test_a_file_that_can_be_repaired_is_there_to_save(served):
    broken = CLEAN.read_bytes().replace(b"SE*", b"SE*9")
    text = served.send_form("/", [("file", ("a.837", broken)), ("received", RECEIVED)]).body.decode("ascii")
    assert 'download="a.fixed.837"' in text
    assert "(1 repair)" in text


def test_several_files_are_saved_together(served):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.837", SAMPLE.read_bytes())
        archive.writestr("two.837", CLEAN.read_bytes())
    text = served.send_form(
        "/", [("file", ("both.zip", out.getvalue())), ("received", RECEIVED)]
    ).body.decode()
    assert 'download="answers.zip"' in text
    assert "two.837" in text


def test_a_text_that_was_pasted_is_checked(served):
    text = SAMPLE.read_text().replace("\n", "\r\n")
    answer = served.send_form("/", [("text", text), ("received", RECEIVED)])
    assert b"1 of 2 claims need work" in answer.body


def test_minutes_of_a_form_count(served):
    minutes = b"claim,line,minutes\nPT-1001,1,5\n"
    body = CLEAN.read_bytes()
    fields = [("file", ("a.837", body)), ("received", RECEIVED), ("minutes", ("m.csv", minutes))]
    assert served.send_form("/", fields).status == 200
    wrong = [*fields[:2], ("minutes", ("m.csv", b"claim;line\n"))]
    answer = served.send_form("/", wrong)
    assert answer.status == 422
    assert b"the file with minutes" in answer.body.lower()


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ([], 422, "Choose a file first"),
        ([("file", ("", b""))], 422, "Choose a file first"),
        ([("file", ("a.pdf", b"%PDF-1.4 x"))], 422, "PDF"),
        ([("file", ("a.pdf", b"%PDF-1.4 x")), ("as", "zip")], 422, "PDF"),
        ([("file", ("a.pdf", b"%PDF-1.4 x")), ("as", "fix")], 422, "Nothing is repaired"),
        ([("file", ("a.837", b"ISA")), ("received", "x")], 422, "Received is a date"),
        ([("file", ("a.837", b"ISA")), ("as", "x")], 422, "no such button"),
        ([("file", ("a.837", b"ISA")), ("file", ("b.837", b"ISA"))], 422, "One file at a time"),
        ([("text", "x" * 3_000_000)], 413, "pasted text"),
        ([(f"f{number}", "x") for number in range(30)], 400, "Too many fields"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_on_a_page(served, fields, status, words):
    answer = served.send_form("/", fields)
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert words.lower() in answer.body.decode("ascii").lower()


def test_a_page_says_in_plain_words_what_is_wrong_and_leads_back_to_its_form(served):
    for path in ("/", "/ack"):
        page = served.send_form(path, []).body.decode()
        assert "<h1>That could not be done</h1>" in page
        assert "Unprocessable" not in page
        assert f'<a href="{path}">Back to:' in page
    page = served.get("/nothing").body.decode()
    assert "<h1>There is no such page</h1>" in page
    assert '<a href="/">Back to: Check claims</a>' in page
    for path in ("/v1", "/v1/", "/v1/nothing", "/openapi", "/metrics/"):
        assert served.get(path).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("usual", "first", "missing"),
    [
        ("auto", "The payer of each claim", "auto"),
        ("uhc", "UnitedHealthcare", "uhc"),
        ("p.yaml", "The profile of this server", ""),
    ],
)
def test_the_form_names_payers_as_an_office_does(usual, first, missing):
    page = pages.write_check(usual, 1000)
    assert f'<option value="">{first}</option>' in page
    for name in PROFILE.choices:
        assert (f'<option value="{name}">' in page) == (name != missing)
        assert f">{name}</option>" not in page


def test_the_other_pages(served):
    acks = check(served, SAMPLE.read_bytes(), f"{AT}&name=a.837", "application/zip")
    with zipfile.ZipFile(io.BytesIO(acks.body)) as archive:
        answers = [("file", (name, archive.read(name))) for name in ("a.999", "a.277ca")]
    page = served.send_form("/ack", [*answers, ("file", ("a.837", SAMPLE.read_bytes()))])
    assert b"1 of 2 claims must be fixed" in page.body
    assert b"Explain other answers" in page.body
    assert served.send_form("/ack", [("text", "hello")]).status == 422
    assert b"What does the answer say?" in served.get("/ack").body
    units = served.get("/units?minutes=97530%3D25+97140%3D20&method=ama").body
    assert b"AMA midpoint rule" in units
    assert b"\n  97530  |||||" in units
    assert b"is not CODE=MINUTES" in served.get("/units?minutes=x").body
    assert served.get("/units?method=x").status == 422
    assert b"ncci.mue" in served.get("/rules?q=mue").body
    assert b"How a rule" not in served.get("/rules/ncci.mue").body
    assert b"medically unlikely" in served.get("/rules/ncci.mue").body
    assert served.get("/rules/x").status == 404


def test_what_is_sent_is_shown_and_never_run(served):
    evil = '"><script>alert(1)</script>.837'
    answer = served.send_form("/", [("file", (evil.replace('"', "%22"), SAMPLE.read_bytes()))])
    assert b"<script>alert" not in answer.body
    for path in ("/rules?q=%3Cscript%3Ealert(1)", "/units?minutes=%3Cscript%3E", "/%3Cscript%3E"):
        assert b"<script>alert" not in served.get(path).body
        assert b"<script>a" not in served.get(path).body


# -- the log


def test_the_log_has_addresses_and_nothing_that_was_sent(served):
    served.get("/v1/codes/97530?on=2026-03-02")
    served.get("/SOL-1101/MALLOW")
    served.send_form("/", [("file", ("MALLOW.837", SAMPLE.read_bytes()))])
    check(served, SAMPLE.read_bytes(), f"{AT}&name=MALLOW.837")
    assert any("address=/v1/codes/{code}" in line for line in served.log)
    log = " ".join(served.log)
    assert "97530" not in log
    assert "MALLOW" not in log
    assert "SOL-1101" not in log
    assert "request=" in log
    assert "seconds=" in log
