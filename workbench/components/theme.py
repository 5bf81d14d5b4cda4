"""How things look and read everywhere: theme, colours, and text for money, counts, times and ages."""

from __future__ import annotations

import colorsys
import html
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Literal

from workbench import locale
from workbench.locale import _
from workbench.words import counted, visible

Freshness = Literal["fresh", "amber", "red", "unknown"]

# Okabe and Ito's colours, told apart with any colour vision, without black and yellow: those vanish on a dark or a
# white page. The last two are a grey and a brown of other lightness than the rest.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#9a6a3a")
STALE_FACTOR = 10
NOTHING = "–"
NAVY = "#14324a"
_BAR = {"backgroundColor": NAVY, "backgroundImage": "none", "boxShadow": "none", "color": "#ffffff"}
_RING = {"outline": "2px solid var(--panel-primary-color, #00609a)"}  # of what has the keyboard
_FONT = "Roboto, 'Segoe UI', system-ui, sans-serif"
_SHARED: dict[str, Any] = {
    "chart_style": "modern",  # charts without lines along their axes, in notebooks too
    "shape": {"borderRadius": 8},
    "typography": {"fontFamily": _FONT, "button": {"textTransform": "none", "fontWeight": 600}},
    "components": {
        "MuiAppBar": {"styleOverrides": {"root": _BAR}},
        "MuiButton": {"styleOverrides": {"root": {"&.Mui-focusVisible": _RING | {"outlineOffset": "2px"}}}},
        "MuiTab": {"styleOverrides": {"root": {"&.Mui-focusVisible": _RING | {"outlineOffset": "-2px"}}}},
    },
}
THEME: dict[str, Any] = {
    "light": {
        **_SHARED,
        "palette": {
            "primary": {"main": "#00609a", "contrastText": "#ffffff"},
            "success": {"main": "#00724f", "contrastText": "#ffffff"},
            "warning": {"main": "#a85400", "contrastText": "#ffffff"},
            "error": {"main": "#b3261e", "contrastText": "#ffffff"},
            "background": {"default": "#f4f6f8", "paper": "#ffffff"},
            "text": {"primary": "#17212b", "secondary": "#51606e"},
        },
    },
    "dark": {
        **_SHARED,
        "palette": {
            "primary": {"main": "#6cb8ec", "contrastText": "#08202f"},
            "success": {"main": "#3cc79b", "contrastText": "#04231a"},
            "warning": {"main": "#f0a840", "contrastText": "#2a1a00"},
            "error": {"main": "#f2877f", "contrastText": "#2f0906"},
            "background": {"default": "#0f161d", "paper": "#18222c"},
            "text": {"primary": "#e6edf3", "secondary": "#a3b1be"},
        },
    },
}


@cache
def stylesheet() -> str:
    """The CSS of every HTML pane; panes live in shadow roots, so each is given it as a stylesheet."""
    return Path(__file__).with_name("theme.css").read_text(encoding="utf-8")


def esc(value: object) -> str:
    """Text that is safe inside HTML, and seen: for whatever did not come out of this program, as database values."""
    return html.escape(visible(str(value)))


def store_colors(store_ids: Iterable[int]) -> dict[int, str]:
    """A colour for each store, never one for two: the same on every page, whatever else is shown.

    Only where a store's own colour is another's already (their numbers are far apart) it gets the next free one. There
    are 164; a chart of more stores than that begins anew.
    """
    found: dict[int, str] = {}
    for store_id in sorted(store_ids):
        own = (store_id - 1) % len(_colors())
        in_turn = (*_colors()[own:], *_colors()[:own])
        taken = set(found.values())
        found[store_id] = next((color for color in in_turn if color not in taken), in_turn[0])
    return found


@cache
def _colors() -> tuple[str, ...]:
    """The palette, then many others, each as far as can be from all before it."""
    chosen = list(PALETTE)
    tones = product(range(30), (0.36, 0.5, 0.66), (0.4, 0.8))
    others = {_hex(colorsys.hls_to_rgb(hue / 30, lightness, grey)) for hue, lightness, grey in tones}
    seen = (color for color in sorted(others) if 75 < _brightness(color) < 200)  # on a white and on a dark page
    nearest = {color: min(_apart(color, other) for other in chosen) for color in seen}
    while nearest:
        chosen.append(max(nearest, key=lambda other: nearest[other]))
        del nearest[chosen[-1]]
        nearest = {other: min(apart, _apart(other, chosen[-1])) for other, apart in nearest.items()}
    return tuple(chosen)


