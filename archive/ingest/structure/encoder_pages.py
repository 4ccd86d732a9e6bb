"""What the encoder learns from: labelled discussions and threads as lines of pieces, and the windows shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archive.ingest.structure.encoder import BEGIN, WINDOW, clean, cut
from archive.ingest.structure.train import MOST_LINES, flat

ARTICLE, FIRST, BEGINS, GOES_ON, UNKNOWN = range(5)  # what a line is
MOST_POSTS = 40  # of a thread
MOST_WINDOWS = 6  # of one discussion that are read in one epoch
ALONE = 0.5  # how often a window is also taken from the inside of the article


class Page(NamedTuple):
    """``lines`` are cut into pieces, ``roles`` say what each is."""

    lines: list[list[int]]
    roles: NDArray[np.int64]
    weight: float

    @property
    def article(self) -> int:
        """Return how many lines the article has; 0 where there is none."""
        return int((self.roles == ARTICLE).sum())


class Part(NamedTuple):
    page: Page
    first: int
    end: int

    @property
    def pieces(self) -> list[int]:
        return [BEGIN, *(piece for line in self.page.lines[self.first : self.end] for piece in line)]


def _lines(texts: Sequence[str], pieces: Any) -> list[list[int]]:
    return [cut(its) for its in pieces.encode([clean(text) for text in texts])]


def discussion(gold: dict[str, Any], pieces: Any, weight: float) -> Page:
    texts = flat(gold["article_paragraphs"])
    roles = [ARTICLE] * len(texts)
    for number, comment in enumerate(gold["comments"]):
        its = flat(comment["paragraphs"])
        texts += its
        roles += [BEGINS if number else FIRST, *[GOES_ON] * (len(its) - 1)][: len(its)]
    return Page(_lines(texts, pieces), np.array(roles), weight * min(1.0, MOST_LINES / len(texts)))


def thread(row: dict[str, Any], pieces: Any) -> Page:
    texts, roles = [], []
    for number, post in enumerate(row["posts"][:MOST_POSTS]):
        its = flat(post)
        texts += its
        roles += [BEGINS if number else UNKNOWN, *[GOES_ON] * (len(its) - 1)][: len(its)]
    return Page(_lines(texts, pieces), np.array(roles), 1.0)


def _filled(page: Page, first: int, most: int) -> Part:
    used, end = 1, first
    while end < most and used + len(page.lines[end]) <= WINDOW:
        used += len(page.lines[end])
        end += 1
    return Part(page, first, end)


def _covered(page: Page, first: int, random: np.random.Generator) -> list[Part]:
    """Return windows over the lines from ``first`` on, the next beginning up to two lines before the last one's end."""
    parts, total = [], len(page.lines)
    while True:
        parts.append(_filled(page, first, total))
        if parts[-1].end >= total:
            return parts
        first = max(first + 1, parts[-1].end - int(random.integers(0, 3)))


def parts_of(page: Page, random: np.random.Generator) -> list[Part]:
    """Return what is read in one epoch: the page from some lines above the article's end on, some of the article."""
    first, above, wanted = page.article, 0, int(random.integers(40, 330))
    while first and above < wanted:
        first -= 1
        above += len(page.lines[first])
    parts = _covered(page, first, random)
    if len(parts) > MOST_WINDOWS:
        later = random.choice(np.arange(1, len(parts)), MOST_WINDOWS - 1, replace=False)
        parts = [parts[0], *(parts[at] for at in sorted(later.tolist()))]
    if first > 6 and random.random() < ALONE:
        parts.append(_filled(page, int(random.integers(0, first - 3)), first))
    return parts


def batches(parts: Sequence[Part], most: int, random: np.random.Generator) -> list[list[Part]]:
    """Return the parts in batches of at most ``most`` pieces and of about one length, in random order."""
    sizes = [len(part.pieces) for part in parts]
    found: list[list[Part]] = [[]]
    for at in np.argsort(sizes, kind="stable").tolist():
        if found[-1] and (len(found[-1]) + 1) * sizes[at] > most:
            found.append([])
        found[-1].append(parts[at])
    return [found[at] for at in random.permutation(len(found)).tolist()]
