"""A network that takes no more calls for a while."""


class Busy(Exception):
    """The network asks to be left alone for so long; nothing was done."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the network takes no calls for {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s
