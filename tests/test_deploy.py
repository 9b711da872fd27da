"""What is in deploy/: it starts the command as it is, may do little, and lets a file in hand be finished."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from edi_checker.cli import COMMANDS, commands
from paths import ROOT

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
SERVE = UNITS / "edi-checker-serve.service"
SERVICES = sorted({*UNITS.glob("*.service")} - {SERVE})  # of the drop folder
PROGRAM = "/opt/edi-checker/bin/edi-checker"
VOLUME = "/srv/edi"
EXPOSURE = 4.0  # of 10, as `systemd-analyze security` counts


def read_unit(file: Path) -> dict[str, list[str]]:
    """The values of each setting, in order; a setting has one name, whatever its section."""
    found: dict[str, list[str]] = {}
    for line in file.read_text("utf-8").replace("\\\n", " ").splitlines():
        if line and line[0] not in "#;[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def only(file: Path, name: str) -> str:
    (value,) = read_unit(file)[name]
    return value


def in_seconds(span: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|m|min)", span).groups()
    return int(number) * (1 if unit == "s" else 60)


def image() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with its arguments on one line."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in whole if line)]


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def calls() -> dict[str, list[str]]:
    """Every call of the command in deploy/, by where it stands."""
    found = {}
    for file in SERVICES:
        program, *words = shlex.split(only(file, "ExecStart"))
        assert program == PROGRAM
        assert "$HISTORY" in words
        found[file.name] = words
    program, *found["edi-checker-serve.service"] = shlex.split(only(SERVE, "ExecStart"))
    assert program == PROGRAM
    for name, rest in image():
        if name == "CMD":
            found["Dockerfile"] = json.loads(re.sub(r"\s+", " ", rest))
        if name == "HEALTHCHECK":
            found["HEALTHCHECK"] = json.loads(rest.partition("CMD")[2])[1:]
    watch = compose()["services"]["watch"]
    found["compose.yaml"] = watch["command"]
    found["its healthcheck"] = watch["healthcheck"]["test"][2:]
    return found


# -- the command


@pytest.mark.parametrize("where", calls())
def test_what_is_started_is_a_command_with_these_options(where):
    name, *words = calls()[where]
    assert name in COMMANDS
    known = {option for each in commands.get_command(None, name).params for option in each.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


def test_the_key_of_the_history_comes_from_systemd():
    unit = read_unit(UNITS / "history.conf")
    [set_to] = shlex.split(unit["Environment"][0])
    name, _, value = set_to.partition("=")
    option, path = value.split()
    assert (name, path) == ("HISTORY", "%d/" + unit["LoadCredential"][0].partition(":")[0])
    known = {each for param in commands.get_command(None, "watch").params for each in param.opts}
    assert option in known


@pytest.mark.parametrize("where", calls())
def test_all_places_are_on_one_volume(where):
    """Files are renamed from one to the next, and a mount ends that."""
    volume = VOLUME if where.endswith(".service") else "/data"
    places = [word.rpartition("=")[2] for word in calls()[where]]
    runtime = ("/data/state/status.json", "/data/state/edi-checker.prom")
    for place in (each for each in places if each.startswith("/") and each not in runtime):
        assert place.startswith(f"{volume}/")


def test_the_volume_is_one_mount():
    assert only(UNITS / "edi-checker-.service.d" / "10-sandbox.conf", "ReadWritePaths") == VOLUME
    for file in SERVICES:
        assert only(file, "RequiresMountsFor") == VOLUME
    assert [volume.split(":")[1] for volume in compose()["services"]["watch"]["volumes"]] == ["/data"]
    assert [rest for name, rest in image() if name == "VOLUME"] == ["/data"]


def test_what_says_otherwise_is_read_after_the_sandbox():
    """All of them are read in the order of their names, whatever their folders."""
    names = {file.name for file in UNITS.rglob("*.conf")}
    assert {"postgresql.conf", "history.conf", "serve.conf"} < names
    assert min(names) == "10-sandbox.conf"


def test_a_file_in_hand_is_finished():
    watch = commands.get_command(None, "watch")
    [longest] = [each.default for each in watch.params if each.name == "max_seconds"]
    spans = [only(file, "TimeoutStopSec") for file in SERVICES]
    spans.append(compose()["services"]["watch"]["stop_grace_period"])
    assert spans
    assert all(in_seconds(span) > longest for span in spans)
    assert all(only(file, "KillMode") == "mixed" for file in SERVICES)


def test_a_request_in_hand_is_finished():
    serve = commands.get_command(None, "serve")
    [longest] = [each.default for each in serve.params if each.name == "max_seconds"]
    assert in_seconds(only(SERVE, "TimeoutStopSec")) > longest
    assert only(SERVE, "KillMode") == "mixed"


def test_the_server_is_reached_from_its_machine_alone_and_writes_nowhere():
    more = UNITS / "edi-checker-serve.service.d" / "serve.conf"
    assert (only(more, "IPAddressDeny"), only(more, "IPAddressAllow")) == ("any", "localhost")
    assert only(more, "ReadWritePaths") == ""
    assert not {"--host", "--token-file"} & set(calls()["edi-checker-serve.service"])


def test_the_path_unit_wakes_for_the_folder_that_is_watched():
    [_, inbox, *_] = calls()["edi-checker-once.service"]
    assert only(UNITS / "edi-checker-once.path", "PathChanged") == inbox
    assert "--once" in calls()["edi-checker-once.service"]


# -- systemd


@pytest.fixture
def installed(tmp_path):
    """The units as systemd would find them, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for more in folder.glob("*.conf"):
        more.unlink()
    for file in folder.glob("*.service"):
        file.write_text(file.read_text("utf-8").replace(PROGRAM, "/bin/true"), "utf-8")
    return folder


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"}
    command = ["systemd-analyze", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def add_the_rest(folder: Path) -> None:
    """What is for a ledger in PostgreSQL, and for a history."""
    beside = folder / "edi-checker-watch.service.d"
    beside.mkdir()
    for more in UNITS.glob("*.conf"):
        shutil.copy(more, beside)


@pytest.mark.parametrize("with_the_rest", [False, True])
def test_systemd_understands_every_unit(installed, with_the_rest):
    if with_the_rest:
        add_the_rest(installed)
    units = [str(file) for file in installed.iterdir() if file.is_file()]
    verified = analyze(installed, "verify", "--man=no", *units)
    # The units of the machine may have faults of their own.
    told = [line for line in verified.stderr.splitlines() if "edi-checker" in line]
    assert (told, verified.returncode) == ([], 0)


def test_systemd_says_what_is_wrong_in_a_unit(installed):
    file = installed / "edi-checker-watch.service"
    file.write_text(
        file.read_text("utf-8").replace("WatchdogSec=3min", "WatchdogSec=soon\nNoSuch=1"), "utf-8"
    )
    verified = analyze(installed, "verify", "--man=no", str(file))
    assert ": Failed to parse" in verified.stderr
    assert "'NoSuch'" in verified.stderr


@pytest.mark.parametrize("with_the_rest", [False, True])
@pytest.mark.parametrize("service", [*SERVICES, SERVE], ids=lambda file: file.stem)
def test_a_service_may_do_little(installed, service, with_the_rest):
    if with_the_rest:
        add_the_rest(installed)
    looked = analyze(
        installed, "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}",
        str(installed / service.name),
    )  # fmt: skip
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", looked.stdout)
    assert exposure, looked.stderr
    assert float(exposure[1]) <= EXPOSURE
    assert looked.returncode == 0


def test_a_service_without_the_sandbox_may_do_much(installed):
    shutil.rmtree(installed / "edi-checker-.service.d")
    service = str(installed / "edi-checker-watch.service")
    looked = analyze(installed, "security", "--offline=yes", "--no-pager", "--threshold=40", service)
    assert looked.returncode != 0


# -- the image


def test_hadolint_finds_nothing():
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed")
    linted = subprocess.run(["hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (linted.stdout, linted.returncode) == ("", 0)


def test_the_image_is_pinned_small_and_not_root():
    instructions = image()
    images = [rest.split()[0] for name, rest in instructions if name == "FROM"]
    images += [each["image"] for each in compose()["services"].values() if "image" in each]
    assert all(re.search(r":\d+\.\d+(\.\d+)?-", each) for each in images)
    assert [rest for name, rest in instructions if name == "USER"] == ["10837:10837"]
    assert "ADD" not in dict(instructions)
    for name, rest in instructions:
        if name == "RUN" and "apt-get" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
    [entry] = [rest for name, rest in instructions if name == "ENTRYPOINT"]
    assert json.loads(entry) == ["edi-checker"]


def test_the_container_has_no_root_file_system_to_write_and_no_way_out():
    watch = compose()["services"]["watch"]
    assert watch["read_only"]
    assert watch["cap_drop"] == ["ALL"]
    assert watch["networks"] == ["inside"]
    assert compose()["networks"]["inside"] == {"internal": True}


def test_what_the_image_is_built_from_reaches_the_builder():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    assert all((ROOT / name).exists() for name in let_through)

    def reaches(name: str) -> bool:
        return any(name == each or name.startswith(f"{each}/") for each in let_through)

    # What the build reads by itself, and what the Dockerfile names.
    needed = ["setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE", "edi_checker", "rulesets"]
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    needed += re.findall(r"(?:/build/)?(\.ci/[\w.]+|samples/[\w./-]+)", text)
    assert all(reaches(name) for name in needed)
    assert not any(fnmatch(each, "tests*") or each.startswith(".git") for each in let_through)
