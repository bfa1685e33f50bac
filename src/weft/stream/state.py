"""Nested states of models as a few arrays and a tree of JSON. Nothing is pickled.

Arrays of one dtype lie one after another in one file, so that a hundred small ones are not as many syncs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import WeftTypeError

if TYPE_CHECKING:
    from weft.graph.format import DirectoryReader, DirectoryWriter

__all__ = ["decode", "encode"]


def encode(writer: DirectoryWriter, state: Any) -> Any:  # noqa: ANN401
    """Write the arrays of a state.

    Args:
        writer: of a directory; its arrays are called ``state_`` and a dtype.
        state: dicts with keys of text or integers, lists, tuples, numbers, text, None, arrays, tensors.

    Returns:
        The tree, for JSON.

    Raises:
        WeftTypeError: the state holds something else.
    """
    return _Encoder(writer).tree(state)


def decode(reader: DirectoryReader, tree: Any) -> Any:  # noqa: ANN401
    """The state that :func:`encode` was given; arrays are in memory.

    Raises:
        FormatError: the directory is damaged.
    """
    if not isinstance(tree, dict):
        return tree
    ((kind, held),) = ((k, v) for k, v in tree.items() if k not in ("at", "shape"))
    if kind in ("array", "tensor"):
        size = int(np.prod(tree["shape"], dtype=np.int64))
        flat = reader.get(f"state_{held}")[tree["at"] : tree["at"] + size]
        if len(flat) != size:
            raise reader.error(f"state_{held}.npy is shorter than the manifest says")
        array = np.array(flat).reshape(tree["shape"])
        if kind == "array":
            return array
        import torch

        return torch.from_numpy(array)
    if kind == "float":
        return float(held)
    if kind == "dict":
        return {key: decode(reader, value) for key, value in held}
    items = [decode(reader, value) for value in held]
    return tuple(items) if kind == "tuple" else items


class _Encoder:
    def __init__(self, writer: DirectoryWriter) -> None:
        self._writer, self._files, self._sizes = writer, dict[str, Any](), dict[str, int]()

    def tree(self, state: Any) -> Any:  # noqa: ANN401
        if isinstance(state, np.generic):
            state = state.item()
        if state is None or isinstance(state, bool | int | str):
            return state
        if isinstance(state, float):
            return {"float": repr(state)}  # JSON has no NaN
        if isinstance(state, dict) and all(isinstance(key, int | str) for key in state):
            return {"dict": [[key, self.tree(value)] for key, value in state.items()]}
        for kind in (list, tuple):
            if isinstance(state, kind):
                return {kind.__name__: [self.tree(value) for value in state]}
        if isinstance(state, np.ndarray):
            return self._array("array", state)
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(state, torch.Tensor):
            return self._array("tensor", state.detach().cpu().numpy())
        raise WeftTypeError(
            "a state must be made of arrays, tensors, numbers, text, dicts and lists (got "
            f"{type(state).__name__})"
        )

    def _array(self, kind: str, array: np.ndarray[Any, Any]) -> dict[str, Any]:
        name = array.dtype.name
        if name not in self._files:
            self._files[name] = self._writer.array(f"state_{name}", array.dtype, (None,))
            self._sizes[name] = 0
        at = self._sizes[name]
        self._files[name].write(np.ascontiguousarray(array).reshape(-1))
        self._sizes[name] += array.size
        return {kind: name, "at": at, "shape": list(array.shape)}
