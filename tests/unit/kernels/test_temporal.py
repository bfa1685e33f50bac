"""Events by time: bad input, and what a list of events gives, whatever came in which order."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from weft.errors import WeftError, WeftTypeError, WeftValueError
from weft.kernels import threads
from weft.kernels.temporal import TemporalRows
from weft.kernels.temporal.reference import TemporalRows as Reference

HOW = [
    {"how": "recent"},
    {"how": "recent", "window": 40, "inclusive": True},
    {"how": "uniform", "seed": 3},
    {"how": "uniform", "seed": 3, "hop": 1, "replace": True},
    {"how": "uniform", "seed": 4, "window": 60, "first": 5},
]


def events(rng, count, nodes, now=0, late=30):
    source, target = rng.integers(0, nodes, (2, count)) ** 2 // nodes
    return source, target, now + np.sort(rng.integers(0, 100, count)) - rng.integers(0, late, count)


def same(rows, plain, rng, count=16):
    root = rng.integers(0, plain.nodes, count)
    time = rng.integers(-50, 900, count)
    numbered = {"how": "uniform", "seed": 5, "item": rng.integers(0, 1 << 64, count, np.uint64)}
    for fanout in (0, 1, 7, 32, 33, 1000):
        for how in [*HOW, numbered]:
            if fanout == 1000 and how.get("replace"):
                continue
            got, wanted = rows.sample(root, time, fanout, **how), plain.sample(root, time, fanout, **how)
            for name, ours, theirs in zip(got._fields, got, wanted, strict=True):
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{name}, {fanout}, {how}")
                assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("source", "target", "time", "match"),
    [
        ([1, 2], [1], [5], "differ in length"),
        ([1.0], [1], [5], "integers"),
        ([1], [1], [5.5], "integers"),
        ([-1], [1], [5], "-1 does not fit into uint32"),
        ([1], [1 << 32], [5], "does not fit into uint32"),
        ([1], [1], [1 << 63], "does not fit into int64"),
        ([[1]], [[1]], [[5]], r"integers \[N\]"),
    ],
)
def test_events_that_are_none(source, target, time, match):
    rows = TemporalRows(3)
    with pytest.raises(WeftValueError, match=match):
        rows.append(source, target, time, 0)
    assert rows.nodes == 3
    assert len(rows.sample([0, 1, 2], [10, 10, 10], 5).row) == 0


@pytest.mark.parametrize(
    ("root", "time", "more", "match"),
    [
        ([3], [1], {}, "node 3 is not one of 3"),
        ([-1], [1], {}, "-1 does not fit"),
        ([1, 2], [1], {}, "differ in length"),
        ([1], [1], {"item": [1, 2]}, "differ in length"),
        ([1], [1], {"item": [-1]}, "does not fit into uint64"),
        ([1], [1], {"how": "newest"}, "recent or uniform"),
        ([1], [1], {"fanout": 1.0}, "fanout must be an integer"),
        ([1], [1], {"window": -1}, "window must be in 0"),
        ([1], [1], {"fanout": -1}, "fanout must be in 0"),
        ([1], [1], {"hop": 1 << 31}, "hop must be"),
    ],
)
def test_draws_that_are_none(root, time, more, match):
    with pytest.raises(WeftError, match=match):
        TemporalRows(3).sample(root, time, **({"fanout": 2} | more))


def test_removals_that_are_none():
    rows = TemporalRows()
    rows.append([0, 1], [1, 2], [5, 6], 0)
    for wrong in ([0], [1], [5], [1]), ([0], [1], [4], [0]), ([7], [1], [5], [0]), ([0], [2], [5], [0]):
        with pytest.raises(WeftValueError, match="there is no event"):
            rows.remove(*wrong)
    with pytest.raises(WeftValueError, match="named twice"):
        rows.remove([0, 0], [1, 1], [5, 5], [0, 0])
    with pytest.raises(WeftValueError, match="no node 3"):
        rows.expire(6, [0, 3])
    assert rows.sample([1], [9], 9).number.tolist() == [1, 0]


def test_numbers_that_are_none():
    for wrong in (1.5, None, "3"):
        with pytest.raises(WeftTypeError, match="integer"):
            TemporalRows(wrong)
        with pytest.raises(WeftError, match="integer"):
            TemporalRows(2).append([0], [1], [5], wrong)
    for wrong in (1.5, 1 << 70):
        with pytest.raises(WeftError, match="before must be"):
            TemporalRows(2).expire(wrong)


def test_a_removal_of_another_end():
    rows = TemporalRows(100, both=False)
    rows.append([0], [1], [5], 0)
    with pytest.raises(WeftValueError, match="no event 0 of nodes 0 and 77"):
        rows.remove([0], [77], [5], [0])
    assert rows.sample([0], [9], 9).node.tolist() == [1]


@pytest.mark.parametrize("batch", [1, 50, 20_000])
def test_the_newest_first(batch):
    """Falling times: nothing is at its place when it comes, and still no work grows with the square."""
    rows, count = TemporalRows(2, both=False), 20_000
    time = np.arange(count)[::-1]
    for begin in range(0, count, batch):
        here = slice(begin, begin + batch)
        rows.append(np.zeros(len(time[here]), int), np.ones(len(time[here]), int), time[here], begin)
    drawn = rows.sample([0], [count], count)
    np.testing.assert_array_equal(drawn.time, time)
    np.testing.assert_array_equal(drawn.number, np.arange(count))
    assert rows.used < 2.5 * 16 * count + 20_000


@pytest.mark.parametrize("one_time", [False, True])
@pytest.mark.parametrize("at_once", [True, False])
def test_most_of_a_long_row_goes(one_time, at_once):
    rows, count = TemporalRows(2), 30_000
    time = np.zeros(count, int) if one_time else np.arange(count)
    rows.append(np.zeros(count, int), np.ones(count, int), time, (1 << 32) - 100)  # numbers begin anew
    number = (np.arange(count) + (1 << 32) - 100) % (1 << 32)
    full, view = rows.used, rows.view()
    gone = np.flatnonzero(np.arange(count) % 100)
    for some in np.array_split(np.random.default_rng(0).permutation(gone), 1 if at_once else 5000):
        rows.remove(np.zeros(len(some), int), np.ones(len(some), int), time[some], number[some])
    left = rows.sample([1], [count], count)
    np.testing.assert_array_equal(left.number, number[::100][::-1])
    assert len(view.sample([1], [count], count).number) == count
    del view
    rows.expire(-1)
    assert rows.used < full / 10


def test_a_writer_beside_readers_that_never_rest():
    rows, done = TemporalRows(2000), threading.Event()
    rng = np.random.default_rng(5)
    rows.append(*rng.integers(0, 2000, (2, 50_000)), np.arange(50_000), 0)
    root, time = rng.integers(0, 2000, 20_000), np.full(20_000, 1 << 40)

    def read():
        while not done.is_set():
            rows.sample(root, time, 10)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for step in range(200):
            rows.append([0], [1], [50_000 + step], 50_000 + step)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert rows.sample([0], [1 << 40], 200).number.tolist() == list(range(50_199, 49_999, -1))


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_life(both, workers):
    """Appends, late ones too, removals and expiry, against the list; and views of what was."""
    rng = np.random.default_rng(workers)
    rows, plain, number, views = TemporalRows(both=both), Reference(both=both), 0, []
    threads.set_num_threads(workers)
    try:
        for step in range(8):
            count = (1, 63, 700, 3000, 5, 100, 0, 1000)[step]
            batch = events(rng, count, 30 + 10 * step, 100 * step, late=1 if step < 2 else 250)
            rows.append(*batch, number)
            plain.append(*batch, number)
            number += count
            if step % 2:
                gone = [plain.events[i] for i in rng.choice(len(plain.events), 40, replace=False)]
                rows.remove(*zip(*gone, strict=True))
                plain.remove(*zip(*gone, strict=True))
            if step == 5:
                rows.expire(150)
                plain.expire(150)
            then = Reference(plain.nodes, both=both)
            then.events = list(plain.events)
            views.append((rows.view(), then))
            if step == 4:
                del views[1:3]
            same(rows, plain, rng)
        for view, then in views:
            assert view.nodes == then.nodes
            same(view, then, rng, 8)
    finally:
        threads.set_num_threads(1)


def test_late_events_equal_the_sorted_stream():
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 40, (2, 4000))
    time = rng.permutation(4000)
    late, sorted_ = TemporalRows(40), TemporalRows(40)
    for begin in range(0, 4000, 500):
        piece = slice(begin, begin + 500)
        late.append(source[piece], target[piece], time[piece], begin)
    order = np.argsort(time)
    sorted_.append(source[order], target[order], time[order], 0)
    every = np.arange(40), np.full(40, 9999), 9999
    got, wanted = late.sample(*every), sorted_.sample(*every)
    np.testing.assert_array_equal(got.time, wanted.time)
    np.testing.assert_array_equal(got.node, wanted.node)
    np.testing.assert_array_equal(got.number, order[wanted.number])


def test_no_event_of_the_future_or_the_moment():
    rng = np.random.default_rng(1)
    rows = TemporalRows(5)
    source, target = rng.integers(0, 5, (2, 3000))
    time = np.sort(rng.integers(-1000, 1000, 3000))
    rows.append(source, target, time, 0)
    root, at = rng.integers(0, 5, 500), rng.integers(-1100, 1100, 500)
    for how in ("recent", "uniform"):
        assert (rows.sample(root, at, 20, how=how).time < at[rows.sample(root, at, 20, how=how).row]).all()
        inclusive = rows.sample(root, at, 3000, how=how, inclusive=True)
        assert (inclusive.time <= at[inclusive.row]).all()
        assert (inclusive.time == at[inclusive.row]).any()


def test_times_at_both_ends():
    least, most = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    rows = TemporalRows(2)
    rows.append([0, 0, 0], [1, 1, 1], [least, 0, most], 0)
    assert rows.sample([0], [least], 9).number.tolist() == []
    assert rows.sample([0], [least], 9, inclusive=True).number.tolist() == [0]
    assert rows.sample([0], [most], 9).number.tolist() == [1, 0]
    assert rows.sample([0], [most], 9, inclusive=True, window=most).number.tolist() == [2, 1]
    assert rows.sample([0], [0], 9, window=most).number.tolist() == []


def test_uniform_is_uniform():
    rows = TemporalRows(2)
    rows.append(np.zeros(50, int), np.ones(50, int), np.arange(50), 0)
    for replace in (False, True):
        drawn = rows.sample(np.zeros(20_000, int), np.full(20_000, 50), 10, how="uniform", replace=replace)
        counts = np.bincount(drawn.number, minlength=50)
        # 4,000 each; 5 standard deviations of a binomial are 5 * sqrt(4000 * .98) = 313
        assert np.abs(counts - 4000).max() < 313


def test_memory_comes_back():
    rng = np.random.default_rng(2)
    rows = TemporalRows(3000)
    rows.append(*rng.integers(0, 3000, (2, 100_000)), np.arange(100_000), 0)
    full = rows.used
    assert full < 2 * 100_000 * 16 * 1.6, "bytes of an event, those of a row included"
    held = rows.held
    rows.expire(100_000)
    assert rows.used < full / 10
    assert rows.held < held / 10
    rows.append(*rng.integers(0, 3000, (2, 100_000)), np.arange(100_000), 0)
    assert rows.held <= held * 1.05


def test_readers_beside_a_writer():
    rows, wrong = TemporalRows(200), []

    def read():
        root, time = np.arange(200), np.full(200, 1 << 40)
        while not done.is_set():
            view = rows.view()
            first, again = view.sample(root, time, 500), view.sample(root, time, 500)
            if not all(np.array_equal(a, b) for a, b in zip(first, again, strict=True)):
                wrong.append("a view changed")

    done, rng = threading.Event(), np.random.default_rng(3)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for step in range(60):
            rows.append(*events(rng, 500, 200, 10 * step, late=400), 500 * step)
            rows.expire(5 * step)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not wrong
