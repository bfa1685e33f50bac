"""Events in the order of time, though they come in another.

Shapes: E events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_int

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Columns", "Watermark", "joined", "rows"]

Columns = dict[str, npt.NDArray[Any]]
"""Arrays of one length by name."""

_LEAST = int(np.iinfo(np.int64).min)


class Watermark:
    """Holds events back until none that is earlier can come any more.

    The watermark stands ``lateness`` before the newest time that came. An event from before it, as it stood
    when the event came, is late. All others leave in the order of time, those of one time in the order in
    which they came: what leaves in all is the stable sort of what was not late, however the stream was cut
    into batches.

    Args:
        lateness: in the unit of times; 0: an event earlier than one that came before it is late.
    """

    def __init__(self, lateness: int = 0) -> None:
        self.lateness = check_int("lateness", lateness, 0, int(np.iinfo(np.int64).max))
        self._held: Columns = {}
        self._newest: int | None = None

    def __len__(self) -> int:
        return len(self._held["time"]) if self._held else 0

    @property
    def time(self) -> int | None:
        """Where it stands; None: nothing has come."""
        return None if self._newest is None else max(self._newest, _LEAST + self.lateness) - self.lateness

    def add(self, events: Columns) -> Columns:
        """Take in events, in the order in which they came; the late ones among them come back."""
        time = events["time"]
        if len(time) == 0:
            return events
        before = np.maximum.accumulate(
            np.concatenate([[time[0] if self._newest is None else self._newest], time])
        )
        self._newest = int(before[-1])
        late = time < np.maximum(before[:-1], _LEAST + self.lateness) - self.lateness
        held = joined(self._held, rows(events, ~late))
        self._held = rows(held, np.argsort(held["time"], kind="stable"))
        return rows(events, late)

    def release(self) -> Columns:
        """Events that are from before the watermark; they leave."""
        mark = self.time
        return {} if mark is None else self._leave(int(np.searchsorted(self._held["time"], mark)))

    def flush(self) -> Columns:
        """All events that are held: the stream is over."""
        return self._leave(len(self))

    def _leave(self, count: int) -> Columns:
        gone = rows(self._held, slice(0, count))
        self._held = rows(self._held, slice(count, None))
        return gone

    def state_dict(self) -> dict[str, Any]:
        """What is held, and where the watermark stands."""
        return {"held": dict(self._held), "newest": self._newest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self._held = {name: np.array(column) for name, column in state["held"].items()}
        self._newest = state["newest"]


def rows(columns: Columns, which: Any) -> Columns:  # noqa: ANN401
    """Some of the rows."""
    return {name: column[which] for name, column in columns.items()}


def joined(first: Columns, second: Columns) -> Columns:
    """Rows of both; nothing has no columns."""
    if not first or not second:
        return first or second
    return {name: np.concatenate([column, second[name]]) for name, column in first.items()}
