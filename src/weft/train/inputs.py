"""Features as a training takes them: one row for each node, and no NaN that nobody knows of."""

from __future__ import annotations

import hashlib
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch

import weft.features
from weft.config import show_count
from weft.errors import WeftTypeError, WeftValueError
from weft.features import FeatureTable
from weft.features.codec import decoded, decoded_form
from weft.features.opened import uncached
from weft.graph import Ids, Labels
from weft.kernels.memory import drop_pages
from weft.npy import open_npy

if TYPE_CHECKING:
    import os

    from weft.graph import HeteroGraph

__all__ = ["Features", "NodeSet", "NodesOf", "OnNan", "as_input"]

Array = npt.NDArray[Any]
OnNan = Literal["fail", "zero"]

_CHUNK = 32 << 20  # bytes looked at at a time
_LOOKED_AT = 1000  # rows that features are told from others by


class NodeSet(Protocol):
    """Nodes and what is attached to them: those of a graph, or of one type of a graph."""

    @property
    def num_nodes(self) -> int:
        """N."""
        ...

    @property
    def ids(self) -> Ids:
        """How the ids of the input map to them."""
        ...

    @property
    def labels(self) -> Labels | None:
        """Labels, if attached."""
        ...

    @property
    def features(self) -> Array | None:
        """Rows ``[N, F]``, if attached."""
        ...

    @property
    def features_path(self) -> Path | None:
        """Their file, if they are in one."""
        ...

    @property
    def split(self) -> Labels | None:
        """What they are for, if attached."""
        ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NodesOf:
    """The nodes of a type; see :class:`NodeSet`."""

    num_nodes: int
    ids: Ids
    labels: Labels | None
    features: Array | None
    features_path: Path | None
    split: Labels | None

    @classmethod
    def type(cls, graph: HeteroGraph, name: str) -> NodesOf:
        """Those of a type that there is."""
        nodes = graph.nodes[name]
        return cls(
            num_nodes=len(nodes.ids),
            ids=nodes.ids,
            labels=nodes.labels,
            features=nodes.features,
            features_path=graph.features_path.get(name),
            split=nodes.split,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Features:
    """Rows of the nodes, looked through once.

    Attributes:
        given: a file, an array or a table.
        shape: (N, F).
        dtype: of the rows as they are given to the model's batches, those of a codec decoded.
        nbytes: of all rows as they are stored.
        path: of the file; None: it is no file.
        broken: values that are NaN or infinite.
        digest: of some of the rows: features that are others have another.
    """

    given: Path | Array | FeatureTable
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    nbytes: int
    path: Path | None
    broken: int
    digest: str

    @classmethod
    def of(
        cls,
        given: str | os.PathLike[str] | npt.ArrayLike | FeatureTable | None,
        graph: NodeSet,
        on_nan: OnNan = "fail",
        operation: str = "train",
        *,
        known: bool = False,
    ) -> Features:
        """Look through what was given, once from beginning to end.

        Args:
            given: a ``.npy`` file, an array or table ``[N, F]``; None: what is attached to the graph.
            graph: whose nodes they are of.
            on_nan: ``fail`` or ``zero``: whether NaN and infinity are refused or taken for 0.
            operation: who asks, for messages.
            known: the rows have been taken for those of the nodes with these ids, in this order, before.

        Raises:
            WeftValueError: there are none, they are of another number of nodes, no numbers, or there are NaN
                and ``on_nan`` is ``fail``.
            FormatError: it is no ``.npy`` file.
            StorageError: it cannot be read.
        """
        if on_nan not in ("fail", "zero"):
            raise WeftValueError(f"{operation}: on_nan must be 'fail' or 'zero' (got {on_nan!r})")
        what, path, rows = _rows(given, graph, operation)
        if given is not None and not known and (note := graph.ids.order()) is not None:
            warnings.warn(f"{operation}: {note}", UserWarning, stacklevel=2)
        shape, dtype = decoded_form(rows) if isinstance(rows, np.ndarray) else (rows.shape, rows.dtype)
        if len(shape) != 2 or shape[1] == 0 or dtype.kind not in "fiub":
            raise WeftValueError(
                f"{operation}: features must be numbers [N, F] (got {rows.dtype} {list(rows.shape)})"
            )
        if rows.shape[0] != graph.num_nodes:
            raise WeftValueError(
                f"{operation}: features have {rows.shape[0]:,} rows, the graph has {graph.num_nodes:,} "
                "nodes; row i must be node i (weft attach puts rows in the order of the nodes by their ids)"
            )
        broken, first = _broken(rows, shape[1]) if dtype.kind == "f" else (0, 0)
        if broken and on_nan == "fail":
            raise WeftValueError(
                f"{operation}: {show_count(broken, 'feature')} of {shape[0] * shape[1]:,} are NaN or "
                f"infinite, the first at node {first}; repair them, or take them for 0 with --on-nan zero "
                "(on_nan='zero' in Python)"
            )
        stored = rows.nbytes if isinstance(rows, np.ndarray) else math.prod(shape) * dtype.itemsize
        return cls(
            given=what,
            shape=(shape[0], shape[1]),
            dtype=dtype,
            nbytes=stored,
            path=path,
            broken=broken,
            digest=_digest(rows),
        )

    def open(self, memory: int, hotness: Array | None = None) -> tuple[FeatureTable, bool]:
        """A table of the rows within so many bytes, and whether it is ours to close.

        Args:
            memory: bytes.
            hotness: ``[N]``, how often each row will be asked for, about.

        Raises:
            BudgetError: not even a small cache fits.
        """
        if not isinstance(self.given, Path | np.ndarray):
            return self.given, False
        return weft.features.open(self.given, memory, hotness=hotness, verbose=False), True


def _rows(given: object, graph: NodeSet, operation: str) -> tuple[Any, Path | None, Any]:
    """What was given, its path, and something with rows."""
    if given is None:
        if graph.features is None:
            raise WeftValueError(
                f"{operation}: the graph has no features; give --features FILE.npy (features= in Python), or "
                "attach some to it (weft attach)"
            )
        if graph.features_path is None:
            return graph.features, None, graph.features
        given = graph.features_path  # read past the page cache where it does not fit
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        path = Path(cast("str", given))
        return path, path.resolve(), open_npy(path)
    if hasattr(given, "take") and hasattr(given, "submit"):
        return given, None, uncached(cast("FeatureTable", given))
    try:
        rows: Array = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)  # pyrefly: ignore
    except (TypeError, ValueError, RuntimeError) as error:
        raise WeftTypeError(
            f"{operation}: features as a {type(given).__name__} are no array of numbers ({error}); give "
            "dense float32 or float16 rows [N, F]"
        ) from None
    return rows, None, rows


