"""What all tests share."""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files anew from what is made now"
    )


# Modules that take long together: many processes, many random claims, a browser.
_LONG = frozenset(
    "test_ack_corpus test_acks test_answers test_batch test_bench test_clean_claims test_cli "  # noqa: SIM905
    "test_codesets test_corpus test_engine test_engines_agree test_examples test_full_table "
    "test_fuzz test_hostile test_html test_memo test_other_books test_patterns test_pieces test_probe "
    "test_redact test_rules_commands test_samples test_screenshots test_split test_store test_walker".split()
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem not in _LONG:
            item.add_marker("quick")


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


@pytest.fixture(autouse=True)
def _no_tables_of_the_user(monkeypatch, tmp_path_factory):
    """What is imported on a machine must not change what is found in a test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
