"""Where things are in Temporal: workflow ids, queues and search attributes."""

from typing import Final

CONVERSATIONS_QUEUE: Final = "conversations"
LISTENERS_QUEUE: Final = "listeners"
MAINTENANCE_QUEUE: Final = "maintenance"

SWEEP_ID: Final = "sweep"
MARKER_ID: Final = "marker"

SEARCH_ATTRIBUTES: Final = {
    "ParleyState": "Keyword",
    "ParleyWorkgroup": "Keyword",
    "ParleyAgent": "Keyword",
    "ParleyNetwork": "Keyword",
}
"""Registered before the first worker starts: an unknown one fails workflow tasks for ever."""


def conversation_workflow_id(conversation_id: str) -> str:
    return f"conversation/{conversation_id}"


def conversation_id_of(workflow_id: str) -> str:
    return workflow_id.partition("/")[2]


def listener_workflow_id(channel_id: str) -> str:
    return f"listener/{channel_id}"


def replies_queue(network: str) -> str:
    return f"replies-{network}"
