"""X's lists of posts and messages, asked for batch by batch."""

import time
from dataclasses import dataclass

import httpx

from connectors.calls import Answer
from connectors.fields import mapping, words
from connectors.json_pages import NotAPage, Pieces, read_page
from connectors.x.calls import app_request, ask, user_request
from connectors.x.fields import message_params, post_params
from connectors.x.ids import id_at
from connectors.x.message_wire import found_message
from connectors.x.reading import Batch
from connectors.x.wire import Found, Us, found_from, includes_of, us_of
from conversations.model import Instant
from conversations.networks import Account, NetworkTrouble

MOST = 100
MOST_MENTIONS = 800
"""The list of mentions has no more, however many there were."""

_SEARCHED = "until:"
SEARCHED_MS = 7 * 24 * 3_600_000 - 60_000
"""Recent search goes back a week; an older id is refused."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What one account may read on X."""

    client: httpx.AsyncClient
    account: Account

    @property
    def us(self) -> Us:
        return us_of(self.account)

    async def mentions(self, above: int, older: str | None) -> Batch:
        """Ask for what names the account; what its list has dropped is searched for.

        The token counts what the list gave, and says from where the search goes on.
        """
        count, _, token = (older or "0 ").partition(" ")
        if count.startswith(_SEARCHED):
            return await self._dropped(above, count, token or None)
        request = self._listing(f"/2/users/{self._user_id}/mentions", above, token or None)
        answer = await ask(self.client, request, "mentions")
        batch = self._posts(answer, is_for_us=True)
        read = int(count) + len(batch.found)
        if batch.older is not None:
            return Batch(batch.found, f"{read} {batch.older}")
        oldest = min((one.number for one in batch.found if one.number), default=0)
        is_cut = read >= MOST_MENTIONS - MOST and oldest > above > 0 and bool(self.us.handle)
        return Batch(batch.found, f"{_SEARCHED}{oldest} " if is_cut else None)

    async def _dropped(self, above: int, begin: str, token: str | None) -> Batch:
        now = time.time_ns() // 1_000_000
        until = int(begin.removeprefix(_SEARCHED))
        if until <= id_at(now - SEARCHED_MS):
            return Batch(())
        params = self._search_params(f"@{self.us.handle}", above, token, now)
        batch = await self._search(params | {"until_id": str(until)}, is_for_us=True)
        return Batch(batch.found, f"{begin} {batch.older}" if batch.older else None)

    async def searched(self, query: str, above: int, older: str | None, now: Instant) -> Batch:
        """Ask for what matches a query, by the app's own allowance when it has one."""
        params = self._search_params(query, above, older, now)
        return await self._search(params, is_for_us=False)

    def _search_params(
        self, query: str, above: int, older: str | None, now: Instant
    ) -> dict[str, str]:
        floor = max(above, id_at(now - SEARCHED_MS)) if above else 0
        return self._params(floor, older) | {"query": query}

    async def _search(self, params: dict[str, str], *, is_for_us: bool) -> Batch:
        is_app = bool(self.account.credentials.get("bearer_token"))
        build = app_request if is_app else user_request
        path = "/2/tweets/search/recent"
        request = build(self.client, self.account, "GET", path, params=params)
        return self._posts(await ask(self.client, request, "search"), is_for_us=is_for_us)

    async def own_posts(self, begun_at: str, older: str | None) -> Batch:
        """Ask for what the account itself said since a moment."""
        params = self._params(0, older) | {"start_time": begun_at}
        path = f"/2/users/{self._user_id}/tweets"
        request = user_request(self.client, self.account, "GET", path, params=params)
        return self._posts(await ask(self.client, request, "own posts"), is_for_us=False)

    async def messages(self, path: str, older: str | None) -> Batch:
        """Ask for direct messages: of all conversations, or of one."""
        params = message_params(self.account) | {"max_results": str(MOST)}
        if older is not None:
            params["pagination_token"] = older
        request = user_request(self.client, self.account, "GET", path, params=params)
        pieces = _pieces(await ask(self.client, request, "direct messages"))
        includes, us = includes_of(pieces.beside.get("includes")), self.us
        read = [found_message(entry, includes, us) for entry in pieces.entries]
        return Batch(tuple(one for one in read if one is not None), _older(pieces))

    def _listing(self, path: str, above: int, older: str | None) -> httpx.Request:
        params = self._params(above, older)
        return user_request(self.client, self.account, "GET", path, params=params)

    def _params(self, above: int, older: str | None) -> dict[str, str]:
        params = post_params(self.account) | {"max_results": str(MOST)}
        if above:
            params["since_id"] = str(above)
        if older is not None:
            params["pagination_token"] = older
        return params

    @property
    def _user_id(self) -> str:
        user_id = self.us.user_id
        if user_id is None:
            raise KeyError("user_id")
        return user_id

    def _posts(self, answer: Answer, *, is_for_us: bool) -> Batch:
        pieces = _pieces(answer)
        includes, us = includes_of(pieces.beside.get("includes")), self.us
        found: list[Found] = [
            found_from(entry, includes, us, is_for_us=is_for_us) for entry in pieces.entries
        ]
        return Batch(tuple(found), _older(pieces))


def _pieces(answer: Answer) -> Pieces:
    """Read a list; an empty one has no `data`, but tells how much it found."""
    body = answer.json
    if "data" not in body and "meta" in body:
        return Pieces([], body)
    try:
        return read_page(answer.body, "data")
    except NotAPage as reason:
        raise NetworkTrouble(f"X gave no list: {reason}") from reason


def _older(pieces: Pieces) -> str | None:
    return words(mapping(pieces.beside.get("meta")).get("next_token"), 1_000)
