"""X: mentions, searches, the filtered stream, direct messages, webhooks, and answers."""
