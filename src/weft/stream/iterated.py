"""Batches from Python: anything that can be iterated over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from weft.errors import WeftTypeError
from weft.stream.batch import Batch, Offset

__all__ = ["IteratorSource"]

Given = Batch | tuple[Any, ...] | Mapping[str, Any] | None


class IteratorSource:
    """Batches of an iterable, or of a function that gives one for an offset.

    A batch is a :class:`Batch`, a tuple (source, target, time[, eid]) or a mapping of the fields of Batch.
    One that says nothing of where it stands is numbered by the events before it (``events``).

    Args:
        batches: an iterable, which to go on from an offset is gone through from its beginning and must give
            the same events again, in whatever batches; or a function of an offset that gives what follows.
        name: what messages call it.
    """

    def __init__(
        self, batches: Iterable[Given] | Callable[[Offset], Iterable[Given]], name: str = "the iterator"
    ) -> None:
        if not callable(batches) and not isinstance(batches, Iterable):
            raise WeftTypeError(f"a source must give batches (got {type(batches).__name__})")
        self._batches, self.name = batches, name

    def batches(self, offset: Offset) -> Iterator[Batch | None]:
        """See :class:`weft.stream.Source`."""
        asked = callable(self._batches)
        given = self._batches(offset) if callable(self._batches) else self._batches
        done, before = (offset.get("events", 0), 0) if asked else (0, offset.get("events", 0))
        for one in given:
            batch = _batch(one)
            if batch is None or batch.end:
                yield batch
                continue
            count = len(np.asarray(batch.time))
            skip = min(count, max(0, before - done))
            if skip < count:
                yield _numbered(batch, done, skip, count)
            done += count


def _numbered(batch: Batch, done: int, skip: int, count: int) -> Batch:
    def rest(column: Any) -> Any:  # noqa: ANN401
        return None if column is None else np.asarray(column)[skip:]

    return Batch(
        source=rest(batch.source),
        target=rest(batch.target),
        time=rest(batch.time),
        op=rest(batch.op),
        eid=rest(batch.eid),
        begin={"events": done + skip},
        end={"events": done + count},
    )


def _batch(one: Given) -> Batch | None:
    if one is None or isinstance(one, Batch):
        return one
    if isinstance(one, Mapping):
        return Batch(**one)
    if isinstance(one, tuple) and len(one) in (3, 4):
        return Batch(source=one[0], target=one[1], time=one[2], eid=one[3] if len(one) == 4 else None)
    raise WeftTypeError(f"a batch must be a Batch, a mapping or (source, target, time[, eid]) (got {one!r})")
