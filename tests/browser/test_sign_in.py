"""Second factors in a real browser: an authenticator app, and a passkey on a virtual device."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, confirm
from tests.browser.test_pages import RULES, SHOTS, errors_of

NEW = "a phrase of four words"
FORMS = [(width, scheme) for width in (360, 1280) for scheme in ("light", "dark")]


@pytest.fixture
def newcomer(browser: Browser, demo: Demo, signed_in_administrator: Page, request: Any) -> Iterator[tuple[Page, str]]:
    """A page on which somebody who was just invited is signed in, and their name."""
    name = f"new-{request.node.name.partition('[')[0][-20:].strip('_')}"
    link = invite(signed_in_administrator, demo)
    context = browser.new_context(base_url=demo.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    page.goto(link.replace("127.0.0.1", "localhost"))
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_label("Password, once more").fill(NEW)
    look_at(page, "invitation")
    page.get_by_role("button", name="Make the account").click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto("/account/")
    yield page, name
    context.close()


@pytest.fixture
def signed_in_administrator(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(base_url=demo.url)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("administrator")
    page.get_by_label("Password", exact=True).fill(demo.passwords["administrator"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    yield page
    context.close()


def invite(page: Page, demo: Demo) -> str:
    page.goto("/admin/accounts/invitation/add/")
    confirm(page, demo.passwords["administrator"])
    page.get_by_label("archivist").check()
    page.get_by_role("button", name="Save", exact=True).click()
    said = page.locator(".messagelist").inner_text()
    look_at(page, "admin-invited")
    return said.split()[-1]


def look_at(page: Page, name: str) -> None:
    """The page in four forms: a picture of each, nothing to scroll sideways, nothing for axe to say."""
    before = page.viewport_size
    for width, scheme in FORMS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").last.click()


def test_an_authenticator_app_is_set_up_and_signs_in(newcomer: tuple[Page, str]) -> None:
    page, name = newcomer
    errors = errors_of(page)
    page.get_by_role("link", name="Set it up").click()
    look_at(page, "account-confirm-first")
    confirm(page, NEW)
    look_at(page, "account-app")
    secret = page.locator(".key code").inner_text()
    page.get_by_label("Six digits").fill(code_of(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    look_at(page, "account-recovery-codes")
    recovery = page.locator(".codes code").first.inner_text()
    page.goto("/account/")
    look_at(page, "account-with-app")
    sign_out(page)
    page.goto("/sign-in/?next=/account/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    look_at(page, "second-factor")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="not right")).to_be_visible()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(r"/account/$"))
    assert errors == []


def test_a_passkey_is_added_and_signs_in_alone(newcomer: tuple[Page, str]) -> None:
    page, name = newcomer
    errors = errors_of(page)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    page.get_by_role("link", name="Add one").click()
    confirm(page, NEW)
    look_at(page, "account-add-passkey")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.goto("/account/passkeys/")
    look_at(page, "account-passkeys-one")
    sign_out(page)
    page.goto("/sign-in/?next=/account/")
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_text(name).first).to_be_visible()
    assert page.url.endswith("/account/")
    page.get_by_role("link", name="See them", exact=True).click()
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    assert errors == []


def test_a_passkey_that_is_not_given_is_said_in_words(page: Page, demo: Demo) -> None:
    page.goto(demo.url.replace("127.0.0.1", "localhost") + "/sign-in/")
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": False, "automaticPresenceSimulation": True}},
    )
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
