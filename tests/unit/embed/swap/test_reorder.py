"""Vectors given in any order come back from the first place to the last."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.swap import mapped as mapped_module
from weft.embed.swap import reorder as module
from weft.embed.swap.mapped import mapped
from weft.embed.swap.reorder import Reorder
from weft.errors import StorageError


@pytest.mark.parametrize("places", [1, 63, 1000])
@pytest.mark.parametrize("dim", [1, 19])
@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
@pytest.mark.parametrize(("put", "taken"), [(1, 1000), (100, 17), (1000, 1)])
def test_places_in_order(scratch, monkeypatch, places, dim, share, put, taken):
    monkeypatch.setattr(module, "_READ", 3 * 4 * (dim + 1))
    rng = np.random.default_rng(places)
    order = rng.permutation(places)[: int(share * places)].astype(np.uint32)
    vectors = rng.random((len(order), dim)).astype(np.float32)
    reorder = Reorder(scratch, places, dim)
    for begin in range(0, len(order), put):
        reorder.put(order[begin : begin + put], vectors[begin : begin + put])
    expected = np.zeros((places, dim), np.float32)
    expected[order] = vectors
    wide = np.full((places, dim + 3), 9, np.float32)
    for begin in range(0, places, taken):
        reorder.take(wide[begin : begin + taken, :dim])
    np.testing.assert_array_equal(wide[:, :dim], expected)
    assert (wide[:, dim:] == 9).all()
    reorder.close()


@pytest.mark.parametrize("shape", [(1, 1), (63, 5), (1000, 16)])
def test_a_mapped_array(scratch, tmp_path, monkeypatch, shape):
    monkeypatch.setattr(mapped_module, "_BLOCK", 1000)
    expected = np.random.default_rng(0).random(shape).astype(np.float32)
    given = iter(expected)

    def fill(rows):
        for row in rows:
            row[:] = next(given)

    array = mapped(scratch, shape, fill)
    np.testing.assert_array_equal(array, expected)
    array[0] = 1  # what was learned may be changed, as an array in memory may
    assert (array[0] == 1).all()
    assert array.flags.c_contiguous
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_a_mapped_array(scratch, file_limit):
    file_limit(1000)
    with pytest.raises(StorageError, match=r"cannot write 3\.9 KiB of vectors in .*size limit"):
        mapped(scratch, (100, 10), lambda rows: None)
