"""What goes to disk under which budget: what must hold for every size."""

from __future__ import annotations

import re

import pytest

from weft.embed.footprint import Footprint, fit_into
from weft.errors import BudgetError

MIB = 1 << 20


def sizes(nodes=1_000_000, dim=128, parts=64, pool=1 << 26, **changes):
    given = {
        "base": 50 * MIB,
        "graph": 40 * nodes,
        "nodes": nodes,
        "parts": parts,
        "rows": -(-nodes // parts),
        "width": -(-dim // 16) * 16,
        "dim": dim,
        "pool": pool,
        "walk": 0.9,
        "draw": MIB,
        "threads": 2,
        "hub": 0.01,
        "back": 0.05,
    }
    return Footprint(**{**given, **changes})


@pytest.mark.parametrize("nodes", [200_000, 1_000_000, 50_000_000])
@pytest.mark.parametrize("dim", [64, 128, 1000])
@pytest.mark.parametrize("threads", [1, 2, 32])
def test_every_budget_is_kept_or_refused(nodes, dim, threads):
    parts, pool = max(64, min(256, nodes * dim * 4 // (8 * MIB))), max(1 << 27, 64 * nodes)
    run = sizes(nodes, dim, parts, pool, threads=threads)
    stages, seconds = [], []
    for percent in range(98, 0, -2):
        limit = run.peak(None) * percent // 100
        try:
            swap = fit_into(limit, run)
        except BudgetError:
            stages.append("refused")
            continue
        assert run.peak(swap) <= limit
        assert swap.capacity <= run.pool
        assert swap.grid.parts == run.parts
        assert swap.tables or swap.grid.panel == run.parts
        stages.append("fits")
        seconds.append(run.pace(swap))
    # What does not fit does not fit into less; and less memory is never faster.
    assert stages == sorted(stages)
    assert seconds == sorted(seconds)


def test_a_quarter_of_the_tables_is_enough():
    run = sizes(2_000_000, parts=128)
    swap = fit_into(run.tables // 4, run)
    assert swap.tables
    # One table is read and written a few times for each pool, not once for each part.
    assert swap.grid.moved <= 10 * run.parts


def test_refusal_says_what_is_needed():
    run = sizes()
    with pytest.raises(BudgetError, match=r"1,000,000 nodes at dim=128 need .* MiB, even with tables") as e:
        fit_into(60 * MIB, run)
    needed = float(str(e.value).partition("need ")[2].partition(" MiB")[0])
    assert fit_into(int((needed + 0.1) * MIB), run).tables
    listed = str(e.value).partition("They are: ")[2].partition(". Give")[0]
    assert sum(float(size) for size in re.findall(r"([\d.]+) MiB", listed)) == pytest.approx(needed, abs=0.5)
    assert "in use already 50.0 MiB, " in listed


@pytest.mark.parametrize(
    ("changes", "remedies"),
    [
        (
            {"dim": 20_000},
            "Give more memory, or a lower dim$|Give more memory, or a lower dim, or more parts",
        ),
        ({"walk": 3e4, "pool": 1 << 20}, "Give more memory, or a smaller window or walk_length$"),
        ({"graph": 1 << 40}, "Give more memory$"),
        ({"dim": 20_000, "count": 3}, r"a lower dim, or embed with the second order \(order=2\)"),
    ],
)
def test_a_refusal_advises_what_helps(changes, remedies):
    with pytest.raises(BudgetError, match=remedies):
        fit_into(60 * MIB, sizes(**changes))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_peak_is_the_sum_of_what_is_listed(count):
    run = sizes(count=count)
    assert run.peak(None) == sum(run.needs(None).values())
    assert min(run.needs(None).values()) >= 0


@pytest.mark.parametrize(("nodes", "parts"), [(300, 1), (20_000, 4), (1_000_000, 64)])
def test_the_number_of_a_refusal_is_the_least_that_is_accepted(nodes, parts):
    run = sizes(nodes, parts=parts, pool=200 * nodes)

    def needed(limit):
        try:
            run.peak(None) <= limit or fit_into(limit, run)
        except BudgetError as error:
            return error
        return None

    low, high = run.base, run.peak(None)
    while high - low > MIB // 16:
        half = (low + high) // 2
        low, high = (half, high) if needed(half) else (low, half)
    said = float(str(needed(low)).partition("need ")[2].partition(" MiB")[0]) * MIB
    assert abs(said - high) <= MIB // 4


def test_room_on_disk():
    run = sizes()
    assert run.disk(None) == 0
    swap = fit_into(run.tables // 2, run)
    assert run.disk(swap) == 2 * run.tables
    big = sizes(pool=1 << 30, threads=1)
    pairs = fit_into(big.tables * 2, big)
    assert not pairs.tables
    assert big.disk(pairs) == 8 * big.pool


def test_crowded_blocks_have_their_room():
    run = sizes(hub=0.5, back=0.3)
    assert run.crowd(64, 64) == run.pool
    assert run.crowd(1, 64) > run.pool // 2
    assert sizes(hub=0, back=0).crowd(1, 1) < run.pool // 1000
