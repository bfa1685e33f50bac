from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.philox.reference import philox_fill
from weft.rng import Op, key
from weft.sampling.epochs import epoch_seed, shuffled


@pytest.mark.parametrize("count", [0, 1, 63, 100, 1001])
def test_every_number_once(count):
    order = shuffled(count, seed=1, epoch=2)
    np.testing.assert_array_equal(np.sort(order), np.arange(count))
    assert order.dtype == np.int64


@pytest.mark.parametrize("count", [2, 5, 64, 1001])
def test_definition(count):
    blocks = philox_fill((count + 1) // 2, key(7, Op.SHUFFLE), index=3)
    bits = [int(low) | int(high) << 32 for block in blocks for low, high in (block[:2], block[2:])]
    shift = (count - 1).bit_length()
    wanted = sorted(range(count), key=lambda i: (bits[i] >> shift, i))
    assert shuffled(count, seed=7, epoch=3).tolist() == wanted


def test_all_orders_are_alike():
    """Chi-square of the 24 orders of 4 numbers, 23 degrees of freedom, to 6 standard deviations."""
    seen = np.zeros(4**4)
    for epoch in range(4800):
        seen[shuffled(4, seed=3, epoch=epoch) @ 4 ** np.arange(4)] += 1
    assert np.count_nonzero(seen) == 24
    assert ((seen[seen > 0] - 200) ** 2 / 200).sum() < 23 + 6 * np.sqrt(46)


def test_epochs_and_seeds_differ():
    seeds = {epoch_seed(seed, epoch) for seed in range(20) for epoch in range(20)}
    assert len(seeds) == 400
    assert not np.array_equal(shuffled(50, seed=0, epoch=0), shuffled(50, seed=0, epoch=1))
    with pytest.raises(WeftValueError, match="epoch must be in"):
        shuffled(3, seed=0, epoch=1 << 32)
    with pytest.raises(WeftValueError, match="seed must be in"):
        epoch_seed(1 << 64, 0)
