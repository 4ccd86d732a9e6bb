"""Find the template that a page repeats once per comment, learned from the page itself.

Flattened pages keep bylines, dates, "Reply", "#3", votes. None of them is known here by its words: a key (see
``shapes``) that comes back at the distance of comments is a *pivot*, what stands around its occurrences again and
again are the other *elements* of the template, and a short line that always stands beside them is the author's name.
The template's order and its first and last occurrence say which elements stand above a comment and which below it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, chain, pairwise
from math import log
from typing import NamedTuple

from archive.ingest.structure.boilerplate import boilerplate_kind
from archive.ingest.structure.dates import Stamp, day_first, read
from archive.ingest.structure.lines import Line
from archive.ingest.structure.shapes import (
    DATE,
    LONGEST,
    NUMBER,
    Key,
    Shape,
    could_be_name,
    could_be_optional,
    find_keys,
    is_code,
    worth,
)

MOST_PIVOTS = 12  # candidates that are aligned; the right one is worth the most and comes early
REACH = 5  # elements above and below the pivot
REQUIRED = 0.7  # share of the occurrences in which an element must stand in its place
LONGEST_NAME = 80  # code points
LEAST_WORTH = 3.0
DATED = 3.0  # times what a template without dates is worth

NAME = Key("name", ())
Shapes = Sequence[Shape | None]


class Marked(NamedTuple):
    """One comment: its lines are first..last, all bounds inclusive. ``head`` are the marker lines above it."""

    first: int
    last: int
    head: tuple[int, ...]
    author: str | None
    posted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Marks:
    """What the template says. ``reasons`` gives for each marker line what it is, such as "byline"; ``dated``: some of
    them have dates.

    ``below`` means that all markers stand below their comments: the first comment's start is then not marked, and
    ``comments[0].first`` is 0 where the article and that comment still have to be told apart.
    """

    comments: tuple[Marked, ...]
    reasons: dict[int, str]
    confidence: float
    reason: str
    below: bool = False
    dated: bool = True


@dataclass(slots=True)
class _Template:
    pivot: Key
    places: list[int]  # lines of the pivot
    above: list[Key] = field(default_factory=list)  # elements upward from the pivot, nearest first
    below: list[Key] = field(default_factory=list)  # elements downward
    trailing: int = 0  # so many of the last of ``above`` belong to the comment before
    optional: frozenset[Key] = frozenset()
    all_below: bool = False
    score: float = 0.0
    heads: list[_Head] = field(default_factory=list)  # of a convincing template

    @property
    def leading(self) -> list[Key]:
        return [*reversed(self.above[: len(self.above) - self.trailing]), self.pivot, *self.below]


def _shapes(lines: Sequence[Line]) -> list[Shape | None]:
    shapes = [Shape(line.text) if len(line.text) <= LONGEST else None for line in lines]
    find_keys([shape for shape in shapes if shape])
    return shapes


def _index(shapes: Shapes) -> dict[Key, list[int]]:
    index = defaultdict(list)
    for at, shape in enumerate(shapes):
        if shape:
            for key in shape.keys:
                index[key].append(at)
    return {key: places for key, places in index.items() if len(places) > 1}


def _pivots(index: dict[Key, list[int]], total: int) -> list[Key]:
    """Return the likeliest pivots, best first: keys worth something, that come back with room for a text between."""
    found = []
    for key, places in index.items():
        value = worth(key)
        if value < LEAST_WORTH or places[-1] == 0 or is_code(key):
            continue
        apart = sum(b - a > 1 for a, b in pairwise(places)) / (len(places) - 1)
        reach = (total - places[0]) / len(places)
        if apart >= 0.85 and total - places[-1] <= 8 * reach + 8:
            found.append((value * min(len(places), 40), -places[0], key))
    return [key for _, _, key in sorted(found, reverse=True)[:MOST_PIVOTS]]


class _Page:
    """A page with its lines' shapes and where each key stands; all learning reads from here."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.shapes = _shapes(lines)
        self.index = _index(self.shapes)
        # Bytes before each line: an ideograph says as much as three letters.
        self.sizes = list(accumulate((len(line.text.encode(errors="replace")) for line in lines), initial=0))
        self.could_be_name = [bool(shape and could_be_name(shape.line)) for shape in self.shapes]
        self.names = sum(self.could_be_name)
        self._affixes: dict[Key, tuple[list[str], list[str]]] = {}
        self.learned: dict[tuple[Key, int], _Template] = {}
        end = len(lines)
        while end and boilerplate_kind(lines[end - 1].text):
            end -= 1
        self.end = end  # after the last line that is not a form or a footer we know

    def affixes(self, key: Key) -> tuple[list[str], list[str]]:
        """Return the first and the last pieces that nearly all of the key's lines share."""
        if key not in self._affixes:
            self._affixes[key] = _affixes([self.shapes[at] for at in self.index[key]])
        return self._affixes[key]

    def has(self, at: int, key: Key) -> bool:
        shape = self.shapes[at]
        return bool(shape and key in shape.keys)

    def optional(self, places: Sequence[int]) -> frozenset[Key]:
        """Return whole-line keys that stand near some of the pivots and hardly anywhere else: "2 replies"."""
        near: Counter[Key] = Counter()
        seen = set()
        for place in places:
            for at in range(max(0, place - 4), min(self.end, place + 5)):
                shape = self.shapes[at]
                if shape and at not in seen and shape.keys and could_be_optional(shape):
                    seen.add(at)
                    near[shape.keys[0]] += 1
        kept = set()
        for key, count in near.items():
            numbered = NUMBER in key.pieces or DATE in key.pieces
            least = max(2, 0.1 * len(places)) if numbered else max(3, 0.15 * len(places))
            if least <= count < 0.9 * len(places) and count >= 0.8 * len(self.index.get(key, ())):
                kept.add(key)
        return frozenset(kept)

    def is_optional(self, at: int, template: _Template) -> bool:
        shape = self.shapes[at]
        return bool(shape and template.optional and any(key in template.optional for key in shape.keys[:1]))

    def step(self, at: int, by: int, template: _Template, stop: int) -> int:
        """Return the next line from ``at`` that is no optional element; ``stop`` where there is none before it."""
        at += by
        passed = 0
        while at != stop and passed < REACH and self.is_optional(at, template):
            at += by
            passed += 1
        return at


