"""Batches made ahead of the loop that takes them: drawn, announced, read, assembled.

Every step of every batch is a short job, begun when all that it needs is there. So no job ever waits for
another, and nothing has to be woken for an epoch to end in its middle.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from weft.features import FeatureTable
from weft.loader.buffers import Buffers
from weft.loader.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DRAWING", "HELD", "Drawn", "Pipeline", "Rows", "kept_buffers"]

T = TypeVar("T")
I64 = npt.NDArray[np.int64]
Rows = dict[str, npt.NDArray[Any]]

_NAME = "weft-loader"
DRAWING = 2
"""Threads that draw; more would take cores from the model."""
# Bytes of batches that are announced and wait for their turn. A batch of 1,024 seeds at fanout 15, 10, 5
# holds 6 MB, most of it edges, and a cache may want to know the whole epoch: what does not fit here is drawn
# again when its turn comes, to the same edges, since a draw depends on the number of the batch alone. That
# takes 7 ms of one thread, where its rows take tens to read.
HELD = 32 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A batch without its rows.

    Attributes:
        n_id: the nodes of each type, int64 ``[M]``.
        repeats: a node may be there twice.
        data: what assembles it needs beside these.
        nbytes: of both.
    """

    n_id: dict[str, I64]
    repeats: bool
    data: Any
    nbytes: int


def kept_buffers(prefetch: int) -> int:
    """For the rows of so many batches memory is kept.

    Of those made ready, one being read, one being assembled, and the one that the loop has in hand: it lets
    go of that when it has the next.
    """
    return prefetch + 3


class _Knowing(FeatureTable, Protocol):
    """A table that wants to know what comes."""

    window: int

    def expect(self, ids: I64) -> None: ...

    def forget(self) -> None: ...


_telling: set[int] = set()  # tables that are being told what comes
_telling_lock = threading.RLock()  # a finaliser may come while it is held


def _claim(table: FeatureTable) -> bool:
    """Whether a table wants to know what comes, and nobody tells it yet.

    Batches are taken in the order in which they were announced, so only one can announce them. Who does not
    is served all the same, as somebody who comes in between.
    """
    if getattr(table, "window", 0) <= 0:
        return False
    with _telling_lock:
        free = id(table) not in _telling
        _telling.add(id(table))
        return free


