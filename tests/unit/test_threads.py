"""Threads that the system does not grant."""

from __future__ import annotations

import subprocess
import sys

import pytest

import weft
from weft.errors import WeftValueError

SCRIPT = """
import resource
import numpy as np
import weft
from weft.kernels.philox import philox_fill

weft.set_num_threads(1)
alone = philox_fill(1 << 20, 0)
weft.set_num_threads(4000)
# Each thread takes 8 MiB of addresses for its stack.
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, limits[1]))
few = philox_fill(1 << 20, 0)
resource.setrlimit(resource.RLIMIT_AS, limits)  # there must be room to compare
assert np.array_equal(few, alone)
weft.set_num_threads(2)
assert np.array_equal(philox_fill(1 << 20, 0), alone)
"""


@pytest.mark.parametrize("count", [0, -1, 4097, 1 << 40])
def test_refuses(count):
    with pytest.raises(WeftValueError, match=r"threads must be in 1 \.\. 4096 \(got "):
        weft.set_num_threads(count)


def test_with_fewer_than_asked_for_all_work_is_done():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
