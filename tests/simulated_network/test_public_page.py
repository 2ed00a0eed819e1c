import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.simulated_network.network import Network

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture
def page(network: Network) -> Iterator[Page]:
    """Return a browser's page that refuses to be quiet about an error."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium here")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox"], timeout=20_000
        )
        page = browser.new_page(base_url=network.url)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert complaints == []


def test_a_visitor_writes_and_sees_the_brand_answer(network: Network, page: Page) -> None:
    page.goto("/")
    page.get_by_label("You are").fill("ferry42")
    page.get_by_label("Your words").fill("<b>where</b> is my parcel?")
    page.get_by_role("button", name="Post", exact=True).click()
    page.get_by_text("<b>where</b> is my parcel?").wait_for()

    asked = network.brand("GET", "/mentions").json()["posts"][0]
    network.publish("On its way.", reply_to=asked["id"])

    page.locator(".post.brand", has_text="On its way.").wait_for()
    assert asked["text"] == "@acme <b>where</b> is my parcel?"
    assert page.locator(".thread").count() == 1


def test_a_direct_message_is_shown_to_its_writer_only(network: Network, page: Page) -> None:
    page.goto("/")
    page.get_by_label("You are").fill("ferry42")
    page.get_by_label("Direct message").check(force=True)
    page.get_by_label("Your words").fill("psst")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator(".thread.private", has_text="psst").wait_for()

    network.publish("yes?", visibility="private", to="ferry42")

    page.locator(".thread.private", has_text="yes?").wait_for()
    stranger = network.call("GET", "/public/timeline", params={"as": "quay_9"}).json()
    assert stranger["threads"] == stranger["direct_messages"] == []


def test_the_page_allows_itself_nothing_from_elsewhere(network: Network) -> None:
    answer = network.call("GET", "/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/public/posts"), ("POST", "/control/reset")]
)
def test_pages_of_other_sites_are_refused(network: Network, method: str, path: str) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert network.call(method, path, json={}, headers=headers).status_code == 403


def test_the_control_side_answers_only_to_a_local_name(network: Network) -> None:
    answer = network.call("GET", "/control/ledger", headers={"host": "evil.example"})

    assert (answer.status_code, answer.json()["code"]) == (403, "loopback_only")
