"""The state of a run on disk: written whole or not at all, continued only by the run it belongs to."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from weft.errors import FormatError, WeftValueError
from weft.files import check_writable, remove_stale, storage_errors, temporary_name
from weft.graph._digest import digest_of
from weft.graph.format import MANIFEST, DirectoryReader, DirectoryWriter, check_target, format_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from weft.embed.plan import Plan
    from weft.graph import Graph, Rows

__all__ = [
    "Checkpoint",
    "Keepable",
    "check_place",
    "differences",
    "graph_identity",
    "identity",
    "pairs_saved",
    "remove",
    "rows_digest",
]

KIND = "weft.checkpoint"
_DIGESTS = {
    "sha256": "edges or weights",
    "vectors to begin with": "vectors to begin with",
    "labels": "labels",
    "rows": "features",
    "split": "split",
}


class Keepable(Protocol):
    """A part of a run's state: some arrays of a directory."""

    def save(self, writer: DirectoryWriter) -> None:
        """Write the arrays."""
        ...

    def load(self, reader: DirectoryReader) -> None:
        """Take the arrays back."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place for the state of one run.

    Attributes:
        path: a directory.
        run: what makes the run this one, from :func:`identity`.
    """

    path: Path
    run: Mapping[str, Any]

    def save(self, parts: Sequence[Keepable], pairs: int) -> None:
        """Write all parts; until that is done, the checkpoint before stays.

        Raises:
            StorageError: the disk is full, or the system refuses otherwise.
        """
        with DirectoryWriter(self.path, KIND, overwrite=True) as writer:
            for part in parts:
                part.save(writer)
            writer.finish({**self.run, "pairs": pairs})

    def check(self) -> None:
        """Refuse a checkpoint of another run; of ``run``, only what is there is compared.

        Raises:
            FormatError: the directory is damaged, or no checkpoint.
            WeftValueError: it belongs to another run; the message names what differs.
        """
        reader = DirectoryReader(self.path, KIND)
        if differ := differences(reader.meta, self.run):
            raise WeftValueError(
                f"cannot go on from {self.path}: it was made with {', '.join(differ)}; "
                "give the same graph and parameters, or remove it to begin anew"
            )

    def load(self, parts: Sequence[Keepable]) -> None:
        """Take all parts back, every byte checked.

        Raises:
            FormatError: the directory is damaged, or no checkpoint.
            WeftValueError: it belongs to another run; the message names what differs.
        """
        self.check()
        with _with_remedy(self.path):
            reader = DirectoryReader(self.path, KIND, verify=True)
            for part in parts:
                part.load(reader)


def pairs_saved(path: str | os.PathLike[str]) -> int | None:
    """The pairs trained when the checkpoint at ``path`` was written; None: nothing is there.

    What a killed writer left beside it is removed.

    Raises:
        FormatError: there is something else, or it is damaged.
    """
    place = Path(path)
    with storage_errors("look at", place):
        if place.parent.is_dir():
            remove_stale(place)
        if not place.exists() or (place.is_dir() and not any(place.iterdir())):
            return None
    with _with_remedy(place):
        return int(DirectoryReader(place, KIND).meta["pairs"])


@contextlib.contextmanager
def _with_remedy(path: Path) -> Iterator[None]:
    """Say of a damaged checkpoint what can be done; of another directory nothing more."""
    try:
        yield
    except FormatError as error:
        if (path / MANIFEST).is_file() and format_of(path) in (None, KIND):
            raise FormatError(f"{error}; no run can go on from it: remove it to begin anew") from error
        raise


def check_place(path: Path) -> bool:
    """Whether there is a checkpoint at ``path``; refuse a place where none could be written.

    Raises:
        FormatError: there is something else, or it is damaged.
        WeftValueError: there is a link that leads nowhere.
        StorageError: the system refuses.
    """
    there = pairs_saved(path) is not None
    check_target(path, overwrite=True)
    check_writable(path)
    return there


def remove(path: Path) -> None:
    """Remove a checkpoint, if there is one: at once under its name, so that no half of it can be met.

    Raises:
        FormatError: there is something else.
    """
    if pairs_saved(path) is None:
        return
    with storage_errors("remove", path):
        gone = path.rename(temporary_name(path))
        shutil.rmtree(gone)


def identity(params: Mapping[str, Any], plan: Plan, graph: Graph) -> dict[str, Any]:
    """What two runs must share to give the same vectors. Memory and threads are no part of it.

    Args:
        params: those of the estimator that decide the result.
        plan: sizes of the run.
        graph: what is embedded.
    """
    return {
        "params": {
            name: value.item() if isinstance(value, np.generic) else value for name, value in params.items()
        },
        "plan": {
            k: v for k, v in dataclasses.asdict(plan).items() if k not in ("swap", "disk", "bytes", "limit")
        },
        "graph": graph_identity(graph),
    }


def graph_identity(graph: Graph) -> dict[str, Any]:
    """What tells a graph from others; its ids, labels and features do not matter here."""
    return {
        "nodes": graph.num_nodes,
        "edges": graph.num_edges,
        "directed": graph.directed,
        "weighted": graph.weight is not None,
        "sha256": rows_digest(graph),
    }


def rows_digest(graph: Graph | Rows) -> str:
    """Of the edges and weights."""
    return digest_of([graph.indptr, graph.indices] + ([] if graph.weight is None else [graph.weight]))


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Each value of two identities that differs, as ``name=value (now value)``.

    Args:
        there: of the one, from :func:`identity`.
        here: of the other; the sizes of its plan count only if nothing else differs.
    """
    for group in (("graph", "params"), ("plan",)):
        found = [
            _difference(name, key, there.get(name, {}).get(key), here[name].get(key))
            for name in group
            if name in here
            for key in sorted(there.get(name, {}).keys() | here[name].keys())
            if there.get(name, {}).get(key) != here[name].get(key)
        ]
        if found:
            return found
    return []


def _difference(group: str, key: str, there: object, here: object) -> str:
    if key in _DIGESTS:
        return f"other {_DIGESTS[key]}"
    return f"{'graph ' if group == 'graph' else ''}{key}={there!r} (now {here!r})"
