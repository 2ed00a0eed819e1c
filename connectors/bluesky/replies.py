"""Speaks on Bluesky: one record key for every attempt, and a look at it before any repetition."""

import time
from collections import OrderedDict
from typing import Any

import httpx

from connectors.bluesky.calls import BlueskyCalls, Session, pause_s, read_from, told
from connectors.bluesky.pictures import embed_of
from connectors.bluesky.wire import (
    LONGEST_URI,
    POST,
    convo_id_of,
    facets_of,
    parts_of,
    record_key,
    record_of,
    web_url,
)
from connectors.calls import HTTP_SERVER_ERROR, HTTP_TOO_MANY, Answer, outcome_of_failure
from connectors.fields import instant, mapping, sequence, words
from connectors.patience import Busy
from connectors.uploading import NotUploaded
from conversations.model import Instant, Visibility
from conversations.networks import Account, NetworkTrouble
from conversations.replies import Certainty, Outcome, Reply

ACCESS_PAUSE_S = 30.0
NOT_YET_SEEN_MS = 120_000
"""A post may be known by the stream before it is known to those who are asked about it."""

CLOCK_SKEW_MS = 60_000
MOST_CHAT_PAGES = 5
MOST_REMEMBERED = 2_000
_RECORD = "com.atproto.repo.getRecord"
_REFUSED = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended", "InvalidToken"})
_UNAUTHORISED = frozenset({401, 403})
_REQUEST_TIMEOUT, _UNAVAILABLE = 408, 503


class Unanswerable(Exception):
    """What was to be answered cannot be, for good."""


