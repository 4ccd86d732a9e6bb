"""Names as keys: two spellings with one key are one name. Pure."""

from __future__ import annotations

import re
import unicodedata

MAX_KEY = 300  # the width of Alias.key
# Up to this many letters an acronym keeps its case: US is not us, WHO is not who. Longer ones are folded, because
# newspapers write both NATO and Nato, and because a name in a headline may be in capitals.
MAX_ACRONYM = 3

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc\u0060\u00b4\uff07]")
_QUOTES = re.compile('["\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a]')
_GAPS = re.compile(r"[\s_\-\u2010-\u2015\u2212\uff0d]+")  # spaces and dashes of every width
_EDGES = " .,;:!?()[]{}<>*/\\|~^=+'"
_POSSESSIVE = re.compile("(?:'s|(?<=s)')$", re.IGNORECASE)
_ARTICLE = re.compile(r"^the (?=.)", re.IGNORECASE)
_SPACED_INITIALS = re.compile(r"\b([^\W\d_])\. (?=[^\W\d_]\.)")  # "J. K. Rowling" is "J.K. Rowling"
_DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")  # what "U.S." is without its last dot


def key(surface: str) -> str:
    """The normalised key of a name: at most 300 characters, empty where the surface holds no letter or digit.

    Compatibility forms and case are folded, except the case of acronyms of up to three letters. Dots in acronyms,
    quotes, a leading "the" and a possessive ending go; spaces and dashes become one space each. Accents stay.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", surface))
    text = _GAPS.sub(" ", _QUOTES.sub("", _APOSTROPHES.sub("'", text))).strip()
    text = _SPACED_INITIALS.sub(r"\1.", _POSSESSIVE.sub("", text)).strip(_EDGES)
    text = _ARTICLE.sub("", text)
    words = [_undotted(word) for word in text.split()]
    # Where all of several words are in capitals, somebody shouts: DONALD TRUMP holds no acronym.
    shouted = len(words) > 1 and all(word.isupper() for word in words)
    folded = [word if is_acronym(word) and not shouted else word.casefold() for word in words]
    joined = unicodedata.normalize("NFKC", " ".join(word for word in folded if word))
    return joined[:MAX_KEY].rstrip() if any(map(str.isalnum, joined)) else ""


def is_acronym(word: str) -> bool:
    """Two or three characters, digits allowed, all letters capital: US, EU, MI6, G20."""
    return 2 <= len(word) <= MAX_ACRONYM and word.isalnum() and word.isupper()


def _undotted(word: str) -> str:
    bare = word.rstrip(".")
    return bare.replace(".", "") if _DOTTED.fullmatch(bare) else bare
