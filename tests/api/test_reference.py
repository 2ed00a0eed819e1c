"""`/docs`: whole, without scripts, without anything from elsewhere."""

import re

import httpx

from api.policy import POLICY


async def test_the_page_names_every_operation_and_loads_nothing(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")

    assert page.status_code == 200
    assert "script" not in page.headers["content-security-policy"]
    assert not re.search(r"<script|<link|<img|\bsrc=|https?://", page.text)
    for route in POLICY:
        assert f"/api/v1{route.split(' ')[1]}</span>" in page.text


async def test_every_link_of_the_page_leads_somewhere(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text

    targets = set(re.findall(r"id='?([\w-]+)", page))
    assert set(re.findall(r"href='?#([\w-]+)", page)) <= targets


async def test_there_is_no_page_that_needs_the_internet(http: httpx.AsyncClient) -> None:
    assert (await http.get("/redoc")).status_code == 404
