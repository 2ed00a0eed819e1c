"""How the fake X shows what it has: the fields and expansions that were asked for, no others."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.fakes.x_ledger import Ledger, StoredMessage, StoredPost, rfc_3339, shortened

DEFAULT_POST = {"id", "text", "edit_history_tweet_ids"}
DEFAULT_MESSAGE = {"id", "event_type", "text"}
LONGEST_SHORT = 280
_NEWER = {
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "note_tweet": "note_post",
}


def post_fields(ledger: Ledger, post: StoredPost) -> dict[str, Any]:
    """Return everything that X knows of a post."""
    text, links = _with_media(*shortened(post.text), post.media)
    names = [
        {"start": 0, "end": 0, "username": ledger.users[user_id]["username"], "id": user_id}
        for name in sorted(ledger.names(post))
        if (user_id := ledger.id_of(name)) is not None
    ]
    entities = {key: value for key, value in (("urls", links), ("mentions", names)) if value}
    parent = ledger.posts.get(post.replied_to or 0)
    fields: dict[str, Any] = {
        "id": str(post.id),
        "text": text,
        "edit_history_tweet_ids": [str(one) for one in post.history],
        "author_id": post.author_id,
        "conversation_id": str(post.conversation_id),
        "created_at": rfc_3339(post.created_ms),
        "lang": "en",
        "source": "X for iPhone",
        "entities": entities or None,
        "in_reply_to_user_id": parent.author_id if parent else None,
        "referenced_tweets": _references(post) or None,
        "attachments": {"media_keys": [one["media_key"] for one in post.media]}
        if post.media
        else 0,
        "geo": {"place_id": post.places[0]["id"]} if post.places else None,
    }
    if len(text) > LONGEST_SHORT:
        note = {"text": text, **({"entities": entities} if entities else {})}
        fields |= {"text": f"{text[: LONGEST_SHORT - 1]}…", "note_tweet": note}
    fields |= post.more
    return {name: value for name, value in fields.items() if value or name == "text"}


def _with_media(
    text: str, links: list[dict[str, Any]], media: list[dict[str, Any]]
) -> tuple[str, list[dict[str, Any]]]:
    """Put one link for all pictures behind the text, as X does."""
    if not media:
        return text, links
    address = f"https://t.co/{int(media[0].get('id', 7)) % 10**10:010d}"
    link = {
        "start": 0,
        "end": 0,
        "url": address,
        "expanded_url": "https://x.com/i/photo/1",
        "display_url": "pic.x.com/photo",
        "media_key": media[0]["media_key"],
    }
    return f"{text} {address}", [*links, link]


def _references(post: StoredPost) -> list[dict[str, str]]:
    named = {"replied_to": post.replied_to, "quoted": post.quoted, "retweeted": post.reposted}
    return [{"type": kind, "id": str(one)} for kind, one in named.items() if one is not None]


def shown_posts(
    ledger: Ledger, posts: Iterable[StoredPost], query: Mapping[str, str]
) -> dict[str, Any]:
    """Return `data` and `includes` of posts, in the vocabulary of the query."""
    is_newer = "post.fields" in query
    asked = _asked(query, "post.fields" if is_newer else "tweet.fields") | DEFAULT_POST
    expansions = _asked(query, "expansions")
    if is_newer:
        asked |= {"author_id", "in_reply_to_user_id", "referenced_tweets", "note_tweet"}
    wanted, shown = list(posts), []
    for post in wanted:
        fields = {
            name: value
            for name, value in post_fields(ledger, post).items()
            if name in asked or name in post.more
        }
        shown.append({_NEWER.get(n, n): v for n, v in fields.items()} if is_newer else fields)
    includes: dict[str, Any] = {}
    if "author_id" in expansions:
        ids = dict.fromkeys(post.author_id for post in wanted)
        includes["users"] = [_user(ledger, user_id, query) for user_id in ids]
    if "attachments.media_keys" in expansions:
        includes["media"] = [one for post in wanted for one in post.media]
    if "geo.place_id" in expansions:
        includes["places"] = [one for post in wanted for one in post.places]
    return _body(shown, includes)


def shown_messages(
    ledger: Ledger, messages: Iterable[StoredMessage], query: Mapping[str, str]
) -> dict[str, Any]:
    """Return `data` and `includes` of messages."""
    asked = _asked(query, "dm_event.fields") | DEFAULT_MESSAGE
    wanted, shown = list(messages), []
    for message in wanted:
        text, links = _with_media(*shortened(message.text), message.media)
        fields: dict[str, Any] = {
            "id": str(message.id),
            "event_type": "MessageCreate",
            "text": text,
            "sender_id": message.sender_id,
            "dm_conversation_id": message.conversation_id,
            "created_at": rfc_3339(message.created_ms),
        }
        fields = {name: value for name, value in fields.items() if name in asked}
        if "entities" in asked and links:
            fields["entities"] = {"urls": links}
        shown.append(fields)
    includes: dict[str, Any] = {}
    if "sender_id" in _asked(query, "expansions"):
        ids = dict.fromkeys(message.sender_id for message in wanted)
        includes["users"] = [_user(ledger, user_id, query) for user_id in ids]
    return _body(shown, includes)


def _body(shown: list[dict[str, Any]], includes: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in includes.items() if value}
    body: dict[str, Any] = {"meta": {"result_count": len(shown)}}
    if shown:
        body["data"] = shown
    if kept:
        body["includes"] = kept
    return body


def _user(ledger: Ledger, user_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    asked = _asked(query, "user.fields") | {"id", "name", "username"}
    return {name: value for name, value in ledger.users[user_id].items() if name in asked}


def _asked(query: Mapping[str, str], name: str) -> set[str]:
    return set(query.get(name, "").split(",")) - {""}
