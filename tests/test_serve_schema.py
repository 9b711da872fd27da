"""serve keeps what its description (OpenAPI) promises: schemathesis asks a running server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from edi_checker.serve.media import EDI
from edi_checker.serve.openapi import describe
from serving import Inline, serving

pytestmark = pytest.mark.skipif(find_spec("schemathesis") is None, reason="schemathesis is not installed")

# Without its phase `stateful`: no address depends on what another was asked before.
PHASES = "examples,coverage,fuzzing"
# No schema says what a claim file is: what is none is refused with 422, though it is a text as any other.
NOT_HELD = "positive_data_acceptance"
TESTS = str(Path(__file__).parent)


def test_what_is_described_is_what_is_done(tmp_path):
    with serving("--max-body", "1000000") as served:
        base = f"http://127.0.0.1:{served.port}"
        with urllib.request.urlopen(f"{base}/openapi.json") as stream:
            (tmp_path / "openapi.json").write_bytes(stream.read())
        schemathesis = Path(sys.executable).with_name("schemathesis")
        told = subprocess.run(
            [schemathesis, "run", f"{base}/openapi.json", "--phases", PHASES, "--max-examples", "3",
             "--checks", "all", "--exclude-checks", NOT_HELD, "--seed", "837", "--no-color",
             "--suppress-health-check", "all", "--generation-database", "none"],
            cwd=tmp_path, env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": TESTS},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout[-6000:]
        assert not any("status=500" in line for line in served.log)
        assert not any("Traceback" in line for line in served.log)


def test_with_a_token_the_description_asks_for_it():
    described = describe("1", with_token=True)
    assert described["security"] == [{"token": []}]
    paths = {path: methods for path, methods in described["paths"].items() if path != "/healthz"}
    operations = [each for methods in paths.values() for each in methods.values()]
    assert all("401" in each["responses"] for each in operations)
    assert "security" not in describe("1", with_token=False)


def test_the_examples_say_something():
    described = describe("1", with_token=False)
    served, answers = Inline(), {}
    for path, methods in described["paths"].items():
        if "post" in methods:
            example = methods["post"]["requestBody"]["content"][EDI]["example"]
            answers[path] = served.post(f"{path}", example.encode(), Content_Type=EDI)
            assert answers[path].status == 200
    [file] = json.loads(answers["/v1/check"].body)["files"]
    assert [each["rule"] for each in file["findings"]] == ["ncci.mue"]
    assert json.loads(answers["/v1/explain-ack"].body)["told"]
