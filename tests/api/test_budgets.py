"""A supervisor sees what accounts have used up of their networks' allowances."""

from conversations.budgets import spend, used_percent
from conversations.capabilities import Allowance
from tests.api.conftest import Caller, Floor

HOURLY = Allowance("calls", calls=300, per_s=3600)
NOW = 1_700_000_000_000


def test_used_percent_is_of_what_may_come_at_once() -> None:
    used_until = 0
    for _ in range(50):
        used_until = spend(used_until, HOURLY, NOW, kept_percent=0).used_until

    assert used_percent(0, HOURLY, NOW) == 0
    assert used_percent(used_until, HOURLY, NOW) == 50
    while (spending := spend(used_until, HOURLY, NOW, kept_percent=0)).wait_ms == 0:
        used_until = spending.used_until
    assert used_percent(used_until, HOURLY, NOW) == 100


async def test_every_account_is_listed_for_supervisors(admin: Caller, floor: Floor) -> None:
    settings = {"base_url": "https://social.example"}
    body = {"network": "mastodon", "name": "b", "settings": settings}
    made = await admin.ok("POST", "/accounts", body)
    agent = await floor.agent(on_queue=False)

    listed = (await admin.ok("GET", "/budgets"))["items"]
    mine = next(row for row in listed if row["account_id"] == made["id"])
    assert (mine["network"], mine["waits_until"]) == ("mastodon", None)
    assert [each["used_percent"] for each in mine["allowances"]] == [0]
    await agent.refused("GET", "/budgets", None, 403, "forbidden")
