"""Which reply each of the newest own posts belongs to: equal words prove one of them only."""

from collections import OrderedDict

MOST_KNOWN = 10_000


class Spoken:
    """What this process proved to be there; what it forgets is old enough to be told by its time.

    Every account is spoken for by one process at a time.
    """

    def __init__(self) -> None:
        self._reply_of: OrderedDict[str, str] = OrderedDict()

    def note(self, external_id: str, reply_id: str) -> None:
        self._reply_of[external_id] = reply_id
        while len(self._reply_of) > MOST_KNOWN:
            self._reply_of.popitem(last=False)

    def is_anothers(self, external_id: str, reply_id: str) -> bool:
        return self._reply_of.get(external_id, reply_id) != reply_id