def _best_key(page: _Page, slots: Sequence[int], least: float) -> Key | None:
    """Return the key worth most that at least ``least`` of the lines ``slots`` have."""
    shapes = [page.shapes[at] for at in slots]
    counts = Counter(chain.from_iterable(shape.keys for shape in shapes if shape))
    found = [
        (count, worth(key), key)
        for key, count in counts.items()
        if count >= least and count >= 0.5 * len(page.index.get(key, range(999_999))) and _may_be_element(key)
    ]
    # What most have in common goes first: "says:" rather than the "Anonymous says:" of many of them.
    most = max((count for count, _, _ in found), default=0)
    found = [one for one in found if one[0] >= 0.99 * most]
    return max(found, key=lambda one: (one[1], one[0], one[2]))[2] if found else None


def _may_be_element(key: Key) -> bool:
    """Say whether a template may have the key; many people's texts begin with "If you", few end with "says:"."""
    if key.kind in ("first", "both"):
        marked = any(piece in (DATE, NUMBER) or worth(Key("last", (piece,))) == 0.7 for piece in key.pieces)
        return not is_code(key) and worth(key) >= (2.5 if marked else 4.4)
    return not is_code(key)


def _names(page: _Page, slots: Sequence[int], least: float, closed: bool) -> bool:
    """Say whether the lines ``slots`` are names: short, and too often so to be the ends of people's texts.

    ``closed``: markers stand on both sides, so that a text without a name would be a comment without a text.
    """
    if closed:
        slots = slots[1:]  # above the first comment nothing closes one
        return sum(len(page.lines[at].text) <= LONGEST_NAME for at in slots) >= 0.85 * len(slots)
    fits = sum(page.could_be_name[at] for at in slots)
    if fits < max(2.0, least, 0.85 * len(slots)):
        return False
    others = len(page.lines) - len(slots)
    usual = (max(0, page.names - fits) + 1) / (others + 2)
    repeated = len(slots) - len({page.lines[at].text for at in slots})
    return fits * log(1 / min(0.99, usual)) + repeated >= 3.5


