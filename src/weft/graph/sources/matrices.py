"""Sparse matrices as graphs: SciPy's ``.npz`` and MATLAB's ``.mat``. Shapes: E entries."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import MissingExtraError, ParseError, StorageError
from weft.files import check_regular
from weft.graph.sources._messages import listed
from weft.graph.sources.arrays import ArraySource

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["matrix_source", "open_mat", "open_npz", "read_mat"]

Shape = tuple[int, ...]


def matrix_source(
    name: str,
    row: npt.NDArray[Any],
    col: npt.NDArray[Any],
    data: npt.NDArray[Any],
    shape: Shape,
    *,
    weighted: bool | None = None,
) -> ArraySource:
    """Entry (i, j) is the edge from node i to node j; entries that are zero are none.

    Args:
        name: what messages call the matrix.
        row: integers ``[E]``.
        col: integers ``[E]``.
        data: numbers ``[E]``.
        shape: must be square.
        weighted: whether entries are weights; None: unless all of them are 1.

    Raises:
        ParseError: the matrix is not square, or an index is outside of it.
    """
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ParseError(
            f"{name} is a matrix of {' x '.join(map(str, shape))}, expected a square one: rows and "
            "columns are the nodes. For a bipartite graph give arrays, with column indices that go on "
            "where those of the rows end"
        )
    size = int(shape[0])
    if not len(row) == len(col) == len(data):
        raise ParseError(f"{name} is damaged: {len(row)} rows, {len(col)} columns, {len(data)} entries")
    for what, index in (("row", row), ("column", col)):
        if len(index) and (index.min() < 0 or index.max() >= size):
            raise ParseError(f"{name} is damaged: a {what} index is outside 0 .. {size - 1}")
    kept = data != 0
    if not kept.all():
        row, col, data = row[kept], col[kept], data[kept]
    if weighted is None:
        weighted = bool((data != 1).any())
    return ArraySource(row, col, data if weighted else None, name=name, num_nodes=size)


def open_npz(path: Path, *, weighted: bool | None = None) -> ArraySource:
    """A matrix written by ``scipy.sparse.save_npz``, read without SciPy.

    Raises:
        ParseError: the file is damaged or holds something else.
        StorageError: it cannot be read.
    """
    try:
        # np.load leaves a file that it opened itself open when the archive is damaged.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            held = {key: file[key] for key in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError) as e:
        raise ParseError(f"{path} is damaged or no .npz file: {e}; write it again") from None
    except OSError as e:
        raise StorageError(f"cannot read {path}: {e.strerror or e}") from e
    if not {"format", "shape", "data"} <= held.keys():
        raise ParseError(
            f"{path} is no sparse matrix: it holds {listed(held) or 'nothing'}, expected what "
            "scipy.sparse.save_npz writes (format, shape, data, …)"
        )
    kind = held["format"].item()
    kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
    row, col = _coordinates(path, kind, held)
    return matrix_source(str(path), row, col, held["data"], _shape(path, held["shape"]), weighted=weighted)


def _shape(path: Path, shape: npt.NDArray[Any]) -> Shape:
    if shape.ndim != 1 or shape.dtype.kind not in "iu":
        raise ParseError(f"{path} is damaged: its shape is {shape!r}")
    return tuple(int(n) for n in shape)


def _coordinates(
    path: Path, kind: str, held: dict[str, npt.NDArray[Any]]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    wanted = ("row", "col") if kind == "coo" else ("indptr", "indices")
    if kind not in ("coo", "csr", "csc"):
        raise ParseError(f"{path} is a matrix of the form {kind!r}, expected csr, csc or coo; convert it")
    for key in (*wanted, "data"):
        if key not in held or held[key].ndim != 1 or (key != "data" and held[key].dtype.kind not in "iu"):
            raise ParseError(f"{path} is damaged: a {kind} matrix needs the integers {', '.join(wanted)}")
    if kind == "coo":
        return held["row"], held["col"]
    indptr, indices = held["indptr"], held["indices"]
    size = _shape(path, held["shape"])[0 if kind == "csr" else -1]
    if len(indptr) != size + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise ParseError(
            f"{path} is damaged: indptr does not rise from 0 to {len(indices):,} in {size:,} steps"
        )
    outer = np.repeat(np.arange(size, dtype=np.int32 if size < 2**31 else np.int64), np.diff(indptr))
    return (outer, indices) if kind == "csr" else (indices, outer)


def open_mat(path: Path, *, variable: str | None = None, weighted: bool | None = None) -> ArraySource:
    """A sparse matrix in a MATLAB file: ``network``, or the only square one, or the one that is named.

    Raises:
        ParseError: the file is damaged or holds no such matrix.
        MissingExtraError: SciPy is not installed.
    """
    held = read_mat(path)
    square = [key for key, value in held.items() if value.shape[0] == value.shape[1]]
    if variable is None:
        variable = "network" if "network" in held else square[0] if len(square) == 1 else None
    if variable is None or variable not in held:
        shapes = listed(f"{key} {' x '.join(map(str, value.shape))}" for key, value in held.items())
        raise ParseError(f"{path} has no sparse matrix {variable or 'network'!r}; it has {shapes or 'none'}")
    matrix = held[variable].tocoo()
    name = f"{path} ({variable})"
    return matrix_source(name, matrix.row, matrix.col, matrix.data, matrix.shape, weighted=weighted)


def read_mat(path: Path) -> dict[str, Any]:
    """The sparse matrices in a MATLAB file (version 5), by name."""
    try:
        import scipy.io
        import scipy.sparse
    except ImportError:
        raise MissingExtraError("reading .mat files", "SciPy", "eval") from None
    check_regular(path)
    try:
        held = scipy.io.loadmat(str(path), appendmat=False)
    except OSError as e:
        if e.errno is not None:
            raise StorageError(f"cannot read {path}: {e.strerror or e}") from e
        raise ParseError(f"{path} is damaged or no .mat file: {e}") from None
    except NotImplementedError:
        raise ParseError(f"{path} is a MATLAB 7.3 file; save it with -v7") from None
    # SciPy's reader fails on damaged files with whatever the damage leads to.
    except Exception as e:
        raise ParseError(f"{path} is damaged or no .mat file: {e or type(e).__name__}") from None
    return {key: value for key, value in held.items() if scipy.sparse.issparse(value)}
