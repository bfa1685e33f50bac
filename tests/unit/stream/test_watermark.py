"""Events are sorted, however they come, and what is too late is told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import WeftValueError
from weft.stream import Watermark
from weft.stream.watermark import joined, rows


@given(
    times=st.lists(st.integers(-20, 20), max_size=60),
    lateness=st.integers(0, 15),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    again=st.booleans(),
)
def test_what_leaves_is_the_sorted_stream(times, lateness, cuts, again):
    number = np.arange(len(times))
    events = {"time": np.array(times, np.int64), "number": number}
    mark, left, late = Watermark(lateness), {}, {}
    edges = sorted({0, len(times), *(cut for cut in cuts if cut < len(times))})
    for begin, end in itertools.pairwise(edges):
        late = joined(late, mark.add(rows(events, slice(begin, end))))
        left = joined(left, mark.release())
        if again:
            state, mark = mark.state_dict(), Watermark(lateness)
            mark.load_state_dict(state)
    left = joined(left, mark.flush())
    accepted, newest = [], None
    for at, time in enumerate(times):
        if newest is None or time >= newest - lateness:
            accepted.append(at)
        newest = time if newest is None else max(newest, time)
    expected = sorted(accepted, key=lambda at: (times[at], at))
    assert (left["number"].tolist() if left else []) == expected
    assert (late["number"].tolist() if late else []) == sorted(set(range(len(times))) - set(accepted))


def test_the_ends_of_time():
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    mark = Watermark(int(most))
    assert len(mark.add({"time": np.array([least, -1, least], np.int64)})["time"]) == 0
    assert len(mark.add({"time": np.array([most, -1, 0], np.int64)})["time"]) == 1
    assert mark.flush()["time"].tolist() == [least, least, -1, 0, most]


@pytest.mark.parametrize("lateness", [-1, 1 << 63])
def test_lateness_that_is_none(lateness):
    with pytest.raises(WeftValueError, match="lateness"):
        Watermark(lateness)
