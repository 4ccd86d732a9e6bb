"""Finished pages, compressed, kept for guests: what lies below ``/a/<id>/`` and depends on its article alone.

A page is kept under the article's version, which grows in the transaction of each change that readers can see, and
that version is read from the database for every request. So nothing has to be told to forget anything: what was
decided a moment ago is shown at once by every process, and what is outdated is never asked for again and makes room.
The rest of the key is what else can change a page: its address, the names of its site, the settings, and the files of
which the pages are made.

Each process keeps its own pages in memory, the least recently used make room, and no truth is in any of them. Whoever
brings a cookie of ours may be signed in or have a message waiting: for them pages are made anew and are never kept.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import zstandard
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from archive import queries

# What these name in an address changes nothing but the choice among the article's own rows. A search does more: it
# depends on an index that follows later.
PARAMETERS = frozenset(
    {"rank", "after", "before", "sort", "depth", "context", "from", "to", "view", "at", "since", "until"}
)
VARY = "Accept-Encoding, Cookie, HX-Request"  # by more than these no kept page may vary
LONGEST_QUERY = 200  # characters of an address's query; a longer one is of no link of ours
LARGEST_PART = 16  # one page takes at most this part of all the room
SAME_FOR_GUESTS = "no-cache"  # may be kept, but has to be asked for each time: it may have been hidden since
OF_ONE_READER = "private, no-cache"
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda page: zstandard.ZstdCompressor(level=6).compress(page),
    "gzip": lambda page: gzip.compress(page, 6, mtime=0),
    "": lambda page: page,
}
_PATH = re.compile(r"/a/([0-9]{1,18})/")
_QUALITY = re.compile(r";\s*q=(.*)$")

type View = Callable[[HttpRequest], HttpResponseBase]


class Kept(NamedTuple):
    """A finished answer: its bytes as they are sent, and its headers."""

    body: bytes
    headers: dict[str, str]

    @property
    def size(self) -> int:
        return len(self.body) + 1000  # headers, key and what Python needs for them


class Store:
    """Answers by key, at most ``PAGE_CACHE_BYTES`` of them; the least recently used make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Kept | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: bytes, page: Kept) -> None:
        if page.size * LARGEST_PART > settings.PAGE_CACHE_BYTES:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = page
            self.size += page.size
            while self.size > settings.PAGE_CACHE_BYTES:
                self._drop(next(iter(self._kept)))

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0

    def _drop(self, key: bytes) -> None:
        dropped = self._kept.pop(key, None)
        self.size -= dropped.size if dropped else 0


STORE = Store()


class PageCacheMiddleware:
    """Answers guests with finished pages, and with 304 where they have the page already.

    It stands before sessions and accounts, which a guest's page does not need, and behind what every answer needs.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        article = _PATH.match(request.path_info)
        if article is None or request.method not in {"GET", "HEAD"} or not settings.PAGE_CACHE_BYTES:
            return self.get_response(request)
        if not is_guest(request):
            return _marked(self.get_response(request), OF_ONE_READER)
        version = queries.version_for_readers(int(article[1])) if _is_ours(request.META["QUERY_STRING"]) else None
        if version is None:
            return self.get_response(request)
        name = _name(request, version)
        tag = f'W/"{name.hex()}"'
        if _has(request.META.get("HTTP_IF_NONE_MATCH", ""), tag):
            headers = {"ETag": tag, "Cache-Control": SAME_FOR_GUESTS, "Vary": VARY}
            return HttpResponseNotModified(headers=headers)
        encoding = best_encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        key = name + encoding.encode()
        kept = STORE.get(key)
        if kept is None:
            made = self.get_response(request)
            if not isinstance(made, HttpResponse) or not _may_be_kept(made):
                return made
            kept = _finished(made, encoding, tag)
            STORE.put(key, kept)
        return HttpResponse(kept.body, headers=kept.headers)


def is_guest(request: HttpRequest) -> bool:
    """Whether nothing that the reader's browser sends could make the page another one."""
    ours = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")
    sent = request.META.get("HTTP_COOKIE", "")
    return not sent or not any(name in request.COOKIES for name in ours)


def _is_ours(query: str) -> bool:
    if not query:
        return True
    names = {part.partition("=")[0] for part in query.split("&")}
    return len(query) <= LONGEST_QUERY and names <= PARAMETERS


def _name(request: HttpRequest, version: str) -> bytes:
    """16 bytes that are others as soon as anything is that the page is made of."""
    parts = (
        request.scheme,
        request.get_host(),
        request.path,
        request.META["QUERY_STRING"],
        "HTTP_HX_REQUEST" in request.META,  # a script wants a part of the page
        version,
        settings.SITE_NAME,
        settings.COMMENTS_PER_PAGE,
        settings.STATIC_URL,
        _files(),
    )
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@cache
def _files() -> str:
    """A digest of everything that pages are made of: a deployment that changes it changes every page."""
    digest = hashlib.blake2b(digest_size=16)
    base: Path = settings.BASE_DIR
    for folder, pattern in (("archive", "**/*.py"), ("templates/public", "*"), ("static", "*")):
        for path in sorted((base / folder).glob(pattern)):
            if path.is_file():
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _has(asked: str, tag: str) -> bool:
    """Whether If-None-Match names the page, or any: weakly compared, as RFC 9110 wants it there."""
    if not asked:
        return False
    return asked.strip() == "*" or tag.removeprefix("W/") in {
        part.strip().removeprefix("W/") for part in asked.split(",")
    }


@lru_cache(maxsize=1024)
def best_encoding(accepted: str) -> str:
    """What of zstd and gzip a client takes and likes best, the first of them if equally; empty for plain bytes."""
    likes: dict[str, float] = {}
    for part in accepted.lower().split(",")[:20]:
        quality = _QUALITY.search(part)
        name = part.partition(";")[0].strip()
        likes[name] = _number(quality[1]) if quality else 1.0
    rest = likes.get("*", 0.0)
    plain = likes.get("identity", likes.get("*", 0.001))  # taken where nothing is said of it, but as the last
    found = max(ENCODERS, key=lambda name: likes.get(name, rest) if name else plain)
    return found if not found or likes.get(found, rest) > 0 else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _may_be_kept(made: HttpResponse) -> bool:
    """Only a page that is the same for every guest: no cookie, and no wish of the view's own to be left alone."""
    wish = made.get("Cache-Control", SAME_FOR_GUESTS)
    varies = {name.strip() for name in made.get("Vary", "").split(",")} - {""}
    if made.status_code != 200 or made.cookies or not varies <= set(VARY.split(", ")):
        return False
    return wish == SAME_FOR_GUESTS


def _finished(made: HttpResponse, encoding: str, tag: str) -> Kept:
    headers = dict(made.items()) | {"ETag": tag, "Cache-Control": SAME_FOR_GUESTS, "Vary": VARY}
    if encoding:
        headers["Content-Encoding"] = encoding
    body = ENCODERS[encoding](made.content)
    return Kept(body, headers | {"Content-Length": str(len(body))})


def _marked(made: HttpResponseBase, value: str) -> HttpResponseBase:
    made.headers.setdefault("Cache-Control", value)
    patch_vary_headers(made, ["Cookie"])
    return made
