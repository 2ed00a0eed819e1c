"""Lists: `?limit=` and `?cursor=`, answered by `{items, next_cursor}`."""

import base64
import binascii
import json
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query

from api.errors import unprocessable
from api.fields import Shape
from api.json_body import unkeepable
from storage.pages import Place, Window

T = TypeVar("T")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
LARGEST_MOMENT = 2**62


class Listing(Shape, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None


def cursor_of(place: Place | None) -> str | None:
    """Write a place so that a client does not depend on what is in it."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps([place.at, place.id]).encode()).decode().rstrip("=")


def _place_of(cursor: str) -> Place | None:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    if type(at) is not int or not isinstance(row_id, str) or unkeepable(row_id):
        return None
    return Place(at, row_id) if abs(at) < LARGEST_MOMENT else None


async def window(
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Window:
    """Read which page is asked for.

    Raises:
        Problem: the cursor is none of ours.
    """
    if not cursor:
        return Window(limit)
    place = _place_of(cursor)
    if place is None:
        raise unprocessable("unknown_cursor", ["query", "cursor"], "is none that Parley gave")
    return Window(limit, place)


Asked = Annotated[Window, Depends(window)]


def listing(items: list[Any], place: Place | None) -> dict[str, Any]:
    return {"items": items, "next_cursor": cursor_of(place)}
