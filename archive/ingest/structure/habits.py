"""What can be seen of how a line is written and of what recurs on its page: numbers roughly between 0 and 1.

Words of grammar are not listed here (features.py has those); names, sign-offs, quotes and lists are learned from the
page itself, so they work in any language.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

HEAD, TAIL = 400, 4  # code points looked at from the start of a line, and from its end
SHORT = 40  # a line shorter than this may be a sign-off
MOST_GRAMS = 400_000  # runs of four words remembered; no person's discussion has more
LAST = 5  # lines before, whose words a line is compared with

_ENDS = re.compile(r"[.!?…。！？]+(?:\s|$)")
_CALLED = re.compile(
    r"(?:@\s?|(?:[^\W\d_]+\s)?)([^\W\d_a-z][\w.'’-]+)(?:\s[^\W\d_a-z][\w.'’-]+)?\s?(?:[,:!，！：–-]|\.\.)"
)
_NUMBER = re.compile(r"\(?(\d{1,3})[.):]")
_NAME = re.compile(r"[^\W\d_a-z][^\W\d_]+")
_LOWER_SENTENCE = re.compile(r"[.!?] [a-z]")
_NO_SPACE = re.compile(r"\w[,;][^\W\d_]")
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

    def __init__(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> None:
        self.called = [_called(text) for text in texts]
        self.calls = Counter(filter(None, self.called))
        self.same = Counter(text for text in texts if len(text) < SHORT)
        self.signed = Counter(
            name for text in texts if len(text) < SHORT for name in {n.lower() for n in _NAME.findall(text)}
        )
        self.lines_with = Counter(word for line in words for word in set(line))


def _typography(text: str, words: Sequence[str]) -> list[float]:
    head, tail = text[:HEAD], text[-TAIL:]
    last, first = tail[-1:], text[:1]
    straight, curly = "'" in head, "’" in head
    return [
        float(last in "!！"), float(last in "?？"), float(last in ".。"), float(last == "…" or tail[-3:] == "..."),
        float(last in "\"”»)'’"), float(last == ","), float(last in ":："),
        sum(map(str.isupper, head)) / max(1, len(head)), (head.count(",") + head.count(";")) / max(8, len(words)),
        float(any(mark in head for mark in '"“”„«»')),
        float(first in '"“„«' and text.rstrip(".,")[-1:] in '"”»“'), float(not first.isalnum()),
        float(first.isdigit()), float(curly and not straight) - float(straight and not curly),
        float("“" in head or "„" in head) - float('"' in head), float("…" in head) - float("..." in head),
        float("—" in head or "–" in head) - float(" - " in head), float("--" in head), float(not last.isalnum()),
        float(" i " in head or head[:2] == "i "), float(_LOWER_SENTENCE.search(head) is not None),
        float(_NO_SPACE.search(head) is not None), float(_SPACE_BEFORE.search(head) is not None),
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
        float(page.same[text] > 1), float(bool(called)), math.log1p(page.calls[called]) / 3,
        math.log1p(page.signed[called]) / 3, math.log1p(signature) / 3,
    ]  # fmt: skip


def habits_of(texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[list[float]]:
    """Return HABITS of each line, given its words too. Linear in the length of the text."""
    page = Recurring(texts, words)
    seen: set[int] = set()
    sets: list[set[str]] = []
    listed = -1
    result = []
    for text, line, called in zip(texts, words, page.called, strict=True):
        own = set(line)
        runs = set(map(hash, zip(line, line[1:], line[2:], line[3:], strict=False)))
        known = len(runs & seen)
        shared = own & sets[-1] if sets else set()
        rare = sum(1 / page.lines_with[word] for word in shared) if shared else 0.0
        weight = sum(1 / page.lines_with[word] for word in own) if shared else 1.0
        match = _NUMBER.match(text)
        number = int(match.group(1)) if match else -9
        result.append(
            [
                known / max(3, len(runs)), min(1.0, known / 8), rare / max(0.5, weight),
                sum(len(word) > 3 for word in set[str]().union(*(own & before for before in sets))) / max(4, len(own)),
                float(number == listed + 1), float(number == 1), float(match is not None),
                *_shape(text, line), *_names(text, called, page), *_typography(text, line),
            ]
        )  # fmt: skip
        listed = number if match else listed
        if len(seen) < MOST_GRAMS:
            seen |= runs
        sets = [*sets[1 - LAST :], own]
    return result
