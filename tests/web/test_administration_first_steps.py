"""An empty Parley is set up in the browser alone, until a post of any program reaches an agent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import PageOpener
from tests.web.served import ADMIN_KEY, Served, serving


@pytest.fixture
def empty(sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    with serving(sqlite_template, tmp_path) as served:
        yield served


def go_to(page: Page, step: str) -> None:
    page.get_by_role("link", name="First steps").click()
    expect(page.locator(".step.next h3")).to_have_text(step)
    page.locator(".step.next a").click()


def created(page: Page, kind: str) -> str:
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile(f"#/{kind}/.+_"))
    return page.url.rpartition("/")[2]


def set_up_listening(page: Page) -> None:
    go_to(page, "An account")
    page.get_by_label("Network required").fill("webhook")
    page.get_by_label("Name required").fill("Shop")
    page.get_by_label("reply url").fill("http://127.0.0.1:9/replies")
    page.get_by_label("secret", exact=True).fill("a secret of the tests")
    created(page, "accounts")
    go_to(page, "A workgroup")
    page.get_by_label("Name required").fill("Care")
    created(page, "workgroups")
    go_to(page, "A channel")
    page.get_by_label("Name required").fill("Shop")
    created(page, "channels")  # the only account and the only workgroup are there already


def set_up_agent(page: Page) -> tuple[str, str]:
    """Make an agent of the workgroup; return the id and a key."""
    go_to(page, "Agents")
    page.get_by_label("Name to sign in with").fill("agent_1")
    page.get_by_label("Name that others see").fill("Agent one")
    page.get_by_role("combobox", name="Workgroups").fill("Care")
    page.keyboard.press("Enter")
    agent_id = created(page, "agents")
    page.get_by_role("button", name="Make a key").click()
    return agent_id, page.get_by_label("The key", exact=True).inner_text()


def send_as_told(page: Page, empty: Served) -> None:
    """Do what the command line that the page shows would do."""
    command = page.get_by_label("The first post", exact=True).inner_text()
    match = re.search(r"(/channels/\S+/posts) -d '(.+)'$", command, re.DOTALL)
    assert match, command
    assert '"$KEY"' in command
    address = f"{empty.url}/api/v1{match[1]}"
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
    assert empty.http.post(address, content=match[2], headers=headers).status_code == 202


def test_the_first_steps_lead_to_a_post_that_reaches_an_agent(
    empty: Served, open_page: PageOpener
) -> None:
    page = open_page("about:blank", allowed=("/api/v1/",))
    empty.sign_in(page.context)
    page.goto(f"{empty.url}/administration")

    set_up_listening(page)
    agent_id, key = set_up_agent(page)
    empty.call("PUT", "/agents/me/status", {"routing_status": "on_queue"}, key=key)

    page.get_by_role("link", name="First steps").click()
    expect(page.locator(".step.next h3")).to_have_text("The first post")
    send_as_told(page, empty)
    expect(page.get_by_role("heading", name="Everything is in place")).to_be_visible()
    (conversation,) = empty.call("GET", "/conversations")["items"]
    assert (conversation["state"], conversation["offer"]["agent_id"]) == ("alerting", agent_id)
