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
    from collections.abc import Mapping

    from weft.embed.run import Run, Step

__all__ = ["Curves", "Events", "check_curves"]


def check_curves() -> None:
    """Refuse curves that cannot be written.

    Raises:
        MissingExtraError: TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingExtraError("writing curves", "TensorBoard", "tensorboard")


class Events:
    """A file of numbers by step in a folder that TensorBoard reads.

    A run that goes on writes another file into the folder, and TensorBoard forgets what the killed one wrote
    past the step it goes on from.

    Args:
        folder: to be given to ``tensorboard --logdir``, it or one above it.
        first: the step after which the first numbers come.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], first: int) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        # The classes of these modules are made when they are loaded: no checker knows them.
        self._events, self._summaries = cast("Any", event_pb2), cast("Any", summary_pb2)
        self._folder = Path(folder)
        with storage_errors("write curves to", self._folder):
            self._writer = EventFileWriter(str(self._folder))
        log = self._events.SessionLog
        # TensorBoard drops what lies at this step or past it.
        self._add(first + 1, session_log=log(status=log.START))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """The numbers of a step, by tag."""
        summary = self._summaries.Summary()
        for tag, value in values.items():
            summary.value.add(tag=tag, simple_value=value)
        self._add(step, summary=summary)

    def close(self) -> None:
        """Let go of the file."""
        with storage_errors("write curves to", self._folder):
            self._writer.close()

    def _add(self, step: int, **content: object) -> None:
        """Write an event, and see to it that a killed run has written what it had to say."""
        with storage_errors("write curves to", self._folder):
            self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, **content))
            self._writer.flush()


class Curves:
    """Writes loss, speed, learning rate and score, by the number of pairs trained.

    Args:
        run: where it begins.
        folder: see :class:`Events`.

    Raises:
        StorageError: the folder cannot be written to.
    """

    def __init__(self, run: Run, folder: str | os.PathLike[str]) -> None:
        self._events = Events(folder, run.pairs)
        self._last = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._events.close()

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool."""
        now = time.perf_counter()
        values = {
            "embed/loss": step.loss,
            "embed/pairs per second": step.pairs / (now - self._last),
            "embed/learning rate": step.learning_rate,
        }
        if len(run.scores) and run.scores[-1, 0] == run.pairs:
            values["embed/score on hidden edges"] = float(run.scores[-1, 1])
        self._last = now
        self._events.write(run.pairs, values)
