"""Shows how far a run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.embed.run import Run, Step

__all__ = ["Progress"]


class Progress:
    """Hands each pool on to a bar and to the caller's function.

    Args:
        total: pairs of the run.
        done: pairs trained before: the bar begins there, and they do not count for its speed.
        bar: whether to draw one.
        hook: called with the pairs trained so far, all pairs, and the mean loss of the pool.
    """

    def __init__(
        self, total: int, done: int, *, bar: bool, hook: Callable[[int, int, float], None] | None
    ) -> None:
        from tqdm import tqdm

        self._total, self._hook = total, hook
        self._bar = tqdm(
            total=total, initial=done, unit=" pairs", unit_scale=True, disable=not bar, desc="embed"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool."""
        self._bar.set_postfix(loss=f"{step.loss:.3f}", refresh=False)
        self._bar.update(step.pairs)
        if self._hook is not None:
            self._hook(run.pairs, self._total, step.loss)
