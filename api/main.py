"""The API's composition root: `uvicorn api.main:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, FastAPI
from temporalio.client import Client

import logs
from api import (
    accounts,
    agents,
    attachments,
    budgets,
    canned_replies,
    channels,
    commands,
    conversations,
    customers,
    decisions,
    deliveries,
    demo_session,
    displays,
    dispositions,
    drafts,
    errors,
    events,
    joining,
    leaving,
    licences,
    media,
    mentions,
    networks,
    onlookers,
    pages,
    passwords,
    post_changes,
    posts,
    quarantine,
    queues,
    reference,
    replies,
    reply_changes,
    rules,
    session,
    sessions,
    setup,
    simulations,
    stations,
    statistics,
    statuses,
    watch,
    workgroups,
)
from api.context import Context
from api.doorkeeper import Doorkeeper
from api.feed import Feed
from api.hashing import PasswordHashing
from api.links import TemporalLinks
from api.metrics import Metrics
from api.onlooker_feed import OnlookerFeed
from api.surroundings import Surroundings
from api.turns import Turns
from connectors.calls import new_client
from connectors.fetcher import Fetcher
from connectors.guard import Guard
from connectors.registry import connectors
from reports.now import FloorReader
from reports.shared import Shared
from settings import Settings
from storage import bells, crew, principals
from storage.affinity_key import AffinityKey
from storage.asking import Following
from storage.batches import Batch
from storage.clock import now
from storage.database import Database, open_database
from storage.intake import PageIntake
from storage.secrets import Seal
from storage.syncing import Seen
from workflows.connection import connect_lazily
from workflows.delivery import Ringer

VERSION = "0.1.0"
PREFIX = "/api/v1"
ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    demo_session.router,
    sessions.router,
    passwords.router,
    workgroups.router,
    stations.router,
    licences.router,
    agents.router,
    statuses.router,
    accounts.router,
    channels.router,
    posts.router,
    post_changes.router,
    media.router,
    deliveries.router,
    conversations.router,
    decisions.router,
    commands.router,
    joining.router,
    customers.router,
    queues.router,
    rules.router,
    replies.router,
    reply_changes.router,
    attachments.router,
    drafts.router,
    mentions.router,
    budgets.router,
    displays.router,
    canned_replies.router,
    dispositions.router,
    onlookers.router,
    networks.router,
    simulations.router,
    statistics.router,
    quarantine.router,
    events.router,
)


class _Described(FastAPI):
    """An application whose description has the form of its problems, too."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        errors.describe(document)
        setup.describe(document)
        return document


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; its parts open with its lifespan."""
    chosen = settings or Settings()
    logs.configure(chosen.log.format, chosen.log.level)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(app, chosen, metrics):
            yield

    app = _Described(
        title="Parley",
        version=VERSION,
        description="Routes social-media conversations to people.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    watch.install(app)
    pages.install(app)
    reference.install(app, PREFIX)
    app.add_middleware(Surroundings, metrics=metrics, body_limit_bytes=chosen.api.body_limit_bytes)
    return app


def _operation_id(route: object) -> str:
    """Name operations verb first, as generated clients show them: `createReply`."""
    first, *others = str(getattr(route, "name", "")).split("_")
    return first + "".join(word.title() for word in others)


@asynccontextmanager
async def _opened(app: FastAPI, settings: Settings, metrics: Metrics) -> AsyncIterator[None]:
    """Open everything, and close it in the opposite order."""
    async with AsyncExitStack() as closing:
        client = await connect_lazily()
        database = _kept(closing, open_database(settings.database_url.get_secret_value()))
        ringer = _ringer(closing, client, database)
        context = _context(closing, settings, metrics, _Lines(database, client, ringer))
        app.state.context = context
        app.state.checks = watch.checks_of(database)
        app.state.temporal_check = watch.temporal_check(client)
        app.state.ringer = ringer
        await _accept_bootstrap_key(database, settings)
        ringer.start()
        await context.feed.start()
        _kept(closing, OnlookerFeed(database, context.feed)).start()
        with leaving.heard(context.feed.end_streams):
            yield


class _Closes(Protocol):
    async def close(self) -> None: ...


Closing = TypeVar("Closing", bound=_Closes)


def _kept(closing: AsyncExitStack, part: Closing) -> Closing:
    """Close the part when everything that was opened after it is closed."""
    closing.push_async_callback(part.close)
    return part


@dataclass(frozen=True, slots=True)
class _Lines:
    """What leads out of the process."""

    database: Database
    client: Client
    ringer: Ringer


def _ringer(closing: AsyncExitStack, client: Client, database: Database) -> Ringer:
    seen = _kept(closing, Batch[Seen](database, bells.note_seen))
    rung = _kept(
        closing,
        Batch[tuple[str, int]](database, lambda k, facts: bells.note_rung(k, facts, now(k))),
    )
    ringer = Ringer(
        client,
        lambda conversation_id, version: rung.add((conversation_id, version)),
        lambda conversation_id, version: seen.add((conversation_id, version, None)),
    )
    return _kept(closing, ringer)


def _context(
    closing: AsyncExitStack, settings: Settings, metrics: Metrics, lines: _Lines
) -> Context:
    secret_key, *previous = settings.secret_keys
    database = lines.database
    guard = Guard.allowing(settings.internal_targets)
    http, fetcher = new_client(guard), Fetcher(guard)
    for web in (http, fetcher):
        closing.push_async_callback(web.aclose)
    links = TemporalLinks(settings.temporal_ui_url, lines.client.namespace)
    doorkeeper = _kept(closing, Doorkeeper(database))
    following = _kept(closing, Following(database, lines.ringer.ring))
    return Context(
        database=database,
        following=following,
        intake=PageIntake(database, following, AffinityKey(secret_key, previous)),
        seal=Seal(secret_key, previous),
        doorkeeper=doorkeeper,
        feed=_kept(closing, Feed(database, doorkeeper, metrics, links)),
        turns=Turns(),
        metrics=metrics,
        links=links,
        connectors=connectors(http, guard),
        guard=guard,
        fetcher=fetcher,
        floor_now=Shared(database, FloorReader().read),
        crew_now=Shared(database, crew.read),
        passwords=_kept(closing, PasswordHashing()),
        public_url=settings.public_url,
        demo_usernames=settings.demo_usernames,
    )


async def _accept_bootstrap_key(database: Database, settings: Settings) -> None:
    bootstrap = settings.bootstrap_admin_key
    if bootstrap is not None and (key := bootstrap.get_secret_value()):
        await database.write(lambda k: principals.accept_bootstrap_key(k, key))
