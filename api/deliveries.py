"""Webhooks of networks: posts that a network brings by itself, proven by its signature."""

from typing import Any

from fastapi import Request, Response

from api.context import Context, ContextOf
from api.errors import Problem, nothing_here
from api.fields import Shape
from api.routes import RawRoute, new_router, problems
from conversations.connector import Connector
from conversations.networks import BadSignature, DeliveryRequest, ListenedChannel
from storage.channel_intake import ChannelIntake

router = new_router("deliveries", RawRoute)

LONGEST_ID = 64


class Delivered(Shape):
    """What was taken in; everything of it is committed."""

    posts: int
    unreadable: int


@router.get(
    "/channels/{channel_id}/deliveries", response_class=Response, responses=problems(401, 404, 503)
)
async def answer_challenge(channel_id: str, request: Request, context: ContextOf) -> Response:
    """Answer a network that asks whether this address is ours."""
    channel, connector = await _called(context, channel_id)
    try:
        answer = connector.greet(channel.account, await _read(request, context))
    except BadSignature as reason:
        raise Problem(401, "bad_signature", str(reason)) from reason
    return Response(answer.body, media_type=answer.media_type)


@router.post(
    "/channels/{channel_id}/deliveries",
    response_model=Delivered,
    responses=problems(401, 404, 413, 422, 503),
)
async def take_delivery(channel_id: str, request: Request, context: ContextOf) -> Any:  # noqa: ANN401 - FastAPI reads the model
    """Take in what a channel's network delivers; needs the network's signature instead of a key.

    The network repeats what is not answered 200, and that is answered only after the commit.
    """
    channel, connector = await _called(context, channel_id)
    try:
        delivered = connector.receive(channel.account, await _read(request, context))
    except BadSignature as reason:
        raise Problem(401, "bad_signature", str(reason)) from reason
    await _intake(context).take_delivery(channel_id, connector, delivered)
    if delivered.answer is not None:
        return Response(delivered.answer.body, media_type=delivered.answer.media_type)
    pages = delivered.pages.values()
    return {
        "posts": sum(len(page.posts) for page in pages),
        "unreadable": sum(len(page.unreadable) for page in pages),
    }


def _intake(context: Context) -> ChannelIntake:
    return ChannelIntake(context.database, context.intake, context.seal)


async def _called(context: Context, channel_id: str) -> tuple[ListenedChannel, Connector]:
    """Find who is called; a channel that takes no deliveries looks like a path that is not there.

    Raises:
        Problem: 404, in the words that any wrong path has.
    """
    if len(channel_id) > LONGEST_ID:
        raise nothing_here()
    channel = await _intake(context).called(channel_id)
    connector = context.connectors.get(channel.account.network) if channel else None
    if channel is None or connector is None or connector.signing_setting is None:
        raise nothing_here()
    return channel, connector


async def _read(request: Request, context: Context) -> DeliveryRequest:
    """Read the call; its URL is the one that the network was given."""
    query = request.url.query
    return DeliveryRequest(
        method=request.method,
        url=context.public_url + request.url.path + (f"?{query}" if query else ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
        query=dict(request.query_params),
    )
