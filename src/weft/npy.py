"""``.npy`` files: what their header says, checked against what they hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import FormatError
from weft.files import check_regular, storage_errors

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DATA_OFFSET", "NpyHeader", "npy_header", "open_npy", "read_header"]

DATA_OFFSET = 4096  # O_DIRECT wants data at a multiple of the block; 4096 serves every common device


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """Where the numbers of a ``.npy`` file are.

    Attributes:
        shape: of the array.
        dtype: of its elements, no objects.
        fortran: column after column instead of row after row.
        offset: the byte at which the first element begins.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int


def read_header(path: Path) -> NpyHeader:
    """Read the header of a ``.npy`` file.

    Raises:
        FormatError: it is no such file, or its size is not what its header says.
        StorageError: it cannot be read, or is no regular file.
    """
    check_regular(path)
    with storage_errors("read", path), path.open("rb") as file:
        try:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(file)
        except OSError:
            raise
        # NumPy's reader of the header fails on damage with whatever the damage leads to.
        except Exception:
            raise FormatError(f"{path} is not a .npy file: save it with numpy.save") from None
        if dtype.hasobject:
            raise FormatError(f"{path} holds Python objects; save an array of numbers")
        expected = file.tell() + math.prod(shape) * dtype.itemsize
        held = path.stat().st_size
        if min(shape, default=0) < 0 or held != expected:
            why = (
                "it is truncated, copy it again" if held < expected else "it is not the file that was written"
            )
            raise FormatError(f"{path} holds {held:,} bytes, its header says {expected:,}; {why}")
        return NpyHeader(shape, dtype, fortran, file.tell())


def open_npy(path: Path) -> npt.NDArray[Any]:
    """Map a ``.npy`` file.

    Raises:
        FormatError: it is no such file, or its size is not what its header says.
        StorageError: it cannot be read.
    """
    header = read_header(path)
    if 0 in header.shape:
        return np.zeros(header.shape, header.dtype)
    try:
        with storage_errors("map", path):
            order = "F" if header.fortran else "C"
            return np.memmap(path, header.dtype, "r", header.offset, header.shape, order)
    except ValueError as error:
        raise FormatError(f"{path} cannot be mapped: {error}") from None


def npy_header(dtype: npt.DTypeLike, shape: tuple[int, ...]) -> bytes:
    """A version 1.0 ``.npy`` header padded so that the data starts at ``DATA_OFFSET``."""
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(int(n) for n in shape)})
    size = DATA_OFFSET - 10
    return b"\x93NUMPY\x01\x00" + size.to_bytes(2, "little") + text.encode().ljust(size - 1) + b"\n"
