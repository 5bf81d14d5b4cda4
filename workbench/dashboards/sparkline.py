"""A line without axes, as SVG inside a text: a chart of its own would cost a hundred times as much."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from workbench.metrics import Where

WIDTH, HEIGHT = 240, 36


def running_place(where: Where, now: datetime) -> Any:
    """The day, or the hour of the only day, that is not over yet; None when all are."""
    if where.date_to is not None and where.date_to < now.date():
        return None
    return now.hour if where.date_from == where.date_to == now.date() else pd.Timestamp(now.date())


def sparkline(points: Sequence[tuple[Any, Any]], running: Any = None) -> str:
    """The course of (place, figure) pairs, from 0 up, or from the lowest below it; nothing for fewer than two.

    From ``running`` on, a place that is not over yet, the line is dashed.
    """
    figures = [float(figure or 0) for _, figure in points]
    if len(figures) < 2:
        return ""
    places = [_place(place) for place, _ in points]
    low, wide = min(0.0, *figures), places[-1] - places[0] or 1.0
    high = max(0.0, *figures) - low or 1.0
    dots = [
        f"{(place - places[0]) / wide * WIDTH:.1f},{HEIGHT - 2 - (figure - low) / high * (HEIGHT - 4):.1f}"
        for place, figure in zip(places, figures, strict=True)
    ]
    line = " ".join(dots)
    over = sum(running is None or place < running for place, _ in points)
    parts = [f'<polyline points="{" ".join(dots[:over])}"/>'] if over > 1 else []
    if over < len(dots):
        parts.append(f'<polyline class="running" points="{" ".join(dots[max(0, over - 1) :])}"/>')
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,{HEIGHT} {line} {WIDTH},{HEIGHT}"/>{"".join(parts)}</svg>'
    )


def _place(place: Any) -> float:
    return float(place.value) if hasattr(place, "value") else float(place)
