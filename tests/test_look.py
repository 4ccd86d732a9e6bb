"""What readers' pages share: one stylesheet for all, one for each reader's choice, scripts that nothing waits for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.makers import comments_of, make_article

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "static"
STAFF = {"staff.css", "review.css", "review.js", "queue.css", "queue.js"}
READERS = sorted(path for path in STATIC.glob("*.[cj]s*") if path.name not in STAFF)
MAX_BYTES = 60 * 1024  # of CSS and JavaScript for a reader, in all


def look(**cookies: str) -> str:
    client = Client()
    client.cookies.load(cookies)
    return client.get("/look.css").text


def choose(client: Client, referer: str = "", site: str = "same-origin", **chosen: str) -> tuple[int, str]:
    response = client.post("/look/", chosen, headers={"referer": referer, "sec-fetch-site": site})
    return response.status_code, response.headers.get("Location", "")


def test_readers_load_at_most_so_much() -> None:
    assert sum(path.stat().st_size for path in READERS) <= MAX_BYTES


def test_a_chosen_theme_and_density_are_in_the_stylesheet() -> None:
    assert "color-scheme:dark;" in look(theme="dark")
    assert "--air:" in look(density="compact")
    assert "color-scheme" not in look()


@pytest.mark.parametrize("hostile", ["}*{display:none", "", "DARK", "system;x"])
def test_a_cookie_that_is_no_choice_changes_nothing(hostile: str) -> None:
    assert look(theme=hostile, density=hostile) == look()


def test_the_choice_is_kept_and_taken_back() -> None:
    client = Client()
    choose(client, theme="dark", density="compact")
    choose(client, theme="plaid")
    assert (client.cookies["theme"].value, client.cookies["density"].value) == ("dark", "compact")
    choose(client, theme="system")
    assert client.get("/look.css").text == look(density="compact")


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/a/1/x/?rank=200", "/a/1/x/?rank=200"),
        ("http://testserver//evil.example/", "/evil.example/"),
        ("http://evil.example/", "/"),
        ("", "/"),
    ],
)
def test_choosing_leads_back_to_the_page_and_nowhere_else(referer: str, back: str) -> None:
    assert choose(Client(), referer, theme="dark") == (302, back)


def test_another_site_cannot_choose() -> None:
    client = Client()
    assert choose(client, site="cross-site", theme="dark")[0] == 403
    assert "theme" not in client.cookies


@pytest.mark.django_db
def test_the_stylesheet_costs_no_query_and_is_not_sent_twice() -> None:
    with CaptureQueriesContext(connection) as captured:
        response = Client().get("/look.css")
    again = Client().get("/look.css", headers={"if-none-match": response.headers["ETag"]})
    assert (len(captured), again.status_code) == (0, 304)
    assert response.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/about/", "/search/", "/a/{article}/-/", "/a/{article}/c/{comment}/"])
def test_a_page_is_the_same_for_all_guests(path: str) -> None:
    article = make_article(comments="a(b)")
    path = path.format(article=article.pk, comment=comments_of(article)[0].pk)
    other = Client(headers={"accept-language": "de", "user-agent": "other"})
    other.cookies.load({"theme": "dark", "density": "compact", "csrftoken": "x" * 32})
    assert Client().get(path).content == other.get(path).content


@pytest.mark.django_db
def test_no_script_holds_up_a_page() -> None:
    scripts = re.findall(r"<script[^>]*>", Client().get("/").text)
    assert scripts
    assert all('type="module"' in script for script in scripts)


def test_scripts_import_each_other_by_hashed_names(tmp_path: Path) -> None:
    environment = {"AFTERWORD_STATIC_ROOT": str(tmp_path), "AFTERWORD_SECRET_KEY": "x" * 50, "PATH": ""}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    for path in READERS:
        if path.suffix == ".js":
            imported = re.findall(r'(?:from|import)\s*\(?\s*"([^"]+)"', (tmp_path / names[path.name]).read_text())
            assert {name.removeprefix("./") for name in imported} <= set(names.values()), path.name
