"""Shows how far a run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from weft.progress import bar as make_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.embed.run import Run, Step
    from weft.progress import Shown

__all__ = ["Progress"]


class Progress:
    """Hands each pool on to a bar and to the caller's function.

    The bar is as long as the run up to the end of the round in work: no one knows yet whether another will
    follow.

    Args:
        run: where it begins; pairs trained before do not count for the speed.
        bar: whether to draw one, and how.
        hook: called with the pairs trained so far, all pairs, and the mean loss of the pool.
    """

    def __init__(self, run: Run, *, bar: Shown, hook: Callable[[int, int, float], None] | None) -> None:
        self._hook, self._ends, self._lines = hook, run.settings.rounds, bar == "lines"
        self._bar = make_bar(
            bar,
            total=self._end(run),
            initial=run.pairs,
            unit=" pairs",
            unit_scale=True,
            desc=self._title(run),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def __call__(self, run: Run, step: Step) -> None:
        """After a pool."""
        score = f", score={run.scores[-1, 1]:.3f}" if len(run.scores) else ""
        self._bar.set_postfix_str(f"loss={step.loss:.3f}{score}", refresh=False)
        self._bar.update(step.pairs)
        if not run.done and run.pairs in self._ends:
            self._bar.total = self._end(run)
            self._bar.set_description_str(self._title(run), refresh=not self._lines)
        if self._hook is not None:
            self._hook(run.pairs, run.plan.pairs, step.loss)

    def _end(self, run: Run) -> int:
        """Of the round in work."""
        return next((end for end in self._ends if end > run.pairs), self._ends[-1])

    def _title(self, run: Run) -> str:
        """Which round it is, where there are several."""
        at = self._ends.index(self._end(run)) + 1
        return "embed" if len(self._ends) == 1 else f"embed, round {at} of at most {len(self._ends)}"
