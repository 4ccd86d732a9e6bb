"""Every public address. ARCHITECTURE.md lists those that stay as they are; a test holds the list to this file."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from archive import feeds
from archive.views import (
    about,
    author,
    crawlers,
    discussion,
    entity,
    errors,
    home,
    log,
    look,
    report,
    search,
    site,
    source,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("random/", home.random, name="random"),
    path("site/<int:site_id>/feed/", feeds.of_site, name="site-feed"),
    path("author/<int:author_id>/feed/", feeds.of_author, name="author-feed"),
    path("entity/<int:entity_id>/feed/", feeds.of_entity, name="entity-feed"),
    path("search/feed/", feeds.of_search, name="search-feed"),
    path("site/<int:site_id>/<str:slug>/", site.site, name="site"),
    path("site/<int:site_id>/", site.site, {"slug": ""}),
    path("search/", search.search, name="search"),
    path("a/<int:article_id>/feed/", feeds.of_article, name="article-feed"),
    path("a/<int:article_id>/c/new/", discussion.newer, name="new-comments"),
    path("a/<int:article_id>/c/<int:comment_id>/", discussion.comment, name="comment"),
    path("a/<int:article_id>/c/<int:comment_id>/report/", report.report, name="report"),
    path("report/<str:token>/", report.receipt, name="report-receipt"),
    path("a/<int:article_id>/c/<int:comment_id>/source/", source.comment_source, name="comment-source"),
    path("a/<int:article_id>/c/<int:comment_id>/cite.<str:kind>", discussion.cite, name="cite-comment"),
    path("a/<int:article_id>/cite.<str:kind>", discussion.cite, name="cite-article"),
    path("a/<int:article_id>/source/", source.source, name="source"),
    path("a/<int:article_id>/<str:slug>/", discussion.article, name="article"),
    path("a/<int:article_id>/", discussion.article, {"slug": ""}),
    path("entity/<int:entity_id>/<str:slug>/", entity.entity, name="entity"),
    path("entity/<int:entity_id>/", entity.entity, {"slug": ""}),
    path("author/<int:author_id>/", author.author, name="author"),
    path("about/", about.about, name="about"),
    path("waiting/<str:token>/feed/", feeds.of_waiting, name="waiting-feed"),
    path("log/", log.log, name="log"),
    path("feed/", feeds.latest, name="feed"),
    path("robots.txt", crawlers.robots, name="robots"),
    path("sitemap.xml", crawlers.sitemap, name="sitemap"),
    path("sitemap-sites.xml", crawlers.sites, name="sitemap-sites"),
    path("sitemap-<str:kind>-<int:number>.xml", crawlers.part, name="sitemap-part"),
    path("look.css", look.stylesheet, name="look-css"),
    path("look/", look.choose, name="look"),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler429 = errors.too_many  # asked for by allauth
handler500 = errors.broken
