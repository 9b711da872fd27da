"""Whether a package that is installed may name a group of entry points, before anybody looks closely."""

import sys
import zipfile
from importlib.metadata import entry_points

import pytest

from edi_checker.files.installed import may_have_entry_points

GROUP = "acme_group"


def installed(folder, suffix, text):
    place = folder / f"acme-1.0{suffix}"
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (place / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (place / "entry_points.txt").write_text(text)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "is not there")])
    return tmp_path


@pytest.mark.parametrize(
    ("suffix", "text", "has"),
    [
        (".dist-info", f"[{GROUP}]\nacme = acme\n", True),
        (".DIST-INFO", f"[console_scripts]\nx = y\n[{GROUP}]\nacme = acme\n", True),
        (".egg-info", f"[{GROUP}]\nacme = acme\n", True),
        (".dist-info", f"[console_scripts]\n{GROUP} = {GROUP}:main\n", False),
        (".dist-info", "", False),
    ],
)
def test_it_says_what_importlib_says(suffix, text, has, folder):
    assert not may_have_entry_points(GROUP)
    installed(folder, suffix, text)
    assert may_have_entry_points(GROUP) == has
    assert bool(entry_points(group=GROUP)) == has or suffix.isupper()


def test_where_it_cannot_see_there_may_be_one(folder, monkeypatch):
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        archive.writestr("acme-1.0.dist-info/entry_points.txt", f"[{GROUP}]\nacme = acme\n")
    monkeypatch.setattr(sys, "path", [str(folder / "packed.zip")])
    assert entry_points(group=GROUP)
    assert may_have_entry_points(GROUP)


def test_an_egg_is_looked_into_by_others(folder):
    (folder / "acme-1.0-py3.11.egg").mkdir()
    assert may_have_entry_points(GROUP)


def test_a_finder_of_another_kind_may_find_one(folder, monkeypatch):
    class Finder:
        @staticmethod
        def find_spec(*_):
            return None

        @staticmethod
        def find_distributions(*_):
            return []

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert may_have_entry_points(GROUP)


def test_the_current_folder_counts(folder, monkeypatch):
    installed(folder, ".dist-info", f"[{GROUP}]\nacme = acme\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [""])
    assert may_have_entry_points(GROUP)
