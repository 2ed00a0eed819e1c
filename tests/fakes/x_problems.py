"""The fake X's refusals, in X's words."""

from typing import Any

from starlette.responses import JSONResponse

_TYPES = "https://api.twitter.com/2/problems"


class Refused(Exception):
    """A call that the fake does not carry out."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def problem(status: int, title: str, detail: str, kind: str = "about:blank") -> Refused:
    address = kind if ":" in kind else f"{_TYPES}/{kind}"
    body = {"title": title, "type": address, "status": status, "detail": detail}
    return Refused(status, body)


def unauthorised() -> Refused:
    return problem(401, "Unauthorized", "Unauthorized")


def wrong_context(offered: str) -> Refused:
    detail = f"Authenticating with {offered} is forbidden for this endpoint."
    return problem(403, "Unsupported Authentication", detail, "unsupported-authentication")


def too_many() -> Refused:
    return problem(429, "Too Many Requests", "Too Many Requests")


def duplicate() -> Refused:
    detail = "You are not allowed to create a Tweet with duplicate content."
    return problem(403, "Forbidden", detail)


def not_summoned() -> Refused:
    detail = (
        "Reply to this conversation is not allowed because you have not been mentioned or "
        "otherwise engaged by the author of the post you are replying to."
    )
    return problem(403, "Forbidden", detail)


def not_there() -> Refused:
    detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
    return problem(403, "Forbidden", detail)


def no_messages() -> Refused:
    return problem(403, "Forbidden", "You cannot send messages to this user.")


def too_many_lines() -> Refused:
    detail = "This stream is currently at the maximum allowed connection limit."
    refused = problem(429, "ConnectionException", detail, "streaming-connection")
    refused.body["connection_issue"] = "TooManyConnections"
    return refused


def invalid(detail: str) -> Refused:
    return problem(400, "Invalid Request", detail, "invalid-request")


def answer_of(refused: Refused, headers: dict[str, str]) -> JSONResponse:
    kind = "application/problem+json"
    return JSONResponse(refused.body, refused.status, headers, kind)
