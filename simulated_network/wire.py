"""The shapes on the wire: posts, accounts and errors as JSON."""

import json
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from simulated_network.model import Account, Author, Post, Refusal
from simulated_network.times import rfc3339


class Json(Response):
    """A JSON answer in UTF-8, whose numbers are numbers: NaN is nobody's."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - any JSON value
        return encoded(content)


def encoded(content: Any) -> bytes:  # noqa: ANN401 - any JSON value
    try:
        return _dumped(content, escapes=False).encode()
    except UnicodeEncodeError:
        # Half a character, put into a post on purpose: only an escape can carry it.
        return _dumped(content, escapes=True).encode()


def _dumped(content: Any, *, escapes: bool) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(content, ensure_ascii=escapes, allow_nan=False, separators=(",", ":"))


def post_json(post: Post, *, viewer: Account | None, base_url: str) -> dict[str, Any]:
    """Return the post as its viewer sees it; a reference is shown to its author only."""
    is_own = viewer is not None and viewer.id == post.author.id
    shape: dict[str, Any] = {
        "id": str(post.id),
        "author": author_json(post.author),
        "text": post.text,
        "visibility": post.visibility,
        "created_at": rfc3339(post.created_at),
        "reply_to": str(post.reply_to) if post.reply_to is not None else None,
        "root": str(post.root),
        "to": party_json(post.recipient) if post.recipient else None,
        "mentions": post.mentions,
        "media": post.media,
        "language": post.language,
        "location": post.location,
        "source_application": post.source_application,
        "url": f"{base_url}/posts/{post.id}",
        "reference": post.reference if is_own else None,
    }
    shape |= post.overrides
    return {name: value for name, value in shape.items() if name not in post.omitted}


def ledger_json(post: Post, *, base_url: str) -> dict[str, Any]:
    """Return the post as it stands in the ledger, whatever its readers are shown."""
    shown = post_json(replace(post, overrides={}, omitted=[]), viewer=None, base_url=base_url)
    return shown | {
        "place": post.place,
        "reference": post.reference,
        "accepted_at": rfc3339(post.accepted_at),
        "visible_at": rfc3339(post.visible_at),
    }


def author_json(author: Author) -> dict[str, Any]:
    return party_json(author) | {
        "followers": author.followers,
        "language": author.language,
        "location": author.location,
        "avatar_url": author.avatar_url,
    }


def party_json(author: Author) -> dict[str, Any]:
    return {
        "id": str(author.id),
        "handle": author.handle,
        "name": author.name,
        "kind": author.kind,
    }


def account_json(account: Account) -> dict[str, Any]:
    """Return the account without its token and secret."""
    limits = {
        name: {"calls": at.calls, "window_s": at.window_s} for name, at in account.limits.items()
    }
    return {
        "id": str(account.id),
        "handle": account.handle,
        "name": account.name,
        "webhook": {"url": account.webhook_url, "page_size": account.webhook_page_size}
        if account.webhook_url
        else None,
        "limits": limits,
        "deduplicates": account.deduplicates,
        "visibility_delay_ms": account.visibility_delay_ms,
        "cold_direct_messages": account.cold_direct_messages,
        "suspended": account.suspended,
        "text_limit": account.text_limit,
    }


def refusal_response(refusal: Refusal) -> JSONResponse:
    return JSONResponse(
        {"code": refusal.code, "detail": refusal.detail},
        status_code=refusal.status,
        headers=refusal.headers,
    )
