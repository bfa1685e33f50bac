"""NumPy's products on weft's threads: one thread of BLAS for each piece.

BLAS cuts a product by its own number of threads, and waits for them at the end of each small product: beside
other work, or with more threads than cores, that took 20 times as long as one thread. Pieces of a fixed size,
each on one BLAS thread, also give the same bits at any number of threads.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from weft.kernels.threads import num_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["each", "one_blas_thread"]

T = TypeVar("T")
R = TypeVar("R")

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread, in the whole process, until the last who asked for it is done."""
    global _inside, _limit
    from threadpoolctl import threadpool_limits

    with _lock:
        if _inside == 0:
            _limit = threadpool_limits(1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limit.restore_original_limits()


def each(task: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """The results of ``task`` on all items, in their order, from as many threads as the core uses."""
    with one_blas_thread(), ThreadPoolExecutor(num_threads()) as pool:
        yield from pool.map(task, items)
