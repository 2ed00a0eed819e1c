"""Who may call what: one table for all routes; a route that it does not name cannot be built."""

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    AGENT = "agent"
    INTEGRATOR = "integrator"
    DISPLAY = "display"
    """A screen on a wall. Nobody is given it: it comes with a display's token."""


INCLUDED = {Role.ADMIN: frozenset({Role.SUPERVISOR, Role.INTEGRATOR})}
"""An administrator may do what a supervisor and an integrator may."""

ANYBODY: frozenset[Role] = frozenset()
"""Without a key: nothing is behind these but the door itself."""

_ADMIN = frozenset({Role.ADMIN})
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_AGENT = frozenset({Role.AGENT})
_FLOOR = frozenset({Role.AGENT, Role.SUPERVISOR})
_INTEGRATOR = frozenset({Role.INTEGRATOR})
_ALL = frozenset(Role) - {Role.DISPLAY}
_FIGURES = frozenset({*_FLOOR, Role.DISPLAY})

POLICY: dict[str, frozenset[Role]] = {
    "POST /session": ANYBODY,
    "GET /session": frozenset(Role),
    "DELETE /session": ANYBODY,
    "PUT /session/password": _ALL,
    "GET /session/demo": ANYBODY,
    "POST /session/demo": ANYBODY,
    "GET /sessions": _ALL,
    "DELETE /sessions": _ALL,
    "DELETE /sessions/{session_id}": _ALL,
    "POST /workgroups": _ADMIN,
    "GET /workgroups": _ALL,
    "GET /workgroups/{workgroup_id}": _ALL,
    "PATCH /workgroups/{workgroup_id}": _ADMIN,
    "DELETE /workgroups/{workgroup_id}": _ADMIN,
    "GET /workgroups/{workgroup_id}/queue": _FLOOR,
    "PUT /workgroups/{workgroup_id}/members/{agent_id}": _ADMIN,
    "DELETE /workgroups/{workgroup_id}/members/{agent_id}": _ADMIN,
    "POST /stations": _ADMIN,
    "GET /stations": _FLOOR,
    "GET /stations/{station_id}": _FLOOR,
    "PATCH /stations/{station_id}": _ADMIN,
    "DELETE /stations/{station_id}": _ADMIN,
    "GET /licences": _SUPERVISOR,
    "PATCH /licences/{kind}": _ADMIN,
    "POST /agents": _ADMIN,
    "GET /agents": _FLOOR,
    "GET /agents/{agent_id}": _FLOOR,
    "PATCH /agents/{agent_id}": _ADMIN,
    "DELETE /agents/{agent_id}": _ADMIN,
    "POST /agents/{agent_id}/keys": _ADMIN,
    "GET /agents/{agent_id}/password": _ADMIN,
    "PUT /agents/{agent_id}/password": _ADMIN,
    "DELETE /agents/{agent_id}/password": _ADMIN,
    "DELETE /agents/{agent_id}/sessions": _ADMIN,
    "DELETE /keys/{key_id}": _ADMIN,
    "PUT /agents/{agent_id}/status": _FLOOR,
    "GET /agents/{agent_id}/utilization": _FLOOR,
    "POST /agents/{agent_id}/heartbeat": _AGENT,
    "POST /accounts": _ADMIN,
    "GET /accounts": _ADMIN,
    "GET /accounts/{account_id}": _ADMIN,
    "PATCH /accounts/{account_id}": _ADMIN,
    "DELETE /accounts/{account_id}": _ADMIN,
    "POST /channels": _ADMIN,
    "GET /channels": _ALL,
    "GET /channels/{channel_id}": _ALL,
    "PATCH /channels/{channel_id}": _ADMIN,
    "DELETE /channels/{channel_id}": _ADMIN,
    "POST /channels/{channel_id}/posts": _INTEGRATOR,
    "POST /channels/{channel_id}/post-changes": _INTEGRATOR,
    "GET /posts/{post_id}/media/{index}": _FLOOR,
    "GET /channels/{channel_id}/deliveries": ANYBODY,
    "POST /channels/{channel_id}/deliveries": ANYBODY,
    "POST /rules": _ADMIN,
    "GET /rules": _ADMIN,
    "GET /rules/{rule_set_id}": _ADMIN,
    "PATCH /rules/{rule_set_id}": _ADMIN,
    "DELETE /rules/{rule_set_id}": _ADMIN,
    "GET /rules/{rule_set_id}/versions": _ADMIN,
    "POST /rules/{rule_set_id}/test": _ADMIN,
    "POST /canned-replies": _ADMIN,
    "GET /canned-replies": _FLOOR,
    "GET /canned-replies/{canned_reply_id}": _FLOOR,
    "PATCH /canned-replies/{canned_reply_id}": _ADMIN,
    "DELETE /canned-replies/{canned_reply_id}": _ADMIN,
    "POST /canned-replies/{canned_reply_id}/render": _FLOOR,
    "POST /dispositions": _ADMIN,
    "GET /dispositions": _FLOOR,
    "GET /dispositions/{disposition_id}": _FLOOR,
    "PATCH /dispositions/{disposition_id}": _ADMIN,
    "DELETE /dispositions/{disposition_id}": _ADMIN,
    "GET /skills": _ALL,
    "POST /simulations": _SUPERVISOR,
    "GET /statistics/now": _FIGURES,
    "GET /statistics/agents": _FIGURES,
    "GET /statistics/intervals": _FIGURES,
    "GET /statistics/dispositions": _FLOOR,
    "POST /displays": _SUPERVISOR,
    "GET /displays": _SUPERVISOR,
    "DELETE /displays/{display_id}": _SUPERVISOR,
    "GET /budgets": _SUPERVISOR,
    "GET /quarantine": _SUPERVISOR,
    "POST /quarantine/{quarantined_id}/retry": _SUPERVISOR,
    "DELETE /quarantine/{quarantined_id}": _SUPERVISOR,
    "GET /conversations": _FLOOR,
    "GET /conversations/{conversation_id}": _FLOOR,
    "GET /conversations/{conversation_id}/queue": _FLOOR,
    "GET /conversations/{conversation_id}/timeline": _FLOOR,
    "GET /conversations/{conversation_id}/decisions": _FLOOR,
    "POST /conversations/{conversation_id}/pickup": _AGENT,
    "POST /conversations/{conversation_id}/decline": _AGENT,
    "POST /conversations/{conversation_id}/hold": _AGENT,
    "POST /conversations/{conversation_id}/resume": _AGENT,
    "POST /conversations/{conversation_id}/park": _AGENT,
    "POST /conversations/{conversation_id}/unpark": _FLOOR,
    "POST /conversations/{conversation_id}/transfer": _FLOOR,
    "POST /conversations/{conversation_id}/consult": _AGENT,
    "POST /conversations/{conversation_id}/consult/end": _FLOOR,
    "POST /conversations/{conversation_id}/merge": _FLOOR,
    "POST /conversations/{conversation_id}/forward": _FLOOR,
    "POST /conversations/{conversation_id}/split": _FLOOR,
    "POST /conversations/{conversation_id}/unmerge": _FLOOR,
    "GET /customers": _FLOOR,
    "GET /customers/{customer_id}": _FLOOR,
    "PATCH /customers/{customer_id}": _SUPERVISOR,
    "POST /conversations/{conversation_id}/replies": _AGENT,
    "POST /conversations/{conversation_id}/attachments": _AGENT,
    "GET /attachments/{attachment_id}": _FLOOR,
    "DELETE /attachments/{attachment_id}": _AGENT,
    "POST /conversations/{conversation_id}/notes": _FLOOR,
    "GET /mentions": _FLOOR,
    "PUT /conversations/{conversation_id}/mentions": _FLOOR,
    "GET /conversations/{conversation_id}/draft": _AGENT,
    "PUT /conversations/{conversation_id}/draft": _AGENT,
    "DELETE /conversations/{conversation_id}/draft": _AGENT,
    "GET /conversations/{conversation_id}/presence": _FLOOR,
    "POST /conversations/{conversation_id}/presence": _FLOOR,
    "POST /conversations/{conversation_id}/disconnect": _FLOOR,
    "POST /conversations/{conversation_id}/wrapup": _FLOOR,
    "POST /conversations/{conversation_id}/discard": _FLOOR,
    "POST /conversations/{conversation_id}/release": _SUPERVISOR,
    "GET /replies/{reply_id}": _FLOOR,
    "POST /replies/{reply_id}/resolve": _FLOOR,
    "POST /replies/{reply_id}/undo": _FLOOR,
    "POST /replies/{reply_id}/edit": _FLOOR,
    "POST /replies/{reply_id}/delete": _FLOOR,
    "POST /conversations/{conversation_id}/replies/preview": _FLOOR,
    "GET /networks": _ALL,
    "GET /events": _FLOOR,
}


AUTOMATIC = frozenset(
    {
        "GET /events",
        "GET /statistics/now",
        "GET /statistics/agents",
        "GET /statistics/intervals",
        "POST /agents/{agent_id}/heartbeat",
        "POST /conversations/{conversation_id}/presence",
    }
)
"""What an open page does by itself, also when nobody is at it: no session lives on by it."""


def happens_by_itself(method: str, path: str) -> bool:
    return f"{method} {path}" in AUTOMATIC


def effective(roles: frozenset[str]) -> frozenset[Role]:
    """Return the roles with those that they include; unknown names are nothing."""
    known = {Role(role) for role in roles if role in set(Role)}
    return frozenset(known.union(*(INCLUDED.get(role, frozenset()) for role in known)))


def allowed(method: str, path: str) -> frozenset[Role]:
    """Return who may call the route.

    Raises:
        LookupError: nobody said; such a route is not built.
    """
    key = f"{method} {path}"
    if key not in POLICY:
        raise LookupError(f"api/policy.py does not say who may call {key}")
    return POLICY[key]
