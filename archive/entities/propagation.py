"""What one discussion as a whole says about the names in it. Pure.

The model reads each text alone: it sees a name in one comment, misses it in the next, and calls it a place in a third.
``Evidence`` collects what it found in all texts of an article; ``Names``, concluded from that, then decides for each
text, linearly in its length, where the names are and which of them are one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archive.entities import gazetteer, names
from archive.entities.extractor import KINDS, MAX_NAME, PERSON, PLACE, Found, trimmed

MAX_NAMES = 2_000  # names that are looked for where the model missed them: the most frequent ones of the article
MIN_LETTERS = 4  # of a name that is looked for; acronyms may be shorter
MAX_PAIRS = 1_000  # "Long Form (ACR)" in one article
MAX_STEPS = 4  # from a name to the one it stands for: acronym, long form, surname, country


class Identity(NamedTuple):
    """Who or what a name stands for within one article."""

    kind: str  # "person", "org" or "place"
    key: str  # names.key of the fullest name
    name: str  # as it is to be shown
    own_key: str  # names.key of the surface itself; differs from ``key`` for an acronym or a lone surname


class Named(NamedTuple):
    """A range of a text that names something. ``found.kind`` is the kind that the article as a whole gives it."""

    found: Found
    identity: Identity


class Evidence:
    """What was found in the texts of one article. Add all of them, in any number of calls, then ``conclude``."""

    def __init__(self) -> None:
        self._kinds: dict[str, Counter[str]] = defaultdict(Counter)  # key -> how often it was taken for what
        self._surfaces: dict[str, Counter[str]] = defaultdict(Counter)  # key -> how it was written
        self._small_words: Counter[str] = Counter()
        self._pairs: dict[str, str] = {}  # acronym -> long form, the first one stated

    def add(self, texts: Sequence[str], found: Sequence[Sequence[Found]]) -> None:
        for text, names_found in zip(texts, found, strict=True):
            for start, end, kind, _ in names_found:
                surface = text[start:end]
                if key := names.key(surface):
                    self._kinds[key][kind] += 1
                    self._surfaces[key][surface] += 1
            self._small_words.update(word for word in _WORD.findall(text) if word.islower())
            for acronym, long_form in _long_forms(text):
                if len(self._pairs) < MAX_PAIRS:
                    self._pairs.setdefault(acronym, long_form)

    def conclude(self) -> Names:
        stands_for = self._take_pairs()
        full_names = self._full_names()
        for key, full in full_names.items():
            stands_for.setdefault(key, full)
        for key in self._kinds:
            country = gazetteer.country(key)
            if country and names.key(country) != key and self._kind_of(key) == PLACE:
                stands_for.setdefault(key, names.key(country))
        identities = self._identities(stands_for)
        return Names(identities, self._sought())

    def _take_pairs(self) -> dict[str, str]:
        """Acronym key -> long form key, where the model found a name in either; both count as found from then on."""
        stands_for = {}
        for acronym, long_form in self._pairs.items():
            short, full = names.key(acronym), names.key(long_form)
            known = self._kinds.get(full) or self._kinds.get(short)
            if not short or not full or short == full or not known:
                continue
            kind = known.most_common(1)[0][0]
            for key, surface in ((short, acronym), (full, long_form)):
                self._kinds[key][kind] += 1
                self._surfaces[key][surface] += 1
            stands_for[short] = full
        return stands_for

    def _full_names(self) -> dict[str, str]:
        """Lone surname -> the one full name of a person that ends with it."""
        people = [key for key in self._kinds if self._kind_of(key) == PERSON]
        ending_with: dict[str, list[str]] = defaultdict(list)
        for key in people:
            if " " in key:
                ending_with[key.rpartition(" ")[2]].append(key)
        return {key: ending_with[key][0] for key in people if len(ending_with.get(key, ())) == 1}

    def _kind_of(self, key: str) -> str:
        return _majority(key, self._kinds[key])

    def _identities(self, stands_for: Mapping[str, str]) -> dict[str, Identity]:
        end_of = {key: _follow(stands_for, key) for key in self._kinds}
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        for key, end in end_of.items():
            kinds[end].update(self._kinds[key])
        fullest = {end: (_majority(end, counted), self._name_of(end)) for end, counted in kinds.items()}
        identities = {}
        for key, end in end_of.items():
            kind, name = fullest[end]
            shown = gazetteer.country(end) if kind == PLACE else ""
            identities[key] = Identity(kind, end, shown or name, key)
        return identities

    def _name_of(self, key: str) -> str:
        """The most frequent way to write it, of equally frequent ones the longest."""
        surfaces = self._surfaces.get(key, Counter())  # none for a country that is only called by other names
        return max(surfaces, key=lambda surface: (surfaces[surface], len(surface), surface), default=key)

    def _sought(self) -> list[str]:
        """The surfaces to look for in all texts, the most frequent first."""
        frequent: Counter[str] = Counter()
        for surfaces in self._surfaces.values():
            frequent.update({surface: n for surface, n in surfaces.items() if self._is_worth_seeking(surface, n)})
        return [surface for surface, _ in sorted(frequent.items(), key=lambda item: (-item[1], item[0]))][:MAX_NAMES]

    def _is_worth_seeking(self, surface: str, times: int) -> bool:
        """Long or an acronym, written with a capital, and not rather a word that the model misread once, as "Will"."""
        if not _WORD.match(surface) or surface.islower():
            return False
        if names.is_acronym(surface.replace(".", "")):
            return True
        return sum(map(str.isalpha, surface)) >= MIN_LETTERS and times > self._small_words[surface.lower()]


class Names:
    """The names of one article: where they are in a text, and who they are."""

    def __init__(self, identities: Mapping[str, Identity], sought: Iterable[str]) -> None:
        self._identities = identities
        self._sought = frozenset(sought)
        # First word -> the lengths of the names that begin with it, longest first. A text is read once, and no word
        # costs more than a look-up for each length, where one alternation of them all would try each name.
        lengths = defaultdict(set)
        for surface in self._sought:
            if first := _WORD.match(surface):
                lengths[first[0]].add(len(surface))
        self._lengths = {first: sorted(some, reverse=True) for first, some in lengths.items()}

    def identities(self) -> Iterable[Identity]:
        """All of them, one for each way a name is keyed."""
        return self._identities.values()

    def in_text(self, text: str, found: Sequence[Found]) -> list[Named]:
        """What the model found in the text and what it missed, in order, none overlapping another.

        Of two that overlap the longer stays: "Kabul Airport" known from elsewhere replaces a mere "Kabul".
        """
        named = []
        for start, end, _, score in _without_overlaps([*found, *self._missed(text)]):
            if identity := self._identities.get(names.key(text[start:end])):
                named.append(Named(Found(start, end, identity.kind, score), identity))
        return named

    def _missed(self, text: str) -> Iterator[Found]:
        for match in _WORD_OR_ADDRESS.finditer(text):
            start = match.start()
            if text[start - 1 : start] == "@":
                continue
            for length in self._lengths.get(match[0], ()):
                if text[start : start + length] in self._sought and _ends_word(text, start + length):
                    yield Found(start, start + length, "")
                    break


def propagate(texts: Sequence[str], found: Sequence[Sequence[Found]]) -> list[list[Named]]:
    """All steps at once, for a discussion that fits into memory."""
    evidence = Evidence()
    evidence.add(texts, found)
    known = evidence.conclude()
    return [known.in_text(text, names_found) for text, names_found in zip(texts, found, strict=True)]


_WORD = re.compile(r"\w+")
_WORD_OR_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\w+")  # names are not looked for inside addresses


def _ends_word(text: str, end: int) -> bool:
    return not (text[end : end + 1].isalnum() and text[end - 1].isalnum())


def _without_overlaps(spans: Iterable[Found]) -> list[Found]:
    """Longest first, and of two as long the one given first, which is the model's own. In order of the text."""
    kept: list[Found] = []
    taken: set[int] = set()  # code points; names are short
    for span in sorted(spans, key=lambda span: span.start - span.end):
        if span.start not in taken and span.end - 1 not in taken:
            taken.update(range(span.start, span.end))
            kept.append(span)
    return sorted(kept)


