"""What every training does once it is made ready: learn, keep its state, stop, and leave a model."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any, Self

import torch

from weft.checks import check_int, check_minutes, check_path
from weft.config import show_bytes
from weft.embed.checkpoint import Checkpoint, pairs_saved, remove
from weft.embed.curves import check_curves
from weft.errors import BudgetError
from weft.graph._lock import locked
from weft.progress import check_shown
from weft.train.run import Run
from weft.train.store import Trained
from weft.train.watch import Bar, Curves, Keeper

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from weft.features import FeatureTable
    from weft.progress import Shown
    from weft.train.plan import Plan
    from weft.train.settings import Settings
    from weft.train.split import Split
    from weft.train.targets import Targets
    from weft.train.task import Task

__all__ = ["LEAST", "TORCH", "TRIAL", "Fitting", "batches_of", "cache_left"]

TRIAL = 3
"""Batches drawn to see how large they are."""
LEAST = 1 << 20
"""Bytes of a cache."""
TORCH = 40 << 20
"""Bytes that torch, our threads and the allocator take once they work, beside what they are asked for: with 2
threads 20 MiB were measured where batches take kilobytes, about 40 where they take megabytes."""


class Fitting:
    """A training that is ready to begin. It is a context manager, or needs :meth:`close`.

    Those of graphs of one type and of several differ in what they are given, and in what they say of it.
    """

    settings: Settings
    """What decides it beside what was given."""
    plan: Plan
    """What it will take."""
    _task: Task
    _net: Any  # Batched, or TypedBatched
    _tables: list[FeatureTable]  # ours to close
    _targets: Targets | None
    _split: Split | None

    @property
    def broken(self) -> int:
        """Features that are NaN or infinite and are taken for 0."""
        raise NotImplementedError

    def _given(self) -> dict[str, Any]:
        """What tells the features from others."""
        raise NotImplementedError

    def _graph_identity(self) -> dict[str, Any]:
        """What tells the graph from others."""
        raise NotImplementedError

    def _model(self) -> dict[str, Any]:
        """What a :class:`Trained` is given of what the model is, and where it comes from."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the loaders and of the tables that were opened here."""
        self._task.close()
        for table in self._tables:
            table.close()

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must be of for this training to go on from it."""
        return {
            "params": {
                **self.settings.to_dict(),
                **self._given(),
                "labels": None if self._targets is None else self._targets.digest(),
                "split": None if self._split is None else self._split.digest(),
            },
            "plan": {},
            "graph": self._graph_identity(),
        }

    def fit(
        self,
        *,
        checkpoint: str | os.PathLike[str] | None = None,
        every_minutes: float = 10.0,
        every_epochs: int | None = None,
        resume: bool = False,
        tensorboard: str | os.PathLike[str] | None = None,
        progress: Shown = False,
    ) -> Trained:
        """Train.

        Torch's own generator is as it was afterwards.

        Args:
            checkpoint: a directory for the state of the run, kept until someone removes it; None: none.
            every_minutes: between two checkpoints; 0: after every batch; inf: only when interrupted.
            every_epochs: also after so many epochs, whatever the time; None: by the clock alone.
            resume: go on from the checkpoint, if there is one: to the same bytes, on the same number of
                torch's threads.
            tensorboard: a folder for curves.
            progress: draw a bar; ``"lines"``: write a line every ten seconds.

        Raises:
            WeftValueError: training diverged, or the checkpoint is of another run or in use by one.
            FormatError: the checkpoint is damaged.
            StorageError: a checkpoint cannot be written, or features cannot be read.
            Interrupted: a signal came; the checkpoint holds the state.
            MissingExtraError: TensorBoard is asked for and not installed.
        """
        every_minutes = check_minutes("train: every_minutes", every_minutes)
        if every_epochs is not None:
            check_int("train: every_epochs", every_epochs, 1)
        check_shown(progress)
        place = None if checkpoint is None else check_path("train: checkpoint", checkpoint)
        if tensorboard is not None:
            check_path("train: tensorboard", tensorboard)
            check_curves()
        run = Run(self._net, self._task, self.settings)
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            keeper = None
            if place is not None:
                kept = self._keep(run, place, resume, stack)
                keeper = stack.enter_context(Keeper(run, kept, every_minutes, every_epochs))
            watchers: list[Any] = [stack.enter_context(Bar(run, draw=progress))]
            if tensorboard is not None:
                watchers.append(stack.enter_context(Curves(run, tensorboard)))
            self._complete(run, watchers if keeper is None else [*watchers, keeper])
            return self._trained(run)

    def _complete(self, run: Run, watchers: list[Any]) -> None:
        """Epoch after epoch, from where the run stands."""
        while not run.done:
            last = time.perf_counter()
            with contextlib.closing(self._task.batches(run.epoch, run.batch)) as batches:
                for batch in batches:
                    run.step(batch)
                    now = time.perf_counter()
                    run.seconds, last = run.seconds + now - last, now
                    for watcher in watchers:
                        watcher.after_batch()
            run.end_epoch()
            for watcher in watchers:
                watcher.after_epoch()

    def _keep(self, run: Run, path: Path, resume: bool, stack: contextlib.ExitStack) -> Checkpoint:
        """Look at the place of the checkpoint, and go on from what is there if asked to."""
        stack.enter_context(locked(path))
        there = pairs_saved(path) is not None
        kept = Checkpoint(path, self.identity())
        if there and resume:
            kept.load([run])
        elif there:
            remove(path)
        return kept

    def _trained(self, run: Run) -> Trained:
        """What the run leaves, and what it is worth."""
        self._net.gnn.load_state_dict(run.best())
        history = run.history
        scores = {"epoch": float(run.best_epoch)}
        found = {"val": float(history[run.best_epoch - 1, 2]), "test": self._task.test(self._net)}
        return Trained(
            weights={name: value.clone() for name, value in self._net.gnn.state_dict().items()},
            settings=self.settings,
            targets=self._targets,
            split=self._split,
            history=history,
            scores=scores | {part: score for part, score in found.items() if not math.isnan(score)},
            score_name=self._task.score_name,
            times={
                stage: round(seconds / max(1, self._task.taken), 6)
                for stage, seconds in self._task.seconds.items()
            },
            identity=self.identity(),
            **self._model(),
        )


def batches_of(split: Split, settings: Settings) -> int:
    """Of an epoch, or of its validation."""
    return -(-max(len(split.train), len(split.val)) // settings.batch_size)


def cache_left(memory: int, batches: int, features: int) -> int:
    """Bytes that are left for a cache.

    Args:
        memory: what there is for features.
        batches: what rows of the batches under way take of it.
        features: what all rows take.

    Raises:
        BudgetError: too few for a cache.
    """
    left = memory - batches
    if left < min(features, LEAST):
        raise BudgetError(
            f"train: of the memory of {show_bytes(memory)}, rows of the batches under way take "
            f"{show_bytes(batches)}; give at least {show_bytes(batches + LEAST)}, or a smaller "
            "batch_size or num_neighbors"
        )
    return left
