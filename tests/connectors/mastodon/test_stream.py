import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

import pytest
import pytest_asyncio

from conversations.model import PostChangeKind, Visibility
from conversations.networks import NetworkTrouble, Page, Trouble
from tests.connectors.mastodon.instance import Instance, running_instance


@pytest_asyncio.fixture
async def instance() -> AsyncIterator[Instance]:
    async with running_instance() as one:
        yield one


async def until(pages: AsyncGenerator[Page, None], wanted: Callable[[Page], object]) -> Page:
    """Return the next page that is wanted."""
    async with asyncio.timeout(10):
        async for page in pages:
            if wanted(page):
                return page
    raise AssertionError("the stream ended")


async def opened(instance: Instance, lines: int = 1) -> AsyncGenerator[Page, None]:
    pages = instance.connector.stream(instance.channel(keywords=("#acme", "word")))
    await until(pages, lambda _: len(instance.ledger.subscribers) == lines)
    return pages


async def test_mentions_tags_edits_and_deletions_come_as_they_happen(instance: Instance) -> None:
    async with aclosing(await opened(instance, 2)) as pages:
        private = instance.says("@acme psst", visibility="direct")
        page = await until(pages, lambda page: page.posts)
        assert [(p.external_id, p.visibility) for p in page.posts] == [
            (private, Visibility.PRIVATE)
        ]

        tagged = instance.says("nobody is named #acme")
        page = await until(pages, lambda page: page.posts)
        assert [p.external_id for p in page.posts] == [tagged]

        instance.ledger.edit(tagged, "other words #acme")
        page = await until(pages, lambda page: page.changes)
        assert [(c.kind, c.text) for c in page.changes] == [
            (PostChangeKind.EDITED, "other words #acme")
        ]

        instance.ledger.delete(tagged)
        page = await until(pages, lambda page: page.changes)
        assert [(c.external_id, c.kind) for c in page.changes] == [(tagged, PostChangeKind.DELETED)]
        assert page.cursor is None


async def test_own_posts_come_back_as_own_and_others_news_do_not(instance: Instance) -> None:
    async with aclosing(await opened(instance, 2)) as pages:
        instance.says("nothing to do with us")
        ours = instance.ledger.post(instance.brand_id, "our news")

        page = await until(pages, lambda page: page.posts)

        assert [(p.external_id, p.is_own) for p in page.posts] == [(ours.id, True)]


async def test_a_mention_with_a_tag_comes_once(instance: Instance) -> None:
    async with aclosing(await opened(instance, 2)) as pages:
        instance.says("@acme #acme twice")
        last = instance.says("@acme last")

        came: list[str] = []
        while last not in came:
            page = await until(pages, lambda page: page.posts)
            came += [post.external_id for post in page.posts]

        assert len(came) == 2


async def test_a_silent_line_shows_that_it_lives(instance: Instance) -> None:
    async with aclosing(await opened(instance, 2)) as pages:
        page = await until(pages, lambda _: True)

        assert (list(page.posts), page.cursor) == ([], None)


async def test_a_closed_stream_leaves_no_line_behind(instance: Instance) -> None:
    pages = await opened(instance, 2)

    await pages.aclose()

    for _ in range(100):
        await asyncio.sleep(0.05)
        if not instance.ledger.subscribers:
            break
    assert instance.ledger.subscribers == []


async def test_a_revoked_token_opens_no_stream(instance: Instance) -> None:
    await instance.page()
    instance.ledger.tokens.clear()

    with pytest.raises(NetworkTrouble) as trouble:
        await anext(instance.connector.stream(instance.channel()))

    assert trouble.value.trouble is Trouble.UNAUTHORISED
