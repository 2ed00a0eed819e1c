"""What the world heard, compared with what was to be said."""

from collections.abc import Iterable, Iterator

from conversations.reply_parts import key_of, origin_of
from tests.history import History, Row, World


def that_differ(history: History, world: World) -> Iterator[tuple[str, str, str]]:
    """Yield the posts of replies that were said too often, not at all, or by nobody."""
    known = {reply["id"]: reply for reply in history.replies}
    for key in world.published:
        if origin_of(key)[0] not in known and key not in known:
            yield "I3", key, "published, but never written"
    for key, reply in _posts_of(known.values()):
        yield from _said_once(key, reply, world)


def _posts_of(replies: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Name each post of each reply by its key, with the state that it has by itself."""
    for reply in replies:
        if not reply["parts"]:
            yield reply["id"], reply
        for index, part in enumerate(reply["parts"]):
            state = "sent" if part["sent_at"] else reply["state"]
            yield key_of(reply["id"], index), {**reply, "state": state}


def _said_once(key: str, reply: Row, world: World) -> Iterator[tuple[str, str, str]]:
    times = world.published.get(key, 0)
    may_repeat = reply["account_id"] in world.repeating
    if times > 1 and not may_repeat:
        yield "I3", key, f"published {times} times"
    if reply["state"] == "sent" and times == 0:
        yield "I3", key, "sent, but the network never saw it"
    if reply["state"] == "rejected" and times > 0:
        yield "I3", key, "rejected, but the network has it"
