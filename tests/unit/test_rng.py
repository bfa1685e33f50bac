"""Keys."""

from __future__ import annotations

import pytest

from weft.errors import WeftValueError
from weft.rng import Op, key


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range(seed):
    with pytest.raises(WeftValueError, match=f"got {seed}"):
        key(seed, Op.WALK)


def test_keys_differ_by_seed_and_op():
    keys = {key(seed, op) for seed in range(1000) for op in Op}
    assert len(keys) == 1000 * len(Op)


def test_keys_never_change():
    # Published results rest on these.
    assert key(0, Op.WALK) == 0xE220A8397B1DCDAF
    assert key(2**64 - 1, Op.WALK) == key(2**64 - 1, Op(1))


def test_ops_have_distinct_numbers():
    assert len({int(op) for op in Op}) == len(Op)
