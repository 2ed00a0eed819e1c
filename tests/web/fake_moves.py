"""What an owner does with a conversation: from which states, into which, and what is told."""

OWNED_MOVES = {
    "hold": (("connected",), "held", "held"),
    "resume": (("held",), "connected", "resumed"),
    "park": (("connected", "held"), "parked", "parked"),
    "unpark": (("parked",), "connected", "unparked"),
    "disconnect": (("connected", "held"), "completed", "disconnected"),
    "wrapup": (("wrapup",), "completed", "completed"),
    "discard": (("connected", "held", "parked", "queued"), "discarded", "discarded"),
    "release": (("connected", "held", "parked"), "queued", "released"),
}
