"""From arrays of edges to a graph of several types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftTypeError, WeftValueError
from weft.graph._checks import integers
from weft.graph._checks import weights as weights_of
from weft.graph._rows import EdgeType, Nodes, Rows, edge_name
from weft.graph._store import index_dtype
from weft.graph.ids import Ids, Strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from weft.graph.graph import Duplicates

__all__ = ["build", "check_names", "with_reverse"]

I64 = npt.NDArray[np.int64]


def build(
    edges: Mapping[EdgeType, Sequence[npt.ArrayLike]],
    num_nodes: Mapping[str, int],
    ids: Mapping[str, npt.ArrayLike],
    duplicates: Duplicates,
) -> tuple[dict[str, Nodes], dict[EdgeType, Rows]]:
    """Nodes and rows; see :meth:`weft.graph.HeteroGraph.from_edges`."""
    ends: dict[EdgeType, tuple[I64, I64]] = {}
    weights: dict[EdgeType, npt.NDArray[np.float32] | None] = {}
    check_names(edges, [*num_nodes, *ids])
    for kind, arrays in edges.items():
        if len(arrays) not in (2, 3):
            raise WeftValueError(
                f"from_edges: {edge_name(kind)} takes (src, dst) or (src, dst, weight) "
                f"(got {len(arrays)} arrays)"
            )
        try:
            src, dst = integers("src", arrays[0]), integers("dst", arrays[1])
            if len(src) != len(dst):
                raise WeftValueError(f"src has {len(src)} values, dst has {len(dst)}")
            weights[kind] = weights_of(arrays[2], len(src)) if len(arrays) == 3 else None
        except WeftValueError as error:
            raise WeftValueError(f"from_edges: {edge_name(kind)}: {error}") from None
        ends[kind] = src, dst
    types = dict.fromkeys([*num_nodes, *ids, *(name for s, _, t in edges for name in (s, t))])
    numbered = {name: _number(name, ends, num_nodes.get(name), ids.get(name)) for name in types}
    dtype = index_dtype(max((len(one) for one, _ in numbered.values()), default=0))
    rows: dict[EdgeType, Rows] = {}
    for kind, (src, dst) in ends.items():
        for side, values, name in (("src", src, kind[0]), ("dst", dst, kind[2])):
            if numbered[name][1] is None:
                _check_ends(kind, side, values, name, len(numbered[name][0]))
        (sources, of_src), (targets, of_dst) = numbered[kind[0]], numbered[kind[2]]
        made = Rows.of(
            src if of_src is None else np.searchsorted(of_src, src),
            dst if of_dst is None else np.searchsorted(of_dst, dst),
            weights[kind],
            len(sources),
            len(targets),
            duplicates,
        )
        rows[kind] = Rows(
            indptr=made.indptr, indices=made.indices.astype(dtype, copy=False), weight=made.weight
        )
    return {name: Nodes(ids=one) for name, (one, _) in numbered.items()}, rows


def with_reverse(num_nodes: Mapping[str, int], rows: Mapping[EdgeType, Rows]) -> dict[EdgeType, Rows]:
    """The rows and their reverse."""
    out = dict(rows)
    for kind, some in rows.items():
        turned = kind[2], f"rev_{kind[1]}", kind[0]
        if turned in out:
            raise WeftValueError(f"with_reverse: there are edges {edge_name(turned)} already")
        out[turned] = some.reverse(num_nodes[kind[2]])
    return out


def check_names(edges: Iterable[Any], names: Iterable[Any]) -> None:
    """Refuse names that cannot be shown or stored.

    Raises:
        WeftTypeError: a type of edges is no triple.
        WeftValueError: a name is no text, empty, or has characters that cannot be printed.
    """
    for kind in edges:
        if not isinstance(kind, tuple) or len(kind) != 3:
            raise WeftTypeError(
                f"a type of edges is (source type, relation, target type), such as ('user', 'rates', 'item') "
                f"(got {kind!r})"
            )
        names = [*names, *kind]
    for name in names:
        # Printable leaves out line ends, control characters and halves of surrogate pairs.
        if not isinstance(name, str) or not name.isprintable() or not name.strip():
            raise WeftValueError(
                f"the name of a type must be text of printable characters, not blank (got {name!r})"
            )


def _number(
    name: str,
    edges: Mapping[EdgeType, tuple[I64, I64]],
    count: object,
    given: npt.ArrayLike | None,
) -> tuple[Ids, I64 | None]:
    """The ids of a type; and the distinct ones in rising order where edges give ids, not nodes."""
    if given is not None:
        ids = _given(name, given)
        if count is not None and count != len(ids):
            raise WeftValueError(f"from_edges: {name}: {len(ids):,} ids, but num_nodes is {count!r}")
        return ids, None
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
            raise WeftValueError(f"from_edges: {name}: num_nodes must be 0 or more (got {count!r})")
        return Ids.range(int(count)), None
    parts = [src for kind, (src, _) in edges.items() if kind[0] == name]
    parts += [dst for kind, (_, dst) in edges.items() if kind[2] == name]
    distinct = np.unique(np.concatenate(parts))
    if len(distinct) == 0 or (distinct[0] == 0 and distinct[-1] == len(distinct) - 1):
        return Ids.range(len(distinct)), None
    return Ids.integers(distinct), distinct


def _given(name: str, given: npt.ArrayLike) -> Ids:
    values = np.asarray(given)
    if values.ndim == 1 and values.dtype.kind in "iu":
        try:
            return Ids.integers(integers("ids", values))
        except WeftValueError as error:
            raise WeftValueError(f"from_edges: {name}: {error}") from None
    if values.ndim != 1 or not all(isinstance(value, str) for value in values.tolist()):
        raise WeftValueError(
            f"from_edges: {name}: ids must be strings or integers [N] "
            f"(got {values.dtype} {list(values.shape)})"
        )
    if len(set(values.tolist())) < len(values):
        raise WeftValueError(f"from_edges: {name}: ids must be distinct, and some are given twice")
    packed = Strings.of(values.tolist())
    return Ids.strings(packed.data, packed.offsets)


def _check_ends(kind: EdgeType, side: str, values: I64, name: str, count: int) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= count))
    if len(wrong):
        at = int(wrong[0])
        nodes = f"0 .. {count - 1}" if count else "none"
        raise WeftValueError(
            f"from_edges: {edge_name(kind)}: {side}[{at}] is {values[at]}, past the {count:,} nodes of type "
            f"{name!r} ({nodes}); {len(wrong):,} such ends"
        )
