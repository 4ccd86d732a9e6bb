"""What can be seen of how a line is written and of what recurs on its page: numbers roughly between 0 and 1.

Words of grammar are not listed here (features.py has those); names, sign-offs, quotes and lists are learned from the
page itself, so they work in any language.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.vocabulary import SHORT as SHORT_WORD
from archive.ingest.structure.vocabulary import Vocabulary

HEAD, TAIL = 400, 4  # code points looked at from the start of a line, and from its end
SHORT = 40  # a line shorter than this may be a sign-off
MOST_GRAMS = 400_000  # runs of four words remembered; no person's discussion has more
LAST = 5  # lines before, whose words a line is compared with

_ENDS = re.compile(r"[.!?…。！？](?:\s|$)")
_CALLED = re.compile(
    r"(?:@\s?|(?:[^\W\d_]+\s)?)([^\W\d_a-z][\w.'’-]+)(?:\s[^\W\d_a-z][\w.'’-]+)?\s?(?:[,:!，！：–-]|\.\.)"
)
_NUMBER = re.compile(r"\(?(\d{1,3})[.):]")
_NAME = re.compile(r"[^\W\d_a-z][^\W\d_]+")
_LOWER_SENTENCE = re.compile(r"[.!?] [a-z]")
_NO_SPACE = re.compile(r"\w[,;][^\W\d_]")
_MAYBE_CAPITAL = re.compile(r"[A-Z\x80-\U0010ffff]")
_SPACE_BEFORE = re.compile(r" [,!?;]")

HABITS = (
    "quoted_words", "quoted_runs", "rare_words_of_previous", "words_of_last_lines", "next_number", "number_one",
    "numbered", "words", "sentences", "sentence_length", "word_length", "repeated_line", "opens_with_name",
    "opening_name_recurs", "opening_name_signs", "signature_recurs", "exclamation_end", "question_end", "full_stop_end",
    "dots_end", "closing_end", "comma_end", "colon_last", "capitals", "commas", "quote_marks", "all_quoted",
    "symbol_start", "digit_start", "curly_not_straight", "curly_quotes_not_straight", "one_dots_not_three",
    "long_dash_not_short", "double_dash", "mark_end", "small_i", "sentence_in_small", "no_space_after_comma",
    "space_before_mark",
)  # fmt: skip


def _called(text: str) -> str:
    """Return the name that the line opens with, as in "Hi Ann," or "Ann:", or ""."""
    match = _CALLED.match(text[:60])
    return match.group(1).lower() if match else ""


class Recurring:
    """What recurs on a page, counted before its lines are looked at one by one."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.called = [_called(text) for text in texts]
        self.calls = Counter(filter(None, self.called))
        self.same = Counter(text for text in texts if len(text) < SHORT)
        self.signed = Counter(
            name for text in texts if len(text) < SHORT for name in {n.lower() for n in _NAME.findall(text)}
        )


def _typography(text: str, words: Sequence[str]) -> list[float]:
    head, tail = text[:HEAD], text[-TAIL:]
    last, first = tail[-1:], text[:1]
    straight, curly = "'" in head, "’" in head
    straight_quotes, curly_quotes = '"' in head, "“" in head or "„" in head
    commas = head.count(",") + head.count(";")
    return [
        last in "!！", last in "?？", last in ".。", last == "…" or tail[-3:] == "...", last in "\"”»)'’", last == ",",
        last in ":：", sum(map(str.isupper, _MAYBE_CAPITAL.findall(head))) / max(1, len(head)),
        commas / max(8, len(words)), straight_quotes or curly_quotes or "”" in head or "«" in head or "»" in head,
        first in '"“„«' and text.rstrip(".,")[-1:] in '"”»“', not first.isalnum(), first.isdigit(),
        (curly and not straight) - (straight and not curly), curly_quotes - straight_quotes,
        ("…" in head) - ("..." in head), ("—" in head or "–" in head) - (" - " in head), "--" in head,
        not last.isalnum(), " i " in head or head[:2] == "i ", bool(_LOWER_SENTENCE.search(head)),
        bool(commas and _NO_SPACE.search(head)), bool(_SPACE_BEFORE.search(head)),
    ]  # fmt: skip


def _shape(text: str, words: Sequence[str]) -> list[float]:
    head = text[:HEAD]
    count, sentences = len(words), len(_ENDS.findall(head)) or 1
    return [
        math.log1p(count) / 7, math.log1p(sentences) / 4, min(1.0, count / sentences / 30),
        min(1.0, sum(map(len, words)) / max(1, count) / 10),
    ]  # fmt: skip


def _names(text: str, called: str, page: Recurring) -> list[float]:
    signature = 0
    if len(text) < SHORT:
        signature = max((page.signed[name.lower()] - 1 for name in _NAME.findall(text)), default=0)
    return [
        len(text) < SHORT and page.same[text] > 1, bool(called),
        math.log1p(page.calls[called]) / 3 if called else 0.0, math.log1p(page.signed[called]) / 3 if called else 0.0,
        math.log1p(signature) / 3,
    ]  # fmt: skip


def _echoes(page: Vocabulary) -> NDArray[np.float64]:
    """Return the first four of HABITS of each line: what of its words stands on lines before."""
    words, total = page.words, len(page.lists)
    runs, known = (
        page.runs.per_line(those, total) for those in (page.runs.line >= 0, page.runs.seen_before(MOST_GRAMS))
    )
    rarity, repeated = 1 / words.lines, words.line - words.before == 1
    rare = np.bincount(words.line[repeated], rarity[repeated], total)
    all_rare = np.bincount(words.line, rarity, total)
    lately = words.per_line((words.line - words.before <= LAST) & (page.length > SHORT_WORD), total)
    return np.stack([
        known / np.maximum(3, runs), np.minimum(1, known / 8), rare / np.maximum(0.5, all_rare),
        lately / np.maximum(4, np.bincount(words.line, minlength=total)),
    ], axis=1)  # fmt: skip


def habits_of(texts: Sequence[str], page: Vocabulary) -> NDArray[np.float64]:
    """Return HABITS of each line, (lines, HABITS). Linear in the length of the text."""
    recurring = Recurring(texts)
    listed = -1
    rows: list[list[float]] = []
    for text, words, called in zip(texts, page.lists, recurring.called, strict=True):
        match = _NUMBER.match(text)
        number = int(match.group(1)) if match else -9
        rows.append(
            [
                number == listed + 1, number == 1, bool(match), *_shape(text, words), *_names(text, called, recurring),
                *_typography(text, words),
            ]
        )  # fmt: skip
        listed = number if match else listed
    return np.hstack([_echoes(page), np.array(rows, float)])