def _hex(parts: Iterable[float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _brightness(color: str) -> float:
    red, green, blue = bytes.fromhex(color[1:])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _apart(one: str, other: str) -> float:
    """How far two colours look apart, 0 to 765: the eye tells greens best."""
    (r1, g1, b1), (r2, g2, b2) = bytes.fromhex(one[1:]), bytes.fromhex(other[1:])
    red = (r1 + r2) / 512
    return float(((2 + red) * (r1 - r2) ** 2 + 4 * (g1 - g2) ** 2 + (3 - red) * (b1 - b2) ** 2) ** 0.5)


def money(value: Decimal | int | None, currency: str = "") -> str:
    """``USD 1,234.50``; halves are rounded away from zero, as PostgreSQL rounds. A dash for None."""
    if value is None:
        return NOTHING
    return locale.money(value, currency)


def count(value: int | None) -> str:
    """``1,234``; a dash for None."""
    return NOTHING if value is None else locale.number(value)


def brief(value: Decimal | int) -> str:
    """An amount or a count as the axes of charts write it: ``27.70``, ``12.3k``, ``4.5m``."""
    amount = Decimal(value)
    for size, unit in ((10**12, "t"), (10**9, "b"), (10**6, "m"), (10**3, "k")):
        if abs(amount) >= size:
            return f"{locale.number(amount / size, 1)}{unit}"
    return locale.number(value)


def percent(ratio: Decimal | float | None, is_change: bool = False) -> str:
    """``12.3%`` for 0.123; a change carries its sign. A dash for None."""
    if ratio is None:
        return NOTHING
    return locale.percent(ratio, is_change)


def store_time(at: datetime | None) -> str:
    """``2026-03-01 14:05`` for a store's wall clock, which has no time zone. A dash for None."""
    return NOTHING if at is None else locale.moment(at)


def age(seconds: float | None) -> str:
    """``now``, ``3 s ago``, ``5 min ago``, ``2 h ago``, ``4 days ago``; ``unknown`` for None."""
    if seconds is None:
        return _("unknown")
    if seconds < 1:
        return _("now")
    if seconds < 60:
        return _("{n} s ago", n=int(seconds))
    if seconds < 3600:
        return _("{n} min ago", n=int(seconds // 60))
    if seconds < 48 * 3600:
        return _("{n} h ago", n=int(seconds // 3600))
    return _("{n} days ago", n=int(seconds // 86400))


def duration(seconds: float | None) -> str:
    """``0.8 ms``, ``12 ms``, ``1,234 ms``, from ten seconds on ``12.3 s``. A dash for None."""
    if seconds is None:
        return NOTHING
    if seconds >= 10:
        return f"{locale.number(seconds, 1)} s"
    return f"{locale.number(seconds * 1000, 1 if seconds < 0.01 else 0)} ms"


def size(n_bytes: int | None) -> str:
    """``0 bytes``, ``12.0 kB``, ``1.4 GB``, in steps of 1024 as PostgreSQL counts. A dash for None."""
    if n_bytes is None:
        return NOTHING
    if n_bytes < 1024:
        return counted(n_bytes, "byte")
    amount, units = n_bytes / 1024, iter(("kB", "MB", "GB", "TB"))
    unit = next(units)
    while amount >= 1024 and unit != "TB":
        amount, unit = amount / 1024, next(units)
    return f"{locale.number(amount, 1)} {unit}"


def freshness(age_seconds: float | None, limit_seconds: float) -> Freshness:
    """``fresh`` up to the limit, ``amber`` beyond it, ``red`` beyond ten times the limit."""
    if age_seconds is None:
        return "unknown"
    if age_seconds > STALE_FACTOR * limit_seconds:
        return "red"
    return "amber" if age_seconds > limit_seconds else "fresh"
