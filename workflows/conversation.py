"""The life of one conversation: its clock and its hands; its state is the row."""

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.conversations import ConversationActivities
    from activities.replies import ReplyActivities
    from conversations.messages import (
        BellRung,
        CancelConversation,
        ConversationEnd,
        ConversationStart,
        SendReplies,
        Shown,
        Snapshot,
        SyncConversation,
    )
    from workflows.addresses import replies_queue

STATE = SearchAttributeKey.for_keyword("ParleyState")
WORKGROUP = SearchAttributeKey.for_keyword("ParleyWorkgroup")
AGENT = SearchAttributeKey.for_keyword("ParleyAgent")

SYNC_TIMEOUT = timedelta(seconds=20)
SYNC_ONCE = RetryPolicy(maximum_attempts=1)
"""A bell makes one attempt: a local activity that fails for good would fail the workflow."""

ASK_AGAIN_AFTER = timedelta(seconds=5)
ATTEMPT_TIMEOUT = timedelta(minutes=10)
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
SEND_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
)
SHORTEST_WAIT = timedelta(milliseconds=20)
CANCELLED = "workflow_cancelled"


@workflow.defn(name="Conversation")
class ConversationWorkflow:
    """Waits for bells and deadlines, sends the replies, and ends when both are done.

    It carries ids and moments only. Bells may come twice, late, in any order or not at all: each
    only makes it look at the row, and of two snapshots the higher version wins.
    """

    @workflow.init
    def __init__(self, start: ConversationStart) -> None:
        self._id = start.conversation_id
        self._network = start.network
        self._snapshot: Snapshot | None = None
        self._rung = True
        self._sending: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: int | None = None
        self._shown = _shown_at_the_start()
        self._last_bell = BellRung("started", 0)

    @workflow.run
    async def run(self, start: ConversationStart) -> ConversationEnd:
        while True:
            try:
                return await self._live(start)
            except BaseException as error:
                if not is_cancelled_exception(error):
                    raise
                await self._end_by_operator()

    async def _live(self, start: ConversationStart) -> ConversationEnd:
        while not self._is_over():
            await self._sync()
            self._start_sending()
            self._set_alarm()
            await self._wait_for_a_bell()
            self._continue_as_new_if_long(start)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._end()

    @workflow.signal
    def post_received(self, bell: BellRung) -> None:
        self._ring(bell)

    @workflow.signal
    def offered(self, bell: BellRung) -> None:
        self._ring(bell)

    @workflow.signal
    def commanded(self, bell: BellRung) -> None:
        self._ring(bell)

    @workflow.signal
    def nudged(self, bell: BellRung) -> None:
        self._ring(bell)

    @workflow.query
    def describe(self) -> dict[str, object]:
        """Tell what the workflow knows and waits for."""
        return {
            "conversation_id": self._id,
            "snapshot": self._snapshot,
            "is_sending": self._is_sending(),
            "alarm_at": _moment(self._alarm_at),
            "last_bell": self._last_bell,
        }

    def _ring(self, bell: BellRung) -> None:
        self._last_bell = bell
        if self._snapshot is None or bell.version > self._snapshot.version or bell.version == 0:
            self._rung = True

    def _is_over(self) -> bool:
        """Whether the conversation has ended and no reply is on its way."""
        return self._snapshot is not None and self._snapshot.is_over and not self._is_sending()

    def _is_sending(self) -> bool:
        return self._sending is not None and not self._sending.done()

    async def _sync(self) -> None:
        """Look at the row; what is due happens there. A failure is asked about again later."""
        self._rung = False
        request = SyncConversation(self._id, workflow.info().run_id)
        try:
            seen = await workflow.execute_local_activity_method(
                ConversationActivities.sync,
                request,
                start_to_close_timeout=SYNC_TIMEOUT,
                retry_policy=SYNC_ONCE,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            _require_known(error)
            workflow.logger.warning("sync failed, asking again", extra={"conversation": self._id})
            self._ring_at(0, ASK_AGAIN_AFTER)
            return
        self._take(seen)

    def _take(self, seen: Snapshot) -> None:
        if self._snapshot is None or seen.version >= self._snapshot.version:
            self._snapshot = seen
            self._show(seen)

    def _show(self, seen: Snapshot) -> None:
        """Tell operators in the Temporal web UI what the conversation is doing."""
        replies = (
            f", {seen.unsettled_replies} replies on their way" if seen.unsettled_replies else ""
        )
        agent = f" with agent `{seen.agent_id}`" if seen.agent_id else ""
        workflow.set_current_details(
            f"**{seen.state}**{agent} in workgroup `{seen.workgroup_id}`{replies}\n\n"
            f"version {seen.version}, next deadline {_moment(seen.alarm_at) or 'none'}"
        )
        if seen.shown == self._shown:
            return
        self._shown = seen.shown
        workflow.upsert_search_attributes(
            [
                STATE.value_set(seen.state),
                WORKGROUP.value_set(seen.workgroup_id),
                AGENT.value_set(seen.agent_id) if seen.agent_id else AGENT.value_unset(),
            ]
        )

    def _start_sending(self) -> None:
        """Send in the background, on the network's own queue: a slow reply stops no deadline."""
        if self._is_sending() or self._snapshot is None:
            return
        if self._snapshot.has_replies_to_send:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            await workflow.execute_activity_method(
                ReplyActivities.send_replies,
                SendReplies(self._id, self._network),
                task_queue=replies_queue(self._network),
                start_to_close_timeout=ATTEMPT_TIMEOUT,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=SEND_RETRY,
                summary="replies",
            )
        finally:
            self._rung = True

    def _set_alarm(self) -> None:
        """Wait for the next deadline; the wait is measured on the database's clock alone."""
        seen = self._snapshot
        if seen is not None and seen.alarm_at is not None:
            self._ring_at(seen.alarm_at, timedelta(milliseconds=seen.alarm_at - seen.read_at))

    def _ring_at(self, at: int, wait: timedelta) -> None:
        """Keep one timer, moved only to an earlier moment; ringing too early does no harm."""
        if self._alarm is not None and not self._alarm.done():
            if self._alarm_at is not None and self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring_after(max(SHORTEST_WAIT, wait)))

    async def _ring_after(self, wait: timedelta) -> None:
        await workflow.sleep(wait, summary="next deadline")
        self._alarm_at = None
        self._rung = True

    async def _wait_for_a_bell(self) -> None:
        await workflow.wait_condition(lambda: self._rung or self._is_over())

    def _continue_as_new_if_long(self, start: ConversationStart) -> None:
        """Start afresh when the history is long; the id is all there is to carry."""
        if self._is_sending() or self._is_over():
            return
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(start)

    async def _end_by_operator(self) -> None:
        """End the conversation of a cancelled workflow, again and again until it holds."""
        ended = await workflow.execute_activity_method(
            ConversationActivities.cancel,
            CancelConversation(self._id, CANCELLED),
            start_to_close_timeout=SYNC_TIMEOUT,
            retry_policy=SEND_RETRY,
            summary="end by operator",
        )
        self._take(ended)
        self._rung = True

    def _end(self) -> ConversationEnd:
        seen = self._snapshot
        assert seen is not None  # noqa: S101 - the loop ends only with a snapshot
        return ConversationEnd(self._id, seen.state, seen.ended_by, seen.version)


def _shown_at_the_start() -> Shown | None:
    """Return what whoever started the workflow shows already.

    A run that continues another inherits the other's search attributes and shows its own, as it
    did before the first ones were given at the start.
    """
    info = workflow.info()
    given = info.typed_search_attributes
    state, workgroup_id = given.get(STATE), given.get(WORKGROUP)
    if info.continued_run_id is not None or state is None or workgroup_id is None:
        return None
    return Shown(state, workgroup_id, given.get(AGENT))


def _require_known(error: ActivityError) -> None:
    """Fail the workflow of a conversation that the database does not have.

    Raises:
        ApplicationError: the row is gone, as after the restoration of an older backup.
    """
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == "ConversationUnknown":
        raise cause


def _moment(instant: int | None) -> str | None:
    if not instant:
        return None
    return datetime.fromtimestamp(instant / 1000, tz=UTC).isoformat(timespec="milliseconds")