def _majority(key: str, kinds: Counter[str]) -> str:
    """What most mentions are taken for; a country is a place. Of kinds that are as frequent, the first of KINDS."""
    return PLACE if gazetteer.is_surely_place(key) else max(KINDS, key=lambda kind: kinds[kind])


def _follow(stands_for: Mapping[str, str], key: str) -> str:
    """The end of a chain of names, at most MAX_STEPS away."""
    for _ in range(MAX_STEPS):
        key = stands_for.get(key, key)
    return key


_ACRONYM = re.compile(r" \(([A-Z][A-Za-z]{1,9})\)")
_SMALL_WORDS = "a al and da de del des di do du e el et for fur für in la of on para the to und y"
_SMALL = frozenset(_SMALL_WORDS.split())
_PART = re.compile(r"[^\W_]+")


def _long_forms(text: str) -> Iterator[tuple[str, str]]:
    """Each "Long Form (ACR)": the acronym, and the words before it of which it holds the first letters."""
    for match in _ACRONYM.finditer(text):
        acronym = match[1]
        line = text.rfind("\n", 0, match.start()) + 1
        begin = max(line, match.start() - MAX_NAME)
        parts = list(_PART.finditer(text, begin, match.start()))
        # A long form has no fewer parts than the acronym letters, and few small words between.
        for count in range(len(acronym), min(len(parts), len(acronym) + 4) + 1):
            chosen = parts[-count:]
            if chosen[0][0][0].isupper() and acronym.upper() in _initials([part[0] for part in chosen]):
                if span := trimmed(text, chosen[0].start(), match.start()):
                    yield acronym, text[slice(*span)]
                break


def _initials(words: Sequence[str]) -> tuple[str, str]:
    """The first letters of all words, and of those that are not small words."""
    large = [word for word in words if word.lower() not in _SMALL]
    return "".join(word[0] for word in words).upper(), "".join(word[0] for word in large).upper()
