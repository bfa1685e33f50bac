"""What must hold for every way to cut P x P blocks into panels and strips."""

from __future__ import annotations

import itertools

import pytest

from weft.embed.swap.schedule import BUFFERS, Grid, choose

SIZES = [
    (parts, panel, strip)
    for parts in (1, 2, 3, 7, 16, 64)
    for panel, strip in itertools.product((1, 2, 3, 5, 16, 64), repeat=2)
    if panel <= parts and strip <= parts
]


@pytest.mark.parametrize(("parts", "panel", "strip"), SIZES)
def test_every_block_once_and_none_before_those_it_follows(parts, panel, strip):
    grid, done = Grid(parts=parts, panel=panel, strip=strip), set()
    for step in grid.steps():
        assert (grid.panels[step.panel], grid.strips[step.strip]) == (step.tails, step.heads)
        # Inside a step the native core orders the blocks; row-major stands for that.
        for i, j in itertools.product(step.heads, step.tails):
            assert (i, j) not in done
            assert i == 0 or (i - 1, j) in done
            assert j == 0 or (i, j - 1) in done
            done.add((i, j))
    assert len(done) == parts * parts


@pytest.mark.parametrize(("parts", "panel", "strip"), SIZES)
def test_what_moves_is_what_an_execution_with_that_memory_moves(parts, panel, strip):
    """Strips stay until their buffer is needed; the panel stays until the next one."""
    grid = Grid(parts=parts, panel=panel, strip=strip)
    held: list[int] = []
    panel_held, read = None, 0
    moved_by_pool = []
    for _ in range(3):
        for step in grid.steps():
            if step.panel != panel_held:
                read += len(step.tails)
                panel_held = step.panel
            if step.strip not in held:
                read += len(step.heads)
                held = [*held, step.strip][-BUFFERS:]
        moved_by_pool.append(read)
        read = 0
    # The first pool reads everything once more or as often; the others are alike.
    assert moved_by_pool[1] == moved_by_pool[2] == grid.moved
    assert grid.held <= 2 * parts
    assert grid.held >= min(2 * parts, panel + strip)


def test_all_in_memory_moves_nothing():
    grid = Grid(parts=9, panel=9, strip=3)
    assert (grid.moved, grid.held) == (0, 18)
    assert grid.seconds(5.0, part=1e9, bandwidth=1e9) == 5.0


def test_seconds_are_the_slower_of_computing_and_moving():
    grid = Grid(parts=16, panel=4, strip=2)
    assert grid.moved == 16 + 4 * 16
    # A change of panels is waited for: 16 parts are read and written at 10 parts a second in all.
    assert grid.seconds(100.0, part=1.0, bandwidth=10.0) == pytest.approx(100 + 3.2)
    assert grid.seconds(1.0, part=1.0, bandwidth=10.0) == pytest.approx(12.8 + 3.2)


def chosen(parts, threads, room, pairs=0.01, pool=1e6, part=1.0):
    return choose(parts, threads, room, part=part, pool=pool, pairs=lambda s, c: s * c * pairs)


@pytest.mark.parametrize("parts", [1, 4, 33, 128])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_choice_fits_and_more_room_never_moves_more(parts, threads):
    before = None
    for room in range(1, 3 * parts + 40):
        # A part of a gigabyte: moving is all that counts.
        grid = chosen(parts, threads, room * 1e9, pairs=1e7, part=1e9)
        if grid is None:
            assert before is None
            continue
        assert grid.held + grid.panel * grid.strip * 0.01 <= room
        if before is not None:
            assert grid.moved <= before.moved
        before = grid
    assert before is not None
    assert before.moved == 0


def test_no_room():
    assert chosen(8, 2, 1.9, pairs=0.1) is None
    assert chosen(8, 2, 4.2, pairs=0.1) == Grid(parts=8, panel=1, strip=1)


@pytest.mark.parametrize("threads", [2, 4, 16])
def test_threads_have_rows_and_columns_of_their_own(threads):
    """Where training counts, not the disk."""
    grid = chosen(64, threads, 64e6, pool=1e9, part=1e6)
    assert min(grid.strip, grid.panel) >= min(threads, 12)


def test_no_thread_is_worth_a_thousand_reads():
    grid = chosen(256, 32, 120e6, pool=1 << 26, part=1e6)
    assert grid.panel > 10
