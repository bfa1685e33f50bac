"""Events as sources give them: columns, and where in the source they stand.

Shapes: E events of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.graph.ids import Strings
from weft.graph.temporal import as_times
from weft.kernels.temporal.form import checked

__all__ = ["ADD", "DELETE", "NO_ID", "Batch", "Offset", "Source", "placed"]

Offset = Mapping[str, int]
"""Where one is in a source: a position for each of its parts, all of which only rise."""

ADD, DELETE = 0, 1
NO_ID = int(np.iinfo(np.int64).min)
"""The id of an event that was given none."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Batch:
    """Events in the order in which a source has them.

    Attributes:
        source: ids of nodes ``[E]``, integers or strings.
        target: likewise.
        time: ``[E]``, whatever :meth:`weft.graph.TemporalGraph.append` takes.
        begin: where in the source the batch begins; empty: the source does not say.
        end: where it ends, so that what comes next begins there.
        op: ``ADD`` or ``DELETE`` of each, uint8 ``[E]``; None: all are added.
        eid: ids of events, int64 ``[E]``; ``NO_ID`` or None: by arrival.
    """

    source: Any
    target: Any
    time: npt.ArrayLike
    begin: Offset = field(default_factory=dict)
    end: Offset = field(default_factory=dict)
    op: npt.ArrayLike | None = None
    eid: npt.ArrayLike | None = None

    def columns(self) -> dict[str, Any]:
        """Columns of one length: ids of nodes as int64 or :class:`Strings`, the others as integers.

        Raises:
            WeftValueError: they differ in length, or hold what is no id, time or operation.
        """
        source, target = _ids(self.source), _ids(self.target)
        if isinstance(source, Strings) != isinstance(target, Strings):
            raise WeftValueError("events: ids of nodes must all be integers, or all be strings")
        time = as_times(self.time)
        op = np.zeros(len(time), np.uint8) if self.op is None else self.op
        eid = np.full(len(time), NO_ID) if self.eid is None else self.eid
        made = checked("events", (time, op, eid), (np.int64, np.uint8, np.int64))
        if {len(source), len(target)} != {len(time)}:
            raise WeftValueError(
                f"events: {len(source)} sources, {len(target)} targets and {len(time)} times are no events"
            )
        if len(made[1]) and made[1].max() > DELETE:
            raise WeftValueError(f"events: op must be {ADD} or {DELETE} (got {made[1].max()})")
        return {"source": source, "target": target, **dict(zip(("time", "op", "eid"), made, strict=True))}


class Source(Protocol):
    """Where events come from."""

    name: str
    """What messages call it."""

    def batches(self, offset: Offset) -> Iterator[Batch | None]:
        """Batches from an offset on; an empty one: from the beginning. None: nothing has come just now."""
        ...


def placed(position: Offset, batch: Batch, name: str) -> bool:
    """Whether a batch comes next after a position; False: it came before.

    Raises:
        WeftValueError: events between are missing, or some of them came before and others not.
    """
    known = [part for part in batch.end if part in position]
    # Parts of which nothing came before cannot be repeated.
    if known and len(known) == len(batch.end) and all(batch.end[part] <= position[part] for part in known):
        return False
    for part in known:
        begin = batch.begin.get(part, position[part])
        if begin != position[part]:
            what = "events between are missing" if begin > position[part] else "a part of it came before"
            raise WeftValueError(
                f"{name}: a batch begins at {part} {begin:,}, and the last one ended at {position[part]:,}: "
                f"{what}; cut the stream where it was cut before, or begin anew"
            )
    return True


def _ids(given: Any) -> npt.NDArray[np.int64] | Strings:  # noqa: ANN401
    if isinstance(given, Strings):
        return given
    array = np.asarray(given)
    if array.dtype.kind in "OUS" and array.size:
        if not all(isinstance(value, str) for value in array.tolist()):
            raise WeftValueError("events: ids of nodes must all be integers, or all be strings")
        return Strings.of(array.tolist())
    return checked("ids of nodes", (array,), (np.int64,))[0]
