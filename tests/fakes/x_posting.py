"""What the fake X takes: posts, answers, messages; and what it refuses."""

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.connectors.peer import ShownFile
from tests.fakes import x_problems
from tests.fakes.x_ledger import Ledger, StoredPost, shortened

if TYPE_CHECKING:
    from tests.fakes.x import Call

Answer = tuple[int, dict[str, Any]]
LONGEST = 280
LONGEST_MESSAGE = 10_000
_GROUP_DIGITS = 15


def post(call: "Call") -> Answer:
    """Publish; an answer begins with the name of whom it answers, as X writes it there."""
    ledger, text = call.fake.ledger, str(call.body.get("text", ""))
    answered = call.body.get("reply", {}).get("in_reply_to_tweet_id")
    if _weight(text) > LONGEST:
        raise x_problems.invalid("Your Tweet text is too long.")
    parent = _parent(call, answered) if answered is not None else None
    media = _media(call, call.body.get("media", {}).get("media_ids", []))
    with ledger.lock:
        shown = _with_name(ledger, parent, call.caller, text)
        replied_to = parent.id if parent else None
        if _is_double(ledger, call.caller, shown, replied_to):
            raise x_problems.duplicate()
        stored = ledger.add(call.caller, shown, replied_to=replied_to, media=media)
    written, _ = shortened(shown)
    history = [str(stored.id)]
    return 201, {"data": {"id": str(stored.id), "text": written, "edit_history_tweet_ids": history}}


def upload(call: "Call") -> Answer:
    """Keep a picture under an id."""
    body, ledger = call.body, call.fake.ledger
    with ledger.lock:
        media_id = str(ledger.new_id())
        content = base64.b64decode(body["media"], validate=True)
        ledger.uploads[media_id] = ShownFile(body["media_type"], content)
    return 200, {
        "data": {"id": media_id, "media_key": f"3_{media_id}", "size": len(content)},
        "meta": {},
    }


def describe(call: "Call") -> Answer:
    """Say of a picture what it shows."""
    media_id, uploads = call.body["id"], call.fake.ledger.uploads
    if media_id not in uploads:
        raise x_problems.invalid("Your media IDs are invalid.")
    shows = call.body["metadata"]["alt_text"]["text"]
    uploads[media_id] = replace(uploads[media_id], alt_text=shows)
    return 200, {"data": {"id": media_id, "associated_metadata": {"alt_text": {"text": shows}}}}


def _media(call: "Call", ids: list[str]) -> list[dict[str, Any]]:
    if any(one not in call.fake.ledger.uploads for one in ids):
        raise x_problems.invalid("Your media IDs are invalid.")
    return [{"media_key": f"3_{one}", "type": "photo", "id": one} for one in ids]


def delete(call: "Call") -> Answer:
    """Delete an own post; one that is not there is deleted, too."""
    stored = call.fake.ledger.posts.get(int(call.path["id"]))
    if stored is not None and stored.author_id != call.caller:
        raise x_problems.problem(403, "Forbidden", "You are not permitted to delete this post.")
    call.fake.ledger.posts.pop(int(call.path["id"]), None)
    return 200, {"data": {"deleted": True}}


def to_one(call: "Call") -> Answer:
    receiver_id = call.path["id"]
    if receiver_id not in call.fake.ledger.users or receiver_id in call.fake.closed_to_messages:
        raise x_problems.no_messages()
    return _said(call, receiver_id)


def to_group(call: "Call") -> Answer:
    conversation_id = call.path["id"]
    known = [one for one in call.fake.ledger.messages if one.conversation_id == conversation_id]
    if not known or call.caller not in known[0].participants:
        raise x_problems.no_messages()
    participants = known[0].participants
    return _said(call, call.caller, conversation_id=conversation_id, participants=participants)


def _said(call: "Call", receiver_id: str, **what: Any) -> Answer:
    text = str(call.body["text"])
    media = _media(call, [one["media_id"] for one in call.body.get("attachments", [])])
    if len(text) > LONGEST_MESSAGE:
        raise x_problems.invalid("the message is longer than 10,000 characters")
    stored = call.fake.ledger.say(call.caller, receiver_id, text, media=media, **what)
    named = {"dm_conversation_id": stored.conversation_id, "dm_event_id": str(stored.id)}
    return 201, {"data": named}


def _parent(call: "Call", answered: str) -> StoredPost:
    """Return the answered post, if this account may answer it."""
    fake, ledger = call.fake, call.fake.ledger
    versions = (one for one in ledger.posts.values() if int(answered) in one.history)
    parent = next(versions, None)
    if parent is None:
        raise x_problems.not_there()
    quoted = ledger.posts.get(parent.quoted or 0)
    is_summoned = (
        parent.author_id == call.caller
        or ledger.is_mentioned(parent, call.caller)
        or (quoted is not None and quoted.author_id == call.caller)
    )
    if fake.is_self_serve and not is_summoned:
        raise x_problems.not_summoned()
    return parent


def _with_name(ledger: Ledger, parent: StoredPost | None, caller: str, text: str) -> str:
    if parent is None or parent.author_id == caller:
        return text
    return f"@{ledger.users[parent.author_id]['username']} {text}"


def _is_double(ledger: Ledger, author_id: str, text: str, replied_to: int | None) -> bool:
    return any(
        (one.author_id, one.text, one.replied_to) == (author_id, text, replied_to)
        for one in ledger.posts.values()
    )


def _weight(text: str) -> int:
    """Weigh as X does, roughly: links as 23, what is beyond Latin and its neighbours double."""
    written, links = shortened(text)
    for link in links:
        written = written.replace(link["url"], "")
    return sum(1 if ord(sign) < 0x1100 else 2 for sign in written) + 23 * len(links)
