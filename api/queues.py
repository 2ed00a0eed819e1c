"""How the queues stand: a workgroup's, and one conversation's place in it."""

from typing import Any

from sqlalchemy import Connection

from api.auth import Caller
from api.context import ContextOf
from api.doorkeeper import Principal
from api.errors import Problem, not_found
from api.fields import Id, Shape, Stamp, maybe_rfc3339, rfc3339
from api.routes import READS_ONE, new_router
from api.setup import found
from api.sight import require_visible, viewer_of
from conversations.model import Conversation, ConversationState
from storage import conversations, queues, workgroups
from storage.queues import Opening, Reached

router = new_router("queues")

MS_PER_S = 1000
WAITING = frozenset({ConversationState.QUEUED, ConversationState.ALERTING})


class ReachedShape(Shape):
    """A media type's service level today; `reached_percent` is null while nothing counts."""

    target_s: int
    percent: int
    reached_percent: float | None
    answered: int
    answered_in_time: int
    abandoned: int
    flowed_out: int
    waiting_late: int


class QueueShape(Shape):
    """A workgroup's queue now; `service_level` is of the waits that ended since `since`."""

    workgroup_id: Id
    waiting: int
    alerting: int
    longest_waiting_s: int
    estimated_wait_s: int | None
    service_level: dict[str, ReachedShape]
    since: Stamp
    is_open: bool
    next_change_at: Stamp | None


class PlaceShape(Shape):
    """A conversation's place; all of it is null when it waits in no queue.

    While it alerts somebody it has no position.
    """

    workgroup_id: Id
    queue_position: int | None
    waited_s: int | None
    estimated_wait_s: int | None
    is_open: bool
    next_change_at: Stamp | None


@router.get("/workgroups/{workgroup_id}/queue", response_model=QueueShape, responses=READS_ONE)
async def get_queue(workgroup_id: str, context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read how a workgroup's queue stands; for its agents and for supervisors."""

    def read(connection: Connection) -> dict[str, Any]:
        row = found(workgroups.get(connection, workgroup_id), "workgroup", workgroup_id)
        _require_member(connection, caller, workgroup_id)
        queue = queues.queue_of(connection, row)
        return {
            "workgroup_id": workgroup_id,
            "waiting": queue.waiting,
            "alerting": queue.alerting,
            "longest_waiting_s": queue.longest_waiting_ms // MS_PER_S,
            "estimated_wait_s": _whole_s(queue.estimated_wait_ms),
            "service_level": {
                media_type.value: reached_shape(reached)
                for media_type, reached in queue.service_level.items()
            },
            "since": rfc3339(queue.since),
            **_opening_shape(queue.opening),
        }

    return await context.database.read(read)


def _require_member(connection: Connection, caller: Principal, workgroup_id: str) -> None:
    theirs = viewer_of(connection, caller).workgroup_ids
    if theirs is not None and workgroup_id not in theirs:
        raise Problem(403, "forbidden", "this is for the workgroup's agents and for supervisors")


def reached_shape(reached: Reached) -> dict[str, Any]:
    counts = reached.counts
    return {
        "target_s": reached.target.target_s,
        "percent": reached.target.percent,
        "reached_percent": reached.percent,
        "answered": counts.answered,
        "answered_in_time": counts.answered_in_time,
        "abandoned": counts.abandoned,
        "flowed_out": counts.flowed_out,
        "waiting_late": reached.waiting_late,
    }


def _opening_shape(opening: Opening) -> dict[str, Any]:
    return {
        "is_open": opening.is_open,
        "next_change_at": maybe_rfc3339(opening.next_change_at),
    }


def _whole_s(wait_ms: int | None) -> int | None:
    return None if wait_ms is None else wait_ms // MS_PER_S


@router.get(
    "/conversations/{conversation_id}/queue", response_model=PlaceShape, responses=READS_ONE
)
async def get_place(conversation_id: str, context: ContextOf, caller: Caller) -> dict[str, Any]:
    """Read a conversation's position in its queue, and how long it will probably wait there."""

    def read(connection: Connection) -> dict[str, Any]:
        require_visible(connection, caller, conversation_id)
        conversation = conversations.get(connection, conversation_id)
        if conversation is None:
            raise not_found("conversation", conversation_id)
        return place_shape(connection, conversation)

    return await context.database.read(read)


def place_shape(connection: Connection, conversation: Conversation) -> dict[str, Any]:
    """Return where the conversation stands in its queue, if it waits in one."""
    row = found(
        workgroups.get(connection, conversation.workgroup_id),
        "workgroup",
        conversation.workgroup_id,
    )
    if conversation.state not in WAITING:
        nowhere = dict.fromkeys(("queue_position", "waited_s", "estimated_wait_s"))
        opening = queues.opening_now(connection, row)
        return {"workgroup_id": row["id"], **nowhere, **_opening_shape(opening)}
    place = queues.place_of(connection, conversation, row)
    return {
        "workgroup_id": row["id"],
        "queue_position": place.position,
        "waited_s": place.waited_ms // MS_PER_S,
        "estimated_wait_s": _whole_s(place.estimated_wait_ms),
        **_opening_shape(place.opening),
    }
