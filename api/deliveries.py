"""Webhooks of networks: posts that a network brings by itself, proven by its signature."""

from typing import Annotated, Any

from fastapi import Path, Request

from api.context import ContextOf
from api.errors import Problem, not_found
from api.fields import Shape
from api.routes import new_router, problems
from connectors.registry import RECEIVERS
from conversations.networks import BadSignature
from storage.channel_intake import ChannelIntake

router = new_router("deliveries")


class Delivered(Shape):
    """What was taken in; everything of it is committed."""

    posts: int
    unreadable: int


@router.post(
    "/channels/{channel_id}/deliveries",
    response_model=Delivered,
    responses=problems(401, 404, 413, 415, 422, 503),
)
async def take_delivery(
    channel_id: Annotated[str, Path(max_length=64)], request: Request, context: ContextOf
) -> Any:  # noqa: ANN401 - FastAPI reads the model
    """Take in what a channel's network delivers; needs the network's signature instead of a key.

    The network repeats what is not answered 200, and that is answered only after the commit.
    """
    intake = ChannelIntake(context.database, context.intake, context.seal)
    channel = await intake.channel(channel_id)
    parse = RECEIVERS.get(channel.account.network) if channel else None
    if channel is None or parse is None:
        raise not_found("channel that takes deliveries", channel_id)
    try:
        page = parse(channel.account, request.headers, await request.body())
    except BadSignature as reason:
        raise Problem(401, "bad_signature", str(reason)) from reason
    await intake.take_in(channel_id, page)
    return {"posts": len(page.posts), "unreadable": len(page.unreadable)}
