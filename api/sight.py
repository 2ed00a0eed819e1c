"""What the caller may know of: nothing else exists for it."""

from sqlalchemy import Connection

from api.doorkeeper import Principal
from api.errors import not_found
from storage import reading, workgroups
from storage.reading import Viewer


def viewer_of(connection: Connection, principal: Principal) -> Viewer:
    """Return what the principal sees: everything, or its workgroups and its own past."""
    if principal.is_supervisor or principal.agent_id is None:
        return principal.sees(())
    theirs = workgroups.of_agents(connection, [principal.agent_id])
    return principal.sees(theirs[principal.agent_id])


def require_visible(connection: Connection, principal: Principal, conversation_id: str) -> None:
    """Refuse to speak of a conversation that the caller may not know of.

    Raises:
        Problem: 404, as if there were none.
    """
    if not reading.is_visible(connection, conversation_id, viewer_of(connection, principal)):
        raise not_found("conversation", conversation_id)
