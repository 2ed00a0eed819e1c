"""Every POST goes through here: its key, its effect and its answer are one commit."""

import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from api import errors
from api.auth import principal_of
from api.context import Context, context_of
from api.errors import Problem
from api.turns import StillTaken
from conversations.errors import ConversationError
from storage import idempotency, setup
from storage.idempotency import Remembered, StillRunning
from storage.journal import Aftermath

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
CONFLICT = 409
RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a transaction answers, and what follows its commit.

    The body of one that `is_secret` is not kept: its repetition is told that it was shown. What
    follows is done behind the answer; with `before_answering` that is done first, instead.
    """

    status: int
    body: dict[str, Any] | None
    aftermath: Aftermath = field(default_factory=Aftermath)
    is_secret: bool = False
    before_answering: Callable[[], Awaitable[None]] | None = None

    @property
    def is_kept(self) -> bool:
        return self.status // 100 == 2 or self.status == CONFLICT  # noqa: PLR2004 - success


Transaction = Callable[[Connection], Answer]


def refusal(
    request: Request,
    why: ConversationError | setup.SetUpRefusal,
    aftermath: Aftermath | None = None,
) -> Answer:
    """Return a refusal as an answer: what fell due before it is committed all the same."""
    return _answer_of(request, errors.refused(why), aftermath or Aftermath())


def _answer_of(request: Request, problem: Problem, aftermath: Aftermath) -> Answer:
    status = problem.status_code
    body = errors.body_of(request.scope, status, problem.code, problem.detail)
    return Answer(status, body, aftermath)


class Once:
    """Carries out one POST, once for each key."""

    def __init__(self, request: Request, context: Context, fingerprint: str) -> None:
        self.request = request
        self._context = context
        self._fingerprint = fingerprint
        self._principal_id = principal_of(request).id
        self._key = _key_of(request)

    def elapsed_ms(self) -> int:
        """Return how long ago the request was received."""
        received_at: float = self.request.state.received_at
        return int((time.monotonic() - received_at) * 1000)

    async def run(self, transaction: Transaction) -> Response:
        """Carry the transaction out in one commit with its key, and answer.

        Raises:
            Problem: 409 while a command with the same key runs, 422 when the key was another's.
        """
        if self._key is None:
            return await self._finish(await self._write(self._without_key(transaction)))
        try:
            async with self._context.turns.turn((self._principal_id, self._key)):
                done = await self._write(self._with_key(transaction))
        except (StillTaken, StillRunning) as error:
            raise in_progress() from error
        return await self._finish(done)

    async def run_in_parts(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """Carry out what takes several commits and does no harm when repeated; keep its answer."""
        if self._key is None:
            return self._respond(await work())
        key = self._key
        try:
            async with self._context.turns.turn((self._principal_id, key)):
                known = await self._context.database.read(
                    lambda k: idempotency.remembered(k, self._principal_id, key)
                )
                if known is not None:
                    return self._respond(self._replay(known), is_replay=True)
                answer = await work()
                return await self._finish(await self._write(self._with_key(lambda _: answer)))
        except (StillTaken, StillRunning) as error:
            raise in_progress() from error

    async def _write(self, work: Callable[[Connection], "Done"]) -> "Done":
        return await self._context.database.write(work)

    def _without_key(self, transaction: Transaction) -> Callable[[Connection], "Done"]:
        return lambda connection: Done(self._attempt(connection, transaction))

    def _with_key(self, transaction: Transaction) -> Callable[[Connection], "Done"]:
        principal_id, key = self._principal_id, self._key or ""

        def work(connection: Connection) -> Done:
            known = idempotency.claim(connection, principal_id, key, self._fingerprint)
            if known is not None:
                return Done(self._replay(known), is_replay=True)
            answer = self._attempt(connection, transaction)
            kept = None if answer.is_secret else answer.body
            idempotency.remember(connection, principal_id, key, answer.status, kept)
            return Done(answer)

        return work

    def _attempt(self, connection: Connection, transaction: Transaction) -> Answer:
        """Turn a refusal that was thrown before anything was written into an answer to keep."""
        try:
            answer = transaction(connection)
        except (ConversationError, setup.SetUpRefusal) as why:
            problem = errors.refused(why)
        except Problem as thrown:
            problem = thrown
        else:
            return answer
        if problem.status_code != CONFLICT:
            raise problem
        return _answer_of(self.request, problem, Aftermath())

    def _replay(self, known: Remembered) -> Answer:
        if known.fingerprint != self._fingerprint:
            raise Problem(
                422,
                "idempotency_key_reused",
                "the key was used before with another path or another body",
            )
        if known.status is None:
            raise in_progress()
        if known.status == 201 and known.body is None:  # noqa: PLR2004 - only secrets are kept so
            raise Problem(409, "key_already_shown", "the key was created and is shown only once")
        return Answer(known.status, known.body)

    async def _finish(self, done: "Done") -> Response:
        if done.answer.before_answering is None:
            self._context.following.follow_later(done.answer.aftermath)
        else:
            await done.answer.before_answering()
        return self._respond(done.answer, is_replay=done.is_replay)

    def _respond(self, answer: Answer, *, is_replay: bool = False) -> Response:
        headers = {REPLAYED: "true"} if is_replay else {}
        if answer.body is None:
            return Response(status_code=answer.status, headers=headers)
        if answer.status == CONFLICT:
            return JSONResponse(answer.body, CONFLICT, headers, errors.MEDIA_TYPE)
        if answer.status == 201 and "version" in answer.body:  # noqa: PLR2004 - created
            headers["ETag"] = f'"{answer.body["version"]}"'
        return JSONResponse(answer.body, answer.status, headers)


@dataclass(frozen=True, slots=True)
class Done:
    answer: Answer
    is_replay: bool = False


def in_progress() -> Problem:
    return Problem(
        CONFLICT,
        "command_in_progress",
        "a command with the same key is still being carried out",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _key_of(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not VISIBLE.fullmatch(key):
        where = ["header", HEADER]
        raise errors.unprocessable(
            "idempotency_key_malformed", where, "1 to 255 visible characters"
        )
    return key


async def once(request: Request) -> Once:
    """Return what carries this request out, once for its key.

    The fingerprint is taken of the body as it came.
    """
    body = hashlib.sha256(await request.body()).hexdigest()
    said = json.dumps([request.method, request.url.path, body])
    return Once(request, context_of(request), hashlib.sha256(said.encode()).hexdigest())


Carried = Annotated[Once, Depends(once)]