def _digest(rows: Any) -> str:  # noqa: ANN401 - an array or a table
    """Of up to a thousand rows from everywhere: a look at all would take as long as an epoch."""
    ids = np.unique(np.linspace(0, rows.shape[0] - 1, _LOOKED_AT).astype(np.int64)) if rows.shape[0] else []
    some = np.asarray(rows[ids] if isinstance(rows, np.ndarray) else rows.take(np.asarray(ids, np.int64)))
    return hashlib.sha256(np.ascontiguousarray(some).tobytes()).hexdigest()[:16]


def _broken(rows: Any, columns: int) -> tuple[int, int]:  # noqa: ANN401 - an array or a table
    """How many values are NaN or infinite, and the first row that has one."""
    step = max(1, _CHUNK // (columns * 4))
    count, first = 0, -1
    for begin in range(0, rows.shape[0], step):
        end = min(rows.shape[0], begin + step)
        part = decoded(rows[begin:end]) if isinstance(rows, np.ndarray) else rows.take(np.arange(begin, end))
        bad = ~np.isfinite(part)
        if bad.any():
            count += int(np.count_nonzero(bad))
            first = begin + int(bad.any(axis=1).argmax()) if first < 0 else first
        if isinstance(rows, np.ndarray):
            drop_pages(rows)
    return count, first


def as_input(x: torch.Tensor, *, clean: bool) -> torch.Tensor:
    """Rows as a model takes them: float32; ``clean``: NaN and infinity are 0."""
    x = x.float()
    return torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0) if clean else x
