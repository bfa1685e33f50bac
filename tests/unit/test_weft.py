"""The package as a whole: what it costs to import, and what it names."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import weft
from weft import _core


def test_import_is_quick_and_without_torch():
    # The best of three: a busy machine slows one run, not all.
    code = """import time, sys; t = time.perf_counter()
import weft; print(time.perf_counter() - t, "torch" in sys.modules)"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, torch = zip(*(run.stdout.split() for run in runs), strict=True)
    assert min(map(float, seconds)) < 0.3
    assert set(torch) == {"False"}


ROOMS = [
    m.name
    for m in pkgutil.iter_modules(weft.__path__, "weft.")
    if m.name not in {"weft.__main__", "weft.loader", "weft.nn", "weft.train"}
]


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_below_the_loader_imports_torch_or_scipy(room):
    heavy = {"torch", "triton", "sklearn", "scipy", "matplotlib"}
    code = f"import sys, {room}; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", weft.__all__)
def test_every_public_name_is_there(name):
    assert getattr(weft, name) is not None


def test_a_sanitized_run_tests_the_sanitized_core():
    assert ("asan-site" in str(_core.__file__)) == ("WEFT_SANITIZED" in os.environ)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Grpah'"):
        weft.Grpah  # noqa: B018
