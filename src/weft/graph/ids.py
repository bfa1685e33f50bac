"""How the ids of the input map to nodes 0 .. N-1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.errors import WeftKeyError, WeftValueError
from weft.graph._digest import digest_of
from weft.kernels.intern import Interner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from weft.graph._part import Reads, Writes

__all__ = ["Ids", "Strings"]

I64 = npt.NDArray[np.int64]


class Strings:
    """Many strings in two arrays: ``data`` uint8, and ``offsets`` int64 ``[n+1]`` into it."""

    __slots__ = ("data", "offsets")

    def __init__(self, data: npt.NDArray[np.uint8], offsets: I64) -> None:
        self.data, self.offsets = data, offsets

    @classmethod
    def of(cls, strings: Iterable[str]) -> Strings:
        """Pack Python strings."""
        encoded = [s.encode("utf-8", "surrogateescape") for s in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(s) for s in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        begin, end = self.offsets[index], self.offsets[index + 1]
        return self.data[begin:end].tobytes().decode("utf-8", "surrogateescape")

    def take(self, indices: I64) -> list[str]:
        """The strings at ``indices``."""
        indices = np.asarray(indices, np.int64)
        begins, ends = self.offsets[indices].tolist(), self.offsets[indices + 1].tolist()
        text = np.ascontiguousarray(self.data).data
        return [str(text[a:b], "utf-8", "surrogateescape") for a, b in zip(begins, ends, strict=True)]

    def save(self, writer: Writes, name: str) -> None:
        """Write as ``<name>_data`` and ``<name>_offsets``."""
        writer.write_array(f"{name}_data", self.data)
        writer.write_array(f"{name}_offsets", self.offsets)

    @classmethod
    def load(cls, reader: Reads, name: str, count: int) -> Strings:
        """Read what ``save`` wrote; the offsets are checked."""
        data = reader.get(f"{name}_data", np.uint8)
        offsets = np.asarray(reader.get(f"{name}_offsets", np.int64, (count + 1,)))
        check_offsets(reader, f"{name}_offsets", offsets, len(data))
        return cls(data, offsets)


def check_offsets(reader: Reads, name: str, offsets: npt.NDArray[Any], total: int) -> None:
    """Refuse offsets that do not rise from 0 to ``total``."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != total or np.any(offsets[1:] < offsets[:-1]):
        raise reader.error(f"{name}.npy does not rise from 0 to {total:,}: it is damaged, copy it again")


def _int64(values_B: npt.NDArray[Any]) -> tuple[I64, npt.NDArray[np.bool_]]:
    """Values as integers, and which of them are integers that fit; the others are 0."""
    if values_B.dtype.kind in "iub":
        fits_B = values_B <= np.iinfo(np.int64).max
    elif values_B.dtype.kind == "f":
        fits_B = (values_B == np.floor(values_B)) & (np.abs(values_B) < 2.0**63)
    else:
        numbers = [_integer(value) for value in values_B.tolist()]
        fits_B = np.array([number is not None for number in numbers], bool)
        values_B = np.array([number or 0 for number in numbers], np.int64)
    return np.where(fits_B, values_B, 0).astype(np.int64), fits_B


def _integer(value: Any) -> int | None:  # noqa: ANN401
    try:
        number = int(value)
    except (ValueError, OverflowError, TypeError):
        return None
    same = not isinstance(value, float) or number == value
    return number if same and -(1 << 63) <= number < 1 << 63 else None


