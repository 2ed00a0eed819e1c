"""What a call that publishes came to, and whether a reply is among what an account said."""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from connectors.calls import Answer, outcome_of_failure
from connectors.meta.graph import ACCESS_PAUSE_S, NO_ACCESS, Graph, Meaning, NoAccess, Refusal
from connectors.meta.spoken import Spoken
from connectors.meta.values import identifier
from conversations.model import Instant
from conversations.replies import Certainty, Outcome, Reply

SKEW_MS = 2_000
"""So far the clocks of Meta and of the database may be apart."""
VISIBLE_WITHIN_MS = 60_000
"""What was accepted is in the lists after so long at most."""

_ALREADY_REPLIED = 10_900
_ALREADY_SAID = 368
_SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the account itself said, as a list has it."""

    external_id: str
    text: str
    at: Instant
    url: str | None = None


async def attempted(graph: Graph, path: str, **fields: str) -> Answer | Outcome:
    """Make one attempt; an outcome instead of an answer says what its absence means."""
    try:
        return await graph.post(path, **fields)
    except httpx.HTTPError as error:
        return outcome_of_failure(error)
    except NoAccess:
        return no_access()


def no_access() -> Outcome:
    return Outcome(Certainty.NOT_ACCEPTED, reason=NO_ACCESS, retry_after_s=ACCESS_PAUSE_S)


def outcome_of(graph: Graph, answer: Answer | Outcome, name: str, reply: Reply) -> Outcome:
    """Say what is known after an attempt; the field `name` of the answer is the proof."""
    if isinstance(answer, Outcome):
        return answer
    external_id = identifier(answer.json.get(name))
    if answer.status // 100 == 2 and external_id is not None:  # noqa: PLR2004
        return Outcome(Certainty.SENT, external_id)
    return refusal_of(graph.meaning(answer), reply)


def refusal_of(meaning: Meaning, reply: Reply) -> Outcome:
    reason = f"the network answered {meaning.reason}"
    match meaning.refusal:
        case Refusal.LIMITED | Refusal.UNAVAILABLE:
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=meaning.pause_s)
        case Refusal.ACCESS:
            return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
        case Refusal.UNKNOWN:
            return Outcome(Certainty.MAYBE, reason=reason)
        case Refusal.PERSON:
            reason = f"the person takes no messages from this account now ({meaning.reason})"
    if meaning.code in (_ALREADY_REPLIED, _ALREADY_SAID) and reply.attempts > 1:
        # What is said already may be what an earlier attempt said.
        return Outcome(Certainty.MAYBE, reason=reason)
    if meaning.code == _ALREADY_REPLIED:
        reason = f"there is one private reply to a comment, and it was made ({meaning.reason})"
    return Outcome(Certainty.REJECTED, reason=reason)


def message_of(reply: Reply, *, has_metadata: bool) -> str:
    """Return the message as the Send API takes it; its metadata comes back with the echo."""
    message = {"text": reply.text}
    if has_metadata:
        message["metadata"] = reply.id
    return json.dumps(message, ensure_ascii=False)


def since_of(reply: Reply) -> Instant:
    """Return the earliest moment that the reply can bear: networks tell times in whole seconds."""
    return (reply.tried_since - SKEW_MS) // _SECOND_MS * _SECOND_MS


def found_among(said: Iterable[Said], reply: Reply, text: str, spoken: Spoken) -> Said | None:
    """Return the reply if it is there: its words, not too early, and no other reply's."""
    wanted, since = _bare(text), since_of(reply)
    known = [
        one
        for one in said
        if one.at >= since
        and _bare(one.text) == wanted
        and not spoken.is_anothers(one.external_id, reply.id)
    ]
    return min(known, key=lambda one: one.at, default=None)


def _bare(text: str) -> str:
    """Let blanks and ways to write one letter make no difference: networks tidy both up."""
    return " ".join(unicodedata.normalize("NFC", text).split())
