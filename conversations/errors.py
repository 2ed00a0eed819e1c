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
        fact = f"belongs to agent {owner_id}, not to" if owner_id else "has no owner, so not"
        super().__init__(f"the conversation {fact} agent {agent_id}")


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


class OverrideNeedsSupervisor(ConversationError):
    """Only a supervisor may put a conversation on top of an agent's capacity."""

    def __init__(self, agent_id: str) -> None:
        super().__init__(
            f"agent {agent_id} gets a conversation over capacity only from a supervisor"
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


class ReplyTooLong(ConversationError):
    """More words than the network takes, in as many posts as it may become."""

    def __init__(self, count: int, limit: str, why: str) -> None:
        super().__init__(f"the text counts {count}, the network takes {limit}: {why}")


class AttachmentsNotTaken(ConversationError):
    """A file that the network does not carry, or not with the others."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} cannot go with the reply: {why}")


class VisibilityNotSpoken(ConversationError):
    """The network has no private messages, or no public posts, or takes no answers at all."""

    def __init__(self, network: str, visibility: str) -> None:
        super().__init__(f"the reply is {visibility}, and {network} takes no {visibility} replies")


class UndoWindowOver(ConversationError):
    """A reply that may have left cannot be taken back like one that waits."""

    def __init__(self, reply_id: str, state: str) -> None:
        super().__init__(f"reply {reply_id} is {state} and its undo window is over")


class CannotChangeReply(ConversationError):
    """A reply that cannot be edited or deleted, or not now."""

    def __init__(self, reply_id: str, kind: str, why: str) -> None:
        super().__init__(f"{kind} of reply {reply_id} is refused: {why}")


class CannotMerge(ConversationError):
    """Two conversations that must not become one."""

    def __init__(self, source_id: str, target_id: str, why: str) -> None:
        super().__init__(f"conversation {source_id} cannot be merged into {target_id}: {why}")


class CannotUnmerge(ConversationError):
    """A merge that cannot be taken back any more."""

    def __init__(self, source_id: str, target_id: str | None, why: str) -> None:
        super().__init__(f"conversation {source_id} cannot come back from {target_id}: {why}")


class CannotSplit(ConversationError):
    """A split has to move some posts and to leave some."""

    def __init__(self, conversation_id: str, moved: int, there: int) -> None:
        super().__init__(
            f"{moved} of the {there} posts of conversation {conversation_id} were to move:"
            " at least one has to, and at least one has to stay"
        )


class UnknownPosts(ConversationError):
    """Posts that were named are not in the conversation."""

    def __init__(self, conversation_id: str, post_ids: list[str]) -> None:
        super().__init__(f"not in conversation {conversation_id}: {', '.join(post_ids)}")


class CannotConsult(ConversationError):
    """Somebody who cannot be asked for advice now."""

    def __init__(self, agent_id: str, why: str) -> None:
        super().__init__(f"agent {agent_id} cannot be consulted: {why}")


class WrapUpCodeRequired(ConversationError):
    """The workgroup wants to know how the conversation ended."""

    def __init__(self, conversation_id: str, allowed: str) -> None:
        super().__init__(f"conversation {conversation_id} needs a wrap-up code: {allowed}")


class UnknownWrapUpCode(ConversationError):
    """The workgroup has a list of wrap-up codes, and this is not among them."""

    def __init__(self, code: str, allowed: str) -> None:
        super().__init__(f"wrap-up code {code} is not one of the workgroup's: {allowed}")
