"""The review page in a browser: how long until it is there, and from a key to what it changed on the screen.

    python -m archive.postgres run --temporary -- python tests/bench/reviewing.py [COMMENTS ...]

A text of so many one-line comments (2,000 and 5,000, if nothing is said) is imported and opened in Chromium, served by
gunicorn. Medians in ms, on whatever the machine does besides. A key that only moves is answered by the page itself, a
correction by the archive: it is saved before it is drawn.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
os.environ.setdefault("AFTERWORD_LOG_LEVEL", "ERROR")
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from accounts.models import User
from archive import review
from archive.ingest import importer
from tests.makers import make_user

SIZES = (2_000, 5_000)  # comments
RUNS = 9
KEYS = ("ArrowDown", "j", "n", "m", "u", "ArrowRight", "u", "x", "u")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# From the key to the frame after the last change that it made to either pane.
WATCH = """() => {
  addEventListener("keydown", (event) => (window.pressed = event.timeStamp), true);
  const drawn = () => setTimeout(() => (window.drawn = performance.now()));
  const seen = new MutationObserver(() => requestAnimationFrame(drawn));
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  for (const id of ["source", "thread"]) seen.observe(document.getElementById(id), all);
}"""
READ = """() => {
  const { pressed, drawn } = window;
  return !document.querySelector("#review.saving") && drawn > pressed && drawn - pressed;
}"""


def imported(comments: int, by: User) -> int:
    lines = [f"I think that remark number {n} is quite wrong, you know!" for n in range(comments)]
    text = f"A headline about {comments}\nThe town said so on Monday, in a long report.\n" + "\n".join(lines)
    report = importer.import_source(text.encode(), name=f"{comments}.txt")
    assert report.article_id is not None
    review.reopen(report.article_id, by=by)
    return report.article_id


@contextmanager
def served() -> Iterator[str]:
    """The archive behind gunicorn; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    command = ["gunicorn", "archive.wsgi", "--bind", url.removeprefix("http://"), "--threads", "4"]
    command += ["--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--log-level", "warning"]
    server = subprocess.Popen([Path(sys.executable).with_name(command[0]), *command[1:]])
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


def opened(page: Page, address: str) -> tuple[float, float]:
    """Load the page; ms until the server had answered, and until everything was drawn and a key would be heard."""
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator("#review.ready").wait_for()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    ready = (time.perf_counter() - started) * 1000
    answered = page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
    return float(answered), ready


def pressed(page: Page, key: str) -> float:
    """ms from a key to the frame that shows what it did."""
    page.evaluate("() => (window.drawn = window.pressed = 0)")
    page.keyboard.press(key)
    found = page.wait_for_function(READ).json_value()
    page.wait_for_timeout(100)  # what follows a frame later belongs to this key
    return float(page.evaluate(READ) or found)


def measured(page: Page, address: str) -> None:
    answered, ready = zip(*(opened(page, address) for _ in range(3)), strict=True)
    page.evaluate(WATCH)
    comments = page.locator("#thread li").count()
    print(f"\n{f'{comments:,} comments':44}{'ms':>8}")
    print(f"{'the page, as the server made it':44}{statistics.median(answered):8.0f}")
    print(f"{'the page, drawn and ready for a key':44}{statistics.median(ready):8.0f}")
    times: dict[str, list[float]] = {key: [] for key in KEYS}
    for _ in range(RUNS):
        for key in KEYS:
            times[key].append(pressed(page, key))
    for key, found in times.items():
        print(f"{f'key {key}':44}{statistics.median(found):8.0f}")


def main(sizes: list[int]) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    archivist = make_user("archivist")
    articles = [imported(size, archivist) for size in sizes]
    client = Client()
    client.force_login(archivist)
    name = settings.SESSION_COOKIE_NAME
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
        for article in articles:
            page = context.new_page()
            measured(page, f"{url}/admin/archive/article/{article}/review/")
            page.close()
        browser.close()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
