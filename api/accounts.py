"""A brand's accounts on networks; what is secret goes in and never comes out."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field, JsonValue
from sqlalchemy import Connection, RowMapping

from api.account_settings import missing, parted, require_types, with_secrets_apart
from api.context import Context, ContextOf
from api.fields import Body, Name, Shape, Stamp, rfc3339
from api.idempotency import Answer, Carried
from api.listing import Asked, Listing, listing
from api.routes import CHANGES, CREATES, DELETES, READS, READS_ONE, new_router
from api.setup import IfMatch, Patch, found, merge_patch_of, patched, require_version, with_etag
from connectors.registry import NETWORKS
from storage import accounts
from storage.secrets import SecretsUnreadable

router = new_router("accounts")

Secrets = dict[str, JsonValue]


class AccountBody(Body):
    """An account as it is created; `credentials`, and secrets in `settings`, are write-only."""

    network: Annotated[str, Field(min_length=1, max_length=50, examples=list(NETWORKS))]
    name: Name
    settings: dict[str, JsonValue] = {}
    credentials: Secrets = {}


class AccountShape(Shape):
    id: str
    network: str
    name: str
    settings: dict[str, Any]
    secrets_set: list[str]
    secrets_trouble: str | None = None
    """Why its secrets cannot be used, when they cannot: they have to be entered again."""
    missing_settings: list[str] = []
    """What its network needs and it has not been given."""
    version: int
    created_at: Stamp


def _values(context: Context, account_id: str, body: AccountBody) -> dict[str, Any]:
    connector = context.connectors.get(body.network)
    require_types(connector, body.settings, body.credentials)
    shown, secret = parted(body.settings, connector)
    sealed = context.seal.close(account_id, {**secret, **body.credentials})
    return {"network": body.network, "name": body.name, "settings": shown, "secrets": sealed}


def _shape(context: Context, row: RowMapping) -> dict[str, Any]:
    connector, trouble = context.connectors.get(row["network"]), None
    shown, in_the_clear = parted(row["settings"], connector)
    try:
        sealed = context.seal.open(row["id"], row["secrets"])
    except SecretsUnreadable as reason:
        sealed, trouble = {}, str(reason)
    return {
        **{name: row[name] for name in ("id", "network", "name", "version")},
        "settings": shown,
        "secrets_set": sorted({*sealed, *in_the_clear}),
        "secrets_trouble": trouble,
        "missing_settings": [] if trouble else missing(connector, {**row["settings"], **sealed}),
        "created_at": rfc3339(row["created_at"]),
    }


def _kept(context: Context, row: RowMapping) -> Secrets:
    """Return the secrets that are there; those that no key opens are entered anew."""
    try:
        return context.seal.open(row["id"], row["secrets"])
    except SecretsUnreadable:
        return {}


@router.post("/accounts", status_code=201, response_model=AccountShape, responses=CREATES)
async def create_account(body: AccountBody, once: Carried, context: ContextOf) -> Response:
    """Create an account."""
    account_id = accounts.new_account_id()

    def create(connection: Connection) -> Answer:
        accounts.create(connection, account_id, _values(context, account_id, body))
        row = found(accounts.get(connection, account_id), "account", account_id)
        return Answer(201, _shape(context, row))

    return await once.run(create)


@router.get("/accounts", response_model=Listing[AccountShape], responses=READS)
async def list_accounts(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List accounts by creation."""
    page = await context.database.read(lambda k: accounts.listed(k, window))
    return listing([_shape(context, row) for row in page.rows], page.next)


@router.get("/accounts/{account_id}", response_model=AccountShape, responses=READS_ONE)
async def get_account(account_id: str, context: ContextOf) -> Response:
    """Read an account, without its secrets."""
    row = await context.database.read(lambda k: accounts.get(k, account_id))
    return with_etag(_shape(context, found(row, "account", account_id)))


@router.patch(
    "/accounts/{account_id}",
    response_model=AccountShape,
    responses=CHANGES,
    openapi_extra=merge_patch_of(AccountBody),
)
async def change_account(
    account_id: str, patch: Patch, context: ContextOf, if_match: IfMatch = None
) -> Response:
    """Change an account; effective at once. Secrets that are not named stay."""

    def change(connection: Connection) -> dict[str, Any]:
        row = found(accounts.lock(connection, account_id), "account", account_id)
        require_version(row, if_match)
        connector = context.connectors.get(row["network"])
        shown, in_the_clear = parted(row["settings"], connector)
        present = {
            **{name: row[name] for name in ("network", "name")},
            "settings": shown,
            "credentials": {**in_the_clear, **_kept(context, row)},
        }
        body = patched(AccountBody, present, with_secrets_apart(patch, connector))
        accounts.change(connection, row, _values(context, account_id, body))
        return _shape(context, found(accounts.get(connection, account_id), "account", account_id))

    return with_etag(await context.database.write(change))


@router.delete("/accounts/{account_id}", status_code=204, responses=DELETES)
async def delete_account(account_id: str, context: ContextOf) -> None:
    """Delete an account that nothing refers to."""

    def remove(connection: Connection) -> None:
        found(accounts.lock(connection, account_id), "account", account_id)
        accounts.remove(connection, account_id)

    await context.database.write(remove)
