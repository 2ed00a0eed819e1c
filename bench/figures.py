"""The figures that are measured, with their goals and what the prototype reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.samples import Spread


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit not to exceed (a latency), or one to reach (a rate)."""

    limit: float
    is_ceiling: bool

    def is_reached(self, value: float) -> bool:
        return value <= self.limit if self.is_ceiling else value >= self.limit

    def reserve(self, value: float) -> float:
        """Return how many times better than the goal the value is; below 1 it is not reached."""
        if value <= 0:
            return float("inf") if self.is_ceiling else 0.0
        return self.limit / value if self.is_ceiling else value / self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report; the first word of the name is the measurement that gives it."""

    name: str
    title: str
    unit: str
    goal: Goal | None = None
    prototype: str = ""

    @property
    def measurement(self) -> str:
        return self.name.partition(".")[0]


def at_least(limit: float) -> Goal:
    return Goal(limit, is_ceiling=False)


def at_most(limit: float) -> Goal:
    return Goal(limit, is_ceiling=True)


_INGEST = (
    Figure(
        "ingest.pages_ratio",
        "pages of 100: posts/s until every bell is rung and synced ÷ bound",
        "",
        at_least(0.8),
    ),
    Figure("ingest.singles_ratio", "single posts: the same ÷ bound", "", at_least(0.8)),
    Figure("ingest.pages_synced", "pages of 100, until synced", "posts/s", None, "60"),
    Figure(
        "ingest.pages_answered", "pages of 100, until the last 202", "posts/s", None, "239 to 269"
    ),
    Figure("ingest.singles_synced", "single posts, until synced", "posts/s"),
    Figure("ingest.singles_answered", "single posts, to the last 202", "posts/s"),
    Figure(
        "ingest.bound",
        "bound: bare workflows started by a signal, one local activity each",
        "/s",
        None,
        "223 to 290 without the activity",
    ),
    Figure("ingest.cpu_temporal", "CPU per post of pages: Temporal", "ms"),
    Figure("ingest.cpu_worker", "CPU per post of pages: worker", "ms", None, "4.8"),
    Figure("ingest.cpu_api", "CPU per post of pages: API", "ms"),
    Figure("ingest.bound_cpu_temporal", "CPU per bare workflow: Temporal", "ms"),
    Figure("ingest.bound_cpu_worker", "CPU per bare workflow: its worker", "ms"),
    Figure("ingest.bound_cpu_caller", "CPU per bare workflow: its caller", "ms"),
)

_LIFECYCLES = (
    Figure(
        "lifecycles.ratio_1", "full lifecycles/s at 1 client ÷ bound", "", at_least(1.0), "1.29"
    ),
    Figure(
        "lifecycles.ratio_16", "full lifecycles/s at 16 clients ÷ bound", "", at_least(1.0), "1.16"
    ),
    Figure("lifecycles.rate_1", "full lifecycles at 1 client", "/s", None, "11.2"),
    Figure("lifecycles.rate_16", "full lifecycles at 16 clients", "/s", None, "25.2"),
    Figure("lifecycles.bound_1", "bound: bare workflow with updates, 1 client", "/s", None, "8.7"),
    Figure(
        "lifecycles.bound_16", "bound: bare workflow with updates, 16 clients", "/s", None, "21.8"
    ),
    Figure("lifecycles.reply_1", "reply accepted → at the network, 1 client, p50", "ms"),
    Figure("lifecycles.reply_16", "reply accepted → at the network, 16 clients, p50", "ms"),
    Figure("lifecycles.cpu_temporal", "CPU per lifecycle at 16: Temporal", "ms", None, "28"),
    Figure("lifecycles.cpu_worker", "CPU per lifecycle at 16: worker", "ms", None, "25"),
    Figure("lifecycles.cpu_api", "CPU per lifecycle at 16: API", "ms", None, "16"),
    Figure("lifecycles.cpu_caller", "CPU per lifecycle at 16: the driver", "ms"),
    Figure("lifecycles.bound_cpu_temporal", "CPU per bare lifecycle at 16: Temporal", "ms"),
    Figure("lifecycles.bound_cpu_worker", "CPU per bare lifecycle at 16: its worker", "ms"),
    Figure("lifecycles.bound_cpu_caller", "CPU per bare lifecycle at 16: its caller", "ms"),
)

_HISTORY = (
    Figure(
        "history.back_to_back",
        "history events per lifecycle, back to back (median)",
        "events",
        at_most(45),
        "20",
    ),
    Figure(
        "history.human_pace",
        "history events per lifecycle, at a human pace (median)",
        "events",
        at_most(45),
    ),
    Figure("history.bound", "bare workflow of the same steps (median)", "events", None, "41 to 45"),
)

_OFFERS = (
    Figure(
        "offers.unloaded_p50",
        "post sent → offer committed, unloaded, p50",
        "ms",
        at_most(10),
        "2.1",
    ),
    Figure(
        "offers.unloaded_p99",
        "post sent → offer committed, unloaded, p99",
        "ms",
        at_most(50),
        "13.5",
    ),
    Figure("offers.crowd_p50", "the same among 500 agents on queue, p50", "ms"),
    Figure("offers.crowd_p99", "the same among 500 agents on queue, p99", "ms", at_most(200)),
    Figure("offers.loaded_p50", "post sent → offer committed, under load, p50", "ms"),
    Figure(
        "offers.loaded_p99", "post sent → offer committed, under load, p99", "ms", at_most(1000)
    ),
    Figure("offers.load", "the load: lifecycles that arrive at random", "/s"),
)

_COMMANDS = (
    Figure("commands.unloaded_p50", "agent command, one client, p50", "ms", at_most(10), "2"),
    Figure("commands.unloaded_p99", "agent command, one client, p99", "ms", at_most(50), "11"),
    Figure("commands.at_16_p50", "agent command, 16 at once, p50", "ms", None, "10"),
    Figure("commands.at_16_p99", "agent command, 16 at once, p99", "ms", None, "85"),
    Figure("commands.refusal_p50", "refusal, one client, p50", "ms", None, "1.1"),
    Figure("commands.refusal_p99", "refusal, one client, p99", "ms", None, "2.6"),
    Figure("commands.read_p50", "GET of a conversation, one client, p50", "ms"),
    Figure("commands.read_p99", "GET of a conversation, one client, p99", "ms"),
)

_EVENTS = (
    Figure("events.delivered_p50", "event committed → delivered, p50", "ms"),
    Figure("events.delivered_p95", "event committed → delivered, p95", "ms", at_most(100)),
    Figure("events.busy_p95", "event committed → delivered, 16 clients at work, p95", "ms"),
)

_OPEN = (
    Figure("open.memory_per_conversation", "worker memory per open conversation", "KiB"),
    Figure("open.rss_empty", "worker memory, none open", "MiB"),
    Figure("open.rss_full", "worker memory, all open", "MiB"),
    Figure("open.conversations", "open conversations, all", ""),
    Figure("open.cost_few", "CPU per lifecycle beside few open ones", "ms"),
    Figure("open.cost_more", "CPU per lifecycle beside more open ones", "ms"),
    Figure("open.cost_most", "CPU per lifecycle beside all open ones", "ms"),
    Figure("open.cost_ratio", "cost beside all ÷ beside few open ones", "", at_most(1.1)),
)

_CLAIMS = (
    Figure("claims.postgresql", "claims in one workgroup, PostgreSQL", "/s", at_least(1000)),
    Figure("claims.sqlite", "claims in one workgroup, SQLite", "/s"),
)

_MATCHES = tuple(
    figure
    for name, title in (("postgresql", "PostgreSQL"), ("sqlite", "SQLite"))
    for figure in (
        Figure(f"matches.{name}_small", f"one match, 10 wait, 10 agents, {title}", "ms"),
        Figure(
            f"matches.{name}_long_queue_ratio",
            f"the same beside 10,000 waiting ÷ beside 10, {title}",
            "",
            at_most(1.2),
        ),
        Figure(
            f"matches.{name}_large_floor_ratio",
            f"the same among 500 agents ÷ among 10, {title}",
            "",
            at_most(1.2),
        ),
        Figure(f"matches.{name}_both_ratio", f"both ÷ neither, {title}", "", at_most(1.2)),
        Figure(
            f"matches.{name}_shift",
            f"200 agents log in at once beside 10,000 waiting, until all are full, {title}",
            "s",
            at_most(5),
        ),
    )
)

_LISTENING = tuple(
    figure
    for name, title in (("postgresql", "PostgreSQL"), ("sqlite", "SQLite"))
    for figure in (
        Figure(
            f"listening.{name}_drained",
            f"backlog of an hour's outage, one channel, {title}",
            "posts/s",
            at_least(500),
        ),
        Figure(
            f"listening.{name}_cpu",
            f"50 channels, 100 posts each at every poll of 5 s, share of a core, {title}",
            "%",
            at_most(50),
        ),
        Figure(
            f"listening.{name}_page",
            f"page of 100 posts, wire → committed, p50, {title}",
            "ms",
            at_most(100),
        ),
    )
)

_STATISTICS = (
    Figure("statistics.first", "figures of the floor, the first after a start", "ms"),
    Figure("statistics.now_p50", "figures of the floor now, p50", "ms"),
    Figure("statistics.now_p99", "figures of the floor now, p99", "ms", at_most(200)),
    Figure("statistics.half_hour_p50", "the last half hour by minutes, p50", "ms"),
    Figure("statistics.half_hour_p99", "the last half hour by minutes, p99", "ms"),
    Figure("statistics.day_p50", "the last day by quarters of an hour, p50", "ms"),
)

_PAGES = (
    Figure("pages.requests", "the first page: requests", "", at_most(12)),
    Figure("pages.weight", "the first page: bytes on the wire", "kB", at_most(100)),
    Figure("pages.open", "open conversations on the floor that is looked at", ""),
    Figure("pages.drawn", "the floor, from the address to the last row known", "ms"),
    Figure("pages.event_p50", "event committed → drawn, p50", "ms"),
    Figure("pages.event_p95", "event committed → drawn, p95", "ms", at_most(100)),
    Figure("pages.key_p95", "key → painted, p95", "ms", at_most(50)),
    Figure("pages.frame_p95", "from frame to frame while scrolling, p95", "ms", at_most(50)),
    Figure("pages.events", "events while memory is watched", ""),
    Figure("pages.heap_first", "the page's memory after a tenth of them", "MiB"),
    Figure("pages.heap_half", "the page's memory after half of them", "MiB"),
    Figure("pages.heap", "the page's memory after all of them", "MiB"),
    Figure("pages.heap_growth", "its growth from the tenth on", "MiB", at_most(2)),
    Figure("pages.complaints", "errors in the console", "", at_most(0)),
)

FIGURES = (
    *_INGEST,
    *_LIFECYCLES,
    *_HISTORY,
    *_OFFERS,
    *_COMMANDS,
    *_EVENTS,
    *_OPEN,
    *_STATISTICS,
    *_PAGES,
    *_CLAIMS,
    *_MATCHES,
    *_LISTENING,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A figure and what the repetitions of its measurement came to."""

    figure: Figure
    spread: Spread

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None when there is no goal."""
        return None if self.figure.goal is None else self.figure.goal.is_reached(self.spread.median)


def lines(spreads: Mapping[str, Spread]) -> list[Line]:
    """Return what was measured, in the report's order."""
    return [Line(figure, spreads[figure.name]) for figure in FIGURES if figure.name in spreads]
