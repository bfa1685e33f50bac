"""Who looks on while a training goes: checkpoints, a bar, curves."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Self

from weft.embed.curves import Events
from weft.embed.interrupt import Interrupts
from weft.errors import Interrupted, StorageError

if TYPE_CHECKING:
    import os

    from weft.embed.checkpoint import Checkpoint
    from weft.train.run import Run

__all__ = ["Bar", "Curves", "Keeper"]


class Keeper:
    """Saves a run after a batch when the time has come or a signal asks it to stop.

    Args:
        run: what is saved.
        checkpoint: where to.
        every_minutes: between the end of one checkpoint and the next batch that writes one; 0: after every
            batch.
    """

    def __init__(self, run: Run, checkpoint: Checkpoint, every_minutes: float) -> None:
        self._run, self._checkpoint, self._every = run, checkpoint, every_minutes * 60
        self._interrupts = Interrupts("batch")
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupts.__exit__(*exception)

    def after_batch(self) -> None:
        """Save if it is time.

        Raises:
            Interrupted: a signal came; the state is saved.
            StorageError: the checkpoint cannot be written; the one before is intact.
        """
        asked = self._interrupts.asked
        if asked is None and time.monotonic() - self._last < self._every:
            return
        run = self._run
        at = f"batch {run.batch:,} of {run.task.steps:,} of epoch {run.epoch + 1:,}"
        try:
            self._checkpoint.save([run], run.steps)
        except StorageError as error:
            left = "the one before is intact" if self._checkpoint.path.exists() else "there is none yet"
            ours = StorageError(
                f"training stopped after {at}, no checkpoint could be written: {error}; {left}"
            )
            ours.errno = error.errno
            raise ours from error
        if asked is not None:
            raise Interrupted(
                f"stopped after {at}; {self._checkpoint.path} holds the state: --resume (resume=True in "
                "Python) goes on from it",
                asked,
            )
        self._last = time.monotonic()

    def after_epoch(self) -> None:
        """Nothing: the next batch comes soon enough."""


class Bar:
    """Shows how far a run is, how fast it goes and how long it will take if it is not over early.

    Args:
        run: where it begins; what was done before does not count for the speed.
        draw: whether to.
    """

    def __init__(self, run: Run, *, draw: bool) -> None:
        from tqdm import tqdm

        self._run = run
        self._at = self._done()
        self._bar = tqdm(
            total=run.settings.epochs * run.task.items,
            initial=self._at,
            unit=f" {'nodes' if run.settings.task == 'node' else 'edges'}",
            unit_scale=True,
            desc="train",
            disable=not draw,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def after_batch(self) -> None:
        """Go on."""
        now = self._done()
        self._bar.set_postfix_str(self._text(), refresh=False)
        self._bar.update(now - self._at)
        self._at = now

    def after_epoch(self) -> None:
        """Show the score."""
        self._bar.set_postfix_str(self._text())

    def _done(self) -> int:
        run, items = self._run, self._run.task.items
        return run.epoch * items + min(run.batch * run.settings.batch_size, items)

    def _text(self) -> str:
        run = self._run
        text = f"epoch {min(run.epoch + 1, run.settings.epochs)}, loss={run.loss:.3f}"
        scores = run.history[:, 2]
        if len(scores) and not math.isnan(scores[-1]):
            text += f", {run.task.score_name}={scores[-1]:.3f}"
        return text


class Curves:
    """Writes loss, score and speed for TensorBoard, by the number of batches.

    Args:
        run: where it begins.
        folder: see :class:`weft.embed.curves.Events`.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, run: Run, folder: str | os.PathLike[str]) -> None:
        self._run = run
        self._events = Events(folder, run.steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._events.close()

    def after_batch(self) -> None:
        """The loss of about ten batches an epoch: a file of all would grow with the run."""
        if self._run.batch % max(1, self._run.task.steps // 10) == 0:
            self._events.write(self._run.steps, {"train/loss": self._run.loss})

    def after_epoch(self) -> None:
        """What the epoch came to."""
        _, loss, score, seconds = self._run.history[-1].tolist()
        values = {"epoch/loss": loss, "epoch/seconds": seconds}
        if not math.isnan(score):
            values[f"epoch/{self._run.task.score_name}"] = score
        self._events.write(self._run.steps, values)
