"""How a place writes figures and days: neutral until a locale is set, then as Unicode's CLDR has it, by Babel."""

from __future__ import annotations

import re
from dataclasses import dataclass

from babel import Locale
from babel.core import UnknownLocaleError, get_locale_identifier, parse_locale

SPACE = "\N{NO-BREAK SPACE}"
_UNSEEN = re.compile("[\u200e\u200f]")
_QUOTED = re.compile(r"\s*'[^']*'\.?")
_PARTS = {"y": "%Y", "Y": "%Y", "M": "%m", "L": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S"}


@dataclass(frozen=True)
class Conventions:
    """Days and times are patterns of ``strftime``: all figures with their zeros, so that columns align.

    ``percent`` and ``money`` have ``{}`` where the number stands, and money ``¤`` for the currency.
    """

    name: str = ""
    decimal: str = "."
    group: str = ","
    beyond: int = 3  # figures of the groups beyond the thousands: two in India, 12,34,567, where groups have commas
    percent: str = "{}%"
    money: str = "¤{}"
    day: str = "%Y-%m-%d"
    time: str = "%H:%M"
    seconds: str = "%H:%M:%S"
    of_month: str = ""  # a day and a month as axes of charts write them; empty: by their English names
    of_year: str = ""

    @property
    def is_neutral(self) -> bool:
        """Whether no locale is set: ISO days, a decimal point, English."""
        return not self.name


_now = Conventions()


def conventions() -> Conventions:
    """Those that are in use."""
    return _now


def find_locale(name: str) -> Locale:
    """The locale of a name as CLDR has it. Raises ValueError for a name that is none."""
    try:
        return Locale.parse(get_locale_identifier(parse_locale(name.strip().partition(".")[0].replace("-", "_"))))
    except (ValueError, TypeError, UnknownLocaleError):
        raise ValueError(
            "it must be the name of a locale, a language and a country such as de_DE, id_ID, en_GB or fr_FR; empty:"
            " ISO days, a decimal point and English"
        ) from None


def conventions_of(name: str) -> Conventions:
    """What CLDR says of a locale; neutral for an empty name."""
    if not name:
        return Conventions()
    locale = find_locale(name)
    symbols = locale.number_symbols["latn"]
    short, skeletons = locale.date_formats["short"].pattern, locale.datetime_skeletons
    seconds = _time(skeletons["Hms"].pattern)
    return Conventions(
        name=str(locale),
        decimal=symbols["decimal"],
        group=symbols["group"],
        beyond=2 if locale.decimal_formats[None].grouping == (3, 2) else 3,
        percent=_around(locale.percent_formats[None].pattern),
        money=_around(locale.currency_formats["standard"].pattern),
        day=_strftime(short),
        time=seconds[: -len(":%S")],
        seconds=seconds,
        of_month=_strftime(skeletons["Md"].pattern),
        of_year=_strftime(skeletons["yM"].pattern),
    )


def use_locale(name: str) -> None:
    """Has this process write figures and days as in that place from now on."""
    global _now
    _now = conventions_of(name)


def _around(pattern: str) -> str:
    """``#,##0.00 ¤`` as ``{} ¤``; only its positive half counts, a minus stands before all."""
    return re.sub(r"[#0][#0,.]*", "{}", _UNSEEN.sub("", pattern.partition(";")[0]), count=1)


def _strftime(pattern: str) -> str:
    plain = _QUOTED.sub("", _UNSEEN.sub("", pattern)).replace("%", "%%")
    return re.sub(r"([a-zA-Z])\1*", lambda found: _PARTS.get(found[1], ""), plain).strip(SPACE + "\u202f ")


def _time(pattern: str) -> str:
    """Hours of 24, whatever the place: a till has no room for an afternoon that is read as a morning."""
    separator = "." if "." in pattern and ":" not in pattern else ":"
    return separator.join(("%H", "%M", "%S"))
