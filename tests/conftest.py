"""Shared by all tests: threads, poison, where real graphs lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import weft


@pytest.fixture(autouse=True)
def _restore_threads():
    before = weft.num_threads()
    yield
    weft.set_num_threads(before)


@pytest.fixture(autouse=True)
def _poison(monkeypatch):
    """``np.empty`` gives values no kernel would write, so that an element left unwritten fails a test."""
    original = np.empty

    def poisoned(*args, **kwargs):
        array = original(*args, **kwargs)
        if array.dtype.kind == "f":
            array.fill(np.nan)
        elif array.dtype.kind in "iu":
            array.fill(np.iinfo(array.dtype).max - 1)
        return array

    monkeypatch.setattr(np, "empty", poisoned)


@pytest.fixture(params=[1, 2, 4], ids=lambda n: f"{n}threads")
def threads(request):
    weft.set_num_threads(request.param)
    return request.param


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real graphs: ``WEFT_DATA``, else ``../shared/data`` beside the checkout."""
    folder = Path(os.environ.get("WEFT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real graphs are not at {folder}; set WEFT_DATA")
    return folder


# Shared machines are slow at times: a slow example is no failure, and the seed is printed.
settings.register_profile(
    "weft", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("weft")
