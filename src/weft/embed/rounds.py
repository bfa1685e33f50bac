"""How long a run is, where the learning rate begins anew, and when the vectors are scored."""

from __future__ import annotations

__all__ = ["epochs_at_most", "least_scores", "round_ends", "score_marks"]

# Epochs of the first round of "auto". With 125, and three rounds at least, Facebook pages and the map of
# GitHub ended after 875 epochs with their score at rest, and were classified 0.6 and 5 points worse than
# after the 1,000 of the default.
_FIRST = 500
_ROUNDS = 3
_LEAST_ROUNDS = 2
_ENDLESS = 1e19  # more pairs than can be counted, whatever the graph
_SCORES = 20  # of a run whose length is given


def epochs_at_most(epochs: float | str) -> float:
    """Those of a run that is not over early."""
    return _FIRST * (2**_ROUNDS - 1) if isinstance(epochs, str) else min(epochs, _ENDLESS)


def round_ends(epochs: float | str, pairs: int) -> tuple[int, ...]:
    """The pairs trained at the end of each round; in a round the learning rate falls once.

    With a number there is one round. ``auto`` has up to three, each twice as long as the one before:
    whichever turns out to be the last, more than half of all pairs were spent on it. Warm restarts are those
    of Loshchilov, Hutter: "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Args:
        epochs: a number or ``auto``.
        pairs: of the whole run.
    """
    if not isinstance(epochs, str):
        return (pairs,)
    return tuple(pairs * (2**n - 1) // (2**_ROUNDS - 1) for n in range(1, _ROUNDS + 1))


def score_marks(ends: tuple[int, ...]) -> list[int]:
    """When a run is scored: at the end of each round, or twenty times where there is but one."""
    return list(ends) if len(ends) > 1 else [ends[0] * n // _SCORES for n in range(1, _SCORES + 1)]


def least_scores(ends: tuple[int, ...]) -> int:
    """How many scores there must be before a run may be over early."""
    return _LEAST_ROUNDS if len(ends) > 1 else 1
