"""The tables that only reports read; each row is written in the commit that it tells of."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.columns import moment


class EndedOfferRow(SQLModel, table=True):
    """One offer to one agent and what became of it; written when it ended."""

    __tablename__ = "ended_offers"
    __table_args__ = (
        Index("ended_offers_of_a_workgroup", "workgroup_id", "ended_at"),
        Index("ended_offers_by_their_end", "ended_at"),
    )
    offer_id: str = Field(primary_key=True)
    conversation_id: str = Field(foreign_key="conversations.id")
    workgroup_id: str
    agent_id: str
    media_type: str
    began_at: int = moment()
    ended_at: int = moment()
    outcome: str


class FirstReplyRow(SQLModel, table=True):
    """The first answer of a human that reached the network, for each conversation that has one."""

    __tablename__ = "first_replies"
    __table_args__ = (
        Index("first_replies_of_a_workgroup", "workgroup_id", "sent_at"),
        Index("first_replies_by_time", "sent_at"),
    )
    conversation_id: str = Field(primary_key=True, foreign_key="conversations.id")
    reply_id: str
    workgroup_id: str
    agent_id: str
    media_type: str
    sent_at: int = moment()
    after_ms: int = moment()
