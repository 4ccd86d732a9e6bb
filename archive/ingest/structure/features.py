"""What can be seen of a line: a fixed list of named numbers, each roughly between 0 and 1, each readable by a person.

Words of a dozen languages are listed where a feature needs words; where a language is missing the feature is 0 and the
others decide. Work for a line is bounded: only its first HEAD and last TAIL characters are looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.lines import Line

HEAD = 800  # code points looked at from the start of a line
TAIL = 100  # and from its end
WINDOW = 30  # lines of article head that vocabulary and typography are compared with
MOST_SEEN = 200_000  # distinct words remembered; no person's discussion has more

Vector = list[float]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts written without spaces, cut into pairs
_STOP = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)
_URL_ONLY = re.compile(r"(?:https?://|www\.)\S+$", re.IGNORECASE)
_QUOTED = re.compile(r"[“„«「\"][^”“»」\"]{20,}[”“»」\"]")
_EMOTICON = re.compile(r"[:;=]-?[)(DPp/|](?!\w)|\^\^|<3|[\U0001f300-\U0001faff\u2600-\u27bf]")
_LOUD = re.compile(r"[!?]{2,}|\.{4,}|…{2,}|！{2,}|？{2,}")
_SHOUT = re.compile(r"\b[^\W\d_a-z]{5,}\b")
_CALL = re.compile(r"@\s?\w|(?:[^\W\d_]+ ){0,3}[^\W\d_]+ ?(?:,|:|！|!|，|-|–) ?\S")
_AT = re.compile(r"@\s?\w")
_LIST = re.compile(r"(?:[-*•·–—+#]|\(?\d{1,3}[.):]|[a-z]\))\s")
_CODE = re.compile(r"[{};<>=\\$|\[\]]")
_DATE = re.compile(r"\b(?:19|20)\d\d\b")
_SIGNED = re.compile(r"[-–—~]?\s?[A-Z][\w.'’]*(?: [A-Z][\w.'’]*){0,3}$")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FIRST = _set(
    "i i'm i’m i've i’ve i'd i’d i'll i’ll me my mine myself ich mir mich mein meine meinen meiner j'ai j’ai j'aime je"
    " moi mon ma mes yo mí mis creo io mio mia miei eu meu minha ik mijn minä minun mulla jag mig min jeg mitt ja mnie"
    " moja я мне меня мой моя εγώ μου ben bana"
)
_SECOND = _set(
    "you your you're you’re you've you’ve yours u ur du dich dir dein deine deinen ihr euch tu te toi ton vous votre"
    " vos tú ti usted tus ustedes voi vostro tuo tua você vocês seu je jij jouw sinä sun teidän dig din deg ty tobie ci"
    " ты вы вас вам тебя ваш εσύ σου σας sen sana"
)
_SAID = _set(
    "said says told according announced reported added explained statement officials sagte erklärte laut berichtete"
    " déclaré selon annoncé dijo según afirmó anunció detto secondo disse segundo afirmou sanoi mukaan sa sier ifølge"
    " powiedział według сказал заявил сообщил είπε σύμφωνα"
)
_GREETING = _set(
    "thanks thank thx ty hi hello hey dear congrats congratulations welcome great nice awesome wow lol haha hallo danke"
    " moin servus merci bonjour salut bravo coucou gracias hola felicidades saludos grazie ciao complimenti obrigado"
    " obrigada olá oi parabéns bedankt hoi kiitos moi hei moikka tack hej takk dzięki cześć witam спасибо привет"
    " здравствуйте ευχαριστώ γεια καλησπέρα teşekkürler merhaba"
)
_REACTION = _set(
    "yes no yeah yep nope ok okay well so but and also agreed agree exactly right sorry oh ah hmm um actually really"
    " very good just as ja nein doch aber stimmt also oui non si mais effectivement sí pero bueno no sí sim não mas"
    " kyllä joo niin mutta ei nei men tak nie ale да нет но ну ναι όχι"
)

LINE_FEATURES = (
    "length", "short", "very_short", "long", "lower_start", "ellipsis_start", "no_stop", "colon_end", "quote_start",
    "angle_quote", "url", "url_only", "question", "exclamation", "quoted_speech", "first_person", "second_person",
    "reported", "greeting", "reaction", "call", "at_name", "digits", "year", "emoticon", "loud", "shout",
    "curly_apostrophe", "straight_apostrophe", "dash", "dots", "double_space", "list_item", "code", "signature",
    "no_capitals", "capital_words", "parenthesis", "wide_script", "boilerplate",
)  # fmt: skip
RELATION_FEATURES = (
    "overlap_previous", "overlap_head", "unseen_words", "longer_than_previous", "quotes_unlike_head",
    "call_unlike_head", "person_unlike_head", "length_unlike_head",
)  # fmt: skip
NAMES = LINE_FEATURES + RELATION_FEATURES


def words_of(text: str) -> list[str]:
    """Return the lower-cased words of ``text``; runs of Chinese, Japanese or Korean become overlapping pairs."""
    lowered = text.lower()
    if not _WIDE.search(lowered):
        return _WORD.findall(lowered)
    words: list[str] = []
    for word in _WORD.findall(lowered):
        if _WIDE.search(word):
            words += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            words.append(word)
    return words


def _flag(found: object) -> float:
    return 1.0 if found else 0.0


def _share(words: Sequence[str], listed: frozenset[str], scale: float) -> float:
    """Return how common the listed words are, 1.0 where every ``scale``-th word is one of them or more."""
    return min(1.0, scale * sum(map(listed.__contains__, words)) / max(6, len(words)))


def line_features(text: str, words: Sequence[str]) -> Vector:
    """Return LINE_FEATURES of one line."""
    head, tail, size = text[:HEAD], text[-TAIL:], len(text)
    opening = text[:40]
    first = words[0] if words else ""
    letters = sum(map(str.isalpha, opening))
    link = _URL.search(head)
    digits = sum(map(head.count, "0123456789") if head.isascii() else map(str.isdigit, head))
    capitals = sum(w[:1].isupper() for w in head.split()[:40])
    return [
        math.log2(1 + size) / 12, _flag(size < 60), _flag(size < 20), _flag(size > 400),
        _flag(opening[:1].islower()), _flag(opening[:1] == "…" or opening[:2] == ".."),
        _flag(not _STOP.search(tail)), _flag(tail[-1:] in ":,;：，"), _flag(opening[:1] in "\"“„«'‘「"),
        _flag(opening[:1] == ">"), _flag(link), _flag(link and _URL_ONLY.match(head)),
        _flag("?" in head or "？" in head), _flag("!" in head or "！" in head), _flag(_QUOTED.search(head)),
        _share(words, _FIRST, 8), _share(words, _SECOND, 8), _share(words, _SAID, 15), _flag(first in _GREETING),
        _flag(first in _REACTION), _flag(_CALL.match(opening)), _flag(_AT.match(opening)),
        min(1.0, 8 * digits / (1 + len(head))), _flag(digits and _DATE.search(head)),
        _flag(_EMOTICON.search(head)), _flag(_LOUD.search(head)), _flag(_SHOUT.search(head)), _flag("’" in head),
        _flag("'" in head), _flag("—" in head or "–" in head), _flag("..." in head), _flag("  " in head),
        _flag(_LIST.match(opening)), min(1.0, 15 * len(_CODE.findall(head)) / (1 + len(head))),
        _flag(_SIGNED.fullmatch(text) if size < 50 else None), _flag(letters and opening == opening.lower()),
        min(1.0, 2 * capitals / max(4, len(words[:40]))), _flag("(" in head), _flag(_WIDE.search(opening)),
        _flag(boilerplate_kind(text)),
    ]  # fmt: skip


class _Head:
    """The first WINDOW lines of a text: what later lines are compared with."""

    def __init__(self, rows: Sequence[Vector], words: Sequence[Sequence[str]]) -> None:
        self.words = set[str]().union(*map(_subjects, words))
        self.mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)] or [0.0] * len(LINE_FEATURES)


def _subjects(words: Iterable[str]) -> set[str]:
    """Return the words without the short ones: grammar in every language that has spaces, they say no subject."""
    return {word for word in words if len(word) > 3 or (not word.isascii() and _WIDE.match(word))}


_AT_INDEX = {name: i for i, name in enumerate(LINE_FEATURES)}
_CURLY, _STRAIGHT = _AT_INDEX["curly_apostrophe"], _AT_INDEX["straight_apostrophe"]
_FIRST_I, _SECOND_I, _CALL_I, _LENGTH = (_AT_INDEX[n] for n in ("first_person", "second_person", "call", "length"))


def _relations(
    row: Vector, before: Vector | None, own: set[str], last: set[str], seen: set[str], head: _Head
) -> Vector:
    """Return RELATION_FEATURES of a line with word set ``own``: to the line before, to all before, to the head."""
    count = max(4, len(own))
    mean = head.mean
    unlike = row[_CURLY] * (mean[_STRAIGHT] > mean[_CURLY]) + row[_STRAIGHT] * (mean[_CURLY] > mean[_STRAIGHT])
    person = row[_FIRST_I] + row[_SECOND_I] - mean[_FIRST_I] - mean[_SECOND_I]
    return [
        len(own & last) / count,
        len(own & head.words) / count,
        len(own - seen) / count,
        max(-1.0, min(1.0, 3 * (row[_LENGTH] - before[_LENGTH]))) if before else 0.0,
        unlike * (1 - row[_CURLY] * row[_STRAIGHT]),
        row[_CALL_I] - mean[_CALL_I],
        person,
        row[_LENGTH] - mean[_LENGTH],
    ]


def features_of(lines: Sequence[Line]) -> tuple[list[Vector], list[list[str]]]:
    """Return for each line its NAMES and its words. Linear in the length of the text."""
    words = [words_of(line.text[:HEAD]) for line in lines]
    rows = [line_features(line.text, own) for line, own in zip(lines, words, strict=True)]
    head = _Head(rows[:WINDOW], words[:WINDOW])
    seen: set[str] = set()
    last: set[str] = set()
    before: Vector | None = None
    result: list[Vector] = []
    for row, line in zip(rows, words, strict=True):
        own = _subjects(line)
        result.append(row + _relations(row, before, own, last, seen, head))
        if len(seen) < MOST_SEEN:
            seen |= own
        last, before = own, row
    return result, words
