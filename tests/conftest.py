"""What all tests share."""

import gc
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

from edi_checker.facts import VOCABULARY
from edi_checker.rules import language
from ledgers import MORNING, Clock, Cluster, find_postgresql

GOLDEN = Path(__file__).parent / "golden"

# As in a process of the command: what a test leaves behind is seldom more than counting references frees.
gc.set_threshold(50_000, 20, 100)

# Where a machine is told to keep no bytecode, each of the many processes would compile all modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes depends on the machine.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files again from what is made now"
    )


# Modules of which every test takes long; in others each such test is marked so.
_LONG = frozenset(
    "test_ack_corpus test_batch test_bench test_clean_claims test_corpus test_coverage_page test_full_table "  # noqa: SIM905
    "test_fuzz test_history_commands test_hostile test_hostile_bounds test_hostile_files "
    "test_hostile_layouts test_hostile_writes test_lookup test_operations_page test_other_books "
    "test_pieces test_probe test_rules_commands test_screenshots test_serve_browser "
    "test_serve_hostile test_serve_schema test_spark test_state_history "
    "test_state_processes test_state_store test_store test_whole_tables".split()
)
# Those that take too long for the quick lane, and alone reach much of the package.
_TRACED = frozenset(
    "test_answered_claims test_api test_examples test_fact_tables test_fix_command test_history "  # noqa: SIM905
    "test_hosted_ci test_index_page test_kept_rules test_ledger_commands test_serve test_serve_guard "
    "test_site test_spark_crew test_state_ledger test_status test_watch".split()
)


# Those that take longest, the longest first: whoever begins with one of them late is left alone with it.
_LONGEST = (
    "test_spark test_state_processes test_watch test_accessibility test_other_books test_hostile_writes "  # noqa: SIM905
    "test_fix test_screenshots test_crash test_hostile_bounds test_full_table test_probe test_code_rules "
    "test_site".split()
)


def pytest_ignore_collect(collection_path, config):
    """The quick lane does not even read the modules that it leaves out."""
    left_out = collection_path.stem in _LONG | _TRACED
    return True if config.option.markexpr == "quick" and left_out else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Two more than cores: many tests wait for processes, servers and clocks."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items):
    for item in items:
        name = item.path.stem
        if name not in _LONG and item.get_closest_marker("long") is None:
            item.add_marker("traced" if name in _TRACED else "quick")
    # What takes long begins early, so that no worker is left alone with it at the end.
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(
        key=lambda item: (places.get(item.path.stem, len(places)), item.path.stem not in _LONG | _TRACED)
    )


def pytest_collection_finish():
    """What is collected stays to the end: no search for garbage needs to look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """What makes calls that write fail, to be loaded before a process (failing_writes.c)."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc on Linux")
    built = tmp_path_factory.mktemp("built") / "failing_writes.so"
    source = Path(__file__).parent / "failing_writes.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


@pytest.fixture
def golden(request):
    """Hold a text to the file of that name in tests/golden."""

    def compare(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
        assert text == file.read_bytes().decode()

    return compare


@pytest.fixture(autouse=True, scope="session")
def _no_tables_of_the_user(tmp_path_factory):
    """What is imported on a machine must not change what is found in a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _rule_files_are_read_once():
    """What a file says depends only on what `read_rule` is given, and many commands read the same ones."""
    read_rule = language.read_rule
    known = {}

    def read_once(data, rule_id, path, vocabulary, profiles):
        if vocabulary != VOCABULARY:
            return read_rule(data, rule_id, path, vocabulary, profiles)
        key = (data, rule_id, path, tuple(profiles))
        if key not in known:
            known[key] = read_rule(data, rule_id, path, vocabulary, profiles)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "read_rule", read_once)
        yield


@pytest.fixture(scope="session")
def postgresql():
    """A private PostgreSQL; `make` gives the URL of an empty database."""
    binaries = find_postgresql()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = Cluster(binaries)
    yield cluster
    cluster.close()


@pytest.fixture
def office(monkeypatch):
    """The clock by which the commands of the ledger go, in an office in UTC where jo is at work."""
    clock = Clock(MORNING)
    monkeypatch.setattr("edi_checker.cli.opening.now", clock)
    monkeypatch.setattr("getpass.getuser", lambda: "jo")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield clock
    time.tzset()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def ledger_url(request, tmp_path):
    """Where a ledger can be made, in both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return request.getfixturevalue("postgresql").make()
