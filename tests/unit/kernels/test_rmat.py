import numpy as np
import pytest

from weft import rng
from weft.errors import WeftValueError
from weft.kernels.rmat import reference, rmat_edges

KEY = rng.key(7, rng.Op.RMAT)


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5, 11, 16, 17, 31, 32])
@pytest.mark.parametrize("count", [0, 1, 63, 100, 3000])
def test_equals_reference(scale, count, threads):
    for a, b in zip(rmat_edges(scale, count, KEY), reference.rmat_edges(scale, count, KEY), strict=True):
        np.testing.assert_array_equal(a, b)


def test_edges_do_not_depend_on_where_a_call_begins():
    whole = np.stack(rmat_edges(10, 1000, KEY))
    parts = [
        np.stack(rmat_edges(10, end - first, KEY, first)) for first, end in [(0, 1), (1, 700), (700, 1000)]
    ]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    far = np.stack(rmat_edges(10, 5, KEY, 1 << 40))
    np.testing.assert_array_equal(far, np.stack(reference.rmat_edges(10, 5, KEY, 1 << 40)))


@pytest.mark.parametrize("scale", [1, 2, 3, 7, 12])
def test_numbers_are_permuted(scale):
    nodes = reference.permute(np.arange(1 << scale, dtype=np.uint32), scale, KEY)
    np.testing.assert_array_equal(np.sort(nodes), np.arange(1 << scale))


def test_quadrants_have_their_probabilities():
    # One level, no structure: of 40,000 edges each quadrant holds its share within five deviations.
    src, dst = rmat_edges(1, 40_000, KEY, a=0.4, b=0.3, c=0.2)
    flip = reference.permute(np.arange(2, dtype=np.uint32), 1, KEY)
    share = np.bincount((src ^ flip[0]) * 2 + (dst ^ flip[0]), minlength=4) / 40_000
    np.testing.assert_allclose(share, [0.4, 0.3, 0.2, 0.1], atol=5 * np.sqrt(0.25 / 40_000))


def test_degree_says_nothing_of_the_number():
    src, _ = rmat_edges(12, 1 << 16, KEY)
    degree = np.bincount(src, minlength=1 << 12)
    assert degree.max() > 20 * degree.mean()
    # 4,096 independent pairs correlate by 1/64 on average; unpermuted numbers give about -0.3.
    assert abs(np.corrcoef(np.arange(1 << 12), degree)[0, 1]) < 5 / 64


@pytest.mark.parametrize("scale", [0, 33, -1])
def test_bad_scale(scale):
    with pytest.raises(WeftValueError, match=rf"scale must be 1 to 32 \(got {scale}\)"):
        rmat_edges(scale, 1, KEY)


def test_bad_probabilities():
    with pytest.raises(WeftValueError, match="probabilities"):
        rmat_edges(3, 1, KEY, a=0.9, b=0.2, c=0.1)
