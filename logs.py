"""Logs: JSON for machines, short lines for people; no customer's word, never a secret."""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

LOGGED_KEYS = frozenset(
    {
        "account_id",
        "address",
        "agent_id",
        "attempt",
        "bells",
        "by",
        "channel_id",
        "child",
        "claimed",
        "conversation",
        "conversation_id",
        "conversations",
        "detail",
        "duration_ms",
        "error",
        "event",
        "exception",
        "facts",
        "level",
        "logger",
        "method",
        "network",
        "pid",
        "port",
        "principal_id",
        "queue",
        "request_id",
        "route",
        "seq",
        "status",
        "timestamp",
        "workgroup_id",
    }
)
"""Anything else is dropped: a new key is a decision, not an accident."""

LONGEST_VALUE = 500


def configure(form: str, level: str) -> None:
    """Set up structlog and the standard library's logging alike.

    `form` is `json`, `console`, or `auto`: lines for people on a terminal, JSON elsewhere.
    """
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if is_console:
        renderer = structlog.dev.ConsoleRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _only_known_keys,
    ]
    severity = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=severity, force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _only_known_keys(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Keep what may be logged, shortened, on one line."""
    return {
        key: _shown(value)
        for key, value in line.items()
        if key in LOGGED_KEYS or key.startswith("_")
    }


def _shown(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value[:LONGEST_VALUE] if value.isprintable() else value[: LONGEST_VALUE * 8]
