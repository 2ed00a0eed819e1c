import json
import os
import signal
import socket
import stat
import time
from typing import Any

import psutil
import pytest

from tests.operation.running import Up


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(probe: Any, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not probe():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_run_json_says_where_everything_is_and_is_private(up: Up) -> None:
    run = up.start().ready()

    mode = stat.S_IMODE((up.folder / "run.json").stat().st_mode)
    assert mode == 0o600
    assert run["api_url"] == f"http://127.0.0.1:{up.port}/api/v1"
    assert run["desk_url"] == f"http://127.0.0.1:{up.port}/"
    assert run["temporal_address"] == f"127.0.0.1:{up.temporal_port}"
    assert run["temporal_ui_url"] == f"http://127.0.0.1:{up.temporal_port + 1000}"
    assert all(is_alive(run["pids"][name]) for name in ("api", "worker", "temporal"))
    assert list(run["keys"]) == ["admin"]
    assert run["passwords"] == {}
    assert up.environment_of("api")["PARLEY_DEMO_USERNAMES"] == "[]"


def test_everything_stops_in_order_and_the_exit_is_clean(up: Up) -> None:
    pids = up.start().ready()["pids"]

    assert up.stop() == 0

    assert up.life[-3:] == ["worker stopped", "api stopped", "temporal stopped"]
    assert not any(is_alive(pid) for pid in pids.values())
    assert not (up.folder / "run.json").exists()


def test_ctrl_c_is_as_good_as_sigterm(up: Up) -> None:
    up.start().ready()

    up.signal(signal.SIGINT)

    assert up.ended() == 0
    assert up.life[-3:] == ["worker stopped", "api stopped", "temporal stopped"]


@pytest.mark.parametrize("victim", ["api", "worker", "temporal"])
def test_a_child_that_dies_is_started_again_and_run_json_knows_it(up: Up, victim: str) -> None:
    before = up.start().ready()["pids"]

    os.kill(before[victim], signal.SIGKILL)

    wait_until(lambda: up.run["pids"][victim] != before[victim])
    after = up.run["pids"]
    assert is_alive(after[victim])
    assert {name: pid for name, pid in after.items() if name != victim} == {
        name: pid for name, pid in before.items() if name != victim
    }
    assert f"{victim} ended (SIGKILL); starting it again" in up.said


def test_a_child_that_dies_often_is_started_ever_more_slowly_but_always_again(up: Up) -> None:
    up.start().ready()
    moments = []

    for _ in range(3):
        pid = up.run["pids"]["worker"]
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: up.run["pids"]["worker"] != pid)
        moments.append(time.monotonic() - killed)

    assert moments[0] < moments[1] < moments[2]


def test_the_children_die_with_up_even_when_it_is_killed(up: Up) -> None:
    pids = up.start("demo").ready()["pids"]

    up.signal(signal.SIGKILL)
    up.ended()

    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), within_s=3)


def test_killed_and_started_again_it_goes_on_with_the_same_keys_and_secret(up: Up) -> None:
    before = up.start("demo").ready()
    secret = (up.folder / "secret.key").read_text()
    up.signal(signal.SIGKILL)
    up.ended()
    (up.folder / "run.json").unlink()

    after = up.start("demo").ready()

    assert after["keys"] == before["keys"]
    assert (up.folder / "secret.key").read_text() == secret
    assert secret.strip() not in up.said
    assert before["keys"]["admin"] not in up.said


def test_secrets_reach_only_those_who_need_them(up: Up) -> None:
    run = up.start("demo").ready()

    api, worker = up.environment_of("api"), up.environment_of("worker")
    assert api["PARLEY_BOOTSTRAP_ADMIN_KEY"] == run["keys"]["admin"]
    assert "PARLEY_BOOTSTRAP_ADMIN_KEY" not in worker
    assert "administrator" in json.loads(api["PARLEY_DEMO_USERNAMES"])
    assert worker["PARLEY_SECRET_KEY_FILE"] == str(up.folder / "secret.key")
    for stranger in ("temporal", "simulated"):
        assert not [name for name in up.environment_of(stranger) if name.startswith("PARLEY_")]
    for name in ("secret.key", "keys.json"):
        assert stat.S_IMODE((up.folder / name).stat().st_mode) == 0o600


