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
    """Saves a run after a pool when the time has come or a signal asks it to stop.

    Args:
        checkpoint: where to.
        parts: the state.
        every_minutes: between the end of one checkpoint and the next pool's end that writes one; 0: after
            every pool.
    """

    def __init__(self, checkpoint: Checkpoint, parts: Sequence[Keepable], every_minutes: float) -> None:
        self._checkpoint, self._parts, self._every = checkpoint, parts, every_minutes * 60
        self._interrupts = Interrupts()
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupts.__exit__(*exception)

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool.

        Raises:
            Interrupted: a signal came; the state is saved.
            StorageError: the checkpoint cannot be written; the one before is intact.
        """
        asked = self._interrupts.asked
        due = not run.done and time.monotonic() - self._last >= self._every
        if asked is None and not due:
            return
        share = run.pairs / run.plan.pairs
        self._save(run.pairs, share)
        if asked is not None:
            raise Interrupted(
                f"stopped at {share:.0%} of the pairs; {self._checkpoint.path} holds the state: "
                "--resume (resume=True in Python) goes on from it",
                asked,
            )
        self._last = time.monotonic()

    def _save(self, pairs: int, share: float) -> None:
        try:
            self._checkpoint.save(self._parts, pairs)
        except StorageError as error:
            left = "the one before is intact" if self._checkpoint.path.exists() else "there is none yet"
            ours = StorageError(
                f"training stopped at {share:.0%}, no checkpoint could be written: {error}; {left}"
            )
            ours.errno = error.errno
            raise ours from error