class BlueskyReplies:
    """Publishes, finds and deletes the brand's posts and messages."""

    def __init__(self, calls: BlueskyCalls) -> None:
        self._calls = calls
        self._sent: OrderedDict[str, str] = OrderedDict()

    async def publish(self, account: Account, reply: Reply) -> Outcome:
        is_private = reply.visibility is Visibility.PRIVATE
        try:
            if is_private:
                return await self._say(account, reply)
            return await self._put(account, reply)
        except Unanswerable as reason:
            return await self._unless_there(account, reply, str(reason))
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except Busy as busy:
            return Outcome(
                Certainty.NOT_ACCEPTED, reason=str(busy), retry_after_s=busy.retry_after_s
            )
        except NetworkTrouble as trouble:
            # Before the record is written nothing can have happened.
            return Outcome(Certainty.NOT_ACCEPTED, reason=str(trouble))

    async def _unless_there(self, account: Account, reply: Reply, reason: str) -> Outcome:
        """Refuse for good, if an earlier attempt has not been accepted after all."""
        refused = Outcome(Certainty.REJECTED, reason=reason)
        if reply.attempts <= 1:
            return refused
        found = await self.look_up(account, reply)
        return refused if found.certainty is Certainty.NOT_ACCEPTED else found

    async def _put(self, account: Account, reply: Reply) -> Outcome:
        session = await self._calls.session(account)
        refs = await self._refs(account, session, reply)
        try:
            embed = await embed_of(self._calls, account, reply)
        except NotUploaded as missing:
            return missing.outcome
        body = {
            "repo": session.ours.did,
            "collection": POST,
            "rkey": record_key(reply),
            "record": record_of(reply, refs, embed),
            "swapRecord": None,  # never over another record; the same one again is no change
        }
        answer = await self._calls.send(account, "POST", "com.atproto.repo.putRecord", json=body)
        if answer.status // 100 == 2:  # noqa: PLR2004 - the class of success
            return _found_record(answer)
        if answer.json.get("error") == "InvalidSwap":
            return Outcome(Certainty.MAYBE, reason="a record of this key is there already")
        outcome = _refusal(answer)
        if outcome.certainty is Certainty.REJECTED:
            return await self._unless_there(account, reply, outcome.reason or "")
        return outcome

    async def _refs(
        self, account: Account, session: Session, reply: Reply
    ) -> dict[str, Any] | None:
        """Return what is answered and the beginning of its thread, each with its content's hash."""
        uri = reply.in_reply_to
        if uri is None or not uri.startswith("at://"):
            return None
        parts = parts_of(uri)
        if parts is None or parts[1] != POST:
            raise Unanswerable("a like or a repost cannot be answered in public")
        parent = await self._ref(account, session, uri, reply)
        root = mapping(mapping(mapping(parent.pop("value")).get("reply")).get("root"))
        root_uri, root_cid = words(root.get("uri"), LONGEST_URI), words(root.get("cid"), 200)
        if root_uri and root_cid:
            return {"root": {"uri": root_uri, "cid": root_cid}, "parent": parent}
        return {"root": parent, "parent": parent}

    async def _ref(
        self, account: Account, session: Session, uri: str, reply: Reply
    ) -> dict[str, Any]:
        """Look a post up: our own where it was written, others' where all are read."""
        parts = parts_of(uri)
        if parts is not None and parts[0] == session.ours.did:
            answer = await self._record(account, *parts)
            if answer.status == 200:  # noqa: PLR2004
                body = read_from(answer, _RECORD)
                if cid := words(body.get("cid"), 200):
                    return {"uri": uri, "cid": cid, "value": body.get("value")}
            elif not _is_absent(answer):
                raise NetworkTrouble(f"{_RECORD} was answered {told(answer)}")
        else:
            page = await self._calls.read(account, "app.bsky.feed.getPosts", uris=[uri])
            for view in map(mapping, sequence(page.get("posts"))):
                if view.get("uri") == uri and (cid := words(view.get("cid"), 200)):
                    return {"uri": uri, "cid": cid, "value": view.get("record")}
        if _now_ms() - reply.created_at < NOT_YET_SEEN_MS:
            raise Busy(ACCESS_PAUSE_S)
        raise Unanswerable("the post that is answered is not there any more")

    async def _record(self, account: Account, repo: str, collection: str, rkey: str) -> Answer:
        params = {"repo": repo, "collection": collection, "rkey": rkey}
        try:
            answer = await self._calls.send(account, "GET", _RECORD, params=params)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{_RECORD} did not answer: {type(error).__name__}") from error
        if answer.status == HTTP_TOO_MANY:
            raise Busy(pause_s(answer))
        return answer

    async def look_up(self, account: Account, reply: Reply) -> Outcome:
        """Ask the server that keeps what was said: what it does not have is not there."""
        try:
            if reply.visibility is Visibility.PRIVATE:
                return await self._look_up_message(account, reply)
            return await self._look_up_record(account, reply)
        except Busy as busy:
            return Outcome(Certainty.MAYBE, reason=str(busy), retry_after_s=busy.retry_after_s)
        except (NetworkTrouble, Unanswerable) as trouble:
            return Outcome(Certainty.MAYBE, reason=f"look-up failed: {trouble}")

    async def _look_up_record(self, account: Account, reply: Reply) -> Outcome:
        session = await self._calls.session(account)
        answer = await self._record(account, session.ours.did, POST, record_key(reply))
        if answer.status == 200:  # noqa: PLR2004
            if mapping(answer.json.get("value")).get("text") not in (reply.text, None):
                return Outcome(Certainty.MAYBE, reason="another record has this key")
            return _found_record(answer)
        if _is_absent(answer):
            return Outcome(Certainty.NOT_ACCEPTED, reason="the network does not have it")
        return Outcome(Certainty.MAYBE, reason=f"the look-up was answered {told(answer)}")

    async def _convo_id(self, account: Account, reply: Reply) -> str:
        if known := convo_id_of(reply.in_reply_to):
            return known
        name = "chat.bsky.convo.getConvoForMembers"
        members = {"members": [reply.to_external_id]}
        try:
            answer = await self._calls.send(account, "GET", name, is_chat=True, params=members)
        except httpx.HTTPError as error:
            raise NetworkTrouble(f"{name} did not answer: {type(error).__name__}") from error
        if answer.status == HTTP_TOO_MANY:
            raise Busy(pause_s(answer))
        if answer.status == 400:  # noqa: PLR2004
            raise Unanswerable(f"no conversation can be opened: {_reason(answer)}")
        convo_id = words(mapping(answer.json.get("convo")).get("id"), 100)
        if answer.status != 200 or convo_id is None:  # noqa: PLR2004
            raise NetworkTrouble(f"{name} was answered {told(answer)}")
        return convo_id

    async def _say(self, account: Account, reply: Reply) -> Outcome:
        convo_id = await self._convo_id(account, reply)
        message: dict[str, Any] = {"text": reply.text}
        if facets := facets_of(reply.text, reply.to_handle, reply.to_external_id):
            message["facets"] = facets
        body = {"convoId": convo_id, "message": message}
        name = "chat.bsky.convo.sendMessage"
        answer = await self._calls.send(account, "POST", name, is_chat=True, json=body)
        if answer.status // 100 == 2:  # noqa: PLR2004 - the class of success
            if message_id := words(answer.json.get("id"), 100):
                return self._said(convo_id, message_id, reply)
            return Outcome(Certainty.MAYBE, reason="the network named no message")
        if answer.status == _UNAVAILABLE:  # no key folds two of them: it has to be looked for
            return Outcome(Certainty.MAYBE, reason=f"the network answered {told(answer)}")
        return _refusal(answer)

    def _said(self, convo_id: str, message_id: str, reply: Reply) -> Outcome:
        external_id = f"{convo_id}:{message_id}"
        self._sent[external_id] = reply.id
        while len(self._sent) > MOST_REMEMBERED:
            self._sent.popitem(last=False)
        return Outcome(Certainty.SENT, external_id)

    async def _look_up_message(self, account: Account, reply: Reply) -> Outcome:
        """Look through the conversation since the first attempt, by author and words."""
        convo_id = await self._convo_id(account, reply)
        session = await self._calls.session(account)
        since = reply.tried_since - CLOCK_SKEW_MS
        bound: dict[str, str] = {}
        for _ in range(MOST_CHAT_PAGES):
            page = await self._calls.read(
                account,
                "chat.bsky.convo.getMessages",
                is_chat=True,
                convoId=convo_id,
                limit=100,
                **bound,
            )
            messages = page.get("messages")
            if not isinstance(messages, list):
                raise NetworkTrouble("chat.bsky.convo.getMessages gave no messages")
            for message in map(mapping, messages):
                message_id = words(message.get("id"), 100)
                sent_at = instant(message.get("sentAt"))
                if sent_at is not None and sent_at < since:
                    return _ABSENT
                if message_id and self._is_the_message(session, convo_id, message, reply):
                    return self._said(convo_id, message_id, reply)
            cursor = words(page.get("cursor"), 1_000)
            if cursor is None or not messages:
                return _ABSENT
            bound = {"cursor": cursor}
        return Outcome(Certainty.MAYBE, reason="too much was said since to look through")

    def _is_the_message(
        self, session: Session, convo_id: str, message: dict[str, Any], reply: Reply
    ) -> bool:
        if mapping(message.get("sender")).get("did") != session.ours.did:
            return False
        known = self._sent.get(f"{convo_id}:{message.get('id')}", reply.id)
        text = message.get("text")
        is_same = isinstance(text, str) and text.strip() == reply.text.strip()
        return is_same and known == reply.id

    async def delete(self, account: Account, reply: Reply) -> Outcome:
        parts = parts_of(reply.external_id or "")
        if parts is None:
            return Outcome(Certainty.REJECTED, reason="a message stays with who received it")
        body = {"repo": parts[0], "collection": parts[1], "rkey": parts[2]}
        name = "com.atproto.repo.deleteRecord"
        try:
            answer = await self._calls.send(account, "POST", name, json=body)
        except httpx.HTTPError as error:
            return outcome_of_failure(error)
        except Busy as busy:
            return Outcome(
                Certainty.NOT_ACCEPTED, reason=str(busy), retry_after_s=busy.retry_after_s
            )
        except NetworkTrouble as trouble:
            return Outcome(Certainty.NOT_ACCEPTED, reason=str(trouble))
        if answer.status == 200 and _is_object(answer):  # noqa: PLR2004
            return Outcome(Certainty.SENT, reply.external_id)
        return _refusal(answer)


