"""How dates, months, weeks, quarters and times of day are written: the tables of `dates`.

An order has forms, regular expressions (of RE2, regardless of case) whose groups are the parts of a date.
"""

from __future__ import annotations

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv",
            "february feb fevrier fevr fev",
            "march mar mars",
            "april apr avril avr",
            "may mai",
            "june jun juin",
            "july jul juillet juil",
            "august aug aout aou",
            "september sept sep septembre",
            "october oct octobre",
            "november nov novembre",
            "december dec decembre",
        ),
        start=1,
    )
    for name in names.split()
}
ZONES = {"": 0, "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "CET": 1, "CEST": 2}  # in hours; those of America as RFC 5322
ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

_S = r"[\s\x{a0}\x{2009}\x{202f}]"  # also the no-break spaces that JavaScript and spreadsheets write
_JOINT = rf"(?:{_S}|[-/.,])"
_SEPARATOR = rf"(?:{_S}*[-/.]{_S}*|{_S}+)"
_UNDOTTED = rf"(?:{_S}*[-/]{_S}*|{_S}+)"

_WEEKDAY = (
    rf"(?:le{_S}+)?(?:(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
    rf"|(?:lun|mar|mer(?:cre)?|jeu|ven(?:dre)?|same?)(?:di)?|dim(?:anche)?)(?:[.,]+{_S}*|{_S}+))?"
)
_Y4, _Y2, _Y = r"(?P<year>\d{4})", r"(?P<year>\d{2})", r"['’]?(?P<year>\d{4}|\d{2})"
_YEAR_OF_MONTH = r"(?P<year>[12]\d{3})"
_M, _MM, _D, _DD = r"(?P<month>\d{1,2})", r"(?P<month>\d{2})", r"(?P<day>\d{1,2})", r"(?P<day>\d{2})"
_NAME = r"(?P<name>[a-zà-ÿ\x{300}-\x{302}]+)\.?"  # accents may be characters of their own
_NTH = rf"{_D}(?:st|nd|rd|th|er)?"

_HOUR, _MINUTE = r"(?P<hour>\d{1,2})", r"(?P<minute>\d{2})"
_SECOND = r"(?P<second>\d{2}(?:[.,]\d+)?)"
_HALF = rf"{_S}*(?P<half>[ap])\.?{_S}*m\.?"
_H, _MIN = rf"{_S}*h{_S}*", rf"{_S}*m(?:i?n)?{_S}*"
_CLOCK = (  # after a date, where nothing else can be meant
    rf"{_HOUR}(?:(?:[:.]|{_H})?{_MINUTE}(?:(?:[:.]|{_MIN})?{_SECOND}(?:{_S}*s)?|{_MIN})?|{_H})?(?:{_HALF})?"
)
_ZONE = (
    rf"(?P<zone>(?:UTC|GMT)?{_S}?[-+−]\d{{1,2}}(?::?\d{{2}})?|{'|'.join(name for name in ZONES if name)})"
    rf"(?:{_S}+[A-Z]{{3,5}})?(?:{_S}*[(\[][^)\]]*[)\]])?"  # and the name of the zone once more
)
_CLOCK_AND_ZONE = rf"{_CLOCK}(?:{_S}*{_ZONE})?"
_BETWEEN = rf"(?:T|{_S}*,{_S}*|{_S}+(?:(?:-|–|at|à){_S}+)?)"
_TIME = rf"(?:{_BETWEEN}{_CLOCK_AND_ZONE})?"
_PLAIN_TIME = (  # what nearly all files have, and nothing that takes long; XML gives a day alone a zone too
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?(?: (?P<half>[ap])m)?)?"
    r"(?P<zone>Z|[-+]\d{2}:?\d{2})?"
)

_YMD = rf"{_WEEKDAY}{_Y4}{_SEPARATOR}{_M}{_SEPARATOR}{_D}"
_DMY = rf"{_WEEKDAY}{_D}{_SEPARATOR}{_M}{_SEPARATOR}{_Y4}"
_MDY = rf"{_WEEKDAY}{_M}{_UNDOTTED}{_D}{_UNDOTTED}{_Y4}"

_YEAR_FIRST = (
    rf"{_Y4}[-/.]{_M}[-/.]{_D}{_PLAIN_TIME}",
    rf"{_YMD}{_TIME}",
    rf"{_Y4}{_MM}{_DD}(?:T|{_S}|_)(?P<hour>\d{{2}}):?{_MINUTE}(?::?{_SECOND})?(?:{_S}*{_ZONE})?",  # 20240131T1200Z
    rf"{_Y4}{_JOINT}*{_NAME}{_JOINT}*{_D}{_TIME}",
    rf"{_Y4}:{_MM}:{_DD}{_S}{_CLOCK_AND_ZONE}",  # of photographs
)
_DAY_NAMED = (
    rf"{_D}[- /]{_NAME}[- /]{_Y4}{_PLAIN_TIME}",
    rf"{_WEEKDAY}{_NTH}{_JOINT}*(?:of{_S}+)?{_NAME}{_JOINT}*{_Y}{_TIME}",
    rf"{_D}/?{_NAME}/?{_Y4}:{_CLOCK_AND_ZONE}",  # of Apache and SAS
)
_MONTH_NAMED = (
    rf"{_NAME}[- /]{_D},?[- /]{_Y4}{_PLAIN_TIME}",
    rf"{_WEEKDAY}{_NAME}{_JOINT}*{_NTH}{_JOINT}+{_Y}{_TIME}",
    rf"{_WEEKDAY}{_NAME}{_S}+{_D}{_S}+{_CLOCK_AND_ZONE}{_S}+{_Y4}",  # of C and Twitter
)
_MONTHS_YEAR_FIRST = (
    rf"{_YEAR_OF_MONTH}[-/]{_M}",
    rf"{_YEAR_OF_MONTH}-?M{_MM}",  # of statistical offices
    rf"{_YEAR_OF_MONTH}{_JOINT}*{_NAME}",
)
_MONTHS_YEAR_LAST = (
    rf"{_M}[-/]{_YEAR_OF_MONTH}",
    rf"{_NAME}{_JOINT}*{_YEAR_OF_MONTH}",
    rf"{_NAME}(?:[-/]|{_S}*['’]){_Y2}",
)
_QUARTER = r"(?P<quarter>\d)"
_QUARTER_MARK = rf"(?:Q(?:tr\.?)?|T){_S}*"

