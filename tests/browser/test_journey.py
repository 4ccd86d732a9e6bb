"""The archive in use: read, search and filter; import as an archivist; hide and undo as a moderator."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Demo, sign_in

PASTED = """\
Library to close its reading room on Sundays
The reading room of the Ostermoor library will close on Sundays from May, the town council said on Tuesday.
Officials said that fewer than forty people a week had used it, according to figures published in March.
“It is a decision that nobody likes,” said Ilse Brandt, who chairs the committee.
I have used that room every Sunday for nine years and I was never counted once.
> I have used that room every Sunday for nine years
And who was supposed to count you? There is no one at the desk on Sundays, that is the whole point!
lol they never ask the people who are actually there
"""


def open_first_article(page: Page, demo: Demo) -> None:
    """Open what the demo imported; the front page shows what other tests stored as well."""
    page.goto(str(demo.value("SELECT '/a/' || id || '/' || slug || '/' FROM archive_article ORDER BY id LIMIT 1")))
    expect(page.locator("#discussion")).to_be_visible()


def import_text(page: Page, text: str, site: str) -> None:
    page.goto("/admin/archive/source/import/")
    page.locator("textarea").fill(text)
    page.get_by_label("Site").fill(site)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(re.compile(r"/progress/$"))


def test_a_thread_is_read_and_its_subtrees_fold(page: Page, demo: Demo) -> None:
    open_first_article(page, demo)
    first = page.locator("ol.thread > li").first
    body = first.locator(".body").first
    expect(body).to_be_visible()
    first.locator("summary").first.click()
    expect(body).to_be_hidden()
    first.locator("summary").first.press("Enter")
    expect(body).to_be_visible()


def test_reading_and_folding_need_no_javascript(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=demo.url)
    page = context.new_page()
    test_a_thread_is_read_and_its_subtrees_fold(page, demo)
    context.close()


def test_a_word_of_the_discussion_is_found(page: Page, demo: Demo) -> None:
    open_first_article(page, demo)
    text = page.locator("ol.thread .body").last.inner_text()
    word = max(re.findall(r"[A-Za-z]{5,}", text), key=len)
    page.get_by_role("searchbox").fill(word)
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q="))
    expect(page.locator("mark").first).to_be_visible()


def test_the_front_page_filters_by_an_entity(page: Page) -> None:
    page.goto("/")
    link = page.locator("section", has_text="Most mentioned").locator(".tally a").first
    name = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.locator('a[href*="entity="]').first.click()
    expect(page.locator("ul.chosen")).to_contain_text(name)
    expect(page.locator("ol.articles li")).not_to_have_count(0)


def test_mentions_link_to_their_entity(page: Page, demo: Demo) -> None:
    open_first_article(page, demo)
    mention = page.locator(".article a[class^=kind-]").first
    expect(mention).to_have_attribute("href", re.compile(r"^/entity/\d+/"))


def test_a_permalink_shows_the_comment_in_its_place(page: Page, demo: Demo) -> None:
    open_first_article(page, demo)
    page.locator("ol.thread .n").last.click()
    expect(page).to_have_url(re.compile(r"/a/\d+/c/\d+/"))
    expect(page.locator("li.here")).to_have_count(1)


def test_an_archivist_imports_a_pasted_text(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "archivist")
    import_text(page, PASTED, "Ostermoor News")
    expect(page.get_by_role("heading", name="Where every character went")).to_be_visible(timeout=30_000)
    page.locator(".found .title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Library to close its reading room on Sundays")
    expect(page.locator("ol.thread")).to_contain_text("lol they never ask the people")


def test_a_comment_folds_with_all_its_replies(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "archivist")
    import_text(page, PASTED.replace("Sunday", "Saturday"), "Ostermoor News")
    expect(page.get_by_role("heading", name="Where every character went")).to_be_visible(timeout=30_000)
    page.locator(".found .title").click()
    parent = page.locator("ol.thread li:has(> details > ol)").first
    reply = parent.locator("ol .body").first
    expect(reply).to_be_visible()
    parent.locator("> details > summary").click()
    expect(reply).to_be_hidden()
    parent.locator("> details > summary").click()
    expect(reply).to_be_visible()


def test_an_archivist_uploads_a_file_twice_and_nothing_is_doubled(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "archivist")
    upload: FilePayload = {
        "name": "uploaded.txt",
        "mimeType": "text/plain",
        "buffer": PASTED.replace("Sunday", "Monday").encode(),
    }
    for said in ("A new discussion is in the archive", "Exactly these bytes were received before"):
        page.goto("/admin/archive/source/import/")
        page.locator("input[type=file]").set_input_files(files=upload)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.get_by_text(said)).to_be_visible(timeout=30_000)
    assert demo.value("SELECT count(*) FROM archive_article WHERE title LIKE '%on Mondays'") == 1


def test_what_cannot_be_read_is_said_on_the_progress_page(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "archivist")
    picture: FilePayload = {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(200)}
    page.goto("/admin/archive/source/import/")
    page.locator("input[type=file]").set_input_files(files=picture)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("PNG").first).to_be_visible(timeout=30_000)


def test_a_moderator_hides_a_comment_and_undoes_it(page: Page, demo: Demo, browser: Browser) -> None:
    """Gone at once from page, count, search and feed, its tombstone in place; and back again."""
    article, comment, words = hideable(demo)
    reader = browser.new_context(base_url=demo.url).new_page()
    before = seen(reader, article, comment, words)
    assert before == (True, False, True, True, before[4])

    sign_in(page, demo, "moderator")
    page.goto(f"/admin/archive/comment/{comment}/change/")
    page.locator('[name="reason"]').fill("names a private person")
    page.get_by_role("button", name="Hide").click()
    expect(page.locator(".messagelist, .messages")).to_contain_text("hid", ignore_case=True)
    assert seen(reader, article, comment, words) == (False, True, False, False, before[4] - 1)

    page.locator(".messagelist, .messages").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messagelist, .messages")).to_be_visible()
    demo.wait_for_worker()
    assert seen(reader, article, comment, words) == before
    reader.context.close()


def hideable(demo: Demo) -> tuple[int, int, str]:
    """The first import's article, its newest comment (feeds end before old ones), and words that stand side by side."""
    newest = "SELECT id || '|' || body FROM archive_comment WHERE article_id = 1 ORDER BY id DESC LIMIT 1"
    comment, body = str(demo.value(newest)).split("|", 1)
    return 1, int(comment), max(re.findall(r"[A-Za-z]+(?: [A-Za-z]+)+", body), key=len)[:60].rpartition(" ")[0]


def seen(page: Page, article: int, comment: int, words: str) -> tuple[bool, bool, bool, bool, int]:
    """What a reader sees: the words in the thread, a tombstone in their place, a hit, the feed's entry, the count."""
    page.goto(f"/a/{article}/-/")
    place = page.locator(f"#c{comment}")
    shown = words in place.locator(".body").first.inner_text()
    gone = place.locator(".gone").count() > 0
    count = int(re.sub(r"\D", "", page.locator("#discussion").inner_text()) or 0)
    page.goto(f"/search/?q=%22{words}%22")
    found = page.locator(f'a[href$="/a/{article}/c/{comment}/"]').count() > 0
    feed = page.request.get(f"/a/{article}/feed/").text()
    return shown, gone, found, f"/c/{comment}/" in feed, count
