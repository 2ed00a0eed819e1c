"""Pictures of a post: blobs that its record names by their content's hash.

The same bytes have the same hash, so a record stays the same however often they are brought.
https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/embed/images.json
"""

from typing import Any, Final

from connectors.bluesky.calls import BlueskyCalls
from connectors.fields import mapping, words
from connectors.uploading import all_uploaded, not_uploaded, require_uploaded
from conversations.attachments import ANIMATED, IMAGES, Attachment, AttachmentRule
from conversations.networks import Account
from conversations.replies import Reply

PICTURES: Final = AttachmentRule(
    most=4, media_types=IMAGES - {ANIMATED}, most_bytes=1_000_000, longest_alt_text=2_000
)
_UPLOAD: Final = "com.atproto.repo.uploadBlob"


async def embed_of(calls: BlueskyCalls, account: Account, reply: Reply) -> dict[str, Any] | None:
    """Bring the reply's pictures and return what its record shows; None when there are none.

    Raises:
        NotUploaded: one did not arrive, or was refused.
        Busy, NetworkTrouble: there is no session.
    """
    if not reply.attachments:
        return None

    async def upload(one: Attachment) -> dict[str, Any]:
        kind = {"content-type": one.media_type}
        answer = await calls.send(account, "POST", _UPLOAD, content=one.content, headers=kind)
        require_uploaded(answer, one, words(answer.json.get("message"), 300))
        blob = mapping(answer.json.get("blob"))
        if not mapping(blob.get("ref")).get("$link"):
            raise not_uploaded(f"the network named no blob for {one.name}")
        return {"image": blob, "alt": one.alt_text or ""}

    images = await all_uploaded(reply.attachments, upload)
    return {"$type": "app.bsky.embed.images", "images": images}
