"""How much is measured: enough for the figures, or just enough to see that it works."""

from dataclasses import dataclass, field

from bench.crowded import Crowd
from bench.match_sizes import MatchSizes


@dataclass(frozen=True, slots=True)
class ListeningSizes:
    backlog: int = 18_000
    """An outage of an hour at five posts a second."""
    channels: int = 50
    rounds: int = 6
    pages: int = 50


@dataclass(frozen=True, slots=True)
class Sizes:
    repeats: int
    pages: int
    """Pages of 100 posts; the bound starts as many workflows as there are posts."""
    single_posts: int
    lifecycles_1: int
    lifecycles_16: int
    histories: int
    human_pause_s: float
    samples: int
    crowd: int
    """Agents on queue among whom offers are measured once more."""
    load_s: float
    open_conversations: tuple[int, ...]
    """Few, more, all; the last two also for the memory."""
    cost_lifecycles: int
    claim_agents: int
    matches: MatchSizes
    listening: ListeningSizes = ListeningSizes()
    crowded: Crowd = field(default_factory=Crowd)
    readings: int = 100
    """So many of the floor, and of the half hour before."""
    pages_open: int = 1_000
    """Conversations on the floor that a browser looks at."""
    page_samples: int = 100
    """Events and keys, each."""
    page_events: int = 10_000


USUAL = Sizes(
    repeats=3,
    pages=10,
    single_posts=500,
    lifecycles_1=60,
    lifecycles_16=240,
    histories=20,
    human_pause_s=1.0,
    samples=300,
    crowd=500,
    load_s=30.0,
    open_conversations=(100, 500, 2_000),
    cost_lifecycles=120,
    claim_agents=500,
    matches=MatchSizes(),
)

QUICK = Sizes(
    repeats=1,
    pages=1,
    single_posts=30,
    lifecycles_1=5,
    lifecycles_16=24,
    histories=3,
    human_pause_s=0.3,
    samples=20,
    crowd=30,
    load_s=3.0,
    open_conversations=(20, 50, 100),
    cost_lifecycles=10,
    claim_agents=50,
    matches=MatchSizes(4, 20, 5, 60, matches=5, logging_in=8),
    listening=ListeningSizes(backlog=500, channels=3, rounds=1, pages=5),
    crowded=Crowd(2, 20, 200, 2_000),
    readings=5,
    pages_open=100,
    page_samples=10,
    page_events=100,
)

FULL_OPEN = (100, 2_000, 10_000)
