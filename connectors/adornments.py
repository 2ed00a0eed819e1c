"""What may stand beside a post's words; what makes no sense of it is left out."""

from typing import Any

from connectors.fields import mapping, sequence, web_address, words
from conversations.model import Location, Media

MOST_MEDIA = 100
LONGEST_ALT_TEXT = 10_000


def media_from(value: Any) -> tuple[Media, ...]:  # noqa: ANN401 - any JSON
    """Read a list of `{kind, url, alt_text, mime_type}`."""
    found = []
    for medium in map(mapping, sequence(value, MOST_MEDIA)):
        kind, url = words(medium.get("kind"), 50), web_address(medium.get("url"))
        if kind and url:
            alt = words(medium.get("alt_text"), LONGEST_ALT_TEXT)
            found.append(Media(kind, url, alt, words(medium.get("mime_type"), 200)))
    return tuple(found)


def location_from(value: Any) -> Location | None:  # noqa: ANN401 - any JSON
    """Read `{country, place, lat, lon}`; half a coordinate is none."""
    place = mapping(value)
    country, name = words(place.get("country"), 200), words(place.get("place"), 200)
    lat, lon = _degrees(place.get("lat"), 90), _degrees(place.get("lon"), 180)
    if lat is None or lon is None:
        lat = lon = None
    if (country, name, lat) == (None, None, None):
        return None
    return Location(country, name, lat, lon)


def _degrees(value: Any, most: int) -> float | None:  # noqa: ANN401
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -most <= value <= most else None
