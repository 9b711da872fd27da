"""Segments on their way into an answer: kept, cut back and poured as a plain list would be, few or many."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_checker.acks import interchange
from edi_checker.acks.interchange import BEGIN, Spool

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 7)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 3)),
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.just("pour"), st.integers(0, 7)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(steps=_STEPS, waiting=st.integers(1, 12))
def test_a_spool_holds_what_a_list_would(steps, waiting):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interchange, "_WAITING", waiting)
        spool, plain, marks, number = Spool(), [], [], 0
        for step, count in steps:
            if step in ("write", "pour"):
                segments = [f"SEG*{number + each}" for each in range(count)]
                number += count
                plain += segments
                other = spool if step == "write" else Spool()
                other.write_all(segments)
                if other is not spool:
                    other.pour(spool)
                    assert other.segments == 0
                    other.close()
            elif step == "mark":
                marks.append((spool.mark(), len(plain)))
            else:
                mark, length = (BEGIN, 0) if step == "begin" or not marks else marks[-1 - count % len(marks)]
                spool.cut_back(mark)
                del plain[length:]
                # A mark behind what was cut is none any more.
                marks = [each for each in marks if each[1] <= length]
            assert spool.segments == len(plain)
        answer = spool.read(lambda mark: mark)
        assert (answer.read().decode() if answer else "") == "".join(f"{each}~\n" for each in plain)
        if answer:
            answer.close()
