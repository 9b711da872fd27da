"""What all tests share."""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files again from what is made now"
    )


# Modules of which every test takes long; in others each such test is marked so.
_LONG = frozenset(
    "test_ack_corpus test_batch test_bench test_clean_claims test_corpus test_full_table test_fuzz "  # noqa: SIM905
    "test_hostile test_other_books test_patterns test_pieces test_probe test_rules_commands "
    "test_screenshots test_store".split()
)


def pytest_ignore_collect(collection_path, config):
    """The quick lane does not even read the modules that it leaves out."""
    return True if config.option.markexpr == "quick" and collection_path.stem in _LONG else None


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem not in _LONG and item.get_closest_marker("long") is None:
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


@pytest.fixture(autouse=True, scope="session")
def _no_tables_of_the_user(tmp_path_factory):
    """What is imported on a machine must not change what is found in a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
        yield
