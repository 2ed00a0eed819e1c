"""Media of posts through the API: fetched by the server, never trusted by the browser."""

from collections.abc import Iterator

import pytest

from settings import Settings
from tests.api.conftest import Caller, Floor, Json
from tests.connectors.counting import CountingListener

PICTURE = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 7\r\n\r\npicture"
DRAWING = b"HTTP/1.1 200 OK\r\nContent-Type: image/svg+xml\r\nContent-Length: 6\r\n\r\n<svg/>"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings under which the loopback may be reached: there the media are."""
    return settings.model_copy(update={"internal_targets": ("127.0.0.0/8",)})


@pytest.fixture
def there() -> Iterator[CountingListener]:
    with CountingListener(PICTURE) as listener:
        yield listener


async def pointing_at(floor: Floor, *urls: str, visibility: str = "public") -> tuple[str, Caller]:
    """Let a customer point at addresses; return the post's path and who may see it."""
    media = [{"kind": "image", "url": url, "alt_text": "a parcel"} for url in urls]
    agent = await floor.agent()
    opened = await floor.open("customer", media=media, visibility=visibility)
    entries = (await agent.ok("GET", f"/conversations/{opened}/timeline"))["items"]
    (post,) = [entry["post"] for entry in entries if entry["kind"] == "post"]
    return f"/posts/{post['id']}/media", agent


async def test_a_picture_is_passed_on_under_a_policy_that_lets_nothing_run(
    floor: Floor, there: CountingListener
) -> None:
    path, agent = await pointing_at(floor, there.url)

    answer = await agent.call("GET", f"{path}/0")

    assert (answer.status_code, answer.content) == (200, b"picture")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == 'inline; filename="media-0.png"'
    assert answer.headers["cache-control"] == "private, max-age=300"


async def test_private_media_are_not_kept_by_the_browser(
    floor: Floor, there: CountingListener
) -> None:
    path, agent = await pointing_at(floor, there.url, visibility="private")

    assert (await agent.call("GET", f"{path}/0")).headers["cache-control"] == "no-store"


async def test_a_drawing_is_saved_and_a_page_refused(floor: Floor, there: CountingListener) -> None:
    path, agent = await pointing_at(floor, there.url)

    there.answer = DRAWING
    drawing = await agent.call("GET", f"{path}/0")
    assert drawing.headers["content-disposition"] == 'attachment; filename="media-0.svg"'
    there.answer = PAGE
    await agent.refused("GET", f"{path}/0", None, 409, "media_type_not_allowed")
    there.answer = b"HTTP/1.1 500 Down\r\n\r\n"
    await agent.refused("GET", f"{path}/0", None, 502, "media_not_available")


async def test_a_refused_target_is_a_problem_that_says_why(floor: Floor) -> None:
    path, agent = await pointing_at(
        floor, "http://169.254.169.254/latest/meta-data/", "javascript:alert(1)"
    )

    refused: Json = await agent.refused("GET", f"{path}/0", None, 409, "target_not_allowed")
    assert "PARLEY_INTERNAL_TARGETS" in refused["detail"]
    await agent.refused("GET", f"{path}/1", None, 409, "target_not_allowed")


async def test_only_who_sees_the_conversation_sees_its_media(
    floor: Floor, there: CountingListener
) -> None:
    path, agent = await pointing_at(floor, there.url)
    stranger = await floor.agent(member=False)

    unseen = await stranger.refused("GET", f"{path}/0", None, 404, "not_found")
    absent = await stranger.refused("GET", "/posts/po_none/media/0", None, 404, "not_found")
    assert unseen["detail"].split()[:4] == absent["detail"].split()[:4]
    await agent.refused("GET", f"{path}/1", None, 404, "not_found")
    await agent.refused("GET", f"{path}/-1", None, 422, "invalid_request")
    assert there.connections == 0
