"""The pace of a replay: long silences cut, the rest divided by the speed; and ids that rise."""

import pytest

from operation.recordings import Recording, Said
from operation.replay_players import LONGEST_SILENCE_S, PostIds, pauses_s, starts_s


def recording(*seconds: float) -> Recording:
    said = (Said(str(at), int(at * 1000), "u_1", "text") for at in seconds)
    return Recording("acme", tuple(said))


def test_pauses_are_divided_by_the_speed_and_long_silences_cut() -> None:
    pauses = pauses_s(recording(0, 10, 10, 5_000), speed=2.0)

    assert pauses == [0.0, 5.0, 0.0, LONGEST_SILENCE_S / 2]


def test_conversations_begin_one_after_the_other() -> None:
    starts = starts_s([recording(100), recording(104, 106), recording(90_000)], speed=4.0)

    assert starts == pytest.approx([0.0, 1.0, 1.0 + LONGEST_SILENCE_S / 4])


def test_ids_rise_and_are_those_of_posts() -> None:
    ids = PostIds()
    taken = [int(ids.take()) for _ in range(1_000)]

    assert taken == sorted(set(taken))
    assert all(0 < one < 2**63 for one in taken)