class Pipeline(Generic[T]):
    """Batches ``first .. end - 1``, each made once, given in order.

    Args:
        draw: makes a batch of its number alone; called by several threads, twice for some numbers.
        tables: of each type of node; those that have a ``window`` are told what comes, unless another
            pipeline is telling them.
        assemble: puts a batch together from its number, what was drawn and its rows.
        first: number of the first batch.
        end: past the last.
        prefetch: how many may be read before they are asked for.
        held: bytes of batches that are kept beside those next in turn.
    """

    def __init__(
        self,
        draw: Callable[[int], Drawn],
        tables: Mapping[str, FeatureTable],
        assemble: Callable[[int, Drawn, Rows], T],
        *,
        first: int,
        end: int,
        prefetch: int,
        held: int = HELD,
    ) -> None:
        self._draw, self._tables, self._assemble = draw, tables, assemble
        self._buffers = {kind: Buffers(table, kept_buffers(prefetch)) for kind, table in tables.items()}
        self._prefetch, self._ahead, self._free = prefetch, DRAWING if prefetch else 0, held
        self.times = dict.fromkeys(("sample", "plan", "read", "assemble", "wait"), 0.0)
        """Seconds of each step, those of all threads added, and that the loop has waited."""
        # Numbers of batches: each step is done with those below.
        self._given = self._read = self._announced = self._begun = first
        self._end = end
        self._asked = False  # the loop waits for batch _given
        self._busy = dict.fromkeys(("sample", "plan", "read", "assemble"), 0)  # jobs not ended yet
        self._fresh: dict[int, Drawn] = {}  # not announced yet: others come first
        self._drawn: dict[int, Drawn] = {}  # announced
        self._let_go: deque[int] = deque()  # announced, to be drawn again; rising
        self._ready: dict[int, T] = {}
        self._failed: BaseException | None = None  # in batch _end
        self._stopped = self._told = False
        self._changed = threading.Condition()
        self._threads = {
            "sample": Threads(DRAWING, f"{_NAME}-sample"),
            "read": Threads(1, f"{_NAME}-read"),
            "assemble": Threads(1, f"{_NAME}-assemble"),
        }
        self._threads["plan"] = self._threads["sample"]
        self._knowing = {kind: cast("_Knowing", table) for kind, table in tables.items() if _claim(table)}
        self._claimed = {id(table) for table in self._knowing.values()}

    def next(self) -> tuple[int, T] | None:
        """The next batch and its number; None after the last, and once closed.

        Raises:
            BaseException: what went wrong in this batch, when those before it have been given.
        """
        begin = perf_counter()
        with self._changed:
            self._asked = True
            self._go_on()
            while self._given not in self._ready and self._given < self._end and not self._stopped:
                self._changed.wait()
            self._asked = False
            self.times["wait"] += perf_counter() - begin
            if self._stopped:
                return None
            number = self._given
            if number in self._ready:
                self._given += 1
                self._go_on()
                return number, self._ready.pop(number)
            failed, self._failed = self._failed, None  # its traceback refers to all that is here
            if failed is not None:
                raise failed
            return None

    @property
    def given(self) -> int:
        """The number of the next batch."""
        return self._given

    def close(self) -> None:
        """End all threads when what they are at is done; tables forget what they were told."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            idle = not any(self._busy.values())
        for threads in self._threads.values():
            threads.stop()
        # The garbage collector may come here from one of our threads, which might hold what another waits
        # for: then the last job tidies up.
        if not threading.current_thread().name.startswith(_NAME):
            for threads in self._threads.values():
                threads.join()
            self._tidy()
        elif idle:
            self._tidy()

    def _tidy(self) -> None:
        with self._changed:
            told, self._told = self._told, False
            claimed, self._claimed = self._claimed, set()
            for numbers in (self._fresh, self._drawn, self._ready):
                numbers.clear()
        for table in self._knowing.values() if told else ():
            table.forget()
        with _telling_lock:
            _telling.difference_update(claimed)

    def _limit(self) -> int:
        """Rows of batches below are read."""
        return self._given + self._asked + self._prefetch

    def _known(self) -> int:
        """Batches below may be announced."""
        if not self._knowing:
            return self._end
        return self._read + min(table.window for table in self._knowing.values())

    def _go_on(self) -> None:
        """Begin every job that can be; called with the lock when something has changed."""
        if self._stopped:
            return
        limit, known = self._limit(), self._known()
        draw_below = min(
            (known if self._knowing else limit) + self._ahead,
            self._announced + 2 * DRAWING,  # a table that is slow to plan must not have batches pile up
            self._end,
        )
        while self._busy["sample"] < DRAWING:
            again = self._let_go[0] if self._let_go else self._end
            if again < min(limit + self._ahead, self._end):
                self._let_go.popleft()
                self._submit("sample", self._draw_again, again)
            elif self._begun < draw_below:
                self._submit("sample", self._draw_first, self._begun)
                self._begun += 1
            else:
                break
        known = min(known, self._end)
        if self._announced in self._fresh and self._announced < known and not self._busy["plan"]:
            self._submit("plan", self._announce, self._announced)
        # Rows are taken when no more may be announced: what a cache does then depends on the batches alone,
        # not on which thread was faster.
        told = not self._knowing or (self._announced >= known and not self._busy["plan"])
        if (
            told
            and not self._busy["read"]
            and self._read in self._drawn
            and self._read < min(limit, self._end)
        ):
            self._submit("read", self._take, self._read)

    def _submit(self, step: str, job: Callable[[int], None], number: int) -> None:
        def run() -> None:
            try:
                if not self._stopped:
                    job(number)
            except BaseException as error:
                self._fail(number, error)
            with self._changed:
                self._busy[step] -= 1
                self._go_on()
                self._changed.notify_all()
                last = self._stopped and not any(self._busy.values())
            if last:
                self._tidy()

        self._busy[step] += 1
        self._threads[step].submit(run)

    def _fail(self, number: int, error: BaseException) -> None:
        with self._changed:
            if number < self._end:
                self._end, self._failed = number, error

    def _timed(self, step: str, begin: float) -> None:
        seconds = perf_counter() - begin
        with self._changed:
            self.times[step] += seconds

    def _sample(self, number: int) -> Drawn:
        begin = perf_counter()
        drawn = self._draw(number)
        self._timed("sample", begin)
        return drawn

    def _draw_again(self, number: int) -> None:
        drawn = self._sample(number)
        with self._changed:
            self._free -= drawn.nbytes
            self._drawn[number] = drawn

    def _draw_first(self, number: int) -> None:
        drawn = self._sample(number)
        with self._changed:
            self._fresh[number] = drawn

    def _announce(self, number: int) -> None:
        drawn = self._fresh.pop(number)
        begin = perf_counter()
        for kind, table in self._knowing.items():
            self._told = True
            ids = drawn.n_id[kind]
            table.expect(np.unique(ids) if drawn.repeats else ids)
        if self._knowing:
            self._timed("plan", begin)
        with self._changed:
            self._announced += 1
            if number < self._limit() + self._ahead or drawn.nbytes <= self._free:
                self._free -= drawn.nbytes
                self._drawn[number] = drawn
            else:
                self._let_go.append(number)

    def _take(self, number: int) -> None:
        drawn = self._drawn[number]
        begin = perf_counter()
        rows = {kind: self._rows(kind, drawn) for kind in self._tables}
        self._timed("read", begin)
        with self._changed:
            del self._drawn[number]
            self._free += drawn.nbytes
            self._read += 1
            if not self._stopped:
                self._submit("assemble", lambda at: self._put_together(at, drawn, rows), number)

    def _rows(self, kind: str, drawn: Drawn) -> npt.NDArray[Any]:
        ids = drawn.n_id[kind]
        if drawn.repeats and kind in self._knowing:  # as it was announced
            distinct, at = np.unique(ids, return_inverse=True)
            return self._tables[kind].take(distinct)[at]
        return self._tables[kind].take(ids, self._buffers[kind].room(len(ids)))

    def _put_together(self, number: int, drawn: Drawn, rows: Rows) -> None:
        begin = perf_counter()
        batch = self._assemble(number, drawn, rows)
        self._timed("assemble", begin)
        with self._changed:
            self._ready[number] = batch
