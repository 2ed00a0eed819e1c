"""Posts that could not be accepted, with their reasons."""

from typing import Annotated, Any

from fastapi import Query

from api.context import ContextOf
from api.fields import Shape, Stamp, rfc3339
from api.listing import Asked, Listing, listing
from api.routes import READS, new_router
from storage import quarantine

router = new_router("quarantine")


class QuarantinedShape(Shape):
    id: str
    channel_id: str
    external_id: str | None
    code: str
    detail: str
    raw: str
    received_at: Stamp


@router.get("/quarantine", response_model=Listing[QuarantinedShape], responses=READS)
async def list_quarantine(
    context: ContextOf,
    window: Asked,
    channel_id: Annotated[str | None, Query(max_length=64)] = None,
) -> dict[str, Any]:
    """List what could not be accepted, newest first."""
    page = await context.database.read(lambda k: quarantine.listed(k, channel_id, window))
    items = [{**row, "received_at": rfc3339(row["received_at"])} for row in page.rows]
    return listing(items, page.next)
