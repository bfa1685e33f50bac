"""Tables that are copied, or carried to a process that was spawned, open their files anew."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from weft.errors import FormatError, StorageError, WeftValueError
from weft.features import CachedTable, Decoded, DiskTable, MemoryTable, encode
from weft.features import open as open_features
from weft.features.policies import POLICIES

ROWS = np.random.default_rng(0).random((3000, 32)).astype(np.float32)
IDS = np.random.default_rng(1).integers(0, 3000, 700)

# What multiprocessing does in a worker that is spawned: nothing is there but what pickle brought.
SPAWNED = """
import multiprocessing, sys
import numpy as np
from weft.features import CachedTable, DiskTable

def work(table, ids, out):
    out.put(table.take(ids))

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ids = np.arange(0, 3000, 7)
    out = context.Queue()
    with_cache = CachedTable(DiskTable(sys.argv[1]), "200KiB")
    with_cache.take(ids)
    with_cache.submit(ids).wait()  # a thread is there
    worker = context.Process(target=work, args=(with_cache, ids, out))
    worker.start()
    got = out.get(timeout=60)
    worker.join()
    assert np.array_equal(got, np.load(sys.argv[1])[ids])
"""


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    return tmp_path / "x.npy"


COPIED = pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))]
)


@COPIED
def test_a_table_of_a_file_is_opened_anew(file, copied):
    table = DiskTable(file, depth=7, io="threads", direct=False)
    table.set_gap(8192)
    table.submit(IDS).wait()
    again = copied(table)
    table.close()
    np.testing.assert_array_equal(again.take(IDS), ROWS[IDS])
    assert (again.depth, again.io, again.direct, again.gap) == (7, "threads", False, 8192)
    assert again.counts[0] > 0
    again.close()


def test_it_is_found_from_another_folder(file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = DiskTable("x.npy")
    held = pickle.dumps(table)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.testing.assert_array_equal(pickle.loads(held).take(IDS), ROWS[IDS])


def test_what_cannot_be_opened_anew(file):
    table = DiskTable(file)
    held = pickle.dumps(table)
    table.close()
    with pytest.raises(WeftValueError, match=r"the table of .*x\.npy is closed; open it again"):
        pickle.dumps(table)
    np.save(file, ROWS[:2999])
    with pytest.raises(
        FormatError, match=r"holds float32 \[2999, 32\], and float32 \[3000, 32\] when the table"
    ):
        pickle.loads(held)
    file.unlink()
    with pytest.raises(StorageError, match=r"cannot read .*x\.npy"):
        pickle.loads(held)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_cache_is_made_again_with_its_settings(file, policy):
    hotness = np.random.default_rng(2).random(3000)
    table = CachedTable(DiskTable(file), 100_000, policy=policy, hotness=hotness, window=9)
    table.take(IDS)
    again = pickle.loads(pickle.dumps(table))
    assert (again.memory, again.policy, again.rows_kept) == (100_000, policy, table.rows_kept)
    assert (
        again.window == CachedTable(DiskTable(file), 100_000, policy=policy, hotness=hotness, window=9).window
    )
    assert again.counts["hits"] == 0
    np.testing.assert_array_equal(again.take(IDS), ROWS[IDS])
    if policy == "static":
        kept = np.sort(np.argsort(-hotness)[: table.rows_kept])
        before = again.counts["hits"]
        again.take(kept)
        assert again.counts["hits"] - before == len(kept), "the same rows are kept"


@COPIED
@pytest.mark.parametrize("around", [lambda table: table, lambda table: Decoded(table, "float32")])
def test_a_copy_of_a_cache_closes_its_own_table(file, copied, around):
    table = around(CachedTable(DiskTable(file), "100KiB"))
    again = copied(table)
    again.close()
    np.testing.assert_array_equal(table.take(IDS), ROWS[IDS])
    again = copied(table)
    table.close()
    np.testing.assert_array_equal(again.take(IDS), ROWS[IDS])
    again.close()
    with pytest.raises(WeftValueError, match="closed; open it again"):
        copied(table)


@pytest.mark.parametrize("codec", ["float16", "bfloat16", "int8"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_tables_that_decode(tmp_path, codec, in_memory):
    file = encode(ROWS, codec, tmp_path / "x.npy")
    table = open_features(file, "64MiB", verbose=False)
    assert isinstance(table, Decoded)
    if not in_memory:
        table = Decoded(CachedTable(DiskTable(file), "90KiB"), codec)
    table.submit(IDS).wait()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(table)).take(IDS), table.take(IDS))


def test_rows_in_memory():
    table = MemoryTable(ROWS)
    table.submit(IDS).wait()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(table)).take(IDS), ROWS[IDS])


def test_an_empty_file(tmp_path):
    np.save(tmp_path / "x.npy", ROWS[:0])
    assert pickle.loads(pickle.dumps(DiskTable(tmp_path / "x.npy"))).shape == (0, 32)


def test_a_process_that_was_spawned(file, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SPAWNED)
    ran = subprocess.run(
        [sys.executable, str(script), str(file)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
