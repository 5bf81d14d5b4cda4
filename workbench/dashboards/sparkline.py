"""A line without axes, as SVG inside a text: a chart of its own would cost a hundred times as much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WIDTH, HEIGHT = 240, 36


def sparkline(points: Sequence[tuple[Any, Any]]) -> str:
    """The course of (place, figure) pairs, from 0 up; nothing for fewer than two."""
    figures = [float(figure or 0) for _, figure in points]
    if len(figures) < 2:
        return ""
    places = [_place(place) for place, _ in points]
    wide, high = places[-1] - places[0] or 1.0, max(figures) or 1.0
    dots = [
        f"{(place - places[0]) / wide * WIDTH:.1f},{HEIGHT - 2 - figure / high * (HEIGHT - 4):.1f}"
        for place, figure in zip(places, figures, strict=True)
    ]
    line = " ".join(dots)
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,{HEIGHT} {line} {WIDTH},{HEIGHT}"/><polyline points="{line}"/></svg>'
    )


def _place(place: Any) -> float:
    return float(place.value) if hasattr(place, "value") else float(place)
