"""What is kept: the native policies against their definitions, and lookahead against Belady's optimum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.features.policies import POLICIES, heat_classes, replay
from weft.features.policies.heat import hottest
from weft.features.policies.reference import Lookahead, Lru, Sieve, belady


def a_run(seed):
    """(rows, slots, batches, hotness) of a run in which some rows are asked for far more often."""
    rng = np.random.default_rng(seed)
    rows, batches = int(rng.integers(5, 60)), int(rng.integers(1, 25))
    p = rng.random(rows) ** 3
    trace = [
        rng.choice(rows, int(rng.integers(0, rows)), replace=False, p=p / p.sum()) for _ in range(batches)
    ]
    return rows, int(rng.integers(1, rows + 5)), trace, rng.integers(0, 50, rows)


def plain(trace):
    return [[int(row) for row in batch] for batch in trace]


@pytest.mark.parametrize("seed", range(40))
def test_as_defined(seed):
    rows, slots, trace, hotness = a_run(seed)
    for name, policy in (("lru", Lru(slots)), ("sieve", Sieve(slots))):
        wanted = [len(policy.serve(batch)) for batch in plain(trace)]
        np.testing.assert_array_equal(replay(trace, rows, slots, name), wanted)
    kept = set(hottest(hotness, rows, slots).tolist())
    wanted = [sum(row not in kept for row in batch) for batch in plain(trace)]
    np.testing.assert_array_equal(replay(trace, rows, slots, "static", hotness=hotness), wanted)


@pytest.mark.parametrize("window", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", range(20))
def test_lookahead_as_defined(seed, window):
    rows, slots, trace, hotness = a_run(seed + 1000)
    policy = Lookahead(slots, heat_classes(hotness, rows).tolist())
    told, wanted = 0, []
    for number, batch in enumerate(plain(trace)):
        while told < min(len(trace), number + window):
            policy.expect(plain(trace)[told])
            told += 1
        wanted.append(len(policy.serve(batch)))
    np.testing.assert_array_equal(replay(trace, rows, slots, window=window, hotness=hotness), wanted)


@pytest.mark.parametrize("seed", range(40))
def test_a_whole_epoch_ahead_is_the_optimum(seed):
    rows, slots, trace, _ = a_run(seed + 2000)
    read = replay(trace, rows, slots, window=len(trace))
    np.testing.assert_array_equal(read, belady(trace, rows, slots))
    for policy in POLICIES:
        loaded = min(slots, rows) if policy == "static" else 0
        assert read.sum() <= loaded + replay(trace, rows, slots, policy, hotness=np.ones(rows)).sum()


def test_nothing_reads_fewer_rows():
    """All choices of what to keep, tried one after the other."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        trace = [rng.choice(5, rng.integers(0, 4), replace=False) for _ in range(5)]
        states, fewest = {frozenset(): 0}, 0
        for batch in plain(trace):
            after = {}
            for kept, read in states.items():
                cost = read + len(set(batch) - kept)
                for some in itertools.combinations(kept | set(batch), min(2, len(kept | set(batch)))):
                    after[frozenset(some)] = min(cost, after.get(frozenset(some), cost))
            states = after
            fewest = min(states.values())
        assert belady(trace, 5, 2).sum() == fewest


def test_heat():
    classes = heat_classes(np.array([8, 4, 7, 1, 0]), 5)
    assert classes.tolist() == [0, 2, 0, 6, 63]
    assert heat_classes(np.zeros(3), 3).tolist() == [0, 0, 0]
    assert heat_classes(np.empty(0), 0).tolist() == []
    assert hottest(np.array([5, 9, 9, 1, 9]), 5, 2).tolist() == [1, 2]
    assert hottest(np.array([5, 9]), 2, 7).tolist() == [0, 1]
    with pytest.raises(WeftValueError, match=r"numbers \[4\]"):
        heat_classes(np.ones(3), 4)
    for wrong in (np.array([1.0, -1]), np.array([np.nan, 1])):
        with pytest.raises(WeftValueError, match="finite and at least 0"):
            heat_classes(wrong, 2)


def test_wrong_arguments():
    trace = [np.array([0, 1])]
    with pytest.raises(WeftValueError, match="one of lookahead"):
        replay(trace, 3, 1, "fifo")
    with pytest.raises(WeftValueError, match="at least one row"):
        replay(trace, 3, 0)
    with pytest.raises(WeftValueError, match="'static' keeps the hottest rows; give hotness"):
        replay(trace, 3, 1, "static")
    with pytest.raises(WeftValueError, match="row 3 of 3"):
        replay([np.array([3])], 3, 1)
    with pytest.raises(WeftValueError, match="1 to 16,777,216 batches"):
        replay(trace, 3, 1, window=0)
