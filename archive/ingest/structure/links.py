"""Whom a comment answers: nobody (it is on the article), the comment before it, or one of that comment's ancestors.

In display order a reply stands below what it answers, so that these are all the candidates but for one: the last
comment of somebody whom this one calls by name. Small trees, which see the comments on both sides and the page, say
whether a comment is a reply; a conditional logit (McFadden 1974) says which candidate a reply answers, given whom the
comments before answer. What is likeliest is said. Their weights are in links.npz and links.json, one set for pages
whose authors are known and one for bare text. Of 4,891 labelled comments a third are replies.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import chain, pairwise, repeat
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.records import UNKNOWN, Basis, Claim, Span
from archive.ingest.structure.features import TONE, Vector, tones_of
from archive.ingest.structure.model import logistic
from archive.ingest.structure.parents import quoted_comments
from archive.ingest.structure.trees import Trees
from archive.ingest.structure.vocabulary import Words, words_of

WEIGHTS = Path(__file__).with_name("links.json")
KINDS = ("named", "bare")
SEEN = 1_500  # code points of a comment that are looked at
OPENING = 80  # code points in which the name of whom it answers stands
ARTICLE = 20_000  # code points of the article whose words are looked at
CALLED = 30  # comments before one among whose authors those that it names are looked for
MOST_ANCESTORS = 8  # candidates; nobody answers above that without naming or quoting
MOST, LEAST = 0.84, 0.02  # of those said to be surer, across sites, 81 (bare) to 85 % were right

_LOOKED_AT = (
    "question", "exclamation", "first_person", "second_person", "greeting", "reaction", "call", "at_name", "url",
    "quote_start", "angle_quote", "lower_start", "ellipsis_start", "list_item", "emoticon",
)  # fmt: skip
_COLUMNS = [TONE.index(name) for name in _LOOKED_AT]
PAIR = (
    "previous", "distance", "depth", "on_article", "likeness", "named_first", "named", "same_author",
    "answers_back", "named_by_it", "it_asks", "its_length", "its_author_leads", "has_replies", "quoted",
    "alone_between", "leader_to_guest", "guest_to_leader", "its_author_next", "longer",
)  # fmt: skip
OWN = (
    "length", "author_share", "author_leads", "author_seen", "page_length", "position", "names_another",
    "likeness_to_any", "second_of_page", "two_before", "article_words", *_LOOKED_AT,
)  # fmt: skip
ALSO = ("called_before", "lines", "left", "likeness_to_second", "since", "until")
WIDTH = 4 * (len(PAIR) + len(OWN) + len(ALSO)) + 1  # columns of ``around``

_NAMED, _QUOTED, _AT_NAME = PAIR.index("named_first"), PAIR.index("quoted"), OWN.index("at_name")

Tones = NDArray[np.floating]


class Told(NamedTuple):
    """A comment as far as links are concerned."""

    text: str
    author: str | None = None


class _Seen(NamedTuple):
    words: frozenset[int]
    weight: float
    opening: str
    opening_words: frozenset[str]
    looked: Vector
    asks: float
    length: float


class Page:
    """The comments of a page and what is looked at in them. ``quoted`` holds the comment each quotes, or None."""

    def __init__(
        self, comments: Sequence[Told], quoted: Sequence[int | None], article: str = "", tones: Tones | None = None
    ) -> None:
        self.comments = comments
        self.quoted = quoted
        texts = [told.text[:SEEN] for told in comments]
        sets = _different(words_of(texts, SEEN), 1)
        common = Counter(chain.from_iterable(sets))
        total = len(comments)
        # A word that all comments have says nothing about who answers whom: it is the article's subject, or grammar.
        self.rarity = {word: math.log((total + 1) / count) ** 2 for word, count in common.items() if count > 1}
        looked = (_tones(texts) if tones is None else tones)[:, _COLUMNS].tolist()
        self.seen = [_look(*its, self.rarity) for its in zip(comments, sets, looked, strict=True)]
        self.authors = [(told.author or "").casefold() for told in comments]
        self.names = [_calls(author) for author in self.authors]
        self.numbers = _one_word(list(dict.fromkeys(chain.from_iterable(self.names))))
        self.by = Counter(author for author in self.authors if author)
        self.leader = self.by.most_common(1)[0][0] if self.by and self.by.most_common(1)[0][1] > 1 else None
        self.about = frozenset().union(*_different(words_of([article], ARTICLE), 3))
        self.first_by: dict[str, int] = {}
        for index, author in enumerate(self.authors):
            self.first_by.setdefault(author, index)

    @cached_property
    def own(self) -> NDArray[np.float64]:
        """What each comment says of being a reply: (n, OWN)."""
        own = np.empty((len(self.comments), len(OWN)))
        for index in range(len(own)):
            own[index] = _own(self, index)
        return own

    def likeness(self, left: int, right: int) -> float:
        """Return from 0 to 1 how many of their rarer words two comments share."""
        a, b = self.seen[left], self.seen[right]
        shared = sum(map(self.rarity.get, a.words & b.words, repeat(0.0)))
        return min(1.0, 2 * shared / math.sqrt((1 + a.weight) * (1 + b.weight)))

    def calls(self, index: int, other: int) -> tuple[float, float]:
        """Return whether the comment names the other's author (in its opening, anywhere in its text)."""
        names = self.names[other]
        if not names or self.authors[index] == self.authors[other]:
            return 0.0, 0.0
        seen = self.seen[index]
        first = any(
            name in seen.opening if " " in name or not name.isascii() else name in seen.opening_words for name in names
        )
        return float(first), float(first or any(self.numbers.get(name) in seen.words for name in names))

    def called(self, index: int) -> int | None:
        """Return the last of the CALLED comments before whose author this one names, or None."""
        if not self.by:
            return None
        return next((at for at in range(index - 1, max(-1, index - 1 - CALLED), -1) if self.calls(index, at)[0]), None)


