"""What Prometheus is told: by route, network and outcome, never by person or conversation."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


class Metrics:
    """The API's own registry, so that two applications in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.duration = Histogram(
            "parley_http_request_duration_seconds",
            "From the request's first byte to the answer's last",
            ("method", "route", "status"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.posts = Counter(
            "parley_posts_ingested",
            "Posts that came through the generic door",
            ("network", "result"),
            registry=self.registry,
        )
        self.commands = Counter(
            "parley_commands",
            "Commands on conversations by outcome: ok or the refusal's code",
            ("command", "outcome"),
            registry=self.registry,
        )
        self.streams = Gauge("parley_stream_clients", "Open event streams", registry=self.registry)
        self.streamed = Counter(
            "parley_stream_messages", "Events sent to viewers", registry=self.registry
        )
        self.relay_lag = Gauge(
            "parley_relay_lag_seconds",
            "Age of the oldest event that has no place in the sequence yet",
            registry=self.registry,
        )
        self.waiting = Gauge(
            "parley_conversations_waiting", "Conversations in queues", registry=self.registry
        )
        self.longest_wait = Gauge(
            "parley_oldest_wait_seconds",
            "How long the longest waiting conversation has waited",
            registry=self.registry,
        )
        self.bells_dropped = Gauge(
            "parley_bells_dropped", "Bells left to the sweep", registry=self.registry
        )

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
