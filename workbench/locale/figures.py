"""How a place writes figures, days and moments: neutral until a locale is set, then as Unicode's CLDR has it.

What is typed is read as it is written here, ISO days and points too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError, get_locale_identifier, parse_locale
from babel.dates import format_skeleton, get_day_names

SPACE = "\N{NO-BREAK SPACE}"
_UNSEEN = re.compile("[\u200e\u200f]")
_QUOTED = re.compile(r"\s*'[^']*'\.?")
_FIELDS = {"y": "%Y", "Y": "%Y", "M": "%m", "L": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S"}


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
    return re.sub(r"([a-zA-Z])\1*", lambda found: _FIELDS.get(found[1], ""), plain).strip(SPACE + "\u202f ")


def _time(pattern: str) -> str:
    """Hours of 24, whatever the place: a till has no room for an afternoon that is read as a morning."""
    separator = "." if "." in pattern and ":" not in pattern else ":"
    return separator.join(("%H", "%M", "%S"))


CENT = Decimal("0.01")


def number(value: Decimal | float, places: int | None = None, *, is_change: bool = False) -> str:
    """``1,234.50``; with as many places as it has where none are named. A change carries its sign."""
    sign = "+" if is_change else ""
    return in_place(f"{value:{sign},}" if places is None else f"{value:{sign},.{places}f}")


def in_place(text: str) -> str:
    """A number that was written with commas and a point, as it is written here."""
    now = conventions()
    if now.beyond == 2:
        text = re.sub(r"\d+(?:,\d{3})+", _in_groups_of_two, text)
    return text if now.is_neutral else text.translate({ord(","): now.group, ord("."): now.decimal})


def _in_groups_of_two(found: re.Match[str]) -> str:
    """``12,34,567`` for ``1,234,567``."""
    return re.sub(r"\B(?=(?:\d\d)+\d$)", ",", found[0].replace(",", ""))


def money(value: Decimal | int, currency: str = "") -> str:
    """``USD 1,234.50``; halves are rounded away from zero, as PostgreSQL rounds."""
    if isinstance(value, float):
        raise TypeError("money is Decimal, never float")
    amount = Decimal(value).quantize(CENT, ROUND_HALF_UP)
    sign, plain = "-" if amount < 0 else "", number(abs(amount), 2)
    return sign + (_with_currency(plain, currency) if currency else plain)


def around_money(currency: str) -> tuple[str, str]:
    """What stands before and behind an amount of this currency: ``USD``, or in German nothing, and then it."""
    before, _amount, behind = _with_currency("\0", currency).partition("\0")
    return before, behind


def _with_currency(plain: str, currency: str) -> str:
    pattern = conventions().money
    if pattern == "¤{}" and currency[-1].isalpha():
        pattern = f"¤{SPACE}{{}}"
    return pattern.format(plain).replace("¤", currency)


def percent(ratio: Decimal | float, is_change: bool = False) -> str:
    """``12.3%`` for 0.123; a change carries its sign."""
    return conventions().percent.format(number(ratio * 100, 1, is_change=is_change))


def day(value: date) -> str:
    """``2026-03-01``."""
    return value.strftime(conventions().day)


def clock_time(value: datetime | time) -> str:
    """``14:05``."""
    return value.strftime(conventions().time)


def clock_seconds(value: datetime | time) -> str:
    """``14:05:22``."""
    return value.strftime(conventions().seconds)


def moment(value: datetime) -> str:
    """``2026-03-01 14:05``."""
    return f"{day(value)} {clock_time(value)}"


def moment_seconds(value: datetime) -> str:
    """``2026-03-01 14:05:22``."""
    return f"{day(value)} {clock_seconds(value)}"


def named_day(value: date) -> str:
    """``3 Nov 2026``."""
    now = conventions()
    return f"{value.day} {value:%b %Y}" if now.is_neutral else _latin(format_skeleton("yMMMd", value, locale=now.name))


def named_month(value: date, *, is_whole: bool = False) -> str:
    """``Nov 2026``; the name is written out where it ``is_whole``."""
    name = "MMMM" if is_whole else "MMM"
    return _latin(format_skeleton(f"y{name}", value, locale=conventions().name or "en_US"))


def _latin(text: str) -> str:
    """With figures from 0 to 9, as everywhere: some names of months have others."""
    return re.sub(r"\d", lambda found: str(int(found[0])), text)


def hour(number: int) -> str:
    """``14:00`` for 14."""
    return clock_time(time(number))


def weekday(number: int) -> str:
    """``Mon`` for 1, as ISO 8601 numbers them."""
    return str(get_day_names("abbreviated", locale=conventions().name or "en_US")[number - 1])


BLANKS, MARKS = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", "\N{RIGHT SINGLE QUOTATION MARK}'"  # of groups
_PARTS = {"%Y": r"(?P<year>\d{4})", "%m": r"(?P<month>\d{1,2})", "%d": r"(?P<day>\d{1,2})"}
_TIME = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?", re.ASCII)
_HINTS = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH", "%M": "MM", "%S": "SS"}
AN_AMOUNT, A_MOMENT = Decimal("12.50"), datetime(2026, 5, 31, 14, 30)


def field_text(value: Any) -> str:
    """A value as it stands in a field: without groups, a moment to the second; empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return str(value).replace(".", conventions().decimal)
    if isinstance(value, datetime):  # what is finer than a second must survive an edit
        return value.isoformat(" ") if value.microsecond else moment_seconds(value)
    return day(value) if isinstance(value, date) else str(value)


def plain_whole(text: str) -> str:
    """A whole number without its groups; any other text as it is.

    As in amounts, groups by blanks are read everywhere, those of another sign where the locale has it. Those by commas
    are too, but where a comma makes decimals.
    """
    now = conventions()
    commas = "" if now.decimal == "," else ","
    own = MARKS if now.group in MARKS else now.group
    for signs in filter(None, (BLANKS, commas, own)):
        sign = f"[{re.escape(signs)}]"
        further = rf"\d{{1,2}}(?:{sign}\d\d)*{sign}\d{{3}}|" if now.beyond == 2 else ""
        if re.fullmatch(rf"-?(?:{further}\d{{1,3}}(?:{sign}\d{{3}})+)", text, re.ASCII):
            return re.sub(sign, "", text)
    return text


def read_day(text: str) -> date:
    """The day of ``31.05.2026`` where days are written so, and everywhere of ``2026-05-31``. Raises ValueError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        found = re.fullmatch(_pattern(conventions().day), text)
        if found is None:
            raise
    return date(**{name: int(figures) for name, figures in found.groupdict().items()})


def read_moment(text: str) -> datetime:
    """The same with a time of day: ``31.05.2026 14:30``. Raises ValueError where either is missing."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        begin, _, end = text.rpartition(" ")
        found = _TIME.fullmatch(end)
        if found is None:
            raise
    hour, minute, second = (int(figures) for figures in found.groups(default="0"))
    return datetime.combine(read_day(begin.rstrip(" ,")), time(hour, minute, second))


def day_hint() -> str:
    """``YYYY-MM-DD``: how a day is typed."""
    return _hint(conventions().day)


def moment_hint() -> str:
    """``YYYY-MM-DD HH:MM:SS``."""
    return _hint(f"{conventions().day} {conventions().seconds}")


def _pattern(written: str) -> re.Pattern[str]:
    parts = (_PARTS.get(part) or re.escape(part).replace(r"\ ", " ?") for part in re.split(r"(%[Ymd])", written))
    return re.compile("".join(parts), re.ASCII)


def _hint(written: str) -> str:
    return re.sub("%[A-Za-z]", lambda found: _HINTS[found[0]], written)
