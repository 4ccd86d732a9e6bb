"""What can be seen of how a line is written and of what recurs on its page: numbers roughly between 0 and 1.

Words of grammar are not listed here (features.py has those); names, sign-offs, quotes and lists are learned from the
page itself, so they work in any language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.characters import PART, Characters, bits_of, has, one_of, points_of
from archive.ingest.structure.vocabulary import SHORT as SHORT_WORD
from archive.ingest.structure.vocabulary import Vocabulary

HEAD = 400  # code points looked at from the start of a line
SHORT = 40  # a line shorter than this may be a sign-off
MOST_GRAMS = 400_000  # runs of four words remembered; no person's discussion has more
LAST = 5  # lines before, whose words a line is compared with

Column = NDArray[Any]
Counts = NDArray[Any]

_CALLED = re.compile(
    r"(?:@\s?|(?:[^\W\d_]+\s)?)([^\W\d_a-z][\w.'’-]+)(?:\s[^\W\d_a-z][\w.'’-]+)?\s?(?:[,:!，！：–-]|\.\.)"
)
_NUMBER = re.compile(r"\(?(\d{1,3})[.):]")
_NAME = re.compile(r"[^\W\d_a-z][^\W\d_]+")

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
    match = _CALLED.match(text, 0, 60)
    return match.group(1).lower() if match else ""


def _names(texts: Sequence[str]) -> list[Column]:
    """Return the columns of HABITS from "repeated_line" to "signature_recurs": what of names recurs on the page."""
    called = [_called(text) for text in texts]
    calls = Counter(filter(None, called))
    short = [at for at, text in enumerate(texts) if len(text) < SHORT]
    same = Counter([texts[at] for at in short])
    names = {at: [name.lower() for name in _NAME.findall(texts[at])] for at in short}
    signed = Counter([name for its in names.values() for name in set(its)])
    repeated, signature = np.zeros(len(texts)), np.zeros(len(texts))
    for at in short:
        repeated[at] = same[texts[at]] > 1
        signature[at] = max([signed[name] - 1 for name in names[at]], default=0)
    return [
        repeated, np.array([bool(name) for name in called]),
        np.log1p([calls[name] if name else 0 for name in called]) / 3,
        np.log1p([signed[name] if name else 0 for name in called]) / 3, np.log1p(signature) / 3,
    ]  # fmt: skip


def _typography(texts: Sequence[str], chars: Characters, words: Counts) -> list[Column]:
    """Return the columns of HABITS from "exclamation_end" on, given how many words each line has."""
    first = chars.first
    last = points_of("".join([text[-1] for text in texts]))
    straight, curly = chars.any("straight_apostrophe"), chars.any("curly_apostrophe")
    straight_quotes, curly_quotes = chars.any("straight_quote"), chars.any("curly_quote")
    quoted = one_of(first, '"“„«')
    for at in np.flatnonzero(quoted).tolist():
        quoted[at] = texts[at].rstrip(".,")[-1:] in '"”»“'
    blank = chars.points == ord(" ")
    lower_sentences = chars.count(chars.of("plain_stop")[:-2] & blank[1:-1] & chars.of("small")[2:])
    no_spaces = chars.count(chars.of("word")[:-2] & chars.of("comma")[1:-1] & chars.of("letter")[2:])
    return [
        one_of(last, "!！"), one_of(last, "?？"), one_of(last, ".。"),
        np.array([text.endswith(("…", "...")) for text in texts]), one_of(last, "\"”»)'’"), last == ord(","),
        one_of(last, ":："), chars.count(chars.of("upper")) / (np.diff(chars.edges) - 1),
        chars.count(chars.of("comma")) / np.maximum(8, words),
        straight_quotes | curly_quotes | chars.any("other_quote"), quoted,
        ~chars.begins("word") | (first == ord("_")), chars.begins("digit"),
        1.0 * curly - straight, 1.0 * curly_quotes - straight_quotes,
        1.0 * chars.any("ellipsis") - chars.holds("..."),
        1.0 * chars.any("dash") - chars.holds(" - "), chars.holds("--"),
        ~has(bits_of(last), "word") | (last == ord("_")),
        chars.holds(" i ") | (chars.first == ord("i")) & blank[chars.starts + 1], lower_sentences > 0, no_spaces > 0,
        chars.count(blank[:-1] & chars.of("tight_mark")[1:]) > 0,
    ]  # fmt: skip


def _shape(chars: Characters, words: Counts, letters: Counts) -> list[Column]:
    """Return the columns of HABITS from "words" to "word_length", given how many words and letters each line has."""
    ends = chars.of("stop")[:-1] & chars.of("space")[1:]  # a line ends in a line feed
    sentences = np.maximum(1, chars.count(ends))
    return [
        np.log1p(words) / 7, np.log1p(sentences) / 4, np.minimum(1.0, words / sentences / 30),
        np.minimum(1.0, letters / np.maximum(1, words) / 10),
    ]  # fmt: skip


def _numbers(texts: Sequence[str]) -> list[Column]:
    """Return the columns of HABITS from "next_number" to "numbered"."""
    listed = -1
    columns = np.zeros((3, len(texts)))
    for at, text in enumerate(texts):
        match = _NUMBER.match(text)
        if match:
            number = int(match.group(1))
            columns[:, at] = number == listed + 1, number == 1, True
            listed = number
    return list(columns)


def _echoes(page: Vocabulary) -> NDArray[np.float64]:
    """Return the first four of HABITS of each line: what of its words stands on lines before."""
    words, total = page.words, len(page.every.counts)
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
    """Return HABITS of each line, (lines, HABITS). Linear in the length of the text. No line is empty."""
    numbers, names = np.array([*_numbers(texts)]).T, np.array(_names(texts)).T
    written = np.vstack([_written(texts, page, slice(at, at + PART)) for at in range(0, len(texts), PART)])
    return np.hstack([_echoes(page), numbers, written[:, :4], names, written[:, 4:]])


def _written(texts: Sequence[str], page: Vocabulary, part: slice) -> NDArray[np.float64]:
    """Return the columns of ``_shape`` and ``_typography`` for a part of the lines."""
    some, words = texts[part], page.every.counts[part]
    chars = Characters(some, HEAD)
    return np.array([*_shape(chars, words, page.letters[part]), *_typography(some, chars, words)], float).T
