"""The pure core: what a conversation is, what may happen to it, and the messages that travel."""
