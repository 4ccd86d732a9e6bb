"""Untrusted text or HTML to safe HTML, plain text, excerpts and highlighted snippets.

Pure. Everything here takes what a stranger wrote, never raises because of it, and works in time linear in its length.

HTML is read twice. A tokenizer and a balancer of our own turn it into properly nested tags of a short list, because an
HTML parser that follows the standard can be made to build gigabytes from 60 KB: formatting elements that are closed in
the wrong order are opened again in every later block, however flat the nesting looks. What is left, which is small and
regular, goes through nh3, whose allow-list is what safety rests on.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape, unescape
from typing import NamedTuple

import nh3

from archive.ingest.records import storable

MAX_HTML = 1_048_576  # code points; longer HTML is shown as its plain text
MAX_DEPTH = 200  # open elements; deeper HTML is shown as its plain text
MAX_ESCAPED = 100_000  # ampersands and no-break spaces in HTML; nh3 is quadratic in these where no tag is between
MAX_QUOTE_DEPTH = 5  # nested block quotes in plain text; further ">" stay as they were typed
MAX_URL = 2_000  # code points; a longer address stays text
MAX_MARK = 500  # code points; a longer mark is dropped
MAX_TERMS = 16
MAX_WHOLE = 3  # code points; a term this short is found as a whole word, or "the" would be found in "them"
MAX_TERM = 100  # code points; a longer term is cut
MAX_SEARCHED = 200_000  # code points of a text in which highlight() looks for hits
MAX_HITS = 1_000

LINK_REL = "nofollow ugc noopener"


class Mark(NamedTuple):
    """A mention to be linked: a half-open range of code points, the address of its page, and the kind of entity."""

    start: int
    end: int
    href: str
    kind: str


# --- Plain text to HTML ---------------------------------------------------------------------------------------------

_QUOTE = re.compile(rf"[ \t]{{0,3}}(?:>[ \t]?){{1,{MAX_QUOTE_DEPTH}}}")
# Not inside a Latin word, but directly after Chinese or Thai, which put no space around an address: their punctuation
# ends it, as do quotation marks, angle brackets and characters that change the direction of text (they disguise it).
_URL = re.compile(
    r"(?<![A-Za-z0-9])https?://(?=[^\W_]|\[)[^\s<>\"、。，；：！？「」『』【】《》\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+",
    re.IGNORECASE,
)
_AFTER_URL = frozenset(".,;:!?'*_~`’”»›…")
_OPENING = {")": "(", "]": "[", "}": "{", "）": "（"}
_MARK_HREF = re.compile(r"(?:https?://|/(?![/\\])|[?#])[^\x00-\x20]*", re.IGNORECASE)


class _Link(NamedTuple):
    start: int
    end: int
    tag: str  # the opening tag, escaped


def render_text(text: str, marks: Sequence[Mark] = ()) -> str:
    """Safe HTML for plain text: each line that is not blank a paragraph, ``>`` at its start a quote, addresses linked.

    Marks are ranges of ``text``. Of marks that overlap, the one that starts first stays, and of those the longest; one
    that touches an address, crosses a line break or a quote sign, begins or ends with white space, does not lie in the
    text, or leads to anything but a page (``/``, ``?``, ``#``, http, https), is dropped.
    """
    text = storable(text)
    links = _links(text, marks)
    parts: list[str] = []
    depth = start = next_link = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        quote = _QUOTE.match(line)
        wanted = quote[0].count(">") if quote else 0
        begin = start + (quote.end() if quote else 0)
        line_links = []
        while next_link < len(links) and links[next_link].start < end:
            if links[next_link].start >= begin:
                line_links.append(links[next_link])
            next_link += 1
        content = _linked(text, begin, end, line_links)
        if content or not quote:  # a blank line ends a quote, a bare quote sign is a blank line within one
            parts.append("</blockquote>" * (depth - wanted) + "<blockquote>" * (wanted - depth))
            depth = wanted
        if content:
            parts.append(f"<p>{content}</p>")
        start = end
    html = "".join(parts) + "</blockquote>" * depth
    # A comment that is nothing but quote signs still says what it says.
    return html or (f"<p>{escape(text.strip())}</p>" if text.strip() else "")


def _linked(text: str, start: int, end: int, links: Sequence[_Link]) -> str:
    """One line, escaped, without white space around it, with its links. The links are inside it and in order."""
    parts = []
    for link in links:
        parts += [escape(text[start : link.start]), link.tag, escape(text[link.start : link.end]), "</a>"]
        start = link.end
    parts.append(escape(text[start:end]))
    return "".join(parts).strip()


def _links(text: str, marks: Sequence[Mark]) -> list[_Link]:
    """All links of a text, in order, none overlapping another."""
    urls = list(_urls(text))
    starts = [url.start for url in urls]
    chosen = []
    free_from = 0
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end, mark.href, mark.kind)):
        before = bisect_left(starts, mark.end) - 1  # the last address that starts before the mark ends
        if (
            free_from <= mark.start < mark.end <= len(text)
            and mark.end - mark.start <= MAX_MARK
            and (before < 0 or urls[before].end <= mark.start)
            and _is_in_a_line(text[mark.start : mark.end])
            and _MARK_HREF.fullmatch(mark.href)
        ):
            kind = re.sub(r"[^A-Za-z0-9_-]", "-", mark.kind)  # one class, not several
            tag = f'<a class="kind-{kind}" href="{escape(storable(mark.href))}">'
            chosen.append(_Link(mark.start, mark.end, tag))
            free_from = mark.end
    return sorted(urls + chosen)


def _is_in_a_line(surface: str) -> bool:
    """Whether a link around this stays in its paragraph: no line break in it, no white space around it."""
    return surface.strip().splitlines() == [surface]


def _urls(text: str) -> Iterator[_Link]:
    for match in _URL.finditer(text):
        url = _without_tail(match[0])
        if len(url) <= MAX_URL:
            yield _Link(match.start(), match.start() + len(url), f'<a href="{escape(url)}" rel="{LINK_REL}">')


def _without_tail(url: str) -> str:
    """Leave off the punctuation and the closing brackets that belong to the sentence around an address."""
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _OPENING.items()}
    end = len(url)
    while end:
        last = url[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _AFTER_URL:
            break
        end -= 1
    return url[:end]


# --- HTML, read as it is ----------------------------------------------------------------------------------------------

# As in the HTML standard, a quotation mark means something only after "=". Possessive, so that no character is read
# more than a few times: a tag that does not match is one that never ends, and nothing after it is a tag either.
_ATTRIBUTE = r"""[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+"""
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)((?:[\s/]++|{_ATTRIBUTE})*+)>")
_NAME_AND_VALUE = re.compile(r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""")
_MARKUP = re.compile(r"<(?=/?[a-zA-Z]|[!?])")
_COMMENT_END = re.compile(r"--!?>")
# Elements whose content is not the writer's text, and those whose content is text with "<" in it.
_DROPPED = frozenset(
    ["script", "style", "template", "noscript", "iframe", "noembed", "noframes", "svg", "title", "select"]
)
_LITERAL = frozenset(["textarea", "xmp"])

_OTHER_BLOCKS = """
    address article aside body caption center details dir fieldset figcaption figure footer form header hgroup html
    legend main menu nav section summary table
"""
_BLOCKS = {
    **{name: name for name in ("p", "div", "blockquote", "pre", "ul", "ol", "li", "dl", "dt", "dd", "hr")},
    **{name: name for name in ("h3", "h4", "h5", "h6")},
    "h1": "h3",  # the page has a title of its own
    "h2": "h3",
    # Without these, the words of neighbouring blocks would run together.
    **dict.fromkeys(_OTHER_BLOCKS.split(), "div"),
}
_INLINE = {
    **{name: name for name in ("em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "code", "q", "cite")},
    "a": "a",
    "strike": "s",
    "tt": "code",
    "kbd": "code",
    "samp": "code",
}
# Tables become lines: a parser's rules for misplaced rows and cells are another way to make much out of little.
_BREAKS = frozenset(["br", "tr"])
_CELLS = frozenset(["td", "th"])
_ITEMS = {"li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd")}  # what an item's start ends, if nothing is between

_TEXT, _START, _END = range(3)


class _Token(NamedTuple):
    kind: int
    value: str  # undecoded text, or the lower-case name of a tag
    attributes: str = ""


def _tokens(html: str) -> Iterator[_Token]:
    """Text, start tags and end tags of HTML. Comments, scripts and the like are left out; a lone "<" is text."""
    position = 0
    without_end: set[str] = set()  # names whose end tag does not come again: look for each only once
    while found := _MARKUP.search(html, position):
        start = found.start()
        if start > position:
            yield _Token(_TEXT, html[position:start])
        position = start
        if html[start + 1] in "!?":
            position = _after_declaration(html, start)
            continue
        tag = _TAG.match(html, start)
        if not tag:
            break
        name, position = tag[2].lower(), tag.end()
        if tag[1] or name in without_end or not _has_content(name, tag[3]):
            yield _Token(_END if tag[1] else _START, name, tag[3])
        elif end := re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position):
            if name in _LITERAL:
                yield _Token(_TEXT, html[position : end.start()])
            position = end.start()
        elif name in ("script", "style"):
            return
        else:
            without_end.add(name)
    if position < len(html):
        yield _Token(_TEXT, html[position:])


def _has_content(name: str, attributes: str) -> bool:
    return name in _DROPPED | _LITERAL and not (name == "svg" and attributes.endswith("/"))


def _after_declaration(html: str, start: int) -> int:
    """Where the comment, doctype or processing instruction at ``start`` ends; as in a browser, else at the end."""
    if html.startswith("<!--", start):
        if html.startswith((">", "->"), start + 4):
            return html.index(">", start) + 1
        end = _COMMENT_END.search(html, start + 4)
        return end.end() if end else len(html)
    return html.find(">", start) + 1 or len(html)


_SCHEME = re.compile(r"https?://|mailto:", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"&#[0-9]{50,};?")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,9}|[a-zA-Z][a-zA-Z0-9]{0,31});")


