"""Which files a Mastodon instance takes, by its own words."""

from dataclasses import replace
from typing import Any, Final

from connectors.fields import count, mapping, sequence
from conversations.attachments import FILM, IMAGES, LARGEST_BYTES, AttachmentRule

USUAL_ATTACHMENTS: Final = AttachmentRule(
    most=4, media_types=IMAGES | {FILM}, alone=frozenset({FILM}), longest_alt_text=1_500
)
"""Four pictures, or one film."""


def attachments_taken(configuration: dict[str, Any]) -> AttachmentRule:
    """Read `configuration` of `/api/v2/instance`; what is not said there is as usual."""
    told, usual = mapping(configuration.get("media_attachments")), USUAL_ATTACHMENTS
    kinds = frozenset(one for one in sequence(told.get("supported_mime_types")) if type(one) is str)
    most = count(mapping(configuration.get("statuses")).get("max_media_attachments"))
    limits = (count(told.get(name)) for name in ("image_size_limit", "video_size_limit"))
    return replace(
        usual,
        most=usual.most if most is None else most,
        media_types=usual.media_types & kinds if kinds else usual.media_types,
        most_bytes=min(LARGEST_BYTES, *(limit for limit in limits if limit), LARGEST_BYTES),
        longest_alt_text=count(told.get("description_limit")) or usual.longest_alt_text,
    )
