"""What accounts have used up of what their networks allow, and which were told to wait."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from api.context import ContextOf
from api.fields import Shape, Stamp, maybe_rfc3339
from api.listing import Asked, Listing, listing
from api.routes import READS, new_router
from conversations.budgets import used_percent
from conversations.connector import Connector
from conversations.model import Instant
from conversations.networks import Account
from storage import accounts, budgets, clock

router = new_router("channels")


class AllowanceShape(Shape):
    """`used_percent` is of what may come at once; at 100 a call waits."""

    name: str
    calls: int
    per_s: int
    used_percent: int


class BudgetShape(Shape):
    """Of one account; `waits_until` is when its network takes calls again, if it said so."""

    account_id: str
    network: str
    waits_until: Stamp | None
    allowances: list[AllowanceShape]


@router.get("/budgets", response_model=Listing[BudgetShape], responses=READS)
async def list_budgets(context: ContextOf, window: Asked) -> dict[str, Any]:
    """List what each account has used of its network's allowances, by the accounts' creation."""

    def read(connection: Connection) -> dict[str, Any]:
        now = clock.now(connection)
        page = accounts.listed(connection, window)
        used = budgets.used(connection, [row["id"] for row in page.rows])
        return listing([_shape(row, used, context.connectors, now) for row in page.rows], page.next)

    return await context.database.read(read)


def _shape(
    row: RowMapping, used: budgets.Used, connectors: Mapping[str, Connector], now: Instant
) -> dict[str, Any]:
    connector = connectors.get(row["network"])
    account = Account("", row["network"], row["settings"])
    known = connector.capabilities(account).allowances if connector else ()
    until = used.paused_until.get(row["id"], 0)
    return {
        "account_id": row["id"],
        "network": row["network"],
        "waits_until": maybe_rfc3339(until if until > now else None),
        "allowances": [
            {
                "name": each.name,
                "calls": each.calls,
                "per_s": each.per_s,
                "used_percent": used_percent(used.until.get((row["id"], each.name), 0), each, now),
            }
            for each in known
        ],
    }