def _decoded(text: str) -> str:
    # Python refuses to read numbers of more than 4,300 digits, and html.unescape() lets that error through.
    return storable(unescape(_LONG_NUMBER.sub("\ufffd", text))) if "&" in text else text


def _href(attributes: str) -> str:
    """The decoded address in the attributes of a tag, empty unless it is http, https or mailto and not too long."""
    for match in _NAME_AND_VALUE.finditer(attributes):
        if match[1].lower() == "href":  # as in a browser, the first counts
            value = match[2] or match[3] or match[4] or ""
            # In an attribute "&copy=1" is not a copyright sign: only references that end in ";" are decoded.
            href = storable(_REFERENCE.sub(lambda found: unescape(found[0]), value).strip())
            return href if len(href) <= MAX_URL and _SCHEME.match(href) else ""
    return ""


def html_to_text(html: str) -> str:
    """Readable plain text of untrusted HTML: one line for each block, no blank lines, references decoded.

    White space is collapsed as a browser would, but for the inside of ``pre``.
    """
    parts = []
    preformatted = 0
    for kind, value, _ in _tokens(storable(html)):
        if kind == _TEXT:
            text = _decoded(value)
            # A space that must stay is a NUL until the end: storable() has left no other NUL.
            parts.append(text.replace(" ", "\0") if preformatted else re.sub(r"[ \t\n\r\f]+", " ", text))
        elif value in _BLOCKS or value in _BREAKS:
            parts.append("\n")
            if value == "pre":
                preformatted = max(0, preformatted + (1 if kind == _START else -1))
        elif value in _CELLS:
            parts.append(" ")
    lines = (" ".join(filter(None, line.split(" "))) for line in "".join(parts).split("\n"))
    kept = (line.replace("\0", " ").rstrip() for line in lines)
    return "\n".join(line for line in kept if line)


