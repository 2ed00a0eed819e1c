"""Runs the simulated network: `python -m simulated_network --port P --state DIR [--seed N]`."""

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path

import structlog
import uvicorn

from simulated_network.connection import NetworkServer, ResettableProtocol
from simulated_network.server import create_app


def main() -> int:
    asked = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        endpoint = socket.create_server((asked.host, asked.port), backlog=512)
    except OSError as error:
        print(f"cannot listen on {asked.host}:{asked.port}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the command line speaks
        return 1
    # Connections inherit it; asyncio sets it only for sockets whose protocol number is not 0, and
    # without it each answer waits 40 ms for an acknowledgement.
    endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    base_url = asked.public_url or f"http://{asked.host}:{endpoint.getsockname()[1]}"
    asyncio.run(_serve(asked, endpoint, base_url))
    return 0


async def _serve(asked: argparse.Namespace, endpoint: socket.socket, base_url: str) -> None:
    app, world = create_app(
        asked.state, seed=asked.seed, base_url=base_url, keep_alive_ms=asked.keep_alive_ms
    )
    config = uvicorn.Config(
        app,
        http=ResettableProtocol,
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    loop = asyncio.get_running_loop()
    server = NetworkServer(config, on_stop=lambda: loop.call_soon_threadsafe(world.stop_streams))
    print(f"simulated network on {base_url}", flush=True)  # noqa: T201 - the command line speaks
    await server.serve(sockets=[endpoint])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulated_network", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder of the ledger")
    parser.add_argument("--seed", type=int, default=0, help="of faults and of customers' choices")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--public-url", help="how others reach this server, in the posts' urls")
    parser.add_argument("--keep-alive-ms", type=int, default=10_000, help="of silent streams")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
