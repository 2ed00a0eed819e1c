import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import known_names
from worker import QUEUES

ROOT = Path(__file__).resolve().parent.parent
Service = dict[str, Any]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Service] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def is_one_shot(service: Service) -> bool:
    return bool(service.get("restart") == "no")


def of_profile(profile: str) -> dict[str, Service]:
    return {name: service for name, service in SERVICES.items() if profile in service["profiles"]}


def variables(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def words(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    else:
        yield str(value)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_tells_whether_it_is_well_or_ends(name: str) -> None:
    service = SERVICES[name]

    assert is_one_shot(service) or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]

    assert re.match(r"\d+\.\d+", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_the_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("profile", ["demo", "production"])
def test_a_profile_needs_nothing_of_the_other_and_shares_no_port(profile: str) -> None:
    services = of_profile(profile)
    ports = [port for service in services.values() for port in service.get("ports", [])]

    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    assert len(ports) == len(set(ports))


def test_whoever_is_waited_for_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for name, condition in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if is_one_shot(SERVICES[name]) else None
            assert condition["condition"] == (expected or "service_healthy")


def test_a_plain_up_is_the_demonstration_and_needs_no_editing() -> None:
    given = variables(ROOT / ".env")
    wanted = set(re.findall(r"\$\{(\w+)\?", (ROOT / "docker-compose.yml").read_text()))

    assert given["COMPOSE_PROFILES"] == "demo"
    assert wanted <= set(given)
    assert not [name for name in wanted if given[name]], "an invented secret is a known secret"
    demo = set(words(list(of_profile("demo").values())))
    assert not [word for word in demo if "${" in word]


def test_production_asks_for_every_secret() -> None:
    asked = variables(ROOT / "production.env.example")
    wanted = set(re.findall(r"\$\{(\w+)\?", (ROOT / "docker-compose.yml").read_text()))

    assert wanted <= set(asked)
    secret = [word for word in words(SERVICES) if re.search("PASSWORD|SECRET|KEY", word)]
    assert all("?" in word for word in secret if "${" in word)


def test_our_containers_are_read_only_and_without_rights() -> None:
    for service in OURS.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service  # the image's own, which is not root
    assert re.search(r"^USER parley$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_our_commands_exist() -> None:
    for service in OURS.values():
        _, *arguments = service["command"]
        if arguments[0] == "-m":
            module = arguments[1]
            assert importlib.util.find_spec(module)
        else:
            assert (ROOT / arguments[0]).is_file()


def test_parleys_commands_are_those_of_the_command_line() -> None:
    from parley import app  # noqa: PLC0415  # the module is a program

    known = {
        (command.name or command.callback.__name__).replace("_", "-")
        for command in app.registered_commands
        if command.callback
    }
    used = {s["command"][2] for s in OURS.values() if s["command"][1] == "parley.py"}

    assert used <= known


def test_production_has_one_worker_service_a_queue() -> None:
    commands = [
        service["command"] for service in of_profile("production").values() if "build" in service
    ]
    queues = [command[3] for command in commands if command[1] == "worker.py"]

    assert sorted(queues) == sorted(QUEUES)


def test_every_setting_that_is_given_is_read_by_parley() -> None:
    given = {name for service in OURS.values() for name in service.get("environment", {})}
    image = set(re.findall(r"\b(PARLEY_\w+)=", (ROOT / "Dockerfile").read_text()))

    assert {name for name in given | image if name.startswith("PARLEY_")} <= known_names()


def test_only_what_runs_goes_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert lines[1] == "*"
    assert not [line for line in lines if line.startswith("!") and "test" in line]


def test_there_is_no_version_key() -> None:
    assert "version" not in COMPOSE
