"""In what order batches are drawn, announced and read, and what is kept."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from weft.errors import StorageError
from weft.features import CachedTable, Decoded, DiskTable, MemoryTable, encode
from weft.loader import NeighborLoader
from weft.loader.pipeline import Drawn, Pipeline


class Knowing(MemoryTable):
    """Holds the loader to what a cache that looks ahead is promised."""

    def __init__(self, rows, window, fail_at=None):
        super().__init__(rows)
        self.window, self.announced, self.took, self.forgotten = window, [], 0, 0
        self.fail_at, self.known = fail_at, []

    def expect(self, ids):
        assert len(self.announced) - self.took < self.window
        if len(self.announced) == self.fail_at:
            raise StorageError("plan failed")
        assert len(np.unique(ids)) == len(ids)
        self.announced.append(np.array(ids))

    def take(self, ids, out=None):
        np.testing.assert_array_equal(ids, self.announced[self.took])
        self.known.append(len(self.announced) - self.took)
        self.took += 1
        return super().take(ids, out)

    def forget(self):
        self.forgotten += 1
        del self.announced[self.took :]


@pytest.mark.parametrize("window", [1, 4, 1000])
@pytest.mark.parametrize("options", [{}, {"disjoint": True}, {"input_nodes": np.tile(np.arange(60), 5)}])
def test_a_table_is_told_what_comes(graph, x, window, options):
    table = Knowing(x, window)
    plain = NeighborLoader(graph, x, [3, 2], batch_size=20, shuffle=True, **options)
    told = NeighborLoader(graph, table, [3, 2], batch_size=20, shuffle=True, **options)
    for _ in range(2):
        for one, other in zip(plain, told, strict=True):
            assert (one.e_id.tolist(), one.n_id.tolist()) == (other.e_id.tolist(), other.n_id.tolist())
            np.testing.assert_array_equal(one.x, other.x)
    assert table.took == len(table.announced) == 30
    assert all(k == min(window, 15 - b % 15) for b, k in enumerate(table.known))


@pytest.mark.parametrize("codec", [None, "int8"])
def test_a_cache_does_the_same_whatever_is_faster(graph, x, tmp_path, codec):
    np.save(tmp_path / "x.npy", x)
    if codec:
        encode(x, codec, tmp_path / "x.npy", overwrite=True)
    rows, counts = [], []
    for prefetch in (0, 1, 6):
        cache = CachedTable(DiskTable(tmp_path / "x.npy"), "6KiB", window=7)
        table = Decoded(cache, codec) if codec else cache
        loader = NeighborLoader(graph, table, [3, 2], batch_size=20, shuffle=True, prefetch=prefetch)
        rows.append([b.x.numpy() for _ in range(2) for b in loader])
        counts.append(cache.counts)
        table.close()
    assert counts[0] == counts[1] == counts[2]
    assert counts[0]["hits"] > 0
    for one, *others in zip(*rows, strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)
    if codec is None:
        plain = NeighborLoader(graph, x, [3, 2], batch_size=20, shuffle=True)
        for got, batch in zip(rows[0], [b for _ in range(2) for b in plain], strict=True):
            np.testing.assert_array_equal(got, batch.x)


def test_what_was_announced_is_forgotten(graph, x):
    table = Knowing(x, 5)
    loader = NeighborLoader(graph, table, [3], batch_size=20)
    for _ in loader:
        break
    assert table.forgotten == 1
    assert len(table.announced) == table.took
    assert sum(1 for _ in loader) == 15


@pytest.mark.parametrize("window", [1, 2, 64])
def test_several_loaders_on_one_table(graph, x, window):
    table = CachedTable(MemoryTable(x), "12KiB", window=window)
    loaders = [NeighborLoader(graph, table, [3, 2], batch_size=10, seed=seed) for seed in range(3)]
    for batches in zip(*loaders, strict=True):
        for batch in batches:
            np.testing.assert_array_equal(batch.x, x[batch.n_id.numpy()])
    # An epoch left in its middle and kept, then others; told again when nobody else tells.
    left = iter(loaders[0])
    next(left)
    for batch in loaders[1]:
        np.testing.assert_array_equal(batch.x, x[batch.n_id.numpy()])
    del left
    loaders[0].close()
    told = Knowing(x, window)
    first = iter(NeighborLoader(graph, told, [3], batch_size=20))
    next(first)
    first.close()
    assert sum(1 for _ in NeighborLoader(graph, told, [3], batch_size=20)) == 15
    assert told.forgotten == 2


def test_errors_of_a_plan_arrive(graph, x):
    loader = NeighborLoader(graph, Knowing(x, 6, fail_at=9), [3], batch_size=20)
    seen = 0
    with pytest.raises(StorageError, match="plan failed") as caught:
        for _ in loader:
            seen += 1
    assert seen == 9
    assert caught.value.__notes__ == ["weft: in batch 9 of epoch 0"]


@pytest.mark.parametrize(("held", "again"), [(0, True), (1 << 30, False), (300, True)])
@pytest.mark.parametrize("window", [0, 3, 30])
def test_what_does_not_fit_is_drawn_again(held, again, window):
    drawn, lock = [], threading.Lock()

    def draw(number):
        with lock:
            drawn.append(number)
        return Drawn(n_id={"": np.arange(number, number + 3)}, repeats=False, data=number, nbytes=100)

    rows = np.arange(200, dtype=np.float32).reshape(100, 2)
    pipeline = Pipeline(
        draw,
        {"": Knowing(rows, window) if window else MemoryTable(rows)},
        lambda number, batch, got: (number, batch.data, got[""]),
        first=2,
        end=40,
        prefetch=2,
        held=held,
    )
    for number in range(2, 40):
        at, (_, data, got) = pipeline.next()
        assert at == data == number
        np.testing.assert_array_equal(got, rows[number : number + 3])
    assert pipeline.next() is None
    pipeline.close()
    assert set(drawn) == set(range(2, 40))
    assert pipeline._free == held
    if window == 30:
        assert (len(drawn) > 38) == again
        assert len(drawn) <= 2 * 38
    if window == 0:
        assert len(drawn) == 38


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_no_more_is_read_than_asked_for(prefetch):
    table = MemoryTable(np.ones((4, 2), np.float32))
    read = []
    pipeline = Pipeline(
        lambda number: Drawn(n_id={"": np.arange(2)}, repeats=False, data=None, nbytes=1),
        {"": table},
        lambda number, batch, got: read.append(number),
        first=0,
        end=20,
        prefetch=prefetch,
    )
    for number in range(6):
        pipeline.next()
        wanted = number + 1 + prefetch
        deadline = time.monotonic() + 5
        while len(read) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.01)
        assert read == list(range(wanted))
    pipeline.close()


def test_a_slow_plan_has_no_batches_pile_up():
    class Slow(Knowing):
        def expect(self, ids):
            time.sleep(0.002)
            super().expect(ids)

    table = Slow(np.ones((50, 2), np.float32), 1000)
    ahead = []

    def draw(number):
        ahead.append(number - len(table.announced))
        return Drawn(n_id={"": np.arange(2)}, repeats=False, data=None, nbytes=1)

    pipeline = Pipeline(draw, {"": table}, lambda number, batch, got: got, first=0, end=60, prefetch=2)
    while pipeline.next() is not None:
        pass
    pipeline.close()
    assert len(ahead) == 60
    assert max(ahead) <= 4