def test_a_demonstration_has_keys_for_everybody_and_a_network(up: Up) -> None:
    run = up.start("demo").ready()

    assert set(run["keys"]) == {"admin", "supervisor", "integrator", "agents"}
    assert run["keys"]["integrator"] == f"{run['api_url']} {len(run['keys']['admin'])}"
    assert run["simulated_network_url"] == up.environment_of("api")["PARLEY_SIMULATED_NETWORK_URL"]
    assert is_alive(run["pids"]["simulated"])


def test_our_temporal_is_not_mixed_with_a_profile_for_another_one(up: Up) -> None:
    up.start(TEMPORAL_API_KEY="k", TEMPORAL_NAMESPACE="prod", TEMPORAL_TLS="true").ready()

    seen = {k: v for k, v in up.environment_of("worker").items() if k.startswith("TEMPORAL_")}
    assert seen == {
        "TEMPORAL_ADDRESS": f"127.0.0.1:{up.temporal_port}",
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }


def test_a_taken_port_is_named_with_its_option(up: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", up.temporal_port + 1000))
        other.listen()

        assert up.start().ended() == 1

    assert f"Port {up.temporal_port + 1000} (Temporal's web UI) is not free" in up.said
    assert "--temporal-port" in up.said
    assert "Traceback" not in up.said


def test_one_folder_serves_one_up(up: Up) -> None:
    up.start().ready()
    first = up.process

    assert up.start().ended() == 1

    assert "already runs" in up.said
    up.process = first


def test_a_child_that_cannot_start_is_quoted_and_up_gives_up(up: Up) -> None:
    assert up.start("worker:die").ended() == 1

    assert "worker ended 4 times before it was ready" in up.said
    assert "worker cannot live like this" in up.said
    assert "Traceback" not in up.said


def test_a_bad_setting_is_named_before_anything_starts(up: Up) -> None:
    assert up.start(PARLEY_LOG__LEVEL="loud").ended() == 1

    assert "PARLEY_LOG__LEVEL" in up.said
    assert not up.life


def test_a_child_that_does_not_hear_is_killed_after_its_grace(up: Up) -> None:
    pids = up.start("temporal:deaf").ready()["pids"]

    started = time.monotonic()
    assert up.stop() == 0

    assert time.monotonic() - started < 20
    assert not is_alive(pids["temporal"])
    assert "temporal did not stop within 8 s: killed" in up.said


def test_a_second_signal_does_not_wait(up: Up) -> None:
    up.start("worker:deaf", "temporal:deaf").ready()
    started = time.monotonic()

    up.signal(signal.SIGTERM)
    wait_until(lambda: "Stopping" in up.said)
    up.signal(signal.SIGTERM)

    assert up.ended() == 0
    assert time.monotonic() - started < 5


def test_a_signal_while_it_starts_leaves_nothing_behind(up: Up) -> None:
    up.start()
    wait_until(lambda: "temporal started" in up.life)

    assert up.stop() == 0

    assert not (up.folder / "run.json").exists()
    marker = str(up.folder)
    left = [p for p in psutil.process_iter(["cmdline"]) if marker in (p.info["cmdline"] or [])]
    assert left == []


def test_a_signal_while_the_demonstration_is_prepared_does_not_wait_for_it(up: Up) -> None:
    up.start("demo", "demo:slow")
    wait_until(lambda: "preparing the demonstration" in up.said)
    started = time.monotonic()

    assert up.stop() == 0

    assert time.monotonic() - started < 5
    assert up.life[-4:] == [
        f"{name} stopped" for name in ("worker", "api", "temporal", "simulated")
    ]


def test_run_json_is_never_seen_half_written(up: Up) -> None:
    pid = up.start().ready()["pids"]["worker"]
    os.kill(pid, signal.SIGKILL)

    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert json.loads((up.folder / "run.json").read_text())["pids"]["api"]
