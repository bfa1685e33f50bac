"""What an implementation must do, as tests to inherit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.features.table import FeatureTable

__all__ = ["FeatureTableContract"]

Array = npt.NDArray[Any]


class FeatureTableContract:
    """Tests of a :class:`weft.features.FeatureTable`: inherit as ``TestMine`` and give :meth:`table`."""

    @pytest.fixture
    def table(self) -> Any:
        """A function from ``[N, F]`` to a table of these rows."""
        raise NotImplementedError

    def held(self, rows: Array) -> Array:
        """What a table of these rows gives: the rows, unless it holds them less precisely."""
        return rows

    @pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, np.float64, np.uint16])
    @pytest.mark.parametrize("shape", [(1, 1), (100, 7), (3000, 128), (40, 5000)])
    def test_rows_are_those_asked_for(self, table: Any, shape: tuple[int, int], dtype: Any) -> None:
        rng = np.random.default_rng(shape[1])
        rows = rng.integers(0, 100, shape).astype(dtype)
        made: FeatureTable = table(rows)
        rows = self.held(rows)
        assert made.shape == shape
        assert made.dtype == rows.dtype
        for ids in (rng.integers(0, shape[0], 500), np.arange(shape[0])[::-1], np.zeros(9, np.int64)):
            for kind in (np.int64, np.uint32, np.int32):
                got = made.take(ids.astype(kind))
                np.testing.assert_array_equal(got, rows[ids])
                assert got.dtype == rows.dtype
        made.close()

    def test_no_rows(self, table: Any) -> None:
        made = table(np.ones((5, 3), np.float32))
        assert made.take(np.empty(0, np.int64)).shape == (0, 3)
        assert made.submit(np.empty(0, np.int64)).wait().shape == (0, 3)
        made.close()

    @pytest.mark.parametrize("shape", [(0, 3), (4, 0)])
    def test_empty_tables(self, table: Any, shape: tuple[int, int]) -> None:
        made = table(np.ones(shape, np.float32))
        assert made.shape == shape
        assert made.take(np.arange(shape[0])).shape == shape
        with pytest.raises(WeftValueError, match="row"):
            made.take(np.array([shape[0]]))
        made.close()

    def test_into_an_array(self, table: Any) -> None:
        rows = np.arange(60, dtype=np.float32).reshape(20, 3)
        made = table(rows)
        rows = self.held(rows)
        out = np.full((4, 3), -1, np.float32)
        ids = np.array([19, 0, 0, 7])
        assert made.take(ids, out) is out
        np.testing.assert_array_equal(out, rows[ids])
        for wrong in (np.empty((3, 3), np.float32), np.empty((4, 3)), np.empty((4, 6), np.float32)[:, ::2]):
            with pytest.raises(WeftValueError, match="out must be"):
                made.take(ids, wrong)
        made.close()

    @pytest.mark.parametrize("ids", [[20], [3, -1], [[1]], [0.5], [True]])
    def test_ids_there_are_not(self, table: Any, ids: list[Any]) -> None:
        made = table(np.ones((20, 3), np.float32))
        with pytest.raises(WeftValueError, match="id"):
            made.take(np.array(ids))
        with pytest.raises(WeftValueError, match="id"):
            made.submit(np.array(ids)).wait()
        made.close()

    def test_many_under_way(self, table: Any) -> None:
        rng = np.random.default_rng(0)
        rows = rng.random((500, 16)).astype(np.float32)
        made = table(rows)
        rows = self.held(rows)
        asked = [rng.integers(0, 500, rng.integers(0, 300)) for _ in range(40)]
        tickets = [made.submit(ids) for ids in asked]
        for ids, ticket in zip(asked, tickets, strict=True):
            np.testing.assert_array_equal(ticket.wait(), rows[ids])
            assert ticket.done()
        made.close()

    def test_closing_ends_what_is_under_way(self, table: Any) -> None:
        rows = np.ones((100, 3), np.float32)
        made = table(rows)
        ticket = made.submit(np.arange(100))
        made.close()
        np.testing.assert_array_equal(ticket.wait(), self.held(rows))
        made.close()
