"""Events of nodes by time, native."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from weft import _core, rng
from weft.checks import check_int
from weft.errors import WeftValueError
from weft.kernels.temporal.form import Drawn, checked

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["TemporalRows", "TemporalView"]

How = Literal["recent", "uniform"]
_U32, _I64 = np.uint32, np.int64
_NONE = np.empty(0, np.uint64)
_31, _63 = (1 << 31) - 1, (1 << 63) - 1


class _Sampled:
    """What both the rows and a view of them can do."""

    _core: _core.TemporalRows | _core.TemporalView

    @property
    def nodes(self) -> int:
        """How many there are."""
        return self._core.nodes

    def sample(
        self,
        root: npt.ArrayLike,
        time: npt.ArrayLike,
        fanout: int,
        *,
        how: How = "recent",
        seed: int = 0,
        hop: int = 0,
        first: int = 0,
        item: npt.ArrayLike | None = None,
        replace: bool = False,
        inclusive: bool = False,
        window: int = 0,
    ) -> Drawn:
        """Events of each root before its time.

        What is drawn depends on the seed, the hop, the root's number and the events that it may have alone.
        The GIL is released.

        Args:
            root: nodes, integers ``[R]``.
            time: integers ``[R]``: events before it, never at it unless ``inclusive``.
            fanout: events of a root at most.
            how: ``recent``: the newest; ``uniform``: any.
            seed: 0 to 2**64 - 1.
            hop: other hops draw other events.
            first: number of the first root; a batch in two pieces draws what it draws in one.
            item: numbers of the roots instead, integers ``[R]`` below 2**64; roots of one number draw the
                same, if they may have the same events.
            replace: ``uniform``: an event may be drawn twice; a root with any event then gets ``fanout``.
            inclusive: events at the very time, too.
            window: no event older than so much before the time; 0: all.

        Returns:
            The events of each root, the newest first; with ``replace`` in the order in which they were drawn.

        Raises:
            WeftValueError: a root is no node, arrays do not fit, or a number is out of range.
        """
        if how not in ("recent", "uniform"):
            raise WeftValueError(f"sample events: how must be recent or uniform (got {how!r})")
        fanout, hop = check_int("fanout", fanout, 0, _31), check_int("hop", hop, 0, _31)
        window, first = check_int("window", window, 0, _63), check_int("first", first, 0, _63)
        roots, times = checked("sample events", (root, time), (_U32, _I64))
        items = _NONE if item is None else checked("sample events", (item, roots), (np.uint64, _U32))[0]
        try:
            found = self._core.sample(
                roots,
                times,
                rng.key(seed, rng.Op.TEMPORAL),
                first,
                items,
                hop,
                fanout,
                how == "uniform",
                replace,
                inclusive,
                window,
            )
        except ValueError as error:
            raise WeftValueError(str(error)) from None
        return Drawn(*found)


class TemporalView(_Sampled):
    """Events as they were at a moment; see :meth:`TemporalRows.view`."""

    def __init__(self, core: _core.TemporalView) -> None:
        self._core = core


class TemporalRows(_Sampled):
    """Events of every node in the order of time, while more arrive, some late, and old ones go.

    A row of few events is one array; a longer one is a directory of blocks whose size follows the row's, so
    that an event is found by two searches and one that comes late moves no more than a block (as the blocks
    of GNNFlow, Zhong et al., arXiv 2311.17410, whose chain the directory replaces). One thread writes; any
    number sample meanwhile, each call before or after a write as a whole.

    Memory that events leave is used for later ones; the system gets it back when none are left, or by
    :meth:`compact`. A page of 256 rows takes 8 KiB once one of its nodes has an event.

    Args:
        nodes: how many there are at first; events of others bring more.
        both: an event stands in the rows of both its nodes (once, if they are one), else in its source's.
    """

    def __init__(self, nodes: int = 0, *, both: bool = True) -> None:
        nodes = check_int("nodes", nodes, 0, (1 << 32) - 1)
        self._core = self._rows = _core.TemporalRows(nodes)
        self._both = both

    @property
    def both(self) -> bool:
        """Whether an event stands in two rows."""
        return self._both

    @property
    def used(self) -> int:
        """Bytes of rows and events."""
        return self._rows.used

    @property
    def held(self) -> int:
        """Bytes that the system gave for them."""
        return self._rows.held

    def append(
        self,
        source: npt.ArrayLike,
        target: npt.ArrayLike,
        time: npt.ArrayLike,
        number: npt.ArrayLike,
    ) -> None:
        """Put events where their times belong, after others of the same time.

        Args:
            source: nodes, integers ``[E]`` below 2**32.
            target: likewise.
            time: integers ``[E]``, of any unit, in any order; fast where it rises.
            number: of each, integers ``[E]`` below 2**32; or of the first, the others counting up from it.
                Numbers must rise from event to event, and from call to call, modulo 2**32: by them events
                of one time are told apart.

        Raises:
            WeftValueError: arrays differ in length or hold what is no node, time or number; or a call
                before ran out of memory.
            MemoryError: there is no room. Some of the events may be there then, and every later call refuses.
        """
        numbers = np.asarray(number)
        if numbers.ndim == 0:
            first = check_int("number", number, 0) % (1 << 32)
            numbers = (first + np.arange(np.asarray(source).size)) % (1 << 32)
        given = (source, target, time, numbers)
        sources, targets, times, numbers = checked("append events", given, (_U32, _U32, _I64, _U32))
        try:
            self._rows.append(sources, targets, times, numbers, self._both)
        except ValueError as error:
            raise WeftValueError(str(error)) from None

    def remove(
        self, source: npt.ArrayLike, target: npt.ArrayLike, time: npt.ArrayLike, number: npt.ArrayLike
    ) -> None:
        """Take events out.

        Args:
            source: as they were appended.
            target: likewise.
            time: likewise.
            number: of each.

        Raises:
            WeftValueError: an event is not there or is named twice; nothing is changed then.
        """
        given = (source, target, time, number)
        sources, targets, times, numbers = checked("remove events", given, (_U32, _U32, _I64, _U32))
        try:
            self._rows.remove(sources, targets, times, numbers, self._both)
        except ValueError as error:
            raise WeftValueError(str(error)) from None

    def expire(self, before: int, nodes: npt.ArrayLike | None = None) -> None:
        """Take all events before a time out of the rows of nodes.

        Args:
            before: the time; events at it stay.
            nodes: integers, each once; None: all.

        Raises:
            WeftValueError: one is no node; nothing is changed then.
        """
        before = check_int("before", before, -_63 - 1, _63)
        try:
            if nodes is None:
                self._rows.expire_all(before)
            else:
                (some,) = checked("expire events", (nodes,), (_U32,))
                self._rows.expire(some, before)
        except ValueError as error:
            raise WeftValueError(str(error)) from None

    def compact(self) -> None:
        """Move all events to blocks as small as they are, and give the rest of the memory back.

        What views hold of it is given back by the first change after they are gone. No result changes.

        Raises:
            MemoryError: there is no room for a sixteenth of the events beside them; nothing is lost then.
        """
        self._rows.compact()

    def view(self) -> TemporalView:
        """Events as they are now, for readers beside the writer.

        What it alone holds is given back by the first change after it is gone.
        """
        return TemporalView(self._rows.view())
