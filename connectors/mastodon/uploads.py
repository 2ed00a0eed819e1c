"""Brings files to a Mastodon instance: they are its own before a status can show them."""

import asyncio
from typing import Any
from urllib.parse import quote

from connectors.fields import mapping, sequence, words
from connectors.mastodon.calls import MastodonCalls
from connectors.uploading import all_uploaded, not_uploaded, require_uploaded
from conversations.attachments import Attachment
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Reply

_STILL_WORKING = frozenset({202, 206})
_ASKED_EVERY_S = 0.5


async def media_ids(calls: MastodonCalls, account: Account, reply: Reply) -> list[str]:
    """Bring the reply's files and return what a status names them by.

    Raises:
        NotUploaded: one did not arrive, or was refused.
        NetworkTrouble: the account has no token or address.
    """

    async def upload(one: Attachment) -> str:
        fields = {"description": one.alt_text} if one.alt_text else {}
        files = {"file": (one.name, one.content, one.media_type)}
        request = calls.request(account, "POST", "/api/v2/media", data=fields, files=files)
        answer = await calls.send(account, request)
        require_uploaded(answer, one, words(answer.json.get("error"), 300))
        media_id = words(answer.json.get("id"), 64)
        if media_id is None:
            raise not_uploaded(f"the network named no medium for {one.name}")
        if answer.status in _STILL_WORKING:
            await _worked_through(calls, account, media_id, one)
        return media_id

    return await all_uploaded(reply.attachments, upload)


async def _worked_through(
    calls: MastodonCalls, account: Account, media_id: str, one: Attachment
) -> None:
    """Wait until the instance has made its own forms of a film; a status before is refused."""
    path = f"/api/v1/media/{quote(media_id, safe='')}"
    while True:
        answer = await calls.send(account, calls.request(account, "GET", path))
        require_uploaded(answer, one, words(answer.json.get("error"), 300))
        if answer.status not in _STILL_WORKING:
            return
        await asyncio.sleep(_ASKED_EVERY_S)


async def kept_media(calls: MastodonCalls, account: Account, status_id: str) -> list[str]:
    """Return what a status shows: an edit that does not name it would take it away.

    Raises:
        Busy, NetworkTrouble: it could not be asked.
    """
    path = f"/api/v1/statuses/{quote(status_id, safe='')}"
    told: dict[str, Any] = mapping(await calls.read(account, path))
    media = [mapping(one) for one in sequence(told.get("media_attachments"))]
    found = [words(one.get("id"), 64) for one in media]
    if None in found:
        raise NetworkTrouble("a medium of the post has no id")
    return [one for one in found if one is not None]
