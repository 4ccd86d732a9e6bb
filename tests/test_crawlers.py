"""What crawlers are told: what they may fetch, and where everything is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import moderation, queries
from archive.models import Article, Entity, Site
from archive.views import crawlers
from tests.makers import comments_of, make_article, make_user

pytestmark = pytest.mark.django_db


def addresses(path: str) -> list[str]:
    answer = Client().get(path)
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    found = ElementTree.fromstring(answer.content).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    return [(loc.text or "").removeprefix("http://testserver") for loc in found]


def listed() -> set[str]:
    """Every address that a crawler finds by the index."""
    return {url for part in addresses("/sitemap.xml") for url in addresses(part)}


def test_robots_are_led_to_the_site_map() -> None:
    text = str(Client().get("/robots.txt").content, "utf-8")
    assert "Sitemap: http://testserver/sitemap.xml" in text
    closed = re.findall("^Disallow: (.+)$", text, re.M)
    assert {"/search/", "/random/", "/admin/", "/?"} <= set(closed)
    assert not [path for path in closed if "/a/1/x/".startswith(path)]


def test_the_site_map_has_all_that_readers_see_and_nothing_else() -> None:
    site = Site.objects.create(name="Courier", slug="courier")
    shown = make_article("Tram", site=site, slug="a&b")
    other = Site.objects.create(name="Gazette", slug="gazette")
    for status in ("hidden", "in_review"):
        make_article(status=status, site=other)
    entity = Entity.objects.create(kind="place", name="Cairo", mention_count=1)
    Entity.objects.create(kind="place", name="Unmentioned")
    Entity.objects.create(kind="place", name="Merged", mention_count=1, merged_into=entity)
    assert listed() == {shown.get_absolute_url(), entity.get_absolute_url(), site.get_absolute_url()}


def test_parts_are_cut_by_id_and_empty_ones_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawlers, "PART", 2)
    made = [make_article() for _ in range(7)]
    Article.objects.filter(pk__in=[article.pk for article in made[2:6]]).update(status="hidden")
    parts = [url for url in addresses("/sitemap.xml") if "articles" in url]
    assert len(parts) in {2, 3}
    assert listed() - {made[0].site.get_absolute_url()} == {made[n].get_absolute_url() for n in (0, 1, 6)}


@pytest.mark.parametrize("path", ["articles-99", "articles-99999999999999999999", "people-0", "entities-0", "--0"])
def test_a_part_without_anything_is_not_here(path: str) -> None:
    assert Client().get(f"/sitemap-{path}.xml").status_code == 404


def test_an_empty_archive_has_an_empty_site_map() -> None:
    assert listed() == set()


def test_it_says_when_an_article_changed_last() -> None:
    article = make_article(comments="ab")
    Article.objects.update(changed_at=datetime(2017, 3, 14, tzinfo=UTC))
    path = next(url for url in addresses("/sitemap.xml") if "articles" in url)
    assert b"<lastmod>2017-03-14T00:00:00Z</lastmod>" in Client().get(path).content
    moderation.hide(comments_of(article)[0], by=make_user("moderator"), reason="x")
    assert b"2017-03-14" not in Client().get(path).content


def test_who_has_it_is_told_so() -> None:
    make_article()
    tag = Client().get("/sitemap.xml")["ETag"]
    assert Client().get("/sitemap.xml", headers={"If-None-Match": tag}).status_code == 304


def test_queries_of_the_site_map() -> None:
    # one each: which parts there are; the articles of a part; the sites
    counts = []
    for number in (3, 300):
        for _ in range(number):
            make_article()
        paths = ["/sitemap.xml", *addresses("/sitemap.xml")]
        with CaptureQueriesContext(connection) as captured:
            for path in paths:
                addresses(path)
        counts.append((len(paths), len(captured)))
    assert counts == [(3, 3), (3, 3)]
    assert queries.sitemap_parts(crawlers.PART) == [("articles", 0)]
