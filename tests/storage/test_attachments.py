"""Files are kept while a draft or a reply needs them, and no longer than is said."""

import pytest
from sqlalchemy import Connection, select

from conversations import commands as c
from conversations.attachments import Attachment, AttachmentRule
from conversations.capabilities import Capabilities
from conversations.replies import Certainty, Outcome, ReadBack
from storage import attachments, drafts, replies, upkeep
from storage import clock as clocks
from storage.conversations import ReplyDraft
from storage.conversations import reply as take_reply
from storage.database import Database
from storage.desk_tables import AttachmentRow
from storage.drafts import Draft
from storage.ids import new_id
from tests.clocks import Clock
from tests.floor import Floor

ATTACHMENTS = AttachmentRow.__table__  # type: ignore[attr-defined]
FILE = Attachment("at_1", "cat.png", "image/png", 3, content=b"cat")
ABLE = Capabilities(attachments=AttachmentRule(most=4, media_types=frozenset({"image/png"})))
UNUSED_S, CONTENT_S = attachments.UNUSED_LIFE_MS // 1000, attachments.CONTENT_LIFE_MS // 1000


async def connected(database: Database) -> tuple[str, str]:
    floor = Floor(database)
    source = await floor.channel(workgroup := await floor.workgroup())
    await floor.agent(workgroup)
    return await floor.connect(source, "customer")


async def bring(database: Database, conversation_id: str, agent: str, file: Attachment) -> None:
    await database.write(lambda k: attachments.add(k, conversation_id, agent, file))


async def sent_with(
    database: Database, conversation_id: str, agent: str, *files: Attachment
) -> str:
    reply_id = new_id("re")
    draft = ReplyDraft(
        reply_id,
        c.Actor(agent),
        "look",
        None,
        None,
        confirm_public=False,
        capabilities=ABLE,
        attachments=files,
    )
    outcome = await database.write(lambda k: take_reply(k, conversation_id, draft))
    assert outcome.refusal is None, outcome.refusal
    return reply_id


async def settle(database: Database, reply_id: str, certainty: Certainty) -> None:
    def go(connection: Connection) -> None:
        permit = replies.begin(connection, reply_id, ReadBack.LOOK_UP, "sender")
        replies.settle(connection, permit.permission, Outcome(certainty, "out-1"))

    await database.write(go)


async def sweep(database: Database) -> None:
    await database.write(lambda k: upkeep.forget_old(k, clocks.now(k)))


async def kept(database: Database) -> dict[str, bool]:
    """Return whose content is there, by file."""
    query = select(ATTACHMENTS.c.id, ATTACHMENTS.c.content)

    def read(connection: Connection) -> dict[str, bool]:
        return {row.id: row.content is not None for row in connection.execute(query)}

    return await database.read(read)


async def test_what_is_never_sent_is_forgotten_after_a_week(
    database: Database, clock: Clock
) -> None:
    conversation_id, agent = await connected(database)
    await bring(database, conversation_id, agent, FILE)

    clock.advance(s=UNUSED_S)
    await sweep(database)
    assert await kept(database) == {"at_1": True}
    clock.advance(ms=1)
    await sweep(database)
    assert await kept(database) == {}


async def test_what_a_draft_may_name_is_kept(database: Database, clock: Clock) -> None:
    conversation_id, agent = await connected(database)
    await bring(database, conversation_id, agent, FILE)

    def draft(connection: Connection) -> None:
        wanted = Draft("half", attachments=(FILE,))
        drafts.put(connection, agent, conversation_id, Draft(), wanted)

    await database.write(draft)
    clock.advance(s=2 * UNUSED_S)
    await sweep(database)
    assert await kept(database) == {"at_1": True}
    assert await database.read(lambda k: drafts.get(k, agent, conversation_id).attachments) == (
        FILE,
    )

    await database.write(lambda k: drafts.remove(k, agent, conversation_id))
    await sweep(database)
    assert await kept(database) == {}


@pytest.mark.parametrize("certainty", [Certainty.SENT, Certainty.REJECTED])
async def test_what_went_out_can_be_looked_at_for_ninety_days(
    database: Database, clock: Clock, certainty: Certainty
) -> None:
    conversation_id, agent = await connected(database)
    await bring(database, conversation_id, agent, FILE)
    reply_id = await sent_with(database, conversation_id, agent, FILE)
    await settle(database, reply_id, certainty)

    clock.advance(s=CONTENT_S)
    await sweep(database)
    assert await kept(database) == {"at_1": True}
    clock.advance(ms=1)
    await sweep(database)
    assert await kept(database) == {"at_1": False}
    assert await database.read(lambda k: attachments.contents(k, ["at_1"])) == {}


async def test_what_is_still_on_its_way_keeps_its_content(database: Database, clock: Clock) -> None:
    conversation_id, agent = await connected(database)
    await bring(database, conversation_id, agent, FILE)
    await sent_with(database, conversation_id, agent, FILE)

    clock.advance(s=2 * CONTENT_S)
    await sweep(database)

    assert await kept(database) == {"at_1": True}


async def test_one_sweep_forgets_a_bounded_number(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "FORGET_BATCH", 2)
    conversation_id, agent = await connected(database)
    for number in range(3):
        await bring(database, conversation_id, agent, Attachment(f"at_{number}", "a", "b", 0))
        clock.advance(ms=1)

    clock.advance(s=2 * UNUSED_S)
    await sweep(database)

    assert await kept(database) == {"at_2": True}
