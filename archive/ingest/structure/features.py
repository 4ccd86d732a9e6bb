"""What can be seen of a line: a fixed list of named numbers, each roughly between 0 and 1, each readable by a person.

Words of a dozen languages are listed where a feature needs words; where a language is missing the feature is 0 and the
others decide. Work for a line is bounded: only its first HEAD and last TAIL characters are looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.vocabulary import HEAD, WIDE, Vocabulary

TAIL = 100  # code points looked at from the end of a line; HEAD from its start
WINDOW = 30  # lines of article head that vocabulary and typography are compared with
MOST_SEEN = 200_000  # distinct words remembered; no person's discussion has more

Vector = list[float]
Matrix = NDArray[np.float64]

# Where a costly pattern is rare, a set of its first characters, or a few of them, is looked for first.
_STOP = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)
_URL_ONLY = re.compile(r"(?:https?://|www\.)\S+$", re.IGNORECASE)
_QUOTED = re.compile(r"[“„«「\"][^”“»」\"]{20,}[”“»」\"]")
_EYES = re.compile(r"[:;=^<\U0001f300-\U0001faff\u2600-\u27bf]")
_EMOTICON = re.compile(r"[:;=]-?[)(DPp/|](?!\w)|\^\^|<3|[\U0001f300-\U0001faff\u2600-\u27bf]")
_TWO_MARKS = re.compile(r"[!?.…！？][!?.…！？]")
_LOUD = re.compile(r"[!?]{2,}|\.{4,}|…{2,}|！{2,}|？{2,}")
_TWO_CAPITALS = re.compile(r"[A-Z\x80-\U0010ffff][A-Z\x80-\U0010ffff]")
_SHOUT = re.compile(r"\b[^\W\d_a-z]{5,}\b")
_MAYBE_DIGIT = re.compile(r"[0-9\x80-\U0010ffff]")
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
_PERSONS = _FIRST | _SECOND
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
# How a line speaks, and to whom: of LINE_FEATURES those that also tell whether it is a reply.
TONE = (
    "lower_start", "ellipsis_start", "quote_start", "angle_quote", "url", "question", "exclamation", "first_person",
    "second_person", "greeting", "reaction", "call", "at_name", "emoticon", "list_item",
)  # fmt: skip
_COMPARED = [
    LINE_FEATURES.index(name)
    for name in ("curly_apostrophe", "straight_apostrophe", "first_person", "second_person", "call", "length")
]


def _share(listed: Sequence[str], those: frozenset[str], scale: float, words: int) -> float:
    """Return how common ``those`` are, 1.0 where every ``scale``-th of the words is one of them or more."""
    return min(1.0, scale * sum(map(those.__contains__, listed)) / max(6, words))


def tone_of(text: str, words: Sequence[str]) -> Vector:
    """Return TONE of one line."""
    head, opening = text[:HEAD], text[:40]
    first = words[0] if words else ""
    persons = list(filter(_PERSONS.__contains__, words))
    linked = ("://" in head or "w." in head or "W." in head) and _URL.search(head)
    return [
        opening[:1].islower(), opening[:1] == "…" or opening[:2] == "..",
        opening[:1] in "\"“„«'‘「", opening[:1] == ">",
        bool(linked), "?" in head or "？" in head, "!" in head or "！" in head, _share(persons, _FIRST, 8, len(words)),
        _share(persons, _SECOND, 8, len(words)), first in _GREETING, first in _REACTION, bool(_CALL.match(opening)),
        bool(_AT.match(opening)), bool(_EYES.search(head) and _EMOTICON.search(head)), bool(_LIST.match(opening)),
    ]  # fmt: skip


def line_features(text: str, words: Sequence[str]) -> Vector:
    """Return LINE_FEATURES of one line."""
    head, tail, size = text[:HEAD], text[-TAIL:], len(text)
    opening = text[:40]
    (
        lower, ellipsis, quote, angle, url, question, exclamation, first, second, greeting, reaction, call, at_name,
        emoticon, item,
    ) = tone_of(text, words)  # fmt: skip
    digits = sum(map(str.isdigit, _MAYBE_DIGIT.findall(head)))
    capitals = sum(map(str.isupper, [word[0] for word in head.split(None, 40)[:40]]))
    return [
        math.log2(1 + size) / 12, size < 60, size < 20, size > 400, lower, ellipsis, not _STOP.search(tail),
        tail[-1:] in ":,;：，", quote, angle, url, bool(url and _URL_ONLY.match(head)), question, exclamation,
        bool(_QUOTED.search(head)), first, second, _share(words, _SAID, 15, len(words)), greeting, reaction, call,
        at_name, min(1.0, 8 * digits / (1 + len(head))), bool(digits > 3 and _DATE.search(head)), emoticon,
        bool(_TWO_MARKS.search(head) and _LOUD.search(head)), bool(_TWO_CAPITALS.search(head) and _SHOUT.search(head)),
        "’" in head, "'" in head, "—" in head or "–" in head, "..." in head, "  " in head, item,
        min(1.0, 15 * len(_CODE.findall(head)) / (1 + len(head))), bool(size < 50 and _SIGNED.fullmatch(text)),
        opening == opening.lower() and any(map(str.isalpha, opening)),
        min(1.0, 2 * capitals / max(4, min(40, len(words)))), "(" in head, bool(WIDE.search(opening)),
        bool(boilerplate_kind(text)),
    ]  # fmt: skip


def _relations(rows: Matrix, page: Vocabulary) -> Matrix:
    """Return RELATION_FEATURES of each line: to the line before, to all before, to the first WINDOW lines."""
    words, subject, total = page.words, page.subject, len(rows)
    own = np.maximum(4, words.per_line(subject, total))
    seen = words.seen_before(MOST_SEEN, subject)
    curly, straight, first, second, call, length = rows[:, _COMPARED].T
    # Exact sums: a mean must not depend on the order of what is added.
    means = [math.fsum(column) / len(column) for column in rows[:WINDOW, _COMPARED].T.tolist()]
    mean_curly, mean_straight, mean_first, mean_second, mean_call, mean_length = means
    unlike = curly * (mean_straight > mean_curly) + straight * (mean_curly > mean_straight)
    return np.stack([
        words.per_line(subject & (words.line - words.before == 1), total) / own,
        words.per_line(subject & (words.first < WINDOW), total) / own,
        words.per_line(subject & ~seen, total) / own,
        np.clip(3 * np.diff(length, prepend=length[0]), -1, 1),
        unlike * (1 - curly * straight),
        call - mean_call,
        first + second - mean_first - mean_second,
        length - mean_length,
    ], axis=1)  # fmt: skip


def features_of(texts: Sequence[str], page: Vocabulary) -> Matrix:
    """Return NAMES of each line, (lines, NAMES). Linear in the length of the text."""
    rows = np.array([line_features(text, words) for text, words in zip(texts, page.lists, strict=True)], float)
    return np.hstack([rows, _relations(rows, page)])
