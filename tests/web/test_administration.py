"""Administration in a real browser against the real API: what it says arrives where it belongs."""

import re
from itertools import count
from typing import Any

from playwright.sync_api import Page, Request, expect

from tests.axe import violations
from tests.web.conftest import Administer
from tests.web.served import Served

Json = dict[str, Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_numbers = count(1)


def named(what: str) -> str:
    return f"{what} {next(_numbers)}"


def workgroup(parley: Served, **fields: Any) -> Json:
    made: Json = parley.call("POST", "/workgroups", {"name": named("Workgroup"), **fields})
    return made


def channel(parley: Served) -> Json:
    settings = {"reply_url": "http://127.0.0.1:9/"}
    account = {"network": "webhook", "name": named("Account"), "settings": settings}
    account_id = parley.call("POST", "/accounts", account)["id"]
    body = {"name": named("Channel"), "account_id": account_id}
    made: Json = parley.call("POST", "/channels", body | {"workgroup_id": workgroup(parley)["id"]})
    return made


def rules(parley: Served, *conditions: Json) -> Json:
    written = [
        {"name": named("rule"), "when": when, "then": [{"action": "raise_priority", "by": 20}]}
        for when in conditions
    ]
    body = {"trigger": "arrival", "name": named("Rules"), "rules": written, "enabled": False}
    made: Json = parley.call("POST", "/rules", body)
    return made


def title(page: Page, words: str) -> None:
    expect(page.locator("#editor-title")).to_have_text(words)


def save(page: Page) -> None:
    page.keyboard.press("Control+s")


def mistake_at(page: Page, label: str, words: str) -> None:
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    told = (field.get_attribute("aria-describedby") or "").split()[-1]
    expect(page.locator(f"#{told}")).to_contain_text(words)


def test_what_the_api_refuses_stands_at_its_field(parley: Served, administer: Administer) -> None:
    page = administer(parley, "workgroups/new")
    page.get_by_label("Picked up within").fill("soon")
    page.get_by_label("Time to take an offer").fill("0")
    page.get_by_role("button", name="Add a ring").click()
    page.get_by_label("Opens after").fill("-3")
    save(page)

    mistake_at(page, "Name required", "at least 1 character")
    mistake_at(page, "Picked up within", "valid integer")
    mistake_at(page, "Time to take an offer", "greater than or equal to 1")
    mistake_at(page, "Opens after", "greater than or equal to 0")
    expect(page.get_by_label("Name required")).to_be_focused()
    expect(page.get_by_role("alert").first).to_contain_text("4 things have to be put right")
    page.get_by_role("link", name=re.compile("Rings .* 1 .* Opens after")).click()
    expect(page.get_by_label("Opens after")).to_be_focused()

    page.get_by_label("Opens after").fill("30")
    expect(page.get_by_label("Opens after")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name required").fill(named("Workgroup"))
    page.get_by_label("Picked up within").fill("60")
    page.get_by_label("Time to take an offer").fill("15")
    save(page)
    whole = page.get_by_role("listitem").filter(has_text="The whole")
    expect(whole).to_contain_text("a ring adds workgroups, drops skills or lowers them")
    page.get_by_role("button", name="Remove Ring 1").click()
    save(page)
    expect(page).to_have_url(re.compile("#/workgroups/wg_"))


def test_only_what_changed_is_sent(parley: Served, administer: Administer) -> None:
    made = workgroup(parley, required_skills=[{"skill": "lamps", "min_proficiency": 10}])
    page = administer(parley, f"workgroups/{made['id']}")
    sent: list[Request] = []
    page.on("request", lambda r: sent.append(r) if r.method == "PATCH" else None)
    page.get_by_label("Share of conversations").fill("90")
    page.get_by_label("Level of lamps").last.fill("55")
    save(page)

    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    (request,) = sent
    lamps = [{"skill": "lamps", "min_proficiency": 55}]
    assert request.post_data_json == {"service_level": {"percent": 90}, "required_skills": lamps}
    assert request.headers["if-match"] == '"1"'
    save(page)
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    assert len(sent) == 1


def test_who_was_overtaken_sees_what_changed_and_keeps_the_input(
    parley: Served, administer: Administer
) -> None:
    made = workgroup(parley)
    path = f"/workgroups/{made['id']}"
    page = administer(parley, path[1:])
    page.get_by_label("Passed over after declining").fill("33")
    parley.call("PATCH", path, {"offer_timeout_s": 25, "decline_backoff_s": 44})
    save(page)

    told = page.get_by_role("alert").first
    expect(told).to_contain_text(re.compile("somebody else", re.IGNORECASE))
    expect(told).to_contain_text("Time to take an offer: 20 → 25")
    expect(told).to_contain_text("Passed over after declining: 10 → 44 you have 33")
    expect(page.get_by_label("Passed over after declining")).to_have_value("33")
    expect(page.get_by_label("Time to take an offer")).to_have_value("25")
    save(page)
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    now = parley.call("GET", path)
    assert (now["offer_timeout_s"], now["decline_backoff_s"]) == (25, 33)


def test_a_row_is_read_again_when_somebody_comes_back(
    parley: Served, administer: Administer
) -> None:
    made = workgroup(parley)
    page = administer(parley, f"workgroups/{made['id']}")
    title(page, made["name"])
    parley.call("PATCH", f"/workgroups/{made['id']}", {"offer_timeout_s": 41})

    page.evaluate("dispatchEvent(new Event('focus'))")

    expect(page.get_by_label("Time to take an offer")).to_have_value("41")
    expect(page.locator(".refusal .notice")).to_have_count(0)


def test_nobody_leaves_a_form_by_mistake(parley: Served, administer: Administer) -> None:
    made = workgroup(parley)
    page = administer(parley, "workgroups")
    page.get_by_role("link", name=made["name"]).click()
    timeout = page.get_by_label("Time to take an offer")
    timeout.fill("31")
    page.get_by_role("link", name="Agents").first.click()

    dialog = page.get_by_role("dialog", name="Leave without saving?")
    dialog.get_by_role("button", name="Stay here").click()
    expect(timeout).to_have_value("31")
    page.go_back()
    dialog.get_by_role("button", name="Stay here").click()
    expect(timeout).to_have_value("31")
    assert page.url.endswith(made["id"])
    page.get_by_role("link", name="Agents").first.click()
    dialog.get_by_role("button", name="Leave, forget the changes").click()
    expect(page).to_have_url(re.compile("#/agents$"))
    assert parley.call("GET", f"/workgroups/{made['id']}")["offer_timeout_s"] == 20


def test_what_is_in_use_is_not_deleted_and_it_is_said_why(
    parley: Served, administer: Administer
) -> None:
    made = channel(parley)
    page = administer(parley, f"accounts/{made['account_id']}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    told = page.get_by_role("alert").first
    expect(told).to_contain_text("was not deleted")
    expect(told).to_contain_text("channels refer to it")
    parley.call("DELETE", f"/channels/{made['id']}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("#/accounts$"))


def test_a_secret_goes_in_and_never_comes_out(parley: Served, administer: Administer) -> None:
    page = administer(parley, "accounts/new")
    page.get_by_label("Network required").fill("webhook")
    page.get_by_label("Name required").fill(named("Shop"))
    page.get_by_label("reply url").fill("replies.example")
    page.get_by_label("secret", exact=True).fill("whsec_canary")
    save(page)
    mistake_at(page, "reply url", "an address with its scheme")
    page.get_by_label("reply url").fill("https://replies.example/")
    save(page)

    expect(page).to_have_url(re.compile("#/accounts/ac_"))
    secret = page.get_by_label("secret", exact=True)
    expect(secret).to_have_attribute("placeholder", "is set, and never shown")
    expect(secret).to_have_value("")
    assert "canary" not in page.content()
    page.get_by_role("button", name="Forget it").click()
    save(page)
    expect(secret).to_have_attribute("placeholder", "not set, but needed")
    account_id = page.url.rpartition("/")[2]
    assert parley.call("GET", f"/accounts/{account_id}")["secrets_set"] == []


def test_members_join_at_once_and_a_key_is_shown_once(
    parley: Served, administer: Administer
) -> None:
    group, name = workgroup(parley), named("Agent")
    body = {"username": name.replace(" ", "_"), "name": name}
    agent = parley.call("POST", "/agents", body)
    page = administer(parley, f"workgroups/{group['id']}")
    page.get_by_role("combobox", name="Add an agent").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 member", exact=True)).to_be_visible()
    assert parley.call("GET", f"/agents/{agent['id']}")["workgroups"] == [group["id"]]

    page.get_by_role("link", name=name).click()
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_label("The key", exact=True).inner_text()
    assert parley.call("GET", "/agents/me", key=key)["id"] == agent["id"]
    page.reload()
    title(page, name)
    assert key not in page.content()


def test_a_session_that_ends_takes_no_words_with_it(parley: Served, administer: Administer) -> None:
    made = workgroup(parley)
    page = administer(parley, f"workgroups/{made['id']}")
    page.get_by_label("Time to take an offer").fill("27")
    page.context.clear_cookies()
    save(page)

    expect(page.get_by_role("alert").first).to_contain_text("Your session has ended")
    expect(page.get_by_label("Time to take an offer")).to_have_value("27")
    parley.sign_in(page.context)
    save(page)
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def test_who_is_no_administrator_is_told_so(parley: Served, administer: Administer) -> None:
    name = named("Supervisor")
    body = {"username": name.replace(" ", "_"), "name": name, "roles": ["supervisor"]}
    agent = parley.call("POST", "/agents", body)
    key = parley.call("POST", f"/agents/{agent['id']}/keys", {})["key"]
    page = administer(parley, "workgroups", key=key)

    expect(page.get_by_role("main")).to_contain_text("This page is for administrators.")
    expect(page.get_by_role("navigation")).to_have_count(0)


def test_anything_is_found_with_the_keyboard_alone(parley: Served, administer: Administer) -> None:
    made = workgroup(parley)
    page = administer(parley)
    expect(page.get_by_role("link", name="Workgroups")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(made["name"])
    option = page.get_by_role("option", name=made["name"])
    expect(option).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    title(page, made["name"])


def test_every_kind_has_no_barrier_in_either_theme(parley: Served, administer: Administer) -> None:
    made, set_of_rules = channel(parley), rules(parley, {"fact": "post.text", "equals": "x"})
    hours = {"time_zone": "Europe/Vienna", "weekly": {"mon": [{"from": "09:00", "to": "17:00"}]}}
    holidays = [{"date": "2026-12-24"}]
    changes = {"business_hours": hours | {"holidays": holidays}, "rings": [{"after_s": 5}]}
    changes["rings"] = [{"after_s": 5, "drop_skills": ["lamps"]}]
    skills = [{"skill": "lamps", "min_proficiency": 10}]
    path = f"workgroups/{made['workgroup_id']}"
    parley.call("PATCH", f"/{path}", changes | {"required_skills": skills})
    places = [path, f"channels/{made['id']}", f"rules/{set_of_rules['id']}", "agents/new"]
    page = administer(parley, **PHONE)
    found: dict[str, list[str]] = {}
    for place in ["", "campaigns", *places]:
        page.evaluate(f"location.hash = '#/{place}'")
        marks = {"": ".first-steps", "campaigns": ".list"}
        expect(page.locator(marks.get(place, ".resource"))).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, place
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            for sentence in violations(page):
                found.setdefault(sentence, []).append(f"{place}, {theme}")
    assert not found, "\n".join(f"{what} IN {where}" for what, where in found.items())
