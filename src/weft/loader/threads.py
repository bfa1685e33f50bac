"""Threads that do jobs one after the other."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads"]

_LOOK = 1.0  # seconds between two looks whether the interpreter ends

if TYPE_CHECKING:
    Jobs = SimpleQueue[Callable[[], None] | None]


class Threads:
    """So many threads that share a queue of jobs. A job must not raise.

    Not :class:`concurrent.futures.ThreadPoolExecutor`: its locks cannot be taken by a finaliser, which the
    garbage collector may run in the middle of ``submit``. Those of ``SimpleQueue`` can.

    Args:
        count: how many.
        name: of each.
    """

    def __init__(self, count: int, name: str) -> None:
        self._jobs: Jobs = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(self._jobs,), name=f"{name}-{number}")
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done, when those submitted before have begun."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End the threads, when what was submitted is done."""
        for _ in self._threads:
            self._jobs.put(None)

    def join(self) -> None:
        """Wait for their end; from one of them, for that of the others."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()


def _work(jobs: Jobs) -> None:
    main = threading.main_thread()
    # Not a method, and a job is let go of when done: a thread that waits holds on to nothing. Not a daemon:
    # such a thread is stopped where it stands when the interpreter ends, in the middle of native code.
    while True:
        try:
            job = jobs.get(timeout=_LOOK)
        except Empty:
            if main.is_alive():
                continue
            return
        if job is None:
            return
        job()
        del job
