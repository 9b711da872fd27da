"""What is held of earlier claims: tables of digests, native and in Python, and texts that lie on disk."""

from __future__ import annotations

import errno
import gc
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_checker.facts import seen
from edi_checker.facts.seen import DigestsInPython, Texts
from edi_checker.guide import native

needs_it = pytest.mark.skipif(not native.IN_USE, reason="the native module was not built here")
WAYS = [DigestsInPython, *([native.Digests] if native.IN_USE else [])]
_DIGESTS = st.one_of(st.integers(1, 40), st.integers(1, 2**64 - 1))
_PUTS = st.lists(st.tuples(_DIGESTS, st.integers(-(2**63), 2**63 - 1)), max_size=60)


@pytest.mark.parametrize("made", WAYS)
@settings(deadline=None)
@given(puts=_PUTS, secret=st.integers(0, 2**64 - 1))
def test_a_table_holds_what_a_dictionary_would(made, puts, secret):
    table, plain = made(secret), {}
    for digest, number in puts:
        assert table.get(digest) == plain.get(digest)
        assert table.put(digest, number) == plain.get(digest)
        plain[digest] = number
    assert len(table) == len(plain)
    assert {digest: table.get(digest) for digest in plain} == plain


@pytest.mark.parametrize("made", WAYS)
def test_a_table_grows(made):
    table, chance = made(12345), random.Random(3)
    keys = list({chance.randrange(1, 2**64) for _ in range(5000)} | set(range(1, 3000)))
    for number, key in enumerate(keys):
        assert table.put(key, number) is None
    assert len(table) == len(keys)
    assert [table.get(key) for key in keys] == list(range(len(keys)))
    assert table.get(2**63 + 12345) is None or 2**63 + 12345 in keys


def test_days_of_providers_that_lie_close_together_are_spread():
    """Without that they would be one long row, and each look-up would go along it."""
    table = DigestsInPython(0x9E3779B97F4A7C15)
    for npi in range(1_000_000_000, 1_000_000_100):
        for day in range(31):
            table.put(npi * 100_000_000 + 20260101 + day, 1)
    rows = "".join("x" if digest else " " for digest in table._digests).split()
    assert len(table) == 3100
    assert max(map(len, rows)) < 60


@needs_it
@pytest.mark.parametrize("wrong", [0, -1, 2**64, "1", None, 1.5])
def test_what_is_no_digest_is_refused(wrong):
    table = native.Digests(1)
    for ask in (lambda: table.get(wrong), lambda: table.put(wrong, 1)):
        with pytest.raises((ValueError, OverflowError, TypeError)):
            ask()
    assert len(table) == 0


@needs_it
def test_a_table_takes_a_digest_and_a_number():
    table = native.Digests(1)
    for numbers in ((1,), (1, 2, 3), (1, "2"), (1, 2**63)):
        with pytest.raises((TypeError, OverflowError)):
            table.put(*numbers)
    with pytest.raises(TypeError):
        native.Digests()
    with pytest.raises(TypeError):
        native.Digests("secret")
    assert len(table) == 0


@needs_it
def test_tables_leave_no_memory_behind():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def fill():
        table = native.Digests(7)
        for key in range(1, 100_000):
            table.put(key, key)

    fill()
    gc.collect()
    before = resident()
    for _ in range(20):
        fill()
    assert resident() - before < 20 << 20  # one table has 4 MB


def texts_of(most, monkeypatch):
    monkeypatch.setattr(seen, "_IN_MEMORY", most)
    return Texts()


@pytest.mark.parametrize("most", [1, 100, 1 << 20])
def test_texts_are_read_as_they_were_added(most, monkeypatch):
    texts, chance, begins = texts_of(most, monkeypatch), random.Random(5), []
    for number in range(300):
        head = bytes([30, number % 256, 30])
        text = head + bytes(chance.choices(b"abc", k=chance.choice((0, 5, 3000)))) + b"\x1e"
        begins.append((len(texts), text))
        texts.add(text)
    assert len(texts) == sum(len(text) for _, text in begins)
    for begin, text in chance.sample(begins, len(begins)):
        assert texts.read(begin, b"\x1e", 3) == text[:-1]
    for begin, _ in begins:
        texts.change(begin + 1, ord("x"))
    assert all(texts.read(begin, b"\x1e", 3)[1:2] == b"x" for begin, _ in begins)
    texts.add(b"last\x1e")
    assert texts.read(len(texts) - 5, b"\x1e") == b"last"


def test_texts_stay_in_memory_where_the_disk_is_full(monkeypatch):
    class Full:
        def __init__(self, **_):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(seen, "TemporaryFile", Full)
    texts = texts_of(10, monkeypatch)
    for number in range(1000):
        texts.add(b"%04d\x1e" % number)
    assert [texts.read(5 * number, b"\x1e") for number in range(1000)] == [b"%04d" % n for n in range(1000)]


def test_a_half_written_piece_is_not_taken_for_the_whole(monkeypatch):
    made = seen.TemporaryFile

    class Half:
        def __init__(self, **how):
            self.file = made(**how)
            self.seek, self.read, self.close = self.file.seek, self.file.read, self.file.close

        def write(self, data):
            return self.file.write(data[: len(data) // 2])

    monkeypatch.setattr(seen, "TemporaryFile", Half)
    texts = texts_of(10, monkeypatch)
    for number in range(1000):
        texts.add(b"%04d\x1e" % number)
    assert [texts.read(5 * number, b"\x1e") for number in range(1000)] == [b"%04d" % n for n in range(1000)]
