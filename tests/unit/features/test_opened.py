"""Tiers by memory."""

from __future__ import annotations

import re

import numpy as np
import pytest

from weft import features
from weft.config import parse_bytes
from weft.errors import BudgetError, FormatError, StorageError, WeftTypeError, WeftValueError
from weft.features import CachedTable, DiskTable, MemoryTable
from weft.features.policies import POLICIES

ROWS = np.random.default_rng(0).random((20_000, 64)).astype(np.float32)  # 4.9 MiB
IDS = np.arange(0, 20_000, 37)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    return tmp_path / "x.npy"


def test_what_fits_is_loaded(path, capsys):
    for source in (path, str(path), np.load(path, mmap_mode="r"), ROWS, ROWS[:, ::-1]):
        table = features.open(source, "6MiB")
        assert isinstance(table, MemoryTable)
        np.testing.assert_array_equal(
            table.take(IDS),
            np.asarray(np.load(path) if isinstance(source, type(path) | str) else source)[IDS],
        )
    assert "20,000 × 64 float32, 4.9 MiB" in capsys.readouterr().err


def test_what_does_not_is_read_through_a_cache(path, capsys):
    for source in (path, np.load(path, mmap_mode="r")):
        table = features.open(source, "2MiB")
        assert isinstance(table, CachedTable)
        assert isinstance(table.base, DiskTable)
        assert table.policy == "lookahead"
        np.testing.assert_array_equal(table.take(IDS), ROWS[IDS])
        said = capsys.readouterr().err
        assert "x.npy by " in said
        assert f"{table.rows_kept:,} rows" in said
        # Rows, what is noted and the buffers stay within the budget.
        assert table.rows_kept * 256 + 9 * 20_000 + table.base.depth * (64 << 10) < 2 << 20
        table.close()
    table = features.open(DiskTable(path), "9MiB", policy="lru", verbose=False)
    assert isinstance(table, CachedTable)
    assert capsys.readouterr().err == ""


def test_arrays_and_mapped_files_that_are_no_npy(tmp_path, capsys):
    assert isinstance(features.open(ROWS, 1000, verbose=False), MemoryTable)
    ROWS.tofile(tmp_path / "x.bin")
    mapped = np.memmap(tmp_path / "x.bin", np.float32, "r", shape=ROWS.shape)
    table = features.open(mapped, 1000)
    assert "a mapped file, through the page cache" in capsys.readouterr().err
    np.testing.assert_array_equal(table.take(IDS), ROWS[IDS])
    np.save(tmp_path / "y.npy", ROWS)
    part = np.load(tmp_path / "y.npy", mmap_mode="r")[100:]
    np.testing.assert_array_equal(features.open(part, 1000, verbose=False).take(IDS[:9]), ROWS[100:][IDS[:9]])


def test_rows_wider_than_a_read(tmp_path):
    wide = np.lib.format.open_memmap(tmp_path / "w.npy", mode="w+", dtype=np.uint8, shape=(60, 1 << 20))
    wide[:, :9] = np.arange(60)[:, None]
    table = features.open(tmp_path / "w.npy", "16MiB", verbose=False)
    assert isinstance(table, CachedTable)
    assert isinstance(table.base, DiskTable)
    assert table.rows_kept * wide.shape[1] + table.base.depth * (wide.shape[1] + 4096) <= 16 << 20
    for ids in (np.arange(60), np.arange(59, -1, -2)):
        np.testing.assert_array_equal(table.take(ids), wide[ids])
    with pytest.raises(BudgetError, match=r"takes 1\.0 MiB; give more memory"):
        features.open(tmp_path / "w.npy", "1MiB")


def test_the_memory_advised_suffices(path):
    for policy in POLICIES:
        hotness = np.ones(len(ROWS))
        for source, given in ((path, "560KiB"), (path, "530KiB"), (DiskTable(path, depth=64), "4.05MiB")):
            with pytest.raises(BudgetError) as caught:
                features.open(source, given, policy=policy, hotness=hotness, verbose=False)
            advised = re.search(r"give at least ([0-9.]+ .iB)", str(caught.value))
            assert advised
            assert isinstance(source, DiskTable) or parse_bytes(advised[1]) < 900 << 10
            table = features.open(path, advised[1], policy=policy, hotness=hotness, verbose=False)
            np.testing.assert_array_equal(table.take(IDS), ROWS[IDS])
            table.close()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("columns", [1, 25, 17_500])
def test_the_memory_advised_for_a_cache_suffices(policy, columns):
    base = MemoryTable(np.zeros((1000, columns), np.float32))
    with pytest.raises(BudgetError) as caught:
        CachedTable(base, 100, policy=policy, hotness=np.ones(1000))
    advised = re.search(r"give at least ([0-9.]+ .iB)", str(caught.value))
    assert advised
    assert CachedTable(base, advised[1], policy=policy, hotness=np.ones(1000)).rows_kept >= 1


def test_tensors():
    torch = pytest.importorskip("torch")
    rows = torch.ones((5, 3), requires_grad=True)
    assert features.open(rows, "1MiB", verbose=False).take(np.arange(5)).sum() == 15
    for none in (rows.detach().bfloat16(), rows.detach().to_sparse(), [[1.0], [1.0, 2.0]]):
        with pytest.raises(WeftTypeError, match="is no array"):
            features.open(none, "1MiB")


def test_wrong_input(path, tmp_path):
    with pytest.raises(BudgetError, match="give more memory"):
        features.open(path, "500KiB")
    with pytest.raises(BudgetError, match="give at least"):
        features.open(path, "600KiB")
    with pytest.raises(WeftValueError, match="one of lookahead"):
        features.open(path, "2MiB", policy="arc")
    with pytest.raises(WeftValueError, match="memory must be"):
        features.open(path, "much")
    with pytest.raises(StorageError, match="none"):
        features.open(tmp_path / "none.npy", "2MiB")
    np.save(tmp_path / "flat.npy", np.ones(9))
    with pytest.raises(FormatError, match=r"\[N, F\]"):
        features.open(tmp_path / "flat.npy", "2MiB")
