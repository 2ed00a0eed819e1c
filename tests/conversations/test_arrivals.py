"""What becomes of a conversation that comes into a workgroup which cannot serve it now."""

from dataclasses import replace

from conversations import commands as c
from conversations.lifecycle import Decision, decide
from conversations.model import Event, Ring
from tests.conversations.samples import NOW, OWNER, POLICY, QUEUED

RINGING = replace(POLICY, rings=(Ring(30, ("workgroup-3",)),))


def decided(conversation: object, command: c.Command, facts: c.Facts) -> Decision:
    decision = decide(conversation, command, facts, NOW)  # type: ignore[arg-type]
    assert isinstance(decision, Decision)
    return decision


def test_it_overflows_with_its_age_and_the_rings_of_where_it_waits() -> None:
    waiting = replace(QUEUED, preferred_agent_id=OWNER, preferred_until=NOW + 5, ring=2)
    facts = c.Facts(POLICY, entered_policy=RINGING)
    decision = decided(waiting, c.Overflow("workgroup-2", "closed"), facts)

    after = decision.conversation
    assert (after.workgroup_id, after.queued_at) == ("workgroup-2", QUEUED.queued_at)
    assert (after.preferred_agent_id, after.preferred_until) == (OWNER, NOW + 5)
    assert (after.ring, after.ring_since, after.ring_until) == (0, NOW, NOW + 30_000)
    detail: dict[str, object] = {
        "from_workgroup_id": "workgroup-1",
        "to_workgroup_id": "workgroup-2",
        "cause": "closed",
    }
    assert decision.events == (Event("conversation.transferred", None, detail),)


def test_an_automatic_reply_is_on_its_way_and_answers_nothing() -> None:
    decision = decided(QUEUED, c.AnswerByItself("reply-1"), c.Facts(POLICY))

    after = decision.conversation
    assert after == replace(QUEUED, unsettled_replies=1, version=QUEUED.version + 1)
    assert after.unanswered_count == QUEUED.unanswered_count
    (event,) = decision.events
    assert (event.type, event.agent_id) == ("reply.accepted", None)
    assert event.detail == {"reply_id": "reply-1", "is_automatic": True}
