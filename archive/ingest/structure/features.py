"""What can be seen of a line: a fixed list of named numbers, each roughly between 0 and 1, each readable by a person.

Words of a dozen languages are listed where a feature needs words; where a language is missing the feature is 0 and the
others decide. Work for a line is bounded: only its first HEAD and last TAIL characters are looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.boilerplate import LONGEST, boilerplate_kind
from archive.ingest.structure.characters import PART, Characters, has, one_of, points_of
from archive.ingest.structure.vocabulary import HEAD, Listed, Vocabulary, Words

TAIL, OPENING = 100, 40  # code points looked at from the end of a line, and from its start; HEAD where more is asked
WINDOW = 30  # lines of article head that vocabulary and typography are compared with
MOST_SEEN = 200_000  # distinct words remembered; no person's discussion has more

Vector = list[float]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Column = NDArray[Any]

# Asked only of lines in which such characters were seen at all.
_STOPS, _CLOSERS = tuple(".!?…。！？"), "\"'”’»)]"
_URL = re.compile(r"https?://|www\.", re.IGNORECASE)
_URL_ONLY = re.compile(r"(?:https?://|www\.)\S+$", re.IGNORECASE)
_QUOTED = re.compile(r"[“„«「\"][^”“»」\"]{20,}[”“»」\"]")
_EMOTICON = re.compile(r"[:;=]-?[)(DPp/|](?!\w)|\^\^|<3|[\U0001f300-\U0001faff\u2600-\u27bf]")
_SHOUT = re.compile(r"\b[^\W\d_a-z]{5,}\b")
_CALL = re.compile(r"@\s?\w|(?:[^\W\d_]+ ){0,3}[^\W\d_]+ ?(?:,|:|！|!|，|-|–) ?\S")
_AT = re.compile(r"@\s?\w")
_LIST = re.compile(r"(?:[-*•·–—+#]|\(?\d{1,3}[.):]|[a-z]\))\s")
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

_KINDS = (_FIRST, _SECOND, _SAID, _GREETING, _REACTION)
_LISTED = Listed(
    {word: sum((word in its) << at for at, its in enumerate(_KINDS)) for word in frozenset().union(*_KINDS)}
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


def _where(gate: Mask, texts: Sequence[str], told: Callable[[str], object]) -> Mask:
    """Say of each line whether the gate is open for it and ``told`` finds something in it."""
    found = gate.copy()
    for at in np.flatnonzero(gate).tolist():
        found[at] = bool(told(texts[at]))
    return found


def _tones(chars: Characters, openings: Sequence[str], words: Words, spoken: Matrix) -> list[Column]:
    """Return the columns of TONE."""
    opens = _LISTED.bits_of(words.first())
    heads, bits = chars.heads, chars.openings(OPENING)
    linked = chars.holds("://", "ww.", "WW.", "wW.", "Ww.")
    calling, at_start = has(bits, "calling"), chars.first == ord("@")
    listed = ~chars.begins("letter") | (chars.points[chars.starts + 1] == ord(")"))
    return [
        chars.begins("lower"), np.array([opening.startswith(("…", "..")) for opening in openings]),
        one_of(chars.first, "\"“„«'‘「"), chars.first == ord(">"),
        _where(linked, heads, _URL.search), chars.any("question"), chars.any("exclamation"), spoken[0], spoken[1],
        opens & 8 > 0, opens & 16 > 0,
        _where(calling, openings, _CALL.match), _where(at_start, openings, _AT.match),
        _where(chars.any("eyes"), heads, _EMOTICON.search), _where(listed, openings, _LIST.match),
    ]  # fmt: skip


def _spoken(words: Words) -> Matrix:
    """Return how common words of the first person are in each line, of the second, and words of reports."""
    bits, sizes = _LISTED.bits_of(words.number), words.counts
    counts = [np.bincount(words.line[bits & bit > 0], minlength=len(sizes)) for bit in (1, 2, 4)]
    # 1.0 where every eighth of the words is such a word, or more.
    return np.asarray(np.minimum(1.0, np.array([[8.0], [8.0], [15.0]]) * counts / np.maximum(6, sizes)))


def tones_of(texts: Sequence[str], words: Words) -> Matrix:
    """Return TONE of each line, (lines, TONE), given its words. No line is empty."""
    openings = [text[:OPENING] for text in texts]
    return np.array(_tones(Characters(texts, HEAD), openings, words, _spoken(words)), float).T


def line_features(texts: Sequence[str], words: Words) -> Matrix:
    """Return LINE_FEATURES of each line, (lines, LINE_FEATURES), given its words. No line is empty."""
    chars = Characters(texts, HEAD)
    heads, openings = chars.heads, [text[:OPENING] for text in texts]
    spoken = _spoken(words)
    tones = _tones(chars, openings, words, spoken)
    size, width = np.fromiter(map(len, texts), np.int64, len(texts)), np.diff(chars.edges) - 1
    bits, digits = chars.openings(OPENING), chars.count(chars.of("digit"))
    columns: list[Column] = [
        np.log2(1 + size) / 12, size < 60, size < 20, size > 400, *tones[:2],
        np.array([not text[-TAIL:].rstrip(_CLOSERS).endswith(_STOPS) for text in texts]),
        one_of(points_of("".join([text[-1] for text in texts])), ":,;：，"), *tones[2:5],
        _where(tones[4] > 0, heads, _URL_ONLY.match), *tones[5:7],
        _where(chars.any("opening_quote"), heads, _QUOTED.search), *tones[7:9], spoken[2], *tones[9:13],
        np.minimum(1.0, 8 * digits / (1 + width)),
        _where(digits > 3, heads, _DATE.search), tones[13], _loud(chars),
        _where(chars.run(chars.of("loud"), 5), heads, _SHOUT.search), chars.any("curly_apostrophe"),
        chars.any("straight_apostrophe"), chars.any("dash"), chars.holds("..."),
        chars.holds("  "), tones[14],
        np.minimum(1.0, 15 * chars.count(chars.of("code")) / (1 + width)), _where(size < 50, texts, _SIGNED.fullmatch),
        ~has(bits, "lowered") & has(bits, "alphabetic"),
        np.minimum(1.0, 2 * _capitals(chars) / np.maximum(4, np.minimum(40, words.counts))), chars.any("parenthesis"),
        has(bits, "wide"), _where(size <= LONGEST, texts, boilerplate_kind),
    ]  # fmt: skip
    return np.array(columns, float).T


def _loud(chars: Characters) -> Mask:
    """Say of each line whether it has "!!", "?!", four dots and the like."""
    same = chars.points[1:] == chars.points[:-1]
    wide = chars.count(one_of(chars.points[1:], "…！？") & same)
    dots = chars.run(chars.points == ord("."), 4)
    return np.asarray((wide > 0) | dots | chars.run(one_of(chars.points, "!?"), 2))


def _capitals(chars: Characters) -> NDArray[np.int64]:
    """Return how many of the first 40 words of each line, cut at blanks, begin with a capital."""
    blank = chars.of("space")
    begins = np.flatnonzero(~blank & np.append(True, blank[:-1]))
    before = np.searchsorted(begins, chars.edges)
    nth = np.arange(len(begins)) - np.repeat(before[:-1], np.diff(before))
    capital = np.zeros(len(blank), bool)
    capital[begins[nth < 40]] = True
    return chars.count(capital & chars.of("upper"))


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
    parts = zip(range(0, len(texts), PART), page.every.parts(), strict=True)
    rows = np.vstack([line_features(texts[at : at + PART], words) for at, words in parts])
    return np.hstack([rows, _relations(rows, page)])