def _different(words: Words, least: int) -> list[frozenset[int]]:
    """Return the numbers of the words of each text that have more than ``least`` letters."""
    long = words.length > least
    numbers = words.number[long].tolist()
    edges = np.searchsorted(words.line[long], np.arange(len(words.counts) + 1)).tolist()
    return [frozenset(numbers[a:b]) for a, b in pairwise(edges)]


def _one_word(names: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those of the names that are one word and nothing else."""
    words = words_of(names, None)
    letters = np.bincount(words.line, words.length, len(names))
    its = zip(names, words.first().tolist(), words.counts.tolist(), letters.tolist(), strict=True)
    return {name: number for name, number, count, size in its if count == 1 and size == len(name)}


def _tones(texts: Sequence[str]) -> Tones:
    """Return TONE of the first line of each of the texts."""
    firsts = [text.split("\n", 1)[0] or " " for text in texts]
    return tones_of(firsts, words_of(firsts)) if firsts else np.zeros((0, len(TONE)))


def _look(told: Told, different: frozenset[int], looked: Vector, rarity: Mapping[int, float]) -> _Seen:
    text = told.text[:SEEN]
    opening = text[:OPENING].casefold()
    return _Seen(
        different,
        sum(map(rarity.get, different, repeat(1.0))),
        opening,
        frozenset(re.findall(r"\w+", opening)),
        looked,
        float("?" in text[-300:] or "？" in text[-300:]),
        math.log2(1 + len(told.text)) / 12,
    )


def _calls(author: str) -> tuple[str, ...]:
    """Return what people call an author: the whole name, its first word."""
    words = re.findall(r"\w+", author)
    if not words or author in {"anonymous", "anonym", "anonyme", "anónimo", "anonimo", "guest", "gast", "admin"}:
        return ()
    found = [author, words[0]] if len(words[0]) > 2 else [author]
    return tuple(dict.fromkeys(name for name in found if len(name) > 1))


def _own(page: Page, index: int) -> Vector:
    seen, author, total = page.seen[index], page.authors[index], len(page.comments)
    return [
        seen.length,
        page.by[author] / total if author else 0.0,
        float(author == page.leader) if author else 0.0,
        float(bool(author) and page.first_by[author] < index),
        math.log(total) / 5,
        index / total,
        float(page.called(index) is not None),
        max((page.likeness(index, other) for other in range(max(0, index - 6), index)), default=0.0),
        float(index == 1),
        float(bool(author) and index > 1 and page.authors[index - 2] == author),
        len(seen.words & page.about) / max(5, len(seen.words)),
        *seen.looked,
    ]


def pair_features(page: Page, index: int, other: int, parents: Sequence[int | None], depths: Sequence[int]) -> Vector:
    """Return PAIR of "comment ``index`` answers ``other``", where ``parents`` are those of the comments before it."""
    author, its = page.authors[index], page.authors[other]
    first, anywhere = page.calls(index, other)
    above = parents[other]
    known = bool(author and its)
    leads, led = author == page.leader, its == page.leader
    after = page.authors[index + 1] if index + 1 < len(page.authors) else ""
    return [
        float(other == index - 1),
        math.log(index - other),
        min(5, depths[other]) / 5,
        float(above is None),
        page.likeness(index, other),
        first,
        anywhere,
        float(bool(author) and author == its),
        float(bool(author) and above is not None and page.authors[above] == author),
        page.calls(other, index)[0],
        page.seen[other].asks,
        page.seen[other].length,
        float(bool(its) and its == page.leader),
        float(other < index - 1),
        float(page.quoted[index] == other),
        float(bool(author) and its != author and page.by[author] > 1 and page.by[its] > 1),
        float(known and leads and not led),
        float(known and led and not leads),
        float(known and after == its != author),
        page.seen[index].length - page.seen[other].length,
    ]


def around(page: Page) -> NDArray[np.float32]:
    """Return what the trees see of each comment, (n, WIDTH), before any parent is known: OWN, PAIR with the comment
    before, ALSO; the same of the comment before and of the next, and their means on the page; how many authors it has.
    """  # fmt: skip
    total, width = len(page.comments), len(OWN) + len(PAIR)
    none, flat = [None] * total, [0] * total
    seen = np.zeros((total, width + len(ALSO)))
    seen[:, : len(OWN)] = page.own
    last: dict[str, int] = {}
    for index, author in enumerate(page.authors):
        called = page.called(index)
        second = page.likeness(index, index - 2) if index > 1 else 0.0
        if index:
            seen[index, len(OWN) : width] = pair_features(page, index, index - 1, none, flat)
        lines, left = page.comments[index].text.count("\n"), total - index
        seen[index, width : width + 4] = 0 if called is None else index - called, lines, left, second
        if author in last:
            seen[index, -2] = seen[last[author], -1] = index - last[author]  # comments since and until the author's
        if author:
            last[author] = index
    beside = np.zeros((2, *seen.shape))
    beside[0, 1:], beside[1, :-1] = seen[:-1], seen[1:]
    means, authors = np.broadcast_to(seen.mean(axis=0), seen.shape), np.full((total, 1), len(page.by) / total)
    return np.hstack([seen, *beside, means, authors], dtype=np.float32, casting="same_kind")


def candidates(page: Page, index: int, parents: Sequence[int | None]) -> list[int]:
    """Return the comments that ``index`` may answer: the one before, that one's ancestors, whom it names or quotes."""
    found: list[int] = []
    at: int | None = index - 1 if index else None
    while at is not None and len(found) < MOST_ANCESTORS:
        found.append(at)
        at = parents[at]
    extra = page.quoted[index]
    if extra is None:
        extra = page.called(index)
    return found if extra is None or extra in found else [*found, extra]


def rows(
    page: Page, index: int, parents: Sequence[int | None], depths: Sequence[int]
) -> tuple[list[int], list[Vector]]:
    """Return the candidates and PAIR of each."""
    found = candidates(page, index, parents)
    return found, [pair_features(page, index, other, parents, depths) for other in found]


@cache
def weights(path: Path = WEIGHTS) -> dict[str, Any]:
    """Return what comes with the project: {"named"|"bare": {feature: weight}, "trees": {"named"|"bare": Trees}}."""
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        trees = {kind: Trees(*(arrays[f"{kind}_{name}"] for name in Trees._fields)) for kind in KINDS}
    return {**json.loads(path.read_text(encoding="utf-8")), "trees": trees}


def vector(table: Mapping[str, float]) -> Vector:
    return [table[name] for name in PAIR]


def links_of(
    text: str,
    spans: Sequence[Span],
    authors: Sequence[str | None] = (),
    article: Span = Span(0, 0),  # noqa: B008 - a tuple
    table: Mapping[str, Any] | None = None,
    tones: Tones | None = None,
    comments_sure: Sequence[float] = (),
) -> list[tuple[int | None, Claim]]:
    """Return for each comment (index of the comment it answers, or None; the claim). Spans are in text order.

    ``authors`` is empty or has a name or None for each comment. ``comments_sure`` says how likely each span is one
    comment: nobody is surer of an answer to it. Linear in the number of comments.
    """
    table = table or weights()
    told = [
        Told(text[span.start : min(span.end, span.start + SEEN)], author)
        for span, author in zip(spans, authors or [None] * len(spans), strict=True)
    ]
    kind = "named" if any(authors) else "bare"
    about = text[article.start : min(article.end, article.start + ARTICLE)]
    page = Page(told, quoted_comments(text, spans), about, tones)
    return decided(page, table, kind, comments_sure)


def decided(
    page: Page, table: Mapping[str, Any], kind: str, comments_sure: Sequence[float] = ()
) -> list[tuple[int | None, Claim]]:
    """Return (parent or None, claim) for each comment of the page, decided one after the other: see ``links_of``."""
    if not page.comments:
        return []
    weight, trees = vector(table[kind]), table["trees"][kind]
    replies = logistic(trees.scores(around(page).T[trees.wanted])).tolist()
    parents: list[int | None] = []
    depths: list[int] = []
    result: list[tuple[int | None, Claim]] = []
    for index, reply in enumerate(replies):
        found, matrix = rows(page, index, parents, depths)
        shares = _shares(weight, matrix)
        says = _says(page, index, matrix)
        best = max(range(len(found)), key=shares.__getitem__, default=None) if says is None else says
        parent, claim = None, UNKNOWN
        # Where no candidate is likelier than that it answers nobody, it stays on the article. A quote and "@Anna" say
        # whom it answers, even where the site's own tree has no replies and the model doubts it.
        if best is not None and (says is not None or reply * shares[best] >= 1 - reply):
            parent = found[best]
            its = min(MOST, reply * shares[best]) * (comments_sure[parent] if comments_sure else 1.0)
            claim = Claim(
                Basis.INFERRED, round(max(LEAST, its), 3), _reason(dict(zip(PAIR, matrix[best], strict=True)))
            )
        parents.append(parent)
        depths.append(0 if parent is None else depths[parent] + 1)
        result.append((parent, claim))
    return result


def _says(page: Page, index: int, matrix: Sequence[Vector]) -> int | None:
    """Return which candidate, by its row in ``matrix``, the comment quotes or calls by "@" and its name, or None."""
    called = page.own[index, _AT_NAME] > 0
    return next((i for i, row in enumerate(matrix) if row[_QUOTED] or (called and row[_NAMED])), None)


def _shares(weight: Vector, matrix: Sequence[Vector]) -> list[float]:
    """Return how likely a reply answers each candidate; they add up to 1."""
    raised = [math.exp(max(-30.0, min(30.0, sum(map(mul, weight, row))))) for row in matrix]
    total = sum(raised)
    return [one / total for one in raised]


def _reason(row: Mapping[str, float]) -> str:
    said = {
        "quoted": "quotes it",
        "named_first": "names its author",
        "answers_back": "answers back",
        "named_by_it": "was named by it",
        "it_asks": "stands below a question",
    }
    found = [words for name, words in said.items() if row[name]]
    if row["likeness"] > 0.15:
        found.append("shares its rarer words")
    return ", ".join(found[:2]) or "reads like an answer to the comment before"
