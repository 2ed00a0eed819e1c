"""What `up` says when all is ready: run.json for programs, a few lines for people."""

import os
from pathlib import Path

from operation.environment import Addresses
from operation.ports import LOOPBACK
from operation.run_file import Json


def run_facts(addresses: Addresses, pids: dict[str, int], keys: Json) -> Json:
    return {
        "api_url": addresses.api_url,
        "desk_url": f"{addresses.desk_url}/",
        "wallboard_url": f"{addresses.desk_url}/wallboard",
        "worker_url": f"http://{LOOPBACK}:{addresses.worker_port}",
        "simulated_network_url": addresses.simulated_url,
        "temporal_address": addresses.temporal_address,
        "temporal_ui_url": addresses.temporal_ui_url,
        "pids": {"temporal": None, **pids, "up": os.getpid()},
        "keys": keys,
    }


def welcome(addresses: Addresses, folder: Path, *, demo: bool, in_s: float) -> str:
    lines = [
        "",
        f"Parley is ready ({in_s:.1f} s).",
        f"  Desk           {addresses.desk_url}/",
        f"  Wallboard      {addresses.desk_url}/wallboard",
        f"  API            {addresses.api_url}   (docs: {addresses.desk_url}/docs)",
        f"  Temporal       {addresses.temporal_address}",
    ]
    if addresses.temporal_ui_url:
        lines.append(f"  Temporal's UI  {addresses.temporal_ui_url}")
    if addresses.simulated_url:
        lines.append(f"  Network        {addresses.simulated_url}   (simulated)")
    secrets = "keys and passwords" if demo else "the administrator's key"
    lines.append(f"  Run file       {folder / 'run.json'}   ({secrets}; only you can read it)")
    lines.append(f"  Logs           {folder / 'logs'}")
    lines.append("")
    if demo:
        lines.append("Try: open the desk, sign in as an agent (one click), go on queue, pick up,")
        lines.append("answer; then look at the simulated network's page and at Temporal's web UI.")
    else:
        lines.append("Try: create a workgroup, an agent and a channel with the admin's key.")
    lines.append("Ctrl-C stops everything and loses nothing.")
    return "\n".join(lines)
