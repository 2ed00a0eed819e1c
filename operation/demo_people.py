"""Who works in the demonstration, and how they sign in."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from operation.run_file import Json

CARE, SECOND_LINE = "Care", "Second line"
AGENTS: Mapping[str, Json] = {
    "agent-7": {"skills": [{"skill": "orders", "proficiency": 90}], "workgroups": [CARE]},
    "agent-8": {
        "skills": [
            {"skill": "orders", "proficiency": 60},
            {"skill": "repairs", "proficiency": 70},
        ],
        "workgroups": [CARE, SECOND_LINE],
    },
    "agent-9": {"skills": [{"skill": "repairs", "proficiency": 95}], "workgroups": [SECOND_LINE]},
}
STAFF: Mapping[str, Json] = {
    "supervisor": {"roles": ["supervisor"], "licensed": False},
    "integrator": {"roles": ["integrator"], "licensed": False},
}
ADMINISTRATOR = "administrator"
ONE_CLICK = (*AGENTS, "supervisor", ADMINISTRATOR)
"""Whom the page lets in with one click; programs have keys."""

PASSWORD_LENGTH = 20


def password_of(username: str, admin_key: str) -> str:
    """Return a password of 120 random bits that stays the same as long as the administrator's key.

    It is made from the key, so a start that dies halfway leaves none that nobody knows.
    """
    made = hmac.digest(admin_key.encode(), f"password of {username}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode()[:PASSWORD_LENGTH]
