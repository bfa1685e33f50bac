"""Shared by the tests of swapping."""

from __future__ import annotations

import resource
import signal

import pytest

from weft.embed.swap.scratch import Scratch


@pytest.fixture
def scratch(tmp_path):
    with Scratch(tmp_path) as open_scratch:
        yield open_scratch


@pytest.fixture
def file_limit():
    """Sets a size past which files are refused, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