_ABSENT = Outcome(
    Certainty.NOT_ACCEPTED, reason="the network does not have it", visible_within_ms=5_000
)


def _found_record(answer: Answer) -> Outcome:
    """Take the named record for proof; anything else says nothing."""
    uri = words(answer.json.get("uri"), LONGEST_URI)
    if uri is None or not uri.startswith("at://"):
        return Outcome(Certainty.MAYBE, reason="the network named no record")
    return Outcome(Certainty.SENT, uri, web_url(uri))


def _refusal(answer: Answer) -> Outcome:
    """Say what any answer but success means."""
    status, error = answer.status, answer.json.get("error")
    reason = f"the network answered {_reason(answer)}"
    if status == HTTP_TOO_MANY:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=pause_s(answer))
    if status in _UNAUTHORISED or error in _REFUSED:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=ACCESS_PAUSE_S)
    if status == _UNAVAILABLE:
        return Outcome(Certainty.NOT_ACCEPTED, reason=reason, retry_after_s=answer.retry_after_s)
    if 400 <= status < HTTP_SERVER_ERROR and status != _REQUEST_TIMEOUT:  # noqa: PLR2004
        return Outcome(Certainty.REJECTED, reason=reason)
    return Outcome(Certainty.MAYBE, reason=reason, retry_after_s=answer.retry_after_s)


def _reason(answer: Answer) -> str:
    message = words(answer.json.get("message"), 500)
    return f"{told(answer)}: {message}" if message else told(answer)


def _is_absent(answer: Answer) -> bool:
    return answer.status == 400 and answer.json.get("error") == "RecordNotFound"  # noqa: PLR2004


def _is_object(answer: Answer) -> bool:
    return answer.body.strip().startswith(b"{") and answer.body.strip().endswith(b"}")


def _now_ms() -> Instant:
    return time.time_ns() // 1_000_000