def _element(page: _Page, template: _Template, slots: Sequence[int], by: int, named: bool) -> Key | None:
    """Return what stands in the ``slots``, or None where nothing that a template prints does."""
    # What closes a comment does not stand above the first one.
    number = len(template.places) - 1
    least = max(min(2.0, number), REQUIRED * number)
    key = _best_key(page, slots, least)
    if key and (named or not _is_busy_name(page, template, key, slots, by)):
        return key
    if named:
        return None
    beyond = [at for at in (slot + by for slot in slots) if 0 <= at < page.end]
    closed = by < 0 and bool(_best_key(page, beyond, least))
    return NAME if _names(page, slots, least, closed) else None


def _is_busy_name(page: _Page, template: _Template, key: Key, slots: Sequence[int], by: int) -> bool:
    """Say whether a slot that mostly holds one word, and otherwise other short lines, holds the names of people."""
    if key.kind != "whole" or DATE in key.pieces or NUMBER in key.pieces:
        return False
    closes = by < 0 and page.index[key][-1] > template.places[-1]  # then it need not stand above the first comment
    others = [at for at in slots[closes:] if not page.has(at, key)]
    return len(others) > 0.05 * len(slots) and _all_short(page, others)


def _all_short(page: _Page, slots: Sequence[int]) -> bool:
    return sum(page.could_be_name[at] for at in slots) >= 0.8 * len(slots)


def _grow(page: _Page, template: _Template, ends: list[int], by: int, *, names: bool) -> list[Key]:
    """Return the elements met going from the pivots upward (``by`` -1) or downward (1), nearest first."""
    elements: list[Key] = []
    stop = -1 if by < 0 else page.end
    slots = list(zip(ends, _limits(template.places, by, page.end), strict=True))
    for _ in range(min(REACH, _room(template))):
        key, found = None, slots
        # First the very next lines, then those behind a line that only some comments have ("2 replies").
        for optional in (False, True):
            found = [(page.step(at, by, template, stop) if optional else at + by, limit) for at, limit in slots]
            found = [(at, limit) for at, limit in found if at != stop and (at - limit) * by < 0]
            key = (
                _element(page, template, [at for at, _ in found], by, not names or NAME in elements)
                if len(found) > 1
                else None
            )
            if key:
                break
        if not key:
            break
        elements.append(key)
        slots = found
    return elements


