"""How epochs end: at their end, early, by an error, by Ctrl-C, with the interpreter."""

from __future__ import annotations

import copy
import gc
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from weft.errors import StorageError, WeftValueError
from weft.features import MemoryTable
from weft.loader import NeighborLoader
from weft.testing import FaultyTable, SlowTable


def loader_of(graph, table, **options):
    return NeighborLoader(graph, table, [2, 2], batch_size=20, **options)


@pytest.mark.parametrize("prefetch", [0, 1, 3])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, StorageError),
        (WeftValueError("rows are gone"), WeftValueError),
        (MemoryError("full"), MemoryError),
    ],
)
def test_errors_arrive_in_their_batch(graph, x, loader_threads, prefetch, error, kind):
    loader = loader_of(graph, FaultyTable(MemoryTable(x), {3}, copy.copy(error)), prefetch=prefetch)
    seen = 0
    with pytest.raises(kind) as caught:
        for _ in loader:
            seen += 1
    assert seen == 3
    assert caught.value.__notes__ == ["weft: in batch 3 of epoch 0"]
    assert loader_threads() == []
    assert sum(1 for _ in loader) == 15  # the table has recovered


def test_errors_of_sampling_arrive(graph, x, loader_threads):
    loader = loader_of(graph, x)
    good = loader._around._sampler.sample

    class Damaged:
        def sample(self, nodes, *, seed, batch):
            if batch >= 2:
                raise WeftValueError(f"batch {batch} is damaged")
            return good(nodes, seed=seed, batch=batch)

    loader._around._sampler = Damaged()
    batches = iter(loader)
    next(batches), next(batches)
    with pytest.raises(WeftValueError, match="batch 2 is damaged"):
        next(batches)
    with pytest.raises(StopIteration):
        next(batches)
    assert loader_threads() == []


@pytest.mark.parametrize("prefetch", [0, 2, 50])
def test_leaving_early_leaves_no_thread(graph, x, loader_threads, prefetch):
    loader = loader_of(graph, SlowTable(MemoryTable(x), 0.005), prefetch=prefetch)
    for number, _ in enumerate(loader):
        assert loader_threads() != []
        if number == 2:
            break
    assert loader_threads() == []
    with pytest.raises(ZeroDivisionError):
        for _ in loader:
            1 / 0  # noqa: B018
    assert loader_threads() == []
    with loader:
        batches = iter(loader)
        next(batches)
    assert loader_threads() == []
    with pytest.raises(StopIteration):
        next(batches)
    assert sum(1 for _ in loader) == 15


def test_a_second_epoch_ends_the_first(graph, x):
    loader = loader_of(graph, x)
    first = iter(loader)
    next(first)
    second = iter(loader)
    with pytest.raises(WeftValueError, match="epoch 0 ended when another was begun"):
        next(first)
    assert sum(1 for _ in second) == 15
    iter(loader)
    with pytest.raises(StopIteration):  # it had ended by itself
        next(second)


def test_the_garbage_collector_ends_it(graph, x, loader_threads):
    loader = loader_of(graph, SlowTable(MemoryTable(x), 0.002), prefetch=4)
    epoch = iter(loader)
    next(epoch)
    cycle = [epoch]
    cycle.append(cycle)
    del epoch, cycle
    # From any thread, one of the loader's among them.
    gc.collect()
    assert loader_threads() == []


def test_collected_by_one_of_its_threads(graph, x, loader_threads):
    class Collecting(SlowTable):
        def take(self, ids, out=None):
            collect.wait(5)
            gc.collect()
            done.set()
            return super().take(ids, out)

        window = 3
        forgotten = 0

        def expect(self, ids):
            pass

        def forget(self):
            self.forgotten += 1

    collect, done = threading.Event(), threading.Event()
    table = Collecting(MemoryTable(x))
    loader = loader_of(graph, table)
    epoch = iter(loader)
    waiting = threading.Thread(target=lambda pipeline: pipeline.next(), args=(epoch._pipeline,))
    waiting.start()
    cycle = [epoch]
    cycle.append(cycle)
    gc.disable()
    try:
        del epoch, cycle
        collect.set()
        assert done.wait(5)
    finally:
        gc.enable()
    waiting.join(5)
    for thread in loader_threads():
        thread.join(5)
    assert loader_threads() == []
    assert table.forgotten == 1


def test_ctrl_c_while_waiting(graph, x, loader_threads):
    loader = loader_of(graph, SlowTable(MemoryTable(x), 0.5))
    main = threading.main_thread().ident
    timer = threading.Timer(0.1, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in loader:
            pass
    timer.join()
    assert loader_threads() == []
    assert time.monotonic() - begin < 5


SCRIPT = """
import numpy as np
from weft.graph import Graph
from weft.loader import NeighborLoader
graph = Graph.from_edges(np.arange(99), np.arange(1, 100))
loader = NeighborLoader(graph, np.ones((100, 4), np.float32), [2], batch_size=5)
batches = iter(loader)
next(batches)
print("left", flush=True)
"""


def test_the_interpreter_ends_in_an_epoch():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=170)
    assert (run.returncode, run.stdout, run.stderr) == (0, "left\n", "")


HIDDEN = """
import sys
sys.modules[{name!r}] = None
try:
    import weft.loader
except ImportError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("name", ["torch", "torch_geometric"])
def test_without_torch(name):
    run = subprocess.run([sys.executable, "-c", HIDDEN.format(name=name)], capture_output=True, text=True)
    assert f"MissingExtraError training needs {name}" in run.stdout
    assert "pip install weft[gnn]" in run.stdout


def test_times(graph, x):
    loader = loader_of(graph, SlowTable(MemoryTable(x), 0.01), prefetch=1)
    assert sum(1 for _ in loader) == 15
    times = loader.times
    assert set(times) == {"sample", "plan", "read", "assemble", "wait"}
    assert times["read"] >= 0.15  # 15 batches of 10 ms
    assert times["wait"] >= 0.1  # a loop that does nothing waits for them
    assert 0 < times["sample"] < times["read"]
    np.testing.assert_equal(times["plan"], 0.0)
