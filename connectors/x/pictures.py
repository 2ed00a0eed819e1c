"""Pictures of a post or a message on X: each is brought in one call and named by its id."""

import base64
from typing import Final

import httpx

from connectors.calls import call
from connectors.fields import mapping, words
from connectors.uploading import all_uploaded, not_uploaded, require_uploaded
from connectors.x.calls import problem_of, user_request
from connectors.x.ids import number
from conversations.attachments import Attachment, AttachmentRule
from conversations.model import Visibility
from conversations.networks import Account
from conversations.replies import Reply

_KINDS: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What X takes in one call; films and animations it wants in pieces."""

PICTURES: Final = AttachmentRule(
    most=4, media_types=_KINDS, most_bytes=5 * 1024 * 1024, longest_alt_text=1_000
)
ONE_PICTURE: Final = AttachmentRule(
    most=1, media_types=_KINDS, most_bytes=5 * 1024 * 1024, longest_alt_text=1_000
)


async def media_ids(client: httpx.AsyncClient, account: Account, reply: Reply) -> list[str]:
    """Bring the reply's pictures and return their ids.

    Raises:
        NotUploaded: one did not arrive, or was refused.
        KeyError, httpx.InvalidURL: the account lacks a key, or an address.
    """
    category = "dm_image" if reply.visibility is Visibility.PRIVATE else "tweet_image"

    async def upload(one: Attachment) -> str:
        body = {
            "media": base64.b64encode(one.content).decode(),
            "media_category": category,
            "media_type": one.media_type,
        }
        answer = await call(
            client, user_request(client, account, "POST", "/2/media/upload", json=body)
        )
        require_uploaded(answer, one, problem_of(answer).detail or None)
        media_id = words(mapping(answer.json.get("data")).get("id"), 19)
        if number(media_id) is None or media_id is None:
            raise not_uploaded(f"X named no medium for {one.name}")
        await _describe(client, account, media_id, one)
        return media_id

    return await all_uploaded(reply.attachments, upload)


async def _describe(
    client: httpx.AsyncClient, account: Account, media_id: str, one: Attachment
) -> None:
    if one.alt_text is None:
        return
    body = {"id": media_id, "metadata": {"alt_text": {"text": one.alt_text}}}
    answer = await call(
        client, user_request(client, account, "POST", "/2/media/metadata", json=body)
    )
    require_uploaded(answer, one, problem_of(answer).detail or None)


def shown_by(reply: Reply, ids: list[str]) -> dict[str, object]:
    """Return what the body of a post or a message names its pictures with."""
    if not ids:
        return {}
    if reply.visibility is Visibility.PRIVATE:
        return {"attachments": [{"media_id": one} for one in ids]}
    return {"media": {"media_ids": ids}}
