"""What has to be true of posts that moved: each has one way, and nothing is answered by magic."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.history import History, Row

Finding = tuple[str, str, str]
"""Invariant, subject, and how it is broken; written apart from `storage.post_moves` on purpose."""


def moves_by_post(history: History) -> dict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for move in history.moves:
        found[move["post_id"]].append(move)
    return found


def arrived_in(post: Row, moves: list[Row]) -> str:
    """Say in which conversation a post arrived."""
    if not moves:
        return str(post["conversation_id"])
    first = moves[0]
    return str(first["to_conversation_id" if first["cause"] == "join" else "from_conversation_id"])


def every_move_is_a_step(history: History) -> Iterator[Finding]:
    """I2: a post's moves lead from where it arrived to where it is, without a gap."""
    moves = moves_by_post(history)
    for post in history.posts:
        place = arrived_in(post, moves[post["id"]])
        for move in moves[post["id"]]:
            if move["cause"] == "join":
                continue
            if move["from_conversation_id"] != place:
                yield "I2", post["id"], f"moved from {move['from_conversation_id']}, was in {place}"
            place = move["to_conversation_id"]
        if place != post["conversation_id"]:
            yield "I2", post["id"], f"is in {post['conversation_id']}, its moves lead to {place}"


def merged_ones_are_empty(history: History) -> Iterator[Finding]:
    """I2: a merged conversation has no post, no unanswered one, and leads somewhere."""
    known = {row["id"] for row in history.conversations}
    for row in history.conversations:
        if (row["state"] == "merged") != (row["merged_into"] is not None):
            yield "I2", row["id"], f"is {row['state']} and merged into {row['merged_into']}"
        if row["state"] != "merged":
            continue
        if row["post_count"] or row["answered_count"]:
            yield "I2", row["id"], f"is merged and counts {row['post_count']} posts"
        if row["merged_into"] not in known:
            yield "I2", row["id"], f"was merged into {row['merged_into']}, which is nowhere"


def posts_follow_a_merge(history: History) -> Iterator[Finding]:
    """I7: while a merge stands and its target is open, the key opens no other conversation."""
    rows = {row["id"]: row for row in history.conversations}
    for row in history.conversations:
        earlier = rows.get(row["continues"] or "")
        while earlier is not None and earlier["merged_into"] is not None:
            earlier = rows[earlier["merged_into"]]
        if earlier is None or earlier["id"] == row["continues"]:
            continue
        if earlier["ended_at"] is None or earlier["ended_at"] > row["created_at"]:
            yield "I7", row["id"], f"began although its posts go to {earlier['id']}"


def nothing_counts_as_answered_that_is_not(history: History) -> Iterator[Finding]:
    """I2: a conversation counts at most what sent replies could see, wherever its posts were."""
    moves = moves_by_post(history)
    said: defaultdict[str, list[int]] = defaultdict(list)
    for reply in history.replies:
        if reply["state"] == "sent":
            said[reply["conversation_id"]].append(reply["created_at"])
    answered: Counter[str] = Counter()
    for post in history.posts:
        where = list(stays(post, moves[post["id"]]))
        answered[post["conversation_id"]] += any(
            since <= at <= until for place, since, until in where for at in said[place]
        )
    for row in history.conversations:
        counted = row["answered_count"]
        if not 0 <= counted <= answered[row["id"]]:
            yield "I2", row["id"], f"counts {counted} answered, {answered[row['id']]} are"


def stays(post: Row, moves: list[Row]) -> Iterator[tuple[str, int, int]]:
    """Say in which conversations a post was, each with since when and until when."""
    since, place = post["received_at"], arrived_in(post, moves)
    for move in moves:
        if move["cause"] != "join":
            yield place, since, move["at"]
            since, place = move["at"], move["to_conversation_id"]
    yield place, since, 2**62


ALL = (
    every_move_is_a_step,
    merged_ones_are_empty,
    posts_follow_a_merge,
    nothing_counts_as_answered_that_is_not,
)
