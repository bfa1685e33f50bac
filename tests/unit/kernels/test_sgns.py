"""Skip-gram with negative sampling: native against the definition, and what a caller can get wrong."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.pairs import bucket_pairs
from weft.kernels.sgns import reference, sgns_train

SETTINGS = {"key": 0x1234_5678_9ABC_DEF0, "negatives": 3, "negative_weight": 5.0, "learning_rate": 0.1}


class Case:
    """Tables, pairs in blocks and alias tables, all random."""

    def __init__(self, pairs, *, parts=3, size=7, width=32, heads=None, seed=0):
        rng = np.random.default_rng(seed)
        rows = parts * size
        head = rng.integers(0, heads or rows, pairs, np.uint64)
        self.pairs = head << np.uint64(32) | rng.integers(0, rows, pairs, np.uint64)
        self.rows, self.offset = size, bucket_pairs(self.pairs, size, parts)
        self.alias = rng.integers(0, size, rows, np.uint64) << np.uint64(32)
        self.alias |= rng.integers(0, 1 << 32, rows, np.uint64)
        self.tables = rng.normal(0, 0.5, (2, rows, width)).astype(np.float32)

    def run(self, train, **changes):
        vertex, context = self.tables.copy()
        if changes.pop("tied", False):
            context = vertex
        first = changes.pop("first", 0)
        settings = {"total": len(self.pairs), "weight_decay": 0.005, "rows": self.rows, **SETTINGS, **changes}
        item = (self.offset[:-1] + first).astype(np.uint64)
        loss = train(vertex, context, self.pairs, self.offset, item, self.alias, **settings)
        return vertex, context, loss

    def check(self, **changes):
        got, want = self.run(sgns_train, **changes), self.run(reference.sgns_train, **changes)
        # Equal, not close: both add in the order of sixteen lanes and never fuse a product.
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])
        # The core adds up losses of a few hundred terms in float32, each off by at most 2**-24 of the sum.
        np.testing.assert_allclose(got[2], want[2], rtol=2e-5)


@pytest.mark.parametrize("pairs", [0, 1, 31, 32, 33, 63, 100, 1000])
def test_equals_the_definition(pairs, threads):
    Case(pairs).check()


@pytest.mark.parametrize("width", [16, 48, 128, 272])
@pytest.mark.parametrize("negatives", [0, 1, 2, 3, 4, 5, 7, 9])
def test_widths_and_negatives(width, negatives):
    Case(60, width=width).check(negatives=negatives)


@pytest.mark.parametrize("negatives", [1, 3, 5])
@pytest.mark.parametrize("parts", [1, 2, 5])
def test_one_table_against_itself(parts, negatives, threads):
    case = Case(300, parts=parts, size=9)
    case.check(tied=True, negatives=negatives)
    assert (case.run(sgns_train, tied=True)[0] != case.run(sgns_train)[0]).any()


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_parts_of_one_row(parts, threads):
    Case(40, parts=parts, size=1).check()


@pytest.mark.parametrize("strip", [1, 2, 3])
@pytest.mark.parametrize("panel", [1, 2, 4])
def test_strips_and_panels_give_the_bits_of_whole_tables(strip, panel, threads):
    parts, case = 5, Case(900, parts=5)
    vertex, context, loss = case.run(sgns_train)
    grid = np.arange(parts * parts).reshape(parts, parts)
    v, c = case.tables.copy()
    for j in range(0, parts, panel):
        for i in range(0, parts, strip):
            blocks = grid[i : i + strip, j : j + panel].reshape(-1)
            cut = [case.pairs[case.offset[b] : case.offset[b + 1]] for b in blocks]
            heads = slice(i * case.rows, min(i + strip, parts) * case.rows)
            tails = slice(j * case.rows, min(j + panel, parts) * case.rows)
            got = sgns_train(
                v[heads],
                c[tails],
                np.concatenate(cut),
                np.cumsum([0, *map(len, cut)]),
                case.offset[blocks].astype(np.uint64),
                case.alias[tails],
                rows=case.rows,
                head_first=heads.start,
                tail_first=tails.start,
                total=len(case.pairs),
                weight_decay=0.005,
                **SETTINGS,
            )
            np.testing.assert_array_equal(got, loss[blocks])
    np.testing.assert_array_equal(v, vertex)
    np.testing.assert_array_equal(c, context)


def test_skewed_heads_and_duplicates(threads):
    Case(500, parts=2, size=50, heads=2).check()


def test_later_pool_of_a_run_in_64_bits():
    Case(50).check(first=(1 << 33) + 5, total=1 << 34)


def test_without_decay_and_at_the_end_of_the_schedule():
    Case(50).check(weight_decay=0.0, first=0, total=50)


def test_large_scores_saturate():
    case = Case(50)
    case.tables *= 40
    case.check()


def test_gradient_is_that_of_the_loss():
    """One pair moves the rows along minus the numerical gradient of its loss.

    Central differences in float64 of the exact loss; the kernel's sigmoid is off by at most 1.2e-5 and its
    sums by a few float32 roundings, both far below 1e-3 of the largest component.
    """
    case = Case(1, parts=1, size=20, width=16, seed=3)
    settings = {"weight_decay": 0.0, "learning_rate": 1.0, "negatives": 1}
    vertex, context, loss = case.run(sgns_train, **settings)
    head, tail = int(case.pairs[0] >> np.uint64(32)), int(case.pairs[0] & np.uint64(0xFFFFFFFF))
    moved = np.flatnonzero((context != case.tables[1]).any(axis=1))
    (negative,) = (int(r) for r in moved if r != tail)  # the seed draws one that is not the tail

    def exact(tables):
        u, c = tables[0, head], tables[1]
        return np.logaddexp(0, -u @ c[tail]) + 5 * np.logaddexp(0, u @ c[negative])

    tables = case.tables.astype(np.float64)
    np.testing.assert_allclose(loss[0], exact(tables), rtol=1e-4)
    for table, row, after in ((0, head, vertex), (1, tail, context), (1, negative, context)):
        gradient = np.zeros(16)
        for d in range(16):
            ends = []
            for h in (1e-5, -1e-5):
                there = tables.copy()
                there[table, row, d] += h
                ends.append(exact(there))
            gradient[d] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(
            case.tables[table, row] - after[row], gradient, atol=1e-3 * abs(gradient).max()
        )


def test_a_row_that_is_not_finite_shows_in_the_loss():
    for poison in (np.nan, np.inf):
        case = Case(20)
        case.tables[0] = poison
        assert not np.isfinite(case.run(sgns_train)[2]).all()


def test_other_keys_draw_other_negatives():
    case = Case(100)
    assert (case.run(sgns_train)[1] != case.run(sgns_train, key=1)[1]).any()


def test_foreign_alias_table_stays_inside():
    case = Case(200)
    case.alias[:] = np.uint64(0xFFFFFFFF_00000000)
    assert np.isfinite(case.run(sgns_train)[1]).all()


def test_refuses_rows_of_two_lengths():
    case = Case(5)
    case.tables = [case.tables[0], case.tables[1, :, :16].copy()]
    item = case.offset[:-1].astype(np.uint64)
    settings = {**SETTINGS, "rows": case.rows, "total": 5, "weight_decay": 0.0}
    with pytest.raises(WeftValueError, match=r"\[21, 32\] and \[21, 16\]"):
        sgns_train(*case.tables, case.pairs, case.offset, item, case.alias, **settings)


@pytest.mark.parametrize("rows", [0, 4, 22])
def test_refuses_parts_that_do_not_cut_the_tables(rows):
    with pytest.raises(WeftValueError, match=f"whole parts of {rows} rows"):
        Case(5).run(sgns_train, rows=rows)


def test_refuses_rows_that_are_not_padded():
    with pytest.raises(WeftValueError, match="multiple of 16"):
        Case(5, width=20).run(sgns_train)


@pytest.mark.parametrize("damage", ["falls", "ends early", "begins late"])
def test_refuses_offsets_that_do_not_cover_the_pairs(damage):
    case = Case(50)
    at = {"falls": 3, "ends early": -1, "begins late": 0}[damage]
    case.offset[at] = 60 if damage == "falls" else case.offset[at] + 1
    with pytest.raises(WeftValueError, match="offset"):
        case.run(sgns_train)


def test_refuses_pairs_outside_their_block(threads):
    case = Case(50)
    case.pairs[20] = np.uint64(0xFFFFFFFF_FFFFFFFF)
    with pytest.raises(WeftValueError, match="bucket the pairs"):
        case.run(sgns_train)


def test_refuses_more_pairs_than_planned():
    with pytest.raises(WeftValueError, match="exceeds total"):
        Case(50).run(sgns_train, total=49)
