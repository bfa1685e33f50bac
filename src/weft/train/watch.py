"""Who looks on while a training goes: checkpoints, a bar, curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from weft.embed import keeper
from weft.embed.curves import Events
from weft.progress import bar

if TYPE_CHECKING:
    import os

    from weft.embed.checkpoint import Checkpoint
    from weft.progress import Shown
    from weft.train.run import Run

__all__ = ["Bar", "Curves", "Keeper"]


class Keeper(keeper.Keeper):
    """Saves a run after a batch; see :class:`weft.embed.keeper.Keeper`.

    Args:
        run: what is saved.
        checkpoint: where to.
        every_minutes: between two checkpoints; 0: after every batch.
        every_epochs: between two checkpoints as well; None: the clock alone counts.
    """

    def __init__(
        self, run: Run, checkpoint: Checkpoint, every_minutes: float, every_epochs: int | None = None
    ) -> None:
        super().__init__(checkpoint, [run], every_minutes, "batch")
        self._run, self._epochs = run, every_epochs

    def after_batch(self) -> None:
        """Save if it is time."""
        run = self._run
        self.look(run.steps, f"after batch {run.batch:,} of {run.task.steps:,} of epoch {run.epoch + 1:,}")

    def after_epoch(self) -> None:
        """Save if it is so many epochs since the last; by the clock the next batch comes soon enough."""
        run = self._run
        if self._epochs is not None and run.epoch % self._epochs == 0 and not run.done:
            self.look(run.steps, f"after epoch {run.epoch:,}", due=True)


class Bar:
    """Shows how far a run is, how fast it goes and how long it will take if it is not over early.

    Args:
        run: where it begins; what was done before does not count for the speed.
        draw: whether to, and how.
    """

    def __init__(self, run: Run, *, draw: Shown) -> None:
        self._run, self._lines = run, draw == "lines"
        self._at = self._done()
        self._bar = bar(
            draw,
            total=run.settings.epochs * run.task.items,
            initial=self._at,
            unit=f" {'nodes' if run.settings.task == 'node' else 'edges'}",
            unit_scale=True,
            desc="train",
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
        """Show the score; lines do with the next."""
        self._bar.set_postfix_str(self._text(), refresh=not self._lines)

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
