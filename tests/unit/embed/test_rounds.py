"""The rounds of a run: they end where the pairs do, and the learning rate falls in each."""

from __future__ import annotations

import itertools

import pytest

from weft.embed.rounds import epochs_at_most, least_scores, round_ends, score_marks


@pytest.mark.parametrize("pairs", [7, 3500, 10**6 + 7, 10**12 + 1])
def test_each_round_is_twice_as_long(pairs):
    ends = (0, *round_ends("auto", pairs))
    assert ends[-1] == pairs
    lengths = [end - begin for begin, end in itertools.pairwise(ends)]
    assert len(lengths) == 3
    for shorter, longer in itertools.pairwise(lengths):
        assert abs(longer - 2 * shorter) <= 3
    assert score_marks(ends[1:]) == list(ends[1:])
    assert least_scores(ends[1:]) == 2


def test_a_number_is_one_round():
    assert epochs_at_most(12.5) == 12.5
    assert round_ends(12.5, 1000) == (1000,)
    assert score_marks((1000,)) == list(range(50, 1001, 50))
    assert least_scores((1000,)) == 1


def test_auto_has_an_end():
    assert epochs_at_most("auto") == 500 * (1 + 2 + 4)
