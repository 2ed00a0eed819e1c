"""Refusals: what Parley will not do, each with a stable code and both facts in its message."""

import re


class ConversationError(Exception):
    """A command that is understood and refused; the API answers 409 with `code`."""

    @property
    def code(self) -> str:
        """The class name in snake_case; clients may rely on it."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class IllegalTransition(ConversationError):
    """The command does not apply in the conversation's present state."""

    def __init__(self, command: str, state: str) -> None:
        super().__init__(f"{command} is not possible while the conversation is {state}")


class NotYourConversation(ConversationError):
    """Somebody else owns the conversation, or it is offered to somebody else."""

    def __init__(self, agent_id: str | None, owner_id: str | None) -> None:
        held_by = f"belongs to agent {owner_id}" if owner_id else "has no owner"
        super().__init__(f"the conversation {held_by}, not to agent {agent_id}")


class ConversationEnded(ConversationError):
    """Nothing more can be done with an ended conversation."""

    def __init__(self, command: str, state: str) -> None:
        super().__init__(f"{command} came after the end: the conversation is {state}")


class ConversationHeld(ConversationError):
    """A held conversation is not answered; it has to be resumed first."""

    def __init__(self, command: str) -> None:
        super().__init__(f"{command} is refused while the conversation is held: resume it first")


class OfferExpired(ConversationError):
    """The offer named by the command is not open any more."""

    def __init__(self, offer_id: str, reason: str) -> None:
        super().__init__(f"offer {offer_id} is not open any more: {reason}")


class AgentAtCapacity(ConversationError):
    """The agent has not enough room for one more conversation."""

    def __init__(self, agent_id: str, load_percent: int, weight_percent: int) -> None:
        super().__init__(
            f"agent {agent_id} is at {load_percent} % and this conversation takes"
            f" {weight_percent} % or exceeds a maximum count"
        )


class AgentNotEligible(ConversationError):
    """The agent may not get this conversation; the message lists every reason."""

    def __init__(self, agent_id: str, reasons: str) -> None:
        super().__init__(f"agent {agent_id} may not get this conversation: {reasons}")


class CannotInitiateDirectMessage(ConversationError):
    """A private message to somebody who never wrote in private."""

    def __init__(self, network: str, customer: str) -> None:
        super().__init__(
            f"customer {customer} never wrote in private, and {network} forbids the first word"
        )


class PublicAnswerToPrivateConversation(ConversationError):
    """A private conversation is answered in public only when this is confirmed."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(
            f"conversation {conversation_id} is private and the reply is public:"
            " repeat it with confirm_public true if that is meant"
        )


class UnknownReplyTarget(ConversationError):
    """The post to reply to is not in the conversation."""

    def __init__(self, in_reply_to: str, conversation_id: str) -> None:
        super().__init__(f"post {in_reply_to} is not in conversation {conversation_id}")


class ReplySettled(ConversationError):
    """Only a reply that needs a human can be resolved by one."""

    def __init__(self, reply_id: str, state: str) -> None:
        super().__init__(f"reply {reply_id} is {state}, not needs_human: nothing is to be resolved")
