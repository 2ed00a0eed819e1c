"""Editing and deleting what was sent: asked for once, repeated until it is done or refused."""

from dataclasses import replace

from conversations.errors import CannotChangeReply
from conversations.model import Instant, ReplyState
from conversations.replies import (
    ATTEMPT_DEADLINE_MS,
    FIRST_RETRY_MS,
    GIVE_UP_AFTER_MS,
    LONGEST_RETRY_MS,
    Certainty,
    NextStep,
    Outcome,
    Reply,
    Step,
    part_at,
)
from conversations.reply_parts import Change, ChangeKind, ChangeState, Part

NOT_IN_A_DAY = "the network did not confirm it within a day"


def ask_edit(reply: Reply, text: str, texts: tuple[str, ...], now: Instant) -> Reply:
    """Return the reply with an edit on its way; `texts` are what each of its posts is to say.

    Raises:
        CannotChangeReply: it is not there as a whole, or in another number of posts.
    """
    _require_free(reply, ChangeKind.EDIT)
    if reply.state is not ReplyState.SENT:
        raise CannotChangeReply(reply.id, ChangeKind.EDIT, f"it is {reply.state}, not sent")
    there = max(1, len(reply.parts))
    if len(texts) != there:
        why = f"it is there as {there} posts, and the new text makes {len(texts)}"
        raise CannotChangeReply(reply.id, ChangeKind.EDIT, why)
    return replace(reply, change=Change(ChangeKind.EDIT, now, text, texts))


def ask_delete(reply: Reply, now: Instant) -> Reply:
    """Return the reply with its deletion on its way; of a rejected one, what is there of it.

    Raises:
        CannotChangeReply: nothing of it is there, or more may come.
    """
    _require_free(reply, ChangeKind.DELETE)
    is_partly_there = reply.state is ReplyState.REJECTED and reply.sent_parts > 0
    if reply.state is not ReplyState.SENT and not is_partly_there:
        raise CannotChangeReply(reply.id, ChangeKind.DELETE, f"it is {reply.state}, not sent")
    return replace(reply, change=Change(ChangeKind.DELETE, now))


def _require_free(reply: Reply, kind: ChangeKind) -> None:
    change = reply.change
    if change is None:
        return
    if change.state is ChangeState.PENDING:
        raise CannotChangeReply(reply.id, kind, f"its {change.kind} is still on its way")
    if change.kind is ChangeKind.DELETE and change.state is ChangeState.DONE:
        raise CannotChangeReply(reply.id, kind, "it was deleted")


def next_change_step(reply: Reply, now: Instant) -> NextStep:
    """Say what may be done about a pending change; the returned reply is to be stored first.

    An attempt whose outcome never came is over at its deadline: the next one cannot be overtaken.
    """
    change = reply.change
    if change is None or change.state is not ChangeState.PENDING:
        return NextStep(Step.STOP, reply)
    waits_until = max(change.attempt_until or 0, change.next_attempt_at or 0)
    if now < waits_until:
        return NextStep(Step.WAIT, reply, waits_until - now)
    if now - change.asked_at > GIVE_UP_AFTER_MS:
        return NextStep(Step.STOP, _refused(reply, change, NOT_IN_A_DAY))
    tried = replace(
        change,
        attempts=change.attempts + 1,
        attempt_until=now + ATTEMPT_DEADLINE_MS,
        next_attempt_at=None,
    )
    step = Step.EDIT if change.kind is ChangeKind.EDIT else Step.DELETE
    return NextStep(step, replace(reply, change=tried))


def changed_part(reply: Reply) -> tuple[Reply, str]:
    """Return the post that is to change now as its connector gets it, and its new text."""
    change = reply.change
    assert change is not None  # noqa: S101 - the step that led here has one
    index = _index(reply, change)
    text = change.texts[index] if change.texts else ""
    return part_at(reply, index), text


def _index(reply: Reply, change: Change) -> int:
    if change.kind is ChangeKind.EDIT:
        return change.done
    return max(0, reply.sent_parts - 1 - change.done)


def _posts(reply: Reply, change: Change) -> int:
    """Return how many posts the change is about."""
    return len(change.texts) if change.kind is ChangeKind.EDIT else max(1, reply.sent_parts)


def after_change(reply: Reply, outcome: Outcome, now: Instant) -> Reply:
    """Return the reply after the network answered an attempt to edit or delete a post of it."""
    change = reply.change
    assert change is not None  # noqa: S101 - an attempt was written down with it
    match outcome.certainty:
        case Certainty.SENT:
            return _post_changed(reply, change)
        case Certainty.REJECTED:
            return _refused(reply, change, outcome.reason)
        case _:
            return _change_again(reply, change, outcome, now)


def _post_changed(reply: Reply, change: Change) -> Reply:
    parts = reply.parts
    if change.kind is ChangeKind.EDIT and parts:
        index = _index(reply, change)
        said: Part = replace(parts[index], text=change.texts[index])
        parts = (*parts[:index], said, *parts[index + 1 :])
    done = change.done + 1
    going_on = replace(change, done=done, attempt_until=None, next_attempt_at=None, reason=None)
    changed = replace(reply, parts=parts, change=going_on)
    if done < _posts(reply, change):
        return changed
    text = reply.text if change.text is None else change.text
    return replace(changed, text=text, change=replace(going_on, state=ChangeState.DONE))


def _refused(reply: Reply, change: Change, reason: str | None) -> Reply:
    """Give a change up; the text shown is what the network has by now."""
    if reply.parts:
        which = f"part {_index(reply, change) + 1} of {len(reply.parts)}"
        reason = f"{which}: {reason}" if reason else which
    over = replace(
        change,
        state=ChangeState.REFUSED,
        attempt_until=None,
        next_attempt_at=None,
        reason=reason,
    )
    text = reply.text
    if change.kind is ChangeKind.EDIT and change.done:
        text = "\n\n".join(part.text for part in reply.parts)
    return replace(reply, text=text, change=over)


def _change_again(reply: Reply, change: Change, outcome: Outcome, now: Instant) -> Reply:
    """Wait twice as long after each attempt; one that may still arrive ends at its deadline."""
    age_ms = now - change.asked_at
    patience_ms = max(FIRST_RETRY_MS * 2 ** min(change.attempts, 10), age_ms // 4)
    delay_ms = max(min(LONGEST_RETRY_MS, patience_ms), outcome.wait_ms)
    later = replace(
        change,
        attempt_until=change.attempt_until if outcome.may_still_arrive else None,
        next_attempt_at=now + delay_ms,
        reason=outcome.reason,
    )
    return replace(reply, change=later)