DIGITS, LAST = "yyyymmdd", "two-digit-year-month-day"
OWN = {
    "year-month-day": _YEAR_FIRST,
    "day-month-year": (
        rf"{_D}[-/.]{_M}[-/.]{_Y4}{_PLAIN_TIME}",
        rf"{_DMY}{_TIME}",
        rf"{_WEEKDAY}{_D}[-/]{_M}[-/]{_Y2}{_TIME}",
        rf"{_WEEKDAY}{_DD}\.{_MM}\.{_Y2}{_TIME}",  # but 1.2.10 is a version
        *_DAY_NAMED,
    ),
    "month-day-year": (
        rf"{_M}[-/]{_D}[-/]{_Y4}{_PLAIN_TIME}",
        rf"{_MDY}{_TIME}",
        rf"{_WEEKDAY}{_M}[-/]{_D}[-/]{_Y2}{_TIME}",
        *_MONTH_NAMED,
    ),
    "year-month": _MONTHS_YEAR_FIRST,
    "month-year": _MONTHS_YEAR_LAST,
    "year-week": (
        rf"{_YEAR_OF_MONTH}(?:{_S}|[-/])*(?:W(?:eek)?|semaine){_S}*(?P<week>\d{{1,2}})(?:-?(?P<weekday>\d))?",
        rf"{_YEAR_OF_MONTH}(?:{_S}|[-/])*S(?P<week>\d{{2}})(?:-?(?P<weekday>\d))?",  # but 2024-S1 is half a year
        rf"(?:W(?:eek)?|semaine){_S}*(?P<week>\d{{1,2}}){_JOINT}*{_YEAR_OF_MONTH}",
        rf"S(?P<week>\d{{2}}){_JOINT}*{_YEAR_OF_MONTH}",
    ),
    "year-quarter": (
        rf"{_YEAR_OF_MONTH}(?:{_JOINT}|:)*{_QUARTER_MARK}{_QUARTER}",
        rf"{_QUARTER_MARK}{_QUARTER}{_JOINT}*{_YEAR_OF_MONTH}",
        rf"{_QUARTER_MARK}{_QUARTER}{_S}*['’]{_Y2}",
        rf"{_QUARTER}[QT]{_JOINT}*{_YEAR_OF_MONTH}",
        rf"{_QUARTER}(?:st|nd|rd|th|er|[eè]me|e)?{_S}*(?:quarter|trimestre){_S}+(?:of{_S}+|de{_S}+)?{_YEAR_OF_MONTH}",
    ),
    "time of day": (
        rf"{_HOUR}:{_MINUTE}(?::{_SECOND})?(?:{_HALF})?",
        rf"{_HOUR}{_H}(?:{_MINUTE}(?:{_MIN}(?:{_SECOND}{_S}*s?)?)?)?",
        rf"{_HOUR}(?:\.{_MINUTE})?{_HALF}",
    ),
    DIGITS: (rf"{_Y4}{_MM}{_DD}(?:(?P<hour>\d{{2}}){_MINUTE}(?P<second>\d{{2}})?)?",),
    LAST: (rf"{_Y2}[-/]{_M}[-/]{_D}{_TIME}", rf"{_Y2}\.{_MM}\.{_DD}{_TIME}"),
}
ORDERS = tuple(OWN)
TIME_OF_DAY = "time of day"

_DAYS_AS_ANYWHERE = (*_YEAR_FIRST, *_DAY_NAMED, *_MONTH_NAMED)
_MONTHS_AS_ANYWHERE = (*_MONTHS_YEAR_FIRST, *_MONTHS_YEAR_LAST)
_DAYS = ("year-month-day", "day-month-year", "month-day-year", DIGITS, LAST)
_SHARED: dict[str, tuple[str, ...]] = dict.fromkeys(_DAYS, _DAYS_AS_ANYWHERE)
_SHARED |= dict.fromkeys(("year-month", "month-year"), _MONTHS_AS_ANYWHERE)

# What is something else if every text of a column is of this kind.
LOOKALIKES = {
    "year-month": r"^\d{4}[-/]\d$",  # 2024-1 is a term
    "month-year": r"^1/\d{4}$",  # 1/2000 is a fraction
    "time of day": rf"(?i)^(?:1:\d\d|\d+{_S}*h)$",  # 1:50 is a ratio, 8h a duration
}


def forms_of(order: str) -> list[str]:
    """The forms that an order reads, its own first."""
    return list(dict.fromkeys((*OWN[order], *_SHARED.get(order, ()))))