def _room(template: _Template) -> int:
    """Return how many more elements fit between pivots and leave a line of text to nearly every comment."""
    # The article's own date may stand close above the first comment's, and says nothing about room.
    places = template.places[1:] if len(template.places) > 3 else template.places
    gaps = sorted(b - a for a, b in pairwise(places))
    return gaps[max(len(gaps) // 10, len(gaps) > 3)] - 2 - len(template.above) - len(template.below)


def _limits(places: Sequence[int], by: int, end: int) -> list[int]:
    """Return for each start of a walk the line it must not reach: the pivot next in that direction."""
    if by > 0:
        return [*places[1:], end]
    return [-1, *places[:-1]]


def _learn(page: _Page, pivot: Key, again: int = 2) -> _Template:
    """Return the template around a pivot, or around the better pivot it leads to: so often in turn, at most."""
    if (pivot, again) not in page.learned:
        page.learned[pivot, again] = _learned(page, pivot, again)
    return page.learned[pivot, again]


def _learned(page: _Page, pivot: Key, again: int) -> _Template:
    places = [at for at in page.index[pivot] if at < page.end]
    template = _Template(pivot, places)
    if len(places) < 2:
        return template
    template.optional = page.optional(places) - {pivot}
    template.above = _grow(page, template, places, -1, names=False)
    template.below = _grow(page, template, places, 1, names=False)
    earlier = [key for key in template.below if key != NAME and page.index[key][0] < places[0]]
    if earlier and again:
        # The pivot closes a comment, and what stands below it opens the next one: that is the better pivot.
        opening = min(earlier, key=lambda key: page.index[key][0])
        return _learn(page, _widest(page, opening, len(places)), again - 1)
    template.trailing = _trailing(page, template)
    template.all_below = _all_below(page, template)
    if template.all_below and again and (rest := [key for key in template.below if key != NAME]):
        return _learn(page, _widest(page, rest[0], len(places)), again - 1)
    if not any(_has_slot(page, key) for key in template.leading):
        # No line with room for a name so far: it may stand alone. Last, because a short text looks the same.
        template.above, template.below = [], []
        template.above = _grow(page, template, places, -1, names=True)
        template.below = _grow(page, template, places, 1, names=NAME not in template.above)
        template.trailing = _trailing(page, template)
        template.all_below = _all_below(page, template)
    if nats := _nats(page, template):
        template.heads = _heads(page, template)
        template.score = nats * len(template.heads)
    return template


def _walk(page: _Page, template: _Template, start: int, by: int, elements: Sequence[Key], limit: int) -> dict[int, Key]:
    """Return the lines that are markers going from ``start``, each with its element. A missing element is skipped."""
    found: dict[int, Key] = {}
    at, expected = start + by, 0
    waiting: dict[int, Key] = {}
    while (at - limit) * by < 0 and 0 <= at < page.end and expected <= len(elements):
        shape = page.shapes[at]
        rest = elements[expected:]
        match = next((i for i, key in enumerate(rest) if key != NAME and page.has(at, key)), None)
        if match is not None:
            found |= waiting
            waiting = {}
            found[at] = rest[match]
            expected += match + 1
        elif rest and page.could_be_name[at] and _continues(page, at + by, rest[1:]):
            found |= waiting | {at: rest[0]}
            waiting = {}
            expected += 1
        elif shape and page.is_optional(at, template) and not (NAME in rest[:1] and could_be_name(shape.line)):
            waiting[at] = shape.keys[0]
        elif NAME in rest[:1] and len(page.lines[at].text) <= LONGEST_NAME:
            found |= waiting | {at: NAME}
            waiting = {}
            expected += 1
        else:
            break
        at += by
    # At the edge of the text words alone may be its own, as a greeting or a signature; a badge there is no harm.
    return found | {at: key for at, key in waiting.items() if NUMBER in key.pieces or DATE in key.pieces}


def _continues(page: _Page, at: int, elements: Sequence[Key]) -> bool:
    """Say whether line ``at`` is the first of ``elements``: a short line before it then fills the template's slot."""
    return bool(elements) and 0 <= at < page.end and elements[0] != NAME and page.has(at, elements[0])


def _trailing(page: _Page, template: _Template) -> int:
    """Return how many of the farthest elements above the pivot belong to the comment before: they close the page too.

    They do not stand above the first pivot, where there is no comment before, but stand at the page's end.
    """
    # Dates of the article may look like the first pivots, and have nothing of the template above them.
    pairs = zip([-1, *template.places], template.places, strict=False)
    walks = (set(_walk(page, template, place, -1, template.above, before).values()) for before, place in pairs)
    number, shown = next(((at, found) for at, found in enumerate(walks) if found), (0, set[Key]()))
    constant = [at for at, key in enumerate(template.above) if key != NAME]
    missing = [at for at in constant if template.above[at] not in shown]
    closing = missing or (constant if number == 1 else [])
    return len(template.above) - closing[0] if closing else 0


def _all_below(page: _Page, template: _Template) -> bool:
    """Say whether the last marker of the page has no text below it: then all markers stand below their comments."""
    if template.trailing:
        return False
    last = template.places[-1]
    after = _walk(page, template, last, 1, template.below, page.end)
    return max([last, *after]) >= page.end - 1


def _widest(page: _Page, key: Key, most: int) -> Key:
    """Return the key of the same lines that has the most places, up to ``most``: the first byline is another's."""
    places = set(page.index[key])
    shape = page.shapes[page.index[key][0]]
    standing = {one: page.index.get(one, []) for one in (shape.keys if shape else [])}
    found = [(len(its), worth(one), one) for one, its in standing.items() if len(its) <= most and places <= set(its)]
    return max(found)[2] if found else key


def _nats(page: _Page, template: _Template) -> float:
    """Return what the template explains of each comment, in nats; 0 where it is not convincing."""
    keys = [template.pivot, *template.above, *template.below]
    constant = [key for key in keys if key != NAME]
    dated = any(key.has_date for key in constant)
    author = NAME in keys or any(_has_slot(page, key) for key in constant)
    number = len(template.places)
    total = sum((worth(key) + _value(page, key)) / 2 for key in constant) + 2 * (NAME in keys)
    if number == 2:
        convincing = dated and author and len(keys) > 1 and total >= 9 and not any(map(_is_prose, constant))
    elif dated:
        convincing = total >= (6 if number < 4 else 5.5) if author or len(constant) > 1 else total >= 8
    else:
        convincing = _is_steady(page, template) and total >= 3 and _convinces_undated(page, template, total, author)
    return min(total, 15.0) * (DATED if dated else 1.0) if convincing else 0.0


def _convinces_undated(page: _Page, template: _Template, total: float, author: bool) -> bool:
    """Say whether a template without a date is one: articles repeat headings and sentences, and listings lines."""
    keys = [template.pivot, *template.above, *template.below]
    number = len(template.places)
    if any(map(_is_prose, keys)) or _in_code(page, template):
        return False
    if len(keys) > 1:
        least = 5 if number > 4 and author and template.trailing else 6.5
        return number >= 4 and total >= least and (author or bool(template.trailing) or total >= 9)
    if author:
        ends = not any(map(str.isalnum, template.pivot.pieces[-1]))  # "says:", "wrote »"
        return number >= 5 and ends and template.pivot.kind == "last" and _short_slots(page, template)
    return number >= 5 and total >= 3.5 and template.all_below and any(map(str.isalpha, template.pivot.pieces))


def _is_steady(page: _Page, template: _Template) -> bool:
    """Say whether the pivots go on to the page's end, and what stands between them reads like texts."""
    places = template.places
    longest = max(b - a for a, b in pairwise(places))
    if page.end - places[-1] > 1.5 * longest + 3 or not any(map(str.isalpha, "".join(template.pivot.pieces))):
        return False
    size = page.sizes[page.end] - page.sizes[places[0]]
    return size >= 40 * (page.end - places[0] - len(places))


def _in_code(page: _Page, template: _Template) -> bool:
    """Say whether the template stands in a listing, whose lines repeat as regularly."""
    lines = page.lines[template.places[0] : template.places[-1] + 1]
    return sum(line.text[-1] in ";{}" or "()" in line.text for line in lines) > 0.1 * len(lines)


def _is_prose(key: Key) -> bool:
    return sum(map(str.isalpha, key.pieces)) > 3 or key.pieces[-1:] == (".",)


def _value(page: _Page, key: Key) -> float:
    """Return what a key is worth with all that its lines have in common at both ends."""
    if key.kind == "whole":
        return worth(key)
    first, last = page.affixes(key)
    return max(worth(key), worth(Key("both", (*first, *last))))


def _has_slot(page: _Page, key: Key) -> bool:
    """Say whether lines with this key say something different from one to the next, as bylines do."""
    if key.kind == "whole" or key == NAME:
        return False
    shapes = [shape for shape in (page.shapes[at] for at in page.index[key]) if shape]
    first, last = page.affixes(key)
    inner = [shape.pieces[len(first) : len(shape.pieces) - len(last)] for shape in shapes]
    lettered = sum(any(piece != DATE and any(map(str.isalpha, piece)) for piece in pieces) for pieces in inner)
    short = sum(len(shape.line) <= 110 for shape in shapes)
    return len(set(map(tuple, inner))) > 1 and 2 * lettered >= len(shapes) and short >= 0.9 * len(shapes)


def _short_slots(page: _Page, template: _Template) -> bool:
    places = template.places
    return sum(len(page.lines[at].text) <= 50 for at in places) >= 0.9 * len(places)


def _best(page: _Page) -> _Template | None:
    learned = [_learn(page, pivot) for pivot in _pivots(page.index, page.end)]
    convincing = [one for one in learned if one.score > 0]
    # Of two pivots of the same template the one that comes first on the page stands above the comments.
    best = max(convincing, key=lambda one: (round(one.score, 1), -one.places[0]), default=None)
    if best:
        # "by Anna, D" is worth more than "by" and D, but a pivot that stands in all its heads and in others says more.
        wider = [one for one in convincing if len(one.heads) > 1.1 * len(best.heads) and _covers(one, best)]
        best = max([best, *wider], key=lambda one: (one is not best, one.score))
    return best


def _covers(wider: _Template, template: _Template) -> bool:
    """Say whether the pivot of ``wider`` is an element of the template, or stands in each of its heads."""
    places = set(wider.places)
    return wider.pivot in template.leading or all(places & head.elements.keys() for head in template.heads)


class _Head(NamedTuple):
    first: int  # lines of the markers above a comment
    last: int
    elements: dict[int, Key]
    trailing: dict[int, Key]  # markers of the comment before


def _heads(page: _Page, template: _Template) -> list[_Head]:
    heads: list[_Head] = []
    others = [key for key in template.leading if key not in (template.pivot, NAME)]
    before = -1
    split = len(template.above) - template.trailing
    for number, place in enumerate(template.places):
        limit = template.places[number + 1] if number + 1 < len(template.places) else page.end
        down = _walk(page, template, place, 1, template.below, limit)
        up = _walk(page, template, place, -1, template.above, before)
        elements = {place: template.pivot} | down
        # A line that only looks like the pivot: somebody wrote it, the rest of the template is not there.
        if others and not any(key in others for key in (*down.values(), *up.values())):
            continue
        trailing = _cut(up, set(template.above[split:]), elements)
        heads.append(_Head(min(elements), max(elements), elements, trailing))
        before = max(elements)
    return heads


def _cut(up: dict[int, Key], closing: set[Key], elements: dict[int, Key]) -> dict[int, Key]:
    """Put the markers above a pivot where they belong: to ``elements``, or to the comment before, which is returned."""
    trailing: dict[int, Key] = {}
    for at in sorted(up, reverse=True):
        if trailing or up[at] in closing:
            trailing[at] = up[at]
        else:
            elements[at] = up[at]
    return trailing


def find_marks(lines: Sequence[Line]) -> Marks | None:
    """Return what the page's template says about the comments in ``lines``, or None where none is convincing.

    Linear in the number of lines. Never raises on any text.
    """
    if len(lines) < 4:
        return None
    page = _Page(lines)
    template = _best(page)
    if not template:
        return None
    heads = template.heads
    if heads and _is_articles(page, heads[0]):
        heads = heads[1:]
    if len(heads) < 2:
        return None
    return _read(page, template, heads)


def _is_articles(page: _Page, head: _Head) -> bool:
    """Say whether nothing but a title stands above the first marker: then it is the article's own byline."""
    return head.first <= 1 and sum(len(line.text) for line in page.lines[: head.first]) < 100


def _read(page: _Page, template: _Template, heads: Sequence[_Head]) -> Marks | None:
    reader = _Reader(page, template, heads)
    bodies = _bodies_above(heads) if template.all_below else _bodies(page, template, heads)
    reasons: dict[int, str] = {}
    comments = []
    for head, (first, last, trailing) in zip(heads, bodies, strict=True):
        head_lines = dict(head.elements)
        if first > last and not template.all_below:
            _give_back(head_lines, head, template)
            first = max(head_lines) + 1
            last = max(last, first - 1)
        reasons |= {at: reader.what(at, key) for at, key in (head_lines | trailing).items()}
        if first <= last:
            comments.append(Marked(first, last, tuple(head_lines), *reader.byline(head_lines | trailing)))
    if len(comments) < 2:
        return None
    dated = any(key.has_date for key in (template.pivot, *template.above, *template.below))
    sure = _confidence(template, len(comments), dated)
    what = " and ".join(dict.fromkeys(reasons.values()))
    place = "below" if template.all_below else "above"
    told = f"{what} stand {place} each of {len(comments)} comments"
    return Marks(tuple(comments), reasons, sure, told, template.all_below, dated)


def _confidence(template: _Template, number: int, dated: bool) -> float:
    """Return how likely a comment starts where the template says, as measured on labelled pages across sites."""
    if not dated:
        return 0.5  # an article's own headings repeat as well, and only the labelled pages' dates are sure
    if template.all_below:
        return 0.75
    return 0.98 if number > 3 else 0.95


def _give_back(head: dict[int, Key], whole: _Head, template: _Template) -> None:
    """Give the last optional line of a head back to its comment, which would have no text otherwise: "Thanks!"."""
    at = max(head)
    if head[at] in template.optional and len(head) > 1:
        del head[at]


def _bodies(page: _Page, template: _Template, heads: Sequence[_Head]) -> list[tuple[int, int, dict[int, Key]]]:
    result = []
    for number, head in enumerate(heads):
        if number + 1 < len(heads):
            after = heads[number + 1]
            trailing, last = after.trailing, min([after.first, *after.trailing]) - 1
        else:
            closing = template.above[len(template.above) - template.trailing :]
            trailing = _walk(page, template, page.end, -1, closing, head.last) if closing else {}
            last = min([page.end, *trailing]) - 1
        result.append((head.last + 1, last, trailing))
    return result


def _bodies_above(heads: Sequence[_Head]) -> list[tuple[int, int, dict[int, Key]]]:
    before = [0, *(head.last + 1 for head in heads)]
    return [(first, head.first - 1, {}) for first, head in zip(before, heads, strict=False)]


class _Reader:
    """Reads authors and dates out of marker lines; what is the same on nearly all of them is no name."""

    def __init__(self, page: _Page, template: _Template, heads: Sequence[_Head]) -> None:
        self.page = page
        lines: dict[Key, list[int]] = defaultdict(list)
        for head in heads:
            for at, key in head.elements.items():
                lines[key].append(at)
        self.affixes = {key: _affixes([page.shapes[at] for at in its]) for key, its in lines.items()}
        self.slot = self._slot(template, lines)
        found = [s for its in lines.values() for at in its for s in self._dates(at)]
        self.day_first = day_first(found)

    def _dates(self, at: int) -> list[Stamp]:
        shape = self.page.shapes[at]
        return shape.dates if shape else []

    def _slot(self, template: _Template, lines: dict[Key, list[int]]) -> Key | None:
        """Return the element that holds the author: a name alone, or the byline with the most different names."""
        if NAME in lines:
            return NAME
        found = []
        for key in template.leading:
            names = [self._name(at, key) for at in lines.get(key, ())] if key.kind != "whole" else []
            kept = [name for name in names if name]
            if kept and 2 * len(kept) >= len(names):
                found.append((len(kept), not key.has_date, key))
        return max(found)[2] if found else None

    def _name(self, at: int, key: Key) -> str | None:
        shape = self.page.shapes[at]
        if not shape:
            return None
        first, last = self.affixes.get(key, ([], []))
        begin = len(first) if shape.pieces[: len(first)] == first else 0
        end = len(shape.pieces) - (len(last) if shape.pieces[len(shape.pieces) - len(last) :] == last else 0)
        inner = [i for i in range(begin, end) if shape.pieces[i] != DATE]
        if not inner:
            return None
        stop = next((a for a, b in pairwise(inner) if b != a + 1), inner[-1])
        name = shape.line[shape.spans[inner[0]][0] : shape.spans[stop][1]].strip(" :|,»›·•–—/")
        return name if any(map(str.isalnum, name)) and len(name) <= LONGEST_NAME else None

    def byline(self, head: dict[int, Key]) -> tuple[str | None, datetime | None]:
        author = (
            next((self._name(at, key) for at, key in head.items() if key == self.slot), None) if self.slot else None
        )
        stamps = (stamp for at in head for stamp in self._dates(at))
        return author, next((moment for moment in (read(s, self.day_first) for s in stamps) if moment), None)

    def what(self, at: int, key: Key) -> str:
        """Return in words what a marker line is."""
        if key == self.slot:
            return "byline"
        if self._dates(at):
            return "date line"
        return "number line" if NUMBER in key.pieces else "link line"


def _affixes(shapes: Sequence[Shape | None]) -> tuple[list[str], list[str]]:
    """Return the first and the last pieces that nearly all of the lines share."""
    rows = [shape.pieces for shape in shapes if shape]
    return _common(rows), _common([row[::-1] for row in rows])[::-1]


def _common(rows: Sequence[list[str]]) -> list[str]:
    """Return the longest beginning that nine in ten of the rows have."""
    common: list[str] = []
    while rows:
        at = len(common)
        counts = Counter([row[at] for row in rows if len(row) > at + 1])
        piece = max(counts, key=counts.__getitem__, default="")
        if counts[piece] < 0.9 * len(rows):
            break
        common.append(piece)
    return common
