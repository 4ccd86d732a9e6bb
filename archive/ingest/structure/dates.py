"""Dates as pages print them: found in a short line, and read where they can be read in one way only.

Fixed formats and a table of month names, nothing guessed: "03/04/2014" and "9 years ago" are dates, but nobody can
say which. Where a page states no time zone its clock is taken for UTC, and a date without a time for its midnight.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

# January to December. Lower-cased, in the cases that dates use; abbreviations are made below.
_MONTHS = """
en january february march april may june july august september october november december
de januar februar märz april mai juni juli august september oktober november dezember
at jänner feber maerz april mai juni juli august september oktober november dezember
fr janvier février mars avril mai juin juillet août septembre octobre novembre décembre
es enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
it gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
pt janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
nl januari februari maart april mei juni juli augustus september oktober november december
sv januari februari mars april maj juni juli augusti september oktober november december
da januar februar marts april maj juni juli august september oktober november desember
pl stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
ru января февраля марта апреля мая июня июля августа сентября октября ноября декабря
el ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου
fi tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta
fk tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu
tr ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
cs ledna února března dubna května června července srpna září října listopadu prosince
hu január február március április május június július augusztus szeptember október november december
"""  # noqa: E501


def _month_table() -> dict[str, int]:
    """Return month names and their first three and four letters; what means two months is in it only if spelt out."""
    full: dict[str, int] = {}
    short: dict[str, set[int]] = {"sept": {9}}
    for row in _MONTHS.split("\n"):
        for number, name in enumerate(row.split()[1:], 1):
            full[name] = number
            for length in (3, 4):
                short.setdefault(name[:length], set()).add(number)
    return {name: min(numbers) for name, numbers in short.items() if len(numbers) == 1} | full


MONTHS = _month_table()

_WORD = r"[^\W\d_]"
# Seconds to years, as the stems that follow a number. Only ever used next to a number or an article.
_UNITS = (
    "sec|min|hour|hr|day|week|month|mo|year|yr|sek|stunde|tag|woche|monat|jahr|heure|jour|semaine|mois|an|année|seg|"
    "hora|día|dia|semana|mes|mês|año|ano|ora|ore|giorn|settiman|mese|mesi|anno|anni|uur|dag|maand|jaar|tim|dygn|veck|"
    "vecka|månad|år|uke|uge|time|måned|godzin|dni|dzień|tydzie|tygodn|miesi|rok|lat|lata|сек|мин|час|дн|ден|недел|месяц|"
    "год|лет|tunti|tuntia|päiv|viikk|kuukau|vuos|vuot|δευτερ|λεπτ|ώρ|ημέρ|μέρ|εβδομάδ|μήν|χρόν|έτ|saat|gün|hafta|ay|yıl"
)
_BEFORE = "vor|hace|il y a|há|πριν|před"
_AFTER = "ago|fa|sitten|geleden|siden|sedan|назад|temu|atrás|atras|önce|πριν|előtt|earlier|later|zuvor|vorher"
_SOME = r"\d{1,4}|an?|one|einem|einer|eine|un|une|una|uno|um|uma|een|en|ett|et"
_DAYS = (
    "today|yesterday|just now|heute|gestern|vorgestern|gerade eben|aujourd'hui|aujourd’hui|hier|avant-hier|hoy|ayer|"
    "anteayer|oggi|ieri|hoje|ontem|vandaag|gisteren|idag|igår|i dag|i går|tänään|eilen|dziś|dzisiaj|wczoraj|сегодня|"
    "вчера|позавчера|σήμερα|χθες|bugün|dün|今天|昨天|前天|今日|昨日|刚刚|刚才"
)
_WEEKDAYS = (
    "(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun|(?:mon|diens|donners|frei|sams|sonn)tag|"
    "mittwoch|sonnabend|mo|di|mi|do|fr|sa|so|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|"
    "jueves|viernes|sábado|domingo|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|"
    "(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|måndag|"
    "tisdag|mandag|tirsdag|onsdag|torsdag|fredag|lördag|lørdag|søndag|söndag|poniedziałek|wtorek|środa|czwartek|piątek|"
    "sobota|niedziela|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|maanantai|tiistai|keskiviikko|"
    "torstai|perjantai|lauantai|sunnuntai"
)
_TIME = (
    r"(?P<hour>[01]?\d|2[0-4])(?:(?::|(?P<point>\.))(?P<minute>[0-5]\d)(?:[:.](?P<second>[0-5]\d)(?:\.\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
    r"|\s?h\s?(?P<minute_h>[0-5]\d)?\b(?!\w)|\s*(?P<half_only>[ap])\.?m\b\.?|[点时시]\s?(?P<minute_c>[0-5]?\d)?[分분]?)"
    r"(?:\s*(?P<zone>Z\b|UTC\b|GMT\b|[+-][01]\d:?[0-5]\d\b))?"
)
_DATE = (
    r"(?P<y1>(?:19|20)\d\d)(?P<sep>[-/.])\s?(?P<m1>\d\d?)(?P=sep)\s?(?P<d1>\d\d?)(?!\d)"
    r"|(?P<y2>(?:19|20)\d\d)\s?[年년]\s?(?P<m2>\d\d?)\s?[月월]\s?(?P<d2>\d\d?)\s?[日일]?"
    r"|(?P<a>\d\d?)(?P<sep2>[-/.])\s?(?P<b>\d\d?)(?P=sep2)\s?(?P<y3>(?:19|20)\d\d|(?<=\d\d[-/.])\d\d)(?![.\d])"
    rf"|(?P<d4>\d\d?)(?:st|nd|rd|th|er|\.|º|ª)?[ -]?(?:(?:of|de|di|d')\s)?(?P<w4>{_WORD}{{3,14}})\.?,?"
    r"[ -]?(?:del?\s)?(?P<y4>(?:19|20)\d\d)\b"
    rf"|(?P<w5>{_WORD}{{3,14}})\.?[ ](?P<d5>\d\d?)(?:st|nd|rd|th)?,?\s(?P<y5>(?:19|20)\d\d)\b"
    rf"|(?P<y8>(?:19|20)\d\d)[.,]?\s(?P<w8>{_WORD}{{3,14}})\.?\s(?P<d8>\d\d?)\b\.?"
    rf"|(?P<d6>\d\d?)\.?\s(?P<w6>{_WORD}{{3,14}})\b|(?P<w7>{_WORD}{{3,14}})\.?\s(?P<d7>\d\d?)\b"
)
_RELATIVE = (
    rf"(?:(?:{_BEFORE})\s(?:{_SOME})\s(?:{_UNITS}){_WORD}{{0,7}}\b|(?:{_SOME})\s(?:{_UNITS}){_WORD}{{0,7}}\.?\s(?:{_AFTER})\b"
    r"|\d{1,4}\s?(?:个|個)?(?:秒|分钟|分鐘|分|小时|小時|時間|天|日|周|週|週間|月|か月|ヶ月|年)前|\d{1,4}\s?(?:초|분|시간|일|주|개월|년)\s?전)"
)
_FOUND = re.compile(
    rf"(?:(?<!\w)|(?<=\dT))(?:(?P<relative>{_RELATIVE})|(?P<near>(?:{_DAYS})(?!\w))"
    rf"|(?P<weekday>(?:{_WEEKDAYS})\b\.?,?(?=\s\S))|(?P<date>{_DATE})|(?P<time>{_TIME}))",
    re.IGNORECASE,
)
_GLUE = re.compile(rf"[\s,;:|·•@/()–—-]*(?:{_WORD}{{1,4}}\.?[\s,:]*){{0,2}}")
_TAIL = re.compile(r"\s?(?:uhr|Uhr|h|hrs|ч|г)\b\.?")


def _by_initial(words: str) -> str:
    """Return a pattern for the same words that tries those of one initial only."""
    found: dict[str, list[str]] = {}
    for word in words.split("|"):
        found.setdefault(word[0], []).append(word[1:])
    return "|".join(f"{initial}(?:{'|'.join(rest)})" for initial, rest in found.items())


# Without a digit there must be a day's name or what makes "an hour" a time ago; articles alone stand in every line.
_MAY_HOLD = re.compile(rf"\d|\b(?:{_by_initial(f'{_DAYS}|{_BEFORE}|{_AFTER}')})\b", re.IGNORECASE)


MOST_TRIES = 12  # places of a line that look like a date before the rest of it is given up: a table, a listing


class Stamp(NamedTuple):
    """A date or time of day in a line: where it is there, and the matches it was put together from."""

    start: int
    end: int
    parts: tuple[re.Match[str], ...]


def _is_date(match: re.Match[str]) -> bool:
    if not match["date"]:
        return True
    word = match["w6"] or match["w7"]
    # Without a year only a month's full name or usual abbreviation makes "3 May" a date and leaves "3 people" alone.
    return not word or word.lower() in MONTHS


def stamps(line: str) -> list[Stamp]:
    """Return the dates and times in ``line``, in order; a weekday, a date and a time next to each other are one."""
    if not _MAY_HOLD.search(line):
        return []
    found: list[Stamp] = []
    at = 0
    for _ in range(MOST_TRIES):
        match = _FOUND.search(line, at)
        if not match:
            break
        if not _is_date(match):
            at = match.start() + 1
            while at < len(line) and line[at - 1].isalnum() and line[at].isalnum():
                at += 1  # on to the next word
            continue
        at = match.end()
        tail = _TAIL.match(line, at)
        at = tail.end() if tail else at
        last = found[-1] if found else None
        if last and (glue := _GLUE.fullmatch(line, last.end, match.start())) and len(glue.group()) < 12:
            found[-1] = Stamp(last.start, at, (*last.parts, match))
        else:
            found.append(Stamp(match.start(), at, (match,)))
    return [one for one in found if not _is_number(one)]


def _is_number(stamp: Stamp) -> bool:
    """Say whether the stamp is no more than a weekday, or a number with a point in it such as 0.50."""
    return all(part["weekday"] or (part["time"] and part["point"] and not part["half"]) for part in stamp.parts)


def day_first(found: list[Stamp]) -> bool | None:
    """Say whether 03/04/2014 has the day first on this page: yes, no, or None where its dates do not tell."""
    firsts, seconds = set(), set()
    for stamp in found:
        for part in stamp.parts:
            if part["a"] and part["sep2"] != ".":
                firsts.add(int(part["a"]) > 12)
                seconds.add(int(part["b"]) > 12)
    if (True in firsts) == (True in seconds):
        return None
    return True in firsts


def _day(part: re.Match[str], day_is_first: bool | None) -> tuple[int, int, int] | None:
    for y, m, d in (("y1", "m1", "d1"), ("y2", "m2", "d2")):
        if part[y]:
            return int(part[y]), int(part[m]), int(part[d])
    for y, w, d in (("y4", "w4", "d4"), ("y5", "w5", "d5"), ("y8", "w8", "d8")):
        if part[y]:
            month = MONTHS.get(part[w].lower())
            return (int(part[y]), month, int(part[d])) if month else None
    if part["a"] and len(part["y3"]) == 4:
        first, second, year = int(part["a"]), int(part["b"]), int(part["y3"])
        # With dots the day comes first wherever people write dates so; with slashes it depends on the country.
        if part["sep2"] == "." or day_is_first:
            return year, second, first
        if day_is_first is False or (second > 12 >= first):
            return year, first, second
        if first > 12 >= second:
            return year, second, first
    return None


def _clock(part: re.Match[str]) -> timedelta:
    hour = int(part["hour"])
    half = (part["half"] or part["half_only"] or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    minute = part["minute"] or part["minute_h"] or part["minute_c"] or 0
    return timedelta(hours=hour % 24, minutes=int(minute), seconds=int(part["second"] or 0))


def _zone(stated: str | None) -> timezone:
    if not stated or stated[0] not in "+-":
        return UTC
    away = timedelta(hours=int(stated[1:3]), minutes=int(stated[-2:]))
    return timezone(-away if stated[0] == "-" else away)


def read(stamp: Stamp, day_is_first: bool | None = None) -> datetime | None:
    """Return the moment in UTC, or None where the stamp does not name exactly one day that exists."""
    day = next((d for d in (_day(part, day_is_first) for part in stamp.parts if part["date"]) if d), None)
    if not day:
        return None
    clock = next((part for part in stamp.parts if part["time"]), None)
    try:
        moment = datetime(*day, tzinfo=_zone(clock["zone"] if clock else None))
        return (moment + (_clock(clock) if clock else timedelta())).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
