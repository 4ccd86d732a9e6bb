from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ingest.records import storable
from archive.text import (
    MAX_ESCAPED,
    MAX_HITS,
    MAX_HTML,
    MAX_SEARCHED,
    MAX_URL,
    Mark,
    clean_html,
    excerpt,
    highlight,
    html_to_text,
    render_text,
)

HOSTILE = Path(__file__).parents[2] / "shared" / "hostile"
REL = 'rel="nofollow ugc noopener"'
# Written out once more, so that a tag added to the module by mistake does not allow itself.
ALLOWED = """
    p div br blockquote a em strong b i u s del ins sub sup code pre ul ol li h3 h4 h5 h6 q cite dl dt dd hr
"""
TAGS = "<p> </p> <b> </b> <i> </i> <div> </div> <ul> <li> </ul> <a/href=http://y.z> </a> x"
NASTY = st.text(st.sampled_from("<>&\"'/=!-? ab\n\t;#p\xa0"), max_size=60)


class Inspector(HTMLParser):
    """Collects what a second, unrelated parser finds in HTML that should be safe."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED.split():
            self.found.append(tag)
        for name, value in attrs:
            if tag != "a" or name not in ("href", "rel"):
                self.found.append(f"{tag} {name}")
            elif name == "href" and not re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE):
                self.found.append(value or "")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)


def dangers(html: str) -> list[str]:
    return Inspector(html).found


def text_of(html: str) -> str:
    return "".join(Inspector(html.replace("</p>", "\n")).pieces)


# --- render_text ------------------------------------------------------------------------------------------------------


def test_each_line_is_a_paragraph() -> None:
    assert render_text("one\ntwo\r\n\n\nthree ") == "<p>one</p><p>two</p><p>three</p>"


def test_markup_is_escaped() -> None:
    assert render_text("<b>\"1\" & '2'</b>") == "<p>&lt;b&gt;&quot;1&quot; &amp; &#x27;2&#x27;&lt;/b&gt;</p>"


def test_nothing_is_rendered_for_nothing() -> None:
    assert render_text(" \n\t\n") == ""


def test_quoted_lines_become_nested_quotes() -> None:
    html = render_text("> a\n>> b\n>\n> c\nd")
    assert html == ("<blockquote><p>a</p><blockquote><p>b</p></blockquote><p>c</p></blockquote><p>d</p>")


def test_a_blank_line_ends_a_quote() -> None:
    assert render_text("> a\n\n> b") == "<blockquote><p>a</p></blockquote><blockquote><p>b</p></blockquote>"


def test_quotes_nest_only_so_deep() -> None:
    html = render_text(">" * 7 + "a")
    assert html == "<blockquote>" * 5 + "<p>&gt;&gt;a</p>" + "</blockquote>" * 5


def test_a_comment_of_quote_signs_is_shown() -> None:
    assert render_text(">>\n") == "<p>&gt;&gt;</p>"


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        ("see ", "https://example.org/a?b=c", "."),
        ("(", "http://example.org/a_(b)", "), he said"),
        ("[", "HTTP://example.org", "]."),
        ("前", "https://example.org/あ", "。後"),
        ("«", "http://example.org/x", "»!"),
    ],
)
def test_an_address_ends_before_the_sentence_goes_on(before: str, url: str, after: str) -> None:
    assert render_text(before + url + after) == f'<p>{before}<a href="{url}" {REL}>{url}</a>{after}</p>'


@pytest.mark.parametrize("text", ["xhttp://a", "http://", "http://.", "ftp://a.b", "javascript:alert(1)", "http:a"])
def test_what_is_no_web_address_stays_text(text: str) -> None:
    assert "<a" not in render_text(text)


def test_a_quotation_mark_cannot_leave_the_attribute() -> None:
    html = render_text("http://a.b/\"onclick='x' http://a.b/'x&y")
    assert f'<a href="http://a.b/" {REL}>' in html
    assert f'<a href="http://a.b/&#x27;x&amp;y" {REL}>' in html


def test_an_address_hidden_behind_a_change_of_direction_ends_there() -> None:
    assert 'href="http://a.b/c"' in render_text("http://a.b/c\u202efdp.exe")


def test_a_too_long_address_stays_text() -> None:
    assert "<a" not in render_text("http://a.b/" + "x" * MAX_URL)


def test_a_mark_becomes_a_link() -> None:
    html = render_text("> Mr Obama & co", [Mark(5, 10, "/entities/1/?a&b", "PERSON")])
    assert '<p>Mr <a class="kind-PERSON" href="/entities/1/?a&amp;b">Obama</a> &amp; co</p>' in html


def test_of_overlapping_marks_the_first_and_longest_stays() -> None:
    marks = [Mark(4, 8, "/c", "X"), Mark(0, 3, "/b", "X"), Mark(0, 5, "/a", "X"), Mark(5, 6, "/d", "X")]
    html = render_text("abcdefgh", marks)
    assert re.findall('href="(.*?)">(.*?)<', html) == [("/a", "abcde"), ("/d", "f")]


@pytest.mark.parametrize(
    ("start", "end"),
    [(-3, 3), (2, 2), (3, 2), (8, 99), (0, 3), (2, 7), (4, 6), (2, 6), (6, 7), (3, 9), (99, 100), (-2, -1)],
)
def test_a_mark_that_cannot_be_a_link_is_dropped(start: int, end: int) -> None:
    html = render_text("> ab  \ncdefg", [Mark(start, end, "/x", "X")])
    assert html == "<blockquote><p>ab</p></blockquote><p>cdefg</p>"


def test_a_mark_does_not_hold_the_line_break_after_it() -> None:
    assert render_text("ab\ncd", [Mark(0, 3, "/x", "X")]) == "<p>ab</p><p>cd</p>"


def test_a_mark_inside_an_address_loses() -> None:
    text = "at http://obama.org now"
    marks = [Mark(10, 15, "/1", "X"), Mark(0, 4, "/2", "X"), Mark(18, 21, "/3", "X"), Mark(20, 23, "/4", "X")]
    assert re.findall('href="(.*?)"', render_text(text, marks)) == ["http://obama.org", "/4"]


@pytest.mark.parametrize("href", ["javascript:alert(1)", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"])
def test_a_mark_leads_only_to_a_page(href: str) -> None:
    assert render_text("ab", [Mark(0, 2, href, "X")]) == "<p>ab</p>"


def test_a_mark_cannot_inject() -> None:
    html = render_text("ab", [Mark(0, 2, '/"onclick="x', '" onclick="x y')])
    assert html == '<p><a class="kind---onclick--x-y" href="/&quot;onclick=&quot;x">ab</a></p>'


def test_what_postgres_refuses_is_replaced() -> None:
    assert render_text("a\0\ud800") == "<p>a\ufffd\ufffd</p>"
    assert (clean_html("a\0\ud800"), html_to_text("a\0\ud800")) == ("a\ufffd\ufffd", "a\ufffd\ufffd")


@given(NASTY | st.text())
def test_rendered_text_is_the_text(text: str) -> None:
    html = render_text(text)
    without_quote_signs = [re.sub(r"^[ \t]{0,3}(>[ \t]?){1,5}", "", line) for line in text.splitlines()]
    expected = "".join(without_quote_signs) if "".join(without_quote_signs).strip() else text
    assert not dangers(html)
    assert squeezed(text_of(html)) == squeezed(storable(expected))


@given(NASTY, st.lists(st.builds(Mark, st.integers(-2, 60), st.integers(-2, 60), st.just("/e"), st.just("X"))))
def test_marks_never_change_the_text(text: str, marks: list[Mark]) -> None:
    assert text_of(render_text(text, marks)) == text_of(render_text(text))


def squeezed(text: str) -> str:
    return "".join(text.split())


# --- clean_html and html_to_text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<h1>a</h1><h2>b</h2><h4>c</h4>", "<h3>a</h3><h3>b</h3><h4>c</h4>"),
        ("<ul><li>a<li>b<ol><li>c</ol></ul>", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("<section>a</section><article>b</article>", "<div>a</div><div>b</div>"),
        ("<p>a<ul><li>b</ul>", "<p>a</p><ul><li>b</li></ul>"),
        ("<b><p>a</b>b</p>c", "<b><p>ab</p></b>c"),
        ("<p>a<b>b</p>c</b>d", "<p>a<b>b</b></p>cd"),
        ("<i>a<b>c</i>d</b>e", "<i>a<b>c</b></i>de"),
        ("<table><tr><th>a<td>b<tr><td>c</table>", "<div><br> a b<br> c</div>"),
        ("<pre>\n\n  a\n  b</pre>", "<pre>  a\n  b</pre>"),
        ('<p class="x" style="y" id="z" onclick="w">a', "<p>a</p>"),
        ("a <3 b < c </3 d", "a &lt;3 b &lt; c &lt;/3 d"),
        ("a<!-- b -->c<!--> d<?php e ?>f<!doctype html>g", "ac dfg"),
        ("a<script>b</script><style>c</style><svg><p>d</svg><svg/>e<title>f", "aef"),
        ("a<img src=x alt=y><video controls>b</video>", "ab"),
        ("<textarea><b>a</b></textarea>", "&lt;b&gt;a&lt;/b&gt;"),
        ("&lt;b&gt; &amp;amp; &#0; &#xd800; &nosuch;", "&lt;b&gt; &amp;amp; \ufffd \ufffd &amp;nosuch;"),
        ("<strike>a</strike><tt>b</tt><font>c</font>", "<s>a</s><code>b</code>c"),
        ('<p title="a > b" \'odd>c</p>', "<p>c</p>"),
        ("a <b unclosed", "a &lt;b unclosed"),
        ("a<hr>b<br/>c</br></p>", "a<hr>b<br>c"),
    ],
)
def test_clean_html(html: str, clean: str) -> None:
    assert clean_html(html) == clean


@pytest.mark.parametrize(
    ("attributes", "href"),
    [
        ('href="http://a.b/?c=1&amp;d=2&copy=3"', "http://a.b/?c=1&amp;d=2&amp;copy=3"),
        ("class=x HREF='https://a.b/\"'", "https://a.b/&quot;"),
        ("href=mailto:a@b.example", "mailto:a@b.example"),
        ('title="href=http://evil.example" href = "http://a.b"', "http://a.b"),
        ("href=' http://a.b ' href=http://c.d", "http://a.b"),
    ],
)
def test_a_link_keeps_its_address(attributes: str, href: str) -> None:
    assert clean_html(f"<a {attributes}>x</a>") == f'<a href="{href}" {REL}>x</a>'


@pytest.mark.parametrize(
    "href",
    ["javascript:x", "/relative", "//a.b", "data:text/html,x", "&#106;avascript:x", "java\tscript:x", "ftp://a", ""],
)
def test_a_link_to_anything_else_becomes_text(href: str) -> None:
    assert clean_html(f'<a href="{href}">x</a>') == "x"


def test_too_long_an_address_is_left_out() -> None:
    assert clean_html(f'<a href="http://a.b/{"x" * MAX_URL}">x</a>') == "x"


def test_html_nested_too_deep_becomes_text() -> None:
    assert clean_html("<div>" * 200 + "<p") == "<div>" * 200 + "&lt;p" + "</div>" * 200
    assert clean_html("<div>" * 201 + "a<br>b") == "<p>a</p><p>b</p>"


def test_too_much_html_becomes_text() -> None:
    assert clean_html("<b>" + "a" * (MAX_HTML - 3)).startswith("<b>aaa")
    assert clean_html("<b>" + "a" * (MAX_HTML - 2)).startswith("<p>aaa")


def test_too_many_references_become_text() -> None:
    assert clean_html("<b>" + "&amp;" * MAX_ESCAPED).startswith("<b>&amp;")
    assert clean_html("<b>" + "&amp;" * MAX_ESCAPED + "\xa0").startswith("<p>&amp;")


def test_many_links_without_end_tags_are_not_deep() -> None:
    assert clean_html('<a href="http://a.b">c' * 300).count("<a ") == 300


def test_many_paragraphs_without_end_tags_are_not_deep() -> None:
    assert clean_html("<p>a" * 500) == "<p>a</p>" * 500


def test_html_to_text_puts_each_block_on_a_line() -> None:
    html = "<h1>A</h1>\n<p>b  <b>c</b>\nd<br>e</p><ul><li>f<li>g</ul><table><tr><td>h<td>i<tr><td>j</table>"
    assert html_to_text(html) == "A\nb c d\ne\nf\ng\nh i\nj"


def test_html_to_text_decodes_and_drops() -> None:
    assert html_to_text("&lt;b&gt;&eacute;&#x41;<script>x</script><style>y</style><!-- z -->") == "<b>éA"


def test_html_to_text_keeps_preformatted_lines() -> None:
    assert html_to_text("a<pre>if x:\n    y\n\n</pre>  b") == "a\nif x:\n    y\nb"


def test_a_reference_with_too_many_digits_is_no_error() -> None:
    assert html_to_text("&#" + "1" * 5_000 + ";") == "\ufffd"


@given(NASTY | st.text())
def test_clean_html_is_safe_and_stays_as_it_is(html: str) -> None:
    clean = clean_html(html)
    assert not dangers(clean)
    assert clean_html(clean) == clean


@given(st.lists(st.sampled_from(TAGS.split())))
def test_tags_in_any_order_become_balanced(pieces: list[str]) -> None:
    clean = clean_html("".join(pieces))
    open_tags: list[str] = []
    for end, name in re.findall("<(/?)([a-z]+)", clean):
        if end:
            assert open_tags.pop() == name
        else:
            open_tags.append(name)
    assert not open_tags
    assert text_of(clean).count("x") == pieces.count("x")


FORMATTING_LEFT_OPEN = "<p>" + "".join(f"<b title={number}>" for number in range(199)) + "</p>" + "<p>x</p>" * 20_000


@pytest.mark.parametrize("clean", [clean_html, html_to_text, render_text])
@pytest.mark.parametrize(
    "unit",
    [
        *[
            "<a ",
            '<a x="',
            "<a x='\"",
            "<",
            "</",
            "<!--",
            "<!",
            "&#",
            "<title>",
            "<svg>",
            '<b title="</b>">',
            "<b><p>x</b>",
        ],
        *["<td>x", ">\n", "> ", "http://)", "(http://a", " =", "\xa0", "a&", "<li>", "<b></i>", "&nbsp"],
        FORMATTING_LEFT_OPEN,
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, str) else None,
)
def test_time_is_linear_in_hostile_input(clean: Callable[[str], str], unit: str) -> None:
    clean(unit * (300_000 // len(unit) or 1))


@cache
def hostile_strings() -> list[str]:
    if not HOSTILE.is_dir():
        return []
    suites = [path.read_text(encoding="utf-8") for path in HOSTILE.glob("embedded/*.jsonl")]
    strings = [json.loads(line)["s"] for suite in suites for line in suite.split("\n") if line]
    strings += json.loads((HOSTILE / "blns/blns.json").read_text(encoding="utf-8"))
    for pattern in ("payloadbox/*.txt", "patt/XSS_Injection/Intruders/*", "fuzzdb/xss/*", "fuzzdb/html_js_fuzz/*"):
        for path in HOSTILE.glob(pattern):
            whole = path.read_text(encoding="utf-8", errors="replace")
            strings += [whole, *whole.splitlines()]
    for path in HOSTILE.glob("html5lib/tree-construction/**/*.dat"):
        whole = path.read_text(encoding="utf-8")
        strings += [case.split("\n#errors")[0] for case in whole.split("#data\n")[1:]]
    strings += [found for path in HOSTILE.glob("html5lib/tokenizer/*.test") for found in inputs_of(path)]
    return list(dict.fromkeys(strings))


def inputs_of(path: Path) -> Iterator[str]:
    for cases in json.loads(path.read_text(encoding="utf-8")).values():
        yield from (case["input"] for case in cases)


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the collection of hostile inputs is not on this machine")
@pytest.mark.parametrize("clean", [clean_html, render_text, lambda html: render_text(html_to_text(html))])
def test_hostile_input_becomes_safe(clean: Callable[[str], str]) -> None:
    strings = hostile_strings()
    assert len(strings) > 10_000
    assert not [(string, found) for string in strings if (found := dangers(clean(string)))]


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the collection of hostile inputs is not on this machine")
def test_cleaning_twice_changes_nothing() -> None:
    # but for links whose address only nh3 knows to be broken: they lose it first, and then the tag
    cleaned = [re.sub(f"<a {REL}>(.*?)</a>", r"\1", clean_html(string)) for string in hostile_strings()]
    assert [clean_html(html) for html in cleaned] == cleaned


# --- excerpt and highlight --------------------------------------------------------------------------------------------


def test_a_short_text_is_its_own_excerpt() -> None:
    assert excerpt(" a\n\n b ", 3) == "a b"


def test_an_excerpt_is_cut_after_a_word() -> None:
    assert excerpt("one two, three", 10) == "one two…"


def test_an_excerpt_of_one_long_word_is_cut_in_it() -> None:
    assert excerpt("a" * 30, 10) == "a" * 9 + "…"


@pytest.mark.parametrize("grapheme", ["e\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd"])
def test_an_excerpt_does_not_cut_a_grapheme(grapheme: str) -> None:
    for length in range(1, 30):
        whole, left = divmod(len(excerpt(grapheme * 20, length)) - 1, len(grapheme))
        assert (whole, left) == ((length - 1) // len(grapheme), 0)


@given(st.text(), st.integers(1, 50))
def test_an_excerpt_is_not_longer_than_asked(text: str, length: int) -> None:
    short = excerpt(text, length)
    assert len(short) <= length
    assert " ".join(text.split()).startswith(short.removesuffix("…"))


def test_hits_are_marked_at_the_start_of_words_in_any_case() -> None:
    assert highlight("Economy, economist, macroeconomy", ["econom"]) == (
        "<mark>Econom</mark>y, <mark>econom</mark>ist, macroeconomy"
    )


def test_a_phrase_matches_over_a_line_break() -> None:
    assert highlight("the prime\n minister", ["prime  minister"]) == "the <mark>prime minister</mark>"


def test_in_chinese_a_word_starts_anywhere() -> None:
    assert highlight("我们讨论经济问题", ["经济"]) == "我们讨论<mark>经济</mark>问题"


def test_the_longest_term_wins() -> None:
    assert highlight("abcdef", ["abcd", "abcde"]) == "<mark>abcde</mark>f"


def test_a_short_term_is_found_as_a_whole_word() -> None:
    assert highlight("them and the", ["the"]) == "them and <mark>the</mark>"


def test_terms_are_not_patterns() -> None:
    assert highlight("a.c abc (x", ["a.c", "(x", ".*"]) == "<mark>a.c</mark> abc <mark>(x</mark>"


def test_the_snippet_is_taken_where_most_terms_are() -> None:
    text = "red red red " + "filler " * 50 + "red green " + "filler " * 50
    snippet = highlight(text, ["red", "green"], 60)
    assert "<mark>red</mark> <mark>green</mark>" in snippet
    assert snippet.startswith("…filler")
    assert snippet.endswith("filler…")


def test_without_a_hit_the_start_is_shown() -> None:
    assert highlight("<b> one two three", ["", " ", "four"], 10) == "&lt;b&gt; one…"


def test_terms_are_bounded() -> None:
    assert "<mark>" not in highlight("last", ["x"] * 16 + ["last"])
    assert highlight("a" * 150, ["a" * 120], 300) == f"<mark>{'a' * 100}</mark>{'a' * 50}"


def test_the_search_for_hits_is_bounded() -> None:
    assert highlight("a " * MAX_HITS * 2, ["a"], 9_999).count("<mark>") == MAX_HITS
    assert "<mark>" not in highlight("a " * (MAX_SEARCHED // 2) + "last", ["last"])


def test_neither_text_nor_terms_can_inject() -> None:
    snippet = highlight('<img onerror="x"> &amp; <mark>', ["img", "<mark>", "&", "onerror"])
    assert set(re.findall("<[^>]*>", snippet)) == {"<mark>", "</mark>"}
    assert unescape(re.sub("</?mark>", "", snippet)) == '<img onerror="x"> &amp; <mark>'


@given(NASTY | st.text(), st.lists(NASTY | st.text(max_size=5), max_size=4), st.integers(1, 40))
def test_a_snippet_is_a_piece_of_the_text(text: str, terms: list[str], length: int) -> None:
    line = " ".join(text.split())
    snippet = highlight(line, terms, length)
    plain = unescape(re.sub("</?mark>", "", snippet))
    assert plain.removeprefix("…").removesuffix("…") in line or plain in line
    assert not re.sub("</?mark>|&(?:amp|lt|gt|quot|#x27);|[^<>&\"']", "", snippet)


def test_highlighting_a_hostile_text_takes_no_time() -> None:
    highlight("-" * 1_000_000, ["-" * (99 - number) + "x" for number in range(16)])
