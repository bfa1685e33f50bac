"""A table on disk behaves as one in memory, whatever is held, in whatever order."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.swap import window as module
from weft.embed.swap.window import Window
from weft.errors import StorageError

WIDTH = 16


def make(scratch, rows, slot, buffers):
    window = Window(scratch, "test rows", rows=rows, slot=slot, width=WIDTH, buffers=buffers)
    table = np.random.default_rng(0).random((rows, WIDTH)).astype(np.float32)
    window.fill(lambda first, out: np.copyto(out, table[first : first + len(out)]))
    return window, table


def whole(window):
    return np.concatenate([rows.copy() for _, rows in window.scan()])


@pytest.mark.parametrize("piece", [1, 10_000, 1 << 20])
@pytest.mark.parametrize("buffers", [1, 2, 3, 9])
@pytest.mark.parametrize(("rows", "slot"), [(1, 1), (5, 5), (7, 3), (1000, 63), (1000, 1000), (1000, 250)])
def test_changes_are_kept(scratch, monkeypatch, rows, slot, buffers, piece):
    monkeypatch.setattr(module, "_PIECE", piece)
    window, table = make(scratch, rows, slot, buffers)
    assert window.slots == -(-rows // slot)
    np.testing.assert_array_equal(whole(window), table)
    rng = np.random.default_rng(1)
    # In turn as in training, then anyhow, some of them twice.
    order = [*range(window.slots), *range(window.slots), *rng.integers(0, window.slots, 30).tolist()]
    for number, (slot_held, after) in enumerate(zip(order, [*order[1:], 0], strict=True)):
        held = window.hold(slot_held)
        part = table[slot_held * slot : (slot_held + 1) * slot]
        assert held.shape == part.shape
        if number % 2:
            window.prefetch(after)
        np.testing.assert_array_equal(held, part)
        held += number
        part += number
        assert window.hold(slot_held) is not None
    np.testing.assert_array_equal(whole(window), table)
    some = list(window.scan(lambda first, count: first + count >= rows))
    assert [first + len(part) for first, part in some] == [rows]
    np.testing.assert_array_equal(some[0][1], table[some[0][0] :])
    # Reading changes nothing, and training goes on after it.
    window.hold(0)[:] = table[:slot] = 7
    np.testing.assert_array_equal(whole(window), table)


def test_what_moves(scratch):
    """Passing through a window reads and writes every slot once; a window for all of them nothing."""
    slot_bytes = 4096
    for buffers, expected in ((3, 2), (8, 0)):
        window, _ = make(scratch, 8 * 64, 64, buffers)
        for slot in range(8):
            window.hold(slot)
        before = scratch.read, scratch.written
        for slot in [*range(8), *range(8)]:
            window.hold(slot)
            window.prefetch((slot + 1) % 8)
        moved = (scratch.read - before[0]) / slot_bytes, (scratch.written - before[1]) / slot_bytes
        # The first slot after the end is prefetched too.
        assert moved[0] in (expected * 8, expected * 8 + 1 if expected else 0)
        assert moved[1] == expected * 8


def test_fill_gives_zeros_to_write_into(scratch):
    window, _ = make(scratch, 10, 3, 2)
    window.hold(1)[:] = 5
    window.fill(lambda first, out: None)
    assert not whole(window).any()


def test_a_table_that_was_released_can_be_read(scratch):
    window, table = make(scratch, 1000, 63, 3)
    window.hold(2)[:] = table[126:189] = 5
    window.release()
    np.testing.assert_array_equal(whole(window), table)
    window.close()


def test_the_room_is_taken_at_once(scratch, file_limit):
    file_limit(1 << 20)
    with pytest.raises(StorageError, match=r"cannot reserve 3\.8 MiB of test rows in "):
        make(scratch, 62_464, 64, 3)
