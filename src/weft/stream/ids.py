"""Ids of a source as nodes 0, 1, 2, …, in the order in which they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftKeyError, WeftValueError
from weft.graph.ids import Strings
from weft.kernels.intern import Interner

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NodeIds"]

I64 = npt.NDArray[np.int64]
Packed = tuple[npt.NDArray[np.uint8], I64]
_INT, _STRING = ord("i"), ord("s")


class NodeIds:
    """Numbers integers or strings as they first come; a node keeps its number for ever.

    Args:
        bipartite: sources and targets are of two kinds: the same id is another node as the other.
    """

    def __init__(self, *, bipartite: bool = False) -> None:
        self.bipartite, self._known = bipartite, Interner()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, source: I64 | Strings, target: I64 | Strings) -> tuple[I64, I64]:
        """The nodes of the ends of events, int64 ``[E]`` each, new ones for new ids."""
        a, b = self._known.add_pairs(_packed(source, 0), _packed(target, int(self.bipartite)))
        return a.astype(np.int64), b.astype(np.int64)

    def find(self, ids: Any, *, target: bool = False) -> I64:  # noqa: ANN401
        """The nodes of ids ``[K]``, integers or strings.

        Raises:
            WeftKeyError: one has never come.
        """
        array = np.atleast_1d(np.asarray(ids))
        text = array.dtype.kind in "OUS" and array.size
        if not text and array.dtype.kind not in "iu" and array.size:
            raise WeftValueError(f"ids of nodes are integers or strings (got {array.dtype})")
        given = Strings.of(map(str, array.tolist())) if text else array.astype(np.int64)
        node = self._known.find(*_packed(given, int(target and self.bipartite)))
        if (node < 0).any():
            kind = "target" if target else "source"
            raise WeftKeyError(
                f"no event has come with the {kind if self.bipartite else 'node'} "
                f"{array[node < 0][0]!s} ({np.count_nonzero(node < 0):,} of {len(node):,} ids are unknown)"
            )
        return node

    def take(self, nodes: I64) -> list[int | str]:
        """The ids of nodes."""
        data, offsets = self._known.names()
        found: list[int | str] = []
        for node in np.asarray(nodes).tolist():
            name = data[offsets[node] : offsets[node + 1]].tobytes()
            text = name[1:-1].decode("utf-8", "surrogateescape")
            found.append(int(np.frombuffer(name[1:9], np.int64)[0]) if name[0] == _INT else text)
        return found

    def state_dict(self) -> dict[str, Any]:
        """All ids in the order of their nodes."""
        data, offsets = self._known.names()
        return {"data": data, "offsets": offsets}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self._known = Interner()
        self._known.add(np.array(state["data"], np.uint8), np.array(state["offsets"], np.int64))


def _packed(ids: I64 | Strings, side: int) -> Packed:
    """Bytes of ids: what kind they are, the id, the side of the event it stands on."""
    if isinstance(ids, Strings):
        size = np.diff(ids.offsets) + 2
        offsets = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        data = np.empty(int(offsets[-1]), np.uint8)
        data[offsets[:-1]], data[offsets[1:] - 1] = _STRING, side
        inner = np.ones(len(data), bool)
        inner[offsets[:-1]] = inner[offsets[1:] - 1] = False
        data[inner] = ids.data[ids.offsets[0] : ids.offsets[-1]]
        return data, offsets
    rows = np.empty((len(ids), 10), np.uint8)
    rows[:, 0], rows[:, 9] = _INT, side
    rows[:, 1:9] = np.ascontiguousarray(ids, np.int64).view(np.uint8).reshape(-1, 8)
    return rows.reshape(-1), np.arange(0, 10 * len(ids) + 1, 10, dtype=np.int64)
