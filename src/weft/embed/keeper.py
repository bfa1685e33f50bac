"""Writes checkpoints while a run goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from weft.embed.interrupt import Interrupts
from weft.errors import Interrupted, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weft.embed.checkpoint import Checkpoint, Keepable
    from weft.embed.run import Run, Step

__all__ = ["Keeper"]


class Keeper:
    """Saves a run after a piece of its work when the time has come or a signal asks it to stop.

    Args:
        checkpoint: where to.
        parts: the state.
        every_minutes: between the end of one checkpoint and the next piece's end that writes one; 0: after
            every piece.
        unit: what a piece is called.
    """

    def __init__(
        self, checkpoint: Checkpoint, parts: Sequence[Keepable], every_minutes: float, unit: str = "pool"
    ) -> None:
        self._checkpoint, self._parts, self._every = checkpoint, parts, every_minutes * 60
        self._interrupts = Interrupts(unit)
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupts.__exit__(*exception)

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool; see :meth:`look`."""
        self.look(run.pairs, f"at {run.pairs / run.plan.pairs:.0%} of the pairs", done=run.done)

    def look(self, count: int, at: str, *, done: bool = False, due: bool = False) -> None:
        """After a piece.

        Args:
            count: of what has been trained on so far, kept with the state.
            at: where the run stands, for messages.
            done: nothing is left that a checkpoint could save.
            due: whatever the time.

        Raises:
            Interrupted: a signal came; the state is saved.
            StorageError: the checkpoint cannot be written; the one before is intact.
        """
        asked = self._interrupts.asked
        due = due or (not done and time.monotonic() - self._last >= self._every)
        if asked is None and not due:
            return
        try:
            self._checkpoint.save(self._parts, count)
        except StorageError as error:
            left = "the one before is intact" if self._checkpoint.path.exists() else "there is none yet"
            ours = StorageError(f"training stopped {at}, no checkpoint could be written: {error}; {left}")
            ours.errno = error.errno
            raise ours from error
        if asked is not None:
            raise Interrupted(
                f"stopped {at}; {self._checkpoint.path} holds the state: --resume (resume=True in Python) "
                "goes on from it",
                asked,
            )
        self._last = time.monotonic()
