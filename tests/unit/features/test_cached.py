"""A cache gives the rows of the table behind, whatever it keeps."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

from weft.errors import BudgetError, StorageError, WeftValueError
from weft.features import CachedTable, DiskTable, MemoryTable
from weft.features.policies import POLICIES
from weft.testing import FaultyTable, FeatureTableContract

ROWS = np.random.default_rng(0).random((3000, 32)).astype(np.float32)


def cached(base, policy, share=0.1, **more):
    """A cache of about a share of the rows."""
    rows, columns = base.shape
    memory = 20 * rows + int(share * rows * (columns * base.dtype.itemsize + 20)) + 4000
    hotness = np.arange(rows)[::-1] if policy in ("static", "lookahead") else None
    return CachedTable(base, memory, policy=policy, hotness=hotness, **more)


def on_disk(folder, rows):
    path = folder / f"{len(list(folder.iterdir()))}.npy"
    np.save(path, rows)
    return DiskTable(path, depth=8)


class TestCachedTable(FeatureTableContract):
    @pytest.fixture(params=POLICIES)
    def table(self, request, tmp_path):
        return lambda rows: cached(on_disk(tmp_path, rows), request.param)


class TestAroundMemory(FeatureTableContract):
    @pytest.fixture(params=POLICIES)
    def table(self, request):
        return lambda rows: cached(MemoryTable(rows), request.param, share=0.5)


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("share", [0.001, 0.1, 2])
def test_a_run_of_batches(tmp_path, policy, share, disk):
    rng = np.random.default_rng(1)
    table = cached(on_disk(tmp_path, ROWS) if disk else MemoryTable(ROWS), policy, share)
    hot = rng.random(3000) ** 4
    trace = [rng.choice(3000, size, replace=False, p=hot / hot.sum()) for size in rng.integers(0, 900, 60)]
    told = 0
    for number, ids in enumerate(trace):
        while policy == "lookahead" and told < min(len(trace), number + table.window):
            table.expect(trace[told])
            told += 1
        np.testing.assert_array_equal(table.take(ids), ROWS[ids])
        if number % 7 == 3:  # somebody else's, now and then
            others = rng.integers(0, 3000, 200)
            np.testing.assert_array_equal(table.take(others), ROWS[others])
    counts = table.counts
    assert counts["hits"] + counts["misses"] == sum(map(len, trace)) + 200 * len(range(3, 60, 7))
    if share > 1:
        assert counts["misses"] + counts["along"] <= 3000
    elif share > 0.01:
        assert counts["hits"] > 0.1 * counts["misses"]
    table.close()


def test_rows_of_a_block_are_read_once_for_all_batches(tmp_path):
    # In blocks of 32 rows, whatever the file system.
    np.save(tmp_path / "x.npy", ROWS)
    table = CachedTable(DiskTable(tmp_path / "x.npy", io="threads"), "300KiB")
    base = table._base
    assert isinstance(base, DiskTable)
    # Batch k asks for row k of every block: the first batch brings along all the others.
    trace = [np.arange(k, 3000, 32) for k in range(8)]
    for ids in trace:
        table.expect(ids)
    reads = []
    for ids in trace:
        np.testing.assert_array_equal(table.take(ids), ROWS[ids])
        reads.append(base.counts[0])
    assert reads[0] > 0
    assert reads[-1] == reads[0]
    counts = table.counts
    assert counts["along"] > 0
    assert counts["ahead"] + counts["along"] == sum(map(len, trace[1:]))


def test_a_read_that_fails_leaves_the_cache_as_good_as_before():
    for policy in POLICIES:
        base = FaultyTable(MemoryTable(ROWS), set())
        table = cached(base, policy, 0.5)
        base._fail_at = frozenset({base.calls + 2, base.calls + 5})  # static has read its rows already
        rng = np.random.default_rng(2)
        failed = 0
        for _ in range(12):
            ids = rng.integers(0, 3000, 800)
            try:
                got = table.take(ids)
            except StorageError:
                failed += 1
                got = table.take(ids)
            np.testing.assert_array_equal(got, ROWS[ids])
        assert failed == 2


def test_a_file_that_is_cut(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, ROWS)
    for policy in ("lookahead", "lru", "sieve"):
        np.save(path, ROWS)
        table = cached(DiskTable(path, depth=8), policy, 0.2)
        first = np.arange(500)
        table.take(first)
        with path.open("r+b") as file:
            file.truncate(200_000)
        with pytest.raises(StorageError, match="ends before that"):
            table.take(np.arange(3000))
        np.testing.assert_array_equal(table.take(first), ROWS[:500])


def test_what_was_announced_and_never_taken():
    table = cached(MemoryTable(ROWS), "lookahead")
    for begin in range(0, 900, 300):
        table.expect(np.arange(begin, begin + 300))
    table.take(np.arange(300))
    table.forget()
    table.forget()
    for begin in range(0, 3000, 300):
        ids = np.arange(begin, begin + 300)
        table.expect(ids)
        np.testing.assert_array_equal(table.take(ids), ROWS[ids])
    for number in range(64):
        table.expect(np.array([number]))
    with pytest.raises(WeftValueError, match="window's 64 batches"):
        table.expect(np.array([0]))
    with pytest.raises(WeftValueError, match="row 3000 of"):
        table.expect(np.array([3000]))


def test_no_more_is_wanted_than_changes_anything():
    table = cached(MemoryTable(ROWS), "lookahead", 0.1)
    assert table.window == 64
    rng = np.random.default_rng(3)
    trace = [rng.permutation(3000)[:600] for _ in range(40)]
    told, windows = 0, []
    for number, ids in enumerate(trace):
        while told < min(len(trace), number + table.window):
            table.expect(trace[told])
            told += 1
        table.take(ids)
        windows.append(table.window)
    assert max(windows[5:30]) < 12  # a batch or two fill the cache
    assert CachedTable(MemoryTable(ROWS), "1MiB", policy="lru").window == 0


def test_from_several_threads(tmp_path):
    table = cached(on_disk(tmp_path, ROWS), "lookahead")
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            ids = rng.integers(0, 3000, 300)
            if not np.array_equal(table.take(ids), ROWS[ids]):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for number in range(50):
        table.expect(np.arange(number, number + 100))
        if number % 10 == 9:
            table.forget()
    for thread in threads:
        thread.join()
    assert not wrong


def test_too_little_memory():
    with pytest.raises(BudgetError, match=r"holds no row of 3,000: .* give at least .* KiB"):
        CachedTable(MemoryTable(ROWS), 20_000)
    with pytest.raises(WeftValueError, match="one of lookahead"):
        CachedTable(MemoryTable(ROWS), "1MiB", policy="arc")
    with pytest.raises(WeftValueError, match="give hotness"):
        CachedTable(MemoryTable(ROWS), "1MiB", policy="static")


def test_static_is_filled_a_little_at_a_time(monkeypatch):
    sizes = []
    take = MemoryTable.take

    def counted(self, ids, out=None):
        sizes.append(len(ids))
        return take(self, ids, out)

    monkeypatch.setattr(MemoryTable, "take", counted)
    table = CachedTable(MemoryTable(ROWS), "160KiB", policy="static", hotness=np.arange(3000))
    assert sum(sizes) == table.rows_kept
    assert max(sizes) * 128 <= table.memory // 16


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("policy", POLICIES)
def test_a_batch_larger_than_the_cache_is_told_once(policy):
    table = cached(MemoryTable(ROWS), policy, share=0.1)
    repeated = np.zeros(3000, np.int64)
    np.testing.assert_array_equal(table.take(repeated), ROWS[repeated])  # one row: nothing to be told
    ids = np.arange(0, 3000, 3)
    with pytest.warns(
        UserWarning, match=f"asks for 1,000 rows and the cache .* holds {table.rows_kept:,}"
    ) as told:
        np.testing.assert_array_equal(table.take(ids), ROWS[ids])
    table.take(ids)
    assert len(told) == 1
    enough = re.search(r"; (.*) would hold it", str(told[0].message)).group(1)
    roomy = CachedTable(MemoryTable(ROWS), enough, policy=policy, hotness=np.arange(3000))
    assert roomy.rows_kept >= len(ids)
    roomy.take(ids)


@pytest.mark.parametrize("window", [-1, 0, 1.5, None, True, 1 << 33])
def test_windows_that_are_none(window):
    with pytest.raises(WeftValueError, match="window must be 1 to 16,777,216 batches"):
        CachedTable(MemoryTable(ROWS), "1MiB", window=window)


def test_hotness_as_a_list():
    table = CachedTable(MemoryTable(ROWS), "40KiB", policy="static", hotness=list(range(3000)))  # pyrefly: ignore
    table.take(np.arange(3000 - table.rows_kept, 3000))
    assert table.counts["misses"] == 0
