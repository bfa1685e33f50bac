"""What tells arrays from others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.kernels.memory import drop_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["digest_of"]

_CHUNK = 1 << 24  # hashed at a time: what is mapped stays on disk


def digest_of(arrays: Iterable[npt.NDArray[Any]]) -> str:
    """SHA-256 of the bytes of the arrays, one after the other."""
    digest = hashlib.sha256()
    for array in arrays:
        for begin in range(0, len(array), _CHUNK):
            digest.update(np.ascontiguousarray(array[begin : begin + _CHUNK]).view(np.uint8).data)
            drop_pages(array)
    return digest.hexdigest()
