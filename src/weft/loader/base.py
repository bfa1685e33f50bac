"""What all loaders share: epochs, their order, and how they end."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from weft.checks import check_flag, check_int
from weft.errors import WeftValueError
from weft.loader.carried import check_arguments
from weft.loader.pipeline import Drawn, Pipeline, Rows
from weft.sampling.epochs import epoch_seed, shuffled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weft.features import FeatureTable

__all__ = ["Epoch", "Loader"]

T = TypeVar("T")
I64 = npt.NDArray[np.int64]


class Epoch(Generic[T]):
    """One pass over the batches. It ends with the last, with :meth:`close`, or when it is let go of."""

    def __init__(self, pipeline: Pipeline[T], epoch: int) -> None:
        self._pipeline, self._epoch, self._superseded = pipeline, epoch, False
        self._close = weakref.finalize(self, pipeline.close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._superseded:
            raise WeftValueError(
                f"loader: epoch {self._epoch} ended when another was begun: a loader gives one epoch at a "
                "time; make a loader for each loop"
            )
        try:
            got = self._pipeline.next()
        except Exception as error:
            error.add_note(f"weft: in batch {self._pipeline.given} of epoch {self._epoch}")
            self.close()
            raise
        except BaseException:  # Ctrl-C while waiting
            self.close()
            raise
        if got is None:
            self.close()
            raise StopIteration
        return got[1]

    def close(self, *, superseded: bool = False) -> None:
        """End it now; ``superseded``: because another was begun."""
        self._superseded = self._superseded or (superseded and self._close.alive)
        self._close()


class Loader(Generic[T]):
    """Gives batches, epoch after epoch.

    Args:
        count: seeds in all.
        batch_size: of one batch.
        shuffle: take them in another order in every epoch.
        drop_last: leave out the last batch where it is smaller.
        seed: of the order and all draws, 0 to 2**64 - 1.
        prefetch: batches that are made ready before they are asked for.

    Raises:
        WeftValueError: a number is out of range.
    """

    def __new__(cls, *given: Any, **named: Any) -> Self:  # noqa: ANN401
        """Look at the arguments before Python does: it would not say what to do instead."""
        check_arguments(cls, given, named)
        return super().__new__(cls)

    def __init__(
        self, count: int, batch_size: int, *, shuffle: bool, drop_last: bool, seed: int, prefetch: int
    ) -> None:
        for name, value, least in (("batch_size", batch_size, 1), ("prefetch", prefetch, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise WeftValueError(f"loader: {name} must be a whole number >= {least} (got {value!r})")
        epoch_seed(seed, 0)
        check_flag("loader: shuffle", shuffle)
        check_flag("loader: drop_last", drop_last)
        self._count, self.batch_size, self._shuffle = count, int(batch_size), shuffle
        self._drop_last, self._seed, self._prefetch = drop_last, seed, int(prefetch)
        self.epoch = 0
        """The number of the next epoch. Its order and draws depend on the seed and this number alone."""
        self.start = 0
        """The batch to begin the next epoch with; 0 again once that has begun."""
        self.times = dict.fromkeys(("sample", "plan", "read", "assemble", "wait"), 0.0)
        """Seconds that the steps of the last epoch took so far: those of all threads added, and under
        ``wait`` those in which the loop had no batch to work on."""
        self._running: weakref.ref[Epoch[T]] | None = None

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._count // self.batch_size if self._drop_last else -(-self._count // self.batch_size)

    def __iter__(self) -> Epoch[T]:
        """Begin the next epoch; one that has not ended yet is ended.

        Raises:
            WeftValueError: :attr:`epoch` or :attr:`start` is out of range.
        """
        if not 0 <= check_int("loader: start", self.start, 0) <= len(self):
            raise WeftValueError(f"loader: start must lie within 0 .. {len(self)} batches (got {self.start})")
        seed = epoch_seed(self._seed, self.epoch)
        self._end(superseded=True)
        order = shuffled(self._count, seed=self._seed, epoch=self.epoch) if self._shuffle else None

        def positions(number: int) -> I64:
            begin, end = number * self.batch_size, min((number + 1) * self.batch_size, self._count)
            return np.arange(begin, end) if order is None else order[begin:end]

        pipeline = Pipeline(
            lambda number: self._draw(positions(number), seed, number),
            self._tables(),
            self._assemble,
            first=self.start,
            end=len(self),
            prefetch=self._prefetch,
        )
        self.times = pipeline.times
        epoch = Epoch(pipeline, self.epoch)
        self._running = weakref.ref(epoch)
        self.epoch, self.start = self.epoch + 1, 0
        return epoch

    def close(self) -> None:
        """End the epoch that is under way, its threads with it. Another can be begun."""
        self._end(superseded=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _end(self, *, superseded: bool) -> None:
        epoch = None if self._running is None else self._running()
        if epoch is not None:
            epoch.close(superseded=superseded)

    def _draw(self, position_B: I64, seed: int, number: int) -> Drawn:
        """Draw a batch: of these seeds, in an epoch of this seed."""
        raise NotImplementedError

    def _assemble(self, number: int, drawn: Drawn, rows: Rows) -> T:
        raise NotImplementedError

    def _tables(self) -> Mapping[str, FeatureTable]:
        raise NotImplementedError
