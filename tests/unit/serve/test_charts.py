"""Charts: round ticks, well-formed SVG that keeps inside its frame."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from weft.serve import charts
from weft.serve.picture import Picture


def _picture(xy, group):
    return Picture(
        xy=np.asarray(xy, float),
        group=np.asarray(group),
        groups=max(group) + 1,
        nodes=np.arange(len(xy)),
        caption="a < b",
    )


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 6e7), (-3, 4), (2.3, 2.31), (0.5, 9e-1), (7, 1e12)])
def test_ticks_are_few_round_and_inside(low, high):
    values = charts.ticks(low, high)
    assert 2 <= len(values) <= 7
    steps = np.diff(values)
    assert low - 1e-6 * steps[0] <= values[0] <= values[-1] <= high + 1e-6 * steps[0]
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert f"{steps[0]:.3e}"[0] in "125"


@pytest.mark.parametrize(("low", "high"), [(3, 3), (0, float("nan")), (0, float("inf"))])
def test_ticks_of_no_span(low, high):
    assert charts.ticks(low, high) == [low]


@pytest.mark.parametrize("ys", [[3.0, 2.0, 1.5], [1.0, 1.0], [0.0, -1e-9], [5.0]])
def test_line_chart_is_well_formed_and_inside(ys):
    svg = ET.fromstring(charts.line_chart(range(len(ys)), ys, x_label="x & y", y_label="<loss>"))
    path = next(e for e in svg.iter() if e.get("class") == "curve").get("d")
    points = np.array([pair.split() for pair in re.split("[ML]", path)[1:]], float)
    assert len(points) == len(ys)
    assert (points >= 0).all()
    assert (points <= [520, 240]).all()


@pytest.mark.parametrize(
    "xy", [[[0, 0], [10, 3], [-4, 2]], [[1, 1], [1, 1], [1, 1]], [[0, 0], [0, 5], [0, 9]]]
)
def test_scatter_draws_every_point_inside(xy):
    svg = ET.fromstring(charts.scatter(_picture(xy, [0, 1, -1])))
    width, height = map(float, svg.get("viewBox").split()[2:])
    dots = [re.findall(r"M(\S+) (\S+?)h0", e.get("d")) for e in svg.iter("path")]
    dots = np.array([dot for path in dots for dot in path], float)
    assert len(dots) == 3
    assert (dots >= 0).all()
    assert (dots <= [width, height]).all()


def test_colours_differ():
    assert len({charts.colour(i, 50) for i in range(50)}) == 50
    assert re.fullmatch("#[0-9a-f]{6}", charts.colour(0, 0))
