"""Charts as SVG text. Lines and words take the colour of the page, so both light and dark suit them."""

from __future__ import annotations

import colorsys
import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from weft.serve.picture import Picture

__all__ = ["colour", "line_chart", "scatter", "ticks"]


def scatter(picture: Picture, size: int = 720) -> str:
    """The points of a picture."""
    low, high = picture.xy.min(axis=0), picture.xy.max(axis=0)
    scale = 0.96 * size / max(float((high - low).max()), 1e-9)
    width, height = (max(size / 2, side * scale + 0.04 * size) for side in (high - low).tolist())
    xy = (picture.xy - (low + high) / 2) * scale + np.array([width, height]) / 2
    parts = []
    for group in np.unique(picture.group):
        # A line of no length with round ends is a dot: a few bytes a point.
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in xy[picture.group == group])
        paint = "currentColor" if group < 0 else colour(int(group), picture.groups)
        faint = ' opacity=".35"' if group < 0 else ""
        parts.append(f'<path d="{dots}" stroke="{paint}"{faint}/>')
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(picture.caption)}">'
        f'<g fill="none" stroke-width="{size / 110:.1f}" stroke-linecap="round" stroke-opacity=".78">'
        f"{''.join(parts)}</g></svg>"
    )


def line_chart(
    xs: Sequence[float],
    ys: Sequence[float],
    *,
    x_label: str,
    y_label: str,
    others: Sequence[Sequence[tuple[float, float]]] = (),
    width: int = 520,
    height: int = 240,
) -> str:
    """One line with axes, and others behind it, in the colours ``--c``, ``--d``, …."""
    left, right, top, bottom = 46, 12, 22, 34
    every = [point for line in others for point in line]
    all_x, all_y = [*xs, *(x for x, _ in every)], [*ys, *(y for _, y in every)]
    x_ticks, y_ticks = ticks(min(0.0, *all_x), max(all_x)), ticks(min(all_y), max(all_y))
    x_range = (x_ticks[0], max(x_ticks[-1], *all_x)) if len(all_x) else (0.0, 1.0)
    y_range = (min(y_ticks[0], *all_y), max(y_ticks[-1], *all_y))

    def at_x(x: float) -> float:
        return left + (x - x_range[0]) / (x_range[1] - x_range[0] or 1) * (width - left - right)

    def at_y(y: float) -> float:
        return height - bottom - (y - y_range[0]) / (y_range[1] - y_range[0] or 1) * (height - top - bottom)

    grid = "".join(
        f'<line x1="{left}" x2="{width - right}" y1="{at_y(y):.1f}" y2="{at_y(y):.1f}" class="grid"/>'
        f'<text x="{left - 8}" y="{at_y(y) + 4:.1f}" text-anchor="end">{_short(y)}</text>'
        for y in y_ticks
    )
    marks = "".join(
        f'<text x="{at_x(x):.1f}" y="{height - bottom + 17}" text-anchor="middle">{_short(x)}</text>'
        for x in x_ticks
    )

    def path(points: Iterable[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y in points)

    behind = "".join(
        f'<path d="{path(line)}" class="curve" style="stroke:var(--{paint})"/>'
        for line, paint in zip(others, "cdef", strict=False)
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" class="chart" role="img" aria-label="{escape(y_label)}">'
        f'{grid}{marks}{behind}<path d="{path(zip(xs, ys, strict=True))}" class="curve"/>'
        f'<text x="{left - 8}" y="12" class="name" text-anchor="start" dx="-30">{escape(y_label)}</text>'
        f'<text x="{width - right}" y="{height - 2}" class="name" text-anchor="end">{escape(x_label)}</text>'
        "</svg>"
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values from ``low`` to ``high``, at most ``most``: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * m for m in (1, 2, 5, 10, 20) if span / (power * m) < most)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def colour(group: int, groups: int) -> str:
    """One of ``groups`` hues around the circle; neighbours differ in lightness too."""
    light = (0.50, 0.60, 0.42)[group % 3]
    red, green, blue = colorsys.hls_to_rgb(group / max(groups, 1), light, 0.68)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _short(value: float) -> str:
    """A number in few characters: 1.5, 200k, 3M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{unit}"
    return f"{round(value, 6):g}"
