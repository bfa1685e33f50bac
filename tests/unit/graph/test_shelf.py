from __future__ import annotations

import os

import numpy as np
import pytest

from weft.errors import StorageError
from weft.graph._shelf import Allowance, Shelf


@pytest.mark.parametrize("limit", [0, 300, 1 << 20])
def test_entries_come_back_wherever_they_are(tmp_path, limit):
    rng = np.random.default_rng(0)
    entries = [(rng.integers(0, 99, n), rng.random(n, np.float32)) for n in (0, 1, 10, 7, 100)]
    with Shelf(Allowance(limit), tmp_path) as shelf:
        for entry in entries:
            shelf.put(*(a.copy() for a in entry))
        assert list(tmp_path.iterdir()) == []  # the file has no name
        for number, entry in enumerate(entries):
            for part, array in enumerate(entry):
                np.testing.assert_array_equal(shelf.get(number, part), array)
                np.testing.assert_array_equal(shelf.get(number, part, 1, len(array)), array[1:])
        assert (shelf.on_disk > 0) == (limit < 1 << 20)


def test_what_is_released_makes_room(tmp_path):
    allowance = Allowance(100)
    with Shelf(allowance, tmp_path) as first, Shelf(allowance, tmp_path) as second:
        first.put(np.zeros(10))
        second.put(np.ones(10))
        assert (first.on_disk, second.on_disk) == (0, 80)
        first.release(0)
        second.put(np.ones(5))
        assert (second.on_disk, allowance.used) == (80, 40)
        second.spill()
        assert (second.on_disk, allowance.used) == (120, 0)
        np.testing.assert_array_equal(second.get(1, 0), np.ones(5))
    assert allowance.used == 0


def test_a_short_file_is_an_error(tmp_path):
    with Shelf(Allowance(0), tmp_path) as shelf:
        shelf.put(np.arange(100))
        assert shelf._file is not None
        os.ftruncate(shelf._file, 50)
        with pytest.raises(StorageError, match="ended before its time"):
            shelf.get(0, 0)


def test_a_folder_that_is_gone(tmp_path):
    with Shelf(Allowance(0), tmp_path / "gone") as shelf, pytest.raises(StorageError, match="create"):
        shelf.put(np.arange(3))