class Ids:
    """The ids of nodes 0 .. N-1: the numbers themselves, other integers, or strings.

    Build one with ``Ids.range``, ``Ids.integers`` or ``Ids.strings``.
    """

    __slots__ = ("_lookup", "count", "kind", "values")

    def __init__(
        self, kind: Literal["range", "int", "string"], count: int, values: I64 | Strings | None
    ) -> None:
        self.kind, self.count, self.values = kind, count, values
        self._lookup: Interner | None = None

    @classmethod
    def range(cls, count: int) -> Ids:
        """Node i has the id i."""
        return cls("range", count, None)

    @classmethod
    def integers(cls, values: I64) -> Ids:
        """Node i has the id ``values[i]``; int64 ``[N]``, strictly rising."""
        if np.any(values[1:] <= values[:-1]):
            raise WeftValueError("Ids.integers: values must rise strictly; sort them and drop duplicates")
        return cls("int", len(values), values)

    @classmethod
    def strings(cls, data: npt.NDArray[np.uint8], offsets: I64) -> Ids:
        """Node i has the string ``data[offsets[i]:offsets[i+1]]``; strings are distinct."""
        return cls("string", len(offsets) - 1, Strings(data, offsets))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, node: int) -> int | str:
        if not 0 <= node < self.count:
            raise WeftKeyError(f"node {node} is not in 0 .. {self.count - 1}")
        value = node if self.values is None else self.values[node]
        return value if isinstance(value, str) else int(value)

    def take(self, nodes: npt.ArrayLike) -> npt.NDArray[Any]:
        """The ids of ``nodes``: int64 ``[B]``, or object ``[B]`` of str."""
        nodes_B = np.asarray(nodes, np.int64)
        if isinstance(self.values, Strings):
            out_B = np.empty(len(nodes_B), object)
            out_B[:] = self.values.take(nodes_B)
            return out_B
        return nodes_B if self.values is None else np.asarray(self.values[nodes_B])

    def find(self, external: npt.ArrayLike | Sequence[str]) -> I64:
        """The nodes that have these ids; int64 ``[B]``, -1 where no node has it."""
        if isinstance(self.values, Strings):
            if self._lookup is None:
                lookup = Interner()
                lookup.add(np.asarray(self.values.data), np.asarray(self.values.offsets))
                if len(lookup) != self.count:
                    raise WeftValueError(
                        f"find: {self.count - len(lookup)} ids of the graph are not distinct"
                    )
                self._lookup = lookup
            asked = Strings.of(map(str, np.asarray(external).tolist()))
            return self._lookup.find(asked.data, asked.offsets)
        ids_B, whole_B = _int64(np.asarray(external))
        if self.values is None:
            return np.where(whole_B & (ids_B >= 0) & (ids_B < self.count), ids_B, -1)
        if self.count == 0:
            return np.full(ids_B.shape, -1, np.int64)
        at_B = np.minimum(np.searchsorted(self.values, ids_B), self.count - 1)
        return np.where(whole_B & (self.values[at_B] == ids_B), at_B, -1)

    def order(self) -> str | None:
        """What to know before rows are taken in the order of the nodes; None if nobody can take it wrong.

        Nodes with names are numbered as the edges brought them, which is the order of no file.
        """
        if self.kind != "string" or self.count < 2:
            return None
        return (
            f"row i is taken for node i, and nodes with names are in the order in which the edges name them: "
            f"{self[0]!r}, {self[1]!r}, …; if the rows are in another order, attach them by their ids "
            "(weft attach --feature-ids)"
        )

    def digest(self) -> str:
        """What tells these ids, in this order, from others."""
        values = self.values
        if isinstance(values, Strings):
            return f"string {self.count} {digest_of([values.offsets, values.data])}"
        if values is None or self.count == 0 or (values[0] == 0 and values[-1] == self.count - 1):
            return f"range {self.count}"  # they rise: integers 0 .. N-1, too
        return f"int {self.count} {digest_of([values])}"

    def node(self, external: int | str) -> int:
        """The node with this id.

        Raises:
            WeftKeyError: no node has it.
        """
        at = int(self.find([external])[0])
        if at < 0:
            example = f"; ids look like {self[0]!r}" if self.count else ""
            raise WeftKeyError(f"no node has the id {external!r}{example}")
        return at

    def save(self, writer: Writes) -> dict[str, object]:
        """Write the arrays; gives what the manifest says of them."""
        if isinstance(self.values, Strings):
            self.values.save(writer, "ids")
        elif self.values is not None:
            writer.write_array("ids", self.values)
        return {"kind": self.kind}

    @classmethod
    def load(cls, reader: Reads, meta: dict[str, Any], count: int) -> Ids:
        """Read what ``save`` wrote."""
        kind = meta.get("kind")
        if kind == "range":
            return cls.range(count)
        if kind == "int":
            values = reader.get("ids", np.int64, (count,))
            if np.any(values[1:] <= values[:-1]):
                raise reader.error("ids.npy does not rise strictly: it is damaged, copy it again")
            return cls("int", count, values)
        if kind == "string":
            return cls("string", count, Strings.load(reader, "ids", count))
        raise reader.error(f"the manifest gives ids of kind {kind!r}")