# --- HTML, made safe --------------------------------------------------------------------------------------------------

_CLEANER = nh3.Cleaner(
    tags={*_BLOCKS.values(), *_INLINE.values(), "br"},
    clean_content_tags={"script", "style"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=LINK_REL,
)


def clean_html(html: str) -> str:
    """Safe HTML of untrusted HTML: paragraphs, headings (h3 to h6), lists, quotes, code, emphasis and links.

    Links keep only http, https and mailto addresses, and no other tag has an attribute. HTML longer than MAX_HTML or
    nested deeper than MAX_DEPTH, or with more than MAX_ESCAPED ampersands, becomes its plain text, rendered.
    """
    html = storable(html)
    balanced = _balanced(html) if len(html) <= MAX_HTML else None
    return render_text(html_to_text(html)) if balanced is None else _CLEANER.clean(balanced)


def _balanced(html: str) -> str | None:
    """The same HTML with allowed tags only, each closed in its order; None where that is more than nh3 should see."""
    builder = _Balancer()
    for kind, value, attributes in _tokens(html):
        if kind == _TEXT:
            builder.text(_decoded(value))
        elif kind == _START:
            builder.start(value, attributes)
        else:
            builder.end(value)
        if len(builder.open) > MAX_DEPTH:
            return None
    builder.close_to(0)
    balanced = "".join(builder.parts)
    return balanced if balanced.count("&amp;") + balanced.count("\xa0") <= MAX_ESCAPED else None


class _Balancer:
    """Puts tags in order with a stack. A paragraph holds no blocks, and an item ends where the next one starts.

    An inline element that should end inside a block that it encloses ends with that block instead, and one that is
    open when its block ends is not opened again: that would let a few tags become millions.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.open: list[str] = []
        self.counts: Counter[str] = Counter()  # of the open elements by name, ended ones not counted
        self.ended: set[int] = set()  # places in the stack of inline elements that end with the block above them
        self.paragraph = -1  # the place of the open paragraph; there is at most one, with only inline above it

    def text(self, text: str) -> None:
        if self.parts and self.parts[-1] == "<pre>":
            text = text.lstrip("\r\n")  # a parser drops one line break here each time it reads the result
        self.parts.append(escape(text, quote=False))

    def start(self, name: str, attributes: str) -> None:
        if name in _BREAKS:
            self.parts.append("<br>")
        elif name in _CELLS:
            self.parts.append(" ")
        elif block := _BLOCKS.get(name):
            if self.paragraph >= 0:
                self.close_to(self.paragraph)
            if block in _ITEMS:
                self._end_item(_ITEMS[block])
            if block == "p":
                self.paragraph = len(self.open)
            self._push(block)
        elif inline := _INLINE.get(name):
            self._start_inline(inline, attributes)

    def _start_inline(self, name: str, attributes: str) -> None:
        if name != "a":
            self._push(name)
        elif href := _href(attributes):
            self.end("a")  # a link holds no other
            self._push("a", f' href="{escape(href)}"')

    def end(self, name: str) -> None:
        name = _BLOCKS.get(name) or _INLINE.get(name) or ""
        if not self.counts[name]:
            return
        place = len(self.open) - 1
        blocks_between = False
        while self.open[place] != name or place in self.ended:
            blocks_between = blocks_between or self.open[place] in _BLOCKS
            place -= 1
        if blocks_between and name in _INLINE:
            self.ended.add(place)
            self.counts[name] -= 1
        else:
            self.close_to(place)

    def close_to(self, size: int) -> None:
        """Close elements until ``size`` are open, then those that were only waiting for it."""
        while len(self.open) > size or len(self.open) - 1 in self.ended:
            name = self.open.pop()
            self.parts.append(f"</{name}>")
            if len(self.open) in self.ended:
                self.ended.remove(len(self.open))
            else:
                self.counts[name] -= 1
        if self.paragraph >= len(self.open):
            self.paragraph = -1

    def _end_item(self, names: tuple[str, ...]) -> None:
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place] in names:
                return self.close_to(place)
            if self.open[place] in _BLOCKS:
                return None
        return None

    def _push(self, name: str, attributes: str = "") -> None:
        self.parts.append(f"<{name}{attributes}>")
        if name != "hr":
            self.open.append(name)
            self.counts[name] += 1


# --- Pieces of plain text ---------------------------------------------------------------------------------------------

_JOINER = "\u200d"
_MAX_GRAPHEME = 32  # code points; a taller pile of accents may be cut
# Scripts written without spaces: there a word can start anywhere.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def excerpt(text: str, length: int = 200) -> str:
    """The start of a text on one line: at most ``length`` code points, an ellipsis counted, cut after a word.

    Plain text, not HTML. A word longer than half of it is cut, but not between a letter and its accents.
    """
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[: _cut_before(line, max(length, 1) - 1)].rstrip(" ,;:") + "…"


def _cut_before(line: str, at: int) -> int:
    """The end of the last word that ends at or before ``at``; the end of a grapheme where that is too far back."""
    space = line.rfind(" ", at // 2, at + 1)
    return space if space > 0 else _grapheme_start(line, at)


def _grapheme_start(line: str, at: int) -> int:
    for start in range(at, max(0, at - _MAX_GRAPHEME), -1):
        if start >= len(line) or not (_continues(line[start]) or line[start - 1] == _JOINER):
            return start
    return at if at > _MAX_GRAPHEME else 0


def _continues(character: str) -> bool:
    """Whether a character belongs to the one before: accents, joiners, variation selectors, skin tones."""
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
    )


def highlight(text: str, terms: Sequence[str], length: int = 240) -> str:
    """Safe HTML: about ``length`` code points of a plain text around its densest hits, each hit in ``<mark>``.

    A hit is a term, in any case, at the start of a word (a whole word where the term is short; anywhere, in scripts
    without spaces). The first MAX_TERMS
    terms count, and hits in the first MAX_SEARCHED code points. Without a hit: the start of the text. White space is
    collapsed, and an ellipsis stands where text was left out.
    """
    line = " ".join(text.split())
    hits = _hits(line, terms)
    if not hits:
        return escape(excerpt(line, length))
    start, end = _window(line, _densest(line, hits, length), length)
    parts = ["…"] if start else []
    position = start
    for hit_start, hit_end in hits:
        if hit_start >= start and hit_end <= end:
            parts += [escape(line[position:hit_start]), "<mark>", escape(line[hit_start:hit_end]), "</mark>"]
            position = hit_end
    parts.append(escape(line[position:end]))
    if end < len(line):
        parts.append("…")
    return "".join(parts)


def _hits(line: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where the terms stand, in order. Matched on the text itself: folding its case first would move the offsets."""
    cleaned = [" ".join(term[:MAX_TERM].split()) for term in terms[:MAX_TERMS]]
    alternatives = [
        re.escape(term)
        if _UNSPACED.match(term)
        else rf"(?<!\w){re.escape(term)}{'' if len(term) > MAX_WHOLE else r'(?!\w)'}"
        for term in sorted(set(cleaned), key=lambda term: (-len(term), term))
        if term
    ]
    if not alternatives:
        return []
    hits = []
    for match in re.compile("|".join(alternatives), re.IGNORECASE).finditer(line, 0, MAX_SEARCHED):
        hits.append(match.span())
        if len(hits) == MAX_HITS:
            break
    return hits


def _densest(line: str, hits: Sequence[tuple[int, int]], length: int) -> tuple[int, int]:
    """The range from first to last hit of the window with the most different terms, then the most hits, then first."""
    best, best_range = (0, 0), hits[0]
    inside: Counter[str] = Counter()
    first = 0
    for last, (start, end) in enumerate(hits):
        inside[line[start:end].lower()] += 1
        while first < last and end - hits[first][0] > length:
            inside[line[slice(*hits[first])].lower()] -= 1
            first += 1
        score = (len(+inside), last - first + 1)
        if score > best:
            best, best_range = score, (hits[first][0], end)
    return best_range


def _window(line: str, around: tuple[int, int], length: int) -> tuple[int, int]:
    """Widen a range to about ``length`` code points, the same on both sides where the text allows, to whole words."""
    start, end = around
    spare = max(0, length - (end - start))
    from_ = max(0, min(start - spare // 2, len(line) - length))
    to = min(len(line), from_ + max(length, end - from_))
    if from_ > 0:
        space = line.find(" ", from_ - 1, start)
        from_ = space + 1 if space >= 0 else _grapheme_start(line, from_)
    if to < len(line):
        space = line.rfind(" ", end, to + 1)
        to = space if space >= 0 else max(end, _grapheme_start(line, to))
    return from_, to
