"""Text for money, counts, ages; the theme's contrast; escaping."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import combinations

import pytest

from workbench.components import theme


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (Decimal("1234567.5"), "USD", "USD\N{NO-BREAK SPACE}1,234,567.50"),
        (Decimal("0"), "$", "$0.00"),
        (Decimal("-12.3"), "$", "-$12.30"),
        (Decimal("-12.3"), "Rp", "-Rp\N{NO-BREAK SPACE}12.30"),
        (Decimal("10.125"), "", "10.13"),  # half up, as PostgreSQL's round
        (Decimal("-10.125"), "", "-10.13"),
        (Decimal("-0.001"), "$", "$0.00"),
        (Decimal("9999999999.99"), "", "9,999,999,999.99"),
        (7, "EUR", "EUR\N{NO-BREAK SPACE}7.00"),
        (None, "USD", "–"),
    ],
)
def test_money_is_grouped_and_rounded_once(value: Decimal | int | None, currency: str, text: str) -> None:
    assert theme.money(value, currency) == text


def test_money_refuses_floats() -> None:
    with pytest.raises(TypeError):
        theme.money(10.1)  # type: ignore[arg-type]


def test_counts_and_percentages() -> None:
    assert (theme.count(1234567), theme.count(0), theme.count(None)) == ("1,234,567", "0", "–")
    assert (theme.percent(Decimal("0.1234")), theme.percent(None)) == ("12.3%", "–")
    assert (theme.percent(0.05, is_change=True), theme.percent(-0.05, is_change=True)) == ("+5.0%", "-5.0%")


def test_store_time_is_the_wall_clock_as_stored() -> None:
    assert theme.store_time(datetime(2026, 3, 1, 14, 5, 59)) == "2026-03-01 14:05"
    assert theme.store_time(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3600, "1 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (None, "unknown"),
    ],
)
def test_age(seconds: float | None, text: str) -> None:
    assert theme.age(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 kB"), (16 * 1024**2, "16.0 MB"), (5 * 1024**5, "5,120.0 TB")],
)
def test_size(n_bytes: int, text: str) -> None:
    assert theme.size(n_bytes) == text


@pytest.mark.parametrize(
    ("age", "level"), [(5.0, "fresh"), (5.1, "amber"), (50.0, "amber"), (50.1, "red"), (None, "unknown")]
)
def test_freshness_turns_amber_beyond_the_limit_and_red_beyond_ten_times(age: float | None, level: str) -> None:
    assert theme.freshness(age, limit_seconds=5.0) == level


def test_a_store_keeps_its_colour_and_no_two_of_a_chart_share_one() -> None:
    ids = [*range(-5, 150), 1001, 1002, 2003]
    assert len(set(theme.store_colors(ids).values())) == len(ids)
    assert theme.store_colors([3, 12]) == {id_: theme.store_colors(range(1, 41))[id_] for id_ in (3, 12)}
    first = list(theme.store_colors(range(1, 25)).values())
    assert min(theme._apart(*pair) for pair in combinations(first, 2)) > 70  # told apart side by side


@pytest.mark.parametrize(
    ("value", "text"), [(Decimal("27.70"), "27.70"), (999, "999"), (12_340, "12.3k"), (Decimal("-4500000.10"), "-4.5m")]
)
def test_a_brief_amount_has_the_unit_of_the_axes(value: Decimal | int, text: str) -> None:
    assert theme.brief(value) == text


def test_esc_takes_the_meaning_out_of_markup() -> None:
    assert theme.esc("<b a=\"1\" c='2'>&") == "&lt;b a=&quot;1&quot; c=&#x27;2&#x27;&gt;&amp;"


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ink", [("text", "primary"), ("text", "secondary"), ("error", "main"), ("success", "main")])
@pytest.mark.parametrize("ground", ["default", "paper"])
def test_text_is_readable_on_the_page(mode: str, ink: tuple[str, str], ground: str) -> None:
    palette = theme.THEME[mode]["palette"]
    assert contrast(palette[ink[0]][ink[1]], palette["background"][ground]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("color", ["primary", "success", "warning", "error"])
def test_text_is_readable_on_buttons(mode: str, color: str) -> None:
    shades = theme.THEME[mode]["palette"][color]
    assert contrast(shades["main"], shades["contrastText"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours as WCAG defines it: 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.0008, "0.8 ms"), (0.0042, "4.2 ms"), (0.012, "12 ms"), (1.2345, "1,234 ms"), (12.34, "12.3 s")],
)
def test_a_duration_reads_in_milliseconds_until_it_is_long(seconds: float | None, text: str) -> None:
    assert theme.duration(seconds) == text
