import pytest

from conversations.onlooking import LEASE_MS, RENEWED_EVERY_MS, Activity, Lease, renewed

LOOKING = Lease(Activity.LOOKING, since=1_000, until=1_000 + LEASE_MS)


def test_whoever_comes_is_there_for_the_lease() -> None:
    assert renewed(None, Activity.LOOKING, 1_000) == LOOKING


@pytest.mark.parametrize(("after_ms", "is_written"), [(RENEWED_EVERY_MS - 1, False), (5_000, True)])
def test_a_lease_is_written_again_when_some_of_it_is_gone(
    after_ms: int, *, is_written: bool
) -> None:
    again = renewed(LOOKING, Activity.LOOKING, 1_000 + after_ms)

    prolonged = Lease(Activity.LOOKING, 1_000, 1_000 + after_ms + LEASE_MS)
    assert again == (prolonged if is_written else None)


def test_a_change_counts_at_once_with_its_own_beginning() -> None:
    typing = renewed(LOOKING, Activity.TYPING, 1_001)

    assert typing == Lease(Activity.TYPING, 1_001, 1_001 + LEASE_MS)


def test_a_lease_holds_until_its_end_and_begins_anew_after_it() -> None:
    end = LOOKING.until

    assert (LOOKING.holds(end - 1), LOOKING.holds(end)) == (True, False)
    assert renewed(LOOKING, Activity.LOOKING, end) == Lease(Activity.LOOKING, end, end + LEASE_MS)


def test_only_who_is_there_can_go() -> None:
    assert renewed(LOOKING, Activity.GONE, 2_000) == Lease(Activity.GONE, 2_000, 2_000)
    gone = Lease(Activity.GONE, 2_000, 2_000)
    for before in (None, gone, LOOKING):
        assert renewed(before, Activity.GONE, LOOKING.until) is None
