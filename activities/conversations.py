"""What a conversation's workflow does with its row."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports import Conversations
from conversations.messages import CancelConversation, Snapshot, SyncConversation


@dataclass(frozen=True)
class ConversationActivities:
    conversations: Conversations

    @activity.defn
    async def sync(self, request: SyncConversation) -> Snapshot:
        """Let happen what is due and return what is; running it again does no harm."""
        snapshot = await self.conversations.sync(request.conversation_id)
        return self._seen(snapshot, request.conversation_id, request.run_id)

    @activity.defn
    async def cancel(self, request: CancelConversation) -> Snapshot:
        """End the conversation because its workflow was cancelled."""
        snapshot = await self.conversations.cancel(request.conversation_id, request.cause)
        return self._seen(snapshot, request.conversation_id, activity.info().workflow_run_id or "")

    def _seen(self, snapshot: Snapshot | None, conversation_id: str, run_id: str) -> Snapshot:
        if snapshot is None:
            message = f"there is no conversation {conversation_id} in the database"
            raise ApplicationError(message, type="ConversationUnknown", non_retryable=True)
        self.conversations.note_seen(snapshot.conversation_id, snapshot.version, run_id)
        return snapshot
