"""Three forms of one generator: published vectors, and each other."""

from __future__ import annotations

import os

import numpy as np
import pytest

import weft
from weft.errors import WeftValueError
from weft.kernels.philox import cpu, reference

# Known answers of Random123 1.09 (kat_vectors, philox4x32-10): counter, key, result.
VECTORS = [
    ((0,) * 4, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
RUNS = [
    (0, 0, 0, 0, 0),
    (1, 5, 0, 0, 0),
    (63, 2**64 - 1, 7, 1, 2),
    (1000, 0x1234567890ABCDEF, 2**32 - 5, 3, 2**32 - 1),
]


@pytest.mark.parametrize("form", [reference, cpu], ids=["reference", "cpu"])
@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_published_vectors(form, counter, key, expected):
    out = form.philox4x32(np.array([counter], np.uint32), key)
    assert tuple(out[0].tolist()) == expected


@pytest.mark.parametrize("run", RUNS)
def test_native_equals_reference(run, threads):
    np.testing.assert_array_equal(cpu.philox_fill(*run), reference.philox_fill(*run))


def test_native_is_the_same_for_any_threads():
    results = []
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        results.append(cpu.philox_fill(200_001, 42))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize("run", RUNS)
def test_triton_equals_reference(run):
    torch = pytest.importorskip("torch")
    pytest.importorskip("triton")
    if torch.cuda.is_available():
        device = "cuda"
    elif os.environ.get("TRITON_INTERPRET") == "1":
        device = "cpu"
    else:
        pytest.skip("Triton on a machine without a GPU needs TRITON_INTERPRET=1 from the start")
    from weft.kernels.philox import triton

    np.testing.assert_array_equal(
        triton.philox_fill(*run, device=device).cpu().numpy(), reference.philox_fill(*run)
    )


def test_wrong_shape_is_refused():
    with pytest.raises(WeftValueError, match=r"\[B, 4\].*got \[3, 5\]"):
        cpu.philox4x32(np.zeros((3, 5), np.uint32), 0)


def test_bounded_stays_below_its_bound():
    bits = np.array([0, 1, 2**31, 2**32 - 1], np.uint32)
    for n in (1, 2, 3, 1000, 2**32):
        out = reference.bounded(bits, n)
        assert out.min() >= 0
        assert out.max() < n
