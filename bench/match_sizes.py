"""How large the queues and floors are on which matches are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatchSizes:
    few_agents: int = 10
    many_agents: int = 500
    few_waiting: int = 10
    many_waiting: int = 10_000
    matches: int = 150
    logging_in: int = 200
