"""Curves of a run for TensorBoard, without torch and TensorFlow."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from weft.errors import MissingExtraError
from weft.files import storage_errors

if TYPE_CHECKING:
    import os

    from weft.embed.run import Run, Step

__all__ = ["Curves", "check_curves"]


def check_curves() -> None:
    """Refuse curves that cannot be written.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError("writing curves", "TensorBoard", "tensorboard")


class Curves:
    """Writes loss, speed, learning rate and score, by the number of pairs trained.

    A run that goes on writes another file into the folder, and TensorBoard forgets what the killed one wrote
    past the checkpoint.

    Args:
        run: where it begins.
        folder: to be given to ``tensorboard --logdir``, it or one above it.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, run: Run, folder: str | os.PathLike[str]) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # The classes of these modules are made when they are loaded: no checker knows them.
        self._events, self._summaries = cast("Any", event_pb2), cast("Any", summary_pb2)
        self._folder = Path(folder)
        with storage_errors("write curves to", self._folder):
            self._writer = EventFileWriter(str(self._folder))
        log = self._events.SessionLog
        # TensorBoard drops what lies at this step or past it.
        self._add(run.pairs + 1, session_log=log(status=log.START))
        self._last = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with storage_errors("write curves to", self._folder):
            self._writer.close()

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool."""
        now = time.perf_counter()
        values = {
            "loss": step.loss,
            "pairs per second": step.pairs / (now - self._last),
            "learning rate": step.learning_rate,
        }
        if len(run.scores) and run.scores[-1, 0] == run.pairs:
            values["score on hidden edges"] = float(run.scores[-1, 1])
        self._last = now
        summary = self._summaries.Summary()
        for name, value in values.items():
            summary.value.add(tag=f"embed/{name}", simple_value=value)
        self._add(run.pairs, summary=summary)

    def _add(self, step: int, **content: object) -> None:
        """Write an event, and see to it that a killed run has written what it had to say."""
        with storage_errors("write curves to", self._folder):
            self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, **content))
            self._writer.flush()
